package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/status"
)

const storyID = "7f40274dfed01705d5f649ed0b9d9fce"

// assemblyServer is a server of one Assembly. Its Status is what status returns of
// the n-th request for it, with the URLs of the Assembly in place of URLS.
func assemblyServer(t *testing.T, status func(n int) string, updates func(stream)) *httptest.Server {
	t.Helper()
	var n atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/assemblies/"+storyID, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		urls := fmt.Sprintf(`"assembly_id":%q,"assembly_ssl_url":"%s/assemblies/%[1]s","update_stream_url":"%[2]s/ws20219?assembly=%[1]s"`, storyID, "http://"+req.Host)
		io.WriteString(w, strings.ReplaceAll(status(int(n.Add(1))), "URLS", urls))
	})
	mux.HandleFunc("/ws20219", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		updates(stream{t, w, req})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// of returns each of the given Statuses in turn, and then the last one again.
func of(statuses ...string) func(n int) string {
	return func(n int) string { return statuses[min(n, len(statuses))-1] }
}

const (
	storyExecuting = `{"ok":"ASSEMBLY_EXECUTING",URLS}`
	storyCompleted = `{"ok":"ASSEMBLY_COMPLETED",URLS,"results":{"a":[{"id":"1"}]}}`
	storyFailed    = `{"error":"INTERNAL_COMMAND_ERROR",URLS}`
	storyUpdates   = "id: " + storyID + "\n\nevent: assembly_execution_progress\ndata: {\"progress_combined\":50}\n\n"
)

// An Assembly, given by its Status or its stream: the story is in the reel, and its
// end in the result.
func TestRecordAssembly(t *testing.T) {
	const status = "GET /assemblies/" + storyID
	const updates = "GET /ws20219?assembly=" + storyID
	tests := []struct {
		name      string
		path      string
		statuses  []string
		sent      string
		result    string
		states    []string // on standard error
		exchanges []string
	}{
		{"completed", "/assemblies/" + storyID, []string{storyExecuting, storyCompleted}, storyUpdates + "data: assembly_finished\n\n",
			"2 events, 2 Statuses, ASSEMBLY_COMPLETED", []string{"ASSEMBLY_EXECUTING", "ASSEMBLY_COMPLETED"}, []string{status, updates, status}},
		{"failed", "/assemblies/" + storyID, []string{storyExecuting, storyFailed}, storyUpdates + "event: assembly_error\ndata: {\"error\":\"INTERNAL_COMMAND_ERROR\"}\n\n",
			"2 events, 2 Statuses, failed with INTERNAL_COMMAND_ERROR", []string{"ASSEMBLY_EXECUTING", "failed with INTERNAL_COMMAND_ERROR"}, []string{status, updates, status}},
		{"ended before", "/assemblies/" + storyID, []string{storyCompleted}, "", "0 events, 1 Status, ASSEMBLY_COMPLETED", []string{"ASSEMBLY_COMPLETED"}, []string{status}},
		{"its stream", "/ws20219?assembly=" + storyID, []string{storyCompleted}, storyUpdates + "data: assembly_finished\n\n",
			"2 events, 1 Status, ASSEMBLY_COMPLETED", []string{"ASSEMBLY_COMPLETED"}, []string{updates, status}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := assemblyServer(t, of(tt.statuses...), func(s stream) { s.send(tt.sent) })
			name := filepath.Join(t.TempDir(), "my.reel")
			o := ssereel(t, "record", "-o", name, "-H", "X-Api-Key: s3cr3t", server.URL+tt.path)
			what, end, _ := cutLast(tt.result, ", ")
			o.wantSummary(t, name, what, `\d+ bytes`, ", "+end)
			if o.status != 0 {
				t.Errorf("exit status %d", o.status)
			}
			var states []string
			for line := range strings.Lines(o.stderr) {
				_, state, _ := strings.Cut(strings.TrimSpace(line), " s: ")
				states = append(states, state)
			}
			if got := strings.Join(states, ", "); !strings.HasSuffix(got, strings.Join(tt.states, ", ")) || len(states) > len(tt.states)+1 {
				t.Errorf("stderr tells %q, want %q", got, tt.states)
			}
			wantWhole(t, name)
			var got []string
			for _, x := range open(t, name).Exchanges() {
				got = append(got, x.Method+" "+strings.TrimPrefix(x.URL, server.URL))
				if x.RequestHeader.Get("X-Api-Key") != replay.Redacted {
					t.Errorf("exchange %d went with the header %q", x.Number, x.RequestHeader["X-Api-Key"])
				}
			}
			if strings.Join(got, " ") != strings.Join(tt.exchanges, " ") {
				t.Errorf("recorded %q, want %q", got, tt.exchanges)
			}
			if strings.Contains(read(t, name), "s3cr3t") {
				t.Error("a credential is in the reel")
			}
		})
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	return s[:i], s[i+len(sep):], i >= 0
}

// Ctrl-C and the timeout: what came is in a whole reel.
func TestRecordAssemblyCutShort(t *testing.T) {
	t.Run("Ctrl-C", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "my.reel")
		server := assemblyServer(t, of(storyExecuting), func(s stream) { s.send(storyUpdates); s.hang() })
		r := begin(t, nil, "record", "-o", name, server.URL+"/assemblies/"+storyID)
		awaitReads(t, name, 2)
		r.stop()
		o := outcome{r.wait(), r.stdout.String(), r.stderr.String()}
		o.wantSummary(t, name, "1 event, 1 Status", `\d+ bytes`, ", ASSEMBLY_EXECUTING, stopped")
		if wantWhole(t, name); o.status != 0 {
			t.Errorf("exit status %d", o.status)
		}
	})
	t.Run("timeout", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "my.reel")
		server := assemblyServer(t, of(storyExecuting), func(s stream) { s.send(storyUpdates); s.hang() })
		o := ssereel(t, "record", "-o", name, "--timeout", "500ms", server.URL+"/assemblies/"+storyID)
		o.wantSummary(t, name, "1 event, 1 Status", `\d+ bytes`, ", ASSEMBLY_EXECUTING, timed out")
		if o.status != 1 || !strings.Contains(o.stderr, "the timeout of 500ms") || strings.Contains(o.stderr, "context") {
			t.Errorf("%+v", o)
		}
		wantWhole(t, name)
		rec := open(t, name)
		if x := rec.Exchanges()[1]; x.End != replay.EndTimeout {
			t.Errorf("the stream ended with %q", x.End)
		}
		if c := rec.Comments(); len(c) != 1 || !strings.Contains(c[0], "timeout of 500ms") {
			t.Errorf("comments: %q", c)
		}
	})
	t.Run("timeout of any stream", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "my.reel")
		server := serveStream(t, func(s stream) { s.send("data: a\n\n"); s.hang() })
		o := ssereel(t, "record", "-o", name, "--timeout", "300ms", server.URL)
		o.wantSummary(t, name, "1 event", "9 bytes", ", timed out")
		if wantWhole(t, name); o.status != 1 {
			t.Errorf("%+v", o)
		}
	})
	t.Run("timeout before there is an answer", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		server := serveStream(t, func(s stream) { s.hang() })
		ssereel(t, "record", "-o", filepath.Join(dir, "my.reel"), "--timeout", "100ms", server.URL).wantLine(t, 1, "100ms", "nothing was recorded")
		wantFiles(t, dir)
	})
	t.Run("gone in the middle", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "my.reel")
		server := assemblyServer(t, of(storyExecuting, "{\"error\":\"ASSEMBLY_NOT_FOUND\",\"message\":\"gone \\u001b[2J\"}"), func(s stream) {})
		o := ssereel(t, "record", "-o", name, server.URL+"/assemblies/"+storyID)
		o.wantSummary(t, name, "0 events, 1 Status", `\d+ bytes`, ", ASSEMBLY_EXECUTING, incomplete")
		if o.status != 1 || !strings.Contains(o.stderr, "ASSEMBLY_NOT_FOUND") || strings.Contains(o.stderr, "\x1b") {
			t.Errorf("%+v", o)
		}
		wantWhole(t, name)
	})
}

// JSON that cannot be recorded as a story: one line that says so, and no file.
func TestRecordOtherJSON(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		tells  []string
	}{
		{"an object", 200, `{"a":1}`, []string{"neither an Assembly Status nor a Scenario job"}},
		{"an array", 200, `[]`, []string{"application/json", "no Assembly Status"}},
		{"an error", 500, `{"error":"x","message":"y"}`, []string{"answered 500 x: y: check the URL, or try again later"}},
		{"no Assembly", 404, `{"error":"ASSEMBLY_NOT_FOUND","http_code":404,"message":"There is none."}`, []string{"404", "ASSEMBLY_NOT_FOUND", "There is none."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer server.Close()
			dir := t.TempDir()
			ssereel(t, "record", "-o", filepath.Join(dir, "my.reel"), server.URL).wantLine(t, 1, tt.tells...)
			wantFiles(t, dir)
		})
	}
}

// A job of Scenario is asked for with the credentials of the environment, and the
// reel has none of them. Nobody else gets them.
func TestRecordJob(t *testing.T) {
	const unset = "\x00"
	tests := []struct {
		name        string
		key, secret string
		path        string
		args        []string
		want        string // Authorization, as user:password
		tells       []string
	}{
		{"credentials", "key-s3cr3t", "secret-s3cr3t", "/v1/jobs/job_1", nil, "key-s3cr3t:secret-s3cr3t", nil},
		{"wrong credentials", "key-s3cr3t", "wrong", "/v1/jobs/job_1", nil, "key-s3cr3t:wrong", []string{"401", "SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "check"}},
		{"none", "", "", "/v1/jobs/job_1", nil, unset, []string{"401", "SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"}},
		{"one of two", "key-s3cr3t", "", "/v1/jobs/job_1", nil, unset, []string{"401", "SCENARIO_SDK_API_SECRET"}},
		{"not for a job", "key-s3cr3t", "secret-s3cr3t", "/assemblies/1", nil, unset, []string{"401"}},
		{"with a header of one's own", "key", "secret", "/v1/jobs/job_1", []string{"-H", "Authorization: Basic a2V5LXMzY3IzdDpzZWNyZXQtczNjcjN0"}, "key-s3cr3t:secret-s3cr3t", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("SCENARIO_SDK_API_KEY", tt.key)
			t.Setenv("SCENARIO_SDK_API_SECRET", tt.secret)
			n := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				user, password, ok := req.BasicAuth()
				if got := user + ":" + password; ok && got != tt.want || !ok && tt.want != unset {
					t.Errorf("the server got %q, want %q", got, tt.want)
				}
				w.Header().Set("Content-Type", "application/json")
				if user != "key-s3cr3t" || password != "secret-s3cr3t" {
					w.WriteHeader(401)
					io.WriteString(w, `{"error":"Unauthorized"}`)
					return
				}
				n++
				fmt.Fprintf(w, `{"job":{"jobId":"job_1","jobType":"detection","status":%q,"progress":%d},"headers":{"authorization":%q},"as":%q}`,
					[]string{"in-progress", "success"}[n-1], n-1, req.Header.Get("Authorization"), user+" "+password)
			}))
			defer server.Close()
			name := filepath.Join(t.TempDir(), "my.reel")
			o := ssereel(t, append([]string{"record", "-o", name, server.URL + tt.path}, tt.args...)...)
			if tt.tells != nil {
				o.wantLine(t, 1, tt.tells...)
				return
			}
			o.wantSummary(t, name, "2 Statuses", `\d+ bytes`, ", success")
			if wantWhole(t, name); o.status != 0 || !regexp.MustCompile(`^\d+\.\d s: in-progress\n\d+\.\d s: success\n$`).MatchString(o.stderr) {
				t.Errorf("%+v", o)
			}
			if tt.args != nil {
				return // what the server repeats of that stays
			}
			if strings.Contains(read(t, name), "s3cr3t") || strings.Contains(read(t, name), "czNjcjN0") {
				t.Error("a credential is in the reel")
			}
		})
	}
}

// Who gets Scenario's credentials.
func TestWantsScenarioKey(t *testing.T) {
	for url, want := range map[string]bool{
		"https://api.cloud.scenario.com/v1/jobs/job_1":         true,
		"https://API.cloud.Scenario.com/v1/generate/detect":    true,
		"http://api.cloud.scenario.com/v1/jobs/job_1":          false,
		"https://scenario.com.example.com/v1/jobs/job_1":       false,
		"https://notscenario.com/v1/jobs/job_1":                false,
		"https://api2.transloadit.com/v1/jobs/job_1":           false,
		"http://127.0.0.1:8080/v1/jobs/job_1":                  true,
		"http://[::1]:8080/v1/jobs/job_1":                      true,
		"http://localhost:8080/v1/jobs/job_1":                  true,
		"http://localhost.example.com/v1/jobs/job_1":           false,
		"http://127.0.0.1:8080/assemblies/1":                   false,
		"https://me:mine@api.cloud.scenario.com/v1/jobs/job_1": false,
	} {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := wantsScenarioKey(req); got != want {
			t.Errorf("%s: %t, want %t", url, got, want)
		}
	}
}

// Elsewhere than on a terminal there is a line for each state, once there is one: a stream
// begins with an id alone.
func TestStoryLinePlain(t *testing.T) {
	var b bytes.Buffer
	l := newStoryLine(&b, "api.example.com")
	tracker := new(status.Tracker)
	for _, state := range []status.State{"", status.AssemblyExecuting, status.AssemblyExecuting, status.AssemblyCompleted} {
		tracker.Status(&status.Assembly{ID: storyID, State: state})
		l.tell(replay.Progress{Document: tracker})
	}
	if got := b.String(); !regexp.MustCompile(`^\d\.\d s: ASSEMBLY_EXECUTING\n\d\.\d s: ASSEMBLY_COMPLETED\n$`).MatchString(got) {
		t.Errorf("it tells %q", got)
	}
}

// The line of a terminal, from wide to narrow.
func TestStoryLine(t *testing.T) {
	l := storyLine{told: true, job: true, state: "ASSEMBLY_UPLOADING", full: 0.45, received: 3_210_000, expected: 7_100_000, uploads: 1}
	tests := []struct {
		width int
		want  string // a pattern
	}{
		{140, `ASSEMBLY_UPLOADING  \[#{13}-{17}\]   45 %  \d\.\d s  3\.2 MB of 7\.1 MB  1 upload, 0 results  Ctrl-C ends the recording`},
		{100, `ASSEMBLY_UPLOADING  \[#{10}-{14}\]   45 %  \d\.\d s  3\.2 MB of 7\.1 MB  1 upload, 0 results`},
		{80, `ASSEMBLY_UPLOADING  \[#{11}-{14}\]   45 %  \d\.\d s  3\.2 MB of 7\.1 MB`},
		{50, `ASSEMBLY_UPLOADING  \[#{5}-{8}\]   45 %  \d\.\d s`},
		{40, `ASSEMBLY_UPLOADING  \[#{4}-{6}\]   45 %`},
		{35, `ASSEMBLY_UPLOADING  \[#{5}-{7}\]`},
		{20, `ASSEMBLY_UPLOADING`},
		{1, `ASSEMBLY_UPLOADING`},
	}
	for _, tt := range tests {
		l.start = time.Now()
		if got := l.text(tt.width); !regexp.MustCompile("^" + tt.want + "$").MatchString(got) {
			t.Errorf("at %d:\n got %q\nwant %q", tt.width, got, tt.want)
		}
	}
}
