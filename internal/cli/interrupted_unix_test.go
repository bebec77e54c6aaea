//go:build unix

package cli_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What was measured before Ctrl-C is printed, and so is what needs no measurement.
func TestWhatWasMeasuredBeforeCtrlCIsPrinted(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays real runs")
	}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(2100 * time.Millisecond)
		}
	}))
	t.Cleanup(server.Close)
	for name, of := range map[string]struct {
		args    []string
		until   string
		printed []string
	}{
		"a prediction": {
			[]string{"match", "--client-idle", "90s", "--server-idle", "60s", "--play", "-o", "markdown"},
			"^playing ",
			[]string{"the server"},
		},
		"a pool": {
			[]string{"size", "--rate", "25/s", "--latency", "160ms", "--play", "-o", "csv"},
			"^playing a pool of 5 ",
			[]string{"too small,2,measured,", "right,5,predicted,"},
		},
		"a profile": {
			[]string{"profile", "server", "--url", server.URL, "-o", "csv"},
			"^/slow takes ",
			[]string{"\npipelining,answered", "idle_timeout,,interrupted"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, "sockwatch", of.args...)
			r.until(t, of.until)
			require.NoError(t, r.cmd.Process.Signal(os.Interrupt))
			require.Equal(t, 130, r.end(t))
			r.said(t, "^sockwatch: .*interrupted$")
			for _, text := range of.printed {
				require.Contains(t, r.stdout.String(), text)
			}
		})
	}
}
