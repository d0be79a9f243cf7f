package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress is a line on the terminal that is written again and again. On anything
// but a terminal it is nothing.
type progress struct {
	sync.Mutex // guards what the line is about
	w          *os.File
}

func newProgress(w io.Writer) *progress { return &progress{w: terminal(w)} }

// terminal returns the terminal that w writes to, nil if it is something else.
func terminal(w io.Writer) *os.File {
	if r, ok := w.(*result); ok {
		w = r.w
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// tick shows what line returns, ten times a second until stop is called, which
// takes it away. line is called with the lock held.
func (p *progress) tick(line func() string) (stop func()) {
	if p.w == nil {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			p.Lock()
			text := line()
			p.Unlock()
			fmt.Fprintf(p.w, "\r%s\x1b[K", p.cut(text))
			select {
			case <-ticker.C:
			case <-done:
				fmt.Fprint(p.w, "\r\x1b[K")
				return
			}
		}
	}()
	return func() { close(done); <-gone }
}

// cut cuts text to the terminal's width: a line that wraps cannot be overwritten.
func (p *progress) cut(text string) string {
	if width, _, err := term.GetSize(int(p.w.Fd())); err == nil && width > 0 && len(text) >= width {
		text = text[:width-1]
	}
	return text
}

// count is a number of things: 1 event, 2 events.
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// seconds rounds to what a person wants to know.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
