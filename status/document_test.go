package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSummary(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"assembly-uploading.json", `{"system":"assembly","id":"%s","state":"ASSEMBLY_UPLOADING","phase":"waiting","terminal":false,"error":null,"progress":0.4268531664346172,"uploads":1,"results":{}}`},
		{"assembly-executing.json", `{"system":"assembly","id":"%s","state":"ASSEMBLY_EXECUTING","phase":"running","terminal":false,"error":null,"progress":null,"uploads":2,"results":{"painted":1}}`},
		{"assembly-completed.json", `{"system":"assembly","id":"%s","state":"ASSEMBLY_COMPLETED","phase":"succeeded","terminal":true,"error":null,"progress":1,"uploads":0,"results":{"painted":3}}`},
		{"assembly-failed.json", `{"system":"assembly","id":"%s","state":null,"phase":"failed","terminal":true,"error":"FILE_FILTER_DECLINED_FILE","progress":null,"uploads":2,"results":{}}`},
		{"assembly-canceled.json", `{"system":"assembly","id":"%s","state":"ASSEMBLY_CANCELED","phase":"canceled","terminal":true,"error":null,"progress":null,"uploads":0,"results":{}}`},
		{"assembly-rate-limit.json", `{"system":"assembly","id":"%s","state":null,"phase":"unknown","terminal":false,"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","progress":null,"uploads":0,"results":{}}`},
		{"assembly-crash.json", `{"system":"assembly","id":null,"state":null,"phase":"failed","terminal":true,"error":"ECONNREFUSED","progress":null,"uploads":0,"results":{}}`},
		{"job-in-progress.json", `{"system":"scenario","id":"%s","state":"in-progress","phase":"running","terminal":false,"error":null,"progress":0.25,"uploads":0,"results":{}}`},
		{"job-success.json", `{"system":"scenario","id":"%s","state":"success","phase":"succeeded","terminal":true,"error":null,"progress":1,"uploads":0,"results":{"detection":1}}`},
		{"job-workflow-failure.json", `{"system":"scenario","id":"%s","state":"failure","phase":"failed","terminal":true,"error":"node \"detect\" failed","progress":0.6,"uploads":0,"results":{}}`},
	} {
		d, err := Decode(payload(t, test.name))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		s := d.Summary()
		want := test.want
		if s.ID != "" {
			want = fmt.Sprintf(want, s.ID)
		}
		got, err := json.Marshal(s)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", test.name, err, got, want)
		}
		whole, err := d.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		wantSameJSON(t, payload(t, test.name), whole)
	}
}

func TestSummaryProgress(t *testing.T) {
	for _, tt := range []struct {
		name     string
		doc      Document
		progress float64
		known    bool
	}{
		{"an upload", mustDecode(t, []byte(`{"ok":"ASSEMBLY_UPLOADING","bytes_received":1,"bytes_expected":4}`)), 0.25, true},
		{"more bytes than expected", mustDecode(t, []byte(`{"ok":"ASSEMBLY_UPLOADING","bytes_received":5,"bytes_expected":4}`)), 1, true},
		{"nobody knows how many", mustDecode(t, []byte(`{"ok":"ASSEMBLY_UPLOADING","bytes_received":5,"bytes_expected":0}`)), 0, false},
		{"a job", mustDecodeJob(t, []byte(`{"job":{"jobId":"j","progress":0.5}}`)), 0.5, true},
		{"a job at its beginning", mustDecodeJob(t, []byte(`{"job":{"jobId":"j","progress":0}}`)), 0, true},
		{"in quotes", mustDecodeJob(t, []byte(`{"jobId":"j","progress":"0.5"}`)), 0.5, true},
		{"more than all of a job", mustDecodeJob(t, []byte(`{"jobId":"j","progress":1.5}`)), 1, true},
		{"less than nothing of a job", mustDecodeJob(t, []byte(`{"jobId":"j","progress":-0.5}`)), 0, true},
		{"no number", mustDecodeJob(t, []byte(`{"jobId":"j","progress":"abc"}`)), 0, false},
		{"null", mustDecodeJob(t, []byte(`{"jobId":"j","progress":null}`)), 0, false},
		{"none", mustDecodeJob(t, []byte(`{"jobId":"j"}`)), 0, false},
		{"assigned", &Job{Progress: 0.5}, 0.5, true},
		{"made by hand, without", &Job{ID: "j"}, 0, false},
	} {
		if s := tt.doc.Summary(); s.Progress != tt.progress || s.ProgressKnown != tt.known {
			t.Errorf("%s: %v, %v, want %v, %v", tt.name, s.Progress, s.ProgressKnown, tt.progress, tt.known)
		}
	}
}

func TestDecodeTellsSystems(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{`{"ok":"ASSEMBLY_COMPLETED"}`, SystemAssembly},
		{`{"error":"X"}`, SystemAssembly},
		{`{"assembly_id":"a"}`, SystemAssembly},
		{`{"job":{"jobId":"a"}}`, SystemScenario},
		{`{"jobId":"a"}`, SystemScenario},
		{`{"\u006aobId":"a"}`, SystemScenario},
		{`{"job":{"jobId":"a","status":"success"},"error":null}`, SystemScenario},
		{`{"jobId":"a","error":"x","ok":null}`, SystemScenario},
		{`{"jobId":null,"error":"x"}`, SystemAssembly},
		{`{"job":null,"assembly_id":"a"}`, SystemAssembly},
	} {
		d, err := Decode([]byte(test.data))
		if err != nil || d.Summary().System != test.want {
			t.Errorf("%s: %v, %v", test.data, d, err)
		}
	}
	for _, data := range []string{`{"job":"x"}`, `{"ok":null,"error":null,"jobId":null}`, `{}`} {
		if _, err := Decode([]byte(data)); !errors.Is(err, ErrUnknownDocument) {
			t.Errorf("%s is an unknown document: %v", data, err)
		}
	}
	var syntax *SyntaxError
	if _, err := Decode([]byte(`[`)); !errors.As(err, &syntax) {
		t.Errorf("no document: %v", err)
	}
}

func TestStates(t *testing.T) {
	type facts struct {
		Busy, Terminal bool
		Phase          Phase
	}
	want := map[State]facts{
		"": {false, false, Unknown}, AssemblyUploading: {true, false, Waiting}, AssemblyExecuting: {true, false, Running}, AssemblyReplaying: {true, false, Waiting},
		AssemblyCompleted: {false, true, Succeeded}, AssemblyCanceled: {false, true, Canceled}, RequestAborted: {false, true, Canceled}, "ASSEMBLY_RESTING": {false, false, Running},
	}
	got := map[State]facts{}
	for s := range want {
		got[s] = facts{s.Busy(), s.Terminal(), s.Phase()}
		if knownState(string(s)) != s || s.String() != string(s) {
			t.Errorf("%q is not itself", s)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		data string
		wait time.Duration
		ok   bool
	}{
		{`{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","info":{"retryIn":0.4}}`, 400 * time.Millisecond, true},
		{`{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","info":{"retryIn":"2"}}`, 2 * time.Second, true},
		{`{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","info":3}`, time.Second, true},
		{`{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","info":{"retryIn":0}}`, 0, true},
		{`{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","info":{"retryIn":-1}}`, time.Second, true},
		{`{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","info":{"retryIn":"soon"}}`, time.Second, true},
		{`{"error":"INVALID_FORM_DATA","info":{"retryIn":3}}`, 3 * time.Second, true},
		{`{"error":"INVALID_FORM_DATA","info":{"retryIn":-1}}`, 0, false},
		{`{"error":"INVALID_FORM_DATA","info":{"retryIn":"soon"}}`, 0, false},
		{`{"error":"RATE_LIMIT_REACHED"}`, 5 * time.Second, true},
		{`{"error":"CANNOT_ACCEPT_NEW_ASSEMBLIES"}`, 30 * time.Second, true},
		{`{"error":"INVALID_FORM_DATA"}`, 0, false},
		{`{"error":"INVENTED_YESTERDAY"}`, 0, false},
		{`{"ok":"ASSEMBLY_COMPLETED","info":{"retryIn":1}}`, 0, false},
	} {
		if wait, ok := mustDecode(t, []byte(test.data)).RetryAfter(); wait != test.wait || ok != test.ok {
			t.Errorf("%s: %v, %v", test.data, wait, ok)
		}
	}
}
