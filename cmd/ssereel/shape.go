package main

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ssereel/ssereel/status"
)

// types is a set of types that values have.
type types uint16

const (
	typeBool types = 1 << iota
	typeNumber
	typeString
	typeObject
	typeArray
	typeNull
	typeText    // data of an event that is no JSON
	typeBroken  // a body that is no JSON where that is promised; text, as well
	typeNothing // no data where JSON is promised
)

var typeNames = [...]string{"bool", "number", "string", "object", "array", "null", "text", "text", "nothing"}

// names returns the types by their names, null late, because that reads better.
func (t types) names() []string {
	var names []string
	for i, name := range typeNames {
		if t&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (t types) String() string { return strings.Join(t.names(), " or ") }

// ordered is a map that keeps the order in which its keys came. The zero value is empty.
type ordered[K comparable, V any] struct {
	keys   []K
	values map[K]*V
}

// get returns the value of a key, nil if there is none.
func (o *ordered[K, V]) get(key K) *V { return o.values[key] }

// add returns the value of a key, which is new if there was none.
func (o *ordered[K, V]) add(key K) *V {
	v := o.values[key]
	if v == nil {
		if o.values == nil {
			o.values = make(map[K]*V)
		}
		v = new(V)
		o.keys = append(o.keys, key)
		o.values[key] = v
	}
	return v
}

// A shape is what is left of JSON values at one place without the values: their types,
// and the shapes of what is in them. Values that come one after the other in the same
// place, and all elements of an array, have one shape together.
type shape struct {
	types    types
	members  ordered[string, shape] // by their names as a path has them
	elements *shape                 // nil where every array was empty
}

const (
	// maxNesting is how deep a shape goes. Nobody reads a path that is longer.
	maxNesting = 100

	// maxShapes is how many shapes a sketch makes of one recording. JSON whose names
	// are as many has no shape that could be compared; the limit keeps it from taking
	// many times its own size.
	maxShapes = 1 << 17

	// maxName is how much of a name is told, in bytes.
	maxName = 200

	// sumSize is how many bytes of a sum tell longer names that begin alike.
	sumSize = 6
)

// A sketch makes the shapes of one recording, within bounds.
type sketch struct {
	shapes  int
	tooMany bool // there were more than maxShapes
	tooDeep bool // something was nested deeper than maxNesting
}

// room returns whether there may be one more shape.
func (k *sketch) room() bool {
	if k.shapes == maxShapes {
		k.tooMany = true
		return false
	}
	k.shapes++
	return true
}

// add adds a value to a shape. It returns false for text that is no JSON.
func (k *sketch) add(to *shape, text string) bool {
	if !status.Raw(text).Valid() {
		return false
	}
	w := walk{sketch: k, text: text}
	w.value(to, 0)
	return true
}

// A walk goes once through JSON that has been found valid, whatever its nesting is: that
// has a limit, but one at which to read a nested value again for each level would take
// for ever.
type walk struct {
	*sketch
	text string
	at   int
}

func (w *walk) space() {
	for w.at < len(w.text) && strings.IndexByte(" \t\r\n", w.text[w.at]) >= 0 {
		w.at++
	}
}

// value adds the next value to a shape, to none if that is nil.
func (w *walk) value(to *shape, depth int) {
	w.space()
	var t types
	switch w.text[w.at] {
	case '{':
		t = typeObject
	case '[':
		t = typeArray
	case '"':
		t = typeString
	case 't', 'f':
		t = typeBool
	case 'n':
		t = typeNull
	default:
		t = typeNumber
	}
	if to != nil {
		to.types |= t
	}
	switch t {
	case typeObject, typeArray:
		if depth == maxNesting {
			w.tooDeep = w.tooDeep || to != nil && !w.empty()
			to = nil
		}
		w.at++
		w.inside(to, t, depth+1)
	case typeString:
		w.quoted()
	default:
		for w.at < len(w.text) && strings.IndexByte(",]} \t\r\n", w.text[w.at]) < 0 {
			w.at++
		}
	}
}

// empty returns whether the object or array that begins here has nothing in it.
func (w *walk) empty() bool {
	rest := strings.TrimLeft(w.text[w.at+1:], " \t\r\n")
	return rest[0] == ']' || rest[0] == '}'
}

// inside adds what is in an object or array, from behind its first bracket on.
func (w *walk) inside(to *shape, t types, depth int) {
	for {
		switch w.space(); w.text[w.at] {
		case ']', '}':
			w.at++
			return
		case ',':
			w.at++
			w.space()
		}
		var in *shape
		if t == typeArray {
			if to != nil {
				if to.elements == nil && w.room() {
					to.elements = new(shape)
				}
				in = to.elements
			}
		} else {
			key := w.quoted()
			w.space()
			w.at++ // the colon
			if to != nil {
				name := memberName(key)
				if in = to.members.get(name); in == nil && w.room() {
					in = to.members.add(strings.Clone(name))
				}
			}
		}
		w.value(in, depth)
	}
}

// quoted returns the string that begins here, with its quotes.
func (w *walk) quoted() string {
	from := w.at
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.text[from:w.at]
}

// memberName returns how a path has the name of a member that stands in JSON as key. An ID
// is *, because it is a value, which happens to be in the place of a name.
func memberName(key string) string {
	name := key[1 : len(key)-1]
	if strings.IndexByte(name, '\\') >= 0 || !utf8.ValidString(name) {
		name, _ = status.Raw(key).Text()
	}
	if isID(name) {
		return "*"
	}
	return placeName(name)
}

// isID returns whether a name is a number, or as long as no word is that has no other
// letters than hexadecimal digits.
func isID(name string) bool {
	digits, others := 0, 0
	for _, c := range []byte(name) {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'f', 'A' <= c && c <= 'F', c == '-':
			others++
		default:
			return false
		}
	}
	return digits > 0 && (others == 0 || digits+others >= 16)
}

// placeName returns a name as places have it: in quotes where it has what means something
// else in a place, or nothing on a terminal.
func placeName(name string) string { return quoteName(clip(name)) }

func quoteName(name string) string {
	if isPlain(name) {
		return name
	}
	return strconv.Quote(name)
}

// clipMark is where a name was cut off. The sum of all of it is behind that.
const clipMark = "..."

// clip cuts off what a name has beyond maxName, in the place of which is what tells it from
// others that begin alike.
func clip(name string) string {
	if len(name) <= maxName {
		return name
	}
	n := maxName
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%s%s%x", name[:n], clipMark, sum[:sumSize])
}

// isClipped returns whether a name looks as clip makes it of a longer one.
func isClipped(name string) bool {
	n := len(name) - len(clipMark) - 2*sumSize
	if n <= maxName-utf8.UTFMax || n > maxName {
		return false
	}
	sum, ok := strings.CutPrefix(name[n:], clipMark)
	return ok && strings.Trim(sum, "0123456789abcdef") == ""
}

// isPlain returns whether a name needs no quotes.
func isPlain(name string) bool {
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-$@/+#~:", r) {
			return false
		}
	}
	return name != "" && !strings.HasSuffix(name, ":")
}

// elementsName is in a path what stands for the elements of an array.
const elementsName = "[]"

// pathText returns a path as a person reads it: results.resized[].meta.
func pathText(path []string) string {
	var b strings.Builder
	for i, name := range path {
		if i > 0 && name != elementsName {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}

// A change is a difference between two shapes. What is new was nothing, what is gone is
// nothing.
type change struct{ was, is types }

// compareShapes calls report for each difference between two shapes, in the order of was,
// and behind that in the order of is. A path is the callee's only until it returns. How
// many paths both have is returned.
func compareShapes(was, is *shape, report func(path []string, c change)) (paths int) {
	if was.types == 0 || is.types == 0 {
		return 0 // nothing is known of one of them
	}
	return compareAt(nil, was, is, report)
}

func compareAt(path []string, was, is *shape, report func([]string, change)) (paths int) {
	more := is.types &^ was.types
	switch {
	case was.types&is.types&typeText != 0:
		more = 0 // some words of a text are JSON by accident, such as 42, null and []
	case was.types&typeText != 0:
		more &^= typeBool | typeNumber | typeString | typeNull // these may be all that came of it
	}
	if more != 0 {
		report(path, change{was.types, is.types})
	}
	paths = 1
	if was.types&is.types&typeObject != 0 {
		for _, name := range was.members.keys {
			path := append(path, name)
			old := was.members.get(name)
			if now := is.members.get(name); now != nil {
				paths += compareAt(path, old, now, report)
			} else {
				report(path, change{was: old.types})
			}
		}
		for _, name := range is.members.keys {
			if was.members.get(name) == nil {
				report(append(path, name), change{is: is.members.get(name).types})
			}
		}
	}
	// Where one side had empty arrays only, it says nothing of elements.
	if was.elements != nil && is.elements != nil {
		paths += compareAt(append(path, elementsName), was.elements, is.elements, report)
	}
	return paths
}
