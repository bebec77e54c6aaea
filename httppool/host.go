package httppool

import (
	"maps"
	"time"
)

// host is what is counted of one host. Guarded by Pool.mu.
type host struct {
	name                                   string
	open                                   int // records of connections that refer to it
	used                                   time.Time
	opened, adopted, dialsFailed, requests int64
	closed                                 map[Reason]int64
}

// maxHosts is of how many hosts a Pool keeps counts. A program that asks one host
// after the other, as a crawler does, must not grow by them.
const maxHosts = 256

// added adds a connection to a host. The caller holds mu.
func (p *Pool) added(c *connection, name string) {
	h := p.hosts[name]
	if h == nil {
		if len(p.hosts) >= maxHosts {
			p.forgetHost()
		}
		h = &host{name: name, closed: map[Reason]int64{}}
		p.hosts[name] = h
	}
	h.open++
	h.used = c.started
	c.host = h
	p.conns.add(c)
}

// removed removes a connection; why is "" for one that was never open. The caller holds mu.
func (p *Pool) removed(c *connection, why Reason) {
	p.dialEnds(c)
	if !p.conns.remove(c) {
		return
	}
	c.host.open--
	if why != "" {
		c.host.closed[why]++
	}
}

// forgetHost adds the counts of the host that was dialled longest ago, of those without
// connections, to those of the others.
func (p *Pool) forgetHost() {
	var oldest *host
	for _, h := range p.hosts {
		if h.open == 0 && (oldest == nil || h.used.Before(oldest.used)) {
			oldest = h
		}
	}
	if oldest == nil {
		return // so many hosts are connected
	}
	delete(p.hosts, oldest.name)
	p.others.add(oldest)
}

func (h *host) add(other *host) {
	h.opened += other.opened
	h.adopted += other.adopted
	h.dialsFailed += other.dialsFailed
	h.requests += other.requests
	if h.closed == nil {
		h.closed = maps.Clone(other.closed)
		return
	}
	for why, n := range other.closed {
		h.closed[why] += n
	}
}
