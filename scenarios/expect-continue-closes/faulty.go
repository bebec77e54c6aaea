package expectcontinuecloses

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the chunk store.
type faulty struct {
	url        string
	chunk      []byte
	httpClient *http.Client
}

// NewFaulty returns a client of the chunk store.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	transport := &http.Transport{ExpectContinueTimeout: time.Second}
	return &faulty{url: t.URL, chunk: make([]byte, t.Send), httpClient: &http.Client{Transport: transport}}
}

// Call stores a chunk, unless the server has it.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.url, bytes.NewReader(c.chunk))
	if err != nil {
		return err
	}
	req.Header.Set("Expect", "100-continue")
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
