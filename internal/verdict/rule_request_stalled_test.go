package verdict_test

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// unheard is a client without counters with n connections that sent so many bytes
// each, once, a time d ago, and have not received anything.
func unheard(n int, bytes uint64, d time.Duration) *series.Subject {
	return observed(40, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, n)
		a := s.Client.Activity
		a.Fresh, a.Once, a.OneWay, a.OneWayBytes = silent(n, d), n, n, bytes*uint64(n)
	})
}

// timesOut is a client without counters that opens three connections a second, each for one
// request, and closes it after a second in which nothing came.
func timesOut(edit ...func(i int, s *series.Sample)) *series.Subject {
	return observed(40, append([]func(int, *series.Sample){func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 3)
		set(&s.Client, socketstats.FinWait2, 6)
		a := s.Client.Activity
		a.Fresh, a.Once, a.OneWay, a.OneWayBytes = silent(3, now), 3, 3, 300
		s.KernelConns = came(3*i, 3*i)
	}}, edit...)...)
}

// speaking says which protocol a subject speaks.
func speaking(protocol string, s *series.Subject) *series.Subject {
	s.Protocol = protocol
	return s
}

const whyTheServerIsSlow = "Find out why the server takes longer than this client waits: a queue, a lock, its own upstream. If it answers soon after, give requests more time. Wait before a request is sent again: the server still works on the one before."

var _ = examplesOf(verdict.RequestStalled,
	example{name: "no connection has received anything", subject: unheard(12, 40, 30*time.Second), confidence: verdict.Medium, says: "12 connections have sent once and never received anything, for 30s or longer."},
	example{name: "ever more wait for a response", confidence: verdict.Medium, says: "connections sent last and got no response for 30s or longer, growing by 1 per second.", subject: observed(200, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 200)
		s.Client.Activity.Sent, s.Client.Activity.Received = silent(i, 30*time.Second), silent(200-i, now)
	})},
	example{name: "four send lines and hear nothing", subject: unheard(4, 40, 30*time.Second), instead: verdict.Healthy},
	example{name: "what was sent is too short for a request", subject: unheard(12, 5, 30*time.Second), instead: verdict.Healthy},
	example{name: "workers wait for jobs of a queue", instead: verdict.Healthy, subject: speaking("redis", unheard(12, 40, 30*time.Second))},
	example{name: "long polls", instead: verdict.Healthy, subject: observed(90, func(_ int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 20)
		s.Client.Activity.Sent = silent(20, 30*time.Second)
	})},
	example{name: "one response in two does not come", confidence: verdict.High, says: "29 requests wait for a response, the oldest for 14s or longer.", subject: counted(30, func(i int) (int, int, int, int, int) {
		return 2 * i, i, max(0, i-1), i + 1, i + 1
	})},
	example{
		name: "the client gives up on every request", subject: timesOut(), severity: verdict.Note, confidence: verdict.Medium, fix: whyTheServerIsSlow,
		says: "117 connections were closed in 39s, about 1s after they were opened and by this end, without any response: the client gives up before the server answers.",
	},
	example{name: "slow responses, each on a connection that is closed then", instead: verdict.ConnectionChurn, subject: timesOut(func(_ int, s *series.Sample) {
		s.KernelConns.AtOnce = s.KernelConns.Closed
	})},
	example{name: "they had their response, and rest before they are closed", instead: verdict.ConnectionChurn, subject: timesOut(func(_ int, s *series.Sample) {
		s.Client.Activity.OneWay, s.Client.Activity.Fresh, s.Client.Activity.Received = 0, silent(0, now), silent(3, now)
	})},
	example{name: "the server closes without a response", instead: verdict.ConnectionChurn, subject: timesOut(func(_ int, s *series.Sample) {
		s.Client.Counts = socketstats.Counts{}
		set(&s.Client, socketstats.Established, 3)
		set(&s.Client, socketstats.LastAck, 1)
	})},
	example{name: "what is sent is too short for a request", instead: verdict.ConnectionChurn, subject: timesOut(func(_ int, s *series.Sample) {
		s.Client.Activity.OneWayBytes = 12
	})},
	example{name: "no response comes", over: true, says: "No request got a response.", subject: counted(30, func(i int) (int, int, int, int, int) {
		return 2 * i, 0, 0, 2 * i, 2 * i
	})},
	example{name: "they have waited for ten seconds", subject: unheard(12, 40, 10*time.Second), instead: verdict.NotEnoughData},
	example{name: "two requests wait for a minute", instead: verdict.Healthy, subject: counted(80, func(i int) (int, int, int, int, int) {
		return 10 * i, max(0, 10*i-2), max(0, 10*i-12), min(10, 10*i), min(10, 10*i)
	}), over: true},
	example{name: "two requests wait for a minute, and others begin", instead: verdict.Healthy, over: true, subject: counted(80, func(i int) (int, int, int, int, int) {
		if i == 79 {
			return 105, 98, 90, 10, 10
		}
		return min(100, 10*i), min(98, 10*i), min(90, 10*i), min(10, 10*i), min(10, 10*i)
	})},
	example{name: "requests are always in flight", instead: verdict.Healthy, subject: counted(30, func(i int) (int, int, int, int, int) {
		return 10 * i, max(0, 10*i-5), max(0, 10*i-10), min(5, 10*i), min(5, 10*i)
	})},
)
