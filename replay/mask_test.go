package replay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/testdata"
)

// recordBodies records one exchange with these pieces as the bodies of request and
// response, and returns what is recorded of both.
func recordBodies(t testing.TB, redact func([]byte), sent, got http.Header, request, response []string) (text, requestBody, responseBody string) {
	t.Helper()
	log := new(bytes.Buffer)
	r, err := replay.NewRecorder(log, roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			if b, err := readLarge(req.Body); string(b) != strings.Join(request, "") || err != nil {
				t.Errorf("the transport reads %q, %v", b, err)
			}
			req.Body.Close()
		}
		var steps []step
		for _, piece := range response {
			steps = append(steps, step{0, piece, nil})
		}
		res := answer(req, script(append(steps, step{0, "", io.EOF})...))
		res.Header = got
		return res, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	r.Redact = redact
	req := get(t, "http://example.test/")
	req.Header = sent
	if request != nil {
		var steps []step
		for _, piece := range request {
			steps = append(steps, step{0, piece, nil})
		}
		req.Method, req.Body, req.ContentLength = "POST", script(append(steps, step{0, "", io.EOF})...), -1
	}
	res, err := r.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := readLarge(res.Body); string(b) != strings.Join(response, "") || err != nil {
		t.Errorf("the program reads %q, %v", b, err)
	}
	res.Body.Close()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	x := contents(t, mustLoad(t, log.String()))[0]
	for i, pieces := range [][]piece{x.RequestReads, x.Reads} {
		want := [][]string{request, response}[i]
		if len(pieces) > len(want) {
			t.Fatalf("%d reads are recorded, not %d:\n%s", len(pieces), len(want), log)
		}
		for k, p := range pieces {
			if len(p.Data) != len(want[k]) {
				t.Errorf("read %d has %d bytes, not %d:\n%s", k, len(p.Data), len(want[k]), log)
			}
		}
	}
	for _, p := range x.RequestReads {
		requestBody += p.Data
	}
	return log.String(), requestBody, x.body()
}

// readLarge is io.ReadAll with reads as large as the pieces.
func readLarge(r io.Reader) ([]byte, error) {
	var all []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		all = append(all, buf[:n]...)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// everyCut calls f with body in one piece, in each two, and in bytes.
func everyCut(body string, f func(cut string, pieces []string)) {
	f("whole", []string{body})
	for i := 1; i < len(body); i++ {
		f(fmt.Sprintf("cut at %d", i), []string{body[:i], body[i:]})
	}
	var each []string
	for i := range len(body) {
		each = append(each, body[i:i+1])
	}
	f("in bytes", each)
}

const planted = "s3cret9e107d9d372bb6826bd81d3542"

// Where X stands, a credential is planted, and found.
func TestRecorderBodySecrets(t *testing.T) {
	quote := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const params = `{"steps":{"a":{"robot":"/s3/store","credentials":"demo"}},"auth":{"expires":"2026/05/08 16:10:57+00:00","nonce":"n","key":"X","max_size":7}}`
	form := new(bytes.Buffer)
	parts := multipart.NewWriter(form)
	parts.WriteField("signature", "X")
	parts.WriteField("params", params)
	parts.WriteField("fields", `{"a":1}`)
	parts.WriteField("api-key", "X")
	parts.Close()
	for _, c := range []struct{ name, contentType, body string }{
		{"params, an object", "application/json", `{"params":` + params + `}`},
		{"params, a string", "application/json", `{"params":` + quote(params) + `,"a":"b"}`},
		{"params, a string in a string", "application/json", `{"a":` + quote(`{"params":`+quote(params)+`}`) + `,"a":"b"}`},
		{"params, in a form", "application/x-www-form-urlencoded", "params=" + url.QueryEscape(params) + "&a=b"},
		{"params, a string in a form", "application/x-www-form-urlencoded", "a=" + url.QueryEscape(`{"params":`+quote(params)+`}`) + "&a=b"},
		{"params, in a form, as they are", "application/x-www-form-urlencoded", "params=" + params + "&a=b"},
		{"params, in a form, with quotes escaped alone", "application/x-www-form-urlencoded", "a=b&params=" + strings.ReplaceAll(params, `"`, "%22") + "&a=b"},
		{"params, pretty", "application/json", strings.NewReplacer(`":`, `": `, `,"`, ",\n  \"").Replace(`{"params":` + params + `}`)},
		{"signature, first in a form", "application/x-www-form-urlencoded", "signature=sha384%3AX&a=b"},
		{"signature, last in a form", "application/x-www-form-urlencoded", "a=b&signature=X"},
		{"form, of no type", "text/plain", "a=b&signature=X"},
		{"code and password", "application/x-www-form-urlencoded", "code=X&user%5Bpassword%5D=X&a=b"},
		{"a URL in a form", "application/x-www-form-urlencoded", "redirect=https%3A%2F%2Fh%2F%3Fa%3Db%26token%3DX%26c%3Dd&e=f"},
		{"both kinds of fields", parts.FormDataContentType(), form.String()},
		{"members", "application/json", `{"api_key":"X","apiKey" : "X","token": "X","a":{"password":"X"},"keys":1,"b":"c"}`},
		{"an escape", "application/json", `{"password":"X\"X\\","b":"\\","secret":"X\/X\u0020X"}`},
		{"white space of all kinds", "application/json", "{\"a\":\n{\"key\":\t\"X\",\"token\"\n:\r\n\"X\",\"b\":\n\"c\"}}"},
		{"a field without quotes", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=signature\r\n\r\nX\r\n--b\r\ncontent-disposition: form-data; NAME=\"key\"\r\n\r\nX\r\n--b--\r\n"},
		{"fields, with line feeds alone", "multipart/form-data; boundary=b", "--b\nContent-Disposition: form-data; name=\"signature\"\nContent-Type: text/plain\n\nX\n--b\nContent-Disposition: form-data; name=a\n\nb\n--b\nContent-Disposition: form-data; name=key\n\nX\n--b--\n"},
		{"a signed URL", "application/json", `{"url":"https://b.s3.amazonaws.com/k?X-Amz-Credential=X&X-Amz-Date=2026&X-Amz-Signature=X"}`},
		{"a password in a URL", "application/json", `{"url":"https://me:X@h:8080/a","b":"c"}`},
		{"OAuth, in a form", "application/x-www-form-urlencoded", "assertion=X&client_assertion_type=a&client_assertion=X&code_verifier=X&device_code=X&pin=X&a=b"},
		{"SAML", "application/x-www-form-urlencoded", "SAMLResponse=X&RelayState=a"},
		{"OAuth, in JSON", "application/json", `{"assertion":"X","clientAssertion":"X","codeVerifier":"X","deviceCode":"X","Pin":"X","passcode":"X","user_passcode":"X"}`},
		{"keys in small letters", "application/json", `{"accountkey":"X","sharedkey":"X","masterkey":"X","ocp-apim-subscriptionkey":"X"}`},
		{"a pin, in a field", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\nX\r\n--b--\r\n"},
		{"first in a form, of no type", "", "token=X&a=b&code=X"},
		{"first in a form, of another type", "text/plain", "token=X"},
		{"a key in PEM, in a field", "multipart/form-data; boundary=b2", "--b2\r\nContent-Disposition: form-data; name=\"private_key\"\r\n\r\n-----BEGIN X-----\nX\n-----END X-----\n-----BEGIN X-----\nX\n--b1\r\r\nX\r\n--b2\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--b2--\r\n"},
		{"a line that begins like the end of a field", "multipart/form-data; boundary=b", "--b\nContent-Disposition: form-data; name=\"password\"\n\nab\n--X\n--b--\n"},
		{"quotes that are escapes", "application/json", `{"params":"{\u0022auth\u0022:{\u0022key\u0022:\u0022X\u0022,\u0022a\u0022:\u0022b\u0022},\u0022token\u0022 : \u0022X\\\u0022X\u0022,\u0022c\u0022:\u0022d\u0022}","a":"b"}`},
		{"quotes that are escapes, in a string in a string", "application/json", `{"a":"{\u0022b\u0022:\u0022{\\u0022token\\u0022:\\u0022X\\u0022}\u0022,\u0022c\u0022:\u0022d\u0022}"}`},
		{"quotes that are escapes, in a form", "application/x-www-form-urlencoded", `params=%7B%22a%22%3A%22%7B%5Cu0022token%5Cu0022%3A%5Cu0022X%5Cu0022%2C%5Cu0022b%5Cu0022%3A%5Cu0022c%5Cu0022%7D%22%7D&a=b`},
		{"names with escapes", "application/json", `{"k\u0065y":"X","acc\u0065ss_token":"X","\u0061":"b"}`},
		{"signs that are escapes", "application/json", `{"url":"https://h/?a\u003db\u0026token\u003dX\u002BX\u0026c\u003dd","e":"f"}`},
		{"signs that are escapes, in a string", "application/json", `{"a":"{\"url\":\"https://h/?token\\u003dX\\u0026c\\u003dd\",\"e\":\"f\"}"}`},
		{"signs that are escapes, in a form", "application/x-www-form-urlencoded", `params=%7B%22a%22%3A%22https%3A%2F%2Fh%2F%3Fa%3D1%5Cu0026token%3DX%22%2C%22b%22%3A%22https%3A%2F%2Fh%2F%3Ftoken%5Cu003DX%22%7D&a=b`},
		{"white space that is escaped", "application/x-www-form-urlencoded", "params=%7B%0A%09%22key%22%3A%09%22X%22%2C%22token%22%0d%0a%3a%0d%0a%22X%22%7D&a=b"},
		{"a password in a URL in a form", "application/x-www-form-urlencoded", "url=https%3A%2F%2Fme%3AX%40h%3A8080%2Fa&b=c%40d"},
		{"a password in a URL of JSON in a form", "application/x-www-form-urlencoded", "params=%7B%22url%22%3A%22https%3A%5C%2F%5C%2Fme%3AX%40h%5C%2F%22%7D&b=c%40d"},
		{"a password in a URL that is escaped twice", "application/x-www-form-urlencoded", "url=https%253A%252F%252Fme%253AX%2540h&b=c"},
		{"a URL that is escaped twice", "application/x-www-form-urlencoded", "url=https%253A%252F%252Fh%252F%253Fa%253Db%2526token%253DX&e=f"},
		{"parameters with all that may end them", "application/json", `{"url":"https://h/?token=X,X;X)X]X}X&a=b"}`},
		{"parameters of a path", "application/json", `{"url":"https://h/a;jsessionid=X?a=b;token=X&c=d#e","b":"https:\/\/h\/;token=X"}`},
		{"names that run together", "application/json", `{"authkey":"X","privatekey":"X","sshkey":"X","SSHKey":"X","AESKey":"X","AWSKeys":"X","APIAuth":"X","clientkey":"X","signingkeys":"X","streamkey":"X","dbpass":"X","dbPwd":"X"}`},
		{"headers, each a string, in a form", "application/x-www-form-urlencoded", `params=%7B%22headers%22%3A%5B%22Authorization%3A+Bearer%20X%22%2C+%22my-api-key%3AX%22%2C%22Accept%3A+a%22%5D%2C%22b%22%3A%22%7B%5C%22cookie%3A%20X%5C%22%7D%22%7D&a=b`},
		{"lists of strings, in a form", "application/x-www-form-urlencoded", `params=%7B%22Authorization%22%3A%5B%22X%22%2C%22X%22%2C+%22X%22%5D%2C%22key%22%3A+%5b%22X%22%5d%2C%22a%22%3A%5B%22b%22%5D%7D&a=b`},
		{"headers, each a string", "application/json", `{"headers":["Authorization: Bearer X","my-api-key:X","Accept: a"],"a":"[\"cookie: X\",\"b\"]"}`},
		{"headers, each a list", "application/json", `{"headers":{"authorization":["Bearer X", "X"],"Cookie" : [ "X" ],"Accept":["a"]},"a":"{\"x-api-key\":[\"X\",\"X\"],\"b\":[\"c\"]}"}`},
		{"a pin, of JSON in a form", "application/x-www-form-urlencoded", "a=" + url.QueryEscape(`{"pin":"X"}`)},
	} {
		t.Run("request, "+c.name, func(t *testing.T) { wantMasked(t, true, c.contentType, c.body) })
	}
	const urlParams = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=X%2F20260508&X-Amz-Security-Token=X&X-Amz-Signature=X"
	const stream = "text/event-stream"
	for _, c := range []struct{ name, contentType, body string }{
		{"params", "application/json", `{"ok":"ASSEMBLY_COMPLETED","params":` + quote(params) + `,"template":null,"merged_params":` + quote(params) + `,"fields":{}}`},
		{"params, in an event", stream, "event: assembly_finished\ndata: {\"params\":" + quote(params) + "}\n\ndata: 1\n\n"},
		{"an auth object", "application/json", `{"auth":{"key":"X","secret":"X"},"key":"stays"}`},
		{"a pretty auth object", "application/json", "{\n  \"auth\": {\n    \"expires\": \"soon\",\n    \"key\": \"X\"\n  },\n  \"key\": \"stays\"\n}"},
		{"params in a URL", "application/json", `{"url":"https://h/?params=` + url.QueryEscape(params) + `&a=b"}`},
		{"OAuth", "application/json", `{"access_token":"X","token_type":"bearer","expires_in":3600,"refresh_token":"X","id_token":"X"}`},
		{"keys", "application/json", `{"api_key":"X","client_secret":"X","secretAccessKey":"X","headers":{"Authorization":"Bearer X"}}`},
		{"signed URLs", stream, `data: {"signed_url":"https://h/a` + urlParams + `","b":"https://h/a` + strings.ReplaceAll(urlParams, "&", `\u0026`) + "\"}\n\n"},
		{"quotes that are escapes", "application/json", `{"params":"{\u0022auth\u0022:{\u0022key\u0022:\u0022X\u0022,\u0022a\u0022:1},\u0022api_key\u0022: \u0022X\u0022,\u0022key\u0022:\u0022a\u0022}","a":"b"}`},
		{"names with escapes", "application/json", `{"acc\u0065ss_token":"X","api_k\u0065y" : "X","k\u0065y":"a"}`},
		{"signs that are escapes", stream, `data: {"url":"https://h/p?a\u003d1\u0026X-Amz-Signature\u003dX\u003d\u003d\u0026b\u003dc","d":"e"}` + "\n\n"},
		{"a parameter with a comma", stream, "data: {\"url\":\"https://h/?token=X,X\",\"b\":\"https://h/a;jsessionid=X?c=d\"}\n\n"},
		{"a password in a URL that is escaped", "application/json", `{"url":"https://h/?next=https%3A%2F%2Fme%3AX%40h&a=b%40c"}`},
		{"headers, each a list", "application/json", `{"headers":{"Authorization":["Bearer X","X"],"Accept":["a"]}}`},
		{"braces in an auth object", "application/json", `{"auth":{"a":"}","b":["]"],"c":{"d":"\"}"},"key":"X"},"key":"a"}`},
		{"a URL that is called a password", "application/json", `{"reset_password":"https://h/reset?token=X","api_key":"http:\/\/me:X@h"}`},
		{"signed URLs in HTML", "text/html", `<a href="https://h/a` + strings.ReplaceAll(urlParams, "&", "&amp;") + `">a</a>`},
		{"other signed URLs", "text/plain", "https://h/a?Expires=1&Policy=X&Signature=X&Key-Pair-Id=X https://h/?sv=2&sig=X&se=1 (https://h/b?token=X)"},
		{"a form", "application/x-www-form-urlencoded", "access_token=X&scope=user"},
		{"a path", "application/json", `{"url":"\/a\/b?signature=X","next":"/c?a=b#access_token=X"}`},
		{"a password in a URL", stream, "data: {\"url\":\"https://me:X@h:8080/a\",\"b\":\"ftp:\\/\\/me:X@h\\/\"}\n\n"},
	} {
		t.Run("response, "+c.name, func(t *testing.T) { wantMasked(t, false, c.contentType, c.body) })
	}
	t.Run("a token", func(t *testing.T) {
		// Where a read ends in it, it is not known for a token at once.
		header := http.Header{"Content-Type": {"application/json"}}
		_, _, got := recordBodies(t, nil, nil, header, nil, []string{`{"token":"` + planted + `","a":1}`})
		if want := `{"token":"` + strings.Repeat("*", len(planted)) + `","a":1}`; got != want {
			t.Errorf("recorded %s, want %s", got, want)
		}
		everyCut(`{"token":"`+planted+`","a":1}`, func(cut string, pieces []string) {
			if _, _, got := recordBodies(t, nil, nil, header, nil, pieces); strings.Contains(got, planted[17:]) {
				t.Errorf("%s: recorded %s", cut, got)
			}
		})
	})
	for _, c := range []struct{ name, front, key, behind string }{
		{"a key in PEM", `{"private_key":"`, `-----BEGIN PRIVATE KEY-----\nX\n-----END PRIVATE KEY-----\n`, `","a":"b c"}`},
		{"a key in PEM, of another kind", `{"privateKey" : "`, `-----BEGIN OPENSSH PRIVATE KEY-----\nX\nX`, `"}`},
		{"a key in PEM in a string", `{"a":"{\"client_secret\":\"`, `-----BEGIN RSA PRIVATE KEY-----\\nX`, `\",\"a\":\"b c\"}"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := strings.ReplaceAll(c.key, "X", planted)
			masked := regexp.MustCompile(`\\+n|.`).ReplaceAllStringFunc(key, func(s string) string {
				if len(s) > 1 {
					return s // an escape
				}
				return "*"
			})
			header := http.Header{"Content-Type": {"application/json"}}
			everyCut(c.front+key+c.behind, func(cut string, pieces []string) {
				if _, _, got := recordBodies(t, nil, nil, header, nil, pieces); got != c.front+masked+c.behind {
					t.Fatalf("%s: recorded %s", cut, got)
				}
			})
		})
	}
	t.Run("an escape of a character", func(t *testing.T) {
		const body = `{"password":"a\u0041\n\/","b":"\u0041"}`
		const want = `{"password":"*\u0000\n\/","b":"\u0041"}`
		everyCut(body, func(cut string, pieces []string) {
			if _, got, _ := recordBodies(t, nil, nil, nil, pieces, nil); got != want {
				t.Errorf("%s: recorded %s, want %s", cut, got, want)
			}
		})
	})
	t.Run("behind a large read", func(t *testing.T) {
		large := strings.Repeat("x", 5<<20) + `{"access_token":`
		rest := `"` + planted + `"}`
		log := new(bytes.Buffer)
		rec, err := replay.NewRecorder(log, roundTripper(func(req *http.Request) (*http.Response, error) {
			return answer(req, script(step{0, large, nil}, step{0, rest, io.EOF})), nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		res, err := rec.RoundTrip(get(t, "http://h/"))
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 6<<20)
		for err == nil {
			_, err = res.Body.Read(buf)
		}
		if err := rec.Close(); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, mustLoad(t, log.String()))[0].body(); got != large+`"`+strings.Repeat("*", len(planted))+`"}` {
			t.Errorf("recorded …%q", got[len(got)-100:])
		}
	})
	t.Run("a token in place of a user", func(t *testing.T) {
		if text, _, _ := recordBodies(t, nil, nil, nil, nil, []string{"git clone https://" + planted + "@h/"}); strings.Contains(text, planted) {
			t.Errorf("recorded %s", text)
		}
	})
}

// wantMasked fails the test where a body is not recorded with an asterisk for each byte
// of a credential, and all else as it is.
func wantMasked(t *testing.T, request bool, contentType, pattern string) {
	body := strings.ReplaceAll(pattern, "X", planted)
	// Names have an X as well.
	body = strings.ReplaceAll(body, planted+"-Amz", "X-Amz")
	header := http.Header{"Content-Type": {contentType}}
	first := ""
	everyCut(body, func(cut string, pieces []string) {
		var text, got string
		if request {
			text, got, _ = recordBodies(t, nil, header, nil, pieces, nil)
		} else {
			text, _, got = recordBodies(t, nil, nil, header, nil, pieces)
		}
		for i := 0; i+8 <= len(planted); i++ {
			if strings.Contains(text, planted[i:i+8]) {
				t.Fatalf("%s: a part of it is recorded: %s", cut, got)
			}
		}
		if first == "" {
			first = got
			if json.Valid([]byte(body)) && !json.Valid([]byte(got)) {
				t.Errorf("%s: it is no JSON any more: %s", cut, got)
			}
			if plain, err := url.QueryUnescape(got); strings.Contains(contentType, "urlencoded") && err != nil {
				t.Errorf("%s: it is no form any more: %v: %s", cut, err, plain)
			}
			for i := range body {
				if body[i] != got[i] && !strings.Contains(body[max(0, i-len(planted)-12):min(len(body), i+len(planted)+12)], planted) {
					t.Errorf("it changes %q: %s", body[i:i+1], got)
				}
			}
		}
		if got != first {
			t.Fatalf("%s: recorded\n%s\nand otherwise\n%s", cut, got, first)
		}
	})
}

// However a body is cut in reads, no more of a credential shows than the comment of Redacted
// says.
func TestRecorderCutSecrets(t *testing.T) {
	const (
		plain  = "q1W2e3R4t5Y6u7I8o9P0a1S2d3F4"
		small  = "a1b2c3d4e5f60718293a4b5c6d7e"
		digits = "4711081512345678901234567890"
		late   = "qwertyuiopasdfghjklzxcvbnm12"
		github = "ghp_q1w2e3r4t5y6u7i8o9p0a1s2"
		gitlab = "glpat-Q1w2e3R4t5-y6u7i8o9p0a"
	)
	both := []bool{true, false}
	for _, c := range []struct {
		name, contentType, front, secret, behind string
		request                                  []bool
		shown                                    int // bytes of the secret, at most
	}{
		{"a member", "application/json", `{"token":"`, plain, `","a":"b"}`, []bool{true}, 0},
		{"a member of digits", "application/json", `{"api_key" : "`, digits, `","a":"b"}`, both, 0},
		{"a member of a string", "application/json", `{"params":"{\"auth\":{\"key\":\"`, plain, `\"}}","a":"b"}`, both, 0},
		{"a member that says what it is", "application/json", `{"client_secret":"`, plain, `","a":"b"}`, both, 0},
		{"a member, of JSON in a form", "application/x-www-form-urlencoded", `a=%7B%22token%22%3A%22`, plain, `%22%7D&b=c`, []bool{true}, 0},
		{"a field", "application/x-www-form-urlencoded", `a=b&token=`, plain, `&b=c`, both, 0},
		{"a part", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n", plain, "\r\n--b--\r\n", []bool{true}, 0},
		{"a parameter of a URL", "text/event-stream", `data: {"url":"https://h/?a=b&signature=`, plain, "\"}\n\n", both, 0},
		{"a parameter of a URL in a form", "application/x-www-form-urlencoded", `a=https%3A%2F%2Fh%3Fsig%3D`, plain, "&b=c", both, 0},
		{"a password in a URL", "text/event-stream", `data: {"url":"https://jane:`, plain, "@h/\"}\n\n", both, 0},
		{"a password of digits in a URL", "text/plain", `https://jane:`, digits, "@h/", both, 5},
		{"a password with a comma in a URL", "text/plain", `https://jane:`, "47," + digits, "@h/", both, len("47,")},
		{"a password behind a token", "text/plain", `https://` + github + `:`, digits, "@h/", both, 0},
		{"a user that is a token", "text/plain", `https://`, github, "@h/", both, 19},
		{"a user that is a token, in a string", "application/json", `{"a":"https:\/\/`, github, `@h\/"}`, both, 19},
		{"a user that is a token, with a password", "text/plain", `git clone https://`, github, ":x-oauth-basic@h/", both, 19},
		{"a user of both cases", "text/plain", `https://`, gitlab, "@h/", both, 19},
		{"a user of both cases, with a dot", "text/plain", `https://`, gitlab, ".a.b@h/", both, 19},
		{"a user that may be a host", "text/plain", `https://`, small, "@h/", both, len(small)},
		{"a user that has no digit at first", "text/plain", `https://`, "T" + late, "@h/", both, len(late) - 1},
		{"a token", "text/event-stream", `data: {"token":"`, plain, "\",\"a\":\"b\"}\n\n", []bool{false}, 7},
		{"a short token", "application/json", `{"token": "`, small[:16], `"}`, []bool{false}, 7},
		{"a token of a string", "application/json", `{"a":"{\"token\":\"`, small, `\"}"}`, []bool{false}, 7},
		{"a token with escapes", "application/json", `{"token":"`, `a1\/` + late, `","a":1}`, []bool{false}, 7},
		{"a token that has no digit at first", "application/json", `{"token":"`, late, `"}`, []bool{false}, len(late) - 2},
		{"a token that has no letter at first", "application/json", `{"token":"`, digits + "a1", `"}`, []bool{false}, len(digits)},
	} {
		body := c.front + c.secret + c.behind
		for _, request := range c.request {
			direction := map[bool]string{true: "request, ", false: "response, "}[request]
			t.Run(direction+c.name, func(t *testing.T) {
				check := func(cut string, pieces []string) {
					header := http.Header{"Content-Type": {c.contentType}}
					var got string
					if request {
						_, got, _ = recordBodies(t, nil, header, nil, pieces, nil)
					} else {
						_, _, got = recordBodies(t, nil, nil, header, nil, pieces)
					}
					shown := c.shown
					if len(pieces) == 1 {
						shown = 0
					}
					if hidden := got[len(c.front):][shown:len(c.secret)]; strings.Trim(hidden, `*\/`) != "" {
						t.Errorf("%s: recorded %s", cut, got)
					}
				}
				everyCut(body, check)
				for size := 2; size < len(body)/2; size++ {
					var pieces []string
					for rest := body; rest != ""; {
						n := min(size, len(rest))
						pieces, rest = append(pieces, rest[:n]), rest[n:]
					}
					check(fmt.Sprintf("in reads of %d", size), pieces)
				}
				// What comes in one read with what is around it, in front or behind.
				from := len(c.front)
				for i := from; i < from+len(c.secret); i++ {
					for k := i + 1; k < from+len(c.secret); k++ {
						check(fmt.Sprintf("cut at %d and %d", i, k), []string{body[:i], body[i:k], body[k:]})
					}
				}
			})
		}
	}
}

// What is no credential stays, byte for byte, wherever reads end.
func TestRecorderBodyStays(t *testing.T) {
	for name, body := range map[string]string{
		"code as text":         "data: {\"content\":\"a = b; //set;key=va\\n\"}\n\n",
		"token as text":        "data: {\"token\":\"hello\"}\n\ndata: {\"token\":{\"id\":5,\"text\":\" key\",\"logprob\":-0.1,\"special\":false},\"generated_text\":null}\n\n",
		"usage":                "data: {\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12,\"total_tokens\":21}}\n\ndata: [DONE]\n\n",
		"log probabilities":    `{"logprobs":{"content":[{"token":"Hello","logprob":-0.31,"bytes":[72],"top_logprobs":[{"token":" passwords","logprob":-1}]}]}}`,
		"a long word":          "data: {\"token\":\"Donaudampfschifffahrtsgesellschaft\"}\n\n",
		"a signature":          "data: {\"type\":\"signature_delta\",\"signature\":\"EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk\"}\n\n",
		"prose":                "data: {\"delta\":{\"content\":\"Set the key = value; password: hunter2, Authorization: Bearer abc. See https://h/keys?page=2&q=a+key\"}}\n\n",
		"code":                 "data: {\"content\":\"if (a?b:c && token==key) { x?key=1:0; a&&key=2; headers['api_key']='x' }\"}\n\n",
		"keys":                 `{"key":"uploads/a.png","keys":["a","b"],"primary_key":"id","items":[{"key":"6bb16f6cd49a44b4ae431f576e016c6d","value":"a"}],"keyword":"key"}`,
		"ids":                  `{"assembly_id":"55a46ab12179453a8a20921a058b7546","api_auth_key_id":"ab9587ba56e944d39c6bef1276a3ec24","author":"auth","nonce":"1"}`,
		"numbers and more":     `{"token":17,"api_key":null,"password":{"type":"string"},"client_secret":["a"],"auth":{"expires":"2026/05/08","max_size":1}}`,
		"hidden by the server": `{"params":"{\"auth\":{\"key\":\"****\",\"expires\":\"2020-01-10T12:02:05.826Z\"}}"}`,
		"URLs":                 "https://u@h/ ssh://git@h/a http://h:8080/@me https://h/?assembly=55a46ab1&page=2 mailto:a@b http://[::1]:80/@",
		"hosts":                "https://d111111abcdef8.cloudfront.net/a https://0123456789abcdef0123456789abcdef.r2.example.com:8443/a http://my_service_that_is_internal:8080/ https://My-Site.2026.Example.Com:443 http://host_1:65535, (http://h:80). **http://h:80** http://h:443; https://my_bucket_2026.s3.eu-west-1.example.com/a https://a-long-company-name-2026-production.example.com",
		"words and digits":     "data: {\"token\":\" the\"}\n\ndata: {\"token\":\"sha256\"}\n\ndata: {\"token\":\"12345678901234567890\"}\n\ndata: {\"token\":\"**Donaudampfschifffahrt**\"}\n\ndata: {\"token\":\"utf8\\u00e4\"}\n\ndata: {\"token\":\"******************/\"}\n\ndata: {\"token\":\"/******************\"}\n\ndata: {\"token\":\"\\u4f60\\u597d\\u4e16\\u754c\"}\n\n",
		"a pin":                `{"pin":"s3cret9e107d9d372bb6826bd81d3542","assertion":"this holds for all of them","device_code":"a"}`,
		"pins on a map":        `https://h/map?pin=17&assertion_count=2`,
		"other PEM":            `{"public_key":"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI\n","certificate":"-----BEGIN CERTIFICATE-----\nMIIB\n","private_key_id":"5f3a9c0d1e2b4a6f8c7d"}`,
		"escapes":              `{"a":"{\u0022key\u0022:\u0022b\u0022,\u0022token\u0022:\u0022\u4f60\u597d\u4e16\u754c\u0022}","k\u0065y":"a","t\u006fken":"hello","c":"a\u003db \u0026page\u003d2 \u0022token\u0022: \\users"}`,
		"escaped URLs":         "https%3A%2F%2Fu%40h%2F https%3A%2F%2Fh%3A8080%2F%40me?u=https%3A%2F%2Fh%3A80&mail=a%40b https%253A%252F%252Fh%253A80%252F x%3A%2F",
		"code with semicolons": "for (i=a/b;key=c[i];i++) { k=1;token=2 }",
		"lists":                `{"access_token":["a1b2c3d4e5f60718293a"],"keys":["a"],"authorizations":["b"]}`,
		"schema":               `{"name":"login","parameters":{"properties":{"password":{"type":"string","description":"the password"}},"required":["password"]}}`,
		"a colon at the end":   "a:", "a sign at the end": "?token=", "quotes": `":"":":"\":\":\\":"`, "percent": "%3A%22%3D%%3D%3", "CRLF": "data: a\r\n\r\n:\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			for _, contentType := range []string{"text/event-stream", "application/json"} {
				everyCut(body, func(cut string, pieces []string) {
					if _, _, got := recordBodies(t, nil, nil, http.Header{"Content-Type": {contentType}}, nil, pieces); got != body {
						t.Fatalf("%s: recorded\n%s\nwant\n%s", cut, got, body)
					}
				})
			}
		})
	}
	for _, name := range []string{
		"../testdata/assembly-completed.json", "../testdata/assembly-odd-shapes.json", "../testdata/job-success.json", "../testdata/assembly-updates.txt",
		"../../shared/captures/assembly-stream.sse", "../../shared/captures/assembly-status-2020.json", "../../shared/docs/assembly-status-example.json",
		"../../shared/captures/scenario-detect-response.json", "../../shared/conformance/sse.json",
	} {
		body, err := os.ReadFile(name)
		if os.IsNotExist(err) && strings.Contains(name, "shared") {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		wantUnchanged(t, name, string(body))
	}
	for name, body := range map[string][]byte{"tokens": testdata.Tokens(200), "progress": testdata.Progress(50), "assembly": testdata.Assembly(2), "large": testdata.Large(2)} {
		wantUnchanged(t, name, string(body))
	}
	// A read that ends in a value that is called like a credential, before there is
	// enough of it to tell, loses that much.
	for _, body := range []string{
		`{"api_key":"API key","password":"Passwort","secret":"keep it","access_token":"Your access token goes here"}`,
		`{"password":"-----BEGIN with dashes","secret":"---- four of them ----"}`,
		`{"error":"INVALID_SIGNATURE","message":"The password is wrong","errors":{"password":"is far too short, sorry"}}`,
	} {
		everyCut(body, func(cut string, pieces []string) {
			if len(pieces) != 2 {
				return
			}
			_, _, got := recordBodies(t, nil, nil, nil, nil, pieces)
			front := len(pieces[0])
			lost := strings.LastIndexByte(pieces[0], '"') + 1
			if front-lost > 16 {
				lost = front
			}
			if got[:lost]+got[front:] != body[:lost]+body[front:] {
				t.Fatalf("%s: recorded\n%s\nwant\n%s", cut, got, body)
			}
		})
	}
	t.Run("names in a request", func(t *testing.T) {
		const body = `{"monkey":"a","keyboard":"b","keyframes":"c","turkeys":"d","bypass":"e","tokens":["f"],"keys":["g"],"h":"Key: C major","i":"X-Ray: yes","author":"j"}`
		everyCut(body, func(cut string, pieces []string) {
			if _, got, _ := recordBodies(t, nil, nil, nil, pieces, nil); got != body {
				t.Errorf("%s: recorded %s", cut, got)
			}
		})
	})
	t.Run("HTML in a request", func(t *testing.T) {
		const body = "<input name=\"key\">\n\n<p>no key</p>\n"
		if _, got, _ := recordBodies(t, nil, http.Header{"Content-Type": {"text/html"}}, nil, []string{body}, nil); got != body {
			t.Errorf("recorded %s", got)
		}
	})
	t.Run("a text about forms in a request", func(t *testing.T) {
		const body = "Why does\nContent-Disposition: form-data; name=\"key\"\n\nnot work? It is the last part.\n"
		if _, got, _ := recordBodies(t, nil, http.Header{"Content-Type": {"text/plain"}}, nil, []string{body}, nil); got != body {
			t.Errorf("recorded %s", got)
		}
	})
	t.Run("images", func(t *testing.T) {
		const body = `{"access_token":"` + planted + `"}`
		if _, _, got := recordBodies(t, nil, nil, http.Header{"Content-Type": {"image/png"}}, nil, []string{body}); got != body {
			t.Errorf("recorded %s", got)
		}
	})
}

func wantUnchanged(t *testing.T, name, body string) {
	t.Helper()
	for _, size := range []int{len(body), 1, 7, 100, 1000, 1460} {
		var pieces []string
		for rest := body; rest != ""; {
			n := min(size, len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		if _, _, got := recordBodies(t, nil, nil, nil, nil, pieces); got != body {
			i := 0
			for got[i] == body[i] {
				i++
			}
			t.Errorf("%s, in reads of %d: %q becomes %q", name, size, body[max(0, i-40):min(len(body), i+40)], got[max(0, i-40):min(len(got), i+40)])
		}
	}
}

// Trailers hold credentials as headers do.
func TestRecorderSecretTrailer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Token, X-Next")
		io.WriteString(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set("X-Token", planted)
		w.Header().Set("X-Next", "https://me:"+planted+"@h/?signature="+planted)
	}))
	defer server.Close()
	rec, finish := newRecorder(t, nil)
	res, err := (&http.Client{Transport: rec}).Do(get(t, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if text, _ := finish(); strings.Contains(text, planted) || !strings.Contains(text, "< 1 x-token: REDACTED\n") {
		t.Errorf("recorded\n%s", text)
	}
	if res.Trailer.Get("X-Token") != planted {
		t.Errorf("the program gets %v", res.Trailer)
	}
}

// Redact sees all that is recorded, and nothing of it reaches the program.
func TestRecorderRedact(t *testing.T) {
	const private = "Zaphod"
	redact := func(text []byte) {
		for i := bytes.Index(text, []byte(private)); i >= 0; i = bytes.Index(text, []byte(private)) {
			copy(text[i:], "nobody")
		}
	}
	header := http.Header{"X-Name": {private, private}}
	text, sent, got := recordBodies(t, redact, header, header, []string{"a " + private, `,"token":"` + planted + `"`}, []string{private + " b", "c"})
	if strings.Contains(text, private) || strings.Contains(text, planted) || !strings.HasPrefix(sent, "a nobody,") || got != "nobody bc" {
		t.Errorf("recorded\n%s", text)
	}
	rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("no %s at %s", private, req.URL)
	}))
	rec.Redact = redact
	if _, err := rec.RoundTrip(get(t, "http://h/"+private+"?a=b")); !strings.Contains(fmt.Sprint(err), private) {
		t.Errorf("the program gets %v", err)
	}
	if text, _ := finish(); strings.Contains(text, private) || !strings.Contains(text, "http://h/nobody?a=b\n") || !strings.Contains(text, "no nobody at") {
		t.Errorf("recorded\n%s", text)
	}
}

// What may be the name of a part is looked at without going through all of the body again.
func TestMaskPartsLinear(t *testing.T) {
	for _, part := range []string{`name=`, "name=\"key\"\r\n", "content-disposition: name=key ", `<input name=x value=1>`,
		`\u003d`, `\u0065`, `\u0022:`, `;key=`, "%253D", "a%3A%2F%2F", "a%3A%2F%2Fb%3A", `"a-key:`, `"key":[`, `"key":["a",`} {
		for _, kind := range []string{"application/json", "multipart/form-data; boundary=a"} {
			wantLinear(t, fmt.Sprintf("%q as %s", part, kind), func(size int) func() {
				rec, err := replay.NewRecorder(io.Discard, doorFunc(func(req *http.Request) (*http.Response, error) {
					_, err := io.ReadFull(req.Body, make([]byte, req.ContentLength)) // in one read
					return &http.Response{StatusCode: 200, Body: http.NoBody}, err
				}))
				if err != nil {
					t.Fatal(err)
				}
				req, err := http.NewRequest("POST", "http://h/", strings.NewReader(strings.Repeat(part, size/len(part))))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", kind)
				return func() {
					if _, err := rec.RoundTrip(req); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}
