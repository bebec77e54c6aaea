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
		client := &http.Client{}
		goform.Every(400*time.Millisecond, func(int) {
			if goform.Leaking() {
				client = &http.Client{Transport: &http.Transport{}}
			}
			resp, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", ports[0]))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		})
	}, port)
	goform.Ready()
}
