package reeltest_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/replay/reeltest"
	"github.com/ssereel/ssereel/ssewire"
)

// A test whose requests are recorded once, and answered from the reel from then on.
func ExampleClient() {
	_ = func(t *testing.T) { // TestTranscode
		client := reeltest.Client(t, "testdata/transcode.reel")
		res, err := client.Get("https://api2.example/assemblies/55a46ab12179453a8a20921a058b7546")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
}

// A test of what a program makes of a stream that breaks before its seventh event. It plays at
// the recorded pace, which takes no time in a bubble.
func ExampleClientWith() {
	t := new(testing.T) // in a test, its own
	synctest.Test(t, func(t *testing.T) {
		client := reeltest.ClientWith(t, "../../testdata/assembly.reel", replay.ReelOptions{
			Playback: replay.Playback{Faults: []replay.Fault{replay.Cut{At: replay.AtEvent(7)}}},
		})
		began := time.Now()
		res, err := client.Get("https://api2-hu268ep.transloadit.com/ws20219?assembly=55a46ab12179453a8a20921a058b7546")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		events := 0
		r := ssewire.NewReader(res.Body) // the program
		for r.Next() {
			events++
		}
		fmt.Println(events, "events, and no more after", time.Since(began))
		fmt.Println("broken:", errors.Is(r.Err(), io.ErrUnexpectedEOF))
	})
	// Output:
	// 6 events, and no more after 8.102s
	// broken: true
}

// A stream is answered from its reel.
func TestClient(t *testing.T) {
	client := reeltest.Client(t, "../../testdata/assembly.reel")
	res, err := client.Get(streamURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	stream, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(stream), "assembly_finished") {
		t.Errorf("%.200q, %v", stream, err)
	}
}

// A test that brings its own server is answered from the reel, though the server has another
// port at the next run.
func TestClientOwnServer(t *testing.T) {
	name := filepath.Join(t.TempDir(), "own.reel")
	for run := range 2 {
		t.Run(fmt.Sprint("run ", run), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "run ", run)
			}))
			defer server.Close()
			res, err := reeltest.Client(t, name).Get(server.URL + "/hello")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); string(body) != "run 0" || err != nil {
				t.Errorf("%q, %v", body, err)
			}
		})
	}
}

// A stream at the recorded pace: in a bubble, minutes take no time.
func TestClientWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := reeltest.ClientWith(t, "../../testdata/assembly.reel", replay.ReelOptions{})
		began := time.Now()
		res, err := client.Get(streamURL(t))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.ReadAll(res.Body); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 12385*time.Millisecond {
			t.Errorf("it is played in %v, want 12.385s as in the reel", took)
		}
	})
}

// streamURL returns the URL of the stream in the reel.
func streamURL(t *testing.T) string {
	t.Helper()
	rec, err := replay.Open("../../testdata/assembly.reel")
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	for _, x := range rec.Exchanges() {
		if x.IsEventStream() {
			return x.URL
		}
	}
	t.Fatal("there is no stream in the reel")
	return ""
}

// observed is a test that is watched: it may fail, or be skipped.
type observed struct {
	testing.TB
	name     string // if it is not that of TB
	outcome  string // how it is to end, if not well
	faults   []replay.Fault
	onFault  func(*http.Request, *replay.Exchange, replay.Fault)
	cleanups []func()
	log      []string // of all that it says
	failed   bool
}

func (o *observed) Helper()                   {}
func (o *observed) Name() string              { return cmp.Or(o.name, o.TB.Name()) }
func (o *observed) Cleanup(f func())          { o.cleanups = append(o.cleanups, f) }
func (o *observed) Failed() bool              { return o.failed || o.outcome == "fails" }
func (o *observed) Skipped() bool             { return o.outcome == "is skipped" }
func (o *observed) Log(args ...any)           { o.log = append(o.log, fmt.Sprint(args...)) }
func (o *observed) Logf(f string, a ...any)   { o.Log(fmt.Sprintf(f, a...)) }
func (o *observed) Error(args ...any)         { o.Log(args...); o.failed = true }
func (o *observed) Errorf(f string, a ...any) { o.Error(fmt.Sprintf(f, a...)) }

type fatal struct{}

func (o *observed) Fatal(args ...any) {
	o.Error(args...)
	panic(fatal{})
}

// do runs a test.
func (o *observed) do(test func()) {
	defer func() {
		for _, f := range o.cleanups {
			f()
		}
		if r := recover(); r != nil && r != (fatal{}) {
			panic(r)
		}
	}()
	test()
}

// run runs a test of one request to the server.
func (o *observed) run(name, url string) (body string, err error) {
	o.do(func() {
		client := reeltest.ClientWith(o, name, replay.ReelOptions{Playback: replay.Playback{Speed: replay.MaxSpeed, Faults: o.faults, OnFault: o.onFault}})
		body, err = get(client, url)
	})
	return body, err
}

func get(client *http.Client, url string) (body string, err error) {
	res, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func newServer(t *testing.T) (url string, requests *int) {
	requests = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		*requests++
		fmt.Fprintf(w, "answer %d", *requests)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// What a test has recorded is a reel if the test passes, and only then.
func TestClientOutcome(t *testing.T) {
	t.Setenv("SSEREEL_MODE", "")
	for _, c := range []struct {
		outcome string
		kept    bool
	}{{"", true}, {"fails", false}, {"is skipped", false}} {
		url, requests := newServer(t)
		name := filepath.Join(t.TempDir(), "testdata", "my.reel")
		first := &observed{TB: t, outcome: c.outcome}
		if got, err := first.run(name, url); got != "answer 1" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		log := strings.Join(first.log, "\n")
		if _, err := os.Stat(name); (err == nil) != c.kept {
			t.Errorf("a test that %s leaves a reel: %v", c.outcome, err)
		}
		if (log == "") != c.kept || !c.kept && !strings.Contains(log, "is not in "+name+" but in "+name+".part") || first.failed {
			t.Errorf("it says %q", log)
		}
		if !c.kept {
			if rec, err := replay.Open(name + ".part"); err != nil || !rec.Sealed() {
				t.Errorf("what it recorded is lost: %v", err)
			}
		}
		for range 2 { // which pass
			next := &observed{TB: t}
			got, err := next.run(name, url)
			if want := fmt.Sprintf("answer %d", *requests); got != want || err != nil || next.log != nil {
				t.Errorf("%q, %v, %v", got, err, next.log)
			}
		}
		if want := map[bool]int{true: 1, false: 2}[c.kept]; *requests != want {
			t.Errorf("%d requests, want %d", *requests, want)
		}
	}
}

// The variable sets the mode; a mode that does not exist fails the test and says why.
func TestClientMode(t *testing.T) {
	url, requests := newServer(t)
	name := filepath.Join(t.TempDir(), "my.reel")
	for _, c := range []struct {
		mode, want string // the answer, or what the test says
	}{
		{"replay", "record it in mode once"},
		{"passthrough", "answer 1"},
		{"once", "answer 2"},
		{"", "answer 2"},
		{"replay", "answer 2"},
		{"auto", "answer 2"},
		{"record", "answer 3"},
		{"replay", "answer 3"},
		{"passthrough", "answer 4"},
		{"play", `there is no mode "play"`},
	} {
		t.Setenv("SSEREEL_MODE", c.mode)
		o := &observed{TB: t}
		got, err := o.run(name, url)
		log := strings.Join(o.log, "\n")
		if isAnswer := strings.HasPrefix(c.want, "answer"); isAnswer && (got != c.want || err != nil || o.failed) ||
			!isAnswer && (!o.failed || !strings.Contains(log, c.want) || !strings.Contains(log, "(SSEREEL_MODE="+c.mode+")")) {
			t.Errorf("mode %q: %q, %v, %s", c.mode, got, err, log)
		}
	}
	if *requests != 4 {
		t.Errorf("%d requests", *requests)
	}
}

// A second test would overwrite what another one has recorded, and does not. The same test may
// run again.
func TestClientOneReel(t *testing.T) {
	url, requests := newServer(t)
	run := func(t *testing.T, test, name, wantLog string) {
		t.Helper()
		o := &observed{TB: t, name: test}
		got, err := o.run(name, url)
		log := strings.Join(o.log, "\n")
		if wantLog != "" {
			if !o.failed || !strings.Contains(log, wantLog) || !strings.Contains(log, "one reel per test") {
				t.Errorf("%s says %q, want %q", test, log, wantLog)
			}
			return
		}
		if want := fmt.Sprint("answer ", *requests); got != want || err != nil || o.failed {
			t.Errorf("%s gets %q, %v, want %q, and says %q", test, got, err, want, log)
		}
	}
	wantReel := func(t *testing.T, name, want string) {
		t.Helper()
		t.Setenv("SSEREEL_MODE", "replay")
		if got, err := (&observed{TB: t}).run(name, url); got != want || err != nil {
			t.Errorf("the reel holds %q, %v, want %q", got, err, want)
		}
	}
	reel := func(t *testing.T, mode string) (name string) {
		t.Setenv("SSEREEL_MODE", mode)
		return filepath.Join(t.TempDir(), "shared.reel")
	}
	t.Run("two tests", func(t *testing.T) {
		name := reel(t, "record")
		for range 2 { // -count=2
			run(t, "TestA", name, "")
			run(t, "TestB", name, "shared.reel: TestA has used it to record")
		}
		wantReel(t, name, fmt.Sprint("answer ", *requests))
	})
	t.Run("one that asks for nothing", func(t *testing.T) {
		name := reel(t, "record")
		o := &observed{TB: t, name: "TestA"}
		if o.do(func() { reeltest.Client(o, name) }); o.failed {
			t.Errorf("it says %q", o.log)
		}
		run(t, "TestB", name, "")
	})
	t.Run("two that are answered from it", func(t *testing.T) {
		for _, mode := range []string{"", "once", "auto"} {
			name := reel(t, mode)
			run(t, "TestA", name, "")
			run(t, "TestB", name, "")
		}
	})
	for _, mode := range []string{"", "once", "record"} {
		t.Run("two at a time in mode "+mode, func(t *testing.T) {
			name := reel(t, mode)
			a := &observed{TB: t, name: "TestA/one"}
			a.do(func() {
				client := reeltest.Client(a, name)
				run(t, "TestA/two", name, "shared.reel: TestA/one records it at the same time")
				if _, err := get(client, url); err != nil {
					t.Error(err)
				}
				again := &observed{TB: t, name: "TestA/one"}
				if again.run(name, url); !again.failed || !strings.Contains(again.log[0], "another client: use that one") {
					t.Errorf("opened twice, it says %q", again.log)
				}
			})
			if a.failed {
				t.Errorf("the first says %q", a.log)
			}
			wantReel(t, name, fmt.Sprint("answer ", *requests))
		})
	}
	t.Run("two at a time in mode auto", func(t *testing.T) {
		name := reel(t, "auto")
		a := &observed{TB: t, name: "TestA/one"}
		a.do(func() {
			client := reeltest.Client(a, name)
			if _, err := get(client, url+"/a"); err != nil {
				t.Error(err)
			}
			b := &observed{TB: t, name: "TestA/two"}
			b.run(name, url+"/b")
			if _, err := get(client, url+"/c"); err != nil {
				t.Error(err)
			}
		})
		if log := strings.Join(a.log, "\n"); !a.failed || !strings.Contains(log, "another test has recorded to it") || strings.Contains(log, "one Reel") {
			t.Errorf("the first says %q", a.log)
		}
	})
}

// A reel that is cut off fails the test, and says how to record it anew.
func TestClientTruncated(t *testing.T) {
	t.Setenv("SSEREEL_MODE", "")
	name := filepath.Join(t.TempDir(), "my.reel")
	if err := os.WriteFile(name, []byte("reel 1\n> 1 +0 GET /"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := &observed{TB: t}
	o.run(name, "http://api2.example/")
	if log := strings.Join(o.log, "\n"); !o.failed || !strings.Contains(log, "truncated") || !strings.HasSuffix(log, "SSEREEL_MODE=record go test -run TestClientTruncated") {
		t.Errorf("it says %q", log)
	}
}

// A fault that never happened fails the test, which has not tested what it is about.
func TestClientFaults(t *testing.T) {
	t.Setenv("SSEREEL_MODE", "")
	url := streamURL(t)
	for _, c := range []struct {
		name   string
		faults []replay.Fault
		never  []string
	}{
		{"none", nil, nil},
		{"at an event", []replay.Fault{replay.Cut{At: replay.AtEvent(3)}}, nil},
		{"at a place that is drawn", []replay.Fault{nil, replay.Duplicate{}, replay.Cut{End: replay.EndEOF}}, nil},
		{"one drawn, and one that happens first", []replay.Fault{replay.Stall{For: time.Millisecond}, replay.Stall{For: time.Millisecond, At: replay.AtEvent(1)}}, nil},
		{"at an event that there is not", []replay.Fault{replay.Drop{At: replay.AtEvent(2)}, replay.Cut{At: replay.AtEvent(999)}, replay.Drop{At: replay.AtEvent(0)}}, []string{"cut@event=999", "drop@event=0"}},
		{"after a cut", []replay.Fault{replay.Cut{At: replay.AtEvent(2)}, replay.Corrupt{At: replay.AtEvent(3)}}, []string{"corrupt@event=3"}},
		{"twice, and happens once", []replay.Fault{replay.Drop{At: replay.AtEvent(2)}, replay.Drop{At: replay.AtEvent(2)}}, []string{"drop@event=2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told int
			o := &observed{TB: t, faults: c.faults, onFault: func(*http.Request, *replay.Exchange, replay.Fault) { told++ }}
			o.run("../../testdata/assembly.reel", url)
			log := strings.Join(o.log, "\n")
			if o.failed != (c.never != nil) || len(o.log) != len(c.never) {
				t.Errorf("it says %q", log)
			}
			for _, fault := range c.never {
				if !strings.Contains(log, "the fault "+fault+" never happened") {
					t.Errorf("it says %q", log)
				}
			}
			if (told > 0) != (len(c.faults) > len(c.never)) {
				t.Errorf("its own OnFault is told of %d faults", told)
			}
		})
	}
	t.Run("nothing is replayed", func(t *testing.T) {
		url, _ := newServer(t)
		o := &observed{TB: t, faults: []replay.Fault{replay.Cut{At: replay.AtEvent(999)}}}
		if o.run(filepath.Join(t.TempDir(), "new.reel"), url); o.failed {
			t.Errorf("it says %q", o.log)
		}
	})
}

// A request that the reel does not hold fails the test, which is told once how often ever it is
// asked. A Client of ssewire does not go on asking.
func TestClientNotRecorded(t *testing.T) {
	t.Setenv("SSEREEL_MODE", "")
	const lacking = "https://api2.example/nowhere?token=private"
	for name, ask := range map[string]func(t *testing.T, client *http.Client){
		"by a program that does not mind": func(t *testing.T, client *http.Client) {
			for range 3 {
				if res, err := client.Get(lacking); err == nil {
					res.Body.Close()
				}
			}
		},
		"by an ssewire.Client": func(t *testing.T, client *http.Client) {
			req, err := http.NewRequest("GET", lacking, nil)
			if err != nil {
				t.Fatal(err)
			}
			stream := ssewire.Client{HTTP: client}.Connect(req)
			if stream.Next() || stream.Err() == nil {
				t.Errorf("it ends with %v", stream.Err())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := &observed{TB: t}
			client := reeltest.Client(o, "../../testdata/assembly.reel")
			ask(t, client)
			log := strings.Join(o.log, "\n")
			if !o.failed || len(o.log) != 1 || !strings.Contains(log, "GET https://api2.example/nowhere") || !strings.Contains(log, "the nearest") || strings.Contains(log, "private") ||
				!strings.HasSuffix(log, "SSEREEL_MODE=auto go test -run TestClientNotRecorded") {
				t.Errorf("it says %q", log)
			}
			for _, f := range o.cleanups {
				f()
			}
			ask(t, client) // from a goroutine that has outlived its test
			if len(o.log) != 1 {
				t.Errorf("after its end it says %q", o.log)
			}
		})
	}
}

// A reel that could not be recorded fails the test, whose requests have their answers.
func TestClientCannotRecord(t *testing.T) {
	t.Setenv("SSEREEL_MODE", "once")
	url, _ := newServer(t)
	name := filepath.Join(t.TempDir(), "my.reel")
	o := &observed{TB: t}
	o.Cleanup(func() { os.Remove(name + ".part") })
	if got, err := o.run(name, url); got != "answer 1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if !o.failed || !strings.Contains(strings.Join(o.log, "\n"), name+".part") {
		t.Errorf("it says %q", o.log)
	}
}
