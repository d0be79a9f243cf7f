package ssewire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// DefaultReconnectionTime is how long a [Client] waits before it reconnects,
	// unless it or the stream has set another time. The standard leaves the value
	// open; Chromium uses the same one.
	DefaultReconnectionTime = 3 * time.Second

	// The wait doubles with each attempt that fails in a row, up to this or the
	// reconnection time, whichever is longer.
	maxBackoff = time.Minute

	// After a connection that brought no event the wait is at least this, whatever
	// the stream says: otherwise retry: 0 would make us hammer the server.
	minBackoff = 100 * time.Millisecond

	// How much a ResponseError keeps of the body, and how long that may take.
	maxErrorBody  = 1 << 10
	errorBodyWait = time.Second
)

// Client connects to event streams and stays connected, by the rules of EventSource: it
// reconnects after every end, a clean one included. For a response that is complete when it
// ends, such as a language model's answer, read the body with a [Reader] instead: otherwise
// each end would request, and bill, another answer.
//
// The zero Client is ready for use. A Client may be used from several goroutines at once;
// its fields must not change meanwhile.
type Client struct {
	// HTTP sends the requests; nil means http.DefaultClient. Its Timeout should
	// be 0: it would end every stream.
	HTTP *http.Client

	// ReconnectionTime holds until the stream sets another; 0 or less means
	// [DefaultReconnectionTime].
	ReconnectionTime time.Duration

	// OnDisconnect, if set, is called by Next when a connection was lost or could
	// not be made, with the reason (nil for a clean end) and how long the Stream
	// will wait before it reconnects. It is not called when the stream has ended
	// for good.
	OnDisconnect func(err error, wait time.Duration)
}

// Stream is the events of a URL, over as many connections as it takes. It has the
// shape of a [Reader]:
//
//	s := ssewire.Client{}.Connect(req)
//	defer s.Close()
//	for s.Next() {
//		ev := s.Event()
//	}
//	err := s.Err()
//
// After a connection that was lost, that ended, or that could not be made, the
// Stream waits for the reconnection time and connects again, with the last event
// ID in the header Last-Event-ID. The wait doubles with each attempt that fails in
// a row, up to a minute or the reconnection time, whichever is longer. After a
// connection that brought no event it is at least 100 ms, whatever the stream has
// set.
//
// The stream ends for good with
//   - a response of status 204, which is no error;
//   - any other response that is not an event stream of status 200: a [*ResponseError];
//   - an event over the limit: [ErrEventTooLarge];
//   - a request that can never be sent: its URL has no scheme or host, or a scheme
//     that [Client.HTTP] does not support, or HTTP does not allow one of its
//     headers, such as a last event ID with control characters;
//   - the request's context;
//   - an error of [Client.HTTP] with a method Permanent() bool that returns true:
//     another attempt would fail as well. That of a recording which does not hold
//     the request is one.
//
// A Stream must not be used from several goroutines at once.
type Stream struct {
	client  Client
	req     *http.Request
	r       *Reader
	body    io.ReadCloser // nil while there is no connection
	lastID  []byte        // nil where there is none, see Event.ID
	retry   time.Duration
	wait    time.Duration // before the next connection
	failed  int           // attempts since there was a connection
	lost    error         // why there is none any more, nil after a clean end
	events  int           // of this connection
	started bool
	done    bool
	err     error
}

// Connect returns the Stream that req asks for. It does not use the network: Next
// does. The stream goes on after the last event ID that the option [LastEventID]
// gives, or else the request's own header Last-Event-ID. The headers Accept and
// Cache-Control are set unless the request has them. A request with a Body can be
// sent again only if it has GetBody, which http.NewRequest sets for the usual kinds
// of body; without it, or when it fails, the stream ends with an error instead of
// connecting again.
func (c Client) Connect(req *http.Request, opts ...Option) *Stream {
	s := &Stream{
		client: c,
		req:    req,
		r:      NewReader(nil, opts...),
		retry:  c.ReconnectionTime,
	}
	if s.retry <= 0 {
		s.retry = DefaultReconnectionTime
	}
	s.lastID = s.r.p.initialID
	if s.lastID == nil {
		header := req.Header.Clone()
		canonicalize(header)
		if id := header.Get("Last-Event-ID"); id != "" {
			s.lastID = []byte(id)
		}
	}
	return s
}

// Next goes on to the next event. It blocks until there is one, through as many
// connections as it takes, and returns false when the stream has ended for good.
// To interrupt it, cancel the request's context.
func (s *Stream) Next() bool {
	for !s.done {
		if s.body == nil && !s.connect() {
			continue
		}
		if s.r.Next() {
			s.events++
			return true
		}
		s.disconnect(s.r.Err())
	}
	return false
}

// Event returns the event that the last call of Next has found. It is a view,
// valid until the next call of Next or Close.
func (s *Stream) Event() Event { return s.r.Event() }

// Err returns the error that ended the stream: nil while the stream goes on, and
// after status 204 or Close. Where the context ended it, the error wraps the
// context's cause; if there was no connection at the time, its text also says why.
func (s *Stream) Err() error { return s.err }

// All returns the events still to come, for use with range. An error that
// ends the stream comes last, with the zero Event. Each Event is a view, valid
// until the loop body returns. A loop that is left early leaves the stream open.
func (s *Stream) All() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for s.Next() {
			if !yield(s.Event(), nil) {
				return
			}
		}
		if s.err != nil {
			yield(Event{}, s.err)
		}
	}
}

// LastEventID returns the last event ID in force, across all connections.
func (s *Stream) LastEventID() string {
	if s.body != nil {
		return s.r.LastEventID()
	}
	return string(s.lastID)
}

// Close ends the stream. It is not an error to call it twice, or after the end.
func (s *Stream) Close() error {
	s.done = true
	if s.body == nil {
		return nil
	}
	err := s.body.Close()
	s.lastID, s.body = s.r.p.idInForce(), nil
	return err
}

// connect waits, makes one attempt, and returns whether there is a connection now.
func (s *Stream) connect() bool {
	ctx := s.req.Context()
	if !sleep(ctx, s.wait) {
		return s.interrupted()
	}
	req := s.req.Clone(ctx)
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	canonicalize(req.Header)
	setDefault(req.Header, "Accept", contentType)
	setDefault(req.Header, "Cache-Control", "no-store")
	req.Header.Del("Last-Event-ID")
	if len(s.lastID) > 0 {
		req.Header.Set("Last-Event-ID", string(s.lastID))
	}
	if err := sendable(req); err != nil {
		return s.end(err)
	}
	if s.started && req.Body != nil && req.Body != http.NoBody {
		if req.GetBody == nil {
			return s.end(errors.New("ssewire: cannot connect again: the request has a Body but no GetBody"))
		}
		body, err := req.GetBody()
		if err != nil {
			return s.end(fmt.Errorf("ssewire: cannot connect again: %w", err))
		}
		req.Body = body
	}
	s.started = true
	client := s.client.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		if sent, ok := err.(*url.Error); ok {
			hideCredentials(sent, s.req.URL)
			// Only the Transport knows its schemes: others may be registered with it. This
			// text is all that net/http says.
			if strings.Contains(sent.Err.Error(), "unsupported protocol scheme") {
				return s.end(fmt.Errorf("ssewire: %w: use https or http", err))
			}
		}
		s.failed++
		var p interface{ Permanent() bool }
		if errors.As(err, &p) && p.Permanent() {
			return s.end(fmt.Errorf("ssewire: %w", err))
		}
		s.disconnect(err)
		return false
	}
	if resp.StatusCode == http.StatusNoContent {
		resp.Body.Close()
		return s.end(nil)
	}
	if resp.StatusCode != http.StatusOK || !isEventStream(resp.Header) {
		body := beginning(ctx, resp.Body)
		from := s.req.URL
		if resp.Request != nil && resp.Request.URL != nil { // which a redirect has led to
			from = resp.Request.URL
		}
		return s.end(&ResponseError{URL: withoutCredentials(from), StatusCode: resp.StatusCode, Header: resp.Header, Body: body})
	}
	s.body, s.failed, s.events, s.lost = resp.Body, 0, 0, nil
	s.r.p.initialID = s.lastID
	s.r.Reset(resp.Body)
	return true
}

// disconnect drops the connection, if there is one, and sets the wait before the
// next.
func (s *Stream) disconnect(err error) {
	if s.body != nil {
		s.body.Close()
		s.body = nil
		s.lastID = s.r.p.idInForce()
		if d, ok := s.r.ReconnectionTime(); ok {
			s.retry = d
		}
	}
	ctx := s.req.Context()
	switch {
	case ctx.Err() != nil:
		s.interrupted()
		return
	case errors.Is(err, ErrEventTooLarge):
		s.end(err)
		return
	}
	s.lost, s.wait = err, s.retry
	for n := 1; n < s.failed && s.wait < maxBackoff; n++ {
		s.wait = min(2*max(s.wait, minBackoff), maxBackoff)
	}
	if s.events == 0 {
		s.wait = max(s.wait, minBackoff)
	}
	s.events = 0
	if s.client.OnDisconnect != nil {
		s.client.OnDisconnect(err, s.wait)
	}
}

// interrupted ends the stream because the context has ended.
func (s *Stream) interrupted() bool {
	cause := context.Cause(s.req.Context())
	if s.lost != nil {
		return s.end(fmt.Errorf("ssewire: %w; there was no connection: %v", cause, s.lost))
	}
	return s.end(fmt.Errorf("ssewire: %w", cause))
}

func (s *Stream) end(err error) bool {
	s.done, s.err = true, err
	return false
}

// sleep waits for d and returns whether ctx is still in force.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// isEventStream looks at the media type alone. Parameters, even malformed ones, change
// nothing: the encoding is always UTF-8.
func isEventStream(h http.Header) bool {
	mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), contentType)
}

// withoutCredentials returns u as errors show it. User, password and query are left out. Where u
// was mistyped and has no host, user and password may be in another part of it.
func withoutCredentials(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath, Opaque: u.Opaque}
	if u.Host == "" {
		for _, part := range []*string{&shown.Path, &shown.RawPath, &shown.Opaque} {
			*part = (*part)[strings.LastIndexByte(*part, '@')+1:]
		}
	}
	return shown.String()
}

// hideCredentials removes credentials from err: from its URL, and from the target of a redirect,
// which net/http quotes when it cannot parse it.
func hideCredentials(err *url.Error, requested *url.URL) {
	u, parseErr := url.Parse(err.URL)
	if parseErr != nil {
		u = requested
	}
	err.URL = withoutCredentials(u)
	const badLocation = "failed to parse Location header"
	if strings.HasPrefix(err.Err.Error(), badLocation) {
		err.Err = errors.New(badLocation)
	}
}

// wantServer returns an error for a URL that names no server: every attempt would fail.
func wantServer(u *url.URL) error {
	switch {
	case u == nil:
		return errors.New("ssewire: the request has no URL")
	case u.Scheme == "":
		return fmt.Errorf("ssewire: the URL %s has no scheme: put https:// in front of it", withoutCredentials(u))
	case u.Host == "" && (u.Scheme == "http" || u.Scheme == "https"):
		return fmt.Errorf("ssewire: the URL %s has no host", withoutCredentials(u))
	}
	return nil
}

// canonicalize spells the headers that a Stream sets as net/http looks them up. A caller may have
// put them into the map otherwise, and they would be sent twice.
func canonicalize(h http.Header) {
	for name, values := range h {
		switch canonical := http.CanonicalHeaderKey(name); canonical {
		case name:
		case "Accept", "Cache-Control", "Last-Event-Id":
			delete(h, name)
			h[canonical] = append(h[canonical], values...)
		}
	}
}

// sendable returns an error for a request that net/http refuses to send, and would refuse each
// time. The value of a header may be a secret, so it is not shown.
func sendable(req *http.Request) error {
	if err := wantServer(req.URL); err != nil {
		return err
	}
	if req.RequestURI != "" {
		return errors.New("ssewire: the request has a RequestURI, which only a server's requests have: clear it")
	}
	if i := strings.IndexFunc(req.Method, isNoToken); i >= 0 {
		return fmt.Errorf("ssewire: the method %q cannot be sent: correct it", req.Method)
	}
	if id := req.Header.Get("Last-Event-ID"); strings.ContainsFunc(id, isControl) {
		return fmt.Errorf("ssewire: the last event ID %q cannot be sent as a header, because of its control characters: connect again without it", id)
	}
	for _, header := range []http.Header{req.Header, req.Trailer} {
		for name, values := range header {
			if name == "" {
				return errors.New("ssewire: the request has a header without a name: remove it")
			}
			if i := strings.IndexFunc(name, isNoToken); i >= 0 {
				// What follows may be a value that was taken for part of the name.
				r, _ := utf8.DecodeRuneInString(name[i:])
				return fmt.Errorf("ssewire: the name of a header has %q after %q, which cannot be sent: correct it", r, name[:i])
			}
			for _, value := range values {
				if strings.ContainsFunc(value, isControl) {
					return fmt.Errorf("ssewire: the header %s has a line break or another control character, which cannot be sent: remove it, for example with strings.TrimSpace where the value is read from a file", name)
				}
			}
		}
	}
	return nil
}

// isNoToken returns whether r cannot be in the name of a header or in a method.
func isNoToken(r rune) bool {
	isLetter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !isLetter && (r < '0' || r > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// isControl returns whether r cannot be in the value of a header.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// beginning returns the first bytes of body, as far as they come soon, and closes it.
func beginning(ctx context.Context, body io.ReadCloser) []byte {
	r, w := io.Pipe()
	go func() {
		io.CopyN(w, body, maxErrorBody)
		w.Close()
	}()
	// The server may keep the body open and say nothing.
	defer time.AfterFunc(errorBodyWait, func() { w.Close() }).Stop()
	defer context.AfterFunc(ctx, func() { w.Close() })()
	b, _ := io.ReadAll(r)
	body.Close()
	return b
}

// ResponseError is a response that is not an event stream: its status is not 200,
// or its content type is not text/event-stream. Where the server asks the client to wait, with
// status 429 or 503 and a Retry-After in the Header, do so, then call Connect again with
// the option [LastEventID] and the ID that [Stream.LastEventID] returns.
type ResponseError struct {
	URL        string // where it came from, without user, password and query
	StatusCode int
	Header     http.Header

	// Body is the beginning of the body, up to 1 KiB of what came within a second. It may
	// hold whatever the server says, secrets included, and is not part of the error's text.
	Body []byte
}

func (e *ResponseError) Error() string {
	if e.StatusCode != http.StatusOK {
		return fmt.Sprintf("ssewire: %s answered %d %s, not an event stream", e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	}
	return fmt.Sprintf("ssewire: %s answered with content type %q, not %s", e.URL, e.Header.Get("Content-Type"), contentType)
}
