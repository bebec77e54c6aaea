// The program leaks connections at one line, and closes those of another line. Go uses
// the memory of the closed ones again for those that leak.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"time"
)

var kept []*http.Response

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, 300<<10)) // more than Go 1.27 reads after Close
		w.(http.Flusher).Flush()
		if r.URL.Path == "/leaked" {
			<-r.Context().Done()
		}
	}))
	fmt.Println("ready")
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil { // until the test looks
		panic(err)
	}
	for range make([]int, 60) {
		leaked(server.URL + "/leaked")
		for range make([]int, 4) {
			closed(server.URL)
			time.Sleep(10 * time.Millisecond) // over several reports
		}
		runtime.GC()
	}
	fmt.Println("done")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func leaked(url string) {
	response, err := http.Get(url) // body-not-finished: 60
	if err != nil {
		panic(err)
	}
	kept = append(kept, response)
}

func closed(url string) {
	response, err := http.Get(url)
	if err != nil {
		panic(err)
	}
	_ = response.Body.Close()
}
