package main

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// exchanged is an exchange as tests write it. What is left out is a GET that is answered
// with JSON and comes to its end.
type exchanged struct {
	request  string
	status   int // -1 for none
	header   http.Header
	typ      string
	body     string
	end      replay.End
	unended  bool
	nameless bool // without a content type
}

func (e exchanged) method() string {
	method, _, _ := strings.Cut(cmp.Or(e.request, "GET"), " ")
	return method
}

func (e exchanged) url() string {
	_, url, _ := strings.Cut(e.request, " ")
	return cmp.Or(url, "https://api2.example/x")
}

// reelWith returns a sealed reel with exchanges.
func reelWith(t *testing.T, exchanges ...exchanged) string {
	t.Helper()
	var b strings.Builder
	w, err := replay.NewWriter(&b, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range exchanges {
		at := time.Duration(i) * time.Second
		x, _ := w.Exchange(at, e.method(), e.url(), nil)
		if e.status != -1 {
			if e.status == 0 {
				e.status = 200
			}
			h := http.Header{}
			if e.header != nil {
				h = e.header.Clone()
			}
			if e.typ == "" {
				e.typ = "application/json; charset=utf-8"
			}
			if !e.nameless {
				h.Set("Content-Type", e.typ)
			}
			x.Response(at, e.status, h)
			if e.body != "" {
				// In two reads, because a body is more than one.
				x.ResponseBody(at, []byte(e.body[:len(e.body)/2]))
				x.ResponseBody(at, []byte(e.body[len(e.body)/2:]))
			}
		}
		if e.end == "" {
			e.end = replay.EndEOF
		}
		if !e.unended {
			x.End(at, e.end, nil)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// events is an exchange with an event stream.
func events(body string) exchanged {
	return exchanged{request: "GET /ws20219?assembly=1", typ: "text/event-stream", body: body}
}

func TestOperationName(t *testing.T) {
	tests := []struct{ name, method, url, want string }{
		{"an ID", "GET", "https://api2.example/assemblies/55a46ab12179453a8a20921a058b7546", "GET /assemblies/*"},
		{"another host", "GET", "http://127.0.0.1:8080/assemblies/7f40274dfed01705d5f649ed0b9d9fce", "GET /assemblies/*"},
		{"a path alone", "GET", "/assemblies/7f40274dfed01705d5f649ed0b9d9fce", "GET /assemblies/*"},
		{"a web server of streams", "GET", "https://api2.example/ws20219?assembly=55a", "GET /ws*?assembly"},
		{"what only begins like one", "GET", "/ws20219x", "GET /*"},
		{"what only begins like one, without a digit", "GET", "/wsx", "GET /wsx"},
		{"a version", "GET", "https://api.example/v1/jobs/job_abc1", "GET /v1/jobs/*"},
		{"a version of two numbers", "GET", "/v2.1/models", "GET /v2.1/models"},
		{"no version", "GET", "/v1x/models", "GET /*/models"},
		{"other methods", "POST", "/assemblies", "POST /assemblies"},
		{"a slash at the end", "POST", "/assemblies/", "POST /assemblies/"},
		{"the root", "GET", "https://api.example", "GET /"},
		{"the root with a query", "GET", "https://api.example?b=1&a=2", "GET /?a&b"},
		{"names of the query in any order, and again", "GET", "/x?c=1&a=2&c=3&b", "GET /x?a&b&c"},
		{"names in the query with escapes", "GET", "/x?%61=1&f%5B%5D=1&f[]=2", "GET /x?a&f%5B%5D"},
		{"an empty query", "GET", "/x?&=1", "GET /x"},
		{"a fragment", "GET", "/x#y", "GET /x"},
		{"an escape has digits that are none", "GET", "/a%20b/c", "GET /a%20b/c"},
		{"an escaped digit", "GET", "/a%31/c", "GET /*/c"},
		{"a URL that is none", "GET", "http://[/a 1/b c?d=1#e", "GET /*/b%20c?d"},
		{"a URL that is none, of a host", "GET", "http://a.example/p%zz", "GET /p%25zz"},
		{"a URL that is none, of another host", "GET", "https://localhost:port/p%zz", "GET /p%25zz"},
		{"a URL that is none, without a scheme", "GET", "//a.example/p%zz", "GET /p%25zz"},
		{"a URL that is none, without a path", "GET", "http://a%zz?b=1", "GET /?b"},
		{"a URL that is none and ends with its host", "GET", "http://a%zz", "GET /"},
		{"a path that is none, with two slashes in it", "GET", "/p%zz//c", "GET /p%25zz//c"},
		{"a path that is none, with a URL in it", "GET", "/p%zz/http://c/d", "GET /p%25zz/http://c/d"},
		{"a path that is none, with a URL in its query", "GET", "p%zz?a=http://c/d", "GET /p%25zz?a"},
		{"a URL that is none, with what a terminal takes for commands", "GET", "%zz\x1b/c?\x1b=1", "GET /%25zz%1B/c?%1B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := operationName(tt.method, tt.url); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := operationName("GET", "/"+strings.Repeat("x", 1<<20)); len(got) > maxClipped {
		t.Errorf("a name of %d bytes", len(got))
	}
}
