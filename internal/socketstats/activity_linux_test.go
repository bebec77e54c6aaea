package socketstats_test

import (
	"context"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/fdtest"
	"socketlab/internal/socketstats/statefixture"
)

func TestAClosedSockdiagIsAnError(t *testing.T) {
	d, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	require.NoError(t, d.Close())
	for range 2 {
		got, err := d.Sockets(t.Context(), socketstats.Query{})
		require.ErrorIs(t, err, fs.ErrClosed)
		require.Nil(t, got)
		require.NoError(t, d.Close(), "again")
	}
}

func TestManyAskAtOnceAndEachHasItsAnswer(t *testing.T) {
	twoThreads(t)
	many := holdMany(t) // so that answers come in halves, too
	d := sockdiag(t)
	fixtures := []*statefixture.Fixture{everything(t, statefixture.IPv4), everything(t, statefixture.IPv6)}
	var asking sync.WaitGroup
	for i := range 8 {
		asking.Go(func() {
			for range 10 {
				if i%4 == 3 {
					got, err := d.Sockets(t.Context(), socketstats.Query{Ports: []uint16{many.addr.Port()}})
					if err != nil || many.wrongIn(got) != (wrong{}) {
						t.Errorf("%v, %v", many.wrongIn(got), err)
					}
					continue
				}
				fixture := fixtures[i%2]
				q := socketstats.Query{Ports: []uint16{fixture.Server.Port()}, Owners: true}
				want, me := fixture.Sockets(), int32(os.Getpid())
				if i%4 == 2 { // the process asked for holds none of them
					q.OwnersAmong, me = []int32{1 << 30}, 0
				}
				for n := range want {
					want[n].PID = min(want[n].PID, me)
				}
				got, err := d.Sockets(t.Context(), q)
				if err != nil || !slices.Equal(statefixture.Lines(want), statefixture.Lines(fixture.Mine(got))) {
					t.Errorf("%d: %v, %v", i, statefixture.Lines(fixture.Mine(got)), err)
				}
			}
		})
	}
	asking.Wait()
}

// endingContext is cancelled when it has been asked so often.
type endingContext struct {
	context.Context
	left atomic.Int32
}

func (c *endingContext) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// The answer to a call that was given up is still to come when the next asks.
func TestACallGivenUpInTheMiddleDoesNotSpoilTheNext(t *testing.T) {
	twoThreads(t)
	many := holdMany(t)
	for name, first := range map[string]bool{"whole": false, "in halves": true} {
		t.Run(name, func(t *testing.T) {
			d := sockdiag(t)
			q := socketstats.Query{Ports: []uint16{many.addr.Port()}}
			for asked := range int32(5) { // a whole answer is in six messages or more
				if first { // the second call's answer is expected to be long
					_, err := d.Sockets(t.Context(), q)
					require.NoError(t, err)
				}
				ctx := &endingContext{Context: t.Context()}
				ctx.left.Store(asked)
				got, err := d.Sockets(ctx, q)
				require.ErrorIs(t, err, context.Canceled)
				require.Nil(t, got)
			}
			got, err := d.Sockets(t.Context(), q)
			require.NoError(t, err)
			require.Zero(t, many.wrongIn(got))
		})
	}
}

// wrongFiles are descriptors on which nobody answers for sock_diag.
func wrongFiles(t *testing.T) map[string]*os.File {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(pair[1]) })
	route, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	require.NoError(t, err)
	return map[string]*os.File{
		"a pipe to read": r, "a pipe to write": w, "the null device": null,
		"a Unix socket": os.NewFile(uintptr(pair[0]), "pair"), "another netlink": os.NewFile(uintptr(route), "route"),
	}
}

func TestAWrongDescriptorIsAnErrorAndIsClosed(t *testing.T) {
	for name, file := range wrongFiles(t) {
		t.Run(name, func(t *testing.T) {
			d, err := socketstats.Inside(socketstats.Gopsutil{}, func() (*os.File, error) { return file, nil })
			require.Error(t, err)
			require.Nil(t, d)
			require.ErrorIs(t, file.Close(), fs.ErrClosed)
		})
	}
}

// With no descriptor to spare none can be opened, and with a few the one that needs fewest.
func TestWhereSockdiagCannotBeOpenedTheOtherSourceIs(t *testing.T) {
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	with := func(descriptors int, source string) (socketstats.Source, error) {
		few := limit
		few.Cur = uint64(descriptors)
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &few))
		src, err := socketstats.OpenSource(source)
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
		return src, err
	}
	for _, source := range []string{socketstats.Auto, "sockdiag"} {
		none, err := with(0, source)
		require.ErrorIs(t, err, unix.EMFILE)
		require.ErrorContains(t, err, "gopsutil", "what to use")
		require.Nil(t, none)
	}
	const plenty = 1000
	var opened []string
	for n := range plenty {
		src, err := with(n, socketstats.Auto)
		if err != nil {
			require.ErrorIs(t, err, unix.EMFILE)
			continue
		}
		opened = append(opened, src.Name())
		require.NoError(t, src.Close())
		if src.Name() == "sockdiag" {
			break
		}
	}
	require.NotEqual(t, "sockdiag", opened[0])
	require.Equal(t, "sockdiag", opened[len(opened)-1])
}

func TestTooFewDescriptorsToOpenASourceLeaveNone(t *testing.T) {
	src := sockdiag(t)
	for name, open := range map[string]func() (io.Closer, error){
		"source":   func() (io.Closer, error) { return socketstats.OpenSource("sockdiag") },
		"inside":   func() (io.Closer, error) { return socketstats.Inside(src, socketstats.SockdiagFile) },
		"closings": func() (io.Closer, error) { return socketstats.OpenClosings(src, nil) },
	} {
		t.Run(name, func(t *testing.T) { fdtest.LeavesNone(t, open) })
	}
}
