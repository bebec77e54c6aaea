// The program leaks connections at the lines that are marked. It is built by several
// versions of Go, and its go.mod is made by the test.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
)

var kept []*http.Response

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 64<<10))
	}))
	secure := httptest.NewTLSServer(server.Config.Handler)
	fmt.Println("ready")
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil { // until the test looks
		panic(err)
	}
	for range make([]int, 20) {
		orders(server.URL)
	}
	for range make([]int, 6) {
		invoices(server.URL)
	}
	for range make([]int, 5) {
		overTLS(secure)
	}
	fmt.Println("done")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func orders(url string) {
	response, err := http.Get(url) // body-not-finished: 20
	if err != nil {
		panic(err)
	}
	kept = append(kept, response)
}

func invoices(url string) {
	client := &http.Client{Transport: &http.Transport{}}
	read(client.Get(url)) // idle: 6
}

func overTLS(server *httptest.Server) {
	response, err := server.Client().Get(server.URL) // body-not-finished: 5
	if err != nil {
		panic(err)
	}
	kept = append(kept, response)
}

func read(response *http.Response, err error) {
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}
