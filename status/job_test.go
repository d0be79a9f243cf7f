package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustDecodeJob(tb testing.TB, data []byte) *Job {
	tb.Helper()
	j := new(Job)
	if err := DecodeJob(data, j); err != nil {
		tb.Fatal(err)
	}
	return j
}

func TestDecodeJob(t *testing.T) {
	j := mustDecodeJob(t, payload(t, "job-success.json"))
	if j.Status != JobSuccess || j.Progress != 1 || j.Type != "detection" || j.Phase() != Succeeded || !j.Terminal() || j.CreativeUnitsCost != 1.5 {
		t.Errorf("%+v", j)
	}
	if want := time.Date(2026, 5, 7, 16, 11, 3, 250e6, time.UTC); !j.UpdatedAt.Equal(want) || len(j.History) != 5 || j.History[3].Status != JobFinalizing || !j.History[4].Date.Equal(want) {
		t.Errorf("updated %v, history %+v", j.UpdatedAt, j.History)
	}
	if len(j.Metadata.AssetIDs) != 1 || j.Metadata.AssetIDs[0] != j.Asset.ID || j.Asset.Kind != "image" || j.Billing.Cost != 1.5 {
		t.Errorf("metadata %+v, asset %+v, billing %+v", j.Metadata, j.Asset, j.Billing)
	}
	if size, ok := j.Asset.Properties.Get("size").Int64(); !ok || size != 48211 {
		t.Errorf("properties %s", j.Asset.Properties)
	}

	w := mustDecodeJob(t, payload(t, "job-workflow-failure.json"))
	if w.Phase() != Failed || w.Metadata.Error != `node "detect" failed` || len(w.Metadata.Flow) != 3 {
		t.Fatalf("%+v", w)
	}
	flow := w.Metadata.Flow
	if flow[0].ModelID != "model_lake" || flow[1].DependsOn[0] != "detect" || flow[2].Assets[0].URL != "https://cdn.example.com/asset_1.png" || flow[2].Count != 1 || flow[0].Inputs.kind() != '[' {
		t.Errorf("flow %+v", flow)
	}
}

func TestDecodeReferenceJob(t *testing.T) {
	data, err := os.ReadFile("../../shared/captures/scenario-detect-response.json")
	if err != nil {
		data = payload(t, "job-workflow-failure.json")
	}
	j := mustDecodeJob(t, data)
	if len(j.Metadata.Flow) == 0 || j.ID == "" || j.Phase() == Unknown {
		t.Errorf("%+v", j)
	}
	wantSameJSON(t, data, mustEncode(t, j))
}

func TestJobRoundTrip(t *testing.T) {
	all := payloads(t)
	for name, data := range all {
		// Any object is a job, if an odd one, and must not lose anything.
		wantSameJSON(t, data, mustEncode(t, mustDecodeJob(t, data)))
		j := mustDecodeJob(t, data)
		viaJSON, err := json.Marshal(j)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantSameJSON(t, data, viaJSON)
	}
	for _, data := range []string{
		`{"jobId":"a","status":"queued","progress":0.10,"x":[1.0]}`,
		`{"job":{"jobId":"a","status":"queued"},"status":"x","jobId":"y","progress":2}`,
		`{"status":"x","jobId":"y","job":{"jobId":"a","status":"queued"}}`,
		`{"job":null,"jobId":"y","status":"x"}`, `{"jobId":"y","status":"x","job":7}`,
		`{"job":{"jobId":"a"},"job":{"status":"success"},"asset":null}`,
		`{"job":{"metadata":null,"billing":[],"statusHistory":{},"progress":"0.5","createdAt":3}}`,
		`{"job":{"metadata":{"assetIds":"one","flow":[null,{"assets":[1,{"assetId":2}],"dependsOn":null}]}}}`, `{}`,
	} {
		wantSameJSON(t, []byte(data), mustEncode(t, mustDecodeJob(t, []byte(data))))
	}
}

// What stands beside a job is not the job's, even where the job is empty.
func TestJobIsEmpty(t *testing.T) {
	for _, rest := range []string{``, `,"x":"` + strings.Repeat("far from the end ", 10) + `"`} {
		j := mustDecodeJob(t, []byte(`{"createdAt":"2026-05-07T16:10:57.000Z","job":{},"status":"success","creativeUnitsCost":2`+rest+`}`))
		if j.Status != "" || !j.CreatedAt.IsZero() || j.CreativeUnitsCost != 2 {
			t.Errorf("status %q, created at %v, cost %v", j.Status, j.CreatedAt, j.CreativeUnitsCost)
		}
	}
}

func TestJobAssigned(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{`{"job":{"jobId":"a","progress":0.50,"createdAt":"2026-05-07T16:10:57.161Z","metadata":{"x":1}}}`,
			`{"job":{"jobId":"b","progress":0.75,"createdAt":"2026-05-07T16:10:58.161Z","metadata":{"x":1,"assetIds":["n"]},"status":"success"}}`},
		{`{"jobId":"a","progress":0.50,"createdAt":"2026-05-07T16:10:57.161Z","metadata":{"x":1}}`,
			`{"jobId":"b","progress":0.75,"createdAt":"2026-05-07T16:10:58.161Z","metadata":{"x":1,"assetIds":["n"]},"status":"success"}`},
	} {
		j := mustDecodeJob(t, []byte(test.data))
		j.ID, j.Progress, j.Status, j.CreatedAt = "b", 0.75, JobSuccess, j.CreatedAt.Add(time.Second)
		j.Metadata.AssetIDs = []string{"n"}
		if got := string(mustEncode(t, j)); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	j := &Job{ID: "a", Status: JobQueued, History: []JobEvent{{Status: JobQueued}}, Asset: Asset{ID: "x"}}
	if got := string(mustEncode(t, j)); got != `{"asset":{"id":"x"},"job":{"jobId":"a","status":"queued","statusHistory":[{"status":"queued"}]}}` {
		t.Errorf("made by hand: %s", got)
	}
	if got := string(mustEncode(t, new(Job))); got != "{}" {
		t.Errorf("a zero Job: %s", got)
	}
}

func TestPeekJob(t *testing.T) {
	for _, test := range []struct {
		data string
		want JobHead
	}{
		{`{"job":{"jobId":"a","status":"queued","progress":0.5},"x":`, JobHead{"a", JobQueued, 0.5}},
		{`{"asset":{"status":"success"},"job":{"x":{"status":"y"},"progress":"0.25","status":"warming-up","jobId":"b"}}`, JobHead{"b", JobWarmingUp, 0.25}},
		{`{"jobId":"a","status":"melting"}`, JobHead{"a", "melting", 0}},
		{`{"status":"x","job":{"jobId":"a"},"progress":1}`, JobHead{"a", "", 0}},
		{`{"\u006aob":{"job\u0049d":"\u0061","status":"can\u0063eled"}}`, JobHead{"a", JobCanceled, 0}},
		{`{"job":null,"jobId":"a"}`, JobHead{}},
		{`{}`, JobHead{}},
	} {
		h, err := PeekJob([]byte(test.data))
		if err != nil || h != test.want {
			t.Errorf("PeekJob(%s) = %+v, %v, want %+v", test.data, h, err, test.want)
		}
	}
	for _, data := range []string{``, `[]`, `{"job":{"jobId":"a"}`, `{"job":{"jobId":"a",}}`, `{"job":{"jobId":"a"}} x`, `{"a":tru}`} {
		var syntax *SyntaxError
		if h, err := PeekJob([]byte(data)); !errors.As(err, &syntax) {
			t.Errorf("PeekJob(%q) = %+v, %v, want a *SyntaxError", data, h, err)
		}
	}
	for name, data := range payloads(t) {
		if !strings.HasPrefix(name, "job") {
			continue
		}
		j := mustDecodeJob(t, data)
		if h, err := PeekJob(data); err != nil || h != (JobHead{j.ID, j.Status, j.Progress}) || h.Phase() != j.Phase() || h.Terminal() != j.Terminal() {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
		if n := testing.AllocsPerRun(10, func() { _, _ = PeekJob(data) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// PeekJob stops when it has seen all it wants, and no sooner.
func TestPeekJobReadsAll(t *testing.T) {
	facts := []string{`"jobId":"a"`, `"status":"success"`, `"progress":0.5`}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		job := `{` + facts[order[0]] + `,` + facts[order[1]] + `,` + facts[order[2]]
		for _, data := range []string{
			job + `}`,
			`{"job":` + job + `}}`,
			// What has been seen of another job does not count.
			`{"jobId":"x","status":"queued","job":` + job + `}}`,
			`{"status":"queued","progress":1,"job":` + job + `}}`,
			`{"progress":1,"jobId":"x","job":` + job + `}}`,
			`{"job":{"jobId":"x","status":"queued"},"job":` + job + `}}`,
			`{"job":{"status":"queued","progress":1},"job":` + job + `}}`,
			`{"job":null,"jobId":"x","status":"queued","progress":1,"job":` + job + `}}`,
			`{"job":7,"job":` + job + `}}`,
			`{"jobId":"x","status":"queued","job":{"progress":1}}`,
			`{"job":{"x":{"jobId":"x","status":"queued","progress":1},"jobId":"a"}}`,
		} {
			j := mustDecodeJob(t, []byte(data))
			if h, err := PeekJob([]byte(data)); err != nil || h != (JobHead{j.ID, j.Status, j.Progress}) {
				t.Errorf("PeekJob(%s) = %+v, %v, DecodeJob says %q, %q, %v", data, h, err, j.ID, j.Status, j.Progress)
			}
		}
		want := JobHead{"a", JobSuccess, 0.5}
		for _, data := range []string{job + `,"x":tru`, job + `,"jobId":"b"}`, `{"job":` + job + `,"x":tru`, `{"job":` + job + `},"x":tru`, `{"x":1,"job":` + job + `}} x`} {
			if h, err := PeekJob([]byte(data)); err != nil || h != want {
				t.Errorf("PeekJob(%s) = %+v, %v, want %+v", data, h, err, want)
			}
		}
	}
}

// PeekJob and DecodeJob accept the same depth.
func TestPeekJobDepth(t *testing.T) {
	for _, form := range []string{`{"x":%s}`, `{"job":%s}`, `{"jobId":%s}`, `{"job":{"x":%s}}`, `{"job":{"status":%s}}`, `{"job":{"x":{"y":%s}}}`} {
		for n := maxDepth - 4; n <= maxDepth+1; n++ {
			for _, nested := range []string{strings.Repeat("[", n) + strings.Repeat("]", n), strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)} {
				data := fmt.Appendf(nil, form, nested)
				want := DecodeJob(data, new(Job))
				if _, err := PeekJob(data); !reflect.DeepEqual(err, want) {
					t.Errorf(form+": %v, DecodeJob says %v", nested[:6]+"…", err, want)
				}
			}
		}
	}
}

func TestJobPhases(t *testing.T) {
	want := map[JobStatus]Phase{"": Unknown, JobQueued: Waiting, JobPending: Waiting, JobWarmingUp: Waiting, JobInProgress: Running, JobFinalizing: Running,
		JobSuccess: Succeeded, JobFailure: Failed, JobCanceled: Canceled, "melting": Running}
	got := map[JobStatus]Phase{}
	for status := range want {
		got[status] = status.Phase()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Decoders share tables, which none of them may write to. The race detector notices that
// at once, and so does the last line without it.
func TestDecodeJobsAtTheSameTime(t *testing.T) {
	var all sync.WaitGroup
	for name, data := range payloads(t) {
		if !strings.HasPrefix(name, "job") {
			continue
		}
		for range 2 {
			all.Go(func() {
				if err := DecodeJob(data, new(Job)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	all.Wait()
	if inOrder.layout != nil {
		t.Error("a decoder has taken the guess that is for all of them as its own")
	}
}
