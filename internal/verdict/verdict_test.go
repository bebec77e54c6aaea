package verdict_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/metric"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// seeds is how often a shape with noise is tried.
const seeds = 20

// TestGrowthIsNotMistaken judges counts alone, the hardest case.
func TestGrowthIsNotMistaken(t *testing.T) {
	t.Parallel()
	const n = 240
	tests := []struct {
		name string
		at   func(i int, r *rand.Rand) float64
		leak bool
	}{
		{"flat", func(int, *rand.Rand) float64 { return 30 }, false},
		{"noise around a mean", func(_ int, r *rand.Rand) float64 { return 500 + 20*r.NormFloat64() }, false},
		{"noise around a small mean", func(_ int, r *rand.Rand) float64 { return 4 + 2*r.NormFloat64() }, false},
		{"start-up ramp, then a plateau", func(i int, r *rand.Rand) float64 { return math.Min(200, 10*float64(i)) + 5*r.NormFloat64() }, false},
		{"slow ramp to a plateau", func(i int, r *rand.Rand) float64 { return 300*(1-math.Exp(-float64(i)/40)) + 5*r.NormFloat64() }, false},
		{"sawtooth", func(i int, r *rand.Rand) float64 { return 10 + float64(i%40)*5 + 3*r.NormFloat64() }, false},
		{"sawtooth that ends high", func(i int, r *rand.Rand) float64 { return 10 + float64((i+20)%65)*5 + 3*r.NormFloat64() }, false},
		{"daily wave", func(i int, r *rand.Rand) float64 {
			return 300 + 200*math.Sin(float64(i)*2*math.Pi/100) + 8*r.NormFloat64()
		}, false},
		{"one burst", func(i int, r *rand.Rand) float64 { return 20 + burst(i, 100, 30, 400) + 2*r.NormFloat64() }, false},
		{"bursts, the last at the end", func(i int, r *rand.Rand) float64 {
			return 20 + burst(i, 60, 20, 300) + burst(i, 220, 30, 400) + 2*r.NormFloat64()
		}, false},
		{"falling", func(i int, r *rand.Rand) float64 { return 500 - 2*float64(i) + 5*r.NormFloat64() }, false},
		{"a leak that heals", func(i int, r *rand.Rand) float64 { return 20 + healing(i, 200, 3) + 2*r.NormFloat64() }, false},
		{"a step up that stays", func(i int, r *rand.Rand) float64 { return 50 + step(i, 120, 100) + 3*r.NormFloat64() }, false},
		{"noise that remembers", wander(0.9, 15), false},

		{"a leak", func(i int, r *rand.Rand) float64 { return 3 * float64(i) }, true},
		{"a leak in noise", func(i int, r *rand.Rand) float64 { return 100 + float64(i) + 15*r.NormFloat64() }, true},
		{"a leak below a wave", func(i int, r *rand.Rand) float64 {
			return 100 + 2*float64(i) + 30*math.Sin(float64(i)*2*math.Pi/20) + 5*r.NormFloat64()
		}, true},
		{"a leak below a sawtooth", func(i int, r *rand.Rand) float64 { return 2*float64(i) + float64(i%20)*3 + 2*r.NormFloat64() }, true},
		{"a leak after a quiet start", func(i int, r *rand.Rand) float64 { return 20 + 4*math.Max(0, float64(i-60)) + 2*r.NormFloat64() }, true},
		{"a leak in steps", func(i int, r *rand.Rand) float64 { return 20 + 10*float64(i/15) + 2*r.NormFloat64() }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seeds) {
				r := rand.New(rand.NewPCG(seed, 1))
				v := judge(open(shape(n, func(i int) float64 { return test.at(i, r) })))
				require.Equal(t, test.leak, v.IsFault(), "seed %d: %+v", seed, v)
				if !test.leak {
					require.Equal(t, verdict.Healthy, v.Kind)
				}
			}
		})
	}
}

func burst(i, from, length int, height float64) float64 {
	if i >= from && i < from+length {
		return height
	}
	return 0
}

func healing(i, until int, perSample float64) float64 {
	if i < until {
		return perSample * float64(i)
	}
	return math.Max(0, perSample*float64(until)-40*float64(i-until))
}

func step(i, from int, height float64) float64 {
	if i >= from {
		return height
	}
	return 0
}

// wander is noise that remembers: each value keeps a part of the one before.
func wander(keep, sigma float64) func(int, *rand.Rand) float64 {
	now := 0.0
	return func(i int, r *rand.Rand) float64 {
		if i == 0 {
			now = 0
		}
		now = keep*now + sigma*r.NormFloat64()
		return 500 + now
	}
}

func TestVerdictIsWithdrawnWhenConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	counts := shape(100, func(i int) float64 { return healing(i, 80, 4) })
	require.Equal(t, verdict.ConnectionGrowth, judge(open(counts[:80])).Kind)
	v := judge(open(counts))
	require.Equal(t, verdict.Healthy, v.Kind)
	require.Contains(t, verdict.Evidence(v)[1], "After 1m20s it looked like a fault; the connections were closed since.")
}

func TestRestartBeginsAnew(t *testing.T) {
	t.Parallel()
	tooth := func(i int) float64 { return 4 * float64(i%60) }
	restarted := func(n int) *series.Subject {
		s := open(shape(n, tooth))
		for i := range s.Samples {
			s.Samples[i].Epoch = i / 60
		}
		return s
	}
	require.Equal(t, verdict.Healthy, judge(open(shape(120, tooth))).Kind, "without a restart it is a sawtooth")
	require.Equal(t, verdict.ConnectionGrowth, judge(restarted(120)).Kind)
	v := judge(restarted(64))
	require.Equal(t, verdict.NotEnoughData, v.Kind)
	require.Equal(t, []string{"The process was restarted.", "4 samples of at least 8."}, verdict.Sentences(v))

	healthy := open(shape(120, func(i int) float64 { return math.Min(50, 10*float64(i%60)) }))
	for i := range healthy.Samples {
		healthy.Samples[i].Epoch = i / 60
	}
	require.Equal(t, verdict.Healthy, judge(healthy).Kind)
}

// What is restarted every few seconds never gets as old as a verdict needs: it is judged by the
// life that lasted longest, and the verdict says so and waits for no more.
func TestWhatIsRestartedAgainAndAgainIsJudgedByItsLongestLife(t *testing.T) {
	t.Parallel()
	restarted := func(n, life int, f func(age int) float64) verdict.Verdict {
		s := open(shape(n, func(i int) float64 { return f(i % life) }))
		for i := range s.Samples {
			s.Samples[i].Epoch = i / life
		}
		return judge(s)
	}
	leaks := func(age int) float64 { return 2 * float64(age) }
	steady := func(int) float64 { return 5 }
	v := restarted(64, 20, leaks)
	require.Equal(t, verdict.ConnectionGrowth, v.Kind)
	require.Contains(t, verdict.Evidence(v), "The process was restarted 3 times. The figures are those of the one that lived longest, 19s: what takes longer does not show. In 3 of them connections became more to the end.")
	require.Nil(t, v.Forecast, "it ends before that")

	v = restarted(64, 20, steady)
	require.Equal(t, verdict.Healthy, v.Kind)
	require.Equal(t, verdict.Low, v.Confidence)
	require.Contains(t, verdict.Evidence(v), "The process was restarted 3 times. The figures are those of the one that lived longest, 19s: what takes longer does not show.")

	v = restarted(64, 12, steady)
	require.Equal(t, verdict.NotEnoughData, v.Kind)
	require.Zero(t, v.LeftMS, "more time does not help")

	// In the last second of each the process is gone, and the next is not there yet.
	for _, n := range []int{84, 90} {
		v = restarted(n, 21, func(age int) float64 { return float64(age % 20) })
		require.Equal(t, verdict.ConnectionGrowth, v.Kind)
		require.Contains(t, verdict.Evidence(v)[0], "19 ")
	}

	// One life that was long is long ago, or was lately: then the newest is waited for.
	lives := func(seconds ...int) verdict.Verdict {
		var counts, epochs []int
		for epoch, n := range seconds {
			for range n {
				counts, epochs = append(counts, 5), append(epochs, epoch)
			}
		}
		s := open(counts)
		for i := range s.Samples {
			s.Samples[i].Epoch = epochs[i]
		}
		return judge(s)
	}
	require.Equal(t, verdict.Healthy, lives(130, 25, 25, 25, 4).Kind)
	require.Equal(t, verdict.NotEnoughData, lives(25, 25, 130, 25, 4).Kind)

	// A new version of what lived for long is judged by itself, and so is a process that lives on.
	require.Equal(t, verdict.NotEnoughData, restarted(130*2+4, 130, leaks).Kind)
	require.Equal(t, verdict.Medium, restarted(40*2+35, 40, steady).Confidence)
}

func TestMissingSamplesDoNotMatter(t *testing.T) {
	t.Parallel()
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 3))
		leak := open(shape(240, func(i int) float64 { return 50 + float64(i) + 3*r.NormFloat64() }))
		calm := open(shape(240, func(int) float64 { return 50 + 3*r.NormFloat64() }))
		for _, s := range []*series.Subject{leak, calm} {
			var kept []series.Sample
			for i, sample := range s.Samples {
				if r.IntN(2) == 0 && (i < 80 || i > 150) { // half are missing, and 70 in a row
					kept = append(kept, sample)
				}
			}
			s.Samples = kept
		}
		v := judge(leak)
		require.Equal(t, verdict.ConnectionGrowth, v.Kind, "seed %d", seed)
		require.InDelta(t, 1, float64(v.Growth), 0.1, "seed %d", seed)
		require.Equal(t, verdict.Healthy, judge(calm).Kind, "seed %d", seed)
	}
}

func TestClockStepsDoNotMatter(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-time.Hour, -30 * time.Second, time.Hour} {
		for _, leak := range []bool{true, false} {
			s := open(shape(100, func(i int) float64 {
				if leak {
					return 2 * float64(i)
				}
				return 40 + float64(i%3)
			}))
			for i := range s.Samples {
				if i >= 50 {
					s.Samples[i].At += by
				}
			}
			v := judge(s)
			require.Equal(t, leak, v.IsFault(), "by %s: %+v", by, v)
			if leak {
				require.InDelta(t, 2, float64(v.Growth), 0.05, "by %s", by)
			}
		}
	}
}

// Whatever the shape, a verdict does not depend on when its series begins or on
// how fast it goes.
func TestVerdictDoesNotDependOnTheUnitOfTime(t *testing.T) {
	t.Parallel()
	for _, unit := range []time.Duration{time.Millisecond, time.Second, time.Hour} {
		s := open(shape(40, func(i int) float64 { return 3 * float64(i) }))
		for i := range s.Samples {
			s.Samples[i].At = 7*time.Hour + time.Duration(i)*unit
		}
		v := judge(s)
		require.Equal(t, verdict.ConnectionGrowth, v.Kind)
		require.InDelta(t, 3/unit.Seconds(), float64(v.Growth), 0.01/unit.Seconds()+0.01)
	}
}

func TestForecastSaysWhatRunsOut(t *testing.T) {
	t.Parallel()
	leak := observed(40, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, long)
		s.Client.Activity.MaxPerDestination = 2 * i
		s.Process = &series.Process{Descriptors: 24 + 2*i}
	})
	forecast := func() verdict.Forecast { return *judge(leak).Forecast }
	require.Equal(t, verdict.Forecast{What: verdict.Descriptors, Limit: 1024, InMS: 461_000}, forecast())
	leak.Limits.Descriptors = 0
	require.Equal(t, verdict.Forecast{What: verdict.Ports, Limit: 28232, InMS: 14_077_000}, forecast())

	leak.Limits.Descriptors = 1024
	for i := range leak.Samples { // not quite one more for each other socket
		leak.Samples[i].Process.Descriptors = 24 + 5*i/2
	}
	require.Equal(t, verdict.Forecast{What: verdict.Descriptors, Limit: 1024, InMS: 451_500}, forecast(), "at the rate that is shown")

	leak.Limits.Descriptors = 1 << 20
	require.Equal(t, verdict.Forecast{What: verdict.Ports, Limit: 28232, InMS: 14_077_000}, forecast(), "the ports are gone long before the descriptors")

	leak.Limits.Descriptors = 1024
	for i := range leak.Samples { // of a command they are not counted
		leak.Samples[i].Process = nil
	}
	require.Equal(t, verdict.Forecast{What: verdict.Descriptors, Limit: 1024, InMS: 473_000}, forecast(), "each socket holds one")

	waiting := observed(40, func(i int, s *series.Sample) {
		n := min(i, 20)
		set(&s.Client, socketstats.Established, n)
		s.Client.Activity.Received, s.Client.Activity.MaxPerDestination = silent(n, long), n
		s.Process = &series.Process{Descriptors: 9 + n}
		s.Requests, s.Connections = &series.Requests{Sent: int64(n), InFlight: int64(n)}, &series.ClientConns{Opened: int64(n)}
	})
	require.Equal(t, verdict.Forecast{What: verdict.Descriptors, Limit: 1024, InMS: 995_000}, *judge(waiting).Forecast, "they stand still when the work is over, as the ports do")

	churn := observed(20, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.TimeWait, 1000*i)
		s.Client.Activity.MaxPerDestination = 1000 * i
		s.KernelConns = came(1000*i, 1000*i)
	})
	require.Equal(t, verdict.ConnectionChurn, judge(churn).Kind)
	require.Equal(t, "At this rate all 28,232 local ports to the destination are in use in 9.2s.", judge(churn).Forecast.Sentence())
	churn.Limits.Ports = 100_000
	require.Equal(t, "At this rate about 60,000 of 100,000 local ports to the destination are in TIME_WAIT at any time.", judge(churn).Forecast.Sentence())
	require.Equal(t, verdict.Forecast{What: verdict.Ports, Limit: 100_000, Steady: 60_000}, *judge(churn).Forecast)
	churn.Limits.Ports = 60_000 // as many as are in TIME_WAIT at any time
	require.Equal(t, verdict.Forecast{What: verdict.Ports, Limit: 60_000, InMS: 41_000}, *judge(churn).Forecast)

	beside := observed(40, func(i int, s *series.Sample) { // a leak, and four times as many that go to another server and are closed
		set(&s.Client, socketstats.Established, 9+i)
		set(&s.Client, socketstats.TimeWait, 4*i)
		s.Client.Activity.Received, s.Client.Activity.MaxPerDestination = silent(9+i, long), max(9+i, 4*i)
		s.KernelConns = came(5*i, 4*i)
	})
	beside.Limits.Descriptors = 1 << 20
	require.Equal(t, verdict.Forecast{What: verdict.Ports, Limit: 28232, InMS: 28_052_000}, *judge(beside).Forecast, "the ports of those that are closed come back")

	spread := observed(40, func(i int, s *series.Sample) { // to two servers in turn
		set(&s.Client, socketstats.Established, 9+2*i)
		s.Client.Activity.Received, s.Client.Activity.MaxPerDestination = silent(9+2*i, long), 9+i
		s.KernelConns = came(2*i, 0)
	})
	spread.Limits.Descriptors = 1 << 20
	require.Equal(t, verdict.Forecast{What: verdict.Ports, Limit: 28232, InMS: 28_184_000}, *judge(spread).Forecast, "each has ports of its own")
	require.InDelta(t, 4, verdict.Judge(churn, verdict.Conditions{Speed: 4}).Forecast.Speed, 0)
}

func TestForecastIsASentence(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]verdict.Forecast{
		"At this rate the process reaches its limit of 20,000 descriptors in 22 minutes.":             {What: verdict.Descriptors, Limit: 20_000, InMS: 22 * 60 * 1000},
		"At this rate the process reaches its limit of 1024 descriptors in more than a year.":         {What: verdict.Descriptors, Limit: 1024, InMS: 1 << 50},
		"At this rate all 28,232 local ports to the destination are in use in 4 hours.":               {What: verdict.Ports, Limit: 28_232, InMS: 4 * 3600 * 1000},
		"At this rate, at speed 10, the process reaches its limit of 1024 descriptors in 22 minutes.": {What: verdict.Descriptors, Limit: 1024, InMS: 22 * 60 * 1000, Speed: 10},
	} {
		require.Equal(t, want, f.Sentence())
	}
}

func TestAVerdictIsWrittenInWords(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"1 request sent, 1 connection opened, 0 reused.",
		"1 connection is open and idle; 2 connections were opened while another was idle.",
		"It could also be response-body-leak. To tell them apart, see the body.",
		"At this rate the process reaches its limit of 8 descriptors in 3s.",
	}, verdict.Sentences(verdict.Verdict{
		Kind: verdict.IdleConnectionsNotReused,
		Facts: []verdict.Fact{
			{Name: "requests", Values: []verdict.Quantity{{Name: "sent", Value: 1, Unit: metric.Count}, {Name: "opened", Value: 1, Unit: metric.Count}, {Name: "reused", Unit: metric.Count}}},
			{Name: "needless", Values: []verdict.Quantity{{Name: "idle", Value: 1, Unit: metric.Count}, {Name: "needless", Value: 2, Unit: metric.Count}}},
		},
		Alternatives: []verdict.Alternative{{Kind: verdict.ResponseBodyLeak, Test: "the body"}},
		Forecast:     &verdict.Forecast{What: verdict.Descriptors, Limit: 8, InMS: 3000},
	}))
}

// The same samples give the same verdict, also where only one of them has what the
// kernel knows.
func TestJudgeIsPure(t *testing.T) {
	t.Parallel()
	subject := func() *series.Subject {
		s := open(shape(60, func(i int) float64 { return float64(2 * i) }))
		s.Samples[30].Client.Activity = &socketstats.Activity{}
		return s
	}
	s := subject()
	first := judge(s)
	require.Equal(t, subject(), s)
	require.Equal(t, first, judge(s))
}

// BenchmarkJudge is of five minutes, a sample a second, of a process that leaks and
// of one that does not.
func BenchmarkJudge(b *testing.B) {
	for name, s := range map[string]*series.Subject{
		"leak":    open(shape(300, func(i int) float64 { return float64(3*i + i%5) })),
		"healthy": open(shape(300, func(i int) float64 { return float64(40 + i%7) })),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				judge(s)
			}
		})
	}
}

func TestVerdictsAreOrderedByHowMuchTheyMatter(t *testing.T) {
	t.Parallel()
	ordered := []verdict.Verdict{
		{Kind: verdict.CloseWaitLeak, Severity: verdict.Leak, Confidence: verdict.High},
		{Kind: verdict.ConnectionGrowth, Severity: verdict.Leak, Confidence: verdict.Low},
		{Kind: verdict.ConnectionChurn, Severity: verdict.Fault, Confidence: verdict.High},
		{Kind: verdict.ConnectionChurn, Severity: verdict.Fault, Confidence: verdict.Medium},
		{Kind: verdict.ConnectionChurn, Severity: verdict.Note, Confidence: verdict.High},
		{Kind: verdict.NotEnoughData},
		{Kind: verdict.Healthy, Confidence: verdict.High},
	}
	for i := range ordered[1:] {
		require.Negative(t, verdict.Compare(ordered[i], ordered[i+1]), "%d", i)
		require.Positive(t, verdict.Compare(ordered[i+1], ordered[i]), "%d", i)
	}
}
