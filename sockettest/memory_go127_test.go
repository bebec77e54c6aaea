//go:build go1.27

package sockettest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// serveInMemory serves without sockets, by httptest's own server for tests.
func serveInMemory(t *testing.T, h http.Handler) (*http.Client, string) {
	client := httptest.NewTestServer(t, h).Client()
	return client, "http://example.com"
}
