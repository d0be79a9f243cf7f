package replay_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// failsafe ends a test over a real connection that hangs. Nothing is measured
// with it.
const failsafe = 20 * time.Second

// roundTripper is a function that answers requests.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// step is what one Read of a body does.
type step struct {
	wait time.Duration
	data string
	err  error
}

// scripted is a body whose reads go by a script; behind it, it waits to be closed,
// or returns the last error again.
type scripted struct {
	steps  []step
	closed chan struct{}
	once   sync.Once
}

func script(steps ...step) *scripted { return &scripted{steps: steps, closed: make(chan struct{})} }

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		<-s.closed
		return 0, errors.New("read of a closed body")
	}
	now := &s.steps[0]
	time.Sleep(now.wait)
	now.wait = 0
	n := copy(p, now.data)
	if now.data = now.data[n:]; now.data != "" {
		return n, nil
	}
	if now.err == nil {
		s.steps = s.steps[1:]
		return n, nil
	}
	return n, now.err
}

func (s *scripted) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// answer returns a response with this body.
func answer(req *http.Request, body io.ReadCloser) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"text/event-stream"}},
		ContentLength: -1, Body: body, Request: req,
	}
}

// newRecorder returns a Recorder over base, and a function that closes it and
// returns what it has recorded.
func newRecorder(t testing.TB, base http.RoundTripper) (*replay.Recorder, func() (text string, all []exchange)) {
	t.Helper()
	log := new(writeLog)
	rec, err := replay.NewRecorder(log, base)
	if err != nil {
		t.Fatal(err)
	}
	return rec, func() (string, []exchange) {
		t.Helper()
		if err := rec.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		loaded := mustLoad(t, log.String())
		if !loaded.Sealed() {
			t.Error("the reel is not sealed")
		}
		return log.String(), contents(t, loaded)
	}
}

func get(t testing.TB, url string) *http.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), failsafe)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// What the program reads is what is recorded, at the moments when it read it, to
// the microsecond.
func TestRecorderMoments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			time.Sleep(48 * time.Millisecond)
			return answer(req, script(
				step{time.Millisecond, "id: 1\n\n", nil},
				step{1204 * time.Millisecond, "data: cut in mid", nil},
				step{1, "-line\r\n\xff", nil},
				step{time.Hour, "a read that the program takes in two", nil},
				step{time.Second, "", nil},
				step{time.Second, "the last, with the end", io.EOF},
			)), nil
		}))
		time.Sleep(3 * time.Second) // the recording has begun before its first request
		req := get(t, "http://example.test/stream?b=2&a=1")
		req.Header.Set("Accept", "text/event-stream")
		res, err := rec.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if at := time.Since(began); at != 3048*time.Millisecond {
			t.Errorf("the response came after %v", at)
		}
		var want []piece
		buf := make([]byte, 20)
		for {
			n, err := res.Body.Read(buf)
			if n > 0 {
				want = append(want, piece{time.Since(began).Truncate(time.Microsecond), string(buf[:n])})
			}
			clear(buf)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Microsecond) // what the program does with it
		}
		if n, err := res.Body.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("behind the end Read returns %d, %v", n, err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		ended := time.Since(began).Truncate(time.Microsecond)
		time.Sleep(time.Minute)
		text, all := finish()
		x := all[0]
		// A read that returned nothing, and no error, may be recorded or not.
		x.Reads = slices.DeleteFunc(x.Reads, func(p piece) bool { return p.Data == "" })
		if d := diff([]exchange{{
			Number: 1, Sent: 3 * time.Second, Method: "GET", URL: "http://example.test/stream?b=2&a=1",
			RequestHeader: http.Header{"Accept": {"text/event-stream"}},
			Received:      3048 * time.Millisecond, Status: 200, Header: http.Header{"Content-Type": {"text/event-stream"}},
			Reads: want, Ended: ended, End: replay.EndEOF,
		}}, []exchange{x}); d != "" {
			t.Errorf("%s\n%s", d, text)
		}
		if start := mustLoad(t, text).Start(); !start.Equal(began) {
			t.Errorf("Start is %v, want %v", start, began)
		}
	})
}

// How an exchange ends, by what the program sees of it.
func TestRecorderEnds(t *testing.T) {
	ctxErr := func(err error) error { return fmt.Errorf("net/http: %w", err) }
	for _, c := range []struct {
		name  string
		steps []step
		err   error // of RoundTrip
		want  replay.End
	}{
		{name: "the end", steps: []step{{0, "x", nil}, {0, "", io.EOF}}, want: replay.EndEOF},
		{name: "the end with data", steps: []step{{0, "x", io.EOF}}, want: replay.EndEOF},
		{name: "closed by the program", steps: []step{{0, "x", nil}}, want: replay.EndCanceled},
		{name: "closed without a read", want: replay.EndCanceled},
		{name: "broken", steps: []step{{0, "x", nil}, {0, "", io.ErrUnexpectedEOF}}, want: replay.EndReset},
		{name: "broken with data", steps: []step{{0, "x", io.ErrUnexpectedEOF}}, want: replay.EndReset},
		{name: "reset", steps: []step{{0, "x", &net.OpError{Op: "read", Err: os.NewSyscallError("read", errors.New("connection reset by peer"))}}}, want: replay.EndReset},
		{name: "canceled", steps: []step{{0, "x", ctxErr(context.Canceled)}}, want: replay.EndCanceled},
		{name: "deadline of the context", steps: []step{{0, "x", ctxErr(context.DeadlineExceeded)}}, want: replay.EndTimeout},
		{name: "deadline of the connection", steps: []step{{0, "x", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}}}, want: replay.EndTimeout},
		{name: "no connection", err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}, want: replay.EndReset},
		{name: "no response", err: io.EOF, want: replay.EndReset},
		{name: "canceled in front of the response", err: ctxErr(context.Canceled), want: replay.EndCanceled},
		{name: "deadline in front of the response", err: ctxErr(context.DeadlineExceeded), want: replay.EndTimeout},
		{name: "no connection in time", err: &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, want: replay.EndTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				if c.err != nil {
					return nil, c.err
				}
				return answer(req, script(c.steps...)), nil
			}))
			res, err := rec.RoundTrip(get(t, "http://example.test/"))
			last := c.err
			if !errors.Is(err, c.err) || err != c.err {
				t.Fatalf("RoundTrip returns %v, want %v itself", err, c.err)
			}
			if res != nil {
				for range c.steps {
					if _, last = res.Body.Read(make([]byte, 9)); last != nil {
						break
					}
				}
				if n := len(c.steps); n > 0 && last != c.steps[n-1].err {
					t.Errorf("Read returns %v, want %v itself", last, c.steps[n-1].err)
				}
				if err := res.Body.Close(); err != nil {
					t.Error(err)
				}
			}
			_, all := finish()
			if len(all) != 1 {
				t.Fatalf("%d exchanges", len(all))
			}
			x := all[0]
			if x.End != c.want {
				t.Errorf("it ends with %q, want %q", x.End, c.want)
			}
			if last != nil && last != io.EOF && !strings.Contains(x.Cause, last.Error()) {
				t.Errorf("the cause is %q, want %q", x.Cause, last)
			}
			if x.End == replay.EndEOF && x.Cause != "" {
				t.Errorf("the cause is %q, for an end in order", x.Cause)
			}
			if c.err != nil && (x.Status != 0 || len(x.Reads) > 0) {
				t.Errorf("there is a response: %+v", x)
			}
			if len(c.steps) > 0 && x.body() != "x" {
				t.Errorf("the body is %q", x.body())
			}
		})
	}
}

// The server waits for the program to have each piece before it sends the next.
func TestRecorderAddsNoBuffer(t *testing.T) {
	const pieces = 200
	have := make(chan int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		for i := range pieces {
			fmt.Fprintf(w, "data: %d\n", i)
			w.(http.Flusher).Flush()
			select {
			case got := <-have:
				if got != i {
					t.Errorf("the program has %d, want %d", got, i)
				}
			case <-req.Context().Done():
				return
			}
		}
	}))
	defer server.Close()
	rec, finish := newRecorder(t, nil)
	client := &http.Client{Transport: rec}
	res, err := client.Do(get(t, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	lines := bufio.NewScanner(res.Body)
	for i := range pieces {
		if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) {
			t.Fatalf("piece %d is %q, %v", i, lines.Text(), lines.Err())
		}
		want.WriteString(lines.Text() + "\n")
		have <- i
	}
	if lines.Scan() || lines.Err() != nil {
		t.Errorf("behind the last piece: %q, %v", lines.Text(), lines.Err())
	}
	res.Body.Close()
	_, all := finish()
	if x := all[0]; len(x.Reads) != pieces || x.body() != want.String() || x.End != replay.EndEOF {
		t.Errorf("%d reads, want %d; body %q; end %q", len(x.Reads), pieces, x.body(), x.End)
	}
}

// served is a server of what the tests over real connections need.
func served(t *testing.T) *httptest.Server {
	flush := func(w http.ResponseWriter) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	}
	cut := func(w http.ResponseWriter) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/whole", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "whole") })
	mux.HandleFunc("/length", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "0123456789")
	})
	mux.HandleFunc("/nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	mux.HandleFunc("/unchanged", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) })
	mux.HandleFunc("/empty", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "0") })
	mux.HandleFunc("/waits", func(w http.ResponseWriter, req *http.Request) {
		io.WriteString(w, "data: 1\n\n")
		flush(w)
		<-req.Context().Done()
	})
	mux.HandleFunc("/mute", func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "data: 1\n\ndata: ha")
		flush(w)
		cut(w)
	})
	mux.HandleFunc("/cut/length", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "01234")
		flush(w)
		cut(w)
	})
	mux.HandleFunc("/cut/first", func(w http.ResponseWriter, _ *http.Request) { cut(w) })
	mux.HandleFunc("/found", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/whole?token=s3cret&a=1")
		defer io.WriteString(w, `<a href="/whole?token=s3cret&amp;a=1">Found</a>`)
		w.WriteHeader(302)
		io.WriteString(w, "moved")
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, req *http.Request) {
		if !strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
			t.Errorf("Accept-Encoding is %q", req.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, strings.Repeat("data: zip\n\n", 100))
		z.Close()
	})
	mux.HandleFunc("/trailer", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		flush(w)
		w.Header().Set("X-Sum", "123")
	})
	mux.HandleFunc("/trailer/alone", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		flush(w)
		w.Header().Set("X-Sum", "123")
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, req *http.Request) { io.Copy(w, req.Body) })
	mux.HandleFunc("/halves", func(w http.ResponseWriter, _ *http.Request) {
		switched(w, func(conn *net.TCPConn, r io.Reader) {
			b, _ := io.ReadAll(r)
			fmt.Fprintf(conn, "got %s", b)
		})
	})
	mux.HandleFunc("/switch", func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n")
		rw.Flush()
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(rw, strings.ToUpper(line))
			rw.Flush()
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestRecorderOverHTTP(t *testing.T) {
	server := served(t)
	readAll := func(res *http.Response) (string, error) {
		b, err := io.ReadAll(res.Body)
		return string(b), errors.Join(err, res.Body.Close())
	}
	closeOnly := func(res *http.Response) (string, error) { return "", res.Body.Close() }
	exactly := func(n int) func(*http.Response) (string, error) {
		return func(res *http.Response) (string, error) {
			b := make([]byte, n)
			_, err := io.ReadFull(res.Body, b)
			return string(b), errors.Join(err, res.Body.Close())
		}
	}
	for _, c := range []struct {
		name, method, path string
		header             http.Header
		read               func(*http.Response) (string, error)
		wantErr            error
		status             int
		want               string // what the program reads
		end                replay.End
	}{
		{name: "a body", path: "/whole", read: readAll, status: 200, want: "whole", end: replay.EndEOF},
		{name: "a length", path: "/length", read: readAll, status: 200, want: "0123456789", end: replay.EndEOF},
		{name: "a length, closed without reading the end", path: "/length", read: exactly(10), status: 200, want: "0123456789", end: replay.EndEOF},
		{name: "a length, closed early", path: "/length", read: exactly(5), status: 200, want: "01234", end: replay.EndCanceled},
		{name: "HEAD", method: "HEAD", path: "/length", read: readAll, status: 200, end: replay.EndEOF},
		{name: "HEAD, closed", method: "HEAD", path: "/length", read: closeOnly, status: 200, end: replay.EndEOF},
		{name: "204", path: "/nothing", read: readAll, status: 204, end: replay.EndEOF},
		{name: "204, closed", path: "/nothing", read: closeOnly, status: 204, end: replay.EndEOF},
		{name: "304, closed", path: "/unchanged", read: closeOnly, status: 304, end: replay.EndEOF},
		{name: "no bytes, closed", path: "/empty", read: closeOnly, status: 200, end: replay.EndEOF},
		{name: "a stream, closed", path: "/waits", read: exactly(9), status: 200, want: "data: 1\n\n", end: replay.EndCanceled},
		{name: "a cut", path: "/cut", read: readAll, wantErr: io.ErrUnexpectedEOF, status: 200, want: "data: 1\n\ndata: ha", end: replay.EndReset},
		{name: "a cut in front of the length", path: "/cut/length", read: readAll, wantErr: io.ErrUnexpectedEOF, status: 200, want: "01234", end: replay.EndReset},
		{name: "gzip that the transport takes off", path: "/gzip", read: readAll, status: 200, want: strings.Repeat("data: zip\n\n", 100), end: replay.EndEOF},
		{name: "a trailer", path: "/trailer", read: readAll, status: 200, want: "body", end: replay.EndEOF},
		{name: "a trailer and no body", path: "/trailer/alone", read: readAll, status: 200, want: "", end: replay.EndEOF},
		{name: "not found", path: "/none", read: readAll, status: 404, want: "404 page not found\n", end: replay.EndEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec, finish := newRecorder(t, nil)
			req := get(t, server.URL+c.path)
			req.Method = c.method
			res, err := (&http.Client{Transport: rec}).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.read(res)
			if got != c.want || !errors.Is(err, c.wantErr) {
				t.Errorf("the program reads %q, %v; want %q, %v", got, err, c.want, c.wantErr)
			}
			text, all := finish()
			if len(all) != 1 {
				t.Fatalf("%d exchanges", len(all))
			}
			if has := strings.Contains(text, "\n< 1 x-sum: 123\n"); has != (res.Trailer != nil) {
				t.Errorf("the trailer is recorded: %v\n%s", has, text)
			}
			x := all[0]
			method := c.method
			if method == "" {
				method = "GET"
			}
			if x.Method != method || x.URL != server.URL+c.path || x.Status != c.status || x.body() != c.want || x.End != c.end {
				t.Errorf("recorded %s %s, %d, %q, %s; want %s, %d, %q, %s", x.Method, x.URL, x.Status, x.body(), x.End, method, c.status, c.want, c.end)
			}
		})
	}

	t.Run("gzip that the program takes off", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		req := get(t, server.URL+"/gzip")
		req.Header.Set("Accept-Encoding", "gzip")
		res, err := (&http.Client{Transport: rec}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := readAll(res)
		if err != nil || !strings.HasPrefix(raw, "\x1f\x8b") {
			t.Fatalf("%q, %v", raw, err)
		}
		_, all := finish()
		if x := all[0]; x.body() != raw || x.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("recorded %q as %q", x.body(), x.Header)
		}
	})
	t.Run("a body of the request", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		req := get(t, server.URL+"/echo")
		req.Method, req.Body, req.ContentLength = "POST", io.NopCloser(strings.NewReader("what was sent")), 13
		res, err := (&http.Client{Transport: rec}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readAll(res); got != "what was sent" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		_, all := finish()
		if got := sentBody(all[0]); got != "what was sent" || all[0].RequestHeader.Get("Content-Length") != "13" {
			t.Errorf("recorded the body of the request as %q, with %v", got, all[0].RequestHeader)
		}
	})
	t.Run("a redirect", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		res, err := (&http.Client{Transport: rec}).Do(get(t, server.URL+"/found"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readAll(res); got != "whole" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if q := res.Request.URL.RawQuery; q != "token=s3cret&a=1" {
			t.Errorf("the program followed to %q", q)
		}
		text, all := finish()
		if len(all) != 2 || all[0].Status != 302 || all[1].Status != 200 || all[0].Header.Get("Location") != "/whole?token=REDACTED&a=1" ||
			all[1].URL != server.URL+"/whole?token=REDACTED&a=1" {
			t.Errorf("recorded\n%s", text)
		}
		if strings.Contains(text, "s3cret") {
			t.Errorf("the token is recorded:\n%s", text)
		}
	})
	t.Run("a protocol that is switched, and one half ended", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		req := get(t, server.URL+"/halves")
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "halves")
		res, err := (&http.Client{Transport: rec}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		conn, ok := res.Body.(interface {
			io.Writer
			CloseWrite() error
		})
		if !ok {
			t.Fatalf("the response has a %T, whose half cannot be ended", res.Body)
		}
		io.WriteString(conn, "hello")
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); string(b) != "got hello" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		if _, all := finish(); all[0].body() != "got hello" || all[0].End != replay.EndEOF {
			t.Errorf("recorded %+v", all[0])
		}
	})
	t.Run("a protocol that is switched, without halves", func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		rec, _ := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) { return answer(req, ours), nil }))
		res, err := rec.RoundTrip(get(t, server.URL))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, ok := res.Body.(io.Writer); !ok {
			t.Errorf("the program cannot write to a %T", res.Body)
		}
		if _, ok := res.Body.(interface{ CloseWrite() error }); ok {
			t.Errorf("a %T promises to end one half, which the connection cannot", res.Body)
		}
	})
	t.Run("a protocol that is switched", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		req := get(t, server.URL+"/switch")
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "shout")
		res, err := (&http.Client{Transport: rec}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		conn, ok := res.Body.(io.ReadWriteCloser)
		if res.StatusCode != 101 || !ok {
			t.Fatalf("the response is %d with a %T, which the program cannot write to", res.StatusCode, res.Body)
		}
		io.WriteString(conn, "hello\n")
		if line, err := bufio.NewReader(conn).ReadString('\n'); line != "HELLO\n" || err != nil {
			t.Errorf("%q, %v", line, err)
		}
		conn.Close()
		_, all := finish()
		if all[0].Status != 101 || all[0].body() != "HELLO\n" {
			t.Errorf("recorded %+v", all[0])
		}
	})
}

// expiring is a context whose deadline passes when done is closed.
type expiring struct {
	context.Context
	done chan struct{}
}

func (e *expiring) Done() <-chan struct{} { return e.done }

func (e *expiring) Err() error {
	select {
	case <-e.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Failures, over real connections.
func TestRecorderFailures(t *testing.T) {
	server := served(t)
	// start sends the request and returns once the first event is there, or the error.
	start := func(client *http.Client, req *http.Request) (*http.Response, error) {
		res, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		_, err = io.ReadFull(res.Body, make([]byte, len("data: 1\n\n")))
		return res, err
	}
	check := func(t *testing.T, all []exchange, status int, body string, end replay.End) {
		t.Helper()
		if len(all) != 1 || all[0].Status != status || all[0].body() != body || all[0].End != end || all[0].Cause == "" && end != replay.EndCanceled {
			t.Errorf("recorded\n%s\nwant %d, %q, %s and the cause", strings.Join(dump(all), "\n"), status, body, end)
		}
	}
	t.Run("canceled while it streams", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		res, err := start(&http.Client{Transport: rec}, get(t, server.URL+"/waits").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := res.Body.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("Read returns %v", err)
		}
		res.Body.Close()
		_, all := finish()
		check(t, all, 200, "data: 1\n\n", replay.EndCanceled)
	})
	t.Run("closed from another goroutine while a read waits", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		res, err := start(&http.Client{Transport: rec}, get(t, server.URL+"/waits"))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, err := res.Body.Read(make([]byte, 1))
			done <- err
		}()
		res.Body.Close()
		if err := <-done; err == nil {
			t.Error("Read of a closed body returns no error")
		}
		_, all := finish()
		if x := all[0]; x.body() != "data: 1\n\n" || x.End != replay.EndCanceled {
			t.Errorf("recorded\n%s", strings.Join(dump(all), "\n"))
		}
	})
	t.Run("canceled in front of the response", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := start(&http.Client{Transport: rec}, get(t, server.URL+"/mute").WithContext(ctx)); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		_, all := finish()
		check(t, all, 0, "", replay.EndCanceled)
	})
	t.Run("the client's timeout", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		_, err := start(&http.Client{Transport: rec, Timeout: time.Millisecond}, get(t, server.URL+"/mute"))
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		_, all := finish()
		check(t, all, 0, "", replay.EndTimeout)
	})
	t.Run("the context's deadline, while it streams", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		ctx := &expiring{Context: t.Context(), done: make(chan struct{})}
		res, err := start(&http.Client{Transport: rec}, get(t, server.URL+"/waits").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		close(ctx.done)
		if _, err := res.Body.Read(make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Read returns %v", err)
		}
		res.Body.Close()
		_, all := finish()
		check(t, all, 200, "data: 1\n\n", replay.EndTimeout)
	})
	t.Run("no response", func(t *testing.T) {
		rec, finish := newRecorder(t, nil)
		req := get(t, server.URL+"/cut/first")
		req.Method = "POST" // or the transport asks again
		if _, err := start(&http.Client{Transport: rec}, req); !errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
		_, all := finish()
		check(t, all, 0, "", replay.EndReset)
	})
	t.Run("refused", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		rec, finish := newRecorder(t, nil)
		if _, err := start(&http.Client{Transport: rec}, get(t, "http://"+l.Addr().String()+"/")); err == nil {
			t.Error("no error")
		}
		_, all := finish()
		check(t, all, 0, "", replay.EndReset)
	})
}

// The request and the response pass as they are: nothing is taken from them, not
// even what is not recorded.
func TestRecorderLeavesRequestAlone(t *testing.T) {
	header := http.Header{"Authorization": {"Bearer s3cret"}, "Cookie": {"a=s3cret"}, "Accept": {"*/*"}}
	responseHeader := http.Header{"Set-Cookie": {"a=s3cret"}, "Location": {"/?token=s3cret"}}
	body := script(step{0, "token=s3cret", io.EOF})
	var sent *http.Request
	rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		sent = req
		res := answer(req, body)
		res.Header = responseHeader.Clone()
		return res, nil
	}))
	const url = "http://user:s3cret@example.test/a?token=s3cret"
	req := get(t, url)
	req.Header = header.Clone()
	res, err := rec.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*http.Request{"the program's": req, "the base's": sent} {
		if r.URL.String() != url || fmt.Sprint(r.Header) != fmt.Sprint(header) {
			t.Errorf("%s request is %s %v", name, r.URL, r.Header)
		}
	}
	if fmt.Sprint(res.Header) != fmt.Sprint(responseHeader) || res.Request == nil || res.StatusCode != 200 || res.ContentLength != -1 {
		t.Errorf("the response is %+v", res)
	}
	if b, err := io.ReadAll(res.Body); string(b) != "token=s3cret" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	res.Body.Close()
	select {
	case <-body.closed:
	default:
		t.Error("the base's body is not closed")
	}
	_, all := finish()
	if got := all[0].body(); got != "token=s3cret" {
		t.Errorf("bodies are recorded as they are, this one is %q", got)
	}
}

// Credentials never reach the bytes of the reel.
func TestRecorderSecrets(t *testing.T) {
	const secret = "s3cret-9e107d9d372bb682"
	type secrets struct {
		name             string
		url              string
		header, response http.Header
		err              error
		want             string // a part of the reel
	}
	var cases []secrets
	for _, name := range []string{
		"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "Api-Key", "X-Auth-Token", "X-Access-Token",
		"X-Goog-Api-Key", "X-Amz-Security-Token", "X-Csrf-Token", "X-Client-Secret", "X-Password", "x-api-key",
	} {
		cases = append(cases, secrets{name: "request header " + name, header: http.Header{name: {"Bearer " + secret, secret}},
			want: "> 1 " + strings.ToLower(name) + ": REDACTED\n"})
	}
	for _, name := range []string{"Set-Cookie", "X-Api-Key", "X-Auth-Token", "Authorization"} {
		cases = append(cases, secrets{name: "response header " + name, response: http.Header{name: {"session=" + secret + "; Path=/", secret}},
			want: "< 1 " + strings.ToLower(name) + ": REDACTED\n"})
	}
	for _, name := range []string{
		"signature", "token", "key", "api_key", "apikey", "api-key", "access_token", "refresh_token", "id_token", "auth",
		"password", "secret", "client_secret", "X-Amz-Signature", "X-Amz-Security-Token", "X-Goog-Signature", "sig", "SIGNATURE", "auth_key",
	} {
		cases = append(cases, secrets{name: "parameter " + name, url: "http://example.test/a?b=2&" + name + "=" + secret + "&a=%20+1",
			want: "/a?b=2&" + name + "=REDACTED&a=%20+1\n"})
	}
	cases = append(cases,
		secrets{name: "user and password", url: "http://user:" + secret + "@example.test/a", want: "@example.test/a"},
		secrets{name: "a user", url: "http://" + secret + "@example.test/a", want: "@example.test/a"},
		secrets{name: "a parameter whose name is escaped", url: "http://example.test/?%73ignatur%65=" + secret},
		secrets{name: "a parameter twice", url: "http://example.test/?token=" + secret + "&token=" + secret, want: "token=REDACTED&token=REDACTED"},
		secrets{name: "a parameter with a sign of equality", url: "http://example.test/?token=a=" + secret, want: "token=REDACTED\n"},
		secrets{name: "Location", response: http.Header{"Location": {"https://a:" + secret + "@example.test/?x=1&token=" + secret}}, want: "x=1&token=REDACTED"},
		secrets{name: "Location, a path", response: http.Header{"Location": {"/?signature=" + secret + "&x=1"}}, want: "/?signature=REDACTED&x=1"},
		secrets{name: "Location, a fragment", response: http.Header{"Location": {"https://example.test/#access_token=" + secret + "&x=1"}}},
		secrets{name: "Location, no URL", response: http.Header{"Location": {"http://[::1/%zz?token=" + secret}}},
		secrets{name: "Content-Location", response: http.Header{"Content-Location": {"/?token=" + secret}}},
		secrets{name: "Referer", header: http.Header{"Referer": {"https://example.test/?token=" + secret}}},
		secrets{name: "the cause of an end", url: "http://example.test/?token=" + secret,
			err: fmt.Errorf("Get %q: connection refused", "http://example.test/?token="+secret)},
	)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				if c.err != nil {
					return nil, c.err
				}
				res := answer(req, script(step{0, "", io.EOF}))
				for name, values := range c.response {
					res.Header[name] = values
				}
				return res, nil
			}))
			if c.url == "" {
				c.url = "http://example.test/"
			}
			req := get(t, c.url)
			for name, values := range c.header {
				req.Header[name] = values
			}
			if res, err := rec.RoundTrip(req); err == nil {
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			text, _ := finish()
			if strings.Contains(text, secret) {
				t.Errorf("it is in the reel:\n%s", text)
			}
			if !strings.Contains(text, c.want) {
				t.Errorf("the reel lacks %q:\n%s", c.want, text)
			}
		})
	}
	t.Run("what is no secret stays", func(t *testing.T) {
		rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			res := answer(req, script(step{0, "", io.EOF}))
			res.Header = http.Header{"Location": {"/next?b=2&a=%20+1#top"}, "Etag": {`"1"`}}
			return res, nil
		}))
		req := get(t, "https://example.test:8443/ws20219?assembly=55a46ab1&b=%20+&a=&a")
		req.Header = http.Header{"Accept": {"text/event-stream"}, "Last-Event-Id": {"7"}, "X-Request-Id": {"8"}}
		res, err := rec.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		text, _ := finish()
		for _, want := range []string{
			"GET https://example.test:8443/ws20219?assembly=55a46ab1&b=%20+&a=&a\n", "> 1 accept: text/event-stream\n",
			"> 1 last-event-id: 7\n", "> 1 x-request-id: 8\n", "< 1 location: /next?b=2&a=%20+1#top\n", "< 1 etag: \"1\"\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the reel lacks %q:\n%s", want, text)
			}
		}
	})
}

// A recording that fails never disturbs the program.
func TestRecorderWriterFails(t *testing.T) {
	synctest.Test(t, testRecorderWriterFails) // where each run takes as long as the other
}

func testRecorderWriterFails(t *testing.T) {
	if _, err := replay.NewRecorder(&disk{room: 3}, nil); !errors.Is(err, errFull) {
		t.Errorf("NewRecorder returns %v, want %q", err, errFull)
	}
	exchangeSteps := []step{{0, "one", nil}, {0, "two", nil}, {0, "three", io.EOF}}
	run := func(w io.Writer) (*replay.Recorder, error) {
		rec, err := replay.NewRecorder(w, roundTripper(func(req *http.Request) (*http.Response, error) {
			return answer(req, script(slices.Clone(exchangeSteps)...)), nil
		}))
		if err != nil {
			return nil, err
		}
		for range 2 {
			res, err := rec.RoundTrip(get(t, "http://example.test/"))
			if err != nil {
				t.Fatalf("RoundTrip: %v", err)
			}
			if b, err := io.ReadAll(res.Body); string(b) != "onetwothree" || err != nil {
				t.Errorf("the program reads %q, %v", b, err)
			}
			if err := res.Body.Close(); err != nil {
				t.Errorf("the program closes: %v", err)
			}
		}
		return rec, nil
	}
	whole := new(writeLog)
	rec, err := run(whole)
	if err != nil || rec.Err() != nil || rec.Close() != nil {
		t.Fatal(err)
	}
	for _, room := range whole.ends[:len(whole.ends)-1] {
		d := &disk{room: room + 5}
		rec, err := run(d)
		if err != nil {
			t.Fatal(err)
		}
		if room != whole.ends[len(whole.ends)-2] && !errors.Is(rec.Err(), errFull) {
			t.Errorf("room for %d bytes: Err is %v, want %q", d.room, rec.Err(), errFull)
		}
		if err := rec.Close(); !errors.Is(err, errFull) {
			t.Errorf("room for %d bytes: Close returns %v, want %q", d.room, err, errFull)
		}
		if d.after > 0 {
			t.Errorf("room for %d bytes: %d writes after the error", d.room, d.after)
		}
		if _, err := load(d.String()); !errors.Is(err, replay.ErrTruncated) {
			t.Errorf("room for %d bytes: what was recorded before loads with %v", d.room, err)
		}
	}
}

// Close ends the recording of exchanges in flight; the program reads on.
func TestRecorderCloseInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(writeLog)
		rec, err := replay.NewRecorder(log, roundTripper(func(req *http.Request) (*http.Response, error) {
			return answer(req, script(step{0, "one", nil}, step{2 * time.Second, "two", io.EOF})), nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		res, err := rec.RoundTrip(get(t, "http://example.test/waits"))
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 9)
		if n, err := res.Body.Read(buf); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		req := get(t, "http://example.test/reads")
		var wg sync.WaitGroup
		wg.Go(func() {
			res, err := rec.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			if b, err := io.ReadAll(res.Body); string(b) != "onetwo" || err != nil {
				t.Errorf("the program reads %q, %v", b, err)
			}
			res.Body.Close()
		})
		time.Sleep(time.Second)
		if err := rec.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		size := log.Len()
		if n, err := res.Body.Read(buf); string(buf[:n]) != "two" || err != io.EOF {
			t.Errorf("the program reads on %q, %v", buf[:n], err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if res, err = rec.RoundTrip(get(t, "http://example.test/late")); err != nil {
			t.Errorf("a request after Close: %v", err)
		} else if b, err := io.ReadAll(res.Body); string(b) != "onetwo" || err != nil {
			t.Errorf("a request after Close: %q, %v", b, err)
		}
		if log.Len() != size {
			t.Errorf("after Close it records %q", log.Bytes()[size:])
		}
		if err := rec.Err(); err != nil {
			t.Errorf("Err is %v", err)
		}
		loaded, err := load(log.String())
		if err != nil || !loaded.Sealed() {
			t.Errorf("the reel: %v\n%s", err, log)
		}
		all := contents(t, loaded)
		if len(all) != 2 {
			t.Errorf("%d exchanges", len(all))
		}
		for _, x := range all {
			if x.End != replay.EndCanceled || x.Ended != time.Second || x.body() != "one" {
				t.Errorf("%s ends with %q at %v behind %q, want canceled at 1s behind \"one\"", x.URL, x.End, x.Ended, x.body())
			}
		}
	})
}

// An exchange whose response has not come is one that has not ended.
func TestRecorderCloseBeforeResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(writeLog)
		rec, err := replay.NewRecorder(log, roundTripper(func(req *http.Request) (*http.Response, error) {
			time.Sleep(time.Hour)
			return answer(req, script(step{0, "late", io.EOF})), nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		req := get(t, "http://example.test/slow")
		var wg sync.WaitGroup
		wg.Go(func() {
			res, err := rec.RoundTrip(req)
			if err != nil {
				t.Errorf("RoundTrip: %v", err)
				return
			}
			if b, err := io.ReadAll(res.Body); string(b) != "late" || err != nil {
				t.Errorf("the program reads %q, %v", b, err)
			}
			res.Body.Close()
		})
		time.Sleep(time.Second)
		if err := rec.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		text := log.String()
		wg.Wait()
		if log.String() != text {
			t.Errorf("after Close it records %q", log.String()[len(text):])
		}
		loaded, err := load(text)
		if err != nil {
			t.Errorf("the reel: %v", err)
		}
		if all := contents(t, loaded); len(all) != 1 || all[0].End != replay.EndCanceled || all[0].Ended != time.Second {
			t.Errorf("it is not recorded as canceled at 1s:\n%s", text)
		}
	})
}

// Bodies that the program forgets leave no goroutine behind: the bubble would not end.
func TestRecorderLeaksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			return answer(req, script(step{0, "one", nil})), nil
		}))
		for range 10 {
			res, err := rec.RoundTrip(get(t, "http://example.test/"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := res.Body.Read(make([]byte, 9)); err != nil {
				t.Fatal(err)
			}
		}
		if _, all := finish(); len(all) != 10 {
			t.Errorf("%d exchanges", len(all))
		}
	})
}

// Many exchanges at once: each is recorded as its program read it.
func TestRecorderConcurrency(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		for i := range 20 {
			fmt.Fprintf(w, "data: %s %d\r\n\r\n", req.URL.Path, i)
			w.(http.Flusher).Flush()
		}
	}))
	defer server.Close()
	base := &http.Transport{MaxIdleConnsPerHost: 32}
	defer base.CloseIdleConnections()
	rec, finish := newRecorder(t, base)
	client := &http.Client{Transport: rec}
	var mu sync.Mutex
	read := make(map[string][]string)
	var wg sync.WaitGroup
	for i := range 32 {
		url := fmt.Sprintf("%s/%d", server.URL, i)
		req := get(t, url)
		wg.Go(func() {
			res, err := client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			buf := make([]byte, 64)
			for {
				n, err := res.Body.Read(buf)
				if n > 0 {
					mu.Lock()
					read[url] = append(read[url], string(buf[:n]))
					mu.Unlock()
				}
				if err == io.EOF {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	_, all := finish()
	if len(all) != 32 {
		t.Errorf("%d exchanges", len(all))
	}
	for _, x := range all {
		var got []string
		for _, p := range x.Reads {
			if p.Data != "" {
				got = append(got, p.Data)
			}
		}
		if !slices.Equal(got, read[x.URL]) || x.End != replay.EndEOF {
			t.Errorf("%s: recorded %q, the program read %q", x.URL, got, read[x.URL])
		}
	}
}

// The recorder's bytes can be read while it records: each write is a whole record.
func TestRecorderReelGrows(t *testing.T) {
	var b bytes.Buffer
	rec, err := replay.NewRecorder(&b, roundTripper(func(req *http.Request) (*http.Response, error) {
		return answer(req, script(step{0, "one\n", nil}, step{0, "two\r\n", nil}, step{0, "", io.EOF})), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if rec, err := load(b.String()); err != nil || rec.Start().IsZero() {
		t.Errorf("at the start: %v", err)
	}
	res, err := rec.RoundTrip(get(t, "http://example.test/"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one\n", "one\ntwo\r\n"} {
		if _, err := res.Body.Read(make([]byte, 99)); err != nil {
			t.Fatal(err)
		}
		rec, err := load(b.String())
		if !errors.Is(err, replay.ErrTruncated) {
			t.Errorf("while it records: %v", err)
		}
		if got := contents(t, rec)[0].body(); got != want {
			t.Errorf("while it records the reel has %q, want %q", got, want)
		}
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, b.String())
}

// idler is a transport that has connections to close.
type idler struct {
	http.RoundTripper
	closed int
}

func (i *idler) CloseIdleConnections() { i.closed++ }

func TestRecorderClosesIdleConnections(t *testing.T) {
	base := &idler{RoundTripper: http.DefaultTransport}
	rec, err := replay.NewRecorder(io.Discard, base)
	if err != nil {
		t.Fatal(err)
	}
	(&http.Client{Transport: rec}).CloseIdleConnections()
	if base.closed != 1 {
		t.Errorf("the transport beneath was told %d times, want once", base.closed)
	}
}

// What net/http allows a program, the Recorder does: to close a body that another
// goroutine reads, which is the way to abort a stream.
func TestRecorderCloseWhileReading(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		for req.Context().Err() == nil {
			io.WriteString(w, "data: 1\n\n")
			http.NewResponseController(w).Flush()
		}
	}))
	defer server.Close()
	rec, finish := newRecorder(t, nil)
	res, err := (&http.Client{Transport: rec}).Do(get(t, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	first, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		io.ReadFull(res.Body, make([]byte, 9))
		close(first)
		io.Copy(io.Discard, res.Body)
	}()
	<-first
	res.Body.Close()
	<-done
	if _, all := finish(); all[0].End == replay.EndEOF || all[0].End == replay.EndUnknown {
		t.Errorf("it ends with %q", all[0].End)
	}
}

// slowWriter takes a moment for each Write.
type slowWriter struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *slowWriter) Write(p []byte) (int, error) {
	for began := time.Now(); time.Since(began) < 20*time.Microsecond; {
		runtime.Gosched()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *slowWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// Of two that close a Recorder at once, neither goes on before the reel is sealed: it may be
// the one that closes the file.
func TestRecorderClosedTwiceAtOnce(t *testing.T) {
	for range 5 {
		w := new(slowWriter)
		rec, err := replay.NewRecorder(w, new(echo))
		if err != nil {
			t.Fatal(err)
		}
		for range 300 { // whose ends Close writes
			if _, err := rec.RoundTrip(get(t, "http://h/a")); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := rec.Close(); err != nil {
					t.Error(err)
				}
				if loaded, err := load(w.String()); err != nil || !loaded.Sealed() {
					t.Errorf("behind Close, the reel is not whole: %v", err)
				}
			})
		}
		wg.Wait()
	}
}

// Transports and requests that are not quite in order are forgiven, as http.Client
// forgives them.
func TestRecorderForgives(t *testing.T) {
	rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.URL == nil {
			return nil, errors.New("no URL")
		}
		return &http.Response{StatusCode: 204, Header: http.Header{}, Request: req}, nil
	}))
	if _, err := rec.RoundTrip(&http.Request{}); err == nil {
		t.Error("a request without a URL is no error")
	}
	res, err := rec.RoundTrip(get(t, "http://example.test/"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(res.Body); len(b) > 0 || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, all := finish(); len(all) != 1 || all[0].End != replay.EndEOF {
		t.Errorf("recorded %+v", all)
	}
}

// Names of credentials as net/http spells them, and values that hold them in turn.
func TestRecorderSecretNames(t *testing.T) {
	const secret = "9e107d9d372bb6826bd81d3542a419d6"
	for _, name := range []string{
		"X-Authtoken", "X-Apitoken", "X-Accesstoken", "X-Secretkey", "X-Appkey", "X-Clientsecret", "X-Csrftoken",
		"Cf-Access-Jwt-Assertion", "X-Amzn-Oidc-Data", "X-Hub-Signature-256", "Dpop", "Proxy-Authorization",
	} {
		t.Run("header "+name, func(t *testing.T) { wantRedacted(t, secret, "http://example.test/", http.Header{name: {secret}}) })
	}
	for _, query := range []string{
		"accesstoken=" + secret, "APIToken=" + secret, "XAPIKEY=" + secret, "PHPSESSID=" + secret, "jwt=" + secret, "pwd=" + secret,
		"a=1;token=" + secret, "code=" + secret, "to%6ben=" + secret, "redirect=https%3A%2F%2Fh%2F%3Ftoken%3D" + secret, "redirect=https%3A%2F%2Fx:" + secret + "%40h%2F",
	} {
		t.Run("query "+query, func(t *testing.T) { wantRedacted(t, secret, "http://example.test/?"+query, nil) })
	}
	for _, value := range []string{"<https://h/?token=" + secret + ">; rel=next", "0; url=https://u:" + secret + "@h/"} {
		t.Run("value "+value, func(t *testing.T) {
			wantRedacted(t, secret, "http://example.test/", http.Header{"Link": {value}, "Refresh": {value}, "X-Original-Url": {value}})
		})
	}
	t.Run("path", func(t *testing.T) { wantRedacted(t, secret, "http://example.test/a;jsessionid="+secret, nil) })
}

// wantRedacted fails the test where secret, which is in the request and in the error
// that answers it, gets into the reel.
func wantRedacted(t *testing.T, secret, url string, h http.Header) {
	t.Helper()
	for _, fails := range []bool{false, true} {
		rec, finish := newRecorder(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			if fails {
				return nil, fmt.Errorf("Get %q: malformed MIME header: missing colon: %q", req.URL, "Set-Cookie session="+secret)
			}
			res := answer(req, script(step{0, "data: 1\n\n", io.EOF}))
			res.Header = h.Clone()
			return res, nil
		}))
		req := get(t, url)
		req.Header = h.Clone()
		if res, err := rec.RoundTrip(req); err == nil {
			res.Body.Close()
		}
		if text, _ := finish(); strings.Contains(text, secret) {
			t.Errorf("it is in the reel:\n%s", text)
		}
	}
}
