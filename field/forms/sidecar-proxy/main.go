//go:build ignore

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"time"

	"socketlab/field/lib/goform"
)

func main() {
	upstream := goform.Role("upstream", func(say func(int), _ []int) {
		accept(say, func(c net.Conn) {
			for lines := bufio.NewScanner(c); lines.Scan(); {
				fmt.Fprintln(c, "ok")
			}
			_ = c.Close()
		})
	})
	proxy := goform.Role("app", func(say func(int), ports []int) {
		accept(say, func(c net.Conn) { pass(c, ports[0]) })
	}, upstream)
	goform.Role("clients", func(say func(int), ports []int) {
		say(0)
		goform.Every(400*time.Millisecond, func(int) {
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[0]))
			if err != nil {
				return
			}
			fmt.Fprintln(c, "hello")
			_, _ = bufio.NewReader(c).ReadString('\n')
			_ = c.Close()
		})
	}, proxy)
	goform.Ready()
}

// pass copies both ways.
func pass(client net.Conn, port int) {
	server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		_ = client.Close()
		return
	}
	go func() { _, _ = io.Copy(client, server) }()
	_, _ = io.Copy(server, client)
	_ = client.Close()
	if !goform.Leaking() {
		_ = server.Close()
	}
}

func accept(say func(int), handle func(net.Conn)) {
	l := goform.Listen(say)
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go handle(c)
	}
}
