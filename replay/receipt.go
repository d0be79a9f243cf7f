package replay

import (
	"cmp"
	"sync"
	"sync/atomic"
)

// Receipts track how much of a stream each client has received, in case it comes back for the
// rest. All it says then is its last event ID, which in many streams is the same for all events.
type receipts struct {
	waiting atomic.Int32 // for some of them to change

	mu     sync.Mutex
	wake   sync.Cond
	list   []*receipt
	opened int
}

// A receipt is how much of the body of x, as it was recorded, has been delivered over one
// connection, and before it to the same client.
type receipt struct {
	of      *receipts
	x       *Exchange
	from    int64 // bytes that the client had to begin with
	bytes   atomic.Int64
	sending atomic.Bool // more is on its way, and may have arrived
	over    bool        // the connection has ended
	old     bool        // and another client has begun anew since
	lent    int         // how often a client has gone on from it that may have been another one
	claimed atomic.Bool // while it had not ended, and nothing has been delivered since
	number  int         // in the order in which they came
}

// maxReceipts bounds the connections that are remembered of a stream.
const maxReceipts = 1000

func newReceipts() *receipts {
	rs := new(receipts)
	rs.wake.L = &rs.mu
	return rs
}

// open returns the receipt of a new connection. Whoever begins anew may be one of those that
// have left, as when a page is loaded again.
func (rs *receipts) open(x *Exchange, bytes int64, anew bool) *receipt {
	r := &receipt{of: rs, x: x, from: bytes}
	r.bytes.Store(bytes)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.opened++
	r.number = rs.opened
	if anew {
		for _, other := range rs.list {
			other.old = other.old || other.over
		}
	}
	for len(rs.list) >= maxReceipts {
		rs.remove(rs.toForget())
	}
	rs.list = append(rs.list, r)
	return r
}

func (r *receipt) send() { r.sending.Store(true) }

func (r *receipt) deliver(bytes int64) {
	r.bytes.Store(bytes)
	r.sending.Store(false)
	if r.claimed.Load() {
		r.claimed.Store(false) // the claim was another client's: this one is still connected
	}
	if r.of.waiting.Load() > 0 {
		r.of.mu.Lock() // not between the look that whoever waits takes and the wait
		defer r.of.mu.Unlock()
		r.of.wake.Broadcast()
	}
}

// end notes that the connection has ended. Even a client that has received nothing may come
// back: it may know the ID from elsewhere.
func (r *receipt) end() {
	rs := r.of
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.sending.Store(false)
	r.over = true
	// Whoever has claimed it had left before that was noticed, and has another one by now.
	if r.claimed.Load() {
		rs.remove(r)
	}
	rs.wake.Broadcast()
}

// isDone returns whether the client was told that there is nothing for it, and hardly comes back.
func (r *receipt) isDone() bool { return r.over && r.from >= r.x.Size && r.x.endsInOrder() }

// endsInOrder returns whether a client that has all of x need not come back for more.
func (x *Exchange) endsInOrder() bool { return x.End != EndReset && x.End != EndUnknown }

// exchanges returns those that there are receipts of, each with the most bytes of one.
func (rs *receipts) exchanges() map[*Exchange]int64 {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	all := make(map[*Exchange]int64)
	for _, r := range rs.list {
		all[r.x] = max(all[r.x], r.bytes.Load())
	}
	return all
}

// away returns how many clients have left, as far as they may come back.
func (rs *receipts) away() (n int) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.list {
		if r.over && !r.old && !r.isDone() {
			n++
		}
	}
	return n
}

// maxLent is how often a receipt is given to clients that may be others than its own.
const maxLent = 2

// claim returns what a client has that has come back with an ID, nil where nothing is known of
// it; inForce says for each exchange where in it that is the last event ID. What was sent to it
// last may have been lost on the way, so that it has but an ID from before, unless it is sure.
//
// Nobody knows which client it is. It is taken for the one that has least of those whose
// connections have ended: it may get events twice then, but lacks none. What is forgotten for
// it is the receipt of most, so that none of the others lacks any either, once they come back.
// A client that never does would have all others begin there each time: maxLent prevents that.
//
// The client may have left without being missed yet: where that makes a difference, it is
// waited for, a moment, before it is taken for one that has left, or else for the last that has
// come.
func (rs *receipts) claim(inForce map[*Exchange]ranges, sure bool) (x *Exchange, bytes int64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	// Whoever has come since, or got more, is another one.
	had := make(map[*receipt]int64, len(rs.list))
	sending := func() bool {
		for r := range had {
			if r.sending.Load() && !r.over {
				return true
			}
		}
		return false
	}
	for _, r := range rs.list {
		if _, ok := inForce[r.x]; ok && !r.claimed.Load() {
			had[r] = r.bytes.Load()
		}
	}
	if sending() { // which it may have already
		rs.await(func() bool { return !sending() })
		for r := range had {
			had[r] = r.bytes.Load()
		}
	}
	keepSuited(had, inForce, sure)
	var c candidates
	rs.await(func() bool {
		c = rs.candidates(had)
		return c.left != nil && (c.connected == 0 || !less(c.least, c.left, had)) || c.left == nil && c.connected <= 1
	})
	switch {
	case c.left != nil:
		rs.lend(c.left, c.most)
		return c.left.x, had[c.left]
	case c.old != nil && (c.connected == 0 || less(c.old, c.last, had)):
		rs.lend(c.old, c.old)
		return c.old.x, had[c.old]
	case c.connected > 0:
		c.last.claimed.Store(true)
		return c.last.x, had[c.last]
	}
	return nil, 0
}

// keepSuited leaves in had the receipts of clients that would come with the ID: of those that
// are where it is in force, or else, unless it is sure, have been there.
func keepSuited(had map[*receipt]int64, inForce map[*Exchange]ranges, sure bool) {
	for r, bytes := range had {
		sure = sure || inForce[r.x].contain(bytes)
	}
	for r, bytes := range had {
		if there := inForce[r.x]; !there.begin(bytes) || sure && !there.contain(bytes) {
			delete(had, r)
		}
	}
}

// candidates are the receipts of which one is that of a client that has come back.
type candidates struct {
	left, most  *receipt // that have least and most of those whose connections have ended
	done        *receipt // one that does not count among these as long as there are others
	old         *receipt // that has least of the old ones
	least, last *receipt // that has least of those that are connected, and that came last
	connected   int
}

// candidates returns those of had, as they are now.
func (rs *receipts) candidates(had map[*receipt]int64) (c candidates) {
	for _, r := range rs.list {
		if _, ok := had[r]; !ok || r.claimed.Load() {
			continue
		}
		least := &c.least
		switch {
		case r.isDone():
			c.done = r
			continue
		case r.old:
			least = &c.old
		case r.over:
			least = &c.left
			if c.most == nil || less(c.most, r, had) {
				c.most = r
			}
		default:
			if c.connected++; c.last == nil || r.number > c.last.number {
				c.last = r
			}
		}
		if *least == nil || cmp.Or(cmp.Compare(r.lent/maxLent, (*least).lent/maxLent), compare(r, *least, had)) < 0 {
			*least = r
		}
	}
	if c.left == nil {
		c.left, c.most = c.done, c.done
	}
	return c
}

// lend gives r to a client, and forgets another one, that of most.
func (rs *receipts) lend(r, most *receipt) {
	r.lent++
	rs.remove(most)
}

// await is await for what changes with rs.
func (rs *receipts) await(so func() bool) {
	rs.waiting.Add(1)
	defer rs.waiting.Add(-1)
	await(&rs.wake, so)
}

// toForget returns the receipt that is needed least: an old one if there is any, and of those
// the one with the most bytes.
func (rs *receipts) toForget() *receipt {
	forget := rs.list[0]
	for _, r := range rs.list[1:] {
		if r.old && !forget.old || r.old == forget.old && less(forget, r, nil) {
			forget = r
		}
	}
	return forget
}

// compare compares r with another by how much they are of, by what they had then, or have now if
// had is nil.
func compare(r, other *receipt, had map[*receipt]int64) int {
	if had == nil {
		return cmp.Or(cmp.Compare(r.x.Number, other.x.Number), cmp.Compare(r.bytes.Load(), other.bytes.Load()))
	}
	return cmp.Or(cmp.Compare(r.x.Number, other.x.Number), cmp.Compare(had[r], had[other]))
}

func less(r, other *receipt, had map[*receipt]int64) bool { return compare(r, other, had) < 0 }

func (rs *receipts) remove(r *receipt) {
	for i, other := range rs.list {
		if other == r {
			last := len(rs.list) - 1
			rs.list[i], rs.list[last] = rs.list[last], nil
			rs.list = rs.list[:last]
			return
		}
	}
}
