//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// perProcess is how many connections a process of clients holds: 1 % of 10,000, which are
// killed with it.
const perProcess = 100

// clients holds n connections to an address, each with one request after the other, and
// opens another for each that ends. Of its orders on standard input each closes (c) or
// resets (r) one; their end is its own.
func clients(address string, n int) {
	orders := make(chan byte)
	for range n {
		go func() {
			time.Sleep(rand.N(5 * time.Second)) // not all at once: the accept queue has room for 4096
			for {
				client(address, orders)
				time.Sleep(rand.N(500 * time.Millisecond))
			}
		}()
	}
	for in := bufio.NewReader(os.Stdin); ; {
		order, err := in.ReadByte()
		if err != nil {
			return
		}
		orders <- order
	}
}

// client holds one connection until an order or an error ends it.
func client(address string, orders <-chan byte) {
	c, err := net.Dial("tcp", address) //nolint:gosec // of the server that the soak has started
	if err != nil {
		return
	}
	defer c.Close()
	failed := make(chan struct{})
	go func() {
		for in := bufio.NewReader(c); ; {
			_, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: soak\r\n\r\n")
			if err == nil {
				var answer *http.Response
				if answer, err = http.ReadResponse(in, nil); err == nil {
					_, err = io.Copy(io.Discard, answer.Body)
					err = errors.Join(err, answer.Body.Close())
				}
			}
			if err != nil {
				close(failed)
				return
			}
		}
	}()
	select {
	case <-failed:
	case order := <-orders:
		if order == 'r' {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
	}
}

// crowd is the processes of the clients.
type crowd struct {
	address string
	members []*member
}

type member struct {
	cmd    *exec.Cmd
	orders io.WriteCloser
}

func (c *crowd) add() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "clients", c.address, fmt.Sprint(perProcess))
	cmd.Stderr, cmd.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Setpgid: true}
	orders, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	c.members = append(c.members, &member{cmd, orders})
	return cmd.Start()
}

// end ends a member: in order, by the end of its orders, or at once.
func (m *member) end(kill bool) {
	if kill {
		_ = m.cmd.Process.Kill()
	}
	_ = m.orders.Close()
	_ = m.cmd.Wait()
}

func (c *crowd) end() {
	for _, m := range c.members {
		m.end(true)
	}
}

// disturb ends 1 % of the connections, each time in another way, and returns what it did.
func (c *crowd) disturb(round int) (killed, reset, closed int, err error) {
	n := max(1, len(c.members)*perProcess/100)
	order := byte('r')
	switch round % 3 {
	case 0:
		for range max(1, n/perProcess) {
			victim := rand.N(len(c.members))
			c.members[victim].end(true)
			c.members[victim] = c.members[len(c.members)-1]
			c.members = c.members[:len(c.members)-1]
			if err := c.add(); err != nil {
				return 0, 0, 0, err
			}
		}
		return max(1, n/perProcess) * perProcess, 0, 0, nil
	case 1:
		reset = n
	default:
		order, closed = 'c', n
	}
	for range n {
		if _, err := c.members[rand.N(len(c.members))].orders.Write([]byte{order}); err != nil {
			return 0, 0, 0, fmt.Errorf("order to a process of clients: %w", err)
		}
	}
	return 0, reset, closed, nil
}

// view has viewers of a page come and go until ctx ends. Of three, one leaves in order, one
// resets its connection, and one reads nothing at all before it leaves.
func (s *soak) view(ctx context.Context, address string) {
	var all sync.WaitGroup
	defer all.Wait()
	for range s.viewers {
		all.Go(func() {
			for ctx.Err() == nil {
				pause(ctx, rand.N(2*time.Second))
				if err := s.viewer(ctx, address, rand.N(3)); err != nil && ctx.Err() == nil {
					s.wrong("a viewer of the page: %v", err)
					pause(ctx, time.Second)
				}
				s.change(func(s *state) { s.Viewers++ })
			}
		})
	}
}

func (s *soak) viewer(ctx context.Context, address string, manner int) error {
	c, err := (&net.Dialer{Timeout: 20 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET /events?viewer=%x HTTP/1.1\r\nHost: %s\r\n\r\n", rand.Uint64(), address); err != nil {
		return err
	}
	stay, cancel := context.WithTimeout(ctx, rand.N(40*time.Second))
	defer cancel()
	if manner == 2 {
		pause(stay, time.Hour)
		return nil
	}
	defer context.AfterFunc(stay, func() { _ = c.SetReadDeadline(time.Now()) })()
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		if stay.Err() != nil {
			return nil
		}
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusServiceUnavailable { // the page has 200 at most, and one that left is not known at once to have left
		s.change(func(s *state) { s.TurnedAway++ })
		return nil
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", answer.Status)
	}
	if _, err = io.Copy(io.Discard, answer.Body); stay.Err() == nil {
		return fmt.Errorf("its stream ended after a while: %w", err)
	}
	if manner == 1 {
		_ = c.(*net.TCPConn).SetLinger(0)
	}
	return nil
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
