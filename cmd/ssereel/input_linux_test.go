package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A shell makes a pipe of what stands in <( ).
func TestReelInPipe(t *testing.T) {
	for _, command := range [][]string{{"verify"}, {"anonymize", "-o", filepath.Join(t.TempDir(), "public.reel")}} {
		name := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
		wrote := make(chan error)
		go func() { wrote <- os.WriteFile(name, []byte(paced), 0) }()
		ssereel(t, append(command, name)...).wantDone(t)
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	}
}
