package replay

import (
	"math"
	"strings"
	"time"
)

// trimID returns an event ID as the header Last-Event-ID has it: HTTP cuts off the blanks round
// a value (RFC 9110, section 5.5).
func trimID(id string) string { return strings.Trim(id, " \t") }

// lastEventID returns that of the request of x.
func (x *Exchange) lastEventID() string { return trimID(x.RequestHeader.Get("Last-Event-ID")) }

// ranges are parts of a body, in bytes: from each first index on, up to the second.
type ranges [][2]int64

// contain returns whether a client that has so many bytes is in one of them.
func (r ranges) contain(bytes int64) bool {
	for _, part := range r {
		if part[0] <= bytes && bytes < part[1] {
			return true
		}
	}
	return false
}

// begin returns whether the first of them begins no later.
func (r ranges) begin(bytes int64) bool { return len(r) > 0 && r[0][0] <= bytes }

// inForce returns where in x that is the last event ID of a client that has so much of it, as
// far as most, nil if it is nowhere in x. What is in force there is taken to stay. Where no ID
// is, a client may have that one from elsewhere: an Assembly's is known before.
func (x *Exchange) inForce(id string, most int64) (there ranges) {
	before := x.lastEventID()
	from, set, found := int64(-1), false, before == id
	if found || before == "" {
		from = 0
	}
	for b, err := range x.blocks() {
		if err != nil || b.sure > most {
			break
		}
		set = set || b.setsID
		its := set && trimID(string(b.id)) == id
		found = found || its
		switch is := its || !set && (before == id || before == ""); {
		case is && from < 0:
			from = b.sure
		case !is && from >= 0:
			there, from = append(there, [2]int64{from, b.sure}), -1
		}
	}
	if !found && !x.sets(id) {
		return nil
	}
	if from >= 0 {
		there = append(there, [2]int64{from, math.MaxInt64})
	}
	return there
}

// resumption is where in a recorded event stream a client goes on that has what
// comes before it.
type resumption struct {
	bytes  int64 // of the body, whole blocks
	events int   // of these
	at     time.Duration
	last   bool // no event comes behind it
}

// resume returns where a client goes on in x that has id as its last event ID. That is
// behind the first block that sets id; but a stream may set one id for many events, as
// an Assembly's does, and then it is behind the last whole block in its first delivered
// bytes, if these are known (else 0) and id is in force there. Without a block
// that sets id the client gets all of x.
func (x *Exchange) resume(id string, delivered int64) (resumption, error) {
	// What a client has asked with is its ID until a block sets another.
	before := x.lastEventID()
	found, events := before != "" && before == id, 0
	point := resumption{at: x.Sent, last: found}
	for b, err := range x.blocks() {
		if err != nil {
			return point, err
		}
		if b.event {
			events++
		}
		if b.setsID {
			before = ""
		}
		switch {
		case (trimID(string(b.id)) == id || before == id) && (!found && b.setsID || found && b.sure <= delivered):
			found = true
			point = resumption{bytes: b.end, events: events, at: b.at, last: true}
		case found && b.event:
			point.last = false
		}
		if found && !point.last && b.end >= delivered {
			break
		}
	}
	return point, nil
}

// has returns whether a client of x may have that last event ID.
func (x *Exchange) has(id string) bool {
	return x.lastEventID() == id || x.sets(id)
}

// sets returns whether a block of x sets that last event ID.
func (x *Exchange) sets(id string) bool {
	for b, err := range x.blocks() {
		if err != nil {
			break
		}
		if b.setsID && trimID(string(b.id)) == id {
			return true
		}
	}
	return false
}

// restOfBlock returns the bytes of the block that the first delivered bytes of the body
// end within, from there to its end.
func (x *Exchange) restOfBlock(delivered int64) []byte {
	if delivered == 0 {
		return nil
	}
	end := int64(0)
	for b, err := range x.blocks() {
		if err != nil {
			break
		}
		if end = b.end; end >= delivered {
			break
		}
	}
	if end <= delivered {
		return nil
	}
	c := newCursor(x, &x.reads, readAhead)
	cut := c.skip(delivered)
	var rest []byte
	for int64(len(rest)) < end-delivered {
		read, err := c.next()
		if err != nil {
			break
		}
		rest = append(rest, read.Data[cut:]...)
		cut = 0
	}
	return rest[:min(int64(len(rest)), end-delivered)]
}
