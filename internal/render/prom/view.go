// Package prom renders an observation in progress as metrics of Prometheus: what each
// process holds, what came and went, and the verdict. Names, help and values come from
// internal/metric.
//
// What it costs is bounded: [Exporter.Most] processes have series of their own, the
// rest are one, and the peers are the [mostPeers] that hold most and the rest.
package prom

import (
	"cmp"
	"net/netip"
	"slices"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// View is what is exported of one sample.
type View struct {
	Subjects []*Subject
	// Newest is the sample, without its subjects.
	Newest     series.Moment
	Unobserved map[string]int
	Counters   []observe.NamespaceCounters
}

// Subject is one process, with what its newest sample shows.
type Subject struct {
	// Subject has the newest sample only, so that its counters count from the beginning.
	series.Subject
	Owner observe.Owner
	// Growth and Verdict are by all samples that are kept; nil of a process that was there
	// for too short.
	Growth  *series.Growth
	Verdict *verdict.Verdict
	sockets map[sockets]int
	total   int
	// counters are what it has of what only rises.
	counters map[counter]float64
}

// sockets are those of a subject that are one series.
type sockets struct {
	end   socketstats.End
	state socketstats.State
	peer  netip.AddrPort
}

// ViewOf is the view of the newest sample of a watch, which the window has.
func ViewOf(w *observe.Watcher, window *observe.Window) *View {
	last := window.Last()
	v := &View{Newest: *last, Unobserved: w.Unobserved(), Counters: w.Counters()}
	v.Newest.Subjects = nil
	byID := map[string]*Subject{}
	of := func(id string) *Subject {
		if byID[id] == nil {
			identity := window.Identity(id)
			identity.ID = id // of no process there may be no sample
			byID[id] = &Subject{Subject: series.Subject{Identity: identity}, Owner: w.OwnerOf(identity), sockets: map[sockets]int{}}
			v.Subjects = append(v.Subjects, byID[id])
		}
		return byID[id]
	}
	for i := range last.Subjects {
		if s := &last.Subjects[i]; window.Identity(s.ID).Parent == "" {
			of(s.ID).Samples = []series.Sample{s.Sample}
		}
	}
	w.EachSocket(func(id string, end socketstats.End, s *socketstats.Socket) {
		subject := of(id)
		subject.sockets[sockets{end, s.State, peerOf(end, s)}]++
		subject.total++
	})
	for _, s := range window.Processes() {
		if subject := byID[s.ID]; subject != nil {
			judged := verdict.Judge(s, verdict.Conditions{})
			subject.Growth, subject.Verdict = &judged.Growth, &judged
		}
	}
	return v
}

// peerOf is the service at the other end of a connection: at the client's end its
// address and port, at the server's end the address of the client, whose port says
// nothing. The zero AddrPort of a listener.
func peerOf(end socketstats.End, s *socketstats.Socket) netip.AddrPort {
	switch {
	case s.State == socketstats.Listen:
		return netip.AddrPort{}
	case end == socketstats.Server:
		return netip.AddrPortFrom(s.Remote.Addr().Unmap(), 0)
	}
	return netip.AddrPortFrom(s.Remote.Addr().Unmap(), s.Remote.Port())
}

// otherPeers is the label of the peers that have none of their own.
const otherPeers = "other"

// mostPeers is how many peers have a label of their own.
const mostPeers = 20

// peers are those that have a label, with how many sockets they had in the newest
// sample. One that has a label keeps it while it has sockets, unless another has twice
// as many: labels that come and go make series of them.
type peers map[netip.AddrPort]int

// choose chooses the peers of a sample.
func (p peers) choose(subjects []*Subject) {
	now := map[netip.AddrPort]int{}
	for _, s := range subjects {
		for of, n := range s.sockets {
			if of.peer.IsValid() {
				now[of.peer] += n
			}
		}
	}
	for peer := range p {
		if p[peer] = now[peer]; p[peer] == 0 {
			delete(p, peer)
		}
		delete(now, peer)
	}
	rest := make([]netip.AddrPort, 0, len(now))
	for peer := range now {
		rest = append(rest, peer)
	}
	slices.SortFunc(rest, func(a, b netip.AddrPort) int { return cmp.Or(now[b]-now[a], a.Compare(b)) })
	for _, peer := range rest {
		if len(p) >= mostPeers {
			least := p.least()
			if now[peer] < 2*p[least] {
				return
			}
			delete(p, least)
		}
		p[peer] = now[peer]
	}
}

func (p peers) least() (least netip.AddrPort) {
	for peer, n := range p {
		if m := p[least]; !least.IsValid() || n < m || (n == m && least.Compare(peer) < 0) {
			least = peer
		}
	}
	return least
}

// label is the value of the label of a peer.
func (p peers) label(peer netip.AddrPort) string {
	switch _, own := p[peer]; {
	case !peer.IsValid():
		return ""
	case !own:
		return otherPeers
	case peer.Port() == 0:
		return peer.Addr().String()
	}
	return peer.String()
}
