package server

import (
	"fmt"
	"net"
	"slices"

	"socketlab/internal/scenario"
)

// Listen listens on addr with the queue that b asks for. What the system
// cannot do of that is an error.
func Listen(addr string, b scenario.Server) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	switch {
	case b.NoAccept:
		err = setBacklog(l, 0)
	case b.Backlog > 0:
		err = setBacklog(l, b.Backlog)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// toyDBResponses is what can become of an answer of one line.
var toyDBResponses = []scenario.Response{scenario.Whole, scenario.Hangs, scenario.Closes, scenario.Resets}

// Check says what of b this server cannot do, though a script may say it, or
// returns nil.
func Check(b scenario.Server) error {
	switch b.Protocol {
	case scenario.DNS:
		return fmt.Errorf("protocol %s is the name server's, which package nameserver has", b.Protocol)
	case scenario.Balancer:
		if len(b.Responses) > 0 || b.NoResponse || b.Workers > 0 || b.PauseFor > 0 {
			return fmt.Errorf("a balancer knows nothing of requests: responses, no_response, workers and pauses are for its upstreams")
		}
	case scenario.ToyDB:
		for _, a := range b.Responses {
			if !slices.Contains(toyDBResponses, a) {
				return fmt.Errorf("response %q: a row is one line, and has no middle: use one of %v", a, toyDBResponses)
			}
		}
	}
	return nil
}

func (s *Server) checkUpstreams() error {
	if s.cfg.Behaviour.Protocol == scenario.Balancer && len(s.cfg.Upstreams) == 0 {
		return fmt.Errorf("a balancer needs upstreams")
	}
	return nil
}
