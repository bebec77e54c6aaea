package socketstats_test

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// churn opens and closes connections to a port of its own, at most perSecond,
// until stop is called. Each ends with a reset at both ends, so none is left.
type churn struct {
	addr   netip.AddrPort
	opened atomic.Int64
	stop   func()
}

func startChurn(t *testing.T, perSecond int64) *churn {
	t.Helper()
	c := &churn{}
	var listener int
	listener, c.addr = listenAt(t, netip.AddrPortFrom(loopback, 0))
	var running sync.WaitGroup
	running.Go(func() {
		for {
			fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
			if err == unix.EINVAL { // shut down, see stop
				return
			}
			if err == nil {
				reset(fd)
			}
		}
	})
	done := make(chan struct{})
	running.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		started := time.Now()
		for {
			for due := int64(time.Since(started).Seconds() * float64(perSecond)); c.opened.Load() < due; {
				select {
				case <-done:
					return
				default:
				}
				fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					continue
				}
				_ = unix.Connect(fd, sockaddr4(c.addr))
				reset(fd)
				c.opened.Add(1)
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	c.stop = sync.OnceFunc(func() {
		close(done)
		_ = unix.Shutdown(listener, unix.SHUT_RDWR)
		running.Wait()
	})
	t.Cleanup(c.stop)
	return c
}

// mayMiss is how many held sockets may be missing of so many samples: none of
// sock_diag's (see dumpState). Of /proc/net/tcp, where the kernel goes on in a hash
// bucket by number too, some hundred samples show one, with a small table.
func mayMiss(src socketstats.Source, samples int) int {
	if src.Name() == "sockdiag" {
		return 0
	}
	return 1 + samples/100
}

func TestHeldSocketsAreExactBesideChurn(t *testing.T) {
	const (
		conns     = 4000
		perSecond = 20_000
	)
	sampling := 600 * time.Millisecond // for each source and query
	if testing.Short() {
		sampling /= 3
	}
	twoThreads(t)
	held := holdCrowd(t, conns)
	held.shutSome(t)
	busy := startChurn(t, perSecond)
	ways := []struct {
		name  string
		ports []uint16
		last  bool // the caller keeps the answer
	}{{"by port", []uint16{held.addr.Port()}, false}, {"all", nil, false}, {"all, kept by the caller", nil, true}}
	for _, src := range sources(t) {
		for _, way := range ways {
			t.Run(src.Name()+", "+way.name, func(t *testing.T) {
				var kept []socketstats.Socket
				started, before := time.Now(), busy.opened.Load()
				samples, missing := 0, 0
				var last wrong
				for time.Since(started) < sampling || samples < 3 {
					got, err := src.Sockets(t.Context(), socketstats.Query{Ports: way.ports, Into: kept, Last: kept, Thrifty: way.last})
					require.NoError(t, err)
					if way.last {
						kept = got
					}
					samples++
					w := held.wrongIn(got)
					missing += w.missing
					require.Equal(t, wrong{missing: w.missing}, w)
					require.False(t, w.missing > 0 && last.missing > 0, "missing twice in a row: %v, then %v", last, w)
					last = w
				}
				rate := float64(busy.opened.Load()-before) / time.Since(started).Seconds()
				t.Logf("%d held sockets, %.0f connections/s beside them, %d samples, %d missing", len(held.want), rate, samples, missing)
				require.LessOrEqual(t, missing, mayMiss(src, samples))
				require.Greater(t, rate, 100.0, "there was churn")
			})
		}
	}
}
