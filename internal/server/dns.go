package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"socketlab/internal/scenario"
)

// Resolve is what a name server responds with for a time.
type Resolve struct {
	// To is the name of a server, whose address and port are the response (A and
	// SRV records); or nxdomain, empty, servfail, refused, or no-response.
	To string `yaml:"to" json:"to"`
	// For is how long that is so, from the first query on.
	For scenario.Duration `yaml:"for,omitempty" json:"for,omitempty"`
}

// What a name server responds with in place of an address.
const (
	nxDomain = "nxdomain"    // there is no such name
	empty    = "empty"       // the name has no address
	servFail = "servfail"    // something went wrong, try again
	refused  = "refused"     // not to you
	silent   = "no-response" // nothing
)

var specialResponses = []string{nxDomain, empty, servFail, refused, silent}

var dnsKeys scenario.KeySet

var ResolveKey = scenario.NewKey[[]Resolve](&dnsKeys, scenario.Key{
	Name: "resolve", Text: "what to respond with, one after the other, to a query for any name; the last one stands",
})

func init() {
	register(scenario.Protocol{
		Name: "dns", Text: "a name server, over UDP",
		Keys: dnsKeys, Requires: "resolve", NameServer: true, Reserved: specialResponses, Check: checkDNS,
	}, dns{})
}

func checkDNS(s scenario.Server, side []scenario.Server) (at, problem string) {
	list := ResolveKey.Of(s)
	for i, r := range list {
		other := slices.ContainsFunc(side, func(o scenario.Server) bool { return o.Name == r.To && o.Name != s.Name })
		switch {
		case !other && !slices.Contains(specialResponses, r.To):
			return fmt.Sprintf("resolve[%d].to", i), fmt.Sprintf("to %q: use the name of another server, or one of %s", r.To, strings.Join(specialResponses, ", "))
		case r.For == 0 && i < len(list)-1:
			return fmt.Sprintf("resolve[%d]", i), "has a response without an end before another: add for, such as 1s"
		}
	}
	return "", ""
}

// udpSocket is the socket of a name server.
type udpSocket struct{ net.PacketConn }

func (s udpSocket) Addr() net.Addr { return s.LocalAddr() }

type dns struct{}

func (dns) open(s *Server) speaker {
	return &nameServer{Server: s, resolve: ResolveKey.Of(s.cfg.Behaviour)}
}

func (dns) listen(addr string, _ scenario.Server) (Socket, error) {
	c, err := net.ListenPacket("udp", addr)
	if err != nil {
		return nil, err
	}
	return udpSocket{c}, nil
}

// nameServer responds to DNS queries as a script says: with the address of another
// server, with that of another one after a time, or with an error. It serves UDP
// on loopback (RFC 1035 section 4.2.1), which is all that Go's resolver needs for
// short responses.
type nameServer struct {
	*Server
	resolve []Resolve

	mu    sync.Mutex
	first time.Time // of the queries
}

// now is what the server responds with at this moment: the name of a server, or
// one of specialResponses. Before the first query that is the first of them.
func (s *nameServer) now() string {
	s.mu.Lock()
	defer s.mu.Unlock()
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

func (s *nameServer) directs() string {
	if s.work.received.Load() == 0 {
		return ""
	}
	return s.now()
}

func (s *nameServer) serve(ctx context.Context, socket Socket) error {
	defer socket.Close()
	c := socket.(udpSocket)
	at, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok || !at.IP.IsLoopback() {
		return fmt.Errorf("%s is not a UDP address of this machine alone", c.LocalAddr())
	}
	if len(s.resolve) == 0 {
		return errors.New("a name server needs something to resolve names to")
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
func (s *nameServer) answer(query []byte) ([]byte, bool) {
	var in dnsmessage.Parser
	header, err := in.Start(query)
	if err != nil || header.Response {
		return nil, false
	}
	question, err := in.Question()
	if err != nil {
		return nil, false
	}
	s.work.received.Add(1)
	s.mu.Lock()
	if s.first.IsZero() {
		s.first = time.Now()
	}
	s.mu.Unlock()

	to := s.now()
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
	case silent:
		return nil, false
	case nxDomain:
		out.RCode = dnsmessage.RCodeNameError
	case servFail:
		out.RCode = dnsmessage.RCodeServerFailure
	case refused:
		out.RCode = dnsmessage.RCodeRefused
	case empty:
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
func (s *nameServer) records(q dnsmessage.Question, server string) ([]dnsmessage.Resource, error) {
	record := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET}}
	switch q.Type {
	case dnsmessage.TypeA:
		record.Body = &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}
	case dnsmessage.TypeSRV:
		target, err := dnsmessage.NewName(server + ".test.")
		if err != nil {
			return nil, err
		}
		at, err := s.addressOf(server)
		if err != nil {
			return nil, err
		}
		record.Body = &dnsmessage.SRVResource{Port: at.Port(), Target: target}
	default:
		return nil, nil
	}
	return []dnsmessage.Resource{record}, nil
}

func (s *nameServer) addressOf(server string) (netip.AddrPort, error) {
	i := slices.IndexFunc(s.cfg.Peers, func(p Peer) bool { return p.Name == server })
	if i < 0 {
		return netip.AddrPort{}, fmt.Errorf("no server %s is known", server)
	}
	return netip.ParseAddrPort(s.cfg.Peers[i].Addr)
}
