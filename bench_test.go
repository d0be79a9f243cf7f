package ssereel_test

import (
	"bufio"
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/testdata"
)

var _ = iotest.ErrTimeout

type stream struct {
	name   string
	bytes  []byte
	events int
	read   int // bytes a read, 0 for as many as fit
}

func streams(tb testing.TB) []stream {
	return []stream{
		{name: "tokens", bytes: testdata.Tokens(8000), events: 8000},
		{name: "progress", bytes: testdata.Progress(6000), events: 6000},
		{name: "large", bytes: testdata.Large(128), events: 128},
		{name: "crlf", bytes: testdata.CRLF(testdata.Progress(6000)), events: 6000},
		{name: "heartbeat", bytes: testdata.Heartbeat(20000), events: 200},
		{name: "drip", bytes: testdata.Line(1 << 20), events: 1, read: 16},
	}
}

type drip struct {
	r bytes.Reader
	n int
}

func (d *drip) Read(p []byte) (int, error) {
	if d.n > 0 && len(p) > d.n {
		p = p[:d.n]
	}
	return d.r.Read(p)
}

func BenchmarkReader(b *testing.B) {
	for _, s := range streams(b) {
		b.Run(s.name, func(b *testing.B) {
			var src drip
			src.n = s.read
			r := ssewire.NewReader(nil)
			b.SetBytes(int64(len(s.bytes)))
			b.ReportAllocs()
			for b.Loop() {
				src.r.Reset(s.bytes)
				r.Reset(&src)
				n, size := 0, 0
				for r.Next() {
					n++
					size += len(r.Event().Data)
				}
				if n != s.events || r.Err() != nil {
					b.Fatalf("%d events, want %d, error %v", n, s.events, r.Err())
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.events), "ns/event")
		})
	}
}

func BenchmarkFloor(b *testing.B) {
	for _, s := range streams(b) {
		b.Run(s.name, func(b *testing.B) {
			var src drip
			src.n = s.read
			buf := make([]byte, 64<<10)
			b.SetBytes(int64(len(s.bytes)))
			b.ReportAllocs()
			for b.Loop() {
				src.r.Reset(s.bytes)
				sc := bufio.NewScanner(io.Reader(&src))
				sc.Buffer(buf, 16<<20)
				for sc.Scan() {
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.events), "ns/event")
		})
	}
}
