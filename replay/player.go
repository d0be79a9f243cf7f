package replay

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssereel/ssereel/status"
)

// player decides what answers a request: what a Handler and a Transport have in common.
type player struct {
	Playback
	rec     *Recording
	matcher func() *matcher
	stories func() *stories

	mu      sync.Mutex
	runs    map[*story]*run
	aliases map[string]*story // by the ids that clients have chosen for their Assemblies
	started int               // Assemblies
	jobs    map[string]int    // started, by the URL that was asked for if it was recorded

	faults  *faultSet
	origins func() []string

	asked    atomic.Uint64 // streams of Assemblies and jobs
	receipts sync.Map      // streamKey to *receipts: of streams that are no Assembly's
	named    sync.Map      // *Exchange to bool: whether its body has one of the origins in it
	tempos   sync.Map      // *Exchange to *tempo, where these differ
	bodies   sync.Map      // *Exchange to []byte
	loaded   atomic.Int64  // bytes in bodies
}

func newPlayer(r *Recording, p Playback) *player {
	pl := &player{
		Playback: p,
		rec:      r,
		matcher:  sync.OnceValue(func() *matcher { return newMatcher(r.exchanges) }),
		stories:  sync.OnceValue(func() *stories { return newStories(r.exchanges) }),
		runs:     make(map[*story]*run),
		aliases:  make(map[string]*story),
		jobs:     make(map[string]int),
		faults:   newFaults(p.Faults, p.Seed),
	}
	pl.origins = sync.OnceValue(func() []string { return newOrigins(r, pl.stories()) })
	return pl
}

func (p *player) tempo(x *Exchange) *tempo {
	if p.MaxIdle <= 0 {
		return newTempo(p.Playback, 0, nil)
	}
	t, ok := p.tempos.Load(x)
	if !ok {
		t, _ = p.tempos.LoadOrStore(x, newTempo(p.Playback, x.Sent, x.moments()))
	}
	return t.(*tempo)
}

// A body is kept in memory, for all clients, if it is small, as long as there is room.
const (
	maxKeptBody   = 1 << 20
	maxKeptBodies = 16 << 20
)

func (p *player) cursor(x *Exchange) *cursor {
	if body, ok := p.bodies.Load(x); ok {
		return &cursor{x: x, walk: x.reads.walk(), whole: body.([]byte)}
	}
	if 0 < x.Size && x.Size <= maxKeptBody {
		if body := p.load(x); body != nil {
			return &cursor{x: x, walk: x.reads.walk(), whole: body}
		}
	}
	if p.Speed >= MaxSpeed {
		return newCursor(x, &x.reads, readAhead)
	}
	return newCursor(x, &x.reads, 0)
}

// load reads the body of x and keeps it. It returns nil where there is no room, or the reel
// cannot be read any more.
func (p *player) load(x *Exchange) (body []byte) {
	kept := false
	if p.loaded.Add(x.Size) <= maxKeptBodies {
		body = make([]byte, x.Size)
		if _, err := io.ReadFull(x.Body(), body); err != nil {
			body = nil
		} else {
			_, there := p.bodies.LoadOrStore(x, body)
			kept = !there
		}
	}
	if !kept {
		p.loaded.Add(-x.Size) // or what fits would not be kept, either
	}
	return body
}

// perform returns what answers req, nil if there is nothing. base is the scheme, host
// and port that the URLs in the answer lead to, "" to leave them.
func (p *player) perform(req *http.Request, base string) *performance {
	now := time.Now() // from which on its moments count, however long it takes to find it
	perf := p.answer(req, now)
	if perf == nil {
		return nil
	}
	perf.began = now
	return p.ready(req, perf, base)
}

// answer finds the response; perform adds what is the same for all.
func (p *player) answer(req *http.Request, now time.Time) *performance {
	if perf := p.story(req, now); perf != nil {
		return perf
	}
	x := p.matcher().match(req)
	if x == nil {
		x = p.streamNamed(req)
	}
	switch {
	case x == nil:
		return nil
	case req.Method == http.MethodHead: // of which there is no body to resume, nor to go wrong
		return p.play(x, x.Sent, 0)
	}
	lastEventID := trimID(req.Header.Get("Last-Event-ID"))
	if x.IsEventStream() {
		resumed := lastEventID != "" && lastEventID != x.lastEventID()
		if s := p.stories().byExchange[x]; s != nil {
			return p.stream(s, x, lastEventID, asked{now, p.asked.Add(1), lastEventID == ""})
		}
		if resumed {
			x = p.matcher().streamWith(x, lastEventID)
		}
	}
	return p.replay(x, lastEventID, ofPath(x))
}

// streamNamed returns the stream of the Assembly that req names as those do which follow
// websocket_url, nil if there is none: it may be at another path than update_stream_url.
func (p *player) streamNamed(req *http.Request) *Exchange {
	id := req.URL.Query().Get("assembly")
	if req.Method != http.MethodGet && req.Method != "" || !isAssemblyID(id) {
		return nil
	}
	if s := p.stories().byID[id]; s != nil && len(s.streams) > 0 {
		return s.streams[0]
	}
	return nil
}

// replay returns the performance of x for a client with that last event ID, or that of another
// stream which the client lacks something of; may tells which could be that.
func (p *player) replay(x *Exchange, lastEventID string, may func(*Exchange) bool) *performance {
	if !x.IsEventStream() || x.Method == http.MethodHead {
		return p.play(x, x.Sent, 0)
	}
	rs := p.receiptsOf(x)
	c := comeback{x: x}
	if lastEventID != "" {
		c = p.comesBack(rs, nil, x, lastEventID, may)
		x = c.x
	}
	var perf *performance
	if c.point != nil {
		perf = p.resume(x, *c.point, c.point.at, 0)
	} else {
		perf = p.play(x, x.Sent, 0)
	}
	perf.goesOn = c.goesOn(lastEventID)
	reached := p.faults.inject(x, perf)
	if perf.replaced {
		c.putBack(rs)
		return perf
	}
	receipt := rs.open(x, perf.skippedBytes, false)
	total := perf.meter(perf.skippedBytes, reached)
	perf.sending = receipt.send
	perf.delivered = func(left int) { receipt.deliver(total(left)) }
	perf.done = receipt.end
	return perf
}

// ready makes the last changes to a performance.
func (p *player) ready(req *http.Request, perf *performance, base string) *performance {
	if p.OnServe != nil {
		p.OnServe(req, perf.x)
	}
	if p.OnFault != nil {
		perf.onFault = func(fault Fault) { p.OnFault(req, perf.x, fault) }
	}
	if base != "" {
		p.lead(perf, base)
	}
	return perf
}

// lead has the URLs of the recorded service lead to base.
func (p *player) lead(perf *performance, base string) {
	origins := p.origins()
	if len(origins) == 0 {
		return
	}
	r := newRewriter(origins, base)
	for _, name := range []string{"Location", "Content-Location", "Link", "Refresh"} {
		if !slices.ContainsFunc(perf.header[name], func(value string) bool { return r.rewriteString(value) != value }) {
			continue
		}
		perf.header = perf.header.Clone()
		for i, value := range perf.header[name] {
			perf.header[name][i] = r.rewriteString(value)
		}
	}
	if !hasURLs(perf.header) || encodingOf(perf.header) != "" || perf.x != nil && !p.names(perf.x, r) {
		return
	}
	perf.length = -1
	perf.header, perf.trailer = withoutDigests(perf.header), withoutDigests(perf.trailer)
	perf.next = rewritten(r, perf.next)
	if interrupted := perf.interrupted; interrupted != nil {
		perf.interrupted = func() func() (Read, error) { return rewritten(r, interrupted()) }
	}
}

// maxScanned bounds the bodies that are looked through before they are played, in bytes.
const maxScanned = 64 << 20

// names returns whether r has something to do in the body of x. To go through it as it is
// played would be enough, but may hold a few bytes back for a read that it leaves as it is
// in the end.
func (p *player) names(x *Exchange, r *rewriter) bool {
	if x.Size > maxScanned {
		return true
	}
	if named, ok := p.named.Load(x); ok {
		return named.(bool)
	}
	r.found = false
	var out []byte
	for c := p.cursor(x); ; {
		read, err := c.next()
		if err != nil {
			break
		}
		out = r.append(out[:0], read.Data)
	}
	r.flush(nil)
	p.named.Store(x, r.found)
	return r.found
}

// rewritten returns next with r at work on what it returns.
func rewritten(r *rewriter, next func() (Read, error)) func() (Read, error) {
	var out []byte
	var at time.Duration
	return func() (Read, error) {
		read, err := next()
		if err == nil {
			out, at = r.append(out[:0], read.Data), read.At
			return Read{At: at, Data: out}, nil
		}
		if out = r.flush(out[:0]); len(out) > 0 {
			return Read{At: at, Data: out}, nil
		}
		return read, err
	}
}

// newOrigins returns the schemes and hosts of the recorded service: those that were asked,
// and those that its Assemblies say are to be.
func newOrigins(rec *Recording, ss *stories) []string {
	known := make(map[string]bool)
	add := func(url string) {
		if origin := originOf(url); origin != "" {
			known[origin] = true
		}
	}
	add(unknownOrigin)
	for _, x := range rec.exchanges {
		add(x.URL)
	}
	for _, s := range ss.assemblies[:min(len(ss.assemblies), maxAsked)] {
		var a status.Assembly
		if len(s.tellers) > 0 && status.DecodeAssembly(s.tellers[0].document(), &a) == nil {
			for _, url := range []string{a.AssemblyURL, a.AssemblySSLURL, a.UpdateStreamURL, a.WebsocketURL, a.TusURL, a.CompanionURL, a.UppyServerURL} {
				add(url)
			}
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// maxAsked bounds the Assemblies that are asked for the hosts of their service.
const maxAsked = 1000

// play returns the performance of x for a request that is made at the moment from, or was
// made when it had been played from then on for elapsed.
func (p *player) play(x *Exchange, from, elapsed time.Duration) *performance {
	t, c := p.tempo(x), p.cursor(x)
	first, hasReads := x.reads.first()
	return &performance{
		x:      x,
		length: announced(x),
		early:  !hasReads || first.at > x.Received,
		status: x.StatusCode,
		header: x.Header,
		at:     t.played(from, x.Received) - elapsed,
		next: func() (Read, error) {
			read, err := c.next()
			read.At = t.played(from, read.At) - elapsed
			return read, err
		},
		end:     x.End,
		ended:   t.played(from, x.Ended) - elapsed,
		cause:   causeOf(x),
		trailer: x.Trailer,
	}
}

func causeOf(x *Exchange) string {
	if x.Cause == "" {
		return ""
	}
	return "in the recording (" + x.Cause + ")"
}

// announced returns the length that the header of x gives the body, -1 where it gives none or
// the body does not keep to it: one that ends in order has to have it, and one that breaks has
// to be shorter, or a client would take it for whole.
func announced(x *Exchange) int64 {
	n, err := strconv.ParseUint(x.Header.Get("Content-Length"), 10, 63)
	ordered := x.End == EndEOF || x.End == EndCanceled // as they are played
	switch length := int64(n); {
	case err != nil:
		return -1
	case x.Method == http.MethodHead, ordered && x.Size == length, !ordered && x.Size < length:
		return length
	}
	return -1
}

// resume is play for a client that has what comes before point. Where nothing comes
// behind it either, it is told not to come back.
func (p *player) resume(x *Exchange, point resumption, from, elapsed time.Duration) *performance {
	if point.last && x.End != EndReset && x.End != EndUnknown {
		return &performance{x: x, status: http.StatusNoContent, next: nothing, end: EndEOF,
			skippedBytes: point.bytes, skippedEvents: point.events}
	}
	perf := p.play(x, from, elapsed)
	t, c := p.tempo(x), p.cursor(x)
	cut := c.skip(point.bytes)
	perf.early = true
	perf.at, perf.length, perf.skippedBytes, perf.skippedEvents = 0, -1, point.bytes, point.events
	perf.next = func() (Read, error) {
		read, err := c.next()
		read.At = t.played(from, read.At) - elapsed
		read.Data = read.Data[min(cut, len(read.Data)):]
		cut = 0
		return read, err
	}
	return perf
}

func nothing() (Read, error) { return Read{}, io.EOF }

// stream returns the performance of x, a stream of s, or of the one that the client with
// that last event ID was given before.
func (p *player) stream(s *story, x *Exchange, lastEventID string, asked asked) *performance {
	r, _ := p.run(s, false, asked.at)
	if r != nil && r.canceled.Load() {
		switch {
		case x.StatusCode == http.StatusOK && r.tellOne(lastEventID != ""):
			return p.tellCanceled(x)
		case lastEventID != "":
			return &performance{x: x, status: http.StatusNoContent, next: nothing, end: EndEOF}
		}
		r = nil
	}
	c := comeback{x: x}
	if lastEventID != "" {
		rs, last := newReceipts(), (*Exchange)(nil)
		if r != nil {
			rs, last = r.receipts, r.lastStream() // of which it may have had nothing but the ID
		}
		if last != nil && normalPath(last.path) != normalPath(x.path) {
			last = nil
		}
		c = p.comesBack(rs, last, x, lastEventID, ofPath(x))
	}
	wanted, point := x, c.point
	x = c.x
	var perf *performance
	if point == nil {
		perf = p.play(x, x.Sent, 0)
	} else {
		from, elapsed := point.at, time.Duration(0)
		if r != nil {
			from, elapsed = r.played(asked.at)
		}
		perf = p.resume(x, *point, from, elapsed)
	}
	perf.goesOn = c.goesOn(lastEventID)
	reached := p.faults.inject(x, perf)
	if perf.replaced { // and nobody has been told anything of the Assembly
		if r != nil {
			c.putBack(r.receipts)
		}
		return perf
	}
	if r == nil {
		from := x.Sent
		if point != nil {
			from = point.at
		}
		r = p.join(s, from, asked.at)
	}
	f := r.open(x, point, asked)
	if f == nil { // it has been canceled since, which nobody has told a client that was away
		if lastEventID != "" && x.StatusCode == http.StatusOK {
			return p.tellCanceled(x)
		}
		return p.stream(s, wanted, lastEventID, asked)
	}
	perf.done = func() { r.hangUp(f) }
	perf.length = -1 // a canceled stream does not have that length
	perf.interrupt = f.interrupt
	perf.interrupted = func() func() (Read, error) {
		r.mu.Lock()
		delivered := f.delivered
		r.mu.Unlock()
		return once(append(x.restOfBlock(delivered), canceledEvent...))
	}
	r.deliver(f, perf, reached)
	return perf
}

// tellCanceled returns the performance of the stream x for a client that has not been told that
// the Assembly was canceled.
func (p *player) tellCanceled(x *Exchange) *performance {
	return &performance{x: x, status: x.StatusCode, header: x.Header, length: -1, next: once([]byte(canceledEvent)), end: EndEOF}
}

var canceledEvent = "event: assembly_error\ndata: " + canceledPayload(status.AssemblyCanceled) + "\n\n"

// canceledPayload is what a stream's assembly_error says of an Assembly that has been
// canceled. The documentation has no message for that; clients end with this one.
func canceledPayload(state status.State) string {
	const text = "The Assembly was canceled."
	return fmt.Sprintf(`{"error":%q,"ok":%[1]q,"msg":%q,"message":%[2]q}`, state, text)
}

// once returns a function that returns data as a read, and then io.EOF.
func once(data []byte) func() (Read, error) {
	return func() (Read, error) {
		if data == nil {
			return Read{}, io.EOF
		}
		read := Read{Data: data}
		data = nil
		return read, nil
	}
}

// maxAliases bounds what is remembered of the ids that clients choose.
const maxAliases = 10000

// run returns the run of s, if there is none a new one or nil, and whether it is new.
func (p *player) run(s *story, orNew bool, now time.Time) (r *run, begun bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r = p.current(s, now); r == nil && orNew {
		r, begun = p.newRun(s, s.begin, now), true
		p.runs[s] = r
	}
	return r, begun
}

// current returns the run of s, nil if there is none. The caller holds p.mu.
func (p *player) current(s *story, now time.Time) *run {
	r := p.runs[s]
	if r != nil && r.made.Sub(now) > time.Hour {
		return nil // it was begun by another clock, in a bubble of testing/synctest or out of it
	}
	return r
}

// join returns the run of s, unless there is none or it is canceled: then it begins one at
// the moment from. Of several clients that come first, all are in the same.
func (p *player) join(s *story, from time.Duration, now time.Time) *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.current(s, now)
	if r == nil || r.canceled.Load() {
		r = p.newRun(s, from, now)
		p.runs[s] = r
	}
	return r
}

// begin begins a new run of s at the moment from of the recording.
func (p *player) begin(s *story, from time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs[s] = p.newRun(s, from, now)
}

// story returns what answers a request for the start, the status or the end of a job,
// nil where it is something else.
func (p *player) story(req *http.Request, now time.Time) *performance {
	path := strings.TrimSuffix(req.URL.Path, "/")
	collection, id := cutLast(path)
	isGet := req.Method == http.MethodGet || req.Method == http.MethodHead || req.Method == ""
	switch {
	case req.Method == http.MethodPost && strings.HasSuffix(path, assembliesPath):
		return p.start(req, "", now)
	case req.Method == http.MethodPost && strings.HasSuffix(collection, assembliesPath):
		return p.start(req, id, now)
	case req.Method == http.MethodPost && strings.Contains(path+"/", generatePath):
		return p.startJob(req, now)
	case isGet && (strings.HasSuffix(collection, assembliesPath) || strings.HasSuffix(collection, jobsPath)):
	case req.Method == http.MethodDelete && strings.HasSuffix(collection, assembliesPath):
	default:
		return nil
	}
	p.mu.Lock()
	s := p.aliases[id]
	p.mu.Unlock()
	if s = cmp.Or(s, p.stories().byID[id]); s == nil || s.isJob != strings.HasSuffix(collection, jobsPath) {
		return nil
	}
	r, begun := p.run(s, true, now)
	switch {
	case req.Method == http.MethodDelete:
		r.cancel(now)
	case s.isJob:
	case r.tooOften(now):
		return document(http.StatusTooManyRequests, rateLimited(s.id))
	case begun:
		return p.told(s.first())
	}
	return p.told(r.status(now))
}

// told returns the performance of x, or of a document where there is none.
func (p *player) told(x *Exchange, body []byte) *performance {
	if x != nil {
		return p.play(x, x.Sent, 0)
	}
	return document(http.StatusOK, body)
}

// noAssembly is the answer to a request for an Assembly that is not there.
var noAssembly = []byte(`{"error":"` + status.ErrorAssemblyNotFound.String() + `","http_code":404,"message":"The recording does not have this Assembly."}`)

// lacksAssembly returns whether req is about an Assembly, where the recording has others.
func (p *player) lacksAssembly(req *http.Request) bool {
	collection, id := cutLast(strings.TrimSuffix(req.URL.Path, "/"))
	return id != "" && strings.HasSuffix(collection, assembliesPath) && len(p.stories().assemblies) > 0
}

// rateLimited is the answer to a request for a status that is one too many: the page
// "Retrieve an Assembly Status" of the API's documentation.
func rateLimited(id string) []byte {
	return fmt.Appendf(nil, `{"error":%q,"http_code":429,"message":"There were more than %d requests for the Assembly Status within a second. Please wait before the next.","assembly_id":%q,"info":{"retryIn":1}}`,
		status.ErrorStatusRateLimit, pollsPerSecond, id)
}

// start starts an Assembly of the recording, which is another one each time. id is what the
// client wants it to be called, if it has a wish.
func (p *player) start(req *http.Request, id string, now time.Time) *performance {
	all := p.stories()
	s := all.byID[id]
	if s != nil && s.isJob {
		s = nil
	}
	if s == nil && len(all.assemblies) == 0 {
		return nil
	}
	p.mu.Lock()
	if s == nil {
		s = all.assemblies[p.started%len(all.assemblies)]
		p.started++
		if isID(id) {
			if len(p.aliases) == maxAliases {
				clear(p.aliases)
			}
			p.aliases[strings.Clone(id)] = s
		}
	}
	p.mu.Unlock()
	for _, x := range s.tellers {
		if x.Method == http.MethodPost {
			p.begin(s, x.Sent, now)
			return p.play(x, x.Sent, 0)
		}
	}
	p.begin(s, s.begin, now)
	return p.told(s.first())
}

// startJob starts the next job of the recording that was started by the same request, or by
// any if there is none. It returns nil where that request was answered without a job.
func (p *player) startJob(req *http.Request, now time.Time) *performance {
	asked, all, key := p.matcher().match(req), p.stories().jobs, ""
	if asked != nil && asked.Method == http.MethodPost {
		var own []*story
		for _, s := range all {
			if x := s.tellers[0]; x.Method == asked.Method && x.URL == asked.URL {
				own = append(own, s)
			}
		}
		all, key = own, asked.URL
	}
	if len(all) == 0 {
		return nil
	}
	p.mu.Lock()
	s := all[p.jobs[key]%len(all)]
	p.jobs[key]++
	p.mu.Unlock()
	x := s.tellers[0]
	p.begin(s, x.Sent, now)
	return p.play(x, x.Sent, 0)
}

// document returns the performance of a JSON document that nobody has recorded.
func document(code int, body []byte) *performance {
	header := http.Header{
		"Content-Type":   {"application/json; charset=utf-8"},
		"Content-Length": {strconv.Itoa(len(body))},
		"Cache-Control":  {"no-store"},
	}
	if code == http.StatusTooManyRequests {
		header.Set("Retry-After", "1")
	}
	return &performance{status: code, header: header, end: EndEOF, length: int64(len(body)), next: once(body)}
}
