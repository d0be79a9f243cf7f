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
