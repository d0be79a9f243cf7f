package replay_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// A refusal is one line of text, at both doors.
func TestRefuseEnds(t *testing.T) {
	p := replay.Playback{Faults: []replay.Fault{replay.Refuse{Times: 1}}}
	throughDoors(t, story, p, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		began := time.Now()
		res, err := door.RoundTrip(newRequest(t, "GET", storyWS))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, 100)) // it did not end once
		res.Body.Close()
		if err != nil || res.StatusCode != 503 || string(body) != "503 Service Unavailable\n" {
			t.Errorf("refused with %d %q, %v", res.StatusCode, body, err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the refusal took %v", took)
		}
		if got := ask(t, door, "GET", storyWS); got.status != 200 || got.body != recorded(t, rec, 2) {
			t.Errorf("behind the refusal came %d %q", got.status, clip(got.body))
		}
	})
}
