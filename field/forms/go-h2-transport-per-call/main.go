//go:build ignore

package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"socketlab/field/lib/goform"
)

func main() {
	var h2 http.Protocols
	h2.SetUnencryptedHTTP2(true)
	port := goform.Role("server", func(say func(int), _ []int) {
		s := http.Server{Protocols: &h2, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(50 * time.Millisecond)
			fmt.Fprintln(w, "ok")
		})}
		_ = s.Serve(goform.Listen(say))
	})
	goform.Role("app", func(say func(int), ports []int) {
		say(0)
		shared := &http.Client{Transport: &http.Transport{Protocols: &h2}}
		goform.Every(400*time.Millisecond, func(int) {
			if goform.Leaking() {
				call(&http.Client{Transport: &http.Transport{Protocols: &h2}}, ports[0])
				return
			}
			for range 10 {
				go call(shared, ports[0])
			}
		})
	}, port)
	goform.Ready()
}

func call(client *http.Client, port int) {
	if resp, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", port)); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}
