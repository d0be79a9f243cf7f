package main

import (
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// event is a line of the output of events, its fields in their order.
type event struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Data string `json:"data"`
}

// decode returns the events of an output, each of which must be a line by itself
// with these fields and no others.
func decode(t *testing.T, out string) []event {
	t.Helper()
	var events []event
	for line := range strings.Lines(out) {
		var ev event
		var fields map[string]string
		if err := errors.Join(json.Unmarshal([]byte(line), &ev), json.Unmarshal([]byte(line), &fields)); err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if !strings.HasPrefix(line, `{"type":"`) || !strings.HasSuffix(line, "}\n") || len(fields) != 3 || ev.Type == "" {
			t.Errorf("not type, id and data: %q", line)
		}
		events = append(events, ev)
	}
	return events
}

// chunks returns each of its strings with a Read of its own.
type chunks []string

func newChunks(parts []string) *chunks {
	c := chunks(slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" }))
	return &c
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(*c) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*c)[0])
	if (*c)[0] = (*c)[0][n:]; (*c)[0] == "" {
		*c = (*c)[1:]
	}
	return n, nil
}

// reelOf returns a reel with one event stream, a read for each piece.
func reelOf(t *testing.T, pieces ...string) string {
	t.Helper()
	var b strings.Builder
	w, err := replay.NewWriter(&b, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := w.Exchange(0, "GET", "https://api2.example/ws?assembly=1", http.Header{"Accept": {"text/event-stream"}})
	x.Response(time.Millisecond, 200, http.Header{"Content-Type": {"text/event-stream"}})
	for i, piece := range pieces {
		x.ResponseBody(time.Duration(i+2)*time.Millisecond, []byte(piece))
	}
	x.End(time.Duration(len(pieces)+2)*time.Millisecond, replay.EndEOF, nil)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEventsOutput(t *testing.T) {
	tests := []struct {
		name     string
		in, want string
	}{
		{"message", "data: hello\n\n", `{"type":"message","id":"","data":"hello"}` + "\n"},
		{"named", "event: tick\nid: 7\ndata: 1\ndata: 2\n\n", `{"type":"tick","id":"7","data":"1\n2"}` + "\n"},
		{"the ID stays in force", "id: 7\n\ndata: a\n\ndata: b\n\n", `{"type":"message","id":"7","data":"a"}` + "\n" + `{"type":"message","id":"7","data":"b"}` + "\n"},
		{"an empty type is message", "event:\ndata: a\n\n", `{"type":"message","id":"","data":"a"}` + "\n"},
		{"an empty type behind a name", "event: tick\nevent\ndata: a\n\n", `{"type":"message","id":"","data":"a"}` + "\n"},
		{"JSON in data stays readable", `data: {"a":"<b> & c"}` + "\n\n", `{"type":"message","id":"","data":"{\"a\":\"<b> & c\"}"}` + "\n"},
		{"text beyond ASCII stays readable", "data: 日本 😀\n\n", `{"type":"message","id":"","data":"日本 😀"}` + "\n"},
		{"one U+FFFD a maximal part", "data: \xe6\x97!\xf0\x9f\x98\n\n", `{"type":"message","id":"","data":"` + "\ufffd!\ufffd" + `"}` + "\n"},
		{"invalid UTF-8 in the type and the ID", "event: \xc0\nid: \xff\ndata: a\n\n", `{"type":"` + "\ufffd" + `","id":"` + "\ufffd" + `","data":"a"}` + "\n"},
		{"NUL", "data: \x00\n\n", `{"type":"message","id":"","data":"\u0000"}` + "\n"},
		{"an event without data is none", "event: tick\n\n: comment\n\nretry: 10\n\n", ""},
		{"an event that is cut off is none", "data: a\n\ndata: b\n", `{"type":"message","id":"","data":"a"}` + "\n"},
		{"nothing", "", ""},
		{"less than the first line of a reel", "\n", ""},
		{"comments alone", ": a\r\n\r\n:b\r: c", ""},
		{"fields without data", "\ufeffevent: tick\nid\nretry: 10\n\nid: 7", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, from := range []struct {
				name string
				out  outcome
			}{
				{"stdin", ssereelWith(t, strings.NewReader(tt.in), "events")},
				{"stdin as -", ssereelWith(t, strings.NewReader(tt.in), "events", "-")},
				{"file", ssereel(t, "events", write(t, tt.in))},
				{"reel", ssereel(t, "events", write(t, reelOf(t, tt.in)))},
				{"reel on stdin", ssereelWith(t, strings.NewReader(reelOf(t, tt.in)), "events")},
			} {
				if from.out.stdout != tt.want {
					t.Errorf("%s: %q, want %q", from.name, from.out.stdout, tt.want)
				}
				if tt.want == "" {
					from.out.wantLine(t, 0, ": there is no event in it\n")
				} else {
					from.out.wantDone(t)
				}
			}
		})
	}
}

// What is no event stream is told of, whoever looks.
func TestEventsOfNoStream(t *testing.T) {
	long := strings.Repeat("ä", 30)
	for _, tt := range []struct {
		name, in string
		exit     int
		says     string
	}{
		{"JSON", `{"error":"unauthorized"}`, 1, `no event in 24 bytes, beginning with "{\"error\":\"unauthorized\"}": if this JSON is a Status or a job, ssereel status reads it`},
		{"JSON on lines", "[\n  1\n]\n", 1, `no event in 8 bytes, beginning with "[\n  1\n]\n": if this JSON`},
		{"HTML", "\ufeff\n<!DOCTYPE html>\n<html>\n</html>\n", 1, `no event in 35 bytes, beginning with "\ufeff\n<!DOCTYPE html>\n<html>\n</html>\n": a page is no event stream, so check the URL`},
		{"gzip", "\x1f\x8b\x08\x00\n\n", 1, `no event in 6 bytes, beginning with "\x1f\x8b\b\x00\n\n": it is compressed with gzip: gunzip it first`},
		{"UTF-16", "\xff\xfed\x00a\x00t\x00a\x00:\x00a\x00\n\x00\n\x00", 1, `: it is UTF-16: convert it to UTF-8 first`},
		{"a reel behind a byte order mark", "\ufeffreel 1\n@ 2026\n", 1, `: it begins with a byte order mark: save it without one`},
		{"a picture", "\x89PNG\r\n\x1a\n" + long, 1, `no event in 68 bytes, beginning with "\x89PNG\r\n\x1a\nääääääääääääääää…"`},
		{"NUL", "a\x00\n", 1, `no event in 3 bytes, beginning with "a\x00\n"`},
		{"a long text, cut off in a character", strings.Repeat("ä", 30), 0, `no event in 60 bytes, beginning with "` + strings.Repeat("ä", 20) + `…"`},
		{"almost a reel", "reel", 0, `no event in 4 bytes, beginning with "reel"`},
		{"text, cut off", "Dear diary,\n" + long, 0, `no event in 72 bytes, beginning with "Dear diary,\nääääääääääääää…"`},
		{"behind comments", ": a\n\nevents: a\n\n", 0, `no event in 16 bytes, beginning with ": a\n\nevents: a\n\n"`},
		{"other letters", "Data: a\n\n", 0, `no event in 9 bytes, beginning with "Data: a\n\n"`},
		{"an event that is cut off", "data: a\n", 0, `no event in 8 bytes, beginning with "data: a\n": no blank line ends the event, so the stream was cut off`},
		{"one byte", "d", 0, `no event in 1 byte, beginning with "d"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := write(t, tt.in)
			for called, o := range map[string]outcome{
				name:             ssereel(t, "events", name),
				"standard input": ssereelWith(t, newChunks(strings.Split(tt.in, "")), "events", "--where"),
			} {
				o.wantLine(t, tt.exit, "ssereel events: "+called+": ", tt.says)
				if !strings.Contains(tt.says, ": ") && !strings.HasSuffix(o.stderr, tt.says+"\n") {
					t.Errorf("it says %q, want nothing after %q", o.stderr, tt.says)
				}
			}
		})
	}
}

// It prints JSON like any other command that is told to.
func TestEventsJSON(t *testing.T) {
	o := ssereelWith(t, strings.NewReader("data: a\n\n"), "events", "--json")
	o.wantDone(t)
	o.wantEvents(t, []event{{"message", "", "a"}})
}

type conformanceCase struct {
	Name   string
	Chunks []string
	Events []event
}

// conformanceCases returns those of ssewire.
func conformanceCases(t *testing.T) (cases []conformanceCase) {
	t.Helper()
	for line := range strings.Lines(read(t, "../../ssewire/testdata/conformance.txt")) {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var err error
		switch kind {
		case "case":
			cases = append(cases, conformanceCase{Name: rest})
		case "chunk":
			var chunk string
			_, err = fmt.Sscanf(rest, "%q", &chunk)
			c := &cases[len(cases)-1]
			c.Chunks = append(c.Chunks, chunk)
		case "event":
			var ev event
			_, err = fmt.Sscanf(rest, "%q %q %q", &ev.Type, &ev.Data, &ev.ID)
			c := &cases[len(cases)-1]
			c.Events = append(c.Events, ev)
		}
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return cases
}

// What Chromium's EventSource makes of these streams, the command makes of them: raw
// and out of a reel, in files and on standard input, and recorded from a server.
func TestEventsConformance(t *testing.T) {
	cases := conformanceCases(t)
	if len(cases) < 140 {
		t.Fatalf("%d cases", len(cases))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/" { // there is no Assembly behind a stream that looks like one
			http.NotFound(w, req)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for chunk := range strings.SplitSeq(req.Header.Get("X-Chunks"), " ") {
			b, _ := base64.StdEncoding.DecodeString(chunk)
			w.Write(b)
			http.NewResponseController(w).Flush()
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	for _, tt := range cases {
		t.Run(tt.Name, func(t *testing.T) {
			var parts, encoded []string
			for _, chunk := range tt.Chunks {
				parts = append(parts, chunk)
				encoded = append(encoded, base64.StdEncoding.EncodeToString([]byte(chunk)))
			}
			for from, o := range map[string]outcome{
				"stdin":         ssereelWith(t, newChunks(parts), "events"),
				"file":          ssereel(t, "events", write(t, strings.Join(parts, ""))),
				"reel":          ssereel(t, "events", write(t, reelOf(t, parts...))),
				"reel on stdin": ssereelWith(t, strings.NewReader(reelOf(t, parts...)), "events", "-"),
			} {
				switch {
				case len(tt.Events) > 0:
					o.wantDone(t)
				case strings.Contains(from, "reel"):
					o.wantLine(t, 0, "there is no event in it")
				}
				if got := decode(t, o.stdout); !slices.Equal(got, tt.Events) {
					t.Errorf("%s:\n got %q\nwant %q", from, got, tt.Events)
				}
			}
			name := filepath.Join(dir, fmt.Sprintf("%x.reel", tt.Name))
			if o := ssereel(t, "record", "-o", name, "-H", "X-Chunks: "+strings.Join(encoded, " "), server.URL); o.status != 0 {
				t.Errorf("record: %+v", o)
			}
			o := ssereel(t, "events", name)
			if o.status != 0 || (o.stderr == "") != (len(tt.Events) > 0) {
				t.Errorf("%+v", o)
			}
			o.wantEvents(t, tt.Events)
		})
	}
}

// An event is printed when it has come, however long the stream goes on.
func TestEventsLive(t *testing.T) {
	for _, end := range []string{"\n", "\r", "\r\n"} {
		in, w := io.Pipe()
		r := begin(t, in, "events")
		for i := range 5 {
			io.WriteString(w, fmt.Sprintf("id: %d%sdata: a%s%s", i, end, end, end))
			if got, want := r.line(), fmt.Sprintf(`{"type":"message","id":"%d","data":"a"}`+"\n", i); got != want {
				t.Errorf("line end %q: %q, want %q", end, got, want)
			}
		}
		w.Close()
		if status := r.wait(); status != 0 {
			t.Errorf("exit status %d", status)
		}
	}
}

func TestEventsOfSeveralStreams(t *testing.T) {
	reel := "reel 1\n" +
		"> 1 +0 GET /status\n< 1 +0 200\n< 1 content-type: application/json\n= 1 +0\n\\{\"ok\":\"ASSEMBLY_EXECUTING\"}\n. 1 +0 eof\n" +
		"> 2 +0 GET /a\n< 2 +0 200\n< 2 content-type: text/event-stream; charset=utf-8\n" +
		"> 3 +0 GET /b\n< 3 +0 200\n< 3 content-type: TEXT/Event-Stream\n" +
		"= 2 +0\n|data: a1\n|\n= 3 +0\n|id: b\n|data: b1\n|\n= 2 +0\n|data: a2\n|\n. 2 +0 eof\n. 3 +0 reset\n" +
		"> 4 +0 GET /gone\n< 4 +0 404\n< 4 content-type: text/event-stream\n= 4 +0\n|data: no\n|\n. 4 +0 eof\n"
	o := ssereel(t, "events", write(t, reel))
	o.wantDone(t)
	o.wantEvents(t, []event{{"message", "", "a1"}, {"message", "", "a2"}, {"message", "b", "b1"}})
}

// With --where an event says which one it is, and when it came, by the numbers that faults
// are placed with.
func TestEventsWhere(t *testing.T) {
	const stream = "id: 1\n\ndata: a\n\ndata: b\n\n"
	var zipped strings.Builder
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, stream)
	w.Close()
	var encoded strings.Builder
	r, err := replay.NewWriter(&encoded, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := r.Exchange(time.Second, "GET", "https://api2.example/", nil)
	x.Response(2*time.Second, 200, http.Header{"Content-Type": {"text/event-stream"}, "Content-Encoding": {"gzip"}})
	x.ResponseBody(3*time.Second, []byte(zipped.String()))
	x.End(4*time.Second, replay.EndEOF, nil)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, in, want string }{
		{"a raw stream", stream, `{"event":1,"type":"message","id":"1","data":"a"}
{"event":2,"type":"message","id":"1","data":"b"}
`},
		{"a recording", "reel 1\n> 1 +3 GET /a\n< 1 +1 200\n< 1 content-type: text/event-stream\n= 1 +0.262\n|id: 1\n|\n|data: a\n|\n\\data: b\n= 1 +3\n|\n|\n. 1 +0 eof\n", `{"exchange":1,"event":1,"time":1.262,"type":"message","id":"1","data":"a"}
{"exchange":1,"event":2,"time":4.262,"type":"message","id":"1","data":"b"}
`},
		{"events that end in later reads", "reel 1\n> 1 +3 GET /a\n< 1 +1 200\n< 1 content-type: text/event-stream\n= 1 +0.262\n|data: a\n= 1 +3\n|\n|data: b\n|\n. 1 +0 eof\n", `{"exchange":1,"event":1,"time":4.262,"type":"message","id":"","data":"a"}
{"exchange":1,"event":2,"time":4.262,"type":"message","id":"","data":"b"}
`},
		{"several streams", "reel 1\n> 1 +0 GET /a\n< 1 +0 200\n< 1 content-type: text/event-stream\n> 2 +1 GET /b\n< 2 +0 200\n< 2 content-type: text/event-stream\n= 1 +0\n|data: a\n|\n= 2 +0.5\n|data: b\n|\n. 1 +0 eof\n. 2 +0 eof\n", `{"exchange":1,"event":1,"time":1,"type":"message","id":"","data":"a"}
{"exchange":2,"event":1,"time":0.5,"type":"message","id":"","data":"b"}
`},
		{"a compressed stream", encoded.String(), `{"exchange":1,"event":1,"time":2,"type":"message","id":"1","data":"a"}
{"exchange":1,"event":2,"time":2,"type":"message","id":"1","data":"b"}
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := ssereel(t, "events", "--where", write(t, tt.in))
			o.wantDone(t)
			if o.stdout != tt.want {
				t.Errorf("%s\nwant\n%s", o.stdout, tt.want)
			}
		})
	}
	t.Run("as faults count", func(t *testing.T) {
		name := write(t, assembly(t))
		rec, err := replay.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Close()
		lines := slices.Collect(strings.Lines(ssereel(t, "events", "--where", name).stdout))
		for i, line := range lines {
			if want := fmt.Sprintf(`{"exchange":1,"event":%d,`, i+1); !strings.HasPrefix(line, want) {
				t.Errorf("%.80q, want %s", line, want)
			}
			client := &http.Client{Transport: rec.Transport(replay.Playback{
				Speed: replay.MaxSpeed, Faults: []replay.Fault{replay.Cut{At: replay.AtEvent(i + 1)}},
			})}
			res, err := client.Get(rec.Exchanges()[0].URL)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body) // which ends in the fault
			res.Body.Close()
			if got := len(rawEvents(t, string(body))); got != i {
				t.Errorf("%d events in front of number %d", got, i+1)
			}
		}
		if len(lines) != 12 {
			t.Errorf("%d events", len(lines))
		}
	})
}

func TestEventsOfAssembly(t *testing.T) {
	name := write(t, assembly(t))
	o := ssereel(t, "events", name)
	o.wantDone(t)
	o.wantEvents(t, rawEvents(t, strings.Join(pieces(t, only(t, name)), "")))
	if events := decode(t, o.stdout); len(events) != 12 || events[11].Data != "assembly_finished" {
		t.Errorf("%d events, the last %q", len(events), events[max(len(events)-1, 0)])
	}
}

// Every event that was whole is printed, and then the fault is told.
func TestEventsBeforeFault(t *testing.T) {
	broken := errors.New("the cable broke")
	big := strings.Repeat("x", 1000)
	damaged := strings.Replace(reelOf(t, "data: a\n\n", "data: b\n\n", "data: c\n\n"), "|data: c", "data: c", 1)
	truncated := reelOf(t, "data: a\n\n", "data: b\n\n", "data: c\n\n")
	truncated = truncated[:strings.Index(truncated, "|data: c")+5]
	tests := []struct {
		name  string
		in    io.Reader
		args  []string
		tells []string
	}{
		{"read error", io.MultiReader(strings.NewReader("data: a\n\ndata: b\n\ndata: c"), failing{broken}), nil, []string{"the cable broke"}},
		{"limit", strings.NewReader("data: a\n\ndata: b\n\ndata: " + big + "\n\n"), []string{"--max-event-size", "500"}, []string{"500", "byte 18", "--max-event-size"}},
		{"limit, out of a reel", strings.NewReader(reelOf(t, "data: a\n\ndata: b\n\ndata: "+big+"\n\n")), []string{"--max-event-size", "500"}, []string{"500", "byte 18", "--max-event-size"}},
		{"damaged reel", strings.NewReader(damaged), nil, []string{"damaged", "line 12"}},
		{"truncated reel", strings.NewReader(truncated), nil, []string{"truncated"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := ssereelWith(t, tt.in, append([]string{"events"}, tt.args...)...)
			o.wantEvents(t, []event{{"message", "", "a"}, {"message", "", "b"}})
			o.stdout = ""
			o.wantLine(t, 1, tt.tells...)
		})
	}
}

// What other readers of lines stumble over, 64 KiB, is no limit.
func TestEventsLimit(t *testing.T) {
	for _, size := range []int{64 << 10, 2 << 20} {
		data := strings.Repeat("x", size)
		o := ssereelWith(t, strings.NewReader("data: "+data+"\n\n"), "events")
		o.wantDone(t)
		o.wantEvents(t, []event{{"message", "", data}})
	}
}

// On a terminal an event has one line, which does not wrap, and nothing in it that the
// terminal might take for a command.
func TestEventsOnTerminal(t *testing.T) {
	const odd = "id: 1\nevent: ti\x1b[31mck\ndata: two\ndata: lines\x07\n\ndata: " + "0123456789012345678901234567890123456789" + "\n\ndata\n\n"
	for _, tt := range []struct {
		name, text string
		where      bool
		width      int
		want       string
	}{
		{"a stream", odd, false, 40, "" +
			"ti\ufffd[31mck  two↵lines\ufffd\n" +
			"message  012345678901234567890123456789…\n" +
			"message  \n"},
		{"a stream, and where", odd, true, 40, "" +
			"1    ti\ufffd[31mck  two↵lines\ufffd\n" +
			"2    message  0123456789012345678901234…\n" +
			"3    message  \n"},
		{"a recording", paced, false, 40, "message  a\nmessage  b\n"},
		{"a recording, and where", paced, true, 40, "" +
			"1:1      0.110 s  message  a\n" +
			"1:2      0.210 s  message  b\n"},
		{"very narrow", paced, true, 5, "1:1 …\n1:2 …\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			p := &eventPrinter{w: bufio.NewWriter(&out), limit: 1 << 20, where: tt.where, width: tt.width}
			err := p.file(console{}, write(t, tt.text))
			if p.w.Flush(); err != nil || out.String() != tt.want {
				t.Errorf("%v\n%swant\n%s", err, out.String(), tt.want)
			}
		})
	}
}
