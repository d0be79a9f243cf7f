package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/testdata"
)

// act is one call of a ResponseWriter's method.
type act struct {
	at   time.Duration
	what string // header, write, flush
	data string
}

// stage is a ResponseWriter that notes when what was called.
type stage struct {
	began  time.Time
	header http.Header
	sent   http.Header // as it was when it was written
	status int
	acts   []act
	fail   int // writes that succeed before one that does not, if positive
	writes int
}

var errGone = errors.New("broken pipe")

func (s *stage) Header() http.Header { return s.header }

func (s *stage) WriteHeader(status int) {
	if s.status != 0 {
		return
	}
	s.status, s.sent = status, s.header.Clone()
	s.acts = append(s.acts, act{time.Since(s.began), "header", ""})
}

func (s *stage) Write(p []byte) (int, error) {
	s.WriteHeader(200)
	if s.writes++; s.fail > 0 && s.writes > s.fail {
		return 0, errGone
	}
	s.acts = append(s.acts, act{time.Since(s.began), "write", string(p)})
	return len(p), nil
}

func (s *stage) Flush() {
	s.WriteHeader(200)
	s.acts = append(s.acts, act{time.Since(s.began), "flush", ""})
}

// reads returns the writes with bytes in them.
func (s *stage) reads() []piece {
	var all []piece
	for _, a := range s.acts {
		if a.what == "write" && a.data != "" {
			all = append(all, piece{a.at, a.data})
		}
	}
	return all
}

// perform has h answer req, and returns what it did, when it was done, and whether
// it aborted the connection.
func perform(h http.Handler, req *http.Request) (s *stage, done time.Duration, aborted bool) {
	s = &stage{began: time.Now(), header: make(http.Header)}
	aborted = s.perform(h, req)
	return s, time.Since(s.began), aborted
}

func (s *stage) perform(h http.Handler, req *http.Request) (aborted bool) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			aborted = true
		} else if p != nil {
			panic(p)
		}
	}()
	h.ServeHTTP(s, req)
	return false
}

// paced is a reel that takes its time: requests at 10s, the response 200ms later.
const paced = version + `> 1 +10 GET /stream
< 1 +0.2 200
< 1 content-type: text/event-stream
= 1 +0.1
\data: one, cut
= 1 +0.5
| in mid-line
|
= 1 +0 0
= 1 +0
~data: at the same moment\r\n\r\n
= 1 +600
|data: ten minutes later
|
. 1 +2 eof
`

func TestHandlerPace(t *testing.T) {
	const ms = time.Millisecond
	one, two, three, four := "data: one, cut", " in mid-line\n\n", "data: at the same moment\r\n\r\n", "data: ten minutes later\n\n"
	for _, c := range []struct {
		name   string
		speed  float64
		header time.Duration
		want   []piece
	}{
		{"as recorded", 1, 200 * ms, []piece{{300 * ms, one}, {800 * ms, two}, {800 * ms, three}, {600800 * ms, four}}},
		{"by default", 0, 200 * ms, []piece{{300 * ms, one}, {800 * ms, two}, {800 * ms, three}, {600800 * ms, four}}},
		{"ten times faster", 10, 20 * ms, []piece{{30 * ms, one}, {80 * ms, two}, {80 * ms, three}, {60080 * ms, four}}},
		{"at half the speed", 0.5, 400 * ms, []piece{{600 * ms, one}, {1600 * ms, two}, {1600 * ms, three}, {1201600 * ms, four}}},
		{"as fast as it can", replay.MaxSpeed, 0, []piece{{0, one}, {0, two}, {0, three}, {0, four}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := mustLoad(t, paced).Handler(replay.Playback{Speed: c.speed})
				time.Sleep(time.Minute) // it is the request that counts, not the handler
				for range 2 {
					s, _, aborted := perform(h, httptest.NewRequest("GET", "/stream", nil))
					if aborted {
						t.Error("the connection was cut")
					}
					if len(s.acts) == 0 || s.acts[0] != (act{c.header, "header", ""}) || s.status != 200 {
						t.Errorf("it begins with %v, want the header at %v", s.acts, c.header)
					}
					if got := s.reads(); !slices.Equal(got, c.want) {
						t.Errorf("it writes\n%v, want\n%v", got, c.want)
					}
					for i, a := range s.acts {
						flushed := i+1 < len(s.acts) && s.acts[i+1] == (act{a.at, "flush", ""})
						if a.data != "" && !flushed {
							t.Errorf("%q at %v is not flushed at once", a.data, a.at)
						}
					}
				}
			})
		})
	}
	t.Run("the header does not wait for the first read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, _, _ := perform(mustLoad(t, paced).Handler(replay.Playback{}), httptest.NewRequest("GET", "/stream", nil))
			if len(s.acts) < 2 || s.acts[1] != (act{200 * ms, "flush", ""}) {
				t.Errorf("behind the header it does %v, want a flush at 200ms", s.acts[1:])
			}
		})
	})
	t.Run("no drift over many reads", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			text := opened + strings.Repeat("= 1 +0.000333333\n\\x\n", 3000) + eof
			s, _, _ := perform(mustLoad(t, text).Handler(replay.Playback{Speed: 1}), httptest.NewRequest("GET", "/s", nil))
			reads := s.reads()
			for i, r := range reads {
				if want := time.Duration(i+1) * 333333; r.At != want {
					t.Fatalf("read %d is written at %v, want %v", i, r.At, want)
				}
			}
			if len(reads) != 3000 {
				t.Errorf("%d reads", len(reads))
			}
		})
	})
}

// What a client does with its time moves no later moment.
func TestHandlerSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := opened + "= 1 +1\n\\a\n= 1 +1\n\\b\n= 1 +1\n\\c\n= 1 +1\n\\d\n" + eof
		s := &slowStage{stage{began: time.Now(), header: make(http.Header)}}
		mustLoad(t, text).Handler(replay.Playback{}).ServeHTTP(s, httptest.NewRequest("GET", "/s", nil))
		const second = time.Second
		if got, want := s.reads(), []piece{{1 * second, "a"}, {3500 * time.Millisecond, "b"}, {6 * second, "c"}, {8500 * time.Millisecond, "d"}}; !slices.Equal(got, want) {
			t.Errorf("it writes %v, want %v", got, want)
		}
	})
}

// slowStage takes two and a half seconds for each write.
type slowStage struct{ stage }

func (s *slowStage) Write(p []byte) (int, error) {
	n, err := s.stage.Write(p)
	time.Sleep(2500 * time.Millisecond)
	return n, err
}

func TestHandlerEnds(t *testing.T) {
	body := "< 1 +1 200\n= 1 +1\n|data: 1\n"
	ends := func(end string) string { return request + body + ". 1 +1 " + end + "\n" }
	for _, c := range []struct {
		name, reel string
		aborted    bool
		done       time.Duration // when the handler returns; the client goes after an hour
		want       []piece
	}{
		{"eof", ends("eof"), false, 3 * time.Second, []piece{{2 * time.Second, "data: 1\n"}}},
		{"reset", ends("reset"), true, 3 * time.Second, []piece{{2 * time.Second, "data: 1\n"}}},
		{"timeout", ends("timeout"), false, time.Hour, []piece{{2 * time.Second, "data: 1\n"}}},
		{"reset, no response", request + ". 1 +1 reset\n", true, time.Second, nil},
		{"timeout, no response", request + ". 1 +1 timeout\n", false, time.Hour, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				s, done, aborted := perform(mustLoad(t, c.reel).Handler(replay.Playback{}), httptest.NewRequestWithContext(ctx, "GET", "/s", nil))
				if done != c.done || aborted != c.aborted && done < time.Hour {
					t.Errorf("it returns after %v, cut %v; want %v, cut %v", done, aborted, c.done, c.aborted)
				}
				if got := s.reads(); !slices.Equal(got, c.want) {
					t.Errorf("it writes %v, want %v", got, c.want)
				}
				if c.want == nil && s.status != 0 {
					t.Errorf("it answers with %d", s.status)
				}
			})
		})
	}
	for _, end := range []string{"canceled", "unknown"} {
		t.Run(end+": all the bytes there are", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := ends(end)
				if end == "unknown" {
					text = request + body
				}
				rec, _ := load(text)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				s, _, aborted := perform(rec.Handler(replay.Playback{}), httptest.NewRequestWithContext(ctx, "GET", "/s", nil))
				if aborted != (end == "unknown") {
					t.Errorf("the connection is cut: %v", aborted)
				}
				if got := s.reads(); !slices.Equal(got, []piece{{2 * time.Second, "data: 1\n"}}) {
					t.Errorf("it writes %v", got)
				}
			})
		})
	}
}

// A client that goes away is noticed at once, whatever the handler waits for.
func TestHandlerClientGoes(t *testing.T) {
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 250 * time.Millisecond, time.Second, 10 * time.Minute} {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(after, cancel)
				_, done, _ := perform(mustLoad(t, paced).Handler(replay.Playback{}), httptest.NewRequestWithContext(ctx, "GET", "/stream", nil))
				if done != after {
					t.Errorf("the handler returns after %v, want %v", done, after)
				}
				cancel()
			})
		})
	}
	t.Run("a write fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{began: time.Now(), header: make(http.Header), fail: 1}
			s.perform(mustLoad(t, paced).Handler(replay.Playback{}), httptest.NewRequest("GET", "/stream", nil))
			if done := time.Since(s.began); done != 800*time.Millisecond || s.writes != 2 {
				t.Errorf("the handler returns after %v and %d writes, want 800ms and 2", done, s.writes)
			}
		})
	})
}

func TestHandlerConcurrentClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := mustLoad(t, paced).Handler(replay.Playback{})
		want, _, _ := perform(h, httptest.NewRequest("GET", "/stream", nil))
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 777 * time.Millisecond) // each has its own start
				if got, _, _ := perform(h, httptest.NewRequest("GET", "/stream", nil)); !slices.Equal(got.acts, want.acts) {
					t.Errorf("client %d sees\n%v, want\n%v", i, got.acts, want.acts)
				}
			})
		}
		wg.Wait()
	})
}

// library is a reel of many exchanges. The body of each says which it is.
var library = func() string {
	var b strings.Builder
	b.WriteString(version)
	for i, x := range []struct{ request, header, response, end string }{
		1:  {"GET https://api.example/a?x=1", "", "200", "eof"},
		2:  {"GET https://api.example/a?x=2", "", "200", "eof"},
		3:  {"POST https://api.example/a?x=1", "", "200", "eof"},
		4:  {"GET /b", "", "", "reset"},
		5:  {"GET /b", "", "200", "eof"},
		6:  {"GET /b", "", "404", "eof"},
		7:  {"GET https://api.example/ws?assembly=1", "", "200 text/event-stream; charset=utf-8", "reset"},
		8:  {"GET https://api.example/ws?assembly=1", "last-event-id: 7", "200 text/event-stream", "eof"},
		9:  {"GET https://api.example/ws?assembly=1", "last-event-id: 8", "200 text/event-stream", "eof"},
		10: {"GET /p%2Fq/%C3%A9?a=%20", "", "200", "eof"},
		11: {"GET /c?token=REDACTED", "", "200", "eof"},
		12: {"HEAD /h", "", "200", "eof"},
		13: {"GET /again", "", "", "reset"},
		14: {"GET /again", "last-event-id: 3", "", "timeout"},
		15: {"GET /again", "last-event-id: 2", "200 text/event-stream", "eof"},
		16: {"GET /again?x=1", "last-event-id: 3", "", "reset"},
	} {
		if i == 0 {
			continue
		}
		fmt.Fprintf(&b, "> %d +0 %s\n", i, x.request)
		if x.header != "" {
			fmt.Fprintf(&b, "> %d %s\n", i, x.header)
		}
		if status, kind, _ := strings.Cut(x.response, " "); status != "" {
			fmt.Fprintf(&b, "< %d +0 %s\n", i, status)
			if kind == "" {
				kind = "text/plain"
			}
			fmt.Fprintf(&b, "< %d content-type: %s\n", i, kind)
			if !strings.HasPrefix(x.request, "HEAD") {
				fmt.Fprintf(&b, "= %d +0\n\\%d\n", i, i)
			}
		}
		fmt.Fprintf(&b, ". %d +0 %s\n", i, x.end)
	}
	return b.String()
}()

func TestHandlerMatching(t *testing.T) {
	for _, c := range []struct {
		name, method, target, lastEventID, accept string
		want                                      int // the exchange's number
	}{
		{name: "path and query", target: "/a?x=1", want: 1},
		{name: "another query", target: "/a?x=2", want: 2},
		{name: "a query that was not recorded", target: "/a?x=3", want: 1},
		{name: "no query", target: "/a", want: 1},
		{name: "the method counts", method: "POST", target: "/a?x=1", want: 3},
		{name: "the method counts, without its query", method: "POST", target: "/a?x=2", want: 3},
		{name: "the first that has a response", target: "/b", want: 5},
		{name: "a stream's beginning", target: "/ws?assembly=1", want: 7},
		{name: "a stream's beginning, by its path", target: "/ws?assembly=2", want: 7},
		{name: "the same Last-Event-ID", target: "/ws?assembly=1", lastEventID: "7", want: 8},
		{name: "another Last-Event-ID", target: "/ws?assembly=1", lastEventID: "8", want: 9},
		{name: "the same Last-Event-ID, by its path", target: "/ws?assembly=2", lastEventID: "8", want: 9},
		{name: "a Last-Event-ID that was not recorded", target: "/ws?assembly=1", lastEventID: "9", want: 7},
		{name: "a path with escapes", target: "/p%2Fq/%C3%A9?a=%20", want: 10},
		{name: "a parameter that was redacted", target: "/c?token=real", want: 11},
		{name: "a response counts more than the Last-Event-ID", target: "/again", lastEventID: "3", want: 15},
		{name: "HEAD", method: "HEAD", target: "/h", want: 12},
		{name: "/ for an event stream", target: "/", accept: "text/event-stream", want: 7},
		{name: "/ for an event stream among others", target: "/", accept: "text/html, text/event-stream;q=0.9", want: 7},
		{name: "another host and scheme do not matter", target: "http://other.example:1234/a?x=2", want: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told []int
			h := mustLoad(t, library).Handler(replay.Playback{Speed: replay.MaxSpeed, OnServe: func(req *http.Request, x *replay.Exchange) {
				if req == nil || req.URL == nil {
					t.Error("OnServe gets no request")
				}
				told = append(told, x.Number)
			}})
			method := c.method
			if method == "" {
				method = "GET"
			}
			req := httptest.NewRequest(method, c.target, nil)
			if c.lastEventID != "" {
				req.Header.Set("Last-Event-ID", c.lastEventID)
			}
			if c.accept != "" {
				req.Header.Set("Accept", c.accept)
			}
			s, _, _ := perform(h, req)
			if !slices.Equal(told, []int{c.want}) {
				t.Errorf("OnServe is told of %v, want %d", told, c.want)
			}
			want := []piece{{0, fmt.Sprint(c.want)}}
			if method == "HEAD" {
				want = nil
			}
			got := s.reads()
			for i := range got {
				got[i].At = 0
			}
			if !slices.Equal(got, want) {
				t.Errorf("it writes %v, want %v", got, want)
			}
		})
	}
}

func TestHandlerOnServeComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{began: time.Now(), header: make(http.Header)}
		h := mustLoad(t, paced).Handler(replay.Playback{OnServe: func(*http.Request, *replay.Exchange) {
			if len(s.acts) > 0 || time.Since(s.began) != 0 {
				t.Errorf("it is told after %v, when there was %v", time.Since(s.began), s.acts)
			}
		}})
		s.perform(h, httptest.NewRequest("GET", "/stream", nil))
	})
}

func TestHandlerNotRecorded(t *testing.T) {
	h := mustLoad(t, library).Handler(replay.Playback{OnServe: func(req *http.Request, x *replay.Exchange) {
		t.Errorf("OnServe is told of %s for %s %s", x.URL, req.Method, req.URL)
	}})
	for _, c := range []struct{ name, method, target string }{
		{"another path", "GET", "/none"},
		{"a longer path", "GET", "/a/"},
		{"a shorter path", "GET", "/w"},
		{"a path in capitals", "GET", "/A"},
		{"another method", "DELETE", "/a?x=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			req := httptest.NewRequest(c.method, c.target, nil)
			req.Header.Set("Origin", "https://app.example")
			h.ServeHTTP(w, req)
			if w.Code != 404 {
				t.Errorf("the status is %d, want 404", w.Code)
			}
			if kind := w.Header().Get("Content-Type"); kind != "text/plain; charset=utf-8" || !strings.Contains(w.Body.String(), c.method+" "+c.target) || !strings.Contains(w.Body.String(), "/ws?assembly=1") {
				t.Errorf("it does not say in plain text what is asked for, and what there is: %q\n%s", kind, w.Body)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != "*" && got != "https://app.example" {
				t.Errorf("a script may not read why: Access-Control-Allow-Origin is %q", got)
			}
		})
	}
	t.Run("the list", func(t *testing.T) {
		for _, accept := range []string{"", "text/html,*/*;q=0.8", "*/*"} {
			w := httptest.NewRecorder()
			req := httptest.NewRequest("GET", "/", nil)
			if accept != "" {
				req.Header.Set("Accept", accept)
			}
			h.ServeHTTP(w, req)
			if w.Code != 200 {
				t.Errorf("Accept %q: the status is %d", accept, w.Code)
			}
			for _, part := range []string{"/a?x=1", "/a?x=2", "/b", "/ws?assembly=1", "POST"} {
				if !strings.Contains(w.Body.String(), part) {
					t.Errorf("Accept %q: the list lacks %q:\n%s", accept, part, w.Body)
				}
			}
		}
	})
	t.Run("the list of what could be a script", func(t *testing.T) {
		rec := mustLoad(t, version+"> 1 +0 GET /<script>alert(1)</script>?\"><img>\n< 1 +0 200\n"+eof)
		w := httptest.NewRecorder()
		rec.Handler(replay.Playback{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if strings.Contains(w.Header().Get("Content-Type"), "html") && strings.Contains(w.Body.String(), "<script>alert") {
			t.Errorf("the list is HTML with a script of the reel's:\n%s", w.Body)
		}
		if kind := w.Header().Get("Content-Type"); kind != "text/plain; charset=utf-8" {
			t.Errorf("the list is %q: a browser may take it for HTML", kind)
		}
	})
	t.Run("a list of many", func(t *testing.T) {
		var b strings.Builder
		b.WriteString(version)
		for i := 1; i <= 1234; i++ {
			fmt.Fprintf(&b, "> %d +0 GET /%[1]d\n. %[1]d +0 reset\n", i)
		}
		w := httptest.NewRecorder()
		mustLoad(t, b.String()).Handler(replay.Playback{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		lines := strings.Split(w.Body.String(), "\n")
		if n := len(lines); n != 1003 || lines[1] != "GET /1 (no response)" || lines[1000] != "GET /1000 (no response)" || lines[1001] != "and 234 more" {
			t.Errorf("there are %d lines, the last are %q", n, lines[max(0, n-3):])
		}
	})
	t.Run("an Assembly", func(t *testing.T) {
		for _, c := range []struct{ name, reel, target, kind string }{
			{"where there are others", story, "/assemblies/ffffffffffffffffffffffffffffffff", "application/json; charset=utf-8"},
			{"without an id", story, "/assemblies/", "text/plain; charset=utf-8"},
			{"what is none", story, "/files/ffffffffffffffffffffffffffffffff", "text/plain; charset=utf-8"},
			{"where there is none", paced, "/assemblies/ffffffffffffffffffffffffffffffff", "text/plain; charset=utf-8"},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := httptest.NewRecorder()
				mustLoad(t, c.reel).Handler(replay.Playback{}).ServeHTTP(w, httptest.NewRequest("GET", c.target, nil))
				if got := w.Header().Get("Content-Type"); w.Code != 404 || got != c.kind {
					t.Errorf("it answers %d in %q, want 404 in %q", w.Code, got, c.kind)
				}
			})
		}
	})
	for name, header := range map[string]string{
		"JSON is no event stream":                        "< 1 content-type: application/json\n",
		"a response without a type is no event stream":   "",
		"a type that begins like one is no event stream": "< 1 content-type: text/event-stream2\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			req := httptest.NewRequest("GET", "/", nil)
			req.Header.Set("Accept", "text/event-stream")
			mustLoad(t, opened+header+"= 1 +0\n|data: 1\n"+eof).Handler(replay.Playback{}).ServeHTTP(w, req)
			if w.Body.String() == "data: 1\n" {
				t.Errorf("/ is answered with it: %d %q %q", w.Code, w.Header(), w.Body)
			}
		})
	}
	t.Run("an empty recording", func(t *testing.T) {
		for _, target := range []string{"/", "/a"} {
			w := httptest.NewRecorder()
			mustLoad(t, version).Handler(replay.Playback{}).ServeHTTP(w, httptest.NewRequest("GET", target, nil))
			if target == "/a" && w.Code != 404 {
				t.Errorf("%s: %d", target, w.Code)
			}
		}
	})
}

func TestHandlerCORS(t *testing.T) {
	served := 0
	h := mustLoad(t, opened+"< 1 access-control-allow-origin: https://app.recorded\n< 1 content-type: text/event-stream\n= 1 +0\n|data: 1\n"+eof).
		Handler(replay.Playback{Speed: replay.MaxSpeed, OnServe: func(*http.Request, *replay.Exchange) { served++ }})
	const origin = "http://localhost:5173"
	open := func(t *testing.T, header http.Header) {
		t.Helper()
		if got := header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != "*" && got[0] != origin {
			t.Errorf("Access-Control-Allow-Origin is %q", got)
		}
		// Uppy and EventSource may send cookies, and no cache may keep the answer for another.
		if header.Get("Access-Control-Allow-Credentials") != "true" || header.Get("Vary") != "Origin" {
			t.Errorf("a script may not send cookies, or a cache may mix up origins: %q", header)
		}
	}
	t.Run("a request", func(t *testing.T) {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", "/s", nil)
		req.Header.Set("Origin", origin)
		h.ServeHTTP(w, req)
		open(t, w.Header())
		if w.Body.String() != "data: 1\n" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
	t.Run("a preflight", func(t *testing.T) {
		served = 0
		w := httptest.NewRecorder()
		req := httptest.NewRequest("OPTIONS", "/s", nil)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", "POST")
		req.Header.Set("Access-Control-Request-Headers", "last-event-id,x-custom,authorization")
		h.ServeHTTP(w, req)
		open(t, w.Header())
		if w.Code != 204 || served != 0 {
			t.Errorf("the status is %d, OnServe was told %d times", w.Code, served)
		}
		if got := w.Header().Get("Access-Control-Allow-Methods"); !strings.Contains(got, "POST") && got != "*" {
			t.Errorf("Access-Control-Allow-Methods is %q", got)
		}
		got := strings.ToLower(strings.Join(w.Header().Values("Access-Control-Allow-Headers"), ","))
		for _, name := range []string{"last-event-id", "x-custom", "authorization"} {
			// The star does not cover Authorization: Fetch, "CORS non-wildcard request-header name".
			if !strings.Contains(got, name) && (got != "*" || name == "authorization") {
				t.Errorf("Access-Control-Allow-Headers is %q, which lacks %q", got, name)
			}
		}
	})
}

// A cache has to know what a response varies by: all that the recorded one did and, as it
// says which origin may read it, that.
func TestHandlerVary(t *testing.T) {
	for _, c := range []struct {
		name, recorded, origin string
		before                 []string // as set by what is in front of the Handler
		want                   []string
	}{
		{"none", "", "", nil, nil},
		{"an origin", "", "https://app.example", nil, []string{"Origin"}},
		{"a recorded one", "< 1 vary: Accept\n", "", nil, []string{"Accept"}},
		{"both", "< 1 vary: Accept, Cookie\n< 1 vary: Accept-Language\n", "https://app.example", nil, []string{"Accept, Cookie", "Accept-Language", "Origin"}},
		{"both, of the origin", "< 1 vary: accept, origin\n", "https://app.example", nil, []string{"accept, origin"}},
		{"one in front", "", "https://app.example", []string{"Accept-Encoding"}, []string{"Accept-Encoding", "Origin"}},
		{"all of them", "< 1 vary: Accept\n", "https://app.example", []string{"Accept-Encoding"}, []string{"Accept", "Accept-Encoding", "Origin"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := mustLoad(t, opened+c.recorded+eof).Handler(replay.Playback{})
			for range 2 { // the recording is not changed
				w := httptest.NewRecorder()
				if c.before != nil {
					w.Header()["Vary"] = slices.Clone(c.before)
				}
				req := httptest.NewRequest("GET", "/s", nil)
				if c.origin != "" {
					req.Header.Set("Origin", c.origin)
				}
				h.ServeHTTP(w, req)
				if got := w.Header()["Vary"]; !slices.Equal(got, c.want) {
					t.Errorf("Vary is %q, want %q", got, c.want)
				}
			}
		})
	}
}

// A header that comes in several lines is rewritten in all of them.
func TestHandlerRewritesEachLine(t *testing.T) {
	const elsewhere = "<https://elsewhere.example/>; rel=help"
	link := func(origin, page string) string { return "<" + origin + "/s?page=" + page + ">; rel=next" }
	const recorded = "https://api2.example.com"
	for _, c := range []struct {
		name string
		want func(origin string) []string
	}{
		{"all", func(origin string) []string { return []string{link(origin, "2"), link(origin, "3")} }},
		{"the first", func(origin string) []string { return []string{link(origin, "2"), elsewhere} }},
		{"the last", func(origin string) []string { return []string{elsewhere, link(origin, "2")} }},
		{"none", func(string) []string { return []string{elsewhere, elsewhere} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := version + "> 1 +0 GET " + recorded + "/s\n< 1 +0 200\n"
			for _, value := range c.want(recorded) {
				text += "< 1 link: " + value + "\n"
			}
			rec := mustLoad(t, text+eof)
			w := httptest.NewRecorder()
			rec.Handler(replay.Playback{}).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost:1/s", nil))
			if got, want := w.Header()["Link"], c.want("http://localhost:1"); !slices.Equal(got, want) {
				t.Errorf("Link is %q, want %q", got, want)
			}
			if got, want := rec.Exchanges()[0].Header["Link"], c.want(recorded); !slices.Equal(got, want) {
				t.Errorf("the recording itself says %q now, want %q", got, want)
			}
		})
	}
}

// The sums of a body are those of what was recorded: where it is rewritten, it has none.
func TestHandlerDigests(t *testing.T) {
	for _, c := range []struct {
		name, mediaType, body string
		playback              replay.Playback
		kept                  bool
	}{
		{"rewritten", "application/json", `"https://api2.example.com/x"`, replay.Playback{}, false},
		{"left as it was", "application/json", `"https://api2.example.com/x"`, replay.Playback{KeepURLs: true}, true},
		{"without a URL", "application/json", `"x"`, replay.Playback{}, true},
		{"text", "text/plain", `"https://api2.example.com/x"`, replay.Playback{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := mustLoad(t, version+"> 1 +0 GET https://api2.example.com/s\n< 1 +0 200\n< 1 content-type: "+c.mediaType+"\n< 1 content-digest: sha-256=:abc=:\n"+
				"< 1 content-md5: abc\n< 1 etag: \"1\"\n= 1 +0\n\\"+c.body+"\n< 1 content-digest: sha-256=:abc=:\n< 1 x-sum: 1\n"+eof)
			server := httptest.NewServer(rec.Handler(c.playback))
			defer server.Close()
			for range 2 { // the recording is not changed
				res, err := http.DefaultClient.Do(get(t, server.URL+"/s"))
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				readAll(t, res)
				_, ofTrailer := res.Trailer["Content-Digest"]
				if sum, old := res.Header.Get("Content-Digest") != "", res.Header.Get("Content-Md5") != ""; sum != c.kept || old != c.kept || ofTrailer != c.kept {
					t.Errorf("the header is %q, the trailer %q; want digests: %v", res.Header, res.Trailer, c.kept)
				}
				if res.Header.Get("Etag") != `"1"` || res.Trailer.Get("X-Sum") != "1" {
					t.Errorf("the header is %q, the trailer %q", res.Header, res.Trailer)
				}
			}
		})
	}
}

// adding is what a program makes of a ResponseWriter to add to its header.
type adding struct {
	http.ResponseWriter
	value string
}

func (w adding) WriteHeader(status int) {
	w.Header().Add("X-Three", w.value)
	w.ResponseWriter.WriteHeader(status)
}

// What a program adds to the header or the trailer of a response is in no other response,
// and not in the recording.
func TestHeadersAreNotShared(t *testing.T) {
	three := func(name string) string { return strings.Repeat("< 1 "+name+": x\n", 3) }
	rec := mustLoad(t, version+"> 1 +0 GET /s\n< 1 +0 200\n"+three("x-three")+"= 1 +0\n|data\n"+three("x-end")+". 1 +0 eof\n")
	h, door := rec.Handler(replay.Playback{}), rec.Transport(replay.Playback{})
	var headers, trailers [2]http.Header
	for i, value := range []string{"first", "second"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(adding{w, value}, httptest.NewRequest("GET", "/s", nil))
		w.Header().Add(http.TrailerPrefix+"X-End", value)
		headers[i] = w.Header()
		res, err := door.RoundTrip(newRequest(t, "GET", "/s"))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Trailer.Add("X-End", value)
		trailers[i] = res.Trailer
	}
	for i, value := range []string{"first", "second"} {
		want := []string{"x", "x", "x", value}
		for _, got := range [][]string{headers[i]["X-Three"], headers[i][http.TrailerPrefix+"X-End"], trailers[i]["X-End"]} {
			if !slices.Equal(got, want) {
				t.Errorf("the %s response has %q, want %q", value, got, want)
			}
		}
	}
}

// What belongs to the connection of the recording is not the playback's.
func TestHandlerHopByHop(t *testing.T) {
	text := opened + `< 1 connection: keep-alive, X-Hop
< 1 content-type: text/event-stream
< 1 keep-alive: timeout=5
< 1 proxy-authorization: Basic eDp5
< 1 proxy-connection: keep-alive
< 1 te: trailers
< 1 transfer-encoding: chunked
< 1 upgrade: h2c
< 1 x-accel-buffering: no
< 1 x-hop: 1
< 1 x-two: a
< 1 x-two: b
= 1 +0
|data: 1
` + eof
	rec := mustLoad(t, text)
	h := rec.Handler(replay.Playback{Speed: replay.MaxSpeed})
	s, _, _ := perform(h, httptest.NewRequest("GET", "/s", nil))
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade", "X-Hop"} {
		if v := s.sent.Values(name); len(v) > 0 {
			t.Errorf("%s is sent: %q", name, v)
		}
	}
	if s.sent.Get("Content-Type") != "text/event-stream" || s.sent.Get("X-Accel-Buffering") != "no" || !slices.Equal(s.sent.Values("X-Two"), []string{"a", "b"}) {
		t.Errorf("the header is %q", s.sent)
	}
	if x := rec.Exchanges()[0]; x.Header.Get("X-Hop") != "1" || x.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the recording was changed: %q", x.Header)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	res, err := http.DefaultClient.Do(get(t, server.URL+"/s"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); string(b) != "data: 1\n" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// tappedListener is a listener whose connections note what each Write sends.
type tappedListener struct {
	net.Listener
	mu     sync.Mutex
	writes []string
}

type tappedConn struct {
	net.Conn
	l *tappedListener
}

func (l *tappedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tappedConn{conn, l}, nil
}

func (c *tappedConn) Write(p []byte) (int, error) {
	c.l.mu.Lock()
	c.l.writes = append(c.l.writes, string(p))
	c.l.mu.Unlock()
	return c.Conn.Write(p)
}

// Over HTTP, the client gets the same bytes, and each recorded read is a write of
// its own on the connection.
func TestHandlerOverHTTP(t *testing.T) {
	for _, c := range []struct{ name, target string }{
		{"assembly.reel", "/ws20219?assembly=55a46ab12179453a8a20921a058b7546"},
		{"assembly.reel", "/"},
	} {
		t.Run(c.name+" at "+c.target, func(t *testing.T) {
			_, rec, _ := goldenReel(t, c.name)
			server := httptest.NewUnstartedServer(rec.Handler(replay.Playback{Speed: replay.MaxSpeed}))
			tap := &tappedListener{Listener: server.Listener}
			server.Listener = tap
			server.Start()
			defer server.Close()
			req := get(t, server.URL+c.target)
			req.Header.Set("Accept", "text/event-stream")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			x := contents(t, rec)[0]
			if err != nil || string(got) != x.body() {
				t.Errorf("the body has %d bytes, %v; want %d", len(got), err, len(x.body()))
			}
			if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-cache" {
				t.Errorf("%d %q", res.StatusCode, res.Header)
			}
			tap.mu.Lock()
			defer tap.mu.Unlock()
			var chunks []string
			for _, w := range tap.writes {
				if !strings.HasPrefix(w, "HTTP/1.1") {
					chunks = append(chunks, w)
				}
			}
			for i, p := range x.Reads {
				want := fmt.Sprintf("%x\r\n%s\r\n", len(p.Data), p.Data)
				if i >= len(chunks) || chunks[i] != want {
					t.Fatalf("read %d of %d is no write of its own: the writes are %.300q", i, len(x.Reads), tap.writes)
				}
			}
		})
	}
}

func TestHandlerEndsOverHTTP(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1<<12)
	for _, c := range []struct {
		name, method, reel string
		want               string
		err                error // in mid-body
		refused            bool  // no response at all
	}{
		{name: "eof", reel: opened + "= 1 +0\n\\body\n" + eof, want: "body"},
		{name: "eof with a length", reel: opened + "< 1 content-length: 4\n= 1 +0\n\\bo\n= 1 +0\n\\dy\n" + eof, want: "body"},
		{name: "reset", reel: opened + "= 1 +0\n\\bo\n. 1 +0 reset\n", want: "bo", err: io.ErrUnexpectedEOF},
		{name: "reset behind much", reel: opened + strings.Repeat("= 1 +0\n\\"+long+"\n", 16) + ". 1 +0 reset\n", want: strings.Repeat(long, 16), err: io.ErrUnexpectedEOF},
		{name: "reset with a length", reel: opened + "< 1 content-length: 4\n= 1 +0\n\\bo\n. 1 +0 reset\n", want: "bo", err: io.ErrUnexpectedEOF},
		{name: "reset behind the header", reel: opened + ". 1 +0 reset\n", err: io.ErrUnexpectedEOF},
		{name: "reset in front of the response", reel: request + ". 1 +0 reset\n", refused: true},
		{name: "204", reel: request + "< 1 +0 204\n" + eof},
		{name: "304", reel: request + "< 1 +0 304\n" + eof},
		{name: "HEAD with a length", method: "HEAD", reel: version + "> 1 +0 HEAD /s\n< 1 +0 200\n< 1 content-length: 4\n" + eof},
		{name: "an error", reel: request + "< 1 +0 500\n= 1 +0\n\\sorry\n" + eof, want: "sorry"},
		{name: "a redirect", reel: request + "< 1 +0 302\n< 1 location: /t\n" + eof + "> 2 +0 GET /t\n< 2 +0 200\n= 2 +0\n\\there\n. 2 +0 eof\n", want: "there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(mustLoad(t, c.reel).Handler(replay.Playback{Speed: replay.MaxSpeed}))
			defer server.Close()
			req := get(t, server.URL+"/s")
			if c.method != "" {
				req.Method = c.method
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			res, err := client.Do(req)
			if c.refused {
				if err == nil {
					t.Errorf("there is a response, %d", res.StatusCode)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			got, err := io.ReadAll(res.Body)
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("the client reads %q, %v; want %q, %v", clip(string(got)), err, clip(c.want), c.err)
			}
		})
	}
	t.Run("timeout leaves the client waiting", func(t *testing.T) {
		server := httptest.NewServer(mustLoad(t, opened+"= 1 +0\n\\bo\n. 1 +0 timeout\n").Handler(replay.Playback{Speed: replay.MaxSpeed}))
		defer server.Close() // waits for the handler, which has to notice that the client is gone
		ctx, cancel := context.WithCancel(t.Context())
		res, err := http.DefaultClient.Do(get(t, server.URL+"/s").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.ReadFull(res.Body, make([]byte, 2)); err != nil {
			t.Error(err)
		}
		cancel()
		if n, err := res.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("the client has %d bytes and %v", n, err)
		}
	})
	t.Run("a file that fails is no body that ends", func(t *testing.T) {
		text, _ := threeReads(t)
		src := &fickle{Reader: strings.NewReader(text)}
		rec, err := replay.Load(src, int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		src.broken.Store(true)
		server := httptest.NewServer(rec.Handler(replay.Playback{Speed: replay.MaxSpeed}))
		defer server.Close()
		req := get(t, server.URL+"/")
		req.Method = "POST"
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return
		}
		defer res.Body.Close()
		if b, err := io.ReadAll(res.Body); err == nil && res.StatusCode == 200 {
			t.Errorf("the client takes %q for all of it", b)
		}
	})
}

// A body that breaks off is announced with its recorded length, so that a client sees how much
// it lacks; no other is with one that it has not.
func TestBrokenLength(t *testing.T) {
	const (
		sized  = opened + "< 1 content-length: 100\n"
		stream = sized + "< 1 content-type: text/event-stream\n= 1 +0\n|id: 1\n|data: a\n|\n= 1 +0\n|data: b\n|\n"
		reset  = ". 1 +0 reset\n"
		abc    = "= 1 +0\n\\abc\n"
		a, b   = "id: 1\ndata: a\n\n", "data: b\n\n"
	)
	fault := func(text string) replay.Playback {
		f, err := replay.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		return replay.Playback{Faults: []replay.Fault{f}}
	}
	for _, c := range []struct {
		name, method, reel, lastEventID string
		playback                        replay.Playback
		length                          int64
		want                            string
		err                             error
	}{
		{name: "reset", reel: sized + abc + reset, length: 100, want: "abc", err: io.ErrUnexpectedEOF},
		{name: "reset in front of the body", reel: sized + reset, length: 100, err: io.ErrUnexpectedEOF},
		{name: "not recorded to its end", reel: sized + abc, length: 100, want: "abc", err: io.ErrUnexpectedEOF},
		{name: "waited for", reel: sized + abc + ". 1 +0 timeout\n", length: 100, want: "abc", err: context.Canceled},
		{name: "reset behind all of it", reel: opened + "< 1 content-length: 3\n" + abc + reset, length: -1, want: "abc", err: io.ErrUnexpectedEOF},
		{name: "reset behind more", reel: opened + "< 1 content-length: 2\n" + abc + reset, length: -1, want: "abc", err: io.ErrUnexpectedEOF},
		{name: "reset, no length", reel: opened + abc + reset, length: -1, want: "abc", err: io.ErrUnexpectedEOF},
		{name: "reset, what is no length", reel: opened + "< 1 content-length: -100\n" + abc + reset, length: -1, want: "abc", err: io.ErrUnexpectedEOF},
		{name: "ended too early", reel: sized + abc + eof, length: -1, want: "abc"},
		{name: "given up", reel: sized + abc + ". 1 +0 canceled\n", length: -1, want: "abc"},
		{name: "given up behind all of it", reel: opened + "< 1 content-length: 3\n" + abc + ". 1 +0 canceled\n", length: 3, want: "abc"},
		{name: "HEAD of what was reset", method: "HEAD", reel: sized + abc + reset, length: 100},
		{name: "HEAD that was reset", method: "HEAD", reel: strings.Replace(sized, "GET", "HEAD", 1) + reset, length: 100},
		{name: "a stream", reel: stream + reset, length: 100, want: a + b, err: io.ErrUnexpectedEOF},
		{name: "a stream that goes on", lastEventID: "1", reel: stream + reset, length: -1, want: b, err: io.ErrUnexpectedEOF},
		{name: "a stream that is cut", playback: fault("cut@byte=3"), reel: stream + reset, length: 100, want: a[:3], err: io.ErrUnexpectedEOF},
		{name: "a stream that is cut in order", playback: fault("cut=eof@byte=3"), reel: stream + reset, length: -1, want: a[:3]},
		{name: "a stream with an event twice", playback: fault("duplicate@event=1"), reel: stream + reset, length: -1, want: a + a + b, err: io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec, _ := load(c.reel) // not all of which are whole
			server := httptest.NewServer(rec.Handler(c.playback))
			defer server.Close()
			check := func(t *testing.T, url string, base http.RoundTripper) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				req := get(t, url).WithContext(ctx)
				if c.method != "" {
					req.Method = c.method
				}
				if c.lastEventID != "" {
					req.Header.Set("Last-Event-ID", c.lastEventID)
				}
				res, err := base.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				got := make([]byte, len(c.want))
				_, err = io.ReadFull(res.Body, got)
				if c.err == context.Canceled {
					cancel() // or the client waits for ever
				}
				if err == nil {
					var rest []byte
					rest, err = io.ReadAll(res.Body)
					got = append(got, rest...)
				}
				if string(got) != c.want || !errors.Is(err, c.err) {
					t.Errorf("the client reads %q, %v; want %q, %v", got, err, c.want, c.err)
				}
				announced := ""
				if c.length >= 0 {
					announced = fmt.Sprint(c.length)
				}
				if res.ContentLength != c.length || res.Header.Get("Content-Length") != announced {
					t.Errorf("the length is %d, Content-Length %q; want %d", res.ContentLength, res.Header.Get("Content-Length"), c.length)
				}
			}
			t.Run("Handler", func(t *testing.T) {
				base := new(http.Transport)
				defer base.CloseIdleConnections()
				check(t, server.URL+"/s", base)
			})
			t.Run("Transport", func(t *testing.T) { check(t, "http://localhost/s", rec.Transport(c.playback)) })
		})
	}
	t.Run("rewritten", func(t *testing.T) {
		text := version + "> 1 +0 GET https://api2.example.com/s\n< 1 +0 200\n< 1 content-type: application/json\n< 1 content-length: 100\n= 1 +0\n\\\"https://api2.example.com/\"\n" + reset
		s, _, aborted := perform(mustLoad(t, text).Handler(replay.Playback{}), httptest.NewRequest("GET", "http://localhost:1/s", nil))
		if got := s.sent.Get("Content-Length"); got != "" || !aborted {
			t.Errorf("Content-Length is %q, and the connection is cut: %v", got, aborted)
		}
	})
}

func TestHandlerManyClientsOverHTTP(t *testing.T) {
	_, rec, _ := goldenReel(t, "assembly.reel")
	want := contents(t, rec)[0].body()
	server := httptest.NewServer(rec.Handler(replay.Playback{Speed: 1e6, OnServe: func(*http.Request, *replay.Exchange) {}}))
	defer server.Close()
	base := &http.Transport{MaxIdleConnsPerHost: 24}
	defer base.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 24 {
		req := get(t, server.URL+"/ws20219")
		wg.Go(func() {
			res, err := base.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if b, err := io.ReadAll(res.Body); string(b) != want || err != nil {
				t.Errorf("%d bytes, %v", len(b), err)
			}
		})
	}
	wg.Wait()
}

// What is recorded from a playback is the recording: reads, bytes and moments.
func TestHandlerRecordedAgain(t *testing.T) {
	raw, err := testdata.Recordings.ReadFile("assembly.reel")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		h := mustLoad(t, string(raw)).Handler(replay.Playback{})
		var b bytes.Buffer
		rec, err := replay.NewRecorder(&b, roundTripper(func(req *http.Request) (*http.Response, error) {
			r, w := io.Pipe()
			res := answer(req, r)
			header := make(chan http.Header)
			go func() {
				h.ServeHTTP(&piped{header: make(http.Header), sent: header, w: w}, req)
				w.Close()
			}()
			res.Header = <-header
			return res, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		const url = "https://api2-hu268ep.transloadit.com/ws20219?assembly=55a46ab12179453a8a20921a058b7546"
		req := httptest.NewRequest("GET", url, nil)
		req.Header.Set("Accept", "text/event-stream")
		res, err := rec.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		for buf := make([]byte, 4096); ; {
			if _, err := res.Body.Read(buf); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		res.Body.Close()
		if err := rec.Close(); err != nil {
			t.Fatal(err)
		}
		got := contents(t, mustLoad(t, b.String()))
		for name := range got[0].Header {
			if strings.HasPrefix(name, "Access-Control-") {
				delete(got[0].Header, name)
			}
		}
		if d := diff(contents(t, mustLoad(t, string(raw))), got); d != "" {
			t.Error(d)
		}
	})
}

// piped is a ResponseWriter whose every write is a read on the other side.
type piped struct {
	header http.Header
	sent   chan<- http.Header
	once   sync.Once
	w      *io.PipeWriter
}

func (p *piped) Header() http.Header { return p.header }

func (p *piped) WriteHeader(int) { p.once.Do(func() { p.sent <- p.header.Clone() }) }

func (p *piped) Write(b []byte) (int, error) {
	p.WriteHeader(200)
	return p.w.Write(b)
}

func (p *piped) Flush() { p.WriteHeader(200) }

// HEAD is GET without the body, and without the wait for it.
func TestHandlerHead(t *testing.T) {
	rec := mustLoad(t, version+"> 1 +0 GET /s\n< 1 +0 200\n< 1 x-a: 1\n= 1 +3600\n|data: 1\n. 1 +0 eof\n")
	w := httptest.NewRecorder()
	rec.Handler(replay.Playback{}).ServeHTTP(w, httptest.NewRequest("HEAD", "/s", nil))
	if w.Code != 200 || w.Header().Get("X-A") != "1" || w.Body.Len() != 0 {
		t.Errorf("HEAD gives %d %v %q, want the header of GET and no body", w.Code, w.Header(), w.Body)
	}
}

// A client that has gone is noticed although its request had a body.
func TestHandlerPostClientGone(t *testing.T) {
	for name, reel := range map[string]string{
		"before the header":   "> 1 +0 POST /s\n< 1 +3600 200\n. 1 +0 eof\n",
		"before the next":     "> 1 +0 POST /s\n< 1 +0 200\n= 1 +0\n|data: 1\n= 1 +3600\n|data: 2\n. 1 +0 eof\n",
		"waiting, for ever":   "> 1 +0 POST /s\n< 1 +0 200\n= 1 +0\n|data: 1\n. 1 +0 timeout\n",
		"without a response":  "> 1 +0 POST /s\n. 1 +3600 timeout\n",
		"and then a mere cut": "> 1 +0 POST /s\n< 1 +0 200\n. 1 +3600 reset\n",
	} {
		t.Run(name, func(t *testing.T) {
			rec := mustLoad(t, version+reel)
			began, left := make(chan struct{}), make(chan struct{})
			play := rec.Handler(replay.Playback{OnServe: func(*http.Request, *replay.Exchange) { close(began) }})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				defer close(left)
				play.ServeHTTP(w, req)
			}))
			defer server.Close()
			ctx, cancel := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/s", strings.NewReader(strings.Repeat("x", 1<<20)))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				<-began
				cancel()
			}()
			if res, err := http.DefaultClient.Do(req); err == nil {
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			select {
			case <-left:
			case <-time.After(10 * time.Second):
				t.Error("the handler is still there")
			}
		})
	}
}

// What no type was recorded for is sent without one, not with one that was guessed.
func TestHandlerGuessesNoType(t *testing.T) {
	rec := mustLoad(t, version+"> 1 +0 GET /s\n< 1 +0 200\n= 1 +0\n|<html>\n. 1 +0 eof\n")
	server := httptest.NewServer(rec.Handler(replay.Playback{}))
	defer server.Close()
	res, err := http.Get(server.URL + "/s")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if types, ok := res.Header["Content-Type"]; ok {
		t.Errorf("the type is %q", types)
	}
}

// What the Handler makes of a recorded status and header that are not to be served as they are.
func TestHandlerHeader(t *testing.T) {
	for _, c := range []struct {
		name, reel, method string
		status             int
		header             map[string]string
	}{
		{"a length that is right", opened + "< 1 content-length: 5\n= 1 +0\n\\12345\n" + eof, "GET", 200, map[string]string{"Content-Length": "5"}},
		{"a length of nothing", opened + "< 1 content-length: 0\n" + eof, "GET", 200, map[string]string{"Content-Length": "0"}},
		{"a length that is wrong", opened + "< 1 content-length: 7\n= 1 +0\n\\12345\n" + eof, "GET", 200, map[string]string{"Content-Length": ""}},
		{"no length", opened + "= 1 +0\n\\12345\n" + eof, "GET", 200, map[string]string{"Content-Length": ""}},
		{"the length of what answers HEAD", version + "> 1 +0 HEAD /s\n< 1 +0 200\n< 1 content-length: 5\n" + eof, "HEAD", 200, map[string]string{"Content-Length": "5"}},
		{"another protocol", version + "> 1 +0 GET /s\n< 1 +0 101\n< 1 upgrade: websocket\n" + eof, "GET", 501, map[string]string{"Upgrade": ""}},
		{"another server", opened + "< 1 alt-svc: h3=\":443\"\n< 1 strict-transport-security: max-age=1\n" + eof, "GET", 200, map[string]string{"Alt-Svc": "", "Strict-Transport-Security": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			mustLoad(t, c.reel).Handler(replay.Playback{}).ServeHTTP(w, httptest.NewRequest(c.method, "/s", nil))
			if w.Code != c.status {
				t.Errorf("the status is %d, want %d", w.Code, c.status)
			}
			for name, want := range c.header {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

// A client that has the whole response, and does not end its request, gets a moment to do so:
// what it sends later is not taken for a request of its own.
func TestHandlerEndsUnfinishedRequest(t *testing.T) {
	h := mustLoad(t, version+"> 1 +0 POST /\n< 1 +0 200\n= 1 +0\n\\enough\n. 1 +0 eof\n").Handler(replay.Playback{})
	for _, wraps := range []int{0, 1, 2} {
		t.Run(fmt.Sprintf("wrapped %d times", wraps), func(t *testing.T) {
			server := httptest.NewServer(wrapped(h, wraps))
			t.Cleanup(server.Close)
			wantEndOfUnfinished(t, server.Listener.Addr().String(), "", "enough")
		})
	}
}

// wrapper is a ResponseWriter as that of a program that logs or counts responses.
type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// wrapped returns h, whose ResponseWriter is wrapped so many times.
func wrapped(h http.Handler, times int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		for range times {
			w = wrapper{w}
		}
		h.ServeHTTP(w, req)
	})
}

// What is left of a body that is none is not taken for a request.
func TestHandlerMalformedRequestBody(t *testing.T) {
	server := httptest.NewServer(mustLoad(t, version+"> 1 +0 POST /\n< 1 +0 200\n= 1 +0\n\\enough\n. 1 +0 eof\n").Handler(replay.Playback{}))
	t.Cleanup(server.Close)
	conn := dial(t, server.Listener.Addr().String())
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nzz\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if got := string(answer); err != nil || strings.Count(got, "HTTP/1.1 ") != 1 || !strings.Contains(got, "enough") {
		t.Errorf("%v, it answers %q", err, got)
	}
}
