package bench

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
)

const (
	arrivalRate  = 2000
	steadyLength = 2 * time.Second
	// The server stalls for a second in the middle of two.
	stallAt     = 500 * time.Millisecond
	stallFor    = time.Second
	stallLength = 2 * time.Second
	// closedWorkers is how many requests a closed loop has at once.
	closedWorkers = 50
)

// schedule is the product's own for a steady rate.
func schedule(rate int, length time.Duration) []time.Duration {
	s := scenario.Script{Load: []scenario.Phase{{Rate: scenario.Rate(rate), For: scenario.Duration(length)}}}
	return s.Arrivals(1)
}

func plainCaller(addr string) loadgen.Caller {
	return loadgen.NewPlain(loadgen.NewTarget(loadgen.At{Addr: addr}, scenario.Client{Timeout: scenario.Duration(30 * time.Second)}, 1))
}

// A loader sends a request at each of the moments, or tries to, and returns
// the 99th percentile of how late they were begun, after the last answer.
type loader func(ctx context.Context, c loadgen.Caller, arrivals []time.Duration) (late time.Duration, err error)

func measureArrivals(ctx context.Context, o options, n *neighbours) (table, error) {
	peers := []struct {
		name string
		load loader
	}{
		{"loadgen.Player", playLoad},
		{"time.Ticker", tickerLoad},
		{fmt.Sprintf("closed loop, %d workers", closedWorkers), closedLoad},
	}
	late, sent, stalled := make([]figures, len(peers)), make([]figures, len(peers)), make([]figures, len(peers))
	for run := range o.runs {
		for _, i := range order(len(peers), run) {
			what := fmt.Sprintf("send %d requests/s, run %d of %d: %s", arrivalRate, run+1, o.runs, peers[i].name)
			steady, err := undisturbed(ctx, n, what, func() (sending, error) {
				return sendAt(ctx, peers[i].load, arrivalRate, steadyLength, 0)
			})
			if err != nil {
				return table{}, err
			}
			late[i] = append(late[i], millis(steady.late))
			sent[i] = append(sent[i], steady.share(0, steadyLength))
			stall, err := undisturbed(ctx, n, what+", server stalls", func() (sending, error) {
				return sendAt(ctx, peers[i].load, arrivalRate, stallLength, stallFor)
			})
			if err != nil {
				return table{}, err
			}
			stalled[i] = append(stalled[i], stall.share(stallAt, stallAt+stallFor))
		}
	}
	return table{
		title:   fmt.Sprintf("Sending %d requests a second on time", arrivalRate),
		columns: []string{peers[0].name, peers[1].name, peers[2].name},
		rows: []row{
			{"lateness p99, ms", 2, late, atMost(5, late[0].median())},
			{"sent before the schedule ends, %", 1, sent, nil},
			{"sent during a stall, of those due in it, %", 1, stalled, atLeast(98, stalled[0].median())},
		},
		how: fmt.Sprintf(`The loader is in the bench's process, the server in another, which first answers at once, for %s.
Lateness is from a request's moment in the schedule to the begin of its goroutine. Then, for %s, the
server gives no answer between %s and %s after its first request: what counts is how many requests
were begun in that second, of the %d due in it. All loaders call the same HTTP client
(loadgen.NewPlain).

The ticker's n-th request is due n intervals after its start; ticks that Go drops are never sent.
The workers of the closed loop share the schedule and catch up after a wait. Their lateness is good
as long as the server is: a closed loop fails only when it matters. Sleep is as exact as the
system's timers, here about a millisecond.`,
			steadyLength, stallLength, stallAt, stallAt+stallFor, int(arrivalRate*stallFor.Seconds())),
	}, nil
}

// sending is what one load did.
type sending struct {
	late time.Duration
	due  []time.Duration
	at   []time.Duration // when requests were begun, in no order
}

// share is the percentage of the requests due in a time that were sent in it.
func (s sending) share(from, to time.Duration) float64 {
	in := func(moments []time.Duration) (n int) {
		for _, m := range moments {
			if m >= from && m < to {
				n++
			}
		}
		return n
	}
	return 100 * float64(in(s.at)) / float64(in(s.due))
}

// sendAt plays the schedule with one loader against a new server.
func sendAt(ctx context.Context, load loader, rate int, length, stall time.Duration) (sending, error) {
	command, err := self("worker-stall", "-at", stallAt.String(), "-for", stall.String())
	if err != nil {
		return sending{}, err
	}
	server, err := startServer(ctx, command)
	if err != nil {
		return sending{}, err
	}
	defer server.stop()
	runtime.GC() // what the one before left
	due := schedule(rate, length)
	c := &recorder{Caller: plainCaller(server.addr), start: time.Now(), at: make([]time.Duration, len(due))}
	late, err := load(ctx, c, due)
	if err != nil {
		return sending{}, err
	}
	if n := c.failed.Load(); n > 0 {
		return sending{}, fmt.Errorf("%d requests failed", n)
	}
	return sending{late: late, due: due, at: c.at[:c.n.Load()]}, nil
}

// recorder notes when each request is begun.
type recorder struct {
	loadgen.Caller
	start     time.Time
	n, failed atomic.Int64
	at        []time.Duration
}

func (r *recorder) Call(ctx context.Context) error {
	r.at[r.n.Add(1)-1] = time.Since(r.start)
	err := r.Caller.Call(ctx)
	if err != nil {
		r.failed.Add(1)
	}
	return err
}

// playLoad is the product's player, which keeps the lateness by itself.
func playLoad(ctx context.Context, c loadgen.Caller, arrivals []time.Duration) (time.Duration, error) {
	return play(ctx, loadgen.Begin(c, arrivals, loadgen.MaxFDs()))
}

// playFreely is playLoad with as many descriptors as the system allows.
func playFreely(ctx context.Context, c loadgen.Caller, arrivals []time.Duration) (time.Duration, error) {
	return play(ctx, loadgen.Begin(c, arrivals, 0))
}

func play(ctx context.Context, p *loadgen.Player) (time.Duration, error) {
	p.Play(ctx)
	var r loadgen.Report
	if err := waitFor(ctx, func() bool { r = p.Report(); return r.Requests.InFlight == 0 }); err != nil {
		return 0, err
	}
	if r.Stopped != "" {
		return 0, fmt.Errorf("the load %s", r.Stopped)
	}
	return time.Duration(r.ScheduleLate.P99 * float64(time.Millisecond)), nil
}

// tickerLoad starts a request at each tick.
func tickerLoad(ctx context.Context, c loadgen.Caller, arrivals []time.Duration) (time.Duration, error) {
	interval := time.Second / arrivalRate
	late := make([]time.Duration, len(arrivals))
	var open sync.WaitGroup
	defer open.Wait()
	start := time.Now()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	sent := 0
	for end := start.Add(time.Duration(len(arrivals)) * interval); sent < len(arrivals) && time.Now().Before(end); sent++ {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
		due := start.Add(time.Duration(sent+1) * interval)
		open.Go(func() {
			late[sent] = time.Since(due)
			_ = c.Call(ctx) // the recorder counts failures
		})
	}
	open.Wait()
	return p99(late[:sent]), nil
}

// closedLoad gives each worker every 50th moment; a worker waits for its
// answer before its next request.
func closedLoad(ctx context.Context, c loadgen.Caller, arrivals []time.Duration) (time.Duration, error) {
	late := make([]time.Duration, len(arrivals))
	start := time.Now()
	var open sync.WaitGroup
	for w := range closedWorkers {
		open.Go(func() {
			for i := w; i < len(arrivals) && ctx.Err() == nil; i += closedWorkers {
				due := start.Add(arrivals[i])
				time.Sleep(time.Until(due))
				late[i] = time.Since(due)
				_ = c.Call(ctx) // the recorder counts failures
			}
		})
	}
	open.Wait()
	return p99(late), ctx.Err()
}
