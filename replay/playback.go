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

	// MaxIdle is how long a silence of the recording may last: a longer one is played
	// as if it had lasted so long. 0 leaves them as they were. Speed comes on top.
	MaxIdle time.Duration

	// Faults are what goes wrong with event streams, in this order, and Seed is what those
	// of them are drawn from that do not say where.
	Faults []Fault
	Seed   uint64

	// KeepURLs leaves the URLs in what a Handler plays as they were recorded. Else
	// those of the recorded service lead to the Handler's own server, and what may be the
	// beginning of one at the end of a read comes with the next read, or at the end: no more
	// than the scheme and host that it may be of.
	KeepURLs bool

	// OnServe, if set, is told of each request that is answered from the
	// recording, before it is; x is nil where the answer is none that was recorded, but
	// made of what was. It may be called by several goroutines at once.
	OnServe func(req *http.Request, x *Exchange)

	// OnFault, if set, is told of each fault that happens in the answer to a request,
	// when it does: of silence when it begins, of other things in front of the first byte,
	// or the end, that is not as it was. The fault has the place that was drawn for it,
	// if it was to be drawn. A fault that finds no such place never happens. OnFault may be
	// called by several goroutines at once.
	OnFault func(req *http.Request, x *Exchange, fault Fault)
}
