package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// wantVerdict compares DecodeAssembly, both ways, with encoding/json: it accepts what
// that calls valid, if the root is an object. The diagnosis has to come to the same
// verdict.
func wantVerdict(t *testing.T, data []byte) {
	t.Helper()
	trimmed := strings.TrimLeft(string(data), " \t\r\n")
	isJSON := json.Valid(data)
	want := isJSON && strings.HasPrefix(trimmed, "{")
	var a, b Assembly
	err := DecodeAssembly(data, &a)
	if (err == nil) != want {
		t.Fatalf("DecodeAssembly(%.300q) = %v, encoding/json accepts it: %v", data, err, want)
	}
	if err := DecodeAssemblyBorrowed(data, &b); (err == nil) != want {
		t.Fatalf("DecodeAssemblyBorrowed(%.300q) = %v, encoding/json accepts it: %v", data, err, want)
	}
	if got := valid(data); got != isJSON {
		t.Fatalf("valid(%.300q) = %v", data, got)
	}
	// Peek says the same, unless it had all it wants before the fault.
	h, peekErr := Peek(data)
	if settled := h.seen&headSettled == headSettled; (peekErr != nil || !settled) && !reflect.DeepEqual(peekErr, err) {
		t.Fatalf("Peek(%.300q) = %v, DecodeAssembly %v", data, peekErr, err)
	}
	if want {
		if err := diagnose(data); err != nil {
			t.Fatalf("diagnose(%.300q) = %v", data, err)
		}
		return
	}
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(data) || strings.Contains(syntax.What, "no fault") {
		t.Fatalf("DecodeAssembly(%.300q) = %#v, want a *SyntaxError inside the document", data, err)
	}
}

func TestVerdictOnValues(t *testing.T) {
	values := []string{
		``, ` `, `null`, `nul`, `nulll`, `Null`, `n`, `true`, `tru`, `truee`, `false`, `fals`, `f`, `falsy`,
		`0`, `-0`, `00`, `01`, `-01`, `1`, `-`, `+1`, `.5`, `1.`, `1.5`, `1.5.5`, `-1.5e10`, `1e5`, `1E5`, `1e`, `1e+`, `1e-`, `1e+5`, `1e-05`,
		`1e5.5`, `0x10`, `1_000`, `NaN`, `Infinity`, `-Infinity`, `0e0`, `0.0`, `0.`, `-0.0e-0`, `١`,
		`123456789012345678`, `1234567890123456789`, `12345678901234567890`, `99999999999999999999999999999999999999`,
		strings.Repeat("9", 400), `1` + strings.Repeat("0", 400) + `.0e-400`, `1e999999`,
		`""`, `"`, `"a`, `"a"b`, `"\"`, `"\\"`, `"\\\"`, `"\""`, `"\/\b\f\n\r\t"`, `"\a"`, `"\x41"`, `"\'"`, `"\u"`, `"\u1"`, `"\u12"`, `"\u123"`, `"\u1234"`,
		`"\u00e9"`, `"\u00E9"`, `"\u00g9"`, `"\uD83D\uDE00"`, `"\uD83D"`, `"\uDE00"`, `"\uD83D\n"`, `"\uD83Dx"`, `"\ud83d\ud83d\ude00"`, `"\U0041"`,
		"\"\x00\"", "\"\x1f\"", "\"\x7f\"", "\"\n\"", "\"\t\"", "\"a\x01b\"", "\"\xff\"", "\"\xc3\"", "\"\xc3\xa9\"", "\"\xed\xa0\x80\"", "\"\xf8\x88\x80\x80\x80\"", "\"\u2028\"",
		`'a'`, "`a`", `{}`, `{`, `}`, `{}}`, `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1,}`, `{,}`, `{a:1}`, `{1:1}`, `{"a" 1}`, `{"a"::1}`, `{"a":1 "b":2}`, `{"a":1;"b":2}`,
		`{"a":1,"a":2}`, `{"":""}`, `{"a":{"b":{"c":[]}}}`, `[]`, `[`, `]`, `[]]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `[[],[[]],{}]`, `[}`, `{]`,
		"\ufeff{}", "\xef\xbb\xbf1", "\v1", "\f1", "\u00a01", "1\u00a0", " \t\r\n1 \t\r\n", `/**/1`, `1//`, `1,`, `,1`,
		`"` + strings.Repeat(`\"`, 30) + `"`, `"` + strings.Repeat(`\"`, 30), `"` + strings.Repeat(`\\`, 31) + `"`, `"` + strings.Repeat(`\\`, 31) + `\"`, `"{\"a\":\"b\\\"c\",\"d\":[\"e\"]}"`,
		`"` + strings.Repeat(`a\"`, 20) + "\x01" + strings.Repeat(`a\"`, 20) + `"`,
	}
	// Wherever a value may stand, with every distance to the end of the document.
	for _, v := range values {
		wantVerdict(t, []byte(v))
		for _, form := range []string{
			`{"x":%s}`, `{"ok":%s}`, `{"x":[%s]}`, `{"x":{"y":%s}}`, `{"x": %s }`, `{"bytes_received":%s,"x":1}`, `{"is_infinite":%s}`,
			`{"start_date":%s}`, `{"upload_duration":%s,"a":2}`, `{"uploads":%s}`, `{"uploads":[%s,{"id":%[1]s}]}`, `{"uploads":[{"original_id":%s,"size":%[1]s,"from_batch_import":%[1]s}]}`,
			`{"results":%s}`, `{"results":{"a":%s}}`, `{"results":{"a":[%s]}}`, `{"results":{"a":[{"id":%s}],"b":[]}}`, `{"meta":%s}`,
		} {
			for pad := range 18 {
				wantVerdict(t, fmt.Appendf(nil, form+"%[2]s", v, strings.Repeat(" ", pad)))
			}
		}
	}
}

func TestVerdictOnKeys(t *testing.T) {
	for _, key := range []string{`""`, `"a"`, `"\u006fk"`, `"a\"b"`, `"a`, `a"`, `"\q"`, "\"\x01\"", "\"\xff\"", `1`, `null`, `"a"b`, `"eight678"`, `"sixteen_letters_"`} {
		for _, form := range []string{`{%s:1}`, `{"x":{%s:1}}`, `{"x":1,%s :1}`, "{\n\t%s\n:\n1}", `{"results":{%s:[]}}`, `{"uploads":[{%s:1}]}`} {
			for pad := range 18 {
				wantVerdict(t, fmt.Appendf(nil, form+"%s", key, strings.Repeat("\n", pad)))
			}
		}
	}
}

// White space changes within a document, so that what was learned from one indentation
// must not be assumed of the next.
func TestVerdictOnWhiteSpace(t *testing.T) {
	gaps := []string{"", " ", "\n", "\n  ", "\r\n\t", "\n       ", "\n        ", "\n         ", "\n               ", "\n                ", "\n                 ",
		"\v", "\n\x00 ", "        \v", "\n       \f", "\n    \"  ", "\n   \u00a0  "}
	for _, first := range gaps {
		for _, second := range gaps {
			for _, key := range []string{"k", "bytes_received"} {
				for _, in := range []string{"%s", `{"x":%s,"y":"long enough not to be near the end"}`} {
					doc := fmt.Sprintf(`{"a":1,%[1]s"%[3]s":2,%[1]s"%[3]s":3,%[2]s"d":4,%[1]s"e" %[2]s: %[1]s5 %[2]s}`, first, second, key)
					wantVerdict(t, fmt.Appendf(nil, in, doc))
				}
			}
		}
	}
}

func TestVerdictOnDepth(t *testing.T) {
	nested := func(open, close string, n int) []byte {
		return []byte(strings.Repeat(open, n) + strings.Repeat(close, n))
	}
	wrap := func(key string, inner []byte) []byte {
		return append(append([]byte(`{"`+key+`":`), inner...), '}')
	}
	for _, n := range []int{1, 2, 64, 65, 9996, 9997, 9998, 9999, 10000, 10001, 10002, 100000} {
		for _, key := range []string{"x", "meta", "uploads", "results", "ok", "bytes_received", "start_date"} {
			wantVerdict(t, wrap(key, nested("[", "]", n)))
			wantVerdict(t, wrap(key, append(append(nested(`{"a":`, "", n), '1'), nested("", "}", n)...)))
			wantVerdict(t, wrap(key, nested("[", "", n)))
		}
		wantVerdict(t, wrap("results", wrap("step", append(append([]byte("["), nested("[", "]", n)...), ']'))))
		wantVerdict(t, wrap("results", wrap("step", append(append([]byte("["), wrap("meta", nested("[", "]", n))...), ']'))))
		wantVerdict(t, append(append(nested(`{"results":`, "", n), '1'), nested("", "}", n)...))
	}
}

// isDouble says that a document need not be tried at every byte: a long one, because its
// compact form has the same tokens, and those that have nothing that others have not.
func isDouble(name string, data []byte) bool {
	return len(data) > 3000 && !strings.HasSuffix(name, "/compact") || strings.HasPrefix(name, "assembly-canceled") || strings.HasPrefix(name, "assembly-uploading") || strings.HasPrefix(name, "assembly-failed")
}

func TestVerdictOnTruncated(t *testing.T) {
	for name, data := range payloads(t) {
		if isDouble(name, data) {
			continue
		}
		for n := 0; n < len(data); n += stride {
			if wantVerdict(t, data[:n]); t.Failed() {
				t.Fatalf("%s cut off at byte %d", name, n)
			}
		}
	}
}

func TestVerdictOnChangedByte(t *testing.T) {
	replacements := []byte("\"\\{}[]:,.0 1eEntfu-+ \n\t\x00\x1f\x7f\x80\xff/")
	for name, data := range payloads(t) {
		if isDouble(name, data) {
			continue
		}
		data = append([]byte(nil), data...)
		for i := 0; i < len(data); i += stride {
			was := data[i]
			// Each position gets one of the replacements, its neighbours get others.
			data[i] = replacements[i%len(replacements)]
			if wantVerdict(t, data); t.Failed() {
				t.Fatalf("%s with %q at byte %d", name, data[i], i)
			}
			data[i] = was
		}
	}
	small := []byte(`{"ok":"A\u00e9\"","bytes_received":-1.5e3,"uploads":[{"id":"x","meta":{"a":[true,null]}}],"results":{"s":[{}]}}`)
	for i, was := range small {
		for c := range 256 {
			small[i] = byte(c)
			if wantVerdict(t, small); t.Failed() {
				t.Fatalf("%#x at byte %d", c, i)
			}
		}
		small[i] = was
	}
}

func TestSyntaxError(t *testing.T) {
	tests := []struct {
		name, data string
		offset     int
		path       string
		message    string
	}{
		{"empty", ``, 0, "", "status: byte 0: the document is empty, a JSON object was expected"},
		{"no object", ` [1]`, 1, "", "status: byte 1: the document is not a JSON object, it begins with '['"},
		{"an error page", `<html>`, 0, "", "status: byte 0: the document is not a JSON object, it begins with '<'"},
		{"deep inside", `{"results":{"resized":[{},{},{"meta":{"width":12x}}]}}`, 48, "results.resized[2].meta", "status: byte 48 in results.resized[2].meta: 'x' where a comma or the end of the object was expected"},
		{"a bad value", `{"results":{"resized":[{},{"meta":nil}]}}`, 35, "results.resized[1].meta", "status: byte 35 in results.resized[1].meta: 'i' where null was expected"},
		{"cut off", `{"ok":"ASSEMBLY_`, 16, "ok", "status: byte 16 in ok: the document ends where the end of a string was expected; was it cut off?"},
		{"control byte", "{\"ok\":\"a\nb\"}", 8, "ok", "status: byte 8 in ok: byte 0x0a in a string, where it has to be escaped"},
		{"an escape", `{"ok":"\x"}`, 8, "ok", `status: byte 8 in ok: 'x' where one of "\/bfnrtu was expected`},
		{"something behind", `{} {}`, 3, "", "status: byte 3: '{' behind the end of the document"},
		{"comma too many", `{"a":1,}`, 7, "", "status: byte 7: '}' where a key in quotes was expected"},
		{"too deep", `{"a":{"b":` + strings.Repeat("[", maxDepth) + `}}`, 10008, "", "status: byte 10008: more than 10000 arrays and objects inside each other"},
		{"leading zero", `{"a":[0,01]}`, 9, "a", "status: byte 9 in a: '1' where a comma or the end of the array was expected"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var a Assembly
			var err *SyntaxError
			if !errors.As(DecodeAssembly([]byte(test.data), &a), &err) {
				t.Fatal("no *SyntaxError")
			}
			if err.Offset != test.offset || err.Path != test.path || err.Error() != test.message {
				t.Errorf("got byte %d in %q: %s\nwant byte %d in %q: %s", err.Offset, err.Path, err, test.offset, test.path, test.message)
			}
		})
	}
}

// White space ends where it ends, however it is mixed, and wherever the document does.
func TestSkipSpace(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		space := ""
		for n := r.IntN(5); n > 0; n-- {
			space += []string{" ", "\n", "\r\n", "\t"}[r.IntN(4)] + strings.Repeat(" ", r.IntN(20))
		}
		for _, behind := range []string{"", "x", "\"a\": 1,\n \n", "\x00        ", "\v\n      ", "\x1f", "\xa0"} {
			if got := skipSpace([]byte("x"+space+behind), 1); got != 1+len(space) {
				t.Fatalf("%q in front of %q ends at %d, want %d", space, behind, got, 1+len(space))
			}
		}
	}
}

// numbered returns members whose keys are the numbers from the one to less than the other.
func numbered(from, to int) string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf(`"%d":0`, i))
	}
	return strings.Join(all, ",")
}

// Which members are remembered decides only how fast the next object is read, and nothing
// else would tell.
func TestSkipObjectRemembers(t *testing.T) {
	keysOf := func(from, to int) string {
		return strings.NewReplacer(`":0,"`, " ", `":0`, "", `"`, "").Replace(numbered(from, to))
	}
	known := "{" + numbered(0, 20) + "}"
	for _, tt := range []struct {
		name    string
		objects []string
		want    string // keys
	}{
		{"read in all ways", []string{`{"a":1,"b":{"x":1},"c" :1, "d":"\n","\n":[1],"f":null,"g":2}`}, `a b c d \n f g`},
		{"near the end", []string{`{"a":1,"b":2}`}, `a b`},
		{"none", []string{`{}`}, ``},
		{"more than there is room for", []string{"{" + numbered(0, 70) + "}"}, keysOf(0, 64)},
		{"the same again", []string{known, known}, keysOf(0, 20)},
		{"some others", []string{known, `{"x":1,` + numbered(1, 10) + `,"y":1,` + numbered(11, 20) + `}`}, keysOf(0, 20)},
		{"the first half another", []string{known, `{` + numbered(50, 57) + `,` + numbered(7, 20) + `}`}, keysOf(0, 20)},
		{"more than half another", []string{known, `{` + numbered(50, 61) + `,` + numbered(11, 20) + `}`}, ``},
		{"all others", []string{known, `{` + numbered(50, 80) + `}`}, ``},
		{"and one behind that", []string{known, `{` + numbered(50, 80) + `}`, `{"p":1,"q":2}`}, `p q`},
		{"too few for comparing", []string{`{"a":1,"b":2,"c":3}`, `{"a":1,"b":2,"z":3}`}, `a b z`},
		{"as few as can be compared", []string{`{` + numbered(0, 17) + `}`, `{` + numbered(0, 16) + `,"z":0}`}, keysOf(0, 17)},
		{"one less", []string{`{` + numbered(0, 16) + `}`, `{` + numbered(0, 15) + `,"z":0}`}, keysOf(0, 15) + " z"},
	} {
		for _, behind := range []string{"", strings.Repeat(" ", 2*slack)} {
			s := strings.Join(tt.objects, "") + behind
			d := decoder{b: []byte(s), s: s, guess: new(guesses)}
			i := 0
			for range tt.objects {
				i = d.skipObject(i, 1)
			}
			var keys []string
			for _, k := range d.members.starts[:d.members.n] {
				key, _, _ := strings.Cut(s[k+1:], `"`)
				keys = append(keys, key)
			}
			if got := strings.Join(keys, " "); got != tt.want || i != len(s)-len(behind) {
				t.Errorf("%s, %d bytes behind: %s, want %s; ends at %d of %d", tt.name, len(behind), got, tt.want, i, len(s))
			}
		}
	}
}

func TestMemoryLast(t *testing.T) {
	m := memory{n: 4, starts: [64]int{10, 20, 30, 40}}
	for i, want := range map[int]int{10: 0, 19: 0, 20: 1, 29: 1, 30: 2, 39: 2, 40: 3, 99: 3} {
		if got := m.last(i); got != want {
			t.Errorf("last(%d) = %d, want %d", i, got, want)
		}
	}
}

// The second of two like objects is not read byte by byte. It still has to be refused
// where it is too deep, though the first was not, and wherever it differs.
func TestRepeatedObjects(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for n := maxDepth - 8; n <= maxDepth; n++ {
		raw := `{"first":1,"second":` + deep(n) + `,` + numbered(0, 20) + `}`
		for _, before := range []string{``, `"results":{"s":[{"meta":{"a":1}}]},`, `"results":{"s":[{"meta":{` + numbered(0, 20) + `}}]},`} {
			data := []byte(`{` + before + `"fields":` + raw + `,"results":{"s":[{"meta":` + raw + `}]}}`)
			var a Assembly
			if err := DecodeAssembly(data, &a); (err == nil) != json.Valid(data) {
				t.Errorf("%d deep behind %s: %v, encoding/json accepts it: %v", n, before, err, json.Valid(data))
			}
		}
	}
	first := `{` + numbered(0, 5) + `,"a":1,"b":{"c":[1,2]},"d":"text","e":null,"f":"a rather long text","g":[true],"h":-1.5e3,` + numbered(5, 10) + `}`
	for i := range len(first) + 1 {
		for _, put := range []string{"", "x", `"`, "\\", "{", "}", "[", "]", ",", ":", "0", " ", "\x00", `"y":1,`} {
			for _, cut := range []int{0, 1} {
				second := first[:i] + put + first[min(i+cut, len(first)):]
				data := []byte(`{"fields":` + first + `,"info":` + second + `,"warnings":` + first + `}                `)
				var a Assembly
				err := DecodeAssembly(data, &a)
				if (err == nil) != json.Valid(data) {
					t.Fatalf("%s: %v, encoding/json accepts it: %v", data, err, json.Valid(data))
				}
				if err == nil && (string(a.Info) != strings.TrimSpace(second) || string(a.Warnings) != first) {
					t.Fatalf("%s: info %s, warnings %s", data, a.Info, a.Warnings)
				}
			}
		}
	}
	text := `"` + strings.Repeat(`{\"k\":\"v\"},`, 10) + `"`
	for i := range len(text) {
		for _, c := range []byte("x\"\\\x00") {
			second := []byte(text)
			second[i] = c
			data := []byte(`{"params":` + text + `,"merged_params":` + string(second) + `,"template":` + text + `}`)
			var a Assembly
			err := DecodeAssembly(data, &a)
			if (err == nil) != json.Valid(data) {
				t.Fatalf("%s: %v, encoding/json accepts it: %v", data, err, json.Valid(data))
			}
			if err == nil && (string(a.MergedParams) != string(second) || string(a.Template) != text) {
				t.Fatalf("%s: merged_params %s", data, a.MergedParams)
			}
		}
	}
}

// What escapesFast passes over is what it may, wherever that stands in what is looked at in
// one step, and it stops nowhere else.
func TestEscapesFast(t *testing.T) {
	pieces := []string{`\"`, `\"`, `\"`, "plain", " ", "é", "x", "\x7f", "\xff"}
	stops := []string{`"`, `\\`, `\\"`, `\n`, `\`, "\x00", "\x1f", "\\\x1f"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		i := r.IntN(40)
		text := strings.Repeat(`"`, i)
		for n := r.IntN(60); n > 0; n-- {
			text += pieces[r.IntN(len(pieces))]
		}
		stop := len(text)
		text += stops[r.IntN(len(stops))]
		text += strings.Repeat(`\`, r.IntN(80))
		got := escapesFast([]byte(text), i)
		if rest := strings.ReplaceAll(text[i:max(i, got)], `\"`, ""); got < i || got > stop || strings.ContainsAny(rest, "\"\\\x1f\x00") {
			t.Fatalf("%q from byte %d: got as far as %d, want no further than %d", text, i, got, stop)
		}
		if far := i + (len(text)-i)/32*32 - 1; escapesFast([]byte(strings.Repeat("x", 64)), 0) > 0 && got < min(stop, far) {
			t.Fatalf("%q from byte %d: got no further than %d, want %d", text, i, got, min(stop, far))
		}
	}
}

// Searches that go on for long do so in stretches, without a gap.
func TestStretches(t *testing.T) {
	for _, at := range []int{stretch - 33, stretch - 32, stretch - 2, stretch - 1, stretch, stretch + 1, stretch + 31, 2*stretch - 1, 2 * stretch, 3*stretch + 5} {
		for begin := range 3 {
			quotes := strings.Repeat(`\"`, at/2) + strings.Repeat("x", at%2)
			for _, stop := range []string{`"`, `\\`, `\\"`, "\x00"} {
				text := strings.Repeat("x", begin) + quotes + stop + strings.Repeat("x", 2*stretch)
				if got := escapesFast([]byte(text), begin); got != begin && got != begin+at {
					t.Errorf("%q at %d: got as far as %d", stop, begin+at, got)
				} else if got == begin && escapesFast([]byte(strings.Repeat("x", 64)), 0) > 0 {
					t.Errorf("%q at %d: got nowhere", stop, begin+at)
				}
			}
			one := strings.Repeat("a", at+begin)
			doc := []byte(one + "b" + strings.Repeat("a", stretch) + one + "c")
			if got := repeats(doc, len(one)+1+stretch, 0, len(doc)); got != len(one) {
				t.Errorf("%d bytes are the same, want %d", got, len(one))
			}
		}
	}
}
