package replay

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Exchange is one request and what came back. It is immutable, and safe for use by
// several goroutines at once; its headers must not be changed.
//
// Moments are durations since the start of the recording.
type Exchange struct {
	Number int // as in the reel

	Sent          time.Duration // the moment the request was sent
	Method        string
	URL           string // as it was requested, less what is secret
	RequestHeader http.Header

	// The response; StatusCode is 0 where none came.
	Received   time.Duration // the moment the header arrived
	StatusCode int
	Header     http.Header
	Size       int64       // of the body, in bytes
	Trailer    http.Header // nil where there is none

	Ended time.Duration
	End   End
	Cause string // why it ended, where that was noted

	path, query   string // of URL, as a request line has them
	src           io.ReaderAt
	reads         pieces
	requestPieces *pieces // nil where there are none
	sum           uint32  // of the body
	line          int     // of the reel, where the exchange begins
	offset        int64
}

// Read is what one read of a body returned: the bytes that arrived together.
type Read struct {
	At   time.Duration
	Data []byte
}

// IsEventStream returns whether the response is an event stream: its status is 200
// and its content type text/event-stream.
func (x *Exchange) IsEventStream() bool {
	mediaType, _, _ := strings.Cut(x.Header.Get("Content-Type"), ";")
	return x.StatusCode == http.StatusOK && strings.EqualFold(strings.TrimSpace(mediaType), eventStream)
}

const eventStream = "text/event-stream"

// NumReads returns the number of reads of the response's body.
func (x *Exchange) NumReads() int { return x.reads.len() }

// Reads returns the reads of the response's body in their order. Data is valid
// until the loop body returns. An error, which only reading the file can give,
// ends the loop.
func (x *Exchange) Reads() iter.Seq2[Read, error] { return x.pieces(&x.reads) }

// RequestReads is Reads for the request's body, where that was recorded.
func (x *Exchange) RequestReads() iter.Seq2[Read, error] { return x.pieces(x.requestPieces) }

func (x *Exchange) pieces(list *pieces) iter.Seq2[Read, error] {
	return func(yield func(Read, error) bool) {
		var lines, data []byte
		walk := list.walk()
		for p, ok := walk.next(); ok; p, ok = walk.next() {
			var err error
			lines, data, err = p.load(x.src, lines, data[:0])
			if err != nil {
				yield(Read{}, fmt.Errorf("replay: exchange %d: %w", x.Number, err))
				return
			}
			if !yield(Read{At: p.at, Data: data}, nil) {
				return
			}
		}
	}
}

// Body returns the body of the response, one recorded read a call of Read where
// the caller's buffer is large enough. It does not wait for the recorded moments.
func (x *Exchange) Body() io.Reader { return &bodyReader{x: x, walk: x.reads.walk()} }

type bodyReader struct {
	x     *Exchange
	walk  walk
	lines []byte
	data  []byte // of the reads so far, what is left
	buf   []byte
}

func (b *bodyReader) Read(p []byte) (int, error) {
	for len(b.data) == 0 {
		p, ok := b.walk.next()
		if !ok {
			return 0, io.EOF
		}
		var err error
		b.lines, b.buf, err = p.load(b.x.src, b.lines, b.buf[:0])
		if err != nil {
			return 0, fmt.Errorf("replay: exchange %d: %w", b.x.Number, err)
		}
		b.data = b.buf
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

// load appends the bytes of p to data. lines is scratch memory.
func (p piece) load(src io.ReaderAt, lines, data []byte) (_, _ []byte, err error) {
	if int(p.length) > cap(lines) {
		lines = make([]byte, p.length)
	}
	lines = lines[:p.length]
	if n, err := src.ReadAt(lines, p.offset); n < len(lines) {
		return lines, data, err
	}
	data = slices.Grow(data, int(p.size))
	for rest := lines; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		if !isBodyLine(line) {
			continue
		}
		if data, err = appendBodyLine(data, line); err != nil {
			return lines, data, err
		}
	}
	return lines, data, nil
}
