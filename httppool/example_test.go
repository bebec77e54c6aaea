package httppool_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"time"

	"socketlab/httppool"
)

func Example() {
	server := httptest.NewServer(text)
	defer server.Close()

	pool := httppool.Watch(&http.Transport{MaxConnsPerHost: 16})
	client := &http.Client{Transport: pool}
	defer client.CloseIdleConnections()

	resp, err := client.Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pool.Snapshot())
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	fmt.Println(pool.Snapshot())
	// Output:
	// in use 1 · idle 0 · waiting 0
	// in use 0 · idle 1 · waiting 0
}

// A program that watches itself says which line forgets response bodies.
func ExamplePool_Unfinished() {
	server := httptest.NewServer(text)
	defer server.Close()
	pool := httppool.Watch(&http.Transport{})
	client := &http.Client{Transport: pool}

	resp, err := client.Get(server.URL + "/orders?page=1")
	if err != nil {
		fmt.Println(err)
		return
	}
	time.Sleep(10 * time.Millisecond) // 30 s in a program

	for _, r := range pool.Unfinished(10 * time.Millisecond) {
		f := r.Caller()
		fmt.Println("body not closed, got by", path.Base(f.Function), "in", path.Base(f.File))
	}
	_ = resp.Body.Close()
	fmt.Println(len(pool.Unfinished(0)), "left")
	// Output:
	// body not closed, got by httppool_test.ExamplePool_Unfinished in example_test.go
	// 0 left
}

func ExampleHandler() {
	pool := httppool.Watch(&http.Transport{}, httppool.Name("orders"))
	mux := http.NewServeMux()
	mux.Handle("/debug/connections", httppool.Handler(pool))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/connections", nil))
	line, _, _ := strings.Cut(w.Body.String(), "\n")
	fmt.Println(line)
	// Output:
	// orders: in use 0 · idle 0 · waiting 0
}

// Every connection that is closed, and every wait for one, can be counted.
func ExamplePool_Observe() {
	server := httptest.NewServer(text)
	defer server.Close()
	pool := httppool.Watch(&http.Transport{DisableKeepAlives: true})
	closed := make(chan httppool.Reason, 1)
	stop := pool.Observe(httppool.Observer{
		Closed: func(_ string, why httppool.Reason, _ time.Duration) { closed <- why },
	})
	defer stop()

	resp, err := (&http.Client{Transport: pool}).Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	fmt.Println("closed:", <-closed)
	// Output:
	// closed: not reusable
}
