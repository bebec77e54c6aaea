package bpf

import (
	"errors"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// placesArguments are those of bpf(2) for a link of many uprobes.
type placesArguments struct {
	program, _, attachKind, _ uint32 // target and flags
	path, offsets             unsafe.Pointer
	_, _                      unsafe.Pointer // counters of uses, cookies
	count, _                  uint32         // flags
	process, _                uint32
}

// NewProbes loads a program as [NewProbe] does, for [Object.AttachProbes].
func NewProbes(code []Instruction) (Object, error) {
	return newProgram(code, programArguments{kind: unix.BPF_PROG_TYPE_KPROBE, attachKind: unix.BPF_TRACE_UPROBE_MULTI})
}

// AttachProbes runs a program of [NewProbes] where a process gets to one of these offsets of
// an executable, in all of its threads, until what it returns is closed. See [ManyProbes].
func (o Object) AttachProbes(path string, offsets []uint64, pid int32) (Object, error) {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	return call(unix.BPF_LINK_CREATE, &placesArguments{
		program: uint32(o), attachKind: unix.BPF_TRACE_UPROBE_MULTI,
		path: unsafe.Pointer(name), offsets: unsafe.Pointer(unsafe.SliceData(offsets)), count: uint32(len(offsets)), process: uint32(pid),
	})
}

// ManyProbes reports whether the kernel attaches many probes at once: since 6.6 it does, and
// since 6.10 in all threads of a process, and not in its first alone
// (bpf_uprobe_multi_link_attach in kernel/trace/bpf_trace.c). It then ends them at once, too,
// where it waits for each of those that are events of perf, one after the other.
var ManyProbes = sync.OnceValue(func() bool {
	p, err := NewProbes([]Instruction{Set(R0, 0), Exit()})
	if err != nil {
		return false
	}
	defer p.Close()
	refused := func(pid int32, why unix.Errno) bool {
		link, err := p.AttachProbes("/", []uint64{0}, pid)
		if err == nil {
			_ = link.Close()
		}
		return errors.Is(err, why)
	}
	// A folder has no code, which a kernel without them does not come to; and only one that
	// knows processes minds that there is no process -1.
	return refused(0, unix.EBADF) && refused(-1, unix.EINVAL)
})
