package replay

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// NewProxy returns an http.Handler that passes every request on to upstream, by
// transport, and every answer back: what one read of the body returns is written,
// and flushed, before the next. With a [Recorder] as transport, it records the
// exchanges of a program in any language. Of upstream, an http or https URL, only
// the scheme and the host count; where it is anything else, every request is answered
// with 502. The transport is http.DefaultTransport where it is nil.
//
// The upstream sees the client's request: its own Host, no header that speaks of a
// proxy, the body as it comes. Two things are changed. No compression is asked for,
// so that recordings can be read; what comes compressed all the same stays so, except
// for text in gzip that has to be rewritten. What is said to be gzip and is not passes
// as it comes. And URLs that lead to the proxy become the upstream's again, in
// headers, in the Upload-Metadata of tus, and in JSON with a Content-Length of up to
// 1 MiB.
//
// The client stays with the proxy: in headers, and in bodies that are JSON or event
// streams, the upstream's origin becomes the proxy's, under the name that the client
// called it by. So do origins of the same service, since an Assembly's Status names the
// machine it runs on: https://HOST becomes /-/https/HOST at the proxy, which sends
// requests for that to HOST. Of the same service is the upstream's host at any port,
// any host below it, and what differs from it only after the first hyphen or
// dot of its first label, under the same parent domain: for api2.example.com that is
// api2-jane.example.com and api2.jane.example.com, and neither www.example.com nor
// example.com. No other host is ever asked, and none that the upstream has not named.
//
// Nothing is rewritten in WebSocket messages and partial content (206), and what an answer
// to HEAD says of the body is said of the upstream's. Where a body is rewritten, what may
// be the beginning of a URL at the end of a read, such as the last byte of {"delta":"oh, is
// only written with the next read, or at the end of the body: 269 bytes at most. Cookies
// lose a Domain that the upstream's machine is in and, where the client came by http,
// Secure, SameSite=None and Partitioned, so that the client sends them to the proxy; those
// called __Secure-… or __Host-… stay secure.
//
// What ends one side ends the other in the same way. When the client goes away, the
// context of the upstream's request ends. When the upstream breaks the connection, or
// cannot be reached, the client's is cut, with http.ErrAbortHandler, and nothing says why:
// to see the errors, wrap the transport in an http.RoundTripper that looks at what its
// RoundTrip, and the Read of its bodies, return. There are no timeouts except those of the
// transport.
//
// WebSockets are passed through, and either side may end its half while the other goes on;
// other protocols are not switched to. CONNECT and requests for another host, as of a
// client that takes this for its HTTP proxy, are answered with 421. So are requests over
// loopback that call the proxy by a name of the public DNS (any but IP addresses, names
// without a dot, and those under localhost, internal and test): they come from a web page
// whose name was made to point here.
func NewProxy(upstream *url.URL, transport http.RoundTripper) http.Handler {
	if transport == nil {
		transport = http.DefaultTransport
	}
	if upstream == nil {
		upstream = new(url.URL)
	}
	scheme := strings.ToLower(upstream.Scheme)
	if scheme != "http" && scheme != "https" || upstream.Hostname() == "" {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusBadGateway, "The upstream of this proxy, %q, is no URL with http:// or https:// and a host: start the proxy with another.", redactURL(upstream))
		})
	}
	authority := strings.TrimSuffix(strings.ToLower(upstream.Host), defaultPort(scheme))
	return &proxy{scheme: scheme, authority: authority, transport: transport, named: make(map[string]bool)}
}

type proxy struct {
	scheme    string
	authority string // in small letters, without the scheme's own port
	transport http.RoundTripper

	mu    sync.Mutex
	named map[string]bool // the origins of the same service that the upstream has named
}

const (
	// elsewhere begins the paths of what is at another origin than the upstream's:
	// scheme/host follows.
	elsewhere = "/-/"

	maxNamed = 4096 // origins: a service has machines, not as many as a hostile one could make up

	// maxRestored is how large a request's body may be, in bytes, for it to be held and
	// the URLs in it restored.
	maxRestored = 1 << 20

	// maxAuthority is the length of the longest name in the DNS, and a port.
	maxAuthority = 253 + len(":65535")
)

var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (p *proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !isOurs(req) {
		refuse(w, http.StatusMisdirectedRequest, "This is a proxy of %s://%s, and of nothing else: ask for a path of it, at localhost or an IP address.", p.scheme, p.authority)
		return
	}
	to, ok := p.target(req.URL)
	if !ok {
		refuse(w, http.StatusNotFound, "%s://%s has not named this host so far.", p.scheme, p.authority)
		return
	}
	control := http.NewResponseController(w)
	control.EnableFullDuplex()
	text := &rewriter{base: p.baseFor(req), longest: maxAuthority}
	var (
		mu   sync.Mutex // guards what follows, and text and w while it has not come
		came bool       // the response
	)
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		mu.Lock()
		defer mu.Unlock()
		// net/http sends 100 itself, when the transport begins to read the body.
		if !came && code != http.StatusContinue {
			p.answer(w.Header(), http.Header(h), to, text)
			w.WriteHeader(code)
			clear(w.Header())
		}
		return nil
	}}
	out, err := p.outgoing(req, to)
	if err != nil {
		panic(http.ErrAbortHandler) // the client broke off in its request's body
	}
	grace := time.Duration(0) // where the response breaks, at that moment and no later
	if out.Body != http.NoBody {
		// Otherwise the transport might read on when this has returned. Close waits for a read
		// that is under way, while the client may be waiting for the end of the response.
		defer func() {
			closed := make(chan error, 1)
			go func() {
				out.Body.Close()
				closed <- nil
			}()
			(&drain{read: closed}).stop(w, grace)
		}()
	}
	resp, err := p.transport.RoundTrip(out.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	mu.Lock()
	came = true
	mu.Unlock()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()

	p.answer(w.Header(), resp.Header, to, text)
	for i, cookie := range w.Header()["Set-Cookie"] {
		w.Header()["Set-Cookie"][i] = cookieOfProxy(cookie, hostname(to.Host), req.TLS != nil)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		tunnel(control, req, resp, w.Header())
		return
	}
	var body io.Reader = resp.Body
	if !hasURLs(resp.Header) || resp.StatusCode == http.StatusPartialContent || req.Method == http.MethodHead {
		text = nil
	} else if coding := resp.Header.Get("Content-Encoding"); coding == "" || strings.EqualFold(coding, "identity") {
		w.Header().Del("Content-Length")
	} else if strings.EqualFold(coding, "gzip") || strings.EqualFold(coding, "x-gzip") {
		zip := newGunzipper(resp.Body)
		body = zip
		if zip.isPlain() {
			text = nil
		} else {
			w.Header().Del("Content-Length")
			w.Header().Del("Content-Encoding")
		}
	} else {
		text = nil
	}
	unsaid := func(name string) bool { return text != nil && digests[name] }
	maps.DeleteFunc(w.Header(), func(name string, _ []string) bool { return unsaid(name) })
	for name := range resp.Trailer {
		if !unsaid(name) {
			w.Header().Add("Trailer", name)
		}
	}
	announced := maps.Clone(resp.Trailer)
	w.WriteHeader(resp.StatusCode)
	control.Flush() // the body may take its time
	passed := pass(w, control, body, text)
	grace = readGrace
	if !passed {
		return
	}
	for name, values := range resp.Trailer {
		if unsaid(name) {
			continue
		}
		if _, ok := announced[name]; !ok {
			name = http.TrailerPrefix + name
		}
		w.Header()[name] = values
	}
}

// pass writes what comes from body as it comes, rewritten if text is not nil. It
// returns false where the client has gone.
func pass(w io.Writer, control *http.ResponseController, body io.Reader, text *rewriter) bool {
	buf := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(buf)
	var rewritten []byte
	for {
		n, err := body.Read(buf[:])
		piece := buf[:n]
		if text != nil {
			rewritten = text.append(rewritten[:0], piece)
			if err != nil {
				rewritten = text.flush(rewritten)
			}
			piece = rewritten
		}
		if len(piece) > 0 {
			if _, err := w.Write(piece); err != nil {
				return false
			}
			control.Flush()
		}
		if err == io.EOF {
			return true
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// refuse answers in place of the upstream.
func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, format+"\n", args...)
}

// isOurs returns whether req is for this server, and not for one that an HTTP proxy is to
// reach, or whose name was made to point here.
func isOurs(req *http.Request) bool {
	if req.URL.Host != "" || req.Method == http.MethodConnect {
		return false
	}
	local, ok := req.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !local.IP.IsLoopback() || req.Host == "" {
		return true
	}
	name := hostname(strings.ToLower(req.Host))
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case name, "localhost", "internal", "test": // RFC 6761, and ICANN's for internal
		return true
	}
	return false
}

// hostname returns the authority without its port.
func hostname(authority string) string {
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		return authority[:i]
	}
	return authority
}

// target returns the URL that u, a URL at the proxy, stands for. ok is false where its host
// is one that the upstream has not named.
func (p *proxy) target(u *url.URL) (to *url.URL, ok bool) {
	to = &url.URL{Scheme: p.scheme, Host: p.authority, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery}
	path := u.EscapedPath()
	if rest, found := strings.CutPrefix(path, elsewhere); found {
		scheme, rest, _ := strings.Cut(rest, "/")
		if scheme == "http" || scheme == "https" {
			authority, _, _ := strings.Cut(rest, "/")
			path = rest[len(authority):]
			plain, err := url.PathUnescape(authority)
			if err != nil || !p.hasNamed(scheme, plain) {
				return nil, false
			}
			to.Scheme, to.Host = scheme, plain
		}
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return nil, false // net/http has parsed it, so this cannot be
	}
	to.Path, to.RawPath = plain, path
	return to, true
}

func (p *proxy) hasNamed(scheme, authority string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.named[scheme+"://"+authority]
}

// name remembers that the upstream has named an origin, and returns whether clients may
// reach it through the proxy.
func (p *proxy) name(scheme, authority string) bool {
	host := hostname(authority)
	if !isSameService(hostname(p.authority), host) {
		return false
	}
	if port, ok := strings.CutPrefix(authority[len(host):], ":"); ok {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
	}
	origin := scheme + "://" + authority
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.named[origin] && len(p.named) < maxNamed {
		p.named[origin] = true
	}
	return p.named[origin]
}

// isSameService returns whether host is a machine of the service at upstream, going by its
// name. Both are in small letters.
func isSameService(upstream, host string) bool {
	if host == upstream {
		return true
	}
	if _, err := netip.ParseAddr(strings.Trim(upstream, "[]")); err == nil {
		return false
	}
	if strings.ContainsAny(host, "~%:@[]") {
		return false // which a rewriter takes for a part of the authority, and is of no machine's name
	}
	if strings.HasSuffix(host, "."+upstream) {
		return true
	}
	label, parent, _ := strings.Cut(upstream, ".")
	stem, _, _ := strings.Cut(label, "-")
	name, ok := strings.CutSuffix(host, "."+parent)
	if !ok || stem == "" || !strings.Contains(parent, ".") {
		return false
	}
	return name == stem || strings.HasPrefix(name, stem+"-") || strings.HasPrefix(name, stem+".")
}

// baseFor returns the base of a rewriter for the upstream's answer to req.
func (p *proxy) baseFor(req *http.Request) func(scheme string, authority []byte) string {
	base := "http://"
	if req.TLS != nil {
		base = "https://"
	}
	base += requestHost(req)
	var lastScheme, lastHost, last string // a stream names the same few again and again
	return func(scheme string, authority []byte) string {
		if string(authority) == p.authority {
			return base
		}
		if scheme != lastScheme || string(authority) != lastHost {
			lastScheme, lastHost, last = scheme, string(authority), ""
			if p.name(scheme, lastHost) {
				last = base + elsewhere + scheme + "/" + lastHost
			}
		}
		return last
	}
}

// requestHost returns the name by which the client calls this server.
func requestHost(req *http.Request) string {
	if local, ok := req.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && req.Host == "" {
		return local.String()
	}
	return req.Host
}

// outgoing returns the request to the upstream that stands for req. Its body is
// never nil.
func (p *proxy) outgoing(req *http.Request, to *url.URL) (*http.Request, error) {
	out := &http.Request{
		Method: req.Method, URL: to, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, len(req.Header)+2),
		Body:   req.Body, ContentLength: req.ContentLength, Trailer: req.Trailer,
	}
	if req.Body == nil || req.ContentLength == 0 {
		out.Body = http.NoBody
	}
	host := requestHost(req)
	for name, values := range req.Header {
		if isHopByHop(req.Header, name) {
			continue
		}
		kept := make([]string, len(values))
		for i, value := range values {
			kept[i] = p.restore(value, host)
			if name == "Upload-Metadata" {
				kept[i] = p.restoreMetadata(value, host)
			}
		}
		out.Header[name] = kept
	}
	out.Header.Del("Content-Length") // the body may be restored, and out.ContentLength is what counts
	out.Header.Set("Accept-Encoding", "identity")
	if _, ok := req.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // rather than net/http's own
	}
	if listed(req.Header["Te"], "trailers") {
		out.Header.Set("Te", "trailers")
	}
	if listed(req.Header["Connection"], "upgrade") && strings.EqualFold(req.Header.Get("Upgrade"), "websocket") {
		out.Header.Set("Connection", "Upgrade")
		out.Header.Set("Upgrade", req.Header.Get("Upgrade"))
	}
	if n := req.ContentLength; n > 0 && n <= maxRestored && isJSON(req.Header) &&
		req.Header.Get("Content-Encoding") == "" && req.Header.Get("Expect") == "" {
		body := make([]byte, n)
		if _, err := io.ReadFull(req.Body, body); err != nil {
			return nil, err
		}
		body = []byte(p.restore(string(body), host))
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return out, nil
}

// proxied finds the origin of a URL, and the beginning of its path where that leads to another
// origin by way of the proxy.
var proxied = regexp.MustCompile(`(?i)(http|ws)s?(:(?:\\?/){2})([^/\\\s"'<>?#,;]+)(?:\\?/-\\?/(https?)\\?/([^/\\\s"'<>?#,;]+))?`)

// restore returns s in which URLs that lead to the proxy, which the client calls host, are
// as the upstream knows them.
func (p *proxy) restore(s, host string) string {
	if host == "" || !strings.Contains(s, host) {
		return s
	}
	return proxied.ReplaceAllStringFunc(s, func(match string) string {
		m := proxied.FindStringSubmatch(match)
		if m[3] != host {
			return match
		}
		scheme, authority, path := p.scheme, p.authority, ""
		if p.hasNamed(m[4], m[5]) {
			scheme, authority = m[4], m[5]
		} else if m[4] != "" {
			_, path, _ = strings.Cut(match, host)
		}
		if strings.EqualFold(m[1], "ws") {
			scheme = strings.Replace(scheme, "http", "ws", 1)
		}
		return scheme + m[2] + authority + path
	})
}

// restoreMetadata restores the values of tus's Upload-Metadata, in which an Assembly's
// uploads say, by its URL, which Assembly they are for.
func (p *proxy) restoreMetadata(s, host string) string {
	return editMetadata(s, func(_, value string) string { return p.restore(value, host) })
}

// answer sets h to the header of the upstream's response as the client is to see it; to is
// the URL that was asked for.
func (p *proxy) answer(h, from http.Header, to *url.URL, text *rewriter) {
	for name, values := range from {
		// These would lead the client to another server, or to https.
		if isHopByHop(from, name) || name == "Alt-Svc" || name == "Strict-Transport-Security" {
			continue
		}
		h[name] = slices.Clone(values)
		for i, value := range values {
			isURL := name == "Location" || name == "Content-Location"
			if isURL && strings.HasPrefix(value, "//") {
				value = to.Scheme + ":" + value
			}
			h[name][i] = text.rewriteString(value)
			if isURL && strings.HasPrefix(value, "/") && to.Host != p.authority {
				h[name][i] = elsewhere + to.Scheme + "/" + to.Host + value
			}
		}
	}
	// net/http would add these.
	for _, name := range []string{"Date", "Content-Type"} {
		if _, ok := h[name]; !ok {
			h[name] = nil
		}
	}
}

// cookieOfProxy returns a Set-Cookie of host such that a client, which knows the proxy in
// its place, keeps and sends the cookie: without a Domain that host is in and, unless the
// client came by https, without Secure and the attributes that need it. Cookies whose name
// promises that they are secure stay so, or clients would refuse them.
func cookieOfProxy(cookie, host string, secure bool) string {
	parts := strings.Split(cookie, ";")
	name := strings.ToLower(strings.TrimSpace(parts[0]))
	secure = secure || strings.HasPrefix(name, "__secure-") || strings.HasPrefix(name, "__host-")
	attributes := slices.DeleteFunc(parts[1:], func(attribute string) bool {
		name, value, _ := strings.Cut(strings.ToLower(attribute), "=")
		switch value = strings.TrimSpace(value); strings.TrimSpace(name) {
		case "domain":
			domain := strings.TrimPrefix(value, ".")
			return host == domain || domain != "" && strings.HasSuffix(host, "."+domain)
		case "secure", "partitioned":
			return !secure
		case "samesite":
			return !secure && value == "none"
		}
		return false
	})
	return strings.Join(parts[:1+len(attributes)], ";")
}

// digests are the fields with a sum of the body, of RFC 9530 and its predecessors, which is
// wrong once the body has been rewritten. ETag is not among them: it names a version, by
// which the server recognizes it again (If-None-Match, If-Match).
var digests = map[string]bool{"Content-Digest": true, "Repr-Digest": true, "Digest": true, "Content-Md5": true}

// withoutDigests returns h without them.
func withoutDigests(h http.Header) http.Header {
	h = maps.Clone(h)
	maps.DeleteFunc(h, func(name string, _ []string) bool { return digests[name] })
	return h
}

// hasURLs returns whether the header says that the body is text whose URLs are for
// programs.
func hasURLs(h http.Header) bool {
	mediaType, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return mediaType == eventStream || isJSON(h)
}

// isJSON returns whether the header says that the body is JSON, of one or of
// several documents.
func isJSON(h http.Header) bool {
	mediaType, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	switch mediaType {
	case "application/json", "text/json", "application/x-ndjson", "application/jsonl", "application/json-seq":
		return true
	}
	return strings.HasSuffix(mediaType, "+json")
}

// gunzipper reads a body that is said to be gzip, as it comes: what is in it or, where it is
// not gzip, the body as it is.
type gunzipper struct {
	body  *bufio.Reader
	begun chan struct{} // closed when plain is known, which the first Read waits for
	plain bool
	zip   *gzip.Reader // made by the first Read, as it waits for its header
}

const (
	gzipMagic = "\x1f\x8b\x08" // with deflate, the only method: RFC 1952, section 2.3.1

	// maxHeaderWait is how long a response's header waits for the body to begin, which
	// tells whether it is what the header says.
	maxHeaderWait = 100 * time.Millisecond
)

func newGunzipper(body io.Reader) *gunzipper {
	g := &gunzipper{body: bufio.NewReaderSize(body, 32<<10), begun: make(chan struct{})}
	go func() {
		defer close(g.begun)
		start, _ := g.body.Peek(len(gzipMagic))
		g.plain = !strings.HasPrefix(gzipMagic, string(start))
	}()
	return g
}

// isPlain returns whether the body is not gzip, as far as that is known in time: a stream
// that is slow to begin is taken for what it is said to be.
func (g *gunzipper) isPlain() bool {
	select {
	case <-g.begun:
		return g.plain
	case <-time.After(maxHeaderWait):
		return false
	}
}

func (g *gunzipper) Read(p []byte) (int, error) {
	<-g.begun
	if g.plain {
		return g.body.Read(p)
	}
	if g.zip == nil {
		var err error
		if g.zip, err = gzip.NewReader(g.body); err != nil {
			return 0, err
		}
	}
	return g.zip.Read(p)
}

// tunnel passes on what either side sends, once they have switched protocols. A side that
// has nothing more to send may read on. Both connections end when both sides have sent all,
// when one breaks or cannot close only its sending half, and when the request's context ends.
func tunnel(control *http.ResponseController, req *http.Request, resp *http.Response, h http.Header) {
	upstream, ok := resp.Body.(io.ReadWriteCloser)
	if !ok || req.Header.Get("Upgrade") == "" {
		panic(http.ErrAbortHandler) // nobody asked for it
	}
	client, buffered, err := control.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	closeBoth := sync.OnceFunc(func() { upstream.Close(); client.Close() })
	defer closeBoth()
	stop := context.AfterFunc(req.Context(), closeBoth)
	defer stop()
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", cmp.Or(resp.Header.Get("Upgrade"), req.Header.Get("Upgrade")))
	buffered.WriteString("HTTP/1.1 " + strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode) + "\r\n")
	h.Write(buffered)
	buffered.WriteString("\r\n")
	if buffered.Flush() != nil {
		return
	}
	carry := func(to io.Writer, from io.Reader) {
		_, err := io.Copy(to, from)
		half, ok := to.(interface{ CloseWrite() error })
		if err != nil || !ok || half.CloseWrite() != nil {
			closeBoth()
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Reading on from buffered would end the request's context with the client's half.
		start, _ := buffered.Peek(buffered.Reader.Buffered())
		carry(upstream, io.MultiReader(bytes.NewReader(start), client))
	}()
	carry(client, upstream)
	<-done
}
