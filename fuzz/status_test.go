package fuzz

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	gojson "github.com/goccy/go-json"
	"github.com/google/go-cmp/cmp"

	"github.com/ssereel/ssereel/status"
)

// statusSeeds adds the composed documents, the real ones where they are at hand, and
// what has been hard for some decoder.
func statusSeeds(f *testing.F, add func(data []byte)) {
	f.Helper()
	for _, pattern := range []string{"../testdata/*.json", "../../shared/captures/*.json", "../../shared/docs/*.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, data); err != nil {
				f.Fatal(err)
			}
			add(data)
			add(compact.Bytes())
		}
	}
	for _, s := range append(statusHard,
		`{"ok":"ASSEMBLY_EXECUTING","ok":"\u0041","results":{"a":[{"id":"1"},{"id":"1"}],"a":null}}`,
		`{"\u006fk":1e400,"bytes_received":-0,"bytes_expected":9007199254740993,"uploads":[null,{"size":1e3}]}`,
		`{"error":"a\ud83d","info":{"retryIn":1},"params":"{\"a\":\"\\\"\"}","start_date":"2026/02/30 24:00:00 GMT"}`,
		"{\"message\":\"\xff\xc3\",\"\xff\":1,\"upload_duration\":1e-12,\"http_code\":0.5}",
		`{"info":{"a":1,"b":[{}],"c":"d"},"fields":{"a":1, "b":[{}],"c":"e"},"params":"a long enough text that comes twice, with a \n in it, letter by letter","merged_params":"a long enough text that comes twice, with a \n in it, letter by letter"}`,
		`{"assemblyId":"a","ok":"b","bytes_received":1,"bytes_expected":2,"assembly_id":null}`, `{"assembly_id":[],"ok":"b","assemblyId":7}`,
		`{"errno":-111,"syscall":null}`, `{"errno":null,"syscall":""}`,
		`{"job":{"jobId":"\u0061","progress":0.10,"status":"x"},"job":null,"status":"success","statusHistory":[{}]}`,
		`{"results":{"":[[]],"\u0000":[{"original_id":["a",1],"meta":[]}]}}`,
		`{"uploads":[],"uploads":[],"uploads":[],"uploads":[],"uploads":[],"uploads":[{"id":"the one that counts, which must not come out six times"}]}`,
	) {
		add([]byte(s))
	}
}

// statusHard made older releases of go-json panic.
var statusHard = []string{`[{"x":1},{"y":`, `{"\`, `{"\29\`}

// statusGeneric is what encoding/json makes of data when it is told nothing about it.
func statusGeneric(t *testing.T, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("encoding/json: %v in %q", err, data)
	}
	return v
}

// statusIsObject is the verdict of encoding/json.
func statusIsObject(data []byte) bool {
	return json.Valid(data) && bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
}

func statusCheckError(t *testing.T, data []byte, err error) {
	t.Helper()
	var syntax *status.SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(data) {
		t.Fatalf("%q: %#v is no *SyntaxError inside the document", data, err)
	}
}

// statusCheckText compares a string field with the value that encoding/json has for its key.
func statusCheckText(t *testing.T, key string, object map[string]any, got string) {
	t.Helper()
	want := ""
	switch v := object[key].(type) {
	case string:
		want = v
	case json.Number:
		want = v.String()
	}
	if got != want {
		t.Fatalf("%s is %q, want %q", key, got, want)
	}
}

func FuzzDecodeAssembly(f *testing.F) {
	before := []byte("{}")
	statusSeeds(f, func(data []byte) {
		f.Add(before, data)
		before = data
	})
	f.Fuzz(func(t *testing.T, before, data []byte) {
		want := statusIsObject(data)
		var fresh, used, usedBorrowed status.Assembly
		status.DecodeAssembly(before, &used)
		status.DecodeAssemblyBorrowed(before, &usedBorrowed)
		for _, a := range []*status.Assembly{&fresh, &used, &usedBorrowed} {
			decode := status.DecodeAssembly
			if a == &usedBorrowed {
				decode = status.DecodeAssemblyBorrowed
			}
			err := decode(data, a)
			if (err == nil) != want {
				t.Fatalf("%q: %v, encoding/json accepts it: %v", data, err, want)
			}
			if err != nil {
				statusCheckError(t, data, err)
				continue
			}
			value := statusGeneric(t, data)
			object := value.(map[string]any)
			statusCheckText(t, "ok", object, string(a.State))
			statusCheckText(t, "error", object, string(a.Error))
			statusCheckText(t, "message", object, a.Message)
			statusCheckText(t, "assembly_ssl_url", object, a.AssemblySSLURL)
			statusCheckFiles(t, object["uploads"], a.Uploads)
			results, _ := object["results"].(map[string]any)
			if len(results) != len(a.Results) {
				t.Fatalf("%q: %d steps, want %d", data, len(a.Results), len(results))
			}
			for name, files := range results {
				statusCheckFiles(t, files, a.Result(name))
			}
			if n, ok := object["bytes_received"].(json.Number); ok {
				if i, err := n.Int64(); err == nil && i != a.BytesReceived {
					t.Fatalf("bytes_received is %d, want %d", a.BytesReceived, i)
				}
			}
			got, err := a.AppendJSON(nil)
			if err != nil {
				t.Fatalf("%q: %v", data, err)
			}
			statusCheckLength(t, data, got)
			if diff := cmp.Diff(value, statusGeneric(t, got)); diff != "" {
				t.Fatalf("%q: the encoding differs (-input +output):\n%s", data, diff)
			}
			for _, raw := range []status.Raw{a.Fields, a.Params, a.Lookup("message"), a.Lookup("ok")} {
				statusCheckRaw(t, raw)
			}
		}
	})
}

// statusCheckLength compares the length of an encoding with that of the document. Only U+FFFD,
// in names of Steps, takes more bytes than what it stands for.
func statusCheckLength(t *testing.T, data, got []byte) {
	t.Helper()
	if len(got) > 3*len(data) {
		t.Fatalf("%d bytes became %d: %q", len(data), len(got), data)
	}
}

func statusCheckFiles(t *testing.T, want any, got []status.File) {
	t.Helper()
	list, _ := want.([]any)
	if len(list) != len(got) {
		t.Fatalf("%d files, want %d", len(got), len(list))
	}
	for i := range list {
		object, _ := list[i].(map[string]any)
		statusCheckText(t, "id", object, got[i].ID)
		statusCheckText(t, "name", object, got[i].Name)
		if meta, ok := object["meta"]; ok != (got[i].Meta.Raw != "") {
			t.Fatalf("meta is %q, want %v", got[i].Meta.Raw, meta)
		}
		statusCheckRaw(t, got[i].Meta.Raw)
	}
}

// statusCheckRaw decodes a value with go-json, which must be safe because the scanner has accepted
// it, and compares that with encoding/json.
func statusCheckRaw(t *testing.T, raw status.Raw) {
	t.Helper()
	if raw == "" {
		return
	}
	if !json.Valid([]byte(raw)) {
		t.Fatalf("%q is not JSON", raw)
	}
	var want, got any
	wantErr := json.Unmarshal([]byte(raw), &want)
	if gotErr := raw.Decode(&got); wantErr == nil && gotErr == nil && !reflect.DeepEqual(want, got) && !statusReplaced(raw) {
		t.Fatalf("%q: go-json has %v, encoding/json %v", raw, got, want)
	}
	text, isText := raw.Text()
	if s, ok := want.(string); wantErr == nil && (ok != isText || text != s) {
		t.Fatalf("%q: the text is %q, %v, want %q", raw, text, isText, s)
	}
}

// statusReplaced says that a value is written in a way in which go-json and encoding/json are known to
// differ: with invalid UTF-8, or surrogates, one of which may be alone.
func statusReplaced(raw status.Raw) bool {
	lower := strings.ToLower(string(raw))
	return strings.ToValidUTF8(lower, "") != lower || strings.Contains(lower, `\ud`)
}

func FuzzPeek(f *testing.F) {
	statusSeeds(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := status.Peek(data)
		_ = h.HTTPCode()
		if !statusIsObject(data) {
			// Peek may have stopped before the fault, and then it knows all it wants.
			if err != nil {
				statusCheckError(t, data, err)
			} else if h.State == "" && h.Error == "" {
				t.Fatalf("%q was accepted without a verdict", data)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if statusRepeatsKey(t, data) {
			return // of a key that comes again Peek may not see all
		}
		object := statusGeneric(t, data).(map[string]any)
		if object["ok"] != nil && object["error"] != nil {
			return // Peek stops at the first of them
		}
		statusCheckText(t, "ok", object, string(h.State))
		statusCheckText(t, "error", object, string(h.Error))
		id := "assembly_id"
		switch object[id].(type) {
		case string, json.Number:
		default:
			id = "assemblyId"
		}
		statusCheckText(t, id, object, h.ID)
		var a status.Assembly
		if err := status.DecodeAssembly(data, &a); err != nil {
			t.Fatal(err)
		}
		if h.ID != a.ID || h.BytesReceived != a.BytesReceived || h.BytesExpected != a.BytesExpected || h.HTTPCode() != int(a.HTTPCode) || h.Phase() != a.Phase() || h.Terminal() != a.Terminal() {
			t.Fatalf("%q: Peek has %+v, code %d, phase %v, DecodeAssembly %q, %d, %d, code %d, phase %v",
				data, h, h.HTTPCode(), h.Phase(), a.ID, a.BytesReceived, a.BytesExpected, a.HTTPCode, a.Phase())
		}
	})
}

// statusRepeatsKey reports whether the object data has a key more than once, or an id under
// both of its names.
func statusRepeatsKey(t *testing.T, data []byte) bool {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.Token()
	seen, ids := map[any]bool{}, 0
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if (key == "assembly_id" || key == "assemblyId") && strings.ContainsAny(string(value[:1]), `"-0123456789`) {
			ids++
		}
		if seen[key] || ids > 1 {
			return true
		}
		seen[key] = true
	}
	return false
}

func FuzzDecodeUpdate(f *testing.F) {
	types := []string{"assembly_execution_progress", "assembly_result_finished", "assembly_upload_finished", "assembly_error", "message", "", "other"}
	statusSeeds(f, func(data []byte) {
		for i := range types {
			f.Add(uint8(i), data)
		}
	})
	for _, s := range []string{
		`{"progress_combined":50,"progress_per_original_file":[{"original_id":"a","progress":100}]}`, `{"progress\u005fcombined":"1e2","\\":0}`, `{"progress_combined":1.5e308}`,
		`["step",{"id":"a"}]`, `["s\u0074ep",{"id":"a"},1]`, `{"step":"a","result":{"id":"b"}}`, `["",[]]`, `[]`, `null`, ` 1`, `""`, `assembly_finished`,
	} {
		for i := range types {
			f.Add(uint8(i), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, data []byte) {
		eventType := types[int(n)%len(types)]
		u, err := status.DecodeUpdate([]byte(eventType), data)
		if !bytes.Equal(u.Data, data) {
			t.Fatalf("Data is %q, want %q", u.Data, data)
		}
		valid := json.Valid(data)
		if n := int(n) % len(types); (err == nil) != (valid || n >= 3) {
			t.Fatalf("%s %q: %v, encoding/json accepts it: %v", eventType, data, err, valid)
		}
		if err != nil {
			statusCheckError(t, data, err)
			return
		}
		switch u.Kind {
		case status.UpdateExecutionProgress:
			object, ok := statusGeneric(t, data).(map[string]any)
			if !ok {
				t.Fatalf("%q is progress, and no object", data)
			}
			want, known := statusNumber(object["progress_combined"])
			want = max(0, min(want, 100))
			if u.PercentKnown != known || u.Percent != want {
				t.Fatalf("%q: %v %v, want %v %v", data, u.Percent, u.PercentKnown, want, known)
			}
			type file struct {
				id      string
				percent float64
			}
			var files, wantFiles []file
			for id, percent := range u.PerFile() {
				files = append(files, file{strings.ToValidUTF8(string(id), "\ufffd"), percent})
			}
			list, _ := object["progress_per_original_file"].([]any)
			for _, e := range list {
				f, _ := e.(map[string]any)
				id, ok := f["original_id"].(string)
				if percent, known := statusNumber(f["progress"]); ok && known {
					percent = max(0, min(percent, 100))
					wantFiles = append(wantFiles, file{id, percent})
				}
			}
			if len(files) != len(wantFiles) || !strings.Contains(string(data), "\\") && statusUTF8(data) && !reflect.DeepEqual(files, wantFiles) {
				t.Fatalf("%q: files %v, want %v", data, files, wantFiles)
			}
		case status.UpdateResultFinished:
			value := statusGeneric(t, data)
			if list, ok := value.([]any); ok {
				if list[0] != u.Step {
					t.Fatalf("%q: step %q", data, u.Step)
				}
				value = list[1]
			} else if inner, ok := value.(map[string]any)["result"].(map[string]any); ok {
				value = inner
			}
			statusCheckEncoded(t, value, u.File)
		case status.UpdateUploadFinished:
			statusCheckEncoded(t, statusGeneric(t, data), u.File)
		case status.UpdateUnknown:
			if u.File != nil || u.Failure != nil || u.Step != "" || u.PercentKnown {
				t.Fatalf("%q: an unknown update says %+v", data, u)
			}
		}
	})
}

func statusUTF8(data []byte) bool { return bytes.Equal(bytes.ToValidUTF8(data, nil), data) }

// statusNumber is the value of a number, in quotes or not, by encoding/json.
func statusNumber(v any) (float64, bool) {
	var n json.Number
	switch v := v.(type) {
	case json.Number:
		n = v
	case string:
		if json.Unmarshal([]byte(v), &n) != nil || strings.ContainsAny(v, "\" \t\r\nn") {
			return 0, false
		}
	}
	f, err := n.Float64()
	if err != nil {
		return 0, false
	}
	return f, true
}

func statusCheckEncoded(t *testing.T, want any, file *status.File) {
	t.Helper()
	got, err := file.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, statusGeneric(t, got)); diff != "" {
		t.Fatalf("the encoding differs (-input +output):\n%s", diff)
	}
}

func FuzzDecodeJob(f *testing.F) {
	statusSeeds(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		want := statusIsObject(data)
		var j status.Job
		err := status.DecodeJob(data, &j)
		if (err == nil) != want {
			t.Fatalf("%q: %v, encoding/json accepts it: %v", data, err, want)
		}
		head, peekErr := status.PeekJob(data)
		if err != nil {
			statusCheckError(t, data, err)
			if peekErr != nil {
				statusCheckError(t, data, peekErr)
			}
			return
		}
		value := statusGeneric(t, data)
		object := value.(map[string]any)
		if inner, ok := object["job"]; ok {
			object, _ = inner.(map[string]any)
		}
		statusCheckText(t, "jobId", object, j.ID)
		statusCheckText(t, "status", object, string(j.Status))
		if want, _ := statusNumber(object["progress"]); j.Progress != want {
			t.Fatalf("progress is %v, want %v", j.Progress, want)
		}
		list, _ := object["statusHistory"].([]any)
		if len(list) != len(j.History) {
			t.Fatalf("%d entries of history, want %d", len(j.History), len(list))
		}
		if peekErr != nil {
			t.Fatalf("PeekJob: %v", peekErr)
		}
		if !statusRepeatsJobKey(t, data) && (head.ID != j.ID || head.Status != j.Status || head.Progress != j.Progress) {
			t.Fatalf("%q: PeekJob has %+v, DecodeJob %q, %q, %v", data, head, j.ID, j.Status, j.Progress)
		}
		got, err := j.AppendJSON(nil)
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		statusCheckLength(t, data, got)
		if diff := cmp.Diff(value, statusGeneric(t, got)); diff != "" {
			t.Fatalf("%q: the encoding differs (-input +output):\n%s", data, diff)
		}
	})
}

// statusRepeatsJobKey reports whether a key comes again in the document or the job in it, or the
// job comes after keys that would be its own.
func statusRepeatsJobKey(t *testing.T, data []byte) bool {
	t.Helper()
	if statusRepeatsKey(t, data) {
		return true
	}
	var d struct{ Job json.RawMessage }
	object := statusGeneric(t, data).(map[string]any)
	if _, ok := object["job"].(map[string]any); !ok {
		return false
	}
	for _, key := range []string{"jobId", "status", "progress"} {
		if _, ok := object[key]; ok {
			return true
		}
	}
	return json.Unmarshal(data, &d) != nil || !statusIsObject(d.Job) || statusRepeatsKey(t, d.Job)
}

func FuzzDecode(f *testing.F) {
	statusSeeds(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := status.Decode(data)
		if err != nil {
			if !errors.Is(err, status.ErrUnknownDocument) {
				statusCheckError(t, data, err)
			}
			return
		}
		summary := d.Summary().AppendJSON(nil)
		if !json.Valid(summary) {
			t.Fatalf("%q: the summary is %s", data, summary)
		}
	})
}

// The inputs that made older releases of go-json panic reach it neither through Raw nor through a document, and
// if one did, the release in use has to take it.
func TestStatusHardInputs(t *testing.T) {
	for _, s := range statusHard {
		var v any
		if err := status.Raw(s).Decode(&v); err == nil {
			t.Errorf("Raw(%q).Decode accepted it", s)
		}
		if err := gojson.Unmarshal([]byte(s), &v); err == nil {
			t.Errorf("go-json accepted %q", s)
		}
		var a status.Assembly
		if err := status.DecodeAssembly([]byte(s), &a); err == nil {
			t.Errorf("DecodeAssembly accepted %q", s)
		}
		if got := status.Raw(s).Get("x"); got != "" {
			t.Errorf("Raw(%q).Get found %q", s, got)
		}
	}
}
