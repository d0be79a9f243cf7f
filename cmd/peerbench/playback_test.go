package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// aimockEnv makes a stand-in for aimock of the test's own program.
const aimockEnv = "PEERBENCH_AIMOCK"

func TestMain(m *testing.M) {
	if spec := os.Getenv(serveEnv); spec != "" {
		exit(serve(spec, os.Stdin, os.Stdout))
	}
	if os.Getenv(aimockEnv) != "" {
		exit(standInForAimock(os.Args))
	}
	os.Exit(m.Run())
}

// standInForAimock takes the same arguments and answers the same requests.
func standInForAimock(args []string) error {
	fixtures := struct {
		Fixtures []struct {
			Match    struct{ UserMessage string }
			Response struct{ Content string }
		}
	}{}
	text, err := os.ReadFile(args[slices.Index(args, "--fixtures")+1])
	if err == nil {
		err = json.Unmarshal(text, &fixtures)
	}
	if err != nil {
		return err
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, _ := io.ReadAll(r.Body)
		for _, f := range fixtures.Fixtures {
			if bytes.Contains(question, []byte(f.Match.UserMessage)) {
				for range len(f.Response.Content) + aimockAround {
					io.WriteString(w, piece)
					w.(http.Flusher).Flush()
				}
			}
		}
	}))
	fmt.Println("[aimock] aimock server listening on " + s.URL)
	select {}
}

// TestPlayback has each server stream once: measure fails where a piece is missing or two
// came as one chunk.
func TestPlayback(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(aimockEnv, "1")
	p := playback{aimock: program}
	table, err := p.start()
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	if len(table.contenders) != len(kinds)+1 {
		t.Fatalf("not all servers run: %+v", p.notes)
	}
	for _, in := range table.inputs {
		results, err := table.measure(in, 1, time.Nanosecond)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r.NsPerUnit <= 0 || r.Ratio <= 0 || r.AllocsPerUnit < 0 != table.contenders[i].server.foreign {
				t.Errorf("%s has not been measured: %+v", r.Contender, r)
			}
		}
	}
}

func TestPlaybackWithoutAimock(t *testing.T) {
	p := playback{aimock: "no-such-command"}
	table, err := p.start()
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	if len(table.contenders) != len(kinds) || len(p.notes) == 0 || !strings.Contains(p.notes[0], "no-such-command") {
		t.Errorf("%d servers, and the notes are %q", len(table.contenders), p.notes)
	}
}

func TestCountChunks(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
	for _, c := range []struct {
		name, response string
		want           int
		err            string
	}{
		{"two", head + "1\r\na\r\n1A\r\n" + strings.Repeat("b", 26) + "\r\n0\r\n\r\n", 2, ""},
		{"none", head + "0\r\n\r\n", 0, ""},
		{"cut off", head + "1\r\na\r\n2\r\nb", 1, "EOF"},
		{"no chunks", head + "hello\r\n", 0, "begins no chunk"},
		{"an error", "HTTP/1.1 404 Not Found\r\n\r\n", 0, "404"},
		{"nothing", "", 0, "EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := countChunks(bufio.NewReader(strings.NewReader(c.response)))
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%d chunks and error %v, want %d and %q", got, err, c.want, c.err)
			}
		})
	}
}

func TestParseCPUs(t *testing.T) {
	got, err := parseCPUs("0-2,5")
	if want := []int{0, 1, 2, 5}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if _, err := parseCPUs("a few"); err == nil {
		t.Error("no error")
	}
}

// TestCrowd has a few clients read at the recorded pace.
func TestCrowd(t *testing.T) {
	c := crowd{clients: 20, ramp: 10 * time.Millisecond, gap: 20 * time.Millisecond, pieces: 5, limit: time.Hour}
	results, err := c.measure(1)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	printCrowd(&out, c, results)
	for i, r := range results {
		if r.Contender != kinds[i].name || r.Within != 1 || r.P50Ms <= 0 || r.P99Ms < r.P50Ms || r.MaxMs < r.P99Ms {
			t.Errorf("%s has not been measured: %+v", kinds[i].name, r)
		}
		if _, err := os.Stat("/proc/self/status"); err == nil && (r.MB < 1 || r.Ratio <= 0) {
			t.Errorf("%s has no memory: %+v", r.Contender, r)
		}
		if !strings.Contains(out.String(), r.Contender) {
			t.Errorf("the table lacks %s:\n%s", r.Contender, out.String())
		}
	}
}

// TestFollow has a client read from servers that are wrong.
func TestFollow(t *testing.T) {
	c := crowd{clients: 1, gap: time.Hour, pieces: 2}
	for _, want := range []struct {
		name  string
		write func(http.ResponseWriter)
		err   string
	}{
		{"too early", func(w http.ResponseWriter) { io.WriteString(w, piece); w.(http.Flusher).Flush() }, errEarly.Error()},
		{"too short", func(w http.ResponseWriter) {}, "piece 1 of 2"},
		{"an error", func(w http.ResponseWriter) { w.WriteHeader(404) }, "404"},
	} {
		t.Run(want.name, func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Connection", "close")
				want.write(w)
			}))
			defer web.Close()
			s := &server{serving: serving{Kind: bare}, addr: web.Listener.Addr().String()}
			err := s.follow(t.Context(), c, make([]time.Duration, c.pieces), func() {})
			if err == nil || !strings.Contains(err.Error(), want.err) {
				t.Errorf("the error is %v, want one with %q", err, want.err)
			}
		})
	}
}

func TestLateness(t *testing.T) {
	var all turn
	for i := range 100 {
		all.lateness = append(all.lateness, time.Duration(i+1)*time.Millisecond)
	}
	if got := all.late(0.99); got != 100*time.Millisecond {
		t.Errorf("99%% are not later than %v", got)
	}
	if got := all.late(1); got != 100*time.Millisecond {
		t.Errorf("the latest is %v", got)
	}
	if got := all.within(25 * time.Millisecond); got != 0.25 {
		t.Errorf("%v are within 25 ms", got)
	}
}

// TestVanishedClients has clients go in mid-stream. Nothing is left of them in the server.
func TestVanishedClients(t *testing.T) {
	n := int(min(1000, raiseFiles(1100)-100))
	for _, k := range kinds[:len(kinds)-1] { // the bare handler looks for nobody until it writes
		t.Run(k.kind, func(t *testing.T) {
			s, err := serving{Kind: k.kind, Counts: []int{10}, Gap: time.Hour}.start(0)
			if err != nil {
				t.Fatal(err)
			}
			defer s.stop()
			before, err := s.stats()
			if err != nil {
				t.Fatal(err)
			}
			var conns []io.Closer
			for range n {
				conn, _, err := s.open(10)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Read(make([]byte, 1)); err != nil { // of the header
					t.Fatal(err)
				}
				conns = append(conns, conn)
			}
			during, err := s.stats()
			if err != nil {
				t.Fatal(err)
			}
			if during.Goroutines < before.Goroutines+n {
				t.Errorf("%d goroutines serve %d clients", during.Goroutines-before.Goroutines, n)
			}
			for _, conn := range conns {
				err = errors.Join(err, conn.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(20 * time.Second); ; {
				after, err := s.stats()
				if err != nil {
					t.Fatal(err)
				}
				if after.Goroutines <= before.Goroutines && after.Files <= before.Files {
					t.Logf("%d clients: %d goroutines before, %d during, %d after; %d, %d and %d files", n,
						before.Goroutines, during.Goroutines, after.Goroutines, before.Files, during.Files, after.Files)
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("left: %d goroutines of %d, %d files of %d", after.Goroutines, during.Goroutines, after.Files, during.Files)
				}
			}
		})
	}
}

func TestReel(t *testing.T) {
	r, err := measureReel(1<<20, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Bytes < 1<<20 || r.Bytes > 2<<20 || r.OpenMBps <= 0 || r.ReadMBps <= 0 || r.PlayMBps <= 0 || r.IndexMB <= 0 {
		t.Errorf("the reel has not been measured: %+v", r)
	}
	var out bytes.Buffer
	printReel(&out, r)
	if !strings.Contains(out.String(), fmt.Sprint(r.Pieces)) {
		t.Errorf("the text lacks the number of pieces:\n%s", out.String())
	}
}

func TestOptions(t *testing.T) {
	o := options{rounds: 1, turn: time.Nanosecond, clients: 3, only: "stream/large", json: true}
	var out bytes.Buffer
	if err := o.run(&out); err != nil {
		t.Fatal(err)
	}
	var results []result
	if err := json.Unmarshal(out.Bytes(), &results); err != nil || len(results) != len(streamTable().contenders) {
		t.Errorf("%v: %s", err, out.String())
	}
	o.only = "nothing"
	if err := o.run(io.Discard); err == nil || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("the error is %v", err)
	}
}
