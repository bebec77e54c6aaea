package lab

import (
	"net/netip"
	"time"

	"socketlab/internal/socketstats"
)

// endpoints is where the servers of one side listen, the first one first. Only those
// that speak TCP are in it.
type endpoints []netip.AddrPort

func (at endpoints) ports() []uint16 {
	ports := make([]uint16, len(at))
	for i, server := range at {
		ports[i] = server.Port()
	}
	return ports
}

// upstreamConns counts the open sockets of connections to the servers behind the
// first, at the client's end.
func (at endpoints) upstreamConns(sockets []socketstats.Socket) int {
	if len(at) < 2 {
		return 0
	}
	client, _ := socketstats.Count(sockets, at[1:]...)
	return client.Open()
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
