//go:build !purego

package status

import "golang.org/x/sys/cpu"

// hasAVX2 includes BMI1, of which the assembly uses TZCNT and BLSR.
var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasBMI1

// pairsAVX2 is pairsPortable for room pairs from out on, 64 bytes at a time. It checks no
// bounds: b has to go on for slack bytes beyond the limit, and room has to be at least 1.
//
//go:noescape
func pairsAVX2(b *byte, i, limit int, out *pair, room int, keys uint64) (n, next int, where stop)

// findPairs is pairsPortable, as fast as this processor can.
func findPairs(b []byte, i, limit int, out []pair, keys uint64) (n, next int, where stop) {
	if !hasAVX2 {
		return pairsPortable(b, i, limit, out, keys)
	}
	return pairsAVX2(&b[0], i, limit, &out[0], len(out), keys)
}

// repeatsAVX2 returns how many of the n bytes from a on are those from b on. What is left
// of n after the last whole 32 bytes is not looked at.
//
//go:noescape
func repeatsAVX2(a, b *byte, n int) int

// repeatsFast is a beginning of what repeats counts, or 0.
func repeatsFast(b []byte, i, from, n int) int {
	if !hasAVX2 {
		return 0
	}
	k := 0
	for n-k >= 32 {
		step := min(n-k, stretch)
		same := repeatsAVX2(&b[i+k], &b[from+k], step)
		if k += same; same < step {
			break
		}
	}
	return k
}

// escapesAVX2 returns where the first byte from b[i] on is that neither is plain, as part of a
// string, nor belongs to an escaped quote. If there is none up to the limit it returns an
// index beyond that, or the one before it if a backslash stands there. It loads 32 bytes
// from any index below the limit.
//
//go:noescape
func escapesAVX2(b *byte, i, limit int) int

// escapesFast goes some of the way that escapesEnd goes, or none.
func escapesFast(b []byte, i int) int {
	end := len(b) - 31
	for hasAVX2 && i < end {
		from, limit := i, min(end, i+stretch)
		if i = escapesAVX2(&b[0], i, limit); i < limit-1 || i == from {
			break
		}
	}
	return i
}
