package profile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile"
)

const example = `schema: socketlab/profile/1
id: node-http
kind: client
name: node:http, global agent
ecosystem: node
program: node
version: "20.20.2"
measured: "2026-11-28"
values:
  opened_sequential: 1
  idle_close: 5.0s
  honours_hint: "yes"
  refused: at once
  body_stalled: '> 65s'
  tcp_keepalive: never
`

func TestAProfileIsWrittenAsItWasRead(t *testing.T) {
	t.Parallel()
	p, err := profile.Parse("node-http.yaml", []byte(example))
	require.NoError(t, err)
	require.Equal(t, profile.Counted(1), p.Values["opened_sequential"])
	require.Equal(t, 5*time.Second, p.Values["idle_close"].Time)
	require.Equal(t, profile.Over, p.Values["body_stalled"].Bound)
	require.Equal(t, profile.IsNever(), p.Values["tcp_keepalive"])
	require.Equal(t, "yes", p.Values["honours_hint"].Word)
	text, err := p.YAML()
	require.NoError(t, err)
	again, err := profile.Parse("again.yaml", text)
	require.NoError(t, err)
	require.Equal(t, p, again)
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	t.Parallel()
	head := "schema: socketlab/profile/1\nkind: client\nname: x\n"
	for text, says := range map[string]string{
		"schema: other\nkind: client\nname: x\nvalues: {}\n": `schema is "other"`,
		"schema: socketlab/profile/1\nkind: clinet\n":        `kind is "clinet"`,
		head + "colour: red\n":                               "colour",
		head + "measured: today\n":                           "measured is",
		head + "values: {idle: 5s}\n":                        "values.idle: no question of a client",
		head + "values:\n  idle_close:\n":                    "values.idle_close has no value",
		head + "values: {idle_close: soon}\n":                `"soon" is no duration`,
		head + "values: {opened_sequential: -1}\n":           "no count",
		"":                                    "is empty: a profile has at least schema, kind and values",
		head + "can: {a: b}\n":                "x.yaml:4:6: a list is expected here",
		head + "---\n" + head:                 "x.yaml:4:1: a second document begins here: a profile is one document",
		"\xff\xfe" + head:                     "is not text in UTF-8",
		strings.Repeat("[", 1000):             "is nested too deeply for a profile",
		head + "values: {stale_get: maybe}\n": `"maybe" is none of new_connection, sent_twice`,
	} {
		_, err := profile.Parse("x.yaml", []byte(text))
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, "x.yaml")
	}
	for _, text := range []string{"\ufeff" + head, strings.ReplaceAll(head, "\n", "\r\n")} { // of an editor on Windows
		_, err := profile.Parse("x.yaml", []byte(text+"values: {}\n"))
		require.NoError(t, err)
	}
}

func TestQuestionsAreWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, q := range profile.All() {
		require.Regexp(t, `^[a-z0-9]+(_[a-z0-9]+)*$`, q.ID)
		require.False(t, seen[q.ID], q.ID)
		seen[q.ID] = true
		require.NotEmpty(t, q.Kinds, q.ID)
		require.NotEmpty(t, q.Title, q.ID)
		require.Regexp(t, `\.$`, q.How, q.ID)
		require.Equal(t, q.Unit == profile.Choice, len(q.Choices) > 0, q.ID)
	}
}

func TestAChoiceHasStepsWhereItsQuestionSaysSo(t *testing.T) {
	t.Parallel()
	newcomer, _ := profile.Lookup("sigterm_newcomer")
	v, err := newcomer.Parse("served, refused")
	require.NoError(t, err)
	require.Equal(t, profile.Chosen("served", "refused"), v)
	_, err = newcomer.Parse("served, turned away")
	require.ErrorContains(t, err, `"turned away" is none of refused, `)
	idle, _ := profile.Lookup("sigterm_idle")
	_, err = idle.Parse("served, closed")
	require.ErrorContains(t, err, "is none of")
}

func TestValuesAgreeWithinWhatIsMeasured(t *testing.T) {
	t.Parallel()
	took, over := profile.Took, profile.LongerThan
	for _, c := range []struct {
		a, b  profile.Value
		agree bool
	}{
		{took(5 * time.Second), took(5200 * time.Millisecond), true},
		{took(5 * time.Second), took(5400 * time.Millisecond), false},
		{took(0), took(100 * time.Millisecond), true},
		{over(30 * time.Second), over(60 * time.Second), true},
		{over(30 * time.Second), took(90 * time.Second), true},
		{took(5 * time.Second), over(30 * time.Second), false},
		{profile.IsNever(), over(30 * time.Second), false},
		{profile.Counted(1), profile.Counted(2), false},
		{profile.Chosen("yes"), profile.Chosen("yes"), true},
	} {
		require.Equal(t, c.agree, profile.Agree(c.a, c.b), "%s and %s", c.a, c.b)
		require.Equal(t, c.agree, profile.Agree(c.b, c.a), "%s and %s", c.b, c.a)
	}
}

func TestCompareNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	a, b := &profile.Profile{Kind: profile.Client}, &profile.Profile{Kind: profile.Client}
	a.Set("opened_sequential", profile.Counted(1))
	b.Set("opened_sequential", profile.Counted(1))
	a.Set("idle_close", profile.Took(5*time.Second))
	b.Set("idle_close", profile.Took(4*time.Second))
	b.Set("reset_tries", profile.Counted(2))
	d := profile.Compare(a, b)
	require.Len(t, d, 2)
	require.Equal(t, "idle_close", d[0].Question.ID)
	require.Equal(t, "reset_tries", d[1].Question.ID)
	require.Nil(t, d[1].Old)
}

// A server that looks each second for what is to be closed closes it up to a second later, by
// when it was started.
func TestTimesOfOneThatLooksAtIntervalsAgreeAsTheyDoWithEachOther(t *testing.T) {
	t.Parallel()
	of := func(shortest, longest time.Duration) *profile.Profile {
		p := &profile.Profile{Kind: profile.Server}
		p.Set("idle_timeout", profile.Took(longest))
		p.Set("idle_timeout_shortest", profile.Took(shortest))
		return p
	}
	const ms = time.Millisecond
	require.Empty(t, profile.Compare(of(5400*ms, 6100*ms), of(5800*ms, 6500*ms)))
	require.Empty(t, profile.Compare(of(6000*ms, 6500*ms), of(5300*ms, 5800*ms)))
	require.Len(t, profile.Compare(of(5400*ms, 5900*ms), of(6500*ms, 7000*ms)), 2)
	require.Len(t, profile.Compare(of(5400*ms, 5400*ms), of(5800*ms, 5800*ms)), 2)
}

func TestWhatWasWaitedForLongerIsKeptWithWhatBelongsToIt(t *testing.T) {
	t.Parallel()
	old := &profile.Profile{Kind: profile.Client}
	old.Set("idle_close", profile.Took(90*time.Second))
	old.Set("idle_close_shortest", profile.Took(90*time.Second))
	old.Set("idle_closed_by", profile.Chosen("client"))
	old.Set("reset", profile.Took(0))
	p := &profile.Profile{Kind: profile.Client}
	p.Set("idle_close", profile.LongerThan(65*time.Second))
	p.Set("idle_closed_by", profile.Chosen("neither"))
	p.Set("reset", profile.Took(time.Second))
	p.Keep(old)
	require.Equal(t, old.Values["idle_close"], p.Values["idle_close"])
	require.Equal(t, old.Values["idle_close_shortest"], p.Values["idle_close_shortest"])
	require.Equal(t, "client", p.Values["idle_closed_by"].String())
	require.Equal(t, "1.0s", p.Values["reset"].String(), "it did not take longer than was waited")
}
