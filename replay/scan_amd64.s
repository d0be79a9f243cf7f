//go:build !purego

#include "textflag.h"

// nameTables, each indexed by the low four bits of a byte, hold:
// the byte with these bits that is '=' or '%', or else one that has others;
// the byte with these bits that may follow a colon, or else one that has others;
// for the last but one byte of a name, and for the last, in which pairs it may be: 1 for
// e and t or y, 2 for e or o and n, 4 for r or w and d, in capitals or not, as
// maySecretEnd has it. Other bytes share their bits, which only costs a second look.
// For bytes from 0x80, VPSHUFB gives 0, which is none of these.
DATA nameTables<>+0(SB)/8, $0x0101250101010201
DATA nameTables<>+8(SB)/8, $0x01013d0101010101
DATA nameTables<>+16(SB)/8, $0x0101010101220220
DATA nameTables<>+24(SB)/8, $0x2f010d5c5b0a0901
DATA nameTables<>+32(SB)/8, $0x0400030000040000
DATA nameTables<>+40(SB)/8, $0x0200000000000000
DATA nameTables<>+48(SB)/8, $0x0000000500000000
DATA nameTables<>+56(SB)/8, $0x0002000000000100
DATA nameTables<>+64(SB)/8, $0x755c2f203a
GLOBL nameTables<>(SB), RODATA|NOPTR, $72

// func indexNameAVX2(b []byte, i, n int) int
//
// Most colons are behind names that cannot be a credential's, or in front of what is no
// string. Telling that for 32 bytes at once takes loads that are shifted by a byte each.
TEXT ·indexNameAVX2(SB), NOSPLIT, $0-48
	MOVQ           b_base+0(FP), SI
	MOVQ           i+24(FP), AX
	MOVQ           n+32(FP), CX
	VBROADCASTI128 nameTables<>+0(SB), Y0
	VBROADCASTI128 nameTables<>+16(SB), Y1
	VBROADCASTI128 nameTables<>+32(SB), Y2
	VBROADCASTI128 nameTables<>+48(SB), Y3
	VPBROADCASTB   nameTables<>+64(SB), Y4 // colon
	VPBROADCASTB   nameTables<>+65(SB), Y5 // space: no white space of JSON is above it
	VPBROADCASTB   nameTables<>+66(SB), Y6 // slash
	VPBROADCASTB   nameTables<>+67(SB), Y7 // backslash
	VPBROADCASTB   nameTables<>+68(SB), Y13 // u

loop:
	CMPQ     AX, CX
	JGE      none
	VMOVDQU  -2(SI)(AX*1), Y8
	VMOVDQU  1(SI)(AX*1), Y9
	VMOVDQU  (SI)(AX*1), Y10
	VMOVDQU  -3(SI)(AX*1), Y11
	VPSHUFB  Y11, Y2, Y11
	VPSHUFB  Y8, Y3, Y12
	VPCMPEQB Y8, Y7, Y8
	VPAND    Y11, Y12, Y11
	VPMINUB  -1(SI)(AX*1), Y5, Y12
	VPCMPEQB -1(SI)(AX*1), Y12, Y12
	VPOR     Y8, Y11, Y11
	VPCMPEQB Y9, Y6, Y8
	VPOR     Y12, Y11, Y11
	VPCMPEQB Y9, Y7, Y12
	VPOR     Y8, Y11, Y11
	VPSHUFB  Y9, Y1, Y8
	VPOR     Y12, Y11, Y11
	VPCMPEQB Y9, Y8, Y8
	VPCMPEQB Y10, Y4, Y12
	VPAND    Y8, Y11, Y11
	VPSHUFB  Y10, Y0, Y8
	VPAND    Y12, Y11, Y11
	VPCMPEQB Y10, Y8, Y8
	VPCMPEQB Y10, Y7, Y10
	VPCMPEQB Y9, Y13, Y9
	VPOR     Y8, Y11, Y11
	VPAND    Y9, Y10, Y9
	VPOR     Y9, Y11, Y11
	ADDQ     $32, AX
	VPTEST   Y11, Y11
	JZ       loop

	VPXOR     Y8, Y8, Y8
	VPCMPEQB  Y8, Y11, Y11
	VPMOVMSKB Y11, DX
	NOTL      DX
	BSFL      DX, DX
	LEAQ      -32(AX)(DX*1), AX
	CMPQ      AX, CX
	JL        done

none:
	MOVQ CX, AX

done:
	MOVQ AX, ret+40(FP)
	VZEROUPPER
	RET

DATA asciiBytes<>+0(SB)/4, $0x00097f20
GLOBL asciiBytes<>(SB), RODATA|NOPTR, $4

// func asciiPrefixAVX2(b []byte) int
//
// The last step goes over bytes again that are known to be plain, so that there is no tail.
TEXT ·asciiPrefixAVX2(SB), NOSPLIT, $0-32
	MOVQ         b_base+0(FP), SI
	MOVQ         b_len+8(FP), CX
	VPBROADCASTB asciiBytes<>+0(SB), Y0
	VPBROADCASTB asciiBytes<>+1(SB), Y1
	VPBROADCASTB asciiBytes<>+2(SB), Y2
	XORL         AX, AX
	SUBQ         $32, CX
	JMP          check

loop:
	VMOVDQU   (SI)(AX*1), Y3
	VPCMPGTB  Y3, Y0, Y4 // below 0x20, or from 0x80
	VPCMPEQB  Y3, Y1, Y5
	VPCMPEQB  Y3, Y2, Y6
	VPOR      Y5, Y4, Y4
	VPANDN    Y4, Y6, Y4
	VPMOVMSKB Y4, DX
	TESTL     DX, DX
	JNZ       found
	ADDQ      $32, AX

check:
	CMPQ AX, CX
	JLE  loop
	LEAQ 32(CX), DX
	CMPQ AX, DX
	JGE  done
	MOVQ CX, AX
	JMP  loop

found:
	BSFL DX, DX
	ADDQ DX, AX

done:
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET
