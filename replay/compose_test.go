package replay_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// compose returns the reel of a document, which must be sealed, and the same again.
func compose(t testing.TB, document string) string {
	t.Helper()
	var reel, again bytes.Buffer
	if err := replay.Compose(&reel, []byte(document)); err != nil {
		t.Fatalf("%v\n%s", err, clip(document))
	}
	if err := replay.Compose(&again, []byte(document)); err != nil || again.String() != reel.String() {
		t.Errorf("composed again (%v), the same document gives\n%s\nafter\n%s", err, clip(again.String()), clip(reel.String()))
	}
	if !mustLoad(t, reel.String()).Sealed() {
		t.Errorf("the reel is not sealed:\n%s", clip(reel.String()))
	}
	return reel.String()
}

// statuses returns the documents that there are to test with, by name.
func statuses(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"../testdata/*.json", "../../shared/captures/*.json", "../../shared/docs/*.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all[strings.TrimSuffix(filepath.Base(file), ".json")] = string(data)
		}
	}
	if len(all) < 11 {
		t.Fatalf("only %d documents found", len(all))
	}
	return all
}

// update is an event of a composed stream.
type update struct {
	at              time.Duration
	eventType, data string
}

// updates returns the events of a stream, and checks that each is a read of its own.
func updates(t testing.TB, x exchange) []update {
	t.Helper()
	var all []update
	for i, r := range x.Reads {
		in := ssewire.NewReader(strings.NewReader(r.Data))
		n := 0
		for in.Next() {
			ev := in.Event()
			all = append(all, update{r.At, string(ev.Type), string(ev.Data)})
			n++
		}
		if i > 0 && n != 1 || i == 0 && (n != 0 || in.LastEventID() == "") {
			t.Errorf("read %d has %d events: %q", i, n, clip(r.Data))
		}
	}
	return all
}

// files lists the files that a tracker knows, as JSON.
func files(t testing.TB, tr *status.Tracker) (all []string) {
	t.Helper()
	add := func(where string, f *status.File) {
		text, err := f.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		if text[0] == '{' { // of what stands among the files and is none, the stream has no word
			all = append(all, where+" "+string(text))
		}
	}
	a := tr.Assembly()
	for i := range a.Uploads {
		add("upload", &a.Uploads[i])
	}
	for i := range a.Results {
		for k := range a.Results[i].Files {
			add(a.Results[i].Name, &a.Results[i].Files[k])
		}
	}
	return all
}

func decodeAssembly(t testing.TB, document string) *status.Assembly {
	t.Helper()
	a := new(status.Assembly)
	if err := status.DecodeAssembly([]byte(document), a); err != nil {
		t.Fatalf("%v\n%s", err, clip(document))
	}
	return a
}

// The reel of a Status, line by line.
func TestComposeReel(t *testing.T) {
	const document = `{ "ok": "ASSEMBLY_COMPLETED",
  "http_code": 200, "assembly_id": "a1", "error_free": [ 1.0 ],
  "assembly_ssl_url": "https://api2-vm1.example.com/assemblies/a1",
  "update_stream_url": "https://api2-vm1.example.com/ws7?assembly=a1&token=t0p",
  "bytes_received": 400, "bytes_expected": 400, "upload_duration": 1.046,
  "start_date": "2026/05/07 16:10:57 GMT", "execution_start": "2026/05/07 16:10:58 GMT", "execution_duration": 5,
  "queue_duration": 0.054, "upload_meta_data_extracted": true,
  "uploads": [ {"id": "u1", "size": 100}, {"size": 300, "id": "u2", "meta": {"width": 1.50}} ],
  "results": { "small": [ {"id": "r1", "original_id": "u1", "exec_time": 1 }, {"id": "r2", "original_id": "u2", "exec_time": 2 } ],
    "<both>": [ {"id": "r3", "original_id": [ "u1", "u2" ], "queueTime": 0.5, "execTime": 0.5 } ] }
}
`
	const want = `reel 1
@ 2026-05-07T16:10:57Z
# Composed by ssereel from the final Status of Assembly a1, not recorded:
# the progress, and moments that the Status does not name, are made up.
> 1 +0 GET https://api2-vm1.example.com/assemblies/a1
> 1 accept: application/json
< 1 +0.02 200
< 1 content-length: 450
< 1 content-type: application/json; charset=utf-8
= 1 +0.001 450
\{"ok":"ASSEMBLY_UPLOADING","http_code":200,"assembly_id":"a1","error_free":[1.0],"assembly_ssl_url":"https://api2-vm1.example.com/assemblies/a1","update_stream_url":"https://api2-vm1.example.com/ws7?assembly=a1&token=t0p","bytes_received":0,"bytes_expected":400,"upload_duration":0,"start_date":"2026/05/07 16:10:57 GMT","execution_start":null,"execution_duration":null,"queue_duration":0,"upload_meta_data_extracted":false,"uploads":[],"results":{}}
. 1 +0 eof
> 2 +0.004 GET https://api2-vm1.example.com/ws7?assembly=a1&token=REDACTED
> 2 accept: text/event-stream
< 2 +0.02 200
< 2 cache-control: no-cache
< 2 content-type: text/event-stream
= 2 +0.001
|id: a1
|
= 2 +0.25
|event: assembly_upload_finished
|data: {"id":"u1","size":100}
|
= 2 +0.75
|event: assembly_upload_finished
|data: {"size":300,"id":"u2","meta":{"width":1.50}}
|
= 2 +0.001
|data: assembly_uploading_finished
|
= 2 +0.001
|data: assembly_upload_meta_data_extracted
|
= 2 +1.252
|event: assembly_result_finished
|data: ["small",{"id":"r1","original_id":"u1","exec_time":1}]
|
= 2 +0.8
|event: assembly_execution_progress
|data: {"progress_combined":44,"progress_per_original_file":[{"original_id":"u1","progress":61},{"original_id":"u2","progress":27}]}
|
= 2 +1.6
|event: assembly_result_finished
|data: ["small",{"id":"r2","original_id":"u2","exec_time":2}]
|
= 2 +0.4
|event: assembly_execution_progress
|data: {"progress_combined":77,"progress_per_original_file":[{"original_id":"u1","progress":88},{"original_id":"u2","progress":66}]}
|
= 2 +0.8
|event: assembly_result_finished
|data: ["<both>",{"id":"r3","original_id":["u1","u2"],"queueTime":0.5,"execTime":0.5}]
|
= 2 +0.2
|event: assembly_execution_progress
|data: {"progress_combined":100,"progress_per_original_file":[{"original_id":"u1","progress":100},{"original_id":"u2","progress":100}]}
|
= 2 +0.001
|data: assembly_finished
|
. 2 +0.001 eof
> 3 +0.001 GET https://api2-vm1.example.com/assemblies/a1
> 3 accept: application/json
< 3 +0.02 200
< 3 content-length: 824
< 3 content-type: application/json; charset=utf-8
= 3 +0.001
`
	got := compose(t, document)
	// The sizes and sums are the Writer's business.
	var lines []string
	for line := range strings.Lines(got[:max(0, strings.Index(got, "\n|{ \"ok\""))+1]) {
		if strings.HasPrefix(line, "= 2") || strings.HasPrefix(line, "= 3") {
			line = line[:strings.LastIndexByte(line, ' ')] + "\n"
		}
		if strings.HasPrefix(line, ". ") {
			line, _, _ = strings.Cut(line, " bytes=")
			line += "\n"
		}
		lines = append(lines, line)
	}
	if d := cmp.Diff(want, strings.Join(lines, "")); d != "" {
		t.Errorf("the reel (-want +got):\n%s", d)
	}
	if x := contents(t, mustLoad(t, got))[2]; x.body() != document {
		t.Errorf("the last poll finds %q, not the document", x.body())
	}
}

// Whatever document there is: the reel begins at its beginning and ends with it, byte by
// byte, and the events between make the one of the other.
func TestComposeDocuments(t *testing.T) {
	composed := map[bool]int{}
	for name, document := range statuses(t) {
		d, err := status.Decode([]byte(document))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, isAssembly := d.(*status.Assembly)
		if !d.Summary().Terminal() || d.Summary().ID == "" {
			continue
		}
		composed[isAssembly]++
		t.Run(name, func(t *testing.T) {
			rec := mustLoad(t, compose(t, document))
			all := contents(t, rec)
			for _, x := range all {
				if x.Status != 200 || x.End != replay.EndEOF || x.Method != "GET" {
					t.Errorf("exchange %d: %s, status %d, end %q", x.Number, x.Method, x.Status, x.End)
				}
			}
			if last := all[len(all)-1]; last.body() != document || last.URL != all[0].URL {
				t.Errorf("the last poll, of %s, finds\n%s", last.URL, clip(last.body()))
			}
			if text := strings.Join(rec.Comments(), " "); !strings.Contains(text, "Composed by ssereel") || !strings.Contains(text, d.Summary().ID) {
				t.Errorf("the comment is %q", text)
			}
			if isAssembly {
				wantFolded(t, all, a)
			} else {
				wantProgress(t, all)
			}
		})
	}
	if composed[true] < 4 || composed[false] < 2 {
		t.Errorf("composed %d Assemblies and %d jobs, want more", composed[true], composed[false])
	}
}

// wantFolded checks that what the exchanges of an Assembly tell adds up to its final Status.
func wantFolded(t testing.TB, all []exchange, final *status.Assembly) {
	t.Helper()
	if len(all) != 3 {
		t.Fatalf("there are %d exchanges, want 3", len(all))
	}
	var whole, folded status.Tracker
	whole.Status(final)
	first := decodeAssembly(t, all[0].body())
	if first.State != status.AssemblyUploading || first.ID != final.ID || first.BytesReceived != 0 || first.Failed() ||
		len(first.Uploads) > 0 || len(first.Results) > 0 || !first.ExecutionStart.IsZero() {
		t.Errorf("the first poll finds\n%s", all[0].body())
	}
	folded.Status(first)
	stream := updates(t, all[1])
	percent := 0.0
	for _, u := range stream {
		got, err := status.DecodeUpdate([]byte(u.eventType), []byte(u.data))
		if err != nil {
			t.Errorf("%s: %v", u.data, err)
		}
		if strings.ContainsAny(u.data, "\r\n") {
			t.Errorf("%s breaks its line", clip(u.data))
		}
		if u.eventType == "assembly_execution_progress" {
			if got.Percent < percent || got.Percent > 100 {
				t.Errorf("progress goes from %v to %v", percent, got.Percent)
			}
			percent = got.Percent
			for id, p := range got.PerFile() {
				if was, known := folded.FilePercent(string(id)); known && p < was || p > 100 {
					t.Errorf("progress of %s goes from %v to %v", id, was, p)
				}
			}
		} else if !folded.Update(got).Any() {
			t.Errorf("%s %s is no news", u.eventType, clip(u.data))
		}
		folded.Update(got)
	}
	if d := cmp.Diff(files(t, &whole), files(t, &folded)); d != "" {
		t.Errorf("the files, by the Status and by the stream (-Status +stream):\n%s", d)
	}
	state := final.State
	a := folded.Assembly()
	code := final.Error
	if final.Phase() == status.Canceled { // by assembly_error
		state, code = "", status.ErrorCode(final.State)
	}
	if crashed := final.Failed() && code == ""; !crashed && (a.State != state || a.Error != code) { // of which the stream says more
		t.Errorf("the stream leaves the Assembly at %q, %q; want %q, %q", a.State, a.Error, state, code)
	}
	if final.Failed() && (a.Message != final.Message || a.HTTPCode != final.HTTPCode || a.Step != final.Step || a.Worker != final.Worker) {
		t.Errorf("assembly_error tells of %q %d %q %q, the Status of %q %d %q %q",
			a.Message, a.HTTPCode, a.Step, a.Worker, final.Message, final.HTTPCode, final.Step, final.Worker)
	}
	if done := percent == 100; done != (final.State == status.AssemblyCompleted) {
		t.Errorf("progress ends at %v", percent)
	}
	if final.Phase() == status.Canceled {
		code = "" // which the last poll does not call an error
	}
	folded.Status(decodeAssembly(t, all[2].body()))
	if d := cmp.Diff(files(t, &whole), files(t, &folded)); d != "" || folded.Assembly().State != final.State || folded.Assembly().Error != code || folded.Assembly().Phase() != final.Phase() {
		t.Errorf("the last poll leaves the Assembly at %q, %q, and the files at (-want +got)\n%s", folded.Assembly().State, folded.Assembly().Error, d)
	}
}

// wantProgress checks that the polls of a job only ever tell of more.
func wantProgress(t testing.TB, all []exchange) {
	t.Helper()
	var was status.Job
	for i, x := range all {
		var j status.Job
		if err := status.DecodeJob([]byte(x.body()), &j); err != nil {
			t.Fatal(err)
		}
		if i > 0 && (j.ID != was.ID || j.Progress < was.Progress || len(j.History) < len(was.History)) {
			t.Errorf("poll %d goes back, from\n%s\nto\n%s", i, all[i-1].body(), x.body())
		}
		if last := i == len(all)-1; j.Terminal() != last || !last && (j.Asset.ID != "" || len(j.Metadata.AssetIDs) > 0 || j.Metadata.Error != "") {
			t.Errorf("poll %d of %d finds\n%s", i, len(all), x.body())
		}
		was = j
	}
}

// What the stream tells of, and when, in milliseconds.
func TestComposeStream(t *testing.T) {
	const (
		dates   = `"start_date":"2026/05/07 16:10:57 GMT","execution_start":"2026/05/07 16:10:58 GMT"`
		upload  = `"uploads":[{"id":"u","size":1}]`
		results = `"results":{"s":[{"id":"r","original_id":"u"},{"id":"q"}]}`
	)
	for _, test := range []struct{ name, document, want string }{
		{"nothing but an id", `{"ok":"ASSEMBLY_COMPLETED"`,
			"1001 uploading, 1002 metadata, 3000 100%, 3001 finished"},
		{"an upload and results", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":1.5,"execution_duration":3,` + dates + "," + upload + "," + results,
			"1500 upload, 1501 uploading, 1502 metadata, 2900 result, 3500 85%, 4300 result, 4500 100%, 4501 finished"},
		{"a queue", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":1,"queue_duration":0.5,"execution_duration":1`,
			"1001 uploading, 1002 metadata, 2500 100%, 2501 finished"},
		{"a wait that only the dates tell of", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":1,"execution_duration":1,"start_date":"2026/05/07 16:10:57 GMT","execution_start":"2026/05/07 16:11:07 GMT"`,
			"1001 uploading, 1002 metadata, 11000 100%, 11001 finished"},
		{"execution beside a long upload", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":10,"execution_duration":4,` + dates + `,"uploads":[{"id":"u","size":1},{"id":"v","size":1}],"results":{"s":[{"id":"r","original_id":"u"},{"id":"q","original_id":"v"}]}`,
			"3000 0%, 5000 0%, 5023 upload, 5024 result, 7000 50%, 9000 50%, 10000 upload, 10001 uploading, 10001 result, 10002 metadata, 10010 100%, 10011 finished"},
		{"no duration but the last job", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":1,"last_job_completed":"2026/05/07 16:11:00 GMT",` + dates,
			"1001 uploading, 1002 metadata, 3000 100%, 3001 finished"},
		{"a last job long before the end", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":1,"execution_duration":5,"last_job_completed":"2026/05/07 16:11:00 GMT",` + dates + "," + results,
			"1001 uploading, 1002 metadata, 2000 result, 3000 result, 3000 100%, 5000 100%, 6000 100%, 6001 finished"},
		{"the slowest job, where nothing else tells", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":1,"results":{"s":[{"id":"r","queue_time":1,"exec_time":2}]}`,
			"1001 uploading, 1002 metadata, 3000 71%, 3800 result, 4000 100%, 4001 finished"},
		{"meta data that were not extracted", `{"ok":"ASSEMBLY_COMPLETED","upload_meta_data_extracted":false,"upload_duration":1`,
			"1001 uploading, 3000 100%, 3001 finished"},
		{"canceled in the execution", `{"ok":"ASSEMBLY_CANCELED","upload_duration":1,"execution_duration":3,` + dates + "," + upload + "," + results,
			"1000 upload, 1001 uploading, 1002 metadata, 2400 result, 3000 51%, 3800 result, 4001 {\"error\":\"ASSEMBLY_CANCELED\",\"ok\":\"ASSEMBLY_CANCELED\",\"msg\":\"The Assembly was canceled.\",\"message\":\"The Assembly was canceled.\"}"},
		{"canceled in the upload", `{"ok":"ASSEMBLY_CANCELED","upload_duration":1,"execution_start":null,` + upload,
			`1000 upload, 1011 {"error":"ASSEMBLY_CANCELED","ok":"ASSEMBLY_CANCELED","msg":"The Assembly was canceled.","message":"The Assembly was canceled."}`},
		{"aborted", `{"ok":"REQUEST_ABORTED","upload_duration":0.5`, `511 {"error":"REQUEST_ABORTED","ok":"REQUEST_ABORTED","msg":"The Assembly was canceled.","message":"The Assembly was canceled."}`},
		{"failed in the upload", `{"error":"MAX_SIZE_EXCEEDED","message":"m","upload_duration":1,` + upload,
			`1000 upload, 1011 {"error":"MAX_SIZE_EXCEEDED","msg":"m","message":"m"}`},
		{"failed in the execution", `{"error":"E","http_code":400,"step":"s","previousStep":null,"upload_duration":1,"execution_duration":1,` + dates,
			`1001 uploading, 1002 metadata, 2001 {"error":"E","http_code":400,"step":"s"}`},
		{"crashed", `{"errno":-111,"code":"ECONNREFUSED","syscall":"connect","upload_duration":1`,
			`1011 {"errno":-111,"code":"ECONNREFUSED","syscall":"connect"}`},
		{"what is no file", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":1,"execution_duration":1,"uploads":[null,"u"],"results":{"s":[7,{"id":"r"}],"t":{},"u":null}`,
			"1001 uploading, 1002 metadata, 1900 result, 2000 100%, 2001 finished"},
		{"files without a name", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":1,"execution_duration":1,"uploads":[{}],"results":{"":[{}]}`,
			"1000 upload, 1001 uploading, 1002 metadata, 1900 result, 2000 100%, 2001 finished"},
		{"dates in the wrong order", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":1,"execution_duration":1,"start_date":"2026/05/07 16:10:57 GMT","execution_start":"2026/05/07 16:10:00 GMT","last_job_completed":"2025/05/07 16:10:57 GMT"`,
			"1001 uploading, 1002 metadata, 2000 100%, 2001 finished"},
		{"durations below zero", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":-1,"execution_duration":-1,"queue_duration":-7,"uploads":[{"id":"u","size":-5}],"results":{"s":[{"id":"r","original_id":"u","exec_time":-3}]}`,
			"1000 upload, 1001 uploading, 1002 metadata, 2800 result, 3000 100%, 3001 finished"},
		{"absurd durations", `{"ok":"ASSEMBLY_COMPLETED","upload_duration":9e9,"execution_duration":1e300,"queue_duration":8640001`,
			"1001 uploading, 1002 metadata, 3000 100%, 3001 finished"},
	} {
		t.Run(test.name, func(t *testing.T) {
			document := test.document + `,"assembly_id":"a"}`
			all := contents(t, mustLoad(t, compose(t, document)))
			wantFolded(t, all, decodeAssembly(t, document))
			var got []string
			for _, u := range updates(t, all[1]) {
				what := u.data
				switch u.eventType {
				case "assembly_execution_progress":
					what = strings.TrimPrefix(what, `{"progress_combined":`)
					what = what[:strings.IndexByte(what, ',')] + "%"
				case "":
					what = map[string]string{"assembly_uploading_finished": "uploading", "assembly_upload_meta_data_extracted": "metadata", "assembly_finished": "finished"}[what]
				case "assembly_upload_finished", "assembly_result_finished":
					what = strings.Split(u.eventType, "_")[1]
				}
				got = append(got, fmt.Sprintf("%d %s", u.at.Milliseconds(), what))
			}
			if d := cmp.Diff(test.want, strings.Join(got, ", ")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestComposeURLs(t *testing.T) {
	for _, test := range []struct{ name, fields, poll, stream string }{
		{"as the Status says", `"assembly_ssl_url":"https://a.example/assemblies/a","update_stream_url":"https://a.example/ws1?assembly=a","websocket_url":"https://b.example/ws2"`,
			"https://a.example/assemblies/a", "https://a.example/ws1?assembly=a"},
		{"an older Status", `"assembly_ssl_url":"https://a.example/assemblies/a","websocket_url":"https://b.example/ws2"`,
			"https://a.example/assemblies/a", "https://b.example/ws2?assembly=a"},
		{"none", `"assembly_ssl_url":null`,
			"https://api2.transloadit.com/assemblies/a", "https://api2.transloadit.com/ws?assembly=a"},
		{"no URLs at all", `"assembly_ssl_url":"::","update_stream_url":"ws"`,
			"https://api2.transloadit.com/assemblies/a", "https://api2.transloadit.com/ws?assembly=a"},
		{"longer than a reel can hold", `"assembly_ssl_url":"https://a.example/` + strings.Repeat("a", 9<<20) + `"`,
			"https://api2.transloadit.com/assemblies/a", "https://api2.transloadit.com/ws?assembly=a"},
		{"credentials", `"assembly_ssl_url":"https://u:p@a.example/assemblies/a?signature=s"`,
			"https://REDACTED@a.example/assemblies/a?signature=REDACTED", "https://a.example/ws?assembly=a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rec := mustLoad(t, compose(t, `{"ok":"ASSEMBLY_COMPLETED","assembly_id":"a",`+test.fields+`}`))
			x := rec.Exchanges()
			if x[0].URL != test.poll || x[1].URL != test.stream || x[2].URL != test.poll || !x[1].IsEventStream() {
				t.Errorf("exchanges of %s, %s and %s", x[0].URL, x[1].URL, x[2].URL)
			}
			madeUp := strings.Contains(strings.Join(rec.Comments(), " "), "So is the URL")
			if want := strings.HasSuffix(test.stream, "/ws?assembly=a"); madeUp != want {
				t.Errorf("the comments say that the URL is made up: %v, want %v: %q", madeUp, want, rec.Comments())
			}
		})
	}
}

// Whatever the fields say about time, there is a reel, of a bearable length.
func TestComposeAnyTime(t *testing.T) {
	dates := []string{`null`, `"2026/05/07 16:10:57 GMT"`, `"1970/01/01 00:00:00 GMT"`, `"9999-12-31T23:59:59Z"`, `"yesterday"`}
	durations := []string{`null`, `0`, `-1`, `0.0000001`, `8640000`, `9223372036.8`, `"5"`, `{}`}
	n := 0
	for _, ok := range []string{`"ok":"ASSEMBLY_COMPLETED"`, `"ok":"ASSEMBLY_CANCELED"`, `"error":"E"`} {
		for i := 0; i < len(dates)*len(dates)*len(dates)*len(durations); i += 7 {
			pick := func(from []string) string {
				n++
				return from[(i/(1+n%len(from))+n)%len(from)]
			}
			document := fmt.Sprintf(`{%s,"assembly_id":"a","start_date":%s,"execution_start":%s,"last_job_completed":%s,"upload_duration":%s,"execution_duration":%s,"queue_duration":%s,"uploads":[{"id":"u","size":%s},{"id":"v","size":9e15}],"results":{"s":[{"id":"r","original_id":["u","v"],"queue_time":%s,"exec_time":%s},{"id":"q","exec_time":%s}]}}`,
				ok, dates[i%5], dates[i/5%5], dates[i/25%5], pick(durations), pick(durations), pick(durations), pick(durations), pick(durations), pick(durations), pick(durations))
			var reel bytes.Buffer
			if err := replay.Compose(&reel, []byte(document)); err != nil {
				t.Fatalf("%v: %s", err, document)
			}
			rec := mustLoad(t, reel.String())
			if d := rec.Duration(); d > 301*24*time.Hour || reel.Len() > 100<<10 {
				t.Errorf("%v, %d bytes: %s", d, reel.Len(), document)
			}
			wantFolded(t, contents(t, rec), decodeAssembly(t, document))
			if t.Failed() {
				t.Fatal(document)
			}
		}
	}
}

// Thousands of files over thirty days: all of them are told of, in order, each result behind its
// upload, and the progress does not make the reel many times as long.
func TestComposeLarge(t *testing.T) {
	const n = 3000
	var uploads, results []string
	for i := range n {
		pad := strings.Repeat("x", 300)
		uploads = append(uploads, fmt.Sprintf(`{"id":"u%d","size":%d,"name":%q}`, i, i*1000, pad))
		results = append(results, fmt.Sprintf(`{"id":"r%d","original_id":"u%d","exec_time":%d,"name":%q}`, i, i, i%7, pad))
	}
	document := fmt.Sprintf(`{"ok":"ASSEMBLY_COMPLETED","assembly_id":"a","upload_duration":86400,"execution_duration":2592000,"start_date":"2026/05/07 16:10:57 GMT","execution_start":"2026/05/07 18:10:57 GMT","uploads":[%s],"results":{"s":[%s]}}`,
		strings.Join(uploads, ","), strings.Join(results, ","))
	reel := compose(t, document)
	if len(reel) > 5*len(document) {
		t.Errorf("%d bytes make a reel of %d", len(document), len(reel))
	}
	all := contents(t, mustLoad(t, reel))
	wantFolded(t, all, decodeAssembly(t, document))
	uploaded := map[string]time.Duration{}
	progress := 0
	for _, u := range updates(t, all[1]) {
		got, err := status.DecodeUpdate([]byte(u.eventType), []byte(u.data))
		if err != nil {
			t.Fatal(err)
		}
		switch u.eventType {
		case "assembly_upload_finished":
			uploaded[got.File.ID] = u.at
		case "assembly_result_finished":
			if at, ok := uploaded[got.File.OriginalID]; !ok || at >= u.at {
				t.Fatalf("%s comes at %v, its upload at %v", got.File.ID, u.at, at)
			}
		case "assembly_execution_progress":
			progress++
		}
	}
	if progress < 5 || progress > 30 {
		t.Errorf("progress is told %d times", progress)
	}
	if d := all[2].Ended; d < 2592000*time.Second || d > 2700000*time.Second {
		t.Errorf("the reel lasts %v, want thirty days and a little", d)
	}
}

// A long Assembly with few files tells of its progress some hundreds of times.
func TestComposeLong(t *testing.T) {
	all := contents(t, mustLoad(t, compose(t, `{"ok":"ASSEMBLY_COMPLETED","assembly_id":"a","execution_duration":86400,"uploads":[{"id":"u"}]}`)))
	if n := len(updates(t, all[1])); n < 150 || n > 250 {
		t.Errorf("a day has %d events", n)
	}
}

// poll is what a poll of a job finds.
type poll struct {
	At       int64 // ms
	Status   string
	Progress float64
	History  int
	Updated  string
}

func pollsIn(t *testing.T, reel string) (all []poll) {
	t.Helper()
	for _, x := range contents(t, mustLoad(t, reel)) {
		var j status.Job
		if err := status.DecodeJob([]byte(x.body()), &j); err != nil {
			t.Fatal(err)
		}
		if x.URL != "https://api.cloud.scenario.com/v1/jobs/"+j.ID {
			t.Errorf("polled %s", x.URL)
		}
		updated, _ := j.Lookup("updatedAt").Text()
		all = append(all, poll{x.Sent.Milliseconds(), j.Status.String(), j.Progress, len(j.History), updated})
	}
	return all
}

func TestComposeJob(t *testing.T) {
	const day = "2026-05-07T"
	for _, test := range []struct {
		name, document string
		want           []poll
	}{
		{"its history", statuses(t)["job-success"], []poll{
			{0, "queued", 0, 1, day + "16:10:57.161Z"},
			{859, "warming-up", 0, 2, day + "16:10:58.020Z"},
			{2000, "warming-up", 0, 2, day + "16:10:58.020Z"},
			{2339, "in-progress", 0, 3, day + "16:10:59.500Z"},
			{4000, "in-progress", 0.44, 3, day + "16:10:59.500Z"},
			{5739, "finalizing", 0.90, 4, day + "16:11:02.900Z"},
			{6000, "finalizing", 0.97, 4, day + "16:11:02.900Z"},
			{6089, "success", 1, 5, day + "16:11:03.250Z"},
		}},
		{"a history that does not tell the end", statuses(t)["job-workflow-failure"], []poll{
			{0, "queued", 0, 1, day + "16:10:57.161Z"},
			{859, "warming-up", 0, 2, day + "16:10:58.020Z"},
			{2000, "warming-up", 0, 2, day + "16:10:58.020Z"},
			{2339, "in-progress", 0, 3, day + "16:10:59.500Z"},
			{3339, "failure", 0.6, 3, day + "16:10:59.500Z"},
		}},
		{"no history", `{"jobId":"j","status":"canceled","createdAt":"2026-05-07T16:10:57Z","updatedAt":"2026-05-07T16:11:00Z","asset":{"id":"x"}}`, []poll{
			{0, "queued", 0, 0, day + "16:10:57Z"},
			{2000, "queued", 0, 0, day + "16:10:57Z"},
			{3000, "canceled", 0, 0, day + "16:11:00Z"},
		}},
		{"a history that never gets to work", `{"job":{"jobId":"j","status":"success","progress":1,"statusHistory":[{"status":"queued"}]}}`, []poll{
			{0, "queued", 0, 1, ""},
			{1000, "success", 1, 1, ""},
		}},
		{"a step before the one before it", `{"job":{"jobId":"j","status":"canceled","createdAt":"2026-05-07T16:10:57Z","statusHistory":[{"status":"queued","date":"2026-05-07T16:10:58.5Z"},{"status":"pending","date":"2026-05-07T16:10:58Z"},{"status":"canceled","date":"2026-05-07T16:11:00Z"}]}}`, []poll{
			{0, "queued", 0, 0, ""},
			{1500, "queued", 0, 1, ""},
			{2000, "queued", 0, 1, ""},
			{2500, "pending", 0, 2, ""},
			{3000, "canceled", 0, 3, ""},
		}},
		{"dates that are none", `{"job":{"jobId":"j","status":"success","progress":1,"statusHistory":[{"status":"queued","date":"a"},{"status":"in-progress","date":"b"},{"status":"success","date":"c"}]}}`, []poll{
			{0, "queued", 0, 1, ""},
			{1000, "in-progress", 0, 2, ""},
			{2000, "success", 1, 3, ""},
		}},
		{"dates that go back", `{"job":{"jobId":"j","status":"failure","progress":0.25,"statusHistory":[{"status":"pending","date":"2026-05-07T16:10:57Z"},{"status":"in-progress","date":"2026-05-06T16:10:57Z"},{"status":"failure","date":"2526-05-06T16:10:57Z"}]}}`, []poll{
			{0, "pending", 0, 1, ""},
			{1000, "in-progress", 0, 2, ""},
			{2000, "failure", 0.25, 3, ""},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			reel := compose(t, test.document)
			got := pollsIn(t, reel)
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("polls (-want +got):\n%s", d)
			}
			wantProgress(t, contents(t, mustLoad(t, reel)))
		})
	}
}

// The nodes of a workflow have not begun before the job has ended: nobody knows when they did.
func TestComposeWorkflow(t *testing.T) {
	for i, x := range contents(t, mustLoad(t, compose(t, statuses(t)["job-workflow-failure"])))[:4] {
		var j status.Job
		if err := status.DecodeJob([]byte(x.body()), &j); err != nil {
			t.Fatal(err)
		}
		if len(j.Metadata.Flow) != 3 {
			t.Fatalf("poll %d finds %d nodes", i, len(j.Metadata.Flow))
		}
		for _, node := range j.Metadata.Flow {
			if node.Status != "pending" || len(node.Assets) > 0 || node.ID == "" {
				t.Errorf("poll %d finds node %q %s with %d assets", i, node.ID, node.Status, len(node.Assets))
			}
		}
	}
}

// A history of thousands of entries gives a bearable number of polls.
func TestComposeLongHistory(t *testing.T) {
	var history []string
	start := time.Date(2026, 5, 7, 16, 10, 57, 0, time.UTC)
	for i := range 5000 {
		history = append(history, fmt.Sprintf(`{"status":%q,"date":%q}`, []string{"queued", "in-progress"}[i%2], start.Add(time.Duration(i)*time.Minute).Format(time.RFC3339)))
	}
	reel := compose(t, `{"job":{"jobId":"j","status":"success","progress":1,"statusHistory":[`+strings.Join(history, ",")+`]}}`)
	if got := pollsIn(t, reel); len(got) < 10 || len(got) > 25 || got[len(got)-1].Status != "success" {
		t.Errorf("%d polls, the last %+v", len(got), got[len(got)-1])
	}
	wantProgress(t, contents(t, mustLoad(t, reel)))
}

func TestComposeRefuses(t *testing.T) {
	all := statuses(t)
	var syntax *status.SyntaxError
	for _, test := range []struct {
		name, document string
		want           error  // nil for one that has no name
		tells          string // in the message
	}{
		{"uploading", all["assembly-uploading"], replay.ErrNotFinal, `ok is "ASSEMBLY_UPLOADING": fetch https://api2-vm1.example.com/assemblies/7f40274dfed01705d5f649ed0b9d9fce until ok is ASSEMBLY_COMPLETED`},
		{"executing", all["assembly-executing"], replay.ErrNotFinal, `ok is "ASSEMBLY_EXECUTING"`},
		{"unknown state", `{"ok":"ASSEMBLY_\u001bDREAMING","assembly_id":"a"}`, replay.ErrNotFinal, `ok is "ASSEMBLY_\x1bDREAMING": fetch https://api2.transloadit.com/assemblies/a until`},
		{"no state", `{"assembly_id":"a"}`, replay.ErrNotFinal, `ok is ""`},
		{"too many polls", all["assembly-rate-limit"], replay.ErrNotFinal, `error is "ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED", which is about the request`},
		{"a secret in the URL", `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a","assembly_ssl_url":"https://a.example/?signature=t0p"}`, replay.ErrNotFinal, "signature=REDACTED"},
		{"job", all["job-in-progress"], replay.ErrNotFinal, `status is "in-progress": fetch https://api.cloud.scenario.com/v1/jobs/job_9dddd5ce1b1375bc497feeb8 until it is success, failure or canceled`},
		{"crash below the API", all["assembly-crash"], nil, "no assembly_id"},
		{"no Assembly", `{"error":"ASSEMBLY_NOT_FOUND"}`, nil, "no assembly_id"},
		{"no job", `{"job":{"status":"success"}}`, nil, "no jobId"},
		{"an id with a line break", `{"ok":"ASSEMBLY_COMPLETED","assembly_id":"a\nb"}`, nil, `assembly_id is "a\nb"`},
		{"an id without end", `{"ok":"ASSEMBLY_COMPLETED","assembly_id":"` + strings.Repeat("a", 9<<20) + `"}`, nil, `assembly_id is "aaa`},
		{"something else", `{"a":1}`, status.ErrUnknownDocument, ""},
		{"cut off", `{"ok":"ASSEMBLY_COMP`, nil, "byte"},
		{"nothing", ``, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var reel bytes.Buffer
			err := replay.Compose(&reel, []byte(test.document))
			if err == nil || test.want != nil && !errors.Is(err, test.want) || test.want == nil && errors.Is(err, replay.ErrNotFinal) ||
				!strings.Contains(err.Error(), test.tells) || len(err.Error()) > 500 || strings.Contains(err.Error(), "t0p") {
				t.Errorf("error %v; want %v, and that it tells %q", err, test.want, test.tells)
			}
			if cut := test.name == "cut off" || test.name == "nothing"; cut != errors.As(err, &syntax) {
				t.Errorf("%T is a SyntaxError: want %v", err, cut)
			}
			if reel.Len() > 0 {
				t.Errorf("wrote %q", clip(reel.String()))
			}
		})
	}
}

// A disk that is full anywhere is an error, and what is there can be read.
func TestComposeDiskFull(t *testing.T) {
	for _, document := range []string{statuses(t)["assembly-failed"], statuses(t)["job-success"]} {
		whole := compose(t, document)
		for room := 0; room < len(whole); room += 1 + room/40 {
			d := &disk{room: room}
			if err := replay.Compose(d, []byte(document)); !errors.Is(err, errFull) || d.after > 0 {
				t.Errorf("room for %d of %d bytes: %v, and %d writes after it", room, len(whole), err, d.after)
			}
			if _, err := load(d.String()); room > len("reel 1\n") && !errors.Is(err, replay.ErrTruncated) && err != nil {
				t.Errorf("room for %d of %d bytes: %v", room, len(whole), err)
			}
		}
	}
}

// The document need not come as a service sends it; what matters are its values.
func TestComposeLayout(t *testing.T) {
	document := statuses(t)["assembly-failed"]
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(document)); err != nil {
		t.Fatal(err)
	}
	a, b := contents(t, mustLoad(t, compose(t, document))), contents(t, mustLoad(t, compose(t, compact.String())))
	if d := diff(a[:2], b[:2]); d != "" {
		t.Errorf("indented and compact differ:\n%s", d)
	}
	if b[2].body() != compact.String() || b[2].Header.Get("Content-Length") != strconv.Itoa(compact.Len()) {
		t.Errorf("the last poll finds %s", b[2].body())
	}
	if slices.ContainsFunc(a[1].Reads, func(p piece) bool { return strings.Contains(p.Data, "  \"") }) {
		t.Error("the stream has indented JSON")
	}
}
