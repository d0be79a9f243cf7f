package replay

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Moments are those of the monotonic clock: a step of the wall clock is not in a reel, whether
// it is begun or gone on with.
func TestRecorderClock(t *testing.T) {
	begun, err := NewRecorder(new(bytes.Buffer), nil)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "my.reel")
	if err := os.WriteFile(name, []byte(firstLine+"\n> 1 +5 GET /a\n< 1 +0 200\n. 1 +0 eof\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reel, err := OpenReel(name, ModeAuto, ReelOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer reel.Close()
	resumed := reel.record()
	if resumed == nil {
		t.Fatal(reel.Err())
	}
	for name, r := range map[string]*Recorder{"begun": begun, "gone on with": resumed} {
		if text := r.start.String(); !strings.Contains(text, " m=") {
			t.Errorf("%s: it starts at %s, by the wall clock", name, text)
		}
	}
	if now := resumed.now(); now < 5*time.Second || now > time.Minute {
		t.Errorf("it goes on at %v, want 5s", now)
	}
}
