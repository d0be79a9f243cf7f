package main

import (
	"slices"
	"testing"
	"unicode/utf8"
)

func TestAppendText(t *testing.T) {
	const r = "\ufffd"
	tests := []struct {
		name     string
		in, want string
	}{
		{"empty", "", ""},
		{"ASCII", "a\x00\t\n\x7f", "a\x00\t\n\x7f"},
		{"first and last of two bytes", "\u0080\u07ff", "\u0080\u07ff"},
		{"first and last of three bytes", "\u0800\uffff", "\u0800\uffff"},
		{"around the surrogates", "\ud7ff\ue000", "\ud7ff\ue000"},
		{"first and last of four bytes", "\U00010000\U0010ffff", "\U00010000\U0010ffff"},
		{"a replacement character that was there", "\xef\xbf\xbd", r},
		{"a byte order mark is kept", "\ufeffa", "\ufeffa"},
		// The Unicode Standard, version 15, section 3.9, tables 3-8 to 3-11.
		{"not the shortest form", "\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", r + r + r + r + r + r + r + r + "A"},
		{"surrogates", "\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", r + r + r + r + r + r + r + r + "A"},
		{"beyond U+10FFFF", "\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", r + r + r + r + r + "A" + r + r + "B"},
		{"cut off", "\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", r + r + r + r + "A"},
		{"cut off by the end, one of two", "a\xc3", "a" + r},
		{"cut off by the end, two of three", "a\xe6\x97", "a" + r},
		{"cut off by the end, three of four", "a\xf0\x9f\x98", "a" + r},
		{"a lone continuation", "\x80a\xbf", r + "a" + r},
		{"bytes that are never there", "\xc0\xc1\xf5\xff", r + r + r + r},
		{"cut off by another beginning", "\xe6\x97\xe6\x97\xa5", r + "\u65e5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(appendText(nil, []byte(tt.in))); got != tt.want {
				t.Errorf("% x is %+q, want %+q", tt.in, got, tt.want)
			}
			if got := string(appendText([]byte("before "), []byte(tt.in))); got != "before "+tt.want {
				t.Errorf("appended: %+q", got)
			}
		})
	}
}

// Four bytes of every kind against the decoder as the standard spells it out.
func TestAppendTextLikeTheStandard(t *testing.T) {
	kinds := []byte{
		0x00, 'A', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf,
		0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
	}
	var in [4]byte
	var got, want []byte
	for _, in[0] = range kinds {
		for _, in[1] = range kinds {
			for _, in[2] = range kinds {
				for _, in[3] = range kinds {
					got = appendText(got[:0], in[:])
					want = decodeUTF8(want[:0], in[:])
					if !slices.Equal(got, want) {
						t.Fatalf("% x is %+q, want %+q", in, got, want)
					}
				}
			}
		}
	}
}

// decodeUTF8 is the UTF-8 decoder of the WHATWG Encoding standard, section 8.1.1,
// in replacement mode, step by step.
func decodeUTF8(dst, in []byte) []byte {
	var point rune
	var seen, needed int
	lower, upper := byte(0x80), byte(0xbf)
	for i := 0; i < len(in); i++ {
		c := in[i]
		if needed == 0 {
			switch {
			case c <= 0x7f:
				dst = append(dst, c)
			case 0xc2 <= c && c <= 0xdf:
				needed, point = 1, rune(c&0x1f)
			case 0xe0 <= c && c <= 0xef:
				if c == 0xe0 {
					lower = 0xa0
				}
				if c == 0xed {
					upper = 0x9f
				}
				needed, point = 2, rune(c&0x0f)
			case 0xf0 <= c && c <= 0xf4:
				if c == 0xf0 {
					lower = 0x90
				}
				if c == 0xf4 {
					upper = 0x8f
				}
				needed, point = 3, rune(c&0x07)
			default:
				dst = append(dst, "\ufffd"...)
			}
			continue
		}
		if c < lower || upper < c {
			point, needed, seen, lower, upper = 0, 0, 0, 0x80, 0xbf
			dst = append(dst, "\ufffd"...)
			i-- // the byte is looked at again
			continue
		}
		lower, upper = 0x80, 0xbf
		point = point<<6 | rune(c&0x3f)
		if seen++; seen == needed {
			dst = utf8.AppendRune(dst, point)
			point, needed, seen = 0, 0, 0
		}
	}
	if needed > 0 {
		dst = append(dst, "\ufffd"...)
	}
	return dst
}
