package client

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever URL is given, a client without --allow-remote goes to loopback or nowhere.
func FuzzTarget(f *testing.F) {
	for _, url := range []string{
		"http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "http://[::ffff:127.0.0.1]:1", "http://127.0.0.1.example.com", "http://user@127.0.0.1@example.com/",
		"http://example.com#@127.0.0.1", "http://0x7f000001", "http://127.1", "http://[::1%25lo]:80", "http://127.0.0.1:99999", "//127.0.0.1", "http://\x1b[31m",
	} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		addr, err := checkTarget(t.Context(), url, false)
		if err != nil {
			return
		}
		host, _, err := net.SplitHostPort(addr)
		require.NoError(t, err)
		if host != "localhost" {
			ip, err := netip.ParseAddr(host)
			require.NoError(t, err)
			require.True(t, ip.Unmap().IsLoopback())
		}
	})
}
