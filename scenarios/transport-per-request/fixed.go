package transportperrequest

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the report service.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the report service, with limits of its own where t has none.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxIdleConns:        cmp.Or(t.MaxIdleConns, 5),
		MaxIdleConnsPerHost: cmp.Or(t.MaxIdleConnsPerHost, 2),
		IdleConnTimeout:     cmp.Or(t.IdleConnTimeout, t.Scaled(30*time.Second)),
	}}}
}

// Call fetches the latest report.
func (c *fixed) Call(ctx context.Context) error {
	err := loadgen.Get(ctx, c.httpClient, c.url)
	if err != nil {
		c.httpClient.CloseIdleConnections()
	}
	return err
}
