package replay

import "math/bits"

const ones, high = 0x0101010101010101, 0x8080808080808080

// asciiPrefixGeneric returns how many bytes at the beginning of b are printable ASCII or
// tabs. It looks at eight bytes at a time.
func asciiPrefixGeneric(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := le.Uint64(b[i:])
		// The high bit of a byte is set: in w for one from 0x80, in the
		// difference for one below 0x20 (and perhaps, after a borrow, for the
		// next one, so only the first counts), in the sum for 0x7f.
		if odd := (w | (w - 0x20*ones) | (w + ones)) & high; odd != 0 {
			i += bits.TrailingZeros64(odd) / 8
			if b[i] != '\t' {
				return i
			}
			i -= 7
		}
	}
	for i < len(b) && !special[b[i]] {
		i++
	}
	return i
}
