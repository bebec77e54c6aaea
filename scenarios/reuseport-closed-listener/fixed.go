package reuseportclosedlistener

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"socketlab/internal/sockopt"
)

// ServeFixed runs the order service until ctx is done, with two workers at one
// port. The first ends after 10 connections, as workers with a limit do.
func ServeFixed(ctx context.Context, l net.Listener, _ http.Handler) error {
	socket := net.ListenConfig{Control: sockopt.ReusePort(true)}
	second, err := socket.Listen(ctx, "tcp", l.Addr().String())
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close(); second.Close() })
	go fixedWorker(l, 10)
	fixedWorker(second, 1<<30)
	return nil
}

func fixedWorker(l net.Listener, most int) {
	var orders sync.WaitGroup
	for range most {
		c, err := l.Accept()
		if err != nil {
			break
		}
		orders.Go(func() {
			defer c.Close()
			order, _ := bufio.NewReader(c).ReadString('\n')
			time.Sleep(2 * time.Second)
			fmt.Fprint(c, order)
		})
	}
	l.Close() // from now on all connections go to the other worker
	orders.Wait()
}
