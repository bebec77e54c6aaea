package httppool

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"time"
)

// Reason is why a connection was closed.
type Reason string

// The reasons.
const (
	// IdleTimeout: it was idle for the transport's IdleConnTimeout.
	IdleTimeout Reason = "idle timeout"
	// Limit: the transport keeps no more idle connections (MaxIdleConnsPerHost, MaxIdleConns).
	Limit Reason = "limit"
	// Peer: the other end closed it.
	Peer Reason = "peer"
	// Failed: a read, a write or a TLS handshake failed.
	Failed Reason = "error"
	// BodyUnfinished: a response's body was closed before its end.
	BodyUnfinished Reason = "body unfinished"
	// CloseIdle: CloseIdleConnections was called.
	CloseIdle Reason = "CloseIdleConnections"
	// Cancelled: the request's context ended, or a timeout of the request's.
	Cancelled Reason = "cancelled"
	// NotReusable: keep-alives are disabled, an end said "Connection: close", or the
	// response came before the request was written.
	NotReusable Reason = "not reusable"
	// Caller: who switched protocols closed it.
	Caller Reason = "caller"
	// Unseen: it could not be wrapped, and was found closed. See [Connection.Unwrapped].
	Unseen Reason = "unseen"
)

// reasons are all, in the order in which they are shown.
var reasons = []Reason{
	IdleTimeout, Limit, Peer, Failed, BodyUnfinished, Cancelled, CloseIdle, NotReusable, Caller, Unseen,
}

// reasonOf is the reason of an error with which net/http does not take a connection back.
// Its errors are not exported.
func reasonOf(err error) Reason {
	switch text := err.Error(); {
	case strings.Contains(text, "too many idle"):
		return Limit
	case strings.Contains(text, "CloseIdleConnections"):
		return CloseIdle
	case strings.Contains(text, "bad state"):
		return "" // the connection is closed already, or says why
	}
	return NotReusable
}

// closers are the functions of net/http that close a connection for one reason each, by
// the end of their names: in golang.org/x/net/http2 and in net/http's copy of it they differ by a prefix.
// The first that matches a frame counts, so what others call is in front.
var closers = []struct {
	function string
	why      Reason
}{
	{"persistConn).closeConnIfStillIdle", IdleTimeout},
	{"lientConn).onIdleTimeout", IdleTimeout},
	{"lientConn).closeForLostPing", Failed},
	{"ransport).CloseIdleConnections", CloseIdle},
	{"lientConnPool).closeIdleConnections", CloseIdle},
	{"persistConn).cancelRequest", Cancelled},
	{"ransport).tryPutIdleConn", Limit},
	{"ransport).putOrCloseIdleConn", Limit},
	{"persistConn).addTLS", Failed},
	{"ransport).dialConn", Failed},
	{"persistConn).writeLoop", Failed},
	{"persistConn).roundTrip", Cancelled}, // ResponseHeaderTimeout
	{"persistConn).readLoop", ""},
	{"lientConnReadLoop).run", ""},
	{"lientConn).readLoop", ""},
}

// closer returns why the function closes that called the caller's caller, and
// whether it is known.
func closer() (why Reason, known bool) {
	var pcs [24]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		for _, c := range closers {
			if strings.HasSuffix(frame.Function, c.function) || strings.Contains(frame.Function, c.function+".") {
				return c.why, true
			}
		}
		if !more {
			return "", false
		}
	}
}

// reason says why the connection is closed by a call that closer has looked at. The caller
// holds Pool.mu.
func (c *connection) reason(why Reason, known bool) Reason {
	switch {
	case why == IdleTimeout, why == CloseIdle, why == Limit, why == Cancelled && c.writeErr == nil && c.readErr == nil:
		return why
	case c.why != "":
		return c.why
	case errors.Is(c.readErr, io.EOF):
		return Peer
	case c.readErr != nil, c.writeErr != nil, why == Failed:
		return Failed
	case why == Cancelled:
		return why
	case !known:
		return Caller
	case c.assigned == 0 && c.state == Idle:
		return Peer // its TLS said that it closes, before the socket did
	}
	return NotReusable
}

// closed is called once, by the first Close.
func (c *connection) closed(inner func() error) error {
	why, known := closer()
	p := c.pool
	p.mu.Lock()
	why = c.reason(why, known)
	c.enter(Closing, time.Now())
	p.mu.Unlock()
	err := inner()
	p.mu.Lock()
	host, age := c.host.name, time.Since(c.opened)
	p.removed(c, why)
	observers := p.observers
	p.mu.Unlock()
	for _, o := range observers {
		if o.Closed != nil {
			o.Closed(host, why, age)
		}
	}
	return err
}
