package contextnotpassed

import (
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is the article page, which asks the stock service.
type fixed struct {
	stock      string
	httpClient *http.Client
}

// NewFixed returns the article page.
func NewFixed(t loadgen.Target) http.Handler {
	return &fixed{stock: t.URL, httpClient: &http.Client{Transport: &http.Transport{}}}
}

// ServeHTTP forwards the response of the stock service.
func (p *fixed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.stock, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	resp, err := p.httpClient.Do(req)
	if err != nil {
		http.Error(w, "the stock service does not answer", http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}
