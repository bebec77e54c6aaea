// Prices asks twice a second, and once in each second what is never answered: without a limit.
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

	p := &prices{url: url, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
	for range time.Tick(time.Second) {
		go p.refresh("/")
		go p.refresh("/wait")
	}
}

// prices is the client of a server of prices.
type prices struct {
	url    string
	client *http.Client
}

// refresh asks for one list, and drops it.
func (p *prices) refresh(list string) {
	req, err := http.NewRequest(http.MethodGet, p.url+list, nil)
	if err != nil {
		return
	}
	resp, err := p.client.Do(req) // found here
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}
