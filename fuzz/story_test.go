package fuzz_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// storyReel is a recording of an Assembly, and what is known of it without playing it.
type storyReel struct {
	name   string
	rec    *replay.Recording
	id     string
	stream string          // its URL
	sent   time.Duration   // the moment it was asked for
	events []storyEvent    // all of the stream's
	ended  time.Duration   // when the stream told of the end
	final  status.Phase    // of the Status at the end
	files  map[string]bool // that the stream tells of
}

type storyEvent struct {
	eventType, data string
	at              time.Time // when the client had it
}

func (e storyEvent) same(f storyEvent) bool { return e.eventType == f.eventType && e.data == f.data }

func newStoryReel(t testing.TB, name string, text []byte) *storyReel {
	rec, err := replay.Load(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	r := &storyReel{name: name, rec: rec}
	for _, x := range rec.Exchanges() {
		if x.IsEventStream() {
			r.stream, r.sent = x.URL, x.Sent
			_, r.id, _ = strings.Cut(x.URL, "assembly=")
		}
	}
	var folded status.Tracker
	for at, ev := range rec.Events() {
		r.events = append(r.events, storyEvent{eventType: string(ev.Type), data: string(ev.Data)})
		if u, err := status.DecodeUpdate(ev.Type, ev.Data); err != nil {
			t.Fatal(err)
		} else if folded.Update(u); folded.Assembly().Terminal() && r.ended == 0 {
			r.ended = at
		}
	}
	r.final, r.files = folded.Assembly().Phase(), storyFiles(folded.Assembly())
	if folded.Assembly().Error == status.ErrorCode(status.AssemblyCanceled) {
		r.final = status.Canceled // for which a stream has no other word than assembly_error
	}
	if len(r.id) != 32 || r.ended == 0 {
		t.Fatalf("%s: Assembly %q ends at %v", name, r.id, r.ended)
	}
	return r
}

// recut returns the reel with its stream in other reads: of size bytes each, at the moment
// of the last of them. So some have several events, and some end within one.
func recut(t testing.TB, r *storyReel, size int) []byte {
	var b bytes.Buffer
	w, err := replay.NewWriter(&b, r.rec.Start())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.rec.Exchanges() {
		out, err := w.Exchange(x.Sent, x.Method, x.URL, x.RequestHeader)
		if err != nil {
			t.Fatal(err)
		}
		out.Response(x.Received, x.StatusCode, x.Header)
		var held []byte
		for read, err := range x.Reads() {
			if err != nil {
				t.Fatal(err)
			}
			for held = append(held, read.Data...); x.IsEventStream() && len(held) >= size; held = held[size:] {
				out.ResponseBody(read.At, held[:size])
			}
		}
		out.ResponseBody(x.Ended, held)
		out.End(x.Ended, x.End, nil)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// repoll returns the reel with a poll behind every second read of its stream, that finds what has
// been told by then.
func repoll(t testing.TB, r *storyReel) []byte {
	var b bytes.Buffer
	w, err := replay.NewWriter(&b, r.rec.Start())
	if err != nil {
		t.Fatal(err)
	}
	var told status.Tracker
	poll := func(at time.Duration, body []byte) {
		out, err := w.Exchange(at, "GET", "https://api2.transloadit.com/assemblies/"+r.id, nil)
		if err != nil {
			t.Fatal(err)
		}
		out.Response(at, 200, http.Header{"Content-Type": {"application/json"}})
		out.ResponseBody(at, body)
		out.End(at, replay.EndEOF, nil)
	}
	for _, x := range r.rec.Exchanges() {
		if !x.IsEventStream() {
			body, err := io.ReadAll(x.Body())
			var a status.Assembly
			if err != nil || status.DecodeAssembly(body, &a) != nil {
				t.Fatal(err)
			}
			poll(x.Sent, body)
			told.Status(&a)
			continue
		}
		out, err := w.Exchange(x.Sent, x.Method, x.URL, x.RequestHeader)
		if err != nil {
			t.Fatal(err)
		}
		out.Response(x.Received, x.StatusCode, x.Header)
		parser, n := ssewire.NewParser(), 0
		for read, err := range x.Reads() {
			if err != nil {
				t.Fatal(err)
			}
			out.ResponseBody(read.At, read.Data)
			for parser.Feed(read.Data); parser.Next(); {
				if u, err := status.DecodeUpdate(parser.Event().Type, parser.Event().Data); err == nil {
					told.Update(u)
				}
			}
			if n++; n%2 == 0 && !told.Assembly().Terminal() {
				body, err := told.AppendJSON(nil)
				if err != nil {
					t.Fatal(err)
				}
				poll(read.At, body)
			}
		}
		out.End(x.Ended, x.End, nil)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func storyReels(t testing.TB) (all []*storyReel) {
	for _, name := range []string{"completed", "failed", "canceled", "odd-shapes"} {
		document, err := os.ReadFile("../testdata/assembly-" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var reel bytes.Buffer
		if err := replay.Compose(&reel, document); err != nil {
			t.Fatal(err)
		}
		all = append(all, newStoryReel(t, name, reel.Bytes()))
	}
	reel, err := os.ReadFile("../testdata/assembly.reel")
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, newStoryReel(t, "assembly.reel", reel))
	for _, r := range slices.Clone(all) {
		for _, size := range []int{60, 1000} {
			all = append(all, newStoryReel(t, fmt.Sprintf("%s in reads of %d bytes", r.name, size), recut(t, r, size)))
		}
	}
	for _, r := range all[:2] {
		all = append(all, newStoryReel(t, r.name+" with polls", repoll(t, r)))
	}
	return all
}

var storySpeeds = []float64{1, 0.5, 10, 3, replay.MaxSpeed}

// storyFault returns a fault, nil for most bytes.
func storyFault(kind, detail byte) replay.Fault {
	n := int(detail)
	position := []replay.Position{{}, replay.AtEvent(1 + n%16), replay.AtByte(int64(n) * 20), replay.AtTime(time.Duration(n) * 50 * time.Millisecond)}[n%4]
	switch kind % 24 {
	case 1:
		return replay.Cut{At: position}
	case 2:
		return replay.Cut{At: position, End: replay.EndEOF}
	case 3:
		return replay.Cut{At: position, End: replay.EndTimeout}
	case 4:
		return replay.Stall{At: position, For: time.Duration(n) * 30 * time.Millisecond}
	case 5:
		return replay.Rechunk{Size: n}
	case 6:
		return replay.Duplicate{At: position}
	case 7:
		return replay.Drop{At: position}
	case 8:
		return replay.Reorder{At: position}
	case 9:
		return replay.Corrupt{At: position}
	case 10:
		return replay.Refuse{Status: []int{429, 503, 511, 204, 200}[n%5], Times: n / 5 % 4}
	case 11:
		return replay.WrongType{}
	}
	return nil
}

// storyStream is a connection of the client to the update stream. It is read in a
// goroutine of its own, as far as the client wants.
type storyStream struct {
	give    context.CancelFunc
	resumed bool // asked for with Last-Event-ID

	mu     sync.Mutex
	wake   *sync.Cond
	wanted int // events
	closed bool
	heard  []storyEvent
	code   int   // 0 as long as there is no response
	over   bool  // and err is why
	err    error // nil at the end of a body
	taken  int   // events that the oracle knows
}

func (s *storyStream) follow(client *http.Client, req *http.Request, size int) {
	err := s.read(client, req, size)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.err = true, err
	s.wake.Broadcast()
}

func (s *storyStream) read(client *http.Client, req *http.Request, size int) error {
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = res.StatusCode
	parser := ssewire.NewParser()
	for buf := make([]byte, size); ; {
		for res.StatusCode == 200 && len(s.heard) >= s.wanted && !s.closed {
			s.wake.Wait()
		}
		s.mu.Unlock()
		n, err := res.Body.Read(buf)
		s.mu.Lock()
		parser.Feed(buf[:n])
		for parser.Next() {
			ev := parser.Event()
			s.heard = append(s.heard, storyEvent{string(ev.Type), string(ev.Data), time.Now()})
		}
		s.wake.Broadcast()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// want has n events more read.
func (s *storyStream) want(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = len(s.heard) + n
	s.wake.Broadcast()
}

// hangUp gives up the connection.
func (s *storyStream) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.give()
	s.wake.Broadcast()
}

// storyClient does things with an Assembly that is played, and checks what it is told.
type storyClient struct {
	*testing.T
	*storyReel
	replay.Playback
	fault             replay.Fault
	http              *http.Client
	polls             []time.Time // that were answered, since the last start
	every             []time.Time // the same, of all
	open              []*storyStream
	done              strings.Builder // for messages
	as                string          // the id to poll with
	streamed, mayTell bool            // the stream has been asked for since it began, and may tell of a cancellation before
	lost              bool            // a stream has been lost that the server takes for connected

	// What is true of a run only.
	running bool
	began   time.Time
	from    time.Duration // the moment of the recording that it began at
	deleted bool
	polled  *status.Assembly // the last Status
	body    string           // of that
	told    status.Tracker   // what the stream has delivered
	end     time.Time        // when that was the end
	next    int              // recorded events that have been delivered
	stream  *storyStream     // asked for last
}

func (c *storyClient) failf(format string, args ...any) {
	c.Helper()
	c.Fatalf("%s, speed %g, MaxIdle %v, fault %v:%s\n%s", c.name, c.Speed, c.MaxIdle, c.fault, c.done.String(), fmt.Sprintf(format, args...))
}

func (c *storyClient) note(format string, args ...any) {
	fmt.Fprintf(&c.done, " "+format, args...)
}

// begin begins a new run at that moment of the recording.
func (c *storyClient) begin(from time.Duration) {
	c.running, c.streamed, c.mayTell, c.began, c.from = true, false, false, time.Now(), from
	c.deleted, c.polled, c.body, c.told, c.end, c.next = false, nil, "", status.Tracker{}, time.Time{}, 0
}

func (c *storyClient) request(method, url string) *http.Request {
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader("params={}")
	}
	req, err := http.NewRequestWithContext(c.Context(), method, url, body)
	if err != nil {
		c.Fatal(err)
	}
	return req
}

// ask makes a request that is answered at once.
func (c *storyClient) ask(method, path string) (code int, header http.Header, body string) {
	res, err := c.http.Do(c.request(method, "https://api2.transloadit.com"+path))
	if err != nil {
		c.failf("%s: %v", method, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.failf("%s: %v", method, err)
	}
	return res.StatusCode, res.Header, string(b)
}

// listen asks for the stream, and reads n events of it.
func (c *storyClient) listen(resume bool, n, size int) {
	mayTell := c.deleted && (!c.streamed || c.refuses()) // that it was canceled, and begin nothing
	if !resume || !c.running {
		from := c.sent
		if resume {
			from = c.ended // behind the first block, wherever that is
		}
		if c.deleted {
			c.polls = nil // it is started anew
		}
		c.begin(from)
		c.mayTell = mayTell
	}
	c.streamed = true
	req := c.request("GET", c.storyReel.stream)
	req.Header.Set("Accept", "text/event-stream")
	if resume {
		req.Header.Set("Last-Event-ID", c.id)
	}
	ctx, give := context.WithCancel(req.Context())
	s := &storyStream{give: give, resumed: resume, wanted: n}
	s.wake = sync.NewCond(&s.mu)
	c.stream = s
	c.open = append(c.open, s)
	go s.follow(c.http, req.WithContext(ctx), size)
	c.hear()
}

// leave is about the stream that there is, when another is going to be asked for, or
// another Assembly: it is closed, or its client has lost it without knowing.
func (c *storyClient) leave(hangUp bool) {
	c.hear()
	if c.stream == nil {
		return
	}
	if hangUp {
		c.stream.hangUp()
	} else {
		c.stream.want(0)
		c.lost = true
	}
	if c.lost {
		c.told = status.Tracker{} // the next one may begin where another client is, and the Status keeps to it
	}
	synctest.Wait()
	c.stream = nil
}

// alters returns whether the fault changes events or their order, so that nothing is known of
// what the stream tells.
func (c *storyClient) alters() bool {
	switch c.fault.(type) {
	case replay.Corrupt, replay.Reorder:
		return true
	}
	return false
}

// refuses returns whether streams are refused, so that nothing is known of when a run begins:
// one that is refused starts nothing.
func (c *storyClient) refuses() bool {
	_, ok := c.fault.(replay.Refuse)
	return ok
}

// hear checks what the stream has delivered by now.
func (c *storyClient) hear() {
	synctest.Wait()
	s := c.stream
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.taken < len(s.heard); s.taken++ {
		ev := s.heard[s.taken]
		c.event(ev)
		u, err := status.DecodeUpdate([]byte(ev.eventType), []byte(ev.data))
		if err != nil && !c.alters() {
			c.failf("the stream says %q: %v", ev.data, err)
		}
		// What comes behind DELETE is the rest of a block, and that it was canceled.
		if !c.deleted {
			c.told.Update(u)
		}
		if c.told.Assembly().Terminal() && c.end.IsZero() {
			c.end = ev.at
		}
	}
	if !s.over || s.closed {
		return
	}
	_, dropped := c.fault.(replay.Drop)
	complete := c.next == len(c.events) || dropped || c.alters() || c.deleted ||
		(c.lost || c.mayTell) && s.code == http.StatusNoContent // it may be taken for one that has more, or has been told
	switch f := c.fault.(type) {
	case replay.Refuse:
		if s.code != 200 && s.code == f.Status || f.Status == 200 || s.code == 204 { // it stays canceled
			complete = true
		}
	case replay.Cut:
		if f.End == replay.EndEOF && s.code == 200 {
			complete = true
		}
		if s.err != nil {
			complete = true
		}
	}
	switch {
	case !complete:
		c.failf("the stream ends with %d, %v behind %d of %d events", s.code, s.err, c.next, len(c.events))
	case s.code == 204 && !s.resumed:
		if f, ok := c.fault.(replay.Refuse); !ok || f.Status != 204 {
			c.failf("the stream from the beginning is answered with 204")
		}
	}
}

// event checks that an event is the one that is to come.
func (c *storyClient) event(ev storyEvent) {
	if c.alters() {
		return
	}
	rest := c.events[c.next:]
	at := slices.IndexFunc(rest, ev.same)
	switch c.fault.(type) {
	case replay.Drop:
		if at == 1 {
			at = 0
			c.next++
		}
	case replay.Duplicate:
		if at != 0 && c.next > 0 && c.events[c.next-1].same(ev) {
			return
		}
	}
	switch {
	case at == 0:
		c.next++
	case c.lost && at > 0: // a connection that was lost has had what is left out
		c.next += at + 1
	case c.lost && slices.ContainsFunc(c.events[:c.next], ev.same): // to the server it may be another client
	case (c.deleted || c.mayTell) && ev.eventType == "assembly_error" && strings.Contains(ev.data, string(status.AssemblyCanceled)):
		c.deleted = true
	case at > 0:
		c.failf("the stream leaves out %q: it goes on with %q", rest[0].data, ev.data)
	default:
		c.failf("behind %d of %d events the stream has this, not for the first time: %q", c.next, len(c.events), ev.data)
	}
}

// poll asks for the Status.
func (c *storyClient) poll() {
	c.hear()
	if !c.running {
		c.begin(0)
	}
	now := time.Now()
	code, header, body := c.ask("GET", "/assemblies/"+c.as)
	recent := func(polls []time.Time) (n int) {
		for _, at := range polls {
			if now.Sub(at) < time.Second {
				n++
			}
		}
		return n
	}
	if code == http.StatusTooManyRequests {
		var a status.Assembly
		if err := status.DecodeAssembly([]byte(body), &a); err != nil || !json.Valid([]byte(body)) || a.Error != status.ErrorStatusRateLimit && header.Get("Retry-After") == "" || a.Terminal() {
			c.failf("too many polls are answered with %v %s", header, body)
		}
		if n := recent(c.every); n < 3 {
			c.failf("a poll is one too many behind %d within a second", n)
		}
		return
	}
	if n := recent(c.polls); n >= 3 && !c.refuses() {
		c.failf("a poll is answered with %d behind %d within a second", code, n)
	}
	c.polls, c.every = append(c.polls, now), append(c.every, now)
	c.status(code, body, now)
}

// start starts the Assembly, under the id where that is not empty.
func (c *storyClient) start(id string) {
	now := time.Now()
	c.polls, c.as = nil, c.id
	path := "/assemblies"
	if id != "" {
		c.as, path = id, path+"/"+id
	}
	c.begin(0)
	code, _, body := c.ask("POST", path)
	if c.status(code, body, now); c.polled.Terminal() {
		c.failf("it starts with %s", body)
	}
}

// del deletes the Assembly.
func (c *storyClient) del() {
	c.hear()
	if !c.running {
		c.begin(0)
	}
	now := time.Now()
	c.deleted = true
	code, _, body := c.ask("DELETE", "/assemblies/"+c.as)
	c.status(code, body, now)
}

// storyFiles lists the files of an Assembly, by what makes each that one and no other.
func storyFiles(a *status.Assembly) map[string]bool {
	all := make(map[string]bool)
	add := func(where string, files []status.File) {
		for i := range files {
			id := files[i].ID
			if id == "" {
				var b bytes.Buffer
				text, _ := files[i].AppendJSON(nil)
				json.Compact(&b, text)
				id = b.String()
			}
			all[where+" "+id] = true
		}
	}
	add("upload", a.Uploads)
	for _, s := range a.Results {
		add("result of "+s.Name+":", s.Files)
	}
	return all
}

// status checks a Status that was asked for at the moment now.
func (c *storyClient) status(code int, body string, now time.Time) {
	var a status.Assembly
	if err := status.DecodeAssembly([]byte(body), &a); err != nil || !json.Valid([]byte(body)) || code != 200 || a.ID != c.id {
		c.failf("%d, %v, no Status of the Assembly: %s", code, err, body)
	}
	files := storyFiles(&a)
	if was := c.polled; was != nil {
		if a.Phase() < was.Phase() || a.BytesReceived < was.BytesReceived || len(a.Uploads) < len(was.Uploads) {
			c.failf("the Status goes back from\n%s to\n%s", c.body, body)
		}
		if was.Terminal() && (a.State != was.State || a.Error != was.Error) {
			c.failf("the Assembly has ended with\n%s and now says\n%s", c.body, body)
		}
		for file := range storyFiles(was) {
			if !files[file] {
				c.failf("the Status has lost %s:\n%s", file, body)
			}
		}
	}
	if !c.alters() {
		told := c.told.Assembly()
		for file := range storyFiles(told) {
			if !files[file] {
				c.failf("the stream has told of %s, the Status does not:\n%s", file, body)
			}
		}
		if a.Phase() < told.Phase() || told.Terminal() && a.Phase() != c.final || told.MetaDataExtracted && !a.MetaDataExtracted {
			c.failf("the stream has told of %s %s, the Status says\n%s", told.State, told.Error, body)
		}
	}
	canceled := (c.deleted || c.mayTell || c.refuses()) && a.State == status.AssemblyCanceled // by what was not begun anew
	c.deleted = c.deleted || c.mayTell && canceled
	if canceled && c.polled != nil && c.polled.State == status.AssemblyCanceled && c.final != status.Canceled && body != c.body {
		c.failf("canceled, the Assembly goes on from\n%s to\n%s", c.body, body)
	}
	if c.deleted && !a.Terminal() {
		c.failf("deleted, it goes on: %s", body)
	}
	if a.Terminal() && !canceled && (c.polled == nil || !c.polled.Terminal()) {
		c.notEarly(body, now)
	}
	if a.Terminal() && !canceled && a.Phase() != c.final {
		c.failf("it ends otherwise than recorded: %s", body)
	}
	c.polled, c.body = &a, body
}

// notEarly checks that a Status of the end, asked for at the moment now, does not come before
// the end: by the clock, where MaxIdle leaves it alone, and by the stream, if that stands open.
func (c *storyClient) notEarly(body string, now time.Time) {
	if c.refuses() {
		return
	}
	speed := c.Speed
	if speed < replay.MaxSpeed && c.MaxIdle == 0 {
		played := c.from + time.Duration(float64(now.Sub(c.began))*speed)
		if played < c.ended-time.Microsecond {
			c.failf("%v behind the beginning the Status tells of the end:\n%s", now.Sub(c.began), body)
		}
	}
	if _, ok := c.fault.(replay.Drop); ok || c.alters() {
		return
	}
	if cut, ok := c.fault.(replay.Cut); ok && cut.End == replay.EndTimeout { // what is silent keeps nothing back
		return
	}
	patience := time.Duration(0)
	if _, ok := c.fault.(replay.Stall); ok {
		patience = 50 * time.Millisecond // as in run.settle
	}
	c.hear()
	if s := c.stream; s != nil && (c.end.IsZero() || c.end.After(now.Add(patience))) {
		s.mu.Lock()
		over := s.over
		s.mu.Unlock()
		if !over {
			c.failf("the stream has told of %d events of %d, and the Status of the end:\n%s", c.next, len(c.events), body)
		}
	}
}

// finish reads the stream to its end, over as many connections as it takes.
func (c *storyClient) finish() {
	switch f := c.fault.(type) {
	case replay.Drop, replay.Corrupt, replay.Reorder, replay.Refuse:
		return
	case replay.Cut:
		if f.End == replay.EndTimeout {
			return
		}
	}
	if c.deleted || !c.running {
		return
	}
	connections := len(c.events) + 3
	if c.lost {
		connections *= 1 + len(c.open) // each of which it may be taken back to
	}
	for range connections {
		c.leave(true)
		c.listen(true, 1<<30, 4<<10)
		c.await(time.Hour)
		if c.hear(); c.stream.code == http.StatusNoContent {
			c.poll()
			return
		}
	}
	c.failf("the stream does not end: it has told of %d events of %d", c.next, len(c.events))
}

// outlive waits, without a stream, until the Assembly must have ended, whether or not the stream
// that there was had come so far.
func (c *storyClient) outlive() {
	if !c.running || c.refuses() {
		return
	}
	c.leave(true)
	time.Sleep(time.Hour)
	if c.poll(); !c.polled.Terminal() {
		c.failf("an hour later the Status says\n%s", c.body)
	}
	if c.polled.State == status.AssemblyCanceled {
		return
	}
	files := storyFiles(c.polled)
	for file := range c.files {
		if !files[file] {
			c.failf("an hour later the Status lacks %s:\n%s", file, c.body)
		}
	}
}

// await waits until the stream has delivered what is wanted, or for d.
func (c *storyClient) await(d time.Duration) {
	if c.stream == nil {
		return
	}
	s, late := c.stream, false
	timer := time.AfterFunc(d, func() {
		s.mu.Lock()
		late = true
		s.mu.Unlock()
		s.wake.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	for len(s.heard) < s.wanted && !s.over && !late {
		s.wake.Wait()
	}
	s.mu.Unlock()
	c.hear()
}

// readsAnyhow returns whether the client may read in pieces of any size. With a fault, what it has of
// a piece that it has not read to its end does not count as delivered: it reads pieces whole where
// they may have more than one event.
func (c *storyClient) readsAnyhow() bool {
	switch c.fault.(type) {
	case nil:
		return true
	case replay.Duplicate, replay.Reorder:
		return false
	}
	return !strings.Contains(c.name, "in reads of")
}

// do does what two bytes of the script say.
func (c *storyClient) do(op, arg byte) {
	n := int(arg)
	size := 64 << 10
	if n&4 > 0 && c.readsAnyhow() {
		size = 1 + n>>3
	}
	wanted := 0
	if n&1 > 0 {
		wanted = 1 << 30
	}
	switch op % 12 {
	case 0:
		c.note("sleep=%dms", n)
		time.Sleep(time.Duration(n) * time.Millisecond)
	case 1:
		c.note("sleep=%dms", n*100)
		time.Sleep(time.Duration(n) * 100 * time.Millisecond)
	case 2:
		c.note("poll")
		c.poll()
	case 3:
		c.note("polls=%d", 1+n%6)
		for range 1 + n%6 {
			c.poll()
		}
	case 4:
		c.note("open(%#x)", n)
		c.leave(n&2 == 0)
		c.listen(false, wanted, size)
	case 5:
		c.note("resume(%#x)", n)
		c.leave(n&2 == 0)
		c.listen(true, wanted, size)
	case 6:
		c.note("read=%d", 1+n%8)
		if c.stream != nil {
			c.stream.want(1 + n%8)
			c.await(time.Minute)
		}
	case 7:
		c.note("listen")
		if c.stream != nil {
			c.stream.want(1 << 30)
		}
	case 8:
		c.note("close")
		c.leave(true)
	case 9:
		c.note("POST(%#x)", n)
		c.leave(n&2 == 0)
		id := ""
		if n&1 > 0 {
			id = strings.Repeat("f", 32)
		}
		c.start(id)
	case 10:
		if n < 64 {
			c.note("DELETE")
			c.del()
		}
	case 11:
		c.note("outlive")
		c.outlive()
	}
}

// FuzzStory has a client do with an Assembly that is played what the script says: sleep, poll its
// Status, listen to its stream, lose that and go on with Last-Event-ID, start and delete it. The
// first five bytes say what is played, at which speed, with which MaxIdle and which fault.
//
// What the Status says never goes back and holds all that the stream has delivered, its end
// comes neither too early nor before the stream's, and not too late; the stream's events come in order, each
// once and all of them, over any number of connections; three polls a second are answered and
// no more; what was deleted stays so. It is a run of its own that begins with a start or
// with the stream from its beginning, and there is but one, for all clients, as Handler says.
// Nothing is known of events that Corrupt has changed and Reorder moved; Drop and Duplicate may
// leave out and double theirs, and a Status that was of the end stays, whatever stream is
// taken up behind it. The bubble of synctest fails where a goroutine is left.
func FuzzStory(f *testing.F) {
	reels := storyReels(f)
	const (
		sleep = iota
		sleepLong
		poll
		polls
		open
		resume
		read
		listen
		hangUp
		post
		del
		outlive
	)
	for _, seed := range [][]byte{
		// Each reel at each speed: listened to and polled; then without its stream.
		{0, 0, 0, 0, 0, open, 1, sleepLong, 20, poll, 0, sleepLong, 100, poll, 0, sleepLong, 250, poll, 0},
		{1, 1, 0, 0, 0, open, 1, sleepLong, 5, poll, 0, sleepLong, 250, poll, 0},
		{2, 2, 0, 0, 0, poll, 0, open, 1, sleepLong, 5, poll, 0, sleepLong, 5, polls, 5, sleepLong, 10, poll, 0},
		{3, 3, 0, 0, 0, open, 5, sleepLong, 20, poll, 0, sleepLong, 20, poll, 0},
		{4, 4, 0, 0, 0, poll, 0, open, 0, read, 3, poll, 0, read, 7, poll, 0, read, 7},
		{5, 0, 0, 0, 0, post, 0, sleepLong, 50, poll, 0, sleepLong, 70, poll, 0, sleepLong, 250, poll, 0},
		{14, 2, 200, 0, 0, poll, 0, sleepLong, 2, poll, 0, sleepLong, 4, poll, 0, sleepLong, 9, poll, 0},
		{15, 0, 0, 0, 0, open, 1, sleepLong, 50, poll, 0, sleepLong, 70, poll, 0, sleepLong, 255, poll, 0},
		{16, 0, 0, 0, 0, post, 0, sleep, 110, poll, 0, sleepLong, 10, poll, 0, sleepLong, 20, poll, 0, sleepLong, 100, poll, 0},
		{15, 4, 0, 0, 0, open, 1, poll, 0, open, 0, poll, 0, read, 0, poll, 0, read, 0, poll, 0, sleepLong, 10, hangUp, 0, poll, 0},
		{0, 0, 0, 0, 0, open, 0, read, 2, outlive, 0},
		{4, 2, 0, 3, 9, open, 1, sleepLong, 20, poll, 0, outlive, 0},
		// Lost and gone on with.
		{4, 0, 0, 0, 0, post, 1, open, 0, read, 2, hangUp, 0, sleepLong, 30, resume, 0, poll, 0, read, 3, resume, 2, read, 1, poll, 0},
		{0, 0, 0, 0, 0, open, 0, read, 1, resume, 4, read, 0, resume, 0, read, 0},
		{0, 4, 0, 0, 0, resume, 1, resume, 0, resume, 0, poll, 0},
		{48, 48, 48, 48, 48, resume, 0x37, read, 0}, // within a recorded read
		{5, 3, 0, 0, 0, resume, 0, read, 3, resume, 0, poll, 0},
		{5, 3, 0, 0, 0, resume, 0},
		{10, 0, 238, 0, 0, poll, 0},
		{3, 4, 0, 0, 0, resume, 1, resume, 0},
		// Deleted, before and behind the end, with a block under way, and started again.
		{4, 0, 0, 0, 0, open, 0, del, 0, read, 0, poll, 0, sleepLong, 9, poll, 0, read, 0, resume, 1, poll, 0, open, 1, poll, 0},
		{4, 0, 0, 0, 0, open, 0, read, 4, del, 0, read, 0, poll, 0, read, 0, poll, 0},
		{4, 0, 0, 0, 0, open, 1, sleepLong, 41, del, 0, poll, 0, sleepLong, 50, poll, 0, post, 0, poll, 0, open, 1, sleepLong, 130, del, 0, poll, 0},
		{14, 0, 0, 0, 0, open, 1, sleepLong, 90, del, 0, poll, 0, sleepLong, 50, poll, 0},
		{0, 2, 0, 0, 0, post, 3, sleep, 90, del, 0, del, 0, poll, 0, open, 1, sleep, 200, poll, 0},
		// Faults.
		{0, 0, 0, 1, 13, open, 1, sleepLong, 20, resume, 1, sleepLong, 60, resume, 1, poll, 0},
		{4, 2, 0, 2, 14, open, 1, sleepLong, 20, poll, 0, resume, 1, sleepLong, 60, poll, 0},
		{4, 0, 0, 3, 9, open, 1, sleepLong, 250, poll, 0, resume, 1, poll, 0},
		{5, 0, 0, 4, 101, open, 1, sleepLong, 2, poll, 0, sleepLong, 10, poll, 0, sleepLong, 30, poll, 0, sleepLong, 200, poll, 0},
		{14, 0, 0, 5, 7, open, 1, sleepLong, 80, poll, 0, sleepLong, 3, poll, 0, sleepLong, 30, poll, 0},
		{4, 1, 0, 6, 5, open, 1, sleepLong, 100, poll, 0, resume, 1, sleepLong, 200, poll, 0},
		{4, 1, 0, 7, 9, open, 1, sleepLong, 100, poll, 0, resume, 1, sleepLong, 200, poll, 0},
		{4, 1, 0, 8, 9, open, 1, sleepLong, 100, poll, 0, resume, 1, sleepLong, 200, poll, 0},
		{4, 1, 0, 9, 33, open, 1, sleepLong, 100, poll, 0, resume, 1, sleepLong, 200, poll, 0},
		{4, 4, 0, 10, 12, resume, 1, resume, 1, resume, 1, poll, 0},
		{4, 4, 0, 11, 0, open, 1, poll, 0},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) < 5 || len(script) > 100 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			c := &storyClient{T: t, storyReel: reels[int(script[0])%len(reels)]}
			c.as = c.id
			c.Speed = storySpeeds[int(script[1])%len(storySpeeds)]
			if script[2] > 127 {
				c.MaxIdle = time.Duration(script[2]) * 5 * time.Millisecond
			}
			if c.fault = storyFault(script[3], script[4]); c.fault != nil {
				c.Faults = []replay.Fault{c.fault}
			}
			c.Seed = uint64(script[4])
			c.http = &http.Client{Transport: c.rec.Transport(c.Playback)}
			defer func() {
				for _, s := range c.open {
					s.hangUp()
				}
			}()
			for i := 5; i+1 < len(script); i += 2 {
				c.do(script[i], script[i+1])
			}
			c.note("finish")
			c.finish()
			c.outlive()
		})
	})
}
