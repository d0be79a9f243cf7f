package replay_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssereel/ssereel/replay"
)

// asked is a request of a table.
type asked struct {
	method, url, contentType, body string
}

func (a asked) request(t testing.TB) *http.Request {
	t.Helper()
	var body io.Reader
	if a.body != "" {
		body = strings.NewReader(a.body)
	}
	method := a.method
	if method == "" {
		method = "GET"
	}
	target := a.url
	if target == "" {
		target = "http://h/"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	if a.contentType != "" {
		req.Header.Set("Content-Type", a.contentType)
	}
	return req
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// multipartOf returns a form with these fields; the boundary is another each time. A
// field whose name begins with @ is a file.
func multipartOf(t testing.TB, fields ...string) asked {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		create := func() (io.Writer, error) { return w.CreateFormField(fields[i]) }
		if name, ok := strings.CutPrefix(fields[i], "@"); ok {
			create = func() (io.Writer, error) { return w.CreateFormFile(name, "file.bin") }
		}
		part, err := create()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, fields[i+1])
	}
	w.Close()
	return asked{"POST", "", w.FormDataContentType(), b.String()}
}

// What need not be the same for a recorded request to answer.
func TestReelAnswers(t *testing.T) {
	const params = `{"auth":{"key":%q,"expires":"2026/05/07 %s+00:00","nonce":%q},"steps":{"a":{"robot":"/image/resize","width":320}}}`
	transloadit := func(key, time, nonce, signature string) []string {
		return []string{"params", fmt.Sprintf(params, key, time, nonce), "signature", signature}
	}
	form := func(fields []string) string {
		var pairs []string
		for i := 0; i < len(fields); i += 2 {
			pairs = append(pairs, fields[i]+"="+url.QueryEscape(fields[i+1]))
		}
		return strings.Join(pairs, "&")
	}
	one, two := transloadit(planted, "16:10:57", "one", "sha384:"+planted), transloadit("key", "17:00:00", "another", "sha384:none")
	large := strings.Repeat("0123456789abcdef", 100<<10) // more than is recorded
	for _, c := range []struct {
		name          string
		recorded, now asked
	}{
		{"the same", asked{}, asked{}},
		{"no method", asked{method: "GET"}, asked{}},
		{"capitals in the host", asked{url: "http://h/a"}, asked{url: "http://H/a"}},
		{"the port that need not be said", asked{url: "https://h/a"}, asked{url: "https://h:443/a"}},
		{"no path", asked{url: "http://h"}, asked{url: "http://h/"}},
		{"spelling of the path", asked{url: "http://h/%7ea%2fb"}, asked{url: "http://h/~a%2Fb"}},
		{"order of parameters", asked{url: "http://h/?a=1&b=2&a=3"}, asked{url: "http://h/?b=2&a=1&a=3"}},
		{"spelling of parameters", asked{url: "http://h/?a=x+y"}, asked{url: "http://h/?a=x%20y"}},
		{"a fragment", asked{url: "http://h/a"}, asked{url: "http://h/a#b"}},
		{"credentials in the URL", asked{url: "http://u:p@h/?a=1&token=" + planted}, asked{url: "http://h/?token=x&a=1"}},
		{"no credentials", asked{url: "http://h/?a=1&token=" + planted}, asked{url: "http://h/?a=1"}},
		{"a URL that was signed", asked{url: "http://h/a.jpg?w=1&auth_key=" + planted + "&exp=1&sig=sha256:1"}, asked{url: "http://h/a.jpg?w=1&auth_key=k&exp=22&sig=sha256:2"}},
		{"a URL that Amazon signed", asked{url: "http://h/a?X-Amz-Date=20260507T161057Z&X-Amz-Signature=1&X-Amz-Expires=60"}, asked{url: "http://h/a?X-Amz-Date=20260508T161057Z&X-Amz-Signature=23&X-Amz-Expires=60"}},
		{"params in the query", asked{url: "http://h/?" + form(one)}, asked{url: "http://h/?" + form(two)}},

		{"order of members", asked{"POST", "", jsonType, `{"a":1,"b":{"c":[1,2],"d":null}}`}, asked{"POST", "", jsonType, " {\"b\" : {\"d\":null,\n\"c\":[1,2]},\"a\":1}\n"}},
		{"JSON under another name", asked{"POST", "", "text/plain", `{"a":1,"b":2}`}, asked{"POST", "", "", `{"b":2,"a":1}`}},
		{"spelling of strings", asked{"POST", "", jsonType, `["\u0061/<"]`}, asked{"POST", "", jsonType, `["a\/\u003c"]`}},
		{"credentials in JSON", asked{"POST", "", jsonType, `{"api_key":"` + planted + `","a":{"password":"p"}}`}, asked{"POST", "", jsonType, `{"api_key":"k","a":{"password":"pass"}}`}},
		{"no credentials in JSON", asked{"POST", "", jsonType, `{"api_key":"` + planted + `","a":1}`}, asked{"POST", "", jsonType, `{"a":1}`}},
		{"params as JSON", asked{"POST", "", jsonType, fmt.Sprintf(params, planted, "1", "2")}, asked{"POST", "", jsonType, fmt.Sprintf(params, "k", "22", "33")}},
		{"JSON in a string in JSON", asked{"POST", "", jsonType, `{"params":"{\"auth\":{\"key\":\"` + planted + `\"},\"a\":1,\"b\":2}"}`}, asked{"POST", "", jsonType, `{"params":"{\"b\":2,\"a\":1,\"auth\":{\"key\":\"k\"}}"}`}},
		{"a signed URL in JSON", asked{"POST", "", jsonType, `{"url":"https://h/a?w=1&exp=1&sig=` + planted + `"}`}, asked{"POST", "", jsonType, `{"url":"https://h/a?w=1&exp=22&sig=x"}`}},

		{"order of fields", asked{"POST", "", formType, "a=1&b=2&a=3"}, asked{"POST", "", formType, "b=2&a=1&a=3"}},
		{"spelling of fields", asked{"POST", "", formType, "a=x+y"}, asked{"POST", "", formType, "a=x%20y"}},
		{"Transloadit's params", asked{"POST", "", formType, form(one)}, asked{"POST", "", formType, form(append(two[2:], two[:2]...))}},
		{"a code", asked{"POST", "", formType, "code=" + planted + "&a=1"}, asked{"POST", "", formType, "code=x&a=1"}},
		{"a form's boundary", multipartOf(t, "a", "1", "@b", "\xff\x00"), multipartOf(t, "a", "1", "@b", "\xff\x00")},
		{"order of a form's parts", multipartOf(t, "a", "1", "b", "2"), multipartOf(t, "b", "2", "a", "1")},
		{"Transloadit's form", multipartOf(t, append(one, "@file", "bytes")...), multipartOf(t, append(two, "@file", "bytes")...)},
		{"Transloadit's form with a large file", multipartOf(t, append(one, "@file", large)...), multipartOf(t, append(two, "@file", large)...)},
		{"a large form", asked{"POST", "", formType, form(append(one, "z", large))}, asked{"POST", "", formType, form(append(two, "z", large))}},

		{"an upload", asked{"PATCH", "", "application/offset+octet-stream", large}, asked{"PATCH", "", "application/offset+octet-stream", large}},
		{"large text", asked{"POST", "", "text/plain", large}, asked{"POST", "", "text/plain", large}},
		{"what the reel does not have", asked{"PATCH", "", "image/png", large}, asked{"PATCH", "", "image/png", large + "more"}},
		{"a credential in text", asked{"POST", "", "text/plain", "see https://h/?token=" + planted + "&a=1"}, asked{"POST", "", "text/plain", "see https://h/?token=x&a=1"}},
		{"no body", asked{"POST", "", "", ""}, asked{"POST", "", "", "any"}},
		{"an empty body", asked{"POST", "", "", ""}, asked{"POST", "", "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "my.reel")
			reel := openReel(t, name, replay.ModeOnce, roundTripper(func(req *http.Request) (*http.Response, error) {
				if req.Body != nil {
					io.Copy(io.Discard, req.Body)
				}
				return answer(req, script(step{0, "the answer", io.EOF})), nil
			}))
			mustAsk(t, reel, c.recorded.request(t), "the answer")
			closeReel(t, reel)
			if strings.Contains(readFile(t, name), planted) {
				t.Errorf("a secret is in the reel:\n%.1000s", readFile(t, name))
			}
			reel = openReel(t, name, replay.ModeReplay, nil)
			mustAsk(t, reel, c.now.request(t), "the answer")
			closeReel(t, reel)
		})
	}
}

// What has to be the same, and what the error says where it is not.
func TestReelNotRecorded(t *testing.T) {
	large := strings.Repeat("x", 2<<20)
	const json1 = `{"steps":{"resize":{"robot":"/image/resize","width":320}},"tags":["a","b"],"max_tokens":1}`
	for _, c := range []struct {
		name          string
		recorded, now asked
		want          string // the lines that say what differs
	}{
		{"method", asked{}, asked{method: "DELETE"}, "method: DELETE, recorded GET"},
		{"host", asked{url: "http://one.example/a"}, asked{url: "http://two.example/a"}, "host: two.example, recorded one.example"},
		{"port", asked{url: "http://h:8080/a"}, asked{url: "http://h/a"}, "host: h, recorded h:8080"},
		{"path", asked{url: "http://h/assemblies"}, asked{url: "http://h/assembly"}, "path: /assembly, recorded /assemblies"},
		{"a slash in the path", asked{url: "http://h/a/b"}, asked{url: "http://h/a%2Fb"}, "path: /a%2Fb, recorded /a/b"},
		{"parameter", asked{url: "http://h/?page=2&x=1&token=a"}, asked{url: "http://h/?x=1&page=3&token=" + planted}, `query page: "3", recorded "2"`},
		{"one more parameter", asked{url: "http://h/"}, asked{url: "http://h/?page=3"}, `query page: "3", recorded none`},
		{"one parameter less", asked{url: "http://h/?page=2"}, asked{url: "http://h/"}, `query page: none, recorded "2"`},
		{"a date of nothing that is signed", asked{url: "http://h/?expires=1"}, asked{url: "http://h/?expires=2"}, `query expires: "2", recorded "1"`},
		{"order of one parameter", asked{url: "http://h/?a=1&a=2"}, asked{url: "http://h/?a=2&a=1"}, `query a: ["2","1"], recorded ["1","2"]`},
		{"several", asked{url: "http://h/a?x=1"}, asked{method: "POST", url: "http://h/b?x=2"}, "method: POST, recorded GET\npath: /b, recorded /a\nquery x: \"2\", recorded \"1\""},
		{"text", asked{"POST", "", "text/plain", "hello"}, asked{"POST", "", "text/plain", "help"}, `body: "help", recorded "hello"`},
		{"long text", asked{"POST", "", "text/plain", strings.Repeat("ä", 200) + "hello"}, asked{"POST", "", "text/plain", strings.Repeat("ä", 200) + "help"},
			`body: ...` + strings.Repeat("ä", 9) + `help", recorded ...` + strings.Repeat("ä", 9) + `hello"`},
		{"no body where there was one", asked{"POST", "", "text/plain", "hello"}, asked{"POST", "", "", ""}, `body: none, recorded "hello"`},
		{"number", asked{"POST", "", jsonType, json1}, asked{"POST", "", jsonType, strings.Replace(json1, "320", "640", 1)}, "body steps.resize.width: 640, recorded 320"},
		{"a number that is called a token", asked{"POST", "", jsonType, json1}, asked{"POST", "", jsonType, strings.Replace(json1, ":1}", ":22}", 1)}, "body max_tokens: 22, recorded 1"},
		{"list", asked{"POST", "", jsonType, json1}, asked{"POST", "", jsonType, strings.Replace(json1, `"b"`, `"c"`, 1)}, `body tags[1]: "c", recorded "b"`},
		{"length of a list", asked{"POST", "", jsonType, json1}, asked{"POST", "", jsonType, strings.Replace(json1, `,"b"`, ``, 1)}, `body tags: ["a"], recorded ["a","b"]`},
		{"another type", asked{"POST", "", jsonType, json1}, asked{"POST", "", jsonType, strings.Replace(json1, `["a","b"]`, `null`, 1)}, `body tags: null, recorded ["a","b"]`},
		{"field", asked{"POST", "", formType, "params=" + url.QueryEscape(json1) + "&a=1"}, asked{"POST", "", formType, "params=" + url.QueryEscape(strings.Replace(json1, "320", "640", 1)) + "&b=2"},
			"body a: none, recorded \"1\"\nbody b: \"2\", recorded none\nbody params.steps.resize.width: 640, recorded 320"},
		{"part", multipartOf(t, "a", "1", "@file", "one"), multipartOf(t, "a", "1", "@file", "two"), `body file (file.bin): "two", recorded "one"`},
		{"bytes", asked{"POST", "", "image/png", "\xff\x00"}, asked{"POST", "", "image/png", "\xff\x01\x02"},
			`body: "3 bytes with the SHA-256 1ae2abd0d5b6df4a9a9b7b47eb30b0ed0aa1da4bb3f6a7a1e2ad6c6ca8c4e9ab"`},
		{"within what the reel has", asked{"POST", "", "text/plain", large}, asked{"POST", "", "text/plain", "y" + large}, "body, where its recording ends: yx"},
		{"shorter than what the reel has", asked{"POST", "", "text/plain", large}, asked{"POST", "", "text/plain", "xx"}, "body"},
		{"many", asked{"POST", "", jsonType, `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1}`}, asked{"POST", "", jsonType, `{}`}, "body a: none, recorded 1\nbody b: none, recorded 1\nbody c: none, recorded 1\nbody d: none, recorded 1\nbody e: none, recorded 1\nbody f: none, recorded 1\nand 2 more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := recordReel(t, c.recorded.request(t))
			reel := openReel(t, name, replay.ModeOnce, nil)
			defer closeReel(t, reel)
			_, err := bodyOf(reel, c.now.request(t))
			if !errors.Is(err, replay.ErrNotRecorded) {
				t.Fatalf("%v", err)
			}
			text := err.Error()
			if strings.Contains(text, planted) || len(text) > 2000 {
				t.Errorf("the error has a secret, or is long:\n%.3000s", text)
			}
			for i, want := range strings.Split(c.want, "\n") {
				if c.name == "bytes" {
					want = `body: "3 bytes with the SHA-256 `
				}
				line := text
				if lines := strings.Split(text, "\n"); len(lines) > i+2 {
					line = strings.TrimPrefix(lines[i+2], "  ")
				}
				if line != want && !(strings.HasPrefix(line, want) && (c.name == "bytes" || large == c.recorded.body)) {
					t.Errorf("line %d is %q, want %q", i+1, line, want)
				}
			}
			if n := len(strings.Split(c.want, "\n")); len(strings.Split(text, "\n")) != n+3 && large != c.recorded.body {
				t.Errorf("there is more:\n%s", text)
			}
		})
	}
}

// The error as a person sees it.
func TestReelNotRecordedText(t *testing.T) {
	name := recordReel(t,
		asked{url: "https://api2.example/assemblies/1"}.request(t),
		asked{"POST", "https://api2.example/assemblies?token=" + planted, jsonType, `{"width":1}`}.request(t),
		asked{"POST", "https://api2.example/assemblies?token=" + planted, jsonType, `{"width":2,"height":3}`}.request(t),
	)
	for _, c := range []struct {
		now  asked
		want string
	}{
		{asked{"POST", "https://api2.example/assemblies?token=x", jsonType, `{"width":4,"height":3}`}, `replay: POST https://api2.example/assemblies?token=REDACTED: not in the recording NAME
the nearest there is exchange 3: POST https://api2.example/assemblies?token=REDACTED
  body width: 4, recorded 2
to record it, use mode auto; to record all anew, mode record`},
		{asked{"GET", "https://api2.example/assemblies/2", "", ""}, `replay: GET https://api2.example/assemblies/2: not in the recording NAME
the nearest there is exchange 1: GET https://api2.example/assemblies/1
  path: /assemblies/2, recorded /assemblies/1
to record it, use mode auto; to record all anew, mode record`},
	} {
		reel := openReel(t, name, replay.ModeReplay, nil)
		_, err := bodyOf(reel, c.now.request(t))
		if got := strings.ReplaceAll(fmt.Sprint(err), name, "NAME"); got != c.want {
			t.Errorf("the error is\n%s\nwant\n%s", got, c.want)
		}
		closeReel(t, reel)
	}
	name = filepath.Join(t.TempDir(), "my.reel")
	writeFile(t, name, "reel 1\n")
	reel := openReel(t, name, replay.ModeOnce, nil)
	defer closeReel(t, reel)
	if _, err := bodyOf(reel, get(t, "http://h/")); !errors.Is(err, replay.ErrNotRecorded) || !strings.HasSuffix(err.Error(), name+", which holds nothing") {
		t.Errorf("%v", err)
	}
}

// A compressed body is not recorded, so nothing tells such requests apart but their order.
func TestReelCompressedBodies(t *testing.T) {
	compressed := func(text string) *http.Request {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		io.WriteString(z, text)
		z.Close()
		req := post(t, "http://h/", jsonType, &b)
		req.Header.Set("Content-Encoding", "gzip")
		return req
	}
	name := recordReel(t, compressed(`{"a":1}`), compressed(`{"a":2}`), asked{"POST", "", jsonType, `{"a":3}`}.request(t))
	reel := openReel(t, name, replay.ModeReplay, nil)
	defer closeReel(t, reel)
	for _, want := range []string{"1: ", "2: ", "2: "} {
		if got, err := bodyOf(reel, compressed(`{"a":4}`)); !strings.HasPrefix(got, want) || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	mustAsk(t, reel, asked{"POST", "", jsonType, `{"a":3}`}.request(t), `3: POST / {"a":3}`)
}

// A body that the service did not want to the end counts as far as it was sent.
func TestReelRequestSentInPart(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	reel := openReel(t, name, replay.ModeOnce, roundTripper(func(req *http.Request) (*http.Response, error) {
		io.ReadFull(req.Body, make([]byte, 10))
		req.Body.Close()
		return answer(req, script(step{0, "enough", io.EOF})), nil
	}))
	body := strings.Repeat("0123456789", 10)
	mustAsk(t, reel, post(t, "http://h/", "text/plain", strings.NewReader(body)), "enough")
	mustAsk(t, reel, post(t, "http://h/", "text/plain", strings.NewReader("another "+body)), "enough")
	closeReel(t, reel)
	reel = openReel(t, name, replay.ModeReplay, nil)
	defer closeReel(t, reel)
	for _, text := range []string{body, "another " + body, body} {
		mustAsk(t, reel, post(t, "http://h/", "text/plain", strings.NewReader(text)), "enough")
	}
	if got, err := bodyOf(reel, post(t, "http://h/", "text/plain", strings.NewReader("a third "+body))); !errors.Is(err, replay.ErrNotRecorded) {
		t.Errorf("%q, %v", got, err)
	}
}

// A reel that a person has written answers by its path, whatever the host and the body.
func TestReelByHand(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	writeFile(t, name, "reel 1\n> 1 +0 POST /assemblies?b=1&a=2\n< 1 +0 200\n= 1 +0\n\\hand\n. 1 +0 eof\n")
	reel := openReel(t, name, replay.ModeOnce, nil)
	defer closeReel(t, reel)
	for _, url := range []string{"http://one/assemblies?a=2&b=1", "https://two:8443/assemblies?a=2&b=1"} {
		mustAsk(t, reel, asked{"POST", url, jsonType, `{"a":1}`}.request(t), "hand")
	}
	_, err := bodyOf(reel, get(t, "http://one/assemblies"))
	if !errors.Is(err, replay.ErrNotRecorded) || strings.Contains(err.Error(), "host") {
		t.Errorf("%v", err)
	}
}

// manyReel has n requests to one path, each with its own body, and as many that are the
// same.
func manyReel(t testing.TB, n int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "many.reel")
	reel := openReel(t, name, replay.ModeRecord, new(echo))
	for i := range n {
		for _, req := range []*http.Request{manyRequest(t, i), mustRequest(t, "GET", "http://h/poll")} {
			if _, err := bodyOf(reel, req); err != nil {
				t.Fatal(err)
			}
		}
	}
	closeReel(t, reel)
	return name
}

func manyRequest(t testing.TB, i int) *http.Request {
	return post(t, "http://h/many", jsonType, strings.NewReader(fmt.Sprintf(`{"i":%d}`, i)))
}

// Thousands of exchanges are found, whatever the order of the requests.
func TestReelManyExchanges(t *testing.T) {
	const n = 5000
	reel := openReel(t, manyReel(t, n), replay.ModeReplay, nil)
	defer closeReel(t, reel)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.Reverse(order)
	for k, i := range order {
		mustAsk(t, reel, manyRequest(t, i), fmt.Sprintf(`%d: POST /many {"i":%d}`, 2*i+1, i))
		mustAsk(t, reel, mustRequest(t, "GET", "http://h/poll"), fmt.Sprintf("%d: GET /poll ", 2*k+2))
	}
	if _, err := bodyOf(reel, manyRequest(t, n)); !errors.Is(err, replay.ErrNotRecorded) {
		t.Errorf("%v", err)
	}
}

// BenchmarkReel is what a request costs, by the exchanges that the reel holds.
func BenchmarkReel(b *testing.B) {
	for _, n := range []int{10, 10000} {
		name := manyReel(b, n)
		for _, c := range []struct {
			name string
			req  func() *http.Request
		}{
			{"poll", func() *http.Request { return mustRequest(b, "GET", "http://h/poll") }},
			{"post", func() *http.Request { return manyRequest(b, n/2) }},
			{"missing", func() *http.Request { return manyRequest(b, n) }},
		} {
			b.Run(fmt.Sprintf("%s/exchanges=%d", c.name, 2*n), func(b *testing.B) {
				reel := openReel(b, name, replay.ModeReplay, nil)
				defer reel.Close()
				bodyOf(reel, c.req())
				b.ReportAllocs()
				for b.Loop() {
					bodyOf(reel, c.req())
				}
			})
		}
	}
}
