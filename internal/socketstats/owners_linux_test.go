package socketstats_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

func TestOwnersAreRememberedOfRealSockets(t *testing.T) {
	eachSource(t, func(t *testing.T, src socketstats.Source, family statefixture.Family) {
		fixture := statefixture.New(t, family)
		seen, shut, unseen := fixture.Established(), fixture.FinWait2(server), fixture.Reserve()
		var owners socketstats.Owners
		sample := func() map[socketstats.Tuple]socketstats.Socket {
			all, err := src.Sockets(t.Context(), socketstats.Query{Ports: []uint16{fixture.Server.Port()}, Owners: true})
			require.NoError(t, err)
			owners.Attribute(all)
			byTuple := map[socketstats.Tuple]socketstats.Socket{}
			for _, s := range fixture.Mine(all) {
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
		waiting := fixture.Unaccepted()
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
	eachSource(t, func(t *testing.T, src socketstats.Source, family statefixture.Family) {
		owned := statefixture.New(t, family)
		owned.ListenUnowned()
		owned.RequireListedBy(src)

		unowned := statefixture.New(t, family)
		unowned.ListenUnowned()
		unowned.ListenAgain()
		unowned.Unlisten()
		unowned.RequireListedBy(src)
	})
}

// A forked server's processes hold the same sockets. The owner is the one
// with the lowest id, whichever way the socket is found.
func TestASocketHeldByTwoProcessesHasTheLowerPID(t *testing.T) {
	for _, src := range sources(t) {
		fixture := statefixture.New(t, statefixture.IPv4)
		fixture.Established()
		fixture.ListenAgain()
		heir := statefixture.Start(t, func(cmd *exec.Cmd) {
			cmd.ExtraFiles = fixture.Files()
		}, statefixture.RoleIdle)
		all, err := src.Sockets(t.Context(), socketstats.Query{Owners: true})
		require.NoError(t, err)
		mine := fixture.Mine(all)
		require.Len(t, mine, 4)
		for _, s := range mine {
			require.Equal(t, min(heir.PID, int32(os.Getpid())), s.PID, "%+v", s)
		}
	}
}

// gopsutil reads the descriptors before the sockets. What is opened between
// the two has an owner all the same. Here that happens every time: the list of
// sockets is a FIFO, whose reader is done with the descriptors.
func TestASocketOpenedWhileListingHasItsOwner(t *testing.T) {
	const table = "headings\n" +
		"0: 0100007F:9C40 0100007F:1F90 01 0:0 0:0 0 0 0 777 1\n"
	root := t.TempDir()
	fds, list, next := root+"/4242/fd", root+"/net/tcp", root+"/next"
	require.NoError(t, os.MkdirAll(fds, 0o700))
	require.NoError(t, os.MkdirAll(root+"/net", 0o700))
	require.NoError(t, os.WriteFile(next, []byte(table), 0o600))
	require.NoError(t, unix.Mkfifo(list, 0o600))

	opened := make(chan error, 1)
	go func() {
		fifo, err := os.OpenFile(list, os.O_WRONLY, 0) // waits for the reader
		if err != nil {
			opened <- err
			return
		}
		_, written := io.WriteString(fifo, table)
		opened <- errors.Join(written,
			os.Symlink("socket:[777]", fds+"/3"),
			os.Rename(next, list), // what a second reading finds
			fifo.Close())
	}()
	ctx := context.WithValue(t.Context(), common.EnvKey, common.EnvMap{common.HostProcEnvKey: root})
	got, err := socketstats.Gopsutil{}.Sockets(ctx, socketstats.Query{Owners: true})
	require.NoError(t, err)
	require.NoError(t, <-opened)
	require.Len(t, got, 1)
	require.Equal(t, socketstats.Established, got[0].State)
	require.Equal(t, int32(4242), got[0].PID)
}
