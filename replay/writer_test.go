package replay_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

var errFull = errors.New("no space left on device")

// disk is an io.Writer that has room for so many bytes. What goes beyond it is
// cut off, with errFull or, if it is sloppy, without an error.
type disk struct {
	bytes.Buffer
	room   int
	sloppy bool
	calls  int
	after  int // calls after the one that failed
	failed bool
}

func (d *disk) Write(p []byte) (int, error) {
	d.calls++
	if d.failed {
		d.after++
	}
	n, _ := d.Buffer.Write(p[:min(len(p), d.room-d.Len())])
	if n == len(p) {
		return n, nil
	}
	d.failed = true
	if d.sloppy {
		return n, nil
	}
	return n, errFull
}

// sample is what most tests of the Writer write.
var sample = []record{
	{kind: requestKind, number: 1, at: 0, method: "GET", url: "/a", header: http.Header{"Accept": {"text/event-stream"}}},
	{kind: requestKind, number: 2, at: 1, method: "POST", url: "/b"},
	{kind: requestReadKind, number: 2, at: 2, data: "a=b"},
	{kind: responseKind, number: 1, at: 3, status: 200, header: http.Header{"Content-Type": {"text/event-stream"}}},
	{kind: readKind, number: 1, at: 4, data: "data: one\n\ndata: two\n\ndata: thr"},
	{kind: endKind, number: 2, at: 5, end: replay.EndReset, cause: "connection refused"},
	{kind: readKind, number: 1, at: 6, data: "ee\n\n"},
	{kind: endKind, number: 1, at: 7, end: replay.EndEOF},
}

// A disk that is full: the first error is every call's, nothing more is written,
// and what was written before is loaded.
func TestWriterDiskFull(t *testing.T) {
	whole := reel(t, time.Time{}, nil, sample)
	for _, sloppy := range []bool{false, true} {
		for room := range whole.Len() {
			d := &disk{room: room, sloppy: sloppy}
			want := errFull
			if sloppy {
				want = io.ErrShortWrite
			}
			w, err := replay.NewWriter(d, time.Time{})
			if room < whole.ends[0] {
				if !errors.Is(err, want) {
					t.Errorf("room for %d bytes: NewWriter returns %v, want %q", room, err, want)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = write(w, sample)
			closed := w.Close()
			if !errors.Is(closed, want) {
				t.Errorf("room for %d bytes: Close returns %v, want %q", room, closed, want)
			}
			if err := w.Err(); !errors.Is(err, want) {
				t.Errorf("room for %d bytes: Err is %v, want %q", room, err, want)
			}
			if d.after > 0 {
				t.Errorf("room for %d bytes: %d writes after the error", room, d.after)
			}
			if got := d.String(); got != whole.String()[:room] {
				t.Errorf("room for %d bytes: wrote %q", room, got)
			}
			n, _ := slices.BinarySearch(whole.ends, room+1)
			rec, err := load(d.String())
			if rec == nil {
				t.Errorf("room for %d bytes: %v", room, err)
				continue
			}
			for i, x := range model(sample[:min(n-1, len(sample))]) {
				if got := contents(t, rec)[i]; len(got.Reads) != len(x.Reads) || got.End != x.End {
					t.Errorf("room for %d bytes: exchange %d has %d reads and ends with %q, want %d and %q",
						room, x.Number, len(got.Reads), got.End, len(x.Reads), x.End)
				}
			}
		}
	}
}

func TestWriterFirstErrorStays(t *testing.T) {
	whole := reel(t, time.Time{}, nil, sample)
	d := &disk{room: whole.ends[4] + 1}
	w, err := replay.NewWriter(d, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := w.Exchange(0, "GET", "/a", sample[0].header)
	if err != nil || w.Err() != nil {
		t.Fatal(err, w.Err())
	}
	err = x.Response(0, 200, http.Header{"X-Long": {strings.Repeat("x", whole.Len())}})
	if !errors.Is(err, errFull) {
		t.Fatalf("Response returns %v, want %q", err, errFull)
	}
	d.room = 1 << 20 // there is room again, but the reel has a hole
	for name, err := range map[string]error{
		"Read": x.ResponseBody(1, []byte("x")), "RequestBody": x.RequestBody(1, []byte("x")), "End": x.End(1, replay.EndEOF, nil),
		"Comment": w.Comment("x"), "Err": w.Err(), "Close": w.Close(),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s returns %v, want %q", name, err, errFull)
		}
	}
	y, err := w.Exchange(1, "GET", "/b", nil)
	if y == nil || !errors.Is(err, errFull) {
		t.Errorf("Exchange returns %v, %v; want an ExchangeWriter and %q", y, err, errFull)
	}
	if err := y.Response(1, 200, nil); !errors.Is(err, errFull) {
		t.Errorf("that one's Response returns %v, want %q", err, errFull)
	}
	if d.after > 0 {
		t.Errorf("%d writes after the error", d.after)
	}
}

// Each record goes to the underlying writer with one Write, and ends there.
func TestWriterOneWriteARecord(t *testing.T) {
	log := new(writeLog)
	w, err := replay.NewWriter(log, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	x := new(replay.ExchangeWriter)
	for _, c := range []struct {
		name string
		call func() error
		want int
	}{
		{"Comment", func() error { return w.Comment("one\ntwo") }, 1},
		{"Exchange", func() error {
			x, err = w.Exchange(1, "GET", "/", http.Header{"A": {"1", "2"}, "B": {"3"}})
			return err
		}, 1},
		{"RequestBody", func() error { return x.RequestBody(2, []byte("a\nb\nc")) }, 1},
		{"Response", func() error { return x.Response(3, 200, http.Header{"A": {"1", "2"}, "B": {"3"}}) }, 1},
		{"Read", func() error { return x.ResponseBody(4, []byte("a\nb\r\nc")) }, 1},
		{"a Read of nothing", func() error { return x.ResponseBody(5, nil) }, 1},
		{"a large Read", func() error {
			return x.ResponseBody(6, []byte(strings.Repeat("line\n", 1<<15)+strings.Repeat("x", 3<<19)))
		}, 1},
		{"a Read as base64", func() error { return x.ResponseBody(7, make([]byte, 1<<18)) }, 1},
		{"End", func() error { return x.End(8, replay.EndEOF, errors.New("x\ny")) }, 1},
		{"a second End", func() error { return x.End(9, replay.EndReset, nil) }, 0},
		{"Close", w.Close, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(log.ends)
			if err := c.call(); err != nil {
				t.Fatal(err)
			}
			if got := len(log.ends) - before; got != c.want {
				t.Errorf("%d writes, want %d", got, c.want)
			}
			if !bytes.HasSuffix(log.Bytes(), []byte("\n")) {
				t.Error("what is written does not end its line")
			}
		})
	}
	mustLoad(t, log.String())
}

func TestWriterStart(t *testing.T) {
	for _, c := range []struct {
		name  string
		start time.Time
		want  string
	}{
		{"zero", time.Time{}, "reel 1\n"},
		{"the epoch", time.Unix(0, 0), "reel 1\n@ 1970-01-01T00:00:00Z\n"},
		{"in a zone", time.Date(2026, 5, 7, 18, 10, 57, 0, time.FixedZone("CEST", 7200)), "reel 1\n@ 2026-05-07T16:10:57Z\n"},
		{"nanoseconds", time.Date(2026, 5, 7, 16, 10, 57, 100200300, time.UTC), "reel 1\n@ 2026-05-07T16:10:57.1002003Z\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			if _, err := replay.NewWriter(&b, c.start); err != nil {
				t.Fatal(err)
			}
			if b.String() != c.want {
				t.Errorf("wrote %q, want %q", b.String(), c.want)
			}
			if got := mustLoad(t, b.String()).Start(); !got.Equal(c.start) {
				t.Errorf("Start is %v, want %v", got, c.start)
			}
		})
	}
	// RFC 3339 has no such years: an error, or no clock, but no reel that is damaged.
	for _, year := range []int{-1, 10000} {
		t.Run(fmt.Sprintf("the year %d", year), func(t *testing.T) {
			var b strings.Builder
			if _, err := replay.NewWriter(&b, time.Date(year, 5, 7, 0, 0, 0, 0, time.UTC)); err != nil {
				return
			}
			mustLoad(t, b.String())
		})
	}
}

func TestWriterComment(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"composed", "# composed\n"},
		{"one\ntwo", "# one\n# two\n"},
		{"one\n\nthree", "# one\n#\n# three\n"},
		{" indented", "#  indented\n"},
		{"= 1 +0 7", "# = 1 +0 7\n"},
		{"日本", "# 日本\n"},
	} {
		var b strings.Builder
		w, _ := replay.NewWriter(&b, time.Time{})
		if err := w.Comment(c.text); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimPrefix(b.String(), version); got != c.want {
			t.Errorf("Comment(%q) writes %q, want %q", c.text, got, c.want)
		}
		if got := strings.Join(mustLoad(t, b.String()).Comments(), "\n"); got != c.text {
			t.Errorf("Comment(%q) is loaded as %q", c.text, got)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"\n", "\n"},
		{`C:\temp\dir`, `C:\temp\dir`},
		{`\n`, `\n`},
		{`\\`, `\\`},
		{`a\`, `a\`},
		{"\r\n", "\\r\n"},
		{"a\rb", `a\rb`},
		{"\x00\xff", `\x00\xff`},
		{"a\r\n= 1 +0", "a\\r\n= 1 +0"},
		{"\u2028\ufeff", `\xe2\x80\xa8\xef\xbb\xbf`},
	} {
		var b strings.Builder
		w, _ := replay.NewWriter(&b, time.Time{})
		if err := errors.Join(w.Comment(c.text), w.Close()); err != nil {
			t.Errorf("Comment(%q): %v", c.text, err)
		}
		rec, err := load(b.String())
		if err != nil || len(rec.Exchanges()) > 0 {
			t.Errorf("behind Comment(%q) the reel is %q: %v", c.text, b.String(), err)
			continue
		}
		if got := strings.Join(rec.Comments(), "\n"); got != c.want {
			t.Errorf("Comment(%q) is loaded as %q, want %q, from %q", c.text, got, c.want, b.String())
		}
	}
	t.Run("between records", func(t *testing.T) {
		var b strings.Builder
		w, _ := replay.NewWriter(&b, time.Time{})
		err := w.Comment("one")
		x, err2 := w.Exchange(0, "GET", "/", nil)
		err = errors.Join(err, err2, w.Comment("two"), x.Response(0, 200, nil), x.ResponseBody(0, []byte("data: 1\n\n")), w.Comment("three"), x.End(0, replay.EndEOF, nil), w.Comment("four"))
		if err != nil {
			t.Fatal(err)
		}
		rec := mustLoad(t, b.String())
		if got, want := rec.Comments(), []string{"one", "two", "three", "four"}; !slices.Equal(got, want) {
			t.Errorf("Comments are %q, want %q", got, want)
		}
		if got := contents(t, rec)[0].body(); got != "data: 1\n\n" {
			t.Errorf("the body is %q", got)
		}
	})
}

// A moment that lies before that of the record before it is taken to be equal.
func TestWriterMomentsGoingBack(t *testing.T) {
	var b strings.Builder
	w, _ := replay.NewWriter(&b, time.Time{})
	x, err := w.Exchange(-time.Hour, "GET", "/x", nil)
	y, err2 := w.Exchange(2*time.Second, "GET", "/y", nil)
	err = errors.Join(err, err2,
		x.RequestBody(time.Second, []byte("q")),
		x.Response(2500*time.Millisecond, 200, nil),
		x.ResponseBody(0, []byte("a")),
		y.Response(2400*time.Millisecond, 204, nil),
		x.ResponseBody(3*time.Second, []byte("b")),
		y.End(-1, replay.EndEOF, nil),
		x.End(4*time.Second, replay.EndEOF, nil),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []exchange{
		{Number: 1, Method: "GET", URL: "/x", RequestReads: []piece{{2e9, "q"}}, Received: 25e8, Status: 200,
			Reads: []piece{{25e8, "a"}, {3e9, "b"}}, Ended: 4e9, End: replay.EndEOF},
		{Number: 2, Sent: 2e9, Method: "GET", URL: "/y", Received: 25e8, Status: 204, Ended: 3e9, End: replay.EndEOF},
	}
	if d := diff(want, contents(t, mustLoad(t, b.String()))); d != "" {
		t.Error(d)
	}
}

func TestWriterAfterEnd(t *testing.T) {
	log := new(writeLog)
	w, _ := replay.NewWriter(log, time.Time{})
	x, err := w.Exchange(0, "GET", "/", nil)
	err = errors.Join(err, x.Response(1, 200, nil), x.ResponseBody(2, []byte("a")), x.End(3, replay.EndReset, errors.New("first")))
	if err != nil {
		t.Fatal(err)
	}
	size := log.Len()
	if err := x.End(4, replay.EndEOF, errors.New("second")); err != nil {
		t.Errorf("a second End returns %v", err)
	}
	_ = x.Response(5, 500, nil)
	_ = x.ResponseBody(6, []byte("b"))
	_ = x.RequestBody(7, []byte("c"))
	if log.Len() != size {
		t.Errorf("behind its end the exchange writes %q", log.Bytes()[size:])
	}
	if w.Err() != nil {
		t.Errorf("Err is %v", w.Err())
	}
	y, err := w.Exchange(8, "GET", "/", nil)
	if err := errors.Join(err, y.End(9, replay.EndEOF, nil), w.Close()); err != nil {
		t.Errorf("the next exchange: %v", err)
	}
	if got := contents(t, mustLoad(t, log.String())); len(got) != 2 || got[0].End != replay.EndReset || got[0].Cause != "first" {
		t.Errorf("%+v", got)
	}
}

func TestWriterAfterClose(t *testing.T) {
	log := new(writeLog)
	w, _ := replay.NewWriter(log, time.Time{})
	x, err := w.Exchange(0, "GET", "/", nil)
	if err := errors.Join(err, x.Response(1, 200, nil), w.Close()); err != nil {
		t.Fatal(err)
	}
	size := log.Len()
	_ = x.ResponseBody(2, []byte("a"))
	_ = x.RequestBody(2, []byte("a"))
	_ = x.End(3, replay.EndEOF, nil)
	_ = w.Comment("late")
	_ = w.Close()
	y, _ := w.Exchange(4, "GET", "/", nil)
	if y == nil {
		t.Error("Exchange returns no ExchangeWriter")
	} else {
		_ = y.Response(5, 200, nil)
	}
	if log.Len() != size {
		t.Errorf("behind the seal it writes %q", log.Bytes()[size:])
	}
	rec, err := load(log.String())
	if !errors.Is(err, replay.ErrTruncated) || !rec.Sealed() || rec.Exchanges()[0].End != replay.EndUnknown {
		t.Errorf("an exchange that has not ended does not stay so: %v, sealed %v", err, rec.Sealed())
	}
}

// Whatever a program hands to the Writer, and in whatever order, what it writes is
// no damaged reel: what cannot be written is refused.
func TestWriterRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		call func(w *replay.Writer, x *replay.ExchangeWriter) error
		err  bool // it has to be an error
	}{
		{"no method", func(w *replay.Writer, _ *replay.ExchangeWriter) error {
			_, err := w.Exchange(0, "", "/", nil)
			return err
		}, true},
		{"a method with a space", func(w *replay.Writer, _ *replay.ExchangeWriter) error {
			_, err := w.Exchange(0, "GET /", "/", nil)
			return err
		}, true},
		{"a method with an LF", func(w *replay.Writer, _ *replay.ExchangeWriter) error {
			_, err := w.Exchange(0, "GET\n$", "/", nil)
			return err
		}, true},
		{"a method beyond ASCII", func(w *replay.Writer, _ *replay.ExchangeWriter) error {
			_, err := w.Exchange(0, "GÉT", "/", nil)
			return err
		}, true},
		{"no URL", func(w *replay.Writer, _ *replay.ExchangeWriter) error {
			x, err := w.Exchange(0, "GET", "", nil)
			return errors.Join(err, x.End(0, replay.EndEOF, nil))
		}, false},
		{"a header whose name is no token", func(w *replay.Writer, _ *replay.ExchangeWriter) error {
			x, err := w.Exchange(0, "GET", "/", http.Header{"A b": {"c"}, "": {"d"}, "e\nf": {"g"}, "h:i": {"j"}})
			return errors.Join(err, x.End(0, replay.EndEOF, nil))
		}, false},
		{"the status 0", func(_ *replay.Writer, x *replay.ExchangeWriter) error { return x.Response(0, 0, nil) }, true},
		{"the status -1", func(_ *replay.Writer, x *replay.ExchangeWriter) error { return x.Response(0, -1, nil) }, true},
		{"the status 99", func(_ *replay.Writer, x *replay.ExchangeWriter) error { return x.Response(0, 99, nil) }, true},
		{"the status 1000", func(_ *replay.Writer, x *replay.ExchangeWriter) error { return x.Response(0, 1000, nil) }, true},
		{"a read behind a bad status", func(_ *replay.Writer, x *replay.ExchangeWriter) error {
			return errors.Join(x.Response(0, 0, nil), x.ResponseBody(0, []byte("x")))
		}, true},
		{"a read without a response", func(_ *replay.Writer, x *replay.ExchangeWriter) error { return x.ResponseBody(0, []byte("x")) }, true},
		{"two responses", func(_ *replay.Writer, x *replay.ExchangeWriter) error {
			return errors.Join(x.Response(0, 200, nil), x.Response(0, 200, nil))
		}, true},
		{"a response behind a read", func(_ *replay.Writer, x *replay.ExchangeWriter) error {
			return errors.Join(x.Response(0, 200, nil), x.ResponseBody(0, nil), x.Response(0, 200, nil))
		}, true},
		{"no ending", func(_ *replay.Writer, x *replay.ExchangeWriter) error { return x.End(0, replay.EndUnknown, nil) }, false},
		{"an unknown ending", func(_ *replay.Writer, x *replay.ExchangeWriter) error { return x.End(0, "finished", nil) }, true},
		{"an ending with an LF", func(_ *replay.Writer, x *replay.ExchangeWriter) error { return x.End(0, "eof\n$", nil) }, true},
		{"a moment that no reel has", func(_ *replay.Writer, x *replay.ExchangeWriter) error {
			return errors.Join(x.Response(1<<63-1, 200, nil), x.ResponseBody(1<<63-1, []byte("x")))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			w, _ := replay.NewWriter(&b, time.Time{})
			x, err := w.Exchange(0, "GET", "/open", nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.call(w, x); c.err && err == nil {
				t.Error("there is no error")
			}
			if _, err := load(b.String()); errors.Is(err, replay.ErrDamaged) {
				t.Errorf("it wrote %q: %v", b.String(), err)
			}
		})
	}
	t.Run("names of headers that HTTP does not allow are left out", func(t *testing.T) {
		var b strings.Builder
		w, _ := replay.NewWriter(&b, time.Time{})
		h := http.Header{"A b": {"1"}, "": {"2"}, "C:": {"3"}, "D\n": {"4"}, "É": {"5"}, "Fine": {"6"}}
		x, err := w.Exchange(0, "GET", "/", h)
		if err := errors.Join(err, x.Response(0, 200, h), x.End(0, replay.EndEOF, nil)); err != nil {
			t.Fatal(err)
		}
		got, want := contents(t, mustLoad(t, b.String()))[0], http.Header{"Fine": {"6"}}
		if fmt.Sprint(got.RequestHeader) != fmt.Sprint(want) || fmt.Sprint(got.Header) != fmt.Sprint(want) {
			t.Errorf("the headers are %q and %q, want %q", got.RequestHeader, got.Header, want)
		}
	})
	t.Run("a call out of order writes nothing, and those in order go on", func(t *testing.T) {
		log := new(writeLog)
		w, _ := replay.NewWriter(log, time.Time{})
		x, _ := w.Exchange(0, "GET", "/", nil)
		size := log.Len()
		if err := x.ResponseBody(0, []byte("early")); err == nil || log.Len() != size {
			t.Errorf("a read without a response: %v, wrote %q", err, log.Bytes()[size:])
		}
		if err := x.Response(1, 200, nil); err != nil {
			t.Fatal(err)
		}
		size = log.Len()
		if err := x.Response(2, 404, nil); err == nil || log.Len() != size {
			t.Errorf("a second response: %v, wrote %q", err, log.Bytes()[size:])
		}
		if err := errors.Join(x.ResponseBody(3, []byte("x")), x.End(4, replay.EndEOF, nil), w.Err(), w.Close()); err != nil {
			t.Errorf("what is in order: %v", err)
		}
		want := []exchange{{Number: 1, Method: "GET", URL: "/", Received: 1, Status: 200, Reads: []piece{{3, "x"}}, Ended: 4, End: replay.EndEOF}}
		if d := diff(want, contents(t, mustLoad(t, log.String()))); d != "" {
			t.Error(d)
		}
	})
	t.Run("and goes on", func(t *testing.T) {
		var b strings.Builder
		w, _ := replay.NewWriter(&b, time.Time{})
		bad, err := w.Exchange(0, "G T", "/bad", nil)
		if bad == nil || err == nil {
			t.Fatalf("Exchange returns %v, %v; want an ExchangeWriter and an error", bad, err)
		}
		_ = bad.Response(0, 200, nil)
		_ = bad.ResponseBody(0, []byte("x"))
		_ = bad.End(0, replay.EndEOF, nil)
		good, err := w.Exchange(0, "GET", "/good", nil)
		if err := errors.Join(err, good.Response(0, 200, nil), good.End(0, replay.EndEOF, nil), w.Close()); err != nil {
			t.Errorf("a bad argument stops the writing: %v", err)
		}
		if got := contents(t, mustLoad(t, b.String())); len(got) != 1 || got[0].URL != "/good" {
			t.Errorf("%+v", got)
		}
	})
}

// Any calls in any order give a reel that is not damaged.
func TestWriterAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var b, calls strings.Builder
		w, _ := replay.NewWriter(&b, time.Time{})
		x, _ := w.Exchange(0, "GET", "/0", nil)
		open := []*replay.ExchangeWriter{x}
		for range rng.IntN(12) {
			x := open[rng.IntN(len(open))]
			at := time.Duration(rng.IntN(1000))
			switch call := rng.IntN(7); call {
			case 0:
				x, _ = w.Exchange(at, "GET", "/", nil)
				open = append(open, x)
				calls.WriteString(" Exchange")
			case 1:
				_ = x.Response(at, 200, nil)
				calls.WriteString(" Response")
			case 2, 3:
				_ = x.ResponseBody(at, []byte("x"))
				calls.WriteString(" Read")
			case 4:
				_ = x.RequestBody(at, []byte("y\n"))
				calls.WriteString(" RequestBody")
			case 5:
				_ = x.End(at, replay.EndEOF, nil)
				calls.WriteString(" End")
			case 6:
				_ = w.Comment("z")
				calls.WriteString(" Comment")
			}
		}
		_ = w.Close()
		if _, err := load(b.String()); errors.Is(err, replay.ErrDamaged) {
			t.Fatalf("seed %d:%s: %v\n%s", seed, calls.String(), err, b.String())
		}
	}
}

// Read does not keep what it is given.
func TestWriterKeepsNothing(t *testing.T) {
	var b bytes.Buffer
	w, _ := replay.NewWriter(&b, time.Time{})
	x, _ := w.Exchange(0, "GET", "/", nil)
	_ = x.Response(0, 200, nil)
	buf := make([]byte, 8)
	for i := range 50 {
		copy(buf, fmt.Sprintf("%07d\n", i))
		if err := x.ResponseBody(0, buf); err != nil {
			t.Fatal(err)
		}
		clear(buf)
	}
	_ = x.End(0, replay.EndEOF, nil)
	for i, p := range contents(t, mustLoad(t, b.String()))[0].Reads {
		if want := fmt.Sprintf("%07d\n", i); p.Data != want {
			t.Errorf("read %d is %q, want %q", i, p.Data, want)
		}
	}
}

// A Writer costs no allocation a read, nor, for as long as the recording takes, the memory that
// one huge read took.
func TestWriterMemory(t *testing.T) {
	w, err := replay.NewWriter(io.Discard, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := w.Exchange(0, "GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	x.Response(0, 200, nil)
	write := func(b []byte) {
		if err := x.ResponseBody(0, b); err != nil {
			t.Fatal(err)
		}
	}
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	write(bytes.Repeat([]byte("x"), 32<<20))
	if after := held(); after > before+8<<20 {
		t.Errorf("after a read of 32 MiB, %d MiB are kept", (after-before)>>20)
	}
	usual := bytes.Repeat([]byte("x"), 32<<10)
	if n := testing.AllocsPerRun(100, func() { write(usual) }); n != 0 {
		t.Errorf("a read costs %v allocations", n)
	}
}

// Exchanges of many goroutines come out whole, each in its order.
func TestWriterConcurrency(t *testing.T) {
	log := new(writeLog) // not locked: the Writer has to call it one at a time
	w, err := replay.NewWriter(log, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	const exchanges, reads = 24, 30
	var wg sync.WaitGroup
	for i := range exchanges {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 4))
			url := fmt.Sprintf("/%d", i)
			x, err := w.Exchange(time.Duration(rng.IntN(1000)), "GET", url, http.Header{"X": {url, url}})
			errs := []error{err, x.Response(time.Duration(rng.IntN(1000)), 200, http.Header{"Y": {url}})}
			for k := range reads {
				errs = append(errs, x.ResponseBody(time.Duration(rng.IntN(1000000)), fmt.Appendf(nil, "%d %d\r\n%s", i, k, strings.Repeat("\n", k))))
				if k%10 == 0 {
					errs = append(errs, x.RequestBody(0, []byte(url)), w.Comment(url), w.Err())
				}
			}
			errs = append(errs, x.End(0, replay.EndEOF, nil))
			if err := errors.Join(errs...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rec := mustLoad(t, log.String())
	if !rec.Sealed() {
		t.Error("the seal does not hold")
	}
	seen := make(map[string]bool)
	for _, x := range contents(t, rec) {
		var i int
		fmt.Sscanf(x.URL, "/%d", &i)
		seen[x.URL] = true
		if len(x.Reads) != reads || len(x.RequestReads) != reads/10 || !slices.Equal(x.RequestHeader["X"], []string{x.URL, x.URL}) {
			t.Errorf("%s: %d reads, %d of the request, header %q", x.URL, len(x.Reads), len(x.RequestReads), x.RequestHeader)
		}
		for k, p := range x.Reads {
			if want := fmt.Sprintf("%d %d\r\n%s", i, k, strings.Repeat("\n", k)); p.Data != want {
				t.Errorf("%s: read %d is %q", x.URL, k, p.Data)
			}
		}
	}
	if len(seen) != exchanges {
		t.Errorf("%d exchanges, want %d", len(seen), exchanges)
	}
}
