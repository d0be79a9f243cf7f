// Package reeltest gives Go tests clients that are answered from a reel, and that record
// it the first time.
//
//	func TestTranscode(t *testing.T) {
//		client := reeltest.Client(t, "testdata/transcode.reel")
//		…
//	}
//
// The environment variable SSEREEL_MODE sets another mode than once, for all reels: see
// [replay.Mode]. To record them anew:
//
//	SSEREEL_MODE=record go test ./...
package reeltest

import (
	"net/http"
	"os"
	"testing"

	"github.com/ssereel/ssereel/replay"
)

// ModeVariable is the environment variable that sets the mode.
const ModeVariable = "SSEREEL_MODE"

// Client returns a client that is answered from the reel in the named file, as fast as
// it reads, and that records the reel if there is none. A request that the reel does not
// hold is an error. When the test ends, the reel is closed; the test fails if it could
// not be opened or recorded.
func Client(t testing.TB, name string) *http.Client {
	t.Helper()
	return ClientWith(t, name, replay.ReelOptions{Playback: replay.Playback{Speed: replay.MaxSpeed}})
}

// ClientWith is Client with options, such as the recorded pace, which costs no time in a
// bubble of testing/synctest: the zero Playback.
func ClientWith(t testing.TB, name string, o replay.ReelOptions) *http.Client {
	t.Helper()
	reel, err := replay.OpenReel(name, replay.Mode(os.Getenv(ModeVariable)), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reel.Close(); err != nil {
			t.Error(err)
		}
	})
	return &http.Client{Transport: reel}
}
