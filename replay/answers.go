package replay

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// answers are the exchanges of a reel that requests are answered with, each in its turn.
type answers struct {
	exchanges []*Exchange
	paths     map[string]*pathAnswers
	hosts     map[string]bool // of all of them, normal
	servers   servers
}

// pathAnswers are those of one path. They are looked into when the path is asked for, as
// that takes the bodies of all its requests.
type pathAnswers struct {
	exchanges []*Exchange
	build     sync.Once
	err       error // of that: the reel cannot be read any more

	mu     sync.Mutex
	racks  map[target]*rack   // by a target without a last event ID
	locals map[target][]*rack // those of this machine, by one whose host is anyPort
}

// rack has the exchanges of one target, by their last event IDs.
type rack struct {
	host  string
	slots map[string]*slot
}

// slot has the exchanges that only the bodies of their requests tell apart.
type slot struct {
	whole map[digest]*turns
	cut   []*cutAnswer // requests whose body was recorded in part
	open  turns        // and those with no recorded body
}

type cutAnswer struct {
	x      *Exchange
	size   int // of what was recorded of the body, in bytes
	asks   content
	served bool
}

// turns are exchanges that answer the same question, one after the other.
type turns struct {
	exchanges []*Exchange
	next      int
}

// newAnswers returns the exchanges that answer. Those whose recording was cut off answer
// nothing where they can be recorded again, and once they have been.
func newAnswers(exchanges []*Exchange, again bool) *answers {
	a := &answers{paths: make(map[string]*pathAnswers), hosts: make(map[string]bool)}
	for _, x := range exchanges {
		if again && x.End == EndUnknown || x.End == EndReset && x.Cause == cutOff {
			continue
		}
		a.exchanges = append(a.exchanges, x)
		if host := x.normalHost(); !a.hosts[host] {
			a.hosts[host] = true
			if anyPort(host) != "" {
				a.servers.recorded++
			}
		}
		path := normalPath(x.path)
		p := a.paths[path]
		if p == nil {
			p = new(pathAnswers)
			a.paths[path] = p
		}
		p.exchanges = append(p.exchanges, x)
	}
	return a
}

func (p *pathAnswers) index() {
	p.racks, p.locals = make(map[target]*rack), make(map[target][]*rack)
	for _, x := range p.exchanges {
		s := p.slot(x.target())
		if x.requestPieces.len() == 0 {
			s.open.exchanges = append(s.open.exchanges, x)
			continue
		}
		asks, size, err := x.asks()
		if err != nil {
			p.err = err
			return
		}
		if asks.cut {
			s.cut = append(s.cut, &cutAnswer{x: x, size: size, asks: asks})
			continue
		}
		sum := asks.digest()
		if s.whole[sum] == nil {
			s.whole[sum] = new(turns)
		}
		s.whole[sum].exchanges = append(s.whole[sum].exchanges, x)
	}
}

// slot returns the one for that target, a new one if there is none.
func (p *pathAnswers) slot(at target) *slot {
	id := at.lastEventID
	at.lastEventID = ""
	r := p.racks[at]
	if r == nil {
		r = &rack{host: at.host, slots: make(map[string]*slot)}
		p.racks[at] = r
		if at.host = anyPort(at.host); at.host != "" {
			p.locals[at] = append(p.locals[at], r)
		}
	}
	s := r.slots[id]
	if s == nil {
		s = &slot{whole: make(map[digest]*turns)}
		r.slots[id] = s
	}
	return s
}

func (x *Exchange) target() target {
	return target{
		method:      x.Method,
		host:        x.normalHost(),
		query:       canonical(newParams(x.query)),
		lastEventID: x.lastEventID(),
	}
}

func (x *Exchange) normalHost() string {
	scheme, _, _ := strings.Cut(x.URL, ":")
	return normalHost(&url.URL{Scheme: scheme, Host: x.host})
}

// asks returns what the body of the request asks for, as far as it was recorded, and how
// far that is.
func (x *Exchange) asks() (asks content, size int, err error) {
	var body []byte
	for read, err := range x.RequestReads() {
		if err != nil {
			return asks, 0, err
		}
		body = append(body, read.Data...)
	}
	limit := requestLimit(x.RequestHeader)
	cut := len(body) >= limit
	if all, err := strconv.ParseInt(x.RequestHeader.Get("Content-Length"), 10, 64); err == nil {
		cut = int64(len(body)) < all
	}
	return newContent(x.RequestHeader.Get("Content-Type"), body, cut), len(body), nil
}

// hostsFor returns the hosts that an answer to q may be from, from what is best. A port of
// this machine that the reel does not know may have been any other when it was recorded.
func (a *answers) hostsFor(q *question) []string {
	hosts := []string{q.host, ""}
	if local := anyPort(q.host); local != "" && !a.hosts[q.host] {
		hosts = append(hosts, local)
	}
	return hosts
}

// choose returns the exchange that answers q, nil if there is none, and those that a client
// which resumes may have been played.
func (a *answers) choose(q *question) (x *Exchange, had []*Exchange, err error) {
	a.servers.see(q.host, a.hosts[q.host])
	p := a.paths[q.path]
	if p == nil {
		return nil, nil, nil
	}
	if p.build.Do(p.index); p.err != nil {
		return nil, nil, p.err
	}
	for _, host := range a.hostsFor(q) {
		racks := p.racksAt(q.target, host)
		for _, r := range racks {
			if r.hasBodies(q.lastEventID) {
				if err := q.take(); err != nil {
					return nil, nil, err
				}
				q.content() // not while others wait
			}
		}
		meant, err := a.find(p, racks, q)
		if err != nil {
			return nil, nil, err
		}
		if meant == nil {
			continue
		}
		if meant.resumes {
			for _, stream := range slices.Backward(meant.had) {
				if stream.IsEventStream() && stream.sets(q.lastEventID) {
					return stream, []*Exchange{stream}, nil
				}
			}
		}
		if x := p.take(meant); x != nil {
			return x, meant.had, nil
		}
	}
	return nil, nil, nil
}

func (p *pathAnswers) racksAt(at target, host string) []*rack {
	at.host, at.lastEventID = host, ""
	if r := p.racks[at]; r != nil {
		return []*rack{r}
	}
	return p.locals[at]
}

// hasBodies returns whether bodies tell apart what may answer a request with that last
// event ID.
func (r *rack) hasBodies(lastEventID string) bool {
	for id, s := range r.slots {
		if (id == lastEventID || lastEventID != "") && (len(s.whole) > 0 || len(s.cut) > 0) {
			return true
		}
	}
	return false
}

// find returns the answer to q in one of the racks of p, nil if there is none.
func (a *answers) find(p *pathAnswers, racks []*rack, q *question) (*answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []*answer
	for _, r := range racks {
		if answer := r.find(q); answer != nil {
			found = append(found, answer)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	if host := found[0].host; host == q.host || host == "" { // a reel may leave hosts out
		return found[0], nil
	}
	meant, why := a.servers.meant(q.host, found)
	if meant == nil {
		return nil, fmt.Errorf("replay: %s: %w in a way that can be told: it has one of %s and one of %s, and %s; let the servers have the same ports at each run, or a reel each, and record anew",
			q, ErrNotRecorded, found[0].host, found[1].host, why)
	}
	return meant, nil
}

// servers are those of this machine that are asked, whose ports need not be those of the
// recording.
type servers struct {
	recorded int // so many were

	mu  sync.Mutex
	now map[string][]string // by its host, the recorded hosts that each is known to be
}

// see notes that a server is asked something. One that the reel knows is itself.
func (s *servers) see(host string, known bool) {
	if anyPort(host) == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.now[host]; seen {
		return
	}
	if s.now == nil {
		s.now = make(map[string][]string)
	}
	s.now[host] = nil
	if known {
		s.now[host] = []string{host}
	}
}

// meant returns the one of several answers that a host means which the reel does not know.
// It is known by what only one recorded host was asked, or as the only one that the servers
// beside it leave, as long as there are no more of them than were recorded. To guess would
// give it the answer of another without a word: else meant returns nil, and why.
func (s *servers) meant(host string, found []*answer) (_ *answer, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.now[host]
	var its, free []*answer
	for _, answer := range found {
		switch {
		case slices.Contains(known, answer.host):
			its = append(its, answer)
		case !s.isTaken(answer.host):
			free = append(free, answer)
		}
	}
	more := len(s.now) > s.recorded
	switch {
	case len(its) == 1:
		return its[0], ""
	case len(found) == 1:
		free = found
	case len(known) == 0 && len(free) == 1 && !more:
	case more:
		return nil, "there are more servers now than were recorded"
	case len(its)+len(free) == 0:
		return nil, "more servers are asked for it now than were then"
	default:
		return nil, "nothing tells which of them this is"
	}
	s.now[host] = append(known, free[0].host)
	return free[0], ""
}

// isTaken returns whether a recorded host is known, beyond doubt, to be one of now: one that
// is known to be nothing else, and the only one.
func (s *servers) isTaken(recorded string) bool {
	taken := false
	for _, known := range s.now {
		if !slices.Contains(known, recorded) {
			continue
		}
		if taken || len(known) > 1 {
			return false
		}
		taken = true
	}
	return taken
}

// answer is what a rack has for a question: exchanges that take turns, some whose requests
// were recorded in part, or none but the streams to be resumed.
type answer struct {
	host  string
	turns *turns
	cut   []*cutAnswer

	resumes bool
	had     []*Exchange // what a client with a last event ID may have been played, in their order
}

// find returns what answers q, nil if there is nothing. A client may resume a stream that was
// not resumed while it was recorded, or elsewhere.
func (r *rack) find(q *question) *answer {
	var exact *answer
	if s := r.slots[q.lastEventID]; s != nil {
		exact = s.find(q)
	}
	if q.lastEventID == "" {
		if exact != nil {
			exact.host = r.host
		}
		return exact
	}
	resumed := &answer{host: r.host, resumes: true}
	for id, s := range r.slots {
		a := s.find(q)
		if a == nil {
			continue
		}
		resumed.had = append(resumed.had, a.played()...)
		if id == "" {
			resumed.turns, resumed.cut = a.turns, a.cut
		}
	}
	slices.SortFunc(resumed.had, func(x, other *Exchange) int { return cmp.Compare(x.offset, other.offset) })
	switch {
	case exact != nil:
		exact.host, exact.had = r.host, resumed.had
		return exact
	case resumed.turns == nil && resumed.cut == nil && resumed.had == nil:
		return nil
	}
	return resumed
}

func (s *slot) find(q *question) *answer {
	if len(s.whole) > 0 {
		if asks := q.content(); !asks.cut {
			if t := s.whole[asks.digest()]; t != nil {
				return &answer{turns: t}
			}
		}
	}
	var cut []*cutAnswer
	for _, c := range s.cut {
		if c.size <= len(q.body) && c.asks.begins(q.contentTo(c.size, true)) {
			cut = append(cut, c)
		}
	}
	switch {
	case cut != nil:
		return &answer{cut: cut}
	case len(s.open.exchanges) > 0:
		return &answer{turns: &s.open}
	}
	return nil
}

// played returns the exchanges whose turn has been.
func (a *answer) played() []*Exchange {
	if t := a.turns; t != nil {
		return t.exchanges[:min(t.next, len(t.exchanges))]
	}
	var played []*Exchange
	for _, c := range a.cut {
		if c.served {
			played = append(played, c.x)
		}
	}
	return played
}

// take returns the exchange whose turn it is, the last from then on, nil if there is none.
// A client that resumes takes no turn if it may have had one.
func (p *pathAnswers) take(a *answer) *Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	if played := a.played(); a.resumes && len(played) > 0 {
		return played[len(played)-1]
	}
	if t := a.turns; t != nil {
		t.next++
		return t.exchanges[min(t.next, len(t.exchanges))-1]
	}
	var x *Exchange
	for _, c := range a.cut {
		if x = c.x; !c.served {
			c.served = true
			break
		}
	}
	return x
}

// maxCompared bounds the requests whose bodies an error compares.
const maxCompared = 100

// nearest returns what an error says of the recorded request that comes nearest to q.
func (a *answers) nearest(q *question) string {
	if len(a.exchanges) == 0 {
		return ", which holds nothing"
	}
	if q.req.GetBody != nil || q.req.ContentLength > 0 { // else it may never end
		q.take()
	}
	hosts := a.hostsFor(q)
	best, alike := -1, []*Exchange(nil)
	for _, x := range a.exchanges {
		path := normalPath(x.path)
		score := 32 * common(path, q.path) / max(len(path), len(q.path), 1)
		if path == q.path {
			score += 32
		}
		if x.Method == q.method {
			score += 16
		}
		if from(x.normalHost(), hosts) {
			score += 8
		}
		if score > best {
			best, alike = score, nil
		}
		if score == best && len(alike) < maxCompared {
			alike = append(alike, x)
		}
	}
	var nearest *Exchange
	var differs *differences
	for _, x := range alike {
		if d := q.differs(x, hosts); differs == nil || d.more < differs.more {
			nearest, differs = x, d
		}
	}
	text := fmt.Sprintf("\nthe nearest there is exchange %d: %s %s", nearest.Number, nearest.Method, shorten(nearest.URL))
	for _, line := range differs.lines {
		text += "\n  " + line
	}
	if n := differs.more - len(differs.lines); n > 0 {
		text += fmt.Sprintf("\n  and %d more", n)
	}
	return text + fmt.Sprintf("\nto record it, use mode %s; to record all anew, mode %s", ModeAuto, ModeRecord)
}

// from returns whether a normal host is one of hosts.
func from(host string, hosts []string) bool {
	local := anyPort(host)
	return slices.Contains(hosts, host) || local != "" && slices.Contains(hosts, local)
}

// common returns the length of what a and b begin with.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// differs returns what q, whose answer may be from one of hosts, has other than x.
func (q *question) differs(x *Exchange, hosts []string) *differences {
	d := new(differences)
	at := x.target()
	d.compare("method", plainText(q.method), plainText(x.Method))
	if !from(at.host, hosts) {
		d.compare("host", plainText(q.host), plainText(at.host))
	}
	d.compare("path", plainText(q.path), plainText(normalPath(x.path)))
	d.compare("query", q.params, newParams(x.query))
	if at.lastEventID != "" {
		d.compare("last-event-id", plainText(q.lastEventID), plainText(at.lastEventID))
	}
	if x.requestPieces.len() == 0 || q.err != nil || !q.taken && q.req.Body != nil && q.req.Body != http.NoBody {
		return d
	}
	asked, size, err := x.asks()
	if err != nil {
		return d
	}
	asks := q.content()
	if asked.cut {
		asks = q.contentTo(min(size, len(q.body)), true)
		if asked.begins(asks) && size <= len(q.body) {
			return d
		}
	}
	d.compare("body", asks.shown(), asked.shown())
	if asked.cut {
		d.compare("body, where its recording ends", plainText(asks.tail), plainText(asked.tail))
	}
	return d
}

// shown returns the content as an error shows it.
func (c content) shown() any {
	if c.doc == nil {
		return none{}
	}
	return c.doc
}
