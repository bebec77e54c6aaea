package verdict_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/internal/where"
)

var _ = examplesOf(verdict.ResponseBodyLeak,
	example{name: "responses are not read", confidence: verdict.High, says: "29 connections have data that the program does not read, growing by 1 per second.", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Received, s.Client.Activity.Unread = silent(i, long), i
	})},
	example{name: "some are never read", confidence: verdict.Medium, says: "6 connections have data that the program does not read, throughout the last 15s.", subject: observed(30, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 6)
		s.Client.Activity.Received, s.Client.Activity.Unread, s.Client.Activity.UnreadHeld = silent(6, long), 6, 6
	})},
	example{name: "consumers that read slowly", instead: verdict.Healthy, subject: observed(60, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 8)
		s.Client.Activity.Received, s.Client.Activity.Unread = silent(8, time.Second), 8
	})},
	example{name: "consumers that read slowly join", instead: verdict.Growing, subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Received, s.Client.Activity.Unread = silent(i, time.Second), i
	})},
	example{name: "the server closes its end", confidence: verdict.High, says: "The server has closed 40 connections that the client keeps open: CLOSE_WAIT.", subject: forgotten(60, keptOpen)},
	example{name: "bodies are not finished, as the program's own memory says", confidence: verdict.High, says: "29 responses have bodies that were neither read to the end nor closed in 3s or longer.\n29 of 30 connections were last used at main.leak main.go:46: the response's body is not finished.", subject: heldAtALine(observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Received = silent(i, long)
	}))},
	example{name: "bodies are forgotten, and the load is over", confidence: verdict.High, says: "29 responses have open bodies of which nothing was read in 30s or longer, and no goroutine waits to read.", subject: unreadSince(untouched(), where.BodyOpen, 29)},
	example{name: "in a server, whose clients may be slow", confidence: verdict.Medium, subject: unreadSince(observed(30, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 30)
		set(&s.Server, socketstats.Established, 30)
	}), where.BodyOpen, 29)},
	example{name: "few bodies are forgotten", instead: verdict.Healthy, subject: unreadSince(untouched(), where.BodyOpen, 4)},
	example{name: "long polls, that goroutines wait to read", instead: verdict.Healthy, subject: unreadSince(untouched(), where.Reading, 0)},
	example{name: "as many streams as before", instead: verdict.Healthy, subject: heldAtALine(observed(30, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 8)
		s.Client.Activity.Received = silent(8, now)
	}))},
	example{name: "the server closes its end, and no body was open", instead: verdict.Healthy, subject: forgotten(60, func(*series.Sample) {})},
	example{name: "some are not read, in a few samples", instead: verdict.NotEnoughData, subject: observed(5, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 6)
		s.Client.Activity.Received, s.Client.Activity.Unread = silent(6, long), 6
	})},
	example{name: "a pool reuses connections, and others lie idle beside it", confidence: verdict.Medium, says: "28 connections have had a response and nothing since for 3s or longer, growing by 1 per second; 28 connections were opened beside idle ones. The pool reuses others, so it does not have these.", subject: counted(30, besideThePool, func(i int, s *series.Sample) {
		s.Client.Activity.Received = silent(max(0, i-1), long)
	})},
	example{name: "no request gives its connection back", confidence: verdict.High, says: "38 connections had a response, and were neither given back to the pool nor closed.", subject: counted(20, onceForEach, poolSays(2, 0))},
	example{name: "the same, and now and then it is not known", confidence: verdict.High, subject: counted(22, onceForEach, poolSays(2, 0), func(i int, s *series.Sample) {
		if i%3 == 0 { // also in the last one
			s.Pool.Idle = nil
		}
	})},
	example{name: "a third of them does not", instead: verdict.IdleConnectionsNotReused, subject: counted(20, func(i int) (int, int, int, int, int) {
		return 3 * i, 3 * i, 0, 3 * i, 3 * i
	}, poolSays(1, 2))},
	example{name: "a burst leaves idle connections, and the pool reuses one", instead: verdict.Healthy, subject: counted(30, func(i int) (int, int, int, int, int) {
		return 40 + i, 40 + i, i, 40, 40
	}, func(_ int, s *series.Sample) {
		s.Client.Activity.Received = silent(39, long)
	})},
	example{name: "clients of the process come later, and each has a pool", instead: verdict.Healthy, subject: counted(30, func(i int) (int, int, int, int, int) {
		pools := 5 + min(10, i)
		return 2*i + 5, 2*i + 5, 2*i + 5 - pools, pools, pools
	}, func(i int, s *series.Sample) {
		s.Client.Activity.Received = silent(i/2, long)
	})},
	example{name: "data is read late now and then", instead: verdict.Healthy, subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 8)
		s.Client.Activity.Received, s.Client.Activity.Unread = silent(8, now), i%3*3
	})},
)

// besideThePool is a client that opens a connection for each request, and reuses one for
// it, too.
func besideThePool(i int) (sent, ok, reused, opened, established int) { return i, i, i, i, i }

// heldAtALine is a subject of which a line holds 29 of 30 connections.
func heldAtALine(s *series.Subject) *series.Subject {
	s.Holders = &where.Report{Source: "uprobes", Connections: 30, Groups: []where.Group{{
		Site: where.Site{Function: "main.leak", File: "/src/main.go", Line: 46}, State: where.BodyOpen, Connections: 29, Lasting: 29,
	}}}
	return s
}

// untouched is a client in which nothing happens to its 30 connections.
func untouched() *series.Subject {
	return observed(30, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 30)
		s.Client.Activity.Received = silent(30, long)
	})
}

// unreadSince is a subject of which a line holds 29 of 30 connections in a state, and has
// not read so many bodies of them for long.
func unreadSince(s *series.Subject, state where.State, unread int) *series.Subject {
	g := &heldAtALine(s).Holders.Groups[0]
	g.State, g.Unread = state, unread
	return s
}

// Whether bodies stay open shows in time: nothing is healthy until then.
func TestOpenBodiesAreLookedAtForLonger(t *testing.T) {
	t.Parallel()
	subject := unreadSince(untouched(), where.BodyOpen, 0)
	subject.Holders.LookedMS = 10_000
	v := judge(subject)
	require.Equal(t, verdict.NotEnoughData, v.Kind)
	require.Equal(t, []verdict.Kind{verdict.ResponseBodyLeak}, v.Suspects)
	require.EqualValues(t, 30_000, v.LeftMS)
	subject.Holders.LookedMS = 45_000
	v = judge(subject)
	require.Equal(t, verdict.Healthy, v.Kind)
	require.Zero(t, v.LeftMS)
	subject.Holders.Groups[0].State, subject.Holders.LookedMS = where.Reading, 10000
	require.Zero(t, judge(subject).LeftMS)
}

// forgotten is a client that leaves a connection open for each of forty requests. From
// sample 30 on the server has closed its ends.
func forgotten(n int, after func(*series.Sample)) *series.Subject {
	subject := counted(n, func(i int) (int, int, int, int, int) {
		sent := 2 * min(i, 20)
		return sent, sent, 0, sent, 0
	})
	for i := range subject.Samples {
		if s := &subject.Samples[i]; i < 30 {
			set(&s.Client, socketstats.Established, 2*min(i, 20))
		} else {
			after(s)
		}
	}
	return subject
}

func keptOpen(s *series.Sample) { set(&s.Client, socketstats.CloseWait, 40) }

// Until the server closes its end, an open body looks like a forgotten connection.
func TestOpenBodyIsAnAlternativeUntilTheServerCloses(t *testing.T) {
	t.Parallel()
	before := judge(forgotten(30, nil))
	require.Equal(t, verdict.IdleConnectionsNotReused, before.Kind)
	require.Equal(t, verdict.ResponseBodyLeak, before.Alternatives[0].Kind)
	require.Contains(t, before.Alternatives[0].Sentence(), "It could also be response-body-leak. To tell them apart, see whether each response's body is closed")
	require.Empty(t, judge(forgotten(60, keptOpen)).Alternatives)
}
