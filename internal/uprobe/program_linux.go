package uprobe

import (
	"encoding/binary"
	"runtime"

	"golang.org/x/sys/unix"

	"socketlab/internal/bpf"
)

// What is kept of an object's last use: the offsets of its parts, in bytes.
const (
	useSequence = 0 // odd while it is written
	useAt       = 8 // nanoseconds, by CLOCK_MONOTONIC
	useCount    = 16
	usePoint    = 24 // 32 bits: the index of the point
	useFrames   = 28 // 32 bits: the bytes of the stack; negative if it could not be read
	useWords    = 32 // up to three words of the object
	useOwner    = 56
	useRoutine  = 64 // the address of the goroutine
	useCaller   = 72 // the word at the stack pointer
	useStack    = 80
	useSize     = useStack + 8*mostFrames

	// mostFrames is as many as the kernel walks, unless kernel.perf_event_max_stack is changed. A
	// request of a client with a chain of middleware, as that of AWS, is below some 80.
	mostFrames  = 127
	mostWords   = 3
	mostObjects = 1 << 16
)

// bpfUserStack asks for the stack of the program and not of the kernel: BPF_F_USER_STACK
// in include/uapi/linux/bpf.h.
const bpfUserStack = 1 << 8

// registers are the offsets in the processor's registers of those that Go passes its
// arguments and results in (cmd/compile/abi-internal.md), of the one that has the
// goroutine, and of the stack pointer: struct pt_regs, and of arm64 struct user_pt_regs.
var registers, goroutine, stackPointer = func() ([]int16, int16, int16) {
	if runtime.GOARCH == "arm64" {
		return []int16{0, 8, 16, 24, 32, 40, 48, 56, 64}, 28 * 8, 31 * 8
	}
	return []int16{80, 40, 88, 112, 104, 72, 64, 56, 48}, 8, 152 // R14, RSP; AX BX CX DI SI R8 R9 R10 R11
}()

// newUses creates the map from an object's address to its last use.
func newUses() (bpf.Object, error) {
	return bpf.NewMap("sockwatch_uses", bpf.Map{
		Kind: unix.BPF_MAP_TYPE_HASH, KeySize: 8, ValueSize: useSize, MaxEntries: mostObjects, Flags: unix.BPF_F_NO_PREALLOC,
	})
}

// newEmpty creates an array of one empty use, from which new ones are made.
func newEmpty() (bpf.Object, error) {
	return bpf.NewMap("sockwatch_empty", bpf.Map{Kind: unix.BPF_MAP_TYPE_ARRAY, KeySize: 4, ValueSize: useSize, MaxEntries: 1})
}

// program is run by the kernel where the probed program gets to the point. It enters who
// uses the object now.
func program(p *point, index int32, uses, empty, lost bpf.Object) []bpf.Instruction {
	const key = -8
	code := []bpf.Instruction{
		bpf.Move(bpf.R6, bpf.R1),
		bpf.Load(bpf.R7, bpf.R6, registers[p.register], bpf.Dword),
		bpf.JumpIf(bpf.R7, 0, "out"),
	}
	for _, offset := range p.through {
		code = append(code, readUser(bpf.RFP, key, bpf.R7, int32(offset))...)
		code = append(code,
			bpf.Load(bpf.R7, bpf.RFP, key, bpf.Dword),
			bpf.JumpIf(bpf.R7, 0, "out"),
		)
	}
	if p.beside != 0 {
		code = append(code, bpf.Add(bpf.R7, p.beside))
	}
	find := func(missing string) []bpf.Instruction {
		return []bpf.Instruction{
			bpf.MapOf(bpf.R1, uses),
			bpf.Move(bpf.R2, bpf.RFP),
			bpf.Add(bpf.R2, key),
			bpf.Call(bpf.MapLookupElem),
			bpf.JumpIf(bpf.R0, 0, missing),
		}
	}
	code = append(code, bpf.Store(bpf.RFP, key, bpf.R7, bpf.Dword))
	code = append(code, find("new")...)
	code = append(code, bpf.Jump("there"))
	code = append(code,
		bpf.MapOf(bpf.R1, uses).Named("new"),
		bpf.Move(bpf.R2, bpf.RFP),
		bpf.Add(bpf.R2, key),
		bpf.ValueOf(bpf.R3, empty),
		bpf.Set(bpf.R4, 0),
		bpf.Call(bpf.MapUpdateElem),
	)
	code = append(code, find("lost")...)
	code = append(code,
		bpf.Move(bpf.R8, bpf.R0).Named("there"),
		bpf.Set(bpf.R1, 1),
		bpf.Increment(bpf.R8, bpf.R1), // the sequence is at 0
		bpf.Call(bpf.KtimeGetNs),
		bpf.Store(bpf.R8, useAt, bpf.R0, bpf.Dword),
		bpf.Load(bpf.R1, bpf.R8, useCount, bpf.Dword),
		bpf.Add(bpf.R1, 1),
		bpf.Store(bpf.R8, useCount, bpf.R1, bpf.Dword),
		bpf.Set(bpf.R1, index),
		bpf.Store(bpf.R8, usePoint, bpf.R1, bpf.Word),
	)
	for i, offset := range p.words {
		code = append(code, readUser(bpf.R8, useWords+int16(8*i), bpf.R7, int32(offset))...)
	}
	if p.owner != nil {
		code = append(code, readUser(bpf.R8, useOwner, bpf.R7, int32(*p.owner))...)
	}
	code = append(code,
		bpf.Load(bpf.R1, bpf.R6, goroutine, bpf.Dword),
		bpf.Store(bpf.R8, useRoutine, bpf.R1, bpf.Dword),
		bpf.Load(bpf.R3, bpf.R6, stackPointer, bpf.Dword),
	)
	code = append(code, readUser(bpf.R8, useCaller, bpf.R3, 0)...)
	code = append(code,
		bpf.Move(bpf.R1, bpf.R6),
		bpf.Move(bpf.R2, bpf.R8),
		bpf.Add(bpf.R2, useStack),
		bpf.Set(bpf.R3, 8*mostFrames),
		bpf.Set(bpf.R4, bpfUserStack),
		bpf.Call(bpf.GetStack),
		bpf.Store(bpf.R8, useFrames, bpf.R0, bpf.Word),
		bpf.Set(bpf.R1, 1),
		bpf.Increment(bpf.R8, bpf.R1),
		bpf.Jump("out"),
	)
	return append(code, countLost(lost)...)
}

// readUser reads a word of the program's memory at an object into memory at to. It does
// not fail: what cannot be read is 0.
func readUser(to bpf.Register, at int16, object bpf.Register, offset int32) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.Move(bpf.R3, object),
		bpf.Add(bpf.R3, offset),
		bpf.Move(bpf.R1, to),
		bpf.Add(bpf.R1, int32(at)),
		bpf.Set(bpf.R2, 8),
		bpf.Call(bpf.ProbeReadUser),
	}
}

// use is an object's last use.
type use struct {
	at    uint64
	count int64
	point int
	words [mostWords]uint64
	// owner is the address of the pool; 0 where it is not known.
	owner uint64
	// routine is the address of the goroutine, which others have after it has ended.
	routine uint64
	stack   []uint64 // the address of the point first, then return addresses
}

// decode decodes a use; false if it was being written.
func decode(b []byte) (use, bool) {
	word := func(at int) uint64 { return binary.NativeEndian.Uint64(b[at:]) }
	u := use{
		at: word(useAt), count: int64(word(useCount)), point: int(binary.NativeEndian.Uint32(b[usePoint:])),
		owner: word(useOwner), routine: word(useRoutine),
	}
	for i := range u.words {
		u.words[i] = word(useWords + 8*i)
	}
	// The kernel walks from the frame of the function's caller, because the function has
	// none at its entry and at its returns: the caller's address is where the stack
	// pointer points to.
	n := int(int32(binary.NativeEndian.Uint32(b[useFrames:])))
	for i := 0; i < n/8; i++ {
		pc := word(useStack + 8*i)
		if pc == 0 {
			break
		}
		if i == 1 && pc == word(useCaller) {
			continue // newer kernels enter the caller themselves where the probe is on push %rbp
		}
		u.stack = append(u.stack, pc)
		if i == 0 {
			u.stack = append(u.stack, word(useCaller))
		}
	}
	return u, word(useSequence)%2 == 0
}
