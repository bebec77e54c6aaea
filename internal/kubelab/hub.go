package kubelab

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// Hub is the server's pod. All but Swap and Namespace are required.
type Hub struct {
	// Script is the scenario, at its own speed.
	Script scenario.Script
	Speed  float64
	// Seed is that of the first client of each side; each other one has the next.
	Seed uint64
	// Swap has each side play the other half's code.
	Swap bool
	// Clients is how many clients each side has.
	Clients int
	// Host is the address to listen on, for the agents and for the servers.
	Host netip.Addr
	// Token is what agents show.
	Token string
	// Namespace is that of the pods; "" if it is not known.
	Namespace string
	// Patience is how long all clients may take to be ready.
	Patience time.Duration
	// Out takes what sockwatch run reads.
	Out io.Writer
}

// hub is a hub at work.
type hub struct {
	*Hub
	out *lines

	mu     sync.Mutex // guards all below, and each part
	merger *merger
	conns  map[*part]net.Conn
	ready  int
	sent   int
	ended  int
	begun  bool
	failed error
	// stopped says why a client ended its load before its time: it is no failure.
	stopped string
	changed chan struct{} // closed, and made anew, at each change
}

// Serve plays one run, and returns once it is over. What went wrong is written to
// Out, too.
func (h Hub) Serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", netip.AddrPortFrom(h.Host, HubPort).String())
	if err != nil {
		return err
	}
	defer listener.Close()
	x := &hub{Hub: &h, out: &lines{to: h.Out}, conns: map[*part]net.Conn{}, changed: make(chan struct{})}
	var clients []*part
	for _, side := range scenario.Sides() {
		for i := range h.Clients {
			clients = append(clients, &part{side: side, index: i})
		}
	}
	x.merger = newMerger(series.Cluster{Clients: h.Clients, Namespace: h.Namespace}, clients, func(e series.Event) { _ = x.out.write(line{Event: &e}) })
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go x.accept(ctx, listener)
	go x.out.keepAlive(ctx, line{})
	err = x.play(ctx)

	x.mu.Lock()
	defer x.mu.Unlock()
	for _, conn := range x.conns {
		_ = conn.Close()
	}
	// What failed elsewhere is the reason why the run was ended here.
	if x.failed != nil {
		err = x.failed
	} else if x.stopped != "" && errors.Is(err, lab.ErrInterrupted) {
		err = nil
	}
	stopped := x.stopped
	if err != nil {
		stopped = err.Error()
	}
	x.merger.finish(stopped)
	if err != nil {
		_ = x.out.write(line{Error: err.Error()})
	}
	_ = x.out.write(line{Over: true})
	return err
}

// play starts the servers and plays the run, until its end or until a client fails.
func (x *hub) play(ctx context.Context) error {
	source, err := socketstats.OpenSource(socketstats.Auto)
	if err != nil {
		return err
	}
	defer source.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends the run when a client has failed or stopped
		_ = x.await(ctx, func() bool { return x.failed != nil || x.stopped != "" })
		cancel()
	}()
	sides := lab.Pair()
	if x.Swap {
		sides = lab.Swap(sides)
	}
	for i := range sides {
		sides[i].ServerOnly = true
		sides[i].Listen = netip.AddrPortFrom(x.Host, portOf(scenario.Side(sides[i].ID))).String()
	}
	all := 2 * x.Clients
	_, err = lab.Play(ctx, lab.Plan{
		Script: x.Script.AtSpeed(x.Speed), Seed: x.Seed, Sides: sides, Source: source,
		Observe: func(e series.Event) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.merger.add(x.merger.own, e)
		},
		Elsewhere: &lab.Elsewhere{
			Begin: func(ctx context.Context, _ []netip.AddrPort) error {
				within, cancel := context.WithTimeout(ctx, x.Patience)
				defer cancel()
				if err := x.await(within, func() bool { return x.ready == all }); err != nil {
					x.mu.Lock()
					defer x.mu.Unlock()
					return cmp.Or(ctx.Err(), fmt.Errorf("%d of %d clients were ready within %s; missing: %s", x.ready, all, x.Patience, x.missing()))
				}
				x.mu.Lock()
				x.begun = true
				x.mu.Unlock()
				x.tell(begin)
				return nil
			},
			Sent: func(ctx context.Context) error {
				within, cancel := context.WithTimeout(ctx, endTimeout)
				defer cancel()
				if x.await(within, func() bool { return x.sent == all }) != nil {
					x.mu.Lock()
					defer x.mu.Unlock()
					return cmp.Or(ctx.Err(), fmt.Errorf("%d of %d clients had sent their whole load %s after its end: the nodes are too busy for this speed", x.sent, all, endTimeout))
				}
				return nil
			},
			Counted: func(ctx context.Context) error {
				x.tell(counted)
				within, cancel := context.WithTimeout(ctx, endTimeout)
				defer cancel()
				if x.await(within, func() bool { return x.ended == all || x.failed != nil }) != nil {
					x.mu.Lock()
					defer x.mu.Unlock()
					return fmt.Errorf("%d of %d clients gave their last report within %s", x.ended, all, endTimeout)
				}
				return nil
			},
		},
	})
	return err
}

// await waits until something is so, which it asks under mu.
func (x *hub) await(ctx context.Context, so func() bool) error {
	for {
		x.mu.Lock()
		if so() {
			x.mu.Unlock()
			return nil
		}
		changed := x.changed
		x.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change is called under mu.
func (x *hub) change() {
	close(x.changed)
	x.changed = make(chan struct{})
}

// missing names some of the clients that are not there. It is called under mu.
func (x *hub) missing() string {
	var names []string
	for _, p := range x.merger.clients {
		if x.conns[p] == nil {
			names = append(names, clientID(p.side, p.index))
		}
	}
	const most = 5
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}

// tell says a word to all agents.
func (x *hub) tell(w word) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, conn := range x.conns {
		_ = (&lines{to: conn}).write(w) // one that is gone is noticed by its silence
	}
}

func (x *hub) accept(ctx context.Context, listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go x.serve(ctx, conn)
	}
}

// serve hears one agent to its end.
func (x *hub) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	in := bufio.NewScanner(conn)
	in.Buffer(nil, mostLine)
	next := func(into any) error {
		_ = conn.SetReadDeadline(time.Now().Add(silence))
		if !in.Scan() {
			return cmp.Or(in.Err(), io.EOF)
		}
		return json.Unmarshal(in.Bytes(), into)
	}
	var who hello
	if next(&who) != nil || who.Token != x.Token {
		return
	}
	p := x.join(who, conn)
	if p == nil {
		return
	}
	code := p.side
	if x.Swap {
		code = code.Other()
	}
	err := (&lines{to: conn}).write(task{
		ID: x.Script.ID, Script: x.Script.Text, Speed: x.Speed, Seed: x.Seed + uint64(p.index), Code: code, Port: portOf(p.side),
	})
	for err == nil {
		var a answer
		if err = next(&a); err == nil {
			err = x.take(p, a)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	var said agentError
	if (p.end == nil || errors.As(err, &said)) && x.failed == nil && x.stopped == "" && ctx.Err() == nil {
		at := "before the load began"
		if x.begun {
			at = fmt.Sprintf("after %s", x.merger.at.Round(100*time.Millisecond))
		}
		x.failed = fmt.Errorf("client %s (pod %s, node %s) was lost %s: %s", clientID(p.side, p.index), p.pod, p.node, at, whyLost(err))
		x.change()
	}
}

// agentError is what an agent says of itself.
type agentError string

func (e agentError) Error() string { return string(e) }

func whyLost(err error) string {
	var said agentError
	var timeout net.Error
	switch {
	case errors.As(err, &said):
		return string(said)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("nothing was heard of it for %s: is its node gone?", silence)
	case errors.Is(err, io.EOF):
		return "its connection was closed: its pod has ended"
	}
	return err.Error()
}

// join notes which client an agent is; nil where it is none, or is there already.
func (x *hub) join(who hello, conn net.Conn) *part {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range x.merger.clients {
		if p.side == who.Side && p.index == who.Index && x.conns[p] == nil {
			p.pod, p.node = who.Pod, who.Node
			x.conns[p] = conn
			return p
		}
	}
	return nil
}

// take notes what an agent said.
func (x *hub) take(p *part, a answer) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case a.Error != "":
		return agentError(a.Error)
	case a.Ready:
		x.ready++
		_ = x.out.write(line{Ready: x.ready, Of: len(x.merger.clients)})
	case a.Sent:
		x.sent++
	case a.Event != nil:
		x.merger.add(p, *a.Event)
		if a.Event.End == nil {
			return nil
		}
		x.ended++
		// What has failed says so in a line of its own.
		if of := a.Event.End.Subjects; len(of) == 1 && of[0].Stopped != "" && x.stopped == "" {
			x.stopped = fmt.Sprintf("client %s (pod %s) %s", clientID(p.side, p.index), p.pod, of[0].Stopped)
		}
	default:
		return nil
	}
	x.change()
	return nil
}
