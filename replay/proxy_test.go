package replay_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssereel/ssereel/replay"
)

// proxied is a proxy in front of a server that answers for every host, as far as
// the proxy asks for it: the network's names all lead there.
type proxied struct {
	*httptest.Server
	t      testing.TB
	client *http.Client
	closed func() (text string, all []exchange)
}

func newProxied(t testing.TB, upstream string, h http.HandlerFunc) *proxied {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	transport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: failsafe}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	return proxiedBy(t, upstream, transport)
}

func proxiedBy(t testing.TB, upstream string, transport http.RoundTripper) *proxied {
	t.Helper()
	rec, closed := newRecorder(t, transport)
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxied{t: t, Server: httptest.NewServer(replay.NewProxy(u, rec))}
	t.Cleanup(p.Close)
	p.closed = func() (string, []exchange) {
		p.Close() // which waits for the requests that are under way
		return closed()
	}
	clientTransport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: failsafe}
	t.Cleanup(clientTransport.CloseIdleConnections)
	p.client = &http.Client{Transport: clientTransport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p
}

func (p *proxied) do(req *http.Request) *http.Response {
	p.t.Helper()
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (p *proxied) get(path string) *http.Response {
	p.t.Helper()
	return p.do(get(p.t, p.URL+path))
}

// text gets path and returns its body.
func (p *proxied) text(path string) string {
	p.t.Helper()
	return readAll(p.t, p.get(path))
}

func readAll(t testing.TB, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s: %v after %d bytes", resp.Request.URL, err, len(b))
	}
	return string(b)
}

func flush(w http.ResponseWriter) { http.NewResponseController(w).Flush() }

// The next piece is not sent before the client has the one before it: a proxy that
// held anything back would wait for ever.
func TestProxyPassesPiecesOnAtOnce(t *testing.T) {
	pieces := []string{": hi\n\n", "id: 1\n\n", "data: {\"a\":", "1}\n\n", "data: https://www.example.com/x\n", "\n", "data: " + strings.Repeat("x", 20_000) + "\n\n", "x"}
	for _, mediaType := range []string{"text/event-stream", "application/json; charset=utf-8", "text/plain", ""} {
		t.Run(mediaType, func(t *testing.T) {
			got := make(chan string)
			p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
				w.Header()["Content-Type"] = []string{mediaType}
				flush(w)
				for i := -1; i < len(pieces); i++ {
					if i >= 0 {
						io.WriteString(w, pieces[i])
						flush(w)
					}
					select {
					case <-got:
					case <-req.Context().Done():
						return
					}
				}
			})
			resp := p.get("/")
			got <- "the header"
			for _, piece := range pieces {
				buf := make([]byte, len(piece))
				if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != piece {
					t.Fatalf("%q, %v, want %q", buf, err, piece)
				}
				got <- piece
			}
			if rest := readAll(t, resp); rest != "" {
				t.Errorf("%q comes behind the last piece", rest)
			}
			_, all := p.closed()
			if body := all[0].body(); len(all) != 1 || body != strings.Join(pieces, "") || all[0].End != replay.EndEOF {
				t.Errorf("the reel has %q", dump(all))
			}
		})
	}
}

// The client's pieces reach the upstream as they are sent, while the upstream
// answers.
func TestProxyFullDuplex(t *testing.T) {
	p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		flush(w)
		buf := make([]byte, 100)
		for {
			n, err := req.Body.Read(buf)
			w.Write(bytes.ToUpper(buf[:n]))
			flush(w)
			if err != nil {
				fmt.Fprintf(w, "%v %v", err, req.Trailer)
				return
			}
		}
	})
	body, w := io.Pipe()
	req := get(t, p.URL)
	req.Method, req.Body, req.Trailer = "POST", body, http.Header{"X-Sum": nil}
	resp := p.do(req)
	for _, piece := range []string{"one", "two", "three"} {
		io.WriteString(w, piece)
		buf := make([]byte, len(piece))
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != strings.ToUpper(piece) {
			t.Fatalf("%q, %v", buf, err)
		}
	}
	req.Trailer.Set("X-Sum", "11")
	w.Close()
	if got := readAll(t, resp); got != "EOF map[X-Sum:[11]]" {
		t.Errorf("the upstream says %q", got)
	}
}

// A client may wait for all of the response before it ends its request.
func TestProxyAnswersEarly(t *testing.T) {
	p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		io.WriteString(w, "enough")
		flush(w) // of no announced length
	})
	body, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), failsafe)
	defer cancel()
	req := get(t, p.URL).WithContext(ctx)
	req.Method, req.Body = "POST", body
	go io.WriteString(w, "one")
	if got := readAll(t, p.do(req)); got != "enough" {
		t.Errorf("the response is %q", got)
	}
}

// Nor does it have to end its request at all: whoever has the whole response and sends no
// more of the body is given a moment, and then the connection is closed.
func TestProxyEndsUnfinishedRequest(t *testing.T) {
	p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.Header()["Content-Length"] = req.Header["X-Length"]
		io.WriteString(w, "enough")
		flush(w)
	})
	h := p.Config.Handler
	for _, c := range []struct {
		name, header string
		wraps        int
	}{
		{"with a length", "X-Length: 6\r\n", 0},
		{"without", "", 0},
		{"wrapped", "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.Config.Handler = wrapped(h, c.wraps)
			wantEndOfUnfinished(t, p.Listener.Addr().String(), c.header, "enough")
		})
	}
}

// dial returns a connection to the server at address, open as long as the test lasts, but not
// for ever.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(failsafe))
	return conn
}

// wantEndOfUnfinished sends a request whose body goes on for ever, and checks that there is
// the whole response to it, and then no more than the connection's end.
func wantEndOfUnfinished(t *testing.T, address, header, want string) {
	t.Helper()
	conn := dial(t, address)
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: %s\r\n%sTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n", address, header)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); string(b) != want || err != nil {
		t.Fatalf("the response is %q, %v", b, err)
	}
	// A reset is an end, too.
	if b, err := io.ReadAll(r); len(b) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q: the connection goes on with %q, %v", header, b, err)
	}
}

// closings counts how often a body is closed.
type closings struct {
	io.Reader
	n atomic.Int64
}

func (c *closings) Close() error {
	c.n.Add(1)
	return nil
}

// The upstream's response is closed however far it was read, as only that frees the
// connection that it came on.
func TestProxyClosesResponse(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		body         io.Reader
		coding       string
	}{
		{"read to its end", "GET", strings.NewReader("data: a\n\n"), ""},
		{"in no gzip", "GET", strings.NewReader("data: a\n\n"), "gzip"},
		{"broken", "GET", io.MultiReader(strings.NewReader("data: a\n\n"), readerFunc(func([]byte) (int, error) { return 0, errors.New("broken") })), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := &closings{Reader: tt.body}
			p := proxiedBy(t, "http://api2.example.com", roundTripper(func(req *http.Request) (*http.Response, error) {
				resp := answer(req, body)
				if tt.coding != "" {
					resp.Header.Set("Content-Encoding", tt.coding)
				}
				return resp, nil
			}))
			if resp, err := p.client.Do(get(t, p.URL)); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			p.Close() // which waits for the request
			if body.n.Load() == 0 {
				t.Error("it is never closed")
			}
		})
	}
}

func TestProxyRequest(t *testing.T) {
	type seen struct {
		Method, Host, URI, Body string
		Length                  int64
		Encoding                []string
		Header                  http.Header
	}
	var got seen
	p := newProxied(t, "HTTP://API2.Example.com:80", func(w http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		got = seen{req.Method, req.Host, req.RequestURI, string(b), req.ContentLength, req.TransferEncoding, req.Header}
	})
	send := func(text string) {
		t.Helper()
		conn, err := net.Dial("tcp", p.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(failsafe))
		io.WriteString(conn, strings.ReplaceAll(strings.TrimPrefix(text, "\n"), "\n", "\r\n"))
		if _, err := io.ReadAll(conn); err != nil {
			t.Error(err)
		}
	}
	send(`
POST /a%2Fb//c/?x=%20;y&z= HTTP/1.1
Host: localhost
Connection: close, X-Mine
X-Mine: 1
Keep-Alive: 5
Te: trailers, deflate
Proxy-Authorization: Basic eDp5
X-Forwarded-For: 10.1.1.1
X-Two: 1
X-Two: 2
Upgrade: h2c
Accept-Encoding: gzip, br
Transfer-Encoding: chunked

3
abc
0

`)
	want := seen{"POST", "api2.example.com", "/a%2Fb//c/?x=%20;y&z=", "abc", -1, []string{"chunked"}, http.Header{
		"Te": {"trailers"}, "X-Forwarded-For": {"10.1.1.1"}, "X-Two": {"1", "2"}, "Accept-Encoding": {"identity"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("chunked: -want +got\n%s", diff)
	}
	send("\nPUT /? HTTP/1.1\nHost: localhost\nConnection: close\nUser-Agent: me\nContent-Length: 3\n\nabc")
	want = seen{"PUT", "api2.example.com", "/?", "abc", 3, nil, http.Header{
		"User-Agent": {"me"}, "Accept-Encoding": {"identity"}, "Content-Length": {"3"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with a length: -want +got\n%s", diff)
	}
	send("\nGET / HTTP/1.0\n\n")
	want = seen{"GET", "api2.example.com", "/", "", 0, nil, http.Header{"Accept-Encoding": {"identity"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("HTTP/1.0: -want +got\n%s", diff)
	}
	_, all := p.closed()
	if all[0].URL != "http://api2.example.com/a%2Fb//c/?x=%20;y&z=" {
		t.Errorf("the reel has %q", all[0].URL)
	}
}

func TestProxyResponse(t *testing.T) {
	for _, tt := range []struct {
		name, method, sent, want string
	}{
		{"length", "GET", "200 OK\nContent-Length: 3\nX-Two: 1\nX-Two: 2\n\nabc", "200 OK\nContent-Length: 3\nX-Two: 1\nX-Two: 2\n\nabc"},
		{"pieces", "GET", "200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n", "200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n"},
		{"up to the end", "GET", "200 OK\n\nabc", "200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n"},
		{"trailers", "GET", "200 OK\nTransfer-Encoding: chunked\nTrailer: X-Sum\n\n3\nabc\n0\nX-Sum: 1\n\n", "200 OK\nTrailer: X-Sum\nTransfer-Encoding: chunked\n\n3\nabc\n0\nX-Sum: 1\n\n"},
		{"JSON loses its length", "GET", "200 OK\nContent-Type: application/json\nContent-Length: 2\n\n{}", "200 OK\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n2\n{}\n0\n\n"},
		{"HEAD", "HEAD", "200 OK\nContent-Length: 3\n\n", "200 OK\nContent-Length: 3\n\n"},
		{"HEAD of JSON", "HEAD", "200 OK\nContent-Type: application/json\nContent-Length: 3\n\n", "200 OK\nContent-Length: 3\nContent-Type: application/json\n\n"},
		{"204", "GET", "204 No Content\nX-A: b\n\n", "204 No Content\nX-A: b\n\n"},
		{"304", "GET", "304 Not Modified\nEtag: \"a\"\n\n", "304 Not Modified\nEtag: \"a\"\n\n"},
		{"304 of JSON", "GET", "304 Not Modified\nContent-Type: application/json\nEtag: \"a\"\n\n", "304 Not Modified\nEtag: \"a\"\n\n"},
		{"early hints", "GET", "103 Early Hints\nLink: <http://api2.example.com/x>\n\nHTTP/1.1 204 No Content\nX-A: b\n\n", "103 Early Hints\nLink: <http://PROXY/x>\n\nHTTP/1.1 204 No Content\nX-A: b\n\n"},
		{"redirect", "GET", "302 Found\nLocation: http://api2-jane.example.com/x?u=http://api2.example.com\nContent-Length: 0\n\n", "302 Found\nContent-Length: 0\nLocation: http://PROXY/-/http/api2-jane.example.com/x?u=http://PROXY\n\n"},
		{"redirect without a scheme", "GET", "302 Found\nLocation: //api2-jane.example.com/x\nContent-Length: 0\n\n", "302 Found\nContent-Length: 0\nLocation: http://PROXY/-/http/api2-jane.example.com/x\n\n"},
		{"redirect to a path", "GET", "302 Found\nLocation: /x\nContent-Length: 0\n\n", "302 Found\nContent-Length: 0\nLocation: /x\n\n"},
		{"redirect away", "GET", "302 Found\nLocation: https://www.example.com/x\nContent-Length: 0\n\n", "302 Found\nContent-Length: 0\nLocation: https://www.example.com/x\n\n"},
		{"the upstream's connection", "GET", "200 OK\nConnection: X-Mine\nX-Mine: 1\nKeep-Alive: timeout=5\nAlt-Svc: h3\nStrict-Transport-Security: max-age=1\nContent-Length: 0\n\n", "200 OK\nContent-Length: 0\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
				conn, _, _ := http.NewResponseController(w).Hijack()
				io.WriteString(conn, strings.ReplaceAll("HTTP/1.1 "+tt.sent, "\n", "\r\n"))
				conn.Close()
			})
			conn, err := net.Dial("tcp", p.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "%s / HTTP/1.1\r\nHost: localhost:1\r\n\r\n", tt.method)
			want := strings.ReplaceAll(strings.ReplaceAll("HTTP/1.1 "+tt.want, "\n", "\r\n"), "PROXY", "localhost:1")
			got := make([]byte, len(want))
			conn.SetReadDeadline(time.Now().Add(failsafe))
			if n, err := io.ReadFull(conn, got); err != nil || string(got) != want {
				t.Errorf("%v, got\n%s\nwant\n%s", err, got[:n], want)
			}
			if _, all := p.closed(); len(all) != 1 || all[0].End != replay.EndEOF {
				t.Errorf("the reel has %q", dump(all))
			}
		})
	}
}

// An Assembly's Status names the machine that it runs on: all of its URLs lead there
// by way of the proxy, whatever a client hangs on to them.
func TestProxyFollowsAssembly(t *testing.T) {
	const id = "55a46ab12179453a8a20921a058b7546"
	const machine = "api2-hu268ep.example.com"
	status := `{"assembly_id":"` + id + `","assembly_url":"http://api2.hu268ep.example.com/assemblies/` + id + `","assembly_ssl_url":"https://` + machine + `/assemblies/` + id +
		`","websocket_url":"https:\/\/` + machine + `\/ws20219","update_stream_url":"https://` + machine + `/ws20219?assembly=` + id +
		`","tus_url":"https://api2-hu524ep.example.com/resumable/files/","self":"https://api2.example.com/assemblies","results":"https://demos.example.com/a.jpeg"}`
	var mu sync.Mutex
	var asked []string
	metadata := make(map[string]string)
	upstream := roundTripper(func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, req.Method+" "+req.URL.String())
		resp := answer(req, io.NopCloser(strings.NewReader(status)))
		resp.Header.Set("Content-Type", "application/json")
		switch {
		case req.Method == "POST" && strings.HasPrefix(req.URL.Path, "/resumable/"):
			for pair := range strings.SplitSeq(req.Header.Get("Upload-Metadata"), ",") {
				name, value, _ := strings.Cut(pair, " ")
				plain, err := base64.StdEncoding.DecodeString(value)
				if err != nil {
					t.Error(err)
				}
				metadata[name] = string(plain)
			}
			resp.StatusCode, resp.Body = 201, http.NoBody
			resp.Header = http.Header{"Location": {"https://" + req.URL.Host + "/resumable/files/1"}}
		case req.Method == "PATCH":
			resp.StatusCode, resp.Body = 302, http.NoBody
			resp.Header = http.Header{"Location": {"/resumable/files/2"}}
		}
		return resp, nil
	})
	p := proxiedBy(t, "https://api2.example.com", upstream)
	got := p.text("/assemblies")
	at := p.URL + "/-/https/"
	want := `{"assembly_id":"` + id + `","assembly_url":"` + p.URL + `/-/http/api2.hu268ep.example.com/assemblies/` + id + `","assembly_ssl_url":"` + at + machine + `/assemblies/` + id +
		`","websocket_url":"` + strings.ReplaceAll(at+machine+`/ws20219`, "/", `\/`) + `","update_stream_url":"` + at + machine + `/ws20219?assembly=` + id +
		`","tus_url":"` + at + `api2-hu524ep.example.com/resumable/files/","self":"` + p.URL + `/assemblies","results":"https://demos.example.com/a.jpeg"}`
	if got != want {
		t.Fatalf("the client gets\n%s\nwant\n%s", got, want)
	}
	p.text("/-/https/" + machine + "/assemblies/" + id)
	p.text("/-/https/" + machine + "/ws20219?assembly=" + id)
	p.text("/-/http/api2.hu268ep.example.com?x=/-/")

	req := get(t, at+"api2-hu524ep.example.com/resumable/files/")
	req.Method = "POST"
	req.Header.Set("Upload-Metadata", "empty,filename "+base64.StdEncoding.EncodeToString([]byte("a.jpg"))+
		",assembly_url "+base64.StdEncoding.EncodeToString([]byte(at+machine+"/assemblies/"+id)))
	resp := p.do(req)
	if to, want := resp.Header.Get("Location"), at+"api2-hu524ep.example.com/resumable/files/1"; to != want {
		t.Errorf("the upload is at %s, want %s", to, want)
	}
	if want := map[string]string{"empty": "", "filename": "a.jpg", "assembly_url": "https://" + machine + "/assemblies/" + id}; !cmp.Equal(metadata, want) {
		t.Errorf("the upload's metadata are %q, want %q", metadata, want)
	}
	req = get(t, resp.Header.Get("Location"))
	req.Method = "PATCH"
	if to := p.do(req).Header.Get("Location"); to != "/-/https/api2-hu524ep.example.com/resumable/files/2" {
		t.Errorf("a path of another host leads to %s", to)
	}

	wantAsked := []string{
		"GET https://api2.example.com/assemblies",
		"GET https://" + machine + "/assemblies/" + id,
		"GET https://" + machine + "/ws20219?assembly=" + id,
		"GET http://api2.hu268ep.example.com?x=/-/",
		"POST https://api2-hu524ep.example.com/resumable/files/",
		"PATCH https://api2-hu524ep.example.com/resumable/files/1",
	}
	if diff := cmp.Diff(wantAsked, asked); diff != "" {
		t.Errorf("asked for: -want +got\n%s", diff)
	}
	text, all := p.closed()
	for i, x := range all {
		if x.Method+" "+x.URL != wantAsked[i] {
			t.Errorf("the reel has %s %s, want %s", x.Method, x.URL, wantAsked[i])
		}
	}
	if all[0].body() != status || strings.Contains(text, p.Listener.Addr().String()) {
		t.Errorf("the reel has not the upstream's URLs: %s", text)
	}
}

func TestProxySameService(t *testing.T) {
	for _, tt := range []struct {
		upstream  string
		yes, same string // hosts, apart by spaces; at the proxy's root
		no        string
	}{
		{
			"https://api2.example.com",
			"api2-jane.example.com api2.jane.example.com a.api2.example.com api2.example.com:8443 API2-JANE.example.com:99",
			"api2.example.com API2.example.com:443",
			"example.com www.example.com api2x.example.com api20-jane.example.com api2-jane.example.com.evil.example xapi2.example.com api2.evil.example api2-jane.example.com. evil%2f.api2.example.com u@a.api2.example.com api2.example.com:1@a api2-jane.example.com:99999 api2-jane.example.com:",
		},
		{"https://api2-jane.example.co.uk", "api2.example.co.uk api2-eu.example.co.uk", "api2-jane.example.co.uk", "example.co.uk api2.other.co.uk"},
		{"http://example.com", "api.example.com", "example.com example.com:80", "example-2.com example.net other.com"},
		{"http://localhost:3000", "localhost:3001 localhost", "localhost:3000", "127.0.0.1:3000 xlocalhost"},
		{"http://127.0.0.1:3000", "127.0.0.1:3001 127.0.0.1", "127.0.0.1:3000", "127.0.0.2:3000 127-x.0.0.1 x.127.0.0.1 localhost:3000"},
		{"http://[::1]:3000", "[::1]:3001 [::1]", "[::1]:3000", "[::2] [::1]x"},
	} {
		t.Run(tt.upstream, func(t *testing.T) {
			scheme, _, _ := strings.Cut(tt.upstream, "://")
			var text string
			p := proxiedBy(t, tt.upstream, roundTripper(func(req *http.Request) (*http.Response, error) {
				return answer(req, io.NopCloser(strings.NewReader(text))), nil
			}))
			for _, host := range strings.Fields(tt.yes + " " + tt.same + " " + tt.no) {
				path := elsewhere(scheme, host)
				if resp := p.get(path); resp.StatusCode != http.StatusNotFound {
					t.Errorf("%s: %d before the upstream has named it", path, resp.StatusCode)
				}
				origin := scheme + "://" + host
				text = "data: " + origin + "/x\n\n"
				want := text
				if slices.Contains(strings.Fields(tt.yes), host) {
					want = "data: " + p.URL + path + "\n\n"
				}
				if slices.Contains(strings.Fields(tt.same), host) {
					want = "data: " + p.URL + "/x\n\n"
				}
				if got := p.text("/"); got != want {
					t.Errorf("%s: %q, want %q", host, got, want)
				}
				wantStatus := http.StatusNotFound
				if slices.Contains(strings.Fields(tt.yes), host) {
					wantStatus = http.StatusOK
				}
				if resp := p.get(path); resp.StatusCode != wantStatus {
					t.Errorf("%s: %d after the upstream has named it, want %d", path, resp.StatusCode, wantStatus)
				}
			}
		})
	}
}

func elsewhere(scheme, host string) string {
	return "/-/" + scheme + "/" + strings.ToLower(host) + "/x"
}

func TestProxyManyHosts(t *testing.T) {
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, "data: http://api2-%d.example.com/\n\n", i)
	}
	p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, text.String())
	})
	got := p.text("/")
	if n := strings.Count(got, "/-/http/api2-"); n != 4096 {
		t.Errorf("%d hosts are the proxy's, want 4096", n)
	}
	if got != p.text("/") {
		t.Error("the second time it is otherwise")
	}
}

// Which bodies are rewritten, and that all others are what they were.
func TestProxyRewrites(t *testing.T) {
	const body = `{"u":"http://api2.example.com/x"}`
	for _, tt := range []struct {
		name      string
		status    int
		header    map[string]string
		rewritten bool
	}{
		{"JSON", 200, map[string]string{"Content-Type": "Application/JSON ; charset=UTF-8"}, true},
		{"an error in JSON", 500, map[string]string{"Content-Type": "application/problem+json"}, true},
		{"event stream", 200, map[string]string{"Content-Type": "text/event-stream"}, true},
		{"lines of JSON", 200, map[string]string{"Content-Type": "application/x-ndjson"}, true},
		{"identity", 200, map[string]string{"Content-Type": "application/json", "Content-Encoding": "identity"}, true},
		{"text", 200, map[string]string{"Content-Type": "text/plain"}, false},
		{"HTML", 200, map[string]string{"Content-Type": "text/html"}, false},
		{"unknown", 200, nil, false},
		{"a part", 206, map[string]string{"Content-Type": "application/json", "Content-Range": "bytes 0-32/99"}, false},
		{"JSON in Brotli", 200, map[string]string{"Content-Type": "application/json", "Content-Encoding": "br"}, false},
		{"text in gzip", 200, map[string]string{"Content-Type": "text/plain", "Content-Encoding": "gzip"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
				w.Header()["Content-Type"] = nil
				for name, value := range tt.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, body)
			})
			resp := p.get("/")
			want := body
			if tt.rewritten {
				want = strings.ReplaceAll(body, "http://api2.example.com", p.URL)
			}
			if got := readAll(t, resp); got != want || resp.StatusCode != tt.status {
				t.Errorf("%d %q, want %q", resp.StatusCode, got, want)
			}
			for name, value := range tt.header {
				if resp.Header.Get(name) != value {
					t.Errorf("%s is %q, want %q", name, resp.Header.Get(name), value)
				}
			}
			if got := resp.Header.Values("Content-Type"); tt.header == nil && got != nil {
				t.Errorf("the type is %q, which the upstream has not said", got)
			}
			if _, all := p.closed(); all[0].body() != body {
				t.Errorf("the reel has %q", all[0].body())
			}
		})
	}
}

// A client that has the cookies of the upstream from the proxy keeps them for that, and what
// the upstream has sent stays what it is.
func TestProxyCookies(t *testing.T) {
	for _, tt := range []struct {
		name, sent, want string
		https            bool // by which the client came
	}{
		{"plain", "a=1", "a=1", false},
		{"others", "a=1;Path=/x ; HttpOnly; Max-Age=5; SameSite=Lax", "a=1;Path=/x ; HttpOnly; Max-Age=5; SameSite=Lax", false},
		{"its domain", "a=1; Domain=api2.example.com; Path=/", "a=1; Path=/", false},
		{"a domain it is in", "a=1; path=/; domain = .Example.COM", "a=1; path=/", false},
		{"a domain it is not in", "a=1; Domain=api.example.com", "a=1; Domain=api.example.com", false},
		{"a domain that ends like its own", "a=1; Domain=ample.com", "a=1; Domain=ample.com", false},
		{"a domain beneath it", "a=1; Domain=x.api2.example.com", "a=1; Domain=x.api2.example.com", false},
		{"no domain", "a=1; Domain=; Path=/", "a=1; Domain=; Path=/", false},
		{"secure", "a=1; Domain=example.com; Secure; HttpOnly; SameSite=None; Partitioned", "a=1; HttpOnly", false},
		{"secure, by https", "a=1; Domain=example.com; Secure; SameSite=None; Partitioned", "a=1; Secure; SameSite=None; Partitioned", true},
		{"secure by name", "__Secure-a=1; Domain=example.com; Secure", "__Secure-a=1; Secure", false},
		{"secure by name, of the host", "__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure", false},
		{"called like an attribute", "secure=1; Secure", "secure=1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sent := http.Header{"Set-Cookie": {"first=1; Secure", tt.sent}}
			req := httptest.NewRequest("GET", "/", nil)
			req.Host = "localhost"
			if tt.https {
				req.TLS = new(tls.ConnectionState)
			}
			w := httptest.NewRecorder()
			replay.NewProxy(&url.URL{Scheme: "https", Host: "API2.example.com:8443"}, roundTripper(func(req *http.Request) (*http.Response, error) {
				res := answer(req, http.NoBody)
				res.Header = sent
				return res, nil
			})).ServeHTTP(w, req)
			if got := w.Header()["Set-Cookie"]; len(got) != 2 || got[1] != tt.want {
				t.Errorf("the client gets %q, want %q", got, tt.want)
			}
			if got := sent["Set-Cookie"]; got[0] != "first=1; Secure" || got[1] != tt.sent {
				t.Errorf("the recorder gets %q", got)
			}
		})
	}
	t.Run("there and back", func(t *testing.T) {
		p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Set-Cookie", "a=1; Domain=.example.com; Path=/; Secure; SameSite=None")
			io.WriteString(w, req.Header.Get("Cookie"))
		})
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		p.client.Jar = jar
		if first, second := p.text("/"), p.text("/x"); first != "" || second != "a=1" {
			t.Errorf("the upstream gets %q, and then %q", first, second)
		}
	})
}

// The sums of a body that is rewritten are not those of what the client gets. Its ETag is the
// upstream's, which is asked by it.
func TestProxyDigests(t *testing.T) {
	const body = `{"u":"http://api2.example.com/x"}`
	sums := []string{"Content-Digest", "Repr-Digest", "Digest", "Content-Md5"}
	for _, tt := range []struct {
		name, mediaType, coding string
		status                  int
		kept                    bool
	}{
		{"JSON", "application/json", "", 200, false},
		{"an event stream", "text/event-stream", "", 200, false},
		{"JSON in gzip", "application/json", "gzip", 200, false},
		{"JSON in Brotli", "application/json", "br", 200, true},
		{"a part of JSON", "application/json", "", 206, true},
		{"text", "text/plain", "", 200, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
				h := w.Header()
				h.Set("Content-Type", tt.mediaType)
				h.Set("Etag", `"1"`)
				h.Set("X-Digest", "x")
				h.Set("Trailer", "X-Sum, Content-Digest")
				for _, name := range sums {
					h.Set(name, "sha-256=:abc=:")
				}
				var out io.Writer = w
				if tt.coding != "" {
					h.Set("Content-Encoding", tt.coding)
				}
				w.WriteHeader(tt.status)
				if tt.coding == "gzip" {
					zip := gzip.NewWriter(w)
					defer zip.Close()
					out = zip
				}
				io.WriteString(out, body)
				h.Set("X-Sum", "1")
				h.Set("Content-Digest", "sha-256=:abc=:")
				h.Set(http.TrailerPrefix+"Repr-Digest", "sha-256=:abc=:")
			})
			resp := p.get("/")
			readAll(t, resp)
			for _, name := range sums {
				if _, ok := resp.Header[name]; ok != tt.kept {
					t.Errorf("%s is there: %v, want %v", name, ok, tt.kept)
				}
			}
			for _, name := range []string{"Content-Digest", "Repr-Digest"} {
				if _, ok := resp.Trailer[name]; ok != tt.kept {
					t.Errorf("%s is in the trailer: %v, want %v", name, ok, tt.kept)
				}
			}
			if resp.Header.Get("Etag") != `"1"` || resp.Header.Get("X-Digest") != "x" || resp.Trailer.Get("X-Sum") != "1" {
				t.Errorf("the header is %q, the trailer %q", resp.Header, resp.Trailer)
			}
			_, all := p.closed()
			for _, name := range sums {
				if all[0].Header.Get(name) == "" {
					t.Errorf("the reel lacks %s", name)
				}
			}
		})
	}
}

// Whatever way the upstream's bytes are cut into reads, the client gets the same.
func TestProxyRewritesAcrossPieces(t *testing.T) {
	const body = "data: {\"u\":\"http:\\/\\/api2-jane.example.com\\/x\",\"v\":\"http://api2.example.com:80\"}\n\ndata: https"
	for cut := range len(body) {
		p := proxiedBy(t, "http://api2.example.com", roundTripper(func(req *http.Request) (*http.Response, error) {
			return answer(req, script(step{data: body[:cut]}, step{data: body[cut:]}, step{err: io.EOF})), nil
		}))
		want := "data: {\"u\":\"" + strings.ReplaceAll(p.URL+"/-/http/api2-jane.example.com/x", "/", `\/`) + "\",\"v\":\"" + p.URL + "\"}\n\ndata: https"
		if got := p.text("/"); got != want {
			t.Fatalf("cut at %d: %q\nwant %q", cut, got, want)
		}
		p.Close()
	}
}

// An event in gzip is on its way when the upstream has flushed it.
func TestProxyGunzipsEvents(t *testing.T) {
	got := make(chan struct{})
	p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Encoding", "gzip")
		flush(w)
		zip := gzip.NewWriter(w)
		for range 3 {
			select {
			case <-got:
			case <-req.Context().Done():
				return
			}
			io.WriteString(zip, "data: http://api2.example.com/\n\n")
			zip.Flush()
			flush(w)
		}
		zip.Close()
	})
	resp := p.get("/")
	if coding := resp.Header.Get("Content-Encoding"); coding != "" {
		t.Errorf("the client gets %s", coding)
	}
	want := "data: " + p.URL + "/\n\n"
	for range 3 {
		got <- struct{}{}
		buf := make([]byte, len(want))
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != want {
			t.Fatalf("%q, %v, want %q", buf, err, want)
		}
	}
	if rest := readAll(t, resp); rest != "" {
		t.Errorf("%q comes behind", rest)
	}
	if _, all := p.closed(); all[0].End != replay.EndEOF || !strings.HasPrefix(all[0].body(), "\x1f\x8b") {
		t.Errorf("the reel has %q", dump(all))
	}
}

// What is no gzip, whatever is said of it, is the client's to make sense of, as it is
// without the proxy. Gzip that is cut off breaks off as the upstream's own failures do.
func TestProxyBadGzip(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		untouched  bool
		err        error
	}{
		{"text", `{"u":"http://api2.example.com/x"}`, true, nil},
		{"a single byte", "1", true, nil},
		{"another method", "\x1f\x8b\x09http://api2.example.com/", true, nil},
		{"nothing", "", false, nil},
		{"cut off", "\x1f\x8b\x08", false, io.ErrUnexpectedEOF},
		{"cut off at once", "\x1f", false, io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Encoding", "gzip")
				w.Header().Set("Content-Digest", "sha-256=:abc=:")
				w.Header().Set("Content-Length", fmt.Sprint(len(tt.body)))
				io.WriteString(w, tt.body)
			})
			resp := p.get("/")
			b, err := io.ReadAll(resp.Body)
			if !errors.Is(err, tt.err) || tt.err == nil && string(b) != tt.body {
				t.Errorf("%q, %v, want %q", b, err, tt.body)
			}
			h := resp.Header
			if untouched := h.Get("Content-Encoding") == "gzip" && h.Get("Content-Digest") != "" && h.Get("Content-Length") == fmt.Sprint(len(tt.body)); untouched != tt.untouched {
				t.Errorf("the header is %q", h)
			}
			if _, all := p.closed(); all[0].body() != tt.body || all[0].End != replay.EndEOF {
				t.Errorf("the reel has %q", dump(all))
			}
		})
	}
}

// headerTime notes when the header is sent.
type headerTime struct {
	*httptest.ResponseRecorder
	at time.Time
}

func (h *headerTime) WriteHeader(status int) {
	h.at = time.Now()
	h.ResponseRecorder.WriteHeader(status)
}

// The header of what is said to be gzip waits for the first bytes, which tell, but not for
// those of a stream that takes its time. Nothing is lost of that if it is none.
func TestProxyLateGzip(t *testing.T) {
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	io.WriteString(zip, "data: http://api2.example.com/\n\n")
	zip.Close()
	const plain, rewritten = "data: http://api2.example.com/\n\n", "data: http://localhost/\n\n"
	for _, tt := range []struct {
		name       string
		body       string
		wait       time.Duration
		headerWait time.Duration
		coding     string
		want       string
	}{
		{"at once", zipped.String(), 0, 0, "", rewritten},
		{"soon", zipped.String(), 50 * time.Millisecond, 50 * time.Millisecond, "", rewritten},
		{"late", zipped.String(), time.Minute, 100 * time.Millisecond, "", rewritten},
		{"no gzip, soon", plain, 50 * time.Millisecond, 50 * time.Millisecond, "gzip", plain},
		{"no gzip, late", plain, time.Minute, 100 * time.Millisecond, "", rewritten},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := replay.NewProxy(&url.URL{Scheme: "http", Host: "api2.example.com"}, roundTripper(func(req *http.Request) (*http.Response, error) {
					resp := answer(req, script(step{tt.wait, tt.body, nil}, step{0, "", io.EOF}))
					resp.Header.Set("Content-Encoding", "gzip")
					return resp, nil
				}))
				req := httptest.NewRequest("GET", "/", nil)
				req.Host = "localhost"
				w := &headerTime{ResponseRecorder: httptest.NewRecorder()}
				start := time.Now()
				h.ServeHTTP(w, req)
				if got := w.Body.String(); got != tt.want || w.Header().Get("Content-Encoding") != tt.coding {
					t.Errorf("the client gets %q, %q", w.Header(), got)
				}
				if got := w.at.Sub(start); got != tt.headerWait {
					t.Errorf("the header comes after %v, want %v", got, tt.headerWait)
				}
			})
		})
	}
}

func TestProxyRestoresRequests(t *testing.T) {
	var header http.Header
	var body string
	var length int64
	p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		header, body, length = req.Header, string(b), req.ContentLength
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `"http://api2-jane.example.com/x https://api2-jane.example.com/x https://api2-jane.example.com:8443"`)
	})
	if got, want := p.text("/"), strings.ReplaceAll(`"URL/-/http/api2-jane.example.com/x URL/-/https/api2-jane.example.com/x URL/-/https/api2-jane.example.com:8443"`, "URL", p.URL); got != want {
		t.Errorf("the client gets %s, want %s", got, want)
	}
	escaped := strings.ReplaceAll(p.URL, "/", `\/`)
	in := fmt.Sprintf(`{"a":"%s/x","b":"\n%s\/-\/http\/api2-jane.example.com\/x","c":"%s/-/https/api2-jane.example.com:8443?y","d":"%s/-/http/api2-other.example.com/x","e":"http://x/","f":"%s","g":"%s"}`,
		p.URL, escaped, p.URL, p.URL, strings.Replace(p.URL, "http", "ws", 1), p.Listener.Addr())
	want := fmt.Sprintf(`{"a":"http://api2.example.com/x","b":"\nhttp:\/\/api2-jane.example.com\/x","c":"https://api2-jane.example.com:8443?y","d":"http://api2.example.com/-/http/api2-other.example.com/x","e":"http://x/","f":"ws://api2.example.com","g":"%s"}`,
		p.Listener.Addr())
	for _, tt := range []struct{ mediaType, want string }{{"application/json", want}, {"text/plain", in}} {
		req := get(t, p.URL)
		req.Method, req.Body, req.ContentLength = "POST", io.NopCloser(strings.NewReader(in)), int64(len(in))
		req.Header = http.Header{"Content-Type": {tt.mediaType}, "Referer": {p.URL + "/-/http/api2-jane.example.com/x"}, "Origin": {p.URL}, "X-Other": {"http://localhost:1"}}
		readAll(t, p.do(req))
		if body != tt.want || length != int64(len(tt.want)) {
			t.Errorf("%s: the upstream gets %d bytes\n%s\nwant\n%s", tt.mediaType, length, body, tt.want)
		}
		if header.Get("Referer") != "http://api2-jane.example.com/x" || header.Get("Origin") != "http://api2.example.com" || header.Get("X-Other") != "http://localhost:1" {
			t.Errorf("the upstream gets the header %q", header)
		}
	}
	_, all := p.closed()
	for i, want := range []string{want, in} {
		x := all[1+i]
		if length := x.RequestHeader.Get("Content-Length"); sentBody(x) != want || length != fmt.Sprint(len(want)) {
			t.Errorf("the reel has a Content-Length of %s and the body\n%s\nwant %d bytes\n%s", length, sentBody(x), len(want), want)
		}
	}
}

func TestProxyWithoutUpstream(t *testing.T) {
	for _, upstream := range []*url.URL{
		nil, {}, {Path: "api2.example.com"}, {Scheme: "http"}, {Scheme: "https", Host: ":443"}, {Scheme: "localhost", Opaque: "8080"},
		{Scheme: "ftp", Host: "h", User: url.UserPassword("me", planted)},
	} {
		w := httptest.NewRecorder()
		replay.NewProxy(upstream, roundTripper(func(*http.Request) (*http.Response, error) {
			t.Errorf("%v is asked", upstream)
			return nil, io.EOF
		})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if body := w.Body.String(); w.Code != 502 || !strings.Contains(body, "upstream") || !strings.Contains(body, "http://") || strings.Contains(body, planted) {
			t.Errorf("%v: %d %s", upstream, w.Code, body)
		}
	}
}

func TestProxyRestoresMetadata(t *testing.T) {
	for name, encoding := range base64s {
		list := func(origin string) string {
			return "filename,a " + encoding.EncodeToString([]byte(origin+"/~~~>.")) + ",b " + encoding.EncodeToString([]byte(origin+"/~~~?."))
		}
		req := httptest.NewRequest("POST", "/", nil)
		req.Host = "localhost"
		req.Header.Set("Upload-Metadata", list("http://localhost"))
		replay.NewProxy(&url.URL{Scheme: "http", Host: "api2.example.com"}, roundTripper(func(req *http.Request) (*http.Response, error) {
			if got, want := req.Header.Get("Upload-Metadata"), list("http://api2.example.com"); got != want {
				t.Errorf("base64 that is %s: the upstream gets %q, want %q", name, got, want)
			}
			return answer(req, http.NoBody), nil
		})).ServeHTTP(httptest.NewRecorder(), req)
	}
}

// A body is held to restore the URLs in it only where it is JSON that can be read, and small.
func TestProxyRestoredBodies(t *testing.T) {
	const bound = 1 << 20
	for _, c := range []struct {
		name     string
		size     int
		header   http.Header
		restored bool
	}{
		{"small", 100, http.Header{"Content-Type": {"application/json"}}, true},
		{"at the bound", bound, http.Header{"Content-Type": {"application/json"}}, true},
		{"over the bound", bound + 1, http.Header{"Content-Type": {"application/json"}}, false},
		{"text", 100, http.Header{"Content-Type": {"text/plain"}}, false},
		{"encoded", 100, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"br"}}, false},
		{"not to be sent yet", 100, http.Header{"Content-Type": {"application/json"}, "Expect": {"100-continue"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := `"http://localhost/x` + strings.Repeat(" ", c.size-20) + `"`
			left := strings.NewReader(body)
			req := httptest.NewRequest("POST", "/", left)
			req.Host, req.Header = "localhost", c.header
			req.Header.Set("Content-Length", fmt.Sprint(c.size))
			var got string
			replay.NewProxy(&url.URL{Scheme: "http", Host: "api2.example.com"}, roundTripper(func(req *http.Request) (*http.Response, error) {
				if held := left.Len() == 0; held != c.restored {
					t.Errorf("the body is held: %v", held)
				}
				b, err := io.ReadAll(req.Body)
				if got = string(b); err != nil || req.ContentLength != int64(len(b)) {
					t.Errorf("%d of %d bytes, %v", len(b), req.ContentLength, err)
				}
				if length := req.Header["Content-Length"]; length != nil {
					t.Errorf("the header has the length of what the client sent, %q", length)
				}
				return answer(req, http.NoBody), nil
			})).ServeHTTP(httptest.NewRecorder(), req)
			want := body
			if c.restored {
				want = strings.Replace(body, "//localhost", "//api2.example.com", 1)
			}
			if got != want {
				t.Errorf("the upstream gets %q…", got[:min(len(got), 60)])
			}
		})
	}
}

// A client that has come over TLS, by what is in front of the proxy, goes on over TLS.
func TestProxyOverTLS(t *testing.T) {
	req := httptest.NewRequest("GET", "/", nil)
	req.Host, req.TLS = "localhost", new(tls.ConnectionState)
	w := httptest.NewRecorder()
	replay.NewProxy(&url.URL{Scheme: "http", Host: "api2.example.com"}, roundTripper(func(req *http.Request) (*http.Response, error) {
		res := answer(req, io.NopCloser(strings.NewReader(`"http://api2.example.com/x"`)))
		res.Header = http.Header{"Content-Type": {"application/json"}}
		return res, nil
	})).ServeHTTP(w, req)
	if got := w.Body.String(); got != `"https://localhost/x"` {
		t.Errorf("the client gets %s", got)
	}
}

func TestProxyExpectContinue(t *testing.T) {
	for _, accept := range []bool{true, false} {
		p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
			if !accept {
				w.WriteHeader(http.StatusExpectationFailed)
				return
			}
			io.Copy(w, req.Body)
		})
		continued := false
		sent := false
		req := get(t, p.URL)
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(int, textproto.MIMEHeader) error { continued = true; return nil },
		}))
		req.Method, req.ContentLength = "PUT", 3
		req.Header.Set("Expect", "100-continue")
		body := strings.NewReader("abc")
		req.Body = io.NopCloser(readerFunc(func(b []byte) (int, error) { sent = true; return body.Read(b) }))
		resp := p.do(req)
		got := readAll(t, resp)
		if accept && (resp.StatusCode != 200 || got != "abc" || !continued) {
			t.Errorf("%d %q, continued %t", resp.StatusCode, got, continued)
		}
		if !accept && (resp.StatusCode != 417 || sent || continued) {
			t.Errorf("%d, body sent %t, continued %t", resp.StatusCode, sent, continued)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// How the upstream's side ends is how the client's side ends: with all that came,
// and not as if that were all.
func TestProxyUpstreamBreaks(t *testing.T) {
	broken := errors.New("broken")
	late := context.DeadlineExceeded
	for _, tt := range []struct {
		name  string
		steps []step // nil where there is no response
		err   error
		body  string
		end   replay.End
	}{
		{"in the body", []step{{0, "data: a\n\nhttp", nil}, {0, "s:", broken}}, nil, "data: a\n\nhttps:", replay.EndReset},
		{"at the first byte", []step{{0, "", broken}}, nil, "", replay.EndReset},
		{"a timeout in the body", []step{{0, "data", late}}, nil, "data", replay.EndTimeout},
		{"no response", nil, broken, "", replay.EndReset},
		{"no response in time", nil, late, "", replay.EndTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := proxiedBy(t, "http://api2.example.com", roundTripper(func(req *http.Request) (*http.Response, error) {
				if tt.err != nil {
					return nil, tt.err
				}
				return answer(req, script(tt.steps...)), nil
			}))
			resp, err := p.client.Do(get(t, p.URL))
			if tt.err != nil {
				if err == nil {
					t.Errorf("the client gets %s", resp.Status)
				}
			} else if err != nil {
				t.Error(err)
			} else if b, err := io.ReadAll(resp.Body); string(b) != tt.body || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q, %v, want %q and an end too early", b, err, tt.body)
			}
			if _, all := p.closed(); all[0].End != tt.end || all[0].body() != tt.body {
				t.Errorf("the reel has %q", dump(all))
			}
		})
	}
}

// A connection that breaks is one over TCP, too.
func TestProxyUpstreamBreaksOverTCP(t *testing.T) {
	for _, length := range []string{"Content-Length: 100", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5"} {
		p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%s\r\n\r\nabc", length)
			conn.Close()
		})
		resp := p.get("/")
		if b, err := io.ReadAll(resp.Body); !strings.HasPrefix(string(b), "abc") || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q, %v", b, err)
		}
		if _, all := p.closed(); all[0].End != replay.EndReset {
			t.Errorf("the reel has %q", dump(all))
		}
	}
}

// sending is a request's body whose client goes on sending, and the response to it. As in
// net/http, to close the body waits for a read that is under way, and a deadline ends that.
type sending struct {
	*httptest.ResponseRecorder
	stopped chan struct{}
	once    sync.Once
}

func (s *sending) Read([]byte) (int, error) {
	<-s.stopped
	return 0, os.ErrDeadlineExceeded
}

func (s *sending) Close() error {
	<-s.stopped
	return nil
}

func (s *sending) SetReadDeadline(time.Time) error {
	s.once.Do(func() { close(s.stopped) })
	return nil
}

// A client is cut at the moment when the upstream is, also one that is still sending.
func TestProxyCutsWhoIsSending(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name  string
		steps []step // nil where there is no response
		want  string
	}{
		{"in the body", []step{{0, "ok", nil}, {100 * time.Millisecond, "", broken}}, "ok"},
		{"no response", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := replay.NewProxy(&url.URL{Scheme: "http", Host: "api2.example.com"}, roundTripper(func(req *http.Request) (*http.Response, error) {
					go io.Copy(io.Discard, req.Body)
					if tt.steps == nil {
						time.Sleep(100 * time.Millisecond)
						return nil, broken
					}
					return answer(req, script(tt.steps...)), nil
				}))
				client := &sending{ResponseRecorder: httptest.NewRecorder(), stopped: make(chan struct{})}
				start := time.Now()
				func() {
					defer func() {
						if err := recover(); err != http.ErrAbortHandler {
							t.Errorf("it ends with %v", err)
						}
					}()
					h.ServeHTTP(client, httptest.NewRequest("POST", "/", client))
				}()
				if got := time.Since(start); got != 100*time.Millisecond {
					t.Errorf("it ends after %v, want 100ms", got)
				}
				if got := client.Body.String(); got != tt.want {
					t.Errorf("the client gets %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// A client that goes away takes the upstream's request with it, at once.
func TestProxyClientGoes(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		body         string
		answers      bool
	}{
		{"in the body", "GET", "", true},
		{"before the response", "GET", "", false},
		{"after a body", "POST", "abc", true},
		{"after JSON", "PATCH", "{}", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arrived, gone := make(chan struct{}), make(chan struct{})
			p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
				io.Copy(io.Discard, req.Body)
				if tt.answers {
					io.WriteString(w, "abc")
					flush(w)
				}
				close(arrived)
				<-req.Context().Done()
				close(gone)
			})
			ctx, cancel := context.WithCancel(t.Context())
			req := get(t, p.URL).WithContext(ctx)
			req.Method, req.Body, req.ContentLength = tt.method, io.NopCloser(strings.NewReader(tt.body)), int64(len(tt.body))
			req.Header.Set("Content-Type", "application/json")
			go func() {
				<-arrived
				if !tt.answers {
					cancel()
				}
			}()
			resp, err := p.client.Do(req)
			if tt.answers {
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(resp.Body, make([]byte, 3)); err != nil {
					t.Fatal(err)
				}
				cancel()
			}
			select {
			case <-gone:
			case <-time.After(failsafe):
				t.Fatal("the upstream's request goes on")
			}
			if _, all := p.closed(); all[0].End != replay.EndCanceled || all[0].Cause == "the recording ended" {
				t.Errorf("the reel has %q", dump(all))
			}
		})
	}
}

func TestProxyRefuses(t *testing.T) {
	for _, tt := range []struct {
		head   string
		status int
	}{
		{"GET / HTTP/1.1\nHost: localhost:1", 200},
		{"GET / HTTP/1.1\nHost: app.localhost", 200},
		{"GET / HTTP/1.1\nHost: 127.0.0.1", 200},
		{"GET / HTTP/1.1\nHost: [::1]:80", 200},
		{"GET / HTTP/1.1\nHost: host.docker.internal:8080", 200},
		{"GET / HTTP/1.1\nHost: Devbox:8080", 200},
		{"GET / HTTP/1.1\nHost: app.test", 200},
		{"GET / HTTP/1.0", 200},
		{"GET / HTTP/1.1\nHost: rebound.example:8080", 421},
		{"GET / HTTP/1.1\nHost: localhost.example", 421},
		{"GET / HTTP/1.1\nHost: 127.0.0.1.rebound.example", 421},
		{"GET http://127.0.0.1/ HTTP/1.1\nHost: 127.0.0.1", 421},
		{"GET http://other.example/ HTTP/1.1\nHost: other.example", 421},
		{"CONNECT api2.example.com:443 HTTP/1.1\nHost: api2.example.com:443", 421},
		{"GET /-/http/other.example/x HTTP/1.1\nHost: localhost", 404},
		{"GET /-/http/api2-jane.example.com/x HTTP/1.1\nHost: localhost", 404},
		{"GET /-/http/ HTTP/1.1\nHost: localhost", 404},
		{"GET /-/ftp/x HTTP/1.1\nHost: localhost", 200}, // a path as any other
	} {
		asked := false
		p := proxiedBy(t, "http://api2.example.com", roundTripper(func(req *http.Request) (*http.Response, error) {
			asked = true
			return answer(req, http.NoBody), nil
		}))
		conn, err := net.Dial("tcp", p.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(failsafe))
		io.WriteString(conn, strings.ReplaceAll(tt.head, "\n", "\r\n")+"\r\nConnection: close\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		conn.Close()
		if err != nil {
			t.Errorf("%s: %v", tt.head, err)
			continue
		}
		if kind := resp.Header.Get("Content-Type"); tt.status != 200 && kind != "text/plain; charset=utf-8" {
			t.Errorf("%s: it is refused in %q", tt.head, kind)
		}
		if resp.StatusCode != tt.status || asked != (tt.status == 200) {
			t.Errorf("%s: %d, upstream asked: %t, want %d", tt.head, resp.StatusCode, asked, tt.status)
		}
		if _, all := p.closed(); (len(all) == 1) != asked {
			t.Errorf("%s: the reel has %q", tt.head, dump(all))
		}
	}
}

// Both sides of a WebSocket see what the other sends, when it does.
func TestProxyWebSocket(t *testing.T) {
	done := make(chan struct{})
	p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
		defer close(done)
		if req.Header.Get("Upgrade") != "websocket" || req.Header.Get("Connection") != "Upgrade" || req.Header.Get("Sec-Websocket-Key") != "abc" {
			t.Errorf("the upstream gets %q", req.Header)
		}
		conn, _, _ := http.NewResponseController(w).Hijack()
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Accept: x\r\n\r\nhello")
		io.Copy(conn, conn) // until the client has had enough
	})
	conn, err := net.Dial("tcp", p.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(failsafe))
	io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Key: abc\r\n\r\none")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Accept": {"x"}}
	if resp.StatusCode != 101 || !cmp.Equal(resp.Header, want) {
		t.Errorf("%s %q", resp.Status, resp.Header)
	}
	for _, want := range []string{"helloone", "two", "three"} {
		if want != "helloone" {
			io.WriteString(conn, want)
		}
		buf := make([]byte, len(want))
		if _, err := io.ReadFull(r, buf); err != nil || string(buf) != want {
			t.Fatalf("%q, %v, want %q", buf, err, want)
		}
	}
	conn.Close()
	select {
	case <-done:
	case <-time.After(failsafe):
		t.Fatal("the upstream's side is still open")
	}
	if _, all := p.closed(); all[0].Status != 101 || all[0].body() != "helloone"+"two"+"three" {
		t.Errorf("the reel has %q", dump(all))
	}
}

// switched has a server switch to the protocol of serve, by the connection and what is
// read from it.
func switched(w http.ResponseWriter, serve func(conn *net.TCPConn, r io.Reader)) {
	conn, buffered, _ := http.NewResponseController(w).Hijack()
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	serve(conn.(*net.TCPConn), buffered)
}

// switchAt asks the server at address to switch, says one, and returns the connection with
// what comes behind the response.
func switchAt(t *testing.T, address string) (*net.TCPConn, io.Reader) {
	t.Helper()
	conn := dial(t, address)
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\none")
	r := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 101 {
		t.Fatal(resp, err)
	}
	return conn.(*net.TCPConn), r
}

// noting has h say on done when it has returned.
func noting(h http.Handler) (noted http.Handler, done <-chan struct{}) {
	c := make(chan struct{})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer close(c)
		h.ServeHTTP(w, req)
	}), c
}

func wantDone(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(failsafe):
		t.Fatal("it goes on")
	}
}

// A side that has nothing more to send may still get what the other sends, as it does
// without the proxy. Nothing is left when both have ended.
func TestProxyHalfClose(t *testing.T) {
	for _, tt := range []struct {
		name   string
		serve  func(conn *net.TCPConn, r io.Reader)
		client func(t *testing.T, conn *net.TCPConn, r io.Reader)
		body   string
	}{
		{"the client first", func(conn *net.TCPConn, r io.Reader) {
			b, _ := io.ReadAll(r)
			fmt.Fprintf(conn, "got %s", b)
		}, func(t *testing.T, conn *net.TCPConn, r io.Reader) {
			io.WriteString(conn, "two")
			conn.CloseWrite()
			if b, err := io.ReadAll(r); string(b) != "got onetwo" || err != nil {
				t.Errorf("%q, %v", b, err)
			}
		}, "got onetwo"},
		{"the server first", func(conn *net.TCPConn, r io.Reader) {
			io.WriteString(conn, "enough")
			conn.CloseWrite()
			if b, err := io.ReadAll(r); string(b) != "onetwo" || err != nil {
				t.Errorf("the server gets %q, %v", b, err)
			}
		}, func(t *testing.T, conn *net.TCPConn, r io.Reader) {
			if b, err := io.ReadAll(r); string(b) != "enough" || err != nil {
				t.Errorf("%q, %v", b, err)
			}
			io.WriteString(conn, "two")
			conn.CloseWrite()
		}, "enough"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			served := make(chan struct{})
			p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
				defer close(served)
				switched(w, tt.serve)
			})
			var done <-chan struct{}
			p.Config.Handler, done = noting(p.Config.Handler)
			conn, r := switchAt(t, p.Listener.Addr().String())
			tt.client(t, conn, r)
			wantDone(t, served)
			wantDone(t, done)
			if _, all := p.closed(); all[0].body() != tt.body || all[0].End != replay.EndEOF {
				t.Errorf("the reel has %q", dump(all))
			}
		})
	}
}

// Where a connection cannot end by halves, the end of one is that of both.
func TestProxyNoHalves(t *testing.T) {
	ours, theirs := net.Pipe() // which has no CloseWrite
	defer theirs.Close()
	theirs.SetDeadline(time.Now().Add(failsafe))
	p := proxiedBy(t, "http://api2.example.com", roundTripper(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, ours)
		resp.StatusCode = 101
		return resp, nil
	}))
	var done <-chan struct{}
	p.Config.Handler, done = noting(p.Config.Handler)
	conn, r := switchAt(t, p.Listener.Addr().String())
	go conn.CloseWrite()
	if b, err := io.ReadAll(theirs); string(b) != "one" || err != nil {
		t.Errorf("the server gets %q, %v", b, err)
	}
	if b, err := io.ReadAll(r); len(b) > 0 || err != nil {
		t.Errorf("the client gets %q, %v", b, err)
	}
	wantDone(t, done)
}

// A server that switches without being asked to gets nobody to talk to.
func TestProxySwitchesNothingUnasked(t *testing.T) {
	p := proxiedBy(t, "http://api2.example.com", roundTripper(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, struct {
			io.ReadCloser
			io.Writer
		}{http.NoBody, io.Discard})
		resp.StatusCode = 101
		return resp, nil
	}))
	if resp, err := p.client.Do(get(t, p.URL)); err == nil {
		t.Errorf("the client gets %s", resp.Status)
	}
}

func TestProxyHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"proto":%q,"u":"https://%s/x"}`, req.Proto, req.Host)
		w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	p := proxiedBy(t, server.URL, server.Client().Transport)
	resp := p.get("/")
	if got, want := readAll(t, resp), fmt.Sprintf(`{"proto":"HTTP/2.0","u":"%s/x"}`, p.URL); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if resp.Trailer.Get("X-Sum") != "1" {
		t.Errorf("the trailers are %q", resp.Trailer)
	}
}

// An event of 30 MB comes through whole.
func TestProxyLargeEvent(t *testing.T) {
	event := "data: " + strings.Repeat(`{"u":"http://www.example.com/http:/"}`, 30<<20/37) + "\n\n"
	p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, event)
	})
	if got := p.text("/"); got != event {
		t.Errorf("%d bytes are not the %d that were sent", len(got), len(event))
	}
	if _, all := p.closed(); all[0].body() != event {
		t.Error("the reel has others")
	}
}

// A thousand streams that are open at once, each its own; nothing is left of them.
func TestProxyThousandAtOnce(t *testing.T) {
	const n = 1000
	before := runtime.NumGoroutine()
	t.Run("", func(t *testing.T) {
		var all, done sync.WaitGroup
		all.Add(n)
		p := newProxied(t, "http://api2.example.com", func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: http://api2.example.com"+req.URL.Path+"\n\n")
			flush(w)
			all.Done()
			all.Wait()
			io.WriteString(w, "data: end\n\n")
		})
		for i := range n {
			done.Go(func() {
				resp, err := p.client.Get(fmt.Sprintf("%s/%d", p.URL, i))
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				want := fmt.Sprintf("data: %s/%d\n\ndata: end\n\n", p.URL, i)
				if b, err := io.ReadAll(resp.Body); string(b) != want || err != nil {
					t.Errorf("%q, %v, want %q", b, err, want)
				}
			})
		}
		done.Wait()
		if _, all := p.closed(); len(all) != n {
			t.Errorf("the reel has %d exchanges", len(all))
		}
	})
	for deadline := time.Now().Add(failsafe); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestProxyWithoutTransport(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { io.WriteString(w, req.Host) }))
	defer server.Close()
	u, _ := url.Parse(server.URL)
	w := httptest.NewRecorder()
	replay.NewProxy(u, nil).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Body.String() != u.Host {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// A tunnel ends with the server that it goes through, also where one side has ended
// its half.
func TestProxyWebSocketEndsWithServer(t *testing.T) {
	for _, half := range []bool{false, true} {
		t.Run(fmt.Sprintf("half closed: %t", half), func(t *testing.T) {
			halved, ended := make(chan struct{}), make(chan struct{})
			upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				switched(w, func(_ *net.TCPConn, r io.Reader) {
					io.Copy(io.Discard, r)
					close(halved)
					if half {
						<-ended
					}
				})
			}))
			defer upstream.Close()
			u, _ := url.Parse(upstream.URL)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			h, done := noting(replay.NewProxy(u, nil))
			server := httptest.NewUnstartedServer(h)
			server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
			server.Start()
			defer server.Close()
			defer close(ended)
			conn, r := switchAt(t, server.Listener.Addr().String())
			if half {
				conn.CloseWrite()
				wantDone(t, halved)
			}
			stop()
			if b, err := io.ReadAll(r); err != nil || len(b) > 0 {
				t.Fatalf("%q, %v", b, err)
			}
			wantDone(t, halved)
			wantDone(t, done)
		})
	}
}

// The time of one event, from the server's write to the client's read, and of a
// stream that comes as fast as it can, over loopback.
func BenchmarkProxy(b *testing.B) {
	event := "data: {\"progress_combined\":50,\"url\":\"https://files.example.net/a.mp3\"}\n\n"
	next := make(chan struct{})
	block := []byte(strings.Repeat(event, 32<<10/len(event)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		flush(w)
		for req.URL.Path == "/events" {
			select {
			case <-next:
				io.WriteString(w, event)
				flush(w)
			case <-req.Context().Done():
				return
			}
		}
		for req.Context().Err() == nil {
			w.Write(block)
		}
	}))
	defer server.Close()
	u, _ := url.Parse(server.URL)
	rec, err := replay.NewRecorder(io.Discard, nil)
	if err != nil {
		b.Fatal(err)
	}
	through := httptest.NewServer(replay.NewProxy(u, nil))
	defer through.Close()
	recorded := httptest.NewServer(replay.NewProxy(u, rec))
	defer recorded.Close()
	for _, way := range []struct{ name, url string }{{"direct", server.URL}, {"proxy", through.URL}, {"recording", recorded.URL}} {
		open := func(b *testing.B, path string) io.ReadCloser {
			resp, err := http.Get(way.url + path)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { resp.Body.Close() })
			return resp.Body
		}
		b.Run("event/"+way.name, func(b *testing.B) {
			body, buf := open(b, "/events"), make([]byte, len(event))
			for b.Loop() {
				next <- struct{}{}
				if _, err := io.ReadFull(body, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("stream/"+way.name, func(b *testing.B) {
			body, buf := open(b, "/stream"), make([]byte, 1<<20)
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				if _, err := io.ReadFull(body, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
