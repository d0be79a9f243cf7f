package replay

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is something that goes wrong with a response as it is played: [Cut], [Stall],
// [Rechunk], [Duplicate], [Drop], [Reorder], [Corrupt], [Refuse] or [WrongType].
// [ParseFault] makes one of text.
//
// Faults concern event streams ([Exchange.IsEventStream]); other responses are played
// as recorded. Several of them work in the order given, each on what those before it
// have made of the response. The same faults and the same seed do the same to the same
// recording, for every client and at every run.
//
// A fault that needs a whole event handles events of up to 16 MiB, counting 128 bytes for each
// read that they came in. A larger one is left as it is by Duplicate and Reorder, Corrupt draws
// from its beginning, and a position that depends on the event finds it if its data has begun
// by then.
type Fault interface {
	// String returns the fault as [ParseFault] takes it; the exceptions are listed there.
	String() string

	inject(in *injection)
}

// Cut breaks the connection: the client gets all that comes before At. It breaks
// at the moment at which the next byte would have come, or at At if that is a
// moment: pieces due at exactly that moment are lost too. If that is before the response's
// header, the client gets no response.
//
// A client that connects again and goes on after its Last-Event-ID has been cut there
// before. Its response is therefore not cut before the end of its first event, so that
// it gets somewhere.
type Cut struct {
	At Position // drawn: before any byte

	// End is how it breaks: EndReset (the default), EndEOF for an end in order, as
	// proxies make it, or EndTimeout for silence from there on, while the connection
	// stays open. Without a header an orderly end is impossible, so it is a reset.
	End End
}

// Stall is a silence of the length For before At, whatever the speed of the
// playback; everything after it comes that much later. A response that goes on after
// a Last-Event-ID is not stalled before the end of its first event, as with [Cut].
type Stall struct {
	For time.Duration // no stall unless it is positive
	At  Position      // drawn: before any byte
}

// Rechunk cuts the pieces of the response into smaller ones, which come at the moment of
// the piece they are from. Pieces are not joined.
type Rechunk struct {
	Size int // of the pieces, in bytes; unless it is positive, sizes up to 512 are drawn
}

// Duplicate has an event come twice: all bytes of its block again, line ends included,
// in the piece that ends it.
type Duplicate struct {
	// At is the event after it; for a byte, the event that it is in, or the next one;
	// for a moment, the first event to begin at it or later. Drawn: any event.
	At Position
}

// Drop leaves out an event: all bytes of its block, line ends included.
type Drop struct {
	At Position // as in [Duplicate]
}

// Reorder has an event come after the event that follows it, in the piece that ends
// that one. What is between the two, such as comments, stays in its place. The last
// event stays as well, and so does one that takes more than 32 MiB with what is between it
// and the next.
type Reorder struct {
	At Position // as in [Duplicate]; drawn: any but the last
}

// Corrupt makes one byte another, which is drawn.
type Corrupt struct {
	// At is that byte; for an event, one of its block, which is drawn; for a moment, the
	// first one to come at it or later. Drawn: any byte.
	At Position
}

// Refuse answers requests with a status and a line of text that names it, instead of the
// response, at the moment of its header. Faults after it have no effect then.
type Refuse struct {
	// Status is from 200 to 599, else it is taken to be 503. EventSource stops for
	// good at any but 200; clients that follow the standard loosely stop at 204 alone.
	Status int

	// Times is how many requests for an exchange are refused, the first ones; unless
	// it is positive, all are. Of requests at the same time it is open which is first.
	Times int

	// RetryAfter, if it is positive, is sent as Retry-After, in whole seconds, rounded up.
	RetryAfter time.Duration
}

// WrongType gives the response another content type, which makes EventSource stop for
// good. The body is played all the same.
type WrongType struct {
	ContentType string // empty means text/html
}

func (f Cut) inject(in *injection) {
	p, at, end := in.p, in.byteAt(f.At), f.end()
	f.At = at
	if in.beforeHeader(at) {
		if end == EndEOF {
			end = EndReset
		}
		in.instead(0, nil, time.Duration(at.n), end)
		in.p.cause = "by the fault " + f.String()
		in.hit(f)
		return
	}
	p.early = true
	if end == EndEOF || at.kind == atTime || at.kind == atByte && at.n >= in.x.Size {
		p.length = -1 // or a client that has all that was announced may not notice
	}
	in.pipe(func(s span, emit func(span)) {
		n, ok := in.hits(at, s)
		if !ok || in.behind(s) {
			emit(s)
			return
		}
		if n > 0 {
			var head span
			head, s = s.split(n)
			emit(head)
		}
		if at.kind == atTime {
			s.at = time.Duration(at.n)
		}
		p.end, p.trailer, p.cause = end, nil, "by the fault "+f.String()
		cut := span{at: s.at, read: s.read, pos: s.pos, events: s.events, err: io.EOF}
		for _, h := range s.hits {
			if h.at <= s.at { // else it does not come to that
				cut.hits = append(cut.hits, h)
			}
		}
		cut.hit(f)
		emit(cut)
	})
}

func (f Cut) end() End {
	switch f.End {
	case EndTimeout:
		return EndTimeout
	case EndEOF, EndCanceled: // which is played as an end in order
		return EndEOF
	}
	return EndReset
}

func (f Stall) inject(in *injection) {
	if f.For <= 0 {
		return
	}
	at := in.byteAt(f.At)
	f.At = at
	in.p.early = true
	var late time.Duration
	if in.beforeHeader(at) {
		late = f.For
		in.p.hits = append([]hit{{max(in.p.at, 0), f}}, delayed(in.p.hits, late)...)
		in.p.at = later(in.p.at, late)
	}
	in.pipe(func(s span, emit func(span)) {
		begins := false
		if late == 0 {
			n, ok := in.hits(at, s)
			if !ok || in.behind(s) {
				emit(s)
				return
			}
			if n > 0 {
				var head span
				head, s = s.split(n)
				emit(head)
			}
			late, begins = f.For, true
		}
		if !begins {
			s.delay(late)
			emit(s)
			return
		}
		from := s.at
		if at.kind == atTime {
			from = max(from, time.Duration(at.n))
		}
		stalls, others := splitHits(s.hits)
		s.hits = slices.Concat(stalls, []hit{{from, f}}, delayed(others, late))
		s.at = later(s.at, late)
		emit(s)
	})
}

// later returns at+d, or the latest moment there is.
func later(at, d time.Duration) time.Duration {
	if sum := at + d; sum >= at {
		return sum
	}
	return 1<<63 - 1
}

func (f Rechunk) inject(in *injection) {
	in.hit(f)
	from, rng := in.source(), in.rng
	var (
		rest span // what is left of the last one
		read int  // of the pieces made
		room int  // left in the piece
	)
	in.spans = func() span {
		if len(rest.data) == 0 {
			next := from()
			if next.read != rest.read || next.at != rest.at {
				room = 0
			}
			rest = next
		}
		if room == 0 {
			read++
			if room = f.Size; room <= 0 {
				room = 1 + rng.IntN(1<<(1+rng.IntN(9)))
			}
		}
		s, tail := rest.split(min(room, len(rest.data)))
		s.hits, tail.hits = rest.hits, nil
		room -= len(s.data)
		s.read, rest = read, tail
		return s
	}
}

func (f Duplicate) inject(in *injection) {
	at := in.eventAt(f.At, 0)
	f.At = at
	in.p.length = -1
	var again span // the event, as far as it has come
	state := seeking
	in.pipe(func(s span, emit func(span)) {
		if state == holding && !s.continues(again) {
			again.hits = nil // happened the first time
			again.hit(f)
			emit(again)
			state = done
		}
		switch {
		case state == seeking && in.isEvent(at, s):
			if state = done; s.whole {
				state = holding
				again = s
				again.data = append(make([]byte, 0, s.size), s.data...)
			}
		case state == holding:
			again.take(s)
		}
		emit(s)
	})
}

// What an event-level fault is doing.
const (
	seeking = iota // its event is still to come
	holding        // its event is coming
	passing        // the event behind it is
	done
)

func (f Drop) inject(in *injection) {
	at := in.eventAt(f.At, 0)
	f.At = at
	in.p.early, in.p.length = true, -1
	var event span
	state := seeking
	in.pipe(func(s span, emit func(span)) {
		switch {
		case state == seeking && in.isEvent(at, s):
			state, event = holding, s
			event.hit(f)
			return
		case state == holding && s.continues(event):
			event.hits = append(event.hits, s.hits...)
			return
		case state == holding:
			state = done
			s.hits = append(event.hits, s.hits...)
		}
		emit(s)
	})
}

func (f Reorder) inject(in *injection) {
	at := in.eventAt(f.At, 1)
	f.At = at
	in.p.early = true
	var (
		event span
		held  []span // it, and what is behind it
		cost  int    // of held, in bytes of memory
		other span   // the event behind it
		hits  []hit  // in front of what is held
	)
	state := seeking
	in.pipe(func(s span, out func(span)) {
		emit := func(s span) {
			s.hits = append(hits, s.hits...)
			hits = nil
			out(s)
		}
		if state == seeking && in.isEvent(at, s) {
			if state = done; s.whole {
				state, event = holding, s
				event.data, event.hits = nil, nil
			}
		}
		if state == holding {
			ofIt := len(held) == 0 || s.continues(event)
			if (ofIt || !s.event && s.err == nil) && cost <= 2*maxHeld {
				hits = append(hits, s.hits...)
				s.hits = nil
				held = append(held, s.keep())
				cost += len(s.data) + spanCost
				return
			}
			state = done
			if s.event && !ofIt {
				s.hit(f)
				state, other = passing, s
			}
			for _, h := range held {
				if state == passing && h.event {
					event.take(h)
				} else {
					emit(h)
				}
			}
			held = nil
		} else if state == passing {
			if s.continues(other) {
				other.at, other.read = s.at, s.read
			} else {
				event.at, event.read = other.at, other.read
				emit(event)
				event, state = span{}, done
			}
		}
		emit(s)
	})
}

func (f Corrupt) inject(in *injection) {
	at, rng := in.byteAt(f.At), in.rng
	delta := byte(1 + rng.IntN(255))
	state := seeking
	in.pipe(func(s span, emit func(span)) {
		if state == done || len(s.data) == 0 {
			emit(s)
			return
		}
		n, ok := in.hits(at, s)
		if ok && at.kind == atEvent {
			at = AtByte(s.pos + rng.Int64N(s.size))
			n, ok = in.hits(at, s)
		}
		if !ok {
			emit(s)
			return
		}
		state = done
		head, tail := s.split(n)
		wrong, tail := tail.split(1)
		wrong.data = []byte{wrong.data[0] + delta}
		if f.At.kind == drawn {
			f.At = at
		}
		wrong.hit(f)
		emit(head)
		emit(wrong)
		emit(tail)
	})
}

func (f Refuse) inject(in *injection) {
	if f.Times > 0 && in.set.count(in.index, in.x) > f.Times {
		return
	}
	status, header := f.status(), make(http.Header)
	if f.RetryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64((f.RetryAfter-1)/time.Second)+1, 10))
	}
	in.instead(status, header, in.p.at, EndEOF)
	in.hit(f)
	if status == http.StatusNoContent || status == http.StatusNotModified {
		return
	}
	header.Set("Content-Type", "text/plain; charset=utf-8")
	p := in.p
	text := fmt.Appendf(nil, "%d %s\n", status, http.StatusText(status))
	p.next = func() (Read, error) {
		if text == nil {
			return Read{}, io.EOF
		}
		read := Read{At: p.at, Data: text}
		text = nil
		return read, nil
	}
}

func (f Refuse) status() int {
	if f.Status < 200 || f.Status > 599 {
		return http.StatusServiceUnavailable
	}
	return f.Status
}

func (f WrongType) inject(in *injection) {
	header := make(http.Header)
	maps.Copy(header, in.p.header)
	header.Set("Content-Type", f.contentType())
	in.p.header = header
	in.hit(f)
}

func (f WrongType) contentType() string { return cmp.Or(f.ContentType, "text/html") }
