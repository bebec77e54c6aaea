package tracepoint

import (
	"fmt"
	"math/bits"
	"os"

	"golang.org/x/sys/unix"

	"socketlab/internal/bpf"
)

// maps are shared by the two copies of the program and by Drain.
type maps struct {
	memory, buffer, lost, namespaces bpf.Object
	// wakeAt is the part of the buffer that wakes the reader, as a power of two in bytes.
	wakeAt int32
}

// wakeParts is how many times the reader is woken while the buffer fills, as a power of
// two: it has time for the rest of the buffer, and another chance where two processors
// write at the same moment and neither sees that it passes the bound.
const wakeParts = 3

// mostNamespaces is how many network namespaces one buffer is for.
const mostNamespaces = 4096

// The offsets of the fields in the storage of each socket, in bytes.
const (
	memorySince = 0  // nanoseconds: when it entered its state
	memoryPID   = 8  // the process that called connect(2)
	memoryState = 12 // its state; 0 if it is not known yet
	memorySize  = 16
)

// memoryTypes describes the storage, without which the kernel makes none. Its key is of
// type 1, and its value of type 4.
func memoryTypes() []byte {
	var t bpf.NewTypes
	t.Name("")
	t.Integer("int", 4, 1<<24)
	t.Integer("unsigned int", 4, 0)
	t.Integer("unsigned long long", 8, 0)
	t.Words = append(t.Words, t.Name("memory"), bpf.KindStruct<<24|3, memorySize,
		t.Name("since"), 3, memorySince*8,
		t.Name("pid"), 2, memoryPID*8,
		t.Name("state"), 2, memoryState*8)
	return t.Description()
}

// newMemory creates storage that the kernel attaches to each socket and frees with it. So
// it is never that of an earlier socket at the same address, and it does not depend
// on what the ring buffer had room for.
func newMemory() (bpf.Object, error) {
	types, err := bpf.LoadTypes(memoryTypes())
	if err != nil {
		return -1, fmt.Errorf("types of the storage: %w", err)
	}
	defer types.Close() // the map keeps them
	return bpf.NewMap("sockwatch_mem", bpf.Map{
		Kind: unix.BPF_MAP_TYPE_SK_STORAGE, Flags: unix.BPF_F_NO_PREALLOC, // which it must have
		KeySize: 4, ValueSize: memorySize, Types: types, KeyType: 1, ValueType: 4,
	})
}

// newMaps creates them all. The last listener's Close closes them.
func (s *shared) newMaps(buffer int) (m maps, err error) {
	if m.memory, err = s.keep(newMemory()); err != nil {
		return maps{}, err
	}
	if m.lost, err = s.keep(newCount("sockwatch_lost")); err != nil {
		return maps{}, err
	}
	if m.namespaces, err = s.keep(bpf.NewMap("sockwatch_netns", bpf.Map{
		Kind: unix.BPF_MAP_TYPE_HASH, Flags: unix.BPF_F_NO_PREALLOC, KeySize: 8, ValueSize: 8, MaxEntries: mostNamespaces,
	})); err != nil {
		return maps{}, err
	}
	size := ringSize(buffer)
	m.wakeAt = int32(bits.Len32(size)) - 1 - wakeParts
	m.buffer, err = s.keep(bpf.NewMap("sockwatch_ring", bpf.Map{Kind: unix.BPF_MAP_TYPE_RINGBUF, MaxEntries: size}))
	return m, err
}

// newCount creates an array of one count.
func newCount(name string) (bpf.Object, error) {
	return bpf.NewMap(name, bpf.Map{Kind: unix.BPF_MAP_TYPE_ARRAY, KeySize: 4, ValueSize: 8, MaxEntries: 1})
}

// keep leaves what was made for Close.
func (s *shared) keep(o bpf.Object, err error) (bpf.Object, error) {
	if err == nil {
		s.open = append(s.open, o)
	}
	return o, err
}

// ringSize rounds up to a size that the kernel accepts: a power of two, and at least
// a page.
func ringSize(buffer int) uint32 {
	size := max(buffer, os.Getpagesize())
	return 1 << bits.Len(uint(size-1))
}
