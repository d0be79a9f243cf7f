package replay

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func mustLoad(t testing.TB, text string) *Recording {
	t.Helper()
	rec, err := Load(strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// Whose updates a stream has is in its URL, or else what its first block sets.
func TestStreamOf(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	const other = "fedcba9876543210fedcba9876543210"
	for _, c := range []struct {
		name, target string
		reads        []string // one line each
		want         string
	}{
		{"the query", "/ws?assembly=" + id, nil, id},
		{"the query, behind another parameter", "/ws?x=1&assembly=" + id, nil, id},
		{"the query, with an id of another form", "/ws?assembly=my-assembly", nil, "my-assembly"},
		{"the query, with what is no id", "/ws?assembly=a/b", nil, ""},
		{"the query, behind a parameter without a value", "/ws?live&assembly=" + id, nil, id},
		{"the query without an id, and the block", "/ws?assembly=", []string{"|id: " + id, "|"}, id},
		{"the query, with an id as long as may be", "/ws?assembly=" + strings.Repeat("a", 128), nil, strings.Repeat("a", 128)},
		{"the query, with what is too long for an id", "/ws?assembly=" + strings.Repeat("a", 129), nil, ""},
		{"the query before the block", "/ws?assembly=" + id, []string{"|id: " + other, "|"}, id},
		{"the path", "/assemblies/" + id + "/stream", nil, id},
		{"the first block", "/s", []string{"|id: " + id, "|"}, id},
		{"the first block, in parts", "/s", []string{`\id`, `\: ` + id[:9], "|" + id[9:], "|"}, id},
		{"the first block, in more parts", "/s", []string{`\i`, `\d`, `\:`, `\ `, "|" + id, "|"}, ""},
		{"the first block, an id of another form", "/s", []string{"|id: 7", "|"}, ""},
		{"an id in capitals", "/s", []string{"|id: " + strings.ToUpper(id), "|"}, ""},
		{"an id that is too short", "/s", []string{"|id: " + id[1:], "|"}, ""},
		{"an id with another letter", "/s", []string{"|id: " + id[1:] + "g", "|"}, ""},
		{"an id with a hyphen", "/s", []string{"|id: " + id[1:] + "-", "|"}, ""},
		{"an id with a colon", "/s", []string{"|id: " + id[1:] + ":", "|"}, ""},
		{"no id", "/s", []string{"|data: " + id, "|"}, ""},
		{"nothing", "/s", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "reel 1\n> 1 +0 GET https://api2.example.com" + c.target + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n"
			for _, read := range c.reads {
				text += "= 1 +1\n" + read + "\n"
			}
			if got := streamOf(mustLoad(t, text+". 1 +0 eof\n").exchanges[0]); got != c.want {
				t.Errorf("it is %q, want %q", got, c.want)
			}
		})
	}
}

// What tells of a job is a document of it, where one is asked for or started.
func TestToldBy(t *testing.T) {
	for _, c := range []struct {
		name, request, header, body string
		want                        string
		isJob                       bool
	}{
		{"a start", "POST /assemblies", "", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1"}`, "a1", false},
		{"a Status", "GET /assemblies/a1", "", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1"}`, "a1", false},
		{"a failure of the Assembly", "GET /assemblies/a1", "", `{"error":"INTERNAL_COMMAND_ERROR","assembly_id":"a1"}`, "a1", false},
		{"a refusal of the request", "GET /assemblies/a1", "", `{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","assembly_id":"a1"}`, "", false},
		{"a list of Assemblies", "GET /assemblies", "", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1"}`, "", false},
		{"another path", "GET /templates/a1", "", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1"}`, "", false},
		{"an id that is none", "GET /assemblies/a1", "", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a/1"}`, "", false},
		{"a path that is no id", "GET /assemblies/a%2F1", "", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1"}`, "", false},
		{"no JSON", "GET /assemblies/a1", "", `ASSEMBLY_UPLOADING`, "", false},
		{"a document in gzip", "GET /assemblies/a1", "< 1 content-encoding: gzip\n", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1"}`, "", false},
		{"a start of a job", "POST /v1/generate/detect", "", `{"job":{"jobId":"j1","status":"queued"}}`, "j1", true},
		{"a job", "GET /v1/jobs/j1", "", `{"job":{"jobId":"j1","status":"queued"}}`, "j1", true},
		{"a job whose id is none", "GET /v1/jobs/j1", "", `{"job":{"jobId":"j/1","status":"queued"}}`, "", false},
		{"no document of a job", "GET /v1/jobs/j1", "", `[]`, "", false},
		{"a job at another path", "GET /v1/models/j1", "", `{"job":{"jobId":"j1","status":"queued"}}`, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			method, path, _ := strings.Cut(c.request, " ")
			text := "reel 1\n> 1 +0 " + method + " https://api.example.com" + path + "\n< 1 +0 200\n" + c.header + "= 1 +0\n\\" + c.body + "\n. 1 +0 eof\n"
			if got, isJob := toldBy(mustLoad(t, text).exchanges[0]); got != c.want || isJob != c.isJob {
				t.Errorf("it is %q, %v, want %q, %v", got, isJob, c.want, c.isJob)
			}
		})
	}
}

// Clients may make up as many ids as they like: what is remembered of them has a bound.
func TestAliasesAreBounded(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	text := "reel 1\n> 1 +0 POST https://api2.example.com/assemblies\n< 1 +0 200\n= 1 +0\n\\{\"ok\":\"ASSEMBLY_UPLOADING\",\"assembly_id\":\"" + id + "\"}\n. 1 +0 eof\n"
	p := newPlayer(mustLoad(t, text), Playback{Speed: MaxSpeed})
	for i := range 2*maxAliases + 1 {
		path := fmt.Sprintf("/assemblies/%032d", i)
		p.story(httptest.NewRequest(http.MethodPost, path, nil), time.Now())
		if i%maxAliases > 1 && i < 2*maxAliases {
			continue
		}
		if perf := p.story(httptest.NewRequest(http.MethodGet, path, nil), time.Now()); perf == nil {
			t.Errorf("id %d is unknown", i)
		}
	}
	if n := len(p.aliases); n > maxAliases {
		t.Errorf("%d are remembered, want %d at most", n, maxAliases)
	}
}
