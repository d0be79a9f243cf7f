package replay

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The lines of the largest read fit into a piece.
func TestMaxLines(t *testing.T) {
	for size, want := range map[int64]int64{0: maxOverhead, 100: maxOverhead + 800, maxRead: math.MaxInt32} {
		if got := maxLines(size); got != want {
			t.Errorf("%d bytes may have lines of %d bytes, want %d", size, got, want)
		}
	}
}

// What is put into a list comes out of it, however large and however many.
func TestPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	var list pieces
	if p, ok := list.first(); ok {
		t.Errorf("nothing begins with %+v", p)
	}
	want := []piece{{size: 0}, {offset: 20, length: math.MaxInt32, size: 0}, {at: 1 << 40, offset: 1 << 50, length: math.MaxInt32, size: maxRead}}
	for len(want) < 3*pieceBlock {
		p := want[len(want)-1]
		p.at += time.Duration(rng.Int64N(1 << rng.IntN(40)))
		p.offset += int64(p.length) + rng.Int64N(1<<rng.IntN(40))
		p.size = rng.Int32N(1 << rng.IntN(28))
		p.length = p.size + rng.Int32N(1<<rng.IntN(30))
		want = append(want, p)
	}
	want = append(want, piece{at: math.MaxInt64, offset: math.MaxInt64 - 2, length: 2, size: 1})
	for _, p := range want {
		list.add(p)
	}
	if first, ok := list.first(); !ok || first != want[0] || list.len() != len(want) {
		t.Errorf("the first of %d is %+v, %v", list.len(), first, ok)
	}
	walk := list.walk()
	for i, p := range want {
		copied := walk
		for _, w := range []interface{ next() (piece, bool) }{&copied, &walk} {
			if got, ok := w.next(); !ok || got != p {
				t.Fatalf("piece %d is %+v, %v; want %+v", i, got, ok, p)
			}
		}
	}
	for range 2 {
		if p, ok := walk.next(); ok {
			t.Errorf("behind the last is %+v", p)
		}
	}
	held := cap(list.tail)
	for _, block := range list.full {
		held += cap(block)
	}
	if most := len(list.full)*pieceBlock + pieceBlock; held > most {
		t.Errorf("%d blocks hold %d bytes, want up to %d", len(list.full)+1, held, most)
	}
}
