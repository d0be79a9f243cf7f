package replay_test

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/status"
)

// What has become of the jobs that a recording tells of?
func ExampleRecording_Documents() {
	recording, err := replay.Open("../testdata/assembly.reel")
	if err != nil {
		log.Fatal(err)
	}
	defer recording.Close()
	for document := range recording.Documents() {
		sum := document.Summary()
		fmt.Println(sum.System, sum.ID, sum.State, sum.Results)
	}
	// Output:
	// assembly 55a46ab12179453a8a20921a058b7546 ASSEMBLY_COMPLETED [{generated_images 3}]
}

// exchangeLines are those of an exchange in a reel, whose response begins and ends the given
// seconds behind the line in front.
func exchangeLines(number int, target, contentType, begins, ends, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "> %d +0 GET %s\n< %d +%s 200\n< %d content-type: %s\n= %d +0\n", number, target, number, begins, number, contentType, number)
	for line := range strings.Lines(body) {
		if text, ok := strings.CutSuffix(line, "\n"); ok {
			b.WriteString("|" + text + "\n")
		} else {
			b.WriteString(`\` + line + "\n")
		}
	}
	fmt.Fprintf(&b, ". %d +%s eof\n", number, ends)
	return b.String()
}

// manyConnections are a stream that broke behind each of a thousand results.
func manyConnections(id string, stream func(number int, id, events string) string) string {
	var b strings.Builder
	for i := range 1000 {
		b.WriteString(stream(i+1, id, fmt.Sprintf("event: assembly_result_finished\ndata: [\"thumb\",{\"id\":\"r%d\"}]\n\n", i)))
	}
	return b.String()
}

func TestDocuments(t *testing.T) {
	const (
		one, two = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
		origin   = "https://api2.example"
	)
	poll := func(number int, id, document string) string {
		return exchangeLines(number, origin+"/assemblies/"+id, "application/json", "1", "0", document)
	}
	stream := func(number int, id, events string) string {
		return exchangeLines(number, origin+"/ws20219?assembly="+id, "text/event-stream", "0", "1", "id: "+id+"\n\n"+events)
	}
	job := func(number int, document string) string {
		return exchangeLines(number, "https://api.cloud.scenario.com/v1/jobs/job_1", "application/json", "1", "0", document)
	}
	const (
		executing = `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"` + one + `","account_name":"a","results":{}}`
		completed = `{"ok":"ASSEMBLY_COMPLETED","assembly_id":"` + one + `","results":{"thumb":[{"id":"r1"}]}}`
		result    = "event: assembly_result_finished\ndata: [\"thumb\",{\"id\":\"r%d\"}]\n\n"
		finished  = "data: assembly_finished\n\n"
	)
	for _, tt := range []struct {
		name, reel string
		want       []string // the summaries: system, id, state, progress, uploads, results
	}{
		{"no job", exchangeLines(1, "/v1/chat", "text/event-stream", "0", "0", "data: hello\n\n"), nil},
		{"nothing", "", nil},
		{"polls alone", poll(1, one, executing) + poll(2, one, completed), []string{"assembly 0123 ASSEMBLY_COMPLETED 1 0 [{thumb 1}]"}},
		{"an old poll behind the end", poll(1, one, completed) + poll(2, one, executing), []string{"assembly 0123 ASSEMBLY_COMPLETED 1 0 [{thumb 1}]"}},
		{"a stream alone", stream(1, one, fmt.Sprintf(result, 1)+fmt.Sprintf(result, 2)+finished), []string{"assembly 0123 ASSEMBLY_COMPLETED 1 0 [{thumb 2}]"}},
		{"a stream that tells nothing yet", stream(1, one, ""), []string{"assembly 0123  - 0 []"}},
		{"progress", stream(1, one, "event: assembly_execution_progress\ndata: {\"progress_combined\":50}\n\n"), []string{"assembly 0123  0.5 0 []"}},
		{"a poll and a stream that tells more", poll(1, one, executing) + stream(2, one, fmt.Sprintf(result, 1)+finished+fmt.Sprintf(result, 2)), []string{"assembly 0123 ASSEMBLY_COMPLETED 1 0 [{thumb 2}]"}},
		{"a stream and a poll that tells the same", stream(1, one, fmt.Sprintf(result, 1)+finished) + poll(2, one, completed), []string{"assembly 0123 ASSEMBLY_COMPLETED 1 0 [{thumb 1}]"}},
		{"a stream over two connections", stream(1, one, fmt.Sprintf(result, 1)) + stream(2, one, fmt.Sprintf(result, 2)+finished), []string{"assembly 0123 ASSEMBLY_COMPLETED 1 0 [{thumb 2}]"}},
		{"an event that was cut off", stream(1, one, fmt.Sprintf(result, 1)+strings.TrimSuffix(fmt.Sprintf(result, 2), "\n")), []string{"assembly 0123  - 0 [{thumb 1}]"}},
		{"a document that was cut off", poll(1, one, executing) + poll(2, one, completed[:len(completed)-1]), []string{"assembly 0123 ASSEMBLY_EXECUTING - 0 []"}},
		{"two Assemblies in the order of their beginning", stream(1, two, finished) + poll(2, one, completed), []string{"assembly fedc ASSEMBLY_COMPLETED 1 0 []", "assembly 0123 ASSEMBLY_COMPLETED 1 0 [{thumb 1}]"}},
		{"a job between two Assemblies",
			stream(1, two, finished) + job(2, `{"job":{"jobId":"job_1","jobType":"detection","status":"queued","progress":0}}`) + poll(3, one, completed) +
				job(4, `{"job":{"jobId":"job_1","jobType":"detection","status":"success","progress":1,"metadata":{"assetIds":["x"]}}}`),
			[]string{"assembly fedc ASSEMBLY_COMPLETED 1 0 []", "scenario job_ success 1 0 [{detection 1}]", "assembly 0123 ASSEMBLY_COMPLETED 1 0 [{thumb 1}]"}},
		{"a job whose last document was cut off",
			job(1, `{"job":{"jobId":"job_1","status":"queued","progress":0}}`) + job(2, `{"job":{"jobId":"job_1","status":"succ`),
			[]string{"scenario job_ queued 0 0 []"}},
		{"a job of which nothing can be decoded",
			job(1, `{"job":{"jobId":"job_1","status":"queued"},}`) + job(2, `{"job":{"jobId":"job_1","status":"success"},}`), nil},
		{"a stream of something else, with an Assembly's id in its URL", stream(1, one, "data: hello\n\n"), nil},
		{"an event of tomorrow on an Assembly's stream", stream(1, one, "data: assembly_paused\n\n"+finished), []string{"assembly 0123 ASSEMBLY_COMPLETED 1 0 []"}},
		{"a thousand connections", manyConnections(one, stream), []string{"assembly 0123  - 0 [{thumb 1000}]"}},
		{"no compression, as it is called", strings.Replace(poll(1, one, completed), "content-type", "content-encoding: identity\n< 1 content-type", 1),
			[]string{"assembly 0123 ASSEMBLY_COMPLETED 1 0 [{thumb 1}]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := mustLoad(t, "reel 1\n"+tt.reel)
			for range 2 { // and the same again
				var got []string
				for d := range rec.Documents() {
					sum, progress := d.Summary(), "-"
					if sum.ProgressKnown {
						progress = fmt.Sprint(sum.Progress)
					}
					got = append(got, fmt.Sprint(sum.System, " ", sum.ID[:4], " ", sum.State, " ", progress, " ", sum.Uploads, " ", sum.Results))
					text, err := d.AppendJSON(nil)
					if err != nil || !json.Valid(text) {
						t.Errorf("AppendJSON: %s, %v", text, err)
					}
				}
				if fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Errorf("got  %q\nwant %q", got, tt.want)
				}
			}
			for range rec.Documents() {
				break
			}
		})
	}
}

// The document of a composed recording is the one that it was composed from.
func TestDocumentsComposed(t *testing.T) {
	for _, name := range []string{"assembly-completed", "assembly-failed", "assembly-canceled"} {
		t.Run(name, func(t *testing.T) {
			document, err := os.ReadFile("../testdata/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var reel strings.Builder
			if err := replay.Compose(&reel, document); err != nil {
				t.Fatal(err)
			}
			var want status.Assembly
			if err := status.DecodeAssembly(document, &want); err != nil {
				t.Fatal(err)
			}
			n := 0
			for d := range mustLoad(t, reel.String()).Documents() {
				n++
				got := d.(*status.Tracker).Assembly()
				if got.State != want.State || got.Error != want.Error || len(got.Uploads) != len(want.Uploads) || got.AccountName != want.AccountName {
					t.Errorf("%+v\nwant %+v", got, want)
				}
				for _, step := range want.Results {
					if len(got.Result(step.Name)) != len(step.Files) {
						t.Errorf("Step %s has %d results, want %d", step.Name, len(got.Result(step.Name)), len(step.Files))
					}
				}
			}
			if n != 1 {
				t.Errorf("%d documents", n)
			}
		})
	}
}
