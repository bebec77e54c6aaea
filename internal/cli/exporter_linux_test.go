package cli_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scrape returns the metrics of an exporter, and "" where it says that there are none.
func scrape(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if response.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

// exporting starts an exporter on a free port, and returns its address.
func exporting(t *testing.T, args ...string) (*running, string) {
	t.Helper()
	r := start(t, "sockwatch", append([]string{"exporter", "--listen", "127.0.0.1:0", "--interval", "100ms"}, args...)...)
	t.Cleanup(func() { end(r) })
	return r, r.until(t, `the metrics are at (?:http://)?(127\.0\.0\.1:\d+)`)[1]
}

func TestExporterSaysWhichProcessLeaks(t *testing.T) {
	t.Parallel()
	leaks, healthy := leakyAndHealthy(t)
	r, address := exporting(t, "--pid", pidOf(leaks)+","+pidOf(healthy))
	fault := regexp.MustCompile(`socketlab_fault\{kind="idle-connections-not-reused",pid="` + pidOf(leaks) + `",process="client-faulty"\} 1`)
	var page string
	for until := time.Now().Add(soon); !fault.MatchString(page); page = scrape(t, address) {
		require.True(t, time.Now().Before(until), "no fault of the client that leaks, but\n%s", page)
		time.Sleep(100 * time.Millisecond)
	}
	require.Regexp(t, `socketlab_sockets\{end="client",peer_service="127\.0\.0\.1:\d+",pid="`+pidOf(leaks)+`",process="client-faulty",state="ESTABLISHED"\} \d`, page)
	require.NotRegexp(t, `socketlab_fault\{[^}]*pid="`+pidOf(healthy)+`"[^}]*\} 1`, page)
	require.NotContains(t, page, fmt.Sprintf(`pid="%d"`, r.cmd.Process.Pid), "it does not count itself")
	require.Contains(t, page, `socketlab_unobserved_processes{reason="not_permitted"} 0`)
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("no promtool (apt-get install prometheus): the names are checked in internal/render/prom only")
	} else {
		check := exec.Command(promtool, "check", "metrics")
		check.Stdin = strings.NewReader(page)
		out, err := check.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Empty(t, string(out))
	}
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGINT))
	require.Zero(t, r.end(t))
}

func TestExporterWaitsForNoBody(t *testing.T) {
	t.Parallel()
	_, address := exporting(t, "--pid", strconv.Itoa(os.Getpid()))
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(soon)))
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
	require.NoError(t, err)
	answer, err := io.ReadAll(c)
	require.NoError(t, err, "the connection is still open")
	require.Contains(t, string(answer), "200 OK")
}

func TestExporterWaitsForAProcessThatIsNotThere(t *testing.T) {
	t.Parallel()
	r, address := exporting(t, "--name", "no-such-program")
	require.Contains(t, r.seen[0], "there is no process yet that the flags name")
	page := scrape(t, address)
	require.Contains(t, page, `socketlab_processes{series="own"} 0`)
	require.NotContains(t, page, "socketlab_sockets")
}

// A scraper without the password gets nothing.
func TestExporterAsksForAPassword(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "web.yml")
	// The password is "secret", hashed by bcrypt.
	const users = "basic_auth_users:\n  prometheus: $2a$04$BFidRzDakSb9vPM5RX1cy.tlMD2lIjr2gNAP/6OBkrkWOL5D1NP.S\n"
	require.NoError(t, os.WriteFile(config, []byte(users), 0o600))
	_, address := exporting(t, "--name", "no-such-program", "--web-config", config)
	for _, user := range []*struct{ name, password string }{nil, {"prometheus", "wrong"}, {"prometheus", "secret"}} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
		require.NoError(t, err)
		if user != nil {
			request.SetBasicAuth(user.name, user.password)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		if user != nil && user.password == "secret" {
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.Contains(t, string(body), "socketlab_processes")
			continue
		}
		require.Equal(t, http.StatusUnauthorized, response.StatusCode)
		require.NotContains(t, string(body), "socketlab")
	}
}

// The web configuration is read again for each request: a password that is changed is asked for
// at once, and with a file that became invalid nothing is given out, and it is said why.
func TestExporterReadsItsWebConfigAgain(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "web.yml")
	write := func(text string) { require.NoError(t, os.WriteFile(config, []byte(text), 0o600)) }
	write("{}\n")
	r, address := exporting(t, "--name", "no-such-program", "--web-config", config)
	status := func() int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, response.StatusCode == http.StatusOK, strings.Contains(string(body), "socketlab"))
		return response.StatusCode
	}
	require.Equal(t, http.StatusOK, status())
	write("basic_auth_users: {prometheus: $2a$04$BFidRzDakSb9vPM5RX1cy.tlMD2lIjr2gNAP/6OBkrkWOL5D1NP.S}\n")
	require.Equal(t, http.StatusUnauthorized, status())
	write("basic_auth_users: [\n")
	require.Equal(t, http.StatusInternalServerError, status())
	r.until(t, "Unable to parse configuration.*web.yml")
	require.NoError(t, os.Remove(config))
	require.Equal(t, http.StatusInternalServerError, status())
	write("{}\n")
	require.Equal(t, http.StatusOK, status())
}

func TestExporterListensOnLoopbackUnlessTold(t *testing.T) {
	t.Parallel()
	r, _ := exporting(t, "--name", "no-such-program")
	out, err := exec.Command("ss", "-ltnpH").Output()
	if err != nil {
		t.Skip("no ss (apt-get install iproute2)")
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, fmt.Sprintf("pid=%d,", r.cmd.Process.Pid)) {
			host, _, err := net.SplitHostPort(strings.Fields(line)[3])
			require.NoError(t, err)
			require.Equal(t, "127.0.0.1", host)
			return
		}
	}
	require.Fail(t, "it does not listen", "%s", out)
}

func TestExporterWarnsBeyondLoopback(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	key, err := x509.MarshalPKCS8PrivateKey(cert.TLS.Certificates[0].PrivateKey)
	require.NoError(t, err)
	const users = "basic_auth_users: {prometheus: $2a$04$BFidRzDakSb9vPM5RX1cy.tlMD2lIjr2gNAP/6OBkrkWOL5D1NP.S}\n"
	const secure = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"
	for name, content := range map[string][]byte{
		"cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate().Raw}),
		"key.pem":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"users":    []byte(users), "tls": []byte(secure), "both": []byte(users + secure), "neither": []byte("{}\n"),
		"clients": []byte("tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: cert.pem, client_auth_type: RequireAndVerifyClientCert}\n"),
		"wrong":   []byte("tls_config: {}\n"),
		"no-hash": []byte("basic_auth_users: {alice: secret}\n"),
		"empty":   nil, "words": []byte("http_server_config: {http2: no}\n"),
		"second": []byte("{}\n---\n" + users),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	const open, plain = "warning: whoever reaches 0.0.0.0:", "warning: passwords and metrics are sent to 0.0.0.0:"
	for _, c := range []struct{ listen, config, warns, scheme string }{
		{"127.0.0.1:0", "", "", "http"},
		{"localhost:0", "", "", "http"},
		{"127.0.0.1:0", "users", "", "http"},
		{"0.0.0.0:0", "", open, "http"},
		{"0.0.0.0:0", "neither", open, "http"},
		{"0.0.0.0:0", "empty", open, "http"},
		{"0.0.0.0:0", "words", open, "http"},
		{"0.0.0.0:0", "tls", open, "https"},
		{"0.0.0.0:0", "users", plain, "http"},
		{"0.0.0.0:0", "both", "", "https"},
		{"0.0.0.0:0", "clients", "", "https"},
	} {
		args := []string{"exporter", "--name", "no-such-program", "--listen", c.listen}
		if c.config != "" {
			args = append(args, "--web-config", filepath.Join(dir, c.config))
		}
		r := start(t, "sockwatch", args...)
		r.until(t, "the metrics are at "+c.scheme+"://")
		said := strings.ReplaceAll(strings.Join(r.seen, "\n"), "[::]:", "0.0.0.0:")
		require.Equal(t, c.warns != "", strings.Contains(said, "warning: "), "%+v: %q", c, said)
		require.Contains(t, said, c.warns)
		end(r)
	}
	for _, name := range []string{"wrong", "no-such-file"} {
		said, code := sockwatch(t, "exporter", "--name", "no-such-program", "--web-config", filepath.Join(dir, name))
		require.Equal(t, 1, code, said)
	}
	r := start(t, "sockwatch", "exporter", "--name", "no-such-program", "--web-config", filepath.Join(dir, "no-hash"))
	r.until(t, `the password of "alice" is not a bcrypt hash`)
	require.Equal(t, 1, r.end(t))
	r = start(t, "sockwatch", "exporter", "--name", "no-such-program", "--web-config", filepath.Join(dir, "second"))
	r.until(t, "has more than one YAML document, and only the first would count")
	require.Equal(t, 1, r.end(t))
}

// Each network namespace takes descriptors. Where they do not suffice for all of them, counts
// come from /proc, which needs none that stays open. Who may not enter the namespaces of
// others reads them from /proc anyway, and has nothing to say.
func TestExporterInFewDescriptorsSeesAllNamespaces(t *testing.T) {
	t.Parallel()
	var pids []int
	for range 12 {
		cmd := exec.Command("unshare", "-rn", "sleep", "infinity") // it ends with the test
		cmd.SysProcAttr = endsWithTests()
		if err := cmd.Start(); err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
		ours, err := os.Readlink("/proc/self/ns/net")
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid))
			return err == nil && theirs != ours
		}, time.Minute, 10*time.Millisecond, "a network namespace of its own")
		pids = append(pids, cmd.Process.Pid)
	}
	r := start(t, "sh", "-c", "ulimit -n 24; exec sockwatch exporter --listen 127.0.0.1:0 --name sleep --interval 100ms")
	t.Cleanup(func() { end(r) })
	if exec.Command("nsenter", "-t", strconv.Itoa(pids[0]), "-n", "true").Run() == nil {
		r.until(t, `counts come from procfs: too few descriptors`)
	}
	address := r.until(t, `the metrics are at (?:http://)?(127\.0\.0\.1:\d+)`)[1]
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		page := scrape(t, address)
		for _, pid := range pids {
			assert.Contains(c, page, fmt.Sprintf(`pid="%d",process="sleep"`, pid))
		}
	}, time.Minute, 100*time.Millisecond)
}
