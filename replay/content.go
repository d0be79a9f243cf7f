package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// content is what the body of a request asks for, without what may differ between two
// requests that ask for the same.
type content struct {
	// doc is a JSON value, which a form is as well, or any other text as a string. It
	// is nil where there is no body.
	doc any

	// Where the body was cut off, tail is its last value, which is not in doc.
	cut  bool
	tail string
}

// newContent returns the content of body, which has been masked, and which went on if it
// is cut. It does not keep body.
func newContent(contentType string, body []byte, cut bool) content {
	if len(body) == 0 {
		return content{cut: cut}
	}
	mediaType, params, _ := mime.ParseMediaType(contentType)
	switch mediaType {
	case "application/x-www-form-urlencoded":
		c := content{cut: cut}
		if cut {
			n := bytes.LastIndexByte(body, '&') + 1
			c.tail = sameMasks(string(body[n:]))
			body = body[:max(n-1, 0)]
		}
		c.doc = newParams(string(body))
		return c
	case "multipart/form-data":
		if c, ok := newMultipart(body, params["boundary"], cut); ok {
			return c
		}
	}
	if v, ok := decodeJSON(body); ok {
		return content{doc: v, cut: cut}
	}
	if cut {
		return content{cut: cut, tail: sameMasks(string(body))}
	}
	return content{doc: leaf(string(body))}
}

func newMultipart(body []byte, boundary string, cut bool) (c content, ok bool) {
	values := make(map[string]any)
	c = content{doc: values, cut: cut}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextRawPart()
		if err != nil {
			return c, err == io.EOF || cut
		}
		value, err := io.ReadAll(part)
		name := part.FormName()
		if file := part.FileName(); file != "" {
			name += " (" + file + ")"
		}
		if err != nil {
			c.tail = name + "=" + sameMasks(string(value))
			return c, cut
		}
		add(values, name, string(value))
	}
}

// newParams returns the parameters of a query, or the fields of a form, by their names.
func newParams(query string) map[string]any {
	values := make(map[string]any)
	signed := false
	for param := range strings.SplitSeq(query, "&") {
		if param == "" {
			continue
		}
		name, value, _ := strings.Cut(param, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if plain, err := url.QueryUnescape(value); err == nil {
			value = plain
		}
		if value == Redacted || isSecretField(name) {
			signed = true
			continue
		}
		add(values, name, value)
	}
	if signed {
		maps.DeleteFunc(values, func(name string, _ any) bool { return signatureDates[strings.ToLower(name)] })
	}
	return values
}

// signatureDates are the parameters that say how long the signature next to them is valid, in
// the signed URLs of Transloadit, Amazon, Google and Microsoft, and those that only make it
// differ from others.
var signatureDates = map[string]bool{
	"exp": true, "expires": true, "auth_expires": true, "nonce": true, "timestamp": true, "policy": true,
	"x-amz-date": true, "x-amz-expires": true, "x-goog-date": true, "x-goog-expires": true, "st": true, "se": true,
}

// add adds a field to values; where there is one of that name, the two become a list. Fields
// that are credentials are left out.
func add(values map[string]any, name, value string) {
	if isSecretField(name) {
		return
	}
	v := leaf(value)
	switch was := values[name].(type) {
	case nil:
		values[name] = v
	case fieldList:
		values[name] = append(was, v)
	default:
		values[name] = fieldList{was, v}
	}
}

// fieldList are the values of fields of one name, rather than a value that is a list.
type fieldList []any

// leaf returns what matters of a string: of JSON in it, of a URL, or of other text. What is
// not text becomes its size and sum.
func leaf(s string) any {
	if !utf8.ValidString(s) {
		return fmt.Sprintf("%d bytes with the SHA-256 %x", len(s), sha256.Sum256([]byte(s)))
	}
	if v, ok := decodeJSON([]byte(s)); ok {
		return v
	}
	if page, query, ok := strings.Cut(s, "?"); ok && strings.Contains(page, "://") && !strings.ContainsAny(s, " \n") {
		return page + "?" + canonical(newParams(sameMasks(query)))
	}
	return sameMasks(s)
}

var masks = regexp.MustCompile(`\*{2,}`)

// sameMasks returns s with all masked credentials equally long: where a program replays, it
// may have a shorter one.
func sameMasks(s string) string {
	if !strings.Contains(s, "**") {
		return s
	}
	return masks.ReplaceAllString(s, "*")
}

// decodeJSON returns what matters of an object or a list, if text is one.
func decodeJSON(text []byte) (any, bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.InputOffset() != int64(len(text)) {
		return nil, false
	}
	return counted(v), true
}

// counted returns v, which it changes, without what authenticates: Transloadit's auth
// object, and strings with the name of a credential, of which a reel has only the length.
func counted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if _, isString := value.(string); name == "auth" || isString && isSecretField(name) {
				delete(v, name)
				continue
			}
			v[name] = counted(value)
		}
	case []any:
		for i := range v {
			v[i] = counted(v[i])
		}
	case string:
		return leaf(v)
	}
	return v
}

// canonical returns v as JSON that is the same for equal values.
func canonical(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // of what came out of JSON, never
	}
	return string(text)
}

// digest stands for what a whole body asks for.
type digest [sha256.Size]byte

func (c content) digest() digest { return sha256.Sum256([]byte(canonical(c.doc))) }

// begins returns whether c, which is cut, begins like other, which is cut at about the same
// place: credentials differ in length, and so do boundaries.
func (c content) begins(other content) bool {
	return other.cut && reflect.DeepEqual(c.doc, other.doc) &&
		(strings.HasPrefix(c.tail, other.tail) || strings.HasPrefix(other.tail, c.tail))
}

// differences tell a person how two requests differ, one line for each difference.
type differences struct {
	lines []string
	more  int
}

const maxDifferences = 6

// none is a value that is not there.
type none struct{}

// compare adds how is differs from was, both of which stand at that place of the requests.
func (d *differences) compare(place string, is, was any) {
	if reflect.DeepEqual(is, was) {
		return
	}
	switch is := is.(type) {
	case map[string]any:
		was, ok := was.(map[string]any)
		if !ok {
			break
		}
		names := slices.Collect(maps.Keys(is))
		for name := range was {
			if _, ok := is[name]; !ok {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			d.compare(inside(place, shorten(name)), member(is, name), member(was, name))
		}
		return
	case []any:
		was, ok := was.([]any)
		if !ok || len(is) != len(was) {
			break
		}
		for i := range is {
			d.compare(fmt.Sprintf("%s[%d]", place, i), is[i], was[i])
		}
		return
	}
	if d.more++; d.more > maxDifferences {
		return
	}
	isText, wasText := excerpts(show(is), show(was))
	d.lines = append(d.lines, fmt.Sprintf("%s: %s, recorded %s", place, isText, wasText))
}

func inside(place, name string) string {
	if strings.Contains(place, " ") {
		return place + "." + name
	}
	return place + " " + name
}

func member(values map[string]any, name string) any {
	if v, ok := values[name]; ok {
		return v
	}
	return none{}
}

// show returns v as an error shows it.
func show(v any) string {
	switch v := v.(type) {
	case none:
		return "none"
	case plainText:
		return string(v)
	case nil:
		return "null"
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n")
}

// plainText is shown without quotes.
type plainText string

// excerpts returns what is worth showing of two texts that differ: where they begin to,
// with a little of what comes before.
func excerpts(a, b string) (string, string) {
	const before = 20
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	if max(len(a), len(b)) <= maxShown || n <= before {
		return shorten(a), shorten(b)
	}
	n -= before
	for n > 0 && !utf8.RuneStart(a[n]) {
		n--
	}
	return "..." + shorten(a[n:]), "..." + shorten(b[n:])
}

// maxShown is how much of a text a difference shows, in bytes.
const maxShown = 100

// shorten returns the beginning of text, if it is long.
func shorten(text string) string {
	if len(text) <= maxShown {
		return text
	}
	n := maxShown
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "..."
}
