package recording_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/recording"
	"socketlab/internal/series"
)

// secrets puts a text into every string that a value has room for.
func secrets(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		secrets(v.Elem(), text)
	case reflect.Slice:
		if v.Len() == 0 && v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			secrets(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				secrets(v.Field(i), text)
			}
		}
	case reflect.String:
		v.SetString(text)
	}
}

// staying are the fields in which a text stays, as no user's names are in them.
var staying = []string{
	"schema", "source", "go_version", "version", "system", "arch", "id", "parent", "runtime", "runtime_version", "role", "protocol",
	"library", "peer", "namespace", "event_source", "script",
}

func TestNothingThatNamesAnybodyStays(t *testing.T) {
	t.Parallel()
	const secret = "db7.secret.example"
	var redactor recording.Redactor
	for _, of := range []any{&series.Header{}, &series.Moment{}, &series.Ending{}} {
		var e series.Event
		secrets(reflect.ValueOf(of).Elem(), secret)
		switch of := of.(type) {
		case *series.Header:
			of.UnsupportedStates = nil
			e.Header = of
		case *series.Moment:
			of.StateDurations = nil
			e.Moment = of
		case *series.Ending:
			e.End = of
		}
		got, err := redactor.Event(e)
		require.NoError(t, err)
		data, err := json.Marshal(got)
		require.NoError(t, err)
		var members any
		require.NoError(t, json.Unmarshal(data, &members))
		noSecret(t, members, "", secret)
		before, err := json.Marshal(e)
		require.NoError(t, err)
		require.Contains(t, string(before), secret, "the event itself stays as it is")
	}
}

func noSecret(t *testing.T, v any, name, secret string) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			noSecret(t, member, name, secret)
		}
	case []any:
		for _, element := range v {
			noSecret(t, element, name, secret)
		}
	case string:
		for _, allowed := range staying {
			if name == allowed {
				return
			}
		}
		require.False(t, strings.Contains(v, secret), "%s: %s", name, v)
	}
}

func TestTheSameIsAlwaysReplacedByTheSame(t *testing.T) {
	t.Parallel()
	events := aWatch(3)
	events[1].Moment.Listeners = []string{`leaky "<&>" (7)`, "other (9)"}
	var redactor recording.Redactor
	for i := range events {
		got, err := redactor.Event(events[i])
		require.NoError(t, err)
		events[i] = got
	}
	require.Equal(t, "Processes under watch", events[0].Header.Title)
	require.Equal(t, "command-1", events[0].Header.Provenance.Command)
	require.Equal(t, "linux 6.18", events[0].Header.Provenance.System)
	m := events[1].Moment
	require.Equal(t, "process-1 (7)", m.Listeners[0])
	require.Equal(t, "process-3 (9)", m.Listeners[1])
	require.Equal(t, "process-1 (7)", m.Subjects[0].Identity.Name)
	require.Equal(t, "process-2 (8)", m.Subjects[1].Identity.Name)
	require.Equal(t, "7", m.Subjects[0].ID)

	run := aRun(1)[0]
	run.Header.Subjects[0].Endpoints.Server = "10.1.2.3:80"
	run.Header.Subjects[1].Endpoints = &series.Endpoints{Server: "[::1]:81"}
	got, err := redactor.Event(run)
	require.NoError(t, err)
	require.Equal(t, "192.0.2.1:80", got.Header.Subjects[0].Endpoints.Server)
	require.Equal(t, "[::1]:81", got.Header.Subjects[1].Endpoints.Server, "loopback names nobody")
	require.Equal(t, "faulty", got.Header.Subjects[0].Name)
}
