package status

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// A Raw field that was assigned something other than JSON gives an error that names the field.
func TestEncodeNoJSON(t *testing.T) {
	file := File{Meta: Meta{Raw: "oops"}}
	for _, test := range []struct {
		path string
		doc  interface {
			AppendJSON(dst []byte) ([]byte, error)
		}
	}{
		{"fields", &Assembly{Fields: "oops"}},
		{"uploads[1].meta", &Assembly{Uploads: []File{{}, file}}},
		{"results.resized[0].meta", &Assembly{Results: []Step{{Name: "resized", Files: []File{file}}}}},
		{"results.thumb.nail[0].meta", &Assembly{Results: []Step{{Name: "thumb.nail", Files: []File{file}}}}},
		{"meta", &file},
		{"job.metadata.input", &Job{ID: "j", Metadata: JobMetadata{Input: "oops"}}},
	} {
		_, err := test.doc.AppendJSON(nil)
		var fault *SyntaxError
		if !errors.As(err, &fault) || fault.Path != test.path || fault.Offset != 0 {
			t.Errorf("%s: %v", test.path, err)
		}
	}
	a := mustDecode(t, []byte(`{"ok":"ASSEMBLY_COMPLETED","fields":{"k":"v"}}`))
	a.Fields = `{"k":`
	if got, err := a.AppendJSON(nil); err == nil || err.Error() != "status: byte 5 in fields.k: the document ends where a value was expected; was it cut off?" {
		t.Errorf("%s, %v", got, err)
	}
}

// As encoding/json has it, null changes nothing.
func TestUnmarshalNull(t *testing.T) {
	type all struct {
		A Assembly
		F []File
		J Job
	}
	v := all{A: Assembly{ID: "a"}, J: Job{ID: "j"}}
	if err := json.Unmarshal([]byte(`{"A":null,"F":[null],"J":null}`), &v); err != nil || v.A.ID != "a" || len(v.F) != 1 || v.J.ID != "j" {
		t.Errorf("%+v, %v", v, err)
	}
	if err := json.Unmarshal([]byte(`{"A":7}`), &v); err == nil {
		t.Error("a number is an Assembly")
	}
}

// Dates are written as the system writes them, and as precise as that is.
func TestEncodeDates(t *testing.T) {
	at := time.Date(2026, 5, 7, 18, 10, 57, 161e6, time.FixedZone("", 7200))
	const api, iso = `"2026/05/07 16:10:57 GMT"`, `"2026-05-07T16:10:57.161Z"`
	for _, test := range []struct {
		name string
		doc  json.Marshaler
		want string
	}{
		{"an Assembly", Assembly{StartDate: at}, `{"start_date":` + api + `}`},
		{"a job", Job{CreatedAt: at}, `{"job":{"createdAt":` + iso + `}}`},
		{"to the nanosecond", Job{CreatedAt: at.Add(1)}, `{"job":{"createdAt":"2026-05-07T16:10:57.161000001Z"}}`},
		{"in place of the other form", func() Assembly {
			a := *mustDecode(t, []byte(`{"start_date":"2025-01-01T00:00:00Z"}`))
			a.StartDate = at
			return a
		}(), `{"start_date":` + iso + `}`},
		{"in place of null", func() Job {
			var j Job
			if err := DecodeJob([]byte(`{"jobId":"j","createdAt":null}`), &j); err != nil {
				t.Fatal(err)
			}
			j.CreatedAt = at
			return j
		}(), `{"jobId":"j","createdAt":` + iso + `}`},
	} {
		if got, err := test.doc.MarshalJSON(); string(got) != test.want || err != nil {
			t.Errorf("%s: %s, %v, want %s", test.name, got, err, test.want)
		}
	}
}

// Seconds have as many decimals as they need, and what was encoded is decoded as it was.
func TestEncodeSeconds(t *testing.T) {
	for _, tt := range []struct {
		duration time.Duration
		want     string
	}{
		{-1, `-0.000000001`},
		{-time.Second, `-1`},
		{-1500 * time.Millisecond, `-1.5`},
		{-250 * time.Millisecond, `-0.25`},
		{10 * time.Second, `10`},
		{1010 * time.Millisecond, `1.01`},
		{math.MaxInt64, `9223372036.854775807`},
		{math.MinInt64, `-9223372036.854775808`},
	} {
		got := mustEncode(t, &Assembly{UploadDuration: tt.duration})
		if want := `{"upload_duration":` + tt.want + `}`; string(got) != want {
			t.Errorf("%d ns: %s, want %s", tt.duration, got, want)
		}
		if back := mustDecode(t, got); back.UploadDuration != tt.duration && len(tt.want) < 19 {
			t.Errorf("%s: %d ns, want %d", got, back.UploadDuration, tt.duration)
		}
	}
}

// A key that comes again and again must not have its value written as often, which would make
// a huge document of a small one.
func TestEncodeRepeatedKeys(t *testing.T) {
	again := func(key, before, last string) string {
		return strings.Repeat(`"`+key+`":`+before+`,`, 20) + `"` + key + `":` + last
	}
	assembly := func(assign func(*Assembly)) func(data []byte) (Document, error) {
		return func(data []byte) (Document, error) {
			a := new(Assembly)
			err := DecodeAssembly(data, a)
			assign(a)
			return a, err
		}
	}
	asItWas := assembly(func(*Assembly) {})
	tracked := func(data []byte) (Document, error) {
		var tr Tracker
		a := new(Assembly)
		err := DecodeAssembly(data, a)
		tr.Status(a)
		return &tr, err
	}
	long := strings.Repeat("long ", 100)
	file := `[{"id":"` + long + `"}]`
	for _, tt := range []struct {
		name, data string
		decode     func(data []byte) (Document, error)
		want       string
	}{
		{"uploads", `{` + again("uploads", `[]`, file) + `,"x":1}`, asItWas, `{"uploads":` + file + `,"x":1}`},
		{"in a Tracker", `{` + again("uploads", `[]`, file) + `}`, tracked, `{"uploads":` + file + `}`},
		{"results", `{` + again("results", `{"b":[{"id":1}]}`, `{"a":`+file+`}`) + `}`, asItWas, `{"results":{"a":` + file + `}}`},
		{"a Step", `{"results":{` + again("a", `7`, file) + `}}`, asItWas, `{"results":{"a":` + file + `}}`},
		{"nothing at last", `{"uploads":[{"id":1}],"uploads":[],"x":1.0,"uploads":null}`, asItWas, `{"uploads":[{"id":1}],"uploads":[],"x":1.0,"uploads":null}`},
		{"simple values", `{"message":"a","http_code":1.0,"message":"\u0062","http_code":2.0}`, asItWas, `{"message":"a","http_code":1.0,"message":"\u0062","http_code":2.0}`},
		{"one that was assigned", `{` + again("message", `null`, `"b"`) + `,"x":1}`, assembly(func(a *Assembly) { a.Message = long }), `{"message":"` + long + `","x":1}`},
		{"one that was assigned, with two names", `{` + again("assembly_id", `null`, `"b"`) + `,` + again("assemblyId", `"a"`, `"c"`) + `}`, assembly(func(a *Assembly) { a.ID = "d" }), `{"assembly_id":"d","assemblyId":"d"}`},
		{"a job, on all levels",
			`{` + again("job", `{}`, `{`+again("metadata", `{}`, `{`+again("flow", `[]`, `[{`+again("assets", `[]`, `[{"url":"`+long+`"}]`)+`}]`)+`}`)+`}`) + `}`,
			func(data []byte) (Document, error) { j := new(Job); return j, DecodeJob(data, j) },
			`{"job":{"metadata":{"flow":[{"assets":[{"url":"` + long + `"}]}]}}}`},
	} {
		doc, err := tt.decode([]byte(tt.data))
		if err != nil {
			t.Fatal(err)
		}
		got, err := doc.AppendJSON(nil)
		if string(got) != tt.want || err != nil {
			t.Errorf("%s: %d bytes from %d, %v: %.300s\nwant %.300s", tt.name, len(got), len(tt.data), err, got, tt.want)
		}
	}
}
