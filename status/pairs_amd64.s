//go:build !purego

#include "textflag.h"

DATA quotes<>+0(SB)/4, $0x22222222
GLOBL quotes<>(SB), RODATA|NOPTR, $4

DATA escapes<>+0(SB)/4, $0x5c5c5c5c
GLOBL escapes<>(SB), RODATA|NOPTR, $4

DATA flip<>+0(SB)/4, $0x02020202
GLOBL flip<>(SB), RODATA|NOPTR, $4

DATA flipped<>+0(SB)/4, $0x21212121 // the first above the quote and the control bytes, flipped
GLOBL flipped<>(SB), RODATA|NOPTR, $4

DATA spaces<>+0(SB)/4, $0x20202020
GLOBL spaces<>(SB), RODATA|NOPTR, $4

DATA controls<>+0(SB)/4, $0x1f1f1f1f // the last of them
GLOBL controls<>(SB), RODATA|NOPTR, $4

// digits, added to the digits 0 to 9 and to no other bytes, makes them greater than nine.
DATA digits<>+0(SB)/4, $0x46464646
GLOBL digits<>(SB), RODATA|NOPTR, $4

DATA nine<>+0(SB)/4, $0x75757575
GLOBL nine<>(SB), RODATA|NOPTR, $4

// spaceTable, indexed by the low four bits of a byte, holds the white space of JSON that
// has these bits, or else a byte that has others: a byte is white space if looking it up
// gives the byte itself. For bytes from 0x80, VPSHUFB gives 0.
DATA spaceTable<>+0(SB)/8, $0x0101010101010220
DATA spaceTable<>+8(SB)/8, $0x01010d01010a0901
GLOBL spaceTable<>(SB), RODATA|NOPTR, $16

// MARK stores in to the marks of the 64 bytes from far bytes after R13 on. Marked is what ends
// a run of plain string bytes: a quote, a backslash, a control byte, and what is not ASCII.
// Flipping bit 1 puts the quote right above the control bytes, and the two bytes between them
// out of the way; what is not ASCII is less than all of them as a signed byte.
#define MARK(far, to) \
	VMOVDQU   far(SI)(R13*1), Y4; \
	VMOVDQU   far+32(SI)(R13*1), Y5; \
	VPXOR     Y4, Y0, Y6; \
	VPXOR     Y5, Y0, Y7; \
	VPCMPEQB  Y4, Y1, Y4; \
	VPCMPEQB  Y5, Y1, Y5; \
	VPCMPGTB  Y6, Y2, Y6; \
	VPCMPGTB  Y7, Y2, Y7; \
	VPOR      Y4, Y6, Y4; \
	VPOR      Y5, Y7, Y5; \
	VPMOVMSKB Y4, to; \
	VPMOVMSKB Y5, BX; \
	SHLQ      $32, BX; \
	ORQ       BX, to

// NEXT takes away two marks: that of a quote which is known, and the one after it, whose index
// it stores in to. Where the 64 bytes do not have both it goes to more, with the carry flag set
// if they have none. More stands apart. It is a REFILL that goes back to second, or with the
// carry flag one that goes back to first: the usual case takes one branch, and no jump.
#define NEXT(to, more, first, second) \
first: \
	BLSRQ  R12, R12; \
	JZ     more; \
second: \
	TZCNTQ R12, to; \
	ADDQ   R13, to; \
	BLSRQ  R12, R12

// REFILL goes on to the next 64 bytes with marks, and back to found, or out at the limit. The
// processor often guesses wrongly that it will not come here. So these marks are there already,
// and it is those of the 64 bytes after them that are looked for: when it had to wait for the
// marks as well, decoding took 2 to 4 % longer.
#define REFILL(more, found, out) \
more: \
	ADDQ  $64, R13; \
	CMPQ  R13, R9; \
	JGE   out; \
	MOVQ  R14, R12; \
	MARK(64, R14); \
	TESTQ R12, R12; \
	JNZ   found; \
	JMP   more

// SPACES stores in BX the number of bytes of white space at AX, 32 at most, and sets the carry
// flag if all 32 are.
#define SPACES \
	VMOVDQU   (SI)(AX*1), Y4; \
	VPSHUFB   Y4, Y3, Y5; \
	VPCMPEQB  Y4, Y5, Y5; \
	VPMOVMSKB Y5, BX; \
	NOTL      BX; \
	TZCNTL    BX, BX

// func pairsAVX2(b *byte, i, limit int, out *pair, room int, keys uint64) (n, next int, where stop)
//
// SI is the document, R8 where the next member begins, DI the pair that is written, DX the
// keys that are asked for, R12 what is left of the marks of the 64 bytes at R13, R14 the marks
// of the next 64. AX is the index of what is looked at, R10 some bytes from there on.
// Indexes come from these marks and not from the member before, so that the processor can be
// at several members at once: going from one string's end to the next took twice as long.
//
// CX counts up to 0 from minus the room. If keys are to be chosen it begins at 0, and R11,
// the end of the room, counts.
//
// R9 is the limit. R13 is below it wherever there are marks, and so the index of a mark
// below limit+63. The furthest to go from there is 36 bytes to the comma after a number,
// two more to the spaces after a line end, and 33 that are looked at there, which is less
// than slack. So is where the next 64 bytes end, 128 bytes from R13.
TEXT ·pairsAVX2(SB), NOSPLIT, $0-72
	MOVQ           b+0(FP), SI
	MOVQ           i+8(FP), R8
	MOVQ           limit+16(FP), R9
	MOVQ           out+24(FP), DI
	MOVQ           room+32(FP), CX
	MOVQ           keys+40(FP), DX
	CMPQ           R8, R9
	JGE            atKey
	CMPB           (SI)(R8*1), $0x22
	JNE            atKey
	VPBROADCASTD   flip<>(SB), Y0
	VPBROADCASTD   escapes<>(SB), Y1
	VPBROADCASTD   flipped<>(SB), Y2
	VBROADCASTI128 spaceTable<>(SB), Y3
	VPBROADCASTD   spaces<>(SB), Y8
	VPBROADCASTD   digits<>(SB), Y9
	VPBROADCASTD   nine<>(SB), Y10
	MOVQ           R8, R13
	MARK(0, R12)
	MARK(64, R14)
	MOVQ           CX, R11
	SHLQ           $5, R11
	ADDQ           DI, R11
	NEGQ           CX
	CMPQ           DX, $-1
	JEQ            member
	XORL           CX, CX

	// There is a quote at R8, and it has the next mark.
member:
	LEAQ 1(R8), AX
	MOVQ AX, 0(DI)
	NEXT(AX, keyMore, key, keyEnd)
	MOVQ (SI)(AX*1), R10
	MOVQ AX, 8(DI)
	CMPL R10, $0x22203a22   // quote, colon, space, quote
	JEQ  spaced
	MOVL R10, BX
	SHLL $8, BX
	CMPL BX, $0x223a2200    // quote, colon, quote
	JNE  notText
	ADDQ $2, AX

text:
	MOVQ AX, 16(DI)
	NEXT(AX, textMore, textBegin, textEnd)
	MOVL (SI)(AX*1), R10
	INCQ AX
	MOVQ AX, 24(DI)
	SHLL $8, R10
	CMPL R10, $0x222c2200   // quote, comma, quote
	JNE  textLine

quote:
	INCQ AX

	// AX is where the next member begins: at a quote that has the next mark, or not before the
	// limit. Whether there is room for it, and it begins before the limit, takes one branch:
	// both are so if both numbers are negative.
done:
	MOVQ AX, R8
	ADDQ $32, DI
	INCQ CX
	SUBQ R9, AX
	ANDQ CX, AX
	JMI  member
	CMPQ DX, $-1
	JNE  choose

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

	// Whether the key is among those that are asked for, if not all are.
choose:
	MOVQ    -32(DI), R10
	MOVQ    -24(DI), BX
	SUBQ    R10, BX
	MOVBLZX (SI)(R10*1), R10
	LEAQ    (R10)(BX*8), R10
	BTQ     R10, DX
	JCS     chosen
	SUBQ    $32, DI

chosen:
	CMPQ DI, R11
	JEQ  atKey
	CMPQ R8, R9
	JLT  member
	JMP  atKey

spaced:
	ADDQ $3, AX
	JMP  text

textLine:
	CMPL R10, $0x0a2c2200     // quote, comma, line end
	JNE  textOther

	// Before a key there is a line end as a rule, which has a mark, and up to 32 spaces,
	// which have none.
line:
	VPCMPEQB  2(SI)(AX*1), Y8, Y4
	VPMOVMSKB Y4, BX
	NOTL      BX
	TZCNTL    BX, BX
	LEAQ      2(AX)(BX*1), BX
	CMPB      (SI)(BX*1), $0x22
	JNE       space
	MOVQ      BX, AX

lineEnd:
	BLSRQ R12, R12
	JCC   done

	REFILL(lineMore, lineEnd, done)

textOther:
	CMPB -1(SI)(AX*1), $0x22
	JNE  atValue

behind:
	MOVQ    AX, 24(DI)
	MOVWLZX (SI)(AX*1), R10
	CMPL    R10, $0x222c     // comma, quote
	JEQ     quote
	CMPL    R10, $0x0a2c     // comma, line end
	JEQ     line
	CMPB    R10, $0x2c
	JNE     last

space:
	INCQ AX

spaces:
	SPACES
	JCS  spacesMore
	ADDQ BX, AX
	CMPB (SI)(AX*1), $0x22
	JNE  noKey

control:
	TESTQ  R12, R12
	JZ     controlMore
controlFound:
	TZCNTQ R12, BX
	ADDQ   R13, BX
	CMPQ   BX, AX
	JGE    done
	BLSRQ  R12, R12
	JMP    control

	REFILL(controlMore, controlFound, done)

spacesMore:
	ADDQ $32, AX
	LEAQ -72(AX), BX // half of slack
	CMPQ BX, R9
	JLT  spaces

noKey:
	MOVQ AX, R9 // so that done goes no further
	JMP  done

last:
	CMPQ DX, $-1
	JNE  atValue
	SPACES
	ADDQ BX, AX
	CMPB (SI)(AX*1), $0x7d
	JNE  atValue
	LEAQ 1(AX), R8
	ADDQ $32, DI
	MOVQ $2, where+64(FP)
	JMP  return

keyMore:
	JCC keySecond
	REFILL(keyFirst, key, atKey)
	REFILL(keySecond, keyEnd, atKey)

textMore:
	JCC textSecond
	REFILL(textFirst, textBegin, atValue)
	REFILL(textSecond, textEnd, atValue)

notText:
	CMPW R10, $0x3a22       // quote, colon
	JNE  atKey
	SHRQ $16, R10
	ADDQ $2, AX
	CMPB R10, $0x20
	JNE  value
	SHRQ $8, R10
	INCQ AX

value:
	MOVQ    AX, 16(DI)
	CMPL    R10, $0x6c6c756e // null
	JNE     notNull
	ADDQ    $4, AX
	JMP     behind

notNull:
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

	// From the first digit on, R10 of them up to a point or the end, and 32 bytes at most.
number:
	VPADDB    (SI)(AX*1), Y9, Y4
	VPCMPGTB  Y10, Y4, Y4
	VPMOVMSKB Y4, R10
	NOTL      R10
	TZCNTL    R10, BX
	CMPB      (SI)(AX*1), $0x30
	JEQ       zero

whole:
	ADDQ AX, BX
	CMPB (SI)(BX*1), $0x2e
	JEQ  fraction
	MOVQ BX, AX
	JMP  behind      // which refuses an exponent

zero:
	CMPL BX, $1
	JEQ  whole
	JMP  atValue

fraction:
	BLSRL  R10, R10
	TZCNTL R10, R10
	ADDQ   R10, AX
	INCQ   BX
	CMPQ   BX, AX
	JLT    behind
	JMP    atValue

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
// SI is the document, AX where the next 32 bytes begin, CX the limit, DX 1 if the byte before
// them is a backslash. R11 are the bytes after a backslash, and R8 the ones to stop at: those
// that are a quote or come after a backslash, but not both, and control bytes.
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
