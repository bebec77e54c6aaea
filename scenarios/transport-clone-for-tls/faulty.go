package transportclonefortls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the invoice service.
type faulty struct {
	url   string
	roots *x509.CertPool
}

// NewFaulty returns a client that trusts a private certificate authority.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(t.CA))
	return &faulty{url: t.URL, roots: roots}
}

// Call fetches an invoice.
func (c *faulty) Call(ctx context.Context) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: c.roots}
	httpClient := &http.Client{Transport: transport}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := httpClient.Do(req)
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
