package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// stream is a response that a foreign server sends piece by piece.
type stream struct {
	t   *testing.T
	w   http.ResponseWriter
	req *http.Request
}

// send sends a piece of its own.
func (s stream) send(piece string) {
	io.WriteString(s.w, piece)
	http.NewResponseController(s.w).Flush()
}

// sendTo is send that waits until the piece is in the reel, as its n-th read.
func (s stream) sendTo(reel string, n int, piece string) {
	s.send(piece)
	awaitReads(s.t, reel, n)
}

// hang waits until the client is gone.
func (s stream) hang() { <-s.req.Context().Done() }

// awaitReads waits until a reel that is being written has n whole reads: of the last, only a
// part may be in the file so far.
func awaitReads(t *testing.T, reel string, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%s has %d reads", filepath.Base(reel), n), func() bool {
		b, _ := os.ReadFile(reel)
		rec, _ := replay.Load(bytes.NewReader(b), int64(len(b)))
		if rec == nil {
			return false
		}
		whole := 0
		for _, x := range rec.Exchanges() {
			whole += x.NumReads()
		}
		return whole >= n
	})
}

// serveStream is a foreign server with an event stream.
func serveStream(t *testing.T, handler func(stream)) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		handler(stream{t, w, req})
	}))
	t.Cleanup(server.Close)
	return server
}

// wantSummary fails the test where stdout is not one line about the recording.
func (o outcome) wantSummary(t *testing.T, name, events, bytes, end string) {
	t.Helper()
	pattern := fmt.Sprintf(`^%s: %s, %s in \d+\.\d s%s\n$`, regexp.QuoteMeta(name), events, bytes, end)
	if !regexp.MustCompile(pattern).MatchString(o.stdout) {
		t.Errorf("stdout has %q, want %s", o.stdout, pattern)
	}
}

// wantWhole fails the test where verify does not find the reel whole and sealed.
func wantWhole(t *testing.T, name string) {
	t.Helper()
	o := ssereel(t, "verify", name)
	o.wantDone(t)
	if !regexp.MustCompile(`: whole: .*\bsealed\b`).MatchString(o.stdout) {
		t.Errorf("verify says %q", o.stdout)
	}
}

// A stream that goes on has been recorded long enough when the timeout comes: it is not one that
// was waited for in vain.
func TestRecordTimeout(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	server := serveStream(t, func(s stream) { s.send("data: a\n\n"); s.hang() })
	o := ssereel(t, "record", "-o", name, "--timeout", "3s", server.URL+"/stream")
	if o.status != 1 || !strings.Contains(o.stderr, "the timeout of 3s came before the end") {
		t.Errorf("%+v", o)
	}
	wantWhole(t, name)
	if x := only(t, name); x.End != replay.EndCanceled || !strings.Contains(x.Cause, "timeout of 3s") {
		t.Errorf("the stream ended with %q (%s)", x.End, x.Cause)
	}
}

// A slow stream: each piece is a read of its own, in the file before the next is
// sent, at its moment.
func TestRecordSlow(t *testing.T) {
	sent := []string{"id: 1\n\n", "data: a", "\n\nda", "ta: \xe6\x97", "\xa5\r", "\n\r\n", ":\n\n", "data: cut off"}
	type span struct{ before, after time.Time } // around the moment of a read
	var spans []span
	name := filepath.Join(t.TempDir(), "my.reel")
	server := serveStream(t, func(s stream) {
		for i, piece := range sent {
			time.Sleep(time.Duration(i%3) * 10 * time.Millisecond) // what a slow server does
			before := time.Now()
			s.sendTo(name, i+1, piece)
			spans = append(spans, span{before, time.Now()})
		}
	})
	o := ssereel(t, "record", "-o", name, server.URL+"/stream?a=1")
	o.wantDone(t)
	o.wantSummary(t, name, "2 events", fmt.Sprintf("%d bytes", len(strings.Join(sent, ""))), "")
	wantWhole(t, name)
	x := only(t, name)
	if x.Method != "GET" || x.URL != server.URL+"/stream?a=1" || x.StatusCode != 200 || x.End != replay.EndEOF {
		t.Errorf("recorded %s %s, %d, %q", x.Method, x.URL, x.StatusCode, x.End)
	}
	if accept := x.RequestHeader.Get("Accept"); !strings.HasPrefix(accept, "text/event-stream,") {
		t.Errorf("asked for %q", accept)
	}
	if got := pieces(t, x); !slices.Equal(got, sent) {
		t.Errorf("reads:\n got %q\nwant %q", got, sent)
	}
	at := moments(t, x)
	for i := range at {
		for j := range i {
			gap, least, most := at[i]-at[j], spans[i].before.Sub(spans[j].after), spans[i].after.Sub(spans[j].before)
			if gap < least-time.Microsecond || gap > most+time.Microsecond {
				t.Errorf("from read %d to %d it took %v, recorded as %v to %v", j, i, gap, least, most)
			}
		}
	}
	o = ssereel(t, "events", name)
	o.wantEvents(t, []event{{"message", "1", "a"}, {"message", "1", "\u65e5"}})
}

// Bursts: no byte is lost, and every event counted.
func TestRecordBursts(t *testing.T) {
	var want strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&want, "id: %d\ndata: %s\n\n", i, strings.Repeat("x", i%200))
	}
	name := filepath.Join(t.TempDir(), "my.reel")
	server := serveStream(t, func(s stream) {
		rest := want.String()
		for i := 0; rest != ""; i++ {
			n := min(len(rest), 1+i*i%3001)
			s.send(rest[:n])
			rest = rest[n:]
		}
	})
	o := ssereel(t, "record", "-o", name, server.URL)
	o.wantDone(t)
	o.wantSummary(t, name, "3000 events", fmt.Sprintf("%d bytes", want.Len()), "")
	wantWhole(t, name)
	if got := strings.Join(pieces(t, only(t, name)), ""); got != want.String() {
		t.Errorf("%d bytes were recorded, which are not the %d sent", len(got), want.Len())
	}
	if got := decode(t, ssereel(t, "events", name).stdout); len(got) != 3000 || got[2999].ID != "2999" {
		t.Errorf("%d events are in it", len(got))
	}
}

// Nothing in the bytes of a stream disturbs the recording of it.
func TestRecordAnyBytes(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	want := "\xef\xbb\xbfdata: \n= 1 +0 5\n|x\n. 1 +0 eof\n$ crc32c=00000000\r\n" + string(all) + string(all) + "\r"
	name := filepath.Join(t.TempDir(), "my.reel")
	server := serveStream(t, func(s stream) { s.send(want[:100]); s.send(want[100:]) })
	ssereel(t, "record", "-o", name, server.URL).wantDone(t)
	wantWhole(t, name)
	if got := strings.Join(pieces(t, only(t, name)), ""); got != want {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

// An event stream without an event is one too.
func TestRecordEmpty(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	server := serveStream(t, func(s stream) {})
	o := ssereel(t, "record", "-o", name, server.URL)
	o.wantDone(t)
	o.wantSummary(t, name, "0 events", "0 bytes", "")
	wantWhole(t, name)
}

// A connection that breaks in mid-event: the fault is told, and all that came is in
// a whole reel, which breaks at the same byte when it is played.
func TestRecordCutMidEvent(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	server := serveStream(t, func(s stream) {
		s.sendTo(name, 1, "data: a\n\n")
		s.sendTo(name, 2, "data: b")
		panic(http.ErrAbortHandler)
	})
	o := ssereel(t, "record", "-o", name, server.URL+"/stream")
	o.wantSummary(t, name, "1 event", "16 bytes", ", cut off")
	o.stdout = ""
	o.wantLine(t, 1, "cut off", "recorded")
	wantWhole(t, name)
	if x := only(t, name); x.End != replay.EndReset || !slices.Equal(pieces(t, x), []string{"data: a\n\n", "data: b"}) {
		t.Errorf("recorded %q, which ends with %q", pieces(t, x), x.End)
	}
	o = ssereel(t, "events", name)
	o.wantEvents(t, []event{{"message", "", "a"}})

	url := listening(t, begin(t, nil, "replay", name))
	resp := get(t, url+"/stream", nil)
	if b, err := io.ReadAll(resp.Body); string(b) != "data: a\n\ndata: b" || err == nil {
		t.Errorf("played %q and then %v, want it cut off there", b, err)
	}
}

// Answers that are no event stream: one line that says what came, and no file.
func TestRecordNoStream(t *testing.T) {
	tests := []struct {
		name        string
		status      int
		contentType string
		tells       []string
	}{
		{"HTML", 200, "text/html; charset=utf-8", []string{"text/html", "text/event-stream"}},
		{"JSON", 200, "application/json", []string{"application/json", "text/event-stream"}},
		{"another type that begins alike", 200, "text/event-stream-x", []string{"text/event-stream-x"}},
		{"no content", 204, "", []string{"204"}},
		{"unauthorized", 401, "application/json", []string{"401", "-H 'Authorization:"}},
		{"forbidden", 403, "application/json", []string{"403", "-H 'Authorization:"}},
		{"not found", 404, "text/html", []string{"404", "URL"}},
		{"not found, and yet a stream", 404, "text/event-stream", []string{"404", "URL"}},
		{"too many requests", 429, "application/json", []string{"429"}},
		{"server error", 500, "text/plain", []string{"500"}},
		{"bad gateway", 502, "text/html", []string{"502"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				w.WriteHeader(tt.status)
				if tt.status != 204 {
					io.WriteString(w, "sorry")
				}
			}))
			defer server.Close()
			for _, options := range [][]string{{}, {"--force"}} {
				dir := t.TempDir()
				args := append([]string{"record", "-o", filepath.Join(dir, "my.reel"), server.URL}, options...)
				ssereel(t, args...).wantLine(t, 1, tt.tells...)
				wantFiles(t, dir)
			}
		})
	}
}

// What the server says of its refusal is said.
func TestRecordRefusal(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		tells      string // behind the status
	}{
		{"text", "\n token expired \nsee the manual\n", ` ("token expired"): does`},
		{"JSON", `{"error":{"message":"Incorrect API key","type":"x"},"message":"no"}`, ` ("Incorrect API key"): does`},
		{"JSON of Assemblies", `{"error":"GET_ACCOUNT_UNKNOWN_AUTH_KEY","message":"Unknown \"key\"\u001b[31m"}`, ` ("Unknown \"key\"` + "\ufffd" + `[31m"): does`},
		{"JSON with a word", `{"error":"unauthorized"}`, ` ("unauthorized"): does`},
		{"JSON with a credential", `{"message":"see https://user:s3cr3tpassw0rd@example.com/"}`, ` ("see https://REDACTED@example.com/"): does`},
		{"JSON without a message", `{"code":7,"message":{"a":"b"}}`, `: does`},
		{"no JSON after all", `{"error":`, `: does`},
		{"a page", "<html>\nNo</html>", `: does`},
		{"nothing", "", `: does`},
		{"no text", "a\xff\x00", `: does`},
		{"a long text", strings.Repeat("é", 101), ` ("` + strings.Repeat("é", 100) + `…"): does`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path != "/moved" {
					http.Redirect(w, req, "/moved", http.StatusFound)
					return
				}
				w.WriteHeader(http.StatusUnauthorized)
				io.WriteString(w, tt.body)
			}))
			defer server.Close()
			for _, output := range []string{filepath.Join(t.TempDir(), "my.reel"), "-"} {
				ssereel(t, "record", "-o", output, server.URL).wantLine(t, 1, "the server answered 401 Unauthorized"+tt.tells)
			}
		})
	}
}

// wantFiles fails the test where other files than these are in the directory.
func wantFiles(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if !slices.Equal(got, names) {
		t.Errorf("the directory holds %q, want %q", got, names)
	}
}

// The media type is what counts, in any spelling and with any parameter.
func TestRecordContentType(t *testing.T) {
	for _, contentType := range []string{"text/event-stream;charset=utf-8", "Text/Event-Stream", "text/event-stream ; x=y"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, "data: a\n\n")
		}))
		name := filepath.Join(t.TempDir(), "my.reel")
		o := ssereel(t, "record", "-o", name, server.URL)
		o.wantDone(t)
		o.wantSummary(t, name, "1 event", "9 bytes", "")
		server.Close()
	}
}

// Events are counted as ssereel events counts them, where they come compressed.
func TestRecordCompressed(t *testing.T) {
	var zipped strings.Builder
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, "data: a\n\ndata: b\n\n")
	z.Close()
	for _, tt := range []struct {
		coding, body, events string
	}{
		{"gzip", zipped.String(), "2 events"},
		{"br", zipped.String(), "events not counted, as they are compressed"},
		{"identity", "data: a\n\n", "1 event"},
	} {
		server := serveStream(t, func(s stream) {
			s.w.Header().Set("Content-Encoding", tt.coding)
			s.send(tt.body)
		})
		name := filepath.Join(t.TempDir(), "my.reel")
		o := ssereel(t, "record", "-o", name, server.URL)
		o.wantDone(t)
		o.wantSummary(t, name, tt.events, count(int64(len(tt.body)), "byte"), "")
		if o := ssereel(t, "record", "-o", "-", server.URL); tt.coding == "gzip" && !strings.Contains(o.stderr, ": events not counted, as they are compressed, ") {
			t.Errorf("of what is in no file it says %q", o.stderr)
		}
	}
}

func TestRecordNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	name := filepath.Join(dir, "my.reel")
	ssereel(t, "record", "-o", name, "http://"+addr+"/stream").wantLine(t, 1, addr, "refused")
	ssereel(t, "record", "-o", name, "https://"+serveStream(t, func(stream) {}).Listener.Addr().String()).wantLine(t, 1, "HTTP")
	wantFiles(t, dir)
}

// A server that hangs up without an answer.
func TestRecordNoAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer server.Close()
	dir := t.TempDir()
	ssereel(t, "record", "-o", filepath.Join(dir, "my.reel"), server.URL).wantLine(t, 1, "EOF")
	wantFiles(t, dir)
}

// brokenConn is a connection that the server has closed before it was written to.
type brokenConn struct{ net.Conn }

func (c brokenConn) Write([]byte) (int, error) {
	return 0, &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}
}

// A broken pipe to the server is a fault, unlike one of standard output.
func TestRecordServerBreaksPipe(t *testing.T) {
	base := http.DefaultTransport
	defer func() { http.DefaultTransport = base }()
	transport := base.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return brokenConn{conn}, err
	}
	http.DefaultTransport = transport
	server := serveStream(t, func(s stream) { s.send("data: a\n\n") })
	dir := t.TempDir()
	ssereel(t, "record", "-o", filepath.Join(dir, "my.reel"), "-d", "x", server.URL).wantLine(t, 1, "broken pipe")
	wantFiles(t, dir)
}

// A redirect is followed, and recorded, so that it plays from the first URL.
func TestRecordRedirect(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/old", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Location", "/new?token=s3cr3t")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/new", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: "+req.Header.Get("X-Mine")+req.URL.Query().Get("token")+"\n\n")
	})
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	server := httptest.NewServer(mux)
	defer server.Close()
	dir := t.TempDir()
	name := filepath.Join(dir, "my.reel")
	ssereel(t, "record", "-o", name, server.URL+"/loop").wantLine(t, 1, "redirect")
	wantFiles(t, dir)

	o := ssereel(t, "record", "-o", name, "-H", "X-Mine: 1", server.URL+"/old")
	o.wantDone(t)
	o.wantSummary(t, name, "1 event", "15 bytes", "")
	wantWhole(t, name)
	exchanges := open(t, name).Exchanges()
	if len(exchanges) != 2 || exchanges[0].StatusCode != 307 || exchanges[1].StatusCode != 200 {
		t.Fatalf("recorded %d exchanges, want the redirect and the stream", len(exchanges))
	}
	if strings.Count(read(t, name), "s3cr3t") != 1 { // in the body
		t.Errorf("the credential of the redirect is in the reel:\n%s", read(t, name))
	}
	url := listening(t, begin(t, nil, "replay", name))
	for _, path := range []string{"/old", "/"} {
		resp := get(t, url+path, http.Header{"Accept": {"text/event-stream"}})
		if b, _ := io.ReadAll(resp.Body); string(b) != "data: 1s3cr3t\n\n" || resp.Request.URL.Host != strings.TrimPrefix(url, "http://") {
			t.Errorf("%s plays %q from %s", path, b, resp.Request.URL)
		}
	}
}

func TestRecordRequest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte("{\n\"from\": \"a file\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		args   []string
		method string
		body   string
		header http.Header
	}{
		{"plain", nil, "GET", "", http.Header{"Accept": {"text/event-stream, application/json;q=0.9"}, "Accept-Encoding": nil}},
		{"data", []string{"-d", `{"stream":true}`}, "POST", `{"stream":true}`, http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream, application/json;q=0.9"}}},
		{"data of a file", []string{"--data", "@" + file}, "POST", "{\n\"from\": \"a file\"}\n", nil},
		{"empty data", []string{"-d", ""}, "POST", "", nil},
		{"method", []string{"-X", "PUT", "-d", "x"}, "PUT", "x", nil},
		{"method alone", []string{"--request", "POST"}, "POST", "", nil},
		{"headers", []string{"-H", "X-A: 1", "-H", "X-B:two words "}, "GET", "", http.Header{"X-A": {"1"}, "X-B": {"two words"}}},
		{"a value with a colon", []string{"-H", "X-A: http://a:1/"}, "GET", "", http.Header{"X-A": {"http://a:1/"}}},
		{"a header that is ours", []string{"-d", "a=b", "-H", "content-type: text/plain", "-H", "accept: */*"}, "POST", "a=b", http.Header{"Content-Type": {"text/plain"}, "Accept": {"*/*"}}},
		{"a header twice", []string{"-H", "X-A: 1", "-H", "X-A: 2"}, "GET", "", http.Header{"X-A": {"1", "2"}}},
		{"host", []string{"-H", "Host: stream.example"}, "GET", "", http.Header{"Host": {"stream.example"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := serveStream(t, func(s stream) {
				body, _ := io.ReadAll(s.req.Body)
				s.req.Header.Set("Host", s.req.Host)
				if s.req.Method != tt.method || string(body) != tt.body {
					t.Errorf("%s with %q came, want %s with %q", s.req.Method, body, tt.method, tt.body)
				}
				for name, want := range tt.header {
					if got := s.req.Header[name]; !slices.Equal(got, want) {
						t.Errorf("%s: %q came, want %q", name, got, want)
					}
				}
				s.send("data: a\n\n")
			})
			name := filepath.Join(t.TempDir(), "my.reel")
			ssereel(t, append(append([]string{"record", "-o", name}, tt.args...), server.URL+"/v1/chat")...).wantDone(t)
			wantWhole(t, name)
			if x := only(t, name); x.Method != tt.method {
				t.Errorf("recorded a %s, want %s", x.Method, tt.method)
			}
		})
	}
	missing := filepath.Join(t.TempDir(), "missing.json")
	ssereel(t, "record", "-d", "@"+missing, "http://127.0.0.1:1/").wantLine(t, 1, missing)
}

// The server gets credentials as they are; the reel has them nowhere.
func TestRecordCredentials(t *testing.T) {
	var req *http.Request
	server := serveStream(t, func(s stream) {
		req = s.req
		s.w.Header().Set("Set-Cookie", "session=s3cr3t-cookie-set")
		s.w.Header().Set("X-Refresh-Token", "s3cr3t-refresh")
		s.w.Header().Set("Content-Location", "/stream?signature=s3cr3t-signature")
		s.send("data: a\n\n")
	})
	name := filepath.Join(t.TempDir(), "my.reel")
	url := strings.Replace(server.URL, "http://", "http://me:s3cr3t-password@", 1) +
		"/stream?page=1&token=s3cr3t-token&api_key=s3cr3t-query&access_token=s3cr3t-access&signature=sha384%3As3cr3t"
	ssereel(t, "record", "-o", name,
		"-H", "Cookie: session=s3cr3t-cookie",
		"-H", "X-API-Key: s3cr3t-key",
		"-H", "api-key: s3cr3t-azure",
		"-H", "X-Auth-Token: s3cr3t-auth",
		"-H", "Proxy-Authorization: Basic s3cr3t-proxy",
		"-H", "X-Goog-Api-Key: s3cr3t-goog",
		"-d", `{"key":"s3cr3t-body"}`, url).wantDone(t)
	if user, password, ok := req.BasicAuth(); user != "me" || password != "s3cr3t-password" || !ok {
		t.Errorf("the server got the user %q and password %q", user, password)
	}
	if req.Header.Get("X-API-Key") != "s3cr3t-key" || req.FormValue("token") != "s3cr3t-token" {
		t.Errorf("the server got %q", req.Header)
	}
	reel := read(t, name)
	if strings.Contains(reel, "s3cr3t") {
		t.Errorf("a credential is in the reel:\n%s", reel)
	}
	if !strings.Contains(reel, "page=1&token=REDACTED&api_key=REDACTED&access_token=REDACTED&signature=REDACTED") {
		t.Errorf("what is no credential has gone:\n%s", reel)
	}
	wantWhole(t, name)
	name = filepath.Join(t.TempDir(), "my.reel")
	ssereel(t, "record", "-o", name, "-H", "authorization: Bearer s3cr3t", server.URL).wantDone(t)
	if req.Header.Get("Authorization") != "Bearer s3cr3t" || strings.Contains(read(t, name), "s3cr3t") {
		t.Errorf("the server got %q, and the reel has\n%s", req.Header.Get("Authorization"), read(t, name))
	}
}

// What only the owner may read, only the owner can, from the first byte on.
func TestRecordMode(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	server := serveStream(t, func(s stream) {
		s.sendTo(name, 1, "data: a\n\n")
		wantMode(t, name)
	})
	ssereel(t, "record", "-o", name, server.URL).wantDone(t)
	wantMode(t, name)

	// So it is where a file that all can read is overwritten.
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	ssereel(t, "record", "--force", "-o", name, server.URL).wantDone(t)
	wantMode(t, name)
}

func wantMode(t *testing.T, name string) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Error(err)
	} else if info.Mode() != 0o600 {
		t.Errorf("the file's mode is %v, want 0600", info.Mode())
	}
}

func TestRecordExistingFile(t *testing.T) {
	requests := 0
	server := serveStream(t, func(s stream) {
		requests++
		s.send("data: a\n\n")
	})
	name := write(t, "precious, and longer than what is about to be recorded"+strings.Repeat(".", 1<<12))
	before := read(t, name)
	ssereel(t, "record", "-o", name, server.URL).wantLine(t, 1, name, "--force", "-o")
	if requests != 0 || read(t, name) != before {
		t.Errorf("%d requests were made, and the file has %q", requests, read(t, name))
	}
	o := ssereel(t, "record", "-f", "-o", name, server.URL)
	o.wantDone(t)
	o.wantSummary(t, name, "1 event", "9 bytes", "")
	wantWhole(t, name)
}

// A recording that is there is lost to a new one, not to a server that has none.
func TestRecordForceKeepsWhatWasRecorded(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	name := write(t, assembly(t))
	ssereel(t, "record", "--force", "-o", name, server.URL).wantLine(t, 1, "404")
	if read(t, name) != assembly(t) {
		t.Errorf("the recording that was there is gone; the file has\n%s", read(t, name))
	}
}

func TestRecordToStdout(t *testing.T) {
	server := serveStream(t, func(s stream) { s.send("data: a\n\n") })
	o := ssereel(t, "record", "-o", "-", server.URL)
	if o.status != 0 || strings.Count(o.stderr, "\n") != 1 || !strings.Contains(o.stderr, "1 event, 9 bytes in") {
		t.Errorf("status %d, stderr %q", o.status, o.stderr)
	}
	wantWhole(t, write(t, o.stdout))
	server2 := httptest.NewServer(http.NotFoundHandler())
	defer server2.Close()
	ssereel(t, "record", "-o", "-", server2.URL).wantLine(t, 1, "404")
}

func TestRecordUnwritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	requests := 0
	server := serveStream(t, func(s stream) { requests++ })
	for _, name := range []string{filepath.Join(dir, "missing", "my.reel"), filepath.Join(file, "my.reel")} {
		ssereel(t, "record", "-o", name, server.URL).wantLine(t, 1, name, "-o")
	}
	ssereel(t, "record", "--force", "-o", dir, server.URL).wantLine(t, 1, dir, "-o")
	if requests != 0 {
		t.Errorf("%d requests were made", requests)
	}
	wantFiles(t, dir, "file")
}

func TestRecordDefaultName(t *testing.T) {
	server := serveStream(t, func(s stream) { s.send("data: a\n\n") })
	t.Chdir(t.TempDir())
	before := time.Now().Add(-time.Second)
	o := ssereel(t, "record", server.URL+"/stream")
	o.wantDone(t)
	name, _, _ := strings.Cut(o.stdout, ": ")
	o.wantSummary(t, name, "1 event", "9 bytes", "")
	moment, ok := strings.CutPrefix(name, strings.ReplaceAll(server.Listener.Addr().String(), ":", "-"))
	at, err := time.ParseInLocation("-20060102-150405.reel", moment, time.Local)
	if !ok || err != nil || at.Before(before.Truncate(time.Second)) || at.After(time.Now()) {
		t.Errorf("it is called %q, which is not HOST-DATE-TIME.reel of now", name)
	}
	wantFiles(t, ".", name)
	wantMode(t, name)
	wantWhole(t, name)
}

// Ctrl-C ends a recording as it should be ended, whatever the server does.
func TestRecordStopped(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	server := serveStream(t, func(s stream) {
		s.sendTo(name, 1, "data: a\n\n")
		s.sendTo(name, 2, "data: b\n")
		s.hang()
	})
	r := begin(t, nil, "record", "-o", name, server.URL+"/stream")
	awaitReads(t, name, 2)
	r.stop()
	o := outcome{r.wait(), r.stdout.String(), r.stderr.String()}
	o.wantDone(t)
	o.wantSummary(t, name, "1 event", "17 bytes", ", stopped")
	wantWhole(t, name)
	if x := only(t, name); x.End != replay.EndCanceled {
		t.Errorf("it ends with %q, want canceled", x.End)
	}
	o = ssereel(t, "events", name)
	o.wantDone(t)
	o.wantEvents(t, []event{{"message", "", "a"}})

	// To its own client the stream then ends, as far as it was recorded.
	resp := get(t, listening(t, begin(t, nil, "replay", "--speed", "max", name))+"/stream", nil)
	if b, err := io.ReadAll(resp.Body); string(b) != "data: a\n\ndata: b\n" || err != nil {
		t.Errorf("played %q, %v", b, err)
	}
}

// Before the server has answered there is nothing to keep.
func TestRecordStoppedEarly(t *testing.T) {
	arrived := make(chan struct{})
	server := serveStream(t, func(s stream) { close(arrived); s.hang() })
	dir := t.TempDir()
	r := begin(t, nil, "record", "-o", filepath.Join(dir, "my.reel"), server.URL)
	<-arrived
	r.stop()
	outcome{r.wait(), r.stdout.String(), r.stderr.String()}.wantLine(t, 1, "nothing was recorded")
	wantFiles(t, dir)
}

// Recorded, played, and recorded again: the same bytes in the same reads, and the
// same gaps between them.
func TestRecordReplayRecord(t *testing.T) {
	sent := []string{"id: 1\n\n", "data: a\n\ndata: b", "\n\n", "data: \xff\x00\r", "\n\r\n", "event: end\ndata\n\n"}
	gaps := []time.Duration{0, 300, 150, 400, 150, 200} // milliseconds, in front of each
	const tolerance = 120 * time.Millisecond            // of a busy machine
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first.reel"), filepath.Join(dir, "second.reel")
	server := serveStream(t, func(s stream) {
		s.w.Header().Set("X-Mine", "kept")
		for i, piece := range sent {
			time.Sleep(gaps[i] * time.Millisecond)
			s.sendTo(first, i+1, piece)
		}
	})
	ssereel(t, "record", "-o", first, server.URL+"/a/stream?b=c").wantDone(t)
	url := listening(t, begin(t, nil, "replay", first))
	ssereel(t, "record", "-o", second, url+"/a/stream?b=c").wantDone(t)
	wantWhole(t, second)

	a, b := only(t, first), only(t, second)
	if b.StatusCode != a.StatusCode || b.Header.Get("X-Mine") != "kept" || b.Header.Get("Content-Type") != "text/event-stream" || b.End != a.End {
		t.Errorf("recorded again, it is %d %v %q", b.StatusCode, b.Header, b.End)
	}
	if got := pieces(t, b); !slices.Equal(pieces(t, a), sent) || !slices.Equal(got, sent) {
		t.Errorf("reads:\n got %q\nwant %q", got, sent)
	}
	atA, atB := moments(t, a), moments(t, b)
	for i := 1; i < min(len(atA), len(atB)); i++ {
		gapA, gapB := atA[i]-atA[i-1], atB[i]-atB[i-1]
		if (gapA - gapB).Abs() > tolerance {
			t.Errorf("in front of read %d there were %v, and when it was played %v", i+1, gapA, gapB)
		}
	}
	if ssereel(t, "events", first).stdout != ssereel(t, "events", second).stdout {
		t.Error("the events differ")
	}
}
