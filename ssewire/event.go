// Package ssewire turns event streams into events and events into event
// streams: the wire format of Server-Sent Events, as the WHATWG HTML standard
// defines it in the section "Server-sent events". Where the standard leaves
// something open, it is mostly as in Chromium's EventSource.
//
// Read a stream with a [Reader]:
//
//	r := ssewire.NewReader(body)
//	for r.Next() {
//		ev := r.Event()
//		fmt.Printf("%s: %s\n", ev.Type, ev.Data)
//	}
//	if err := r.Err(); err != nil {
//		return err
//	}
//
// Where the bytes come in a callback rather than from an io.Reader, feed them to
// a [Parser]. A program that wants EventSource's reconnection connects with
// a [Client]. Servers write with a [Writer], or with [AppendEvent] into memory of
// their own.
//
// Reading allocates nothing per event, and lines may be of any length up to a
// limit of the caller's choice. The package imports only the standard library.
package ssewire

// Event is one event of a stream.
//
// An Event that a [Reader], [Parser] or [Stream] hands out is a view: its bytes
// are overwritten by the next call of Next, and belong to the reader. Copy what
// must live longer, for example with bytes.Clone or string(ev.Data).
type Event struct {
	// Type is the value of the last event field, empty where the block has none
	// or an empty one. EventSource then dispatches the event as "message".
	Type []byte

	// Data is the values of the data fields, joined with LF, never nil in an event
	// that was read. The bytes are those of the stream: invalid UTF-8 is not
	// replaced here as a browser would.
	Data []byte

	// ID is the last event ID in force when the event was dispatched, whether
	// this block set it, one before it, or the option [LastEventID]. It is nil
	// while nothing has set one, and empty but not nil after the stream has set it
	// to the empty string.
	ID []byte
}
