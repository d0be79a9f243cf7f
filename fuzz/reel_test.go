package fuzz_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/testdata"
)

// reelPiece is one read.
type reelPiece struct {
	At   time.Duration
	Data string
}

// reelExchange is all that a recording tells of an exchange but its number.
type reelExchange struct {
	Sent, Received, Ended time.Duration
	Method, URL           string
	Status                int
	RequestHeader, Header http.Header
	RequestReads, Reads   []reelPiece
	End                   replay.End
	Cause                 string
}

// reelContents reads all that is in a recording.
func reelContents(t *testing.T, rec *replay.Recording) []reelExchange {
	var all []reelExchange
	for _, x := range rec.Exchanges() {
		got := reelExchange{
			Sent: x.Sent, Received: x.Received, Ended: x.Ended, Method: x.Method, URL: x.URL, Status: x.StatusCode,
			RequestHeader: reelHeader(x.RequestHeader), Header: reelHeader(x.Header), End: x.End, Cause: x.Cause,
		}
		for r, err := range x.RequestReads() {
			if err != nil {
				t.Fatalf("exchange %d: request: %v", x.Number, err)
			}
			got.RequestReads = append(got.RequestReads, reelPiece{r.At, string(r.Data)})
		}
		var body strings.Builder
		for r, err := range x.Reads() {
			if err != nil {
				t.Fatalf("exchange %d: %v", x.Number, err)
			}
			body.Write(r.Data)
			got.Reads = append(got.Reads, reelPiece{r.At, string(r.Data)})
		}
		if whole, err := io.ReadAll(x.Body()); err != nil || string(whole) != body.String() || x.Size != int64(len(whole)) || x.NumReads() != len(got.Reads) {
			t.Fatalf("exchange %d: Body gives %q, %v; Reads give %q; Size %d, NumReads %d", x.Number, whole, err, body.String(), x.Size, x.NumReads())
		}
		all = append(all, got)
	}
	return all
}

func reelHeader(h http.Header) http.Header {
	if len(h) == 0 {
		return nil
	}
	return h
}

// reelWrite writes a reel of the exchanges, its records in the order of their
// moments; of one moment, those of an earlier exchange come first, and ends last.
func reelWrite(t *testing.T, start time.Time, comments []string, all []reelExchange) []byte {
	type call struct {
		at   time.Duration
		last bool
		do   func() error
	}
	var b bytes.Buffer
	w, err := replay.NewWriter(&b, start)
	if err != nil {
		t.Fatal(err)
	}
	if len(comments) > 0 {
		if err := w.Comment(strings.Join(comments, "\n")); err != nil {
			t.Fatal(err)
		}
	}
	var calls []call
	for _, x := range all {
		var xw *replay.ExchangeWriter
		calls = append(calls, call{at: x.Sent, do: func() (err error) {
			xw, err = w.Exchange(x.Sent, x.Method, x.URL, x.RequestHeader)
			return err
		}})
		for _, p := range x.RequestReads {
			calls = append(calls, call{at: p.At, do: func() error { return xw.RequestBody(p.At, []byte(p.Data)) }})
		}
		if x.Status != 0 {
			calls = append(calls, call{at: x.Received, do: func() error { return xw.Response(x.Received, x.Status, x.Header) }})
		}
		for _, p := range x.Reads {
			calls = append(calls, call{at: p.At, do: func() error { return xw.ResponseBody(p.At, []byte(p.Data)) }})
		}
		if x.End != replay.EndUnknown {
			calls = append(calls, call{at: x.Ended, last: true, do: func() error {
				if x.Cause == "" {
					return xw.End(x.Ended, x.End, nil)
				}
				return xw.End(x.Ended, x.End, errors.New(x.Cause))
			}})
		}
	}
	slices.SortStableFunc(calls, func(a, b call) int {
		order := cmp.Compare(a.at, b.at)
		if order == 0 && a.last != b.last {
			order = 1
			if b.last {
				order = -1
			}
		}
		return order
	})
	for _, c := range calls {
		if err := c.do(); err != nil {
			t.Fatalf("what was loaded cannot be written: %v", err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func reelLoad(b []byte) (*replay.Recording, error) {
	return replay.Load(bytes.NewReader(b), int64(len(b)))
}

// reelSeeds are reels, good and bad.
func reelSeeds(f *testing.F) [][]byte {
	var seeds [][]byte
	for _, name := range []string{"assembly.reel", "every-line.reel"} {
		raw, err := testdata.Recordings.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, raw, raw[:len(raw)*2/3], bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")))
	}
	doc, err := os.ReadFile("../replay/FORMAT.md")
	if err != nil {
		f.Fatal(err)
	}
	var block []byte
	for line := range bytes.Lines(append(doc, '\n')) {
		if code, ok := bytes.CutPrefix(line, []byte("    ")); ok {
			block = append(block, code...)
			continue
		}
		if len(block) > 0 {
			if !bytes.HasPrefix(block, []byte("reel 1\n")) {
				block = append([]byte("reel 1\n> 1 +0 GET /\n< 1 +0 200\n"), block...)
			}
			seeds = append(seeds, block)
			block = nil
		}
	}
	const opened = "reel 1\n> 1 +0 GET /s\n< 1 +0 200\n"
	for _, s := range []string{
		"", "reel 1", "reel 1\n", "reel 2\n", "reel 1\r\n", "reel 1\n\n#\n",
		opened + "= 1 +0 3\n|a\n", opened + "= 1 +0\n|a\n|", opened + "= 1 +0 268435456\n", opened + "= 1 +0 0\n. 1 +0 eof\n",
		opened + "= 1 +0 9\n\\a\n# c\n\n~\\x00\\\\\\n\n%AAECAwQ=\n. 1 +0 reset bytes=9 error=a\\nb\n",
		opened + "< 1 +0: 200\n< 1 x:\n< 1 x: \n< 1 X:  a\\x00\n. 1 +0 eof\n", opened + "= 1 +0\n\\x\n< 1 x-trailer: v\n= 1 +0\n\\y\n. 1 +0 eof\n",
		"reel 1\n> 2147483647 +9208512000 GET http://[::1]/ a\n> 1 +0 M-SEARCH *\n. 1 +0 timeout\n. 2147483647 +0 canceled\n",
		"reel 1\n@ 2026-05-07T16:10:57.161Z\n$ bytes=34\n@ 1999-01-01T00:00:00+23:59\n$ bytes=28 crc32c=00000000\n",
		"reel 1\n> 1 +5 POST /\n^ 1 +1 2\n|a\n< 1 +1 200\n^ 1 +0.000000001\n\\b\n. 1 +0 eof\n@ 2026-05-07T16:10:57Z\n",
		opened + strings.Repeat("= 1 +0\n", 100), opened + ". 1 +0 eof bytes=99999999999999999999\n",
		opened + "= 1 +0\n%QU\rI=\n. 1 +0 eof\n", "reel 1\n# C:\\temp\\n\\x0\n#\n#  \\r\\\\\n", "reel 1\n#\x02\n# \r\u0085\x7f\xff\u2028\t\u00e9\n", opened + "= 1 +0\n~\xff\u2028\ufeff\r\n. 1 +0 eof\n",
	} {
		seeds = append(seeds, []byte(s))
	}
	return seeds
}

// FuzzReelLoad loads anything: what is loaded is in proportion to the bytes, can
// be written, and then loads to the same and is written to the same bytes; and
// what is cut off loads to a part of it.
func FuzzReelLoad(f *testing.F) {
	for i, s := range reelSeeds(f) {
		f.Add(s, uint(i*31))
	}
	f.Fuzz(func(t *testing.T, text []byte, cut uint) {
		rec, err := reelLoad(text)
		var fe *replay.FormatError
		switch {
		case err == nil || errors.Is(err, replay.ErrTruncated) || errors.Is(err, replay.ErrDamaged):
			if rec == nil {
				t.Fatalf("no recording: %v", err)
			}
			if err != nil && (!errors.As(err, &fe) || fe.Offset < 0 || fe.Offset > int64(len(text)) ||
				fe.Line != bytes.Count(text[:fe.Offset], []byte("\n"))+1) {
				t.Fatalf("%v is no place in the reel", err)
			}
		case rec != nil || !errors.Is(err, replay.ErrNotReel) && !errors.Is(err, replay.ErrVersion):
			t.Fatalf("a recording with %v", err)
		default:
			return
		}
		all := reelContents(t, rec)
		var bytesRead, reads int
		for _, x := range all {
			reads += len(x.Reads) + len(x.RequestReads)
			for _, p := range append(x.Reads, x.RequestReads...) {
				bytesRead += len(p.Data)
			}
		}
		if bytesRead > len(text) || reads > len(text)/7 || len(all) > len(text)/9 {
			t.Fatalf("%d bytes hold %d exchanges and %d reads of %d bytes", len(text), len(all), reads, bytesRead)
		}

		canonical := reelWrite(t, rec.Start(), rec.Comments(), all)
		again, err := reelLoad(canonical)
		if err != nil && !errors.Is(err, replay.ErrTruncated) {
			t.Fatalf("what was loaded is written as what cannot be: %v\n%s", err, canonical)
		}
		if got := reelContents(t, again); !reflect.DeepEqual(got, all) {
			t.Fatalf("written and loaded again:\n%+v\nwas\n%+v\n%s", got, all, canonical)
		}
		var shown []string
		for _, text := range rec.Comments() {
			shown = append(shown, reelShown(text))
		}
		if got := again.Comments(); !slices.Equal(got, shown) {
			t.Fatalf("the comments are %q, want %q", got, shown)
		}
		if !again.Start().Equal(rec.Start()) || !again.Sealed() {
			t.Fatalf("Start is %v, was %v; Sealed is %v", again.Start(), rec.Start(), again.Sealed())
		}
		if twice := reelWrite(t, again.Start(), again.Comments(), reelContents(t, again)); !bytes.Equal(twice, canonical) {
			t.Fatalf("written twice:\n%s\nonce:\n%s", twice, canonical)
		}

		// A wrong sum may stand in a reel that is said to be truncated, and a line
		// without an LF takes the read in front of it away.
		if fe != nil && (errors.Is(fe, replay.ErrDamaged) || !reelSumless(text) || !bytes.HasSuffix(text, []byte("\n"))) {
			return
		}
		part, err := reelLoad(text[:cut%uint(len(text)+1)])
		if part == nil {
			if !errors.Is(err, replay.ErrNotReel) || cut%uint(len(text)+1) > uint(len("reel 1\n")) {
				t.Fatalf("cut off: %v", err)
			}
			return
		}
		if errors.Is(err, replay.ErrDamaged) {
			t.Fatalf("cut off, it is damaged: %v", err)
		}
		got := reelContents(t, part)
		if len(got) > len(all) {
			t.Fatalf("cut off, it has %d exchanges, was %d", len(got), len(all))
		}
		for i, x := range got {
			if x.Method != all[i].Method || x.URL != all[i].URL || x.Sent != all[i].Sent || x.Status != 0 && x.Status != all[i].Status ||
				!reelPrefix(x.Reads, all[i].Reads) || !reelPrefix(x.RequestReads, all[i].RequestReads) ||
				x.End != replay.EndUnknown && !reflect.DeepEqual(x, all[i]) {
				t.Fatalf("cut off, it has\n%+v\nwas\n%+v", x, all[i])
			}
		}
	})
}

// reelShown returns a comment as it is written: what cannot stand in a line is shown as an
// escape, and stays so, since comments have none.
func reelShown(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == '\r':
			b.WriteString(`\r`)
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\t', 0x7f <= r && r < 0xa0, r == '\u2028', r == '\u2029', r == '\ufeff':
			for _, c := range []byte(text[:n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

// reelSumless returns whether there is no sum in a reel that could be wrong.
func reelSumless(text []byte) bool {
	return !bytes.Contains(text, []byte("bytes=")) && !bytes.Contains(text, []byte("crc32c="))
}

// reelPrefix returns whether a is the beginning of b. The last read of a may be
// the beginning of its like: without a number, that cannot be told.
func reelPrefix(a, b []reelPiece) bool {
	if len(a) > len(b) {
		return false
	}
	for i, p := range a {
		if p != b[i] && (i < len(a)-1 || p.At != b[i].At || !strings.HasPrefix(b[i].Data, p.Data)) {
			return false
		}
	}
	return true
}

// FuzzReelRoundTrip writes two exchanges that interleave, made of the input, and
// loads the same.
func FuzzReelRoundTrip(f *testing.F) {
	f.Add([]byte("data: one\n\ndata: two\r\n\r\n"), []byte{3, 0, 200}, []byte{1, 2, 3}, "v", "", uint8(0))
	f.Add([]byte("\ufeffid: 1\n\xe6\x97\xa5\u2028\u2029\u0085\x00\\\r"), []byte{4, 1, 0, 0, 2}, []byte{0, 255, 128}, " a\\b\r\n", "unexpected EOF", uint8(1))
	f.Add(bytes.Repeat([]byte{0, 255}, 100), []byte{57, 58, 16, 17}, []byte{7}, "", "a\nb", uint8(2))
	f.Add(bytes.Repeat([]byte("| \\ ~ % = $\n"), 20), []byte{13}, []byte{}, "\x00\xff", "\\", uint8(255))
	f.Add([]byte{}, []byte{}, []byte{}, "\t", " ", uint8(77))
	f.Fuzz(func(t *testing.T, data, cuts, times []byte, header, cause string, how uint8) {
		var at time.Duration
		ticks := 0
		tick := func() time.Duration {
			ticks++
			if len(times) > 0 {
				b := times[ticks%len(times)]
				at += time.Duration(b&31) << (b >> 5 * 5) // up to half a minute
			}
			return at
		}
		one := reelExchange{
			Sent: tick(), Method: "GET", URL: "/" + header, RequestHeader: http.Header{"Accept": {header, cause}},
			Status: 100 + int(how)*3, Header: http.Header{"X-A": {header}, "+0": {cause}},
		}
		if how&1 == 0 {
			one.RequestReads = append(one.RequestReads, reelPiece{tick(), cause}, reelPiece{tick(), header})
		}
		one.Received = tick()
		two := reelExchange{Sent: tick(), Method: "M-SEARCH", URL: "https://example.test/" + cause, Status: 200, Received: tick()}
		for i := 0; len(data) > 0 && i < 2000; i++ {
			n := len(data)
			if len(cuts) > 0 {
				n = min(n, int(cuts[i%len(cuts)]))
			}
			p := reelPiece{tick(), string(data[:n])}
			data = data[n:]
			if how&2 == 0 || i%2 == 0 {
				one.Reads = append(one.Reads, p)
			} else {
				two.Reads = append(two.Reads, p)
			}
		}
		ends := []replay.End{replay.EndEOF, replay.EndReset, replay.EndTimeout, replay.EndCanceled}
		one.Ended, one.End, one.Cause = tick(), ends[how>>2&3], cause
		whole := how&16 == 0
		if whole {
			two.Ended, two.End = tick(), ends[how>>5&3]
		}
		want := []reelExchange{one, two}

		start := time.Unix(int64(len(times)%2000)*1e8, int64(how)*1001).UTC()
		text := reelWrite(t, start, nil, want)
		rec, err := reelLoad(text)
		if whole && err != nil || !whole && !errors.Is(err, replay.ErrTruncated) {
			t.Fatalf("%v\n%s", err, text)
		}
		if got := reelContents(t, rec); !reflect.DeepEqual(got, want) {
			t.Fatalf("loaded\n%+v\nwritten\n%+v\n%s", got, want, text)
		}
		if !rec.Start().Equal(start) || !rec.Sealed() || rec.Duration() != at {
			t.Fatalf("Start %v, want %v; Sealed %v; Duration %v, want %v", rec.Start(), start, rec.Sealed(), rec.Duration(), at)
		}
	})
}
