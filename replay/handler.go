package replay

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxSpeed is the Speed that plays as fast as the client takes it.
const MaxSpeed = 1e18

// Playback says how a recording is played.
type Playback struct {
	// Speed is how many times faster than recorded; 0, or anything that is not
	// positive, means 1, and [MaxSpeed] without any wait.
	Speed float64

	// OnServe, if set, is told of each request that is answered from the
	// recording, before it is. It may be called by several goroutines at once.
	OnServe func(req *http.Request, x *Exchange)
}

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
	return &handler{rec: r, playback: p}
}

type handler struct {
	rec      *Recording
	playback Playback
}

func (h *handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	allowOrigin(w.Header(), req)
	x := h.rec.match(req)
	switch {
	case x != nil:
		if h.playback.OnServe != nil {
			h.playback.OnServe(req, x)
		}
		h.play(w, req, x)
	case req.Method == http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
	case req.URL.Path == "/":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "This is a recording. It answers:\n%s", h.rec.list())
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "The recording has no %s %s. It answers:\n%s", req.Method, req.URL.RequestURI(), h.rec.list())
	}
}

// match returns the exchange that answers req, nil if there is none.
func (r *Recording) match(req *http.Request) *Exchange {
	var best *Exchange
	bestScore := 0
	redactedQuery := redactText(req.URL.RawQuery)
	isGet := req.Method == http.MethodGet || req.Method == http.MethodHead
	atRoot := isGet && req.URL.Path == "/" && strings.Contains(req.Header.Get("Accept"), eventStream)
	for _, x := range r.exchanges {
		score := 0
		switch {
		case x.Method != req.Method && !(x.Method == http.MethodGet && isGet) || x.path != cmp.Or(req.URL.EscapedPath(), "/"):
			if !atRoot || !x.IsEventStream() {
				continue
			}
		case x.query != req.URL.RawQuery && x.query != redactedQuery:
			score = 8
		default:
			score = 16
		}
		if x.Method == req.Method {
			score += 32
		}
		if x.StatusCode != 0 {
			score += 4
		}
		if x.RequestHeader.Get("Last-Event-ID") == req.Header.Get("Last-Event-ID") {
			score += 2
		}
		if score++; score > bestScore {
			best, bestScore = x, score
		}
	}
	return best
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

// dropped are the headers that are about the recorded connection and not the
// response (RFC 9110, section 7.6.1), those that would lead the client to another
// server or scheme, and those that allowOrigin answers.
var dropped = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "Content-Length": true,
	"Proxy-Authenticate": true, "Access-Control-Allow-Origin": true,
	"Access-Control-Allow-Credentials": true, "Vary": true, "Alt-Svc": true,
	"Strict-Transport-Security": true,
}

// play writes the response of x.
func (h *handler) play(w http.ResponseWriter, req *http.Request, x *Exchange) {
	// Nobody needs the request's body, but until it has been read net/http does not
	// notice that the client has gone. It ends with the request at the latest.
	http.NewResponseController(w).EnableFullDuplex()
	if req.Body != nil && req.Body != http.NoBody {
		go io.Copy(io.Discard, req.Body)
	}
	clock := newClock(req.Context(), h.playback.Speed, x.Sent)
	if x.StatusCode == 0 {
		clock.finish(x)
		return
	}
	if !clock.wait(x.Received) {
		return
	}
	for name, values := range x.Header {
		if !dropped[name] && !listed(x.Header["Connection"], name) {
			w.Header()[name] = values
		}
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header()["Content-Type"] = nil // rather than what net/http guesses
	}
	if length := x.Header.Get("Content-Length"); x.End == EndEOF && length == strconv.FormatInt(x.Size, 10) {
		w.Header().Set("Content-Length", length)
	}
	w.WriteHeader(x.StatusCode)
	if req.Method == http.MethodHead {
		return
	}
	flush := http.NewResponseController(w).Flush
	if first, ok := x.reads.first(); !ok || first.at > x.Received {
		flush()
	}
	for read, err := range x.Reads() {
		if err != nil {
			panic(http.ErrAbortHandler) // the file has gone from under us
		}
		if !clock.wait(read.At) {
			return
		}
		if _, err := w.Write(read.Data); err != nil {
			return
		}
		flush()
	}
	for name, values := range x.Trailer {
		w.Header()[http.TrailerPrefix+name] = values
	}
	clock.finish(x)
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

// clock turns moments of a recording into moments of now.
type clock struct {
	ctx   context.Context
	speed float64
	from  time.Duration // this moment of the recording
	start time.Time     // is this one
	timer *time.Timer
}

func newClock(ctx context.Context, speed float64, from time.Duration) *clock {
	if !(speed > 0) {
		speed = 1
	}
	return &clock{ctx: ctx, speed: speed, from: from, start: time.Now()}
}

// wait waits for the moment at of the recording. It returns false where the
// context ends first.
func (c *clock) wait(at time.Duration) bool {
	if c.speed >= MaxSpeed {
		return c.ctx.Err() == nil
	}
	left := time.Duration(float64(at-c.from)/c.speed) - time.Since(c.start)
	if left <= 0 {
		return c.ctx.Err() == nil
	}
	if c.timer == nil {
		c.timer = time.NewTimer(left)
	} else {
		c.timer.Reset(left)
	}
	select {
	case <-c.timer.C:
		return true
	case <-c.ctx.Done():
		c.timer.Stop()
		return false
	}
}

// finish ends a response as the exchange ended.
func (c *clock) finish(x *Exchange) {
	switch {
	case x.End == EndTimeout:
		<-c.ctx.Done()
	case !c.wait(x.Ended):
	case x.StatusCode == 0, x.End == EndReset, x.End == EndUnknown:
		panic(http.ErrAbortHandler) // the way to cut a connection
	}
}
