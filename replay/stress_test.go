package replay_test

import (
	"context"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// A refusal is one line of text, at both doors.
func TestRefuseEnds(t *testing.T) {
	p := replay.Playback{Faults: []replay.Fault{replay.Refuse{Times: 1}}}
	throughDoors(t, story, p, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		began := time.Now()
		res, err := door.RoundTrip(newRequest(t, "GET", storyWS))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, 100)) // it did not end once
		res.Body.Close()
		if err != nil || res.StatusCode != 503 || string(body) != "503 Service Unavailable\n" {
			t.Errorf("refused with %d %q, %v", res.StatusCode, body, err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the refusal took %v", took)
		}
		if got := ask(t, door, "GET", storyWS); got.status != 200 || got.body != recorded(t, rec, 2) {
			t.Errorf("behind the refusal came %d %q", got.status, clip(got.body))
		}
	})
}

// Clients that listen, resume, poll, start, cancel and vanish, all at once and at both
// doors, with faults and without. It is for the race detector; and when they have gone,
// nothing of them is left.
func TestManyClientsOfOneStory(t *testing.T) {
	rec, err := load(story)
	if rec == nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		faults []replay.Fault
	}{
		{"no faults", nil},
		{"events", []replay.Fault{replay.Rechunk{}, replay.Duplicate{}, replay.Reorder{}, replay.Drop{}, replay.Corrupt{}}},
		{"connections", []replay.Fault{replay.Refuse{Times: 20}, replay.Stall{For: time.Millisecond}, replay.Cut{}}},
		{"silence", []replay.Fault{replay.Cut{End: replay.EndTimeout}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			p := replay.Playback{Speed: 1000, Faults: c.faults, Seed: 7}
			server := httptest.NewUnstartedServer(rec.Handler(p))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.Start()
			client := &http.Transport{MaxIdleConnsPerHost: 10}
			doors := []http.RoundTripper{rec.Transport(p), client}
			hosts := []string{"https://api2.example.com", server.URL}
			var clients sync.WaitGroup
			for i := range 80 {
				clients.Go(func() {
					rng := rand.New(rand.NewPCG(uint64(i), 1))
					for range 6 {
						strike(t, rng, doors[i%2], hosts[i%2])
					}
				})
			}
			clients.Wait()
			client.CloseIdleConnections()
			server.Close()
			for wait := time.Millisecond; runtime.NumGoroutine() > before; wait *= 2 {
				if wait > 2*time.Second {
					stacks := make([]byte, 1<<20)
					t.Fatalf("%d goroutines are left of %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
				}
				time.Sleep(wait)
			}
		})
	}
}

// The first request for the status and the first for the stream may come at once: one of
// them begins the run, while the other begins it anew from another moment.
func TestStatusAndStreamBegin(t *testing.T) {
	rec, err := load(story)
	if rec == nil {
		t.Fatal(err)
	}
	for range 300 {
		door := rec.Transport(replay.Playback{Speed: replay.MaxSpeed})
		var clients sync.WaitGroup
		for _, path := range []string{storyPath, storyWS, storyWS} {
			clients.Go(func() {
				res, err := door.RoundTrip(newRequest(t, "GET", path))
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close()
				if res.StatusCode != 200 {
					t.Errorf("%s answers with %d", path, res.StatusCode)
				}
			})
		}
		clients.Wait()
	}
}

// strike makes one request, and reads some of the response at the most.
func strike(t *testing.T, rng *rand.Rand, door http.RoundTripper, host string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.IntN(40))*time.Millisecond)
	defer cancel()
	method, path, body := "GET", storyWS, io.Reader(nil)
	switch rng.IntN(8) {
	case 0:
		method, path = "DELETE", storyPath
	case 1:
		method, path, body = "POST", "/assemblies", strings.NewReader("params={}")
	case 2: // what it sends has no end
		method, path = "POST", "/assemblies/"+strings.Repeat("0", 31)+string('0'+rune(rng.IntN(10)))
		r, w := io.Pipe()
		context.AfterFunc(ctx, func() { w.Close() }) // a net/http.Transport waits for that
		body = r
	case 3, 4:
		path = storyPath
	case 5:
		method = "HEAD"
	}
	req, err := http.NewRequestWithContext(ctx, method, host+path, body)
	if err != nil {
		t.Error(err)
		return
	}
	if rng.IntN(2) == 0 {
		req.Header.Set("Last-Event-ID", storyID)
	}
	res, err := door.RoundTrip(req)
	if err != nil {
		return
	}
	io.CopyN(io.Discard, res.Body, rng.Int64N(2000))
	res.Body.Close()
}

// The body of a request may have no end. It is read as long as the request lasts.
func TestTransportRequestBodyWithoutEnd(t *testing.T) {
	rec, err := load(story)
	if rec == nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, w := io.Pipe()
		req, err := http.NewRequestWithContext(ctx, "POST", "https://api2.example.com/assemblies", r)
		if err != nil {
			t.Fatal(err)
		}
		res, err := rec.Transport(replay.Playback{}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("params")); err != nil {
			t.Error(err)
		}
		res.Body.Close()
		cancel()
		synctest.Wait()
		if _, err := w.Write([]byte("=")); err != io.ErrClosedPipe {
			t.Errorf("behind the end of the request, writing gives %v", err)
			w.Close() // or somebody would wait for ever
		}
	})
}

// What clients call their Assemblies is remembered only where it could be an id: a name
// may be as long as a URL, and there may be thousands of them.
func TestStartWithOddIDs(t *testing.T) {
	throughDoors(t, story, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		for id, status := range map[string]int{"mine": 200, strings.Repeat("x", 129): 404, "a b": 404} {
			target := "/assemblies/" + url.PathEscape(id)
			if got := ask(t, door, "POST", target); got.status != 200 {
				t.Errorf("%.20q is started with %d", id, got.status)
			}
			res, err := door.RoundTrip(newRequest(t, "GET", target))
			if err != nil {
				res = &http.Response{StatusCode: 404, Body: http.NoBody}
			}
			res.Body.Close()
			if res.StatusCode != status {
				t.Errorf("%.20q is asked for with %d, not %d", id, res.StatusCode, status)
			}
		}
	})
}

// interrupted is a reel in memory. What hook is set to is done once, in front of the next
// read of it.
type interrupted struct {
	*strings.Reader
	hook func()
}

func (r *interrupted) ReadAt(p []byte, off int64) (int, error) {
	if hook := r.hook; hook != nil {
		r.hook = nil
		hook()
	}
	return r.Reader.ReadAt(p, off)
}

// A job that is canceled while its stream is being asked for stays as it was canceled: what
// had been told is not taken back.
func TestCanceledWhileStreamOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reel := &interrupted{Reader: strings.NewReader(story)}
		rec, err := replay.Load(reel, int64(len(story)))
		if err != nil {
			t.Fatal(err)
		}
		door := rec.Transport(replay.Playback{})
		first := attend(t, door, storyWS)
		time.Sleep(10 * time.Second)
		if told := first.sofar(); numResults(told) != 1 {
			t.Fatalf("the stream has told %v", told)
		}
		var was reply
		reel.hook = func() { was = ask(t, door, "DELETE", storyPath) }
		// The reel is searched for that ID.
		second := attend(t, door, storyWS, "Last-Event-ID", "unknown")
		<-first.done
		<-second.done
		if got := ask(t, door, "GET", storyPath); was.status != 200 || got.body != was.body || !strings.Contains(was.body, "one.jpg") {
			t.Errorf("it was canceled with\n%s and is\n%s", was.body, got.body)
		}
	})
}
