package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// judgement is what verify --json prints.
type judgement struct {
	File      string
	Verdict   string
	Line      int
	Offset    int64
	Reason    string
	Sealed    bool
	Exchanges int
	Reads     int
	Bytes     int64
	Seconds   float64
}

// judge runs verify --json.
func judge(t *testing.T, name string) (judgement, int) {
	t.Helper()
	o := ssereel(t, "verify", "--json", name)
	if o.stderr != "" {
		t.Fatalf("stderr: %s", o.stderr)
	}
	var j judgement
	if err := json.Unmarshal([]byte(o.stdout), &j); err != nil || strings.Count(o.stdout, "\n") != 1 {
		t.Fatalf("not one line of JSON: %q: %v", o.stdout, err)
	}
	return j, o.status
}

func TestVerifyWhole(t *testing.T) {
	name := write(t, assembly(t))
	o := ssereel(t, "verify", name)
	o.wantDone(t)
	if !strings.HasPrefix(o.stdout, name+": whole") || strings.Count(o.stdout, "\n") != 1 ||
		!strings.Contains(o.stdout, "14 reads") || !strings.Contains(o.stdout, "6531 bytes") || !strings.Contains(o.stdout, "1 exchange,") {
		t.Errorf("verify says %q", o.stdout)
	}
	j, status := judge(t, name)
	if status != 0 || j != (judgement{File: name, Verdict: "whole", Exchanges: 1, Reads: 14, Bytes: 6531, Seconds: j.Seconds, Sealed: j.Sealed}) {
		t.Errorf("verify --json says %+v, status %d", j, status)
	}
	if j.Seconds < 12.3 || j.Seconds > 12.5 {
		t.Errorf("it took %v seconds, want 12.4", j.Seconds)
	}
}

// A file's name may have in it what a terminal takes for a command.
func TestVerifyOddName(t *testing.T) {
	name := filepath.Join(t.TempDir(), "e\x1b[31m.reel")
	if err := os.WriteFile(name, []byte(assembly(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := ssereel(t, "verify", name); o.status != 0 || !strings.Contains(o.stdout, "e\ufffd[31m.reel: whole") {
		t.Errorf("%+v", o)
	}
}

// Of several recordings each has its line, and one that is not whole is enough to fail.
func TestVerifySeveral(t *testing.T) {
	whole, cut, text := write(t, assembly(t)), write(t, assembly(t)[:3000]), write(t, "Dear diary,\n")
	missing := filepath.Join(t.TempDir(), "missing.reel")
	for _, tt := range []struct {
		names    []string
		verdicts []string
		told     int // lines on standard error
		status   int
	}{
		{[]string{whole, whole}, []string{"whole", "whole"}, 0, 0},
		{[]string{cut, whole}, []string{"truncated", "whole"}, 0, 1},
		{[]string{text}, []string{"unreadable"}, 1, 1},
		{[]string{missing, whole, text, cut}, []string{"unreadable", "whole", "unreadable", "truncated"}, 2, 1},
	} {
		o := ssereel(t, append([]string{"verify", "--json"}, tt.names...)...)
		var got []string
		for line := range strings.Lines(o.stdout) {
			var j judgement
			if err := json.Unmarshal([]byte(line), &j); err != nil || j.File != tt.names[len(got)] || (j.Reason == "") != (j.Verdict == "whole") {
				t.Errorf("%q, %v", line, err)
			}
			got = append(got, j.Verdict)
		}
		if !slices.Equal(got, tt.verdicts) || strings.Count(o.stderr, "\n") != tt.told || o.status != tt.status {
			t.Errorf("verdicts %q, status %d, and it says %q; want %q, %d", got, o.status, o.stderr, tt.verdicts, tt.status)
		}
		o = ssereel(t, append([]string{"verify"}, tt.names...)...)
		if lines := strings.Count(o.stdout, "\n"); lines != len(tt.names)-tt.told || strings.Count(o.stderr, "\n") != tt.told || o.status != tt.status {
			t.Errorf("for people: status %d, %q and %q", o.status, o.stdout, o.stderr)
		}
	}
}

func TestVerifySealed(t *testing.T) {
	sealed := reelOf(t, "data: a\n\n", "data: b\n\n")
	o := ssereel(t, "verify", write(t, sealed))
	o.wantDone(t)
	if !strings.Contains(o.stdout, "whole") || !strings.Contains(o.stdout, "sealed") {
		t.Errorf("verify says %q", o.stdout)
	}
	if j, status := judge(t, write(t, sealed)); status != 0 || !j.Sealed {
		t.Errorf("verify --json says %+v, status %d", j, status)
	}
	// By hand there is no seal, and nothing wrong with that.
	byHand := "reel 1\n> 1 +0 GET /stream\n< 1 +0 200\n= 1 +0\n|data: a\n|\n. 1 +0 eof\n"
	o = ssereel(t, "verify", write(t, byHand))
	o.wantDone(t)
	if !strings.Contains(o.stdout, "whole") || strings.Contains(o.stdout, "sealed") {
		t.Errorf("verify says %q", o.stdout)
	}
}

// record is what a writer writes at once: a line, or a read with its body.
type record struct {
	start, end int
	reads      int // up to its end
	bytes      int
	open       bool // whether an exchange is open behind it
}

// records returns the records of a reel with one exchange and without comments.
func records(t *testing.T, reel string) []record {
	t.Helper()
	var out []record
	at, reads, size, open := 0, 0, 0, false
	for line := range strings.Lines(reel) {
		end := at + len(line)
		switch line[0] {
		case '|', '\\', '~', '%':
			last := &out[len(out)-1]
			last.end = end
			at = end
			continue
		case '=':
			var n int
			if _, err := fmt.Sscanf(line[strings.LastIndexByte(line, ' '):], "%d", &n); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			reads++
			size += n
		case '>':
			open = true
		case '.':
			open = false
		}
		out = append(out, record{at, end, reads, size, open})
		at = end
	}
	return out
}

// A reel that is cut off at any byte is good up to its last whole record, verify says
// where that is, and events prints what it holds.
func TestVerifyTruncated(t *testing.T) {
	reel := reelOf(t, "id: 1\n\n", "data: {\"a\":", "1}\n\n", "data: \x00\xff\n\n", "\r\n\r\n\r\n\r\n", strings.Repeat("\xfe", 100), "\n\ndata: b\n\n")
	body := strings.Join(pieces(t, only(t, write(t, reel))), "")
	all := records(t, reel)
	name := filepath.Join(t.TempDir(), "my.reel")
	for n := all[0].end; n < len(reel); n++ {
		if err := os.WriteFile(name, []byte(reel[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		good := all[0]
		for _, r := range all {
			if r.end <= n {
				good = r
			}
		}
		j, status := judge(t, name)
		want := judgement{File: name, Verdict: "truncated", Line: 1 + strings.Count(reel[:good.end], "\n"), Offset: int64(good.end),
			Reason: j.Reason, Exchanges: j.Exchanges, Reads: good.reads, Bytes: int64(good.bytes), Seconds: j.Seconds}
		if good.end == n && !good.open {
			want.Verdict, want.Line, want.Offset, want.Reason = "whole", 0, 0, ""
		}
		if j != want || (status == 0) != (want.Verdict == "whole") || (j.Reason == "") != (want.Verdict == "whole") {
			t.Errorf("cut at byte %d, behind %q:\n got %+v, status %d\nwant %+v", n, reel[max(0, n-20):n], j, status, want)
		}

		o := ssereel(t, "verify", name)
		pattern := `^` + regexp.QuoteMeta(name) + `: ` + want.Verdict + `\b.*\n$`
		if want.Verdict == "truncated" {
			pattern = fmt.Sprintf(`^%s: truncated: good up to .*\bline %d\b.*\bbyte %d\b.*\n$`, regexp.QuoteMeta(name), want.Line, want.Offset)
		}
		if !regexp.MustCompile(pattern).MatchString(o.stdout) || o.stderr != "" || o.status != status {
			t.Errorf("cut at byte %d: %+v, want %s", n, o, pattern)
		}

		o = ssereel(t, "events", name)
		o.wantEvents(t, replaced(rawEvents(t, body[:good.bytes])))
		if want.Verdict == "truncated" && !strings.Contains(o.stderr, "truncated") {
			t.Errorf("cut at byte %d: events does not say so: %q", n, o.stderr)
		}
		if t.Failed() {
			break
		}
	}
}

func replaced(events []event) []event {
	for i, ev := range events {
		events[i] = event{string(decodeUTF8(nil, []byte(ev.Type))), string(decodeUTF8(nil, []byte(ev.ID))), string(decodeUTF8(nil, []byte(ev.Data)))}
	}
	return events
}

// What a killed program leaves may be less than a first line.
func TestVerifyAlmostNothing(t *testing.T) {
	for n := range len("reel 1\n") {
		o := ssereel(t, "verify", write(t, "reel 1\n"[:n]))
		if out := o.stdout + o.stderr; o.status != 1 || strings.Count(out, "\n") != 1 {
			t.Errorf("%q: status %d, says %q", "reel 1\n"[:n], o.status, out)
		}
	}
}

// No changed byte goes unnoticed in a sealed reel.
func TestVerifyChanged(t *testing.T) {
	reel := reelOf(t, "id: 1\n\n", "data: {\"a\":", "1}\n\n", "data: \x00\xff\n\n", strings.Repeat("\xfe", 100))
	name := filepath.Join(t.TempDir(), "my.reel")
	for i := range len(reel) {
		changed := []byte(reel)
		changed[i] ^= 1
		if err := os.WriteFile(name, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		o := ssereel(t, "verify", name)
		if out := o.stdout + o.stderr; o.status != 1 || strings.Count(out, "\n") != 1 {
			t.Errorf("byte %d, %q for %q: status %d, says %q", i, changed[i], reel[i], o.status, out)
		}
	}
}

func TestVerifyDamaged(t *testing.T) {
	reel := reelOf(t, "data: a\n\n", "data: b\n\n", "data: c\n\n")
	line := func(start string) int { return 1 + strings.Count(reel[:strings.Index(reel, start)], "\n") }
	tests := []struct {
		name     string
		old, new string
		line     int
		reads    int // that are still there
	}{
		{"a line of no kind", "= 1 +0.001 9\n|data: b", "+ 1\n= 1 +0.001 9\n|data: b", line("|data: b") - 1, 1},
		{"a read with less than it says", "|data: b\n", "|data\n", 0, 1},
		{"a read with more than it says", "|data: b\n|\n", "|data: b\n|\n|more\n", 0, 1},
		{"a time without a sign", "= 1 +0.001 9\n|data: b", "= 1 0.001 9\n|data: b", line("|data: b") - 1, 1},
		{"an exchange that never began", "= 1 +0.001 9\n|data: b", "= 2 +0.001 9\n|data: b", line("|data: b") - 1, 1},
		{"another letter", "|data: b", "|data: x", 0, 3},
		{"a line more", "> 1 accept", "> 1 a: b\n> 1 accept", 0, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := strings.Replace(reel, tt.old, tt.new, 1)
			if changed == reel {
				t.Fatalf("no %q in\n%s", tt.old, reel)
			}
			name := write(t, changed)
			j, status := judge(t, name)
			if status != 1 || j.Verdict != "damaged" || j.Line == 0 || j.Reason == "" || j.Sealed {
				t.Errorf("verify says %+v, status %d", j, status)
			}
			if tt.line != 0 && j.Line != tt.line {
				t.Errorf("line %d, want %d", j.Line, tt.line)
			}
			if j.Line > 0 && int(j.Offset) != len(strings.Join(strings.SplitAfter(changed, "\n")[:j.Line-1], "")) {
				t.Errorf("line %d does not begin at byte %d", j.Line, j.Offset)
			}
			if j.Reads != tt.reads {
				t.Errorf("%d reads are left, want %d", j.Reads, tt.reads)
			}
			o := ssereel(t, "verify", name)
			if want := fmt.Sprintf("%s: damaged at line %d (byte %d): ", name, j.Line, j.Offset); !strings.HasPrefix(o.stdout, want) || o.stderr != "" || o.status != 1 {
				t.Errorf("verify says %+v, want %q", o, want)
			}
		})
	}
}
