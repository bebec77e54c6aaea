#!/usr/bin/env bash
# fasthttp, fiber and hertz send a chunked body to HTTP/1.0 clients; net/http does not.
#
# Version   github.com/valyala/fasthttp v1.78.0, github.com/gofiber/fiber/v2 v2.52.9,
#           github.com/cloudwego/hertz v0.10.4; net/http of go1.26.8 beside them.
# Expected  A handler streams a body of unknown length. HTTP/1.0 has no chunks: "A server MUST NOT
#           send a response containing Transfer-Encoding unless the corresponding request
#           indicates HTTP/1.1 (or later minor revisions)" (RFC 9112, 6.1). The body ends with the
#           connection, as that of net/http does.
# Real      All three answer GET / HTTP/1.0 with HTTP/1.1 200 and Transfer-Encoding: chunked. With
#           Connection: keep-alive they keep the connection open as well. A body of known length is right.
# Matters   A client that speaks 1.0 as it was written (health checks, embedded devices, old
#           proxies) takes the lengths of the chunks for data: "c", the text, "0". It sees status 200 and no
#           error. Only streamed answers are wrong, so that a short test does not show it.
# Seen      net/http: "part0\npart1\n"
#           fasthttp: chunked "c\r\npart0\npart1\n\r\n0\r\n\r\n"
#           fiber: chunked "c\r\npart0\npart1\n\r\n0\r\n\r\n"
#           hertz: chunked "c\r\npart0\npart1\n\r\n0\r\n\r\n"
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
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

const text = "part0\npart1\n"

// stream hides the length of the text.
func stream() io.Reader { return io.MultiReader(strings.NewReader(text)) }

// ask sends a GET of HTTP/1.0, and reads the answer to the end of the connection.
func ask(name, addr string) {
	var c net.Conn
	var err error
	for range 200 {
		if c, err = net.Dial("tcp", addr); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		fmt.Println(name, err)
		os.Exit(1)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(c, "GET / HTTP/1.0\r\nHost: x\r\n\r\n")
	answer, err := io.ReadAll(c)
	if err != nil {
		fmt.Println(name, err)
		os.Exit(1)
	}
	head, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	how := ""
	if strings.Contains(strings.ToLower(head), "transfer-encoding: chunked") {
		how = "chunked "
	}
	fmt.Printf("%s: %s%q\n", name, how, body)
}

func main() {
	listen := func() net.Listener {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		return l
	}
	l := listen()
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, stream())
		w.(http.Flusher).Flush()
	}))
	ask("net/http", l.Addr().String())

	l = listen()
	go fasthttp.Serve(l, func(c *fasthttp.RequestCtx) { c.SetBodyStream(stream(), -1) })
	ask("fasthttp", l.Addr().String())

	l = listen()
	f := fiber.New(fiber.Config{DisableStartupMessage: true})
	f.Get("/", func(c *fiber.Ctx) error {
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { _, _ = w.WriteString(text) })
		return nil
	})
	go f.Listener(l)
	ask("fiber", l.Addr().String())

	l = listen()
	addr := l.Addr().String()
	_ = l.Close()
	h := server.New(server.WithHostPorts(addr))
	h.GET("/", func(_ context.Context, c *app.RequestContext) { c.SetBodyStream(stream(), -1) })
	go h.Run()
	ask("hertz", addr)
}
GO
export GOTOOLCHAIN=local GOFLAGS=-mod=mod
go get github.com/valyala/fasthttp@v1.78.0 github.com/gofiber/fiber/v2@v2.52.9 github.com/cloudwego/hertz@v0.10.4 2>/dev/null
go build -o finding .
timeout 60 ./finding 2>/dev/null | tee seen
diff seen - <<'SEEN'
net/http: "part0\npart1\n"
fasthttp: chunked "c\r\npart0\npart1\n\r\n0\r\n\r\n"
fiber: chunked "c\r\npart0\npart1\n\r\n0\r\n\r\n"
hertz: chunked "c\r\npart0\npart1\n\r\n0\r\n\r\n"
SEEN
