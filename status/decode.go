package status

import (
	"strings"
	"time"
	"unicode/utf8"
)

// A decoder reads one document. It looks at the bytes in b; what it keeps are parts
// of s, the same bytes as a string.
type decoder struct {
	b     []byte
	s     string
	arena []byte // the values of strings that are not in s as they are

	guess   *guesses // nil where no other document follows
	pairs   [32]pair // the ones found last, of the object that is being read
	members memory   // of an object that was kept raw
	text    [2]int   // where the last long string that was kept raw begins and ends
}

// copySource makes s a copy of d.b, followed by room for as much unescaped text as the previous
// document had, so that one allocation serves for both. The room is never more than d.b
// takes, whatever a stranger's document had before.
func (d *decoder) copySource() {
	n := len(d.b)
	if d.guess == nil || d.guess.unescaped == 0 {
		d.s = string(d.b)
		return
	}
	buf := make([]byte, n, n+min(d.guess.unescaped, n))
	copy(buf, d.b)
	d.s, d.arena = view(buf), buf[n:]
}

// document reads an object with nothing but white space around it.
func (d *decoder) document(o object) bool {
	i := skipSpace(d.b, 0)
	if at(d.b, i) != '{' {
		o.reset()
		return false
	}
	i = d.object(i, 0, o)
	if d.guess != nil {
		d.guess.unescaped = len(d.arena)
	}
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

// object reads the object that begins at d.b[i] into o. Like all functions below
// it returns the index after what it read, or -1.
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
	before := 0 // for guess.after
	for {
		n, next, where := pairs(b, i, d.pairs[:], anyKey)
		if n > 0 {
			fields, before = d.take(d.pairs[:n], o, fields, before, depth)
		}
		if i = next; where == atEnd {
			*o.source() = s[start:i]
			return i
		}
		if n == len(d.pairs) {
			continue
		}
		var key string
		if where == atValue {
			p := &d.pairs[n]
			key = s[p.key:p.keyEnd]
			i = skipSpace(b, p.value)
		} else {
			k := skipSpace(b, i)
			end, v := keyEnd(b, k)
			if v < 0 {
				return -1
			}
			key, i = s[k+1:end], v
		}
		guess := d.guess.of(depth, fields)
		n = guess.after(before)
		if fields.place(n).more().key != key {
			n = fields.find(d.unquoted(key))
		}
		f := &unknownField
		if n >= 0 {
			f = fields.place(n)
			guess.expect(before, n)
			before = n + 1
		}
		if i = d.value(i, depth+1, slotAt(base, f)); i < 0 {
			return -1
		}
		if l := o.layout(); l != fields {
			fields, before = l, 0
		}
		var more bool
		if i, more = itemEnd(b, i, '}'); !more {
			if i >= 0 {
				*o.source() = s[start:i]
			}
			return i
		}
	}
}

// take gives the values of pairs to the fields of o, which has the layout l. Before is what
// guess.after wants. It returns the layout, and before for what comes after the pairs.
//
// What it leaves to value are literals, numbers, strings, and objects and arrays that are
// empty: value does not fail on them, and does not use d.pairs.
//
// It ends because find and takeUsual agree on keys: the field that find returns is then
// the one that takeUsual expects.
func (d *decoder) take(pairs []pair, o object, l *layout, before, depth int) (*layout, int) {
	b, base, guess := d.b, l.base(o), d.guess.of(depth, l)
	for {
		taken, last, expected := d.takeUsual(pairs, base, l, guess, before)
		if before = last; taken == len(pairs) {
			return l, before
		}
		p := &pairs[taken]
		pairs = pairs[taken:]
		if !expected {
			if n := l.find(view(b[p.key:p.keyEnd])); n >= 0 {
				before = guess.expect(before, n) // for the next turn
			} else {
				pairs = pairs[1:] // which is in the source of o
			}
			continue
		}
		n := guess.after(before)
		pairs, before = pairs[1:], n+1
		slot := slotAt(base, l.place(n))
		if slot.kind == kindDate && b[p.value] == '"' {
			*slot.time(), _ = parseTime(view(b[p.value+1 : p.end-1]))
			continue
		}
		d.value(p.value, depth+1, slot)
		if now := o.layout(); now != l {
			l, before, guess = now, 0, d.guess.of(depth, now)
		}
	}
}

// takeUsual is take for pairs with the keys that are expected and values that need no more
// than a few steps. It returns how many there are before the first other one, before
// for that one, and whether at least its key is the one that is expected.
//
// Since it calls nothing, the compiler need not keep in memory what a call would
// change: with all of take in one loop, decoding took 5 % longer.
func (d *decoder) takeUsual(pairs []pair, base address, l *layout, guess *guess, before int) (taken, last int, expected bool) {
	s, fields, next := d.s, l.places[:], &guess.next
	b := viewBytes(s) // which is d.b or a copy of it, and takes no further registers
	for i := range pairs {
		p := &pairs[i]
		n := int(next[before&(places-1)])
		f := &fields[n&(places-1)]
		k := p.key - 1
		tail := k + int(f.tailAt)
		if ((load64(b, k)^f.head)|(load64(b, tail)^f.tail))&f.mask != 0 ||
			f.length > 16 && (load64(b, k+8)^f.second)|(load64(b, tail-8)^f.late) != 0 {
			return i, before, false
		}
		slot := slotAt(base, f)
		switch c := b[p.value]; {
		case c == '"' && f.kind <= kindFirst:
			*slot.str() = s[p.value+1 : p.end-1]
		case f.kind == kindRaw:
			*slot.str() = s[p.value:p.end]
		case c == 'n' && f.kind <= kindSeconds:
			switch {
			case f.shared: // stays what it is
			case f.kind <= kindFirst:
				*slot.str() = ""
			default:
				*slot.num() = 0
			}
		case f.kind == kindInteger:
			number, ok := parsePlain(b[p.value:p.end])
			if !ok {
				return i, before, true
			}
			*slot.num() = number
		case f.kind == kindSeconds:
			number, ok := parsePlainSeconds(b[p.value:p.end])
			if !ok {
				return i, before, true
			}
			*slot.num() = number
		case f.kind == kindBool && c != '"':
			*slot.flag() = c == 't'
		default:
			return i, before, true
		}
		before = n + 1
	}
	return len(pairs), before, true
}

// skip is valueEnd for a value that is kept raw. Such values are alike: the meta data of
// a file has the same keys as that of the file before it, and most of the same values;
// merged_params often equals params. What has been read once need not be read again.
func (d *decoder) skip(i, depth int) int {
	b := d.b
	switch at(b, i) {
	case '{':
		return d.skipObject(i, depth)
	case '"':
		from, n := d.text[0], d.text[1]-d.text[0]
		if n > 0 && repeats(b, i, from, n) == n {
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

// A memory says where the members of an object begin, so that others can be compared with them.
type memory struct {
	depth  int // number of arrays and objects around that object
	n      int
	starts [64]int // index of each key's opening quote, of the first 64 members
}

// add notes where further members begin, as far as there is room.
func (m *memory) add(pairs []pair) {
	starts := m.starts[m.n:]
	n := min(len(pairs), len(starts))
	for i := range pairs[:n] {
		starts[i] = pairs[i].key - 1
	}
	m.n += n
}

// last returns which member is the last that begins at i or before.
func (m *memory) last(i int) int {
	k, end := 0, m.n
	for k+1 < end {
		if middle := (k + end) / 2; m.starts[middle] <= i {
			k = middle
		} else {
			end = middle
		}
	}
	return k
}

// settle forgets the object if more than half of its known members had to be read in
// another one.
func (m *memory) settle(known, read int) {
	if known > 0 && 2*read > known {
		m.n = 0
	}
}

// skipObject is skip for an object. It passes over members that, up to the key of the next
// one, are byte by byte what they were in the object that it remembers. If more than half
// of that object's members are different here, the next object takes its place.
func (d *decoder) skipObject(i, depth int) int {
	b, m := d.b, &d.members
	if depth >= maxDepth {
		return -1
	}
	if i = skipSpace(b, i+1); at(b, i) == '}' {
		return i + 1
	}
	// How many of the remembered members have a next one; 0 while this object is to be
	// remembered, and where there are so few that comparing takes longer than reading.
	known := m.n - 1
	if known < 16 || depth > m.depth { // what was right there might be too deep here
		m.depth, m.n, known = depth, 0, 0
	}
	k, read := 0, 0 // members so far, and those of them that were read
	once := 1       // how many to read before the next comparison: more if the last found nothing
	for {
		room := len(d.pairs)
		if k < known {
			from := m.starts[k]
			same := from + repeats(b, i, from, m.starts[known]-from)
			if passed := m.last(same); passed > k {
				k, once = passed, 1
				i = skipSpace(b, i+m.starts[k]-from) // there may be more of it here
				continue
			}
			room = once
			once = min(2*once, len(d.pairs))
		}
		n, next, where := pairs(b, i, d.pairs[:room], anyKey)
		if known == 0 {
			m.add(d.pairs[:n])
		}
		k, read = k+n, read+n
		if i = next; where == atEnd {
			m.settle(known, read)
			return i
		}
		if n == room {
			continue
		}
		if where == atValue {
			i = skipSpace(b, d.pairs[n].value)
			if known == 0 {
				m.add(d.pairs[n : n+1])
			}
		} else {
			i = skipSpace(b, i)
			if known == 0 {
				m.add([]pair{{key: i + 1}})
			}
			if _, i = keyEnd(b, i); i < 0 {
				return -1
			}
		}
		k, read = k+1, read+1
		if i = valueEnd(b, i, depth+1); i < 0 {
			return -1
		}
		var more bool
		if i, more = itemEnd(b, i, '}'); !more {
			m.settle(known, read)
			return i
		}
	}
}

// value reads any value into f. A value of a shape that f has no use for leaves f zero, or, if
// f is shared, as it was. It is still in the source of the object around it.
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
	if f.kind == kindUnknown || f.kind == kindRaw {
		if i = d.skip(i, depth); i >= 0 && f.kind == kindRaw {
			*f.str() = d.s[from:i]
		}
		return i
	}
	if i = valueEnd(d.b, i, depth); i < 0 {
		return -1
	}
	s := d.s[from:i]
	quoted := c == '"'
	if quoted {
		s = d.unquoted(s[1 : len(s)-1])
	}
	switch f.kind {
	case kindText:
		if quoted || isNumber(s) {
			*f.str() = s
		} else if !f.shared {
			*f.str() = ""
		}
	case kindFirst:
		*f.str() = ""
		if quoted || isNumber(s) {
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
		n, ok := time.Duration(0), isNumber(s)
		if ok {
			n, ok = parseSeconds(s)
		}
		if ok || !f.shared {
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
		end, from := keyEnd(b, i)
		if from < 0 {
			return -1
		}
		step := addStep(steps, &index, d.unquoted(d.s[i+1:end]))
		i = from
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
// came before, in the same place. Index, which is nil as long as a search is fast, holds the
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
