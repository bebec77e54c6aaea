package redirectleavesitsconnection

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty follows redirects itself, to know where a document went.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the archive.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &faulty{t.URL, &http.Client{Transport: &http.Transport{}, CheckRedirect: stay}}
}

// Call fetches a document.
func (c *faulty) Call(ctx context.Context) error {
	resp, err := get(ctx, c.httpClient, c.url)
	if err != nil {
		return err
	}
	if to, err := resp.Location(); err == nil {
		if resp, err = get(ctx, c.httpClient, to.String()); err != nil {
			return err
		}
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
