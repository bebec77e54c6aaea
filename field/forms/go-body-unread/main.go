//go:build ignore

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"socketlab/field/lib/goform"
)

var kept []*http.Response

func main() {
	page := bytes.Repeat([]byte("x"), 300_000)
	port := goform.Role("server", func(say func(int), _ []int) {
		_ = http.Serve(goform.Listen(say), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) }))
	})
	goform.Role("app", func(say func(int), ports []int) {
		say(0)
		goform.Every(400*time.Millisecond, func(int) {
			resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", ports[0]))
			if err != nil {
				return
			}
			if goform.Leaking() {
				kept = append(kept, resp)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		})
	}, port)
	goform.Ready()
}
