package uprobe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"socketlab/internal/bpf"
	"socketlab/internal/tracepoint"
)

// Of a program that is not Go's, where connect(2) was called is all that can be known.
// The map is from a socket's cookie to its use, which has also the top of the stack: the
// C library's function for connect(2) has no frame, so that its caller is there alone.
const (
	topWords   = 32
	useTop     = useSize
	nativeSize = useTop + 8*topWords

	tracedSocket = 0 // offsets of the tracepoint's arguments
	tracedTo     = 16
	synSent      = 2 // include/net/tcp_states.h
)

// listenForConnects runs a program at each call of connect(2) by the process.
func (p *Prober) listenForConnects() error {
	arguments, err := tracepoint.ArgumentsType()
	if err != nil {
		return err
	}
	if p.uses, err = p.keep(bpf.NewMap("sockwatch_uses", bpf.Map{
		Kind: unix.BPF_MAP_TYPE_HASH, KeySize: 8, ValueSize: nativeSize, MaxEntries: mostObjects, Flags: unix.BPF_F_NO_PREALLOC,
	})); err != nil {
		return err
	}
	empty, err := bpf.NewMap("sockwatch_empty", bpf.Map{Kind: unix.BPF_MAP_TYPE_ARRAY, KeySize: 4, ValueSize: nativeSize, MaxEntries: 1})
	if err != nil {
		return err
	}
	defer empty.Close() // the program keeps it
	if p.lost, err = p.keep(newLost()); err != nil {
		return err
	}
	code, err := bpf.NewTracing(connectProgram(p.pid, p.uses, empty, p.lost), arguments)
	if err != nil {
		return err
	}
	_, err = p.keep(code.AttachTracing())
	return errors.Join(err, code.Close())
}

func connectProgram(pid int32, uses, empty, lost bpf.Object) []bpf.Instruction {
	const key = -8
	code := []bpf.Instruction{
		bpf.Move(bpf.R6, bpf.R1),
		bpf.Load(bpf.R7, bpf.R6, tracedSocket, bpf.Dword),
		bpf.Load(bpf.R1, bpf.R6, tracedTo, bpf.Dword),
		bpf.JumpUnless(bpf.R1, synSent, "out"),
		bpf.Call(bpf.GetCurrentPIDTgid),
		bpf.ShiftRight(bpf.R0, 32), // the process; the lower half is the thread
		bpf.JumpUnless(bpf.R0, pid, "out"),
		bpf.Move(bpf.R1, bpf.R7),
		bpf.Call(bpf.GetSocketCookie),
		bpf.Store(bpf.RFP, key, bpf.R0, bpf.Dword),

		bpf.MapOf(bpf.R1, uses),
		bpf.Move(bpf.R2, bpf.RFP),
		bpf.Add(bpf.R2, key),
		bpf.ValueOf(bpf.R3, empty),
		bpf.Set(bpf.R4, 0),
		bpf.Call(bpf.MapUpdateElem),
		bpf.MapOf(bpf.R1, uses),
		bpf.Move(bpf.R2, bpf.RFP),
		bpf.Add(bpf.R2, key),
		bpf.Call(bpf.MapLookupElem),
		bpf.JumpIf(bpf.R0, 0, "lost"),
		bpf.Move(bpf.R8, bpf.R0),

		bpf.Set(bpf.R1, 1),
		bpf.Increment(bpf.R8, bpf.R1),
		bpf.Call(bpf.KtimeGetNs),
		bpf.Store(bpf.R8, useAt, bpf.R0, bpf.Dword),
		bpf.Call(bpf.GetCurrentTask),
		bpf.Move(bpf.R1, bpf.R0),
		bpf.Call(bpf.TaskPtRegs),
		bpf.Load(bpf.R3, bpf.R0, stackPointer, bpf.Dword),
		bpf.Move(bpf.R1, bpf.R8),
		bpf.Add(bpf.R1, useTop),
		bpf.Set(bpf.R2, 8*topWords),
		bpf.Call(bpf.ProbeReadUser),
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
	}
	return append(code, countLost(lost)...)
}

// decodeConnect decodes where connect(2) was called: the return addresses into the
// executable, the innermost first.
func (p *Prober) decodeConnect(b []byte) (use, bool) {
	word := func(at int) uint64 { return binary.NativeEndian.Uint64(b[at:]) }
	u := use{at: word(useAt)}
	n := int(int32(binary.NativeEndian.Uint32(b[useFrames:])))
	for i := 1; i < n/8; i++ { // the first is in the C library
		if pc := word(useStack + 8*i); p.memory.inImage(pc) {
			u.stack = append(u.stack, pc)
		}
	}
	for i := range topWords {
		pc := word(useTop + 8*i)
		if !p.memory.inImage(pc) || !p.binary.Called(pc-p.bias) {
			continue
		}
		if !slices.Contains(u.stack, pc) {
			u.stack = append([]uint64{pc}, u.stack...)
		}
		break
	}
	return u, word(useSequence)%2 == 0
}

// newLost creates an array of one count.
func newLost() (bpf.Object, error) {
	return bpf.NewMap("sockwatch_lost", bpf.Map{Kind: unix.BPF_MAP_TYPE_ARRAY, KeySize: 4, ValueSize: 8, MaxEntries: 1})
}

// countLost ends a program, at "lost" with a count and at "out" without.
func countLost(lost bpf.Object) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.ValueOf(bpf.R1, lost).Named("lost"),
		bpf.Set(bpf.R2, 1),
		bpf.Increment(bpf.R1, bpf.R2),
		bpf.Set(bpf.R0, 0).Named("out"),
		bpf.Exit(),
	}
}

// noConnect is the reason why no line is known for a connection of such a program.
func noConnect(stack []uint64) string {
	if len(stack) == 0 {
		return "their stack could not be read: the program, or a library of it, has no frame pointers"
	}
	return fmt.Sprintf("the program has no symbols (the call is at %#x)", stack[0])
}
