package replay

import (
	"sync"
	"sync/atomic"
)

// Receipts are how much of a stream each client has that may come back for the rest. What it
// says then is the last event ID, which in many streams is that of all events.
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
	bytes   atomic.Int64
	sending atomic.Bool // more is on its way, and may have arrived
	over    bool        // the connection has ended
	old     bool        // and another client has begun anew since
	claimed atomic.Bool // while it had not, and nothing has been delivered since
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
	r := &receipt{of: rs, x: x}
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
		r.claimed.Store(false) // by another client, for this one is there
	}
	if r.of.waiting.Load() > 0 {
		r.of.mu.Lock() // not between the look that whoever waits takes and the wait
		defer r.of.mu.Unlock()
		r.of.wake.Broadcast()
	}
}

// end notes that the connection has ended. Also a client that has got nothing may come back:
// the ID it may know from elsewhere.
func (r *receipt) end() {
	rs := r.of
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.sending.Store(false)
	// Whoever has claimed it had left before that was noticed, and has another one by now.
	if r.over = true; r.claimed.Load() {
		rs.remove(r)
	}
	rs.wake.Broadcast()
}

// exchanges returns those that there are receipts of, as the keys of a map.
func (rs *receipts) exchanges() map[*Exchange]bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	all := make(map[*Exchange]bool)
	for _, r := range rs.list {
		all[r.x] = false
	}
	return all
}

// claim returns what a client has that has come back for one of the streams that suit, nil
// where nothing is known of it. Nobody knows which client it is. To take it for the one that
// has least of those whose connections have ended may give it events twice, but costs it none,
// and that receipt is not given a second time. It may have left without being missed yet:
// where that makes a difference, it is waited for, a moment, before it is taken for one that
// has left, or else for the last that has come.
func (rs *receipts) claim(suits map[*Exchange]bool) (x *Exchange, bytes int64) {
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
		if suits[r.x] && !r.claimed.Load() {
			had[r] = r.bytes.Load()
		}
	}
	if sending() { // which it may have already
		rs.await(func() bool { return !sending() })
		for r := range had {
			had[r] = r.bytes.Load()
		}
	}
	var c candidates
	rs.await(func() bool {
		c = rs.candidates(had)
		return c.left != nil && (c.connected == 0 || !c.least.less(c.left)) || c.left == nil && c.connected <= 1
	})
	switch {
	case c.left != nil:
	case c.connected > 0:
		c.last.claimed.Store(true)
		return c.last.x, had[c.last]
	default:
		if c.left = c.old; c.left == nil {
			return nil, 0
		}
	}
	rs.remove(c.left)
	return c.left.x, c.left.bytes.Load()
}

// candidates are the receipts of which one is that of a client that has come back.
type candidates struct {
	left, old   *receipt // that has least of those whose connections have ended, and of old ones
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
		case r.old:
			least = &c.old
		case r.over:
			least = &c.left
		default:
			if c.connected++; c.last == nil || r.number > c.last.number {
				c.last = r
			}
		}
		if *least == nil || r.less(*least) {
			*least = r
		}
	}
	return c
}

// await is await for what changes with rs.
func (rs *receipts) await(so func() bool) {
	rs.waiting.Add(1)
	defer rs.waiting.Add(-1)
	await(&rs.wake, so)
}

// toForget returns the receipt that is needed least: that of the one that has most, rather an
// old one.
func (rs *receipts) toForget() *receipt {
	forget := rs.list[0]
	for _, r := range rs.list[1:] {
		if r.old && !forget.old || r.old == forget.old && forget.less(r) {
			forget = r
		}
	}
	return forget
}

// less returns whether r is of less than another.
func (r *receipt) less(other *receipt) bool {
	if r.x != other.x {
		return r.x.Number < other.x.Number
	}
	return r.bytes.Load() < other.bytes.Load()
}

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
