package sockettest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats/netnstest"
)

// asServer in the environment makes the test binary a server that accepts
// everything.
const asServer = "SOCKETTEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		acceptAll()
		return
	}
	netnstest.Enter()
	Main(m) // nor do this package's own tests leave anything
}

func acceptAll() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l.Addr())
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = discard(conn) }()
		}
	}()
	_, _ = discard(os.Stdin) // until the test ends
}

// elsewhere starts a server in another process and returns its address.
func elsewhere(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asServer+"=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	address, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	return strings.TrimSpace(address)
}

// suite are tests that end with a code.
type suite struct {
	run  func()
	code int
}

func (s suite) Run() int {
	s.run()
	return s.code
}

func TestMainFailsForWhatIsLeft(t *testing.T) {
	var stderr strings.Builder
	leaky := func() { listen(t) }
	require.Equal(t, 1, run(suite{run: leaky}, &stderr, []Option{soon}))
	require.Contains(t, stderr.String(), "sockettest: the tests of this package left 1 socket open:\n  1 listener was not closed")
}

func TestMainKeepsTheCode(t *testing.T) {
	var stderr strings.Builder
	require.Equal(t, 0, run(suite{run: func() {}}, &stderr, nil))
	require.Equal(t, 2, run(suite{run: func() { listen(t) }, code: 2}, &stderr, []Option{soon}))
	require.Empty(t, stderr.String(), "tests that failed have said enough")
}

func TestMainThatCannotLookFails(t *testing.T) {
	var stderr strings.Builder
	ran := false
	require.Equal(t, 1, run(suite{run: func() { ran = true }}, &stderr, []Option{through("nonsense")}))
	require.False(t, ran)
	require.Contains(t, stderr.String(), "the sockets of this process cannot be identified")
}
