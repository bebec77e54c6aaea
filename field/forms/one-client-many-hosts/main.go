//go:build ignore

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"socketlab/field/lib/goform"
)

func main() {
	port := goform.Role("server", func(say func(int), _ []int) {
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
		// 127.0.0.1 to 127.0.0.30 at one port: hosts of their own on loopback.
		var port int
		first := goform.Listen(func(p int) { port = p })
		for host := 2; host <= 30; host++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:%d", host, port))
			if err != nil {
				panic(err)
			}
			go http.Serve(l, handler)
		}
		say(port)
		_ = http.Serve(first, handler)
	})
	goform.Role("app", func(say func(int), ports []int) {
		say(0)
		client := &http.Client{Transport: &http.Transport{}}
		goform.Every(200*time.Millisecond, func(i int) {
			if goform.Leaking() {
				client = &http.Client{Transport: &http.Transport{}}
			}
			known := min(30, 1+i/2) // a host more every 400 ms
			resp, err := client.Get(fmt.Sprintf("http://127.0.0.%d:%d/", 1+i%known, ports[0]))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		})
	}, port)
	goform.Ready()
}
