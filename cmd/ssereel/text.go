package main

import "unicode/utf8"

// appendText appends b as a browser would see it: decoded as UTF-8, with U+FFFD for
// each maximal part of an ill-formed sequence, as the WHATWG Encoding standard
// has it (Go's own conversions put one for each byte).
func appendText(dst, b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, "\ufffd"...)
			n = illFormed(b)
		} else {
			dst = append(dst, b[:n]...)
		}
		b = b[n:]
	}
	return dst
}

// illFormed returns how many bytes one U+FFFD stands for at the beginning of b,
// which is no valid UTF-8: as many as begin some valid sequence, at least one.
func illFormed(b []byte) int {
	low, high := byte(0x80), byte(0xbf) // of the second byte
	size := 1
	switch c := b[0]; {
	case 0xc2 <= c && c <= 0xdf:
		size = 2
	case c == 0xe0:
		size, low = 3, 0xa0
	case c == 0xed:
		size, high = 3, 0x9f
	case 0xe1 <= c && c <= 0xef:
		size = 3
	case c == 0xf0:
		size, low = 4, 0x90
	case c == 0xf4:
		size, high = 4, 0x8f
	case 0xf1 <= c && c <= 0xf3:
		size = 4
	}
	n := 1
	for n < size && n < len(b) && low <= b[n] && b[n] <= high {
		low, high = 0x80, 0xbf
		n++
	}
	return n
}
