package ssesubscriberforgotten

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// ServeFaulty runs the news service until ctx is done: a stream of server-sent
// events for each subscriber, on a topic that seldom has any.
func ServeFaulty(ctx context.Context, l net.Listener, _ http.Handler) error {
	var topic sync.Map // the channel of each subscriber
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		events := make(chan string, 1)
		topic.Store(events, r.RemoteAddr)
		w.Header().Set("Content-Type", "text/event-stream")
		stream := http.NewResponseController(w)
		stream.Flush()
		for event := range events {
			fmt.Fprintf(w, "data: %s\n\n", event)
			stream.Flush()
		}
	})}
	context.AfterFunc(ctx, func() { srv.Close() })
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
