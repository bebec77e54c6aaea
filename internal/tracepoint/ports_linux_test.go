package tracepoint

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOtherPortsAreNotHeard(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	other, otherServer := listen(t, "127.0.0.1:0")
	var ports []uint16
	for p := range uint16(maxPorts - 1) {
		ports = append(ports, p+1)
	}
	e := open(t, Options{Ports: append(ports, server.Port())})
	c, s := connect(t, other, otherServer.String())
	shut(t, c, s)
	c, s = connect(t, ln, server.String()) // later, so the other would have been heard by now
	shut(t, c, s)
	e.untilClosed(2)
	require.Len(t, e.heard, 10)
	require.Len(t, append(clients(e.heard, server.Port()), servers(e.heard, server.Port())...), 10)
}

// The kernel picks the client's port only after the first transition. That is
// not heard, and yet it is known who connected, and when.
func TestAClientsOwnPortCanBeAskedFor(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	reserved, client := listen(t, "127.0.0.1:0")
	require.NoError(t, reserved.Close())
	e := open(t, Options{Ports: []uint16{client.Port()}})
	const portRange = 51 // IP_LOCAL_PORT_RANGE: what the kernel picks from
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		only := int(client.Port())<<16 | int(client.Port())
		return errors.Join(raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, portRange, only)
		}), err)
	}}
	c, err := dialer.Dial("tcp", server.String())
	if errors.Is(err, unix.ENOPROTOOPT) {
		t.Skip("the kernel is older than 6.3: ", err)
	}
	require.NoError(t, err)
	s, err := ln.Accept()
	require.NoError(t, err)
	shut(t, c.(*net.TCPConn), s.(*net.TCPConn))
	e.untilClosed(2)
	require.Len(t, e.heard, 9)
	first := servers(e.heard, client.Port())[0]
	require.Equal(t, want(server, client, me(t), "C>S SYN_SENT > ESTABLISHED, me"), lines([]Transition{first}))
	require.Positive(t, first.StateDuration)
}
