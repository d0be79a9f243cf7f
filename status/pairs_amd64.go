//go:build !purego

package status

import "golang.org/x/sys/cpu"

// hasAVX2 includes the few instructions for single bits that came with it.
var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasBMI1

// pairsAVX2 is pairsPortable for room pairs from out on, 32 bytes at a time.
//
//go:noescape
func pairsAVX2(b *byte, i, limit int, out *pair, room int, keys uint64) (n, next int, where stop)

func findPairs(b []byte, i, limit int, out []pair, keys uint64) (n, next int, where stop) {
	if !hasAVX2 {
		return pairsPortable(b, i, limit, out, keys)
	}
	return pairsAVX2(&b[0], i, limit, &out[0], len(out), keys)
}

// repeatsAVX2 returns how many of the n bytes from a on are those from b on, as far as
// 32 at a time go.
//
//go:noescape
func repeatsAVX2(a, b *byte, n int) int

func repeatsFast(b []byte, i, from, n int) int {
	if !hasAVX2 || n < 32 {
		return 0
	}
	return repeatsAVX2(&b[i], &b[from], n)
}
