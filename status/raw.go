package status

import (
	"iter"
	"strings"
	"time"

	gojson "github.com/goccy/go-json"
)

// Raw is the JSON text of a value as it stands in its document: digits, key
// order, duplicate keys and white space kept. The zero value means that the
// document has no such field; an explicit null is "null".
//
// The typed accessors answer ok == false for a value of another shape, for null
// and for the zero value. They accept a number in quotes for a number, because
// the APIs send both. A Raw that did not come out of a document, but was made
// by a conversion, has to be JSON; if it is not, they answer false.
type Raw string

// kind returns the first byte of the value, or 0.
func (r Raw) kind() byte {
	s := r.trim()
	if s == "" {
		return 0
	}
	return s[0]
}

func (r Raw) trim() string { return strings.Trim(string(r), " \t\r\n") }

// Valid reports whether r is one JSON value.
func (r Raw) Valid() bool { return valid(viewBytes(string(r))) }

// IsNull reports whether the value is null or missing.
func (r Raw) IsNull() bool { c := r.kind(); return c == 0 || c == 'n' }

// Text returns a string's value, with its escape sequences resolved.
func (r Raw) Text() (s string, ok bool) {
	t := r.trim()
	if len(t) < 2 || t[0] != '"' || !r.Valid() {
		return "", false
	}
	return textOf(t[1 : len(t)-1]), true
}

// Int64 returns an integer's value.
func (r Raw) Int64() (n int64, ok bool) {
	s, ok := r.number()
	if !ok {
		return 0, false
	}
	return parseInteger(s)
}

// Float64 returns a number's value.
func (r Raw) Float64() (f float64, ok bool) {
	s, ok := r.number()
	if !ok {
		return 0, false
	}
	return parseFloat(s)
}

// Seconds returns the value of a number of seconds.
func (r Raw) Seconds() (d time.Duration, ok bool) {
	s, ok := r.number()
	if !ok {
		return 0, false
	}
	return parseSeconds(s)
}

// Time returns the value of a date in UTC, written as 2026/05/07 16:10:57 GMT or
// as in RFC 3339.
func (r Raw) Time() (t time.Time, ok bool) {
	s, ok := r.Text()
	if !ok {
		return time.Time{}, false
	}
	return parseTime(s)
}

// Bool returns the value of true or false.
func (r Raw) Bool() (value, ok bool) {
	switch r.trim() {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// number returns the text of a number, or of a number in quotes.
func (r Raw) number() (string, bool) {
	s := r.trim()
	if t, ok := r.Text(); ok {
		s = t
	}
	return s, isNumber(s)
}

func isNumber(s string) bool { return s != "" && numberEnd(viewBytes(s), 0) == len(s) }

// Get returns the value of a key of an object, the last one if the key is there
// more than once, as encoding/json decides. It is the zero Raw if there is none.
func (r Raw) Get(key string) Raw {
	var found Raw
	for k, v := range r.Fields() {
		if k == key {
			found = v
		}
	}
	return found
}

// Fields yields the keys and values of an object in their order, and nothing for any
// other value.
func (r Raw) Fields() iter.Seq2[string, Raw] {
	return func(yield func(string, Raw) bool) {
		if r.kind() != '{' || !r.Valid() {
			return
		}
		for m := range members(string(r)) {
			if !yield(m.name(), Raw(m.value)) {
				return
			}
		}
	}
}

// Elements yields the elements of an array, and nothing for any other value.
func (r Raw) Elements() iter.Seq[Raw] {
	return func(yield func(Raw) bool) {
		if r.kind() != '[' || !r.Valid() {
			return
		}
		for e := range elements(string(r)) {
			if !yield(Raw(e)) {
				return
			}
		}
	}
}

// Strings returns the strings of an array, or the one string that stands in its
// place. Elements that are no strings are left out.
func (r Raw) Strings() []string {
	if s, ok := r.Text(); ok {
		return []string{s}
	}
	var list []string
	for e := range r.Elements() {
		if s, ok := e.Text(); ok {
			list = append(list, s)
		}
	}
	return list
}

// Embedded returns the JSON document inside a string, which is how the API sends params,
// merged_params and template. A value that is an object or array already is
// returned as it is. ok is false if there is no JSON inside.
func (r Raw) Embedded() (inner Raw, ok bool) {
	switch r.kind() {
	case '{', '[':
		return r, r.Valid()
	case '"':
		s, ok := r.Text()
		if ok && Raw(s).Valid() {
			return Raw(s), true
		}
	}
	return "", false
}

// Decode decodes the value into v by the rules of encoding/json. It costs reflection and
// allocations; of the other accessors, only Strings and what resolves escape sequences
// allocate.
func (r Raw) Decode(v any) error {
	if !r.Valid() {
		return refusedValue(string(r))
	}
	return gojson.Unmarshal([]byte(r), v)
}

// MarshalJSON returns r itself, and null for the zero value.
func (r Raw) MarshalJSON() ([]byte, error) {
	if r == "" {
		return []byte("null"), nil
	}
	if !r.Valid() {
		return nil, refusedValue(string(r))
	}
	return []byte(r), nil
}

// UnmarshalJSON keeps a copy of data.
func (r *Raw) UnmarshalJSON(data []byte) error {
	*r = Raw(data)
	return nil
}

// A member is one key with its value.
type member struct {
	key   string // as it stands between the quotes
	value string
}

func (m member) name() string { return textOf(m.key) }

// members yields the members of an object, which has passed the scanner.
func members(object string) iter.Seq[member] {
	return func(yield func(member) bool) {
		b := viewBytes(object)
		i := skipSpace(b, skipSpace(b, 0)+1)
		for b[i] != '}' {
			key := i + 1
			end := stringEnd(b, key)
			value := colonEnd(b, end+1)
			behind := valueEnd(b, value, 0)
			if !yield(member{object[key:end], object[value:behind]}) {
				return
			}
			if i = skipSpace(b, behind); b[i] == ',' {
				i = skipSpace(b, i+1)
			}
		}
	}
}

// elements yields the elements of an array, which has passed the scanner.
func elements(array string) iter.Seq[string] {
	return func(yield func(string) bool) {
		b := viewBytes(array)
		i := skipSpace(b, skipSpace(b, 0)+1)
		for b[i] != ']' {
			end := valueEnd(b, i, 0)
			if !yield(array[i:end]) {
				return
			}
			if i = skipSpace(b, end); b[i] == ',' {
				i = skipSpace(b, i+1)
			}
		}
	}
}

// Meta is what the API found out about a file's contents. The methods are for
// what people use most, each ok == false if the file has no such thing; Get
// answers for every other key.
type Meta struct{ Raw }

// Width is in pixels.
func (m Meta) Width() (pixels int64, ok bool) { return m.Get("width").Int64() }

// Height is in pixels.
func (m Meta) Height() (pixels int64, ok bool) { return m.Get("height").Int64() }

// Duration is the playing time.
func (m Meta) Duration() (d time.Duration, ok bool) { return m.Get("duration").Seconds() }

// AspectRatio is width by height. The API sends it as a number or in quotes.
func (m Meta) AspectRatio() (ratio float64, ok bool) { return m.Get("aspect_ratio").Float64() }

// FrameRate is in frames a second.
func (m Meta) FrameRate() (fps float64, ok bool) { return m.Get("framerate").Float64() }

// PageCount is the number of pages of a document.
func (m Meta) PageCount() (n int64, ok bool) { return m.Get("page_count").Int64() }

// Modified is when the file was changed last, as the file itself says.
func (m Meta) Modified() (t time.Time, ok bool) { return m.Get("date_file_modified").Time() }

// Keywords returns the keywords, which the API sends as an array or as one string.
func (m Meta) Keywords() []string { return m.Get("keywords").Strings() }
