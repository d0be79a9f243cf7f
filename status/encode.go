package status

import (
	"fmt"
	"strconv"
	"time"
)

// Encoding is the inverse of decoding because of the source: each object keeps the text that
// it was decoded from, and is encoded by copying that text, with the fields that have
// been assigned since in their places. What was assigned is found by decoding the
// source once more and comparing, so that decoding, which happens far more often, need
// not keep track.

// AppendJSON appends the Assembly as JSON to dst, without white space between tokens.
// What was decoded and not assigned to since comes out as it was, unknown keys, odd
// shapes and digits included, and in the order it had; a string that was emptied since
// is null. Where the key of uploads, of results, of a Step or of a field that was assigned
// comes twice, the value is written once, in the first place. Names of Steps are written
// without needless escape sequences. A date that was assigned has whole seconds, for the API's
// form has no others. A zero Assembly is {}.
//
// The only error is about a Raw field that was assigned something that is not JSON: a
// *SyntaxError with the field's Path, and the Offset in its value.
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

// within puts the name of a member, or the index of an element, before the path of an error.
func within(name string, err error) error {
	if e, ok := err.(*SyntaxError); ok {
		if e.Path != "" && e.Path[0] != '[' {
			name += "."
		}
		e.Path = name + e.Path
	}
	return err
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
	fields := encoded(o)
	now := func(n int) slot { return slotAt(fields.base(o), &fields.fields[n]) }
	was := func(n int) slot { return slotAt(fields.base(old), &fields.fields[n]) }
	var met metFields
	for m := range members(src) {
		name := m.name()
		n := fields.find(name)
		if n >= 0 && met[n] == 0 {
			met[n] = fieldAssigned
			if now(n).equal(was(n)) {
				met[n] = fieldSame
			}
		} else if n >= 0 && met[n] == fieldAssigned {
			continue // it has been written: with one copy for each key a small document becomes a huge one
		}
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), m.key...), '"', ':')
		if n < 0 || met[n] == fieldSame {
			dst = appendCompact(dst, m.value)
		} else if dst, err = appendField(dst, now(n), m.value); err != nil {
			return dst, within(name, err)
		}
	}
	for n := range fields.fields {
		f := now(n)
		if f.more().alias || f.equal(was(n)) || met.has(fields, f.field) {
			continue
		}
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), f.more().key...), '"', ':')
		if dst, err = appendField(dst, f, ""); err != nil {
			return dst, within(f.more().key, err)
		}
	}
	return append(dst, '}'), nil
}

// metFields says of each field of a layout, by its place, whether the source has its key, and
// what comes of the text there.
type metFields [places]uint8

const (
	fieldSame     = 1 + iota // it is written as it stands, each time that the key comes
	fieldAssigned            // the field's value is written in its place, once
)

// has reports whether the source has f, under whichever of its keys.
func (m *metFields) has(l *layout, f *field) bool {
	for i := range l.fields {
		if g := &l.fields[i]; m[i] != 0 && g.offset == f.offset && g.kind == f.kind {
			return true
		}
	}
	return false
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

// appendField appends a field's value. Raw is the text that it takes the place of, if any.
func appendField(dst []byte, f slot, raw string) ([]byte, error) {
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
