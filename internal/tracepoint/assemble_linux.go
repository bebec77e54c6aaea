package tracepoint

import (
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// register is one of the eleven of BPF. A call takes its arguments in R1 to R5, leaves
// its result in R0, and overwrites R1 to R5.
type register uint8

const (
	r0 register = iota
	r1
	r2
	r3
	r4
	r5
	r6
	r7
	r8
	r9
	rFP // the end of the stack
)

// size is how much of memory an instruction reads or writes.
type size uint8

const (
	half  size = unix.BPF_H  // 16 bits
	word  size = unix.BPF_W  // 32 bits
	dword size = unix.BPF_DW // 64 bits
)

// helper is a function of the kernel's: enum bpf_func_id in include/uapi/linux/bpf.h.
type helper int32

const (
	ktimeGetNs        helper = 5
	getCurrentPIDTgid helper = 14
	skStorageGet      helper = 107
	ringbufOutput     helper = 130
	skcToTCPSock      helper = 137
	getCurrentTask    helper = 158
)

// instruction is one of BPF (RFC 9669).
type instruction struct {
	code     uint8
	dst, src register
	offset   int16
	imm      int32
	wide     bool   // takes the room of two, with a second constant of 0
	name     string // what jumps call it; "" for none
	to       string // a jump's target
}

// named gives an instruction the name by which jumps find it.
func (i instruction) named(name string) instruction {
	i.name = name
	return i
}

func load(dst, src register, offset int16, s size) instruction {
	return instruction{code: unix.BPF_LDX | unix.BPF_MEM | uint8(s), dst: dst, src: src, offset: offset}
}

func storeAt(dst register, offset int16, src register, s size) instruction {
	return instruction{code: unix.BPF_STX | unix.BPF_MEM | uint8(s), dst: dst, src: src, offset: offset}
}

// increment adds src to the 64 bits at dst, atomically.
func increment(dst, src register) instruction {
	return instruction{code: unix.BPF_STX | unix.BPF_ATOMIC | uint8(dword), dst: dst, src: src, imm: unix.BPF_ADD}
}

func move(dst, src register) instruction {
	return instruction{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_X, dst: dst, src: src}
}

func set(dst register, n int32) instruction {
	return instruction{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K, dst: dst, imm: n}
}

func add(dst register, n int32) instruction {
	return instruction{code: unix.BPF_ALU64 | unix.BPF_ADD | unix.BPF_K, dst: dst, imm: n}
}

func shiftRight(dst register, bits int32) instruction {
	return instruction{code: unix.BPF_ALU64 | unix.BPF_RSH | unix.BPF_K, dst: dst, imm: bits}
}

// fromNetwork brings 16 bits from the network's byte order to the machine's.
func fromNetwork(dst register) instruction {
	return instruction{code: unix.BPF_ALU | unix.BPF_END | unix.BPF_TO_BE, dst: dst, imm: 16}
}

// mapOf loads a map, for a call; valueOf the address of the value of an array of one.
func mapOf(dst register, m object) instruction {
	return instruction{
		code: unix.BPF_LD | unix.BPF_IMM | uint8(dword), dst: dst, src: unix.BPF_PSEUDO_MAP_FD, imm: int32(m), wide: true,
	}
}

func valueOf(dst register, m object) instruction {
	i := mapOf(dst, m)
	i.src = unix.BPF_PSEUDO_MAP_VALUE
	return i
}

func call(h helper) instruction {
	return instruction{code: unix.BPF_JMP | unix.BPF_CALL, imm: int32(h)}
}

func exit() instruction { return instruction{code: unix.BPF_JMP | unix.BPF_EXIT} }

func jump(to string) instruction { return instruction{code: unix.BPF_JMP | unix.BPF_JA, to: to} }

func jumpIf(r register, n int32, to string) instruction {
	return instruction{code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, dst: r, imm: n, to: to}
}

func jumpIfSame(r, other register, to string) instruction {
	return instruction{code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_X, dst: r, src: other, to: to}
}

func jumpUnless(r register, n int32, to string) instruction {
	return instruction{code: unix.BPF_JMP | unix.BPF_JNE | unix.BPF_K, dst: r, imm: n, to: to}
}

// jumpUnless32 compares the lower half of the register.
func jumpUnless32(r register, n uint32, to string) instruction {
	return instruction{code: unix.BPF_JMP32 | unix.BPF_JNE | unix.BPF_K, dst: r, imm: int32(n), to: to}
}

// assemble encodes instructions as the kernel takes them (struct bpf_insn), each in 8
// bytes.
func assemble(code []instruction) ([]byte, error) {
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
