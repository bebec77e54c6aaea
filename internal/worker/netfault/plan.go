package netfault

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"socketlab/internal/scenario"
)

// planned is a network that changes as a script says.
type planned struct {
	network *Network
	plan    []scenario.NetworkFault
	portOf  func(server string) uint16
	began   <-chan struct{}
}

// queue is the longest that a packet waits for a slow link, before packets are
// lost.
const queue = 200 * time.Millisecond

// Changes makes what a script wants of the network of this process's namespace. The
// zero value is ready. All changes end with the namespace.
type Changes struct{}

// Plan makes the network of this process's namespace what a script wants of it before
// the load. portOf gives the port of a server that a fault names, and began is closed
// with the first connection, from which the times of the script count. The caller runs
// what it returns: it makes the other changes until ctx is done, and then restores the
// network.
func (Changes) Plan(plan []scenario.NetworkFault, portOf func(server string) uint16, began <-chan struct{}) (run func(context.Context) error, err error) {
	f := &planned{plan: plan, portOf: portOf, began: began}
	if f.network, err = Open(); err != nil {
		return nil, err
	}
	if err := errors.Join(f.boxes(), f.apply(0)); err != nil {
		_ = f.network.Close()
		return nil, err
	}
	return f.run, nil
}

func (f *planned) run(ctx context.Context) error {
	defer f.network.Close()
	select {
	case <-ctx.Done():
		return nil
	case <-f.began:
	}
	began := time.Now()
	for _, at := range f.changes() {
		timer := time.NewTimer(time.Until(began.Add(at)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if err := f.apply(at); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// changes are the times at which something begins or ends, but for the start.
func (f *planned) changes() []time.Duration {
	var times []time.Duration
	for _, one := range f.plan {
		if one.After > 0 {
			times = append(times, one.After.D())
		}
		if one.For > 0 {
			times = append(times, one.After.D()+one.For.D())
		}
	}
	slices.Sort(times)
	return slices.Compact(times)
}

// boxes puts what stands between the clients and a port for the whole run there.
func (f *planned) boxes() error {
	for _, one := range f.plan {
		var err error
		switch port := f.portOf(one.Server); {
		case one.ConntrackMax > 0:
			err = f.network.Track(port, one.ConntrackMax, one.ConntrackTimeout.D())
		case one.SNATPorts > 0:
			err = f.network.Translate(port, one.SNATPorts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// apply makes the network what it is to be from a time on.
func (f *planned) apply(at time.Duration) error {
	var rules []Rule
	bandwidth := 0
	for _, one := range f.plan {
		if at < one.After.D() || (one.For > 0 && at >= one.After.D()+one.For.D()) {
			continue
		}
		if one.Firewall != "" {
			rules = append(rules, Rule{
				Port: f.portOf(one.Server), Do: Action(one.Firewall), Which: Packets(cmp.Or(one.Packets, scenario.PacketsNew)),
			})
		}
		if one.DropOneIn > 0 {
			rules = append(rules, Rule{Port: f.portOf(one.Server), Do: Drop, Which: All, OneIn: one.DropOneIn})
		}
		bandwidth = max(bandwidth, int(one.Bandwidth)*1000)
	}
	if err := f.network.Apply(rules); err != nil {
		return err
	}
	if bandwidth == 0 {
		return f.network.ClearLink()
	}
	return f.network.SlowLink(bandwidth, queue)
}
