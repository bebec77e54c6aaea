package battery_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile/battery"
)

// What was measured before an interruption is there, and nothing is taken for measured that
// the interruption ended.
func TestAServerMeasuredInPart(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(2100 * time.Millisecond)
		}
	}))
	t.Cleanup(server.Close)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	p, err := battery.ServerBattery{
		Addr: server.Listener.Addr().String(), Slow: "/slow", Read: "/read",
		Say: func(string, ...any) { interrupt() }, // how long /slow takes
	}.Measure(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Contains(t, p.Values, "pipelining")
	require.Equal(t, "interrupted", p.NotMeasured["idle_timeout"])
	require.Equal(t, "interrupted", p.NotMeasured["h2"])
}
