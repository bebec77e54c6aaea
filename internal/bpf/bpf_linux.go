package bpf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

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
	linkArguments struct {
		program, _, attachKind, _ uint32 // target and flags
		about                     unsafe.Pointer
		size, _                   uint32
	}
)

// call calls bpf(2). A descriptor that it returns is closed on exec.
func call[A any](command int, arguments *A) (Object, error) {
	// A signal interrupts the verifier, and Go's scheduler sends signals.
	const tries = 30
	for try := 1; ; try++ {
		fd, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(command), uintptr(unsafe.Pointer(arguments)), unsafe.Sizeof(*arguments))
		switch {
		case errno == 0:
			return Object(fd), nil
		case errno != unix.EAGAIN || try == tries:
			return -1, errno
		}
	}
}

// Object is the descriptor of a map, a program or an attachment that bpf(2) made. Who
// made it closes it.
type Object int

// Close closes the descriptor. The kernel keeps the object as long as another one, such
// as a program that uses a map, needs it.
func (o Object) Close() error { return unix.Close(int(o)) }

func objectName(name string) (n [16]byte) {
	copy(n[:len(n)-1], name)
	return n
}

// Map says what a map is to be. Kind is one of unix.BPF_MAP_TYPE_*, sizes are in bytes,
// and Types are what [LoadTypes] returned, with the numbers of the types of key and
// value; 0 where the kind needs none.
type Map struct {
	Kind, KeySize, ValueSize, MaxEntries, Flags uint32
	Types                                       Object
	KeyType, ValueType                          uint32
}

// NewMap creates a map. The error Is [errors.ErrUnsupported] if the kernel has not got
// maps of that kind.
func NewMap(name string, m Map) (Object, error) {
	o, err := call(unix.BPF_MAP_CREATE, &mapArguments{
		kind: m.Kind, keySize: m.KeySize, valueSize: m.ValueSize, maxEntries: m.MaxEntries, flags: m.Flags,
		name: objectName(name), types: uint32(m.Types), keyType: m.KeyType, valueType: m.ValueType,
	})
	if errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("%w: this kernel has not got maps of kind %d: %w", errors.ErrUnsupported, m.Kind, err)
	}
	if err != nil {
		return -1, fmt.Errorf("map %s: %w", name, err)
	}
	return o, nil
}

// LoadTypes gives the kernel a description of types (BTF).
func LoadTypes(description []byte) (Object, error) {
	return call(unix.BPF_BTF_LOAD, &typesArguments{types: unsafe.Pointer(&description[0]), size: uint32(len(description))})
}

// CountRunTimes has the kernel count how long programs run, until what it returns is
// closed.
func CountRunTimes() (Object, error) {
	return call(unix.BPF_ENABLE_STATS, &struct{ kind uint32 }{unix.BPF_STATS_RUN_TIME})
}

// Count reads the value of an array of one.
func (o Object) Count() (n uint64, err error) {
	var first uint32
	_, err = call(unix.BPF_MAP_LOOKUP_ELEM, &lookupArguments{
		fd: uint32(o), key: unsafe.Pointer(&first), value: unsafe.Pointer(&n),
	})
	return n, err
}

// Lookup reads the value of a key of 8 bytes into value, which must be as large as the
// map's. The error Is [unix.ENOENT] if there is none.
func (o Object) Lookup(key uint64, value []byte) error {
	_, err := call(unix.BPF_MAP_LOOKUP_ELEM, &lookupArguments{
		fd: uint32(o), key: unsafe.Pointer(&key), value: unsafe.Pointer(&value[0]),
	})
	return err
}

// Set sets the value of a key of 8 bytes, which must be as large as the map's.
func (o Object) Set(key uint64, value []byte) error {
	_, err := call(unix.BPF_MAP_UPDATE_ELEM, &lookupArguments{
		fd: uint32(o), key: unsafe.Pointer(&key), value: unsafe.Pointer(&value[0]),
	})
	return err
}

// Keys are the keys of a map whose keys have 8 bytes. Those that come and go meanwhile
// may be missing.
func (o Object) Keys() (keys []uint64, err error) {
	var key, next uint64
	a := lookupArguments{fd: uint32(o), value: unsafe.Pointer(&next)}
	for {
		switch _, err := call(unix.BPF_MAP_GET_NEXT_KEY, &a); {
		case errors.Is(err, unix.ENOENT):
			return keys, nil
		case err != nil:
			return keys, err
		}
		keys = append(keys, next)
		key = next
		a.key = unsafe.Pointer(&key)
	}
}

// Delete removes a key of 8 bytes; one that is not there is no error.
func (o Object) Delete(key uint64) error {
	_, err := call(unix.BPF_MAP_DELETE_ELEM, &lookupArguments{fd: uint32(o), key: unsafe.Pointer(&key)})
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// RefusedError is the verifier's: a fault of the program.
type RefusedError struct {
	Cause error
	Log   string
}

func (e *RefusedError) Error() string { return fmt.Sprintf("program refused: %v: %s", e.Cause, e.Log) }
func (e *RefusedError) Unwrap() error { return e.Cause }

// NewTracing loads a program for the raw tracepoint whose arguments are of this type of
// the kernel's, so that the verifier refuses to read outside of them.
func NewTracing(code []Instruction, tracepoint uint32) (Object, error) {
	return newProgram(code, programArguments{
		kind: unix.BPF_PROG_TYPE_TRACING, attachKind: unix.BPF_TRACE_RAW_TP, attachType: tracepoint,
	})
}

// NewProbe loads a program for kprobes and uprobes, which gets the registers of the
// processor as its argument (struct pt_regs).
func NewProbe(code []Instruction) (Object, error) {
	return newProgram(code, programArguments{kind: unix.BPF_PROG_TYPE_KPROBE})
}

// NewIterator loads a program for the iterator whose function is of this type of the
// kernel's (KindFunction).
func NewIterator(code []Instruction, iterator uint32) (Object, error) {
	return newProgram(code, programArguments{
		kind: unix.BPF_PROG_TYPE_TRACING, attachKind: unix.BPF_TRACE_ITER, attachType: iterator,
	})
}

// Iterate runs a program of [NewIterator] for what one process has, and appends to into
// what it writes. Linux has this from 6.1 on.
func (o Object) Iterate(pid int32, into []byte) ([]byte, error) {
	about := struct{ thread, process, pidfd uint32 }{process: uint32(pid)}
	link, err := call(unix.BPF_LINK_CREATE, &linkArguments{
		program: uint32(o), attachKind: unix.BPF_TRACE_ITER, about: unsafe.Pointer(&about), size: uint32(unsafe.Sizeof(about)),
	})
	if err != nil {
		return into, err
	}
	defer link.Close()
	iterator, err := call(unix.BPF_ITER_CREATE, &struct{ link, flags uint32 }{link: uint32(link)})
	if err != nil {
		return into, err
	}
	defer iterator.Close()
	const room = 32 << 10 // about what the kernel gives in one read
	for {
		into = slices.Grow(into, room)
		n, err := unix.Read(int(iterator), into[len(into):cap(into)])
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		case err != nil:
			return into, err
		case n == 0:
			return into, nil
		default:
			into = into[:len(into)+n]
		}
	}
}

func newProgram(code []Instruction, a programArguments) (Object, error) {
	encoded, err := assemble(code)
	if err != nil {
		return -1, err
	}
	// Only a GPL program may read the kernel's structs (check_ptr_to_btf_access in
	// kernel/bpf/verifier.c).
	license := append([]byte("Dual MIT/GPL"), 0)
	a.code, a.instructions = unsafe.Pointer(&encoded[0]), uint32(len(encoded)/8)
	a.license, a.name = unsafe.Pointer(&license[0]), objectName("sockwatch")
	p, err := call(unix.BPF_PROG_LOAD, &a)
	if err == nil {
		return p, nil
	}
	// Again, to learn why. If nothing is logged, it was not the verifier that refused.
	log := make([]byte, 1<<16)
	a.log, a.logSize, a.logLevel = unsafe.Pointer(&log[0]), uint32(len(log)), 1
	if p, err := call(unix.BPF_PROG_LOAD, &a); err == nil {
		return p, nil
	}
	text, _, _ := bytes.Cut(log, []byte{0})
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); lines[0] != "" {
		err = &RefusedError{err, strings.Join(lines[max(0, len(lines)-3):], "; ")}
	}
	return -1, err
}

// AttachTracing runs a program of [NewTracing] at its tracepoint until what it returns is
// closed.
func (o Object) AttachTracing() (Object, error) {
	return call(unix.BPF_RAW_TRACEPOINT_OPEN, &attachArguments{program: uint32(o)})
}

// Ring is the reader's end of a ring buffer (kernel/bpf/ringbuf.c). It is for one
// goroutine.
type Ring struct {
	// The positions only grow. The reader writes the first, the kernel the second.
	consumed, produced *uint64
	size               uint64
	records            []byte   // the buffer, and its first page again: each record is in one piece
	mapped             [][]byte // what Close unmaps
}

// RingHeader is the size of the ring buffer's header of each record
// (kernel/bpf/ringbuf.c, struct bpf_ringbuf_hdr).
const RingHeader = 8

// NewRing maps a ring buffer of so many bytes, which must be the size of the map. A record
// may be as long as a page.
func NewRing(o Object, size int) (*Ring, error) {
	page := os.Getpagesize()
	r := &Ring{size: uint64(size)}
	for _, part := range []struct{ offset, size, access int }{
		{0, page, unix.PROT_READ | unix.PROT_WRITE},
		// The kernel offers the whole buffer twice. Every page that is mapped counts as memory
		// of this process.
		{page, page + size + page, unix.PROT_READ},
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

// Drain hands over the records that are there now, which are f's until it returns. It
// ends with f's error, and at a record that the kernel is still writing.
func (r *Ring) Drain(f func(record []byte) error) error {
	end := atomic.LoadUint64(r.produced)
	for at := *r.consumed; at < end; {
		record := r.records[at&(r.size-1):]
		length := atomic.LoadUint32((*uint32)(unsafe.Pointer(&record[0])))
		if length&unix.BPF_RINGBUF_BUSY_BIT != 0 {
			return nil
		}
		if err := f(record[RingHeader : RingHeader+length]); err != nil {
			return err
		}
		at += uint64(RingHeader+length+7) &^ 7
		atomic.StoreUint64(r.consumed, at)
	}
	return nil
}

// Waiting returns how many bytes there are to drain. It may be called by any goroutine
// until Close.
func (r *Ring) Waiting() uint64 { return atomic.LoadUint64(r.produced) - atomic.LoadUint64(r.consumed) }

// Close unmaps the buffer.
func (r *Ring) Close() error {
	var errs []error
	for _, m := range r.mapped {
		errs = append(errs, unix.Munmap(m))
	}
	return errors.Join(errs...)
}
