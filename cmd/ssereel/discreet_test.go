package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// serveRaw is a server that answers each connection with this, and returns its URL. It closes
// the connection when hold is closed, at once if that is nil.
func serveRaw(t *testing.T, answer string, hold <-chan struct{}) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			io.WriteString(conn, answer)
			if hold != nil {
				<-hold
			}
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// What a server sends may have credentials in it, and an error may quote that.
func TestNoCredentialsOfServer(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	for _, tt := range []struct {
		name, answer  string
		record, proxy string // what they say
	}{
		{"a redirect to no URL", "HTTP/1.1 302 Found\r\nLocation: http://[u:s3cr3t@/?token=s3cr3t\r\nContent-Length: 0\r\n\r\n", "failed to parse Location header", "302 Found"},
		{"no header", head + "Authorization s3cr3t\r\n\r\n", "malformed MIME header", "malformed MIME header"},
		{"no length", head + "Content-Length: s3cr3t\r\n\r\n", "bad Content-Length …", "bad Content-Length …"},
		{"no response", "s3cr3t\r\n\r\n", "malformed HTTP response …", "malformed HTTP response …"},
		{"a reason", "HTTP/1.1 500 token=s3cr3t\r\nContent-Length: 0\r\n\r\n", "500 Internal Server Error", "500 Internal Server Error\n"},
		{"an unknown status", "HTTP/1.1 599 s3cr3t\r\nContent-Length: 0\r\n\r\n", "599", ": 599\n"},
		{"a trailer", head + "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n0\r\ns3cr3t\r\n\r\n", "malformed MIME header", "malformed MIME header"},
		{"a message", "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\n" + `{"error":"ASSEMBLY_NOT_FOUND","message":"None at http://u:s3cr3t@a.example/?token=s3cr3t"}`, "None at http://REDACTED@a.example/?token=REDACTED: check the URL", "404 Not Found"},
		{"a text", "HTTP/1.1 401 Unauthorized\r\n\r\nNo: token=s3cr3t\r\n", `("No: token=REDACTED")`, "401 Unauthorized"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := serveRaw(t, tt.answer, nil)
			o := ssereel(t, "record", "-o", filepath.Join(t.TempDir(), "my.reel"), url)
			if o.status != 1 || !strings.Contains(o.stderr, tt.record) || strings.Contains(o.stderr, "s3cr3t") {
				t.Errorf("record ends with %d and says %q, want %q", o.status, o.stderr, tt.record)
			}
			r := begin(t, nil, "proxy", "--mode", "passthrough", "--upstream", url)
			if resp, err := http.DefaultTransport.RoundTrip(httpRequest(t, listening(t, r)+"/")); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			r.stop()
			r.wait()
			if said := r.stderr.String(); !strings.Contains(said, tt.proxy) || strings.Contains(said, "s3cr3t") {
				t.Errorf("proxy says %q, want %q", said, tt.proxy)
			}
		})
	}
}

func httpRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// A command line that is wrong may have credentials in it.
func TestWrongUsageTellsNoCredentials(t *testing.T) {
	const stream = "http://127.0.0.1:1/?token=s3cr3t"
	for _, tt := range []struct {
		args  []string
		tells string
	}{
		{[]string{"record", "-H", "Authorization Bearer s3cr3t", stream}, "--header wants 'NAME: VALUE', such as 'Accept: text/event-stream';"},
		{[]string{"record", "-H", "Authorization Basic s3cr3t:s3cr3t", stream}, "--header wants"},
		{[]string{"record", "-H", "Authorization:", "Bearer", "s3cr3t", stream}, "there are 3 arguments, but only a URL is allowed: put a header"},
		{[]string{"record", "ftp://user:s3cr3t@h/?token=s3cr3t"}, "it has to begin with http:// or https://"},
		{[]string{"record", "s3cr3t:s3cr3t@h"}, "it has to begin with http:// or https://"},
		{[]string{"record", "https://user:s3cr3t@/"}, "it names no host"},
		{[]string{"record", "https://[user:s3cr3t@h/"}, "stream: invalid userinfo;"},
		{[]string{"record", "https://h/%s3cr3t"}, "invalid URL escape …"},
		{[]string{"record", "https://user:s3cr3t@h:99999/"}, "there is no port 99999"},
		{[]string{"proxy", "--upstream", "ftp://user:s3cr3t@h"}, "--upstream wants a URL like https://api.example.com: it has to begin"},
		{[]string{"proxy", "--upstream", "https://h", "curl", "https://h/?token=s3cr3t"}, "-- curl ..."},
	} {
		o := ssereel(t, tt.args...)
		o.wantLine(t, 2, tt.tells)
		if strings.Contains(o.stderr, "s3cr3t") {
			t.Errorf("%q: it says %q", tt.args, o.stderr)
		}
	}
}

// What net/http logs of a peer is not for the log of a test run.
func TestNothingOfNetHTTP(t *testing.T) {
	first := make(chan struct{})
	server := serveRaw(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\ntoken=s3cr3t", first)
	cmd := process(t, "proxy", "--mode", "passthrough", "--upstream", server, "--", "sh", "-c", "read line")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said text
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the proxy listens", func() bool { return strings.Contains(said.String(), "\n") })
	at := strings.TrimSpace(strings.TrimPrefix(said.String(), "listening on "))
	body(t, get(t, at+"/", nil))
	close(first)
	await(t, "the proxy tells of the request", func() bool { return strings.Contains(said.String(), "200 OK\n") })
	io.WriteString(in, "\n")
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if strings.Contains(said.String(), "s3cr3t") {
		t.Errorf("it says %q", said.String())
	}
}

func TestReason(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"EOF", "EOF"},
		{`bad Content-Length "a\"b"`, "bad Content-Length …"},
		{`got ["1" "2"], "three`, "got [… …], …"},
		{`Get "https://h/?token=a": broken`, `Get "https://h/?token=REDACTED": broken`},
		{"malformed MIME header line: Cookie a", "malformed MIME header"},
		{"a\nb\x1b[2J", "a\ufffdb\ufffd[2J"},
	} {
		if got := reason(errors.New(tt.text)); got != tt.want {
			t.Errorf("%s becomes %q, want %q", tt.text, got, tt.want)
		}
	}
	inner := fmt.Errorf("bad Content-Length %q", "a")
	for err, want := range map[error]string{
		&url.Error{Op: "Get", URL: "http://h/", Err: inner}: `Get "http://h/": bad Content-Length …`,
		errors.New(`it is "application/json"`):              `it is "application/json"`,
		os.ErrNotExist:                                      "file does not exist",
	} {
		if got := plain(err); got != want {
			t.Errorf("%v becomes %q, want %q", err, got, want)
		}
	}
}
