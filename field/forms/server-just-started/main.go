//go:build ignore

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"socketlab/field/lib/goform"
)

func main() {
	port := goform.Role("app", func(say func(int), _ []int) {
		s := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })}
		if !goform.Leaking() {
			s.IdleTimeout = 45 * time.Second
		}
		_ = s.Serve(goform.Listen(say))
	})
	goform.Role("visitors", func(say func(int), ports []int) {
		say(0)
		goform.Every(500*time.Millisecond, func(int) {
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[0]))
			if err != nil {
				return
			}
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			go func() { // a browser closes when the server does
				_, _ = io.Copy(io.Discard, bufio.NewReader(c))
				_ = c.Close()
			}()
		})
	}, port)
	goform.Ready()
}
