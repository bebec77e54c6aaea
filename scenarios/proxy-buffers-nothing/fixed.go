package proxybuffersnothing

import (
	"bytes"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a proxy in front of the store.
type fixed struct {
	store      string
	httpClient *http.Client
}

// NewFixed returns the proxy.
func NewFixed(t loadgen.Target) http.Handler {
	return &fixed{store: t.URL, httpClient: &http.Client{Transport: &http.Transport{}}}
}

// ServeHTTP passes an upload on.
func (p *fixed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 8<<20))
	if err != nil {
		http.Error(w, "the upload is too long, or has no end", http.StatusBadRequest)
		return
	}
	ctx := r.Context()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.store, bytes.NewReader(upload))
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
