package series

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// listed are n sockets of an account: its name is their local address, and their
// cookies count from first on.
func listed(account string, end socketstats.End, first uint64, n int) []socketstats.Socket {
	var list []socketstats.Socket
	for i := range n {
		s := socketstats.Socket{State: socketstats.Established, Cookie: first + uint64(i), Local: at(account)}
		if end == socketstats.Server {
			s.Local, s.Remote = s.Remote, s.Local
		}
		list = append(list, s)
	}
	return list
}

// at is an address that stands for an account.
func at(account string) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, account[0]}), 1)
}

func name(a netip.AddrPort) string { return string(a.Addr().AsSlice()[3]) }

func sortListed(s *socketstats.Socket) (string, socketstats.End, bool) {
	if s.Local.IsValid() {
		return name(s.Local), socketstats.Client, true
	}
	return name(s.Remote), socketstats.Server, true
}

// closed are the same sockets, destroyed.
func closed(sockets []socketstats.Socket) []socketstats.Closed {
	var list []socketstats.Closed
	for _, s := range sockets {
		list = append(list, socketstats.Closed{Local: s.Local, Remote: s.Remote, Cookie: s.Cookie, Connected: true})
	}
	return list
}

func sortClosed(c *socketstats.Closed) (string, ClosedConn, bool) {
	if c.Local.IsValid() {
		return name(c.Local), ClosedConn{End: socketstats.Client}, true
	}
	return name(c.Remote), ClosedConn{End: socketstats.Server}, true
}

func client(n int) []socketstats.Socket { return listed("a", socketstats.Client, 1, n) }
func server(n int) []socketstats.Socket { return listed("a", socketstats.Server, 1001, n) }

// opened and closed of an account.
func counts(l *Ledger[string], of string) [2]int {
	c := l.Counts(of)
	return [2]int{c.Opened, c.Closed}
}

func TestOpenedIsAliveAndClosedLessTheBaseline(t *testing.T) {
	t.Parallel()
	var l Ledger[string]
	require.Nil(t, l.Counts("a"), "nothing is known before the first list")
	l.Closed("a", ClosedConn{})
	l.Carried("a", ClosedConn{ShortLived: true})
	l.Alive(client(3), sortListed)
	require.Equal(t, &ConnCounts{}, l.Counts("a"), "what was there before is not opened, and what was closed before is not closed")

	l.Closed("a", ClosedConn{WithTCPInfo: true, ShortLived: true})
	l.Closed("a", ClosedConn{WithTCPInfo: true, AtOnce: true, Inferred: true})
	l.Closed("a", ClosedConn{ShortLived: true})
	l.Alive(client(5), sortListed)
	require.Equal(t, &ConnCounts{Opened: 5, Closed: 3, WithTCPInfo: 2, ShortLived: 1, AtOnce: 1, Inferred: 1}, l.Counts("a"))
	for range 5 {
		l.Closed("a", ClosedConn{})
	}
	l.Carried("a", ClosedConn{ShortLived: true, AtOnce: true})
	l.Alive(nil, sortListed)
	require.Equal(t, &ConnCounts{Opened: 5, Closed: 8, WithTCPInfo: 3, ShortLived: 2, AtOnce: 2, Inferred: 1}, l.Counts("a"), "the three of before and the five")
	l.AtLeast = true
	require.Equal(t, &ConnCounts{AtLeast: true}, l.Counts("b"), "an account of which nothing was heard")
	require.Equal(t, []string{"a"}, l.Accounts())
}

// What a subject accepted is told apart from what it opened itself.
func TestAcceptedIsTheServersEnd(t *testing.T) {
	t.Parallel()
	for _, hears := range []bool{false, true} {
		l := Ledger[string]{HearsOpened: hears}
		both := slices.Concat(client(2), server(3))
		l.Alive(both, sortListed)
		l.Closed("a", ClosedConn{End: socketstats.Server, WithTCPInfo: true, ShortLived: true})
		if hears {
			l.Opened("a", socketstats.Client)
			l.Opened("a", socketstats.Server)
			l.Opened("a", socketstats.Server)
		}
		l.Alive(slices.Concat(client(3), server(4)), sortListed)
		c := l.Counts("a")
		require.Equal(t, &ConnCounts{Opened: 3, Closed: 1, WithTCPInfo: 1, ShortLived: 1, Accepted: AcceptedConns{Opened: 2, Closed: 1, WithTCPInfo: 1, ShortLived: 1}}, c)
		require.Equal(t, ConnCounts{Opened: 1}, c.AtClient())
		require.Equal(t, ConnCounts{Opened: 2, Closed: 1, WithTCPInfo: 1, ShortLived: 1}, c.AtServer())
		require.Equal(t, c.Plus(ConnCounts{}), c.Since(ConnCounts{}))
	}
}

// A list takes its time, and what it shows may be gone when it is read.
func TestWhatWasDestroyedSinceTheListIsNotAlive(t *testing.T) {
	t.Parallel()
	var l Ledger[string]
	all := client(9)
	l.Heard(closed(all[:2]), sortClosed)
	l.Alive(all[:5], sortListed)
	require.Equal(t, [2]int{}, counts(&l, "a"), "the baseline is three")
	l.Heard(closed(all[4:6]), sortClosed)
	l.Alive(all[2:7], sortListed)
	require.Equal(t, [2]int{2, 2}, counts(&l, "a"), "two of the five are gone: one is of the baseline, one is new")
	l.Alive(all[2:7], sortListed)
	require.Equal(t, [2]int{4, 2}, counts(&l, "a"), "a cookie is remembered until the next list")

	l.Heard(closed(all[6:7]), func(*socketstats.Closed) (string, ClosedConn, bool) { return "", ClosedConn{}, false })
	minisock := all[7]
	minisock.State, minisock.Minisock = socketstats.FinWait2, true
	l.Alive([]socketstats.Socket{all[2], all[3], all[6], minisock}, sortListed)
	require.Equal(t, [2]int{1, 2}, counts(&l, "a"), "whoever it was of, it is gone; what lingers is no connection")
}

// A reset socket is in no list, and is destroyed only when its program closes it. One
// that was closed with SO_LINGER 0 has forgotten where it went, and no account has it.
func TestWhatIsInNoListAnyMoreIsGoneBeforeItIsHeardOf(t *testing.T) {
	t.Parallel()
	l := Ledger[string]{Paired: true}
	l.Alive(nil, sortListed)
	l.Alive(slices.Concat(client(3), server(3)), sortListed)
	l.Heard(closed(client(3)), func(*socketstats.Closed) (string, ClosedConn, bool) { return "", ClosedConn{}, false })
	l.Alive(nil, sortListed)
	require.Equal(t, [2]int{3, 3}, counts(&l, "a"))
	l.Heard(closed(server(2)), sortClosed)
	l.Alive(nil, sortListed)
	require.Equal(t, [2]int{3, 3}, counts(&l, "a"), "two are heard of late, and counted once")
	l.Alive(server(3)[2:], sortListed)
	require.Equal(t, [2]int{3, 3}, counts(&l, "a"), "a list had missed one")
	require.Empty(t, l.Counts("b").Opened)
}

func TestEachSocketIsAConnectionUnlessTheyArePaired(t *testing.T) {
	t.Parallel()
	for _, paired := range []bool{false, true} {
		l := Ledger[string]{Paired: paired}
		l.Alive(nil, sortListed)
		l.Heard(closed(append(client(1), server(1)...)), sortClosed)
		l.Alive(append(client(5)[1:], server(3)[1:]...), sortListed)
		want := [2]int{8, 2}
		if paired {
			want = [2]int{5, 1}
		}
		require.Equal(t, want, counts(&l, "a"))
	}
}

func TestTheEndThatShowsMoreSpeaksForTheConnections(t *testing.T) {
	t.Parallel()
	l := Ledger[string]{Paired: true}
	l.Alive(nil, sortListed)
	l.Alive(append(client(5), server(3)...), sortListed) // two wait in the accept queue
	require.Equal(t, [2]int{5, 0}, counts(&l, "a"))
	l.Heard(closed(server(5)), sortClosed) // reset: the client's end forgets where it went
	l.Alive(nil, sortListed)
	require.Equal(t, [2]int{5, 5}, counts(&l, "a"))
	l.Alive(listed("a", socketstats.Server, 2001, 2), sortListed)
	require.Equal(t, 7, l.Counts("a").Opened)

	// Without a client's end the server's is all there is.
	l = Ledger[string]{Paired: true}
	l.Alive(server(2), sortListed)
	l.Heard(closed(server(1)), sortClosed)
	l.Alive(server(3)[1:], sortListed)
	require.Equal(t, [2]int{1, 1}, counts(&l, "a"))
}

// A closing that was not heard shows in two lists, and not in one: a connection
// may have been opened after the list was made.
func TestClosingsThatWereNotHeardAreSeenInTwoLists(t *testing.T) {
	t.Parallel()
	l := Ledger[string]{HearsOpened: true}
	l.Alive(client(10), sortListed)
	nowOpened, nowClosed := 0, 0
	after := func(opened, closed, alive int) [2]int {
		for ; nowOpened < opened; nowOpened++ {
			l.Opened("a", socketstats.Client)
		}
		for ; nowClosed < closed; nowClosed++ {
			l.Closed("a", ClosedConn{})
		}
		l.Alive(client(alive), sortListed)
		return counts(&l, "a")
	}
	require.Equal(t, [2]int{3, 0}, after(3, 0, 13))
	require.Equal(t, [2]int{5, 2}, after(5, 2, 13))
	require.Equal(t, [2]int{6, 2}, after(6, 2, 13), "the sixth was opened after the list")
	require.Equal(t, [2]int{6, 2}, after(6, 2, 14))
	require.Equal(t, [2]int{6, 2}, after(6, 2, 11), "three are gone; they may be heard of yet")
	require.Equal(t, [2]int{6, 5}, after(6, 2, 11), "they were not")
	require.Equal(t, [2]int{6, 6}, after(6, 3, 10))
}

func TestWhatAnAccountHadIsTheOthersAfterAMerge(t *testing.T) {
	t.Parallel()
	for _, hears := range []bool{false, true} {
		l := Ledger[string]{HearsOpened: hears}
		both := append(client(2), listed("b", socketstats.Client, 101, 1)...)
		l.Alive(both, sortListed)
		l.Opened("a", socketstats.Client)
		l.Heard(closed(client(1)), func(*socketstats.Closed) (string, ClosedConn, bool) {
			return "a", ClosedConn{WithTCPInfo: true, ShortLived: true, Inferred: true}, true
		})
		l.Alive(append(both[1:], listed("a", socketstats.Client, 11, 1)...), sortListed)
		want := ConnCounts{Opened: 1, Closed: 1, WithTCPInfo: 1, ShortLived: 1, Inferred: 1}
		require.Equal(t, want, *l.Counts("a"))
		l.Merge("a", "b")
		l.Merge("b", "b")
		l.Merge("nobody", "b")
		require.Equal(t, want, *l.Counts("b"))
		require.Equal(t, []string{"b"}, l.Accounts())
		l.Heard(closed(both[1:2]), func(*socketstats.Closed) (string, ClosedConn, bool) { return "b", ClosedConn{}, true })
		l.Alive(listed("b", socketstats.Client, 101, 2), sortListed)
		want.Closed = 2
		require.Equal(t, want, *l.Counts("b"))
	}
}
