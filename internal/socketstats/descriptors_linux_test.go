package socketstats_test

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// kindsOf counts a process's descriptors by kind, as a watch does.
func kindsOf(t *testing.T, pids ...int32) map[string]int {
	t.Helper()
	src, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	var table socketstats.DescriptorTable
	table.Scan(pids)
	sockets, err := src.Sockets(t.Context(), socketstats.Query{Multipath: table.UsesMPTCP()})
	require.NoError(t, err)
	table.Scan(pids)
	var rows socketstats.Rows
	rows.Add(sockets)
	rows.UnixListeners, err = socketstats.UnixListeners(t.Context(), src)
	require.NoError(t, err)
	return table.Kinds(pids, &rows)
}

// descriptor opens one that ends with the test.
func descriptor(t *testing.T) func(fd int, err error) int {
	return func(fd int, err error) int {
		t.Helper()
		require.NoError(t, err)
		t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
}

func TestEveryKindOfDescriptorIsCounted(t *testing.T) {
	me := int32(os.Getpid())
	before := kindsOf(t, me)
	open := descriptor(t)
	loopback := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}

	listener := open(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	require.NoError(t, unix.Bind(listener, loopback))
	require.NoError(t, unix.Listen(listener, 8))
	at, err := unix.Getsockname(listener)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, unix.Connect(open(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)), at))
	}
	open(unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0)) // never connected
	shut := open(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	require.NoError(t, unix.Bind(shut, loopback))
	require.Error(t, unix.Connect(shut, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 1})) // refused

	open(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	open(unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM, 0))
	open(unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0))
	named := open(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	require.NoError(t, unix.Bind(named, &unix.SockaddrUnix{Name: t.TempDir() + "/s"}))
	require.NoError(t, unix.Listen(named, 1))
	open(unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE))
	open(unix.Open(os.DevNull, unix.O_RDONLY, 0))
	open(unix.Eventfd(0, 0))
	open(unix.EpollCreate1(0))
	open(unix.TimerfdCreate(unix.CLOCK_MONOTONIC, 0))
	open(unix.InotifyInit())
	open(unix.MemfdCreate("frame", 0))
	open(unix.Signalfd(-1, &unix.Sigset_t{}, 0))
	open(unix.PidfdOpen(os.Getpid(), 0))
	var pipe [2]int
	require.NoError(t, unix.Pipe(pipe[:]))
	open(pipe[0], nil)
	open(pipe[1], nil)

	want := map[string]int{
		socketstats.KindTCP: 2, socketstats.KindTCPListen: 1, socketstats.KindTCPClosed: 2, socketstats.KindUDP: 2, socketstats.KindUnix: 1,
		socketstats.KindUnixListen: 1, socketstats.KindNetlink: 1, socketstats.KindFile: 1, socketstats.KindEventfd: 1, socketstats.KindEpoll: 1,
		socketstats.KindTimerfd: 1, socketstats.KindInotify: 1, socketstats.KindPipe: 2,
		socketstats.KindMemfd: 1, socketstats.KindSignalfd: 1, socketstats.KindPidfd: 1,
	}
	now, got := kindsOf(t, me), map[string]int{}
	for kind, n := range now {
		if n != before[kind] {
			got[kind] = n - before[kind]
		}
		require.Contains(t, socketstats.Kinds(), kind)
	}
	require.Equal(t, want, got)
	require.Nil(t, kindsOf(t, 1<<30), "there is no such process")
}

func TestASharedSocketCountsOnce(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	file, err := l.(*net.TCPListener).File() // the same socket a second time
	require.NoError(t, err)
	defer file.Close()
	before := kindsOf(t, int32(os.Getpid()))
	child := exec.Command("sleep", "60")
	child.ExtraFiles = []*os.File{file}
	require.NoError(t, child.Start())
	defer func() { _ = child.Wait() }()
	defer func() { _ = child.Process.Kill() }()

	pid := int32(child.Process.Pid)
	require.Equal(t, 1, kindsOf(t, pid)[socketstats.KindTCPListen])
	both := kindsOf(t, int32(os.Getpid()), pid)
	require.Equal(t, before[socketstats.KindTCPListen], both[socketstats.KindTCPListen])

	var table socketstats.DescriptorTable
	table.Scan([]int32{pid, int32(os.Getpid())})
	require.Positive(t, table.Count(pid))
	require.Zero(t, table.Count(1<<30))
}

// An MPTCP connection's subflows stay ESTABLISHED after an end has closed.
func TestAnMPTCPConnectionIsInItsOwnState(t *testing.T) {
	src, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	var config net.ListenConfig
	config.SetMultipathTCP(true)
	l, err := config.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	var dialer net.Dialer
	dialer.SetMultipathTCP(true)
	near, err := dialer.DialContext(t.Context(), "tcp4", l.Addr().String())
	require.NoError(t, err)
	defer near.Close()
	far, err := l.Accept()
	require.NoError(t, err)
	defer far.Close()
	if ok, err := near.(*net.TCPConn).MultipathTCP(); err != nil || !ok {
		t.Skip("this kernel does not speak MPTCP:", err)
	}
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	_, err = near.Write([]byte("x"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { // its subflow has handed the byte on
		sockets, err := src.Sockets(t.Context(), socketstats.Query{Ports: []uint16{port}, Multipath: true})
		require.NoError(t, err)
		return slices.ContainsFunc(sockets, func(s socketstats.Socket) bool { return s.Local.Port() == port && s.Multipath && s.RecvQ > 0 })
	}, time.Minute, 5*time.Millisecond, "the unread byte")
	_, err = far.Read(make([]byte, 9))
	require.NoError(t, err)
	require.NoError(t, near.Close())

	state := func(multipath bool) (server socketstats.State) {
		sockets, err := src.Sockets(t.Context(), socketstats.Query{Ports: []uint16{port}, Multipath: multipath, Owners: true})
		require.NoError(t, err)
		for _, s := range sockets {
			if s.Local.Port() == port && s.State != socketstats.Listen {
				require.Equal(t, multipath, s.Multipath)
				require.Equal(t, int32(os.Getpid()), s.PID)
				server = s.State
			}
		}
		return server
	}
	require.Eventually(t, func() bool { return state(true) == socketstats.CloseWait }, time.Minute, 5*time.Millisecond)
	require.Equal(t, socketstats.Established, state(false))
	require.Equal(t, 1, kindsOf(t, int32(os.Getpid()))[socketstats.KindMPTCP])
}

func TestSocketsOfUDPAndUnixHaveTheirPeers(t *testing.T) {
	src, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	descriptor(t)(pair[0], nil)
	descriptor(t)(pair[1], nil)
	path := t.TempDir() + "/named"
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer l.Close()
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	client, err := net.Dial("udp4", server.LocalAddr().String())
	require.NoError(t, err)
	defer client.Close()

	all, err := socketstats.OtherSockets(t.Context(), src)
	require.NoError(t, err)
	inode := func(fd int) uint32 {
		var stat unix.Stat_t
		require.NoError(t, unix.Fstat(fd, &stat))
		return uint32(stat.Ino)
	}
	peers, named, udp := map[uint32]uint32{}, 0, map[string]string{}
	for _, s := range all {
		peers[s.Inode] = s.Peer
		if s.Kind == socketstats.KindUnixListen && s.Name == path {
			named++
		}
		if s.Kind == socketstats.KindUDP && s.Remote.IsValid() {
			udp[s.Local.String()] = s.Remote.String()
		}
	}
	require.Equal(t, inode(pair[1]), peers[inode(pair[0])])
	require.Equal(t, inode(pair[0]), peers[inode(pair[1])])
	require.Equal(t, 1, named)
	require.Equal(t, server.LocalAddr().String(), udp[client.LocalAddr().String()])
	require.Equal(t, map[uint32]int32{inode(pair[0]): int32(os.Getpid())}, socketstats.OwnersOf([]uint32{inode(pair[0])}))
}
