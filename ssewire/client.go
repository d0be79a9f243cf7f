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
)

const (
	// DefaultReconnectionTime is how long a [Client] waits before it connects
	// again, where neither it nor the stream has set another time. The standard
	// leaves it open; Chromium takes the same.
	DefaultReconnectionTime = 3 * time.Second

	// Attempts that fail one after the other wait twice as long each time, up to
	// this or the reconnection time, whichever is longer.
	maxBackoff = time.Minute

	// A connection that brought no event is not followed by another sooner than
	// this, whatever the stream says, lest retry: 0 make us hammer the server.
	minBackoff = 100 * time.Millisecond
)

// Client connects to event streams and stays connected, by the rules of
// EventSource: behind every end it asks again, a clean one included. For an answer that is
// over when it ends, such as that of a language model, use a [Reader] on the body of its
// response instead, or each end would ask, and pay, for another.
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

	// OnDisconnect, if set, is told that a connection was lost or could not be
	// made, why (nil for a clean end), and how long the Stream will wait before
	// it connects again. It is called by Next, and not when the stream has ended
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
// A connection that is lost, that ends, or that cannot be made is followed by
// another, with the last event ID in the header Last-Event-ID. The wait before it
// is the reconnection time. It doubles with each attempt that fails after another,
// up to a minute or the reconnection time, whichever is longer; and it is not
// shorter than 100 ms after a connection that brought no event, whatever the
// stream has set.
//
// The stream ends for good with a response of status 204 (no error), with any
// other response that is not an event stream of status 200 (a [*ResponseError]),
// with an event over the limit ([ErrEventTooLarge]), with a URL that lacks its scheme or
// host, with a last event ID that no header can carry, with the request's context, or with an error of [Client.HTTP] that
// says of itself, by a method Permanent() bool, that another attempt would fail as well,
// such as that of a recording which does not hold the request.
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

// Connect returns the Stream of what req gets. It does not use the network: Next
// does. The option [LastEventID], or else a header Last-Event-ID of the request,
// is where the stream goes on from. The headers Accept and Cache-Control are set
// unless the request has them. To connect again, a request with a Body needs
// GetBody as well, which http.NewRequest sets for the usual kinds of body; without
// it, or when it fails, the stream ends with an error instead.
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
		if id := req.Header.Get("Last-Event-ID"); id != "" {
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

// Err returns what ended the stream, nil where that was status 204 or Close. An
// end by the context wraps the context's cause; its text says besides why there was no
// connection at that time.
func (s *Stream) Err() error { return s.err }

// All returns the events that are to come, for use with range. An error that
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

// LastEventID returns the last event ID in force, over all connections.
func (s *Stream) LastEventID() string {
	if s.body != nil {
		return s.r.LastEventID()
	}
	return string(s.lastID)
}

// Close ends the stream. It is not an error to call it twice, or at the end.
func (s *Stream) Close() error {
	s.done = true
	if s.body == nil {
		return nil
	}
	err := s.body.Close()
	s.lastID, s.body = s.r.p.idInForce(), nil
	return err
}

// connect waits and makes one attempt. It returns whether there is a connection.
func (s *Stream) connect() bool {
	ctx := s.req.Context()
	if !sleep(ctx, s.wait) {
		return s.interrupted()
	}
	if err := wantServer(s.req.URL); err != nil {
		return s.end(err)
	}
	req := s.req.Clone(ctx)
	if req.Header == nil {
		req.Header = make(http.Header)
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
	setDefault(req.Header, "Accept", contentType)
	setDefault(req.Header, "Cache-Control", "no-store")
	req.Header.Del("Last-Event-ID")
	if len(s.lastID) > 0 {
		req.Header.Set("Last-Event-ID", string(s.lastID))
	}
	client := s.client.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		if sent, ok := err.(*url.Error); ok {
			hideCredentials(sent, s.req.URL)
		}
		if !sendable(string(s.lastID)) {
			return s.end(fmt.Errorf("ssewire: the last event ID %q cannot be sent as a header: %w", s.lastID, err))
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
		resp.Body.Close()
		from := s.req.URL
		if resp.Request != nil && resp.Request.URL != nil { // which a redirect has led to
			from = resp.Request.URL
		}
		return s.end(&ResponseError{URL: withoutCredentials(from), StatusCode: resp.StatusCode, Header: resp.Header})
	}
	s.body, s.failed, s.events, s.lost = resp.Body, 0, 0, nil
	s.r.p.initialID = s.lastID
	s.r.Reset(resp.Body)
	return true
}

// disconnect leaves the connection, if there is one, and settles how long to wait
// for the next.
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
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// isEventStream looks at the type alone: parameters, even malformed ones, change
// nothing, for the encoding is always UTF-8.
func isEventStream(h http.Header) bool {
	mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), contentType)
}

// withoutCredentials returns u as errors show it. Its query may have any, and where it has no
// host, for it was mistyped, a user and password may be elsewhere.
func withoutCredentials(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath, Opaque: u.Opaque}
	if u.Host == "" {
		for _, part := range []*string{&shown.Path, &shown.RawPath, &shown.Opaque} {
			*part = (*part)[strings.LastIndexByte(*part, '@')+1:]
		}
	}
	return shown.String()
}

// hideCredentials takes out of err what may be one: in the URL, and in that of a redirect which
// net/http quotes where it cannot parse it.
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

// wantServer returns an error for a URL that leads to no server, so that no attempt will.
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

// sendable returns whether net/http sends id as a header: it takes no control
// bytes but the tab.
func sendable(id string) bool {
	for i := range len(id) {
		if c := id[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// ResponseError is a response that is not an event stream: its status is not 200,
// or its content type is not text/event-stream. Where the server asks for patience, with
// status 429 or 503 and a Retry-After in the Header, wait, and connect again with
// [LastEventID] of the [Stream.LastEventID] that there is.
type ResponseError struct {
	URL        string // where it came from, without user, password and query
	StatusCode int
	Header     http.Header
}

func (e *ResponseError) Error() string {
	if e.StatusCode != http.StatusOK {
		return fmt.Sprintf("ssewire: %s answered %d %s, not an event stream", e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	}
	return fmt.Sprintf("ssewire: %s answered with content type %q, not %s", e.URL, e.Header.Get("Content-Type"), contentType)
}
