package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	logger "log"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/status"
)

// reads returns what each Read of a body returns, and when.
func reads(body io.Reader, began time.Time) (all []piece, err error) {
	for buf := make([]byte, 1<<16); ; {
		n, err := body.Read(buf)
		if n > 0 {
			all = append(all, piece{time.Since(began), string(buf[:n])})
		}
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// In a bubble, ten recorded minutes take no time, and every event comes at its exact
// moment all the same. This is how a program that listens to a stream is tested:
// record it once, give the program the Transport in place of the network, and run the
// test in synctest.Test.
func TestTenMinutesInNoTime(t *testing.T) {
	var b strings.Builder
	b.WriteString(version + "> 1 +0 GET https://api2.example.com/updates\n< 1 +0.25 200\n< 1 content-type: text/event-stream\n")
	for i := range 400 {
		fmt.Fprintf(&b, "= 1 +1.5\n|data: %d\n|\n", i)
	}
	b.WriteString(". 1 +0 eof\n")
	recording := mustLoad(t, b.String())

	fastest := time.Duration(math.MaxInt64)
	for range 10 { // the machine may be busy with something else
		began := time.Now()
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			client := &http.Client{Transport: recording.Transport(replay.Playback{})}
			res, err := client.Get("https://api2.example.com/updates")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			events, err := listen(res.Body, began)
			if err != nil || len(events) != 400 {
				t.Errorf("%d events, %v", len(events), err)
			}
			for i, ev := range events {
				want := 250*time.Millisecond + time.Duration(i+1)*1500*time.Millisecond
				if ev.At != want || ev.Data != fmt.Sprint(i) {
					t.Fatalf("event %d is %q at %v, want it at %v", i, ev.Data, ev.At, want)
				}
			}
			if took := time.Since(began); took < 10*time.Minute {
				t.Errorf("it took %v", took)
			}
		})
		fastest = min(fastest, time.Since(began))
	}
	if fastest > 10*time.Millisecond {
		t.Errorf("ten minutes took %v", fastest)
	}
}

func TestTransportPace(t *testing.T) {
	const ms = time.Millisecond
	one, two, three, four := "data: one, cut", " in mid-line\n\n", "data: at the same moment\r\n\r\n", "data: ten minutes later\n\n"
	for _, c := range []struct {
		name   string
		speed  float64
		header time.Duration
		end    time.Duration
		want   []piece
	}{
		{"as recorded", 1, 200 * ms, 602800 * ms, []piece{{300 * ms, one}, {800 * ms, two}, {800 * ms, three}, {600800 * ms, four}}},
		{"by default", 0, 200 * ms, 602800 * ms, []piece{{300 * ms, one}, {800 * ms, two}, {800 * ms, three}, {600800 * ms, four}}},
		{"ten times faster", 10, 20 * ms, 60280 * ms, []piece{{30 * ms, one}, {80 * ms, two}, {80 * ms, three}, {60080 * ms, four}}},
		{"at half the speed", 0.5, 400 * ms, 1205600 * ms, []piece{{600 * ms, one}, {1600 * ms, two}, {1600 * ms, three}, {1201600 * ms, four}}},
		{"as fast as it can", replay.MaxSpeed, 0, 0, []piece{{0, one}, {0, two}, {0, three}, {0, four}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				door := mustLoad(t, paced).Transport(replay.Playback{Speed: c.speed})
				time.Sleep(time.Minute) // it is the request that counts, not the Transport
				for range 2 {
					began := time.Now()
					res, err := door.RoundTrip(newRequest(t, "GET", "/stream"))
					if err != nil {
						t.Fatal(err)
					}
					if at := time.Since(began); at != c.header {
						t.Errorf("the header comes at %v, want %v", at, c.header)
					}
					got, err := reads(res.Body, began)
					if err != nil || !slices.Equal(got, c.want) {
						t.Errorf("the reads are %v %v, want %v", got, err, c.want)
					}
					if at := time.Since(began); at != c.end {
						t.Errorf("it ends at %v, want %v", at, c.end)
					}
					res.Body.Close()
				}
			})
		})
	}
	t.Run("a small buffer gets the rest at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			res, err := mustLoad(t, paced).Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/stream"))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var got []byte
			for buf := make([]byte, 1); len(got) < len(one); got = append(got, buf...) {
				if _, err := res.Body.Read(buf); err != nil {
					t.Fatal(err)
				}
			}
			if string(got) != one || time.Since(began) != 300*ms {
				t.Errorf("%q at %v", got, time.Since(began))
			}
			if n, err := res.Body.Read(nil); n != 0 || err != nil || time.Since(began) != 300*ms {
				t.Errorf("a Read of nothing: %d %v at %v", n, err, time.Since(began))
			}
		})
	})
	t.Run("a slow reader moves no later moment", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			text := opened + "= 1 +1\n\\a\n= 1 +1\n\\b\n= 1 +1\n\\c\n= 1 +7\n\\d\n" + eof
			began := time.Now()
			res, err := mustLoad(t, text).Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/s"))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			time.Sleep(5 * time.Second)
			got, err := reads(res.Body, began)
			if want := []piece{{5 * time.Second, "a"}, {5 * time.Second, "b"}, {5 * time.Second, "c"}, {10 * time.Second, "d"}}; err != nil || !slices.Equal(got, want) {
				t.Errorf("the reads are %v %v, want %v", got, err, want)
			}
		})
	})
}

// The Transport answers what the Handler does.
func TestTransportMatching(t *testing.T) {
	for _, c := range []struct {
		name, method, target, lastEventID, accept string
		want                                      int
	}{
		{name: "path and query", target: "https://api.example/a?x=1", want: 1},
		{name: "another query", target: "https://api.example/a?x=2", want: 2},
		{name: "a query that was not recorded", target: "https://api.example/a?x=3", want: 1},
		{name: "the method counts", method: "POST", target: "https://api.example/a?x=2", want: 3},
		{name: "the first that has a response", target: "https://api.example/b", want: 5},
		{name: "a stream's beginning", target: "https://api.example/ws?assembly=1", want: 7},
		{name: "the same Last-Event-ID", target: "https://api.example/ws?assembly=1", lastEventID: "8", want: 9},
		{name: "a path with escapes", target: "https://api.example/p%2Fq/%C3%A9?a=%20", want: 10},
		{name: "a parameter that was redacted", target: "https://api.example/c?token=real", want: 11},
		{name: "another host and scheme do not matter", target: "http://other.example:1234/a?x=2", want: 2},
		{name: "/ for an event stream", target: "https://api.example/", accept: "text/event-stream", want: 7},
		{name: "no path, for an event stream", target: "https://api.example", accept: "text/event-stream", want: 7},
		{name: "what signs does not count", target: "https://api.example/a?x=2&signature=s&params=%7B%7D", want: 2},
		{name: "what signs does not count, wherever it is", target: "https://api.example/a?params=%7B%7D&x=2&signature=s", want: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told []int
			door := mustLoad(t, library).Transport(replay.Playback{Speed: replay.MaxSpeed, OnServe: func(req *http.Request, x *replay.Exchange) {
				told = append(told, x.Number)
			}})
			if c.method == "" {
				c.method = "GET"
			}
			req := newRequest(t, c.method, c.target)
			if c.lastEventID != "" {
				req.Header.Set("Last-Event-ID", c.lastEventID)
			}
			if c.accept != "" {
				req.Header.Set("Accept", c.accept)
			}
			res, err := door.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if b, _ := io.ReadAll(res.Body); string(b) != fmt.Sprint(c.want) || !slices.Equal(told, []int{c.want}) {
				t.Errorf("it answers %q, and OnServe is told of %v; want %d", b, told, c.want)
			}
		})
	}
	t.Run("recorded with what signs", func(t *testing.T) {
		text := version
		for i, query := range []string{"page=1&signature=REDACTED&params=%7B%22a%22%3A1%7D", "page=2&signature=REDACTED&params=%7B%22a%22%3A2%7D"} {
			text += fmt.Sprintf("> %d +0 GET https://api.example/list?%s\n< %d +0 200\n= %d +0\n\\%d\n. %d +0 eof\n", i+1, query, i+1, i+1, i+1, i+1)
		}
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			for target, want := range map[string]string{
				"/list?page=1": "1", "/list?page=2": "2",
				"/list?page=2&signature=other&params=%7B%22a%22%3A3%7D": "2",
				"/list?page=2&signature=other&params=%7B%22a%22%3A1%7D": "2",
				"/list?signature=other&page=2":                          "2",
			} {
				if got := ask(t, door, "GET", target).body; got != want {
					t.Errorf("%s is answered with %s", target, got)
				}
			}
		})
	})
	t.Run("the same host is preferred", func(t *testing.T) {
		text := version
		for i, host := range []string{"one.example", "two.example:8443", "[::1]"} {
			text += fmt.Sprintf("> %d +0 GET https://%s/s\n< %d +0 200\n= %d +0\n\\%d\n. %d +0 eof\n", i+1, host, i+1, i+1, i+1, i+1)
		}
		door := mustLoad(t, text).Transport(replay.Playback{})
		for target, want := range map[string]string{
			"https://one.example/s": "1", "https://two.example:8443/s": "2", "https://[::1]/s": "3", "https://TWO.example:8443/s": "2",
			"https://one.example/s?x=1": "1", "https://two.example:8443/s?x=1": "2", "https://three.example/s": "1",
		} {
			if got := ask(t, door, "GET", target).body; got != want {
				t.Errorf("%s is answered with %s, want %s", target, got, want)
			}
		}
	})
	t.Run("no method is GET", func(t *testing.T) {
		req := newRequest(t, "GET", "https://api.example/a?x=2")
		req.Method = ""
		res, err := mustLoad(t, library).Transport(replay.Playback{Speed: replay.MaxSpeed}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	})
}

func TestTransportNotRecorded(t *testing.T) {
	door := mustLoad(t, library).Transport(replay.Playback{OnServe: func(*http.Request, *replay.Exchange) { t.Error("OnServe is told of it") }})
	for _, c := range []struct{ name, method, target string }{
		{"another path", "GET", "https://api.example/none"},
		{"a longer path", "GET", "https://api.example/a/"},
		{"another method", "DELETE", "https://api.example/a?x=1"},
		{"OPTIONS", "OPTIONS", "https://api.example/a?x=1"},
		{"an Assembly", "GET", "https://api.example" + storyPath},
		{"a job", "GET", "https://api.example/v1/jobs/job_x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := newRequest(t, c.method, c.target)
			synctest.Test(t, func(t *testing.T) {
				body := &noisyBody{Reader: strings.NewReader("x")}
				req.Body = body
				res, err := door.RoundTrip(req)
				if !errors.Is(err, replay.ErrNotRecorded) || res != nil {
					t.Errorf("%v, %v", res, err)
				}
				if !strings.Contains(fmt.Sprint(err), req.URL.Path) || !strings.Contains(fmt.Sprint(err), c.method) {
					t.Errorf("the error does not name the request: %v", err)
				}
				synctest.Wait()
				if !body.isClosed() {
					t.Error("the request's body is left open")
				}
			})
			_, err := (&http.Client{Transport: door}).Do(newRequest(t, c.method, c.target))
			if !errors.Is(err, replay.ErrNotRecorded) {
				t.Errorf("a Client says %v", err)
			}
		})
	}
	t.Run("a password is not told", func(t *testing.T) {
		_, err := door.RoundTrip(newRequest(t, "GET", "https://user:secretword@api.example/none?token=secretword"))
		if !errors.Is(err, replay.ErrNotRecorded) || strings.Contains(err.Error(), "user:secretword") {
			t.Errorf("%v", err)
		}
	})
}

// noisyBody is a request's body that notes what is done with it.
type noisyBody struct {
	io.Reader
	mu     sync.Mutex
	closed int
}

func (n *noisyBody) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed++
	return nil
}

func (n *noisyBody) isClosed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closed > 0
}

func TestTransportResponse(t *testing.T) {
	const text = version + `> 1 +0 GET https://api.example/s
< 1 +0 200
< 1 content-length: 4
< 1 content-type: text/plain
< 1 connection: keep-alive, x-hop
< 1 keep-alive: timeout=5
< 1 transfer-encoding: chunked
< 1 x-hop: 1
< 1 x-two: a
< 1 x-two: b
= 1 +0
\body
. 1 +0 eof
> 2 +0 GET https://api.example/open
< 2 +0 203
= 2 +0
\body
< 2 x-checksum: 42
< 2 x-late: yes
. 2 +0 eof
> 3 +0 GET https://api.example/none
< 3 +0 204
. 3 +0 eof
> 4 +0 GET https://api.example/odd
< 4 +0 799
< 4 content-length: many
. 4 +0 eof
`
	door := mustLoad(t, text).Transport(replay.Playback{})
	do := func(t *testing.T, method, target string) (*http.Response, *http.Request) {
		t.Helper()
		req := newRequest(t, method, target)
		res, err := door.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Request != req || res.Body == nil {
			t.Errorf("Request %p, want %p; Body %v", res.Request, req, res.Body)
		}
		if !strings.HasPrefix(res.Proto, "HTTP/") || res.ProtoMajor == 0 || !strings.HasPrefix(res.Status, fmt.Sprint(res.StatusCode)) {
			t.Errorf("%q %d.%d, %q for %d", res.Proto, res.ProtoMajor, res.ProtoMinor, res.Status, res.StatusCode)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res, req
	}
	t.Run("header and length", func(t *testing.T) {
		for range 2 {
			res, _ := do(t, "GET", "https://api.example/s")
			if res.StatusCode != 200 || res.Status != "200 OK" || res.ContentLength != 4 {
				t.Errorf("%s, %d bytes", res.Status, res.ContentLength)
			}
			if h := res.Header; h.Get("Content-Type") != "text/plain" || !slices.Equal(h.Values("X-Two"), []string{"a", "b"}) {
				t.Errorf("the header is %q", h)
			}
			for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "X-Hop"} {
				if v := res.Header.Values(name); v != nil {
					t.Errorf("%s, which is about the recorded connection: %q", name, v)
				}
			}
			for name, values := range res.Header { // the client may do with it as it likes
				values[0] = "changed"
				delete(res.Header, name)
			}
		}
	})
	t.Run("no length", func(t *testing.T) {
		if res, _ := do(t, "GET", "https://api.example/open"); res.ContentLength != -1 || res.StatusCode != 203 {
			t.Errorf("%d, %d bytes", res.StatusCode, res.ContentLength)
		}
	})
	t.Run("no content", func(t *testing.T) {
		res, _ := do(t, "GET", "https://api.example/none")
		if b, err := io.ReadAll(res.Body); res.ContentLength != 0 || len(b) > 0 || err != nil {
			t.Errorf("%d bytes, %q %v", res.ContentLength, b, err)
		}
	})
	t.Run("odd status and length", func(t *testing.T) {
		res, _ := do(t, "GET", "https://api.example/odd")
		if b, err := io.ReadAll(res.Body); res.StatusCode != 799 || len(b) > 0 || err != nil {
			t.Errorf("%d, %q %v", res.StatusCode, b, err)
		}
	})
	t.Run("trailers", func(t *testing.T) {
		res, _ := do(t, "GET", "https://api.example/open")
		if v := res.Trailer.Get("X-Checksum"); v != "" {
			t.Errorf("it is there before the body's end: %q", v)
		}
		if b, err := io.ReadAll(res.Body); string(b) != "body" || err != nil {
			t.Errorf("%q %v", b, err)
		}
		if res.Trailer.Get("X-Checksum") != "42" || res.Trailer.Get("X-Late") != "yes" {
			t.Errorf("the trailers are %q", res.Trailer)
		}
		if res.Header.Get("X-Checksum") != "" {
			t.Errorf("a trailer in the header: %q", res.Header)
		}
	})
	t.Run("HEAD", func(t *testing.T) {
		res, _ := do(t, "HEAD", "https://api.example/s")
		b, err := io.ReadAll(res.Body)
		if res.StatusCode != 200 || res.Header.Get("X-Two") != "a" || len(b) > 0 || err != nil {
			t.Errorf("%d %q, %q %v", res.StatusCode, res.Header, b, err)
		}
		if res.ContentLength != 4 {
			t.Errorf("ContentLength is %d, want that of GET", res.ContentLength)
		}
	})
	t.Run("the request stays as it was", func(t *testing.T) {
		req := newRequest(t, "GET", "https://api.example/s?token=real", "X-A", "1")
		was := req.Clone(t.Context())
		res, err := door.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if req.URL.String() != was.URL.String() || len(req.Header) != len(was.Header) || req.Host != was.Host {
			t.Errorf("it is %+v, was %+v", req, was)
		}
	})
	t.Run("its body is read and closed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			door := mustLoad(t, version+"> 1 +0 POST /s\n< 1 +1 200\n= 1 +0\n\\ok\n. 1 +1 eof\n").Transport(replay.Playback{})
			sent := strings.NewReader(strings.Repeat("x", 1<<20))
			body := &noisyBody{Reader: sent}
			req := newRequest(t, "POST", "/s")
			req.Body, req.ContentLength = body, 1<<20
			res, err := door.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			io.ReadAll(res.Body)
			res.Body.Close()
			synctest.Wait()
			if !body.isClosed() || sent.Len() > 0 {
				t.Errorf("closed %v, %d bytes left", body.isClosed(), sent.Len())
			}
		})
	})
}

func TestTransportEnds(t *testing.T) {
	body := "< 1 +1 200\n= 1 +1\n|data: 1\n"
	for _, c := range []struct {
		name, reel string
		at         time.Duration
		err        error
	}{
		{"eof", request + body + ". 1 +1 eof\n", 3 * time.Second, nil},
		{"canceled", request + body + ". 1 +1 canceled\n", 3 * time.Second, nil},
		{"reset", request + body + ". 1 +1 reset\n", 3 * time.Second, io.ErrUnexpectedEOF},
		{"cut off", request + body, 2 * time.Second, io.ErrUnexpectedEOF},
		{"timeout", request + body + ". 1 +1 timeout\n", time.Hour, context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec, _ := load(c.reel)
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				res, err := rec.Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/s").WithContext(ctx))
				if err != nil {
					t.Fatal(err)
				}
				got, err := reads(res.Body, began)
				if !slices.Equal(got, []piece{{2 * time.Second, "data: 1\n"}}) || !errors.Is(err, c.err) || time.Since(began) != c.at {
					t.Errorf("%v, then %v at %v; want %v at %v", got, err, time.Since(began), c.err, c.at)
				}
				if n, again := res.Body.Read(make([]byte, 9)); n != 0 || again == nil || c.err != nil && !errors.Is(again, c.err) || c.err == nil && again != io.EOF {
					t.Errorf("and then %d bytes, %v", n, again)
				}
				res.Body.Close()
			})
		})
	}
	t.Run("no response", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			res, err := mustLoad(t, request+". 1 +2 reset error=connection refused\n").Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/s"))
			if res != nil || err == nil || errors.Is(err, replay.ErrNotRecorded) || time.Since(began) != 2*time.Second {
				t.Errorf("%v %v at %v", res, err, time.Since(began))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			began = time.Now()
			_, err = mustLoad(t, request+". 1 +2 timeout\n").Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/s").WithContext(ctx))
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Hour {
				t.Errorf("timeout: %v at %v", err, time.Since(began))
			}
		})
	})
	t.Run("the error says why", func(t *testing.T) {
		for _, text := range []string{request + ". 1 +2 reset error=connection refused\n", opened + "= 1 +0\n|x\n. 1 +2 reset error=connection refused\n"} {
			synctest.Test(t, func(t *testing.T) {
				res, err := mustLoad(t, text).Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/s"))
				if err == nil {
					_, err = io.ReadAll(res.Body)
				}
				if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "connection refused") {
					t.Errorf("it says %v", err)
				}
			})
		}
		if _, err := mustLoad(t, request+". 1 +0 reset\n").Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/s")); err == nil || strings.Contains(err.Error(), "()") {
			t.Errorf("where nobody knows, it says %v", err)
		}
	})
	t.Run("the file fails", func(t *testing.T) {
		text, _ := threeReads(t)
		src := &fickle{Reader: strings.NewReader(text)}
		rec, err := replay.Load(src, int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		src.broken.Store(true)
		x := rec.Exchanges()[0]
		res, err := rec.Transport(replay.Playback{Speed: replay.MaxSpeed}).RoundTrip(newRequest(t, x.Method, x.URL))
		if err == nil {
			defer res.Body.Close()
			if b, err := io.ReadAll(res.Body); err == nil {
				t.Errorf("the client takes %q for all of it", b)
			}
		}
	})
}

// What a response says of itself is so.
func TestTransportHeader(t *testing.T) {
	p := replay.Playback{Speed: replay.MaxSpeed}
	t.Run("the length of a stream that is gone on with", func(t *testing.T) {
		const body = "id: 1\ndata: a\n\nid: 2\ndata: b\n\n"
		text := opened + "< 1 content-type: text/event-stream\n< 1 content-length: " + fmt.Sprint(len(body)) + "\n" + quotedRead(body) + eof
		door := mustLoad(t, text).Transport(p)
		for id, want := range map[string]string{"": fmt.Sprint(len(body)), "1": ""} {
			res, err := door.RoundTrip(newRequest(t, "GET", "/s", "Last-Event-ID", id))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(res.Body)
			if got := res.Header.Get("Content-Length"); got != want || res.ContentLength >= 0 && res.ContentLength != int64(len(b)) || err != nil {
				t.Errorf("behind %q Content-Length is %q and %d of %d bytes, %v", id, got, res.ContentLength, len(b), err)
			}
		}
	})
	t.Run("trailers are announced", func(t *testing.T) {
		text := opened + "= 1 +0\n\\body\n< 1 x-checksum: 42\n" + eof
		res, err := mustLoad(t, text).Transport(p).RoundTrip(newRequest(t, "GET", "/s"))
		if err != nil {
			t.Fatal(err)
		}
		if values, ok := res.Trailer["X-Checksum"]; !ok || values != nil {
			t.Errorf("in front of the body they are %q", res.Trailer)
		}
		if _, err := io.ReadAll(res.Body); err != nil || res.Trailer.Get("X-Checksum") != "42" {
			t.Errorf("behind it they are %q, %v", res.Trailer, err)
		}
	})
	t.Run("304 has no body", func(t *testing.T) {
		res, err := mustLoad(t, version+"> 1 +0 GET /s\n< 1 +0 304\n"+eof).Transport(p).RoundTrip(newRequest(t, "GET", "/s"))
		if err != nil || res.ContentLength != 0 {
			t.Errorf("%+v, %v", res, err)
		}
	})
	t.Run("a request without a URL", func(t *testing.T) {
		body := &noisyBody{Reader: strings.NewReader("x")}
		if _, err := mustLoad(t, paced).Transport(p).RoundTrip(&http.Request{Body: body}); err == nil || !body.isClosed() {
			t.Errorf("%v, and the body is closed: %v", err, body.isClosed())
		}
	})
}

// A client that goes away gets away at once.
func TestTransportContext(t *testing.T) {
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 250 * time.Millisecond, time.Second, 10 * time.Minute} {
		t.Run("canceled after "+after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if after == 0 {
					cancel()
				} else {
					time.AfterFunc(after, cancel)
				}
				began := time.Now()
				body := &noisyBody{Reader: strings.NewReader("x")}
				req := newRequest(t, "GET", "/stream").WithContext(ctx)
				req.Body = body
				res, err := mustLoad(t, paced).Transport(replay.Playback{}).RoundTrip(req)
				if err == nil {
					_, err = reads(res.Body, began)
					if n, again := res.Body.Read(make([]byte, 9)); n != 0 || !errors.Is(again, context.Canceled) {
						t.Errorf("and then %d bytes, %v", n, again)
					}
					res.Body.Close()
				}
				if !errors.Is(err, context.Canceled) || time.Since(began) != after {
					t.Errorf("%v at %v, want context.Canceled at %v", err, time.Since(began), after)
				}
				synctest.Wait()
				if !body.isClosed() {
					t.Error("the request's body is left open")
				}
			})
		})
		if after == 0 {
			continue
		}
		t.Run("a Client's Timeout of "+after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &http.Client{Transport: mustLoad(t, paced).Transport(replay.Playback{}), Timeout: after}
				began := time.Now()
				res, err := client.Do(newRequest(t, "GET", "/stream"))
				if err == nil {
					_, err = reads(res.Body, began)
					res.Body.Close()
				}
				var timeout interface{ Timeout() bool }
				if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(began) != after {
					t.Errorf("%v at %v, want a timeout at %v", err, time.Since(began), after)
				}
			})
		})
	}
	t.Run("what has arrived can be read behind a wait, until the context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			res, err := mustLoad(t, paced).Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/stream").WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			for range 9 {
				if _, err = res.Body.Read(make([]byte, 99)); err != nil {
					break
				}
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("it reads on: %v", err)
			}
			res.Body.Close()
		})
	})
}

func TestTransportClose(t *testing.T) {
	t.Run("unblocks a Read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			res, err := mustLoad(t, paced).Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/stream"))
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(5*time.Second, func() {
				if err := res.Body.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			got, err := reads(res.Body, began)
			if err == nil || len(got) != 3 || time.Since(began) != 5*time.Second+200*time.Millisecond {
				t.Errorf("%v, then %v at %v", got, err, time.Since(began))
			}
			if n, err := res.Body.Read(make([]byte, 9)); n != 0 || err == nil || err == io.EOF {
				t.Errorf("a Read after Close: %d bytes, %v", n, err)
			}
			if err := res.Body.Close(); err != nil {
				t.Errorf("Close again: %v", err)
			}
		})
	})
	t.Run("with bytes left", func(t *testing.T) {
		res, err := mustLoad(t, opened+"= 1 +0\n\\body\n"+eof).Transport(replay.Playback{}).RoundTrip(newRequest(t, "GET", "/s"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Read(make([]byte, 2))
		res.Body.Close()
		if n, err := res.Body.Read(make([]byte, 9)); n != 0 || err == nil || err == io.EOF {
			t.Errorf("a Read after Close: %d bytes, %v", n, err)
		}
	})
	// Bodies that are forgotten leave no goroutine behind: the bubble would not end.
	t.Run("forgotten", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for _, text := range []string{paced, story, opened + ". 1 +1 timeout\n"} {
				door := mustLoad(t, text).Transport(replay.Playback{})
				before := runtime.NumGoroutine()
				for _, target := range []string{"/stream", "/s", storyWS} {
					res, err := door.RoundTrip(newRequest(t, "GET", target))
					if errors.Is(err, replay.ErrNotRecorded) {
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					if text == paced {
						res.Body.Read(make([]byte, 1))
					}
				}
				synctest.Wait()
				if n := goroutines(before); n > before {
					t.Errorf("%d goroutines, %d before", n, before)
				}
			}
		})
	})
}

// goroutines returns how many goroutines there are, when there are no more than so many
// or none has ended for a while: those of other tests may be about to.
func goroutines(want int) int {
	for range 100_000 {
		if runtime.NumGoroutine() <= want {
			break
		}
		runtime.Gosched()
	}
	return runtime.NumGoroutine()
}

// Any number of clients at once, each with a start of its own.
func TestTransportManyClients(t *testing.T) {
	assembly, _, _ := goldenReel(t, "assembly.reel")
	for _, c := range []struct{ name, reel, target string }{
		{"paced", paced, "/stream"},
		{"an Assembly", assembly, "/ws20219?assembly=55a46ab12179453a8a20921a058b7546"},
	} {
		t.Run(c.name, func(t *testing.T) {
			throughDoors(t, c.reel, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				var want []piece
				for _, r := range contents(t, rec)[0].Reads {
					if r.Data != "" {
						want = append(want, piece{r.At - rec.Exchanges()[0].Sent, r.Data})
					}
				}
				before := runtime.NumGoroutine()
				var wg sync.WaitGroup
				for i := range 200 {
					wg.Go(func() {
						time.Sleep(time.Duration(i) * 77 * time.Millisecond)
						began := time.Now()
						res, err := door.RoundTrip(newRequest(t, "GET", c.target))
						if err != nil {
							t.Error(err)
							return
						}
						defer res.Body.Close()
						if i%10 == 9 { // gives up
							res.Body.Read(make([]byte, 1))
							return
						}
						if got, err := reads(res.Body, began); err != nil || !slices.Equal(got, want) {
							t.Errorf("client %d reads\n%v %v, want\n%v", i, got, err, want)
						}
					})
				}
				wg.Wait()
				synctest.Wait()
				if n := goroutines(before); n > before {
					t.Errorf("%d goroutines, %d before", n, before)
				}
			})
		})
	}
	// Streams, polls, starts and cancellations all at once: nothing is torn.
	t.Run("everything at once", func(t *testing.T) {
		throughDoors(t, story, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			var wg sync.WaitGroup
			for i := range 200 {
				wg.Go(func() {
					time.Sleep(time.Duration(i%50) * 333 * time.Millisecond)
					switch i % 5 {
					case 0, 1:
						a := attend(t, door, storyWS)
						if <-a.done; a.err != nil {
							t.Errorf("a stream: %v", a.err)
						}
					case 2:
						ask(t, door, "POST", "/assemblies").assembly(t, storyID)
					case 3:
						ask(t, door, "DELETE", storyPath).assembly(t, storyID)
					default:
						if got := ask(t, door, "GET", storyPath); got.status != 429 {
							got.assembly(t, storyID)
						}
					}
				})
			}
			wg.Wait()
		})
	})
}

// The Transport leaves URLs alone, and so does a Handler that is told to.
func TestURLs(t *testing.T) {
	const host = "127.0.0.1:7777"
	const recordedStatus = `{"ok" : "ASSEMBLY_UPLOADING","assembly_id":"` + storyID + `",
 "assembly_ssl_url":"https://api2-jane.example.com/assemblies/` + storyID + `", "assembly_url":"http://api2.jane.example.com/assemblies/` + storyID + `",
 "update_stream_url":"https:\/\/api2-jane.example.com\/ws20219?assembly=` + storyID + `","websocket_url":"https://api2-jane.example.com/ws20219",
 "tus_url":"https://api2-jane.example.com/resumable/files/","companion_url" :"https://api2-jane.example.com/companion/",
 "text":"see https://elsewhere.example/x, api2-jane.example.com", "results":{"s":[{"ssl_url":"https://files.example.net/r.jpg","url":"http://files.example.net/r.jpg"}]}}
`
	text := strings.ReplaceAll(version+`> 1 +0 POST https://api2.example.com/assemblies
< 1 +0 200
< 1 content-type: application/json; charset=utf-8
< 1 content-length: LENGTH
= 1 +0
BODY. 1 +0 eof
> 2 +1 GET https://api2-jane.example.com/ws20219?assembly=ID
< 2 +0 200
< 2 content-type: text/event-stream
= 2 +1
|id: ID
|
= 2 +1
|event: assembly_upload_finished
|data: {"id":"u1","tus_upload_url":"https://api2-jane.example.com/resumable/files/u1","ssl_url":"https://files.example.net/u1"}
|
= 2 +1
\data: {"a":"https://api2-jane.exa
= 2 +1
|mple.com/x"}
|
= 2 +1
\data: nothing to
= 2 +1
| write anew
|
. 2 +1 eof
> 3 +0 GET https://api2-jane.example.com/image
< 3 +0 200
< 3 content-type: image/jpeg
= 3 +0
|https://api2-jane.example.com/
. 3 +0 eof
> 4 +0 GET https://api2-jane.example.com/gzip
< 4 +0 200
< 4 content-type: application/json
< 4 content-encoding: gzip
= 4 +0
|"https://api2-jane.example.com/"
. 4 +0 eof
> 5 +0 GET https://api2.jane.example.com/
< 5 +0 404
. 5 +0 eof
`, "ID", storyID)
	text = strings.NewReplacer("LENGTH", fmt.Sprint(len(recordedStatus)), "BODY", "|"+strings.ReplaceAll(strings.TrimSuffix(recordedStatus, "\n"), "\n", "\n|")+"\n").Replace(text)
	rewritten := strings.NewReplacer(
		`https://api2-jane.example.com`, "http://"+host, `http://api2.jane.example.com`, "http://"+host,
		`https:\/\/api2-jane.example.com`, `http:\/\/`+host).Replace

	for _, c := range []struct {
		name string
		open func(*replay.Recording) http.RoundTripper
		want func(string) string
	}{
		{"Handler", func(rec *replay.Recording) http.RoundTripper { return desk{rec.Handler(replay.Playback{})} }, rewritten},
		{"Handler that keeps them", func(rec *replay.Recording) http.RoundTripper {
			return desk{rec.Handler(replay.Playback{KeepURLs: true})}
		}, strings.Clone},
		{"Transport", func(rec *replay.Recording) http.RoundTripper { return rec.Transport(replay.Playback{}) }, strings.Clone},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := mustLoad(t, text)
				door := c.open(rec)
				got := ask(t, door, "POST", "http://"+host+"/assemblies")
				if want := c.want(recordedStatus); got.body != want {
					t.Errorf("the Status is\n%s, want\n%s", got.body, want)
				}
				if n := got.header.Get("Content-Length"); n != "" && n != fmt.Sprint(len(got.body)) {
					t.Errorf("Content-Length is %s, there are %d bytes", n, len(got.body))
				}
				began := time.Now()
				res, err := door.RoundTrip(newRequest(t, "GET", "http://"+host+storyWS))
				if err != nil {
					t.Fatal(err)
				}
				all, err := reads(res.Body, began)
				if res.Body.Close(); err != nil {
					t.Error(err)
				}
				var stream string
				for _, p := range all {
					stream += p.Data
				}
				if want := c.want(recorded(t, rec, 2)); stream != want {
					t.Errorf("the stream is\n%s, want\n%s", stream, want)
				}
				if n := len(all); n != 6 || !slices.Equal(all[n-2:], []piece{{5 * time.Second, "data: nothing to"}, {6 * time.Second, " write anew\n\n"}}) {
					t.Errorf("reads without URLs are cut anew: %q", all)
				}
				for _, path := range []string{"/image", "/gzip"} {
					if got := ask(t, door, "GET", "http://"+host+path).body; !strings.Contains(got, "https://api2-jane.example.com/") {
						t.Errorf("%s, which is no JSON, is %q", path, got)
					}
				}
				// What is made up has the same URLs as what was recorded.
				time.Sleep(500 * time.Millisecond)
				for range 2 {
					a := ask(t, door, "GET", "http://"+host+storyPath).assembly(t, storyID)
					if want := c.want("https://api2-jane.example.com" + storyPath); a.AssemblySSLURL != want {
						t.Errorf("assembly_ssl_url is %q, want %q", a.AssemblySSLURL, want)
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
	// URLs of a machine that the recording has no request to.
	t.Run("a machine that only the Status names", func(t *testing.T) {
		text := version + "> 1 +0 POST https://api2.example.com/assemblies\n< 1 +0 200\n< 1 content-type: application/json\n= 1 +0\n|" +
			`{"ok":"ASSEMBLY_UPLOADING","assembly_id":"` + storyID + `","assembly_ssl_url":"https://api2-jane.example.com/assemblies/` + storyID + `"}` + "\n. 1 +0 eof\n"
		a := ask(t, desk{mustLoad(t, text).Handler(replay.Playback{})}, "POST", "http://"+host+"/assemblies").assembly(t, storyID)
		if a.AssemblySSLURL != "http://"+host+storyPath {
			t.Errorf("a client that polls it leaves the replay server: %s", a.AssemblySSLURL)
		}
	})
	// Whichever way the client has come in, it stays there.
	t.Run("in headers, over TLS", func(t *testing.T) {
		text := opened + "< 1 location: https://api2.example.com/a\n< 1 link: <https://api2.example.com/b>; rel=next, <https://elsewhere.example/>\n" +
			"< 1 content-type: text/plain\n= 1 +0\n\\https://api2.example.com/c\n" + eof + "> 2 +0 GET https://api2.example.com/d\n. 2 +0 reset\n"
		rec := mustLoad(t, text)
		h := rec.Handler(replay.Playback{})
		for _, origin := range []string{"https://" + host, "http://localhost:1"} { // no client is led to where another came in
			req := httptest.NewRequest("GET", origin+"/s", nil)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if to, link := w.Header().Get("Location"), w.Header().Get("Link"); to != origin+"/a" || link != "<"+origin+"/b>; rel=next, <https://elsewhere.example/>" {
				t.Errorf("at %s Location is %q, Link %q", origin, to, link)
			}
			if w.Body.String() != "https://api2.example.com/c" {
				t.Errorf("a plain text is %q", w.Body)
			}
		}
		if to := rec.Exchanges()[0].Header.Get("Location"); to != "https://api2.example.com/a" {
			t.Errorf("the recording itself says %q now", to)
		}
	})
	t.Run("at the end of a text", func(t *testing.T) {
		for _, body := range []string{`{"a":"https://api2.example.com/","b":"`, `{"a":"https://api2.example.com/"} http`, `https://api2.example.com`, `https:`, `"w`} {
			text := version + "> 1 +0 GET https://api2.example.com/s\n< 1 +0 200\n< 1 content-type: application/json\n= 1 +0\n\\" + body + "\n" + eof
			h := mustLoad(t, text).Handler(replay.Playback{})
			for range 2 {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("GET", "http://"+host+"/s", nil))
				if want := strings.ReplaceAll(body, "https://api2.example.com", "http://"+host); w.Body.String() != want {
					t.Errorf("%q becomes %q, want %q", body, w.Body, want)
				}
			}
		}
	})
	t.Run("in the rest of a block, when the Assembly is canceled", func(t *testing.T) {
		text := version + "> 1 +0 GET https://api2.example.com" + storyWS + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n" +
			"= 1 +0\n|id: " + storyID + "\n|\n= 1 +0\n\\data: \n= 1 +9\n|https://api2.example.com/x\n|\n= 1 +9\n|data: assembly_finished\n|\n. 1 +0 eof\n"
		synctest.Test(t, func(t *testing.T) {
			door := desk{mustLoad(t, text).Handler(replay.Playback{})}
			heard := attend(t, door, "http://"+host+storyWS)
			time.Sleep(time.Second)
			ask(t, door, "DELETE", "http://"+host+storyPath)
			if <-heard.done; heard.err != nil || len(heard.heard) != 2 || heard.heard[0].Data != "http://"+host+"/x" || heard.heard[1].Type != "assembly_error" {
				t.Errorf("the stream says %v, %v", heard.heard, heard.err)
			}
		})
	})
	t.Run("over HTTP", func(t *testing.T) {
		server := httptest.NewServer(mustLoad(t, text).Handler(replay.Playback{Speed: replay.MaxSpeed}))
		defer server.Close()
		res, err := http.Post(server.URL+"/assemblies", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		var a status.Assembly
		if err := errors.Join(err, status.DecodeAssembly(b, &a)); err != nil {
			t.Fatal(err)
		}
		if a.AssemblySSLURL != server.URL+storyPath || a.UpdateStreamURL != server.URL+storyWS {
			t.Errorf("%s, %s", a.AssemblySSLURL, a.UpdateStreamURL)
		}
		stream, err := http.Get(a.UpdateStreamURL)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Body.Close()
		if heard, err := listen(stream.Body, time.Now()); err != nil || len(heard) != 3 {
			t.Errorf("its stream says %v, %v", heard, err)
		}
	})
}

// A request's body that nobody needs is no trouble to the server, which says so in its log.
func TestHandlerRequestBodies(t *testing.T) {
	var log strings.Builder
	server := httptest.NewUnstartedServer(mustLoad(t, story).Handler(replay.Playback{Speed: replay.MaxSpeed}))
	server.Config.ErrorLog = logger.New(&log, "", 0)
	server.Start()
	for i := range 300 {
		res, err := http.Post(server.URL+"/assemblies", "application/json", strings.NewReader(strings.Repeat("x", i%3*1000)))
		if err != nil {
			t.Errorf("request %d: %v", i, err)
			continue
		}
		if b, err := io.ReadAll(res.Body); err != nil || len(b) == 0 {
			t.Errorf("request %d: %q %v", i, b, err)
		}
		res.Body.Close()
	}
	server.Close()
	if log.Len() > 0 {
		t.Errorf("the server says %s", clip(log.String()))
	}
}

// Whatever is recorded and whatever is asked, nothing panics, and what is called JSON is.
func TestOddities(t *testing.T) {
	exchange := func(request, kind, body string) string {
		return fmt.Sprintf("> 1 +0 %s\n< 1 +0 200\n< 1 content-type: %s\n= 1 +0 %d\n%s. 1 +1 eof\n", request, kind, len(body), escaped(body))
	}
	const post, poll, stream = "POST /assemblies", "GET /assemblies/x", "GET /ws1?assembly=x"
	const asJSON, asStream = "application/json", "text/event-stream"
	deep := strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)
	reels := map[string]string{
		"empty":                   "",
		"no response":             "> 1 +0 GET /assemblies/x\n. 1 +0 reset\n> 2 +0 POST /assemblies\n. 2 +0 timeout\n",
		"an empty start":          exchange(post, asJSON, ""),
		"an empty poll":           exchange(poll, asJSON, ""),
		"not JSON":                exchange(poll, asJSON, `{"ok":"ASSEMBLY_`) + strings.ReplaceAll(exchange(post, asJSON, "<html>"), " 1 +", " 2 +"),
		"an array":                exchange(poll, asJSON, `["ok"]`),
		"null":                    exchange(post, asJSON, `null`),
		"an id that is a number":  exchange(post, asJSON, `{"ok":"ASSEMBLY_UPLOADING","assembly_id":12}`),
		"an id that is null":      exchange(post, asJSON, `{"ok":"ASSEMBLY_UPLOADING","assembly_id":null}`),
		"an empty id":             exchange(post, asJSON, `{"ok":"ASSEMBLY_UPLOADING","assembly_id":""}`),
		"an id with escapes":      exchange(post, asJSON, `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"a/\"\u0000\ud800b"}`),
		"another id":              exchange(poll, asJSON, `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"y"}`),
		"deep":                    exchange(poll, asJSON, deep),
		"a Status as text":        exchange(poll, "text/plain", `{"ok":"ASSEMBLY_UPLOADING","assembly_id":"x"}`),
		"a job without an id":     exchange("POST /v1/generate/detect", asJSON, `{"job":{}}`),
		"a job that is none":      exchange("GET /v1/jobs/x", asJSON, `{"job":[]}`),
		"an empty stream":         exchange(stream, asStream, ""),
		"a stream of noise":       exchange(stream, asStream, "\x00\xff\r\r\n\n:\n\ndata"),
		"updates of noise":        exchange(stream, asStream, "id: x\n\nevent: assembly_result_finished\ndata: {\n\nevent: assembly_error\ndata: \x00\"\n\ndata: assembly_finished\n\n"),
		"updates of odd shapes":   exchange(stream, asStream, "id: x\n\nevent: assembly_result_finished\ndata: [1,[2]]\n\nevent: assembly_upload_finished\ndata: null\n\nevent: assembly_execution_progress\ndata: []\n\n"),
		"an id that is no id":     exchange(stream, asStream, "id: \x01\"é\\\n\ndata: assembly_finished\n\n"),
		"a stream without an id":  exchange("GET /ws1", asStream, "data: assembly_finished\n\n"),
		"a stream, empty query":   exchange("GET /ws1?assembly=", asStream, "data: assembly_finished\n\n"),
		"no path":                 exchange("GET https://api2.example.com", asStream, "data: 1\n\n"),
		"no URL":                  exchange("GET %%%", asJSON, "1"),
		"a redirect to nowhere":   "> 1 +0 GET /assemblies/x\n< 1 +0 302\n. 1 +0 eof\n",
		"cut off":                 "> 1 +0 GET /assemblies/x\n< 1 +0 200\n= 1 +0 9\n\\{\"ok\"",
		"a DELETE of its own":     exchange("DELETE /assemblies/x", asJSON, `{}`),
		"far in the future":       "> 1 +9000000000 GET /assemblies/x\n< 1 +0 200\n= 1 +0\n\\{}\n. 1 +0 eof\n",
		"many blank lines":        exchange(stream, asStream, strings.Repeat("\n", 10000)),
		"an Assembly":             story[len(version):],
		"an error without a code": exchange(poll, asJSON, `{"error":{},"assembly_id":"x"}`),
	}
	targets := []string{
		"/", "//", "///", "/.", "/..", "/assemblies", "/assemblies/", "/assemblies//", "/assemblies/x", "/assemblies/x/", "/assemblies/x/y", "/assemblies/../x",
		"/assemblies/%00", "/assemblies/%2F", "/assemblies/%FF%FE", "/assemblies/x?", "/assemblies/x?%zz=%", "/assemblies/x?;=;&&=&signature", "/assemblies/12", "/assemblies/a%2F%22%00b",
		"/assemblies/" + strings.Repeat("f", 33), "/assemblies/" + strings.Repeat("x", 1<<16), storyPath, storyWS,
		"/ws1", "/ws1?assembly", "/ws1?assembly=x", "/ws1?assembly=x&assembly=y", "/v1/jobs", "/v1/jobs/", "/v1/jobs//", "/v1/jobs/x", "/v1/generate/detect", "/v1/generate/", "/v1",
	}
	for name, text := range reels {
		t.Run(name, func(t *testing.T) {
			throughDoors(t, version+text, replay.Playback{MaxIdle: time.Second}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				for _, method := range []string{"POST", "GET", "HEAD", "GET", "DELETE", "GET", "OPTIONS", "PUT", "BREW"} {
					for _, target := range targets {
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						req := newRequest(t, method, target).WithContext(ctx)
						if len(target)%2 == 0 {
							req.Header.Set("Last-Event-ID", "x")
						}
						if method != "POST" {
							req.Header.Set("Accept", "*/*;q=,, text/event-stream; ;")
						}
						if res, err := door.RoundTrip(req); err == nil {
							b, err := io.ReadAll(res.Body)
							res.Body.Close()
							if made := !strings.Contains(text, string(b)); err == nil && made && method != "HEAD" && strings.Contains(res.Header.Get("Content-Type"), "json") && !json.Valid(b) {
								t.Fatalf("%s %s is answered with %d %q", method, clip(target), res.StatusCode, clip(string(b)))
							}
						}
						cancel()
					}
				}
			})
		})
	}
	t.Run("odd requests", func(t *testing.T) {
		door := mustLoad(t, story).Transport(replay.Playback{Speed: replay.MaxSpeed})
		for name, req := range map[string]*http.Request{
			"zero":           {},
			"no URL":         {Method: "GET", Header: http.Header{}},
			"no header":      {Method: "GET", URL: &url.URL{Scheme: "https", Host: "x", Path: storyPath}},
			"no header, ws":  {Method: "GET", URL: &url.URL{Path: "/ws20219"}},
			"opaque":         {Method: "GET", URL: &url.URL{Scheme: "mailto", Opaque: "x"}},
			"no slash":       {Method: "GET", URL: &url.URL{Path: "assemblies/" + storyID}},
			"star":           {Method: "OPTIONS", URL: &url.URL{Path: "*"}},
			"a closed body":  {Method: "POST", URL: &url.URL{Path: "/assemblies"}, Body: http.NoBody},
			"a failing body": {Method: "POST", URL: &url.URL{Path: "/assemblies"}, Body: io.NopCloser(io.MultiReader(bytes.NewReader(nil), failing{}))},
			"header without": {Method: "GET", URL: &url.URL{Path: "/"}, Header: http.Header{"Accept": nil, "Last-Event-Id": {}}},
		} {
			t.Run(name, func(t *testing.T) {
				if res, err := door.RoundTrip(req); err == nil {
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			})
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errGone }

// escaped is the quoted line of a reel that carries these bytes.
func escaped(s string) string {
	var b strings.Builder
	b.WriteString("~")
	for _, c := range []byte(s) {
		if c < ' ' || c >= 0x7f || c == '\\' {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String() + "\n"
}

// counting counts the reads of a reel.
type counting struct {
	io.ReaderAt
	reads int
}

func (r *counting) ReadAt(p []byte, off int64) (int, error) {
	r.reads++
	return r.ReaderAt.ReadAt(p, off)
}

// Small bodies are kept in memory while there is room, whatever has been asked for that
// did not fit.
func TestSmallBodiesAreKept(t *testing.T) {
	const large = 17
	var b strings.Builder
	b.WriteString(version)
	for i := 1; i <= large+1; i++ {
		size := 1<<20 - 1<<10 // of which sixteen fit, and a little more
		if i > large {
			size = 100
		}
		fmt.Fprintf(&b, "> %d +0 GET /%[1]d\n< %[1]d +0 200\n= %[1]d +0 %d\n\\%s\n. %[1]d +0 eof\n", i, size, strings.Repeat("x", size))
	}
	src := &counting{ReaderAt: strings.NewReader(b.String())}
	rec, err := replay.Load(src, int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	door := rec.Transport(replay.Playback{Speed: replay.MaxSpeed})
	for range 2 {
		for i := 1; i <= large; i++ {
			ask(t, door, "GET", fmt.Sprint("/", i))
		}
	}
	small := fmt.Sprint("/", large+1)
	ask(t, door, "GET", small)
	src.reads = 0
	if got := ask(t, door, "GET", small); len(got.body) != 100 || src.reads != 0 {
		t.Errorf("%d bytes took %d reads of the reel", len(got.body), src.reads)
	}
}

// What says that a request is not recorded shows none of its credentials.
func TestTransportHidesCredentials(t *testing.T) {
	req := get(t, "http://me:s3cr3t@h/nowhere?signature=s3cr3t&page=2")
	_, err := mustLoad(t, "reel 1\n").Transport(replay.Playback{}).RoundTrip(req)
	if !errors.Is(err, replay.ErrNotRecorded) || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "signature=REDACTED&page=2") {
		t.Errorf("the error is %v", err)
	}
}

// A request's body is not read for ever: a moment behind the end of the response it is closed,
// as it is by net/http, and whoever writes it learns that.
func TestTransportClosesRequestBody(t *testing.T) {
	const reel = opened + "= 1 +0\n|a\n" + eof
	transport := func(t *testing.T) http.RoundTripper {
		return mustLoad(t, reel).Transport(replay.Playback{})
	}
	for _, tt := range []struct {
		name string
		door func(t *testing.T) http.RoundTripper
		over func(t *testing.T, res *http.Response)
	}{
		{"at the end", transport, func(t *testing.T, res *http.Response) { io.Copy(io.Discard, res.Body) }},
		{"closed", transport, func(t *testing.T, res *http.Response) { res.Body.Close() }},
		{"of a Reel", func(t *testing.T) http.RoundTripper {
			name := filepath.Join(t.TempDir(), "my.reel")
			if err := os.WriteFile(name, []byte(strings.Replace(reel, "GET /s", "GET http://h/s", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := replay.OpenReel(name, replay.ModeReplay, replay.ReelOptions{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			return r
		}, func(t *testing.T, res *http.Response) { io.Copy(io.Discard, res.Body) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				body, w := io.Pipe()
				written := make(chan error, 1)
				go func() {
					for {
						if _, err := io.WriteString(w, "more and more "); err != nil {
							written <- err
							return
						}
						time.Sleep(100 * time.Millisecond)
					}
				}()
				req, err := http.NewRequest("GET", "http://h/s", body)
				if err != nil {
					t.Fatal(err)
				}
				res, err := tt.door(t).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				tt.over(t, res)
				if err := <-written; err != io.ErrClosedPipe || time.Since(began) < time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
}

// Moments are since the request, however long it takes to see what answers it.
func TestTransportMomentsSinceRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := mustLoad(t, opened+"= 1 +0.5\n|late\n"+eof).Transport(replay.Playback{OnServe: func(*http.Request, *replay.Exchange) {
			time.Sleep(300 * time.Millisecond)
		}})
		began := time.Now()
		res, err := door.RoundTrip(newRequest(t, "GET", "/s"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.ReadAll(res.Body); err != nil || time.Since(began) != 500*time.Millisecond {
			t.Errorf("it comes after %v, %v", time.Since(began), err)
		}
	})
}

// The error of a response that breaks says where, and whether the recording has it so.
func TestTransportBreaks(t *testing.T) {
	stream := openedStream + quotedRead("data: a\n\n") + quotedRead("data: b\n\n")
	for _, tt := range []struct {
		name, reel string
		faults     []replay.Fault
		want       string
	}{
		{"recorded", stream + ". 1 +0 reset error=read tcp: connection reset by peer\n", nil, "replay: exchange 1 broke in the recording (read tcp: connection reset by peer), after 18 bytes of the body: unexpected EOF"},
		{"recorded, without a cause", stream + ". 1 +0 reset\n", nil, "replay: exchange 1 broke in the recording, after 18 bytes of the body: unexpected EOF"},
		{"cut off", stream, nil, "replay: exchange 1 broke where the recording ends, after 18 bytes of the body: unexpected EOF"},
		{"by a fault", stream + ". 1 +0 eof\n", []replay.Fault{replay.Cut{At: replay.AtEvent(2)}}, "replay: exchange 1 broke by the fault cut@event=2, after 9 bytes of the body: unexpected EOF"},
		{"by a fault, of what was to break", stream + ". 1 +0 reset error=gone\n", []replay.Fault{replay.Cut{At: replay.AtByte(3)}}, "replay: exchange 1 broke by the fault cut@byte=3, after 3 bytes of the body: unexpected EOF"},
		{"before the response", openedStream + quotedRead("data: a\n\n") + eof, []replay.Fault{replay.Cut{At: replay.AtTime(0)}}, "replay: exchange 1 broke by the fault cut@time=0s, before the response: unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec, _ := load(tt.reel)
			if rec == nil {
				t.Fatal("there is no recording")
			}
			res, err := rec.Transport(replay.Playback{Speed: replay.MaxSpeed, Faults: tt.faults}).RoundTrip(newRequest(t, "GET", "/s"))
			if err == nil {
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			if err == nil || err.Error() != tt.want || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}
