package proxyupgradeleft

import (
	"io"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a proxy that connects upgraded clients to the ticker.
type fixed struct{ ticker string }

// NewFixed returns the proxy.
func NewFixed(t loadgen.Target) http.Handler { return fixed{ticker: t.Addr} }

// ServeHTTP copies in both directions until the conversation is over.
func (p fixed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var dialer net.Dialer
	upstream, err := dialer.DialContext(r.Context(), "tcp", p.ticker)
	if err != nil {
		http.Error(w, "the ticker does not answer", http.StatusBadGateway)
		return
	}
	defer upstream.Close()
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "ticker")
	w.WriteHeader(http.StatusSwitchingProtocols)
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	go func() {
		_, _ = io.Copy(upstream, buffered)
		upstream.Close() // the client has left
	}()
	_, _ = io.Copy(client, upstream)
}
