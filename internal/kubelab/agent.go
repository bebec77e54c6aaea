package kubelab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// Agent is a client's pod.
type Agent struct {
	// Hub is the hub's host and port, Token what the hub expects.
	Hub, Token string
	Side       scenario.Side
	Index      int
	// Pod and Node say where the agent is; "" if that is not known.
	Pod, Node string
}

// dialTimeout is how long the hub's pod may take to be there: it may still be scheduled.
const dialTimeout = 5 * time.Minute

// Play plays what the hub says, until that is over.
func (a Agent) Play(ctx context.Context) error {
	if err := limitDescriptors(); err != nil {
		return fmt.Errorf("limit the descriptors: %w", err)
	}
	conn, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	out := &lines{to: conn}
	if err := out.write(hello{Token: a.Token, Side: a.Side, Index: a.Index, Pod: a.Pod, Node: a.Node}); err != nil {
		return err
	}
	in := bufio.NewScanner(conn)
	in.Buffer(nil, mostLine)
	var t task
	if !in.Scan() {
		return errors.Join(errors.New("the hub has hung up: it did not accept this client"), in.Err())
	}
	if err := json.Unmarshal(in.Bytes(), &t); err != nil {
		return fmt.Errorf("the hub's order: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	words := make(chan word, 2)
	go func() {
		for in.Scan() {
			var w word
			if json.Unmarshal(in.Bytes(), &w) == nil {
				words <- w
			}
		}
		cancel(errors.New("the hub is gone"))
	}()
	go out.keepAlive(ctx, answer{})
	err = a.play(ctx, t, netip.AddrPortFrom(conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap(), t.Port), out, words)
	if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil {
		return cause
	}
	if err != nil {
		_ = out.write(answer{Error: err.Error()})
	}
	return err
}

// dial connects to the hub, whose address may not be known or served yet.
func (a Agent) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dialer := net.Dialer{Timeout: 5 * time.Second}
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := dialer.DialContext(ctx, "tcp", a.Hub)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("find the hub at %s: %w", a.Hub, err)
		case <-again.C:
		}
	}
}

func (a Agent) play(ctx context.Context, t task, server netip.AddrPort, out *lines, words <-chan word) error {
	script, err := scenario.Parse(t.ID, []byte(t.Script), nil)
	if err != nil {
		return err
	}
	source, err := socketstats.OpenSource(socketstats.Auto)
	if err != nil {
		return err
	}
	defer source.Close()
	await := func(ctx context.Context, w word) error {
		select {
		case got := <-words:
			if got != w {
				return fmt.Errorf("the hub said %q in place of %q", got, w)
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	_, err = lab.Play(ctx, lab.Plan{
		Script: script.AtSpeed(t.Speed), Seed: t.Seed, Source: source,
		Sides: []lab.Side{{ID: string(a.Side), Code: t.Code, Server: server}},
		Observe: func(e series.Event) {
			_ = out.write(answer{Event: &e}) // a hub that is gone ends the run
		},
		Elsewhere: &lab.Elsewhere{
			Begin: func(ctx context.Context, _ []netip.AddrPort) error {
				if err := out.write(answer{Ready: true}); err != nil {
					return err
				}
				return await(ctx, begin)
			},
			Sent: func(ctx context.Context) error {
				if err := out.write(answer{Sent: true}); err != nil {
					return err
				}
				return await(ctx, counted)
			},
			Counted: func(context.Context) error { return nil },
		},
	})
	return err
}

// lines writes lines of JSON. It is safe for use by several goroutines.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

func (l *lines) write(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.to.Write(append(data, '\n'))
	return err
}

// keepAlive says nothing, again and again, until the context is over.
func (l *lines) keepAlive(ctx context.Context, nothing any) {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if l.write(nothing) != nil {
				return
			}
		}
	}
}
