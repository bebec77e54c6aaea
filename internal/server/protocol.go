package server

import (
	"cmp"
	"context"
	"fmt"
	"net"

	"socketlab/internal/scenario"
)

// protocol is something that a server speaks. Each is a file of this package, which
// declares its keys and registers it in an init function; http, https and h2c share
// two. Nothing else has to know of it.
//
// It is an interface, and not a struct of functions, so that the linker leaves out
// what serves a protocol where a program has no server, only scripts.
type protocol interface {
	// listen opens the socket of a server.
	listen(addr string, b scenario.Server) (Socket, error)
	// open makes what serves the protocol for one server.
	open(s *Server) speaker
}

// speaker is the half of a server that knows its protocol. It may be a certifier or
// a director, too.
type speaker interface {
	// serve serves at a socket until ctx is done, then drains. It closes the
	// socket.
	serve(ctx context.Context, at Socket) error
}

// certifier identifies itself with a certificate, in PEM.
type certifier interface{ ca() string }

// director names the server that clients are told to use, or "" for none.
type director interface{ directs() string }

// Socket is what a server listens at: a net.Listener, or a socket of UDP.
type Socket interface {
	Addr() net.Addr
	Close() error
}

// tcp is for a protocol to embed: it listens for TCP connections.
type tcp struct{}

func (tcp) listen(addr string, b scenario.Server) (Socket, error) { return listenTCP(addr, b) }

var protocols = map[string]protocol{}

func register(declared scenario.Protocol, p protocol) {
	protocols[declared.Name] = p
	scenario.RegisterProtocol(declared)
}

// protocolOf returns the protocol of a server; nil where it is unknown.
func protocolOf(b scenario.Server) protocol {
	return protocols[cmp.Or(b.Protocol, scenario.DefaultProtocol)]
}

// Listen opens the socket that a server of this behaviour serves at. What the
// system cannot do of the behaviour is an error that wraps errors.ErrUnsupported.
// The caller closes the socket, or hands it to Serve.
func Listen(addr string, b scenario.Server) (Socket, error) {
	if p := protocolOf(b); p != nil {
		return p.listen(addr, b)
	}
	return nil, fmt.Errorf("protocol %q is unknown", b.Protocol)
}
