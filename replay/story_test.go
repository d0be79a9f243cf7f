package replay_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
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

// desk takes requests to a Handler as a server would, but without a network, so that
// both doors to a recording are RoundTrippers.
type desk struct{ handler http.Handler }

func (d desk) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	in := req.Clone(ctx)
	in.URL = &url.URL{Path: req.URL.Path, RawPath: req.URL.RawPath, RawQuery: req.URL.RawQuery}
	in.Host, in.RequestURI = cmp.Or(req.Host, req.URL.Host), req.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	r, w := io.Pipe()
	out := &deskWriter{header: make(http.Header), sent: make(chan *http.Response, 1), w: w}
	stop := context.AfterFunc(req.Context(), func() { r.CloseWithError(req.Context().Err()) })
	go func() {
		defer stop()
		defer cancel()
		switch p := catch(func() { d.handler.ServeHTTP(out, in) }); p {
		case nil:
			out.WriteHeader(200)
			w.Close()
		case http.ErrAbortHandler:
			w.CloseWithError(io.ErrUnexpectedEOF)
			close(out.sent)
		default:
			panic(p)
		}
	}()
	select {
	case res, ok := <-out.sent:
		if !ok {
			return nil, io.ErrUnexpectedEOF
		}
		res.Request = req
		res.Body = deskBody{r, cancel}
		return res, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

func catch(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

type deskWriter struct {
	header http.Header
	sent   chan *http.Response
	once   sync.Once
	w      *io.PipeWriter
}

func (d *deskWriter) Header() http.Header { return d.header }

func (d *deskWriter) WriteHeader(status int) {
	d.once.Do(func() { d.sent <- &http.Response{StatusCode: status, Header: d.header.Clone()} })
}

func (d *deskWriter) Write(b []byte) (int, error) {
	d.WriteHeader(200)
	if len(b) == 0 {
		return 0, nil
	}
	return d.w.Write(b)
}

func (d *deskWriter) Flush() { d.WriteHeader(200) }

type deskBody struct {
	*io.PipeReader
	gone context.CancelFunc
}

func (d deskBody) Close() error {
	d.gone()
	return d.PipeReader.Close()
}

// doors are the ways to a recording that have to agree about what it answers.
var doors = []struct {
	name string
	open func(*replay.Recording, replay.Playback) http.RoundTripper
}{
	{"Handler", func(rec *replay.Recording, p replay.Playback) http.RoundTripper {
		p.KeepURLs = true
		return desk{rec.Handler(p)}
	}},
	{"Transport", func(rec *replay.Recording, p replay.Playback) http.RoundTripper { return rec.Transport(p) }},
}

// throughDoors runs a test in a bubble for each door to the reel that text is.
func throughDoors(t *testing.T, text string, p replay.Playback, test func(t *testing.T, rec *replay.Recording, door http.RoundTripper)) {
	t.Helper()
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec, err := load(text)
				if rec == nil {
					t.Fatal(err)
				}
				test(t, rec, d.open(rec, p))
			})
		})
	}
}

// newRequest is a request for target, with headers in pairs of name and value.
func newRequest(t testing.TB, method, target string, header ...string) *http.Request {
	t.Helper()
	if strings.HasPrefix(target, "/") {
		target = "https://api2.example.com" + target
	}
	var body io.Reader
	if method == "POST" || method == "PUT" {
		body = strings.NewReader("params={}")
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

// reply is a response that was read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask makes a request and reads the whole response.
func ask(t testing.TB, door http.RoundTripper, method, target string, header ...string) reply {
	t.Helper()
	res, err := door.RoundTrip(newRequest(t, method, target, header...))
	if err != nil {
		t.Errorf("%s %s: %v", method, target, err)
		return reply{}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("%s %s: %v behind %q", method, target, err, clip(string(b)))
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

// assembly decodes a reply that has to be a Status with a known id and state.
func (r reply) assembly(t testing.TB, id string) *status.Assembly {
	t.Helper()
	var a status.Assembly
	if err := status.DecodeAssembly([]byte(r.body), &a); err != nil || !json.Valid([]byte(r.body)) {
		t.Errorf("%d %q is no Status: %v", r.status, clip(r.body), err)
	}
	if r.status != 200 || a.ID != id || a.State == "" && a.Error == "" {
		t.Errorf("%d %q, want a Status of %s", r.status, clip(r.body), id)
	}
	return &a
}

// said is an event and when it came.
type said struct {
	At         time.Duration
	Type, Data string
}

// listen reads the events of a stream up to its end.
func listen(body io.Reader, began time.Time) (all []said, err error) {
	r := ssewire.NewReader(body)
	for r.Next() {
		ev := r.Event()
		all = append(all, said{time.Since(began), string(ev.Type), string(ev.Data)})
	}
	return all, r.Err()
}

// audience is a client of a stream that goes on beside the test.
type audience struct {
	mu    sync.Mutex
	began time.Time
	heard []said
	done  chan struct{} // closed at the end
	ended time.Duration
	err   error
}

func attend(t testing.TB, door http.RoundTripper, target string, header ...string) *audience {
	a := &audience{began: time.Now(), done: make(chan struct{})}
	req := newRequest(t, "GET", target, header...)
	req.Header.Set("Accept", "text/event-stream")
	go func() {
		defer close(a.done)
		res, err := door.RoundTrip(req)
		if err != nil {
			a.err = err
			return
		}
		defer res.Body.Close()
		r := ssewire.NewReader(res.Body)
		for r.Next() {
			ev := r.Event()
			a.mu.Lock()
			a.heard = append(a.heard, said{time.Since(a.began), string(ev.Type), string(ev.Data)})
			a.mu.Unlock()
		}
		a.err, a.ended = r.Err(), time.Since(a.began)
	}()
	return a
}

// sofar returns what the audience has heard by now.
func (a *audience) sofar() []said {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.heard)
}

// numResults returns how many results were told.
func numResults(heard []said) (n int) {
	for _, s := range heard {
		if s.Type == "assembly_result_finished" {
			n++
		}
	}
	return n
}

// recorded returns the body of the exchange with that number.
func recorded(t testing.TB, rec *replay.Recording, number int) string {
	t.Helper()
	for _, x := range rec.Exchanges() {
		if x.Number == number {
			b, err := io.ReadAll(x.Body())
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
	t.Fatalf("there is no exchange %d", number)
	return ""
}

const (
	storyID   = "0123456789abcdef0123456789abcdef"
	storyPath = "/assemblies/" + storyID
	storyWS   = "/ws20219?assembly=" + storyID
)

// story is an Assembly that was started, listened to, and polled every four seconds.
// The polls are written so that nobody could make them up from what the stream says.
var story = strings.ReplaceAll(version+`# 0 s
> 1 +0 POST https://api2.example.com/assemblies
< 1 +0 200
< 1 content-type: application/json
= 1 +0
\{"ok":"ASSEMBLY_UPLOADING","assembly_id":"ID","bytes_received":0,"bytes_expected":100,"region":"here"}
. 1 +0 eof
# 1 s
> 2 +1 GET https://api2-jane.example.com/ws20219?assembly=ID
> 2 accept: text/event-stream
< 2 +0 200
< 2 content-type: text/event-stream
= 2 +0
|id: ID
|
# 3 s
> 3 +2 GET https://api2-jane.example.com/assemblies/ID
< 3 +0 200
< 3 content-type: application/json
= 3 +0
\{"ok" : "ASSEMBLY_UPLOADING", "assembly_id":"ID", "bytes_received":50, "odd":1.50}
. 3 +0 eof
# 5 s
= 2 +2
|data: assembly_uploading_finished
|
# 7 s
> 4 +2 GET https://api2-jane.example.com/assemblies/ID
< 4 +0 200
< 4 content-type: application/json
= 4 +0
\{"ok" : "ASSEMBLY_EXECUTING", "assembly_id":"ID", "bytes_received":100, "odd":2.50,"results":{}}
. 4 +0 eof
# 9 s
= 2 +2
|event: assembly_result_finished
|data: ["thumbed",{"id":"r1","name":"one.jpg","size":1}]
|
# 11 s
> 5 +2 GET https://api2-jane.example.com/assemblies/ID
< 5 +0 200
< 5 content-type: application/json
= 5 +0
\{"ok" : "ASSEMBLY_EXECUTING", "assembly_id":"ID", "odd":3.50,"results":{"thumbed":[{"id":"r1","name":"one.jpg","size":1}]}}
. 5 +0 eof
# 13 s, and a block in two parts
= 2 +2
|event: assembly_result_finished
\data: ["thumbed",{"id":"r2",
# 15 s
= 2 +2
|"name":"two.jpg","size":2}]
|
# 17 s
= 2 +2
|data: assembly_finished
|
# 18 s
. 2 +1 eof
# 20 s
> 6 +2 GET https://api2-jane.example.com/assemblies/ID
< 6 +0 200
< 6 content-type: application/json
= 6 +0
\{"ok" : "ASSEMBLY_COMPLETED", "assembly_id":"ID", "odd":4.50,"results":{"thumbed":[{"id":"r1","name":"one.jpg","size":1},{"id":"r2","name":"two.jpg","size":2}]}}
. 6 +0 eof
`, "ID", storyID)

// polls are what the Status has to be at moments of story. Where exchange is 0, no
// poll tells, or the one that does is behind the stream.
var polls = []struct {
	at       time.Duration // in the recording
	exchange int
	state    status.State
	results  int
}{
	{2 * time.Second, 0, status.AssemblyUploading, 0},
	{4 * time.Second, 3, status.AssemblyUploading, 0},
	{6 * time.Second, 0, status.AssemblyExecuting, 0},
	{8 * time.Second, 4, status.AssemblyExecuting, 0},
	{10 * time.Second, 0, status.AssemblyExecuting, 1},
	{12 * time.Second, 5, status.AssemblyExecuting, 1},
	{14 * time.Second, 5, status.AssemblyExecuting, 1}, // half a block says nothing
	{16 * time.Second, 0, status.AssemblyExecuting, 2},
	{17500 * time.Millisecond, 6, status.AssemblyCompleted, 2}, // fetched at 20 s
	{19 * time.Second, 6, status.AssemblyCompleted, 2},
	{21 * time.Second, 6, status.AssemblyCompleted, 2},
}

// The status endpoint answers as of the moment of the stream.
func TestStoryPolls(t *testing.T) {
	for _, c := range []struct {
		name     string
		p        replay.Playback
		prologue func(t *testing.T, door http.RoundTripper) *audience
		zero     time.Duration // the moment of the recording when the prologue is over
		of       string        // Assembly id to poll with, if not the recorded one
	}{
		{"beside the stream", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			return attend(t, door, storyWS)
		}, time.Second, storyID},
		{"twice as fast", replay.Playback{Speed: 2}, func(t *testing.T, door http.RoundTripper) *audience {
			return attend(t, door, storyWS)
		}, time.Second, storyID},
		{"at half the speed", replay.Playback{Speed: 0.5}, func(t *testing.T, door http.RoundTripper) *audience {
			return attend(t, door, storyWS)
		}, time.Second, storyID},
		{"started, without a stream", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			ask(t, door, "POST", "/assemblies")
			return nil
		}, 0, storyID},
		{"started under an id of the client's choice", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			ask(t, door, "POST", "/assemblies/ffffffffffffffffffffffffffffffff")
			return nil
		}, 0, "ffffffffffffffffffffffffffffffff"},
		{"the stream long after the start", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			ask(t, door, "POST", "/assemblies")
			time.Sleep(time.Minute)
			return attend(t, door, storyWS)
		}, time.Second, storyID},
		{"started anew", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			ask(t, door, "POST", "/assemblies")
			time.Sleep(time.Minute)
			ask(t, door, "GET", storyPath)
			ask(t, door, "POST", "/assemblies")
			return nil
		}, 0, storyID},
		{"the stream anew", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			<-attend(t, door, storyWS).done
			ask(t, door, "GET", storyPath)
			return attend(t, door, storyWS)
		}, time.Second, storyID},
		{"the stream given up", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			take(t, door, storyWS, "", 0)
			return nil
		}, time.Second, storyID},
		{"the stream given up, long after the start", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			ask(t, door, "POST", "/assemblies")
			time.Sleep(time.Minute)
			take(t, door, storyWS, "", 0)
			return nil
		}, time.Second, storyID},
		{"the header of the stream alone", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			ask(t, door, "POST", "/assemblies")
			ask(t, door, "HEAD", storyWS)
			return nil
		}, 0, storyID},
		{"signed", replay.Playback{}, func(t *testing.T, door http.RoundTripper) *audience {
			return attend(t, door, storyWS+"&signature=sha384:0")
		}, time.Second, storyID + "?signature=sha384:1&params=%7B%22auth%22%3A%7B%22key%22%3A%22k%22%7D%7D"},
	} {
		t.Run(c.name, func(t *testing.T) {
			throughDoors(t, story, c.p, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				heard := c.prologue(t, door)
				began := time.Now()
				for _, want := range polls {
					speed := cmp.Or(c.p.Speed, 1)
					time.Sleep(time.Until(began.Add(time.Duration(float64(want.at-c.zero) / speed))))
					got := ask(t, door, "GET", "/assemblies/"+c.of)
					a := got.assembly(t, storyID)
					if a.State != want.state || len(a.Result("thumbed")) != want.results {
						t.Errorf("at %v: %s with %d results, want %s with %d:\n%s", want.at, a.State, len(a.Result("thumbed")), want.state, want.results, got.body)
					}
					if want.exchange > 0 && got.body != recorded(t, rec, want.exchange) {
						t.Errorf("at %v: not the recorded poll\n%s, want\n%s", want.at, got.body, recorded(t, rec, want.exchange))
					}
					if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
						t.Errorf("at %v: the type is %q", want.at, kind)
					}
				}
				if heard != nil {
					if <-heard.done; heard.err != nil || len(heard.heard) != 4 {
						t.Errorf("the stream says %v, %v", heard.heard, heard.err)
					}
				}
			})
		})
	}
}

// What no poll says is there from the polls before: the made answer is the Status as it
// would have been, not only what the stream said.
func TestStoryKeepsPolled(t *testing.T) {
	throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		ask(t, door, "POST", "/assemblies")
		time.Sleep(10 * time.Second)
		a := ask(t, door, "GET", storyPath).assembly(t, storyID)
		if got := a.Lookup("odd"); got != "2.50" {
			t.Errorf("odd is %q, want that of the poll before", got)
		}
	})
}

// Whoever has an event and asks at once, the stream given up, is told no less, however the
// recording is paced.
func TestStoryAtOnce(t *testing.T) {
	for _, p := range []replay.Playback{
		{}, {Speed: 3}, {Speed: 0.7}, {Speed: 1e7}, {MaxIdle: time.Second}, {MaxIdle: 1999 * time.Millisecond, Speed: 7}, {Speed: replay.MaxSpeed},
	} {
		t.Run(fmt.Sprintf("speed %v, silence %v", p.Speed, p.MaxIdle), func(t *testing.T) {
			throughDoors(t, story, p, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				for n, want := range []struct {
					state   status.State
					results int
				}{
					{status.AssemblyExecuting, 0}, {status.AssemblyExecuting, 1}, {status.AssemblyExecuting, 2}, {status.AssemblyCompleted, 2},
				} {
					take(t, door, storyWS, "", n+1)
					synctest.Wait()
					a := ask(t, door, "GET", storyPath).assembly(t, storyID)
					if len(a.Result("thumbed")) < want.results || a.Phase() < want.state.Phase() {
						t.Errorf("behind event %d: %s with %d results, want %s with %d", n+1, a.State, len(a.Result("thumbed")), want.state, want.results)
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
}

// What a stream has told before it is stalled, or given up, is known, though the rest of the
// recorded read is still to come.
func TestStoryWithinRead(t *testing.T) {
	for _, end := range []string{"\n", "\r", "\r\n"} {
		stream := "id: " + storyID + "\n\nevent: assembly_result_finished\ndata: [\"s\",{\"id\":\"r1\"}]\n\n" +
			"event: assembly_result_finished\ndata: [\"s\",{\"id\":\"r2\"}]\n\ndata: assembly_finished\n\n"
		text := version + "> 1 +0 GET https://api2.example.com" + storyWS + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n" +
			quotedRead(strings.ReplaceAll(stream, "\n", end)) + ". 1 +0 eof\n"
		for _, c := range []struct {
			name  string
			fault replay.Fault
			want  []int // results, by the second
		}{
			{"in front of the second event", replay.Stall{For: 2 * time.Second, At: replay.AtEvent(2)}, []int{1, 1, 2}},
			{"in front of the third event", replay.Stall{For: 2 * time.Second, At: replay.AtEvent(3)}, []int{2, 2, 2}},
			{"nowhere", nil, []int{2, 2, 2}},
		} {
			t.Run(fmt.Sprintf("%s, %q", c.name, end), func(t *testing.T) {
				throughDoors(t, text, replay.Playback{Faults: []replay.Fault{c.fault}}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
					heard := attend(t, door, storyWS)
					time.Sleep(500 * time.Millisecond)
					for i, want := range c.want {
						a := ask(t, door, "GET", storyPath).assembly(t, storyID)
						if n := numResults(heard.sofar()); n != want || len(a.Result("s")) != want {
							t.Errorf("after %d s the stream has told of %d results, the Status of %d, want %d", i, n, len(a.Result("s")), want)
						}
						time.Sleep(time.Second)
					}
				})
			})
		}
	}
}

// aside is a story of a stream whose events come at these moments, in seconds, and of polls.
func aside(events map[int]string, polled map[int]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s> 1 +0 GET https://api2-jane.example.com%s\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|id: %s\n|\n", version, storyWS, storyID)
	n, last := 1, 0
	for at := range 20 {
		if ev, ok := events[at]; ok {
			fmt.Fprintf(&b, "= 1 +%d\n|%s\n|\n", at-last, strings.ReplaceAll(ev, "\n", "\n|"))
			last = at
		}
		if doc, ok := polled[at]; ok {
			n++
			fmt.Fprintf(&b, "> %[1]d +%[2]d GET https://api2-jane.example.com%[3]s\n< %[1]d +0 200\n= %[1]d +0\n\\%[4]s\n. %[1]d +0 eof\n", n, at-last, storyPath, doc)
			last = at
		}
	}
	return b.String() + ". 1 +0 eof\n"
}

// A recorded poll that knows less than the stream has told is no answer: a client would take
// back what it has been told.
func TestStoryPollBehindStream(t *testing.T) {
	const (
		uploaded = `event: assembly_upload_finished` + "\n" + `data: {"id":"u1","name":"a.jpg"}`
		result1  = `event: assembly_result_finished` + "\n" + `data: ["thumbed",{"id":"r1"}]`
		result2  = `event: assembly_result_finished` + "\n" + `data: ["thumbed",{"id":"r2"}]`
		named1   = `event: assembly_result_finished` + "\n" + `data: ["thumbed",{"id":"r1","name":"one.jpg"}]`
		progress = `event: assembly_execution_progress` + "\n" + `data: {"progress_combined":50}`
		begun    = `data: assembly_uploading_finished`
		finished = `data: assembly_finished`
	)
	doc := func(state, rest string) string {
		return `{"ok":"` + state + `","assembly_id":"` + storyID + `","bytes_received":9,"odd":1.50` + rest + `}`
	}
	for _, c := range []struct {
		name         string
		events       map[int]string
		polled       map[int]string
		at           int // seconds, and a half
		want         []string
		wantNot      []string
		wantExchange int
	}{
		{"an upload", map[int]string{1: uploaded}, map[int]string{2: doc("ASSEMBLY_UPLOADING", `,"uploads":[]`)}, 2, []string{`"u1"`, "1.50"}, nil, 0},
		{"a Step", map[int]string{1: begun, 2: result1}, map[int]string{3: doc("ASSEMBLY_EXECUTING", `,"results":{}`)}, 3, []string{`"r1"`, "1.50"}, nil, 0},
		{"one of two results", map[int]string{1: result1, 2: result2}, map[int]string{3: doc("ASSEMBLY_EXECUTING", `,"results":{"thumbed":[{"id":"r1"}]}`)}, 3, []string{`"r1"`, `"r2"`, "1.50"}, nil, 0},
		{"one of two results in the last of two Steps", map[int]string{1: result1, 2: result2}, map[int]string{3: doc("ASSEMBLY_EXECUTING", `,"results":{"a":[{"id":"x"}],"thumbed":[{"id":"r1"}]}`)}, 3, []string{`"r1"`, `"r2"`, `"x"`, "1.50"}, nil, 0},
		{"the state", map[int]string{1: begun}, map[int]string{2: doc("ASSEMBLY_UPLOADING", ``)}, 2, []string{"ASSEMBLY_EXECUTING", "1.50"}, nil, 0},
		{"the end", map[int]string{1: finished}, map[int]string{2: doc("ASSEMBLY_EXECUTING", ``)}, 2, []string{"ASSEMBLY_COMPLETED", "1.50"}, nil, 0},
		{"nothing", map[int]string{1: begun, 2: result1}, map[int]string{3: doc("ASSEMBLY_EXECUTING", `,"results":{"thumbed":[{"id":"r1"}]}`)}, 3, nil, nil, 2},
		{"an upload since", map[int]string{3: uploaded}, map[int]string{1: doc("ASSEMBLY_UPLOADING", ``)}, 3, []string{`"u1"`, "1.50"}, nil, 0},
		{"a result since", map[int]string{3: result1}, map[int]string{1: doc("ASSEMBLY_EXECUTING", ``)}, 3, []string{`"r1"`, "1.50"}, nil, 0},
		{"the state since", map[int]string{3: begun}, map[int]string{1: doc("ASSEMBLY_UPLOADING", ``)}, 3, []string{"ASSEMBLY_EXECUTING", "1.50"}, nil, 0},
		{"what no Status has, since", map[int]string{3: "data: keep-alive"}, map[int]string{1: doc("ASSEMBLY_UPLOADING", ``)}, 3, nil, nil, 2},
		{"a result since, and progress behind it", map[int]string{2: result1, 3: progress}, map[int]string{1: doc("ASSEMBLY_EXECUTING", ``)}, 3, []string{`"r1"`, "1.50"}, nil, 0},
		{"meta data since", map[int]string{3: "data: assembly_upload_meta_data_extracted"}, map[int]string{1: doc("ASSEMBLY_EXECUTING", ``)}, 3, []string{`"upload_meta_data_extracted":true`, "1.50"}, nil, 0},
		{"more about a result than the poll behind it", map[int]string{1: named1}, map[int]string{3: doc("ASSEMBLY_EXECUTING", `,"results":{"thumbed":[{"id":"r1"}]}`)}, 3, nil, nil, 2},
		{"more about a result than the poll before it", map[int]string{3: named1}, map[int]string{2: doc("ASSEMBLY_EXECUTING", `,"results":{"thumbed":[{"id":"r1"}]}`)}, 3, []string{`"one.jpg"`, "1.50"}, nil, 0},
		{"a poll to come", map[int]string{5: begun}, map[int]string{3: doc("ASSEMBLY_UPLOADING", ``)}, 0, []string{"ASSEMBLY_UPLOADING"}, []string{"1.50"}, 0},
		{"the end, asked for sooner than it was", map[int]string{3: finished}, map[int]string{1: doc("ASSEMBLY_EXECUTING", ``), 4: doc("ASSEMBLY_EXECUTING", ``), 9: doc("ASSEMBLY_COMPLETED", ``)}, 3, nil, nil, 4},
		{"the end, and a result behind it", map[int]string{3: finished, 7: result1}, map[int]string{9: doc("ASSEMBLY_COMPLETED", `,"results":{"thumbed":[{"id":"r1"}]}`)}, 3, []string{"ASSEMBLY_COMPLETED"}, []string{`"r1"`}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, listens := range []bool{true, false} {
				throughDoors(t, aside(c.events, c.polled), replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
					if listens {
						attend(t, door, storyWS)
					} else {
						take(t, door, storyWS, "", 0)
					}
					time.Sleep(time.Duration(c.at)*time.Second + 500*time.Millisecond)
					got := ask(t, door, "GET", storyPath).body
					for _, want := range c.want {
						if !strings.Contains(got, want) {
							t.Errorf("listening %v, it lacks %s:\n%s", listens, want, got)
						}
					}
					for _, not := range c.wantNot {
						if strings.Contains(got, not) {
							t.Errorf("listening %v, it has %s:\n%s", listens, not, got)
						}
					}
					if c.wantExchange > 0 && got != recorded(t, rec, c.wantExchange) {
						t.Errorf("listening %v, it is\n%s, want exchange %d", listens, got, c.wantExchange)
					}
				})
			}
		})
	}
	// The URLs that a client needs are those that a Status names, though it comes later.
	t.Run("URLs", func(t *testing.T) {
		urls := map[string]string{
			"assembly_url": "http://api2.jane.example.com" + storyPath, "assembly_ssl_url": "https://api2-jane.example.com" + storyPath + "?x",
			"update_stream_url": "https://api2-jane.example.com/other?assembly=" + storyID, "websocket_url": "https://api2-jane.example.com/other",
			"tus_url": "https://api2-jane.example.com/resumable/files/",
		}
		rest := ""
		for name, url := range urls {
			rest += fmt.Sprintf(",%q:%q", name, url)
		}
		text := aside(map[int]string{1: begun}, map[int]string{5: doc("ASSEMBLY_EXECUTING", rest)})
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			attend(t, door, storyWS)
			time.Sleep(2 * time.Second)
			a := ask(t, door, "GET", storyPath).assembly(t, storyID)
			for name, want := range urls {
				if got, _ := a.Lookup(name).Text(); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	})
}

// What several streams have told of an Assembly is told in its order.
func TestStoryTwoStreams(t *testing.T) {
	text := aside(map[int]string{1: "event: assembly_result_finished\ndata: [\"s\",{\"id\":\"r1\"}]", 5: "event: assembly_result_finished\ndata: [\"s\",{\"id\":\"r3\"}]"}, nil)
	second := strings.Replace(text, version, "", 1)
	second = strings.NewReplacer("> 1 +0", "> 2 +0", "< 1 ", "< 2 ", "= 1 +1", "= 2 +0", "= 1 +4", "= 2 +0", "= 1 ", "= 2 ", ". 1 ", ". 2 ", "r1", "r2", "r3", "r4").Replace(second)
	i := strings.Index(text, "= 1 +4")
	text = text[:i] + "# 3 s\n" + strings.Replace(second, "> 2 +0", "> 2 +2", 1) + strings.Replace(text[i:], "+4", "+2", 1)
	throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		ask(t, door, "POST", "/assemblies")
		time.Sleep(10 * time.Second)
		var ids []string
		for _, f := range ask(t, door, "GET", storyPath).assembly(t, storyID).Result("s") {
			ids = append(ids, f.ID)
		}
		if want := []string{"r1", "r2", "r4", "r3"}; !slices.Equal(ids, want) {
			t.Errorf("the results are %q, want %q", ids, want)
		}
	})
}

// twoStreams is an Assembly whose updates were listened to at one path, until that broke,
// and then at another.
const twoStreams = version + "> 1 +0 GET https://api2-jane.example.com" + storyWS + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n" +
	"= 1 +0\n|id: " + storyID + "\n|\n= 1 +1\n|event: assembly_result_finished\n|data: [\"s\",{\"id\":\"r1\"}]\n|\n" +
	"= 1 +1\n|event: assembly_result_finished\n|data: [\"s\",{\"id\":\"r2\"}]\n|\n. 1 +0 reset\n" +
	"> 2 +1 GET https://api2-jane.example.com/again?assembly=" + storyID + "\n< 2 +0 200\n< 2 content-type: text/event-stream\n" +
	"= 2 +0\n|id: " + storyID + "\n|\n= 2 +1\n|event: assembly_result_finished\n|data: [\"s\",{\"id\":\"r3\"}]\n|\n" +
	"= 2 +9\n|event: assembly_result_finished\n|data: [\"s\",{\"id\":\"r4\"}]\n|\n. 2 +0 eof\n"

// A client that listened at one path and goes on at another gets what was recorded there, and
// not what the first path has left.
func TestStoryStreamAtAnotherPath(t *testing.T) {
	throughDoors(t, twoStreams, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		if got, _ := take(t, door, storyWS, "", 1); !slices.Equal(got, []string{`["s",{"id":"r1"}]`}) {
			t.Errorf("at the first path there are %q", got)
		}
		status, got, err := follow(t, door, "/again?assembly="+storyID, storyID)
		if want := []string{`["s",{"id":"r3"}]`, `["s",{"id":"r4"}]`}; status != 200 || err != nil || !slices.Equal(got, want) {
			t.Errorf("at the second there are %d %q %v, want %q", status, got, err, want)
		}
	})
}

// What an earlier stream told stays told to the client of a later one, of which less has been
// delivered so far.
func TestStoryPollOnSecondStream(t *testing.T) {
	throughDoors(t, twoStreams, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		heard := attend(t, door, "/again?assembly="+storyID)
		for _, want := range [][]string{{"r1", "r2"}, {"r1", "r2", "r3"}} {
			time.Sleep(500 * time.Millisecond)
			var ids []string
			for _, f := range ask(t, door, "GET", storyPath).assembly(t, storyID).Result("s") {
				ids = append(ids, f.ID)
			}
			if !slices.Equal(ids, want) {
				t.Errorf("behind %d events the results are %q, want %q", len(heard.sofar()), ids, want)
			}
			time.Sleep(time.Second)
		}
	})
}

// Of two streams that tell at the same moment, the one that was asked for first tells first.
func TestStoryTwoStreamsAtOnce(t *testing.T) {
	event := func(stream int, id string) string {
		return fmt.Sprintf("= %d +0\n|event: assembly_result_finished\n|data: [\"s\",{\"id\":%q}]\n|\n", stream, id)
	}
	text := version
	for i := 1; i <= 2; i++ {
		text += fmt.Sprintf("> %d +0 GET https://api2-jane.example.com%s\n< %[1]d +0 200\n< %[1]d content-type: text/event-stream\n", i, storyWS)
	}
	text += "# 1 s\n= 1 +1\n|\n" + event(2, "r3") + event(1, "r1") + event(1, "r2") + event(2, "r4") + ". 1 +0 eof\n. 2 +0 eof\n"
	throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		ask(t, door, "POST", "/assemblies")
		time.Sleep(2 * time.Second)
		var ids []string
		for _, f := range ask(t, door, "GET", storyPath).assembly(t, storyID).Result("s") {
			ids = append(ids, f.ID)
		}
		if want := []string{"r1", "r2", "r3", "r4"}; !slices.Equal(ids, want) {
			t.Errorf("the results are %q, want %q", ids, want)
		}
	})
}

// A response that was no success is no document of the Assembly, whatever it says.
func TestStoryUnsuccessfulPoll(t *testing.T) {
	for _, code := range []int{201, 404, 502} {
		failed := aside(nil, map[int]string{3: `{"ok":"ASSEMBLY_CANCELED","assembly_id":"` + storyID + `"}`})
		failed = strings.Replace(failed, "< 2 +0 200", fmt.Sprintf("< 2 +0 %d", code), 1)
		throughDoors(t, failed, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			ask(t, door, "POST", "/assemblies")
			time.Sleep(4 * time.Second)
			if a := ask(t, door, "GET", storyPath).assembly(t, storyID); a.State != status.AssemblyUploading {
				t.Errorf("behind a %d it says %s", code, a.State)
			}
		})
	}
}

// A client that only polls starts the clock with its first request.
func TestStoryOnlyPolls(t *testing.T) {
	var b strings.Builder
	b.WriteString(version)
	states := []status.State{status.AssemblyUploading, status.AssemblyExecuting, status.AssemblyCompleted}
	for i, state := range states {
		fmt.Fprintf(&b, "> %d +%d GET https://api2.example.com%s\n< %d +0 200\n< %d content-type: application/json\n= %d +0\n\\{\"ok\":\"%s\",\"assembly_id\":\"%s\"}\n. %d +0 eof\n",
			i+1, min(i, 1)*2, storyPath, i+1, i+1, i+1, state, storyID, i+1)
	}
	throughDoors(t, b.String(), replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		time.Sleep(time.Hour) // it is the request that counts
		for range 2 {
			for i, want := range []int{1, 1, 2, 2, 3, 3} { // at 0, 1, 2½, 3½, 4½, …
				if got := ask(t, door, "GET", storyPath).body; got != recorded(t, rec, want) {
					t.Errorf("poll %d: %s, want\n%s", i, got, recorded(t, rec, want))
				}
				time.Sleep([]time.Duration{1000, 1500, 1000, 1000, 1000, 1000}[i] * time.Millisecond)
			}
			// Where no start was recorded, the first Status is the start.
			a := ask(t, door, "POST", "/assemblies").assembly(t, storyID)
			if a.State != status.AssemblyUploading {
				t.Errorf("it starts with %s", a.State)
			}
		}
	})
}

// Where nothing waits, the first poll of all tells of the beginning all the same: who is
// told of the end does not ask for the stream.
func TestStoryFirstPoll(t *testing.T) {
	throughDoors(t, story, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		if got := ask(t, door, "GET", storyPath).body; got != recorded(t, rec, 1) {
			t.Errorf("the first poll says %s", got)
		}
		if got := ask(t, door, "GET", storyPath).body; got != recorded(t, rec, 6) {
			t.Errorf("the second poll says %s", got)
		}
	})
	t.Run("followed", func(t *testing.T) {
		const id = "55a46ab12179453a8a20921a058b7546"
		text, _, _ := goldenReel(t, "assembly.reel")
		throughDoors(t, text, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			var reel strings.Builder
			recorder, err := replay.NewRecorder(&reel, door)
			if err != nil {
				t.Fatal(err)
			}
			end, err := replay.Follower{HTTP: &http.Client{Transport: recorder}}.Follow(newRequest(t, "GET", "https://api2-hu268ep.transloadit.com/assemblies/"+id))
			if err != nil || end.Events != 12 || end.Statuses != 2 {
				t.Errorf("it ends with %v behind %d events and %d Statuses", err, end.Events, end.Statuses)
			}
			recorder.Close()
			again := mustLoad(t, reel.String()).Exchanges()
			if len(again) != 3 || recorded(t, rec, 1) != recorded(t, mustLoad(t, reel.String()), 2) {
				t.Errorf("in %d exchanges, the recorded stream is another", len(again))
			}
		})
	})
}

// A client that is slow to take the stream is not told by the Status what the stream has not
// told it.
func TestStorySlowListener(t *testing.T) {
	throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		res, err := door.RoundTrip(newRequest(t, "GET", storyWS))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		r := ssewire.NewReader(res.Body)
		for i, want := range []struct {
			state   status.State
			results int
		}{{status.AssemblyUploading, 0}, {status.AssemblyExecuting, 0}, {status.AssemblyExecuting, 1}, {status.AssemblyExecuting, 2}, {status.AssemblyCompleted, 2}} {
			time.Sleep(30 * time.Second)
			began := time.Now()
			a := ask(t, door, "GET", storyPath).assembly(t, storyID)
			if a.State != want.state || len(a.Result("thumbed")) != want.results {
				t.Errorf("behind event %d: %s with %d results, want %s with %d", i, a.State, len(a.Result("thumbed")), want.state, want.results)
			}
			if took := time.Since(began); took > 100*time.Millisecond {
				t.Errorf("behind event %d: the Status takes %v", i, took)
			}
			r.Next()
		}
	})
}

// Nor does it wait for a stream that was given up before there was a header.
func TestStoryGivenUpBeforeHeader(t *testing.T) {
	text := strings.Replace(story, "< 2 +0 200", "< 2 +0.5 200", 1)
	throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err := door.RoundTrip(newRequest(t, "GET", storyWS).WithContext(ctx)); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		began := time.Now()
		if a := ask(t, door, "GET", storyPath).assembly(t, storyID); a.State != status.AssemblyCompleted || time.Since(began) != 0 {
			t.Errorf("after %v it is %s", time.Since(began), a.State)
		}
	})
}

// The Status at the very moment of an event waits until the event is delivered, and then no
// longer.
func TestStoryAtTheMoment(t *testing.T) {
	throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		heard := attend(t, door, storyWS)
		time.Sleep(8 * time.Second)
		began := time.Now()
		a := ask(t, door, "GET", storyPath).assembly(t, storyID)
		if took := time.Since(began); took != 0 || len(a.Result("thumbed")) != 1 {
			t.Errorf("after %v there are %d results", took, len(a.Result("thumbed")))
		}
		<-heard.done
	})
}

// What lies at another path is no part of the story, though it ends with an id of it.
func TestStoryOtherPaths(t *testing.T) {
	text := story + `> 7 +0 GET https://api2.example.com/files/` + storyID + `
< 7 +0 200
< 7 content-type: text/plain
= 7 +0
\a file
. 7 +0 eof
> 8 +0 POST https://api2.example.com/files/` + storyID + `
< 8 +0 200
< 8 content-type: text/plain
= 8 +0
\stored
. 8 +0 eof
> 9 +0 PUT https://api2.example.com` + storyPath + `
< 9 +0 200
< 9 content-type: text/plain
= 9 +0
\put
. 9 +0 eof
`
	throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		ask(t, door, "POST", "/assemblies")
		for _, c := range []struct{ method, path, want string }{
			{"GET", "/files/" + storyID, "a file"}, {"POST", "/files/" + storyID, "stored"}, {"PUT", storyPath, "put"},
		} {
			if got := ask(t, door, c.method, c.path).body; got != c.want {
				t.Errorf("%s %s answers %q, want %q", c.method, c.path, got, c.want)
			}
		}
		if res, err := door.RoundTrip(newRequest(t, "DELETE", "/files/"+storyID)); err == nil && res.StatusCode == 200 {
			t.Error("DELETE of something else is answered")
		}
		time.Sleep(6 * time.Second)
		if a := ask(t, door, "GET", storyPath).assembly(t, storyID); a.State != status.AssemblyExecuting {
			t.Errorf("DELETE of something else cancels it: %s", a.State)
		}
		if got := ask(t, door, "HEAD", storyPath); got.status != 200 || got.body != "" {
			t.Errorf("HEAD answers %d %q", got.status, got.body)
		}
		req := newRequest(t, "GET", storyPath)
		req.Method = "" // which net/http takes for GET
		if res, err := door.RoundTrip(req); err != nil || res.StatusCode != 200 {
			t.Errorf("without a method: %v, %v", res, err)
		}
	})
}

// A recording that holds no Assembly, or no job, has none to start or to cancel.
func TestStoryNothingToStart(t *testing.T) {
	throughDoors(t, version, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		for _, c := range []struct{ method, path string }{
			{"POST", "/assemblies"}, {"POST", storyPath}, {"DELETE", storyPath}, {"GET", storyPath},
			{"POST", "/v1/generate/detect"}, {"GET", "/v1/jobs/job_ocZCnG"},
		} {
			res, err := door.RoundTrip(newRequest(t, c.method, c.path))
			if err == nil {
				res.Body.Close()
			}
			if err == nil && res.StatusCode != 404 || err != nil && !errors.Is(err, replay.ErrNotRecorded) {
				t.Errorf("%s %s: %v, %v", c.method, c.path, res, err)
			}
		}
	})
}

// Of several Assemblies, or jobs, each start is that of the next one.
func TestStoryStartsInTurn(t *testing.T) {
	var b strings.Builder
	b.WriteString(version)
	var ids, jobs []string
	for i := range 3 {
		ids, jobs = append(ids, fmt.Sprintf("%032x", i)), append(jobs, fmt.Sprintf("job_%d", i))
		fmt.Fprintf(&b, "> %d +1 POST https://api2.example.com/assemblies\n< %[1]d +0 200\n= %[1]d +0\n\\{\"ok\":\"ASSEMBLY_UPLOADING\",\"assembly_id\":%q}\n. %[1]d +0 eof\n", 2*i+1, ids[i])
		fmt.Fprintf(&b, "> %d +1 POST https://api.cloud.scenario.com/v1/generate/detect\n< %[1]d +0 200\n= %[1]d +0\n\\{\"job\":{\"jobId\":%q,\"status\":\"queued\"}}\n. %[1]d +0 eof\n", 2*i+2, jobs[i])
	}
	throughDoors(t, b.String(), replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		for i := range 7 {
			ask(t, door, "POST", "/assemblies").assembly(t, ids[i%3])
			var job status.Job
			body := ask(t, door, "POST", "/v1/generate/detect").body
			if err := status.DecodeJob([]byte(body), &job); err != nil || job.ID != jobs[i%3] {
				t.Errorf("job %d starts with %s, %v", i, body, err)
			}
		}
		for range 5 { // only an Assembly's Status is limited
			if got := ask(t, door, "GET", "/v1/jobs/"+jobs[0]); got.status != 200 {
				t.Errorf("a poll of a job: %d %s", got.status, got.body)
			}
		}
	})
}

func TestStoryStart(t *testing.T) {
	for _, target := range []string{
		"/assemblies", "/assemblies?signature=sha384:0", "/assemblies/ffffffffffffffffffffffffffffffff", storyPath,
		"/assemblies/ffffffffffffffffffffffffffffffff?signature=x&params=%7B%7D",
	} {
		t.Run(target, func(t *testing.T) {
			throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				got := ask(t, door, "POST", target)
				if got.status != 200 || got.body != recorded(t, rec, 1) {
					t.Errorf("it answers %d %s", got.status, got.body)
				}
			})
		})
	}
	// The stream tells all that is in the last Status: whoever starts there has it twice.
	t.Run("without any wait", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			if got := ask(t, door, "POST", "/assemblies").body; got != recorded(t, rec, 1) {
				t.Errorf("recorded, it starts with %s", got)
			}
		})
		text, _, _ := goldenReel(t, "assembly.reel")
		throughDoors(t, text, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			const id = "55a46ab12179453a8a20921a058b7546"
			if a := ask(t, door, "POST", "/assemblies").assembly(t, id); a.State != status.AssemblyUploading || len(a.Results) > 0 {
				t.Errorf("stream-only, it starts with %s and %d Steps", a.State, len(a.Results))
			}
			if a := ask(t, door, "GET", "/assemblies/"+id).assembly(t, id); a.State != status.AssemblyCompleted {
				t.Errorf("then it says %s", a.State)
			}
		})
	})
	t.Run("an id that nobody has started", func(t *testing.T) {
		h := mustLoad(t, story).Handler(replay.Playback{Speed: replay.MaxSpeed})
		s, _, _ := perform(h, httptest.NewRequest("GET", "/assemblies/ffffffffffffffffffffffffffffffff", nil))
		if s.status != 404 {
			t.Errorf("it answers %d, want 404", s.status)
		}
	})
}

// A stream-only reel answers polls with what its stream has told.
func TestStoryStreamOnly(t *testing.T) {
	const id = "55a46ab12179453a8a20921a058b7546"
	text, _, _ := goldenReel(t, "assembly.reel")
	for _, c := range []struct {
		name   string
		listen bool
	}{{"beside the stream", true}, {"without the stream", false}} {
		t.Run(c.name, func(t *testing.T) {
			throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				began := time.Now()
				var heard *audience
				if c.listen {
					heard = attend(t, door, "/ws20219?assembly="+id)
				} else {
					ask(t, door, "POST", "/assemblies").assembly(t, id)
				}
				for _, want := range []struct {
					at      time.Duration
					state   status.State
					results int
				}{
					{100, status.AssemblyUploading, 0},
					{1000, status.AssemblyExecuting, 0},
					{7500, status.AssemblyExecuting, 0},
					{8000, status.AssemblyExecuting, 1},
					{9000, status.AssemblyExecuting, 2},
					{11000, status.AssemblyExecuting, 3},
					{12300, status.AssemblyCompleted, 3},
					{13000, status.AssemblyCompleted, 3},
				} {
					time.Sleep(time.Until(began.Add(want.at * time.Millisecond)))
					got := ask(t, door, "GET", "/assemblies/"+id)
					a := got.assembly(t, id)
					if a.State != want.state || len(a.Result("generated_images")) != want.results {
						t.Errorf("at %v: %s with %d results, want %s with %d", want.at*time.Millisecond, a.State, len(a.Result("generated_images")), want.state, want.results)
					}
					if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
						t.Errorf("at %v: the type is %q", want.at, kind)
					}
				}
				if heard != nil {
					<-heard.done
				}
			})
		})
	}
	// The node SDK refuses a Status without either URL, Uppy opens websocket_url with the id
	// behind it, and neither looks whether there are lists at all.
	t.Run("what clients cannot do without", func(t *testing.T) {
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			a := ask(t, door, "POST", "/assemblies").assembly(t, id)
			const origin = "https://api2-hu268ep.transloadit.com"
			for _, url := range []struct{ name, got, want string }{
				{"assembly_url", a.AssemblyURL, origin + "/assemblies/" + id},
				{"assembly_ssl_url", a.AssemblySSLURL, origin + "/assemblies/" + id},
				{"websocket_url", a.WebsocketURL, origin + "/ws20219"},
				{"update_stream_url", a.UpdateStreamURL, origin + "/ws20219?assembly=" + id},
			} {
				if url.got != url.want {
					t.Errorf("%s is %q, want %q", url.name, url.got, url.want)
				}
			}
			if uploads, results := a.Lookup("uploads"), a.Lookup("results"); uploads != "[]" || results != "{}" {
				t.Errorf("uploads are %q, results %q", uploads, results)
			}
			heard := attend(t, door, strings.TrimPrefix(a.WebsocketURL, origin)+"?assembly="+a.ID)
			if <-heard.done; heard.err != nil || len(heard.heard) != 12 {
				t.Errorf("its stream ends with %v behind %d events", heard.err, len(heard.heard))
			}
		})
	})
	t.Run("a poll first of all", func(t *testing.T) {
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			if a := ask(t, door, "GET", "/assemblies/"+id).assembly(t, id); a.Phase().Terminal() || len(a.Results) != 0 {
				t.Errorf("it begins with %s and %d Steps", a.State, len(a.Results))
			}
			for range 5 {
				time.Sleep(2500 * time.Millisecond)
				ask(t, door, "GET", "/assemblies/"+id).assembly(t, id)
			}
			if a := ask(t, door, "GET", "/assemblies/"+id).assembly(t, id); a.State != status.AssemblyCompleted || len(a.Result("generated_images")) != 3 {
				t.Errorf("it ends with %s and %d results", a.State, len(a.Result("generated_images")))
			}
		})
	})
	t.Run("another id is not recorded", func(t *testing.T) {
		h := mustLoad(t, text).Handler(replay.Playback{})
		s, _, _ := perform(h, httptest.NewRequest("GET", "/assemblies/"+storyID, nil))
		if s.status != 404 {
			t.Errorf("it answers %d, want 404", s.status)
		}
	})
}

// A stream that ended with an error tells so in the Status.
func TestStoryFailed(t *testing.T) {
	for _, c := range []struct {
		name, data string
		code       status.ErrorCode
	}{
		{"JSON", `{"error":"INTERNAL_COMMAND_ERROR","http_code":400,"msg":"no \u00e9lan","step":"avatar"}`, "INTERNAL_COMMAND_ERROR"},
		{"plain text", `it is "broken" \ for good`, ""},
		{"nothing", ``, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := version + "> 1 +0 GET https://api2.example.com" + storyWS + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n" +
				"= 1 +0\n|id: " + storyID + "\n|\n= 1 +5\n|event: assembly_error\n|data: " + c.data + "\n|\n. 1 +0 eof\n"
			throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				heard := attend(t, door, storyWS)
				time.Sleep(4 * time.Second)
				if a := ask(t, door, "GET", storyPath).assembly(t, storyID); a.Failed() {
					t.Error("it has failed before the stream says so")
				}
				<-heard.done
				time.Sleep(time.Second)
				a := ask(t, door, "GET", storyPath).assembly(t, storyID)
				if !a.Failed() || c.code != "" && a.Error != c.code {
					t.Errorf("behind the error it is %q %q", a.State, a.Error)
				}
			})
		})
	}
}

func TestStoryCancel(t *testing.T) {
	const second = time.Second
	canceled := func(t *testing.T, got reply) {
		t.Helper()
		if a := got.assembly(t, storyID); a.State != status.AssemblyCanceled {
			t.Errorf("it answers %s", got.body)
		}
	}
	endsCanceled := func(t *testing.T, heard *audience, from, to time.Duration, events int) {
		t.Helper()
		<-heard.done
		if heard.err != nil || len(heard.heard) != events {
			t.Fatalf("the stream ends with %v behind %d events, want %d:\n%v", heard.err, len(heard.heard), events, heard.heard)
		}
		last := heard.heard[events-1]
		if last.Type != "assembly_error" || !strings.Contains(last.Data, "ASSEMBLY_CANCELED") || !json.Valid([]byte(last.Data)) {
			t.Errorf("the stream's last event is %+v", last)
		}
		if last.At < from || last.At > to || heard.ended < from || heard.ended > to {
			t.Errorf("the stream says so at %v and ends at %v, want from %v to %v", last.At, heard.ended, from, to)
		}
	}
	for _, c := range []struct {
		name   string
		at     time.Duration // since the stream was requested
		to     time.Duration // when it ends at the latest
		events int
	}{
		{"in front of the first event", 1 * second, 1 * second, 1},
		{"between two events", 6 * second, 6 * second, 2},
		{"in mid-block", 13 * second, 14 * second, 4},
		{"behind a block", 15 * second, 15 * second, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				one, two := attend(t, door, storyWS), attend(t, door, storyWS)
				time.Sleep(c.at)
				canceled(t, ask(t, door, "DELETE", storyPath))
				endsCanceled(t, one, c.at, c.to, c.events)
				endsCanceled(t, two, c.at, c.to, c.events)
				for range 3 {
					canceled(t, ask(t, door, "GET", storyPath))
					time.Sleep(time.Second)
				}
				canceled(t, ask(t, door, "DELETE", storyPath))
				if status, data, err := follow(t, door, storyWS, storyID); status != 204 {
					t.Errorf("a client that comes back gets %d %q %v", status, data, err)
				}
				// Started again, it goes its recorded way.
				ask(t, door, "POST", "/assemblies")
				time.Sleep(4 * second)
				if got := ask(t, door, "GET", storyPath).body; got != recorded(t, rec, 3) {
					t.Errorf("started again, it says %s", got)
				}
				heard := attend(t, door, storyWS)
				if <-heard.done; heard.err != nil || len(heard.heard) != 4 || heard.heard[3].Data != "assembly_finished" {
					t.Errorf("started again, the stream says %v, %v", heard.heard, heard.err)
				}
			})
		})
	}
	// It may end otherwise than it was recorded.
	t.Run("a stream of a recorded length", func(t *testing.T) {
		size := len(recorded(t, mustLoad(t, story), 2))
		text := strings.Replace(story, "< 2 content-type: text/event-stream\n", fmt.Sprintf("< 2 content-type: text/event-stream\n< 2 content-length: %d\n", size), 1)
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			res, err := door.RoundTrip(newRequest(t, "GET", storyWS))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if length := res.Header.Get("Content-Length"); length != "" || rec.Exchanges()[1].Header.Get("Content-Length") == "" {
				t.Errorf("it is announced with %q bytes", length)
			}
			canceled(t, ask(t, door, "DELETE", storyPath))
			io.Copy(io.Discard, res.Body)
		})
	})
	t.Run("a stream with a trailer, of its whole body", func(t *testing.T) {
		text := strings.Replace(story, ". 2 ", "< 2 x-checksum: 42\n. 2 ", 1)
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			if rec.Exchanges()[1].Trailer.Get("X-Checksum") == "" {
				t.Fatal("the recording has no trailer")
			}
			res, err := door.RoundTrip(newRequest(t, "GET", storyWS))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			canceled(t, ask(t, door, "DELETE", storyPath))
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.Trailer.Get("X-Checksum") != "" {
				t.Errorf("it ends with %q, %v", res.Trailer, err)
			}
		})
	})
	t.Run("before the stream is asked for, and then anew", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			<-attend(t, door, storyWS).done
			ask(t, door, "POST", "/assemblies")
			canceled(t, ask(t, door, "DELETE", storyPath))
			endsCanceled(t, attend(t, door, storyWS), 0, 0, 1)
			canceled(t, ask(t, door, "GET", storyPath))
			heard := attend(t, door, storyWS)
			time.Sleep(9 * second)
			if a := ask(t, door, "GET", storyPath).assembly(t, storyID); a.State != status.AssemblyExecuting || len(a.Result("thumbed")) != 1 {
				t.Errorf("it says %s with %d results", a.State, len(a.Result("thumbed")))
			}
			if <-heard.done; heard.err != nil || len(heard.heard) != 4 {
				t.Errorf("the stream says %v, %v", heard.heard, heard.err)
			}
		})
	})
	t.Run("while a client is away", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			there, away := attend(t, door, storyWS), &guest{t: t, door: door, target: storyWS}
			away.comes(storyID)
			time.Sleep(5 * second)
			away.leaves()
			time.Sleep(second)
			canceled(t, ask(t, door, "DELETE", storyPath))
			endsCanceled(t, there, 6*second, 6*second, 2)
			if status, data, err := follow(t, door, storyWS, storyID); status != 200 || len(data) != 1 || !strings.Contains(data[0], "ASSEMBLY_CANCELED") {
				t.Errorf("it gets %d %q %v", status, data, err)
			}
			if status, data, err := follow(t, door, storyWS, storyID); status != 204 {
				t.Errorf("and then it gets %d %q %v", status, data, err)
			}
		})
	})
	t.Run("and a client leaves before it hears of it", func(t *testing.T) {
		rec := mustLoad(t, story)
		synctest.Test(t, func(t *testing.T) {
			door := rec.Transport(replay.Playback{})
			g := &guest{t: t, door: door, target: storyWS}
			g.comes("")
			time.Sleep(6 * second)
			canceled(t, ask(t, door, "DELETE", storyPath))
			g.leaves()
			for _, want := range []int{200, 204} {
				if status, data, err := follow(t, door, storyWS, storyID); status != want {
					t.Errorf("it gets %d %q %v, want %d", status, data, err, want)
				}
			}
		})
	})
	for _, end := range []string{"eof", "reset", "timeout"} {
		t.Run("in the silence before the end, "+end, func(t *testing.T) {
			text := openedStream + quotedRead("id: "+storyID+"\n\ndata: assembly_uploading_finished\n\n") + ". 1 +9 " + end + "\n"
			throughDoors(t, strings.ReplaceAll(text, "/s", storyWS), replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				heard := attend(t, door, storyWS)
				at := 5 * second
				if end == "timeout" {
					at = 15 * second
				}
				time.Sleep(at)
				canceled(t, ask(t, door, "DELETE", storyPath))
				endsCanceled(t, heard, at, at, 2)
			})
		})
	}
	t.Run("by the id that the client chose", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			const path = "/assemblies/ffffffffffffffffffffffffffffffff"
			ask(t, door, "POST", path)
			heard := attend(t, door, storyWS)
			time.Sleep(6 * second)
			canceled(t, ask(t, door, "DELETE", path+"?signature=x"))
			endsCanceled(t, heard, 6*second, 6*second, 2)
			canceled(t, ask(t, door, "GET", path))
			canceled(t, ask(t, door, "GET", storyPath))
		})
	})
	t.Run("without a stream", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			ask(t, door, "POST", "/assemblies")
			time.Sleep(10 * second)
			was := ask(t, door, "DELETE", storyPath)
			canceled(t, was)
			// No result comes any more.
			for range 5 {
				if got := ask(t, door, "GET", storyPath); got.body != was.body {
					t.Errorf("it was canceled with %s, and is %s", was.body, got.body)
				}
				time.Sleep(4 * second)
			}
		})
	})
	// The read that would have come next is none that has come.
	t.Run("the stream still open", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			res, err := door.RoundTrip(newRequest(t, "GET", storyWS))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			was := make(chan reply, 1)
			time.AfterFunc(7*second, func() { was <- ask(t, door, "DELETE", storyPath) })
			r := ssewire.NewReader(res.Body)
			for range 2 {
				if !r.Next() {
					t.Fatalf("the stream ends with %v", r.Err())
				}
			}
			if deleted, got := <-was, ask(t, door, "GET", storyPath); got.body != deleted.body || string(r.Event().Type) != "assembly_error" {
				t.Errorf("it was canceled with\n%s and is\n%s", deleted.body, got.body)
			}
		})
	})
	t.Run("a stream-only reel", func(t *testing.T) {
		text, _, _ := goldenReel(t, "assembly.reel")
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			const id = "55a46ab12179453a8a20921a058b7546"
			heard := attend(t, door, "/ws20219?assembly="+id)
			time.Sleep(8 * second)
			if a := ask(t, door, "DELETE", "/assemblies/"+id).assembly(t, id); a.State != status.AssemblyCanceled {
				t.Errorf("it answers %s", a.State)
			}
			endsCanceled(t, heard, 8*second, 8*second, 7)
		})
	})
	for _, end := range []string{"\n", "\r", "\r\n"} {
		t.Run(fmt.Sprintf("in mid-block, where lines end with %q", end), func(t *testing.T) {
			quoted := func(s string) string {
				return "~" + strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(strings.ReplaceAll(s, "\n", end)) + "\n"
			}
			text := version + "> 1 +0 GET https://api2.example.com" + storyWS + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n" +
				"= 1 +0\n" + quoted("id: "+storyID+"\n\nevent: assembly_execution_progress\nda") +
				"= 1 +4\n" + quoted("ta: {}\n") + "= 1 +4\n" + quoted("\ndata: assembly_finished\n\n") + ". 1 +0 eof\n"
			throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				heard := attend(t, door, storyWS)
				time.Sleep(2 * second)
				ask(t, door, "DELETE", storyPath)
				endsCanceled(t, heard, 2*second, 8*second, 2)
				if heard.heard[0].Type != "assembly_execution_progress" || heard.heard[0].Data != "{}" {
					t.Errorf("the block under way came as %v", heard.heard)
				}
			})
		})
	}
	t.Run("stalled within a read, the block in several", func(t *testing.T) {
		text := version + "> 1 +0 GET https://api2.example.com" + storyWS + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|id: " + storyID + "\n|\n" +
			"= 1 +1\n|event: assembly_result_finished\n\\data: [\"s\",\n= 1 +9\n\\{\"id\":\n= 1 +9\n|\"r1\"}]\n|\n|data: assembly_finished\n|\n. 1 +0 eof\n"
		for into := range int64(50) {
			fault := replay.Stall{For: time.Minute, At: replay.AtByte(int64(len("id: "+storyID+"\n\n")) + into)}
			throughDoors(t, text, replay.Playback{Faults: []replay.Fault{fault}}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				heard := attend(t, door, storyWS)
				time.Sleep(2 * second)
				ask(t, door, "DELETE", storyPath)
				<-heard.done
				// What has not begun does not come, and what has comes whole.
				got := texts(heard.heard)
				if into > 0 && (len(got) != 2 || got[0] != `["s",{"id":"r1"}]`) || into == 0 && len(got) != 1 || heard.ended < 2*second || heard.ended > 2100*time.Millisecond {
					t.Errorf("stalled at byte %d it tells %q and ends at %v", into, got, heard.ended)
				}
			})
		}
	})
	t.Run("behind the end", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			heard := attend(t, door, storyWS)
			time.Sleep(16500 * time.Millisecond) // the end is told, the stream still open
			for range 2 {
				for _, method := range []string{"DELETE", "GET"} {
					if got := ask(t, door, method, storyPath); got.status != 200 || got.body != recorded(t, rec, 6) {
						t.Errorf("%s answers %s", method, got.body)
					}
				}
				if <-heard.done; heard.err != nil || len(heard.heard) != 4 || heard.ended != 17*second {
					t.Errorf("the stream says %v and ends at %v with %v", heard.heard, heard.ended, heard.err)
				}
			}
		})
	})
}

// Another Assembly is not there, as the API says it.
func TestStoryNotFound(t *testing.T) {
	h := mustLoad(t, story).Handler(replay.Playback{Speed: replay.MaxSpeed})
	for _, method := range []string{"GET", "DELETE"} {
		s, _, _ := perform(h, httptest.NewRequest(method, "/assemblies/"+strings.Repeat("0", 32), nil))
		var a status.Assembly
		body := ""
		for _, read := range s.reads() {
			body += read.Data
		}
		if err := status.DecodeAssembly([]byte(body), &a); s.status != 404 || err != nil || a.Error != status.ErrorAssemblyNotFound {
			t.Errorf("%s is answered with %d %q", method, s.status, body)
		}
	}
}

// What has ended stays so, however long nobody asks.
func TestStoryStays(t *testing.T) {
	for _, wait := range []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 24 * time.Hour} {
		t.Run(wait.String(), func(t *testing.T) {
			throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				<-attend(t, door, storyWS).done
				for range 2 {
					if got := ask(t, door, "GET", storyPath).body; got != recorded(t, rec, 6) {
						t.Errorf("completed, it says %s", got)
					}
					time.Sleep(wait)
				}
				ask(t, door, "POST", "/assemblies")
				time.Sleep(wait)
				if got := ask(t, door, "GET", storyPath).body; wait > 20*time.Second && got != recorded(t, rec, 6) {
					t.Errorf("%v behind its start, it says %s", wait, got)
				}
				ask(t, door, "POST", "/assemblies")
				ask(t, door, "DELETE", storyPath)
				for range 2 {
					if a := ask(t, door, "GET", storyPath).assembly(t, storyID); a.State != status.AssemblyCanceled {
						t.Errorf("canceled, it says %s", a.State)
					}
					time.Sleep(wait)
				}
			})
		})
	}
}

// More than 3 polls a second for one Assembly are refused, as the API does.
func TestStoryRateLimit(t *testing.T) {
	t.Run("the fourth", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			ask(t, door, "POST", "/assemblies")
			for range 3 {
				if got := ask(t, door, "GET", storyPath); got.status != 200 {
					t.Errorf("a poll within the limit: %d %s", got.status, got.body)
				}
				time.Sleep(250 * time.Millisecond)
			}
			got := ask(t, door, "GET", storyPath)
			var a status.Assembly
			if err := status.DecodeAssembly([]byte(got.body), &a); err != nil || got.status != 429 {
				t.Fatalf("the fourth poll: %d %s %v", got.status, got.body, err)
			}
			if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
				t.Errorf("the type is %q", kind)
			}
			if after := got.header.Get("Retry-After"); after != "1" {
				t.Errorf("Retry-After is %q", after)
			}
			seconds, ok := a.Info.Get("retryIn").Float64()
			if a.Error != status.ErrorStatusRateLimit || a.Lookup("assembly_id") != `"`+storyID+`"` || !ok || seconds < 0 || seconds > 60 {
				t.Errorf("the fourth poll: %s", got.body)
			}
			if a.Terminal() {
				t.Error("a client would take the refusal for the end")
			}
			time.Sleep(time.Duration(seconds * float64(time.Second)))
			if got := ask(t, door, "GET", storyPath); got.status != 200 {
				t.Errorf("after retryIn %v: %d %s", seconds, got.status, got.body)
			}
		})
	})
	t.Run("three a second go on for ever", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			for i := range 100 {
				if got := ask(t, door, "GET", storyPath); got.status != 200 {
					t.Fatalf("poll %d: %d %s", i, got.status, got.body)
				}
				time.Sleep(334 * time.Millisecond)
			}
		})
	})
	t.Run("many at once", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			for range 5 {
				statuses := make(chan int, 20)
				for range cap(statuses) {
					go func() { statuses <- ask(t, door, "GET", storyPath).status }()
				}
				count := make(map[int]int)
				for range cap(statuses) {
					count[<-statuses]++
				}
				if count[200] != 3 || count[429] != 17 {
					t.Errorf("20 polls at once: %v", count)
				}
				time.Sleep(time.Minute)
			}
		})
	})
	t.Run("each Assembly has its own limit", func(t *testing.T) {
		const other = "fedcba9876543210fedcba9876543210"
		text := story + strings.NewReplacer(storyID, other, version, "", "> ", "> 1", "< ", "< 1", "= ", "= 1", ". ", ". 1").Replace(
			story[:strings.Index(story, "# 1 s")]+"> 2 +0 GET https://api2.example.com"+storyPath+"\n< 2 +0 200\n= 2 +0\n\\{\"ok\":\"ASSEMBLY_COMPLETED\",\"assembly_id\":\""+storyID+"\"}\n. 2 +0 eof\n")
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			for range 3 {
				for _, id := range []string{storyID, other} {
					ask(t, door, "GET", "/assemblies/"+id).assembly(t, id)
				}
			}
		})
	})
	t.Run("the stream is not limited", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			for range 10 {
				req := newRequest(t, "GET", storyWS)
				res, err := door.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != 200 {
					t.Errorf("it answers %d", res.StatusCode)
				}
			}
		})
	})
}

// A Scenario job goes through its recorded polls by the clock.
func TestStoryJob(t *testing.T) {
	const text = version + `# 0 s
> 1 +0 POST https://api.cloud.scenario.com/v1/generate/detect
< 1 +0 200
< 1 content-type: application/json
= 1 +0
\{"job":{"jobId":"job_ocZCnG","status":"queued","progress":0}}
. 1 +0 eof
# 1 s
> 2 +1 GET https://api.cloud.scenario.com/v1/jobs/job_ocZCnG
< 2 +0 200
< 2 content-type: application/json
= 2 +0
\{"job": {"jobId":"job_ocZCnG", "status":"warming-up","progress":0}}
. 2 +0 eof
# 3 s
> 3 +2 GET https://api.cloud.scenario.com/v1/jobs/job_ocZCnG
< 3 +0 200
< 3 content-type: application/json
= 3 +0
\{"job": {"jobId":"job_ocZCnG", "status":"in-progress","progress":0.5}}
. 3 +0 eof
# 5 s
> 4 +2 GET https://api.cloud.scenario.com/v1/jobs/job_ocZCnG
< 4 +0 200
< 4 content-type: application/json
= 4 +0
\{"job": {"jobId":"job_ocZCnG", "status":"success","progress":1}}
. 4 +0 eof
`
	throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		const path = "/v1/jobs/job_ocZCnG"
		for range 2 {
			began := time.Now()
			got := ask(t, door, "POST", "https://api.cloud.scenario.com/v1/generate/detect")
			if got.body != recorded(t, rec, 1) {
				t.Errorf("it starts with %s", got.body)
			}
			for _, want := range []struct {
				at       time.Duration
				exchange int
			}{{2, 2}, {4, 3}, {6, 4}, {7, 4}} {
				time.Sleep(time.Until(began.Add(want.at * time.Second)))
				if got := ask(t, door, "GET", path); got.body != recorded(t, rec, want.exchange) {
					t.Errorf("at %d s: %s, want\n%s", want.at, got.body, recorded(t, rec, want.exchange))
				}
			}
		}
		ask(t, door, "POST", "https://api.cloud.scenario.com/v1/generate/detect")
		time.Sleep(500 * time.Millisecond)
		var job status.Job
		if err := status.DecodeJob([]byte(ask(t, door, "GET", path).body), &job); err != nil || job.ID != "job_ocZCnG" || job.Phase() != status.Waiting {
			t.Errorf("in front of the first poll: %v %q %q", err, job.ID, job.Status)
		}
	})
	t.Run("ten times faster", func(t *testing.T) {
		throughDoors(t, text, replay.Playback{Speed: 10}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			ask(t, door, "POST", "/v1/generate/detect")
			time.Sleep(400 * time.Millisecond)
			if got := ask(t, door, "GET", "/v1/jobs/job_ocZCnG"); got.body != recorded(t, rec, 3) {
				t.Errorf("after 400ms: %s", got.body)
			}
		})
	})
}

// randomStory is an Assembly of which the stream and the polls beside it agree, made by chance.
func randomStory(rng *rand.Rand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s> 1 +0 GET https://api2.example.com%s\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|id: %s\n|\n", version, storyWS, storyID)
	var results []string
	state, number := status.AssemblyUploading, 1
	poll := func() {
		number++
		fmt.Fprintf(&b, "> %d +%d.%d GET https://api2.example.com%s\n< %d +0 200\n< %d content-type: application/json\n= %d +0\n\\", number, rng.IntN(20), 1+rng.IntN(9), storyPath, number, number, number)
		fmt.Fprintf(&b, "{\"ok\":\"%s\",\"assembly_id\":\"%s\",\"results\":{\"s\":[%s]}}\n. %d +0 eof\n", state, storyID, strings.Join(results, ","), number)
	}
	tell := func(text string) {
		fmt.Fprintf(&b, "= 1 +%d.%d\n%s|\n", rng.IntN(20), 1+rng.IntN(9), text)
	}
	for i := range 12 {
		switch {
		case i == 4:
			tell("|data: assembly_uploading_finished\n")
			state = status.AssemblyExecuting
		case i > 4 && rng.IntN(2) == 0:
			r := fmt.Sprintf(`{"id":"r%d"}`, len(results))
			tell("|event: assembly_result_finished\n|data: [\"s\"," + r + "]\n")
			results = append(results, r)
		default:
			poll()
		}
	}
	tell("|data: assembly_finished\n")
	b.WriteString(". 1 +3 eof\n")
	state = status.AssemblyCompleted
	poll()
	return b.String()
}

// However a recording is paced, the Status and the stream never contradict each other.
func TestStoryAgrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range []replay.Playback{{}, {Speed: 3}, {Speed: 0.3}, {MaxIdle: 2 * time.Second}, {MaxIdle: 5 * time.Second, Speed: 2}} {
		t.Run(fmt.Sprintf("speed %v, silence %v", p.Speed, p.MaxIdle), func(t *testing.T) {
			for range 10 {
				text := randomStory(rng)
				synctest.Test(t, func(t *testing.T) {
					door := mustLoad(t, text).Transport(p)
					heard := attend(t, door, storyWS)
					time.Sleep(337 * time.Microsecond) // between the moments of the reel
					for over := false; !over; time.Sleep(371 * time.Millisecond) {
						told := heard.sofar()
						body := ask(t, door, "GET", storyPath)
						a := body.assembly(t, storyID)
						want := status.AssemblyUploading
						for _, s := range told {
							switch s.Data {
							case "assembly_uploading_finished":
								want = status.AssemblyExecuting
							case "assembly_finished":
								want = status.AssemblyCompleted
							}
						}
						if n := numResults(told); a.State != want || len(a.Result("s")) != n {
							t.Fatalf("after %v the Status says %s with %d results, the stream %s with %d\n%s", time.Since(heard.began), a.State, len(a.Result("s")), want, n, text)
						}
						select {
						case <-heard.done:
							over = true
						default:
						}
					}
				})
			}
		})
	}
}
