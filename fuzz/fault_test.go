package fuzz_test

import (
	"strings"
	"testing"

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
