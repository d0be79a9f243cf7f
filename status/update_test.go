package status

import (
	"errors"
	"testing"
)

func TestDecodeUpdateMessages(t *testing.T) {
	for _, test := range []struct {
		eventType, data string
		want            UpdateKind
	}{
		{"", "assembly_finished", UpdateAssemblyFinished},
		{"message", "assembly_finished", UpdateAssemblyFinished},
		{"", "assembly_uploading_finished", UpdateUploadingFinished},
		{"message", "assembly_upload_meta_data_extracted", UpdateMetaDataExtracted},
		{"", "assembly_resting", UpdateUnknown},
		{"", "", UpdateUnknown},
		{"assembly_finished", "", UpdateUnknown},
		{"assembly_paused", `not JSON`, UpdateUnknown},
		{"assembly_paused", `{"a":1}`, UpdateUnknown},
	} {
		u, err := DecodeUpdate([]byte(test.eventType), []byte(test.data))
		if err != nil || u.Kind != test.want || string(u.Data) != test.data {
			t.Errorf("%q, %q: %v %q, %v, want %v", test.eventType, test.data, u.Kind, u.Data, err, test.want)
		}
	}
}

func TestDecodeUpdateProgress(t *testing.T) {
	type files map[string]float64
	for _, test := range []struct {
		name, data string
		known      bool
		percent    float64
		files      files
	}{
		{"one file", `{"progress_combined":50,"progress_per_original_file":[{"original_id":"e48c","progress":100}]}`, true, 50, files{"e48c": 100}},
		{"spaced out", "\n{ \"progress_combined\" : 50.5 ,\n\t\"progress_per_original_file\" : [ { \"progress\" : 1e1 , \"original_id\" : \"a\" } , {} ] }\n", true, 50.5, files{"a": 10}},
		{"no files", `{"progress_combined":100,"progress_per_original_file":[]}`, true, 100, files{}},
		{"empty", `{}`, false, 0, files{}},
		{"null", `{"progress_combined":null,"progress_per_original_file":null}`, false, 0, files{}},
		{"only files", `{"progress_per_original_file":[{"original_id":"a","progress":0},{"original_id":"b","progress":null},{"progress":4},7,{"original_id":3,"progress":4}]}`, false, 0, files{"a": 0}},
		{"in quotes", `{"progress_combined":"12.5"}`, true, 12.5, files{}},
		{"zero is known", `{"progress_combined":0}`, true, 0, files{}},
		{"negative", `{"progress_combined":-1,"progress_per_original_file":[{"original_id":"a","progress":-0.5}]}`, true, 0, files{"a": 0}},
		{"more than all", `{"progress_combined":150,"progress_per_original_file":[{"original_id":"a","progress":100.5}]}`, true, 100, files{"a": 100}},
		{"more than all, and more", `{"progress_combined":1e3,"progress_per_original_file":[{"original_id":"a","progress":123}]}`, true, 100, files{"a": 100}},
		{"the last one counts", `{"progress_combined":1,"progress_per_original_file":[{"original_id":"a","progress":1}],"progress_combined":2,"progress_per_original_file":[]}`, true, 2, files{}},
		{"the last one counts, and is none", `{"progress_combined":1,"progress_per_original_file":[{"original_id":"a","progress":1}],"progress_combined":null,"progress_per_original_file":null}`, false, 0, files{}},
		{"the last id counts", `{"progress_per_original_file":[{"original_id":"a","original_id":"b","progress":1},{"original_id":"c","progress":2,"original_id":7}]}`, false, 0, files{"b": 1}},
		{"the last progress of a file counts", `{"progress_per_original_file":[{"original_id":"a","progress":1,"progress":2},{"original_id":"b","progress":1,"progress":null}]}`, false, 0, files{"a": 2}},
		{"more digits than an integer has", `{"progress_combined":18446744073709551617,"progress_per_original_file":[{"original_id":"a","progress":9223372036854775808}]}`, true, 100, files{"a": 100}},
		{"escaped keys", `{"progress\u005fcombined":7,"progress_per_original_fil\u0065":[{"original\u005fid":"\u0061b","pro\u0067ress":9}]}`, true, 7, files{"ab": 9}},
		{"a backslash in a key", `{"\\progress_combined":7,"\\":1,"\\\\":2}`, false, 0, files{}},
		{"an object for a number", `{"progress_combined":{"a":1}}`, false, 0, files{}},
		{"beyond floats", `{"progress_combined":1e999}`, false, 0, files{}},
		{"many digits", `{"progress_combined":33.333333333333333333}`, true, 33.333333333333336, files{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := mustUpdate(t, "assembly_execution_progress", test.data)
			if u.Kind != UpdateExecutionProgress || u.PercentKnown != test.known || u.Percent != test.percent {
				t.Errorf("got %v, %v, %v", u.Kind, u.PercentKnown, u.Percent)
			}
			n := 0
			for id, p := range u.PerFile() {
				if want, ok := test.files[string(id)]; !ok || want != p {
					t.Errorf("file %s: %v", id, p)
				}
				n++
			}
			if n != len(test.files) {
				t.Errorf("%d files, want %d", n, len(test.files))
			}
		})
	}
}

// JSON that is no object says nothing of progress.
func TestDecodeUpdateProgressUnknown(t *testing.T) {
	for _, data := range []string{`[]`, `[1,2]`, `"x"`, `7`, `null`} {
		if u := mustUpdate(t, "assembly_execution_progress", data); u.Kind != UpdateUnknown || u.PercentKnown {
			t.Errorf("%s: %v, %v", data, u.Kind, u.PercentKnown)
		}
	}
}

func TestDecodeUpdateFiles(t *testing.T) {
	upload := mustUpdate(t, "assembly_upload_finished", `{"id":"u","size":3}`)
	if upload.Kind != UpdateUploadFinished || upload.File.ID != "u" || upload.File.Size != 3 {
		t.Errorf("upload: %v %+v", upload.Kind, upload.File)
	}
	for _, test := range []struct {
		name, data string
		want       UpdateKind
	}{
		{"array", `["resized",{"id":"r","meta":{"width":2}}]`, UpdateResultFinished},
		{"array with more", ` [ "resized" , {"id":"r","meta":{"width":2}} , 3 ] `, UpdateResultFinished},
		{"object", `{"step":"resized","id":"r","meta":{"width":2}}`, UpdateResultFinished},
		{"object with the result inside", `{"step_name":"resized","result":{"id":"r","meta":{"width":2}}}`, UpdateResultFinished},
		{"escaped name", `["re\u0073ized",{"id":"r","meta":{"width":2}}]`, UpdateResultFinished},
		{"no file", `["resized"]`, UpdateUnknown},
		{"a number for a file", `["resized",5]`, UpdateUnknown},
		{"no step", `[{"id":"r"}]`, UpdateUnknown},
		{"object with two names, one of them null", `{"step":null,"stepName":"resized","id":"r","meta":{"width":2}}`, UpdateResultFinished},
		{"neither a step nor an id", `{"name":"r"}`, UpdateUnknown},
		{"null", `null`, UpdateUnknown},
		{"empty", `[]`, UpdateUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := mustUpdate(t, "assembly_result_finished", test.data)
			if u.Kind != test.want {
				t.Fatalf("kind %v, want %v", u.Kind, test.want)
			}
			if u.Kind == UpdateUnknown {
				if u.File != nil || u.Step != "" {
					t.Errorf("step %q, file %+v", u.Step, u.File)
				}
				return
			}
			if width, _ := u.File.Meta.Width(); u.Step != "resized" || u.File.ID != "r" || width != 2 {
				t.Errorf("step %q, file %+v", u.Step, u.File)
			}
		})
	}
	if u := mustUpdate(t, "assembly_result_finished", `{"id":"r","name":"lake.pdf"}`); u.Kind != UpdateResultFinished || u.Step != "" || u.File == nil || u.File.Name != "lake.pdf" {
		t.Errorf("a result without a step: %+v", u)
	}
	if u := mustUpdate(t, "assembly_upload_finished", `[]`); u.Kind != UpdateUnknown || u.File != nil {
		t.Errorf("an upload that is an array: %+v", u)
	}
}

func TestDecodeUpdateError(t *testing.T) {
	for _, test := range []struct {
		name, data string
		want       Failure
	}{
		{"documented", `{"http_code":400,"step":"avatar","previousStep":":original","worker":"w1","msg":"not supported"}`,
			Failure{HTTPCode: 400, Step: "avatar", PreviousStep: ":original", Worker: "w1", Message: "not supported"}},
		{"with a code", `{"error":"WORKER_JOB_ERROR","message":"no"}`, Failure{Code: "WORKER_JOB_ERROR", Message: "no"}},
		{"plain text", `it broke`, Failure{Message: "it broke"}},
		{"a string", `"it \"broke\""`, Failure{Message: `it "broke"`}},
		{"cut off", `{"error":"WORK`, Failure{Message: `{"error":"WORK`}},
		{"nothing", ``, Failure{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := mustUpdate(t, "assembly_error", test.data)
			if u.Kind != UpdateAssemblyError {
				t.Fatalf("kind %v", u.Kind)
			}
			got := *u.Failure
			got.src = ""
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestDecodeUpdateSyntax(t *testing.T) {
	for _, eventType := range []string{"assembly_execution_progress", "assembly_result_finished", "assembly_upload_finished"} {
		for _, data := range []string{``, `{`, `{"progress_combined":5`, `["a",{}`, `["a",{"id":"r"}] x`, `{"a":1}}`, `{"progress_combined":05}`, `{"progress_combined":05,"progress_per_original_file":[]}`, `{"progress_combined":5,"progress_per_original_file":[1,]}`, `{"progress_combined":5,"progress_per_original_file":[]}}`, `x`} {
			u, err := DecodeUpdate([]byte(eventType), []byte(data))
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || u.Kind != UpdateUnknown || u.PercentKnown || u.Step != "" || u.File != nil || string(u.Data) != data {
				t.Errorf("%s %q: %+v, %v", eventType, data, u, err)
			}
		}
	}
}

func TestDecodeUpdateAllocations(t *testing.T) {
	progress := []byte(`{"progress_combined":50.25,"progress_per_original_file":[{"original_id":"e48cdd96971c4485976bce09cbc32a78","progress":100},{"original_id":"b","progress":2}]}`)
	for _, test := range []struct{ eventType, data []byte }{
		{nil, []byte("assembly_finished")},
		{[]byte("message"), []byte("assembly_uploading_finished")},
		{[]byte("assembly_execution_progress"), progress},
		{[]byte("assembly_paused"), progress},
	} {
		n := testing.AllocsPerRun(100, func() {
			u, _ := DecodeUpdate(test.eventType, test.data)
			for id, p := range u.PerFile() {
				_, _ = id, p
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", test.eventType, n)
		}
	}
}

// A File and a Failure outlive the event's data.
func TestDecodeUpdateCopies(t *testing.T) {
	for _, test := range []struct{ eventType, data string }{
		{"assembly_upload_finished", `{"id":"1"}`},
		{"assembly_result_finished", `["s",{"id":"1"}]`},
		{"assembly_result_finished", `{"id":"1","step":"s"}`},
		{"assembly_error", `{"message":"1"}`},
		{"assembly_error", `1`},
	} {
		data := []byte(test.data)
		u, err := DecodeUpdate([]byte(test.eventType), data)
		clear(data)
		if ok := u.File != nil && u.File.ID == "1" || u.Failure != nil && u.Failure.Message == "1"; err != nil || !ok || u.Step != "" && u.Step != "s" {
			t.Errorf("%s: %s: got %q, %+v, %+v, %v", test.eventType, test.data, u.Step, u.File, u.Failure, err)
		}
	}
}
