// Orders asks four times a second, and reads what comes.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

func main() {
	url := os.Args[1]
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	go func() { _ = http.Serve(ln, nil) }()
	fmt.Println("http://" + ln.Addr().String() + "/debug/pprof/goroutine?debug=1")

	client := &http.Client{Timeout: 5 * time.Second}
	for range time.Tick(250 * time.Millisecond) {
		resp, err := client.Get(url)
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}
