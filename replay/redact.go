package replay

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Redacted is what stands in a reel in place of a credential: the values of
// headers and the parameters of URLs whose name says that they hold one (such as
// Authorization, Cookie, X-Api-Key, signature, token), and the user and password
// of a URL.
const Redacted = "REDACTED"

func redactHeader(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		switch {
		case isSecret(name):
			redacted := make([]string, len(values))
			for i := range values {
				redacted[i] = Redacted
			}
			out[name] = redacted
		case strings.EqualFold(name, "Location"), strings.EqualFold(name, "Content-Location"), strings.EqualFold(name, "Referer"):
			redacted := make([]string, len(values))
			for i, value := range values {
				redacted[i] = redactReference(value)
			}
			out[name] = redacted
		default:
			out[name] = values
		}
	}
	return out
}

// redactReference redacts a URL as text; one that cannot be parsed is redacted
// whole, since nobody can say what is in it.
func redactReference(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return Redacted
	}
	return redactURL(u)
}

// redactURL returns u as text. What is not redacted keeps its spelling.
func redactURL(u *url.URL) string {
	v := *u
	if v.User != nil {
		v.User = url.User(Redacted)
	}
	v.RawQuery = redactParams(v.RawQuery)
	if strings.Contains(v.Fragment, "=") { // as OAuth sends tokens
		v.RawFragment = redactParams(v.EscapedFragment())
		v.Fragment, _ = url.PathUnescape(v.RawFragment)
	}
	return v.String()
}

func redactParams(query string) string {
	params := strings.Split(query, "&")
	for i, param := range params {
		name, _, ok := strings.Cut(param, "=")
		unescaped, err := url.QueryUnescape(name)
		if ok && (err != nil || isSecret(unescaped)) {
			params[i] = name + "=" + Redacted
		}
	}
	return strings.Join(params, "&")
}

// redactError redacts in the text of err, which is about a request of u, what is
// redacted in u.
func redactError(err error, u *url.URL) error {
	if err == nil {
		return nil
	}
	redactions := []string{u.String(), redactURL(u)}
	if u.User != nil {
		redactions = append(redactions, u.User.String(), Redacted)
	}
	if u.RawQuery != "" {
		redactions = append(redactions, u.RawQuery, redactParams(u.RawQuery))
	}
	text := err.Error()
	if redacted := strings.NewReplacer(redactions...).Replace(text); redacted != text {
		return errors.New(redacted)
	}
	return err
}

// secretWords are words of a name behind which there is a credential.
var secretWords = map[string]bool{
	"auth": true, "authorization": true, "authentication": true, "cookie": true,
	"credential": true, "credentials": true, "key": true, "apikey": true,
	"passwd": true, "password": true, "secret": true, "session": true,
	"sessionid": true, "sig": true, "signature": true, "token": true,
}

// isSecret returns whether what is called name is a credential. It looks at the
// words of the name: X-Api-Key, api_key and apiKey have the same.
func isSecret(name string) bool {
	word := make([]byte, 0, 16)
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
		if upper {
			word = append(word, c+'a'-'A')
		} else if lower {
			word = append(word, c)
		}
		before = c
	}
	return secretWords[string(word)] || secretWords[strings.ToLower(name)] || name == "Set-Cookie2"
}
