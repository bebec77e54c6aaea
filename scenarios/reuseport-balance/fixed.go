package reuseportbalance

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// ServeFixed runs the counter service until ctx is done, with four workers,
// which share one listener.
func ServeFixed(ctx context.Context, l net.Listener, _ http.Handler) error {
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	var all sync.WaitGroup
	shared, err := listenReusePort(at)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { shared.Close() })
	for number := range 4 {
		all.Go(func() { work(shared, number) })
	}
	all.Wait()
	return nil
}
