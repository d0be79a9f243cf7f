package replay

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// matcher finds the exchanges that may answer a request.
type matcher struct {
	byPath  map[string]*shelf
	streams []*Exchange // event streams
}

// shelf has the exchanges of one path.
type shelf struct {
	exchanges []*Exchange
	queries   func() []string // of the exchanges, normal
}

func newMatcher(exchanges []*Exchange) *matcher {
	m := &matcher{byPath: make(map[string]*shelf)}
	for _, x := range exchanges {
		path := normalPath(x.path)
		s := m.byPath[path]
		if s == nil {
			s = new(shelf)
			s.queries = sync.OnceValue(s.normalQueries)
			m.byPath[path] = s
		}
		s.exchanges = append(s.exchanges, x)
		if x.IsEventStream() {
			m.streams = append(m.streams, x)
		}
	}
	return m
}

func (s *shelf) normalQueries() []string {
	queries := make([]string, len(s.exchanges))
	for i, x := range s.exchanges {
		queries[i] = normalQuery(x.query)
	}
	return queries
}

// match returns the exchange that answers req, nil if there is none.
func (m *matcher) match(req *http.Request) *Exchange {
	var best *Exchange
	bestScore := 0
	isGet := req.Method == http.MethodGet || req.Method == http.MethodHead
	query := normalQuery(req.URL.RawQuery)
	host := req.URL.Host
	try := func(x *Exchange, score int) {
		if x.Method == req.Method || x.Method == http.MethodGet && req.Method == "" {
			score += 64
		} else if !(x.Method == http.MethodGet && isGet) && score > 0 {
			return
		}
		if host != "" && strings.EqualFold(x.host, host) {
			score += 8
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
	path := normalPath(cmp.Or(req.URL.EscapedPath(), "/"))
	if s := m.byPath[path]; s != nil {
		queries := s.queries()
		for i, x := range s.exchanges {
			if queries[i] == query {
				try(x, 32)
			} else {
				try(x, 16)
			}
		}
	}
	if isGet && path == "/" && strings.Contains(req.Header.Get("Accept"), eventStream) {
		for _, x := range m.streams {
			if normalPath(x.path) != "/" {
				try(x, 0)
			}
		}
	}
	return best
}

// normalQuery returns a raw query without the parameters whose values are
// credentials: they are not in the recording, and no part of what is asked for.
func normalQuery(query string) string {
	if query == "" {
		return ""
	}
	var kept []string
	for param := range strings.SplitSeq(redactText(query), "&") {
		if _, value, _ := strings.Cut(param, "="); value != Redacted {
			kept = append(kept, param)
		}
	}
	return strings.Join(kept, "&")
}

// normalPath returns an escaped path with its escapes in one spelling: those of
// unreserved characters resolved, the others with capital letters (RFC 3986, section
// 6.2.2).
func normalPath(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			if c, err := url.PathUnescape(path[i : i+3]); err == nil {
				if isUnreserved(c[0]) {
					b.WriteByte(c[0])
				} else {
					b.WriteString(strings.ToUpper(path[i : i+3]))
				}
				i += 2
				continue
			}
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
