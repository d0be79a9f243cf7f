package replay

import (
	"bytes"
	"io"
	"testing"
	"time"
)

// A Writer keeps its buffer from one record to the next, but not that of a huge one for as
// long as the recording takes.
func TestWriterLetsGoOfLargeBuffers(t *testing.T) {
	w, err := NewWriter(io.Discard, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := w.Exchange(0, "GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	x.Response(0, 200, nil)
	for _, tt := range []struct {
		size int
		kept bool
	}{{maxText, true}, {8 * maxText, false}, {100, true}} {
		if err := x.ResponseBody(0, bytes.Repeat([]byte("x"), tt.size)); err != nil {
			t.Fatal(err)
		}
		if room := cap(w.buf); room > 4*maxText || (room > 0) != tt.kept {
			t.Errorf("behind a read of %d bytes, a buffer of %d is kept", tt.size, room)
		}
	}
}
