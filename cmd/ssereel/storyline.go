package main

import (
	"fmt"
	"io"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/status"
)

// storyLine shows how a story goes on: on a terminal with a line that is written again
// and again, elsewhere with a line for each state that a job is known to get into, and for
// each trouble.
type storyLine struct {
	*progress
	plain io.Writer // nil on a terminal
	start time.Time
	host  string // that has not answered yet

	// What there is to show.
	told     bool
	job      bool // or an Assembly, rather than any stream
	state    string
	full     float64 // of 1, below 0 if unknown
	received int64
	expected int64
	uploads  int
	results  int
	events   int64
	bytes    int64
	trouble  string
}

func newStoryLine(w io.Writer, host string) *storyLine {
	l := &storyLine{progress: newProgress(w), start: time.Now(), host: printable(host)}
	if l.w == nil {
		l.plain = w
	}
	return l
}

// tell takes in the story so far.
func (l *storyLine) tell(s replay.Progress) {
	l.Lock()
	defer l.Unlock()
	l.told, l.events, l.bytes = true, s.Events, s.Bytes
	if s.Document == nil {
		return
	}
	now := s.Document.Summary()
	state, trouble := outcomeOf(now), ""
	if s.Trouble != nil {
		trouble = plain(s.Trouble)
	}
	if l.plain != nil {
		took := seconds(time.Since(l.start))
		if known := now.State != "" || now.Phase != status.Unknown; known && state != l.state {
			fmt.Fprintf(l.plain, "%s: %s\n", took, state)
		}
		if trouble != l.trouble && trouble != "" {
			fmt.Fprintf(l.plain, "%s: %s\n", took, trouble)
		}
	}
	l.job, l.state, l.trouble = true, state, trouble
	l.full = -1
	if now.ProgressKnown {
		l.full = now.Progress
	}
	l.uploads, l.results = now.Uploads, 0
	for _, r := range now.Results {
		l.results += r.Count
	}
	l.received, l.expected = 0, 0
	if t, ok := s.Document.(*status.Tracker); ok && t.Assembly().State == status.AssemblyUploading {
		l.received, l.expected = t.Assembly().BytesReceived, t.Assembly().BytesExpected
	}
}

// text is the line for a terminal of that width.
func (l *storyLine) text(width int) string {
	took := time.Since(l.start)
	switch {
	case !l.told && took < time.Second/2:
		return ""
	case !l.told:
		return fmt.Sprintf("waiting for %s, %s   Ctrl-C gives up", l.host, seconds(took))
	case !l.job:
		return fmt.Sprintf("%s, %s, %s   Ctrl-C ends the recording", count(l.events, "event"), count(l.bytes, "byte"), seconds(took))
	}
	parts := []string{l.state}
	if l.full >= 0 {
		parts = append(parts, fmt.Sprintf("%3.0f %%", l.full*100))
	}
	parts = append(parts, seconds(took))
	if l.expected > 0 {
		parts = append(parts, amount(l.received)+" of "+amount(l.expected))
	}
	if l.uploads > 0 || l.results > 0 {
		parts = append(parts, count(int64(l.uploads), "upload")+", "+count(int64(l.results), "result"))
	}
	if l.trouble != "" {
		parts = append(parts, "no stream or no answer: asking again")
	} else {
		parts = append(parts, "Ctrl-C ends the recording")
	}
	return bar(width, l.full, parts...)
}
