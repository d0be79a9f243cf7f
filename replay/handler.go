package replay

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Handler returns an http.Handler that answers requests with the recorded
// responses: the recorded status and header after the recorded wait, then each
// recorded read as a write of its own, flushed, at its recorded moment since the
// request. Left out are headers about the recorded connection rather than the response, those
// that would lead a client away from this server (Alt-Svc, Strict-Transport-Security), and
// trailers beside a Content-Length.
//
// An exchange that broke is broken again: the connection is cut at the same byte, by a panic
// with http.ErrAbortHandler, which net/http knows. So it is where the recording was cut off. An
// exchange that ended with a timeout leaves its client waiting; one that its client canceled
// ends in order. The ResponseWriter has to have Flush, or Unwrap to one that has, or the pieces
// come together at the end.
//
// A request is answered by the exchange of the same method, path and query (in which
// neither credentials count, nor signature and params, with which the API signs); else by
// one of the same method and path. Of several, one that has a response is preferred, then one
// with the same Last-Event-ID, then the first. Besides, GET / is answered by
// the first event stream, whatever its method, where the client accepts text/event-stream,
// and with a list of what is there otherwise; and HEAD, where that is not recorded, with
// the header of what answers GET.
//
// A client that reconnects to an event stream, with a Last-Event-ID that no recorded
// request had, gets what comes after that event. Where many events have the same ID, as on
// an Assembly's stream, it goes on after the last whole event that was delivered before; what
// was sent to it when it left counts as delivered. A client that has everything is told so,
// with 204. Of several clients nobody can tell which one comes back. It is assumed to be the
// disconnected one that has received least: it may get events twice but misses none of those
// that had not been sent when it left, provided its disconnect is noticed within about 50 ms.
// Nor do the others, unless it comes back a third time before them.
//
// What the recording holds of an Assembly is played as one, for all clients of this Handler
// together:
//
//   - Its stream, asked for from the beginning, sets the clock to that moment of the
//     recording. So does the first request for its Status, to the beginning, if there
//     was none for the stream. Clients that had left the stream before are not expected back:
//     whoever begins anew may be one of them.
//   - A client that comes back to its stream gets at once what was due while it was away.
//   - GET /assemblies/ID is answered by the recorded Status that was the last at the
//     point that the clock, and the stream, have reached. Where the stream has told
//     more, or none was recorded, a status.Tracker answers that was told the same. More
//     than three requests in a second, of real time, are answered with 429, as by the API.
//   - POST /assemblies, or /assemblies/ID with any ID, starts it: the answer is the first
//     Status, and the clock begins anew. With several Assemblies in the recording, each
//     start is that of the next one.
//   - DELETE /assemblies/ID cancels it. Its Status says so from then on. Its stream says so to
//     every client that is connected or was away, or, if nobody had asked for it yet, to the
//     first that does. After that, asking for the stream from its beginning starts the
//     Assembly anew.
//
// A job of Scenario is played likewise, from POST /v1/generate/… and GET /v1/jobs/ID.
//
// URLs that lead to the recorded service lead to the Handler's server, in JSON and event
// streams without a Content-Encoding, unless p.KeepURLs is set; all else is the same byte
// by byte. Scripts of any origin may read the answers (CORS), or browsers could not use
// them: serve them on loopback.
func (r *Recording) Handler(p Playback) http.Handler {
	return &handler{newPlayer(r, p)}
}

type handler struct {
	player *player
}

func (h *handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	allowOrigin(w.Header(), req)
	base := ""
	if !h.player.KeepURLs && req.Host != "" {
		base = "http://" + req.Host
		if req.TLS != nil {
			base = "https://" + req.Host
		}
	}
	p := h.player.perform(req, base)
	switch {
	case p != nil:
		play(w, req, p)
	case req.Method == http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
	case req.URL.Path == "/" && (req.Method == http.MethodGet || req.Method == http.MethodHead):
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "This is a recording. It answers:\n%s", h.player.list())
	case h.player.lacksAssembly(req):
		play(w, req, document(http.StatusNotFound, noAssembly))
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "The recording has no %s %s. It answers:\n%s", req.Method, req.URL.RequestURI(), h.player.list())
	}
}

// maxListed bounds the list of what there is, in lines.
const maxListed = 1000

// list returns what requests are answered, a line each.
func (p *player) list() string {
	var b strings.Builder
	all, assemblies := p.rec.exchanges, p.stories().assemblies
	if slices.ContainsFunc(all, (*Exchange).IsEventStream) {
		b.WriteString("GET / with Accept: text/event-stream (the first event stream)\n")
	}
	statuses := make(map[string]bool) // by their paths
	for _, s := range assemblies[:min(len(assemblies), maxListed)] {
		path := assembliesPath + "/" + s.id
		statuses[path] = true
		fmt.Fprintf(&b, "GET, DELETE %s (an Assembly, which POST %s starts)\n", path, assembliesPath)
	}
	for _, x := range all[:min(len(all), maxListed)] {
		if x.Method == http.MethodGet && x.query == "" && statuses[x.path] {
			continue
		}
		target := x.path
		if x.query != "" {
			target += "?" + x.query
		}
		if x.StatusCode == 0 {
			fmt.Fprintf(&b, "%s %s (no response)\n", x.Method, target)
		} else {
			fmt.Fprintf(&b, "%s %s (%d, %d bytes)\n", x.Method, target, x.StatusCode, x.Size)
		}
	}
	if len(all) > maxListed {
		fmt.Fprintf(&b, "and %d more\n", len(all)-maxListed)
	}
	return b.String()
}

func allowOrigin(h http.Header, req *http.Request) {
	origin := req.Header.Get("Origin")
	if origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h["Vary"] = withLists(h["Vary"], "Origin")
	if req.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", cmp.Or(req.Header.Get("Access-Control-Request-Method"), http.MethodGet))
		if names := req.Header.Get("Access-Control-Request-Headers"); names != "" {
			h.Set("Access-Control-Allow-Headers", names)
		}
	}
}

// hopByHop are the headers that are about the connection and not what comes over it:
// RFC 9110, section 7.6.1.
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "Proxy-Authenticate": true,
	"Proxy-Authorization": true,
}

// isHopByHop returns whether the field name of h is about the connection: it is always, or
// this one says so.
func isHopByHop(h http.Header, name string) bool {
	return hopByHop[name] || listed(h["Connection"], name)
}

// notServed are the headers that would lead the client to another server or scheme, and
// those that the Handler sets itself.
var notServed = map[string]bool{
	"Content-Length": true, "Access-Control-Allow-Origin": true,
	"Access-Control-Allow-Credentials": true, "Alt-Svc": true, "Strict-Transport-Security": true,
}

// play answers req with p.
func play(w http.ResponseWriter, req *http.Request, p *performance) {
	if p.done != nil {
		defer p.done()
	}
	// Nobody needs the request's body, but until it has been read net/http does not
	// notice that the client has gone. It ends with the request at the latest.
	control := http.NewResponseController(w)
	control.EnableFullDuplex()
	grace := time.Duration(0) // where the response breaks, at that moment and no later
	if req.Body != nil && req.Body != http.NoBody {
		read := make(chan error, 1)
		body := &drain{read: read, patient: p.x == nil || !p.x.IsEventStream()}
		go func() {
			_, err := io.Copy(body, req.Body)
			read <- err
		}()
		defer func() { body.stop(w, grace) }()
	}
	c := clock{ctx: req.Context(), start: p.began, alarmed: true}
	defer c.close()
	if p.status == 0 {
		p.over(&c)
		cut(req)
		return
	}
	if !p.wait(&c, p.at, nil) {
		cut(req)
		return
	}
	if p.status < 200 {
		http.Error(w, "In the recording, the server went on in another protocol, which cannot be played.", http.StatusNotImplemented)
		return
	}
	header := w.Header()
	for name, values := range p.header {
		if isHopByHop(p.header, name) || notServed[name] {
			continue
		}
		if name == "Vary" {
			values = withLists(values, header[name]...) // of Origin, to begin with
		}
		header[name] = slices.Clip(values) // whoever adds to it does not add to the recording
	}
	if header.Get("Content-Type") == "" {
		header["Content-Type"] = nil // rather than what net/http guesses
	}
	if p.length >= 0 {
		header.Set("Content-Length", strconv.FormatInt(p.length, 10))
	}
	w.WriteHeader(p.status)
	if req.Method == http.MethodHead {
		grace = readGrace
		return
	}
	if p.early {
		control.Flush()
	}
	for {
		piece, err := p.piece(&c)
		if err == io.EOF {
			break
		}
		if err != nil {
			cut(req)
			return
		}
		if p.sending != nil {
			p.sending()
		}
		if _, err := w.Write(piece); err != nil {
			return
		}
		control.Flush()
		if p.delivered != nil {
			p.delivered(0)
		}
	}
	for name, values := range p.trailer {
		header[http.TrailerPrefix+name] = slices.Clip(values)
	}
	grace = readGrace
}

// cut cuts the connection. A client that seems to have gone may have closed its own half only,
// and would take what it has for all there is.
func cut(req *http.Request) {
	if req.Context().Err() == nil || req.Context().Value(http.ServerContextKey) != nil {
		panic(http.ErrAbortHandler) // the way to do it
	}
}

// net/http only sends the end of a response when nobody reads the request's body any more.
const (
	// readGrace is how long an event stream waits for a client that is still sending.
	readGrace = 50 * time.Millisecond

	// drainGrace is how long any other response waits after the last byte that came: most
	// servers answer when they have all.
	drainGrace = time.Second
)

// drain is where the body of a request goes.
type drain struct {
	received atomic.Int64 // bytes
	read     <-chan error // what has become of reading
	patient  bool         // waits as long as something comes
}

func (d *drain) Write(p []byte) (int, error) {
	d.received.Add(int64(len(p)))
	return len(p), nil
}

// ended waits for the body's end, for that time or, if that is not 0 and d is patient, as long as
// it comes.
func (d *drain) ended(grace time.Duration) (ended bool, err error) {
	select {
	case err = <-d.read:
		return true, err
	default:
	}
	patient := d.patient && grace > 0
	if patient {
		grace = drainGrace
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	for was := d.received.Load(); ; {
		select {
		case err = <-d.read:
			return true, err
		case <-timer.C:
		}
		now := d.received.Load()
		if !patient || now == was {
			return false, nil
		}
		was = now
		timer.Reset(grace)
	}
}

// stop returns when nobody reads the request's body any more, as net/http wants it before it goes
// on to the next request. A client that is still sending then gets no other request on its
// connection: what is left of the body would be taken for one. The same goes for a body that
// could not be read.
func (d *drain) stop(w http.ResponseWriter, grace time.Duration) {
	ended, err := d.ended(grace)
	if ended && err == nil {
		return
	}
	// net/http does not count a read that fails as a body that was not read to its end. It
	// has no other way to close a connection whose response has its header, and that one
	// works for no writer but its own.
	http.MaxBytesReader(innermost(w), io.NopCloser(strings.NewReader("x")), 0).Read(make([]byte, 1))
	if !ended && http.NewResponseController(w).SetReadDeadline(time.Now()) == nil {
		<-d.read
	}
}

// innermost returns the writer that w wraps, or one that w wraps does, as far as
// http.ResponseController finds it.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapping, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapping.Unwrap()
	}
}

// listed returns whether name is in one of the comma-separated lists.
func listed(lists []string, name string) bool {
	for _, list := range lists {
		for entry := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(entry), name) {
				return true
			}
		}
	}
	return false
}

// withLists returns lists, each comma-separated, with those of more that are not in them.
func withLists(lists []string, more ...string) []string {
	lists = slices.Clip(lists) // which may be the recording's
	for _, list := range more {
		if !listed(lists, list) {
			lists = append(lists, list)
		}
	}
	return lists
}
