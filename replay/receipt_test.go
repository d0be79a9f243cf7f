package replay_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// guest is a client of a stream that stays connected until it is told to leave.
type guest struct {
	t      *testing.T
	door   http.RoundTripper
	target string
	res    *http.Response
	events *ssewire.Reader
}

// comes connects, from behind the events with that ID.
func (g *guest) comes(id string) (status int) {
	g.t.Helper()
	req := newRequest(g.t, "GET", g.target)
	if id != "" {
		req.Header.Set("Last-Event-ID", id)
	}
	res, err := g.door.RoundTrip(req)
	if err != nil {
		g.t.Fatal(err)
	}
	g.res, g.events = res, ssewire.NewReader(res.Body)
	return res.StatusCode
}

// reads returns the data of the next events, up to n of them.
func (g *guest) reads(n int) (data []string) {
	for len(data) < n && g.events.Next() {
		data = append(data, string(g.events.Event().Data))
	}
	return data
}

func (g *guest) leaves() { g.res.Body.Close() }

const toTheEnd = 1 << 20

// Clients of one stream cannot be told apart where all its events have the same ID. None
// costs another one events, whatever it does.
func TestClientsApart(t *testing.T) {
	plain := openedStream + quotedRead("id: abc\n\n")
	for i := range 10 {
		plain += quotedRead(fmt.Sprintf("data: %d\n\n", i))
	}
	plain += eof
	assembly, _, _ := goldenReel(t, "assembly.reel")
	for _, stream := range []struct{ name, reel, target, id string }{
		{"a stream", plain, "/s", "abc"},
		{"an Assembly's", assembly, "/ws20219?assembly=55a46ab12179453a8a20921a058b7546", "55a46ab12179453a8a20921a058b7546"},
	} {
		for _, c := range []struct {
			name  string
			other func(t *testing.T, another func() *guest)
		}{
			{"nobody else comes", func(*testing.T, func() *guest) {}},
			{"another reads all and asks until it is told to stop", func(t *testing.T, another func() *guest) {
				other := another()
				other.comes("")
				other.reads(toTheEnd)
				other.leaves()
				if status := other.comes(stream.id); status != http.StatusNoContent {
					t.Errorf("with all events, it gets %d", status)
				}
				other.leaves()
			}},
			{"another reads more", func(t *testing.T, another func() *guest) {
				other := another()
				other.comes("")
				other.reads(6)
			}},
			{"another says an ID that there is not", func(t *testing.T, another func() *guest) {
				other := another()
				other.comes("nonsense")
				other.reads(toTheEnd)
				other.leaves()
			}},
			{"a thousand read all", func(t *testing.T, another func() *guest) {
				for range 1001 {
					other := another()
					other.comes("")
					other.reads(toTheEnd)
					other.leaves()
				}
			}},
			{"a thousand read some, and do not come back", func(t *testing.T, another func() *guest) {
				for range 1001 {
					other := another()
					other.comes("")
					other.reads(7)
					other.leaves()
				}
			}},
		} {
			t.Run(stream.name+", "+c.name, func(t *testing.T) {
				throughDoors(t, stream.reel, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
					var all []string
					for _, ev := range rec.Events() {
						all = append(all, string(ev.Data))
					}
					another := func() *guest { return &guest{t: t, door: door, target: stream.target} }
					one := another()
					one.comes("")
					got := one.reads(2)
					c.other(t, another)
					one.leaves()
					one.comes(stream.id)
					got = append(got, one.reads(toTheEnd)...)
					one.leaves()
					if len(got) < len(all) || !slices.Equal(got[:2], all[:2]) || !slices.Equal(got[len(got)-len(all)+2:], all[2:]) {
						t.Errorf("it gets %q, want %q", got, all)
					}
				})
			})
		}
	}
}

// untilStopped returns what a client gets over as many connections as it takes, a dozen at most,
// until it is told to stop, which is 204. Its last event ID is that one from the second on.
func untilStopped(t *testing.T, door http.RoundTripper, target, lastEventID string) string {
	t.Helper()
	var got []string
	for id := ""; len(got) < 12; id = lastEventID {
		status, data, _ := follow(t, door, target, id)
		synctest.Wait()
		if status == http.StatusNoContent {
			got = append(got, "204")
			break
		}
		got = append(got, strings.Join(data, " "))
	}
	return strings.Join(got, "|")
}

// onExchange is quotedRead for another exchange than the first.
func onExchange(n int, text string) string {
	return strings.Replace(quotedRead(text), "= 1", fmt.Sprint("= ", n), 1)
}

// Of two clients that have left, the one that has more comes back first. The other one lacks
// nothing for it, whether or not their IDs tell them apart.
func TestClientsComeBackInAnotherOrder(t *testing.T) {
	assembly, _, _ := goldenReel(t, "assembly.reel")
	plain := openedStream
	for i, id := range []string{"id: a\n", "", "", "id: b\n", "", ""} {
		plain += quotedRead(fmt.Sprintf("%sdata: %d\n\n", id, i))
	}
	plain += eof
	for _, c := range []struct{ name, reel, target, idOfLess, idOfMore string }{
		{"one ID", strings.ReplaceAll(plain, "id: b", "id: a"), "/s", "a", "a"},
		{"two IDs", plain, "/s", "a", "b"},
		{"an Assembly's", assembly, "/ws20219?assembly=55a46ab12179453a8a20921a058b7546", "55a46ab12179453a8a20921a058b7546", "55a46ab12179453a8a20921a058b7546"},
	} {
		t.Run(c.name, func(t *testing.T) {
			throughDoors(t, c.reel, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				var all []string
				for _, ev := range rec.Events() {
					all = append(all, string(ev.Data))
				}
				less, more := &guest{t: t, door: door, target: c.target}, &guest{t: t, door: door, target: c.target}
				less.comes("")
				more.comes("")
				got := less.reads(2)
				more.reads(4)
				for _, g := range []*guest{less, more} {
					g.leaves()
					synctest.Wait()
				}
				more.comes(c.idOfMore)
				more.reads(toTheEnd)
				more.leaves()
				synctest.Wait()
				less.comes(c.idOfLess)
				got = append(got, less.reads(toTheEnd)...)
				less.leaves()
				if !slices.Equal(got, all) {
					t.Errorf("it gets %q, want %q", got, all)
				}
			})
		})
	}
}

// A recorded reconnection is not cut again and again before its first event is whole.
func TestRecordedConnectionGetsOn(t *testing.T) {
	reel := openedStream + quotedRead("id: 0\ndata: 1\n\n") + ". 1 +0 reset\n" +
		"> 2 +0 GET /s\n> 2 last-event-id: 0\n< 2 +0 200\n< 2 content-type: text/event-stream\n" + onExchange(2, "data: 2, and some more\n\ndata: 3\n\n") + ". 2 +0 eof\n"
	throughDoors(t, reel, replay.Playback{Speed: replay.MaxSpeed, Faults: []replay.Fault{replay.Cut{At: replay.AtByte(20)}}}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		if got, want := untilStopped(t, door, "/s", "0"), "1|2, and some more 3|204"; got != want {
			t.Errorf("it gets %q, want %q", got, want)
		}
	})
}

// An ID may come again in a later connection: a client that has all is told to stop.
func TestRecordedConnectionsWithAnIDAgain(t *testing.T) {
	reel := openedStream + quotedRead("id: a\ndata: 1\n\n") + ". 1 +0 reset\n" +
		"> 2 +0 GET /s\n> 2 last-event-id: a\n< 2 +0 200\n< 2 content-type: text/event-stream\n" + onExchange(2, "id: b\ndata: 2\n\n") + ". 2 +0 reset\n" +
		"> 3 +0 GET /s\n> 3 last-event-id: b\n< 3 +0 200\n< 3 content-type: text/event-stream\n" + onExchange(3, "id: a\ndata: 3\n\n") + ". 3 +0 eof\n"
	throughDoors(t, reel, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		var got []string
		for _, id := range []string{"", "a", "b", "a"} {
			status, data, _ := follow(t, door, "/s", id)
			synctest.Wait()
			got = append(got, fmt.Sprint(status, data))
		}
		if want := []string{"200 [1]", "200 [2]", "200 [3]", "204 []"}; !slices.Equal(got, want) {
			t.Errorf("it gets %q, want %q", got, want)
		}
	})
}

// A block that a CR has ended has been delivered, though the LF behind it has not.
func TestCutWithinCRLF(t *testing.T) {
	const stream = "id: 1\r\ndata: a\r\n\r\ndata: b\r\n\r\ndata: c\r\n\r\n"
	cut := replay.Cut{At: replay.AtByte(int64(strings.Index(stream, "data: c") - 1))}
	throughDoors(t, openedStream+quotedReadBytes(stream)+eof, replay.Playback{Speed: replay.MaxSpeed, Faults: []replay.Fault{cut}}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		_, got, _ := follow(t, door, "/s", "")
		synctest.Wait()
		_, rest, _ := follow(t, door, "/s", "1")
		if got = append(got, rest...); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("it gets %q", got)
		}
	})
}

// At / a client goes on in the first stream, though another one has a connection with its ID.
func TestRootStaysWithItsStream(t *testing.T) {
	reel := "reel 1\n> 1 +0 GET /a\n< 1 +0 200\n< 1 content-type: text/event-stream\n" + quotedRead("id: 1\ndata: a1\n\nid: 2\ndata: a2\n\n") + ". 1 +0 reset\n" +
		"> 2 +0 GET /b\n> 2 last-event-id: 2\n< 2 +0 200\n< 2 content-type: text/event-stream\n" + onExchange(2, "id: 3\ndata: b3\n\n") + ". 2 +0 eof\n" +
		"> 3 +0 GET /a\n> 3 last-event-id: 2\n< 3 +0 200\n< 3 content-type: text/event-stream\n" + onExchange(3, "id: 3\ndata: a3\n\n") + ". 3 +0 eof\n"
	throughDoors(t, reel, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		var got []string
		for _, id := range []string{"", "2"} {
			res, err := door.RoundTrip(newRequest(t, "GET", "/", "Accept", "text/event-stream", "Last-Event-ID", id))
			if err != nil {
				t.Fatal(err)
			}
			for events := ssewire.NewReader(res.Body); events.Next(); {
				got = append(got, string(events.Event().Data))
			}
			res.Body.Close()
			synctest.Wait()
		}
		if want := []string{"a1", "a2", "a3"}; !slices.Equal(got, want) {
			t.Errorf("it gets %q, want %q", got, want)
		}
	})
}

// HTTP takes the blanks round an ID away, and too long an ID is known to nobody.
func TestOddIDs(t *testing.T) {
	long := strings.Repeat("7", 5000)
	reel := openedStream + quotedRead("id:  1\ndata: a\n\n") + quotedRead("id: 2 \ndata: b\n\n") + quotedRead("id: "+long+"\ndata: c\n\n") + quotedRead("id: 3\t\ndata: d\n\n") + eof
	for _, c := range []struct{ id, want string }{
		{"1", "b c d"}, {" 1", "b c d"}, {"2", "c d"}, {"3", ""}, {long, "a b c d"}, {long[:4<<10-len("id: ")], "a b c d"},
	} {
		throughDoors(t, reel, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
			status, got, _ := follow(t, door, "/s", c.id)
			if all := strings.Join(got, " "); all != c.want || (status == http.StatusNoContent) != (c.want == "") {
				t.Errorf("%.10q: it gets %d, %q, want %q", c.id, status, all, c.want)
			}
		})
	}
}

// Of an Assembly, which begins anew with whoever does so, that is taken for a client that was
// there before, as when a page is loaded again: it gets nothing twice for it.
func TestAssemblyBeginsAnew(t *testing.T) {
	const target, id = "/ws20219?assembly=55a46ab12179453a8a20921a058b7546", "55a46ab12179453a8a20921a058b7546"
	assembly, _, _ := goldenReel(t, "assembly.reel")
	throughDoors(t, assembly, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		take(t, door, target, "", 1)
		synctest.Wait()
		if _, data, err := follow(t, door, target, ""); err != nil || len(data) < 3 {
			t.Fatalf("loaded again, it gets %q, %v", data, err)
		}
		if status, data, _ := follow(t, door, target, id); status != http.StatusNoContent {
			t.Errorf("behind the end it gets %d, %q", status, data)
		}
	})
}

// What a client has is known, however small the pieces are in which it reads, and whatever
// faults happen. One that was refused has got nothing.
func TestClientsAfterFaults(t *testing.T) {
	long := strings.Repeat("x", 2000)
	reel := openedStream + quotedRead("id: a\ndata: 1\n\ndata: 2\n\n") + quotedRead("data: "+long+"\n\n") + quotedRead("data: 4\n\n") + eof
	for _, c := range []struct {
		name   string
		faults []replay.Fault
		first  func(t *testing.T, door http.RoundTripper)
		want   []string // what comes for one that was cut off behind 2
	}{
		{"another reads byte by byte", []replay.Fault{replay.Cut{At: replay.AtByte(1 << 30)}}, func(t *testing.T, door http.RoundTripper) {
			res, err := door.RoundTrip(newRequest(t, "GET", "/s"))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			for b := make([]byte, 1); err == nil; {
				_, err = res.Body.Read(b)
			}
		}, []string{long, "4"}},
		{"another was refused", []replay.Fault{replay.Refuse{Times: 1}, replay.Cut{At: replay.AtEvent(3)}}, func(t *testing.T, door http.RoundTripper) {
			res, err := door.RoundTrip(newRequest(t, "GET", "/s"))
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("it gets %d", res.StatusCode)
			}
		}, []string{long, "4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			throughDoors(t, reel, replay.Playback{Speed: replay.MaxSpeed, Faults: c.faults}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
				c.first(t, door)
				if got, _ := take(t, door, "/s", "", 2); !slices.Equal(got, []string{"1", "2"}) {
					t.Fatalf("it gets %q", got)
				}
				if _, got, _ := follow(t, door, "/s", "a"); !slices.Equal(got, c.want) {
					t.Errorf("it gets %q behind that, want %q", got, c.want)
				}
			})
		})
	}
}

// A request that is refused starts nothing: the Assembly goes on as it did, or not at all.
func TestRefusedStreamStartsNothing(t *testing.T) {
	throughDoors(t, story, replay.Playback{Faults: []replay.Fault{replay.Refuse{}}}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		state := func() status.State {
			return ask(t, door, "GET", "/assemblies/"+storyID).assembly(t, storyID).State
		}
		state()
		time.Sleep(5 * time.Second)
		before := state()
		if reply := ask(t, door, "GET", storyWS); reply.status != http.StatusServiceUnavailable {
			t.Fatalf("the stream is answered with %d", reply.status)
		}
		if after := state(); after != before || before == status.AssemblyUploading {
			t.Errorf("the Assembly goes from %s to %s", before, after)
		}
	})
}

// A HEAD is no request for the stream, which faults happen to.
func TestFaultsSpareHead(t *testing.T) {
	reel := openedStream + quotedRead("data: a\n\n") + eof
	throughDoors(t, reel, replay.Playback{Faults: []replay.Fault{replay.Refuse{Times: 1}}}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		for _, want := range []struct {
			method string
			status int
		}{{"HEAD", 200}, {"HEAD", 200}, {"GET", 503}, {"GET", 200}} {
			res, err := door.RoundTrip(newRequest(t, want.method, "/s"))
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != want.status {
				t.Errorf("%s is answered with %d, want %d", want.method, res.StatusCode, want.status)
			}
		}
	})
}

// A client that comes back where another connection was recorded, with the ID that all events
// have, gets what it lacks of the one before, then the other, and is then told to stop.
func TestRecordedConnectionsWithOneID(t *testing.T) {
	stream := func(path string) string {
		r := strings.NewReplacer("/s", path)
		x1 := openedStream + quotedRead("id: "+storyID+"\ndata: 0\n\ndata: 1\n\n") + quotedRead("data: 2\n\n") + ". 1 +0 reset\n"
		x2 := "> 2 +0 GET /s\n> 2 last-event-id: " + storyID + "\n< 2 +0 200\n< 2 content-type: text/event-stream\n" +
			strings.ReplaceAll(quotedRead("id: "+storyID+"\ndata: 3\n\ndata: 4\n\n"), "= 1", "= 2") + ". 2 +0 reset\n"
		x3 := "> 3 +0 GET /s\n> 3 last-event-id: " + storyID + "\n< 3 +0 200\n< 3 content-type: text/event-stream\n" +
			strings.ReplaceAll(quotedRead("data: 5\n\n")+quotedRead("data: 6\n\n"), "= 1", "= 3") + ". 3 +0 eof\n"
		return r.Replace(x1 + x2 + x3)
	}
	for _, target := range []string{"/s", "/ws1?assembly=" + storyID} {
		for _, c := range []struct {
			name   string
			faults []replay.Fault
			want   string
		}{
			{"no fault", nil, "0 1 2|3 4|5 6|204"},
			{"cut", []replay.Fault{replay.Cut{At: replay.AtEvent(2)}}, "0|1 2|3|4|5|6|204"},
		} {
			t.Run(target+", "+c.name, func(t *testing.T) {
				throughDoors(t, stream(target), replay.Playback{Speed: replay.MaxSpeed, Faults: c.faults}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
					if all := untilStopped(t, door, target, storyID); all != c.want {
						t.Errorf("it gets %q, want %q", all, c.want)
					}
				})
			})
		}
	}
}
