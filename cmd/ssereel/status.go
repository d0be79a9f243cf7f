package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/status"
)

var statusCommand = command{
	name:  "status",
	args:  "[FILE|-]",
	short: "tell what an Assembly Status, a Scenario job or a recording says",
	long: `
Reads an Assembly Status or a Scenario job from FILE, or from standard input,
and prints what it says in short: lines on a terminal, one JSON object
elsewhere:

  {"system":"assembly","id":"...","state":"ASSEMBLY_COMPLETED",
   "phase":"succeeded","terminal":true,"error":null,"progress":1,"uploads":1,
   "results":{"resized":2}}

The phase is waiting, running, succeeded, failed, canceled or unknown,
whichever system the document is from; progress runs from 0 to 1, and is null
if unknown.

  curl -s "$ASSEMBLY_URL" | ssereel status | jq -r .phase

With --full it prints the whole document, including what ssereel does not know.

For a recording it prints the same for each Assembly and job in it, as they
stand at its end, by all that it holds: Statuses and the update stream.
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
			return describeStatus(c, name, *full, *asJSON || terminal(c.out) == nil)
		}
	},
}

// describeStatus prints what the command has to say about the named file.
func describeStatus(c console, name string, full, asJSON bool) error {
	in, err := c.openInput(name)
	if err != nil {
		return err
	}
	defer in.close()
	if in.isReel {
		return describeRecording(c, in, full, asJSON)
	}
	data, err := in.json()
	if err != nil {
		return err
	}
	d, err := status.Decode(data)
	if err != nil {
		return in.noDocument(err, data)
	}
	return describe(c.out, d, full, asJSON)
}

// describeRecording is describeStatus for all jobs in a recording. Of one that is not whole
// it prints what is good.
func describeRecording(c console, in *input, full, asJSON bool) error {
	rec, fault := in.recording()
	if rec == nil {
		return wantReel(fault)
	}
	defer rec.Close()
	n := 0
	for d := range rec.Documents() {
		if n++; n > 1 && !asJSON {
			fmt.Fprintln(c.out)
		}
		if err := describe(c.out, d, full, asJSON); err != nil {
			return cmp.Or(fault, err)
		}
	}
	var compressed []int
	for _, x := range rec.Exchanges() {
		if codingOf(x) != "" && x.Size > 0 && (x.IsEventStream() || strings.Contains(mediaTypeOf(x.Header), "json")) {
			compressed = append(compressed, x.Number)
		}
	}
	switch len(compressed) {
	case 0:
	case 1:
		fmt.Fprintf(c.err, "ssereel status: exchange %d tells nothing here, as it is compressed; record without compression\n", compressed[0])
	default:
		fmt.Fprintf(c.err, "ssereel status: exchange %d and %d more tell nothing here, as they are compressed; record without compression\n", compressed[0], len(compressed)-1)
	}
	const none = "no Assembly and no job; ssereel events prints the events of any stream"
	switch {
	case n > 0:
		return fault
	case fault != nil:
		return fmt.Errorf("%w; what is good of it tells of %s", fault, none)
	}
	return fmt.Errorf("%s tells of %s", in.called, none)
}

// describe prints what there is to say about a document.
func describe(w io.Writer, d status.Document, full, asJSON bool) error {
	var text []byte
	switch {
	case full:
		compact, err := d.AppendJSON(nil)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if asJSON {
			b.Write(compact)
		} else if err := json.Indent(&b, compact, "", "  "); err != nil {
			return err
		}
		text = append(b.Bytes(), '\n')
	case asJSON:
		text = append(d.Summary().AppendJSON(nil), '\n')
	default:
		text = []byte(summaryText(d.Summary()))
	}
	if full || asJSON {
		w = jsonWriter(w, w)
	}
	_, err := w.Write(text)
	return err
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
