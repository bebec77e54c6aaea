package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// server is one that counts the connections that are opened to it, and those of them
// that are still open.
type server struct {
	*httptest.Server
	opened, open atomic.Int64
}

func serve(handler http.HandlerFunc) *server {
	s := &server{Server: httptest.NewUnstartedServer(handler)}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.opened.Add(1)
			s.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.open.Add(-1)
		}
	}
	return s
}

// unread answers with so many bytes.
func unread(size int) http.HandlerFunc {
	body := strings.Repeat("x", size)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(size))
		_, _ = io.WriteString(w, body)
	}
}

// trickle answers with five pieces in so many milliseconds.
func trickle(ms int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _ = pieces(w, ms) }
}

func pieces(w http.ResponseWriter, ms int) error {
	const n = 5
	for i := range n {
		if i > 0 {
			time.Sleep(time.Duration(ms) * time.Millisecond / (n - 1))
		}
		if _, err := io.WriteString(w, strings.Repeat("x", 1000)); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
	}
	return nil
}

// get makes a request, and closes its response unread.
func get(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func cancelFirst(client *http.Client, url string) error {
	return cancelled(client, url, func(cancel func(), resp *http.Response) error {
		cancel()
		return resp.Body.Close()
	})
}

func cancelLast(client *http.Client, url string) error {
	return cancelled(client, url, func(cancel func(), resp *http.Response) error {
		defer cancel()
		return resp.Body.Close()
	})
}

func cancelled(client *http.Client, url string, end func(func(), *http.Response) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return end(cancel, resp)
}

// opened is how many connections n requests open, with a pause after each that is longer
// than what may still be read of its response.
func opened(n int, handler http.HandlerFunc, request func(*http.Client, string) error) (string, error) {
	s := serve(handler)
	s.Start()
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range n {
		if err := request(client, s.URL); err != nil {
			return "", err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Sprint(s.opened.Load()), nil
}

// sentWhole is how many of 20 responses in pieces the server could write.
func sentWhole(disableKeepAlives bool) (string, error) {
	whole := make(chan bool, 20)
	s := serve(func(w http.ResponseWriter, r *http.Request) {
		err := pieces(w, 20)
		whole <- err == nil && r.Context().Err() == nil
	})
	s.Start()
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: disableKeepAlives}}
	defer client.CloseIdleConnections()
	n := 0
	for range cap(whole) {
		if err := get(client, s.URL); err != nil {
			return "", err
		}
		if <-whole {
			n++
		}
	}
	return fmt.Sprint(n), nil
}

// leftOpen is how many connections are open after 20 clients had one response each.
func leftOpen() (string, error) {
	s := serve(unread(16 << 10))
	s.Start()
	defer s.Close()
	for range 20 {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		if err := get(&http.Client{Transport: transport}, s.URL); err != nil {
			return "", err
		}
	}
	time.Sleep(500 * time.Millisecond)
	return fmt.Sprint(s.open.Load()), nil
}

// behindACap is what a request takes whose connection is held by the one before.
func behindACap() (string, error) {
	s := serve(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "x")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
	})
	s.Start()
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	const n = 20
	began := time.Now()
	for range n {
		if err := get(client, s.URL); err != nil {
			return "", err
		}
	}
	switch each := time.Since(began) / n; {
	case each < 15*time.Millisecond:
		return "less than 15 ms", nil
	case each > 40*time.Millisecond && each < 80*time.Millisecond:
		return "40 to 80 ms", nil
	default:
		return each.String(), nil
	}
}

func retried() (string, error) {
	var requests atomic.Int64
	s := serve(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) < 4 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, strings.Repeat("x", 64<<10))
		}
	})
	s.Start()
	defer s.Close()
	client := retryablehttp.NewClient()
	client.Logger, client.RetryWaitMin, client.RetryWaitMax = nil, 100*time.Millisecond, 100*time.Millisecond
	client.HTTPClient.Transport = &http.Transport{}
	defer client.HTTPClient.CloseIdleConnections()
	resp, err := client.Get(s.URL)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(s.opened.Load()), resp.Body.Close()
}

func refusedTunnels() (string, error) {
	s := serve(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "no")
	})
	s.Start()
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	to, err := url.Parse(s.URL)
	if err != nil {
		return "", err
	}
	for range 20 {
		resp, err := client.Do(&http.Request{Method: http.MethodConnect, URL: to, Host: "refused.example:443", Header: http.Header{}})
		if err != nil {
			return "", err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return "", err
		}
		if err := resp.Body.Close(); err != nil {
			return "", err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Sprint(s.opened.Load()), nil
}

// expectContinue is what the server's answer says of its connection.
func expectContinue() (string, error) {
	s := serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	s.Start()
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequest(http.MethodPost, s.URL, strings.NewReader(strings.Repeat("x", 1000)))
	if err != nil {
		return "", err
	}
	req.Header.Set("Expect", "100-continue")
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	if err := resp.Body.Close(); err != nil {
		return "", err
	}
	if resp.Close {
		return "answers Connection: close", nil
	}
	return "keeps the connection", nil
}
