package battery

import (
	"context"
	"net"
	"sync"
	"time"

	"socketlab/internal/profile"
)

// relay stands between a client and a server and delays all by half a round trip in each
// direction, so that a close and a request can cross. It notes who closes first, and which
// requests come to a server that has closed.
type relay struct {
	listener net.Listener
	server   string
	delay    time.Duration
	done     sync.WaitGroup
	ctx      context.Context
	cancel   context.CancelFunc

	mu sync.Mutex
	// met counts requests that the server did not answer because it closed, and that were
	// sent before the client could know; edge those soon after it could know. first is who
	// closed the last connection that was closed.
	met, edge int
	first     profile.Closer
	// served is when the server sent the last part of an answer, given when that was handed
	// to the client, and asked when the client asked again since forget, on any connection.
	// closed is when the server closed first since forget. Zero is not yet.
	served, given, asked, closed time.Time
	// answered and handed are served and given at the time of forget.
	answered, handed time.Time
}

func newRelay(ctx context.Context, server string, rtt time.Duration) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, server: server, delay: rtt / 2, first: profile.Neither}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.done.Go(func() { r.carry(c) })
		}
	})
	return r, nil
}

func (r *relay) addr() string { return r.listener.Addr().String() }

func (r *relay) close() {
	r.cancel()
	_ = r.listener.Close()
	r.done.Wait()
}

// forget forgets what was noted.
func (r *relay) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.met, r.edge, r.first = 0, 0, profile.Neither
	r.asked, r.closed = time.Time{}, time.Time{}
	r.answered, r.handed = r.served, r.given
}

// seen returns what was noted since forget. failed says whether the caller got an error.
func (r *relay) seen(failed bool) profile.Trial {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := profile.Trial{Met: r.met > 0 || failed && r.edge > 0, Failed: failed, First: r.first}
	if !r.asked.IsZero() {
		t.Pause = r.asked.Sub(r.handed)
	}
	if !r.closed.IsZero() {
		t.ServerIdle = r.closed.Sub(r.answered)
	}
	return t
}

// answers notes that the server sends a part of an answer.
func (r *relay) answers(c *carried) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.served, c.pending = time.Now(), false
}

// asks notes that the client asks.
func (r *relay) asks() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked.IsZero() {
		r.asked = time.Now()
	}
}

// parcel is what one end sent at a moment; data is nil for its close.
type parcel struct {
	at   time.Time
	data []byte
}

// carried is one connection. The relay's mu guards closed, the moment at which the server
// closed, and told, that at which the client's kernel had its FIN.
type carried struct {
	client, server net.Conn
	closed, told   time.Time
	// pending says that the server has a request and has sent nothing since.
	pending bool
}

// reactionTime is what a client on a busy machine needs to take note of a FIN: a request
// that fails within this time after it met the close as well.
const reactionTime = 50 * time.Millisecond

func (r *relay) carry(client net.Conn) {
	defer client.Close()
	d := net.Dialer{}
	server, err := d.DialContext(r.ctx, "tcp", r.server)
	if err != nil {
		return
	}
	defer server.Close()
	c := &carried{client: client, server: server}
	stop := context.AfterFunc(r.ctx, func() {
		_ = client.Close()
		_ = server.Close()
	})
	defer stop()
	up, down := make(chan parcel, 64), make(chan parcel, 64)
	var both sync.WaitGroup
	both.Go(func() { take(client, up, r.asks, func() { r.closes(c, profile.ClientCloses) }) })
	both.Go(func() { take(server, down, func() { r.answers(c) }, func() { r.closes(c, profile.ServerCloses) }) })
	both.Go(func() { r.deliverUp(c, up) })
	both.Go(func() {
		for p := range down {
			if !pause(r.ctx, time.Until(p.at.Add(r.delay))) {
				continue // to its end
			}
			if p.data == nil {
				_ = client.(*net.TCPConn).CloseWrite()
				r.mu.Lock()
				c.told = time.Now()
				r.mu.Unlock()
			} else {
				r.mu.Lock()
				r.given = time.Now()
				r.mu.Unlock()
				_, _ = client.Write(p.data)
			}
		}
	})
	both.Wait()
}

// take reads what an end sends until it closes.
func take(from net.Conn, to chan<- parcel, sends, closes func()) {
	defer close(to)
	for {
		data := make([]byte, 16<<10)
		n, err := from.Read(data)
		if n > 0 {
			sends()
			to <- parcel{time.Now(), data[:n]}
		}
		if err != nil {
			closes()
			to <- parcel{time.Now(), nil}
			return
		}
	}
}

// closes notes that an end closed, if it is the first.
func (r *relay) closes(c *carried, by profile.Closer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil || !c.closed.IsZero() {
		return
	}
	r.first = by
	c.closed = time.Now()
	if by == profile.ServerCloses {
		if !r.served.After(r.answered) { // after an answer it would be another time
			r.closed = c.closed
		}
		if c.pending { // it had decided to close before it read the request
			r.met++
		}
	}
	if by == profile.ClientCloses {
		c.closed = c.closed.Add(1000 * time.Hour) // the server did not
	}
}

// deliverUp brings the client's requests to the server. One that the server has closed
// is answered by the server's kernel with RST.
func (r *relay) deliverUp(c *carried, up <-chan parcel) {
	for p := range up {
		if !pause(r.ctx, time.Until(p.at.Add(r.delay))) {
			continue
		}
		r.mu.Lock()
		late := !c.closed.IsZero() && time.Now().After(c.closed)
		switch {
		case p.data == nil:
		case !late:
			c.pending = true
		case c.told.IsZero() || p.at.Before(c.told):
			r.met++
		case p.at.Before(c.told.Add(reactionTime)):
			r.edge++
		}
		r.mu.Unlock()
		switch {
		case late && p.data != nil:
			if pause(r.ctx, r.delay) {
				_ = c.client.(*net.TCPConn).SetLinger(0)
				_ = c.client.Close()
			}
		case p.data == nil:
			_ = c.server.(*net.TCPConn).CloseWrite()
			if late { // both have closed
				_ = c.client.Close()
			}
		default:
			_, _ = c.server.Write(p.data)
		}
	}
}
