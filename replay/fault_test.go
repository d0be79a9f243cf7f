package replay_test

import (
	"fmt"
	"log"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

func TestParseFault(t *testing.T) {
	for _, c := range []struct {
		text string
		want replay.Fault
		same string // what String gives, where that is something else
	}{
		{text: "cut", want: replay.Cut{}},
		{text: "cut@event=7", want: replay.Cut{At: replay.AtEvent(7)}},
		{text: "cut@byte=100", want: replay.Cut{At: replay.AtByte(100)}},
		{text: "cut@byte=0", want: replay.Cut{At: replay.AtByte(0)}},
		{text: "cut@time=4s", want: replay.Cut{At: replay.AtTime(4 * time.Second)}},
		{text: "cut@time=1m30s", want: replay.Cut{At: replay.AtTime(90 * time.Second)}},
		{text: "cut@time=0.25s", want: replay.Cut{At: replay.AtTime(250 * time.Millisecond)}, same: "cut@time=250ms"},
		{text: "cut=reset@event=7", want: replay.Cut{At: replay.AtEvent(7)}, same: "cut@event=7"},
		{text: "cut=eof@event=7", want: replay.Cut{At: replay.AtEvent(7), End: replay.EndEOF}},
		{text: "cut=timeout", want: replay.Cut{End: replay.EndTimeout}},
		{text: "stall=3s", want: replay.Stall{For: 3 * time.Second}},
		{text: "stall=3s@byte=2048", want: replay.Stall{For: 3 * time.Second, At: replay.AtByte(2048)}},
		{text: "rechunk=1", want: replay.Rechunk{Size: 1}},
		{text: "rechunk=random", want: replay.Rechunk{}},
		{text: "rechunk", want: replay.Rechunk{}, same: "rechunk=random"},
		{text: "duplicate", want: replay.Duplicate{}},
		{text: "duplicate@event=3", want: replay.Duplicate{At: replay.AtEvent(3)}},
		{text: "drop@event=3", want: replay.Drop{At: replay.AtEvent(3)}},
		{text: "drop@time=2s", want: replay.Drop{At: replay.AtTime(2 * time.Second)}},
		{text: "reorder@event=3", want: replay.Reorder{At: replay.AtEvent(3)}},
		{text: "corrupt@byte=99", want: replay.Corrupt{At: replay.AtByte(99)}},
		{text: "corrupt@event=3", want: replay.Corrupt{At: replay.AtEvent(3)}},
		{text: "refuse", want: replay.Refuse{Status: 503}, same: "refuse=503"},
		{text: "refuse=503", want: replay.Refuse{Status: 503}},
		{text: "refuse=204", want: replay.Refuse{Status: 204}},
		{text: "refuse=429x2", want: replay.Refuse{Status: 429, Times: 2}},
		{text: "refuse=429,retry-after=5s", want: replay.Refuse{Status: 429, RetryAfter: 5 * time.Second}},
		{text: "refuse=429x2,retry-after=5s", want: replay.Refuse{Status: 429, Times: 2, RetryAfter: 5 * time.Second}},
		{text: "type=text/html", want: replay.WrongType{ContentType: "text/html"}},
		{text: "type=text/plain; charset=utf-8", want: replay.WrongType{ContentType: "text/plain; charset=utf-8"}},
	} {
		f, err := replay.ParseFault(c.text)
		if err != nil || f != c.want {
			t.Errorf("%q gives %#v, %v, not %#v", c.text, f, err, c.want)
			continue
		}
		if c.same == "" {
			c.same = c.text
		}
		if got := f.String(); got != c.same {
			t.Errorf("%q is written as %q, not %q", c.text, got, c.same)
		}
	}
	for f, want := range map[replay.Fault]string{
		replay.WrongType{}:                  "type=text/html",
		replay.Refuse{Status: 7}:            "refuse=503",
		replay.Rechunk{Size: -1}:            "rechunk=random",
		replay.Cut{End: replay.EndCanceled}: "cut=eof",
	} {
		if got := f.String(); got != want {
			t.Errorf("%#v is written as %q, not %q", f, got, want)
		}
	}
}

// What String gives for a fault that can happen is taken by ParseFault, and means the same.
func TestFaultStringParses(t *testing.T) {
	var faults []replay.Fault
	for _, at := range []replay.Position{
		{}, replay.AtEvent(1), replay.AtEvent(math.MaxInt), replay.AtByte(0), replay.AtByte(math.MaxInt64), replay.AtTime(0), replay.AtTime(1), replay.AtTime(math.MaxInt64),
	} {
		for _, end := range []replay.End{replay.EndUnknown, replay.EndReset, replay.EndEOF, replay.EndTimeout, replay.EndCanceled} {
			faults = append(faults, replay.Cut{At: at, End: end})
		}
		faults = append(faults, replay.Stall{For: 1, At: at}, replay.Stall{For: math.MaxInt64, At: at},
			replay.Duplicate{At: at}, replay.Drop{At: at}, replay.Reorder{At: at}, replay.Corrupt{At: at})
	}
	for _, n := range []int{math.MinInt, -1, 0, 1, 204, 429, 599, 600, math.MaxInt} {
		faults = append(faults, replay.Rechunk{Size: n}, replay.Refuse{Status: n}, replay.Refuse{Times: n},
			replay.Refuse{RetryAfter: time.Duration(n)}, replay.Refuse{Status: n, Times: n, RetryAfter: time.Duration(n)})
	}
	for _, contentType := range []string{"", "text/html", "Text/Plain;charset=utf-8", `text/plain; charset="utf-8"; a="@event=3"`} {
		faults = append(faults, replay.WrongType{ContentType: contentType})
	}
	for _, fault := range faults {
		again, err := replay.ParseFault(fault.String())
		if err != nil || again.String() != fault.String() || reflect.TypeOf(again) != reflect.TypeOf(fault) {
			t.Errorf("%#v, written as %q, gives %#v, %v", fault, fault, again, err)
		}
	}
}

func TestParseFaultErrors(t *testing.T) {
	for text, want := range map[string][]string{
		"":                              {`fault ""`, "no such fault", "cut@event=7"},
		"explode":                       {`fault "explode"`, "there are cut, stall, rechunk, duplicate, drop, reorder, corrupt, refuse and type"},
		"Cut":                           {"no such fault"},
		"cut 7":                         {"no such fault"},
		"cut@":                          {`"" is no position`, "event=N, byte=N or time=T"},
		"cut@7":                         {`"7" is no position`, "event=7"},
		"cut@evnt=7":                    {`"evnt=7" is no position`},
		"cut@event=0":                   {`"0" is no event`, "from 1"},
		"cut@event=+7":                  {`"+7" is no event`},
		"cut@event=x":                   {`"x" is no event`},
		"cut@event=1@byte=2":            {`"1@byte=2" is no event`},
		"cut@byte=-1":                   {`"-1" is no byte`, "from 0"},
		"cut@byte=99999999999999999999": {`is no byte`},
		"cut@time=4":                    {`"4" is no time`, "4s"},
		"cut@time=-4s":                  {`"-4s" is no time`},
		"cut=fin":                       {`"fin" is no way to cut`, "reset", "eof", "timeout"},
		"cut=":                          {`"" is no way to cut`},
		"stall":                         {`"" is no time to stall`, "stall=3s"},
		"stall=3":                       {`"3" is no time to stall`},
		"stall=0s":                      {`"0s" is no time to stall`},
		"stall=-3s":                     {`"-3s" is no time to stall`},
		"rechunk=0":                     {`"0" is no size`, "random"},
		"rechunk=-1":                    {`"-1" is no size`},
		"rechunk=1@event=3":             {"rechunk takes no position"},
		"drop=3":                        {"drop takes no value", "drop@event=3"},
		"duplicate=@event=3":            {"duplicate takes no value"},
		"refuse=42":                     {`"42" is no status`, "200 to 599"},
		"refuse=":                       {`"" is no status`},
		"refuse=429x0":                  {`"0" is no number of requests`, "refuse=429x2"},
		"refuse=429*2":                  {`"429*2" is no status`},
		"refuse=429,5s":                 {`"5s" is not the time`, "refuse=429,retry-after=5s"},
		"refuse=429,retry-after=5":      {`"retry-after=5" is not the time`},
		"refuse=503@event=2":            {"refuse takes no position"},
		"type":                          {"type=text/html"},
		"type=":                         {`"" is no content type`, "type=text/html"},
		"type=html":                     {`"html" is no content type`},
		"type=a/b\r\nx: y":              {"is no content type"},
	} {
		f, err := replay.ParseFault(text)
		if err == nil || f != nil {
			t.Errorf("%q gives %#v, %v", text, f, err)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: the error is %q, without %q", text, err, part)
			}
		}
	}
}

func ExampleParseFault() {
	for _, text := range []string{"stall=3s@event=2", "cut@event=7", "drop@evnt=3"} {
		fault, err := replay.ParseFault(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		switch f := fault.(type) {
		case replay.Stall:
			fmt.Println("silence for", f.For, "before", f.At)
		case replay.Cut:
			fmt.Println("a cut before", f.At)
		default:
			log.Fatal(f)
		}
	}
	// Output:
	// silence for 3s before event=2
	// a cut before event=7
	// replay: fault "drop@evnt=3": "evnt=3" is no position: it is event=N, byte=N or time=T, such as event=7
}
