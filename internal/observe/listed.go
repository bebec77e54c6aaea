package observe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"socketlab/internal/socketstats"
)

// Listed returns the sockets of the last sample that are in a state, or open if
// it is 0: first those that have said nothing for the longest. With a port they
// are those of the clients, where they are here.
func (w *Watcher) Listed(state socketstats.State) []socketstats.Socket {
	var ends [2][]socketstats.Socket
	for _, v := range w.views {
		for i := range v.sockets {
			s := &v.sockets[i]
			if v.lists(s, state) {
				_, end, _ := v.sort.row(s)
				ends[end] = append(ends[end], *s)
			}
		}
	}
	list := ends[socketstats.Client]
	if w.target.Port == 0 {
		list = slices.Concat(list, ends[socketstats.Server])
	} else if len(list) < len(ends[socketstats.Server]) {
		list = ends[socketstats.Server]
	}
	slices.SortStableFunc(list, func(a, b socketstats.Socket) int { return cmp.Compare(silence(b), silence(a)) })
	return list
}

// ListedKind returns a line for each socket of a kind of UDP or AF_UNIX that the
// watched processes have open, with its peer.
func (w *Watcher) ListedKind(ctx context.Context, kind string) []string {
	type held struct {
		socketstats.OtherSocket
		pid int32
	}
	var list []held
	var peers []uint32
	for _, v := range w.views {
		sockets, err := socketstats.OtherSockets(ctx, v.source)
		if err != nil {
			continue // it is said how many there are
		}
		for _, s := range sockets {
			if holder, _ := w.descriptors.Holders(s.Inode); s.Kind == kind && holder != 0 {
				list = append(list, held{s, holder})
				peers = append(peers, s.Peer)
			}
		}
	}
	owners := socketstats.OwnersOf(peers)
	lines := make([]string, 0, len(list))
	for _, s := range list {
		line := cmp.Or(s.Name, "without a name")
		if s.Kind == socketstats.KindUDP {
			line = s.Local.String()
			if s.Remote.IsValid() {
				line += " -> " + s.Remote.String()
			}
		}
		if pid := owners[s.Peer]; s.Peer != 0 && pid != 0 {
			line += fmt.Sprintf(" -> process %d", pid)
		}
		lines = append(lines, fmt.Sprintf("%s, process %d", printable(line), s.pid))
	}
	slices.Sort(lines)
	return lines
}

// ListedTwice is how many of the sockets that Listed returns are the server's end of a
// connection whose client's end is among them, too.
func (w *Watcher) ListedTwice(state socketstats.State) int {
	twice := 0
	for _, v := range w.views {
		if w.target.Port != 0 {
			break // then one end is listed
		}
		listed := map[pair]bool{}
		for i := range v.sockets {
			if s := &v.sockets[i]; v.lists(s, state) {
				if listed[pairOf(s.Remote, s.Local)] {
					twice++
				}
				listed[pairOf(s.Local, s.Remote)] = true
			}
		}
	}
	return twice
}

// lists reports whether a socket is counted and in a state, or open if that is 0.
func (v *view) lists(s *socketstats.Socket, state socketstats.State) bool {
	_, _, ok := v.sort.row(s)
	return ok && (s.State == state || (state == 0 && s.Open()))
}

func silence(s socketstats.Socket) time.Duration {
	if s.Info == nil {
		return 0
	}
	return min(s.Info.Sent, s.Info.Received)
}
