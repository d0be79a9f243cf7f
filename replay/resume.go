package replay

import (
	"bytes"
	"io"
	"time"
)

// resumption is where in a recorded event stream a client goes on that has what
// comes before it.
type resumption struct {
	bytes  int64 // of the body, whole blocks
	events int   // of these
	at     time.Duration
}

// resume returns where a client goes on in x that has id as its last event ID. That is
// behind the first block that sets id; but a stream may set one id for many events, as
// an Assembly's does, and then it is behind the last whole block in its first delivered
// bytes, if these are known (else 0) and id is in force there. Without a block
// that sets id the client gets all of x.
func (x *Exchange) resume(id string, delivered int64) (resumption, error) {
	var point resumption
	found := false
	b := blocks{ended: func(b *blocks, at time.Duration) bool {
		switch {
		case string(b.id) != id:
		case !found && b.setID:
			found = true
			point = resumption{b.offset, b.events, at}
		case found && b.offset <= delivered:
			point = resumption{b.offset, b.events, at}
		}
		return !found || b.offset < delivered
	}}
	for c := newCursor(x, &x.reads, readAhead); ; {
		read, err := c.next()
		if err == io.EOF {
			b.eof()
			return point, nil
		}
		if err != nil {
			return point, err
		}
		if !b.feed(read) {
			return point, nil
		}
	}
}

// restOfBlock returns the bytes of the block that the first delivered bytes of the body
// end within, from there to its end.
func (x *Exchange) restOfBlock(delivered int64) []byte {
	end := int64(0)
	b := blocks{ended: func(b *blocks, _ time.Duration) bool {
		end = b.offset
		return end < delivered
	}}
	c := newCursor(x, &x.reads, readAhead)
	for more := delivered > 0; more && end < delivered; {
		read, err := c.next()
		if err != nil {
			b.eof()
			break
		}
		more = b.feed(read)
	}
	if end <= delivered {
		return nil
	}
	c = newCursor(x, &x.reads, readAhead)
	cut := c.skip(delivered)
	var rest []byte
	for int64(len(rest)) < end-delivered {
		read, err := c.next()
		if err != nil {
			break
		}
		rest = append(rest, read.Data[cut:]...)
		cut = 0
	}
	return rest[:min(int64(len(rest)), end-delivered)]
}

// blocks goes through an event stream and tells where its blocks end: WHATWG HTML,
// section "Interpreting an event stream".
type blocks struct {
	ended func(b *blocks, at time.Duration) bool // called at each end; false stops it

	offset int64  // of the end of the block
	events int    // dispatched so far
	id     []byte // the last event ID in force
	setID  bool   // by this block

	begun   bool // the first line has ended, and its byte order mark is behind us
	hasData bool
	buffer  []byte // the last event ID buffer
	line    []byte // the first maxIDLine bytes of the current line
	at      time.Duration
	cr      bool // the byte before was CR
	pending bool // a block has ended, and an LF would belong to its end
	stopped bool
}

// maxIDLine is how long a line may be that sets an ID which resume can find, in bytes.
const maxIDLine = 4 << 10

var bom = []byte("\xef\xbb\xbf")

func (b *blocks) feed(read Read) (more bool) {
	for _, c := range read.Data {
		if b.cr && c == '\n' {
			b.cr = false
			b.offset++
			continue
		}
		b.settle()
		if b.stopped {
			return false
		}
		b.offset++
		if b.cr = c == '\r'; b.cr || c == '\n' {
			b.endLine()
			b.at = read.At
		} else if len(b.line) < maxIDLine {
			b.line = append(b.line, c)
		}
	}
	return !b.stopped
}

// eof ends the stream.
func (b *blocks) eof() { b.settle() }

// settle tells of the block that has ended, now that it is known whether the LF of a
// CRLF belongs to it.
func (b *blocks) settle() {
	if !b.pending {
		return
	}
	b.pending = false
	b.stopped = !b.ended(b, b.at)
	b.setID = false
}

func (b *blocks) endLine() {
	line := b.line
	b.line = b.line[:0]
	if !b.begun {
		b.begun = true
		line = bytes.TrimPrefix(line, bom)
	}
	if len(line) == 0 {
		if b.hasData {
			b.events++
		}
		b.id = append(b.id[:0], b.buffer...)
		b.hasData, b.pending = false, true
		return
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		b.hasData = true
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			b.buffer = append(b.buffer[:0], value...)
			b.setID = true
		}
	}
}
