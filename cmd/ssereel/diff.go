package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
)

var diffCommand = command{
	name:  "diff",
	args:  "OLD|- NEW|-",
	short: "report what a service does differently since another recording",
	long: `
Compares two recordings of the same scenario, and prints what the service does
differently, a line each: not the IDs, times, sizes and numbers, which differ
every time, but the shape of what it sends. Keep a recording, record again, and
compare:

  ssereel diff old.reel new.reel

  GET /assemblies/*: results.jpg[].meta.width: was number, is number or string
  GET /assemblies/*: uploads[].ssl_url: gone, was string
  GET /ws*?assembly: event assembly_error: new

Exchanges belong together, in whatever number and order they come, if the
method, the path and the names in the query are the same. The host does not
count, and * stands for a segment of the path with a digit in it (but v1, v2
and such stay). Of each, diff compares

  status      which ones there are
  media type  which ones there are
  end         whether a connection now ends in a way it did not: eof, reset,
              timeout; that the client canceled is not the service's doing
  JSON        the names in it, and the types of the values: bool, number,
              string, object, array, null; the elements of an array, [], count
              together, and so do the lines of application/x-ndjson,
              application/jsonl and such
  event       which types of events there are, and the JSON in each; data that
              is not JSON is text, of which some words may be JSON, but words
              like assembly_finished and [DONE] are messages of their own

A type is a difference where OLD never had it in that place, and none where
only NEW lacks it. What is new or gone is one line, whatever is in it. Arrays
that were always empty, or are now, say nothing of their elements. JSON within
a string stays a string. Answers with a status from 200 to 299 are compared
with each other, all others with those of the same status. A name that is an ID
(a number, or 16 or more hexadecimal digits) counts as *. A name of more than
200 bytes is cut, and a sum of all of it put in place of the rest. What is
nested deeper than 100 levels is not compared. Bodies that have a
Content-Encoding cannot be compared, nor can those that should be JSON by their
media type and are not in either recording.

--ignore leaves out a place, and all that is in it. PATTERN is a place as the
lines print it, before what is new, gone or different, or any of its parts:

  --ignore 'results.*.meta'                      in a path, * is any one name
  --ignore 'event assembly_execution_progress'   'event *' is any event
  --ignore 'GET /assemblies/*: uploads[]'
  --ignore 'status 429'

A pattern that matches nothing is reported on standard error.

The exit status is 0 if nothing differs, 1 if something does, and 2 if there
was trouble: a recording cannot be read, not all could be compared, or the
result not be written. If a recording is truncated or damaged, what is left of
it is compared; what may only be missing because of that is marked (unsure). So
is what may only be missing because a connection ended too early: the client
canceled, or it was reset or timed out.

With --json: old, new, verdict (same, different, or incomplete: the same as far
as it could be compared), operations, events and paths (how many were
compared), warnings, more_warnings (how many beyond the first 100 are left
out), differences, and more (how many beyond the first 1000 are left out). Each
difference has what (operation, status, media_type, end, event, shape), change
(new, gone, types), where it is (operation, status, media_type, end, event,
data, path), was and is (types) and unsure.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		asJSON := flags.Bool("json", false, "print a JSON object instead")
		ignore := flags.StringArray("ignore", nil, "leave out what differs at the place `PATTERN` and in it; can be given several times")
		return func(ctx context.Context, c console, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("OLD and NEW are missing: name two recordings")
			case len(args) == 1:
				return usagef("NEW is missing: name the recording to compare with %s", args[0])
			case len(args) > 2:
				return usagef("there are more than two recordings: %q", args)
			case args[0] == "" || args[1] == "":
				return usagef("the name of a recording is empty: name two, OLD and NEW, or - for standard input")
			case args[0] == "-" && args[1] == "-":
				return usagef("standard input cannot be both recordings")
			case samePipe(args[0], args[1]):
				return usagef("%s cannot be both recordings, because it is a pipe, which is read only once", args[1])
			}
			var patterns []*ignoring
			for _, text := range *ignore {
				p, err := parsePattern(text)
				if err != nil {
					return usagef("--ignore %q: %w", text, err)
				}
				patterns = append(patterns, &ignoring{pattern: p, text: text})
			}
			r, err := diff(c, args[0], args[1], patterns)
			if err != nil {
				return untoldError{err}
			}
			for _, text := range r.idle {
				fmt.Fprintf(c.err, "ssereel diff: --ignore '%s' matches nothing that was compared\n", printable(text))
			}
			for _, w := range r.Warnings {
				fmt.Fprintf(c.err, "ssereel diff: %s\n", w)
			}
			if r.MoreWarnings > 0 {
				fmt.Fprintf(c.err, "ssereel diff: and %s\n", count(int64(r.MoreWarnings), "more warning"))
			}
			if *asJSON {
				enc := json.NewEncoder(c.out)
				enc.SetEscapeHTML(false)
				err = enc.Encode(r)
			} else {
				_, err = fmt.Fprint(c.out, r)
			}
			if err != nil && !errors.Is(err, syscall.EPIPE) {
				return untoldError{err}
			}
			switch r.Verdict { // also where nobody reads on
			case "different":
				return errFailed
			case "incomplete":
				return errUntold
			}
			return nil
		}
	},
}

// maxDifferences is how many differences are listed. Whoever has more compares two
// recordings of different things.
const maxDifferences = 1000

// maxWarnings is how many warnings are listed. Where there are as many, each operation has
// the same.
const maxWarnings = 100

// samePipe returns whether two names are those of one pipe. It would be read to its end,
// and then be waited for without one.
func samePipe(one, other string) bool {
	a, err := os.Stat(one)
	if err != nil || a.Mode()&os.ModeNamedPipe == 0 {
		return false
	}
	b, err := os.Stat(other)
	return err == nil && os.SameFile(a, b)
}

// report is what diff has to say.
type report struct {
	Old          string       `json:"old"`
	New          string       `json:"new"`
	Verdict      string       `json:"verdict"`
	Operations   int          `json:"operations"`
	Events       int          `json:"events"`
	Paths        int          `json:"paths"`
	Warnings     []string     `json:"warnings"`
	MoreWarnings int          `json:"more_warnings"`
	Differences  []difference `json:"differences"`
	More         int          `json:"more"`

	idle []string // patterns that no place matches
}

// A difference is one thing that the service does differently: what it is, and where.
type difference struct {
	What      string   `json:"what"`
	Change    string   `json:"change"`
	Operation string   `json:"operation"`
	Status    int      `json:"status,omitempty"`
	MediaType string   `json:"media_type,omitempty"`
	End       string   `json:"end,omitempty"`
	Event     string   `json:"event,omitempty"`
	Data      string   `json:"data,omitempty"` // that stands in the place of the event's type
	Path      string   `json:"path,omitempty"`
	Was       []string `json:"was,omitempty"`
	Is        []string `json:"is,omitempty"`
	Unsure    bool     `json:"unsure,omitempty"`

	at     place
	change change
}

// A place is where a difference is: parts such as "GET /assemblies/*" and "event
// assembly_error", and the path of a value in the JSON there.
type place struct {
	parts []string
	path  []string
}

func (p place) with(part string) place {
	return place{parts: append(slices.Clone(p.parts), part)}
}

func (p place) String() string {
	text := strings.Join(p.parts, ": ")
	if len(p.path) > 0 {
		text += ": " + pathText(p.path)
	}
	return text
}

// The labels of parts that are no events.
const (
	statusPrefix    = "status "
	mediaTypePrefix = "media type "
	endPrefix       = "end "
)

func (d difference) String() string {
	text := d.at.String()
	if d.What == "shape" && d.Path == "" && d.Event == "" {
		text += ": the body"
	}
	switch d.Change {
	case "types":
		text += fmt.Sprintf(": was %v, is %v", d.change.was, d.change.is)
	case "gone":
		text += ": gone"
		if d.change.was != 0 {
			text += fmt.Sprintf(", was %v", d.change.was)
		}
	default:
		text += ": new"
		if d.change.is != 0 {
			text += fmt.Sprintf(", %v", d.change.is)
		}
	}
	if d.Unsure {
		text += " (unsure)"
	}
	return text
}

func (r *report) String() string {
	var b strings.Builder
	for _, d := range r.Differences {
		fmt.Fprintln(&b, d)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "and %s\n", count(int64(r.More), "more difference"))
	}
	compared := fmt.Sprintf("%s, %s, %s", count(int64(r.Operations), "operation"),
		count(int64(r.Events), "type")+" of events", count(int64(r.Paths), "path"))
	switch r.Verdict {
	case "same":
		fmt.Fprintf(&b, "%s: nothing differs from %s: %s\n", r.New, r.Old, compared)
	case "incomplete":
		fmt.Fprintf(&b, "%s: nothing differs from %s, but not all could be compared: %s\n", r.New, r.Old, compared)
	}
	return b.String()
}

// side is one of the two recordings.
type side struct {
	*service
	called string
	cut    bool // something that was recorded, or would have been, is not in it
}

// differ compares two recordings.
type differ struct {
	report
	ignore   []*ignoring
	old, new side
}

// ignoring is an --ignore.
type ignoring struct {
	pattern
	text string
	used bool // there is a place that it matches
}

// diff compares the recordings in two files.
func diff(c console, oldName, newName string, ignore []*ignoring) (*report, error) {
	d := &differ{ignore: ignore}
	d.Warnings, d.Differences = []string{}, []difference{}
	var err error
	if d.old, err = d.read(c, oldName, "new"); err != nil {
		return nil, err
	}
	if d.new, err = d.read(c, newName, "gone"); err != nil {
		return nil, err
	}
	d.Old, d.New = d.old.called, d.new.called
	d.services()
	d.report.idle = d.idlePatterns()
	switch {
	case len(d.Differences) > 0:
		d.Verdict = "different"
	case len(d.Warnings) > 0:
		d.Verdict = "incomplete"
	default:
		d.Verdict = "same"
	}
	return &d.report, nil
}

// read makes a service of the recording in a file. Where that lacks something, what is
// found to be as unsure says may be there all the same.
func (d *differ) read(c console, name, unsure string) (side, error) {
	rec, called, fault := c.openReel(name)
	if rec == nil {
		return side{}, wantReel(fault)
	}
	defer rec.Close()
	s := side{called: called}
	var format *replay.FormatError
	if fault != nil && !errors.As(fault, &format) {
		return s, fault
	}
	var err error
	if s.service, err = newService(rec, func(operation string) bool { return d.ignored(place{parts: []string{operation}}) }); err != nil {
		return s, fmt.Errorf("%s: %w", called, err)
	}
	switch {
	case errors.Is(fault, replay.ErrTruncated):
		s.cut = true
		d.warn("%v; what is %s may only be missing here, and is marked (unsure)", fault, unsure)
	case fault != nil:
		s.cut = true
		d.warn("%v; what is %s may only be damaged here, and is marked (unsure)", fault, unsure)
	}
	if s.tooMany {
		s.cut = true
		d.warn("%s: its JSON has more than %d different paths, and those beyond were not compared; leave out an operation with --ignore", called, maxShapes)
	}
	if s.tooDeep {
		d.warn("%s: some of its JSON is nested deeper than %d levels, and was not compared there", called, maxNesting)
	}
	return s, nil
}

func (d *differ) warn(format string, args ...any) {
	if len(d.Warnings) == maxWarnings {
		d.MoreWarnings++
		return
	}
	d.Warnings = append(d.Warnings, fmt.Sprintf(format, args...))
}

// lacks tells in which recording something may be missing that would be there if it had
// gone on. What only the other has is unsure.
type lacks struct{ old, new bool }

func (l lacks) or(old, new bool) lacks { return lacks{l.old || old, l.new || new} }

// found reports a difference, unless it is to be ignored.
func (d *differ) found(what string, at place, how string, c change, may lacks) {
	if d.ignored(at) {
		return
	}
	if len(d.Differences) == maxDifferences {
		d.More++
		return
	}
	at = place{slices.Clone(at.parts), slices.Clone(at.path)}
	found := difference{What: what, Change: how, Operation: at.parts[0], Path: pathText(at.path),
		Was: c.was.names(), Is: c.is.names(), at: at, change: c}
	for _, part := range at.parts[1:] {
		if text, ok := strings.CutPrefix(part, statusPrefix); ok {
			found.Status, _ = strconv.Atoi(text)
		} else if text, ok := strings.CutPrefix(part, mediaTypePrefix); ok {
			found.MediaType = text
		} else if text, ok := strings.CutPrefix(part, endPrefix); ok {
			found.End = text
		} else if text, ok := strings.CutPrefix(part, eventPrefix); ok {
			found.Event = text
		} else if text, ok := strings.CutPrefix(part, messagePrefix); ok {
			found.Event, found.Data = "message", text
		}
	}
	found.Unsure = how != "gone" && may.old || how == "gone" && may.new
	d.Differences = append(d.Differences, found)
}

// keys reports what only one of two maps has, and calls both for the keys of the other.
func keys[K comparable, V any](d *differ, what string, may lacks, was, is *ordered[K, V], at func(K) place, both func(at place, was, is *V)) {
	for _, key := range was.keys {
		if now := is.get(key); now == nil {
			d.found(what, at(key), "gone", change{}, may)
		} else if both != nil {
			both(at(key), was.get(key), now)
		}
	}
	for _, key := range is.keys {
		if was.get(key) == nil {
			d.found(what, at(key), "new", change{}, may)
		}
	}
}

func (d *differ) services() {
	may := lacks{d.old.cut, d.new.cut}.or(d.old.stopped, d.new.stopped)
	keys(d, "operation", may, &d.old.operations, &d.new.operations,
		func(name string) place { return place{parts: []string{name}} }, d.operations)
}

func (d *differ) operations(at place, was, is *operation) {
	d.Operations++
	cut := lacks{d.old.cut, d.new.cut}
	may := cut.or(was.cut, is.cut)
	keys(d, "status", may, &was.statuses, &is.statuses, func(code int) place { return at.with(statusPrefix + strconv.Itoa(code)) }, nil)
	for _, end := range is.ends.keys {
		// Of a client that always canceled nobody knows that there would have been no end.
		if was.ends.get(end) == nil && (len(was.ends.keys) > 0 || end != replay.EndEOF) {
			d.found("end", at.with(endPrefix+string(end)), "new", change{}, cut)
		}
	}
	for _, code := range was.answers.keys {
		if now := is.answers.get(code); now != nil {
			d.answers(answerPlace(at, code), may, was.answers.get(code), now)
		}
	}
}

// answerPlace returns the place of what the answers of an operation have in common.
func answerPlace(operation place, code int) place {
	if code == success {
		return operation
	}
	return operation.with(statusPrefix + strconv.Itoa(code))
}

func (d *differ) answers(at place, may lacks, was, is *answer) {
	keys(d, "media_type", may, &was.mediaTypes, &is.mediaTypes, func(name string) place { return at.with(mediaTypePrefix + name) }, nil)
	if !d.ignored(at) {
		d.uncompared(at, was, is)
	}
	if was.encoded != "" || is.encoded != "" {
		return // whatever is lacking may be in what could not be read
	}
	may = may.or(was.cut, is.cut)
	d.shapes(at, may, &was.body, &is.body)
	keys(d, "event", may, &was.events, &is.events, at.with, func(at place, was, is *shape) {
		d.Events++
		d.shapes(at, may, was, is)
	})
}

// uncompared warns of bodies that could not be read.
func (d *differ) uncompared(at place, was, is *answer) {
	for _, of := range []struct {
		side
		*answer
	}{{d.old, was}, {d.new, is}} {
		if of.encoded != "" {
			d.warn("%s: %v: there are bodies with the Content-Encoding %s, which were not compared; record without compression, or leave them out with --ignore '%v'", of.called, at, of.encoded, at)
		}
		if of.partial && of.body.types == 0 {
			d.warn("%s: %v: no JSON came to its end, and none was compared; record again, or leave it out with --ignore '%v'", of.called, at, at)
		}
	}
	// What is no JSON on one side only is a difference.
	if was.body.types&is.body.types&typeBroken != 0 {
		d.warn("%v: there are bodies in both recordings that are no JSON, as their media type says, or nested too deep to be read, and were not compared; leave them out with --ignore '%v'", at, at)
	}
}

func (d *differ) shapes(at place, may lacks, was, is *shape) {
	d.Paths += compareShapes(was, is, func(path []string, c change) {
		how := "types"
		switch {
		case c.was == 0:
			how = "new"
		case c.is == 0:
			how = "gone"
		}
		d.found("shape", place{at.parts, path}, how, c, may)
	})
}

// ignored returns whether a place is to be left out, and notes by which patterns.
func (d *differ) ignored(at place) bool {
	left := false
	for _, p := range d.ignore {
		if p.matches(at) {
			p.used, left = true, true
		}
	}
	return left
}

// idlePatterns returns the patterns that match nothing of what was compared.
func (d *differ) idlePatterns() (idle []string) {
	unused := func() bool { return slices.ContainsFunc(d.ignore, func(p *ignoring) bool { return !p.used }) }
	for _, s := range []*service{d.old.service, d.new.service} {
		if unused() {
			s.places(func(at place) { d.ignored(at) })
		}
	}
	for _, p := range d.ignore {
		if !p.used {
			idle = append(idle, p.text)
		}
	}
	return idle
}

// places calls visit for each place that a difference may be at. It may not keep the place.
func (s *service) places(visit func(place)) {
	for _, name := range s.operations.keys {
		op, at := s.operations.get(name), place{parts: []string{name}}
		visit(at)
		for _, code := range op.statuses.keys {
			visit(at.with(statusPrefix + strconv.Itoa(code)))
		}
		for _, end := range op.ends.keys {
			visit(at.with(endPrefix + string(end)))
		}
		for _, code := range op.answers.keys {
			a, at := op.answers.get(code), answerPlace(at, code)
			for _, name := range a.mediaTypes.keys {
				visit(at.with(mediaTypePrefix + name))
			}
			a.body.places(at, visit)
			for _, name := range a.events.keys {
				a.events.get(name).places(at.with(name), visit)
			}
		}
	}
}

func (s *shape) places(at place, visit func(place)) {
	visit(at)
	for _, name := range s.members.keys {
		s.members.get(name).places(place{at.parts, append(at.path, name)}, visit)
	}
	if s.elements != nil {
		s.elements.places(place{at.parts, append(at.path, elementsName)}, visit)
	}
}
