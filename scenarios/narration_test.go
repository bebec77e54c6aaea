package scenarios_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// A figure would be wrong at another speed or with another seed, and the name of
// a verdict would tell the end before it is seen.
func TestNarrationsAreShortAndGiveNothingAway(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			script, err := scenarios.Script(id)
			require.NoError(t, err)
			require.NotEmpty(t, script.Narration)
			require.Zero(t, script.Narration[0].At, "who looks on from the start is told something")
			for _, told := range script.Narration {
				first, _ := utf8.DecodeRuneInString(told.Say)
				require.True(t, unicode.IsUpper(first), "no capital at the beginning: %s", told.Say)
				require.False(t, strings.ContainsFunc(told.Say, unicode.IsDigit), "a figure: %s", told.Say)
				require.LessOrEqual(t, utf8.RuneCountInString(told.Say), 60, told.Say)
				require.NotContains(t, ".:", told.Say[len(told.Say)-1:], "the sentence goes on: %s", told.Say)
				words := strings.ReplaceAll(strings.ToLower(told.Say), "-", " ")
				for _, kind := range verdict.Kinds() {
					require.NotContains(t, words, strings.ReplaceAll(string(kind), "-", " "))
				}
			}
		})
	}
}

// What a server or the network does at its time is told at that time, or up to
// two samples later.
func TestNarrationsTellWhatHappensInTime(t *testing.T) {
	t.Parallel()
	all := 0
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		require.Zero(t, script.Arrivals(1)[0], "%s: its events count from the first request", id)
		for _, e := range eventsOf(script) {
			all++
			require.True(t, slices.ContainsFunc(script.Narration, func(told scenario.NarrationLine) bool {
				late := told.At.D() - e.at
				return late >= 0 && late <= 2*script.SampleInterval.D()
			}), "%s: nothing is told of %s at %s", id, e.what, e.at)
		}
	}
	require.GreaterOrEqual(t, all, 20, "events in the whole catalogue")
}

// event is what happens by itself, at a time from the start of the load.
type event struct {
	what string
	at   time.Duration
}

// eventsOf takes the first request, at the start of the load, for the first
// connection, from which servers and the network count.
func eventsOf(s scenario.Script) []event {
	var all []event
	for _, v := range append([]scenario.Server{s.Server}, s.Upstreams...) {
		all = append(all,
			event{"stop_after", v.StopAfter.D()},
			event{"abort_after", server.AbortAfterKey.Of(v).D()},
			event{"pause_after", server.PauseAfterKey.Of(v).D()},
			event{"the end of pause_for", server.PauseAfterKey.Of(v).D() + server.PauseForKey.Of(v).D()},
			event{"down_after", server.DownAfterKey.Of(v).D()},
			event{"the end of down_for", server.DownAfterKey.Of(v).D() + server.DownForKey.Of(v).D()})
		var changed time.Duration
		for _, answer := range server.ResolveKey.Of(v) {
			if answer.For > 0 {
				changed += answer.For.D()
				all = append(all, event{"another answer of the name server", changed})
			}
		}
	}
	for _, w := range s.Network {
		all = append(all, event{"the network's change", w.After.D()})
		if w.For > 0 {
			all = append(all, event{"the end of the network's change", w.After.D() + w.For.D()})
		}
	}
	all = append(all, closings(s)...)
	return slices.DeleteFunc(all, func(e event) bool { return e.at == 0 || e.at >= s.Length() })
}

// closings are when the first server's idle_timeout ends the last connection,
// in each pause of the load that is long enough for that.
func closings(s scenario.Script) []event {
	var all []event
	idle := server.IdleTimeoutKey.Of(s.Server)
	for i, p := range s.Load {
		if idle == 0 || p.Pause <= idle {
			continue
		}
		before := scenario.Script{Load: s.Load[:i]}
		sent := before.Arrivals(1)
		answered := sent[len(sent)-1] + server.DelayKey.Of(s.Server).D()
		if at := answered + idle.D(); at < before.Length()+p.Pause.D() {
			all = append(all, event{"idle_timeout", at})
		}
	}
	return all
}
