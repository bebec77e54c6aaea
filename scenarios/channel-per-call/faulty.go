package channelpercall

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the account service, over HTTP/2 as gRPC is.
type faulty struct {
	url string
}

// NewFaulty returns a client of the account service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL}
}

// Call makes one call.
func (c *faulty) Call(ctx context.Context) error {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	channel := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := channel.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
