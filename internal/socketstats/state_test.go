package socketstats_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func counts(states ...socketstats.State) (c socketstats.Counts) {
	for _, s := range states {
		c.Add(&socketstats.Socket{State: s})
	}
	return c
}

func TestEveryStateIsNamedOnceAndParsesBack(t *testing.T) {
	names := map[string]bool{}
	for _, s := range socketstats.States() {
		parsed, err := socketstats.ParseState(s.String())
		require.NoError(t, err)
		require.Equal(t, s, parsed)
		names[s.String()] = true

		text, err := json.Marshal(s)
		require.NoError(t, err)
		require.Equal(t, `"`+s.String()+`"`, string(text))
		var read socketstats.State
		require.NoError(t, json.Unmarshal(text, &read))
		require.Equal(t, s, read)
	}
	require.Len(t, names, 11, "RFC 9293 section 3.3.2 has eleven states")
}

func TestWhatIsNoStateIsRefused(t *testing.T) {
	for _, name := range []string{"", "established", "ESTAB", "TIME-WAIT", " LISTEN", "State(0)", "total"} {
		_, err := socketstats.ParseState(name)
		require.ErrorContains(t, err, "unknown TCP state")
		require.ErrorContains(t, err, name)
		kept := socketstats.Listen
		require.Error(t, kept.UnmarshalText([]byte(name)))
		require.Equal(t, socketstats.Listen, kept)
	}
	require.Equal(t, "State(0)", socketstats.State(0).String())
	require.Equal(t, "State(12)", socketstats.State(12).String())
}

func TestCountsAddUp(t *testing.T) {
	c := counts(socketstats.Established, socketstats.Established, socketstats.CloseWait,
		socketstats.TimeWait, socketstats.Listen)
	require.Equal(t, 2, c.Of(socketstats.Established))
	require.Equal(t, 0, c.Of(socketstats.SynSent))
	require.Equal(t, 5, c.Total())
	require.Equal(t, 3, c.Open(), "without TIME_WAIT and LISTEN")
}

func TestCountsAreListedInTheOrderOfTheStates(t *testing.T) {
	c := counts(socketstats.Listen, socketstats.CloseWait, socketstats.Established, socketstats.Established)
	require.Equal(t, []string{"2 ESTABLISHED", "1 CLOSE_WAIT", "1 LISTEN"}, c.List())
	require.Equal(t, []string{"2 ESTABLISHED", "1 CLOSE_WAIT"}, c.List(socketstats.Listen))
	require.Empty(t, socketstats.Counts{}.List())
}

func TestCountsSurviveJSON(t *testing.T) {
	every := counts(socketstats.States()...)
	peak := counts(socketstats.Established).Max(counts(socketstats.TimeWait))
	for want, c := range map[string]socketstats.Counts{
		`{"total":0}`: {},
		`{"ESTABLISHED":2,"total":2}`: counts(
			socketstats.Established, socketstats.Established),
		`{"ESTABLISHED":1,"TIME_WAIT":1,"total":1}`: peak,
		`{"CLOSE":1,"CLOSE_WAIT":1,"CLOSING":1,"ESTABLISHED":1,"FIN_WAIT1":1,"FIN_WAIT2":1,` +
			`"LAST_ACK":1,"LISTEN":1,"SYN_RECV":1,"SYN_SENT":1,"TIME_WAIT":1,"total":11}`: every,
	} {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
		read := counts(socketstats.Closing) // what was there must go
		require.NoError(t, json.Unmarshal(text, &read))
		require.Equal(t, c, read)
	}
}

func TestBrokenCountsAreAnError(t *testing.T) {
	for _, text := range []string{`{"ESTAB":1,"total":1}`, `{"ESTABLISHED":"1"}`, `[1]`} {
		var c socketstats.Counts
		require.ErrorContains(t, json.Unmarshal([]byte(text), &c), "socket counts", text)
	}
}

// A peak's total is the largest total there was at once. The states' own
// peaks fall on different moments and add up to more.
func TestAPeaksTotalIsItsOwn(t *testing.T) {
	first := counts(socketstats.Established, socketstats.Established, socketstats.Established)
	second := counts(socketstats.Established, socketstats.TimeWait, socketstats.TimeWait, socketstats.TimeWait)
	for _, peak := range []socketstats.Counts{first.Max(second), second.Max(first)} {
		require.Equal(t, 3, peak.Of(socketstats.Established))
		require.Equal(t, 3, peak.Of(socketstats.TimeWait))
		require.Equal(t, 4, peak.Total())
	}
	require.Equal(t, counts(socketstats.Established, socketstats.Established, socketstats.Established), first,
		"Max must leave its operands alone")
}
