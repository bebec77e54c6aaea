package bench

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// ready is what a worker says once it has set up what it was told.
const ready = "ready"

const (
	// A call that takes longer is made once in a run. What is shorter is made
	// once to no account, so that everybody finds the caches as their own
	// call left them, and then several times; the median counts.
	longCall = 50 * time.Millisecond
	// About this long a short one is repeated, within these numbers of times.
	repeatFor  = 50 * time.Millisecond
	leastCalls = 3
	mostCalls  = 25
)

// timing is one lister in one run.
type timing struct {
	Millis float64 // of a call
	Allocs float64 // in this process, a call
}

// timerAnswer is what the timer says after each run.
type timerAnswer struct {
	Timings map[string]timing // by the lister's name
	CPU     time.Duration     // what the timer and its children used
	Error   string
}

// timeListers calls every lister in turn whenever standard input gives it the
// number of a run. It is a process of its own: one that held the sockets would
// have a large heap, and the collector's work in its figures.
func timeListers(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("worker-time", flag.ContinueOnError)
	port := f.Uint("port", 0, "")
	only := f.String("only", "", "") // names of listers, joined by "|"; "" is all
	var there census
	f.IntVar(&there.All, "all", 0, "")
	f.IntVar(&there.Ours, "ours", 0, "")
	f.IntVar(&there.Served, "served", 0, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	var ts []*timed
	for _, l := range listers {
		if !l.installed() || (*only != "" && !slices.Contains(strings.Split(*only, "|"), l.name)) {
			continue
		}
		t := &timed{lister: l, port: uint16(*port), want: l.finds(there)}
		defer t.end()
		if err := t.warmUp(ctx); err != nil {
			return err
		}
		ts = append(ts, t)
	}
	fmt.Fprintln(out, ready)
	answers := json.NewEncoder(out)
	for {
		var run int
		if _, err := fmt.Fscan(os.Stdin, &run); err != nil {
			return nil // no more runs
		}
		before := readUsage()
		a := timerAnswer{Timings: map[string]timing{}}
		for _, i := range order(len(ts), run) {
			got, err := ts[i].time(ctx)
			if err != nil {
				a.Error = err.Error()
				break
			}
			a.Timings[ts[i].name] = got
		}
		a.CPU = time.Duration((readUsage().ours - before.ours) * float64(time.Second))
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

// timed is a lister while it is measured.
type timed struct {
	lister
	port  uint16
	want  int // sockets to find
	list  listing
	close func() error
	calls int // in a run
}

// begin opens the lister, anew if it is open.
func (t *timed) begin() (err error) {
	t.end()
	t.list, t.close, err = t.open(t.port)
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	return nil
}

func (t *timed) end() {
	if t.list != nil {
		_ = t.close()
		t.list = nil
	}
}

// warmUp calls a lister twice, as a source learns from its first answer, and
// a long one once. The last call says how often a run is to repeat it.
func (t *timed) warmUp(ctx context.Context) error {
	if err := t.begin(); err != nil {
		return err
	}
	took, err := t.call(ctx)
	if err == nil && took < longCall {
		took, err = t.call(ctx)
	}
	switch {
	case took >= longCall:
		t.calls = 1
	case t.pause > 0:
		t.calls = leastCalls
	default:
		t.calls = min(max(int(repeatFor/max(took, 1)), leastCalls), mostCalls) | 1 // an odd number has a median
	}
	return err
}

// time is what one run measures.
func (t *timed) time(ctx context.Context) (timing, error) {
	runtime.GC() // what the one before left
	if t.calls > 1 {
		if _, err := t.call(ctx); err != nil {
			return timing{}, err
		}
	}
	var before, after runtime.MemStats
	took := make(figures, 0, t.calls)
	runtime.ReadMemStats(&before)
	for range t.calls {
		if t.pause > 0 {
			if err := pause(ctx, t.pause); err != nil {
				return timing{}, err
			}
		}
		d, err := t.call(ctx)
		if err != nil {
			return timing{}, err
		}
		took = append(took, millis(d))
	}
	runtime.ReadMemStats(&after)
	return timing{
		Millis: took.median(),
		Allocs: float64(after.Mallocs-before.Mallocs) / float64(t.calls),
	}, nil
}

// call lists once, and checks what was found.
func (t *timed) call(ctx context.Context) (time.Duration, error) {
	const tries = 10
	for try := 1; ; try++ {
		if t.fresh {
			if err := t.begin(); err != nil {
				return 0, err
			}
		}
		start := time.Now()
		n, err := t.list(ctx)
		took := time.Since(start)
		switch {
		case isRace(err) && try < tries:
			continue
		case err != nil:
			return 0, fmt.Errorf("%s: %w", t.name, err)
		case n != t.want:
			return 0, fmt.Errorf("%s found %d sockets of %d", t.name, n, t.want)
		}
		return took, nil
	}
}
