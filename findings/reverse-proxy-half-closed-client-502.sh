#!/usr/bin/env bash
# A half-closed client gets 502 from httputil.ReverseProxy, and 200 from its backend.
#
# Version   net/http and net/http/httputil of go1.26.8.
# Expected  A client sends a GET and a FIN, and reads (`nc -N`). net/http answers such a
#           client, also 200 ms later. A ReverseProxy before the same server passes that on.
# Real      The server sees the FIN as the end of the client and cancels the context of the
#           request. The proxy's request to the backend has that context: it ends, and the
#           client, still reading, gets 502 Bad Gateway. context.WithoutCancel around the
#           request does not help: where Done() is nil, ReverseProxy asks CloseNotify of the
#           ResponseWriter, and cancels by itself. With a context that can be cancelled
#           and is not, the client has its 200.
# Matters   The backend is well and works on the request, and the proxy counts a 502 for each
#           client that half-closes. The obvious remedy changes nothing.
# Seen      server: HTTP/1.1 200 OK
#           proxy: HTTP/1.1 502 Bad Gateway
#           proxy, WithoutCancel: HTTP/1.1 502 Bad Gateway
#           proxy, WithoutCancel and WithCancel: HTTP/1.1 200 OK
set -euo pipefail
command -v go >/dev/null || { echo "needs go" >&2; exit 77; }
export GOTOOLCHAIN=go1.26.8 # the version above
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'MOD'
module finding

go 1.26
MOD
cat >main.go <<'GO'
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// ask sends a request and a FIN, and prints the status that comes.
func ask(name string, s *httptest.Server) {
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	check(err)
	defer c.Close()
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	check(err)
	check(c.(*net.TCPConn).CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	check(err)
	fmt.Printf("%s: %s %s\n", name, resp.Proto, resp.Status)
}

func main() {
	log.SetOutput(io.Discard)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(200 * time.Millisecond)
		io.WriteString(w, "ok")
	}))
	to, err := url.Parse(backend.URL)
	check(err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	ask("server", backend)
	ask("proxy", httptest.NewServer(proxy))
	ask("proxy, WithoutCancel", httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	})))
	ask("proxy, WithoutCancel and WithCancel", httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		proxy.ServeHTTP(w, r.WithContext(ctx))
	})))
}
GO
go build -o finding .
./finding | tee output
diff - output <<'WANT'
server: HTTP/1.1 200 OK
proxy: HTTP/1.1 502 Bad Gateway
proxy, WithoutCancel: HTTP/1.1 502 Bad Gateway
proxy, WithoutCancel and WithCancel: HTTP/1.1 200 OK
WANT
