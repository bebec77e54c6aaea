package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

const (
	// holdRate spreads the arrivals over seconds, so that an answer's
	// lateness is the server's and not a burst's.
	holdRate = 2500
	// holdSettle is how long a new server is left alone. With it and 10,000
	// requests, slowserver's report after 5 s falls into the second in which
	// all are held.
	holdSettle = 250 * time.Millisecond
)

// holdDelay is long enough to hold n requests at once, and all of them for a
// second: 5 s for 10,000.
func holdDelay(n int) time.Duration {
	return time.Duration(n)*time.Second/holdRate + time.Second
}

// holding is what each of the repetitions measured of one server.
type holding struct{ kib, earliest, late, failed figures }

func measureHolding(ctx context.Context, o options, n *neighbours) (table, error) {
	// The load has no rest from the collector; what it needs is little.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	delay := holdDelay(o.conns).String()
	sleep, err := self("worker-sleep", "-delay", delay)
	if err != nil {
		return table{}, err
	}
	slow := []string{o.slowserver, "--listen", "127.0.0.1:0", "--delay", delay}
	servers := []struct {
		name    string
		command []string
	}{
		{"slowserver", slow},
		{"slowserver without reports", append(slices.Clone(slow), "--report-every", "0", "--close-after", "0")},
		{"net/http and time.Sleep", sleep},
	}
	got := make([]holding, len(servers))
	for run := range o.runs {
		for _, i := range order(len(servers), run) {
			what := fmt.Sprintf("hold %d requests, run %d of %d: %s", o.conns, run+1, o.runs, servers[i].name)
			h, err := undisturbed(ctx, n, what, func() (held, error) { return hold(ctx, servers[i].command, o.conns) })
			if err != nil {
				return table{}, err
			}
			got[i].add(h, o.conns)
		}
	}
	product, quiet, peer := got[0], got[1], got[2]
	ratio, reporting := quiet.kib.over(peer.kib), product.kib.over(peer.kib)
	return table{
		title:   fmt.Sprintf("Holding %d requests", o.conns),
		columns: []string{servers[0].name, servers[1].name, servers[2].name},
		rows: []row{
			{"memory per request, KiB", 1, []figures{product.kib, quiet.kib, peer.kib}, nil},
			{"the same against net/http, with reports", 2, []figures{reporting, nil, nil}, atMost(0.85, reporting.median())},
			{"the same against net/http, without reports", 2, []figures{nil, ratio, nil}, atMost(0.40, ratio.median()).of("without reports")},
			{"earliest answer after its delay, ms", 3, []figures{product.earliest, quiet.earliest, peer.earliest}, atLeast(0, slices.Min(product.earliest))},
			{"lateness p99, ms", 1, []figures{product.late, quiet.late, peer.late}, atMost(10, product.late.median())},
			{"failed requests", 0, []figures{product.failed, quiet.failed, peer.failed}, atMost(0, slices.Max(product.failed))},
		},
		how: fmt.Sprintf(`Each server is a process of its own and waits %s before an answer. The load sends %d requests at
%d/s, a connection each, so that for about a second all are held and nothing is sent or answered.
Memory is the server's largest RSS in that second less its RSS before the first connection; the
kernel's socket buffers are not in it. Time runs from just before a request is written to the first
byte of its answer: lateness includes both ways and the load's own delays. No answer may be early
and none may fail in any run.

The first server has slowserver's defaults, and one of its reports falls into that second: to read
the tables of all sockets, gopsutil allocates, and what it allocates is garbage that the next report
uses again. The second makes no reports, and has no limit of requests per connection.

A request that waits has no goroutine and no buffers in slowserver (Linux, HTTP/1 without TLS): its
connection is taken from net/http, and an epoll notices when its client leaves.`, delay, o.conns, holdRate),
	}, nil
}

// order is the order of n peers in a run: forward, then back, so that none has
// always the same neighbour before it.
func order(n, run int) []int {
	o := make([]int, n)
	for i := range o {
		o[i] = i
	}
	if run%2 == 1 {
		slices.Reverse(o)
	}
	return o
}

// held is what one server did once.
type held struct {
	bytes          uint64 // for all requests
	earliest, late time.Duration
	failed         int
}

func (h *holding) add(got held, n int) {
	h.kib = append(h.kib, float64(got.bytes)/1024/float64(n))
	h.earliest = append(h.earliest, millis(got.earliest))
	h.late = append(h.late, millis(got.late))
	h.failed = append(h.failed, float64(got.failed))
}

// hold starts a server and holds n requests with it.
func hold(ctx context.Context, command []string, n int) (held, error) {
	defer debug.FreeOSMemory()
	server, err := startServer(ctx, command)
	if err != nil {
		return held{}, err
	}
	defer server.stop()
	before, err := server.rss()
	if err != nil {
		return held{}, err
	}
	if err := pause(ctx, holdSettle); err != nil {
		return held{}, err
	}
	l := newHoldLoad(server.addr, holdDelay(n), n)
	watch, stop := context.WithCancel(ctx)
	watched := make(chan error, 1)
	var most uint64
	go func() {
		var err error
		most, err = heldRSS(watch, server, l)
		watched <- err
	}()
	l.run(ctx)
	stop()
	switch err := errors.Join(ctx.Err(), <-watched); {
	case err != nil:
		return held{}, err
	case len(l.late) == 0:
		return held{}, fmt.Errorf("no request succeeded: %w", l.err)
	case most == 0 && l.failed == 0:
		return held{}, fmt.Errorf("never were all %d requests held at once: this machine is too slow or too busy", n)
	}
	return held{
		bytes: most - min(most, before), failed: l.failed,
		earliest: slices.Min(l.late), late: p99(l.late),
	}, nil
}

// heldRSS returns the largest memory of the server seen while it held all
// requests, up to the end of ctx.
func heldRSS(ctx context.Context, c *child, l *holdLoad) (uint64, error) {
	var most uint64
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return most, nil
		case <-tick.C:
		}
		rss, err := c.rss()
		if err != nil {
			return 0, err
		}
		if l.holdsAll() {
			most = max(most, rss)
		}
	}
}
