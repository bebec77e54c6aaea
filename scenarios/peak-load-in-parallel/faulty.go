package peakloadinparallel

import (
	"fmt"
	"net/http"

	"socketlab/internal/loadgen"
)

// NewFaulty returns the page of a basket: ten articles, each with its price.
func NewFaulty(t loadgen.Target) http.Handler {
	prices := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 60, MaxConnsPerHost: 60,
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 10 {
			if err := loadgen.Get(r.Context(), prices, t.URL); err != nil {
				http.Error(w, "no price", http.StatusServiceUnavailable)
				return
			}
		}
		fmt.Fprintln(w, "ten prices")
	})
}
