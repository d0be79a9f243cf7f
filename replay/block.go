package replay

import (
	"bytes"
	"io"
	"iter"
	"time"
)

// block is a block of an event stream: the lines up to a blank one, with that.
type block struct {
	end    int64         // of it, in bytes of the body
	sure   int64         // from which on a client knows it: an LF after the CR that ends it adds nothing
	at     time.Duration // of the read that its last line has ended in
	event  bool          // it is dispatched
	setsID bool
	id     []byte // the last event ID behind it, valid until the next block
}

// blocks returns the blocks of the body of x. An error is the last, and says why the reel
// cannot be read any more.
func (x *Exchange) blocks() iter.Seq2[block, error] {
	return func(yield func(block, error) bool) {
		var b block
		var scan blockScanner
		end := func() bool {
			b.event, b.setsID, b.id = scan.hasData, scan.setsID, scan.id
			scan.nextBlock()
			return yield(b, nil)
		}
		for c := newCursor(x, &x.reads, readAhead); ; {
			read, err := c.next()
			if err != nil {
				if (!scan.ended || end()) && err != io.EOF {
					yield(block{}, err)
				}
				return
			}
			for data := read.Data; len(data) > 0; {
				if !scan.ended {
					b.at = read.At
				}
				n, ended := scan.block(data)
				b.end += int64(n)
				b.sure = b.end
				if scan.lf {
					b.sure--
				}
				if data = data[n:]; ended && !end() {
					return
				}
			}
		}
	}
}

// countEvents returns how many events the body of x has, as far as it can be read.
func countEvents(x *Exchange) (n int) {
	for b, err := range x.blocks() {
		if err == nil && b.event {
			n++
		}
	}
	return n
}

// blockScanner finds the ends of the blocks of an event stream, those that dispatch an
// event, and the IDs that they set: WHATWG HTML, section "Interpreting an event stream". A
// byte order mark counts as a block.
type blockScanner struct {
	hasData bool   // the block has a data field
	setsID  bool   // the block has an id field
	id      []byte // the last event ID buffer
	ended   bool   // the block has ended with a CR: an LF would belong to it
	lf      bool   // as it does

	begun bool   // a byte order mark is no longer one
	mark  int    // bytes of it so far
	cr    bool   // a CR has ended the line before: an LF would belong to it
	field int    // bytes of the line that agree with "data", notData from the first that does not on
	line  []byte // where it begins as an id field does, the first maxIDLine bytes of the line
}

const notData = -1

// maxIDLine is how long a line may be that sets an ID which resume can find, in bytes.
const maxIDLine = 4 << 10

// block returns how many bytes of data belong to the block under way, and whether
// they are all that come of it: then nextBlock has to be called.
func (b *blockScanner) block(data []byte) (n int, ended bool) {
	if b.ended {
		if data[0] == '\n' {
			n, b.lf = 1, true
		}
		return n, true
	}
	const mark = "\xef\xbb\xbf"
	for n < len(data) {
		c := data[n]
		if b.cr {
			b.cr = false
			if c == '\n' {
				n++
				continue
			}
		}
		if !b.begun {
			if c == mark[b.mark] {
				n++
				b.field = notData
				if b.mark++; b.mark == len(mark) {
					return n, true
				}
				continue
			}
			b.begun = true
		}
		if b.field == notData {
			end := n + lineEnd(data[n:])
			if len(b.line) > 0 {
				b.line = append(b.line, data[n:min(end, n+maxIDLine-len(b.line))]...)
			}
			if n = end; n == len(data) {
				return n, false
			}
			c = data[n]
		}
		n++
		switch {
		case c == '\n' || c == '\r':
			blank := b.field == 0
			b.hasData = b.hasData || b.field == len("data")
			b.field = 0
			if len(b.line) > 0 {
				b.setID()
			}
			if !blank {
				b.cr = c == '\r'
				continue
			}
			if c == '\r' {
				if n == len(data) {
					b.ended = true
					return n, false
				}
				if data[n] == '\n' {
					n++
					b.lf = true
				}
			}
			return n, true
		case b.field == len("data"):
			b.hasData = b.hasData || c == ':'
			b.field = notData
		case c == "data"[b.field]:
			b.field++
		default:
			if b.field == 0 && c == 'i' {
				b.line = append(b.line, c)
			}
			b.field = notData
		}
	}
	return n, false
}

// setID takes the line, which has ended, for an id field if it is one.
func (b *blockScanner) setID() {
	name, value, _ := bytes.Cut(b.line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch {
	case string(name) != "id" || bytes.IndexByte(value, 0) >= 0:
	case len(b.line) == maxIDLine: // and perhaps longer
		b.id, b.setsID = append(b.id[:0], 0), true // which no client can say
	default:
		b.id, b.setsID = append(b.id[:0], value...), true
	}
	b.line = b.line[:0]
}

func (b *blockScanner) nextBlock() {
	*b = blockScanner{begun: true, id: b.id, line: b.line}
}

// lineEnd returns the index of the first CR or LF in b, len(b) if there is none. It looks
// for the one and then for the other in a part at a time: where all lines end with CR,
// there may be no LF for long.
func lineEnd(b []byte) int {
	for from, size := 0, 256; from < len(b); from, size = from+size, 4*size {
		part := b[from:min(from+size, len(b))]
		end := len(part)
		if i := bytes.IndexByte(part, '\n'); i >= 0 {
			end = i
		}
		if i := bytes.IndexByte(part[:end], '\r'); i >= 0 {
			end = i
		}
		if end < len(part) {
			return from + end
		}
	}
	return len(b)
}
