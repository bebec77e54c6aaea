package bench

import (
	"context"
	"io"
	"net"
	"time"
)

// disturb is a neighbour for the tests of scripts/neighbours, not a part of a
// measurement: until it is told to end, it opens connections over loopback that are
// refused or reset, some thousand a second, and keeps one processor core busy.
func disturb(ctx context.Context, _ []string, _ io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			reset(c)
		}
	}()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := closed.Close(); err != nil {
		return err
	}
	go func() { // the busy core
		for ctx.Err() == nil {
		}
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		for range 4 {
			if c, err := net.Dial("tcp", closed.Addr().String()); err == nil {
				c.Close() // somebody listens there now
			}
			if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
				reset(c)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}
