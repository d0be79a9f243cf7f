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
		name, reel string
		fault      string // and what follows
		tells      string
	}{
		{"the last event", paced, "cut@event=2", ""},
		{"behind the last event", paced, "cut@event=3", "ssereel replay: cut@event=3 will not happen: no event stream of the recording has that event\n"},
		{"the end", paced, "cut=eof@byte=25", ""},
		{"behind the end", paced, "stall=1s@byte=26", "ssereel replay: stall=1s@byte=26 will not happen: no event stream of the recording has that byte\n"},
		{"the last byte", paced, "corrupt@byte=24", ""},
		{"no byte to change", paced, "corrupt@byte=25", "ssereel replay: corrupt@byte=25 will not happen: no event stream of the recording has that byte\n"},
		{"no byte of an event", paced, "drop@byte=25", "ssereel replay: drop@byte=25 will not happen: no event stream of the recording has that byte\n"},
		{"two events to change", paced, "reorder@event=1", ""},
		{"one event to change", paced, "reorder@event=2", "ssereel replay: reorder@event=2 will not happen: no event stream of the recording has an event after that one\n"},
		{"encoded", encoded, "cut@event=3", "ssereel replay: cut@event=3 will not happen: no event stream of the recording has that event, and none is found where there is a Content-Encoding\n"},
		{"a moment at the end", paced, "cut@time=260ms", ""},
		{"a moment behind the end", paced, "cut@time=261ms", "ssereel replay: cut@time=261ms will not happen: no event stream of the recording lasts that long at this --speed\n"},
		{"a moment behind the end, for an event", paced, "drop@time=1h", "ssereel replay: drop@time=1h0m0s will not happen: no event stream of the recording lasts that long at this --speed\n"},
		{"a moment at half the speed", paced, "cut@time=520ms --speed 0.5", ""},
		{"a moment behind the end at half the speed", paced, "stall=1s@time=521ms --speed 0.5", "ssereel replay: stall=1s@time=521ms will not happen: no event stream of the recording lasts that long at this --speed\n"},
		{"a moment at the greatest speed", paced, "cut@time=1ms --speed max", "ssereel replay: cut@time=1ms will not happen: no event stream of the recording lasts that long at this --speed\n"},
		{"the first moment at the greatest speed", paced, "cut@time=0s --speed max", ""},
		{"a moment behind a stall", paced, "stall=1h@event=1 --fault cut@time=1h", ""},
		{"a moment in front of a stall", paced, "cut@time=1h --fault stall=1h@event=1", "ssereel replay: cut@time=1h0m0s will not happen: no event stream of the recording lasts that long at this --speed\n"},
		{"a moment of silence for good", paced, "cut=timeout@event=1 --fault cut@time=1h", ""},
		{"a moment of what came to no end", strings.Replace(paced, "eof", "timeout", 1), "cut@time=1h", ""},
		{"a moment of what was cut off", paced[:strings.Index(paced, ". 1")], "cut@time=1h", "ssereel replay: cut@time=1h0m0s will not happen: no event stream of the recording lasts that long at this --speed\n"},
		{"drawn", paced, "drop", ""},
		{"no place", paced, "refuse=503", ""},
		{"no event stream", document, "refuse=503", "ssereel replay: no fault will happen: faults concern event streams, and the recording has none\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"replay", "--fault"}, strings.Fields(tt.fault)...)
			r := begin(t, nil, append(args, write(t, tt.reel))...)
			listening(t, r)
			got := r.stderr.String()
			if _, rest, ok := strings.Cut(got, "; serving what is good\n"); ok {
				got = rest
			}
			if got != tt.tells {
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
				want = "GET /ws20219?…: fault " + tt.told + " in exchange 1"
			}
			told := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d (.*fault.*)$`).FindStringSubmatch(r.stderr.String())
			if len(told) == 0 && want != "" || len(told) > 0 && told[1] != want {
				t.Errorf("it says %q, want %q", r.stderr.String(), want)
			}
		})
	}
}
