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

// attach has the kernel run a program where a process gets to a place of an executable,
// in all of its threads, until what it returns is closed.
func attach(kind uint32, program bpf.Object, path string, offset uint64, pid int32) (bpf.Object, error) {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	a := unix.PerfEventAttr{
		Type: kind, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Ext1: uint64(uintptr(unsafe.Pointer(name))), Ext2: offset,
	}
	fd, err := unix.PerfEventOpen(&a, int(pid), -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("probe at %#x: %w", offset, err)
	}
	event := bpf.Object(fd)
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, int(program)); err != nil {
		return -1, errors.Join(fmt.Errorf("probe at %#x: %w", offset, err), event.Close())
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		return -1, errors.Join(fmt.Errorf("probe at %#x: %w", offset, err), event.Close())
	}
	return event, nil
}
