#!/usr/bin/env bash
# fasthttp repeats a GET that timed out: five requests, and five times ReadTimeout.
#
# Version   github.com/valyala/fasthttp v1.78.0, go1.26.8.
# Expected  Client.ReadTimeout is the "maximum duration for full response reading". A server
#           that takes requests and does not answer: Do ends after ReadTimeout (300 ms) with
#           ErrTimeout, and the server has one request. Idempotent calls are repeated on
#           another connection where the server has closed the first one, not after a
#           timeout.
# Real      GET, HEAD and PUT: five requests on five connections, and Do returns after 1.5 s.
#           DELETE, idempotent too, and POST: one request, 300 ms. DoTimeout with the same
#           300 ms, or MaxIdemponentCallAttempts 1: one request.
# Matters   A server that is too slow gets five times the load at the moment when it is too
#           slow, and the caller waits five times as long as was configured. hertz 0.10.4,
#           which came from fasthttp, sends one.
# Seen      GET: 5 requests, 5 connections, timeout after 5 x ReadTimeout
#           HEAD: 5 requests, 5 connections, timeout after 5 x ReadTimeout
#           PUT: 5 requests, 5 connections, timeout after 5 x ReadTimeout
#           DELETE: 1 requests, 1 connections, timeout after 1 x ReadTimeout
#           POST: 1 requests, 1 connections, timeout after 1 x ReadTimeout
#           GET by DoTimeout: 1 requests, 1 connections, timeout after 1 x ReadTimeout
#           GET, one attempt: 1 requests, 1 connections, timeout after 1 x ReadTimeout
set -euo pipefail
command -v go >/dev/null || { echo "needs go" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/valyala/fasthttp@v1.78.0 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

const timeout = 300 * time.Millisecond

var conns, requests atomic.Int32

// mute takes requests without a body, counts them, and does not answer.
func mute(c net.Conn) {
	defer c.Close()
	conns.Add(1)
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if line == "\r\n" {
			requests.Add(1)
		}
	}
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go mute(c)
		}
	}()
	run := func(name, method string, c *fasthttp.Client, do func(*fasthttp.Client, *fasthttp.Request, *fasthttp.Response) error) {
		conns.Store(0)
		requests.Store(0)
		var req fasthttp.Request
		var resp fasthttp.Response
		req.SetRequestURI("http://" + l.Addr().String() + "/")
		req.Header.SetMethod(method)
		begin := time.Now()
		err := do(c, &req, &resp)
		took := time.Since(begin)
		said := fmt.Sprint(err)
		if errors.Is(err, fasthttp.ErrTimeout) {
			said = "timeout"
		}
		fmt.Printf("%s: %d requests, %d connections, %s after %d x ReadTimeout\n",
			name, requests.Load(), conns.Load(), said, took/timeout)
	}
	do := (*fasthttp.Client).Do
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "POST"} {
		run(method, method, &fasthttp.Client{ReadTimeout: timeout}, do)
	}
	run("GET by DoTimeout", "GET", &fasthttp.Client{ReadTimeout: timeout},
		func(c *fasthttp.Client, req *fasthttp.Request, resp *fasthttp.Response) error {
			return c.DoTimeout(req, resp, timeout)
		})
	run("GET, one attempt", "GET", &fasthttp.Client{ReadTimeout: timeout, MaxIdemponentCallAttempts: 1}, do)
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
./finding | tee output
diff - output <<'WANT'
GET: 5 requests, 5 connections, timeout after 5 x ReadTimeout
HEAD: 5 requests, 5 connections, timeout after 5 x ReadTimeout
PUT: 5 requests, 5 connections, timeout after 5 x ReadTimeout
DELETE: 1 requests, 1 connections, timeout after 1 x ReadTimeout
POST: 1 requests, 1 connections, timeout after 1 x ReadTimeout
GET by DoTimeout: 1 requests, 1 connections, timeout after 1 x ReadTimeout
GET, one attempt: 1 requests, 1 connections, timeout after 1 x ReadTimeout
WANT
