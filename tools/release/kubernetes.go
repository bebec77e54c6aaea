package main

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// kubernetes writes the files of deploy for Kubernetes, with the images of this version.
func (r *release) kubernetes() error {
	var files []file
	deploy := filepath.Join(r.source, "deploy")
	for _, dir := range []string{"kubernetes", "prometheus"} {
		err := filepath.WalkDir(filepath.Join(deploy, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(deploy, path)
			if err != nil {
				return err
			}
			to := filepath.Join(r.work, "deploy", name)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			files = append(files, file{filepath.ToSlash(name), to, 0o644})
			return os.WriteFile(to, bytes.ReplaceAll(text, []byte("newTag: 0.0.0}"), []byte("newTag: "+r.version+"}")), 0o644)
		})
		if err != nil {
			return err
		}
	}
	folder := "socketlab_" + r.version + "_kubernetes"
	return r.write(folder+".tar.gz", func(w io.Writer) error { return tarGz(w, r, folder, files) })
}
