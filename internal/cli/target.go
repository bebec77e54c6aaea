package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// targetFlags are the flags of the commands that look at running processes.
type targetFlags struct {
	port       int
	pids       []int32
	name       string
	container  string
	cgroup     string
	unit       string
	noChildren bool
	// all is set by a command that looks at every process where none is named.
	all      bool
	interval time.Duration
	source   program.Choice
}

func (t *targetFlags) add(f *pflag.FlagSet, portUsage string) {
	t.source = program.NewChoice(socketstats.Auto, socketstats.SourceNames()...)
	f.IntVar(&t.port, "port", 0, portUsage)
	f.Int32SliceVar(&t.pids, "pid", nil, "process id; may be given several times")
	f.StringVar(&t.name, "name", "", "name of the processes' program")
	f.StringVar(&t.container, "container", "", "container of the processes: the beginning of its id, its name, its host's name, or its pod's uid")
	f.StringVar(&t.cgroup, "cgroup", "", "control group of the processes, with those below it")
	f.StringVar(&t.unit, "unit", "", "systemd unit of the processes")
	f.BoolVar(&t.noChildren, "no-children", false, "do not watch the children of these processes with them")
	program.Needs(f, "no-children", "pid", "name", "container", "cgroup", "unit", "port")
	f.DurationVar(&t.interval, "interval", time.Second, "time between two counts")
	f.Var(&t.source, "source", "where counts come from; auto is the cheapest that works here")
}

// named reports whether any target was named.
func (t *targetFlags) named() bool { return t.port != 0 || len(t.pids) > 0 || t.traits() > 0 }

// traits is how many flags name processes by what they are.
func (t *targetFlags) traits() (n int) {
	for _, trait := range []string{t.name, t.container, t.cgroup, t.unit} {
		if trait != "" {
			n++
		}
	}
	return n
}

// leastInterval is less than any count takes.
const leastInterval = time.Millisecond

func (t *targetFlags) check(c *cobra.Command) error {
	switch {
	case t.port > 65535 || t.port == 0 && c.Flags().Changed("port"):
		return program.Usagef(c, "--port %d is not a port", t.port)
	case slices.ContainsFunc(t.pids, func(pid int32) bool { return pid <= 0 }):
		return program.Usagef(c, "--pid %d is not a process id", slices.Min(t.pids))
	case t.traits() > 1:
		return program.Usagef(c, "give one of --name, --container, --cgroup and --unit, not several")
	case t.interval < leastInterval:
		return program.Usagef(c, "--interval %s: the least is %s", t.interval, leastInterval)
	}
	return nil
}

func (t *targetFlags) target() series.Target {
	return series.Target{
		Port: uint16(t.port), PIDs: t.pids, Name: t.name, Container: t.container, Cgroup: t.cgroup, Unit: t.unit,
		All: t.all, NoChildren: t.noChildren,
	}
}

// follower counts a target again and again.
type follower struct {
	watcher  *observe.Watcher
	source   socketstats.Source
	auto     bool // --source was auto
	interval time.Duration
	length   time.Duration // 0 is for ever
	errs     io.Writer     // for a warning about what sampling costs
}

// open begins to watch the target.
func (t *targetFlags) open(ctx context.Context, o observe.Options, length time.Duration, errs io.Writer) (*follower, error) {
	source, err := openSource(t.source.String(), errs)
	if err != nil {
		return nil, err
	}
	o.TraceBuffer = cmp.Or(o.TraceBuffer, followBuffer)
	w, err := observe.New(ctx, source, t.target(), o)
	// Each network namespace that is looked into takes descriptors, but for a source that
	// reads its tables in /proc.
	const frugal = "procfs"
	if socketstats.FewDescriptors(err) && t.source.String() == socketstats.Auto && source.Name() != frugal {
		if other, otherErr := socketstats.OpenSource(frugal); otherErr == nil {
			program.Say(errs, "sockwatch: counts come from %s: %v\n", frugal, err)
			_ = source.Close()
			source = other
			w, err = observe.New(ctx, source, t.target(), o)
		}
	}
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	if why := w.Deaf(); why != "" {
		program.Say(errs, "sockwatch: less is heard of what comes and goes between two counts: %s\n", why)
	}
	return &follower{w, source, t.source.String() == socketstats.Auto, t.interval, length, errs}, nil
}

// openSource opens the source with this name, and says it where that is not the one that
// would be the best here, because too few descriptors are left.
func openSource(name string, errs io.Writer) (socketstats.Source, error) {
	source, err := socketstats.OpenSource(name)
	if err != nil || name != socketstats.Auto {
		return source, err
	}
	best, other := socketstats.Cheaper(source)
	if !other {
		return source, nil
	}
	better, err := socketstats.OpenSource(best) // to say why it is not taken
	if err == nil {
		err = errors.Join(socketstats.Spare(), better.Close())
	}
	if socketstats.FewDescriptors(err) {
		program.Say(errs, "sockwatch: counts come from %s: %v\n", source.Name(), err)
	}
	return source, nil
}

func (f *follower) close() error { return errors.Join(f.watcher.Close(), f.source.Close()) }

const (
	// followBuffer is for 43,000 changes of state. From an eighth of it on it is drained, but
	// not while sockets are listed: two processors made 124,000 changes a second.
	followBuffer = 4 << 20
)

// errSeen is returned by a function that has seen enough.
var errSeen = errors.New("seen enough")

// follow hands over the events of the watch: a header before the first sample, and an
// end after the last. It ends when the time is over, or when see returns an error:
// errSeen ends it in order. It returns [observe.ErrGone] when every watched process
// has ended, and the context's error on Ctrl-C.
func (f *follower) follow(ctx context.Context, see func(series.Event) error) error {
	var last *series.Moment
	err := f.samples(ctx, func(m *series.Moment) error {
		if last == nil {
			h := f.watcher.Header()
			h.Interval, h.Length, h.Provenance = f.interval, f.length, thisProvenance()
			if err := see(series.Event{Header: &h}); err != nil {
				return err
			}
		}
		last = m
		return see(series.Event{Moment: m})
	})
	if last == nil {
		return err
	}
	end := &series.Ending{Duration: last.At, Gone: errors.Is(err, observe.ErrGone)}
	switch {
	case ctx.Err() != nil && f.length == 0: // that is how it ends
	case ctx.Err() != nil:
		end.Stopped = "interrupted"
	case err != nil && !end.Gone:
		end.Stopped = err.Error()
	}
	return cmp.Or(err, see(series.Event{End: end}))
}

// samples hands over each sample.
func (f *follower) samples(ctx context.Context, see func(*series.Moment) error) error {
	var end <-chan time.Time
	if f.length > 0 {
		end = time.After(f.length)
	}
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	cost := costWarning{to: f.errs, source: f.source, auto: f.auto}
	for over := false; ; {
		m, err := f.watcher.Sample(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = see(&m)
		}
		if errors.Is(err, errSeen) {
			return nil
		}
		if err != nil {
			return err
		}
		cost.see(series.Event{Moment: &m}, f.interval)
		if over {
			return nil
		}
		counted := time.Now()
		if over, err = f.pause(ctx, tick.C, end); err != nil {
			return err
		}
		// How it is in the end is counted, too, unless it just was.
		if over && time.Since(counted) < f.interval/2 {
			return nil
		}
	}
}

// pause waits for the next count. Meanwhile it takes what was heard from the kernel, and makes early
// scans where they are needed. over reports that there is no next count. A count that takes longer than
// the interval may end with the time over and the next count due; the end comes
// first.
func (f *follower) pause(ctx context.Context, next, end <-chan time.Time) (over bool, err error) {
	filled := f.watcher.Filled() // which may be another's since the last count
	for {
		select {
		case <-end:
			return true, nil
		default:
		}
		var early <-chan time.Time
		if after, worth := f.watcher.NextEarlyScan(); worth {
			early = time.After(after)
		}
		select {
		case <-ctx.Done():
			return true, ctx.Err()
		case <-end:
			return true, nil
		case <-next:
			return false, nil
		case <-filled:
			if err := f.watcher.Drain(); err != nil {
				return true, err
			}
		case <-early:
			if err := f.watcher.EarlyScan(ctx); err != nil && ctx.Err() == nil {
				return true, err
			}
		}
	}
}
