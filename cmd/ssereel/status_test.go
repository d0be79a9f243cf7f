package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

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
		{"cut off", `{"ok":"ASSEM`, nil, 1, "", "ssereel status: standard input: status: byte 12 in ok: the document ends"},
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
	for _, test := range []struct{ in, want string }{
		{`{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a","uploads":[{}],"results":{"one":[{},{}],"two":[]}}`,
			"assembly  a\nstate     ASSEMBLY_EXECUTING (running)\nuploads   1\nresults   2 one\n          0 two\n"},
		{`{"error":"IT\u001b[31m_BROKE"}`, "assembly  (no id)\nstate     failed\nerror     IT\ufffd[31m_BROKE\n"},
		{`{"jobId":"j","status":"in-progress","progress":0.256}`, "scenario  j\nstate     in-progress (running)\nprogress  26 %\n"},
	} {
		got, err := describeStatus(console{in: strings.NewReader(test.in)}, "-", false, false)
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", test.in, err, got, test.want)
		}
	}
	got, err := describeStatus(console{in: strings.NewReader(`{"ok":"A","x":[1.0]}`)}, "-", true, false)
	if want := "{\n  \"ok\": \"A\",\n  \"x\": [\n    1.0\n  ]\n}\n"; err != nil || string(got) != want {
		t.Errorf("--full: %v\n%s", err, got)
	}
}
