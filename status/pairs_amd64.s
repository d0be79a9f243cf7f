//go:build !purego

#include "textflag.h"

DATA quotes<>+0(SB)/4, $0x22222222
GLOBL quotes<>(SB), RODATA|NOPTR, $4

DATA escapes<>+0(SB)/4, $0x5c5c5c5c
GLOBL escapes<>(SB), RODATA|NOPTR, $4

DATA spaces<>+0(SB)/4, $0x20202020
GLOBL spaces<>(SB), RODATA|NOPTR, $4

DATA controls<>+0(SB)/4, $0x1f1f1f1f // the last of them
GLOBL controls<>(SB), RODATA|NOPTR, $4

// spaceTable, indexed by the low four bits of a byte, holds the white space of JSON that
// has these bits, or else a byte that has others: a byte is white space if looking it up
// gives the byte itself. For bytes from 0x80, VPSHUFB gives 0.
DATA spaceTable<>+0(SB)/8, $0x0101010101010220
DATA spaceTable<>+8(SB)/8, $0x01010d01010a0901
GLOBL spaceTable<>(SB), RODATA|NOPTR, $16

// MARK makes R12 the marks of the 64 bytes at R13 that end a run of plain string bytes: a
// quote, a backslash, and what is less than a space as a signed byte, that is, a control
// byte or none of ASCII.
#define MARK \
	VMOVDQU   (SI)(R13*1), Y4; \
	VMOVDQU   32(SI)(R13*1), Y5; \
	VPCMPEQB  Y4, Y0, Y6; \
	VPCMPEQB  Y5, Y0, Y7; \
	VPCMPEQB  Y4, Y1, Y8; \
	VPCMPEQB  Y5, Y1, Y9; \
	VPCMPGTB  Y4, Y2, Y4; \
	VPCMPGTB  Y5, Y2, Y5; \
	VPOR      Y6, Y8, Y6; \
	VPOR      Y7, Y9, Y7; \
	VPOR      Y6, Y4, Y6; \
	VPOR      Y7, Y5, Y7; \
	VPMOVMSKB Y6, R12; \
	VPMOVMSKB Y7, BX; \
	SHLQ      $32, BX; \
	ORQ       BX, R12

// NEXT makes to the index of the next marked byte, and goes to out at the limit. More
// and found are labels of its own.
#define NEXT(to, more, found, out) \
more: \
	TESTQ  R12, R12; \
	JNZ    found; \
	ADDQ   $64, R13; \
	CMPQ   R13, R9; \
	JGE    out; \
	MARK; \
	JMP    more; \
found: \
	TZCNTQ R12, to; \
	ADDQ   R13, to; \
	BLSRQ  R12, R12

// func pairsAVX2(b *byte, i, limit int, out *pair, room int, keys uint64) (n, next int, where stop)
//
// SI is the document, R8 where the next member begins, DI the pair that is written, CX the
// room left, DX the keys that are asked for, R12 what is left of the marks of the 64 bytes
// at R13. AX is the index of what is looked at, R10 some bytes from there on. Indexes come
// from these marks and not from the member before, so that the processor can be at several
// members at once: the same by way of one string's end to the next took twice as long.
//
// R9 is the limit. R13 is below it wherever there are marks, and so an index that comes
// from one below limit+64. R11 is how far numbers and white space are followed from
// there: the 32 bytes that are loaded at an index below it end before limit+slack.
TEXT ·pairsAVX2(SB), NOSPLIT, $0-72
	MOVQ           b+0(FP), SI
	MOVQ           i+8(FP), R8
	MOVQ           limit+16(FP), R9
	MOVQ           out+24(FP), DI
	MOVQ           room+32(FP), CX
	VPBROADCASTD   quotes<>(SB), Y0
	VPBROADCASTD   escapes<>(SB), Y1
	VPBROADCASTD   spaces<>(SB), Y2
	VBROADCASTI128 spaceTable<>(SB), Y3
	MOVQ           keys+40(FP), DX
	LEAQ           80(R9), R11
	MOVQ           R8, R13
	MARK

member:
	CMPQ R8, R9
	JGE  atKey

key:
	NEXT(AX, keyMore, keyFound, atKey)
	CMPQ AX, R8
	JLT  key
	JNE  atKey
	CMPB (SI)(AX*1), $0x22
	JNE  atKey
	INCQ AX
	MOVQ AX, 0(DI)
	NEXT(AX, keyEndMore, keyEndFound, atKey)
	MOVQ (SI)(AX*1), R10
	CMPW R10, $0x3a22       // quote, colon
	JNE  atKey
	MOVQ AX, 8(DI)
	ADDQ $2, AX
	SHRQ $16, R10
	CMPB R10, $0x20
	JNE  value
	INCQ AX
	SHRQ $8, R10

value:
	MOVQ AX, 16(DI)
	CMPB R10, $0x22
	JNE  notText
	NEXT(AX, textMore, textFound, atValue)
	NEXT(AX, textEndMore, textEndFound, atValue)
	CMPB (SI)(AX*1), $0x22
	JNE  atValue
	INCQ AX

behind:
	MOVQ AX, 24(DI)
	CMPB (SI)(AX*1), $0x2c
	JNE  atValue
	INCQ AX
	CMPB (SI)(AX*1), $0x22
	JNE  space

done:
	MOVQ AX, R8

	// Whether the key is among those that are asked for, if not all of them are.
	CMPQ    DX, $-1
	JEQ     asked
	MOVQ    0(DI), R10
	MOVQ    8(DI), BX
	SUBQ    R10, BX
	MOVBLZX (SI)(R10*1), R10
	LEAQ    (R10)(BX*8), R10
	BTQ     R10, DX
	JCC     member

asked:
	ADDQ $32, DI
	DECQ CX
	JNZ  member

atKey:
	MOVQ $0, where+64(FP)
	JMP  return

atValue:
	MOVQ $1, where+64(FP)

return:
	SUBQ out+24(FP), DI
	SHRQ $5, DI
	MOVQ DI, n+48(FP)
	MOVQ R8, next+56(FP)
	VZEROUPPER
	RET

space:
	CMPQ      AX, R11
	JGE       done
	VMOVDQU   (SI)(AX*1), Y4
	VPSHUFB   Y4, Y3, Y5
	VPCMPEQB  Y4, Y5, Y5
	VPMOVMSKB Y5, BX
	NOTL      BX
	TESTL     BX, BX
	JZ        spaceMore
	TZCNTL    BX, BX
	ADDQ      BX, AX
	JMP       done

spaceMore:
	ADDQ $32, AX
	JMP  space

notText:
	CMPL    R10, $0x6c6c756e // null
	JEQ     four
	MOVBLZX R10, BX
	SUBL    $0x30, BX
	CMPL    BX, $10
	JCS     number
	CMPL    R10, $0x65757274 // true
	JEQ     four
	CMPL    R10, $0x736c6166 // fals
	JEQ     false
	CMPW    R10, $0x5d5b     // []
	JEQ     two
	CMPW    R10, $0x7d7b     // {}
	JEQ     two
	CMPB    R10, $0x2d
	JNE     atValue
	INCQ    AX
	MOVBLZX (SI)(AX*1), BX
	SUBL    $0x30, BX
	CMPL    BX, $10
	JCC     atValue

number:
	INCQ    AX
	TESTL   BX, BX
	MOVBLZX (SI)(AX*1), BX
	LEAL    -0x30(BX), R10
	JNE     whole
	CMPL    R10, $10
	JCS     atValue

whole:
	CMPL    R10, $10
	JCC     point
	INCQ    AX
	CMPQ    AX, R11
	JGE     atValue
	MOVBLZX (SI)(AX*1), BX
	LEAL    -0x30(BX), R10
	JMP     whole

point:
	CMPL    BX, $0x2e
	JNE     behind                // which refuses an exponent
	INCQ    AX
	MOVBLZX (SI)(AX*1), BX
	LEAL    -0x30(BX), R10
	CMPL    R10, $10
	JCC     atValue

fraction:
	INCQ    AX
	CMPQ    AX, R11
	JGE     atValue
	MOVBLZX (SI)(AX*1), BX
	LEAL    -0x30(BX), R10
	CMPL    R10, $10
	JCS     fraction
	JMP     behind

false:
	CMPB 4(SI)(AX*1), $0x65
	JNE  atValue
	ADDQ $5, AX
	JMP  behind

four:
	ADDQ $4, AX
	JMP  behind

two:
	ADDQ $2, AX
	JMP  behind

// func repeatsAVX2(a, b *byte, n int) int
TEXT ·repeatsAVX2(SB), NOSPLIT, $0-32
	MOVQ a+0(FP), SI
	MOVQ b+8(FP), DI
	MOVQ n+16(FP), CX
	XORL AX, AX
	SUBQ $32, CX

loop:
	CMPQ      AX, CX
	JGT       done
	VMOVDQU   (SI)(AX*1), Y0
	VPCMPEQB  (DI)(AX*1), Y0, Y0
	VPMOVMSKB Y0, BX
	NOTL      BX
	TESTL     BX, BX
	JNZ       differs
	ADDQ      $32, AX
	JMP       loop

differs:
	TZCNTL BX, BX
	ADDQ   BX, AX

done:
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET

// func escapesAVX2(b *byte, i, limit int) int
//
// SI is the document, AX where the next 32 bytes begin, CX the limit, DX 1 if the byte in
// front of them is a backslash. R11 are the bytes behind a backslash, and R8 the ones to
// stop at: where there is a quote or a backslash in front, but not both, and control bytes.
TEXT ·escapesAVX2(SB), NOSPLIT, $0-32
	MOVQ         b+0(FP), SI
	MOVQ         i+8(FP), AX
	MOVQ         limit+16(FP), CX
	VPBROADCASTD quotes<>(SB), Y0
	VPBROADCASTD escapes<>(SB), Y1
	VPBROADCASTD controls<>(SB), Y2
	XORL         DX, DX

loop:
	CMPQ      AX, CX
	JGE       end
	VMOVDQU   (SI)(AX*1), Y3
	VPCMPEQB  Y3, Y0, Y4
	VPCMPEQB  Y3, Y1, Y5
	VPMINUB   Y3, Y2, Y6
	VPCMPEQB  Y3, Y6, Y6
	VPMOVMSKB Y4, R8
	VPMOVMSKB Y5, R9
	VPMOVMSKB Y6, R10
	LEAL      (DX)(R9*2), R11
	XORL      R11, R8
	ORL       R10, R8
	JNZ       found
	MOVL      R9, DX
	SHRL      $31, DX
	ADDQ      $32, AX
	JMP       loop

found:
	TZCNTL R8, R8
	ADDQ   R8, AX
	XORL   DX, DX
	BTL    R8, R11
	ADCL   $0, DX

end:
	SUBQ DX, AX               // to the backslash
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET
