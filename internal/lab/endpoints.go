package lab

import (
	"net/netip"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// endpoints are where the servers of one side listen, the first one first. Only
// those that speak TCP are among them.
type endpoints []netip.AddrPort

// upstreams counts the open sockets of connections to the servers behind the
// first, at the client's end.
func (at endpoints) upstreams(sockets []socketstats.Socket) int {
	client, _ := socketstats.Count(sockets, at[1:]...)
	return client.Open()
}

// activities says what the connections do, at both ends.
func (at endpoints) activities(sockets []socketstats.Socket) (client, server *socketstats.Activity) {
	var ends [2][]socketstats.Socket
	for _, s := range sockets {
		if end, ok := s.EndOf(at...); ok {
			ends[end] = append(ends[end], s)
		}
	}
	c := socketstats.ActivityOf(ends[socketstats.Client], socketstats.Client)
	s := socketstats.ActivityOf(ends[socketstats.Server], socketstats.Server)
	return &c, &s
}

// queue is that of the listener with the least room left. The sockets are from a source
// that gives the backlog, as those with TCP_INFO do.
func (at endpoints) queue(sockets []socketstats.Socket) *series.Queue {
	dead := map[uint16]int{} // by port
	for i := range sockets {
		if s := &sockets[i]; s.State == socketstats.CloseWait && s.Inode == 0 {
			dead[s.Local.Port()]++
		}
	}
	var fullest *series.Queue
	for i := range sockets {
		s := &sockets[i]
		if end, ok := s.EndOf(at...); ok && end == socketstats.Server && s.State == socketstats.Listen {
			fullest = fullest.Fuller(&series.Queue{Waiting: int(s.RecvQ), Limit: int(s.SendQ), Dead: dead[s.Local.Port()]})
		}
	}
	return fullest
}

// ages is since when each open socket at the client's end is there, as far as
// the samples show.
type ages map[socketstats.Tuple]time.Duration

// oldest is how long the oldest of the sockets that are there now has been.
func (a ages) oldest(sockets []socketstats.Socket, at endpoints, now time.Duration) time.Duration {
	var oldest time.Duration
	there := make(map[socketstats.Tuple]bool, len(sockets))
	for i := range sockets {
		s := &sockets[i]
		if end, ok := s.EndOf(at...); !ok || end != socketstats.Client || !s.State.Open() {
			continue
		}
		tuple := s.Tuple()
		there[tuple] = true
		since, seen := a[tuple]
		if !seen {
			since = now
			a[tuple] = now
		}
		oldest = max(oldest, now-since)
	}
	for tuple := range a {
		if !there[tuple] {
			delete(a, tuple)
		}
	}
	return oldest
}
