package cli

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A scraper that reads nothing gives up its place among the few that are served at once.
func TestAScraperThatReadsNothingIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	given := make(chan error, 1)
	server := exporterServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for part := make([]byte, 1<<16); ; {
			if _, err := w.Write(part); err != nil {
				given <- err
				return
			}
		}
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	c, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = fmt.Fprint(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	select {
	case err := <-given:
		require.Error(t, err)
	case <-time.After(2 * time.Minute):
		require.FailNow(t, "the exporter still waits")
	}
}
