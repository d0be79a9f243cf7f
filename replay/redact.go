package replay

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Redacted is what stands in a reel in place of a credential in a URL, in a header or
// in the cause of an end. In a body, which keeps its size, each byte of a credential is
// an asterisk instead. A credential is told by its name; nothing else is:
//
//   - The values of headers, and of parameters in URLs and in other headers, in quotes or
//     not, whose name says that they hold one: Authorization, Cookie, X-Api-Key, signature,
//     token, key, auth and the like. The same of Upload-Metadata, where values are base64.
//     The user and password of a URL.
//   - In the body of a request, what has such a name: fields of forms of both kinds,
//     members of JSON that are strings, parameters of URLs. It may be JSON in a string in
//     JSON, or in a field, such as auth.key in the params of an Assembly. Besides, a pin.
//   - In the body of a response, an event stream or not, less, because it is what the
//     reel is for. Of JSON, and of JSON in a string, members that are strings: authorization;
//     what ends in key, token, secret or password, in an object called auth, authorization or
//     credentials; names that end like access_token, refresh_token, api_key, secret_key,
//     client_secret or password, where the value has 16 characters or more and no space, or
//     is a key in PEM; and token, where it has letters and digits besides. Parameters of URLs
//     and forms as above, and Policy. The password of a URL, and the user where it is as long
//     as a token is.
//
// Words of a language model stay, as do token counts, signature as a member, and a key or
// a token that is a word. Nothing is found in paths of URLs, in XML, under other names, in
// images, audio, video and fonts, and in bodies with a Content-Encoding that the program
// undoes by itself: those of requests are not recorded, those of responses as they are,
// behind a comment that says so.
const Redacted = "REDACTED"

func redactHeader(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		redact := redactText
		switch {
		case isSecret(name):
			redact = func(string) string { return Redacted }
		case name == "Upload-Metadata":
			redact = redactMetadata
		}
		redacted := make([]string, len(values))
		for i, value := range values {
			redacted[i] = redact(value)
		}
		out[name] = redacted
	}
	return out
}

// redactMetadata redacts the metadata of a tus upload, a list of names with values in
// base64. What is redacted stays base64.
func redactMetadata(list string) string {
	entries := strings.Split(list, ",")
	for i, entry := range entries {
		space := strings.LastIndexByte(entry, ' ') + 1
		if isSecretField(strings.TrimSpace(entry[:space])) {
			entries[i] = entry[:space] + Redacted
			continue
		}
		value, err := base64.StdEncoding.DecodeString(entry[space:])
		if err != nil {
			entries[i] = redactText(entry)
			continue
		}
		plain := string(value)
		if strings.Contains(plain, `"auth"`) {
			entries[i] = entry[:space] + Redacted
		} else if redacted := redactText(plain); redacted != plain {
			entries[i] = entry[:space] + base64.StdEncoding.EncodeToString([]byte(redacted))
		}
	}
	return strings.Join(entries, ",")
}

// redactURL returns u as text. What is not redacted keeps its spelling.
func redactURL(u *url.URL) string {
	v := *u
	if v.User != nil {
		v.User = url.User(Redacted)
	}
	v.RawQuery = redactQuery(v.RawQuery)
	return redactText(v.String())
}

// redactQuery redacts the parameters of a raw query, in whose values a comma means
// nothing.
func redactQuery(query string) string {
	if query == "" {
		return ""
	}
	params := strings.Split(query, "&")
	for i, param := range params {
		params[i] = redactParameter(param)
	}
	return strings.Join(params, "&")
}

// redactError redacts the text of err.
func redactError(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	redacted := redactText(text)
	// net/http quotes a header that it cannot parse, which may be any.
	if before, _, ok := strings.Cut(redacted, "malformed MIME header"); ok {
		redacted = before + "malformed MIME header"
	}
	if redacted == text {
		return err
	}
	return errors.New(redacted)
}

var userInfo = regexp.MustCompile(`(//)[^/?#\s"'<>@]+@`)

// maxEscaped is how many times escaped a text may be that is looked into. What is escaped
// more often is taken for a credential: it would take too long to tell.
const maxEscaped = 4

// redactText redacts what is called a credential in text: parameters, in URLs or not,
// and the user of a URL. A parameter goes whole that is escaped and a URL with a
// credential, or JSON with Transloadit's auth object.
func redactText(text string) string { return redactEscaped(text, 0) }

// redactEscaped is redactText for a text that was escaped so many times.
func redactEscaped(text string, escaped int) string {
	if !strings.ContainsAny(text, "=@") {
		return text
	}
	text = userInfo.ReplaceAllString(text, "${1}"+Redacted+"@")
	s := parameters{text: text, escaped: escaped}
	var out strings.Builder
	done := 0
	for i := 0; ; i = max(i+1, done) {
		n := strings.IndexByte(text[i:], '=')
		if n < 0 {
			break
		}
		i += n
		if from, to := s.secret(i, done); to >= 0 {
			out.WriteString(text[done:from])
			out.WriteString(Redacted)
			done, s.quotes.at = to, to
		}
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// redactParameter redacts a parameter of a query, name=value.
func redactParameter(param string) string {
	name, value, ok := strings.Cut(param, "=")
	if ok && (isSecretParameter(name) || hides(value, 0)) {
		return name + "=" + Redacted
	}
	return param
}

func isSecretParameter(name string) bool {
	plain, err := url.QueryUnescape(name)
	return err != nil || isSecret(plain) || strings.EqualFold(plain, "code")
}

// hides returns whether there is a credential in value, a parameter's, that only shows when
// it is unescaped.
func hides(value string, escaped int) bool {
	plain, err := url.QueryUnescape(value)
	switch {
	case err != nil || strings.Contains(plain, `"auth"`):
		return true
	case plain == value:
		return false
	case escaped == maxEscaped, redactEscaped(plain, escaped+1) != plain:
		return true
	}
	return !strings.Contains(plain, "=") && hides(plain, escaped+1) && !isPlain(plain)
}

// isPlain returns whether value is no escape of anything, but has percent signs, as the name
// of a file may.
func isPlain(value string) bool {
	_, err := url.QueryUnescape(value)
	return err != nil && !strings.Contains(value, "%22") && !strings.Contains(strings.ToLower(value), "%3d")
}

// parameters finds the parameters of a text that are to be redacted. It takes time that is
// linear in the text.
type parameters struct {
	text    string
	escaped int
	quotes  quotes

	// Up to here no value of a parameter hides anything, where it is one of a URL, and
	// where it is another. A value may hold others, all of which end where it does.
	clean, cleanURL int
}

// secret returns where in text the value is, behind the sign of equality at text[equals],
// that is to be redacted; to is -1 for none. What is in front of text[done] is dealt with.
func (s *parameters) secret(equals, done int) (from, to int) {
	name := strings.TrimRight(s.text[done:equals], " \t") // which RFC 9110, section 11.2, allows
	spaced := done+len(name) < equals
	start := done + len(name)
	for start > done && strings.IndexByte("\"'<>?#&;,/=", s.text[start-1]) < 0 && s.text[start-1] > ' ' {
		start--
	}
	name = name[start-done:]
	isURL := start > 0 && strings.IndexByte("?&#", s.text[start-1]) >= 0
	from = equals + 1
	for !isURL && from < len(s.text) && (s.text[from] == ' ' || s.text[from] == '\t') {
		from, spaced = from+1, true
	}
	s.quotes.read(s.text, from)
	// An error may say "code = Unavailable".
	if isSecretParameter(name) && !(spaced && strings.EqualFold(name, "code")) {
		return from, s.end(from, isURL)
	}
	return s.hidden(from, isURL)
}

// hidden is secret for a value whose name tells nothing.
func (s *parameters) hidden(from int, isURL bool) (int, int) {
	isText := false
	for from < len(s.text) && strings.IndexByte("\\\"'", s.text[from]) >= 0 {
		from, isText = from+1, !isURL
	}
	if from < s.cleanURL || from < s.clean && !isURL {
		return 0, -1
	}
	s.quotes.read(s.text, from)
	to := s.plainEnd(from, isURL)
	if value := s.text[from:to]; hides(value, s.escaped) && !(isText && isPlain(value)) {
		if strings.ContainsAny(value, `?"`) {
			to = s.plainEnd(to, true) // a comma in a URL or in JSON does not end it
		}
		return from, to
	}
	if isURL {
		s.cleanURL = to
	} else {
		s.clean = to
	}
	return 0, -1
}

// end returns where the value ends that begins at text[from]. It may be in quotes, which
// may be escaped, as in a text that an error quotes.
func (s *parameters) end(from int, isURL bool) int {
	i := from
	for i < len(s.text) && s.text[i] == '\\' {
		i++
	}
	if i == len(s.text) || s.text[i] != '"' && s.text[i] != '\'' {
		return s.plainEnd(from, isURL)
	}
	quote, slashes := s.text[i], i-from
	// Where there is no value, as in "https://h/?token=": EOF, it closes what is around.
	if rest := s.text[i+1:]; slashes == 0 && s.quotes.open(quote) && (rest == "" || rest[0] <= ' ' || strings.IndexByte(":;,.)]}>", rest[0]) >= 0) {
		return from
	}
	run := 0 // of backslashes
	for i++; i < len(s.text); i++ {
		switch {
		case s.text[i] == '\\':
			run++
			continue
		case s.text[i] == quote && (run < slashes || run%(2*slashes+2) == slashes):
			return s.plainEnd(i+1, isURL) // which is at once, but for a quote in quotes
		}
		run = 0
	}
	return i
}

// plainEnd returns where a value ends of which text[i] is a part. In a URL it may have
// commas and semicolons. A quote ends it if it closes one that was opened in front.
func (s *parameters) plainEnd(i int, isURL bool) int {
	for ; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c <= ' ', c == '&', c == '#', s.quotes.open(c), !isURL && (c == ';' || c == ','):
			return i
		}
	}
	return i
}

// quotes knows which quotes are open in a text.
type quotes struct {
	at                    int // how far it has been read
	double, single, angle bool
}

func (q *quotes) read(text string, to int) {
	for ; q.at < to; q.at++ {
		switch text[q.at] {
		case '\\':
			q.at++ // and what it escapes
		case '"':
			q.double = !q.double
		case '\'':
			q.single = !q.single
		case '<':
			q.angle = true
		case '>':
			q.angle = false
		}
	}
}

// open returns whether c would close what is open.
func (q *quotes) open(c byte) bool {
	return c == '"' && q.double || c == '\'' && q.single || c == '>' && q.angle
}

// What the name of a credential says, as a word of its own, or run together with
// others, as net/http's spelling of headers has it.
var (
	secretWords = map[string]bool{
		"auth": true, "authentication": true, "bearer": true, "cookies": true, "credential": true,
		"credentials": true, "csrf": true, "dpop": true, "hmac": true, "jwt": true, "key": true,
		"keys": true, "otp": true, "pass": true, "passphrase": true, "passwd": true, "pwd": true,
		"session": true, "sid": true, "sig": true, "ticket": true, "tokens": true, "xsrf": true,
		"secrets": true, "oidc": true,
	}
	secretParts = []string{
		"accesskey", "accountkey", "apikey", "appkey", "authorization", "cookie", "masterkey", "passcode", "password",
		"secret", "sessid", "sessionid", "sessionkey", "sharedkey", "signature", "subscriptionkey", "token",
	}

	// Of OAuth and SAML. Names that have them as a part may be about anything.
	secretNames = map[string]bool{
		"assertion": true, "clientassertion": true, "codeverifier": true, "devicecode": true, "samlresponse": true,
	}
)

// isSecret returns whether what is called name is a credential. X-Api-Key, api_key
// and apiKey are the same to it.
func isSecret(name string) bool {
	word, joined := make([]byte, 0, 16), make([]byte, 0, len(name))
	var before byte
	for i := range len(name) {
		c := name[i]
		upper, lower := 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z'
		if !upper && !lower || upper && 'a' <= before && before <= 'z' {
			if secretWords[string(word)] {
				return true
			}
			word = word[:0]
		}
		before = c
		if upper {
			c += 'a' - 'A'
		}
		if upper || lower {
			word, joined = append(word, c), append(joined, c)
		}
	}
	for _, part := range secretParts {
		if strings.Contains(string(joined), part) {
			return true
		}
	}
	return secretWords[string(word)] || secretNames[string(joined)]
}
