package ssewire_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/ssewire"
)

// readBack reads stream with id 0 in force, and says what it leaves behind.
func readBack(t *testing.T, stream []byte) outcome {
	t.Helper()
	r := ssewire.NewReader(bytes.NewReader(stream), ssewire.LastEventID("0"))
	o := outcome{events: drain(r)}
	if r.Err() != nil {
		t.Fatalf("%q is no stream: %v", stream, r.Err())
	}
	o.lastID = r.LastEventID()
	o.retry, o.retrySet = r.ReconnectionTime()
	return o
}

func TestAppendEvent(t *testing.T) {
	b := func(s string) []byte { return []byte(s) }
	for _, c := range []struct {
		name   string
		ev     ssewire.Event
		want   []event // as read back with last event ID 0 in force
		lastID string
	}{
		{"data", ssewire.Event{Data: b("a")}, []event{{"message", "a", "0"}}, "0"},
		{"empty data", ssewire.Event{Data: b("")}, []event{{"message", "", "0"}}, "0"},
		{"data of one space", ssewire.Event{Data: b(" ")}, []event{{"message", " ", "0"}}, "0"},
		{"data that starts with spaces", ssewire.Event{Data: b("  a\n  b")}, []event{{"message", "  a\n  b", "0"}}, "0"},
		{"data that starts with a tab", ssewire.Event{Data: b("\ta")}, []event{{"message", "\ta", "0"}}, "0"},
		{"data that ends with spaces", ssewire.Event{Data: b("a  ")}, []event{{"message", "a  ", "0"}}, "0"},
		{"data that starts with a colon", ssewire.Event{Data: b(": a")}, []event{{"message", ": a", "0"}}, "0"},
		{"data that starts with a bom", ssewire.Event{Data: b(bom + "a")}, []event{{"message", "\ufeffa", "0"}}, "0"},
		{"data with nul and invalid bytes", ssewire.Event{Data: b("a\x00\xff")}, []event{{"message", "a\x00\ufffd", "0"}}, "0"},
		{"data with other separators", ssewire.Event{Data: b("a\v\f\u0085\u2028b")}, []event{{"message", "a\v\f\u0085\u2028b", "0"}}, "0"},
		{"lines by lf", ssewire.Event{Data: b("a\nb\n\nc")}, []event{{"message", "a\nb\n\nc", "0"}}, "0"},
		{"lines by cr", ssewire.Event{Data: b("a\rb\r\rc")}, []event{{"message", "a\nb\n\nc", "0"}}, "0"},
		{"lines by crlf", ssewire.Event{Data: b("a\r\nb\r\n\r\nc")}, []event{{"message", "a\nb\n\nc", "0"}}, "0"},
		{"lines by lf cr", ssewire.Event{Data: b("a\n\rb")}, []event{{"message", "a\n\nb", "0"}}, "0"},
		{"a line break first", ssewire.Event{Data: b("\na")}, []event{{"message", "\na", "0"}}, "0"},
		{"a line break last", ssewire.Event{Data: b("a\n")}, []event{{"message", "a\n", "0"}}, "0"},
		{"a cr last", ssewire.Event{Data: b("a\r")}, []event{{"message", "a\n", "0"}}, "0"},
		{"a crlf last", ssewire.Event{Data: b("a\r\n")}, []event{{"message", "a\n", "0"}}, "0"},
		{"only a line break", ssewire.Event{Data: b("\n")}, []event{{"message", "\n", "0"}}, "0"},
		{"only line breaks", ssewire.Event{Data: b("\r\n\r\n\r")}, []event{{"message", "\n\n\n", "0"}}, "0"},
		{"data that looks like an event", ssewire.Event{Data: b("a\n\nevent: evil\rid: evil\r\ndata: evil\n\n")}, []event{{"message", "a\n\nevent: evil\nid: evil\ndata: evil\n\n", "0"}}, "0"},
		{"type", ssewire.Event{Type: b("tick"), Data: b("a")}, []event{{"tick", "a", "0"}}, "0"},
		{"type of the default", ssewire.Event{Type: b("message"), Data: b("a")}, []event{{"message", "a", "0"}}, "0"},
		{"empty type", ssewire.Event{Type: b(""), Data: b("a")}, []event{{"message", "a", "0"}}, "0"},
		{"type with spaces", ssewire.Event{Type: b(" a "), Data: b("a")}, []event{{" a ", "a", "0"}}, "0"},
		{"type with nul and colon", ssewire.Event{Type: b(":\x00:"), Data: b("a")}, []event{{":\x00:", "a", "0"}}, "0"},
		{"type without data", ssewire.Event{Type: b("tick")}, []event{{"tick", "", "0"}}, "0"},
		{"id", ssewire.Event{Data: b("a"), ID: b("1")}, []event{{"message", "a", "1"}}, "1"},
		{"id with spaces", ssewire.Event{Data: b("a"), ID: b(" 1 ")}, []event{{"message", "a", " 1 "}}, " 1 "},
		{"empty id resets", ssewire.Event{Data: b("a"), ID: b("")}, []event{{"message", "a", ""}}, ""},
		{"nil id leaves it", ssewire.Event{Data: b("a"), ID: nil}, []event{{"message", "a", "0"}}, "0"},
		{"id only", ssewire.Event{ID: b("7")}, nil, "7"},
		{"id reset only", ssewire.Event{ID: b("")}, nil, ""},
		{"nothing", ssewire.Event{}, nil, "0"},
		{"all", ssewire.Event{Type: b("tick"), Data: b("a\nb"), ID: b("2")}, []event{{"tick", "a\nb", "2"}}, "2"},
		{"type and id without data", ssewire.Event{Type: b("tick"), ID: b("2")}, []event{{"tick", "", "2"}}, "2"},
		{"long", ssewire.Event{Data: b(strings.Repeat("0123456789\n", 9000))}, []event{{"message", strings.Repeat("0123456789\n", 9000), "0"}}, "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ssewire.AppendEvent(b("data: before\n\n"), c.ev)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(got, b("data: before\n\n")) {
				t.Errorf("what was there before is lost: %q", got)
			}
			if !bytes.HasSuffix(got, b("\n")) || bytes.ContainsRune(got, '\r') {
				t.Errorf("lines do not end with LF only: %q", got)
			}
			want := outcome{lastID: c.lastID}
			want.events = append([]event{{"message", "before", "0"}}, c.want...)
			want.events = append(want.events, event{"message", "after", c.lastID})
			if o := readBack(t, append(got, "data: after\n\n"...)); !o.equal(want) {
				t.Errorf("%s reads as %v\nwant%v", brief(string(got)), o, want)
			}
		})
	}
}

// An event goes out as the examples of the standard have it.
func TestAppendEventLayout(t *testing.T) {
	got, err := ssewire.AppendEvent(nil, ssewire.Event{Data: []byte("a\nb")})
	if want := "data: a\ndata: b\n\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestAppendEventRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		ev   ssewire.Event
	}{
		{"lf in the id", ssewire.Event{Data: []byte("a"), ID: []byte("1\n2")}},
		{"cr in the id", ssewire.Event{Data: []byte("a"), ID: []byte("1\r2")}},
		{"crlf in the id", ssewire.Event{Data: []byte("a"), ID: []byte("1\r\n2")}},
		{"lf ends the id", ssewire.Event{Data: []byte("a"), ID: []byte("1\n")}},
		{"lf is the id", ssewire.Event{Data: []byte("a"), ID: []byte("\n")}},
		{"nul in the id", ssewire.Event{Data: []byte("a"), ID: []byte("1\x002")}},
		{"nul is the id", ssewire.Event{Data: []byte("a"), ID: []byte("\x00")}},
		{"nul in the id of a block without data", ssewire.Event{ID: []byte("\x00")}},
		{"lf in the type", ssewire.Event{Data: []byte("a"), Type: []byte("a\nb")}},
		{"cr in the type", ssewire.Event{Data: []byte("a"), Type: []byte("a\rb")}},
		{"cr ends the type", ssewire.Event{Data: []byte("a"), Type: []byte("a\r")}},
		{"lf in the type of a block without data", ssewire.Event{Type: []byte("\n")}},
		{"a whole event in the id", ssewire.Event{Data: []byte("a"), ID: []byte("1\n\ndata: evil\n\n")}},
		{"a whole event in the type", ssewire.Event{Data: []byte("a"), Type: []byte("a\r\rdata: evil\r\r")}},
		{"far inside a long id", ssewire.Event{Data: []byte("a"), ID: append(bytes.Repeat([]byte("x"), 1000), "\ny"...)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			room := append(make([]byte, 0, 4096), "before"...)
			got, err := ssewire.AppendEvent(room, c.ev)
			if !errors.Is(err, ssewire.ErrUnwritable) {
				t.Errorf("error %v does not wrap ErrUnwritable", err)
			}
			if string(got) != "before" {
				t.Errorf("dst has become %q", got)
			}
			if got, _ := ssewire.AppendEvent(nil, c.ev); got != nil {
				t.Errorf("nil dst has become %q", got)
			}

			var w writes
			if err := ssewire.NewWriter(&w).WriteEvent(c.ev); !errors.Is(err, ssewire.ErrUnwritable) {
				t.Errorf("Writer: error %v does not wrap ErrUnwritable", err)
			}
			if len(w.each) != 0 {
				t.Errorf("Writer: %q was written", w.each)
			}
		})
	}
}

// What a Reader hands out can be written as it is, and is then read again as it was:
// a type without data does not lose its event, an ID that was reset stays so.
func TestReadWriteRead(t *testing.T) {
	for _, c := range standardCases {
		t.Run(c.name, func(t *testing.T) {
			var out []byte
			r := ssewire.NewReader(strings.NewReader(c.stream))
			for r.Next() {
				var err error
				if out, err = ssewire.AppendEvent(out, r.Event()); err != nil {
					t.Fatal(err)
				}
			}
			if got := drain(ssewire.NewReader(bytes.NewReader(out))); !slices.Equal(got, c.want) {
				t.Errorf("%s reads as %v\nwant%v", brief(string(out)), outcome{events: got}, outcome{events: c.want})
			}
		})
	}
}

func TestAppendComment(t *testing.T) {
	for _, c := range []struct {
		name, text string
		lines      []string
	}{
		{"text", "keep-alive", []string{"keep-alive"}},
		{"empty", "", []string{""}},
		{"lines by lf", "a\nb", []string{"a", "b"}},
		{"lines by cr", "a\rb", []string{"a", "b"}},
		{"lines by crlf", "a\r\nb", []string{"a", "b"}},
		{"a blank line inside", "a\n\nb", []string{"a", "", "b"}},
		{"an event inside", "\n\ndata: evil\r\rdata: evil\r\n\r\n", []string{"", "", "data: evil", "", "data: evil", "", ""}},
		{"colon first", ":a", []string{":a"}},
		{"nul and invalid bytes", "\x00\xff", []string{"\x00\xff"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(ssewire.AppendComment([]byte("data: a\n"), []byte(c.text)))
			rest, ok := strings.CutPrefix(got, "data: a\n")
			if !ok || !strings.HasSuffix(rest, "\n") {
				t.Fatalf("got %q", got)
			}
			var lines []string
			for line := range strings.Lines(rest) {
				text, ok := strings.CutPrefix(line, ":")
				if !ok {
					t.Errorf("line %q is no comment", line)
				}
				lines = append(lines, strings.TrimPrefix(strings.TrimSuffix(text, "\n"), " "))
			}
			if !slices.Equal(lines, c.lines) {
				t.Errorf("comment lines %q, want %q", lines, c.lines)
			}
			// Inside a block it changes nothing of it.
			if o, want := readBack(t, []byte(got+"data: b\n\n")), []event{{"message", "a\nb", "0"}}; !slices.Equal(o.events, want) {
				t.Errorf("reads as %q, want %q", o.events, want)
			}
		})
	}
}

func TestAppendReconnectionTime(t *testing.T) {
	for _, c := range []struct {
		name    string
		d, want time.Duration
	}{
		{"milliseconds", 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"zero", 0, 0},
		{"rounded down", 2*time.Millisecond - 1, time.Millisecond},
		{"below one", 999 * time.Microsecond, 0},
		{"negative", -time.Second, 0},
		{"most negative", math.MinInt64, 0},
		{"an hour", time.Hour, time.Hour},
		{"longest", longestDuration, longestDuration.Truncate(time.Millisecond)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ssewire.AppendReconnectionTime([]byte("data: a\n\n"), c.d)
			o := readBack(t, append(got, "data: b\n\n"...))
			want := outcome{events: []event{{"message", "a", "0"}, {"message", "b", "0"}}, lastID: "0", retry: c.want, retrySet: true}
			if !o.equal(want) {
				t.Errorf("%q reads as %v\nwant%v", got, o, want)
			}
		})
	}
}

// Where there is room, nothing is allocated.
func TestAppendAllocatesNothing(t *testing.T) {
	ev := ssewire.Event{Type: []byte("tick"), Data: []byte("one\ntwo\r\nthree"), ID: []byte("17")}
	room := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		b, err := ssewire.AppendEvent(room, ev)
		if err != nil {
			t.Fatal(err)
		}
		b = ssewire.AppendComment(b, ev.Data)
		b = ssewire.AppendReconnectionTime(b, time.Minute)
		if &b[0] != &room[:1][0] {
			t.Fatal("the room was not used")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// writes is a writer that keeps each Write apart.
type writes struct{ each []string }

func (w *writes) Write(p []byte) (int, error) {
	w.each = append(w.each, string(p))
	return len(p), nil
}

// flusher is a writer that says when it is flushed.
type flusher struct {
	writes
	fail error
}

func (w *flusher) Flush() error {
	w.each = append(w.each, "<flush>")
	return w.fail
}

// silentFlusher flushes without an error, as http.Flusher does.
type silentFlusher struct{ writes }

func (w *silentFlusher) Flush() { w.each = append(w.each, "<flush>") }

func TestWriter(t *testing.T) {
	send := func(t *testing.T, w io.Writer) {
		t.Helper()
		sse := ssewire.NewWriter(w)
		for _, err := range []error{
			sse.WriteEvent(ssewire.Event{ID: []byte("1")}),
			sse.WriteEvent(ssewire.Event{Type: []byte("tick"), Data: []byte("a\nb"), ID: []byte("2")}),
			sse.WriteComment([]byte("c")),
			sse.WriteReconnectionTime(5 * time.Millisecond),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	}
	var want []string
	id, _ := ssewire.AppendEvent(nil, ssewire.Event{ID: []byte("1")})
	tick, _ := ssewire.AppendEvent(nil, ssewire.Event{Type: []byte("tick"), Data: []byte("a\nb"), ID: []byte("2")})
	for _, p := range [][]byte{id, tick, ssewire.AppendComment(nil, []byte("c")), ssewire.AppendReconnectionTime(nil, 5*time.Millisecond)} {
		want = append(want, string(p))
	}
	var flushed []string
	for _, p := range want {
		flushed = append(flushed, p, "<flush>")
	}

	t.Run("one write for each", func(t *testing.T) {
		var w writes
		if send(t, &w); !slices.Equal(w.each, want) {
			t.Errorf("got %q, want %q", w.each, want)
		}
	})
	t.Run("Flush with an error", func(t *testing.T) {
		var w flusher
		if send(t, &w); !slices.Equal(w.each, flushed) {
			t.Errorf("got %q, want %q", w.each, flushed)
		}
	})
	t.Run("Flush without an error", func(t *testing.T) {
		var w silentFlusher
		if send(t, &w); !slices.Equal(w.each, flushed) {
			t.Errorf("got %q, want %q", w.each, flushed)
		}
	})
	t.Run("bufio.Writer", func(t *testing.T) {
		var w bytes.Buffer
		send(t, bufio.NewWriter(&w))
		if got := w.String(); got != strings.Join(want, "") {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// plainResponse is a ResponseWriter that can do nothing else.
type plainResponse struct {
	header http.Header
	writes
}

func (w *plainResponse) Header() http.Header { return w.header }
func (w *plainResponse) WriteHeader(int)     {}

// flushableResponse is one with http.Flusher.
type flushableResponse struct{ plainResponse }

func (w *flushableResponse) Flush() { w.each = append(w.each, "<flush>") }

// errorResponse is one with FlushError, as the server's own have it.
type errorResponse struct {
	flushableResponse
	fail error
}

func (w *errorResponse) FlushError() error {
	w.each = append(w.each, "<flush error>")
	return w.fail
}

// wrapped is what middleware makes of a ResponseWriter.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestWriterFlushesResponses(t *testing.T) {
	event := ssewire.Event{Data: []byte("a")}
	newPlain := func() plainResponse { return plainResponse{header: make(http.Header)} }
	for _, c := range []struct {
		name string
		make func() (http.ResponseWriter, *writes)
		want []string
	}{
		{"Flusher", func() (http.ResponseWriter, *writes) {
			w := &flushableResponse{newPlain()}
			return w, &w.writes
		}, []string{"data: a\n\n", "<flush>"}},
		{"FlushError before Flush", func() (http.ResponseWriter, *writes) {
			w := &errorResponse{flushableResponse: flushableResponse{newPlain()}}
			return w, &w.writes
		}, []string{"data: a\n\n", "<flush error>"}},
		{"wrapped", func() (http.ResponseWriter, *writes) {
			w := &flushableResponse{newPlain()}
			return wrapped{w}, &w.writes
		}, []string{"data: a\n\n", "<flush>"}},
		{"wrapped twice", func() (http.ResponseWriter, *writes) {
			w := &errorResponse{flushableResponse: flushableResponse{newPlain()}}
			return wrapped{wrapped{w}}, &w.writes
		}, []string{"data: a\n\n", "<flush error>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, log := c.make()
			if err := ssewire.NewWriter(w).WriteEvent(event); err != nil {
				t.Error(err)
			}
			if !slices.Equal(log.each, c.want) {
				t.Errorf("got %q, want %q", log.each, c.want)
			}
		})
	}
	t.Run("cannot be flushed", func(t *testing.T) {
		plain := newPlain()
		for _, w := range []http.ResponseWriter{&plain, wrapped{&plain}} {
			if err := ssewire.NewWriter(w).WriteEvent(event); !errors.Is(err, http.ErrNotSupported) {
				t.Errorf("%T: error %v does not wrap http.ErrNotSupported", w, err)
			}
		}
	})
	t.Run("flush fails", func(t *testing.T) {
		w := &errorResponse{flushableResponse: flushableResponse{newPlain()}, fail: errLost}
		if err := ssewire.NewWriter(wrapped{w}).WriteEvent(event); !errors.Is(err, errLost) {
			t.Errorf("error %v does not wrap %v", err, errLost)
		}
	})
}

func TestWriterSetsHeaders(t *testing.T) {
	for _, c := range []struct {
		name                string
		contentType, cache  string
		wantType, wantCache string
	}{
		{"unless they are set", "", "", "text/event-stream", "no-store"},
		{"not over a content type", "text/event-stream; charset=utf-8", "", "text/event-stream; charset=utf-8", "no-store"},
		{"not over a cache control", "", "no-cache", "text/event-stream", "no-cache"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			for name, value := range map[string]string{"Content-Type": c.contentType, "Cache-Control": c.cache} {
				if value != "" {
					rec.Header().Set(name, value)
				}
			}
			ssewire.NewWriter(wrapped{rec})
			if got := rec.Header().Get("Content-Type"); got != c.wantType {
				t.Errorf("Content-Type %q, want %q", got, c.wantType)
			}
			if got := rec.Header().Get("Cache-Control"); got != c.wantCache {
				t.Errorf("Cache-Control %q, want %q", got, c.wantCache)
			}
		})
	}
}

func TestWriterErrors(t *testing.T) {
	event := ssewire.Event{Data: []byte("a")}
	all := func(t *testing.T, w io.Writer) {
		t.Helper()
		sse := ssewire.NewWriter(w)
		for name, err := range map[string]error{
			"WriteEvent":            sse.WriteEvent(event),
			"WriteComment":          sse.WriteComment([]byte("c")),
			"WriteReconnectionTime": sse.WriteReconnectionTime(time.Second),
		} {
			if !errors.Is(err, errLost) || errors.Is(err, ssewire.ErrUnwritable) {
				t.Errorf("%s: error %v, want one that wraps %q and not ErrUnwritable", name, err, errLost)
			}
		}
	}
	t.Run("of Write", func(t *testing.T) { all(t, failing{}) })
	t.Run("of Flush", func(t *testing.T) { all(t, &flusher{fail: errLost}) })
	t.Run("behind a bufio.Writer", func(t *testing.T) { all(t, bufio.NewWriter(failing{})) })
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errLost }

// After an event that it has refused a Writer goes on.
func TestWriterGoesOnAfterUnwritable(t *testing.T) {
	var w writes
	sse := ssewire.NewWriter(&w)
	if err := sse.WriteEvent(ssewire.Event{Data: []byte("lost"), ID: []byte("\n")}); !errors.Is(err, ssewire.ErrUnwritable) {
		t.Error(err)
	}
	if err := sse.WriteEvent(ssewire.Event{Data: []byte("a")}); err != nil {
		t.Error(err)
	}
	if want := []string{"data: a\n\n"}; !slices.Equal(w.each, want) {
		t.Errorf("written %q, want %q", w.each, want)
	}
}

// counter is a ResponseWriter that allocates nothing of its own.
type counter struct {
	header          http.Header
	writes, flushes int
}

func (w *counter) Header() http.Header { return w.header }
func (w *counter) WriteHeader(int)     {}
func (w *counter) FlushError() error   { w.flushes++; return nil }
func (w *counter) Write(p []byte) (int, error) {
	w.writes++
	return len(p), nil
}

func TestWriterAllocatesNothing(t *testing.T) {
	w := &counter{header: make(http.Header)}
	for name, dst := range map[string]io.Writer{"plain": io.Discard, "bufio.Writer": bufio.NewWriter(io.Discard), "response": w, "wrapped response": wrapped{w}} {
		sse := ssewire.NewWriter(dst)
		ev := ssewire.Event{Type: []byte("tick"), Data: bytes.Repeat([]byte("line\n"), 2000), ID: []byte("17")}
		comment := []byte("keep-alive")
		if n := testing.AllocsPerRun(100, func() {
			if sse.WriteEvent(ev) != nil || sse.WriteComment(comment) != nil || sse.WriteReconnectionTime(time.Second) != nil {
				t.Fatal("cannot write")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations an event, want none", name, n)
		}
	}
	if w.writes == 0 || w.flushes != w.writes {
		t.Errorf("%d writes and %d flushes, want as many", w.writes, w.flushes)
	}
}

// An event reaches the client while the handler is still at work.
func TestWriterOverHTTP(t *testing.T) {
	received := make(chan bool)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		sse := ssewire.NewWriter(wrapped{w})
		for _, data := range []string{"first", "second"} {
			if err := sse.WriteEvent(ssewire.Event{Data: []byte(data)}); err != nil {
				t.Error(err)
			}
			select {
			case <-received:
			case <-req.Context().Done():
				t.Error("the client has gone before it had", data)
			}
		}
	}))
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // what is not flushed never comes
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %q", got)
	}
	r := ssewire.NewReader(resp.Body)
	var got []event
	for r.Next() {
		got = append(got, seen(r.Event()))
		received <- true
	}
	if want := msgs("first", "second"); r.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, r.Err(), want)
	}
}
