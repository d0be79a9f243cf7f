package status

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// ways are the searches that have to find the same.
var ways = []struct {
	name string
	find func(b []byte, i, limit int, out []pair, keys uint64) (n, next int, where stop)
}{
	{"as this machine does", findPairs},
	{"portable", pairsPortable},
}

// describePairs calls find for b, which is taken to go on, and says what it found: the
// pairs, then what it left, and whether it had come as far as a value.
func describePairs(find func(b []byte, i, limit int, out []pair, keys uint64) (n, next int, where stop), b []byte, i, room int, keys uint64) string {
	long := append(bytes.Clone(b), make([]byte, 2*slack)...)
	out := make([]pair, room)
	n, next, where := find(long, i, len(b), out, keys)
	var s strings.Builder
	for _, p := range out[:n] {
		fmt.Fprintf(&s, "%s=%s ", b[p.key:p.keyEnd], b[p.value:p.end])
	}
	switch where {
	case atValue:
		fmt.Fprintf(&s, "%s=|", b[out[n].key:out[n].keyEnd])
		next = out[n].value
	case atEnd:
		s.WriteString("} ")
	}
	fmt.Fprintf(&s, "|%s", b[min(next, len(b)):])
	return s.String()
}

func TestPairs(t *testing.T) {
	long := strings.Repeat("0123456789", 20)
	for _, tt := range []struct{ name, given, want string }{
		{"plain members", `"a":"x","bc":1,"d":null,"e":true,"f":false,"g":[],"h":{},"i":"",`, `a="x" bc=1 d=null e=true f=false g=[] h={} i="" |`},
		{"indented", "\"a\": \"x\",\n    \"bc\": 1,\r\n\t\"d\": null,\n}", "a=\"x\" bc=1 d=null |}"},
		{"a line end and 32 spaces", "\"a\": \"x\",\n" + strings.Repeat(" ", 32) + "\"b\": 2,\n", `a="x" b=2 |`},
		{"a line end and 33 spaces", "\"a\": \"x\",\n" + strings.Repeat(" ", 33) + "\"b\": 2,\n", `a="x" b=2 |`},
		{"line ends", "\"a\": \"x\",\n\n \n\"b\": 2,\n\"c\":[]\n,", "a=\"x\" b=2 c=||[]\n,"},
		{"indented far", "\"a\": 1,\n" + strings.Repeat(" ", 70) + "\"b\": 2,\n", "a=1 b=2 |"},
		{"the last one", `"a":1,"b":2},"c":3`, `a=1 b=2 } |,"c":3`},
		{"a string as the last one", "\"a\":1,\"b\":\"x\"\r\n\t} ", `a=1 b="x" } | `},
		{"the last one, with white space behind it", `"a":null` + strings.Repeat(" ", 32) + `}`, `a=null } |`},
		{"the last one, with too much of it", `"a":null` + strings.Repeat(" ", 33) + `}`, `a=||null` + strings.Repeat(" ", 33) + `}`},
		{"neither a comma nor a brace", `"a":1,"b":2]`, `a=1 b=||2]`},
		{"neither of them behind white space", `"a":1,"b":2 "c":3}`, `a=1 b=||2 "c":3}`},
		{"no member behind a comma", `"a":1,}`, `a=1 |}`},
		{"a comma behind white space", `"a":1 ,"b":2,`, `a=||1 ,"b":2,`},
		{"white space before the colon", `"a" :1,`, `|"a" :1,`},
		{"more than a space behind the colon", `"a":  1,`, `a=|| 1,`},
		{"no key", `1,"a":1,`, `|1,"a":1,`},
		{"no colon", `"a","b":1,`, `|"a","b":1,`},
		{"no value", `"a":,"b":1,`, `a=||,"b":1,`},
		{"no key behind a comma", `"a":1,,"b":1,`, `a=1 |,"b":1,`},
		{"a control byte where a key should be", "\"a\":1,\x01\"b\":1,", "a=1 |\x01\"b\":1,"},
		{"an escape sequence in a key", `"a":1,"b\u0063":1,`, `a=1 |"b\u0063":1,`},
		{"an escape sequence in a string", `"a":1,"b":"\n",`, `a=1 b=||"\n",`},
		{"an escaped quote", `"b":"\"","c":1,`, `b=||"\"","c":1,`},
		{"a control byte in a key", "\"a\nb\":1,", "|\"a\nb\":1,"},
		{"a control byte in a string", "\"a\":\"\x1f\",", "a=||\"\x1f\","},
		{"DEL in a string", "\"a\":\"\x7f\",", "a=\"\x7f\" |"},
		{"a letter that is not ASCII", `"a":1,"b":"ä","c":1,`, `a=1 b=||"ä","c":1,`},
		{"a key that is not ASCII", `"a":1,"ä":1,`, `a=1 |"ä":1,`},
		{"numbers", `"a":0,"b":-0,"c":1.5,"d":-12.25,"e":0.001,"f":1234567890123456789012345,`, `a=0 b=-0 c=1.5 d=-12.25 e=0.001 f=1234567890123456789012345 |`},
		{"numbers of 32 bytes", `"a":` + long[1:33] + `,"b":-` + long[1:33] + `,"c":1.` + long[:30] + `,"d":` + long[1:32] + `.,`, `a=` + long[1:33] + ` b=-` + long[1:33] + ` c=1.` + long[:30] + ` d=||` + long[1:32] + `.,`},
		{"a number of 33 bytes", `"a":` + long[1:34] + `,`, `a=||` + long[1:34] + `,`},
		{"a fraction that ends behind 32 bytes", `"a":-1.` + long[:31] + `,`, `a=||-1.` + long[:31] + `,`},
		{"a point behind 32 bytes", `"a":` + long[1:33] + `.5,`, `a=||` + long[1:33] + `.5,`},
		{"two points", `"a":1.5.5,`, `a=||1.5.5,`},
		{"what is near a digit", `"a":1/,`, `a=||1/,`},
		{"what is behind a digit", `"a":1:,`, `a=||1:,`},
		{"an exponent", `"a":1e5,`, `a=||1e5,`},
		{"an exponent behind a fraction", `"a":1.5E-5,`, `a=||1.5E-5,`},
		{"a number with a zero in front", `"a":01,`, `a=||01,`},
		{"a number with a plus", `"a":+1,`, `a=||+1,`},
		{"no digit behind the minus", `"a":-,`, `a=||-,`},
		{"a letter behind the minus", `"a":-a,`, `a=||-a,`},
		{"no digit behind the point", `"a":1.,`, `a=||1.,`},
		{"a letter behind a number", `"a":1a,`, `a=||1a,`},
		{"a letter behind a literal", `"a":nullx,`, `a=||nullx,`},
		{"half a literal", `"a":nul,`, `a=||nul,`},
		{"another literal", `"a":falsy,`, `a=||falsy,`},
		{"something behind a string", `"a":"x"y,`, `a=||"x"y,`},
		{"an array with something in it", `"a":[1],`, `a=||[1],`},
		{"an object with something in it", `"a":{"b":1},`, `a=||{"b":1},`},
		{"a bracket that closes another", `"a":[},`, `a=||[},`},
		{"a long string", `"a":"` + long + `","b":1,`, `a="` + long + `" b=1 |`},
		{"a long key", `"` + long + `":"a","b":1,`, long + `="a" b=1 |`},
		{"a string without an end", `"a":"` + long, `a=||"` + long},
		{"a key without an end", `"` + long, `|"` + long},
		{"nothing", ``, `|`},
	} {
		for _, way := range ways {
			// Wherever the members are in what is looked at in one step.
			for before := range 70 {
				given := strings.Repeat(" ", before) + tt.given
				if got := describePairs(way.find, []byte(given), before, 16, anyKey); got != tt.want {
					t.Fatalf("%s, %s, behind %d bytes:\n%s\nwant\n%s", tt.name, way.name, before, got, tt.want)
				}
			}
		}
	}
}

func TestPairsRoom(t *testing.T) {
	given := []byte(`"ok":1,"message":2,"assembly_id":3,"region":4,"error":5,"params":6,`)
	for _, way := range ways {
		for _, tt := range []struct {
			room int
			keys uint64
			want string
		}{
			{1, anyKey, `ok=1 |"message":2,"assembly_id":3,"region":4,"error":5,"params":6,`},
			{3, anyKey, `ok=1 message=2 assembly_id=3 |"region":4,"error":5,"params":6,`},
			{6, anyKey, `ok=1 message=2 assembly_id=3 region=4 error=5 params=6 |`},
			{2, keySet("assembly_id", "region"), `assembly_id=3 region=4 |"error":5,"params":6,`},
			{2, keySet("error", "ok"), `ok=1 error=5 |"params":6,`},
			{4, keySet("params"), `params=6 |`},
			{4, 0, `|`},
		} {
			if got := describePairs(way.find, given, 0, tt.room, tt.keys); got != tt.want {
				t.Errorf("%s, room for %d, keys %b: %s, want %s", way.name, tt.room, tt.keys, got, tt.want)
			}
		}
	}
}

// Near the end of a document, too, what is found is what is there.
func TestPairsNearTheEnd(t *testing.T) {
	for members := 1; members < 40; members++ {
		var doc []byte
		for i := range members {
			doc = fmt.Appendf(doc, `"key%d":"value %d",`, i, i)
		}
		doc = append(doc, `"last":0}`...)
		i, n, withCare := 0, 0, 0
		for n < members {
			var out [4]pair
			found, next, where := pairs(doc, i, out[:], anyKey)
			for _, p := range out[:found] {
				if got, want := string(doc[p.key:p.keyEnd])+string(doc[p.value:p.end]), fmt.Sprintf(`key%d"value %d"`, n, n); got != want {
					t.Fatalf("%d members: %s, want %s", members, got, want)
				}
				if p.key-1+keyRoom > len(doc) {
					t.Fatalf("%d members: the key at %d has less than %d bytes behind it", members, p.key, keyRoom)
				}
				n++
			}
			if i = next; n < members && (found == 0 || where == atValue) {
				i += bytes.Index(doc[i:], []byte(`,"`)) + 1
				n++
				withCare++
			}
		}
		if string(doc[i:]) != `"last":0}` || withCare > 3 {
			t.Errorf("%d members: %d of them are left for care, %q behind them", members, withCare, doc[i:])
		}
	}
}

// A search comes back now and then, however long the document is.
func TestPairsStretch(t *testing.T) {
	doc := bytes.Repeat([]byte(`"a":1,`), 1<<16)
	for i := 0; i < len(doc)-slack; {
		var out [1]pair
		found, next, _ := pairs(doc, i, out[:], 0)
		if found != 0 || next <= i || next > i+stretch+slack {
			t.Fatalf("from byte %d: %d pairs, and on to byte %d", i, found, next)
		}
		i = next
	}
}

// Every key has to be found in the bytes that can be loaded.
func TestKeyRoom(t *testing.T) {
	for _, o := range allObjects() {
		for _, f := range append(o.layout().fields, unknownField) {
			if int(f.tailAt)+8 > keyRoom {
				t.Errorf("%T: %s is longer than %d bytes", o, f.more().key, keyRoom)
			}
			if f.length > 32 {
				t.Errorf("%T: not all of %s is compared", o, f.more().key)
			}
		}
	}
}

// allObjects are one of each type that has a layout.
func allObjects() []object {
	return []object{new(Assembly), new(File), new(Failure), new(Asset), new(JobNode), new(JobMetadata), new(jobBody), new(JobEvent), new(JobBilling), new(JobNodeAsset), new(jobRoot)}
}

// A key that is not in the layout must not be taken for the one that is expected in its
// place, whichever of its bytes is another.
func TestOtherKeys(t *testing.T) {
	for _, o := range allObjects() {
		values := map[kind]string{kindDate: `"2026/05/07 16:10:57 GMT"`, kindBool: "true", kindObject: "{}"}
		before := ""
		for _, f := range o.layout().fields {
			value := cmp.Or(values[f.kind], "1")
			for i := range f.more().key {
				other := f.more().key[:i] + "#" + f.more().key[i+1:]
				decodeSource(`{`+before+`"`+other+`":`+value+`,"x":"`+strings.Repeat("far from the end ", 10)+`"}`, o)
				if got := slotOf(o, f.more().key); !got.equal(slotOf(o.layout().fresh(), f.more().key)) {
					t.Errorf("%T: %s was taken for %s", o, other, f.more().key)
				}
			}
			before = `"` + f.more().key + `":null,`
		}
	}
}

// After the last field of a layout no other is expected, but keys can still come.
func TestKeysBehindTheLast(t *testing.T) {
	for _, o := range allObjects() {
		fields := o.layout().fields
		last := fields[len(fields)-1].more().key
		for _, key := range []string{``, `x`, `\"`, "\xff"} {
			doc := `{"` + last + `":null` + strings.Repeat(`,"`+key+`":"\n"`, 3) + `}`
			if decodeSource(doc, o); *o.source() != doc {
				t.Errorf("%T: %s was decoded from %q", o, doc, *o.source())
			}
		}
	}
}

// checkPairs reports where one way finds something other than the other, or what is not JSON.
func checkPairs(t *testing.T, b []byte, i, room int, keys uint64) {
	t.Helper()
	got := describePairs(ways[0].find, b, i, room, keys)
	if want := describePairs(ways[1].find, b, i, room, keys); got != want {
		t.Fatalf("from byte %d of %q, room for %d, keys %b:\n%s\nportable:\n%s", i, b, room, keys, got, want)
	}
	out := make([]pair, room)
	n, _, _ := pairs(b, i, out, anyKey)
	for _, p := range out[:n] {
		if text := b[p.key-1 : p.end]; !json.Valid(append(append([]byte("{"), text...), '}')) {
			t.Fatalf("from byte %d of %q: %q is no member", i, b, text)
		}
	}
}

// White space after a comma may be of any length, and nothing else is taken for it.
func TestPairsSpace(t *testing.T) {
	for n := range 110 {
		for _, kind := range []string{" ", "\n", "\t", "\r\n", "\n   "} {
			space := strings.Repeat(kind, n)[:n]
			for _, tt := range []struct{ behind, want string }{
				{`"b":2,`, `a=1 b=2 |`},
				{"x" + space + `"b":2,`, "a=1 |x" + space + `"b":2,`},
				{"\v" + space + `"b":2,`, "a=1 |\v" + space + `"b":2,`},
				{"\f" + space + `"b":2,`, "a=1 |\f" + space + `"b":2,`},
				{"\x00" + space + `"b":2,`, "a=1 |\x00" + space + `"b":2,`},
				{"\xa0" + space + `"b":2,`, "a=1 |\xa0" + space + `"b":2,`},
			} {
				for _, way := range ways {
					if got := describePairs(way.find, []byte(`"a":1,`+space+tt.behind), 0, 4, anyKey); got != tt.want {
						t.Fatalf("%s, %q and %q:\n%q\nwant\n%q", way.name, space, tt.behind, got, tt.want)
					}
				}
			}
		}
	}
}

// Whatever byte replaces another, what is found is sound JSON, and the same in all ways.
func TestPairsAnyByte(t *testing.T) {
	const doc = "\"a\": \"x\",\n  \"b\":-1.5,\"c\":[],\"d\":null,\"e\":\"\", \"f\":{},\"g\": true,\r\n\t\"h\": false,\"i\":10 }"
	b := []byte(doc)
	for i := range b {
		for c := range 256 {
			b[i] = byte(c)
			checkPairs(t, b, 0, 16, anyKey)
		}
		b[i] = doc[i]
	}
}

// Members that are wholly before the limit are found, and none that begins after it.
func TestPairsLimit(t *testing.T) {
	members := []string{`"": ""`, `"bc":"x"`, `"d":-1.25`, `"efg": null`, `"h":[]`, `"ijk": "a longer text"`}
	for first := range 64 {
		doc, begins, ends := []byte{}, []int{}, []int{}
		for k := 0; len(doc) < 300+slack; k++ {
			member := members[k%len(members)]
			if k == 0 {
				member = `"a":"` + strings.Repeat("x", first) + `"`
			}
			begins = append(begins, len(doc))
			doc = append(doc, member...)
			ends = append(ends, len(doc))
			doc = append(doc, []string{",", ",\n  ", ",\n", ",\r\n\t"}[k%4]...)
		}
		for limit := range 300 {
			least, most := 0, 0
			for ends[least] < limit {
				least++
			}
			for begins[most] < limit {
				most++
			}
			for _, way := range ways {
				var out [64]pair
				n, next, _ := way.find(doc, 0, limit, out[:], anyKey)
				if n < least || n > most || next < limit && strings.TrimLeft(string(doc[next:begins[n]]), " \n\r\t") != "" {
					t.Fatalf("%s, %d bytes in the first value, limit %d: %d pairs, want from %d to %d; next is %d", way.name, first, limit, n, least, most, next)
				}
				for k, p := range out[:n] {
					if p.key != begins[k]+1 || p.end != ends[k] {
						t.Fatalf("%s, %d bytes in the first value, limit %d: pair %d from %d to %d, want from %d to %d", way.name, first, limit, k, p.key-1, p.end, begins[k], ends[k])
					}
				}
				if n, next, _ := way.find(doc, begins[most], limit, out[:], anyKey); n != 0 || next != begins[most] {
					t.Fatalf("%s, limit %d: %d pairs from byte %d on, next is %d", way.name, limit, n, begins[most], next)
				}
			}
		}
	}
}

func TestPairsOfPayloads(t *testing.T) {
	const changes = "\"\\{}[]:,.0 1eEntfu-+ \n\t\x00\x1f\x7f\x80\xff/"
	for _, data := range payloads(t) {
		for i := 0; i < len(data); i += stride {
			checkPairs(t, data, i, 1+i%5, anyKey)
			was := data[i]
			data = bytes.Clone(data)
			data[i] = changes[i%len(changes)]
			checkPairs(t, data, max(i-i%90, 0), 16, headKeys)
			data[i] = was
		}
	}
}

func FuzzPairs(f *testing.F) {
	f.Add([]byte("\"a\": \"x\",\n  \"b\":-1.5,\"c\":[],\"d\":null,\"e\":\"\\n\",\"ä\":1"), uint16(0), uint8(4), anyKey)
	f.Fuzz(func(t *testing.T, b []byte, i uint16, room uint8, keys uint64) {
		checkPairs(t, b, min(int(i), len(b)), 1+int(room%20), keys)
	})
}

func TestRepeats(t *testing.T) {
	b := bytes.Repeat([]byte("0123456789"), 40)
	for n := range 150 {
		for same := range n + 1 {
			c := bytes.Clone(b[:10+2*n])
			from, i := 3, 10+n
			copy(c[i:], c[from:from+n])
			if same < n {
				c[i+same] ^= 1
			}
			if got := repeats(c, i, from, n); got != same {
				t.Fatalf("%d of %d bytes repeat, got %d", same, n, got)
			}
		}
	}
	if got := repeats(b, len(b)-10, 0, 50); got != 10 {
		t.Errorf("%d bytes repeat at the end, want 10", got)
	}
}
