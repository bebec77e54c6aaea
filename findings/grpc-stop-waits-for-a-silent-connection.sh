#!/usr/bin/env bash
# Stop of grpc-go waits for a connection that has sent nothing.
#
# Version   google.golang.org/grpc v1.85.0, go1.26.8.
# Expected  A client has a TCP connection to the server and sends no byte (a connection opened in
#           advance, a TCP health check that stays). There is no call: GracefulStop, which waits
#           for "all the pending RPCs", returns at once, and so does Stop, which "immediately
#           closes all open connections and listeners".
# Real      Both close the listener, leave that connection open, and wait until ConnectionTimeout
#           ends its handshake: 3 s here, 120 s by default. Stop closes a connection that
#           has sent its preface at once. http.Server.Close closes the silent one at once.
# Matters   The usual shutdown is GracefulStop with a time limit, and Stop after it: one silent
#           connection makes both hang, and the supervisor kills the process after its
#           own limit. There is no call that could be blamed.
# Seen      no connection: GracefulStop: at once; Stop: at once
#           HTTP/2 preface sent: Stop: at once
#           silent: GracefulStop: at ConnectionTimeout; Stop: at ConnectionTimeout
#           silent: GracefulStop for 500 ms, then Stop: at ConnectionTimeout
#           silent: http.Server.Close: at once
set -euo pipefail
command -v go >/dev/null || { echo "needs go" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get google.golang.org/grpc@v1.85.0 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
)

const timeout = 3 * time.Second

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// run starts a server, connects to it, sends what is given, and says when stop returned.
func run(connect bool, send string, serve func(net.Listener) (stop func())) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	accepted := make(chan bool, 1)
	stop := serve(counted{l, accepted})
	begin := time.Now()
	if connect {
		c, err := net.Dial("tcp", l.Addr().String())
		check(err)
		defer c.Close()
		<-accepted
		if send != "" {
			_, err = io.WriteString(c, send)
			check(err)
			check(c.SetDeadline(time.Now().Add(2 * time.Second)))
			_, err = io.ReadFull(c, make([]byte, 9+9)) // SETTINGS, and the ACK of ours, at the least
			check(err)
			go io.Copy(io.Discard, c)
		}
	}
	time.Sleep(200 * time.Millisecond) // the server has started its handshake
	called := time.Now()
	stop()
	end := time.Now()
	switch {
	case end.Sub(called) < time.Second:
		return "at once"
	case end.Sub(begin) >= timeout-100*time.Millisecond && end.Sub(begin) < timeout+time.Second:
		return "at ConnectionTimeout"
	}
	return "after " + end.Sub(called).String()
}

type counted struct {
	net.Listener
	accepted chan bool
}

func (l counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.accepted <- true
	}
	return c, err
}

func main() {
	server := func(stop func(*grpc.Server)) func(net.Listener) func() {
		return func(l net.Listener) func() {
			s := grpc.NewServer(grpc.ConnectionTimeout(timeout))
			go s.Serve(l)
			return func() { stop(s) }
		}
	}
	graceful, hard := server((*grpc.Server).GracefulStop), server((*grpc.Server).Stop)
	const hello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00" // preface, empty SETTINGS
	fmt.Printf("no connection: GracefulStop: %s; Stop: %s\n", run(false, "", graceful), run(false, "", hard))
	fmt.Printf("HTTP/2 preface sent: Stop: %s\n", run(true, hello, hard))
	fmt.Printf("silent: GracefulStop: %s; Stop: %s\n", run(true, "", graceful), run(true, "", hard))
	fmt.Printf("silent: GracefulStop for 500 ms, then Stop: %s\n", run(true, "", server(func(s *grpc.Server) {
		done := make(chan bool)
		go func() { s.GracefulStop(); close(done) }()
		select {
		case <-done:
		case <-time.After(500 * time.Millisecond):
			s.Stop()
		}
	})))
	fmt.Printf("silent: http.Server.Close: %s\n", run(true, "", func(l net.Listener) func() {
		s := &http.Server{}
		go s.Serve(l)
		return func() { check(s.Close()) }
	}))
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
./finding | tee output
diff - output <<'WANT'
no connection: GracefulStop: at once; Stop: at once
HTTP/2 preface sent: Stop: at once
silent: GracefulStop: at ConnectionTimeout; Stop: at ConnectionTimeout
silent: GracefulStop for 500 ms, then Stop: at ConnectionTimeout
silent: http.Server.Close: at once
WANT
