#!/usr/bin/env bash
# hertz knows "Connection: close" only if it is exactly that, as a server and as a client.
#
# Version   github.com/cloudwego/hertz v0.10.4; beside it fasthttp v1.78.0, from which it
#           came; go1.26.8.
# Expected  The value of Connection is a list of options without regard to case (RFC 9110,
#           7.6.1). "Close" and "close, te" end the connection like "close", at both ends.
# Real      The server of hertz keeps the connection open after a request with "Close" or
#           "close, te", and does not say Connection: close. The client puts a connection
#           into its pool whose server has said "Close" or "keep-alive, close". fasthttp
#           closes each.
# Matters   A client that waits for EOF after Connection: Close waits for the idle timeout of
#           the server. In the pool each such connection is
#           dead: the server has closed it, and every second POST here ends with "connection
#           is closed by peer while being in the connection pool". A GET is repeated.
# Seen      hertz server, close: closed
#           hertz server, Close: open
#           hertz server, close, te: open
#           fasthttp server, close: closed
#           fasthttp server, Close: closed
#           fasthttp server, close, te: closed
#           hertz client, close: 0 of 20 POST failed
#           hertz client, Close: 10 of 20 POST failed
#           hertz client, keep-alive, close: 10 of 20 POST failed
#           fasthttp client, close: 0 of 20 POST failed
#           fasthttp client, Close: 0 of 20 POST failed
#           fasthttp client, keep-alive, close: 0 of 20 POST failed
set -euo pipefail
command -v go >/dev/null || { echo "needs go" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/valyala/fasthttp@v1.78.0 github.com/cloudwego/hertz@v0.10.4 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/client"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/network/standard"
	"github.com/cloudwego/hertz/pkg/protocol"
	"github.com/valyala/fasthttp"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	return l
}

// serverCloses sends a request with a value of Connection, reads the answer, and reports
// whether the server closes within a second.
func serverCloses(addr, value string) string {
	c, err := net.Dial("tcp", addr)
	check(err)
	defer c.Close()
	_, err = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: %s\r\n\r\n", value)
	check(err)
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	check(err)
	_, err = io.ReadAll(resp.Body)
	check(err)
	check(c.SetReadDeadline(time.Now().Add(time.Second)))
	if _, err = r.ReadByte(); err == io.EOF {
		return "closed"
	}
	return "open"
}

// closing answers one POST with a value of Connection on each connection, and closes it. It
// sends to closed when that is done.
func closing(value string, closed chan<- struct{}) (addr string) {
	l := listen()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			req, err := http.ReadRequest(bufio.NewReader(c))
			if err == nil {
				_, _ = io.Copy(io.Discard, req.Body)
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: %s\r\nContent-Length: 2\r\n\r\nok", value)
			}
			c.Close()
			closed <- struct{}{}
		}
	}()
	return l.Addr().String()
}

// failed counts how many of twenty POST fail. Each starts after the server's close.
func failed(value string, post func(url string) error) (n int) {
	closed := make(chan struct{}, 20)
	addr := closing(value, closed)
	for range 20 {
		if post("http://"+addr+"/") != nil {
			n++
			continue
		}
		<-closed
		time.Sleep(20 * time.Millisecond) // for the FIN to be seen
	}
	return n
}

func main() {
	hlog.SetLevel(hlog.LevelFatal)
	hl, fl := listen(), listen()
	h := server.New(server.WithListener(hl), server.WithTransport(standard.NewTransporter))
	h.GET("/", func(_ context.Context, c *app.RequestContext) { c.String(http.StatusOK, "ok") })
	go h.Run()
	go fasthttp.Serve(fl, func(c *fasthttp.RequestCtx) { c.WriteString("ok") })
	for _, value := range []string{"close", "Close", "close, te"} {
		fmt.Printf("hertz server, %s: %s\n", value, serverCloses(hl.Addr().String(), value))
	}
	for _, value := range []string{"close", "Close", "close, te"} {
		fmt.Printf("fasthttp server, %s: %s\n", value, serverCloses(fl.Addr().String(), value))
	}
	for _, value := range []string{"close", "Close", "keep-alive, close"} {
		hc, err := client.NewClient()
		check(err)
		fmt.Printf("hertz client, %s: %d of 20 POST failed\n", value, failed(value, func(url string) error {
			var req protocol.Request
			var resp protocol.Response
			req.SetRequestURI(url)
			req.Header.SetMethod("POST")
			req.SetBodyString("a")
			return hc.Do(context.Background(), &req, &resp)
		}))
	}
	for _, value := range []string{"close", "Close", "keep-alive, close"} {
		var fc fasthttp.Client
		fmt.Printf("fasthttp client, %s: %d of 20 POST failed\n", value, failed(value, func(url string) error {
			var req fasthttp.Request
			var resp fasthttp.Response
			req.SetRequestURI(url)
			req.Header.SetMethod("POST")
			req.SetBodyString("a")
			return fc.Do(&req, &resp)
		}))
	}
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
./finding 2>errors | tee output
diff - output <<'WANT'
hertz server, close: closed
hertz server, Close: open
hertz server, close, te: open
fasthttp server, close: closed
fasthttp server, Close: closed
fasthttp server, close, te: closed
hertz client, close: 0 of 20 POST failed
hertz client, Close: 10 of 20 POST failed
hertz client, keep-alive, close: 10 of 20 POST failed
fasthttp client, close: 0 of 20 POST failed
fasthttp client, Close: 0 of 20 POST failed
fasthttp client, keep-alive, close: 0 of 20 POST failed
WANT
