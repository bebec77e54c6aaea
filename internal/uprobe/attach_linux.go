package uprobe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"socketlab/internal/bpf"
)

// uprobeType is the number by which the kernel knows probes on programs.
func uprobeType() (uint32, error) {
	text, err := os.ReadFile("/sys/bus/event_source/devices/uprobe/type")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("this kernel has no uprobes: %w", errors.ErrUnsupported)
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	return uint32(n), err
}

// attachAll has the kernel run code where a process gets to one of these offsets of an
// executable, in all of its threads, until all that it returns is closed, also beside an error.
func attachAll(code []bpf.Instruction, path string, offsets []uint64, pid int32) ([]bpf.Object, error) {
	program, err := bpf.NewProbes(code)
	if err != nil {
		return nil, err
	}
	defer program.Close() // the probes keep it
	link, err := program.AttachProbes(path, offsets, pid)
	if err != nil {
		return nil, fmt.Errorf("probes at %#x: %w", offsets, err)
	}
	return []bpf.Object{link}, nil
}

// attachEach does the same on a kernel that has not got [bpf.ManyProbes].
func attachEach(code []bpf.Instruction, path string, offsets []uint64, pid int32) (probes []bpf.Object, err error) {
	kind, err := uprobeType()
	if err != nil {
		return nil, err
	}
	program, err := bpf.NewProbe(code)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	for _, offset := range offsets {
		event, err := attachEvent(kind, program, path, offset, pid)
		if err != nil {
			return probes, fmt.Errorf("probe at %#x: %w", offset, err)
		}
		probes = append(probes, event)
	}
	return probes, nil
}

// attachEvent runs a program at one place, as an event of perf.
func attachEvent(kind uint32, program bpf.Object, path string, offset uint64, pid int32) (bpf.Object, error) {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	a := unix.PerfEventAttr{
		Type: kind, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Ext1: uint64(uintptr(unsafe.Pointer(name))), Ext2: offset,
	}
	fd, err := unix.PerfEventOpen(&a, int(pid), -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, err
	}
	event := bpf.Object(fd)
	err = unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, int(program))
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0)
	}
	if err != nil {
		return -1, errors.Join(err, event.Close())
	}
	return event, nil
}
