package replay_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// load loads the reel that text is.
func load(text string) (*replay.Recording, error) {
	return replay.Load(strings.NewReader(text), int64(len(text)))
}

// mustLoad loads a reel that nothing is wrong with.
func mustLoad(t testing.TB, text string) *replay.Recording {
	t.Helper()
	rec, err := load(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, clip(text))
	}
	return rec
}

// clip shortens what a failed test prints.
func clip(s string) string {
	const most = 2000
	if len(s) > most {
		return fmt.Sprintf("%s … (%d bytes)", s[:most], len(s))
	}
	return s
}

// piece is one read.
type piece struct {
	At   time.Duration
	Data string
}

// exchange is all that the API tells of an Exchange.
type exchange struct {
	Number        int
	Sent          time.Duration
	Method, URL   string
	RequestHeader http.Header
	RequestReads  []piece
	Received      time.Duration
	Status        int
	Header        http.Header
	Reads         []piece
	Ended         time.Duration
	End           replay.End
	Cause         string
}

// body returns the bytes of the response.
func (x exchange) body() string {
	var b strings.Builder
	for _, p := range x.Reads {
		b.WriteString(p.Data)
	}
	return b.String()
}

// contents reads all that is in the recording, and checks that its parts agree.
func contents(t testing.TB, rec *replay.Recording) []exchange {
	t.Helper()
	var all []exchange
	for _, x := range rec.Exchanges() {
		got := exchange{
			Number: x.Number, Sent: x.Sent, Method: x.Method, URL: x.URL,
			RequestHeader: fullHeader(x.RequestHeader),
			Received:      x.Received, Status: x.StatusCode, Header: fullHeader(x.Header),
			Ended: x.Ended, End: x.End, Cause: x.Cause,
		}
		for r, err := range x.RequestReads() {
			if err != nil {
				t.Errorf("exchange %d: request body: %v", x.Number, err)
			}
			got.RequestReads = append(got.RequestReads, piece{r.At, string(r.Data)})
		}
		for r, err := range x.Reads() {
			if err != nil {
				t.Errorf("exchange %d: body: %v", x.Number, err)
			}
			got.Reads = append(got.Reads, piece{r.At, string(r.Data)})
		}
		if x.NumReads() != len(got.Reads) {
			t.Errorf("exchange %d: NumReads is %d, Reads gives %d", x.Number, x.NumReads(), len(got.Reads))
		}
		if body := got.body(); x.Size != int64(len(body)) {
			t.Errorf("exchange %d: Size is %d, its reads have %d bytes", x.Number, x.Size, len(body))
		}
		all = append(all, got)
	}
	return all
}

// fullHeader returns h, nil if nothing is in it.
func fullHeader(h http.Header) http.Header {
	if len(h) == 0 {
		return nil
	}
	return h
}

// dump writes an exchange a fact a line, for the message of a failed test.
func dump(all []exchange) []string {
	var lines []string
	for _, x := range all {
		lines = append(lines,
			fmt.Sprintf("%d: %v %s %q", x.Number, x.Sent, x.Method, x.URL),
			fmt.Sprintf("%d: request header %q", x.Number, x.RequestHeader))
		for _, p := range x.RequestReads {
			lines = append(lines, fmt.Sprintf("%d: request read %v %q", x.Number, p.At, clip(p.Data)))
		}
		lines = append(lines, fmt.Sprintf("%d: response %v %d %q", x.Number, x.Received, x.Status, x.Header))
		for _, p := range x.Reads {
			lines = append(lines, fmt.Sprintf("%d: read %v %q", x.Number, p.At, clip(p.Data)))
		}
		lines = append(lines, fmt.Sprintf("%d: end %v %q %q", x.Number, x.Ended, x.End, x.Cause))
	}
	return lines
}

// diff returns where two recordings differ, "" if nowhere.
func diff(want, got []exchange) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	w, g := dump(want), dump(got)
	for i := range max(len(w), len(g)) {
		switch {
		case i >= len(w):
			return "too much: " + g[i]
		case i >= len(g):
			return "missing: " + w[i]
		case w[i] != g[i]:
			return "\nwant " + w[i] + "\ngot  " + g[i]
		}
	}
	return fmt.Sprintf("\nwant %#v\ngot  %#v", want, got)
}

// marked takes the mark "!" from the front of a line of the reel, and returns
// that line's number and offset. No line of a reel begins with "!".
func marked(t testing.TB, text string) (reel string, line int, offset int64) {
	t.Helper()
	at := 0
	if !strings.HasPrefix(text, "!") {
		at = strings.Index(text, "\n!") + 1
		if at == 0 {
			t.Fatalf("no line of the reel is marked:\n%s", text)
		}
	}
	return text[:at] + text[at+1:], strings.Count(text[:at], "\n") + 1, int64(at)
}

// wantFormatError checks that err is a FormatError that wraps sentinel and says
// this place.
func wantFormatError(t testing.TB, err, sentinel error, line int, offset int64) {
	t.Helper()
	var fe *replay.FormatError
	switch {
	case !errors.As(err, &fe):
		t.Errorf("the error is %v, want a FormatError that wraps %q", err, sentinel)
	case !errors.Is(err, sentinel):
		t.Errorf("%q does not wrap %q", err, sentinel)
	case fe.Line != line || fe.Offset != offset:
		t.Errorf("%q is at line %d, offset %d; want line %d, offset %d", err, fe.Line, fe.Offset, line, offset)
	case fe.Reason == "" || fe.Err == nil:
		t.Errorf("%#v lacks a reason or what it wraps", fe)
	}
}

func castagnoli(s string) uint32 {
	return crc32.Checksum([]byte(s), crc32.MakeTable(crc32.Castagnoli))
}

// sealed appends the seal of what stands behind the last one in text, which is
// from begin on.
func sealed(text string, begin int) string {
	return fmt.Sprintf("%s$ bytes=%d crc32c=%08x\n", text, len(text)-begin, castagnoli(text[begin:]))
}

// Parts of reels, for the tables.
const (
	version = "reel 1\n"
	request = version + "> 1 +0 GET /s\n"
	opened  = request + "< 1 +0 200\n" // exchange 1 with a response
	eof     = ". 1 +0 eof\n"
)

// formatDocument returns FORMAT.md and the indented blocks in it.
func formatDocument(t testing.TB) (text string, blocks []string) {
	t.Helper()
	raw, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	var block strings.Builder
	for line := range strings.Lines(string(raw)) {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			block.WriteString(code)
		} else if block.Len() > 0 {
			blocks = append(blocks, block.String())
			block.Reset()
		}
	}
	if block.Len() > 0 {
		blocks = append(blocks, block.String())
	}
	return string(raw), blocks
}

// blockWith returns the one block that begins with prefix and contains part.
func blockWith(t testing.TB, blocks []string, prefix, part string) string {
	t.Helper()
	found := slices.DeleteFunc(slices.Clone(blocks), func(b string) bool {
		return !strings.HasPrefix(b, prefix) || !strings.Contains(b, part)
	})
	if len(found) != 1 {
		t.Fatalf("FORMAT.md has %d blocks that begin with %q and contain %q, want 1", len(found), prefix, part)
	}
	return found[0]
}

func TestFormatIntroduction(t *testing.T) {
	_, blocks := formatDocument(t)
	text := blockWith(t, blocks, version, "api2.example")
	rec := mustLoad(t, text)
	if !rec.Sealed() {
		t.Error("the seal does not hold")
	}
	if want := time.Date(2026, 5, 7, 16, 10, 57, 161e6, time.UTC); !rec.Start().Equal(want) {
		t.Errorf("Start is %v, want %v", rec.Start(), want)
	}
	if want := 1258 * time.Millisecond; rec.Duration() != want {
		t.Errorf("Duration is %v, want %v", rec.Duration(), want)
	}
	if got, want := rec.Comments(), []string{"one event, cut in mid-line"}; !slices.Equal(got, want) {
		t.Errorf("Comments are %q, want %q", got, want)
	}
	want := []exchange{{
		Number: 1, Method: "GET", URL: "https://api2.example/ws20219?assembly=55a46ab12179453a8a20921a058b7546",
		RequestHeader: http.Header{"Accept": {"text/event-stream"}},
		Received:      48 * time.Millisecond, Status: 200, Header: http.Header{"Content-Type": {"text/event-stream"}},
		Reads: []piece{
			{49 * time.Millisecond, "id: 55a46ab12179453a8a20921a058b7546\n\n"},
			{1253 * time.Millisecond, "data: {\"progress_com"},
			{1255 * time.Millisecond, "bined\":50}\n\n"},
		},
		Ended: 1258 * time.Millisecond, End: replay.EndEOF,
	}}
	if d := diff(want, contents(t, rec)); d != "" {
		t.Error(d)
	}
}

func TestFormatByHand(t *testing.T) {
	_, blocks := formatDocument(t)
	shortest := blockWith(t, blocks, version, "/stream")
	later := blockWith(t, blocks, "= 1 +1\n", "|data: two")
	poll := blockWith(t, blocks, "> 2 +0.5", "ASSEMBLY_EXECUTING")
	end := strings.Index(shortest, ". 1 ")

	hello := exchange{
		Number: 1, Method: "GET", URL: "/stream",
		Status: 200, Header: http.Header{"Content-Type": {"text/event-stream"}},
		Reads: []piece{{0, "data: hello\n\n"}},
		End:   replay.EndEOF,
	}
	longer := hello
	longer.Reads = []piece{{0, "data: hello\n\n"}, {time.Second, "data: one\n\ndata: two\n\n"}}
	longer.Ended = time.Second
	beside := func(sent time.Duration) exchange {
		return exchange{
			Number: 2, Sent: sent, Method: "GET", URL: "/assemblies/55a46ab12179453a8a20921a058b7546",
			Received: sent + 20*time.Millisecond, Status: 200, Header: http.Header{"Content-Type": {"application/json"}},
			Reads: []piece{{sent + 20*time.Millisecond, `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"55a46ab12179453a8a20921a058b7546"}`}},
			Ended: sent + 20*time.Millisecond, End: replay.EndEOF,
		}
	}
	shifted := longer
	shifted.Reads = []piece{{0, "data: hello\n\n"}, {1520 * time.Millisecond, "data: one\n\ndata: two\n\n"}}
	shifted.Ended = 1520 * time.Millisecond

	for _, c := range []struct {
		name, reel string
		want       []exchange
	}{
		{"the shortest reel", shortest, []exchange{hello}},
		{"a second later, two events in one read", shortest[:end] + later + shortest[end:], []exchange{longer}},
		{"a poll behind it", shortest + poll, []exchange{hello, beside(500 * time.Millisecond)}},
		{"a poll in the middle moves what follows", shortest[:end] + poll + later + shortest[end:],
			[]exchange{shifted, beside(500 * time.Millisecond)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := mustLoad(t, c.reel)
			if d := diff(c.want, contents(t, rec)); d != "" {
				t.Error(d)
			}
			if rec.Sealed() || !rec.Start().IsZero() || len(rec.Comments()) != 0 {
				t.Errorf("sealed %v, start %v, comments %q: want none of them", rec.Sealed(), rec.Start(), rec.Comments())
			}
		})
	}
}

// Each line of the table of first bytes, and nothing else, begins a line.
func TestFormatFirstBytes(t *testing.T) {
	doc, _ := formatDocument(t)
	for _, b := range "r@#>^<=|\\~%.$" {
		if row := "| `" + strings.ReplaceAll(string(b), "|", `\|`) + "`"; !strings.Contains(doc, row) && !strings.Contains(doc, " `"+string(b)+"` ") {
			t.Errorf("FORMAT.md does not name %q", b)
		}
	}
	for b := range 256 {
		if strings.IndexByte("@#>^<=|\\~%.$\n", byte(b)) >= 0 {
			continue
		}
		text := opened + string([]byte{byte(b)}) + " 1 +0\n" + eof
		_, err := load(text)
		var fe *replay.FormatError
		if !errors.As(err, &fe) || !errors.Is(err, replay.ErrDamaged) || fe.Line != 4 {
			t.Errorf("a line that begins with %q gives %v, want ErrDamaged at line 4", byte(b), err)
		}
	}
}

func TestFormatValid(t *testing.T) {
	one := func(x exchange) []exchange {
		x.Number, x.Method, x.End = 1, "GET", replay.EndEOF
		if x.URL == "" {
			x.URL = "/s"
		}
		return []exchange{x}
	}
	answered := func(x exchange) []exchange {
		x.Status = 200
		return one(x)
	}
	reads := func(data ...string) []exchange {
		var x exchange
		for _, d := range data {
			x.Reads = append(x.Reads, piece{0, d})
		}
		return answered(x)
	}
	header := func(name string, values ...string) []exchange {
		return answered(exchange{Header: http.Header{name: values}})
	}
	const last = math.MaxInt32
	for _, c := range []struct {
		name, reel string
		want       []exchange
	}{
		{"nothing but the version", version, nil},
		{"empty lines", version + "\n\n" + request[len(version):] + "\n" + eof + "\n", one(exchange{})},
		{"no response", request + eof, one(exchange{})},
		{"an absolute URL", version + "> 1 +0 GET http://[::1]:80/a?b#c\n" + eof, one(exchange{URL: "http://[::1]:80/a?b#c"})},
		{"spaces in a URL", version + "> 1 +0 GET /a b\n" + eof, one(exchange{URL: "/a b"})},
		{"escapes in a URL", version + `> 1 +0 GET /\\\n\r\t\x00\xfF\x5c` + "\n" + eof, one(exchange{URL: "/\\\n\r\t\x00\xff\\"})},
		{"bytes in a URL stand for themselves", version + "> 1 +0 GET /\x00\xff\r\u2028/\n" + eof, one(exchange{URL: "/\x00\xff\r\u2028/"})},
		{"a method is a token", version + "> 1 +0 !#$%&'*+-.^_`|~09azAZ /s\n" + eof,
			[]exchange{{Number: 1, Method: "!#$%&'*+-.^_`|~09azAZ", URL: "/s", End: replay.EndEOF}}},
		{"the last number of an exchange", version + "> 2147483647 +0 GET /s\n. 2147483647 +0 eof\n",
			[]exchange{{Number: last, Method: "GET", URL: "/s", End: replay.EndEOF}}},
		{"zeros in front of numbers", version + "> 01 +00 GET /s\n< 001 +0.0 200\n= 1 +0 0001\n\\x\n. 1 +0 eof bytes=01\n", reads("x")},
		{"numbers in any order", version + "> 7 +0 GET /s\n> 3 +0 GET /s\n. 3 +0 eof\n. 7 +0 eof\n",
			[]exchange{{Number: 7, Method: "GET", URL: "/s", End: replay.EndEOF}, {Number: 3, Method: "GET", URL: "/s", End: replay.EndEOF}}},
		{"the first status", request + "< 1 +0 100\n" + eof, one(exchange{Status: 100})},
		{"the last status", request + "< 1 +0 999\n" + eof, one(exchange{Status: 999})},

		{"a header with a space", opened + "< 1 x-a: v\n" + eof, header("X-A", "v")},
		{"a header without a space", opened + "< 1 x-a:v\n" + eof, header("X-A", "v")},
		{"only one space is taken off", opened + "< 1 x-a:  v \n" + eof, header("X-A", " v ")},
		{"a tab is not taken off", opened + "< 1 x-a:\tv\n" + eof, header("X-A", "\tv")},
		{"a header without a value", opened + "< 1 x-a:\n" + eof, header("X-A", "")},
		{"a header with a space for a value", opened + "< 1 x-a: \n" + eof, header("X-A", "")},
		{"a header with colons", opened + "< 1 x-a: :b: c\n" + eof, header("X-A", ":b: c")},
		{"capitals mean the same", opened + "< 1 X-A: 1\n< 1 x-a: 2\n" + eof, header("X-A", "1", "2")},
		{"escapes in a header", opened + `< 1 x-a: C:\\temp\n\r\t\x00\xE9` + "\n" + eof, header("X-A", "C:\\temp\n\r\t\x00\xe9")},
		{"an escaped CR may end a line", opened + "< 1 x-a: v\\r\n" + eof, header("X-A", "v\r")},
		{"a header whose name looks like a time", opened + "< 1 +0: 200\n< 1 +0:1\n" + eof, header("+0", "200", "1")},
		{"a request header whose name looks like a time", request + "> 1 +0: GET /s\n" + eof,
			one(exchange{RequestHeader: http.Header{"+0": {"GET /s"}}})},
		{"trailers", opened + "= 1 +0\n\\x\n< 1 x-t: v\n" + eof,
			answered(exchange{Reads: []piece{{0, "x"}}})},

		{"a read without bytes", opened + "= 1 +0\n" + eof, reads("")},
		{"a read that says it has no bytes", opened + "= 1 +0 0\n" + eof, reads("")},
		{"a line", opened + "= 1 +0\n|a\\n|\\\r~b\n" + eof, reads("a\\n|\\\r~b\n")},
		{"an empty line of the body", opened + "= 1 +0\n|\n" + eof, reads("\n")},
		{"a part", opened + "= 1 +0\n\\a\\n\\\n" + eof, reads("a\\n\\")},
		{"a part without bytes", opened + "= 1 +0 0\n\\\n" + eof, reads("")},
		{"a part in the middle", opened + "= 1 +0 4\n\\a\n\\b\n|c\n" + eof, reads("abc\n")},
		{"quoted", opened + `= 1 +0` + "\n" + `~\\\n\r\t\x00\x7F\xfe` + "\n" + eof, reads("\\\n\r\t\x00\x7f\xfe")},
		{"quoted, without an LF of its own", opened + "= 1 +0 1\n~a\n" + eof, reads("a")},
		{"quoted, without bytes", opened + "= 1 +0 0\n~\n" + eof, reads("")},
		{"base64", opened + "= 1 +0\n%AAECA/8=\n%QQ==\n%\n" + eof, reads("\x00\x01\x02\x03\xffA")},
		{"every kind of line in one read", opened + "= 1 +0 6\n|a\n\\b\n~\\x63\n%ZAo=\n" + eof, reads("a\nbcd\n")},
		{"comments and empty lines in a body", opened + "= 1 +0 4\n# a\n\n|a\n\n# b\n|b\n#\n" + eof, reads("a\nb\n")},
		{"comments between a read and its bytes, without a number", opened + "= 1 +0\n# a\n|a\n\n|b\n" + eof, reads("a\nb\n")},
		{"reads one after the other", opened + "= 1 +0\n\\a\n= 1 +0\n\\b\n= 1 +0 0\n" + eof, reads("a", "b", "")},

		{"a request body", request + "^ 1 +1 1\n\\a\n^ 1 +1\n|b\n< 1 +1 200\n. 1 +1 eof\n",
			answered(exchange{RequestReads: []piece{{1e9, "a"}, {2e9, "b\n"}}, Received: 3e9, Ended: 4e9})},
		{"a request body that goes on while the response comes in", opened + "^ 1 +0\n\\a\n= 1 +0\n\\b\n^ 1 +0\n\\c\n" + eof,
			answered(exchange{RequestReads: []piece{{0, "a"}, {0, "c"}}, Reads: []piece{{0, "b"}}})},
		{"headers between reads of others", version + "> 1 +0 GET /s\n> 2 +0 GET /s\n> 1 a: 1\n> 2 b: 2\n< 2 +0 200\n< 1 +0 200\n= 2 +0\n\\x\n< 1 c: 3\n. 2 +0 eof\n. 1 +0 eof\n",
			[]exchange{
				{Number: 1, Method: "GET", URL: "/s", RequestHeader: http.Header{"A": {"1"}}, Status: 200, Header: http.Header{"C": {"3"}}, End: replay.EndEOF},
				{Number: 2, Method: "GET", URL: "/s", RequestHeader: http.Header{"B": {"2"}}, Status: 200, Reads: []piece{{0, "x"}}, End: replay.EndEOF},
			}},

		{"sums", opened + "= 1 +0\n\\123456789\n. 1 +0 eof bytes=9 crc32c=e3069283\n", reads("123456789")},
		{"sums in the other order", opened + "= 1 +0\n\\123456789\n. 1 +0 eof crc32c=e3069283 bytes=9\n", reads("123456789")},
		{"a size alone", opened + "= 1 +0\n\\123456789\n. 1 +0 eof bytes=9\n", reads("123456789")},
		{"a CRC alone", opened + "= 1 +0\n\\123456789\n. 1 +0 eof crc32c=e3069283\n", reads("123456789")},
		{"the sums of a body are of the response", request + "^ 1 +0\n\\abc\n< 1 +0 200\n. 1 +0 eof bytes=0 crc32c=00000000\n",
			answered(exchange{RequestReads: []piece{{0, "abc"}}})},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := mustLoad(t, c.reel)
			if d := diff(c.want, contents(t, rec)); d != "" {
				t.Errorf("%s\n%s", d, c.reel)
			}
		})
	}
}

func TestFormatEndings(t *testing.T) {
	for _, c := range []struct {
		name, line string
		end        replay.End
		cause      string
	}{
		{"eof", ". 1 +0 eof\n", replay.EndEOF, ""},
		{"reset", ". 1 +0 reset\n", replay.EndReset, ""},
		{"timeout", ". 1 +0 timeout\n", replay.EndTimeout, ""},
		{"canceled", ". 1 +0 canceled\n", replay.EndCanceled, ""},
		{"a cause", ". 1 +0 reset error=unexpected EOF\n", replay.EndReset, "unexpected EOF"},
		{"a cause behind sums", ". 1 +0 reset bytes=0 crc32c=00000000 error=unexpected EOF\n", replay.EndReset, "unexpected EOF"},
		{"a cause with escapes", `. 1 +0 reset error=\\a\nb\r\t\x00` + "\n", replay.EndReset, "\\a\nb\r\t\x00"},
		{"an empty cause", ". 1 +0 reset error=\n", replay.EndReset, ""},
		{"a cause goes on to the end of the line", ". 1 +0 reset error=a bytes=7 error=b \n", replay.EndReset, "a bytes=7 error=b "},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := mustLoad(t, opened+c.line).Exchanges()[0]
			if x.End != c.end || x.Cause != c.cause {
				t.Errorf("End is %q because of %q, want %q because of %q", x.End, x.Cause, c.end, c.cause)
			}
		})
	}
}

// damaged has a "!" in front of the line that breaks a rule.
var damaged = []struct{ name, reel string }{
	// Lines.
	{"a second version", opened + "!reel 1\n" + eof},
	{"an unknown first byte", opened + "!+ 1 +0\n" + eof},
	{"a space in front of a line", opened + "! # comment\n" + eof},
	{"a line of a space", opened + "! \n" + eof},
	{"a CR behind a record", opened + "!" + ". 1 +0 eof\r\n"},
	{"a CR for an empty line", opened + "!\r\n" + eof},
	{"a CR behind a comment", opened + "!# comment\r\n" + eof},
	{"a CR behind a line of a body", opened + "= 1 +0\n!|a\r\n" + eof},
	{"a CR behind a part", opened + "= 1 +0\n!\\a\r\n" + eof},
	{"a CR behind a quoted line", opened + "= 1 +0\n!~a\r\n" + eof},
	{"a CR behind base64", opened + "= 1 +0\n!%QQ==\r\n" + eof},
	{"a CR behind a header", opened + "!< 1 a: b\r\n" + eof},

	// Clock.
	{"a clock without a time", version + "!@\n"},
	{"a clock without a space", version + "!@2026-05-07T16:10:57Z\n"},
	{"a clock with a space behind it", version + "!@ 2026-05-07T16:10:57Z \n"},
	{"a clock without a zone", version + "!@ 2026-05-07T16:10:57\n"},
	{"a clock without a day", version + "!@ 16:10:57Z\n"},
	{"a month that is none", version + "!@ 2026-13-07T16:10:57Z\n"},
	{"a day that is none", version + "!@ 2026-02-29T16:10:57Z\n"},
	{"a clock with a comma", version + "!@ 2026-05-07T16:10:57,161Z\n"},
	{"a clock with an hour of one digit", version + "!@ 2026-05-07T6:10:57Z\n"},
	{"a clock with a zone of 24 hours", version + "!@ 2026-05-07T16:10:57+24:00\n"},
	{"a clock with a zone of 60 minutes", version + "!@ 2026-05-07T16:10:57+01:60\n"},
	{"a later clock that is wrong", version + "@ 2026-05-07T16:10:57Z\n!@ now\n"},

	// Exchange numbers.
	{"exchange 0", version + "!> 0 +0 GET /s\n"},
	{"an exchange number that is too large", version + "!> 2147483648 +0 GET /s\n"},
	{"an exchange number of many digits", version + "!> 18446744073709551617 +0 GET /s\n"},
	{"a negative exchange number", version + "!> -1 +0 GET /s\n"},
	{"an exchange number with a sign", version + "!> +1 +0 GET /s\n"},
	{"no exchange number", version + "!> GET /s\n"},
	{"an exchange number that is no number", version + "!> 1a +0 GET /s\n"},
	{"no space in front of the exchange number", version + "!>1 +0 GET /s\n"},
	{"two spaces in front of the exchange number", version + "!>  1 +0 GET /s\n"},
	{"nothing behind the mark", version + "!>\n"},
	{"nothing behind the exchange number", version + "!> 1\n"},
	{"only a space behind the exchange number", version + "!> 1 \n"},

	// Times.
	{"a time without a plus", version + "!> 1 0 GET /s\n"},
	{"a time with a minus", version + "!> 1 -1 GET /s\n"},
	{"a time without digits", version + "!> 1 + GET /s\n"},
	{"a time without digits in front of the point", version + "!> 1 +.5 GET /s\n"},
	{"a time without digits behind the point", version + "!> 1 +5. GET /s\n"},
	{"a time of ten digits behind the point", version + "!> 1 +0.0000000001 GET /s\n"},
	{"a time with two points", version + "!> 1 +0.0.1 GET /s\n"},
	{"a time with an exponent", version + "!> 1 +1e3 GET /s\n"},
	{"a time with a comma", version + "!> 1 +0,5 GET /s\n"},
	{"a time with an underscore", version + "!> 1 +1_000 GET /s\n"},
	{"a time with a unit", version + "!> 1 +1s GET /s\n"},
	{"a time that is infinite", version + "!> 1 +Inf GET /s\n"},
	{"a time in hexadecimal", version + "!> 1 +0x10 GET /s\n"},
	{"a time in other digits", version + "!> 1 +١ GET /s\n"},
	{"a moment later than 292 years", version + "!> 1 +9300000000 GET /s\n"},
	{"a time beyond 64 bits", version + "!> 1 +99999999999999999999999 GET /s\n"},
	{"times that are later than 292 years together", version + "> 1 +5000000000 GET /s\n!. 1 +5000000000 eof\n"},
	{"no time", version + "!> 1 GET /s\n"},

	// Requests.
	{"a request without a URL", version + "!> 1 +0 GET\n"},
	{"a request without a method", version + "!> 1 +0\n"},
	{"a method that is no token", version + "!> 1 +0 G(T /s\n"},
	{"a method in other letters", version + "!> 1 +0 GÉT /s\n"},
	{"two spaces in front of the method", version + "!> 1 +0  GET /s\n"},
	{"an unknown escape in a URL", version + `!> 1 +0 GET /\q` + "\n"},
	{"a URL that ends in its escape", version + `!> 1 +0 GET /\` + "\n"},
	{"an escape of one digit", version + `!> 1 +0 GET /\x4` + "\n"},
	{"an escape of other digits", version + `!> 1 +0 GET /\x4g` + "\n"},
	{"an escape in capitals", version + `!> 1 +0 GET /\N` + "\n"},
	{"a hexadecimal escape in capitals", version + `!> 1 +0 GET /\X41` + "\n"},
	{"a request header of no exchange", version + "!> 1 accept: x\n"},
	{"a number used twice at once", request + "!> 1 +0 GET /s\n" + eof},
	{"a number used twice", request + eof + "!> 1 +0 GET /s\n" + eof},
	{"a request header behind a read of the request", request + "^ 1 +0\n\\x\n!> 1 accept: x\n" + eof},
	{"a request header behind the response", opened + "!> 1 accept: x\n" + eof},

	// Headers.
	{"a header without a name", opened + "!< 1 : v\n" + eof},
	{"a header without a colon", opened + "!< 1 accept\n" + eof},
	{"a header with a space in its name", opened + "!< 1 a b: v\n" + eof},
	{"a header with a space behind its name", opened + "!< 1 a : v\n" + eof},
	{"a header whose name is no token", opened + "!< 1 a(: v\n" + eof},
	{"a header with an unknown escape", opened + `!< 1 path: C:\temp\dir` + "\n" + eof},
	{"a header with a half escape", opened + `!< 1 path: \x1` + "\n" + eof},
	{"a header in front of the status", request + "!< 1 a: v\n" + eof},

	// Responses.
	{"a response of no exchange", version + "!< 1 +0 200\n"},
	{"a second status", opened + "!< 1 +0 200\n" + eof},
	{"a second status behind a read", opened + "= 1 +0\n\\x\n!< 1 +0 200\n" + eof},
	{"a status below 100", request + "!< 1 +0 099\n" + eof},
	{"a status of two digits", request + "!< 1 +0 99\n" + eof},
	{"a status of four digits", request + "!< 1 +0 1000\n" + eof},
	{"a status with its text", request + "!< 1 +0 200 OK\n" + eof},
	{"a status with a space behind it", request + "!< 1 +0 200 \n" + eof},
	{"a status with a sign", request + "!< 1 +0 +20\n" + eof},
	{"no status", request + "!< 1 +0\n" + eof},

	// Reads.
	{"a read of no exchange", version + "!= 1 +0\n|x\n"},
	{"a read in front of the status", request + "!= 1 +0\n|x\n" + eof},
	{"a read of the request of no exchange", version + "!^ 1 +0\n|x\n"},
	{"a read behind the end", opened + eof + "!= 1 +0\n|x\n"},
	{"a read of the request behind the end", opened + eof + "!^ 1 +0\n|x\n"},
	{"a read without a time", opened + "!= 1\n|x\n" + eof},
	{"a read with a space behind it", opened + "!= 1 +0 \n|x\n" + eof},
	{"a read that is too large", opened + "!= 1 +0 268435457\n|x\n" + eof},
	{"a read of a negative size", opened + "!= 1 +0 -1\n|x\n" + eof},
	{"a read whose size has a sign", opened + "!= 1 +0 +2\n|x\n" + eof},
	{"a read whose size is no number", opened + "!= 1 +0 x\n|x\n" + eof},
	{"a read of a size beyond 64 bits", opened + "!= 1 +0 18446744073709551618\n|x\n" + eof},
	{"a read with two sizes", opened + "!= 1 +0 2 2\n|x\n" + eof},
	{"a read with fewer bytes than it says, in the middle", opened + "!= 1 +0 9\n|x\n" + eof},
	{"a read without the bytes it says", opened + "!= 1 +0 1\n" + eof},
	{"a read of the request with fewer bytes than it says", opened + "!^ 1 +0 9\n|x\n" + eof},

	// Bodies.
	{"bytes of no read", version + "!|x\n"},
	{"bytes behind a request", request + "!|x\n" + eof},
	{"bytes behind a response", opened + "!|x\n" + eof},
	{"bytes behind an end", opened + "= 1 +0\n|x\n" + eof + "!|x\n"},
	{"bytes behind a clock", opened + "= 1 +0\n|x\n@ 2026-05-07T16:10:57Z\n!|x\n" + eof},
	{"bytes behind a header", opened + "= 1 +0\n|x\n< 1 a: b\n!|x\n" + eof},
	{"an unknown escape in a quoted line", opened + "= 1 +0\n!~\\q\n" + eof},
	{"a quoted line that ends in its escape", opened + "= 1 +0\n!~a\\\n" + eof},
	{"a quoted line with half an escape", opened + "= 1 +0\n!~\\xf\n" + eof},
	{"base64 without its padding", opened + "= 1 +0\n!%QUI\n" + eof},
	{"base64 with too much padding", opened + "= 1 +0\n!%QUI==\n" + eof},
	{"base64 that goes on behind its padding", opened + "= 1 +0\n!%QQ==QQ==\n" + eof},
	{"base64 of the other alphabet", opened + "= 1 +0\n!%-_-_\n" + eof},
	{"base64 with a space", opened + "= 1 +0\n!%QUJD QUJD\n" + eof},
	{"base64 with a CR within", opened + "= 1 +0\n!%QUJD\rQUJD\n" + eof},

	// Ends.
	{"an end of no exchange", version + "!. 1 +0 eof\n"},
	{"a second end", opened + eof + "!" + eof},
	{"a response behind the end", request + eof + "!< 1 +0 200\n"},
	{"a header behind the end", opened + eof + "!< 1 a: b\n"},
	{"a request header behind the end", request + eof + "!> 1 a: b\n"},
	{"an unknown ending", opened + "!. 1 +0 done\n"},
	{"an ending in capitals", opened + "!. 1 +0 EOF\n"},
	{"no ending", opened + "!. 1 +0\n"},
	{"an ending that is empty", opened + "!. 1 +0 \n"},
	{"an end with a space behind it", opened + "!. 1 +0 eof \n"},
	{"an end with two spaces", opened + "!. 1 +0 eof  bytes=0\n"},
	{"a size twice", opened + "!. 1 +0 eof bytes=0 bytes=0\n"},
	{"a CRC twice", opened + "!. 1 +0 eof crc32c=00000000 crc32c=00000000\n"},
	{"a CRC in capitals", opened + "= 1 +0\n\\123456789\n!. 1 +0 eof crc32c=E3069283\n"},
	{"a CRC of seven digits", opened + "!. 1 +0 eof crc32c=0000000\n"},
	{"a CRC of nine digits", opened + "!. 1 +0 eof crc32c=000000000\n"},
	{"an empty CRC", opened + "!. 1 +0 eof crc32c=\n"},
	{"an empty size", opened + "!. 1 +0 eof bytes=\n"},
	{"a size with a sign", opened + "!. 1 +0 eof bytes=+0\n"},
	{"a sum of another kind", opened + "!. 1 +0 eof md5=00000000\n"},
	{"a sum in capitals", opened + "!. 1 +0 eof BYTES=0\n"},
	{"a cause in front of its mark", opened + "!. 1 +0 eof unexpected EOF\n"},
	{"a cause with an unknown escape", opened + `!. 1 +0 eof error=\q` + "\n"},

	// Seals.
	{"a seal without a sum", version + "!$\n"},
	{"a seal with a space behind it", version + "!$ bytes=7 \n"},
	{"a seal with a sum of another kind", version + "!$ md5=7\n"},
	{"a seal with a cause", version + "!$ bytes=7 error=x\n"},
	{"a seal without a space", version + "!$bytes=7\n"},
	{"a seal with a size twice", version + "!$ bytes=7 bytes=7\n"},
}

func TestFormatDamaged(t *testing.T) {
	for _, c := range damaged {
		t.Run(c.name, func(t *testing.T) {
			text, line, offset := marked(t, c.reel)
			rec, err := load(text)
			wantFormatError(t, err, replay.ErrDamaged, line, offset)
			if rec == nil {
				t.Fatal("the recording of what is good is missing")
			}
			good := text[:offset]
			if last := strings.LastIndex(good, "\n= ") + 1; last > 0 && strings.Count(good[last:], "\n") == 1 {
				good = good[:last] // the line is within a read, which is not whole then
			}
			before, _ := load(good)
			want := contents(t, before)
			if d := diff(want, contents(t, rec)); d != "" {
				t.Errorf("not what is good before the line: %s", d)
			}
			rec, _ = load(text + "> 99 +0 GET /behind\n. 99 +0 eof\n")
			if d := diff(want, contents(t, rec)); d != "" {
				t.Errorf("read on behind the line: %s", d)
			}
		})
	}
}

// A read that has more bytes than it says is wrong in its own line or in the one
// that has them: the text leaves that open.
func TestFormatReadTooLong(t *testing.T) {
	for name, tail := range map[string]string{
		"in the middle":     eof,
		"at the end":        "",
		"torn":              "|z",
		"and what is right": "= 1 +0 1\n\\x\n" + eof,
	} {
		t.Run(name, func(t *testing.T) {
			rec, err := load(opened + "= 1 +0 1\n\\a\n= 1 +0 2\n|xyz\n" + tail)
			var fe *replay.FormatError
			if !errors.As(err, &fe) || !errors.Is(err, replay.ErrDamaged) || fe.Line < 6 || fe.Line > 7 {
				t.Errorf("the error is %v, want ErrDamaged at line 6 or 7", err)
			}
			want := []exchange{{Number: 1, Method: "GET", URL: "/s", Status: 200, Reads: []piece{{0, "a"}}}}
			if d := diff(want, contents(t, rec)); d != "" {
				t.Error(d)
			}
		})
	}
}

// truncated has a "!" at the end of what is whole.
var truncated = []struct{ name, reel string }{
	{"in the version", "!reel 1"},
	{"in a clock", version + "!@ 2026-05-07T16:10:57Z"},
	{"in a comment", version + "!# comment"},
	{"in a request", version + "!> 1 +0 GET /s"},
	{"in a request, with nothing but its mark", version + "!>"},
	{"behind a request", request + "!"},
	{"in a request header", request + "!> 1 accept: x"},
	{"behind a request header", request + "> 1 accept: x\n!"},
	{"in a response", request + "!< 1 +0 200"},
	{"behind a response", opened + "!"},
	{"in a header", opened + "!< 1 a"},
	{"in a read's first line", opened + "!= 1 +0 2"},
	{"behind a read's first line", opened + "!= 1 +0 2\n"},
	{"in a read's bytes", opened + "= 1 +0 1\n\\a\n!= 1 +0 3\n\\x\n|y"},
	{"between a read's bytes", opened + "= 1 +0 1\n\\a\n!= 1 +0 3\n\\x\n"},
	{"in a comment within a read", opened + "!= 1 +0 3\n\\x\n# torn"},
	{"behind a comment within a read", opened + "!= 1 +0 3\n\\x\n# whole\n\n"},
	{"in the largest read", opened + "!= 1 +0 268435456\n\\x\n"},
	{"in a read of the request", request + "!^ 1 +0 3\n\\x\n"},
	{"behind a whole read", opened + "= 1 +0 2\n|x\n!"},
	{"behind a read without bytes", opened + "= 1 +0 0\n!"},
	{"behind a read without a number", opened + "= 1 +0\n|x\n!"},
	{"behind a read without a number, in its line", opened + "!= 1 +0\n|x\n|"},
	{"behind a read without a number, in any line", opened + "!= 1 +0\n|x\n. 1 +0 eo"},
	{"behind a read without a number or bytes", opened + "!= 1 +0\n. 1 +0 eo"},
	{"behind a read with a number, in a line", opened + "= 1 +0 2\n|x\n!. 1 +0 eo"},
	{"behind a read without a number, and a record", opened + "= 1 +0\n|x\n< 1 a: b\n!. 1 +0 eo"},
	{"in an end", opened + "!. 1 +0 eof"},
	{"with a line in it that would break a rule", opened + "= 1 +0 0\n!? what"},
	{"in a seal", opened + eof + "!$ bytes=41"},
	{"two exchanges, one without an end", request + "> 2 +0 GET /t\n. 2 +0 eof\n!"},
	{"a session that was cut off, and one that goes on", request + "@ 2026-05-07T16:10:57Z\n> 2 +0 GET /t\n. 2 +0 eof\n!"},
}

func TestFormatTruncated(t *testing.T) {
	for _, c := range truncated {
		t.Run(c.name, func(t *testing.T) {
			text, line, offset := marked(t, c.reel)
			rec, err := load(text)
			wantFormatError(t, err, replay.ErrTruncated, line, offset)
			if rec == nil {
				t.Fatal("the recording of what is good is missing")
			}
			if rec.Sealed() {
				t.Error("it counts as sealed")
			}
			whole, _ := load(text[:offset])
			if whole == nil {
				return // in the first line
			}
			if d := diff(contents(t, whole), contents(t, rec)); d != "" {
				t.Errorf("not what is whole: %s", d)
			}
		})
	}
	t.Run("an end that says so", func(t *testing.T) {
		rec, _ := load(opened)
		if x := rec.Exchanges()[0]; x.End != replay.EndUnknown {
			t.Errorf("End is %q, want EndUnknown", x.End)
		}
	})
}

// A sum that does not agree: all is read, and the place is the first line that
// the sum is about.
func TestFormatSums(t *testing.T) {
	body := opened + "= 1 +0\n|x\n"
	whole := body + eof
	seal1 := sealed(whole, 0)
	session2 := "@ 2026-05-07T17:00:00Z\n> 2 +1 GET /t\n. 2 +0 eof\n"
	for _, c := range []struct{ name, reel string }{
		{"a seal's size", "!" + whole + "$ bytes=1\n"},
		{"a seal's CRC", "!" + whole + "$ crc32c=00000000\n"},
		{"a seal's CRC, not its size", "!" + whole + fmt.Sprintf("$ bytes=%d crc32c=00000000\n", len(whole))},
		{"the first of two seals", "!" + whole + "$ bytes=1\n" + session2 + fmt.Sprintf("$ bytes=%d\n", len(session2))},
		{"the second of two seals", seal1 + "!" + session2 + "$ bytes=1\n"},
		{"a second seal of the whole reel", seal1 + "!" + session2 + fmt.Sprintf("$ bytes=%d\n", len(seal1+session2))},
		{"an exchange without an end, and a seal's size", "!" + body + "$ bytes=1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, line, offset := marked(t, c.reel)
			rec, err := load(text)
			wantFormatError(t, err, replay.ErrDamaged, line, offset)
			if rec.Sealed() {
				t.Error("it counts as sealed")
			}
			plain, _ := load(unsealed(text))
			if d := diff(contents(t, plain), contents(t, rec)); d != "" {
				t.Errorf("not all of it is read: %s", d)
			}
		})
	}
	// Whether the body's first line is its first read or the request is left open.
	for name, sums := range map[string]string{
		"a body's size":              " bytes=3",
		"a body's CRC":               " crc32c=00000000",
		"a body's CRC, not its size": " bytes=2 crc32c=00000000",
		"a body's size, not its CRC": fmt.Sprintf(" bytes=4611686018427387904 crc32c=%08x", castagnoli("x\n")),
	} {
		t.Run(name, func(t *testing.T) {
			text := body + ". 1 +0 reset" + sums + " error=x\n> 2 +0 GET /behind\n. 2 +0 eof\n"
			rec, err := load(text)
			var fe *replay.FormatError
			if !errors.As(err, &fe) || !errors.Is(err, replay.ErrDamaged) || (fe.Line != 2 && fe.Line != 4) {
				t.Errorf("the error is %v, want ErrDamaged at line 2 or 4", err)
			}
			want := []exchange{
				{Number: 1, Method: "GET", URL: "/s", Status: 200, Reads: []piece{{0, "x\n"}}, End: replay.EndReset, Cause: "x"},
				{Number: 2, Method: "GET", URL: "/behind", End: replay.EndEOF},
			}
			if d := diff(want, contents(t, rec)); d != "" {
				t.Errorf("not all of it is read: %s", d)
			}
		})
	}
}

// unsealed takes the seals out of a reel.
func unsealed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "$") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestFormatSealed(t *testing.T) {
	one := opened + "= 1 +0\n|x\n" + eof
	once := sealed(one, 0)
	again := once + "@ 2026-05-07T17:00:00Z\n> 2 +1 GET /t\n. 2 +0 eof\n"
	for _, c := range []struct {
		name, reel string
		want       bool
	}{
		{"without a seal", one, false},
		{"with a seal", once, true},
		{"with the sums in the other order", one + fmt.Sprintf("$ crc32c=%08x bytes=%d\n", castagnoli(one), len(one)), true},
		{"an empty recording", sealed(version, 0), true},
		{"comments and empty lines in front of the seal", sealed(one+"\n# c\n", 0), true},
		{"a session behind the seal", again, false},
		{"a session behind the seal, sealed anew", sealed(again, len(once)), true},
		{"three seals", sealed(sealed(again, len(once))+"# c\n", len(sealed(again, len(once)))), true},
		{"a seal of nothing behind a seal", sealed(once, len(once)), true},
		{"a comment behind the seal", once + "# c\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := mustLoad(t, c.reel).Sealed(); got != c.want {
				t.Errorf("Sealed is %v, want %v:\n%s", got, c.want, c.reel)
			}
		})
	}
}

// Sums may be left out, everywhere.
func TestFormatSumsAreNeverNeeded(t *testing.T) {
	raw, err := os.ReadFile("../testdata/every-line.reel")
	if err != nil {
		t.Fatal(err)
	}
	with := contents(t, mustLoad(t, string(raw)))
	var b strings.Builder
	for line := range strings.Lines(unsealed(string(raw))) {
		if strings.HasPrefix(line, ". ") {
			head, cause, ok := strings.Cut(line, " error=")
			head = strings.Join(strings.Fields(head)[:4], " ")
			if line = head + "\n"; ok {
				line = head + " error=" + cause
			}
		}
		if strings.HasPrefix(line, "= ") || strings.HasPrefix(line, "^ ") {
			line = strings.Join(strings.Fields(line)[:3], " ") + "\n"
		}
		b.WriteString(line)
	}
	if d := diff(with, contents(t, mustLoad(t, b.String()))); d != "" {
		t.Error(d)
	}
}

func TestFormatTime(t *testing.T) {
	t.Run("since the line with a time before it, whichever exchange", func(t *testing.T) {
		rec := mustLoad(t, version+"# c\n> 1 +1 GET /a\n> 2 +0.5 GET /b\n^ 2 +0.25\n\\x\n< 2 +0.125 200\n< 1 +0.0625 200\n= 2 +1\n\\x\n= 1 +1.000000001\n\\x\n. 2 +2.9 eof\n. 1 +0.000000099 eof\n")
		want := []exchange{
			{Number: 1, Sent: 1e9, Method: "GET", URL: "/a", Received: 1937500000, Status: 200,
				Reads: []piece{{3937500001, "x"}}, Ended: 6837500100, End: replay.EndEOF},
			{Number: 2, Sent: 15e8, Method: "GET", URL: "/b", RequestReads: []piece{{175e7, "x"}}, Received: 1875e6, Status: 200,
				Reads: []piece{{2937500000, "x"}}, Ended: 6837500001, End: replay.EndEOF},
		}
		if d := diff(want, contents(t, rec)); d != "" {
			t.Error(d)
		}
		if rec.Duration() != 6837500100 {
			t.Errorf("Duration is %d, want 6837500100", rec.Duration())
		}
	})
	t.Run("digits", func(t *testing.T) {
		for s, want := range map[string]time.Duration{
			"+0": 0, "+0.0": 0, "+0.000000000": 0, "+0.000000001": 1, "+0.1": 1e8, "+0.10": 1e8, "+0.01": 1e7,
			"+0.999999999": 999999999, "+1": 1e9, "+1.204": 1204e6, "+12345.678901234": 12345678901234, "+000001.5": 15e8,
			"+0.3": 3e8, "+0.7": 7e8, "+1.1": 11e8, "+4.35": 435e7, "+9007199254.740993001": 9007199254740993001,
		} {
			if got := mustLoad(t, version+"> 1 "+s+" GET /\n. 1 +0 eof\n").Exchanges()[0].Sent; got != want {
				t.Errorf("%s is %d ns, want %d", s, got, want)
			}
		}
	})
	t.Run("292 years", func(t *testing.T) {
		const year = 365 * 24 * 3600
		text := version + fmt.Sprintf("> 1 +%d GET /\n. 1 +%d eof\n", int64(200*year), int64(92*year))
		if got, want := mustLoad(t, text).Duration(), 292*year*time.Second; got != want {
			t.Errorf("Duration is %v, want %v", got, want)
		}
	})
	t.Run("many small ones do not drift", func(t *testing.T) {
		const n = 20000
		for _, step := range []time.Duration{1, 100000000, 333333333, 1000001} {
			text := opened + strings.Repeat(fmt.Sprintf("= 1 +0.%09d 0\n", step), n) + eof
			if got, want := mustLoad(t, text).Duration(), n*step; got != want {
				t.Errorf("%d times %v are %v, want %v", n, step, got, want)
			}
		}
	})
	t.Run("a piece cut out leaves the rest", func(t *testing.T) {
		text := opened + "= 1 +1\n\\a\n= 1 +2\n\\b\n= 1 +4\n\\c\n" + eof
		rec := mustLoad(t, strings.Replace(text, "= 1 +2\n\\b\n", "", 1))
		if got := contents(t, rec)[0].Reads; !slices.Equal(got, []piece{{1e9, "a"}, {5e9, "c"}}) {
			t.Errorf("the reads are %v", got)
		}
	})
}

func TestFormatClock(t *testing.T) {
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	const end = "> 1 +5 GET /\n. 1 +0.5 eof\n"
	for _, c := range []struct {
		name, reel string
		want       time.Time
	}{
		{"none", version + end, time.Time{}},
		{"at the start", version + "@ 2026-05-07T16:10:57.161Z\n" + end, at("2026-05-07T16:10:57.161Z")},
		{"nanoseconds", version + "@ 2026-05-07T16:10:57.123456789Z\n" + end, at("2026-05-07T16:10:57.123456789Z")},
		{"another zone", version + "@ 2026-05-07T18:10:57+02:00\n" + end, at("2026-05-07T16:10:57Z")},
		{"a zone of minutes", version + "@ 2026-05-07T10:40:57-05:30\n" + end, at("2026-05-07T16:10:57Z")},
		{"an unknown zone", version + "@ 2026-05-07T16:10:57-00:00\n" + end, at("2026-05-07T16:10:57Z")},
		{"in small letters, as RFC 3339 has it", version + "@ 2026-05-07t16:10:57z\n" + end, at("2026-05-07T16:10:57Z")},
		{"behind a comment", version + "# c\n\n@ 2026-05-07T16:10:57Z\n" + end, at("2026-05-07T16:10:57Z")},
		{"at a later line with a time", version + end + "@ 2026-05-07T16:11:02.5Z\n", at("2026-05-07T16:10:57Z")},
		{"between", version + "> 1 +5 GET /\n@ 2026-05-07T16:11:02Z\n. 1 +0.5 eof\n", at("2026-05-07T16:10:57Z")},
		{"only the first matters", version + "@ 2026-05-07T16:10:57Z\n" + end + "@ 1999-01-01T00:00:00Z\n", at("2026-05-07T16:10:57Z")},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := mustLoad(t, c.reel)
			if got := rec.Start(); !got.Equal(c.want) || got.IsZero() != c.want.IsZero() {
				t.Errorf("Start is %v, want %v", got, c.want)
			}
			if got := rec.Exchanges()[0].Sent; got != 5*time.Second {
				t.Errorf("the request was sent after %v, want 5s: a clock moves no moment", got)
			}
		})
	}
}

func TestFormatComments(t *testing.T) {
	text := version + "# one\n> 1 +0 GET /s\n#two\n< 1 +0 200\n= 1 +0 2\n# three\n|x\n#\n" + eof + "#  four \n#\tfive # six\n"
	want := []string{"one", "two", "three", "", " four ", "\tfive # six"}
	if got := mustLoad(t, text).Comments(); !slices.Equal(got, want) {
		t.Errorf("Comments are %q, want %q", got, want)
	}
}

// Empty lines and comments may stand anywhere but in front of the first line.
func TestFormatCommentsAnywhere(t *testing.T) {
	for _, name := range []string{"assembly.reel", "every-line.reel"} {
		raw, err := os.ReadFile("../testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text := unsealed(string(raw))
		want := contents(t, mustLoad(t, text))
		for i, line := 0, 1; i < len(text); line++ {
			i += strings.IndexByte(text[i:], '\n') + 1
			for _, add := range []string{"\n", "# comment\n", "#|x\n", "\n\n#\n"} {
				if d := diff(want, contents(t, mustLoad(t, text[:i]+add+text[i:]))); d != "" {
					t.Errorf("%s: %q behind line %d: %s", name, add, line, d)
				}
			}
		}
		for _, add := range []string{"\n", "# comment\n"} {
			if _, err := load(add + text); !errors.Is(err, replay.ErrNotReel) {
				t.Errorf("%s: %q in front of the first line gives %v, want ErrNotReel", name, add, err)
			}
		}
	}
}

// Any bytes may stand in a comment, which has no escapes.
func TestFormatCommentBytes(t *testing.T) {
	var b []byte
	for c := range 256 {
		if c != '\n' && c != '\\' {
			b = append(b, byte(c))
		}
	}
	for _, text := range []string{string(b), `a\nb`, `\\ \r \t \x00 \xfF`, `C:\dir`, `C:\temp`, `a\`, `\n\x4`, ` # `} {
		rec := mustLoad(t, version+"# "+text+"\n")
		if got := rec.Comments(); len(got) != 1 || got[0] != text {
			t.Errorf("the comment %q is %q", text, got)
		}
	}
}

// Comments are no way to fill the memory: the first 64 KiB of them are kept.
func TestFormatManyComments(t *testing.T) {
	rec := mustLoad(t, version+strings.Repeat("# 0123456789abcdef\n", 10000)+request[len(version):]+eof)
	size := 0
	for _, c := range rec.Comments() {
		size += len(c)
		if c != "0123456789abcdef" {
			t.Errorf("a comment is %q", c)
		}
	}
	if size < 32<<10 || size > 64<<10 {
		t.Errorf("%d bytes of comments are kept, want 64 KiB at most, and nearly so many", size)
	}
	if len(rec.Exchanges()) != 1 {
		t.Error("the exchange behind them is missing")
	}
}

// Every byte that may stand for itself does, in each form of a line.
func TestFormatBytesOfABody(t *testing.T) {
	for c := range 256 {
		b := string([]byte{byte(c)})
		forms := map[string]string{
			"x" + b + "x": fmt.Sprintf("~x\\x%02xx\n~\n", c),
			b:             fmt.Sprintf("~\\x%02X\n", c),
			b + b:         "%" + base64.StdEncoding.EncodeToString([]byte(b+b)) + "\n",
		}
		if c != '\n' {
			forms["a"+b+"b\n"] = "|a" + b + "b\n"
			forms["a"+b+"b"] = "\\a" + b + "b\n"
			if c != '\\' {
				forms["c"+b+"d"] = "~c" + b + "d\n"
			}
		}
		for want, lines := range forms {
			got := contents(t, mustLoad(t, opened+"= 1 +0\n"+lines+eof))[0].body()
			if got != want {
				t.Errorf("%q is %q, want %q", lines, got, want)
			}
		}
	}
}

// A line is at most 64 MiB long, its LF included.
func TestFormatLongLines(t *testing.T) {
	t.Parallel()
	const most = 64 << 20
	head := opened + "= 1 +0\n"
	text := head + "|" + strings.Repeat("x", most-2) + "\n" + eof
	rec, err := load(text)
	if err != nil {
		t.Fatalf("a line of 64 MiB: %v", err)
	}
	if size := rec.Exchanges()[0].Size; size != most-1 {
		t.Errorf("a line of 64 MiB holds %d bytes", size)
	}
	for name, long := range map[string]string{
		"a line of a body": text[:len(head)+1] + "x" + text[len(head)+1:],
		"a comment":        text[:len(head)] + "#" + text[len(head):],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(long)
			wantFormatError(t, err, replay.ErrDamaged, 5, int64(len(head)))
		})
	}
}

func TestFormatNotAReel(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"nothing", "", replay.ErrNotReel},
		{"a stream", "data: hello\n\n", replay.ErrNotReel},
		{"JSON", "{\"ok\":\"ASSEMBLY_COMPLETED\"}\n", replay.ErrNotReel},
		{"HTML", "<!doctype html>\n", replay.ErrNotReel},
		{"zeros", strings.Repeat("\x00", 4096), replay.ErrNotReel},
		{"random bytes", "\xff\xd8\xff\xe0\x00\x10JFIF", replay.ErrNotReel},
		{"capitals", "REEL 1\n", replay.ErrNotReel},
		{"another word", "reels 1\n", replay.ErrNotReel},
		{"no number", "reel\n", replay.ErrNotReel},
		{"no number that is one", "reel one\n", replay.ErrNotReel},
		{"two spaces", "reel  1\n", replay.ErrNotReel},
		{"a space in front", " reel 1\n", replay.ErrNotReel},
		{"a space behind", "reel 1 \n", replay.ErrNotReel},
		{"an empty line in front", "\nreel 1\n", replay.ErrNotReel},
		{"a comment in front", "# c\nreel 1\n", replay.ErrNotReel},
		{"a byte order mark in front", "\ufeffreel 1\n", replay.ErrNotReel},
		{"UTF-16", "\xff\xfer\x00e\x00e\x00l\x00 \x001\x00\n\x00", replay.ErrNotReel},
		{"version 2", "reel 2\n> 1 +0 GET /s\n", replay.ErrVersion},
		{"version 2 with what version 1 does not know", "reel 2\n\x00\xff\r\n", replay.ErrVersion},
		{"version 10", "reel 10\n", replay.ErrVersion},
		{"version 11, which begins like 1", "reel 11\n", replay.ErrVersion},
		{"a version of many digits", "reel 99999999999999999999\n", replay.ErrVersion},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec, err := load(c.text)
			if !errors.Is(err, c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
			if rec != nil {
				t.Error("there is a recording")
			}
			if errors.Is(err, replay.ErrTruncated) || errors.Is(err, replay.ErrDamaged) {
				t.Errorf("%v wraps two sentinels", err)
			}
		})
	}
	t.Run("the error for a version names it", func(t *testing.T) {
		if _, err := load("reel 37\n"); err == nil || !strings.Contains(err.Error(), "37") {
			t.Errorf("%v", err)
		}
	})
}

// A reel whose line ends were converted is refused with the remedy, all of it or a
// line of it.
func TestFormatConvertedLineEnds(t *testing.T) {
	raw, err := os.ReadFile("../testdata/assembly.reel")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	rec, err := load(strings.ReplaceAll(text, "\n", "\r\n"))
	if !errors.Is(err, replay.ErrNotReel) && !errors.Is(err, replay.ErrDamaged) {
		t.Errorf("all of it: the error is %v", err)
	}
	if err == nil || !strings.Contains(err.Error(), "conver") || !strings.Contains(err.Error(), "-text") {
		t.Errorf("all of it: %v does not tell the cause and the remedy", err)
	}
	if rec != nil && len(rec.Exchanges()) > 0 {
		t.Error("all of it: what it holds is taken for good")
	}
	for i, line := 0, 1; i < len(text); line++ {
		n := strings.IndexByte(text[i:], '\n')
		if line > 1 {
			_, err := load(text[:i+n] + "\r" + text[i+n:])
			wantFormatError(t, err, replay.ErrDamaged, line, int64(i))
		}
		i += n + 1
	}
}

// What the writer makes of one read, as FORMAT.md promises it: one string for
// one recording.
func TestFormatCanonicalReads(t *testing.T) {
	nul := func(n int) string { return strings.Repeat("\x00", n) }
	x := func(n int) string { return strings.Repeat(`\x00`, n) }
	const MiB = 1 << 20
	long := strings.Repeat("0123456789abcde\t", MiB/16)
	for _, c := range []struct{ name, data, want string }{
		{"nothing", "", ""},
		{"a line", "a\n", "|a\n"},
		{"an empty line", "\n", "|\n"},
		{"lines", "a\n\nb\n", "|a\n|\n|b\n"},
		{"no LF", "a", "\\a\n"},
		{"no LF behind the last line", "a\nb", "|a\n\\b\n"},
		{"all printable ASCII", " !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\n", "| !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\n"},
		{"backslashes stand for themselves", "C:\\new\\\n\\", "|C:\\new\\\n\\\\\n"},
		{"what looks like a line of a reel", "$ bytes=1\n|x\n# c\n= 1 +0", "|$ bytes=1\n||x\n|# c\n\\= 1 +0\n"},
		{"a tab", "a\tb\n", "|a\tb\n"},
		{"what needs an escape, soon behind a tab", "abcd\t\x00efghijklmnop\n", "~abcd\t\\x00efghijklmnop\\n\n"},
		{"other scripts", "日本 é 𝄞\n", "|日本 é 𝄞\n"},
		{"noncharacters are valid UTF-8", "\uffff\ufdd0\U0010ffff\ufffd\n", "|\uffff\ufdd0\U0010ffff\ufffd\n"},
		{"a no-break space", "\u00a0\n", "|\u00a0\n"},
		{"what U+2028 stands between", "\u2027\u202a\n", "|\u2027\u202a\n"},
		{"CRLF", "a\r\nb\r\n", "~a\\r\\n\n~b\\r\\n\n"},
		{"a lone CR", "a\rb\n", "~a\\rb\\n\n"},
		{"a CR at the end", "a\r", "~a\\r\n"},
		{"a quoted line escapes its backslashes", "\\a\r\n", "~\\\\a\\r\\n\n"},
		{"only the line that needs it is quoted", "\\a\n\\b\r\n\\c\n", "|\\a\n~\\\\b\\r\\n\n|\\c\n"},
		{"a quoted line keeps what may stand for itself", "é\r日\n", "~é\\r日\\n\n"},
		{"NUL", "\x00\n", "~\\x00\\n\n"},
		{"ESC in small letters", "\x1b[0m\n", "~\\x1b[0m\\n\n"},
		{"DEL", "\x7f", "~\\x7f\n"},
		{"vertical tab and form feed", "\v\f", "~\\x0b\\x0c\n"},
		{"U+0080", "\u0080", "~\\xc2\\x80\n"},
		{"U+0085", "a\u0085\n", "~a\\xc2\\x85\\n\n"},
		{"U+009F", "\u009f", "~\\xc2\\x9f\n"},
		{"U+2028", "a\u2028b\n", "~a\\xe2\\x80\\xa8b\\n\n"},
		{"U+2029", "\u2029", "~\\xe2\\x80\\xa9\n"},
		{"U+FEFF", "\ufeffid: 1\n", "~\\xef\\xbb\\xbfid: 1\\n\n"},
		{"no UTF-8", "\xff\xfe\n", "~\\xff\\xfe\\n\n"},
		{"Latin-1", "caf\xe9\n", "~caf\\xe9\\n\n"},
		{"an overlong form", "\xc0\xaf\n", "~\\xc0\\xaf\\n\n"},
		{"a surrogate", "\xed\xa0\x80\n", "~\\xed\\xa0\\x80\\n\n"},
		{"beyond Unicode", "\xf4\x90\x80\x80\n", "~\\xf4\\x90\\x80\\x80\\n\n"},
		{"a character that is cut", "é日"[:4], "~é\\xe6\\x97\n"},
		{"the rest of a character", "日"[1:] + "x\n", "~\\x97\\xa5x\\n\n"},
		{"a character that is cut by LF", "\xe6\n\x97", "~\\xe6\\n\n~\\x97\n"},

		{"16 bytes that take \\x", nul(16), "~" + x(16) + "\n"},
		{"17 of them", nul(17), "%" + base64.StdEncoding.EncodeToString([]byte(nul(17))) + "\n"},
		{"17 that are a quarter", nul(17) + strings.Repeat("a", 51), "~" + x(17) + strings.Repeat("a", 51) + "\n"},
		{"17 that are more than a quarter", nul(17) + strings.Repeat("a", 50),
			"%" + base64.StdEncoding.EncodeToString([]byte(nul(17)+strings.Repeat("a", 40))) + "\n" +
				"%" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", 10))) + "\n"},
		{"more than a quarter of all lines", strings.Repeat("\x00\n", 17) + "a\n", "%" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00\n", 17)+"a\n")) + "\n"},
		{"CR, LF and backslashes take no \\x", strings.Repeat("\r\\\n", 20), strings.Repeat("~\\r\\\\\\n\n", 20)},
		{"57 bytes of base64", nul(57), "%" + base64.StdEncoding.EncodeToString([]byte(nul(57))) + "\n"},
		{"58 bytes of base64", nul(58), "%" + base64.StdEncoding.EncodeToString([]byte(nul(57))) + "\n%AA==\n"},

		{"1 MiB without an LF", long, "\\" + long + "\n"},
		{"1 MiB and a byte", long + "x", "\\" + long + "\n\\x\n"},
		{"2.5 MiB", long + long + long[:MiB/2], "\\" + long + "\n\\" + long + "\n\\" + long[:MiB/2] + "\n"},
		{"1 MiB and a byte, with an LF in front", "a\n" + long + "x", "|a\n\\" + long + "\n\\x\n"},
		{"a CRLF that is cut after 1 MiB", long[1:] + "\r\n", "~" + long[1:] + "\\r\n|\n"},
		{"a character that would be cut after 1 MiB", long[2:] + "日x", "\\" + long[2:] + "\n\\日x\n"},
		{"a character that ends at 1 MiB", long[3:] + "日x", "\\" + long[3:] + "日\n\\x\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			w, err := replay.NewWriter(&b, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			xw, _ := w.Exchange(0, "GET", "/", nil)
			if err := xw.Response(0, 200, nil); err != nil {
				t.Fatal(err)
			}
			begin := b.Len()
			if err := xw.ResponseBody(0, []byte(c.data)); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("= 1 +0 %d\n%s", len(c.data), c.want)
			if got := b.String()[begin:]; got != want {
				t.Errorf("wrote\n%q\nwant\n%q", clip(got), clip(want))
			}
			rec, _ := load(b.String())
			if got := contents(t, rec)[0].body(); got != c.data {
				t.Errorf("loaded %q, want %q", clip(got), clip(c.data))
			}
		})
	}
}

// Long lines, whatever they are made of, come back, and no line of the reel is
// longer than it may be.
func TestFormatLongReads(t *testing.T) {
	for _, c := range []struct{ name, data string }{
		{"a line of 2 MiB", strings.Repeat("x", 2<<20) + "\n"},
		{"a line of 1 MiB and its LF", strings.Repeat("x", 1<<20) + "\n"},
		{"2 MiB of characters of four bytes", "a" + strings.Repeat("𝄞", 2<<18)},
		{"a line with a CR at its end", strings.Repeat("x", 1<<20+9) + "\r\n"},
		{"a line with a CR at 1 MiB", strings.Repeat("x", 1<<20) + "\rx\n"},
		{"no UTF-8, a fifth of it", strings.Repeat("\xffaaaa", 1<<18)},
		{"base64", strings.Repeat("\xff\x00", 1<<18)},
		{"half a character at 1 MiB", strings.Repeat("x", 1<<20-1) + "\xe6\x97" + strings.Repeat("y", 10)},
		{"half characters only", strings.Repeat("\x97\n", 8) + strings.Repeat("x", 1<<20-2) + "\x97\x97\x97\x97\x97\x97x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			w, _ := replay.NewWriter(&b, time.Time{})
			x, _ := w.Exchange(0, "GET", "/", nil)
			if err := errors.Join(x.Response(0, 200, nil), x.ResponseBody(0, []byte(c.data)), x.End(0, replay.EndEOF, nil), w.Close()); err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(b.Bytes()) {
				if len(line) > 64<<20 {
					t.Errorf("a line has %d bytes", len(line))
				}
			}
			rec := mustLoad(t, b.String())
			got, err := io.ReadAll(rec.Exchanges()[0].Body())
			if err != nil || string(got) != c.data {
				t.Errorf("the body is another (%d bytes, %v)", len(got), err)
			}
		})
	}
}

func TestFormatCanonicalRecords(t *testing.T) {
	var b strings.Builder
	w, err := replay.NewWriter(&b, time.Date(2026, 5, 7, 18, 10, 57, 161e6, time.FixedZone("", 7200)))
	if err != nil {
		t.Fatal(err)
	}
	var errs []error
	ok := func(err error) { errs = append(errs, err) }
	ok(w.Comment("Composed: by hand.\n\n indented"))
	x, err := w.Exchange(0, "POST", `/a\b c`, http.Header{
		"X-Values": {"2", "", "1"}, "Accept": {"*/*"}, "X-Path": {`C:\temp`}, "x-lower": {"v"}, "X-None": nil, "X-Break": {"a\r\nb"},
	})
	ok(err)
	ok(x.RequestBody(1, []byte("a=b")))
	ok(x.Response(48*time.Millisecond, 200, http.Header{"Content-Type": {"text/event-stream"}, "Cache-Control": {" no-cache"}}))
	ok(x.ResponseBody(49*time.Millisecond, []byte("data: 1\n\n")))
	ok(x.ResponseBody(1249*time.Millisecond, nil))
	y, err := w.Exchange(1249*time.Millisecond+1, "GET", "https://api2.example/ws?assembly=1", nil)
	ok(err)
	ok(x.ResponseBody(100*time.Second, []byte("\r\n")))
	ok(x.End(100*time.Second, replay.EndReset, errors.New("unexpected\nEOF")))
	ok(y.End(160*time.Second+100*time.Millisecond, replay.EndCanceled, nil))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	want := `reel 1
@ 2026-05-07T16:10:57.161Z
# Composed: by hand.
#
#  indented
> 1 +0 POST /a\\b c
> 1 accept: */*
> 1 x-break: a\r\nb
> 1 x-lower: v
> 1 x-path: C:\\temp
> 1 x-values: 2
> 1 x-values:
> 1 x-values: 1
^ 1 +0.000000001 3
\a=b
< 1 +0.047999999 200
< 1 cache-control:  no-cache
< 1 content-type: text/event-stream
= 1 +0.001 9
|data: 1
|
= 1 +1.2 0
> 2 +0.000000001 GET https://api2.example/ws?assembly=1
= 1 +98.750999999 2
~\r\n
. 1 +0 reset bytes=11 crc32c=CRC1 error=unexpected\nEOF
. 2 +60.1 canceled bytes=0 crc32c=00000000
`
	want = strings.Replace(want, "CRC1", fmt.Sprintf("%08x", castagnoli("data: 1\n\n\r\n")), 1)
	if b.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", b.String(), want)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if b.String() != sealed(want, 0) {
		t.Errorf("sealed with %q, want %q", b.String()[len(want):], sealed(want, 0)[len(want):])
	}
	if !mustLoad(t, b.String()).Sealed() {
		t.Error("the seal does not hold")
	}
}

// Which of a header's, a URL's or a cause's bytes are escaped is left open by
// FORMAT.md but for what cannot stand for itself; whatever it is, it comes back.
func TestFormatTextBytes(t *testing.T) {
	for c := range 256 {
		s := "/" + string([]byte{byte(c)}) + "x" + string([]byte{byte(c)})
		var b strings.Builder
		w, _ := replay.NewWriter(&b, time.Time{})
		x, err := w.Exchange(0, "GET", s, http.Header{"X-A": {s, s[1:]}})
		err = errors.Join(err, x.Response(0, 200, http.Header{"X-B": {s[1:]}}), x.End(0, replay.EndReset, errors.New(s)), w.Close())
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		want := []exchange{{Number: 1, Method: "GET", URL: s, RequestHeader: http.Header{"X-A": {s, s[1:]}},
			Status: 200, Header: http.Header{"X-B": {s[1:]}}, End: replay.EndReset, Cause: s}}
		if d := diff(want, contents(t, mustLoad(t, b.String()))); d != "" {
			t.Errorf("byte %#02x: %s", c, d)
		}
	}
}

// What has changed in a reel is not hidden by its being cut off.
func TestFormatDamagedAndTruncated(t *testing.T) {
	text := version + "> 1 +0 GET /\n< 1 +0 200\n= 1 +0\n|x\n. 1 +0 eof bytes=2 crc32c=00000000\n> 2 +0 GET /\n"
	rec, err := load(text)
	var fault *replay.FormatError
	if !errors.As(err, &fault) || !errors.Is(err, replay.ErrDamaged) || fault.Line != 2 || !strings.Contains(err.Error(), "exchange 2 has no end") {
		t.Errorf("the error is %v, want the damage in line 2 and the missing end", err)
	}
	if rec == nil || len(rec.Exchanges()) != 2 {
		t.Errorf("the recording is %+v, want both exchanges", rec)
	}
}

// A small reel cannot make its reader hold, or print, a large amount.
func TestFormatBounds(t *testing.T) {
	gap := strings.Repeat("#"+strings.Repeat("x", 1<<16)+"\n", 20)
	for name, text := range map[string]string{
		"comments within a read":        "> 1 +0 GET /\n< 1 +0 200\n= 1 +0\n|a\n" + gap + "|b\n. 1 +0 eof\n",
		"empty lines within a read":     "> 1 +0 GET /\n< 1 +0 200\n= 1 +0\n|a\n" + strings.Repeat("\n", 2<<20) + "|b\n. 1 +0 eof\n",
		"a number that is none":         "> " + strings.Repeat("\xff", 1<<20) + " +0 GET /\n",
		"a time that is none":           "> 1 +" + strings.Repeat("\xff", 1<<20) + " GET /\n",
		"an ending that is none":        "> 1 +0 GET /\n. 1 +0 " + strings.Repeat("\xff", 1<<20) + "\n",
		"a sum that is none":            "> 1 +0 GET /\n. 1 +0 eof crc32c=" + strings.Repeat("\xff", 1<<20) + "\n",
		"a clock that is none":          "@ " + strings.Repeat("\xff", 1<<20) + "\n",
		"a header that is none":         "> 1 +0 GET /\n> 1 " + strings.Repeat("\xff", 1<<20) + "\n",
		"an attribute that is none":     "$ " + strings.Repeat("\xff", 1<<20) + "\n",
		"an attribute of no known name": "$ " + strings.Repeat("x", 1<<20) + "=1\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(version + text)
			if !errors.Is(err, replay.ErrDamaged) || len(err.Error()) > 1000 {
				t.Errorf("the error is %.2000v", err)
			}
		})
	}
}
