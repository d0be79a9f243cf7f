package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxClipped is how long a name is that was cut off.
const maxClipped = maxName + len(clipMark) + 2*sumSize

// shapeOf returns the shape that values have together.
func shapeOf(t *testing.T, values ...string) *shape {
	t.Helper()
	s, k := new(shape), new(sketch)
	for _, value := range values {
		if !k.add(s, value) {
			t.Fatalf("no JSON: %.100s", value)
		}
	}
	return s
}

// lines returns a shape as lines of paths and types, each below what it is in.
func lines(path []string, s *shape) []string {
	out := []string{strings.TrimSpace(pathText(path) + " " + s.types.String())}
	for _, name := range s.members.keys {
		out = append(out, lines(append(path, name), s.members.get(name))...)
	}
	if s.elements != nil {
		out = append(out, lines(append(path, elementsName), s.elements)...)
	}
	return out
}

func TestShape(t *testing.T) {
	tests := []struct {
		name   string
		values []string
		want   []string
	}{
		{"each type", []string{`{"a":true,"b":false,"c":-1.5e+3,"d":"x","e":{},"f":[],"g":null}`},
			[]string{"object", "a bool", "b bool", "c number", "d string", "e object", "f array", "g null"}},
		{"a value alone", []string{` "x" `}, []string{"string"}},
		{"a number at the end", []string{`12`}, []string{"number"}},
		{"white space everywhere", []string{" { \"a\" : [ 1 , \"x\"\n] ,\t\"b\"\r: null } "}, []string{"object", "a array", "a[] number or string", "b null"}},
		{"values one after the other", []string{`{"a":1,"b":2}`, `{"b":null,"c":[]}`},
			[]string{"object", "a number", "b number or null", "c array"}},
		{"elements of an array together", []string{`[{"a":1},{"b":2},["x"]]`},
			[]string{"array", "[] object or array", "[].a number", "[].b number", "[][] string"}},
		{"the payload of a result", []string{`["resized",{"meta":{"width":1}}]`},
			[]string{"array", "[] string or object", "[].meta object", "[].meta.width number"}},
		{"a name twice", []string{`{"a":1,"a":"x"}`}, []string{"object", "a number or string"}},
		{"JSON in a string is a string", []string{`{"params":"{\"steps\":{}}"}`}, []string{"object", "params string"}},
		{"brackets, quotes and backslashes in strings", []string{`{"a":"]}\"\\","b":["\\\\",1]}`},
			[]string{"object", "a string", "b array", "b[] number or string"}},
		{"names with escapes", []string{`{"\u0061":1,"a":"x","\"":1}`}, []string{"object", "a number or string", `"\"" number`}},
		{"names that need quotes", []string{`{"a.b":1,"":1,"*":1,"c d":1,"[]":1,"\u001b":1,"e:":1}`},
			[]string{"object", `"a.b" number`, `"" number`, `"*" number`, `"c d" number`, `"[]" number`, `"\x1b" number`, `"e:" number`}},
		{"names that need none", []string{`{":original":1,"größe":1,"video/mp4":1,"$id":1,"x-y_z":1}`},
			[]string{"object", ":original number", "größe number", "video/mp4 number", "$id number", "x-y_z number"}},
		{"names that are IDs", []string{`{"55a46ab12179453a8a20921a058b7546":{"a":1},"1f0e6f7c-1d5b-4a4e-9a3b-111111111111":{"b":1},"42":{"c":1}}`},
			[]string{"object", "* object", "*.a number", "*.b number", "*.c number"}},
		{"names that are none", []string{`{"md5":1,"feedbeefdeadfeedbeef":1,"cafe123456789ab":1,"720p":1}`},
			[]string{"object", "md5 number", "feedbeefdeadfeedbeef number", "cafe123456789ab number", "720p number"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := lines(nil, shapeOf(t, tt.values...)); !slices.Equal(got, tt.want) {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestShapeOfNoJSON(t *testing.T) {
	for _, text := range []string{"", " ", "assembly_finished", "{", `{"a"}`, "[1,]", "1 2", "[DONE]", `"x`, "nul", "{}}"} {
		s, k := new(shape), new(sketch)
		if k.add(s, text) || s.types != 0 {
			t.Errorf("%q has the shape %q", text, lines(nil, s))
		}
	}
}

func TestCompareShapes(t *testing.T) {
	tests := []struct {
		name    string
		was, is []string
		want    []string
	}{
		{"the same", []string{`{"a":1,"b":[{"c":"x"}]}`}, []string{`{"b":[{"c":"y"},{"c":""}],"a":2}`}, nil},
		{"in another number and order", []string{`{"a":1}`, `{"a":"x"}`, `{}`}, []string{`{"a":"x"}`, `{"a":1}`}, nil},
		{"a name is new", []string{`{}`}, []string{`{"a":{"b":1}}`}, []string{"a +object"}},
		{"a name is gone", []string{`{"a":[{"b":1}]}`}, []string{`{}`}, []string{"a -array"}},
		{"a name is gone from what is gone", []string{`{"a":{"b":{"c":1}}}`}, []string{`{"a":{}}`}, []string{"a.b -object"}},
		{"what the name was in did not occur", []string{`{"a":[{"b":1}]}`}, []string{`{"a":[]}`}, nil},
		{"what the name was in is another type", []string{`{"a":{"b":1}}`}, []string{`{"a":"x"}`}, []string{"a object>string"}},
		{"a type more", []string{`[1]`}, []string{`[1,"x"]`}, []string{"[] number>number or string"}},
		{"a type less", []string{`[1,"x",null]`}, []string{`[1]`}, nil},
		{"another type", []string{`1`}, []string{`"x"`}, []string{" number>string"}},
		{"null is new", []string{`{"a":1}`}, []string{`{"a":1}`, `{"a":null}`}, []string{"a number>number or null"}},
		{"null is gone", []string{`{"a":1}`, `{"a":null}`}, []string{`{"a":1}`}, nil},
		{"was null alone", []string{`{"a":null}`}, []string{`{"a":{"b":1}}`}, []string{"a null>object"}},
		{"an object beside what it was", []string{`{"a":"x"}`}, []string{`{"a":{"b":1}}`, `{"a":"x"}`}, []string{"a string>string or object"}},
		{"OLD had an empty array", []string{`{"a":[]}`}, []string{`{"a":[{"b":1}]}`}, nil},
		{"OLD had an empty array beside others", []string{`{"a":[]}`, `{"a":[1]}`}, []string{`{"a":["x"]}`}, []string{"a[] number>string"}},
		{"OLD had an empty object", []string{`{"a":{}}`}, []string{`{"a":{"b":1}}`}, []string{"a.b +number"}},
		{"within the elements of elements", []string{`[[{"a":1}]]`}, []string{`[[{"a":1,"b":2}]]`}, []string{"[][].b +number"}},
		{"in the order of OLD, and then of NEW", []string{`{"z":1,"m":{"a":1},"b":1}`}, []string{`{"y":1,"b":"x","c":1,"m":{"d":1}}`},
			[]string{"z -number", "m.a -number", "m.d +number", "b number>string", "y +number", "c +number"}},
		{"other IDs", []string{`{"1":{"a":1}}`}, []string{`{"2":{"a":1},"3":{"a":1}}`}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			compareShapes(shapeOf(t, tt.was...), shapeOf(t, tt.is...), func(path []string, c change) {
				how := fmt.Sprintf("%v>%v", c.was, c.is)
				if c.was == 0 {
					how = fmt.Sprintf("+%v", c.is)
				} else if c.is == 0 {
					how = fmt.Sprintf("-%v", c.was)
				}
				got = append(got, pathText(path)+" "+how)
			})
			if !slices.Equal(got, tt.want) {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// A name that is cut off differs from others that begin alike, and is valid wherever the cut
// comes.
func TestClip(t *testing.T) {
	x := strings.Repeat("x", maxName)
	for _, name := range []string{"", x[1:], x} {
		if got := clip(name); got != name || isClipped(got) {
			t.Errorf("%q is cut off: %q", name, got)
		}
	}
	from := map[string]string{}
	for _, name := range []string{x + "a", x + "b", x + x, x[:198] + "€" + x, x[:199] + "é", x[:199] + "éa", x[:197] + "🙂", x[:197] + "🙂" + x, x[:197] + x + "🙂"} {
		got := clip(name)
		if other, ok := from[got]; ok {
			t.Errorf("%q is what is left of %q and of %q", got, name, other)
		}
		if from[got] = name; !utf8.ValidString(got) || len(got) > maxClipped || !isClipped(got) || got != clip(name) {
			t.Errorf("%q is what is left of %q", got, name)
		}
	}
	for _, name := range []string{x + "...", x + "...0123456789aB", x + "...0123456789a", "x...0123456789ab", x + "x...0123456789ab"} {
		if isClipped(name) {
			t.Errorf("%q looks cut off", name)
		}
	}
}

// Where nothing is known of one side, there is nothing to tell.
func TestCompareWithNothing(t *testing.T) {
	for _, pair := range [][2]*shape{{new(shape), shapeOf(t, "{}")}, {shapeOf(t, "{}"), new(shape)}} {
		if paths := compareShapes(pair[0], pair[1], func(path []string, c change) { t.Errorf("%q: %v", path, c) }); paths != 0 {
			t.Errorf("%d paths", paths)
		}
	}
}

// In a stream of plain text, some words are JSON by accident.
func TestCompareText(t *testing.T) {
	text := &shape{types: typeText}
	with := func(more types, values ...string) *shape {
		s := shapeOf(t, values...)
		s.types |= more
		return s
	}
	tests := []struct {
		name    string
		was, is *shape
		want    types
	}{
		{"a word that is a number", text, shapeOf(t, "42"), 0},
		{"words that are others", text, shapeOf(t, "null", "true", `"x"`), 0},
		{"an object is none", text, shapeOf(t, "{}"), typeObject},
		{"an array is none", text, shapeOf(t, "[]", "1"), typeArray | typeNumber},
		{"an object by accident", text, with(typeText, "{}"), 0},
		{"an array by accident", text, with(typeText, "[]", "1", "null"), 0},
		{"other accidents", with(typeText, "{}"), with(typeText, "[]", "1"), 0},
		{"text, all of it", with(typeText, "{}", "[1]"), text, 0},
		{"objects alone in place of text with accidents", with(typeText, "[]"), shapeOf(t, "{}"), typeObject},
		{"text that is new", shapeOf(t, "{}"), text, typeText},
		{"text that is new beside an object", shapeOf(t, "{}"), with(typeText, "{}"), typeObject | typeText},
		{"text that is new beside a number", shapeOf(t, "1"), with(typeText, "1"), typeNumber | typeText},
		{"a number in place of a body that was broken", &shape{types: typeBroken}, shapeOf(t, "1"), typeNumber},
		{"an array beside a body that is broken", with(typeBroken, "{}"), with(typeBroken, "[]"), typeArray | typeBroken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got types
			compareShapes(tt.was, tt.is, func(path []string, c change) { got = c.is })
			if got != tt.want {
				t.Errorf("new is %q, want %q", got, tt.want)
			}
		})
	}
}

// What anybody may have put into a reel is read in time and memory that the input is worth.
func TestShapeBounds(t *testing.T) {
	var names strings.Builder
	for i := range maxShapes + 10 {
		fmt.Fprintf(&names, `"x%dy":1,`, i)
	}
	nested := func(n int, inside string) string {
		return strings.Repeat("[", n) + inside + strings.Repeat("]", n)
	}
	tests := []struct {
		name            string
		text            string
		isJSON          bool
		shapes          int
		tooMany, isDeep bool
	}{
		{"brackets alone", strings.Repeat("[", 10<<20), false, 0, false, false},
		{"as deep as a shape goes", nested(maxNesting, "1"), true, maxNesting, false, false},
		{"an empty array as deep", nested(maxNesting, "[ ]"), true, maxNesting, false, false},
		{"one deeper", nested(maxNesting+1, "1"), true, maxNesting, false, true},
		{"objects deeper", strings.Repeat(`{"a":`, 9999) + "1" + strings.Repeat("}", 9999), true, maxNesting, false, true},
		{"as deep as JSON may be, again and again", "[" + strings.Repeat(nested(9999, "")+",", 200) + "1]", true, maxNesting, false, true},
		{"many elements", "[" + strings.Repeat("1,", 2<<20) + "1]", true, 1, false, false},
		{"many names", "{" + names.String() + `"a":{"b":1}}`, true, maxShapes, true, false},
		{"a long name", `{"` + strings.Repeat("x", 1<<20) + `":1}`, true, 1, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, k := new(shape), new(sketch)
			if got := k.add(s, tt.text); got != tt.isJSON || k.shapes != tt.shapes || k.tooMany != tt.tooMany || k.tooDeep != tt.isDeep {
				t.Errorf("JSON: %v, %d shapes, too many: %v, too deep: %v", got, k.shapes, k.tooMany, k.tooDeep)
			}
			paths := compareShapes(s, s, func(path []string, c change) { t.Errorf("differs from itself at %.300q", path) })
			if tt.isJSON && paths != tt.shapes+1 {
				t.Errorf("%d paths, want %d", paths, tt.shapes+1)
			}
			for _, name := range s.members.keys {
				if len(name) > maxClipped+len(`""`) {
					t.Errorf("a name of %d bytes", len(name))
				}
			}
		})
	}
}
