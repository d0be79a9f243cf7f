package replay_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// sentBody returns the bytes of the request.
func sentBody(x exchange) string {
	var b strings.Builder
	for _, p := range x.RequestReads {
		b.WriteString(p.Data)
	}
	return b.String()
}

func post(t testing.TB, url, contentType string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	return req
}

// The transport gets the request with all that tells it how to send the body.
func TestRecorderRequestAsItIs(t *testing.T) {
	var got *http.Request
	rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		got = req
		if req.Body != nil {
			io.Copy(io.Discard, req.Body)
			req.Body.Close()
		}
		return answer(req, script(step{0, "", io.EOF})), nil
	}))
	do := func(req *http.Request) {
		res, err := rec.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Request != req {
			t.Error("the response is not to the program's request")
		}
		res.Body.Close()
	}
	known := post(t, "http://h/", "text/plain", strings.NewReader("known"))
	body := known.Body
	do(known)
	if got.ContentLength != 5 || got.GetBody == nil || known.Body != body {
		t.Errorf("a body of known length is sent as %+v", got)
	}
	again, err := got.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(again); string(b) != "known" || err != nil {
		t.Errorf("GetBody gives %q, %v", b, err)
	}
	stream := script(step{0, "stream", io.EOF})
	req := post(t, "http://h/", "text/plain", stream)
	do(req)
	if got.ContentLength != 0 || got.GetBody != nil {
		t.Errorf("a body of unknown length is sent as %+v", got)
	}
	select {
	case <-stream.closed:
	default:
		t.Error("the body is not closed")
	}
	do(post(t, "http://h/", "text/plain", nil))
	if got.Body != nil {
		t.Error("no body is sent as one")
	}
	do(post(t, "http://h/", "text/plain", http.NoBody))
	if got.Body != http.NoBody {
		t.Error("http.NoBody is sent as another")
	}
	_, all := finish()
	for i, want := range []string{"known", "stream", "", ""} {
		if got := sentBody(all[i]); got != want {
			t.Errorf("request %d: recorded %q, want %q", i+1, got, want)
		}
	}
	if h := all[1].RequestHeader; h.Get("Content-Length") != "" {
		t.Errorf("a body of unknown length is recorded with %v", h)
	}
}

// The recorded Content-Length is that of what is sent, which the header of a request does
// not decide.
func TestRecorderRequestLength(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		body         io.Reader
		length       int64
		want         string
	}{
		{"known", "", strings.NewReader("abc"), 3, "3"},
		{"another in the header", "9", strings.NewReader("abc"), 3, "3"},
		{"unknown", "", strings.NewReader("abc"), -1, ""},
		{"unknown, but for the header", "9", strings.NewReader("abc"), -1, ""},
		{"not said, but in the header", "9", strings.NewReader("abc"), 0, ""},
		{"none", "0", nil, 0, "0"},
		{"empty", "0", http.NoBody, 0, "0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec, finish := newRecorder(t, new(echo))
			req := post(t, "http://h/", "text/plain", tt.body)
			req.ContentLength = tt.length
			if tt.header != "" {
				req.Header.Set("Content-Length", tt.header)
			}
			res, err := rec.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if _, all := finish(); all[0].RequestHeader.Get("Content-Length") != tt.want {
				t.Errorf("recorded %q, want %q", all[0].RequestHeader, tt.want)
			}
			if got := req.Header.Get("Content-Length"); got != tt.header {
				t.Errorf("the program's request says %q", got)
			}
		})
	}
}

// A transport that finds its connection dead sends the body again: it is recorded once.
func TestRecorderRequestRetried(t *testing.T) {
	const body = "what is sent twice"
	for _, first := range []int{0, 4, len(body)} {
		rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			io.ReadFull(req.Body, make([]byte, first))
			req.Body.Close()
			again, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			io.ReadFull(again, make([]byte, 2))
			if b, err := io.ReadAll(again); string(b) != body[2:] || err != nil {
				t.Errorf("the transport reads %q, %v", b, err)
			}
			return answer(req, script(step{0, "", io.EOF})), nil
		}))
		res, err := rec.RoundTrip(post(t, "http://h/", "text/plain", strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if _, all := finish(); sentBody(all[0]) != body {
			t.Errorf("after %d bytes: recorded %q", first, sentBody(all[0]))
		}
	}
	rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		_, err := req.GetBody()
		return nil, err
	}))
	gone := errors.New("gone")
	req := post(t, "http://h/", "text/plain", strings.NewReader(body))
	req.GetBody = func() (io.ReadCloser, error) { return nil, gone }
	if _, err := rec.RoundTrip(req); err != gone {
		t.Errorf("an error of GetBody becomes %v", err)
	}
	finish()
}

// http.Client sends a body again where it is redirected: each exchange has it.
func TestRecorderRequestRedirected(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/" {
			http.Redirect(w, req, "/there", http.StatusTemporaryRedirect)
			return
		}
		io.Copy(w, req.Body)
	}))
	defer server.Close()
	rec, finish := newRecorder(t, nil)
	res, err := (&http.Client{Transport: rec}).Do(post(t, server.URL, "text/plain", strings.NewReader("what is sent")))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(res.Body); string(b) != "what is sent" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	res.Body.Close()
	_, all := finish()
	if len(all) != 2 || sentBody(all[1]) != "what is sent" {
		t.Errorf("recorded\n%s", strings.Join(dump(all), "\n"))
	}
}

// A body may go on while the response comes in, and after that.
func TestRecorderRequestFullDuplex(t *testing.T) {
	var wg sync.WaitGroup
	defer wg.Wait()
	rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		r, w := io.Pipe()
		wg.Go(func() {
			_, err := io.Copy(w, req.Body)
			w.CloseWithError(err)
			req.Body.Close()
		})
		return answer(req, r), nil
	}))
	r, w := io.Pipe()
	res, err := rec.RoundTrip(post(t, "http://h/", "text/plain", r))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 9)
	for _, piece := range []string{"one", "two", "three"} {
		wg.Go(func() { io.WriteString(w, piece) })
		if n, err := io.ReadFull(res.Body, buf[:len(piece)]); string(buf[:n]) != piece || err != nil {
			t.Errorf("%q, %v", buf[:n], err)
		}
	}
	w.Close()
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	_, all := finish()
	if got := sentBody(all[0]); got != "onetwothree" || all[0].body() != got || all[0].RequestReads[0].At < all[0].Received {
		t.Errorf("recorded\n%s", strings.Join(dump(all), "\n"))
	}
}

// What is recorded of a large body is bounded, and the reel says so.
func TestRecorderRequestLimit(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name, contentType, encoding string
		size, want                  int
		comment                     string
	}{
		{name: "text", contentType: "application/json", size: mib, want: mib},
		{name: "long text", contentType: "application/json", size: mib + 1, want: mib, comment: "goes on behind its first 1048576 bytes"},
		{name: "a form", contentType: "multipart/form-data; boundary=a", size: 20 << 10, want: 20 << 10},
		{name: "a small upload", contentType: "application/offset+octet-stream", size: 16 << 10, want: 16 << 10},
		{name: "an upload", contentType: "application/offset+octet-stream", size: 5 * mib, want: 16 << 10, comment: "goes on behind its first 16384 bytes"},
		{name: "an image", contentType: "image/png", size: mib, want: 16 << 10, comment: "goes on"},
		{name: "compressed", contentType: "application/json", encoding: "gzip", size: 100, comment: "body is gzip"},
		{name: "not compressed", contentType: "application/json", encoding: "identity", size: 100, want: 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := new(writeLog)
			rec, err := replay.NewRecorder(log, roundTripper(func(req *http.Request) (*http.Response, error) {
				if n, err := io.Copy(io.Discard, struct{ io.Reader }{req.Body}); n != int64(c.size) || err != nil {
					t.Errorf("the transport reads %d bytes, %v", n, err)
				}
				return answer(req, script(step{0, "", io.EOF})), nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			req := post(t, "http://h/", c.contentType, bytes.NewReader(bytes.Repeat([]byte("x"), c.size)))
			if c.encoding != "" {
				req.Header.Set("Content-Encoding", c.encoding)
			}
			res, err := rec.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if err := rec.Close(); err != nil {
				t.Fatal(err)
			}
			loaded := mustLoad(t, log.String())
			if got := sentBody(contents(t, loaded)[0]); got != strings.Repeat("x", c.want) {
				t.Errorf("%d bytes are recorded, want %d", len(got), c.want)
			}
			comments := strings.Join(loaded.Comments(), "\n")
			if !strings.Contains(comments, c.comment) || c.comment == "" && comments != "" || strings.Contains(comments, "\n") {
				t.Errorf("the comments are %q, want %q", comments, c.comment)
			}
		})
	}
}

// What a transport sends when the recording has ended is not recorded, and harms nothing.
func TestRecorderRequestAfterEnd(t *testing.T) {
	sent := make(chan struct{})
	var body io.ReadCloser
	rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		body = req.Body
		return answer(req, script(step{0, "early", io.EOF})), nil
	}))
	res, err := rec.RoundTrip(post(t, "http://h/", "text/plain", script(step{0, "late", nil}, step{time.Microsecond, "", io.EOF})))
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	go func() {
		defer close(sent)
		if b, err := io.ReadAll(body); string(b) != "late" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
	}()
	<-sent
	if _, all := finish(); sentBody(all[0]) != "" || all[0].body() != "early" {
		t.Errorf("recorded\n%s", strings.Join(dump(all), "\n"))
	}
}

// Nothing can be looked for in a body that the program decodes by itself: the reel says so.
func TestRecorderEncodedResponse(t *testing.T) {
	text, _, body := recordBodies(t, nil, nil, http.Header{"Content-Encoding": {"br"}}, nil, []string{`{"access_token":"` + planted + `"}`})
	if !strings.Contains(body, planted) || !strings.Contains(text, "# exchange 1: the response's body is br, in which no credentials are looked for\n") {
		t.Errorf("recorded\n%s", text)
	}
	for _, h := range [][2]http.Header{{{}, {"Content-Encoding": {"br;key=" + planted}}}, {{"Content-Encoding": {"br;key=" + planted}}, {}}} {
		text, _, _ = recordBodies(t, nil, h[0], h[1], []string{"a"}, []string{"a"})
		if strings.Contains(text, planted) || !strings.Contains(text, "body is br;key="+replay.Redacted) {
			t.Errorf("recorded\n%s", text)
		}
	}
}

// However many reads it comes in, a body is recorded up to its bound: what is text tells
// requests apart, and has a larger one.
func TestRecorderRequestBound(t *testing.T) {
	const size = 1<<20 + 5000
	for _, c := range []struct {
		contentType string
		want        int
	}{
		{"", 1 << 20}, {"text/csv", 1 << 20}, {"application/json", 1 << 20}, {"application/ld+json; charset=utf-8", 1 << 20},
		{"application/x-www-form-urlencoded", 1 << 20}, {"multipart/form-data; boundary=x", 1 << 20}, {"application/xml", 1 << 20},
		{"application/octet-stream", 16 << 10}, {"image/png", 16 << 10}, {"application/offset+octet-stream", 16 << 10},
	} {
		for _, each := range []int{1000, 16 << 10, 5 << 20} {
			t.Run(fmt.Sprintf("%q, %d bytes at a time", c.contentType, each), func(t *testing.T) {
				rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
					for buf := make([]byte, each); ; {
						if _, err := req.Body.Read(buf); err != nil {
							break
						}
					}
					return answer(req, script(step{0, "", io.EOF})), nil
				}))
				body := strings.Repeat("0123456789abcdef ", size/17+1)[:size]
				res, err := rec.RoundTrip(post(t, "http://h/", c.contentType, strings.NewReader(body)))
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				text, all := finish()
				if got := sentBody(all[0]); got != body[:c.want] {
					t.Errorf("%d bytes are recorded, want the first %d", len(got), c.want)
				}
				if n := strings.Count(text, "goes on behind its first"); n != 1 {
					t.Errorf("it says %d times that there is more", n)
				}
			})
		}
	}
}

// A program may have put a name in the map of a header that Set would have spelled otherwise.
func TestRecorderOddNames(t *testing.T) {
	for _, c := range []struct{ name, body string }{
		{"content-type", "code=" + planted},
		{"upload-metadata", ""},
		{"authorization", ""},
	} {
		value := map[string]string{"content-type": "application/x-www-form-urlencoded", "upload-metadata": "token " + planted, "authorization": planted}[c.name]
		text, sent, _ := recordBodies(t, nil, http.Header{c.name: {value}}, nil, []string{"a=b&" + c.body}, nil)
		if strings.Contains(text, planted) || !strings.HasPrefix(sent, "a=b&") {
			t.Errorf("%s: recorded\n%s", c.name, text)
		}
	}
	text, sent, _ := recordBodies(t, nil, http.Header{"content-encoding": {"gzip"}}, nil, []string{"abc"}, nil)
	if sent != "" || !strings.Contains(text, "body is gzip") {
		t.Errorf("recorded\n%s", text)
	}
}
