package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ssereel/ssereel/ssewire"
)

// undisturbed runs a demo again, but not for ever, while it says that the machine was too
// busy: a few milliseconds between two pieces are all that keeps them apart.
func undisturbed(demo func() outcome) outcome {
	o := demo()
	for i := 0; i < 20 && o.status == 1 && strings.Contains(o.stderr, "too busy to keep the pieces apart"); i++ {
		o = demo()
	}
	return o
}

func TestDemo(t *testing.T) {
	want := []string{
		"55a46ab12179453a8a20921a058b7546", // the block with only an id
		"assembly_uploading_finished",
		"assembly_upload_meta_data_extracted",
		"assembly_execution_progress",
		"assembly_execution_progress",
		"assembly_execution_progress",
		"result.jpeg",
		"result-3.jpeg",
		"assembly_execution_progress",
		"result-2.jpeg",
		"assembly_execution_progress",
		"assembly_execution_progress",
		"assembly_finished",
	}
	// The timeline comes while it happens.
	o := undisturbed(func() outcome {
		r := begin(t, nil, "demo")
		var first, last time.Time
		for i, part := range want {
			line := r.line()
			for !strings.Contains(line, part) {
				line = r.line()
			}
			switch i {
			case 0:
				first = time.Now()
			case len(want) - 1:
				last = time.Now()
			}
		}
		o := outcome{r.wait(), r.stdout.String(), r.stderr.String()}
		if took := last.Sub(first); took < 500*time.Millisecond && o.status == 0 {
			t.Errorf("the timeline came within %v, want 1.2 s", took)
		}
		return o
	})
	o.wantDone(t)
	if !strings.Contains(o.stdout, "the same, byte for byte and read for read") {
		t.Errorf("no word of the comparison:\n%s", o.stdout)
	}
	wantNarrow(t, o.stdout)
	// The moments are those of the recording, or a little later.
	original := write(t, assembly(t))
	shown := regexp.MustCompile(`(?m)^ *(\d+\.\d\d) s assembly_`).FindAllStringSubmatch(o.stdout, -1)
	last, n := 0.0, 0
	for due := range open(t, original).Events() {
		if n < len(shown) {
			at, _ := strconv.ParseFloat(shown[n][1], 64)
			if at < due.Seconds()-0.01 || at < last {
				t.Errorf("event %d is shown at %g s, and was recorded at %v; the one before is shown at %g s", n+1, at, due, last)
			}
			last = at
		}
		n++
	}
	if len(shown) != n {
		t.Errorf("%d events are shown, want %d:\n%s", len(shown), n, o.stdout)
	}

	// What it says can be done next, can be done.
	next := regexp.MustCompile(`(?m)^ +ssereel (replay|events) (\S+)$`).FindAllStringSubmatch(o.stdout, -1)
	if len(next) != 2 {
		t.Fatalf("it does not say how to go on:\n%s", o.stdout)
	}
	name := next[0][2]
	if !strings.HasPrefix(name, os.TempDir()) {
		t.Errorf("the recording is at %s, want a temporary file", name)
	}
	wantMode(t, name)
	wantWhole(t, name)
	if got, want := pieces(t, only(t, name)), pieces(t, only(t, original)); !slices.Equal(got, want) {
		t.Errorf("reads:\n got %q\nwant %q", got, want)
	}
	if ssereel(t, next[1][1], next[1][2]).stdout != ssereel(t, "events", original).stdout {
		t.Error("the events differ")
	}
	resp := get(t, listening(t, begin(t, nil, "replay", "--speed", "max", name)), accepting)
	if b, err := io.ReadAll(resp.Body); len(b) != 6531 || err != nil {
		t.Errorf("played %d bytes, %v", len(b), err)
	}
	if want := "\n  rm -r " + filepath.Dir(name) + "\n"; !strings.HasSuffix(o.stdout, want) {
		t.Errorf("it does not say how to remove the recording, %q:\n%s", want, o.stdout)
	}
}

// A line of the timeline does not wrap, and what has come so far shows at any width.
func TestTimelineLine(t *testing.T) {
	progress := func(percent int) ssewire.Event {
		return ssewire.Event{Type: []byte("assembly_execution_progress"), Data: fmt.Appendf(nil, `{"progress_combined":%d}`, percent)}
	}
	result := ssewire.Event{Type: []byte("assembly_result_finished"), Data: []byte(`["resized",{"name":"` + strings.Repeat("x", 60) + `.jpg","size":1}]`)}
	for _, tt := range []struct {
		ev    ssewire.Event
		width int
		want  string
	}{
		{progress(100), 0, "   10.42 s assembly_execution_progress  100 % ####################"},
		{progress(100), 80, "   10.42 s assembly_execution_progress  100 % ####################"},
		{progress(100), 60, "   10.42 s assembly_execution_progress  100 % #############"},
		{progress(50), 60, "   10.42 s assembly_execution_progress   50 % ######"},
		{progress(50), 40, "   10.42 s assembly_execution_progress …"},
		{result, 60, "   10.42 s assembly_result_finished     resized: xxxxxxxxxx…"},
	} {
		if got := timelineLine(10.42, tt.ev, tt.width); got != tt.want {
			t.Errorf("at %d columns it is %q, want %q", tt.width, got, tt.want)
		}
	}
}

// wantNarrow fails the test where a line does not fit a terminal of 80 columns.
func wantNarrow(t *testing.T, shown string) {
	t.Helper()
	for line := range strings.Lines(shown) {
		line = strings.ReplaceAll(line, os.TempDir(), "/tmp")
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > helpWidth {
			t.Errorf("a line has %d columns: %s", n, line)
		}
	}
}

func TestDemoOutput(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	o := undisturbed(func() outcome {
		os.Remove(name)
		return ssereel(t, "demo", "--speed", "4", "-o", name)
	})
	o.wantDone(t)
	if !strings.Contains(o.stdout, name) || strings.Contains(o.stdout, "rm -r") {
		t.Errorf("it does not say where the recording is:\n%s", o.stdout)
	}
	wantWhole(t, name)
	ssereel(t, "demo", "--speed", "max", "-o", name).wantLine(t, 1, name, "already exists", "--force")
	ssereel(t, "demo", "--speed", "max", "-o", name, "--force").wantDone(t)
	wantWhole(t, name)
	missing := filepath.Join(t.TempDir(), "missing", "my.reel")
	o = ssereel(t, "demo", "-o", missing)
	o.wantLine(t, 1, missing)
}

// Interrupted in the middle, it says so, and not what broke inside.
func TestDemoStopped(t *testing.T) {
	r := begin(t, nil, "demo", "--speed", "1", "-o", filepath.Join(t.TempDir(), "my.reel"))
	for !strings.Contains(r.line(), "assembly_uploading_finished") {
	}
	r.stop()
	status := r.wait()
	if said := r.stderr.String(); status == 2 || strings.Count(said, "\n") > 1 || strings.Contains(said, "ssewire") {
		t.Errorf("interrupted, it ends with status %d and says %q", status, said)
	}
}
