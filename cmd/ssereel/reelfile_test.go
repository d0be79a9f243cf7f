package main

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// slowFile gives way to other goroutines in front of each write, as a disk does.
type slowFile struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (f *slowFile) Write(p []byte) (int, error) {
	runtime.Gosched()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.b.Write(p)
}

// What is written while the file begins is neither lost nor in front of what was kept.
func TestReelFileBeginsWhileWritten(t *testing.T) {
	want := "reel 1\n"
	for i := range 20 {
		want += fmt.Sprintf("# %d\n", i)
	}
	for range 1000 {
		var file slowFile
		r := &reelFile{name: "my.reel", out: &file}
		r.Write([]byte("reel 1\n"))
		var writing sync.WaitGroup
		started := make(chan struct{})
		writing.Go(func() {
			for i := range 20 {
				if i == 1 {
					close(started)
				}
				fmt.Fprintf(r, "# %d\n", i)
			}
		})
		<-started
		if err := r.begin(); err != nil {
			t.Fatal(err)
		}
		writing.Wait()
		if got := file.b.String(); got != want {
			t.Fatalf("written:\n%swant:\n%s", got, want)
		}
	}
}
