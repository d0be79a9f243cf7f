package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ssereel/ssereel/status"
)

const (
	// An Assembly may be asked for its Status three times a second. Requests that are this
	// far apart are never four in a second.
	statusGap = 350 * time.Millisecond

	// How often a Status is asked for where nothing else brings news: of a job,
	// of an Assembly whose stream is down, and of one that uploads, since the stream
	// does not tell how many bytes have come. The API itself reports progress
	// every two seconds.
	pollInterval = 2 * time.Second

	// A stream that has told nothing for streamSilence may be dead, or have
	// nothing to tell: the Status is then asked for as well, every silentInterval. It
	// is every watchInterval in any case, or a stream that talks of everything but the
	// end could keep us for ever.
	streamSilence  = 10 * time.Second
	silentInterval = 5 * time.Second
	watchInterval  = 30 * time.Second

	// requestTimeout is how long a Status may take to come, except for the first one.
	requestTimeout = 30 * time.Second

	// Results may come after the end has been told. A stream that the server has not
	// ended after drainTime is left.
	drainTime = 5 * time.Second

	// finalTime is how long the final Status may take to come, or to be final,
	// after the stream has told the end.
	finalTime = 2 * time.Minute

	// After each failure in a row a request waits twice as long, up to maxBackoff;
	// longer only where the server says so, up to maxRetryAfter.
	maxBackoff    = time.Minute
	maxRetryAfter = time.Hour
)

// Follower follows a job to its end: a Transloadit Assembly, from its first Status
// over its update stream to its final Status, or a Scenario job. With a [Recorder]
// as the client's Transport the whole story is in one reel. The zero Follower is
// ready for use.
type Follower struct {
	// HTTP sends the requests; nil means http.DefaultClient. Its Timeout is
	// ignored, as it would end every stream.
	HTTP *http.Client

	// OnChange, if set, is called with the progress: first when the server has
	// answered with something that can be followed, and then whenever something
	// has come. There is one call at a time, and what it is given is valid until
	// it returns.
	OnChange func(Progress)
}

// Progress is how far a Follower has come.
type Progress struct {
	// Document is how the job stands: a *status.Tracker for an Assembly, a
	// *status.Job for a job of Scenario, nil for a stream of something else.
	Document status.Document

	Statuses int64 // documents that came
	Events   int64 // of all streams
	Bytes    int64 // of the bodies of all that came

	// Trouble is what is wrong at the moment, such as why there is no stream or
	// why the last request failed; nil where all is well. The Follower goes on.
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
//     of the Status, /assemblies/ID at the same origin. If there is no Status,
//     the stream is followed without one.
//   - A job of Scenario, which is asked for every 2 s.
//   - Any other event stream, which is read until it ends, over one connection.
//
// Where req is not a GET it is sent once: an Assembly or a job that it creates is
// followed at the URL that the answer names.
//
// There are never more than three requests for Statuses in a second, and redirects count.
// Those that fail for now (over the rate limit, with a server's error, without a response
// or a Status in it) are made again after 2 s, then 4, up to a minute, or when the server
// says that they may be.
//
// The header of req goes along with every request to the same origin (scheme, host
// and port), but not to another, redirects included: those get Accept,
// Cache-Control, Last-Event-ID and User-Agent. A stream is not opened that is not
// http or https, that is less secure than req, or on a private network that req is
// not on, nor at a host that may be an address in disguise, as 127.1 is; the Assembly
// is then polled.
//
// The error is nil where the job came to its end, even if it failed, which
// Progress.Document tells. For an answer that cannot be followed it is a
// [*ssewire.ResponseError], or wraps [status.ErrUnknownDocument] where the answer is JSON.
// When req's context ends, it wraps the context's cause. The Progress has all that came,
// whatever the error.
func (f Follower) Follow(req *http.Request) (Progress, error) {
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
	return s.now, err
}

// following is a Follow under way. Its streams are read by a goroutine of their own.
type following struct {
	req       *http.Request // the first one, as the caller made it
	ctx       context.Context
	client    http.Client
	onChange  func(Progress)
	named     string        // the Assembly that the URL of a stream names
	news      chan struct{} // something has changed that run waits for
	streaming sync.WaitGroup

	streamCtx  context.Context
	stopStream context.CancelFunc

	mu        sync.Mutex // guards all below
	now       Progress
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
	final     bool      // the last Status is terminal, and nothing has come since it was asked for
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

// begin sends the first request, whose answer tells what is to be followed.
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
		return hideCredentials(err)
	}
	if isEventStream(resp) {
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
		s.now.Document = s.tracker
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

// created takes the URL of the Status from the answer to the request that has created
// the job, which must not be sent again.
func (s *following) created(doc status.Document) (err error) {
	switch doc := doc.(type) {
	case *status.Assembly:
		s.statusURL, err = s.permitted(cmp.Or(doc.AssemblySSLURL, doc.AssemblyURL))
	case *status.Job:
		if !pathSegment.MatchString(doc.ID) {
			return fmt.Errorf("replay: the server named the job %q, which cannot be part of a URL", doc.ID)
		}
		s.statusURL = s.sibling(jobsPath, doc.ID)
	default:
		err = errors.New("replay: the request was refused for now, and is not sent again, since it creates something: try later")
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

// next returns when to ask for a Status next, the zero Time where only news can tell, or
// that the story is done, and how it ended.
func (s *following) next(now time.Time) (at time.Time, done bool, err error) {
	over := s.stream == streamOver || s.stream == streamUnknown
	terminal := s.terminal()
	switch {
	case s.err != nil:
		return at, true, s.err
	case s.now.Document == nil && over:
		return at, true, s.streamErr
	case terminal && over && (s.final || s.statusURL == nil):
		return at, true, nil
	case s.statusURL == nil && over:
		return at, true, fmt.Errorf("replay: the stream of the Assembly ended without its end, and there is no Status: %w",
			cmp.Or(s.streamErr, io.ErrUnexpectedEOF))
	case terminal && over && now.Sub(s.ended) >= finalTime:
		return at, true, fmt.Errorf("replay: the stream told the end, but no final Status came within %v: %w",
			finalTime, cmp.Or(s.pollErr, errors.New("the Status does not say that the Assembly has ended")))
	case s.statusURL == nil, terminal && !over:
		return at, false, nil
	}
	switch {
	case s.pollNow, s.polled.IsZero():
		at = now
	case over, s.stream == streamDown, s.tracker.Assembly().State == status.AssemblyUploading:
		at = s.polled.Add(pollInterval)
	default:
		at = latest(s.updated.Add(streamSilence), s.polled.Add(silentInterval))
		if watch := s.polled.Add(watchInterval); watch.Before(at) {
			at = watch
		}
	}
	return latest(at, s.notBefore), false, nil
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (s *following) terminal() bool {
	return s.now.Document != nil && s.now.Document.Summary().Terminal()
}

// changed tells the caller, and run, that something has changed. What breaks because the
// caller has canceled is no trouble.
func (s *following) changed() {
	if s.ctx.Err() == nil {
		s.now.Trouble = cmp.Or(s.pollErr, s.streamErr)
	}
	if s.onChange != nil {
		s.onChange(s.now)
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
	var a answered
	if err == nil {
		a = readAnswer(resp, req.URL)
		a.err = ofPoll(a.err)
	} else {
		a = answered{err: hideCredentials(err), again: true}
	}
	if s.ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered(a)
}

// wait waits until another request for a Status may be sent, and returns whether ctx is
// still in force.
func (s *following) wait(ctx context.Context) bool {
	s.mu.Lock()
	at := latest(time.Now(), s.turn)
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

// answered takes in the answer to a request for a Status.
func (s *following) answered(a answered) {
	defer s.changed()
	s.now.Bytes += int64(a.size)
	if a.err == nil {
		s.now.Statuses++
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
		s.now.Document = doc
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
