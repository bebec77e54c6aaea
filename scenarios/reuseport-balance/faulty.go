package reuseportbalance

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// ServeFaulty runs the counter service until ctx is done, with four workers,
// each with a listener of its own.
func ServeFaulty(ctx context.Context, l net.Listener, _ http.Handler) error {
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	var all sync.WaitGroup
	for number := range 4 {
		own, err := listenReusePort(at)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { own.Close() })
		all.Go(func() { work(own, number) })
	}
	all.Wait()
	return nil
}
