package socketstats_test

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

// manyConns make more sockets than worthHalving: the first answer is read
// whole, and every later one in two halves.
const manyConns = 1100

func holdMany(t *testing.T) *crowd {
	t.Helper()
	many := holdCrowd(t, manyConns)
	if len(many.clients) < manyConns {
		t.Skip("too few descriptors are allowed")
	}
	return many
}

// twoThreads lets answers be halved on a machine with one core, too.
func twoThreads(t *testing.T) {
	before := runtime.GOMAXPROCS(max(2, runtime.NumCPU()))
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// listenBeside holds a listener on each of two ports beside one another, on a
// loopback address where both are free: where connections without a port asked
// for are divided.
func listenBeside(t *testing.T, below, above uint16) [2]netip.AddrPort {
	t.Helper()
	for last := byte(2); last < 250; last++ {
		addr := netip.AddrFrom4([4]byte{127, 77, 0, last})
		var fds []int
		for _, port := range []uint16{below, above} {
			fd := tcpSocket(t)
			fds = append(fds, fd)
			if unix.Bind(fd, sockaddr4(netip.AddrPortFrom(addr, port))) != nil {
				break
			}
			if unix.Listen(fd, 1) != nil {
				break
			}
			if port == above {
				t.Cleanup(func() {
					for _, fd := range fds {
						unix.Close(fd)
					}
				})
				return [2]netip.AddrPort{netip.AddrPortFrom(addr, below), netip.AddrPortFrom(addr, above)}
			}
		}
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
	t.Skipf("ports %d and %d are taken at every address", below, above)
	return [2]netip.AddrPort{}
}

func TestAnAnswerReadInHalvesIsTheWholeOne(t *testing.T) {
	twoThreads(t)
	many := holdMany(t)
	fixtures := []*statefixture.Fixture{everything(t, statefixture.IPv4), everything(t, statefixture.IPv6)}
	beside := listenBeside(t, 32767, 32768)
	for _, addr := range beside {
		many.want[socketstats.Tuple{Local: addr}] = socketstats.Listen
	}
	asked := []uint16{many.addr.Port(), beside[0].Port(), beside[1].Port()}
	for _, fixture := range fixtures {
		asked = append(asked, fixture.Server.Port())
	}
	for name, ports := range map[string][]uint16{"by port": asked, "all": nil} {
		t.Run(name, func(t *testing.T) {
			// mine is what is held here, in lines: elsewhere sockets come and go.
			mine := func(src socketstats.Source) []string {
				got, err := src.Sockets(t.Context(), socketstats.Query{Ports: ports})
				require.NoError(t, err)
				require.Zero(t, many.wrongIn(got), "listed by %s", src.Name())
				kept := slices.DeleteFunc(slices.Clone(got), func(s socketstats.Socket) bool { return many.want[s.Tuple()] == 0 })
				for _, fixture := range fixtures {
					kept = append(kept, fixture.Mine(got)...)
				}
				return statefixture.Lines(kept)
			}
			d := sockdiag(t)
			whole := mine(d)
			require.Greater(t, len(whole), 2*manyConns)
			for range 3 {
				require.Equal(t, whole, mine(d))
			}
			require.Equal(t, mine(socketstats.Gopsutil{}), whole)
		})
	}
}

// The two halves are the ends at the ports asked for, and the others. Where both
// ends are at such ports, both are in the first.
func TestAConnectionBetweenTwoPortsAskedForIsListedOnce(t *testing.T) {
	twoThreads(t)
	many := holdMany(t)
	ports := []uint16{many.addr.Port()}
	for _, c := range many.clients[:manyConns/2] {
		ports = append(ports, c.Port())
	}
	slices.Sort(ports)
	d := sockdiag(t)
	for call := range 3 {
		got, err := d.Sockets(t.Context(), socketstats.Query{Ports: ports})
		require.NoError(t, err)
		require.Zero(t, many.wrongIn(got), "call %d", call)
	}
	// Also by the clients' ports alone.
	for call := range 2 {
		got, err := d.Sockets(t.Context(), socketstats.Query{Ports: slices.DeleteFunc(slices.Clone(ports), func(p uint16) bool {
			return p == many.addr.Port()
		})})
		require.NoError(t, err)
		require.Equal(t, wrong{missing: 1 + 2*(manyConns-manyConns/2)}, many.wrongIn(got), "call %d", call)
	}
}

func TestHalvesHaveStatesInfoAndOwners(t *testing.T) {
	twoThreads(t)
	many := holdMany(t)
	d := sockdiag(t)
	q := socketstats.Query{Ports: []uint16{many.addr.Port()}, States: []socketstats.State{socketstats.Established}, Info: true, Owners: true}
	var cookies map[uint64]string
	for range 3 {
		got, err := d.Sockets(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, wrong{missing: 1}, many.wrongIn(got), "the listener was not asked for")
		now := map[uint64]string{}
		for _, s := range got {
			if many.want[s.Tuple()] != 0 {
				require.NotNil(t, s.Info)
				require.Positive(t, s.Inode)
				require.Equal(t, int32(os.Getpid()), s.PID)
				now[s.Cookie] = fmt.Sprint(s.Tuple(), s.Inode)
			}
		}
		require.Len(t, now, 2*manyConns)
		if cookies != nil {
			require.Equal(t, cookies, now)
		}
		cookies = now
	}
}
