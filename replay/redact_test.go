package replay_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// doorFunc is a function as an http.RoundTripper.
type doorFunc func(*http.Request) (*http.Response, error)

func (f doorFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A comma is part of a parameter's value, so no secret behind one is in front of the
// next.
func TestRecorderQueries(t *testing.T) {
	for _, c := range []struct{ name, query, want string }{
		{"JSON as it is typed", `params={"auth":{"key":"SECRET","nonce":"SECRET"},"template_id":"SECRET"}&page=2`, `params=REDACTED&page=2`},
		{"JSON with quotes escaped", `params={%22auth%22:{%22expires%22:1,%22key%22:%22SECRET%22}}&page=2`, `params=REDACTED&page=2`},
		{"JSON all escaped", `page=2&params=%7B%22auth%22%3A%7B%22a%22%3A1%2C%22key%22%3A%22SECRET%22%7D%7D`, `page=2&params=REDACTED`},
		{"JSON with white space", `v=%7B%22a%22:1,+%22token%22:+%22SECRET+SECRET%22%7D&page=2`, `v=REDACTED&page=2`},
		{"JSON as it is typed, without auth", `v={"a":"b","token":"SECRET","c":{"pin":"SE\"CRET"}}&page=2`, `v={"a":"b","token":"REDACTED","c":{"pin":"REDACTED"}}&page=2`},
		{"JSON that is cut off", `v=%7B%22token%22%3A%22SECRET&page=2`, `v=REDACTED&page=2`},
		{"JSON in a string", `v=%7B%22a%22%3A%22%7B%5C%22token%5C%22%3A%5C%22SECRET%5C%22%7D%22%7D&page=2`, `v=REDACTED&page=2`},
		{"JSON escaped in JSON", `v=%7B%22a%22%3A%22%257B%2522token%2522%253A%2522SECRET%2522%257D%22%2C%22b%22%3A%22c%3Dd%22%7D&page=2`, `v=REDACTED&page=2`},
		{"JSON with nothing secret", `v=%7B%22a%22%3A%22token%22%2C%22token%22%3A5%2C%22key%22%3A%22%22%2C%22credentials%22%3A%22demo%22%7D&w={"a":"b"}`, `v=%7B%22a%22%3A%22token%22%2C%22token%22%3A5%2C%22key%22%3A%22%22%2C%22credentials%22%3A%22demo%22%7D&w={"a":"b"}`},
		{"a search in quotes", `to=%2Fsearch%3Fq%3D%2522token%2522&q=%22token%22:+%22`, `to=%2Fsearch%3Fq%3D%2522token%2522&q=%22token%22:+%22`},
		{"a list of tokens", `token=SECRET,SECRET&page=2`, `token=REDACTED&page=2`},
		{"a list of nothing secret", `ids=1,2,3&page=2`, `ids=1,2,3&page=2`},
		{"a URL with a signature and a list", `to=https%3A%2F%2Fh%2F%3Fids%3D1%2C2%26sig%3DSECRET&page=2`, `to=REDACTED&page=2`},
		{"names in two words", `userAuth=SECRET&fileKey=SECRET&loginPwd=SECRET&page=2`, `userAuth=REDACTED&fileKey=REDACTED&loginPwd=REDACTED&page=2`},
		{"names in two words, the first of which tells", `keyFile=SECRET&authURL=SECRET&sid2=SECRET&page=2`, `keyFile=REDACTED&authURL=REDACTED&sid2=REDACTED&page=2`},
		{"names in which a word is but a part", `monkey=a&KEYBOARD=b&passage=c&resides=d`, `monkey=a&KEYBOARD=b&passage=c&resides=d`},
		{"a name that is no escape", `%zz=SECRET&page=2`, `%zz=REDACTED&page=2`},
		{"JSON with escapes", `v={%22k\u0065y%22:%22SECRET%22}&w=%7B%5Cu0022token%5Cu0022%3A%5Cu0022SECRET%5Cu0022%7D&page=2`, `v=REDACTED&w=REDACTED&page=2`},
		{"a URL with escapes of JSON", `to=https://h/?a=1\u0026token\u003dSECRET`, `to=https://h/?a=1&token=REDACTED`},
		{"a value that is no escape", `q=%zzSECRET&page=2`, `q=REDACTED&page=2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var reel bytes.Buffer
			rec, err := replay.NewRecorder(&reel, doorFunc(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			req := newRequest(t, "GET", "/list")
			req.URL.RawQuery = c.query
			res, err := rec.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, res.Body)
			rec.Close()
			if text := reel.String(); strings.Contains(text, "SECRET") || !strings.Contains(text, "/list?"+c.want+"\n") {
				t.Errorf("the reel is\n%s\nwant the query %s", text, c.want)
			}
		})
	}
}

// recordHeader records an exchange whose response has this field, and returns what the reel
// has of it.
func recordHeader(t testing.TB, name, value string) string {
	t.Helper()
	var reel bytes.Buffer
	rec, err := replay.NewRecorder(&reel, doorFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{name: {value}}, Body: http.NoBody, Request: req}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	res, err := rec.RoundTrip(get(t, "http://h/"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	rec.Close()
	return contents(t, mustLoad(t, reel.String()))[0].Header.Get(name)
}

// Where the value of a parameter ends, in quotes or not, in a header.
func TestRecorderHeaderParameters(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"in quotes", `foo; token="SECRET"`, `foo; token=REDACTED`},
		{"in quotes, one of several", `UsernameToken Username="bob", PasswordDigest="SEC/RET=", Nonce="d36e"`, `UsernameToken Username="bob", PasswordDigest=REDACTED, Nonce="d36e"`},
		{"in quotes, with all that would end it", `token="a, b; c & d # SECRET"; a=b`, `token=REDACTED; a=b`},
		{"in quotes, with a quote", `token="a\"SECRET\\", a=b`, `token=REDACTED, a=b`},
		{"in quotes that are not closed", `a=b; token="SECRET SECRET`, `a=b; token=REDACTED`},
		{"in quotes that something follows", `token="a"SECRET; a=b`, `token=REDACTED; a=b`},
		{"in quotes that are closed too often", `token=""SECRET""; a=b`, `token=REDACTED; a=b`},
		{"in single quotes", `token='a, SECRET'; a='b'`, `token=REDACTED; a='b'`},
		{"in single quotes that are not closed", `token='a SECRET`, `token=REDACTED`},
		{"in quotes in quotes", `bad header "foo; token=\"a, SECRET\"; a=b"`, `bad header "foo; token=REDACTED; a=b"`},
		{"with quotes inside", `token=a"b SECRET" a=b`, `token=REDACTED SECRET" a=b`},
		{"with an apostrophe", `token=a'SECRET; a=b`, `token=REDACTED; a=b`},
		{"behind spaces", `session_id = SECRET; token	=	"SECRET"; a = b`, `session_id = REDACTED; token	=	REDACTED; a = b`},
		{"a code of an error", `code = Unavailable, code=SECRET`, `code = Unavailable, code=REDACTED`},
		{"in a list", `token=SECRET, a=b;token=SECRET;a=b`, `token=REDACTED, a=b;token=REDACTED;a=b`},
		{"of a URL, with a comma", `https://x/cb?token=a,SECRET&x=1`, `https://x/cb?token=REDACTED&x=1`},
		{"of a URL, with a semicolon", `https://x/cb?x=1&sig=a;SECRET#top`, `https://x/cb?x=1&sig=REDACTED#top`},
		{"of a URL, with an apostrophe", `https://x/cb?sig=a'SECRET&x=1`, `https://x/cb?sig=REDACTED&x=1`},
		{"of a URL, with a bracket", `https://x/cb?sig=a>SECRET&x=1`, `https://x/cb?sig=REDACTED&x=1`},
		{"of a URL, in quotes", `https://x/cb?sig="SECRET SECRET"&x=1`, `https://x/cb?sig=REDACTED&x=1`},
		{"of a URL's fragment", `https://x/cb#access_token=a,SECRET&x=1`, `https://x/cb#access_token=REDACTED&x=1`},
		{"of a URL in quotes", `Get "https://x/?token=a,SECRET": no such host`, `Get "https://x/?token=REDACTED": no such host`},
		{"of a URL in single quotes", `0; url='https://x/?token=a,SECRET'; a=b`, `0; url='https://x/?token=REDACTED'; a=b`},
		{"of a URL in brackets", `<https://x/?token=a,SECRET>; rel="next", <https://x/?key=SECRET>; rel="last"`, `<https://x/?token=REDACTED>; rel="next", <https://x/?key=REDACTED>; rel="last"`},
		{"empty, of a URL in quotes", `Get "https://x/?token=": unexpected EOF`, `Get "https://x/?token=REDACTED": unexpected EOF`},
		{"of a URL in a URL", `https://x/?to=https://y/?sig=SECRET&x=1`, `https://x/?to=https://y/?sig=REDACTED&x=1`},
		{"of an escaped URL in quotes", `a=b; to="https%3A%2F%2Fy%2F%3Fsig%3DSECRET"; c="d"`, `a=b; to="REDACTED"; c="d"`},
		{"of an escaped URL, with a comma", `a=b; to=%20?token=a,SECRET c=d`, `a=b; to=REDACTED c=d`},
		{"of a URL that is escaped more than once", `to=https%253A%252F%252Fy%252F%253Fsig%253DSECRET`, `to=REDACTED`},
		{"of a URL that is escaped too often to tell", `to=a%2525252525253Dsig`, `to=REDACTED`},
		{"of JSON", `{"a":"b", "token": "a, SECRET", "c":{"key":"SECRET=","d":"e=f"}}`, `{"a":"b", "token": "REDACTED", "c":{"key":"REDACTED","d":"e=f"}}`},
		{"of JSON in a parameter", `a={"b":1, "token":"SE CRET"}; c=d`, `a={"b":1, "token":"REDACTED"}; c=d`},
		{"of JSON in a string", `{"a":"{\"token\":\"SEC\\\"RET\",\"b\":\"c\"}"}`, `{"a":"{\"token\":\"REDACTED\",\"b\":\"c\"}"}`},
		{"of JSON that is escaped", `%7B%22a%22%3A%22b%22%2C%22token%22%3A%22SECRET%22%7D`, `REDACTED`},
		{"of JSON that is escaped in JSON", `{"a":"%7B%22token%22%3A%22SECRET%22%7D","b":"c=d"}`, `REDACTED`},
		{"of JSON in a URL", `https://x/?v=%7B%22token%22%3A%22SECRET%22%7D&x=1#top`, `https://x/?v=REDACTED&x=1#top`},
		{"of JSON with quotes escaped alone, in a URL", `https://x/?v={%22a%22:1,%22token%22:%22SECRET%22}&x=1`, `https://x/?v=REDACTED&x=1`},
		{"of JSON that is cut off", `{"token":"; token="SECRET"; a={"b":"c"}`, `{"token":"REDACTED"}`},
		{"of JSON in an error", `json: "{\"token\":\"SECRET\"}" is no number`, `json: "{\"token\":\"REDACTED\"}" is no number`},
		{"of a URL in JSON", `{"a":"https:\/\/me:SECRET@h\/"}`, `{"a":"https:\/\/REDACTED@h\/"}`},
		{"of JSON, with a name that is escaped", `{"k\u0065y":"SECRET","a":"b"}`, `{"key":"REDACTED","a":"b"}`},
		{"of JSON in a string with escapes", `{"a":"{\u0022token\u0022:\u0022SECRET\u0022,\u0022b\u0022:\u0022c\u0022}"}`, `{"a":"{\"token\":\"REDACTED\",\"b\":\"c\"}"}`},
		{"of a URL in JSON with escapes", `{"a":"https://h/?b\u003dc\u0026token\u003dSECRET\u0026d\u003de"}`, `{"a":"https://h/?b=c&token=REDACTED&d=e"}`},
		{"of a URL in JSON that is escaped", `to=https%3A%2F%2Fh%2F%3Fa%3Db%5Cu0026token%5Cu003dSECRET`, `to=REDACTED`},
		{"of a URL that is escaped as a whole", `https%3A%2F%2Fh%2F%3Ftoken%3DSECRET`, `REDACTED`},
		{"of a URL that is escaped as a whole, with a stray percent sign", `https%3A%2F%2Fh%2F%3Fa%3D100%%26token%3DSECRET`, `REDACTED`},
		{"of a URL that is escaped twice as a whole", `100%: https%253A%252F%252Fh%252F%253Ftoken%253DSECRET`, `REDACTED`},
		{"headers in JSON", `{"headers":["Authorization: Bearer SECRET","a: b"],"b":{"cookie":["SECRET","SECRET"],"c":["d"]}}`, `{"headers":["Authorization: REDACTED","a: b"],"b":{"cookie":["REDACTED"],"c":["d"]}}`},
		{"escapes with nothing secret", `{"a":"b\u003dc \u0026 \u0022d\u0022"}`, `{"a":"b\u003dc \u0026 \u0022d\u0022"}`},
		{"percent signs with nothing secret", `50%, 100%25 of https%3A%2F%2Fh%2F%3Fpage%3D2`, `50%, 100%25 of https%3A%2F%2Fh%2F%3Fpage%3D2`},
		{"JSON with nothing secret", `{"group":"a","max_age":1,"endpoints":[{"url":"https://h/?s=%22a%22"}],"token":"","b":"\"token\""}`, `{"group":"a","max_age":1,"endpoints":[{"url":"https://h/?s=%22a%22"}],"token":"","b":"\"token\""}`},
		{"nothing secret", `W/"a==", b="c%20d"; e='f', <https://x/?page=2&q=a,b;c>; rel="next"`, `W/"a==", b="c%20d"; e='f', <https://x/?page=2&q=a,b;c>; rel="next"`},
		{"the name of a file", `attachment; filename="50% off, 100%.pdf"; filename*=UTF-8''50%25%20off.pdf`, `attachment; filename="50% off, 100%.pdf"; filename*=UTF-8''50%25%20off.pdf`},
		{"what is no escape, but hides something", `to="100%, a"; to="%3Ftoken%3DSECRET%zz"`, `to="100%, a"; to="REDACTED"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := recordHeader(t, "X-Next", c.value); got != c.want {
				t.Errorf("%s\nbecomes\n%s, want\n%s", c.value, got, c.want)
			}
			if again := recordHeader(t, "X-Next", c.want); again != c.want {
				t.Errorf("%s\nbecomes, once more,\n%s", c.want, again)
			}
		})
	}
}

// The metadata of a tus upload are names with values in base64.
func TestRecorderUploadMetadata(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct{ name, value, want string }{
		{"a token", "filename " + encode("a.jpg") + ",auth_token " + encode("SECRET"), "filename " + encode("a.jpg") + ",auth_token REDACTED"},
		{"a URL", "assembly_url " + encode("https://h/a?x=1&signature=SECRET") + ", is_confidential", "assembly_url " + encode("https://h/a?x=1&signature=REDACTED") + ", is_confidential"},
		{"params", "params " + encode(`{"auth":{"key":"SECRET"}}`), "params REDACTED"},
		{"JSON", "x " + encode(`{"token":"SECRET","a":"b"}`) + ",y " + encode(`{"a":"b"}`), "x " + encode(`{"token":"REDACTED","a":"b"}`) + ",y " + encode(`{"a":"b"}`)},
		{"JSON that is escaped", "x " + encode(`%7B%22token%22%3A%22SECRET%22%7D`), "x " + encode("REDACTED")},
		{"white space around it", " token " + encode("SECRET") + " ,filename YQ==", "token REDACTED,filename YQ=="},
		{"a tab", "token\t" + encode("SECRET"), "token\tREDACTED"},
		{"params without padding", "params " + base64.RawStdEncoding.EncodeToString([]byte(`{"auth":{"key":"SECRETS"}}`)) + " ,x YQ==", "params REDACTED,x YQ=="},
		{"no base64", "to https://h/?token=SECRET", "to https://h/?token=REDACTED"},
		{"a URL, in the other alphabet", "u " + base64.URLEncoding.EncodeToString([]byte("https://h/?a=>>>???&token=SECRET")), "u " + base64.URLEncoding.EncodeToString([]byte("https://h/?a=>>>???&token=REDACTED"))},
		{"params, in the other alphabet, without padding", "params " + base64.RawURLEncoding.EncodeToString([]byte(`{"a":"???>>>","auth":{"key":"SECRET"}}`)), "params REDACTED"},
		{"nothing secret", "name " + encode("key=1") + ",empty,fieldname " + encode("f"), "name " + encode("key=REDACTED") + ",empty,fieldname " + encode("f")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := recordHeader(t, "Upload-Metadata", c.value); got != c.want {
				t.Errorf("%s\nbecomes\n%s, want\n%s", c.value, got, c.want)
			}
		})
	}
}

// A WebSocket's protocols may hold a credential.
func TestRecorderProtocols(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"realtime, openai-insecure-api-key.SECRET, openai-beta.realtime-v1", "realtime, openai-insecure-api-key.REDACTED, openai-beta.realtime-v1"},
		{"base64url.bearer.authorization.k8s.io.SECRET, base64.binary.k8s.io", "base64url.bearer.REDACTED, base64.binary.k8s.io"},
		{"access_token, SECRET, a.b", "access_token, REDACTED, a.b"},
		{"graphql-transport-ws", "graphql-transport-ws"},
	} {
		if got := recordHeader(t, "Sec-Websocket-Protocol", c.value); got != c.want {
			t.Errorf("%s\nbecomes\n%s, want\n%s", c.value, got, c.want)
		}
	}
}

// Members of JSON that are masked in the body of a request are redacted in all places where
// a request may have JSON besides.
func TestRecorderJSONNames(t *testing.T) {
	for _, name := range []string{
		"password", "passwd", "passphrase", "passcode", "pwd", "pin", "otp", "token", "access_token", "refresh_token", "idToken", "csrf", "session_id", "sid",
		"api_key", "apiKey", "x-api-key", "key", "secret", "client_secret", "secretAccessKey", "private_key", "auth", "Authorization", "bearer", "cookie",
		"jwt", "signature", "sig", "hmac", "assertion", "clientAssertion", "code_verifier", "device_code", "SAMLResponse", "credential",
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"query":"x","variables":{"id":7,"` + name + `":"SECRET"}}`
			if _, got, _ := recordBodies(t, nil, nil, nil, []string{body}, nil); strings.Contains(got, "SECRET") {
				t.Fatalf("the body of a request is recorded as %s", got)
			}
			quoted, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			for place, value := range map[string]string{
				"as it is": body, "escaped": url.QueryEscape(body), "escaped as a path": url.PathEscape(body), "with quotes escaped": strings.ReplaceAll(body, `"`, "%22"),
				"escaped twice": url.QueryEscape(url.QueryEscape(body)), "in a string": url.QueryEscape(`{"a":` + string(quoted) + `}`),
				"in a URL": url.QueryEscape("https://h/?a=b&v=" + url.QueryEscape(body)),
			} {
				link := "https://h/graphql?page=2&variables=" + value + "&b=c"
				header := http.Header{
					"Referer": {link}, "X-Next": {`<` + link + `>; rel="next"`}, "X-Json": {`[{"to":"` + link + `"},` + body + `]`}, "X-Escaped": {url.QueryEscape(body)},
					"Upload-Metadata": {"x " + base64.StdEncoding.EncodeToString([]byte(body)) + ",y " + base64.StdEncoding.EncodeToString([]byte(link))},
				}
				var reel bytes.Buffer
				rec, err := replay.NewRecorder(&reel, doorFunc(func(req *http.Request) (*http.Response, error) {
					return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: io.ErrUnexpectedEOF}
				}))
				if err != nil {
					t.Fatal(err)
				}
				req := newRequest(t, "GET", "/graphql")
				req.URL.RawQuery, req.Header = strings.TrimPrefix(link, "https://h/graphql?"), header
				if _, err := rec.RoundTrip(req); err == nil {
					t.Fatal("no error")
				}
				rec.Close()
				x := contents(t, mustLoad(t, reel.String()))[0]
				text := reel.String()
				for _, entry := range strings.Split(x.RequestHeader.Get("Upload-Metadata"), ",") {
					plain, err := base64.StdEncoding.DecodeString(entry[2:])
					if err != nil {
						t.Fatal(err)
					}
					text += string(plain) + "\n"
				}
				if strings.Contains(text, "SECRET") {
					t.Errorf("%s: recorded\n%s", place, text)
				}
				if got := x.URL; !strings.Contains(got, "?page=2&variables=") || !strings.HasSuffix(got, "&b=c") {
					t.Errorf("%s: the URL becomes %s", place, got)
				}
			}
		})
	}
}

// A long header is redacted in linear time, however it is made.
func TestRecorderLongHeader(t *testing.T) {
	nested := func(size int) string {
		value, escape := "a=", "%3D"
		for len(value) < size {
			value += "b" + escape
			escape = "%25" + escape[1:]
		}
		return value
	}
	after := func(begin, s string) func(int) string {
		return func(size int) string { return begin + strings.Repeat(s, size/len(s)) }
	}
	repeat := func(s string) func(int) string { return after("", s) }
	for _, value := range []func(size int) string{
		nested, repeat("a="), repeat("?a="), repeat("a=%20"), repeat("?a=%20"), repeat("a=%20?"), repeat("x=a%20?y="), repeat(`a="`), repeat(`a=\"`), repeat(`a='%20"`),
		repeat("token=,"), repeat(`token="`), repeat("="), repeat(" ="), repeat("= "), repeat("//a"), repeat("//@"), repeat("a=%zz"), repeat("%25"), after("a=", "%253Db"), repeat(`":"`), repeat(`"token":`), repeat(`"token":"`), repeat(`\":\"`), after(`"token":"`, `\`), repeat(`:\`), repeat(`" :`), repeat("%22:"), repeat("a=%22:"),
		after("a=", `\`), repeat(`\u0026token\u003d`), repeat(`\u0022`), repeat(`"key\u0022:[`), repeat(`"key":["a",`), repeat("%5Cu0026"), repeat("%"), repeat("a=%"), repeat(`"a-key:`),
	} {
		wantLinear(t, fmt.Sprintf("%.20q...", value(99)), func(size int) func() {
			header := value(size)
			return func() { recordHeader(t, "X-Next", header) }
		})
	}
}

// wantLinear checks that what begin prepares for a size takes about as long once for 128 KiB as
// 16 times for 8 KiB, and not 16 times as long. A busy machine delays both alike.
func wantLinear(t *testing.T, what string, begin func(size int) (run func())) {
	t.Helper()
	const times, size = 16, 8 << 10
	var runs [times]func()
	small, large := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range 30 { // one of which finds the machine quiet
		for i := range runs {
			runs[i] = begin(size)
		}
		began := time.Now()
		for _, run := range runs {
			run()
		}
		small = min(small, time.Since(began))
		run := begin(times * size)
		began = time.Now()
		run()
		if large = min(large, time.Since(began)); large < 8*small {
			return
		}
	}
	t.Errorf("%s takes %v at once, %v in %d parts", what, large, small, times)
}

// net/http quotes a header that it cannot parse, whatever is in it.
func TestRecorderMalformedHeader(t *testing.T) {
	for _, c := range []struct{ name, response, want string }{
		{"a cookie", "HTTP/1.1 200 OK\r\nSet-Cookie SECRET\r\n\r\n", "malformed MIME header"},
		{"a key", "HTTP/1.1 200 OK\r\nX-Api-Key SECRET\r\n\r\n", "malformed MIME header"},
		{"a status", "HTTP/1.1 SECRET\r\n\r\n", "malformed HTTP status code"},
		{"a version", "HTTP/SECRET 200 OK\r\n\r\n", "malformed HTTP version"},
		{"no response", "SECRET\r\n\r\n", "malformed HTTP response"},
		{"an encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: SECRET\r\n\r\n", "unsupported transfer encoding"},
		{"a length", "HTTP/1.1 200 OK\r\nContent-Length: SECRET\r\n\r\n", "bad Content-Length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var reel bytes.Buffer
			rec, err := replay.NewRecorder(&reel, doorFunc(func(req *http.Request) (*http.Response, error) {
				res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(c.response)), req)
				return res, err
			}))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := rec.RoundTrip(newRequest(t, "GET", "/list")); err == nil || !strings.Contains(err.Error(), "SECRET") {
				t.Fatalf("the program gets %v", err)
			}
			rec.Close()
			if text := reel.String(); strings.Contains(text, "SECRET") || !strings.Contains(text, c.want) {
				t.Errorf("the reel is\n%s", text)
			}
		})
	}
}
