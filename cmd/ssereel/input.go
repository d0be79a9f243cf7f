package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// stdin returns standard input. It tells whoever sits at a terminal that the command waits
// for them, which looks like a command that hangs.
func (c console) stdin() io.Reader {
	if f, ok := c.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintln(c.err, "ssereel: reading what is typed here; Ctrl-D ends it")
	}
	return c.in
}

// readInput returns all of the named file, of standard input if it is called -, and what
// to call it in errors.
func (c console) readInput(name string) (data []byte, called string, err error) {
	if name == "-" {
		data, err = io.ReadAll(c.stdin())
		return data, "standard input", err
	}
	data, err = os.ReadFile(name)
	return data, name, err
}
