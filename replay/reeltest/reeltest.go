// Package reeltest gives Go tests clients that are answered from a reel, and that record
// it the first time.
//
//	func TestTranscode(t *testing.T) {
//		client := reeltest.Client(t, "testdata/transcode.reel")
//		…
//	}
//
// The environment variable SSEREEL_MODE sets another mode than once, for all reels: see
// [replay.Mode]. Record them anew, or have a build fail where one is missing:
//
//	SSEREEL_MODE=record go test ./...
//	SSEREEL_MODE=replay go test ./...
//
// In mode auto a request that no reel holds goes to the network, and into the reel, also one
// that should not have been made.
package reeltest

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/ssereel/ssereel/replay"
)

const modeVariable = "SSEREEL_MODE"

// Client returns a client that is answered from the reel in the named file, as fast as
// it reads, and that records the reel if there is none. A request that the reel does not
// hold is an error, and fails the test, whatever the program makes of that; if a test is about
// such requests, use [replay.OpenReel].
//
// A connection that failed is recorded like any answer: have the test fail of it, so that it
// does not become the reel.
//
// When the test ends, the reel is closed; the test fails if it could not be opened or
// recorded. What a test records that fails, or is skipped, does not become the reel: see
// [replay.Reel.Discard]. The test's log says where it is.
func Client(t testing.TB, name string) *http.Client {
	t.Helper()
	return ClientWith(t, name, replay.ReelOptions{Playback: replay.Playback{Speed: replay.MaxSpeed}})
}

// ClientWith is Client with options. Its speed is that of o.Playback, so the zero options
// play at the recorded pace, which costs no time in a bubble of testing/synctest; for that
// of Client set replay.MaxSpeed.
//
// It is of no use to an *testing.F, for which the test fails.
//
// The test fails of a fault in o.Playback that never happened, though an event stream was
// replayed: else it would pass without having tested what it is about.
func ClientWith(t testing.TB, name string, o replay.ReelOptions) *http.Client {
	t.Helper()
	if _, ok := t.(*testing.F); ok {
		t.Fatal("open the client in the fuzz target, with the t of that: in it, nothing can be said to f")
	}
	faults := watchFaults(&o.Playback)
	mode := os.Getenv(modeVariable)
	reel, err := replay.OpenReel(name, replay.Mode(mode), o)
	if err != nil {
		if mode != "" {
			err = fmt.Errorf("%w (%s=%s)", err, modeVariable, mode)
		}
		t.Fatal(err)
	}
	strict := &strictReel{Reel: reel, t: t, told: make(map[string]bool)}
	t.Cleanup(func() {
		t.Helper()
		strict.end()
		if !t.Failed() && !t.Skipped() {
			for _, fault := range faults.missing() {
				t.Errorf("the fault %s never happened: no event stream that was replayed from %s came to its place", fault, name)
			}
		}
		if !t.Failed() && !t.Skipped() {
			if err := reel.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		recorded, err := reel.Discard()
		if err != nil {
			t.Log(err)
		}
		if recorded != "" {
			t.Logf("the test has not passed, so what it recorded is not in %s but in %s, until it is recorded again", name, recorded)
		}
	})
	return &http.Client{Transport: strict}
}
