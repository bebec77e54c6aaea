package connpool

import (
	"context"
	"time"
)

// Config says how a pool behaves. 0 is no limit throughout.
type Config struct {
	Addr string // host and port

	Size        int // connections in total
	PerClient   int // connections that one client has at a time
	MaxRequests int // queries of a connection, until it is closed

	Wait           time.Duration // for a free connection
	ConnectTimeout time.Duration // until the server has set a connection up
	ReadTimeout    time.Duration // for a row
	WriteTimeout   time.Duration // for sending a query
	IdleTimeout    time.Duration // since IdleSince
	// IdleSince returns the time from which a connection counts as idle; nil is
	// (*Conn).LastUsed.
	IdleSince func(*Conn) time.Time

	// Check is the health check of an idle connection, before it is used and at
	// intervals: (*Conn).Ping, (*Conn).Look, or a request of one's own. nil is none.
	Check func(*Conn, context.Context) error
	// Every is the time between two rounds in which idle connections are checked, and
	// closed after their timeout; 0 is never.
	Every time.Duration
}
