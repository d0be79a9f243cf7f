package ssereel_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
