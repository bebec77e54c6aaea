package sockettest

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// full returns the address of a listener that accepts nothing and has room for no
// more, so that the next dial is not answered.
func full(t *testing.T) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Close(fd)) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(fd, 0))
	at, err := unix.Getsockname(fd)
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(at.(*unix.SockaddrInet4).Port))
	dial(t, address)
	return address
}

func TestADialThatWaitsIsALeak(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		address := full(t)
		ctx, cancel := context.WithCancel(t.Context())
		returned := make(chan struct{})
		failure := play(t, func(TB) {
			go func() {
				defer close(returned)
				_, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
				require.Error(t, err)
			}()
			listed(t, func(s socketstats.Socket) bool {
				return s.Remote.String() == address && s.State == socketstats.SynSent
			})
		}, soon, source)
		cancel()
		<-returned
		require.Contains(t, failure, "TestX left 1 socket open:\n")
		require.Contains(t, failure, "1 connection waits for the peer to answer: give the dial a timeout")
		require.Contains(t, failure, " -> "+address+" SYN_SENT")
	})
}

func TestADialThatIsGivenUpIsNoConnection(t *testing.T) {
	address := full(t)
	require.Empty(t, play(t, func(TB) {
		_, err := net.DialTimeout("tcp", address, 20*time.Millisecond)
		require.Error(t, err)
	}, MaxOpened(0), MaxOpen(0)))
}

// On Linux it is known of each reader which socket it reads.
func TestReadersAreFoundByTheirSockets(t *testing.T) {
	server, l := serve(t, 13), listen(t)
	client := transport(t)
	fetch(t, &http.Client{Transport: client}, server.URL)
	accept(t, l, func(c net.Conn) { t.Cleanup(func() { c.Close() }) })
	conn := dial(t, l.Addr().String())
	go func() { _, _ = discard(conn) }()
	require.Eventually(t, func() bool {
		found := readStacks().readers
		inodes := inodesOf(found)
		counts := map[doing]int{}
		for _, r := range found {
			if r.poll != 0 && inodes[r.poll] == 0 {
				return false
			}
			counts[r.does]++
		}
		return counts[idle] == 1 && counts[reads] >= 3 // two listeners, and conn
	}, time.Minute, time.Millisecond)
}
