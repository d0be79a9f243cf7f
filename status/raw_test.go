package status

import (
	"encoding/json"
	"testing"
)

func TestRawEmbedded(t *testing.T) {
	for _, tt := range []struct {
		raw, want Raw
		ok        bool
	}{
		{`"{\"a\":1}"`, `{"a":1}`, true},
		{`"7"`, `7`, true},
		{`{"a":1}`, `{"a":1}`, true},
		{` [1]`, ` [1]`, true},
		{`{"a":`, ``, false},
		{`[1,]`, ``, false},
		{`"{\"a\":"`, ``, false},
		{`""`, ``, false},
		{`"cut off`, ``, false},
		{`7`, ``, false},
		{`null`, ``, false},
		{``, ``, false},
	} {
		if inner, ok := tt.raw.Embedded(); ok != tt.ok || ok && inner != tt.want {
			t.Errorf("inside %s: %s, %v, want %s, %v", tt.raw, inner, ok, tt.want, tt.ok)
		}
	}
}

func TestRawMarshal(t *testing.T) {
	for _, tt := range []struct {
		raw  Raw
		want string // empty for an error
	}{
		{``, `null`}, {`null`, `null`}, {`{"a":1.50}`, `{"a":1.50}`}, {` `, ``}, {`oops`, ``}, {`{} {}`, ``},
	} {
		got, err := tt.raw.MarshalJSON()
		if string(got) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: %s, %v, want %q", tt.raw, got, err, tt.want)
		}
	}
	if got, err := json.Marshal(struct{ R Raw }{}); string(got) != `{"R":null}` || err != nil {
		t.Errorf("in a struct: %s, %v", got, err)
	}
}

// Asking for what is in a Raw costs no allocation.
func TestRawAllocations(t *testing.T) {
	meta := Meta{`{"a":{"b":[1,2]},"date_file_modified":"2026/05/07 16:10:57 GMT","duration":12.5,"width":1920,"height":1080,"framerate":"29.97","aspect_ratio":1.778,"page_count":3,"c":true}`}
	text, number := Raw(`"a string that does not fit into a few bytes"`), Raw(`"123456789"`)
	for name, f := range map[string]func() bool{
		"Valid":   meta.Valid,
		"IsNull":  func() bool { return !meta.IsNull() },
		"Get":     func() bool { return meta.Get("a").Get("b") == `[1,2]` },
		"Text":    func() bool { _, ok := text.Text(); return ok },
		"Int64":   func() bool { _, ok := number.Int64(); return ok },
		"Float64": func() bool { _, ok := number.Float64(); return ok },
		"Seconds": func() bool { _, ok := number.Seconds(); return ok },
		"Bool":    func() bool { _, ok := meta.Get("c").Bool(); return ok },
		"Elements": func() bool {
			n := 0
			for range meta.Get("a").Get("b").Elements() {
				n++
			}
			return n == 2
		},
		"Embedded":    func() bool { _, ok := number.Embedded(); return ok },
		"Width":       func() bool { _, ok := meta.Width(); return ok },
		"Height":      func() bool { _, ok := meta.Height(); return ok },
		"Duration":    func() bool { _, ok := meta.Duration(); return ok },
		"Modified":    func() bool { _, ok := meta.Modified(); return ok },
		"FrameRate":   func() bool { _, ok := meta.FrameRate(); return ok },
		"AspectRatio": func() bool { _, ok := meta.AspectRatio(); return ok },
		"PageCount":   func() bool { _, ok := meta.PageCount(); return ok },
	} {
		ok := true
		if n := testing.AllocsPerRun(100, func() { ok = ok && f() }); n != 0 || !ok {
			t.Errorf("%s: %v allocations, %v", name, n, ok)
		}
	}
}
