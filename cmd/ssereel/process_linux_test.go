package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// signals are the two that ask a program to end.
var signals = map[string]os.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM}

// ended waits for a process, and returns what it has left behind.
func ended(t *testing.T, cmd *exec.Cmd, stdout, stderr fmt.Stringer) outcome {
	t.Helper()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		t.Errorf("the process was killed by %v", status.Signal())
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func TestProcess(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		status int
	}{{[]string{"--help"}, 0}, {[]string{"verify", "missing.reel"}, 1}, {[]string{"verify"}, 2}, {nil, 2}} {
		var stdout, stderr text
		cmd := process(t, tt.args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		o := ended(t, cmd, &stdout, &stderr)
		if o.status != tt.status || (o.stdout == "") == (tt.status == 0) || (o.stderr == "") != (tt.status == 0) {
			t.Errorf("%q: %+v, want status %d", tt.args, o, tt.status)
		}
	}
}

// A signal ends a recording as it should be ended. Nothing is shown while it runs:
// this is no terminal.
func TestProcessRecordStopped(t *testing.T) {
	for name, signal := range signals {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr text
			cmd := process(t, "record", "-o", "my.reel")
			reel := filepath.Join(cmd.Dir, "my.reel")
			server := serveStream(t, func(s stream) {
				s.sendTo(reel, 1, "data: a\n\n")
				s.sendTo(reel, 2, "data: b\n\ndata")
				s.hang()
			})
			cmd.Args = append(cmd.Args, server.URL+"/stream")
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			awaitReads(t, reel, 2)
			cmd.Process.Signal(signal)
			o := ended(t, cmd, &stdout, &stderr)
			o.wantDone(t)
			o.wantSummary(t, "my.reel", "2 events", "22 bytes", ", stopped")
			wantWhole(t, reel)
		})
	}
}

// Killed in the middle of a recording, a program leaves all that it had read, and
// every command can use it.
func TestProcessRecordKilled(t *testing.T) {
	var sent strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&sent, "id: %d\r\ndata: {\"progress\":%d,\xff\"pad\":\"%s\"}\r\n\r\n", i, i, strings.Repeat("x", i%50))
	}
	tests := []struct {
		name   string
		pieces func(s stream, reel string)
	}{
		{"while it waits", func(s stream, reel string) {
			for i := range 10 {
				s.sendTo(reel, i+1, sent.String()[i*100:i*100+100])
			}
			s.hang()
		}},
		{"while it writes", func(s stream, _ string) {
			for rest := sent.String(); rest != "" && s.req.Context().Err() == nil; rest = rest[min(len(rest), 37):] {
				s.send(rest[:min(len(rest), 37)])
			}
			s.hang()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := process(t, "record", "-o", "my.reel")
			reel := filepath.Join(cmd.Dir, "my.reel")
			server := serveStream(t, func(s stream) { tt.pieces(s, reel) })
			cmd.Args = append(cmd.Args, server.URL+"/stream")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			awaitReads(t, reel, 10)
			cmd.Process.Kill()
			cmd.Wait()

			j, status := judge(t, reel)
			if status != 1 || j.Verdict != "truncated" || j.Reads < 10 || j.Bytes == 0 || j.Line == 0 {
				t.Errorf("verify says %+v, status %d", j, status)
			}
			said := regexp.MustCompile(fmt.Sprintf(`: truncated: .*\bline %d\b.*\bbyte %d\b`, j.Line, j.Offset))
			if o := ssereel(t, "verify", reel); !said.MatchString(o.stdout) || o.status != 1 {
				t.Errorf("verify: %+v, want %s", o, said)
			}
			want := sent.String()[:j.Bytes]
			o := ssereel(t, "events", reel)
			o.wantEvents(t, replaced(rawEvents(t, want)))
			if !strings.Contains(o.stderr, "truncated") {
				t.Errorf("events does not say so: %q", o.stderr)
			}
			r := begin(t, nil, "replay", "--speed", "max", reel)
			resp := get(t, listening(t, r)+"/stream", nil)
			if b, err := io.ReadAll(resp.Body); string(b) != want || err == nil {
				t.Errorf("played %d bytes, %v; want %d and the connection broken", len(b), err, len(want))
			}
			if !strings.Contains(r.stderr.String(), "truncated") {
				t.Errorf("replay does not say so: %q", r.stderr.String())
			}
			// And it is no file to lose.
			ssereel(t, "record", "-o", reel, server.URL).wantLine(t, 1, "--force")
		})
	}
}

// A disk that is full from the start.
func TestRecordFullDisk(t *testing.T) {
	server := serveStream(t, func(s stream) { s.send("data: a\n\n"); s.hang() })
	o := ssereel(t, "record", "--force", "-o", "/dev/full", server.URL)
	o.wantLine(t, 1, "/dev/full", "no space left on device", "make room", "-o")
	if strings.Contains(o.stderr, "can be played") {
		t.Errorf("of a reel that holds nothing it says: %s", o.stderr)
	}
}

// A disk that is full in the middle: the recording ends by itself, says what to do,
// and leaves what was recorded.
func TestProcessRecordFullDisk(t *testing.T) {
	var stdout, stderr text
	cmd := process(t, "record", "-o", "my.reel")
	reel := filepath.Join(cmd.Dir, "my.reel")
	const limit = "4" // blocks
	server := serveStream(t, func(s stream) {
		for i := 1; i <= 5; i++ {
			s.sendTo(reel, i, fmt.Sprintf("data: %d\n\n", i))
		}
		for s.req.Context().Err() == nil {
			s.send("data: " + strings.Repeat("x", 100) + "\n\n")
		}
	})
	cmd.Args = append([]string{"sh", "-c", `ulimit -f ` + limit + `; exec "$0" "$@"`, cmd.Path}, append(cmd.Args[1:], server.URL)...)
	cmd.Path = "/bin/sh"
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := ended(t, cmd, &stdout, &stderr)
	o.wantLine(t, 1, "my.reel", "file too large", "can be played", "-o")
	j, status := judge(t, reel)
	if status != 1 || j.Verdict != "truncated" || j.Reads < 5 || strings.Contains(j.Reason, "the line") {
		t.Errorf("verify says %+v, status %d", j, status)
	}
	if events := decode(t, ssereel(t, "events", reel).stdout); len(events) < 5 || events[4].Data != "5" {
		t.Errorf("events prints %q", events)
	}
}

func TestProcessReplayStopped(t *testing.T) {
	for name, signal := range signals {
		t.Run(name, func(t *testing.T) {
			var stderr text
			cmd := process(t, "replay", write(t, strings.Replace(paced, "= 1 +0.05 9", "= 1 +3600 9", 1)))
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			url, ok := strings.CutPrefix(line, "listening on ")
			if err != nil || !ok {
				t.Fatalf("the first line is %q, %v", line, err)
			}
			resp := get(t, strings.TrimSpace(url)+"/ws20219", nil)
			io.ReadFull(resp.Body, make([]byte, 7)) // in the middle of a stream
			cmd.Process.Signal(signal)
			if o := ended(t, cmd, &bytes.Buffer{}, &stderr); o.status != 0 || strings.Count(o.stderr, "\n") != 1 {
				t.Errorf("%+v, want status 0 and a line about the request", o)
			}
		})
	}
}

// A signal ends events that waits for more.
func TestProcessEventsStopped(t *testing.T) {
	for name, signal := range signals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := process(t, "events")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			io.WriteString(in, "data: a\n\n")
			if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			gone := make(chan struct{})
			go func() { cmd.Wait(); close(gone) }()
			cmd.Process.Signal(signal)
			select {
			case <-gone:
			case <-time.After(3 * time.Second):
				t.Error("it goes on")
				in.Close()
				<-gone
			}
		})
	}
}

// Who reads only the first lines, as head does, stops the rest without a word.
func TestProcessClosedPipe(t *testing.T) {
	stream := strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n\n", 2000)
	tests := []struct {
		name  string
		args  []string
		stdin io.Reader
	}{
		{"events of a reel", []string{"events", write(t, reelOf(t, stream[:1<<20], stream[1<<20:]))}, nil},
		{"events of a raw stream", []string{"events", write(t, stream)}, nil},
		{"events of a stream without end", []string{"events", "-"}, endless("data: x\n\n")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stderr text
			cmd := process(t, tt.args...)
			cmd.Stderr = &stderr
			if tt.stdin != nil {
				in, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				go io.Copy(in, tt.stdin)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, `{"type":"message"`) {
				t.Fatalf("%q, %v", line, err)
			}
			out.Close()
			if o := ended(t, cmd, &bytes.Buffer{}, &stderr); o.stderr != "" {
				t.Errorf("status %d, stderr %q", o.status, o.stderr)
			}
		})
	}
}

// A recording that goes to a pipe which closes ends, and its server knows.
func TestProcessRecordClosedPipe(t *testing.T) {
	gone := make(chan struct{})
	server := serveStream(t, func(s stream) {
		defer close(gone)
		for s.req.Context().Err() == nil {
			s.send("data: a\n\n")
		}
	})
	var stderr text
	cmd := process(t, "record", "-o", "-", server.URL)
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for line := ""; !strings.HasPrefix(line, "= "); {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	out.Close()
	if o := ended(t, cmd, &bytes.Buffer{}, &stderr); strings.Contains(o.stderr, "pipe") {
		t.Errorf("status %d, stderr %q", o.status, o.stderr)
	}
	select {
	case <-gone:
	case <-time.After(failsafe):
		t.Error("the server still sends")
	}
}

// openTerminal returns the two ends of a pseudo terminal: ours, and the program's.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	ioctl := func(request uintptr, arg *int32) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(arg))); errno != 0 {
			t.Fatal(errno)
		}
	}
	var unlock, number int32
	ioctl(syscall.TIOCSPTLCK, &unlock)
	ioctl(syscall.TIOCGPTN, &number)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// On a terminal, a line tells events, bytes and time while they come, in place, and is
// gone when the result is printed.
func TestProcessRecordOnTerminal(t *testing.T) {
	master, slave := openTerminal(t)
	var stdout, shown text
	cmd := process(t, "record", "-o", "my.reel")
	reel := filepath.Join(cmd.Dir, "my.reel")
	server := serveStream(t, func(s stream) {
		s.sendTo(reel, 1, "data: a\n\n")
		await(t, "the terminal shows one event", func() bool {
			return regexp.MustCompile(`\r1 event, 9 bytes, \d+\.\d s`).MatchString(shown.String())
		})
		s.sendTo(reel, 2, "data: b\n\ndata: c")
		await(t, "the terminal shows two events", func() bool {
			return regexp.MustCompile(`\r2 events, 25 bytes, \d+\.\d s`).MatchString(shown.String())
		})
	})
	cmd.Args = append(cmd.Args, server.URL)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, &stdout, slave
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(&shown, master) // until the program has closed the terminal
	}()
	o := ended(t, cmd, &stdout, &text{})
	<-drained
	o.wantDone(t)
	o.wantSummary(t, "my.reel", "2 events", "25 bytes", "")
	all := shown.String()
	if strings.Contains(all, "\n") || !regexp.MustCompile(`\r(\x1b\[2?K)?$`).MatchString(all) {
		t.Errorf("the line is not taken away: %q", all)
	}
}

// On a terminal, a line tells whose answer is waited for, and then how an Assembly gets
// on, in place of the lines for a log.
func TestProcessRecordAssemblyOnTerminal(t *testing.T) {
	master, slave := openTerminal(t)
	var stdout, shown text
	showing := func(what string) {
		await(t, "the terminal shows "+what, func() bool { return regexp.MustCompile(what).MatchString(shown.String()) })
	}
	server := assemblyServer(t, func(n int) string {
		if n == 1 {
			showing(`\rwaiting for 127\.0\.0\.1:\d+, \d\.\d s`)
			return `{"ok":"ASSEMBLY_UPLOADING",URLS,"bytes_received":1000,"bytes_expected":4000}`
		}
		return storyCompleted
	}, func(s stream) {
		showing(`\rASSEMBLY_UPLOADING  \[#+-+\]   25 %  \d+\.\d s  1\.0 kB of 4\.0 kB`)
		s.send(storyUpdates + "data: assembly_uploading_finished\n\n")
		showing(`\rASSEMBLY_EXECUTING  \[(#+)-+\]   50 %  \d+\.\d s`)
		s.send("data: assembly_finished\n\n")
	})
	cmd := process(t, "record", "-o", "my.reel", server.URL+"/assemblies/"+storyID)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, &stdout, slave
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(&shown, master)
	}()
	o := ended(t, cmd, &stdout, &text{})
	<-drained
	o.wantDone(t)
	o.wantSummary(t, "my.reel", "3 events, [23] Statuses", `\d+ bytes`, ", ASSEMBLY_COMPLETED")
	if all := shown.String(); strings.Contains(all, "\n") || !strings.HasSuffix(all, "\r\x1b[K") {
		t.Errorf("the line is not taken away: %q", all)
	}
}

// On a terminal, status speaks to a person; elsewhere, to a script.
func TestProcessStatusOnTerminal(t *testing.T) {
	for _, tt := range []struct {
		options []string
		want    string
	}{
		{nil, `^(?s)[a-z]+ +.*ASSEMBLY_COMPLETED`},
		{[]string{"--json"}, `^\{"system":"assembly",`},
	} {
		master, slave := openTerminal(t)
		var shown, stderr text
		cmd := process(t, append([]string{"status"}, tt.options...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(`{"ok":"ASSEMBLY_COMPLETED","assembly_id":"a"}`), slave, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		slave.Close()
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			io.Copy(&shown, master)
		}()
		if err := cmd.Wait(); err != nil || stderr.String() != "" {
			t.Errorf("%v: %v, %s", tt.options, err, stderr.String())
		}
		<-drained
		if !regexp.MustCompile(tt.want).MatchString(shown.String()) {
			t.Errorf("status %v shows %q, want %s", tt.options, shown.String(), tt.want)
		}
	}
}
