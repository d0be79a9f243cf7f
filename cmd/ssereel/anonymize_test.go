package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const anAssembly = "55a46ab12179453a8a20921a058b7546"

func TestAnonymize(t *testing.T) {
	name := write(t, assembly(t))
	public := filepath.Join(t.TempDir(), "public.reel")
	o := ssereel(t, "anonymize", name, "-o", public)
	o.wantDone(t)
	if o.stdout != public+": replaced 7 IDs (in 25 places), 0 names (in 0 places), 0 client details (in 0 places)\n" {
		t.Errorf("it says %q", o.stdout)
	}
	b, err := os.ReadFile(public)
	if err != nil || strings.Contains(string(b), anAssembly) || strings.Contains(o.stdout, anAssembly) {
		t.Errorf("the ID is still there: %v", err)
	}
	if info, err := os.Stat(public); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	was, _ := judge(t, name)
	is, status := judge(t, public)
	if was.File = is.File; is != was || status != 0 || !is.Sealed {
		t.Errorf("verify says %+v of it, and %+v of the recording", is, was)
	}

	// To standard output goes the recording alone.
	o = ssereel(t, "anonymize", name, "-o", "-", "--seed", "a", "--file-names")
	if o.status != 0 || !strings.HasPrefix(o.stdout, "reel 1\n") || strings.Contains(o.stdout, "result.jpeg") || !strings.HasPrefix(o.stderr, "standard output: replaced 7 IDs") {
		t.Errorf("status %d, %q, stdout %.80q", o.status, o.stderr, o.stdout)
	}
	if again := ssereel(t, "anonymize", name, "-o", "-", "--seed", "a", "--file-names"); again.stdout != o.stdout {
		t.Error("the same seed makes other pseudonyms")
	}
}

func TestAnonymizeRefuses(t *testing.T) {
	name := write(t, assembly(t))
	was, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.reel")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	there := write(t, "there\n")
	encoded := write(t, "reel 1\n> 1 +0 GET /\n< 1 +0 200\n< 1 content-encoding: gzip\n= 1 +0\n|a\n. 1 +0 eof\n")
	for _, c := range []struct {
		name, want string
		status     int
		args       []string
	}{
		{"no output", "-o FILE is missing", 2, []string{name}},
		{"no input", "FILE is missing", 2, []string{"-o", there}},
		{"onto itself", "is the recording itself", 1, []string{name, "-f", "-o", name}},
		{"onto itself, by another name", "is the recording itself", 1, []string{name, "-f", "-o", link}},
		{"onto another", "already exists", 1, []string{name, "-o", there}},
		{"no recording", "not a reel", 1, []string{there, "-f", "-o", there + "2"}},
		{"encoded", "nothing was written", 1, []string{encoded, "-o", there, "-f"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := ssereel(t, append([]string{"anonymize"}, c.args...)...)
			if o.status != c.status || !strings.Contains(o.stderr, c.want) || o.stdout != "" {
				t.Errorf("status %d, %q, want %q; %q", o.status, o.stderr, c.want, o.stdout)
			}
		})
	}
	if is, err := os.ReadFile(name); string(is) != string(was) || err != nil {
		t.Errorf("the recording has changed: %v", err)
	}
	if b, _ := os.ReadFile(there); string(b) != "there\n" {
		t.Errorf("a refusal overwrites what was there: %q", b)
	}
	if _, err := os.Stat(there + "2"); err == nil {
		t.Error("a refusal leaves a file")
	}
	o := ssereel(t, "anonymize", name, "-f", "-o", there)
	o.wantDone(t)
}

func TestAnonymizeTruncated(t *testing.T) {
	text := assembly(t)
	public := filepath.Join(t.TempDir(), "public.reel")
	o := ssereel(t, "anonymize", write(t, text[:len(text)/2]), "-o", public)
	if o.status != 1 || !strings.Contains(o.stderr, "truncated") || !strings.Contains(o.stdout, "replaced") {
		t.Errorf("status %d, %q, %q", o.status, o.stderr, o.stdout)
	}
	if j, _ := judge(t, public); j.Verdict != "truncated" || j.Reads == 0 {
		t.Errorf("verify says %+v", j)
	}
}
