package taskfiles

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// opened is a descriptor as both ways of reading it give it.
type opened struct {
	fd       int32
	inode    uint32
	protocol string
}

// byLinks reads this process's descriptors in /proc/self/fd.
func byLinks(t *testing.T) (list []opened) {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, name := range names {
		path := "/proc/self/fd/" + name.Name()
		link, err := os.Readlink(path)
		if err != nil {
			continue // that of the folder itself
		}
		fd, err := strconv.Atoi(name.Name())
		require.NoError(t, err)
		o := opened{fd: int32(fd)}
		if number, ok := strings.CutPrefix(link, "socket:["); ok {
			inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32)
			require.NoError(t, err)
			o.inode = uint32(inode)
			var text [32]byte
			n, err := unix.Getxattr(path, "system.sockprotoname", text[:])
			require.NoError(t, err)
			o.protocol = strings.TrimRight(string(text[:n]), "\x00")
		}
		list = append(list, o)
	}
	return list
}

func openReader(t *testing.T) *reader {
	t.Helper()
	r, err := open()
	if err != nil {
		t.Skipf("descriptors can be read by a program of BPF only by root, on Linux from 6.1 on, outside of containers: %s", err)
	}
	t.Cleanup(func() { require.NoError(t, r.(*reader).program.Close()) })
	return r.(*reader)
}

func TestTheDescriptorsAreThoseOfProc(t *testing.T) {
	r := openReader(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		require.NoError(t, err)
		defer l.Close()
		for range 700 { // several reads of the kernel's
			c, err := net.Dial(l.Addr().Network(), l.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			s, err := l.Accept()
			require.NoError(t, err)
			defer s.Close()
		}
	}
	for _, s := range []struct{ family, kind, protocol int }{
		{unix.AF_UNIX, unix.SOCK_STREAM, 0},
		{unix.AF_UNIX, unix.SOCK_DGRAM, 0},
		{unix.AF_INET6, unix.SOCK_DGRAM, 0},
		{unix.AF_NETLINK, unix.SOCK_RAW, 0},
		{unix.AF_INET, unix.SOCK_STREAM, 0},
		{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP},
	} {
		fd, err := unix.Socket(s.family, s.kind|unix.SOCK_CLOEXEC, s.protocol)
		if err == nil {
			defer unix.Close(fd)
		}
	}
	pipe, other, err := os.Pipe()
	require.NoError(t, err)
	defer pipe.Close()
	defer other.Close()

	// What the test's own process opens and closes meanwhile is in one of them only.
	var want, got []opened
	same := func() bool {
		want, got = byLinks(t), nil
		require.NoError(t, r.Descriptors(int32(os.Getpid()), func(fd int32, inode uint32, protocol string) {
			got = append(got, opened{fd, inode, protocol})
		}))
		require.True(t, slices.IsSortedFunc(got, func(a, b opened) int { return int(a.fd - b.fd) }))
		sockets := func(list []opened) []opened {
			return slices.DeleteFunc(slices.Clone(list), func(o opened) bool { return o.inode == 0 })
		}
		for _, o := range want {
			if o.inode == 0 && !slices.Contains(got, o) {
				return false
			}
		}
		bySocket := func(a, b opened) int { return int(a.fd - b.fd) }
		wantSockets := sockets(want)
		slices.SortFunc(wantSockets, bySocket)
		return slices.Equal(wantSockets, sockets(got))
	}
	require.Eventually(t, same, time.Minute, 10*time.Millisecond)
	require.Greater(t, len(got), 2800)
}

func TestAProcessThatIsNotThereHasNoDescriptors(t *testing.T) {
	r := openReader(t)
	_ = r.Descriptors(1<<22-1, func(int32, uint32, string) { require.Fail(t, "there is no such process") }) // an error or none
}

func TestASourceReadsThem(t *testing.T) {
	r := openReader(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	used := 0
	socketstats.ReadDescriptorsBy(func() (socketstats.DescriptorReader, error) { return counting{r, &used}, nil })
	defer socketstats.ReadDescriptorsBy(open)
	for range 1100 {
		f, err := os.Open(os.DevNull)
		require.NoError(t, err)
		defer f.Close()
	}
	var table socketstats.DescriptorTable
	table.Scan([]int32{int32(os.Getpid())})
	require.Equal(t, 1, used)
	kinds := table.Kinds([]int32{int32(os.Getpid())}, &socketstats.Rows{})
	require.GreaterOrEqual(t, kinds[socketstats.KindFile], 1100)
}

type counting struct {
	*reader
	calls *int
}

func (c counting) Descriptors(pid int32, visit func(int32, uint32, string)) error {
	*c.calls++
	return c.reader.Descriptors(pid, visit)
}
