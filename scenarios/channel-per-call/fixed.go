package channelpercall

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the account service, over HTTP/2 as gRPC is.
type fixed struct {
	url     string
	channel *http.Client
}

// NewFixed returns a client of the account service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	channel := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	return &fixed{url: t.URL, channel: channel}
}

// Call makes one call.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.channel.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
