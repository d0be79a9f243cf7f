package replay

import (
	"bytes"
	"math/bits"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// masker takes the credentials out of a body, read by read, each in the moment when
// it comes. That needs no look ahead, for a credential stands behind its name: what a
// masker keeps of earlier reads is the text in front, and how the value ends that the
// last read stopped in. The comment of [Redacted] says what is a credential.
//
// Each byte of a credential becomes one other byte, so that sizes and the places
// where reads end stay as they are. What masks once stays so when it is masked again.
type masker struct {
	request bool
	form    bool   // the body is a list of name=value
	parts   bool   // it is a multipart one
	marker  string // that begins the line after a part: --, and the boundary where there is one

	buf  []byte // what came before, up to maxContext bytes of it, and the read
	open value  // what the last read ended in
	next int    // where in buf the first name is of which more has to come

	// Where in buf the string begins that the last read stopped in, and that is masked as far
	// as it is there: it has what a token has. 0 if there is none.
	token int
}

const (
	// maxContext is how far in front of a value its name may begin, in bytes, or
	// the object that it is in.
	maxContext = 1 << 10

	maxName = 64 // of a member or a parameter, in bytes

	jsonSpace = " \t\r\n" // RFC 8259, section 2
)

// newMasker returns a masker for the body of a request or response with this header,
// nil for one that holds no text.
func newMasker(h http.Header, request bool) *masker {
	mediaType, params, _ := mime.ParseMediaType(h.Get("Content-Type"))
	kind, _, _ := strings.Cut(mediaType, "/")
	switch kind {
	case "image", "audio", "video", "font":
		return nil
	}
	return &masker{request: request, form: mediaType == "application/x-www-form-urlencoded", parts: kind == "multipart", marker: "--" + params["boundary"]}
}

// mask returns p, which it leaves as it is, less what is secret. The result is valid
// until the next call.
func (m *masker) mask(p []byte) []byte {
	before := min(len(m.buf), maxContext)
	from := max(0, m.next-len(m.buf)+before)
	m.token = max(0, m.token-len(m.buf)+before)
	copy(m.buf, m.buf[len(m.buf)-before:])
	m.buf = append(m.buf[:before], p...)
	m.next = len(m.buf)
	if m.open.kind != 0 {
		open := m.open
		m.open = value{}
		m.hide(before, open)
	}
	m.find(from)
	masked := m.buf[before:]
	if cap(m.buf) > 4*maxText {
		front := len(m.buf) - min(len(m.buf), maxContext)
		m.buf, m.next, m.token = bytes.Clone(m.buf[front:]), max(0, m.next-front), max(0, m.token-front)
	}
	return masked
}

// hide masks the value that begins, or goes on, at buf[i].
func (m *masker) hide(i int, v value) {
	for ; i < len(m.buf); i++ {
		out, end := v.step(m.buf[i])
		m.buf[i] = out
		if end {
			return
		}
	}
	m.open = v
}

// findGeneric looks, from buf[i] on, for the three bytes, rare enough to be found at
// little cost, that stand between names and values: colons, signs of equality, and last
// percent signs. What one hides is hidden before the next is looked at.
func (m *masker) findGeneric(i int) {
	for at := i; at < len(m.buf); at += 8 {
		var word uint64
		if at+8 <= len(m.buf) {
			word = le.Uint64(m.buf[at:])
		} else {
			var end [8]byte
			copy(end[:], m.buf[at:])
			word = le.Uint64(end[:])
		}
		word ^= ':' * ones
		for found := (word - ones) &^ word & high; found != 0; found &= found - 1 {
			j := at + bits.TrailingZeros64(found)/8
			if j < len(m.buf) && m.buf[j] == ':' { // not after a borrow, for one
				m.colon(j)
			}
		}
	}
	m.findParameters(i, i)
}

// findParameters looks for signs of equality from buf[equals] on, and for percent signs
// from buf[percent] on.
func (m *masker) findParameters(equals, percent int) {
	b := m.buf
	for j := indexFrom(b, equals, '='); j >= 0; j = indexFrom(b, j+1, '=') {
		m.parameter(j)
	}
	for j := indexFrom(b, percent, '%'); j >= 0; j = indexFrom(b, j+1, '%') {
		switch {
		case j+3 >= len(b):
			m.wait(j)
		case b[j+1] != '3':
		case b[j+2]|0x20 == 'a':
			m.escapedMember(j, len("%3A"))
		case b[j+2]|0x20 == 'd':
			m.escapedParameter(j)
		}
	}
}

// colon looks at the colon at buf[i].
func (m *masker) colon(i int) {
	b := m.buf
	switch {
	case i < 2:
	case i+2 >= len(b):
		m.wait(i)
	case b[i+1] == '/', b[i+1] == '\\' && b[i+2] == '/':
		m.userInfo(i)
	case b[i+1] == '%':
		if m.request {
			m.escapedMember(i, 1)
		}
	case b[i+1] != '"' && b[i+1] != '\\' && (b[i+1] > ' ' || b[i+2] >= '0' && b[i+2] != '\\'): // no string
	case m.request, b[i-1] <= ' ', b[i-1] == '"' && i > 2 && maySecretEnd(b[i-3], b[i-2]):
		m.member(i)
	}
}

// wait has find look at buf[i] again when there is more.
func (m *masker) wait(i int) { m.next = min(m.next, i) }

func indexFrom(b []byte, i int, c byte) int {
	if i >= len(b) {
		return -1
	}
	n := bytes.IndexByte(b[i:], c)
	if n < 0 {
		return n
	}
	return i + n
}

// maySecretEnd returns whether c and d may end the name of a member of a response that
// is a credential. Few others end so.
func maySecretEnd(c, d byte) bool {
	switch c |= 0x20; d {
	case '\\':
		return true
	case 'y', 'Y', 't', 'T':
		return c == 'e'
	case 'n', 'N':
		return c == 'e' || c == 'o'
	case 'd', 'D':
		return c == 'r' || c == 'w'
	}
	return false
}

// member looks at the member of a JSON object, or of one in a string in another, whose
// colon is buf[colon].
func (m *masker) member(colon int) {
	b := m.buf
	i, slashes := stringBehind(b, colon)
	if i == len(b) {
		m.wait(colon)
	}
	if i == len(b) || i < 0 {
		return
	}
	name, front, ok := lastName(b[:colon])
	if !ok {
		return
	}
	v := value{kind: jsonString, slashes: slashes}
	if m.request {
		if isSecretInput(string(name)) {
			m.hide(i+1, v)
		}
		return
	}
	secret, whole := isSecretMember(name, front, b[i+1:], v, m.token == i+1)
	if secret {
		m.hide(i+1, v)
	}
	if !whole {
		m.open = value{} // what comes next tells whether it goes on
		m.wait(colon)
		if secret {
			m.token = i + 1
		}
	}
}

// stringBehind returns where the string begins that is the value behind the colon b[colon],
// and how many backslashes are in front of its quote: -1 where it is none, len(b) where that
// cannot be told yet.
func stringBehind(b []byte, colon int) (quote, slashes int) {
	i := colon + 1
	for i < len(b) && strings.IndexByte(jsonSpace, b[i]) >= 0 {
		i++
	}
	for ; i < len(b) && b[i] == '\\'; i++ {
		slashes++
	}
	if i < len(b) && b[i] != '"' {
		return -1, slashes
	}
	return i, slashes
}

// isSecretField returns whether the field or member of a request that is called name is a
// credential. A Step's credentials are not: they are the name of some that are elsewhere.
func isSecretField(name string) bool { return name != "credentials" && isSecret(name) }

// isSecretInput is isSecretField for the body of a request. A pin is one that somebody types in;
// in a URL, it may be on a map.
func isSecretInput(name string) bool { return isSecretField(name) || strings.EqualFold(name, "pin") }

// lastName returns the quoted name that ends b, and what stands in front of it.
func lastName(b []byte) (name, front []byte, ok bool) {
	b = bytes.TrimRight(b, jsonSpace)
	if len(b) == 0 || b[len(b)-1] != '"' {
		return nil, nil, false
	}
	b = trimSlashes(b[:len(b)-1])
	from := max(0, len(b)-maxName)
	n := bytes.LastIndexByte(b[from:], '"')
	if n < 0 {
		return nil, nil, false
	}
	return b[from+n+1:], trimSlashes(b[:from+n]), true
}

func trimSlashes(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == '\\' {
		b = b[:len(b)-1]
	}
	return b
}

// isSecretMember returns whether the member of a response that is called name is a
// credential, as far as can be told from what is there: text begins with its value, v.
// What stands in front of it is front. It may be masked so far.
func isSecretMember(name, front, text []byte, v value, masked bool) (secret, whole bool) {
	var joined [maxName]byte // name without what stands between its words
	n := 0
	for _, c := range name {
		if isAlpha(c) && n < len(joined) {
			joined[n] = c | 0x20
			n++
		}
	}
	word := joined[:n]
	if !isSecretEnd(word) {
		return false, true
	}
	end := ""
	for _, e := range secretEnds {
		if bytes.HasSuffix(word, []byte(e)) {
			end = e
			break
		}
	}
	switch {
	case end == "authorization", isSecretObject(front):
		return true, true
	case end == "token" && string(word) == end:
		return looksSecret(text, v, false, masked)
	case end == "token", end == "key":
		return false, true
	}
	return looksSecret(text, v, true, masked)
}

// secretEnds end the names of those members of responses that may be credentials, the
// last two only in certain objects, and a token where it looks like one.
var secretEnds = []string{
	"accesstoken", "refreshtoken", "idtoken", "authtoken", "apitoken", "sessiontoken", "securitytoken", "bearertoken",
	"csrftoken", "xsrftoken", "apikey", "accesskey", "secretkey", "privatekey", "authkey", "secret", "password", "passwd",
	"authorization", "token", "key",
}

// isSecretEnd returns whether one of secretEnds ends word, without going through them: most
// names end in none.
func isSecretEnd(word []byte) bool {
	n := len(word)
	if n < len("key") {
		return false
	}
	switch string(word[n-3:]) {
	case "key":
		return true
	case "ken":
		return bytes.HasSuffix(word, []byte("token"))
	case "ret":
		return bytes.HasSuffix(word, []byte("secret"))
	case "ord":
		return bytes.HasSuffix(word, []byte("password"))
	case "swd":
		return bytes.HasSuffix(word, []byte("passwd"))
	case "ion":
		return bytes.HasSuffix(word, []byte("authorization"))
	}
	return false
}

// isSecretObject returns whether the innermost object that is open at the end of b is
// called auth, or alike.
func isSecretObject(b []byte) bool {
	for i, closed := len(b)-1, 0; i >= max(0, len(b)-maxContext); i-- {
		switch b[i] {
		case '}', ']':
			closed++
		case '{', '[':
			if closed--; closed >= 0 {
				continue
			}
			colon := bytes.TrimRight(b[:i], jsonSpace)
			if b[i] == '[' || len(colon) == 0 || colon[len(colon)-1] != ':' {
				return false
			}
			name, _, ok := lastName(colon[:len(colon)-1])
			switch strings.ToLower(string(name)) {
			case "auth", "authentication", "authorization", "credential", "credentials":
				return ok
			}
			return false
		}
	}
	return false
}

// looksSecret returns whether v, the JSON string that begins text, looks like a key rather
// than like words: long, and made of what keys are made of, or, where it is named, which is
// called like one, in PEM. Where too little is there to tell, what is named is taken for one
// so far, and what is not where it is longer than the words of a language model that have
// digits in them.
func looksSecret(text []byte, v value, named, masked bool) (secret, whole bool) {
	const least, leastSoFar = 16, 8
	if named {
		if pem, whole := isPEM(text); pem {
			return true, whole || len(text) > least
		}
	}
	digits, letters := 0, 0
	if masked {
		digits, letters = 1, 1
	}
	for i, c := range text {
		if _, ended := v.step(c); ended {
			return i >= least && (named || digits > 0 && letters > 0), true
		}
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == 'u' && !named && i > 0 && text[i-1] == '\\':
			return false, true // \u is for letters of words, none of which a key has
		case isAlpha(c):
			letters++
		case strings.IndexByte(`+/=_.~|:*\-`, c) < 0:
			return false, true
		}
	}
	secret = named || digits > 0 && letters > 0
	return secret && (named || len(text) >= leastSoFar), secret && len(text) > least
}

// isPEM returns whether text begins like PEM, such as -----BEGIN PRIVATE KEY----- (RFC 7468),
// and whether all of that is there. It may be masked so far.
func isPEM(text []byte) (pem, whole bool) {
	const begin = "-----BEGIN "
	for i, c := range text {
		switch {
		case c == '*':
		case i < len(begin):
			if c != begin[i] {
				return false, true
			}
		case c == '-':
			return true, true
		case c != ' ' && (c < 'A' || c > 'Z'):
			return false, true
		}
	}
	return true, false
}

// userInfo looks at the URL whose scheme ends in front of the colon at buf[i]: where
// it has a password, it is masked. A user stays, unless it is as long as only a token is.
func (m *masker) userInfo(i int) {
	b := m.buf
	scheme := i
	switch rest := b[i:]; {
	case !isAlpha(b[i-1]):
		return
	case bytes.HasPrefix(rest, []byte("://")):
		i += len("://")
	case bytes.HasPrefix(rest, []byte(`:\/\/`)):
		i += len(`:\/\/`)
	default:
		if len(rest) < len(`:\/\/`) {
			m.wait(scheme)
		}
		return
	}
	colon := -1
	for j := i; ; j++ {
		if j == len(b) {
			m.wait(scheme)
			switch {
			case colon < 0:
				if !mayBeHost(b[i:]) {
					m.hide(i, value{kind: password})
				}
			case !mayBeHost(b[i:colon]):
				m.hide(i, value{kind: password})
			case !mayBePort(b[colon+1:]):
				m.hide(colon+1, value{kind: password})
			}
			return
		}
		switch c := b[j]; {
		case c == '@':
			switch {
			case colon < 0 && j-i >= longUser, colon-i >= longUser:
				m.hide(i, value{kind: password})
			case colon >= 0:
				m.hide(colon+1, value{kind: password})
			}
			return
		case c == ':' && colon < 0:
			colon = j
		case c < '0' || c > '9':
			if !inUserInfo[c] || c == ':' && colon == j-1 {
				return
			}
		}
	}
}

// longUser is how long a user in a URL is that is taken for a token, in bytes.
const longUser = 20

// mayBeHost returns whether b, which begins a host or a user that is cut off, may be a host so
// far. A token is told by the length of what would be its first label, by digits, and by what
// names of hosts hardly have: an underscore, or letters of both cases.
func mayBeHost(b []byte) bool {
	if dot := bytes.IndexByte(b, '.'); dot >= 0 {
		b = b[:dot]
	}
	digit, underscore, upper, lower := false, false, false, false
	for _, c := range b {
		digit = digit || '0' <= c && c <= '9'
		underscore = underscore || c == '_'
		upper = upper || 'A' <= c && c <= 'Z'
		lower = lower || 'a' <= c && c <= 'z'
	}
	return len(b) < longUser || !digit || !underscore && !(upper && lower)
}

// mayBePort returns whether b, which begins a port or a password that is cut off, may be a
// port so far, at the end of a sentence perhaps, or in Markdown.
func mayBePort(b []byte) bool {
	b = bytes.TrimRight(b, ".,;!)*_")
	return len(b) <= len("65535") && len(bytes.TrimLeft(b, "0123456789")) == 0
}

// inUserInfo has the bytes that a user and a password in a URL are made of.
var inUserInfo = func() (t [256]bool) {
	for c := range t {
		t[c] = isAlpha(byte(c)) || '0' <= c && c <= '9' || c != 0 && strings.IndexByte("*-._~%!$&()+,;=:", byte(c)) >= 0
	}
	return t
}()

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// parameter looks at the parameter, of a URL or a form, whose name ends in front of
// buf[i], or at the header of a part of a form.
func (m *masker) parameter(i int) {
	b := m.buf
	start := i
	for start > 0 && i-start < maxName && inName[b[start-1]] {
		start--
	}
	name := b[start:i]
	if i+1 == len(b) {
		m.wait(i)
		return
	}
	if m.request && strings.EqualFold(string(name), "name") && (b[i+1] == '"' || inDisposition(b[:start])) {
		m.part(i)
		return
	}
	kind := urlValue
	switch {
	case start == 0:
		if !m.form && (!m.request || m.parts) {
			return
		}
		m.form = true    // whatever its type
		kind = formValue // the first: further back in a body there is always some context
	case b[start-1] == '&' && m.form:
		kind = formValue
	case b[start-1] == '?', b[start-1] == '&', b[start-1] == '#':
	case b[start-1] == ';' && bytes.HasSuffix(b[:start], []byte("&amp;")):
	case b[start-1] == '\\' && (bytes.HasPrefix(name, []byte("u0026")) || bytes.HasPrefix(name, []byte("u003f")) || bytes.HasPrefix(name, []byte("u0023"))):
		name = name[len("u0026"):]
	default:
		return
	}
	if len(name) == 0 || !m.isSecretParameter(string(name)) {
		return
	}
	// An expression of a program may look alike, but it has no path in front.
	if kind == urlValue && (b[i+1] == '=' || !m.request && !inURL(b[:start])) {
		return
	}
	m.hide(i+1, value{kind: kind})
}

// inName has the bytes that names of parameters are made of.
var inName = func() (t [256]bool) {
	for c := range t {
		t[c] = isAlpha(byte(c)) || '0' <= c && c <= '9' || c != 0 && strings.IndexByte("_-.%[]$~", byte(c)) >= 0
	}
	return t
}()

func (m *masker) isSecretParameter(name string) bool {
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	return isSecret(name) || strings.EqualFold(name, "policy") ||
		m.form && (name == "code" || m.request && strings.EqualFold(name, "pin"))
}

// inURL returns whether b ends in what may be a URL: there is a slash in its last word.
func inURL(b []byte) bool {
	from := max(0, len(b)-maxContext)
	word := b[from:]
	if n := bytes.LastIndexAny(word, " \t\r\n\"'<>()"); n >= 0 {
		word, from = word[n+1:], -1
	}
	return from > 0 || bytes.IndexByte(word, '/') >= 0
}

// part looks at the part of a form whose name is behind the sign of equality at buf[i].
func (m *masker) part(i int) {
	equals := i
	i++
	end := "; \t\r\n"
	if m.buf[i] == '"' {
		i++
		end = `"`
	}
	header := m.buf[i:min(len(m.buf), i+maxContext)]
	n := bytes.IndexAny(header, end)
	if n >= 0 && !isSecretInput(string(header[:n])) {
		return
	}
	if end := blankLineEnd(header, !m.parts || !inDisposition(m.buf[:equals])); end >= 0 && n >= 0 {
		m.hide(i+end, value{kind: partValue, marker: m.marker})
	} else if len(header) < maxContext {
		m.wait(equals)
	}
}

// blankLineEnd returns the index behind the first empty line of b, -1 if there is none.
// Some servers take lines that end in LF alone; elsewhere than in a part's header, as
// strict says, these may be a text of any kind: one about forms, say, of which nothing
// ends what would be masked.
func blankLineEnd(b []byte, strict bool) int {
	crlf := bytes.Index(b, []byte("\r\n\r\n"))
	if crlf >= 0 {
		crlf += len("\r\n\r\n")
	}
	if strict {
		return crlf
	}
	lf := bytes.Index(b, []byte("\n\n"))
	if lf < 0 || crlf >= 0 && crlf < lf {
		return crlf
	}
	return lf + len("\n\n")
}

// inDisposition returns whether b ends in a Content-Disposition, whose parameters need no
// quotes (RFC 7578, section 4.2).
func inDisposition(b []byte) bool {
	const name = "content-disposition:"
	b = b[max(0, len(b)-maxContext):]
	line := b[bytes.LastIndexByte(b, '\n')+1:]
	return len(line) >= len(name) && strings.EqualFold(string(line[:len(name)]), name)
}

// escapedMember looks at the member whose colon is at buf[i], of JSON in a parameter. The
// colon takes size bytes: %3A, or itself.
func (m *masker) escapedMember(i, size int) {
	b := m.buf
	from := max(0, i-maxContext)
	from += bytes.LastIndexAny(b[from:i], "=&\n") + 1
	if from < len(b) && i-from > 2 {
		// What is cut at its beginning, by maxContext, is no escape of its own.
		if n := bytes.IndexByte(b[from:min(i, from+3)], '%'); n > 0 && from == i-maxContext {
			from += n
		}
	}
	plain, err := url.QueryUnescape(string(b[from:i]))
	name, front, ok := lastName([]byte(plain))
	if err != nil || !ok {
		return
	}
	colon := i
	i += size
	slashes := 0
	for {
		switch rest := b[i:]; {
		case bytes.HasPrefix(rest, []byte("+")), bytes.HasPrefix(rest, []byte(" ")):
			i++
		case bytes.HasPrefix(rest, []byte("%20")):
			i += 3
		case len(rest) >= 3 && rest[0] == '%' && rest[1] == '5' && rest[2]|0x20 == 'c':
			slashes++
			i += 3
		case len(rest) < 3:
			m.wait(colon)
			return
		case bytes.HasPrefix(rest, []byte("%22")):
			if m.request && isSecretInput(string(name)) || isSecretField(string(name)) && isSecretObject(front) {
				m.hide(i+3, value{kind: jsonString, slashes: slashes, escaped: true})
			}
			return
		default:
			return
		}
	}
}

// escapedParameter looks at the parameter whose sign of equality is the %3D at buf[i],
// of a URL in a parameter.
func (m *masker) escapedParameter(i int) {
	b := m.buf
	start := i
	for start > 0 && i-start < maxName && inName[b[start-1]] && b[start-1] != '%' {
		start--
	}
	// The last escape of what is in front has its digits in the name.
	if start == 0 || i-start < 2 || b[start-1] != '%' {
		return
	}
	switch strings.ToLower(string(b[start : start+2])) {
	case "3f", "26", "23":
		if m.isSecretParameter(string(b[start+2 : i])) {
			m.hide(i+len("%3D"), value{kind: urlValue, escaped: true})
		}
	}
}

// value is how a secret value goes on: what tells its end, and where in an escape the
// byte is that comes next.
type value struct {
	kind    valueKind
	slashes int  // in front of the quote that ends a jsonString: 1 in a string in a string
	escaped bool // with %22 for the quote

	run    int  // of backslashes that came last
	digits int  // of \u that are to come
	triple int  // of the bytes of %XX that have come
	high   byte // X

	marker string // begins the line after a partValue
	line   int    // bytes of LF and the marker that have come
}

type valueKind byte

const (
	jsonString valueKind = iota + 1
	urlValue
	formValue
	partValue
	password
)

// step takes the next byte, and returns what to write in its place, and whether the
// value has ended with it.
func (v *value) step(c byte) (out byte, end bool) {
	const mask = '*'
	if v.escaped {
		return v.stepEscaped(c)
	}
	switch v.kind {
	case jsonString:
		return v.stepJSON(c, c, mask)
	case urlValue:
		switch {
		case v.run > 0: // \/ is a slash; \u0026, \" and all others end it
			v.run = 0
			return c, c != '/'
		case c == '\\':
			v.run = 1
			return c, false
		case c <= ' ' || strings.IndexByte("&\"'<>#,;)]}`", c) >= 0:
			return c, true
		}
	case formValue:
		if c == '&' || c == '\n' || c == '\r' {
			return c, true
		}
	case password:
		if c <= ' ' || strings.IndexByte("@/?#\"'<>\\", c) >= 0 {
			return c, true
		}
	case partValue:
		switch {
		case c == '\n':
			v.line = 1
			return c, false
		case v.line > 0 && c == v.marker[v.line-1]:
			v.line++
			return c, v.line > len(v.marker)
		case c == '\r':
			v.line = 0
			return c, false
		}
		v.line = 0
	}
	return mask, false
}

// stepJSON takes the next byte of a JSON string, c, which is written as raw. Its
// escapes stay, or it would not be JSON any more.
func (v *value) stepJSON(c, raw, mask byte) (out byte, end bool) {
	switch {
	case c == '\n' || c == '\r':
		return raw, true // no JSON string has them
	case c == '\\':
		v.run, v.digits = v.run+1, 0
		return raw, false
	case c == '"':
		run := v.run
		v.run = 0
		return raw, run < v.slashes || run%(2*v.slashes+2) == v.slashes
	case v.digits > 0 && unhex(c) >= 0:
		v.digits--
		return '0', false
	case v.run > 0 && strings.IndexByte("bfnrtu/", c) >= 0:
		if v.run = 0; c == 'u' {
			v.digits = 4
		}
		return raw, false
	}
	v.run, v.digits = 0, 0
	return mask, false
}

// stepEscaped takes the next byte of a value that is percent-encoded.
func (v *value) stepEscaped(c byte) (out byte, end bool) {
	if v.triple == 0 && c != '%' {
		if c == '&' || c <= ' ' || strings.IndexByte("\"'<>#", c) >= 0 {
			return c, true
		}
		if v.kind == jsonString {
			return v.stepJSON(c, c, '*')
		}
		return '*', false
	}
	switch v.triple++; v.triple {
	case 1:
		return c, false
	case 2:
		// What may become a quote, an ampersand or a backslash stays; all else becomes
		// %2A, or %5F.
		if v.high = c; c == '5' || c == '2' {
			return c, false
		}
		return '2', false
	}
	v.triple = 0
	mask := byte('A')
	if v.high == '5' {
		mask = 'F'
	}
	if unhex(v.high) < 0 || unhex(c) < 0 {
		v.run, v.digits = 0, 0 // as behind what becomes of it
		return mask, false
	}
	plain := byte(unhex(v.high)<<4 | unhex(c))
	if v.kind == jsonString && (v.high == '2' || v.high == '5') {
		return v.stepJSON(plain, c, mask)
	}
	v.run = 0
	if v.kind == urlValue && strings.IndexByte("&\"#", plain) >= 0 {
		return c, true
	}
	return mask, false
}
