package replay

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A client that takes up its stream again has heard what came before: whoever asks for the
// Status at that moment is told no less.
func TestRunTakenUpAgain(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	text := "reel 1\n> 1 +0 GET https://api2.example.com/ws20219?assembly=" + id + `
< 1 +0 200
< 1 content-type: text/event-stream
= 1 +0
|id: ` + id + `
|
= 1 +1
|event: assembly_result_finished
|data: ["thumbed",{"id":"r1","name":"one.jpg"}]
|
= 1 +9
|data: assembly_finished
|
. 1 +0 eof
`
	synctest.Test(t, func(t *testing.T) {
		rec, err := Load(strings.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		p := newPlayer(rec, Playback{})
		s := p.stories().byID[id]
		x := s.streams[0]
		r := p.join(s, x.Sent, time.Now())
		r.hangUp(r.open(x, nil, asked{at: time.Now(), anew: true}))
		time.Sleep(5 * time.Second)
		point, err := x.resume(id, x.Size-1) // all but what ends the last block
		if err != nil || point.events != 1 {
			t.Fatalf("it goes on behind %d events, %v", point.events, err)
		}
		r.open(x, &point, asked{at: time.Now(), order: 1})
		if _, document := r.status(time.Now()); !strings.Contains(string(document), "one.jpg") {
			t.Errorf("the Status is %s", document)
		}
	})
}

// The stream that counts is the one that was asked for last, however long a client that came
// before had to wait; and a Status waits for one that is being asked for.
func TestRunOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const id = "0123456789abcdef0123456789abcdef"
		p := newPlayer(mustLoad(t, "reel 1\n> 1 +0 GET https://h/ws1?assembly="+id+"\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|id: "+id+"\n|\n|data: a\n|\n. 1 +0 eof\n"), Playback{})
		s := p.stories().byID[id]
		x := s.streams[0]
		r := p.join(s, x.Sent, time.Now())
		last := r.open(x, nil, asked{at: time.Now(), order: 2, anew: true})
		if r.open(x, &resumption{}, asked{at: time.Now(), order: 1}); r.feed != last {
			t.Error("one that was asked for before takes its place")
		}
		if later := r.open(x, &resumption{}, asked{at: time.Now(), order: 3}); r.feed != later {
			t.Error("one that was asked for later does not")
		}
		r.hangUp(r.feed)
		r.receipts.waiting.Add(1)
		began := time.Now()
		time.AfterFunc(80*time.Millisecond, func() {
			r.receipts.waiting.Add(-1)
			r.wake.Broadcast()
		})
		if r.status(began); time.Since(began) != 80*time.Millisecond {
			t.Errorf("the Status comes after %v", time.Since(began))
		}
	})
}
