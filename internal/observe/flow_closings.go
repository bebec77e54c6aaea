package observe

import "socketlab/internal/socketstats"

// closings derives flows from what the kernel tells everybody: which sockets it
// destroyed. A connection that was opened is alive or closed, so the opened ones
// are those that are alive and those that were closed, less those that were
// alive at the beginning.
//
// The kernel does not say whose socket it was. That is known of those that were
// seen in a list; the others are in the row of no process.
type closings struct {
	source socketstats.Closings
	owners *socketstats.Owners

	begun  bool
	base   accounts // those alive at the beginning, as opened
	closed accounts
	heard  []socketstats.Closed
	missed bool
	// unknown is how many came and went that may have been anybody's.
	unknown int
}

func (*closings) name() string { return "closed sockets" }

func (c *closings) Close() error { return c.source.Close() }

// before enters what was destroyed before the list that is to come, so that it
// is the rest that the list may show.
func (c *closings) before(who rowOf) error {
	_, err := c.drain(who)
	return err
}

// drain enters what was heard since the last call, and returns the cookies.
func (c *closings) drain(who rowOf) (map[uint64]bool, error) {
	heard, overflows, err := c.source.Drain(c.heard[:0])
	if err != nil {
		return nil, err
	}
	c.heard, c.missed = heard, c.missed || overflows > 0
	if c.closed == nil {
		c.closed = accounts{}
	}
	gone := make(map[uint64]bool, len(heard))
	for _, closed := range heard {
		gone[closed.Cookie] = true
		if !closed.Connected {
			continue // refused, or given up: it never was a connection
		}
		row, verdict := who(end{closed.Local, closed.Remote, c.owners.PID(closed.Cookie)})
		switch {
		case verdict == counts:
			c.closed.of(row).closed++
		case verdict == inferred:
			c.closed.of(row).closed++
			c.closed.of(row).inferred++
		case verdict == unknown && c.begun:
			c.missed = true
			c.unknown++
		}
	}
	return gone, nil
}

func (c *closings) after(list []socketstats.Socket, who rowOf) (accounts, bool, error) {
	gone, err := c.drain(who)
	if err != nil {
		return nil, false, err
	}
	alive := countAlive(list, gone, who) // what the list shows may have been closed since
	if !c.begun {
		c.begun, c.base, c.closed = true, alive, accounts{}
	}
	total := accounts{}
	for row, n := range c.closed {
		total.of(row).opened += n.closed
		total.of(row).closed += n.closed
		total.of(row).inferred += n.inferred
	}
	for row, n := range alive {
		total.of(row).opened += n.opened
	}
	for row, n := range c.base {
		total.of(row).opened -= n.opened
	}
	return total, c.missed, nil
}

// countAlive counts the connections that a list shows alive, but for those that
// have gone since, as opened.
func countAlive(list []socketstats.Socket, gone map[uint64]bool, who rowOf) accounts {
	alive := accounts{}
	for i := range list {
		s := &list[i]
		if !s.Alive() || gone[s.Cookie] {
			continue
		}
		if row, verdict := who(end{s.Local, s.Remote, s.PID}); verdict == counts || verdict == inferred {
			alive.of(row).opened++
		}
	}
	return alive
}
