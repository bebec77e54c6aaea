package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/uprobe"
	"socketlab/internal/where"
)

const (
	// whereLength is for how long programs are looked at for lines, unless the user says
	// otherwise.
	whereLength = 10 * time.Second
	// mostProbed bounds the processes that are looked at.
	mostProbed = 32
)

// whereFlags ask for lines. A length of 0 asks for none.
type whereFlags struct {
	length time.Duration
	stacks bool
}

func (w *whereFlags) add(f *pflag.FlagSet) {
	f.DurationVar(&w.length, "where", 0, fmt.Sprintf("say which lines of the programs hold their connections; look for at least this long (alone it is %s)", whereLength))
	f.Lookup("where").NoOptDefVal = whereLength.String()
	f.BoolVar(&w.stacks, "stacks", false, "with --where or --pprof: all frames, and not only the first one of the program's own")
	program.Needs(f, "stacks", "where", "pprof")
}

// check returns the arguments without the length, which "--where 10s" leaves among them.
func (w *whereFlags) check(c *cobra.Command, args []string, named bool) ([]string, error) {
	asked := c.Flags().Changed("where")
	if asked && len(args) == 1 {
		if length, err := time.ParseDuration(args[0]); err == nil {
			w.length, args = length, nil
		} else if _, err := os.Stat(args[0]); errors.Is(err, fs.ErrNotExist) {
			return nil, program.Usagef(c, "--where %s: write the time like 10s or 2m", args[0])
		}
	}
	switch {
	case !asked:
	case w.length <= 0:
		return nil, program.Usagef(c, "--where must be above 0")
	case len(args) == 1:
		return nil, program.Usagef(c, "--where looks at running processes, and not into a FILE")
	case !named && !c.Flags().Changed("pprof"):
		return nil, program.Usagef(c, "--where needs --pid, --name, --port or another flag that says at which processes to look")
	}
	return args, nil
}

// lines finds out which lines of the watched programs hold their connections. The zero
// lines looks at none.
type lines struct {
	options uprobe.Options
	errs    io.Writer
	probers map[int32]*uprobe.Prober
	// failed are the processes that cannot be looked at, with the reason.
	failed map[int32]string
}

func newLines(stacks bool, errs io.Writer) *lines {
	return &lines{options: uprobe.Options{Stacks: stacks}, errs: errs, probers: map[int32]*uprobe.Prober{}, failed: map[int32]string{}}
}

// look looks at each process of the newest sample, and enters what is known of it into
// the window.
func (l *lines) look(w *observe.Window) {
	o := w.Observation()
	for _, s := range o.Subjects {
		if s.PID == 0 || s.ID == observe.NoProcess {
			continue
		}
		processes := o.PartsOf(s.ID)
		if len(processes) == 0 {
			processes = []*series.Subject{s}
		}
		var sum *where.Report
		for _, of := range processes {
			if r := l.of(of.PID, of.Name); r != nil {
				sum = sum.Add(r)
			}
		}
		if sum != nil {
			w.SetHolders(s.ID, sum)
		}
	}
}

// begin begins to look at processes that are known before the first sample, which may take
// seconds beside much else. What fails is said when they are looked at.
func (l *lines) begin(pids []int32) {
	for _, pid := range pids {
		_ = l.open(pid)
	}
}

// open begins to look at a process, unless it was begun before, there are too many, or it
// has failed. It returns a failure that is new.
func (l *lines) open(pid int32) error {
	if l.probers[pid] != nil || l.failed[pid] != "" || len(l.probers) == mostProbed {
		return nil
	}
	p, err := uprobe.Open(pid, l.options)
	if err != nil {
		return err
	}
	l.probers[pid] = p
	return nil
}

// of is the report on one process; nil if there is no room for it.
func (l *lines) of(pid int32, name string) *where.Report {
	if err := l.open(pid); err != nil {
		l.failed[pid] = err.Error()
		program.Say(l.errs, "sockwatch: no lines of %s: %v\n", name, err)
	}
	if l.probers[pid] == nil && l.failed[pid] == "" {
		return nil
	}
	if p := l.probers[pid]; p != nil {
		r, err := p.Report()
		switch {
		case err == nil:
			return r
		case errors.Is(err, fs.ErrNotExist): // it has ended: what was seen before stays
			return nil
		}
		l.failed[pid] = err.Error()
		_ = p.Close()
		delete(l.probers, pid)
	}
	return &where.Report{Source: "uprobes", Groups: []where.Group{}, Notes: []string{"It could not be looked into: " + l.failed[pid] + "."}}
}

func (l *lines) close() error {
	if l == nil {
		return nil
	}
	var errs []error
	for _, p := range l.probers {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}
