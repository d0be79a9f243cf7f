package replay

import "math/bits"

// The two searches that each byte of a recording goes through. Where the processor has
// AVX2, scan_amd64.s does them 32 bytes at a time; what is here is what they mean.

// scanSlack is how far indexName may read behind what it is asked for, in bytes.
const scanSlack = 64

// mayName has, for the low four bits of the last but one and of the last byte of a name,
// the pairs that these may be of: see maySecretEnd. It is in step with nameTables in
// scan_amd64.s.
var mayName = [2][16]byte{
	{5: 1 | 2, 0xf: 2, 2: 4, 7: 4}, // E; O; R; W
	{9: 1, 4: 1 | 4, 0xe: 2},       // Y; T and D; N
}

// indexNameGeneric returns the index of the first byte in b[i:n] that is '=' or '%', or a
// colon that may be behind the name of a credential in a response, or behind a scheme; n
// if there is none. i is at least 3, and b at least scanSlack bytes longer than n.
func indexNameGeneric(b []byte, i, n int) int {
	for at := i; at < n; at += 8 {
		w := le.Uint64(b[at:])
		for odd := zeroBytes(w^':'*ones) | zeroBytes(w^'='*ones) | zeroBytes(w^'%'*ones); odd != 0; odd &= odd - 1 {
			j := at + bits.TrailingZeros64(odd)/8
			switch {
			case j >= n:
				return n
			case b[j] == '=', b[j] == '%':
				return j
			case b[j] != ':': // after a borrow
				continue
			}
			switch b[j+1] {
			case '/', '\\':
				return j
			case '"', ' ':
				c, d := b[j-3], b[j-2]
				if b[j-1] == ' ' || d == '\\' || c|d < 0x80 && mayName[0][c&15]&mayName[1][d&15] != 0 {
					return j
				}
			}
		}
	}
	return n
}

const ones, high = 0x0101010101010101, 0x8080808080808080

// zeroBytes returns w with the high bit set of each byte that is zero, and perhaps, after
// a borrow, of one that follows such a byte.
func zeroBytes(w uint64) uint64 { return (w - ones) &^ w & high }

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
