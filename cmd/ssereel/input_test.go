package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A recording may come from another command.
func TestReelOnStandardInput(t *testing.T) {
	reel := assembly(t)
	o := ssereelWith(t, strings.NewReader(reel), "verify", "-")
	o.wantDone(t)
	if !strings.HasPrefix(o.stdout, "standard input: whole: 1 exchange, 14 reads, 6531 bytes") {
		t.Errorf("verify says %q", o.stdout)
	}

	public := ssereelWith(t, strings.NewReader(reel), "anonymize", "-", "-o", "-", "--seed", "a")
	named := ssereel(t, "anonymize", write(t, reel), "-o", "-", "--seed", "a")
	if public.status != 0 || public.stdout != named.stdout || public.stderr != named.stderr {
		t.Errorf("anonymize gives %d, %q, %.80q", public.status, public.stderr, public.stdout)
	}

	r := begin(t, strings.NewReader(paced), "replay", "--speed", "max", "-")
	if got := body(t, get(t, listening(t, r)+"/", accepting)); got != strings.Join(pacedPieces, "") {
		t.Errorf("replay plays %q", got)
	}
}

// A file is read from where it stands, as by any command behind another in a shell.
func TestFileOnStandardInput(t *testing.T) {
	f, err := os.Open(write(t, "one line\n"+paced))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(int64(len("one line\n")), io.SeekStart); err != nil {
		t.Fatal(err)
	}
	r := begin(t, f, "replay", "--speed", "max", "-")
	if got := body(t, get(t, listening(t, r)+"/", accepting)); got != strings.Join(pacedPieces, "") {
		t.Errorf("replay plays %q", got)
	}
}

// Where it breaks off, what has come can be played.
func TestReelOnStandardInputBreaks(t *testing.T) {
	broken := func() io.Reader {
		return io.MultiReader(strings.NewReader(paced[:strings.Index(paced, "= 1 +0.05 5")]), failing{errors.New("the cable broke")})
	}
	ssereelWith(t, broken(), "verify", "-").wantLine(t, 1, "standard input: the cable broke")
	r := begin(t, broken(), "replay", "--speed", "max", "-")
	resp := get(t, listening(t, r)+"/", accepting)
	if b, err := io.ReadAll(resp.Body); string(b) != "id: 1\n\ndata: a\n\n" || err == nil {
		t.Errorf("replay plays %q, %v", b, err)
	}
	if !strings.Contains(r.stderr.String(), "standard input: the cable broke; serving what is good") {
		t.Errorf("it says %q", r.stderr.String())
	}
	ssereelWith(t, failing{errors.New("no cable")}, "replay", "-").wantLine(t, 1, "standard input: no cable")
}

// endless is a reader of itself, again and again.
type endless string

func (e endless) Read(p []byte) (int, error) { return copy(p, e), nil }

// What cannot be JSON is not read to its end, which may never come. A recording is told by
// its name.
func TestNoJSON(t *testing.T) {
	for _, args := range [][]string{{"status"}, {"compose"}} {
		ssereelWith(t, endless("\x00"), args...).wantLine(t, 1, "standard input: byte 0: the document is not a JSON object, it begins with byte 0x00")
		ssereelWith(t, io.MultiReader(strings.NewReader("\n"), endless("<html>")), args...).wantLine(t, 1, "byte 1: the document is not a JSON object, it begins with '<'")
		ssereelWith(t, failing{errors.New("no cable")}, args...).wantLine(t, 1, "no cable")
	}
	name := write(t, paced)
	ssereel(t, "compose", name).wantLine(t, 1, name+" is a recording, not JSON", "ssereel replay", "ssereel events")
}

// Not even what may become JSON is read for ever.
func TestEndlessJSON(t *testing.T) {
	for _, args := range [][]string{{"status"}, {"compose"}} {
		for _, space := range []string{" ", "\n"} {
			ssereelWith(t, endless(space), args...).wantLine(t, 1, "standard input: there is nothing but white space in the first MiB")
		}
		spaced := strings.Repeat(" \r\n\t", maxSpace/4-1) + "{}"
		ssereelWith(t, strings.NewReader(spaced), args...).wantLine(t, 1, "neither an Assembly Status nor a Scenario job")
	}
	const limit, tooLong = 2 << 20, "the document is longer than 2 MiB, which no Assembly Status and no job is"
	for _, tt := range []struct {
		in   io.Reader
		want string // the error
	}{
		{endless(`{"a":`), tooLong},
		{strings.NewReader(" {" + strings.Repeat(" ", limit-3) + "}"), ""},
		{strings.NewReader(" {" + strings.Repeat(" ", limit-2) + "}"), tooLong},
		{io.MultiReader(strings.NewReader("{"), failing{errors.New("no cable")}), "no cable"},
	} {
		_, err := readDocument(bufio.NewReader(tt.in), limit)
		if got := fmt.Sprint(err); got != cmp.Or(tt.want, "<nil>") {
			t.Errorf("the error is %s, want %q", got, tt.want)
		}
	}
}

// A directory is none, and is called as it was named.
func TestDirectoryOnStandardInput(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	o := ssereelWith(t, dir, "verify", "-")
	o.wantLine(t, 1, "standard input: ")
	if strings.Contains(o.stderr, dir.Name()) {
		t.Errorf("it says %q", o.stderr)
	}
}

// What is wrong with it is said as of a file.
func TestNoReelOnStandardInput(t *testing.T) {
	truncated := paced[:strings.Index(paced, ". 1")]
	o := ssereelWith(t, strings.NewReader(truncated), "verify", "-")
	if o.status != 1 || !strings.HasPrefix(o.stdout, "standard input: truncated: good up to the beginning of line 18") {
		t.Errorf("status %d, %q", o.status, o.stdout)
	}
	for _, command := range [][]string{{"verify"}, {"replay"}, {"anonymize", "-o", "-"}} {
		for _, in := range []string{"", "reel", "data: a\n\n"} {
			ssereelWith(t, strings.NewReader(in), append(command, "-")...).wantLine(t, 1, "standard input", "not a reel")
		}
		// It need not end for that, nor go on.
		silent, w := io.Pipe()
		go io.WriteString(w, "data: a\n\n")
		ssereelWith(t, silent, append(command, "-")...).wantLine(t, 1, "standard input", "not a reel")
		w.Close()
		endless := strings.NewReader(strings.Repeat("\x00", 1<<20))
		ssereelWith(t, endless, append(command, "-")...).wantLine(t, 1, "standard input", "not a reel")
		if endless.Len() == 0 {
			t.Errorf("%s reads all of it", command[0])
		}
	}
}

// Whoever interrupts replay while it waits for the recording need not do so twice.
func TestReplayInterruptedOnStandardInput(t *testing.T) {
	in, w := io.Pipe()
	r := begin(t, in, "replay", "-")
	io.WriteString(w, paced[:100]) // it reads from here on
	r.stop()
	if status, says := r.wait(), r.stderr.String(); status != 1 || !strings.Contains(says, "interrupted before") {
		t.Errorf("status %d, %q", status, says)
	}
	w.Close()
}

// The file behind standard input is not overwritten either.
func TestAnonymizeStandardInputOntoItself(t *testing.T) {
	name := write(t, paced)
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ssereelWith(t, in, "anonymize", "-", "-f", "-o", name).wantLine(t, 1, "is the recording itself")
	other := filepath.Join(t.TempDir(), "standard input") // is only called like it
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(other))
	ssereelWith(t, strings.NewReader(paced), "anonymize", "-", "-f", "-o", "standard input").wantDone(t)
}
