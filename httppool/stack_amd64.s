#include "textflag.h"

// func framePointers(pcs *uintptr, max int) int
TEXT ·framePointers(SB), NOSPLIT, $0-24
	MOVQ pcs+0(FP), DI
	MOVQ max+8(FP), CX
	MOVQ BP, SI
	XORQ AX, AX

frame:
	CMPQ AX, CX
	JGE  unknown
	MOVQ 8(SI), DX // the return address is above the frame pointer of the caller
	MOVQ DX, (DI)(AX*8)
	INCQ AX
	MOVQ (SI), DX
	TESTQ DX, DX
	JZ   done

	// The caller's frame is further up the stack, aligned, and not larger than a megabyte.
	TESTQ $7, DX
	JNZ  unknown
	MOVQ DX, R8
	SUBQ SI, R8
	JLS  unknown
	CMPQ R8, $0x100000
	JHI  unknown
	MOVQ DX, SI
	JMP  frame

unknown:
	XORQ AX, AX

done:
	MOVQ AX, ret+16(FP)
	RET
