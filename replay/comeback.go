package replay

import "cmp"

// comeback is what a client gets that comes back: x behind a point, nil for all of it.
type comeback struct {
	x         *Exchange
	point     *resumption
	claimed   *Exchange // of which it had so much, nil where nothing was known
	delivered int64
}

// putBack notes that the client has got nothing for what was claimed.
func (c comeback) putBack(rs *receipts) {
	if c.claimed != nil {
		rs.open(c.claimed, c.delivered, false).end()
	}
}

// comesBack returns what a client gets that asks with that last event ID for x. It goes on in
// the stream that it was given before, by its receipt, or else in last, if that is not nil. A
// connection that was recorded wins, unless the client lacks something of the one before.
func (p *player) comesBack(rs *receipts, last, x *Exchange, lastEventID string) (c comeback) {
	c.x = x
	suits := rs.exchanges()
	for y := range suits { // without the lock, for it may take long
		suits[y] = normalPath(y.path) == normalPath(x.path) && y.has(lastEventID)
	}
	c.claimed, c.delivered = rs.claim(suits)
	before := cmp.Or(c.claimed, last, x)
	resumed := lastEventID != x.RequestHeader.Get("Last-Event-ID")
	again := c.claimed != nil && c.claimed.Number >= x.Number // it has come so far before
	if !resumed && !again && before == x || c.claimed == nil && !before.has(lastEventID) {
		return c
	}
	point, err := before.resume(lastEventID, c.delivered)
	if err != nil {
		return c
	}
	if again && point.last {
		if next := p.matcher().following(before); next != nil {
			c.x = next
			return c
		}
	}
	if resumed || again || !point.last {
		c.x, c.point = before, &point
	}
	return c
}

// streamKey is what exchanges have in common that a client takes for one stream.
type streamKey struct{ host, path, query string }

func (p *player) receiptsOf(x *Exchange) *receipts {
	key := streamKey{x.normalHost(), normalPath(x.path), unsignedQuery(normalQuery(x.query))}
	rs, ok := p.receipts.Load(key)
	if !ok {
		rs, _ = p.receipts.LoadOrStore(key, newReceipts())
	}
	return rs.(*receipts)
}
