package main

import (
	"io"
	"regexp"
	"strings"
	"testing"
)

// Whoever asks for a fault that cannot happen is told so at once.
func TestReplayIdleFaults(t *testing.T) {
	const document = "reel 1\n> 1 +0 GET /status\n< 1 +0 200\n< 1 content-type: application/json\n= 1 +0\n|{}\n. 1 +0 eof\n"
	encoded := strings.Replace(paced, "< 1 content-type", "< 1 content-encoding: gzip\n< 1 content-type", 1)
	for _, tt := range []struct {
		name, reel, fault, tells string
	}{
		{"the last event", paced, "cut@event=2", ""},
		{"behind the last event", paced, "cut@event=3", "ssereel replay: cut@event=3 will not happen: no event stream of the recording has that event\n"},
		{"the end", paced, "cut=eof@byte=25", ""},
		{"behind the end", paced, "stall=1s@byte=26", "ssereel replay: stall=1s@byte=26 will not happen: no event stream of the recording has that byte\n"},
		{"the last byte", paced, "corrupt@byte=24", ""},
		{"no byte to change", paced, "corrupt@byte=25", "ssereel replay: corrupt@byte=25 will not happen: no event stream of the recording has that byte\n"},
		{"no byte of an event", paced, "drop@byte=25", "ssereel replay: drop@byte=25 will not happen: no event stream of the recording has that byte\n"},
		{"two events to change", paced, "reorder@event=1", ""},
		{"one event to change", paced, "reorder@event=2", "ssereel replay: reorder@event=2 will not happen: no event stream of the recording has an event behind that one\n"},
		{"encoded", encoded, "cut@event=3", "ssereel replay: cut@event=3 will not happen: no event stream of the recording has that event, and none is found where there is a Content-Encoding\n"},
		{"a moment, which depends on the speed", paced, "cut@time=1h", ""},
		{"drawn", paced, "drop", ""},
		{"no place", paced, "refuse=503", ""},
		{"no event stream", document, "refuse=503", "ssereel replay: no fault will happen: faults concern event streams, and the recording has none\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := begin(t, nil, "replay", "--fault", tt.fault, write(t, tt.reel))
			listening(t, r)
			if got := r.stderr.String(); got != tt.tells {
				t.Errorf("it says %q, want %q", got, tt.tells)
			}
			r.stop()
			r.wait()
		})
	}
}

// Whoever watches is told which fault has happened, and to whom, with the place that was
// drawn for it.
func TestReplayTellsFaults(t *testing.T) {
	for _, tt := range []struct {
		fault, told, plays string
	}{
		{"cut@event=2", "cut@event=2", "id: 1\n\ndata: a\n\n"},
		{"cut", "cut@byte=17", "id: 1\n\ndata: a\n\nd"},
		{"stall=10ms@event=1", "stall=10ms@event=1", "id: 1\n\ndata: a\n\ndata: b\n\n"},
		{"refuse=503x1", "refuse=503x1", "503 Service Unavailable\n"},
		{"cut@event=3", "", "id: 1\n\ndata: a\n\ndata: b\n\n"},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			r := begin(t, nil, "replay", "--speed", "max", "--fault", tt.fault, "--seed", "1", write(t, paced))
			resp := get(t, listening(t, r)+"/ws20219?assembly=1&token=private", nil)
			if body, _ := io.ReadAll(resp.Body); string(body) != tt.plays {
				t.Errorf("played %q, want %q", body, tt.plays)
			}
			r.stop()
			r.wait()
			want := ""
			if tt.told != "" {
				want = "GET /ws20219?: fault " + tt.told + " in exchange 1"
			}
			told := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d (.*fault.*)$`).FindStringSubmatch(r.stderr.String())
			if len(told) == 0 && want != "" || len(told) > 0 && told[1] != want {
				t.Errorf("it says %q, want %q", r.stderr.String(), want)
			}
		})
	}
}
