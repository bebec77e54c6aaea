package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// nodes gives the metrics of one exporter, which watches the fake cluster, the form that they
// have of an exporter on each of two nodes: each with its pods, which have names.
type nodes struct {
	exporter, cluster string
	pods              sync.Map // by their processes' pids
	// cut fails the scrapes of node-1, and anonymous leaves the names out.
	cut, anonymous atomic.Bool
}

func (n *nodes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	node := strings.Trim(r.URL.Path, "/")
	if node == "node-1" && n.cut.Load() {
		http.Error(w, "cut off", http.StatusServiceUnavailable)
		return
	}
	response, err := http.Get("http://" + n.exporter + "/metrics")
	if err != nil || response.StatusCode != http.StatusOK {
		http.Error(w, "not yet", http.StatusServiceUnavailable)
		return
	}
	defer response.Body.Close()
	ofPID := regexp.MustCompile(`pid="(\d+)"`)
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		line, on := lines.Text(), "node-0"
		if m := ofPID.FindStringSubmatch(line); m != nil && !n.anonymous.Load() {
			if pod := n.pod(m[1]); pod != "" {
				index, _ := strconv.Atoi(pod[strings.LastIndex(pod, "-")+1:])
				on = "node-" + strconv.Itoa(index%2)
				line = strings.Replace(line, m[0], m[0]+`,namespace="shop",pod="`+pod+`"`, 1)
			}
		}
		if on == node || strings.HasPrefix(line, "socketlab_last_sample_timestamp_seconds") {
			fmt.Fprintln(w, line)
		}
	}
}

// pod is the pod of a process: the fake cluster knows the one that it started.
func (n *nodes) pod(pid string) string {
	if known, ok := n.pods.Load(pid); ok {
		return known.(string)
	}
	for of := pid; ; {
		files, _ := filepath.Glob(filepath.Join(n.cluster, "*.pid"))
		for _, f := range files {
			if text, _ := os.ReadFile(f); string(text) == of {
				pod := strings.TrimSuffix(filepath.Base(f), ".pid")
				n.pods.Store(pid, pod)
				return pod
			}
		}
		stat, err := os.ReadFile("/proc/" + of + "/stat")
		if err != nil {
			return ""
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if of = strings.Fields(rest)[1]; of == "1" || of == "0" {
			return ""
		}
	}
}

// scraped starts an exporter and a Prometheus that scrapes it as two nodes, and returns the
// URL of that.
func scraped(t *testing.T, n *nodes) string {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("no prometheus (apt-get install prometheus)")
	}
	exporter := start(t, "sockwatch", "exporter", "--listen", "127.0.0.1:0", "--interval", "300ms", "--own-namespace")
	n.exporter = exporter.until(t, `the metrics are at http://(127\.0\.0\.1:\d+)`)[1]
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- {job_name: sockwatch, honor_labels: true, static_configs: [{targets: [%[1]q], labels: {instance: node-0, __metrics_path__: /node-0}}, {targets: [%[1]q], labels: {instance: node-1, __metrics_path__: /node-1}}]}
`, server.Listener.Addr())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600))
	free, err := net.Listen("tcp", "127.0.0.1:0") // the network namespace is the tests' own
	require.NoError(t, err)
	require.NoError(t, free.Close())
	start(t, program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+dir, "--web.listen-address="+free.Addr().String())
	at := "http://" + free.Addr().String()
	require.Eventually(t, func() bool {
		out, _ := exec.Command("sockwatch", "fleet", "--prometheus", at, "-o", "json").Output()
		return strings.Contains(string(out), `"conclusive": true`)
	}, soon, 100*time.Millisecond)
	return at
}

const playedSlowly = `id: short
implementation: transport-per-request
title: A short load
server: {delay: 50ms, idle_timeout: 60s}
load: [{rate: 10, for: 8s}, {pause: 2s}]
sample_interval: 1s
fault: {kind: idle-connections-not-reused, fix: Share one client.}
expect:
  faulty: [verdict: idle-connections-not-reused, client.final.ESTABLISHED == 80, server.final.ESTABLISHED == 80]
  fixed: [verdict: healthy, client.final.ESTABLISHED <= 2]
`

func TestKubernetesRunIsReadFromPrometheus(t *testing.T) {
	if testing.Short() {
		t.Skip("it plays for 8 s")
	}
	n := &nodes{cluster: t.TempDir()}
	t.Setenv("FAKE_KUBECTL", n.cluster)
	require.NoError(t, os.WriteFile(filepath.Join(n.cluster, "addr"), []byte("127.12.0.1"), 0o600))
	script := filepath.Join(t.TempDir(), "short.yaml")
	require.NoError(t, os.WriteFile(script, []byte(playedSlowly), 0o600))
	at := scraped(t, n)
	run := []string{"run", script, "--on", "kubernetes", "--namespace", "shop", "--image", "x:1", "--clients", "2", "--prometheus", at, "-o", "json"}

	// A busy machine may not answer a scrape in time, or may count too rarely.
	inTime := func(late string, args ...string) (*running, int) {
		for again := 0; ; again++ {
			p := start(t, "sockwatch", args...)
			code := p.end(t)
			if code != 1 || again == 10 || !regexp.MustCompile(late).MatchString(strings.Join(p.seen, "\n")) {
				return p, code
			}
		}
	}
	whole, code := inTime(`inconclusive|is to be counted every`, run...)
	var answer struct {
		Source        string
		Faulty, Fixed struct {
			Verdict struct{ Kind string }
		}
	}
	require.Zero(t, code, "%s: %q", whole.stdout.String(), whole.seen)
	require.NoError(t, json.Unmarshal(whole.stdout.Bytes(), &answer))
	require.Equal(t, "prometheus", answer.Source)
	require.Equal(t, "idle-connections-not-reused", answer.Faulty.Verdict.Kind)
	require.Equal(t, "healthy", answer.Fixed.Verdict.Kind)

	// What is too coarse for the script is said before anything is made.
	fast, code := inTime("inconclusive", append(run, "--speed", "20")...)
	require.Equal(t, 1, code)
	fast.said(t, `it has a count of the sockets every \S+, and short is to be counted every 50ms at speed 20`)

	// A node that is cut off in mid-run: no sum of the rest.
	require.NoError(t, os.WriteFile(script, []byte(strings.NewReplacer("for: 8s", "for: 1s", "pause: 2s", "pause: 1s").Replace(playedSlowly)), 0o600))
	half := start(t, "sockwatch", run...)
	for again := 0; again < 10 && half.until(t, "all 4 clients are ready|inconclusive")[0] == "inconclusive"; again++ {
		half.end(t)
		half = start(t, "sockwatch", run...)
	}
	n.cut.Store(true)
	require.Equal(t, 1, half.end(t))
	require.Empty(t, half.stdout.String())
	// On a busy machine the other one may not answer in time, too.
	half.said(t, `inconclusive: Prometheus cannot scrape [12] of 2 exporters: (node-0, )?node-1`)
}
