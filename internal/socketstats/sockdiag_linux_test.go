package socketstats_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

// eachFamily runs a test of what only sock_diag knows.
func eachFamily(t *testing.T, test func(*testing.T, *socketstats.Sockdiag, statefixture.Family)) {
	for _, family := range statefixture.Families() {
		t.Run(string(family), func(t *testing.T) { test(t, sockdiag(t), family) })
	}
}

// byTuple lists a fixture's own sockets.
func byTuple(t *testing.T, src socketstats.Source, fixture *statefixture.Fixture, q socketstats.Query) map[socketstats.Tuple]socketstats.Socket {
	t.Helper()
	q.Ports = []uint16{fixture.Server.Port()}
	all, err := src.Sockets(t.Context(), q)
	require.NoError(t, err)
	mine := fixture.Mine(all)
	listed := make(map[socketstats.Tuple]socketstats.Socket, len(mine))
	for _, s := range mine {
		listed[s.Tuple()] = s
	}
	require.Len(t, listed, len(mine), "a socket is listed twice")
	return listed
}

func TestAListenersQueueIsWhatWaitsAndItsLimit(t *testing.T) {
	eachFamily(t, func(t *testing.T, d *socketstats.Sockdiag, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		requireQueue := func(waiting, most uint32) {
			t.Helper()
			l, ok := byTuple(t, d, fixture, socketstats.Query{})[socketstats.Tuple{Local: fixture.Listener()}]
			require.True(t, ok)
			require.Equal(t, waiting, l.RecvQ, "connections that wait to be accepted")
			require.Equal(t, most, l.SendQ, "connections that may wait")
		}
		fixture.Established()
		requireQueue(0, statefixture.Backlog)
		for n := range uint32(3) {
			fixture.Unaccepted()
			requireQueue(n+1, statefixture.Backlog)
		}
		fixture.SynSent() // lowers the limit so that the queue is full
		requireQueue(3, 2)
	})
}

func TestAConnectionsQueuesAreItsUnreadAndUnacknowledgedBytes(t *testing.T) {
	eachFamily(t, func(t *testing.T, d *socketstats.Sockdiag, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		idle, stuck := fixture.Established(), fixture.FinWait1(client)
		ask := func(fd, request int) uint32 {
			n, err := unix.IoctlGetInt(fd, uint(request))
			require.NoError(t, err)
			return uint32(n)
		}
		unread := ask(stuck.FD(server), unix.SIOCINQ)
		unacknowledged := ask(stuck.FD(client), unix.SIOCOUTQ)
		require.NotZero(t, unread)
		require.NotZero(t, unacknowledged)

		listed := byTuple(t, d, fixture, socketstats.Query{})
		require.Equal(t, unread, listed[stuck.Tuple(server)].RecvQ)
		require.Zero(t, listed[stuck.Tuple(server)].SendQ)
		require.Zero(t, listed[stuck.Tuple(client)].RecvQ)
		require.Equal(t, unacknowledged, listed[stuck.Tuple(client)].SendQ)
		for _, end := range []socketstats.End{client, server} {
			require.Zero(t, listed[idle.Tuple(end)].RecvQ)
			require.Zero(t, listed[idle.Tuple(end)].SendQ)
		}
	})
}

func TestACookieNamesASocketForItsWholeLife(t *testing.T) {
	for _, at := range []socketstats.End{client, server} {
		eachFamily(t, func(t *testing.T, d *socketstats.Sockdiag, family statefixture.Family) {
			fixture := statefixture.New(t, family)
			conn, other := fixture.Established(), fixture.Established()
			now := func(want socketstats.State) socketstats.Socket {
				t.Helper()
				s := byTuple(t, d, fixture, socketstats.Query{})[conn.Tuple(at)]
				require.Equal(t, want, s.State)
				return s
			}
			first := now(socketstats.Established)
			require.False(t, first.Minisock)
			require.NotZero(t, first.Cookie)

			conn.FinWait2(at)
			shut := now(socketstats.FinWait2)
			require.Equal(t, first.Cookie, shut.Cookie)
			require.False(t, shut.Minisock, "a program still holds it")

			conn.TimeWait(at)
			waiting := now(socketstats.TimeWait)
			require.Equal(t, first.Cookie, waiting.Cookie)
			require.True(t, waiting.Minisock)

			// An orphan, too, is the socket that it was.
			held := byTuple(t, d, fixture, socketstats.Query{})[other.Tuple(at)]
			other.FinWait2(at)
			other.LetGo(at)
			orphan := byTuple(t, d, fixture, socketstats.Query{})[other.Tuple(at)]
			require.Equal(t, socketstats.FinWait2, orphan.State)
			require.True(t, orphan.Minisock, "nobody holds it any more")
			require.Equal(t, held.Cookie, orphan.Cookie)

			cookies := map[uint64]bool{}
			listed := byTuple(t, d, fixture, socketstats.Query{})
			for _, s := range listed {
				require.NotZero(t, s.Cookie, "%+v", s)
				cookies[s.Cookie] = true
			}
			require.Len(t, cookies, len(listed), "each has one of its own")
		})
	}
}

func TestAnInodeIsThatOfTheDescriptor(t *testing.T) {
	eachFamily(t, func(t *testing.T, d *socketstats.Sockdiag, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		conns := []*statefixture.Conn{
			fixture.Established(), fixture.FinWait1(client), fixture.FinWait2(server), fixture.Closing(client),
			fixture.Orphan(client), fixture.LastAck(server), fixture.TimeWait(server),
			fixture.Unaccepted(), fixture.SynRecv(), fixture.SynSent(),
		}
		listed := byTuple(t, d, fixture, socketstats.Query{})
		without := 0
		for _, conn := range conns {
			for _, end := range []socketstats.End{client, server} {
				s, ok := listed[conn.Tuple(end)]
				if !ok { // TIME_WAIT has one end, and so has SYN_SENT
					continue
				}
				if conn.FD(end) < 0 {
					require.Zero(t, s.Inode, "%+v", s)
					without++
					continue
				}
				require.Equal(t, fstat(t, conn.FD(end)).Ino, uint64(s.Inode), "%+v", s)
				require.Equal(t, os.Getuid(), int(s.UID), "%+v", s) // see TestAnotherUserListsTheSame
			}
		}
		require.Equal(t, 5, without, "an orphan, one in LAST_ACK, TIME_WAIT, SYN_RECV and one not accepted")
	})
}

func fstat(t *testing.T, fd int) unix.Stat_t {
	t.Helper()
	var stat unix.Stat_t
	require.NoError(t, unix.Fstat(fd, &stat))
	return stat
}
