package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// faultsValue is what the --fault options add up to.
type faultsValue []replay.Fault

func (f *faultsValue) Set(text string) error {
	fault, err := replay.ParseFault(text)
	if err != nil {
		return cmp.Or(errors.Unwrap(err), err) // less the text, which is said with the option
	}
	*f = append(*f, fault)
	return nil
}

func (f *faultsValue) String() string { return "" }

func (f *faultsValue) Type() string { return "fault" }

// idle tells, a line each, of the faults that cannot happen when rec is served at that speed:
// whoever waits for them should know.
func (f faultsValue) idle(rec *replay.Recording, speed float64) (lines []string) {
	streams := slices.DeleteFunc(slices.Clone(rec.Exchanges()), func(x *replay.Exchange) bool { return !x.IsEventStream() })
	if len(f) > 0 && len(streams) == 0 {
		return []string{"no fault will happen: faults concern event streams, and the recording has none"}
	}
	late := time.Duration(0) // by the faults before
	for _, fault := range f {
		reached := func(x *replay.Exchange) bool { return reaches(x, fault) }
		if kind, at := placeOf(fault); kind == "time" {
			reached = func(x *replay.Exchange) bool { return time.Duration(at)-late <= lasts(x, speed) }
		}
		if !slices.ContainsFunc(streams, reached) {
			lines = append(lines, fmt.Sprintf("%s will not happen: no event stream of the recording %s", fault, lacked(fault, streams)))
		}
		switch fault := fault.(type) {
		case replay.Stall:
			late += min(fault.For, forever-late)
		case replay.Cut:
			if fault.End == replay.EndTimeout {
				late = forever
			}
		}
	}
	return lines
}

// forever is longer than any recording, and still something can be added to it.
const forever = time.Duration(1 << 62)

// lasts returns how long x takes at the most when it is played at that speed. To wait in vain
// has no end.
func lasts(x *replay.Exchange, speed float64) time.Duration {
	if x.End == replay.EndTimeout {
		return forever
	}
	return time.Duration(min(math.Ceil(float64(lastMoment(x)-x.Sent)/speed), float64(forever)))
}

// placeOf returns the place of a fault, as fault.String writes it: event, byte or time, and
// its number, in nanoseconds for a time; "" and 0 where it is drawn.
func placeOf(fault replay.Fault) (kind string, n int64) {
	_, place, _ := strings.Cut(fault.String(), "@")
	kind, value, _ := strings.Cut(place, "=")
	if kind == "time" {
		at, _ := time.ParseDuration(value)
		return kind, int64(at)
	}
	n, _ = strconv.ParseInt(value, 10, 64)
	return kind, n
}

// reaches returns whether x has the place of the fault, if that is an event or a byte, and
// what it needs there.
func reaches(x *replay.Exchange, fault replay.Fault) bool {
	kind, n := placeOf(fault)
	switch fault.(type) {
	case replay.Cut, replay.Stall: // happen in front of the end, too
	case replay.Reorder:
		n++
	default:
		if kind == "byte" {
			n++
		}
	}
	switch kind {
	case "event":
		for range x.Events() {
			if n--; n <= 0 {
				return true
			}
		}
		return false
	case "byte":
		return n <= x.Size
	}
	return true
}

// lacked says what of the place of the fault none of the streams has.
func lacked(fault replay.Fault, streams []*replay.Exchange) string {
	kind, _ := placeOf(fault)
	if kind == "time" {
		return "lasts that long at this --speed"
	}
	what := "has that " + kind
	if _, ok := fault.(replay.Reorder); ok && kind == "event" {
		what = "has an event after that one"
	}
	encoded := func(x *replay.Exchange) bool { return codingOf(x) != "" }
	if kind == "event" && slices.ContainsFunc(streams, encoded) {
		what += ", and none is found where there is a Content-Encoding"
	}
	return what
}
