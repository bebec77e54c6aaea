package server

import (
	"net"
	"sync"
	"sync/atomic"

	"socketlab/internal/scenario"
)

// What can be done with connections above the limit.
const (
	overWait   = "wait"   // leave them in the accept queue
	overRefuse = "refuse" // respond with status 503 and close
	overClose  = "close"  // close at once
)

var (
	MaxConnsKey = scenario.NewKey[int](&tcpKeys, scenario.Key{
		Name: "max_conns", Text: "accept at most this many connections at a time; 0 for no limit",
	})
	OverLimitKey = scenario.NewKey[string](&tcpKeys, scenario.Key{
		Name: "over_limit", OneOf: []string{overWait, overRefuse, overClose}, Needs: "max_conns",
		Text: "what to do with connections above {max_conns}; the default is wait, and refuse is a response with status 503",
	})
)

// connections is the register of a server's open connections, by the address
// of their client: a request knows that one, whatever it came through.
type connections struct {
	most int // 0: no limit that is kept here

	mu     sync.Mutex
	open   map[string]*conn
	served int // of them, those within the limit
}

// limit takes from b how many connections there may be, where those above are
// not left to wait unaccepted.
func (r *connections) limit(b scenario.Server) {
	if over := OverLimitKey.Of(b); over == overRefuse || over == overClose {
		r.most = MaxConnsKey.Of(b)
	}
}

// add enters a connection, and reports whether it is within the limit.
func (r *connections) add(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.over = r.most > 0 && r.served >= r.most; !c.over {
		r.served++
	}
	if r.open == nil {
		r.open = make(map[string]*conn)
	}
	// Where the client has reset a connection and has its port again before we
	// closed our end, the new connection takes the place of the old one.
	r.open[c.client] = c
	return !c.over
}

func (r *connections) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !c.over {
		r.served--
	}
	if r.open[c.client] == c {
		delete(r.open, c.client)
	}
}

// of returns the connection of a client, or nil.
func (r *connections) of(client string) *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open[client]
}

// closeAll closes every connection as the kernel does for a process that was
// killed: at once, whatever is under way, and without a word in TLS.
func (r *connections) closeAll() {
	r.mu.Lock()
	open := make([]*conn, 0, len(r.open))
	for _, c := range r.open {
		open = append(open, c)
	}
	r.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
}

// conn is a connection of the register.
type conn struct {
	*net.TCPConn
	in     *connections
	client string
	// requests is how many it has brought. Those of one HTTP/2 connection come
	// side by side.
	requests atomic.Int64
	over     bool          // above the limit
	hungUp   atomic.Bool   // nothing is sent any more
	gone     chan struct{} // closed when we close it
	left     sync.Once
	// cut ends the request that a parking keeps when the connection is closed; nil for
	// none. It is no method of its type, so that a program with no server links none.
	cut atomic.Pointer[func()]
}

func newConn(tcp *net.TCPConn, in *connections) *conn {
	return &conn{TCPConn: tcp, in: in, client: tcp.RemoteAddr().String(), gone: make(chan struct{})}
}

// Close closes the connection, and strikes it off the register.
func (c *conn) Close() error {
	c.left.Do(func() {
		c.in.remove(c)
		close(c.gone)
	})
	err := c.TCPConn.Close()
	if cut := c.cut.Swap(nil); cut != nil {
		(*cut)()
	}
	return err
}

// hangUp closes our half. What is written after that is lost: net/http would take
// an error for the end, and a connection that it closes with something unread is
// reset (RFC 2525 section 2.17).
func (c *conn) hangUp() {
	c.hungUp.Store(true)
	_ = c.CloseWrite()
}

// Write sends p, unless we have hung up.
func (c *conn) Write(p []byte) (int, error) {
	if c.hungUp.Load() {
		return len(p), nil
	}
	return c.TCPConn.Write(p)
}

// reset closes the connection with a RST in place of a FIN (tcp(7), SO_LINGER).
func (c *conn) reset() {
	_ = c.SetLinger(0)
	c.Close()
}
