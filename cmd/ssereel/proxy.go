package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
)

// proxyVariable is where the command that a proxy runs finds the proxy.
const proxyVariable = "SSEREEL_PROXY_URL"

var proxyCommand = command{
	name:  "proxy",
	args:  "[-- COMMAND [ARG]...]",
	ends:  true,
	short: "pass a program's requests on to a server, and record them",
	long: `
Passes every request on to the server at --upstream and every piece of the
answer back at once, and records all exchanges in one file, until it is
interrupted or COMMAND ends. It is for programs that cannot record themselves:
give them its address in place of the server's.

  ssereel proxy --upstream https://api2.transloadit.com -o my.reel
  ssereel proxy --upstream https://api2.transloadit.com -o my.reel \
      --env TRANSLOADIT_ENDPOINT -- npm test

With --mode auto, requests that the recording holds are answered from it, at
the recorded pace or --speed, and those that it lacks are passed on and
recorded too. With --mode replay nothing is passed on: a request that the
recording does not hold gets a 404, with the nearest one that it holds and what
differs. Requests are the same if their method, host and port (any port, for a
server on this machine), path, query and body are, credentials aside; the same
request gets the recorded answers in turn. Where the program stopped reading a
stream when it was recorded, the stream breaks for a program that reads on.
Faults (ssereel replay --help lists them) happen to what is replayed, and to
nothing that is passed on.

When the server breaks a connection, the program's is cut at the same place; if
the server cannot be reached, it is cut before there is a response.

The first line on standard output is "listening on http://HOST:PORT". COMMAND
finds that URL in SSEREEL_PROXY_URL, and has standard output to itself: what
ssereel says then goes to standard error. ssereel ends when COMMAND does, with
its exit status, or with 128 plus the number of the signal that killed it, 127
if it cannot be found, and 126 if it cannot be started. Where COMMAND succeeds,
the status is 1 all the same if not all of it could be recorded, if it asked
for something that the recording does not hold or, in mode replay, for nothing
at all, and if a --fault never happened though a stream was replayed. COMMAND
gets the signals that ssereel gets.

In headers, JSON and event streams, URLs of the server, and of other machines
of the same service that it names, such as api2-jane.transloadit.com, become
URLs of the proxy, so that the program stays with it. The recording keeps the
original ones, without the credentials in headers and URLs; ssereel record
--help tells more. The server is not asked for compression. If the file can no
longer be written, ssereel says so once, and the requests go on.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		var p proxying
		upstream := flags.String("upstream", "", "pass requests on to `URL`, such as https://api.example.com; needed for --mode replay, too")
		flags.StringVarP(&p.output, "output", "o", "", "write to `FILE` (default HOST-DATE-TIME.reel)")
		flags.StringVar(&p.listen, "listen", "127.0.0.1:0", "listen on `ADDR`, HOST:PORT; port 0 is any free one")
		mode := flags.String("mode", "record", "`MODE` is record, auto, replay or passthrough")
		p.speed = speedFlag(flags, "1")
		flags.DurationVar(&p.maxIdle, "max-idle", 0, "play a silence longer than `TIME`, such as 2s, in that time")
		flags.Var(&p.faults, "fault", "have `FAULT` happen to event streams that are replayed, such as cut@event=7; can be given several times; ssereel replay --help lists them")
		flags.Uint64Var(&p.seed, "seed", 0, "draw what the faults leave open from the seed `N` (default 0)")
		flags.StringArrayVar(&p.env, "env", nil, "give COMMAND the proxy's URL, with PATH after it, in the variable `NAME[=PATH]` too; can be given several times")
		flags.BoolVarP(&p.force, "force", "f", false, "overwrite the file")
		return func(ctx context.Context, c console, args []string) error {
			if len(args) > 0 && flags.ArgsLenAtDash() != 0 {
				return usagef("put -- before the command: -- %s ...", args[0])
			}
			p.command = args
			var err error
			if p.upstream, err = upstreamURL(*upstream); err != nil {
				return err
			}
			if p.mode = modes[*mode]; p.mode == nil {
				return usagef("--mode is record, auto, replay or passthrough, not %q", *mode)
			}
			if *mode != "auto" && *mode != "replay" {
				for _, option := range []string{"speed", "max-idle", "fault", "seed"} {
					if flags.Changed(option) {
						return usagef("--%s is for --mode auto and replay: nothing is replayed in mode %s", option, *mode)
					}
				}
			}
			p.strict = *mode == "replay"
			if p.maxIdle < 0 {
				return usagef("--max-idle wants a time such as 2s, not %v", p.maxIdle)
			}
			if *mode == "replay" && p.output == "" {
				return usagef("--mode replay wants the recording: name it with -o")
			}
			if p.force && *mode != "record" {
				return usagef("--force is for --mode record: nothing is overwritten in mode %s", *mode)
			}
			if p.output != "" && *mode == "passthrough" {
				return usagef("--mode passthrough writes no file: leave out -o")
			}
			if p.output == "-" {
				return usagef("-o wants a file: standard output has other things to say")
			}
			if err := wantName(flags); err != nil {
				return err
			}
			if p.output == "" {
				p.output = defaultReel(p.upstream)
			}
			if err := wantListenable(p.listen); err != nil {
				return err
			}
			for _, variable := range p.env {
				if name, _, _ := strings.Cut(variable, "="); name == "" || strings.ContainsAny(name, " \t\r\n\x00") {
					return usagef("--env wants NAME or NAME=PATH, not %q", variable)
				}
			}
			if len(p.env) > 0 && len(args) == 0 {
				return usagef("--env is for a command, and there is none: put it after --")
			}
			return p.run(ctx, c)
		}
	},
}

func upstreamURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, usagef("--upstream is missing")
	}
	u, err := parseURL(text)
	if err != nil {
		return nil, usagef("--upstream wants a URL like https://api.example.com: %w", err)
	}
	if u.User != nil {
		return nil, usagef("--upstream takes no user and password: let the program send them")
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, usagef("--upstream takes no path: give %s://%s, and the path to the program", u.Scheme, u.Host)
	}
	return u, nil
}

// defaultReel is the name of a recording that nobody has named.
func defaultReel(u *url.URL) string {
	host := strings.NewReplacer(":", "-", "[", "", "]", "").Replace(u.Host)
	return fmt.Sprintf("%s-%s.reel", host, time.Now().Format("20060102-150405"))
}

func wantListenable(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return usagef("--listen wants HOST:PORT, such as 127.0.0.1:8080, not %q", addr)
	}
	return nil
}

// proxying is what a proxy command is to do.
type proxying struct {
	upstream *url.URL
	output   string
	listen   string
	mode     mode
	env      []string
	force    bool
	strict   bool     // what is not in the recording is to fail
	command  []string // empty where there is none

	// Of what is replayed.
	speed   *speedValue
	maxIdle time.Duration
	faults  faultsValue
	seed    uint64
}

// A mode says what answers the proxy's requests. It may ask base, which is the
// network. end, which is called when there are no more requests, makes a summary of what
// was asked, and how much came: what has become of the requests, after the name of the
// recording if there is one.
type mode func(p *proxying, c console, base http.RoundTripper) (transport http.RoundTripper, end endFunc, err error)

type endFunc func(asked, came string) (summary string, err error)

var modes = map[string]mode{
	"record":      recordMode,
	"auto":        reelMode(replay.ModeAuto),
	"replay":      reelMode(replay.ModeReplay),
	"passthrough": passthroughMode,
}

func passthroughMode(_ *proxying, _ console, base http.RoundTripper) (http.RoundTripper, endFunc, error) {
	return base, func(asked, came string) (string, error) { return asked + " passed on, " + came, nil }, nil
}

func recordMode(p *proxying, c console, base http.RoundTripper) (http.RoundTripper, endFunc, error) {
	out, err := openReelFile(p.output, p.force, nil)
	if err != nil {
		return nil, nil, err
	}
	told := &toldWriter{reelFile: out, talk: c.err}
	rec, err := replay.NewRecorder(told, base)
	if err == nil && !out.regular {
		err = out.begin()
	}
	if err != nil {
		out.close()
		return nil, nil, err
	}
	told.begins.Store(out.regular)
	return rec, func(asked, came string) (string, error) {
		if told.begins.Load() {
			return fmt.Sprintf("%s: %s, left as it was, %s", out.name, asked, came), out.close()
		}
		err := rec.Close()
		if closeErr := out.close(); err == nil && closeErr != nil {
			err = out.cannotWrite(closeErr)
			fmt.Fprintf(c.err, "ssereel proxy: %v\n", err)
		}
		if err != nil {
			return fmt.Sprintf("%s: %s passed on, %s, not all of them recorded", out.name, asked, came), errFailed // as was told
		}
		return fmt.Sprintf("%s: %s recorded, %s", out.name, asked, came), nil
	}, nil
}

// reelMode returns the mode that answers from the recording, as far as that goes.
func reelMode(m replay.Mode) mode {
	return func(p *proxying, c console, base http.RoundTripper) (http.RoundTripper, endFunc, error) {
		transport := &reelTransport{talk: c.err, waiting: slices.Clone(p.faults)}
		reel, err := replay.OpenReel(p.output, m, replay.ReelOptions{Base: base, Playback: replay.Playback{
			Speed:   float64(*p.speed),
			MaxIdle: p.maxIdle,
			Faults:  p.faults,
			Seed:    p.seed,
			OnServe: func(_ *http.Request, x *replay.Exchange) { transport.serve(x) },
			OnFault: func(req *http.Request, x *replay.Exchange, fault replay.Fault) {
				tellRequest(c.err, req, fmt.Sprintf("fault %s in exchange %d", fault, x.Number))
				transport.happen(fault)
			},
		}})
		if err != nil {
			return nil, nil, wantRecorded(p.output, err)
		}
		transport.Reel = reel
		if m == replay.ModeReplay { // in the others, more may come
			for _, line := range p.idleFaults() {
				fmt.Fprintf(c.err, "ssereel proxy: %s\n", line)
			}
		}
		return transport, func(asked, came string) (string, error) {
			err := reel.Close()
			for _, line := range transport.missed() {
				fmt.Fprintf(c.err, "ssereel proxy: %s\n", line)
				if len(p.command) > 0 { // which has not been tested by what it was to be tested by
					err = cmp.Or(err, error(errFailed))
				}
			}
			summary := fmt.Sprintf("%s: %s, %d from the recording", p.output, asked, transport.replayed.Load())
			switch {
			case m == replay.ModeReplay:
				missing := transport.missing.Load()
				if missing > 0 { // what the program made of the 404, it may have kept to itself
					summary += fmt.Sprintf(", %d not in it", missing)
					err = cmp.Or(err, error(errFailed))
				}
				return summary + ", " + came, err
			case err != nil && err != errFailed:
				return fmt.Sprintf("%s, %d passed on, %s, not all of them recorded", summary, transport.passedOn.Load(), came), err
			}
			return fmt.Sprintf("%s, %d recorded, %s", summary, transport.passedOn.Load(), came), err
		}, nil
	}
}

// idleFaults tells, a line each, of the faults that cannot happen to what the recording holds.
func (p *proxying) idleFaults() []string {
	if len(p.faults) == 0 {
		return nil
	}
	rec, _ := replay.Open(p.output) // which the reel has been opened from, as far as it is good
	if rec == nil {
		return nil
	}
	defer rec.Close()
	return p.faults.idle(rec, float64(*p.speed))
}

// wantRecorded adds to an error of opening the named reel to go on with what a person can do about
// it, where it does not say.
func wantRecorded(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: record it in mode record", wantReel(err))
	case errors.Is(err, replay.ErrNotReel):
		why := whyNoReel(name, err)
		if errors.As(why, new(notReel)) { // which says what to do
			return why
		}
		return fmt.Errorf("%w: name a recording, or in mode auto a file that is not there yet", why)
	}
	return wantReel(err)
}

// reelTransport answers from a reel. What keeps it from being recorded is told when it
// happens, as the proxy goes on; what it does not hold is told to the program as well.
type reelTransport struct {
	*replay.Reel
	talk io.Writer
	told sync.Once

	// Requests that it answers, that it does not hold, and that the network answers.
	replayed, missing, passedOn atomic.Int64

	mu       sync.Mutex
	streamed bool           // an event stream was replayed
	waiting  []replay.Fault // that have not happened
}

// happen strikes a fault out. One without a place has got the place that was drawn.
func (t *reelTransport) happen(fault replay.Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	placed := fault.String()
	drawn, _, _ := strings.Cut(placed, "@")
	for _, text := range []string{placed, drawn} {
		is := func(f replay.Fault) bool { return f.String() == text }
		if i := slices.IndexFunc(t.waiting, is); i >= 0 {
			t.waiting = slices.Delete(t.waiting, i, i+1)
			return
		}
	}
}

func (t *reelTransport) serve(x *replay.Exchange) {
	t.replayed.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.streamed = t.streamed || x != nil && x.IsEventStream()
}

// missed tells which of the faults could have happened, and have not, a line each.
func (t *reelTransport) missed() (lines []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, fault := range t.waiting {
		if t.streamed {
			lines = append(lines, fmt.Sprintf("the fault %s never happened: no event stream that was replayed came to its place", fault))
		}
	}
	return lines
}

func (t *reelTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.Reel.RoundTrip(req)
	from, _ := req.Context().Value(originKey{}).(*origin)
	if from != nil && from.passedOn.Load() {
		t.passedOn.Add(1)
	}
	if broken := t.Err(); broken != nil {
		t.told.Do(func() {
			fmt.Fprintf(t.talk, "ssereel proxy: %s; the requests go on\n", unprefixed(broken))
		})
	}
	if !errors.Is(err, replay.ErrNotRecorded) {
		if from != nil && err == nil && !from.passedOn.Load() {
			from.recorded = true
		}
		return resp, err
	}
	t.missing.Add(1)
	text := unprefixed(err) + "\n"
	fmt.Fprintf(t.talk, "ssereel proxy: %s", text)
	return &http.Response{
		Status:        "404 Not Found",
		StatusCode:    http.StatusNotFound,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		Body:          io.NopCloser(strings.NewReader(text)),
		ContentLength: int64(len(text)),
		Request:       req,
	}, nil
}

// toldWriter is the file of a recording; its first failure is told when it
// happens, as the proxy goes on.
type toldWriter struct {
	*reelFile
	talk   io.Writer
	begins atomic.Bool // with the next write: another recording is there until there is something to record
}

func (w *toldWriter) Write(p []byte) (int, error) {
	if w.begins.Swap(false) {
		if err := w.begin(); err != nil {
			fmt.Fprintf(w.talk, "ssereel proxy: %v; the requests go on\n", err)
			return 0, err
		}
	}
	n, err := w.reelFile.Write(p)
	if err != nil { // after which a replay.Recorder writes no more
		fmt.Fprintf(w.talk, "ssereel proxy: %v; the requests go on\n", w.cannotWrite(err))
	}
	return n, err
}

func (p *proxying) run(ctx context.Context, c console) error {
	var cmd *exec.Cmd
	if len(p.command) > 0 {
		cmd = exec.Command(p.command[0], p.command[1:]...)
		if cmd.Err != nil { // before anything is overwritten
			return cannotStart(c, cmd.Err)
		}
	}
	l, err := net.Listen("tcp", p.listen)
	if err != nil {
		return fmt.Errorf("%w: choose another address with --listen; port 0 is any free one", err)
	}
	defer l.Close()
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.DisableCompression = true // nothing that the transport would undo
	base.MaxIdleConnsPerHost = 100
	defer base.CloseIdleConnections()
	transport, end, err := p.mode(p, c, passingTransport{base})
	if err != nil {
		return err
	}
	watched := &watchedTransport{base: transport, talk: c.err}
	start := time.Now()
	err = p.serve(ctx, c, l, watched, cmd)
	summary, endErr := end(count(watched.requests.Load(), "request"),
		fmt.Sprintf("%s in %s", count(watched.size.Load(), "byte"), seconds(time.Since(start))))
	report := c.out
	if cmd != nil {
		report = c.err
	}
	fmt.Fprintln(report, summary)
	if err = cmp.Or(err, endErr); err == nil && cmd != nil && watched.requests.Load() == 0 {
		fmt.Fprintf(c.err, "ssereel proxy: the command asked nothing of the proxy: have it take the URL from %s, or from a variable that --env names\n", proxyVariable)
		if p.strict {
			return errFailed // for where else it asked, nobody knows
		}
	}
	return err
}

// serve serves until ctx ends, or cmd if it is not nil.
func (p *proxying) serve(ctx context.Context, c console, l net.Listener, transport http.RoundTripper, cmd *exec.Cmd) error {
	addr := l.Addr().(*net.TCPAddr)
	if !addr.IP.IsLoopback() {
		fmt.Fprintf(c.err, "ssereel proxy: whoever can reach %s can use the proxy\n", addr)
	}
	if addr.IP.IsUnspecified() {
		addr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: addr.Port} // what a client can open
	}
	at := "http://" + addr.String()
	report := c.out
	if cmd != nil {
		report = c.err
	}
	if _, err := fmt.Fprintf(report, "listening on %s\n", at); err != nil && cmd == nil { // which finds it elsewhere
		return err
	}
	handler := tellingMisuse(replay.NewProxy(p.upstream, transport), c.err)
	if cmd == nil {
		return serve(ctx, l, handler)
	}
	serving, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serve(serving, l, handler) }()
	err := p.runCommand(ctx, c, cmd, at)
	stop()
	return cmp.Or(err, <-served)
}

// tellingMisuse returns h, and says on talk what becomes of a program that takes it for its HTTP
// proxy: it may keep the answer to itself.
func tellingMisuse(h http.Handler, talk io.Writer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodConnect || req.URL.Host != "" {
			tellRequest(talk, req, "refused: the program takes ssereel for an HTTP proxy (http_proxy?); give it the URL in place of the server's")
		}
		h.ServeHTTP(w, req)
	})
}

// runCommand runs cmd to its end, and passes on the signals that ask to end. It does not
// start it if one has come already, which ends ctx.
func (p *proxying) runCommand(ctx context.Context, c console, cmd *exec.Cmd, at string) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.in, c.out, c.err
	if r, ok := c.out.(*result); ok {
		cmd.Stdout = r.w // the command's own, if it is a file
	}
	cmd.Env = append(os.Environ(), proxyVariable+"="+at)
	for _, variable := range p.env {
		name, path, _ := strings.Cut(variable, "=")
		cmd.Env = append(cmd.Env, name+"="+at+path)
	}
	// What main ignores, the command would ignore, too; what is waited for is as usual
	// there. It stays so, as it may be too late to ignore it again.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if ctx.Err() != nil {
		return errors.New("interrupted before the command was started")
	}
	if err := cmd.Start(); err != nil {
		return cannotStart(c, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case sig := <-signals:
			// Ctrl-C goes to all programs of the terminal, and twice is not the same.
			if sig != os.Interrupt || terminal(c.err) == nil {
				cmd.Process.Signal(sig)
			}
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				return err
			}
			if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				return exitStatus(128 + int(status.Signal()))
			}
			return exitStatus(exit.ExitCode())
		}
	}
}

// cannotStart returns the exit status for a command that cannot be started, as
// shells have it.
func cannotStart(c console, err error) error {
	fmt.Fprintf(c.err, "ssereel proxy: cannot start the command: %v\n", err)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return exitStatus(127)
	}
	return exitStatus(126)
}

// origin is where the answer to a request comes from.
type origin struct {
	passedOn atomic.Bool
	recorded bool // it is out of the recording
}

type originKey struct{} // of an *origin in a request's context

// passingTransport notes that a request is passed on.
type passingTransport struct{ http.RoundTripper }

func (t passingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if o, ok := req.Context().Value(originKey{}).(*origin); ok {
		o.passedOn.Store(true)
	}
	return t.RoundTripper.RoundTrip(req)
}

// watchedTransport counts what goes through base, and says what does.
type watchedTransport struct {
	base     http.RoundTripper
	talk     io.Writer
	requests atomic.Int64
	size     atomic.Int64 // of the responses' bodies, in bytes
}

func (t *watchedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.requests.Add(1)
	from := new(origin)
	resp, err := t.base.RoundTrip(req.WithContext(context.WithValue(req.Context(), originKey{}, from)))
	switch {
	case err == nil:
		what := strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", http.StatusText(resp.StatusCode))) // the server's own words may be any
		if from.recorded {
			what += ", from the recording"
		}
		t.say(req, what)
		body := &watchedBody{ReadCloser: resp.Body, t: t, req: req}
		resp.Body = body
		switch conn := body.ReadCloser.(type) { // a protocol that is switched to
		case halfCloser:
			resp.Body = struct {
				*watchedBody
				halfCloser
			}{body, conn}
		case io.Writer:
			resp.Body = struct {
				*watchedBody
				io.Writer
			}{body, conn}
		}
	case req.Context().Err() != nil:
		t.say(req, "the client went away")
	default:
		t.say(req, "no response: "+reason(err))
	}
	return resp, err
}

// say says what became of req.
func (t *watchedTransport) say(req *http.Request, what string) { tellRequest(t.talk, req, what) }

func tellRequest(w io.Writer, req *http.Request, what string) {
	fmt.Fprintf(w, "%s %s %s: %s\n", time.Now().Format(time.TimeOnly), req.Method, printable(target(req.URL)), printable(what))
}

// target is u as a log shows it. The query, in which there may be credentials, is not for
// every log.
func target(u *url.URL) string {
	shown := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
	if u.RawQuery != "" {
		shown += "?" + hidden
	}
	return shown
}

// hidden stands for what is not shown.
const hidden = "…"

// halfCloser is a connection whose own half can be ended, while the other goes on.
type halfCloser interface {
	io.Writer
	CloseWrite() error
}

type watchedBody struct {
	io.ReadCloser
	t    *watchedTransport
	req  *http.Request
	size int64
	once sync.Once
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.size += int64(n)
	b.t.size.Add(int64(n))
	if err != nil && err != io.EOF && b.req.Context().Err() == nil {
		b.once.Do(func() { b.t.say(b.req, fmt.Sprintf("cut off after %s: %s", count(b.size, "byte"), reason(err))) })
	}
	return n, err
}
