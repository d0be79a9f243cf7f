package ssewire

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestIndexLineEnd compares the search that this machine uses with the portable
// one, at every length around the width of its steps and at every offset.
func TestIndexLineEnd(t *testing.T) {
	check := func(t *testing.T, b []byte, n int) {
		t.Helper()
		if got, want := indexLineEnd(b, n), indexLineEndGeneric(b, n); got != want {
			t.Fatalf("indexLineEnd(%q, %d) = %d, want %d", b[:n], n, got, want)
		}
	}
	t.Run("each byte, alone", func(t *testing.T) {
		for c := range 256 {
			for at := range 3 * slack {
				b := bytes.Repeat([]byte{'x'}, 4*slack)
				b[at] = byte(c)
				for _, n := range []int{0, at, at + 1, 3 * slack} {
					check(t, b, n)
				}
			}
		}
	})
	t.Run("line ends behind the end", func(t *testing.T) {
		b := bytes.Repeat([]byte("\n\r"), 2*slack)
		for n := range 2 * slack {
			line := bytes.Clone(b)
			for i := range n {
				line[i] = 'x'
			}
			check(t, line, n)
		}
	})
	t.Run("random", func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for range 20000 {
			n, misaligned := r.IntN(5*slack), r.IntN(64)
			b := make([]byte, misaligned+n+slack)[misaligned:]
			for i := range b {
				b[i] = byte(r.Uint32())
				if r.IntN(3) > 0 {
					b[i] = "\n\r\v\f\x1a\x1d\x8a\x8d"[r.IntN(8)]
				}
				if r.IntN(40) > 0 && (b[i] == '\n' || b[i] == '\r') {
					b[i] = 'x'
				}
			}
			check(t, b, n)
		}
	})
	t.Run("a line end in the middle of a long line", func(t *testing.T) {
		for _, c := range []byte("\n\r") {
			b := bytes.Repeat([]byte{'x'}, 1<<16+slack)
			b[1<<16-1] = c
			check(t, b, 1<<16)
			check(t, b, 1<<16-1)
		}
	})
}
