package sockettest

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"socketlab/httppool"
	"socketlab/internal/socketstats"
)

// sender is who sent a request that has not ended, as a Pool knows it.
type sender struct {
	local string // the address of its connection
	at    string // "orders.Get orders.go:46"
	body  bool   // it has its response, and not all of the body
}

// poolOf is the Pool that a client or a transport is, or sends its requests through; nil
// without one.
func poolOf(c any) *httppool.Pool {
	switch c := c.(type) {
	case *httppool.Pool:
		return c
	case *http.Client:
		if c.Transport == nil {
			return poolOf(http.DefaultTransport)
		}
		return poolOf(c.Transport)
	}
	return nil
}

// findSenders asks the Pools that the check knows of.
func (c *check) findSenders() []sender {
	var pools []*httppool.Pool
	for _, of := range append([]idleCloser{asCloser(http.DefaultTransport)}, c.idle...) {
		if pool := poolOf(of); pool != nil && !slices.Contains(pools, pool) {
			pools = append(pools, pool)
		}
	}
	var all []sender
	for _, pool := range pools {
		for _, r := range pool.Snapshot().Requests {
			if f := r.Caller(); f.Function != "" {
				all = append(all, sender{
					local: r.Local, at: fmt.Sprintf("%s %s:%d", path.Base(f.Function), path.Base(f.File), f.Line),
					body: r.State == httppool.RequestBody,
				})
			}
		}
	}
	return all
}

func asCloser(t http.RoundTripper) idleCloser {
	c, _ := t.(idleCloser)
	return c
}

// sentBy says who sent the requests of a connection; "" if it is not known.
func (c *check) sentBy(s socketstats.Socket) string {
	var at []string
	for _, by := range c.senders {
		if by.local == s.Local.String() && !slices.Contains(at, by.at) {
			at = append(at, by.at)
		}
	}
	if len(at) == 0 {
		return ""
	}
	return "; requested by " + strings.Join(at, ", ")
}

// bodiesInMemory are the senders whose responses are open on connections that are none of
// these sockets.
func (c *check) bodiesInMemory(held []socketstats.Socket) []string {
	var lines []string
	for _, by := range c.senders {
		if by.body && !slices.ContainsFunc(held, func(s socketstats.Socket) bool { return s.Local.String() == by.local }) {
			lines = append(lines, "requested by "+by.at)
		}
	}
	return lines
}
