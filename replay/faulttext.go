package replay

import (
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"time"
)

// ParseFault makes a fault of text, for flags and configurations:
//
//	cut                     break the connection, somewhere
//	cut@event=7             before event 7, counted from 1
//	cut=eof@byte=100        end in order before byte 100, counted from 0
//	cut=timeout@time=4s     fall silent for good, 4 s after the request
//	stall=3s@byte=2048      be silent for 3 s
//	rechunk=1               pieces of a byte
//	rechunk=random          pieces of drawn sizes
//	duplicate@event=3       event 3 twice
//	drop@event=3            no event 3
//	reorder@event=3         event 3 after event 4
//	corrupt@byte=99         byte 99 changed
//	refuse=503              status 503 instead of the response
//	refuse=429x2,retry-after=5s
//	                        the first 2 requests, with the header Retry-After: 5
//	type=text/html          another content type
//
// Any of the positions event=, byte= and time= may come after any @; without one,
// the position is drawn. The error says what is wrong, and what would be right.
//
// The String of a fault is such text, and parses, unless a program has made the fault of
// what ParseFault refuses: event 0, a byte or a time below 0, a stall of no time, or a
// content type that is none.
func ParseFault(text string) (Fault, error) {
	f, err := parseFault(text)
	if err != nil {
		return nil, fmt.Errorf("replay: fault %q: %w", text, err)
	}
	return f, nil
}

func parseFault(text string) (Fault, error) {
	if contentType, ok := strings.CutPrefix(text, "type="); ok {
		return parseWrongType(contentType)
	}
	what, place, hasPlace := strings.Cut(text, "@")
	name, value, hasValue := strings.Cut(what, "=")
	var at Position
	if hasPlace {
		var err error
		if at, err = parsePosition(place); err != nil {
			return nil, err
		}
	}
	var f Fault
	var err error
	takesValue, takesPlace := false, true
	switch name {
	case "cut":
		takesValue = true
		f, err = parseCut(value, hasValue, at)
	case "stall":
		takesValue = true
		d, e := time.ParseDuration(value)
		if e != nil || d <= 0 {
			err = fmt.Errorf("%q is no time to stall for: say stall=3s", value)
		}
		f = Stall{For: d, At: at}
	case "rechunk":
		takesValue, takesPlace = true, false
		f, err = parseRechunk(value, hasValue)
	case "duplicate":
		f = Duplicate{At: at}
	case "drop":
		f = Drop{At: at}
	case "reorder":
		f = Reorder{At: at}
	case "corrupt":
		f = Corrupt{At: at}
	case "refuse":
		takesValue, takesPlace = true, false
		f, err = parseRefuse(value, hasValue)
	case "type":
		err = errors.New("say which content type: type=text/html")
	default:
		err = errNoFault
	}
	switch {
	case err != nil:
		return nil, err
	case hasValue && !takesValue:
		return nil, fmt.Errorf("%s takes no value, only a position, as in %s@event=3", name, name)
	case hasPlace && !takesPlace:
		return nil, fmt.Errorf("%s takes no position: it is for the whole response", name)
	}
	return f, nil
}

var errNoFault = errors.New("there is no such fault: there are cut, stall, rechunk, duplicate, drop, reorder, corrupt, refuse and type, as in cut@event=7")

func parseCut(value string, hasValue bool, at Position) (Fault, error) {
	switch end := End(value); {
	case !hasValue || end == EndReset:
		return Cut{At: at}, nil
	case end == EndEOF || end == EndTimeout:
		return Cut{At: at, End: end}, nil
	}
	return nil, fmt.Errorf("%q is no way to cut: there are reset (the default), eof and timeout", value)
}

func parseRechunk(value string, hasValue bool) (Fault, error) {
	if !hasValue || value == "random" {
		return Rechunk{}, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || !isNumber(value) {
		return nil, fmt.Errorf("%q is no size for pieces: it is a number of bytes, such as 1, or random", value)
	}
	return Rechunk{Size: n}, nil
}

func parseRefuse(value string, hasValue bool) (Fault, error) {
	var f Refuse
	if !hasValue {
		return Refuse{Status: f.status()}, nil
	}
	value, after, hasAfter := strings.Cut(value, ",")
	if hasAfter {
		text, ok := strings.CutPrefix(after, "retry-after=")
		d, err := time.ParseDuration(text)
		if !ok || err != nil || d <= 0 {
			return nil, fmt.Errorf("%q is not the time after which to try again: say refuse=429,retry-after=5s", after)
		}
		f.RetryAfter = d
	}
	status, times, hasTimes := strings.Cut(value, "x")
	if hasTimes {
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 || !isNumber(times) {
			return nil, fmt.Errorf("%q is no number of requests to refuse: say refuse=429x2", times)
		}
		f.Times = n
	}
	n, err := strconv.Atoi(status)
	if err != nil || n < 200 || n > 599 || !isNumber(status) {
		return nil, fmt.Errorf("%q is no status to refuse with: it is from 200 to 599, such as 503", status)
	}
	f.Status = n
	return f, nil
}

func parseWrongType(value string) (Fault, error) {
	mediaType, _, err := mime.ParseMediaType(value)
	if err != nil || !strings.Contains(mediaType, "/") {
		return nil, fmt.Errorf("%q is no content type: say type=text/html", value)
	}
	return WrongType{ContentType: value}, nil
}

// String returns the fault as [ParseFault] takes it, such as "cut@event=7".
func (f Cut) String() string {
	if end := f.end(); end != EndReset {
		return "cut=" + string(end) + place(f.At)
	}
	return "cut" + place(f.At)
}

// String returns the fault as [ParseFault] takes it, such as "stall=3s@byte=2048".
func (f Stall) String() string { return "stall=" + f.For.String() + place(f.At) }

// String returns the fault as [ParseFault] takes it, such as "rechunk=1".
func (f Rechunk) String() string {
	if f.Size <= 0 {
		return "rechunk=random"
	}
	return "rechunk=" + strconv.Itoa(f.Size)
}

// String returns the fault as [ParseFault] takes it, such as "duplicate@event=3".
func (f Duplicate) String() string { return "duplicate" + place(f.At) }

// String returns the fault as [ParseFault] takes it, such as "drop@event=3".
func (f Drop) String() string { return "drop" + place(f.At) }

// String returns the fault as [ParseFault] takes it, such as "reorder@event=3".
func (f Reorder) String() string { return "reorder" + place(f.At) }

// String returns the fault as [ParseFault] takes it, such as "corrupt@byte=99".
func (f Corrupt) String() string { return "corrupt" + place(f.At) }

// String returns the fault as [ParseFault] takes it, such as "refuse=429x2".
func (f Refuse) String() string {
	text := "refuse=" + strconv.Itoa(f.status())
	if f.Times > 0 {
		text += "x" + strconv.Itoa(f.Times)
	}
	if f.RetryAfter > 0 {
		text += ",retry-after=" + f.RetryAfter.String()
	}
	return text
}

// String returns the fault as [ParseFault] takes it, such as "type=text/html".
func (f WrongType) String() string { return "type=" + f.contentType() }

// place returns the position as it stands after a fault.
func place(at Position) string {
	if at == (Position{}) {
		return ""
	}
	return "@" + at.String()
}
