package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe that is read to its end has nothing for the second time, for which diff would wait
// for ever.
func TestDiffPipe(t *testing.T) {
	dir := t.TempDir()
	name, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"diff", name, name}, {"diff", name, link}} {
		ssereel(t, args...).wantLine(t, 2, args[2], "pipe", "see ssereel diff --help")
	}

	// Two pipes are two recordings, and so is a file twice.
	reel := reelWith(t, exchanged{body: "{}"})
	other := filepath.Join(dir, "other")
	if err := syscall.Mkfifo(other, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, fifo := range []string{name, other} {
		go os.WriteFile(fifo, []byte(reel), 0) // waits for the reader
	}
	ssereel(t, "diff", name, other).wantDifferences(t)
	old, new := pair(t, reel, reel)
	ssereel(t, "diff", old, old).wantDifferences(t)
	ssereel(t, "diff", new, old).wantDifferences(t)
}
