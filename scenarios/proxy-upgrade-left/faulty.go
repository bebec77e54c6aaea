package proxyupgradeleft

import (
	"io"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a proxy that connects upgraded clients to the ticker.
type faulty struct{ ticker string }

// NewFaulty returns the proxy.
func NewFaulty(t loadgen.Target) http.Handler { return faulty{ticker: t.Addr} }

// ServeHTTP copies in both directions until the conversation is over.
func (p faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	go io.Copy(upstream, buffered)
	_, _ = io.Copy(client, upstream)
}
