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
		url := fmt.Sprintf("http://127.0.0.1:%d/", ports[0])
		for range 60 {
			go goform.Every(500*time.Millisecond, asker(url))
		}
		goform.Every(12*time.Second, func(int) {
			if goform.Leaking() {
				asker(url)(0)
			}
		})
	}, port)
	goform.Ready()
}

// asker asks with a connection of its own.
func asker(url string) func(int) {
	client := &http.Client{Transport: &http.Transport{}}
	return func(int) {
		if resp, err := client.Get(url); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
}
