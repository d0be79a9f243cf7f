package status

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// updates returns the updates of testdata/assembly-updates.txt.
func updates(tb testing.TB) []Update {
	tb.Helper()
	var all []Update
	for line := range strings.Lines(string(payload(tb, "assembly-updates.txt"))) {
		eventType, data, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all = append(all, mustUpdate(tb, eventType, data))
	}
	return all
}

func mustUpdate(tb testing.TB, eventType, data string) Update {
	tb.Helper()
	u, err := DecodeUpdate([]byte(eventType), []byte(data))
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

func TestTrackerFollowsStream(t *testing.T) {
	var tr Tracker
	var told []string
	for _, u := range updates(t) {
		c := tr.Update(u)
		p, known := tr.Percent()
		told = append(told, fmt.Sprintf("%v: state=%v %s%s progress=%v %v %v fields=%v uploads=%d results=%d",
			u.Kind, c.State, tr.Assembly().State, tr.Assembly().Error, c.Progress, p, known, c.Fields, len(c.Uploads), len(c.Results)))
	}
	want := []string{
		"assembly_upload_finished: state=false  progress=false 0 false fields=false uploads=1 results=0",
		"assembly_uploading_finished: state=true ASSEMBLY_EXECUTING progress=false 0 false fields=false uploads=0 results=0",
		"assembly_upload_finished: state=false ASSEMBLY_EXECUTING progress=false 0 false fields=false uploads=1 results=0",
		"assembly_upload_meta_data_extracted: state=false ASSEMBLY_EXECUTING progress=false 0 false fields=true uploads=0 results=0",
		"assembly_execution_progress: state=false ASSEMBLY_EXECUTING progress=true 50 true fields=false uploads=0 results=0",
		"assembly_result_finished: state=false ASSEMBLY_EXECUTING progress=false 50 true fields=false uploads=0 results=1",
		"assembly_result_finished: state=false ASSEMBLY_EXECUTING progress=false 50 true fields=false uploads=0 results=1",
		"assembly_execution_progress: state=false ASSEMBLY_EXECUTING progress=true 100 true fields=false uploads=0 results=0",
		"assembly_finished: state=true ASSEMBLY_COMPLETED progress=true 100 true fields=false uploads=0 results=0",
		"assembly_result_finished: state=false ASSEMBLY_COMPLETED progress=false 100 true fields=false uploads=0 results=1",
		"assembly_error: state=false ASSEMBLY_COMPLETED progress=false 100 true fields=false uploads=0 results=0",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("what the stream did (-want +got):\n%s", diff)
	}
	a := tr.Assembly()
	if len(a.Uploads) != 2 || len(a.Result("painted")) != 3 || !a.MetaDataExtracted {
		t.Errorf("%d uploads, %d results, extracted %v", len(a.Uploads), len(a.Result("painted")), a.MetaDataExtracted)
	}
	if p, known := tr.FilePercent(a.Uploads[0].ID); p != 100 || !known {
		t.Errorf("progress of the first upload: %v, %v", p, known)
	}
	want = []string{`"ok":"ASSEMBLY_COMPLETED"`, `"upload_meta_data_extracted":true`, `"painted":[{"id":"`}
	for _, part := range want {
		if got := string(mustEncode(t, &tr)); !strings.Contains(got, part) {
			t.Errorf("%s is not in %s", part, got)
		}
	}
}

func TestTrackerMeetsPolls(t *testing.T) {
	poll := func(name string) *Assembly { return mustDecode(t, payload(t, name)) }
	var tr Tracker
	if c := tr.Status(poll("assembly-uploading.json")); !c.State || !c.Fields || len(c.Uploads) != 1 || len(c.Results) != 0 {
		t.Errorf("the first poll: %+v", c)
	}
	if s := tr.Summary(); !s.ProgressKnown || s.Progress < 0.42 || s.Progress > 0.43 {
		t.Errorf("progress of the upload: %v, %v", s.Progress, s.ProgressKnown)
	}
	if c := tr.Status(poll("assembly-uploading.json")); c.Any() {
		t.Errorf("the same poll again: %+v", c)
	}
	all := updates(t)
	if c := tr.Update(all[0]); c.Any() {
		t.Errorf("an upload that the poll had: %+v", c)
	}
	for _, u := range all[1:7] {
		tr.Update(u)
	}
	if c := tr.Status(poll("assembly-executing.json")); c.State || !c.Fields || len(c.Uploads) != 0 || len(c.Results) != 0 {
		t.Errorf("a poll without news but in its fields: %+v", c)
	}
	if c := tr.Status(poll("assembly-uploading.json")); c.Any() {
		t.Errorf("an old poll: %+v", c)
	}
	if c := tr.Status(poll("assembly-rate-limit.json")); c.Any() {
		t.Errorf("a poll over the rate limit: %+v", c)
	}
	c := tr.Status(poll("assembly-completed.json"))
	if !c.State || len(c.Results) != 1 || c.Results[0].Step != "painted" || c.Results[0].File.Name != "lake-2.jpeg" {
		t.Errorf("the last poll: %+v", c)
	}
	a := tr.Assembly()
	if a.State != AssemblyCompleted || len(a.Uploads) != 2 || len(a.Result("painted")) != 3 || a.ExecutionDuration == 0 {
		t.Errorf("state %s, %d uploads, %d results, took %v", a.State, len(a.Uploads), len(a.Result("painted")), a.ExecutionDuration)
	}
	for _, u := range all {
		if c := tr.Update(u); c.State || len(c.Results) > 0 || len(c.Uploads) > 0 {
			t.Errorf("%v once more: %+v", u.Kind, c)
		}
	}
	if c := tr.Status(poll("assembly-executing.json")); c.Any() {
		t.Errorf("an old poll behind the end: %+v", c)
	}
	other := poll("assembly-executing.json")
	other.ID = "another"
	if c := tr.Status(other); c.Any() {
		t.Errorf("a poll of another Assembly: %+v", c)
	}
	wantSameJSON(t, mustEncode(t, a), mustEncode(t, &tr))
}

func TestTrackerNeverGoesBackwards(t *testing.T) {
	message := func(data string) any { return mustUpdate(t, "", data) }
	failure := mustUpdate(t, "assembly_error", `{"error":"WORKER_JOB_ERROR","msg":"no"}`)
	poll := func(state State) any { return &Assembly{ID: "a", State: state} }
	failed := &Assembly{ID: "a", Error: "INVALID_FORM_DATA"}
	tests := []struct {
		name string
		news []any
		want State
		code ErrorCode
	}{
		{"nothing", nil, "", ""},
		{"finished, then a stale poll", []any{message("assembly_finished"), poll(AssemblyExecuting), poll(AssemblyUploading)}, AssemblyCompleted, ""},
		{"finished, then a late error", []any{message("assembly_finished"), failure}, AssemblyCompleted, ""},
		{"an error", []any{message("assembly_uploading_finished"), failure}, "", "WORKER_JOB_ERROR"},
		{"an error, then stale polls", []any{failure, poll(AssemblyExecuting), message("assembly_uploading_finished")}, "", "WORKER_JOB_ERROR"},
		{"an error without a code", []any{mustUpdate(t, "assembly_error", "it broke")}, "", "assembly_error"},
		{"an error without a code, then one with", []any{mustUpdate(t, "assembly_error", "it broke"), failed}, "", "INVALID_FORM_DATA"},
		{"canceled, then an error", []any{poll(AssemblyCanceled), failure}, AssemblyCanceled, ""},
		{"executing, then an unknown code", []any{poll(AssemblyExecuting), poll("ASSEMBLY_RESTING")}, "ASSEMBLY_RESTING", ""},
		{"an unknown code, then the end", []any{poll("ASSEMBLY_RESTING"), poll(AssemblyCompleted)}, AssemblyCompleted, ""},
		{"replaying, then executing", []any{poll(AssemblyReplaying), poll(AssemblyExecuting), poll(AssemblyReplaying)}, AssemblyExecuting, ""},
		{"a poll over the rate limit", []any{poll(AssemblyExecuting), &Assembly{Error: ErrorStatusRateLimit}}, AssemblyExecuting, ""},
		{"an unknown event", []any{poll(AssemblyExecuting), mustUpdate(t, "assembly_paused", "{}")}, AssemblyExecuting, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var tr Tracker
			fold(&tr, test.news)
			if a := tr.Assembly(); a.State != test.want || a.Error != test.code {
				t.Errorf("state %q, error %q, want %q, %q", a.State, a.Error, test.want, test.code)
			}
		})
	}
}

func TestTrackerProgress(t *testing.T) {
	var tr Tracker
	for _, step := range []struct {
		data    string
		changed bool
		percent float64
		known   bool
	}{
		{`{}`, false, 0, false},
		{`{"progress_combined":null,"progress_per_original_file":[]}`, false, 0, false},
		{`{"progress_combined":0}`, true, 0, true},
		{`{"progress_combined":0}`, false, 0, true},
		{`{"progress_combined":"40.5"}`, true, 40.5, true},
		{`{"progress_combined":12}`, false, 40.5, true},
		{`{"progress_per_original_file":[{"original_id":"a","progress":3}]}`, true, 40.5, true},
		{`{"progress_per_original_file":[{"original_id":"a","progress":2}]}`, false, 40.5, true},
	} {
		c := tr.Update(mustUpdate(t, "assembly_execution_progress", step.data))
		p, known := tr.Percent()
		if c.Progress != step.changed || p != step.percent || known != step.known {
			t.Errorf("%s: changed %v, %v %v", step.data, c.Progress, p, known)
		}
	}
}

// A successful end brings all progress to its end, which is a change unless it is there already.
// What comes later is none.
func TestTrackerProgressEnds(t *testing.T) {
	finish := map[string]func(*Tracker) Change{
		"by an update": func(tr *Tracker) Change { return tr.Update(mustUpdate(t, "", "assembly_finished")) },
		"by a Status": func(tr *Tracker) Change {
			return tr.Status(mustDecode(t, []byte(`{"ok":"ASSEMBLY_COMPLETED","assembly_id":"a"}`)))
		},
	}
	for _, test := range []struct {
		name, progress string
		news           bool
		file           bool // has a FilePercent
	}{
		{"none", `{}`, true, false},
		{"half", `{"progress_combined":50,"progress_per_original_file":[{"original_id":"f","progress":48}]}`, true, true},
		{"a file is not done", `{"progress_combined":100,"progress_per_original_file":[{"original_id":"f","progress":48}]}`, true, true},
		{"all is done", `{"progress_combined":100,"progress_per_original_file":[{"original_id":"f","progress":100}]}`, false, true},
	} {
		for how, finish := range finish {
			var tr Tracker
			tr.Update(mustUpdate(t, "assembly_execution_progress", test.progress))
			if c := finish(&tr); c.Progress != test.news {
				t.Errorf("%s, ended %s: news about progress: %v", test.name, how, c.Progress)
			}
			if percent, known := tr.Percent(); percent != 100 || !known {
				t.Errorf("%s, ended %s: %v percent, %v", test.name, how, percent, known)
			}
			if percent, known := tr.FilePercent("f"); known != test.file || known && percent != 100 {
				t.Errorf("%s, ended %s: %v percent of the file, %v", test.name, how, percent, known)
			}
			if c := finish(&tr); c.Any() {
				t.Errorf("%s, ended %s twice: %+v", test.name, how, c)
			}
			late := mustUpdate(t, "assembly_execution_progress", `{"progress_combined":60,"progress_per_original_file":[{"original_id":"f","progress":60}]}`)
			if c := tr.Update(late); c.Progress == test.file {
				t.Errorf("%s, ended %s, and news of progress since: %+v", test.name, how, c)
			}
			if percent, known := tr.FilePercent("f"); percent != 100 || !known {
				t.Errorf("%s, ended %s, and news of progress since: %v percent of the file, %v", test.name, how, percent, known)
			}
		}
	}
}

// A file's better version wins, whichever way and whenever it comes.
func TestTrackerKeepsBetterFile(t *testing.T) {
	old := mustUpdate(t, "assembly_result_finished", `["s",{"id":"r","is_temp_url":true,"ssl_url":"https://tmp.example.com/r","meta":{}}]`)
	final := mustDecode(t, []byte(`{"assembly_id":"a","ok":"ASSEMBLY_EXECUTING","results":{"t":[],"s":[{"id":"r","ssl_url":"https://files.example.com/r"}]}}`))
	for _, news := range [][]any{{old, final}, {final, old}, {old, final, old, final}} {
		var tr Tracker
		fold(&tr, news)
		if got := tr.Assembly().Result("s"); len(got) != 1 || got[0].SSLURL != "https://files.example.com/r" {
			t.Errorf("got %+v", got)
		}
		if steps := tr.Assembly().Results; len(steps) != 2 || steps[0].Name != "t" {
			t.Errorf("the order of the Status's Steps is lost: %+v", steps)
		}
	}
}

// The Tracker does not depend on what it was given.
func TestTrackerCopies(t *testing.T) {
	data := []byte(`{"assembly_id":"a","ok":"ASSEMBLY_EXECUTING","uploads":[{"id":"u1"}],"results":{"step":[{"id":"r1"}]}}`)
	var a Assembly
	if err := DecodeAssemblyBorrowed(data, &a); err != nil {
		t.Fatal(err)
	}
	progress := []byte(`{"progress_per_original_file":[{"original_id":"u1","progress":7}]}`)
	u, err := DecodeUpdate([]byte("assembly_execution_progress"), progress)
	if err != nil {
		t.Fatal(err)
	}
	var tr Tracker
	tr.Status(&a)
	tr.Update(u)
	want := string(mustEncode(t, &tr))
	for i := range data {
		data[i] = '#'
	}
	for i := range progress {
		progress[i] = '#'
	}
	a = Assembly{}
	if got := string(mustEncode(t, &tr)); got != want || tr.Assembly().State != AssemblyExecuting || tr.Assembly().Results[0].Name != "step" {
		t.Errorf("the Tracker changed with its input: %s", got)
	}
	if p, known := tr.FilePercent("u1"); p != 7 || !known {
		t.Errorf("progress of u1: %v, %v", p, known)
	}
}

func fold(tr *Tracker, news []any) {
	for _, n := range news {
		switch n := n.(type) {
		case Update:
			tr.Update(n)
		case *Assembly:
			tr.Status(n)
		}
	}
}

// standingOf is all that a Tracker says, with the files and Steps sorted.
func standingOf(tb testing.TB, tr *Tracker) any {
	p, known := tr.Percent()
	return []any{generic(tb, mustEncode(tb, tr)), p, known, tr.perFile}
}

var anyOrder = cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) })

func TestTrackerAnyOrder(t *testing.T) {
	streams := [][]Update{updates(t)}
	if data, err := os.ReadFile("../../shared/captures/assembly-stream.sse"); err == nil {
		streams = append(streams, captured(t, data))
	}
	for _, stream := range streams {
		news := []any{&Assembly{Error: ErrorStatusRateLimit}}
		for _, u := range stream {
			news = append(news, u)
		}
		for _, name := range []string{"assembly-uploading.json", "assembly-executing.json", "assembly-completed.json", "assembly-canceled.json", "assembly-odd-shapes.json", "assembly-failed.json"} {
			news = append(news, mustDecode(t, payload(t, name)))
		}
		var tr Tracker
		fold(&tr, news)
		want := standingOf(t, &tr)
		for seed := range uint64(25) {
			r := rand.New(rand.NewPCG(seed, 7))
			shuffled := append(slices.Clone(news), news[r.IntN(len(news))], news[r.IntN(len(news))])
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			var tr Tracker
			fold(&tr, shuffled)
			if diff := cmp.Diff(want, standingOf(t, &tr), anyOrder); diff != "" {
				t.Fatalf("seed %d: another order leads elsewhere (-in order +shuffled):\n%s", seed, diff)
			}
			before := mustEncode(t, &tr)
			for _, n := range news {
				switch n := n.(type) {
				case Update:
					if c := tr.Update(n); c.Any() {
						t.Fatalf("seed %d: %v was no news, but: %+v", seed, n.Kind, c)
					}
				case *Assembly:
					if c := tr.Status(n); c.Any() {
						t.Fatalf("seed %d: a Status was no news, but: %+v", seed, c)
					}
				}
			}
			if !bytes.Equal(before, mustEncode(t, &tr)) {
				t.Fatalf("seed %d: what was no news has changed the Assembly", seed)
			}
		}
	}
}

// captured reads a recorded stream whose events have one line of data each.
func captured(tb testing.TB, stream []byte) []Update {
	tb.Helper()
	var all []Update
	eventType := ""
	for line := range strings.Lines(string(stream)) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "event: "); ok {
			eventType = rest
		} else if data, ok := strings.CutPrefix(line, "data: "); ok {
			all = append(all, mustUpdate(tb, eventType, data))
		} else if line == "" {
			eventType = ""
		}
	}
	return all
}

// The same failure in more words changes what the Assembly says, and so is a change.
func TestTrackerFailureInMoreWords(t *testing.T) {
	var tr Tracker
	tr.Status(&Assembly{ID: "a", Error: "E"})
	c := tr.Update(mustUpdate(t, "assembly_error", `{"error":"E","msg":"more"}`))
	if c.State || !c.Fields || tr.Assembly().Message != "more" {
		t.Errorf("%+v, message %q", c, tr.Assembly().Message)
	}
}

// The message of a Status is about its state.
func TestTrackerMessage(t *testing.T) {
	uploading := `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1","message":"The Assembly is still being uploaded."}`
	executing := `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1","message":"The Assembly is being executed."}`
	for _, tt := range []struct {
		name string
		news []any // Statuses, and updates by their kind
		want string
	}{
		{"a Status", []any{uploading}, uploading},
		{"what goes on behind it", []any{uploading, UpdateMetaDataExtracted}, `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1","message":"The Assembly is still being uploaded.","upload_meta_data_extracted":true}`},
		{"another state by update", []any{uploading, UpdateUploadingFinished}, `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1","message":null}`},
		{"another state by update, before", []any{UpdateUploadingFinished, uploading}, `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1","message":null}`},
		{"the state that the update told", []any{UpdateUploadingFinished, uploading, executing}, executing},
		{"the end of a failure that was none", []any{`{"error":"INTERNAL","assembly_id":"a1","message":"Something broke."}`, UpdateAssemblyFinished}, `{"ok":"ASSEMBLY_COMPLETED","assembly_id":"a1","error":null,"message":null}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tr Tracker
			for _, news := range tt.news {
				switch news := news.(type) {
				case string:
					tr.Status(mustDecode(t, []byte(news)))
				case UpdateKind:
					tr.Update(Update{Kind: news})
				}
			}
			var got, want any
			if err := json.Unmarshal(mustEncode(t, &tr), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A Status that goes further says which Steps there are, and what stands in the place of their
// files, whatever the one before said of them.
func TestTrackerStepsOfLaterStatus(t *testing.T) {
	const head = `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1","bytes_received":`
	for name, tt := range map[string]struct{ before, after string }{
		"a Step that is gone":                 {`{"a":[{"id":"1"}],"b":[]}`, `{"a":[{"id":"1"}]}`},
		"a Step that was no list":             {`{"a":"odd"}`, `{"a":[]}`},
		"a Step that is none now":             {`{"a":[]}`, `{"a":"odd"}`},
		"one that was no list and is gone":    {`{"a":[{"id":"1"}],"b":7}`, `{"a":[{"id":"1"}]}`},
		"Steps that have changed places":      {`{"a":[{"id":"1"}],"b":[{"id":"2"}]}`, `{"b":[{"id":"2"}],"a":[{"id":"1"}]}`},
		"files that have changed places":      {`{"a":[{"id":"1"},{"id":"2"}]}`, `{"a":[{"id":"2"},{"id":"1"}]}`},
		"a Step in front of those there were": {`{"a":[{"id":"1"}]}`, `{"b":[],"a":[{"id":"1"}]}`},
	} {
		var tr, want Tracker
		later := mustDecode(t, []byte(head+`2,"results":`+tt.after+`}`))
		tr.Status(mustDecode(t, []byte(head+`1,"results":`+tt.before+`}`)))
		tr.Status(later)
		want.Status(later)
		if got, want := string(mustEncode(t, &tr)), string(mustEncode(t, &want)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// What a Change tells elsewhere, of the state and the files, it does not tell again as fields.
func TestTrackerFields(t *testing.T) {
	const head = `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1","bytes_received":1,"message":"m"`
	for _, tt := range []struct {
		name, before, after string
		want                bool
	}{
		{"a first Status", ``, head + `}`, true},
		{"a first Status that has none", ``, `{"ok":"ASSEMBLY_EXECUTING","message":null,"uploads":[{"id":"u"}],"results":{"s":[]}}`, false},
		{"a first Status that takes one back", ``, `{"ok":"ASSEMBLY_EXECUTING","message":"m","message":null}`, false},
		{"another state", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1"}`, `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1"}`, false},
		{"a failure", `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1"}`, `{"error":"INTERNAL","assembly_id":"a1"}`, false},
		{"one more upload", head + `,"uploads":[]}`, head + `,"uploads":[{"id":"u"}]}`, false},
		{"the first upload", head + `}`, head + `,"uploads":[{"id":"u"}]}`, false},
		{"one more result", head + `,"results":{"s":[{"id":"1"}]}}`, head + `,"results":{"s":[{"id":"1"},{"id":"2"}]}}`, false},
		{"the first result", head + `}`, head + `,"results":{"s":[{"id":"1"}]}}`, false},
		{"a field that is null", head + `}`, head + `,"notify_url":null}`, false},
		{"more bytes", head + `}`, `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1","bytes_received":2,"message":"m"}`, true},
		{"another message", head + `}`, `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1","bytes_received":1,"message":"other"}`, true},
		{"a field that is not known here", head + `}`, head + `,"x":1}`, true},
		{"a field that is gone", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1","x":1}`, `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a1"}`, true},
		{"with the state", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a1"}`, head + `}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tr Tracker
			if tt.before != "" {
				tr.Status(mustDecode(t, []byte(tt.before)))
			}
			before := mustEncode(t, &tr)
			if c := tr.Status(mustDecode(t, []byte(tt.after))); c.Fields != tt.want {
				t.Errorf("%+v, want Fields: %v", c, tt.want)
			}
			if bytes.Equal(mustEncode(t, &tr), before) {
				t.Error("the Status was not taken")
			}
		})
	}
}

// An error before or after a successful end leaves nothing of what it said about itself.
func TestTrackerOverruledFailure(t *testing.T) {
	for _, tt := range []struct{ name, failure, want string }{
		{
			"an error", `{"assembly_id":"a1","error":"WORKER_JOB_ERROR","http_code":400,"message":"no","reason":"why","step":"resize","previousStep":":original","worker":"w1","info":{"retryIn":9},"region":"r"}`,
			`{"assembly_id":"a1","error":null,"http_code":0,"message":null,"reason":null,"step":null,"previousStep":null,"worker":null,"info":null,"region":"r","ok":"ASSEMBLY_COMPLETED"}`,
		},
		{
			"a crash", `{"errno":-111,"code":"ECONNREFUSED","syscall":"connect","port":6379}`,
			`{"errno":null,"code":null,"syscall":null,"port":6379,"ok":"ASSEMBLY_COMPLETED"}`,
		},
	} {
		end, failure := mustUpdate(t, "", "assembly_finished"), mustDecode(t, []byte(tt.failure))
		for order, news := range map[string][]any{"before": {failure, end}, "behind": {end, failure}} {
			t.Run(tt.name+" "+order, func(t *testing.T) {
				var tr Tracker
				fold(&tr, news)
				wantSameJSON(t, []byte(tt.want), mustEncode(t, &tr))
				if a := tr.Assembly(); a.Phase() != Succeeded {
					t.Errorf("phase %v", a.Phase())
				}
			})
		}
	}
}

// A crash has no code of the API's, and gets none.
func TestTrackerCrash(t *testing.T) {
	const crash = `{"errno":-111,"code":"ECONNREFUSED","syscall":"connect"}`
	var tr Tracker
	if c := tr.Status(mustDecode(t, []byte(crash))); !c.Fields {
		t.Errorf("the crash was no news: %+v", c)
	}
	if a := tr.Assembly(); !a.Failed() || !a.Terminal() || a.Error != "" {
		t.Errorf("phase %v, error %q", a.Phase(), a.Error)
	}
	if got := string(mustEncode(t, &tr)); got != crash {
		t.Errorf("got %s", got)
	}
}

// Where two failures are as far on, what is said of one does not become the other's.
func TestTrackerTwoFailures(t *testing.T) {
	for _, tt := range []struct{ name, want, other string }{
		{"crashes", `{"code":"ZZ","errno":1,"message":"aa"}`, `{"code":"AA","errno":1,"message":"bb"}`},
		{"crashes told by their system call", `{"syscall":"ZZ","message":"aa"}`, `{"syscall":"AA","message":"bb"}`},
		{"crashes told by their number", `{"errno":9,"message":"aa"}`, `{"errno":1,"message":"bb"}`},
		{"errors", `{"error":"ZZ","message":"aa"}`, `{"error":"AA","message":"bb"}`},
	} {
		want, other := mustDecode(t, []byte(tt.want)), mustDecode(t, []byte(tt.other))
		for _, news := range [][]any{{want, other}, {other, want}} {
			var tr Tracker
			fold(&tr, news)
			if got := string(mustEncode(t, &tr)); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
		}
	}
}

// Reason and info, which says when to try again, belong to their error, even where the Status that
// says more is not the one whose code counts.
func TestTrackerFailuresNotMixed(t *testing.T) {
	for _, tt := range []struct{ name, a, b string }{
		{"crashes", `{"code":"ZZ","errno":1,"message":"m"}`, `{"code":"AA","errno":1,"message":"longer","syscall":"connect"}`},
		{"errors", `{"error":"ZZ","message":"m","reason":"z"}`, `{"error":"AA","message":"longer","reason":"because","info":{"retryIn":9}}`},
		{"an error behind more bytes", `{"error":"ZZ","bytes_received":1,"step":"s1","reason":"z"}`, `{"error":"AA","bytes_received":2,"step":"s2","reason":"because"}`},
	} {
		a, b := mustDecode(t, []byte(tt.a)), mustDecode(t, []byte(tt.b))
		for _, news := range [][]any{{a, b}, {b, a}} {
			var tr Tracker
			fold(&tr, news)
			if got := string(mustEncode(t, &tr)); got != tt.a && got != tt.b {
				t.Errorf("%s: got %s, which is neither %s nor %s", tt.name, got, tt.a, tt.b)
			}
		}
	}
}

// What comes in the stream is about the Assembly, even with a code that is about the request
// where a poll is answered with it.
func TestTrackerRequestCodes(t *testing.T) {
	for _, code := range []ErrorCode{ErrorServer, ErrorRateLimit, ErrorStatusRateLimit} {
		var tr Tracker
		if c := tr.Status(&Assembly{ID: "a1", Error: code}); c.Any() || tr.Assembly().ID != "" {
			t.Errorf("a Status with %s is not ignored: %+v", code, c)
		}
		if c := tr.Update(mustUpdate(t, "assembly_error", `{"error":"`+code.String()+`"}`)); !c.State {
			t.Errorf("an event with %s: %+v", code, c)
		}
		for range 2 {
			if a := tr.Assembly(); !a.Failed() || !a.Terminal() || a.Error != "assembly_error" || !strings.Contains(a.Message, code.String()) {
				t.Errorf("after an event with %s: phase %v, error %q, message %q", code, a.Phase(), a.Error, a.Message)
			}
			tr.Status(&Assembly{ID: "a1", State: AssemblyExecuting})
		}
		tr = Tracker{}
		if tr.Update(mustUpdate(t, "assembly_error", `{"error":"`+code.String()+`","msg":"it broke"}`)); tr.Assembly().Message != "it broke" {
			t.Errorf("%s: message %q", code, tr.Assembly().Message)
		}
	}
}

// All that an assembly_error says is said by the Assembly, whatever a Status said before.
func TestTrackerFailure(t *testing.T) {
	const want = `{"error":"E","http_code":400,"message":"no","step":"resize","previousStep":":original","worker":"w1"}`
	for _, before := range []string{
		`{}`, `{"ok":"ASSEMBLY_EXECUTING","http_code":200,"message":"m"}`,
		`{"error":"D","http_code":500,"message":"not","step":"s","previousStep":"p","worker":"w"}`,
	} {
		var tr Tracker
		tr.Status(mustDecode(t, []byte(before)))
		tr.Update(mustUpdate(t, "assembly_error", `{"error":"E","http_code":400,"msg":"no","step":"resize","previousStep":":original","worker":"w1"}`))
		got := generic(t, mustEncode(t, &tr)).(map[string]any)
		if got["ok"] == nil {
			delete(got, "ok")
		}
		if diff := cmp.Diff(generic(t, []byte(want)), any(got)); diff != "" {
			t.Errorf("behind %s (-want +got):\n%s", before, diff)
		}
	}
}

// Of two ends that contradict each other the same one counts in both orders.
func TestTrackerContradictingEnds(t *testing.T) {
	for _, tt := range []struct{ counts, other State }{
		{AssemblyCanceled, RequestAborted}, {AssemblyCompleted, AssemblyCanceled}, {AssemblyCompleted, RequestAborted},
	} {
		for _, order := range [][]State{{tt.counts, tt.other}, {tt.other, tt.counts}} {
			var tr Tracker
			for _, state := range order {
				tr.Status(&Assembly{ID: "a1", State: state})
			}
			if got := tr.Assembly().State; got != tt.counts {
				t.Errorf("%v: %s", order, got)
			}
		}
	}
}

// Which of two Statuses is further on does not depend on what counts less.
func TestTrackerFurtherStatus(t *testing.T) {
	const more = `,"message":"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"`
	for _, tt := range []struct{ name, further, other string }{
		{"by its state", `"ok":"ASSEMBLY_EXECUTING"`, `"ok":"ASSEMBLY_UPLOADING","bytes_received":9,"uploads":[{"id":"u"}],"execution_duration":9` + more},
		{"by its bytes", `"ok":"ASSEMBLY_EXECUTING","bytes_received":2`, `"ok":"ASSEMBLY_EXECUTING","bytes_received":1,"uploads":[{"id":"u"}],"execution_duration":9` + more},
		{"by its uploads", `"ok":"ASSEMBLY_EXECUTING","uploads":[{"id":"u"}]`, `"ok":"ASSEMBLY_EXECUTING","execution_duration":9` + more},
		{"by its results", `"ok":"ASSEMBLY_EXECUTING","results":{"s":[{"id":"1"}]}`, `"ok":"ASSEMBLY_EXECUTING","execution_duration":9` + more},
		{"by its duration", `"ok":"ASSEMBLY_EXECUTING","execution_duration":2`, `"ok":"ASSEMBLY_EXECUTING","execution_duration":1` + more},
		{"by its length", `"ok":"ASSEMBLY_EXECUTING","message":"aa"`, `"ok":"ASSEMBLY_EXECUTING","message":"b"`},
		{"by its text", `"ok":"ASSEMBLY_EXECUTING","message":"b"`, `"ok":"ASSEMBLY_EXECUTING","message":"a"`},
	} {
		further := mustDecode(t, []byte(`{"assembly_id":"a1",`+tt.further+`}`))
		other := mustDecode(t, []byte(`{"assembly_id":"a1",`+tt.other+`}`))
		for _, news := range [][]any{{further, other}, {other, further}} {
			var tr Tracker
			fold(&tr, news)
			if a := tr.Assembly(); a.Message != further.Message || a.BytesReceived != further.BytesReceived || a.ExecutionDuration != further.ExecutionDuration {
				t.Errorf("%s: got %s", tt.name, mustEncode(t, &tr))
			}
		}
	}
}

// A Step outlives the bytes that named it, and its files are recognized when they come again.
func TestTrackerCopiesSteps(t *testing.T) {
	doc := `{"assembly_id":"a1","ok":"ASSEMBLY_EXECUTING","results":{"resized":[{"id":"1"},{"name":"no id"}]}}`
	data := []byte(doc)
	var a Assembly
	if err := DecodeAssemblyBorrowed(data, &a); err != nil {
		t.Fatal(err)
	}
	var tr Tracker
	c := tr.Status(&a)
	for i := range data {
		data[i] = '#'
	}
	if len(c.Results) != 2 || c.Results[0].Step != "resized" || c.Results[1].Step != "resized" || c.Results[1].File.Name != "no id" {
		t.Errorf("the news changed with the document: %+v", c.Results)
	}
	if c := tr.Status(mustDecode(t, []byte(doc))); c.Any() {
		t.Errorf("the same poll again: %+v", c)
	}
	for _, file := range []string{`{"id":"1"}`, `{"name":"no id"}`} {
		if c := tr.Update(mustUpdate(t, "assembly_result_finished", `["resized",`+file+`]`)); c.Any() {
			t.Errorf("a result that the poll had: %+v", c)
		}
	}
	if got := len(tr.Assembly().Result("resized")); got != 2 {
		t.Errorf("%d results", got)
	}
}

// A result of which an update does not say where it belongs comes with the Status that does.
func TestTrackerResultWithoutStep(t *testing.T) {
	result := mustUpdate(t, "assembly_result_finished", `{"id":"r","name":"lake.pdf"}`)
	listed := mustDecode(t, []byte(`{"assembly_id":"a","ok":"ASSEMBLY_EXECUTING","results":{"s":[{"id":"r","name":"lake.pdf"}]}}`))
	for _, news := range [][]any{{result, listed}, {listed, result}} {
		var tr Tracker
		fold(&tr, news)
		if all := tr.Assembly().Results; len(all) != 1 || all[0].Name != "s" || len(all[0].Files) != 1 {
			t.Errorf("got %+v", all)
		}
		if c := tr.Update(result); c.Any() {
			t.Errorf("a change: %+v", c)
		}
	}
}

// What stands where a file should be is kept as it is, each for itself.
func TestTrackerFilesThatAreNone(t *testing.T) {
	const doc = `{"assembly_id":"a1","ok":"ASSEMBLY_EXECUTING","uploads":[7,"x",null],"results":{"s":[7,[8]]}}`
	var tr Tracker
	for range 2 {
		tr.Status(mustDecode(t, []byte(doc)))
		if got := string(mustEncode(t, &tr)); got != doc {
			t.Errorf("got  %s\nwant %s", got, doc)
		}
	}
}

// While the Assembly is uploading, its progress is that of the upload.
func TestTrackerSummaryProgress(t *testing.T) {
	const uploading, executing = `{"ok":"ASSEMBLY_UPLOADING","bytes_received":1,"bytes_expected":4}`, `{"ok":"ASSEMBLY_EXECUTING","bytes_received":4,"bytes_expected":4}`
	for _, tt := range []struct {
		name, status, progress string
		want                   float64
		known                  bool
	}{
		{"nothing", `{}`, `{}`, 0, false},
		{"uploading", uploading, `{}`, 0.25, true},
		{"uploading, and already executed in part", uploading, `{"progress_combined":50}`, 0.25, true},
		{"executing", executing, `{}`, 0, false},
		{"executed in part", executing, `{"progress_combined":50}`, 0.5, true},
		{"nothing executed", executing, `{"progress_combined":0}`, 0, true},
		{"completed", `{"ok":"ASSEMBLY_COMPLETED"}`, `{"progress_combined":50}`, 1, true},
	} {
		var tr Tracker
		tr.Status(mustDecode(t, []byte(tt.status)))
		tr.Update(mustUpdate(t, "assembly_execution_progress", tt.progress))
		if s := tr.Summary(); s.Progress != tt.want || s.ProgressKnown != tt.known {
			t.Errorf("%s: %v, %v, want %v, %v", tt.name, s.Progress, s.ProgressKnown, tt.want, tt.known)
		}
	}
}
