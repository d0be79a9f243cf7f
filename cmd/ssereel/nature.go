package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ssereel/ssereel/replay"
)

// byteOrderMark is what some editors and shells put in front of UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// natureOf says what has made something else of a text that begins with head, and how to get
// it back; "" where nothing is known to have.
func natureOf(head []byte) string {
	begins := func(with string) bool { return bytes.HasPrefix(head, []byte(with)) }
	switch {
	case begins("\x1f\x8b"):
		return "it is compressed with gzip: gunzip it first"
	case begins("\xff\xfe"), begins("\xfe\xff"):
		return "it is UTF-16: convert it to UTF-8 first"
	case begins(byteOrderMark):
		return "it begins with a byte order mark: save it without one"
	}
	return ""
}

// notReel is an error that says what to do about what is no reel.
type notReel struct{ error }

func (e notReel) Unwrap() error { return e.error }

// explained returns err, with which the reel in src could not be loaded, for a person, if it
// is known what has become of the reel.
func explained(err error, src io.ReaderAt) error {
	if !errors.Is(err, replay.ErrNotReel) {
		return err
	}
	head := make([]byte, len(reelMark)+len("1\r"))
	n, _ := src.ReadAt(head, 0)
	if nature := natureOf(head[:n]); nature != "" {
		return notReel{fmt.Errorf("%w: %s", replay.ErrNotReel, nature)}
	}
	if string(head[:n]) == reelMark+"1\r" { // which err tells
		return notReel{err}
	}
	return err
}
