package replay_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/testdata"
)

// kind is what a record says.
type kind int

const (
	requestKind kind = iota
	requestReadKind
	responseKind
	readKind
	endKind
)

// record is one call of a Writer's or an ExchangeWriter's method.
type record struct {
	kind
	number      int // of the exchange
	at          time.Duration
	method, url string
	header      http.Header
	status      int
	data        string
	end         replay.End
	cause       string
}

// write makes the calls that the records stand for.
func write(w *replay.Writer, records []record) error {
	var errs []error
	writers := make(map[int]*replay.ExchangeWriter)
	for _, r := range records {
		var err error
		x := writers[r.number]
		switch r.kind {
		case requestKind:
			writers[r.number], err = w.Exchange(r.at, r.method, r.url, r.header)
		case requestReadKind:
			err = x.RequestBody(r.at, []byte(r.data))
		case responseKind:
			err = x.Response(r.at, r.status, r.header)
		case readKind:
			err = x.ResponseBody(r.at, []byte(r.data))
		case endKind:
			var cause error
			if r.cause != "" {
				cause = errors.New(r.cause)
			}
			err = x.End(r.at, r.end, cause)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// model returns what a recording of the records holds.
func model(records []record) []exchange {
	var all []exchange
	index := make(map[int]int)
	for _, r := range records {
		if r.kind == requestKind {
			index[r.number] = len(all)
			all = append(all, exchange{Number: r.number, Sent: r.at, Method: r.method, URL: r.url, RequestHeader: fullHeader(r.header)})
			continue
		}
		x := &all[index[r.number]]
		switch r.kind {
		case requestReadKind:
			x.RequestReads = append(x.RequestReads, piece{r.at, r.data})
		case responseKind:
			x.Received, x.Status, x.Header = r.at, r.status, fullHeader(r.header)
		case readKind:
			x.Reads = append(x.Reads, piece{r.at, r.data})
		case endKind:
			x.Ended, x.End, x.Cause = r.at, r.end, r.cause
		}
	}
	return all
}

// recordsOf returns the records that make the recording, in the order of their
// moments; of one moment, those of an earlier exchange come first, and ends last.
func recordsOf(all []exchange) []record {
	var records []record
	for _, x := range all {
		own := []record{{kind: requestKind, number: x.Number, at: x.Sent, method: x.Method, url: x.URL, header: x.RequestHeader}}
		for _, p := range x.RequestReads {
			own = append(own, record{kind: requestReadKind, number: x.Number, at: p.At, data: p.Data})
		}
		if x.Status != 0 {
			own = append(own, record{kind: responseKind, number: x.Number, at: x.Received, status: x.Status, header: x.Header})
		}
		for _, p := range x.Reads {
			own = append(own, record{kind: readKind, number: x.Number, at: p.At, data: p.Data})
		}
		if x.End != replay.EndUnknown {
			own = append(own, record{kind: endKind, number: x.Number, at: x.Ended, end: x.End, cause: x.Cause})
		}
		records = append(records, own...)
	}
	slices.SortStableFunc(records, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind/endKind, b.kind/endKind))
	})
	return records
}

// writeLog is what was written, and how far each call went.
type writeLog struct {
	bytes.Buffer
	ends []int
}

func (l *writeLog) Write(p []byte) (int, error) {
	n, err := l.Buffer.Write(p)
	l.ends = append(l.ends, l.Len())
	return n, err
}

// reel writes the records, and seals them.
func reel(t testing.TB, start time.Time, comments []string, records []record) *writeLog {
	t.Helper()
	log := new(writeLog)
	w, err := replay.NewWriter(log, start)
	if err != nil {
		t.Fatal(err)
	}
	if len(comments) > 0 {
		err = w.Comment(strings.Join(comments, "\n"))
	}
	if err := errors.Join(err, write(w, records), w.Close()); err != nil {
		t.Fatal(err)
	}
	return log
}

// randomData returns what one read may return.
func randomData(rng *rand.Rand) string {
	var b []byte
	n := [...]int{0, 1, rng.IntN(8), rng.IntN(60), rng.IntN(60), rng.IntN(400)}[rng.IntN(6)]
	switch rng.IntN(6) {
	case 0: // any bytes
		for range n {
			b = append(b, byte(rng.UintN(256)))
		}
	case 1: // what the format itself is made of
		const marks = "\n\n\r|\\~%=$.#<>^@ x+0"
		for range n {
			b = append(b, marks[rng.IntN(len(marks))])
		}
	case 2: // characters, cut anywhere
		for len(b) < n {
			b = append(b, string([]rune("aé日𝄞\u2028\u2029\ufeff\u0085\ufffd\n")[rng.IntN(10)])...)
		}
		b = b[len(b)/5 : len(b)/5+min(n, len(b)-len(b)/5)]
	case 3: // few odd bytes among many even ones
		for range n {
			b = append(b, "abcdefghijklmnopqrstuvwxyz012345\x00\n"[rng.IntN(34)])
		}
	default: // a stream
		for len(b) < n {
			b = fmt.Appendf(b, "data: {\"n\":%d}\n\n", rng.IntN(1000))
		}
		b = b[:n]
	}
	return string(b)
}

func randomHeader(rng *rand.Rand) http.Header {
	h := make(http.Header)
	for range rng.IntN(4) {
		name := [...]string{"Accept", "X-A", "x-b", "+1", "ETag", "X-CAPITALS", "Content-Type", "Last-Event-ID", "!#$%&'*+-.^_`|~"}[rng.IntN(9)]
		h.Add(name, [...]string{"", " ", "v", " v ", "a\\b", "\t", "text/event-stream", randomData(rng)}[rng.IntN(8)])
	}
	return h
}

// randomRecords returns the records of up to four exchanges that interleave, in
// any form the format allows. No two are of the same moment unless ties.
func randomRecords(rng *rand.Rand, ties bool) []record {
	var records []record
	var at time.Duration
	tick := func() time.Duration {
		switch step := rng.IntN(6); step {
		case 0:
			if !ties {
				at++
			}
		case 1:
			at++
		case 2:
			at += time.Duration(1 + rng.IntN(1000))
		case 3:
			at += time.Duration(1+rng.IntN(1000)) * time.Millisecond
		case 4:
			at += time.Duration(1 + rng.Int64N(int64(10*time.Second)))
		case 5:
			at += time.Duration(1+rng.IntN(100)) * time.Second
		}
		return at
	}
	type state struct{ responded, ended bool }
	states := make([]state, 1+rng.IntN(4))
	begun := 0
	for range 5 + rng.IntN(40) {
		i := rng.IntN(len(states))
		if i >= begun {
			begun++
			records = append(records, record{kind: requestKind, number: begun, at: tick(),
				method: [...]string{"GET", "POST", "HEAD", "M-SEARCH"}[rng.IntN(4)],
				url:    [...]string{"/", "/a b", "https://api2.example/ws?assembly=1", "/\\\n\r\x00\xff\u2028"}[rng.IntN(4)],
				header: randomHeader(rng)})
			continue
		}
		r := record{number: i + 1}
		switch s := &states[i]; {
		case s.ended:
			continue
		case rng.IntN(12) == 0:
			s.ended = true
			r.kind = endKind
			r.end = [...]replay.End{replay.EndEOF, replay.EndReset, replay.EndTimeout, replay.EndCanceled}[rng.IntN(4)]
			r.cause = [...]string{"", "unexpected EOF", "a\nb\\", randomData(rng)}[rng.IntN(4)]
		case rng.IntN(6) == 0:
			r.kind, r.data = requestReadKind, randomData(rng)
		case !s.responded:
			s.responded = true
			r.kind, r.status, r.header = responseKind, 100+rng.IntN(900), randomHeader(rng)
		default:
			r.kind, r.data = readKind, randomData(rng)
		}
		r.at = tick()
		records = append(records, r)
	}
	return records
}

// ended returns whether each exchange in all has its end.
func ended(all []exchange) bool {
	return !slices.ContainsFunc(all, func(x exchange) bool { return x.End == replay.EndUnknown })
}

// canonicalNames has the names of headers as a loaded header has them.
func canonicalNames(all []exchange) []exchange {
	for i := range all {
		for _, h := range []*http.Header{&all[i].RequestHeader, &all[i].Header} {
			var names []string
			for name := range *h {
				names = append(names, name)
			}
			slices.Sort(names)
			var c http.Header
			for _, name := range names {
				if c == nil {
					c = make(http.Header)
				}
				key := textproto.CanonicalMIMEHeaderKey(name)
				c[key] = append(c[key], (*h)[name]...)
			}
			*h = c
		}
	}
	return all
}

// What is written is loaded, exactly; and written again, it gives the same bytes.
func TestRecordingRoundTrip(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		start := time.Unix(rng.Int64N(1<<33), rng.Int64N(1e9)).UTC()
		records := randomRecords(rng, seed%2 == 0)
		log := reel(t, start, nil, records)

		rec, err := load(log.String())
		want := canonicalNames(model(records))
		if whole := ended(want); whole && err != nil || !whole && !errors.Is(err, replay.ErrTruncated) {
			t.Fatalf("seed %d: %v\n%s", seed, err, log)
		}
		got := contents(t, rec)
		if d := diff(want, got); d != "" {
			t.Fatalf("seed %d: %s\n%s", seed, d, log)
		}
		if !rec.Start().Equal(start) || !rec.Sealed() {
			t.Errorf("seed %d: Start is %v, want %v; Sealed is %v", seed, rec.Start(), start, rec.Sealed())
		}
		if len(records) > 0 && rec.Duration() != records[len(records)-1].at {
			t.Errorf("seed %d: Duration is %v, want %v", seed, rec.Duration(), records[len(records)-1].at)
		}

		if seed%2 == 0 {
			continue // which of two records of one moment came first is not told
		}
		again := reel(t, rec.Start(), nil, recordsOf(got))
		if !bytes.Equal(again.Bytes(), log.Bytes()) {
			t.Fatalf("seed %d: written again, it is\n%s\nwas\n%s", seed, again, log)
		}
	}
}

// goldenReel returns a reel of testdata and the records that make it.
func goldenReel(t testing.TB, name string) (text string, rec *replay.Recording, records []record) {
	t.Helper()
	raw, err := testdata.Recordings.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rec = mustLoad(t, string(raw))
	return string(raw), rec, recordsOf(contents(t, rec))
}

func TestGoldenRewritten(t *testing.T) {
	for _, name := range []string{"assembly.reel", "every-line.reel"} {
		t.Run(name, func(t *testing.T) {
			text, rec, records := goldenReel(t, name)
			if got := reel(t, rec.Start(), rec.Comments(), records).String(); got != text {
				t.Errorf("written again, it is\n%s", got)
			}
		})
	}
}

func TestGoldenAssembly(t *testing.T) {
	_, rec, _ := goldenReel(t, "assembly.reel")
	if !rec.Sealed() {
		t.Error("not sealed")
	}
	if want := time.Date(2026, 5, 7, 16, 10, 57, 161e6, time.UTC); !rec.Start().Equal(want) {
		t.Errorf("Start is %v, want %v", rec.Start(), want)
	}
	if c := rec.Comments(); len(c) != 2 || !strings.HasPrefix(c[0], "Composed, not captured: ") {
		t.Errorf("Comments are %q: they do not say that it is composed", c)
	}
	all := contents(t, rec)
	if len(all) != 1 {
		t.Fatalf("%d exchanges, want 1", len(all))
	}
	x := all[0]
	if x.Number != 1 || x.Sent != 0 || x.Method != "GET" || x.End != replay.EndEOF || x.Cause != "" ||
		x.URL != "https://api2-hu268ep.transloadit.com/ws20219?assembly=55a46ab12179453a8a20921a058b7546" {
		t.Errorf("exchange %+v", dump(all)[0])
	}
	if x.Received != 48*time.Millisecond || x.Status != 200 ||
		x.Header.Get("Content-Type") != "text/event-stream" || x.Header.Get("Cache-Control") != "no-cache" || len(x.Header) != 2 {
		t.Errorf("response after %v: %d %q", x.Received, x.Status, x.Header)
	}
	var sizes []int
	var moments []int // in milliseconds
	for _, p := range x.Reads {
		sizes = append(sizes, len(p.Data))
		if p.At%time.Millisecond != 0 {
			t.Errorf("a read at %v", p.At)
		}
		moments = append(moments, int(p.At/time.Millisecond))
	}
	if want := []int{38, 35, 43, 99, 56, 43, 99, 1749, 1761, 230, 1761, 295, 297, 25}; !slices.Equal(sizes, want) {
		t.Errorf("the reads have %v bytes, want %v", sizes, want)
	}
	if want := []int{49, 300, 512, 2013, 4016, 4262, 6014, 7839, 8102, 8350, 9839, 10412, 11950, 12179}; !slices.Equal(moments, want) {
		t.Errorf("the reads returned at %v ms, want %v", moments, want)
	}
	if x.Ended != 12385*time.Millisecond || rec.Duration() != x.Ended {
		t.Errorf("ended at %v, Duration %v, want 12.385s", x.Ended, rec.Duration())
	}
	body := x.body()
	if len(body) != 6531 || castagnoli(body) != 0xc962dee1 {
		t.Errorf("the body has %d bytes, CRC-32C %08x", len(body), castagnoli(body))
	}
	if x.Reads[0].Data != "id: 55a46ab12179453a8a20921a058b7546\n\n" {
		t.Errorf("the first block is %q, want the id alone", x.Reads[0].Data)
	}
	if got := x.Reads[4].Data + x.Reads[5].Data; x.Reads[4].Data != "event: assembly_execution_progress\ndata: {\"progress_comb" ||
		got != "event: assembly_execution_progress\ndata: {\"progress_combined\":31,\"progress_per_original_file\":[]}\n\n" {
		t.Errorf("the event that was cut is %q", got)
	}
	blocks := strings.Split(strings.TrimSuffix(body, "\n\n"), "\n\n")
	var kinds []string
	for _, b := range blocks {
		k, rest, _ := strings.Cut(b, "\n")
		if rest != "" {
			_, k, _ = strings.Cut(k, "event: ")
			k = strings.TrimPrefix(k, "assembly_")
		}
		kinds = append(kinds, strings.TrimPrefix(k, "data: "))
	}
	want := []string{
		"id: 55a46ab12179453a8a20921a058b7546", "assembly_uploading_finished", "assembly_upload_meta_data_extracted",
		"execution_progress", "execution_progress", "execution_progress", "result_finished", "result_finished",
		"execution_progress", "result_finished", "execution_progress", "execution_progress", "assembly_finished",
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("the blocks are %q, want %q", kinds, want)
	}
}

func TestGoldenEveryLine(t *testing.T) {
	text, rec, _ := goldenReel(t, "every-line.reel")
	for _, b := range "r@#>^<=|\\~%.$" {
		if !strings.Contains("\n"+text, "\n"+string(b)) {
			t.Errorf("no line begins with %q", b)
		}
	}
	if !rec.Sealed() || !rec.Start().Equal(time.Date(2026, 5, 7, 16, 10, 57, 161e6, time.UTC)) {
		t.Errorf("sealed %v, start %v", rec.Sealed(), rec.Start())
	}
	const ms = time.Millisecond
	stream := "https://api2.example/ws20219?assembly=55a46ab12179453a8a20921a058b7546"
	binary := "\x00\x8a\x22\xc8\x7c\x3e\x0e\xec\xd8\xd2\xda\xf0\x14\x46\x86\xd4\x30\x9a\x12\x98\x2c\xce\x7e\x3c\x08\xe2\xca\xc0\xc4\xd6"
	want := []exchange{
		{
			Number: 1, Method: "POST", URL: "https://api2.example/assemblies?signature=REDACTED",
			RequestHeader: http.Header{"Authorization": {"REDACTED"}, "Content-Type": {"application/json"}},
			RequestReads:  []piece{{2 * ms, "{\"params\":{\"steps\":{}},\n"}, {3 * ms, `"note":"sent in two pieces"}`}},
			Received:      30 * ms, Status: 200,
			Header: http.Header{"Content-Type": {"application/json"}, "X-Empty": {""}, "X-Path": {`C:\temp`}},
			Reads:  []piece{{40 * ms, `{"ok":"ASSEMBLY_UPLOADING"}`}},
			Ended:  1041 * ms, End: replay.EndEOF,
		}, {
			Number: 2, Sent: 20 * ms, Method: "GET", URL: stream,
			RequestHeader: http.Header{"Accept": {"text/event-stream"}},
			Received:      25 * ms, Status: 200, Header: http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}},
			Reads: []piece{
				{31 * ms, "\ufeffid: 7\r\nevent: CRLF and a byte order mark\r\n"},
				{1040 * ms, "data: 日本"},
				{1040250 * time.Microsecond, "\xe8\xaa"},
				{1041 * ms, "\x9e, cut in a character\n\n"},
				{1500 * ms, "data: a backslash \\ and a NUL \x00\n\n"},
				{1500*ms + 1, ""},
				{1600 * ms, "data: U+2028 \u2028 and a lone CR \r\r"},
			},
			Ended: 2000 * ms, End: replay.EndReset, Cause: "unexpected EOF",
		}, {
			Number: 3, Sent: 5000 * ms, Method: "GET", URL: stream,
			RequestHeader: http.Header{"Accept": {"text/event-stream"}, "Last-Event-Id": {"7"}},
			Received:      5100 * ms, Status: 200,
			Header: http.Header{"Content-Type": {"application/octet-stream"}},
			Ended:  35200 * ms, End: replay.EndTimeout, Cause: "context deadline exceeded",
		}, {
			Number: 4, Sent: 36000 * ms, Method: "GET", URL: "https://api2.example/assemblies/55a46ab12179453a8a20921a058b7546",
			Ended: 36500 * ms, End: replay.EndCanceled,
		},
	}
	got := contents(t, rec)
	if len(got) == 4 && len(got[2].Reads) == 1 {
		p := got[2].Reads[0]
		if p.At != 5200*ms || len(p.Data) != 100 || !strings.HasPrefix(p.Data, binary) || castagnoli(p.Data) != 0x9bb26b58 {
			t.Errorf("base64: %v %q", p.At, p.Data)
		}
		want[2].Reads = got[2].Reads
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
}

// partial returns the records of which whole lines stand in front of offset, and
// the end of what is whole there.
func partial(log *writeLog, records []record, offset int) (whole []record, end int) {
	n, _ := slices.BinarySearch(log.ends, offset+1) // calls that were written
	begin := log.ends[n-1]
	line := bytes.LastIndexByte(log.Bytes()[:offset], '\n') + 1
	whole = slices.Clone(records[:min(max(n-1, 0), len(records))])
	if line == begin || n-1 >= len(records) {
		return whole, line
	}
	r := records[n-1]
	switch r.kind {
	case requestKind, responseKind:
		lines := bytes.Count(log.Bytes()[begin:line], []byte("\n")) - 1
		var names []string
		for name := range r.header {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
		h := make(http.Header)
		for _, name := range names {
			values := r.header[name][:min(lines, len(r.header[name]))]
			lines -= len(values)
			if len(values) > 0 {
				h[name] = values
			}
		}
		r.header = h
		return append(whole, r), line
	}
	return whole, begin // a read that is not whole
}

// A reel may be cut at every byte: what is whole is there and nothing else, and
// something missing is told.
func TestRecordingTruncatedAnywhere(t *testing.T) {
	type source struct {
		name    string
		start   time.Time
		records []record
	}
	var sources []source
	for _, name := range []string{"assembly.reel", "every-line.reel"} {
		_, rec, records := goldenReel(t, name)
		sources = append(sources, source{name, rec.Start(), records})
	}
	for seed := range uint64(12) {
		records := randomRecords(rand.New(rand.NewPCG(seed, 2)), true)
		for i := range records {
			if len(records[i].header) > 0 { // as they are loaded
				records[i].header = canonicalNames([]exchange{{Header: records[i].header}})[0].Header
			}
		}
		sources = append(sources, source{fmt.Sprintf("seed %d", seed), time.Time{}, records})
	}
	for _, s := range sources {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			log := reel(t, s.start, nil, s.records)
			text := log.String()
			for offset := range len(text) {
				rec, err := load(text[:offset])
				if offset < len(version) {
					if !errors.Is(err, replay.ErrNotReel) && !errors.Is(err, replay.ErrTruncated) {
						t.Errorf("cut at %d: %v", offset, err)
					}
					continue
				}
				if offset < log.ends[0] {
					if whole := offset == len(version); rec == nil || whole && err != nil || !whole && !errors.Is(err, replay.ErrTruncated) {
						t.Errorf("cut at %d, in the clock: %v", offset, err)
					}
					continue
				}
				whole, end := partial(log, s.records, offset)
				want := model(whole)
				if rec == nil {
					t.Fatalf("cut at %d: no recording, %v", offset, err)
				}
				if d := diff(want, contents(t, rec)); d != "" {
					t.Fatalf("cut at %d: %s", offset, d)
				}
				if rec.Sealed() {
					t.Errorf("cut at %d: it counts as sealed", offset)
				}
				if end == offset && ended(want) {
					if err != nil {
						t.Errorf("cut at %d, where nothing is missing but the seal: %v", offset, err)
					}
					continue
				}
				wantFormatError(t, err, replay.ErrTruncated, strings.Count(text[:end], "\n")+1, int64(end))
				if t.Failed() {
					t.Fatalf("cut at %d", offset)
				}
			}
		})
	}
}

// One bit of a sealed reel that is another never goes unnoticed.
func TestRecordingDamagedAnywhere(t *testing.T) {
	for _, name := range []string{"assembly.reel", "every-line.reel"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := testdata.Recordings.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			bits := 4
			if len(raw) > 4000 {
				bits = 1
			}
			for i := range raw {
				for b := range bits {
					flip := byte(1) << ((i + b*3) % 8)
					raw[i] ^= flip
					rec, err := replay.Load(bytes.NewReader(raw), int64(len(raw)))
					if err == nil {
						t.Errorf("bit %#02x of byte %d, now %q, went unnoticed", flip, i, raw[i])
					}
					if rec != nil && rec.Sealed() {
						t.Errorf("bit %#02x of byte %d: it counts as sealed", flip, i)
					}
					raw[i] ^= flip
				}
			}
		})
	}
}

// threeReads is a reel of one exchange: reads of 5, 0 and 300 bytes.
func threeReads(t testing.TB) (text, body string) {
	body = "hello" + strings.Repeat("0123456789\r\n\x00ä\n"[:15], 20)
	log := reel(t, time.Time{}, nil, []record{
		{kind: requestKind, number: 1, method: "POST", url: "/"},
		{kind: requestReadKind, number: 1, data: "one"},
		{kind: requestReadKind, number: 1, data: "two"},
		{kind: responseKind, number: 1, status: 200},
		{kind: readKind, number: 1, at: 1, data: body[:5]},
		{kind: readKind, number: 1, at: 2},
		{kind: readKind, number: 1, at: 3, data: body[5:]},
		{kind: endKind, number: 1, at: 4, end: replay.EndEOF},
	})
	return log.String(), body
}

func TestExchangeBody(t *testing.T) {
	text, body := threeReads(t)
	x := mustLoad(t, text).Exchanges()[0]

	t.Run("one recorded read a call", func(t *testing.T) {
		r := x.Body()
		var sizes []int
		b := make([]byte, 4096)
		for {
			n, err := r.Read(b)
			if n > 0 {
				sizes = append(sizes, n)
			}
			if err == io.EOF {
				break
			}
			if err != nil || len(sizes) > 9 {
				t.Fatal(sizes, err)
			}
		}
		if !slices.Equal(sizes, []int{5, 300}) {
			t.Errorf("the reads return %v bytes, want 5 and 300", sizes)
		}
		if n, err := r.Read(b); n != 0 || err != io.EOF {
			t.Errorf("behind the end it returns %d, %v", n, err)
		}
	})
	t.Run("a buffer that is just large enough", func(t *testing.T) {
		r := x.Body()
		if n, err := io.ReadFull(r, make([]byte, 5)); n != 5 || err != nil {
			t.Error(n, err)
		}
		for {
			n, err := r.Read(make([]byte, 300))
			if n == 0 && err == nil {
				continue // the read without bytes
			}
			if n != 300 || err != nil && err != io.EOF {
				t.Error(n, err)
			}
			break
		}
	})
	for size := 1; size < 20; size++ {
		var got []byte
		r := x.Body()
		for b := make([]byte, size); ; {
			n, err := r.Read(b)
			got = append(got, b[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil || len(got) > len(body) {
				t.Fatal(err)
			}
		}
		if string(got) != body {
			t.Errorf("through a buffer of %d bytes the body is %q", size, got)
		}
	}
	t.Run("a buffer of no bytes", func(t *testing.T) {
		r := x.Body()
		for range 3 {
			if n, err := r.Read(nil); n != 0 || err != nil {
				t.Errorf("it returns %d, %v", n, err)
			}
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != body {
			t.Errorf("and then %q, %v", got, err)
		}
	})
	t.Run("as an io.Reader", func(t *testing.T) {
		if err := iotest.TestReader(x.Body(), []byte(body)); err != nil {
			t.Error(err)
		}
	})
	t.Run("bodies are apart from each other", func(t *testing.T) {
		a, b := x.Body(), x.Body()
		if _, err := io.CopyN(io.Discard, a, 100); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(b); err != nil || string(got) != body {
			t.Errorf("%q, %v", got, err)
		}
		if got, err := io.ReadAll(a); err != nil || string(got) != body[100:] {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("no response", func(t *testing.T) {
		x := mustLoad(t, request+eof).Exchanges()[0]
		if got, err := io.ReadAll(x.Body()); err != nil || len(got) != 0 || x.Size != 0 || x.NumReads() != 0 {
			t.Errorf("%q, %v, Size %d, NumReads %d", got, err, x.Size, x.NumReads())
		}
	})
}

func TestExchangeReads(t *testing.T) {
	text, body := threeReads(t)
	x := mustLoad(t, text).Exchanges()[0]
	if x.NumReads() != 3 || x.Size != int64(len(body)) {
		t.Errorf("NumReads %d, Size %d", x.NumReads(), x.Size)
	}
	t.Run("the loop may end early, and begin again", func(t *testing.T) {
		for want := range 4 {
			n := 0
			for _, err := range x.Reads() {
				if err != nil {
					t.Fatal(err)
				}
				if n == want {
					break
				}
				n++
			}
			if n != min(want, 3) {
				t.Errorf("%d reads, want %d", n, want)
			}
		}
	})
	t.Run("the same iterator again", func(t *testing.T) {
		for name, reads := range map[string]func(func(replay.Read, error) bool){"Reads": x.Reads(), "RequestReads": x.RequestReads()} {
			var first []string
			for r := range reads {
				first = append(first, string(r.Data))
			}
			var second []string
			for r := range reads {
				second = append(second, string(r.Data))
			}
			if len(first) == 0 || !slices.Equal(first, second) {
				t.Errorf("%s: first %q, then %q", name, first, second)
			}
		}
	})
	t.Run("of the request", func(t *testing.T) {
		if got := contents(t, mustLoad(t, text))[0].RequestReads; !slices.Equal(got, []piece{{0, "one"}, {0, "two"}}) {
			t.Errorf("%v", got)
		}
	})
	t.Run("a loop within a loop", func(t *testing.T) {
		for a := range x.Reads() {
			before := string(a.Data)
			for range x.Reads() {
			}
			if string(a.Data) != before {
				t.Error("the inner loop changes the data of the outer one")
			}
		}
	})
}

// fickle is a file that stops giving what it gave.
type fickle struct {
	*strings.Reader
	broken atomic.Bool
}

var errFile = errors.New("input/output error")

func (f *fickle) ReadAt(p []byte, off int64) (int, error) {
	if f.broken.Load() {
		return 0, errFile
	}
	return f.Reader.ReadAt(p, off)
}

// shrinking is a file of which nothing is left once it is cut.
type shrinking struct {
	text string
	cut  atomic.Bool
}

func (s *shrinking) ReadAt(p []byte, off int64) (int, error) {
	if s.cut.Load() {
		return 0, io.EOF
	}
	return strings.NewReader(s.text).ReadAt(p, off)
}

func TestRecordingFileFails(t *testing.T) {
	text, _ := threeReads(t)
	src := &fickle{Reader: strings.NewReader(text)}
	rec, err := replay.Load(src, int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	src.broken.Store(true)
	x := rec.Exchanges()[0]
	for name, reads := range map[string]func(func(replay.Read, error) bool){"Reads": x.Reads(), "RequestReads": x.RequestReads()} {
		var errs []error
		for r, err := range reads {
			if err == nil && len(r.Data) > 0 {
				t.Errorf("%s: %q came from a file that fails", name, r.Data)
			}
			if err != nil {
				errs = append(errs, err)
			}
		}
		if len(errs) != 1 || !errors.Is(errs[0], errFile) {
			t.Errorf("%s: the errors are %v, want %q once", name, errs, errFile)
		}
	}
	if b, err := io.ReadAll(x.Body()); len(b) > 0 || !errors.Is(err, errFile) {
		t.Errorf("Body: %q, %v", b, err)
	}
	t.Run("while it is loaded", func(t *testing.T) {
		rec, err := replay.Load(src, int64(len(text)))
		if rec != nil || !errors.Is(err, errFile) {
			t.Errorf("%v, %v: want no recording and %q", rec, err, errFile)
		}
		if errors.Is(err, replay.ErrTruncated) || errors.Is(err, replay.ErrDamaged) || errors.Is(err, replay.ErrNotReel) {
			t.Errorf("%v blames the reel", err)
		}
	})
	t.Run("a file that is cut off later is no body that ends", func(t *testing.T) {
		src := &shrinking{text: text}
		rec, err := replay.Load(src, int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		src.cut.Store(true)
		x := rec.Exchanges()[0]
		if b, err := io.ReadAll(x.Body()); err == nil {
			t.Errorf("Body ends cleanly behind %q", b)
		}
		var last error
		for _, err := range x.Reads() {
			last = err
		}
		if last == nil {
			t.Error("Reads end cleanly")
		}
	})
}

// eagerEOF returns io.EOF together with the last bytes, as an io.ReaderAt may.
type eagerEOF struct{ text string }

func (e eagerEOF) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, e.text[off:])
	if int(off)+n == len(e.text) {
		return n, io.EOF
	}
	return n, nil
}

func TestLoadReaderAt(t *testing.T) {
	text, body := threeReads(t)
	t.Run("the end together with data", func(t *testing.T) {
		rec, err := replay.Load(eagerEOF{text}, int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		if got := contents(t, rec)[0].body(); got != body {
			t.Errorf("the body is %q", got)
		}
	})
	t.Run("only the first size bytes", func(t *testing.T) {
		rec, err := replay.Load(strings.NewReader(text+"?\n"), int64(len(text)))
		if err != nil || !rec.Sealed() {
			t.Errorf("%v", err)
		}
	})
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	text, body := threeReads(t)
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	t.Run("a reel", func(t *testing.T) {
		rec, err := replay.Open(file("good.reel", text))
		if err != nil {
			t.Fatal(err)
		}
		x := rec.Exchanges()[0]
		if b, err := io.ReadAll(x.Body()); err != nil || string(b) != body {
			t.Errorf("%q, %v", b, err)
		}
		for range 2 {
			if err := rec.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := io.ReadAll(x.Body()); err == nil {
			t.Error("the body can be read after Close")
		}
		var failed error
		for _, failed = range x.Reads() {
		}
		if failed == nil {
			t.Error("the reads can be read after Close")
		}
	})
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"truncated.reel", text[:len(text)-100], replay.ErrTruncated},
		{"damaged.reel", strings.Replace(text, "< 1", "< 2", 1), replay.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := file(c.name, c.text)
			rec, err := replay.Open(name)
			var fe *replay.FormatError
			if !errors.Is(err, c.want) || !errors.As(err, &fe) {
				t.Errorf("the error is %v", err)
			}
			if rec == nil || len(rec.Exchanges()) != 1 {
				t.Fatal("what is good is missing")
			}
			if err := rec.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	for _, c := range []struct {
		name, path string
		want       error
	}{
		{"a missing file", filepath.Join(dir, "none.reel"), fs.ErrNotExist},
		{"a directory", dir, nil},
		{"something else", file("else.txt", "data: hello\n\n"), replay.ErrNotReel},
		{"an empty file", file("empty.reel", ""), replay.ErrNotReel},
		{"another version", file("two.reel", "reel 2\n"), replay.ErrVersion},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec, err := replay.Open(c.path)
			if rec != nil || err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, %v; want no recording and %v", rec, err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), filepath.Base(c.path)) {
				t.Errorf("%q does not name the file", err)
			}
		})
	}
	t.Run("of a reel that was loaded", func(t *testing.T) {
		if err := mustLoad(t, text).Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// One Recording, many readers: for the race detector.
func TestRecordingConcurrency(t *testing.T) {
	raw, err := testdata.Recordings.ReadFile("every-line.reel")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "a.reel")
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	rec, err := replay.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	want := contents(t, rec)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if d := diff(want, contents(t, rec)); d != "" {
					t.Error(d)
				}
				for i, x := range rec.Exchanges() {
					if b, err := io.ReadAll(x.Body()); err != nil || string(b) != want[i].body() {
						t.Errorf("exchange %d: %q, %v", x.Number, b, err)
					}
				}
				if !rec.Sealed() || rec.Start().IsZero() || len(rec.Comments()) != 1 || rec.Duration() == 0 {
					t.Error("another recording")
				}
			}
		})
	}
	wg.Wait()
}

func TestFormatErrorUnwrap(t *testing.T) {
	var err error = &replay.FormatError{Line: 7, Offset: 99, Reason: "it rained", Err: replay.ErrDamaged}
	if !errors.Is(err, replay.ErrDamaged) || errors.Is(err, replay.ErrTruncated) {
		t.Error("it wraps something else")
	}
	for _, part := range []string{"7", "99", "it rained", replay.ErrDamaged.Error()} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestExchangeIsEventStream(t *testing.T) {
	for _, c := range []struct {
		name, response string
		want           bool
	}{
		{"an event stream", "< 1 +0 200\n< 1 content-type: text/event-stream\n", true},
		{"with a parameter", "< 1 +0 200\n< 1 content-type: text/event-stream; charset=utf-8\n", true},
		{"with a parameter, without a space", "< 1 +0 200\n< 1 content-type: text/event-stream;charset=utf-8\n", true},
		{"in capitals", "< 1 +0 200\n< 1 content-type: Text/Event-Stream\n", true},
		{"JSON", "< 1 +0 200\n< 1 content-type: application/json\n", false},
		{"a longer type", "< 1 +0 200\n< 1 content-type: text/event-stream2\n", false},
		{"no type", "< 1 +0 200\n", false},
		{"another status", "< 1 +0 404\n< 1 content-type: text/event-stream\n", false},
		{"a status that is almost it", "< 1 +0 201\n< 1 content-type: text/event-stream\n", false},
		{"no response", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := mustLoad(t, request+c.response+eof).Exchanges()[0].IsEventStream(); got != c.want {
				t.Errorf("IsEventStream is %v, want %v", got, c.want)
			}
		})
	}
}

// Trailers are what a server says behind the body, in a reel as on the wire.
func TestTrailers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "data: 1\n\n")
		w.Header().Set("X-Sum", "9f3c02aa")
	}))
	defer server.Close()
	rec, finish := newRecorder(t, nil)
	res, err := (&http.Client{Transport: rec}).Do(get(t, server.URL+"/s"))
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	text, _ := finish()
	recording := mustLoad(t, text)
	x := recording.Exchanges()[0]
	if x.Trailer.Get("X-Sum") != "9f3c02aa" || x.Header.Get("X-Sum") != "" || !strings.Contains(text, "|\n< 1 x-sum: 9f3c02aa\n. 1 ") {
		t.Errorf("the trailer is %v, the header %v, the reel\n%s", x.Trailer, x.Header, text)
	}

	again := httptest.NewServer(recording.Handler(replay.Playback{}))
	defer again.Close()
	res, err = http.Get(again.URL + "/s")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if string(b) != "data: 1\n\n" || res.Trailer.Get("X-Sum") != "9f3c02aa" || res.Header.Get("X-Sum") != "" {
		t.Errorf("played %q with trailer %v and header %v", b, res.Trailer, res.Header)
	}

	var b2 strings.Builder
	w, _ := replay.NewWriter(&b2, time.Time{})
	early, _ := w.Exchange(0, "GET", "/", nil)
	early.Response(0, 200, nil)
	if err := early.Trailer(http.Header{"X-Sum": {"1"}}); err == nil {
		t.Error("a trailer in front of the body is no error")
	}
}

// A request with a credential finds the exchange in which that was redacted.
func TestHandlerRedactedQuery(t *testing.T) {
	rec := mustLoad(t, version+
		"> 1 +0 GET /a?api_key=REDACTED&id=1\n< 1 +0 200\n= 1 +0\n\\one\n. 1 +0 eof\n"+
		"> 2 +0 GET /a?api_key=REDACTED&id=2\n< 2 +0 200\n= 2 +0\n\\two\n. 2 +0 eof\n")
	for id, want := range map[string]string{"1": "one", "2": "two"} {
		w := httptest.NewRecorder()
		rec.Handler(replay.Playback{}).ServeHTTP(w, httptest.NewRequest("GET", "/a?api_key=s3cret&id="+id, nil))
		if w.Body.String() != want {
			t.Errorf("id %s is answered with %q, want %q", id, w.Body, want)
		}
	}
}

// A seal that leaves a sum out seals nothing, and neither does one behind it.
func TestSealWithoutSum(t *testing.T) {
	body := version + "> 1 +0 GET /\n. 1 +0 eof\n"
	text := body + fmt.Sprintf("$ bytes=%d\n", len(body)) + "$ bytes=0 crc32c=00000000\n"
	if rec := mustLoad(t, text); rec.Sealed() {
		t.Error("it is sealed, though no sum is over its beginning")
	}
}
