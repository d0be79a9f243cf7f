package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ssereel/ssereel/replay"
)

const (
	completedStatus = "../../testdata/assembly-completed.json"
	composedSummary = ": 13 events in 3 exchanges, 20228 bytes, 12.3 s\n"
)

// copied makes a file of its own of a payload, and returns its name.
func copied(t *testing.T, from, as string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), as)
	if err := os.WriteFile(name, []byte(read(t, from)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// What compose makes is a recording like any other: verify finds it whole, events prints its
// events, and replay serves them.
func TestCompose(t *testing.T) {
	document := copied(t, completedStatus, "my.json")
	o := ssereel(t, "compose", document)
	o.wantDone(t)
	name := strings.TrimSuffix(document, ".json") + ".reel"
	if o.stdout != name+composedSummary {
		t.Errorf("stdout has %q", o.stdout)
	}
	wantWhole(t, name)
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want a file for its owner only", info.Mode(), err)
	}
	events := ssereel(t, "events", name)
	events.wantDone(t)
	lines := strings.Split(strings.TrimSpace(events.stdout), "\n")
	if len(lines) != 13 || !strings.Contains(lines[12], `"data":"assembly_finished"`) || strings.Count(events.stdout, "assembly_result_finished") != 3 {
		t.Errorf("events:\n%s", events.stdout)
	}

	serving := begin(t, strings.NewReader(""), "replay", "--speed", "max", name)
	base := strings.TrimSpace(strings.TrimPrefix(serving.line(), "listening on "))
	again := filepath.Join(t.TempDir(), "again.reel")
	ssereel(t, "record", "-o", again, base+"/").wantDone(t)
	serving.stop()
	serving.wait()
	if got, want := strings.Join(pieces(t, only(t, again)), ""), strings.Join(pieces(t, open(t, name).Exchanges()[1]), ""); got != want {
		t.Errorf("replay served %q, the recording has %q", got, want)
	}
}

func TestComposeOutput(t *testing.T) {
	reel := ssereelWith(t, strings.NewReader(read(t, completedStatus)), "compose")
	if reel.status != 0 || reel.stderr != "standard output"+composedSummary || !strings.HasPrefix(reel.stdout, "reel 1\n") {
		t.Fatalf("from standard input: status %d, stderr %q, stdout %.100q", reel.status, reel.stderr, reel.stdout)
	}
	for _, test := range []struct {
		name   string
		args   []string
		output string // empty for standard output
	}{
		{"-", []string{"-"}, ""},
		{"-o -", []string{"-o", "-", completedStatus}, ""},
		{"-o OUT", []string{"-o", "OUT", completedStatus}, "OUT"},
		{"-o OUT, from standard input", []string{"-o", "OUT", "-"}, "OUT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.reel")
			args := []string{"compose"}
			for _, arg := range test.args {
				if arg == "OUT" {
					arg = out
				}
				args = append(args, arg)
			}
			o := ssereelWith(t, strings.NewReader(read(t, completedStatus)), args...)
			if test.output == "" {
				if o != reel {
					t.Errorf("status %d, stderr %q, and another recording than from standard input: %v", o.status, o.stderr, o.stdout != reel.stdout)
				}
				return
			}
			o.wantDone(t)
			if o.stdout != out+composedSummary || read(t, out) != reel.stdout {
				t.Errorf("stdout has %q, the file %.100q", o.stdout, read(t, out))
			}
		})
	}
}

// A name that does not end in .json gets .reel all the same, so that no document is overwritten.
func TestComposeOtherName(t *testing.T) {
	document := copied(t, completedStatus, "status.reel")
	o := ssereel(t, "compose", "--force", document)
	o.wantDone(t)
	if read(t, document) != read(t, completedStatus) {
		t.Error("the document was overwritten")
	}
	wantWhole(t, document+".reel")
}

func TestComposeExisting(t *testing.T) {
	document := copied(t, completedStatus, "my.json")
	name := strings.TrimSuffix(document, ".json") + ".reel"
	if err := os.WriteFile(name, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	ssereel(t, "compose", document).wantLine(t, 1, name, "already exists", "--force", "-o")
	if read(t, name) != "mine" {
		t.Fatal("the file was overwritten")
	}
	for range 2 {
		ssereel(t, "compose", "-f", document).wantDone(t)
		wantWhole(t, name)
	}
	ssereel(t, "compose", "-o", t.TempDir(), document).wantLine(t, 1, "is a directory")
}

// A document that nothing can be made of leaves no file behind, nor takes one away.
func TestComposeRefuses(t *testing.T) {
	for _, test := range []struct {
		name, document string
		tells          []string
	}{
		{"executing", read(t, "../../testdata/assembly-executing.json"), []string{replay.ErrNotFinal.Error(), `"ASSEMBLY_EXECUTING"`, "fetch https://api2-vm1.example.com/assemblies/7f40274dfed01705d5f649ed0b9d9fce until ok is ASSEMBLY_COMPLETED"}},
		{"job in progress", read(t, "../../testdata/job-in-progress.json"), []string{replay.ErrNotFinal.Error(), "until it is success"}},
		{"no id", read(t, "../../testdata/assembly-crash.json"), []string{"no assembly_id"}},
		{"cut off", `{"ok":"ASSEM`, []string{"byte 12", "the document ends"}},
		{"something else", `{"a":1}`, []string{"neither an Assembly Status nor a Scenario job"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			document, out := filepath.Join(dir, "my.json"), filepath.Join(dir, "mine.reel")
			for name, content := range map[string]string{document: test.document, out: "mine"} {
				if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ssereel(t, "compose", document).wantLine(t, 1, append(test.tells, document)...)
			ssereel(t, "compose", "-f", "-o", out, document).wantLine(t, 1, test.tells...)
			if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 2 || read(t, out) != "mine" {
				t.Errorf("%v: there are %q, and mine.reel has %q", err, left, read(t, out))
			}
			ssereelWith(t, strings.NewReader(test.document), "compose").wantLine(t, 1, append(test.tells, "standard input")...)
		})
	}
	ssereel(t, "compose", "no-such-file.json").wantLine(t, 1, "no-such-file.json", "no such file")
}

func TestComposeUsage(t *testing.T) {
	ssereel(t, "compose", "a.json", "b.json").wantLine(t, 2, "FILE", "--help")
	ssereel(t, "compose", "--fast", "a.json").wantLine(t, 2, "--fast", "--help")
	o := ssereel(t, "compose", "--help")
	o.wantDone(t)
	for _, part := range []string{"ssereel compose [OPTION]... [FILE|-]", "-o, --output", "-f, --force", "ssereel replay", "Scenario"} {
		if !strings.Contains(o.stdout, part) {
			t.Errorf("the help does not tell %q:\n%s", part, o.stdout)
		}
	}
	if all := ssereel(t, "--help"); !regexp.MustCompile(`(?m)^ +compose +\S`).MatchString(all.stdout) {
		t.Errorf("--help does not list compose:\n%s", all.stdout)
	}
}

// A job has no stream, but polls.
func TestComposeJob(t *testing.T) {
	document := copied(t, "../../testdata/job-success.json", "job.json")
	o := ssereel(t, "compose", document)
	o.wantDone(t)
	name := strings.TrimSuffix(document, ".json") + ".reel"
	if !strings.HasPrefix(o.stdout, name+": 0 events in 8 exchanges, ") {
		t.Errorf("stdout has %q", o.stdout)
	}
	wantWhole(t, name)
}
