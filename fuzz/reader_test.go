package fuzz_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/ssewire"
)

// wireEvent is an event as the standard dispatches it, except that an empty type
// buffer is not yet made "message".
type wireEvent struct {
	Type, Data, ID string
	// IDSet says whether the stream has set the last event ID so far.
	IDSet bool
}

// wireOutcome is all that a stream leaves behind.
type wireOutcome struct {
	Events   []wireEvent
	LastID   string
	Retry    time.Duration
	RetrySet bool
}

// wireOracle is the standard's section "Parsing an event stream" and "Interpreting
// an event stream", step by step and slowly.
func wireOracle(stream []byte) wireOutcome {
	// "Streams must be decoded using the UTF-8 decode algorithm", which strips one
	// leading byte order mark.
	text := []rune(wireDecode(stream))
	if len(text) > 0 && text[0] == '\uFEFF' {
		text = text[1:]
	}

	var out wireOutcome
	var dataBuffer, typeBuffer, idBuffer string
	var idSet bool // idBuffer has been set
	var inForce wireEvent

	for _, line := range wireLines(text) {
		// If the line is empty: dispatch the event.
		if line == "" {
			inForce.ID, inForce.IDSet = idBuffer, idSet
			if dataBuffer == "" {
				typeBuffer = ""
				continue
			}
			dataBuffer = strings.TrimSuffix(dataBuffer, "\n")
			out.Events = append(out.Events, wireEvent{typeBuffer, dataBuffer, inForce.ID, inForce.IDSet})
			dataBuffer, typeBuffer = "", ""
			continue
		}
		// If the line starts with a colon: ignore the line.
		if strings.HasPrefix(line, ":") {
			continue
		}
		// If the line contains a colon, that separates field and value, and one space
		// after it is removed. Otherwise the whole line is the field name.
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")

		switch field {
		case "event":
			typeBuffer = value
		case "data":
			dataBuffer += value + "\n"
		case "id":
			if !strings.Contains(value, "\x00") {
				idBuffer, idSet = value, true
			}
		case "retry":
			if value != "" && strings.Trim(value, "0123456789") == "" {
				out.Retry, out.RetrySet = wireMilliseconds(value), true
			}
		}
	}
	// "Once the end of the file is reached, any pending data must be discarded."
	out.LastID = inForce.ID
	return out
}

// wireLines returns the lines that have an end: CRLF, LF or CR.
func wireLines(text []rune) []string {
	var lines []string
	var line []rune
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n':
			i++
			lines, line = append(lines, string(line)), nil
		case text[i] == '\r' || text[i] == '\n':
			lines, line = append(lines, string(line)), nil
		default:
			line = append(line, text[i])
		}
	}
	return lines
}

func wireMilliseconds(digits string) time.Duration {
	n, _ := new(big.Int).SetString(digits, 10)
	if n.Mul(n, big.NewInt(int64(time.Millisecond))); !n.IsInt64() {
		return math.MaxInt64
	}
	return time.Duration(n.Int64())
}

// wireDecode replaces what is not UTF-8 as the Encoding standard does: each maximal
// prefix of a character that is not completed, or else each byte, by one U+FFFD.
func wireDecode(in []byte) string {
	// The bytes that may follow one another, by Table 3-7 of the Unicode standard.
	type span [2]byte
	tail := span{0x80, 0xBF}
	forms := [][]span{
		{{0x00, 0x7F}},
		{{0xC2, 0xDF}, tail},
		{{0xE0, 0xE0}, {0xA0, 0xBF}, tail},
		{{0xE1, 0xEC}, tail, tail},
		{{0xED, 0xED}, {0x80, 0x9F}, tail},
		{{0xEE, 0xEF}, tail, tail},
		{{0xF0, 0xF0}, {0x90, 0xBF}, tail, tail},
		{{0xF1, 0xF3}, tail, tail, tail},
		{{0xF4, 0xF4}, {0x80, 0x8F}, tail, tail},
	}
	var out strings.Builder
	for len(in) > 0 {
		matched, whole := 0, false
		for _, form := range forms {
			n := 0
			for n < len(form) && n < len(in) && form[n][0] <= in[n] && in[n] <= form[n][1] {
				n++
			}
			if n > matched {
				matched, whole = n, n == len(form)
			}
		}
		if whole {
			out.Write(in[:matched])
		} else {
			out.WriteRune('\uFFFD')
		}
		in = in[max(matched, 1):]
	}
	return out.String()
}

// wireSeen is ev as the oracle would have it.
func wireSeen(ev ssewire.Event) wireEvent {
	return wireEvent{wireDecode(ev.Type), wireDecode(ev.Data), wireDecode(ev.ID), ev.ID != nil}
}

// wireCut cuts stream into chunks of the sizes given, over and over. No sizes leave
// it whole; a size of 0 is a chunk of nothing. Only the first sizes count: a Reader
// need not put up with any number of reads that bring nothing.
func wireCut(stream, sizes []byte) [][]byte {
	sizes = sizes[:min(len(sizes), 40)]
	if !bytes.ContainsFunc(sizes, func(r rune) bool { return r != 0 }) {
		return [][]byte{stream}
	}
	var chunks [][]byte
	for i := 0; len(stream) > 0; i++ {
		n := min(int(sizes[i%len(sizes)]), len(stream))
		chunks, stream = append(chunks, stream[:n]), stream[n:]
	}
	return chunks
}

// wireSource returns a chunk a read, uses all of the buffer for scratch, and calls
// before with the number of bytes it has handed out, before each read.
type wireSource struct {
	chunks [][]byte
	end    error
	// together makes the last chunk come with end.
	together bool
	before   func(n int)
	read     int
}

func (s *wireSource) Read(p []byte) (int, error) {
	s.before(s.read)
	for i := range min(len(p), 64) {
		p[i] = '\n'
	}
	if len(s.chunks) == 0 {
		return 0, s.end
	}
	n := copy(p, s.chunks[0])
	s.read += n
	if s.chunks[0] = s.chunks[0][n:]; len(s.chunks[0]) == 0 {
		s.chunks = s.chunks[1:]
	}
	if len(s.chunks) == 0 && s.together {
		return n, s.end
	}
	return n, nil
}

var errWireLost = errors.New("connection lost")

// wireSizes are the ways to cut that every seed is tried with.
var wireSizes = [][]byte{nil, {1}, {2}, {3}, {7, 1}, {1, 0, 5}, {64}, {255, 3}}

// wireSeeds calls add with streams to start from.
func wireSeeds(f *testing.F, add func(stream []byte)) {
	for _, s := range []string{
		"", "\n", "\r", "\r\n", ":", "data", "data\n\n", "data:\n\n", "data: a\n\n",
		"data: a\r\rdata: b\r\r", "data: a\r\n\r\n", "data: a\n\r\ndata: b\r\n\ndata: c\r\r\n",
		"\xef\xbb\xbfdata: a\n\n", "\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", "\xef\xbbdata: a\n\n",
		"id: 1\n\ndata: a\n\nid\ndata: b\n\nid: \x00\ndata: c\n\nid: 2\ndata: d\n",
		"event: tick\n\ndata: a\n\nevent: tick\nevent\ndata: b\n\ndata: c\nevent:  tock \n\n",
		"retry: 10\nretry: x\nretry:\nretry: 9223372036854\n\n", "retry: 9223372036855\n", "retry: 00000000000000000000000000005\n", "retry: 1",
		"retry: 18446744073709551616\n", "retry: ١\n", "retry: -1\nretry: +1\nretry: 1 \n",
		" data: a\ndata : a\nDATA: a\ndat: a\ndatas: a\n\x00data: a\n\n",
		": comment\n: \x00\xff\ndata: a\n:\ndata: b\n \ndata: c\n\n",
		"data: \xff\xc3(\xe2\x82\n\nevent: \xf0\x9f\x8e\nid: \xed\xa0\x80\ndata: \xf4\x90\x80\x80\n\n",
		"data: a\v\f\u0085\u2028\n\n",
		"data\ndata\n\ndata: \ndata:  \n\n",
		"data: " + strings.Repeat("0123456789abcdef", 60) + "\r\n\r\ndata: b\r\n\r\n",
		strings.Repeat("data: x\n", 100) + "\n",
		strings.Repeat(": keep-alive\n\n", 40) + "data: a\n\n",

		// The stream of an Assembly, as it comes over the wire.
		"id: 2b7beaddf0a046e2ada603346f2cbee1\n\n" +
			"data: assembly_upload_meta_data_extracted\n\n" +
			"event: assembly_upload_finished\ndata: {\"id\":\"6bb16f6c\",\"name\":\"lesereihe – Größe.doc\",\"size\":61440,\"type\":null}\n\n" +
			"data: assembly_uploading_finished\n\n" +
			"event: assembly_execution_progress\ndata: {\"progress_combined\":50,\"progress_per_original_file\":[{\"original_id\":\"6bb16f6c\",\"progress\":50}]}\n\n" +
			"event: assembly_execution_progress\ndata: {\"progress_combined\":null,\"progress_per_original_file\":[]}\n\n" +
			"event: assembly_result_finished\ndata: [\":original\",{\"id\":\"5789e06b\",\"name\":\"lesereihe.pdf\",\"meta\":{\"page_count\":1}}]\n\n" +
			"data: assembly_finished\n\n",
		"event: message\ndata: assembly_finished\n\nevent: assembly_error\ndata: the worker has crashed\n\n",
		"event: assembly_error\r\ndata: {\"error\":\"INTERNAL_COMMAND_ERROR\",\r\ndata:  \"msg\":\"no such codec\"}\r\n\r\n",
		"data: {\"choices\":[{\"delta\":{\"content\":\" the\"}}]}\n\ndata: [DONE]\n\n",
	} {
		add([]byte(s))
	}

	file, err := os.ReadFile("../ssewire/testdata/conformance.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range strings.Split(string(file), "\ncase ")[1:] {
		var stream []byte
		for line := range strings.Lines(c) {
			if quoted, ok := strings.CutPrefix(line, "chunk "); ok {
				chunk, err := strconv.Unquote(strings.TrimSpace(quoted))
				if err != nil {
					f.Fatalf("%s: %v", line, err)
				}
				stream = append(stream, chunk...)
			}
		}
		add(stream)
	}
}

// FuzzReader reads a stream at the cuts that sizes says, with the Reader and with
// the Parser, and compares what they make of it with the standard. It also checks
// that each event comes as early as the bytes that end it.
func FuzzReader(f *testing.F) {
	wireSeeds(f, func(stream []byte) {
		for _, sizes := range wireSizes {
			f.Add(stream, sizes)
		}
	})
	f.Fuzz(func(t *testing.T, stream, sizes []byte) {
		if len(stream) > 1<<16 {
			return // the oracle is slow
		}
		r, p := ssewire.NewReader(nil), new(ssewire.Parser)
		want := wireOracle(stream)
		chunks := wireCut(stream, sizes)
		// The events of a beginning of the stream; too slow to ask for often.
		complete := func(n int) int { return len(wireOracle(stream[:n]).Events) }
		if len(chunks)*len(stream) > 1<<15 {
			complete = func(int) int { return -1 }
		}

		for _, end := range []error{io.EOF, errWireLost} {
			for _, together := range []bool{false, true} {
				var got wireOutcome
				src := &wireSource{chunks: append([][]byte(nil), chunks...), end: end, together: together}
				src.before = func(n int) {
					if now := complete(n); now >= 0 && now != len(got.Events) {
						t.Errorf("Reader: after %d bytes %d events are out, want %d of %q", n, len(got.Events), now, stream[:n])
					}
				}
				for r.Reset(src); r.Next(); {
					got.Events = append(got.Events, wireSeen(r.Event()))
				}
				got.LastID = wireDecode([]byte(r.LastEventID()))
				got.Retry, got.RetrySet = r.ReconnectionTime()
				if err := r.Err(); end == io.EOF && err != nil || end != io.EOF && !errors.Is(err, end) {
					t.Errorf("Reader: error %v, the source ends with %v", err, end)
				}
				wireCompare(t, fmt.Sprintf("Reader, end %v, with the last chunk %v", end, together), got, want)
			}
		}

		var got wireOutcome
		fed := 0
		for _, chunk := range chunks {
			mine := bytes.Clone(chunk)
			p.Feed(mine)
			clear(mine)
			for p.Next() {
				got.Events = append(got.Events, wireSeen(p.Event()))
			}
			fed += len(chunk)
			if now := complete(fed); now >= 0 && now != len(got.Events) {
				t.Errorf("Parser: after %d bytes %d events are out, want %d of %q", fed, len(got.Events), now, stream[:fed])
			}
		}
		got.LastID = wireDecode([]byte(p.LastEventID()))
		got.Retry, got.RetrySet = p.ReconnectionTime()
		if p.Err() != nil {
			t.Error("Parser:", p.Err())
		}
		wireCompare(t, "Parser", got, want)
	})
}

func wireCompare(t *testing.T, by string, got, want wireOutcome) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", by, got, want)
	}
}

// FuzzEventRoundTrip writes an event between two others and reads all three. What
// can be written comes back as it was, but for the kinds of line breaks in its data;
// what is refused could not have been carried.
func FuzzEventRoundTrip(f *testing.F) {
	// With the bits of these, a field is nil instead of what was given.
	const nilType, nilData, nilID = 1, 2, 4
	for _, s := range []struct{ typ, data, id string }{
		{"", "", ""},
		{"tick", "a", "1"},
		{" tick ", " a ", " 1 "},
		{"message", "a\nb\r\nc\rd", "2b7beaddf0a046e2ada603346f2cbee1"},
		{"\x00", "\n", "\x01"},
		{"a\nb", "x", "1"},
		{"a\rb", "x", "1"},
		{"a", "x", "1\n2"},
		{"a", "x", "1\r"},
		{"a", "x", "\x00"},
		{":", ":", ":"},
		{"\xef\xbb\xbf", "\xef\xbb\xbf", "\xef\xbb\xbf"},
		{"\xff", "\xff\xe2\x82", "\xc3"},
		{"", "\r\n\r\n", ""},
		{"", "\n\revent: evil\n\ndata: evil\n\n", "evil: 1"},
		{"assembly_result_finished", "[\"resized\",{\"id\":\"a\"}]", "0c53dea3"},
		{"assembly_error", "{\n  \"error\": \"ASSEMBLY_CRASHED\"\n}\n", ""},
		{"", "\u2028\u0085\v\f", "\u2028"},
		{strings.Repeat("t", 300), strings.Repeat("d\n", 300), strings.Repeat("i", 300)},
	} {
		for bits := range byte(8) {
			f.Add([]byte(s.typ), []byte(s.data), []byte(s.id), bits)
		}
	}
	f.Fuzz(func(t *testing.T, typ, data, id []byte, bits byte) {
		// The fuzzer may pass nil for empty, which is the one thing that matters here.
		typ, data, id = append([]byte{}, typ...), append([]byte{}, data...), append([]byte{}, id...)
		if bits&nilType != 0 {
			typ = nil
		}
		if bits&nilData != 0 {
			data = nil
		}
		if bits&nilID != 0 {
			id = nil
		}
		ev := ssewire.Event{Type: typ, Data: data, ID: id}
		const before, after = "id: before\ndata: before\n\n", "data: after\n\n"

		// What three events should come of it, by the documentation of AppendEvent.
		inForce := "before"
		if id != nil {
			inForce = string(id)
		}
		want := []string{wireString("", "before", "before")}
		if data != nil || len(typ) > 0 {
			normal := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
			want = append(want, wireString(string(typ), normal, inForce))
		}
		want = append(want, wireString("", "after", inForce))

		out, err := ssewire.AppendEvent([]byte(before), ev)
		if err != nil {
			if !errors.Is(err, ssewire.ErrUnwritable) || string(out) != before {
				t.Errorf("error %v with dst %q", err, out)
			}
			// Written in the only way there is to write a field, it is read as something else.
			naive := before
			if len(typ) > 0 {
				naive += "event: " + string(typ) + "\n"
			}
			if id != nil {
				naive += "id: " + string(id) + "\n"
			}
			for line := range strings.SplitSeq(strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n"), "\n") {
				if data != nil || len(typ) > 0 {
					naive += "data: " + line + "\n"
				}
			}
			got, _ := wireReadRaw(t, []byte(naive+"\n"+after))
			if reflect.DeepEqual(got, want) {
				t.Errorf("type %q, data %q, ID %q refused with %q, but %q carries it", typ, data, id, err, naive)
			}
			return
		}
		if !bytes.HasPrefix(out, []byte(before)) {
			t.Fatalf("dst has become %q", out)
		}
		block := bytes.Clone(out[len(before):])
		got, events := wireReadRaw(t, append(out, after...))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("type %q, data %q, ID %q:\ngot  %q\nwant %q\nby   %q", typ, data, id, got, want, block)
		}
		wireCompare(t, "Reader", wireOutcome{Events: events}, wireOutcome{Events: wireOracle(append([]byte(before), append(block, after...)...)).Events})
	})
}

// wireString tells events apart by their very bytes.
func wireString(typ, data, id string) string {
	return fmt.Sprintf("type %q, data %q, ID %q", typ, data, id)
}

// wireReadRaw reads stream, writes each event again, and checks that it is read as
// the same once more.
func wireReadRaw(t *testing.T, stream []byte) ([]string, []wireEvent) {
	t.Helper()
	read := func(stream []byte, each func(ssewire.Event)) []string {
		var all []string
		r := ssewire.NewReader(bytes.NewReader(stream))
		for r.Next() {
			ev := r.Event()
			all = append(all, wireString(string(ev.Type), string(ev.Data), string(ev.ID)))
			each(ev)
		}
		if r.Err() != nil {
			t.Fatalf("%q: %v", stream, r.Err())
		}
		return all
	}
	var again []byte
	var events []wireEvent
	first := read(stream, func(ev ssewire.Event) {
		events = append(events, wireSeen(ev))
		var err error
		if again, err = ssewire.AppendEvent(again, ev); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
	if second := read(again, func(ssewire.Event) {}); !reflect.DeepEqual(first, second) {
		t.Errorf("written again:\ngot  %q\nwant %q\nby   %q", second, first, again)
	}
	return first, events
}
