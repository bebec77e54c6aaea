package tracepoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is here and in the files for types and instructions is what one program needs. A
// library for all of BPF (github.com/cilium/ebpf) makes sockwatch 1 MB larger, and Open
// ten times slower, because it decodes all of the kernel's types.

// The arguments of bpf(2), as far as they are used: union bpf_attr in
// include/uapi/linux/bpf.h. Pointers are of 64 bits there, as they are on the machines
// that this package supports.
type (
	mapArguments struct {
		kind, keySize, valueSize, maxEntries, flags uint32
		_, _                                        uint32 // inner map, NUMA node
		name                                        [16]byte
		_, types, keyType, valueType                uint32
	}
	lookupArguments struct {
		fd, _ uint32
		key   unsafe.Pointer
		value unsafe.Pointer
		_     uint64
	}
	programArguments struct {
		kind, instructions uint32
		code, license      unsafe.Pointer
		logLevel, logSize  uint32
		log                unsafe.Pointer
		_, _               uint32 // kernel version, flags
		name               [16]byte
		_, attachKind      uint32
		_, _               uint32 // from here on, what is known of its functions and lines
		_                  uint64
		_, _               uint32
		_                  uint64
		_, attachType      uint32
	}
	typesArguments struct {
		types, _   unsafe.Pointer // and its log
		size, _, _ uint32         // and the log's size and level
	}
	attachArguments struct {
		_       unsafe.Pointer // name
		program uint32
		_       uint32
	}
)

// bpf calls bpf(2). A descriptor that it returns is closed on exec.
func bpf[A any](command int, arguments *A) (object, error) {
	// A signal interrupts the verifier, and Go's scheduler sends signals.
	const tries = 30
	for try := 1; ; try++ {
		fd, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(command), uintptr(unsafe.Pointer(arguments)), unsafe.Sizeof(*arguments))
		switch {
		case errno == 0:
			return object(fd), nil
		case errno != unix.EAGAIN || try == tries:
			return -1, errno
		}
	}
}

// object is what bpf(2) made: a map, a program, or what attaches one.
type object int

func (o object) Close() error { return unix.Close(int(o)) }

func objectName(name string) (n [16]byte) {
	copy(n[:len(n)-1], name)
	return n
}

// newMap creates a map. The error Is [errors.ErrUnsupported] if the kernel has not got
// maps of that kind.
func newMap(name string, a mapArguments) (object, error) {
	a.name = objectName(name)
	m, err := bpf(unix.BPF_MAP_CREATE, &a)
	if errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("%w: this kernel has not got maps of kind %d: %w", errors.ErrUnsupported, a.kind, err)
	}
	if err != nil {
		return -1, fmt.Errorf("map %s: %w", name, err)
	}
	return m, nil
}

// lookup reads the value of an array of one.
func (o object) lookup(value *uint64) error {
	var first uint32
	_, err := bpf(unix.BPF_MAP_LOOKUP_ELEM, &lookupArguments{
		fd: uint32(o), key: unsafe.Pointer(&first), value: unsafe.Pointer(value),
	})
	return err
}

// refusedError is the verifier's: a fault of the program.
type refusedError struct {
	cause error
	log   string
}

func (e *refusedError) Error() string { return fmt.Sprintf("program refused: %v: %s", e.cause, e.log) }
func (e *refusedError) Unwrap() error { return e.cause }

// newProgram loads a program for the raw tracepoint whose arguments are of this type of
// the kernel's, so that the verifier refuses to read outside of them.
func newProgram(code []instruction, tracepoint uint32) (object, error) {
	encoded, err := assemble(code)
	if err != nil {
		return -1, err
	}
	// Only a GPL program may read the kernel's structs (check_ptr_to_btf_access in
	// kernel/bpf/verifier.c).
	license := append([]byte("Dual MIT/GPL"), 0)
	a := programArguments{
		kind: unix.BPF_PROG_TYPE_TRACING, attachKind: unix.BPF_TRACE_RAW_TP, attachType: tracepoint,
		code: unsafe.Pointer(&encoded[0]), instructions: uint32(len(encoded) / 8),
		license: unsafe.Pointer(&license[0]), name: objectName("sockwatch"),
	}
	p, err := bpf(unix.BPF_PROG_LOAD, &a)
	if err == nil {
		return p, nil
	}
	// Again, to learn why. If nothing is logged, it was not the verifier that refused.
	log := make([]byte, 1<<16)
	a.log, a.logSize, a.logLevel = unsafe.Pointer(&log[0]), uint32(len(log)), 1
	if p, err := bpf(unix.BPF_PROG_LOAD, &a); err == nil {
		return p, nil
	}
	text, _, _ := bytes.Cut(log, []byte{0})
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); lines[0] != "" {
		err = &refusedError{err, strings.Join(lines[max(0, len(lines)-3):], "; ")}
	}
	return -1, err
}

// attach runs a program at its tracepoint until what it returns is closed.
func (o object) attach() (object, error) {
	return bpf(unix.BPF_RAW_TRACEPOINT_OPEN, &attachArguments{program: uint32(o)})
}

// ring is the reader's end of a ring buffer (kernel/bpf/ringbuf.c). It is for one
// goroutine.
type ring struct {
	// The positions only grow. The reader writes the first, the kernel the second.
	consumed, produced *uint64
	records            []byte   // the buffer twice, so that each record is in one piece
	mapped             [][]byte // what Close unmaps
}

// newRing maps a ring buffer of so many bytes, which must be the size of the map.
func newRing(o object, size int) (*ring, error) {
	page := os.Getpagesize()
	r := &ring{}
	for _, part := range []struct{ offset, size, access int }{
		{0, page, unix.PROT_READ | unix.PROT_WRITE},
		{page, page + 2*size, unix.PROT_READ},
	} {
		m, err := unix.Mmap(int(o), int64(part.offset), part.size, part.access, unix.MAP_SHARED)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("map the ring buffer: %w", err), r.Close())
		}
		r.mapped = append(r.mapped, m)
	}
	r.consumed, r.produced = (*uint64)(unsafe.Pointer(&r.mapped[0][0])), (*uint64)(unsafe.Pointer(&r.mapped[1][0]))
	r.records = r.mapped[1][page:]
	return r, nil
}

// drain hands over the records that are there now, which are f's until it returns. It
// ends with f's error, and at a record that the kernel is still writing.
func (r *ring) drain(f func(record []byte) error) error {
	end := atomic.LoadUint64(r.produced)
	for at := *r.consumed; at < end; {
		record := r.records[at&uint64(len(r.records)/2-1):]
		length := atomic.LoadUint32((*uint32)(unsafe.Pointer(&record[0])))
		if length&unix.BPF_RINGBUF_BUSY_BIT != 0 {
			return nil
		}
		if err := f(record[ringHeader : ringHeader+length]); err != nil {
			return err
		}
		at += uint64(ringHeader+length+7) &^ 7
		atomic.StoreUint64(r.consumed, at)
	}
	return nil
}

// Close unmaps the buffer.
func (r *ring) Close() error {
	var errs []error
	for _, m := range r.mapped {
		errs = append(errs, unix.Munmap(m))
	}
	return errors.Join(errs...)
}
