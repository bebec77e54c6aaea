#!/usr/bin/env bash
# A half-closed client gets no late answer from hertz (netpoll) and gnet, but from net/http.
#
# Version   github.com/cloudwego/hertz v0.10.4 (its own transport, netpoll), and its transport
#           "standard"; github.com/panjf2000/gnet/v2 v2.9.7; fasthttp v1.78.0; go1.26.8.
# Expected  A client sends its request and a FIN, and reads (`nc -N`). A FIN says only that
#           the client sends no more: the answer comes, after 200 ms of work, too.
# Real      netpoll and gnet close the connection when they see the FIN. The handler of hertz
#           runs to its end, and its answer goes nowhere; AsyncWrite of gnet, too. The client
#           reads a clean EOF without one byte. The same handler of hertz on its transport
#           "standard", net/http and fasthttp answer. (gnet answers if OnTraffic writes before it returns.)
# Matters   A service that moves from net/http, or from hertz's transport for TLS ("standard"),
#           loses the answers to half-closing clients, and only the slow ones.
# Seen      net/http: answered
#           fasthttp: answered
#           hertz, standard: answered
#           hertz, netpoll: EOF, no answer
#           gnet, OnTraffic writes: answered
#           gnet, AsyncWrite: EOF, no answer
#           handlers that ran to their end: 6
set -euo pipefail
command -v go >/dev/null || { echo "needs go" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/valyala/fasthttp@v1.78.0 github.com/cloudwego/hertz@v0.10.4 github.com/panjf2000/gnet/v2@v2.9.7 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/config"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/network"
	"github.com/cloudwego/hertz/pkg/network/netpoll"
	"github.com/cloudwego/hertz/pkg/network/standard"
	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/logging"
	"github.com/valyala/fasthttp"
)

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

var ran atomic.Int32

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// work takes 200 ms.
func work() {
	time.Sleep(200 * time.Millisecond)
	ran.Add(1)
}

type events struct {
	gnet.BuiltinEventEngine
	async bool
}

func (e *events) OnTraffic(c gnet.Conn) gnet.Action {
	_, err := c.Discard(-1)
	check(err)
	if e.async {
		go func() {
			work()
			_ = c.AsyncWrite([]byte(answer), func(c gnet.Conn, _ error) error { return c.Close() })
		}()
		return gnet.None
	}
	work()
	_, _ = io.WriteString(c, answer)
	return gnet.Close
}

// free returns an address that was free a moment ago.
func free() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer l.Close()
	return l.Addr().String()
}

// ask sends a request and a FIN, and says what comes until EOF.
func ask(name, addr string) {
	var c net.Conn
	var err error
	for range 500 { // until it listens
		if c, err = net.Dial("tcp", addr); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	check(err)
	defer c.Close()
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	check(err)
	check(c.(*net.TCPConn).CloseWrite())
	check(c.SetReadDeadline(time.Now().Add(5 * time.Second)))
	got, err := io.ReadAll(c)
	check(err)
	switch {
	case len(got) == 0:
		fmt.Println(name + ": EOF, no answer")
	case strings.HasPrefix(string(got), "HTTP/1.1 200") && strings.HasSuffix(string(got), "ok"):
		fmt.Println(name + ": answered")
	default:
		fmt.Printf("%s: %q\n", name, got)
	}
}

func hertz(t func(*config.Options) network.Transporter) string {
	addr := free()
	h := server.New(server.WithHostPorts(addr), server.WithTransport(t))
	h.GET("/", func(_ context.Context, c *app.RequestContext) { work(); c.String(http.StatusOK, "ok") })
	go h.Run()
	return addr
}

func main() {
	hlog.SetLevel(hlog.LevelFatal)
	std, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go http.Serve(std, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { work(); io.WriteString(w, "ok") }))
	fast, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go fasthttp.Serve(fast, func(c *fasthttp.RequestCtx) { work(); c.WriteString("ok") })
	ask("net/http", std.Addr().String())
	ask("fasthttp", fast.Addr().String())
	ask("hertz, standard", hertz(standard.NewTransporter))
	ask("hertz, netpoll", hertz(netpoll.NewTransporter))
	for _, async := range []bool{false, true} {
		addr := free()
		go gnet.Run(&events{async: async}, "tcp://"+addr, gnet.WithLogLevel(logging.FatalLevel))
		ask(map[bool]string{false: "gnet, OnTraffic writes", true: "gnet, AsyncWrite"}[async], addr)
	}
	for i := 0; i < 300 && ran.Load() < 6; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println("handlers that ran to their end:", ran.Load())
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
./finding 2>errors | grep -v "^\[gnet\]" | tee output
diff - output <<'WANT'
net/http: answered
fasthttp: answered
hertz, standard: answered
hertz, netpoll: EOF, no answer
gnet, OnTraffic writes: answered
gnet, AsyncWrite: EOF, no answer
handlers that ran to their end: 6
WANT
