package replay

import (
	"iter"
	"math"
	"time"

	"github.com/ssereel/ssereel/ssewire"
)

// Events returns the events of all event streams in the recording, each with its moment:
// that of the read that ended it, since the start of the recording. (A Transport and a Handler
// play it as long after the request as it is after [Exchange.Sent].) They come in the order of
// their moments; at the same moment, those of the exchange that began first come first.
//
// Bodies are taken as they were recorded: a stream with a Content-Encoding, such as gzip, gives
// none of its events, and no error.
//
// An Event is a view, valid until the loop body returns. The events end early where the
// reel cannot be read any more, which [Exchange.Reads] tells.
func (r *Recording) Events() iter.Seq2[time.Duration, ssewire.Event] {
	var streams []*Exchange
	for _, x := range r.exchanges {
		if x.IsEventStream() {
			streams = append(streams, x)
		}
	}
	return eventsOf(streams)
}

// Events is [Recording.Events] for this exchange, whatever its content type.
func (x *Exchange) Events() iter.Seq2[time.Duration, ssewire.Event] {
	return eventsOf([]*Exchange{x})
}

func eventsOf(streams []*Exchange) iter.Seq2[time.Duration, ssewire.Event] {
	return func(yield func(time.Duration, ssewire.Event) bool) {
		waiting := streams
		var open []*eventCursor
		for {
			// A stream is opened when its moment has come, so that a recording of many
			// keeps few of them.
			var next *eventCursor
			for i := 0; i < len(open); {
				if !open[i].peek() {
					open = append(open[:i], open[i+1:]...)
					continue
				}
				if next == nil || open[i].at < next.at {
					next = open[i]
				}
				i++
			}
			if len(waiting) > 0 && (next == nil || waiting[0].Sent <= next.at) {
				open = append(open, newEventCursor(waiting[0]))
				waiting = waiting[1:]
				continue
			}
			if next == nil {
				return
			}
			next.taken = true
			if !yield(next.at, next.event) {
				return
			}
		}
	}
}

// eventCursor goes through the events of a stream.
type eventCursor struct {
	*cursor
	parser *ssewire.Parser
	event  ssewire.Event // valid until the next call of peek
	at     time.Duration // of the read that the event ended in
	end    int64         // in bytes of the body, of that read or, byLine, of the event
	taken  bool          // the event has been dealt with
	byLine bool          // the parser gets a line at a time, so that end is known
	rest   []byte        // of the read, which the parser has not got yet
}

func newEventCursor(x *Exchange) *eventCursor {
	return &eventCursor{
		cursor: newCursor(x, &x.reads, 4<<10),
		parser: ssewire.NewParser(ssewire.MaxEventSize(math.MaxInt)),
		taken:  true,
	}
}

// peek returns whether there is an event, which it does not take.
func (c *eventCursor) peek() bool {
	if !c.taken {
		return true
	}
	for !c.parser.Next() {
		if len(c.rest) == 0 {
			read, err := c.next()
			if err != nil {
				return false
			}
			c.rest, c.at = read.Data, read.At
		}
		n := len(c.rest)
		if c.byLine {
			n = min(n, lineEnd(c.rest)+1)
		}
		c.parser.Feed(c.rest[:n])
		c.rest = c.rest[n:]
		c.end += int64(n)
	}
	c.event, c.taken = c.parser.Event(), false
	return true
}
