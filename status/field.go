package status

import (
	"slices"
	"time"
)

// A kind says how a field is decoded and encoded. The order counts: for takeUsual, a known
// field up to kindFirst is text, and one after kindRaw up to kindSeconds an int64.
type kind uint8

const (
	kindUnknown kind = iota // no field of ours: kept in the object's source only
	kindText                // string
	kindFirst               // string, the first one of an array
	kindRaw                 // string
	kindInteger             // int64
	kindSeconds             // int64, nanoseconds
	kindBool
	kindDate    // time.Time
	kindFloat   // float64
	kindStrings // []string
	kindObject
	kindList
	kindSteps // []Step
)

// A field is one field of a typed object: the key that it has in JSON, and where it is.
// It is as long as a line of the processor's cache, for the decoder reads one for each
// member. It holds no pointers, so that the garbage collector passes over the tables. With
// pointers they were a fifth of what it had to look at in a program that decodes, where
// every few hundred copies of documents lead to a collection.
type field struct {
	// For comparing with a document's bytes: the key with its quotes and the colon is
	// length bytes long, 32 at most. Head and tail are the first and the last eight of
	// them, the last from tailAt on; mask cuts a shorter key out of eight bytes. Of a key of
	// more than 16, second are the eight after the head, and late those before the tail.
	head, tail, second, late uint64
	mask                     uint64
	length, tailAt           uint8

	kind   kind
	shared bool    // has two names, see alias
	offset uint32  // from the beginning of the object
	sample uintptr // address of the field in the object that the layout was made with
	detail int     // index of its more
}

// A more holds the rarely used properties of a field.
type more struct {
	key    string
	alias  bool // decoded, but encoded by another field in the same place
	iso    bool // a date that is encoded in the ISO form
	object func(address) object
	list   func(address) list
}

// details are the mores of all fields. The first is that of unknownField, whose key is one
// that cannot stand between quotes.
var details = []more{{key: `"`}}

func (f *field) more() *more { return &details[f.detail] }

func text(key string, p *string) field           { return fieldAt(key, kindText, p) }
func integer(key string, p *int64) field         { return fieldAt(key, kindInteger, p) }
func seconds(key string, p *time.Duration) field { return fieldAt(key, kindSeconds, p) }
func boolean(key string, p *bool) field          { return fieldAt(key, kindBool, p) }
func raw(key string, p *Raw) field               { return fieldAt(key, kindRaw, p) }
func date(key string, p *time.Time) field        { return fieldAt(key, kindDate, p) }
func isoDate(key string, p *time.Time) field {
	f := date(key, p)
	f.more().iso = true
	return f
}
func float(key string, p *float64) field      { return fieldAt(key, kindFloat, p) }
func stringsOf(key string, p *[]string) field { return fieldAt(key, kindStrings, p) }
func stepsOf(key string, p *[]Step) field     { return fieldAt(key, kindSteps, p) }

// first takes a string, or the first string of an array of them.
func first(key string, p *string) field { return fieldAt(key, kindFirst, p) }

func child[T any, P pointer[T]](key string, p P) field {
	f := fieldAt(key, kindObject, (*T)(p))
	f.more().object = func(at address) object { return P((*T)(at)) }
	return f
}

func listOf[T any, P pointer[T]](key string, p *slice[T, P]) field {
	f := fieldAt(key, kindList, p)
	f.more().list = func(at address) list { return (*slice[T, P])(at) }
	return f
}

// alias makes f another name for a field that the layout has too. Documents may have both names,
// one of them with null, so what the field cannot hold changes nothing there.
func alias(f field) field {
	f.more().alias = true
	return f
}

// A layout lists the fields of one type of object, in the order in which the API
// sends them: after each key the decoder expects the next one.
type layout struct {
	fields []field
	places *[places]field // the same ones, and unknownField after the last
	source uintptr        // offset of what the object's source method points to
	fresh  func() object
	index  [256]uint8 // by hash: place in fields plus 1, or 0 for none
}

// unknownField is the field of a key that the layout does not have. No bytes are equal to it.
var unknownField = field{head: 1, mask: 1, length: 8}

func layoutOf[T any, P pointer[T]](fields func(P) []field) *layout {
	o := P(new(T))
	all := fields(o)
	l := &layout{source: offset(o.source()) - offset((*T)(o)), fresh: func() object { return P(new(T)) }}
	if len(all) >= places {
		panic("status: there are more fields than places")
	}
	l.places = new([places]field)
	l.fields = l.places[:len(all):len(all)]
	copy(l.fields, all)
	for i := range l.fields {
		f := &l.fields[i]
		f.offset = uint32(f.sample - offset((*T)(o)))
		f.prepare()
		h := hashKey(f.more().key)
		for l.index[h] != 0 {
			h++
		}
		l.index[h] = uint8(i + 1)
		for k := range l.fields[:i] {
			if g := &l.fields[k]; g.offset == f.offset && g.kind == f.kind {
				g.shared, f.shared = true, true
			}
		}
	}
	for i := len(all); i < places; i++ {
		l.places[i] = unknownField
	}
	return l
}

func (f *field) prepare() {
	text := []byte(`"` + f.more().key + `":`)
	f.length, f.mask = uint8(len(text)), ^uint64(0)
	if len(text) < 8 {
		f.mask = 1<<(8*len(text)) - 1
		text = append(text, make([]byte, 8)...)
	} else {
		f.tailAt = uint8(len(text) - 8)
	}
	f.head, f.tail = load64(text, 0), load64(text, int(f.tailAt))
	if len(text) > 16 {
		f.second, f.late = load64(text, 8), load64(text, len(text)-16)
	}
}

// place returns the field at a place.
func (l *layout) place(n int) *field { return &l.places[n&(places-1)] }

// find returns the place in l.fields of the field with that key, and -1 if there is none.
func (l *layout) find(key string) int {
	for h := hashKey(key); l.index[h] != 0; h++ {
		if i := int(l.index[h]) - 1; l.fields[i].more().key == key {
			return i
		}
	}
	return -1
}

// hashKey is spread well enough over the few dozen keys of a layout. Documents cannot
// make it slow: the table is fixed, and none of its chains long.
func hashKey(key string) uint8 {
	b := viewBytes(key)
	var a, z uint32
	if len(b) >= 4 {
		a, z = load32(b, 0), load32(b, len(b)-4)
	} else {
		for _, c := range b {
			a = a<<8 | uint32(c)
		}
	}
	return uint8((a*0x9e3779b1 ^ z*0x85ebca6b ^ uint32(len(b))*0xc2b2ae35) * 0x27d4eb2f >> 24)
}

// A guess says, for each field of an object, which one is likely to follow it.
type guess struct {
	layout *layout       // the one that the places are of
	next   [places]uint8 // places: at 0 of the first field, at p+1 of the one after that at place p
}

// Guesses are what is known from the previous document: a guess for the document itself, one
// for the uploads, which are inside an object and an array, and one for the results, which
// are inside one more object, for their keys come in another order.
type guesses struct {
	keys      [3]guess
	unescaped int // how many bytes of text were not in the document as they are
}

// after returns the place of the field that is likely to come next, or that of unknownField.
// Before is the place of the last field plus 1, and 0 if there was none.
func (g *guess) after(before int) int { return int(g.next[before&(places-1)]) }

// of returns the guess for objects with the layout l, inside so many others. One is for
// the first layout that it is asked for; with others, and without guesses, keys come in
// the layout's order or have to be looked for.
func (g *guesses) of(depth int, l *layout) *guess {
	if g == nil {
		return &inOrder
	}
	own := &g.keys[max(0, min(depth, 3)-1)]
	switch own.layout {
	case l:
		return own
	case nil:
		*own = guess{l, inOrder.next}
		return own
	}
	return &inOrder
}

// expect makes after say that the field at place n comes next. It returns what after is to be
// given for that, which is before as a rule.
func (g *guess) expect(before, n int) int {
	if g == &inOrder {
		return n
	}
	g.next[before&(places-1)] = uint8(n)
	return before
}

// inOrder guesses that all keys come, in the layout's order.
var inOrder = func() (g guess) {
	for i := range g.next {
		g.next[i] = uint8(i)
	}
	return g
}()

// places is more than the fields of any layout, and a power of two, so that an index modulo
// places needs no check.
const places = 128

// A slot is a field of one object.
type slot struct {
	*field
	at address
}

func (s slot) str() *string       { return (*string)(s.at) }
func (s slot) num() *int64        { return (*int64)(s.at) }
func (s slot) flag() *bool        { return (*bool)(s.at) }
func (s slot) time() *time.Time   { return (*time.Time)(s.at) }
func (s slot) float() *float64    { return (*float64)(s.at) }
func (s slot) strings() *[]string { return (*[]string)(s.at) }
func (s slot) steps() *[]Step     { return (*[]Step)(s.at) }
func (s slot) child() object      { return s.more().object(s.at) }
func (s slot) elements() list     { return s.more().list(s.at) }

// An object is a typed object that keeps the text it was decoded from. That
// text is what makes re-encoding lossless: whatever the fields do not show, from
// unknown keys to the digits of a number, is still in it. See encode.go.
type object interface {
	reset()
	// layout lists the fields. It may be another one once a child has been decoded.
	layout() *layout
	source() *string
}

// pointer is what makes an object of a type.
type pointer[T any] interface {
	*T
	object
}

// A list is a slice of objects.
type list interface {
	reset()
	add() object // one more at the end, to be reset by the caller
	len() int
	item(i int) object
}

// A slice is the list of a []T.
type slice[T any, P pointer[T]] []T

func (l *slice[T, P]) reset()            { *l = (*l)[:0] }
func (l *slice[T, P]) len() int          { return len(*l) }
func (l *slice[T, P]) item(i int) object { return P(&(*l)[i]) }

func (l *slice[T, P]) add() object {
	n := len(*l)
	if n < cap(*l) {
		*l = (*l)[:n+1]
	} else {
		if n == 1 {
			*l = slices.Grow(*l, 3) // where there are two, there are more as a rule
		}
		var zero T
		*l = append(*l, zero)
	}
	return P(&(*l)[n])
}
