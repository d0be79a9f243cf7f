package ssewire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/ssewire"
)

// event is an Event as a program in a browser sees it: text, and a type that is
// never empty.
type event struct{ Type, Data, ID string }

// outcome is all that a stream leaves behind.
type outcome struct {
	events []event
	lastID string
	retry  time.Duration
	// retrySet says whether the stream has set a reconnection time at all.
	retrySet bool
}

func (o outcome) String() string {
	var b strings.Builder
	for _, ev := range o.events {
		fmt.Fprintf(&b, "\n\t%s %s id=%s", brief(ev.Type), brief(ev.Data), brief(ev.ID))
	}
	fmt.Fprintf(&b, "\n\tlast event ID %s, reconnection time %v %v", brief(o.lastID), o.retry, o.retrySet)
	return b.String()
}

func (o outcome) equal(p outcome) bool {
	return slices.Equal(o.events, p.events) && o.lastID == p.lastID && o.retry == p.retry && o.retrySet == p.retrySet
}

func brief(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%q… (%d bytes)", s[:100], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// seen copies what ev shows, decoded as a browser decodes it.
func seen(ev ssewire.Event) event {
	typ := decodeUTF8(ev.Type)
	if typ == "" {
		typ = "message"
	}
	return event{typ, decodeUTF8(ev.Data), decodeUTF8(ev.ID)}
}

// decodeUTF8 is the UTF-8 decoder of the WHATWG Encoding standard, which makes one
// U+FFFD of each maximal part that is ill-formed. Go makes one of each byte.
func decodeUTF8(in []byte) string {
	if !slices.ContainsFunc(in, func(b byte) bool { return b > 0x7F }) {
		return string(in)
	}
	var out strings.Builder
	var codePoint rune
	var needed int
	lower, upper := byte(0x80), byte(0xBF)
	for i := 0; i < len(in); i++ {
		b := in[i]
		if needed == 0 {
			switch {
			case b <= 0x7F:
				out.WriteByte(b)
			case 0xC2 <= b && b <= 0xDF:
				needed, codePoint = 1, rune(b&0x1F)
			case 0xE0 <= b && b <= 0xEF:
				if b == 0xE0 {
					lower = 0xA0
				}
				if b == 0xED {
					upper = 0x9F
				}
				needed, codePoint = 2, rune(b&0x0F)
			case 0xF0 <= b && b <= 0xF4:
				if b == 0xF0 {
					lower = 0x90
				}
				if b == 0xF4 {
					upper = 0x8F
				}
				needed, codePoint = 3, rune(b&0x07)
			default:
				out.WriteRune('\uFFFD')
			}
			continue
		}
		inRange := lower <= b && b <= upper
		lower, upper = 0x80, 0xBF
		if !inRange {
			needed = 0
			out.WriteRune('\uFFFD')
			i-- // the byte is looked at again, as the start of a character
			continue
		}
		codePoint = codePoint<<6 | rune(b&0x3F)
		if needed--; needed == 0 {
			out.WriteRune(codePoint)
		}
	}
	if needed > 0 {
		out.WriteRune('\uFFFD')
	}
	return out.String()
}

func TestDecodeUTF8(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                    "plain",
		"é✔🎉\ufeff\x00":            "é✔🎉\ufeff\x00",
		"\x80\xbf\xff\xfe\xc0\xc1": strings.Repeat("\uFFFD", 6),
		"\xe2\x82":                 "\uFFFD",
		"\xe2\x82(":                "\uFFFD(",
		"\xe2\xe2\x82\xac":         "\uFFFD€",
		"\xf0\x9f\x8e":             "\uFFFD",
		"\xf0\x9f\x8e\n":           "\uFFFD\n",
		"\xe0\x80\x80":             "\uFFFD\uFFFD\uFFFD", // overlong
		"\xed\xa0\x80":             "\uFFFD\uFFFD\uFFFD", // a surrogate
		"\xf4\x90\x80\x80":         strings.Repeat("\uFFFD", 4),
		"\xf4\x8f\xbf\xbf":         "\U0010FFFF",
	} {
		if got := decodeUTF8([]byte(in)); got != want {
			t.Errorf("decodeUTF8(%q) = %q, want %q", in, got, want)
		}
	}
}

// pieces is a source that returns exactly one of its chunks a read, and uses the
// rest of the buffer for scratch, as io.Reader permits.
type pieces struct {
	chunks   [][]byte
	end      error // what comes after the chunks
	together bool  // end comes with the last chunk
	idle     bool  // each chunk is preceded by a read of nothing
	idled    bool
}

func (s *pieces) Read(p []byte) (int, error) {
	for i := range min(len(p), 80) {
		p[i] = '\n'
	}
	if s.idle && !s.idled {
		s.idled = true
		return 0, nil
	}
	s.idled = false
	if len(s.chunks) == 0 {
		return 0, s.end
	}
	n := copy(p, s.chunks[0])
	if s.chunks[0] = s.chunks[0][n:]; len(s.chunks[0]) == 0 {
		s.chunks = s.chunks[1:]
	}
	if s.together && len(s.chunks) == 0 {
		return n, s.end
	}
	return n, nil
}

var errLost = errors.New("connection lost")

// A way takes the chunks of a stream through the package.
type way struct {
	name string
	run  func(chunks [][]byte) (outcome, error)
}

// ways are all the ways to read the same chunks. Reader and Parser are kept from
// one run to the next, so that every run is a test of Reset, too.
func ways() []way {
	r, p := ssewire.NewReader(nil), new(ssewire.Parser)
	read := func(chunks [][]byte, src pieces) (outcome, error) {
		src.chunks = slices.Clone(chunks)
		r.Reset(&src)
		var o outcome
		for r.Next() {
			o.events = append(o.events, seen(r.Event()))
		}
		o.lastID = decodeUTF8([]byte(r.LastEventID()))
		o.retry, o.retrySet = r.ReconnectionTime()
		err := r.Err()
		if src.end == errLost {
			if !errors.Is(err, errLost) {
				return o, fmt.Errorf("err = %v, want one that wraps %q", err, errLost)
			}
			err = nil
		}
		return o, err
	}
	feed := func(chunks [][]byte, atOnce bool) (outcome, error) {
		p.Reset()
		var o outcome
		drain := func() {
			for p.Next() {
				o.events = append(o.events, seen(p.Event()))
			}
		}
		var buf []byte
		for _, c := range chunks {
			buf = append(buf[:0], c...)
			p.Feed(buf)
			for i := range buf { // the chunk is ours again
				buf[i] = '\n'
			}
			if !atOnce {
				drain()
			}
		}
		drain()
		o.lastID = decodeUTF8([]byte(p.LastEventID()))
		o.retry, o.retrySet = p.ReconnectionTime()
		return o, p.Err()
	}
	return []way{
		{"Reader", func(c [][]byte) (outcome, error) { return read(c, pieces{end: io.EOF}) }},
		{"Reader, EOF with data", func(c [][]byte) (outcome, error) { return read(c, pieces{end: io.EOF, together: true}) }},
		{"Reader, error with data", func(c [][]byte) (outcome, error) { return read(c, pieces{end: errLost, together: true}) }},
		{"Reader, error after data", func(c [][]byte) (outcome, error) { return read(c, pieces{end: errLost}) }},
		{"Reader, idle reads", func(c [][]byte) (outcome, error) { return read(c, pieces{end: io.EOF, idle: true}) }},
		{"Reader, new", func(c [][]byte) (outcome, error) {
			r = ssewire.NewReader(nil)
			return read(c, pieces{end: io.EOF})
		}},
		{"Parser", func(c [][]byte) (outcome, error) { return feed(c, false) }},
		{"Parser, all fed first", func(c [][]byte) (outcome, error) { return feed(c, true) }},
		{"Parser, new", func(c [][]byte) (outcome, error) {
			p = new(ssewire.Parser)
			return feed(c, false)
		}},
	}
}

// allSplits is the length up to which a stream is cut in two at every byte.
const allSplits = 160

// cuttings are the ways to cut a stream, by name.
func cuttings(given [][]byte) iter.Seq2[string, [][]byte] {
	stream := slices.Concat(given...)
	return func(yield func(string, [][]byte) bool) {
		if !yield("as given", given) || !yield("whole", [][]byte{stream}) {
			return
		}
		if len(stream) <= 1<<14 {
			if !yield("one byte a read", slices.Collect(slices.Chunk(stream, 1))) {
				return
			}
		}
		for seed := range uint64(4) {
			if seed < 2 && len(stream) > 1<<14 {
				continue
			}
			rnd := rand.New(rand.NewPCG(seed, uint64(len(stream))))
			longest := []int{3, 8, 40, 5000}[seed]
			var chunks [][]byte
			for rest := stream; len(rest) > 0; {
				n := min(len(rest), 1+rnd.IntN(longest))
				chunks, rest = append(chunks, rest[:n]), rest[n:]
			}
			if !yield(fmt.Sprintf("random cuts, seed %d", seed), chunks) {
				return
			}
		}
		if len(stream) <= allSplits {
			for i := 1; i < len(stream); i++ {
				if !yield(fmt.Sprintf("cut at byte %d", i), [][]byte{stream[:i], stream[i:]}) {
					return
				}
			}
		}
	}
}

// testEveryWay reads the chunks at every cut in every way and hands each outcome
// to check, which says what is wrong with it.
func testEveryWay(t *testing.T, given [][]byte, check func(outcome) error) {
	t.Helper()
	all := ways()
	for cut, chunks := range cuttings(given) {
		for _, w := range all {
			got, err := w.run(chunks)
			if err == nil {
				err = check(got)
			}
			if err != nil {
				t.Fatalf("%s, %s, of %s: %v", w.name, cut, brief(string(slices.Concat(given...))), err)
			}
		}
	}
}

// conformanceCase is a stream as it is written to a socket, a chunk at a time, and the events
// that Chromium's EventSource makes of it.
type conformanceCase struct {
	Name   string
	Chunks [][]byte
	Events []event
}

const conformanceFile = "testdata/conformance.txt"

var updateConformance = flag.Bool("update", false, "write "+conformanceFile+" anew from the shared cases")

// conformanceCases reads the cases of conformanceFile.
func conformanceCases(t *testing.T) []conformanceCase {
	t.Helper()
	file, err := os.ReadFile(conformanceFile)
	if err != nil {
		t.Fatal(err)
	}
	var cases []conformanceCase
	for n, line := range strings.Split(strings.TrimSuffix(string(file), "\n"), "\n") {
		var typ, data, id, chunk string
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "", "#":
			continue
		case "case":
			cases = append(cases, conformanceCase{Name: rest})
			continue
		case "chunk":
			_, err = fmt.Sscanf(rest, "%q", &chunk)
		case "event":
			_, err = fmt.Sscanf(rest, "%q %q %q", &typ, &data, &id)
		default:
			err = errors.New("unknown kind of line")
		}
		if err != nil || len(cases) == 0 {
			t.Fatalf("%s:%d: %q: %v", conformanceFile, n+1, line, err)
		}
		c := &cases[len(cases)-1]
		if kind == "chunk" {
			c.Chunks = append(c.Chunks, []byte(chunk))
		} else {
			c.Events = append(c.Events, event{typ, data, id})
		}
	}
	return cases
}

// writeConformance writes cases as conformanceFile has them.
func writeConformance(cases []conformanceCase) string {
	var b strings.Builder
	b.WriteString("# Event streams, as they are written to a socket, a chunk at a time, and the events that\n" +
		"# Chromium's EventSource makes of them: type, data and last event ID. Text is quoted as in Go.\n")
	for _, c := range cases {
		fmt.Fprintf(&b, "\ncase %s\n", c.Name)
		for _, chunk := range c.Chunks {
			fmt.Fprintf(&b, "chunk %+q\n", chunk)
		}
		for _, ev := range c.Events {
			fmt.Fprintf(&b, "event %+q %+q %+q\n", ev.Type, ev.Data, ev.ID)
		}
	}
	return b.String()
}

func TestConformance(t *testing.T) {
	cases := conformanceCases(t)
	if len(cases) < 140 {
		t.Fatalf("%d cases, want at least 140", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			testEveryWay(t, c.Chunks, func(got outcome) error {
				if !slices.Equal(got.events, c.Events) {
					return fmt.Errorf("got %v\nwant%v", got, outcome{events: c.Events})
				}
				return nil
			})
		})
	}
}

// The cases are those of the shared file.
func TestSharedConformance(t *testing.T) {
	file, err := os.ReadFile("../../shared/conformance/sse.json")
	if errors.Is(err, fs.ErrNotExist) {
		const lacking = "the file that the cases are from is not beside the repository"
		if os.Getenv("SSEREEL_TEST_ALL") != "" {
			t.Fatal(lacking)
		}
		t.Skip(lacking)
	}
	if err != nil {
		t.Fatal(err)
	}
	var shared []conformanceCase
	if err := json.Unmarshal(file, &shared); err != nil {
		t.Fatal(err)
	}
	if *updateConformance {
		if err := os.WriteFile(conformanceFile, []byte(writeConformance(shared)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	same := func(a, b conformanceCase) bool {
		return a.Name == b.Name && slices.EqualFunc(a.Chunks, b.Chunks, bytes.Equal) && slices.Equal(a.Events, b.Events)
	}
	own := conformanceCases(t)
	if len(own) != len(shared) {
		t.Errorf("%s has %d cases, want %d", conformanceFile, len(own), len(shared))
	}
	for i := range min(len(own), len(shared)) {
		if !same(own[i], shared[i]) {
			t.Errorf("%s has %q, want %q", conformanceFile, own[i], shared[i])
		}
	}
}

// msg is an event of the default type.
func msg(data string) event { return event{"message", data, ""} }

func msgs(data ...string) []event {
	var evs []event
	for _, d := range data {
		evs = append(evs, msg(d))
	}
	return evs
}

const bom = "\xef\xbb\xbf"

const longestDuration = time.Duration(math.MaxInt64)

// standardCases say what the standard's section on parsing and interpreting an
// event stream demands, in its order, where the cases of conformanceFile do not.
var standardCases = []struct {
	name   string
	stream string
	want   []event
	lastID string
	retry  time.Duration // -1 where none is set
}{
	// A line ends with CRLF, LF, or CR.
	{"line ends/lf lf", "data: a\n\ndata: b\n\n", msgs("a", "b"), "", -1},
	{"line ends/lf cr", "data: a\n\rdata: b\n\r", msgs("a", "b"), "", -1},
	{"line ends/lf crlf", "data: a\n\r\ndata: b\n\r\n", msgs("a", "b"), "", -1},
	{"line ends/cr cr", "data: a\r\rdata: b\r\r", msgs("a", "b"), "", -1},
	{"line ends/cr crlf", "data: a\r\r\ndata: b\r\r\n", msgs("a", "b"), "", -1},
	{"line ends/crlf lf", "data: a\r\n\ndata: b\r\n\n", msgs("a", "b"), "", -1},
	{"line ends/crlf cr", "data: a\r\n\rdata: b\r\n\r", msgs("a", "b"), "", -1},
	{"line ends/crlf crlf", "data: a\r\n\r\ndata: b\r\n\r\n", msgs("a", "b"), "", -1},
	{"line ends/cr lf is one", "data: a\r\ndata: b\n\n", msgs("a\nb"), "", -1},
	{"line ends/cr lf is one and no blank line", "event: tick\r\ndata: a\r\n", nil, "", -1},
	{"line ends/lf cr is two", "data: a\n\rdata: b\n\n", msgs("a", "b"), "", -1},
	{"line ends/cr cr lf is two", "data: a\r\r\ndata: b\n\n", msgs("a", "b"), "", -1},
	{"line ends/cr lf cr lf cr lf", "data: a\r\n\r\n\r\ndata: b\r\n\r\n", msgs("a", "b"), "", -1},
	{"line ends/every kind in one block", "data: a\rdata: b\ndata: c\r\ndata: d\r\r", msgs("a\nb\nc\nd"), "", -1},
	{"line ends/lf after a dispatching cr keeps the next block", "data: a\r\r\nevent: tick\ndata: b\n\n", []event{msg("a"), {"tick", "b", ""}}, "", -1},
	{"line ends/blank lines of every kind first", "\n\r\r\n\n\rdata: a\n\n", msgs("a"), "", -1},
	{"line ends/cr lf first", "\r\ndata: a\r\n\r\n", msgs("a"), "", -1},
	{"line ends/vertical tab, form feed, NEL, LS and PS are not", "data: a\vb\fc\u0085d\u2028e\u2029f\n\n", msgs("a\vb\fc\u0085d\u2028e\u2029f"), "", -1},
	{"line ends/bytes beside LF and CR are not", "data: \x09\x0b\x0c\x0e\x8a\x8d\x4a\x4d\x1a\x1d\n\n", msgs("\x09\x0b\x0c\x0e\ufffd\ufffd\x4a\x4d\x1a\x1d"), "", -1},
	{"line ends/escapes are text", `data: a\n\nb\r` + "\n\n", msgs(`a\n\nb\r`), "", -1},

	// A line that is empty dispatches; one of blanks is not empty.
	{"blank/space", "data: a\n \ndata: b\n\n", msgs("a\nb"), "", -1},
	{"blank/tab", "data: a\n\t\ndata: b\n\n", msgs("a\nb"), "", -1},
	{"blank/nul", "data: a\n\x00\ndata: b\n\n", msgs("a\nb"), "", -1},
	{"blank/bom", "data: a\n" + bom + "\ndata: b\n\n", msgs("a\nb"), "", -1},
	{"blank/comment", "data: a\n:\ndata: b\n\n", msgs("a\nb"), "", -1},
	{"blank/space before cr", "data: a\r\n \r\ndata: b\r\n\r\n", msgs("a\nb"), "", -1},

	// One byte order mark is stripped, at the very start only.
	{"bom/before each kind of line end", bom + "\r\n" + "data: a\n\n", msgs("a"), "", -1},
	{"bom/before cr", bom + "\r" + "data: a\n\n", msgs("a"), "", -1},
	{"bom/before comment", bom + ": c\ndata: a\n\n", msgs("a"), "", -1},
	{"bom/before id", bom + "id: 1\n\n", nil, "1", -1},
	{"bom/before retry", bom + "retry: 5\n\n", nil, "", 5 * time.Millisecond},
	{"bom/before event", bom + "event: tick\ndata: a\n\n", []event{{"tick", "a", ""}}, "", -1},
	{"bom/twice", bom + bom + "data: a\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/twice alone on a line", bom + bom + "\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/on the second line", "\n" + bom + "data: a\n\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/after an event", "data: a\n\n" + bom + "data: b\n\ndata: c\n\n", msgs("a", "c"), "", -1},
	{"bom/after a space", " " + bom + "data: a\n\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/in a field name", "da" + bom + "ta: a\n\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/before the colon", "data" + bom + ": a\n\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/in a value", "data:" + bom + " a" + bom + "\n\n", msgs("\ufeff a\ufeff"), "", -1},
	{"bom/first byte only", "\xefdata: a\n\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/two bytes only", "\xef\xbbdata: a\n\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/two bytes and a line end", "\xef\xbb\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/last byte wrong", "\xef\xbb\xbedata: a\n\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/half a second one", bom + "\xef\xbbdata: a\n\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/of UTF-16", "\xff\xfedata: a\n\ndata: b\n\n", msgs("b"), "", -1},
	{"bom/cut off by the end", "\xef\xbb", nil, "", -1},
	{"bom/one byte and the end", "\xef", nil, "", -1},
	{"bom/stripped but without it the line is whole", bom + "data: a\n\ndata: b\n\n", msgs("a", "b"), "", -1},

	// A line that starts with a colon is ignored.
	{"comment/fields in it", ": data: x\n:data: y\n:id: 1\n:retry: 1\n:event: z\ndata: a\n\n", msgs("a"), "", -1},
	{"comment/ended by cr", ": c\rdata: a\r\r", msgs("a"), "", -1},
	{"comment/ended by crlf", ":\r\ndata: a\r\n\r\n", msgs("a"), "", -1},
	{"comment/after the last data line", "data: a\n: c\n\n", msgs("a"), "", -1},
	{"comment/keeps the type", "event: tick\n: c\ndata: a\n\n", []event{{"tick", "a", ""}}, "", -1},
	{"comment/keeps the pending id", "id: 1\n: c\n\ndata: a\n\n", []event{{"message", "a", "1"}}, "1", -1},
	{"comment/nul and invalid bytes", ":\x00\xff\xc3\ndata: a\n\n", msgs("a"), "", -1},
	{"comment/two colons", ":: data\ndata: a\n\n", msgs("a"), "", -1},
	{"comment/space before the colon is a field", " : c\ndata: a\n\n", msgs("a"), "", -1},
	{"comment/cut off by the end", "data: a\n\n: c", msgs("a"), "", -1},
	{"comment/long", ":" + strings.Repeat("x", 70000) + "\ndata: a\n\n:" + strings.Repeat("y\x00", 20000) + "\r\ndata: b\n\n", msgs("a", "b"), "", -1},

	// Name and value are separated by the first colon, and by one space at most.
	{"value/one space", "data: \n\n", msgs(""), "", -1},
	{"value/two spaces", "data:  \n\n", msgs(" "), "", -1},
	{"value/only colons", "data:::\n\n", msgs("::"), "", -1},
	{"value/colon space colon", "data: : a\n\n", msgs(": a"), "", -1},
	{"value/tab is no space", "data:\t a\n\n", msgs("\t a"), "", -1},
	{"value/no-break space is no space", "data:\u00a0a\n\n", msgs("\u00a0a"), "", -1},
	{"value/nul", "data: \x00\n\n", msgs("\x00"), "", -1},
	{"value/looks like a field", "data: data: a\ndata:id: 1\n\n", msgs("data: a\nid: 1"), "", -1},
	{"value/trailing tab and spaces", "data: a \t \n\n", msgs("a \t "), "", -1},

	// Field names are compared exactly.
	{"name/upper case", "DATA: x\nEVENT: x\nID: x\nRETRY: 1\nData: x\nId: x\ndata: a\n\n", msgs("a"), "", -1},
	{"name/space before the colon", "data : x\nevent : x\nid : x\nretry : 1\ndata: a\n\n", msgs("a"), "", -1},
	{"name/space in front", " data: x\n event: x\n id: x\n retry: 1\ndata: a\n\n", msgs("a"), "", -1},
	{"name/space alone behind", "data \nevent \nid \ndata: a\n\n", msgs("a"), "", -1},
	{"name/tab behind", "data\t: x\ndata: a\n\n", msgs("a"), "", -1},
	{"name/nul in front or behind", "\x00data: x\ndata\x00: x\nid\x00: 1\ndata: a\n\n", msgs("a"), "", -1},
	{"name/one letter too few", "dat: x\neven: x\ni: x\nretr: 1\ndata: a\n\n", msgs("a"), "", -1},
	{"name/one letter too few, no colon", "dat\neven\ni\nretr\ndata: a\n\n", msgs("a"), "", -1},
	{"name/one letter too many", "datax: x\neventx: x\nidx: x\nretryx: 1\ndata: a\n\n", msgs("a"), "", -1},
	{"name/one letter too many, no colon", "datax\neventx\nidx\nretryx\ndata: a\n\n", msgs("a"), "", -1},
	{"name/one letter wrong", "dbta: x\ndatb: x\nevemt: x\njd: x\nretrz: 1\ndata: a\n\n", msgs("a"), "", -1},
	{"name/doubled", "datadata: x\nidid: x\nevent event: x\ndata: a\n\n", msgs("a"), "", -1},
	{"name/invalid byte", "data\xff: x\n\xe2\x82data: x\ndata: a\n\n", msgs("a"), "", -1},
	{"name/cyrillic a", "dаta: x\ndata: a\n\n", msgs("a"), "", -1},
	{"name/unknown without colon", "foo\ndata: a\n\n", msgs("a"), "", -1},
	{"name/unknown keeps the block", "event: tick\nfoo: x\ndata: a\nbar: y\ndata: b\n\n", []event{{"tick", "a\nb", ""}}, "", -1},
	{"name/unknown and long", strings.Repeat("data", 17000) + ": x\ndata: a\n\n", msgs("a"), "", -1},
	{"name/one letter lines", "d\ne\ni\nr\ndata: a\n\n", msgs("a"), "", -1},

	// Field data appends the value and a LF; a block without one dispatches nothing.
	{"data/name only, thrice", "data\ndata\ndata\n\n", msgs("\n\n"), "", -1},
	{"data/empty value, thrice", "data:\ndata: \ndata\n\n", msgs("\n\n"), "", -1},
	{"data/empty last", "data: a\ndata\n\n", msgs("a\n"), "", -1},
	{"data/empty in between", "data: a\ndata:\ndata: b\n\n", msgs("a\n\nb"), "", -1},
	{"data/empty event after a full one", "data: a\n\ndata\n\n", msgs("a", ""), "", -1},
	{"data/lines apart", "data: a\nid: 1\ndata: b\nevent: tick\ndata: c\nfoo\ndata: d\n\n", []event{{"tick", "a\nb\nc\nd", "1"}}, "1", -1},
	{"data/does not last", "data: a\n\n\n\nevent: tick\n\n", msgs("a"), "", -1},
	{"data/many lines", strings.Repeat("data: line\n", 3000) + "\n", msgs(strings.TrimSuffix(strings.Repeat("line\n", 3000), "\n")), "", -1},
	{"data/many empty lines", strings.Repeat("data\r", 3000) + "\r", msgs(strings.Repeat("\n", 2999)), "", -1},
	{"data/long line", "data: " + strings.Repeat("0123456789", 7000) + "\r\n\r\ndata: b\r\n\r\n", msgs(strings.Repeat("0123456789", 7000), "b"), "", -1},
	{"data/long and short lines", "data: a\ndata: " + strings.Repeat("b", 70000) + "\ndata: c\n\n", msgs("a\n" + strings.Repeat("b", 70000) + "\nc"), "", -1},

	// Field event sets the type, for its block only.
	{"event/one space is its value", "event:  \ndata: a\n\n", []event{{" ", "a", ""}}, "", -1},
	{"event/nul is text", "event: a\x00b\ndata: a\n\n", []event{{"a\x00b", "a", ""}}, "", -1},
	{"event/colon is text", "event:a:b\ndata: a\n\n", []event{{"a:b", "a", ""}}, "", -1},
	{"event/reset by a name only", "event: tick\nevent\ndata: a\n\n", msgs("a"), "", -1},
	{"event/after the data", "data: a\nevent: tick\ndata: b\n\n", []event{{"tick", "a\nb", ""}}, "", -1},
	{"event/between data lines, of which the second is longer", "data: a\nevent: tick\ndata: much longer than the type before it\n\n", []event{{"tick", "a\nmuch longer than the type before it", ""}}, "", -1},
	{
		// The comments are more than the buffer holds.
		"event/kept through many comments",
		"event: tick\n" + strings.Repeat(": c\n", 1500) + "data: a\n\nevent: longer-tick\n" + strings.Repeat(": c\n", 1500) + "data: b\n\n",
		[]event{{"tick", "a", ""}, {"longer-tick", "b", ""}}, "", -1,
	},
	{"event/reset after its block", "event: tick\ndata: a\n\ndata: b\n\n", []event{{"tick", "a", ""}, msg("b")}, "", -1},
	{"event/reset after a block without data", "event: tick\nid: 1\n\ndata: b\n\n", []event{{"message", "b", "1"}}, "1", -1},
	{"event/kept by an id", "event: tick\nid: 1\nretry: 5\ndata: b\n\n", []event{{"tick", "b", "1"}}, "1", 5 * time.Millisecond},
	{"event/shorter after longer", "event: a-long-type\ndata: a\n\nevent: b\ndata: b\n\ndata: c\n\n", []event{{"a-long-type", "a", ""}, {"b", "b", ""}, msg("c")}, "", -1},
	{"event/last of several wins", "event: one\nevent: three\nevent: two\ndata: a\n\n", []event{{"two", "a", ""}}, "", -1},
	{"event/trailing spaces", "event: tick \t\ndata: a\n\n", []event{{"tick \t", "a", ""}}, "", -1},
	{"event/names of the API are types", "event: open\ndata: a\n\nevent: error\ndata: b\n\n", []event{{"open", "a", ""}, {"error", "b", ""}}, "", -1},
	{"event/long", "event: " + strings.Repeat("t", 9000) + "\ndata: a\n\n", []event{{strings.Repeat("t", 9000), "a", ""}}, "", -1},

	// Field id sets the last event ID, unless it contains a NUL; it comes into force
	// with the blank line, whether an event is dispatched or not.
	{"id/name only resets", "id: 1\ndata: a\n\nid\ndata: b\n\n", []event{{"message", "a", "1"}, msg("b")}, "", -1},
	{"id/a space resets", "id: 1\ndata: a\n\nid: \ndata: b\n\n", []event{{"message", "a", "1"}, msg("b")}, "", -1},
	{"id/reset without an event", "id: 1\ndata: a\n\nid\n\n", []event{{"message", "a", "1"}}, "", -1},
	{"id/set and reset in one block", "id: 1\nid\ndata: a\n\n", msgs("a"), "", -1},
	{"id/after the data", "data: a\nid: 1\n\n", []event{{"message", "a", "1"}}, "1", -1},
	{"id/colons and spaces are text", "id: a:b c \ndata: a\n\n", []event{{"message", "a", "a:b c "}}, "a:b c ", -1},
	{"id/nul at the start", "id: 1\nid:\x002\ndata: a\n\n", []event{{"message", "a", "1"}}, "1", -1},
	{"id/nul at the end", "id: 1\nid: 2\x00\ndata: a\n\n", []event{{"message", "a", "1"}}, "1", -1},
	{"id/nul alone", "id: \x00\ndata: a\n\n", msgs("a"), "", -1},
	{"id/nul behind a long value", "id: " + strings.Repeat("9", 5000) + "\x00\ndata: a\n\n", msgs("a"), "", -1},
	{"id/control characters but nul", "id: a\x01\x7f\tb\ndata: a\n\n", []event{{"message", "a", "a\x01\x7f\tb"}}, "a\x01\x7f\tb", -1},
	{"id/only block", "id: 2b7beaddf0a046e2ada603346f2cbee1\n\n", nil, "2b7beaddf0a046e2ada603346f2cbee1", -1},
	{"id/only block by cr", "id: 7\r\r", nil, "7", -1},
	{"id/with a type and no data", "id: 7\nevent: tick\n\n", nil, "7", -1},
	{"id/lasts over blocks without one", "id: 7\n\n\n\ndata: a\n\n: c\n\ndata: b\n\n", []event{{"message", "a", "7"}, {"message", "b", "7"}}, "7", -1},
	{"id/cut off after its line", "id: 1\n\nid: 2\n", nil, "1", -1},
	{"id/cut off in its line", "id: 1\n\nid: 2", nil, "1", -1},
	{"id/cut off with data", "id: 1\ndata: a\n\nid: 2\ndata: b\n", []event{{"message", "a", "1"}}, "1", -1},
	{"id/cut off reset", "id: 1\ndata: a\n\nid\ndata: b\n", []event{{"message", "a", "1"}}, "1", -1},
	{"id/not in force where the blank line is missing", "id: 1\r\n", nil, "", -1},
	{"id/shorter after longer", "id: 100000000\ndata: a\n\nid: 2\ndata: b\n\ndata: c\n\n", []event{{"message", "a", "100000000"}, {"message", "b", "2"}, {"message", "c", "2"}}, "2", -1},
	{"id/of many events", "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n", []event{{"message", "a", "1"}, {"message", "b", "2"}, {"message", "c", "3"}}, "3", -1},
	{"id/long", "id: " + strings.Repeat("7", 9000) + "\ndata: a\n\n", []event{{"message", "a", strings.Repeat("7", 9000)}}, strings.Repeat("7", 9000), -1},

	// Field retry takes ASCII digits only, in base ten, and needs no blank line.
	{"retry/plain", "retry: 1500\n\n", nil, "", 1500 * time.Millisecond},
	{"retry/no space", "retry:1500\n\n", nil, "", 1500 * time.Millisecond},
	{"retry/without a blank line", "retry: 1500\n", nil, "", 1500 * time.Millisecond},
	{"retry/in a block that is cut off", "data: a\nretry: 1500\ndata: b\n", nil, "", 1500 * time.Millisecond},
	{"retry/in a line that is cut off", "retry: 1500", nil, "", -1},
	{"retry/by cr", "retry: 1500\r", nil, "", 1500 * time.Millisecond},
	{"retry/dispatches nothing", "retry: 1500\n\nretry: 2\n\n", nil, "", 2 * time.Millisecond},
	{"retry/zero", "retry: 0\n\n", nil, "", 0},
	{"retry/leading zeros", "retry: 0010\n\n", nil, "", 10 * time.Millisecond},
	{"retry/very many leading zeros", "retry: " + strings.Repeat("0", 100) + "5\n\n", nil, "", 5 * time.Millisecond},
	{"retry/last wins", "retry: 1\nretry: 2\n\n", nil, "", 2 * time.Millisecond},
	{"retry/bad after good", "retry: 7\nretry: x\n\nretry: 8x\nretry: -9\n\n", nil, "", 7 * time.Millisecond},
	{"retry/empty", "retry:\nretry\nretry: \n\n", nil, "", -1},
	{"retry/empty after good", "retry: 7\nretry:\nretry\nretry: \n\n", nil, "", 7 * time.Millisecond},
	{"retry/plus", "retry: +10\n\n", nil, "", -1},
	{"retry/minus", "retry: -10\n\n", nil, "", -1},
	{"retry/space in front", "retry:  10\n\n", nil, "", -1},
	{"retry/space behind", "retry: 10 \n\n", nil, "", -1},
	{"retry/space between", "retry: 1 0\n\n", nil, "", -1},
	{"retry/tab in front", "retry:\t10\n\n", nil, "", -1},
	{"retry/fraction", "retry: 1.5\n\n", nil, "", -1},
	{"retry/exponent", "retry: 1e3\n\n", nil, "", -1},
	{"retry/hexadecimal", "retry: 0x10\n\n", nil, "", -1},
	{"retry/underscore", "retry: 1_000\n\n", nil, "", -1},
	{"retry/nul", "retry: 10\x00\n\n", nil, "", -1},
	{"retry/bytes beside the digits", "retry: 1/\n\nretry: 1:\n\n", nil, "", -1},
	{"retry/arabic digits", "retry: ٣٠\n\n", nil, "", -1},
	{"retry/fullwidth digits", "retry: １０\n\n", nil, "", -1},
	{"retry/largest that fits", "retry: 9223372036854\n\n", nil, "", 9223372036854 * time.Millisecond},
	{"retry/one more", "retry: 9223372036855\n\n", nil, "", longestDuration},
	{"retry/2^63", "retry: 9223372036854775808\n\n", nil, "", longestDuration},
	{"retry/2^64 and 5", "retry: 18446744073709551621\n\n", nil, "", longestDuration},
	{"retry/a wrapped product", "retry: 18446744073710\n\n", nil, "", longestDuration},
	{"retry/a hundred digits", "retry: " + strings.Repeat("9", 100) + "\n\n", nil, "", longestDuration},
	{"retry/huge but bad", "retry: " + strings.Repeat("9", 100) + "x\n\n", nil, "", -1},
	{"retry/small after huge", "retry: " + strings.Repeat("9", 30) + "\nretry: 3\n\n", nil, "", 3 * time.Millisecond},
	{"retry/with an event", "retry: 10\ndata: a\nid: 1\n\n", []event{{"message", "a", "1"}}, "1", 10 * time.Millisecond},

	// What the end cuts off is dropped.
	{"end/before the blank line", "data: a\n\nevent: tick\ndata: b\r\n", msgs("a"), "", -1},
	{"end/in a line", "data: a\n\ndata: b", msgs("a"), "", -1},
	{"end/in a field name", "data: a\n\ndat", msgs("a"), "", -1},
	{"end/after a cr that may be half a crlf", "data: a\r\n\r", msgs("a"), "", -1},
	{"end/after a colon", "data: a\n\n:", msgs("a"), "", -1},
	{"end/nothing but a cr", "\r", nil, "", -1},
	{"end/nothing but text", "text", nil, "", -1},

	// The stream is UTF-8, decoded with replacement.
	{"utf-8/every length", "data: aé✔🎉\n\n", msgs("aé✔🎉"), "", -1},
	{"utf-8/lone continuation", "data: \x80a\xbf\n\n", msgs("\ufffda\ufffd"), "", -1},
	{"utf-8/overlong", "data: \xc0\x80\xe0\x80\x80\n\n", msgs("\ufffd\ufffd\ufffd\ufffd\ufffd"), "", -1},
	{"utf-8/surrogate", "data: \xed\xa0\x80\n\n", msgs("\ufffd\ufffd\ufffd"), "", -1},
	{"utf-8/beyond the last code point", "data: \xf4\x90\x80\x80\xf5\n\n", msgs("\ufffd\ufffd\ufffd\ufffd\ufffd"), "", -1},
	{"utf-8/truncated before lf", "data: \xc2\n\ndata: \xe2\x82\n\ndata: \xf0\x9f\x8e\n\n", msgs("\ufffd", "\ufffd", "\ufffd"), "", -1},
	{"utf-8/truncated before cr", "data: \xc2\rdata: \xe2\x82\r\r", msgs("\ufffd\n\ufffd"), "", -1},
	{"utf-8/truncated before a character", "data: \xe2\x82é\n\n", msgs("\ufffdé"), "", -1},
	{"utf-8/truncated before the end", "data: \xe2\x82", nil, "", -1},
	{"utf-8/not joined across data lines", "data: \xf0\x9f\ndata: \x8e\x89\n\n", msgs("\ufffd\n\ufffd\ufffd"), "", -1},
	{"utf-8/not joined across the colon", "data\xc3: x\ndata:\xa9\n\n", msgs("\ufffd"), "", -1},
	{"utf-8/in a type", "event: \xff✔\ndata: a\n\n", []event{{"\ufffd✔", "a", ""}}, "", -1},
	{"utf-8/in an id", "id: \xe2\x82☃\ndata: a\n\n", []event{{"message", "a", "\ufffd☃"}}, "\ufffd☃", -1},
	{"utf-8/of UTF-16", "d\x00a\x00t\x00a\x00:\x00 \x00a\x00\n\x00\n\x00data: b\n\n", nil, "", -1},

	// Whole streams, as they come.
	{
		"streams/assembly", assemblyStream,
		[]event{
			{"message", "assembly_upload_meta_data_extracted", assemblyID},
			{"message", "assembly_uploading_finished", assemblyID},
			{"assembly_upload_finished", `{"id":"9f1c","name":"Straße.jpg","size":61440}`, assemblyID},
			{"assembly_execution_progress", `{"progress_combined":50,"progress_per_original_file":[]}`, assemblyID},
			{"assembly_result_finished", `["resized",{"id":"a","ssl_url":"https://example.com/a.jpg"}]`, assemblyID},
			{"message", "assembly_finished", assemblyID},
		}, assemblyID, -1,
	},
	{
		"streams/the standard's stock ticker", "data: YHOO\ndata: +2\ndata: 10\n\n",
		msgs("YHOO\n+2\n10"), "", -1,
	},
	{
		"streams/the standard's four blocks", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
		[]event{{"message", "first event", "1"}, msg("second event"), msg(" third event")}, "", -1,
	},
	{"streams/the standard's two events", "data\n\ndata\ndata\n\ndata:", msgs("", "\n"), "", -1},
	{"streams/the standard's identical events", "data:test\n\ndata: test\n\n", msgs("test", "test"), "", -1},
	{
		"streams/a language model", "event: content_block_delta\ndata: {\"delta\":{\"text\":\"Hi\"}}\n\n: ping\n\nevent: message_stop\ndata: {}\n\ndata: [DONE]\n\n",
		[]event{{"content_block_delta", `{"delta":{"text":"Hi"}}`, ""}, {"message_stop", "{}", ""}, msg("[DONE]")}, "", -1,
	},
}

const assemblyID = "0c53dea3f503449d89d1ab9bc0348091"

const assemblyStream = "id: " + assemblyID + "\n\n" +
	"data: assembly_upload_meta_data_extracted\n\n" +
	"data: assembly_uploading_finished\n\n" +
	"event: assembly_upload_finished\ndata: {\"id\":\"9f1c\",\"name\":\"Straße.jpg\",\"size\":61440}\n\n" +
	": keep-alive\n\n" +
	"event: assembly_execution_progress\ndata: {\"progress_combined\":50,\"progress_per_original_file\":[]}\n\n" +
	"event: assembly_result_finished\ndata: [\"resized\",{\"id\":\"a\",\"ssl_url\":\"https://example.com/a.jpg\"}]\n\n" +
	"data: assembly_finished\n\n"

func TestStandard(t *testing.T) {
	names := make(map[string]bool)
	for _, c := range standardCases {
		if names[c.name] {
			t.Fatalf("two cases are named %s", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			want := outcome{events: c.want, lastID: c.lastID}
			if c.retry >= 0 {
				want.retry, want.retrySet = c.retry, true
			}
			testEveryWay(t, [][]byte{[]byte(c.stream)}, func(got outcome) error {
				if !got.equal(want) {
					return fmt.Errorf("got %v\nwant%v", got, want)
				}
				return nil
			})
		})
	}
}

// The empty stream has no cut to be made in it.
func TestEmptyStream(t *testing.T) {
	testEveryWay(t, nil, func(got outcome) error {
		if !got.equal(outcome{}) {
			return fmt.Errorf("got %v", got)
		}
		return nil
	})
}

// A line may end at any distance from the start of a word, a vector or a buffer.
func TestLineEndAtEveryOffset(t *testing.T) {
	// Bytes that resemble LF and CR in all bits but one, or in sign.
	const filler = "x\x0b\x0c\x0e\x0f\x08\x09\x02\x05\x1a\x1d\x2a\x2d\x4a\x4d\x8a\x8d\xff\x80\x00"
	all := ways()
	for size := range 200 {
		line := strings.Repeat(filler, size/len(filler)+1)[:size]
		shown := decodeUTF8([]byte(line))
		for _, eol := range []string{"\n", "\r", "\r\n"} {
			stream := []byte("data:x" + line + eol + "data:y" + line + eol + eol + ":" + line + eol + "id:" + strings.ReplaceAll(line, "\x00", "") + eol + "data:" + eol + eol)
			want := outcome{lastID: decodeUTF8([]byte(strings.ReplaceAll(line, "\x00", "")))}
			want.events = []event{msg("x" + shown + "\ny" + shown), {"message", "", want.lastID}}
			for _, w := range all {
				for _, chunks := range [][][]byte{{stream}, {stream[:size+6], stream[size+6:]}, {stream[:size+7], stream[size+7:]}} {
					got, err := w.run(chunks)
					if err != nil || !got.equal(want) {
						t.Fatalf("%s, %d bytes a line, ended by %q: %v, got %v\nwant%v", w.name, size, eol, err, got, want)
					}
				}
			}
		}
	}
}

// A source that fills whatever buffer it is given puts the ends of lines on the
// buffer's own borders.
func TestBufferBorders(t *testing.T) {
	for _, size := range []int{512, 1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10} {
		for _, eol := range []string{"\n", "\r", "\r\n"} {
			for offset := -12; offset <= 12; offset++ {
				first := strings.Repeat("a", size+offset)
				stream := "data: " + first + eol + "id: 1" + eol + eol + "event: tick" + eol + "data: b" + eol + "data: c" + eol + eol + "data: d" + eol
				want := []event{{"message", first, "1"}, {"tick", "b\nc", "1"}}
				var got []event
				r := ssewire.NewReader(strings.NewReader(stream))
				for r.Next() {
					got = append(got, seen(r.Event()))
				}
				if r.Err() != nil || !slices.Equal(got, want) {
					t.Fatalf("line of %d bytes ended by %q: %v, got %v\nwant%v", len(first)+6, eol, r.Err(), outcome{events: got}, outcome{events: want})
				}
			}
		}
	}
}

// Type tells an event that the stream names "message" from one that it does not name.
func TestTypeIsWhatTheStreamSays(t *testing.T) {
	r := ssewire.NewReader(strings.NewReader("data: a\n\nevent: message\ndata: b\n\nevent:\ndata: c\n\n"))
	var got []string
	for r.Next() {
		got = append(got, string(r.Event().Type))
	}
	if want := []string{"", "message", ""}; !slices.Equal(got, want) {
		t.Errorf("types %q, want %q", got, want)
	}
}

// The bytes of the stream are not replaced.
func TestBytesAreThoseOfTheStream(t *testing.T) {
	const odd = "\xff\x00\xe2\x82 \ufeff"
	r := ssewire.NewReader(strings.NewReader("id: \xff\xc3\nevent: " + odd + "\ndata: " + odd + "\ndata: " + odd + "\n\n"))
	if !r.Next() {
		t.Fatal("no event:", r.Err())
	}
	ev := r.Event()
	if string(ev.Type) != odd || string(ev.Data) != odd+"\n"+odd || string(ev.ID) != "\xff\xc3" || r.LastEventID() != "\xff\xc3" {
		t.Errorf("got type %q, data %q, ID %q, LastEventID %q", ev.Type, ev.Data, ev.ID, r.LastEventID())
	}
}
