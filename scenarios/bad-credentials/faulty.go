package badcredentials

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the payment service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{}}}
}

// Call fetches the state of a payment.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth("shop", "the password of last year")
	const retries = 4
	for try := 0; ; try++ {
		resp, err := c.httpClient.Do(req)
		if err != nil {
			return err
		}
		switch {
		case resp.StatusCode == http.StatusOK:
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		case try == retries:
			return loadgen.StatusError(resp.StatusCode)
		}
	}
}
