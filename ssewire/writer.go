package ssewire

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// Writer writes a stream. Each event takes one Write and a flush, so that no event
// waits for the next. It allocates nothing per event.
//
// A Writer must not be used from several goroutines at once.
type Writer struct {
	w     io.Writer
	flush func() error
	buf   []byte
}

// NewWriter returns a Writer to w. If w is an http.ResponseWriter, it sets the
// headers Content-Type to text/event-stream and Cache-Control to no-store, unless
// they are set, and flushes the response after each event. Any other w is flushed
// if it has a method Flush, with or without an error.
func NewWriter(w io.Writer) *Writer {
	sw := &Writer{w: w, flush: func() error { return nil }}
	switch f := w.(type) {
	case http.ResponseWriter:
		setDefault(f.Header(), "Content-Type", contentType)
		setDefault(f.Header(), "Cache-Control", "no-store")
		sw.flush = http.NewResponseController(f).Flush
	case interface{ Flush() error }:
		sw.flush = f.Flush
	case interface{ Flush() }:
		sw.flush = func() error { f.Flush(); return nil }
	}
	return sw
}

const contentType = "text/event-stream"

func setDefault(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

// WriteEvent writes ev as [AppendEvent] does. An error that wraps [ErrUnwritable]
// is about this event, of which nothing was written. Any other error is about the
// stream: the client has gone, perhaps after half an event, or w cannot flush what
// was written (http.ErrNotSupported).
func (w *Writer) WriteEvent(ev Event) error {
	var err error
	w.buf, err = AppendEvent(w.buf[:0], ev)
	if err != nil {
		return err
	}
	return w.write()
}

// WriteComment writes text as [AppendComment] does.
func (w *Writer) WriteComment(text []byte) error {
	w.buf = AppendComment(w.buf[:0], text)
	return w.write()
}

// WriteReconnectionTime writes d as [AppendReconnectionTime] does.
func (w *Writer) WriteReconnectionTime(d time.Duration) error {
	w.buf = AppendReconnectionTime(w.buf[:0], d)
	return w.write()
}

func (w *Writer) write() error {
	if _, err := w.w.Write(w.buf); err != nil {
		return fmt.Errorf("ssewire: write: %w", err)
	}
	if err := w.flush(); err != nil {
		return fmt.Errorf("ssewire: flush: %w", err)
	}
	return nil
}
