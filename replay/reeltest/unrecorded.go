package reeltest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/ssereel/ssereel/replay"
)

// strictReel is a reel that fails its test of a request that it does not hold. To the program
// that is a network that fails, and what a program makes of that, which may be to try again and
// again, says nothing of the reason.
type strictReel struct {
	*replay.Reel

	mu    sync.Mutex
	t     testing.TB      // nil when it has ended
	told  map[string]bool // what it has been told
	asked bool
}

func (r *strictReel) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.asked = true
	r.mu.Unlock()
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
	r.t.Errorf("%s\n%s", why, howToSet(r.t, replay.ModeAuto))
}

// end lets go of the test, and returns whether it has asked for anything.
func (r *strictReel) end() (asked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t = nil
	return r.asked
}

// howToSet says how to run the test in a mode.
func howToSet(t testing.TB, mode replay.Mode) string {
	name, _, _ := strings.Cut(t.Name(), "/")
	flag := "-run"
	if _, ok := t.(*testing.B); ok {
		flag = "-run NONE -bench"
	}
	return fmt.Sprintf("set the mode in the environment: %s=%s go test %s %s", modeVariable, mode, flag, name)
}
