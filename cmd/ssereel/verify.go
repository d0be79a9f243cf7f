package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
)

var verifyCommand = command{
	name:  "verify",
	args:  "FILE|-...",
	short: "tell whether recordings are whole, truncated or damaged, and where",
	long: `
Reads all of each FILE, standard input if it is -, and prints a line that says
whether it is

  whole       as it was written, or, if that was by hand, without a mistake
  truncated   cut off, as by a crash or a full disk; good up to the named line
  damaged     changed, or wrong, at the line it names

"sealed" means that a sum over the whole file agrees. What a truncated or
damaged recording still holds can be played. The exit status is 0 only if all
are whole.

A recording that you have edited by hand counts as damaged until you remove the
sums of what you changed: bytes= and crc32c= in the line that ends the
exchange, the lines after it that begin with $, and the byte count of each read
whose length has changed.

With --json, it prints an object for each, one a line: file, verdict, line,
offset and reason (if it is not whole), sealed, exchanges, reads, bytes,
seconds. The verdict is unreadable, with a reason, for what is no recording.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		asJSON := flags.Bool("json", false, "print JSON objects instead")
		return func(ctx context.Context, c console, args []string) error {
			if len(args) < 2 {
				if _, err := oneArg(args, "FILE"); err != nil {
					return err
				}
			}
			if slices.Contains(args, "") {
				return usagef("FILE is an empty name (a variable that is not set?)")
			}
			enc := json.NewEncoder(c.out)
			enc.SetEscapeHTML(false)
			var failed error
			for _, name := range args {
				v, err := verify(c, name)
				if err != nil {
					v = verdict{File: name, Verdict: "unreadable", Reason: printableLines(unprefixed(err))}
					fmt.Fprintf(c.err, "ssereel verify: %s\n", v.Reason)
				}
				if v.Verdict != "whole" {
					failed = errFailed
				}
				switch {
				case *asJSON:
					enc.Encode(v)
				case v.Verdict != "unreadable":
					fmt.Fprintln(c.out, v)
				}
			}
			return failed
		}
	},
}

// verdict is what verify has to say.
type verdict struct {
	File      string  `json:"file"`
	Verdict   string  `json:"verdict"`
	Line      int     `json:"line,omitempty"`
	Offset    int64   `json:"offset,omitempty"`
	Reason    string  `json:"reason,omitempty"`
	Sealed    bool    `json:"sealed"`
	Exchanges int     `json:"exchanges"`
	Reads     int     `json:"reads"`
	Bytes     int64   `json:"bytes"`
	Seconds   float64 `json:"seconds"`
}

// wantReel adds to an error of opening a reel what a person can do about it.
func wantReel(err error) error {
	var path *fs.PathError
	var told notReel
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	case errors.Is(err, replay.ErrVersion):
		return fmt.Errorf("%w: it takes a newer ssereel", err)
	case errors.As(err, &told):
		return err
	case errors.Is(err, replay.ErrNotReel):
		return fmt.Errorf("%w: ssereel record makes one, ssereel compose one of a final Status, and ssereel events reads a raw stream", err)
	}
	return err
}

func verify(c console, name string) (verdict, error) {
	rec, name, err := c.openReel(name)
	if rec == nil {
		return verdict{}, wantReel(err)
	}
	defer rec.Close()
	v := verdict{
		File:      name,
		Verdict:   "whole",
		Sealed:    rec.Sealed(),
		Exchanges: len(rec.Exchanges()),
		Seconds:   inSeconds(rec.Duration()),
	}
	for _, x := range rec.Exchanges() {
		v.Reads += x.NumReads()
		v.Bytes += x.Size
	}
	var fault *replay.FormatError
	switch {
	case err == nil:
		return v, nil
	case !errors.As(err, &fault):
		return v, err
	case errors.Is(err, replay.ErrTruncated):
		v.Verdict = "truncated"
	default:
		v.Verdict = "damaged"
	}
	v.Line, v.Offset, v.Reason = fault.Line, fault.Offset, fault.Reason
	return v, nil
}

func (v verdict) String() string {
	v.File = printable(v.File)
	holds := fmt.Sprintf("%s, %s, %s, %.1f s",
		count(int64(v.Exchanges), "exchange"), count(int64(v.Reads), "read"), count(v.Bytes, "byte"), v.Seconds)
	switch v.Verdict {
	case "truncated":
		return fmt.Sprintf("%s: truncated: good up to the beginning of line %d (byte %d), with %s: %s", v.File, v.Line, v.Offset, holds, v.Reason)
	case "damaged":
		return fmt.Sprintf("%s: damaged at line %d (byte %d): %s; it holds %s", v.File, v.Line, v.Offset, v.Reason, holds)
	}
	if v.Sealed {
		holds += ", sealed"
	}
	return fmt.Sprintf("%s: whole: %s", v.File, holds)
}
