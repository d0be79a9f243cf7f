package fuzz

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ssereel/ssereel/status"
)

// trackerNews is one piece of news for a Tracker, chosen by two bytes.
func trackerNews(t *testing.T, kind, detail byte) any {
	t.Helper()
	decode := func(doc string, args ...any) *status.Assembly {
		a := new(status.Assembly)
		if err := status.DecodeAssembly(fmt.Appendf(nil, doc, args...), a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	update := func(eventType, data string, args ...any) status.Update {
		u, err := status.DecodeUpdate([]byte(eventType), fmt.Appendf(nil, data, args...))
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	n := int(detail)
	states := []string{"ASSEMBLY_UPLOADING", "ASSEMBLY_EXECUTING", "ASSEMBLY_REPLAYING", "ASSEMBLY_COMPLETED", "ASSEMBLY_CANCELED", "REQUEST_ABORTED", "ASSEMBLY_RESTING"}
	switch kind % 10 {
	case 0:
		return update("assembly_upload_finished", `{"id":"u%d","size":%d,"is_temp_url":%v}`, n%4, n/8, n/4%2 == 0)
	case 1:
		return update("assembly_result_finished", `["s%d",{"id":"r%d","x":%d}]`, n%2, n/2%4, n/8)
	case 2:
		return update("assembly_execution_progress", `{"progress_combined":%d,"progress_per_original_file":[{"original_id":"u%d","progress":%d}]}`, n%101, n%4, n/4)
	case 3:
		return update("", "assembly_finished")
	case 4:
		return update("message", "assembly_uploading_finished")
	case 5:
		return update("", "assembly_upload_meta_data_extracted")
	case 6:
		return update("assembly_error", `{"error":"E%d","msg":"m%d"}`, n%3, n/3)
	case 7:
		return decode(`{"ok":%q,"assembly_id":"a","bytes_received":%d,"uploads":[{"id":"u%d"}],"results":{"s%d":[{"id":"r%d"},{"name":"no id"}],"empty":null}}`, states[n%len(states)], n, n%4, n%3, n%4)
	case 8:
		return decode(`{"error":"E%d","http_code":400,"assembly_id":"a"}`, n%5)
	}
	return decode(`{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","http_code":429,"assembly_id":"a"}`)
}

func trackerFold(tr *status.Tracker, n any) status.Change {
	if u, ok := n.(status.Update); ok {
		return tr.Update(u)
	}
	return tr.Status(n.(*status.Assembly))
}

// trackerRank orders states; the Tracker must never go down in it.
func trackerRank(a *status.Assembly) int {
	switch {
	case a.Error != "":
		return 5
	case a.State == "":
		return 0
	case a.State == status.AssemblyCompleted:
		return 8
	case a.State.Terminal():
		return 7
	}
	return 1
}

// trackerPercents is all that a Tracker says of progress.
func trackerPercents(tr *status.Tracker) string {
	percent, known := tr.Percent()
	s := fmt.Sprint(percent, known)
	for id := range 4 {
		percent, known := tr.FilePercent(fmt.Sprintf("u%d", id))
		s += fmt.Sprint(" ", percent, known)
	}
	return s
}

// FuzzTracker tells the same news in the order given, backwards, sorted and everything twice. All have to lead to the
// same Assembly, none may go backwards on the way, and a Change has to be reported exactly when there is one.
func FuzzTracker(f *testing.F) {
	f.Add([]byte{4, 0, 0, 1, 0, 5, 1, 2, 2, 50, 7, 1, 3, 0, 1, 9, 6, 2, 7, 3, 8, 1})
	f.Add([]byte{7, 3, 7, 1, 7, 0, 6, 0, 3, 0, 1, 200, 1, 2, 9, 0})
	f.Add([]byte{2, 50, 3, 0, 2, 60, 2, 90, 2, 61})
	f.Add([]byte{6, 1, 8, 2, 6, 7, 7, 4, 7, 5, 7, 6, 5, 0})
	anyOrder := cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 40 {
			return
		}
		var news []any
		for i := 0; i+1 < len(script); i += 2 {
			news = append(news, trackerNews(t, script[i], script[i+1]))
		}
		backwards := slices.Clone(news)
		slices.Reverse(backwards)
		twice := append(slices.Clone(backwards), news...)
		var first any
		for round, order := range [][]any{news, backwards, twice} {
			var tr status.Tracker
			rank, percent := 0, 0.0
			before := "{}"
			for _, n := range order {
				percents := trackerPercents(&tr)
				c := trackerFold(&tr, n)
				data, err := tr.AppendJSON(nil)
				if err != nil {
					t.Fatal(err)
				}
				after, _ := tr.Percent()
				if changed := trackerPercents(&tr) != percents; c.Progress != changed {
					t.Fatalf("%v changed progress: %v, and says %v", n, changed, c.Progress)
				}
				if !c.Any() && string(data) != before {
					t.Fatalf("%v changed something without saying so:\n%s\n%s", n, before, data)
				}
				if r := trackerRank(tr.Assembly()); r < rank {
					t.Fatalf("went back from %d to %d with %v", rank, r, n)
				} else {
					rank = r
				}
				if after < percent {
					t.Fatalf("progress went back from %v to %v", percent, after)
				}
				percent, before = after, string(data)
			}
			for _, n := range order {
				if c := trackerFold(&tr, n); c.Any() {
					t.Fatalf("news told again are a change: %+v", c)
				}
			}
			var standing any
			if err := json.Unmarshal([]byte(before), &standing); err != nil {
				t.Fatal(err)
			}
			standing = []any{standing, percent}
			if round == 0 {
				first = standing
			} else if diff := cmp.Diff(first, standing, anyOrder); diff != "" {
				t.Fatalf("order %d leads elsewhere (-first +this):\n%s", round, diff)
			}
		}
	})
}
