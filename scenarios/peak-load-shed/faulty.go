package peakloadshed

import (
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"socketlab/internal/loadgen"
)

// NewFaulty returns the page of a basket: ten articles, each with its price.
func NewFaulty(t loadgen.Target) http.Handler {
	prices := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 20, MaxConnsPerHost: 20,
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls, ctx := errgroup.WithContext(r.Context())
		for range 10 {
			calls.Go(func() error { return loadgen.Get(ctx, prices, t.URL) })
		}
		if err := calls.Wait(); err != nil {
			http.Error(w, "no price", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ten prices")
	})
}
