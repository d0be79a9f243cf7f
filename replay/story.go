package replay

import (
	"cmp"
	"io"
	"iter"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// story is what a recording holds of one job: an Assembly, or a generation job of
// Scenario. It does not change once it is made.
type story struct {
	id      string
	isJob   bool        // Scenario's
	tellers []*Exchange // whose responses are documents of the job, in the order they were asked for
	streams []*Exchange // the update stream, and its reconnects
	begin   time.Duration
}

// stories are those of a recording.
type stories struct {
	byID       map[string]*story
	byExchange map[*Exchange]*story
	assemblies []*story // in the order of their beginnings
	jobs       []*story
}

// The paths of the two APIs: where a job is asked for by its id, and where one is
// started.
const (
	assembliesPath = "/assemblies"
	jobsPath       = "/v1/jobs"
	generatePath   = "/v1/generate/"
)

// cutLast cuts off the last segment of a path.
func cutLast(path string) (before, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

func newStories(exchanges []*Exchange) *stories {
	ss := &stories{byID: make(map[string]*story), byExchange: make(map[*Exchange]*story)}
	for _, x := range exchanges {
		switch {
		case x.IsEventStream():
			if id := streamOf(x); id != "" {
				s := ss.of(id, false, x)
				s.streams = append(s.streams, x)
			}
		case x.StatusCode != 0:
			if id, isJob := toldBy(x); id != "" {
				s := ss.of(id, isJob, x)
				s.tellers = append(s.tellers, x)
			}
		}
	}
	return ss
}

// of returns the story with that id, which x is a part of.
func (ss *stories) of(id string, isJob bool, x *Exchange) *story {
	s := ss.byID[id]
	if s == nil {
		s = &story{id: id, isJob: isJob, begin: x.Sent}
		ss.byID[id] = s
		if isJob {
			ss.jobs = append(ss.jobs, s)
		} else {
			ss.assemblies = append(ss.assemblies, s)
		}
	}
	ss.byExchange[x] = s
	return s
}

// streamOf returns the id of the Assembly whose updates x streams, "" where it is some
// other stream. An Assembly's id is in the URL, and it is what the first block sets.
func streamOf(x *Exchange) string {
	for param := range strings.SplitSeq(x.query, "&") {
		if id, ok := strings.CutPrefix(param, "assembly="); ok && isID(id) {
			return id
		}
	}
	for segment := range strings.SplitSeq(x.path, "/") {
		if isAssemblyID(segment) {
			return segment
		}
	}
	parser := ssewire.NewParser()
	c := newCursor(x, &x.reads, 4<<10)
	for range 4 {
		read, err := c.next()
		if err != nil {
			return ""
		}
		parser.Feed(read.Data[:min(len(read.Data), 4<<10)])
		parser.Next()
		if id := parser.LastEventID(); id != "" {
			if isAssemblyID(id) {
				return id
			}
			return ""
		}
	}
	return ""
}

// toldBy returns the id of the job that the response of x is a document of, "" if it is
// something else.
func toldBy(x *Exchange) (id string, isJob bool) {
	switch collection, last := cutLast(x.path); {
	case last == "assemblies" && x.Method == http.MethodPost:
	case strings.HasSuffix(collection, assembliesPath) && isID(last):
	case strings.HasSuffix(collection, jobsPath), strings.HasSuffix(collection+"/", generatePath):
		isJob = true
	default:
		return "", false
	}
	refused := x.StatusCode >= 400 // as the Status of an Assembly that has failed may be
	switch {
	case isJob && x.StatusCode/100 == 2, x.StatusCode == http.StatusOK:
	case isJob, !refused, x.StatusCode == http.StatusUnauthorized, x.StatusCode == http.StatusForbidden:
		return "", false
	}
	body := x.document()
	if isJob {
		head, err := status.PeekJob(body)
		if err != nil || !isID(head.ID) {
			return "", false
		}
		return strings.Clone(head.ID), true
	}
	head, err := status.Peek(body)
	if err != nil || head.Error.AboutRequest() || !isID(head.ID) || refused && (head.Error == "" || notFound(head.Error)) {
		return "", false
	}
	return strings.Clone(head.ID), false
}

// isID returns whether id could be a job's.
func isID(id string) bool {
	for i := range len(id) {
		if !isUnreserved(id[i]) {
			return false
		}
	}
	return id != "" && len(id) <= 128
}

// isAssemblyID returns whether id has the form of an Assembly's: 32 hexadecimal digits.
func isAssemblyID(id string) bool {
	if len(id) != 32 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// maxDocument bounds the documents that playback looks into, in bytes.
const maxDocument = 64 << 20

// document returns the body of the response, nil where it is too large for a document,
// or the reel cannot be read any more.
func (x *Exchange) document() []byte {
	if x.Size > maxDocument || encodingOf(x.Header) != "" {
		return nil
	}
	body := make([]byte, x.Size)
	if _, err := io.ReadFull(x.Body(), body); err != nil {
		return nil
	}
	return body
}

// moments are those at which the status of the job was asked for.
func (s *story) moments() iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for _, x := range s.tellers {
			if !yield(x.Sent) {
				return
			}
		}
	}
}

// nextRead returns the moment of the first read of a stream that is behind the moment
// at, forever if there is none.
func (s *story) nextRead(at time.Duration) time.Duration {
	next := forever
	for _, x := range s.streams {
		walk := x.reads.walk()
		for p, ok := walk.next(); ok; p, ok = walk.next() {
			if p.at > at {
				next = min(next, p.at)
				break
			}
		}
	}
	return next
}

// telling is how far the story of an Assembly has been told: by documents, and by its
// streams.
type telling struct {
	story   *story
	at      time.Duration
	tellers []*Exchange // that are still to come
	waiting []*Exchange // streams whose moment has not come
	streams []*eventCursor
	tracker status.Tracker

	// Whether a document or an update has told anything, and whether there was an event
	// that is none of an Assembly's.
	told, strange bool

	// last is the document that came last, stale once the streams have told more than
	// it does.
	last  *Exchange
	stale bool
}

// newTelling begins to tell a story, in which a stands for what is known beforehand.
func newTelling(s *story, a *status.Assembly) *telling {
	t := &telling{story: s, tellers: s.tellers, waiting: s.streams, at: math.MinInt64}
	t.tracker.Status(a)
	return t
}

// open opens the stream whose moment comes next.
func (t *telling) open() {
	c := newEventCursor(t.waiting[0])
	c.byLine = true // a stream may be cut, stalled or taken up again within a read
	t.streams, t.waiting = append(t.streams, c), t.waiting[1:]
}

// nothingYet is how an Assembly begins. Clients take it for granted that the two lists are
// there.
const nothingYet = `{"ok":"ASSEMBLY_UPLOADING","uploads":[],"results":{}}`

// beginning returns what can be said of an Assembly before anything has been told: its id,
// and where to ask.
func (s *story) beginning() *status.Assembly {
	a := new(status.Assembly)
	status.DecodeAssembly([]byte(nothingYet), a)
	a.ID = s.id
	if len(s.streams) > 0 {
		a.UpdateStreamURL = s.streams[0].URL
		if strings.HasPrefix(a.UpdateStreamURL, "/") { // as in a reel that was written by hand
			a.UpdateStreamURL = unknownOrigin + a.UpdateStreamURL
		}
		a.WebsocketURL, _, _ = strings.Cut(a.UpdateStreamURL, "?")
		if origin := originOf(a.UpdateStreamURL); origin != "" {
			a.AssemblySSLURL = origin + assembliesPath + "/" + s.id
			a.AssemblyURL = a.AssemblySSLURL
		}
	}
	if len(s.tellers) == 0 {
		return a
	}
	var told status.Assembly
	if status.DecodeAssembly(s.tellers[0].document(), &told) == nil {
		a.AssemblyURL, a.AssemblySSLURL = told.AssemblyURL, told.AssemblySSLURL
		a.UpdateStreamURL = cmp.Or(told.UpdateStreamURL, a.UpdateStreamURL)
		a.WebsocketURL, a.TusURL = told.WebsocketURL, told.TusURL
	}
	return a
}

// unknownOrigin stands for the service where the recording does not name it. RFC 2606 has set
// that domain aside, so that a request which is not answered from the recording gets nowhere.
const unknownOrigin = "https://recording.invalid"

// originOf returns the scheme, host and port of an absolute URL, "" for any other.
func originOf(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	if !ok || host == "" {
		return ""
	}
	return scheme + "://" + host
}

// tell goes on to the moment at, but to no document that came at limit or later, and
// with the stream of f, unless that is over or silent, to what f has delivered.
func (t *telling) tell(at, limit time.Duration, f *feed) {
	t.at = max(t.at, at)
	told := func(c *eventCursor) bool {
		if f.isLive() && c.x == f.x {
			return c.end <= f.delivered
		}
		return c.at <= at
	}
	for f != nil && !f.gone && slices.Contains(t.waiting, f.x) { // whatever its moment is
		t.open()
	}
	for {
		t.streams = slices.DeleteFunc(t.streams, func(c *eventCursor) bool { return !c.peek() })
		var next *eventCursor
		for _, c := range t.streams {
			if told(c) && (next == nil || c.at < next.at) {
				next = c
			}
		}
		if len(t.waiting) > 0 && t.waiting[0].Sent <= at && (next == nil || t.waiting[0].Sent <= next.at) {
			t.open()
			continue
		}
		teller := len(t.tellers) > 0 && t.tellers[0].Sent <= at && t.tellers[0].Received < limit
		switch {
		case teller && (next == nil || t.tellers[0].Sent <= next.at):
			t.document(t.tellers[0])
			t.tellers = t.tellers[1:]
		case next == nil:
			return
		default:
			t.event(next.event)
			next.taken = true
		}
	}
}

func (t *telling) event(ev ssewire.Event) {
	if u, err := status.DecodeUpdate(ev.Type, ev.Data); err == nil {
		if u.Kind == status.UpdateUnknown {
			t.strange = true
		} else {
			t.told = true
		}
		change := t.tracker.Update(u)
		t.stale = t.stale || change.State || change.Fields || len(change.Uploads) > 0 || len(change.Results) > 0
	}
}

func (t *telling) document(x *Exchange) {
	var a status.Assembly
	if status.DecodeAssembly(x.document(), &a) != nil {
		return
	}
	t.tracker.Status(&a)
	t.last, t.told = x, true
	now := t.tracker.Assembly()
	t.stale = now.Phase() != a.Phase() || now.State != a.State || len(now.Uploads) > len(a.Uploads) || len(now.Results) > len(a.Results)
	for i := 0; i < len(a.Results) && !t.stale; i++ {
		t.stale = len(now.Result(a.Results[i].Name)) > len(a.Results[i].Files)
	}
}

// first returns what answers the request that begins to play the story: the status at the
// moment that it begins, whatever the speed. A client that is told of the end there does
// not ask for the stream, or has all files twice.
func (s *story) first() (x *Exchange, document []byte) {
	t := newTelling(s, s.beginning())
	t.tell(s.begin, forever, nil)
	return t.answer()
}

// finish goes on to the document that tells the end, where the streams have told it
// already and tell nothing more in between: whoever has heard of the end asks at once,
// sooner than it was asked in the recording.
func (t *telling) finish(limit time.Duration) {
	if !t.tracker.Assembly().Terminal() {
		return
	}
	for i, x := range t.tellers {
		if x.Received >= min(limit, t.story.nextRead(t.at)) {
			return
		}
		if head, err := status.Peek(x.document()); err == nil && head.Terminal() {
			for _, x := range t.tellers[:i+1] {
				t.document(x)
			}
			t.tellers = t.tellers[i+1:]
			return
		}
	}
}

// answer returns what answers a request for the status as it has been told so far.
func (t *telling) answer() (x *Exchange, document []byte) {
	switch {
	case t.last != nil && !t.stale:
		return t.last, nil
	case t.last == nil && !t.stale && len(t.tellers) > 0 && t.tellers[0].Received < t.story.nextRead(-1):
		return t.tellers[0], nil
	}
	document, _ = t.tracker.AppendJSON(nil)
	return nil, document
}
