package proxybuffersnothing

import (
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a proxy in front of the store.
type faulty struct {
	store      string
	httpClient *http.Client
}

// NewFaulty returns the proxy.
func NewFaulty(t loadgen.Target) http.Handler {
	return &faulty{store: t.URL, httpClient: &http.Client{Transport: &http.Transport{}}}
}

// ServeHTTP passes an upload on.
func (p *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.store, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	resp, err := p.httpClient.Do(req)
	if err != nil {
		http.Error(w, "the store does not answer", http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}
