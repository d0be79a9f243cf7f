package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// listening returns the URL that a replay has printed on its first line.
func listening(t *testing.T, r *running) string {
	t.Helper()
	line := r.line()
	url, ok := strings.CutPrefix(line, "listening on ")
	if !ok || !regexp.MustCompile(`^http://[^/]+:[1-9][0-9]*\n$`).MatchString(url) {
		t.Fatalf("the first line is %q", line)
	}
	return strings.TrimSuffix(url, "\n")
}

func request(t *testing.T, method, url string, h http.Header) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), failsafe)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h.Clone()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func get(t *testing.T, url string, h http.Header) *http.Response {
	t.Helper()
	return request(t, "GET", url, h)
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s: %v", resp.Request.URL, err)
	}
	return string(b)
}

// accepting is what a browser's EventSource sends.
var accepting = http.Header{"Accept": {"text/event-stream"}, "Origin": {"https://app.example"}, "Cache-Control": {"no-store"}}

// paced is a reel with gaps of 50 ms between its reads.
const paced = `reel 1
> 1 +0 GET https://api2.example/ws20219?assembly=1
> 1 accept: text/event-stream
< 1 +0.01 200
< 1 content-type: text/event-stream
< 1 cache-control: no-cache
= 1 +0.05 7
|id: 1
|
= 1 +0.05 9
|data: a
|
= 1 +0.05 5
\data:
= 1 +0.05 4
| b
|
. 1 +0.05 eof
`

var pacedPieces = []string{"id: 1\n\n", "data: a\n\n", "data:", " b\n\n"}

func TestReplayWhere(t *testing.T) {
	r := begin(t, nil, "replay", "--speed", "max", write(t, paced))
	at := listening(t, r)
	if u, err := url.Parse(at); err != nil || u.Hostname() != "127.0.0.1" {
		t.Errorf("listening on %s, want loopback", at)
	}
	want := strings.Join(pacedPieces, "")
	for _, tt := range []struct {
		path string
		h    http.Header
	}{
		{"/ws20219?assembly=1", nil},
		{"/ws20219?assembly=1", accepting},
		{"/ws20219", accepting},
		{"/", accepting},
		{"", accepting},
		{"/", http.Header{"Accept": {"text/event-stream, */*;q=0.5"}}},
	} {
		resp := get(t, at+tt.path, tt.h)
		if got := body(t, resp); got != want || resp.StatusCode != 200 {
			t.Errorf("%s: %d, %q, want %q", tt.path, resp.StatusCode, got, want)
		}
		if resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: the header is %v", tt.path, resp.Header)
		}
	}
	for _, path := range []string{"/nothing", "/ws20219/", "/nothing?assembly=1"} {
		resp := get(t, at+path, accepting)
		if got := body(t, resp); resp.StatusCode != 404 || !strings.Contains(got, "/ws20219?assembly=1") {
			t.Errorf("%s: %d, %q; want 404 and what there is", path, resp.StatusCode, got)
		}
	}
	if resp := get(t, at, nil); !strings.Contains(body(t, resp), "/ws20219?assembly=1") || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		t.Error("who does not accept an event stream at / gets no list of what there is")
	}
	body(t, get(t, at+"/ws20219?assembly=1&signature=sha384:precious", accepting))
	r.stop()
	if status := r.wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if strings.Contains(r.stderr.String(), "precious") {
		t.Errorf("stderr tells a credential: %q", r.stderr.String())
	}
	if strings.Count(r.stdout.String(), "\n") != 1 {
		t.Errorf("more than the first line on stdout: %q", r.stdout.String())
	}
	if !strings.Contains(r.stderr.String(), "GET /ws20219?assembly=1") {
		t.Errorf("stderr tells of no request: %q", r.stderr.String())
	}
}

// A recording of an API that wants a POST is an event stream like any other.
func TestReplayPost(t *testing.T) {
	reel := "reel 1\n> 1 +0 POST https://api.example/v1/chat\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|data: a\n|\n. 1 +0 eof\n"
	at := listening(t, begin(t, nil, "replay", write(t, reel)))
	if resp := request(t, "POST", at+"/v1/chat", nil); resp.StatusCode != 200 || body(t, resp) != "data: a\n\n" {
		t.Errorf("POST /v1/chat: %s", resp.Status)
	}
	resp := get(t, at+"/", accepting)
	if got := body(t, resp); got != "data: a\n\n" {
		t.Errorf("GET / with Accept: text/event-stream: %q, want the stream", got)
	}
}

// All pieces come, each not before its moment.
func TestReplaySpeed(t *testing.T) {
	tests := []struct {
		speed  string
		factor float64
	}{{"", 1}, {"1", 1}, {"0.5", 0.5}, {"2", 2}}
	for _, tt := range tests {
		t.Run("speed "+tt.speed, func(t *testing.T) {
			args := []string{"replay", write(t, paced)}
			if tt.speed != "" {
				args = append(args, "--speed", tt.speed)
			}
			at := listening(t, begin(t, nil, args...))
			start := time.Now()
			resp := get(t, at+"/ws20219", nil)
			buf := make([]byte, 1<<10)
			due := func(piece int) time.Duration {
				return time.Duration(float64(10+50*(piece+1)) / tt.factor * float64(time.Millisecond))
			}
			got, whole := "", 0 // pieces
			for {
				n, err := resp.Body.Read(buf)
				took := time.Since(start)
				got += string(buf[:n])
				for whole < len(pacedPieces) && len(got) >= len(strings.Join(pacedPieces[:whole+1], "")) {
					if took < due(whole) {
						t.Errorf("piece %d came after %v, which is due after %v", whole+1, took, due(whole))
					}
					whole++
				}
				if err == io.EOF {
					if took < due(whole) {
						t.Errorf("the end came after %v, which is due after %v", took, due(whole))
					}
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if want := strings.Join(pacedPieces, ""); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// 12.4 seconds of an Assembly, ten times faster and as fast as it can.
func TestReplayFaster(t *testing.T) {
	name := write(t, assembly(t))
	x := only(t, name)
	want := strings.Join(pieces(t, x), "")
	for speed, span := range map[string][2]time.Duration{
		"10":   {(x.Ended - x.Sent) / 10, 6 * time.Second},
		"1000": {(x.Ended - x.Sent) / 1000, time.Second},
		"max":  {0, time.Second},
	} {
		t.Run(speed, func(t *testing.T) {
			t.Parallel()
			at := listening(t, begin(t, nil, "replay", "--speed", speed, name))
			start := time.Now()
			if got := body(t, get(t, at+"/", accepting)); got != want {
				t.Errorf("played %d bytes, which are not the %d recorded", len(got), len(want))
			}
			if took := time.Since(start); took < span[0] || took > span[1] {
				t.Errorf("it took %v, want %v to %v", took, span[0], span[1])
			}
		})
	}
}

// Each client is served by itself.
func TestReplayToSeveral(t *testing.T) {
	at := listening(t, begin(t, nil, "replay", write(t, paced)))
	done := make(chan string)
	for range 8 {
		go func() {
			resp, err := http.Get(at + "/ws20219")
			if err != nil {
				done <- err.Error()
				return
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			done <- fmt.Sprint(string(b), err)
		}()
	}
	for range 8 {
		if got, want := <-done, strings.Join(pacedPieces, "")+"<nil>"; got != want {
			t.Errorf("a client got %q, want %q", got, want)
		}
	}
}

// A page of any origin can use it, and one in a file.
func TestReplayCORS(t *testing.T) {
	at := listening(t, begin(t, nil, "replay", "--speed", "max", write(t, paced)))
	for _, origin := range []string{"https://app.example", "http://localhost:3000", "null"} {
		for _, path := range []string{"/", "/ws20219?assembly=1", "/nothing"} {
			resp := get(t, at+path, http.Header{"Accept": {"text/event-stream"}, "Origin": {origin}})
			if allowed := resp.Header.Values("Access-Control-Allow-Origin"); !slices.Equal(allowed, []string{"*"}) && !slices.Equal(allowed, []string{origin}) {
				t.Errorf("%s for %s: Access-Control-Allow-Origin is %q", path, origin, allowed)
			}
		}
		// withCredentials: true wants the origin by name.
		resp := get(t, at, http.Header{"Accept": {"text/event-stream"}, "Origin": {origin}, "Cookie": {"a=b"}})
		if resp.Header.Get("Access-Control-Allow-Credentials") == "true" && resp.Header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("credentials are allowed for the origin %q", resp.Header.Get("Access-Control-Allow-Origin"))
		}
		// What fetch asks before it sends headers such as Last-Event-ID.
		resp = request(t, "OPTIONS", at+"/ws20219", http.Header{
			"Origin":                         {origin},
			"Access-Control-Request-Method":  {"GET"},
			"Access-Control-Request-Headers": {"last-event-id,x-mine"},
		})
		if allowed := resp.Header.Get("Access-Control-Allow-Headers"); resp.StatusCode/100 != 2 ||
			!strings.Contains(strings.ToLower(allowed), "last-event-id") || !strings.Contains(strings.ToLower(allowed), "x-mine") {
			t.Errorf("the preflight is answered %s, with %q allowed", resp.Status, allowed)
		}
	}
}

// What the recorded server said of origins was about other pages.
func TestReplayCORSOfRecording(t *testing.T) {
	reel := strings.Replace(paced, "< 1 cache", "< 1 access-control-allow-origin: https://old.example\n< 1 cache", 1)
	at := listening(t, begin(t, nil, "replay", "--speed", "max", write(t, reel)))
	resp := get(t, at, accepting)
	if got := resp.Header.Values("Access-Control-Allow-Origin"); !slices.Equal(got, []string{"https://app.example"}) && !slices.Equal(got, []string{"*"}) {
		t.Errorf("Access-Control-Allow-Origin is %q", got)
	}
}

func TestReplayListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	name := write(t, paced)
	addr := taken.Addr().String()
	ssereel(t, "replay", "--listen", addr, name).wantLine(t, 1, addr, "address already in use", "--listen")
	ssereel(t, "replay", "--listen", "192.0.2.1:0", name).wantLine(t, 1, "192.0.2.1", "--listen")

	for _, loopback := range []string{"127.0.0.1:0", "localhost:0"} {
		r := begin(t, nil, "replay", "--listen", loopback, name)
		listening(t, r)
		r.stop()
		if r.wait(); r.stderr.String() != "" {
			t.Errorf("%s: stderr has %q", loopback, r.stderr.String())
		}
	}
	// Beyond loopback, others can read what was recorded: that is worth a word, and
	// what is printed is a URL to open.
	for _, everywhere := range []string{"0.0.0.0:0", ":0"} {
		r := begin(t, nil, "replay", "--speed", "max", "--listen", everywhere, name)
		at := listening(t, r)
		if got := body(t, get(t, at+"/ws20219", nil)); got != strings.Join(pacedPieces, "") {
			t.Errorf("%s plays %q", at, got)
		}
		r.stop()
		if r.wait(); !strings.Contains(r.stderr.String(), "whoever can reach") {
			t.Errorf("%s: stderr has %q", everywhere, r.stderr.String())
		}
	}
}

// What is good of a reel is served, and the rest told.
func TestReplayOfBadReel(t *testing.T) {
	tests := []struct {
		name   string
		reel   string
		plays  string
		breaks bool
		tells  string
	}{
		{"cut in a read", paced[:strings.Index(paced, "|data: a")+3], "id: 1\n\n", true, "truncated"},
		{"cut between reads", paced[:strings.Index(paced, "= 1 +0.05 5")], "id: 1\n\ndata: a\n\n", true, "truncated"},
		{"cut in front of the end", paced[:strings.Index(paced, ". 1")], "id: 1\n\ndata: a\n\ndata: b\n\n", true, "truncated"},
		{"cut in the end", paced[:strings.Index(paced, ". 1")+3], "id: 1\n\ndata: a\n\ndata: b\n\n", true, "truncated"},
		{"damaged line", strings.Replace(paced, "|data: a", "data: a", 1), "id: 1\n\n", true, "damaged"},
		{"damaged sum", strings.Replace(paced, "eof\n", "eof crc32c=00000000\n", 1), "id: 1\n\ndata: a\n\ndata: b\n\n", false, "damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := write(t, tt.reel)
			r := begin(t, nil, "replay", "--speed", "max", name)
			resp := get(t, listening(t, r)+"/ws20219", nil)
			if warning := r.stderr.String(); strings.Count(warning, name) != 1 || !strings.Contains(warning, tt.tells) || !strings.Contains(warning, "line ") {
				t.Errorf("the warning is %q", warning)
			}
			b, err := io.ReadAll(resp.Body)
			if string(b) != tt.plays || (err != nil) != tt.breaks {
				t.Errorf("played %q, %v; want %q, broken: %v", b, err, tt.plays, tt.breaks)
			}
			r.stop()
			if status := r.wait(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			if said := r.stderr.String(); strings.Contains(said, " and no end\n") != tt.breaks || !strings.Contains(said, ": 200 OK, exchange 1, recorded with ") || strings.Contains(said, "-0") {
				t.Errorf("it says %q, want that there is no end: %v", said, tt.breaks)
			}
		})
	}
}

func TestReplayOfNothing(t *testing.T) {
	for _, reel := range []string{"reel 1\n", "reel 1\n> 1 +0 GET /\n. 1 +0 reset\n"} {
		name := write(t, reel)
		ssereel(t, "replay", name).wantLine(t, 1, name, "no response")
	}
}

// Interrupted in the middle of a stream, it ends at once.
func TestReplayStopped(t *testing.T) {
	reel := strings.Replace(paced, "= 1 +0.05 9", "= 1 +3600 9", 1)
	r := begin(t, nil, "replay", write(t, reel))
	resp := get(t, listening(t, r)+"/ws20219", nil)
	if b := make([]byte, 7); true {
		if _, err := io.ReadFull(resp.Body, b); err != nil {
			t.Fatal(err)
		}
	}
	r.stop()
	if status := r.wait(); status != 0 {
		t.Errorf("exit status %d, stderr %q", status, r.stderr.String())
	}
	if b, err := io.ReadAll(resp.Body); err == nil || len(b) > 0 {
		t.Errorf("the client got %q and a clean end", b)
	}
}

// A client that leaves does not disturb the next.
func TestReplayClientLeaves(t *testing.T) {
	at := listening(t, begin(t, nil, "replay", write(t, paced)))
	resp := get(t, at+"/ws20219", nil)
	io.ReadFull(resp.Body, make([]byte, 7))
	resp.Body.Close()
	if got := body(t, get(t, at+"/ws20219", nil)); got != strings.Join(pacedPieces, "") {
		t.Errorf("the next client got %q", got)
	}
}

// What a client sends behind a request that it has not ended is no request of its own.
func TestReplayUnfinishedRequest(t *testing.T) {
	r := begin(t, nil, "replay", write(t, "reel 1\n> 1 +0 POST /upload\n< 1 +0 200\n= 1 +0\n\\ok\n. 1 +0 eof\n"))
	conn, err := net.Dial("tcp", strings.TrimPrefix(listening(t, r), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(failsafe))
	io.WriteString(conn, "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nfirst")
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); string(b) != "ok" || err != nil {
		t.Errorf("the response is %q, %v", b, err)
	}
	// A reset is an end, too.
	if b, err := io.ReadAll(in); len(b) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection goes on with %q, %v", b, err)
	}
}
