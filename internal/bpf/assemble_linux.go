package bpf

import (
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// Register is one of the eleven of BPF. A call takes its arguments in R1 to R5, leaves
// its result in R0, and overwrites R1 to R5.
type Register uint8

// The registers.
const (
	R0 Register = iota
	R1
	R2
	R3
	R4
	R5
	R6
	R7
	R8
	R9
	RFP // the end of the stack
)

// Size is the number of bytes that an instruction reads or writes, as its code in BPF.
type Size uint8

// The sizes.
const (
	Half  Size = unix.BPF_H  // 16 bits
	Word  Size = unix.BPF_W  // 32 bits
	Dword Size = unix.BPF_DW // 64 bits
)

// Helper is a function of the kernel's: enum bpf_func_id in include/uapi/linux/bpf.h.
type Helper int32

// The helpers that programs here call.
const (
	MapLookupElem     Helper = 1
	MapUpdateElem     Helper = 2
	KtimeGetNs        Helper = 5
	GetCurrentPIDTgid Helper = 14
	GetSocketCookie   Helper = 46
	GetStack          Helper = 67
	SkStorageGet      Helper = 107
	RingbufOutput     Helper = 130
	RingbufQuery      Helper = 134
	ProbeReadUser     Helper = 112
	ProbeReadKernel   Helper = 113
	SeqWrite          Helper = 127
	SkcToTCPSock      Helper = 137
	GetCurrentTask    Helper = 158
	SockFromFile      Helper = 162
	TaskPtRegs        Helper = 175
)

// Instruction is one of BPF (RFC 9669).
type Instruction struct {
	code     uint8
	dst, src Register
	offset   int16
	imm      int32
	wide     bool   // takes the room of two, with a second constant of 0
	name     string // what jumps call it; "" for none
	to       string // a jump's target
}

// Named gives an instruction the name by which jumps find it.
func (i Instruction) Named(name string) Instruction {
	i.name = name
	return i
}

// Load reads memory at src and an offset.
func Load(dst, src Register, offset int16, s Size) Instruction {
	return Instruction{code: unix.BPF_LDX | unix.BPF_MEM | uint8(s), dst: dst, src: src, offset: offset}
}

// Store writes src to memory at dst and an offset.
func Store(dst Register, offset int16, src Register, s Size) Instruction {
	return Instruction{code: unix.BPF_STX | unix.BPF_MEM | uint8(s), dst: dst, src: src, offset: offset}
}

// Increment adds src to the 64 bits at dst, atomically.
func Increment(dst, src Register) Instruction {
	return Instruction{code: unix.BPF_STX | unix.BPF_ATOMIC | uint8(Dword), dst: dst, src: src, imm: unix.BPF_ADD}
}

// Move copies a register.
func Move(dst, src Register) Instruction {
	return Instruction{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_X, dst: dst, src: src}
}

// Set loads a constant.
func Set(dst Register, n int32) Instruction {
	return Instruction{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K, dst: dst, imm: n}
}

// Add adds a constant.
func Add(dst Register, n int32) Instruction {
	return Instruction{code: unix.BPF_ALU64 | unix.BPF_ADD | unix.BPF_K, dst: dst, imm: n}
}

// ShiftRight shifts by so many bits, and fills with zeros.
func ShiftRight(dst Register, bits int32) Instruction {
	return Instruction{code: unix.BPF_ALU64 | unix.BPF_RSH | unix.BPF_K, dst: dst, imm: bits}
}

// FromNetwork brings 16 bits from the network's byte order to the machine's.
func FromNetwork(dst Register) Instruction {
	return Instruction{code: unix.BPF_ALU | unix.BPF_END | unix.BPF_TO_BE, dst: dst, imm: 16}
}

// MapOf loads a map, for a call.
func MapOf(dst Register, m Object) Instruction {
	return Instruction{
		code: unix.BPF_LD | unix.BPF_IMM | uint8(Dword), dst: dst, src: unix.BPF_PSEUDO_MAP_FD, imm: int32(m), wide: true,
	}
}

// ValueOf loads the address of the value of an array of one.
func ValueOf(dst Register, m Object) Instruction {
	i := MapOf(dst, m)
	i.src = unix.BPF_PSEUDO_MAP_VALUE
	return i
}

// Call calls a function of the kernel.
func Call(h Helper) Instruction {
	return Instruction{code: unix.BPF_JMP | unix.BPF_CALL, imm: int32(h)}
}

// Exit ends the program with R0 as its result.
func Exit() Instruction { return Instruction{code: unix.BPF_JMP | unix.BPF_EXIT} }

// Jump goes on at the instruction of that name, which must come later.
func Jump(to string) Instruction { return Instruction{code: unix.BPF_JMP | unix.BPF_JA, to: to} }

// JumpIf jumps if the register has this value.
func JumpIf(r Register, n int32, to string) Instruction {
	return Instruction{code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, dst: r, imm: n, to: to}
}

// JumpIfSame jumps if both registers have the same value.
func JumpIfSame(r, other Register, to string) Instruction {
	return Instruction{code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_X, dst: r, src: other, to: to}
}

// JumpUnless jumps if the register has another value.
func JumpUnless(r Register, n int32, to string) Instruction {
	return Instruction{code: unix.BPF_JMP | unix.BPF_JNE | unix.BPF_K, dst: r, imm: n, to: to}
}

// JumpUnless32 compares the lower half of the register.
func JumpUnless32(r Register, n uint32, to string) Instruction {
	return Instruction{code: unix.BPF_JMP32 | unix.BPF_JNE | unix.BPF_K, dst: r, imm: int32(n), to: to}
}

// assemble encodes instructions as the kernel takes them (struct bpf_insn), each in 8
// bytes.
func assemble(code []Instruction) ([]byte, error) {
	at, length := map[string]int{}, 0
	for _, i := range code {
		if i.name != "" {
			at[i.name] = length
		}
		length++
		if i.wide {
			length++
		}
	}
	encoded := make([]byte, 0, 8*length)
	for _, i := range code {
		if i.to != "" {
			target, ok := at[i.to]
			distance := target - len(encoded)/8 - 1
			if !ok || distance > math.MaxInt16 {
				return nil, fmt.Errorf("a jump to %q, which is nowhere or too far", i.to)
			}
			i.offset = int16(distance)
		}
		registers := uint8(i.src)<<4 | uint8(i.dst)
		if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 { // bit fields begin at the other end
			registers = uint8(i.dst)<<4 | uint8(i.src)
		}
		encoded = append(encoded, i.code, registers)
		encoded = binary.NativeEndian.AppendUint16(encoded, uint16(i.offset))
		encoded = binary.NativeEndian.AppendUint32(encoded, uint32(i.imm))
		if i.wide {
			encoded = append(encoded, make([]byte, 8)...)
		}
	}
	return encoded, nil
}
