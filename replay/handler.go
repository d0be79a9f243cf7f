package replay

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Handler returns an http.Handler that answers requests with the recorded
// responses: the recorded status and header after the recorded wait, then each
// recorded read as a write of its own, flushed, at its recorded moment since the
// request. Headers about the recorded connection, rather than the response, are left
// out. An exchange that broke is broken again: the connection is cut at the same
// byte, and so it is where the recording was cut off. One that the client gave up,
// waiting in vain, leaves its client waiting; one that the client had enough of ends
// in order.
//
// A request is answered by the exchange of the same method, path and query (in which
// credentials count as they stand in the recording: redacted); else
// by one of the same method and path; of several, rather by one that has a response,
// rather by one with the same Last-Event-ID, and else by the first. Besides, GET / is
// answered by the first event stream, whatever its method, where the client accepts
// text/event-stream, and with a list of what is there otherwise; and HEAD, where that
// is not recorded, with the header of what answers GET. Scripts of any origin may read
// the answers (CORS), or browsers could not use them: serve them on loopback.
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
	case req.URL.Path == "/":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "This is a recording. It answers:\n%s", h.player.rec.list())
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "The recording has no %s %s. It answers:\n%s", req.Method, req.URL.RequestURI(), h.player.rec.list())
	}
}

func (r *Recording) list() string {
	var b strings.Builder
	for _, x := range r.exchanges {
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
	return b.String()
}

func allowOrigin(h http.Header, req *http.Request) {
	origin := req.Header.Get("Origin")
	if origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Vary", "Origin")
	if req.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", cmp.Or(req.Header.Get("Access-Control-Request-Method"), http.MethodGet))
		if names := req.Header.Get("Access-Control-Request-Headers"); names != "" {
			h.Set("Access-Control-Allow-Headers", names)
		}
	}
}

// hopByHop are the headers that are about the recorded connection and not the response:
// RFC 9110, section 7.6.1.
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "Proxy-Authenticate": true,
}

// notServed are the headers that would lead the client to another server or scheme, and
// those that the Handler sets itself.
var notServed = map[string]bool{
	"Content-Length": true, "Access-Control-Allow-Origin": true,
	"Access-Control-Allow-Credentials": true, "Vary": true, "Alt-Svc": true,
	"Strict-Transport-Security": true,
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
	if req.Body != nil && req.Body != http.NoBody {
		go io.Copy(io.Discard, req.Body)
	}
	c := clock{ctx: req.Context(), start: time.Now(), alarmed: true}
	defer c.close()
	if p.status == 0 {
		end(&c, p)
		return
	}
	if !c.wait(p.at, nil) {
		return
	}
	header := w.Header()
	for name, values := range p.header {
		if !hopByHop[name] && !notServed[name] && !listed(p.header["Connection"], name) {
			header[name] = values
		}
	}
	if header.Get("Content-Type") == "" {
		header["Content-Type"] = nil // rather than what net/http guesses
	}
	if p.length >= 0 {
		header.Set("Content-Length", strconv.FormatInt(p.length, 10))
	}
	w.WriteHeader(p.status)
	if req.Method == http.MethodHead {
		return
	}
	if p.early {
		control.Flush()
	}
	next, interrupt := p.next, p.interrupt
	for {
		read, err := next()
		if err == io.EOF {
			break
		}
		if err != nil {
			panic(http.ErrAbortHandler) // the file has gone from under us
		}
		if !c.wait(read.At, interrupt) {
			if c.ctx.Err() != nil {
				return
			}
			next, interrupt, p.end, p.ended = p.interrupted(), nil, EndEOF, 0
			continue
		}
		if _, err := w.Write(read.Data); err != nil {
			return
		}
		control.Flush()
	}
	for name, values := range p.trailer {
		header[http.TrailerPrefix+name] = values
	}
	end(&c, p)
}

// end ends a response as p does.
func end(c *clock, p *performance) {
	switch {
	case p.end == EndTimeout:
		<-c.ctx.Done()
	case !c.wait(p.ended, nil):
	case p.status == 0, p.end == EndReset, p.end == EndUnknown:
		panic(http.ErrAbortHandler) // the way to cut a connection
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
