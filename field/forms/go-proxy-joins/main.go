//go:build ignore

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"socketlab/field/lib/goform"
)

func main() {
	port := goform.Role("server", func(say func(int), _ []int) {
		_ = http.Serve(goform.Listen(say), http.HandlerFunc(events))
	})
	port = goform.Role("app", func(say func(int), ports []int) {
		up := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", ports[0])}
		proxy := httputil.NewSingleHostReverseProxy(up)
		proxy.FlushInterval = -1
		if goform.Leaking() {
			_ = http.Serve(goform.Listen(say), passOn(up.String()))
		}
		_ = http.Serve(goform.Listen(say), proxy)
	}, port)
	goform.Role("viewers", func(say func(int), ports []int) {
		say(0)
		goform.Every(time.Second, func(i int) {
			if goform.Leaking() || i < 30 {
				go view(ports[0])
			}
		})
	}, port)
	goform.Ready()
}

func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for r.Context().Err() == nil {
		fmt.Fprint(w, "data: x\n\n")
		w.(http.Flusher).Flush()
		time.Sleep(500 * time.Millisecond)
	}
}

// passOn has a reader for each viewer, which does not end with it.
func passOn(up string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lines := make(chan string, 10)
		go func() {
			resp, err := http.Get(up)
			if err != nil {
				return
			}
			defer resp.Body.Close()
			for s := bufio.NewScanner(resp.Body); s.Scan(); {
				select {
				case lines <- s.Text():
				default: // a slow viewer loses some
				}
			}
		}()
		for {
			select {
			case <-r.Context().Done():
				return
			case line := <-lines:
				fmt.Fprintln(w, line)
				w.(http.Flusher).Flush()
			}
		}
	}
}

func view(port int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if goform.Leaking() {
		time.AfterFunc(3*time.Second, cancel)
	}
	r, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
	if err != nil {
		panic(err)
	}
	if resp, err := http.DefaultClient.Do(r); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}
