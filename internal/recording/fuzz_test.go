package recording_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/series"
	"socketlab/internal/verdict"
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

// judge judges what a recording holds.
func judge(r *recording.Recording) map[string]verdict.Verdict {
	if r.Observation.Target == nil {
		script, err := expect.ScriptOf(r.Observation)
		if err != nil {
			return nil
		}
		return expect.Judge(r.Observation, script).Verdicts
	}
	var w observe.Window
	for _, e := range r.Events {
		w.Add(e)
	}
	return observe.Judge(w.Subjects(), r.Observation.Gone)
}

// Whatever a file holds, it is read or refused with a line, what was read can be
// judged, and written again it is the same.
func FuzzRead(f *testing.F) {
	for _, events := range [][]series.Event{aRun(1), aRun(9), aWatch(1), aWatch(9)} {
		data := lined(f, events)
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	const run, seen = `{"header":{"schema":"sockwatch.recording/v2","commands":{}}}` + "\n", `{"header":{"schema":"sockwatch.recording/v2","target":{}}}` + "\n"
	for _, text := range []string{
		"", "\n", "{}\n", "null\n", run, run + `{"moment":{}}` + "\n",
		seen + `{"moment":{}}` + "\n" + `{"moment":{"at_ns":-1,"subjects":[{"id":"1","client":{"counts":{"total":-3}}},{"id":"1"}]}}` + "\n",
		seen + `{"moment":{"subjects":[{"id":"1","identity":{"id":"2"}}]}}` + "\n" + `{"end":{"gone":true}}`,
		`{"watch":{"schema":"sockwatch.record/v1"}}` + "\n" + `{"snapshot":{}}` + "\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := recording.ReadFrom(bytes.NewReader(data), "it")
		if err != nil {
			var wrong *recording.Error
			require.ErrorAs(t, err, &wrong)
			require.Positive(t, wrong.Line)
			require.LessOrEqual(t, wrong.Line, bytes.Count(data, []byte("\n"))+1)
			require.NotEmpty(t, wrong.Why)
		}
		if got == nil {
			require.Error(t, err)
			return
		}
		text := lined(t, got.Events)
		if !bytes.Contains(text, []byte(`"State(0)"`)) { // a state that is left out cannot be written
			twice, err := recording.ReadFrom(bytes.NewReader(text), "it")
			require.NoError(t, err)
			require.Equal(t, string(text), string(lined(t, twice.Events)))
		}
		judge(got)
	})
}
