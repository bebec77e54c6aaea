package hintnothonoured

import (
	"context"
	"io"
	"net/http"
	"strings"

	"socketlab/internal/loadgen"
)

// NewFaulty returns a client of the order service. Each call places an order.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 6}}
	return loadgen.CallerFunc(func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, strings.NewReader("article=4711"))
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	})
}
