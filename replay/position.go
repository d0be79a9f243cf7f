package replay

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Position is where in a response a [Fault] happens. The zero Position is drawn from
// [Playback.Seed].
//
// Positions are those of the recording, whatever faults before have made of it: one
// that such a fault has taken away, or that the response does not have, is not reached,
// and then nothing happens there. Each fault happens once a response at most.
type Position struct {
	kind positionKind
	n    int64
}

type positionKind uint8

const (
	drawn positionKind = iota
	atEvent
	atByte
	atTime
)

// AtEvent is the position before event n, counted from 1 as a client counts them:
// by the WHATWG rules, events are the blocks with data that a blank line ends. What is
// between two events, such as comments, or the block with nothing but an id that an
// Assembly's stream begins with, comes in front of the later one's position.
func AtEvent(n int) Position { return Position{atEvent, int64(n)} }

// AtByte is the position before byte n of the recorded body, counted from 0. The
// number of its bytes is the position of its end.
func AtByte(n int64) Position { return Position{atByte, n} }

// AtTime is the moment d after the request as the client sees it: at any speed of the
// playback, and with the faults before in it. A response that goes on after a Last-Event-ID
// has passed all moments.
func AtTime(d time.Duration) Position { return Position{atTime, int64(d)} }

// String returns the position as [ParseFault] takes it, such as "event=7"; the zero
// Position is empty.
func (p Position) String() string {
	switch p.kind {
	case atEvent:
		return "event=" + strconv.FormatInt(p.n, 10)
	case atByte:
		return "byte=" + strconv.FormatInt(p.n, 10)
	case atTime:
		return "time=" + time.Duration(p.n).String()
	}
	return ""
}

func parsePosition(text string) (Position, error) {
	kind, value, ok := strings.Cut(text, "=")
	switch {
	case !ok:
	case kind == "event":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 1 && isNumber(value) {
			return Position{atEvent, n}, nil
		}
		return Position{}, fmt.Errorf("%q is no event: they are counted from 1", value)
	case kind == "byte":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && isNumber(value) {
			return Position{atByte, n}, nil
		}
		return Position{}, fmt.Errorf("%q is no byte: they are counted from 0", value)
	case kind == "time":
		if d, err := time.ParseDuration(value); err == nil && d >= 0 {
			return Position{atTime, int64(d)}, nil
		}
		return Position{}, fmt.Errorf("%q is no time since the request, such as 4s or 250ms", value)
	}
	return Position{}, fmt.Errorf("%q is no position: it is event=N, byte=N or time=T, such as event=7", text)
}
