package worker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/worker/netfault"
)

// networkFaults changes the network of the namespace that this process is in, as a
// script says.
type networkFaults struct {
	network *netfault.Network // nil where nothing is to change
	plan    []scenario.NetworkFault
	port    uint16
	began   <-chan struct{}
}

// queue is the longest that a packet waits for a slow link, before packets are
// lost.
const queue = 200 * time.Millisecond

// openNetworkFaults makes the network what it is to be before the load. It must be
// run, which restores it.
func openNetworkFaults(plan []scenario.NetworkFault, port uint16, began <-chan struct{}) (*networkFaults, error) {
	f := &networkFaults{plan: plan, port: port, began: began}
	if len(plan) == 0 {
		return f, nil
	}
	var err error
	if f.network, err = netfault.Open(); err != nil {
		return nil, err
	}
	if err := f.apply(0); err != nil {
		_ = f.network.Close()
		return nil, err
	}
	return f, nil
}

// run changes the network when it is time to, until ctx is done.
func (f *networkFaults) run(ctx context.Context) error {
	if f.network == nil {
		return nil
	}
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
func (f *networkFaults) changes() []time.Duration {
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

// apply makes the network what it is to be from a time on.
func (f *networkFaults) apply(at time.Duration) error {
	var rules []netfault.Rule
	bandwidth := 0
	for _, one := range f.plan {
		if at < one.After.D() || (one.For > 0 && at >= one.After.D()+one.For.D()) {
			continue
		}
		if one.Firewall != "" {
			rules = append(rules, netfault.Rule{
				Port: f.port, Do: netfault.Action(one.Firewall), Which: netfault.Packets(cmp.Or(one.Packets, scenario.PacketsNew)),
			})
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
