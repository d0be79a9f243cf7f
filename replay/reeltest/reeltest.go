// Package reeltest gives Go tests clients that are answered from a reel, and that record
// it the first time.
//
//	func TestTranscode(t *testing.T) {
//		client := reeltest.Client(t, "testdata/transcode.reel")
//		…
//	}
//
// One reel per test: what a second test records would take the place of what the first has
// recorded, so the second one fails. Subtests that share a reel share the client of their parent.
//
// The environment variable SSEREEL_MODE sets another mode than once, for all reels: see
// [replay.Mode]. Record one anew, or all of them, or have a build fail where one is missing:
//
//	SSEREEL_MODE=record go test -run TestTranscode
//	SSEREEL_MODE=record go test ./...
//	SSEREEL_MODE=replay go test ./...
//
// In mode auto a request that no reel holds goes to the network, and into the reel, also one
// that should not have been made.
//
// A stream can go wrong as it is played. This one breaks before its seventh event:
//
//	client := reeltest.ClientWith(t, "testdata/transcode.reel", replay.ReelOptions{
//		Playback: replay.Playback{
//			Speed:  replay.MaxSpeed,
//			Faults: []replay.Fault{replay.Cut{At: replay.AtEvent(7)}},
//		},
//	})
//
// Commit the reels. Git must not convert their line ends, so put this into .gitattributes:
//
//	*.reel -text
//
// A test that fails leaves what it has recorded beside the reel, in a file whose name ends in
// .reel.part, until the next recording. Put it in .gitignore:
//
//	*.reel.part
package reeltest

import (
	"errors"
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
// A connection that failed is recorded like any answer, and fails again at every replay. Call
// t.Fatal on its error, so that it does not become the reel.
//
// When the test ends, the reel is closed; the test fails if it could not be opened or
// recorded. What a test records that fails, or is skipped, does not become the reel: it is
// left in a file of that name with .part after it. The test's log says so.
func Client(t testing.TB, name string) *http.Client {
	t.Helper()
	return ClientWith(t, name, replay.ReelOptions{Playback: replay.Playback{Speed: replay.MaxSpeed}})
}

// ClientWith is Client with options. Its speed is that of o.Playback, so the zero options
// play at the recorded pace, which costs no time in a bubble of testing/synctest; for that
// of Client set replay.MaxSpeed.
//
// In a fuzz test, call it in the fuzz target, with the target's t: an *testing.F fails.
//
// A fault in o.Playback that never happened fails the test if an event stream was replayed:
// otherwise the test would pass without testing what it is about.
func ClientWith(t testing.TB, name string, o replay.ReelOptions) *http.Client {
	t.Helper()
	if _, ok := t.(*testing.F); ok {
		t.Fatal("open the client in the fuzz target, with the t of that: in it, nothing can be said to f")
	}
	faults := watchFaults(&o.Playback)
	mode := os.Getenv(modeVariable)
	ended, err := useReel(t, name, replay.Mode(mode))
	if err != nil {
		t.Fatal(err)
	}
	reel, err := replay.OpenReel(name, replay.Mode(mode), o)
	if err != nil {
		ended(false)
		switch {
		case mode != "":
			err = fmt.Errorf("%w (%s=%s)", err, modeVariable, mode)
		case errors.Is(err, replay.ErrTruncated), errors.Is(err, replay.ErrDamaged):
			err = fmt.Errorf("%w\n%s", err, howToSet(t, replay.ModeRecord))
		}
		t.Fatal(err)
	}
	strict := &strictReel{Reel: reel, t: t, told: make(map[string]bool)}
	t.Cleanup(func() {
		t.Helper()
		asked := strict.end()
		if !t.Failed() && !t.Skipped() {
			for _, fault := range faults.missing() {
				t.Errorf("the fault %s never happened: no event stream that was replayed from %s came to its place", fault, name)
			}
		}
		passed, recorded := !t.Failed() && !t.Skipped(), ""
		if passed {
			err = reel.Close()
		} else {
			recorded, err = reel.Discard()
		}
		if shared := ended(asked); shared && err != nil {
			err = fmt.Errorf("%s: another test has recorded to it at the same time, and something is lost: %s", name, oneReel)
		}
		switch {
		case err == nil:
		case passed:
			t.Error(err)
		default:
			t.Log(err)
		}
		if recorded != "" {
			t.Logf("the test has not passed, so what it recorded is not in %s but in %s, until it is recorded again", name, recorded)
		}
	})
	return &http.Client{Transport: strict}
}
