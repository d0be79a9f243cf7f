package replay

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// reading is a text as names are compared in it: in small letters, with a space for a plus
// sign, which is one in a query.
type reading struct {
	text  []byte
	jumps []jump // one after each escape that was undone, in order
}

// jump says that text[at] is longer bytes further on in the original, as is what follows up to
// the next jump.
type jump struct{ at, longer int }

// read returns how b reads, with its escapes undone or as they are. Undone are those of JSON,
// of JSON in a string, and of URLs, also where they have been escaped again: nobody knows
// what b is made of.
func read(b []byte, undo bool) reading {
	r := reading{text: make([]byte, 0, len(b))}
	for i := 0; i < len(b); {
		c, n := rune(b[i]), 1
		switch {
		case undo:
			c, n = character(b[i:])
		case c >= utf8.RuneSelf:
			c, n = utf8.DecodeRune(b[i:])
		}
		before := len(r.text)
		if c == utf8.RuneError && n == 1 {
			r.text = append(r.text, b[i])
		} else {
			r.text = utf8.AppendRune(r.text, folded(c))
		}
		i += n
		if len(r.text)-before != n {
			r.jumps = append(r.jumps, jump{len(r.text), i - len(r.text)})
		}
	}
	return r
}

// at returns where in the original text[i] is.
func (r reading) at(i int) int {
	n, found := slices.BinarySearchFunc(r.jumps, i, func(j jump, i int) int { return j.at - i })
	if found {
		n++
	}
	if n > 0 {
		i += r.jumps[n-1].longer
	}
	return i
}

// folded returns c as it is compared, in as many bytes as c has.
func folded(c rune) rune {
	if c == '+' {
		return ' '
	}
	if small := unicode.ToLower(c); utf8.RuneLen(small) == utf8.RuneLen(c) {
		return small
	}
	return c
}

// character returns the character that b begins with, and how many bytes it is spelled with.
// A byte that is no UTF-8 is a utf8.RuneError of one byte.
func character(b []byte) (c rune, n int) {
	switch b[0] {
	case '\\':
		return backslashed(b)
	case '%':
		var plain []byte
		for n < len(b) && !utf8.FullRune(plain) {
			c, size := percentEncoded(b[n:])
			if size == 0 {
				return '%', 1
			}
			plain, n = append(plain, c), n+size
		}
		if c, size := utf8.DecodeRune(plain); c != utf8.RuneError || size > 1 {
			return c, n
		}
		return '%', 1
	}
	return utf8.DecodeRune(b)
}

// percentEncoded returns the byte that b begins with, percent-encoded once or more, and the
// length of that: 0 if there is none.
func percentEncoded(b []byte) (c byte, n int) {
	if b[0] != '%' {
		return 0, 0
	}
	for n = 1; len(b) >= n+4 && b[n] == '2' && b[n+1] == '5' && isHex(b[n+2:n+4]); {
		n += 2
	}
	if len(b) < n+2 || !isHex(b[n:n+2]) {
		return 0, 0
	}
	return byte(unhex(b[n])<<4 | unhex(b[n+1])), n + 2
}

// backslashed is character where b begins with a backslash. In a string in a string, an escape
// begins with several.
func backslashed(b []byte) (c rune, n int) {
	for n < len(b) && b[n] == '\\' {
		n++
	}
	if n == len(b) {
		return '\\', n
	}
	switch b[n] {
	case '"', '/':
		return rune(b[n]), n + 1
	case 'b', 'f', 'n', 'r', 't':
		return rune("\b\f\n\r\t"[strings.IndexByte("bfnrt", b[n])]), n + 1
	}
	c, ok := hexUnit(b[n:])
	if !ok {
		return '\\', n
	}
	n += len("u0000")
	if !utf16.IsSurrogate(c) {
		return c, n
	}
	low := n
	for low < len(b) && b[low] == '\\' {
		low++
	}
	if second, ok := hexUnit(b[low:]); ok && low > n {
		if c := utf16.DecodeRune(c, second); c != utf8.RuneError {
			return c, low + len("u0000")
		}
	}
	return utf8.RuneError, n
}

// hexUnit returns the number in u0000, which b begins with if ok.
func hexUnit(b []byte) (c rune, ok bool) {
	if len(b) < len("u0000") || b[0] != 'u' || !isHex(b[1:5]) {
		return 0, false
	}
	for _, digit := range b[1:5] {
		c = c<<4 | rune(unhex(digit))
	}
	return c, true
}

// respell changes spelled, which is a spelling of c, into one of another character that has
// as many bytes in UTF-8.
func respell(spelled []byte, c, other rune) {
	digits := hex
	if bytes.ContainsAny(spelled, "ABCDEF") {
		digits = strings.ToUpper(hex)
	}
	write := func(to []byte, number rune) {
		for i := len(to) - 1; i >= 0; i-- {
			to[i] = digits[number&0xf]
			number >>= 4
		}
	}
	switch {
	case c == other:
	case spelled[0] == '%':
		for _, b := range utf8.AppendRune(nil, other) {
			_, n := percentEncoded(spelled)
			write(spelled[n-2:n], rune(b))
			spelled = spelled[n:]
		}
	case spelled[0] == '\\':
		end := len(spelled)
		if high, low := utf16.EncodeRune(other); high != utf8.RuneError {
			write(spelled[end-4:], low)
			first := bytes.IndexByte(spelled, 'u') + 1
			write(spelled[first:first+4], high)
		} else {
			write(spelled[end-4:], other)
		}
	case len(spelled) == 1 && other >= utf8.RuneSelf:
		spelled[0] = 'a' + byte(other%26) // where it was no UTF-8
	default:
		utf8.EncodeRune(spelled, other)
	}
}
