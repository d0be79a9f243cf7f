package ssereel_test

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/ssereel/ssereel/ssewire"
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
