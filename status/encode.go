package status

import (
	"fmt"
	"strconv"
	"time"
)

// Encoding is decoding's inverse because of the source: each object keeps the text that
// it was decoded from, and is encoded by copying that text with the fields that have
// been assigned since put in their places. What was assigned is found by decoding the
// source once more and comparing, so that decoding, which happens far more often, need
// not keep books.

// AppendJSON appends the Assembly as JSON to dst, without white space between tokens.
// What was decoded and not assigned to since comes out as it was, unknown keys, odd
// shapes and digits included, and in the order it had; a string that was emptied since
// is null. Of uploads, and of Steps, whose key comes twice it is the last that comes out, and
// names of Steps are written without needless escape sequences. A date that was assigned has
// whole seconds, for the API's form has no others. A zero Assembly is {}.
//
// The only error is a Raw field that was assigned something that is not JSON: a *SyntaxError
// with the field's Path, and the Offset in its value.
func (a *Assembly) AppendJSON(dst []byte) ([]byte, error) { return appendObject(dst, a) }

// MarshalJSON is AppendJSON for encoding/json and its kin.
func (a Assembly) MarshalJSON() ([]byte, error) { return appendObject(nil, &a) }

// UnmarshalJSON is DecodeAssembly for encoding/json and its kin, where null changes nothing.
func (a *Assembly) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	return DecodeAssembly(data, a)
}

// AppendJSON appends the file as JSON to dst, as Assembly.AppendJSON does.
func (f *File) AppendJSON(dst []byte) ([]byte, error) { return appendObject(dst, f) }

// MarshalJSON is AppendJSON for encoding/json and its kin.
func (f File) MarshalJSON() ([]byte, error) { return appendObject(nil, &f) }

// UnmarshalJSON is DecodeFile for encoding/json and its kin, where null changes nothing.
func (f *File) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	return DecodeFile(data, f)
}

// within puts the name of a member, or the index of an element, in front of the path of an
// error.
func within(name string, err error) error {
	if e, ok := err.(*SyntaxError); ok {
		if e.Path != "" && e.Path[0] != '[' {
			name += "."
		}
		e.Path = name + e.Path
	}
	return err
}

// slotOf returns the field of o with that key; its kind is kindUnknown if there is none.
func slotOf(o object, key string) slot {
	fields := o.layout()
	if n := fields.find(key); n >= 0 {
		return slotAt(fields.base(o), &fields.fields[n])
	}
	return slot{field: &unknownField}
}

// encoded returns the layout of the fields that o is encoded with.
func encoded(o object) *layout {
	if r, ok := o.(*jobRoot); ok {
		return r.encoded()
	}
	return o.layout()
}

// isObject reports whether a source is an object; others are empty, or a value of
// another kind that stood where an object was expected.
func isObject(source string) bool { return Raw(source).kind() == '{' }

// decodeSource decodes a source, which the scanner has accepted before, into o.
func decodeSource(source string, o object) {
	if !isObject(source) {
		o.reset()
		return
	}
	d := decoder{b: viewBytes(source), s: source}
	d.document(o)
}

func appendObject(dst []byte, o object) ([]byte, error) {
	src := *o.source()
	old := o.layout().fresh()
	decodeSource(src, old)
	var err error
	if !isObject(src) {
		if src != "" && same(o, old) {
			return appendCompact(dst, src), nil
		}
		src = "{}"
	}
	dst = append(dst, '{')
	empty := len(dst)
	type written struct {
		offset uint32
		kind   kind
	}
	done := make(map[written]bool)
	for m := range members(src) {
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), m.key...), '"', ':')
		name := m.name()
		f := slotOf(o, name)
		if f.kind != kindUnknown {
			done[written{f.offset, f.kind}] = true
			if dst, err = appendField(dst, f, slotOf(old, name), m.value); err != nil {
				return dst, within(name, err)
			}
			continue
		}
		dst = appendCompact(dst, m.value)
	}
	fields := encoded(o)
	for i := range fields.fields {
		f, was := slotAt(fields.base(o), &fields.fields[i]), slotAt(fields.base(old), &fields.fields[i])
		if f.more().alias || done[written{f.offset, f.kind}] || f.equal(was) {
			continue
		}
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), f.more().key...), '"', ':')
		if dst, err = appendField(dst, f, was, ""); err != nil {
			return dst, within(f.more().key, err)
		}
	}
	return append(dst, '}'), nil
}

// same reports whether no field of o has been assigned since it was old.
func same(o, old object) bool {
	fields := encoded(o)
	for i := range fields.fields {
		if f := &fields.fields[i]; !slotAt(fields.base(o), f).equal(slotAt(fields.base(old), f)) {
			return false
		}
	}
	return true
}

// equal compares a field with what it was. Objects inside count as equal only if
// there are none, because they know best how to encode themselves.
func (f slot) equal(was slot) bool {
	switch f.kind {
	case kindText, kindFirst, kindRaw:
		return *f.str() == *was.str()
	case kindInteger, kindSeconds:
		return *f.num() == *was.num()
	case kindBool:
		return *f.flag() == *was.flag()
	case kindDate:
		return f.time().Equal(*was.time())
	case kindFloat:
		return *f.float() == *was.float()
	case kindStrings:
		a, b := *f.strings(), *was.strings()
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return true
	case kindObject:
		a, b := f.child(), was.child()
		return *a.source() == "" && same(a, b)
	case kindList:
		return f.elements().len() == 0 && was.elements().len() == 0
	case kindSteps:
		return len(*f.steps()) == 0 && len(*was.steps()) == 0
	}
	return true
}

// appendField appends a field's value: raw if it still is what it was when raw was
// decoded.
func appendField(dst []byte, f, was slot, raw string) ([]byte, error) {
	if raw != "" && f.equal(was) {
		return appendCompact(dst, raw), nil
	}
	var err error
	switch f.kind {
	case kindText, kindFirst:
		dst = appendOrNull(dst, *f.str())
	case kindRaw:
		switch s := Raw(*f.str()); {
		case s == "":
			dst = append(dst, "null"...)
		case s.Valid():
			dst = appendCompact(dst, string(s))
		default:
			return dst, refusedValue(string(s))
		}
	case kindInteger:
		dst = strconv.AppendInt(dst, *f.num(), 10)
	case kindSeconds:
		dst = appendSeconds(dst, time.Duration(*f.num()))
	case kindBool:
		dst = strconv.AppendBool(dst, *f.flag())
	case kindDate:
		dst = appendDate(dst, *f.time(), raw, f.more().iso)
	case kindFloat:
		dst = appendFloat(dst, *f.float())
	case kindStrings:
		dst = append(dst, '[')
		for i, s := range *f.strings() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendQuoted(dst, s)
		}
		dst = append(dst, ']')
	case kindObject:
		dst, err = appendObject(dst, f.child())
	case kindList:
		dst, err = appendList(dst, f.elements())
	case kindSteps:
		dst, err = appendSteps(dst, *f.steps())
	}
	return dst, err
}

func appendList(dst []byte, l list) ([]byte, error) {
	var err error
	dst = append(dst, '[')
	for i := range l.len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendObject(dst, l.item(i)); err != nil {
			return dst, within(fmt.Sprintf("[%d]", i), err)
		}
	}
	return append(dst, ']'), nil
}

func appendSteps(dst []byte, steps []Step) ([]byte, error) {
	var err error
	dst = append(dst, '{')
	for i := range steps {
		if i > 0 {
			dst = append(dst, ',')
		}
		s := &steps[i]
		dst = append(appendQuoted(dst, s.Name), ':')
		if s.odd != "" && len(s.Files) == 0 {
			dst = appendCompact(dst, s.odd)
		} else if dst, err = appendList(dst, (*files)(&s.Files)); err != nil {
			return dst, within(s.Name, err)
		}
	}
	return append(dst, '}'), nil
}
