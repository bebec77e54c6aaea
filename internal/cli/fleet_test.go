package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// exporterSaying is a page of metrics of one process.
func exporterSaying(t *testing.T, process, kind, severity string, unobserved int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `socketlab_last_sample_timestamp_seconds %d
socketlab_unobserved_processes{reason="not_permitted"} %d
socketlab_sockets{end="client",pid="7",process=%q,state="CLOSE_WAIT"} 120
socketlab_verdict_info{pid="7",process=%q,kind=%q,severity=%q,confidence="high"} 1
`, time.Now().Unix(), unobserved, process, process, kind, severity)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestFleetEndsWithWhatItFound(t *testing.T) {
	t.Parallel()
	leaks := exporterSaying(t, "shop", "close-wait-leak", "leak", 0)
	healthy := exporterSaying(t, "fine", "healthy", "", 0)
	blind := exporterSaying(t, "fine", "healthy", "", 3)
	const gone = "127.0.0.1:1"
	port := strings.TrimPrefix(healthy, "127.0.0.1")
	for _, test := range []struct {
		name, says string
		args       []string
		code       int
	}{
		{"healthy", "No fault on 1 node", []string{healthy}, 0},
		{"a leak", "1 process with a fault", []string{healthy, leaks}, 3},
		{"a leak and a silent node", "inconclusive: 1 node does not answer", []string{gone, leaks}, 3},
		{"a silent node", "Inconclusive: 1 node does not answer", []string{gone, healthy}, 1},
		{"one too few", "Inconclusive: 2 nodes do not answer", []string{healthy, "--expect", "3"}, 1},
		{"not all observed", "3 processes: not permitted", []string{blind}, 1},
		{"not on this machine", "not on this machine", []string{"192.0.2.1:9719", "--timeout", "1s"}, 1},
		{"no source", "", nil, 2},
		{"two sources", "", []string{healthy, "--dns", "localhost:1"}, 2},
		{"no port", "", []string{"localhost"}, 2},
		{"a port that is none", "", []string{"127.0.0.1:65536"}, 2},
		{"port 0", "", []string{"127.0.0.1:0"}, 2},
		{"a URL with a port that is none", "", []string{"http://127.0.0.1:65536/metrics"}, 2},
		{"a name with a port that is none", "", []string{"--dns", "x:notaport"}, 2},
		{"a Prometheus with a port that is none", "", []string{"--prometheus", "http://127.0.0.1:65536"}, 2},
		{"one exporter twice", "", []string{healthy, "http://" + healthy}, 2},
		{"one exporter by name and address", "", []string{healthy, "LOCALHOST" + port}, 2},
		{"one exporter without a host", "", []string{healthy, port}, 2},
		{"one exporter at its address of IPv6", "", []string{healthy, "[::1]" + port}, 2},
		{"one exporter with a path", "", []string{healthy, healthy + "/metrics?"}, 2},
		{"one exporter with a fragment", "", []string{healthy, healthy + "#x"}, 2},
		{"one exporter with zeros", "", []string{healthy, strings.Replace(healthy, ":", ":00", 1)}, 2},
		{"one exporter over TLS, too", "", []string{healthy, "https://" + healthy}, 2},
		{"exporters behind one address", "240 open sockets on 2 nodes", []string{healthy + "/a?node=1", healthy + "/a?node=2"}, 0},
		{"a Prometheus without a scheme", "", []string{"--prometheus", "127.0.0.1:9090"}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer, code := sockwatch(t, append([]string{"fleet"}, test.args...)...)
			require.Equal(t, test.code, code, answer)
			require.Contains(t, answer, test.says)
			if strings.Contains(strings.ToLower(test.says), "inconclusive") {
				require.NotContains(t, answer, "120 open")
			}
		})
	}
}

func TestFleetInEveryFormat(t *testing.T) {
	t.Parallel()
	leaks, healthy := exporterSaying(t, "shop", "close-wait-leak", "leak", 0), exporterSaying(t, "fine", "healthy", "", 0)
	for format, want := range map[string]string{
		"table": "240 open sockets", "markdown": "| ", "csv": leaks + ",shop,7,", "html": "<table", "junit": "<failure",
	} {
		answer, code := sockwatch(t, "fleet", "-o", format, healthy, leaks)
		require.Equal(t, 3, code, answer)
		require.Contains(t, answer, want, format)
	}
	answer, _ := sockwatch(t, "fleet", "-o", "json", healthy, leaks)
	var got struct {
		Schema     string
		Conclusive bool
		Open       int
		Processes  []struct{ Process string }
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &got))
	require.Equal(t, "sockwatch.fleet/v1", got.Schema)
	require.True(t, got.Conclusive)
	require.Equal(t, 240, got.Open)
	require.Equal(t, "shop", got.Processes[0].Process, "the worst is first")
	answer, _ = sockwatch(t, "fleet", "-o", "json", healthy, "127.0.0.1:1")
	require.NotContains(t, answer, `"open": 120,`+"\n  \"faults\"", "there is no sum")
}

func TestFleetByName(t *testing.T) {
	t.Parallel()
	_, port, _ := strings.Cut(exporterSaying(t, "fine", "healthy", "", 0), ":")
	for _, name := range []string{"127.0.0.1", "localhost"} {
		answer, code := sockwatch(t, "fleet", "--dns", name+":"+port)
		require.Zero(t, code, answer)
		require.Contains(t, answer, "120 open sockets on 1 node", "each exporter once, also at two addresses")
	}
}

// Each format has what cannot be as a silent node, and what the others say.
func TestFleetDoesNotBelieveImpossibleNumbers(t *testing.T) {
	t.Parallel()
	fine := exporterSaying(t, "fine", "healthy", "", 0)
	const why = "it says socketlab_open_sockets_growth_per_second is NaN, which cannot be"
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `socketlab_last_sample_timestamp_seconds %d
socketlab_sockets{end="client",pid="8",process="liar",state="CLOSE_WAIT"} 120
socketlab_open_sockets_growth_per_second{pid="8",process="liar"} NaN
`, time.Now().Unix())
	}))
	t.Cleanup(liar.Close)
	for _, format := range []string{"table", "markdown", "csv", "html", "junit", "json"} {
		answer, code := sockwatch(t, "fleet", "-o", format, fine, liar.URL)
		require.Equal(t, 1, code, answer)
		require.Contains(t, strings.ReplaceAll(strings.Join(strings.Fields(answer), " "), `\_`, "_"), why, format)
		require.Contains(t, answer, "fine", format)
		require.NotContains(t, answer, "liar", format)
	}
}
