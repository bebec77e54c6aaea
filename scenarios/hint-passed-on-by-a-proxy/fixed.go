package hintpassedonbyaproxy

import (
	"io"
	"maps"
	"net/http"

	"socketlab/internal/loadgen"
)

// hopByHop are the fields that are about one connection (RFC 9110 section 7.6.1).
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade"}

// NewFixed returns the proxy in front of the order service.
func NewFixed(t loadgen.Target) http.Handler {
	upstream := &http.Transport{MaxIdleConnsPerHost: 6}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := r.Clone(r.Context())
		req.URL.Scheme, req.URL.Host = "http", t.Addr
		resp, err := upstream.RoundTrip(req)
		if err != nil {
			http.Error(w, "the order service does not answer", http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for _, field := range hopByHop {
			resp.Header.Del(field)
		}
		maps.Copy(w.Header(), resp.Header)
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})
}
