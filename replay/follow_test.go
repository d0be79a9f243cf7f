package replay_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

const (
	assemblyID = "55a46ab12179453a8a20921a058b7546"
	api        = "https://api2-x.transloadit.com"
	statusPath = "/assemblies/" + assemblyID
	streamPath = "/ws20219?assembly=" + assemblyID
)

// statusOf returns a Status. more goes before its end.
func statusOf(state status.State, more string) string {
	return fmt.Sprintf(`{"ok":%q,"assembly_id":%q,"assembly_ssl_url":%q,"update_stream_url":%q%s}`,
		state, assemblyID, api+statusPath, api+streamPath, more)
}

var (
	uploading = statusOf(status.AssemblyUploading, `,"bytes_received":1,"bytes_expected":4`)
	executing = statusOf(status.AssemblyExecuting, "")
	completed = statusOf(status.AssemblyCompleted, `,"results":{"a":[{"id":"1"},{"id":"2"}]}`)
	rateLimit = `{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","assembly_id":"` + assemblyID + `"%s}`
)

const (
	idBlock  = "id: " + assemblyID + "\n\n"
	finished = "data: assembly_finished\n\n"
	result1  = "event: assembly_result_finished\ndata: [\"a\",{\"id\":\"1\"}]\n\n"
	result2  = "event: assembly_result_finished\ndata: [\"a\",{\"id\":\"2\"}]\n\n"
	progress = "event: assembly_execution_progress\ndata: {\"progress_combined\":%d,\"progress_per_original_file\":[]}\n\n"
)

// world is a network in memory, in which each request is noted.
type world struct {
	t      *testing.T
	start  time.Time
	answer func(w *world, req *http.Request) (*http.Response, error)

	mu   sync.Mutex
	sent []sent
	open int // bodies that have not been closed
}

// sent is a request that was made.
type sent struct {
	at     time.Duration
	what   string // such as GET /path
	header http.Header
	host   string
	query  string
}

func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent = append(w.sent, sent{time.Since(w.start), req.Method + " " + req.URL.Path, req.Header.Clone(), req.URL.Scheme + "://" + req.URL.Host, req.URL.RawQuery})
	w.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	resp, err := w.answer(w, req)
	if resp != nil {
		resp.Request = req
		w.mu.Lock()
		w.open++
		w.mu.Unlock()
		resp.Body = &closable{ReadCloser: resp.Body, w: w}
	}
	return resp, err
}

// closable is a body that keeps its connection until it is closed.
type closable struct {
	io.ReadCloser
	w    *world
	once sync.Once
}

func (c *closable) Close() error {
	c.once.Do(func() {
		c.w.mu.Lock()
		c.w.open--
		c.w.mu.Unlock()
	})
	return c.ReadCloser.Close()
}

// asked returns when the path was requested.
func (w *world) asked(path string) []time.Duration {
	var at []time.Duration
	for _, s := range w.sent {
		if strings.HasSuffix(s.what, " "+path) {
			at = append(at, s.at)
		}
	}
	return at
}

// since is how long the story goes on.
func (w *world) since() time.Duration { return time.Since(w.start) }

// respond returns a response.
func respond(code int, contentType, body string) (*http.Response, error) {
	return &http.Response{
		StatusCode: code, Status: fmt.Sprint(code, " ", http.StatusText(code)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func asJSON(body string) (*http.Response, error) { return respond(200, "application/json", body) }

// asStream returns an event stream, of reads that come after their waits. Behind
// them it ends, unless the last one has no data: then it stays open.
func asStream(req *http.Request, steps ...step) (*http.Response, error) {
	resp, err := respond(200, "text/event-stream", "")
	resp.ContentLength = -1
	resp.Body = &live{ctx: req.Context(), steps: steps}
	return resp, err
}

// live is a body that comes step by step, until its request is canceled.
type live struct {
	ctx   context.Context
	steps []step
}

func (l *live) Read(p []byte) (int, error) {
	if len(l.steps) == 0 {
		return 0, io.EOF
	}
	now := &l.steps[0]
	var due <-chan time.Time
	if now.data != "" || now.err != nil {
		due = time.After(now.wait)
	}
	select {
	case <-due:
	case <-l.ctx.Done():
		return 0, l.ctx.Err()
	}
	now.wait = 0
	n := copy(p, now.data)
	if now.data = now.data[n:]; now.data == "" {
		err := now.err
		l.steps = l.steps[1:]
		return n, err
	}
	return n, nil
}

func (l *live) Close() error { return nil }

// open is a step that never comes.
var open = step{}

// told is how a story ended.
type told struct {
	replay.Progress
	err  error
	took time.Duration
	rec  *replay.Recording
	w    *world
	seen []status.Summary // each that differs from the one before

	troubles []string // likewise
}

// followed follows req in a world that answers so, and loads what was recorded. No more
// than three Statuses are asked for in any second, whatever happens, and with the
// return all is over: no body is open, and the caller is told nothing more.
func followed(t *testing.T, req *http.Request, answer func(*world, *http.Request) (*http.Response, error)) told {
	t.Helper()
	w := &world{t: t, start: time.Now(), answer: answer}
	var reel bytes.Buffer
	recorder, err := replay.NewRecorder(&reel, w)
	if err != nil {
		t.Fatal(err)
	}
	var out told
	returned := false
	f := replay.Follower{HTTP: &http.Client{Transport: recorder}, OnChange: func(s replay.Progress) {
		if returned {
			t.Error("the caller was told something after the return")
		}
		if text := fmt.Sprint(s.Trouble); len(out.troubles) == 0 || text != out.troubles[len(out.troubles)-1] {
			out.troubles = append(out.troubles, text)
		}
		if s.Document == nil {
			return
		}
		now := s.Document.Summary()
		if n := len(out.seen); n == 0 || fmt.Sprint(now) != fmt.Sprint(out.seen[n-1]) {
			out.seen = append(out.seen, now)
		}
	}}
	out.Progress, out.err = f.Follow(req)
	returned = true
	out.took, out.w = w.since(), w
	synctest.Wait()
	if w.open != 0 {
		t.Errorf("%d bodies were not closed", w.open)
	}
	recorder.Close()
	if out.rec, err = replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len())); err != nil || !out.rec.Sealed() {
		t.Errorf("the reel: %v, sealed %t", err, out.rec.Sealed())
	}
	if n := len(out.rec.Exchanges()); n != len(w.sent) {
		t.Errorf("%d exchanges were recorded of %d", n, len(w.sent))
	}
	at := append(w.asked(statusPath), w.asked("/v1/jobs/job_1")...)
	for i := range at {
		if i >= 3 && at[i]-at[i-3] < time.Second {
			t.Errorf("four Statuses were asked for in %v: %v", at[i]-at[i-3], at[i-3:i+1])
		}
	}
	return out
}

func requestFor(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// wantEnd fails the test where the story did not end well, with this state.
func (o told) wantEnd(t *testing.T, state string) {
	t.Helper()
	if o.err != nil {
		t.Errorf("the story ended with: %v", o.err)
	}
	if o.Document == nil {
		t.Error("the story is about nothing")
	} else if s := o.Document.Summary(); cmp.Or(s.Error, s.State) != state {
		t.Errorf("it ended with %s, want %s", cmp.Or(s.Error, s.State), state)
	}
}

// wantRequests fails the test where other requests were made, or at other moments.
func (o told) wantRequests(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, s := range o.w.sent {
		got = append(got, fmt.Sprintf("%v %s", s.at, s.what))
	}
	if !slices.Equal(got, want) {
		t.Errorf("requests:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// assembly is a server of one Assembly: its Status at a moment, and its stream.
func assembly(statusAt func(at time.Duration) string, stream func(w *world, req *http.Request) (*http.Response, error)) func(*world, *http.Request) (*http.Response, error) {
	return func(w *world, req *http.Request) (*http.Response, error) {
		switch req.URL.Path {
		case statusPath:
			return asJSON(statusAt(w.since()))
		case "/ws20219":
			return stream(w, req)
		}
		return respond(404, "text/html", "<p>")
	}
}

// The whole story: the first Status, the stream to its end, the final Status. While
// the stream speaks, nothing else is asked for.
func TestFollowAssembly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sec := time.Second
		o := followed(t, requestFor(t, api+statusPath), assembly(
			func(at time.Duration) string {
				if at >= 8*sec {
					return completed
				}
				return executing
			},
			func(w *world, req *http.Request) (*http.Response, error) {
				return asStream(req, step{wait: sec, data: idBlock}, step{wait: sec, data: fmt.Sprintf(progress, 10)},
					step{wait: 2 * sec, data: result1}, step{wait: 2 * sec, data: fmt.Sprintf(progress, 90)},
					step{wait: 2 * sec, data: finished}, step{wait: sec, data: result2})
			}))
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		o.wantRequests(t, "0s GET "+statusPath, "0s GET /ws20219", "9s GET "+statusPath)
		if o.Statuses != 2 || o.Events != 5 || o.Trouble != nil {
			t.Errorf("%d Statuses, %d events, trouble %v", o.Statuses, o.Events, o.Trouble)
		}
		x := o.rec.Exchanges()
		var size int64
		for _, x := range x {
			if size += x.Size; x.End != replay.EndEOF {
				t.Errorf("exchange %d ended with %q", x.Number, x.End)
			}
		}
		if size != o.Bytes {
			t.Errorf("%d bytes were recorded, %d counted", size, o.Bytes)
		}
		if x[1].NumReads() != 6 || x[1].RequestHeader.Get("Accept") != "text/event-stream" || x[2].RequestHeader.Get("Accept") != "application/json" {
			t.Errorf("the stream has %d reads; asked for %q and %q", x[1].NumReads(), x[1].RequestHeader["Accept"], x[2].RequestHeader["Accept"])
		}
		var seen []string
		for _, s := range o.seen {
			seen = append(seen, fmt.Sprintf("%s %d", s.State, len(s.Results)))
		}
		if got := slices.Compact(seen); !slices.Equal(got, []string{"ASSEMBLY_EXECUTING 0", "ASSEMBLY_EXECUTING 1", "ASSEMBLY_COMPLETED 1"}) {
			t.Errorf("seen: %q", got)
		}
		if files := o.Document.(*status.Tracker).Assembly().Result("a"); len(files) != 2 {
			t.Errorf("the result behind the end is lost: %v", files)
		}
	})
}

// Where the Assembly has ended before, its Status is the whole story.
func TestFollowEndedAssembly(t *testing.T) {
	tests := []struct{ name, status, state string }{
		{"completed", completed, "ASSEMBLY_COMPLETED"},
		{"canceled", statusOf(status.AssemblyCanceled, ""), "ASSEMBLY_CANCELED"},
		{"aborted", statusOf(status.RequestAborted, ""), "REQUEST_ABORTED"},
		{"failed", `{"error":"FILE_FILTER_DECLINED_FILE","assembly_id":"` + assemblyID + `"}`, "FILE_FILTER_DECLINED_FILE"},
		{"crashed", `{"errno":-111,"code":"ECONNREFUSED","syscall":"connect"}`, "ECONNREFUSED"},
		{"without its id", `{"ok":"ASSEMBLY_COMPLETED"}`, "ASSEMBLY_COMPLETED"},
		{"behind a space", " " + completed, "ASSEMBLY_COMPLETED"},
		{"behind a tab", "\t" + completed, "ASSEMBLY_COMPLETED"},
		{"behind an empty line", "\r\n" + completed, "ASSEMBLY_COMPLETED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := followed(t, requestFor(t, api+statusPath), assembly(func(time.Duration) string { return tt.status }, nil))
				o.wantEnd(t, tt.state)
				o.wantRequests(t, "0s GET "+statusPath)
			})
		})
	}
}

// A failure is told by the stream, and the final Status says more.
func TestFollowFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), assembly(
			func(at time.Duration) string {
				if at > 0 {
					return `{"error":"INTERNAL_COMMAND_ERROR","assembly_id":"` + assemblyID + `","message":"m"}`
				}
				return executing
			},
			func(w *world, req *http.Request) (*http.Response, error) {
				return asStream(req, step{wait: time.Second, data: idBlock + "event: assembly_error\ndata: {\"error\":\"INTERNAL_COMMAND_ERROR\"}\n\n"})
			}))
		o.wantEnd(t, "INTERNAL_COMMAND_ERROR")
		o.wantRequests(t, "0s GET "+statusPath, "0s GET /ws20219", "1s GET "+statusPath)
	})
}

// An upload is told by Statuses alone, every two seconds.
func TestFollowUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), assembly(
			func(at time.Duration) string {
				switch {
				case at >= 7*time.Second:
					return completed
				case at >= 5*time.Second:
					return executing
				}
				return statusOf(status.AssemblyUploading, fmt.Sprintf(`,"bytes_received":%d,"bytes_expected":5`, at/time.Second))
			},
			func(w *world, req *http.Request) (*http.Response, error) {
				return asStream(req, step{data: idBlock}, step{wait: 5 * time.Second, data: "data: assembly_uploading_finished\n\n"},
					step{wait: 2 * time.Second, data: finished})
			}))
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		o.wantRequests(t, "0s GET "+statusPath, "0s GET /ws20219", "2s GET "+statusPath, "4s GET "+statusPath, "7s GET "+statusPath)
		var percent []float64
		for _, s := range o.seen {
			if s.State == "ASSEMBLY_UPLOADING" {
				percent = append(percent, s.Progress*100)
			}
		}
		if !slices.Equal(percent, []float64{0, 40, 80}) {
			t.Errorf("seen of the upload: %v", percent)
		}
	})
}

// A stream that breaks is connected to again, where it was left, when the server says;
// meanwhile the Status is asked for.
func TestFollowReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		req := requestFor(t, api+statusPath)
		req.Header.Set("X-Mine", "1")
		req.Header.Set("Last-Event-ID", "of another stream")
		o := followed(t, req, assembly(
			func(at time.Duration) string {
				if at >= 9*time.Second {
					return completed
				}
				return executing
			},
			func(w *world, req *http.Request) (*http.Response, error) {
				switch n++; n {
				case 1:
					return asStream(req, step{data: idBlock + "retry: 5000\n\n"}, step{wait: time.Second, data: result1}, step{wait: time.Second, err: syscall.ECONNRESET})
				case 2:
					return asStream(req, step{wait: time.Second, data: result1 + result2}, step{wait: time.Second, data: finished})
				}
				return respond(204, "", "")
			}))
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		o.wantRequests(t, "0s GET "+statusPath, "0s GET /ws20219", "2s GET "+statusPath, "4s GET "+statusPath, "6s GET "+statusPath,
			"7s GET /ws20219", "9s GET "+statusPath)
		x := o.rec.Exchanges()
		if id := x[1].RequestHeader.Get("Last-Event-Id"); id != "" || x[1].End != replay.EndReset {
			t.Errorf("the first connection begins with %q and ends with %q", id, x[1].End)
		}
		if id := x[5].RequestHeader.Get("Last-Event-Id"); id != assemblyID {
			t.Errorf("the second connection begins with %q", id)
		}
		for _, x := range x {
			if id := x.RequestHeader.Get("Last-Event-Id"); id != "" && x.Number > 1 && x != o.rec.Exchanges()[5] {
				t.Errorf("exchange %d has the last event ID %q", x.Number, id)
			}
			if x.RequestHeader.Get("X-Mine") != "1" {
				t.Errorf("exchange %d lacks the caller's header", x.Number)
			}
		}
	})
}

// A stream that ends again and again is connected to less and less often, while
// the Status is asked for as often as before.
func TestFollowStreamThatEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, block := range []string{idBlock, "retry: 0\n\n", ""} {
			o := followed(t, requestFor(t, api+statusPath), assembly(
				func(at time.Duration) string {
					if at >= 5*time.Minute {
						return completed
					}
					return executing
				},
				func(w *world, req *http.Request) (*http.Response, error) {
					if block == "" {
						return asStream(req)
					}
					return asStream(req, step{data: block})
				}))
			o.wantEnd(t, "ASSEMBLY_COMPLETED")
			if n := len(o.w.asked("/ws20219")); n < 6 || n > 16 {
				t.Errorf("after %q there were %d connections in five minutes: %v", block, n, o.w.asked("/ws20219"))
			}
			if n := len(o.w.asked(statusPath)); n < 145 || n > 165 {
				t.Errorf("after %q the Status was asked for %d times in five minutes", block, n)
			}
		}
	})
}

// What a server answers in place of a stream: for good, or for now.
func TestFollowWithoutStream(t *testing.T) {
	tests := []struct {
		name        string
		code        int
		contentType string
		connections int // in a minute, at the most
	}{
		{"no content", 204, "", 1},
		{"not found", 404, "text/html", 1},
		{"HTML", 200, "text/html", 1},
		{"unavailable", 503, "text/html", 8},
		{"too many requests", 429, "application/json", 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				trouble := false
				o := followed(t, requestFor(t, api+statusPath), assembly(
					func(at time.Duration) string {
						if at >= time.Minute {
							return completed
						}
						return executing
					},
					func(w *world, req *http.Request) (*http.Response, error) {
						trouble = true
						return respond(tt.code, tt.contentType, "")
					}))
				o.wantEnd(t, "ASSEMBLY_COMPLETED")
				if n := len(o.w.asked("/ws20219")); !trouble || n > tt.connections || n == 1 && tt.connections > 1 {
					t.Errorf("%d connections", n)
				}
				if n := len(o.w.asked(statusPath)); n < 30 || n > 36 {
					t.Errorf("the Status was asked for %d times in a minute", n)
				}
				if o.took > 65*time.Second {
					t.Errorf("it took %v", o.took)
				}
			})
		})
	}
}

// A stream that tells nothing, comments aside, is not relied on.
func TestFollowSilentStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var steps []step
		for range 100 {
			steps = append(steps, step{wait: time.Second, data: ":\n"})
		}
		o := followed(t, requestFor(t, api+statusPath), assembly(
			func(at time.Duration) string {
				if at >= 90*time.Second {
					return completed
				}
				return executing
			},
			func(w *world, req *http.Request) (*http.Response, error) {
				return asStream(req, append(steps, open)...)
			}))
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		at := o.w.asked(statusPath)
		if at[1] != 10*time.Second || at[2] != 15*time.Second || len(at) != 19 {
			t.Errorf("the Status was asked for at %v", at)
		}
		// The stream was left 5 s after the end, and the Status asked for once more,
		// because something had come since.
		if at[17] != 90*time.Second || at[18] != 95*time.Second || o.took != 95*time.Second {
			t.Errorf("at the end it was asked for at %v, of %v", at[16:], o.took)
		}
		if x := o.rec.Exchanges()[1]; x.End != replay.EndCanceled {
			t.Errorf("the stream ended with %q", x.End)
		}
	})
}

// A stream that talks of everything but the end does not hide it.
func TestFollowTalkativeStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var steps []step
		for range 300 {
			steps = append(steps, step{wait: time.Second, data: fmt.Sprintf(progress, 99)})
		}
		o := followed(t, requestFor(t, api+statusPath), assembly(
			func(at time.Duration) string {
				if at >= 40*time.Second {
					return completed
				}
				return executing
			},
			func(w *world, req *http.Request) (*http.Response, error) { return asStream(req, steps...) }))
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		o.wantRequests(t, "0s GET "+statusPath, "0s GET /ws20219", "30s GET "+statusPath, "1m0s GET "+statusPath, "1m5s GET "+statusPath)
	})
}

// A stream that does not end after the end is left.
func TestFollowStreamWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), assembly(
			func(at time.Duration) string {
				if at >= time.Second {
					return completed
				}
				return executing
			},
			func(w *world, req *http.Request) (*http.Response, error) {
				return asStream(req, step{wait: time.Second, data: finished}, step{wait: 3 * time.Second, data: result2}, open)
			}))
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		o.wantRequests(t, "0s GET "+statusPath, "0s GET /ws20219", "6s GET "+statusPath)
	})
}

// The final Status is waited for, and not for ever.
func TestFollowFinalStatus(t *testing.T) {
	for _, after := range []time.Duration{5 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			o := followed(t, requestFor(t, api+statusPath), assembly(
				func(at time.Duration) string {
					if at >= after {
						return completed
					}
					return executing
				},
				func(w *world, req *http.Request) (*http.Response, error) { return asStream(req, step{data: finished}) }))
			if after < time.Minute {
				o.wantEnd(t, "ASSEMBLY_COMPLETED")
				o.wantRequests(t, "0s GET "+statusPath, "0s GET /ws20219", "350ms GET "+statusPath, "2.35s GET "+statusPath, "4.35s GET "+statusPath, "6.35s GET "+statusPath)
			} else if o.err == nil || !strings.Contains(o.err.Error(), "2m0s") || o.took > 125*time.Second {
				t.Errorf("after %v: %v", o.took, o.err)
			}
		})
	}
}

// Over the rate limit, and in the servers' bad hours: when they say, and else less and
// less often.
func TestFollowBacksOff(t *testing.T) {
	withHeader := func(code int, body, name, value string) (*http.Response, error) {
		resp, err := respond(code, "application/json", body)
		resp.Header.Set(name, value)
		return resp, err
	}
	brokenOff := func(body string) (*http.Response, error) {
		resp, err := asJSON("")
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(body), iotest.ErrReader(syscall.ECONNRESET)))
		return resp, err
	}
	tests := []struct {
		name   string
		answer func() (*http.Response, error) // of all requests but the first, for 20 s
		want   []time.Duration
	}{
		{"rate limit", func() (*http.Response, error) {
			return respond(429, "application/json", fmt.Sprintf(rateLimit, `,"info":{"retryIn":0.1}`))
		}, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"rate limit with status 200", func() (*http.Response, error) { return asJSON(fmt.Sprintf(rateLimit, "")) }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"retryIn", func() (*http.Response, error) {
			return respond(429, "application/json", fmt.Sprintf(rateLimit, `,"info":{"retryIn":9}`))
		}, []time.Duration{0, 2, 11, 20}},
		{"Retry-After", func() (*http.Response, error) { return withHeader(429, "", "Retry-After", "7") }, []time.Duration{0, 2, 9, 16, 24}},
		{"Retry-After at a date", func() (*http.Response, error) {
			return withHeader(503, "", "Retry-After", time.Now().Add(15*time.Second).UTC().Format(http.TimeFormat))
		}, []time.Duration{0, 2, 17, 32}},
		{"Retry-After and a lesser retryIn", func() (*http.Response, error) {
			return withHeader(429, fmt.Sprintf(rateLimit, `,"info":{"retryIn":1}`), "Retry-After", "9")
		}, []time.Duration{0, 2, 11, 20}},
		{"Retry-After of a month", func() (*http.Response, error) { return withHeader(503, "", "Retry-After", "2592000") }, []time.Duration{0, 2, 3602}},
		{"bad gateway", func() (*http.Response, error) { return respond(502, "text/html", "<html>") }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"no more than status 500", func() (*http.Response, error) { return respond(500, "text/html", "<html>") }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"request timeout", func() (*http.Response, error) { return respond(408, "text/html", "<html>") }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"too early", func() (*http.Response, error) { return respond(425, "text/html", "<html>") }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"unavailable, with a Status", func() (*http.Response, error) {
			return respond(503, "application/json", `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"`+assemblyID+`"}`)
		}, []time.Duration{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20}},
		{"unavailable, with a state of nothing", func() (*http.Response, error) {
			return respond(503, "application/json", `{"ok":"ASSEMBLY_COMPLETED"}`)
		}, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"too many requests, with a state of nothing", func() (*http.Response, error) {
			return withHeader(429, `{"ok":"ASSEMBLY_COMPLETED"}`, "Retry-After", "9")
		}, []time.Duration{0, 2, 11, 20}},
		{"a Status that breaks off", func() (*http.Response, error) { return brokenOff(executing[:20]) }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"a Status that breaks off at once", func() (*http.Response, error) { return brokenOff("") }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"other JSON", func() (*http.Response, error) { return asJSON(`{"a":1}`) }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"a job", func() (*http.Response, error) {
			return asJSON(`{"job":{"jobId":"` + assemblyID + `","status":"success"}}`)
		}, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"server error", func() (*http.Response, error) {
			return respond(500, "application/json", `{"error":"SERVER_500"}`)
		}, []time.Duration{0, 2, 7, 12, 20}},
		{"HTML of a proxy", func() (*http.Response, error) { return respond(200, "text/html", "<html>") }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"connection refused", func() (*http.Response, error) { return nil, syscall.ECONNREFUSED }, []time.Duration{0, 2, 4, 8, 16, 32}},
		{"another Assembly", func() (*http.Response, error) {
			return asJSON(strings.ReplaceAll(completed, assemblyID, strings.Repeat("0", 32)))
		}, []time.Duration{0, 2, 4, 8, 16, 32}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
					switch {
					case req.URL.Path != statusPath:
						return respond(204, "", "")
					case w.since() == 0:
						return asJSON(`{"ok":"ASSEMBLY_EXECUTING","assembly_id":"` + assemblyID + `"}`)
					case w.since() < 20*time.Second:
						return tt.answer()
					}
					return asJSON(completed)
				})
				o.wantEnd(t, "ASSEMBLY_COMPLETED")
				for i := range tt.want {
					tt.want[i] *= time.Second
				}
				if at := o.w.asked(statusPath); !slices.Equal(at, tt.want) {
					t.Errorf("asked at %v, want %v", at, tt.want)
				}
			})
		})
	}
}

// The first answer may be the rate limit's.
func TestFollowBeginsOverTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
			if w.since() == 0 {
				return respond(429, "application/json", fmt.Sprintf(rateLimit, `,"info":{"retryIn":3}`))
			}
			return asJSON(completed)
		})
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		o.wantRequests(t, "0s GET "+statusPath, "3s GET "+statusPath)
	})
}

// A server that accepts requests and does not answer them holds up one request, not
// the story.
func TestFollowServerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
			switch {
			case w.since() == 0 && req.URL.Path == statusPath:
				return asJSON(executing)
			case w.since() < time.Minute:
				<-req.Context().Done()
				return nil, req.Context().Err()
			}
			return asJSON(completed)
		})
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		x := o.rec.Exchanges()
		if x[2].End != replay.EndTimeout || x[2].Ended-x[2].Sent != 30*time.Second {
			t.Errorf("the second Status ended with %q after %v", x[2].End, x[2].Ended-x[2].Sent)
		}
	})
}

// What is no Assembly is an error at once, and in the middle of a story too.
func TestFollowRefused(t *testing.T) {
	tests := []struct {
		name  string
		code  int
		body  string
		tells string
		as    any
	}{
		{"not found", 404, `{"error":"ASSEMBLY_NOT_FOUND","http_code":404,"message":"gone"}`, "ASSEMBLY_NOT_FOUND: gone", nil},
		{"not found, with its id", 404, `{"error":"ASSEMBLY_NOT_FOUND","assembly_id":"` + assemblyID + `"}`, "ASSEMBLY_NOT_FOUND", nil},
		{"not found, status 200", 200, `{"error":"ASSEMBLY_NOT_FOUND"}`, "ASSEMBLY_NOT_FOUND", nil},
		{"page not found", 404, "<html>", "404", new(*ssewire.ResponseError)},
		{"unauthorized", 401, `{"error":"Unauthorized","assembly_id":"` + assemblyID + `"}`, "401", new(*ssewire.ResponseError)},
		{"forbidden", 403, `{}`, "403", new(*ssewire.ResponseError)},
		{"forbidden, with a Status", 403, completed, "403", new(*ssewire.ResponseError)},
		{"no Status, with its id", 404, `{"error":"ASSEMBLY_STATUS_NOT_FOUND","assembly_id":"` + assemblyID + `"}`, "ASSEMBLY_STATUS_NOT_FOUND", nil},
		{"an error of no Assembly", 400, `{"error":"INVALID_SIGNATURE","message":"m"}`, "400 INVALID_SIGNATURE: m", nil},
	}
	for _, tt := range tests {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprint(tt.name, ", first ", first), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
						if req.URL.Path == statusPath && (first || w.since() > 0) {
							return respond(tt.code, "application/json", tt.body)
						}
						if req.URL.Path == statusPath {
							return asJSON(executing)
						}
						return asStream(req, open)
					})
					if o.err == nil || !strings.Contains(o.err.Error(), tt.tells) || tt.as != nil && !errors.As(o.err, tt.as) {
						t.Errorf("it ended with: %v", o.err)
					}
					if (o.Document == nil) != first || o.took > 10*time.Second {
						t.Errorf("the story has %v, after %v", o.Document, o.took)
					}
				})
			})
		}
	}
}

// Errors show no credentials of URLs, whatever they are about, and say what was asked for.
func TestFollowErrorsHideCredentials(t *testing.T) {
	const query = `?signature=s3cr3t&params={"auth":{"key":"s3cr3t"}}`
	page := func(code int, contentType string) (*http.Response, error) {
		return respond(code, contentType, "<html>")
	}
	for _, tt := range []struct {
		name  string
		first func() (*http.Response, error) // the answer to the first request
		then  func() (*http.Response, error) // to what is asked for the Status
		tells string
	}{
		{"refused", func() (*http.Response, error) { return page(404, "text/html") }, nil,
			"ssewire: https://REDACTED@api2-x.transloadit.com" + statusPath + "?signature=REDACTED&params=REDACTED answered 404 Not Found, not an event stream"},
		{"not found", func() (*http.Response, error) {
			return respond(404, "application/json", `{"error":"ASSEMBLY_NOT_FOUND"}`)
		}, nil, "signature=REDACTED&params=REDACTED answered 404 ASSEMBLY_NOT_FOUND"},
		{"JSON", func() (*http.Response, error) { return asJSON(`{"a":1}`) }, nil, "answered with JSON that cannot be followed"},
		{"no answer", func() (*http.Response, error) { return nil, syscall.ECONNREFUSED }, nil, `signature=REDACTED&params=REDACTED": connection refused`},
		{"a Status that is refused", nil, func() (*http.Response, error) { return page(500, "text/html") }, "answered 500 Internal Server Error when asked for the Status"},
		{"a Status that is a page", nil, func() (*http.Response, error) { return page(200, "text/html") }, `answered with content type "text/html" when asked for the Status, not with a Status`},
		{"a Status that does not come", nil, func() (*http.Response, error) { return nil, syscall.ECONNREFUSED }, `signature=REDACTED&params=REDACTED": connection refused`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
				defer cancel()
				req := requestFor(t, api+statusPath).WithContext(ctx)
				req.URL.User = url.UserPassword("me", "s3cr3t")
				req.URL.RawQuery = query[1:]
				o := followed(t, req, func(w *world, req *http.Request) (*http.Response, error) {
					switch {
					case req.URL.Path != statusPath:
						return respond(204, "", "")
					case tt.first != nil:
						return tt.first()
					case w.since() > 0:
						return tt.then()
					}
					return asJSON(executing)
				})
				told := fmt.Sprint(o.err)
				if tt.first == nil {
					told = strings.Join(o.troubles, "\n")
				}
				if !strings.Contains(told, tt.tells) || strings.Contains(told, "s3cr3t") {
					t.Errorf("it tells %s, want %s", told, tt.tells)
				}
				if tt.name == "no answer" && !errors.Is(o.err, syscall.ECONNREFUSED) {
					t.Errorf("%v wraps nothing", o.err)
				}
			})
		})
	}
	for name, stream := range map[string]string{
		"private": "https://me:s3cr3t@10.0.0.1/ws?token=s3cr3t",
		"scheme":  "ftp://h/ws?token=s3cr3t",
		"secure":  "http://h/ws?token=s3cr3t",
		"no URL":  "https://%zz/?token=s3cr3t",
		"refused": api + "/ws?token=s3cr3t",
	} {
		t.Run("a stream, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
					if req.URL.Path != statusPath {
						return page(404, "text/html")
					}
					if w.since() > 10*time.Second {
						return asJSON(completed)
					}
					return asJSON(fmt.Sprintf(`{"ok":"ASSEMBLY_EXECUTING","assembly_id":%q,"update_stream_url":%q}`, assemblyID, stream))
				})
				if told := strings.Join(o.troubles, "\n"); !strings.Contains(told, "token=REDACTED") || strings.Contains(told, "s3cr3t") {
					t.Errorf("it tells %s", told)
				}
			})
		})
	}
}

// Answers to the first request that cannot be followed.
func TestFollowNothing(t *testing.T) {
	refused := new(*ssewire.ResponseError)
	tests := []struct {
		name        string
		code        int
		contentType string
		body        string
		as          any
		is          error
	}{
		{"HTML", 200, "text/html", "<html>", refused, nil},
		{"text", 200, "text/plain", "sorry", refused, nil},
		{"nothing", 204, "", "", refused, nil},
		{"a stream of status 404", 404, "text/event-stream", finished, refused, nil},
		{"server error", 503, "text/plain", "sorry", refused, nil},
		{"server error in JSON", 503, "application/json", `{"a":1}`, refused, nil},
		{"too many requests", 429, "application/json", `{"detail":"slow down"}`, refused, nil},
		{"JSON", 200, "application/json", `{"a":1}`, nil, status.ErrUnknownDocument},
		{"JSON that is well", 200, "application/json", `{"ok":"yes"}`, nil, status.ErrUnknownDocument},
		{"JSON that is cut off", 200, "application/json", `{"ok":"ASSEMBLY_`, new(*status.SyntaxError), nil},
		{"JSON array", 200, "application/json", `[1]`, refused, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, start: time.Now(), answer: func(*world, *http.Request) (*http.Response, error) { return respond(tt.code, tt.contentType, tt.body) }}
				called := false
				f := replay.Follower{HTTP: &http.Client{Transport: w}, OnChange: func(replay.Progress) { called = true }}
				story, err := f.Follow(requestFor(t, api+"/x"))
				if tt.as != nil && !errors.As(err, tt.as) || tt.is != nil && !errors.Is(err, tt.is) || err == nil {
					t.Errorf("it ended with: %v", err)
				}
				if story.Document != nil || called || len(w.sent) != 1 {
					t.Errorf("the story has %v; told %t; %d requests", story.Document, called, len(w.sent))
				}
			})
		})
	}
}

// A document is read up to a limit.
func TestFollowHugeStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := int64(0)
		w := &world{t: t, start: time.Now(), answer: func(*world, *http.Request) (*http.Response, error) {
			resp, err := asJSON("")
			resp.Body = io.NopCloser(&counted{io.MultiReader(strings.NewReader(`{"assembly_id":"`), zeros{}), &read})
			return resp, err
		}}
		_, err := replay.Follower{HTTP: &http.Client{Transport: w}}.Follow(requestFor(t, api+statusPath))
		if err == nil || !strings.Contains(err.Error(), "67108864") || read > 65<<20 {
			t.Errorf("after %d bytes: %v", read, err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

type counted struct {
	io.Reader
	n *int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += int64(n)
	return n, err
}

// Given the stream alone, the id that it begins with leads to the Status.
func TestFollowStreamURL(t *testing.T) {
	answer := func(statusCode int, blocks string, ends error) func(w *world, req *http.Request) (*http.Response, error) {
		return func(w *world, req *http.Request) (*http.Response, error) {
			switch {
			case req.URL.Path == statusPath && statusCode == 404:
				return respond(404, "application/json", `{"error":"ASSEMBLY_NOT_FOUND"}`)
			case req.URL.Path == statusPath && w.since() < 3*time.Second:
				return respond(statusCode, "application/json", executing)
			case req.URL.Path == statusPath:
				return respond(statusCode, "application/json", completed)
			case len(w.sent) == 1:
				return asStream(req, step{wait: time.Second, data: blocks}, step{wait: time.Second, data: result1}, step{wait: time.Second, err: ends})
			}
			return asStream(req, step{data: finished})
		}
	}
	const stream = "GET /ws20219"
	const poll = "GET " + statusPath
	tests := []struct {
		name   string
		url    string
		code   int
		blocks string
		ends   error
		want   []string
	}{
		{"by its first block", "/ws20219", 200, idBlock, io.EOF, []string{"0s " + stream, "1s " + poll, "3s " + poll}},
		{"by its URL and an event", streamPath, 200, "data: assembly_uploading_finished\n\n", io.EOF, []string{"0s " + stream, "1s " + poll, "3s " + poll}},
		{"broken", streamPath, 200, idBlock, syscall.ECONNRESET, []string{"0s " + stream, "1s " + poll, "3s " + poll}},
		{"without a Status", streamPath, 404, idBlock + finished, io.EOF, []string{"0s " + stream, "3s " + poll}},
		{"broken, without a Status", streamPath, 404, idBlock, syscall.ECONNRESET, []string{"0s " + stream, "1s " + poll, "6s " + stream}},
		{"with a page in place of a Status", streamPath, -1, idBlock + finished, io.EOF, []string{"0s " + stream, "3s " + poll}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := answer(tt.code, tt.blocks, tt.ends)
				o := followed(t, requestFor(t, api+tt.url), func(w *world, req *http.Request) (*http.Response, error) {
					if tt.code < 0 && req.URL.Path == statusPath {
						return respond(200, "text/html", "<html>")
					}
					return inner(w, req)
				})
				o.wantEnd(t, "ASSEMBLY_COMPLETED")
				o.wantRequests(t, tt.want...)
			})
		})
	}
}

// A stream without a Status, and without an end, is no whole story.
func TestFollowStreamWithoutStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+streamPath), func(w *world, req *http.Request) (*http.Response, error) {
			if len(w.sent) == 1 {
				return asStream(req, step{data: idBlock}, step{data: result1})
			}
			return respond(204, "", "")
		})
		if o.err == nil || !strings.Contains(o.err.Error(), "204") || o.Document == nil {
			t.Errorf("it ended with: %v", o.err)
		}
	})
}

// Any other stream is read over one connection, and nothing else is asked for.
func TestFollowOtherStream(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string
		events int64
		err    error
	}{
		{"nothing", []string{""}, 0, nil},
		{"tokens", []string{"data: a\n\ndata", ": b\n\n"}, 2, nil},
		{"an id", []string{"id: 1\n\n", "data: b\n\n"}, 1, nil},
		{"an id like an Assembly's, of an event", []string{"id: " + assemblyID + "\ndata: b\n\n"}, 1, nil},
		{"an id that is a path", []string{"id: ../../x\n\n", "data: b\n\n"}, 1, nil},
		{"it breaks", []string{"data: a\n\n", "data: b"}, 1, syscall.ECONNRESET},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := followed(t, requestFor(t, api+"/v1/chat"), func(w *world, req *http.Request) (*http.Response, error) {
					var steps []step
					for _, piece := range tt.pieces {
						steps = append(steps, step{wait: time.Second, data: piece})
					}
					if steps[len(steps)-1].err = tt.err; tt.pieces[0] == "" {
						steps = nil
					}
					return asStream(req, steps...)
				})
				if len(o.w.sent) != 1 || o.Events != tt.events || o.Document != nil || !errors.Is(o.err, tt.err) {
					t.Errorf("%d requests, %d events, %v, error %v", len(o.w.sent), o.Events, o.Document, o.err)
				}
				if n := int64(len(strings.Join(tt.pieces, ""))); o.Bytes != n {
					t.Errorf("%d bytes, want %d", o.Bytes, n)
				}
			})
		})
	}
}

// An event over the parser's limit is counted, and so are those behind it, with any
// line ends and cut anywhere.
func TestFollowLargeEvents(t *testing.T) {
	const limit = ssewire.DefaultMaxEventSize
	for _, eol := range []string{"\n", "\r", "\r\n"} {
		for _, cut := range []int{1 << 20, 65536, 40961} {
			lines := "data: a\n\ndata: " + strings.Repeat("x", limit) + "\ndata: y\ndata: y\ndata: y\n\ndata: b\n\n:\n\ndata: " +
				strings.Repeat("y", limit/2) + "\ndata: " + strings.Repeat("y", limit/2) + "\n\ndata: c\n\n"
			stream := strings.ReplaceAll(lines, "\n", eol)
			synctest.Test(t, func(t *testing.T) {
				o := followed(t, requestFor(t, api+"/v1/chat"), func(w *world, req *http.Request) (*http.Response, error) {
					var steps []step
					for rest := stream; rest != ""; rest = rest[min(len(rest), cut):] {
						steps = append(steps, step{data: rest[:min(len(rest), cut)]})
					}
					return asStream(req, steps...)
				})
				if o.Events != 5 || o.err != nil || o.Bytes != int64(len(stream)) {
					t.Errorf("with %q, cut at %d: %d events, error %v", eol, cut, o.Events, o.err)
				}
			})
		}
	}
}

// A job is asked for every two seconds, until it has ended.
func TestFollowJob(t *testing.T) {
	jobAt := func(state string, progress float64) string {
		return fmt.Sprintf(`{"job":{"jobId":"job_1","jobType":"detection","status":%q,"progress":%v}}`, state, progress)
	}
	for _, end := range []string{"success", "failure", "canceled"} {
		synctest.Test(t, func(t *testing.T) {
			req := requestFor(t, "https://api.cloud.scenario.com/v1/jobs/job_1")
			req.SetBasicAuth("key", "s3cr3t")
			o := followed(t, req, func(w *world, req *http.Request) (*http.Response, error) {
				if user, password, _ := req.BasicAuth(); user != "key" || password != "s3cr3t" {
					t.Errorf("%s comes with %q", req.URL, req.Header["Authorization"])
				}
				switch n := len(w.sent); n {
				case 1:
					return asJSON(jobAt("queued", 0))
				case 5:
					return asJSON(jobAt(end, 1))
				default:
					return asJSON(jobAt("in-progress", float64(n)/5))
				}
			})
			o.wantEnd(t, end)
			const poll = "GET /v1/jobs/job_1"
			o.wantRequests(t, "0s "+poll, "2s "+poll, "4s "+poll, "6s "+poll, "8s "+poll)
			if len(o.seen) != 5 || o.Statuses != 5 || o.Events != 0 {
				t.Errorf("seen: %+v", o.seen)
			}
			for _, x := range o.rec.Exchanges() {
				if x.RequestHeader.Get("Authorization") != replay.Redacted {
					t.Errorf("the reel has %q", x.RequestHeader["Authorization"])
				}
			}
		})
	}
}

// The request that creates a job is sent once; its answer names what to ask then.
func TestFollowCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", api+"/assemblies", strings.NewReader("{}"))
		o := followed(t, req, assembly(nil, nil))
		if o.err == nil {
			t.Error("the server has no such page")
		}
		req, _ = http.NewRequestWithContext(t.Context(), "POST", api+"/assemblies", strings.NewReader("{}"))
		req.Header.Set("Content-Type", "application/json")
		o = followed(t, req, func(w *world, req *http.Request) (*http.Response, error) {
			switch {
			case req.Method == "POST":
				return asJSON(uploading)
			case req.Header.Get("Content-Type") != "" || req.Body != nil:
				t.Errorf("%s comes with a body", req.URL)
			case req.URL.Path != statusPath:
				return respond(204, "", "")
			}
			return asJSON(completed)
		})
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		if len(o.w.sent) != 3 || o.w.sent[0].what != "POST /assemblies" || len(o.w.asked(statusPath)) != 1 {
			t.Errorf("requests: %v", o.w.sent)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "https://api.cloud.scenario.com/v1/generate/detect", strings.NewReader("{}"))
		o := followed(t, req, func(w *world, req *http.Request) (*http.Response, error) {
			if req.Method == "POST" {
				return asJSON(`{"job":{"jobId":"job_1","status":"queued"}}`)
			}
			return asJSON(`{"job":{"jobId":"job_1","status":"success"}}`)
		})
		o.wantEnd(t, "success")
		o.wantRequests(t, "0s POST /v1/generate/detect", "2s GET /v1/jobs/job_1")
	})
}

// A server can name any stream. What was meant for the server itself goes to no other
// origin, and some streams are not opened.
func TestFollowForeignStream(t *testing.T) {
	tests := []struct {
		name   string
		base   string
		stream string // as the Status has it
		want   string // requested, empty for none
		secret bool   // goes along
	}{
		{"same origin", api, api + streamPath, api, true},
		{"same origin, with its port", api, api + ":443" + streamPath, api + ":443", true},
		{"relative", api, streamPath, api, true},
		{"another host", api, "https://api2-y.transloadit.com" + streamPath, "https://api2-y.transloadit.com", false},
		{"another port", api, api + ":444" + streamPath, api + ":444", false},
		{"not secure", api, "http://api2-x.transloadit.com" + streamPath, "", false},
		{"secure, from one that is not", "http://api2-x.transloadit.com", api + streamPath, api, false},
		{"a file", api, "file:///etc/passwd", "", false},
		{"no host", api, "https:///ws20219", "", false},
		{"another scheme", api, "ftp://api2-x.transloadit.com/ws20219", "", false},
		{"no URL", api, "https://%zz/", "", false},
		{"this machine", api, "https://127.0.0.1" + streamPath, "", false},
		{"this machine, in IPv6", api, "https://[::1]" + streamPath, "", false},
		{"this machine, in disguise", api, "https://[::ffff:127.0.0.1]" + streamPath, "", false},
		{"this machine, in another disguise", api, "https://[::ffff:0.0.0.0]" + streamPath, "", false},
		{"this machine, by name", api, "https://LOCALHOST." + streamPath, "", false},
		{"this machine, shortened", api, "https://127.1" + streamPath, "", false},
		{"this machine, in hexadecimal", api, "https://0x7f.1" + streamPath, "", false},
		{"this machine, ending in hexadecimal", api, "https://127.0.0.0X1." + streamPath, "", false},
		{"this machine, in octal", api, "https://0177.0.0.1" + streamPath, "", false},
		{"this machine, in digits that are not ASCII", api, "https://１２７.0.0.1" + streamPath, "", false},
		{"a host whose name has digits", api, "https://127.1x" + streamPath, "https://127.1x", false},
		{"a public address", api, "https://192.0.2.1" + streamPath, "https://192.0.2.1", false},
		{"from a disguise to itself", "http://127.1:8080", "http://127.1:8081/ws20219", "http://127.1:8081", false},
		{"a private network", api, "https://192.168.1.1" + streamPath, "", false},
		{"a cloud's metadata", api, "https://169.254.169.254/latest", "", false},
		{"from this machine to itself", "http://127.0.0.1:8080", "http://127.0.0.1:8081/ws20219", "http://127.0.0.1:8081", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := requestFor(t, tt.base+statusPath)
				req.URL.User = nil
				req.Header.Set("X-Mine", "s3cr3t")
				req.Header.Set("Authorization", "Bearer s3cr3t")
				req.Header.Set("User-Agent", "me")
				o := followed(t, req, func(w *world, req *http.Request) (*http.Response, error) {
					if req.URL.Path != statusPath {
						return asStream(req, step{data: finished})
					}
					if len(w.sent) > 1 {
						return asJSON(completed)
					}
					return asJSON(fmt.Sprintf(`{"ok":"ASSEMBLY_EXECUTING","assembly_id":%q,"update_stream_url":%q}`, assemblyID, tt.stream))
				})
				o.wantEnd(t, "ASSEMBLY_COMPLETED")
				got := ""
				for _, s := range o.w.sent {
					if s.what == "GET "+statusPath {
						if s.header.Get("X-Mine") == "" || s.host != tt.base {
							t.Errorf("the Status was asked of %s with %v", s.host, s.header)
						}
						continue
					}
					got = s.host
					if (s.header.Get("X-Mine") != "") != tt.secret || (s.header.Get("Authorization") != "") != tt.secret || s.header.Get("User-Agent") != "me" {
						t.Errorf("%s got %v", s.host, s.header)
					}
				}
				if got != tt.want {
					t.Errorf("the stream was opened at %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// Redirects take the caller's header nowhere else, and are no way around the rate
// limit.
func TestFollowRedirects(t *testing.T) {
	to := func(url string) (*http.Response, error) {
		resp, err := respond(302, "text/html", "")
		resp.Header.Set("Location", url)
		return resp, err
	}
	synctest.Test(t, func(t *testing.T) {
		req := requestFor(t, api+"/old"+statusPath)
		req.Header.Set("X-Mine", "s3cr3t")
		req.Header.Set("User-Agent", "me")
		o := followed(t, req, func(w *world, req *http.Request) (*http.Response, error) {
			switch {
			case strings.HasPrefix(req.URL.Path, "/old"):
				return to("https://y.example" + statusPath)
			case req.URL.Host == "y.example" && req.URL.Path == statusPath:
				return to("https://y.example:444" + statusPath)
			case req.URL.Path != statusPath:
				return respond(204, "", "")
			case w.since() < 10*time.Second:
				return asJSON(executing)
			}
			return asJSON(completed)
		})
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		var at []time.Duration
		for _, s := range o.w.sent {
			if strings.HasSuffix(s.what, statusPath) {
				at = append(at, s.at)
			}
			if n := len(at); n >= 4 && at[n-1]-at[n-4] < time.Second {
				t.Errorf("four requests in a second: %v", at)
			}
			if mine := s.header.Get("X-Mine") != ""; mine != (s.host == api) || s.header.Get("User-Agent") != "me" || s.header.Get("Referer") != "" && !mine {
				t.Errorf("%s got %v", s.host, s.header)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
			switch {
			case req.URL.Path == statusPath:
				return to("/a")
			case req.URL.Path == "/a":
				return to("/b")
			case req.URL.Path != "/b":
				return respond(204, "", "")
			case w.since() < 10*time.Second:
				return asJSON(executing)
			}
			return asJSON(completed)
		})
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		var at []time.Duration
		for _, s := range o.w.sent {
			if s.what != "GET /ws20219" {
				at = append(at, s.at)
			}
		}
		for i := range at[3:] {
			if at[i+3]-at[i] < time.Second {
				t.Errorf("four requests in a second: %v", at[i:i+4])
			}
		}
	})
	for name, url := range map[string]string{
		"leads back":      api + statusPath,
		"private network": "https://10.0.0.1" + statusPath,
		"may disguise":    "https://127.1" + statusPath,
		"10 redirects":    "",
		"scheme":          "file:///etc/passwd",
	} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			w := &world{t: t, start: time.Now(), answer: func(w *world, req *http.Request) (*http.Response, error) {
				if n++; req.URL.Scheme != "https" {
					return nil, fmt.Errorf("unsupported protocol scheme %q", req.URL.Scheme)
				}
				return to(cmp.Or(url, fmt.Sprintf("/%d", n)))
			}}
			_, err := replay.Follower{HTTP: &http.Client{Transport: w}}.Follow(requestFor(t, api+statusPath))
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// The context ends the story, wherever it is, and what came is kept.
func TestFollowCanceled(t *testing.T) {
	for _, after := range []time.Duration{0, 500 * time.Millisecond, 3 * time.Second, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			o := followed(t, requestFor(t, api+statusPath).WithContext(ctx), func(w *world, req *http.Request) (*http.Response, error) {
				if req.URL.Path == statusPath && w.since() == 0 {
					time.Sleep(time.Second)
					return asJSON(executing)
				}
				if req.URL.Path == statusPath {
					return nil, syscall.ECONNREFUSED
				}
				return asStream(req, step{wait: time.Second, data: idBlock}, open)
			})
			if !errors.Is(o.err, context.DeadlineExceeded) {
				t.Errorf("it ended with: %v", o.err)
			}
			x := o.rec.Exchanges()
			if after >= 3*time.Second {
				if o.took != after || x[1].End != replay.EndTimeout || x[1].NumReads() != 1 || o.Document == nil {
					t.Errorf("after %v: the stream ended with %q", o.took, x[1].End)
				}
			}
		})
	}
	cause := errors.New("enough")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		o := followed(t, requestFor(t, api+"/v1/chat").WithContext(ctx), func(w *world, req *http.Request) (*http.Response, error) {
			return asStream(req, step{data: "data: a\n\n"}, open)
		})
		if !errors.Is(o.err, cause) || o.Events != 1 || o.rec.Exchanges()[0].End != replay.EndCanceled {
			t.Errorf("%v, %d events, %q", o.err, o.Events, o.rec.Exchanges()[0].End)
		}
	})
}

// While all is not well, the story says why. It is not told that the caller ended it.
func TestFollowTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var troubles []string
		w := &world{t: t, start: time.Now(), answer: assembly(
			func(time.Duration) string { return executing },
			func(w *world, req *http.Request) (*http.Response, error) {
				if len(w.asked("/ws20219")) == 1 {
					return nil, syscall.ECONNREFUSED
				}
				return asStream(req, step{wait: time.Second, data: result1}, open)
			})}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		f := replay.Follower{HTTP: &http.Client{Transport: w}, OnChange: func(s replay.Progress) {
			troubles = append(troubles, fmt.Sprint(s.Trouble))
		}}
		story, _ := f.Follow(requestFor(t, api+statusPath).WithContext(ctx))
		if story.Trouble != nil {
			t.Errorf("at the end: %v", story.Trouble)
		}
		if got := slices.Compact(troubles); len(got) != 3 || got[0] != "<nil>" || !strings.Contains(got[1], "refused") || got[2] != "<nil>" {
			t.Errorf("troubles: %q", got)
		}
	})
}

// How soon a stream is connected to again: after the reconnection time where it has
// told something, twice as late each time where it has not, up to a minute, and later
// only where the server says so, up to an hour.
func TestFollowReconnectionTimes(t *testing.T) {
	refusal := func(value string) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) {
			resp, err := respond(503, "text/html", "")
			resp.Header.Set("Retry-After", value)
			return resp, err
		}
	}
	stream := func(steps ...step) func(*http.Request) (*http.Response, error) {
		return func(req *http.Request) (*http.Response, error) { return asStream(req, slices.Clone(steps)...) }
	}
	const other = "event: of something else\ndata: x\n\n"
	moved := fmt.Sprintf(progress, 10)
	regular := []float64{0, 3, 6, 9, 12, 15, 18, 21}
	doubled := []float64{0, 3, 9, 21, 45, 93, 153, 213}
	tests := []struct {
		name   string
		stream func(*http.Request) (*http.Response, error)
		want   []float64 // seconds
	}{
		{"it tells something and ends", stream(step{data: moved}), regular},
		{"it tells something and breaks", stream(step{data: moved}, step{err: syscall.ECONNRESET}), regular},
		{"it tells something, something else, and ends", stream(step{data: moved + other}), regular},
		{"it tells something, then something else, and ends", stream(step{data: moved}, step{data: other}), regular},
		{"it ends", stream(), doubled},
		{"it breaks", stream(step{err: syscall.ECONNRESET}), doubled},
		{"it tells something else and ends", stream(step{data: other}), doubled},
		{"there is none", func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED }, doubled},
		{"no time at all", stream(step{data: "retry: 0\n\n"}), []float64{0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 123.5, 183.5}},
		{"a time of two minutes", stream(step{data: "retry: 120000\n\n"}), []float64{0, 120, 240, 360}},
		{"refused for 20 s", refusal("20"), []float64{0, 20, 40, 60, 84, 132, 192}},
		{"refused for a month", refusal("2592000"), []float64{0, 3600, 7200}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				last := time.Duration(tt.want[len(tt.want)-1] * float64(time.Second))
				o := followed(t, requestFor(t, api+statusPath), assembly(
					func(at time.Duration) string {
						if at > last {
							return completed
						}
						return executing
					},
					func(_ *world, req *http.Request) (*http.Response, error) { return tt.stream(req) }))
				o.wantEnd(t, "ASSEMBLY_COMPLETED")
				var got []float64
				for _, at := range o.w.asked("/ws20219") {
					got = append(got, at.Seconds())
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("connected at %v, want %v", got, tt.want)
				}
				if len(o.troubles) < 2 {
					t.Errorf("troubles: %q", o.troubles)
				}
			})
		})
	}
}

// The next connection goes on where the caller, or the stream, has come to; an id that
// no header can have is kept back.
func TestFollowLastEventID(t *testing.T) {
	tests := []struct {
		name   string
		url    string
		caller string // the first request's
		blocks string // of the first connection
		want   []string
	}{
		{"the caller's", streamPath, assemblyID, result1, []string{assemblyID}},
		{"the caller's, and then the stream's", streamPath, "of the caller", idBlock + result1, []string{assemblyID}},
		{"the caller's, for the Status", statusPath, assemblyID, result1, nil},
		{"none", streamPath, "", result1, nil},
		{"the stream's", statusPath, "", "id: 7\n\n" + result1, []string{"7"}},
		{"one with a control character", statusPath, "", "id: a\x01b\n\n" + result1, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := requestFor(t, api+tt.url)
				if tt.caller != "" {
					req.Header.Set("Last-Event-ID", tt.caller)
				}
				var streams []http.Header
				o := followed(t, req, assembly(
					func(at time.Duration) string {
						if len(streams) > 1 {
							return completed
						}
						return executing
					},
					func(_ *world, req *http.Request) (*http.Response, error) {
						if streams = append(streams, req.Header.Clone()); len(streams) == 1 {
							return asStream(req, step{data: tt.blocks})
						}
						return asStream(req, step{data: finished})
					}))
				o.wantEnd(t, "ASSEMBLY_COMPLETED")
				if len(streams) != 2 || !slices.Equal(streams[1]["Last-Event-Id"], tt.want) {
					t.Errorf("the connections begin with %q", streams)
				}
			})
		})
	}
}

// Behind an event that is too large its lines are over at the first blank one, wherever
// the reads are cut and whatever the event before it was.
func TestFollowBehindLargeEvents(t *testing.T) {
	const limit = ssewire.DefaultMaxEventSize
	large := "data: " + strings.Repeat("x", limit-10)
	tests := []struct {
		name   string
		pieces []string
		events int64
	}{
		{"the blank line ends it", []string{large, "\ndata: too much\n\ndata: a\n\n"}, 2},
		{"lines of its own", []string{large, "\ndata: too much\ndata: y\ndata: z\n\ndata: a\n\n"}, 2},
		{"mixed line ends", []string{large, "\ndata: too much\r\n\ndata: a\n\n"}, 2},
		{"a blank line in two reads", []string{large, "\ndata: too much\n", "\ndata: a\n\n"}, 2},
		{"a CRLF in two reads", []string{large, "\ndata: too much\r", "\ndata: y\r\n\r\ndata: a\n\n"}, 2},
		{"a read ends with it", []string{large, "\ndata: too much\n\n", "data: a\n\n", "data: b\n\n"}, 3},
		{"a read ends in its last CRLF", []string{large, "\ndata: too much\r\n\r", "\ndata: a\r\n\r\n"}, 2},
		{"two of them", []string{large, "\ndata: too much\n\n", large, "\ndata: too much\ndata: z\n\ndata: a\n\n"}, 3},
		{"it does not end", []string{large, "\ndata: too much\n", "data: y\n", "data: z\n"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := followed(t, requestFor(t, api+"/v1/chat"), func(_ *world, req *http.Request) (*http.Response, error) {
					var steps []step
					for _, piece := range tt.pieces {
						steps = append(steps, step{data: piece})
					}
					return asStream(req, steps...)
				})
				if o.Events != tt.events || o.err != nil || o.Bytes != int64(len(strings.Join(tt.pieces, ""))) {
					t.Errorf("%d events, want %d; %d bytes, error %v", o.Events, tt.events, o.Bytes, o.err)
				}
			})
		})
	}
}

// An id that is a path does not become one of a request, though the stream is an
// Assembly's.
func TestFollowStreamWithPathAsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+"/ws20219"), func(_ *world, req *http.Request) (*http.Response, error) {
			return asStream(req, step{data: "id: ../../x\n\n" + result1 + finished})
		})
		if o.wantRequests(t, "0s GET /ws20219"); o.err != nil {
			t.Errorf("it ended with: %v", o.err)
		}
	})
}

// The first of the final Statuses fails, or is from before the end: there is another.
func TestFollowFinalStatusFails(t *testing.T) {
	for _, first := range []struct {
		code            int
		mediaType, body string
	}{
		{502, "text/html", "<html>"}, {200, "text/html", "<html>"}, {204, "", ""}, {202, "text/plain", "later"}, {202, "application/json", `{"a":1}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
				switch {
				case req.URL.Path != statusPath:
					return asStream(req, step{wait: time.Second, data: finished})
				case w.since() == 0:
					return asJSON(executing)
				case w.since() < 2*time.Second:
					return respond(first.code, first.mediaType, first.body)
				}
				return asJSON(completed)
			})
			o.wantEnd(t, "ASSEMBLY_COMPLETED")
			o.wantRequests(t, "0s GET "+statusPath, "0s GET /ws20219", "1s GET "+statusPath, "3s GET "+statusPath)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
			switch {
			case req.URL.Path != statusPath:
				return asStream(req, step{wait: 11 * time.Second, data: result1 + finished})
			case w.since() == 0:
				return asJSON(executing)
			case w.since() == 10*time.Second:
				time.Sleep(2 * time.Second) // in which the stream ends
				return asJSON(statusOf(status.AssemblyCompleted, ""))
			}
			return asJSON(completed)
		})
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		o.wantRequests(t, "0s GET "+statusPath, "0s GET /ws20219", "10s GET "+statusPath, "12s GET "+statusPath)
	})
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
			switch {
			case req.URL.Path != statusPath:
				return asStream(req, step{wait: time.Second, data: finished})
			case w.since() == 0:
				return asJSON(executing)
			}
			return nil, syscall.ECONNREFUSED
		})
		if !errors.Is(o.err, syscall.ECONNREFUSED) || !strings.Contains(o.err.Error(), "2m0s") {
			t.Errorf("after %v: %v", o.took, o.err)
		}
	})
}

// A server that is down for long is asked once a minute at the end, and from the
// beginning again once it has answered.
func TestFollowServerThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const long = 2 * time.Hour
		fails := true
		o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
			at := w.since()
			if at >= long {
				fails = !fails // every other time
			}
			switch {
			case fails && at > 0:
				return nil, syscall.ECONNREFUSED
			case at < long+2*time.Minute:
				return asJSON(`{"ok":"ASSEMBLY_EXECUTING"}`)
			}
			return asJSON(completed)
		})
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		at := o.w.asked(statusPath)
		if n := len(at); n == 0 || at[n-1] < long+2*time.Minute {
			t.Fatalf("asked at %v", at)
		}
		for i := range at[1:] {
			gap := 2 * time.Second
			if at[i] < long {
				gap = min(gap<<max(0, min(i-1, 5)), time.Minute)
			}
			if got := at[i+1] - at[i]; got != gap {
				t.Errorf("asked at %v, and again after %v, want %v", at[i], got, gap)
			}
		}
		if o.Trouble != nil || !strings.Contains(strings.Join(o.troubles, ""), "refused") {
			t.Errorf("troubles: %q", o.troubles)
		}
	})
}

// A Status need not name a stream yet, and one that names none that can be opened is
// trouble.
func TestFollowLateStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), assembly(
			func(at time.Duration) string {
				switch {
				case at < time.Second:
					return `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"` + assemblyID + `"}`
				case at < 3*time.Second:
					return `{"ok":"ASSEMBLY_EXECUTING"}` // nor its id
				case at < 5*time.Second:
					return executing
				}
				return completed
			},
			func(_ *world, req *http.Request) (*http.Response, error) {
				return asStream(req, step{wait: time.Second, data: finished})
			}))
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		o.wantRequests(t, "0s GET "+statusPath, "2s GET "+statusPath, "4s GET "+statusPath, "4s GET /ws20219", "5s GET "+statusPath)
		if !slices.Equal(o.troubles, []string{"<nil>"}) {
			t.Errorf("troubles: %q", o.troubles)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		o := followed(t, requestFor(t, api+statusPath), func(w *world, req *http.Request) (*http.Response, error) {
			if w.since() > time.Second {
				return asJSON(completed)
			}
			return asJSON(`{"ok":"ASSEMBLY_EXECUTING","update_stream_url":"https://127.0.0.1/ws"}`)
		})
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		if len(o.troubles) == 0 || !strings.Contains(o.troubles[0], "127.0.0.1") {
			t.Errorf("troubles: %q", o.troubles)
		}
	})
}

// The time that the caller's client gives to a request does not end a stream.
func TestFollowWithTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, start: time.Now(), answer: func(_ *world, req *http.Request) (*http.Response, error) {
			return asStream(req, step{wait: time.Minute, data: "data: a\n\n"})
		}}
		client := &http.Client{Transport: w, Timeout: time.Second}
		story, err := replay.Follower{HTTP: client}.Follow(requestFor(t, api+"/v1/chat"))
		if err != nil || story.Events != 1 || client.Timeout != time.Second {
			t.Errorf("%d events, error %v; the client's timeout is %v now", story.Events, err, client.Timeout)
		}
	})
}

// A request of nothing but a URL is a GET, and need not have a header.
func TestFollowBareRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := &http.Request{URL: requestFor(t, api+statusPath).URL}
		w := &world{t: t, start: time.Now(), answer: assembly(
			func(at time.Duration) string {
				if at > 0 {
					return completed
				}
				return `{"ok":"ASSEMBLY_EXECUTING","update_stream_url":"` + streamPath + `"}` // but no URL of the Status
			},
			func(_ *world, req *http.Request) (*http.Response, error) {
				return asStream(req, step{wait: time.Second, data: finished})
			})}
		story, err := replay.Follower{HTTP: &http.Client{Transport: w}}.Follow(req)
		if err != nil || !story.Document.Summary().Terminal() || req.Header != nil {
			t.Errorf("%v; error %v; the request's header is %v now", story.Document, err, req.Header)
		}
		for i, accept := range []string{"text/event-stream, application/json;q=0.9", "text/event-stream", "application/json"} {
			if h := w.sent[i].header; h.Get("Accept") != accept || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s has the header %v", w.sent[i].what, h)
			}
		}
	})
}

// The stream of what a request has created is connected to again like any other.
func TestFollowCreationReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req, err := http.NewRequestWithContext(t.Context(), "POST", api+"/assemblies", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		o := followed(t, req, func(w *world, req *http.Request) (*http.Response, error) {
			switch {
			case req.URL.Path == "/ws20219" && w.since() == 0:
				return asStream(req, step{wait: time.Second, data: result1})
			case req.URL.Path == "/ws20219":
				return asStream(req, step{data: finished})
			case w.since() < 4*time.Second:
				return asJSON(executing)
			}
			return asJSON(completed)
		})
		o.wantEnd(t, "ASSEMBLY_COMPLETED")
		o.wantRequests(t, "0s POST /assemblies", "0s GET /ws20219", "1s GET "+statusPath, "3s GET "+statusPath, "4s GET /ws20219", "4s GET "+statusPath)
	})
}

// A request that creates something is not sent again, whatever it is answered with.
func TestFollowCreationOnce(t *testing.T) {
	tests := []struct {
		name   string
		answer func(req *http.Request) (*http.Response, error)
		tells  string // the error
	}{
		{"rate limit", func(*http.Request) (*http.Response, error) {
			return respond(429, "application/json", `{"error":"RATE_LIMIT_REACHED"}`)
		}, "not sent again"},
		{"a job that is a path", func(*http.Request) (*http.Response, error) {
			return asJSON(`{"job":{"jobId":"../x","status":"queued"}}`)
		}, `"../x"`},
		{"an Assembly's stream that breaks", func(req *http.Request) (*http.Response, error) {
			return asStream(req, step{data: result1})
		}, "without its end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, "POST", api+"/create", strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				o := followed(t, req, func(_ *world, req *http.Request) (*http.Response, error) { return tt.answer(req) })
				if o.wantRequests(t, "0s POST /create"); o.err == nil || !strings.Contains(o.err.Error(), tt.tells) {
					t.Errorf("it ended with: %v", o.err)
				}
			})
		})
	}
}

// playedAssembly returns a server that plays an Assembly as fast as it is asked.
func playedAssembly() *httptest.Server {
	document, err := os.ReadFile("../testdata/assembly-completed.json")
	if err != nil {
		log.Fatal(err)
	}
	var reel bytes.Buffer
	if err := replay.Compose(&reel, document); err != nil {
		log.Fatal(err)
	}
	recording, err := replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
	if err != nil {
		log.Fatal(err)
	}
	return httptest.NewServer(recording.Handler(replay.Playback{Speed: replay.MaxSpeed}))
}

// Record an Assembly from its first Status to its last.
func ExampleFollower_Follow() {
	service := playedAssembly()
	defer service.Close()

	var reel bytes.Buffer // or a file, created with os.O_EXCL and 0o600
	recorder, err := replay.NewRecorder(&reel, nil)
	if err != nil {
		log.Fatal(err)
	}
	follower := replay.Follower{
		HTTP: &http.Client{Transport: recorder},
		OnChange: func(p replay.Progress) {
			if p.Trouble != nil {
				log.Print(p.Trouble) // such as a stream that broke; it goes on
			}
		},
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", service.URL+"/assemblies/7f40274dfed01705d5f649ed0b9d9fce", nil)
	if err != nil {
		log.Fatal(err)
	}
	p, err := follower.Follow(req)
	if err != nil {
		log.Fatal(err) // the recording holds what came
	}
	if err := recorder.Close(); err != nil {
		log.Fatal(err)
	}
	end := p.Document.Summary()
	fmt.Println(end.State, end.Results, "after", p.Events, "events")
	// Output:
	// ASSEMBLY_COMPLETED [{painted 3}] after 13 events
}
