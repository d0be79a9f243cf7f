package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// ErrNotRecorded says that nothing in the recording answers a request.
var ErrNotRecorded error = permanentError("not in the recording")

type permanentError string

func (e permanentError) Error() string { return string(e) }

// Permanent tells an ssewire.Client that there is no use in asking again.
func (permanentError) Permanent() bool { return true }

// Transport returns an http.RoundTripper that answers requests with the recorded
// responses, without any network: each Read of a body returns what one recorded read
// returned, at its moment. What is played, and which exchange answers which request, is as
// for [Recording.Handler], with these differences: of the exchanges that could
// answer, one of the same host is preferred; URLs stay as they were recorded; and a
// request that nothing answers is an error that wraps [ErrNotRecorded].
//
// It uses no clock but that of package time, so in a testing/synctest bubble a recording
// of hours is played in no time, each event at its exact moment. What is told of an Assembly is
// shared by all who use the Transport: use it in one bubble at a time, and close each body in
// the bubble that it was opened in.
//
// A response that broke, or whose recording was cut off, ends with an error that wraps
// io.ErrUnexpectedEOF.
//
// The body of a request is read as long as the response lasts and a second longer, and then
// closed, also if it has not come to its end.
func (r *Recording) Transport(p Playback) http.RoundTripper {
	return &transport{newPlayer(r, p)}
}

type transport struct {
	player *player
}

// RoundTrip answers req.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	closeBody := func() {
		if req.Body != nil {
			req.Body.Close()
		}
	}
	if req.URL == nil {
		closeBody()
		return nil, errors.New("replay: the request has no URL")
	}
	p := t.player.perform(req, "")
	if p == nil {
		closeBody()
		return nil, fmt.Errorf("replay: %s %s: %w", cmp.Or(req.Method, http.MethodGet), redactURL(req.URL), ErrNotRecorded)
	}
	if req.Body != nil && req.Body != http.NoBody {
		p.finally(discardBody(req))
	}
	return respond(req, p)
}

// bodyGrace is how long a request's body is read on when the response is over: it may be
// written more slowly than the recording is played.
const bodyGrace = time.Second

// discardBody reads what is left of a request's body, as a server would, so that whoever
// writes it gets on. It may have no end: it is read as long as the request lasts, and not for
// long when over has been called, for the response is.
func discardBody(req *http.Request) (over func()) {
	closeBody := sync.OnceFunc(func() { req.Body.Close() })
	stop := context.AfterFunc(req.Context(), closeBody)
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.Copy(io.Discard, req.Body)
		stop()
		closeBody()
	}()
	return func() {
		select {
		case <-read:
			return
		default:
		}
		timer := time.AfterFunc(bodyGrace, closeBody)
		go func() {
			<-read
			timer.Stop()
		}()
	}
}

// respond returns the response to req that p is.
func respond(req *http.Request, p *performance) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	b := &transportBody{req: req, clock: clock{ctx: ctx, start: p.began}, p: p, cancel: cancel}
	if p.status == 0 {
		defer b.Close()
		p.interrupt = nil
		return nil, b.reason(p.over(&b.clock))
	}
	if p.status < 200 {
		b.Close()
		return nil, fmt.Errorf("replay: %s %s: the server went on in another protocol, which cannot be played", cmp.Or(req.Method, http.MethodGet), redactURL(req.URL))
	}
	if !p.wait(&b.clock, p.at, nil) {
		b.Close()
		return nil, context.Cause(req.Context())
	}
	header := make(http.Header, len(p.header))
	for name, values := range p.header {
		if !isHopByHop(p.header, name) {
			header[name] = append([]string(nil), values...)
		}
	}
	if p.length < 0 {
		header.Del("Content-Length")
	}
	resp := &http.Response{
		Status:        fmt.Sprintf("%03d %s", p.status, http.StatusText(p.status)),
		StatusCode:    p.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          b,
		ContentLength: p.length,
		Request:       req,
	}
	if p.trailer != nil {
		resp.Trailer = make(http.Header)
		for name := range p.trailer {
			resp.Trailer[name] = nil
		}
		b.trailer = resp.Trailer
	}
	if p.status == http.StatusNoContent || p.status == http.StatusNotModified {
		resp.ContentLength = 0
	}
	if req.Method == http.MethodHead {
		b.Close()
		resp.Body = http.NoBody
	}
	return resp, nil
}

// transportBody is a body that comes as it was recorded.
type transportBody struct {
	req     *http.Request
	clock   clock // whose context ends with the request's, or when the body is closed
	p       *performance
	cancel  context.CancelFunc
	close   sync.Once
	trailer http.Header // to be filled in at the end

	mu   sync.Mutex // held by Read
	rest []byte     // of the piece whose moment has come
	size int64      // of the pieces so far
	err  error      // what has ended it
}

func (b *transportBody) Read(buf []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(buf) == 0 {
		return 0, nil
	}
	if b.err == nil && b.clock.ctx.Err() != nil {
		b.err, b.rest = b.gone(), nil
	}
	for len(b.rest) == 0 && b.err == nil {
		b.rest, b.err = b.piece()
	}
	if len(b.rest) > 0 {
		n := copy(buf, b.rest)
		b.rest = b.rest[n:]
		if b.p.delivered != nil {
			b.p.delivered(len(b.rest))
		}
		return n, nil
	}
	return 0, b.err
}

// piece returns the next piece at its moment, or what the body ends with.
func (b *transportBody) piece() ([]byte, error) {
	piece, err := b.p.piece(&b.clock)
	if err == nil {
		b.size += int64(len(piece))
		return piece, nil
	}
	if err == io.EOF {
		for name, values := range b.p.trailer {
			b.trailer[name] = append([]string(nil), values...)
		}
	}
	err = b.reason(err)
	b.hangUp()
	return nil, err
}

// reason returns what the client is told of err, which has ended the response.
func (b *transportBody) reason(err error) error {
	switch {
	case err == errBroke:
		return b.broken()
	case b.clock.ctx.Err() != nil && err != io.EOF:
		return b.gone()
	}
	return err
}

// broken returns the error of a response that breaks.
func (b *transportBody) broken() error {
	where := fmt.Sprintf("after %d bytes of the body", b.size)
	if b.p.status == 0 {
		where = "before the response"
	}
	why := "in the recording"
	switch {
	case b.p.cause != "":
		why = b.p.cause
	case b.p.x.End == EndUnknown:
		why = "where the recording ends"
	}
	return fmt.Errorf("replay: exchange %d broke %s, %s: %w", b.p.x.Number, why, where, io.ErrUnexpectedEOF)
}

// gone returns why nobody waits for the body any more.
func (b *transportBody) gone() error {
	if ctx := b.req.Context(); ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return http.ErrBodyReadAfterClose
}

// Close ends a Read that waits. It may be called while one does.
func (b *transportBody) Close() error {
	b.hangUp()
	return nil
}

func (b *transportBody) hangUp() {
	b.close.Do(func() {
		b.cancel()
		if b.p.done != nil {
			b.p.done()
		}
	})
}
