package peakload

import (
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"socketlab/internal/loadgen"
)

// NewFixed returns the page of a basket: ten articles, each with its price.
func NewFixed(t loadgen.Target) http.Handler {
	prices := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 60, MaxConnsPerHost: 60,
	}}
	slots := semaphore.NewWeighted(30)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slots.TryAcquire(1) {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		defer slots.Release(1)
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
