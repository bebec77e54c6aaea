package recording_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/recording"
	"socketlab/internal/series"
	_ "socketlab/internal/server" // the protocols that scripts may name
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"

	// The protocols that a script may name register themselves.
	_ "socketlab/internal/server"
)

// started has no monotonic reading, which no recording keeps.
var started = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func end(state socketstats.State, n int, activity *socketstats.Activity) series.End {
	e := series.End{Activity: activity}
	for range n {
		e.Counts.Add(&socketstats.Socket{State: state})
	}
	return e
}

// silent is connections that have their response and have said nothing for ten
// seconds or longer.
func silent(n int) *socketstats.Activity {
	u := &socketstats.Activity{MaxPerDestination: n, Once: n, Destinations: 1}
	u.Received[7] = n
	return u
}

// by is what made the recordings of these tests.
var by = &series.Provenance{
	Command: `sockwatch run 'it'\''s <mine> & "yours".yaml'`, Version: "v1.2.3, go1.26", System: "linux 6.18", Arch: "amd64", CPUs: 2,
}

const script = `
id: test
title: "a <title> & more"
fault: {kind: idle-connections-not-reused, fix: Share it.}
load: [{rate: 10, for: 1m}]
expect: {faulty: [{verdict: fault}], fixed: ["client.final.TIME_WAIT <= 1"]}
`

// aRun is the events of a run whose faulty side leaks.
func aRun(samples int) []series.Event {
	limits := socketstats.Limits{Descriptors: 1024, Ports: 28232}
	events := []series.Event{{Header: &series.Header{
		Schema: series.Schema, Title: "a <title> & more", Source: "sockdiag", UnsupportedStates: []socketstats.State{socketstats.SynRecv},
		Interval: time.Second, Length: time.Minute, Started: started, GoVersion: "go1.26", Provenance: by,
		Scenario: &series.Scenario{ID: "test", Script: script, Speed: 1, Seed: 1<<64 - 1},
		Subjects: []series.Identity{
			{ID: "faulty", Name: "faulty", Paired: true, Limits: limits, Endpoints: &series.Endpoints{Server: "127.0.0.1:80", ServerPID: 7, ClientPID: 8, LeftBehind: 1}},
			{ID: "fixed", Name: "fixed", Paired: true, Limits: limits},
		},
	}}}
	metrics := func(n int) series.ClientMetrics {
		return series.ClientMetrics{
			Requests:    &series.Requests{Sent: int64(n), OK: int64(n), Errors: map[string]int64{"EOF": 0}},
			Connections: &series.ClientConns{Opened: int64(n), Reused: new(int64)}, Latency: &series.Quantiles{P50: 0.1, P99: 1.0 / 3, Max: 2},
		}
	}
	for i := range samples {
		n := 10 * i
		events = append(events, series.Event{Moment: &series.Moment{
			At: time.Duration(i) * time.Second, Took: time.Millisecond, CPU: time.Microsecond,
			Subjects: []series.SubjectSample{
				{ID: "faulty", Sample: series.Sample{
					Client: end(socketstats.Established, n, silent(n)), Server: end(socketstats.Established, n, &socketstats.Activity{}),
					Kernel: socketstats.Counters{"ActiveOpens": 3}, KernelConns: &series.ConnCounts{Opened: n}, ClientMetrics: metrics(n),
				}},
				{ID: "fixed", Sample: series.Sample{Client: end(socketstats.TimeWait, 1, nil), ClientMetrics: metrics(n)}},
			},
		}})
	}
	return append(events, series.Event{End: &series.Ending{
		Duration: time.Duration(samples) * time.Second, Stopped: "interrupted",
		Subjects: []series.SubjectFinal{
			{ID: "faulty", Final: series.Final{ClientMetrics: metrics(10 * samples), KernelConns: &series.ConnCounts{Opened: 10 * samples, AtLeast: true}}},
			{ID: "fixed", Final: series.Final{ClientMetrics: metrics(10 * samples)}},
		},
	}})
}

// aWatch is the events of a watch of two processes, of which one leaks.
func aWatch(samples int) []series.Event {
	events := []series.Event{{Header: &series.Header{
		Schema: series.Schema, Title: "Processes under watch", Source: "sockdiag", Interval: time.Second, Started: started, Provenance: by,
		Target: &series.Target{PIDs: []int32{7, 8}},
	}}}
	for i := range samples {
		n := 10 * i
		m := &series.Moment{
			At: time.Duration(i) * time.Second, Clock: started.Add(time.Duration(i) * time.Second), Took: time.Millisecond, EventSource: "tracepoint",
			StateDurations: []series.StateDuration{{State: socketstats.FinWait1, Count: 1, MeanMS: 1.0 / 3}},
			Subjects: []series.SubjectSample{
				{ID: "7", Sample: series.Sample{
					Client: end(socketstats.Established, n, silent(n)), Server: series.End{Activity: &socketstats.Activity{}},
					KernelConns: &series.ConnCounts{Opened: n}, ClientMetrics: series.ClientMetrics{Process: &series.Process{Descriptors: n + 5}},
				}},
				{ID: "8", Sample: series.Sample{
					Client: end(socketstats.Established, 2, silent(2)), Server: series.End{Activity: &socketstats.Activity{}}, KernelConns: &series.ConnCounts{},
				}},
			},
		}
		if i == 0 {
			m.Subjects[0].Identity = &series.Identity{ID: "7", Name: "leaky \"<&>\" (7)", PID: 7, Limits: socketstats.Limits{Descriptors: 1024, Ports: 28232}}
			m.Subjects[1].Identity = &series.Identity{ID: "8", Name: "sound (8)", PID: 8}
		}
		events = append(events, series.Event{Moment: m})
	}
	return append(events, series.Event{End: &series.Ending{Duration: time.Duration(samples) * time.Second, Gone: true}})
}

// recorded writes events to a new file, and looks after each whether it is there.
func recorded(t testing.TB, events []series.Event) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "it.jsonl")
	w := recording.Writer{Path: path}
	require.NoError(t, w.Check())
	for i, e := range events {
		w.Write(e)
		require.NoError(t, w.Err())
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.HasSuffix(data, []byte("}\n")))
		require.Equal(t, i+1, bytes.Count(data, []byte("\n")), "each line is in the file as soon as it is written")
	}
	require.NoError(t, w.Close())
	return path
}

func text(t testing.TB, events []series.Event) string {
	t.Helper()
	data, err := os.ReadFile(recorded(t, events))
	require.NoError(t, err)
	return string(data)
}

// sum is the observation that events are of.
func sum(events []series.Event) *series.Observation {
	o := &series.Observation{}
	for _, e := range events {
		o.Add(e)
	}
	return o
}

func TestARunIsReadBackAsItWasRecorded(t *testing.T) {
	t.Parallel()
	events := aRun(12)
	got, err := recording.Read(t.Context(), recorded(t, events))
	require.NoError(t, err)
	require.Equal(t, events, got.Events)
	require.Equal(t, sum(events), got.Observation)
	require.True(t, got.Observation.Over)
	script, err := expect.ScriptOf(got.Observation)
	require.NoError(t, err)
	result := expect.Judge(got.Observation, script)
	require.Equal(t, expect.Judge(sum(events), script), result)
	require.Equal(t, verdict.IdleConnectionsNotReused, result.Verdicts["faulty"].Kind)
}

func TestAWatchIsReadBackWithTheSameVerdicts(t *testing.T) {
	t.Parallel()
	events := aWatch(20)
	got, err := recording.Read(t.Context(), recorded(t, events))
	require.NoError(t, err)
	require.Equal(t, events, got.Events)
	var want, read observe.Window
	for i := range events {
		want.Add(events[i])
		read.Add(got.Events[i])
	}
	for _, over := range []bool{false, true} {
		verdicts := observe.Judge(read.Subjects(), over)
		require.Equal(t, observe.Judge(want.Subjects(), over), verdicts)
		require.Equal(t, verdict.IdleConnectionsNotReused, verdicts[observe.Worst(read.Subjects(), verdicts).ID].Kind)
	}
	require.Equal(t, events[0].Header.Target, got.Observation.Target)
	require.True(t, got.Observation.Gone)
}

// fill sets all that a value has, so that what JSON forgets is seen.
func fill(v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = started
		return
	case *socketstats.Counts:
		p.Add(&socketstats.Socket{State: socketstats.Established})
		p.Add(&socketstats.Socket{State: socketstats.TimeWait})
		return
	case *socketstats.State:
		*p = socketstats.Closing
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("a \"<name>\"").Convert(v.Type().Key()), value)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.String:
		v.SetString("a \"<name>\" & more\n")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1.0 / 3)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1<<31 - 1)
	case reflect.Uint16:
		v.SetUint(1<<16 - 1)
	case reflect.Uint64:
		v.SetUint(1<<64 - 1)
	default:
		panic("the test cannot fill in a " + v.Type().String())
	}
}

// Whatever an event can hold is in its line.
func TestNothingOfAnEventIsForgotten(t *testing.T) {
	t.Parallel()
	events := []series.Event{{Header: &series.Header{}}, {Moment: &series.Moment{}}, {End: &series.Ending{}}}
	fill(reflect.ValueOf(events[0].Header).Elem())
	events[0].Header.Schema, events[0].Header.Scenario, events[0].Header.Commands = series.Schema, nil, nil
	fill(reflect.ValueOf(events[1].Moment).Elem())
	for i := range events[1].Moment.Subjects {
		events[1].Moment.Subjects[i].At = 0 // it is the moment's
		events[1].Moment.Subjects[i].ID += strings.Repeat("!", i)
	}
	fill(reflect.ValueOf(events[2].End).Elem())
	require.NotZero(t, events[1].Moment.Subjects[1].Server.Activity.Received[11])
	got, err := recording.Read(t.Context(), recorded(t, events))
	require.NoError(t, err)
	require.Equal(t, events, got.Events)
	for _, kind := range []*series.Header{{Scenario: &series.Scenario{}}, {Commands: &series.Commands{}}} {
		fill(reflect.ValueOf(kind).Elem())
		kind.Schema, kind.Target = series.Schema, nil
		other := *kind
		kind.Commands, other.Scenario = nil, nil
		for _, h := range []*series.Header{kind, &other} {
			got, err := recording.Read(t.Context(), recorded(t, []series.Event{{Header: h}}))
			require.NoError(t, err)
			require.Equal(t, h, got.Events[0].Header)
		}
	}
}

func TestRecordingsThatDoNotSayWhoMadeThemAreRead(t *testing.T) {
	t.Parallel()
	for _, events := range [][]series.Event{aRun(3), aWatch(3)} {
		events[0].Header.Provenance = nil
		path := recorded(t, events)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotContains(t, string(data), "provenance", "what is not known is not there")
		got, err := recording.Read(t.Context(), path)
		require.NoError(t, err)
		require.True(t, got.Observation.Over)
		require.Nil(t, got.Observation.Provenance)
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

func TestWhatIsWrittenIntoAFileThatWasRemovedIsLost(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open cannot be removed there")
	}
	dir := t.TempDir()
	path, moved := filepath.Join(dir, "file"), filepath.Join(dir, "moved")
	w := recording.Writer{Path: path}
	w.Write(aWatch(0)[0])
	require.NoError(t, os.Rename(path, moved))
	w.Write(aWatch(0)[1])
	require.NoError(t, w.Err(), "it is there, by another name")
	require.NoError(t, os.Remove(moved))
	w.Write(aWatch(0)[1])
	require.EqualError(t, w.Close(), "record in "+path+": the file was removed while it was written (0 lines written, 3 lost)")
}

func TestARecordingThatIsGoneOrCutAtItsEndIsAnError(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open cannot be removed there")
	}
	spoil := map[string]func(path string) error{
		"removed":   os.Remove,
		"cut short": func(path string) error { return os.Truncate(path, 0) },
	}
	for what, do := range spoil {
		path := filepath.Join(t.TempDir(), "file")
		w := recording.Writer{Path: path}
		w.Write(aWatch(0)[0])
		w.Write(aWatch(0)[1])
		require.NoError(t, do(path))
		err := w.Close()
		require.ErrorContains(t, err, "the file was "+what)
		require.ErrorContains(t, err, "while it was written (0 lines written, 2 lost)")
	}
}

// The first lines were written by that version, but for its name.
func TestAnOlderRecordingIsRefusedInOneSentence(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"run", "watch"} {
		got, err := recording.Read(t.Context(), filepath.Join("testdata", name+"-v1.txt"))
		require.Nil(t, got)
		require.EqualError(t, err, filepath.Join("testdata", name+"-v1.txt")+`:1: this recording has the form "sockwatch.record/v1" and was written by sockwatch `+
			`v1.0.0, go1.26.8, and this version reads "sockwatch.recording/v2": read it with the version that wrote it, or record again`)
	}
	_, err := recording.ReadFrom(strings.NewReader(`{"watch":{"schema":"sockwatch.record/v1"}}`+"\n"), "it")
	require.ErrorContains(t, err, "written by another version of sockwatch")
}

func TestWhatCannotBeOpenedIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got, err := recording.Read(t.Context(), dir)
	require.ErrorContains(t, err, "is a folder")
	require.Nil(t, got)
	got, err = recording.Read(t.Context(), filepath.Join(dir, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Nil(t, got)
}

// An editor, or another system, may have changed the line ends.
func TestOtherLineEndsAreRead(t *testing.T) {
	t.Parallel()
	data := strings.ReplaceAll(text(t, aWatch(2)), "\n", "\r\n")
	got, err := recording.ReadFrom(strings.NewReader(data), "it")
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
	line["moment"].(map[string]any)["added"] = "later"
	data, err = json.Marshal(line)
	require.NoError(t, err)
	got, err := recording.ReadFrom(strings.NewReader(text(t, aWatch(0)[:1])+string(data)+"\n"), "it")
	require.NoError(t, err)
	require.Len(t, got.Observation.Subjects, 2)
}

// A recording may take a minute to be read: who has ended the command does not wait for that.
func TestReadingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "long.jsonl")
	line := `{"moment":{"at_ns":%d,"took_ns":1,"subjects":[]}}` + "\n"
	text := `{"header":{"schema":"sockwatch.recording/v2","title":"","source":"","interval_ns":1,"started":"2026-11-29T10:00:00Z","target":{"all":true}}}` + "\n"
	for i := range 1000 {
		text += fmt.Sprintf(line, i)
	}
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	err := recording.Each(ctx, file, func(series.Event) {
		if seen++; seen == 10 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 10, seen)
}
