package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Whoever watches sees what each request got, and why a client that asks for more gets none.
func TestReplayTellsAnswers(t *testing.T) {
	const stream, other = "/ws20219", "/elsewhere"
	for _, tt := range []struct {
		name, method, path, lastID string
		told                       string
	}{
		{"an exchange", "GET", stream, "", "GET /ws20219: 200 OK, exchange 1, recorded with 25 bytes in 0.3 s"},
		{"what comes after an event", "GET", stream, "0", "GET /ws20219: 200 OK, exchange 1, recorded with 25 bytes in 0.3 s; asked for what comes after the event ID 0"},
		{"nothing that was recorded", "GET", other, "", "GET /elsewhere: 404 Not Found"},
		{"with a header that says nothing there", "GET", other, "1", "GET /elsewhere: 404 Not Found"},
		{"terminal commands", "GET", stream, "\x1b[31m", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := begin(t, nil, "replay", "--speed", "max", write(t, paced))
			req, err := http.NewRequest(tt.method, listening(t, r)+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.lastID != "" {
				req.Header.Set("Last-Event-ID", tt.lastID)
			}
			if resp, err := http.DefaultClient.Do(req); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			r.stop()
			r.wait()
			told := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d (.*)$`).FindStringSubmatch(r.stderr.String())
			if got := strings.Join(told[min(len(told), 1):], ""); got != tt.told {
				t.Errorf("it says %q, want %q", r.stderr.String(), tt.told)
			}
		})
	}
}

// An Assembly's answers are made of several exchanges.
func TestReplayTellsAssembly(t *testing.T) {
	r := begin(t, nil, "replay", "--speed", "max", write(t, assembly(t)))
	at := listening(t, r)
	_, id, _ := strings.Cut(only(t, write(t, assembly(t))).URL, "?assembly=")
	status := "/assemblies/" + id
	for range 4 {
		get(t, at+status, nil).Body.Close()
	}
	req, err := http.NewRequest("DELETE", at+status, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	r.stop()
	r.wait()
	said := r.stderr.String()
	for _, want := range []string{
		"GET " + status + ": 200 OK, made of what was recorded\n",
		"GET " + status + ": 429 Too Many Requests, made of what was recorded\n",
		"DELETE " + status + ": 200 OK, made of what was recorded\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it says %q, want %q", said, want)
		}
	}
}
