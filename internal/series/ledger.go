package series

import "socketlab/internal/socketstats"

// Ledger computes how many connections of each account were opened and closed,
// also those that no list of sockets shows, by the one rule
//
//	opened = alive + closed - baseline
//
// where the baseline is what was alive when the ledger began. An account is
// whatever connections are counted for: a side, a process, a destination. Who
// keeps the ledger decides which account a socket belongs to, and enters for each
// count first [Ledger.Closed] for every socket that the kernel destroyed, then
// [Ledger.Alive] with what the list shows.
//
// A connection may have a socket at each end on this machine. The two ends are
// counted apart, and the end that shows more speaks for the connections opened:
// the server's end is not there while its accept queue is full, and the client's
// remote address is forgotten when it was reset.
//
// The zero Ledger is ready to use. It begins with the first Alive: what is
// entered before is dropped. It is for one goroutine.
type Ledger[Account comparable] struct {
	// HearsOpened says that every opening is entered by [Ledger.Opened]. The rule
	// then gives the closings that were not heard. Some virtual machines' kernels
	// hide timers, and what TCP does in them, from all tracing.
	HearsOpened bool
	// AtLeast says that events were lost: more came and went than is counted.
	AtLeast bool

	accounts map[Account]*account
	begun    bool
}

// account is what is known of one account.
type account struct {
	baseline, alive, closed Ends
	opened                  int // heard; with HearsOpened only
	unheard, missing        int // closings that the last list showed and that were not heard, by it and for sure
	withTCPInfo, shortLived int
	inferred                int
}

// Ends counts sockets at both ends of connections.
type Ends struct{ Client, Server int }

// Add counts one more socket at an end.
func (e *Ends) Add(end socketstats.End) {
	if end == socketstats.Client {
		e.Client++
	} else {
		e.Server++
	}
}

// ClosedConn is a socket that the kernel destroyed.
type ClosedConn struct {
	End socketstats.End
	// WithTCPInfo says that the kernel said what it carried, and ShortLived that
	// this was an exchange or two.
	WithTCPInfo, ShortLived bool
	// Inferred says that it is attributed by where it went.
	Inferred bool
}

// Opened enters a connection that was opened.
func (l *Ledger[A]) Opened(of A) {
	if l.begun {
		l.account(of).opened++
	}
}

// Closed enters a socket that was destroyed.
func (l *Ledger[A]) Closed(of A, c ClosedConn) {
	if !l.begun {
		return
	}
	a := l.account(of)
	a.closed.Add(c.End)
	if c.WithTCPInfo {
		a.withTCPInfo++
	}
	if c.WithTCPInfo && c.ShortLived {
		a.shortLived++
	}
	if c.Inferred {
		a.inferred++
	}
}

// Alive enters how many connections a list shows alive, without those that were
// destroyed since it was made. An account that is not in it has none. The first
// one is the baseline.
func (l *Ledger[A]) Alive(alive map[A]Ends) {
	for of := range alive {
		l.account(of)
	}
	for of, a := range l.accounts {
		a.alive = alive[of]
		if !l.begun {
			a.baseline = a.alive
		}
		if l.HearsOpened {
			// What two lists in a row show to be gone was closed. By one alone it may
			// only have been opened after the list was made.
			now := a.baseline.sum() + a.opened - a.closed.sum() - a.alive.sum()
			a.missing = max(0, min(now, a.unheard))
			a.unheard = now
		}
	}
	l.begun = true
}

func (e Ends) sum() int { return e.Client + e.Server }

// Counts returns what came and went of an account until now; nil before the
// first [Ledger.Alive].
func (l *Ledger[A]) Counts(of A) *ConnCounts {
	if !l.begun {
		return nil
	}
	a := l.accounts[of]
	if a == nil {
		return &ConnCounts{AtLeast: l.AtLeast}
	}
	c := &ConnCounts{
		WithTCPInfo: a.withTCPInfo, ShortLived: a.shortLived, Inferred: a.inferred, AtLeast: l.AtLeast,
	}
	if l.HearsOpened {
		c.Opened, c.Closed = a.opened, a.closed.sum()+a.missing
		return c
	}
	client := a.alive.Client + a.closed.Client - a.baseline.Client
	server := a.alive.Server + a.closed.Server - a.baseline.Server
	c.Opened = max(0, client, server)
	// A connection is closed when the end that its program holds is no more: the
	// client's, where it is seen at all.
	if a.alive.Client+a.closed.Client+a.baseline.Client > 0 {
		c.Closed = max(0, c.Opened+a.baseline.Client-a.alive.Client)
	} else {
		c.Closed = max(0, c.Opened+a.baseline.Server-a.alive.Server)
	}
	return c
}

// Accounts lists every account of which anything was entered, in no order.
func (l *Ledger[A]) Accounts() []A {
	list := make([]A, 0, len(l.accounts))
	for of := range l.accounts {
		list = append(list, of)
	}
	return list
}

func (l *Ledger[A]) account(of A) *account {
	if l.accounts == nil {
		l.accounts = map[A]*account{}
	}
	if l.accounts[of] == nil {
		l.accounts[of] = &account{}
	}
	return l.accounts[of]
}
