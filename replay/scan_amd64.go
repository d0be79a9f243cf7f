//go:build !purego

package replay

func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)

func xgetbv() (low, high uint32)

var hasAVX2 = detectAVX2()

// detectAVX2 asks the processor for AVX2 and the operating system for the upper
// halves of the registers it uses, as Intel's manual wants it (volume 1, section
// "Detection of AVX2"). The standard library keeps its own answer to itself, as does
// ssewire.
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

// indexNameAVX2 is indexNameGeneric.
//
//go:noescape
func indexNameAVX2(b []byte, i, n int) int

func indexName(b []byte, i, n int) int {
	if !hasAVX2 {
		return indexNameGeneric(b, i, n)
	}
	_, _ = b[i-3:], b[n+scanSlack-1]
	return indexNameAVX2(b, i, n)
}

// asciiPrefixAVX2 is asciiPrefixGeneric for b of 32 bytes at least.
//
//go:noescape
func asciiPrefixAVX2(b []byte) int

func asciiPrefix(b []byte) int {
	if len(b) < 32 || !hasAVX2 {
		return asciiPrefixGeneric(b)
	}
	return asciiPrefixAVX2(b)
}
