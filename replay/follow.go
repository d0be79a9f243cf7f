package replay

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

const (
	// An Assembly may be asked for its Status three times a second. This far
	// apart, not four fall into any second.
	statusGap = 350 * time.Millisecond

	// How often a Status is asked for where nothing else tells the news: of a job,
	// of an Assembly whose stream is down, and of one that uploads, for the stream
	// does not tell how many bytes have come. The API, too, tells of progress
	// every two seconds.
	pollInterval = 2 * time.Second

	// A stream that has told nothing for streamSilence may be dead, or have
	// nothing to tell: the Status is asked for beside it, every silentInterval. And
	// every watchInterval it is in any case, lest a stream that talks of
	// everything but the end keep us for ever.
	streamSilence  = 10 * time.Second
	silentInterval = 5 * time.Second
	watchInterval  = 30 * time.Second

	// requestTimeout is how long a Status may take to come, from the second on.
	requestTimeout = 30 * time.Second

	// Results may come behind the end. After drainTime a stream that the server
	// should have ended is left.
	drainTime = 5 * time.Second

	// finalTime is how long the final Status may take to come, or to be final,
	// after the stream has told the end.
	finalTime = 2 * time.Minute

	// Requests that fail one after the other wait twice as long each time, up to
	// maxBackoff; longer only where the server says so, up to maxRetryAfter.
	minReconnect  = 500 * time.Millisecond
	maxBackoff    = time.Minute
	maxRetryAfter = time.Hour

	// maxStatus bounds the documents that are read, in bytes. Those of the largest
	// Assemblies have a few million.
	maxStatus = 64 << 20

	maxRedirects = 10
)

// Follower follows a job to its end: a Transloadit Assembly, from its first Status
// over its update stream to its final Status, or a Scenario job. With a [Recorder]
// as the client's Transport the whole story is in one reel. The zero Follower is
// ready for use.
type Follower struct {
	// HTTP sends the requests; nil means http.DefaultClient. Its Timeout does not
	// count: it would end every stream.
	HTTP *http.Client

	// OnChange, if set, is told how the story goes on: first when the server has
	// answered with something that can be followed, and then whenever something
	// has come. There is one call at a time, and what it is given is valid until
	// it returns.
	OnChange func(Story)
}

// Story is what a Follower has seen.
type Story struct {
	// Document is how the job stands: a *status.Tracker for an Assembly, a
	// *status.Job for a job of Scenario, nil for a stream of something else.
	Document status.Document

	Statuses int64 // documents that came
	Events   int64 // of all streams
	Bytes    int64 // of the bodies of all that came

	// Trouble is what is wrong at the moment, such as why there is no stream or
	// why the last request failed; nil where all is well. The story goes on.
	Trouble error
}

// Follow sends req, finds out what the server answers with, and follows it to its
// end:
//
//   - A Status of an Assembly. Its update stream is read, and connected to again, with
//     Last-Event-ID, when it breaks. The Status is asked for every 2 s while the
//     Assembly uploads and while the stream is down, every 5 s while the stream
//     has told nothing for 10 s, and every 30 s in any case. Once the end is told,
//     the stream is read to its end, for 5 s at the most, and the final
//     Status fetched.
//   - The update stream of an Assembly. Its id, with which the stream begins, gives the URL
//     of the Status, /assemblies/ID at the same origin. If there is none,
//     the stream is followed without.
//   - A job of Scenario, which is asked for every 2 s.
//   - Any other event stream, which is read until it ends, over one connection.
//
// There are never more than three requests for Statuses in a second. Those that fail
// for now (over the rate limit, with a server's error, without a response) are made
// again after 2 s, then 4, up to a minute, or when the server says that they may be.
//
// The header of req goes along with every request to the same origin (scheme, host
// and port), but not to another, redirects included: those get Accept,
// Cache-Control, Last-Event-ID and User-Agent. A stream is not opened that is not
// http or https, that is less secure than req, or on a private network that req is
// not on; the Assembly is then polled.
//
// The error is nil where the story came to its end, even if that is the job's
// failure, which Story.Document tells. An answer that cannot be followed is a
// [*ssewire.ResponseError], or wraps [status.ErrUnknownDocument] where it is JSON. The
// end of req's context wraps the context's cause. The Story has all that came, with any
// error.
func (f Follower) Follow(req *http.Request) (Story, error) {
	ctx, cancel := context.WithCancel(req.Context())
	s := &following{req: req, ctx: ctx, onChange: f.OnChange, news: make(chan struct{}, 1)}
	s.named = req.URL.Query().Get("assembly")
	s.client = *cmp.Or(f.HTTP, http.DefaultClient)
	s.client.Timeout = 0
	checkRedirect := s.client.CheckRedirect
	s.client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		return s.redirect(next, via, checkRedirect)
	}
	s.streamCtx, s.stopStream = context.WithCancel(ctx)
	err := s.begin()
	if err == nil {
		err = s.run()
	}
	cancel()
	s.streaming.Wait()
	s.stopStream()
	if parent := req.Context(); err != nil && parent.Err() != nil {
		err = fmt.Errorf("replay: %w", context.Cause(parent))
	}
	return s.story, err
}

// following is a Follow under way. Its streams are read by a goroutine of their own.
type following struct {
	req       *http.Request // as the caller wants the first one
	ctx       context.Context
	client    http.Client
	onChange  func(Story)
	named     string        // the Assembly that the URL of a stream names
	news      chan struct{} // something has changed that run waits for
	streaming sync.WaitGroup

	streamCtx  context.Context
	stopStream context.CancelFunc

	mu        sync.Mutex // guards all below
	story     Story
	tracker   *status.Tracker // of an Assembly
	id        string          // of the job
	turn      time.Time       // of the next request for a Status
	polled    time.Time       // when one was sent
	notBefore time.Time
	failed    int // requests for a Status, since one went well

	statusURL *url.URL // nil while there is none
	derived   bool     // statusURL is a guess

	stream    streamState
	updated   time.Time // when the stream last told something, or was connected
	pollNow   bool
	final     bool      // the last Status is terminal, and nothing has come since it was sent for
	ended     time.Time // when the end was told
	err       error     // that ends the story
	pollErr   error
	streamErr error
}

type streamState uint8

const (
	streamUnknown streamState = iota // no stream has been named yet
	streamDown                       // it is being connected to
	streamUp
	streamOver // it will not be connected to again
)

// begin sends the first request, which tells what is to be followed.
func (s *following) begin() error {
	req := s.req.Clone(s.ctx)
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	setDefault(req.Header, "Accept", eventStream+", application/json;q=0.9")
	setDefault(req.Header, "Cache-Control", "no-store")
	s.wait(s.ctx)
	sent := time.Now()
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	if (&Exchange{StatusCode: resp.StatusCode, Header: resp.Header}).IsEventStream() {
		s.mu.Lock()
		s.changed()
		s.mu.Unlock()
		s.open(s.req.URL, resp)
		return nil
	}
	a := readAnswer(resp, s.req.URL)
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.err != nil && !a.recognized {
		return a.err
	}
	s.polled, s.final = sent, true
	if _, ok := a.doc.(*status.Job); !ok {
		s.tracker = new(status.Tracker)
		s.story.Document = s.tracker
	}
	s.statusURL = s.req.URL
	if !s.isGet() {
		if err := s.created(a.doc); err != nil {
			return err
		}
	}
	s.answered(a)
	return nil
}

func (s *following) isGet() bool { return s.req.Method == "" || s.req.Method == http.MethodGet }

// created takes the URL of a Status from the answer to the request that has created
// the job: that is not to be sent again.
func (s *following) created(doc status.Document) (err error) {
	switch doc := doc.(type) {
	case *status.Assembly:
		s.statusURL, err = s.permitted(cmp.Or(doc.AssemblySSLURL, doc.AssemblyURL))
	case *status.Job:
		s.statusURL = s.sibling("/v1/jobs/", doc.ID)
	default:
		err = errors.New("replay: the request was refused for now, and is not to be sent again")
	}
	return err
}

// run makes the requests for Statuses, at their times, until the story has ended.
func (s *following) run() error {
	for {
		s.mu.Lock()
		at, done, err := s.next(time.Now())
		s.mu.Unlock()
		if done {
			return err
		}
		timer := new(time.Timer) // that never fires
		if !at.IsZero() {
			timer = time.NewTimer(time.Until(at))
		}
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-s.news:
		case <-timer.C:
			s.poll()
		}
		if !at.IsZero() {
			timer.Stop()
		}
	}
}

// next returns when to ask for a Status next, the zero Time for not before there
// is news, or that the story has ended, and how.
func (s *following) next(now time.Time) (at time.Time, done bool, err error) {
	over := s.stream == streamOver || s.stream == streamUnknown
	terminal := s.terminal()
	switch {
	case s.err != nil:
		return at, true, s.err
	case s.story.Document == nil && over:
		return at, true, s.streamErr
	case terminal && over && (s.final || s.statusURL == nil):
		return at, true, nil
	case s.statusURL == nil && over:
		return at, true, fmt.Errorf("replay: the stream of the Assembly ended without its end, and there is no Status: %w",
			cmp.Or(s.streamErr, io.ErrUnexpectedEOF))
	case terminal && over && now.Sub(s.ended) >= finalTime:
		return at, true, fmt.Errorf("replay: the stream told the end, but no final Status came within %v: %w",
			finalTime, cmp.Or(s.pollErr, errors.New("it does not say that it is")))
	case s.statusURL == nil, terminal && !over:
		return at, false, nil
	}
	switch {
	case s.pollNow, s.polled.IsZero():
		at = now
	case over, s.stream == streamDown, s.tracker.Assembly().State == status.AssemblyUploading:
		at = s.polled.Add(pollInterval)
	default:
		at = later(s.updated.Add(streamSilence), s.polled.Add(silentInterval))
		if watch := s.polled.Add(watchInterval); watch.Before(at) {
			at = watch
		}
	}
	return later(at, s.notBefore), false, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (s *following) terminal() bool {
	return s.story.Document != nil && s.story.Document.Summary().Terminal()
}

// changed tells the caller, and run, that something has changed.
func (s *following) changed() {
	s.story.Trouble = cmp.Or(s.pollErr, s.streamErr)
	if s.onChange != nil {
		s.onChange(s.story)
	}
	select {
	case s.news <- struct{}{}:
	default: // there is news already
	}
}

// poll asks for the Status.
func (s *following) poll() {
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	if !s.wait(ctx) {
		return
	}
	s.mu.Lock()
	s.polled, s.pollNow = time.Now(), false
	s.final = true // unless something comes meanwhile
	req := s.request(ctx, s.statusURL, "application/json")
	s.mu.Unlock()
	resp, err := s.client.Do(req)
	a := answered{err: err, again: true}
	if err == nil {
		a = readAnswer(resp, req.URL)
	}
	if s.ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered(a)
}

// wait waits for the turn of another request for a Status.
func (s *following) wait(ctx context.Context) bool {
	s.mu.Lock()
	at := later(time.Now(), s.turn)
	s.turn = at.Add(statusGap)
	s.mu.Unlock()
	return sleep(ctx, time.Until(at))
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

// answered is what a request for a Status has brought.
type answered struct {
	doc  status.Document // nil where err is not
	size int
	err  error

	again bool          // it may go better another time
	after time.Duration // so long from now at the earliest
	odd   bool          // no Status, as of a proxy that is out of sorts

	// An error that only the API of Assemblies knows, and that will pass.
	recognized bool
}

// readAnswer reads the response of u, which should be a Status.
func readAnswer(resp *http.Response, u *url.URL) (a answered) {
	defer resp.Body.Close()
	data, err := readObject(resp.Body)
	a.size = len(data)
	ok := resp.StatusCode == http.StatusOK
	if mayPass(resp.StatusCode) {
		a.again, a.after = true, retryAfter(resp.Header)
	}
	refused := &ssewire.ResponseError{URL: u.Redacted(), StatusCode: resp.StatusCode, Header: resp.Header}
	if err != nil {
		if a.err = err; err == errNoObject {
			a.err, a.odd = refused, ok
		} else {
			a.again = true
		}
		return a
	}
	doc, err := status.Decode(data)
	if err == nil && !tells(doc) {
		err = status.ErrUnknownDocument
	}
	if err != nil {
		if a.err, a.odd = refused, ok; ok {
			a.err = fmt.Errorf("replay: %s answered with JSON that cannot be followed: %w", u.Redacted(), err)
		}
		return a
	}
	assembly, isAssembly := doc.(*status.Assembly)
	switch {
	case isAssembly && assembly.Error.AboutRequest():
		after, _ := assembly.RetryAfter()
		a.again, a.recognized, a.after = true, true, max(a.after, after)
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		a.err = refused
		return a
	case isAssembly && (assembly.Error == "" || assembly.ID != "" && !notFound(assembly.Error)), !isAssembly:
		if !a.again || doc.Summary().ID != "" {
			a.doc, a.again = doc, false
			return a
		}
		a.err = refused
		return a
	}
	a.err = fmt.Errorf("replay: %s answered %d %s", u.Redacted(), resp.StatusCode, assembly.Error)
	if assembly.Message != "" {
		a.err = fmt.Errorf("%w: %s", a.err, assembly.Message)
	}
	return a
}

// mayPass returns whether a request that was answered with that status code may go
// better another time.
func mayPass(code int) bool {
	return code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code == http.StatusTooEarly || code >= 500
}

// tells returns whether a document is about a job or an error, rather than JSON
// that happens to have a key of theirs.
func tells(doc status.Document) bool {
	a, ok := doc.(*status.Assembly)
	return doc.Summary().ID != "" || ok && (a.State.Busy() || a.State.Terminal() || a.Failed())
}

// notFound returns whether an error means that there is no such Assembly, which is
// then named all the same.
func notFound(code status.ErrorCode) bool {
	return code == status.ErrorAssemblyNotFound || code == status.ErrorAssemblyStatusNotFound
}

var errNoObject = errors.New("no JSON object")

// readObject reads a document that is a JSON object, and of anything else only the
// beginning.
func readObject(body io.Reader) ([]byte, error) {
	r := bufio.NewReaderSize(io.LimitReader(body, maxStatus+1), 64<<10)
	for {
		c, err := r.ReadByte()
		switch {
		case err == io.EOF:
			return nil, errNoObject
		case err != nil:
			return nil, err
		case c == ' ', c == '\t', c == '\r', c == '\n':
			continue
		case c != '{':
			return nil, errNoObject
		}
		break
	}
	r.UnreadByte()
	data, err := io.ReadAll(r)
	if err == nil && len(data) > maxStatus {
		err = fmt.Errorf("replay: the document is larger than %d bytes", maxStatus)
	}
	return data, err
}

// retryAfter returns what the header of that name says.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// answered takes in what a request for a Status has brought.
func (s *following) answered(a answered) {
	defer s.changed()
	s.story.Bytes += int64(a.size)
	if a.err == nil {
		s.story.Statuses++
		a.err = s.take(a.doc)
		a.odd = a.err != nil
	}
	if a.err == nil {
		s.failed, s.pollErr, s.derived = 0, nil, false
		s.final = s.final && a.doc.Summary().Terminal()
		return
	}
	s.final = false
	if !a.again && (s.derived || !a.odd) {
		if s.derived {
			s.statusURL, s.pollErr = nil, nil // it was worth a try
		} else {
			s.err = a.err
		}
		return
	}
	s.pollErr = a.err
	wait := pollInterval << min(s.failed, 5)
	s.failed++
	s.notBefore = time.Now().Add(max(min(wait, maxBackoff), min(a.after, maxRetryAfter)))
}

// take takes in a Status.
func (s *following) take(doc status.Document) error {
	id := doc.Summary().ID
	if s.id == "" {
		s.id = id
	}
	if id != "" && id != s.id {
		return fmt.Errorf("replay: the server answered with the Status of another job, %s", id)
	}
	assembly, ok := doc.(*status.Assembly)
	if !ok {
		if s.tracker != nil {
			return errors.New("replay: the server answered with a job in place of an Assembly")
		}
		s.story.Document = doc
		return nil
	}
	if s.tracker == nil {
		return errors.New("replay: the server answered with an Assembly in place of a job")
	}
	s.tracker.Status(assembly)
	if s.terminal() {
		s.end()
	} else if stream := assembly.StreamURL(); s.stream == streamUnknown && stream != "" {
		u, err := s.permitted(stream)
		if err != nil {
			s.stream, s.streamErr = streamOver, err
			return nil
		}
		s.openLocked(u, nil)
	}
	return nil
}

// end says that the end has been told.
func (s *following) end() {
	if !s.ended.IsZero() {
		return
	}
	s.ended = time.Now()
	if s.stream != streamUp {
		s.stopStream()
		return
	}
	timer := time.AfterFunc(drainTime, s.stopStream)
	context.AfterFunc(s.streamCtx, func() { timer.Stop() })
}

// permitted returns the URL that the server named for the job, if a request to it
// does no harm.
func (s *following) permitted(text string) (*url.URL, error) {
	u, err := s.req.URL.Parse(text)
	switch {
	case err != nil || text == "":
		return nil, fmt.Errorf("replay: the server named %q, which is no URL", text)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("replay: the server named %q, which is not followed: it is neither http nor https", u.Redacted())
	case u.Scheme != "https" && s.req.URL.Scheme == "https":
		return nil, fmt.Errorf("replay: the server named %q, which is not followed: it is not secure, as the server is", u.Redacted())
	case private(u.Hostname()) && !private(s.req.URL.Hostname()):
		return nil, fmt.Errorf("replay: the server named %q, which is not followed: it is on a private network, and the server is not", u.Redacted())
	}
	if u.User == nil && sameOrigin(u, s.req.URL) {
		u.User = s.req.URL.User
	}
	return u, nil
}

// private returns whether a host is said to be on this machine or near it. It does
// not look names up.
func private(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsUnspecified()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || !strings.Contains(host, ".")
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" || u.Scheme != "http" && u.Scheme != "https" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// sibling returns the URL of what is called name at the origin of the first request.
func (s *following) sibling(dir, name string) *url.URL {
	u := s.req.URL
	return (&url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host}).JoinPath(dir, url.PathEscape(name))
}

// neutral are the headers that go along to any origin.
var neutral = []string{"Accept", "Cache-Control", "Last-Event-Id", "User-Agent"}

func onlyNeutral(h http.Header) http.Header {
	out := make(http.Header)
	for _, name := range neutral {
		if values, ok := h[name]; ok {
			out[name] = values
		}
	}
	return out
}

func setDefault(h http.Header, name, value string) {
	if _, ok := h[name]; !ok {
		h.Set(name, value)
	}
}

// request returns a request of our own, with the caller's header.
func (s *following) request(ctx context.Context, u *url.URL, accept string) *http.Request {
	req := (&http.Request{Method: http.MethodGet, URL: u, Header: onlyNeutral(s.req.Header)}).WithContext(ctx)
	if sameOrigin(u, s.req.URL) {
		req.Host, req.Header = s.req.Host, s.req.Header.Clone()
		req.Header.Del("Content-Type")
	}
	req.Header.Del("Last-Event-ID")
	setDefault(req.Header, "Accept", accept)
	setDefault(req.Header, "Cache-Control", "no-store")
	return req
}

// redirect settles whether, when and with what header a redirect is followed.
func (s *following) redirect(next *http.Request, via []*http.Request, check func(*http.Request, []*http.Request) error) error {
	if !sameOrigin(next.URL, s.req.URL) {
		next.Header = onlyNeutral(next.Header)
	}
	if private(next.URL.Hostname()) && !private(s.req.URL.Hostname()) {
		return fmt.Errorf("the redirect to %s is not followed: that is on a private network, and the server is not", next.URL.Host)
	}
	if check != nil {
		if err := check(next, via); err != nil {
			return err
		}
	} else if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	for _, before := range via {
		if s.client.Jar == nil && next.Method == before.Method && *next.URL == *before.URL {
			return errors.New("the redirect leads back to where it came from")
		}
	}
	if path.Base(next.URL.Path) == path.Base(via[0].URL.Path) && !s.wait(next.Context()) {
		return context.Cause(next.Context()) // it may be the same Status that is asked for
	}
	return nil
}

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

// connections reads a stream over as many connections as it takes. It does what
// ssewire.Client does, which cannot do it here: the first connection is there
// already, its id counts before there is an event, no event is too large, and a
// server's error is none for good.
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
		case ctx.Err() != nil, s.terminal():
			over, err = true, nil
		case s.story.Document == nil, u == s.req.URL && !s.isGet():
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

// connect makes a connection. Where that may go better another time and the server
// answered, wait is not 0.
func (s *following) connect(u *url.URL, lastID string) (resp *http.Response, wait time.Duration, err error) {
	req := s.request(s.streamCtx, u, eventStream)
	if lastID != "" && !strings.ContainsFunc(lastID, unicode.IsControl) {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err = s.client.Do(req)
	if err != nil || (&Exchange{StatusCode: resp.StatusCode, Header: resp.Header}).IsEventStream() {
		return resp, 0, err
	}
	resp.Body.Close()
	if mayPass(resp.StatusCode) {
		wait = max(retryAfter(resp.Header), minReconnect)
	}
	return nil, wait, &ssewire.ResponseError{URL: u.Redacted(), StatusCode: resp.StatusCode, Header: resp.Header}
}

// connection is what a stream keeps from one connection to the next.
type connection struct {
	lastID string
	retry  time.Duration
	parser *ssewire.Parser

	// Where the parser has met an event over its limit, the lines are looked at
	// until a blank one ends that.
	last byte // that the parser was fed with
	cr   bool // an LF is the second half of a CRLF
	line bool // a line begins
}

// receive reads a connection to its end, and returns whether it told something.
func (s *following) receive(c *connection, resp *http.Response) (told bool, err error) {
	defer resp.Body.Close()
	c.parser, c.last = ssewire.NewParser(ssewire.LastEventID(c.lastID)), 0
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
	s.story.Bytes += int64(len(chunk))
	s.final = false
	for len(chunk) > 0 {
		if c.parser.Err() != nil {
			if chunk = c.behindEvent(chunk); len(chunk) == 0 {
				break
			}
			c.parser = ssewire.NewParser(ssewire.LastEventID(c.parser.LastEventID()))
		}
		c.parser.Feed(chunk)
		for c.parser.Next() {
			s.story.Events++
			told = s.update(c.parser.Event()) || told
		}
		if c.parser.Err() == nil {
			c.last = chunk[len(chunk)-1]
			break
		}
		// The event began long before the chunk, and counts like any other.
		s.story.Events++
		c.cr = c.last == '\r'
		c.line = c.cr || c.last == '\n'
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

// behindEvent returns what comes behind the next blank line.
func (c *connection) behindEvent(chunk []byte) []byte {
	for i, b := range chunk {
		switch {
		case b == '\n' && c.cr:
			c.cr = false
		case b == '\n' || b == '\r':
			if c.line {
				return chunk[i+1:] // an LF that belongs to it is one more blank line
			}
			c.line, c.cr = true, b == '\r'
		default:
			c.line, c.cr = false, false
		}
	}
	return nil
}

// update takes in an event, and returns whether it is one of an Assembly's.
func (s *following) update(ev ssewire.Event) bool {
	u, err := status.DecodeUpdate(ev.Type, ev.Data)
	if err != nil || u.Kind == status.UnknownUpdate {
		return false
	}
	s.assembly()
	s.tracker.Update(u)
	return true
}

// assembly says that the stream is an Assembly's.
func (s *following) assembly() {
	if s.tracker == nil {
		s.tracker = new(status.Tracker)
		s.story.Document = s.tracker
	}
}

// identify finds the Assembly of a stream that was given alone. The last event ID is
// the Assembly's; where the stream has told nothing else yet, it has to look
// like one.
func (s *following) identify(lastID string) {
	if s.statusURL != nil || s.derived {
		return
	}
	if s.tracker == nil && s.story.Events == 0 && lastID != "" && (lastID == s.named || assemblyID.MatchString(lastID)) {
		s.assembly()
	}
	if id := cmp.Or(lastID, s.named); s.tracker != nil && pathSegment.MatchString(id) {
		s.id, s.derived, s.statusURL = id, true, s.sibling("/assemblies/", id)
	}
}

var (
	assemblyID  = regexp.MustCompile(`^[0-9a-f]{32}$`)
	pathSegment = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)
)
