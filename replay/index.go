package replay

import (
	"encoding/binary"
	"time"
)

// piece says where in the reel the bytes of a read are.
type piece struct {
	at     time.Duration
	offset int64 // of its first line
	length int32 // of its lines
	size   int32 // of what they stand for
}

// pieces is a list of the pieces of one body, in their order. A reel may have as many
// of them as it has lines, so each takes but a few bytes: what it has more than the
// one before, as varints. The blocks they are in are not copied as the list grows.
type pieces struct {
	n    int
	at   time.Duration // of the last
	end  int64         // of the last one's lines
	tail []byte        // the last block
	full [][]byte      // the blocks in front of it
}

const (
	// pieceBlock is the size of a block, in bytes; only the first is smaller, as
	// most bodies are.
	pieceBlock = 4 << 10

	// maxPiece is what a piece can take: two numbers of up to 63 bits, and two of
	// up to 32.
	maxPiece = 9 + 9 + 5 + 5
)

// len returns the number of pieces; a nil list has none.
func (l *pieces) len() int {
	if l == nil {
		return 0
	}
	return l.n
}

// add puts p at the end. Its moment and offset are not before those of the last.
func (l *pieces) add(p piece) {
	if len(l.tail) > pieceBlock-maxPiece {
		l.full = append(l.full, l.tail)
		l.tail = make([]byte, 0, pieceBlock)
	}
	l.tail = binary.AppendUvarint(l.tail, uint64(p.at-l.at))
	l.tail = binary.AppendUvarint(l.tail, uint64(p.offset-l.end))
	l.tail = binary.AppendUvarint(l.tail, uint64(p.size))
	l.tail = binary.AppendUvarint(l.tail, uint64(p.length-p.size)) // lines are no shorter than their bytes
	l.n++
	l.at, l.end = p.at, p.offset+int64(p.length)
}

// first returns the first piece, if there is one.
func (l *pieces) first() (piece, bool) {
	w := l.walk()
	return w.next()
}

// walk goes through the list from its beginning. A copy of a walk goes on from where
// it was made.
type walk struct {
	list  *pieces
	rest  []byte // of the block
	block int    // the next
	at    time.Duration
	end   int64
}

// walk returns a walk from the beginning. A nil list is empty.
func (l *pieces) walk() walk {
	if l == nil {
		l = new(pieces)
	}
	return walk{list: l}
}

// next returns the next piece, if there is one.
func (w *walk) next() (p piece, ok bool) {
	if len(w.rest) == 0 {
		switch w.block++; {
		case w.block <= len(w.list.full):
			w.rest = w.list.full[w.block-1]
		case w.block == len(w.list.full)+1 && len(w.list.tail) > 0:
			w.rest = w.list.tail
		default:
			return piece{}, false
		}
	}
	p.at = w.at + time.Duration(w.number())
	p.offset = w.end + int64(w.number())
	p.size = int32(w.number())
	p.length = p.size + int32(w.number())
	w.at, w.end = p.at, p.offset+int64(p.length)
	return p, true
}

func (w *walk) number() uint64 {
	v, n := binary.Uvarint(w.rest)
	w.rest = w.rest[n:]
	return v
}
