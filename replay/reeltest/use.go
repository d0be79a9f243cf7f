package reeltest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/ssereel/ssereel/replay"
)

const oneReel = "one reel per test: name another file, or open this one in a test that has both as subtests, and pass the client on"

// A use is what the tests of this process do with the file of a reel that they may record. A
// second test that records the file anew would overwrite what the first has recorded, and pass.
type use struct {
	recorded string   // the test that has recorded it anew
	open     []string // the tests that have a client for it
	shared   bool     // since the oldest of these there has been more than one
}

var uses = struct {
	sync.Mutex
	of map[string]*use // by absolute name
}{of: make(map[string]*use)}

// useReel notes that t opens the reel in the named file, and refuses it where t would record
// over another recording. Its end is to be called when the client is closed, through which
// something was asked or not; it returns whether another test may have recorded at that time.
func useReel(t testing.TB, name string, mode replay.Mode) (end func(asked bool) (shared bool), err error) {
	anew := false
	switch mode {
	case replay.ModeRecord:
		anew = true
	case replay.ModeOnce, "":
		info, err := os.Stat(name)
		anew = errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
	}
	if !anew && mode != replay.ModeAuto {
		return func(bool) bool { return false }, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	test := t.Name()
	uses.Lock()
	defer uses.Unlock()
	u := uses.of[path]
	if u == nil {
		u = new(use)
		uses.of[path] = u
	}
	switch {
	case !anew:
	case slices.Contains(u.open, test):
		return nil, fmt.Errorf("%s: this test records it through another client: use that one", name)
	case len(u.open) > 0:
		return nil, fmt.Errorf("%s: %s records it at the same time: %s", name, u.open[0], oneReel)
	case u.recorded != "" && u.recorded != test:
		return nil, fmt.Errorf("%s: %s has used it to record: %s", name, u.recorded, oneReel)
	}
	u.open = append(u.open, test)
	u.shared = len(u.open) > 1
	return func(asked bool) bool {
		uses.Lock()
		defer uses.Unlock()
		i := slices.Index(u.open, test)
		u.open = slices.Delete(u.open, i, i+1)
		if anew && asked {
			u.recorded = test
		}
		return u.shared
	}, nil
}
