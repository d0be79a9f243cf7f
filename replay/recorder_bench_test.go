package replay_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/testdata"
)

// BenchmarkRecorder reads a stream of 8 KB events over loopback: with the bare client,
// with one that records to a file, and with both in turns, for the share of the bare
// client's throughput that recording leaves.
func BenchmarkRecorder(b *testing.B) {
	const events = 2000
	// An event is what a server flushes; Large ends each with an empty line.
	stream := string(testdata.Large(16))
	var pieces []string
	for piece := range strings.SplitAfterSeq(stream, "\n\n") {
		if piece != "" {
			pieces = append(pieces, piece)
		}
	}
	size := 0
	for i := range events {
		size += len(pieces[i%len(pieces)])
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		flush := http.NewResponseController(w).Flush
		for i := range events {
			io.WriteString(w, pieces[i%len(pieces)])
			flush()
		}
	}))
	defer server.Close()
	buf := make([]byte, 64<<10)
	read := func(b *testing.B, transport http.RoundTripper) time.Duration {
		start := time.Now()
		res, err := (&http.Client{Transport: transport}).Get(server.URL)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for err == nil {
			var k int
			k, err = res.Body.Read(buf)
			n += k
		}
		res.Body.Close()
		if n != size || err != io.EOF {
			b.Fatalf("%d bytes, want %d; %v", n, size, err)
		}
		return time.Since(start)
	}
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	runs := 0
	record := func(b *testing.B) time.Duration {
		name := filepath.Join(b.TempDir(), fmt.Sprint(runs))
		runs++
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		defer os.Remove(name)
		defer f.Close()
		rec, err := replay.NewRecorder(f, base)
		if err != nil {
			b.Fatal(err)
		}
		took := read(b, rec)
		if err := rec.Close(); err != nil {
			b.Fatal(err)
		}
		return took
	}
	b.Run("bare", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			read(b, base)
		}
	})
	b.Run("recording", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			record(b)
		}
	})
	b.Run("both", func(b *testing.B) {
		var bare, recording time.Duration
		for b.Loop() {
			bare += read(b, base)
			recording += record(b)
		}
		b.ReportMetric(100*bare.Seconds()/recording.Seconds(), "%ofbare")
		b.ReportMetric(float64(recording-bare)/float64(b.N*events), "ns/event")
	})
}
