package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// reelFile is the file of a recording. Until begin, when there is something to
// record, nothing is written to it, so that a recording that was there is lost to a
// new one only, and a failure leaves nothing behind.
type reelFile struct {
	name    string
	out     io.Writer
	file    *os.File // nil for standard output
	created bool     // by us
	regular bool     // a file that was there before

	// begin is called while the next request is being recorded: what it writes comes
	// in front of what Write is given meanwhile.
	mu    sync.Mutex
	began bool
	head  bytes.Buffer
	size  int64
}

// openReelFile opens the named file, stdout if that is -, for a recording.
func openReelFile(name string, force bool, stdout io.Writer) (*reelFile, error) {
	if name == "-" {
		return &reelFile{name: "standard output", out: stdout}, nil
	}
	r := &reelFile{name: name, created: true}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			return nil, fmt.Errorf("%s is a directory: name a file in it with -o", name)
		}
		if !force {
			return nil, fmt.Errorf("%s already exists: choose another name with -o, or overwrite it with --force", name)
		}
		r.created = false
		f, err = os.OpenFile(name, os.O_WRONLY, 0)
	}
	if err == nil && !r.created {
		if info, statErr := f.Stat(); statErr == nil && info.Mode().IsRegular() {
			r.regular = true
			err = f.Chmod(0o600) // before there is anything in it that is not for all
		}
	}
	if err != nil {
		return nil, r.cannotWrite(err)
	}
	r.file, r.out = f, f
	return r, nil
}

// Write keeps what comes before begin.
func (r *reelFile) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.began {
		return r.head.Write(p)
	}
	return r.write(p)
}

func (r *reelFile) write(p []byte) (int, error) {
	n, err := r.out.Write(p)
	if err != nil && (r.created || r.regular) && r.file.Truncate(r.size) == nil {
		n = 0 // so that it ends with a whole record
	}
	r.size += int64(n)
	return n, err
}

// begin overwrites what was there with what has come so far.
func (r *reelFile) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.regular {
		if err := r.file.Truncate(0); err != nil {
			return r.cannotWrite(err)
		}
	}
	r.began = true
	if _, err := r.write(r.head.Bytes()); err != nil {
		return r.cannotWrite(err)
	}
	return nil
}

// close closes the file, and takes it away where there is nothing in it.
func (r *reelFile) close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	if r.size == 0 && r.created {
		os.Remove(r.name)
	}
	return err
}

// discard has close take the file away, if it is a new one: what is in it is of no use.
func (r *reelFile) discard() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size = 0
}

// cannotWrite returns an error for a person whose recording could not be written
// because of err.
func (r *reelFile) cannotWrite(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	remedy := "choose another place with -o"
	if errors.Is(err, syscall.ENOSPC) {
		remedy = "make room, or " + remedy
	}
	if r.size == 0 {
		return fmt.Errorf("cannot write %s: %w: %s", r.name, err, remedy)
	}
	return fmt.Errorf("cannot write %s beyond %s: %w: what it holds can be played; to record more, %s", r.name, count(r.size, "byte"), err, remedy)
}
