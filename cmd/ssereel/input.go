package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/ssereel/ssereel/replay"
)

// stdin returns standard input. It tells whoever sits at a terminal that the command waits
// for them, which looks like a command that hangs.
func (c console) stdin() io.Reader {
	if f, ok := c.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintln(c.err, "ssereel: reading what is typed here; Ctrl-D ends it")
	}
	return c.in
}

// input is a file, or standard input, of which the beginning has been looked at.
type input struct {
	called string   // in errors
	file   *os.File // nil for standard input
	text   *bufio.Reader
	isReel bool
}

// openInput opens the named file, standard input if it is called -. Close it.
func (c console) openInput(name string) (*input, error) {
	in := &input{called: name}
	if name == "-" {
		in.called, in.text = "standard input", bufio.NewReader(c.stdin())
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		in.file, in.text = f, bufio.NewReader(f)
	}
	head, err := in.text.Peek(len(reelMark))
	if err != nil && err != io.EOF {
		in.close()
		return nil, err
	}
	in.isReel = string(head) == reelMark
	return in, nil
}

func (in *input) close() {
	if in.file != nil {
		in.file.Close()
	}
}

const (
	maxSpace    = 1 << 20 // in front of a document, in bytes
	maxDocument = 1 << 30 // with what is in front of it
)

// json returns all there is, if that is no more than any document has. Of what does not
// begin like an object it reads no more than it takes to say so, because there may be no end
// of it.
func (in *input) json() ([]byte, error) {
	document, err := readDocument(in.text, maxDocument)
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.called, err)
	}
	return document, nil
}

func readDocument(text *bufio.Reader, limit int64) ([]byte, error) {
	var head []byte
	for {
		c, err := text.ReadByte()
		if err == io.EOF {
			return head, nil
		}
		if err != nil {
			return nil, err
		}
		head = append(head, c)
		switch {
		case c == '{':
			document, err := io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(head), text), limit+1))
			if err == nil && int64(len(document)) > limit {
				err = fmt.Errorf("the document is longer than %d MiB, which no Assembly Status and no job is", limit>>20)
			}
			return document, err
		case strings.IndexByte(" \t\r\n", c) < 0:
			there, _ := text.Peek(text.Buffered())
			return append(head, there...), nil
		case len(head) >= maxSpace:
			return nil, errors.New("there is nothing but white space in the first MiB, where a JSON object was expected")
		}
	}
}

// noDocument returns err, with which the document could not be read, for a person.
func (in *input) noDocument(err error, document []byte) error {
	if nature := natureOf(document); nature != "" {
		return fmt.Errorf("%s: %s", in.called, nature)
	}
	return fmt.Errorf("%s: %w", in.called, err)
}

// recording returns what there is as a recording, good as long as the input is open.
func (in *input) recording() (*replay.Recording, error) {
	var rec *replay.Recording
	var err error
	if in.file == nil {
		rec, err = loadReel(in.text)
	} else if _, seekErr := in.file.Seek(0, io.SeekStart); seekErr != nil {
		rec, err = loadReel(in.text) // a pipe
	} else {
		rec, err = loadReel(in.file)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", in.called, err)
	}
	return rec, err
}

// reelMark is what a reel begins with.
const reelMark = "reel "

// openReel is replay.Open for the named file, and for standard input if it is called -. It
// returns what to call it, too. A pipe is read to its end first.
func (c console) openReel(name string) (rec *replay.Recording, called string, err error) {
	var in io.Reader
	if name == "-" {
		called, in = "standard input", c.stdin()
	} else if info, err := os.Stat(name); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		f, err := os.Open(name)
		if err != nil {
			return nil, name, err
		}
		defer f.Close()
		called, in = name, f
	} else {
		rec, err = replay.Open(name)
		if errors.Is(err, replay.ErrNotReel) {
			err = whyNoReel(name, err)
		}
		return rec, name, err
	}
	rec, err = loadReel(in)
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err // less a name that nobody has given to standard input
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", called, err)
	}
	return rec, called, err
}

// whyNoReel returns err, with which the named file could not be opened as a reel, for a person.
func whyNoReel(name string, err error) error {
	f, openErr := os.Open(name)
	if openErr != nil {
		return err
	}
	defer f.Close()
	if _, why := loadReel(f); why != nil {
		return fmt.Errorf("%s: %w", name, why)
	}
	return err
}

// awaitReel is openReel for a command that ends in its own way when ctx does: whoever writes
// the reel to a pipe may never be done.
func (c console) awaitReel(ctx context.Context, name string) (*replay.Recording, string, error) {
	type opened struct {
		rec    *replay.Recording
		called string
		err    error
	}
	done := make(chan opened, 1)
	go func() {
		rec, called, err := c.openReel(name)
		done <- opened{rec, called, err}
	}()
	select {
	case o := <-done:
		return o.rec, o.called, o.err
	case <-ctx.Done():
		return nil, name, errors.New("interrupted before it had read all of the recording")
	}
}

// loadReel is replay.Load for what in holds, a file from where it stands. Of anything else,
// which is read into memory, it reads on only if that begins like a reel; where that fails,
// what came before is loaded.
func loadReel(in io.Reader) (*replay.Recording, error) {
	if f, ok := in.(*os.File); ok {
		info, err := f.Stat()
		if err == nil && info.Mode().IsRegular() {
			from, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				return nil, err
			}
			size := max(info.Size()-from, 0)
			text := io.NewSectionReader(f, from, size)
			rec, err := replay.Load(text, size)
			return rec, explained(err, text)
		}
	}
	buffered := bufio.NewReader(in)
	data, err := buffered.Peek(len(reelMark))
	if string(data) == reelMark {
		data, err = io.ReadAll(buffered)
	} else {
		data, _ = buffered.Peek(buffered.Buffered()) // what there is, to be quoted
	}
	text := bytes.NewReader(data)
	rec, loadErr := replay.Load(text, text.Size())
	loadErr = explained(loadErr, text)
	if err != nil && err != io.EOF {
		return rec, err
	}
	return rec, loadErr
}
