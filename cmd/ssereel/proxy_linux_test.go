package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// around runs a shell's script as the command of a proxy.
func around(t *testing.T, server, name, script string, options ...string) outcome {
	t.Helper()
	args := append([]string{"proxy", "--upstream", server, "-o", name}, options...)
	return ssereelWith(t, strings.NewReader("from stdin\n"), append(args, "--", "sh", "-c", script, "sh", "-x", "a b")...)
}

// In mode replay the command succeeds only if it was tested by what it was to be tested by: it has
// asked for something, and each of the faults has happened, if a stream was replayed.
func TestProxyCommandIsTested(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := write(t, reelOf(t, "data: a\n\n", "data: b\n\n"))
	stream := asProgram + `=1 "` + exe + `" record -o "` + t.TempDir() + `/$$.reel" "$SSEREEL_PROXY_URL/ws?assembly=1" >/dev/null`
	for _, tt := range []struct {
		name, script string
		faults       []string
		status       int
		tells        string
	}{
		{"it asks nothing", "true", nil, 1, "asked nothing of the proxy"},
		{"it is answered", stream, nil, 0, "1 from the recording"},
		{"its fault happens", stream, []string{"drop@event=2"}, 0, "fault drop@event=2"},
		{"its fault does not", stream, []string{"drop@event=3"}, 1, "the fault drop@event=3 never happened"},
		{"one of two happens", stream, []string{"drop@event=2", "drop@event=2"}, 1, "the fault drop@event=2 never happened"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			options := []string{"--mode", "replay", "--speed", "max"}
			for _, fault := range tt.faults {
				options = append(options, "--fault", fault)
			}
			if o := around(t, "https://api2.example", name, tt.script, options...); o.status != tt.status || !strings.Contains(o.stderr, tt.tells) {
				t.Errorf("%+v, want status %d and %q", o, tt.status, tt.tells)
			}
		})
	}
}

func TestProxyCommand(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		status       int
		stdout       string
	}{
		{"nothing", "", 0, ""},
		{"its arguments", `echo "$@"`, 0, "-x a b\n"},
		{"standard input", "cat", 0, "from stdin\n"},
		{"its exit status", "exit 3", 3, ""},
		{"a signal", "kill -KILL $$", 128 + 9, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "my.reel")
			o := around(t, "http://127.0.0.1:1", name, tt.script)
			if o.status != tt.status || o.stdout != tt.stdout {
				t.Errorf("%+v, want status %d and %q", o, tt.status, tt.stdout)
			}
			lines := strings.SplitAfter(o.stderr, "\n")
			if tt.status == 0 { // it may have asked elsewhere
				if n := len(lines) - 2; n < 2 || !strings.Contains(lines[n], "asked nothing of the proxy: have it take the URL from SSEREEL_PROXY_URL") {
					t.Fatalf("stderr has %q", o.stderr)
				}
				lines = append(lines[:len(lines)-2], "")
			}
			if len(lines) != 3 || !regexp.MustCompile(`^listening on http://127\.0\.0\.1:\d+\n$`).MatchString(lines[0]) {
				t.Fatalf("stderr has %q", o.stderr)
			}
			wantProxied(t, lines[1], name, "0 requests recorded", "0 bytes", "")
			if b := read(t, name); !strings.Contains(b, "\n$ ") {
				t.Errorf("the reel is not sealed: %q", b)
			}
		})
	}
	t.Run("nobody to tell the address", func(t *testing.T) {
		var stdout text
		c := console{strings.NewReader(""), &stdout, failing{errors.New("no space left")}}
		status := run(t.Context(), c, []string{"proxy", "--upstream", "http://127.0.0.1:1", "--mode", "passthrough", "--", "sh", "-c", "echo at $SSEREEL_PROXY_URL"})
		if said := stdout.String(); status != 0 || !strings.HasPrefix(said, "at http://127.0.0.1:") {
			t.Errorf("the command says %q, and the exit status is %d", said, status)
		}
	})
	t.Run("its environment", func(t *testing.T) {
		o := around(t, "http://127.0.0.1:1", filepath.Join(t.TempDir(), "my.reel"), `echo $SSEREEL_PROXY_URL; echo $API; echo $BASE`, "--env", "API", "--env", "BASE=/v1")
		at, _, _ := strings.Cut(strings.TrimPrefix(o.stderr, "listening on "), "\n")
		if want := at + "\n" + at + "\n" + at + "/v1\n"; o.stdout != want {
			t.Errorf("%q, want %q", o.stdout, want)
		}
	})
	t.Run("no program", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(name, []byte("no program\x00\x7f"), 0o700); err != nil {
			t.Fatal(err)
		}
		o := ssereel(t, "proxy", "--upstream", "http://127.0.0.1:1", "--mode", "passthrough", "--", name)
		if o.status != 126 || !strings.Contains(o.stderr, name) {
			t.Errorf("%+v", o)
		}
	})
}

// Programs in other languages see each event when it is sent: the server waits for
// them to acknowledge it.
func TestProxyClients(t *testing.T) {
	for _, tt := range []struct{ program, script string }{
		{"curl", `curl -sSN "$SSEREEL_PROXY_URL/stream" | while read -r line; do
			case $line in data:*) line=${line#*\"n\":}; curl -sS -d "${line%%,*}" "$SSEREEL_PROXY_URL/ack" || exit 1;; esac
		done`},
		{"node", `node -e '
			(async () => {
				const resp = await fetch(process.env.SSEREEL_PROXY_URL + "/stream");
				let text = "";
				for await (const piece of resp.body) {
					text += Buffer.from(piece).toString();
					for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
						const event = JSON.parse(text.slice("data: ".length, end));
						await fetch(event.ack, {method: "POST", body: String(event.n)});
					}
				}
			})()'`},
		{"python3", `python3 -c '
import json, os, urllib.request
for line in urllib.request.urlopen(os.environ["SSEREEL_PROXY_URL"] + "/stream"):
    if line.startswith(b"data: "):
        event = json.loads(line[6:])
        urllib.request.urlopen(event["ack"], str(event["n"]).encode()).read()
'`},
	} {
		t.Run(tt.program, func(t *testing.T) {
			if _, err := exec.LookPath(tt.program); err != nil {
				lacking(t, err)
			}
			server := serveAcknowledged(t, 3)
			name := filepath.Join(t.TempDir(), "my.reel")
			o := around(t, server.URL, name, tt.script)
			if o.status != 0 {
				t.Errorf("%+v", o)
			}
			wantWhole(t, name)
			x := open(t, name).Exchanges()
			if len(x) != 4 || len(pieces(t, x[0])) != 3 || x[0].RequestHeader.Get("User-Agent") == "" {
				t.Errorf("%d exchanges, the stream in %q", len(x), pieces(t, x[0]))
			}
			for _, x := range x {
				if !strings.HasPrefix(x.URL, server.URL) {
					t.Errorf("the reel has %s", x.URL)
				}
			}
		})
	}
}

// What the process shows: signals end it with a sealed reel.
func TestProcessProxyStopped(t *testing.T) {
	for name, signal := range signals {
		t.Run(name, func(t *testing.T) {
			server := serveStream(t, func(s stream) { s.send("data: a\n\n"); s.hang() })
			var stdout, stderr text
			cmd := process(t, "proxy", "--upstream", server.URL, "-o", "my.reel")
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			await(t, "the address", func() bool { return strings.Contains(stdout.String(), "\n") })
			at, _ := strings.CutPrefix(strings.TrimSpace(stdout.String()), "listening on ")
			io.ReadFull(get(t, at+"/", nil).Body, make([]byte, 9))
			cmd.Process.Signal(signal)
			o := ended(t, cmd, &stdout, &stderr)
			_, result, _ := strings.Cut(o.stdout, "\n")
			wantProxied(t, result, "my.reel", "1 request recorded", "9 bytes", "")
			if o.status != 0 {
				t.Errorf("%+v", o)
			}
			wantWhole(t, filepath.Join(cmd.Dir, "my.reel"))
		})
	}
}

// The command gets the signals, each of them, and ends in its own time.
func TestProcessProxyPassesSignalsOn(t *testing.T) {
	for name, signal := range signals {
		t.Run(name, func(t *testing.T) {
			var stderr text
			cmd := process(t, "proxy", "--upstream", "http://127.0.0.1:1", "-o", "my.reel", "--", "sh", "-c", `
				sleep 60 &
				trap 'trap "kill $!; exit 7" `+strings.TrimPrefix(name, "SIG")+`; echo once' `+strings.TrimPrefix(name, "SIG")+`
				echo ready
				wait; wait`)
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(out)
			for _, want := range []string{"ready\n", "once\n"} {
				if line, err := lines.ReadString('\n'); line != want {
					t.Fatalf("%q, %v, want %q", line, err, want)
				}
				cmd.Process.Signal(signal)
			}
			if o := ended(t, cmd, &text{}, &stderr); o.status != 7 || !strings.Contains(o.stderr, "my.reel: 0 requests recorded") {
				t.Errorf("%+v, want the command's status", o)
			}
			if b := read(t, filepath.Join(cmd.Dir, "my.reel")); !strings.Contains(b, "\n$ ") {
				t.Errorf("the reel is not sealed: %q", b)
			}
		})
	}
}

// main ignores SIGPIPE; a command whose reader goes is to end as ever.
func TestProcessProxyCommandHasSIGPIPE(t *testing.T) {
	cmd := process(t, "proxy", "--upstream", "http://127.0.0.1:1", "--mode", "passthrough", "--", "sh", "-c", `(kill -PIPE $(exec sh -c 'echo $PPID'); echo alive)`)
	out, err := cmd.Output()
	if len(out) > 0 {
		t.Errorf("%q, %v: the command ignores SIGPIPE", out, err)
	}
}

// A disk that is full from the start is an error; one that gets full later ends the
// recording, which is told once, and not the requests.
func TestProxyFullDisk(t *testing.T) {
	ssereel(t, "proxy", "--upstream", "http://127.0.0.1:1", "-f", "-o", "/dev/full").wantLine(t, 1, "/dev/full", "no space left on device", "make room")
}

func TestProcessProxyFullDisk(t *testing.T) {
	server := serveStream(t, func(s stream) { s.send("data: " + strings.Repeat("x", 1500) + "\n\n") })
	var stdout, stderr text
	cmd := process(t, "proxy", "--upstream", server.URL, "-o", "my.reel")
	cmd.Args = append([]string{"sh", "-c", `ulimit -f 4; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the address", func() bool { return strings.Contains(stdout.String(), "\n") })
	at, _ := strings.CutPrefix(strings.TrimSpace(stdout.String()), "listening on ")
	for i := range 10 {
		resp, err := http.Get(fmt.Sprintf("%s/%d", at, i))
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, resp); len(got) != 1508 {
			t.Errorf("request %d: %q", i, got)
		}
		resp.Body.Close()
	}
	cmd.Process.Signal(signals["SIGINT"])
	o := ended(t, cmd, &stdout, &stderr)
	_, result, _ := strings.Cut(o.stdout, "\n")
	wantProxied(t, result, "my.reel", "10 requests passed on", "15080 bytes", ", not all of them recorded")
	if o.status != 1 || strings.Count(o.stderr, "file too large") != 1 || !strings.Contains(o.stderr, "the requests go on") {
		t.Errorf("%+v, want status 1 and the failure told once", o)
	}
	if j, _ := judge(t, filepath.Join(cmd.Dir, "my.reel")); j.Verdict != "truncated" || j.Reads < 1 {
		t.Errorf("verify says %+v", j)
	}
}

// A signal that comes while the proxy is being set up is one for the command as well: it is
// not started.
func TestProxyStoppedBeforeCommand(t *testing.T) {
	dir := t.TempDir()
	started := filepath.Join(dir, "started")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var stdout, stderr text
	status := run(ctx, console{strings.NewReader(""), &stdout, &stderr},
		[]string{"proxy", "--upstream", "http://127.0.0.1:1", "-o", filepath.Join(dir, "my.reel"), "--", "touch", started})
	if _, err := os.Stat(started); status != 1 || err == nil || !strings.Contains(stderr.String(), "interrupted before the command was started") {
		t.Errorf("exit status %d, the command's file: %v, stderr:\n%s", status, err, stderr.String())
	}
}
