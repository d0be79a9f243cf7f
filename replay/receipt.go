package replay

import (
	"sync"
	"sync/atomic"
)

// Receipts are how much of a stream each client has that may come back for the rest. What it
// says then is the last event ID, which in many streams is that of all events.
type receipts struct {
	waiting atomic.Int32 // for some of them to change

	mu   sync.Mutex
	wake sync.Cond
	list []*receipt
}

// A receipt is how much of the body of x, as it was recorded, has been delivered over one
// connection, and before it to the same client.
type receipt struct {
	of      *receipts
	x       *Exchange
	bytes   atomic.Int64
	sending atomic.Bool // more is on its way, and may have arrived
	over    bool        // the connection has ended
}

// maxReceipts bounds the connections that are remembered of a stream.
const maxReceipts = 1000

func newReceipts() *receipts {
	rs := new(receipts)
	rs.wake.L = &rs.mu
	return rs
}

// open returns the receipt of a new connection.
func (rs *receipts) open(x *Exchange, bytes int64) *receipt {
	r := &receipt{of: rs, x: x}
	r.bytes.Store(bytes)
	rs.mu.Lock()
	defer rs.mu.Unlock()
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
	if r.of.waiting.Load() > 0 {
		r.of.mu.Lock() // not between the look that whoever waits takes and the wait
		defer r.of.mu.Unlock()
		r.of.wake.Broadcast()
	}
}

// end notes that the connection has ended. A client that has nothing comes back for nothing.
func (r *receipt) end() {
	rs := r.of
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.sending.Store(false)
	if r.over = true; r.bytes.Load() == 0 {
		rs.remove(r)
	}
	rs.wake.Broadcast()
}

// claim returns what a client has that has come back for one of the streams that suit, nil
// where nothing is known of it. Nobody knows which client it is. To take it for the one that
// has least of all whose connections have ended may give it events twice, but costs it none,
// and that receipt is not given a second time. One that has less may have left without being
// missed yet: that is waited for, a moment.
func (rs *receipts) claim(suits func(*Exchange) bool) (x *Exchange, bytes int64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	left, connected := rs.least(suits, true), rs.least(suits, false)
	if connected != nil && (left == nil || connected.less(left)) {
		before := left
		rs.await(func() bool {
			left = rs.least(suits, true)
			return left != nil && (before == nil || left.less(before))
		})
		connected = rs.least(suits, false)
	}
	switch {
	case left != nil:
		rs.remove(left)
		return left.x, left.bytes.Load()
	case connected != nil:
		rs.await(func() bool { return connected.over || !connected.sending.Load() })
		return connected.x, connected.bytes.Load()
	}
	return nil, 0
}

// await is await for what changes with rs.
func (rs *receipts) await(so func() bool) {
	rs.waiting.Add(1)
	defer rs.waiting.Add(-1)
	await(&rs.wake, so)
}

// least returns the receipt of the least, of connections that are over or not, nil if there
// is none.
func (rs *receipts) least(suits func(*Exchange) bool, over bool) *receipt {
	var least *receipt
	for _, r := range rs.list {
		if r.over == over && (least == nil || r.less(least)) && suits(r.x) {
			least = r
		}
	}
	return least
}

// toForget returns the receipt that is needed least: of those that have left, if there are
// any, the one that has most.
func (rs *receipts) toForget() *receipt {
	most := rs.list[0]
	for _, r := range rs.list[1:] {
		if r.over && !most.over || r.over == most.over && most.less(r) {
			most = r
		}
	}
	return most
}

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
