package status

import (
	"fmt"
	"strconv"
	"strings"
)

// A SyntaxError says why a document was refused: it is not JSON, or its root is
// not what was asked for.
type SyntaxError struct {
	Offset int    // index of the byte that cannot stand where it stands; the length of a document that ends too early
	Path   string // the value it stands in, as in results.resized[2].meta; empty at the root
	What   string // what is wrong there
}

func (e *SyntaxError) Error() string {
	where := ""
	if e.Path != "" {
		where = " in " + harmless(e.Path)
	}
	return fmt.Sprintf("status: byte %d%s: %s", e.Offset, where, e.What)
}

// harmless returns s with escape sequences for what is not to be printed: a terminal may
// take it for commands.
func harmless(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(quoted[1 : len(quoted)-1])
}

// diagnose reads once more, slowly, a document that the scanner refused, to say
// what is wrong with it. It shares no code with the scanner, so that tests can
// compare the two. It returns nil for a JSON object.
func diagnose(data []byte) *SyntaxError {
	d := diagnosis{data: data}
	d.space()
	if !d.more() {
		return d.fault("the document is empty, a JSON object was expected")
	}
	if c := data[d.at]; c != '{' {
		// Whether the rest is JSON no longer matters.
		return d.fault("the document is not a JSON object, it begins with " + describe(c))
	}
	if !d.value(0) {
		return d.err
	}
	d.space()
	if d.more() {
		return d.fault(describe(data[d.at]) + " behind the end of the document")
	}
	return nil
}

// refusal is the error for a document that the scanner refused.
func refusal(data []byte) error {
	if err := diagnose(data); err != nil {
		return err
	}
	// Only if the two disagree, which would be a bug of ours.
	return &SyntaxError{What: "the document is refused, but no fault can be found in it"}
}

type diagnosis struct {
	data []byte
	at   int
	path []byte
	err  *SyntaxError
}

func (d *diagnosis) more() bool { return d.at < len(d.data) }

func (d *diagnosis) fault(what string) *SyntaxError {
	if d.err == nil {
		d.err = &SyntaxError{Offset: d.at, Path: string(d.path), What: what}
	}
	return d.err
}

// want records that something else stands where what was expected. It returns false.
func (d *diagnosis) want(what string) bool {
	if d.more() {
		d.fault(describe(d.data[d.at]) + " where " + what + " was expected")
	} else {
		d.fault("the document ends where " + what + " was expected; was it cut off?")
	}
	return false
}

func describe(c byte) string {
	if c < ' ' || c >= 0x7f {
		return fmt.Sprintf("byte 0x%02x", c)
	}
	return strconv.QuoteRune(rune(c))
}

func (d *diagnosis) space() {
	for d.more() {
		switch d.data[d.at] {
		case ' ', '\t', '\r', '\n':
			d.at++
		default:
			return
		}
	}
}

func (d *diagnosis) next(c byte) bool {
	if d.more() && d.data[d.at] == c {
		d.at++
		return true
	}
	return false
}

func (d *diagnosis) value(depth int) bool {
	if !d.more() {
		return d.want("a value")
	}
	switch c := d.data[d.at]; {
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.array(depth)
	case c == '"':
		return d.text()
	case c == 'n':
		return d.literal("null")
	case c == 't':
		return d.literal("true")
	case c == 'f':
		return d.literal("false")
	case c == '-' || '0' <= c && c <= '9':
		return d.number()
	}
	return d.want("a value")
}

func (d *diagnosis) tooDeep(depth int) bool {
	if depth >= maxDepth {
		d.path = d.path[:0] // ten thousand names help nobody
		d.fault(fmt.Sprintf("more than %d arrays and objects inside each other", maxDepth))
		return true
	}
	return false
}

func (d *diagnosis) object(depth int) bool {
	if d.tooDeep(depth) {
		return false
	}
	d.at++
	d.space()
	if d.next('}') {
		return true
	}
	outside := len(d.path)
	for {
		if !d.more() || d.data[d.at] != '"' {
			return d.want("a key in quotes")
		}
		from := d.at + 1
		if !d.text() {
			return false
		}
		if outside > 0 {
			d.path = append(d.path, '.')
		}
		d.path = appendText(d.path, string(d.data[from:d.at-1]))
		d.space()
		if !d.next(':') {
			return d.want("a colon behind the key")
		}
		d.space()
		if !d.value(depth + 1) {
			return false
		}
		d.path = d.path[:outside]
		d.space()
		if d.next('}') {
			return true
		}
		if !d.next(',') {
			return d.want("a comma or the end of the object")
		}
		d.space()
	}
}

func (d *diagnosis) array(depth int) bool {
	if d.tooDeep(depth) {
		return false
	}
	d.at++
	d.space()
	if d.next(']') {
		return true
	}
	outside := len(d.path)
	for n := int64(0); ; n++ {
		d.path = append(strconv.AppendInt(append(d.path, '['), n, 10), ']')
		if !d.value(depth + 1) {
			return false
		}
		d.path = d.path[:outside]
		d.space()
		if d.next(']') {
			return true
		}
		if !d.next(',') {
			return d.want("a comma or the end of the array")
		}
		d.space()
	}
}

func (d *diagnosis) text() bool {
	for d.at++; d.more(); d.at++ {
		switch c := d.data[d.at]; {
		case c == '"':
			d.at++
			return true
		case c < ' ':
			d.fault(describe(c) + " in a string, where it has to be escaped")
			return false
		case c == '\\':
			d.at++
			if !d.more() {
				return d.want("the rest of an escape sequence")
			}
			switch d.data[d.at] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					d.at++
					if !d.more() {
						return d.want("a hexadecimal digit")
					}
					switch c := d.data[d.at]; {
					case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
					default:
						return d.want("a hexadecimal digit")
					}
				}
			default:
				return d.want(`one of "\/bfnrtu`)
			}
		}
	}
	return d.want("the end of a string")
}

func (d *diagnosis) literal(word string) bool {
	for i := range len(word) {
		if !d.next(word[i]) {
			return d.want(word)
		}
	}
	return true
}

func (d *diagnosis) number() bool {
	d.next('-')
	if !d.next('0') && !d.digits() {
		return d.want("a digit")
	}
	if d.next('.') && !d.digits() {
		return d.want("a digit")
	}
	if d.next('e') || d.next('E') {
		if !d.next('+') {
			d.next('-')
		}
		if !d.digits() {
			return d.want("a digit")
		}
	}
	return true
}

func (d *diagnosis) digits() bool {
	from := d.at
	for d.more() && '0' <= d.data[d.at] && d.data[d.at] <= '9' {
		d.at++
	}
	return d.at > from
}

// refusedValue is refusal for a value of any kind.
func refusedValue(s string) error {
	if err := diagnoseValue(s); err != nil {
		return err
	}
	return &SyntaxError{What: "the value is refused, but no fault can be found in it"}
}

// diagnoseValue is diagnose for a value of any kind.
func diagnoseValue(s string) *SyntaxError {
	d := diagnosis{data: []byte(s)}
	d.space()
	if !d.value(0) {
		return d.err
	}
	if d.space(); d.more() {
		return d.fault(describe(d.data[d.at]) + " behind the end of the value")
	}
	return nil
}
