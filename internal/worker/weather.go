package worker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/worker/netfault"
)

// weather changes the network of the namespace that this process is in, as a
// script says.
type weather struct {
	network *netfault.Network // nil where nothing is to change
	plan    []scenario.Weather
	port    uint16
	began   <-chan struct{}
}

// queue is the longest that a packet waits for a slow link, before packets are
// lost.
const queue = 200 * time.Millisecond

// openWeather makes the network what it is to be before the load. It must be
// run, which restores it.
func openWeather(plan []scenario.Weather, port uint16, began <-chan struct{}) (*weather, error) {
	w := &weather{plan: plan, port: port, began: began}
	if len(plan) == 0 {
		return w, nil
	}
	var err error
	if w.network, err = netfault.Open(); err != nil {
		return nil, err
	}
	if err := w.apply(0); err != nil {
		_ = w.network.Close()
		return nil, err
	}
	return w, nil
}

// run changes the network when it is time to, until ctx is done.
func (w *weather) run(ctx context.Context) error {
	if w.network == nil {
		return nil
	}
	defer w.network.Close()
	select {
	case <-ctx.Done():
		return nil
	case <-w.began:
	}
	began := time.Now()
	for _, at := range w.changes() {
		timer := time.NewTimer(time.Until(began.Add(at)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if err := w.apply(at); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// changes are the times at which something begins or ends, but for the start.
func (w *weather) changes() []time.Duration {
	var times []time.Duration
	for _, one := range w.plan {
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
func (w *weather) apply(at time.Duration) error {
	var rules []netfault.Rule
	bandwidth := 0
	for _, one := range w.plan {
		if at < one.After.D() || (one.For > 0 && at >= one.After.D()+one.For.D()) {
			continue
		}
		if one.Firewall != "" {
			rules = append(rules, netfault.Rule{
				Port: w.port, Do: netfault.Action(one.Firewall), Which: netfault.Packets(cmp.Or(one.Of, scenario.OfNew)),
			})
		}
		bandwidth = max(bandwidth, int(one.Bandwidth)*1000)
	}
	if err := w.network.Apply(rules); err != nil {
		return err
	}
	if bandwidth == 0 {
		return w.network.ClearLink()
	}
	return w.network.SlowLink(bandwidth, queue)
}
