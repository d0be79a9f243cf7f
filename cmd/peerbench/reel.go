package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// reelResult is what a large reel costs: medians over the rounds.
type reelResult struct {
	Table    string  `json:"table"`
	Bytes    int64   `json:"bytes"`
	Pieces   int     `json:"pieces"`
	ReadMBps float64 `json:"read_mb_per_second"` // of the file, by os.File.Read alone
	OpenMBps float64 `json:"open_mb_per_second"`
	PlayMBps float64 `json:"play_mb_per_second"` // of the body, as fast as the client takes it
	IndexMB  float64 `json:"index_mb"`           // heap in use with the reel open
	MB       float64 `json:"mb"`                 // resident memory of the server before it plays
	PeakMB   float64 `json:"peak_mb"`            // and at most, when it has
}

// measureReel writes a reel of at least size bytes, opens it and plays it.
func measureReel(size int64, rounds int) (r reelResult, err error) {
	file, err := os.CreateTemp("", "peerbench-*.reel")
	if err != nil {
		return r, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	s := serving{Kind: recording, Gap: time.Millisecond}
	r.Table, r.Pieces = "reel", int(size/int64(len("= 1 +0.001 203\n|")+len(piece)+len("|")))
	s.Counts = []int{r.Pieces}
	if err := s.record(file); err != nil {
		return r, err
	}
	info, err := file.Stat()
	if err != nil {
		return r, err
	}
	r.Bytes = info.Size()
	mb := float64(r.Bytes) / 1e6
	var reads, opens, index []float64
	s = serving{Kind: reelFile, Counts: s.Counts, Reel: file.Name()}
	for range rounds {
		start := time.Now()
		if err := readAll(file); err != nil {
			return r, err
		}
		reads = append(reads, mb/time.Since(start).Seconds())
		srv, err := s.start(1)
		if err != nil {
			return r, err
		}
		st, err := srv.stats()
		srv.stop()
		if err != nil {
			return r, err
		}
		opens = append(opens, mb/st.Ready.Seconds())
		index = append(index, float64(st.Heap)/1e6)
	}
	r.ReadMBps, r.OpenMBps, r.IndexMB = median(reads), median(opens), median(index)
	srv, err := s.start(1)
	if err != nil {
		return r, err
	}
	defer srv.stop()
	before, err := srv.stats()
	if err != nil {
		return r, err
	}
	start := time.Now()
	n, err := srv.stream(r.Pieces)
	took := time.Since(start)
	if err != nil {
		return r, err
	}
	if n != r.Pieces {
		return r, fmt.Errorf("reel: %d pieces came, want %d", n, r.Pieces)
	}
	after, err := srv.stats()
	r.PlayMBps = float64(r.Pieces*len(piece)) / 1e6 / took.Seconds()
	r.MB, r.PeakMB = float64(before.Resident)/1e6, float64(after.Peak)/1e6
	return r, err
}

func readAll(file *os.File) error {
	_, err := file.Seek(0, io.SeekStart)
	for buf := make([]byte, 64<<10); err == nil; {
		_, err = file.Read(buf)
	}
	if err == io.EOF {
		return nil
	}
	return err
}

func printReel(w io.Writer, r reelResult) {
	fmt.Fprintf(w, "reel: %d bytes, %d pieces\n", r.Bytes, r.Pieces)
	fmt.Fprintf(w, "  reading the file  %6.0f MB/s\n", r.ReadMBps)
	fmt.Fprintf(w, "  opening the reel  %6.0f MB/s, the index takes %.1f MB\n", r.OpenMBps, r.IndexMB)
	fmt.Fprintf(w, "  playing it        %6.0f MB/s of body, in %.1f MB of memory, %.1f MB at most\n\n", r.PlayMBps, r.MB, r.PeakMB)
}
