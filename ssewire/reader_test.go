package ssewire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/testdata"
)

// drip is a source that returns at most step bytes a read.
type drip struct {
	rest []byte
	step int
}

func (d *drip) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), d.step)], d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// drain reads r to its end and returns its events.
func drain(r *ssewire.Reader) []event {
	var evs []event
	for r.Next() {
		evs = append(evs, seen(r.Event()))
	}
	return evs
}

// corpora are the streams that the benchmarks are named after.
var corpora = []struct {
	name   string
	stream []byte
	step   int // bytes a read
	events int
}{
	{"tokens", testdata.Tokens(500), math.MaxInt, 500},
	{"progress", testdata.Progress(500), math.MaxInt, 500},
	{"large", testdata.Large(30), math.MaxInt, 30},
	{"crlf", testdata.CRLF(testdata.Progress(500)), math.MaxInt, 500},
	{"cr", bytes.ReplaceAll(testdata.Progress(500), []byte("\n"), []byte("\r")), math.MaxInt, 500},
	{"heartbeat", testdata.Heartbeat(2000), math.MaxInt, 20},
	{"several data lines", bytes.Repeat([]byte("event: log\nid: 17\ndata: one\ndata: two\ndata: three\n\n"), 500), math.MaxInt, 500},
	{"ids and retry", bytes.Repeat([]byte("id: 1\nretry: 3000\ndata: a\n\nid: 22\ndata: b\n\n"), 250), math.MaxInt, 500},
	{"assembly", bytes.Repeat([]byte(assemblyStream), 50), math.MaxInt, 300},
	{"drip", testdata.Line(1 << 20), 16, 1},
	{"tokens in small reads", testdata.Tokens(500), 100, 500},
	{"progress, one byte a read", testdata.CRLF(testdata.Progress(100)), 1, 100},
}

func TestReaderAllocatesNothing(t *testing.T) {
	for _, c := range corpora {
		t.Run(c.name, func(t *testing.T) {
			r := ssewire.NewReader(nil)
			src := new(drip)
			var events, size int
			read := func() {
				*src = drip{c.stream, c.step}
				events, size = 0, 0
				for r.Reset(src); r.Next(); events++ {
					ev := r.Event()
					size += len(ev.Type) + len(ev.Data) + len(ev.ID)
				}
			}
			// AllocsPerRun calls it once before it counts: the buffers grow then.
			if n := testing.AllocsPerRun(3, read); n != 0 {
				t.Errorf("%v allocations in %d events, want none", n, c.events)
			}
			if r.Err() != nil || events != c.events || size == 0 {
				t.Errorf("%d events of %d bytes, err %v, want %d events", events, size, r.Err(), c.events)
			}
		})
	}
}

func TestParserAllocatesNothing(t *testing.T) {
	for _, c := range corpora {
		t.Run(c.name, func(t *testing.T) {
			p := new(ssewire.Parser)
			step := min(c.step, 4096)
			events := 0
			n := testing.AllocsPerRun(3, func() {
				events = 0
				p.Reset()
				for rest := c.stream; len(rest) > 0; {
					n := min(len(rest), step)
					p.Feed(rest[:n])
					for rest = rest[n:]; p.Next(); events++ {
						_ = p.Event()
					}
				}
			})
			if n != 0 || p.Err() != nil || events != c.events {
				t.Errorf("%v allocations in %d events, err %v, want none in %d", n, events, p.Err(), c.events)
			}
		})
	}
}

// A Reader that has read its largest event needs no more memory for another stream.
func TestResetKeepsBuffers(t *testing.T) {
	large := []byte("event: snapshot\nid: " + strings.Repeat("7", 3000) + "\ndata: " + strings.Repeat("x", 3<<20) + "\ndata: " + strings.Repeat("y", 1<<20) + "\n\n")
	r := ssewire.NewReader(nil)
	src := bytes.NewReader(nil)
	n := testing.AllocsPerRun(2, func() {
		src.Reset(large)
		if r.Reset(src); !r.Next() || len(r.Event().Data) != 4<<20+1 {
			t.Fatal("the event is lost:", r.Err())
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for a stream like the one before, want none", n)
	}
}

// Every read costs the same, however much of an event has come before it: sixteen
// times the event takes sixteen times as long, not 256 times. The total is the same
// on both sides, so they should tie; the bound leaves room for a noisy machine and
// none for a scan or a copy of what is already there.
func TestCostOfAReadDoesNotGrow(t *testing.T) {
	const small, large, factor = 64 << 10, 1 << 20, 4
	repeated := func(line string) func(int) string {
		return func(size int) string { return strings.Repeat(line, size/len(line)) }
	}
	for _, c := range []struct {
		name string
		step int
		part func(size int) string
	}{
		{"one data line", 16, func(size int) string { return "data: " + strings.Repeat("x", size) }},
		{"many data lines", 16, repeated("data: fifteen byte\n")},
		{"many data lines by crlf", 16, repeated("data: fifteen byt\r\n")},
		{"many data lines by cr", 16, repeated("data: fifteen byte\r")},
		{"many empty data lines", 64, repeated("data\n")},
		{"comment", 16, func(size int) string { return ":" + strings.Repeat("x", size) }},
		{"many comments within an event", 64, repeated(": c\n")},
		{"unknown field", 16, func(size int) string { return "x" + strings.Repeat("y", size) }},
		{"type", 16, func(size int) string { return "event: " + strings.Repeat("x", size) }},
		{"many types", 64, repeated("event: " + strings.Repeat("x", 100) + "\n")},
		{"id", 16, func(size int) string { return "id: " + strings.Repeat("x", size) }},
		{"line after line without a blank one", 64, repeated("foo: bar\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			oneLarge := []byte(c.part(large) + "\ndata: end\n\n")
			manySmall := bytes.Repeat([]byte(c.part(small)+"\ndata: end\n\n"), large/small)
			r := ssewire.NewReader(nil)
			best := func(stream []byte, n int) time.Duration {
				least := time.Duration(math.MaxInt64)
				for range n {
					start := time.Now()
					for r.Reset(&drip{stream, c.step}); r.Next(); {
						_ = r.Event()
					}
					if least = min(least, time.Since(start)); r.Err() != nil {
						t.Fatal(r.Err())
					}
				}
				return least
			}
			best(oneLarge, 1) // the buffers grow
			// A slow moment of the machine is not a verdict; three of them in a row are.
			var one, many time.Duration
			for range 3 {
				if one, many = best(oneLarge, 2), best(manySmall, 2); one < factor*many {
					return
				}
			}
			t.Errorf("one event of %d bytes takes %v, the same bytes as %d events take %v", large, one, large/small, many)
		})
	}
}

// The Parser, too, is linear: in the events of a chunk and in chunks that are fed
// before the first Next.
func TestCostOfFeedDoesNotGrow(t *testing.T) {
	const factor = 5
	p := new(ssewire.Parser)
	run := func(t *testing.T, stream []byte, chunk, chunksPerDrain int) time.Duration {
		least := time.Duration(math.MaxInt64)
		for range 3 {
			p.Reset()
			start := time.Now()
			fed := 0
			for c := range slices.Chunk(stream, chunk) {
				p.Feed(c)
				if fed++; fed%chunksPerDrain == 0 {
					for p.Next() {
						_ = p.Event()
					}
				}
			}
			for p.Next() {
				_ = p.Event()
			}
			if least = min(least, time.Since(start)); p.Err() != nil {
				t.Fatal(p.Err())
			}
		}
		return least
	}
	stream := testdata.Progress(6000) // a little below 1 MB
	for _, c := range []struct {
		name              string
		chunk, drain      int
		likeChunk, likeOf int
	}{
		{"one chunk of many events", len(stream), 1, 32 << 10, 1},
		{"many chunks before Next", 64, math.MaxInt, 64, 512},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, stream, c.chunk, c.drain)
			var got, like time.Duration
			for range 3 {
				if got, like = run(t, stream, c.chunk, c.drain), run(t, stream, c.likeChunk, c.likeOf); got < factor*like {
					return
				}
			}
			t.Errorf("takes %v, in smaller parts %v", got, like)
		})
	}
}

func TestMaxEventSize(t *testing.T) {
	const limit = 1000
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name   string
		stream string
		events int // before the error, or all
		tooBig bool
	}{
		{"a line at the limit", "data: " + x(limit-6) + "\n\n", 1, false},
		{"a line over the limit", "data: " + x(limit-5) + "\n\n", 0, true},
		{"a line at the limit by crlf", "data: " + x(limit-6) + "\r\n\r\n", 1, false},
		{"a line over the limit by crlf", "data: " + x(limit-5) + "\r\n\r\n", 0, true},
		{"a line at the limit after a bom", bom + "data: " + x(limit-6) + "\n\n", 1, false},
		{"a line over the limit after a bom", bom + "data: " + x(limit-5) + "\n\n", 0, true},
		{"a line over the limit without its end", "data: " + x(limit), 0, true},
		{"a line far over the limit", "data: " + x(50*limit) + "\n\n", 0, true},
		{"events before it", "data: a\n\ndata: b\n\ndata: " + x(limit) + "\n\ndata: c\n\n", 2, true},
		{"the block before it is not an event", "data: a\n\nevent: tick\n\ndata: " + x(limit) + "\n\n", 1, true},
		{"data lines below the limit", strings.Repeat("data: "+x(94)+"\n", 9) + "\n", 1, false},
		{"data lines above the limit", strings.Repeat("data: "+x(94)+"\n", 12) + "\n", 0, true},
		{"empty data lines below the limit", strings.Repeat("data\n", limit-10) + "\n", 1, false},
		{"empty data lines above the limit", strings.Repeat("data\n", limit+10) + "\n", 0, true},
		{"many small events", strings.Repeat("data: "+x(500)+"\n\n", 10), 10, false},
		{"blocks without data", strings.Repeat("event: "+x(500)+"\n\n", 10) + "data: a\n\n", 1, false},
		{"many other fields in one block", strings.Repeat("foo: "+x(500)+"\n", 10) + "data: a\n\n", 1, false},
		{"unknown field over the limit", "foo: " + x(limit) + "\ndata: a\n\n", 0, true},
		{"type over the limit", "event: " + x(limit) + "\ndata: a\n\n", 0, true},
		{"id over the limit", "id: " + x(limit) + "\ndata: a\n\n", 0, true},
		{"comment over the limit", ": " + x(50*limit) + "\ndata: a\n\n", 1, false},
		{"comment over the limit by cr", ": " + x(50*limit) + "\rdata: a\r\r", 1, false},
		{"comment over the limit after a bom", bom + ":" + x(50*limit) + "\ndata: a\n\n", 1, false},
		{"comment over the limit without its end", "data: a\n\n: " + x(50*limit), 1, false},
		{"comment within an event at the limit", "data: " + x(limit-6) + "\n: " + x(50*limit) + "\n\n", 1, false},
		{"many comments", "data: a\n" + strings.Repeat(": "+x(100)+"\n", 100) + "\n", 1, false},
		{"events after it are not read", "data: " + x(limit) + "\n\ndata: a\n\n", 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := []byte(c.stream)
			var message string
			for cut, chunks := range cuttings([][]byte{stream}) {
				verdict := func(by string, events int, err error) {
					t.Helper()
					if events != c.events || errors.Is(err, ssewire.ErrEventTooLarge) != c.tooBig || err != nil && !c.tooBig {
						t.Fatalf("%s, %s: %d events and error %v, want %d and too large %v", by, cut, events, err, c.events, c.tooBig)
					}
					if err == nil {
						return
					}
					if message == "" {
						message = err.Error()
					}
					if err.Error() != message {
						t.Fatalf("%s, %s: the error depends on the cut: %q and %q", by, cut, err, message)
					}
				}

				r := ssewire.NewReader(&pieces{chunks: slices.Clone(chunks), end: io.EOF}, ssewire.MaxEventSize(limit))
				verdict("Reader", len(drain(r)), r.Err())
				if r.Next() {
					t.Fatalf("Reader, %s: Next goes on after the error", cut)
				}

				p, events := ssewire.NewParser(ssewire.MaxEventSize(limit)), 0
				for _, chunk := range chunks {
					for p.Feed(chunk); p.Next(); events++ {
					}
				}
				verdict("Parser", events, p.Err())
			}
		})
	}
}

// At the limit itself the verdict may fall either way, but it does not depend on the cut.
func TestLimitDoesNotDependOnCuts(t *testing.T) {
	const stream = "data: one\ndata: two\r\ndata: three\r\rid: 12345678901\nevent: 1234567890\ndata: four\n\n: a comment that is longer than all\ndata: five\n\n"
	for limit := 1; limit < 60; limit++ {
		var want []event
		var wantErr string
		for cut, chunks := range cuttings([][]byte{[]byte(stream)}) {
			r := ssewire.NewReader(&pieces{chunks: slices.Clone(chunks), end: io.EOF}, ssewire.MaxEventSize(limit))
			got := drain(r)
			err := fmt.Sprint(r.Err())
			if cut == "as given" {
				want, wantErr = got, err
			}
			if !slices.Equal(got, want) || err != wantErr {
				t.Fatalf("limit %d, %s: %q and %s, as given: %q and %s", limit, cut, got, err, want, wantErr)
			}
		}
	}
}

func TestMaxEventSizeDefault(t *testing.T) {
	const limit = ssewire.DefaultMaxEventSize
	for _, opts := range [][]ssewire.Option{nil, {ssewire.MaxEventSize(0)}, {ssewire.MaxEventSize(-1)}} {
		r := ssewire.NewReader(io.MultiReader(
			strings.NewReader("data:."), &blankLine{limit - 6}, strings.NewReader("\n\n"),
			strings.NewReader("data:."), &blankLine{limit - 5}, strings.NewReader("\n\n"),
		), opts...)
		if !r.Next() || len(r.Event().Data) != limit-5 {
			t.Fatalf("an event at the default limit: %v", r.Err())
		}
		if r.Next() || !errors.Is(r.Err(), ssewire.ErrEventTooLarge) {
			t.Fatalf("an event over the default limit: %v", r.Err())
		}
	}
}

func TestErrEventTooLargeSaysWhatToDo(t *testing.T) {
	read := func(before string) string {
		r := ssewire.NewReader(strings.NewReader(before+"data: "+strings.Repeat("x", 9000)+"\n\n"), ssewire.MaxEventSize(7321))
		drain(r)
		if r.Err() == nil {
			t.Fatal("no error")
		}
		return r.Err().Error()
	}
	first := read("")
	for _, want := range []string{"7321", "MaxEventSize"} {
		if !strings.Contains(first, want) {
			t.Errorf("error %q does not say %q", first, want)
		}
	}
	later := read(strings.Repeat("data: a\n\n", 1234))
	if later == first || !regexp.MustCompile(`\d{4,}`).MatchString(strings.ReplaceAll(later, "7321", "")) {
		t.Errorf("error %q does not say the position: at the start it is %q", later, first)
	}
}

// The error says which event is too large and where it begins, however the stream is cut.
func TestErrEventTooLargeSaysWhere(t *testing.T) {
	for _, c := range []struct {
		name   string
		before string
		event  int
		begins int
	}{
		{"at the start", "", 1, 0},
		{"after a bom", bom, 1, 3},
		{"after an event", "data: a\n\n", 2, 9},
		{"after a bom and an event", bom + "data: a\n\n", 2, 12},
		{"after an event by cr", "data: a\r\r", 2, 9},
		{"after an event by crlf", "data: a\r\n\r\n", 2, 11},
		{"after events of each kind", "data: a\r\n\r\ndata: b\n\ndata: c\r\r", 4, 29},
		{"after a blank line by crlf", "\r\n", 1, 2},
		{"after blank lines of each kind", "\n\r\r\n\n", 1, 5},
		{"after a block that is no event", "data: a\n\nevent: tick\n\n", 2, 22},
		{"in a later line of its block", "id: 1\n: c\n", 1, 0},
		{"in a later line of its block by crlf", "data: a\r\n\r\nid: 1\r\n: c\r\n", 2, 11},
		{"after many comments", "data: a\n\n" + strings.Repeat(": nothing\r\n\r\n", 1000), 2, 9 + 13*1000},
		{"after a comment that is longer than the buffer", "data: a\n\nid: 1\n:" + strings.Repeat("c", 50000) + "\n", 2, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := fmt.Sprintf("event %d, which begins at byte %d of the stream", c.event, c.begins)
			stream := []byte(c.before + "data: " + strings.Repeat("x", 30) + "\n\n")
			for cut, chunks := range cuttings([][]byte{stream}) {
				r := ssewire.NewReader(&pieces{chunks: slices.Clone(chunks), end: io.EOF}, ssewire.MaxEventSize(20))
				drain(r)
				if r.Err() == nil || !strings.Contains(r.Err().Error(), want) {
					t.Fatalf("%s: error %v does not say %s", cut, r.Err(), want)
				}
			}
		})
	}
}

// What is fed after the error takes no memory.
func TestFeedAfterTooLarge(t *testing.T) {
	p := ssewire.NewParser(ssewire.MaxEventSize(100))
	p.Feed([]byte("data: " + strings.Repeat("x", 200) + "\n\n"))
	if p.Next() || p.Err() == nil {
		t.Fatal("the Parser takes what is too large")
	}
	chunk := make([]byte, 64<<10)
	if n := testing.AllocsPerRun(1, func() {
		for range 16 {
			p.Feed(chunk)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// Reset is the way out of an error, with the same limit.
func TestResetAfterTooLarge(t *testing.T) {
	tooLarge := "data: " + strings.Repeat("x", 200) + "\n\n"
	r := ssewire.NewReader(strings.NewReader(tooLarge), ssewire.MaxEventSize(100))
	drain(r)
	r.Reset(strings.NewReader("data: a\n\n" + tooLarge))
	if got := drain(r); !slices.Equal(got, msgs("a")) || !errors.Is(r.Err(), ssewire.ErrEventTooLarge) {
		t.Errorf("after Reset: %q, %v", got, r.Err())
	}
	p := ssewire.NewParser(ssewire.MaxEventSize(100))
	p.Feed([]byte(tooLarge))
	if p.Next() || p.Err() == nil {
		t.Fatal("the Parser takes what is too large")
	}
	p.Feed([]byte("data: a\n\n"))
	if p.Next() || p.Err() == nil {
		t.Error("the Parser goes on after its error")
	}
	p.Reset()
	p.Feed([]byte("data: b\n\n"))
	if !p.Next() || string(p.Event().Data) != "b" || p.Err() != nil {
		t.Errorf("after Reset: %q, %v", p.Event().Data, p.Err())
	}
}

var blanks = bytes.Repeat([]byte(" "), 64<<10)

// blankLine is a source of many spaces.
type blankLine struct{ left int }

func (s *blankLine) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.left)], blanks)
	s.left -= n
	return n, nil
}

// Servers may send comments of any length to keep a connection open.
func TestCommentsCostNoMemory(t *testing.T) {
	const size = 48 << 20
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	t.Run("Reader", func(t *testing.T) {
		if n := allocated(func() {
			r := ssewire.NewReader(io.MultiReader(strings.NewReader("data: a\n: "), &blankLine{size}, strings.NewReader("\ndata: b\n\n")))
			if got := drain(r); r.Err() != nil || !slices.Equal(got, msgs("a\nb")) {
				t.Errorf("got %q, %v", got, r.Err())
			}
		}); n > 1<<20 {
			t.Errorf("a comment of %d bytes took %d bytes of memory", size, n)
		}
	})
	t.Run("Parser", func(t *testing.T) {
		chunk := bytes.Repeat([]byte(" "), 16<<10)
		if n := allocated(func() {
			p := new(ssewire.Parser)
			p.Feed([]byte(":"))
			for range size / len(chunk) {
				p.Feed(chunk)
				if p.Next() || p.Err() != nil {
					t.Fatal("a comment is an event:", p.Err())
				}
			}
			p.Feed([]byte("\ndata: b\n\n"))
			if !p.Next() || string(p.Event().Data) != "b" {
				t.Error("the event after the comment is lost:", p.Err())
			}
		}); n > 1<<20 {
			t.Errorf("a comment of %d bytes took %d bytes of memory", size, n)
		}
	})
}

// Events that have come whole are not lost to an error that comes with them.
func TestReadError(t *testing.T) {
	for _, c := range []struct {
		name   string
		stream string
		want   []event
	}{
		{"at the start", "", nil},
		{"in mid-event", "data: a\n\nevent: tick\ndata: b\n", msgs("a")},
		{"in mid-line", "data: a\n\ndata: b\n\ndata: c", msgs("a", "b")},
		{"in mid-character", "data: a\n\ndata: \xe2\x9c", msgs("a")},
		{"between events", "data: a\n\ndata: b\n\n", msgs("a", "b")},
		{"after a cr", "data: a\r\r", msgs("a")},
		{"after many events", strings.Repeat("data: x\n\n", 3000) + "data", slices.Repeat(msgs("x"), 3000)},
	} {
		for _, fault := range []error{errLost, io.ErrUnexpectedEOF, iotest.ErrTimeout, fmt.Errorf("lost: %w", io.EOF)} {
			t.Run(c.name+", "+fault.Error(), func(t *testing.T) {
				for cut, chunks := range cuttings([][]byte{[]byte(c.stream)}) {
					for _, together := range []bool{false, true} {
						if together && len(c.stream) == 0 {
							continue
						}
						r := ssewire.NewReader(&pieces{chunks: slices.Clone(chunks), end: fault, together: together})
						if c.stream == "" {
							r = ssewire.NewReader(iotest.ErrReader(fault))
						}
						got := drain(r)
						if !slices.Equal(got, c.want) {
							t.Fatalf("%s: got %d events, want %d", cut, len(got), len(c.want))
						}
						err := r.Err()
						if !errors.Is(err, fault) {
							t.Fatalf("%s: error %v does not wrap %q", cut, err, fault)
						}
						if !strings.Contains(err.Error(), strconv.Itoa(len(c.stream))) {
							t.Fatalf("%s: error %q does not say that %d bytes were read", cut, err, len(c.stream))
						}
						if r.Next() || r.Err() == nil {
							t.Fatalf("%s: the error does not last", cut)
						}
					}
				}
			})
		}
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// A source that breaks the rules of io.Reader is an error, not a panic or a loop.
func TestBrokenSources(t *testing.T) {
	for _, c := range []struct {
		name string
		bad  readFunc
		want error
	}{
		{"nothing for ever", func([]byte) (int, error) { return 0, nil }, io.ErrNoProgress},
		{"more than there is room for", func(p []byte) (int, error) { return len(p) + 1, nil }, nil},
		{"far more than there is room for", func([]byte) (int, error) { return math.MaxInt, nil }, nil},
		{"more than there is room for and the end", func(p []byte) (int, error) { return len(p) + 1, io.EOF }, nil},
		{"less than nothing", func([]byte) (int, error) { return -1, nil }, nil},
		{"less than nothing and the end", func([]byte) (int, error) { return -1, io.EOF }, nil},
		{"far less than nothing", func([]byte) (int, error) { return math.MinInt, errLost }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, before := range []string{"", "data: a\n\n", "data: a\n\ndata: b"} {
				r := ssewire.NewReader(io.MultiReader(strings.NewReader(before), c.bad))
				// MultiReader would hide a wrong count; the source is broken by itself.
				given, reads := false, 0
				r.Reset(readFunc(func(p []byte) (int, error) {
					reads++
					if !given && before != "" {
						given = true
						return copy(p, before), nil
					}
					return c.bad(p)
				}))
				want := msgs("a")
				if before == "" {
					want = nil
				}
				if got := drain(r); !slices.Equal(got, want) {
					t.Errorf("after %q: got %q, want %q", before, got, want)
				}
				if err := r.Err(); err == nil || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("after %q: error %v, want one that wraps %v", before, err, c.want)
				}
				if r.Next() {
					t.Errorf("after %q: Next goes on", before)
				}
				if reads > 1000 {
					t.Errorf("after %q: it took %d reads to see that the source is broken", before, reads)
				}
			}
		})
	}
}

// Reads of nothing are permitted, if only a few of them follow one another.
func TestIdleReads(t *testing.T) {
	stream, reads := []byte("data: a\n\ndata: b\n\n"), 0
	r := ssewire.NewReader(readFunc(func(p []byte) (int, error) {
		if reads++; reads%50 != 0 {
			return 0, nil
		}
		if len(stream) == 0 {
			return 0, io.EOF
		}
		p[0], stream = stream[0], stream[1:]
		return 1, nil
	}))
	if got := drain(r); r.Err() != nil || !slices.Equal(got, msgs("a", "b")) {
		t.Errorf("got %q, %v", got, r.Err())
	}
}

// A stream of small events is read with a small buffer, because a program may have thousands
// of them open. A source that fills it is read with a larger one.
func TestRoomOfReads(t *testing.T) {
	for _, c := range []struct {
		name            string
		step            int
		atLeast, atMost int // the most that a read is offered
	}{
		{"a few bytes a read", 100, 1 << 10, 4 << 10},
		{"as much as there is room for", math.MaxInt, 8 << 10, 16 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := &drip{testdata.Progress(1000), c.step}
			least, most := math.MaxInt, 0
			r := ssewire.NewReader(readFunc(func(p []byte) (int, error) {
				least, most = min(least, len(p)), max(most, len(p))
				return src.Read(p)
			}))
			if n := len(drain(r)); n != 1000 || r.Err() != nil {
				t.Errorf("%d events, err %v", n, r.Err())
			}
			if least < 512 || most < c.atLeast || most > c.atMost {
				t.Errorf("the reads are offered between %d and %d bytes, want 512 at least, and at the most between %d and %d", least, most, c.atLeast, c.atMost)
			}
		})
	}
}

// An event is handed out before the source is asked for more.
func TestNoReadAhead(t *testing.T) {
	for _, c := range []struct {
		name  string
		reads []string // each ends with what completes its events
		want  [][]string
	}{
		{"lf", []string{"data: a\n\n", "data: b\n\n"}, [][]string{{"a"}, {"b"}}},
		{"crlf", []string{"data: a\r\n\r\n", "data: b\r\n\r\n"}, [][]string{{"a"}, {"b"}}},
		{"lone cr", []string{"data: a\r\r", "data: b\r\r"}, [][]string{{"a"}, {"b"}}},
		{"half a crlf", []string{"data: a\r\n\r", "\ndata: b\r\n\r", "\n"}, [][]string{{"a"}, {"b"}, nil}},
		{"cr after lf", []string{"data: a\n\r", "data: b\n\r"}, [][]string{{"a"}, {"b"}}},
		{"several a read", []string{"data: a\n\ndata: b\n\ndata: c", "\n\n"}, [][]string{{"a", "b"}, {"c"}}},
		{"in parts", []string{"da", "ta: a", "\n", "\n"}, [][]string{nil, nil, nil, {"a"}}},
		{"bom in parts", []string{"\xef", "\xbb", "\xbf", "data: a\n", "\n"}, [][]string{nil, nil, nil, nil, {"a"}}},
		{"comments in between", []string{": c\n", "\n", "data: a\n\n: ", "d", "\n\n", "data: b\n\n"}, [][]string{nil, nil, {"a"}, nil, nil, {"b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			read := 0
			check := func() {
				if read == 0 {
					return
				}
				if want := c.want[read-1]; !slices.Equal(got, want) {
					t.Errorf("after read %d, %q: %q were handed out, want %q", read, c.reads[read-1], got, want)
				}
				got = nil
			}
			r := ssewire.NewReader(readFunc(func(p []byte) (int, error) {
				check()
				if read == len(c.reads) {
					read = 0
					return 0, io.EOF
				}
				read++
				return copy(p, c.reads[read-1]), nil
			}))
			for r.Next() {
				got = append(got, string(r.Event().Data))
			}
			if r.Err() != nil {
				t.Error(r.Err())
			}
		})
	}
}

// After its end a stream is not read again.
func TestNoReadAfterTheEnd(t *testing.T) {
	for _, end := range []error{io.EOF, errLost} {
		ended := false
		r := ssewire.NewReader(readFunc(func(p []byte) (int, error) {
			if ended {
				t.Errorf("read again after %v", end)
			}
			ended = true
			return copy(p, "data: a\n\ndata: b\n\n"), end
		}))
		if got := drain(r); !slices.Equal(got, msgs("a", "b")) {
			t.Errorf("got %q", got)
		}
		for range 2 {
			if r.Next() {
				t.Error("Next goes on after the end")
			}
		}
	}
}

func TestErrIsNilUntilTheEnd(t *testing.T) {
	r := ssewire.NewReader(&pieces{chunks: [][]byte{[]byte("data: a\n\ndata: b\n\n")}, end: errLost, together: true})
	if r.Err() != nil {
		t.Error("before the first Next:", r.Err())
	}
	for range 2 {
		if !r.Next() || r.Err() != nil {
			t.Error("while there are events:", r.Err())
		}
	}
	if r.Next() || !errors.Is(r.Err(), errLost) {
		t.Error("at the end:", r.Err())
	}
}

func TestAll(t *testing.T) {
	const stream = "data: a\n\nid: 1\ndata: b\n\ndata: c\n\n"
	t.Run("to a clean end", func(t *testing.T) {
		r := ssewire.NewReader(strings.NewReader(stream))
		var got []event
		for ev, err := range r.All() {
			if err != nil {
				t.Error(err)
			}
			got = append(got, seen(ev))
		}
		if want := []event{msg("a"), {"message", "b", "1"}, {"message", "c", "1"}}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for range r.All() {
			t.Error("events after the end")
		}
	})
	t.Run("to an error", func(t *testing.T) {
		r := ssewire.NewReader(&pieces{chunks: [][]byte{[]byte(stream)}, end: errLost, together: true})
		events, faults := 0, 0
		for ev, err := range r.All() {
			if err == nil {
				events++
				continue
			}
			faults++
			if !errors.Is(err, errLost) || ev.Type != nil || ev.Data != nil || ev.ID != nil {
				t.Errorf("the error comes as %v with %q", err, ev)
			}
		}
		if events != 3 || faults != 1 || !errors.Is(r.Err(), errLost) {
			t.Errorf("%d events and %d errors, Err %v", events, faults, r.Err())
		}
	})
	t.Run("left early and gone on with", func(t *testing.T) {
		r := ssewire.NewReader(strings.NewReader(stream))
		for ev := range r.All() {
			if string(ev.Data) != "a" {
				t.Errorf("first event %q", ev.Data)
			}
			break
		}
		for ev := range r.All() {
			if string(ev.Data) != "b" {
				t.Errorf("second event %q", ev.Data)
			}
			break
		}
		if !r.Next() || string(r.Event().Data) != "c" {
			t.Errorf("third event %q", r.Event().Data)
		}
	})
	t.Run("left at the error", func(t *testing.T) {
		r := ssewire.NewReader(iotest.ErrReader(errLost))
		for _, err := range r.All() {
			if err == nil {
				t.Error("an event")
			}
			break
		}
	})
}

func TestLastEventID(t *testing.T) {
	const stream = "data: a\n\nid: 1\n\ndata: b\n\nid\ndata: c\n\nid: \x00\ndata: d\n\nid: 2\ndata: e"
	for _, c := range []struct {
		name string
		opts []ssewire.Option
		want []string // ID of each event, "nil" where it is nil
	}{
		{"without the option", nil, []string{"nil", "1", "", ""}},
		{"with the option", []ssewire.Option{ssewire.LastEventID("0")}, []string{"0", "1", "", ""}},
		{"with the option, last of two", []ssewire.Option{ssewire.LastEventID("8"), ssewire.LastEventID("9")}, []string{"9", "1", "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ssewire.NewReader(nil, c.opts...)
			for range 2 { // the second time after a Reset
				var got []string
				r.Reset(&drip{[]byte(stream), 3})
				if before := strings.TrimPrefix(c.want[0], "nil"); r.LastEventID() != before {
					t.Errorf("before the first event LastEventID is %q, want %q", r.LastEventID(), before)
				}
				for r.Next() {
					id := r.Event().ID
					if r.LastEventID() != string(id) {
						t.Errorf("LastEventID is %q while ID is %q", r.LastEventID(), id)
					}
					if id == nil {
						got = append(got, "nil")
					} else {
						got = append(got, string(id))
					}
				}
				if !slices.Equal(got, c.want) || r.LastEventID() != "" {
					t.Errorf("IDs %q, at the end %q, want %q and none", got, r.LastEventID(), c.want)
				}
			}
		})
	}
}

// The ID of an event is the one in force when it was dispatched, however many
// blocks have arrived with it in the same read.
func TestLastEventIDKeepsPaceWithEvents(t *testing.T) {
	r := ssewire.NewReader(strings.NewReader("id: 1\ndata: a\n\nid: 2\n\nid: 3\ndata: b\n\nid: 4\n\n"))
	for _, want := range []string{"1", "3"} {
		if !r.Next() || string(r.Event().ID) != want || r.LastEventID() != want {
			t.Errorf("ID %q and LastEventID %q, want %q", r.Event().ID, r.LastEventID(), want)
		}
	}
	if r.Next() || r.LastEventID() != "4" {
		t.Errorf("at the end LastEventID is %q, want 4", r.LastEventID())
	}
}

func TestReconnectionTime(t *testing.T) {
	r := ssewire.NewReader(strings.NewReader("data: a\n\nretry: 10\ndata: b\n\nretry: 20\n\nretry: 99999999999999999999\ndata: c\n\n"))
	if d, ok := r.ReconnectionTime(); d != 0 || ok {
		t.Errorf("before the stream: %v, %v", d, ok)
	}
	for _, want := range []time.Duration{0, 10 * time.Millisecond, longestDuration} {
		r.Next()
		if d, ok := r.ReconnectionTime(); d != want || ok != (want != 0) {
			t.Errorf("at event %q: %v, %v, want %v", r.Event().Data, d, ok, want)
		}
	}
	r.Reset(strings.NewReader("data: a\n\n"))
	r.Next()
	if d, ok := r.ReconnectionTime(); d != 0 || ok {
		t.Errorf("after Reset: %v, %v", d, ok)
	}
}

// Whatever a stream was in the midst of, the next one does not see it.
func TestResetForgets(t *testing.T) {
	for _, before := range []string{
		"", "\xef", "\xef\xbb", bom, "data: a", "data: a\n", "data: a\r", "event: tick\n", "event: ti", "id: 1\n", "id: 1\n\n",
		": comment", ":", "retry: 1\n", "data: a\ndata: b\n", "data: a\n\ndata: b\n\nevent: c", "dat", "id: 1\ndata: a\n\nid\n",
	} {
		const stream = bom + "\ndata: x\n\nid: 5\nevent: e\ndata: y\ndata: z\n\n"
		want := []event{msg("x"), {"e", "y\nz", "5"}}
		r := ssewire.NewReader(strings.NewReader(before))
		drain(r)
		r.Reset(strings.NewReader(stream))
		if r.LastEventID() != "" || r.Err() != nil {
			t.Errorf("after %q and Reset: last event ID %q, err %v", before, r.LastEventID(), r.Err())
		}
		if !r.Next() || r.Event().ID != nil || len(r.Event().Type) != 0 {
			t.Errorf("after %q and Reset: first event %q", before, r.Event())
		}
		r.Reset(strings.NewReader(stream)) // in the midst of its events
		if got := drain(r); !slices.Equal(got, want) {
			t.Errorf("after %q and Reset: %q, want %q", before, got, want)
		}

		p := new(ssewire.Parser)
		p.Feed([]byte(before))
		p.Next()
		p.Reset()
		p.Feed([]byte(stream))
		var got []event
		for p.Next() {
			got = append(got, seen(p.Event()))
		}
		if _, ok := p.ReconnectionTime(); ok || !slices.Equal(got, want) {
			t.Errorf("Parser after %q and Reset: %q, want %q; reconnection time set %v", before, got, want, ok)
		}
	}
}

// What the caller appends to a view does no harm to what comes next.
func TestAppendToViews(t *testing.T) {
	const stream = "event: tick\nid: 1\ndata: a\n\nevent:tuck\ndata: b\n\nevent: tock\ndata: b\ndata: c\n\ndata: d\n\nid: 22\ndata: e\n\ndata: f\n\n"
	want := []event{{"tick", "a", "1"}, {"tuck", "b", "1"}, {"tock", "b\nc", "1"}, {"message", "d", "1"}, {"message", "e", "22"}, {"message", "f", "22"}}
	for _, n := range []int{1, 10, 100} {
		more := strings.Repeat("X", n)
		r := ssewire.NewReader(strings.NewReader(stream))
		var got []event
		for r.Next() {
			ev := r.Event()
			got = append(got, seen(ev))
			_ = append(ev.Data, more...)
			_ = append(ev.Type, more...)
			_ = append(ev.ID, more...)
			if r.LastEventID() != got[len(got)-1].ID {
				t.Errorf("the last event ID has become %q", r.LastEventID())
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d bytes behind each view make it %q, want %q", n, got, want)
		}
	}
}

// What is made of a view by appending to it is the caller's own.
func TestAppendToViewsCopies(t *testing.T) {
	r := ssewire.NewReader(strings.NewReader("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\nid: 4\ndata: d\ndata: e\n\n"))
	var got, want []string
	var views [][]byte
	for r.Next() {
		for name, view := range map[string][]byte{"ID": r.Event().ID, "data": r.Event().Data} {
			for _, more := range []string{" of " + name, " again"} {
				want = append(want, string(view)+more)
				views = append(views, append(view, more...))
			}
		}
	}
	for _, view := range views {
		got = append(got, string(view))
	}
	if len(got) != 16 || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Event may be asked for before, twice and after; LastEventID at any time.
func TestEventAtAnyTime(t *testing.T) {
	r := ssewire.NewReader(strings.NewReader("id: 1\ndata: a\n\n"))
	_ = r.Event()
	r.Next()
	if a, b := seen(r.Event()), seen(r.Event()); a != b || a.Data != "a" {
		t.Errorf("the same event twice: %q and %q", a, b)
	}
	r.Next()
	_ = r.Event()

	var p ssewire.Parser
	_ = p.Event()
	if p.Next() || p.Err() != nil || p.LastEventID() != "" {
		t.Error("a new Parser has found something")
	}
	p.Feed(nil)
	p.Feed([]byte{})
	if p.Next() {
		t.Error("an event of nothing")
	}
	_ = p.Event()
}

// A last event ID that was read out stays as it was.
func TestLastEventIDIsACopy(t *testing.T) {
	r := ssewire.NewReader(strings.NewReader("id: first\ndata: a\n\nid: other\ndata: b\n\n"))
	r.Next()
	id := r.LastEventID()
	r.Next()
	if id != "first" || r.LastEventID() != "other" {
		t.Errorf("got %q and %q", id, r.LastEventID())
	}
}

// A large type costs no more for the data lines after it.
func TestManyDataLinesBehindLargeType(t *testing.T) {
	read := func(typ int) time.Duration {
		stream := []byte("event: " + strings.Repeat("t", typ) + "\n" + strings.Repeat("data\n", 1<<14) + "\n")
		best := time.Hour
		for range 3 {
			start := time.Now()
			r := ssewire.NewReader(bytes.NewReader(stream))
			if !r.Next() || len(r.Event().Type) != typ || len(r.Event().Data) != 1<<14-1 {
				t.Fatalf("not the event: %v", r.Err())
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	// Copied for each line, the type would make this some ten thousand times as long.
	if small, large := read(10), read(1<<20); large > 200*small+10*time.Millisecond {
		t.Errorf("16,384 lines take %v behind a type of 10 bytes and %v behind one of 1 MiB", small, large)
	}
}

// The limit holds for a type as well, also where a block before has been read whole.
func TestMaxEventSizeOfType(t *testing.T) {
	stream := "data: a\n\nevent: " + strings.Repeat("t", 30) + "\ndata: b\n\n"
	r := ssewire.NewReader(strings.NewReader(stream), ssewire.MaxEventSize(20))
	if !r.Next() || string(r.Event().Data) != "a" {
		t.Fatalf("no first event: %v", r.Err())
	}
	if r.Next() || !errors.Is(r.Err(), ssewire.ErrEventTooLarge) {
		t.Errorf("the second gives %v, want ErrEventTooLarge", r.Err())
	}
}

// A type that was appended to is not taken for that of the next event.
func TestAppendToTypeOfNextEvent(t *testing.T) {
	r := ssewire.NewReader(strings.NewReader("data: a\n\nevent: tick\ndata: b\n\nevent: ticks\ndata: c\n\n"))
	var got []event
	for r.Next() {
		got = append(got, seen(r.Event()))
		_ = append(r.Event().Type, 's')
	}
	if want := []event{msg("a"), {"tick", "b", ""}, {"ticks", "c", ""}}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
