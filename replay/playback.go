package replay

import (
	"net/http"
	"time"
)

// MaxSpeed is the Speed that plays as fast as the client takes it.
const MaxSpeed = 1e18

// Playback says how a recording is played.
type Playback struct {
	// Speed is how many times faster than recorded; 0, or anything that is not
	// positive, means 1, and [MaxSpeed] without any wait.
	Speed float64

	// MaxIdle is how long a silence of the recording may last: longer ones are
	// shortened to it. 0 leaves them as they were. Speed then applies to what is left.
	MaxIdle time.Duration

	// Faults are what goes wrong with event streams, in this order. Where one of them
	// leaves something open, such as its place, that is drawn from Seed.
	Faults []Fault
	Seed   uint64

	// KeepURLs leaves the URLs in what a Handler plays as they were recorded. Otherwise
	// those of the recorded service lead to the Handler's own server. What may be the
	// beginning of such a URL at the end of a read is then held back until the next read, or
	// the end: never more than a scheme and host.
	KeepURLs bool

	// OnServe, if set, is called for each request that is answered from the
	// recording, before it is; x is nil where the answer was not recorded itself, but
	// made from what was. It may be called by several goroutines at once.
	OnServe func(req *http.Request, x *Exchange)

	// OnFault, if set, is called for each fault in the answer to a request when it
	// happens: a stall when it begins, any other fault just before the first byte, or the
	// end, that it changes. If the place was drawn, the fault has the one that was drawn.
	// A fault whose place the response does not have never happens. OnFault may be called
	// by several goroutines at once.
	OnFault func(req *http.Request, x *Exchange, fault Fault)
}
