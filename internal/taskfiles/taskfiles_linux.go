package taskfiles

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"sync"

	"socketlab/internal/bpf"
	"socketlab/internal/socketstats"
)

func init() { socketstats.ReadDescriptorsBy(open) }

// reader is the program, which stays loaded as long as the process runs. It is safe for
// use by several goroutines.
type reader struct {
	program bpf.Object

	mu    sync.Mutex // guards what follows
	text  []byte
	names map[string]string
}

// The program writes a record for each descriptor, in the machine's byte order.
const (
	recordFD    = 0
	recordInode = 4 // 0 if it is no socket
	recordName  = 8 // of the protocol
	nameSize    = 16
	recordSize  = recordName + nameSize
)

// open loads the program. The error says why it cannot: privilege is missing, the kernel
// is too old, or ids of processes are not those of the kernel here.
func open() (socketstats.DescriptorReader, error) {
	if bits.UintSize != 64 {
		return nil, errors.ErrUnsupported
	}
	// The first namespace of processes has this inode (PROC_PID_INIT_INO in
	// include/linux/proc_ns.h), and /proc may be that of another one.
	if ns, err := os.Readlink("/proc/self/ns/pid"); err != nil || ns != "pid:[4026531836]" {
		return nil, fmt.Errorf("namespace of processes %q: %w", ns, errors.ErrUnsupported)
	}
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		return nil, fmt.Errorf("/proc of process %q: %w", self, errors.ErrUnsupported)
	}
	types, err := bpf.KernelTypes()
	if err != nil {
		return nil, err
	}
	defer types.Close()
	iterator, err := types.Find(bpf.KindFunction, "bpf_iter_task_file")
	if err != nil {
		return nil, err
	}
	code, err := program(types)
	if err != nil {
		return nil, err
	}
	r := &reader{names: map[string]string{}}
	r.program, err = bpf.NewIterator(code, iterator)
	return r, err
}

// program writes a record for each descriptor of a process's main thread, whose
// descriptors are those in /proc/PID/fd.
func program(types *bpf.Types) ([]bpf.Instruction, error) {
	var err error
	at := func(name string, path ...string) int16 {
		offset, missing := types.Offset(name, path...)
		err = errors.Join(err, missing)
		return offset
	}
	const context = "bpf_iter__task_file"
	code := []bpf.Instruction{
		bpf.Move(bpf.R6, bpf.R1),
		bpf.Load(bpf.R7, bpf.R6, at(context, "file"), bpf.Dword),
		bpf.JumpIf(bpf.R7, 0, "out"), // after the last one
		bpf.Load(bpf.R8, bpf.R6, at(context, "task"), bpf.Dword),
		bpf.JumpIf(bpf.R8, 0, "out"),
		bpf.Load(bpf.R1, bpf.R8, at("task_struct", "pid"), bpf.Word),
		bpf.Load(bpf.R2, bpf.R8, at("task_struct", "tgid"), bpf.Word),
		bpf.JumpIfSame(bpf.R1, bpf.R2, "main thread"),
		bpf.Jump("out"),
		bpf.Set(bpf.R1, 0).Named("main thread"),
		bpf.Store(bpf.RFP, recordName-recordSize, bpf.R1, bpf.Dword),
		bpf.Store(bpf.RFP, recordName+8-recordSize, bpf.R1, bpf.Dword),
		bpf.Store(bpf.RFP, recordInode-recordSize, bpf.R1, bpf.Word),
		bpf.Load(bpf.R1, bpf.R6, at(context, "fd"), bpf.Word),
		bpf.Store(bpf.RFP, recordFD-recordSize, bpf.R1, bpf.Word),
		bpf.Move(bpf.R1, bpf.R7),
		bpf.Call(bpf.SockFromFile),
		bpf.JumpIf(bpf.R0, 0, "write"),
		bpf.Load(bpf.R1, bpf.R7, at("file", "f_inode"), bpf.Dword),
		bpf.Load(bpf.R1, bpf.R1, at("inode", "i_ino"), bpf.Dword),
		bpf.Store(bpf.RFP, recordInode-recordSize, bpf.R1, bpf.Word),
		// The name is also that of what getxattr(2) gives (sockfs_xattr_get in net/socket.c).
		bpf.Load(bpf.R3, bpf.R7, at("file", "f_path", "dentry"), bpf.Dword),
		bpf.Load(bpf.R3, bpf.R3, at("dentry", "d_name", "name"), bpf.Dword),
		bpf.Move(bpf.R1, bpf.RFP),
		bpf.Add(bpf.R1, recordName-recordSize),
		bpf.Set(bpf.R2, nameSize),
		bpf.Call(bpf.ProbeReadKernel),
		bpf.Load(bpf.R1, bpf.R6, at(context, "meta"), bpf.Dword).Named("write"),
		bpf.Load(bpf.R1, bpf.R1, at("bpf_iter_meta", "seq"), bpf.Dword),
		bpf.Move(bpf.R2, bpf.RFP),
		bpf.Add(bpf.R2, -recordSize),
		bpf.Set(bpf.R3, recordSize),
		bpf.Call(bpf.SeqWrite),
		bpf.Set(bpf.R0, 0).Named("out"),
		bpf.Exit(),
	}
	return code, err
}

// Descriptors implements [socketstats.DescriptorReader].
func (r *reader) Descriptors(pid int32, visit func(fd int32, inode uint32, protocol string)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	if r.text, err = r.program.Iterate(pid, r.text[:0]); err != nil {
		return err
	}
	if len(r.text)%recordSize != 0 {
		return fmt.Errorf("descriptors of process %d: %d bytes are no records", pid, len(r.text))
	}
	for rest := r.text; len(rest) > 0; rest = rest[recordSize:] {
		visit(int32(binary.NativeEndian.Uint32(rest[recordFD:])), binary.NativeEndian.Uint32(rest[recordInode:]),
			r.name(rest[recordName:recordSize]))
	}
	return nil
}

// name is the same string for the same name, as there are few. What follows the zero that
// ends it is no part of it.
func (r *reader) name(padded []byte) string {
	if end := bytes.IndexByte(padded, 0); end >= 0 {
		padded = padded[:end]
	}
	name, known := r.names[string(padded)]
	if !known {
		name = string(padded)
		r.names[name] = name
	}
	return name
}
