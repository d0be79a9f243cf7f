package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ssereel/ssereel/replay"
)

// faultsValue is what the --fault options add up to.
type faultsValue []replay.Fault

func (f *faultsValue) Set(text string) error {
	fault, err := replay.ParseFault(text)
	if err == nil {
		*f = append(*f, fault)
	}
	return err
}

func (f *faultsValue) String() string { return "" }

func (f *faultsValue) Type() string { return "fault" }

// idle tells, a line each, of the faults that cannot happen when rec is served: whoever
// waits for them should know.
func (f faultsValue) idle(rec *replay.Recording) (lines []string) {
	streams := slices.DeleteFunc(slices.Clone(rec.Exchanges()), func(x *replay.Exchange) bool { return !x.IsEventStream() })
	if len(f) > 0 && len(streams) == 0 {
		return []string{"no fault will happen: faults concern event streams, and the recording has none"}
	}
	for _, fault := range f {
		_, place, _ := strings.Cut(fault.String(), "@")
		if !slices.ContainsFunc(streams, func(x *replay.Exchange) bool { return reaches(x, place) }) {
			kind, _, _ := strings.Cut(place, "=")
			lines = append(lines, fmt.Sprintf("%s will not happen: no event stream of the recording has that %s", fault, kind))
		}
	}
	return lines
}

// reaches returns whether x has the place of a fault, as fault.String writes it. Where that
// depends on how x is played it has.
func reaches(x *replay.Exchange, place string) bool {
	kind, value, _ := strings.Cut(place, "=")
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case kind == "event" && err == nil && x.Header.Get("Content-Encoding") == "":
		for range x.Events() {
			if n--; n <= 0 {
				return true
			}
		}
		return false
	case kind == "byte" && err == nil:
		return n <= x.Size
	}
	return true
}
