package recording_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/observe"
	"socketlab/internal/provenance"
	"socketlab/internal/recording"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// started has no monotonic reading, which no recording keeps.
var started = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func counts(state socketstats.State, n int) socketstats.Counts {
	var c socketstats.Counts
	for range n {
		c.Add(state)
	}
	return c
}

// silent is connections that have their answer and have said nothing for ten
// seconds or longer.
func silent(n int) *socketstats.Activity {
	u := &socketstats.Activity{MaxPerDestination: n}
	u.Received[7] = n
	return u
}

// by is what made the recordings of these tests.
var by = &provenance.Info{
	Command: `sockwatch run 'it'\''s <mine> & "yours".yaml'`, Version: "v1.2.3, go1.26", System: "linux 6.18", Arch: "amd64", CPUs: 2,
}

// aRun is the lines of a run whose faulty side leaks.
func aRun(t testing.TB, samples int) []lab.Event {
	t.Helper()
	script, err := scenario.Parse("test.yaml", []byte(`
id: test
title: "a <title> & more"
fault: {kind: idle-connections-not-reused, fix: Share it.}
load: [{rate: 10, for: 1m}]
expect: {faulty: [{verdict: leak}], fixed: ["client.final.TIME_WAIT <= 1"]}
`), []string{"test"})
	require.NoError(t, err)
	events := []lab.Event{{Begin: &lab.Begin{
		Schema: recording.Schema, Script: script, Scenario: script.ID, Title: script.Title, Speed: 1, Seed: 1<<64 - 1,
		GoVersion: "go1.26", Source: "sockdiag", UnsupportedStates: []socketstats.State{socketstats.SynRecv}, Started: started,
		Limits:     socketstats.Limits{Descriptors: 1024, Ports: 28232},
		FaultyAt:   lab.Endpoint{Server: "127.0.0.1:80", ServerPID: 7, ClientPID: 8, LeftBehind: 1},
		Provenance: by,
	}}}
	report := func(n int) loadgen.Report {
		return loadgen.Report{
			Requests:    loadgen.Requests{Sent: int64(n), OK: int64(n), Errors: map[string]int64{"EOF": 0}},
			Connections: loadgen.Connections{Opened: int64(n)}, Latency: loadgen.Latency{P50: 0.1, P99: 1.0 / 3, Max: 2},
		}
	}
	for i := range samples {
		n := 10 * i
		events = append(events, lab.Event{Sample: &lab.Sample{
			At: time.Duration(i) * time.Second, Took: time.Millisecond, CPU: time.Microsecond,
			Faulty: lab.SideSample{
				Client: counts(socketstats.Established, n), Server: counts(socketstats.Established, n),
				ClientActivity: silent(n), ServerActivity: &socketstats.Activity{}, Kernel: socketstats.Counters{"ActiveOpens": 3},
				Connections: &lab.ConnCounts{Opened: n}, Report: report(n),
			},
			Fixed: lab.SideSample{Client: counts(socketstats.TimeWait, 1), Report: report(n)},
		}})
	}
	return append(events, lab.Event{End: &lab.Ending{
		Duration: time.Duration(samples) * time.Second, Stopped: "interrupted",
		Faulty: report(10 * samples), Fixed: report(10 * samples), FaultySeen: &lab.ConnCounts{Opened: 10 * samples, AtLeast: true},
	}})
}

// aWatch is the lines of a watch of two processes, of which one leaks.
func aWatch(samples int) []observe.Event {
	events := []observe.Event{{Watch: &observe.Begin{
		Schema: recording.Schema, PIDs: []int32{7, 8}, Source: "sockdiag", Interval: time.Second, Started: started, Provenance: by,
	}}}
	for i := range samples {
		n := 10 * i
		events = append(events, observe.Event{Snapshot: &observe.Snapshot{
			At: started.Add(time.Duration(i) * time.Second), After: time.Duration(i) * time.Second, Took: time.Millisecond,
			Listeners: []string{}, FlowSource: "tracepoint", StateDurations: []observe.StateDuration{{State: socketstats.FinWait1, Times: 1, MeanMS: 1.0 / 3}},
			Processes: []observe.Process{
				{
					PID: 7, Name: "leaky \"<&>\"", Client: counts(socketstats.Established, n), ClientActivity: silent(n), ServerActivity: &socketstats.Activity{},
					Flow: &observe.Flow{Opened: n, OpenedPerSecond: 10}, Descriptors: n + 5, Limits: &socketstats.Limits{Descriptors: 1024, Ports: 28232},
				},
				{PID: 8, Name: "sound", Client: counts(socketstats.Established, 2), ClientActivity: silent(2), ServerActivity: &socketstats.Activity{}, Flow: &observe.Flow{}},
			},
		}})
	}
	return append(events, observe.Event{End: &observe.Ending{Gone: true}})
}

func anyOf[T any](events []T) (lines []any) {
	for _, e := range events {
		lines = append(lines, e)
	}
	return lines
}

// recorded writes lines to a new file, and looks after each whether it is there.
func recorded(t testing.TB, lines []any) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "it.jsonl")
	w := recording.Writer{Path: path}
	require.NoError(t, w.Check())
	for i, line := range lines {
		w.Write(line)
		require.NoError(t, w.Err())
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.HasSuffix(data, []byte("}\n")))
		require.Equal(t, i+1, bytes.Count(data, []byte("\n")), "each line is in the file as soon as it is written")
	}
	require.NoError(t, w.Close())
	return path
}

func TestARunIsReadBackAsItWasRecorded(t *testing.T) {
	t.Parallel()
	events, want := aRun(t, 12), &lab.Run{}
	for _, e := range events {
		want.Add(e)
	}
	got, err := recording.Read(recorded(t, anyOf(events)))
	require.NoError(t, err)
	require.Equal(t, want, got.Run)
	require.Equal(t, events, got.Events)
	require.Equal(t, expect.Judge(want), expect.Judge(got.Run))
	require.EqualValues(t, "idle-connections-not-reused", expect.Judge(got.Run).Faulty.Kind)
	require.True(t, got.Ended)
	require.Nil(t, got.Watch)
	require.Zero(t, got.History.Len())
	require.False(t, got.Gone())
}

func TestAWatchIsReadBackWithTheSameJudgements(t *testing.T) {
	t.Parallel()
	events := aWatch(20)
	var want observe.History
	for _, e := range events {
		if e.Snapshot != nil {
			want.Add(*e.Snapshot)
		}
	}
	got, err := recording.Read(recorded(t, anyOf(events)))
	require.NoError(t, err)
	require.Equal(t, want.Snapshots(), got.History.Snapshots())
	for _, ended := range []bool{false, true} {
		judged := got.History.Judge(ended)
		require.Equal(t, want.Judge(ended), judged)
		require.EqualValues(t, "idle-connections-not-reused", observe.Worst(judged).Verdict.Kind)
	}
	require.Equal(t, events[0].Watch, got.Watch)
	require.Nil(t, got.Run)
	require.True(t, got.Ended)
	require.True(t, got.Gone())
}

// Recordings of before it was kept what made them are read like the others.
func TestRecordingsThatDoNotSayWhatMadeThemAreRead(t *testing.T) {
	t.Parallel()
	run, watched := aRun(t, 3), aWatch(3)
	run[0].Begin.Provenance, watched[0].Watch.Provenance = nil, nil
	for _, lines := range [][]any{anyOf(run), anyOf(watched)} {
		path := recorded(t, lines)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotContains(t, string(data), "provenance", "what is not known is not there")
		got, err := recording.Read(path)
		require.NoError(t, err)
		require.True(t, got.Ended)
		if got.Run != nil {
			require.Nil(t, got.Run.Provenance)
		} else {
			require.Nil(t, got.Watch.Provenance)
		}
	}
}

func TestAFileThatIsThereIsRefusedAndLeftAsItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "dangling")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o644))
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), dangling))
	for _, path := range []string{file, dangling, dir} {
		w := recording.Writer{Path: path}
		require.ErrorContains(t, w.Check(), path+" is there already")
		w.Write(aWatch(0)[0])
		require.ErrorIs(t, w.Err(), fs.ErrExist)
		w.Write(aWatch(0)[1])
		err := w.Close()
		require.ErrorIs(t, err, fs.ErrExist)
		require.ErrorContains(t, err, "record in "+path)
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "mine", string(data))
	require.NoFileExists(t, filepath.Join(dir, "nowhere"))
}

func TestWriteErrorsAreKeptAndReturned(t *testing.T) {
	t.Parallel()
	w := recording.Writer{Path: filepath.Join(t.TempDir(), "no", "such", "folder.jsonl")}
	require.NoError(t, w.Check(), "that is found when the file is made")
	w.Write(aWatch(0)[0])
	require.ErrorIs(t, w.Err(), fs.ErrNotExist)
	require.ErrorIs(t, w.Close(), fs.ErrNotExist)

	// What cannot be JSON is an error, too, and nothing is written after it.
	path := filepath.Join(t.TempDir(), "it.jsonl")
	w = recording.Writer{Path: path}
	w.Write(aWatch(0)[0])
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	w.Write(func() {})
	require.Error(t, w.Err())
	w.Write(aWatch(0)[1])
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Error(t, w.Close())
}

func TestAFullDiskIsAnError(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	var w recording.Writer
	w.WriteTo(full)
	w.Write(aWatch(0)[0])
	require.ErrorContains(t, w.Err(), "no space left")
	err = w.Close()
	require.ErrorIs(t, err, w.Err())
	require.ErrorContains(t, err, "record in /dev/full")
	require.ErrorIs(t, full.Close(), fs.ErrClosed)
}

func TestNoFileIsMadeWithoutAFirstLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "it.jsonl")
	w := recording.Writer{Path: path}
	require.NoError(t, w.Check())
	require.NoError(t, w.Close())
	require.NoFileExists(t, path)

	var none recording.Writer
	require.NoError(t, none.Check())
	none.Write(aWatch(0)[0])
	require.NoError(t, none.Err())
	require.NoError(t, none.Close())
}

// lines is how many lines of its file a recording holds.
func lines(r *recording.Recording) int {
	switch {
	case r == nil:
		return 0
	case r.Run != nil:
		return len(r.Events)
	case r.Ended:
		return r.History.Len() + 2
	default:
		return r.History.Len() + 1
	}
}

func TestARecordingCutAnywhereKeepsItsWholeLines(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]any{"run": anyOf(aRun(t, 2)), "watch": anyOf(aWatch(2))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(recorded(t, events))
			require.NoError(t, err)
			for n := range len(data) + 1 {
				cut := data[:n]
				got, err := recording.ReadFrom(bytes.NewReader(cut), "cut.jsonl")
				whole := bytes.Count(cut, []byte("\n"))
				atEnd := n > 0 && data[n-1] == '\n'
				// But for its end this line is whole; alone it is not trusted.
				withoutEnd := n < len(data) && data[n] == '\n' && whole > 0
				if withoutEnd {
					whole++
				}
				require.Equal(t, whole, lines(got), "cut at %d", n)
				if atEnd || withoutEnd {
					require.NoError(t, err, "cut at %d", n)
					require.Equal(t, whole == len(events), got.Ended)
				} else {
					var cutOff *recording.Error
					require.ErrorAs(t, err, &cutOff, "cut at %d", n)
					require.Equal(t, whole+1, cutOff.Line, "cut at %d", n)
					require.Equal(t, "cut.jsonl", cutOff.Path)
				}
			}
		})
	}
}

func TestWhatIsNoRecordingIsSaidWithItsLine(t *testing.T) {
	t.Parallel()
	text := func(events []any) string {
		data, err := os.ReadFile(recorded(t, events))
		require.NoError(t, err)
		return string(data)
	}
	run, seen := text(anyOf(aRun(t, 2))), text(anyOf(aWatch(2)))
	first, rest, _ := strings.Cut(seen, "\n")
	second, _, _ := strings.Cut(rest, "\n")
	runFirst, runRest, _ := strings.Cut(run, "\n")
	both := strings.TrimSuffix(first, "}") + "," + strings.TrimPrefix(runFirst, "{")
	sample, _, _ := strings.Cut(runRest, "\n")
	for _, test := range []struct {
		name, text string
		line, kept int
		why        string
	}{
		{"empty", "", 1, 0, "the file is empty"},
		{"an empty line", "\n", 1, 0, "its first line is not JSON"},
		{"text", "hello\n", 1, 0, "its first line is not JSON"},
		{"text without a line end", "hello", 1, 0, "cut off"},
		{"binary", "\x7fELF\x00\x01\n\n", 1, 0, "its first line is not JSON"},
		{"other JSON", "{}\n", 1, 0, "its first line does not say what was played or watched"},
		{"null", "null\n", 1, 0, "its first line does not say what was played or watched"},
		{"a list", "[]\n", 1, 0, "its first line is not JSON of one"},
		{"a number in place of a line", "{\"watch\":3}\n", 1, 0, "its first line is not JSON of one"},
		{"no first line", rest, 1, 0, "its first line does not say what was played or watched"},
		{"a run without its first line", runRest, 1, 0, "its first line does not say what was played or watched"},
		{"both in one", both + "\n", 1, 0, "does not say what was played or watched"},
		{"newer", strings.Replace(seen, recording.Schema, "sockwatch.record/v9", 1), 1, 0, `"sockwatch.record/v9", and this sockwatch reads "sockwatch.record/v1"`},
		{"a newer run", strings.Replace(run, recording.Schema, "sockwatch.record/v9", 1), 1, 0, "use the version that wrote it"},
		{"no schema", strings.Replace(seen, recording.Schema, "", 1), 1, 0, `the form ""`},
		{"garbage in the middle", first + "\n" + second + "\noops\n" + rest, 3, 2, "this line is not one of a recording"},
		{"an empty line in the middle", first + "\n\n" + rest, 2, 1, "this line is not one of a recording"},
		{"zeros after a crash", first + "\n" + second + "\n\x00\x00\x00\n", 3, 2, "this line is not one of a recording"},
		{"other JSON in the middle", first + "\n{\"other\":{}}\n" + rest, 2, 1, "this line is not one of a recording of a watch"},
		{"a state that is none", first + "\n" + strings.ReplaceAll(second, `"total"`, `"WAITING"`) + "\n", 2, 1, `unknown TCP state "WAITING"`},
		{"a run's line in a watch", first + "\n" + sample + "\n", 2, 1, "not one of a recording of a watch"},
		{"a watch's line in a run", runFirst + "\n" + second + "\n", 2, 1, "not one of a recording of a run"},
		{"two lines in one", first + "\n" + strings.TrimSuffix(second, "}") + "," + strings.TrimPrefix(sample, "{") + "\n", 2, 1, "not one of a recording of a watch"},
		{"one after another", seen + seen, 5, 4, "not one of a recording of a watch"},
		{"a run after another", run + run, 5, 4, "not one of a recording of a run"},
		{"a sample that begins again", runFirst + "\n" + strings.TrimSuffix(runFirst, "}") + "," + strings.TrimPrefix(sample, "{") + "\n", 2, 1, "not one of a recording of a run"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "it.jsonl")
			require.NoError(t, os.WriteFile(path, []byte(test.text), 0o644))
			got, err := recording.Read(path)
			var wrong *recording.Error
			require.ErrorAs(t, err, &wrong)
			require.Equal(t, path, wrong.Path)
			require.Equal(t, test.line, wrong.Line)
			require.Contains(t, wrong.Why, test.why)
			require.Equal(t, test.kept, lines(got))
		})
	}
}

func TestWhatCannotBeOpenedIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got, err := recording.Read(dir)
	require.ErrorContains(t, err, "is a folder")
	require.Nil(t, got)
	got, err = recording.Read(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Nil(t, got)
}

// An editor, or another system, may have changed the line ends.
func TestOtherLineEndsAreRead(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(recorded(t, anyOf(aWatch(2))))
	require.NoError(t, err)
	got, err := recording.ReadFrom(bytes.NewReader(bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))), "it")
	require.NoError(t, err)
	require.Equal(t, 4, lines(got))
}

// What a later version adds does not keep this one from reading.
func TestNamesThatAreAddedAreReadOver(t *testing.T) {
	t.Parallel()
	var line map[string]any
	data, err := json.Marshal(aWatch(1)[1])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &line))
	line["snapshot"].(map[string]any)["added"] = "later"
	got, err := recording.Read(recorded(t, []any{aWatch(0)[0], line}))
	require.NoError(t, err)
	require.Equal(t, 1, got.History.Len())
}
