package replay

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// performance is a response on its way to one client: what a recorded exchange has
// become by the pace of the playback, a resumption, and faults. Its moments are
// durations since the request, as they are going to be: the speed is in them.
type performance struct {
	x     *Exchange // nil where the response is made of several
	began time.Time // when it was asked for

	// replaced is whether a fault has put another response in the place of that of x.
	replaced bool

	status int           // 0 where no response comes
	header http.Header   // not to be changed
	at     time.Duration // the header's moment
	early  bool          // the header arrives before the body begins
	length int64         // of the body, in bytes, -1 where it has not been announced

	// skipped is the part of the recorded body that is left out, because the client
	// has it already: whole events of an event stream.
	skippedBytes  int64
	skippedEvents int
	goesOn        bool // for a client that was cut off: it has said its last event ID

	// next returns the next piece of the body, whose Data is valid until the call
	// after it, and io.EOF behind the last. Any other error breaks the response.
	next func() (Read, error)

	// delivered, if not nil, is called when the client has been given what next has
	// returned last, but for the bytes of it that are left. Where the client may have it
	// sooner than delivered can be called, sending is called before.
	sending   func()
	delivered func(left int)
	silent    func() // if not nil, called when nothing comes any more, though it does not end

	// How it ends. These are settled when next has returned io.EOF.
	end     End
	cause   string // of a break, in words that stand behind "broke"
	ended   time.Duration
	trailer http.Header

	// interrupt, unless it is nil, is closed when something happens that ends the body in
	// another way: interrupted then returns what takes the place of next.
	interrupt   <-chan struct{}
	interrupted func() func() (Read, error)

	// hits are the faults that happen next, as far as they are known: those in front of
	// the header, and then of each piece, or of the end, when next has returned it.
	hits    []hit
	onFault func(Fault) // if not nil

	done func() // called when it is over, if not nil
}

// finally has f called, too, when it is over.
func (p *performance) finally(f func()) {
	done := p.done
	p.done = func() {
		f()
		if done != nil {
			done()
		}
	}
}

// meter returns a function that delivered is to call, which tells how much of the recorded
// body the client has, in bytes: from, and what has come since. reached tells how much is
// behind the pieces that next has returned; it is nil where they are the recorded ones.
func (p *performance) meter(from int64, reached func() int64) (total func(left int) int64) {
	next, size := p.next, int64(0)
	p.next = func() (Read, error) {
		read, err := next()
		size = int64(len(read.Data))
		return read, err
	}
	return func(left int) int64 {
		switch {
		case reached == nil:
			from += size - int64(left)
			size = int64(left)
		case left == 0:
			from = reached()
		}
		return from
	}
}

// wait waits until it is at, as clock.wait does, and tells of the faults until then.
func (p *performance) wait(c *clock, at time.Duration, interrupt <-chan struct{}) bool {
	for len(p.hits) > 0 && p.hits[0].at <= at {
		if !c.wait(p.hits[0].at, interrupt) {
			return false
		}
		if p.onFault != nil {
			p.onFault(p.hits[0].fault)
		}
		p.hits = p.hits[1:]
	}
	return c.wait(at, interrupt)
}

var (
	errBroke       = errors.New("broke")       // ends a response that does not end in order
	errInterrupted = errors.New("interrupted") // keeps one from its end
)

// piece returns the next piece of the body when its moment has come, valid until the call
// after it; it may be empty. After the last one its error is that of over, and any other one is
// of the recording, which cannot be read any more.
func (p *performance) piece(c *clock) ([]byte, error) {
	for {
		read, err := p.next()
		switch {
		case err == nil && p.wait(c, read.At, p.interrupt):
			return read.Data, nil
		case err == nil:
		case err != io.EOF:
			return nil, err
		default:
			if err = p.over(c); err != errInterrupted {
				return nil, err
			}
		}
		if c.ctx.Err() != nil {
			return nil, c.ctx.Err()
		}
		p.next, p.interrupt = p.interrupted(), nil
		p.end, p.ended, p.trailer, p.hits = EndEOF, 0, nil, nil
	}
}

// over waits until the response is over, and returns io.EOF if it then ends in order,
// errBroke if it breaks, errInterrupted if it is interrupted before, and the error of the
// clock's context if the client has gone.
func (p *performance) over(c *clock) error {
	ended := p.wait(c, p.ended, p.interrupt)
	if ended && p.end == EndTimeout {
		if p.silent != nil {
			p.silent()
		}
		select {
		case <-c.ctx.Done():
		case <-p.interrupt:
		}
		ended = false
	}
	switch {
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	case !ended:
		return errInterrupted
	case p.status == 0, p.end == EndReset, p.end == EndUnknown:
		return errBroke
	}
	return io.EOF
}
