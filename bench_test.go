package ssereel_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
	"github.com/ssereel/ssereel/testdata"
)

// A stream is a corpus of BenchmarkReader and BenchmarkFloor.
type stream struct {
	name   string
	bytes  []byte
	events int
	read   int // at most so many bytes a read; 0 for as many as fit
}

func streams() []stream {
	const dripped = 1 << 20
	return []stream{
		{name: "tokens", bytes: testdata.Tokens(8000), events: 8000},
		{name: "progress", bytes: testdata.Progress(6000), events: 6000},
		{name: "assembly", bytes: testdata.Assembly(150), events: 150 * testdata.AssemblyEvents},
		{name: "large", bytes: testdata.Large(128), events: 128},
		{name: "crlf", bytes: testdata.CRLF(testdata.Progress(6000)), events: 6000},
		{name: "heartbeat", bytes: testdata.Heartbeat(20000), events: 200},
		{name: "drip", bytes: testdata.Line(dripped), events: 1, read: 16},
	}
}

// source is a stream in memory, in reads of a limited size.
type source struct {
	r     bytes.Reader
	limit int
}

func (s *source) reset(from stream) {
	s.r.Reset(from.bytes)
	s.limit = from.read
}

func (s *source) Read(p []byte) (int, error) {
	if s.limit > 0 && len(p) > s.limit {
		p = p[:s.limit]
	}
	return s.r.Read(p)
}

// benchmarkStreams times read, which goes through all of src, for each corpus.
func benchmarkStreams(b *testing.B, read func(b *testing.B, src io.Reader, want int)) {
	for _, s := range streams() {
		b.Run(s.name, func(b *testing.B) {
			var src source
			b.SetBytes(int64(len(s.bytes)))
			b.ReportAllocs()
			for b.Loop() {
				src.reset(s)
				read(b, &src, s.events)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*s.events), "ns/event")
		})
	}
}

// BenchmarkReader reads streams of the kinds that occur: deltas of a language model,
// progress events, an Assembly's update stream, events of 8 KB, progress events with
// CRLF, a hundred comments an event, and one line of 1 MB in reads of 16 bytes.
func BenchmarkReader(b *testing.B) {
	r := ssewire.NewReader(nil)
	benchmarkStreams(b, func(b *testing.B, src io.Reader, want int) {
		r.Reset(src)
		events, size := 0, 0
		for r.Next() {
			events++
			size += len(r.Event().Data)
		}
		if r.Err() != nil || events != want || size == 0 {
			b.Fatalf("%d events, want %d, with %d bytes of data; error %v", events, want, size, r.Err())
		}
	})
}

// BenchmarkFloor is what there is to compare BenchmarkReader with: bufio.Scanner,
// which only finds the lines of the same streams.
func BenchmarkFloor(b *testing.B) {
	benchmarkStreams(b, func(b *testing.B, src io.Reader, _ int) {
		s := bufio.NewScanner(src)
		s.Buffer(nil, ssewire.DefaultMaxEventSize)
		lines := 0
		for s.Scan() {
			lines++
		}
		if s.Err() != nil || lines == 0 {
			b.Fatalf("%d lines; error %v", lines, s.Err())
		}
	})
}

// statusFiles returns the documents in the first of the lists of files that is there, by name, pretty and
// compact: the real ones, or else the composed ones.
func statusFiles(tb testing.TB, lists ...[]string) (names []string, docs map[string][]byte) {
	tb.Helper()
	docs = map[string][]byte{}
	for i, list := range lists {
		if _, err := os.Stat(list[0]); err != nil && i < len(lists)-1 {
			continue
		}
		for _, file := range list {
			data, err := os.ReadFile(file)
			if err != nil {
				tb.Fatal(err)
			}
			var pretty, compact bytes.Buffer
			if err := json.Indent(&pretty, data, "", "  "); err != nil {
				tb.Fatal(err)
			}
			if err := json.Compact(&compact, data); err != nil {
				tb.Fatal(err)
			}
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			names = append(names, name+"/pretty", name+"/compact")
			docs[name+"/pretty"], docs[name+"/compact"] = pretty.Bytes(), compact.Bytes()
		}
		break
	}
	return names, docs
}

var (
	statusReal     = []string{"../shared/docs/assembly-status-example.json", "../shared/captures/assembly-status-2020.json"}
	statusComposed = []string{"testdata/assembly-completed.json", "testdata/assembly-executing.json"}
)

func BenchmarkPeek(b *testing.B) {
	names, docs := statusFiles(b, statusReal, statusComposed)
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if h, err := status.Peek(docs[name]); err != nil || h.State == "" {
					b.Fatal(h, err)
				}
			}
		})
	}
}

func BenchmarkPeekHTTPCode(b *testing.B) {
	names, docs := statusFiles(b, statusReal, statusComposed)
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h, err := status.Peek(docs[name])
				if code := h.HTTPCode(); err != nil || code != 0 && code != 200 {
					b.Fatal(h, code, err)
				}
			}
		})
	}
}

func BenchmarkDecodeAssembly(b *testing.B) {
	names, docs := statusFiles(b, statusReal, statusComposed)
	for _, name := range names {
		for _, call := range []string{"copied", "borrowed"} {
			decode := status.DecodeAssembly
			if call == "borrowed" {
				decode = status.DecodeAssemblyBorrowed
			}
			b.Run(name+"/"+call, func(b *testing.B) {
				var a status.Assembly
				b.SetBytes(int64(len(docs[name])))
				b.ReportAllocs()
				for b.Loop() {
					if err := decode(docs[name], &a); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDecodeUpdate(b *testing.B) {
	data, err := os.ReadFile("testdata/assembly-updates.txt")
	if err != nil {
		b.Fatal(err)
	}
	updates := map[string][]string{
		"progress-1-file": {"assembly_execution_progress", `{"progress_combined":50,"progress_per_original_file":[{"original_id":"5b0f2c9d7a1e4c63b8d4f0a2c6e81397","progress":100}]}`},
	}
	for line := range strings.Lines(string(data)) {
		eventType, data, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		name := eventType
		if name == "" || name == "message" {
			name = data
		}
		updates[strings.TrimPrefix(name, "assembly_")] = []string{eventType, data}
	}
	for _, name := range []string{"progress-1-file", "finished", "execution_progress", "upload_finished", "result_finished", "error"} {
		b.Run(name, func(b *testing.B) {
			eventType, data := []byte(updates[name][0]), []byte(updates[name][1])
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if u, err := status.DecodeUpdate(eventType, data); err != nil || u.Kind == status.UpdateUnknown {
					b.Fatal(u.Kind, err)
				}
			}
		})
	}
}

func BenchmarkDecodeJob(b *testing.B) {
	names, docs := statusFiles(b, []string{"testdata/job-success.json", "testdata/job-workflow-failure.json"})
	reference, others := statusFiles(b, []string{"../shared/captures/scenario-detect-response.json"}, []string{"testdata/job-in-progress.json"})
	for _, name := range reference {
		docs[name] = others[name]
	}
	for _, name := range append(names, reference...) {
		b.Run(name, func(b *testing.B) {
			var j status.Job
			b.SetBytes(int64(len(docs[name])))
			b.ReportAllocs()
			for b.Loop() {
				if err := status.DecodeJob(docs[name], &j); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// readSizes are the sizes of the reads in the reels of the benchmarks, in bytes:
// less than an event, about one, several, and what a buffer holds.
var readSizes = []int{40, 120, 1000, 8000}

// writeReel writes a reel of one exchange, whose body comes in reads of size bytes,
// none as long after the one before as that.
func writeReel(tb testing.TB, w io.Writer, body []byte, size int) {
	rw, err := replay.NewWriter(w, time.Time{})
	if err != nil {
		tb.Fatal(err)
	}
	x, err := rw.Exchange(0, "GET", "/", nil)
	if err == nil {
		err = x.Response(0, 200, nil)
	}
	var at time.Duration
	for i := 0; i < len(body) && err == nil; i += size {
		at += time.Duration(i%1000003) * 1013
		err = x.ResponseBody(at, body[i:min(i+size, len(body))])
	}
	if err == nil {
		err = x.End(at, replay.EndEOF, nil)
	}
	if err == nil {
		err = rw.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkLoad indexes a reel of 16 MB, of progress events in reads of a size.
// The bytes are the reel's.
func BenchmarkLoad(b *testing.B) {
	body := testdata.Progress(100_000)
	for _, size := range readSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var reel bytes.Buffer
			writeReel(b, &reel, body, size)
			b.SetBytes(int64(reel.Len()))
			b.ReportAllocs()
			for b.Loop() {
				rec, err := replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
				if err != nil || !rec.Sealed() || rec.Exchanges()[0].Size != int64(len(body)) {
					b.Fatal(err)
				}
			}
		})
	}
}

// nowhere is what io.Discard is, less its io.ReaderFrom and the like.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkReelWriter writes progress events in reads of a size, with LF and with
// CRLF, to nowhere. The bytes are the body's.
func BenchmarkReelWriter(b *testing.B) {
	body := testdata.Progress(10_000)
	for _, text := range []struct {
		name string
		body []byte
	}{{"lf", body}, {"crlf", testdata.CRLF(body)}} {
		for _, size := range readSizes {
			b.Run(fmt.Sprintf("%s/%d", text.name, size), func(b *testing.B) {
				b.SetBytes(int64(len(text.body)))
				b.ReportAllocs()
				for b.Loop() {
					writeReel(b, nowhere{}, text.body, size)
				}
			})
		}
	}
}

// BenchmarkHandler plays recordings as fast as the client takes it: of a stream that is
// kept in memory, of one that is read from the reel, and of an Assembly's updates. Over
// loopback, beside a handler that writes and flushes the same pieces, and to nowhere, which
// leaves what playing costs by itself.
func BenchmarkHandler(b *testing.B) {
	piece := testdata.Progress(1)
	recorded := func(url string, pieces int) http.Handler {
		var reel bytes.Buffer
		w, err := replay.NewWriter(&reel, time.Time{})
		if err != nil {
			b.Fatal(err)
		}
		x, err := w.Exchange(0, "GET", url, nil)
		if err != nil {
			b.Fatal(err)
		}
		x.Response(0, 200, http.Header{"Content-Type": {"text/event-stream"}})
		for i := range pieces {
			x.ResponseBody(time.Duration(i)*time.Millisecond, piece)
		}
		x.End(0, replay.EndEOF, nil)
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		rec, err := replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
		if err != nil {
			b.Fatal(err)
		}
		return rec.Handler(replay.Playback{Speed: replay.MaxSpeed})
	}
	const few, many = 5000, 20000 // of which the player keeps the few in memory
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		f := w.(http.Flusher)
		for range few {
			w.Write(piece)
			f.Flush()
		}
	})
	for _, c := range []struct {
		name    string
		url     string
		handler http.Handler
		pieces  int
	}{
		{"bare", "/", bare, few},
		{"kept", "/stream", recorded("/stream", few), few},
		{"read", "/stream", recorded("/stream", many), many},
		{"updates", "/0c53dea3f503449d89d1ab9bc0348091", recorded("/0c53dea3f503449d89d1ab9bc0348091", few), few},
	} {
		perPiece := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.pieces), "ns/piece")
		}
		b.Run("nowhere/"+c.name, func(b *testing.B) {
			req := httptest.NewRequest("GET", c.url, nil)
			b.ReportAllocs()
			for b.Loop() {
				w := &audience{header: make(http.Header)}
				c.handler.ServeHTTP(w, req)
				if w.pieces != c.pieces || w.flushes < c.pieces {
					b.Fatalf("%d pieces and %d flushes, want %d", w.pieces, w.flushes, c.pieces)
				}
			}
			perPiece(b)
		})
		b.Run("loopback/"+c.name, func(b *testing.B) {
			s := httptest.NewServer(c.handler)
			defer s.Close()
			b.ReportAllocs()
			for b.Loop() {
				conn, err := net.Dial("tcp", s.Listener.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				io.WriteString(conn, "GET "+c.url+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				n, err := io.Copy(io.Discard, conn)
				if err != nil || n < int64(c.pieces*len(piece)) {
					b.Fatal(n, err)
				}
				conn.Close()
			}
			perPiece(b)
		})
	}
}

// audience is a ResponseWriter that counts what is written and flushed.
type audience struct {
	header          http.Header
	pieces, flushes int
}

func (a *audience) Header() http.Header         { return a.header }
func (a *audience) WriteHeader(int)             {}
func (a *audience) Write(p []byte) (int, error) { a.pieces++; return len(p), nil }
func (a *audience) Flush()                      { a.flushes++ }
