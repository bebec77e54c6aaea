package lab

import (
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// ConnCounts is how many connections of a side the kernel saw, also of those that
// lived between two samples.
type ConnCounts struct {
	// Opened is the connections established since the run began, and Closed
	// those of them whose client end was no more at the last sample.
	Opened int `json:"opened"`
	Closed int `json:"closed"`
	// WithTCPInfo are those of Closed of which the kernel said what they carried,
	// and ShortLived those of WithTCPInfo that carried an exchange or two.
	WithTCPInfo int `json:"with_tcp_info,omitempty"`
	ShortLived  int `json:"short_lived,omitempty"`
	// AtLeast says that closings were missed, so that there were more.
	AtLeast bool `json:"at_least,omitempty"`
}

// ends counts the sockets of a side at both ends.
type ends struct {
	client, server int
	// withTCPInfo are those at the server's end of which the kernel said what they
	// carried, and shortLived those of them that carried little.
	withTCPInfo, shortLived int
}

func (e *ends) add(end socketstats.End) {
	if end == socketstats.Client {
		e.client++
	} else {
		e.server++
	}
}

// closings keeps account of the sockets that the kernel destroyed. Each
// connection that was opened is alive or closed.
type closings struct {
	source  socketstats.Closings
	servers map[scenario.Side]endpoints
	// before are sockets of before the run, by cookie. They are not counted.
	before map[uint64]bool
	closed map[scenario.Side]*ends
	missed bool
	heard  []socketstats.Closed
}

// drain enters what was heard since the last call, and returns the cookies.
func (c *closings) drain() (map[uint64]bool, error) {
	var overflows int
	var err error
	if c.heard, overflows, err = c.source.Drain(c.heard[:0]); err != nil {
		return nil, err
	}
	c.missed = overflows > 0
	gone := make(map[uint64]bool, len(c.heard))
	for _, closed := range c.heard {
		gone[closed.Cookie] = true
		if c.before[closed.Cookie] {
			continue
		}
		for side, at := range c.servers {
			end, ok := (socketstats.Socket{Local: closed.Local, Remote: closed.Remote}).EndOf(at...)
			if !ok || !closed.Connected {
				continue
			}
			c.closed[side].add(end)
			if end == socketstats.Server && !closed.Forgotten() {
				c.closed[side].withTCPInfo++
			}
			if end == socketstats.Server && closed.ShortLived(end) {
				c.closed[side].shortLived++
			}
		}
	}
	return gone, nil
}

// counts counts a side's connections: those closed, and those alive in a list
// that was made after the last but one drain. gone are the cookies of the last
// one: what the list shows alive may have been closed since.
func (c *closings) counts(side scenario.Side, list []socketstats.Socket, gone map[uint64]bool) *ConnCounts {
	var alive ends
	for _, s := range list {
		if end, ok := s.EndOf(c.servers[side]...); ok && s.Alive() && !gone[s.Cookie] {
			alive.add(end)
		}
	}
	closed := c.closed[side]
	// The server's end is not there while its queue is full; the client's is
	// forgotten when it was reset.
	opened := max(closed.client+alive.client, closed.server+alive.server)
	return &ConnCounts{
		Opened: opened, Closed: opened - alive.client, WithTCPInfo: closed.withTCPInfo, ShortLived: closed.shortLived, AtLeast: c.missed,
	}
}
