package replay

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Recorder is an http.RoundTripper that records what goes through it. The program whose
// requests it carries sees every byte as it would without the Recorder, and never an error
// of the recording.
//
// It records what the program reads: the response's header and each read of the body, with
// their moments to the microsecond, up to the end or until the program closes the body. It
// also records what is read of the request's body in order to send it: the first MiB or, of an
// upload (anything but text, JSON and forms), the first 16 KiB. If there is more, a comment says
// where the recording of it stops, and the recorded Content-Length, if there is one, how long it
// is. Credentials are replaced before they are written: see [Redacted]. The body of a redirect
// to a URL with credentials is not recorded.
//
// A read is written to the reel before the program gets it, so the writer has to keep up: one
// that takes 200 ms for each Write delays each read by 200 ms, and so the moments of the reads
// after it. A file does keep up. Put a buffer and a goroutine of your own before a writer that
// may not, such as a network connection.
//
// A Recorder may be used by several goroutines, and record several exchanges, at once.
type Recorder struct {
	// Redact, if set, may overwrite whatever else must not be recorded. It is called with
	// a copy of each URL, each value of a header, the cause of an end, and each read of a
	// body. Bodies are passed in before masking, everything else after. A value split across
	// two reads is seen in two parts. Redact cannot change the length. It has to be set before
	// the first request, and may be called by several goroutines at once.
	Redact func(text []byte)

	base  http.RoundTripper
	w     *Writer
	start time.Time

	mu     sync.Mutex
	open   map[*ExchangeWriter]struct{} // those that have begun and not ended
	closed bool
}

// NewRecorder returns a Recorder that writes a reel to w and sends requests with base, or
// with http.DefaultTransport if base is nil. The first lines of the reel are written at once,
// and the error is about them. Every read of the program waits for w: it has to keep up, as a
// file does. Close the Recorder before w.
func NewRecorder(w io.Writer, base http.RoundTripper) (*Recorder, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	start := time.Now()
	rw, err := NewWriter(w, start.Round(time.Microsecond))
	if err != nil {
		return nil, err
	}
	return &Recorder{base: base, w: rw, start: start, open: make(map[*ExchangeWriter]struct{})}, nil
}

// now returns the moment of the recording, in whole microseconds: anything finer says
// nothing about a network and makes the reel harder to read.
func (r *Recorder) now() time.Duration {
	return time.Since(r.start).Truncate(time.Microsecond)
}

// Err returns the error that has ended the recording, nil while there is none. After it,
// requests are sent without being recorded.
func (r *Recorder) Err() error { return r.w.Err() }

// Comment writes text to the reel as comment lines, for people who read it.
func (r *Recorder) Comment(text string) error { return r.w.Comment(text) }

// Close ends the recording and seals the reel. Exchanges that have not ended are recorded as
// canceled. The program can go on reading from them, and make requests, but nothing of that is
// recorded. The error is that of Err.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock() // not before the reel is sealed, which a second Close waits for
	if r.closed {
		return r.w.Err()
	}
	r.closed = true
	for x := range r.open {
		x.End(r.now(), EndCanceled, errors.New("the recording ended"))
	}
	r.open = nil
	return r.w.Close()
}

// CloseIdleConnections closes the idle connections of the base transport, if that can do so.
// http.Client calls it.
func (r *Recorder) CloseIdleConnections() {
	if base, ok := r.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// RoundTrip sends the request and records the exchange.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil {
		return r.base.RoundTrip(req) // which has an error for that
	}
	x := r.begin(req)
	if x == nil {
		return r.base.RoundTrip(req)
	}
	sent := r.tee(req, x)
	resp, err := r.base.RoundTrip(sent)
	if err != nil {
		end := endOf(req.Context(), err)
		if end == EndEOF {
			end = EndReset // in place of a response
		}
		r.end(x, r.now(), end, r.redactError(err))
		return resp, err
	}
	x.Response(r.now(), resp.StatusCode, r.redactHeader(resp.Header))
	if resp.Request == sent {
		resp.Request = req
	}
	if resp.Body == nil { // against the rules, but http.Client forgives it
		resp.Body = http.NoBody
	}
	b := &recordedBody{ReadCloser: resp.Body, r: r, x: x, req: req, resp: resp}
	if req.Method != http.MethodHead {
		b.left.Store(resp.ContentLength)
	}
	if to := resp.Header.Get("Location"); resp.StatusCode/100 == 3 && redactText(to) != to {
		b.silent = true
	}
	switch encoding := encodingOf(resp.Header); {
	case encoding == "":
		b.mask = newMasker(resp.Header, false)
	case b.left.Load() != 0 && !b.silent:
		r.w.Comment(fmt.Sprintf("exchange %d: the response's body is %s, in which no credentials are looked for", x.number, r.custom(redactText(encoding))))
	}
	resp.Body = b
	switch conn := b.ReadCloser.(type) { // a protocol that is switched to
	case halfCloser:
		resp.Body = recordedHalves{b, conn}
	case io.Writer:
		resp.Body = recordedConn{b, conn}
	}
	return resp, nil
}

// encodingOf returns the encoding of a body that hides its text, "" if there is none.
func encodingOf(h http.Header) string {
	encoding := strings.ToLower(strings.Join(h.Values("Content-Encoding"), ", "))
	if encoding == "identity" {
		return ""
	}
	return encoding
}

// begin begins the exchange of req, unless the recording has ended.
func (r *Recorder) begin(req *http.Request) *ExchangeWriter {
	url, header := r.custom(redactURL(req.URL)), r.redactHeader(req.Header)
	// net/http sends the length that req has, whatever the header says.
	if req.ContentLength > 0 {
		header.Set("Content-Length", strconv.FormatInt(req.ContentLength, 10))
	} else if req.Body != nil && req.Body != http.NoBody {
		header.Del("Content-Length")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	x, err := r.w.Exchange(r.now(), cmp.Or(req.Method, http.MethodGet), url, header)
	if err == nil {
		r.open[x] = struct{}{}
	}
	return x
}

// custom returns text as Redact leaves it.
func (r *Recorder) custom(text string) string {
	if r.Redact == nil {
		return text
	}
	b := []byte(text)
	r.Redact(b)
	return string(b)
}

func (r *Recorder) redactHeader(h http.Header) http.Header {
	h = redactHeader(h)
	for _, values := range h {
		for i := range values {
			values[i] = r.custom(values[i])
		}
	}
	return h
}

func (r *Recorder) redactError(err error) error {
	err = redactError(err)
	if err == nil || r.Redact == nil {
		return err
	}
	return errors.New(r.custom(err.Error()))
}

// redactBody returns what to record of p, a read of a body. The result is p itself, a copy, or
// valid until the next call with this mask.
func (r *Recorder) redactBody(mask *masker, p []byte) []byte {
	if r.Redact != nil {
		p = bytes.Clone(p)
		r.Redact(p)
	}
	if mask == nil {
		return p
	}
	return mask.mask(p)
}

func (r *Recorder) end(x *ExchangeWriter, at time.Duration, end End, cause error) {
	x.End(at, end, cause)
	r.mu.Lock()
	delete(r.open, x)
	r.mu.Unlock()
}

// recordedBody is the body of a response, as the program reads it.
type recordedBody struct {
	io.ReadCloser
	r    *Recorder
	x    *ExchangeWriter
	req  *http.Request
	resp *http.Response
	left atomic.Int64 // bytes until the announced end, negative if none is announced

	// A silent body is not recorded: that of a redirect repeats its Location, and the
	// secrets in it, in one way or another.
	silent bool
	came   bool // a read has been recorded

	mask *masker // nil for a body in which nothing can be found
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	at := b.r.now()
	if n > 0 {
		if !b.silent {
			b.x.ResponseBody(at, b.r.redactBody(b.mask, p[:n]))
			b.came = true
		}
		b.left.Add(-int64(n))
	}
	switch {
	case err == io.EOF:
		if len(b.resp.Trailer) > 0 {
			if !b.came {
				b.x.ResponseBody(at, nil) // for the trailers to come after
			}
			b.x.Trailer(b.r.redactHeader(b.resp.Trailer)) // which is filled in by now
		}
		b.r.end(b.x, at, EndEOF, nil)
	case err != nil:
		b.r.end(b.x, at, endOf(b.req.Context(), err), b.r.redactError(err))
	}
	return n, err
}

func (b *recordedBody) Close() error {
	err := b.ReadCloser.Close()
	end := EndCanceled
	if b.left.Load() == 0 {
		end = EndEOF // a program that has got all that was announced need not ask for more
	}
	b.r.end(b.x, b.r.now(), end, nil)
	return err
}

// recordedConn is a recordedBody that can be written to.
type recordedConn struct {
	*recordedBody
	io.Writer
}

// recordedHalves is a recordedConn of which the program can end its half, while the other
// goes on.
type recordedHalves struct {
	*recordedBody
	halfCloser
}

type halfCloser interface {
	io.Writer
	CloseWrite() error
}

// endOf returns how an exchange ended that ended with err; ctx is the request's.
func endOf(ctx context.Context, err error) End {
	// http.Client may tell a transport of its Timeout before the context does.
	deadline, ok := ctx.Deadline()
	late := ok && !time.Now().Before(deadline)
	var timeout net.Error
	switch {
	case err == io.EOF:
		return EndEOF
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded): // or canceled because of one
		return EndTimeout
	case errors.Is(err, context.Canceled), ctx.Err() == context.Canceled:
		return EndCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout(), late:
		return EndTimeout
	case strings.HasPrefix(err.Error(), "net/http: request canceled"): // by Request.Cancel, which may be a timeout's
		return EndCanceled
	}
	return EndReset
}
