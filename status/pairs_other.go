//go:build !amd64 || purego

package status

// findPairs, repeatsFast and escapesFast are for processors with AVX2, see pairs_amd64.go.
func findPairs(b []byte, i, limit int, out []pair, keys uint64) (n, next int, where stop) {
	return pairsPortable(b, i, limit, out, keys)
}

func repeatsFast(b []byte, i, from, n int) int { return 0 }

func escapesFast(b []byte, i int) int { return i }
