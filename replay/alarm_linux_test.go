package replay

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAlarm(t *testing.T) {
	var open []*alarm
	defer func() {
		for _, a := range open {
			a.close()
		}
		if n := alarms.Load(); n != 0 {
			t.Errorf("%d alarms are open when all have been closed", n)
		}
	}()
	for range maxAlarms {
		a := newAlarm()
		if a == nil {
			t.Fatalf("no alarm but %d", len(open))
		}
		open = append(open, a)
	}
	none := newAlarm()
	if none != nil {
		t.Errorf("more than %d alarms", maxAlarms)
	}
	none.set(time.Hour)
	none.close()

	a, start := open[0], time.Now()
	a.set(time.Hour)
	a.set(5 * time.Millisecond) // instead
	count := make([]byte, 8)
	if n, err := a.file.Read(count); n != 8 || err != nil || count[0] != 1 {
		t.Errorf("the file of an alarm gives %x, %v", count[:n], err)
	}
	if took := time.Since(start); took < 5*time.Millisecond || took > time.Minute {
		t.Errorf("it went off after %v", took)
	}
}

// TestAlarmOfHandler has a response end at its moments: none has an alarm any more.
func TestAlarmOfHandler(t *testing.T) {
	const reel = "reel 1\n> 1 +0 GET /\n< 1 +0 200\n= 1 +0.002 2\n|a\n. 1 +0.002 eof\n"
	rec, err := Load(strings.NewReader(reel), int64(len(reel)))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	rec.Handler(Playback{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Body.String() != "a\n" {
		t.Errorf("the body is %q", w.Body.String())
	}
	if n := alarms.Load(); n != 0 {
		t.Errorf("%d alarms are open", n)
	}
}
