package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

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

// columns returns how wide a terminal is.
func columns(f *os.File) int {
	width, _, _ := term.GetSize(int(f.Fd()))
	if width <= 0 {
		width = 80
	}
	return width
}

// shortened returns as much of text as fits into that many columns.
func shortened(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}

// tick shows what line returns for a terminal of that width, ten times a second until
// stop is called, which takes it away. line is called with the lock held.
func (p *progress) tick(line func(width int) string) (stop func()) {
	if p.w == nil {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			width, _, err := term.GetSize(int(p.w.Fd()))
			if err != nil || width <= 0 {
				width = 80
			}
			p.Lock()
			text := []rune(line(width))
			p.Unlock()
			// A line that wraps cannot be overwritten.
			fmt.Fprintf(p.w, "\r%s\x1b[K", string(text[:min(len(text), width-1)]))
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

// bar returns parts of a line, and behind the first a bar that is full to that part of
// 1, or no bar where that is below 0. What does not fit the width is left out: parts from
// the last on, and the bar where only one part is left.
func bar(width int, full float64, parts ...string) string {
	const least, most, frame = 10, 30, len("  []")
	text := parts[0]
	left := width - 1 - len(text)
	if full >= 0 {
		left -= least + frame
	}
	n := 1
	for n < len(parts) && len(parts[n])+2 <= left {
		left -= len(parts[n]) + 2
		n++
	}
	if full >= 0 && left >= 0 {
		size := min(least+left, most)
		done := int(min(1, full) * float64(size))
		text += "  [" + strings.Repeat("#", done) + strings.Repeat("-", size-done) + "]"
	}
	for _, part := range parts[1:n] {
		text += "  " + part
	}
	return text
}

// printable replaces what a terminal might take for commands, or for the direction of what
// is behind it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if isCommand(r) {
			return '\ufffd'
		}
		return r
	}, s)
}

// printableLines is printable for what may have several lines.
func printableLines(s string) string {
	return strings.Map(func(r rune) rune {
		if isCommand(r) && r != '\n' {
			return '\ufffd'
		}
		return r
	}, s)
}

// jsonWriter returns a Writer for JSON that goes to w, and in the end to out. On a terminal
// it escapes what that might take for commands, as JSON may have it. A Write takes whole
// characters.
func jsonWriter(w, out io.Writer) io.Writer {
	if terminal(out) == nil {
		return w
	}
	return jsonEscaper{w}
}

type jsonEscaper struct{ w io.Writer }

func (e jsonEscaper) Write(p []byte) (int, error) {
	isEscaped := func(r rune) bool { return isCommand(r) && r > ' ' } // those below are escaped, or white space
	if bytes.ContainsFunc(p, isEscaped) {
		var b []byte
		for _, r := range string(p) {
			if isEscaped(r) {
				b = fmt.Appendf(b, `\u%04x`, r)
			} else {
				b = utf8.AppendRune(b, r)
			}
		}
		if _, err := e.w.Write(b); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	return e.w.Write(p)
}

func isCommand(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// count is a number of things: 1 event, 2 events, 2 Statuses.
func count(n int64, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "s"):
		thing += "e"
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// amount is a number of bytes for a person.
func amount(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/1000, 0
	for ; f >= 999.95; i++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %cB", f, units[i])
}

// seconds rounds to what a person wants to know.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// inSeconds is d for a program. Its method Seconds rounds twice, so that 4.262 s may be
// 4.2620000000000005.
func inSeconds(d time.Duration) float64 { return float64(d) / 1e9 }
