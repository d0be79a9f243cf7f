package replay_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ssereel/ssereel/replay"
)

// inChild returns whether this is a process of the test's own, in which withoutRoom does not
// keep go test from writing. If not, it runs the test in one.
func inChild(t *testing.T) bool {
	t.Helper()
	const variable = "SSEREEL_TEST_DISK_FULL"
	if os.Getenv(variable) != "" {
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), failsafe)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), variable+"=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// withoutRoom calls f, during which no file can be written to beyond size bytes, as on a
// full disk: the write that comes to it is done in part.
func withoutRoom(t *testing.T, size int, f func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(size), Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	f()
}

// Where the disk is full, a reel ends with a whole record; and one that is discarded is as it
// was.
func TestReelDiskFull(t *testing.T) {
	if !inChild(t) {
		return
	}
	const held = "reel 1\n> 1 +0 GET http://h/a\n< 1 +0 200\n= 1 +0 4\n\\held\n. 1 +0 eof\n"
	for _, c := range []struct {
		name string
		mode replay.Mode
		was  string
	}{
		{"once", replay.ModeOnce, ""},
		{"record", replay.ModeRecord, ""},
		{"record anew", replay.ModeRecord, held},
		{"auto", replay.ModeAuto, ""},
		{"auto, goes on", replay.ModeAuto, held},
		{"auto, truncated", replay.ModeAuto, held + "> 2 +0 GET http://h/b\n< 2 +0 200\n= 2 +0 9\n\\hel"},
		{"auto, without an end", replay.ModeAuto, held + "> 2 +0 GET http://h/b\n< 2 +0 200\n"},
	} {
		for _, discard := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, discard: %v", c.name, discard), func(t *testing.T) {
				for room := 0; room < 300 && !t.Failed(); room += 3 {
					name := filepath.Join(t.TempDir(), "my.reel")
					if c.was != "" {
						writeFile(t, name, c.was)
					}
					var part string
					var err error
					withoutRoom(t, len(c.was)+room, func() {
						reel := openReel(t, name, c.mode, new(echo))
						for range 20 {
							if _, err := bodyOf(reel, get(t, "http://h/b")); err != nil {
								t.Errorf("the program gets %v", err)
							}
						}
						if discard {
							part, err = reel.Discard()
						} else {
							err = reel.Close()
						}
					})
					if !errors.Is(err, syscall.EFBIG) {
						t.Errorf("the error is %v", err)
					}
					if c.mode != replay.ModeAuto || discard {
						if c.was == "" {
							wantGone(t, name)
						} else if now := readFile(t, name); now != c.was {
							t.Errorf("with room for %d bytes it has become\n%s", room, now)
						}
						if part == "" {
							continue
						}
						name = part
					}
					if c.mode == replay.ModeAuto && room == 0 && c.was == "" {
						continue // it is empty
					}
					text := readFile(t, name)
					_, err = load(text)
					var format *replay.FormatError
					if errors.As(err, &format) && (!errors.Is(err, replay.ErrTruncated) || format.Offset != int64(len(text))) || text == "" && room > 50 {
						t.Errorf("with room for %d bytes it ends within a record: %v\n%s", room, err, text)
					}
					if whole, _, _ := strings.Cut(c.was, "> 2"); c.mode == replay.ModeAuto && !strings.HasPrefix(text, whole) {
						t.Errorf("what was there is\n%s", text)
					}
				}
			})
		}
	}
}

// What another has written behind what a full disk has ended is not cut off with it.
func TestReelDiskFullShared(t *testing.T) {
	if !inChild(t) {
		return
	}
	name := recordReel(t, get(t, "http://h/a"))
	was := readFile(t, name)
	reel := openReel(t, name, replay.ModeAuto, new(echo))
	withoutRoom(t, len(was)+100, func() {
		for range 20 {
			bodyOf(reel, get(t, "http://h/b"))
		}
	})
	if reel.Err() == nil {
		t.Fatal("there is room")
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("# another's\n"); err != nil {
		t.Fatal(err)
	}
	was = readFile(t, name)
	if _, err := reel.Discard(); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Discard: %v", err)
	}
	if now := readFile(t, name); now != was {
		t.Errorf("it has become\n%s", now)
	}
}
