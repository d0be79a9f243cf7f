package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
)

var eventsCommand = command{
	name:  "events",
	args:  "[FILE|-]",
	short: "print the events of a recording or a raw stream, one a line",
	long: `
Prints the events of FILE, or of standard input: on a terminal the type and the
data of each, as far as a line has room for them, and elsewhere one JSON object
a line:

  {"type":"message","id":"","data":"..."}

The input is a recording, or a raw event stream, whose events are printed as
they come in:

  ssereel events my.reel
  curl -sN https://example.com/stream | ssereel events | jq .data

The type is "message" where the stream names none, id is the last event ID, and
invalid UTF-8 is replaced with U+FFFD, all as in a browser's EventSource. The
streams of a recording come one after the other.

With --where, each event begins with its number in the stream, counted from 1;
in a recording also with its exchange, and the seconds from the request to it.
The place of a fault is given in the same numbers, as in
replay --fault cut@event=7:

  {"exchange":1,"event":7,"time":2.45,"type":"message","id":"","data":"..."}

Faults find no events in a stream that was recorded compressed.

If there is no event, standard error says so, and what there is instead. The
exit status is then 1 for what is clearly something else (JSON, a page, a
compressed or binary file), and 0 otherwise.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		limit := flags.Int("max-event-size", ssewire.DefaultMaxEventSize, "fail on an event larger than `BYTES`")
		asJSON := flags.Bool("json", false, "print JSON objects on a terminal too")
		where := flags.Bool("where", false, "print which event each one is, and when it came")
		return func(ctx context.Context, c console, args []string) error {
			name := "-"
			if len(args) > 0 {
				var err error
				if name, err = oneArg(args, "FILE"); err != nil {
					return err
				}
			}
			if *limit < 1 {
				return usagef("--max-event-size wants a positive number, not %d", *limit)
			}
			p := &eventPrinter{w: bufio.NewWriter(c.out), limit: *limit, where: *where}
			if f := terminal(c.out); f != nil && !*asJSON {
				p.width = columns(f)
			}
			p.enc = json.NewEncoder(jsonWriter(p.w, c.out))
			p.enc.SetEscapeHTML(false)
			err := cmp.Or(p.file(c, name), p.w.Flush())
			if err == nil && !p.printed {
				err = p.tellNone(c)
			}
			return err
		}
	},
}

// eventPrinter prints events as JSON, or for people.
type eventPrinter struct {
	w     *bufio.Writer
	enc   *json.Encoder
	limit int
	where bool
	width int // in columns, of lines for people; 0 for JSON
	event struct {
		Exchange int      `json:"exchange,omitempty"`
		Event    int      `json:"event,omitempty"`
		Time     *float64 `json:"time,omitempty"`

		Type string `json:"type"`
		ID   string `json:"id"`
		Data string `json:"data"`
	}
	text    []byte
	printed bool       // one at least
	called  string     // what the input is
	raw     *rawStream // nil where the input is a recording
}

// tellNone says that there is no event, to whoever waits for one, or has given it something
// else. It fails where that is known.
func (p *eventPrinter) tellNone(c console) error {
	what := "there is no event in it"
	if p.raw != nil {
		what = cmp.Or(p.raw.strange(), what)
	}
	fmt.Fprintf(c.err, "ssereel events: %s: %s\n", printable(p.called), what)
	if p.raw != nil && p.raw.known() {
		return errFailed
	}
	return nil
}

// file prints the events of the named file, of standard input if it is called -.
func (p *eventPrinter) file(c console, name string) error {
	regular := false
	var in io.Reader
	if name == "-" {
		name, in = "standard input", c.stdin()
	} else {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		regular = err == nil && info.Mode().IsRegular()
		in = f
	}
	p.called = name
	head := make([]byte, len(reelMark))
	n, err := io.ReadFull(in, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	in = io.MultiReader(bytes.NewReader(head[:n]), in)
	if string(head[:n]) != reelMark {
		p.raw = new(rawStream)
		if err := p.stream(in); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	var rec *replay.Recording
	if !regular {
		if rec, err = loadReel(in); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	} else {
		rec, _, err = c.openReel(name)
	}
	if rec == nil {
		return wantReel(err)
	}
	defer rec.Close()
	for _, x := range rec.Exchanges() {
		if !x.IsEventStream() {
			continue
		}
		if streamErr := p.exchange(x); streamErr != nil {
			err = cmp.Or(err, fmt.Errorf("%s: exchange %d: %w", name, x.Number, streamErr))
		}
	}
	return err
}

func (p *eventPrinter) exchange(x *replay.Exchange) error {
	body := x.Body()
	if p.where {
		reads := newTimedReads(x)
		defer reads.stop()
		p.event.Exchange, p.event.Time = x.Number, &reads.seconds
		body = reads
	}
	body, err := decoded(x, body)
	if err != nil {
		return err
	}
	return p.stream(body)
}

// timedReads is the body of a response, as Exchange.Body has it, and when the last of it came.
type timedReads struct {
	sent    time.Duration
	next    func() (replay.Read, error, bool)
	stop    func()
	rest    []byte  // of the read
	seconds float64 // from the request to the read
}

func newTimedReads(x *replay.Exchange) *timedReads {
	r := &timedReads{sent: x.Sent}
	r.next, r.stop = iter.Pull2(x.Reads())
	return r
}

func (r *timedReads) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		read, err, ok := r.next()
		if !ok {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		r.rest, r.seconds = read.Data, inSeconds(read.At-r.sent)
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// stream prints the events of a stream, each as soon as it is whole.
func (p *eventPrinter) stream(in io.Reader) error {
	parser, number := ssewire.NewParser(ssewire.MaxEventSize(p.limit)), 0
	chunk := make([]byte, 32<<10)
	for {
		n, err := in.Read(chunk)
		if p.raw != nil && !p.printed {
			p.raw.Write(chunk[:n])
		}
		parser.Feed(chunk[:n])
		for parser.Next() {
			if number++; p.where {
				p.event.Event = number
			}
			if err := p.print(parser.Event()); err != nil {
				return err
			}
		}
		if parser.Err() != nil {
			return errors.New(strings.NewReplacer(
				"ssewire: ", "", "the option ssewire.MaxEventSize", "--max-event-size",
			).Replace(parser.Err().Error()))
		}
		if err := p.w.Flush(); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *eventPrinter) print(ev ssewire.Event) error {
	p.printed = true
	p.event.Type = "message"
	if len(ev.Type) > 0 {
		p.event.Type = p.decode(ev.Type)
	}
	p.event.ID = p.decode(ev.ID)
	p.event.Data = p.decode(ev.Data)
	if p.width > 0 {
		_, err := fmt.Fprintln(p.w, p.line())
		return err
	}
	return p.enc.Encode(&p.event)
}

// line is the event for people.
func (p *eventPrinter) line() string {
	e := &p.event
	var b strings.Builder
	switch {
	case e.Exchange > 0:
		fmt.Fprintf(&b, "%d:%-3d %8.3f s  ", e.Exchange, e.Event, *e.Time)
	case e.Event > 0:
		fmt.Fprintf(&b, "%-4d ", e.Event)
	}
	const more = 8 // bytes of a character at the most, and a little
	data := e.Data[:min(len(e.Data), more*p.width)]
	b.WriteString(printable(e.Type + "  " + strings.ReplaceAll(data, "\n", "↵")))
	return shortened(b.String(), p.width)
}

func (p *eventPrinter) decode(b []byte) string {
	p.text = appendText(p.text[:0], b)
	return string(p.text)
}
