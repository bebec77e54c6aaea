package observe

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"socketlab/internal/socketstats"
)

// services are the namespaces in which the watched port is used, those of one service together;
// nil where it is used in one only. Two containers with the same port have nothing to do with each
// other, unless a connection goes from one to the other, or from both to the same server.
func (w *Watcher) services() [][]string {
	var used []*view
	for _, v := range w.views {
		if w.target.Port != 0 && concerns(v.sockets, w.target.Port) {
			used = append(used, v)
		}
	}
	if len(used) < 2 {
		return nil
	}
	if w.joined == nil {
		w.joined = map[uint32]uint32{}
	}
	// Addresses of the namespace's own, as the loopback's, are another thing in each.
	servers, calls := map[*view]map[netip.Addr]bool{}, map[*view]map[netip.Addr]bool{}
	for _, v := range used {
		servers[v], calls[v] = v.ends(w.target.Port)
	}
	for i, a := range used {
		for _, b := range used[:i] {
			if meet(calls[a], servers[b]) || meet(calls[b], servers[a]) || meet(calls[a], calls[b]) {
				first, second := w.firstOf(a.namespace), w.firstOf(b.namespace)
				if first != second {
					w.joined[first] = second
				}
			}
		}
	}
	lists := map[uint32][]string{}
	for _, v := range used {
		name := ""
		if v.foreign {
			name = namespaceName(v.namespace)
		}
		first := w.firstOf(v.namespace)
		lists[first] = append(lists[first], name)
	}
	services := slices.Collect(maps.Values(lists))
	for _, list := range services {
		slices.Sort(list)
	}
	slices.SortFunc(services, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	return services
}

// firstOf stands for all namespaces of a service.
func (w *Watcher) firstOf(namespace uint32) uint32 {
	for w.joined[namespace] != 0 {
		namespace = w.joined[namespace]
	}
	return namespace
}

// ends are the addresses at which the port is served in a namespace, and those to which
// connections to it leave the namespace.
func (v *view) ends(port uint16) (serves, calls map[netip.Addr]bool) {
	serves, calls = map[netip.Addr]bool{}, map[netip.Addr]bool{}
	own := v.sort.(*byPort).own
	for i := range v.sockets {
		s := &v.sockets[i]
		switch near, far := s.Local.Addr().Unmap(), s.Remote.Addr().Unmap(); {
		case s.State == socketstats.Listen:
			if s.Local.Port() == port && near.IsUnspecified() {
				for addr := range own {
					serves[addr.Unmap()] = true
				}
			} else if s.Local.Port() == port {
				serves[near] = true
			}
		case s.Local.Port() == port:
			serves[near] = true
		case s.Remote.Port() == port && !own.Has(far):
			calls[far] = true
		}
	}
	return serves, calls
}

func meet(a, b map[netip.Addr]bool) bool {
	for addr := range a {
		if b[addr] {
			return true
		}
	}
	return false
}
