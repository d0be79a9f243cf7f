package replay

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// A line of a reel carries text as it is, as long as a person, an editor and a
// diff can be trusted with it: printable ASCII, tabs, and valid UTF-8 but for the
// few characters that editors take for line ends or drop. FORMAT.md, "Text".

// special marks the bytes that need a second look or an escape. LF, which ends a
// line, and everything from 0x80, which may be part of a character, are special.
var special = func() (t [256]bool) {
	for c := range t {
		t[c] = c < ' ' && c != '\t' || c >= 0x7f
	}
	return t
}()

// plainPrefix returns how many bytes at the beginning of b can stand in a line as
// they are.
func plainPrefix(b []byte) int {
	i := 0
	for {
		i += asciiPrefix(b[i:])
		if i == len(b) || b[i] < utf8.RuneSelf {
			return i
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 || !plainRune(r) {
			return i
		}
		i += n
	}
}

// plainRune returns whether r, which is not ASCII, can stand in a line as it is:
// not the C1 controls (U+0085 is a line end to some), not the line and paragraph
// separators, not a byte order mark.
func plainRune(r rune) bool {
	return r > 0x9f && r != 0x2028 && r != 0x2029 && r != 0xfeff
}

const hex = "0123456789abcdef"

// appendQuoted appends b in the quoted form: \n, \r, \\ and \xHH for what cannot
// stand as it is. It returns the number of \xHH as well.
func appendQuoted(dst, b []byte) (quoted []byte, escapes int) {
	for len(b) > 0 {
		n := plainPrefix(b)
		plain := b[:n]
		for i := bytes.IndexByte(plain, '\\'); i >= 0; i = bytes.IndexByte(plain, '\\') {
			dst = append(append(dst, plain[:i]...), `\\`...)
			plain = plain[i+1:]
		}
		dst = append(dst, plain...)
		if n == len(b) {
			break
		}
		switch c := b[n]; c {
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		default:
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
			escapes++
		}
		b = b[n+1:]
	}
	return dst, escapes
}

// appendUnquoted appends what the quoted form q stands for.
func appendUnquoted(dst, q []byte) ([]byte, error) {
	for i := 0; i < len(q); {
		n := bytes.IndexByte(q[i:], '\\')
		if n < 0 {
			return append(dst, q[i:]...), nil
		}
		n += i
		dst = append(dst, q[i:n]...)
		if n+1 == len(q) {
			return dst, fmt.Errorf(`a backslash ends the line: write \\ for a backslash`)
		}
		i = n + 2
		switch q[n+1] {
		case '\\':
			dst = append(dst, '\\')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'x':
			if n+4 > len(q) || unhex(q[n+2]) < 0 || unhex(q[n+3]) < 0 {
				return dst, fmt.Errorf(`\x takes two hexadecimal digits`)
			}
			dst = append(dst, byte(unhex(q[n+2])<<4|unhex(q[n+3])))
			i = n + 4
		default:
			return dst, fmt.Errorf(`unknown escape \%c: write \\ for a backslash`, q[n+1])
		}
	}
	return dst, nil
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
