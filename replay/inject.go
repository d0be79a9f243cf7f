package replay

import (
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// faultSet is the faults of a playback, and what they have to remember. It is safe for
// use by several goroutines at once.
type faultSet struct {
	faults []Fault
	seed   uint64

	mu     sync.Mutex
	counts map[requestCount]int
	events map[*Exchange]func() int
}

type requestCount struct {
	fault int // its index
	x     *Exchange
}

func newFaults(faults []Fault, seed uint64) *faultSet {
	return &faultSet{
		faults: faults,
		seed:   seed,
		counts: make(map[requestCount]int),
		events: make(map[*Exchange]func() int),
	}
}

// count counts a request for x that has got as far as the fault, this one included.
func (set *faultSet) count(fault int, x *Exchange) int {
	set.mu.Lock()
	defer set.mu.Unlock()
	c := requestCount{fault, x}
	set.counts[c]++
	return set.counts[c]
}

// numEvents returns the number of events of x. It goes through them once.
func (set *faultSet) numEvents(x *Exchange) int {
	set.mu.Lock()
	count := set.events[x]
	if count == nil {
		count = sync.OnceValue(func() int { return countEvents(x) })
		set.events[x] = count
	}
	set.mu.Unlock()
	return count()
}

// inject makes the faults happen to p, a response of x that nothing has been played of
// yet. It returns a function that tells how much of the recorded body, in bytes, is
// behind the pieces that p.next has returned so far (where events have changed places,
// from the first of the two on, both are); nil where the body is as it was.
func (set *faultSet) inject(x *Exchange, p *performance) (reached func() int64) {
	if len(set.faults) == 0 || !x.IsEventStream() || p.status != x.StatusCode {
		return nil
	}
	in := &injection{
		set:     set,
		x:       x,
		p:       p,
		reader:  newSpanReader(p),
		resumed: p.goesOn || p.skippedBytes > 0,
	}
	for i, f := range set.faults {
		if f == nil {
			continue
		}
		in.index = i
		in.rng = rand.New(rand.NewPCG(set.seed, uint64(x.Number)<<32|uint64(i)))
		if f.inject(in); in.over {
			return func() int64 { return p.skippedBytes } // what refuses is not of the body
		}
	}
	if in.spans == nil {
		return nil
	}
	m := &pieceMaker{p: p, spans: in.spans, reached: p.skippedBytes}
	p.next = m.next
	return func() int64 { return m.reached }
}

// injection is the making of a response with faults.
type injection struct {
	set     *faultSet
	x       *Exchange
	p       *performance
	resumed bool // p goes on where a response before it broke

	index int        // of the fault whose turn it is
	rng   *rand.Rand // its own: what is drawn depends on the seed, the exchange and the index alone

	reader *spanReader
	spans  func() span // nil while no fault has asked for them
	over   bool        // the recorded response is not played
}

// source returns the spans that the faults so far give, and has in.spans replaced.
func (in *injection) source() func() span {
	if in.spans == nil {
		return in.reader.span
	}
	return in.spans
}

// pipe has do work on each span. What it emits while it is called comes of it. The last
// span has to be emitted in its turn, and is the last that do gets.
func (in *injection) pipe(do func(s span, emit func(span))) {
	var (
		from = in.source()
		out  []span
		next int
		emit = func(s span) { out = append(out, s) }
	)
	in.spans = func() span {
		for next == len(out) {
			out, next = out[:0], 0
			do(from(), emit)
		}
		next++
		return out[next-1]
	}
}

// instead puts a response without a body in the place of the recorded one.
func (in *injection) instead(status int, header http.Header, at time.Duration, end End) {
	p := in.p
	p.status, p.header, p.at = status, header, at
	p.early, p.length = false, -1
	p.next = nothing
	p.end, p.ended, p.trailer = end, at, nil
	p.hits, _ = splitHits(p.hits) // in front of the response that is not played
	p.hits = slices.DeleteFunc(p.hits, func(h hit) bool { return h.at > at })
	p.interrupt, p.interrupted = nil, nil
	p.replaced, in.over = true, true
}

// hit notes that the fault happens at the header.
func (in *injection) hit(fault Fault) {
	in.p.hits = append(in.p.hits, hit{max(in.p.at, 0), fault})
}

// byteAt settles where a fault happens that needs no event. Drawn, that is in front of
// any byte.
func (in *injection) byteAt(at Position) Position {
	switch at.kind {
	case drawn:
		return AtByte(in.rng.Int64N(max(in.x.Size, 1)))
	case atEvent:
		in.reader.limit = maxHeld
	}
	return at
}

// eventAt settles which event a fault happens to. Drawn, it is any but the last spare.
func (in *injection) eventAt(at Position, spare int) Position {
	in.reader.limit = maxHeld
	if at.kind == drawn {
		if n := in.set.numEvents(in.x) - spare; n > 0 {
			return AtEvent(1 + in.rng.IntN(n))
		}
		return AtEvent(0)
	}
	return at
}

// beforeHeader returns whether the position is a moment up to that of the header.
func (in *injection) beforeHeader(at Position) bool {
	return at.kind == atTime && !in.resumed && time.Duration(at.n) <= in.p.at
}

// hits returns whether the position is in s, and in front of which byte of its data.
func (in *injection) hits(at Position, s span) (n int, ok bool) {
	switch at.kind {
	case atEvent:
		return 0, s.event && s.first && int64(s.events)+1 == at.n
	case atByte:
		off := at.n - s.pos
		return int(off), off >= 0 && off < int64(len(s.data)) || off == 0 && s.err == io.EOF
	default:
		// A client that waits in vain would wait longer.
		return 0, !in.resumed && (s.at >= time.Duration(at.n) || s.err == io.EOF && in.p.end == EndTimeout)
	}
}

// isEvent returns whether s is where the event begins that the position means.
func (in *injection) isEvent(at Position, s span) bool {
	if !s.event || !s.first {
		return false
	}
	switch at.kind {
	case atEvent:
		return int64(s.events)+1 == at.n
	case atByte:
		return at.n >= in.p.skippedBytes && at.n < s.pos+s.size
	default:
		return !in.resumed && s.at >= time.Duration(at.n)
	}
}

// behind returns whether a connection that breaks at s has broken there before.
func (in *injection) behind(s span) bool {
	return in.resumed && s.events <= in.p.skippedEvents
}

// pieceMaker makes pieces of spans again.
type pieceMaker struct {
	p     *performance
	spans func() span

	ahead   span // the first of the next piece, if begun
	begun   bool
	buf     []byte // of the piece
	reached int64
}

// next is the next of a performance.
func (m *pieceMaker) next() (Read, error) {
	if !m.begun {
		m.ahead, m.begun = m.spans(), true
	}
	first := m.ahead
	m.p.hits = append(m.p.hits, first.hits...)
	if m.ahead.hits = nil; first.err != nil {
		m.p.ended = first.at
		m.reached = max(m.reached, first.pos)
		return Read{}, first.err
	}
	m.buf = m.buf[:0]
	for s := first; ; {
		m.buf = append(m.buf, s.data...)
		m.reached = max(m.reached, s.pos+int64(len(s.data)))
		s = m.spans()
		if s.err != nil || s.read != first.read || s.at != first.at {
			m.ahead = s
			return Read{At: first.at, Data: m.buf}, nil
		}
		m.p.hits = append(m.p.hits, s.hits...)
	}
}
