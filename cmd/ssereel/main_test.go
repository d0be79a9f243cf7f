package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
	"github.com/ssereel/ssereel/testdata"
)

// failsafe is how long a test waits for what should come at once.
const failsafe = 30 * time.Second

// asProgram in the environment makes the test binary the program itself, for what
// only a process shows: signals, pipes, terminals.
const asProgram = "SSEREEL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	tmp, err := os.MkdirTemp("", "ssereel-test-")
	if err != nil {
		panic(err)
	}
	os.Setenv("TMPDIR", tmp) // for whatever the commands leave behind
	status := m.Run()
	os.RemoveAll(tmp)
	os.Exit(status)
}

// outcome is what a command leaves behind.
type outcome struct {
	status         int
	stdout, stderr string
}

// ssereel runs a command in this process, with nothing on standard input.
func ssereel(t *testing.T, args ...string) outcome {
	t.Helper()
	return ssereelWith(t, strings.NewReader(""), args...)
}

// ssereelWith is ssereel with something on standard input.
func ssereelWith(t *testing.T, in io.Reader, args ...string) outcome {
	t.Helper()
	r := begin(t, in, args...)
	status := r.wait()
	return outcome{status, r.stdout.String(), r.stderr.String()}
}

// wantDone fails the test where the command did not succeed in silence.
func (o outcome) wantDone(t *testing.T) {
	t.Helper()
	if o.status != 0 || o.stderr != "" {
		t.Errorf("exit status %d, stderr %q; want 0 and nothing", o.status, o.stderr)
	}
}

// wantLine fails the test where the command did anything but say, on standard
// error, one line that begins with its name and has all of the given parts.
func (o outcome) wantLine(t *testing.T, status int, parts ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d, want %d", o.status, status)
	}
	if o.stdout != "" {
		t.Errorf("stdout has %q, want nothing", o.stdout)
	}
	if !strings.HasPrefix(o.stderr, "ssereel") || !strings.HasSuffix(o.stderr, "\n") || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("stderr is not one line of ssereel: %q", o.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(o.stderr, part) {
			t.Errorf("stderr says %q, which does not tell %q", o.stderr, part)
		}
	}
}

// text is a buffer that one goroutine writes and others look into.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *text) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *text) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// running is a command at work in this process.
type running struct {
	t              *testing.T
	stop           context.CancelFunc // Ctrl-C
	stdout, stderr text
	lines          chan string // of stdout
	status         chan int    // comes when all of the output is there
}

func begin(t *testing.T, in io.Reader, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &running{t: t, stop: stop, lines: make(chan string, 1<<16), status: make(chan int, 1)}
	out, w := io.Pipe()
	read := make(chan struct{})
	go func() {
		status := run(ctx, console{in, w, &r.stderr}, args)
		w.Close()
		<-read
		r.status <- status
	}()
	lines := bufio.NewReader(io.TeeReader(out, &r.stdout))
	go func() {
		defer close(read)
		defer close(r.lines)
		for {
			line, err := lines.ReadString('\n')
			if line != "" {
				r.lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(stop)
	return r
}

// line returns the next line of standard output.
func (r *running) line() string {
	r.t.Helper()
	select {
	case line, ok := <-r.lines:
		if !ok {
			r.t.Fatalf("standard output has ended; stderr: %s", r.stderr.String())
		}
		return line
	case <-time.After(failsafe):
		r.t.Fatalf("no line on standard output; stderr: %s", r.stderr.String())
	}
	return ""
}

// wait returns the exit status.
func (r *running) wait() int {
	r.t.Helper()
	select {
	case status := <-r.status:
		return status
	case <-time.After(failsafe):
		r.t.Fatalf("the command does not end; stderr: %s", r.stderr.String())
	}
	return -1
}

// process returns the program as a process of its own, not yet started.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), failsafe)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, exe, args...)
	// The race detector would let each process sleep for a second at its end.
	cmd.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	cmd.Dir = t.TempDir()
	return cmd
}

// await waits until what is so comes true, for what has no event to wait for.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(failsafe); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("waited in vain: %s", what)
			return
		}
	}
}

// write makes a file and returns its name.
func write(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "my.reel")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// assembly is the recording that the demo plays.
func assembly(t *testing.T) string {
	t.Helper()
	b, err := testdata.Recordings.ReadFile("assembly.reel")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// open opens a reel that must be whole.
func open(t *testing.T, name string) *replay.Recording {
	t.Helper()
	rec, err := replay.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rec.Close() })
	return rec
}

// only returns the one exchange of a reel that must be whole.
func only(t *testing.T, name string) *replay.Exchange {
	t.Helper()
	exchanges := open(t, name).Exchanges()
	if len(exchanges) != 1 {
		t.Fatalf("%s has %d exchanges, want 1", name, len(exchanges))
	}
	return exchanges[0]
}

// pieces returns the reads of an exchange.
func pieces(t *testing.T, x *replay.Exchange) []string {
	t.Helper()
	var out []string
	for read, err := range x.Reads() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(read.Data))
	}
	return out
}

// moments returns when the reads of an exchange returned.
func moments(t *testing.T, x *replay.Exchange) []time.Duration {
	t.Helper()
	var out []time.Duration
	for read, err := range x.Reads() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, read.At)
	}
	return out
}

func TestHelp(t *testing.T) {
	all := ssereel(t, "--help")
	all.wantDone(t)
	names := []string{"version"}
	for _, cmd := range commands {
		names = append(names, cmd.name)
	}
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^ +` + name + ` +\S`).MatchString(all.stdout) {
			t.Errorf("--help does not list %s", name)
		}
	}
	for _, args := range [][]string{{"help"}, {"-h"}, {"help", "help"}} {
		if o := ssereel(t, args...); o != all {
			t.Errorf("%q differs from --help: %+v", args, o)
		}
	}
}

func TestHelpOfCommands(t *testing.T) {
	tests := []struct {
		command string
		usage   string
		tells   []string
	}{
		{"demo", "ssereel demo [OPTION]...", []string{"--speed"}},
		{"record", "ssereel record [OPTION]... URL", []string{"-o, --output", "-H, --header", "-d, --data", "-X, --request", "--force", "--timeout", "Ctrl-C", "REDACTED", "SCENARIO_SDK_API_KEY"}},
		{"replay", "ssereel replay [OPTION]... FILE", []string{"--listen", "--speed", "max", "127.0.0.1:0", "listening on http://HOST:PORT", "text/event-stream", "Bodies of requests do not count"}},
		{"events", "ssereel events [OPTION]... [FILE|-]", []string{`{"type":"message","id":"","data":"..."}`, "U+FFFD", "--max-event-size"}},
		{"diff", "ssereel diff [OPTION]... OLD|- NEW|-", []string{"--ignore", "(unsure)", "--json", "exit status"}},
		{"exchanges", "ssereel exchanges [OPTION]... FILE|-", []string{`"status":200`, "--json"}},
		{"status", "ssereel status [OPTION]... [FILE|-]", []string{"--full", "--json"}},
		{"verify", "ssereel verify [OPTION]... FILE", []string{"whole", "truncated", "damaged", "--json", "exit status"}},
	}
	for _, tt := range tests {
		t.Run(tt.command, func(t *testing.T) {
			o := ssereel(t, tt.command, "--help")
			o.wantDone(t)
			for _, part := range append(tt.tells, tt.usage) {
				if !strings.Contains(o.stdout, part) {
					t.Errorf("the help does not tell %q:\n%s", part, o.stdout)
				}
			}
			for _, args := range [][]string{{tt.command, "-h"}, {"help", tt.command}} {
				if other := ssereel(t, args...); other != o {
					t.Errorf("%q differs from %s --help: %+v", args, tt.command, other)
				}
			}
		})
	}
}

// Help fits a terminal of 80 columns.
func TestHelpWidth(t *testing.T) {
	for _, command := range []string{"", "demo", "record", "proxy", "replay", "compose", "exchanges", "events", "status", "verify", "diff", "anonymize"} {
		o := ssereel(t, strings.Fields(command+" --help")...)
		o.wantDone(t)
		wantNarrow(t, o.stdout)
	}
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"--version"}, {"version"}} {
		o := ssereel(t, args...)
		o.wantDone(t)
		if !regexp.MustCompile(`^ssereel \S+\n$`).MatchString(o.stdout) {
			t.Errorf("%q prints %q", args, o.stdout)
		}
	}
	for _, args := range [][]string{{"help", "version"}, {"version", "--help"}} {
		if o := ssereel(t, args...); o.status != 0 || !strings.HasPrefix(o.stdout, "Usage:\n  ssereel version\n") {
			t.Errorf("%q prints %q", args, o.stdout)
		}
	}
}

func TestWithoutCommand(t *testing.T) {
	o := ssereel(t)
	if o.status != 2 || o.stdout != "" || !strings.Contains(o.stderr, "Usage:") {
		t.Errorf("without a command: %+v; want status 2 and the help on stderr", o)
	}
}

func TestWrongUsage(t *testing.T) {
	stream := "http://127.0.0.1:1/stream"
	tests := []struct {
		name  string
		args  []string
		tells string // besides where the help is
	}{
		{"unknown command", []string{"play"}, `"play"`},
		{"unknown command, help", []string{"help", "play"}, `"play"`},
		{"unknown option in front of the command", []string{"--verbose", "demo"}, `"--verbose"`},
		{"demo, unknown option", []string{"demo", "--fast"}, "--fast"},
		{"demo, an argument", []string{"demo", "my.reel"}, "my.reel"},
		{"demo, speed 0", []string{"demo", "--speed", "0"}, `demo: --speed wants a number such as 1, 10 or 0.5, or max, not "0"`},
		{"record, unknown option", []string{"record", "--fast", stream}, "--fast"},
		{"record, no URL", []string{"record"}, "URL"},
		{"record, two URLs", []string{"record", stream, stream}, "URL"},
		{"record, no scheme", []string{"record", "example.com/stream"}, "example.com/stream"},
		{"record, foreign scheme", []string{"record", "ftp://example.com/stream"}, "it has to begin with http:// or https://"},
		{"record, no host", []string{"record", "http:///stream"}, "it names no host"},
		{"record, control character", []string{"record", "http://example.com/\n"}, "https://example.com/stream"},
		{"record, option without value", []string{"record", stream, "-o"}, "-o"},
		{"record, header without colon", []string{"record", "-H", "Accept", stream}, "NAME: VALUE"},
		{"record, header with a space in its name", []string{"record", "-H", "a b: c", stream}, "NAME: VALUE"},
		{"record, header without a name", []string{"record", "-H", ": c", stream}, "NAME: VALUE"},
		{"record, header with a line break", []string{"record", "-H", "a: b\nc: d", stream}, "header"},
		{"record, no method", []string{"record", "-X", "A B", stream}, "A B"},
		{"record, no time to wait", []string{"record", "--timeout", "0", stream}, "--timeout"},
		{"record, a time that is none", []string{"record", "--timeout", "soon", stream}, `--timeout wants a time such as 500ms, 90s or 10m, not "soon"`},
		{"record, a time without a unit", []string{"record", "--timeout", "90", stream}, `--timeout wants a time such as 500ms, 90s or 10m, not "90"`},
		{"replay, unknown option", []string{"replay", "--fast", "my.reel"}, "--fast"},
		{"replay, no FILE", []string{"replay"}, "FILE"},
		{"replay, two FILEs", []string{"replay", "a.reel", "b.reel"}, "FILE"},
		{"replay, speed 0", []string{"replay", "--speed", "0", "my.reel"}, "--speed"},
		{"replay, speed below 0", []string{"replay", "--speed", "-1", "my.reel"}, "--speed"},
		{"replay, speed that is none", []string{"replay", "--speed", "fast", "my.reel"}, "--speed"},
		{"replay, speed NaN", []string{"replay", "--speed", "NaN", "my.reel"}, "--speed"},
		{"replay, a silence without a unit", []string{"replay", "--max-idle", "2", "my.reel"}, `--max-idle wants a time such as 500ms, 90s or 10m, not "2"`},
		{"replay, seed below 0", []string{"replay", "--seed", "-1", "my.reel"}, `--seed wants a whole number from 0 to 18446744073709551615, not "-1"`},
		{"replay, a fault without a place", []string{"replay", "--fault", "cut@event=x", "my.reel"}, `replay: --fault cut@event=x: "x" is no event`},
		{"replay, no fault", []string{"replay", "--fault", "quake", "my.reel"}, `replay: --fault quake: there is no such fault`},
		{"replay, no port", []string{"replay", "--listen", "localhost", "my.reel"}, "HOST:PORT"},
		{"replay, no such port", []string{"replay", "--listen", "127.0.0.1:99999", write(t, assembly(t))}, "99999"},
		{"events, unknown option", []string{"events", "--fast"}, "--fast"},
		{"exchanges, no FILE", []string{"exchanges"}, "FILE is missing"},
		{"exchanges, two FILEs", []string{"exchanges", "a.reel", "b.reel"}, "FILE"},
		{"events, two FILEs", []string{"events", "a.reel", "b.reel"}, "FILE"},
		{"events, no limit", []string{"events", "--max-event-size", "0"}, "--max-event-size"},
		{"events, limit that is none", []string{"events", "--max-event-size", "10k"}, `--max-event-size wants a whole number, not "10k"`},
		{"status, unknown option", []string{"status", "--fast"}, "--fast"},
		{"status, two FILEs", []string{"status", "a.json", "b.json"}, "FILE"},
		{"verify, unknown option", []string{"verify", "--fast", "my.reel"}, "--fast"},
		{"verify, no FILE", []string{"verify"}, "FILE"},
		{"verify, no name", []string{"verify", "a.reel", ""}, "FILE is an empty name (a variable that is not set?)"},
		{"replay, no name", []string{"replay", ""}, "FILE is an empty name (a variable that is not set?)"},
		{"events, no name", []string{"events", ""}, "FILE is an empty name (a variable that is not set?)"},
		{"record, an empty URL", []string{"record", ""}, "URL is an empty name"},
		{"record, no name", []string{"record", "-o", "", stream}, "-o needs a file name"},
		{"proxy, no name", []string{"proxy", "--upstream", stream[:len("http://127.0.0.1:1")], "--output="}, "-o needs a file name"},
		{"compose, no name", []string{"compose", "-o", ""}, "-o needs a file name"},
		{"demo, no name", []string{"demo", "-o", ""}, "-o needs a file name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ssereel(t, tt.args...).wantLine(t, 2, tt.tells, "--help")
		})
	}
}

// What is no reel, or of an unknown version, is told in one line, with what to do.
func TestNoReel(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name    string
		content string
		tells   string
		remedy  string // a pattern
	}{
		{"unknown version", "reel 2\n", "reel 2", `newer|update|upgrade`},
		{"unknown version, far off", "reel 31\n> 1 +0 GET /\n", "reel 31", `newer|update|upgrade`},
		{"text", "Dear diary,\n", "not a reel", `ssereel (record|events)`},
		{"HTML", "<!doctype html>\n", "not a reel", `ssereel (record|events)`},
		{"raw stream", "data: hello\n\n", "not a reel", `ssereel (record|events)`},
		{"binary", "\x00\x8b\x08\x00\x00\x00\x00\x00", "not a reel", `ssereel (record|events)`},
		{"CRLF", strings.ReplaceAll(assembly(t), "\n", "\r\n"), "CRLF", `get it again .*\(in git: \*.reel -text\)\n$`},
		{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "not a reel: it is compressed with gzip", `: gunzip it first\n$`},
		{"UTF-16", "\xff\xfer\x00e\x00e\x00l\x00 \x001\x00\n\x00", "not a reel: it is UTF-16", `: convert it to UTF-8 first\n$`},
		{"a byte order mark", byteOrderMark + assembly(t), "not a reel: it begins with a byte order mark", `: save it without one\n$`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(dir, "my.reel")
			if err := os.WriteFile(name, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, command := range []string{"verify", "replay"} {
				for called, o := range map[string]outcome{
					name:             ssereel(t, command, name),
					"standard input": ssereelWith(t, strings.NewReader(tt.content), command, "-"),
				} {
					o.wantLine(t, 1, called, tt.tells)
					if !regexp.MustCompile(tt.remedy).MatchString(o.stderr) {
						t.Errorf("no word of what to do (%s): %s", tt.remedy, o.stderr)
					}
				}
			}
		})
	}
	// What it was, it was as a document too.
	for _, command := range []string{"status", "compose"} {
		ssereel(t, command, write(t, "\x1f\x8b\x08\x00")).wantLine(t, 1, "my.reel: it is compressed with gzip: gunzip it first\n")
		ssereel(t, command, write(t, byteOrderMark+"{}")).wantLine(t, 1, "my.reel: it begins with a byte order mark: save it without one\n")
	}
	// A raw stream is what events wants; it refuses only a reel it does not know.
	ssereel(t, "events", write(t, "reel 2\n")).wantLine(t, 1, "reel 2")
}

// Errors of the packages are told without their names, wherever they stand; what is called
// alike is not touched.
func TestUnprefixed(t *testing.T) {
	page := errors.New("status: 401 status: replay: x")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{fmt.Errorf("my.json: %w", page), "my.json: 401 status: replay: x"},
		{fmt.Errorf("replay: exchange 1: %w: again", page), "exchange 1: 401 status: replay: x: again"},
		{fmt.Errorf("the server said %q", "status: bad"), `the server said "status: bad"`},
		{fmt.Errorf("it failed: %w", status.ErrUnknownDocument), "it failed: " + strings.TrimPrefix(status.ErrUnknownDocument.Error(), "status: ")},
	} {
		if got := unprefixed(tt.err); got != tt.want {
			t.Errorf("%v becomes %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.reel")
	for _, command := range []string{"verify", "replay", "events"} {
		o := ssereel(t, command, missing)
		o.wantLine(t, 1, missing, "no such file")
		if strings.Contains(o.stderr, "replay: open") {
			t.Errorf("the line names a package: %s", o.stderr)
		}
		ssereel(t, command, dir).wantLine(t, 1, dir)
	}
}

// rawEvents returns what an independent use of the parser makes of a stream.
func rawEvents(t *testing.T, stream string) []event {
	t.Helper()
	var out []event
	r := ssewire.NewReader(strings.NewReader(stream))
	for r.Next() {
		ev := r.Event()
		typ := string(ev.Type)
		if typ == "" {
			typ = "message"
		}
		out = append(out, event{typ, string(ev.ID), string(ev.Data)})
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// wantEvents fails the test where stdout is not the given events.
func (o outcome) wantEvents(t *testing.T, want []event) {
	t.Helper()
	if got := decode(t, o.stdout); !slices.Equal(got, want) {
		t.Errorf("events:\n got %q\nwant %q", got, want)
	}
}

// lacking skips a test that needs what this machine does not have; where everything has
// to be tested, it fails the test.
func lacking(t *testing.T, what any) {
	t.Helper()
	if os.Getenv("SSEREEL_TEST_ALL") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// failing is a reader or writer that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A result that cannot be written is a failure, whoever the command is.
func TestResultCannotBeWritten(t *testing.T) {
	reel := write(t, assembly(t))
	for _, args := range [][]string{{"--help"}, {"--version"}, {"verify", "--help"}, {"verify", reel}, {"verify", "--json", reel}, {"diff", reel, reel}, {"diff", "--json", reel, reel}, {"diff", reel, write(t, paced)}, {"diff", "--json", reel, write(t, paced)}, {"exchanges", reel}, {"events", reel}, {"status", reel}, {"replay", reel}, {"demo", "--speed", "4"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			var stderr text
			ctx, cancel := context.WithTimeout(t.Context(), failsafe)
			defer cancel()
			status := run(ctx, console{strings.NewReader(""), failing{errors.New("no space left")}, &stderr}, args)
			want := 1
			if args[0] == "diff" { // which cannot tell then
				want = 2
			}
			outcome{status: status, stderr: stderr.String()}.wantLine(t, want, ": cannot write standard output: no space left\n")
			if ctx.Err() != nil {
				t.Error("it went on for ever")
			}
		})
	}
}

// Whoever reads the result may have had enough of it. What it says is known all the same.
func TestReaderGone(t *testing.T) {
	whole := assembly(t)
	cut := whole[:len(whole)/2]
	for _, tt := range []struct {
		name string
		args []string
		want int
		says string
	}{
		{"whole", []string{"verify", write(t, whole)}, 0, ""},
		{"truncated", []string{"verify", write(t, cut)}, 1, ""},
		{"truncated, as JSON", []string{"verify", "--json", write(t, cut)}, 1, ""},
		{"the exchanges of a reel", []string{"exchanges", write(t, whole)}, 0, ""},
		{"the exchanges of a truncated reel", []string{"exchanges", write(t, cut)}, 1, "truncated"},
		{"the events of a reel", []string{"events", write(t, whole)}, 0, ""},
		{"the events of a truncated reel", []string{"events", write(t, cut)}, 1, "truncated"},
		{"the Status of a truncated reel", []string{"status", write(t, cut)}, 1, "truncated"},
		{"no difference", []string{"diff", write(t, whole), write(t, whole)}, 0, ""},
		{"a difference", []string{"diff", write(t, whole), write(t, paced)}, 1, ""},
		{"a difference, as JSON", []string{"diff", "--json", write(t, whole), write(t, paced)}, 1, ""},
		{"help", []string{"--help"}, 0, ""},
		{"help of a command", []string{"verify", "--help"}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stderr text
			status := run(t.Context(), console{strings.NewReader(""), failing{&os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}}, &stderr}, tt.args)
			if said := stderr.String(); status != tt.want || !strings.Contains(said, tt.says) || (tt.says == "") != (said == "") {
				t.Errorf("status %d, and it says %q; want %d and %q", status, said, tt.want, tt.says)
			}
		})
	}
}
