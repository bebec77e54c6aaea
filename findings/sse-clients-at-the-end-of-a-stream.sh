#!/usr/bin/env bash
# r3labs/sse takes the end of an event stream for success; launchdarkly/eventsource asks on after 204.
#
# Version   github.com/r3labs/sse/v2 v2.10.0, github.com/launchdarkly/eventsource v1.11.0,
#           github.com/tmaxmax/go-sse v0.12.0; go1.26.8.
# Expected  A client of server-sent events connects again when the server ends the stream, after the time of
#           the last "retry:" (100 ms here), and stops at 204: "A client can be told to stop reconnecting
#           using the HTTP 204 No Content response code" (HTML standard, 9.2). go-sse does both.
# Real      r3labs/sse connects once: SubscribeRaw returns nil when the stream ends, and no event comes any
#           more. launchdarkly/eventsource connects again after 204 as well, each 100 ms or more.
# Matters   With r3labs each restart of the server, or the time limit of a proxy, ends the subscription
#           without an error. With launchdarkly a server that sends its clients away by 204 gets their
#           requests without end, at the interval that it once chose for short breaks.
# Seen      r3labs: end of the stream: 1 connection, returned <nil>
#           launchdarkly: end of the stream: connects again; 204: connects again
#           go-sse: end of the stream: connects again; 204: stops
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'MOD'
module finding

go 1.26.0
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/launchdarkly/eventsource"
	r3labs "github.com/r3labs/sse/v2"
	"github.com/tmaxmax/go-sse"
)

var (
	mu   sync.Mutex
	seen = map[string]int{} // requests by path
)

// serve ends each stream after one event. A path /204/... gets 204 from the second
// request on.
func serve(w http.ResponseWriter, r *http.Request) {
	mu.Lock()
	seen[r.URL.Path]++
	n := seen[r.URL.Path]
	mu.Unlock()
	if n > 1 && r.URL.Path[:5] == "/204/" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "retry: 100\n\ndata: hi\n\n")
}

// again says whether there were more requests than the first and the one after it.
func again(path string) string {
	mu.Lock()
	defer mu.Unlock()
	if seen[path] > 2 {
		return "connects again"
	}
	return "stops"
}

func main() {
	s := httptest.NewServer(http.HandlerFunc(serve))
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second)
	defer cancel()
	returned := make(chan error, 1)
	go func() {
		returned <- r3labs.NewClient(s.URL+"/end/r3labs").SubscribeRawWithContext(ctx, func(*r3labs.Event) {})
	}()
	for _, path := range []string{"/end/", "/204/"} {
		go func() {
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path+"go-sse", nil)
			_ = sse.NewConnection(r).Connect()
		}()
		go func() {
			stream, err := eventsource.Subscribe(s.URL+path+"launchdarkly", "")
			if err != nil {
				fmt.Println(err)
				return
			}
			go func() {
				for range stream.Errors {
				}
			}()
			for range stream.Events {
			}
		}()
	}
	err := <-returned
	<-ctx.Done()
	mu.Lock()
	n := seen["/end/r3labs"]
	mu.Unlock()
	fmt.Printf("r3labs: end of the stream: %d connection, returned %v\n", n, err)
	for _, name := range []string{"launchdarkly", "go-sse"} {
		fmt.Printf("%s: end of the stream: %s; 204: %s\n", name, again("/end/"+name), again("/204/"+name))
	}
}
GO
export GOTOOLCHAIN=local GOFLAGS=-mod=mod
go get github.com/r3labs/sse/v2@v2.10.0 github.com/launchdarkly/eventsource@v1.11.0 github.com/tmaxmax/go-sse@v0.12.0 2>/dev/null
go build -o finding .
timeout 60 ./finding | tee seen
diff seen - <<'SEEN'
r3labs: end of the stream: 1 connection, returned <nil>
launchdarkly: end of the stream: connects again; 204: connects again
go-sse: end of the stream: connects again; 204: stops
SEEN
