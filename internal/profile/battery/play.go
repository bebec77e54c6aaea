package battery

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"socketlab/internal/profile"
)

// Player plays a match: the client and the server over a relay that delays, with pauses
// about the time at which the one or the other closes.
type Player struct {
	Supervisor []string
	// ClientDir and ServerDir are where the programs of the match are installed; "" plays
	// the lab's own in its place, set to the same times.
	ClientDir, ServerDir string
	Say                  func(format string, args ...any)
}

// At once are so many processes of the client for each method.
const playedBeside = 12

// PlayRTT is a round trip that is long against the times of a busy machine.
const PlayRTT = 200 * time.Millisecond

// plan are the pauses that are tried, step apart.
func plan(m *profile.Match) (pauses []time.Duration, step time.Duration, err error) {
	shortest, longest := m.ServerFirst.Time, max(m.ServerFirst.Time, m.ServerIdle.Time)
	// Where the server's time varies, so does how much of it the profile has seen.
	varies := (longest - shortest) / 2
	from, to := shortest-m.Traffic.RTT*3/2-varies, longest+m.Traffic.RTT/2+varies
	n := 0
	switch m.First {
	case profile.EachAnswer:
		return []time.Duration{time.Second, time.Second}, 0, nil
	case profile.ClientCloses:
		from, to, n = m.ClientIdle.Time-time.Second, m.ClientIdle.Time+time.Second, playedBeside
	case profile.ServerCloses, profile.Either:
	default:
		return nil, 0, fmt.Errorf("cannot be played: who closes first is %s", m.First)
	}
	if to > 100*time.Second {
		return nil, 0, fmt.Errorf("not played: it takes %s for each try", to.Round(time.Second))
	}
	from = max(from, 50*time.Millisecond)
	if n == 0 {
		n = int(math.Ceil(float64(to-from)/float64(m.Traffic.RTT/12)/playedBeside)) * playedBeside
		n = max(2*playedBeside, min(n, 6*playedBeside))
	}
	step = (to - from) / time.Duration(n)
	for i := range n {
		pauses = append(pauses, from+step/2+step*time.Duration(i))
	}
	return pauses, step, nil
}

// Play plays the match.
func (p Player) Play(ctx context.Context, m *profile.Match) (*profile.Played, error) {
	pauses, step, err := plan(m)
	if err != nil {
		return nil, err
	}
	played := &profile.Played{Trials: len(pauses), OwnClient: p.ClientDir == "", OwnServer: p.ServerDir == ""}
	g, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	firsts := map[profile.Closer]int{}
	shared, err := p.server(ctx, m)
	if err != nil {
		return nil, err
	}
	defer shared.stop()
	for method, into := range map[string]*profile.PlayedMethod{"GET": &played.Get, "POST": &played.Post} {
		workers := min(playedBeside, len(pauses))
		for w := range workers {
			g.Go(func() error {
				server := shared
				if shared.alone { // one for each connection
					var err error
					if server, err = p.server(ctx, m); err != nil {
						return err
					}
					defer server.stop()
				}
				var mine []time.Duration
				for i := w; i < len(pauses); i += workers {
					mine = append(mine, pauses[i])
				}
				return p.work(ctx, m, method, server.addr, mine, func(t tried) {
					mu.Lock()
					defer mu.Unlock()
					firsts[t.first]++
					t.enter(m, into, step)
				})
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	played.First = profile.Neither
	switch client, server := firsts[profile.ClientCloses], firsts[profile.ServerCloses]; {
	case client > server:
		played.First = profile.ClientCloses
	case server > 0:
		played.First = profile.ServerCloses
	}
	if played.First == profile.ServerCloses && m.First == profile.EachAnswer {
		played.First = profile.EachAnswer
	}
	for _, method := range []*profile.PlayedMethod{&played.Get, &played.Post} {
		if method.Later > 0 {
			method.Errors += m.Late * float64(method.LaterFailed) / float64(method.Later)
		}
	}
	return played, nil
}

// tried is one trial.
type tried struct {
	pause  time.Duration
	met    bool
	failed bool
	first  profile.Closer
}

// enter counts a trial for a method. It stands for the pauses within half a step of it.
func (t tried) enter(m *profile.Match, into *profile.PlayedMethod, step time.Duration) {
	perSecond := m.Traffic.PerSecond / float64(m.Traffic.Connections)
	weight := perSecond * math.Exp(-perSecond*t.pause.Seconds()) * step.Seconds()
	switch {
	case t.met:
		into.Met++
		into.Meets += weight
		if t.failed {
			into.MetFailed++
			into.Errors += weight
		}
	case t.first == profile.ServerCloses && m.First != profile.EachAnswer:
		into.Later++
		if t.failed {
			into.LaterFailed++
		}
	case t.failed:
		into.OtherFailed++
	}
}

// work makes trials with one process of the client.
func (p Player) work(ctx context.Context, m *profile.Match, method, server string, pauses []time.Duration, done func(tried)) error {
	r, err := newRelay(ctx, server, m.Traffic.RTT)
	if err != nil {
		return err
	}
	defer r.close()
	c, err := p.client(ctx, m, method, r.addr())
	if err != nil {
		return err
	}
	defer c.end()
	for _, d := range pauses {
		if err := c.call(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err = c.call(ctx); err != nil { // the first met what a trial left
				return fmt.Errorf("%s: a call on a new connection failed: %w", m.Client.Name, err)
			}
		}
		r.forget()
		if !pause(ctx, d) {
			return ctx.Err()
		}
		failed := c.call(ctx) != nil
		// The client may know of the close before its request is at the server.
		if !pause(ctx, m.Traffic.RTT) {
			return ctx.Err()
		}
		met, first := r.seen(failed)
		done(tried{pause: d, met: met, failed: failed, first: first})
	}
	return nil
}

// playedServer is a server that is played.
type playedServer struct {
	addr string
	// alone says that it serves too few connections for all clients.
	alone bool
	stop  func()
}

func (p Player) server(ctx context.Context, m *profile.Match) (*playedServer, error) {
	if p.ServerDir == "" {
		return ownServer(m)
	}
	program := Program{Command: m.Server.Command, Dir: p.ServerDir, Supervisor: p.Supervisor}
	stop := func() {}
	if m.Server.Kind == profile.Proxy {
		u, err := newUpstream()
		if err != nil {
			return nil, err
		}
		program.Backend, stop = u.addr(), u.close
	}
	i, err := program.Start(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	most, err := strconv.Atoi(m.Server.Values["connection_limit"].Word)
	return &playedServer{addr: i.Addr, alone: err == nil && most < 3*playedBeside, stop: func() { i.Stop(); stop() }}, nil
}

// ownServer is a server of ours with the idle time of the match.
func ownServer(m *profile.Match) (*playedServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })}
	if idle := m.ServerIdle; idle.Bound == profile.Exact {
		// Between the two, where they differ: it has one time for all.
		s.IdleTimeout = (m.ServerFirst.Time + idle.Time) / 2
		s.SetKeepAlivesEnabled(s.IdleTimeout > 0)
	} else {
		s.IdleTimeout = time.Hour
	}
	go func() { _ = s.Serve(l) }()
	return &playedServer{addr: l.Addr().String(), stop: func() { _ = s.Close() }}, nil
}

// caller is a client that makes calls one at a time. An error of call is what the caller
// of the program sees.
type caller interface {
	call(ctx context.Context) error
	end()
}

func (p Player) client(ctx context.Context, m *profile.Match, method, addr string) (caller, error) {
	if p.ClientDir == "" {
		return &ownClient{m: m, method: method, addr: addr}, nil
	}
	if m.Client.Kind == profile.Proxy {
		i, err := Program{Command: m.Client.Command, Dir: p.ClientDir, Supervisor: p.Supervisor, Backend: addr}.Start(ctx)
		if err != nil {
			return nil, err
		}
		return &proxyCaller{i, method}, nil
	}
	url := "http://" + addr + "/"
	started, err := start(p.Supervisor, p.ClientDir, line(m.Client.Command, url), []string{
		"SOCKETLAB_URL=" + url, "SOCKETLAB_ADDR=" + addr, "SOCKETLAB_METHOD=" + method, "SOCKETLAB_BODY=read", "SOCKETLAB_CLIENT=shared",
		"http_proxy=", "HTTP_PROXY=", "all_proxy=", "ALL_PROXY=",
	})
	if err != nil {
		return nil, err
	}
	return programCaller{started}, nil
}

// programCaller calls by a program's lines.
type programCaller struct{ *program }

func (c programCaller) call(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	r, err := c.do(ctx)
	if err == nil && !r.OK && !strings.HasPrefix(r.Error, "HTTP_4") { // 405 is an answer, too
		err = errors.New(r.String())
	}
	return err
}

// proxyCaller calls through a proxy, each time as a new client.
type proxyCaller struct {
	*Instance
	method string
}

func (c *proxyCaller) end() { c.Stop() }

func (c *proxyCaller) call(ctx context.Context) error {
	conn, err := dial(ctx, c.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	return failure(conn.roundTrip(time.Now().Add(startTimeout), c.method, "/", bodyFields(c.method)...))
}

func bodyFields(method string) []string {
	if method == http.MethodPost {
		return []string{"Content-Length: 0"}
	}
	return nil
}

func failure(a response, err error) error {
	if err == nil && a.StatusCode >= 500 {
		err = errors.New(a.Status)
	}
	return err
}

// ownClient has one connection, which it closes after the idle time of the match. What it
// does where a request meets a closed connection is what was measured of the program.
type ownClient struct {
	m            *profile.Match
	method, addr string

	conn *probe
	used time.Time
	shut *time.Timer
}

func (c *ownClient) end() { c.drop() }

func (c *ownClient) drop() {
	if c.shut != nil {
		c.shut.Stop()
	}
	if c.conn != nil {
		_ = c.conn.Close()
	}
	c.conn, c.shut = nil, nil
}

func (c *ownClient) call(ctx context.Context) error {
	err := c.once(ctx)
	outcome := c.m.Get
	if c.method == http.MethodPost {
		outcome = c.m.Post
	}
	if answered, _ := profile.Answered(outcome.Meeting); err != nil && answered {
		err = c.once(ctx)
	}
	return err
}

func (c *ownClient) once(ctx context.Context) error {
	if c.conn != nil {
		idle := time.Since(c.used)
		closes, closed := c.m.ClientIdle.Time, c.m.ClientIdle.Bound == profile.Exact
		uses, limited := c.m.UsedFor.Time, c.m.UsedFor.Bound == profile.Exact
		_ = c.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := c.conn.r.Peek(1)
		if closed && idle >= closes || limited && idle >= uses || howEnded(err) != open {
			c.drop()
		}
	}
	if c.conn == nil {
		conn, err := dial(ctx, c.addr)
		if err != nil {
			return err
		}
		c.conn = conn
	} else if c.shut != nil && !c.shut.Stop() {
		c.drop()
		return c.once(ctx)
	}
	a, err := c.conn.roundTrip(time.Now().Add(soon), c.method, "/", bodyFields(c.method)...)
	c.used = time.Now()
	if err = failure(a, err); err != nil || a.Close {
		c.drop()
		return err
	}
	if t := c.m.ClientIdle; t.Bound == profile.Exact {
		conn := c.conn
		c.shut = time.AfterFunc(t.Time, func() { _ = conn.Close() })
	}
	return nil
}
