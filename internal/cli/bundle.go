package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/render"
)

// bundleUsage is that of --bundle.
const bundleUsage = "also write the recording, its report and how it was made to this new .tar.gz file, to attach to a ticket"

// checkBundle returns what is wrong with the name of a bundle; "" is none.
func checkBundle(c *cobra.Command, path string, force bool) error {
	if path != "" && stem(path) == path {
		return fmt.Errorf("%s does not end in .tar.gz or .tgz", path)
	}
	return checkOutput(c, path, force, false)
}

// stem is the name of a bundle without its end.
func stem(path string) string {
	return strings.TrimSuffix(strings.TrimSuffix(path, ".tar.gz"), ".tgz")
}

// reported is a recording with what it says, and the answer of that.
func reported(r *recording.Recording) (*render.Observed, *render.Document, error) {
	if r.Observation.Target == nil {
		run, err := recordedRun(r.Observation)
		if err != nil {
			return nil, nil, err
		}
		return run, render.Runs([]*render.Observed{run}, false), nil
	}
	w := observe.Window{Thin: true}
	for _, e := range r.Events {
		w.Add(e)
	}
	if w.Len() == 0 {
		return nil, nil, recording.ErrNoSample(r.Path)
	}
	seen := render.Watched(&w)
	return seen, render.Diagnosis(seen), nil
}

// writeBundle writes a recording with its report as a page and as text, and how it was
// made. It gives up when ctx is done.
func writeBundle(ctx context.Context, path string, force bool, r *recording.Recording) error {
	type report struct {
		seen *render.Observed
		d    *render.Document
	}
	made, err := madeUntil(ctx, func() (report, error) {
		seen, d, err := reported(r)
		return report{seen, d}, err
	})
	if err != nil {
		return err
	}
	files := []namedFile{
		{"README.txt", func(w io.Writer) error {
			_, err := io.WriteString(w, readMe(made.seen))
			return err
		}},
		{"recording.jsonl", func(w io.Writer) error {
			out := json.NewEncoder(w)
			for _, e := range r.Events {
				if err := out.Encode(e); err != nil {
					return err
				}
			}
			return nil
		}},
		{"report.html", inFormatUntil(ctx, "html", made.d)},
		{"report.txt", inFormatUntil(ctx, "table", made.d)},
	}
	return writeNew(path, force, func(w io.Writer) error {
		compressed := gzip.NewWriter(w)
		out := tar.NewWriter(compressed)
		for _, f := range files {
			var data bytes.Buffer
			if err := f.write(&data); err != nil {
				return err
			}
			header := &tar.Header{
				Name: filepath.Base(stem(path)) + "/" + f.name, Mode: 0o644, Size: int64(data.Len()), ModTime: r.Observation.Started.Round(time.Second),
			}
			if err := out.WriteHeader(header); err != nil {
				return err
			}
			if _, err := out.Write(data.Bytes()); err != nil {
				return err
			}
		}
		return errors.Join(out.Close(), compressed.Close())
	})
}

// readMe says what the files of a bundle are, and how the recording was made.
func readMe(seen *render.Observed) string {
	var text strings.Builder
	text.WriteString(`recording.jsonl  what was seen, one line of JSON for each count
report.html      what it says, as a page
report.txt       the same as text

sockwatch diagnose recording.jsonl   judges it again
sockwatch replay recording.jsonl     shows it again

How it was made
`)
	for _, item := range seen.How() {
		fmt.Fprintf(&text, "  %-16s %s\n", item.Name, strings.Join(strings.Fields(item.Text), " "))
	}
	return text.String()
}
