package reuseportbalance

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// listenReusePort listens where others may listen as well: the kernel spreads the
// connections over them.
func listenReusePort(at string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		if err := c.Control(func(fd uintptr) { set = setReusePort(fd) }); err != nil {
			return err
		}
		return set
	}}
	return config.Listen(context.Background(), "tcp", at)
}

// work serves one client after the other, and tells each which worker it is.
func work(l net.Listener, number int) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
		_, _ = fmt.Fprintln(c, number)
		go func() { // until the client leaves
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}()
	}
}
