package ssewire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// DefaultMaxEventSize is the limit of an event where [MaxEventSize] sets none:
// 16 MiB.
const DefaultMaxEventSize = 16 << 20

// A stream of small events needs no more than this, and a program may have
// thousands of streams open.
const minBuffer = 4 << 10

// ErrEventTooLarge is wrapped by the error of a stream with an event that exceeds
// the limit of [MaxEventSize].
var ErrEventTooLarge = errors.New("ssewire: event too large")

// An Option sets up a [Parser], a [Reader] or a [Stream].
type Option func(*Parser)

// MaxEventSize limits an event to n bytes. What counts, at each of its lines, is the
// line (with the field name, without the line end) and the data of the lines before
// it. An event over the limit ends the stream with an error that wraps
// [ErrEventTooLarge]. Comments do not count: they are skipped without being stored,
// whatever their length. n <= 0 means [DefaultMaxEventSize].
func MaxEventSize(n int) Option {
	return func(p *Parser) { p.limit = n }
}

// LastEventID sets the last event ID that is in force until the stream sets another:
// the one that the request for the stream had in its header Last-Event-ID. An empty
// one is the same as none.
func LastEventID(id string) Option {
	return func(p *Parser) {
		p.initialID = nil
		if id != "" {
			p.initialID = []byte(id)
		}
	}
}

// Parser is the push side: it is fed the stream in chunks, cut anywhere, and hands
// out the events that are complete.
//
//	p.Feed(chunk)
//	for p.Next() {
//		ev := p.Event()
//	}
//	if err := p.Err(); err != nil { … }
//
// However the same bytes are cut, the events are the same. An event that the end of
// the stream cuts off is not dispatched, as the standard demands, so there is
// nothing to call at the end.
//
// The zero value is ready for use. A Parser must not be used from several
// goroutines at once.
type Parser struct {
	// The window: buf[pos:end] is fed and not yet parsed, pos is the start of a
	// line. The data that waits for its blank line lies before pos, at
	// buf[dataStart:dataEnd]. The last slack bytes of buf are never filled.
	buf []byte
	pos int
	end int

	// buf[pos:scanned] holds no line end. So a line that arrives in many chunks is
	// searched once, not once a chunk.
	scanned int

	begun   bool // pos is past the byte order mark, if there was one
	fresh   bool // a block begins at pos, and none of it has been scanned
	afterCR bool // a CR ended the line before pos: an LF at pos belongs to it

	// The block so far. Data lines after the first are moved down to join the first
	// where it lies. typ lies in buf until it has to move to typBuf. Or it lies in
	// typLine: the last event line that the short way has met, line end included.
	dataStart, dataEnd int // dataStart < 0 where there is no data
	typ                []byte
	typBuf, typLine    []byte
	id                 []byte // last event ID buffer, where hasID
	hasID              bool

	lastID    []byte // last event ID string, shown to the user as ev.ID
	initialID []byte // nil where there is none
	retry     time.Duration
	hasRetry  bool
	limit     int

	base   int64 // buf[i] is byte base+i of the stream, for i >= pos
	block  int64 // position in the stream of the block being read
	events int64 // dispatched so far

	ev  Event
	err error
}

// NewParser returns a Parser with options. Without options, new(Parser) is the same.
func NewParser(opts ...Option) *Parser {
	p := new(Parser)
	for _, opt := range opts {
		opt(p)
	}
	return p
}

// Reset makes p ready for a new stream. It keeps the buffers and the options and
// forgets everything else, the reconnection time included; the last event ID is
// again that of the option [LastEventID].
func (p *Parser) Reset() {
	*p = Parser{
		buf:       p.buf,
		typBuf:    p.typBuf[:0],
		typLine:   p.typLine[:0],
		id:        p.id[:0],
		lastID:    p.lastID[:0],
		limit:     p.limit,
		initialID: p.initialID,
	}
}

// Feed adds a chunk to what is to be parsed. The chunk is copied: the caller may
// change it as soon as Feed returns. The memory that p holds grows with the chunk,
// so feed a very large one in parts. Feed invalidates the last Event. After an error
// it does nothing.
func (p *Parser) Feed(chunk []byte) {
	if p.err != nil {
		return
	}
	copy(p.room(len(chunk)), chunk)
	p.filled(len(chunk))
}

// Event returns the event that the last call of Next has found, if it returned
// true. It is a view, valid until the next call of Next, Feed or Reset.
func (p *Parser) Event() Event { return p.ev }

// Err returns the error that has ended the stream, nil while there is none. It
// wraps [ErrEventTooLarge], the only thing that can be wrong with an event stream.
func (p *Parser) Err() error { return p.err }

// LastEventID returns the last event ID in force: what a client that connects
// again sends as Last-Event-ID, unless it is empty. A block that holds only an id
// sets it, although it dispatches no event.
func (p *Parser) LastEventID() string {
	if !p.begun {
		return string(p.initialID)
	}
	return string(p.lastID)
}

// idInForce returns a copy of the last event ID, nil where none has been set.
func (p *Parser) idInForce() []byte {
	if !p.begun {
		return p.initialID
	}
	return bytes.Clone(p.ev.ID)
}

// ReconnectionTime returns the last reconnection time that the stream has set
// with a retry field. Values beyond the range of time.Duration become the
// longest one.
func (p *Parser) ReconnectionTime() (d time.Duration, ok bool) { return p.retry, p.hasRetry }

// Next goes on to the next event that is complete in the chunks fed so far. It
// returns false when there is none: feed more, unless Err returns an error.
func (p *Parser) Next() bool {
	// This is the short way through the kind of block that most streams consist of:
	// perhaps a type, one line of data, a blank line; lines that end in LF, fields
	// spelled as everybody spells them, all of it in the window. Where the block
	// turns out to be different, next takes over.
	buf, pos, end := p.buf, p.pos, p.end
	if !p.fresh || pos == end {
		return p.next()
	}
	var typ []byte
	line, head := pos, le.Uint64(buf[pos:])
	if head<<8 == eventField<<8 {
		// Most events have the type of the one before. Comparing is not only cheaper
		// than searching: the processor need not wait to learn where the line ends.
		if n := len(p.typLine); n > 0 && n <= end-pos && string(buf[pos:pos+n]) == string(p.typLine) {
			pos += n
		} else {
			pos += indexLineEnd(buf[pos:], end-pos)
			if pos == end || pos < line+7 || buf[pos] != '\n' || pos-line > p.limit {
				p.leave(line, pos, nil)
				return p.next()
			}
			pos++
			p.typLine = append(p.typLine[:0], buf[line:pos]...)
		}
		n := len(p.typLine) - 1
		typ = p.typLine[7:n:n]
		line, head = pos, le.Uint64(buf[pos:])
	}
	if head<<16 == dataField<<16 {
		pos += indexLineEnd(buf[pos:], end-pos)
		if pos+1 < end && pos >= line+6 && buf[pos] == '\n' && buf[pos+1] == '\n' && pos-line <= p.limit {
			p.ev.Type = typ
			p.ev.Data = buf[line+6 : pos : pos]
			p.pos = pos + 2
			p.events++
			return true
		}
	}
	p.leave(line, pos, typ)
	return p.next()
}

// leave leaves the short way at the line that begins at line. There is no line end
// before scanned.
func (p *Parser) leave(line, scanned int, typ []byte) {
	p.block = p.base + int64(p.pos)
	p.pos, p.scanned, p.typ = line, scanned, typ
	p.fresh = false
}

// next is Next for everything that may be in a stream.
func (p *Parser) next() bool {
	if p.fresh {
		p.leave(p.pos, p.pos, nil)
	}
	if !p.begun && !p.begin() {
		return false
	}
	if p.err != nil {
		return false
	}
	buf, limit := p.buf, p.limit
	pos, afterCR := p.pos, p.afterCR
	scanned := p.scanned
	dataStart, dataEnd, typ := p.dataStart, p.dataEnd, p.typ
	for {
		if pos == p.end {
			p.pos, p.scanned, p.afterCR = pos, pos, afterCR
			p.dataStart, p.dataEnd, p.typ = dataStart, dataEnd, typ
			return false
		}
		end := pos
		if c := buf[pos]; c != '\n' && c != '\r' {
			end = scanned + indexLineEnd(buf[scanned:], p.end-scanned)
			if end == p.end {
				p.pos, p.scanned, p.afterCR = pos, end, afterCR
				p.dataStart, p.dataEnd, p.typ = dataStart, dataEnd, typ
				p.wait()
				return false
			}
		}

		if end == pos {
			// A blank line dispatches the block, unless it is the second half of
			// a CRLF.
			isLF := buf[end] == '\n'
			pos = end + 1
			scanned = pos
			if isLF && afterCR {
				afterCR = false
				if p.block == p.base+int64(end) {
					p.block++
				}
				continue
			}
			afterCR = !isLF
			p.block = p.base + int64(pos)
			if p.hasID {
				p.commitID()
			}
			if dataStart < 0 {
				typ = nil
				continue
			}
			p.ev.Type = typ
			p.ev.Data = buf[dataStart:dataEnd:dataEnd]
			p.pos, p.scanned, p.afterCR = pos, pos, afterCR
			p.dataStart, p.dataEnd, p.typ = -1, -1, nil
			p.fresh = !afterCR
			p.events++
			return true
		}

		line := buf[pos:end]
		if len(line)+dataEnd-dataStart > limit && line[0] != ':' {
			p.fail()
			return false
		}
		data := -1 // where the value of a data field begins
		switch head := le.Uint64(buf[pos:]); {
		case head<<16 == dataField<<16 && len(line) >= 6:
			data = pos + 6
		case head<<8 == eventField<<8 && len(line) >= 7:
			typ = line[7:len(line):len(line)]
		default:
			switch name, v := field(line); name {
			case 'd':
				data = pos + v
			case 'e':
				typ = line[v:len(line):len(line)]
			case 'i':
				p.setID(line[v:])
			case 'r':
				p.setRetry(line[v:])
			}
		}
		if data >= 0 {
			if dataStart < 0 {
				dataStart, dataEnd = data, end
			} else {
				// The line break and the field name leave room for the LF that
				// joins the lines, but a type between them would be overwritten.
				typ = p.keepType(typ)
				buf[dataEnd] = '\n'
				dataEnd += 1 + copy(buf[dataEnd+1:], buf[data:end])
			}
		}
		afterCR = buf[end] == '\r'
		pos = end + 1
		scanned = pos
	}
}

var le = binary.LittleEndian

// The fields that matter most, in their usual spelling: the first bytes of the line
// as a little-endian number.
const (
	dataField  = 'd' | 'a'<<8 | 't'<<16 | 'a'<<24 | ':'<<32 | ' '<<40
	eventField = 'e' | 'v'<<8 | 'e'<<16 | 'n'<<24 | 't'<<32 | ':'<<40 | ' '<<48
)

// field returns the first letter of the line's field name, 0 for a comment or an
// unknown field, and where the value begins.
func field(line []byte) (name byte, v int) {
	var want string
	switch line[0] {
	case 'd':
		want = "data"
	case 'e':
		want = "event"
	case 'i':
		want = "id"
	case 'r':
		want = "retry"
	default:
		return 0, 0
	}
	n := len(want)
	switch {
	case len(line) < n || string(line[:n]) != want:
		return 0, 0
	case len(line) == n:
		return want[0], n
	case line[n] != ':':
		return 0, 0
	case len(line) > n+1 && line[n+1] == ' ':
		return want[0], n + 2
	default:
		return want[0], n + 1
	}
}

// setID puts v into the last event ID buffer, unless it has a NUL. Only the end of
// the block makes it the last event ID: the id of a block that the end of the stream
// cuts off does not count.
func (p *Parser) setID(v []byte) {
	if bytes.IndexByte(v, 0) >= 0 {
		return
	}
	if p.id == nil {
		p.id = []byte{} // an empty ID is not nil, see Event.ID
	}
	p.id = append(p.id[:0], v...)
	p.hasID = true
}

func (p *Parser) commitID() {
	p.hasID = false
	p.id, p.lastID = p.lastID, p.id
	p.ev.ID = p.lastID[:len(p.lastID):len(p.lastID)]
}

// setRetry takes the value of a retry field. It ignores a value with anything but
// ASCII digits, and an empty one (which sets Chromium back to its default).
func (p *Parser) setRetry(v []byte) {
	const most = math.MaxInt64 / int64(time.Millisecond)
	var ms int64
	for _, c := range v {
		if c < '0' || c > '9' {
			return
		}
		ms = min(ms*10+int64(c-'0'), most+1)
	}
	switch {
	case len(v) == 0:
		return
	case ms > most:
		p.retry = math.MaxInt64
	default:
		p.retry = time.Duration(ms) * time.Millisecond
	}
	p.hasRetry = true
}

// keepType returns typ out of the way of what is about to happen to buf. It is called
// for every data line and copies only once, so a large type before many lines is cheap.
func (p *Parser) keepType(typ []byte) []byte {
	if len(typ) == 0 || len(p.typBuf) > 0 && &typ[0] == &p.typBuf[0] {
		return typ
	}
	p.typBuf = append(p.typBuf[:0], typ...)
	return p.typBuf[:len(typ):len(typ)]
}

// begin drops the byte order mark before the first line, if there is one. It returns
// false where it takes more bytes to know.
func (p *Parser) begin() bool {
	const bom = "\xef\xbb\xbf"
	head := p.buf[p.pos:p.end]
	if len(head) < len(bom) && string(head) == bom[:len(head)] {
		return false
	}
	if len(head) >= len(bom) && string(head[:len(bom)]) == bom {
		p.pos += len(bom)
		p.scanned = p.pos
	}
	if p.limit <= 0 {
		p.limit = DefaultMaxEventSize
	}
	if p.initialID != nil {
		p.lastID = append(p.lastID[:0], p.initialID...)
		p.ev.ID = p.lastID[:len(p.lastID):len(p.lastID)]
	}
	p.dataStart, p.dataEnd = -1, -1
	p.block = p.base + int64(p.pos)
	p.begun = true
	return true
}

// wait leaves the incomplete line at pos to the next chunk.
func (p *Parser) wait() {
	rest := p.buf[p.pos:p.end]
	switch {
	case len(rest) == 0:
	case rest[0] == ':':
		// The text of a comment does not matter: keep one byte of it.
		p.pos = p.end - 1
		p.buf[p.pos] = ':'
	case p.dataEnd-p.dataStart+len(rest) > p.limit:
		p.fail()
	}
}

func (p *Parser) fail() {
	p.err = fmt.Errorf("%w: event %d, which begins at byte %d of the stream, exceeds the limit of %d bytes; raise it with the option ssewire.MaxEventSize",
		ErrEventTooLarge, p.events+1, p.block, p.limit)
}

// room returns the free part of buf after the window, at least n bytes.
func (p *Parser) room(n int) []byte {
	full := len(p.buf) - slack
	if free := full - p.end; free < n || free < full/2 {
		p.slide()
		// With at least half of buf free, the cost of sliding per byte fed does not
		// depend on how small the chunks are.
		if free := full - p.end; free < n || free < full/2 {
			p.grow(max(2*len(p.buf), p.end+n+slack, minBuffer))
		}
	}
	return p.buf[p.end : len(p.buf)-slack]
}

// slide moves what is still needed to the front of buf.
func (p *Parser) slide() {
	p.typ = p.keepType(p.typ)
	if p.dataStart > 0 {
		p.dataEnd = copy(p.buf, p.buf[p.dataStart:p.dataEnd])
		p.dataStart = 0
	}
	front := max(p.dataEnd, 0)
	if shift := p.pos - front; shift > 0 {
		copy(p.buf[front:], p.buf[p.pos:p.end])
		p.pos -= shift
		p.end -= shift
		p.scanned -= shift
		p.base += int64(shift)
	}
}

func (p *Parser) grow(size int) {
	buf := make([]byte, size)
	copy(buf, p.buf[:p.end])
	p.buf = buf
}

// filled adds the next n bytes of buf to the window.
func (p *Parser) filled(n int) { p.end += n }

// position returns how many bytes of the stream have been fed.
func (p *Parser) position() int64 { return p.base + int64(p.end) }
