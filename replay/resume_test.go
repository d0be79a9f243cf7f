package replay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
)

// texts returns the data of events.
func texts(all []said) (list []string) {
	for _, s := range all {
		list = append(list, s.Data)
	}
	return list
}

// quotedRead is a read of exchange 1 with these bytes, at the moment of the line before.
func quotedRead(s string) string {
	return fmt.Sprintf("= 1 +0 %d\n~%s\n", len(s), strings.NewReplacer("\\", `\\`, "\r", `\r`, "\n", `\n`, "\x00", `\x00`).Replace(s))
}

const openedStream = opened + "< 1 content-type: text/event-stream\n"

// follow asks for the stream, from behind lastEventID where that is not empty, and returns
// the data of its events.
func follow(t testing.TB, door http.RoundTripper, target, lastEventID string) (status int, data []string, err error) {
	t.Helper()
	req := newRequest(t, "GET", target, "Accept", "text/event-stream")
	if lastEventID != "" {
		req.Header.Set("Last-Event-ID", lastEventID)
	}
	res, err := door.RoundTrip(req)
	if err != nil {
		t.Error(err)
		return 0, nil, err
	}
	defer res.Body.Close()
	if kind := res.Header.Get("Content-Type"); res.StatusCode == 200 && kind != "text/event-stream" {
		t.Errorf("the type is %q", kind)
	}
	all, err := listen(res.Body, time.Now())
	return res.StatusCode, texts(all), err
}

// Whatever ends its lines, and wherever its reads cut it, a stream goes on behind the
// event whose ID the client has, with nothing lost and nothing twice.
func TestResumeEverywhere(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		ids          []string // of the events a, b, c, …
	}{
		{"plain", "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n", []string{"1", "2", "3"}},
		{"the id last, types, comments, blank lines", ":\n\n\ndata: a\nid:1\n\nevent: x\ndata: b\nid: two words\n\n: c\n\nretry: 5\nid: 3\ndata: c\n\n:\n\n", []string{"1", "two words", "3"}},
		{"a byte order mark", "\ufeffid: 1\ndata: a\n\nid: 2\ndata: b\n\n", []string{"1", "2"}},
		{"two ids in a block", "id: x\nid: 1\ndata: a\n\nid: y\ndata: b\nid: 2\n\n", []string{"1", "2"}},
		{"an id with NUL is none", "id: 1\ndata: a\nid: 9\x009\n\nid: 2\ndata: b\n\n", []string{"1", "2"}},
		{"ids that begin alike", "id: 1\ndata: a\n\nid: 11\ndata: b\n\nid: 111\ndata: c\n\n", []string{"1", "11", "111"}},
		{"not ASCII", "id: é\ndata: a\n\nid: 名\ndata: b\n\n", []string{"é", "名"}},
		{"a cut event at the end", "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n", []string{"1", "2"}},
	} {
		for _, end := range []string{"\n", "\r", "\r\n"} {
			t.Run(fmt.Sprintf("%s, %q", c.name, end), func(t *testing.T) {
				stream := strings.ReplaceAll(c.stream, "\n", end)
				want := []string{"a", "b", "c"}[:len(c.ids)]
				for cut := 1; cut <= len(stream); cut++ {
					var reads string
					if cut == len(stream) {
						for i := range len(stream) {
							reads += quotedReadBytes(stream[i : i+1])
						}
					} else {
						reads = quotedReadBytes(stream[:cut]) + quotedReadBytes(stream[cut:])
					}
					rec := mustLoad(t, openedStream+reads+eof)
					for _, d := range doors {
						for i, id := range append([]string{""}, c.ids...) {
							status, got, err := follow(t, d.open(rec, replay.Playback{Speed: replay.MaxSpeed}), "/s", id)
							if i == len(c.ids) {
								if status != 204 || len(got) > 0 {
									t.Fatalf("%s, cut at %d: a client that has it all gets %d %q", d.name, cut, status, got)
								}
							} else if status != 200 || err != nil || !slices.Equal(got, want[i:]) {
								t.Fatalf("%s, cut at %d: behind %q come %d %q %v, want %q", d.name, cut, id, status, got, err, want[i:])
							}
						}
					}
				}
			})
		}
	}
}

// quotedReadBytes is quotedRead for any bytes.
func quotedReadBytes(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return fmt.Sprintf("= 1 +0 %d\n~%s\n", len(s), b.String())
}

// Fields in any order, line ends that change from event to event, reads of any size.
func TestResumeByChance(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var stream string
		var want []string
		for i := range 1 + rng.IntN(6) {
			end := []string{"\n", "\r", "\r\n"}[rng.IntN(3)]
			lines := []string{fmt.Sprintf("id: %d", i), fmt.Sprintf("data: e%d", i), "event: t", ":" + strings.Repeat("c", rng.IntN(1500)), "retry: 10", "data"}[:2+rng.IntN(5)]
			rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			stream += strings.Join(lines, end) + end + end
		}
		body := stream
		var reads string
		for body != "" {
			n := 1 + rng.IntN(min(len(body), 12<<rng.IntN(8)))
			reads, body = reads+quotedReadBytes(body[:n]), body[n:]
		}
		all, err := listen(strings.NewReader(stream), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		want = texts(all)
		door := mustLoad(t, openedStream+reads+eof).Transport(replay.Playback{Speed: replay.MaxSpeed})
		for i := range want {
			status, got, err := follow(t, door, "/s", fmt.Sprint(i))
			if i == len(want)-1 && status == 204 && got == nil {
				continue
			}
			if status != 200 || err != nil || !slices.Equal(got, want[i+1:]) {
				t.Fatalf("behind %d come %d %q %v, want %q:\n%q", i, status, got, err, want[i+1:], stream)
			}
		}
	}
}

// cutOften is a stream that the recorder lost twice, and took up again.
const cutOften = version + `> 1 +0 GET /s
< 1 +0 200
< 1 content-type: text/event-stream
= 1 +1
|id: 1
|data: a
|
= 1 +1
|id: 2
|data: b
|
\data: half
. 1 +1 reset
> 2 +3 GET /s
> 2 last-event-id: 2
< 2 +0 200
< 2 content-type: text/event-stream
= 2 +1
|id: 3
|data: c
|
|id: 4
|data: d
|
. 2 +1 reset
> 3 +3 GET /s
> 3 last-event-id: 4
< 3 +0 200
< 3 content-type: text/event-stream
= 3 +1
|id: 5
|data: e
|
. 3 +1 eof
`

func TestResumeRecorded(t *testing.T) {
	for _, c := range []struct {
		id     string
		status int
		want   []string
		err    error
	}{
		{"", 200, []string{"a", "b"}, io.ErrUnexpectedEOF},
		{"1", 200, []string{"b"}, io.ErrUnexpectedEOF},
		{"2", 200, []string{"c", "d"}, io.ErrUnexpectedEOF},
		{"3", 200, []string{"d"}, io.ErrUnexpectedEOF},
		{"4", 200, []string{"e"}, nil},
		{"5", 204, nil, nil},
	} {
		t.Run("behind "+c.id, func(t *testing.T) {
			throughDoors(t, cutOften, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				status, got, err := follow(t, door, "/s", c.id)
				if status != c.status || !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
					t.Errorf("%d %q %v, want %d %q %v", status, got, err, c.status, c.want, c.err)
				}
			})
		})
	}
	t.Run("an exchange that was recorded with the same Last-Event-ID wins", func(t *testing.T) {
		text := version + "> 1 +0 GET /s\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|id: 1\n|data: a\n|\n|id: 2\n|data: b\n|\n. 1 +0 eof\n" +
			"> 2 +0 GET /s\n> 2 last-event-id: 1\n< 2 +0 200\n< 2 content-type: text/event-stream\n= 2 +0\n|data: otherwise\n|\n. 2 +0 eof\n" +
			"> 3 +0 GET /s\n> 3 last-event-id: 2\n< 3 +0 503\n. 3 +0 eof\n"
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			if _, got, err := follow(t, door, "/s", "1"); !slices.Equal(got, []string{"otherwise"}) || err != nil {
				t.Errorf("behind 1 come %q %v", got, err)
			}
			if status, _, _ := follow(t, door, "/s", "2"); status != 503 {
				t.Errorf("behind 2 comes %d", status)
			}
		})
	})
	// It sets the ID that it was asked for with, as an Assembly's streams do: there is no
	// event in front of that.
	t.Run("an exchange that begins with the ID that it was asked for with", func(t *testing.T) {
		text := version + "> 1 +0 GET /s\n> 1 last-event-id: 1\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|id: 1\n|data: a\n|\n|id: 1\n|data: b\n|\n. 1 +0 eof\n"
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			if _, got, err := follow(t, door, "/s", "1"); !slices.Equal(got, []string{"a", "b"}) || err != nil {
				t.Errorf("it gets %q %v", got, err)
			}
		})
	})
	t.Run("the header does not wait for the next event", func(t *testing.T) {
		text := opened + "< 1 content-type: text/event-stream\n= 1 +0\n|id: 1\n|data: a\n|\n= 1 +5\n|id: 2\n|data: b\n|\n" + eof
		synctest.Test(t, func(t *testing.T) {
			req := httptest.NewRequest("GET", "/s", nil)
			req.Header.Set("Last-Event-ID", "1")
			s, _, _ := perform(mustLoad(t, text).Handler(replay.Playback{}), req)
			if len(s.acts) < 2 || s.acts[1] != (act{0, "flush", ""}) {
				t.Errorf("it does %v", s.acts)
			}
		})
	})
	// What broke behind its last event is not over: the client has to come again.
	for _, end := range []string{"reset", "eof", "canceled"} {
		t.Run("behind all of a stream that ended with "+end, func(t *testing.T) {
			text := opened + "< 1 content-type: text/event-stream\n= 1 +0\n|id: 1\n|data: a\n|\n. 1 +0 " + end + "\n"
			throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				status, got, err := follow(t, door, "/s", "1")
				if wantStatus := map[bool]int{true: 200, false: 204}[end == "reset"]; status != wantStatus || len(got) > 0 || (err != nil) != (end == "reset") {
					t.Errorf("%d %q %v", status, got, err)
				}
			})
		})
	}
	t.Run("what is no stream is not resumed", func(t *testing.T) {
		text := opened + "< 1 content-type: text/plain\n= 1 +0\n|id: 1\n|data: a\n|\n|id: 2\n|data: b\n|\n" + eof
		throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			if got := ask(t, door, "GET", "/s", "Last-Event-ID", "1"); got.body != recorded(t, rec, 1) {
				t.Errorf("it is %q", got.body)
			}
		})
	})
}

// take reads n events and gives up the connection.
func take(t testing.TB, door http.RoundTripper, target, lastEventID string, n int) (data []string, ended bool) {
	t.Helper()
	req := newRequest(t, "GET", target)
	if lastEventID != "" {
		req.Header.Set("Last-Event-ID", lastEventID)
	}
	res, err := door.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode == 204 {
		return nil, true
	}
	r := ssewire.NewReader(res.Body)
	for len(data) < n && r.Next() {
		data = append(data, string(r.Event().Data))
	}
	return data, false
}

// An Assembly's stream has one id for all its events. It goes on behind the last whole
// block that the connection before has delivered.
func TestResumeAssembly(t *testing.T) {
	for _, end := range []string{"\n", "\r", "\r\n"} {
		var b strings.Builder
		b.WriteString(version + "> 1 +0 GET " + storyWS + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n")
		quoted := func(s string) {
			s = strings.ReplaceAll(s, "\n", end)
			fmt.Fprintf(&b, "= 1 +1 %d\n~%s\n", len(s), strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(s))
		}
		quoted("id: " + storyID + "\n\n")
		var want []string
		for i := range 6 { // an event in one read, and one in two
			data := fmt.Sprintf(`["s",{"id":"r%d"}]`, i)
			if want = append(want, data); i%2 == 0 {
				quoted("event: assembly_result_finished\ndata: " + data + "\n\n")
			} else {
				quoted("event: assembly_result_finished\ndata: " + data[:5])
				quoted(data[5:] + "\n\n")
			}
		}
		quoted("data: assembly_finished\n\n")
		want = append(want, "assembly_finished")
		b.WriteString(". 1 +1 eof\n")
		t.Run(fmt.Sprintf("%q", end), func(t *testing.T) {
			for each := 1; each <= len(want); each++ {
				t.Run(fmt.Sprintf("%d events at a time", each), func(t *testing.T) {
					throughDoors(t, b.String(), replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
						var got []string
						for id := ""; ; id = storyID {
							data, ended := take(t, door, storyWS, id, each)
							if got = append(got, data...); ended || len(got) > len(want) {
								break
							}
							time.Sleep(3 * time.Second) // as long as EventSource waits
						}
						if !slices.Equal(got, want) {
							t.Errorf("it gets %q, want %q", got, want)
						}
						if status, data, _ := follow(t, door, storyWS, ""); status != 200 || !slices.Equal(data, want) {
							t.Errorf("from its beginning: %d %q", status, data)
						}
						for range 3 {
							if status, data, _ := follow(t, door, storyWS, storyID); status != 204 {
								t.Errorf("behind its end: %d %q, want 204", status, data)
							}
						}
					})
				})
			}
			t.Run("cut in mid-block", func(t *testing.T) {
				throughDoors(t, b.String(), replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
					began := time.Now()
					res, err := door.RoundTrip(newRequest(t, "GET", storyWS))
					if err != nil {
						t.Fatal(err)
					}
					time.AfterFunc(3500*time.Millisecond, func() { res.Body.Close() }) // behind r0 and half of r1
					heard, _ := listen(res.Body, began)
					if !slices.Equal(texts(heard), want[:1]) {
						t.Fatalf("before the cut: %v", heard)
					}
					if _, got, err := follow(t, door, storyWS, storyID); !slices.Equal(got, want[1:]) || err != nil {
						t.Errorf("it goes on with %q %v, want %q", got, err, want[1:])
					}
				})
			})
			t.Run("polled, without a connection before", func(t *testing.T) {
				throughDoors(t, b.String(), replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
					ask(t, door, "GET", storyPath)
					if _, got, err := follow(t, door, storyWS, storyID); !slices.Equal(got, want) || err != nil {
						t.Errorf("it begins with %q %v, want all", got, err)
					}
				})
			})
			t.Run("without a connection before", func(t *testing.T) {
				throughDoors(t, b.String(), replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
					if _, got, err := follow(t, door, storyWS, storyID); !slices.Equal(got, want) || err != nil {
						t.Errorf("it begins with %q %v, want all", got, err)
					}
				})
			})
		})
	}
}

// A connection that was recorded wins, unless the client lacks something of the one before.
func TestResumeAssemblyRecorded(t *testing.T) {
	text := version + "> 1 +0 GET " + storyWS + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +1\n|id: " + storyID + "\n|\n|data: a\n|\n" +
		"= 1 +1\n|data: b\n|\n= 1 +1\n|data: c\n|\n. 1 +0 reset\n" +
		"> 2 +1 GET " + storyWS + "\n> 2 last-event-id: " + storyID + "\n< 2 +0 200\n< 2 content-type: text/event-stream\n= 2 +1\n|id: " + storyID + "\n|\n|data: d\n|\n" +
		"= 2 +1\n|data: e\n|\n. 2 +0 eof\n"
	all := []string{"a", "b", "c", "d", "e"}
	for n := range 4 {
		t.Run(fmt.Sprintf("given up behind %d events", n), func(t *testing.T) {
			throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				got, _ := take(t, door, storyWS, "", n)
				for range 5 {
					time.Sleep(3 * time.Second) // as long as EventSource waits
					status, more, err := follow(t, door, storyWS, storyID)
					if got = append(got, more...); status == 204 || err == nil {
						break
					}
				}
				if !slices.Equal(got, all) {
					t.Errorf("it gets %q, want %q", got, all)
				}
			})
		})
	}
}

// hasty is a stage whose client does something as soon as it has read what is in on.
type hasty struct {
	*stage
	on   string
	then func()
}

func (h hasty) Write(p []byte) (int, error) {
	n, err := h.stage.Write(p)
	if strings.Contains(string(p), h.on) {
		h.then()
	}
	return n, err
}

// A client may connect again as soon as it has read an event, before the server knows that
// it has.
func TestResumeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := mustLoad(t, story).Handler(replay.Playback{})
		var want, got string
		whole, _, _ := perform(h, httptest.NewRequest("GET", storyWS, nil))
		for _, read := range whole.reads() {
			want += read.Data
		}
		ctx, cancel := context.WithCancel(t.Context())
		second := make(chan *stage, 1)
		first := hasty{stage: &stage{began: time.Now(), header: make(http.Header)}, on: "one.jpg", then: func() {
			go func() {
				req := httptest.NewRequest("GET", storyWS, nil)
				req.Header.Set("Last-Event-ID", storyID)
				s, _, _ := perform(h, req)
				second <- s
			}()
			synctest.Wait()
			cancel()
		}}
		h.ServeHTTP(first, httptest.NewRequest("GET", storyWS, nil).WithContext(ctx))
		for _, s := range []*stage{first.stage, <-second} {
			for _, read := range s.reads() {
				got += read.Data
			}
		}
		if got != want {
			t.Errorf("the two connections have\n%s\nwant\n%s", got, want)
		}
	})
}

// Of a recorded read the Transport has delivered what the client has taken: whoever gives up
// within it gets the rest.
func TestResumeWithinRead(t *testing.T) {
	blocks := []string{"id: " + storyID + "\n\ndata: assembly_upload_finished\n\n", "event: assembly_result_finished\ndata: [\"s\",{\"id\":\"r1\"}]\n\n", "data: assembly_finished\n\n"}
	stream := strings.Join(blocks, "")
	text := version + "> 1 +0 GET " + storyWS + "\n< 1 +0 200\n< 1 content-type: text/event-stream\n" + quotedRead(stream) + ". 1 +0 eof\n"
	rest := stream[len(blocks[0]):] // that is to come
	for i, block := range blocks[1:] {
		for into := range len(block) { // bytes of the next block, which has to come again
			transport := mustLoad(t, text).Transport(replay.Playback{Speed: replay.MaxSpeed})
			res, err := transport.RoundTrip(newRequest(t, "GET", storyWS))
			if err != nil {
				t.Fatal(err)
			}
			var taker io.Reader = res.Body
			if into%2 == 0 {
				taker = iotest.OneByteReader(taker)
			}
			if _, err := io.ReadFull(taker, make([]byte, len(stream)-len(rest)+into)); err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			res, err = transport.RoundTrip(newRequest(t, "GET", storyWS, "Last-Event-ID", storyID))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(res.Body); string(got) != rest || err != nil {
				t.Errorf("%d bytes into event %d: it goes on with %q %v, want %q", into, i+2, got, err, rest)
			}
		}
		rest = rest[len(block):]
	}
}

// What a refusal says is none of the stream: the client goes on where it would have.
func TestResumeRefused(t *testing.T) {
	assembly, _, _ := goldenReel(t, "assembly.reel")
	const target = "/ws20219?assembly=55a46ab12179453a8a20921a058b7546"
	p := replay.Playback{Speed: replay.MaxSpeed, Faults: []replay.Fault{replay.Refuse{Status: 511, Times: 3}}}
	throughDoors(t, assembly, p, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		var want []string
		for _, ev := range rec.Events() {
			want = append(want, string(ev.Data))
		}
		_, id, _ := strings.Cut(target, "=")
		for range 3 {
			req := newRequest(t, "GET", target, "Last-Event-ID", id)
			res, err := door.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(res.Body); res.StatusCode != 511 || err != nil {
				t.Errorf("refused, it says %d %q %v", res.StatusCode, text, err)
			}
			res.Body.Close()
		}
		if _, got, err := follow(t, door, target, id); !slices.Equal(got, want) || err != nil {
			t.Errorf("it gets %q %v, want %q", got, err, want)
		}
	})
}

// A stream of no Assembly, too, goes on behind what was delivered of it, where its last ID
// does not say how far that was.
func TestResumeBehindDelivered(t *testing.T) {
	reel := openedStream + quotedRead("id: 1\ndata: a\n\ndata: b\n\ndata: c\n\n") + quotedRead("data: d\n\n") + eof
	for _, tt := range []struct {
		name   string
		faults []replay.Fault
		want   []string // of one connection after the other
	}{
		{"whole", nil, []string{"a b c d", "204"}},
		{"cut between events", []replay.Fault{replay.Cut{At: replay.AtEvent(3)}}, []string{"a b", "c d", "204"}},
		{"cut within an event", []replay.Fault{replay.Cut{At: replay.AtByte(28)}}, []string{"a b", "c d", "204"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			throughDoors(t, reel, replay.Playback{Faults: tt.faults}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				var got []string
				for id := ""; len(got) <= len(tt.want); id = "1" {
					status, data, _ := follow(t, door, "/s", id)
					if status == http.StatusNoContent {
						got = append(got, "204")
						break
					}
					got = append(got, strings.Join(data, " "))
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("it gets %q, want %q", got, tt.want)
				}
				if _, data, _ := follow(t, door, "/s", ""); strings.Join(data, " ") != tt.want[0] {
					t.Errorf("from the beginning it gets %q", data)
				}
			})
		})
	}
}

// Of two clients of one stream none loses events by what the other has got.
func TestResumeBehindOther(t *testing.T) {
	reel := openedStream + quotedRead("id: 1\ndata: a\n\n") + quotedRead("data: b\n\n") + quotedRead("data: c\n\n") + eof
	throughDoors(t, reel, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		if got, _ := take(t, door, "/s", "", 1); !slices.Equal(got, []string{"a"}) {
			t.Fatalf("one gets %q", got)
		}
		if _, got, err := follow(t, door, "/s", ""); !slices.Equal(got, []string{"a", "b", "c"}) || err != nil {
			t.Fatalf("the other gets %q, %v", got, err)
		}
		if _, got, err := follow(t, door, "/s", "1"); !slices.Contains(got, "c") || err != nil {
			t.Errorf("the one that is back gets %q, %v", got, err)
		}
	})
}

// A client that connects again and again gets everything once, and is then told to stop.
func TestResumeClient(t *testing.T) {
	assembly, _, _ := goldenReel(t, "assembly.reel")
	for _, c := range []struct{ name, reel, target string }{
		{"cut twice", cutOften, "/s"},
		{"an Assembly", assembly, "/ws20219?assembly=55a46ab12179453a8a20921a058b7546"},
		{"an Assembly with polls", story, storyWS},
		{"an id each", openedStream + quotedRead("id: 1\ndata: a\n\nid: 2\ndata: b\n\n") + eof, "/s"},
		{"an id for some", openedStream + quotedRead("id: 1\ndata: a\n\ndata: b\n\n") + quotedRead("id: 7\ndata: c\n\n: bye\n\ndata: [DONE]\n\n") + eof, "/s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			throughDoors(t, c.reel, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
				var want, got []string
				for _, ev := range rec.Events() {
					want = append(want, string(ev.Type)+"|"+string(ev.Data)+"|"+string(ev.ID))
				}
				s := ssewire.Client{HTTP: &http.Client{Transport: door}}.Connect(newRequest(t, "GET", c.target))
				defer s.Close()
				for s.Next() && len(got) <= len(want) {
					ev := s.Event()
					got = append(got, string(ev.Type)+"|"+string(ev.Data)+"|"+string(ev.ID))
				}
				if s.Err() != nil || !slices.Equal(got, want) {
					t.Errorf("it gets %v\n%q, want\n%q", s.Err(), got, want)
				}
			})
		})
	}
	// A connection that the client loses at any byte costs no event.
	t.Run("lost anywhere", func(t *testing.T) {
		const stream = "id: 1\ndata: a\n\nid: 2\nevent: x\ndata: b\n\nid: 3\ndata: c\n\n"
		for _, d := range doors {
			for lost := range len(stream) + 1 {
				synctest.Test(t, func(t *testing.T) {
					door := d.open(mustLoad(t, openedStream+quotedRead(stream)+eof), replay.Playback{})
					connections := 0
					flaky := roundTripper(func(req *http.Request) (*http.Response, error) {
						res, err := door.RoundTrip(req)
						if connections++; err == nil && connections == 1 {
							res.Body = lostBody{io.LimitReader(res.Body, int64(lost)), res.Body}
						}
						return res, err
					})
					var got []string
					s := ssewire.Client{HTTP: &http.Client{Transport: flaky}}.Connect(newRequest(t, "GET", "/s"))
					defer s.Close()
					for s.Next() && len(got) < 9 {
						got = append(got, string(s.Event().Data))
					}
					if s.Err() != nil || !slices.Equal(got, []string{"a", "b", "c"}) {
						t.Errorf("%s: lost behind %d bytes, it gets %q %v", d.name, lost, got, s.Err())
					}
				})
			}
		}
	})
}

// lostBody is a body whose connection breaks.
type lostBody struct {
	io.Reader
	io.Closer
}

func (l lostBody) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
