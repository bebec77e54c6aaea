package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// serve2 serves HTTP/2, with so many streams a connection.
func serve2(streams int, handler http.HandlerFunc) *server {
	s := serve(handler)
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: streams}
	s.EnableHTTP2 = true
	s.StartTLS()
	return s
}

// trusting is the configuration of a client of the server.
func (s *server) trusting() *tls.Config {
	return s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
}

// streams is how many connections 50 requests at once open that take 0.3 s each.
func streams(maxConnsPerHost int) (string, error) {
	s := serve2(10, func(http.ResponseWriter, *http.Request) { time.Sleep(300 * time.Millisecond) })
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.trusting(), ForceAttemptHTTP2: true, MaxConnsPerHost: maxConnsPerHost}}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		all.Go(func() { errs[i] = get(client, s.URL) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	if n := s.opened.Load(); n < 20 { // of more than are needed the number is another each time
		return fmt.Sprint(n), nil
	}
	return "20 or more", nil
}

// wrapped asks over a connection whose type is not *tls.Conn, but which embeds one.
func wrapped() (string, error) {
	s := serve2(10, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	defer s.Close()
	config := s.trusting()
	config.NextProtos = []string{"h2", "http/1.1"}
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return struct{ *tls.Conn }{conn.(*tls.Conn)}, nil
	}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(s.URL)
	if err != nil {
		return "an error: the client speaks HTTP/1.1", nil
	}
	defer resp.Body.Close()
	proto, err := io.ReadAll(resp.Body)
	return "works, " + string(proto), err
}

// streamError is the type of the error of a stream that the server resets.
func streamError() (string, error) {
	s := serve2(10, func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.trusting(), ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(s.URL)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if _, err = io.ReadAll(resp.Body); err == nil {
		return "", errors.New("the stream was not reset")
	}
	return fmt.Sprintf("`%T`", err), nil
}
