// Package nameserver answers DNS queries as a script says: with the address of
// one of its servers, with another one after a time, or with an error. It
// serves UDP on loopback (RFC 1035 section 4.2.1), which is all that Go's
// resolver needs for short answers.
package nameserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"socketlab/internal/scenario"
)

// Server is a name server. It is safe for use by several goroutines.
type Server struct {
	resolve []scenario.Resolve
	ports   map[string]uint16
	queries atomic.Int64

	mu    sync.Mutex
	first time.Time // of the queries
}

// New returns a server that answers as resolve says. ports are the ports of the
// servers that it names.
func New(resolve []scenario.Resolve, ports map[string]uint16) *Server {
	return &Server{resolve: resolve, ports: ports}
}

// Queries is the number of queries that came.
func (s *Server) Queries() int64 { return s.queries.Load() }

// Now is what the server answers at this moment: the name of a server, or one
// of the special answers. Before the first query that is the first of them.
func (s *Server) Now() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.resolve) == 0 {
		return scenario.ServFail
	}
	if s.first.IsZero() {
		return s.resolve[0].To
	}
	age := time.Since(s.first)
	for _, r := range s.resolve[:len(s.resolve)-1] {
		if age < r.For.D() {
			return r.To
		}
		age -= r.For.D()
	}
	return s.resolve[len(s.resolve)-1].To
}

// Serve answers the queries that come to c until ctx is done, and closes c. The
// error is nil when ctx ended it.
func (s *Server) Serve(ctx context.Context, c net.PacketConn) error {
	defer c.Close()
	at, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok || !at.IP.IsLoopback() {
		return fmt.Errorf("%s is not a UDP address of this machine alone", c.LocalAddr())
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	const maxQuery = 4096 // more than any resolver sends
	packet := make([]byte, maxQuery)
	for {
		n, from, err := c.ReadFrom(packet)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // a client's, such as a port that is closed again
			continue
		}
		if answer, ok := s.answer(packet[:n]); ok {
			_, _ = c.WriteTo(answer, from) // a lost answer is a lost packet
		}
	}
}

// answer returns the answer to a query, and false where there is none.
func (s *Server) answer(query []byte) ([]byte, bool) {
	var in dnsmessage.Parser
	header, err := in.Start(query)
	if err != nil || header.Response {
		return nil, false
	}
	question, err := in.Question()
	if err != nil {
		return nil, false
	}
	s.queries.Add(1)
	s.mu.Lock()
	if s.first.IsZero() {
		s.first = time.Now()
	}
	s.mu.Unlock()

	to := s.Now()
	out := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: header.ID, Response: true, OpCode: header.OpCode,
			RecursionDesired: header.RecursionDesired,
			// An answer without records that claims neither of these is taken
			// for a lame referral, and the next server is asked (checkHeader in
			// net/dnsclient_unix.go).
			Authoritative: true, RecursionAvailable: true,
		},
		Questions: []dnsmessage.Question{question},
	}
	switch to {
	case scenario.Silent:
		return nil, false
	case scenario.NXDomain:
		out.RCode = dnsmessage.RCodeNameError
	case scenario.ServFail:
		out.RCode = dnsmessage.RCodeServerFailure
	case scenario.Refused:
		out.RCode = dnsmessage.RCodeRefused
	case scenario.Empty:
	default:
		if out.Answers, err = s.records(question, to); err != nil {
			out.RCode = dnsmessage.RCodeServerFailure
		}
	}
	packet, err := out.Pack()
	return packet, err == nil
}

// records are the records of a server: it is on this machine, at its port. It
// has no address in IPv6, and nothing else. None may be kept (TTL 0).
func (s *Server) records(q dnsmessage.Question, server string) ([]dnsmessage.Resource, error) {
	record := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET}}
	switch q.Type {
	case dnsmessage.TypeA:
		record.Body = &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}
	case dnsmessage.TypeSRV:
		target, err := dnsmessage.NewName(server + ".test.")
		if err != nil {
			return nil, err
		}
		port, ok := s.ports[server]
		if !ok {
			return nil, fmt.Errorf("no port of %s is known", server)
		}
		record.Body = &dnsmessage.SRVResource{Port: port, Target: target}
	default:
		return nil, nil
	}
	return []dnsmessage.Resource{record}, nil
}
