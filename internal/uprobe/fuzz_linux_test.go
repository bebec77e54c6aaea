package uprobe

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/callsite"
	"socketlab/internal/where"
)

// Where a small program's memory is: its variables and types, and then its heap, in which
// is an idle connection of net/http that was opened before anybody looked.
const (
	imageAt    = 1 << 16
	heapAt     = imageAt + 0x200
	connAt     = heapAt + 0x200
	mostMemory = 4096
)

// smallMemory is that of such a program; code are addresses in readLoop and in what it calls.
func smallMemory(l layout, readLoop, peek uint64) []byte {
	const (
		list, g, stack, reader, tcp, netFD = heapAt, heapAt + 0x20, heapAt + 0x100, connAt + 0x140, connAt + 0x180, connAt + 0x190
		table, pointer, elem               = imageAt + 0x40, imageAt + 0x60, imageAt + 0xc0
	)
	data := make([]byte, 0x640)
	for at, word := range map[int]uint64{
		imageAt: list, imageAt + 8: 2, imageAt + 16: 2, // runtime.allgs
		list: g, list + 8: g,
		g: stack, g + stackTop: stack + 0x100, g + savedStack: stack, g + savedOwner: g, g + l.status: 4, g + l.savedFrame: stack,
		stack: stack + 0x20, stack + 8: peek, stack + 0x28: readLoop, stack + 0x30: connAt,
		connAt + l.br: reader, reader + bufferSource: connAt, connAt + l.connOf: table, connAt + l.connOf + dataWord: tcp,
		table + 8: pointer, pointer: 8, pointer + 16: 22 << 56, pointer + 48: elem, elem: 8,
		tcp: netFD, netFD + 8*fdSysfd: 5, netFD + 8*fdFamily: 2, netFD + 8*fdType: 1, netFD + 8*fdNetLength: 3, netFD + 8*fdRemote: tcp,
	} {
		binary.NativeEndian.PutUint64(data[at-imageAt:], word)
	}
	return data
}

// inMemory is a Prober of a process that has nothing but such a memory. Its code is this
// program's.
func inMemory(t testing.TB) (*Prober, func(t *testing.T, data []byte)) {
	t.Helper()
	b, err := callsite.Open("/proc/self/exe")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	file, err := os.Create(filepath.Join(t.TempDir(), "memory"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, file.Close()) })
	p := &Prober{binary: b, layout: layoutOf(b.Go), memory: addressSpace{file, imageAt, heapAt}}
	p.points = p.layout.points()
	variables, size := b.Variables()[0], uint64(0)
	for _, v := range b.Variables() {
		size = max(size, v.To-variables.From)
	}
	require.NoError(t, file.Truncate(imageAt+int64(size)+mostMemory))
	p.bias = imageAt - variables.From
	found := b.Functions("runtime.main", "runtime.gopark")
	p.readLoop, p.peek = b.Entry(found["runtime.main"].Entry), b.Entry(found["runtime.gopark"].Entry)
	return p, func(t *testing.T, data []byte) {
		t.Helper()
		_, err := file.WriteAt(append(data, make([]byte, mostMemory-len(data))...), imageAt)
		require.NoError(t, err)
		p.objects, p.searches, p.unresolved, p.allgs = map[uint64]*holding{}, 0, 0, 0
	}
}

func TestAConnectionFromBeforeIsFoundInASmallMemory(t *testing.T) {
	t.Parallel()
	p, has := inMemory(t)
	has(t, smallMemory(p.layout, p.readLoop+p.bias+1, p.peek+p.bias+1))
	p.findBefore(map[uint32]bool{7: true}, map[int]uint32{5: 7})
	require.Equal(t, uint64(imageAt), p.allgs)
	require.Contains(t, p.objects, uint64(connAt))
	require.Equal(t, uint32(7), p.objects[connAt].inode)
	require.Equal(t, where.Idle, p.state(connAt, p.objects[connAt]))
}

func TestAStackThatSaysItHasNoEndIsReadInPart(t *testing.T) {
	t.Parallel()
	p, has := inMemory(t)
	data := smallMemory(p.layout, p.readLoop+p.bias+1, p.peek+p.bias+1)
	binary.NativeEndian.PutUint64(data[heapAt+0x20+stackTop-imageAt:], 1<<64-1)
	has(t, data)
	p.findBefore(map[uint32]bool{7: true}, map[int]uint32{5: 7})
	require.Contains(t, p.objects, uint64(connAt))
}

// A connection that was closed between the list of the descriptors and the uses may have left all that
// it had to another one: its memory, and the number of its descriptor.
func TestAConnectionInTheMemoryAndWithTheNumberOfAnotherIsFound(t *testing.T) {
	t.Parallel()
	p, has := inMemory(t)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Close(fd)) })
	data := smallMemory(p.layout, p.readLoop+p.bias+1, p.peek+p.bias+1)
	binary.NativeEndian.PutUint64(data[connAt+0x190+8*fdSysfd-imageAt:], uint64(fd))
	has(t, data)
	p.pid = int32(os.Getpid())
	used := func(at uint64) use {
		u := use{at: at, point: slices.IndexFunc(p.points, func(of point) bool { return of.kind == persistConn })}
		for i, offset := range p.points[u.point].words {
			u.words[i] = p.memory.word(connAt + uint64(offset))
		}
		return u
	}
	inode := func() uint32 { return socketInode(p.descriptorsFolder() + strconv.Itoa(fd)) }
	closed := inode()
	p.see(connAt, used(1), map[int]uint32{fd: closed})
	require.Equal(t, closed, p.objects[connAt].inode)

	other, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	require.NoError(t, unix.Dup3(other, fd, unix.O_CLOEXEC)) // no number is free meanwhile, for another test
	require.NoError(t, unix.Close(other))
	require.NotEqual(t, closed, inode())
	p.see(connAt, used(2), map[int]uint32{fd: closed})
	require.Equal(t, inode(), p.objects[connAt].inode)
	p.see(connAt, used(2), map[int]uint32{fd: inode()})
	require.Equal(t, inode(), p.objects[connAt].inode)
}

// Whatever a program has in its memory, looking at it ends, and only its sockets are found.
func FuzzMemory(f *testing.F) {
	p, has := inMemory(f)
	small := smallMemory(p.layout, p.readLoop+p.bias+1, p.peek+p.bias+1)
	f.Add(small, uint64(connAt), uint64(imageAt))
	f.Add(small, uint64(connAt+0x180), uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, key, allgs uint64) {
		if len(data) > mostMemory {
			t.Skip("there is no more memory")
		}
		begin := time.Now()
		has(t, data)
		p.allgs = allgs // 0 is looked for
		inodes := map[int]uint32{5: 7}
		p.findBefore(map[uint32]bool{7: true}, inodes)
		for at, h := range p.objects {
			require.Equal(t, uint32(7), h.inode)
			p.state(at, h)
		}
		for i := range p.points {
			u := use{point: i, at: uint64(i)}
			for j, offset := range p.points[i].words {
				u.words[j] = p.memory.word(key + uint64(offset))
			}
			p.see(key, u, inodes)
			h := p.objects[key]
			p.pool(key, h)
			state := p.state(key, h)
			p.noteReads(key, h, state, 1)
			p.waits(key, h)
			p.gaveAway(key, h)
			h.inode = 0
		}
		require.Less(t, time.Since(begin), time.Minute)
	})
}
