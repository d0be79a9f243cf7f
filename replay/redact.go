package replay

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Redacted is what stands in a reel in place of a credential in a URL, in a header or
// in the cause of an end. In a body, which keeps its size, each byte of a credential is
// an asterisk instead. Credentials are recognised by name only. X-Api-Key, api_key, apiKey
// and apikey are the same name:
//
//   - In URLs and headers, what is called Authorization, Cookie, X-Api-Key, signature, token,
//     key, auth and the like: headers, parameters, in quotes or not, and members of JSON as in
//     the body of a request. A parameter goes whole where it is percent-encoded, up to four
//     times, and has one in it. The same of Upload-Metadata, where values are base64, and of
//     Sec-WebSocket-Protocol, after such a name. The user and password of a URL.
//   - In the body of a request, what has such a name: fields of forms of both kinds, members of
//     JSON that are strings or, unless the name is a plural, lists of them, parameters of URLs.
//     It may be JSON in a string in JSON, or in a field, such as auth.key in the params of an
//     Assembly. Besides, a pin, and strings like "Authorization: Bearer abc".
//   - In the body of a response, an event stream or not, less, because it is what the reel is
//     for. Of JSON, and of JSON in a string, members that are strings: authorization, which may
//     be a list; what ends in key, token, secret or password, in an object called auth,
//     authorization or credentials; names that end like access_token, refresh_token, api_key,
//     secret_key, client_secret or password, where the value has 16 characters or more and no
//     space, or is a key in PEM; and token, where the value has 16 characters or more, and both
//     letters and digits. Parameters of URLs and forms as above, and Policy.
//   - In any body, the password of a URL, and the user where it is as long as a token is: 20
//     bytes or more.
//
// Words of a language model stay, as do token counts, signature as a member, and a key or a
// token that is a word. These are not found:
//
//   - what is in the path of a URL, other than a parameter like ;jsessionid=abc;
//   - what is in XML, YAML, GraphQL, fields of HTML or prose, or under another name, such as
//     the code of OAuth as a member of JSON, or a value beside its name:
//     {"name":"Authorization","value":"Bearer abc"};
//   - members that are numbers or objects;
//   - in a response, a key more than 1 KiB after the beginning of its auth object;
//   - what is base64, other than in Upload-Metadata, and JSON that is percent-encoded twice in
//     a body;
//   - images, audio, video and fonts;
//   - bodies with a Content-Encoding that the program undoes by itself: those of requests are
//     not recorded, those of responses as they are, after a comment that says so.
//
// A body is masked read by read, as it comes. A read that ends within a credential shows what
// may be something else so far:
//
//   - Of the password of a URL, the digits that it begins with, five at most, and marks like a
//     full stop after them: a port.
//   - Of a user of a URL that is a token, 19 bytes at most, and more while it has no digit, or
//     neither an underscore nor letters of both cases: the name of a host. So a token of
//     small letters and digits shows, but for what is in the read that has the @.
//   - In a response, of a token that is a member of that name alone, 7 bytes at most, and more
//     while it has no digit, or no letter: a word of a language model. A word that is longer,
//     and has both, loses its bytes so far instead.
const Redacted = "REDACTED"

func redactHeader(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		name = http.CanonicalHeaderKey(name) // a program may have put another spelling in the map
		redact := redactValue
		switch {
		case isSecret(name):
			redact = func(string) string { return Redacted }
		case name == "Upload-Metadata":
			redact = redactMetadata
		case name == "Sec-Websocket-Protocol":
			redact = redactProtocols
		}
		redacted := make([]string, len(values))
		for i, value := range values {
			redacted[i] = redact(value)
		}
		out[name] = append(out[name], redacted...)
	}
	return out
}

// canonicalHeader returns h with its names as Get looks for them.
func canonicalHeader(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		out[name] = append(out[name], values...)
	}
	return out
}

// redactValue redacts a value of a header. It may be percent-encoded, or have what is where no
// parameter is.
func redactValue(value string) string {
	redacted := redactText(value)
	if strings.IndexByte(redacted, '%') >= 0 && hides(withoutStrayPercents(redacted), 0) {
		return Redacted
	}
	return redacted
}

// withoutStrayPercents returns text in which each percent sign that begins no escape, as in 50%%,
// is escaped.
func withoutStrayPercents(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteByte(text[i])
		if text[i] == '%' && (i+2 >= len(text) || unhex(text[i+1]) < 0 || unhex(text[i+2]) < 0) {
			b.WriteString("25")
		}
	}
	return b.String()
}

// redactProtocols redacts the protocols of a WebSocket. A browser can send no other header, so
// some servers take a credential as a part of a name, or as what follows one.
func redactProtocols(list string) string {
	protocols := strings.Split(list, ",")
	secret := false
	for i, protocol := range protocols {
		if secret {
			protocols[i] = " " + Redacted
			secret = false
			continue
		}
		for dot := 0; dot < len(protocol); dot++ {
			if protocol[dot] == '.' && isSecret(protocol[:dot]) {
				protocols[i] = protocol[:dot+1] + Redacted
				break
			}
		}
		secret = protocols[i] == protocol && isSecret(protocol)
	}
	return strings.Join(protocols, ",")
}

// redactMetadata redacts the metadata of a tus upload, a list of names with values in
// base64. What is redacted stays base64.
func redactMetadata(list string) string {
	entries := strings.Split(list, ",")
	for i, entry := range entries {
		entry = strings.TrimSpace(entry)
		space := strings.IndexAny(entry, " \t") + 1
		if isSecretField(strings.TrimSpace(entry[:space])) {
			entries[i] = entry[:space] + Redacted
			continue
		}
		plain, encoding := decodeBase64(strings.TrimSpace(entry[space:]))
		if encoding == nil {
			entries[i] = redactValue(entries[i])
		} else if strings.Contains(plain, `"auth"`) {
			entries[i] = entry[:space] + Redacted
		} else if redacted := redactValue(plain); redacted != plain {
			entries[i] = entry[:space] + encoding.EncodeToString([]byte(redacted))
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
	// net/http quotes what it cannot parse, which may be anything.
	for _, problem := range []string{
		"malformed MIME header", "malformed HTTP response", "malformed HTTP status code", "malformed HTTP version", "unsupported transfer encoding",
		"Content-Length", "trailer key", "invalid Trailer key", ", debug=",
	} {
		if before, _, ok := strings.Cut(redacted, problem); ok {
			redacted = before + problem
		}
	}
	if redacted == text {
		return err
	}
	return errors.New(redacted)
}

// In JSON, slashes may be escaped.
var userInfo = regexp.MustCompile(`(//|\\/\\/)[^/?#\s"'<>@]+@`)

// maxEscaped is how many times escaped a text may be that is looked into. What is escaped
// more often is taken for a credential: it would take too long to tell.
const maxEscaped = 4

// RedactText returns text with the credentials replaced by [Redacted] that a Recorder would find
// in a URL or in the value of a header: parameters, members of JSON, and the user of a URL. It is
// for what a program says of the requests that it records. A plain header line, such as
// Authorization: Bearer abc, is not found.
func RedactText(text string) string { return redactText(text) }

// redactText redacts what is called a credential in text: parameters, in URLs or not,
// members of JSON, and the user of a URL. A parameter goes whole that is escaped and a URL
// or JSON with a credential, or JSON with Transloadit's auth object.
func redactText(text string) string { return redactEscaped(text, 0) }

// redactEscaped is redactText for a text that was escaped so many times. Where there is a
// credential in it, its escapes like \u0026 do not stay.
func redactEscaped(text string, escaped int) string {
	plain := unescapeUnicode(text)
	if redacted := redactPlain(plain, escaped); redacted != plain {
		return redacted
	}
	return text
}

// redactPlain is redactEscaped for a text without such escapes.
func redactPlain(text string, escaped int) string {
	// First, for these may have in them all that ends a parameter.
	text = redactMembers(text)
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

// redactMembers redacts the members of JSON in text that are credentials in the body of a
// request.
func redactMembers(text string) string {
	if strings.IndexByte(text, '"') < 0 {
		return text
	}
	b := []byte(text)
	var out strings.Builder
	done := 0
	for colon := indexFrom(b, 0, ':'); colon >= 0; colon = indexFrom(b, max(colon+1, done), ':') {
		from, v := stringBehind(b, colon)
		if from <= 0 {
			slashes, ok := inHeaderLine(b[:colon])
			if !ok {
				continue
			}
			from, v = colon+1, value{kind: jsonString, slashes: slashes}
			for from < len(b) && b[from] == ' ' {
				from++
			}
		} else if name, _, ok := lastName(b[:colon]); !ok || !isSecretInput(string(name)) || v.list && isPlural(name) {
			continue
		}
		if to := from + stringEnd(b[from:], v); from < to {
			out.WriteString(text[done:from])
			out.WriteString(Redacted)
			done = to
		}
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// stringEnd returns where the JSON string v ends that begins text, or the last in its list. A
// quote that nothing of JSON follows does not end it: the text may be
// cut off, and the quote a parameter's.
func stringEnd(text []byte, v value) int {
	slashes, last := v.slashes, 0
	for i, c := range text {
		if _, end := v.step(c); !end {
			if c == '"' && v.gap {
				last = i
			}
			continue
		}
		if v.list && last > 0 {
			return last - min(slashes, last-len(trimSlashes(text[:last])))
		}
		if rest := text[i+1:]; c != '"' || len(rest) == 0 || rest[0] <= ' ' || strings.IndexByte(`,}]\`, rest[0]) >= 0 {
			return i - min(slashes, i-len(trimSlashes(text[:i])))
		}
	}
	return len(text)
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
	// Elsewhere than in JSON, what is escaped once more is the value of a parameter.
	return (!strings.Contains(plain, "=") || strings.Contains(plain, "%22")) && hides(plain, escaped+1) && !isPlain(plain)
}

// isPlain returns whether value is no escape of anything, but has percent signs, as the name
// of a file may.
func isPlain(value string) bool {
	_, err := url.QueryUnescape(value)
	return err != nil && !strings.Contains(value, "%22") && !strings.Contains(strings.ToLower(value), "%3d")
}

// innocent are words that end like the name of a key.
var innocent = []string{"monkey", "turkey", "donkey", "hockey", "jockey", "whiskey", "mickey", "hickey", "lackey", "turnkey", "hotkey"}

// endsSecret returns whether joined, a name in small letters alone, ends in a word for a
// credential that is run together with another.
func endsSecret(joined string) bool {
	endsIn := func(end string) bool { return strings.HasSuffix(strings.TrimSuffix(joined, "s"), end) }
	return slices.ContainsFunc([]string{"key", "auth", "pwd", "dbpas", "userpas"}, endsIn) && !slices.ContainsFunc(innocent, endsIn)
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
		// A capital begins a word behind a small letter, and in front of one: there are two in APIKey.
		if !upper && !lower || upper && ('a' <= before && before <= 'z' || i+1 < len(name) && 'a' <= name[i+1] && name[i+1] <= 'z') {
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
	return secretWords[string(word)] || secretNames[string(joined)] || endsSecret(string(joined))
}
