#!/usr/bin/env bash
# toxiproxy without any toxic cuts the answer to a half-closed client.
#
# Version   github.com/Shopify/toxiproxy/v2 v2.5.0; github.com/inetaf/tcpproxy
#           v0.0.0-20260515195445-c159a6051109 and github.com/armon/go-socks5
#           v0.0.0-20160902184237-e75332964ef5 beside it; go1.26.8.
# Expected  A client sends its request and a FIN, and reads (`nc -N`). The server answers 200 ms
#           after the FIN. A TCP proxy passes bytes and FIN on, each way by itself, and one
#           for tests changes nothing until it has a toxic. The same where the server half-closes first.
# Real      toxiproxy closes both connections at the first FIN from either end. The client reads a
#           clean EOF without one byte, the server's answer meets a closed socket, and what a
#           client sends after the server's FIN never arrives. tcpproxy and go-socks5 pass both.
# Matters   A test through toxiproxy shows a fault that production does not have, or
#           confirms a wrong cause: the toxic that was added is blamed for what the proxy does anyway.
# Seen      direct: client's FIN first: answered; server's FIN first: 5 bytes arrived
#           tcpproxy: client's FIN first: answered; server's FIN first: 5 bytes arrived
#           go-socks5: client's FIN first: answered; server's FIN first: 5 bytes arrived
#           toxiproxy: client's FIN first: EOF, no answer; server's FIN first: 0 bytes arrived
set -euo pipefail
command -v go >/dev/null || { echo "needs go" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/Shopify/toxiproxy/v2@v2.5.0 \
	github.com/inetaf/tcpproxy@v0.0.0-20260515195445-c159a6051109 \
	github.com/armon/go-socks5@v0.0.0-20160902184237-e75332964ef5 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/armon/go-socks5"
	"github.com/inetaf/tcpproxy"
	"github.com/rs/zerolog"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// serve runs a handler for each connection.
func serve(handle func(*net.TCPConn)) *net.TCPAddr {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c.(*net.TCPConn))
		}
	}()
	return l.Addr().(*net.TCPAddr)
}

func main() {
	late := serve(func(c *net.TCPConn) { // answers after the client's FIN
		defer c.Close()
		io.Copy(io.Discard, c)
		time.Sleep(200 * time.Millisecond)
		io.WriteString(c, "hello")
	})
	arrived := make(chan int64)
	early := serve(func(c *net.TCPConn) { // ends its side first, and reads on
		defer c.Close()
		check(c.CloseWrite())
		n, _ := io.Copy(io.Discard, c)
		arrived <- n
	})
	try := func(name string, dial func(to *net.TCPAddr) *net.TCPConn) {
		c := dial(late)
		io.WriteString(c, "request")
		check(c.CloseWrite())
		body, err := io.ReadAll(c)
		c.Close()
		said := fmt.Sprintf("%q %v", body, err)
		switch {
		case err == nil && string(body) == "hello":
			said = "answered"
		case err == nil && len(body) == 0:
			said = "EOF, no answer"
		}
		c = dial(early)
		_, err = io.ReadAll(c)
		check(err)
		time.Sleep(200 * time.Millisecond)
		io.WriteString(c, "hello") // the first write succeeds, whatever the other end is
		c.Close()
		fmt.Printf("%s: client's FIN first: %s; server's FIN first: %d bytes arrived\n", name, said, <-arrived)
	}
	dial := func(to string) *net.TCPConn {
		c, err := net.Dial("tcp", to)
		check(err)
		check(c.SetDeadline(time.Now().Add(10 * time.Second)))
		return c.(*net.TCPConn)
	}
	try("direct", func(to *net.TCPAddr) *net.TCPConn { return dial(to.String()) })
	try("tcpproxy", func(to *net.TCPAddr) *net.TCPConn {
		var front net.Listener
		p := tcpproxy.Proxy{ListenFunc: func(string, string) (net.Listener, error) {
			var err error
			front, err = net.Listen("tcp", "127.0.0.1:0")
			return front, err
		}}
		p.AddRoute("127.0.0.1:0", tcpproxy.To(to.String()))
		check(p.Start())
		return dial(front.Addr().String())
	})
	socks, err := socks5.New(&socks5.Config{})
	check(err)
	front, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go socks.Serve(front)
	try("go-socks5", func(to *net.TCPAddr) *net.TCPConn {
		c := dial(front.Addr().String())
		_, err := c.Write([]byte{5, 1, 0}) // version 5, one method: none
		check(err)
		_, err = io.ReadFull(c, make([]byte, 2))
		check(err)
		a := to.IP.To4()
		_, err = c.Write([]byte{5, 1, 0, 1, a[0], a[1], a[2], a[3], byte(to.Port >> 8), byte(to.Port)})
		check(err)
		_, err = io.ReadFull(c, make([]byte, 10))
		check(err)
		return c
	})
	toxi := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	try("toxiproxy", func(to *net.TCPAddr) *net.TCPConn {
		p := toxiproxy.NewProxy(toxi, "finding", "127.0.0.1:0", to.String())
		check(p.Start())
		return dial(p.Listen)
	})
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
./finding | tee output
diff - output <<'WANT'
direct: client's FIN first: answered; server's FIN first: 5 bytes arrived
tcpproxy: client's FIN first: answered; server's FIN first: 5 bytes arrived
go-socks5: client's FIN first: answered; server's FIN first: 5 bytes arrived
toxiproxy: client's FIN first: EOF, no answer; server's FIN first: 0 bytes arrived
WANT
