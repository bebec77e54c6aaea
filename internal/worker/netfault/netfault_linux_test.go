package netfault_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/worker/netfault"
	"socketlab/internal/worker/netns"
)

// isInside says that this is the test binary again, in a namespace.
var isInside bool

// The test binary is also the supervisor, and what runs inside.
func TestMain(m *testing.M) {
	if os.Getenv("NETFAULT_TEST_WORKER") == "supervisor" {
		os.Unsetenv("NETFAULT_TEST_WORKER")
		os.Exit(netns.Supervise())
	}
	if len(os.Args) > 1 && os.Args[1] == "inside" {
		isInside = true
		os.Args = append(os.Args[:1], os.Args[2:]...)
	}
	os.Exit(m.Run())
}

// inside runs the rest of the calling test in a namespace: it returns the
// network there, and outside of it nil once the test has run. It skips where the
// system has no namespaces, or the kernel lacks what the test uses.
func inside(t *testing.T) *netfault.Network {
	if isInside {
		n, err := netfault.Open()
		possible(t, err)
		t.Cleanup(func() { require.NoError(t, n.Close()) })
		return n
	}
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	supervisor := exec.Command(self)
	supervisor.Env = append(os.Environ(), "NETFAULT_TEST_WORKER=supervisor")
	space, err := netns.New(supervisor)
	if errors.Is(err, netns.ErrForbidden) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, space.Close()) })
	output, theirs, err := os.Pipe()
	require.NoError(t, err)
	defer output.Close()
	p, err := space.Start([]string{self, "inside", "-test.v", "-test.run=^" + t.Name() + "$"}, os.Stdin, theirs, theirs)
	require.NoError(t, err)
	require.NoError(t, theirs.Close())
	said, err := io.ReadAll(output)
	require.NoError(t, err)
	require.NoError(t, p.Wait(), "%s", said)
	require.Contains(t, string(said), "--- ", "the test has not run: %s", said)
	t.Logf("inside:\n%s", said)
	if strings.Contains(string(said), "--- SKIP: "+t.Name()+" ") {
		t.Skip("inside it was skipped")
	}
	return nil
}

// possible skips the test if the kernel has not got what it uses.
func possible(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

func apply(t *testing.T, n *netfault.Network, rules ...netfault.Rule) {
	t.Helper()
	possible(t, n.Apply(rules))
}

const port = 8080

// listen accepts connections at the port of the rules, in IPv4 and IPv6.
func listen(t *testing.T) <-chan net.Conn {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{Port: port})
	require.NoError(t, err)
	accepted := make(chan net.Conn, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return accepted
}

// pair is a connection through the port, and its two ends.
func pair(t *testing.T, accepted <-chan net.Conn) (client, server *net.TCPConn) {
	c, err := dial("127.0.0.1:8080", patience)
	require.NoError(t, err)
	s := <-accepted
	t.Cleanup(func() { c.Close(); s.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	require.NoError(t, s.SetDeadline(time.Now().Add(patience)))
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

func dial(to string, timeout time.Duration) (net.Conn, error) {
	return (&net.Dialer{Timeout: timeout}).Dial("tcp", to)
}

// patience is longer than anything here takes, also on a busy machine.
const patience = time.Minute

// info is what the kernel says of a connection.
func info(c *net.TCPConn) (*unix.TCPInfo, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var i *unix.TCPInfo
	var inner error
	err = raw.Control(func(fd uintptr) { i, inner = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	return i, errors.Join(err, inner)
}

// echo sends a byte and waits for it at the other end.
func echo(t *testing.T, from, to net.Conn) {
	t.Helper()
	_, err := from.Write([]byte{1})
	require.NoError(t, err)
	_, err = io.ReadFull(to, make([]byte, 1))
	require.NoError(t, err)
}

func TestADroppedDialIsInSynSentUntilTheNetworkHeals(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	client, server := pair(t, accepted)
	apply(t, n, netfault.Rule{Port: port, Do: netfault.Drop, Which: netfault.New})

	_, err := dial("127.0.0.1:8080", 100*time.Millisecond)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout(), "%v", err)

	kernel, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer kernel.Close()
	dialled := make(chan error, 1)
	go func() {
		c, err := dial("127.0.0.1:8080", patience)
		if err == nil {
			err = c.Close()
		}
		dialled <- err
	}()
	require.Eventually(t, func() bool {
		s, err := kernel.Sockets(t.Context(), socketstats.Query{States: []socketstats.State{socketstats.SynSent}})
		return err == nil && len(s) == 1 && s[0].Remote == netip.MustParseAddrPort("127.0.0.1:8080")
	}, patience, time.Millisecond)
	echo(t, client, server) // what was open is untouched
	echo(t, server, client)
	require.Empty(t, dialled, "the dial has ended")

	apply(t, n)
	require.NoError(t, <-dialled)
	c := <-accepted
	c.Close()
}

func TestWhatIsSentOnADroppedConnectionIsNotAcknowledgedUntilTheNetworkHeals(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	client, server := pair(t, accepted)
	echo(t, client, server)
	apply(t, n, netfault.Rule{Port: port, Do: netfault.Drop, Which: netfault.All})
	for _, end := range []*net.TCPConn{client, server} { // both directions
		_, err := end.Write([]byte{2})
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			i, err := info(end)
			return err == nil && i.Unacked > 0 && i.Retransmits >= 2 // in vain
		}, patience, time.Millisecond)
	}
	apply(t, n)
	for _, end := range []*net.TCPConn{client, server} {
		got := make([]byte, 1)
		_, err := io.ReadFull(end, got)
		require.NoError(t, err)
		require.Equal(t, []byte{2}, got)
	}
}

func TestAnEndIsLostAndWhatIsSentOtherwiseArrives(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	client, server := pair(t, accepted)
	apply(t, n, netfault.Rule{Port: port, Do: netfault.Drop, Which: netfault.FIN})
	require.NoError(t, client.CloseWrite())
	require.Eventually(t, func() bool {
		i, err := info(client)
		return err == nil && i.Unacked > 0 && i.Retransmits >= 2 // in vain
	}, patience, time.Millisecond)
	_, err := server.Write([]byte{2})
	require.NoError(t, err)
	got := make([]byte, 1)
	_, err = io.ReadFull(client, got)
	require.NoError(t, err)
	require.Equal(t, []byte{2}, got)
	apply(t, n)
	_, err = server.Read(got)
	require.ErrorIs(t, err, io.EOF)
}

func TestOnePacketInTenIsLostAndSentAgain(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	apply(t, n, netfault.Rule{Port: port, Do: netfault.Drop, Which: netfault.All, OneIn: 10})
	client, server := pair(t, accepted)
	i, err := info(client)
	require.NoError(t, err)
	require.Zero(t, i.Total_retrans, "its SYN is not the one that is lost")
	for range 40 {
		echo(t, client, server)
		echo(t, server, client)
	}
	for _, end := range []*net.TCPConn{client, server} {
		i, err := info(end)
		require.NoError(t, err)
		require.Positive(t, i.Total_retrans, "%+v", i)
		require.Less(t, i.Total_retrans, uint32(40), "%+v", i)
	}
	require.Error(t, n.Apply([]netfault.Rule{{Port: port, Do: netfault.Drop, Which: netfault.All, OneIn: -1}}))
}

func TestARefusedDialFailsAtOnceWithItsError(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	for _, want := range []struct {
		do  netfault.Action
		err error
	}{
		{netfault.Reject, unix.ECONNREFUSED},
		{netfault.RejectHost, unix.EHOSTUNREACH},
		{netfault.Reset, unix.ECONNREFUSED},
	} {
		for _, which := range []netfault.Packets{netfault.New, netfault.All} {
			apply(t, n, netfault.Rule{Port: port, Do: want.do, Which: which})
			// So often that a limit of answers would show, which is a thousand
			// a second, and fifty at once, where there is one.
			least := patience
			for range 200 {
				start := time.Now()
				_, err := dial("127.0.0.1:8080", patience)
				require.ErrorIs(t, err, want.err, "%s %s", want.do, which)
				least = min(least, time.Since(start))
			}
			require.Less(t, least, time.Second, "%s %s: as late as the first retransmission", want.do, which)
			start := time.Now()
			_, err := dial("[::1]:8080", patience)
			require.ErrorIs(t, err, want.err, "%s %s in IPv6", want.do, which)
			t.Logf("%s %s: %s; in IPv6 %s", want.do, which, least, time.Since(start))
		}
	}
	require.Empty(t, accepted)
	apply(t, n)
	for _, to := range []string{"127.0.0.1:8080", "[::1]:8080"} {
		c, err := dial(to, patience)
		require.NoError(t, err)
		c.Close()
		c = <-accepted
		c.Close()
	}
}

func TestAnOpenConnectionIsResetWhereItSends(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	client, server := pair(t, accepted)
	apply(t, n, netfault.Rule{Port: port, Do: netfault.Reset, Which: netfault.All})
	_, err := client.Write([]byte{1})
	require.NoError(t, err)
	_, err = client.Read(make([]byte, 1))
	require.ErrorIs(t, err, unix.ECONNRESET)
	i, err := info(server)
	require.NoError(t, err)
	require.EqualValues(t, unix.BPF_TCP_ESTABLISHED, i.State, "the server has not heard of it")
}

func TestOnlyThePortOfARuleIsMet(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	apply(t, n,
		netfault.Rule{Port: port + 1, Do: netfault.Drop, Which: netfault.All},
		netfault.Rule{Port: port + 2, Do: netfault.RejectHost, Which: netfault.New},
		netfault.Rule{Port: port + 2, Do: netfault.Drop, Which: netfault.New}) // the first decides
	client, server := pair(t, accepted)
	echo(t, client, server)
	_, err := dial("127.0.0.1:8082", patience)
	require.ErrorIs(t, err, unix.EHOSTUNREACH)
}

// transfer sends bytes through the port and says how long they took to arrive.
func transfer(t *testing.T, accepted <-chan net.Conn, bytes int) time.Duration {
	client, server := pair(t, accepted)
	start := time.Now()
	go func() {
		_, _ = client.Write(make([]byte, bytes))
		_ = client.CloseWrite()
	}()
	n, err := io.Copy(io.Discard, server)
	require.NoError(t, err)
	require.EqualValues(t, bytes, n)
	return time.Since(start)
}

func mtu(t *testing.T) int {
	lo, err := net.InterfaceByName("lo")
	require.NoError(t, err)
	return lo.MTU
}

func TestASlowLinkPassesSoMuchInATime(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	require.NoError(t, n.ClearLink(), "of what is not slow")
	possible(t, n.SlowLink(2_000_000, 200*time.Millisecond))
	require.Equal(t, 1500, mtu(t))
	took := transfer(t, accepted, 400_000)
	t.Log("400 kB at 2 Mbit/s took ", took)
	// 1.6 s, less what the full bucket let pass at first.
	require.Greater(t, took, 1580*time.Millisecond)

	require.NoError(t, n.SlowLink(8_000_000, 200*time.Millisecond), "another in its place")
	took = transfer(t, accepted, 400_000)
	t.Log("400 kB at 8 Mbit/s took ", took)
	require.Greater(t, took, 380*time.Millisecond)

	require.NoError(t, n.SlowLink(16_000, 0))
	require.NoError(t, n.ClearLink())
	require.Equal(t, 65536, mtu(t))
	t.Log("400 kB then took ", transfer(t, accepted, 400_000)) // and 200 s would be a timeout
}

func TestANumberOutOfRangeIsRefused(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	require.ErrorContains(t, n.SlowLink(7, 0), "out of range")
	require.ErrorContains(t, n.SlowLink(1<<20, -1), "out of range")
	require.Equal(t, 65536, mtu(t))
	for _, r := range []netfault.Rule{
		{Do: netfault.Drop, Which: netfault.All},
		{Port: port, Which: netfault.All},
		{Port: port, Do: netfault.Drop},
	} {
		require.Error(t, n.Apply([]netfault.Rule{r}), "%+v", r)
	}
}

func TestOutsideOfANamespaceNothingIsOpened(t *testing.T) {
	_, err := netfault.Open()
	require.ErrorIs(t, err, netfault.ErrOutside)
	t.Log(err)
}

// A user namespace alone is in the network that it was made in.
func TestAUserNamespaceWithoutANetworkOfItsOwnIsOutside(t *testing.T) {
	if isInside {
		TestOutsideOfANamespaceNothingIsOpened(t)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, self, "inside", "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
	said, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EACCES) {
		t.Skip("user namespaces are forbidden here: ", err)
	}
	require.NoError(t, err, "%s", said)
	require.Contains(t, string(said), "whose it is cannot be found out")
}

// What a namespace sets holds in it alone.
func TestASettingOfTheKernelHoldsInItsNamespace(t *testing.T) {
	const file = "/proc/sys/net/ipv4/tcp_fin_timeout"
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	if n := inside(t); n == nil {
		after, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "outside it stays")
		return
	}
	err = netfault.Changes{}.Sysctl([]string{"net.ipv4.tcp_fin_timeout=7", "net.ipv4.ip_local_port_range=40000 40100"})
	possible(t, err)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "7", strings.TrimSpace(string(after)))
	require.ErrorContains(t, netfault.Changes{}.Sysctl([]string{"net.ipv4.tcp_fin_timeout=-x"}), "tcp_fin_timeout")
	require.ErrorIs(t, netfault.Changes{}.Sysctl([]string{"net.ipv4.no_such_setting=1"}), errors.ErrUnsupported)
}

func TestOutsideOfANamespaceNoSettingIsChanged(t *testing.T) {
	require.ErrorIs(t, netfault.Changes{}.Sysctl([]string{"net.ipv4.tcp_fin_timeout=7"}), netfault.ErrOutside)
}

func TestASegmentIsHeldUntilItIsAcceptedOrDropped(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	listen(t)
	q, err := n.Hold(port)
	possible(t, err)
	defer func() { require.NoError(t, q.Close()) }()
	flagsOf := func(h netfault.Held) byte { return h.Packet[20+13] } // of a TCP header behind one of IPv4
	next := func(want byte) netfault.Held {
		t.Helper()
		h, err := q.Next(patience)
		require.NoError(t, err)
		require.Equal(t, want, flagsOf(h))
		return h
	}
	const syn, ack = 2, 16
	type result struct {
		net.Conn
		error
	}
	dialed := make(chan result, 1)
	go func() {
		c, err := dial("127.0.0.1:8080", patience)
		dialed <- result{c, err}
	}()
	require.NoError(t, q.Drop(next(syn)))
	again := next(syn) // a second later
	require.Empty(t, dialed)
	_, err = q.Next(10 * time.Millisecond)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "a held SYN has no answer")
	require.NoError(t, q.Accept(again))
	require.NoError(t, q.Accept(next(syn|ack)))
	last := next(ack)
	done := <-dialed
	require.NoError(t, done.error, "the client's end needs no more")
	require.NoError(t, q.Accept(last))
	require.NoError(t, n.Apply(nil))
	require.NoError(t, done.Close())
}
