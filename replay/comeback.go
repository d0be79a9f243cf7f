package replay

import "cmp"

// comeback is what a reconnecting client gets: the part of x after point, nil for all of it.
type comeback struct {
	x         *Exchange
	point     *resumption
	claimed   *Exchange // of which it had so much, nil where nothing was known
	delivered int64
}

// putBack notes that the client has got nothing for what was claimed.
func (c comeback) putBack(rs *receipts) {
	if c.claimed != nil {
		r := rs.open(c.claimed, c.delivered, false)
		r.from = 0 // or it would not be expected back where it has all
		r.end()
	}
}

// goesOn returns whether the client goes on where one that had that last event ID was cut off.
func (c comeback) goesOn(lastEventID string) bool {
	return c.point != nil || lastEventID != "" && c.x.lastEventID() == lastEventID
}

// comesBack returns what a client gets that asks with that last event ID for x. It goes on in
// the stream that it was given before, by its receipt, or else in last, if that is not nil. A
// connection that was recorded wins, unless the client lacks something of the one before. Of
// the exchanges that there are receipts of, those count that may be its stream.
func (p *player) comesBack(rs *receipts, last, x *Exchange, lastEventID string, may func(*Exchange) bool) (c comeback) {
	c.x = x
	inForce := make(map[*Exchange]ranges)
	for y, most := range rs.exchanges() { // without the lock, for it may take long
		if !may(y) {
			continue
		}
		if there := y.inForce(lastEventID, most); there != nil {
			inForce[y] = there
		}
	}
	resumed := x.lastEventID() != lastEventID
	c.claimed, c.delivered = rs.claim(inForce, !resumed)
	before := cmp.Or(c.claimed, last, x)
	// It has come so far before, unless it began anew after that.
	again := c.claimed != nil && c.claimed.Number >= x.Number && (c.claimed == x || c.claimed.lastEventID() != "")
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

// ofPath returns a function that tells which exchanges are of the path of x.
func ofPath(x *Exchange) func(*Exchange) bool {
	path := normalPath(x.path)
	return func(y *Exchange) bool { return normalPath(y.path) == path }
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
