package ssewire_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/ssewire"
)

// An answer is what the other side makes of one request.
type answer func(h *host, req *http.Request) (*http.Response, error)

// host is the other side of a Client, in memory, in a synctest bubble: it gives its
// answers one a request and says 204 after the last of them.
type host struct {
	answers []answer
	start   time.Time
	seen    []request
	open    int // bodies that have not been closed
}

// request is one that the host has seen.
type request struct {
	at     time.Duration // since the first request could be made
	header http.Header
	method string
	body   string
}

func newHost(answers ...answer) *host {
	return &host{answers: answers, start: time.Now()}
}

func (h *host) RoundTrip(req *http.Request) (*http.Response, error) {
	r := request{at: time.Since(h.start), header: req.Header.Clone(), method: req.Method}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body.Close()
		r.body = string(body)
	}
	h.seen = append(h.seen, r)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if len(h.answers) == 0 {
		return status(http.StatusNoContent, "")(h, req)
	}
	next := h.answers[0]
	h.answers = h.answers[1:]
	return next(h, req)
}

// at returns the moments of the requests.
func (h *host) at() []time.Duration {
	var at []time.Duration
	for _, r := range h.seen {
		at = append(at, r.at)
	}
	return at
}

// ids returns the Last-Event-ID of each request, "none" where there is none.
func (h *host) ids() []string {
	var ids []string
	for _, r := range h.seen {
		ids = append(ids, cmp.Or(strings.Join(r.header.Values("Last-Event-ID"), "|"), "none"))
	}
	return ids
}

// body is the body of an answer.
type body struct {
	io.Reader
	host   *host
	closed bool
}

func (b *body) Close() error {
	if !b.closed {
		b.closed = true
		b.host.open--
	}
	return nil
}

func respond(h *host, req *http.Request, code int, contentType string, src io.Reader) *http.Response {
	h.open++
	header := make(http.Header)
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return &http.Response{
		StatusCode: code, Status: fmt.Sprintf("%d %s", code, http.StatusText(code)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: header, Body: &body{Reader: src, host: h}, Request: req,
	}
}

// ends is a stream that ends cleanly.
func ends(stream string) answer {
	return func(h *host, req *http.Request) (*http.Response, error) {
		return respond(h, req, 200, "text/event-stream", strings.NewReader(stream)), nil
	}
}

// breaks is a stream that ends with err.
func breaks(stream string, err error) answer {
	return func(h *host, req *http.Request) (*http.Response, error) {
		return respond(h, req, 200, "text/event-stream", &pieces{chunks: [][]byte{[]byte(stream)}, end: err}), nil
	}
}

// stays is a stream that is silent after it has said what it has to say.
func stays(stream string) answer {
	return func(h *host, req *http.Request) (*http.Response, error) {
		silence := readFunc(func([]byte) (int, error) {
			<-req.Context().Done()
			return 0, req.Context().Err()
		})
		return respond(h, req, 200, "text/event-stream", io.MultiReader(strings.NewReader(stream), silence)), nil
	}
}

// status is a response of no stream.
func status(code int, contentType string) answer {
	return func(h *host, req *http.Request) (*http.Response, error) {
		return respond(h, req, code, contentType, strings.NewReader("data: not for you\n\n")), nil
	}
}

// refuses is a connection that cannot be made.
func refuses(h *host, req *http.Request) (*http.Response, error) { return nil, errLost }

func newRequest(t *testing.T, ctx context.Context) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://stream.example/updates", nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// bubble runs f in a synctest bubble, with a Stream to the host of answers. It
// checks that no body is left open and, with the bubble, that no goroutine is.
func bubble(t *testing.T, c ssewire.Client, answers []answer, f func(t *testing.T, h *host, s *ssewire.Stream), opts ...ssewire.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(answers...)
		c.HTTP = &http.Client{Transport: h}
		s := c.Connect(newRequest(t, t.Context()), opts...)
		f(t, h, s)
		if err := s.Close(); err != nil {
			t.Error("Close:", err)
		}
		if h.open != 0 {
			t.Errorf("%d bodies were left open", h.open)
		}
	})
}

// follow reads s to its end.
func follow(s *ssewire.Stream) []event {
	var evs []event
	for s.Next() {
		evs = append(evs, seen(s.Event()))
	}
	return evs
}

func wantEvents(t *testing.T, got []event, want ...event) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestClientReconnects(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name    string
		client  ssewire.Client
		answers []answer
		want    []event
		ids     []string        // Last-Event-ID of each request
		at      []time.Duration // the moment of each
	}{
		{
			"204 at once", ssewire.Client{}, nil,
			nil, []string{"none"}, []time.Duration{0},
		},
		{
			"after a clean end", ssewire.Client{},
			[]answer{ends("data: a\n\n"), ends("data: b\n\n")},
			msgs("a", "b"), []string{"none", "none", "none"}, []time.Duration{0, 3 * s, 6 * s},
		},
		{
			"after a lost connection", ssewire.Client{},
			[]answer{breaks("data: a\n\n", errLost), breaks("data: b\n\n", io.ErrUnexpectedEOF)},
			msgs("a", "b"), []string{"none", "none", "none"}, []time.Duration{0, 3 * s, 6 * s},
		},
		{
			"after an empty stream", ssewire.Client{},
			[]answer{ends(""), ends("data: a\n\n")},
			msgs("a"), []string{"none", "none", "none"}, []time.Duration{0, 3 * s, 6 * s},
		},
		{
			"after the Client's own time", ssewire.Client{ReconnectionTime: 250 * time.Millisecond},
			[]answer{ends("data: a\n\n"), ends("data: b\n\n")},
			msgs("a", "b"), []string{"none", "none", "none"}, []time.Duration{0, s / 4, s / 2},
		},
		{
			"after the stream's time rather than the Client's", ssewire.Client{ReconnectionTime: time.Hour},
			[]answer{ends("retry: 1234\ndata: a\n\n")},
			msgs("a"), []string{"none", "none"}, []time.Duration{0, 1234 * time.Millisecond},
		},
		{
			"after the time that an earlier connection has set", ssewire.Client{},
			[]answer{ends("retry: 1000\n\n"), ends("data: a\n\n"), breaks("data: b\n\n", errLost), ends("retry: 5000\n\n")},
			msgs("a", "b"), []string{"none", "none", "none", "none", "none"}, []time.Duration{0, 1 * s, 2 * s, 3 * s, 8 * s},
		},
		{
			"after a time of a block that was cut off", ssewire.Client{},
			[]answer{breaks("data: a\nretry: 1000\n", errLost)},
			nil, []string{"none", "none"}, []time.Duration{0, 1 * s},
		},
		{
			"after the default where retry is no number", ssewire.Client{},
			[]answer{ends("retry: soon\nretry: -1\n\n")},
			nil, []string{"none", "none"}, []time.Duration{0, 3 * s},
		},
		{
			"at once where retry says so", ssewire.Client{},
			[]answer{ends("retry: 0\ndata: a\n\n"), ends("data: b\n\n")},
			msgs("a", "b"), []string{"none", "none", "none"}, []time.Duration{0, 0, 0},
		},
		{
			"with the last event ID", ssewire.Client{},
			[]answer{ends("id: 1\ndata: a\n\nid: 2\ndata: b\n\n"), ends("data: c\n\n"), ends("id: 3\ndata: d\n\n")},
			[]event{{"message", "a", "1"}, {"message", "b", "2"}, {"message", "c", "2"}, {"message", "d", "3"}},
			[]string{"none", "2", "2", "3"}, []time.Duration{0, 3 * s, 6 * s, 9 * s},
		},
		{
			"with the last event ID of a block without data", ssewire.Client{},
			[]answer{breaks("id: "+assemblyID+"\n\n", errLost), ends("data: assembly_finished\n\n")},
			[]event{{"message", "assembly_finished", assemblyID}},
			[]string{"none", assemblyID, assemblyID}, []time.Duration{0, 3 * s, 6 * s},
		},
		{
			"without the id of a block that was cut off", ssewire.Client{},
			[]answer{breaks("id: 1\ndata: a\n\nid: 2\ndata: b\n", errLost), ends("data: c\n\n")},
			[]event{{"message", "a", "1"}, {"message", "c", "1"}},
			[]string{"none", "1", "1"}, []time.Duration{0, 3 * s, 6 * s},
		},
		{
			"without the id of a first block that was cut off", ssewire.Client{},
			[]answer{ends("id: 2\ndata: b\n"), ends("data: c\n\n")},
			[]event{{"message", "c", ""}},
			[]string{"none", "none", "none"}, []time.Duration{0, 3 * s, 6 * s},
		},
		{
			"without a last event ID that was reset", ssewire.Client{},
			[]answer{ends("id: 1\ndata: a\n\n"), ends("id\n\n"), ends("data: b\n\n")},
			[]event{{"message", "a", "1"}, {"message", "b", ""}},
			[]string{"none", "1", "none", "none"}, []time.Duration{0, 3 * s, 6 * s, 9 * s},
		},
		{
			"without an id with a nul", ssewire.Client{},
			[]answer{ends("id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n")},
			[]event{{"message", "a", "1"}, {"message", "b", "1"}},
			[]string{"none", "1"}, []time.Duration{0, 3 * s},
		},
		{
			"with an id in UTF-8", ssewire.Client{},
			[]answer{ends("id: Straße ☃\n\n")},
			nil, []string{"none", "Straße ☃"}, []time.Duration{0, 3 * s},
		},
		{
			"without what the connection before it left unfinished", ssewire.Client{},
			[]answer{breaks("event: tick\ndata: lost\n", errLost), breaks("data: lost", errLost), ends("\xef\xbb"), breaks(": comment", errLost), ends("data: a\n\n")},
			msgs("a"), []string{"none", "none", "none", "none", "none", "none"}, []time.Duration{0, 3 * s, 6 * s, 9 * s, 12 * s, 15 * s},
		},
		{
			"and strips a byte order mark each time", ssewire.Client{},
			[]answer{ends(bom + "data: a\n\n"), ends(bom + "data: b\n\n")},
			msgs("a", "b"), []string{"none", "none", "none"}, []time.Duration{0, 3 * s, 6 * s},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.client, c.answers, func(t *testing.T, h *host, s *ssewire.Stream) {
				wantEvents(t, follow(s), c.want...)
				if err := s.Err(); err != nil {
					t.Error("204 is a clean end, not", err)
				}
				if got := h.ids(); !slices.Equal(got, c.ids) {
					t.Errorf("Last-Event-ID %q, want %q", got, c.ids)
				}
				if got := h.at(); !slices.Equal(got, c.at) {
					t.Errorf("requests at %v, want %v", got, c.at)
				}
				for range 2 {
					if s.Next() || len(h.seen) != len(c.ids) {
						t.Error("the stream goes on after its end")
					}
				}
			})
		})
	}
}

// Waits double with each attempt that fails in a row, and a connection makes them short
// again. The Client waits as long as it tells OnDisconnect.
func TestClientBacksOff(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	for _, c := range []struct {
		name    string
		time    time.Duration // the Client's own
		answers []answer
		want    []time.Duration // after each of them
	}{
		{
			"up to a minute", 0, slices.Repeat([]answer{refuses}, 80),
			slices.Concat([]time.Duration{3 * s, 6 * s, 12 * s, 24 * s, 48 * s}, slices.Repeat([]time.Duration{60 * s}, 75)),
		},
		{
			"from a time that a minute is no multiple of", 45 * s, slices.Repeat([]answer{refuses}, 3),
			[]time.Duration{45 * s, 60 * s, 60 * s},
		},
		{
			"not where the time is longer than a minute", 0,
			[]answer{ends("retry: 90000\n\n"), refuses, refuses, refuses},
			[]time.Duration{90 * s, 90 * s, 90 * s, 90 * s},
		},
		{
			"anew after a connection", 0,
			[]answer{refuses, refuses, refuses, ends("retry: 2000\ndata: a\n\n"), refuses, refuses, ends("data: b\n\n"), ends("data: c\n\n")},
			[]time.Duration{3 * s, 6 * s, 12 * s, 2 * s, 2 * s, 4 * s, 2 * s, 2 * s},
		},
		{
			"anew after a connection without an event", 0,
			[]answer{refuses, refuses, ends(""), refuses, refuses},
			[]time.Duration{3 * s, 6 * s, 3 * s, 3 * s, 6 * s},
		},
		{
			// Else a dead server would be asked in a busy loop.
			"from no time at all", 0, append([]answer{ends("retry: 0\ndata: a\n\n")}, slices.Repeat([]answer{refuses}, 12)...),
			[]time.Duration{0, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 6400 * ms, 12800 * ms, 25600 * ms, 51200 * ms, 60 * s, 60 * s},
		},
		{
			"from less than 100 ms", 30 * ms,
			[]answer{ends("data: a\n\n"), refuses, refuses, ends("data: b\n\n")},
			[]time.Duration{30 * ms, 100 * ms, 200 * ms, 30 * ms},
		},
		{
			"not below 100 ms after a connection without an event", 0,
			[]answer{ends("retry: 0\n\n"), ends(""), breaks(": c\n\n", errLost), ends("data: a\n\n"), ends("data: b")},
			[]time.Duration{100 * ms, 100 * ms, 100 * ms, 0, 100 * ms},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told []time.Duration
			client := ssewire.Client{ReconnectionTime: c.time, OnDisconnect: func(_ error, wait time.Duration) { told = append(told, wait) }}
			bubble(t, client, c.answers, func(t *testing.T, h *host, s *ssewire.Stream) {
				if follow(s); s.Err() != nil {
					t.Error(s.Err())
				}
				at := h.at()
				var waits []time.Duration
				for i := range at[1:] {
					waits = append(waits, at[i+1]-at[i])
				}
				if !slices.Equal(waits, c.want) {
					t.Errorf("the Client waits %v, want %v", waits, c.want)
				}
				if !slices.Equal(told, waits) {
					t.Errorf("OnDisconnect is told %v, the Client waits %v", told, waits)
				}
			})
		})
	}
}

// The attempts after a lost connection carry what is known, however many fail.
func TestClientKeepsIDThroughFailures(t *testing.T) {
	for _, id := range []string{"1", "a\tb", "\t"} {
		answers := []answer{breaks("id: "+id+"\ndata: a\n\n", errLost), refuses, refuses, ends("data: b\n\n")}
		bubble(t, ssewire.Client{}, answers, func(t *testing.T, h *host, s *ssewire.Stream) {
			wantEvents(t, follow(s), event{"message", "a", id}, event{"message", "b", id})
			if got, want := h.ids(), []string{"none", id, id, id, id}; !slices.Equal(got, want) || s.Err() != nil {
				t.Errorf("Last-Event-ID %q, want %q, and no error: %v", got, want, s.Err())
			}
			if s.LastEventID() != id {
				t.Errorf("LastEventID %q, want %q", s.LastEventID(), id)
			}
		})
	}
}

// The longest times do not become negative ones, however many attempts fail.
func TestClientWithHugeTimes(t *testing.T) {
	for _, c := range []struct {
		name    string
		client  ssewire.Client
		answers []answer
		want    time.Duration
	}{
		{"retry", ssewire.Client{}, []answer{ends("retry: 99999999999999999999\n\n"), refuses, refuses}, longestDuration},
		{"retry of which the double is too long", ssewire.Client{}, []answer{ends("retry: 5000000000000\n\n"), refuses, refuses}, 5e12 * time.Millisecond},
		{"the Client's own", ssewire.Client{ReconnectionTime: longestDuration}, []answer{refuses, refuses, refuses}, longestDuration},
		{"the Client's own, of which the double is too long", ssewire.Client{ReconnectionTime: 1 << 62}, []answer{refuses, refuses, refuses}, 1 << 62},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				h := newHost(c.answers...)
				var told []time.Duration
				c.client.HTTP = &http.Client{Transport: h}
				c.client.OnDisconnect = func(_ error, wait time.Duration) {
					if told = append(told, wait); len(told) == len(c.answers) {
						cancel()
					}
				}
				s := c.client.Connect(newRequest(t, ctx))
				defer s.Close()
				if s.Next() || !errors.Is(s.Err(), context.Canceled) {
					t.Errorf("err %v, want the context's", s.Err())
				}
				if want := []time.Duration{c.want, c.want, c.want}; !slices.Equal(told, want) {
					t.Errorf("waits %v, want %v", told, want)
				}
				// The bubble's own clock ends between the second request and the third.
				if at := h.at(); len(at) != 3 || at[1] < 1<<62 {
					t.Errorf("requests at %v", at)
				}
			})
		})
	}
}

func TestClientContentTypes(t *testing.T) {
	for contentType, accepted := range map[string]bool{
		"text/event-stream":                  true,
		"text/event-stream;charset=utf-8":    true,
		"text/event-stream; charset=UTF-8":   true,
		`text/event-stream; charset="utf-8"`: true,
		"Text/Event-Stream":                  true,
		"TEXT/EVENT-STREAM; Charset=Utf-8":   true,
		"text/event-stream ; charset=utf-8":  true,
		" \ttext/event-stream \t":            true,
		"text/event-stream;":                 true,
		"text/event-stream;;":                true,
		"text/event-stream;bogus":            true,
		"text/event-stream;bogus;x=y":        true,
		"text/event-stream;a=1;a=2":          true,
		`text/event-stream;a="`:              true,
		"":                                   false,
		"text/plain":                         false,
		"application/json":                   false,
		"text/event-streams":                 false,
		"text/event-stream-x":                false,
		"text/event":                         false,
		"text/event-strea":                   false,
		"text":                               false,
		"application/event-stream":           false,
		"xtext/event-stream":                 false,
		"text /event-stream":                 false,
		"text/ event-stream":                 false,
		"text/event-stream charset=utf-8":    false,
		"text/html; x=text/event-stream":     false,
		"; text/event-stream":                false,
	} {
		t.Run(contentType, func(t *testing.T) {
			answers := []answer{func(h *host, req *http.Request) (*http.Response, error) {
				return respond(h, req, 200, contentType, strings.NewReader("data: a\n\n")), nil
			}}
			bubble(t, ssewire.Client{}, answers, func(t *testing.T, h *host, s *ssewire.Stream) {
				got := follow(s)
				if accepted {
					wantEvents(t, got, msg("a"))
					if s.Err() != nil {
						t.Error(s.Err())
					}
					return
				}
				wantEvents(t, got)
				wantResponseError(t, s.Err(), 200)
			})
		})
	}
}

func wantResponseError(t *testing.T, err error, code int) *ssewire.ResponseError {
	t.Helper()
	resp, ok := errors.AsType[*ssewire.ResponseError](err)
	if !ok {
		t.Fatalf("error %v is no *ResponseError", err)
	}
	if resp.StatusCode != code {
		t.Errorf("status %d, want %d", resp.StatusCode, code)
	}
	return resp
}

// A response that is no event stream ends the stream for good, whether it is the first
// or a later one.
func TestClientStatus(t *testing.T) {
	for _, code := range []int{201, 202, 205, 206, 304, 400, 401, 403, 404, 410, 429, 500, 502, 503, 504} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			for _, before := range [][]answer{nil, {ends("data: a\n\n")}} {
				answers := append(slices.Clone(before), status(code, "text/event-stream"), ends("data: never\n\n"))
				bubble(t, ssewire.Client{}, answers, func(t *testing.T, h *host, s *ssewire.Stream) {
					wantEvents(t, follow(s), slices.Repeat(msgs("a"), len(before))...)
					resp := wantResponseError(t, s.Err(), code)
					if resp.URL != "http://stream.example/updates" || resp.Header.Get("Content-Type") != "text/event-stream" {
						t.Errorf("URL %q, header %v", resp.URL, resp.Header)
					}
					for _, want := range []string{"stream.example/updates", fmt.Sprint(code)} {
						if !strings.Contains(s.Err().Error(), want) {
							t.Errorf("error %q does not say %q", s.Err(), want)
						}
					}
					if s.Next() || len(h.seen) != len(before)+1 {
						t.Error("the stream goes on after its end")
					}
				})
			}
		})
	}
	t.Run("the content type is the fault", func(t *testing.T) {
		bubble(t, ssewire.Client{}, []answer{status(200, "text/html")}, func(t *testing.T, h *host, s *ssewire.Stream) {
			wantEvents(t, follow(s))
			wantResponseError(t, s.Err(), 200)
			if !strings.Contains(s.Err().Error(), "text/html") {
				t.Errorf("error %q does not say what came", s.Err())
			}
		})
	})
	t.Run("204 with a body", func(t *testing.T) {
		bubble(t, ssewire.Client{}, []answer{ends("data: a\n\n"), status(204, "text/event-stream"), ends("data: b\n\n")}, func(t *testing.T, h *host, s *ssewire.Stream) {
			wantEvents(t, follow(s), msg("a"))
			if s.Err() != nil || len(h.seen) != 2 {
				t.Errorf("err %v after %d requests", s.Err(), len(h.seen))
			}
		})
	})
}

// A ResponseError has the beginning of the body, as far as it comes soon.
func TestResponseErrorBody(t *testing.T) {
	const apiError = `{"error":{"message":"invalid api key"}}`
	long := strings.Repeat("0123456789abcdef", 100)
	for _, c := range []struct {
		name   string
		chunks []string
		open   bool // the server does not end the body
		fails  bool // reading it ends with an error
		leave  time.Duration
		want   string
		after  time.Duration
	}{
		{name: "whole", chunks: []string{apiError}, want: apiError},
		{name: "in pieces", chunks: []string{apiError[:9], apiError[9:]}, want: apiError},
		{name: "empty"},
		{name: "of 1 KiB", chunks: []string{long[:1024]}, want: long[:1024]},
		{name: "long", chunks: []string{long, long}, want: long[:1024]},
		{name: "long and open", chunks: []string{long}, open: true, want: long[:1024]},
		{name: "broken off", chunks: []string{apiError[:9]}, fails: true, want: apiError[:9]},
		{name: "open", chunks: []string{apiError}, open: true, want: apiError, after: time.Second},
		{name: "silent", open: true, after: time.Second},
		{name: "silent, of a context that ends", open: true, leave: time.Second / 2, after: time.Second / 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, w := io.Pipe()
				go func() {
					for _, chunk := range c.chunks {
						io.WriteString(w, chunk)
					}
					switch {
					case c.fails:
						w.CloseWithError(errLost)
					case !c.open:
						w.Close()
					}
				}()
				h := newHost(func(h *host, req *http.Request) (*http.Response, error) {
					resp := respond(h, req, 401, "application/json", nil)
					resp.Body = r
					return resp, nil
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.leave > 0 {
					time.AfterFunc(c.leave, cancel)
				}
				s := ssewire.Client{HTTP: &http.Client{Transport: h}}.Connect(newRequest(t, ctx))
				defer s.Close()
				wantEvents(t, follow(s))
				if resp := wantResponseError(t, s.Err(), 401); string(resp.Body) != c.want {
					t.Errorf("body %q, want %q", resp.Body, c.want)
				}
				if strings.Contains(s.Err().Error(), "invalid") {
					t.Errorf("the body shows in %q", s.Err())
				}
				if got := time.Since(h.start); got != c.after {
					t.Errorf("it takes %v, want %v", got, c.after)
				}
				if _, err := w.Write([]byte("x")); err != io.ErrClosedPipe {
					t.Errorf("the body is left open: %v", err)
				}
			})
		})
	}
}

func TestResponseErrorHidesCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://me:s3cret@stream.example/updates?signature=s3cret#s3cret", nil)
		if err != nil {
			t.Fatal(err)
		}
		s := ssewire.Client{HTTP: &http.Client{Transport: newHost(status(403, ""))}}.Connect(req)
		defer s.Close()
		if s.Next() {
			t.Error("an event")
		}
		resp := wantResponseError(t, s.Err(), 403)
		if all := resp.URL + s.Err().Error() + fmt.Sprintf("%+v", *resp); strings.Contains(all, "s3cret") || resp.URL != "http://stream.example/updates" {
			t.Errorf("the password shows in %q", all)
		}
	})
}

func TestDisconnectHidesCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", "http://me:s3cret@stream.example/updates?signature=s3cret", nil)
		if err != nil {
			t.Fatal(err)
		}
		var told error
		c := ssewire.Client{HTTP: &http.Client{Transport: refuser{}}, OnDisconnect: func(err error, _ time.Duration) {
			told = err
			cancel()
		}}
		s := c.Connect(req)
		defer s.Close()
		if s.Next() {
			t.Error("an event")
		}
		if !errors.Is(told, errRefused) || strings.Contains(told.Error(), "s3cret") || !strings.Contains(told.Error(), `"http://stream.example/updates"`) {
			t.Errorf("told %v", told)
		}
	})
}

// Nor does any other error show them.
func TestErrorsHideCredentials(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []answer
		says    string // in the error that ends the stream, or else in what OnDisconnect is told
	}{
		{"an ID that cannot be sent", []answer{ends("id: a\x01b\n\n")}, "cannot be sent as a header"},
		{"a redirect to what is no URL", []answer{func(h *host, req *http.Request) (*http.Response, error) {
			resp := respond(h, req, http.StatusFound, "", strings.NewReader(""))
			resp.Header.Set("Location", "http://u:s3cret@h/%zz?token=s3cret")
			return resp, nil
		}}, "failed to parse Location header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req, err := http.NewRequestWithContext(t.Context(), "GET", "http://me:s3cret@stream.example/updates?signature=s3cret", nil)
				if err != nil {
					t.Fatal(err)
				}
				var told []string
				s := ssewire.Client{
					HTTP:         &http.Client{Transport: newHost(c.answers...)},
					OnDisconnect: func(err error, _ time.Duration) { told = append(told, fmt.Sprint(err)) },
				}.Connect(req)
				defer s.Close()
				follow(s)
				all := fmt.Sprint(told, s.Err())
				if strings.Contains(all, "s3cret") || !strings.Contains(all, c.says) {
					t.Errorf("it says %q", all)
				}
			})
		})
	}
}

// After a redirect the error blames the server that has answered.
func TestResponseErrorAfterRedirect(t *testing.T) {
	redirects := func(h *host, req *http.Request) (*http.Response, error) {
		resp := respond(h, req, http.StatusTemporaryRedirect, "", strings.NewReader(""))
		resp.Header.Set("Location", "https://other.example/there?token=s3cret")
		return resp, nil
	}
	bubble(t, ssewire.Client{}, []answer{redirects, status(503, "")}, func(t *testing.T, _ *host, s *ssewire.Stream) {
		wantEvents(t, follow(s))
		if resp := wantResponseError(t, s.Err(), 503); resp.URL != "https://other.example/there" {
			t.Errorf("%v", resp)
		}
	})
}

// A URL that leads nowhere is told at once.
func TestClientURL(t *testing.T) {
	for text, want := range map[string]string{
		"example.com/stream?key=s3cret":       "ssewire: the URL example.com/stream has no scheme: put https:// in front of it",
		"https:///stream":                     "ssewire: the URL https:///stream has no host",
		"http:me:s3cret@stream.example/there": "ssewire: the URL http:stream.example/there has no host",
		"https:/me:s3cret@h/x":                "ssewire: the URL https://h/x has no host",
		"/stream":                             "ssewire: the URL /stream has no scheme: put https:// in front of it",
		"https:///a%2Fb/stream":               "ssewire: the URL https:///a%2Fb/stream has no host",
		"https:example.com/stream?key=s3cret": "ssewire: the URL https:example.com/stream has no host",
	} {
		req, err := http.NewRequest("GET", text, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := ssewire.Client{}.Connect(req)
		if s.Next() || s.Err() == nil || s.Err().Error() != want {
			t.Errorf("%s: %v, want %s", text, s.Err(), want)
		}
	}
	s := ssewire.Client{}.Connect(new(http.Request))
	if s.Next() || s.Err() == nil {
		t.Errorf("no URL: %v", s.Err())
	}
}

// A request that net/http would refuse at each attempt is told at once, without the values of
// its headers.
func TestClientUnsendable(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(req *http.Request) { req.Header[name] = append(req.Header[name], value) }
	}
	const remedy = " has a line break or another control character, which cannot be sent: remove it, for example with strings.TrimSpace where the value is read from a file"
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		want   string
	}{
		{"a token read from a file", set("Authorization", "Bearer s3cret\n"), "ssewire: the header Authorization" + remedy},
		{"the second value", func(req *http.Request) { req.Header["X-Key"] = []string{"a", "s3cret\x7f"} }, "ssewire: the header X-Key" + remedy},
		{"accept", set("Accept", "text/event-stream\r\nX-Key: s3cret"), "ssewire: the header Accept" + remedy},
		{"a trailer", func(req *http.Request) { req.Trailer = http.Header{"X-Sum": {"s3cret\x00"}} }, "ssewire: the header X-Sum" + remedy},
		{"a whole line for a name", set("Authorization: Bearer s3cret", ""), `ssewire: the name of a header has ':' after "Authorization", which cannot be sent: correct it`},
		{"a letter of no token", set("X-Schlüssel", "s3cret"), `ssewire: the name of a header has 'ü' after "X-Schl", which cannot be sent: correct it`},
		{"no name", set("", "s3cret"), "ssewire: the request has a header without a name: remove it"},
		{"the last event ID", set("Last-Event-Id", "a\x01b"), `ssewire: the last event ID "a\x01b" cannot be sent as a header, because of its control characters: connect again without it`},
		{"the method", func(req *http.Request) { req.Method = "GET " }, `ssewire: the method "GET " cannot be sent: correct it`},
		{"a request that a server has had", func(req *http.Request) { req.RequestURI = "/updates" }, "ssewire: the request has a RequestURI, which only a server's requests have: clear it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				req := newRequest(t, ctx)
				c.change(req)
				client := &http.Client{Transport: overPipe()}
				if resp, err := client.Do(req.Clone(ctx)); err == nil {
					resp.Body.Close()
					t.Error("net/http sends it")
				}
				s := ssewire.Client{HTTP: client, OnDisconnect: func(error, time.Duration) { cancel() }}.Connect(req)
				defer s.Close()
				if s.Next() || s.Err() == nil || s.Err().Error() != c.want {
					t.Errorf("%v\nwant %s", s.Err(), c.want)
				}
			})
		})
	}
}

// What net/http sends, a Stream does not refuse.
func TestClientSendsOddHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := newRequest(t, t.Context())
		req.Header["!#$%&'*+-.^_`|~09azAZ"] = []string{"\ta\t ü \x80\xff", ""}
		req.Header["User-Agent"] = nil
		s := ssewire.Client{HTTP: &http.Client{Transport: overPipe()}}.Connect(req)
		defer s.Close()
		if s.Next() || s.Err() != nil {
			t.Error(s.Err())
		}
	})
}

// overPipe returns net/http's own Transport to a server in memory that answers with 204.
func overPipe() *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
				io.WriteString(server, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			}
		}()
		return client, nil
	}}
}

// A scheme that nobody knows is told at once; one that the Transport knows is not refused.
func TestClientSchemes(t *testing.T) {
	for _, c := range []struct {
		scheme string
		want   string // the error
	}{
		{"htps", `ssewire: Get "htps://stream.example/updates": unsupported protocol scheme "htps": use https or http`},
		{"tape", ""},
	} {
		t.Run(c.scheme, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				known := new(http.Transport)
				known.RegisterProtocol("tape", newHost(refuses, ends("data: a\n\n")))
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				req := newRequest(t, ctx)
				req.URL.Scheme = c.scheme
				s := ssewire.Client{HTTP: &http.Client{Transport: known}}.Connect(req)
				defer s.Close()
				events := follow(s)
				if c.want != "" {
					if s.Err() == nil || s.Err().Error() != c.want {
						t.Errorf("%v, want %s", s.Err(), c.want)
					}
					return
				}
				if wantEvents(t, events, msg("a")); s.Err() != nil {
					t.Error(s.Err())
				}
			})
		})
	}
}

var errRefused = errors.New("refused")

// refuser is a server that is not there.
type refuser struct{}

func (refuser) RoundTrip(*http.Request) (*http.Response, error) { return nil, errRefused }

func TestClientRequest(t *testing.T) {
	for _, c := range []struct {
		name   string
		set    http.Header
		opts   []ssewire.Option
		accept string
		cache  []string // one of them
		ids    []string
	}{
		{"headers of its own", nil, nil, "text/event-stream", []string{"no-cache", "no-store"}, []string{"none", "none"}},
		{"headers of the caller", http.Header{"Accept": {"text/event-stream, */*"}, "Cache-Control": {"max-age=0"}}, nil, "text/event-stream, */*", []string{"max-age=0"}, []string{"none", "none"}},
		{"last event ID by header", http.Header{"Last-Event-Id": {"41"}}, nil, "text/event-stream", []string{"no-cache", "no-store"}, []string{"41", "41"}},
		{"last event ID by option", nil, []ssewire.Option{ssewire.LastEventID("42")}, "text/event-stream", []string{"no-cache", "no-store"}, []string{"42", "42"}},
		{"other headers", http.Header{"Authorization": {"Bearer x"}, "X-Two": {"1", "2"}}, nil, "text/event-stream", []string{"no-cache", "no-store"}, []string{"none", "none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(ends("data: a\n\n"))
				req := newRequest(t, t.Context())
				maps.Copy(req.Header, c.set)
				before := req.Header.Clone()
				s := ssewire.Client{HTTP: &http.Client{Transport: h}}.Connect(req, c.opts...)
				defer s.Close()
				if len(h.seen) != 0 {
					t.Error("Connect uses the network")
				}
				first := c.ids[0]
				if first == "none" {
					first = ""
				}
				if s.LastEventID() != first {
					t.Errorf("before the first event LastEventID is %q, want %q", s.LastEventID(), first)
				}
				wantEvents(t, follow(s), event{"message", "a", first})
				for _, r := range h.seen {
					if got := r.header.Get("Accept"); got != c.accept || len(r.header.Values("Accept")) != 1 {
						t.Errorf("Accept %q, want %q", got, c.accept)
					}
					if got := r.header.Get("Cache-Control"); !slices.Contains(c.cache, got) {
						t.Errorf("Cache-Control %q, want one of %q", got, c.cache)
					}
					for name, values := range c.set {
						if !slices.Equal(r.header[name], values) {
							t.Errorf("%s: %q, want %q", name, r.header[name], values)
						}
					}
				}
				if got := h.ids(); !slices.Equal(got, c.ids) {
					t.Errorf("Last-Event-ID %q, want %q", got, c.ids)
				}
				if !maps.EqualFunc(req.Header, before, slices.Equal) {
					t.Errorf("the caller's request has become %v", req.Header)
				}
			})
		})
	}
}

// A caller may spell the headers that a Stream sets as it likes; they are sent once. Others
// are sent as they are.
func TestClientHeaderSpelling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(ends("data: a\n\n"), ends("id: 8\n\n"))
		req := newRequest(t, t.Context())
		given := http.Header{"Last-Event-ID": {"7"}, "accept": {"*/*"}, "CACHE-CONTROL": {"max-age=0"}, "x-key": {"k"}}
		req.Header = given.Clone()
		s := ssewire.Client{HTTP: &http.Client{Transport: h}}.Connect(req)
		defer s.Close()
		if s.LastEventID() != "7" {
			t.Errorf("LastEventID is %q", s.LastEventID())
		}
		wantEvents(t, follow(s), event{"message", "a", "7"})
		for i, id := range []string{"7", "7", "8"} {
			want := http.Header{"Last-Event-Id": {id}, "Accept": {"*/*"}, "Cache-Control": {"max-age=0"}, "x-key": {"k"}}
			if got := h.seen[i].header; !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("request %d has %q, want %q", i, got, want)
			}
		}
		if !maps.EqualFunc(req.Header, given, slices.Equal) {
			t.Errorf("the caller's request has become %v", req.Header)
		}
	})
}

// Whether the stream has set an ID, be it an empty one, outlasts its connections.
func TestClientEmptyIDOutlastsConnection(t *testing.T) {
	answers := []answer{ends("data: a\n\n"), refuses, ends("data: b\n\nid: 1\n\n"), ends("id\ndata: c\n\n"), refuses, ends("data: d\n\n"), ends(""), ends("data: e\n\n")}
	bubble(t, ssewire.Client{}, answers, func(t *testing.T, _ *host, s *ssewire.Stream) {
		var got []string
		for s.Next() {
			got = append(got, fmt.Sprintf("%s %#v", s.Event().Data, s.Event().ID))
		}
		want := []string{"a []byte(nil)", "b []byte(nil)", "c []byte{}", "d []byte{}", "e []byte{}"}
		if !slices.Equal(got, want) || s.Err() != nil {
			t.Errorf("IDs %q, want %q, and no error: %v", got, want, s.Err())
		}
	})
}

// The header gives way to what the stream says later, and its reset.
func TestClientHeaderGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(ends("data: a\n\n"), ends("id: 7\n\n"), ends("id\n\n"), ends("data: b\n\n"))
		req := newRequest(t, t.Context())
		req.Header.Set("Last-Event-ID", "5")
		s := ssewire.Client{HTTP: &http.Client{Transport: h}}.Connect(req)
		defer s.Close()
		wantEvents(t, follow(s), event{"message", "a", "5"}, event{"message", "b", ""})
		if got, want := h.ids(), []string{"5", "5", "7", "none", "none"}; !slices.Equal(got, want) {
			t.Errorf("Last-Event-ID %q, want %q", got, want)
		}
	})
}

func TestClientRequestBody(t *testing.T) {
	connect := func(t *testing.T, h *host, change func(*http.Request)) *ssewire.Stream {
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://stream.example/chat", bytes.NewReader([]byte(`{"stream":true}`)))
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		return ssewire.Client{HTTP: &http.Client{Transport: h}}.Connect(req)
	}
	t.Run("sent again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(ends("data: a\n\n"), refuses, breaks("data: b\n\n", errLost))
			s := connect(t, h, func(*http.Request) {})
			defer s.Close()
			wantEvents(t, follow(s), msgs("a", "b")...)
			if len(h.seen) != 4 {
				t.Errorf("%d requests, want 4", len(h.seen))
			}
			for i, r := range h.seen {
				if r.body != `{"stream":true}` || r.method != "POST" {
					t.Errorf("request %d is %s with %q", i, r.method, r.body)
				}
			}
		})
	})
	t.Run("cannot be sent again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(ends("data: a\n\n"), ends("data: never\n\n"))
			s := connect(t, h, func(req *http.Request) { req.GetBody = nil })
			defer s.Close()
			wantEvents(t, follow(s), msg("a"))
			if s.Err() == nil || !strings.Contains(s.Err().Error(), "GetBody") {
				t.Errorf("error %v does not say that GetBody is missing", s.Err())
			}
			if len(h.seen) != 1 || h.open != 0 {
				t.Errorf("%d requests, %d bodies left open", len(h.seen), h.open)
			}
		})
	})
	t.Run("there is nothing to send again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(ends("data: a\n\n"), ends("data: b\n\n"))
			s := connect(t, h, func(req *http.Request) { req.Body, req.GetBody, req.ContentLength = http.NoBody, nil, 0 })
			defer s.Close()
			wantEvents(t, follow(s), msgs("a", "b")...)
			if s.Err() != nil || len(h.seen) != 3 {
				t.Errorf("err %v after %d requests", s.Err(), len(h.seen))
			}
		})
	})
	t.Run("GetBody fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(ends("data: a\n\n"))
			s := connect(t, h, func(req *http.Request) {
				req.GetBody = func() (io.ReadCloser, error) { return nil, errLost }
			})
			defer s.Close()
			// Whether the first request takes Body or GetBody, none goes out without.
			follow(s)
			for _, r := range h.seen {
				if r.body != `{"stream":true}` {
					t.Errorf("a request has body %q", r.body)
				}
			}
			if !errors.Is(s.Err(), errLost) {
				t.Errorf("error %v does not wrap GetBody's", s.Err())
			}
		})
	})
}

func TestOnDisconnect(t *testing.T) {
	type call struct {
		err  error
		wait time.Duration
		at   time.Duration
	}
	var calls []call
	var h *host
	inNext := false
	c := ssewire.Client{OnDisconnect: func(err error, wait time.Duration) {
		if !inNext {
			t.Error("called by something else than Next")
		}
		calls = append(calls, call{err, wait, time.Since(h.start)})
	}}
	answers := []answer{
		ends("data: a\n\nretry: 1000\n"),
		breaks("data: b\n\ndata: c\n", errLost),
		refuses,
		ends("data: d\n\n"),
		status(500, ""),
	}
	bubble(t, c, answers, func(t *testing.T, hh *host, s *ssewire.Stream) {
		h = hh
		inNext = true
		for _, want := range []string{"a", "b", "d"} {
			if !s.Next() || string(s.Event().Data) != want {
				t.Errorf("got %q, want %q", s.Event().Data, want)
			}
		}
		if len(calls) != 3 {
			t.Fatalf("%d calls while there are events, want 3: %v", len(calls), calls)
		}
		s.Next()
		inNext = false
		wantResponseError(t, s.Err(), 500)
		for i, want := range []error{nil, errLost, errLost, nil} {
			if len(calls) <= i {
				t.Fatalf("%d calls, want 4: %v", len(calls), calls)
			}
			got := calls[i]
			if want == nil && got.err != nil || !errors.Is(got.err, want) {
				t.Errorf("call %d: error %v, want %v", i, got.err, want)
			}
			if i != 2 && got.wait != time.Second || got.wait < time.Second {
				t.Errorf("call %d: wait %v", i, got.wait)
			}
			if got.at != h.seen[i].at || h.seen[i+1].at-h.seen[i].at != got.wait {
				t.Errorf("call %d at %v says %v; requests at %v", i, got.at, got.wait, h.at())
			}
		}
		// There is no waiting after the end for good, so there is no call.
		if len(calls) != 4 {
			t.Errorf("%d calls, want 4: %v", len(calls), calls)
		}
	})
}

// permanent is an error that does not go away.
type permanent bool

func (p permanent) Error() string   { return "there is no such host" }
func (p permanent) Permanent() bool { return bool(p) }

// An error that says that it is permanent ends the stream; any other does not.
func TestClientPermanentError(t *testing.T) {
	for _, c := range []struct {
		err      error
		requests int
	}{{permanent(true), 2}, {fmt.Errorf("dial: %w", permanent(true)), 2}, {permanent(false), 3}, {errLost, 3}} {
		calls := 0
		client := ssewire.Client{OnDisconnect: func(error, time.Duration) { calls++ }}
		fails := func(*host, *http.Request) (*http.Response, error) { return nil, c.err }
		bubble(t, client, []answer{ends("data: a\n\n"), fails}, func(t *testing.T, h *host, s *ssewire.Stream) {
			wantEvents(t, follow(s), msg("a"))
			for range 2 {
				if len(h.seen) != c.requests || s.Next() {
					t.Errorf("%v: %d requests, want %d", c.err, len(h.seen), c.requests)
				}
			}
			if ended := c.requests == 2; errors.Is(s.Err(), c.err) != ended || calls != c.requests-1 {
				t.Errorf("%v: ends with %v, and OnDisconnect is called %d times", c.err, s.Err(), calls)
			}
		})
	}
}

// When the context ends while there is no connection, the error says why there is none.
func TestClientContextSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name    string
		wait    time.Duration
		answers []answer
		want    string
	}{
		{"refused", 40 * time.Second, []answer{ends("data: a\n\n"), refuses, refuses}, "ssewire: context deadline exceeded; there was no connection: Get \"http://stream.example/updates\": " + errLost.Error()},
		{"broken", 200 * time.Second, []answer{breaks("data: a\n\n", errLost)}, "ssewire: context deadline exceeded; there was no connection: ssewire: read at byte 9 of the stream: " + errLost.Error()},
		{"over", time.Minute, []answer{refuses, ends("data: a\n\n")}, "ssewire: context deadline exceeded"},
		{"connected", 40 * time.Second, []answer{refuses, stays("data: a\n\n")}, "ssewire: context deadline exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
				defer cancel()
				client := ssewire.Client{HTTP: &http.Client{Transport: newHost(c.answers...)}, ReconnectionTime: c.wait}
				s := client.Connect(newRequest(t, ctx))
				wantEvents(t, follow(s), msg("a"))
				if got := s.Err(); got.Error() != c.want || !errors.Is(got, context.DeadlineExceeded) {
					t.Errorf("%v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestClientContext(t *testing.T) {
	cause := errors.New("the user has left")
	for _, c := range []struct {
		name     string
		answers  []answer
		after    time.Duration
		want     []event
		requests int
	}{
		{"while it reads", []answer{stays("data: a\n\ndata: b\n")}, 1500 * time.Millisecond, msgs("a"), 1},
		{"while it waits after an end", []answer{ends("data: a\n\n")}, 1500 * time.Millisecond, msgs("a"), 1},
		{"while it waits after a failure", []answer{refuses}, 1500 * time.Millisecond, nil, 1},
		{"while it connects", []answer{ends("data: a\n\n"), func(h *host, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}}, 4 * time.Second, msgs("a"), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(c.answers...)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(c.after, func() { cancel(cause) })
				var disconnects []error
				s := ssewire.Client{
					HTTP:         &http.Client{Transport: h},
					OnDisconnect: func(err error, _ time.Duration) { disconnects = append(disconnects, err) },
				}.Connect(newRequest(t, ctx))
				wantEvents(t, follow(s), c.want...)
				if !errors.Is(s.Err(), cause) {
					t.Errorf("error %v does not wrap the context's cause", s.Err())
				}
				if got := time.Since(h.start); got != c.after {
					t.Errorf("ended after %v, want %v", got, c.after)
				}
				if len(h.seen) != c.requests || s.Next() || len(h.seen) != c.requests {
					t.Errorf("%d requests, want %d", len(h.seen), c.requests)
				}
				for _, err := range disconnects {
					if errors.Is(err, cause) || errors.Is(err, context.Canceled) {
						t.Errorf("OnDisconnect is told of the end by the context: %v", err)
					}
				}
				if h.open != 0 {
					t.Errorf("%d bodies were left open, before Close", h.open)
				}
				if err := s.Close(); err != nil {
					t.Error("Close:", err)
				}
				if !errors.Is(s.Err(), cause) {
					t.Errorf("after Close the error is %v", s.Err())
				}
			})
		})
	}
	t.Run("before it starts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(ends("data: a\n\n"))
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(cause)
			s := ssewire.Client{HTTP: &http.Client{Transport: h}}.Connect(newRequest(t, ctx))
			defer s.Close()
			wantEvents(t, follow(s))
			if !errors.Is(s.Err(), cause) || time.Since(h.start) != 0 {
				t.Errorf("error %v after %v", s.Err(), time.Since(h.start))
			}
		})
	})
	t.Run("by its deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(stays("data: a\n\n"))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s := ssewire.Client{HTTP: &http.Client{Transport: h}}.Connect(newRequest(t, ctx))
			defer s.Close()
			wantEvents(t, follow(s), msg("a"))
			if !errors.Is(s.Err(), context.DeadlineExceeded) || time.Since(h.start) != time.Minute {
				t.Errorf("error %v after %v", s.Err(), time.Since(h.start))
			}
		})
	})
}

func TestClientClose(t *testing.T) {
	t.Run("before Next", func(t *testing.T) {
		bubble(t, ssewire.Client{}, []answer{ends("data: a\n\n")}, func(t *testing.T, h *host, s *ssewire.Stream) {
			s.Close()
			if s.Next() || s.Err() != nil || len(h.seen) != 0 {
				t.Errorf("err %v after %d requests", s.Err(), len(h.seen))
			}
		})
	})
	t.Run("in mid-stream", func(t *testing.T) {
		bubble(t, ssewire.Client{}, []answer{stays("id: 1\ndata: a\n\ndata: b\n\n")}, func(t *testing.T, h *host, s *ssewire.Stream) {
			if !s.Next() || h.open != 1 {
				t.Errorf("no event, %d bodies open: %v", h.open, s.Err())
			}
			if err := s.Close(); err != nil || h.open != 0 {
				t.Errorf("Close: %v, %d bodies open", err, h.open)
			}
			if s.Next() || s.Err() != nil || len(h.seen) != 1 {
				t.Errorf("err %v after %d requests", s.Err(), len(h.seen))
			}
			if s.LastEventID() != "1" {
				t.Errorf("LastEventID %q is lost", s.LastEventID())
			}
		})
	})
	t.Run("twice and at the end", func(t *testing.T) {
		bubble(t, ssewire.Client{}, []answer{ends("data: a\n\n")}, func(t *testing.T, h *host, s *ssewire.Stream) {
			follow(s)
			for range 2 {
				if err := s.Close(); err != nil || s.Err() != nil {
					t.Errorf("Close: %v, Err %v", err, s.Err())
				}
			}
		})
	})
}

func TestStreamAll(t *testing.T) {
	t.Run("to a clean end", func(t *testing.T) {
		bubble(t, ssewire.Client{}, []answer{ends("data: a\n\n"), ends("data: b\n\n")}, func(t *testing.T, h *host, s *ssewire.Stream) {
			var got []event
			for ev, err := range s.All() {
				if err != nil {
					t.Error(err)
				}
				got = append(got, seen(ev))
			}
			wantEvents(t, got, msgs("a", "b")...)
		})
	})
	t.Run("to an error", func(t *testing.T) {
		bubble(t, ssewire.Client{}, []answer{ends("data: a\n\n"), status(404, "")}, func(t *testing.T, h *host, s *ssewire.Stream) {
			var got []event
			var last error
			for ev, err := range s.All() {
				if last != nil {
					t.Error("it goes on after the error")
				}
				if last = err; err == nil {
					got = append(got, seen(ev))
				} else if ev.Data != nil || ev.Type != nil || ev.ID != nil {
					t.Errorf("the error comes with %q", ev)
				}
			}
			wantEvents(t, got, msg("a"))
			wantResponseError(t, last, 404)
		})
	})
	t.Run("left early and gone on with", func(t *testing.T) {
		bubble(t, ssewire.Client{}, []answer{ends("data: a\n\ndata: b\n\n")}, func(t *testing.T, h *host, s *ssewire.Stream) {
			for ev := range s.All() {
				if string(ev.Data) != "a" {
					t.Errorf("first event %q", ev.Data)
				}
				break
			}
			wantEvents(t, follow(s), msg("b"))
		})
	})
}

// An event over the limit would come again, so it ends the stream.
func TestClientMaxEventSize(t *testing.T) {
	answers := []answer{ends("data: a\n\ndata: " + strings.Repeat("x", 100) + "\n\n"), ends("data: never\n\n")}
	bubble(t, ssewire.Client{}, answers, func(t *testing.T, h *host, s *ssewire.Stream) {
		wantEvents(t, follow(s), msg("a"))
		if !errors.Is(s.Err(), ssewire.ErrEventTooLarge) || len(h.seen) != 1 || h.open != 0 {
			t.Errorf("err %v after %d requests, %d bodies open", s.Err(), len(h.seen), h.open)
		}
	}, ssewire.MaxEventSize(50))
}

// The limit holds on every connection.
func TestClientMaxEventSizeLater(t *testing.T) {
	answers := []answer{ends("data: a\n\n"), ends("data: b\n\ndata: " + strings.Repeat("x", 100) + "\n\n")}
	bubble(t, ssewire.Client{}, answers, func(t *testing.T, h *host, s *ssewire.Stream) {
		wantEvents(t, follow(s), msgs("a", "b")...)
		if !errors.Is(s.Err(), ssewire.ErrEventTooLarge) || len(h.seen) != 2 {
			t.Errorf("err %v after %d requests", s.Err(), len(h.seen))
		}
	}, ssewire.MaxEventSize(50))
}

// One Client serves many streams, which know nothing of one another.
func TestClientServesManyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serve := func(req *http.Request) string {
			return fmt.Sprintf("retry: 10\nid: %s\ndata: %s\n\n", req.URL.RawQuery, cmp.Or(req.Header.Get("Last-Event-ID"), "new"))
		}
		var requests atomic.Int64
		c := ssewire.Client{HTTP: &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			requests.Add(1)
			return respond(new(host), req, 200, "text/event-stream", strings.NewReader(serve(req))), nil
		})}}
		const streams = 8
		done := make(chan []event)
		for i := range streams {
			go func() {
				req := newRequest(t, t.Context())
				req.URL.RawQuery = fmt.Sprint(i)
				s := c.Connect(req)
				defer s.Close()
				var got []event
				for len(got) < 3 && s.Next() {
					got = append(got, seen(s.Event()))
				}
				done <- got
			}()
		}
		for range streams {
			got := <-done
			if len(got) != 3 {
				t.Fatalf("got %q", got)
			}
			id := got[0].ID
			wantEvents(t, got, event{"message", "new", id}, event{"message", id, id}, event{"message", id, id})
		}
		if n := requests.Load(); n != 3*streams {
			t.Errorf("%d requests, want %d", n, 3*streams)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Over real HTTP, with the zero Client's own http.Client: a server that ends one
// connection, breaks off the next and answers the third with 204.
func TestClientOverHTTP(t *testing.T) {
	var connections atomic.Int64
	ids := make(chan string, 9)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		ids <- req.Header.Get("Last-Event-ID")
		switch connections.Add(1) {
		case 1:
			io.WriteString(ssewireResponse(w), "retry: 1\nid: first\n\ndata: a\n\n")
		case 2:
			io.WriteString(ssewireResponse(w), "id: second\r\ndata: b\r\n\r\nid: third\r\ndata: lost\r\n")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer srv.Close()
	var lost []error
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := ssewire.Client{OnDisconnect: func(err error, _ time.Duration) { lost = append(lost, err) }}.Connect(req)
	defer s.Close()
	wantEvents(t, follow(s), event{"message", "a", "first"}, event{"message", "b", "second"})
	if s.Err() != nil {
		t.Error(s.Err())
	}
	close(ids)
	var got []string
	for id := range ids {
		got = append(got, id)
	}
	if want := []string{"", "first", "second"}; !slices.Equal(got, want) {
		t.Errorf("Last-Event-ID %q, want %q", got, want)
	}
	if len(lost) != 2 || lost[0] != nil || !errors.Is(lost[1], io.ErrUnexpectedEOF) {
		t.Errorf("OnDisconnect was told %v, want nil and an unexpected EOF", lost)
	}
}

func ssewireResponse(w http.ResponseWriter) http.ResponseWriter {
	w.Header().Set("Content-Type", "text/event-stream;charset=UTF-8")
	return w
}

// Over real HTTP, the server learns that the client has gone, by Close and by the
// context.
func TestClientLeavesOverHTTP(t *testing.T) {
	for name, leave := range map[string]func(s *ssewire.Stream, cancel func()){
		"Close":   func(s *ssewire.Stream, _ func()) { s.Close() },
		"context": func(s *ssewire.Stream, cancel func()) { cancel(); s.Next() },
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan bool)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				io.WriteString(ssewireResponse(w), "data: a\n\n")
				http.NewResponseController(w).Flush()
				<-req.Context().Done()
				close(gone)
			}))
			defer srv.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := ssewire.Client{HTTP: srv.Client()}.Connect(req)
			defer s.Close()
			if !s.Next() {
				t.Fatal(s.Err())
			}
			leave(s, cancel)
			<-gone
		})
	}
}

// An id may hold control characters that no HTTP header can carry. The stream ends with
// an error that says so; it does not try the same request for ever.
func TestClientWithUnsendableID(t *testing.T) {
	for _, id := range []string{"a\x01b", "a\x7fb", "\x1b[2J"} {
		t.Run(fmt.Sprintf("%q", id), func(t *testing.T) {
			var connections atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if connections.Add(1) == 1 {
					io.WriteString(ssewireResponse(w), "retry: 1\nid: "+id+"\ndata: a\n\n")
					return
				}
				w.WriteHeader(http.StatusNoContent)
			}))
			defer srv.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			attempts := 0
			s := ssewire.Client{HTTP: srv.Client(), OnDisconnect: func(err error, wait time.Duration) {
				if attempts++; attempts == 4 {
					t.Errorf("still trying after %d connections: %v", connections.Load(), err)
					cancel()
				}
			}}.Connect(req)
			defer s.Close()
			wantEvents(t, follow(s), event{"message", "a", id})
			if err := s.Err(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("the last event ID %q cannot be sent", id)) {
				t.Error(err)
			}
		})
	}
}

// A request may have no Header, as for http.Client.
func TestClientWithoutHeader(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := ssewire.Client{}.Connect(&http.Request{URL: u})
	if s.Next() || s.Err() != nil {
		t.Errorf("an event, or %v", s.Err())
	}
}
