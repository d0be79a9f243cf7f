package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssereel/ssereel/ssewire"
)

const ms = time.Millisecond

// came is a piece, and the moment it came since the request.
type came struct {
	At   time.Duration
	Data string
}

// outcome is what a client makes of a performance.
type outcome struct {
	Status int
	At     time.Duration
	Pieces []came
	End    End
	Ended  time.Duration
}

func (o outcome) body() string {
	var b strings.Builder
	for _, p := range o.Pieces {
		b.WriteString(p.Data)
	}
	return b.String()
}

// recorded returns a recording of one event stream: requested at 1s, answered 40ms
// later; the moments of pieces are since the request.
func recorded(t testing.TB, end End, ended time.Duration, pieces ...came) *player {
	t.Helper()
	var reel bytes.Buffer
	w, err := NewWriter(&reel, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := w.Exchange(time.Second, "GET", "/stream", nil)
	x.Response(time.Second+40*ms, 200, http.Header{"Content-Type": {"text/event-stream"}})
	for _, p := range pieces {
		x.ResponseBody(time.Second+p.At, []byte(p.Data))
	}
	x.End(time.Second+ended, end, nil)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rec, err := Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return newPlayer(rec, Playback{})
}

func (p *player) only() *Exchange { return p.rec.exchanges[0] }

// fromStart returns the performance of the only exchange.
func (p *player) fromStart() *performance { return fleeting(p.play(p.only(), p.only().Sent, 0)) }

// fleeting makes sure that nobody uses what perf returns for longer than he may.
func fleeting(perf *performance) *performance {
	next := perf.next
	var buf []byte
	perf.next = func() (Read, error) {
		for i := range buf {
			buf[i] = '!'
		}
		read, err := next()
		buf = append(buf[:0], read.Data...)
		read.Data = buf
		return read, err
	}
	return perf
}

// enjoy plays perf to its end.
func enjoy(t testing.TB, perf *performance) outcome {
	t.Helper()
	o := outcome{Status: perf.status, At: perf.at}
	for {
		read, err := perf.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		o.Pieces = append(o.Pieces, came{read.At, string(read.Data)})
	}
	if _, err := perf.next(); err != io.EOF {
		t.Errorf("next at the end gives %v", err)
	}
	o.End, o.Ended = perf.end, perf.ended
	return o
}

// An Assembly's stream. Event 3 comes in two reads, events 4 and 5 in one.
const (
	idBlock  = "id: 55a46ab12179453a8a20921a058b7546\n\n"
	event1   = "data: assembly_uploading_finished\n\n"
	event2   = "data: assembly_upload_meta_data_extracted\n\n"
	event3a  = "event: assembly_execution_progress\ndata: {\"progress_comb"
	event3b  = "ined\":31,\"progress_per_original_file\":[]}\n\n"
	event3   = event3a + event3b
	ping     = ": keep-alive\n\n"
	event4   = "event: assembly_result_finished\ndata: [\"thumbs\",{\"id\":\"0c53dea3\",\"name\":\"a.jpg\"}]\n\n"
	event5   = "event: assembly_result_finished\ndata: [\"thumbs\",{\"id\":\"cfdd260b\",\"name\":\"b.jpg\"}]\n\n"
	event6   = "data: assembly_finished\n\n"
	assembly = idBlock + event1 + event2 + event3 + ping + event4 + event5 + event6
)

func assemblyStream(t testing.TB, end End) *player {
	return recorded(t, end, 5000*ms,
		came{100 * ms, idBlock}, came{300 * ms, event1}, came{500 * ms, event2 + event3a}, came{600 * ms, event3b},
		came{2000 * ms, ping}, came{3000 * ms, event4 + event5}, came{4000 * ms, event6})
}

func TestFaults(t *testing.T) {
	const beforeEvent3 = len(idBlock + event1 + event2)
	const beforeEvent4 = len(idBlock + event1 + event2 + event3 + ping)
	var (
		id    = came{100 * ms, idBlock}
		one   = came{300 * ms, event1}
		two   = came{500 * ms, event2 + event3a}
		three = came{600 * ms, event3b}
		beat  = came{2000 * ms, ping}
		both  = came{3000 * ms, event4 + event5}
		last  = came{4000 * ms, event6}
		just2 = came{500 * ms, event2}
	)
	all := []came{id, one, two, three, beat, both, last}
	played := func(end End, ended time.Duration, pieces ...came) outcome {
		return outcome{Status: 200, At: 40 * ms, Pieces: pieces, End: end, Ended: ended}
	}
	asRecorded := played(EndEOF, 5000*ms, all...)

	for _, c := range []struct {
		name   string
		end    End // of the recording, if not EndEOF
		faults []Fault
		want   outcome
	}{
		{name: "none", want: asRecorded},
		{name: "nil", faults: []Fault{nil}, want: asRecorded},

		{name: "cut at an event in mid-piece", faults: []Fault{Cut{At: AtEvent(3)}},
			want: played(EndReset, 500*ms, id, one, just2)},
		{name: "cut at an event that begins a piece, behind a comment", faults: []Fault{Cut{At: AtEvent(4)}},
			want: played(EndReset, 3000*ms, id, one, two, three, beat)},
		{name: "cut at the first event, behind the id", faults: []Fault{Cut{At: AtEvent(1)}},
			want: played(EndReset, 300*ms, id)},
		{name: "cut at an event there is not", faults: []Fault{Cut{At: AtEvent(7)}}, want: asRecorded},
		{name: "cut at event 0", faults: []Fault{Cut{At: AtEvent(0)}}, want: asRecorded},
		{name: "cut at the first byte", faults: []Fault{Cut{At: AtByte(0)}}, want: played(EndReset, 100*ms)},
		{name: "cut at a byte", faults: []Fault{Cut{At: AtByte(int64(beforeEvent3 + 6))}},
			want: played(EndReset, 500*ms, id, one, came{500 * ms, event2 + "event:"})},
		{name: "cut at the end", faults: []Fault{Cut{At: AtByte(int64(len(assembly)))}},
			want: played(EndReset, 5000*ms, all...)},
		{name: "cut behind the end", faults: []Fault{Cut{At: AtByte(int64(len(assembly) + 1))}}, want: asRecorded},
		{name: "cut at a negative byte", faults: []Fault{Cut{At: AtByte(-1)}}, want: asRecorded},
		{name: "cut at a moment between pieces", faults: []Fault{Cut{At: AtTime(550 * ms)}},
			want: played(EndReset, 550*ms, id, one, two)},
		{name: "cut at the moment of a piece", faults: []Fault{Cut{At: AtTime(500 * ms)}},
			want: played(EndReset, 500*ms, id, one)},
		{name: "cut at a moment before the end", faults: []Fault{Cut{At: AtTime(4500 * ms)}},
			want: played(EndReset, 4500*ms, all...)},
		{name: "cut at a moment behind the end", faults: []Fault{Cut{At: AtTime(5001 * ms)}}, want: asRecorded},
		{name: "cut at a moment of waiting in vain", end: EndTimeout, faults: []Fault{Cut{At: AtTime(9000 * ms)}},
			want: played(EndReset, 9000*ms, all...)},
		{name: "cut before the header", faults: []Fault{Cut{At: AtTime(30 * ms)}},
			want: outcome{At: 30 * ms, End: EndReset, Ended: 30 * ms}},
		{name: "cut at the moment of the header, in order", faults: []Fault{Cut{At: AtTime(40 * ms), End: EndEOF}},
			want: outcome{At: 40 * ms, End: EndReset, Ended: 40 * ms}},
		{name: "silent from before the header on", faults: []Fault{Cut{At: AtTime(0), End: EndTimeout}, Rechunk{Size: 1}},
			want: outcome{End: EndTimeout}},
		{name: "cut in order", faults: []Fault{Cut{At: AtEvent(3), End: EndEOF}},
			want: played(EndEOF, 500*ms, id, one, just2)},
		{name: "cut as a client that has enough", faults: []Fault{Cut{At: AtEvent(3), End: EndCanceled}},
			want: played(EndEOF, 500*ms, id, one, just2)},
		{name: "silent for good", faults: []Fault{Cut{At: AtEvent(3), End: EndTimeout}},
			want: played(EndTimeout, 500*ms, id, one, just2)},

		{name: "stall at an event", faults: []Fault{Stall{For: 7000 * ms, At: AtEvent(3)}},
			want: played(EndEOF, 12000*ms, id, one, just2, came{7500 * ms, event3a}, came{7600 * ms, event3b},
				came{9000 * ms, ping}, came{10000 * ms, event4 + event5}, came{11000 * ms, event6})},
		{name: "stall at a byte that begins a piece", faults: []Fault{Stall{For: 10 * ms, At: AtByte(int64(beforeEvent4))}},
			want: played(EndEOF, 5010*ms, id, one, two, three, beat, came{3010 * ms, event4 + event5}, came{4010 * ms, event6})},
		{name: "stall at a moment", faults: []Fault{Stall{For: 10 * ms, At: AtTime(3000 * ms)}},
			want: played(EndEOF, 5010*ms, id, one, two, three, beat, came{3010 * ms, event4 + event5}, came{4010 * ms, event6})},
		{name: "stall before the header", faults: []Fault{Stall{For: 1000 * ms, At: AtTime(0)}, Cut{At: AtEvent(2)}},
			want: outcome{Status: 200, At: 1040 * ms, Pieces: []came{{1100 * ms, idBlock}, {1300 * ms, event1}}, End: EndReset, Ended: 1500 * ms}},
		{name: "stall before the end", faults: []Fault{Stall{For: 1000 * ms, At: AtByte(int64(len(assembly)))}},
			want: played(EndEOF, 6000*ms, all...)},
		{name: "stall for no time", faults: []Fault{Stall{At: AtEvent(3)}, Stall{For: -1, At: AtEvent(2)}}, want: asRecorded},
		{name: "stall for ever", faults: []Fault{Stall{For: forever, At: AtEvent(6)}},
			want: played(EndEOF, forever, id, one, two, three, beat, both, came{forever, event6})},
		{name: "a moment is one of the stalled stream", faults: []Fault{Stall{For: 7000 * ms, At: AtEvent(3)}, Cut{At: AtTime(8000 * ms)}},
			want: played(EndReset, 8000*ms, id, one, just2, came{7500 * ms, event3a}, came{7600 * ms, event3b})},
		{name: "a moment is one of the stream before the stall", faults: []Fault{Cut{At: AtTime(2500 * ms)}, Stall{For: 7000 * ms, At: AtEvent(3)}},
			want: played(EndReset, 9500*ms, id, one, just2, came{7500 * ms, event3a}, came{7600 * ms, event3b}, came{9000 * ms, ping})},

		{name: "rechunk", faults: []Fault{Rechunk{Size: 16}, Cut{At: AtEvent(2)}},
			want: played(EndReset, 500*ms,
				came{100 * ms, "id: 55a46ab12179"}, came{100 * ms, "453a8a20921a058b"}, came{100 * ms, "7546\n\n"},
				came{300 * ms, "data: assembly_u"}, came{300 * ms, "ploading_finishe"}, came{300 * ms, "d\n\n"})},
		{name: "rechunk across blocks", faults: []Fault{Rechunk{Size: 50}, Cut{At: AtByte(int64(beforeEvent4 - len(ping)))}},
			want: played(EndReset, 2000*ms, id, one, came{500 * ms, (event2 + event3a)[:50]}, came{500 * ms, (event2 + event3a)[50:]}, three)},
		{name: "rechunk the chunks", faults: []Fault{Rechunk{Size: 20}, Rechunk{Size: 16}, Cut{At: AtEvent(1)}},
			want: played(EndReset, 300*ms, came{100 * ms, idBlock[:16]}, came{100 * ms, idBlock[16:20]}, came{100 * ms, idBlock[20:36]}, came{100 * ms, idBlock[36:]})},
		{name: "rechunk to more than there is", faults: []Fault{Rechunk{Size: 1 << 30}}, want: asRecorded},

		{name: "duplicate an event of two pieces", faults: []Fault{Duplicate{At: AtEvent(3)}},
			want: played(EndEOF, 5000*ms, id, one, two, came{600 * ms, event3b + event3}, beat, both, last)},
		{name: "duplicate one of two events in a piece", faults: []Fault{Duplicate{At: AtEvent(4)}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, came{3000 * ms, event4 + event4 + event5}, last)},
		{name: "duplicate the last event", faults: []Fault{Duplicate{At: AtEvent(6)}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, both, came{4000 * ms, event6 + event6})},
		{name: "duplicate at a byte of the event", faults: []Fault{Duplicate{At: AtByte(int64(beforeEvent4 + len(event4) - 1))}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, came{3000 * ms, event4 + event4 + event5}, last)},
		{name: "duplicate at a byte of the comment before", faults: []Fault{Duplicate{At: AtByte(int64(beforeEvent4 - 1))}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, came{3000 * ms, event4 + event4 + event5}, last)},
		{name: "duplicate at a moment", faults: []Fault{Duplicate{At: AtTime(501 * ms)}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, came{3000 * ms, event4 + event4 + event5}, last)},
		{name: "duplicate what is stalled", faults: []Fault{Stall{For: 10 * ms, At: AtByte(int64(beforeEvent3 + 7))}, Duplicate{At: AtEvent(3)}},
			want: played(EndEOF, 5010*ms, id, one, came{500 * ms, event2 + event3a[:7]}, came{510 * ms, event3a[7:]}, came{610 * ms, event3b + event3},
				came{2010 * ms, ping}, came{3010 * ms, event4 + event5}, came{4010 * ms, event6})},
		{name: "three times", faults: []Fault{Duplicate{At: AtEvent(6)}, Duplicate{At: AtEvent(6)}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, both, came{4000 * ms, event6 + event6 + event6})},

		{name: "drop an event of two pieces", faults: []Fault{Drop{At: AtEvent(3)}},
			want: played(EndEOF, 5000*ms, id, one, just2, beat, both, last)},
		{name: "drop one of two events in a piece", faults: []Fault{Drop{At: AtEvent(5)}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, came{3000 * ms, event4}, last)},
		{name: "drop three events", faults: []Fault{Drop{At: AtEvent(4)}, Drop{At: AtEvent(5)}, Drop{At: AtEvent(1)}},
			want: played(EndEOF, 5000*ms, id, two, three, beat, last)},
		{name: "drop at the first byte, which is of no event", faults: []Fault{Drop{At: AtByte(0)}},
			want: played(EndEOF, 5000*ms, id, two, three, beat, both, last)},
		{name: "drop one of the duplicates", faults: []Fault{Duplicate{At: AtEvent(4)}, Drop{At: AtEvent(4)}}, want: asRecorded},
		{name: "a position that is gone is not reached", faults: []Fault{Drop{At: AtEvent(4)}, Cut{At: AtEvent(4)}, Stall{For: 1000 * ms, At: AtByte(int64(beforeEvent4 + 1))}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, came{3000 * ms, event5}, last)},
		{name: "positions are those of the recording", faults: []Fault{Drop{At: AtEvent(3)}, Cut{At: AtEvent(4)}},
			want: played(EndReset, 3000*ms, id, one, just2, beat)},

		{name: "reorder two events in a piece", faults: []Fault{Reorder{At: AtEvent(4)}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, came{3000 * ms, event5 + event4}, last)},
		{name: "reorder events with a comment between", faults: []Fault{Reorder{At: AtEvent(3)}},
			want: played(EndEOF, 5000*ms, id, one, just2, beat, came{3000 * ms, event4 + event3 + event5}, last)},
		{name: "reorder behind the last", faults: []Fault{Reorder{At: AtEvent(5)}},
			want: played(EndEOF, 5000*ms, id, one, two, three, beat, came{3000 * ms, event4}, came{4000 * ms, event6 + event5})},
		{name: "reorder with an event of two pieces", faults: []Fault{Reorder{At: AtEvent(2)}},
			want: played(EndEOF, 5000*ms, id, one, came{500 * ms, event3a}, came{600 * ms, event3b + event2}, beat, both, last)},
		{name: "reorder the last", faults: []Fault{Reorder{At: AtEvent(6)}}, want: asRecorded},
		{name: "reorder what is cut", faults: []Fault{Cut{At: AtEvent(3)}, Reorder{At: AtEvent(2)}},
			want: played(EndReset, 500*ms, id, one, just2)},
		{name: "cut what is reordered", faults: []Fault{Reorder{At: AtEvent(3)}, Cut{At: AtEvent(3)}},
			want: played(EndReset, 3000*ms, id, one, just2, beat, came{3000 * ms, event4})},
		{name: "an event further and further", faults: []Fault{Reorder{At: AtEvent(1)}, Reorder{At: AtEvent(1)}},
			want: played(EndEOF, 5000*ms, id, came{500 * ms, event2 + event3a}, came{600 * ms, event3b + event1}, beat, both, last)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.end == "" {
				c.end = EndEOF
			}
			p := assemblyStream(t, c.end)
			set := newFaults(c.faults, 1)
			for range 2 {
				perf := p.fromStart()
				set.inject(p.only(), perf)
				if diff := cmp.Diff(c.want, enjoy(t, perf)); diff != "" {
					t.Error("-want +got\n", diff)
				}
			}
		})
	}
}

// Each fault is told of when it happens, with its place, and when the client has what is in
// front of it.
func TestOnFault(t *testing.T) {
	const beforeEvent3 = int64(len(idBlock + event1 + event2))
	const beforeEvent4 = beforeEvent3 + int64(len(event3+ping))
	for _, c := range []struct {
		name   string
		faults []Fault
		want   []string // the moment, the fault, and how many bytes the client has
	}{
		{name: "none"},
		{"cut", []Fault{Cut{At: AtEvent(3)}}, []string{"500ms cut@event=3 116"}},
		{"cut in order", []Fault{Cut{At: AtByte(100), End: EndEOF}}, []string{"500ms cut=eof@byte=100 100"}},
		{"silent for good", []Fault{Cut{At: AtTime(550 * ms), End: EndTimeout}}, []string{"550ms cut=timeout@time=550ms 172"}},
		{"cut in silence", []Fault{Cut{At: AtTime(4500 * ms)}}, []string{"4.5s cut@time=4.5s 420"}},
		{"cut before the header", []Fault{WrongType{}, Cut{At: AtTime(30 * ms)}}, []string{"30ms cut@time=30ms 0"}},
		{"cut at a place that is drawn", []Fault{Cut{}}, []string{"3s cut@byte=302 302"}},
		{"cut where nothing is", []Fault{Cut{At: AtEvent(7)}, Cut{At: AtTime(time.Hour)}}, nil},
		{"stalled", []Fault{Stall{For: 7000 * ms, At: AtEvent(3)}}, []string{"500ms stall=7s@event=3 116"}},
		{"stalled in front of the end", []Fault{Stall{For: 7000 * ms, At: AtByte(int64(len(assembly)))}}, []string{"5s stall=7s@byte=420 420"}},
		{"stalled before the header", []Fault{WrongType{}, Stall{For: time.Minute, At: AtTime(0)}},
			[]string{"40ms stall=1m0s@time=0s 0", "1m0.04s type=text/html 0"}},
		{"stalled twice at one place", []Fault{Stall{For: 7000 * ms, At: AtEvent(2)}, Stall{For: 3000 * ms, At: AtEvent(2)}},
			[]string{"500ms stall=7s@event=2 73", "7.5s stall=3s@event=2 73"}},
		{"stalled where it is corrupted", []Fault{Corrupt{At: AtByte(int64(len(idBlock + event1)))}, Stall{For: 3000 * ms, At: AtEvent(2)}},
			[]string{"500ms stall=3s@event=2 73", "3.5s corrupt@byte=73 73"}},
		{"stalled before a refusal", []Fault{Stall{For: 3000 * ms, At: AtTime(0)}, Refuse{Status: 503}},
			[]string{"40ms stall=3s@time=0s 0", "3.04s refuse=503 0"}},
		{"stalled twice", []Fault{Stall{For: 2000 * ms, At: AtEvent(6)}, Stall{For: 1000 * ms, At: AtEvent(2)}},
			[]string{"500ms stall=1s@event=2 73", "5s stall=2s@event=6 395"}},
		{"for no time", []Fault{Stall{At: AtEvent(3)}}, nil},
		{"rechunked", []Fault{Rechunk{Size: 7}}, []string{"40ms rechunk=7 0"}},
		{"duplicated", []Fault{Duplicate{At: AtEvent(3)}}, []string{"600ms duplicate@event=3 172"}},
		{"duplicated at a place that is drawn", []Fault{Duplicate{}}, []string{"3s duplicate@event=5 229"}},
		{"three times", []Fault{Duplicate{At: AtEvent(1)}, Duplicate{At: AtEvent(1)}},
			[]string{"300ms duplicate@event=1 38", "300ms duplicate@event=1 38"}},
		{"dropped", []Fault{Drop{At: AtEvent(3)}}, []string{"500ms drop@event=3 116"}},
		{"the last one dropped", []Fault{Drop{At: AtEvent(6)}}, []string{"4s drop@event=6 395"}},
		{"dropped with what else happens to it", []Fault{Corrupt{At: AtByte(beforeEvent3 + 3)}, Drop{At: AtEvent(3)}},
			[]string{"500ms drop@event=3 116", "500ms corrupt@byte=119 116"}},
		{"two dropped in front of a cut", []Fault{Drop{At: AtEvent(1)}, Drop{At: AtEvent(2)}, Cut{At: AtEvent(3)}},
			[]string{"300ms drop@event=1 38", "500ms drop@event=2 38", "500ms cut@event=3 38"}},
		{"dropped behind a cut by time", []Fault{Drop{At: AtEvent(6)}, Cut{At: AtTime(3500 * ms)}}, []string{"3.5s cut@time=3.5s 395"}},
		{"stalled, and cut in the silence", []Fault{Stall{For: 7000 * ms, At: AtEvent(6)}, Cut{At: AtTime(9000 * ms)}},
			[]string{"4s stall=7s@event=6 395", "9s cut@time=9s 395"}},
		{"reordered behind an event of two pieces", []Fault{Reorder{At: AtEvent(2)}, Cut{At: AtTime(550 * ms)}},
			[]string{"500ms reorder@event=2 73", "550ms cut@time=550ms 129"}},
		{"reordered", []Fault{Reorder{At: AtEvent(3)}}, []string{"3s reorder@event=3 130"}},
		{"reordered behind a stall in it", []Fault{Stall{For: 1000 * ms, At: AtByte(beforeEvent3 + 3)}, Reorder{At: AtEvent(3)}},
			[]string{"500ms stall=1s@byte=119 116", "4s reorder@event=3 130"}},
		{"the last one reordered", []Fault{Reorder{At: AtEvent(6)}}, nil},
		{"corrupted", []Fault{Corrupt{At: AtByte(120)}}, []string{"500ms corrupt@byte=120 73"}},
		{"corrupted in an event", []Fault{Corrupt{At: AtEvent(6)}}, []string{"4s corrupt@event=6 395"}},
		{"corrupted and rechunked", []Fault{Corrupt{At: AtByte(beforeEvent4)}, Rechunk{Size: 1}},
			[]string{"40ms rechunk=1 0", "3s corrupt@byte=229 229"}},
		{"corrupted behind a cut", []Fault{Corrupt{At: AtByte(101)}, Cut{At: AtByte(100)}}, []string{"500ms cut@byte=100 100"}},
		{"refused", []Fault{WrongType{}, Refuse{Status: 503}, Cut{At: AtEvent(1)}}, []string{"40ms refuse=503 0"}},
		{"another type", []Fault{WrongType{ContentType: "text/plain"}}, []string{"40ms type=text/plain 0"}},
	} {
		for door, play := range map[string]func(rec *Recording, p Playback, req *http.Request, body io.Writer){
			"Transport": func(rec *Recording, p Playback, req *http.Request, body io.Writer) {
				if resp, err := rec.Transport(p).RoundTrip(req); err == nil {
					io.Copy(body, resp.Body)
				}
			},
			"Handler": func(rec *Recording, p Playback, req *http.Request, body io.Writer) {
				defer func() {
					if err := recover(); err != nil && err != http.ErrAbortHandler {
						t.Error(err)
					}
				}()
				rec.Handler(p).ServeHTTP(bodyWriter{httptest.NewRecorder(), body}, req)
			},
		} {
			t.Run(c.name+"/"+door, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					req := httptest.NewRequestWithContext(ctx, "GET", "/stream", nil)
					var got []string
					begun, body := time.Now(), new(bytes.Buffer)
					p := Playback{Faults: c.faults, Seed: 1, OnFault: func(r *http.Request, x *Exchange, fault Fault) {
						if r != req || x.Number != 1 {
							t.Errorf("it is told of %v and exchange %v", r, x)
						}
						got = append(got, fmt.Sprintf("%v %s %d", time.Since(begun), fault, body.Len()))
					}}
					play(assemblyStream(t, EndEOF).rec, p, req, body)
					if diff := cmp.Diff(c.want, got); diff != "" {
						t.Error("-want +got\n", diff)
					}
				})
			})
		}
	}
}

// A fault that a cancellation comes before does not happen, and is not told of.
func TestOnFaultCanceled(t *testing.T) {
	const id = "55a46ab12179453a8a20921a058b7546"
	reel := "reel 1\n> 1 +0 GET /ws?assembly=" + id + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n" +
		"= 1 +0.1\n|data: assembly_uploading_finished\n|\n= 1 +1\n|data: assembly_upload_meta_data_extracted\n|\n= 1 +1\n|data: assembly_finished\n|\n. 1 +0 eof\n"
	for _, fault := range []Fault{Drop{At: AtEvent(2)}, Corrupt{At: AtEvent(2)}, Stall{For: time.Second, At: AtEvent(2)}} {
		for _, speed := range []float64{1, MaxSpeed} {
			synctest.Test(t, func(t *testing.T) {
				rec, err := Load(strings.NewReader(reel), int64(len(reel)))
				if err != nil {
					t.Fatal(err)
				}
				door := rec.Transport(Playback{Speed: speed, Faults: []Fault{fault}, OnFault: func(_ *http.Request, _ *Exchange, f Fault) {
					t.Errorf("at speed %v it is told of %s", speed, f)
				}})
				resp, err := door.RoundTrip(httptest.NewRequest("GET", "/ws?assembly="+id, nil))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				io.ReadFull(resp.Body, make([]byte, len(event1)))
				if deleted, err := door.RoundTrip(httptest.NewRequest("DELETE", "/assemblies/"+id, nil)); err != nil {
					t.Error(err)
				} else {
					deleted.Body.Close()
				}
				if rest, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(rest), "assembly_error") {
					t.Errorf("the rest is %q, %v", rest, err)
				}
			})
		}
	}
}

// bodyWriter is a ResponseWriter that writes the body elsewhere.
type bodyWriter struct {
	http.ResponseWriter
	body io.Writer
}

func (w bodyWriter) Write(b []byte) (int, error) { return w.body.Write(b) }

// A client that connects again after a cut gets further, and in the end it has all.
func TestFaultsResumed(t *testing.T) {
	p := assemblyStream(t, EndEOF)
	x := p.only()
	behind := func(n int) *performance {
		events := []string{idBlock, event1, event2, event3, ping + event4, event5, event6}
		skipped := strings.Join(events[:n+1], "")
		return p.resume(x, resumption{bytes: int64(len(skipped)), events: n, at: x.Sent + 100*ms}, x.Sent, 0)
	}
	rest := func(n int) string {
		events := []string{event1, event2, event3, ping + event4, event5, event6}
		return strings.Join(events[n:], "")
	}
	in := func(s, part string) int64 { return int64(strings.Index(s, part)) }
	for _, c := range []struct {
		name    string
		fault   Fault
		skipped int
		want    string
	}{
		{"cut where it was cut before", Cut{At: AtEvent(3)}, 2, rest(2)},
		{"cut where it was cut before, with a comment to come", Cut{At: AtEvent(4)}, 3, rest(3)},
		{"cut within the event that it was cut within before", Cut{At: AtByte(in(assembly, "ined"))}, 2, rest(2)},
		{"cut in front of a byte that it has", Cut{At: AtByte(3)}, 2, rest(2)},
		{"cut at an event that it has", Cut{At: AtEvent(1)}, 2, rest(2)},
		{"cut at an event to come", Cut{At: AtEvent(5)}, 3, ping + event4},
		{"cut at a byte to come", Cut{At: AtByte(in(assembly, event5))}, 3, ping + event4},
		{"cut at a moment", Cut{At: AtTime(550 * ms)}, 2, rest(2)},
		{"drop", Drop{At: AtEvent(3)}, 2, rest(3)},
		{"drop an event that it has", Drop{At: AtEvent(2)}, 2, rest(2)},
		{"drop at a byte that it has", Drop{At: AtByte(in(assembly, event2) + 2)}, 2, rest(2)},
		{"drop at its first byte", Drop{At: AtByte(in(assembly, event3))}, 2, rest(3)},
		{"drop at a moment", Drop{At: AtTime(0)}, 2, rest(2)},
		{"duplicate", Duplicate{At: AtEvent(6)}, 5, event6 + event6},
		{"reorder", Reorder{At: AtEvent(5)}, 4, event6 + event5},
	} {
		t.Run(c.name, func(t *testing.T) {
			perf := behind(c.skipped)
			newFaults([]Fault{c.fault}, 1).inject(x, perf)
			if got := enjoy(t, perf).body(); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}

	t.Run("the end of what is late already", func(t *testing.T) {
		perf := p.resume(x, resumption{bytes: int64(len(idBlock)), at: x.Sent}, x.Sent, 9000*ms)
		newFaults([]Fault{Stall{For: 1000 * ms, At: AtByte(x.Size)}}, 1).inject(x, perf)
		if got := enjoy(t, perf).Ended; got != 1000*ms {
			t.Errorf("it ends at %v", got)
		}
	})
	t.Run("a byte order mark is none where the client goes on", func(t *testing.T) {
		p := recorded(t, EndEOF, time.Second, came{50 * ms, event1 + "\xef\xbb\xbf" + event2 + event3 + event4})
		perf := p.resume(p.only(), resumption{bytes: int64(len(event1)), events: 1}, p.only().Sent, 0)
		newFaults([]Fault{Drop{At: AtEvent(2)}}, 1).inject(p.only(), perf)
		if got, want := enjoy(t, perf).body(), "\xef\xbb\xbf"+event2+event4; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
	t.Run("stalled where it was stalled before", func(t *testing.T) {
		perf := behind(2)
		newFaults([]Fault{Stall{For: time.Hour, At: AtEvent(3)}}, 1).inject(x, perf)
		if got := enjoy(t, perf); got.Ended != 4900*ms && got.Ended != 5000*ms {
			t.Errorf("it ends at %v", got.Ended)
		}
	})
	t.Run("refused, it is not stalled in front of its header again", func(t *testing.T) {
		perf := behind(2)
		newFaults([]Fault{Stall{For: time.Hour, At: AtTime(0)}, Cut{At: AtTime(0)}}, 1).inject(x, perf)
		if got := enjoy(t, perf); got.Status != 200 || got.At != 0 || got.body() != rest(2) {
			t.Errorf("it answers %d at %v with %q", got.Status, got.At, got.body())
		}
	})
	t.Run("stall what is late already", func(t *testing.T) {
		perf := p.resume(x, resumption{bytes: int64(len(idBlock)), at: x.Sent}, x.Sent, 3500*ms)
		newFaults([]Fault{Stall{For: 1000 * ms, At: AtEvent(3)}}, 1).inject(x, perf)
		want := []came{{0, event1}, {0, event2}, {1000 * ms, event3a}, {1000 * ms, event3b}, {1000 * ms, ping},
			{1000 * ms, event4 + event5}, {1500 * ms, event6}}
		if diff := cmp.Diff(want, enjoy(t, perf).Pieces); diff != "" {
			t.Error("-want +got\n", diff)
		}
	})
}

func TestFaultsLeaveOthersAlone(t *testing.T) {
	faults := []Fault{Refuse{}, Cut{At: AtByte(0)}, WrongType{}}
	x := &Exchange{Number: 1, StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Size: 2}
	perf := &performance{x: x, status: 200, header: x.Header, next: nothing, end: EndEOF}
	newFaults(faults, 1).inject(x, perf)
	if perf.status != 200 || perf.end != EndEOF || perf.header.Get("Content-Type") != "application/json" {
		t.Errorf("a poll became %+v", perf)
	}

	stream := assemblyStream(t, EndEOF).only()
	perf = &performance{x: stream, status: 204, next: nothing, end: EndEOF}
	newFaults(faults, 1).inject(stream, perf)
	if perf.status != 204 || perf.end != EndEOF {
		t.Errorf("what tells a client to stop became %+v", perf)
	}
}

func TestFaultsOnHeader(t *testing.T) {
	p := assemblyStream(t, EndEOF)
	perf := p.fromStart()
	newFaults([]Fault{WrongType{}, Cut{At: AtEvent(1)}}, 1).inject(p.only(), perf)
	if got := perf.header.Get("Content-Type"); got != "text/html" {
		t.Errorf("the content type is %q", got)
	}
	perf.header = http.Header{"Content-Type": {eventStream}, "X-Other": {"1"}}
	newFaults([]Fault{WrongType{ContentType: "text/plain"}}, 1).inject(p.only(), perf)
	if got := perf.header; got.Get("Content-Type") != "text/plain" || got.Get("X-Other") != "1" {
		t.Errorf("the header is %q", got)
	}
	if got := enjoy(t, perf).body(); got != idBlock {
		t.Errorf("the body is %q", got)
	}
	if !p.only().IsEventStream() {
		t.Error("the recording's own header has changed")
	}

	for _, c := range []struct {
		fault Fault
		keeps bool // the length of the body
		early bool // the header may have to go out on its own
	}{
		{Rechunk{}, true, false}, {Stall{For: 1}, true, true}, {Corrupt{}, true, false}, {Reorder{}, true, true},
		{Cut{}, true, true}, {Cut{End: EndEOF}, false, true}, {Drop{}, false, true}, {Duplicate{}, false, false},
		{Refuse{}, false, false},
	} {
		perf := p.fromStart()
		perf.length, perf.early, perf.trailer = int64(len(assembly)), false, http.Header{"X-Sum": {"1"}}
		perf.interrupt = make(chan struct{})
		newFaults([]Fault{c.fault}, 1).inject(p.only(), perf)
		if kept := perf.length >= 0; kept != c.keeps {
			t.Errorf("%s: the length of the body is announced: %t", c.fault, kept)
		}
		if perf.early != c.early {
			t.Errorf("%s: the header goes out on its own: %t", c.fault, perf.early)
		}
		if _, refused := c.fault.(Refuse); refused && perf.header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: the header is %q", c.fault, perf.header)
		}
		if _, refused := c.fault.(Refuse); refused != (perf.interrupt == nil) {
			t.Errorf("%s: it can be interrupted: %t", c.fault, perf.interrupt != nil)
		}
		enjoy(t, perf)
		_, cut := c.fault.(Cut)
		_, refused := c.fault.(Refuse)
		if gone := perf.trailer == nil; gone != (cut || refused) {
			t.Errorf("%s: the trailer is gone: %t", c.fault, gone)
		}
	}
}

func TestRefuse(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault Refuse
		want  outcome
		after string
	}{
		{"by default", Refuse{}, outcome{503, 40 * ms, []came{{40 * ms, "503 Service Unavailable\n"}}, EndEOF, 40 * ms}, ""},
		{"rate limit", Refuse{Status: 429, RetryAfter: 1500 * ms}, outcome{429, 40 * ms, []came{{40 * ms, "429 Too Many Requests\n"}}, EndEOF, 40 * ms}, "2"},
		{"whole seconds", Refuse{Status: 500, RetryAfter: 3 * time.Second}, outcome{500, 40 * ms, []came{{40 * ms, "500 Internal Server Error\n"}}, EndEOF, 40 * ms}, "3"},
		{"do not come back", Refuse{Status: 204}, outcome{204, 40 * ms, nil, EndEOF, 40 * ms}, ""},
		{"not changed", Refuse{Status: 304}, outcome{304, 40 * ms, nil, EndEOF, 40 * ms}, ""},
		{"the lowest status", Refuse{Status: 200}, outcome{200, 40 * ms, []came{{40 * ms, "200 OK\n"}}, EndEOF, 40 * ms}, ""},
		{"the highest status", Refuse{Status: 599}, outcome{599, 40 * ms, []came{{40 * ms, "599 \n"}}, EndEOF, 40 * ms}, ""},
		{"a status too high", Refuse{Status: 600}, outcome{503, 40 * ms, []came{{40 * ms, "503 Service Unavailable\n"}}, EndEOF, 40 * ms}, ""},
		{"no status", Refuse{Status: 7}, outcome{503, 40 * ms, []came{{40 * ms, "503 Service Unavailable\n"}}, EndEOF, 40 * ms}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := assemblyStream(t, EndEOF)
			perf := p.fromStart()
			newFaults([]Fault{Drop{At: AtEvent(1)}, c.fault, WrongType{}, Cut{At: AtByte(0)}}, 1).inject(p.only(), perf)
			if diff := cmp.Diff(c.want, enjoy(t, perf)); diff != "" {
				t.Error("-want +got\n", diff)
			}
			if got := perf.header.Get("Retry-After"); got != c.after {
				t.Errorf("Retry-After is %q, not %q", got, c.after)
			}
			if perf.header.Get("Content-Type") == "text/html" {
				t.Error("a fault behind it has changed the header")
			}
		})
	}

	t.Run("the first requests for each exchange", func(t *testing.T) {
		p := assemblyStream(t, EndEOF)
		x := p.only()
		other := *x
		set := newFaults([]Fault{Refuse{Times: 2}, Refuse{Status: 429, Times: 1}}, 1)
		for _, x := range []*Exchange{x, &other} {
			var got []int
			for range 5 {
				perf := p.play(x, x.Sent, 0)
				set.inject(x, perf)
				got = append(got, perf.status)
			}
			if diff := cmp.Diff([]int{503, 503, 429, 200, 200}, got); diff != "" {
				t.Error("-want +got\n", diff)
			}
		}
	})

	t.Run("of many at once", func(t *testing.T) {
		p := assemblyStream(t, EndEOF)
		set := newFaults([]Fault{Refuse{Times: 7}}, 1)
		var mu sync.Mutex
		var clients sync.WaitGroup
		refused := 0
		for range 50 {
			clients.Go(func() {
				perf := p.fromStart()
				set.inject(p.only(), perf)
				mu.Lock()
				defer mu.Unlock()
				if perf.status == 503 {
					refused++
				}
			})
		}
		if clients.Wait(); refused != 7 {
			t.Errorf("%d were refused, not 7", refused)
		}
	})
}

func TestCorrupt(t *testing.T) {
	p := assemblyStream(t, EndEOF)
	begin := strings.Index(assembly, event3)
	for _, c := range []struct {
		name     string
		at       Position
		from, to int // bytes that it may be
	}{
		{"a byte", AtByte(99), 99, 100},
		{"the last", AtByte(int64(len(assembly) - 1)), len(assembly) - 1, len(assembly)},
		{"of an event", AtEvent(3), begin, begin + len(event3)},
		{"at a moment", AtTime(550 * ms), begin + len(event3a), begin + len(event3a) + 1},
		{"drawn", Position{}, 0, len(assembly)},
	} {
		t.Run(c.name, func(t *testing.T) {
			places, values := make(map[int]bool), make(map[byte]bool)
			for seed := range uint64(600) {
				perf := p.fromStart()
				newFaults([]Fault{Corrupt{At: c.at}}, seed).inject(p.only(), perf)
				o := enjoy(t, perf)
				got := o.body()
				if len(got) != len(assembly) || len(o.Pieces) != 7 {
					t.Fatalf("%d bytes in %d pieces", len(got), len(o.Pieces))
				}
				var changed []int
				for i := range got {
					if got[i] != assembly[i] {
						changed = append(changed, i)
						values[got[i]] = true
					}
				}
				if len(changed) != 1 || changed[0] < c.from || changed[0] >= c.to {
					t.Fatalf("seed %d: the bytes at %v have changed, not one from %d to %d", seed, changed, c.from, c.to)
				}
				places[changed[0]] = true
			}
			if want := min(c.to-c.from, 80); len(places) < want {
				t.Errorf("all seeds draw from %d places", len(places))
			}
			if len(values) < 150 {
				t.Errorf("all seeds draw from %d values", len(values))
			}
		})
	}
	for _, at := range []Position{AtByte(int64(len(assembly))), AtEvent(7), AtTime(4500 * ms)} {
		perf := p.fromStart()
		newFaults([]Fault{Corrupt{At: at}}, 1).inject(p.only(), perf)
		if enjoy(t, perf).body() != assembly {
			t.Errorf("%s: a byte has changed", at)
		}
	}
}

// Seeds draw every position there is, and about as often.
func TestDrawn(t *testing.T) {
	p := assemblyStream(t, EndEOF)
	events := []string{event1, event2, event3, event4, event5, event6}
	const seeds = 600
	draw := func(f Fault, seed uint64) outcome {
		perf := p.fromStart()
		newFaults([]Fault{f}, seed).inject(p.only(), perf)
		return enjoy(t, perf)
	}
	t.Run("drop", func(t *testing.T) {
		var count [6]int
		for seed := range uint64(seeds) {
			got := draw(Drop{}, seed).body()
			for i, e := range events {
				if got == strings.Replace(assembly, e, "", 1) {
					count[i]++
				}
			}
		}
		for i, n := range count {
			if n < seeds/12 || n > seeds/3 {
				t.Errorf("event %d is drawn %d times of %d", i+1, n, seeds)
			}
		}
	})
	t.Run("two faults, each for itself", func(t *testing.T) {
		both := 0
		for seed := range uint64(seeds) {
			perf := p.fromStart()
			newFaults([]Fault{Drop{}, Drop{}}, seed).inject(p.only(), perf)
			if len(saidIn(t, enjoy(t, perf).body())) == len(events)-2 {
				both++
			}
		}
		if both < seeds/2 {
			t.Errorf("only %d of %d seeds draw two events", both, seeds)
		}
	})
	t.Run("reorder", func(t *testing.T) {
		drawn := make(map[string]bool)
		for seed := range uint64(seeds) {
			drawn[draw(Reorder{}, seed).body()] = true
		}
		if drawn[assembly] || len(drawn) != 5 {
			t.Errorf("%d ways, with the last event among them: %t", len(drawn), drawn[assembly])
		}
	})
	t.Run("cut", func(t *testing.T) {
		var quarter [4]int
		for seed := range uint64(seeds) {
			got := draw(Cut{}, seed)
			if got.End != EndReset || !strings.HasPrefix(assembly, got.body()) || got.body() == assembly {
				t.Fatalf("seed %d: %q ends with %s", seed, got.body(), got.End)
			}
			quarter[4*len(got.body())/len(assembly)]++
		}
		for i, n := range quarter {
			if n < seeds/8 || n > seeds/2 {
				t.Errorf("quarter %d is drawn %d times of %d", i+1, n, seeds)
			}
		}
	})
	t.Run("nothing to draw from", func(t *testing.T) {
		for _, body := range []string{"", ": no event\n\n"} {
			p := recorded(t, EndEOF, 50*ms, came{40 * ms, body})
			for _, f := range []Fault{Drop{}, Duplicate{}, Reorder{}, Rechunk{}, Stall{For: 1}} {
				perf := p.fromStart()
				newFaults([]Fault{f}, 1).inject(p.only(), perf)
				if got := enjoy(t, perf).body(); got != body {
					t.Errorf("%s makes %q of %q", f, got, body)
				}
			}
		}
	})
}

// The same seed does the same to all clients, in whatever order they come.
func TestFaultsAreDeterministic(t *testing.T) {
	faults := []Fault{Rechunk{}, Duplicate{}, Reorder{}, Stall{For: time.Second}, Corrupt{}, Rechunk{}, Cut{}}
	p := assemblyStream(t, EndEOF)
	play := func(set *faultSet) outcome {
		perf := p.fromStart()
		set.inject(p.only(), perf)
		return enjoy(t, perf)
	}
	outcomes := make(map[string]bool)
	for seed := range uint64(20) {
		want := play(newFaults(faults, seed))
		outcomes[fmt.Sprint(want)] = true
		set := newFaults(faults, seed)
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				if diff := cmp.Diff(want, play(set)); diff != "" {
					t.Error("-want +got\n", diff)
				}
			})
		}
		clients.Wait()
	}
	if len(outcomes) != 20 {
		t.Errorf("20 seeds give %d outcomes", len(outcomes))
	}
	if got := play(newFaults(nil, 1)).body(); got != assembly {
		t.Errorf("the recording itself has changed: %q", got)
	}
}

func TestFaultsTellWhatIsReached(t *testing.T) {
	p := assemblyStream(t, EndEOF)
	for _, c := range []struct {
		name   string
		faults []Fault
		want   []int // after each piece, in bytes of the recorded body
	}{
		{"cut", []Fault{Cut{At: AtEvent(3)}}, []int{len(idBlock), len(idBlock + event1), len(idBlock + event1 + event2)}},
		{"duplicate and drop", []Fault{Duplicate{At: AtEvent(1)}, Drop{At: AtEvent(2)}, Cut{At: AtByte(int64(len(assembly) - len(event5+event6)))}},
			[]int{len(idBlock), len(idBlock + event1), len(idBlock + event1 + event2 + event3a), len(idBlock + event1 + event2 + event3),
				len(idBlock + event1 + event2 + event3 + ping), len(idBlock + event1 + event2 + event3 + ping + event4)}},
	} {
		perf := p.fromStart()
		reached := newFaults(c.faults, 1).inject(p.only(), perf)
		var got []int
		for {
			if _, err := perf.next(); err != nil {
				break
			}
			got = append(got, int(reached()))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
	perf := p.fromStart()
	reached := newFaults([]Fault{Refuse{}}, 1).inject(p.only(), perf)
	if read, err := perf.next(); err != nil || len(read.Data) == 0 || reached == nil || reached() != 0 {
		t.Errorf("refuse: %q, %v is told to be of the body", read.Data, err)
	}
	for _, faults := range [][]Fault{nil, {WrongType{}}} {
		if reached := newFaults(faults, 1).inject(p.only(), p.fromStart()); reached != nil {
			t.Errorf("%v: something is told of a body that is as it was", faults)
		}
	}
}

var errUnplugged = errors.New("unplugged")

// What was read before an error is played, and then the error is told.
func TestFaultsAndErrors(t *testing.T) {
	p := assemblyStream(t, EndEOF)
	for _, f := range []Fault{Rechunk{Size: 7}, Duplicate{At: AtEvent(2)}, Drop{At: AtEvent(5)}, Reorder{At: AtEvent(2)}, Stall{For: 1, At: AtByte(5)}, Cut{At: AtTime(time.Hour)}} {
		perf := p.fromStart()
		source, left := perf.next, 3
		perf.next = func() (Read, error) {
			if left--; left < 0 {
				return Read{}, errUnplugged
			}
			return source()
		}
		newFaults([]Fault{f}, 1).inject(p.only(), perf)
		got, err := 0, error(nil)
		for err == nil {
			var read Read
			read, err = perf.next()
			got += len(read.Data)
		}
		want := len(idBlock + event1 + event2 + event3a)
		if f.String() == "duplicate@event=2" {
			want += len(event2)
		}
		if err != errUnplugged || got != want {
			t.Errorf("%s: %d bytes, not %d, and then %v", f, got, want, err)
		}
	}
}

// An event that is too large to be held is left as it is, or dropped as it comes; what
// is behind it counts on.
func TestFaultsOnLargeEvents(t *testing.T) {
	large := "data: " + strings.Repeat("x", maxHeld) + "\n\n"
	body := event1 + large + event2 + ping + event3
	var pieces []came
	for rest, n := body, 1<<20; rest != ""; rest = rest[min(n, len(rest)):] {
		pieces = append(pieces, came{50 * ms, rest[:min(n, len(rest))]})
	}
	p := recorded(t, EndEOF, time.Second, pieces...)
	for _, c := range []struct {
		fault Fault
		want  string
	}{
		{Duplicate{At: AtEvent(2)}, body},
		{Reorder{At: AtEvent(2)}, body},
		{Reorder{At: AtEvent(1)}, large + event1 + event2 + ping + event3},
		{Drop{At: AtEvent(2)}, event1 + event2 + ping + event3},
		{Drop{At: AtByte(100)}, event1 + event2 + ping + event3},
		{Drop{At: AtEvent(3)}, event1 + large + ping + event3},
		{Cut{At: AtEvent(2)}, event1},
		{Cut{At: AtEvent(3)}, event1 + large},
	} {
		perf := p.fromStart()
		newFaults([]Fault{c.fault}, 1).inject(p.only(), perf)
		if got := enjoy(t, perf).body(); got != c.want {
			t.Errorf("%s: %d bytes, not %d", c.fault, len(got), len(c.want))
		}
	}
}

// What is held to have two events change places has a bound, whatever lies between them.
func TestReorderHoldsOnlySoMuch(t *testing.T) {
	for _, c := range []struct {
		name    string
		between int // bytes
		moved   bool
	}{{"little", 1 << 10, true}, {"less than may be held", maxHeld, true}, {"more than may be held", 2*maxHeld + 1<<20, false}} {
		t.Run(c.name, func(t *testing.T) {
			const size = 1 << 16
			pieces := []came{{50 * ms, event1}}
			for n := 0; n < c.between; n += size {
				pieces = append(pieces, came{50 * ms, ": " + strings.Repeat("x", min(size, c.between)-4) + "\n\n"})
			}
			pieces = append(pieces, came{50 * ms, event2 + event3})
			perf := recorded(t, EndEOF, time.Second, pieces...)
			played := perf.fromStart()
			taken, next := 0, played.next
			played.next = func() (Read, error) {
				taken++
				return next()
			}
			newFaults([]Fault{Reorder{At: AtEvent(1)}}, 1).inject(perf.only(), played)
			if _, err := played.next(); err != nil {
				t.Fatal(err)
			}
			if !c.moved && taken > len(pieces)-8 {
				t.Errorf("%d of %d pieces are held", taken, len(pieces))
			}
			if got := enjoy(t, played).body(); strings.HasSuffix(got, event2+event1+event3) != c.moved {
				t.Errorf("it ends with %q", got[max(0, len(got)-200):])
			}
		})
	}
}

// said is an event without its ID, which depends on those before it.
type said struct{ Type, Data string }

func saidIn(t testing.TB, body string) []said {
	t.Helper()
	var all []said
	for ev, err := range ssewire.NewReader(strings.NewReader(body)).All() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, said{string(ev.Type), string(ev.Data)})
	}
	return all
}

// randomStream returns a stream of what streams are made of, and of what they are not.
func randomStream(rng *rand.Rand) string {
	var b strings.Builder
	lines := []string{
		"", "", "", "", "data: assembly_finished", "data:x", "data", "data ", "dat", "datas: x", ": keep-alive",
		"id: 55a46ab12179453a8a20921a058b7546", "event: assembly_result_finished", `data: ["thumbs",{"id":"a"}]`,
		"retry: 10", " data: x", "\xef\xbb", "d", ":", "\xef\xbb\xbfdata: x",
	}
	switch rng.IntN(3) {
	case 0:
		b.WriteString("\xef\xbb\xbf")
	case 1:
		b.WriteString(idBlock)
	case 2:
		// Else without its first event the stream could begin with a byte order mark.
		lines = lines[:len(lines)-1]
	}
	ends := []string{"\n", "\r\n", "\r"}
	style := rng.IntN(4)
	for range rng.IntN(30) {
		b.WriteString(lines[rng.IntN(len(lines))])
		if style == 3 {
			b.WriteString(ends[rng.IntN(3)])
		} else {
			b.WriteString(ends[style])
		}
	}
	if rng.IntN(3) == 0 {
		b.WriteString("data: cut off")
	}
	return b.String()
}

func randomCuts(rng *rand.Rand, body string) []came {
	var pieces []came
	at := 50 * ms
	for most := 1 + rng.IntN(40); body != ""; {
		n := min(rng.IntN(most+1), len(body))
		pieces = append(pieces, came{at, body[:n]})
		body = body[n:]
		at += time.Duration(rng.IntN(3)) * ms
	}
	return pieces
}

// Whatever the stream and however it is cut, a client sees the events that it should.
func TestFaultedEvents(t *testing.T) {
	for round := range uint64(500) {
		rng := rand.New(rand.NewPCG(round, 7))
		body := randomStream(rng)
		want := saidIn(t, body)
		cuts := [2]*player{
			recorded(t, EndEOF, time.Minute, randomCuts(rng, body)...),
			recorded(t, EndEOF, time.Minute, randomCuts(rng, body)...),
		}
		turn := 0
		play := func(f Fault) outcome {
			p := cuts[turn%2]
			turn++
			perf := p.fromStart()
			newFaults([]Fault{f}, round).inject(p.only(), perf)
			return enjoy(t, perf)
		}
		check := func(f Fault, want []said) {
			t.Helper()
			got := play(f).body()
			if diff := cmp.Diff(want, saidIn(t, got)); diff != "" {
				t.Fatalf("%s makes %q of %q: -want +got\n%s", f, got, body, diff)
			}
			if again := play(f).body(); again != got {
				t.Fatalf("%s makes of %q, cut in one way %q\nin another %q", f, body, got, again)
			}
		}
		if got := countEvents(cuts[0].only()); got != len(want) {
			t.Fatalf("%q has %d events, not %d", body, len(want), got)
		}
		for i := range want {
			n := AtEvent(i + 1)
			check(Drop{At: n}, append(append([]said(nil), want[:i]...), want[i+1:]...))
			check(Duplicate{At: n}, append(append([]said(nil), want[:i+1]...), want[i:]...))
			swapped := append([]said(nil), want...)
			if i+1 < len(want) {
				swapped[i], swapped[i+1] = want[i+1], want[i]
			}
			check(Reorder{At: n}, swapped)
			check(Cut{At: n}, append([]said(nil), want[:i]...))
			check(Stall{For: 3 * time.Second, At: n}, want)
		}
		for _, f := range []Fault{Rechunk{Size: 1}, Rechunk{}, Drop{At: AtEvent(len(want) + 1)}} {
			if got := play(f).body(); got != body {
				t.Fatalf("%s makes %q of %q", f, got, body)
			}
		}
		for _, f := range []Fault{Drop{}, Duplicate{}, Reorder{}, Corrupt{}, Cut{}, Stall{For: 1}, Corrupt{At: AtEvent(1)}} {
			if one, other := play(f).body(), play(f).body(); one != other {
				t.Fatalf("%s makes of %q, cut in one way %q\nin another %q", f, body, one, other)
			}
		}
	}
}
