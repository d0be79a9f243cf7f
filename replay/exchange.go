package replay

import (
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

	Ended time.Duration // 0 where End is EndUnknown
	End   End
	Cause string // why it ended, where that was noted

	host          string // of URL, "" for a path
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
		for c := newCursor(x, list, readAhead); ; {
			read, err := c.next()
			if err == io.EOF || !yield(read, err) || err != nil {
				return
			}
		}
	}
}

// Body returns the body of the response, one recorded read a call of Read where
// the caller's buffer is large enough. It does not wait for the recorded moments.
func (x *Exchange) Body() io.Reader {
	return &bodyReader{cursor: newCursor(x, &x.reads, readAhead)}
}

type bodyReader struct {
	*cursor
	rest []byte // of the read before
}

func (b *bodyReader) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		read, err := b.next()
		if err != nil {
			return 0, err
		}
		b.rest = read.Data
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// appendLines appends the size bytes that the lines of a read stand for.
func appendLines(dst, lines []byte, size int) (_ []byte, err error) {
	dst = slices.Grow(dst, size)
	for len(lines) > 0 {
		var line []byte
		line, lines = cutLine(lines)
		if !isBodyLine(line) {
			continue
		}
		if dst, err = appendBodyLine(dst, line); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
