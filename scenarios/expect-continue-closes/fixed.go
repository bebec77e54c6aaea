package expectcontinuecloses

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the chunk store.
type fixed struct {
	url        string
	chunk      []byte
	httpClient *http.Client
}

// NewFixed returns a client of the chunk store.
func NewFixed(t loadgen.Target) loadgen.Caller {
	transport := &http.Transport{ExpectContinueTimeout: time.Second}
	return &fixed{url: t.URL, chunk: make([]byte, t.Send), httpClient: &http.Client{Transport: transport}}
}

// Call stores a chunk, unless the server has it.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.url, bytes.NewReader(c.chunk))
	if err != nil {
		return err
	}
	if len(c.chunk) > 256<<10 { // more than net/http's server reads unasked
		req.Header.Set("Expect", "100-continue")
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
