package netns

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Whatever comes as a message is read or refused, and a supervisor that says of a process
// that it has ended need not have started it.
func FuzzMessage(f *testing.F) {
	for _, text := range []string{`{"Ready":1}`, `{"PID":7}`, `{"Exited":{"PID":7}}`, `{"Exited":{}}`, `{"Start":["true"],"Env":["A=b"]}`, `{"Kill":-1}`, `{`, "null", "[]"} {
		f.Add([]byte(text))
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(f, err)
	ends := make([]*net.UnixConn, len(pair))
	for i, fd := range pair {
		ends[i], err = unixConn(os.NewFile(uintptr(fd), "control"))
		require.NoError(f, err)
		defer ends[i].Close()
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		if len(message) == 0 || len(message) > 1<<12 {
			return
		}
		_, err := ends[0].Write(message)
		require.NoError(t, err)
		_, err = ends[0].Write(message)
		require.NoError(t, err)
		var a answer
		if files, err := receive(ends[1], &a); err == nil {
			require.Empty(t, files)
			n := &Namespace{answers: make(chan reply, 1)}
			n.hear(a, nil, map[int]*Process{})
		}
		_, _ = receive(ends[1], &request{})
	})
}
