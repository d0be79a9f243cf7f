package replay

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssereel/ssereel/status"
)

// run is a story as it is being played: what the clients of one server or transport have
// in common that ask for the same job. It knows where in the recording they are.
type run struct {
	player *player
	story  *story
	made   time.Time // by the clock that counts for it

	mu       sync.Mutex
	wake     *sync.Cond // the feed is further on
	tempo    *tempo
	from     time.Duration // this moment of the recording
	start    time.Time     // was at this one
	feed     *feed         // the stream that was asked for last, nil before that
	telling  *telling
	receipts *receipts // of all its streams

	canceled atomic.Bool    // nothing is told after that, but that it is
	feeds    map[*feed]bool // that are open
	untold   int            // clients that were away when it was canceled
	unasked  bool           // nobody had asked for the stream then, nor has since

	polls [pollsPerSecond]time.Time // the last ones that were answered
	poll  int                       // the oldest of them
}

// pollsPerSecond is how often the status of an Assembly may be asked for: the page
// "Retrieve an Assembly Status" of the API's documentation.
const pollsPerSecond = 3

// asked is how a client has asked for a stream.
type asked struct {
	at    time.Time
	order uint64 // among all clients, who may have to wait
	anew  bool   // it says that it has nothing
}

// feed is a stream as it goes to a client.
type feed struct {
	x         *Exchange
	asked     asked
	receipt   *receipt
	delivered int64         // bytes of the body
	next      time.Duration // the recorded moment of the read that comes next, forever behind the last
	walk      walk          // behind that read
	end       int64         // of that read, in bytes of the body
	pieces    int           // that have been delivered
	gone      bool          // the client has it all, or has gone
	silent    bool          // nothing comes any more, though the client is there
	told      bool          // that the job was canceled

	// interrupt is closed when the job is canceled. It is the feed's own: one of the run might be
	// of another bubble of testing/synctest.
	interrupt chan struct{}
}

// newFeed returns a feed of x of which so many bytes have been delivered.
func newFeed(x *Exchange, delivered int64) *feed {
	f := &feed{x: x, delivered: delivered, walk: x.reads.walk(), interrupt: make(chan struct{})}
	f.advance()
	return f
}

// advance settles which read comes next.
func (f *feed) advance() {
	for f.end <= f.delivered {
		piece, ok := f.walk.next()
		if !ok {
			f.next = forever
			break
		}
		f.next = piece.at
		f.end += int64(piece.size)
	}
}

func (p *player) newRun(s *story, from time.Duration, now time.Time) *run {
	r := &run{player: p, story: s, made: now, from: from, start: now, feeds: make(map[*feed]bool), receipts: newReceipts()}
	r.wake = sync.NewCond(&r.mu)
	if len(s.streams) > 0 {
		r.tempo = p.tempo(s.streams[0])
	} else {
		r.tempo = newTempo(p.Playback, s.begin, s.moments())
	}
	return r
}

// isLive returns whether the client of f is still told what happens.
func (f *feed) isLive() bool { return f != nil && !f.gone && !f.silent }

// position returns the moment of the recording that the clients have come to, and the one
// that they have not: that of the read which comes next on the stream.
func (r *run) position(now time.Time) (at, limit time.Duration) {
	at, limit = r.tempo.recorded(r.from, now.Sub(r.start)), forever
	if f := r.feed; f.isLive() {
		limit = f.next
		at = min(at, limit-1)
	}
	return at, limit
}

// played returns where in the recording the run was begun, and how long ago.
func (r *run) played(now time.Time) (from, elapsed time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from, now.Sub(r.start)
}

// settle waits, but not for long, until a read whose moment has come is delivered: the
// client may have it, and asks for what it should know then.
func (r *run) settle(now time.Time) {
	for range 2 { // for a stream that has been asked for, longer than that waits
		await(r.wake, func() bool { return r.receipts.waiting.Load() == 0 })
	}
	f := r.feed
	if !f.isLive() || r.tempo.recorded(r.from, now.Sub(r.start)) < f.next {
		return
	}
	was := f.pieces
	await(r.wake, func() bool { return r.feed != f || !f.isLive() || f.pieces != was })
}

// await waits until so returns true, but not for long. The caller holds the lock of wake, which
// is held whenever so is called.
func await(wake *sync.Cond, so func() bool) {
	if so() {
		return
	}
	const patience = 50 * time.Millisecond
	late := false
	timer := time.AfterFunc(patience, func() {
		wake.L.Lock()
		late = true
		wake.L.Unlock()
		wake.Broadcast()
	})
	for !so() && !late {
		wake.Wait()
	}
	timer.Stop()
}

// tooOften counts a request for the status, and returns whether it is one too many.
func (r *run) tooOften(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	// A poll of another bubble of testing/synctest may be long before or after.
	if oldest := r.polls[r.poll]; !oldest.IsZero() && now.Sub(oldest).Abs() < time.Second {
		return true
	}
	r.polls[r.poll] = now
	r.poll = (r.poll + 1) % len(r.polls)
	return false
}

// status returns what answers a request for the job's status now: an exchange of the
// recording or, where none says what the stream has said, a document made of it.
func (r *run) status(now time.Time) (x *Exchange, document []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.story.isJob {
		return r.jobStatus(now), nil
	}
	t, limit := r.tell(now)
	if r.canceled.Load() {
		a := *t.tracker.Assembly()
		a.State, a.Message = status.AssemblyCanceled, "The Assembly was canceled."
		document, _ = a.AppendJSON(nil)
		return nil, document
	}
	t.finish(limit)
	return t.answer()
}

// tell has the story told up to now.
func (r *run) tell(now time.Time) (t *telling, limit time.Duration) {
	r.settle(now)
	if r.canceled.Load() {
		return r.telling, forever // all of it, whatever the stream still delivers
	}
	at, limit := r.position(now)
	if r.telling == nil {
		r.telling = newTelling(r.story, r.story.beginning())
	}
	r.telling.tell(at, limit, r.feed)
	return r.telling, limit
}

// jobStatus returns the exchange with a job's status that was the last one at this
// moment, or the first.
func (r *run) jobStatus(now time.Time) *Exchange {
	at, _ := r.position(now)
	x := r.story.tellers[0]
	for _, later := range r.story.tellers[1:] {
		if later.Sent > at {
			break
		}
		x = later
	}
	return x
}

// open notes that the stream x is asked for, from its beginning or from a point on. It
// returns nil where the job has been canceled: that run is told to its end.
func (r *run) open(x *Exchange, from *resumption, asked asked) *feed {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.canceled.Load() {
		return nil
	}
	f := newFeed(x, 0)
	if from == nil {
		r.telling = nil
		r.from, r.start, r.tempo = x.Sent, asked.at, r.player.tempo(x)
	} else {
		f = newFeed(x, from.bytes)
	}
	f.asked = asked
	f.receipt = r.receipts.open(x, f.delivered, asked.anew)
	if r.feed == nil || from == nil || r.feed.asked.order < asked.order {
		r.feed = f
	}
	r.feeds[f] = true
	r.wake.Broadcast()
	return f
}

// deliver lets the run know how much of the stream p, which f is about, has been delivered.
// reached is as for meter.
func (r *run) deliver(f *feed, p *performance, reached func() int64) {
	total := p.meter(f.delivered, reached)
	p.sending = f.receipt.send
	p.silent = func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		f.silent = true
		r.wake.Broadcast()
	}
	p.delivered = func(left int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		f.delivered = total(left)
		f.receipt.deliver(f.delivered)
		if left == 0 {
			f.pieces++
			f.told = r.canceled.Load()
		}
		f.advance()
		r.wake.Broadcast()
	}
}

// lastStream returns the stream that was asked for last, nil if none was.
func (r *run) lastStream() *Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.feed == nil {
		return nil
	}
	return r.feed.x
}

// hangUp notes that the client of the stream has gone, or has it all.
func (r *run) hangUp(f *feed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.gone = true
	if delete(r.feeds, f); r.canceled.Load() && !f.told {
		r.untold++
	}
	f.receipt.end()
	r.wake.Broadcast()
}

// cancel cancels the job, unless it has ended.
func (r *run) cancel(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, _ := r.tell(now)
	if r.canceled.Load() || t.tracker.Assembly().Terminal() {
		return
	}
	r.canceled.Store(true)
	for f := range r.feeds {
		close(f.interrupt)
	}
	r.untold, r.unasked = r.receipts.away(), r.feed == nil
}

// tellOne returns whether a client that asks for the stream of a canceled job, to go on with it or
// from its beginning, has to be told so. Those that were connected when it was have been, unless
// they left before it reached them.
func (r *run) tellOne(goesOn bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unasked {
		r.unasked = false
		return true
	}
	if !goesOn || r.untold == 0 {
		return false
	}
	r.untold--
	return true
}
