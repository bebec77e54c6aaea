package render_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/series"
)

// lined are events as a file has them.
func lined(t testing.TB, events []series.Event) []byte {
	t.Helper()
	var out bytes.Buffer
	to := json.NewEncoder(&out)
	for _, e := range events {
		require.NoError(t, to.Encode(e))
	}
	return out.Bytes()
}

// reported is what a recording says; nil of one that says nothing.
func reported(r *recording.Recording) *render.Document {
	if r.Observation.Target == nil {
		run, err := render.Run(r.Observation)
		if err != nil {
			return nil
		}
		return render.Runs([]*render.Observed{run}, false)
	}
	var w observe.Window
	for _, e := range r.Events {
		w.Add(e)
	}
	if w.Len() == 0 {
		return nil
	}
	return render.Diagnosis(render.Watched(&w))
}

// Whatever a recording holds, a report of it is written in every form, and has nothing that
// draws on a terminal.
func FuzzReport(f *testing.F) {
	for i, events := range [][]series.Event{rendertest.Ended(rendertest.Run(3)), rendertest.Watch(3, 2), rendertest.Watch(1, 1), rendertest.Run(1, "faulty")} {
		f.Add(lined(f, events), uint8(i))
		f.Add(lined(f, events), uint8(i+4))
	}
	path := filepath.Join(f.TempDir(), "recording.jsonl")
	f.Fuzz(func(t *testing.T, data []byte, which uint8) {
		require.NoError(t, os.WriteFile(path, data, 0o600))
		r, _ := recording.Read(t.Context(), path)
		if r == nil {
			return
		}
		d := reported(r)
		if d == nil {
			return
		}
		formats := render.Formats(d.Has())
		text := written(t, formats[int(which)%len(formats)], d)
		require.NotEmpty(t, text)
		for _, c := range text {
			require.True(t, c == '\n' || c == '\t' || !unicode.IsControl(c) && !unicode.Is(unicode.Bidi_Control, c), "%q", c)
		}
	})
}
