package status

import (
	"strings"
	"time"
	"unicode/utf8"
)

// A decoder reads one document. Bytes are looked at in b; what is kept are parts
// of s, the same bytes as a string.
type decoder struct {
	b     []byte
	s     string
	arena []byte // the values of strings that do not stand in s as they are

	guess   *guesses
	members memory // of the last object that was kept raw
	text    [2]int // where the last long string that was kept raw begins and ends
}

// copyOf prepares a decoder for a copy of data, with room for strings that have to be
// unescaped behind it, so that one allocation serves for both.
func copyOf(data []byte, guess *guesses) decoder {
	n := len(data)
	if strings.IndexByte(view(data), '\\') < 0 {
		s := string(data)
		return decoder{b: data, s: s, guess: guess}
	}
	buf := make([]byte, n+n/32+64)
	copy(buf, data)
	return decoder{b: data, s: view(buf[:n]), arena: buf[n:n], guess: guess}
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
	fields := o.layout()
	base := fields.base(o)
	guess := &d.guess[min(depth, 1)]
	before := 0 // place of the last field and 1
	last, gap := 0, 0
	for {
		if at(b, i) != '"' {
			return -1
		}
		k := i + 1
		var c byte
		n := before
		if g := int(guess[before]); g > 0 {
			n = g - 1
		}
		f := &unknownField
		if n < len(fields.fields) {
			f = &fields.fields[n]
		}
		if v := k + f.length; v+8 <= len(b) && (load64(b, k)^f.head)&f.mask == 0 &&
			(load64(b, k+f.middleAt)^f.middle)&f.mask == 0 && (load64(b, k+f.tailAt)^f.tail)&f.mask == 0 &&
			(f.length <= 24 || s[k:k+len(f.key)] == f.key) {
			before = n + 1
			i = v
			if c = b[i]; c == ' ' {
				i++
				c = b[i]
			}
			if c <= ' ' {
				i = skipSpace(b, i)
				c = at(b, i)
			}
		} else {
			var key string
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
			f = &unknownField
			if n := fields.find(key); n >= 0 {
				f = &fields.fields[n]
				guess[before] = uint8(n + 1)
				before = n + 1
			}
		}
		slot := slotAt(base, f)
		switch {
		case c == '"' && (f.kind == kindText || f.kind == kindFirst):
			v := i + 1
			end, high := textEnd(b, v)
			if at(b, end) == '"' {
				if high == 0 {
					*slot.str() = s[v:end]
				} else {
					*slot.str() = d.unquoted(s[v:end])
				}
			} else {
				if end = stringEnd(b, end); end < 0 {
					return -1
				}
				*slot.str() = d.unquoted(s[v:end])
			}
			i = end + 1
		case c == 'n' && i+4 <= len(b) && load32(b, i) == wordNull:
			switch f.kind {
			case kindText, kindFirst:
				*slot.str() = ""
			case kindRaw:
				*slot.str() = s[i : i+4]
			case kindInteger, kindSeconds:
				*slot.num() = 0
			case kindUnknown:
			default:
				d.value(i, depth+1, slot)
				fields = o.layout()
			}
			i += 4
		case f.kind == kindUnknown || f.kind == kindRaw:
			v := i
			if i = d.skip(i, depth+1, c); i < 0 {
				return -1
			}
			if f.kind == kindRaw {
				*slot.str() = s[v:i]
			}
		case f.kind == kindInteger && c-'1' < 9:
			n := int64(0)
			v := i
			for c-'0' < 10 {
				n = n*10 + int64(c-'0')
				i++
				c = at(b, i)
			}
			if i-v > 18 || c == '.' || c|0x20 == 'e' {
				// More than it takes: not a plain integer.
				if i = d.value(v, depth+1, slot); i < 0 {
					return -1
				}
				break
			}
			*slot.num() = n
		case f.kind == kindBool && c == 't' && i+4 <= len(b) && load32(b, i) == wordTrue:
			*slot.flag() = true
			i += 4
		case f.kind == kindBool && c == 'f' && i+5 <= len(b) && load32(b, i+1) == wordAlse:
			*slot.flag() = false
			i += 5
		default:
			if i = d.value(i, depth+1, slot); i < 0 {
				return -1
			}
			fields = o.layout()
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

// unknownField is the field of a key that the layout does not have. No bytes compare
// equal with it.
var unknownField = field{head: 1, mask: 1, length: 8}

// skip is valueEnd for a value that begins with c and is kept raw. Such values are
// alike: the meta data of one file has the keys of that of the file before, and most of
// its values; merged_params often is params. What has been read once need not be read
// again.
func (d *decoder) skip(i, depth int, c byte) int {
	b := d.b
	switch c {
	case '{':
		return objectEnd(b, i, depth, &d.members)
	case '"':
		from, n := d.text[0], d.text[1]-d.text[0]
		if n > 0 && i+n <= len(b) && repeats(b, i, from, n) == n {
			return i + n
		}
		end := valueEnd(b, i, depth)
		if end-i >= 64 {
			d.text = [2]int{i, end}
		}
		return end
	}
	return valueEnd(b, i, depth)
}

// value reads any value into f. A value of a shape that f has no use for leaves f zero;
// it stays in the source of the object around it.
func (d *decoder) value(i, depth int, f slot) int {
	from, c := i, at(d.b, i)
	switch f.kind {
	case kindObject:
		o := f.child()
		if c == '{' {
			return d.object(i, depth, o)
		}
		o.reset()
		if i = valueEnd(d.b, i, depth); i >= 0 {
			*o.source() = d.s[from:i]
		}
		return i
	case kindList:
		return d.list(i, depth, f.elements())
	case kindSteps:
		return d.steps(i, depth, f.steps())
	}
	if i = valueEnd(d.b, i, depth); i < 0 {
		return -1
	}
	if f.kind == kindUnknown {
		return i
	}
	s := d.s[from:i]
	if f.kind == kindRaw {
		*f.str() = s
		return i
	}
	quoted := c == '"'
	if quoted {
		s = d.unquoted(s[1 : len(s)-1])
	}
	switch f.kind {
	case kindText:
		*f.str() = ""
		if quoted || isNumber(s) {
			*f.str() = s
		}
	case kindFirst:
		*f.str() = ""
		if isNumber(s) {
			*f.str() = s
		} else if c == '[' {
			for e := range Raw(s).Elements() {
				if e.kind() == '"' {
					*f.str() = d.unquoted(string(e[1 : len(e)-1]))
					break
				}
			}
		}
	case kindInteger:
		*f.num() = 0
		if isNumber(s) {
			*f.num(), _ = parseInteger(s)
		}
	case kindSeconds:
		*f.num() = 0
		if isNumber(s) {
			n, _ := parseSeconds(s)
			*f.num() = int64(n)
		}
	case kindBool:
		*f.flag() = s == "true"
	case kindDate:
		p := f.time()
		*p = time.Time{}
		if quoted {
			*p, _ = parseTime(s)
		}
	case kindFloat:
		p := f.float()
		*p = 0
		if isNumber(s) {
			*p, _ = Raw(s).Float64()
		}
	case kindStrings:
		p := f.strings()
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
		var more bool
		if i, more = itemEnd(b, i, ']'); !more {
			return i
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
		var more bool
		if i, more = itemEnd(b, i, '}'); !more {
			return i
		}
	}
}

// addStep returns the step of that name, emptied. A key that comes again replaces what
// came before, at its place. Index, which is nil as long as a search is fast, holds the
// places of all names.
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
