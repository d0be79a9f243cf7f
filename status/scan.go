package status

import (
	"encoding/binary"
	"math/bits"
)

// The scanner. Every function takes the whole document b and an index into it,
// and returns the index after what it read, or -1 for anything that is not
// JSON. None of them says why: a document that is refused is read a second time
// by diagnose, which has time to be exact. What is accepted is what
// encoding/json accepts: RFC 8259, any bytes above 0x1f inside strings, lone
// surrogates in escapes, and at most maxDepth arrays and objects in each other.

const maxDepth = 10000

const (
	eachByte   = 0x0101010101010101
	eachHigh   = 0x80 * eachByte
	eachSpace  = ' ' * eachByte
	eachQuote  = '"' * eachByte
	eachEscape = '\\' * eachByte
	wordNull   = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24
	wordTrue   = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24
	wordAlse   = 'a' | 'l'<<8 | 's'<<16 | 'e'<<24
)

// at returns b[i], and past the end NUL, which JSON allows nowhere.
func at(b []byte, i int) byte {
	if uint(i) < uint(len(b)) {
		return b[i]
	}
	return 0
}

// stops marks, by its high bit, each byte of w at which a run of plain string bytes
// ends: a quote, a control byte, a backslash. Flipping bit 1 puts the quote right above
// the control bytes and the two bytes between them out of the way, so that one
// comparison finds both. A subtraction may borrow from the byte above a marked one, so
// only the lowest mark is to be trusted.
func stops(w uint64) uint64 {
	return (((w ^ 2*eachByte) - 0x21*eachByte) | ((w ^ eachEscape) - eachByte)) &^ w & eachHigh
}

// equals marks exactly the bytes of w that are the byte repeated in each.
func equals(w, each uint64) uint64 {
	w ^= each
	return ^(w&^eachHigh + ^uint64(eachHigh) | w) & eachHigh
}

// runEnd returns the index of the first byte at or after i that ends a run of
// plain string bytes, or an index on the way there when fewer than 16 bytes are
// left: either way one from which eight bytes can be loaded, if that is so for i.
// It is small enough to be inlined, so that most strings cost no call. If the byte there
// is a quote the string is over; if not, stringEnd goes on.
func runEnd(b []byte, i int) int {
	for ; i+16 <= len(b); i += 8 {
		if m := stops(load64(b, i)); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	return i
}

// plainEnd returns the index of the first byte at or after i that ends a run of plain
// string bytes or is not ASCII, or an index from the limit on, up to which there is none.
// Beyond the limit b goes on for seven bytes or more.
func plainEnd(b []byte, i, limit int) int {
	for ; i < limit; i += 8 {
		if w := load64(b, i); (stops(w)|w)&eachHigh != 0 {
			return i + bits.TrailingZeros64((stops(w)|w)&eachHigh)>>3
		}
	}
	return i
}

// stringEnd returns the index of the quote that closes the string that b[i] is in.
func stringEnd(b []byte, i int) int {
	for i+8 <= len(b) {
		w := load64(b, i)
		m := stops(w)
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) >> 3
		if b[i] == '"' {
			return i
		}
		if i = escapesEnd(b, i); i < 0 {
			return -1
		}
	}
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			return i
		case c == '\\' || c < ' ':
			if i = escapeEnd(b, i); i < 0 {
				return -1
			}
		default:
			i++
		}
	}
	return -1
}

// escapesEnd reads the escape sequence at b[i] and then what is like JSON in a string,
// where one byte in every few is an escaped quote: words in which each quote has a
// backslash before it and each backslash a quote after it. Each word is done without a
// look at where in it they are; carry is the mark of a backslash at its end.
func escapesEnd(b []byte, i int) int {
	if i = escapeEnd(b, i); i < 0 {
		return -1
	}
	i = escapesFast(b, i)
	carry := uint64(0)
	for ; i+8 <= len(b); i += 8 {
		w := load64(b, i)
		escapes := equals(w, eachEscape)
		if escapes<<8|carry != equals(w, eachQuote) || (w-eachSpace)&^w&eachHigh != 0 {
			break
		}
		carry = escapes >> 56
	}
	if carry != 0 {
		i--
	}
	return i
}

// escapeEnd reads one escape sequence, b[i] being its backslash.
func escapeEnd(b []byte, i int) int {
	if b[i] != '\\' {
		return -1
	}
	switch at(b, i+1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 <= len(b) && isHex(b[i+2]) && isHex(b[i+3]) && isHex(b[i+4]) && isHex(b[i+5]) {
			return i + 6
		}
	}
	return -1
}

func isHex(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 6
}

// skipSpace returns the index of the first byte at or after i that is not white space.
func skipSpace(b []byte, i int) int {
	for i+8 <= len(b) {
		w := load64(b, i)
		switch c := byte(w); {
		case c > ' ':
			return i
		case w == eachSpace:
			i += 8
		case c == ' ':
			i += bits.TrailingZeros64(w^eachSpace) >> 3
			if b[i] > ' ' {
				return i
			}
		case c == '\n': // followed by an indentation, as a rule
			i += 1 + bits.TrailingZeros64(w>>8^eachSpace>>8|1<<56)>>3
			if at(b, i) > ' ' {
				return i
			}
		case c == '\r' || c == '\t':
			i++
		default:
			return i
		}
	}
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// indentEnd is skipSpace where white space is likely to be what it was before the
// previous key: gap bytes from b[last] on. If so, finding that out takes no
// look at the single bytes.
func indentEnd(b []byte, i, last, gap int) int {
	if gap >= 8 && gap <= 16 && i+gap < len(b) && b[i+gap] == '"' {
		if load64(b, i) == load64(b, last) && load64(b, i+gap-8) == load64(b, last+gap-8) {
			return i + gap
		}
	} else if gap < 8 && i+8 < len(b) && b[i+gap] == '"' {
		if (load64(b, i)^load64(b, last))<<(64-8*gap&63) == 0 {
			return i + gap
		}
	}
	return skipSpace(b, i)
}

// numberEnd reads a number.
func numberEnd(b []byte, i int) int {
	if at(b, i) == '-' {
		i++
	}
	from := i
	i = digitsEnd(b, i)
	if i == from || b[from] == '0' && i > from+1 {
		return -1
	}
	if at(b, i) == '.' {
		from = i + 1
		if i = digitsEnd(b, from); i == from {
			return -1
		}
	}
	if at(b, i)|0x20 == 'e' {
		if i++; at(b, i) == '+' || at(b, i) == '-' {
			i++
		}
		from = i
		if i = digitsEnd(b, from); i == from {
			return -1
		}
	}
	return i
}

func digitsEnd(b []byte, i int) int {
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	return i
}

// literalEnd reads null, true or false.
func literalEnd(b []byte, i int) int {
	if i+4 > len(b) {
		return -1
	}
	switch binary.LittleEndian.Uint32(b[i:]) {
	case wordNull, wordTrue:
		return i + 4
	}
	if i+5 <= len(b) && b[i] == 'f' && binary.LittleEndian.Uint32(b[i+1:]) == wordAlse {
		return i + 5
	}
	return -1
}

// valueEnd reads the value that begins at b[i]; depth is the number of arrays
// and objects around it.
func valueEnd(b []byte, i, depth int) int {
	switch c := at(b, i); c {
	case '"':
		if i = stringEnd(b, i+1); i < 0 {
			return -1
		}
		return i + 1
	case '{':
		return objectEnd(b, i, depth)
	case '[':
		return arrayEnd(b, i, depth)
	case 'n', 't', 'f':
		return literalEnd(b, i)
	default:
		return numberEnd(b, i)
	}
}

// repeats returns how many of at most n bytes from b[i] on are those from b[from] on,
// which is less than i.
func repeats(b []byte, i, from, n int) int {
	n = min(n, len(b)-i)
	k := repeatsFast(b, i, from, n)
	for ; k+8 <= n; k += 8 {
		if m := load64(b, i+k) ^ load64(b, from+k); m != 0 {
			return k + bits.TrailingZeros64(m)>>3
		}
	}
	for k < n && b[i+k] == b[from+k] {
		k++
	}
	return k
}

// objectEnd reads an object.
func objectEnd(b []byte, i, depth int) int {
	if depth >= maxDepth {
		return -1
	}
	if i++; at(b, i) != '"' {
		if i = skipSpace(b, i); at(b, i) == '}' {
			return i + 1
		}
	}
	last, gap := 0, 0
	// The usual members, as long as the end of the document is not near.
	for i+16 <= len(b) && b[i] == '"' {
		i = runEnd(b, i+1)
		var c byte
		if w := load64(b, i); w&0xffff == '"'|':'<<8 {
			i += 2
			if c = byte(w >> 16); c == ' ' {
				i++
				c = byte(w >> 24)
			}
			if c <= ' ' {
				i = skipSpace(b, i)
				c = at(b, i)
			}
		} else {
			if i = stringEnd(b, i); i < 0 {
				return -1
			}
			if i = colonEnd(b, i+1); i < 0 {
				return -1
			}
			c = at(b, i)
		}
		if c == '"' {
			i = runEnd(b, i+1)
			if at(b, i) != '"' {
				if i = stringEnd(b, i); i < 0 {
					return -1
				}
			}
			i++
		} else if c == 'n' {
			if i+4 > len(b) || load32(b, i) != wordNull {
				return -1
			}
			i += 4
		} else if i = valueEnd(b, i, depth+1); i < 0 {
			return -1
		}
		c = at(b, i)
		if c <= ' ' {
			i = skipSpace(b, i)
			c = at(b, i)
		}
		if c != ',' {
			if c != '}' {
				return -1
			}
			return i + 1
		}
		if i++; at(b, i) <= ' ' {
			from := i
			i = indentEnd(b, i, last, gap)
			last, gap = from, i-from
		}
	}
	for {
		if _, i = keyEnd(b, i); i < 0 {
			return -1
		}
		if i = valueEnd(b, i, depth+1); i < 0 {
			return -1
		}
		var more bool
		if i, more = itemEnd(b, i, '}'); !more {
			return i
		}
	}
}

// keyEnd reads the key that begins at b[i] and the colon after it. It returns the index
// of the quote that closes the key, and that of the value; value is -1 if there is none.
func keyEnd(b []byte, i int) (end, value int) {
	if at(b, i) != '"' {
		return -1, -1
	}
	if end = stringEnd(b, i+1); end < 0 {
		return -1, -1
	}
	return end, colonEnd(b, end+1)
}

// colonEnd reads the colon between a key and its value, with the white space
// around it.
func colonEnd(b []byte, i int) int {
	if at(b, i) != ':' {
		if i = skipSpace(b, i); at(b, i) != ':' {
			return -1
		}
	}
	if i++; at(b, i) <= ' ' {
		i = skipSpace(b, i)
	}
	return i
}

func arrayEnd(b []byte, i, depth int) int {
	if depth >= maxDepth {
		return -1
	}
	if i++; at(b, i) <= ' ' {
		i = skipSpace(b, i)
	}
	if at(b, i) == ']' {
		return i + 1
	}
	for {
		if i = valueEnd(b, i, depth+1); i < 0 {
			return -1
		}
		var more bool
		if i, more = itemEnd(b, i, ']'); !more {
			return i
		}
	}
}

// itemEnd reads what follows an element or a member: a comma, after which there is
// another one at next, or the closing bracket, with next after it.
func itemEnd(b []byte, i int, closing byte) (next int, more bool) {
	if at(b, i) <= ' ' {
		i = skipSpace(b, i)
	}
	switch at(b, i) {
	case ',':
		if i++; at(b, i) <= ' ' {
			i = skipSpace(b, i)
		}
		return i, true
	case closing:
		return i + 1, false
	}
	return -1, false
}

// valid reports whether b is one JSON value with nothing but white space around it.
func valid(b []byte) bool {
	i := valueEnd(b, skipSpace(b, 0), 0)
	return i >= 0 && skipSpace(b, i) == len(b)
}
