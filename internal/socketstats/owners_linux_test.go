package socketstats_test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/socketstatstest"
)

func TestOwnersAreRememberedOfRealSockets(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source, family socketstatstest.Family) {
		zoo := socketstatstest.New(t, family)
		seen, shut, unseen := zoo.Established(), zoo.FinWait2(server), zoo.Reserve()
		var owners socketstats.Owners
		sample := func() map[socketstats.Tuple]socketstats.Socket {
			all, err := src.Sockets(t.Context(), socketstats.Query{Ports: []uint16{zoo.Server.Port()}, Owners: true})
			require.NoError(t, err)
			owners.Attribute(all)
			byTuple := map[socketstats.Tuple]socketstats.Socket{}
			for _, s := range zoo.Mine(all) {
				byTuple[s.Tuple()] = s
			}
			return byTuple
		}
		me := int32(os.Getpid())
		require.Equal(t, me, sample()[seen.Tuple(client)].PID)

		seen.TimeWait(client)
		shut.LetGo(server)
		unseen.Establish()
		unseen.TimeWait(client)
		waiting := zoo.Unaccepted()
		for range 2 {
			got := sample()
			require.Equal(t, socketstats.TimeWait, got[seen.Tuple(client)].State)
			require.Equal(t, me, got[seen.Tuple(client)].PID)
			require.Equal(t, socketstats.FinWait2, got[shut.Tuple(server)].State)
			require.Equal(t, me, got[shut.Tuple(server)].PID, "an orphan")
			require.Equal(t, socketstats.TimeWait, got[unseen.Tuple(client)].State)
			require.Zero(t, got[unseen.Tuple(client)].PID, "its life fell between two samples")
			require.Equal(t, socketstats.Established, got[waiting.Tuple(server)].State)
			require.Zero(t, got[waiting.Tuple(server)].PID, "nobody accepted it")
		}
	})
}

// The owner that is seen of one listener must not be taken for the other's,
// in whichever order the kernel lists them.
func TestAListenerWithoutOwnerGetsNoNeighboursOwner(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source, family socketstatstest.Family) {
		owned := socketstatstest.New(t, family)
		owned.ListenUnowned()
		owned.RequireListedBy(src)

		unowned := socketstatstest.New(t, family)
		unowned.ListenUnowned()
		unowned.ListenAgain()
		unowned.Unlisten()
		unowned.RequireListedBy(src)
	})
}

// A forked server's processes hold the same sockets. The owner is the one
// with the lowest id, whichever way the socket is found.
func TestASocketHeldByTwoProcessesHasTheLowerPID(t *testing.T) {
	for _, src := range sources() {
		zoo := socketstatstest.New(t, socketstatstest.IPv4)
		zoo.Established()
		zoo.ListenAgain()
		heir := socketstatstest.Start(t, func(cmd *exec.Cmd) {
			cmd.ExtraFiles = zoo.Files()
		}, socketstatstest.RoleIdle)
		all, err := src.Sockets(t.Context(), socketstats.Query{Owners: true})
		require.NoError(t, err)
		mine := zoo.Mine(all)
		require.Len(t, mine, 4)
		for _, s := range mine {
			require.Equal(t, min(heir.PID, int32(os.Getpid())), s.PID, "%+v", s)
		}
	}
}

// The source reads the descriptors before the sockets. What is opened between
// the two has a descriptor all the same.
func TestASocketOpenedWhileListingHasItsOwner(t *testing.T) {
	for _, src := range sources() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		at := netip.MustParseAddrPort(l.Addr().String())
		held, opened := []io.Closer{l}, make(chan struct{})
		var failed error
		go func() {
			defer close(opened)
			for range 500 {
				near, err := net.Dial("tcp", at.String())
				if failed = err; err != nil {
					return
				}
				held = append(held, near)
				far, err := l.Accept()
				if failed = err; err != nil {
					return
				}
				held = append(held, far)
			}
		}()
		t.Cleanup(func() {
			<-opened
			for _, c := range held {
				c.Close()
			}
		})
		for open := true; open; {
			select {
			case <-opened:
				open = false
			default:
			}
			all, err := src.Sockets(t.Context(), socketstats.Query{Ports: []uint16{at.Port()}, Owners: true})
			require.NoError(t, err)
			for _, s := range all {
				if s.Remote == at && s.State == socketstats.Established {
					require.Equal(t, int32(os.Getpid()), s.PID, "%+v", s)
				}
			}
		}
		require.NoError(t, failed)
	}
}
