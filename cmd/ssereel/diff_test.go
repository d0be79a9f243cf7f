package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
)

// pair writes two reels and returns their names.
func pair(t *testing.T, old, new string) (oldName, newName string) {
	t.Helper()
	dir := t.TempDir()
	oldName, newName = filepath.Join(dir, "old.reel"), filepath.Join(dir, "new.reel")
	for name, content := range map[string]string{oldName: old, newName: new} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return oldName, newName
}

// wantDifferences fails the test where diff printed anything but these lines, or failed
// to end as they make it.
func (o outcome) wantDifferences(t *testing.T, want ...string) {
	t.Helper()
	if o.stderr != "" {
		t.Errorf("stderr: %s", o.stderr)
	}
	if len(want) == 0 {
		if o.status != 0 || strings.Count(o.stdout, "\n") != 1 || !strings.Contains(o.stdout, ": nothing differs from ") {
			t.Errorf("status %d, stdout:\n%s", o.status, o.stdout)
		}
		return
	}
	if got := strings.Split(strings.TrimSuffix(o.stdout, "\n"), "\n"); !slices.Equal(got, want) || o.status != 1 {
		t.Errorf("status %d\n got %q\nwant %q", o.status, got, want)
	}
}

func TestDiff(t *testing.T) {
	type ex = []exchanged
	const result = `{"ok":"ASSEMBLY_COMPLETED","results":{"resized":[{"id":"x","meta":{"width":1}}]}}`
	x := func(bodies ...string) ex {
		var all ex
		for _, body := range bodies {
			all = append(all, exchanged{body: body})
		}
		return all
	}
	stream := func(body string) ex { return ex{events(body)} }
	ended := func(ends ...replay.End) ex {
		var all ex
		for _, end := range ends {
			all = append(all, exchanged{body: "{}", end: end})
		}
		return all
	}
	status := func(codes ...int) ex {
		var all ex
		for _, code := range codes {
			all = append(all, exchanged{status: code, body: fmt.Sprintf(`{"a%dx":1}`, code)})
		}
		return all
	}
	tests := []struct {
		name     string
		old, new ex
		want     []string
	}{
		// Operations.
		{"nothing", nil, nil, nil},
		{"other IDs, hosts and values", ex{{request: "GET https://a.example/assemblies/1?t=1", body: result}}, ex{{request: "GET http://localhost:1/assemblies/2?t=2", body: result}}, nil},
		{"more exchanges, in another order", ex{{request: "GET /a", body: "{}"}, {request: "GET /b", body: "[]"}},
			ex{{request: "GET /b", body: "[]"}, {request: "GET /a", body: "{}"}, {request: "GET /b", body: "[]"}}, nil},
		{"an operation is new", x("{}"), ex{{request: "POST /x", body: "{}"}, {body: "{}"}}, []string{"POST /x: new"}},
		{"an operation is gone", ex{{request: "GET /a?b=1", body: "{}"}, {body: "{}"}}, x("{}"), []string{"GET /a?b: gone"}},
		{"old operations in their order, then new ones", ex{{request: "GET /b"}, {request: "GET /a"}}, ex{{request: "GET /d"}, {request: "GET /c"}},
			[]string{"GET /b: gone", "GET /a: gone", "GET /d: new", "GET /c: new"}},

		// Statuses.
		{"a status is new, which is told without what it came with", status(200), status(200, 429), []string{"GET /x: status 429: new"}},
		{"a status is gone", status(200, 404), status(200), []string{"GET /x: status 404: gone"}},
		{"successes are compared with each other", ex{{status: 200, body: `{"a":1}`}}, ex{{status: 201, body: `{"b":1}`}},
			[]string{"GET /x: status 200: gone", "GET /x: status 201: new", "GET /x: a: gone, was number", "GET /x: b: new, number"}},
		{"failures are compared with the same", ex{{status: 404, body: `{"error":"x"}`}, {body: `{"ok":"x"}`}}, ex{{status: 404, body: `{"error":null}`}, {body: `{"ok":"x"}`}},
			[]string{"GET /x: status 404: error: was string, is null"}},
		{"no response, as before", ex{{status: -1, end: replay.EndReset}}, ex{{status: -1, end: replay.EndReset}}, nil},

		// Media types.
		{"another media type", x("{}"), ex{{typ: "text/html", body: "<html>"}}, []string{"GET /x: media type application/json: gone", "GET /x: media type text/html: new"}},
		{"other parameters and letters", x("{}"), ex{{typ: "Application/JSON", body: "{}"}}, nil},
		{"no media type", x("{}"), ex{{nameless: true, body: "{}"}}, []string{"GET /x: media type application/json: gone", "GET /x: media type none: new"}},
		{"no media type without a body", x("{}"), ex{{body: "{}"}, {nameless: true}}, nil},
		{"a media type with what a terminal takes for commands", ex{{status: 204, nameless: true}}, ex{{status: 204, typ: "a\x1b[2J/b"}}, []string{"GET /x: media type a\ufffd[2j/b: new"}},

		// Ends.
		{"a new kind of end", ended(replay.EndEOF), ended(replay.EndEOF, replay.EndReset), []string{"GET /x: end reset: new"}},
		{"a kind of end less", ended(replay.EndEOF, replay.EndTimeout), ended(replay.EndEOF), nil},
		{"a timeout", ended(replay.EndEOF), ended(replay.EndTimeout), []string{"GET /x: end timeout: new"}},
		{"an end in order in place of a reset", ended(replay.EndReset), ended(replay.EndEOF), []string{"GET /x: end eof: new"}},
		{"canceled by the client", ended(replay.EndEOF), ended(replay.EndCanceled), nil},
		{"always canceled before", ended(replay.EndCanceled), ended(replay.EndEOF), nil},
		{"always canceled before, and now broken", ended(replay.EndCanceled), ended(replay.EndReset), []string{"GET /x: end reset: new"}},

		// Bodies.
		{"other values", x(`{"a":1,"b":"x","c":[1,2]}`), x(`{"b":"","a":0,"c":[3]}`), nil},
		{"what there is in an array", x(result), x(strings.Replace(result, `1`, `"1"`, 1)), []string{"GET /x: results.resized[].meta.width: was number, is string"}},
		{"a name is gone with what is in it", x(result), x(`{"ok":"","results":{}}`), []string{"GET /x: results.resized: gone, was array"}},
		{"the body is another type", x("{}"), x("[]"), []string{"GET /x: the body: was object, is array"}},
		{"JSON behind a byte order mark", x("\ufeff{\"a\":1}"), x("\ufeff{\"a\":null}"), []string{"GET /x: a: was number, is null"}},
		{"a byte order mark is no difference", x(`{"a":1}`), x("\ufeff{\"a\":1}"), nil},
		{"JSON under another name behind a byte order mark", ex{{typ: "text/plain", body: "\ufeff {\"a\":1}"}}, ex{{typ: "text/plain", body: "{}"}}, []string{"GET /x: a: gone, was number"}},
		{"there is no body", x("{}"), x(""), []string{"GET /x: the body: was object, is nothing"}},
		{"there is no body where there never is", ex{{body: "{}"}, {status: 204, nameless: true}}, ex{{body: "{}"}, {status: 204}}, nil},
		{"there is none of HEAD", ex{{request: "HEAD /x"}}, ex{{request: "HEAD /x"}}, nil},
		{"half a body, which is no text", ended(replay.EndEOF, replay.EndReset), ex{{body: "{}"}, {body: `{"a":`, end: replay.EndReset}}, nil},
		{"half a body that the client canceled", x("{}"), ex{{body: "{}"}, {body: `{"a":`, end: replay.EndCanceled}}, nil},
		{"no body yet where the client canceled", x("{}"), ex{{body: "{}"}, {end: replay.EndCanceled}}, nil},
		{"JSON under another name", ex{{typ: "text/html", body: ` {"a":1}`}}, ex{{typ: "text/html", body: `{"a":"x"}`}}, []string{"GET /x: a: was number, is string"}},
		{"JSON of a kind of its own", ex{{typ: "application/problem+json", body: `1`}}, ex{{typ: "application/problem+json", body: `"x"`}}, []string{"GET /x: the body: was number, is string"}},
		{"an array under another name", ex{{nameless: true, body: "[1]"}}, ex{{nameless: true, body: `["x"]`}}, []string{"GET /x: []: was number, is string"}},
		{"JSON of an old name", ex{{typ: "text/json", body: `1`}}, ex{{typ: "text/json", body: `"x"`}}, []string{"GET /x: the body: was number, is string"}},
		{"text that only begins like JSON", ex{{typ: "text/plain", body: "{}"}}, ex{{typ: "text/plain", body: "{a}"}}, nil},
		{"text that is JSON by accident", ex{{typ: "text/plain", body: "5"}}, ex{{typ: "text/plain", body: "null"}}, nil},
		{"several names, deep down", x(`{"a":{"b":{"c":{"d":1,"e":1}}}}`), x(`{"a":{"b":{"c":{"f":1}}}}`),
			[]string{"GET /x: a.b.c.d: gone, was number", "GET /x: a.b.c.e: gone, was number", "GET /x: a.b.c.f: new, number"}},

		// Events.
		{"other data, in another order", stream("event: a\ndata: {\"n\":1}\n\nevent: b\ndata: x\n\n"), stream("event: b\ndata: y\n\nevent: a\ndata: {\"n\":2}\n\nevent: a\ndata: {\"n\":3}\n\n"), nil},
		{"a type of event is new", stream("data: {}\n\n"), stream("data: {}\n\nevent: assembly_error\ndata: {}\n\n"), []string{"GET /ws*?assembly: event assembly_error: new"}},
		{"a type of event is gone", stream("event: a\ndata: {}\n\ndata: {}\n\n"), stream("data: {}\n\n"), []string{"GET /ws*?assembly: event a: gone"}},
		{"an event's data", stream("event: a\ndata: [\"step\",{\"url\":\"x\"}]\n\n"), stream("event: a\ndata: [\"other\",{\"url\":null}]\n\n"),
			[]string{"GET /ws*?assembly: event a: [].url: was string, is null"}},
		{"a message is gone", stream("data: assembly_uploading_finished\n\ndata: assembly_finished\n\n"), stream("data: assembly_finished\n\n"),
			[]string{"GET /ws*?assembly: message assembly_uploading_finished: gone"}},
		{"a message with a type is another", stream("data: assembly_finished\n\n"), stream("event: assembly_finished\ndata: {}\n\n"),
			[]string{"GET /ws*?assembly: message assembly_finished: gone", "GET /ws*?assembly: event assembly_finished: new"}},
		{"a message by the name of its type", stream("data: assembly_upload_meta_data_extracted\n\n"), stream("event: message\ndata: assembly_upload_meta_data_extracted\n\n"), nil},
		{"the end of a stream of a language model", stream("data: {}\n\ndata: [DONE]\n\n"), stream("data: {}\n\n"), []string{"GET /ws*?assembly: message [DONE]: gone"}},
		{"messages that are JSON", stream("data: {\"a\":1}\n\n"), stream("data: {\"a\":null}\n\n"), []string{"GET /ws*?assembly: event message: a: was number, is null"}},
		{"data that is text now", stream("event: assembly_error\ndata: {}\n\n"), stream("event: assembly_error\ndata: no space left\n\n"),
			[]string{"GET /ws*?assembly: event assembly_error: was object, is text"}},
		{"text of which some is JSON by accident", stream("data: Hello\n\ndata: {}\n\n"), stream("data: []\n\ndata: Hello\n\ndata: 42\n\n"), nil},
		{"text, and now an object", stream("data: Hello\n\n"), stream("data: {}\n\n"), []string{"GET /ws*?assembly: event message: was text, is object"}},
		{"text that is other text", stream("data: Hello\n\n"), stream("data: 42\n\ndata: null\n\ndata:\n\n"), nil},
		{"a type with what a terminal takes for commands", stream("data: x\n\n"), stream("data: x\n\nevent: a \x1b[2J\ndata: x\n\n"), []string{`GET /ws*?assembly: event "a \x1b[2J": new`}},
		{"a comment, an ID and half an event", stream("data: x\n\n"), stream(": hello\n\nid: 7\n\ndata: x\n\nevent: b\ndata: x\n"), nil},
		{"a stream that failed is no stream", stream("data: x\n\n"), ex{{request: "GET /ws1?assembly=1", status: 503, typ: "text/event-stream", body: "event: b\ndata: x\n\n"}},
			[]string{"GET /ws*?assembly: status 200: gone", "GET /ws*?assembly: status 503: new"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, new := pair(t, reelWith(t, tt.old...), reelWith(t, tt.new...))
			ssereel(t, "diff", old, new).wantDifferences(t, tt.want...)
			ssereel(t, "diff", old, old).wantDifferences(t)
			ssereel(t, "diff", new, new).wantDifferences(t)
		})
	}
}

// What an Assembly's Statuses and stream say is the same for other IDs, servers, times and
// pieces; what is different in them is found.
func TestDiffAssembly(t *testing.T) {
	compose := func(document string) string {
		o := ssereelWith(t, strings.NewReader(document), "compose")
		if o.status != 0 {
			t.Fatal(o.stderr)
		}
		return o.stdout
	}
	document := read(t, completedStatus)
	tests := []struct {
		name     string
		old, new string
		want     []string
	}{
		{"another run", "", "", nil},
		{"an ID, a server, a time and a progress", `7f40274dfed01705d5f649ed0b9d9fce`, `abcdefabcdefabcdefabcdefabcdef00`, nil},
		{"another server", "ws20219", "ws20731", nil},
		{"a name of a result", `"aspect_ratio"`, `"ratio"`, []string{
			"GET /assemblies/*: results.painted[].meta.aspect_ratio: gone, was number",
			"GET /assemblies/*: results.painted[].meta.ratio: new, number",
			"GET /ws*?assembly: event assembly_result_finished: [].meta.aspect_ratio: gone, was number",
			"GET /ws*?assembly: event assembly_result_finished: [].meta.ratio: new, number"}},
		{"a Step by another name", `"painted"`, `"drawn"`, []string{"GET /assemblies/*: results.painted: gone, was array", "GET /assemblies/*: results.drawn: new, array"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := strings.ReplaceAll(document, tt.old, tt.new)
			if (changed == document) != (tt.old == "") {
				t.Fatalf("there is no %s in the Status", tt.old)
			}
			old, new := pair(t, compose(document), compose(changed))
			ssereel(t, "diff", old, new).wantDifferences(t, tt.want...)
		})
	}

	t.Run("one that failed", func(t *testing.T) {
		old, new := pair(t, compose(document), compose(read(t, "../../testdata/assembly-failed.json")))
		o := ssereel(t, "diff", old, new)
		for _, line := range []string{
			"GET /assemblies/*: results.painted: gone, was array\n",
			"GET /assemblies/*: error: new, string\n",
			"GET /ws*?assembly: message assembly_finished: gone\n",
			"GET /ws*?assembly: event assembly_error: new\n",
		} {
			if !strings.Contains(o.stdout, line) {
				t.Errorf("no line %q in\n%s", line, o.stdout)
			}
		}
	})
}

func TestDiffSame(t *testing.T) {
	old, new := pair(t, reelWith(t, events("data: {\"a\":[1]}\n\ndata: assembly_finished\n\n"), exchanged{body: "{}"}), reelWith(t, events("data: {\"a\":[2]}\n\ndata: assembly_finished\n\n"), exchanged{body: "{}"}))
	o := ssereel(t, "diff", old, new)
	o.wantDone(t)
	if want := new + ": nothing differs from " + old + ": 2 operations, 2 types of events, 4 paths\n"; o.stdout != want {
		t.Errorf("stdout has %q, want %q", o.stdout, want)
	}
}

func TestDiffJSON(t *testing.T) {
	old, new := pair(t, reelWith(t, exchanged{body: `{"a":1}`}, events("data: x\n\ndata: [DONE]\n\n"), exchanged{request: "GET /gone"}, exchanged{status: 404, body: `{"e":[{}]}`}),
		reelWith(t, exchanged{body: `{"a":null,"b":{}}`}, events("data: x\n\nevent: e\ndata: x\n\n"), exchanged{status: 404, body: `{"e":[{"<b>":1}]}`}, exchanged{status: 429, typ: "text/plain", end: replay.EndReset}))
	type object = map[string]any
	decoded := func(args ...string) (object, int) {
		t.Helper()
		o := ssereel(t, append([]string{"diff", "--json"}, args...)...)
		if o.stderr != "" || strings.Count(o.stdout, "\n") != 1 {
			t.Fatalf("stderr %q, stdout %q", o.stderr, o.stdout)
		}
		var got object
		if err := json.Unmarshal([]byte(o.stdout), &got); err != nil {
			t.Fatal(err)
		}
		return got, o.status
	}
	list := func(of ...string) []any {
		var all []any
		for _, s := range of {
			all = append(all, s)
		}
		return all
	}
	got, status := decoded(old, new)
	want := object{
		"old": old, "new": new, "verdict": "different", "operations": 2.0, "events": 1.0, "paths": 6.0, "more": 0.0, "warnings": []any{}, "more_warnings": 0.0,
		"differences": []any{
			object{"what": "status", "change": "new", "operation": "GET /x", "status": 429.0},
			object{"what": "end", "change": "new", "operation": "GET /x", "end": "reset"},
			object{"what": "shape", "change": "types", "operation": "GET /x", "path": "a", "was": list("number"), "is": list("null")},
			object{"what": "shape", "change": "new", "operation": "GET /x", "path": "b", "is": list("object")},
			object{"what": "shape", "change": "new", "operation": "GET /x", "status": 404.0, "path": `e[]."<b>"`, "is": list("number")},
			object{"what": "event", "change": "gone", "operation": "GET /ws*?assembly", "event": "message", "data": "[DONE]"},
			object{"what": "event", "change": "new", "operation": "GET /ws*?assembly", "event": "e"},
			object{"what": "operation", "change": "gone", "operation": "GET /gone", "unsure": true}, // behind the reset
		},
	}
	if status != 1 || !reflect.DeepEqual(got, want) {
		t.Errorf("status %d\n got %v\nwant %v", status, got, want)
	}
	if o := ssereel(t, "diff", "--json", old, new); !strings.Contains(o.stdout, "<b>") {
		t.Errorf("stdout %q", o.stdout)
	}
	got, status = decoded(old, old)
	want = object{"old": old, "new": old, "verdict": "same", "operations": 3.0, "events": 2.0, "paths": 7.0, "more": 0.0, "warnings": []any{}, "more_warnings": 0.0, "differences": []any{}}
	if status != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("status %d\n got %v\nwant %v", status, got, want)
	}
}

// A recording that is cut off must not pass as one with nothing different, nor what may be
// behind the cut as gone.
func TestDiffTruncated(t *testing.T) {
	old := reelWith(t, exchanged{body: `{"a":1}`}, exchanged{body: `{"b":1}`}, exchanged{request: "GET /y"})
	cut := old[:strings.Index(old, "> 2 ")+3]
	oldName, cutName := pair(t, old, cut)

	o := ssereel(t, "diff", oldName, cutName)
	if want := "GET /x: b: gone, was number (unsure)\nGET /y: gone (unsure)\n"; o.stdout != want || o.status != 1 {
		t.Errorf("status %d, stdout %q, want %q", o.status, o.stdout, want)
	}
	outcome{o.status, "", o.stderr}.wantLine(t, 1, "ssereel diff: "+cutName+": ", "truncated", "what is gone", "(unsure)")

	o = ssereel(t, "diff", cutName, oldName)
	if want := "GET /x: b: new, number (unsure)\nGET /y: new (unsure)\n"; o.stdout != want || o.status != 1 {
		t.Errorf("status %d, stdout %q, want %q", o.status, o.stdout, want)
	}
	outcome{o.status, "", o.stderr}.wantLine(t, 1, "ssereel diff: "+cutName+": ", "truncated", "what is new", "(unsure)")

	// What NEW has is new all the same.
	_, more := pair(t, "", strings.Replace(cut, `{"a`, `{"c`, 1))
	if o := ssereel(t, "diff", oldName, more); !strings.Contains(o.stdout, "GET /x: c: new, number\n") {
		t.Errorf("stdout %q", o.stdout)
	}

	// Nothing differs, but who knows.
	same, unended := pair(t, reelWith(t, exchanged{body: "{}"}), reelWith(t, exchanged{body: "{}", unended: true}))
	o = ssereel(t, "diff", same, unended)
	if want := unended + ": nothing differs from " + same + ", but not all could be compared: 1 operation, 0 types of events, 1 path\n"; o.stdout != want {
		t.Errorf("stdout %q, want %q", o.stdout, want)
	}
	outcome{o.status, "", o.stderr}.wantLine(t, 2, "truncated")
	o = ssereel(t, "diff", "--json", same, unended)
	if !strings.Contains(o.stdout, `"verdict":"incomplete"`) || !strings.Contains(o.stdout, `"warnings":["`+unended+`: the reel is truncated`) || o.status != 2 {
		t.Errorf("status %d, stdout %q", o.status, o.stdout)
	}
	o = ssereel(t, "diff", "--json", oldName, cutName)
	if !strings.Contains(o.stdout, `"path":"b","was":["number"],"unsure":true}`) {
		t.Errorf("stdout %q", o.stdout)
	}

	// Half a JSON value at the cut tells nothing.
	_, half := pair(t, "", old[:strings.Index(old, `{"b`)+len(`{"b`)+1])
	if o := ssereel(t, "diff", oldName, half); !strings.HasPrefix(o.stdout, "GET /x: b: gone, was number (unsure)\n") || strings.Contains(o.stdout, "text") {
		t.Errorf("stdout %q", o.stdout)
	}
}

// What the client did not wait for, or what would have come behind a broken connection, is
// neither certainly gone nor certainly new.
func TestDiffCut(t *testing.T) {
	type ex = []exchanged
	const one, two = "event: a\ndata: {\"n\":1}\n\n", "event: a\ndata: {\"n\":null,\"m\":1}\n\nevent: b\ndata: x\n\n"
	stream := func(body string, end replay.End) exchanged {
		x := events(body)
		x.end = end
		return x
	}
	body := func(body string, end replay.End) exchanged { return exchanged{body: body, end: end} }
	lines := func(body string, end replay.End) exchanged {
		return exchanged{typ: "application/jsonl", body: body, end: end}
	}
	last := exchanged{request: "GET /last", body: "{}"}
	none := func(end replay.End) exchanged { return exchanged{status: -1, end: end} }
	const eof, reset, timeout, canceled = replay.EndEOF, replay.EndReset, replay.EndTimeout, replay.EndCanceled
	tests := []struct {
		name     string
		old, new ex
		want     []string // from old to new
		back     []string
	}{
		{"a stream that the client canceled", ex{stream(one+two, eof), last}, ex{stream(one, canceled), last},
			[]string{"GET /ws*?assembly: event a: m: gone, was number (unsure)", "GET /ws*?assembly: event b: gone (unsure)"},
			[]string{"GET /ws*?assembly: event a: n: was number, is number or null (unsure)", "GET /ws*?assembly: event a: m: new, number (unsure)", "GET /ws*?assembly: event b: new (unsure)"}},
		{"a stream that was reset", ex{stream(one+two, eof)}, ex{stream(one, eof), stream(one, reset)},
			[]string{"GET /ws*?assembly: end reset: new", "GET /ws*?assembly: event a: m: gone, was number (unsure)", "GET /ws*?assembly: event b: gone (unsure)"},
			[]string{"GET /ws*?assembly: event a: n: was number, is number or null (unsure)", "GET /ws*?assembly: event a: m: new, number (unsure)", "GET /ws*?assembly: event b: new (unsure)"}},
		{"a stream in which nothing came any more", ex{stream(two, eof), stream(two, timeout)}, ex{stream(one, timeout)},
			[]string{"GET /ws*?assembly: event a: n: was null, is number (unsure)", "GET /ws*?assembly: event a: m: gone, was number (unsure)", "GET /ws*?assembly: event b: gone (unsure)"},
			[]string{"GET /ws*?assembly: end eof: new", "GET /ws*?assembly: event a: n: was number, is null (unsure)", "GET /ws*?assembly: event a: m: new, number (unsure)", "GET /ws*?assembly: event b: new (unsure)"}},
		{"what the client saw of a stream is certain", ex{stream(one, eof)}, ex{stream(two, canceled)},
			[]string{"GET /ws*?assembly: event a: n: was number, is null", "GET /ws*?assembly: event a: m: new, number", "GET /ws*?assembly: event b: new"},
			[]string{"GET /ws*?assembly: event a: n: was null, is number (unsure)", "GET /ws*?assembly: event a: m: gone, was number", "GET /ws*?assembly: event b: gone"}},
		{"a client that does not wait for the end behind [DONE]", ex{stream(one+"event: b\ndata: x\n\ndata: [DONE]\n\n", eof)}, ex{stream(one+"data: [DONE]\n\n", canceled)},
			[]string{"GET /ws*?assembly: event b: gone"}, []string{"GET /ws*?assembly: event b: new"}},
		{"lines", ex{lines("{\"a\":1}\n{\"b\":1}\n", eof)}, ex{lines("{\"a\":1}\n{", canceled)},
			[]string{"GET /x: b: gone, was number (unsure)"}, []string{"GET /x: b: new, number (unsure)"}},
		{"a body that is whole", ex{body(`{"a":1}`, eof)}, ex{body(`{}`, canceled)},
			[]string{"GET /x: a: gone, was number"}, []string{"GET /x: a: new, number"}},
		{"half a body", ex{body(`{"a":1}`, eof)}, ex{body(`{}`, eof), body(`{"a`, canceled)},
			[]string{"GET /x: a: gone, was number (unsure)"}, []string{"GET /x: a: new, number (unsure)"}},
		{"half a body that is called text", ex{{typ: "text/plain", body: `{"a":1}`}}, ex{{typ: "text/plain", body: `{}`}, {typ: "text/plain", body: `{"a`, end: canceled}},
			[]string{"GET /x: a: gone, was number (unsure)"}, []string{"GET /x: a: new, number (unsure)"}},
		{"a stream that goes on behind [DONE]", ex{stream("data: [DONE]\n\n"+one+"event: b\ndata: x\n\n", eof)}, ex{stream("data: [DONE]\n\n"+one, canceled)},
			[]string{"GET /ws*?assembly: event b: gone (unsure)"}, []string{"GET /ws*?assembly: event b: new (unsure)"}},
		{"no body where there is none", ex{{status: 204, nameless: true}, body(`{"a":1}`, eof)}, ex{{status: 204, nameless: true, end: canceled}, body(`{}`, eof)},
			[]string{"GET /x: a: gone, was number"}, []string{"GET /x: a: new, number"}},
		{"no response", ex{{status: 404, body: "{}"}, body(`{"a":1}`, eof)}, ex{none(canceled), body(`{}`, eof)},
			[]string{"GET /x: status 404: gone (unsure)", "GET /x: a: gone, was number (unsure)"},
			[]string{"GET /x: status 404: new (unsure)", "GET /x: a: new, number (unsure)"}},
		{"an end is as it is", ex{none(canceled), body(`{}`, eof)}, ex{body(`{}`, eof), body(`{}`, reset)},
			[]string{"GET /x: end reset: new"}, nil},
		{"another media type in a response that did not come", ex{body("{}", eof), {typ: "a/b", body: "x"}}, ex{body("{}", eof), none(timeout)},
			[]string{"GET /x: end timeout: new", "GET /x: media type a/b: gone (unsure)"}, []string{"GET /x: media type a/b: new (unsure)"}},
		{"another operation stays certain", ex{stream(one, eof), body(`{"a":1}`, eof)}, ex{stream(one, canceled), body(`{}`, eof)},
			[]string{"GET /x: a: gone, was number"}, []string{"GET /x: a: new, number"}},
		{"the client ended with the stream", ex{stream(one, eof), last}, ex{stream(one, canceled)},
			[]string{"GET /last: gone (unsure)"}, []string{"GET /last: new (unsure)"}},
		{"the client ended with the stream, of which there was no more", ex{stream(one+"data: [DONE]\n\n", eof), last}, ex{stream(one+"data: [DONE]\n\n", canceled)},
			[]string{"GET /last: gone"}, []string{"GET /last: new"}},
		{"the client went on after the stream", ex{stream(one, eof), body("{}", eof), last}, ex{stream(one, canceled), body("{}", eof)},
			[]string{"GET /last: gone"}, []string{"GET /last: new"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, new := pair(t, reelWith(t, tt.old...), reelWith(t, tt.new...))
			ssereel(t, "diff", old, new).wantDifferences(t, tt.want...)
			ssereel(t, "diff", new, old).wantDifferences(t, tt.back...)
		})
	}
}

// Whether the client was interrupted is told by what ended last, not by what began last.
func TestDiffCutMeanwhile(t *testing.T) {
	var b strings.Builder
	w, err := replay.NewWriter(&b, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	poll, _ := w.Exchange(0, "GET", "/x", nil)
	stream, _ := w.Exchange(1, "GET", "/stream", nil)
	stream.End(2, replay.EndCanceled, nil)
	poll.End(3, replay.EndEOF, nil)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	canceled, more := exchanged{request: "GET /stream", status: -1, end: replay.EndCanceled}, exchanged{request: "GET /last", status: -1}
	old, new := pair(t, reelWith(t, canceled, exchanged{status: -1}, more), b.String())
	ssereel(t, "diff", old, new).wantDifferences(t, "GET /last: gone")
}

func TestDiffDamaged(t *testing.T) {
	reel := reelWith(t, exchanged{body: `{"a":1}`})
	old, damaged := pair(t, reel, strings.Replace(reel, "GET", "PUT", 1))
	o := ssereel(t, "diff", old, damaged)
	if want := "GET /x: gone (unsure)\nPUT /x: new\n"; o.stdout != want || o.status != 1 {
		t.Errorf("status %d, stdout %q, want %q", o.status, o.stdout, want)
	}
	outcome{o.status, "", o.stderr}.wantLine(t, 1, damaged, "damaged", "(unsure)")
}

// Bodies that cannot be read are neither the same nor different.
func TestDiffEncoded(t *testing.T) {
	gzip := http.Header{"Content-Encoding": {"gzip"}}
	plain := reelWith(t, exchanged{body: `{"a":1}`}, exchanged{status: 404, body: `{"e":1}`})
	encoded := reelWith(t, exchanged{header: gzip, body: "\x1f\x8b\x08"}, exchanged{status: 404, body: `{"e":"x"}`})
	for _, names := range func() [][2]string {
		a, b := pair(t, plain, encoded)
		return [][2]string{{a, b}, {b, a}}
	}() {
		o := ssereel(t, "diff", "--ignore", "status 404", names[0], names[1])
		if !strings.Contains(o.stdout, ", but not all could be compared: ") {
			t.Errorf("stdout %q", o.stdout)
		}
		outcome{o.status, "", o.stderr}.wantLine(t, 2, "GET /x", "gzip", "--ignore 'GET /x'")
		// What can be read is compared.
		if o := ssereel(t, "diff", names[0], names[1]); !strings.HasPrefix(o.stdout, "GET /x: status 404: e: was ") {
			t.Errorf("stdout %q", o.stdout)
		}
		ssereel(t, "diff", "--ignore", "GET /x", names[0], names[1]).wantDifferences(t)
	}

	// What one body lacks may be in another that cannot be read.
	some := reelWith(t, exchanged{header: gzip, body: "\x1f\x8b\x08"}, exchanged{body: `{"b":1}`}, exchanged{status: 404, body: `{"e":1}`})
	for _, reels := range [][2]string{{plain, some}, {some, plain}} {
		a, b := pair(t, reels[0], reels[1])
		if o := ssereel(t, "diff", a, b); !strings.Contains(o.stdout, ": nothing differs from ") || o.status != 2 {
			t.Errorf("status %d, stdout %q", o.status, o.stdout)
		}
	}

	failed := reelWith(t, exchanged{header: gzip, status: 404, body: "\x1f\x8b\x08"})
	a, b := pair(t, failed, failed)
	both := ssereel(t, "diff", a, b)
	if strings.Count(both.stderr, "--ignore 'GET /x: status 404'\n") != 2 || both.status != 2 {
		t.Errorf("status %d, stderr %q", both.status, both.stderr)
	}
	ssereel(t, "diff", "--ignore", "GET /x: status 404", a, b).wantDifferences(t)

	stream := events("\x1f\x8b\x08")
	stream.header = gzip
	old, new := pair(t, reelWith(t, events("data: x\n\n")), reelWith(t, stream))
	o := ssereel(t, "diff", old, new)
	outcome{o.status, "", o.stderr}.wantLine(t, 2, "GET /ws*?assembly", "gzip")

	// Nothing would have been compared here.
	picture := exchanged{header: gzip, typ: "image/svg+xml", body: "\x1f\x8b"}
	unencoded := exchanged{header: http.Header{"Content-Encoding": {"identity"}}, request: "GET /y", body: "{}"}
	old, new = pair(t, reelWith(t, picture, unencoded), reelWith(t, picture, unencoded))
	ssereel(t, "diff", old, new).wantDifferences(t)
}

func TestDiffIgnore(t *testing.T) {
	status := exchanged{status: 429, body: `{"error":"x"}`}
	old := reelWith(t, exchanged{body: `{"uploads":[{"meta":{"a":1},"url":"x"}],"results":{"one":{"meta":{"a":1}},"a b":{}},"n":1}`}, status,
		events("event: a\ndata: {\"url\":\"x\"}\n\ndata: assembly_finished\n\n"))
	status.body = `{"error":1}`
	new := reelWith(t, exchanged{typ: "application/x+json", body: `{"uploads":[{"meta":{},"url":1}],"results":{"one":{"meta":{"a":2,"b":{}}},"a b":{"c":1}},"n":null}`, end: replay.EndReset}, status,
		events("event: a\ndata: {\"url\":null}\n\nevent: b\ndata: x\n\n"), exchanged{request: "GET /new"})
	oldName, newName := pair(t, old, new)
	all := []string{
		"GET /x: end reset: new",
		"GET /x: media type application/json: gone",
		"GET /x: media type application/x+json: new",
		"GET /x: uploads[].meta.a: gone, was number",
		"GET /x: uploads[].url: was string, is number",
		"GET /x: results.one.meta.b: new, object",
		`GET /x: results."a b".c: new, number`,
		"GET /x: n: was number, is null",
		"GET /x: status 429: error: was string, is number",
		"GET /ws*?assembly: event a: url: was string, is null",
		"GET /ws*?assembly: message assembly_finished: gone",
		"GET /ws*?assembly: event b: new",
		"GET /new: new",
	}
	ssereel(t, "diff", oldName, newName).wantDifferences(t, all...)
	tests := []struct {
		name     string
		patterns []string
		ignored  []int    // of all
		idle     []string // what matches nothing
	}{
		{"a path, wherever it is", []string{"url"}, []int{9}, nil},
		{"what is in a path", []string{"uploads"}, []int{3, 4}, nil},
		{"the elements of an array", []string{"uploads[]"}, []int{3, 4}, nil},
		{"a path that only begins alike", []string{"upload", "uploads[].u", "uploads[][]"}, nil, []string{"upload", "uploads[].u", "uploads[][]"}},
		{"* is one name", []string{"results.*.meta"}, []int{5}, nil},
		{"* is no element", []string{"uploads.*"}, nil, []string{"uploads.*"}},
		{"* is not two names", []string{"results.*.b"}, nil, []string{"results.*.b"}},
		{"* is any name at the top", []string{"*"}, []int{3, 4, 5, 6, 7, 8, 9}, nil},
		{"* behind elements", []string{"uploads[].*"}, []int{3, 4}, nil},
		{"a name in quotes", []string{`results."a b"`}, []int{6}, nil},
		{"quotes that are not needed", []string{`"n"`}, []int{7}, nil},
		{"an operation", []string{"GET /ws*?assembly"}, []int{9, 10, 11}, nil},
		{"an operation that is new", []string{"GET /new"}, []int{12}, nil},
		{"an event", []string{"event a"}, []int{9}, nil},
		{"a message", []string{"message assembly_finished"}, []int{10}, nil},
		{"any event", []string{"event *"}, []int{9, 10, 11}, nil},
		{"a status", []string{"status 429"}, []int{8}, nil},
		{"a media type", []string{"media type application/x+json"}, []int{2}, nil},
		{"an end", []string{"end reset"}, []int{0}, nil},
		{"several parts", []string{"GET /ws*?assembly: event *: url"}, []int{9}, nil},
		{"a path in an event", []string{"event a: url"}, []int{9}, nil},
		{"parts that are not together", []string{"GET /new: event a", "GET /x: url", "event b: url"}, nil, []string{"GET /new: event a", "GET /x: url", "event b: url"}},
		{"several patterns", []string{"n", "GET /new", "event b"}, []int{7, 11, 12}, nil},
		{"what does not differ", []string{"GET /x: status 200", "results.one", "message assembly_finished"}, []int{5, 10}, nil},
		{"what another leaves out", []string{"event b", "event *"}, []int{9, 10, 11}, nil},
		{"what is left out before it is read", []string{"GET /ws*?assembly", "event b"}, []int{9, 10, 11}, []string{"event b"}},
		{"all", []string{"GET /x", "GET /ws*?assembly", "GET /new"}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"diff", oldName}
			for _, p := range tt.patterns {
				args = append(args, "--ignore", p)
			}
			var want []string
			for i, line := range all {
				if !slices.Contains(tt.ignored, i) {
					want = append(want, line)
				}
			}
			o := ssereel(t, append(args, newName)...)
			var idle strings.Builder
			for _, pattern := range tt.idle {
				fmt.Fprintf(&idle, "ssereel diff: --ignore '%s' matches nothing that was compared\n", pattern)
			}
			if o.stderr != idle.String() {
				t.Errorf("it says\n%swant\n%s", o.stderr, idle.String())
			}
			outcome{o.status, o.stdout, ""}.wantDifferences(t, want...)
		})
	}
	// The place that a line names is a pattern for it.
	for i, line := range all {
		for _, end := range []string{": new", ": gone", ": was "} {
			if n := strings.LastIndex(line, end); n >= 0 {
				line = line[:n]
			}
		}
		want := slices.Delete(slices.Clone(all), i, i+1)
		ssereel(t, "diff", oldName, newName, "--ignore", line).wantDifferences(t, want...)
	}
}

// Names that begin alike are others all the same, however long they are, and what is printed
// of them is a pattern for them.
func TestDiffLongNames(t *testing.T) {
	long := strings.Repeat("x", maxName)
	accented := strings.Repeat("x", maxName-1) + "é" // the cut comes within the character
	tests := []struct {
		name string
		of   func(name string) exchanged
		long string
	}{
		{"paths", func(name string) exchanged { return exchanged{request: "GET /" + name, body: "{}"} }, long},
		{"names in queries", func(name string) exchanged { return exchanged{request: "GET /y?" + name + "=1", body: "{}"} }, long},
		{"events", func(name string) exchanged { return events("event: " + name + "\ndata: {}\n\n") }, long},
		{"events with a character at the cut", func(name string) exchanged { return events("event: " + name + "\ndata: {}\n\n") }, accented},
		{"members", func(name string) exchanged { return exchanged{body: `{"` + name + `":1}`} }, long},
		{"members with a character at the cut", func(name string) exchanged { return exchanged{body: `{"` + name + `":1}`} }, accented},
		{"media types", func(name string) exchanged { return exchanged{typ: "x/" + name, body: "x"} }, long},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, new := pair(t, reelWith(t, tt.of(tt.long+"a")), reelWith(t, tt.of(tt.long+"b")))
			ssereel(t, "diff", old, old).wantDifferences(t)
			o := ssereel(t, "diff", old, new)
			lines := strings.Split(strings.TrimSuffix(o.stdout, "\n"), "\n")
			if len(lines) != 2 || o.status != 1 {
				t.Fatalf("status %d, stdout %q", o.status, o.stdout)
			}
			gone, _, _ := strings.Cut(lines[0], ": gone")
			is, _, _ := strings.Cut(lines[1], ": new")
			if gone == is {
				t.Errorf("both are printed as %s", is)
			}
			ssereel(t, "diff", "--ignore", gone, old, new).wantDifferences(t, lines[1])
			ssereel(t, "diff", "--ignore", is, old, new).wantDifferences(t, lines[0])
			ssereel(t, "diff", "--ignore", is, "--ignore", gone, old, new).wantDifferences(t)
		})
	}

	// Whoever knows the whole name need not know how it is cut off.
	old, new := pair(t, reelWith(t, exchanged{body: `{"` + long + `a":{"b":1}}`}), reelWith(t, exchanged{body: `{"` + long + `a":{}}`}))
	for _, pattern := range []string{long + "a", long + "a.b", `"` + long + `a".b`} {
		ssereel(t, "diff", "--ignore", pattern, old, new).wantDifferences(t)
	}
}

func TestDiffUsage(t *testing.T) {
	tests := []struct {
		name  string
		args  []string
		tells []string
	}{
		{"nothing", nil, []string{"OLD and NEW are missing"}},
		{"one recording", []string{"a.reel"}, []string{"NEW is missing", "a.reel"}},
		{"three recordings", []string{"a.reel", "b.reel", "c.reel"}, []string{"more than two", "c.reel"}},
		{"no name of OLD", []string{"", "b.reel"}, []string{"the name of a recording is empty"}},
		{"no name of NEW", []string{"a.reel", ""}, []string{"the name of a recording is empty"}},
		{"no names", []string{"", ""}, []string{"the name of a recording is empty", "or -"}},
		{"standard input twice", []string{"-", "-"}, []string{"standard input"}},
		{"an unknown option", []string{"--fast", "a.reel", "b.reel"}, []string{"--fast"}},
	}
	for pattern, tells := range map[string]string{
		"":                     "empty",
		"a..b":                 "a name is missing in a..b",
		".a":                   "a name is missing",
		"a.":                   "a name is missing",
		"a[0]":                 "the elements of an array are []",
		"a[":                   "the elements of an array are []",
		"[]a":                  "a point in front",
		`a"b"`:                 "a point in front",
		`a."b`:                 "have no end",
		"a*":                   "* stands for a whole name",
		"results.42":           "42 is an ID, which is *",
		"a]":                   `the name a] needs quotes: "a]"`,
		"status ok":            "three digits",
		"status 42":            "three digits",
		"end canceled":         "eof, reset or timeout",
		"event ":               "names none",
		"message ":             "names none",
		"media type ":          "no part of a place",
		"a b":                  "no part of a place",
		"GET x":                "no part of a place",
		"results: event a":     "nothing can come after the path results",
		"GET /x: results: url": "nothing can come after the path results",
	} {
		tests = append(tests, struct {
			name  string
			args  []string
			tells []string
		}{"pattern " + pattern, []string{"--ignore", pattern, "a.reel", "b.reel"}, []string{"--ignore", tells}})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ssereel(t, append([]string{"diff"}, tt.args...)...).wantLine(t, 2, append(tt.tells, "see ssereel diff --help")...)
		})
	}
}

func TestDiffInput(t *testing.T) {
	reel := reelWith(t, exchanged{body: `{"a":1}`})
	old, new := pair(t, reel, reelWith(t, exchanged{body: `{"a":null}`}))
	o := ssereelWith(t, strings.NewReader(reel), "diff", "-", new)
	o.wantDifferences(t, "GET /x: a: was number, is null")
	o = ssereelWith(t, strings.NewReader(reel), "diff", old, "-")
	o.wantDifferences(t)
	if !strings.HasPrefix(o.stdout, "standard input: nothing differs from "+old) {
		t.Errorf("stdout %q", o.stdout)
	}

	missing := filepath.Join(t.TempDir(), "missing.reel")
	for _, args := range [][]string{{old, missing}, {missing, old}} {
		ssereel(t, append([]string{"diff"}, args...)...).wantLine(t, 2, missing, "no such file")
	}
	text := write(t, "data: hello\n\n")
	for _, args := range [][]string{{old, text}, {text, old}} {
		ssereel(t, append([]string{"diff"}, args...)...).wantLine(t, 2, text, "not a reel", "ssereel record")
	}
	ssereel(t, "diff", old, write(t, "reel 2\n")).wantLine(t, 2, "reel 2", "newer")
	ssereelWith(t, failing{io.ErrUnexpectedEOF}, "diff", old, "-").wantLine(t, 2, "standard input", "unexpected EOF")
}

// Lines of JSON are values of one shape, whatever their media type is called.
func TestDiffLines(t *testing.T) {
	const old = "{\"a\":1,\"b\":[]}\n{\"a\":2}\n"
	tests := []struct {
		name     string
		old, new string
		want     []string
	}{
		{"other values in other lines", old, "{\"a\":3}\n{\"b\":[1],\"a\":4}\n", nil},
		{"more lines", old, old + old, nil},
		{"empty lines, and no end of the last", old, "\n{\"a\":3}\r\n\r\n{\"b\":[],\"a\":4}", nil},
		{"a type in one line", old, old + "{\"a\":null}\n", []string{"GET /x: a: was number, is number or null"}},
		{"a name in one line", old, "{\"a\":1,\"c\":1}\n", []string{"GET /x: b: gone, was array", "GET /x: c: new, number"}},
		{"a line that is text", old, old + "too slow\n", []string{"GET /x: the body: was object, is object or text"}},
		{"text without an end of its line", old, old + "too slow", []string{"GET /x: the body: was object, is object or text"}},
		{"scalars", "1\n2\n", "1\n\"x\"\n", []string{"GET /x: the body: was number, is number or string"}},
		{"no lines", old, "", nil},
	}
	for _, typ := range []string{"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "text/jsonl", "application/json-lines", "application/x-ldjson", "application/x-json-stream", "application/stream+json", "application/vnd.x+ndjson; charset=utf-8", "application/json-seq", "application/geo+json-seq"} {
		body := func(lines string) exchanged {
			if !strings.HasSuffix(typ, "-seq") {
				return exchanged{typ: typ, body: lines}
			}
			// As RFC 7464 has them, a record need not be one line.
			var records strings.Builder
			for line := range strings.Lines(lines) {
				records.WriteString("\x1e" + strings.ReplaceAll(line, ",", "\n,"))
			}
			return exchanged{typ: typ, body: records.String()}
		}
		for _, tt := range tests {
			t.Run(typ+" "+tt.name, func(t *testing.T) {
				old, new := pair(t, reelWith(t, body(tt.old)), reelWith(t, body(tt.new)))
				ssereel(t, "diff", old, new).wantDifferences(t, tt.want...)
				ssereel(t, "diff", old, old).wantDifferences(t)
			})
		}
	}

	marked := exchanged{typ: "application/jsonl", body: "\ufeff" + old}
	x, y := pair(t, reelWith(t, marked), reelWith(t, exchanged{typ: "application/jsonl", body: old}))
	ssereel(t, "diff", y, x).wantDifferences(t)

	// Half a line at the end of a connection that broke is no text.
	half := exchanged{typ: "application/jsonl", body: old + `{"a":`, end: replay.EndReset}
	whole := half
	whole.body = old
	a, b := pair(t, reelWith(t, whole), reelWith(t, half))
	ssereel(t, "diff", a, b).wantDifferences(t)
}

// What could not be read in both recordings does not pass as the same.
func TestDiffUncompared(t *testing.T) {
	text := func(body string) exchanged { return exchanged{body: body} }
	lines := func(body string) exchanged { return exchanged{typ: "application/jsonl", body: body} }
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	broken := func(typ, body string, end replay.End) exchanged {
		return exchanged{typ: typ, body: body, end: end}
	}
	const json, jsonl = "application/json", "application/jsonl"
	tests := []struct {
		name     string
		old, new []exchanged
		tells    string
	}{
		{"text in the place of JSON", []exchanged{text("Bad Gateway")}, []exchanged{text("Internal Server Error")}, "GET /x: there are bodies in both recordings that are no JSON"},
		{"text beside JSON", []exchanged{text("Bad Gateway"), text("{}")}, []exchanged{text("{}"), text("Bad Gateway")}, "GET /x: there are bodies in both recordings that are no JSON"},
		{"text of another status", []exchanged{{status: 502, body: "a"}}, []exchanged{{status: 502, body: "b"}}, "GET /x: status 502: there are bodies in both recordings that are no JSON"},
		{"JSON that nobody reads, so deep is it", []exchanged{text(deep)}, []exchanged{text(deep)}, "nested too deep"},
		{"text in the place of lines", []exchanged{lines("a\n")}, []exchanged{lines("b\n")}, "GET /x: there are bodies in both recordings that are no JSON"},
		{"JSON in UTF-16", []exchanged{text("{\x00}\x00")}, []exchanged{text("[\x00]\x00")}, "GET /x: there are bodies in both recordings that are no JSON"},
		{"half a body that the client canceled", []exchanged{text("{}")}, []exchanged{broken(json, `{"a":`, replay.EndCanceled)}, "new.reel: GET /x: no JSON came to its end"},
		{"half a body before", []exchanged{broken(json, `{"a":`, replay.EndTimeout)}, []exchanged{broken(json, `{"a":1}`, replay.EndTimeout)}, "old.reel: GET /x: no JSON came to its end"},
		{"no body yet where the client canceled", []exchanged{text("{}")}, []exchanged{broken(json, "", replay.EndCanceled)}, "new.reel: GET /x: no JSON came to its end"},
		{"half a line", []exchanged{lines("{}\n")}, []exchanged{broken(jsonl, `{"a":`, replay.EndCanceled)}, "new.reel: GET /x: no JSON came to its end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, new := pair(t, reelWith(t, tt.old...), reelWith(t, tt.new...))
			o := ssereel(t, "diff", old, new)
			if !strings.Contains(o.stdout, ", but not all could be compared: ") {
				t.Errorf("stdout %q", o.stdout)
			}
			_, at, _ := strings.Cut(o.stderr, "--ignore '")
			at = strings.TrimSuffix(at, "'\n")
			outcome{o.status, "", o.stderr}.wantLine(t, 2, tt.tells)
			ssereel(t, "diff", "--ignore", at, old, new).wantDifferences(t)
		})
	}

	// On one side only it is a difference, and no more than that.
	for _, body := range []string{"Bad Gateway", deep} {
		old, new := pair(t, reelWith(t, text("{}")), reelWith(t, text(body)))
		ssereel(t, "diff", old, new).wantDifferences(t, "GET /x: the body: was object, is text")
		ssereel(t, "diff", new, old).wantDifferences(t, "GET /x: the body: was text, is object")
	}
	// There, a number is no word of a text.
	old, new := pair(t, reelWith(t, text("Bad Gateway")), reelWith(t, text("1")))
	ssereel(t, "diff", old, new).wantDifferences(t, "GET /x: the body: was text, is number")
}

// A list of what two recordings of different things have has an end.
func TestDiffMany(t *testing.T) {
	var names []string
	for i := range maxDifferences + 5 {
		names = append(names, fmt.Sprintf(`"n%dx":1`, i))
	}
	old, new := pair(t, reelWith(t, exchanged{body: "{" + strings.Join(names, ",") + "}"}), reelWith(t, exchanged{body: "{}"}))
	o := ssereel(t, "diff", old, new)
	if lines := strings.Split(o.stdout, "\n"); len(lines) != maxDifferences+2 || lines[maxDifferences] != "and 5 more differences" || o.status != 1 {
		t.Errorf("status %d, %d lines, at the end %q", o.status, len(lines), lines[max(0, len(lines)-2):])
	}
	if o := ssereel(t, "diff", "--json", old, new); !strings.HasSuffix(o.stdout, `,"more":5}`+"\n") {
		t.Errorf("stdout ends with %q", o.stdout[max(0, len(o.stdout)-100):])
	}
	if o := ssereel(t, "diff", "--ignore", "*", old, new); o.status != 0 {
		t.Errorf("status %d", o.status)
	}
}

// So have warnings, and those of a whole recording come first.
func TestDiffManyWarnings(t *testing.T) {
	var encoded []exchanged
	for i := range maxWarnings {
		name := strings.Repeat("x", i+1) // no digits
		encoded = append(encoded, exchanged{request: "GET /" + name, header: http.Header{"Content-Encoding": {"gzip"}}, body: "\x1f"})
	}
	old := reelWith(t, encoded...)
	encoded[maxWarnings-1].unended = true
	oldName, newName := pair(t, old, reelWith(t, encoded...))
	o := ssereel(t, "diff", oldName, newName)
	lines := strings.Split(o.stderr, "\n")
	if len(lines) != maxWarnings+2 || !strings.Contains(lines[0], "truncated") || lines[maxWarnings] != "ssereel diff: and 101 more warnings" || o.status != 2 {
		t.Errorf("status %d, %d lines, first %q, at the end %q", o.status, len(lines), lines[0], lines[max(0, len(lines)-2):])
	}
	if o := ssereel(t, "diff", "--json", oldName, newName); !strings.Contains(o.stdout, `"more_warnings":101,`) {
		t.Errorf("stdout ends with %q", o.stdout[max(0, len(o.stdout)-200):])
	}
}

// That nobody reads the differences does not make the recordings the same.
func TestDiffUnread(t *testing.T) {
	old, new := pair(t, reelWith(t, exchanged{body: "{}"}), reelWith(t, exchanged{body: "[]"}))
	for _, args := range [][]string{{}, {"--json"}} {
		flags := pflag.NewFlagSet("diff", pflag.ContinueOnError)
		run := diffCommand.setup(flags)
		if err := flags.Parse(args); err != nil {
			t.Fatal(err)
		}
		gone := &os.PathError{Op: "write", Path: "stdout", Err: syscall.EPIPE}
		if err := run(t.Context(), console{strings.NewReader(""), failing{gone}, io.Discard}, []string{old, new}); !errors.Is(err, errFailed) {
			t.Errorf("%q: the error is %v", args, err)
		}
		if err := run(t.Context(), console{strings.NewReader(""), failing{gone}, io.Discard}, []string{old, old}); errors.Is(err, errFailed) {
			t.Errorf("%q: the error is %v where nothing differs", args, err)
		}
	}
}

// Hostile recordings are compared within bounds, and what goes beyond is said.
func TestDiffHostile(t *testing.T) {
	var types, names strings.Builder
	for i := range maxShapes + 1 {
		fmt.Fprintf(&types, "event: e%dx\ndata: 1\n\n", i)
		fmt.Fprintf(&names, `,"n%dx":1`, i)
	}
	tests := []struct {
		name  string
		x     exchanged
		tells string // on stderr; empty where all was compared
	}{
		{"brackets that nobody closes", exchanged{body: strings.Repeat("[", 4<<20)}, "no JSON"},
		{"brackets under another name", exchanged{typ: "text/plain", body: strings.Repeat("[", 4<<20)}, ""},
		{"many lines", exchanged{typ: "application/jsonl", body: strings.Repeat("{\"a\":1}\n", 1<<19)}, ""},
		{"a line without an end", exchanged{typ: "application/jsonl", body: "[" + strings.Repeat(" ", 4<<20) + "]"}, ""},
		{"brackets in an event", events("data: " + strings.Repeat(`{"a":[`, 1<<20) + "\n\n"), ""},
		{"JSON as deep as it may be", exchanged{body: strings.Repeat("[", 10000) + strings.Repeat("]", 10000)}, "nested deeper than 100 levels"},
		{"a large array", exchanged{body: "[" + strings.Repeat(`{"a":1},`, 1<<19) + "0]"}, ""},
		{"many names", exchanged{body: `{"a":1` + names.String() + "}"}, "more than 131072 different paths"},
		{"many types of events", events(types.String()), "more than 131072 different paths"},
		{"an event that is not valid UTF-8", events("event: \xff\xfe\ndata: {\"\xff\":1}\n\n"), ""},
		{"a status without a name", exchanged{status: 999, body: "{}"}, ""},
		{"bytes that are nothing", exchanged{body: "\x00\xff\r\n\x1b[2J"}, "no JSON"},
		{"a content type that is none", exchanged{typ: ";;\x1b/\xff", body: "{}"}, ""},
		{"a long URL", exchanged{request: "GET /" + strings.Repeat("x/1/", 1<<18), body: "{}"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := pair(t, reelWith(t, tt.x), reelWith(t, tt.x, exchanged{request: "GET /other"}))
			o := ssereel(t, "diff", a, b)
			if !strings.Contains(o.stdout, "GET /other: new") || strings.Count(o.stdout, "\n") != 1 || o.status != 1 {
				t.Errorf("status %d, stdout %.300q", o.status, o.stdout)
			}
			ignored := ssereel(t, "diff", "--ignore", "GET /other", "--ignore", operationName("GET", tt.x.url()), a, b)
			ignored.wantDifferences(t)
			if (o.stderr == "") != (tt.tells == "") || !strings.Contains(o.stderr, tt.tells) || strings.Contains(o.stdout+o.stderr, "\x1b") {
				t.Errorf("stderr %.300q", o.stderr)
			}
		})
	}
}

func TestDiffHelp(t *testing.T) {
	o := ssereel(t, "diff", "--help")
	o.wantDone(t)
	for _, part := range []string{"ssereel diff [OPTION]... OLD|- NEW|-", "--ignore PATTERN", "--json", "results.*.meta", "event assembly_error", "exit status", "Content-Encoding", "(unsure)"} {
		if !strings.Contains(o.stdout, part) {
			t.Errorf("the help does not tell %q:\n%s", part, o.stdout)
		}
	}
}
