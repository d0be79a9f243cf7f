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
	"time"
)

// answers are the exchanges of a reel that requests are answered with, each in its turn.
type answers struct {
	exchanges []*Exchange
	paths     map[string]*pathAnswers
	hosts     map[string]bool // of all of them, normal

	mu     sync.Mutex
	spans  map[string]timeSpan // of the hosts of this machine, while these were recorded
	stands map[string]string   // of hosts that the reel does not know, the recorded one that each stands for
	taken  map[string]bool     // the recorded ones among these
}

// timeSpan is from the first request for a host to the end of the last.
type timeSpan struct{ from, to time.Duration }

// pathAnswers are those of one path. They are looked into when the path is asked for, as
// that takes the bodies of all its requests.
type pathAnswers struct {
	exchanges []*Exchange
	build     sync.Once
	err       error // of that: the reel cannot be read any more

	mu     sync.Mutex
	racks  map[target]*rack
	locals map[target][]*rack // those of this machine, by a target whose host is anyPort
}

// rack has the exchanges that only the bodies of their requests tell apart.
type rack struct {
	host  string
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

func (t *turns) take() *Exchange {
	x := t.exchanges[min(t.next, len(t.exchanges)-1)]
	t.next++
	return x
}

// newAnswers returns the exchanges that answer. Those whose recording was cut off answer
// nothing where they can be recorded again, and once they have been.
func newAnswers(exchanges []*Exchange, again bool) *answers {
	a := &answers{
		paths: make(map[string]*pathAnswers), hosts: make(map[string]bool),
		spans: make(map[string]timeSpan), stands: make(map[string]string), taken: make(map[string]bool),
	}
	for _, x := range exchanges {
		if again && x.End == EndUnknown || x.End == EndReset && x.Cause == cutOff {
			continue
		}
		a.exchanges = append(a.exchanges, x)
		host := x.normalHost()
		if span, ok := a.spans[host]; ok {
			a.spans[host] = timeSpan{span.from, max(span.to, x.Ended)}
		} else if anyPort(host) != "" {
			a.spans[host] = timeSpan{x.Sent, x.Ended}
		}
		a.hosts[host] = true
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
		r := p.rack(x.target())
		if x.requestPieces.len() == 0 {
			r.open.exchanges = append(r.open.exchanges, x)
			continue
		}
		asks, size, err := x.asks()
		if err != nil {
			p.err = err
			return
		}
		if asks.cut {
			r.cut = append(r.cut, &cutAnswer{x: x, size: size, asks: asks})
			continue
		}
		sum := asks.digest()
		if r.whole[sum] == nil {
			r.whole[sum] = new(turns)
		}
		r.whole[sum].exchanges = append(r.whole[sum].exchanges, x)
	}
}

// rack returns the one for that target, a new one if there is none.
func (p *pathAnswers) rack(at target) *rack {
	r := p.racks[at]
	if r == nil {
		r = &rack{host: at.host, whole: make(map[digest]*turns)}
		p.racks[at] = r
		if at.host = anyPort(at.host); at.host != "" {
			p.locals[at] = append(p.locals[at], r)
		}
	}
	return r
}

func (x *Exchange) target() target {
	return target{
		method:      x.Method,
		host:        x.normalHost(),
		query:       canonical(newParams(x.query)),
		lastEventID: x.RequestHeader.Get("Last-Event-ID"),
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

// choose returns the exchange that answers q, nil if there is none.
func (a *answers) choose(q *question) (*Exchange, error) {
	p := a.paths[q.path]
	if p == nil {
		return nil, nil
	}
	if p.build.Do(p.index); p.err != nil {
		return nil, p.err
	}
	for _, host := range a.hostsFor(q) {
		at := q.target
		at.host = host
		racks := p.racksAt(at)
		resumes := racks == nil && at.lastEventID != ""
		if resumes {
			at.lastEventID = ""
			racks = p.racksAt(at)
		}
		for _, r := range racks {
			if len(r.whole) > 0 || len(r.cut) > 0 {
				if err := q.take(); err != nil {
					return nil, err
				}
				q.content() // not while others wait
			}
		}
		if x, err := a.take(p, racks, q, resumes); x != nil || err != nil {
			return x, err
		}
	}
	return nil, nil
}

func (p *pathAnswers) racksAt(at target) []*rack {
	if r := p.racks[at]; r != nil {
		return []*rack{r}
	}
	return p.locals[at]
}

// take returns what answers q in one of the racks of p, nil if nothing does.
func (a *answers) take(p *pathAnswers, racks []*rack, q *question, resumes bool) (*Exchange, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []*answer
	for _, r := range racks {
		if answer := r.find(q); answer != nil {
			found = append(found, answer)
		}
	}
	switch {
	case len(found) == 0:
		return nil, nil
	case racks[0].host == q.host, racks[0].host == "": // a reel may leave hosts out
		a.mu.Lock()
		a.taken[q.host] = true
		a.mu.Unlock()
		return found[0].take(resumes), nil
	}
	meant := a.meant(q.host, found)
	if meant == nil {
		return nil, fmt.Errorf("replay: %s: %w in a way that can be told: it has one of %s and one of %s, and nothing tells which of them this is; let the servers have the same ports at each run, or a reel each",
			q, ErrNotRecorded, found[0].host, found[1].host)
	}
	return meant.take(resumes), nil
}

// meant returns the one of several answers that a host means which the reel does not know.
// What it once stood for it stands for from then on. Hosts that were recorded one after the
// other are asked for one after the other. Of those that were there at the same time, nobody
// knows which it is: then it returns nil.
func (a *answers) meant(host string, found []*answer) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	var free []*answer
	for _, answer := range found {
		if a.stands[host] == answer.host {
			return answer
		}
		if !a.taken[answer.host] {
			free = append(free, answer)
		}
	}
	if len(found) == 1 {
		free = found
	}
	if len(free) == 0 {
		return nil
	}
	slices.SortStableFunc(free, func(one, other *answer) int { return cmp.Compare(a.spans[one.host].from, a.spans[other.host].from) })
	if len(free) > 1 && a.spans[free[0].host].to > a.spans[free[1].host].from {
		return nil
	}
	if a.stands[host] == "" {
		a.stands[host], a.taken[free[0].host] = free[0].host, true
	}
	return free[0]
}

// answer is what a rack has for a question: exchanges that take turns, or one whose
// request was recorded in part.
type answer struct {
	host  string
	turns *turns
	cut   *cutAnswer
}

// find returns what answers q, nil if there is nothing.
func (r *rack) find(q *question) *answer {
	if len(r.whole) > 0 {
		if asks := q.content(); !asks.cut {
			if t := r.whole[asks.digest()]; t != nil {
				return &answer{host: r.host, turns: t}
			}
		}
	}
	var last *cutAnswer
	for _, c := range r.cut {
		if c.size > len(q.body) || !c.asks.begins(q.contentTo(c.size, true)) {
			continue
		}
		if last = c; !c.served {
			break
		}
	}
	switch {
	case last != nil:
		return &answer{host: r.host, cut: last}
	case len(r.open.exchanges) > 0:
		return &answer{host: r.host, turns: &r.open}
	}
	return nil
}

// take returns the exchange whose turn it is; for a client that resumes a stream which was
// not resumed while it was recorded, the one that it has been played.
func (a *answer) take(resumes bool) *Exchange {
	if a.cut != nil {
		a.cut.served = true
		return a.cut.x
	}
	if resumes && a.turns.next > 0 {
		a.turns.next--
	}
	return a.turns.take()
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
