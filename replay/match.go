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
	streams []*candidate // event streams
}

// shelf has the exchanges of one path, in their order.
type shelf struct {
	exchanges []*Exchange
	queries   func() []string // of the exchanges, normal
	sorted    func() *sortedShelf
}

// sortedShelf finds those of a shelf that are asked for by a query and a last event ID.
type sortedShelf struct {
	all     []*candidate
	byQuery map[string][]*candidate
	byID    map[[2]string][]*candidate // query and last event ID

	// What there is at all.
	hosts, ids map[string]bool
}

// candidate is an exchange, and what of it is compared with each request.
type candidate struct {
	x           *Exchange
	host        string // in small letters
	lastEventID string
}

func newCandidate(x *Exchange) *candidate {
	return &candidate{x, strings.ToLower(x.host), x.lastEventID()}
}

func newMatcher(exchanges []*Exchange) *matcher {
	m := &matcher{byPath: make(map[string]*shelf)}
	for _, x := range exchanges {
		path := normalPath(x.path)
		s := m.byPath[path]
		if s == nil {
			s = new(shelf)
			s.queries = sync.OnceValue(s.normalQueries)
			s.sorted = sync.OnceValue(s.sort)
			m.byPath[path] = s
		}
		s.exchanges = append(s.exchanges, x)
		if x.IsEventStream() {
			m.streams = append(m.streams, newCandidate(x))
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

func (s *shelf) sort() *sortedShelf {
	sorted := &sortedShelf{byQuery: make(map[string][]*candidate), byID: make(map[[2]string][]*candidate),
		hosts: make(map[string]bool), ids: make(map[string]bool)}
	for i, query := range s.queries() {
		c := newCandidate(s.exchanges[i])
		query = unsignedQuery(query)
		id := [2]string{query, c.lastEventID}
		sorted.hosts[c.host], sorted.ids[c.lastEventID] = true, true
		sorted.all = append(sorted.all, c)
		sorted.byQuery[query] = append(sorted.byQuery[query], c)
		sorted.byID[id] = append(sorted.byID[id], c)
	}
	return sorted
}

// What counts when an exchange is chosen, from what counts most.
const (
	sameMethod = 1 << (6 - iota)
	sameQuery
	samePath
	sameHost
	hasResponse
	sameLastEventID
	anyMatch
)

// following returns the next exchange that was asked for as x was, with the same last event
// ID, nil if there is none.
func (m *matcher) following(x *Exchange) *Exchange {
	s := m.byPath[normalPath(x.path)]
	if s == nil {
		return nil
	}
	found := false
	for _, c := range s.sorted().byID[[2]string{unsignedQuery(normalQuery(x.query)), x.lastEventID()}] {
		if found && c.x.Method == x.Method && c.x.normalHost() == x.normalHost() && c.x.IsEventStream() {
			return c.x
		}
		found = found || c.x == x
	}
	return nil
}

// alike returns the event streams that were asked for as x was.
func (m *matcher) alike(x *Exchange) (streams []*candidate) {
	for _, c := range m.streams {
		if c.x.Method == x.Method && c.x.URL == x.URL {
			streams = append(streams, c)
		}
	}
	return streams
}

// match returns the exchange that answers req, nil if there is none.
func (m *matcher) match(req *http.Request) *Exchange {
	method := cmp.Or(req.Method, http.MethodGet)
	isGet := method == http.MethodGet || method == http.MethodHead
	host, id := strings.ToLower(req.URL.Host), trimID(req.Header.Get("Last-Event-ID"))
	var best *candidate
	bestScore := 0
	// try looks for a better one that counts from base up to most.
	try := func(candidates []*candidate, id string, base, most int) {
		for _, c := range candidates {
			if bestScore >= most {
				return
			}
			score := base | anyMatch
			switch {
			case c.x.Method == method:
				score |= sameMethod
			case base > 0 && !(c.x.Method == http.MethodGet && isGet):
				continue
			}
			if host != "" && c.host == host {
				score |= sameHost
			}
			if c.x.StatusCode != 0 {
				score |= hasResponse
			}
			if c.lastEventID == id {
				score |= sameLastEventID
			}
			if score > bestScore {
				best, bestScore = c, score
			}
		}
	}
	path := normalPath(cmp.Or(req.URL.EscapedPath(), "/"))
	if s := m.byPath[path]; s != nil {
		sorted, query := s.sorted(), unsignedQuery(normalQuery(req.URL.RawQuery))
		most := sameMethod | samePath | hasResponse | anyMatch
		if host != "" && sorted.hosts[host] {
			most |= sameHost
		}
		try(sorted.byID[[2]string{query, id}], id, samePath|sameQuery, most|sameQuery|sameLastEventID)
		try(sorted.byQuery[query], id, samePath|sameQuery, most|sameQuery)
		if bestScore&(sameMethod|sameQuery) != sameMethod|sameQuery {
			if sorted.ids[id] {
				most |= sameLastEventID
			}
			try(sorted.all, id, samePath, most)
		}
	}
	if isGet && path == "/" && strings.Contains(req.Header.Get("Accept"), eventStream) {
		const noID = "\x00" // which none has: a client that comes back wants the stream that it had
		most := sameMethod | sameHost | hasResponse | anyMatch
		try(m.streams, noID, 0, most)
		if best != nil {
			try(m.alike(best.x), id, 0, most|sameLastEventID)
		}
	}
	if best == nil {
		return nil
	}
	return best.x
}

// streamWith returns the event stream that was asked for like x, but in which a block
// sets id as the last event ID, x if there is none: the recording may be one of several
// connections.
func (m *matcher) streamWith(x *Exchange, id string) *Exchange {
	query := unsignedQuery(normalQuery(x.query))
	for _, c := range m.byPath[normalPath(x.path)].sorted().byQuery[query] {
		if c.x.Method != x.Method || !c.x.IsEventStream() {
			continue
		}
		if point, err := c.x.resume(id, 0); err == nil && point.bytes > 0 {
			return c.x
		}
	}
	return x
}

// unsignedQuery returns a normal query without the parameters that the API takes with a
// signature.
func unsignedQuery(query string) string {
	if !strings.Contains(query, "params=") {
		return query
	}
	var kept []string
	for param := range strings.SplitSeq(query, "&") {
		if !strings.HasPrefix(param, "params=") {
			kept = append(kept, param)
		}
	}
	return strings.Join(kept, "&")
}

// normalQuery returns a raw query without the parameters whose values are
// credentials: they are not in the recording, and no part of what is asked for.
func normalQuery(query string) string {
	if query == "" {
		return ""
	}
	var kept []string
	for param := range strings.SplitSeq(redactText(redactQuery(query)), "&") {
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
