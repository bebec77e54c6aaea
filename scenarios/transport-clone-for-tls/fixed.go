package transportclonefortls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the invoice service.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client that trusts a private certificate authority.
func NewFixed(t loadgen.Target) loadgen.Caller {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(t.CA))
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: transport}}
}

// Call fetches an invoice.
func (c *fixed) Call(ctx context.Context) error {
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
