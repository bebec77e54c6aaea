package tracepoint

import (
	"fmt"
	"math/bits"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// maps are shared by the two copies of the program and by Drain.
type maps struct{ memory, ring, lost *ebpf.Map }

// The offsets of the fields in the storage of each socket, in bytes.
const (
	memorySince = 0  // nanoseconds: when it entered its state
	memoryPID   = 8  // the process that called connect(2)
	memoryState = 12 // its state; 0 if it is not known yet
	memorySize  = 16
)

// memorySpec is storage that the kernel attaches to each socket and frees with it. So
// it is never that of an earlier socket at the same address, and it does not depend
// on what the ring buffer had room for.
func memorySpec() *ebpf.MapSpec {
	const noPrealloc = 1 // BPF_F_NO_PREALLOC, which socket storage must have
	long, short := &btf.Int{Name: "unsigned long long", Size: 8}, &btf.Int{Name: "unsigned int", Size: 4}
	return &ebpf.MapSpec{
		Name: "sockwatch_mem", Type: ebpf.SkStorage, Flags: noPrealloc,
		KeySize: 4, Key: &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed},
		ValueSize: memorySize, Value: &btf.Struct{Name: "memory", Size: memorySize, Members: []btf.Member{
			{Name: "since", Type: long, Offset: memorySince * 8},
			{Name: "pid", Type: short, Offset: memoryPID * 8},
			{Name: "state", Type: short, Offset: memoryState * 8},
		}},
	}
}

// newMaps creates all three. Close of the listener closes them.
func (l *Listener) newMaps(buffer int) (m maps, err error) {
	if m.memory, err = l.newMap(memorySpec()); err != nil {
		return maps{}, err
	}
	if m.lost, err = l.newMap(&ebpf.MapSpec{
		Name: "sockwatch_lost", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1,
	}); err != nil {
		return maps{}, err
	}
	m.ring, err = l.newMap(&ebpf.MapSpec{
		Name: "sockwatch_ring", Type: ebpf.RingBuf, MaxEntries: ringSize(buffer),
	})
	return m, err
}

func (l *Listener) newMap(spec *ebpf.MapSpec) (*ebpf.Map, error) {
	m, err := ebpf.NewMap(spec)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", spec.Name, err)
	}
	l.open = append(l.open, m)
	return m, nil
}

// ringSize rounds up to a size that the kernel accepts: a power of two, and at least
// a page.
func ringSize(buffer int) uint32 {
	size := max(buffer, os.Getpagesize())
	return 1 << bits.Len(uint(size-1))
}
