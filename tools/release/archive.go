package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// file is one that goes into archives, packages and images.
type file struct {
	name string // within an archive, with slashes
	path string // where it is now
	mode os.FileMode
}

// texts are the files beside the programs: what to read first, manual pages, and what
// shells need to complete command lines.
func (r *release) texts(ctx context.Context) ([]file, error) {
	var files []file
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		files = append(files, file{name, filepath.Join(r.source, name), 0o644})
	}
	man := filepath.Join(r.work, "man")
	if _, err := r.output(ctx, r.hosted("sockwatch"), "man", "--dir", man); err != nil {
		return nil, err
	}
	pages, err := filepath.Glob(filepath.Join(man, "*.1"))
	if err != nil || len(pages) == 0 {
		return nil, fmt.Errorf("no manual pages in %s: %w", man, err)
	}
	for _, p := range pages {
		files = append(files, file{"man/" + filepath.Base(p), p, 0o644})
	}
	for shell, form := range map[string]string{"bash": "%s.bash", "zsh": "_%s", "fish": "%s.fish", "powershell": "%s.ps1"} {
		for _, program := range programs {
			script, err := r.output(ctx, r.hosted(program), "completion", shell)
			if err != nil {
				return nil, err
			}
			name := "completions/" + fmt.Sprintf(form, program)
			to := filepath.Join(r.work, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return nil, err
			}
			if err := os.WriteFile(to, []byte(script+"\n"), 0o644); err != nil {
				return nil, err
			}
			files = append(files, file{name, to, 0o644})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files, nil
}

// base is the name of a platform's archive, without its ending.
func (r *release) base(p platform) string {
	return fmt.Sprintf("socketlab_%s_%s_%s", r.version, p.os, p.arch)
}

// archive writes a platform's archive: zip for Windows, else tar.gz.
func (r *release) archive(p platform, files []file) error {
	write, ending := tarGz, ".tar.gz"
	if p.os == "windows" {
		write, ending = zipped, ".zip"
	}
	return r.write(r.base(p)+ending, func(w io.Writer) error { return write(w, r, r.base(p), files) })
}

func tarGz(w io.Writer, r *release, folder string, files []file) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		head := &tar.Header{Name: path.Join(folder, f.name), Mode: int64(f.mode), Size: int64(len(data)), ModTime: r.date, Format: tar.FormatUSTAR}
		if err := t.WriteHeader(head); err != nil {
			return err
		}
		if _, err := t.Write(data); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func zipped(w io.Writer, r *release, folder string, files []file) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		head := &zip.FileHeader{Name: path.Join(folder, f.name), Method: zip.Deflate, Modified: r.date}
		head.SetMode(f.mode)
		to, err := z.CreateHeader(head)
		if err != nil {
			return err
		}
		if _, err := to.Write(data); err != nil {
			return err
		}
	}
	return z.Close()
}

// write writes a published file.
func (r *release) write(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(filepath.Join(r.out, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	b := bufio.NewWriter(f)
	if err := write(b); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// checksums writes SHA256SUMS, in the form that sha256sum -c reads.
func (r *release) checksums() error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	return r.write("SHA256SUMS", func(w io.Writer) error {
		for _, e := range entries {
			sum, err := r.sum(e.Name())
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%s  %s\n", sum, e.Name()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *release) sum(name string) (string, error) {
	f, err := os.Open(filepath.Join(r.out, name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
