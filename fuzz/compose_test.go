package fuzz_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// FuzzCompose composes the reel of any document. Where it is refused, nothing is written. Else
// the reel is whole and sealed, its polls find JSON and the last one the document itself,
// and the stream of an Assembly tells of the files that the Status lists.
func FuzzCompose(f *testing.F) {
	payloads, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(payloads) == 0 {
		f.Fatal(payloads, err)
	}
	for _, name := range payloads {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{
		`{"ok":"ASSEMBLY_COMPLETED","assembly_id":"a","uploads":[null,{"id":"u"}],"results":{"":[{},7],"s":{}},"upload_duration":1e300}`,
		`{"ok":"REQUEST_ABORTED","assembly_id":"\u0000"}`,
		`{"error":"E","assembly_id":"a","start_date":"9999-12-31T23:59:59Z","execution_start":"0000-01-01T00:00:00Z","message":{}}`,
		`{"job":{"jobId":"j","status":"success","statusHistory":[7,{"status":"success"},{}],"metadata":null},"asset":[]}`,
		`{"jobId":"?#/..","status":"canceled","progress":1e308,"metadata":{"flow":{"a":1}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		var reel, again bytes.Buffer
		if err := replay.Compose(&reel, document); err != nil {
			if reel.Len() > 0 {
				t.Fatalf("%v, and wrote %q", err, reel.Bytes())
			}
			return
		}
		if err := replay.Compose(&again, document); err != nil || !bytes.Equal(again.Bytes(), reel.Bytes()) {
			t.Fatalf("%v: another reel the second time:\n%s\n%s", err, again.Bytes(), reel.Bytes())
		}
		rec, err := replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
		if err != nil || !rec.Sealed() {
			t.Fatalf("%v\n%s", err, reel.Bytes())
		}
		var polls [][]byte
		var folded status.Tracker
		for _, x := range rec.Exchanges() {
			body, err := io.ReadAll(x.Body())
			if err != nil {
				t.Fatal(err)
			}
			if !x.IsEventStream() {
				if !json.Valid(body) {
					t.Fatalf("a poll finds %q", body)
				}
				polls = append(polls, body)
				continue
			}
			for ev, err := range ssewire.NewReader(bytes.NewReader(body)).All() {
				if err != nil {
					t.Fatal(err)
				}
				u, err := status.DecodeUpdate(ev.Type, ev.Data)
				if err != nil {
					t.Fatalf("%v: %q", err, ev.Data)
				}
				folded.Update(u)
			}
		}
		if !bytes.Equal(polls[len(polls)-1], document) {
			t.Fatalf("the last poll finds %q", polls[len(polls)-1])
		}
		d, err := status.Decode(document)
		if err != nil {
			t.Fatal(err)
		}
		if a, ok := d.(*status.Assembly); ok {
			var whole status.Tracker
			whole.Status(a)
			if want, got := composedFiles(t, whole.Assembly()), composedFiles(t, folded.Assembly()); !slices.Equal(want, got) {
				t.Fatalf("the stream tells of\n%q\nthe Status of\n%q", got, want)
			}
		}
	})
}

// composedFiles lists the files of an Assembly, but for what stands among them and is none.
func composedFiles(t *testing.T, a *status.Assembly) (all []string) {
	add := func(where string, files []status.File) {
		for i := range files {
			text, err := files[i].AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			if text[0] == '{' {
				all = append(all, where+string(text))
			}
		}
	}
	add("", a.Uploads)
	for _, s := range a.Results {
		add(s.Name+" ", s.Files)
	}
	return all
}
