package client_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/cli/client"
	"socketlab/internal/cli/program"
	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats/netnstest"
	"socketlab/scenarios"
)

// The test binary is also the client, which a refused dial ends. The tests need a
// namespace: an address of theirs is not on loopback, and none is of another machine.
func TestMain(m *testing.M) {
	if side := os.Getenv("CLIENT_TEST_SIDE"); side != "" {
		os.Unsetenv("CLIENT_TEST_SIDE")
		program.Main(client.Command(scenario.Side(side)))
	}
	netnstest.Enter()
	os.Exit(m.Run())
}

// elsewhere is a listener that is not on loopback, and counts connections.
type elsewhere struct {
	net.Listener
	came atomic.Int64
}

func listenElsewhere(t *testing.T) *elsewhere {
	if !netnstest.Inside() {
		t.Skip("there is no network namespace for an address of our own")
	}
	const address = "10.9.9.9"
	require.NoError(t, addAddress(address))
	l, err := net.Listen("tcp", address+":0")
	require.NoError(t, err)
	e := &elsewhere{Listener: l}
	names, err := net.ListenPacket("udp", l.Addr().String())
	require.NoError(t, err)
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			e.came.Add(1)
			conn.Close()
		}
	})
	done.Go(func() {
		for {
			if _, _, err := names.ReadFrom(make([]byte, 1)); err != nil {
				return
			}
			e.came.Add(1)
		}
	})
	t.Cleanup(func() {
		l.Close()
		names.Close()
		done.Wait()
	})
	return e
}

// addAddress gives the loopback device one more address.
func addAddress(address string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo:1")
	if err == nil {
		err = request.SetInet4Addr(net.ParseIP(address).To4())
	}
	if err != nil {
		return err
	}
	return unix.IoctlIfreq(fd, unix.SIOCSIFADDR, request)
}

// redirecting is a server on loopback that sends everybody to a URL.
func redirecting(t *testing.T, url string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, url, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(s.Close)
	return s
}

// players play the clients of all pairs against one address, each held to loopback.
func players(t *testing.T, addr string) map[string]*loadgen.Player {
	all := map[string]*loadgen.Player{}
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		server := loadgen.At{Addr: addr}
		if strings.Contains(scenarios.Code(id, scenario.Fixed)+scenarios.Client(id), "t.DNS") { // it looks up names itself
			server.DNS = addr
		}
		at := loadgen.NewTarget(server, script.Client, 1)
		for _, side := range []scenario.Side{scenario.Faulty, scenario.Fixed} {
			player := loadgen.Begin(scenarios.NewCaller(id, side, at), make([]time.Duration, 2), 0)
			player.Keep(server.DNS != "", netip.AddrPort{})
			player.Play(t.Context())
			all[fmt.Sprint(id, " ", side)] = player
		}
	}
	return all
}

func TestNoPairConnectsElsewhere(t *testing.T) {
	there := listenElsewhere(t)
	for name, player := range players(t, there.Addr().String()) {
		require.Eventually(t, func() bool {
			r := player.Report()
			return r.Refused != "" || r.Requests.Errors["DNS"] == r.Requests.Sent // the name server is not asked
		}, time.Minute, time.Millisecond, "a dial did not pass the load's bounds: %s", name)
	}
	require.Zero(t, there.came.Load())
}

func TestNoPairFollowsARedirectElsewhere(t *testing.T) {
	there := listenElsewhere(t)
	here := redirecting(t, "http://"+there.Addr().String()+"/")
	all := players(t, here.Listener.Addr().String())
	refused := func() (n int) {
		for _, player := range all {
			if player.Report().Refused != "" {
				n++
			}
		}
		return n
	}
	// Those over a protocol of their own cannot be redirected, nor those that ask a name server.
	require.Eventually(t, func() bool { return refused() > len(all)/2 }, time.Minute, 10*time.Millisecond)
	require.Zero(t, there.came.Load())
}

// run runs a client against a server and returns what it said, and its exit code.
func run(t *testing.T, side scenario.Side, url string, environment ...string) (said string, code int) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "--url", url, "--speed", "50", "--linger", "0s")
	cmd.Env = append(append(os.Environ(), "CLIENT_TEST_SIDE="+string(side)), environment...)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

func TestAClientStaysOnLoopback(t *testing.T) {
	there := listenElsewhere(t)
	byName, byNumber := redirecting(t, "http://elsewhere.test/"), redirecting(t, "http://"+there.Addr().String()+"/")
	tests := []struct {
		name, url   string
		environment []string
		code        int
		said        string
	}{
		{"a redirect to a number", byNumber.URL, nil, 1, "refused a connection to " + there.Addr().String() + ", where a redirect or a name led: it is not on loopback"},
		{"a redirect to a name", byName.URL, nil, 1, `refused the look-up of "elsewhere.test"`},
		{"a proxy on loopback for what a redirect names", byName.URL, []string{"HTTP_PROXY=" + byNumber.URL, "http_proxy=" + byNumber.URL}, 1, `refused the look-up of "elsewhere.test"`},
		{"a proxy elsewhere", byNumber.URL, []string{"HTTP_PROXY=http://" + there.Addr().String(), "ALL_PROXY=http://" + there.Addr().String()}, 1, "refused a connection to"},
		{"a number that is not on loopback", "http://" + there.Addr().String(), nil, 2, "10.9.9.9 is not on loopback"},
		{"a name", "http://elsewhere.test", nil, 2, "elsewhere.test is not on loopback"},
	}
	for _, test := range tests {
		for _, side := range []scenario.Side{scenario.Faulty, scenario.Fixed} {
			t.Run(test.name+" "+string(side), func(t *testing.T) {
				said, code := run(t, side, test.url, test.environment...)
				require.Equal(t, test.code, code, said)
				require.Contains(t, said, test.said)
			})
		}
	}
	require.Zero(t, there.came.Load())
}
