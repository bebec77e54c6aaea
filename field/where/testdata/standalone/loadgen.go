// Package loadgen is the part of the project's package of this name that the code of most
// pairs needs, in words of Go 1.22.
package loadgen

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

type Target struct {
	URL, Addr, DNS, CA                string
	Servers                           map[string]string
	MaxIdleConns, MaxIdleConnsPerHost int
	IdleConnTimeout, Timeout, Every   time.Duration
	PoolSize, Send                    int
	Speed                             float64
}

func (t Target) Scaled(d time.Duration) time.Duration {
	if t.Speed == 0 {
		return d
	}
	return time.Duration(float64(d) / t.Speed)
}

type Caller interface {
	Call(ctx context.Context) error
}

type CallerFunc func(ctx context.Context) error

func (f CallerFunc) Call(ctx context.Context) error { return f(ctx) }

type StatusError int

func (e StatusError) Error() string { return fmt.Sprintf("server answered with status %d", int(e)) }

func Get(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return StatusError(resp.StatusCode)
	}
	return nil
}
