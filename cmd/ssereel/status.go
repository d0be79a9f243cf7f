package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/status"
)

var statusCommand = command{
	name:  "status",
	args:  "[FILE|-]",
	short: "tell what an Assembly Status or a Scenario job says",
	long: `
Reads an Assembly Status or a Scenario job from FILE, or from standard input, and
prints what it says in short: lines on a terminal, one JSON object elsewhere:

  {"system":"assembly","id":"...","state":"ASSEMBLY_COMPLETED","phase":"succeeded",
   "terminal":true,"error":null,"progress":1,"uploads":1,"results":{"resized":2}}

The phase is waiting, running, succeeded, failed, canceled or unknown, whichever
system the document is from; progress runs from 0 to 1, and is null if unknown.

  curl -s $ASSEMBLY_URL | ssereel status | jq -r .phase

With --full it prints the whole document, with all that it has, known or not.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		full := flags.Bool("full", false, "print the whole document as JSON")
		asJSON := flags.Bool("json", false, "print a JSON object on a terminal too")
		return func(ctx context.Context, c console, args []string) error {
			name := "-"
			if len(args) > 0 {
				var err error
				if name, err = oneArg(args, "FILE"); err != nil {
					return err
				}
			}
			text, err := describeStatus(c, name, *full, *asJSON || terminal(c.out) == nil)
			if err != nil {
				return err
			}
			_, err = c.out.Write(text)
			return err
		}
	},
}

// describeStatus returns what the command prints about the named file.
func describeStatus(c console, name string, full, asJSON bool) ([]byte, error) {
	data, name, err := c.readInput(name)
	if err != nil {
		return nil, err
	}
	d, err := status.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case full:
		text, err := d.AppendJSON(nil)
		if err != nil || asJSON {
			return append(text, '\n'), err
		}
		var pretty bytes.Buffer
		err = json.Indent(&pretty, text, "", "  ")
		return append(pretty.Bytes(), '\n'), err
	case asJSON:
		return append(d.Summary().AppendJSON(nil), '\n'), nil
	}
	return []byte(summaryText(d.Summary())), nil
}

// summaryText is a summary for people.
func summaryText(s status.Summary) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	if s.ID != "" {
		line(s.System, "%s", s.ID)
	} else {
		line(s.System, "(no id)")
	}
	if s.State != "" {
		line("state", "%s (%s)", s.State, s.Phase)
	} else {
		line("state", "%s", s.Phase)
	}
	if s.Error != "" {
		line("error", "%s", s.Error)
	}
	if s.ProgressKnown {
		line("progress", "%.0f %%", s.Progress*100)
	}
	if s.Uploads > 0 {
		line("uploads", "%d", s.Uploads)
	}
	for i, r := range s.Results {
		name := ""
		if i == 0 {
			name = "results"
		}
		line(name, "%d %s", r.Count, r.Step)
	}
	return b.String()
}

// printable replaces what a terminal might take for commands.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r <= 0x9f {
			return '\ufffd'
		}
		return r
	}, s)
}
