//go:build !purego

package ssewire

func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)

func xgetbv() (low, high uint32)

var hasAVX2 = detectAVX2()

// detectAVX2 returns whether the processor has AVX2 and the operating system saves
// the registers that it uses, as Intel's manual says how to find out (volume 1,
// section "Detection of AVX2"). The standard library does not export its own answer.
func detectAVX2() bool {
	if most, _, _, _ := cpuid(0, 0); most < 7 {
		return false
	}
	const osxsave, avx = 1 << 27, 1 << 28
	if _, _, c, _ := cpuid(1, 0); c&(osxsave|avx) != osxsave|avx {
		return false
	}
	const xmm, ymm = 1 << 1, 1 << 2
	if low, _ := xgetbv(); low&(xmm|ymm) != xmm|ymm {
		return false
	}
	const avx2 = 1 << 5
	_, b, _, _ := cpuid(7, 0)
	return b&avx2 != 0
}

// indexLineEndAVX2 is indexLineEndGeneric in one pass, for b at least slack bytes
// longer than n.
//
//go:noescape
func indexLineEndAVX2(b []byte, n int) int

func indexLineEnd(b []byte, n int) int {
	if !hasAVX2 {
		return indexLineEndGeneric(b, n)
	}
	_ = b[n+slack-1]
	return indexLineEndAVX2(b, n)
}
