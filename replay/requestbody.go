package replay

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
)

const (
	// maxRequest bounds what is recorded of a request's body, in bytes: those that
	// tell one request from another are smaller.
	maxRequest = 1 << 20

	// maxUpload is maxRequest for what is no text: an upload may come in hundreds of
	// requests, whose content nobody looks for in a reel.
	maxUpload = 16 << 10
)

// requestTee records the body of one request, as far as it is recorded. The transport
// may read the body while the response comes in, and even after it; and if the
// connection turns out to be dead, it reads it a second time, from its beginning.
type requestTee struct {
	r     *Recorder
	x     *ExchangeWriter
	limit int64 // of what is recorded, in bytes

	mu   sync.Mutex
	seen int64 // bytes, in the body read furthest
	cut  bool  // and said so
	mask *masker
}

// tee returns req with a body that is recorded in x as it is read.
func (r *Recorder) tee(req *http.Request, x *ExchangeWriter) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	header := canonicalHeader(req.Header)
	t := &requestTee{r: r, x: x, limit: int64(requestLimit(header)), mask: newMasker(header, true)}
	if encoding := encodingOf(header); encoding != "" {
		r.w.Comment(fmt.Sprintf("exchange %d: the request's body is %s, in which no credentials could be found, so it is not recorded", x.number, r.custom(redactText(encoding))))
	}
	clone := *req
	clone.Body = &requestBody{ReadCloser: req.Body, tee: t}
	if again := req.GetBody; again != nil {
		clone.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil || body == nil || body == http.NoBody {
				return body, err
			}
			return &requestBody{ReadCloser: body, tee: t}, nil
		}
	}
	return &clone
}

// requestLimit returns how much is recorded of the body of a request with this header, in
// bytes.
func requestLimit(h http.Header) int {
	switch {
	case encodingOf(h) != "":
		return 0
	case !isText(h.Get("Content-Type")):
		return maxUpload
	}
	return maxRequest
}

// isText returns whether a body of this type is made of text, a form included.
func isText(contentType string) bool {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	kind, format, _ := strings.Cut(mediaType, "/")
	switch {
	case mediaType == "", kind == "text", mediaType == "multipart/form-data", mediaType == "application/x-www-form-urlencoded":
		return true
	}
	for _, text := range []string{"json", "xml", "graphql", "yaml"} {
		if strings.Contains(format, text) {
			return true
		}
	}
	return false
}

// requestBody is the body of a request, as the transport reads it.
type requestBody struct {
	io.ReadCloser
	tee *requestTee
	at  int64 // of the next read, in bytes
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.tee.write(b.at, p[:n])
		b.at += int64(n)
	}
	return n, err
}

// write records p, what was read at byte at of the body, less what has been recorded
// already.
func (t *requestTee) write(at int64, p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at+int64(len(p)) <= t.seen {
		return
	}
	p = p[max(t.seen-at, 0):]
	from := t.seen
	t.seen += int64(len(p))
	if from < t.limit {
		t.x.RequestBody(t.r.now(), t.r.redactBody(t.mask, p[:min(int64(len(p)), t.limit-from)]))
	}
	if t.limit > 0 && t.seen > t.limit && !t.cut {
		t.cut = true
		t.r.w.Comment(fmt.Sprintf("exchange %d: the request's body goes on behind its first %d bytes, which is not recorded", t.x.number, t.limit))
	}
}
