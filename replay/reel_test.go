package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// echo is a service without a network. It says which of the requests to it this is.
type echo struct{ requests atomic.Int64 }

func (e *echo) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body.Close()
	}
	text := fmt.Sprintf("%d: %s %s %s", e.requests.Add(1), req.Method, req.URL.Path, body)
	return answer(req, io.NopCloser(strings.NewReader(text))), nil
}

// Record what a program asks for, the first time; from then on, answer it without a network.
func ExampleOpenReel() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		io.WriteString(w, "hello")
	}))
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for range 2 {
		reel, err := replay.OpenReel(filepath.Join(dir, "hello.reel"), replay.ModeOnce, replay.ReelOptions{})
		if err != nil {
			log.Fatal(err)
		}
		client := &http.Client{Transport: reel}
		res, err := client.Get(server.URL)
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		fmt.Printf("%s, %v\n", body, err)
		if err := reel.Close(); err != nil {
			log.Fatal(err)
		}
		server.Close() // nobody needs it the second time
	}
	// Output:
	// hello, <nil>
	// hello, <nil>
}

func openReel(t testing.TB, name string, mode replay.Mode, base http.RoundTripper) *replay.Reel {
	t.Helper()
	reel, err := replay.OpenReel(name, mode, replay.ReelOptions{Base: base, Playback: replay.Playback{Speed: replay.MaxSpeed}})
	if err != nil {
		t.Fatal(err)
	}
	return reel
}

func closeReel(t testing.TB, reel *replay.Reel) {
	t.Helper()
	if err := reel.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// ask returns the body of the answer, or the error.
func bodyOf(rt http.RoundTripper, req *http.Request) (string, error) {
	res, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.Request != req {
		return "", errors.New("the response is not to the program's request")
	}
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func mustAsk(t testing.TB, rt http.RoundTripper, req *http.Request, want string) {
	t.Helper()
	if got, err := bodyOf(rt, req); got != want || err != nil {
		t.Errorf("%s %s: %q, %v; want %q", req.Method, req.URL, got, err, want)
	}
}

// recordReel records the requests to an echo, and returns the reel's name.
func recordReel(t testing.TB, requests ...*http.Request) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "my.reel")
	reel := openReel(t, name, replay.ModeRecord, new(echo))
	for _, req := range requests {
		if _, err := bodyOf(reel, req); err != nil {
			t.Fatal(err)
		}
	}
	closeReel(t, reel)
	return name
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func writeFile(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantWhole checks that the named file is a sealed reel, and returns what it holds.
func wantWhole(t testing.TB, name string) []exchange {
	t.Helper()
	rec := mustLoad(t, readFile(t, name))
	if !rec.Sealed() {
		t.Errorf("the reel is not sealed:\n%s", readFile(t, name))
	}
	return contents(t, rec)
}

func wantGone(t testing.TB, name string) {
	t.Helper()
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there (%v)", filepath.Base(name), err)
	}
}

// What each mode does with what it may find.
func TestOpenReel(t *testing.T) {
	const held = "reel 1\n> 1 +0 GET http://h/a\n< 1 +0 200\n= 1 +0 4\n\\held\n. 1 +0 eof\n"
	const (
		replays = "replays" // and leaves the file as it was
		records = "records" // anew
		appends = "appends"
		mends   = "mends"
		passes  = "passes"
	)
	files := map[string]string{
		"present":   held,
		"other":     strings.ReplaceAll(held, "/a", "/b"),
		"truncated": held + "> 2 +0 GET http://h/b\n< 2 +0 200\n= 2 +0 9\n\\hel",
		"damaged":   held + "> 1 +0 GET http://h/b\n",
		"changed":   strings.Replace(held, " eof", " eof bytes=5", 1),
		"empty":     "",
		"no reel":   "{}\n",
		"version":   "reel 2\n",
	}
	for _, c := range []struct {
		file                             string
		once, auto, replay, record, pass any // what it does, or the error
	}{
		{"missing", records, records, fs.ErrNotExist, records, passes},
		{"present", replays, replays, replays, records, passes},
		{"other", replay.ErrNotRecorded, appends, replay.ErrNotRecorded, records, passes},
		{"truncated", replay.ErrTruncated, mends, replays, records, passes},
		{"damaged", replay.ErrDamaged, replay.ErrDamaged, replay.ErrDamaged, records, passes},
		{"changed", replay.ErrDamaged, replay.ErrDamaged, replay.ErrDamaged, records, passes},
		{"empty", records, records, replay.ErrNotReel, records, passes},
		{"no reel", replay.ErrNotReel, replay.ErrNotReel, replay.ErrNotReel, records, passes},
		{"version", replay.ErrVersion, replay.ErrVersion, replay.ErrVersion, records, passes},
		{"directory", "regular", "regular", "regular", "regular", passes},
		{"in no directory", records, records, fs.ErrNotExist, records, passes},
		{"in a file", "not a directory", "not a directory", "not a directory", "not a directory", passes},
	} {
		for mode, want := range map[replay.Mode]any{
			"": c.once, "once": c.once, "auto": c.auto, "replay": c.replay, "record": c.record, "passthrough": c.pass,
		} {
			t.Run(c.file+"/"+string(mode), func(t *testing.T) {
				dir := t.TempDir()
				name := filepath.Join(dir, "my.reel")
				switch c.file {
				case "missing":
				case "directory":
					if err := os.Mkdir(name, 0o700); err != nil {
						t.Fatal(err)
					}
				case "in no directory":
					name = filepath.Join(dir, "testdata", "reels", "my.reel")
				case "in a file":
					writeFile(t, name, "")
					name = filepath.Join(name, "my.reel")
				default:
					writeFile(t, name, files[c.file])
				}
				network := new(echo)
				reel, err := replay.OpenReel(name, mode, replay.ReelOptions{Base: network})
				got := ""
				if err == nil {
					got, err = bodyOf(reel, get(t, "http://h/a"))
					if cerr := reel.Close(); cerr != nil {
						t.Errorf("Close: %v", cerr)
					}
					if c.file != "in a file" {
						wantGone(t, name+".part")
					}
				}
				switch want := want.(type) {
				case error:
					if !errors.Is(err, want) || !strings.Contains(err.Error(), name) {
						t.Errorf("the error is %v, want %v of %s", err, want, name)
					}
				case string:
					switch want {
					case replays, mends:
						if got != "held" || err != nil || network.requests.Load() != 0 {
							t.Errorf("got %q, %v", got, err)
						}
					case records, appends, passes:
						if got != "1: GET /a " || err != nil {
							t.Errorf("got %q, %v", got, err)
						}
					default:
						if err == nil || !strings.Contains(err.Error(), want) {
							t.Errorf("the error is %v, want %q", err, want)
						}
						return
					}
				}
				switch {
				case want == records:
					if all := wantWhole(t, name); len(all) != 1 || all[0].body() != got {
						t.Errorf("recorded\n%s", strings.Join(dump(all), "\n"))
					}
					if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 && c.file == "missing" {
						t.Errorf("others may read it: %v, %v", info.Mode(), err)
					}
				case want == appends:
					if all := wantWhole(t, name); len(all) != 2 || all[0].body() != "held" || all[1].body() != got {
						t.Errorf("recorded\n%s", strings.Join(dump(all), "\n"))
					}
				case want == mends:
					if all := wantWhole(t, name); len(all) != 2 || all[0].body() != "held" || all[1].End != replay.EndReset || all[1].Cause != "the recording was cut off" {
						t.Errorf("it has become\n%s", readFile(t, name))
					}
				case files[c.file] != "":
					if now := readFile(t, name); now != files[c.file] {
						t.Errorf("the file has become\n%s", now)
					}
				}
			})
		}
	}
}

func TestOpenReelUnknownMode(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	_, err := replay.OpenReel(name, "Record", replay.ReelOptions{})
	if err == nil || !strings.Contains(err.Error(), `no mode "Record": it is once, auto, replay, record or passthrough`) {
		t.Errorf("%v", err)
	}
	wantGone(t, name)
}

// A program that makes no request changes nothing: no reel that holds nothing is there
// to answer the next run.
func TestReelWithoutRequests(t *testing.T) {
	for _, mode := range []replay.Mode{replay.ModeOnce, replay.ModeAuto, replay.ModeRecord} {
		name := filepath.Join(t.TempDir(), "my.reel")
		closeReel(t, openReel(t, name, mode, new(echo)))
		wantGone(t, name)
		wantGone(t, name+".part")
	}
	name := recordReel(t, get(t, "http://h/a"))
	was := readFile(t, name)
	closeReel(t, openReel(t, name, replay.ModeRecord, new(echo)))
	if readFile(t, name) != was {
		t.Error("an old reel is gone without a new one")
	}
}

// A reel grows in mode auto, run by run, and stays one recording.
func TestReelAutoGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "my.reel")
		network := new(echo)
		began := time.Now()
		for run, paths := range []string{"ab", "ba", "abcd"} {
			reel := openReel(t, name, replay.ModeAuto, network)
			was := ""
			if run > 0 {
				was = readFile(t, name)
			}
			time.Sleep(time.Hour)
			for _, path := range paths {
				mustAsk(t, reel, get(t, "http://h/"+string(path)), fmt.Sprintf("%d: GET /%c ", path-'a'+1, path))
				time.Sleep(time.Second)
			}
			closeReel(t, reel)
			if run == 1 && readFile(t, name) != was {
				t.Error("a reel that lacked nothing has changed")
			}
			if !strings.HasPrefix(readFile(t, name), was) {
				t.Error("what was there has changed")
			}
		}
		all := wantWhole(t, name)
		for i, x := range all {
			// The hours between the runs are no part of it, but what is within one is.
			want := []time.Duration{0, time.Second, time.Second, 2 * time.Second}[i]
			if x.Number != i+1 || x.Sent != want || x.Ended != want {
				t.Errorf("exchange %d: %+v, want it at %v", i+1, x, want)
			}
		}
		if start := mustLoad(t, readFile(t, name)).Start(); len(all) != 4 || !start.Equal(began.Add(time.Hour)) {
			t.Errorf("%d exchanges since %v", len(all), start)
		}
	})
}

// A reel that was torn anywhere goes on in mode auto: what is whole stays, all else is
// recorded again, and the result is a reel like any other.
func TestReelAutoTornAnywhere(t *testing.T) {
	whole := sealed("reel 1\n@ 2026-05-07T16:10:57Z\n> 1 +0 GET http://h/a\n< 1 +0 200\n"+
		"= 1 +0.1 5\n|one \n> 2 +0 POST http://h/b\n> 2 content-length: 4\n^ 2 +0 4\n\\sent\n"+
		"= 1 +0.1 4\n~t\\rwo\n< 2 +0 200\n= 2 +0 1\n\\b\n. 1 +1 eof bytes=9 crc32c="+
		fmt.Sprintf("%08x", castagnoli("one \nt\rwo"))+"\n. 2 +0.000000001 eof\n", 0)
	for n := range len(whole) + 1 {
		if 0 < n && n < len("reel 1") {
			continue // no reel
		}
		name := filepath.Join(t.TempDir(), "my.reel")
		writeFile(t, name, whole[:n])
		network := new(echo)
		reel := openReel(t, name, replay.ModeAuto, network)
		a, errA := bodyOf(reel, get(t, "http://h/a"))
		b, errB := bodyOf(reel, post(t, "http://h/b", "text/plain", strings.NewReader("sent")))
		if errA != nil || errB != nil {
			t.Fatalf("%d bytes: %v, %v", n, errA, errB)
		}
		closeReel(t, reel)
		if network.requests.Load() > 0 {
			wantWhole(t, name)
		}
		if n == len(whole) && (a != "one \nt\rwo" || b != "b") {
			t.Errorf("what is whole gives %q, %q", a, b)
		}
		reel = openReel(t, name, replay.ModeOnce, nil)
		mustAsk(t, reel, get(t, "http://h/a"), a)
		mustAsk(t, reel, post(t, "http://h/b", "text/plain", strings.NewReader("sent")), b)
		closeReel(t, reel)
		if t.Failed() {
			t.Fatalf("%d bytes:\n%s\nhave become\n%s", n, whole[:n], readFile(t, name))
		}
	}
}

// A program that is killed while it reads leaves, in mode auto, a reel that goes on; and
// in mode once or record no reel, but what it has recorded beside it.
func TestReelKilled(t *testing.T) {
	const variable = "SSEREEL_TEST_KILLED"
	if name := os.Getenv(variable); name != "" {
		mode, name, _ := strings.Cut(name, ":")
		reel := openReel(t, name, replay.Mode(mode), roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/a" {
				return new(echo).RoundTrip(req)
			}
			return answer(req, script(step{0, "the first read", nil})), nil
		}))
		bodyOf(reel, get(t, "http://h/a"))
		res, err := reel.RoundTrip(get(t, "http://h/stream"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Read(make([]byte, 100))
		fmt.Println("ready")
		res.Body.Read(make([]byte, 100)) // for ever
	}
	for _, mode := range []replay.Mode{replay.ModeOnce, replay.ModeRecord, replay.ModeAuto} {
		t.Run(string(mode), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), failsafe)
			defer cancel()
			name := filepath.Join(t.TempDir(), "my.reel")
			child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestReelKilled$")
			child.Env = append(os.Environ(), variable+"="+string(mode)+":"+name)
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			if line, err := io.ReadAll(io.LimitReader(out, 6)); string(line) != "ready\n" {
				t.Fatalf("%q, %v", line, err)
			}
			child.Process.Kill()
			child.Wait()
			left := name + ".part"
			if mode == replay.ModeAuto {
				left = name
			} else {
				wantGone(t, name)
			}
			rec, err := load(readFile(t, left))
			if !errors.Is(err, replay.ErrTruncated) || len(rec.Exchanges()) != 2 || rec.Exchanges()[1].Size != int64(len("the first read")) {
				t.Fatalf("it leaves %v\n%s", err, readFile(t, left))
			}
			network := new(echo)
			reel := openReel(t, name, mode, network)
			mustAsk(t, reel, get(t, "http://h/a"), "1: GET /a ")
			got, err := bodyOf(reel, get(t, "http://h/stream"))
			if err != nil || !strings.HasSuffix(got, ": GET /stream ") {
				t.Errorf("the next run gets %q, %v", got, err)
			}
			closeReel(t, reel)
			wantGone(t, name+".part")
			want := int64(2)
			if mode == replay.ModeAuto {
				want = 1
			}
			if network.requests.Load() != want {
				t.Errorf("the next run made %d requests, want %d", network.requests.Load(), want)
			}
			wantWhole(t, name)
			reel = openReel(t, name, replay.ModeReplay, nil)
			mustAsk(t, reel, get(t, "http://h/stream"), got)
			closeReel(t, reel)
		})
	}
}

// What a program that failed has recorded does not become the reel.
func TestReelDiscard(t *testing.T) {
	for _, c := range []struct {
		mode  replay.Mode
		there bool
		kept  bool // beside it
	}{
		{replay.ModeOnce, false, true},
		{replay.ModeRecord, false, true},
		{replay.ModeRecord, true, true},
		{replay.ModeAuto, false, false},
		{replay.ModeAuto, true, false},
		{replay.ModeOnce, true, false},
		{replay.ModeReplay, true, false},
		{replay.ModePassthrough, true, false},
	} {
		t.Run(fmt.Sprintf("%s, there: %v", c.mode, c.there), func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "my.reel")
			if c.there {
				name = recordReel(t, get(t, "http://h/a"))
			}
			reel := openReel(t, name, c.mode, new(echo))
			bodyOf(reel, get(t, "http://h/a"))
			bodyOf(reel, get(t, "http://h/b"))
			was := ""
			if c.there {
				was = readFile(t, name)[:len(readFile(t, name))]
			}
			part, err := reel.Discard()
			if err != nil || (part != "") != c.kept {
				t.Fatalf("Discard: %q, %v", part, err)
			}
			if c.kept {
				wantWhole(t, part)
			} else {
				wantGone(t, name+".part")
			}
			if c.there {
				if all := wantWhole(t, name); len(all) != 1 || !strings.HasPrefix(was, readFile(t, name)) {
					t.Errorf("the reel has become\n%s", readFile(t, name))
				}
			} else {
				wantGone(t, name)
			}
			if err := reel.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	name := filepath.Join(t.TempDir(), "my.reel")
	reel := openReel(t, name, replay.ModeOnce, new(echo))
	if part, err := reel.Discard(); part != "" || err != nil {
		t.Errorf("without a request, Discard returns %q, %v", part, err)
	}
	wantGone(t, name+".part")
}

// A truncated reel is cut when there is something to put in place of what is not whole, and
// not if that is discarded.
func TestReelAutoTornDiscard(t *testing.T) {
	const torn = "reel 1\n> 1 +0 GET http://h/a\n< 1 +0 200\n= 1 +0 4\n\\held\n. 1 +0 eof\n> 2 +0 GET http://h/b\n< 2 +0 200\n= 2 +0 9\n\\hel"
	for _, c := range []struct {
		name  string
		paths string
	}{{"nothing asked", ""}, {"nothing recorded", "a"}, {"recorded", "bc"}} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "my.reel")
			writeFile(t, name, torn)
			reel := openReel(t, name, replay.ModeAuto, new(echo))
			for _, path := range c.paths {
				if readFile(t, name) != torn && path != 'c' {
					t.Error("it is cut before anything is recorded")
				}
				if _, err := bodyOf(reel, get(t, "http://h/"+string(path))); err != nil {
					t.Error(err)
				}
			}
			if _, err := reel.Discard(); err != nil {
				t.Error(err)
			}
			if now := readFile(t, name); now != torn {
				t.Errorf("it has become\n%s", now)
			}
		})
	}
}

// What another program has cut off is not put back.
func TestReelAutoTornCutByAnother(t *testing.T) {
	const whole = "reel 1\n> 1 +0 GET http://h/a\n< 1 +0 200\n= 1 +0 4\n\\held\n. 1 +0 eof\n"
	name := filepath.Join(t.TempDir(), "my.reel")
	writeFile(t, name, whole+"> 2 +0 GE")
	reel := openReel(t, name, replay.ModeAuto, new(echo))
	writeFile(t, name, whole)
	mustAsk(t, reel, get(t, "http://h/b"), "1: GET /b ")
	if _, err := reel.Discard(); err == nil || !strings.Contains(err.Error(), "something else has written to the file") {
		t.Errorf("Discard: %v", err)
	}
	if now := readFile(t, name); now != whole {
		t.Errorf("it has become\n%s", now)
	}
}

// A Reel that only mends a truncated one leaves that to another which has begun to.
func TestReelAutoMendedByAnother(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	writeFile(t, name, "reel 1\n> 1 +0 GET http://h/a\n< 1 +0 200\n= 1 +0 4\n\\he")
	idle, other := openReel(t, name, replay.ModeAuto, nil), openReel(t, name, replay.ModeAuto, new(echo))
	mustAsk(t, other, get(t, "http://h/a"), "1: GET /a ")
	closeReel(t, other)
	was := readFile(t, name)
	closeReel(t, idle)
	if now := readFile(t, name); now != was {
		t.Errorf("it has become\n%s", now)
	}
	wantWhole(t, name)
}

// Requests that are the same get the recorded answers in their order, and the last from
// then on.
func TestReelInOrder(t *testing.T) {
	poll := func() *http.Request { return get(t, "http://h/poll") }
	send := func(body string) *http.Request {
		return post(t, "http://h/send", "text/plain", strings.NewReader(body))
	}
	name := recordReel(t, poll(), send("x"), poll(), send("y"), poll(), send("x"))
	reel := openReel(t, name, replay.ModeReplay, nil)
	for _, c := range []struct {
		req  *http.Request
		want string
	}{
		{send("y"), "4: POST /send y"}, {poll(), "1: GET /poll "}, {poll(), "3: GET /poll "},
		{send("x"), "2: POST /send x"}, {send("x"), "6: POST /send x"}, {send("x"), "6: POST /send x"},
		{poll(), "5: GET /poll "}, {poll(), "5: GET /poll "}, {send("y"), "4: POST /send y"},
	} {
		mustAsk(t, reel, c.req, c.want)
	}
	closeReel(t, reel)
}

// A test's own server has another port at each run. Of several servers, those that the reel
// knows stay apart.
func TestReelLoopbackPort(t *testing.T) {
	send := func(url, body string) *http.Request {
		return post(t, url, "text/plain", strings.NewReader(body))
	}
	long := strings.Repeat("long ", 300<<10) // recorded in part
	name := recordReel(t,
		get(t, "http://127.0.0.1:1001/a"), get(t, "http://127.0.0.1:1002/a"), get(t, "http://127.0.0.1:1001/a"),
		send("http://127.0.0.1:1001/b", "x"), send("http://127.0.0.1:1001/b", "y"), send("http://127.0.0.1:1001/b", long),
		get(t, "http://example.test:1001/c"), get(t, "http://[::1]:1003/d"),
		get(t, "http://127.0.0.1:1002/e"), get(t, "http://127.0.0.1:1002/e"),
		send("http://127.0.0.1:1002/b", "w"))
	for _, c := range []struct {
		name string
		req  *http.Request
		want string // how each answer begins, in turn
	}{
		{"a new port, where two were asked", get(t, "http://127.0.0.1:7/a"), ""},
		{"a new port, where one was asked", get(t, "http://127.0.0.1:7/e"), "9 10 10"},
		{"no port", get(t, "http://localhost/e"), "9 10"},
		{"an old port", get(t, "http://127.0.0.1:1002/a"), "2 2"},
		{"an old port of several answers", get(t, "http://127.0.0.1:1001/a"), "1 3 3"},
		{"another name", get(t, "http://localhost:7/d"), "8"},
		{"another address", get(t, "http://[::ffff:127.0.0.2]:7/d"), "8"},
		{"a body", send("http://127.0.0.1:7/b", "y"), "5"},
		{"another body, that another port was asked with", send("http://127.0.0.1:7/b", "w"), "11"},
		{"a body that was recorded in part", send("http://127.0.0.1:7/b", long), "6"},
		{"an old port that was asked for something else", get(t, "http://127.0.0.1:1002/d"), ""},
		{"an old port that was asked with another body", send("http://127.0.0.1:1001/b", "z"), ""},
		{"a new port that asks with another body", send("http://127.0.0.1:7/b", "z"), ""},
		{"a new port of another machine", get(t, "http://example.test:7/c"), ""},
		{"this machine in place of another", get(t, "http://127.0.0.1:7/c"), ""},
		{"another machine in place of this one", get(t, "http://example.test:7/d"), ""},
		{"a name that begins like this machine's", get(t, "http://localhost.example.test/d"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			reel := openReel(t, name, replay.ModeReplay, nil)
			defer closeReel(t, reel)
			for want := range strings.FieldsSeq(c.want) {
				if c.req.GetBody != nil {
					c.req.Body, _ = c.req.GetBody()
				}
				if got, err := bodyOf(reel, c.req); !strings.HasPrefix(got, want+":") {
					t.Errorf("%.40q, %v; want number %s", got, err, want)
				}
			}
			if c.want == "" {
				if got, err := bodyOf(reel, c.req); !errors.Is(err, replay.ErrNotRecorded) {
					t.Errorf("%.40q, %v; want ErrNotRecorded", got, err)
				}
			}
		})
	}
	for _, c := range []struct{ url, differs string }{
		{"http://127.0.0.1:7/dd", "path: /dd, recorded /d"},
		{"http://127.0.0.1:1002/d", "host: 127.0.0.1:1002, recorded [::1]:1003"},
		{"http://127.0.0.1:7/c", "host: 127.0.0.1:7, recorded example.test:1001"},
		{"http://127.0.0.1:7/a", "it has one of 127.0.0.1:1001 and one of 127.0.0.1:1002, and nothing tells which of them this is; let the servers have the same ports at each run, or a reel each"},
	} {
		t.Run("what the error says of "+c.url, func(t *testing.T) {
			reel := openReel(t, name, replay.ModeReplay, nil)
			defer closeReel(t, reel)
			_, err := bodyOf(reel, get(t, c.url))
			if text := fmt.Sprint(err); !strings.Contains(text, c.differs) || strings.Contains(c.differs, "path") && strings.Contains(text, "host") {
				t.Errorf("%v", err)
			}
		})
	}
}

// Servers that were asked the same, as those of subtests are, have other ports at the next
// run. None gets the answer of another, whatever runs, and in whatever order: one is known
// by what only it was asked, or is the only one left, or is an error.
func TestReelLoopbackServers(t *testing.T) {
	name := recordReel(t,
		get(t, "http://127.0.0.1:1001/a"), get(t, "http://127.0.0.1:1001/a"), get(t, "http://127.0.0.1:1001/b"),
		get(t, "http://127.0.0.1:1002/a"), get(t, "http://127.0.0.1:1002/c"),
		get(t, "http://127.0.0.1:1003/a"),
		get(t, "http://127.0.0.1:1004/d"))
	const (
		unknown = "nothing tells which of them this is"
		asked   = "more servers are asked for it now than were then"
		more    = "there are more servers now than were recorded"
	)
	for _, c := range []struct{ name, requests, says string }{
		{"by their order", "7/a= 8/a= 9/a=", unknown},
		{"known by what only they were asked", "7/b=3 8/c=5 8/a=4 7/a=1 8/a=4 7/a=2 7/a=2", ""},
		{"in another order", "8/c=5 7/b=3 7/a=1 8/a=4", ""},
		{"known too late", "7/a= 7/b=3 7/a=1", ""},
		{"one left", "7/b=3 8/c=5 9/a=6 9/a=6", ""},
		{"two left", "7/b=3 8/a= 9/a=", unknown},
		{"all but one have their ports again", "1001/a=1 1002/a=4 7/a=6", ""},
		{"they have their ports again, but were asked for nothing that there is", "1001/z= 1002/z= 7/a=6", ""},
		{"one has its port again", "1002/a=4 7/a= 8/a=", unknown},
		{"another port of one that has its own again", "1002/a=4 7/c=5 8/b=3 9/a=", unknown},
		{"more than were asked", "7/b=3 8/c=5 9/a=6 10/a=", asked},
		{"more than there were", "7/b=3 8/c=5 9/z= 10/z= 11/a=", more},
		{"one in place of two", "7/b=3 7/c=5 7/a=", unknown},
		{"one in place of two leaves none", "7/b=3 7/c=5 8/a=", unknown},
		{"two in place of one", "7/b=3 8/b=3 7/a=1 1002/a=4 9/a=", unknown},
		{"one that was not asked for it", "7/b=3 8/c=5 9/d=7 9/a=", unknown},
	} {
		for _, mode := range []replay.Mode{replay.ModeReplay, replay.ModeAuto} {
			if mode == replay.ModeAuto && strings.Contains(c.requests, "/z") {
				continue // which would be recorded
			}
			t.Run(c.name+"/"+string(mode), func(t *testing.T) {
				reel := openReel(t, name, mode, nil)
				defer closeReel(t, reel)
				var last error
				for request := range strings.FieldsSeq(c.requests) {
					target, want, _ := strings.Cut(request, "=")
					got, err := bodyOf(reel, get(t, "http://127.0.0.1:"+target))
					if want == "" {
						if last = err; !errors.Is(err, replay.ErrNotRecorded) {
							t.Errorf("%s: %q, %v; want ErrNotRecorded", target, got, err)
						}
					} else if !strings.HasPrefix(got, want+":") {
						t.Errorf("%s: %q, %v; want number %s", target, got, err, want)
					}
				}
				if c.says != "" && !strings.Contains(fmt.Sprint(last), c.says) {
					t.Errorf("the error is %v, want %q", last, c.says)
				}
			})
		}
	}
}

// A server may have streams to resume, though another has recorded that very reconnection.
func TestReelLoopbackLastEventID(t *testing.T) {
	resume := func(host string) *http.Request {
		req := get(t, host+"/a")
		req.Header.Set("Last-Event-ID", "1")
		return req
	}
	name := recordReel(t, get(t, "http://127.0.0.1:1001/a"), resume("http://127.0.0.1:1001"),
		get(t, "http://127.0.0.1:1002/a"), get(t, "http://127.0.0.1:1002/b"))
	reel := openReel(t, name, replay.ModeReplay, nil)
	defer closeReel(t, reel)
	if got, err := bodyOf(reel, resume("http://127.0.0.1:7")); !errors.Is(err, replay.ErrNotRecorded) {
		t.Errorf("%q, %v", got, err)
	}
	mustAsk(t, reel, get(t, "http://127.0.0.1:7/b"), "4: GET /b ")
	mustAsk(t, reel, resume("http://127.0.0.1:7"), "3: GET /a ")
	mustAsk(t, reel, resume("http://127.0.0.1:8"), "2: GET /a ")
}

// Each of many requests at once has an answer of its own, and what they record, too.
func TestReelConcurrency(t *testing.T) {
	const n = 50
	name := filepath.Join(t.TempDir(), "my.reel")
	for _, mode := range []replay.Mode{replay.ModeOnce, replay.ModeOnce, replay.ModeAuto} {
		reel := openReel(t, name, mode, new(echo))
		var wg sync.WaitGroup
		var got sync.Map
		for i := range n {
			wg.Go(func() {
				for _, req := range []*http.Request{
					get(t, "http://h/same"),
					post(t, fmt.Sprintf("http://h/%d", i%7), "text/plain", strings.NewReader(fmt.Sprint(i))),
				} {
					body, err := bodyOf(reel, req)
					if _, twice := got.LoadOrStore(body, true); twice || err != nil {
						t.Errorf("%s: %q again, %v", req.URL, body, err)
					}
				}
			})
		}
		wg.Wait()
		closeReel(t, reel)
		if all := wantWhole(t, name); len(all) != 2*n {
			t.Fatalf("%d exchanges", len(all))
		}
	}
}

// A file that two record to at once is that of one of them, whole, and the other is told.
func TestReelTwoOnOneFile(t *testing.T) {
	for _, mode := range []replay.Mode{replay.ModeOnce, replay.ModeRecord, replay.ModeAuto} {
		for _, there := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, there: %v", mode, there), func(t *testing.T) {
				name := filepath.Join(t.TempDir(), "my.reel")
				if there {
					name = recordReel(t, get(t, "http://h/a"))
				}
				one, two := openReel(t, name, mode, new(echo)), openReel(t, name, mode, new(echo))
				errs := 0
				for range 2 {
					for _, reel := range []*replay.Reel{one, two} {
						for _, path := range []string{"a", "b"} {
							_, err := bodyOf(reel, get(t, "http://h/"+path))
							if err != nil && !errors.Is(err, replay.ErrNotRecorded) {
								t.Error(err)
							}
						}
					}
				}
				for _, reel := range []*replay.Reel{one, two} {
					if err := reel.Close(); err != nil {
						errs++
						if mode == replay.ModeAuto && reel == one {
							t.Errorf("what was recorded first is given up: %v", err)
						}
						if !strings.Contains(err.Error(), "something else has written to the file") {
							t.Error(err)
						}
					}
				}
				if want := !there || mode != replay.ModeOnce; (errs == 1) != want || errs > 1 {
					t.Errorf("%d of them have an error", errs)
				}
				wantGone(t, name+".part")
				wantWhole(t, name)
			})
		}
	}
}

// A reel that cannot be written any more costs the program nothing, and Close tells.
func TestReelWriterFails(t *testing.T) {
	name := recordReel(t, get(t, "http://h/a"))
	reel := openReel(t, name, replay.ModeAuto, new(echo))
	mustAsk(t, reel, get(t, "http://h/b"), "1: GET /b ")
	if err := os.Truncate(name, 10); err != nil {
		t.Fatal(err)
	}
	mustAsk(t, reel, get(t, "http://h/c"), "2: GET /c ")
	mustAsk(t, reel, get(t, "http://h/d"), "3: GET /d ")
	err := reel.Err()
	if err == nil {
		t.Error("Err knows of nothing")
	}
	if cerr := reel.Close(); cerr != err {
		t.Errorf("Close: %v, want %v", cerr, err)
	}
	if cerr := reel.Close(); cerr != err {
		t.Errorf("a second Close: %v, want %v", cerr, err)
	}
	if text := readFile(t, name); len(text) != 10 {
		t.Errorf("%q", text)
	}
}

// A symbolic link to a reel stays one. What is not yet the reel lies beside the reel, and not
// beside the link, which may be on another disk.
func TestReelBehindLink(t *testing.T) {
	name := recordReel(t, get(t, "http://h/a"))
	link := filepath.Join(t.TempDir(), "link.reel")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	reel := openReel(t, link, replay.ModeRecord, new(echo))
	mustAsk(t, reel, get(t, "http://h/b"), "1: GET /b ")
	if _, err := os.Stat(name + ".part"); err != nil {
		t.Error(err)
	}
	closeReel(t, reel)
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(link), "*.part")); left != nil {
		t.Errorf("there is %q", left)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if all := wantWhole(t, name); all[0].URL != "http://h/b" {
		t.Errorf("recorded %s", all[0].URL)
	}
}

// A symbolic link to a reel that is not there yet stays one: what it leads to is made.
func TestReelBehindDanglingLink(t *testing.T) {
	for _, mode := range []replay.Mode{replay.ModeOnce, replay.ModeRecord, replay.ModeAuto} {
		for _, c := range []struct{ name, link, to, real string }{
			{"beside it", "deep/links/my.reel", "real.reel", "deep/links/real.reel"},
			{"in a directory", "deep/links/my.reel", "store/real.reel", "deep/links/store/real.reel"},
			{"in another", "short/my.reel", "../store/real.reel", "deep/store/real.reel"}, // short leads to deep/links
			{"from the root", "deep/links/my.reel", "ROOT/store/real.reel", "store/real.reel"},
			{"behind another link", "my.reel", "deep/second.reel", "deep/store/real.reel"},
		} {
			for _, asks := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/asks: %v", mode, c.name, asks), func(t *testing.T) {
					root := t.TempDir()
					if err := os.MkdirAll(filepath.Join(root, "deep", "links"), 0o700); err != nil {
						t.Fatal(err)
					}
					for _, link := range [][2]string{{"deep/links", "short"}, {"store/real.reel", "deep/second.reel"}, {strings.ReplaceAll(c.to, "ROOT", root), c.link}} {
						if err := os.Symlink(link[0], filepath.Join(root, link[1])); err != nil {
							t.Fatal(err)
						}
					}
					reel := openReel(t, filepath.Join(root, c.link), mode, new(echo))
					if asks {
						mustAsk(t, reel, get(t, "http://h/a"), "1: GET /a ")
					}
					closeReel(t, reel)
					for _, link := range []string{c.link, "deep/second.reel"} {
						if info, err := os.Lstat(filepath.Join(root, link)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
							t.Errorf("%s is no link any more: %v", link, err)
						}
					}
					real := filepath.Join(root, c.real)
					wantGone(t, real+".part")
					if asks {
						wantWhole(t, real)
					} else {
						wantGone(t, real)
					}
				})
			}
		}
	}
}

// A program may go to another directory while it has a reel under a relative name.
func TestReelAfterChdir(t *testing.T) {
	for _, mode := range []replay.Mode{replay.ModeOnce, replay.ModeRecord, replay.ModeAuto} {
		for _, c := range []struct{ asks, discard bool }{{true, false}, {true, true}, {false, false}} {
			t.Run(fmt.Sprintf("%s/asks: %v, discard: %v", mode, c.asks, c.discard), func(t *testing.T) {
				dir := t.TempDir()
				t.Chdir(dir)
				reel := openReel(t, filepath.Join("testdata", "my.reel"), mode, new(echo))
				if c.asks {
					mustAsk(t, reel, get(t, "http://h/a"), "1: GET /a ")
				}
				t.Chdir(t.TempDir())
				var err error
				if c.discard {
					_, err = reel.Discard()
				} else {
					err = reel.Close()
				}
				if err != nil {
					t.Error(err)
				}
				name := filepath.Join(dir, "testdata", "my.reel")
				if !c.asks || c.discard {
					wantGone(t, name)
					return
				}
				wantGone(t, name+".part")
				wantWhole(t, name)
			})
		}
	}
}

// Errors have the name that the program knows, and say whether another has written to the
// file or taken it away.
func TestReelFileGone(t *testing.T) {
	for _, c := range []struct {
		mode replay.Mode
		name string
	}{{replay.ModeOnce, "testdata/my.reel.part"}, {replay.ModeRecord, "testdata/my.reel.part"}, {replay.ModeAuto, "testdata/my.reel"}} {
		t.Run(string(c.mode), func(t *testing.T) {
			t.Chdir(t.TempDir())
			reel := openReel(t, "testdata/my.reel", c.mode, new(echo))
			mustAsk(t, reel, get(t, "http://h/a"), "1: GET /a ")
			if err := os.Remove(c.name); err != nil {
				t.Fatal(err)
			}
			err := reel.Close()
			if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "replay: "+c.name+": something else, such as another Reel, has taken the file away") || strings.Contains(err.Error(), "written to") {
				t.Errorf("the error is %v", err)
			}
		})
	}
	t.Run("a directory in its place", func(t *testing.T) {
		t.Chdir(t.TempDir())
		reel := openReel(t, "my.reel", replay.ModeOnce, new(echo))
		mustAsk(t, reel, get(t, "http://h/a"), "1: GET /a ")
		if err := os.MkdirAll("my.reel/x", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := reel.Close(); err == nil || !strings.HasPrefix(err.Error(), "replay: my.reel.part cannot take the place of my.reel: ") {
			t.Errorf("the error is %v", err)
		}
		wantWhole(t, "my.reel.part")
	})
}

// A protocol that the server has switched to is spoken again, in a mode that may, and else
// is an error: of what was said the reel has one side only.
func TestReelSwitchedProtocol(t *testing.T) {
	talks := 0
	server := roundTripper(func(req *http.Request) (*http.Response, error) {
		talks++
		resp := answer(req, struct {
			io.ReadCloser
			io.Writer
		}{io.NopCloser(strings.NewReader("hello")), io.Discard})
		resp.StatusCode = http.StatusSwitchingProtocols
		return resp, nil
	})
	name := filepath.Join(t.TempDir(), "my.reel")
	for run := range 3 {
		reel := openReel(t, name, replay.ModeAuto, server)
		resp, err := reel.RoundTrip(get(t, "http://h/ws"))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := resp.Body.(io.Writer); !ok || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("run %d: %s, which can be written to: %v", run, resp.Status, ok)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "hello" || err != nil {
			t.Errorf("run %d: %q, %v", run, body, err)
		}
		resp.Body.Close()
		closeReel(t, reel)
	}
	if all := wantWhole(t, name); talks != 3 || len(all) != 1 {
		t.Errorf("of %d talks %d are recorded", talks, len(all))
	}
	reel := openReel(t, name, replay.ModeReplay, nil)
	defer closeReel(t, reel)
	if _, err := reel.RoundTrip(get(t, "http://h/ws")); err == nil || !strings.Contains(err.Error(), "another protocol, which cannot be played") {
		t.Errorf("it is replayed: %v", err)
	}
}

// A stream is replayed in its pieces and at its moments, with its end.
func TestReelStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "my.reel")
		var first []piece
		for run := range 2 {
			reel, err := replay.OpenReel(name, replay.ModeOnce, replay.ReelOptions{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
				if run > 0 {
					t.Error("the replay uses the network")
				}
				time.Sleep(40 * time.Millisecond)
				return answer(req, script(step{time.Second, "data: 1\n", nil}, step{time.Hour, "\ndata: 2", nil}, step{time.Minute, "\n\n", io.EOF})), nil
			})})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			res, err := (&http.Client{Transport: reel}).Get("http://h/stream")
			if err != nil {
				t.Fatal(err)
			}
			got := []piece{{time.Since(began), "the header"}}
			for buf := make([]byte, 100); err == nil; {
				var n int
				if n, err = res.Body.Read(buf); n > 0 {
					got = append(got, piece{time.Since(began), string(buf[:n])})
				}
			}
			got = append(got, piece{time.Since(began), err.Error()})
			res.Body.Close()
			if run == 0 {
				first = got
			} else if fmt.Sprint(got) != fmt.Sprint(first) || len(got) != 5 {
				t.Errorf("replayed %v\nrecorded %v", got, first)
			}
			closeReel(t, reel)
		}
	})
}

// A stream goes on behind the last event that the client has: with the recorded
// reconnection if there was one, and else in the stream itself.
func TestReelLastEventID(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	stream := func(id string) *http.Request {
		req := get(t, "http://h/stream")
		if id != "" {
			req.Header.Set("Last-Event-ID", id)
		}
		return req
	}
	opened := 0
	reel := openReel(t, name, replay.ModeOnce, roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Header.Get("Last-Event-ID") != "" {
			return answer(req, script(step{0, "id: 3\ndata: 3 again\n\n", io.EOF})), nil
		}
		opened++
		return answer(req, script(step{0, fmt.Sprintf("id: 1\ndata: 1 of %d\n\nid: 2\ndata: 2 of %d\n\n", opened, opened), io.EOF})), nil
	}))
	for _, id := range []string{"", "2", ""} {
		if _, err := bodyOf(reel, stream(id)); err != nil {
			t.Fatal(err)
		}
	}
	closeReel(t, reel)
	reel = openReel(t, name, replay.ModeOnce, nil)
	for i := range 2 {
		mustAsk(t, reel, stream(""), fmt.Sprintf("id: 1\ndata: 1 of %d\n\nid: 2\ndata: 2 of %d\n\n", i+1, i+1))
		mustAsk(t, reel, stream("1"), fmt.Sprintf("id: 2\ndata: 2 of %d\n\n", i+1))
		mustAsk(t, reel, stream("2"), "id: 3\ndata: 3 again\n\n")
	}
	closeReel(t, reel)
}

// Of several streams that were asked for alike, a client goes on in the one whose ID it has.
func TestReelResumesItsStream(t *testing.T) {
	const events = 5
	stream := func(name string, from int) string {
		var b strings.Builder
		for n := from; n < events; n++ {
			fmt.Fprintf(&b, "id: %s-%d\ndata: %[2]d\n\n", name, n)
		}
		return b.String()
	}
	large := strings.Repeat("large ", 300<<10) // recorded in part
	for _, body := range []string{"", "small", large} {
		ask := func(id string) *http.Request {
			req := get(t, "http://h/s")
			if body != "" {
				req = post(t, "http://h/s", "text/plain", strings.NewReader(body))
			}
			if id != "" {
				req.Header.Set("Last-Event-ID", id)
			}
			return req
		}
		name := filepath.Join(t.TempDir(), "my.reel")
		opened := 0
		reel := openReel(t, name, replay.ModeOnce, roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.Body != nil {
				io.Copy(io.Discard, req.Body)
			}
			text := stream("again", 0)
			if req.Header.Get("Last-Event-ID") == "" {
				opened++
				text = stream(fmt.Sprint("s", opened), 0)
			}
			return answer(req, script(step{0, text, io.EOF})), nil
		}))
		for _, id := range []string{"", "", "s1-4", ""} {
			if _, err := bodyOf(reel, ask(id)); err != nil {
				t.Fatal(err)
			}
		}
		closeReel(t, reel)
		for _, c := range []struct{ name, asks string }{
			{"the first of two", "= = s1-1=s1/2 s2-1=s2/2"},
			{"as it has not been played before", "s2-1=s1/0 =s2/0"},
			{"in turns", "= s1-1=s1/2 =s2/0 s2-0=s2/1 s1-1=s1/2 =s3/0 s1-3=s1/4 s3-2=s3/3"},
			{"a reconnection", "= s1-4=again/0 again-2=again/3 s1-1=s1/2 =s2/0 again-0=again/1"},
			{"only a reconnection", "s1-4=again/0 again-2=again/3 =s1/0"},
			{"none has it", "=s1/0 =s2/0 x=s2/0 =s3/0"},
		} {
			t.Run(fmt.Sprintf("%.5s/%s", body, c.name), func(t *testing.T) {
				reel := openReel(t, name, replay.ModeReplay, nil)
				defer closeReel(t, reel)
				for _, step := range strings.Split(c.asks, " ") {
					id, want, _ := strings.Cut(step, "=")
					got, err := bodyOf(reel, ask(id))
					if name, from, ok := strings.Cut(want, "/"); err != nil || ok && got != stream(name, int(from[0]-'0')) {
						t.Errorf("%q: %q, %v; want that of %s", step, got, err, want)
					}
				}
			})
		}
	}
}

// Where a stream and its reconnection have the same IDs, a client goes on in what it had
// last; and what is no event stream has none.
func TestReelResumesTheLast(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	writeFile(t, name, "reel 1\n"+
		"> 9 +0 GET /s\n< 9 +0 200\n< 9 content-type: text/event-stream\n= 9 +0\n|id: 1\n|data: 1\n|\n|id: 2\n|data: 2\n|\n|id: 3\n|data: 3\n|\n. 9 +0 eof\n"+
		"> 2 +0 GET /s\n> 2 last-event-id: 1\n< 2 +0 200\n< 2 content-type: text/event-stream\n= 2 +0\n|id: 2\n|data: again\n|\n|id: 3\n|data: again\n|\n. 2 +0 eof\n"+
		"> 3 +0 GET /t\n< 3 +0 200\n< 3 content-type: text/plain\n= 3 +0\n|id: 2\n|\n. 3 +0 eof\n"+
		"> 4 +0 GET /t\n< 4 +0 200\n< 4 content-type: text/plain\n= 4 +0\n|none\n. 4 +0 eof\n")
	reel := openReel(t, name, replay.ModeReplay, nil)
	defer closeReel(t, reel)
	resume := func(path, id string) *http.Request {
		req := get(t, "http://h"+path)
		req.Header.Set("Last-Event-ID", id)
		return req
	}
	mustAsk(t, reel, get(t, "http://h/s"), "id: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\ndata: 3\n\n")
	mustAsk(t, reel, resume("/s", "1"), "id: 2\ndata: again\n\nid: 3\ndata: again\n\n")
	for range 20 {
		mustAsk(t, reel, resume("/s", "2"), "id: 3\ndata: again\n\n")
	}
	mustAsk(t, reel, get(t, "http://h/t"), "id: 2\n\n")
	mustAsk(t, reel, get(t, "http://h/t"), "none\n")
	mustAsk(t, reel, resume("/t", "2"), "none\n")
}

// A client whose stream breaks goes on in it, though another was recorded behind it.
func TestReelResumesAfterFault(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	writeFile(t, name, "reel 1\n"+
		"> 1 +0 GET http://h/s\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|id: s1-0\n|data: 0\n|\n|id: s1-1\n|data: 1\n|\n|id: s1-2\n|data: 2\n|\n. 1 +0 eof\n"+
		"> 2 +0 GET http://h/s\n< 2 +0 200\n< 2 content-type: text/event-stream\n= 2 +0\n|id: s2-0\n|data: 0\n|\n|id: s2-1\n|data: 1\n|\n|id: s2-2\n|data: 2\n|\n. 2 +0 eof\n")
	reel, err := replay.OpenReel(name, replay.ModeReplay, replay.ReelOptions{
		Playback: replay.Playback{Speed: replay.MaxSpeed, Faults: []replay.Fault{replay.Cut{At: replay.AtEvent(3)}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer closeReel(t, reel)
	for range 2 {
		if got, err := bodyOf(reel, get(t, "http://h/s")); err == nil || !strings.HasSuffix(got, "-1\ndata: 1\n\n") {
			t.Fatalf("%q, %v", got, err)
		}
	}
	for _, stream := range []string{"s1", "s2"} {
		req := get(t, "http://h/s")
		req.Header.Set("Last-Event-ID", stream+"-1")
		if got, _ := bodyOf(reel, req); got != "id: "+stream+"-2\ndata: 2\n\n" {
			t.Errorf("%s goes on with %q", stream, got)
		}
	}
}

func TestReelFaults(t *testing.T) {
	reel, err := replay.OpenReel("../testdata/assembly.reel", replay.ModeReplay, replay.ReelOptions{
		Playback: replay.Playback{Speed: replay.MaxSpeed, Faults: []replay.Fault{replay.Refuse{Status: 429}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer reel.Close()
	for _, x := range mustLoad(t, readFile(t, "../testdata/assembly.reel")).Exchanges() {
		if !x.IsEventStream() {
			continue
		}
		res, err := reel.RoundTrip(get(t, x.URL))
		if err != nil || res.StatusCode != 429 {
			t.Errorf("%v, %v", res, err)
		}
	}
}

// A client of a stream whose events all have one ID gets what it lacks of the one that was cut,
// and then what was recorded behind it, once.
func TestReelResumesWithOneID(t *testing.T) {
	const text = "reel 1\n" +
		"> 1 +0 GET http://h/s\n< 1 +0 200\n< 1 content-type: text/event-stream\n= 1 +0\n|id: 0\n|data: 0\n|\n|data: 1\n|\n|data: 2\n|\n. 1 +0 reset\n" +
		"> 2 +0 GET http://h/s\n> 2 last-event-id: 0\n< 2 +0 200\n< 2 content-type: text/event-stream\n= 2 +0\n|data: 3\n|\n|data: 4\n|\n. 2 +0 eof\n"
	for _, c := range []struct {
		name   string
		faults []replay.Fault
		want   string
	}{
		{"no fault", nil, "0 1 2|3 4|204"},
		{"cut", []replay.Fault{replay.Cut{At: replay.AtEvent(2)}}, "0|1 2|3|4|204"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				name := filepath.Join(t.TempDir(), "my.reel")
				writeFile(t, name, text)
				reel, err := replay.OpenReel(name, replay.ModeReplay, replay.ReelOptions{Playback: replay.Playback{Speed: replay.MaxSpeed, Faults: c.faults}})
				if err != nil {
					t.Fatal(err)
				}
				defer closeReel(t, reel)
				if all := untilStopped(t, reel, "http://h/s", "0"); all != c.want {
					t.Errorf("it gets %q, want %q", all, c.want)
				}
			})
		})
	}
}

// What the program gave up is there again as far as it goes; it is no end for one that reads on.
func TestReelGivenUp(t *testing.T) {
	for _, c := range []struct {
		name, header string
		err          error
	}{
		{"in the midst", "", io.ErrUnexpectedEOF},
		{"in front of the announced end", "< 1 content-length: 4\n", io.ErrUnexpectedEOF},
		{"at the announced end", "< 1 content-length: 3\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "my.reel")
			writeFile(t, name, "reel 1\n> 1 +0 GET http://h/a\n< 1 +0 200\n< 1 content-type: text/event-stream\n"+c.header+"= 1 +0 3\n\\abc\n. 1 +0 canceled\n")
			for _, mode := range []replay.Mode{replay.ModeReplay, replay.ModeAuto} {
				reel := openReel(t, name, mode, nil)
				res, err := reel.RoundTrip(get(t, "http://h/a"))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				if string(body) != "abc" || !errors.Is(err, c.err) || c.err != nil && !strings.Contains(err.Error(), "exchange 1 broke where its client left") {
					t.Errorf("mode %s: %q, %v", mode, body, err)
				}
				closeReel(t, reel)
			}
		})
	}
}

// All that http.Client does comes out the same: redirects, HEAD, cookies, form posts.
func TestReelUnderClient(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		requests.Add(1)
		switch req.URL.Path {
		case "/old":
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: planted})
			http.Redirect(w, req, "/new?token="+planted, http.StatusTemporaryRedirect)
		case "/see":
			http.Redirect(w, req, "/new", http.StatusSeeOther)
		default:
			w.Header().Set("X-Method", req.Method)
			fmt.Fprintf(w, "%s %s", req.Method, req.FormValue("a"))
		}
	}))
	defer server.Close()
	name := filepath.Join(t.TempDir(), "my.reel")
	var recorded []string
	for run := range 2 {
		reel := openReel(t, name, replay.ModeOnce, nil)
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: reel, Jar: jar, Timeout: failsafe}
		var got []string
		note := func(res *http.Response, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			got = append(got, fmt.Sprint(res.StatusCode, res.Request.Method, res.Request.URL.Path, res.ContentLength, res.Header.Get("X-Method"), string(b), err))
		}
		note(client.Get(server.URL + "/old"))
		note(client.Post(server.URL+"/old", "text/plain", strings.NewReader("body")))
		note(client.Post(server.URL+"/see", "text/plain", strings.NewReader("body")))
		note(client.Head(server.URL + "/new"))
		note(client.PostForm(server.URL+"/form", map[string][]string{"a": {"1"}, "signature": {fmt.Sprint(planted, run)}}))
		closeReel(t, reel)
		if strings.Contains(readFile(t, name), planted) {
			t.Errorf("a secret is in the reel:\n%s", readFile(t, name))
		}
		if run == 0 {
			recorded = got
			server.Close()
		}
		if requests.Load() != 8 {
			t.Errorf("%d requests", requests.Load())
		}
		for i := range got {
			if got[i] != recorded[i] {
				t.Errorf("replayed %s\nrecorded %s", got[i], recorded[i])
			}
		}
	}
}

// http.Client's Timeout ends what is replayed, and what is asked, as it would on a network.
func TestReelTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = "reel 1\n> 1 +0 GET http://h/a\n< 1 +60 200\n. 1 +0 eof\n" +
			"> 2 +0 GET http://h/b\n< 2 +0 200\n= 2 +0 1\n\\b\n= 2 +60 1\n\\b\n. 2 +0 eof\n" +
			"> 3 +0 POST http://h/c\n^ 3 +0 1\n\\c\n< 3 +0 200\n. 3 +0 eof\n"
		name := filepath.Join(t.TempDir(), "my.reel")
		writeFile(t, name, text)
		reel, err := replay.OpenReel(name, replay.ModeOnce, replay.ReelOptions{})
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: reel, Timeout: time.Second}
		stuck := script(step{0, "c", nil})
		for _, req := range []*http.Request{
			post(t, "http://h/c", "text/plain", stuck),
			mustRequest(t, "GET", "http://h/a"),
			mustRequest(t, "GET", "http://h/b"),
		} {
			began := time.Now()
			res, err := client.Do(req)
			if err == nil {
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			var timeout interface{ Timeout() bool }
			if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(began) != time.Second {
				t.Errorf("%s: %v after %v", req.URL, err, time.Since(began))
			}
		}
		synctest.Wait()
		select {
		case <-stuck.closed:
		default:
			t.Error("the body of the request is not closed")
		}
		closeReel(t, reel)
	})
}

func mustRequest(t testing.TB, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// The body of a request is read to its end, and closed, whatever becomes of the request;
// where it is sent, it is whole.
func TestReelRequestBodies(t *testing.T) {
	held := strings.Repeat("held ", 300<<10)
	for _, mode := range []replay.Mode{replay.ModeOnce, replay.ModeAuto, replay.ModeReplay, replay.ModeRecord, replay.ModePassthrough} {
		for _, c := range []struct{ name, path, body string }{
			{"held", "/a", held}, {"another body", "/a", "another" + held}, {"another path", "/b", held},
			{"nothing recorded", "/c", held}, {"short", "/a", "short"},
		} {
			for _, known := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s, length known: %v", mode, c.name, known), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						name := recordReel(t, post(t, "http://h/a", "text/plain", strings.NewReader(held)), get(t, "http://h/c"), post(t, "http://h/c", "text/plain", nil))
						reel := openReel(t, name, mode, roundTripper(func(req *http.Request) (*http.Response, error) {
							b, err := io.ReadAll(req.Body)
							if string(b) != c.body || err != nil || known && (req.ContentLength != int64(len(b)) || req.GetBody == nil) {
								t.Errorf("%d bytes are sent, %v", len(b), err)
							}
							req.Body.Close()
							return answer(req, script(step{0, "sent", io.EOF})), nil
						}))
						body := script(step{0, c.body, nil}, step{0, "", io.EOF})
						req := post(t, "http://h"+c.path, "text/plain", body)
						if known {
							req.ContentLength = int64(len(c.body))
							req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(c.body)), nil }
						}
						got, err := bodyOf(reel, req)
						if err != nil && !errors.Is(err, replay.ErrNotRecorded) {
							t.Errorf("%q, %v", got, err)
						}
						synctest.Wait()
						select {
						case <-body.closed:
						default:
							t.Error("the body is not closed")
						}
						if len(body.steps) != 1 || body.steps[0].err != io.EOF {
							t.Error("the body is not read to its end")
						}
						closeReel(t, reel)
					})
				})
			}
		}
	}
	t.Run("broken", func(t *testing.T) {
		gone := errors.New("the disk is gone")
		reel := openReel(t, recordReel(t, post(t, "http://h/a", "text/plain", strings.NewReader("x"))), replay.ModeAuto, nil)
		defer reel.Close()
		body := script(step{0, "x", gone})
		if _, err := bodyOf(reel, post(t, "http://h/a", "text/plain", body)); !errors.Is(err, gone) {
			t.Errorf("the error is %v", err)
		}
		select {
		case <-body.closed:
		default:
			t.Error("the body is not closed")
		}
	})
}

// A body that goes on while the response comes in is not waited for, where nothing in the
// reel could be the answer.
func TestReelAutoFullDuplex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resume := post(t, "http://h/b", "text/plain", strings.NewReader("resume"))
		resume.Header.Set("Last-Event-ID", "1")
		reel := openReel(t, recordReel(t, get(t, "http://h/a"), resume), replay.ModeAuto, roundTripper(func(req *http.Request) (*http.Response, error) {
			return answer(req, req.Body), nil
		}))
		r, w := io.Pipe()
		res, err := reel.RoundTrip(post(t, "http://h/b", "text/plain", r))
		if err != nil {
			t.Fatal(err)
		}
		go io.WriteString(w, "ping")
		buf := make([]byte, 10)
		if n, err := res.Body.Read(buf); string(buf[:n]) != "ping" || err != nil {
			t.Errorf("%q, %v", buf[:n], err)
		}
		w.Close()
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		closeReel(t, reel)
	})
}

// After Close, nothing is replayed, and what is sent is not recorded.
func TestReelAfterClose(t *testing.T) {
	for _, c := range []struct {
		mode        replay.Mode
		there       bool
		held, lacks bool // sent, whether the reel holds it or not
	}{
		{replay.ModeOnce, true, false, false},
		{replay.ModeOnce, false, true, true},
		{replay.ModeReplay, true, false, false},
		{replay.ModeAuto, true, false, true},
		{replay.ModeAuto, false, true, true},
		{replay.ModeRecord, true, true, true},
		{replay.ModePassthrough, true, true, true},
	} {
		t.Run(fmt.Sprintf("%s, there: %v", c.mode, c.there), func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "my.reel")
			if c.there {
				name = recordReel(t, get(t, "http://h/a"))
			}
			network := new(echo)
			reel := openReel(t, name, c.mode, network)
			if _, err := bodyOf(reel, get(t, "http://h/a")); err != nil {
				t.Fatal(err)
			}
			closeReel(t, reel)
			was, sent := readFile(t, name), network.requests.Load()
			for path, sends := range map[string]bool{"a": c.held, "b": c.lacks} {
				_, err := bodyOf(reel, get(t, "http://h/"+path))
				if (err == nil) != sends || err != nil && !strings.Contains(err.Error(), "is closed") {
					t.Errorf("%s: %v", path, err)
				}
				if sends {
					sent++
				}
			}
			if network.requests.Load() != sent {
				t.Errorf("%d requests are sent, want %d", network.requests.Load(), sent)
			}
			if readFile(t, name) != was {
				t.Error("a closed reel has changed")
			}
		})
	}
}

// A request is compared with what was recorded, or refused: where that cannot be read any
// more, it is not sent in place of it.
func TestReelAfterCloseSendsNothingHeld(t *testing.T) {
	ask := func() *http.Request {
		return post(t, "http://h/a", "text/plain", io.NopCloser(strings.NewReader("body")))
	}
	name, base := recordReel(t, ask()), new(echo)
	reel := openReel(t, name, replay.ModeAuto, base)
	closeReel(t, reel)
	body, err := bodyOf(reel, ask())
	if n := base.requests.Load(); err == nil || !strings.Contains(err.Error(), "is closed") || n != 0 {
		t.Errorf("it is answered with %q, %v, and sent %d times", body, err, n)
	}
}

// Of two that close a reel at once, neither goes on before the reel is there.
func TestReelClosedTwiceAtOnce(t *testing.T) {
	for range 6 {
		name := filepath.Join(t.TempDir(), "my.reel")
		reel := openReel(t, name, replay.ModeOnce, new(echo))
		for range 3000 { // whose ends take their time to write
			if _, err := reel.RoundTrip(get(t, "http://h/a")); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := reel.Close(); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(name); err != nil {
					t.Errorf("behind Close: %v", err)
				}
			})
		}
		wg.Wait()
	}
}

// The body of a request that is replayed may have no end. It is read as long as the request
// lasts.
func TestReelRequestBodyWithoutEnd(t *testing.T) {
	name := recordReel(t, get(t, "http://h/a"))
	synctest.Test(t, func(t *testing.T) {
		reel := openReel(t, name, replay.ModeReplay, nil)
		defer closeReel(t, reel)
		ctx, cancel := context.WithCancel(t.Context())
		req := get(t, "http://h/a").WithContext(ctx)
		r, w := io.Pipe()
		req.Body = r
		res, err := reel.RoundTrip(req)
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

// What Redact hides from the reel, it hides from the comparison as well.
func TestReelRedact(t *testing.T) {
	name := filepath.Join(t.TempDir(), "my.reel")
	for run, account := range []string{"anna", "otto"} {
		redact := func(text []byte) {
			copy(text, bytes.ReplaceAll(text, []byte(account), []byte("0000")))
		}
		reel, err := replay.OpenReel(name, replay.ModeOnce, replay.ReelOptions{Base: new(echo), Redact: redact})
		if err != nil {
			t.Fatal(err)
		}
		got, err := bodyOf(reel, post(t, "http://h/accounts/"+account+"?id="+account, "text/plain", strings.NewReader("I am "+account)))
		if want := "1: POST /accounts/anna I am anna"; run == 0 && got != want || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		closeReel(t, reel)
		if strings.Contains(readFile(t, name), account) {
			t.Errorf("recorded\n%s", readFile(t, name))
		}
	}
}

func TestReelClosesIdleConnections(t *testing.T) {
	base := new(idler)
	reel := openReel(t, filepath.Join(t.TempDir(), "my.reel"), replay.ModeOnce, base)
	(&http.Client{Transport: reel}).CloseIdleConnections()
	if base.closed != 1 {
		t.Errorf("closed %d times", base.closed)
	}
	closeReel(t, reel)
	reel = openReel(t, filepath.Join(t.TempDir(), "my.reel"), replay.ModeOnce, roundTripper(nil))
	(&http.Client{Transport: reel}).CloseIdleConnections()
	closeReel(t, reel)
}

// A Reel that is opened for recording touches no file but its own: where another has taken
// the name, that one stays as it is, the first one's recording is not in its place, and the
// program is told.
func TestReelFileReplaced(t *testing.T) {
	const theirs = "reel 1\n# another program's\n"
	for _, c := range []struct {
		mode    replay.Mode
		there   bool
		records bool
	}{
		{replay.ModeOnce, false, true},
		{replay.ModeOnce, false, false},
		{replay.ModeRecord, true, true},
		{replay.ModeRecord, true, false},
		{replay.ModeAuto, true, true},
		{replay.ModeAuto, true, false},
		{replay.ModeAuto, false, true},
		{replay.ModeAuto, false, false},
	} {
		for _, discard := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, there: %v, records: %v, discard: %v", c.mode, c.there, c.records, discard), func(t *testing.T) {
				name := filepath.Join(t.TempDir(), "my.reel")
				was := ""
				if c.there {
					name = recordReel(t, get(t, "http://h/a"))
					was = readFile(t, name)
				}
				reel := openReel(t, name, c.mode, new(echo))
				if c.records {
					mustAsk(t, reel, get(t, "http://h/b"), "1: GET /b ")
				}
				written := name
				if c.mode != replay.ModeAuto {
					written += ".part"
				}
				writeFile(t, name+".new", theirs)
				if err := os.Rename(name+".new", written); err != nil {
					t.Fatal(err)
				}
				var err error
				if discard {
					_, err = reel.Discard()
				} else {
					err = reel.Close()
				}
				if err == nil || !strings.Contains(err.Error(), "something else has written to the file") || !strings.Contains(err.Error(), written) {
					t.Errorf("the error is %v", err)
				}
				if now := readFile(t, written); now != theirs {
					t.Errorf("the other's file has become\n%s", now)
				}
				if c.mode != replay.ModeAuto && c.there && readFile(t, name) != was {
					t.Errorf("the old reel has become\n%s", readFile(t, name))
				} else if !c.there && written != name {
					wantGone(t, name)
				}
			})
		}
	}
}

// A Reel in ModeAuto that recorded nothing leaves what another has recorded to the file since
// it was opened.
func TestReelAutoLeavesWhatOthersRecord(t *testing.T) {
	for _, there := range []bool{false, true} {
		for _, discard := range []bool{false, true} {
			t.Run(fmt.Sprintf("there: %v, discard: %v", there, discard), func(t *testing.T) {
				name := filepath.Join(t.TempDir(), "my.reel")
				held := 0
				if there {
					name = recordReel(t, get(t, "http://h/a"))
					held = 1
				}
				idle, other := openReel(t, name, replay.ModeAuto, new(echo)), openReel(t, name, replay.ModeAuto, new(echo))
				mustAsk(t, other, get(t, "http://h/b"), "1: GET /b ")
				closeReel(t, other)
				was := readFile(t, name)
				err := error(nil)
				if discard {
					_, err = idle.Discard()
				} else {
					err = idle.Close()
				}
				if err != nil {
					t.Errorf("the error is %v", err)
				}
				if now := readFile(t, name); now != was {
					t.Errorf("the reel has become\n%s", now)
				}
				if all := wantWhole(t, name); len(all) != held+1 {
					t.Errorf("%d exchanges, want %d", len(all), held+1)
				}
			})
		}
	}
}

// The first to record to a file has it, though another opened it before: the other does not
// cut off what it does not know of.
func TestReelAutoCutsNothingOff(t *testing.T) {
	name := recordReel(t, get(t, "http://h/a"))
	late, first := openReel(t, name, replay.ModeAuto, new(echo)), openReel(t, name, replay.ModeAuto, new(echo))
	mustAsk(t, first, get(t, "http://h/b"), "1: GET /b ")
	closeReel(t, first)
	was := readFile(t, name)
	mustAsk(t, late, get(t, "http://h/c"), "1: GET /c ")
	if err := late.Close(); err == nil || !strings.Contains(err.Error(), "something else has written to the file") {
		t.Errorf("Close: %v", err)
	}
	if now := readFile(t, name); now != was {
		t.Errorf("the reel has become\n%s", now)
	}
}

// Exchanges may stand in a reel under any numbers. Those that are added have others.
func TestReelAutoNumbers(t *testing.T) {
	for _, numbers := range [][]int{{1, 2}, {2, 1}, {7, 3}, {3, 9, 4}} {
		text, most := version, 0
		for _, n := range numbers {
			text += fmt.Sprintf("> %[1]d +0 GET http://h/%[1]d\n< %[1]d +0 200\n= %[1]d +0\n\\held\n. %[1]d +0 eof\n", n)
			most = max(most, n)
		}
		name := filepath.Join(t.TempDir(), "my.reel")
		writeFile(t, name, text)
		reel := openReel(t, name, replay.ModeAuto, new(echo))
		for i := range most { // enough to come upon each number that is taken
			mustAsk(t, reel, get(t, fmt.Sprintf("http://h/new%d", i)), fmt.Sprintf("%d: GET /new%[2]d ", i+1, i))
		}
		closeReel(t, reel)
		if all := wantWhole(t, name); len(all) != len(numbers)+most {
			t.Errorf("behind %v there are %d exchanges, want %d", numbers, len(all)-len(numbers), most)
		}
	}
}
