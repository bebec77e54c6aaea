//go:build ignore

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"socketlab/field/lib/goform"
)

func main() {
	port := goform.Role("server", func(say func(int), _ []int) {
		_ = http.Serve(goform.Listen(say), http.HandlerFunc(events))
	})
	goform.Role("app", func(say func(int), ports []int) {
		say(0)
		goform.Every(500*time.Millisecond, func(int) { go view(ports[0]) })
	}, port)
	goform.Ready()
}

func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	goform.Every(time.Second, func(int) {
		if r.Context().Err() == nil {
			fmt.Fprint(w, "data: x\n\n")
			w.(http.Flusher).Flush()
			return
		}
		panic(http.ErrAbortHandler)
	})
}

func view(port int) {
	ctx, cancel := context.WithCancel(context.Background())
	if !goform.Leaking() {
		time.AfterFunc(3*time.Second, cancel)
	}
	r, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("http://127.0.0.1:%d/events", port), nil)
	if err != nil {
		panic(err)
	}
	if resp, err := http.DefaultClient.Do(r); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	_ = cancel
}
