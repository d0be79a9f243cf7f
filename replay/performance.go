package replay

import (
	"net/http"
	"time"
)

// performance is a response on its way to one client: what a recorded exchange has
// become by the pace of the playback, a resumption, and faults. Its moments are
// durations since the request, as they are going to be: the speed is in them.
type performance struct {
	status int           // 0 where no response comes
	header http.Header   // of its own
	at     time.Duration // the header's moment

	// skipped is what of the recorded body comes before this one, because the
	// client has it: whole events of an event stream.
	skippedBytes  int64
	skippedEvents int

	// next returns the next piece of the body, whose Data is valid until the call
	// after it, and io.EOF behind the last. Any other error breaks the response.
	next func() (Read, error)

	// How it ends. These are settled when next has returned io.EOF.
	end     End
	ended   time.Duration
	trailer http.Header
}
