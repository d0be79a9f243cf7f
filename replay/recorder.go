package replay

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Recorder is an http.RoundTripper that records what goes through it. The program
// whose requests it carries sees every byte when it comes, as it would without the
// Recorder, and never an error of the recording.
//
// What is recorded is what the program reads: the response's header and each of
// its reads of the body, with their moments, up to the end or to the moment it
// closes the body. Credentials in headers and URLs are replaced before they are
// written: see [Redacted]. Bodies of requests are not recorded; bodies of
// responses are recorded as they are.
//
// A Recorder may be used by several goroutines, and record several exchanges, at
// once.
type Recorder struct {
	base  http.RoundTripper
	w     *Writer
	start time.Time

	mu     sync.Mutex
	open   map[*recordedBody]struct{}
	closed bool
}

// NewRecorder returns a Recorder that writes a reel to w and sends requests with
// base, http.DefaultTransport if that is nil. The first lines of the reel are
// written at once, and the error is about them. Close the Recorder before w.
func NewRecorder(w io.Writer, base http.RoundTripper) (*Recorder, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	start := time.Now()
	rw, err := NewWriter(w, start.Round(time.Microsecond))
	if err != nil {
		return nil, err
	}
	return &Recorder{base: base, w: rw, start: start, open: make(map[*recordedBody]struct{})}, nil
}

// now returns the moment of the recording, in whole microseconds: finer ones tell
// nothing about a network and make the reel harder to read.
func (r *Recorder) now() time.Duration {
	return time.Since(r.start).Truncate(time.Microsecond)
}

// Err returns the error that has ended the recording, nil while there is none.
// Requests go on without being recorded after it.
func (r *Recorder) Err() error { return r.w.Err() }

// Close ends the recording and seals the reel. Exchanges that have not ended are
// recorded as canceled; the program can read on from them, and make requests,
// which are no longer recorded. The error is what Err returns.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return r.w.Err()
	}
	r.closed = true
	open := r.open
	r.open = nil
	r.mu.Unlock()
	for b := range open {
		b.x.End(r.now(), EndCanceled, errors.New("the recording ended"))
	}
	return r.w.Close()
}

// RoundTrip sends the request and records the exchange.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	closed := r.closed
	r.mu.Unlock()
	if closed {
		return r.base.RoundTrip(req)
	}
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	x, _ := r.w.Exchange(r.now(), method, redactURL(req.URL), redactHeader(req.Header))
	resp, err := r.base.RoundTrip(req)
	if err != nil {
		x.End(r.now(), endOf(err), err)
		return resp, err
	}
	x.Response(r.now(), resp.StatusCode, redactHeader(resp.Header))
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// From here on it is no HTTP, and the body is a connection.
		x.End(r.now(), EndEOF, nil)
		return resp, nil
	}
	b := &recordedBody{ReadCloser: resp.Body, r: r, x: x, left: resp.ContentLength}
	r.mu.Lock()
	if !r.closed {
		r.open[b] = struct{}{}
	}
	r.mu.Unlock()
	resp.Body = b
	return resp, nil
}

// recordedBody is the body of a response, as the program reads it.
type recordedBody struct {
	io.ReadCloser
	r    *Recorder
	x    *ExchangeWriter
	left int64 // bytes until the announced end, negative where none is announced
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	at := b.r.now()
	if n > 0 {
		b.x.Read(at, p[:n])
		b.left -= int64(n)
	}
	if err != nil {
		b.end(at, err)
	}
	return n, err
}

func (b *recordedBody) Close() error {
	err := b.ReadCloser.Close()
	if b.left == 0 {
		// A program that has all it was promised need not ask for more.
		b.end(b.r.now(), io.EOF)
	} else {
		b.end(b.r.now(), context.Canceled)
	}
	return err
}

// end notes the end of the exchange; the first counts.
func (b *recordedBody) end(at time.Duration, cause error) {
	b.r.mu.Lock()
	delete(b.r.open, b)
	b.r.mu.Unlock()
	end := endOf(cause)
	if end == EndEOF || cause == context.Canceled {
		cause = nil
	}
	b.x.End(at, end, cause)
}

// endOf returns how an exchange ended that ended with err.
func endOf(err error) End {
	var timeout net.Error
	switch {
	case err == io.EOF:
		return EndEOF
	case errors.Is(err, context.Canceled):
		return EndCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return EndTimeout
	}
	return EndReset
}
