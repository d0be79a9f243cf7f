package replay

import (
	"bytes"
	"math/bits"
	"mime"
	"net/http"
	"net/url"
	"slices"
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
	m := &masker{request: request, form: mediaType == "application/x-www-form-urlencoded", parts: kind == "multipart", marker: "--"}
	if mediaType == "multipart/form-data" { // in which there is no other multipart, with a boundary of its own
		m.marker += params["boundary"]
	}
	return m
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
	m.findParameters(i, i, i)
}

// findParameters looks for signs of equality from buf[equals] on, for percent signs from
// buf[percent] on, and for escapes of JSON from buf[escape] on.
func (m *masker) findParameters(equals, percent, escape int) {
	b := m.buf
	equals, percent, escape = indexFrom(b, equals, '='), indexFrom(b, percent, '%'), indexEscape(b, escape)
	for {
		switch first := min(uint(equals), uint(percent), uint(escape)); first { // -1 is the largest
		case ^uint(0):
			return
		case uint(equals):
			if b[equals] == '=' {
				m.parameter(equals, 1)
			}
			equals = indexFrom(b, equals+1, '=')
		case uint(percent):
			if b[percent] == '%' {
				m.percent(percent)
			}
			percent = indexFrom(b, percent+1, '%')
		default:
			if b[escape] == '\\' {
				m.escape(escape)
			}
			escape = indexEscape(b, escape+1)
		}
	}
}

// percent looks at the percent sign at buf[i].
func (m *masker) percent(i int) {
	b := m.buf
	c, next := percentAt(b, i)
	size := next - i
	switch {
	case next == 0:
		m.wait(i)
	case c == ':':
		m.userInfo(i, size)
		if size == len("%3A") {
			m.escapedMember(i, size)
		}
	case c == '=':
		m.escapedParameter(i, size)
	case c == '\\':
		const equals = "u003d"
		rest := b[next:min(len(b), next+len(equals))]
		switch {
		case !strings.EqualFold(string(rest), equals[:len(rest)]):
		case len(rest) < len(equals):
			m.wait(i)
		default:
			m.escapedParameter(i, size+len(equals))
		}
	}
}

// escape looks at the backslash at buf[i].
func (m *masker) escape(i int) {
	const size, zeros = len(`\u0022`), `\u00`
	b := m.buf
	rest := b[i:min(len(b), i+size)]
	switch {
	case len(rest) > 1 && rest[1] != 'u', !bytes.HasPrefix(rest, []byte(zeros)[:min(len(rest), len(zeros))]):
	case len(rest) < size:
		m.wait(i)
	case rest[4] == '3' && rest[5]|0x20 == 'd':
		first := len(trimSlashes(b[:i]))
		m.parameter(first, i+size-first)
	case !m.request:
		m.escapedName(i)
	}
}

// percentAt returns the byte that is escaped at b[i], the percent sign, and where the next
// begins, 0 where there is too little of it. What is escaped more than once counts as its
// first byte does.
func percentAt(b []byte, i int) (c byte, next int) {
	i++
	for range maxEscaped {
		if i+2 > len(b) {
			return 0, 0
		}
		high, low := unhex(b[i]), unhex(b[i+1])
		if high < 0 || low < 0 {
			return '%', i
		}
		if c, i = byte(high<<4|low), i+2; c != '%' {
			break
		}
	}
	return c, i
}

// plainAt returns the byte at b[i], which is escaped perhaps, and where the next begins, 0
// where there is too little of it.
func plainAt(b []byte, i int, escaped bool) (c byte, next int) {
	if i < len(b) && (b[i] != '%' || !escaped) {
		return b[i], i + 1
	}
	return percentAt(b, i)
}

// escapedName looks at the member of a response whose name has the escape of JSON at buf[i],
// or ends in it: its last letters do not tell what it is.
func (m *masker) escapedName(i int) {
	for j := i; ; j++ {
		switch {
		case j >= len(m.buf)-2:
			m.wait(i)
			return
		case m.buf[j] == ':':
			m.member(j)
			if m.next <= j {
				m.wait(i)
			}
			return
		case j > i+maxName, !inName[m.buf[j]] && strings.IndexByte(jsonSpace+`\"`, m.buf[j]) < 0:
			return
		}
	}
}

// colon looks at the colon at buf[i].
func (m *masker) colon(i int) {
	b := m.buf
	if i < 2 {
		return
	}
	if m.request && isAlpha(b[i-1]) {
		m.headerLine(i)
	}
	switch {
	case i+2 >= len(b):
		m.wait(i)
	case b[i+1] == '/', b[i+1] == '\\' && b[i+2] == '/':
		m.userInfo(i, 1)
	case b[i+1] == '%':
		if m.request {
			m.escapedMember(i, 1)
		}
	case b[i+1] != '"' && b[i+1] != '\\' && b[i+1] != '[' && (b[i+1] > ' ' || b[i+2] >= '0' && b[i+2] != '\\' && b[i+2] != '['): // no string
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

// indexEscape returns where in b, from i on, a backslash is that a u follows, or nothing.
func indexEscape(b []byte, i int) int {
	for i = indexFrom(b, i, '\\'); i >= 0 && i+1 < len(b) && b[i+1] != 'u'; {
		i = indexFrom(b, i+1, '\\')
	}
	return i
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
	i, v := stringBehind(b, colon)
	if i == 0 {
		m.wait(colon)
	}
	if i <= 0 {
		return
	}
	name, front, ok := lastName(b[:colon])
	if !ok {
		return
	}
	if m.request {
		if isSecretInput(string(name)) && !(v.list && isPlural(name)) {
			m.hide(i, v)
		}
		return
	}
	secret, whole := isSecretMember(name, front, b[i:], v, m.token == i)
	if secret {
		m.hide(i, v)
	}
	if !whole {
		m.open = value{} // what comes next tells whether it goes on
		m.wait(colon)
		if secret {
			m.token = i
		}
	}
}

// isPlural returns whether a list that is called name is of several things, such as tokens to
// look for, rather than the values of one header.
func isPlural(name []byte) bool { return bytes.HasSuffix(name, []byte("s")) }

// headerLine looks at the header whose colon is buf[i], where a string is a whole line of it.
func (m *masker) headerLine(i int) {
	slashes, ok := inHeaderLine(m.buf[:i])
	if !ok {
		return
	}
	for k := i + 1; k < len(m.buf); k++ {
		if m.buf[k] != ' ' {
			m.hide(k, value{kind: jsonString, slashes: slashes})
			return
		}
	}
	m.wait(i)
}

// inHeaderLine returns whether b ends in the name of a header that is a credential, which
// begins a string, and how many backslashes are in front of the quote. A name that may be a
// word of prose is none.
func inHeaderLine(b []byte) (slashes int, ok bool) {
	start := len(b)
	for start > 0 && len(b)-start < maxName && (isAlpha(b[start-1]) || b[start-1] == '-') {
		start--
	}
	if start == 0 || b[start-1] != '"' {
		return 0, false
	}
	switch name := string(b[start:]); {
	case strings.EqualFold(name, "authorization"), strings.EqualFold(name, "cookie"), strings.Contains(name, "-") && isSecret(name):
		return start - 1 - len(trimSlashes(b[:start-1])), true
	}
	return 0, false
}

// stringBehind returns where the text begins of the string that is the value behind the colon
// b[colon], or the first in a list that is, and how it ends: -1 where it is none, 0 where that
// cannot be told yet.
func stringBehind(b []byte, colon int) (int, value) {
	v := value{kind: jsonString}
	i := colon + 1
	for ; i < len(b) && (strings.IndexByte(jsonSpace, b[i]) >= 0 || b[i] == '[' && !v.list); i++ {
		v.list = v.list || b[i] == '['
	}
	for ; i < len(b) && b[i] == '\\'; i++ {
		v.slashes++
	}
	if i == len(b) {
		return 0, v
	}
	if b[i] == '"' {
		return i + 1, v
	}
	if rest := b[i:min(len(b), i+len(escapedQuote))]; v.slashes > 0 && escapedQuote[:len(rest)] == string(rest) {
		if len(rest) < len(escapedQuote) {
			return 0, v
		}
		v.unicode = true
		return i + len(rest), v
	}
	return -1, v
}

// escapedQuote is how some encoders write a quote, behind a backslash.
const escapedQuote = "u0022"

// isSecretField returns whether the field or member of a request that is called name is a
// credential. A Step's credentials are not: they are the name of some that are elsewhere.
func isSecretField(name string) bool { return name != "credentials" && isSecret(name) }

// isSecretInput is isSecretField for the body of a request. A pin is one that somebody types in;
// in a URL, it may be on a map.
func isSecretInput(name string) bool { return isSecretField(name) || strings.EqualFold(name, "pin") }

// lastName returns the quoted name that ends b, and what stands in front of it.
func lastName(b []byte) (name, front []byte, ok bool) {
	b = bytes.TrimRight(b, jsonSpace)
	quote := `"`
	if bytes.HasSuffix(b, []byte(`\`+escapedQuote)) {
		quote = escapedQuote
	} else if len(b) == 0 || b[len(b)-1] != '"' {
		return nil, nil, false
	}
	b = trimSlashes(b[:len(b)-len(quote)])
	from := max(0, len(b)-maxName)
	n := bytes.LastIndex(b[from:], []byte(quote))
	if n < 0 {
		return nil, nil, false
	}
	name = b[from+n+len(quote):]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = []byte(unescapeUnicode(string(name)))
	}
	return name, trimSlashes(b[:from+n]), true
}

// unescapeUnicode returns text, JSON or a part of it, without those of its escapes like \u0026
// that are for printable ASCII. A quote has backslashes instead, as many as mean the same.
func unescapeUnicode(text string) string {
	if !strings.Contains(text, `\u00`) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		slashes := 0
		for i+slashes < len(text) && text[i+slashes] == '\\' {
			slashes++
		}
		if slashes == 0 {
			out.WriteByte(text[i])
			i++
			continue
		}
		i += slashes
		c, size := -1, len("u0026")
		if i+size <= len(text) && text[i:i+3] == "u00" && unhex(text[i+4]) >= 0 {
			c = unhex(text[i+3])<<4 | unhex(text[i+4])
		}
		switch {
		case c < ' ' || c > '~':
			size = 0
		case c == '"' || c == '\\':
			slashes = 2*slashes - 1
		default:
			slashes = 0
		}
		out.WriteString(strings.Repeat(`\`, slashes))
		if i += size; size > 0 {
			out.WriteByte(byte(c))
		}
	}
	return out.String()
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
	case end == "authorization":
		return true, true
	case v.list:
		return false, true
	case isSecretObject(front, v):
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

// isSecretObject returns whether the innermost object that is open at the end of b, and has
// the string v as a member, is called auth, or alike.
func isSecretObject(b []byte, v value) bool {
	inString := false
	for i, closed := len(b)-1, 0; i >= max(0, len(b)-maxContext); i-- {
		switch b[i] {
		case '"':
			switch run := i - len(trimSlashes(b[:i])); {
			case v.unicode:
			case run < v.slashes:
				return false
			case run%(2*v.slashes+2) == v.slashes:
				inString = !inString
			}
		case '}', ']':
			if !inString {
				closed++
			}
		case '{', '[':
			if inString {
				continue
			}
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
		if url, whole := beginsURL(text); url || !whole {
			return false, url // of which a parameter may be one
		}
	}
	digits, letters := 0, 0
	if masked {
		digits, letters = 1, 1
	}
	for i, c := range text {
		if _, ended := v.step(c); ended {
			if v.unicode {
				i -= len(escapedQuote) - 1
			}
			return i >= least && (named || digits > 0 && letters > 0), true
		}
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == 'u' && !named && i > 0 && text[i-1] == '\\' && !(v.unicode && strings.HasPrefix(escapedQuote, string(text[i:min(len(text), i+len(escapedQuote))]))):
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

// beginsURL returns whether text begins like a URL, its slashes escaped or not, and whether all of
// that is there.
func beginsURL(text []byte) (url, whole bool) {
	rest := "https://"
	for _, c := range text {
		switch {
		case c == '\\':
			continue
		case rest == "s://" && c == ':':
			rest = "//"
		case c != rest[0]:
			return false, true
		default:
			rest = rest[1:]
		}
		if rest == "" {
			return true, true
		}
	}
	return false, false
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

// userInfo looks at the URL whose scheme ends in front of the colon at buf[i], which takes size
// bytes, more than one where it is percent-encoded, and the URL with it. Where it has a
// password, it is masked. A user stays, unless it is as long as only a token is.
func (m *masker) userInfo(i, size int) {
	b := m.buf
	scheme, escaped := i, size > 1
	if i == 0 || !isAlpha(b[i-1]) {
		return
	}
	i += size
	for range len("//") {
		c, next := plainAt(b, i, escaped)
		if c == '\\' && next > 0 {
			c, next = plainAt(b, next, escaped)
		}
		if next == 0 {
			m.wait(scheme)
		}
		if next == 0 || c != '/' {
			return
		}
		i = next
	}
	v := value{kind: password, escaped: escaped}
	colon, behind := -1, -1
	for j := i; ; {
		for !escaped && j < len(b) && inUserInfo[b[j]] && b[j] != ':' {
			j++
		}
		c, next := plainAt(b, j, escaped)
		if next == 0 {
			m.wait(scheme)
			switch {
			case colon < 0:
				if !mayBeHost(b[i:j]) {
					m.hide(i, v)
				}
			case !mayBeHost(b[i:colon]):
				m.hide(i, v)
			case !mayBePort(b[behind:j]):
				m.hide(behind, v)
			}
			return
		}
		switch {
		case c == '@':
			switch {
			case colon < 0 && j-i >= longUser, colon-i >= longUser:
				m.hide(i, v)
			case colon >= 0:
				m.hide(behind, v)
			}
			return
		case c == ':' && colon < 0:
			colon, behind = j, next
		case c < '0' || c > '9':
			if !inUserInfo[c] || c == ':' && behind == j || escaped && b[j] == '&' {
				return
			}
		}
		j = next
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

// parameter looks at the parameter, of a URL or a form, whose name ends in front of the sign of
// equality at buf[i], or at the header of a part of a form. The sign takes size bytes, more
// than one where it is an escape of JSON.
func (m *masker) parameter(i, size int) {
	b := m.buf
	start := i
	for start > 0 && i-start < maxName && inName[b[start-1]] {
		start--
	}
	name := b[start:i]
	if i+size == len(b) {
		m.wait(i)
		return
	}
	if m.request && size == 1 && strings.EqualFold(string(name), "name") && (b[i+1] == '"' || inDisposition(b[:start])) {
		m.part(i)
		return
	}
	kind := urlValue
	switch {
	case start == 0:
		if !m.form && (!m.request || m.parts) {
			return
		}
		m.form = m.form || size == 1 && len(name) > 0 // whatever its type
		kind = formValue                              // the first: further back in a body there is always some context
	case b[start-1] == '&' && m.form:
		kind = formValue
	case b[start-1] == '?', b[start-1] == '&', b[start-1] == '#':
	case b[start-1] == ';' && (bytes.HasSuffix(b[:start], []byte("&amp;")) || m.form || inURL(b[:start], "://", `:\/\/`)):
	case b[start-1] == '\\' && (bytes.HasPrefix(name, []byte("u0026")) || bytes.HasPrefix(name, []byte("u003f")) || bytes.HasPrefix(name, []byte("u0023"))):
		name = name[len("u0026"):]
	default:
		return
	}
	if len(name) == 0 || !m.isSecretParameter(string(name)) {
		return
	}
	// An expression of a program may look alike, but it has no path in front.
	if kind == urlValue && (b[i+size] == '=' || !m.request && !inURL(b[:start], "/")) {
		return
	}
	m.hide(i+size, value{kind: kind})
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

// inURL returns whether b ends in what may be a URL: there is one of these marks, such as a
// slash, in its last word.
func inURL(b []byte, marks ...string) bool {
	from := max(0, len(b)-maxContext)
	word := b[from:]
	if n := bytes.LastIndexAny(word, " \t\r\n\"'<>()"); n >= 0 {
		word, from = word[n+1:], -1
	}
	return from > 0 || slices.ContainsFunc(marks, func(mark string) bool { return bytes.Contains(word, []byte(mark)) })
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
	if err != nil {
		return
	}
	name, front, ok := lastName([]byte(plain))
	if !ok {
		m.escapedHeaderLine(i, size, []byte(plain))
		return
	}
	colon := i
	i += size
	slashes, list := 0, false
	for {
		switch rest := b[i:]; {
		case bytes.HasPrefix(rest, []byte("+")), bytes.HasPrefix(rest, []byte(" ")):
			i++
		case len(rest) >= 3 && jsonSpaces[strings.ToUpper(string(rest[:3]))]:
			i += 3
		case len(rest) >= 3 && rest[0] == '%' && rest[1] == '5' && rest[2]|0x20 == 'b' && !list:
			list = true
			i += 3
		case len(rest) >= 3 && rest[0] == '%' && rest[1] == '5' && rest[2]|0x20 == 'c':
			slashes++
			i += 3
		case len(rest) < 3, slashes > 0 && len(rest) < len(escapedQuote) && escapedQuote[:len(rest)] == string(rest):
			m.wait(colon)
			return
		default:
			v := value{kind: jsonString, slashes: slashes, escaped: true, list: list}
			if slashes > 0 && bytes.HasPrefix(rest, []byte(escapedQuote)) {
				v.unicode = true
				i += len(escapedQuote)
			} else if bytes.HasPrefix(rest, []byte("%22")) {
				i += len("%22")
			} else {
				return
			}
			if m.request && isSecretInput(string(name)) && !(list && isPlural(name)) || isSecretField(string(name)) && isSecretObject(front, v) {
				m.hide(i, v)
			}
			return
		}
	}
}

// escapedHeaderLine is headerLine where the colon is percent-encoded, at buf[i]. Plain is what
// is before it, without escapes.
func (m *masker) escapedHeaderLine(i, size int, plain []byte) {
	slashes, ok := inHeaderLine(plain)
	if !m.request || !ok {
		return
	}
	for k := i + size; k < len(m.buf); k++ {
		switch rest := m.buf[k:]; {
		case rest[0] == '+', rest[0] == ' ':
		case bytes.HasPrefix(rest, []byte("%20")):
			k += 2
		case rest[0] == '%' && len(rest) < 3:
			m.wait(i)
			return
		default:
			m.hide(k, value{kind: jsonString, slashes: slashes, escaped: true})
			return
		}
	}
	m.wait(i)
}

// jsonSpaces are the bytes of jsonSpace, percent-encoded.
var jsonSpaces = map[string]bool{"%20": true, "%09": true, "%0D": true, "%0A": true}

// escapedParameter looks at the parameter whose sign of equality is at buf[i], and takes size
// bytes: %3D, or what is escaped once more or is of JSON, %253D or %5Cu003d. It is of a URL in a
// parameter.
func (m *masker) escapedParameter(i, size int) {
	b := m.buf
	start := i
	for start > 0 && i-start < maxName && inName[b[start-1]] && b[start-1] != '%' {
		start--
	}
	if start == 0 || b[start-1] != '%' {
		return
	}
	// The last escape of what is in front has its digits in the name.
	name := string(b[start:i])
	for strings.HasPrefix(name, "25") {
		name = name[len("25"):]
	}
	for _, mark := range []string{"5cu0026", "5cu003f", "5cu0023", "3f", "26", "23", "3b"} {
		if len(name) > len(mark) && strings.EqualFold(name[:len(mark)], mark) {
			if m.isSecretParameter(name[len(mark):]) {
				m.hide(i+size, value{kind: urlValue, escaped: true})
			}
			return
		}
	}
}

// value is how a secret value goes on: what tells its end, and where in an escape the
// byte is that comes next.
type value struct {
	kind    valueKind
	slashes int  // in front of the quote that ends a jsonString: 1 in a string in a string
	unicode bool // that quote is a \u0022
	escaped bool // with %22 for the quote
	list    bool // other strings may follow, up to a bracket
	gap     bool // they are to come

	run    int  // of backslashes that came last
	digits int  // of \u that are to come
	code   int  // what those are that have come
	before int  // backslashes in front of it
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
		case v.digits > 0:
			return v.stepUnicode(c)
		case c == '\\':
			v.run++
			return c, false
		case v.run > 0: // \/ is a slash, and \u0026 any; \" and all others end it
			v.run = 0
			if c == 'u' {
				v.digits, v.code = 4, 0
			}
			return c, c != 'u' && c != '/'
		case c <= ' ' || strings.IndexByte(endsURL, c) >= 0:
			return c, true
		case strings.IndexByte(",;)]}", c) >= 0:
			return c, false // what is around the URL, or a part of it
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

// endsURL has the bytes that end a parameter of a URL.
const endsURL = " &\"'<>#`"

// stepUnicode takes the next digit of a \u0026 in a parameter of a URL. What does not end it
// becomes \u002A, or \u003A.
func (v *value) stepUnicode(c byte) (out byte, end bool) {
	digit := unhex(c)
	if digit < 0 {
		return c, true
	}
	v.digits--
	v.code = v.code<<4 | digit
	switch {
	case v.digits >= 2:
		return '0', false
	case v.digits == 1 && c == '3':
		return '3', false
	case v.digits == 1:
		return '2', false
	case v.code < 0x40 && strings.IndexByte(endsURL, byte(v.code)) >= 0:
		return c, true
	}
	return 'A', false
}

// stepJSON takes the next byte of a JSON string, c, which is written as raw. Its
// escapes stay, or it would not be JSON any more.
func (v *value) stepJSON(c, raw, mask byte) (out byte, end bool) {
	switch {
	case v.gap:
		v.gap = c != '"'
		return raw, v.gap && strings.IndexByte(jsonSpace+`,\`, c) < 0
	case c == '\n' || c == '\r':
		return raw, true // no JSON string has them
	case c == '\\':
		v.run, v.digits = v.run+1, 0
		return raw, false
	case c == '"':
		run, slashes := v.run, v.slashes
		if v.run = 0; v.unicode {
			slashes = 2*slashes - 1 // that mean the same
		}
		v.gap = v.list && run >= slashes && run%(2*slashes+2) == slashes
		return raw, !v.gap && (run < slashes || run%(2*slashes+2) == slashes)
	case v.digits > 0 && unhex(c) >= 0:
		v.digits--
		v.code = v.code<<4 | unhex(c)
		switch {
		case v.unicode && v.digits == 1 && c == '2': // a quote perhaps
			return raw, false
		case v.unicode && v.digits == 0 && v.code == '"' && (v.before < v.slashes || v.before%(4*v.slashes) == v.slashes):
			return raw, true
		}
		return '0', false
	case v.run > 0 && strings.IndexByte("bfnrtu/", c) >= 0:
		if c == 'u' {
			v.digits, v.code, v.before = 4, 0, v.run
		}
		v.run = 0
		return raw, false
	}
	v.run, v.digits = 0, 0
	return mask, false
}

// stepEscaped takes the next byte of a value that is percent-encoded.
func (v *value) stepEscaped(c byte) (out byte, end bool) {
	if v.triple == 0 && c != '%' {
		if c == '&' || c <= ' ' || strings.IndexByte("\"'<>#", c) >= 0 || c == '\\' && v.kind != jsonString || v.kind == password && strings.IndexByte("@/?", c) >= 0 {
			return c, true
		}
		if v.kind == jsonString && v.gap && c == '+' {
			return c, false // a space
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
		if v.high = c; c == '5' || c == '2' || v.kind == password && (c == '3' || c == '4') {
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
	if v.kind == urlValue && strings.IndexByte("&\"#", plain) >= 0 || v.kind == password && strings.IndexByte("@/?#\"", plain) >= 0 {
		return c, true
	}
	return mask, false
}
