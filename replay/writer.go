package replay

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// End is how an exchange ended.
type End string

const (
	EndEOF      End = "eof"      // the body came to its end
	EndReset    End = "reset"    // the connection broke, or was never made
	EndTimeout  End = "timeout"  // the client waited in vain
	EndCanceled End = "canceled" // the client did not want more

	// EndUnknown is the end of an exchange whose recording was cut off.
	EndUnknown End = ""
)

// Writer writes a reel. It is the level below a [Recorder], for programs that compose
// recordings or capture what does not come over net/http. FORMAT.md in this package's
// directory defines the format.
//
// Each record goes to the underlying writer with one Write, before the method returns, so
// that a program that dies leaves a reel that is good up to its last whole read. After the
// first error nothing more is written.
//
// Moments are durations since the start of the recording. One that is earlier than that of
// the record before it is taken to be the same.
//
// The methods of a Writer and of its ExchangeWriters may be called from several
// goroutines at once.
type Writer struct {
	mu        sync.Mutex
	w         io.Writer
	err       error
	buf       []byte
	at        time.Duration
	exchanges int
	size      int64 // of the reel since the last seal
	sum       uint32
}

// NewWriter returns a Writer to w that has written the first lines of a reel: the version
// and, unless start is zero, the wall clock at the start of the recording. If it returns an
// error, so does every later call.
func NewWriter(w io.Writer, start time.Time) (*Writer, error) {
	rw := &Writer{w: w}
	rw.buf = append(rw.buf, firstLine+"\n"...)
	rw.clock(start)
	return rw, rw.flush()
}

// clock appends a line with the time of the wall clock.
func (w *Writer) clock(now time.Time) {
	now = now.UTC()
	if y := now.Year(); !now.IsZero() && y >= 0 && y <= 9999 { // RFC 3339 has no others
		w.buf = append(w.buf, "@ "...)
		w.buf = now.AppendFormat(w.buf, time.RFC3339Nano)
		w.buf = append(w.buf, '\n')
	}
}

const firstLine = "reel 1"

// Comment writes text as comment lines, one for each of its lines. Comments have no
// escapes: a byte that a line cannot hold is written as \xHH, and is read back as that.
func (w *Writer) Comment(text string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for line := range strings.SplitSeq(text, "\n") {
		line = line[:min(len(line), maxField)]
		w.buf = append(w.buf, '#')
		if line != "" {
			w.buf = append(w.buf, ' ')
			for i, part := range strings.Split(line, `\`) {
				if i > 0 {
					w.buf = append(w.buf, '\\')
				}
				w.buf, _ = appendQuoted(w.buf, []byte(part))
			}
		}
		w.buf = append(w.buf, '\n')
	}
	return w.flush()
}

// Close seals the reel: it writes a last line with the sum of all that was written, which
// shows whether any of it has been changed. It does not close the underlying writer, nor
// does it end exchanges that have not ended. The error is that of the first record that could
// not be written. A second Close does nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == errClosed {
		return nil
	}
	if w.err != nil {
		return w.err
	}
	w.buf = fmt.Appendf(w.buf, "$ bytes=%d crc32c=%08x\n", w.size, w.sum)
	err := w.flush()
	w.size, w.sum = 0, 0
	if w.err == nil {
		w.err = errClosed
	}
	return err
}

var errClosed = errors.New("replay: the reel is closed")

// Err returns the error that has stopped the writing, nil while there is none.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == errClosed {
		return nil
	}
	return w.err
}

// Exchange begins an exchange with its request, sent at the moment at. The header is
// written sorted by name, without names that HTTP does not allow and fields of more than
// 8 MiB. The ExchangeWriter is never nil: after an error it writes nothing.
func (w *Writer) Exchange(at time.Duration, method, url string, h http.Header) (*ExchangeWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !isToken(method) || url == "" || len(url) > maxField {
		return &ExchangeWriter{w: w, ended: true}, fmt.Errorf("replay: %q %q is no HTTP method and URL", clip(method), clip(url))
	}
	if w.exchanges == math.MaxInt32 {
		return &ExchangeWriter{w: w, ended: true}, fmt.Errorf("replay: exchange %d has the last number there is", w.exchanges)
	}
	w.exchanges++
	x := &ExchangeWriter{w: w, number: w.exchanges}
	w.begin('>', x.number, at)
	w.buf = append(w.buf, ' ')
	w.buf = append(w.buf, method...)
	w.buf = append(w.buf, ' ')
	w.buf, _ = appendQuoted(w.buf, []byte(url))
	w.buf = append(w.buf, '\n')
	w.appendHeader('>', x.number, h)
	return x, w.flush()
}

// ExchangeWriter writes one exchange: the pieces of the request's body, if they matter, the
// response, its reads, and its end. A read before the response, a second response or a trailer
// before the first read is an error, and writes nothing.
type ExchangeWriter struct {
	w         *Writer
	number    int
	size      int64
	sum       uint32
	responded bool
	reads     int
	ended     bool
}

// RequestBody writes a piece of the request's body, sent at the moment at.
func (x *ExchangeWriter) RequestBody(at time.Duration, b []byte) error {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	return x.piece('^', at, b)
}

// Response writes the response's status and header, received at the moment at.
func (x *ExchangeWriter) Response(at time.Duration, status int, h http.Header) error {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	if x.ended {
		return x.w.err
	}
	if status < 100 || status > 999 {
		return fmt.Errorf("replay: %d is no HTTP status", status)
	}
	if x.responded {
		return fmt.Errorf("replay: exchange %d has its response already", x.number)
	}
	x.responded = true
	x.w.begin('<', x.number, at)
	x.w.buf = append(x.w.buf, ' ')
	x.w.buf = strconv.AppendInt(x.w.buf, int64(status), 10)
	x.w.buf = append(x.w.buf, '\n')
	x.w.appendHeader('<', x.number, h)
	return x.w.flush()
}

// Trailer writes the response's trailers, received at the moment of the record before them.
// They come after the last read; there has to be one.
func (x *ExchangeWriter) Trailer(h http.Header) error {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	if x.ended {
		return x.w.err
	}
	if x.reads == 0 {
		return fmt.Errorf("replay: exchange %d has no read yet, which trailers come behind", x.number)
	}
	x.w.appendHeader('<', x.number, h)
	return x.w.flush()
}

// ResponseBody writes the bytes of the response's body that one read returned at the
// moment at. It does not keep b.
func (x *ExchangeWriter) ResponseBody(at time.Duration, b []byte) error {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	if x.ended {
		return x.w.err
	}
	if !x.responded {
		return fmt.Errorf("replay: exchange %d has no response yet, so there is nothing to read", x.number)
	}
	x.reads++
	x.size += int64(len(b))
	x.sum = crc32.Update(x.sum, castagnoli, b)
	return x.piece('=', at, b)
}

func (x *ExchangeWriter) piece(kind byte, at time.Duration, b []byte) error {
	if x.ended {
		return x.w.err
	}
	for len(b) > maxRead {
		if err := x.piece(kind, at, b[:maxRead]); err != nil {
			return err
		}
		b = b[maxRead:]
	}
	x.w.begin(kind, x.number, at)
	x.w.buf = append(x.w.buf, ' ')
	x.w.buf = strconv.AppendInt(x.w.buf, int64(len(b)), 10)
	x.w.buf = append(x.w.buf, '\n')
	x.w.buf = appendBody(x.w.buf, b)
	return x.w.flush()
}

// End writes how the exchange ended and, if cause is not nil, why. After that nothing is
// written for the exchange; a second End does nothing.
func (x *ExchangeWriter) End(at time.Duration, end End, cause error) error {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	if x.ended {
		return x.w.err
	}
	switch end {
	case EndEOF, EndReset, EndTimeout, EndCanceled:
	default:
		return fmt.Errorf("replay: %q is no way to end an exchange", end)
	}
	x.ended = true
	x.w.begin('.', x.number, at)
	x.w.buf = fmt.Appendf(x.w.buf, " %s bytes=%d crc32c=%08x", end, x.size, x.sum)
	if cause != nil {
		x.w.buf = append(x.w.buf, " error="...)
		text := cause.Error()
		x.w.buf, _ = appendQuoted(x.w.buf, []byte(text[:min(len(text), maxCause)]))
	}
	x.w.buf = append(x.w.buf, '\n')
	return x.w.flush()
}

// begin appends the beginning of a record: its kind, exchange and time.
func (w *Writer) begin(kind byte, exchange int, at time.Duration) {
	since := max(at-w.at, 0)
	if w.err == nil {
		w.at += since
	}
	w.buf = append(w.buf, kind, ' ')
	w.buf = strconv.AppendInt(w.buf, int64(exchange), 10)
	w.buf = append(w.buf, " +"...)
	w.buf = appendSeconds(w.buf, since)
}

const (
	// maxField bounds a URL, a header field and a line of a comment, in bytes, so that no
	// line is longer than maxLine even if each byte becomes an escape.
	maxField = 8 << 20

	maxCause = 4 << 10
)

// appendSeconds appends d, which is not negative, in seconds: exactly, and without trailing
// zeros.
func appendSeconds(dst []byte, d time.Duration) []byte {
	dst = strconv.AppendInt(dst, int64(d/time.Second), 10)
	frac := uint32(d % time.Second)
	if frac == 0 {
		return dst
	}
	text := "000000000"
	for frac%1000 == 0 {
		frac, text = frac/1000, text[3:]
	}
	for frac%10 == 0 {
		frac, text = frac/10, text[1:]
	}
	dst = append(append(dst, '.'), text...)
	for i := len(dst) - 1; frac > 0; i-- {
		dst[i] = '0' + byte(frac%10)
		frac /= 10
	}
	return dst
}

func (w *Writer) appendHeader(kind byte, exchange int, h http.Header) {
	names := make([]string, 0, len(h))
	for name := range h {
		// net/http lets no other name in, and there is no way to write one.
		if isToken(name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
	})
	for _, name := range names {
		for _, value := range h[name] {
			if len(name)+len(value) > maxField {
				continue
			}
			w.buf = append(w.buf, kind, ' ')
			w.buf = strconv.AppendInt(w.buf, int64(exchange), 10)
			w.buf = append(w.buf, ' ')
			w.buf = append(w.buf, strings.ToLower(name)...)
			w.buf = append(w.buf, ':')
			if value != "" {
				w.buf = append(w.buf, ' ')
				w.buf, _ = appendQuoted(w.buf, []byte(value))
			}
			w.buf = append(w.buf, '\n')
		}
	}
}

// isToken returns whether s is a token, as methods and field names are: RFC 9110, section
// 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// flush writes the record in buf.
func (w *Writer) flush() error {
	record := w.buf
	w.buf = w.buf[:0]
	if cap(w.buf) > 4*maxText {
		w.buf = nil
	}
	if w.err != nil {
		return w.err
	}
	n, err := w.w.Write(record)
	if err == nil && n < len(record) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.err = fmt.Errorf("replay: the reel ends here, at byte %d: %w", w.size+int64(n), err)
		return w.err
	}
	w.size += int64(n)
	w.sum = crc32.Update(w.sum, castagnoli, record)
	return nil
}
