package replay

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// question is what a request asks for, in the form in which it is compared with those
// that were recorded.
type question struct {
	req      *http.Request
	redactor *Recorder // as would have recorded it
	url      string    // as it would have been recorded
	target
	path   string
	params map[string]any // of the query

	body  []byte // what has been taken of the request's, maxRequest bytes and one at most
	taken bool
	err   error           // of that
	asks  map[int]content // the body, by how much of it was recorded, in bytes
}

// target is what answers have to have in common with a question, but for the path and the
// body.
type target struct {
	method, host string
	query        string // what counts of it, as JSON
	lastEventID  string
}

// newQuestion returns what req asks for. It leaves the body alone.
func newQuestion(req *http.Request, redact func([]byte)) *question {
	q := &question{req: req, redactor: &Recorder{Redact: redact}, asks: make(map[int]content)}
	q.url = q.redactor.custom(redactURL(req.URL))
	u, err := url.Parse(q.url)
	if err != nil {
		u = req.URL // which is not in any reel then
	}
	q.path = normalPath(cmp.Or(u.EscapedPath(), "/"))
	q.params = newParams(u.RawQuery)
	q.target = target{
		method:      cmp.Or(req.Method, http.MethodGet),
		host:        normalHost(u),
		query:       canonical(q.params),
		lastEventID: q.redactor.custom(trimID(req.Header.Get("Last-Event-ID"))),
	}
	return q
}

// normalHost returns the host and port of u, without what need not be said.
func normalHost(u *url.URL) string {
	return strings.TrimSuffix(strings.ToLower(u.Host), defaultPort(strings.ToLower(u.Scheme)))
}

// anyPort returns what stands for all ports of all hosts that are this machine, if a normal
// host is one of them, and else "".
func anyPort(host string) string {
	u := url.URL{Host: host}
	name := u.Hostname()
	if addr, err := netip.ParseAddr(name); err == nil && addr.Unmap().IsLoopback() || name == "localhost" {
		return "loopback:*"
	}
	return ""
}

// take reads the body, as far as it may have been recorded.
func (q *question) take() error {
	body := q.req.Body
	if q.taken || body == nil || body == http.NoBody {
		return q.err
	}
	q.taken = true
	type result struct {
		body []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		b, err := io.ReadAll(io.LimitReader(body, maxRequest+1))
		done <- result{b, err}
	}()
	select {
	case r := <-done:
		if q.body = r.body; r.err != nil {
			q.err = fmt.Errorf("replay: the body of the request: %w", r.err)
		}
	case <-q.req.Context().Done():
		q.err = context.Cause(q.req.Context())
	}
	if q.isWhole() || q.err != nil {
		body.Close()
	}
	return q.err
}

func (q *question) isWhole() bool { return len(q.body) <= maxRequest }

// discard is for a request that is not sent: it is discardBody for what is left of the body.
func (q *question) discard() (over func()) {
	body := q.req.Body
	if body == nil || body == http.NoBody || q.taken && (q.isWhole() || q.err != nil) {
		return func() {}
	}
	return discardBody(q.req)
}

// request returns the request, to be sent: with a body that is to be read from its
// beginning.
func (q *question) request() *http.Request {
	if !q.taken {
		return q.req
	}
	req := *q.req
	read := bytes.NewReader(q.body)
	if q.isWhole() {
		req.Body = io.NopCloser(read)
	} else {
		req.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(read, q.req.Body), q.req.Body}
	}
	return &req
}

// content returns what the body asks for.
func (q *question) content() content {
	limit := requestLimit(q.req.Header)
	return q.contentTo(min(len(q.body), limit), len(q.body) > limit)
}

// contentTo returns what the first size bytes of the body ask for.
func (q *question) contentTo(size int, cut bool) content {
	key := size
	if !cut {
		key = -1 // all of it
	}
	if c, ok := q.asks[key]; ok {
		return c
	}
	body := q.redactor.redactBody(newMasker(q.req.Header, true), q.body[:size])
	c := newContent(q.req.Header.Get("Content-Type"), body, cut)
	q.asks[key] = c
	return c
}

func (q *question) String() string { return q.method + " " + shorten(q.url) }
