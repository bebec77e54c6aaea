// Backend is the server that the processes of a diagnosis call. It prints its address,
// and ends with its standard input.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	page := strings.Repeat("0123456789abcdef", 512)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) })
	http.HandleFunc("/wait", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	fmt.Println("http://" + ln.Addr().String())
	s := &http.Server{IdleTimeout: 15 * time.Second, ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintln(os.Stderr, s.Serve(ln))
	os.Exit(1)
}
