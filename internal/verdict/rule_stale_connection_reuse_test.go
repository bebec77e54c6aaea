package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

// stale is a pool of whose requests so many have failed, and so many of these on a
// stale connection.
func stale(failed, stale func(i int) int) *series.Subject {
	return played(20, pooled, func(i int, s *series.Sample) {
		fail(s, int64(failed(i)))
		s.Requests.CutOff = int64(stale(i))
		s.Connections.StaleReuse = pointer(stale(i))
	})
}

func times(n int) func(int) int { return func(i int) int { return n * i } }
func most(n int) func(int) int  { return func(i int) int { return min(n, i) } }

var _ = examplesOf(verdict.StaleConnectionReuse,
	example{name: "requests fail on connections that served before", subject: stale(times(2), times(2)), over: true, confidence: verdict.High, says: "38 requests failed on a connection that had served earlier requests"},
	example{name: "a few do", subject: stale(most(4), most(4)), over: true, confidence: verdict.Medium},
	example{name: "two do", subject: stale(most(2), most(2)), over: true, instead: verdict.Healthy},
	example{name: "few of many failures are of that sort", subject: stale(times(5), times(1)), over: true, instead: verdict.Healthy},
)
