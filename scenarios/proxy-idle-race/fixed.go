package proxyidlerace

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"socketlab/internal/loadgen"
)

// NewFixed returns the proxy in front of the order service.
func NewFixed(t loadgen.Target) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: t.Addr})
			r.SetXForwarded()
		},
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 6,
			IdleConnTimeout:     t.Scaled(400 * time.Millisecond),
		},
	}
}
