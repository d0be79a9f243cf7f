package ssewire

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

const (
	// A source that fills the buffer with a read gets one of this size: as much as
	// the first cache level holds beside the caller's own data.
	maxReadBuffer = 16 << 10

	// No read is offered less than this.
	minRead = 512

	// As in bufio: a source that reads nothing this many times is broken.
	maxEmptyReads = 100
)

// Reader is the pull side: it reads a stream from an io.Reader and hands out its
// events one at a time, in the manner of bufio.Scanner. It reads ahead by one call
// of Read at most, so an event is handed out as soon as the bytes that end it have
// arrived.
//
// A Reader must not be used from several goroutines at once.
type Reader struct {
	p       Parser
	src     io.Reader
	readErr error // of src, io.EOF included; events read before it come first
	err     error // as the caller sees it
}

// NewReader returns a Reader of the stream src. Options change the defaults.
func NewReader(src io.Reader, opts ...Option) *Reader {
	r := &Reader{src: src}
	for _, opt := range opts {
		opt(&r.p)
	}
	return r
}

// Reset makes r ready for a new stream, src. It keeps the buffers and the options and
// forgets everything else, the reconnection time included; the last event ID is
// again that of the option [LastEventID]. Reset invalidates the last Event.
func (r *Reader) Reset(src io.Reader) {
	r.p.Reset()
	r.src, r.readErr, r.err = src, nil, nil
}

// Next goes on to the next event, which [Reader.Event] then returns. It blocks in
// the source's Read while the event is incomplete. It returns false at the end of
// the stream and after an error; [Reader.Err] tells which. An event that the end of
// the stream cuts off is dropped, as the standard demands.
func (r *Reader) Next() bool {
	for !r.p.Next() {
		if !r.fill() {
			return false
		}
	}
	return true
}

// Event returns the event that the last call of Next has found, if it returned
// true. It is a view, valid until the next call of Next or Reset.
func (r *Reader) Event() Event {
	// Field by field: a copy of the whole, by loads wider than the fields, would
	// stall on the narrower stores of Next.
	ev := &r.p.ev
	return Event{Type: ev.Type, Data: ev.Data, ID: ev.ID}
}

// Err returns the error that ended the stream: nil while the stream goes on and
// after a clean end (io.EOF from the source), an error that wraps
// [ErrEventTooLarge], or one that wraps the error of the source's Read and says
// how far the stream was read. A source that again and again returns neither bytes
// nor an error ends the stream with io.ErrNoProgress. By then, all events before
// the error have been handed out.
func (r *Reader) Err() error { return r.err }

// All returns the events still to come, for use with range. An error that ends the
// stream comes last, with the zero Event. Each Event is a view, valid until the
// loop body returns.
func (r *Reader) All() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for r.Next() {
			if !yield(r.Event(), nil) {
				return
			}
		}
		if r.err != nil {
			yield(Event{}, r.err)
		}
	}
}

// LastEventID returns the last event ID in force: what a client that connects
// again sends as Last-Event-ID, unless it is empty. A block that holds only an id
// sets it, although it dispatches no event.
func (r *Reader) LastEventID() string { return r.p.LastEventID() }

// ReconnectionTime returns the last reconnection time that the stream has set
// with a retry field. Values beyond the range of time.Duration become the
// longest one.
func (r *Reader) ReconnectionTime() (d time.Duration, ok bool) { return r.p.ReconnectionTime() }

// fill reads from the source once. It returns false when nothing more will come.
func (r *Reader) fill() bool {
	if r.p.err != nil {
		r.err = r.p.err
		return false
	}
	for empty := 0; r.readErr == nil; empty++ {
		if empty == maxEmptyReads {
			r.readErr = io.ErrNoProgress
			break
		}
		free := r.p.room(minRead)
		n, err := r.src.Read(free)
		if n < 0 || n > len(free) {
			n, err = 0, errInvalidRead
		}
		r.readErr = err
		if n > 0 {
			r.p.filled(n)
			if n == len(free) && len(r.p.buf) < maxReadBuffer {
				r.p.grow(maxReadBuffer)
			}
			return true
		}
	}
	if r.readErr != io.EOF {
		r.err = fmt.Errorf("ssewire: read at byte %d of the stream: %w", r.p.position(), r.readErr)
	}
	return false
}

var errInvalidRead = errors.New("the source returned an impossible count")
