package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

// twoJobs is a recording of an Assembly and a Scenario job.
const twoJobs = "reel 1\n" +
	"> 1 +0 GET /assemblies/a\n< 1 +0 200\n= 1 +0\n" + `\{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a","x":1.0}` + "\n. 1 +0 eof\n" +
	"> 2 +0 GET /other\n< 2 +0 404\n. 2 +0 eof\n" +
	"> 3 +0 GET /v1/jobs/j\n< 3 +0 200\n= 3 +0\n" + `\{"job":{"jobId":"j","status":"failure","progress":0.5}}` + "\n. 3 +0 eof\n"

func TestStatusCommand(t *testing.T) {
	completed := "../../testdata/assembly-completed.json"
	data, err := os.ReadFile(completed)
	if err != nil {
		t.Fatal(err)
	}
	const summary = `"state":"ASSEMBLY_COMPLETED","phase":"succeeded","terminal":true,"error":null,"progress":1,"uploads":0,"results":{"painted":3}}` + "\n"
	for _, test := range []struct {
		name, in string
		args     []string
		exit     int
		out, err string // what has to be in there
	}{
		{"a file", "", []string{completed}, 0, summary, ""},
		{"standard input", string(data), nil, 0, summary, ""},
		{"standard input by name", string(data), []string{"-"}, 0, summary, ""},
		{"a job", `{"job":{"jobId":"a","status":"queued","progress":0}}`, nil, 0, `{"system":"scenario","id":"a","state":"queued","phase":"waiting","terminal":false,"error":null,"progress":0,"uploads":0,"results":{}}` + "\n", ""},
		{"whole", `{ "ok" : "A", "x" : 1.50 }`, []string{"--full"}, 0, `{"ok":"A","x":1.50}` + "\n", ""},
		{"cut off", `{"ok":"ASSEM`, nil, 1, "", "ssereel status: standard input: byte 12 in ok: the document ends"},
		{"cut off in what a terminal might take for a command", `{"\u001b[31m\u009b":[`, nil, 1, "", `ssereel status: standard input: byte 21 in \x1b[31m\u009b[0]: the document ends`},
		{"compressed", "reel 1\n> 1 +0 GET /assemblies/a\n< 1 +0 200\n< 1 content-type: application/json\n< 1 content-encoding: gzip\n= 1 +0\n|x\n. 1 +0 eof\n", nil, 1, "", "ssereel status: exchange 1 tells nothing here, as it is compressed; record without compression\nssereel status: standard input tells of no Assembly"},
		{"something else", `{"a":1}`, nil, 1, "", "neither an Assembly Status nor a Scenario job"},
		{"no such file", "", []string{"no-such-file.json"}, 1, "", "no-such-file.json"},
		{"two files", "", []string{"a", "b"}, 2, "", "there is more than one FILE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			exit := run(context.Background(), console{strings.NewReader(test.in), &out, &errs}, append([]string{"status"}, test.args...))
			if exit != test.exit || !strings.HasSuffix(out.String(), test.out) || !strings.Contains(errs.String(), test.err) || (test.err == "") != (errs.Len() == 0) {
				t.Errorf("exit %d\n%s%s\nwant exit %d, %q, %q", exit, out.String(), errs.String(), test.exit, test.out, test.err)
			}
		})
	}
}

func TestStatusOnTerminal(t *testing.T) {
	for _, test := range []struct {
		in   string
		full bool
		want string
	}{
		{`{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a","uploads":[{}],"results":{"one":[{},{}],"two":[]}}`, false,
			"assembly  a\nstate     ASSEMBLY_EXECUTING (running)\nuploads   1\nresults   2 one\n          0 two\n"},
		{`{"error":"IT\u001b[31m_BROKE"}`, false, "assembly  (no id)\nstate     failed\nerror     IT\ufffd[31m_BROKE\n"},
		{`{"jobId":"j","status":"in-progress","progress":0.256}`, false, "scenario  j\nstate     in-progress (running)\nprogress  26 %\n"},
		{`{"ok":"A","x":[1.0]}`, true, "{\n  \"ok\": \"A\",\n  \"x\": [\n    1.0\n  ]\n}\n"},
		{twoJobs, false, "assembly  a\nstate     ASSEMBLY_EXECUTING (running)\n\nscenario  j\nstate     failure (failed)\nprogress  50 %\n"},
	} {
		var out strings.Builder
		err := describeStatus(console{in: strings.NewReader(test.in), out: &out}, "-", test.full, false)
		if err != nil || out.String() != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", test.in, err, out.String(), test.want)
		}
	}
}

// Of a recording it tells what each job in it comes to, and of one that is not whole what
// the good part of it comes to.
func TestStatusOfRecording(t *testing.T) {
	const (
		one   = `{"system":"assembly","id":"a","state":"ASSEMBLY_EXECUTING","phase":"running","terminal":false,"error":null,"progress":null,"uploads":0,"results":{}}` + "\n"
		two   = `{"system":"scenario","id":"j","state":"failure","phase":"failed","terminal":true,"error":null,"progress":0.5,"uploads":0,"results":{}}` + "\n"
		whole = twoJobs
	)
	cut := whole[:strings.Index(whole, "> 3")] + "> 3 +0 GET /v1/jo"
	damaged := strings.Replace(whole, "= 3 +0", "? 3 +0", 1)
	for _, test := range []struct {
		name, reel string
		args       []string
		exit       int
		out        string
		tells      []string
	}{
		{"two jobs", whole, nil, 0, one + two, nil},
		{"whole documents", whole, []string{"--full"}, 0, `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a","x":1.0}` + "\n" + `{"job":{"jobId":"j","status":"failure","progress":0.5}}` + "\n", nil},
		{"truncated", cut, nil, 1, one, []string{"truncated"}},
		{"damaged", damaged, nil, 1, one, []string{"damaged", "line 12"}},
		{"nothing but a stream", "reel 1\n> 1 +0 GET /v1/chat\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|data: a\n|\n. 1 +0 eof\n", nil, 1, "", []string{"tells of no Assembly and no job", "ssereel events"}},
		{"nothing but what was cut off", "reel 1\n> 1 +0 GET /v1/chat\n< 1 +0 200\n", nil, 1, "", []string{"truncated at line 4", "exchange 1 has no end; what is good of it tells of no Assembly and no job; ssereel events"}},
		{"a version that is to come", "reel 9\n", nil, 1, "", []string{"reel 9", "a newer ssereel"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for from, o := range map[string]outcome{
				"file":           ssereel(t, append([]string{"status", write(t, test.reel)}, test.args...)...),
				"standard input": ssereelWith(t, strings.NewReader(test.reel), append([]string{"status", "-"}, test.args...)...),
			} {
				if o.stdout != test.out || o.status != test.exit {
					t.Errorf("%s: %+v\nwant %d, %s", from, o, test.exit, test.out)
				}
				if o.stdout = ""; test.exit == 0 {
					o.wantDone(t)
				} else {
					o.wantLine(t, test.exit, test.tells...)
				}
			}
		})
	}
}
