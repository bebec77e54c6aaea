package cli

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/goroutines"
	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/socketstats"
	"socketlab/internal/uprobe"
	"socketlab/internal/where"
)

// profileFlags ask for lines by the goroutine profile that a program serves. An address
// of "" asks for none.
type profileFlags struct {
	address     string
	allowRemote bool
}

func (p *profileFlags) add(f *pflag.FlagSet) {
	f.StringVar(&p.address, "pprof", "", "say which lines hold connections, without privilege: where the Go program serves net/http/pprof, such as http://127.0.0.1:6060")
	f.BoolVar(&p.allowRemote, "allow-remote", false, "with --pprof: also an address that is not on this machine")
	program.Needs(f, "allow-remote", "pprof")
}

// profiled is a program whose goroutines are asked for again and again.
type profiled struct {
	program *goroutines.Program
	address string
	pid     int32
	asked   time.Time
	report  *where.Report
	err     error
}

// profileInterval is the time between two profiles: a large program writes for some time.
const profileInterval = 5 * time.Second

// open returns the program that serves the profile.
func (p *profileFlags) open(stacks bool) (*profiled, error) {
	of, err := goroutines.Open(p.address, p.allowRemote)
	if err != nil {
		return nil, err
	}
	of.Library, of.Stacks = uprobe.IsLibrary, stacks
	return &profiled{program: of, address: p.address}, nil
}

// begin asks the program, finds its process, and names it as target where there is no
// other. The process is 0 where it cannot be seen from here.
func (d *profiled) begin(ctx context.Context, t *targetFlags) (err error) {
	if d.ask(ctx); d.err != nil {
		return d.err
	}
	if len(t.pids) == 1 {
		d.pid = t.pids[0]
	} else if d.pid, err = listenerOf(ctx, t.source, d.address); err != nil {
		return err
	}
	if !t.named() && d.pid != 0 {
		t.pids, t.all = []int32{d.pid}, false
	}
	return nil
}

// listenerOf is the process that listens at the port of an address; 0 if none can be seen.
func listenerOf(ctx context.Context, choice program.Choice, address string) (int32, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	text := u.Port()
	if text == "" {
		text = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q has no port", address)
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return 0, nil // of another machine
	}
	source, err := socketstats.OpenSource(choice.String())
	if err != nil {
		return 0, err
	}
	defer source.Close()
	sockets, err := source.Sockets(ctx, socketstats.Query{
		Ports: []uint16{uint16(port)}, States: []socketstats.State{socketstats.Listen}, Owners: true,
	})
	if err != nil {
		return 0, err
	}
	pids := make([]int32, 0, len(sockets))
	for _, s := range sockets {
		if s.Local.Port() == uint16(port) {
			pids = append(pids, s.PID)
		}
	}
	slices.Sort(pids)
	if pids = slices.Compact(pids); len(pids) != 1 {
		return 0, nil
	}
	return pids[0], nil
}

// ask asks the program for its goroutines.
func (d *profiled) ask(ctx context.Context) {
	d.asked = time.Now()
	r, err := d.program.Report(ctx)
	if err == nil {
		d.report = r
	}
	d.err = err
}

// look enters what the program says into the window, as that of its process.
func (d *profiled) look(ctx context.Context, w *observe.Window) {
	if time.Since(d.asked) >= profileInterval {
		d.ask(ctx)
	}
	if d.report == nil {
		return
	}
	o := w.Observation()
	for _, s := range o.Subjects {
		of := s.PID == d.pid
		for _, part := range o.PartsOf(s.ID) {
			of = of || part.PID == d.pid
		}
		if of {
			w.SetHolders(s.ID, d.report)
		}
	}
}

// alone prints what the program says of which the process cannot be seen. There is no
// verdict, which is an error.
func (d *profiled) alone(streams program.Streams, output *outputFlag) error {
	return cmp.Or(output.write(streams.Out, render.Holders(d.address, d.report)),
		fmt.Errorf("the process that serves %s cannot be seen from here: its sockets were not judged. --pid names it", d.address))
}
