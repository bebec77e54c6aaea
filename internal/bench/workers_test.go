package bench

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/series"
)

// workers are what this program does in the processes that it starts.
var workers = map[string]func(ctx context.Context, args []string, out io.Writer) error{
	"worker-sleep":      sleepServer,
	"worker-stall":      stallServer,
	"worker-player":     playerClient,
	"worker-nocounters": bareClient,
	"worker-fullspeed":  fullSpeedClient,
	"worker-keep":       superviseNamespace,
	"worker-hold":       holdConnections,
	"worker-time":       timeListers,
	"worker-scrape":     scrapeExporter,
	"worker-neighbour":  disturb,
}

// sleepServer answers after a delay in the plainest way there is: it is the
// peer of slowserver.
func sleepServer(_ context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("worker-sleep", flag.ContinueOnError)
	delay := f.Duration("delay", 0, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	return serve(out, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(*delay)
		_, _ = io.WriteString(w, "answered\n")
	})
}

// stallServer answers at once, except between two moments after its first
// request: what arrives then waits for the second one.
func stallServer(_ context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("worker-stall", flag.ContinueOnError)
	at := f.Duration("at", 0, "")
	length := f.Duration("for", 0, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	var first atomic.Pointer[time.Time]
	return serve(out, func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now()
		first.CompareAndSwap(nil, &now)
		if age := now.Sub(*first.Load()); age >= *at && age < *at+*length {
			time.Sleep(*at + *length - age)
		}
		_, _ = io.WriteString(w, "ok\n")
	})
}

func serve(out io.Writer, h http.HandlerFunc) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: h,
		// Connections that are still open when this process is ended are
		// reset, so that none lingers in the kernel.
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			_ = c.(*net.TCPConn).SetLinger(0)
			return ctx
		},
	}
	fmt.Fprintf(out, "listening on %s\n", l.Addr())
	return server.Serve(l)
}

// Both clients are given the address, the rate and the number of requests.
func clientFlags(name string, args []string) (c loadgen.Caller, arrivals []time.Duration, err error) {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	addr := f.String("addr", "", "")
	rate := f.Int("rate", 0, "")
	length := f.Duration("for", 0, "")
	if err := f.Parse(args); err != nil {
		return nil, nil, err
	}
	return plainCaller(*addr), schedule(*rate, *length), nil
}

// playerClient makes its requests through the product's player and counters.
func playerClient(ctx context.Context, args []string, _ io.Writer) error {
	c, arrivals, err := clientFlags("worker-player", args)
	if err != nil {
		return err
	}
	p := loadgen.Begin(c, arrivals, loadgen.MaxFDs())
	p.Play(ctx)
	var r *series.Requests
	err = waitFor(ctx, func() bool { r = p.Report().Requests; return r.InFlight == 0 })
	if err == nil && r.OK != int64(len(arrivals)) {
		err = fmt.Errorf("%d of %d requests succeeded: %v", r.OK, len(arrivals), r.Errors)
	}
	return err
}

// bareClient makes the same requests from the same kind of loop, a goroutine
// each, and counts nothing but the ends.
func bareClient(ctx context.Context, args []string, _ io.Writer) error {
	c, arrivals, err := clientFlags("worker-nocounters", args)
	if err != nil {
		return err
	}
	var ok, failed atomic.Int64
	call := func() {
		if c.Call(ctx) != nil {
			failed.Add(1)
			return
		}
		ok.Add(1)
	}
	pace(ctx, arrivals, func(time.Time) { go call() })
	err = waitFor(ctx, func() bool { return int(ok.Load()+failed.Load()) == len(arrivals) })
	if err == nil && failed.Load() > 0 {
		err = fmt.Errorf("%d of %d requests failed", failed.Load(), len(arrivals))
	}
	return err
}

// pace calls send at each moment, sleeping as loadgen.Player does.
func pace(ctx context.Context, arrivals []time.Duration, send func(due time.Time)) {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, offset := range arrivals {
		due := start.Add(offset)
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
		}
		if ctx.Err() != nil {
			return
		}
		send(due)
	}
}

// pause waits for d, or for the end of ctx, which is an error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// waitFor asks every few milliseconds until yes is true. Thirty seconds is
// longer than any load here takes.
func waitFor(ctx context.Context, yes func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the last answers: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}
