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

// Family says which addresses a fixture's sockets have.
type Family string

// The families. In DualStack the server's sockets are IPv6 ones on [::] and
// its clients come from 127.0.0.1: what Go's net.Listen("tcp", ":0") makes.
const (
	IPv4      Family = "IPv4"
	IPv6      Family = "IPv6"
	DualStack Family = "dual stack"
)

// Families lists every family.
func Families() []Family { return []Family{IPv4, IPv6, DualStack} }

// Fixture is one server port with sockets held in known states. Create one with
// [New]; it ends with its test. It is for one goroutine.
//
// Its functions come in four stages, each of which stops what an earlier one
// needs: those that accept, then Unaccepted, then SynRecv, then SynSent. Only
// a fixture without SynSent may get a second listener, after everything else.
type Fixture struct {
	// Server is where clients connect to.
	Server netip.AddrPort

	t      testing.TB
	family Family
	stage  stage
	listen int          // the first listener's descriptor
	open   map[int]bool // every listener's, so that none is closed twice
	queued int          // connections in the first listener's accept queue
	conns  []*Conn
	// listeners holds what must be listed in LISTEN, with the owners.
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

// New holds a listener on a fresh port. The test is skipped on a machine
// without the family.
func New(t testing.TB, f Family) *Fixture {
	t.Helper()
	z := Bound(t, f)
	z.Listen()
	return z
}

// Bound holds a fresh port on which nothing listens yet.
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

// Listen begins to listen on a port that is only bound.
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

// Listener returns the address that the listeners have.
func (z *Fixture) Listener() netip.AddrPort {
	if z.family == DualStack {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), z.Server.Port())
	}
	return z.Server
}

// Sockets returns what the kernel must list for this fixture.
func (z *Fixture) Sockets() []socketstats.Socket {
	sockets := slices.Clone(z.listeners)
	for _, c := range z.conns {
		sockets = append(sockets, c.sockets()...)
	}
	return sockets
}

// Counts returns how many sockets the kernel must list, by end and state.
func (z *Fixture) Counts() (client, server socketstats.Counts) {
	for _, s := range z.listeners {
		server.Add(s.State)
	}
	for _, c := range z.conns {
		for _, s := range c.sockets() {
			if s.Local == c.Client {
				client.Add(s.State)
			} else {
				server.Add(s.State)
			}
		}
	}
	return client, server
}

// Mine keeps the fixture's own sockets of a list: its listeners, and either end of
// its clients' connections. What an earlier run left in TIME_WAIT beside the
// same port is not among them.
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

// RequireListedBy fails the test unless src lists exactly this fixture: the same
// four-tuples in the same states with the same owners, each once.
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

	wantClient, wantServer := z.Counts()
	client, server := socketstats.Count(mine, z.Server)
	require.Equal(z.t, wantClient, client, "client end counted from %s", src.Name())
	require.Equal(z.t, wantServer, server, "server end counted from %s", src.Name())
}

// Files returns a copy of every descriptor the fixture holds, for a process to
// inherit. They are closed when the test ends.
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

// Lines gives one sorted line per socket, for comparing and for reading.
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

// enter refuses what an earlier call has made impossible.
func (z *Fixture) enter(s stage) {
	z.t.Helper()
	require.GreaterOrEqual(z.t, s, z.stage, "the fixture's functions were called out of order, see Fixture")
	z.stage = s
}
