//go:build !purego

#include "textflag.h"

// lineEndTable is indexed by the low four bits of a byte. An entry is the line end
// with these bits, or else a byte with other bits: a byte is a line end if its entry
// is the byte itself. For bytes from 0x80, VPSHUFB gives 0.
DATA lineEndTable<>+0(SB)/8, $0x0101010101010201
DATA lineEndTable<>+8(SB)/8, $0x01010d01010a0101
GLOBL lineEndTable<>(SB), RODATA|NOPTR, $16

// func indexLineEndAVX2(b []byte, n int) int
//
// The standard library searches for one byte value at a time: two kinds of line end
// take two passes over each line. This takes one pass, in steps of 64 bytes, and has
// no tail to treat: b goes on beyond n.
TEXT ·indexLineEndAVX2(SB), NOSPLIT, $0-40
	MOVQ           b_base+0(FP), SI
	MOVQ           n+24(FP), CX
	VBROADCASTI128 lineEndTable<>(SB), Y0
	XORL           AX, AX

loop:
	CMPQ      AX, CX
	JGE       none
	VMOVDQU   (SI)(AX*1), Y1
	VMOVDQU   32(SI)(AX*1), Y2
	VPSHUFB   Y1, Y0, Y3
	VPSHUFB   Y2, Y0, Y4
	VPCMPEQB  Y1, Y3, Y3
	VPCMPEQB  Y2, Y4, Y4
	ADDQ      $64, AX
	VPOR      Y3, Y4, Y5
	VPMOVMSKB Y5, DX
	TESTL     DX, DX
	JZ        loop

	VPMOVMSKB Y3, DX
	VPMOVMSKB Y4, BX
	SHLQ      $32, BX
	ORQ       BX, DX
	BSFQ      DX, DX
	LEAQ      -64(AX)(DX*1), AX
	CMPQ      AX, CX
	JL        done

none:
	MOVQ CX, AX

done:
	MOVQ AX, ret+32(FP)
	VZEROUPPER
	RET

// func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

// func xgetbv() (low, high uint32)
TEXT ·xgetbv(SB), NOSPLIT, $0-8
	XORL CX, CX
	XGETBV
	MOVL AX, low+0(FP)
	MOVL DX, high+4(FP)
	RET
