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
	port := goform.Role("server", func(say func(int), _ []int) {
		_ = http.Serve(goform.Listen(say), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }))
	})
	goform.Role("app", func(say func(int), ports []int) {
		say(0)
		goform.Every(time.Second, func(i int) {
			if goform.Leaking() || i < 40 {
				go poll(fmt.Sprintf("http://127.0.0.1:%d/", ports[0]))
			}
		})
	}, port)
	goform.Ready()
}

// poll asks every second with a client of its own.
func poll(url string) {
	client := &http.Client{Transport: &http.Transport{}}
	goform.Every(time.Second, func(int) {
		if resp, err := client.Get(url); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}
