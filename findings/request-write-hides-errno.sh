#!/usr/bin/env bash
# http.Request.Write hides the errno of a failed write.
#
# Version: the standard library of go1.26.8.
# Expected (the guess before the first run): a request with a body is written to a TCP
#   connection whose peer resets it. The error of Request.Write wraps the net.OpError of the
#   write, so that errors.Is(err, syscall.ECONNRESET) or EPIPE holds, as it does for the error
#   of io.Copy to the same connection.
# Real: it is an http.requestBodyReadError, as if the body could not be read, although it was
#   the connection that failed. That type embeds its error and has no Unwrap: neither errors.Is
#   nor errors.As finds the errno or the net.OpError. (net/http's own Transport looks for this
#   type and takes the error out. Callers of Request.Write cannot: it is not exported.)
# Why it matters: programs that write requests by themselves, such as proxies, retry after a
#   reset, and count resets by errno. They see "other", and blame the body.
# Output seen:
#   go1.26.8
#   io.Copy:       *net.OpError, errno found: true
#   Request.Write: http.requestBodyReadError, errno found: false
set -euo pipefail

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
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"syscall"
)

// zeros is a body that never fails.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

const size = 64 << 20

// dial connects to a peer that resets after the first bytes.
func dial() (net.Conn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		defer l.Close()
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.ReadFull(conn, make([]byte, 10))
		_ = conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}()
	return net.Dial("tcp", l.Addr().String())
}

// found reports whether an error has the errno of a connection that was reset.
func found(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func run() error {
	fmt.Println(runtime.Version())
	conn, err := dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, copied := io.Copy(conn, io.LimitReader(zeros{}, size))
	fmt.Printf("io.Copy:       %T, errno found: %v\n", copied, found(copied))

	if conn, err = dial(); err != nil {
		return err
	}
	defer conn.Close()
	req, err := http.NewRequest(http.MethodPost, "http://"+conn.RemoteAddr().String()+"/", zeros{})
	if err != nil {
		return err
	}
	req.ContentLength = size
	written := req.Write(conn)
	fmt.Printf("Request.Write: %T, errno found: %v\n", written, found(written))
	if !found(copied) || written == nil || found(written) {
		return errors.New("it is not as it was")
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
GO
go run .
