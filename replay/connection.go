package replay

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// A connection is not made sooner than this after the last one has ended, whatever the
// stream says.
const minReconnect = 500 * time.Millisecond

// open begins to read the stream at u; resp is its first connection, if there is
// one already.
func (s *following) open(u *url.URL, resp *http.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.openLocked(u, resp)
}

func (s *following) openLocked(u *url.URL, resp *http.Response) {
	s.stream = streamDown
	s.streaming.Go(func() { s.connections(u, resp) })
}

// connections reads a stream over as many connections as it takes. ssewire.Client, which does
// the same, will not do: here the first connection is there already, the id counts before
// there is an event, no event is too large, and no server's error is final.
func (s *following) connections(u *url.URL, resp *http.Response) {
	ctx := s.streamCtx
	c := &connection{retry: ssewire.DefaultReconnectionTime}
	if resp != nil {
		c.lastID = s.req.Header.Get("Last-Event-ID")
	}
	for failed := 0; ; {
		var err error
		wait := time.Duration(0)
		if resp == nil {
			resp, wait, err = s.connect(u, c.lastID)
		}
		told := false
		if resp != nil {
			told, err = s.receive(c, resp)
			resp = nil
		}
		s.mu.Lock()
		var refused *ssewire.ResponseError
		over := errors.As(err, &refused) && wait == 0
		switch {
		case s.ctx.Err() != nil:
			over = true
		case ctx.Err() != nil, s.terminal():
			over, err = true, nil
		case s.now.Document == nil, u == s.req.URL && !s.isGet():
			over = true // there is no more than one connection
		case err == nil:
			err = errors.New("replay: the stream ended before the Assembly")
		}
		s.stream, s.streamErr, s.pollNow = streamDown, err, true
		if over {
			s.stream = streamOver
		}
		s.changed()
		s.mu.Unlock()
		if over {
			return
		}
		if failed++; told {
			failed = 0
		}
		pause := max(c.retry, minReconnect)
		for n := 1; n < failed && pause < maxBackoff; n++ {
			pause = min(2*pause, maxBackoff)
		}
		if !sleep(ctx, max(pause, min(wait, maxRetryAfter))) {
			s.mu.Lock()
			s.stream = streamOver
			s.changed()
			s.mu.Unlock()
			return
		}
	}
}

// connect makes a connection. Where the server answered without a stream, but may do better
// another time, wait is not 0.
func (s *following) connect(u *url.URL, lastID string) (resp *http.Response, wait time.Duration, err error) {
	req := s.request(s.streamCtx, u, eventStream)
	if lastID != "" && !strings.ContainsFunc(lastID, unicode.IsControl) {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err = s.client.Do(req)
	if err != nil {
		return nil, 0, hideCredentials(err)
	}
	if isEventStream(resp) {
		return resp, 0, nil
	}
	resp.Body.Close()
	if mayPass(resp.StatusCode) {
		wait = max(retryAfter(resp.Header), minReconnect)
	}
	return nil, wait, &ssewire.ResponseError{URL: redactURL(u), StatusCode: resp.StatusCode, Header: resp.Header}
}

// isEventStream is [Exchange.IsEventStream] for a response that is not recorded.
func isEventStream(resp *http.Response) bool {
	return (&Exchange{StatusCode: resp.StatusCode, Header: resp.Header}).IsEventStream()
}

// connection is what a stream keeps from one connection to the next.
type connection struct {
	lastID string
	retry  time.Duration
	parser *ssewire.Parser

	// After an event over the parser's limit, lines are skipped until a blank one ends it.
	cr   bool // the last byte was a CR: an LF belongs to it
	line bool // a line begins
}

// receive reads a connection to its end, and returns whether it told something.
func (s *following) receive(c *connection, resp *http.Response) (told bool, err error) {
	defer resp.Body.Close()
	c.parser = ssewire.NewParser(ssewire.LastEventID(c.lastID))
	s.mu.Lock()
	s.stream, s.streamErr, s.updated = streamUp, nil, time.Now()
	if s.terminal() {
		s.stopStream() // while we connected
	}
	s.changed()
	s.mu.Unlock()
	chunk := make([]byte, 64<<10)
	for {
		n, err := resp.Body.Read(chunk)
		if n > 0 && s.feed(c, chunk[:n]) {
			told = true
		}
		c.lastID = c.parser.LastEventID()
		if d, ok := c.parser.ReconnectionTime(); ok {
			c.retry = d
		}
		if err == io.EOF {
			return told, nil
		}
		if err != nil {
			return told, err
		}
	}
}

// feed takes in what a read of a stream returned, and returns whether it told
// something.
func (s *following) feed(c *connection, chunk []byte) (told bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Bytes += int64(len(chunk))
	s.final = false
	for len(chunk) > 0 {
		if c.parser.Err() != nil {
			var over bool
			if chunk, over = c.afterEvent(chunk); !over {
				break
			}
			c.parser = ssewire.NewParser(ssewire.LastEventID(c.parser.LastEventID()))
		}
		c.parser.Feed(chunk)
		for c.parser.Next() {
			s.now.Events++
			told = s.update(c.parser.Event()) || told
		}
		if c.parser.Err() == nil {
			break
		}
		// The event that is too large counts like any other. It began long before this
		// chunk.
		s.now.Events++
		c.cr, c.line = false, false
	}
	s.identify(c.parser.LastEventID())
	if told {
		s.updated = time.Now()
	}
	if s.terminal() {
		s.end()
	}
	s.changed()
	return told
}

// afterEvent returns what comes after the next blank line, which may be nothing yet,
// and whether there is such a line.
func (c *connection) afterEvent(chunk []byte) (rest []byte, over bool) {
	for i, b := range chunk {
		switch {
		case b == '\n' && c.cr:
			c.cr = false
		case b == '\n' || b == '\r':
			if c.line {
				return chunk[i+1:], true // an LF that belongs to it is one more blank line
			}
			c.line, c.cr = true, b == '\r'
		default:
			c.line, c.cr = false, false
		}
	}
	return nil, false
}

// update takes in an event, and returns whether it is an Assembly's.
func (s *following) update(ev ssewire.Event) bool {
	u, err := status.DecodeUpdate(ev.Type, ev.Data)
	if err != nil || u.Kind == status.UpdateUnknown {
		return false
	}
	s.assembly()
	s.tracker.Update(u)
	return true
}

// assembly notes that the stream is an Assembly's.
func (s *following) assembly() {
	if s.tracker == nil {
		s.tracker = new(status.Tracker)
		s.now.Document = s.tracker
	}
}

// identify finds the Assembly of a stream that was given without a Status. The last event ID
// is the Assembly's; where the stream has told nothing else yet, it has to look like one.
func (s *following) identify(lastID string) {
	if s.statusURL != nil || s.derived {
		return
	}
	if s.tracker == nil && s.now.Events == 0 && lastID != "" && (lastID == s.named || isAssemblyID(lastID)) {
		s.assembly()
	}
	if id := cmp.Or(lastID, s.named); s.tracker != nil && pathSegment.MatchString(id) {
		s.id, s.derived, s.statusURL = id, true, s.sibling(assembliesPath, id)
	}
}

// pathSegment is what an id has to be to become part of a URL.
var pathSegment = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)
