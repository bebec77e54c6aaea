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

// At once are so many processes of the client for each method: together no more connections
// than the ten that cheroot keeps idle at most. It closes others with their answers.
const playedBeside = 5

// PlayRTT is a round trip that is long against the times of a busy machine.
const PlayRTT = 200 * time.Millisecond

// The limits of a play: no new trial begins after playFor, and none that would be more than
// the mostTrials-th of its method.
const (
	playFor    = 70 * time.Second
	mostTrials = 96 * playedBeside
)

// pauses are those that are tried: evenly spread from from to to.
type pauses struct {
	from, to time.Duration
	least    int
}

// at is the i-th pause. However many are tried, they are spread evenly: the multiples of the
// golden ratio, without their whole part, are.
func (p pauses) at(i int) time.Duration {
	_, part := math.Modf((float64(i) + 0.5) * (math.Phi - 1))
	return p.from + time.Duration(part*float64(p.to-p.from))
}

// plan says which pauses are tried.
func plan(m *profile.Match) (pauses, error) {
	shortest, longest := m.ServerFirst.Time, max(m.ServerFirst.Time, m.ServerIdle.Time)
	// Where the server's time varies, so does how much of it the profile has seen.
	varies := (longest - shortest) / 2
	p := pauses{from: shortest - m.Traffic.RTT*3/2 - varies, to: longest + m.Traffic.RTT/2 + varies, least: 5 * playedBeside}
	switch m.First {
	case profile.EachAnswer:
		return pauses{from: time.Second, to: time.Second, least: 2}, nil
	case profile.ClientCloses:
		p = pauses{from: m.ClientFirst.Time - time.Second, to: m.ClientIdle.Time + time.Second, least: 2 * playedBeside}
	case profile.ServerCloses, profile.Either:
	default:
		return pauses{}, fmt.Errorf("cannot be played: who closes first is %s", m.First)
	}
	if p.to > 100*time.Second {
		return pauses{}, fmt.Errorf("not played: it takes %s for each try", p.to.Round(time.Second))
	}
	p.from = max(p.from, 50*time.Millisecond)
	return p, nil
}

// Play plays the match. Where ctx ends it, what was played has the trials up to then beside
// the error; it is nil with any other error, and without a trial.
func (p Player) Play(ctx context.Context, m *profile.Match) (*profile.Played, error) {
	tries, err := plan(m)
	if err != nil {
		return nil, err
	}
	shared, err := p.server(ctx, m)
	if err != nil {
		return nil, err
	}
	defer shared.stop()
	played := &profile.Played{OwnClient: p.ClientDir == "", OwnServer: p.ServerDir == "", From: tries.from, To: tries.to}
	g, beside := errgroup.WithContext(ctx)
	var mu sync.Mutex // of played and its trials
	began := time.Now()
	for method, into := range map[string]*profile.PlayedMethod{http.MethodGet: &played.Get, http.MethodPost: &played.Post} {
		given := 0
		next := func() (time.Duration, bool) {
			mu.Lock()
			defer mu.Unlock()
			if given >= tries.least && (!m.Harmful() || given >= mostTrials || time.Since(began) > playFor || played.Precise(m.Traffic)) {
				return 0, false
			}
			given++
			return tries.at(given - 1), true
		}
		for range min(playedBeside, tries.least) {
			g.Go(func() error {
				server := shared
				if shared.alone { // one for each connection
					var err error
					if server, err = p.server(beside, m); err != nil {
						return err
					}
					defer server.stop()
				}
				return p.work(beside, m, method, server.addr, next, func(t profile.Trial) {
					mu.Lock()
					defer mu.Unlock()
					into.Trials = append(into.Trials, t)
				})
			})
		}
	}
	err = g.Wait()
	if played.Interrupted = err != nil && ctx.Err() != nil; played.Interrupted {
		err = ctx.Err() // and not what it made fail
	}
	if err != nil && (!played.Interrupted || len(played.Get.Trials)+len(played.Post.Trials) == 0) {
		return nil, err
	}
	played.Sum(m)
	return played, err
}

// work makes trials with one process of the client, as long as next has a pause.
func (p Player) work(ctx context.Context, m *profile.Match, method, server string, next func() (time.Duration, bool), done func(profile.Trial)) error {
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
	for d, more := next(); more; d, more = next() { // a trial each
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
		t := r.seen(failed)
		t.Planned = d
		done(t)
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
		closes, closed := (c.m.ClientFirst.Time+c.m.ClientIdle.Time)/2, c.m.ClientIdle.Bound == profile.Exact
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
		c.shut = time.AfterFunc((c.m.ClientFirst.Time+t.Time)/2, func() { _ = conn.Close() })
	}
	return nil
}
