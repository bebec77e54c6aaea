package hintpassedonbyaproxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"socketlab/internal/loadgen"
)

// client places orders through the proxy. It keeps an idle connection for a second
// less than the other end says.
type client struct {
	url        string
	httpClient *http.Client
}

// NewClient returns a client of the proxy.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 6,
	}}}
}

// Call places an order. A POST is not repeated by net/http.
func (c *client) Call(ctx context.Context) error {
	var conn net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		conn = got.Conn
		_ = conn.SetReadDeadline(time.Time{})
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader("article=4711"))
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	var seconds int
	if _, err := fmt.Sscanf(resp.Header.Get("Keep-Alive"), "timeout=%d", &seconds); err == nil && seconds > 1 {
		// The pool closes an idle connection on which a read fails.
		_ = conn.SetReadDeadline(time.Now().Add(time.Duration(seconds-1) * time.Second))
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
