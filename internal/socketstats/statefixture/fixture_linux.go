package statefixture

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// Family is the kind of addresses of a fixture's sockets.
type Family string

// The families. In DualStack the server has IPv6 sockets on [::], and its clients
// connect from 127.0.0.1, as with Go's net.Listen("tcp", ":0").
const (
	IPv4      Family = "IPv4"
	IPv6      Family = "IPv6"
	DualStack Family = "dual stack"
)

// Families lists every family.
func Families() []Family { return []Family{IPv4, IPv6, DualStack} }

// Fixture is one server port with sockets in known states. Create one with [New]; the
// end of the test closes it. It is for one goroutine. Its methods fail the test if
// the kernel refuses something, or if a state is not reached within 10 s.
//
// The methods must be called in this order, because each step makes the earlier ones
// impossible: those that accept, then Unaccepted, then SynRecv, then SynSent. A second
// listener comes last, and not after SynSent.
type Fixture struct {
	// Server is the address that clients connect to.
	Server netip.AddrPort

	t      testing.TB
	family Family
	stage  stage
	listen int          // the first listener's descriptor
	open   map[int]bool // every listener's descriptor, so that none is closed twice
	queued int          // connections in the first listener's accept queue
	conns  []*Conn
	// listeners are the expected sockets in LISTEN, with their owners.
	listeners []socketstats.Socket
}

type stage int

const (
	accepting stage = iota
	queueing
	deferring
	full
	shared // with a second listener, which may get any new connection
)

// New returns a fixture with a listener on a free port. It skips the test on a
// machine without the family.
func New(t testing.TB, f Family) *Fixture {
	t.Helper()
	z := Bound(t, f)
	z.Listen()
	return z
}

// Bound returns a fixture with a free port on which nothing listens yet (see
// [Fixture.Listen]). It skips the test on a machine without the family.
func Bound(t testing.TB, f Family) *Fixture {
	t.Helper()
	z := &Fixture{t: t, family: f, open: map[int]bool{}}
	t.Cleanup(func() {
		for fd := range z.open {
			z.closeListener(fd)
		}
	})
	z.listen = z.bind(z.loopback(0))
	z.Server = z.loopback(localAddr(t, z.listen).Port())
	return z
}

// Listen begins to listen on the port of [Bound].
func (z *Fixture) Listen() {
	z.t.Helper()
	require.NoError(z.t, unix.Listen(z.listen, Backlog))
	z.addListener(int32(os.Getpid()))
}

// Unlisten closes the first listener.
func (z *Fixture) Unlisten() {
	z.closeListener(z.listen)
	z.listeners = z.listeners[1:]
}

// Listener returns the listeners' local address.
func (z *Fixture) Listener() netip.AddrPort {
	if z.family == DualStack {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), z.Server.Port())
	}
	return z.Server
}

// Sockets returns the sockets that the kernel must list for this fixture.
func (z *Fixture) Sockets() []socketstats.Socket {
	sockets := slices.Clone(z.listeners)
	for _, c := range z.conns {
		sockets = append(sockets, c.sockets()...)
	}
	return sockets
}

// Counts returns the numbers of [Fixture.Sockets] by end and state, as a source counts
// that knows the unowned, or one that does not.
func (z *Fixture) Counts(knowsUnowned bool) (client, server socketstats.Counts) {
	for _, s := range z.listeners {
		server.Add(&s)
	}
	for _, c := range z.conns {
		for _, s := range c.sockets() {
			s.Unowned = s.Unowned && knowsUnowned
			if s.Local == c.Client {
				client.Add(&s)
			} else {
				server.Add(&s)
			}
		}
	}
	return client, server
}

// Mine returns the fixture's sockets of a list: its listeners, and both ends of its
// connections. It leaves out those of an earlier user of the port in TIME_WAIT.
func (z *Fixture) Mine(sockets []socketstats.Socket) []socketstats.Socket {
	clients := map[netip.AddrPort]bool{}
	for _, c := range z.conns {
		clients[c.Client] = true
	}
	var mine []socketstats.Socket
	for _, s := range sockets {
		switch {
		case s.State == socketstats.Listen && s.Local == z.Listener(),
			s.Local == z.Server && clients[s.Remote],
			s.Remote == z.Server && clients[s.Local]:
			mine = append(mine, s)
		}
	}
	return mine
}

// RequireListedBy fails the test unless src lists exactly the sockets of this fixture,
// each once, with the right state and owner.
func (z *Fixture) RequireListedBy(src socketstats.Source) {
	z.t.Helper()
	query := socketstats.Query{Ports: []uint16{z.Server.Port()}, Owners: true}
	all, err := src.Sockets(z.t.Context(), query)
	require.NoError(z.t, err)
	mine := z.Mine(all)
	require.Equal(z.t, Lines(z.Sockets()), Lines(mine), "sockets listed by %s", src.Name())

	// Without owners: the same sockets, and no owner for any.
	query.Owners = false
	all, err = src.Sockets(z.t.Context(), query)
	require.NoError(z.t, err)
	nameless := z.Sockets()
	for i := range nameless {
		nameless[i].PID = 0
	}
	require.Equal(z.t, Lines(nameless), Lines(z.Mine(all)), "sockets listed by %s without owners", src.Name())

	wantClient, wantServer := z.Counts(socketstats.ReportsInodes(src))
	client, server := socketstats.Count(mine, z.Server)
	require.Equal(z.t, wantClient, client, "client end counted from %s", src.Name())
	require.Equal(z.t, wantServer, server, "server end counted from %s", src.Name())
}

// Files returns a duplicate of every descriptor of the fixture, for a process to
// inherit. The end of the test closes them.
func (z *Fixture) Files() []*os.File {
	z.t.Helper()
	fds := slices.Collect(maps.Keys(z.open))
	for _, c := range z.conns {
		for _, fd := range c.fd {
			if fd >= 0 {
				fds = append(fds, fd)
			}
		}
	}
	var files []*os.File
	for _, fd := range fds {
		dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		require.NoError(z.t, err)
		f := os.NewFile(uintptr(dup), "socket")
		z.t.Cleanup(func() { f.Close() })
		files = append(files, f)
	}
	return files
}

// Lines returns one line of text per socket, sorted.
func Lines(sockets []socketstats.Socket) []string {
	lines := make([]string, 0, len(sockets))
	for _, s := range sockets {
		remote := "nobody"
		if s.Remote.IsValid() {
			remote = s.Remote.String()
		}
		lines = append(lines, fmt.Sprintf("%v %v -> %s pid %d", s.State, s.Local, remote, s.PID))
	}
	slices.Sort(lines)
	return lines
}

func (z *Fixture) loopback(port uint16) netip.AddrPort {
	if z.family == IPv6 {
		return netip.AddrPortFrom(netip.IPv6Loopback(), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

func (z *Fixture) addListener(pid int32) {
	z.listeners = append(z.listeners, socketstats.Socket{
		Local: z.Listener(), State: socketstats.Listen, PID: pid,
	})
}

// enter fails the test if an earlier call has made this one impossible.
func (z *Fixture) enter(s stage) {
	z.t.Helper()
	require.GreaterOrEqual(z.t, s, z.stage, "the fixture's functions were called out of order, see Fixture")
	z.stage = s
}
