package lab

import (
	"context"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// sampler counts the sockets of both sides. Without isolation there is one view
// of both, so that the two are of the same moment; with it each side has its
// own, and they are read one right after the other.
type sampler struct{ views []*view }

// view is what one source sees: a network namespace, and in it the servers of
// one side or of both.
type view struct {
	source  socketstats.Source
	servers map[scenario.Side]endpoints
	// proc is the folder of /proc that shows the namespace's counters; "" where
	// they are not this run's alone.
	proc string
	// before holds sockets that an earlier user of a port left behind, with
	// their states: a port may be used again while its last connections are
	// still in TIME_WAIT. They are not of this run.
	before map[socketstats.Tuple]socketstats.State
	// ages knows since when each side's sockets are there.
	ages map[scenario.Side]ages
	// closings hears of the connections that no sample shows; nil where the
	// system does not tell.
	closings *closings
}

// listen begins to hear of closings. It is called before look.
func (v *view) listen(source socketstats.Closings) {
	v.closings = &closings{
		source: source, servers: v.servers,
		before: map[uint64]bool{}, closed: map[scenario.Side]*ends{},
	}
	for side := range v.servers {
		v.closings.closed[side] = &ends{}
	}
}

// look remembers what is there before the run.
func (v *view) look(ctx context.Context) error {
	sockets, err := v.list(ctx)
	if err != nil {
		return err
	}
	v.before = map[socketstats.Tuple]socketstats.State{}
	v.ages = map[scenario.Side]ages{}
	for side := range v.servers {
		v.ages[side] = ages{}
	}
	for _, socket := range sockets {
		if socket.State != socketstats.Listen {
			v.before[socket.Tuple()] = socket.State
			if v.closings != nil {
				v.closings.before[socket.Cookie] = true
			}
		}
	}
	return nil
}

// leftBehind is how many sockets are not of this run, at a side's server.
func (v *view) leftBehind(side scenario.Side) int {
	n := 0
	for tuple := range v.before {
		if _, ok := (socketstats.Socket{Local: tuple.Local, Remote: tuple.Remote}).EndOf(v.servers[side]...); ok {
			n++
		}
	}
	return n
}

func (v *view) list(ctx context.Context) ([]socketstats.Socket, error) {
	var ports []uint16
	for _, at := range v.servers {
		ports = append(ports, at.ports()...)
	}
	return v.source.Sockets(ctx, socketstats.Query{Ports: ports, Info: true})
}

// count enters its sides' sockets, connections and counters in a sample.
func (v *view) count(ctx context.Context, s *Sample) error {
	sockets, gone, err := v.listAndDrain(ctx)
	if err != nil {
		return err
	}
	still := map[socketstats.Tuple]socketstats.State{}
	ours := make([]socketstats.Socket, 0, len(sockets))
	for _, socket := range sockets {
		// A four-tuple that comes back to life is a new connection.
		if state, ok := v.before[socket.Tuple()]; ok && state == socket.State {
			still[socket.Tuple()] = state
		} else {
			ours = append(ours, socket)
		}
	}
	v.before = still
	for side, at := range v.servers {
		of := s.Of(side)
		of.Client, of.Server = socketstats.Count(ours, at...)
		of.UpstreamConns = at.upstreamConns(ours)
		of.Oldest = v.ages[side].oldest(ours, at, s.At)
		if socketstats.ReportsInfo(v.source) {
			of.ClientActivity, of.ServerActivity = activitiesOf(ours, at)
		}
		if v.closings != nil {
			of.Connections = v.closings.counts(side, ours, gone)
		}
		if v.proc != "" {
			if of.Kernel, err = socketstats.ReadCounters(v.proc); err != nil {
				return err
			}
		}
	}
	return nil
}

// activitiesOf says what the connections to a side's servers do, at both ends.
func activitiesOf(sockets []socketstats.Socket, at endpoints) (client, srv *socketstats.Activity) {
	var ends [2][]socketstats.Socket
	for _, s := range sockets {
		if end, ok := s.EndOf(at...); ok {
			ends[end] = append(ends[end], s)
		}
	}
	c, s := socketstats.ActivityOf(ends[socketstats.Client], socketstats.Client), socketstats.ActivityOf(ends[socketstats.Server], socketstats.Server)
	return &c, &s
}

// listAndDrain returns what is there, and what has gone from it since.
func (v *view) listAndDrain(ctx context.Context) (sockets []socketstats.Socket, gone map[uint64]bool, err error) {
	if v.closings == nil {
		sockets, err = v.list(ctx)
		return sockets, nil, err
	}
	if _, err = v.closings.drain(); err != nil {
		return nil, nil, err
	}
	if sockets, err = v.list(ctx); err != nil {
		return nil, nil, err
	}
	gone, err = v.closings.drain()
	return sockets, gone, err
}

// count takes a sample, but for what the clients say, and measures what it
// costs.
func (s *sampler) count(ctx context.Context, start time.Time) (*Sample, error) {
	meter := startMeter(len(s.views) > 1)
	sample := &Sample{At: time.Since(start)}
	for _, v := range s.views {
		if err := v.count(ctx, sample); err != nil {
			meter.stop()
			return nil, err
		}
	}
	sample.Took, sample.CPU = meter.stop()
	return sample, nil
}

// close closes what was opened for this run.
func (s *sampler) close() {
	for _, v := range s.views {
		if v.proc != "" {
			_ = v.source.Close()
		}
		if v.closings != nil {
			_ = v.closings.source.Close()
		}
	}
}
