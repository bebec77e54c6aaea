package server

import (
	"context"
	"net"

	"socketlab/internal/scenario"
)

// protocol is something that a server speaks. Each is a file of this package, which
// declares its keys and registers it in an init function; http, https and h2c share
// two. Nothing else has to know of it.
type protocol struct {
	scenario.Protocol
	// listen opens the socket of a server; nil is a TCP listener.
	listen func(addr string, b scenario.Server) (Socket, error)
	// open makes what serves the protocol for one server.
	open func(s *Server) speaker
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

var protocols = map[string]protocol{}

func register(p protocol) {
	protocols[p.Name] = p
	scenario.RegisterProtocol(p.Protocol)
}

// Listen opens the socket that a server of this behaviour serves at. What the
// system cannot do of the behaviour is an error that wraps errors.ErrUnsupported.
// The caller closes the socket, or hands it to Serve.
func Listen(addr string, b scenario.Server) (Socket, error) {
	if listen := protocols[b.Protocol].listen; listen != nil {
		return listen(addr, b)
	}
	return listenTCP(addr, b)
}
