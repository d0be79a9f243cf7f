package reeltest

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/ssereel/ssereel/replay"
)

// strictReel is a reel that fails its test of a request that it does not hold. To the program
// that is a network that fails, and what a program makes of that, which may be to try again and
// again, says nothing of the reason.
type strictReel struct {
	*replay.Reel

	mu   sync.Mutex
	t    testing.TB      // nil when it has ended
	told map[string]bool // what it has been told
}

func (r *strictReel) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.Reel.RoundTrip(req)
	if errors.Is(err, replay.ErrNotRecorded) {
		r.fail(err.Error())
	}
	return resp, err
}

func (r *strictReel) fail(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.t == nil || r.told[why] {
		return
	}
	r.told[why] = true
	r.t.Error(why)
}

// end lets go of the test.
func (r *strictReel) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t = nil
}
