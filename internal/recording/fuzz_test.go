package recording_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/render/report"
)

// again writes what a recording holds, as it was written.
func again(t *testing.T, r *recording.Recording) []byte {
	t.Helper()
	var out bytes.Buffer
	to := json.NewEncoder(&out)
	for _, e := range r.Events {
		require.NoError(t, to.Encode(e))
	}
	if r.Watch != nil {
		require.NoError(t, to.Encode(observe.Event{Watch: r.Watch}))
		for _, s := range r.History.Snapshots() {
			require.NoError(t, to.Encode(observe.Event{Snapshot: &s}))
		}
		if r.Ending != nil {
			require.NoError(t, to.Encode(observe.Event{End: r.Ending}))
		}
	}
	return out.Bytes()
}

// Whatever a file holds, it is read or refused with a line, what was read can be
// judged and shown, and written again it is the same.
func FuzzRead(f *testing.F) {
	for _, events := range [][]any{anyOf(aRun(f, 1)), anyOf(aRun(f, 9)), anyOf(aWatch(1)), anyOf(aWatch(9))} {
		var out bytes.Buffer
		for _, e := range events {
			require.NoError(f, json.NewEncoder(&out).Encode(e))
		}
		f.Add(out.Bytes())
		f.Add(out.Bytes()[:out.Len()/2])
	}
	for _, text := range []string{
		"", "\n", "{}\n", "null\n", `{"begin":{"schema":"sockwatch.record/v1"}}` + "\n", `{"begin":{"schema":"sockwatch.record/v1"}}` + "\n" + `{"sample":{}}` + "\n",
		`{"watch":{"schema":"sockwatch.record/v1"}}` + "\n" + `{"snapshot":{}}` + "\n" + `{"snapshot":{"after_ns":-1,"processes":[{"pid":1,"client":{"total":-3}},{"pid":1}]}}` + "\n",
		`{"watch":{"schema":"sockwatch.record/v1"}}` + "\n" + `{"watch_end":{"gone":true}}` + "\n" + `{"snapshot":{}}`,
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
		require.NotEqual(t, got.Run == nil, got.Watch == nil, "a recording is of one or the other")
		text := again(t, got)
		if !bytes.Contains(text, []byte(`"State(0)"`)) { // a state that is left out cannot be written
			twice, err := recording.ReadFrom(bytes.NewReader(text), "it")
			require.NoError(t, err)
			require.Equal(t, string(text), string(again(t, twice)))
		}
		switch {
		case got.Run != nil:
			entry := report.Entry{Run: got.Run, Outcome: expect.Judge(got.Run)}
			require.NoError(t, report.Write(io.Discard, "table", []report.Entry{entry}, false))
		case got.History.Len() > 0:
			d := report.Diagnosis{Samples: got.History.Len(), Verdicts: got.History.Judge(got.Gone()), Last: got.History.Last()}
			require.NoError(t, report.WriteDiagnosis(io.Discard, "table", d))
		}
	})
}
