package profile_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile"
)

func is(t *testing.T, id, text string) profile.Value {
	t.Helper()
	q, ok := profile.Lookup(id)
	require.True(t, ok, id)
	v, err := q.Parse(text)
	require.NoError(t, err)
	return v
}

func pairOf(t *testing.T, clientIdle, serverShortest, serverIdle string, traffic profile.Traffic, more map[string]string) *profile.Match {
	t.Helper()
	client := &profile.Profile{Kind: profile.Client, Name: "C"}
	server := &profile.Profile{Kind: profile.Server, Name: "S"}
	client.Set("idle_close", is(t, "idle_close", clientIdle))
	server.Set("idle_timeout", is(t, "idle_timeout", serverIdle))
	server.Set("idle_timeout_shortest", is(t, "idle_timeout", serverShortest))
	client.Set("idle_close_shortest", is(t, "idle_close", clientIdle))
	for id, text := range more {
		q, _ := profile.Lookup(id)
		p := server
		if q.Of(profile.Client) {
			p = client
		}
		p.Set(id, is(t, id, text))
	}
	return profile.Pair(client, server, traffic)
}

func TestWhoClosesFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		client, server string
		more           map[string]string
		first          profile.Closer
		harmful        bool
	}{
		{"90.0s", "5.0s", nil, profile.ServerCloses, true},
		{"4.0s", "6.0s", nil, profile.ClientCloses, false},
		{"5.0s", "5.1s", nil, profile.Either, false},
		{"5.1s", "5.0s", nil, profile.Either, true},
		{"> 65s", "5.0s", nil, profile.ServerCloses, true},
		{"> 65s", "75.0s", nil, profile.Unknown, false},
		{"5.0s", "> 78s", nil, profile.ClientCloses, false},
		{"90.0s", "> 78s", nil, profile.Unknown, false},
		{"never", "> 78s", nil, profile.Neither, false},
		{"90.0s", "at once", nil, profile.EachAnswer, false},
		// A header that is heeded changes it; one that is not true, or not sent to all, does not help.
		{"90.0s", "6.0s", map[string]string{"keepalive_header": "always", "keepalive_header_says": "5.0s", "honours_hint": "yes"}, profile.ClientCloses, false},
		{"90.0s", "6.0s", map[string]string{"keepalive_header": "always", "keepalive_header_says": "5.0s", "honours_hint": "on_reuse"}, profile.ServerCloses, false},
		{"90.0s", "6.0s", map[string]string{"keepalive_header": "always", "keepalive_header_says": "5.0s", "honours_hint": "no"}, profile.ServerCloses, true},
		{"90.0s", "6.0s", map[string]string{"keepalive_header": "always", "keepalive_header_says": "9.0s", "honours_hint": "yes"}, profile.ServerCloses, true},
		{"90.0s", "5.0s", map[string]string{"keepalive_header": "on_request", "keepalive_header_says": "5.0s", "honours_hint": "yes"}, profile.ServerCloses, true},
	} {
		m := pairOf(t, c.client, c.server, c.server, profile.Traffic{PerSecond: 1, Connections: 1, RTT: time.Millisecond}, c.more)
		require.Equal(t, c.first, m.First, "%+v", c)
		require.Equal(t, c.harmful, m.Harmful(), "%+v", c)
		require.Equal(t, c.harmful || c.first == profile.Either, len(m.Fixes) > 0, "%+v", c)
	}
}

// The share of requests that meet a close is that of a simulation of both ends.
func TestRateOfRequestsThatMeetAClose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		clientShortest, client, shortest, longest string
		perSecond                                 float64
		rtt                                       time.Duration
	}{
		{"90.0s", "90.0s", "5.0s", "5.0s", 0.3, 400 * time.Millisecond},
		{"90.0s", "90.0s", "5.0s", "6.0s", 0.5, 200 * time.Millisecond},
		{"4.9s", "4.9s", "5.0s", "5.0s", 0.3, 400 * time.Millisecond},
		{"5.4s", "5.4s", "5.0s", "6.0s", 0.5, 600 * time.Millisecond},
		// A client that looks each second, as undici does.
		{"4.0s", "5.4s", "5.0s", "5.0s", 0.3, 400 * time.Millisecond},
		{"4.5s", "6.0s", "5.0s", "6.0s", 0.5, 200 * time.Millisecond},
	} {
		m := pairOf(t, c.client, c.shortest, c.longest, profile.Traffic{PerSecond: c.perSecond, Connections: 1, RTT: c.rtt},
			map[string]string{"idle_close_shortest": c.clientShortest, "read_then_closed_get": "error", "stale_get": "new_connection", "read_then_closed_post": "error", "stale_post": "error"})
		clientFirst, clientLast, shortest, longest := m.ClientFirst.Time.Seconds(), m.ClientIdle.Time.Seconds(), m.ServerFirst.Time.Seconds(), m.ServerIdle.Time.Seconds()
		random := rand.New(rand.NewPCG(1, 2))
		const requests = 400_000
		met, late := 0, 0
		for range requests {
			// Of the server's clock, which begins when it sends an answer.
			closes := shortest + random.Float64()*(longest-shortest)
			client := clientFirst + random.Float64()*(clientLast-clientFirst)
			sent := c.rtt.Seconds()/2 + random.ExpFloat64()/c.perSecond
			switch arrives, reads := sent+c.rtt.Seconds()/2, closes+c.rtt.Seconds()/2; {
			case sent-c.rtt.Seconds()/2 > client: // a new connection
			case sent >= reads:
				late++
			case arrives > closes:
				met++
			}
		}
		require.InEpsilon(t, float64(met)/requests, m.Meets, 0.05, "%+v", c)
		require.InDelta(t, float64(late)/requests, m.Late, 0.005, "%+v", c)
		require.InDelta(t, m.Meets, m.Get.Errors, 1e-9)
		require.InDelta(t, m.Meets+m.Late, m.Post.Errors, 1e-9)
	}
}

func TestWhatIsNotKnownIsNotGuessed(t *testing.T) {
	t.Parallel()
	m := pairOf(t, "90.0s", "5.0s", "5.0s", profile.Traffic{PerSecond: 1, Connections: 1, RTT: time.Millisecond}, nil)
	require.True(t, math.IsNaN(m.Get.Errors))
	require.Positive(t, m.Meets)
	m = pairOf(t, "90.0s", "5.0s", "5.0s", profile.Traffic{PerSecond: 1, Connections: 1, RTT: time.Millisecond},
		map[string]string{"read_then_closed_get": "sent_twice", "stale_get": "new_connection"})
	require.Zero(t, m.Get.Errors)
}

// played makes trials of a server that closes after 5 s, with a round trip of 0.2 s.
func played(trials int, meets func(pause time.Duration) (met, failed bool), late time.Duration) *profile.Played {
	p := &profile.Played{From: 4500 * time.Millisecond, To: 5500 * time.Millisecond}
	for _, method := range []*profile.PlayedMethod{&p.Get, &p.Post} {
		for i := range trials {
			t := profile.Trial{Planned: p.From + time.Duration((float64(i)+0.5)/float64(trials)*float64(p.To-p.From)), First: profile.ServerCloses, ServerIdle: 5 * time.Second}
			t.Pause = t.Planned + late
			t.Met, t.Failed = meets(t.Planned)
			method.Trials = append(method.Trials, t)
		}
	}
	return p
}

func TestPlayedBesidePredicted(t *testing.T) {
	t.Parallel()
	m := pairOf(t, "90.0s", "5.0s", "5.0s", profile.Traffic{PerSecond: 1. / 6, Connections: 1, RTT: 200 * time.Millisecond},
		map[string]string{"read_then_closed_get": "error", "stale_get": "new_connection", "read_then_closed_post": "error", "stale_post": "new_connection"})
	in := func(from, to time.Duration) func(time.Duration) (bool, bool) {
		return func(d time.Duration) (bool, bool) { met := d >= from && d < to; return met, met }
	}
	for _, c := range []struct {
		name             string
		played           *profile.Played
		wrong, undecided bool
	}{
		{"as predicted", played(50, in(4800*time.Millisecond, 5*time.Second), 0), false, false},
		{"twice as many", played(50, in(4600*time.Millisecond, 5*time.Second), 0), true, false},
		{"twice as many, of few", played(5, in(4600*time.Millisecond, 5*time.Second), 0), false, true},
		{"none", played(50, in(0, 0), 0), true, false},
		{"a busy machine", played(50, in(4600*time.Millisecond, 5*time.Second), time.Second), false, true},
		{"a client that takes notice late", played(50, func(d time.Duration) (bool, bool) {
			return d >= 4800*time.Millisecond && d < 5*time.Second, d >= 4800*time.Millisecond && d < 5050*time.Millisecond
		}, 0), false, false},
	} {
		c.played.Sum(m)
		wrong, undecided := m.Disagreements(c.played)
		require.Equal(t, c.wrong, len(wrong) > 0, "%s: %v %+v", c.name, wrong, c.played.Meets)
		require.Equal(t, c.undecided, len(undecided) > 0, "%s: %v", c.name, undecided)
		require.LessOrEqual(t, c.played.Meets.Low, c.played.Meets.Value)
	}
}

// AnyEvent keeps connections after a GET, and asks for the close with each POST.
func TestConnectionsThatAreNotKeptDoNotSayWhoClosesFirst(t *testing.T) {
	m := &profile.Match{First: profile.ClientCloses, Traffic: profile.Traffic{PerSecond: 1}}
	kept := profile.Trial{First: profile.ClientCloses}
	closed := profile.Trial{First: profile.ServerCloses, ServerIdle: 3 * time.Millisecond}
	p := &profile.Played{
		Get:  profile.PlayedMethod{Trials: []profile.Trial{kept, kept, kept}},
		Post: profile.PlayedMethod{Trials: []profile.Trial{closed, closed, closed}},
	}
	p.Sum(m)
	require.Equal(t, profile.ClientCloses, p.First)
	p.Get.Trials = p.Post.Trials
	p.Sum(m)
	require.Equal(t, profile.Neither, p.First, "none was kept")
}
