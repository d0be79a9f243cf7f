package ssewire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrUnwritable is wrapped by the error of an event that the wire format cannot
// carry: its ID has a line break or a NUL, or its type has a line break. If it were
// written all the same, a line break would end the field, and the rest would be read
// as other fields.
var ErrUnwritable = errors.New("ssewire: the wire format cannot carry this")

// AppendEvent appends ev to dst as one block, blank line included, and returns the
// extended slice. It does not keep ev.
//
// Data is split into one data field per line, at every LF, CR and CRLF; a reader
// joins them with LF. Nil Data makes a block that dispatches nothing, for example
// to set only the last event ID. But where there is a type, nil Data is written as
// empty Data, because a type alone would not be dispatched. An empty Type is no
// type. A nil ID leaves the last event ID as it is; an empty one that is not nil
// resets it. The zero Event is a blank line.
//
// Where ev cannot be written, AppendEvent returns dst as it was and an error that
// wraps [ErrUnwritable].
func AppendEvent(dst []byte, ev Event) ([]byte, error) {
	if i := bytes.IndexAny(ev.Type, "\n\r"); i >= 0 {
		return dst, fmt.Errorf("%w: type %q has a line break at byte %d", ErrUnwritable, ev.Type, i)
	}
	if i := bytes.IndexAny(ev.ID, "\n\r\x00"); i >= 0 {
		return dst, fmt.Errorf("%w: id %q has a line break or NUL at byte %d", ErrUnwritable, ev.ID, i)
	}
	if ev.ID != nil {
		dst = appendField(dst, "id", ev.ID)
	}
	if len(ev.Type) > 0 {
		dst = appendField(dst, "event", ev.Type)
	}
	if ev.Data != nil || len(ev.Type) > 0 {
		dst = appendLines(dst, "data", ev.Data)
	}
	return append(dst, '\n'), nil
}

// AppendComment appends text to dst as a comment, which readers ignore. Each line of
// text becomes a line of the comment; an empty text is one line, and a line break at
// the end of text begins another. There is no blank line after it, so a comment may
// stand within a block. Servers send comments to keep an idle connection open.
func AppendComment(dst, text []byte) []byte { return appendLines(dst, "", text) }

// AppendReconnectionTime appends a retry field and a blank line to dst: how long
// a client is to wait before it reconnects. The wire format has whole milliseconds:
// d is rounded down, and a negative d is 0.
func AppendReconnectionTime(dst []byte, d time.Duration) []byte {
	dst = append(dst, "retry: "...)
	dst = strconv.AppendInt(dst, max(d, 0).Milliseconds(), 10)
	return append(dst, "\n\n"...)
}

func appendField(dst []byte, name string, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':')
	if len(value) > 0 {
		dst = append(dst, ' ')
		dst = append(dst, value...)
	}
	return append(dst, '\n')
}

// appendLines appends a field for each line of text.
func appendLines(dst []byte, name string, text []byte) []byte {
	for {
		n := bytes.IndexAny(text, "\n\r")
		if n < 0 {
			return appendField(dst, name, text)
		}
		dst = appendField(dst, name, text[:n])
		if text[n] == '\r' && n+1 < len(text) && text[n+1] == '\n' {
			n++
		}
		text = text[n+1:]
	}
}
