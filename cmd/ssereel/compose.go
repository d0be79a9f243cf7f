package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
)

var composeCommand = command{
	name:  "compose",
	args:  "[FILE|-]",
	short: "make a recording of an Assembly from its final Status alone",
	long: `
Makes a recording of an Assembly that nobody recorded: from FILE, or standard
input, which holds its final Status, as polling returns it or a notify_url
receives it. So anybody with that one JSON file has an update stream to test
with:

  curl -s "$ASSEMBLY_URL" > my.json
  ssereel compose my.json
  ssereel replay --listen 127.0.0.1:8080 my.reel
  curl -N -H 'Accept: text/event-stream' http://127.0.0.1:8080/

The recording holds a poll at the beginning, the update stream with every
upload and result that the Status has, progress every two seconds and the end,
and a last poll that returns the Status itself. Moments are the Status's own
where it names them. The recording begins with a comment which says that it is
composed, and what is made up. The stream of an Assembly that failed, or was
canceled, ends with assembly_error. The same Status always makes the same
recording.

The final document of a Scenario job makes one too: its polls, through its
history.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		output := flags.StringP("output", "o", "", "write to `OUT`, - for standard output (default FILE with .reel for .json, standard output for standard input)")
		force := flags.BoolP("force", "f", false, "overwrite the file")
		return func(ctx context.Context, c console, args []string) error {
			name := "-"
			if len(args) > 0 {
				var err error
				if name, err = oneArg(args, "FILE"); err != nil {
					return err
				}
			}
			if err := wantName(flags); err != nil {
				return err
			}
			out := *output
			switch {
			case out != "":
			case name == "-":
				out = "-"
			default:
				out = strings.TrimSuffix(name, ".json") + ".reel"
			}
			return compose(c, name, out, *force)
		}
	},
}

// compose makes the recording output of the named document.
func compose(c console, name, output string, force bool) (err error) {
	in, err := c.openInput(name)
	if err != nil {
		return err
	}
	defer in.close()
	name = in.called
	if in.isReel {
		return fmt.Errorf("%s is a recording, not JSON: ssereel replay serves it, and ssereel events prints its events", name)
	}
	document, err := in.json()
	if err != nil {
		return err
	}
	var reel bytes.Buffer
	if err := replay.Compose(&reel, document); err != nil {
		return in.noDocument(err, document)
	}
	summary, err := composed(reel.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	out, err := openReelFile(output, force, c.out)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, out.close()) }()
	if err := out.begin(); err != nil {
		return err
	}
	if _, err := out.Write(reel.Bytes()); err != nil {
		return out.cannotWrite(err)
	}
	report := c.out
	if output == "-" {
		report = c.err
	}
	_, err = fmt.Fprintf(report, "%s: %s\n", out.name, summary)
	return err
}

// composed says in short what is in a reel.
func composed(reel []byte) (string, error) {
	rec, err := replay.Load(bytes.NewReader(reel), int64(len(reel)))
	if err != nil {
		return "", err
	}
	var events, size int64
	for _, x := range rec.Exchanges() {
		size += x.Size
		if x.IsEventStream() {
			r := ssewire.NewReader(x.Body(), ssewire.MaxEventSize(len(reel)))
			for r.Next() {
				events++
			}
			if err := r.Err(); err != nil {
				return "", err
			}
		}
	}
	return fmt.Sprintf("%s in %s, %s, %s", count(events, "event"), count(int64(len(rec.Exchanges())), "exchange"),
		count(size, "byte"), seconds(rec.Duration())), nil
}
