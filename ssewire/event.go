// Package ssewire turns event streams into events and events into event
// streams: the wire format of Server-Sent Events, as the WHATWG HTML standard
// defines it in the section "Server-sent events". Where the standard leaves
// something open, the package mostly does as Chromium's EventSource.
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
// a [Parser]. A program that wants to reconnect as EventSource does uses a [Client].
// Servers write with a [Writer], or with [AppendEvent] into memory of their own.
//
// Reading allocates nothing per event, and lines may have any length up to a limit
// that the caller chooses. The package imports only the standard library.
package ssewire

// Event is one event of a stream.
//
// An Event that a [Reader], [Parser] or [Stream] hands out is a view: its bytes
// belong to the reader, and the next call of Next overwrites them. Copy what must
// live longer, for example with bytes.Clone or string(ev.Data).
type Event struct {
	// Type is the value of the block's last event field. It is empty where there is
	// none, or an empty one; EventSource then dispatches the event as "message".
	Type []byte

	// Data is the values of the data fields, joined with LF. It is never nil in an
	// event that was read. The bytes are those of the stream: invalid UTF-8 is not
	// replaced, as a browser would do.
	Data []byte

	// ID is the last event ID in force when the event was dispatched, whether it was
	// set by this block, an earlier one, or the option [LastEventID]. It is nil
	// while nothing has set one, and empty but not nil after the stream has set it
	// to the empty string.
	ID []byte
}
