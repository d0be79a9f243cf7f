package replay

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Redacted is what stands in a reel in place of a credential: the values of
// headers and of parameters, in URLs or elsewhere in headers, whose name says that
// they hold one (such as Authorization, Cookie, X-Api-Key, signature, token), and the
// user and password of a URL.
const Redacted = "REDACTED"

func redactHeader(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		redact := redactText
		if isSecret(name) {
			redact = func(string) string { return Redacted }
		}
		redacted := make([]string, len(values))
		for i, value := range values {
			redacted[i] = redact(value)
		}
		out[name] = redacted
	}
	return out
}

// redactURL returns u as text. What is not redacted keeps its spelling.
func redactURL(u *url.URL) string {
	v := *u
	if v.User != nil {
		v.User = url.User(Redacted)
	}
	return redactText(v.String())
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

var (
	userInfo  = regexp.MustCompile(`(//)[^/?#\s"'<>@]+@`)
	parameter = regexp.MustCompile(`([^\s"'<>?#&;,/=]+)=([^\s"'<>#&;,]*)`)
)

// redactText redacts what is called a credential in text: parameters, in URLs or not,
// and the user of a URL. A parameter goes whole that is a URL with a
// credential, or JSON with Transloadit's auth object.
func redactText(text string) string {
	if !strings.ContainsAny(text, "=@%") {
		return text
	}
	text = userInfo.ReplaceAllString(text, "${1}"+Redacted+"@")
	return parameter.ReplaceAllStringFunc(text, func(param string) string {
		name, value, _ := strings.Cut(param, "=")
		plainName, err := url.QueryUnescape(name)
		if err != nil || isSecret(plainName) || strings.EqualFold(plainName, "code") {
			return name + "=" + Redacted
		}
		plain, err := url.QueryUnescape(value)
		if err != nil || plain != value && (redactText(plain) != plain || strings.Contains(plain, `"auth"`)) {
			return name + "=" + Redacted
		}
		return param
	})
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
		"accesskey", "apikey", "appkey", "authorization", "cookie", "password", "secret",
		"sessid", "sessionid", "sessionkey", "signature", "token",
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
	return secretWords[string(word)]
}
