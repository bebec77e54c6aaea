package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Programs that nobody here wrote, each in a healthy and a leaky form, against
// servers that nobody here wrote. What is not installed is skipped.
func TestVerdictOnProgramsOfOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	tests := []struct {
		name   string
		server func(testing.TB) int
		// client is started in the background; PORT and URL are filled in.
		client string
		needs  string // a module of Python
		// target is what is diagnosed: pid is the client, port the server's.
		target string
		want   string
	}{
		{"requests without a Session", nginx, "python requests_plain", "requests", "port", "connection-churn"},
		{"requests with a Session", nginx, "python requests_session", "requests", "pid", "healthy"},
		{"urllib3, a pool for each request", nginx, "python urllib3_pool_per_request", "urllib3", "pid", "idle-connections-not-reused"},
		{"urllib3, one pool", nginx, "python urllib3_shared_pool", "urllib3", "pid", "healthy"},
		{"urllib3, bodies not read", nginx, "python urllib3_body_not_read", "urllib3", "pid", "response-body-leak"},
		{"urllib3, bodies read", nginx, "python urllib3_body_read", "urllib3", "pid", "healthy"},
		{"nginx closes, Python does not", nginx, "python never_closed", "socket", "pid", "close-wait-leak"},
		{"curl, a process for each request", nginx, "while :; do curl -s -o /dev/null URLsmall; sleep 0.05; done", "", "port", "connection-churn"},
		{"curl, one process", nginx, "curl -s --rate 20/s URLsmall?[1-100000] -o /dev/null", "", "port", "healthy"},
		{"wrk", nginx, "exec wrk -t1 -c8 -d60 -s PAUSE URLsmall", "", "port", "healthy"},
		{"wrk, connections closed", nginx, "exec wrk -t1 -c2 -d60 -s PAUSE -H 'Connection: close' URLsmall", "", "port", "connection-churn"},
		{"redis, a connection for each command", redis, "python redis_connection_per_command", "socket", "port", "idle-connections-not-reused"},
		{"redis, and what it sees of that", redis, "python redis_connection_per_command", "socket", "server", "growing"},
		{"redis, one connection", redis, "python redis_one_connection", "socket", "port", "healthy"},
		{"redis-benchmark", redis, "exec nice -n 19 redis-benchmark -p PORT -c 4 -n 100000000 -t ping -q", "", "port", "healthy"},
		{"redis-benchmark without keep-alive", redis, "while :; do redis-benchmark -p PORT -c 2 -n 20 -t ping_inline -q -k 0; sleep 0.1; done", "", "port", "connection-churn"},
		{"a server that never answers", deaf, "python no_answer", "socket", "pid", "request-stalled"},
	}
	// They mostly wait: all at once, and not as many as there are processors.
	results := make([]chan diagnosis, len(tests))
	for i, test := range tests {
		if missing := missing(test.client, test.needs); missing != "" {
			continue
		}
		port := test.server(t)
		if port == 0 {
			continue
		}
		pid := background(t, strings.NewReplacer(
			"python ", "exec python3 "+absolute(t, "testdata/foreign/client.py")+" ",
			"PAUSE", absolute(t, "testdata/foreign/pause.lua"), "PORT", strconv.Itoa(port), "URL", fmt.Sprintf("http://127.0.0.1:%d/", port),
		).Replace(withAddress(test.client, port)))
		args := map[string][]string{
			"pid":    {"--pid", strconv.Itoa(pid)},
			"port":   {"--port", strconv.Itoa(port)},
			"server": {"--pid", strconv.Itoa(listener(port)), "--for", "20s"},
		}[test.target]
		results[i] = make(chan diagnosis, 1)
		go func() { results[i] <- diagnosed(args) }()
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if missing := missing(test.client, test.needs); missing != "" {
				t.Skip(missing)
			}
			if results[i] == nil {
				t.Skip("the server is not installed")
			}
			found := <-results[i]
			require.NoError(t, found.err, "%s", found.errs)
			require.Equal(t, test.want, found.Kind, "%s\n%s", found.out, found.errs)
			severity, code := "leak", 3
			switch test.want {
			case "healthy":
				severity, code = "", 0
			case "growing":
				severity, code = "", 1
			case "connection-churn":
				severity, code = "note", 0
			case "request-stalled":
				severity = "fault"
			}
			require.Equal(t, severity, found.Severity)
			require.Equal(t, code, found.code, "%s\n%s", found.out, found.errs)
		})
	}
}

// diagnosis is what sockwatch diagnose said.
type diagnosis struct {
	Kind, Severity string
	code           int
	out, errs      string
	err            error
}

func diagnosed(args []string) diagnosis {
	var out, errs bytes.Buffer
	cmd := exec.Command("sockwatch", append([]string{"diagnose", "-o", "json"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // its exit code says more
	var d diagnosis
	d.code = cmd.ProcessState.ExitCode()
	d.err = json.Unmarshal(out.Bytes(), &d)
	d.out, d.errs = out.String(), errs.String()
	return d
}

// withAddress gives the Python clients where to connect to.
func withAddress(client string, port int) string {
	if strings.HasPrefix(client, "python ") {
		return fmt.Sprintf("%s 127.0.0.1 %d", client, port)
	}
	return client
}

// missing says which program or module is not installed; "" if all are.
func missing(command, module string) string {
	for _, name := range []string{"curl", "wrk", "redis-benchmark", "python"} {
		if strings.Contains(command, name) && !installed(strings.Replace(name, "python", "python3", 1)) {
			return name + " is not installed (apt-get install it)"
		}
	}
	if module != "" && exec.Command("python3", "-c", "import "+module).Run() != nil {
		return fmt.Sprintf("Python has no module %s (apt-get install python3-%[1]s)", module)
	}
	return ""
}

func installed(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

func absolute(t testing.TB, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

// background starts a command in a process group of its own, which is ended
// with the test.
func background(t testing.TB, command string) (pid int) {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() && said.Len() > 0 {
			t.Logf("%s said: %.300s", command, said.String())
		}
	})
	return cmd.Process.Pid
}

// nginx starts one that serves a small file and a large one, and returns its
// port; 0 where it is not installed.
func nginx(t testing.TB) int {
	t.Helper()
	if !installed("nginx") {
		return 0
	}
	dir, port := t.TempDir(), freePort(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "files"), 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "files", "small"), []byte("hello\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "files", "large"), make([]byte, 8<<20), 0o644))
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server { listen 127.0.0.1:%[2]d; root %[1]s/files; }
}`, dir, port), 0o644))
	background(t, fmt.Sprintf("exec nginx -p %s -c %s", dir, config))
	awaitPort(t, port)
	return port
}

func redis(t testing.TB) int {
	t.Helper()
	if !installed("redis-server") {
		return 0
	}
	port := freePort(t)
	background(t, fmt.Sprintf("exec redis-server --bind 127.0.0.1 --port %d --save '' --appendonly no --dir %s", port, t.TempDir()))
	awaitPort(t, port)
	return port
}

// deaf accepts and never answers.
func deaf(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		var held []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				for _, c := range held {
					_ = c.Close()
				}
				return
			}
			held = append(held, c)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// freePort is below the ports that the kernel gives out, so that none of the tests beside
// this one is given it before the server listens.
func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 10000 + rand.IntN(20000)
		if l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, l.Close())
			return port
		}
	}
	t.Fatal("no port from 10000 to 29999 is free")
	return 0
}

func awaitPort(t testing.TB, port int) {
	t.Helper()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, soon, 20*time.Millisecond)
}

// listener is the process that listens on a port.
func listener(port int) int {
	out, err := exec.Command("ss", "-Htlnp", "sport", "=", fmt.Sprintf(":%d", port)).Output()
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(out), "pid=")
	digits, _, _ := strings.Cut(after, ",")
	pid, _ := strconv.Atoi(digits)
	return pid
}
