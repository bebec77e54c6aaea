package main

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// images writes an image for each program, from scratch: the program, and nothing else.
// It is a tar archive that docker load, podman load and ctr images import read. The user
// is 65532, which owns nothing; who looks into processes of others needs another.
func (r *release) images(p platform, programs []file) error {
	for _, f := range programs {
		layer, err := r.layer(f)
		if err != nil {
			return err
		}
		image, err := mutate.Append(empty.Image, mutate.Addendum{
			Layer:   layer,
			History: v1.History{Author: "socketlab", CreatedBy: f.name, Created: v1.Time{Time: r.date}},
		})
		if err != nil {
			return err
		}
		config, err := image.ConfigFile()
		if err != nil {
			return err
		}
		config = config.DeepCopy()
		config.OS, config.Architecture, config.Created = p.os, p.arch, v1.Time{Time: r.date}
		config.Config = v1.Config{
			Entrypoint: []string{"/" + f.name}, User: "65532:65532", WorkingDir: "/tmp",
			Env: []string{"PATH=/", "TMPDIR=/tmp", "HOME=/tmp"},
			Labels: map[string]string{
				"org.opencontainers.image.title": f.name, "org.opencontainers.image.version": r.version, "org.opencontainers.image.licenses": "MIT",
			},
		}
		if image, err = mutate.ConfigFile(image, config); err != nil {
			return err
		}
		tag, err := name.NewTag("socketlab/" + f.name + ":" + r.version)
		if err != nil {
			return err
		}
		if err := tarball.WriteToFile(filepath.Join(r.out, f.name+"_"+r.version+"_"+p.os+"_"+p.arch+".image.tar"), tag, image); err != nil {
			return err
		}
	}
	return nil
}

// layer is the one layer of a program's image.
func (r *release) layer(f file) (v1.Layer, error) {
	data, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777},
		{Name: f.name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(data))},
	} {
		h.ModTime, h.Format = r.date, tar.FormatUSTAR
		if err := t.WriteHeader(&h); err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := t.Write(data); err != nil {
				return nil, err
			}
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithCompressionLevel(9))
}
