package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
)

var replayCommand = command{
	name:  "replay",
	args:  "FILE|-",
	ends:  true,
	short: "serve a recording over HTTP, at the recorded pace or faster",
	long: `
Serves the recording FILE, or the one on standard input, until it is
interrupted. Each request gets the recorded response to the same method and
path: the same bytes, in the same pieces, at the same moments after the
request. Besides, the first event stream is at / for clients that accept
text/event-stream, as a browser's EventSource does:

  ssereel replay --listen 127.0.0.1:8080 my.reel
  curl -N -H 'Accept: text/event-stream' http://127.0.0.1:8080/
  new EventSource('http://127.0.0.1:8080/')

Bodies of requests do not count: where several exchanges differ in nothing
else, the first one answers. ssereel proxy --mode replay compares bodies, too.

A client that connects again with Last-Event-ID gets what it lacks, and 204 if
that is nothing, which ends an EventSource. An Assembly in the recording
behaves like a live one: GET /assemblies/ID answers with the Status as of the
moment that the stream has come to (and with 429 if asked more than three times
a second, as the API does), POST /assemblies starts it anew, and DELETE
/assemblies/ID cancels it. It goes on while no client is connected: the next
one gets at once what was due meanwhile. URLs of the recorded service lead
here.

A recording that Ctrl-C stopped ends in order when it is played, one that is
truncated breaks, and a stream that its client waited for in vain (end:
timeout) keeps its client waiting.

Faults happen to event streams, the same at every run with the same --seed:

  cut@event=7  cut@byte=2048  cut@time=4s  cut     the connection breaks there
  cut=eof@event=7                                  ... as if that were the end
  cut=timeout@event=7                              it stays open, but silent
  stall=3s@event=7                                 nothing comes for that long
  rechunk=1  rechunk=random                        smaller pieces
  drop@event=3  duplicate@event=3  reorder@event=3
  corrupt@byte=99                                  that byte is changed
  refuse=503  refuse=429x2,retry-after=5s          for all, or for two requests
  type=text/html                                   another content type

Events are counted from 1 in each stream, bytes from 0. The connection breaks,
or falls silent, just before the one that is named. A time is since the
request; like that of a stall, it is real time at any --speed. A fault without
a place gets one from --seed. Each is reported on standard error when it
happens. A client that goes on after a cut is not cut there again; one that
begins anew is.

With --speed max nothing waits, and pieces may go out together; each is still
an HTTP chunk of its own.

The first line on standard output is "listening on http://HOST:PORT". A
truncated or damaged recording is served as far as it is good, with a warning.
As long as it is served, any web page that is open in a browser on this machine
can read it.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		listen := flags.String("listen", "127.0.0.1:0", "listen on `ADDR`, HOST:PORT; port 0 is any free one")
		speed := speedFlag(flags, "1")
		maxIdle := flags.Duration("max-idle", 0, "play a silence longer than `TIME`, such as 2s, in that time")
		faults := new(faultsValue)
		flags.Var(faults, "fault", "have `FAULT` happen to event streams, such as cut@event=7; can be given several times")
		seed := flags.Uint64("seed", 0, "draw what the faults leave open from the seed `N` (default 0)")
		keepURLs := flags.Bool("keep-urls", false, "leave the URLs in JSON as recorded, rather than have them lead to this server")
		return func(ctx context.Context, c console, args []string) error {
			name, err := oneArg(args, "FILE")
			if err == nil && *maxIdle < 0 {
				err = usagef("--max-idle wants a time such as 2s, not %v", *maxIdle)
			}
			if err != nil {
				return err
			}
			if err := wantListenable(*listen); err != nil {
				return err
			}
			rec, name, err := c.awaitReel(ctx, name)
			if rec == nil {
				return wantReel(err)
			}
			defer rec.Close()
			if !hasResponse(rec) {
				return cmp.Or(err, fmt.Errorf("%s holds no response that could be served", name))
			}
			if err != nil {
				fmt.Fprintf(c.err, "ssereel replay: %s; serving what is good\n", unprefixed(err))
			}
			for _, line := range faults.idle(rec, float64(*speed)) {
				fmt.Fprintf(c.err, "ssereel replay: %s\n", line)
			}
			l, err := net.Listen("tcp", *listen)
			if err != nil {
				return fmt.Errorf("%w: choose another address with --listen; port 0 is any free one", err)
			}
			addr := l.Addr().(*net.TCPAddr)
			if !addr.IP.IsLoopback() {
				fmt.Fprintf(c.err, "ssereel replay: whoever can reach %s can read the recording\n", addr)
			}
			if addr.IP.IsUnspecified() {
				addr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: addr.Port} // what a client can open
			}
			if _, err := fmt.Fprintf(c.out, "listening on http://%s\n", addr); err != nil {
				l.Close()
				return err
			}
			handler := rec.Handler(replay.Playback{
				Speed:    float64(*speed),
				MaxIdle:  *maxIdle,
				Faults:   *faults,
				Seed:     *seed,
				KeepURLs: *keepURLs,
				OnServe: func(req *http.Request, x *replay.Exchange) {
					loggedAnswer(req).from(x)
				},
				OnFault: func(req *http.Request, x *replay.Exchange, fault replay.Fault) {
					loggedAnswer(req).tell(fmt.Sprintf("fault %s in exchange %d", fault, x.Number))
				},
			})
			if *speed == replay.MaxSpeed {
				l = joinedListener{l}
			}
			return serve(ctx, l, logAnswers(handler, c.err))
		}
	},
}

func hasResponse(rec *replay.Recording) bool {
	for _, x := range rec.Exchanges() {
		if x.StatusCode != 0 {
			return true
		}
	}
	return false
}

// serve serves until ctx ends, and then cuts the connections: a stream may have
// hours to go.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: log.New(os.Stderr, "", 0)}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// speedValue is a --speed.
type speedValue float64

func speedFlag(flags *pflag.FlagSet, def string) *speedValue {
	speed := new(speedValue)
	if err := speed.Set(def); err != nil {
		panic(err)
	}
	flags.Var(speed, "speed", "play `N` times faster than recorded, or max")
	return speed
}

func (s *speedValue) Set(text string) error {
	if text == "max" {
		*s = replay.MaxSpeed
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0) || n > replay.MaxSpeed {
		return errors.New("no speed")
	}
	*s = speedValue(n)
	return nil
}

func (s *speedValue) String() string {
	if *s == replay.MaxSpeed {
		return "max"
	}
	return strconv.FormatFloat(float64(*s), 'g', -1, 64)
}

func (s *speedValue) Type() string { return "speed" }
