package status

import (
	"strings"
	"time"
	"unicode/utf8"
)

// A kind says how a field is decoded and encoded.
type kind uint8

const (
	kindUnknown kind = iota // no field of ours: kept in the object's source only
	kindText                // str
	kindFirst               // str, the first one of an array
	kindRaw                 // str
	kindInteger             // num
	kindSeconds             // num, nanoseconds
	kindBool                // more: *bool
	kindDate                // more: *time.Time
	kindFloat               // more: *float64
	kindStrings             // more: *[]string
	kindObject              // more: object
	kindList                // more: list
	kindSteps               // more: *[]Step
)

// A slot is the place of one field in a typed object. Functions that find one
// by its key return its parts, because four values stay in registers where a struct of them
// goes through memory; see object.
type slot struct {
	kind kind
	str  *string
	num  *int64
	more any
}

func none() (kind, *string, *int64, any)             { return kindUnknown, nil, nil, nil }
func text(p *string) (kind, *string, *int64, any)    { return kindText, p, nil, nil }
func integer(p *int64) (kind, *string, *int64, any)  { return kindInteger, nil, p, nil }
func boolean(p *bool) (kind, *string, *int64, any)   { return kindBool, nil, nil, p }
func raw(p *Raw) (kind, *string, *int64, any)        { return kindRaw, (*string)(p), nil, nil }
func date(p *time.Time) (kind, *string, *int64, any) { return kindDate, nil, nil, p }
func float(p *float64) (kind, *string, *int64, any)  { return kindFloat, nil, nil, p }
func child(o object) (kind, *string, *int64, any)    { return kindObject, nil, nil, o }
func listOf(l list) (kind, *string, *int64, any)     { return kindList, nil, nil, l }
func stepsOf(p *[]Step) (kind, *string, *int64, any) { return kindSteps, nil, nil, p }

func seconds(p *time.Duration) (kind, *string, *int64, any) {
	return kindSeconds, nil, (*int64)(p), nil
}

// first takes a string, or the first string of an array of them.
func first(p *string) (kind, *string, *int64, any) { return kindFirst, p, nil, nil }

func stringsOf(p *[]string) (kind, *string, *int64, any) { return kindStrings, nil, nil, p }

// An object is a typed object that keeps the text that it was decoded from. That
// text is what makes re-encoding lossless: whatever the fields do not show, from
// unknown keys to the digits of a number, is still in it. See encode.go.
type object interface {
	reset()
	// field finds a field by its key: what kind it is, and where it is, in the one of the
	// three that the kind names.
	field(key string) (k kind, str *string, num *int64, more any)
	source() *string
	keys() []string // for encoding fields that the source does not have
	fresh() object
}

// A list is a slice of objects.
type list interface {
	reset()
	add() object // one more at the end, to be reset by whoever fills it
	len() int
	item(i int) object
}

// A slice is the list of a []T.
type slice[T any, P interface {
	*T
	object
}] []T

func (l *slice[T, P]) reset()            { *l = (*l)[:0] }
func (l *slice[T, P]) len() int          { return len(*l) }
func (l *slice[T, P]) item(i int) object { return P(&(*l)[i]) }

func (l *slice[T, P]) add() object {
	n := len(*l)
	if n < cap(*l) {
		*l = (*l)[:n+1]
	} else {
		var zero T
		*l = append(*l, zero)
	}
	return P(&(*l)[n])
}

// A decoder reads one document. Bytes are looked at in b; what is kept are parts
// of s, the same bytes as a string.
type decoder struct {
	b     []byte
	s     string
	arena []byte // the values of strings that do not stand in s as they are
}

// copyOf prepares a decoder for a copy of data, with room for strings that have to be
// unescaped behind it, so that one allocation serves for both.
func copyOf(data []byte) decoder {
	n := len(data)
	if strings.IndexByte(view(data), '\\') < 0 {
		s := string(data)
		return decoder{b: data, s: s}
	}
	buf := make([]byte, n+n/32+64)
	copy(buf, data)
	return decoder{b: data, s: view(buf[:n]), arena: buf[n:n]}
}

// document reads an object with nothing but white space around it.
func (d *decoder) document(o object) bool {
	i := skipSpace(d.b, 0)
	if at(d.b, i) != '{' {
		return false
	}
	i = d.object(i, 0, o)
	return i >= 0 && skipSpace(d.b, i) == len(d.b)
}

// unquoted returns the value of the string whose text between the quotes is raw.
func (d *decoder) unquoted(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 && utf8.ValidString(raw) {
		return raw
	}
	from := len(d.arena)
	d.arena = appendText(d.arena, raw)
	return view(d.arena[from:])
}

// object reads the object that begins at d.b[i] into o. Like all functions that
// follow it returns the index behind what it read, or -1.
func (d *decoder) object(i, depth int, o object) int {
	b, s := d.b, d.s
	o.reset()
	start := i
	if depth >= maxDepth {
		return -1
	}
	if i++; at(b, i) != '"' {
		if i = skipSpace(b, i); at(b, i) == '}' {
			*o.source() = s[start : i+1]
			return i + 1
		}
	}
	last, gap := 0, 0
	for {
		if at(b, i) != '"' {
			return -1
		}
		k := i + 1
		var key string
		var c byte
		if i = runEnd(b, k); i+8 <= len(b) && load64(b, i)&0xffff == '"'|':'<<8 {
			key = s[k:i]
			i += 2
			if c = b[i]; c == ' ' {
				i++
				c = b[i]
			}
			if c <= ' ' {
				i = skipSpace(b, i)
				c = at(b, i)
			}
		} else {
			if i = stringEnd(b, i); i < 0 {
				return -1
			}
			key = d.unquoted(s[k:i])
			if i = colonEnd(b, i+1); i < 0 {
				return -1
			}
			c = at(b, i)
		}
		kind, str, num, more := o.field(key)
		switch {
		case c == '"' && (kind == kindText || kind == kindFirst):
			v := i + 1
			end, high := textEnd(b, v)
			if at(b, end) == '"' {
				if high == 0 {
					*str = s[v:end]
				} else {
					*str = d.unquoted(s[v:end])
				}
			} else {
				if end = stringEnd(b, end); end < 0 {
					return -1
				}
				*str = d.unquoted(s[v:end])
			}
			i = end + 1
		case c == 'n' && i+4 <= len(b) && load32(b, i) == wordNull:
			switch kind {
			case kindText, kindFirst:
				*str = ""
			case kindRaw:
				*str = s[i : i+4]
			case kindInteger, kindSeconds:
				*num = 0
			case kindUnknown:
			default:
				d.value(i, depth+1, slot{kind, str, num, more})
			}
			i += 4
		case kind == kindUnknown || kind == kindRaw:
			v := i
			if i = valueEnd(b, i, depth+1); i < 0 {
				return -1
			}
			if kind == kindRaw {
				*str = s[v:i]
			}
		case kind == kindInteger && c-'1' < 9:
			n := int64(0)
			v := i
			for c-'0' < 10 {
				n = n*10 + int64(c-'0')
				i++
				c = at(b, i)
			}
			if i-v > 18 || c == '.' || c|0x20 == 'e' {
				// More than it takes: not a plain integer.
				if i = d.value(v, depth+1, slot{kind, str, num, more}); i < 0 {
					return -1
				}
				break
			}
			*num = n
		case kind == kindBool && c == 't' && i+4 <= len(b) && load32(b, i) == wordTrue:
			*more.(*bool) = true
			i += 4
		case kind == kindBool && c == 'f' && i+5 <= len(b) && load32(b, i+1) == wordAlse:
			*more.(*bool) = false
			i += 5
		default:
			if i = d.value(i, depth+1, slot{kind, str, num, more}); i < 0 {
				return -1
			}
		}
		c = at(b, i)
		if c <= ' ' {
			i = skipSpace(b, i)
			c = at(b, i)
		}
		if c != ',' {
			if c != '}' {
				return -1
			}
			*o.source() = s[start : i+1]
			return i + 1
		}
		if i++; at(b, i) <= ' ' {
			from := i
			i = indentEnd(b, i, last, gap)
			last, gap = from, i-from
		}
	}
}

// value reads any value into f. A value of a shape that f has no use for leaves f zero;
// it stays in the source of the object around it.
func (d *decoder) value(i, depth int, f slot) int {
	from, c := i, at(d.b, i)
	switch f.kind {
	case kindObject:
		o := f.more.(object)
		if c == '{' {
			return d.object(i, depth, o)
		}
		o.reset()
		if i = valueEnd(d.b, i, depth); i >= 0 {
			*o.source() = d.s[from:i]
		}
		return i
	case kindList:
		return d.list(i, depth, f.more.(list))
	case kindSteps:
		return d.steps(i, depth, f.more.(*[]Step))
	}
	if i = valueEnd(d.b, i, depth); i < 0 {
		return -1
	}
	if f.kind == kindUnknown {
		return i
	}
	s := d.s[from:i]
	if f.kind == kindRaw {
		*f.str = s
		return i
	}
	quoted := c == '"'
	if quoted {
		s = d.unquoted(s[1 : len(s)-1])
	}
	switch f.kind {
	case kindText:
		*f.str = ""
		if quoted || isNumber(s) {
			*f.str = s
		}
	case kindFirst:
		*f.str = ""
		if isNumber(s) {
			*f.str = s
		} else if c == '[' {
			for e := range Raw(s).Elements() {
				if e.kind() == '"' {
					*f.str = d.unquoted(string(e[1 : len(e)-1]))
					break
				}
			}
		}
	case kindInteger:
		*f.num = 0
		if isNumber(s) {
			*f.num, _ = parseInteger(s)
		}
	case kindSeconds:
		*f.num = 0
		if isNumber(s) {
			n, _ := parseSeconds(s)
			*f.num = int64(n)
		}
	case kindBool:
		*f.more.(*bool) = s == "true"
	case kindDate:
		p := f.more.(*time.Time)
		*p = time.Time{}
		if quoted {
			*p, _ = parseTime(s)
		}
	case kindFloat:
		p := f.more.(*float64)
		*p = 0
		if isNumber(s) {
			*p, _ = Raw(s).Float64()
		}
	case kindStrings:
		p := f.more.(*[]string)
		*p = (*p)[:0]
		if quoted {
			*p = append(*p, s)
		} else {
			*p = append(*p, Raw(s).Strings()...)
		}
	}
	return i
}

func (d *decoder) list(i, depth int, l list) int {
	b := d.b
	l.reset()
	if at(b, i) != '[' {
		return valueEnd(b, i, depth)
	}
	if depth >= maxDepth {
		return -1
	}
	if i = skipSpace(b, i+1); at(b, i) == ']' {
		return i + 1
	}
	for {
		o := l.add()
		if at(b, i) == '{' {
			i = d.object(i, depth+1, o)
		} else {
			from := i
			o.reset()
			if i = valueEnd(b, i, depth+1); i >= 0 {
				*o.source() = d.s[from:i]
			}
		}
		if i < 0 {
			return -1
		}
		i = skipSpace(b, i)
		switch at(b, i) {
		case ',':
			i = skipSpace(b, i+1)
		case ']':
			return i + 1
		default:
			return -1
		}
	}
}

// steps reads the results: an object with an array of files for each step.
func (d *decoder) steps(i, depth int, steps *[]Step) int {
	b := d.b
	*steps = (*steps)[:0]
	var index map[string]int
	if at(b, i) != '{' {
		return valueEnd(b, i, depth)
	}
	if depth >= maxDepth {
		return -1
	}
	if i = skipSpace(b, i+1); at(b, i) == '}' {
		return i + 1
	}
	for {
		if at(b, i) != '"' {
			return -1
		}
		k := i + 1
		if i = stringEnd(b, k); i < 0 {
			return -1
		}
		step := addStep(steps, &index, d.unquoted(d.s[k:i]))
		if i = colonEnd(b, i+1); i < 0 {
			return -1
		}
		from := i
		if i = d.list(i, depth+1, (*files)(&step.Files)); i < 0 {
			return -1
		}
		if b[from] != '[' {
			step.odd = d.s[from:i]
		}
		i = skipSpace(b, i)
		switch at(b, i) {
		case ',':
			i = skipSpace(b, i+1)
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// addStep returns the step of that name, emptied. A key that comes again replaces what came
// before, at its place. Index, which is nil as long as a search is fast, holds
// the places of all names.
func addStep(steps *[]Step, index *map[string]int, name string) *Step {
	all, at := *steps, -1
	if *index == nil {
		for i := range all {
			if all[i].Name == name {
				at = i
			}
		}
		if len(all) >= 64 {
			*index = make(map[string]int)
			for i := range all {
				(*index)[all[i].Name] = i
			}
		}
	} else if i, ok := (*index)[name]; ok {
		at = i
	}
	if at < 0 {
		at = len(all)
		if at < cap(all) {
			all = all[:at+1]
		} else {
			all = append(all, Step{})
		}
		if *index != nil {
			(*index)[name] = at
		}
	}
	all[at] = Step{Name: name, Files: all[at].Files[:0]}
	*steps = all
	return &all[at]
}
