package status

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustDecode(tb testing.TB, data []byte) *Assembly {
	tb.Helper()
	a := new(Assembly)
	if err := DecodeAssembly(data, a); err != nil {
		tb.Fatal(err)
	}
	return a
}

func mustEncode(tb testing.TB, v interface {
	AppendJSON([]byte) ([]byte, error)
}) []byte {
	tb.Helper()
	data, err := v.AppendJSON(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// slotOf returns the field of o with that key.
func slotOf(o object, key string) slot {
	fields := o.layout()
	return slotAt(fields.base(o), &fields.fields[fields.find(key)])
}

func TestDecodeAssembly(t *testing.T) {
	a := mustDecode(t, payload(t, "assembly-completed.json"))
	if a.State != AssemblyCompleted || a.Error != "" || a.HTTPCode != 200 || !a.Terminal() || a.Failed() || a.Phase() != Succeeded {
		t.Errorf("state %q, error %q, code %d, phase %v", a.State, a.Error, a.HTTPCode, a.Phase())
	}
	start := time.Date(2026, 5, 7, 16, 10, 57, 0, time.UTC)
	if !a.StartDate.Equal(start) || !a.LastJobCompleted.Equal(start.Add(12*time.Second)) || !a.NotifyStart.IsZero() {
		t.Errorf("dates %v, %v, %v", a.StartDate, a.LastJobCompleted, a.NotifyStart)
	}
	if a.ExecutionDuration != 12131*time.Millisecond || a.QueueDuration != 5*time.Millisecond || a.JobsQueueDuration != 0 {
		t.Errorf("durations %v, %v, %v", a.ExecutionDuration, a.QueueDuration, a.JobsQueueDuration)
	}
	if a.BytesReceived != 929 || a.BytesUsage != 203503852 || !a.MetaDataExtracted || a.TemplateID != "" {
		t.Errorf("received %d, usage %d, extracted %v, template %q", a.BytesReceived, a.BytesUsage, a.MetaDataExtracted, a.TemplateID)
	}
	if want := []string{"painted:::original", "stored::painted"}; !slices.Equal(a.StartedJobs.Strings(), want) {
		t.Errorf("started jobs %q", a.StartedJobs.Strings())
	}
	params, ok := a.Params.Embedded()
	if got, _ := params.Get("steps").Get("painted").Get("num_outputs").Int64(); !ok || got != 3 {
		t.Errorf("params %s", params)
	}
	if _, ok := a.Template.Embedded(); ok || !a.Template.IsNull() || a.Template == "" {
		t.Errorf("template %q", a.Template)
	}
	files := a.Result("painted")
	if len(a.Uploads) != 0 || len(a.Results) != 1 || len(files) != 3 {
		t.Fatalf("%d uploads, %d steps, %d files", len(a.Uploads), len(a.Results), len(files))
	}
	f := files[1]
	if f.Name != "lake-3.jpeg" || f.Size != 1596984 || f.Cost != 32228225 || f.MIME != "image/jpeg" || f.IsTempURL || f.OriginalPath != "" {
		t.Errorf("file %+v", f)
	}
	width, ok1 := f.Meta.Width()
	ratio, ok2 := f.Meta.AspectRatio()
	_, ok3 := f.Meta.Duration()
	modified, ok4 := f.Meta.Modified()
	if width != 2752 || ratio != 1.792 || !ok1 || !ok2 || ok3 || !ok4 || modified.Second() != 5 {
		t.Errorf("meta: width %d %v, ratio %v %v, duration %v, modified %v %v", width, ok1, ratio, ok2, ok3, modified, ok4)
	}
}

func TestDecodeOddShapes(t *testing.T) {
	a := mustDecode(t, payload(t, "assembly-odd-shapes.json"))
	for _, test := range []struct {
		name      string
		got, want any
	}{
		{"bytes_expected that is no number", a.BytesExpected, int64(0)},
		{"and is kept", a.Lookup("bytes_expected"), Raw(`"unknown"`)},
		{"a number in quotes", a.BytesReceived, int64(929)},
		{"seconds in quotes", a.UploadDuration, 93 * time.Millisecond},
		{"an exponent", a.ExecutionDuration, 12131 * time.Millisecond},
		{"a bool in quotes", a.HasDupeJobs, true},
		{"null for a bool", a.IsInfinite, false},
		{"null for a string", a.AssemblySSLURL, ""},
		{"is told from no field", a.Lookup("assembly_ssl_url"), Raw("null")},
		{"no field", a.Lookup("no_such_field"), Raw("")},
		{"a number for a string", a.BuildID, "339"},
		{"an array for a string", a.UsageTags, ""},
		{"an ISO date", a.StartDate, time.Date(2026, 5, 7, 16, 10, 57, 0, time.UTC)},
		{"a number for a date", a.ExecutionStart, time.Time{}},
		{"one job, not in an array", a.RunningJobs.Strings(), []string{"stored::painted"}},
		{"an object for uploads", len(a.Uploads), 0},
		{"an unknown key", a.Lookup("unknown_key"), Raw("[\n    1.1,\n    1000.0,\n    -0.0,\n    123456789012345678901234567890\n  ]")},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if inner, ok := a.Template.Embedded(); !ok || !inner.Valid() {
		t.Errorf("a template that is an object: %q, %v", inner, ok)
	}
	if inner, ok := a.MergedParams.Embedded(); ok {
		t.Errorf("merged_params without JSON inside: %q", inner)
	}
	if len(a.Results) != 3 || a.Results[2].Name != `ökologisch "é"` || len(a.Results[0].Files) != 4 || a.Results[1].Files != nil {
		t.Fatalf("results %+v", a.Results)
	}
	f := a.Results[0].Files[0]
	if len(f.Originals()) != 2 || f.OriginalID != f.Originals()[0] || f.OriginalID == "" {
		t.Errorf("original_id as an array: %q, %q", f.OriginalID, f.Originals())
	}
	if f.Size != 1281589 || f.Width != 2752 || f.Height != 0 || f.Duration != 12500*time.Millisecond || f.UserMeta != "7" {
		t.Errorf("size %d, width %d, duration %v, user_meta %s", f.Size, f.Width, f.Duration, f.UserMeta)
	}
	if f.ExecTime != 410*time.Millisecond || f.QueueTime != 10*time.Millisecond {
		t.Errorf("exec %v, queue %v", f.ExecTime, f.QueueTime)
	}
	if ratio, ok := f.Meta.AspectRatio(); !ok || ratio != 1.792 {
		t.Errorf("aspect ratio in quotes: %v, %v", ratio, ok)
	}
	if !slices.Equal(f.Meta.Keywords(), []string{"lake, dawn"}) {
		t.Errorf("keywords %q", f.Meta.Keywords())
	}
	if d, ok := f.Meta.Duration(); !ok || d != 3250*time.Millisecond {
		t.Errorf("duration %v, %v", d, ok)
	}
	if gone := a.Results[0].Files[1:]; gone[0].ID != "" || gone[1].ID != "" || gone[2].ID != "" {
		t.Errorf("elements that are no objects: %+v", gone)
	}
}

func TestDecodeStrings(t *testing.T) {
	// Each as the value of a field and of a key, by the standard of encoding/json.
	for _, text := range []string{
		`plain`, `\u0041\u00e9\u20ac`, `\ud83d\ude00`, `\ud83d`, `\ude00\ud83d`, `\ud83d\u0041`, `\"\\\/\b\f\n\r\t`, "é€😀", "\xff\xfe", "a\xc3", "\xed\xa0\x80", "ab\xffcdefghijklmnop",
		`\u0000`, strings.Repeat(`\u00e9`, 100), strings.Repeat("\xff", 500), strings.Repeat("0123456789abcdef", 20) + `\n`,
	} {
		for _, pad := range []string{"", "                                "} {
			data := []byte(`{"message":"` + text + `","uploads":[{"id":"` + text + `"}],"results":{"` + text + `":[]}` + pad + `}`)
			var want struct {
				Message string
				Uploads []struct{ ID string }
				Results map[string]any
			}
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			var borrowed Assembly
			if err := DecodeAssemblyBorrowed(data, &borrowed); err != nil {
				t.Fatal(err)
			}
			for _, a := range []*Assembly{mustDecode(t, data), &borrowed} {
				if a.Message != want.Message || a.Uploads[0].ID != want.Uploads[0].ID {
					t.Errorf("%q: got %q and %q, want %q", text, a.Message, a.Uploads[0].ID, want.Message)
				}
				if _, ok := want.Results[a.Results[0].Name]; !ok {
					t.Errorf("%q: step %q", text, a.Results[0].Name)
				}
				wantSameJSON(t, data, mustEncode(t, a))
			}
		}
	}
}

func TestDecodeKeys(t *testing.T) {
	a := mustDecode(t, []byte(`{"\u006fk":"ASSEMBLY_CANCELED","\u0061ssembly\u005fid":"x","OK":"no","o\u006b\u0000":"no","uploads":[{"\u0069d":"u"}]}`))
	if a.State != AssemblyCanceled || a.ID != "x" || a.Uploads[0].ID != "u" {
		t.Errorf("escaped keys: %q, %q, %q", a.State, a.ID, a.Uploads[0].ID)
	}
}

// The last one counts, as it does where encoding/json decodes into any.
func TestDecodeDuplicateKeys(t *testing.T) {
	data := []byte(`{"ok":"A","http_code":1,"queue_duration":1.5,"has_dupe_jobs":true,"http_code":null,"queue_duration":null,"has_dupe_jobs":false,"bytes_received":1,"fields":{"a":1},"start_date":"2026/05/07 16:10:57 GMT","is_infinite":true,"results":{"s":[{"id":"1"},{"id":"2"}],"t":[{"id":"3"}],"s":[{"id":"4","name":"n"}]},
		"uploads":[{"id":"a","id":"b","size":1,"size":2},{"id":"c"}],"error":"E","ok":"B","bytes_received":2,"fields":{"b":2},"uploads":[{"name":"d"}],"error":null,"start_date":null,"is_infinite":null}`)
	a := mustDecode(t, data)
	if a.State != "B" || a.BytesReceived != 2 || a.Fields != `{"b":2}` || a.Error != "" || !a.StartDate.IsZero() || a.IsInfinite {
		t.Errorf("got %q, %d, %s, %q, %v, %v", a.State, a.BytesReceived, a.Fields, a.Error, a.StartDate, a.IsInfinite)
	}
	if a.HTTPCode != 0 || a.QueueDuration != 0 || a.HasDupeJobs {
		t.Errorf("got %d, %v, %v of what came before null, null and false", a.HTTPCode, a.QueueDuration, a.HasDupeJobs)
	}
	if len(a.Uploads) != 1 || a.Uploads[0].ID != "" || a.Uploads[0].Name != "d" {
		t.Errorf("uploads %+v", a.Uploads)
	}
	if len(a.Results) != 2 || a.Results[0].Name != "s" || len(a.Results[0].Files) != 1 || a.Results[0].Files[0].ID != "4" {
		t.Errorf("results %+v", a.Results)
	}
	wantSameJSON(t, data, mustEncode(t, a))
}

// A value that a field has no use for takes back the one before.
func TestDecodeTakesBack(t *testing.T) {
	for _, rest := range []string{``, `,"x":"` + strings.Repeat("far from the end ", 10) + `"`} {
		for _, useless := range []string{`null`, `true`, `{"a":1}`, `[[]]`} {
			again := func(key, value string) string { return `"` + key + `":` + value + `,"` + key + `":` + useless }
			a := mustDecode(t, []byte(`{`+again("message", `"m"`)+`,`+again("bytes_received", `1`)+`,`+again("upload_duration", `1`)+`,`+
				again("start_date", `"2026/05/07 16:10:57 GMT"`)+`,"uploads":[{`+again("original_id", `"o"`)+`}],`+again("results", `{"s":[{"id":"1"}],"t":[]}`)+rest+`}`))
			steps := 0
			if useless == `{"a":1}` {
				steps = 1 // which is one without files
			}
			if a.Message != "" || a.BytesReceived != 0 || a.UploadDuration != 0 || !a.StartDate.IsZero() || a.Uploads[0].OriginalID != "" || len(a.Results) != steps {
				t.Errorf("behind which %s came: %q, %d, %v, %v, %q, %+v", useless, a.Message, a.BytesReceived, a.UploadDuration, a.StartDate, a.Uploads[0].OriginalID, a.Results)
			}
			j := mustDecodeJob(t, []byte(`{"jobId":"j",`+again("progress", `0.5`)+`,"metadata":{`+again("assetIds", `["a"]`)+`},`+again("billing", `{"cuCost":1}`)+rest+`}`))
			if j.Progress != 0 || len(j.Metadata.AssetIDs) != 0 || j.Billing.Cost != 0 {
				t.Errorf("behind which %s came: %v, %q, %v", useless, j.Progress, j.Metadata.AssetIDs, j.Billing.Cost)
			}
		}
		a := mustDecode(t, []byte(`{"results":{"a":[{"id":"1"}]},"results":{"b":[{"id":"2"}]}`+rest+`}`))
		if len(a.Results) != 1 || a.Results[0].Name != "b" {
			t.Errorf("results that came again: %+v", a.Results)
		}
	}
}

// What makes no sense under one of a field's two names leaves what stands under the other.
func TestDecodeBothNames(t *testing.T) {
	const half = 500 * time.Millisecond
	for _, rest := range []string{``, `,"x":"` + strings.Repeat("far from the end ", 10) + `"`} {
		for _, useless := range []string{`null`, `true`, `{"a":1}`, `[[]]`} {
			for _, names := range [][2]string{{"exec_time", "execTime"}, {"execTime", "exec_time"}, {"queue_time", "queueTime"}, {"queueTime", "queue_time"}} {
				for _, useless := range []string{useless, `"x"`, `1e999`} {
					for _, data := range []string{`"` + names[0] + `":0.5,"` + names[1] + `":` + useless, `"` + names[0] + `":` + useless + `,"` + names[1] + `":0.5`} {
						f := mustDecode(t, []byte(`{"uploads":[{`+data+rest+`}]}`)).Uploads[0]
						if f.ExecTime+f.QueueTime != half || strings.HasPrefix(names[0], "exec") != (f.ExecTime == half) {
							t.Errorf("%s: exec %v, queue %v", data, f.ExecTime, f.QueueTime)
						}
					}
				}
			}
			for _, names := range [][2]string{{"assembly_id", "assemblyId"}, {"assemblyId", "assembly_id"}} {
				for _, data := range []string{`"` + names[0] + `":"A","` + names[1] + `":` + useless, `"` + names[0] + `":` + useless + `,"` + names[1] + `":"A"`} {
					for _, doc := range []string{
						`{` + data + `,"ok":"ASSEMBLY_COMPLETED","bytes_received":1,"bytes_expected":2` + rest + `}`,
						`{"ok":"ASSEMBLY_COMPLETED","bytes_received":1,"bytes_expected":2,` + data + rest + `}`,
					} {
						if a := mustDecode(t, []byte(doc)); a.ID != "A" {
							t.Errorf("%s: %q", doc, a.ID)
						}
						wantPeek(t, []byte(doc))
					}
				}
			}
			for _, data := range []string{`{"msg":"real text","message":` + useless + rest + `}`, `{"message":` + useless + `,"msg":"real text"` + rest + `}`} {
				if u := mustUpdate(t, "assembly_error", data); u.Failure.Message != "real text" {
					t.Errorf("%s: %q", data, u.Failure.Message)
				}
			}
		}
	}
	// Where both make sense, and under one name alone, the last one counts.
	f := mustDecode(t, []byte(`{"uploads":[{"exec_time":0.7,"execTime":0.5,"queueTime":0.7,"queue_time":0}]}`)).Uploads[0]
	if f.ExecTime != half || f.QueueTime != 0 {
		t.Errorf("exec %v, queue %v", f.ExecTime, f.QueueTime)
	}
}

func TestOriginals(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  []string
	}{
		{`"a"`, []string{"a"}},
		{`["a","b"]`, []string{"a", "b"}},
		{`[7,"a","b"]`, []string{"a", "b"}},
		{`7`, []string{"7"}},
		{`[]`, nil},
		{`null`, nil},
	} {
		f := mustDecode(t, []byte(`{"uploads":[{"original_id":`+tt.value+`}]}`)).Uploads[0]
		first := ""
		if len(tt.want) > 0 {
			first = tt.want[0]
		}
		if got := f.Originals(); f.OriginalID != first || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %q", tt.value, f.OriginalID, got)
		}
		if f.OriginalID = "c"; !slices.Equal(f.Originals(), []string{"c"}) {
			t.Errorf("%s, and c since: %q", tt.value, f.Originals())
		}
		if f.OriginalID = ""; len(f.Originals()) != 0 {
			t.Errorf("%s, emptied since: %q", tt.value, f.Originals())
		}
	}
}

func TestDecodeManySteps(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(`{"results":{`)
	for i := range 5000 {
		if i > 0 {
			doc.WriteByte(',')
		}
		doc.WriteString(`"` + strings.Repeat("s", i%2500+1) + `":[{"size":` + string(rune('0'+i/2500)) + `}]`)
	}
	doc.WriteString(`}}`)
	a := mustDecode(t, []byte(doc.String()))
	if len(a.Results) != 2500 {
		t.Fatalf("%d steps, want 2500", len(a.Results))
	}
	for i, step := range a.Results {
		if len(step.Name) != i+1 || len(step.Files) != 1 || step.Files[0].Size != 1 {
			t.Fatalf("step %d: name of %d bytes, %+v", i, len(step.Name), step.Files)
		}
	}
}

// What dst held before, whatever it was, must not be seen again.
func TestDecodeAgain(t *testing.T) {
	var again, borrowed Assembly
	all := payloads(t)
	for name, data := range all {
		fresh := mustDecode(t, data)
		if err := DecodeAssembly(data, &again); err != nil {
			t.Fatal(err)
		}
		if err := DecodeAssemblyBorrowed(data, &borrowed); err != nil {
			t.Fatal(err)
		}
		want := mustEncode(t, fresh)
		for _, a := range []*Assembly{&again, &borrowed} {
			if got := mustEncode(t, a); string(got) != string(want) {
				t.Errorf("%s into a used Assembly:\n%s\nwant\n%s", name, got, want)
			}
			if !same(a, fresh) && len(a.Uploads) == 0 && len(a.Results) == 0 {
				t.Errorf("%s into a used Assembly has other fields", name)
			}
		}
	}
}

// The copy has to be a real one: nothing that was decoded changes with data or the next
// document.
func TestDecodeCopies(t *testing.T) {
	data := []byte(`{"ok":"ASSEMBLY_COMPLETED","message":"caf\u00e9","fields":{"a":1},"results":{"s\n":[{"id":"x\u0041","meta":{"width":1}}]}}`)
	var a Assembly
	if err := DecodeAssembly(data, &a); err != nil {
		t.Fatal(err)
	}
	kept := a
	kept.Results = slices.Clone(a.Results)
	file := a.Results[0].Files[0]
	clear(data)
	if err := DecodeAssembly(payload(t, "assembly-odd-shapes.json"), &a); err != nil {
		t.Fatal(err)
	}
	if kept.State != AssemblyCompleted || kept.Message != "café" || kept.Fields != `{"a":1}` || kept.Results[0].Name != "s\n" || file.ID != "xA" || file.Meta.Raw != `{"width":1}` {
		t.Errorf("what was kept changed: %+v", kept)
	}
}

// How much text a stranger's document had must not decide how much memory the next one takes.
func TestRoomForText(t *testing.T) {
	const doc = `{"ok":"A"}`
	for _, test := range []struct{ before, want int }{{0, 0}, {1, 1}, {len(doc), len(doc)}, {len(doc) + 1, len(doc)}, {1 << 20, len(doc)}} {
		d := decoder{b: []byte(doc), guess: &guesses{unescaped: test.before}}
		d.copySource()
		if got := cap(d.arena); got != test.want || d.s != doc {
			t.Errorf("%d bytes of text before: room for %d behind %s, want %d", test.before, got, d.s, test.want)
		}
	}
}

// A table with pointers is work for each garbage collection, and with longer fields each
// member would take two lines of the processor's cache.
func TestFieldIsPlain(t *testing.T) {
	f := reflect.TypeFor[field]()
	if f.Size() > 64 {
		t.Errorf("a field takes %d bytes, want 64 at most", f.Size())
	}
	for i := range f.NumField() {
		if part := f.Field(i); part.Type.Kind() < reflect.Bool || part.Type.Kind() > reflect.Uintptr {
			t.Errorf("%s is a %s, want a number", part.Name, part.Type)
		}
	}
}

// Whatever was in an object, reset leaves nothing of it but capacity.
func TestReset(t *testing.T) {
	for _, o := range allObjects() {
		if _, ok := o.(*jobBody); ok {
			continue // keeps what is beside it
		}
		v := reflect.ValueOf(o).Elem()
		fill(t, v)
		o.reset()
		for i := range v.NumField() {
			name, f := v.Type().Field(i).Name, v.Field(i)
			if kept := name == "arena" || name == "guess" || f.Kind() == reflect.Slice && f.Len() == 0; !kept && !f.IsZero() {
				t.Errorf("%T: %s is left", o, name)
			}
		}
	}
}

// fill makes v, and all that is in it, something other than zero.
func fill(t *testing.T, v reflect.Value) {
	v = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem() // which may be set if it is not exported, too
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int64:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Struct:
		switch v.Type() {
		case reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(time.Now()))
			return
		case reflect.TypeFor[guesses]():
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("%v is not filled", v.Type())
	}
}

// After a refused document nothing of the one before it is left.
func TestDecodeRefused(t *testing.T) {
	for _, refused := range []string{"", " ", "null", "[]", "x", `"x"`, "{", `{"`, `{"x":1`} {
		a := mustDecode(t, payload(t, "assembly-completed.json"))
		if err := DecodeAssembly([]byte(refused), a); err == nil || a.State != "" || a.ID != "" || len(a.Uploads) > 0 || len(a.Results) > 0 || string(mustEncode(t, a)) != "{}" {
			t.Errorf("%q: %v, and %s is left", refused, err, mustEncode(t, a))
		}
	}
}

func TestDecodeAllocations(t *testing.T) {
	documents := payloads(t)
	documents["assembly with escape sequences"] = []byte(`{"ok":"ASSEMBLY_COMPLETED","message":"caf\u00e9","uploads":[{"id":"1","name":"a \"b\".png"},{"id":"2","name":"\ud83d\ude00.png"}]}`)
	for name, data := range documents {
		if !strings.HasPrefix(name, "assembly") {
			continue
		}
		var a Assembly
		if n := testing.AllocsPerRun(20, func() { _ = DecodeAssembly(data, &a) }); n > 1 && !strings.Contains(name, "odd-shapes") {
			t.Errorf("%s: %v allocations, want 1", name, n)
		}
		var b Assembly
		if n := testing.AllocsPerRun(20, func() { _ = DecodeAssemblyBorrowed(data, &b) }); n > 0 && !strings.Contains(name, "odd-shapes") {
			t.Errorf("%s, borrowed: %v allocations, want 0", name, n)
		}
	}
}

func TestEncodeRoundTrip(t *testing.T) {
	for name, data := range payloads(t) {
		t.Run(name, func(t *testing.T) {
			a := mustDecode(t, data)
			got := mustEncode(t, a)
			wantSameJSON(t, data, got)
			if strings.HasSuffix(name, "/compact") && string(got) != string(data) && !strings.Contains(name, "odd-shapes") {
				t.Errorf("a compact document did not come out byte by byte:\n%s\n%s", data, got)
			}
			viaJSON, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			wantSameJSON(t, data, viaJSON)
			var back Assembly
			if err := json.Unmarshal(viaJSON, &back); err != nil {
				t.Fatal(err)
			}
			wantSameJSON(t, data, mustEncode(t, &back))
		})
	}
}

func TestEncodeAssigned(t *testing.T) {
	a := mustDecode(t, []byte(`{"ok":"ASSEMBLY_EXECUTING","x":1.50,"bytes_received":"929","start_date":"2026/05/07 16:10:57 GMT","upload_duration":0.0930,"meta":[],"error":null,
		"uploads":[{"id":"u","execTime":0.10,"size":5.0}],"results":{"a":[{"id":"r"},null],"b":7},"fields":{"k":"v"},"is_infinite":false}`))
	a.State = AssemblyCompleted
	a.BytesExpected = 1000
	a.UploadDuration = 1500 * time.Millisecond
	a.StartDate = a.StartDate.Add(time.Minute)
	a.Fields = `{"k": "w"}`
	a.IsInfinite = true
	a.Message = "say \"é\"\n\x01"
	a.Uploads[0].ExecTime = 250 * time.Microsecond
	a.Uploads = append(a.Uploads, File{ID: "v", Size: 7, Meta: Meta{`{"width":3}`}, OriginalID: "o"})
	a.Results[0].Files[0].SSLURL = "https://files.example.com/r"
	a.Results = append(a.Results, Step{Name: "c", Files: []File{a.Uploads[0]}})
	want := `{"ok":"ASSEMBLY_COMPLETED","x":1.50,"bytes_received":"929","start_date":"2026/05/07 16:11:57 GMT","upload_duration":1.5,"meta":[],"error":null,` +
		`"uploads":[{"id":"u","execTime":0.00025,"size":5.0},{"id":"v","size":7,"original_id":"o","meta":{"width":3}}],` +
		`"results":{"a":[{"id":"r","ssl_url":"https://files.example.com/r"},null],"b":7,"c":[{"id":"u","execTime":0.00025,"size":5.0}]},` +
		`"fields":{"k":"w"},"is_infinite":true,"message":"say \"é\"\n\u0001","bytes_expected":1000}`
	if got := string(mustEncode(t, a)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	a.Uploads, a.Results, a.State = nil, nil, ""
	if got := mustEncode(t, a); !json.Valid(got) || !strings.Contains(string(got), `"uploads":[],"results":{}`) || !strings.Contains(string(got), `"ok":null`) {
		t.Errorf("emptied: %s", got)
	}
	if got := string(mustEncode(t, new(Assembly))); got != "{}" {
		t.Errorf("a zero Assembly is %s", got)
	}
}

// Every key that can be decoded has to be among those that can be encoded, and the
// other way round.
func TestEveryFieldBothWays(t *testing.T) {
	values := map[kind]string{kindText: `"x"`, kindFirst: `"x"`, kindRaw: `{"a":1}`, kindInteger: `7`, kindSeconds: `1.5`, kindBool: `true`, kindDate: `"2026/05/07 16:10:57 GMT"`,
		kindFloat: `1.25`, kindStrings: `["a","b"]`, kindList: `[{"id":"x"}]`, kindSteps: `{"s":[{"id":"x"}]}`, kindObject: `{"id":"x","error":"x"}`}
	for _, o := range allObjects() {
		if _, ok := o.(*jobRoot); ok {
			continue // its fields depend on what it holds
		}
		var members []string
		offsets := map[uint32]string{}
		if n := len(o.layout().fields); n >= places {
			t.Errorf("%T has %d fields, there is room for less than %d", o, n, places)
		}
		for i, f := range o.layout().fields {
			if n := o.layout().find(f.more().key); n != i {
				t.Errorf("%T: %s is found at %d, want %d", o, f.more().key, n, i)
			}
			if same, ok := offsets[f.offset]; ok != f.more().alias {
				t.Errorf("%T: %s and %q have one place, one is an alias: %v", o, f.more().key, same, f.more().alias)
			}
			if offsets[f.offset] = f.more().key; !f.more().alias {
				value := values[f.kind]
				if f.more().iso {
					value = `"2026-05-07T16:10:57.161Z"`
				}
				members = append(members, `"`+f.more().key+`":`+value)
			}
		}
		want := "{" + strings.Join(members, ",") + "}"
		decodeSource(want, o)
		*o.source() = ""
		got, err := appendObject(nil, o)
		if err != nil || string(got) != want {
			t.Errorf("%T without its source: %v\n%s\nwant\n%s", o, err, got, want)
		}
	}
}

// Whatever order the keys come in, the fields are the same.
func TestDecodeAnyOrder(t *testing.T) {
	for name, data := range payloads(t) {
		want := mustDecode(t, data)
		var keys []member
		for m := range members(string(data)) {
			keys = append(keys, m)
		}
		r := rand.New(rand.NewPCG(1, uint64(len(data))))
		var again Assembly // expects the order of the document before
		for range 20 {
			r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
			doc := []byte{'{'}
			for i, m := range keys {
				if i > 0 {
					doc = append(doc, ',', '\n')
				}
				doc = append(append(append(append(doc, '"'), m.key...), '"', ':'), m.value...)
			}
			doc = append(doc, '}')
			if err := DecodeAssembly(doc, &again); err != nil {
				t.Fatal(err)
			}
			for _, got := range []*Assembly{mustDecode(t, doc), &again} {
				for _, f := range assemblyLayout.fields {
					if f.kind != kindList && f.kind != kindSteps && !slotOf(got, f.more().key).equal(slotOf(want, f.more().key)) {
						t.Fatalf("%s: %s differs in another order", name, f.more().key)
					}
				}
				wantSameJSON(t, data, mustEncode(t, got))
			}
		}
	}
}

// The order of keys is learned separately for the document, the uploads and the results.
func TestOrdersOfKeys(t *testing.T) {
	far := `"x":"` + strings.Repeat("far from the end ", 10) + `"`
	a := mustDecode(t, []byte(`{"assembly_id":"1","ok":"A","start_date":"2026/05/07 16:10:57 GMT","bytes_received":-1,"region":"r","uploads":[{"name":"n","id":"u","x":1}],"results":{"s":[{"mime":"m","name":"r","id":"i","x":1}]},"message":"\n","step":"s",`+far+`}`))
	if a.ID != "1" || a.State != "A" || a.Uploads[0].ID != "u" || a.Results[0].Files[0].MIME != "m" {
		t.Errorf("got %+v", a)
	}
	for _, tt := range []struct {
		depth      int
		l          *layout
		key, after string
	}{
		{0, assemblyLayout, "assembly_id", ""},
		{0, assemblyLayout, "ok", "assembly_id"},
		{0, assemblyLayout, "start_date", "ok"},
		{0, assemblyLayout, "bytes_received", "start_date"},
		{0, assemblyLayout, "region", "bytes_received"},
		{0, assemblyLayout, "uploads", "region"},
		{0, assemblyLayout, "message", "results"},
		{0, assemblyLayout, "step", "message"},
		{2, fileLayout, "name", ""},
		{2, fileLayout, "id", "name"},
		{3, fileLayout, "mime", ""},
		{3, fileLayout, "name", "mime"},
	} {
		if got := tt.l.place(a.guess.of(tt.depth, tt.l).after(tt.l.find(tt.after) + 1)).more().key; got != tt.key {
			t.Errorf("inside %d objects and arrays %s is expected behind %q, want %s", tt.depth, got, tt.after, tt.key)
		}
	}
}

// Where no other document follows nothing is learned: one goroutine would do so for all.
func TestNoOrderOfKeys(t *testing.T) {
	far := `"x":"` + strings.Repeat("far from the end ", 10) + `"`
	var j Job
	if err := DecodeJob([]byte(`{"job":{"status":"success","jobId":"j","x":"\n","jobType":"t",`+far+`},"creativeUnitsCost":1,`+far+`}`), &j); err != nil || j.ID != "j" || j.Type != "t" {
		t.Errorf("got %+v, %v", j, err)
	}
	for i, n := range inOrder.next {
		if int(n) != i {
			t.Errorf("place %d is expected at %d", n, i)
		}
	}
}

func TestDecodeNumbersAndDates(t *testing.T) {
	may := time.Date(2026, 5, 7, 16, 10, 57, 0, time.UTC)
	for _, test := range []struct {
		value    string
		integer  int64
		duration time.Duration
		date     time.Time
	}{
		{`7`, 7, 7 * time.Second, time.Time{}},
		{`-7`, -7, -7 * time.Second, time.Time{}},
		{`123456789012345678`, 123456789012345678, 0, time.Time{}},
		{`9223372036854775807`, 9223372036854775807, 0, time.Time{}},
		{`9223372036854775808`, 0, 0, time.Time{}},
		{`18446744073709551623`, 0, 0, time.Time{}},
		{`92233720368547758080`, 0, 0, time.Time{}},
		{`1.5`, 0, 1500 * time.Millisecond, time.Time{}},
		{`-0.25`, 0, -250 * time.Millisecond, time.Time{}},
		{`1e3`, 1000, 1000 * time.Second, time.Time{}},
		{`9.29e2`, 929, 929 * time.Second, time.Time{}},
		{`0.0000000019`, 0, 2, time.Time{}},
		{`123456789.123456789`, 0, 123456789123456789, time.Time{}},
		{`9000000000.1234500`, 0, 9000000000123450000, time.Time{}},
		{`-9000000000.1234500`, 0, -9000000000123450000, time.Time{}},
		{`"9000000000.1234500"`, 0, 9000000000123450000, time.Time{}},
		{`9223372036.85477580`, 0, 9223372036854775800, time.Time{}},
		{`9223372036.85477581`, 0, 0, time.Time{}},
		{`9999999999999999999`, 0, 0, time.Time{}},
		{`1e300`, 0, 0, time.Time{}},
		{`"12"`, 12, 12 * time.Second, time.Time{}},
		{`"x"`, 0, 0, time.Time{}},
		{`""`, 0, 0, time.Time{}},
		{`"-"`, 0, 0, time.Time{}},
		{`true`, 0, 0, time.Time{}},
		{`{"a":1}`, 0, 0, time.Time{}},
		{`"2026/05/07 16:10:57 GMT"`, 0, 0, may},
		{`"2026\/05\/07 16:10:57 GMT"`, 0, 0, may},
		{`"2026-05-07T18:10:57+02:00"`, 0, 0, may},
		{`"2026/02/30 16:10:57 GMT"`, 0, 0, time.Time{}},
		{`"2026/05/07 24:10:57 GMT"`, 0, 0, time.Time{}},
		{`"2026/05/07 16:10:57 CET"`, 0, 0, time.Time{}},
		{`"2026/5a/07 16:10:57 GMT"`, 0, 0, time.Time{}},
	} {
		// Each after a value that would do, so that the last one is seen to count.
		data := []byte(`{"bytes_received":5,"upload_duration":5,"start_date":"2026/05/07 16:10:57 GMT","bytes_received":` + test.value +
			`,"upload_duration":` + test.value + `,"start_date":` + test.value + `}`)
		a := mustDecode(t, data)
		if a.BytesReceived != test.integer || a.UploadDuration != test.duration || !a.StartDate.Equal(test.date) {
			t.Errorf("%s: %d, %v, %v, want %d, %v, %v", test.value, a.BytesReceived, a.UploadDuration, a.StartDate, test.integer, test.duration, test.date)
		}
		wantSameJSON(t, data, mustEncode(t, a))
		// What a number is does not depend on what follows it.
		data = []byte(`{"uploads":[{"exec_time":` + test.value + `,"x":1}],"message":"far enough from the end for all that is looked at in one step"}`)
		if a := mustDecode(t, data); a.Uploads[0].ExecTime != test.duration {
			t.Errorf("%s: exec_time is %v, want %v", test.value, a.Uploads[0].ExecTime, test.duration)
		} else {
			wantSameJSON(t, data, mustEncode(t, a))
		}
	}
}
