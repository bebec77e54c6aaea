#!/usr/bin/env bash
# An idle io.Copy between two TCP connections holds a pipe: two descriptors more.
#
# Version   Go 1.26.8, linux/amd64 (net, internal/poll), on Linux 6.18.
# Expected  An echo server of io.Copy(conn, conn) has a descriptor for each connection,
#           and a proxy of two io.Copy four for each pair of connections at the most:
#           a goroutine that waits for data has nothing to hold it in yet.
# Real      net.TCPConn.ReadFrom calls splice(2), and takes the pipe for it before it
#           waits for data (internal/poll.Splice). Each waiting copy holds both ends of
#           a pipe: three descriptors for an idle echo connection, six for a proxied
#           one. After the connections are closed the pipes stay open in a pool
#           until the garbage collector runs.
# Matters   A Go proxy or echo service meets its limit of descriptors at a third of the
#           connections that it was sized for, and lsof shows pipes that the code
#           never opened. Someone met the six in
#           https://github.com/inetaf/tcpproxy/issues/31. A copy through a wrapper without ReadFrom holds none.
# Seen      idle copies: 100 echo connections, 200 pipe ends
#           closed: 200 pipe ends
#           after two collections: 0 pipe ends
#           wrapped: 100 echo connections, 0 pipe ends
set -euo pipefail
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
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

const conns = 100

// inherited are the ends of pipes that the process was started with.
var inherited = pipes()

// pipes counts this process's descriptors that are ends of pipes.
func pipes() int {
	n := 0
	list, err := os.ReadDir("/proc/self/fd")
	check(err)
	for _, fd := range list {
		to, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err == nil && strings.HasPrefix(to, "pipe:") {
			n++
		}
	}
	return n
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// idle opens connections to an echo server, uses each once, and leaves them idle. It
// returns what closes them and waits until the server has noticed.
func idle(echo func(net.Conn)) (end func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	var copies sync.WaitGroup
	var all []net.Conn
	for range conns {
		c, err := net.Dial("tcp", l.Addr().String())
		check(err)
		all = append(all, c)
		s, err := l.Accept()
		check(err)
		copies.Go(func() { defer s.Close(); echo(s) })
		_, err = c.Write([]byte{1})
		check(err)
		_, err = io.ReadFull(c, make([]byte, 1))
		check(err)
	}
	return func() {
		for _, c := range all {
			c.Close()
		}
		copies.Wait()
		l.Close()
	}
}

// until waits up to ten seconds for a number of pipe ends, and returns the last one.
func until(want int) int {
	n := pipes() - inherited
	for range 1000 {
		if n == want {
			break
		}
		time.Sleep(10 * time.Millisecond)
		n = pipes() - inherited
	}
	return n
}

func main() {
	runtime.GC()
	end := idle(func(c net.Conn) { io.Copy(c, c) })
	held := until(2 * conns)
	fmt.Printf("idle copies: %d echo connections, %d pipe ends\n", conns, held)
	end()
	closed := pipes() - inherited
	fmt.Printf("closed: %d pipe ends\n", closed)
	runtime.GC()
	runtime.GC() // a sync.Pool keeps what it has through one collection
	freed := until(0)
	fmt.Printf("after two collections: %d pipe ends\n", freed)
	end = idle(func(c net.Conn) { io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}) })
	wrapped := until(0)
	fmt.Printf("wrapped: %d echo connections, %d pipe ends\n", conns, wrapped)
	end()
	if held != 2*conns || closed < conns || freed != 0 || wrapped != 0 {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}
GO
GOTOOLCHAIN=go1.26.8 GOFLAGS=-mod=mod go run .
