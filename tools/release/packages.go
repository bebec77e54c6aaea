package main

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk" // each registers its form of a package
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// placeholder stands where only whoever hosts the project knows what to write.
const placeholder = "https://example.invalid/socketlab"

// packages writes the packages for Debian, Red Hat and Alpine, and what is made from
// them: the programs in /usr/bin, manual pages, and completions.
func (r *release) packages(p platform, programs, extra []file) error {
	var contents files.Contents
	add := func(f file, to string) {
		contents = append(contents, &files.Content{
			Source: f.path, Destination: to,
			FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: f.mode, MTime: r.date},
		})
	}
	for _, f := range programs {
		add(f, "/usr/bin/"+f.name)
	}
	for _, f := range extra {
		name := path.Base(f.name)
		switch {
		case strings.HasPrefix(f.name, "man/"):
			add(f, "/usr/share/man/man1/"+name)
		case strings.HasSuffix(name, ".bash"):
			add(f, "/usr/share/bash-completion/completions/"+strings.TrimSuffix(name, ".bash"))
		case strings.HasSuffix(name, ".fish"):
			add(f, "/usr/share/fish/vendor_completions.d/"+name)
		case strings.HasPrefix(f.name, "completions/_"):
			add(f, "/usr/share/zsh/site-functions/"+name)
		case strings.HasSuffix(name, ".ps1"):
		default:
			add(f, "/usr/share/doc/socketlab/"+name)
		}
	}
	for _, form := range []string{"deb", "rpm", "apk"} {
		packager, err := nfpm.Get(form)
		if err != nil {
			return err
		}
		info := nfpm.WithDefaults(&nfpm.Info{
			Name: "socketlab", Arch: p.arch, Platform: p.os, Version: r.version, Section: "net", Priority: "optional",
			Maintainer: "The socketlab authors <socketlab@example.invalid>", Vendor: "The socketlab authors", License: "MIT", Homepage: placeholder,
			Description: "Reproduce connection-management incidents, and say what is wrong with a process's sockets",
			MTime:       r.date,
			Overridables: nfpm.Overridables{
				Contents: contents,
				RPM:      nfpm.RPM{Summary: "Connection-management incidents, reproduced and found", BuildHost: "socketlab"},
			},
		})
		if err := nfpm.PrepareForPackager(info, form); err != nil {
			return err
		}
		if err := r.write(r.base(p)+"."+form, func(w io.Writer) error { return packager.Package(info, w) }); err != nil {
			return err
		}
	}
	return nil
}

// manifests writes the formula for Homebrew and the manifests for Scoop and krew. Where the
// archives lie is not known here: the address is a placeholder.
func (r *release) manifests() error {
	dir := filepath.Join(r.source, "tools", "release", "templates")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	sums := []string{"{{version}}", r.version, "{{url}}", placeholder + "/releases/v" + r.version}
	for _, p := range platforms {
		ending := ".tar.gz"
		if p.os == "windows" {
			ending = ".zip"
		}
		sum, err := r.sum(r.base(p) + ending)
		if os.IsNotExist(err) {
			return nil // not all platforms were built: a formula would be half
		}
		if err != nil {
			return err
		}
		sums = append(sums, "{{"+p.os+"_"+p.arch+"}}", sum)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if err := r.write(e.Name(), func(w io.Writer) error {
			_, err := strings.NewReplacer(sums...).WriteString(w, string(text))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
