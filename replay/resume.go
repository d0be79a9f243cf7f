package replay

import "time"

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
	before := x.RequestHeader.Get("Last-Event-ID")
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
		case (string(b.id) == id || before == id) && (!found && b.setsID || found && b.end <= delivered):
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
	return x.RequestHeader.Get("Last-Event-ID") == id || x.sets(id)
}

// sets returns whether a block of x sets that last event ID.
func (x *Exchange) sets(id string) bool {
	for b, err := range x.blocks() {
		if err != nil {
			break
		}
		if b.setsID && string(b.id) == id {
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
