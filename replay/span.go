package replay

import (
	"bytes"
	"io"
	"slices"
	"time"
)

// span is a part of a piece that lies within one block of the event stream. It is what
// faults work on: it knows its place in the recording, whatever becomes of it.
type span struct {
	at   time.Duration
	data []byte // valid until the next span is asked for
	read int    // spans in a row with the same read and moment make up one piece

	pos    int64 // of the first byte, in the recorded body
	events int   // of the recorded body, that have ended in front of it

	// Its block, a blank line its end, with the LF of a CRLF.
	event bool  // it is dispatched
	first bool  // it begins with this span
	size  int64 // in bytes, as far as it is known
	whole bool  // size is all of it

	// The end of the response comes as the last span, at its moment, without data. err
	// is what has broken it, io.EOF where it has ended as p.end says.
	err error

	hits []hit // in front of it
}

// hit is a fault that happens.
type hit struct {
	at    time.Duration // as in span
	fault Fault
}

// hit notes that the fault happens at the moment of s.
func (s *span) hit(fault Fault) { s.hits = append(slices.Clip(s.hits), hit{s.at, fault}) }

// delay has s come later by d, with what happens in front of it.
func (s *span) delay(d time.Duration) {
	s.at = later(s.at, d)
	s.hits = delayed(s.hits, d)
}

// splitHits returns the silences among hits apart from the others, which happen when
// these are over.
func splitHits(hits []hit) (stalls, others []hit) {
	for _, h := range hits {
		if _, ok := h.fault.(Stall); ok {
			stalls = append(stalls, h)
		} else {
			others = append(others, h)
		}
	}
	return stalls, others
}

func delayed(hits []hit, d time.Duration) []hit {
	hits = slices.Clone(hits)
	for i := range hits {
		hits[i].at = later(hits[i].at, d)
	}
	return hits
}

// split cuts s in front of byte n of its data.
func (s span) split(n int) (head, tail span) {
	head, tail = s, s
	head.data, tail.data = s.data[:n:n], s.data[n:]
	tail.pos += int64(n)
	tail.first = tail.first && n == 0
	if n == 0 {
		head.hits = nil
	} else {
		tail.hits = nil
	}
	return head, tail
}

// continues returns whether s is more of the event that began with first.
func (s span) continues(first span) bool {
	return s.event && !s.first && s.events == first.events
}

// take appends what comes of the event that s holds.
func (s *span) take(more span) {
	s.data = append(s.data, more.data...)
	s.at, s.read = more.at, more.read
}

// keep gives s data of its own.
func (s span) keep() span {
	s.data = bytes.Clone(s.data)
	return s
}

const (
	// maxHeld bounds what is held of a stream to see an event whole, in bytes of
	// memory: as much as ssewire takes for an event by default, twice where an event
	// and what comes behind it change places.
	maxHeld = 16 << 20

	// spanCost is what a span that is held costs besides its data.
	spanCost = 128
)

// spanReader makes spans of the pieces of a performance. It reads ahead, where that is
// called for, to the end of the block: pieces carry their moments, so that this delays
// nothing.
type spanReader struct {
	p    *performance
	read func() (Read, error)

	// limit bounds pending, in bytes of memory. With 0 no block is held, and an event
	// known as such from its data on at best. A block beyond it is given up: taken
	// for an event if data has come, and handed out as it arrives.
	limit int

	scan   blockScanner
	ready  []span // to hand out, those before next are
	next   int
	reads  int
	pos    int64
	events int
	at     time.Duration

	pending []span // of the block under way
	kept    int    // so many of pending have data of their own
	size    int64  // of the block so far
	held    int    // memory of pending
	given   bool   // the block has been given up,
	asEvent bool   // as an event
}

func newSpanReader(p *performance) *spanReader {
	r := &spanReader{p: p, read: p.next, pos: p.skippedBytes, events: p.skippedEvents, at: max(p.at, 0)}
	r.scan.begun = p.skippedBytes > 0
	return r
}

// span returns the next span. It is not to be called again after the last.
func (r *spanReader) span() span {
	for r.next == len(r.ready) {
		r.fill()
	}
	r.next++
	return r.ready[r.next-1]
}

// fill reads the next piece.
func (r *spanReader) fill() {
	r.ready, r.next = r.ready[:0], 0
	for ; r.kept < len(r.pending); r.kept++ {
		r.pending[r.kept] = r.pending[r.kept].keep()
	}
	read, err := r.read()
	r.reads++
	if err != nil {
		if err == io.EOF {
			r.at = max(r.at, r.p.ended)
		}
		if r.scan.ended {
			r.endBlock()
		}
		r.release(false)
		r.ready = append(r.ready, span{at: r.at, read: r.reads, pos: r.pos, events: r.events, err: err})
		return
	}
	r.at = max(r.at, read.At) // what is late is not later than what was before
	data := read.Data
	if len(data) == 0 {
		r.add(nil)
		if r.size == 0 {
			r.release(false)
		}
	}
	for len(data) > 0 {
		n, ended := r.scan.block(data)
		if n > 0 {
			r.add(data[:n])
		}
		if ended {
			r.endBlock()
		}
		data = data[n:]
	}
	if r.given {
		r.release(r.asEvent)
	} else if r.held > r.limit {
		r.asEvent = r.scan.hasData
		r.release(r.asEvent)
		r.given = true
	}
}

func (r *spanReader) add(data []byte) {
	r.pending = append(r.pending, span{at: r.at, data: data, read: r.reads, pos: r.pos, first: r.size == 0})
	r.pos += int64(len(data))
	r.size += int64(len(data))
	r.held += len(data) + spanCost
}

// endBlock ends the block under way.
func (r *spanReader) endBlock() {
	event := r.scan.hasData
	if r.given {
		r.release(r.asEvent)
	} else {
		for i := range r.pending {
			r.pending[i].whole = true
		}
		r.release(event)
	}
	if event {
		r.events++
	}
	r.size, r.given = 0, false
	r.scan.nextBlock()
}

// release makes what is pending ready.
func (r *spanReader) release(event bool) {
	for _, s := range r.pending {
		s.events, s.event, s.size = r.events, event, r.size
		r.ready = append(r.ready, s)
	}
	r.pending, r.kept, r.held = r.pending[:0], 0, 0
}
