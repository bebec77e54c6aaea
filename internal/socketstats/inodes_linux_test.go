package socketstats

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// openSocket opens a socket and returns its descriptor and inode.
func openSocket(t *testing.T) (int, uint32) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	var stat unix.Stat_t
	require.NoError(t, unix.Fstat(fd, &stat))
	return fd, uint32(stat.Ino)
}

// owners asks who holds sockets with these inodes.
func (in *inodes) owners(inodes ...uint32) []int32 {
	sockets := make([]Socket, len(inodes))
	for i, inode := range inodes {
		sockets[i].Inode = inode
	}
	in.attribute(sockets, nil)
	pids := make([]int32, len(inodes))
	for i, s := range sockets {
		pids[i] = s.PID
	}
	return pids
}

// closed is an inode that no socket has any more.
func closed(t *testing.T) uint32 {
	t.Helper()
	fd, inode := openSocket(t)
	require.NoError(t, unix.Close(fd))
	return inode
}

func TestHoldersOfSocketsThatAreGoneAreForgotten(t *testing.T) {
	const atOnce, calls = 20, 20
	me := int32(os.Getpid())
	var in inodes
	for call := range calls {
		var fds []int
		var open []uint32
		for range atOnce {
			fd, inode := openSocket(t)
			fds, open = append(fds, fd), append(open, inode)
		}
		for _, pid := range in.owners(append(open, closed(t), 0)...)[:atOnce] {
			require.Equal(t, me, pid)
		}
		require.NotContains(t, in.holder, uint32(0), "no descriptor has this, and none is searched for")
		require.LessOrEqual(t, len(in.holder), 2*(atOnce+2)+checksPerCall, "call %d", call)
		require.LessOrEqual(t, len(in.check), 2*(atOnce+2)+checksPerCall, "call %d", call)
		for _, fd := range fds {
			require.NoError(t, unix.Close(fd))
		}
	}
	require.Empty(t, in.owners(), "a list without sockets")
	require.LessOrEqual(t, len(in.holder), checksPerCall)
}

// inFlight is a socket whose only descriptor is on its way; arrive gives it one.
func inFlight(t *testing.T) (inode uint32, arrive func()) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() {
		unix.Close(pair[0])
		unix.Close(pair[1])
	})
	fd, inode := openSocket(t)
	require.NoError(t, unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fd), nil, 0))
	require.NoError(t, unix.Close(fd))
	return inode, func() {
		control := make([]byte, unix.CmsgSpace(4))
		_, n, _, _, err := unix.Recvmsg(pair[1], make([]byte, 1), control, unix.MSG_CMSG_CLOEXEC)
		require.NoError(t, err)
		messages, err := unix.ParseSocketControlMessage(control[:n])
		require.NoError(t, err)
		fds, err := unix.ParseUnixRights(&messages[0])
		require.NoError(t, err)
		t.Cleanup(func() { unix.Close(fds[0]) })
	}
}

func TestAnInodeWithoutHolderIsSearchedForLessAndLess(t *testing.T) {
	inode, arrive := inFlight(t)
	var in inodes
	var searches []int // the calls in which it was searched for
	for call := 1; call <= 200; call++ {
		before := in.missed[inode]
		require.Equal(t, []int32{0}, in.owners(inode))
		after := in.missed[inode]
		if after.retry != before.retry {
			searches = append(searches, call)
			require.Equal(t, min(before.tries+1, maxTries), after.tries)
		}
	}
	// 2^tries calls later, and at most 64.
	require.Equal(t, []int{1, 3, 7, 15, 31, 63, 127, 191}, searches)

	arrive()
	for call := 201; call < 255; call++ {
		require.Equal(t, []int32{0}, in.owners(inode), "call %d", call)
	}
	require.Equal(t, []int32{int32(os.Getpid())}, in.owners(inode))
}

// Accept gives a connection its inode a moment before its descriptor.
func TestADescriptorThatComesLateIsFoundSoon(t *testing.T) {
	inode, arrive := inFlight(t)
	var in inodes
	require.Equal(t, []int32{0}, in.owners(inode))
	arrive()
	require.Equal(t, []int32{0}, in.owners(inode), "not searched for in this call")
	require.Equal(t, []int32{int32(os.Getpid())}, in.owners(inode))
}

// A descriptor's number is soon another socket's.
func TestADescriptorUsedAgainIsTheNewSockets(t *testing.T) {
	me := int32(os.Getpid())
	var in inodes
	first, old := openSocket(t)
	require.Equal(t, []int32{me}, in.owners(old))
	require.NoError(t, unix.Close(first))
	second, young := openSocket(t)
	defer unix.Close(second)
	require.Equal(t, first, second, "the lowest that is free")
	require.Equal(t, []int32{0, me}, in.owners(old, young))
}

// So it is where there are more answers than one call looks at again.
func TestADescriptorUsedAgainAmongManyIsTheNewSockets(t *testing.T) {
	const many = 20 * checksPerCall
	me := int32(os.Getpid())
	var in inodes
	var fds []int
	var open []uint32
	for range many {
		fd, inode := openSocket(t)
		defer unix.Close(fd)
		fds, open = append(fds, fd), append(open, inode)
	}
	in.owners(open...)
	require.NoError(t, unix.Close(fds[many/2]))
	fd, young := openSocket(t)
	require.Equal(t, fds[many/2], fd, "the lowest that is free")
	open[many/2] = young
	for _, pid := range in.owners(open...) {
		require.Equal(t, me, pid)
	}
}

func TestWhatIsKnownOfAProcessIsNotReadAgain(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	fd, inode := openSocket(t)
	file := os.NewFile(uintptr(fd), "socket")
	cmd.ExtraFiles = []*os.File{file}
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	require.NoError(t, file.Close())

	pid := int32(cmd.Process.Pid)
	visited := func(known map[int32]bool) (n int) {
		eachDescriptor(pid, known, func(d listedDescriptor) {
			if d.inode == inode && d.fd == 3 {
				n++
			}
		})
		return n
	}
	require.Equal(t, 1, visited(nil))
	require.Zero(t, visited(map[int32]bool{3: true}))
	eachDescriptor(math.MaxInt32, nil, func(listedDescriptor) { require.Fail(t, "there is no such process") })
}

func TestProcessesOfTheSameListAreSearchedFirst(t *testing.T) {
	first := map[int32]map[int32]bool{math.MaxInt32: {}, int32(os.Getpid()): {}}
	order := searchOrder(first, nil)
	require.Equal(t, []int32{int32(os.Getpid()), math.MaxInt32}, order[:2])
	require.Contains(t, order[2:], int32(1))
	require.IsIncreasing(t, order[2:])
	require.NotContains(t, order[2:], int32(os.Getpid()))
	require.Equal(t, []int32{4, 5}, searchOrder(first, []int32{5, 4}))
}

func FuzzSocketInode(f *testing.F) {
	for _, link := range []string{
		"socket:[4711]", "socket:[0]", "socket:[4294967295]", "socket:[4294967296]", "socket:[]", "socket:[-1]",
		"socket:[+1]", "socket:[1_0]", "socket:[0x1]", "socket:[12", "socket:", "pipe:[4711]", "/dev/null", "",
	} {
		f.Add([]byte(link))
	}
	form := regexp.MustCompile(`^socket:\[([0-9]+)\]$`)
	f.Fuzz(func(t *testing.T, link []byte) {
		inode, ok := socketInode(link)
		m := form.FindSubmatch(link)
		if m == nil {
			require.False(t, ok)
			return
		}
		want, err := strconv.ParseUint(string(m[1]), 10, 64)
		require.Equal(t, err == nil && want <= math.MaxUint32, ok)
		if ok {
			require.Equal(t, want, uint64(inode))
			again, same := socketInode(fmt.Appendf(nil, "socket:[%d]", inode))
			require.True(t, same)
			require.Equal(t, inode, again)
		}
	})
}
