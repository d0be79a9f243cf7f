// Package replay records HTTP exchanges, event streams above all, to files with the moment
// of each read, and plays them back byte for byte, in the same pieces, at the same moments.
//
// A [Recorder] is an http.RoundTripper: make it the Transport of an http.Client, and what the
// program reads ends up in a reel. [Open] reads a reel; [Recording.Handler] serves it to any
// client, [Recording.Transport] plays it without a network, and [Recording.Events] returns the
// events with their moments. A [Reel] records or replays, as its [Mode] says; in a Go test,
// package reeltest makes that one line.
//
//	f, err := os.OpenFile("my.reel", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
//	rec, err := replay.NewRecorder(f, nil)
//	client := &http.Client{Transport: rec}
//	…
//	err = rec.Close()
//
//	recording, err := replay.Open("my.reel")
//	server := httptest.NewServer(recording.Handler(replay.Playback{Speed: 10}))
//
// A [Follower] captures an Assembly or a job to its end, [NewProxy] captures what programs in
// other languages do, and [Compose] makes a reel from a final Status. A [Fault] is something
// that goes wrong with a stream as it is played.
//
// The format of reels is text, and a promise: FORMAT.md in this directory defines it, and
// every later version of this package reads version 1.
package replay

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

var (
	// ErrNotReel says that the input is something other than a reel.
	ErrNotReel = errors.New("not a reel")

	// ErrVersion says that the reel has a version that this package does not know.
	ErrVersion = errors.New("unknown version of the reel format")

	// ErrTruncated says that the reel was cut off while it was being written. What it
	// holds is good, up to the last whole read.
	ErrTruncated = errors.New("the reel is truncated")

	// ErrDamaged says that the reel is not as it was written: a line breaks the rules of
	// the format, or a sum does not match.
	ErrDamaged = errors.New("the reel is damaged")
)

// FormatError says where a reel is not what it should be. It wraps [ErrTruncated] or
// [ErrDamaged]. Line and Offset are the end of what is whole, if the reel is truncated. If it
// is damaged, they are the line that is wrong or, where a sum does not match, the first line
// that the sum covers.
type FormatError struct {
	Line   int   // counted from 1
	Offset int64 // of the line, in bytes
	Reason string
	Err    error // ErrTruncated or ErrDamaged
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%v at line %d (byte %d): %s", e.Err, e.Line, e.Offset, e.Reason)
}

func (e *FormatError) Unwrap() error { return e.Err }

// Recording is what a reel holds. It is immutable, and safe for use by several goroutines at
// once. It keeps an index in memory and reads bodies from the reel on demand.
type Recording struct {
	start     time.Time
	duration  time.Duration
	comments  []string
	exchanges []*Exchange
	sealed    bool
	size      int64 // of the reel, in bytes
	whole     int64 // how many of these are good, from the beginning
	sealFrom  int64 // where those of the good ones begin that no seal covers
	fault     error // what is wrong with the reel, nil if nothing is
	closer    io.Closer
	close     sync.Once
	closeErr  error
}

// Open reads the reel in the named file, which stays open until Close.
//
// Bad input does not cost good data: for a reel that is truncated or damaged, Open returns
// both the Recording of what is good and an error that wraps a [*FormatError]. With any other
// error ([ErrNotReel], [ErrVersion], one of the file system) the Recording is nil.
func Open(name string) (*Recording, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rec, err := Load(f, info.Size())
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if rec == nil {
		f.Close()
		return nil, err
	}
	rec.closer = f
	return rec, err
}

// Load reads the reel in the first size bytes of src, which must stay readable for as long
// as the Recording is in use. Its errors are those of [Open].
func Load(src io.ReaderAt, size int64) (*Recording, error) {
	l := newLoader(src, size)
	l.rec.size = size
	err := l.version()
	if err == nil {
		err = l.load()
	}
	var format *FormatError
	if err != nil && !errors.As(err, &format) {
		return nil, err
	}
	l.rec.fault = err
	return l.rec, err
}

// Close closes the file that Open has opened. After it, the bodies of the exchanges cannot be
// read. A second Close returns what the first did.
func (r *Recording) Close() error {
	r.close.Do(func() {
		if r.closer != nil {
			r.closeErr = r.closer.Close()
		}
	})
	return r.closeErr
}

// Start returns the wall clock at the start of the recording, or the zero Time if the reel
// does not say.
func (r *Recording) Start() time.Time { return r.start }

// Duration returns the last moment of the recording.
func (r *Recording) Duration() time.Duration { return r.duration }

// Comments returns the first 64 KiB of the comments in the reel, one string for each line,
// without its mark. The slice must not be changed.
func (r *Recording) Comments() []string { return r.comments }

// Exchanges returns the exchanges in the order in which they began. The slice must not be
// changed.
func (r *Recording) Exchanges() []*Exchange { return r.exchanges }

// Sealed returns whether the reel ends with a sum over all of it, and that matches: then
// nothing in it has changed since its writer closed it. Reels written by hand need not have
// one.
func (r *Recording) Sealed() bool { return r.sealed }
