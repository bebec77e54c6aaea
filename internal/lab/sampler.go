package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// sampler counts the sockets of all sides. Without isolation there is one view
// of them, so that all are of the same moment; with it each side has its own, and
// they are read one right after the other. It is for one goroutine at a time.
type sampler struct{ views []*view }

// view is what one source sees: a network namespace, and in it the servers of
// some sides.
type view struct {
	source socketstats.Source
	sides  []sideView
	// proc is the folder of /proc that shows the namespace's counters; "" where
	// they are not this run's alone. The source is the run's own then.
	proc string
	// before holds sockets that an earlier user of a port left behind, with
	// their states: a port may be used again while its last connections are
	// still in TIME_WAIT. They are not of this run.
	before map[socketstats.Tuple]socketstats.State
	// closings hears of the connections that no sample shows; nil where the system
	// does not report them.
	closings socketstats.Closings
	ledger   series.Ledger[int] // by the side's index in the run
	// multipath says that there are MPTCP connections, perhaps: their states are then
	// those of the connections, and not of their subflows.
	multipath bool
	heard     []socketstats.Closed
}

// sideView is one side in a view.
type sideView struct {
	index   int // in the run
	at      endpoints
	relayed bool
	// remoteServer and remoteClient say that another run counts that end of the connections.
	remoteServer, remoteClient bool
	ages                       ages
	// client is the client's process, where it is one of ours: all its TCP sockets are
	// those of the list. 0 is unknown.
	client int32
	// descriptors are those of the client.
	descriptors socketstats.DescriptorTable
}

// open makes the run's views, and has them look at what is there already.
func (s *sampler) open(ctx context.Context, r *run) error {
	if !r.isolated {
		s.views = []*view{{source: r.source}}
	}
	for i, side := range r.sides {
		v := s.views
		if r.isolated {
			s.views = append(s.views, &view{proc: side.namespace.Proc()})
			v = s.views[i:]
		}
		v[0].sides = append(v[0].sides, sideView{
			index: i, at: side.addrs, relayed: side.own.Relayed, ages: ages{},
			remoteServer: side.Server.IsValid(), remoteClient: side.ServerOnly,
		})
	}
	for i, v := range s.views {
		var err error
		if r.isolated {
			if v.source, err = socketstats.Inside(r.source, r.sides[i].namespace.Sockdiag); err != nil {
				return err
			}
		}
		v.closings, err = socketstats.OpenClosings(v.source, v.ports())
		if errors.Is(err, errors.ErrUnsupported) {
			v.closings = nil
		} else if err != nil {
			return err
		}
		if err := v.look(ctx); err != nil {
			return err
		}
	}
	return nil
}

// watch has the descriptors of a side's client counted.
func (s *sampler) watch(side int, client int) {
	for _, v := range s.views {
		for i := range v.sides {
			if v.sides[i].index == side {
				v.sides[i].client = int32(client)
			}
		}
	}
}

// source is that of the counts.
func (s *sampler) source() socketstats.Source { return s.views[0].source }

// hears reports whether the sampler hears of connections that no sample shows.
func (s *sampler) hears() bool { return s.views[0].closings != nil }

// leftBehind is how many sockets at a side's servers are not of this run.
func (s *sampler) leftBehind(side int) int {
	n := 0
	for _, v := range s.views {
		for _, of := range v.sides {
			if of.index != side {
				continue
			}
			for tuple := range v.before {
				if _, ok := (socketstats.Socket{Local: tuple.Local, Remote: tuple.Remote}).EndOf(of.at...); ok {
					n++
				}
			}
		}
	}
	return n
}

func (v *view) ports() []uint16 {
	var ports []uint16
	for _, of := range v.sides {
		for _, server := range of.at {
			ports = append(ports, server.Port())
		}
	}
	return ports
}

// look remembers what is there before the run.
func (v *view) look(ctx context.Context) error {
	v.ledger.Paired = true
	sockets, err := v.list(ctx)
	if err != nil {
		return err
	}
	v.before = map[socketstats.Tuple]socketstats.State{}
	for _, socket := range sockets {
		if socket.State != socketstats.Listen {
			v.before[socket.Tuple()] = socket.State
		}
	}
	return nil
}

// list returns the sockets that are there, and enters them in the ledger with
// those that are gone since the last list.
func (v *view) list(ctx context.Context) ([]socketstats.Socket, error) {
	if err := v.drain(); err != nil {
		return nil, err
	}
	for i := range v.sides {
		client := v.sides[i].client
		v.multipath = v.multipath || client != 0 && socketstats.MetMPTCP(client)
	}
	sockets, err := v.source.Sockets(ctx, socketstats.Query{Ports: v.ports(), Info: true, Multipath: v.multipath})
	if err != nil {
		return nil, err
	}
	// What has gone since the list was made is in it, and not alive.
	if err := v.drain(); err != nil {
		return nil, err
	}
	if v.closings != nil {
		v.ledger.Alive(sockets, func(s *socketstats.Socket) (int, socketstats.End, bool) { return v.sort(*s) })
	}
	return sockets, nil
}

// drain enters in the ledger what was heard of closings.
func (v *view) drain() error {
	if v.closings == nil {
		return nil
	}
	var overflows int
	var err error
	if v.heard, overflows, err = v.closings.Drain(v.heard[:0]); err != nil {
		return err
	}
	v.ledger.AtLeast = overflows > 0
	v.ledger.Heard(v.heard, func(c *socketstats.Closed) (int, series.ClosedConn, bool) {
		side, end, ok := v.sort(socketstats.Socket{Local: c.Local, Remote: c.Remote})
		server := end == socketstats.Server
		return side, series.ClosedConn{End: end, WithTCPInfo: server && !c.Forgotten(), ShortLived: server && c.ShortLived(end), AtOnce: server && c.AtOnce()}, ok && c.Connected
	})
	return nil
}

// sort says of which side a socket is, and at which end.
func (v *view) sort(s socketstats.Socket) (side int, end socketstats.End, ok bool) {
	for i := range v.sides {
		if end, ok = s.EndOf(v.sides[i].at...); ok {
			return v.sides[i].index, end, v.sides[i].counts(s, end)
		}
	}
	return 0, 0, false
}

// counts reports whether a socket at an end of the side's connections is one that this run
// counts. What a server opens to those behind it is its own.
func (v *sideView) counts(s socketstats.Socket, end socketstats.End) bool {
	return !v.remoteServer && !v.remoteClient ||
		v.remoteServer && end == socketstats.Client ||
		v.remoteClient && (end == socketstats.Server || s.Remote.Port() != v.at[0].Port())
}

// own are those of the list that the side counts.
func (v *sideView) own(list []socketstats.Socket) []socketstats.Socket {
	if !v.remoteServer && !v.remoteClient {
		return list
	}
	var own []socketstats.Socket
	for i := range list {
		if end, ok := list[i].EndOf(v.at...); ok && v.counts(list[i], end) {
			own = append(own, list[i])
		}
	}
	return own
}

// count enters the sockets, connections and counters of the view's sides in a
// moment.
func (v *view) count(ctx context.Context, m *series.Moment) error {
	sockets, err := v.list(ctx)
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
	var rows socketstats.Rows
	rows.Add(sockets)
	for i := range v.sides {
		side := &v.sides[i]
		of := &m.Subjects[side.index].Sample
		if side.client != 0 {
			pids := []int32{side.client}
			side.descriptors.Scan(pids)
			if kinds := side.descriptors.Kinds(pids, &rows); kinds != nil {
				of.Process = &series.Process{Kinds: kinds}
			}
		}
		ours := side.own(ours)
		of.Client.Counts, of.Server.Counts = socketstats.Count(ours, side.at...)
		if side.relayed {
			of.Upstreams = side.at.upstreams(ours)
		}
		of.Oldest = side.ages.oldest(ours, side.at, m.At)
		if socketstats.ReportsInfo(v.source) {
			of.Client.Activity, of.Server.Activity = side.at.activities(ours)
			of.Queue = side.at.queue(ours)
		}
		of.KernelConns = v.ledger.Counts(side.index)
		if v.proc != "" {
			if of.Kernel, err = socketstats.ReadCounters(v.proc); err != nil {
				return err
			}
		}
	}
	return nil
}

// count takes a sample of every side, without what their processes say, and
// measures what it costs.
func (s *sampler) count(ctx context.Context, start time.Time) (*series.Moment, error) {
	meter := startMeter(len(s.views) > 1)
	sides := 0
	for _, v := range s.views {
		sides += len(v.sides)
	}
	m := &series.Moment{At: time.Since(start), Subjects: make([]series.SubjectSample, sides)}
	for _, v := range s.views {
		if err := v.count(ctx, m); err != nil {
			meter.stop()
			return nil, fmt.Errorf("count sockets: %w", err)
		}
	}
	m.Took, m.CPU = meter.stop()
	return m, nil
}

// close closes what was opened for this run.
func (s *sampler) close() {
	for _, v := range s.views {
		if v.proc != "" && v.source != nil {
			_ = v.source.Close()
		}
		if v.closings != nil {
			_ = v.closings.Close()
		}
	}
}
