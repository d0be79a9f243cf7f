package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// serveEnv makes a server of a process of this program, so that what serves shares neither a
// heap nor a scheduler with what asks. It says what is served: a serving, as JSON.
const serveEnv = "PEERBENCH_SERVE"

// serving is what a server process serves: streams of the same piece, each under its own
// path, or a reel.
type serving struct {
	Kind   string
	Counts []int         // of the pieces of each stream
	Gap    time.Duration // in front of each piece; 0 plays as fast as the client takes it
	Reel   string        // the name of a file, for the kind reelFile
}

// The kinds of a serving.
const (
	bare           = "bare"      // a handler that writes and flushes the pieces
	recording      = "recording" // a recording of some event stream
	updateStream   = "update stream"
	reelFile       = "reel"
	updateStreamID = "0c53dea3f503449d89d1ab9bc0348091"
)

// kinds are those that are compared, the bare handler the last.
var kinds = []struct{ name, kind string }{
	{"ssereel replay", recording},
	{"ssereel replay, an Assembly's updates", updateStream},
	{"bare net/http handler", bare},
}

// piece is what a language model streams for one token, about 200 bytes.
const piece = `data: {"id":"chatcmpl-7f3a90c2d1b84e65","object":"chat.completion.chunk","created":1778170257,"model":"gpt-4","choices":[{"index":0,"delta":{"content":" the"},"logprobs":null,"finish_reason":null}]}` + "\n\n"

// path is where the stream of so many pieces is served.
func (s serving) path(count int) string {
	if s.Kind == updateStream {
		return fmt.Sprintf("/%d/ws?assembly=%s", count, updateStreamID)
	}
	return fmt.Sprintf("/%d", count)
}

func (s serving) handler() (http.Handler, error) {
	switch s.Kind {
	case bare:
		return bareHandler(s.Gap), nil
	case recording, updateStream:
		file, err := os.CreateTemp("", "peerbench-*.reel")
		if err != nil {
			return nil, err
		}
		defer os.Remove(file.Name())
		defer file.Close()
		if err := s.record(file); err != nil {
			return nil, err
		}
		s.Reel = file.Name()
	}
	rec, err := replay.Open(s.Reel)
	if err != nil {
		return nil, err
	}
	p := replay.Playback{}
	if s.Gap == 0 {
		p.Speed = replay.MaxSpeed
	}
	return rec.Handler(p), nil
}

// record writes the reel of the streams.
func (s serving) record(out io.Writer) error {
	w, err := replay.NewWriter(out, time.Time{})
	if err != nil {
		return err
	}
	for _, count := range s.Counts {
		x, err := w.Exchange(0, http.MethodGet, s.path(count), nil)
		if err != nil {
			return err
		}
		x.Response(0, http.StatusOK, http.Header{"Content-Type": {"text/event-stream"}})
		for i := range count {
			x.ResponseBody(time.Duration(i+1)*s.Gap, []byte(piece))
		}
		x.End(time.Duration(count)*s.Gap, replay.EndEOF, nil)
	}
	return w.Close()
}

// bareHandler does what a handler has to do, and no more: it waits for the moment of each
// piece, writes it and flushes.
func bareHandler(gap time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count, _ := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
		start := time.Now()
		w.Header().Set("Content-Type", "text/event-stream")
		flusher := w.(http.Flusher)
		flusher.Flush()
		data := []byte(piece)
		var timer *time.Timer
		for i := range count {
			if gap > 0 {
				left := time.Duration(i+1)*gap - time.Since(start)
				if timer == nil {
					timer = time.NewTimer(left)
				} else {
					timer.Reset(left)
				}
				<-timer.C
			}
			if _, err := w.Write(data); err != nil {
				return
			}
			flusher.Flush()
		}
	})
}

// stats is what a server process says of itself.
type stats struct {
	Mallocs    uint64        // so far
	Heap       uint64        // in use when the server began, in bytes
	Ready      time.Duration // what it took to make the handler
	Resident   int64         // memory, in bytes; 0 where the system does not tell
	Peak       int64         // of Resident
	Goroutines int
	Files      int // open; 0 where the system does not tell
}

// serve is main for a server process. It says its address and, for each line that it is
// sent, its stats. It ends with its standard input.
func serve(spec string, in io.Reader, out io.Writer) error {
	var s serving
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		return err
	}
	start := time.Now()
	handler, err := s.handler()
	if err != nil {
		return err
	}
	st := stats{Ready: time.Since(start)}
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	st.Heap = mem.HeapAlloc
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(listener, handler)
	fmt.Fprintln(out, listener.Addr())
	for lines := bufio.NewScanner(in); lines.Scan(); {
		runtime.ReadMemStats(&mem)
		st.Mallocs = mem.Mallocs
		st.Goroutines = runtime.NumGoroutine()
		st.Resident, st.Peak = resident("self")
		files, _ := os.ReadDir("/proc/self/fd")
		st.Files = len(files)
		if err := json.NewEncoder(out).Encode(st); err != nil {
			return err
		}
	}
	return nil
}

// resident returns how much memory a process has, and has had at most, in bytes, 0 where the
// system does not tell.
func resident(pid string) (now, peak int64) {
	status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kB, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now = kB << 10
		case "VmHWM":
			peak = kB << 10
		}
	}
	return now, peak
}

// server is a process that serves.
type server struct {
	serving
	addr    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	request func(count int) string // "" for GET of the path
	foreign bool                   // it has no stats
	mu      sync.Mutex
}

// start starts a server process. procs is its GOMAXPROCS, 0 for the usual.
func (s serving) start(procs int) (*server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	spec, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), serveEnv+"="+string(spec))
	if procs > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", procs))
	}
	srv := &server{serving: s, cmd: cmd}
	if err := srv.run(); err != nil {
		return nil, err
	}
	line, err := srv.out.ReadString('\n')
	if err != nil {
		srv.stop()
		return nil, fmt.Errorf("the server of the kind %s did not start", s.Kind)
	}
	srv.addr = strings.TrimSpace(line)
	return srv, nil
}

func (s *server) run() error {
	s.cmd.Stderr = os.Stderr
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	s.in, s.out = in, bufio.NewReader(out)
	return s.cmd.Start()
}

func (s *server) stats() (st stats, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.in, "\n"); err != nil {
		return st, err
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return st, err
	}
	return st, json.Unmarshal(line, &st)
}

func (s *server) stop() {
	s.in.Close()
	if s.foreign {
		s.cmd.Process.Kill()
	}
	s.cmd.Wait()
}

// cpus returns the processors that this process may use.
func cpus() ([]int, error) {
	out, err := exec.Command("taskset", "-cp", strconv.Itoa(os.Getpid())).Output()
	if err != nil {
		return nil, err
	}
	_, list, _ := strings.Cut(string(out), ": ")
	return parseCPUs(strings.TrimSpace(list))
}

// parseCPUs reads a list such as 0-3,6.
func parseCPUs(list string) (all []int, err error) {
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		to := from
		if err == nil && isRange {
			to, err = strconv.Atoi(last)
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no list of processors: %w", list, err)
		}
		for ; from <= to; from++ {
			all = append(all, from)
		}
	}
	return all, nil
}

// pin keeps a process on some processors.
func pin(pid int, cpus ...int) error {
	list := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(cpus)), ","), "[]")
	if out, err := exec.Command("taskset", "-acp", list, strconv.Itoa(pid)).CombinedOutput(); err != nil {
		return errors.Join(err, errors.New(strings.TrimSpace(string(out))))
	}
	return nil
}
