package replay_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/status"
)

// A silence longer than MaxIdle is played as if it had lasted so long: that in front of
// the header, those between reads, and that in front of the end.
func TestMaxIdle(t *testing.T) {
	const text = version + `> 1 +7 GET /s
< 1 +2 200
< 1 content-type: text/event-stream
= 1 +1
|data: a
= 1 +0
|data: b
= 1 +10
|data: c
= 1 +0.5
|data: d
. 1 +4 eof
`
	const ms = time.Millisecond
	for _, c := range []struct {
		name   string
		p      replay.Playback
		header time.Duration
		reads  [4]time.Duration
		ended  time.Duration
	}{
		{"as recorded", replay.Playback{}, 2000 * ms, [4]time.Duration{3000 * ms, 3000 * ms, 13000 * ms, 13500 * ms}, 17500 * ms},
		{"below zero", replay.Playback{MaxIdle: -1}, 2000 * ms, [4]time.Duration{3000 * ms, 3000 * ms, 13000 * ms, 13500 * ms}, 17500 * ms},
		{"longer than any", replay.Playback{MaxIdle: time.Minute}, 2000 * ms, [4]time.Duration{3000 * ms, 3000 * ms, 13000 * ms, 13500 * ms}, 17500 * ms},
		{"three seconds", replay.Playback{MaxIdle: 3 * time.Second}, 2000 * ms, [4]time.Duration{3000 * ms, 3000 * ms, 6000 * ms, 6500 * ms}, 9500 * ms},
		{"a second", replay.Playback{MaxIdle: time.Second}, 1000 * ms, [4]time.Duration{2000 * ms, 2000 * ms, 3000 * ms, 3500 * ms}, 4500 * ms},
		{"a second, twice as fast", replay.Playback{MaxIdle: time.Second, Speed: 2}, 500 * ms, [4]time.Duration{1000 * ms, 1000 * ms, 1500 * ms, 1750 * ms}, 2250 * ms},
		{"without any wait", replay.Playback{MaxIdle: time.Second, Speed: replay.MaxSpeed}, 0, [4]time.Duration{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			throughDoors(t, text, c.p, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				for range 2 {
					began := time.Now()
					res, err := door.RoundTrip(newRequest(t, "GET", "/s"))
					if err != nil {
						t.Fatal(err)
					}
					if at := time.Since(began); at != c.header {
						t.Errorf("the header comes at %v, want %v", at, c.header)
					}
					got, err := reads(res.Body, began)
					if ended := time.Since(began); err != nil || ended != c.ended {
						t.Errorf("it ends at %v with %v, want %v", ended, err, c.ended)
					}
					var at []time.Duration
					for _, p := range got {
						at = append(at, p.At)
					}
					if !slices.Equal(at, c.reads[:]) {
						t.Errorf("reads come at %v, want %v", at, c.reads)
					}
				}
			})
		})
	}
}

// The Status keeps to the time that is left, be the stream listened to or given up.
func TestMaxIdleStatus(t *testing.T) {
	for _, speed := range []float64{1, 2} {
		for _, listens := range []bool{true, false} {
			t.Run(fmt.Sprintf("speed %v, listening %v", speed, listens), func(t *testing.T) {
				throughDoors(t, story, replay.Playback{MaxIdle: time.Second, Speed: speed}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
					began := time.Now()
					if listens {
						attend(t, door, storyWS)
					} else {
						take(t, door, storyWS, "", 0)
					}
					for i, want := range []struct {
						exchange int // 0 where no poll tells
						state    status.State
						results  int
					}{
						{0, status.AssemblyExecuting, 0},
						{0, status.AssemblyExecuting, 1},
						{5, status.AssemblyExecuting, 1},
						{0, status.AssemblyExecuting, 2},
						{6, status.AssemblyCompleted, 2},
					} {
						at := time.Duration((float64(i) + 1.5) / speed * float64(time.Second))
						time.Sleep(time.Until(began.Add(at)))
						got := ask(t, door, "GET", storyPath)
						a := got.assembly(t, storyID)
						if a.State != want.state || len(a.Result("thumbed")) != want.results || want.exchange > 0 && got.body != recorded(t, rec, want.exchange) {
							t.Errorf("at %v it is\n%s, want %s with %d results", at, got.body, want.state, want.results)
						}
					}
				})
			})
		}
	}
}
