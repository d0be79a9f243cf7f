package replay

import (
	"fmt"
	"io"
)

// readAhead is how much of a reel is read at once where all of it is wanted at once,
// in bytes.
const readAhead = 64 << 10

// cursor goes through the reads of a body, in their order.
type cursor struct {
	x    *Exchange
	walk walk // behind the reads that have been taken

	// Where the bytes are: in whole, from offset on, if the body has been loaded, else
	// in the reel.
	whole  []byte
	offset int

	ahead  int    // how much of the reel to read at once, in bytes, if that is more than the next read
	window []byte // of the reel
	from   int64  // where in the reel the window begins
	data   []byte
}

// next returns the next read, whose Data is valid until the call after it, and io.EOF
// behind the last.
func (c *cursor) next() (Read, error) {
	p, ok := c.walk.next()
	if !ok {
		return Read{}, io.EOF
	}
	if c.whole != nil {
		data := c.whole[c.offset : c.offset+int(p.size) : c.offset+int(p.size)]
		c.offset += int(p.size)
		return Read{At: p.at, Data: data}, nil
	}
	lines, err := c.lines(p)
	if err == nil {
		c.data, err = appendLines(c.data[:0], lines, int(p.size))
	}
	if err != nil {
		return Read{}, fmt.Errorf("replay: exchange %d: %w", c.x.Number, err)
	}
	return Read{At: p.at, Data: c.data}, nil
}

// skip goes on behind the reads that lie wholly in the n bytes that come next, and
// returns how many bytes of the read behind them belong to those n.
func (c *cursor) skip(n int64) int {
	for {
		before := c.walk
		p, ok := c.walk.next()
		if !ok || int64(p.size) > n {
			c.walk = before
			return int(n)
		}
		n -= int64(p.size)
		c.offset += int(p.size)
	}
}

// lines returns the lines of the reel that p is in.
func (c *cursor) lines(p piece) ([]byte, error) {
	start := p.offset - c.from
	if start < 0 || start+int64(p.length) > int64(len(c.window)) {
		n := max(int(p.length), c.ahead)
		if n > cap(c.window) {
			c.window = make([]byte, n)
		}
		got, err := c.x.src.ReadAt(c.window[:n], p.offset)
		c.window, c.from = c.window[:got], p.offset
		if got < int(p.length) {
			return nil, err
		}
		start = 0
	}
	return c.window[start : start+int64(p.length)], nil
}

// newCursor returns a cursor over reads of x that reads ahead in the reel.
func newCursor(x *Exchange, reads *pieces, ahead int) *cursor {
	c := &cursor{x: x, walk: reads.walk()}
	if first, ok := reads.first(); ok {
		c.ahead = int(min(int64(ahead), reads.end-first.offset))
	}
	return c
}
