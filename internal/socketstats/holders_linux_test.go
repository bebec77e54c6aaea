package socketstats_test

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

// startHeir starts a process that holds these sockets, too.
func startHeir(t *testing.T, files []*os.File) int32 {
	t.Helper()
	heir := statefixture.Start(t, func(cmd *exec.Cmd) { cmd.ExtraFiles = files }, statefixture.RoleIdle)
	if heir.PID < int32(os.Getpid()) {
		t.Skip("process ids began again at the lowest, so we are not the first holder")
	}
	return heir.PID
}

// The owner that is remembered closes its descriptors; the other's is found
// within so many calls that each answer was looked at once more.
func TestTheNextHolderIsFoundWhenTheFirstLetsGo(t *testing.T) {
	const checksPerCall = 8
	for conns, calls := range map[int]int{1: 1, 3: 1, 20: 2 * (2*20/checksPerCall + 1)} {
		d := sockdiag(t)
		fixture := statefixture.New(t, statefixture.IPv4)
		var held []*statefixture.Conn
		for range conns {
			held = append(held, fixture.Established())
		}
		files := fixture.Files()
		heir, me := startHeir(t, files), int32(os.Getpid())
		owners := func() map[int32]int {
			count := map[int32]int{}
			for _, s := range byTuple(t, d, fixture, socketstats.Query{Owners: true}) {
				if s.State == socketstats.Established {
					count[s.PID]++
				}
			}
			return count
		}
		for range 3 {
			require.Equal(t, map[int32]int{me: 2 * conns}, owners())
		}
		for _, f := range files {
			require.NoError(t, f.Close())
		}
		for _, conn := range held {
			conn.LetGo(client)
			conn.LetGo(server)
		}
		for range calls - 1 {
			now := owners()
			require.Equal(t, 2*conns, now[me]+now[heir])
		}
		require.Equal(t, map[int32]int{heir: 2 * conns}, owners(), "%d connections, %d calls", conns, calls)
	}
}

// What a process outside the list holds, one in the list may hold as well.
func TestAmongSeveralHoldersTheOneAskedForIsFound(t *testing.T) {
	d := sockdiag(t)
	fixture := statefixture.New(t, statefixture.IPv4)
	fixture.Established()
	heir, me := startHeir(t, fixture.Files()), int32(os.Getpid())
	for _, step := range []struct {
		among []int32
		want  int32
	}{
		{[]int32{me}, me},
		{[]int32{heir}, heir},
		{nil, me},
		{[]int32{heir}, heir},
		{[]int32{heir, me}, heir}, // remembered: it is among them
		{nil, me},
		{[]int32{1 << 30}, 0},
		{[]int32{heir, me}, me},
	} {
		for _, s := range byTuple(t, d, fixture, socketstats.Query{Owners: true, OwnersAmong: step.among}) {
			require.Equal(t, step.want, s.PID, "among %v: %+v", step.among, s)
		}
	}
}

// roleList lists the sockets at a port and its own listener's, as JSON.
const roleList = "list"

type lists struct{ At, Own []socketstats.Socket }

func list(args []string) string {
	port, err := strconv.ParseUint(args[0], 10, 16)
	if err != nil {
		return err.Error()
	}
	d, err := socketstats.OpenSockdiag()
	if err != nil {
		return err.Error()
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err.Error()
	}
	defer l.Close()
	var both lists
	q := socketstats.Query{Ports: []uint16{uint16(port)}, Owners: true, Info: true}
	both.At, err = d.Sockets(context.Background(), q)
	if err != nil {
		return err.Error()
	}
	// Not what an earlier test left in TIME_WAIT beside the same port.
	q.Ports, q.States = []uint16{netip.MustParseAddrPort(l.Addr().String()).Port()}, []socketstats.State{socketstats.Listen}
	both.Own, err = d.Sockets(context.Background(), q)
	if err != nil {
		return err.Error()
	}
	text, err := json.Marshal(both)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestAnotherUserListsTheSame(t *testing.T) {
	for _, family := range statefixture.Families() {
		t.Run(string(family), func(t *testing.T) {
			fixture := everything(t, family)
			helper := startAsNobody(t, roleList, strconv.Itoa(int(fixture.Server.Port())))
			var got lists
			require.NoError(t, json.Unmarshal([]byte(helper.Said), &got), helper.Said)

			want := fixture.Sockets()
			for i := range want {
				want[i].PID = 0 // it may not see our descriptors
			}
			require.Equal(t, statefixture.Lines(want), statefixture.Lines(fixture.Mine(got.At)))
			for _, s := range fixture.Mine(got.At) {
				require.Equal(t, s.State == socketstats.SynRecv || s.Minisock, s.Info == nil, "%+v", s)
				require.Zero(t, s.UID, "ours, and a record's: %+v", s)
			}
			require.Len(t, got.Own, 1)
			require.Equal(t, helper.PID, got.Own[0].PID)
			require.Equal(t, nobody, int(got.Own[0].UID))
		})
	}
}
