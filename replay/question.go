package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// question is what a request asks for, in the form in which it is compared with those
// that were recorded.
type question struct {
	req               *http.Request
	body              []byte // as it came
	whole             bool   // body is all of it
	method, host      string
	path, query, form string
}

// newQuestion returns what req asks for. It reads and closes the body.
func newQuestion(req *http.Request) (*question, error) {
	q := &question{
		req:    req,
		method: req.Method,
		host:   strings.ToLower(req.URL.Host),
		path:   normalPath(req.URL.EscapedPath()),
		query:  sortedQuery(normalQuery(req.URL.RawQuery)),
		whole:  true,
	}
	if q.method == "" {
		q.method = http.MethodGet
	}
	if q.path == "" {
		q.path = "/"
	}
	if req.Body == nil || req.Body == http.NoBody {
		return q, nil
	}
	var err error
	q.body, err = io.ReadAll(io.LimitReader(req.Body, maxRequest+1))
	if err != nil {
		req.Body.Close()
		return nil, fmt.Errorf("replay: the body of the request: %w", err)
	}
	if q.whole = len(q.body) <= maxRequest; q.whole {
		err = req.Body.Close()
	}
	q.form = normalBody(req.Header.Get("Content-Type"), q.masked())
	return q, err
}

// masked returns the body as the Recorder would record it.
func (q *question) masked() []byte {
	limit := maxRequest
	if !isText(q.req.Header.Get("Content-Type")) {
		limit = maxUpload
	}
	body := q.body[:min(len(q.body), limit)]
	if mask := newMasker(q.req.Header, true); mask != nil {
		body = mask.mask(body)
	}
	return bytes.Clone(body)
}

// request returns the request with its body to be read again.
func (q *question) request() *http.Request {
	if q.body == nil {
		return q.req
	}
	req := *q.req
	read := io.NopCloser(bytes.NewReader(q.body))
	if q.whole {
		req.Body = read
	} else {
		req.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(read, q.req.Body), q.req.Body}
	}
	return &req
}

func (q *question) String() string {
	return clip(q.method + " " + redactURL(q.req.URL))
}

// answeredBy returns whether x answers the question; query is its normal query. A request
// whose body was not recorded is like any.
func (q *question) answeredBy(x *Exchange, query string) bool {
	return x.Method == q.method && q.sameHost(x) && sortedQuery(query) == q.query &&
		(x.requestPieces.len() == 0 || x.requestForm() == q.form)
}

func (q *question) sameHost(x *Exchange) bool {
	return x.host == "" || strings.EqualFold(x.host, q.host)
}

// requestForm returns the recorded body of the request, as it is compared.
func (x *Exchange) requestForm() string {
	var body []byte
	for read, err := range x.RequestReads() {
		if err != nil {
			break
		}
		body = append(body, read.Data...)
	}
	return normalBody(x.RequestHeader.Get("Content-Type"), body)
}

// nearest returns what an error says of the recorded request that comes nearest to the
// question.
func (q *question) nearest(exchanges []*Exchange) string {
	var best *Exchange
	var bestDiffers []string
	bestScore := -1
	for _, x := range exchanges {
		score := 0
		if q.sameHost(x) {
			score++
		}
		path := normalPath(x.path)
		score += 32 * common(path, q.path) / max(len(path), len(q.path), 1)
		if path == q.path {
			score += 16
		}
		if x.Method == q.method {
			score += 8
		}
		if score > bestScore {
			best, bestScore = x, score
			continue
		}
		if score < bestScore {
			continue
		}
		if bestDiffers == nil {
			bestDiffers = q.differs(best)
		}
		if differs := q.differs(x); len(differs) < len(bestDiffers) {
			best, bestDiffers = x, differs
		}
	}
	if best == nil {
		return ", which holds nothing"
	}
	text := fmt.Sprintf("\nthe nearest there is exchange %d: %s %s", best.Number, best.Method, clip(best.URL))
	for _, line := range q.differs(best) {
		text += "\n  " + line
	}
	return text
}

// common returns the length of what a and b begin with.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// differs returns what the question has other than x, a line each.
func (q *question) differs(x *Exchange) []string {
	var lines []string
	differ := func(what, is, was string) {
		if is == was {
			return
		}
		n := common(is, was)
		for n > 0 && n < len(is) && !utf8.RuneStart(is[n]) {
			n--
		}
		// What is the same in front is of use only as far as it shows the place.
		const context = 20
		from := 0
		if n > context {
			from = n - context
			for from < n && !utf8.RuneStart(is[from]) {
				from++
			}
		}
		excerpt := func(s string) string {
			if from > 0 {
				return fmt.Sprintf("%q", "..."+clip(s[from:]))
			}
			return fmt.Sprintf("%q", clip(s))
		}
		lines = append(lines, fmt.Sprintf("%s: %s, recorded %s", what, excerpt(is), excerpt(was)))
	}
	differ("method", q.method, x.Method)
	if !q.sameHost(x) {
		differ("host", q.host, strings.ToLower(x.host))
	}
	differ("path", q.path, normalPath(x.path))
	differ("query", q.query, sortedQuery(normalQuery(x.query)))
	if x.requestPieces.len() > 0 {
		differ("body", q.form, x.requestForm())
	}
	return lines
}

// sortedQuery returns a raw query with its parameters in order.
func sortedQuery(query string) string {
	if !strings.Contains(query, "&") {
		return query
	}
	params := strings.Split(query, "&")
	slices.Sort(params)
	return strings.Join(params, "&")
}

// normalBody returns the body of a request without what differs from one request to
// another that asks for the same: the order of members and parameters, white space, the
// boundary of a form, and what is there to authenticate.
func normalBody(contentType string, body []byte) string {
	mediaType, params, _ := mime.ParseMediaType(contentType)
	switch {
	case mediaType == "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return string(body)
		}
		return normalForm(values)
	case mediaType == "multipart/form-data":
		r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		values := make(url.Values)
		for {
			part, err := r.NextRawPart()
			if err == io.EOF {
				return normalForm(values)
			}
			if err != nil {
				return string(body)
			}
			value, err := io.ReadAll(part)
			if err != nil {
				return string(body)
			}
			name := part.FormName()
			if file := part.FileName(); file != "" {
				name += "; filename=" + file
			}
			values.Add(name, string(value))
		}
	case mediaType == "application/json" || strings.HasSuffix(mediaType, "+json") || mediaType == "":
		return normalJSON(body)
	}
	return string(body)
}

func normalForm(values url.Values) string {
	for name, list := range values {
		if isSecret(name) {
			delete(values, name)
			continue
		}
		for i := range list {
			list[i] = normalJSON([]byte(list[i]))
		}
	}
	form, err := url.QueryUnescape(values.Encode())
	if err != nil {
		return values.Encode()
	}
	return form
}

// normalJSON returns JSON in one form, without its members that authenticate, and any
// other text as it is.
func normalJSON(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return string(text)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return string(text)
	}
	normal, err := json.Marshal(withoutAuth(v))
	if err != nil {
		return string(text)
	}
	return string(normal)
}

func withoutAuth(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if name == "auth" || name == "signature" {
				delete(v, name)
				continue
			}
			v[name] = withoutAuth(value)
		}
	case []any:
		for i := range v {
			v[i] = withoutAuth(v[i])
		}
	}
	return v
}
