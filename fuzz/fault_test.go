package fuzz_test

import (
	"math"
	"mime"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// FuzzParseFault: what is a fault is one again when it has been written, and the same;
// what is none gets an error that quotes it.
func FuzzParseFault(f *testing.F) {
	for _, text := range []string{
		"cut", "cut@event=7", "cut=eof@byte=100", "cut=timeout@time=4s", "stall=3s@byte=2048", "rechunk=1", "rechunk=random",
		"duplicate@event=3", "drop", "reorder@time=1h2m3.5s", "corrupt@byte=99", "refuse", "refuse=429x2,retry-after=5s",
		"type=text/html", `type=text/plain; charset="utf-8"`, "explode", "cut@", "cut@event=0", "refuse=42", "type=@event=3",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := replay.ParseFault(text)
		if err != nil {
			if fault != nil || !strings.HasPrefix(err.Error(), "replay: fault ") {
				t.Fatalf("%q gives %#v and the error %q", text, fault, err)
			}
			return
		}
		again, err := replay.ParseFault(fault.String())
		if err != nil || again != fault {
			t.Fatalf("%q gives %#v, and that, written as %q, gives %#v, %v", text, fault, fault, again, err)
		}
	})
}

// FuzzFaultString: a fault that can happen, however a program has made it, is one again when
// it has been written.
func FuzzFaultString(f *testing.F) {
	for kind := range uint8(9) {
		f.Add(kind, uint8(0), int64(0), int64(3*time.Second), "eof")
		f.Add(kind, uint8(1), int64(7), int64(429), "timeout")
		f.Add(kind, uint8(2), int64(math.MaxInt64), int64(-1), "text/html")
		f.Add(kind, uint8(3), int64(time.Minute), int64(1), `text/plain; charset="utf-8"`)
	}
	f.Fuzz(func(t *testing.T, kind, where uint8, place, n int64, text string) {
		var at replay.Position
		switch where % 4 {
		case 1:
			at = replay.AtEvent(max(1, int(place)))
		case 2:
			at = replay.AtByte(max(0, place))
		case 3:
			at = replay.AtTime(time.Duration(max(0, place)))
		}
		fault := [...]replay.Fault{
			replay.Cut{At: at, End: replay.End(text)},
			replay.Stall{For: time.Duration(max(1, n)), At: at},
			replay.Rechunk{Size: int(n)},
			replay.Duplicate{At: at},
			replay.Drop{At: at},
			replay.Reorder{At: at},
			replay.Corrupt{At: at},
			replay.Refuse{Status: int(n), Times: int(place), RetryAfter: time.Duration(n)},
			replay.WrongType{ContentType: text},
		}[kind%9]
		again, err := replay.ParseFault(fault.String())
		if _, ok := fault.(replay.WrongType); ok && text != "" {
			mediaType, _, invalid := mime.ParseMediaType(text)
			if wrong := invalid != nil || !strings.Contains(mediaType, "/"); wrong != (err != nil) {
				t.Fatalf("the content type %q gives %v", text, err)
			} else if wrong {
				return
			}
		}
		if err != nil || again.String() != fault.String() || reflect.TypeOf(again) != reflect.TypeOf(fault) {
			t.Fatalf("%#v, written as %q, gives %#v, %v", fault, fault, again, err)
		}
	})
}
