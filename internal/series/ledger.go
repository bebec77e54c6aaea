package series

import (
	"cmp"

	"socketlab/internal/socketstats"
)

// Ledger computes how many connections of each account were opened and closed,
// also those that no list of sockets shows, by the one rule
//
//	opened = alive + closed - baseline
//
// where the baseline is what was alive when the ledger began. An account is
// whatever connections are counted for: a side, a process, a destination. Who
// keeps the ledger says which account a socket belongs to, and after each list of
// sockets enters first what was heard since the list before ([Ledger.Heard]), then
// the list ([Ledger.Alive]).
//
// The zero Ledger is ready to use. It begins with the first Alive: what is
// entered before is dropped. It is for one goroutine.
type Ledger[Account comparable] struct {
	// Paired says that a connection may have a socket at each end in the same
	// account. The two ends are then counted apart, and the end that shows more
	// speaks for the connections opened: the server's end is not there while its
	// accept queue is full, and the client's remote address is forgotten when it was
	// reset. Otherwise each socket is one connection, whatever its end.
	Paired bool
	// HearsOpened says that every opening is entered by [Ledger.Opened]. The rule
	// then gives the closings that were not heard. Some virtual machines' kernels
	// hide timers, and what TCP does in them, from all tracing.
	HearsOpened bool
	// AtLeast says that events were lost: more came and went than is counted.
	AtLeast bool

	accounts map[Account]*account
	begun    bool
	// gone are the cookies heard since the last list: what was destroyed after the
	// next list was made is still in it. The value says that an account has it.
	gone map[uint64]bool
	// seen are the sockets that the last list showed alive, and vanished those that were
	// alive in one and are in none since, though no account has heard of their end: a
	// reset one whose program keeps the descriptor is in no list, and destroyed only when
	// that is closed. Both by cookie, and of a Paired ledger only.
	seen, vanished map[uint64]seat[Account]
}

// seat is where a socket belongs.
type seat[Account comparable] struct {
	of  Account
	end socketstats.End
}

// account is what is known of one account.
type account struct {
	baseline, alive, closed         ends
	opened                          ends // heard; with HearsOpened only
	unheard, missing                int  // closings that the last list showed and that were not heard, by it and for sure
	withTCPInfo, shortLived, atOnce ends
	inferred                        int
	refused, givenUp                int
	refusedAt                       string
}

// ends counts sockets at both ends of connections.
type ends struct{ client, server int }

// add counts one socket at an end.
func (e *ends) add(end socketstats.End) {
	if end == socketstats.Client {
		e.client++
	} else {
		e.server++
	}
}

func (e ends) sum() int { return e.client + e.server }

func (e ends) plus(f ends) ends { return ends{e.client + f.client, e.server + f.server} }

// ClosedConn is a connection's socket that is no more.
type ClosedConn struct {
	End socketstats.End
	// WithTCPInfo says that the kernel said what it carried, and ShortLived that
	// this was an exchange or two. AtOnce says that it was closed within a second of its
	// last data.
	WithTCPInfo, ShortLived, AtOnce bool
	// Inferred says that it is attributed by where it went.
	Inferred bool
	// GivenUp says that it was no connection, but an attempt that got no answer.
	GivenUp bool
}

// Opened enters a connection that was opened, by the end that was heard of.
func (l *Ledger[A]) Opened(of A, end socketstats.End) {
	if l.begun {
		l.account(of).opened.add(end)
	}
}

// Heard enters the sockets that the kernel destroyed, each to the account that
// sort names; where that returns false to none.
func (l *Ledger[A]) Heard(closed []socketstats.Closed, sort func(*socketstats.Closed) (of A, c ClosedConn, ok bool)) {
	if l.gone == nil {
		l.gone = map[uint64]bool{}
	}
	for i := range closed {
		of, c, ok := sort(&closed[i])
		l.gone[closed[i].Cookie] = ok
		if ok {
			delete(l.vanished, closed[i].Cookie)
			l.Closed(of, c)
		}
	}
}

// Closed enters one connection that was closed, or one attempt that was given up.
func (l *Ledger[A]) Closed(of A, c ClosedConn) {
	if !l.begun {
		return
	}
	a := l.account(of)
	if c.GivenUp {
		a.givenUp++
		return
	}
	a.closed.add(c.End)
	if c.WithTCPInfo {
		a.carried(c)
	}
	if c.Inferred {
		a.inferred++
	}
}

// Refused enters an attempt to connect that was refused at an address.
func (l *Ledger[A]) Refused(of A, at string) {
	if l.begun {
		a := l.account(of)
		a.refused++
		a.refusedAt = at
	}
}

// Carried enters what one connection carried that was entered as closed, or will
// be, by somebody who did not know.
func (l *Ledger[A]) Carried(of A, c ClosedConn) {
	if l.begun {
		l.account(of).carried(c)
	}
}

func (a *account) carried(c ClosedConn) {
	a.withTCPInfo.add(c.End)
	if c.ShortLived {
		a.shortLived.add(c.End)
	}
	if c.AtOnce {
		a.atOnce.add(c.End)
	}
}

// Alive enters a list of sockets: those of it that are connections, and were not
// destroyed since it was made, are alive, each in the account that sort names;
// where that returns false in none. The first list is the baseline.
func (l *Ledger[A]) Alive(list []socketstats.Socket, sort func(*socketstats.Socket) (of A, end socketstats.End, ok bool)) {
	l.AliveIn([][]socketstats.Socket{list}, func(_ int, s *socketstats.Socket) (A, socketstats.End, bool) { return sort(s) })
}

// AliveIn is [Ledger.Alive] for several lists that are one together: each is of
// another network namespace.
func (l *Ledger[A]) AliveIn(lists [][]socketstats.Socket, sort func(list int, s *socketstats.Socket) (of A, end socketstats.End, ok bool)) {
	for _, a := range l.accounts {
		a.alive = ends{}
	}
	alive := map[uint64]seat[A]{}
	for n, list := range lists {
		for i := range list {
			s := &list[i]
			if _, gone := l.gone[s.Cookie]; gone || !s.Alive() {
				continue
			}
			if of, end, ok := sort(n, s); ok {
				l.account(of).alive.add(end)
				if l.Paired {
					alive[s.Cookie] = seat[A]{of, end}
				}
			}
		}
	}
	for _, a := range l.accounts {
		if !l.begun {
			a.baseline = a.alive
		}
		if l.HearsOpened {
			// What two lists in a row show to be gone was closed. By one alone it may
			// only have been opened after the list was made.
			now := a.baseline.sum() + a.opened.sum() - a.closed.sum() - a.alive.sum()
			a.missing = max(0, min(now, a.unheard))
			a.unheard = now
		}
	}
	l.vanish(alive)
	l.begun = true
	clear(l.gone)
}

// vanish enters which sockets the newest list has no longer, and which it has again: a
// list that is made while sockets come and go may miss one.
func (l *Ledger[A]) vanish(alive map[uint64]seat[A]) {
	if l.vanished == nil {
		l.vanished = map[uint64]seat[A]{}
	}
	for cookie := range alive {
		delete(l.vanished, cookie)
	}
	for cookie, of := range l.seen {
		if _, still := alive[cookie]; !still && !l.gone[cookie] {
			l.vanished[cookie] = of
		}
	}
	l.seen = alive
}

// Counts returns what came and went of an account until now; nil before the
// first [Ledger.Alive].
func (l *Ledger[A]) Counts(of A) *ConnCounts {
	if !l.begun {
		return nil
	}
	a := l.accounts[of]
	if a == nil {
		a = &account{}
	}
	c := &ConnCounts{WithTCPInfo: a.withTCPInfo.sum(), ShortLived: a.shortLived.sum(), AtOnce: a.atOnce.sum(), Inferred: a.inferred, AtLeast: l.AtLeast, Refused: a.refused, RefusedAt: a.refusedAt, GivenUp: a.givenUp}
	if !l.Paired {
		c.Accepted = AcceptedConns{Opened: a.opened.server, Closed: a.closed.server, WithTCPInfo: a.withTCPInfo.server, ShortLived: a.shortLived.server, AtOnce: a.atOnce.server}
		if !l.HearsOpened {
			c.Accepted.Opened = max(0, a.alive.server+a.closed.server-a.baseline.server)
		}
	}
	switch {
	case l.HearsOpened:
		c.Opened, c.Closed = a.opened.sum(), a.closed.sum()+a.missing
	case l.Paired:
		closed := a.closed
		for _, s := range l.vanished {
			if s.of == of {
				closed.add(s.end)
			}
		}
		c.Opened = max(0, a.alive.client+closed.client-a.baseline.client, a.alive.server+closed.server-a.baseline.server)
		// A connection is closed when the end that its program holds is no more: the
		// client's, where it is seen at all.
		if a.alive.client+closed.client+a.baseline.client > 0 {
			c.Closed = max(0, c.Opened+a.baseline.client-a.alive.client)
		} else {
			c.Closed = max(0, c.Opened+a.baseline.server-a.alive.server)
		}
	default:
		c.Opened, c.Closed = max(0, a.alive.sum()+a.closed.sum()-a.baseline.sum()), a.closed.sum()
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

// Merge moves all that was entered of an account to another. The first is of no
// use any more: a process that has ended, say.
func (l *Ledger[A]) Merge(from, into A) {
	f := l.accounts[from]
	if f == nil || from == into {
		return
	}
	delete(l.accounts, from)
	a := l.account(into)
	a.baseline, a.alive, a.closed = a.baseline.plus(f.baseline), a.alive.plus(f.alive), a.closed.plus(f.closed)
	a.opened = a.opened.plus(f.opened)
	a.unheard += f.unheard
	a.missing += f.missing
	a.withTCPInfo, a.shortLived = a.withTCPInfo.plus(f.withTCPInfo), a.shortLived.plus(f.shortLived)
	a.atOnce = a.atOnce.plus(f.atOnce)
	a.inferred += f.inferred
	a.refused, a.refusedAt = a.refused+f.refused, cmp.Or(f.refusedAt, a.refusedAt)
	a.givenUp += f.givenUp
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
