package badcredentials

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the payment service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{}}}
}

// Call fetches the state of a payment.
func (c *fixed) Call(ctx context.Context) error {
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
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		switch {
		case err != nil || resp.StatusCode == http.StatusOK:
			return err
		case resp.StatusCode == http.StatusUnauthorized || try == retries:
			return loadgen.StatusError(resp.StatusCode)
		}
	}
}
