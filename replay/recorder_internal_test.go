package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A program may make requests for ever: what has ended, a Recorder forgets.
func TestRecorderForgets(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name string
		body io.Reader // nil where there is no response
		use  func(body io.ReadCloser)
	}{
		{"read to its end", strings.NewReader("abc"), func(body io.ReadCloser) { io.Copy(io.Discard, body) }},
		{"closed", strings.NewReader("abc"), func(body io.ReadCloser) { body.Close() }},
		{"broken", iotest.ErrReader(broken), func(body io.ReadCloser) { io.Copy(io.Discard, body) }},
		{"no response", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewRecorder(io.Discard, roundTrip(func(*http.Request) (*http.Response, error) {
				if tt.body == nil {
					return nil, broken
				}
				return &http.Response{StatusCode: 200, ContentLength: -1, Body: io.NopCloser(tt.body)}, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequest("GET", "http://h/", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := r.RoundTrip(req)
			if tt.body != nil {
				if err != nil || len(r.open) != 1 {
					t.Fatalf("%d exchanges are open, %v", len(r.open), err)
				}
				tt.use(resp.Body)
			}
			if len(r.open) > 0 {
				t.Errorf("%d exchanges are kept", len(r.open))
			}
		})
	}
}

// overdue is a context that does not say so yet when its deadline has passed.
type overdue struct {
	context.Context
	deadline time.Time
}

func (o overdue) Deadline() (time.Time, bool) { return o.deadline, true }

func TestRecorderEndOf(t *testing.T) {
	broken := errors.New("broken")
	byChannel := errors.New("net/http: request canceled")
	synctest.Test(t, func(t *testing.T) {
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		for _, tt := range []struct {
			name string
			ctx  context.Context
			err  error
			want End
		}{
			{"the end", t.Context(), io.EOF, EndEOF},
			{"a break", t.Context(), broken, EndReset},
			{"a break in time", overdue{t.Context(), time.Now().Add(1)}, broken, EndReset},
			{"at the deadline, which the context does not tell yet", overdue{t.Context(), time.Now()}, broken, EndTimeout},
			{"behind it", overdue{t.Context(), time.Now().Add(-time.Hour)}, broken, EndTimeout},
			{"the end, behind the deadline", overdue{t.Context(), time.Now()}, io.EOF, EndEOF},
			{"canceled behind the deadline", overdue{canceled, time.Now()}, broken, EndCanceled},
			{"a timeout", t.Context(), os.ErrDeadlineExceeded, EndTimeout},
			{"the context's own", t.Context(), context.DeadlineExceeded, EndTimeout},
			{"canceled", t.Context(), context.Canceled, EndCanceled},
			{"canceled, with another error", canceled, broken, EndCanceled},
			{"by Request.Cancel", t.Context(), byChannel, EndCanceled},
			{"by Request.Cancel, while it waited for a connection", t.Context(), fmt.Errorf("%w while waiting for connection", byChannel), EndCanceled},
			{"by Request.Cancel at the deadline", overdue{t.Context(), time.Now()}, byChannel, EndTimeout},
		} {
			if got := endOf(tt.ctx, tt.err); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
			}
		}
	})
}

// Moments are those of the monotonic clock: a step of the wall clock is not in a reel, whether
// it is begun or gone on with.
func TestRecorderClock(t *testing.T) {
	begun, err := NewRecorder(new(bytes.Buffer), nil)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "my.reel")
	if err := os.WriteFile(name, []byte(firstLine+"\n> 1 +5 GET /a\n< 1 +0 200\n. 1 +0 eof\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reel, err := OpenReel(name, ModeAuto, ReelOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer reel.Close()
	resumed := reel.record()
	if resumed == nil {
		t.Fatal(reel.Err())
	}
	for name, r := range map[string]*Recorder{"begun": begun, "gone on with": resumed} {
		if text := r.start.String(); !strings.Contains(text, " m=") {
			t.Errorf("%s: it starts at %s, by the wall clock", name, text)
		}
	}
	if now := resumed.now(); now < 5*time.Second || now > time.Minute {
		t.Errorf("it goes on at %v, want 5s", now)
	}
}
