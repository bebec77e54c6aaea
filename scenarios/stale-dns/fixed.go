package staledns

import (
	"context"
	"io"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"socketlab/internal/loadgen"
)

type fixed struct {
	url        string
	httpClient *http.Client
	renew      *rate.Sometimes
}

// NewFixed returns a client that asks the name server where the shop is.
func NewFixed(t loadgen.Target) loadgen.Caller {
	transport := &http.Transport{DialContext: loadgen.DialByName(t.DNS), MaxConnsPerHost: 1}
	transport.IdleConnTimeout = t.Scaled(3 * time.Second)
	renew := &rate.Sometimes{Interval: t.Scaled(time.Second)}
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: transport}, renew: renew}
}

// Call fetches the front page.
func (c *fixed) Call(ctx context.Context) error {
	defer c.renew.Do(c.httpClient.CloseIdleConnections)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
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
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
