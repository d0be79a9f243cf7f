package replay_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

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
		{"a list of tokens", `token=SECRET,SECRET&page=2`, `token=REDACTED&page=2`},
		{"a list of nothing secret", `ids=1,2,3&page=2`, `ids=1,2,3&page=2`},
		{"a URL with a signature and a list", `to=https%3A%2F%2Fh%2F%3Fids%3D1%2C2%26sig%3DSECRET&page=2`, `to=REDACTED&page=2`},
		{"names in two words", `userAuth=SECRET&fileKey=SECRET&loginPwd=SECRET&page=2`, `userAuth=REDACTED&fileKey=REDACTED&loginPwd=REDACTED&page=2`},
		{"names in two words, the first of which tells", `keyFile=SECRET&authURL=SECRET&sid2=SECRET&page=2`, `keyFile=REDACTED&authURL=REDACTED&sid2=REDACTED&page=2`},
		{"names in which a word is but a part", `monkey=a&KEYBOARD=b&passage=c&resides=d`, `monkey=a&KEYBOARD=b&passage=c&resides=d`},
		{"a name that is no escape", `%zz=SECRET&page=2`, `%zz=REDACTED&page=2`},
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

// net/http quotes a header that it cannot parse, whatever is in it.
func TestRecorderMalformedHeader(t *testing.T) {
	for _, c := range []struct{ name, response, want string }{
		{"a cookie", "HTTP/1.1 200 OK\r\nSet-Cookie SECRET\r\n\r\n", "malformed MIME header"},
		{"a key", "HTTP/1.1 200 OK\r\nX-Api-Key SECRET\r\n\r\n", "malformed MIME header"},
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
