package main

import (
	"bufio"
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
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// serveAcknowledged is a server with an event stream at /stream, which sends the
// next of its events when the client has acknowledged the one before, with a POST to
// /ack. Whoever holds events back waits for ever.
func serveAcknowledged(t *testing.T, events int) *httptest.Server {
	acks := make(chan string, events)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/ack" {
			b, _ := io.ReadAll(req.Body)
			acks <- string(b)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range events {
			fmt.Fprintf(w, "data: {\"n\":%d,\"ack\":\"http://%s/ack\"}\n\n", i, req.Host)
			http.NewResponseController(w).Flush()
			select {
			case ack := <-acks:
				if ack != fmt.Sprint(i) {
					t.Errorf("event %d is acknowledged by %q", i, ack)
				}
			case <-req.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// wantProxied fails the test where the result line is not about these requests.
func wantProxied(t *testing.T, line, name, requests, bytes, end string) {
	t.Helper()
	if name != "" {
		name = regexp.QuoteMeta(name) + ": "
	}
	pattern := fmt.Sprintf(`^%s%s, %s in \d+\.\d s%s\n$`, name, requests, bytes, end)
	if !regexp.MustCompile(pattern).MatchString(line) {
		t.Errorf("the result is %q, want %s", line, pattern)
	}
}

func TestProxyHelp(t *testing.T) {
	if all := ssereel(t, "--help"); !regexp.MustCompile(`(?m)^ +proxy +\S`).MatchString(all.stdout) {
		t.Error("--help does not list proxy")
	}
	o := ssereel(t, "proxy", "--help")
	o.wantDone(t)
	for _, part := range []string{"ssereel proxy [OPTION]... [-- COMMAND [ARG]...]", "--upstream", "-o, --output", "--listen", "--mode", "--env", "-f, --force", "SSEREEL_PROXY_URL", "listening on http://HOST:PORT", "127", "--fault", "nothing that is passed on", "cannot be reached"} {
		if !strings.Contains(o.stdout, part) {
			t.Errorf("the help does not tell %q:\n%s", part, o.stdout)
		}
	}
}

func TestProxyWrongUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	const upstream = "http://127.0.0.1:1"
	for _, tt := range []struct {
		name  string
		args  []string
		tells string
	}{
		{"no upstream", nil, "--upstream"},
		{"no scheme", []string{"--upstream", "api.example.com"}, "api.example.com"},
		{"foreign scheme", []string{"--upstream", "ftp://api.example.com"}, "it has to begin with http:// or https://"},
		{"no host", []string{"--upstream", "https://"}, "https://"},
		{"no such port", []string{"--upstream", "https://api.example.com:99999"}, "99999"},
		{"a path", []string{"--upstream", "https://api.example.com/v1"}, "https://api.example.com,"},
		{"a query", []string{"--upstream", "https://api.example.com?a=b"}, "https://api.example.com,"},
		{"a password", []string{"--upstream", "https://u:s3cr3t@api.example.com"}, "password"},
		{"no mode", []string{"--upstream", upstream, "--mode", "play"}, `"play"`},
		{"a file for nothing", []string{"--upstream", upstream, "--mode", "passthrough", "-o", "my.reel"}, "-o"},
		{"a speed of nothing", []string{"--upstream", upstream, "--speed", "3"}, "--speed is for --mode auto and replay: nothing is replayed in mode record"},
		{"a silence of nothing", []string{"--upstream", upstream, "--mode", "passthrough", "--max-idle", "2s"}, "--max-idle is for --mode auto and replay: nothing is replayed in mode passthrough"},
		{"a fault of nothing", []string{"--upstream", upstream, "--mode", "record", "--fault", "cut"}, "--fault is for --mode auto and replay"},
		{"a seed of nothing", []string{"--upstream", upstream, "--seed", "1"}, "--seed is for --mode auto and replay"},
		{"no fault", []string{"--upstream", upstream, "--mode", "auto", "--fault", "quake"}, "--fault quake: there is no such fault"},
		{"no silence", []string{"--upstream", upstream, "--mode", "auto", "--max-idle", "-2s"}, "--max-idle wants a time such as 2s, not -2s"},
		{"standard output", []string{"--upstream", upstream, "-o", "-"}, "-o"},
		{"no port to listen on", []string{"--upstream", upstream, "--listen", "localhost"}, "HOST:PORT"},
		{"a command without --", []string{"--upstream", upstream, "npm", "test"}, "-- npm ..."},
		{"an argument before --", []string{"--upstream", upstream, "npm", "--", "test"}, "-- npm ..."},
		{"a variable without a command", []string{"--upstream", upstream, "--env", "API"}, "--env"},
		{"a variable with a space in its name", []string{"--upstream", upstream, "--env", "MY API", "--", "true"}, "MY API"},
		{"a variable without a name", []string{"--upstream", upstream, "--env", "=/v1", "--", "true"}, "=/v1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := ssereel(t, append([]string{"proxy"}, tt.args...)...)
			o.wantLine(t, 2, tt.tells, "--help")
			if strings.Contains(o.stderr, "s3cr3t") {
				t.Errorf("it tells the password: %s", o.stderr)
			}
			wantFiles(t, ".")
		})
	}
}

func TestProxyRecords(t *testing.T) {
	server := serveAcknowledged(t, 3)
	name := filepath.Join(t.TempDir(), "my.reel")
	r := begin(t, nil, "proxy", "--upstream", server.URL, "-o", name)
	at := listening(t, r)
	if !strings.HasPrefix(at, "http://127.0.0.1:") {
		t.Errorf("listening on %s, want loopback", at)
	}
	resp := get(t, at+"/stream?token=s3cr3t", accepting)
	want := ""
	for i := range 3 {
		event := fmt.Sprintf("data: {\"n\":%d,\"ack\":\"%s/ack\"}\n\n", i, at)
		buf := make([]byte, len(event))
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != event {
			t.Fatalf("%q, %v, want %q", buf, err, event)
		}
		wantMode(t, name)
		want += fmt.Sprintf("data: {\"n\":%d,\"ack\":\"%s/ack\"}\n\n", i, server.URL)
		ack, err := http.Post(at+"/ack", "text/plain", strings.NewReader(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		ack.Body.Close()
	}
	if rest := body(t, resp); rest != "" {
		t.Errorf("%q comes behind the last event", rest)
	}
	r.stop()
	if status := r.wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	wantProxied(t, r.line(), name, "4 requests recorded", fmt.Sprintf("%d bytes", len(want)), "")
	log := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d (\w+) (\S+): 200 OK$`).FindAllStringSubmatch(r.stderr.String(), -1)
	if strings.Count(r.stderr.String(), "\n") != 4 || len(log) != 4 || log[0][1] != "GET" || log[0][2] != server.URL+"/stream?…" || log[3][1] != "POST" {
		t.Errorf("stderr has\n%s", r.stderr.String())
	}
	wantWhole(t, name)
	x := open(t, name).Exchanges()
	if got := strings.Join(pieces(t, x[0]), ""); got != want || x[0].URL != server.URL+"/stream?token=REDACTED" || x[0].End != replay.EndEOF {
		t.Errorf("the reel has %s %q, end %q; want %q", x[0].URL, got, x[0].End, want)
	}
}

// A stream that is open when the proxy is stopped, and one whose server has gone.
func TestProxyStopped(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		io.WriteString(w, "abc")
		http.NewResponseController(w).Flush()
		if req.URL.Path == "/broken" {
			panic(http.ErrAbortHandler)
		}
		<-req.Context().Done()
	}))
	defer server.Close()
	name := filepath.Join(t.TempDir(), "my.reel")
	r := begin(t, nil, "proxy", "--upstream", server.URL, "-o", name)
	at := listening(t, r)
	if b, err := io.ReadAll(get(t, at+"/broken", nil).Body); err == nil {
		t.Errorf("%q ends as if it were all", b)
	}
	io.ReadFull(get(t, at+"/open", nil).Body, make([]byte, 3))
	r.stop()
	if status := r.wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	wantProxied(t, r.line(), name, "2 requests recorded", "6 bytes", "")
	if !regexp.MustCompile(`(?m)^\S+ GET \S+/broken: cut off after 3 bytes: `).MatchString(r.stderr.String()) {
		t.Errorf("stderr does not tell of the broken response: %s", r.stderr.String())
	}
	wantWhole(t, name)
	x := open(t, name).Exchanges()
	if len(x) != 2 || x[0].End != replay.EndReset || x[1].End != replay.EndCanceled {
		t.Errorf("the ends are %q, %q", x[0].End, x[1].End)
	}
}

func TestProxyNoServer(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	name := filepath.Join(t.TempDir(), "my.reel")
	r := begin(t, nil, "proxy", "--upstream", server.URL, "-o", name)
	if resp, err := http.Get(listening(t, r) + "/x"); err == nil {
		t.Errorf("the client gets %s", resp.Status)
	}
	r.stop()
	r.wait()
	if !strings.Contains(r.stderr.String(), "GET "+server.URL+"/x: no response: ") {
		t.Errorf("stderr has %q", r.stderr.String())
	}
	wantWhole(t, name)
}

// An error before anybody is told of an address.
func TestProxyUnwritable(t *testing.T) {
	dir := t.TempDir()
	existing := write(t, "precious")
	for _, tt := range []struct {
		args  []string
		parts []string
	}{
		{[]string{"-o", existing}, []string{existing, "--force"}},
		{[]string{"-o", filepath.Join(dir, "missing", "my.reel")}, []string{"missing", "-o"}},
		{[]string{"-f", "-o", dir}, []string{dir, "-o"}},
		{[]string{"-o", filepath.Join(dir, "my.reel"), "--listen", "192.0.2.1:0"}, []string{"192.0.2.1", "--listen"}},
	} {
		o := ssereel(t, append([]string{"proxy", "--upstream", "http://127.0.0.1:1"}, tt.args...)...)
		o.wantLine(t, 1, tt.parts...)
	}
	if read(t, existing) != "precious" {
		t.Error("the file that was there has gone")
	}
	wantFiles(t, dir)
}

// A recording that is there is overwritten by what is recorded, and by nothing else.
func TestProxyOverwrites(t *testing.T) {
	precious := strings.Repeat("precious", 1000)
	for _, requests := range []int{0, 1} {
		name := write(t, precious)
		r := begin(t, nil, "proxy", "--upstream", serveStream(t, func(s stream) { s.send("data: a\n\n") }).URL, "-f", "-o", name)
		at := listening(t, r)
		for range requests {
			body(t, get(t, at+"/", nil))
		}
		r.stop()
		r.wait()
		wantMode(t, name)
		if requests == 0 {
			wantProxied(t, r.line(), name, "0 requests, left as it was", "0 bytes", "")
			if b := read(t, name); b != precious {
				t.Errorf("the file has %.80q", b)
			}
			continue
		}
		wantProxied(t, r.line(), name, "1 request recorded", "9 bytes", "")
		wantWhole(t, name)
	}
}

func TestProxyDefaultName(t *testing.T) {
	t.Chdir(t.TempDir())
	r := begin(t, nil, "proxy", "--upstream", "http://[::1]:1/")
	listening(t, r)
	r.stop()
	r.wait()
	name, _, _ := strings.Cut(r.line(), ": ")
	if !regexp.MustCompile(`^--1-1-\d{8}-\d{6}\.reel$`).MatchString(name) {
		t.Errorf("it is called %q", name)
	}
	wantFiles(t, ".", name)
}

func TestProxyPassesThrough(t *testing.T) {
	t.Chdir(t.TempDir())
	server := serveStream(t, func(s stream) { s.send("data: a\n\n") })
	r := begin(t, nil, "proxy", "--upstream", server.URL, "--mode", "passthrough")
	if got := body(t, get(t, listening(t, r)+"/", nil)); got != "data: a\n\n" {
		t.Errorf("%q", got)
	}
	r.stop()
	r.wait()
	wantProxied(t, r.line(), "", "1 request passed on", "9 bytes", "")
	wantFiles(t, ".")
}

// In every mode that asks the server, each side of a connection that is switched may end its half.
func TestProxyHalfClose(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, r, _ := http.NewResponseController(w).Hijack()
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		b, _ := io.ReadAll(r)
		fmt.Fprintf(conn, "got %s", b)
	}))
	defer server.Close()
	for _, mode := range []string{"record", "auto", "passthrough"} {
		t.Run(mode, func(t *testing.T) {
			args := []string{"proxy", "--upstream", server.URL, "--mode", mode}
			if mode != "passthrough" {
				args = append(args, "-o", filepath.Join(t.TempDir(), "my.reel"))
			}
			r := begin(t, nil, args...)
			conn, err := net.Dial("tcp", strings.TrimPrefix(listening(t, r), "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(failsafe))
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
			answers := bufio.NewReader(conn)
			if resp, err := http.ReadResponse(answers, nil); err != nil || resp.StatusCode != 101 {
				t.Fatal(resp, err)
			}
			conn.(*net.TCPConn).CloseWrite()
			if b, err := io.ReadAll(answers); string(b) != "got hello" || err != nil {
				t.Errorf("%q, %v", b, err)
			}
			r.stop()
			r.wait()
		})
	}
}

// What net/http cannot parse, its error quotes: here a header with a credential.
func TestProxyMalformedHeader(t *testing.T) {
	t.Chdir(t.TempDir())
	url := serveRaw(t, "HTTP/1.1 200 OK\r\nSet-Cookie precious\r\n\r\n", nil)
	r := begin(t, nil, "proxy", "--upstream", url, "-o", "my.reel")
	if resp, err := http.Get(listening(t, r) + "/?key=precious"); err == nil {
		resp.Body.Close()
		t.Errorf("the client has got %s", resp.Status)
	}
	r.stop()
	r.wait()
	if got := r.stderr.String(); strings.Contains(got, "precious") || !strings.Contains(got, "malformed MIME header") {
		t.Errorf("stderr is %q", got)
	}
	if got := read(t, "my.reel"); strings.Contains(got, "precious") {
		t.Errorf("the recording is %q", got)
	}
}

func TestProxyListensForAll(t *testing.T) {
	r := begin(t, nil, "proxy", "--upstream", "http://127.0.0.1:1", "--mode", "passthrough", "--listen", "0.0.0.0:0")
	if at := listening(t, r); !strings.HasPrefix(at, "http://127.0.0.1:") || !strings.Contains(r.stderr.String(), "whoever can reach") {
		t.Errorf("listening on %s; stderr: %q", at, r.stderr.String())
	}
	r.stop()
	r.wait()
}

func TestProxyCommandNotFound(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	o := ssereel(t, "proxy", "--upstream", "http://127.0.0.1:1", "-o", name, "--", "no-such-command-here")
	o.wantLine(t, 127, "no-such-command-here")
	if _, err := os.Stat(name); err == nil {
		t.Error("there is a recording of nothing")
	}
}

// Mode auto records what the recording lacks, and mode replay needs no server.
func TestProxyReplays(t *testing.T) {
	asked := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked <- req.URL.Path
		fmt.Fprintf(w, "this is %s", req.URL.Path)
	}))
	defer server.Close()
	name := filepath.Join(t.TempDir(), "my.reel")
	proxied := func(mode string, paths ...string) (bodies []string, o outcome) {
		r := begin(t, nil, "proxy", "--mode", mode, "--upstream", server.URL, "-o", name)
		at := strings.TrimSpace(strings.TrimPrefix(r.line(), "listening on "))
		for _, path := range paths {
			res, err := http.Get(at + path)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, fmt.Sprintf("%d %s", res.StatusCode, body))
		}
		r.stop()
		status := r.wait()
		return bodies, outcome{status, r.stdout.String(), r.stderr.String()}
	}
	for i, step := range []struct {
		mode  string
		paths []string
		asked []string // of the server
		ends  string
	}{
		{"auto", []string{"/a"}, []string{"/a"}, "1 request, 0 from the recording, 1 recorded"},
		{"auto", []string{"/a", "/b"}, []string{"/b"}, "2 requests, 1 from the recording, 1 recorded"},
		{"auto", []string{"/b", "/a"}, nil, "2 requests, 2 from the recording, 0 recorded"},
		{"replay", []string{"/b", "/a"}, nil, "2 requests, 2 from the recording"},
	} {
		bodies, o := proxied(step.mode, step.paths...)
		for i, path := range step.paths {
			if want := "200 this is " + path; bodies[i] != want {
				t.Errorf("%s: %s is answered with %q, want %q", step.mode, path, bodies[i], want)
			}
			said := path + ": 200 OK"
			if !slices.Contains(step.asked, path) {
				said += ", from the recording"
			}
			if !strings.Contains(o.stderr, said+"\n") {
				t.Errorf("%s: of %s it says %q, want %q", step.mode, path, o.stderr, said)
			}
		}
		if o.status != 0 {
			t.Errorf("step %d ends with %d: %s%s", i, o.status, o.stdout, o.stderr)
		}
		_, last, _ := strings.Cut(o.stdout, "\n")
		wantProxied(t, last, name, step.ends, fmt.Sprintf("%d bytes", len(step.paths)*len("this is /a")), "")
		for _, want := range step.asked {
			if got := <-asked; got != want {
				t.Errorf("step %d asks the server for %s, want %s", i, got, want)
			}
		}
		if len(asked) > 0 {
			t.Errorf("step %d asks the server for %s as well", i, <-asked)
		}
	}
	wantWhole(t, name)
	bodies, o := proxied("replay", "/c")
	if !strings.HasPrefix(bodies[0], "404 GET ") || !strings.Contains(bodies[0], "/a") || !strings.Contains(o.stderr, "not in the recording") {
		t.Errorf("what is not recorded is answered with %q, and the proxy says %q", bodies[0], o.stderr)
	}
	if !strings.Contains(o.stderr, "/c: 404 Not Found\n") {
		t.Errorf("the proxy says %q, want the status of what it answers", o.stderr)
	}
	_, last, _ := strings.Cut(o.stdout, "\n")
	wantProxied(t, last, name, "1 request, 0 from the recording, 1 not in it", `\d+ bytes`, "")
	if o.status != 1 {
		t.Errorf("in the end the status is %d", o.status)
	}
	if len(asked) > 0 {
		t.Error("mode replay asks the server")
	}
	o = ssereel(t, "proxy", "--mode", "replay", "--upstream", server.URL, "-o", name+"2")
	o.wantLine(t, 1, "no such file or directory: record it in mode record")
	o = ssereel(t, "proxy", "--mode", "replay", "--upstream", server.URL, "-o", write(t, "Dear diary,\n"))
	o.wantLine(t, 1, `not a reel: the first line is "Dear diary,", not "reel 1": name a recording, or in mode auto a file that is not there yet`+"\n")
	o = ssereel(t, "proxy", "--mode", "auto", "--upstream", server.URL, "-o", write(t, "\x1f\x8b\x08\x00"))
	o.wantLine(t, 1, "not a reel: it is compressed with gzip: gunzip it first\n")
}

// What is replayed goes wrong as it is told to, and faster; what is passed on does not.
func TestProxyFaults(t *testing.T) {
	server := serveStream(t, func(s stream) { s.send("data: a\n\ndata: b\n\n") })
	slow := strings.NewReplacer("https://api2.example", server.URL, ". 1 +0.05", ". 1 +3600").Replace(paced)
	for _, mode := range []string{"auto", "replay"} {
		name := write(t, slow)
		r := begin(t, nil, "proxy", "--mode", mode, "--upstream", server.URL, "-o", name, "--max-idle", "1ms", "--fault", "cut@event=2", "--seed", "1")
		at := listening(t, r)
		b, err := io.ReadAll(get(t, at+"/ws20219?assembly=1", accepting).Body)
		if string(b) != "id: 1\n\ndata: a\n\n" || err == nil {
			t.Errorf("mode %s replays %q, %v, want it cut", mode, b, err)
		}
		if mode == "auto" {
			if got := body(t, get(t, at+"/other", accepting)); got != "data: a\n\ndata: b\n\n" {
				t.Errorf("%q is passed on", got)
			}
		}
		r.stop()
		r.wait()
		said := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d (.*: fault .*)$`).FindAllStringSubmatch(r.stderr.String(), -1)
		if want := "GET " + server.URL + "/ws20219?…: fault cut@event=2 in exchange 1"; len(said) != 1 || said[0][1] != want {
			t.Errorf("mode %s says %q, want %q", mode, r.stderr.String(), want)
		}
	}
	name := write(t, slow)
	r := begin(t, nil, "proxy", "--mode", "replay", "--upstream", server.URL, "-o", name, "--max-idle", "1ms")
	if got := body(t, get(t, listening(t, r)+"/ws20219?assembly=1", accepting)); got != strings.Join(pacedPieces, "") {
		t.Errorf("without a fault it replays %q", got)
	}
	r.stop()
	r.wait()
}

// Whoever waits for a fault is told when there is nothing that it could happen to. What is
// recorded meanwhile may have it.
func TestProxyIdleFaults(t *testing.T) {
	for mode, want := range map[string]string{
		"replay": "ssereel proxy: cut@event=9 will not happen: no event stream of the recording has that event\n",
		"auto":   "",
	} {
		r := begin(t, nil, "proxy", "--mode", mode, "--upstream", "https://api2.example", "-o", write(t, paced), "--fault", "cut@event=9", "--fault", "cut@event=2")
		listening(t, r)
		r.stop()
		r.wait()
		if got := r.stderr.String(); got != want {
			t.Errorf("mode %s says %q, want %q", mode, got, want)
		}
	}
}
