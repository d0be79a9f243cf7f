package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

var recordCommand = command{
	name:  "record",
	args:  "URL",
	ends:  true,
	short: "record an event stream, or an Assembly to its end, while it comes",
	long: `
Requests URL and records what comes back: each piece as it arrives, with the
moment when it did. Even a recording that is killed can be played up to its
last whole read. The server's answer decides what is recorded:

  an event stream      until it ends, or until Ctrl-C
  an Assembly Status   the Assembly to its end: its update stream, over as many
                       connections as it takes, the Status beside it, and the
                       final Status; the URL of an update stream works as well
  a Scenario job       the job to its end, polled every two seconds

  ssereel record -o tokens.reel -H 'Authorization: Bearer '"$KEY" \
      -d '{"model":"m","stream":true}' https://api.example.com/v1/chat
  ssereel record -o assembly.reel --timeout 10m "$ASSEMBLY_SSL_URL"
  ssereel record -o job.reel https://api.cloud.scenario.com/v1/jobs/$JOB_ID

The last line of output says how an Assembly or a job ended. The exit status is
0 if the end was recorded, even if that is a failure, and if Ctrl-C ended the
recording; it is 1 if --timeout ended it, or if something kept the end from
being recorded. Whatever the status, a file that is left is whole, unless the
disk was full.

When replayed, a stream that Ctrl-C or --timeout cut short simply ends there.
An Assembly's stream that --timeout cut short falls silent there instead, like
one that was waited for in vain.

The Status is requested at most three times a second: every two seconds while
the Assembly uploads or its stream is down, every five while the stream is
silent, every thirty otherwise, and less often while the server has trouble.

The headers of --header are sent with every request to the same scheme, host
and port, and with no other. A job is requested with SCENARIO_SDK_API_KEY and
SCENARIO_SDK_API_SECRET from the environment; these are sent only over https to
scenario.com, and to this machine.

Credentials are replaced before anything is written: in headers and in the
URL's query with REDACTED, in bodies with asterisks. They are recognised by
name (Authorization, Cookie, api_key, signature, token ...), so look at the
recording before you pass it on, and see ssereel anonymize. The file is created
readable only by its owner. A body of --data is sent as application/json unless
--header says otherwise; only the first MiB of a long one is recorded.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		var r recording
		flags.StringVarP(&r.output, "output", "o", "", "write to `FILE`, - for standard output (default HOST-DATE-TIME.reel)")
		headers := flags.StringArrayP("header", "H", nil, "send the header `'NAME: VALUE'`; can be given several times")
		data := flags.StringP("data", "d", "", "send `DATA` as the body of a POST, @FILE for a file's content, @- for that of standard input")
		flags.StringVarP(&r.method, "request", "X", "", "use `METHOD` instead of GET, or POST with --data")
		flags.DurationVar(&r.timeout, "timeout", 0, "end the recording after `DURATION`, such as 90s or 10m (default none)")
		flags.BoolVarP(&r.force, "force", "f", false, "overwrite the file")
		return func(ctx context.Context, c console, args []string) error {
			target, err := oneArg(args, "URL")
			if err != nil {
				return err
			}
			u, err := parseURL(target)
			if err != nil {
				return usagef("this is no URL like https://example.com/stream: %w", err)
			}
			if r.timeout < 0 || r.timeout == 0 && flags.Changed("timeout") {
				return usagef("--timeout %v is no time to wait", r.timeout)
			}
			if err := wantName(flags); err != nil {
				return err
			}
			if flags.Changed("data") {
				r.data = data
			}
			req, err := r.request(ctx, c, target, *headers)
			if err != nil {
				return err
			}
			if r.output == "" {
				r.output = defaultReel(u)
			}
			return r.run(c, req)
		}
	},
}

// recording is what a record command is to do.
type recording struct {
	output  string
	method  string
	data    *string // nil where there is no body
	timeout time.Duration
	force   bool
}

func (r *recording) request(ctx context.Context, c console, target string, headers []string) (*http.Request, error) {
	var body io.Reader
	method := http.MethodGet
	if r.data != nil {
		method = http.MethodPost
		data := []byte(*r.data)
		if name, ok := strings.CutPrefix(*r.data, "@"); ok {
			var err error
			if data, err = readData(c, name); err != nil {
				return nil, fmt.Errorf("cannot send --data: %w", err)
			}
		}
		body = bytes.NewReader(data)
	}
	if r.method != "" {
		method = r.method
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, usageError{err}
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		value = strings.TrimSpace(value)
		if !ok || name == "" || strings.ContainsFunc(name, notInName) || strings.ContainsFunc(value, unicode.IsControl) {
			return nil, usagef("--header wants 'NAME: VALUE', such as 'Accept: text/event-stream'") // without h, which may hold a credential
		}
		if strings.EqualFold(name, "Host") {
			req.Host = value
		} else {
			req.Header.Add(name, value)
		}
	}
	defaults := map[string]string{"User-Agent": "ssereel/" + strings.Trim(version(), "()")}
	if r.data != nil {
		defaults["Content-Type"] = "application/json"
	}
	for name, value := range defaults {
		if _, ok := req.Header[name]; !ok {
			req.Header.Set(name, value)
		}
	}
	if key, secret := scenarioKey(); key != "" && secret != "" && wantsScenarioKey(req) {
		req.SetBasicAuth(key, secret)
	}
	return req, nil
}

// parseURL parses a URL that can be asked for. Its errors do not quote the URL, in which there
// may be credentials.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		var why *url.Error
		if errors.As(err, &why) {
			err = why.Err
		}
		return nil, errors.New(unquoted(strings.TrimPrefix(err.Error(), "net/url: ")))
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("it has to begin with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("it names no host")
	}
	if u.Port() != "" {
		if _, err := net.LookupPort("tcp", u.Port()); err != nil {
			return nil, fmt.Errorf("there is no port %s", u.Port())
		}
	}
	return u, nil
}

// maxData is how much a request may send, in bytes.
const maxData = 1 << 30

// readData returns what is in the named file, in standard input if it is called -.
func readData(c console, name string) ([]byte, error) {
	var in io.Reader
	if name == "-" {
		in = c.stdin()
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxData+1))
	if err == nil && len(data) > maxData {
		err = fmt.Errorf("%s has more than %d MiB", name, maxData>>20)
	}
	return data, err
}

func scenarioKey() (key, secret string) {
	return os.Getenv("SCENARIO_SDK_API_KEY"), os.Getenv("SCENARIO_SDK_API_SECRET")
}

// wantsScenarioKey returns whether Scenario's credentials go along with req. They are
// in the environment for any command, so the URL alone must not send them to
// whoever else has jobs: only to Scenario, and, for a job, to this machine.
func wantsScenarioKey(req *http.Request) bool {
	host := strings.ToLower(req.URL.Hostname())
	local := host == "localhost" || net.ParseIP(host).IsLoopback()
	switch {
	case req.Header.Get("Authorization") != "" || req.URL.User != nil:
		return false
	case local:
		return path.Base(path.Dir(req.URL.Path)) == "jobs"
	}
	return req.URL.Scheme == "https" && (host == "scenario.com" || strings.HasSuffix(host, ".scenario.com"))
}

// sentScenarioKey returns Scenario's credentials, and whether they go along with req.
func sentScenarioKey(req *http.Request) (key, secret string, ok bool) {
	key, secret = scenarioKey()
	user, password, _ := req.BasicAuth()
	return key, secret, key != "" && secret != "" && user == key && password == secret
}

// overwriting returns a replay.Recorder's Redact for these credentials, in whatever place a
// server repeats them. What is shorter than any may stand in a text by chance.
func overwriting(credentials ...string) func(text []byte) {
	const shortest = 8
	return func(text []byte) {
		for _, credential := range credentials {
			if len(credential) < shortest {
				continue
			}
			for rest := text; ; {
				n := bytes.Index(rest, []byte(credential))
				if n < 0 {
					break
				}
				rest = rest[n:]
				for i := range credential {
					rest[i] = '*'
				}
			}
		}
	}
}

// notInName returns whether r cannot stand in the name of a header: RFC 9110,
// section 5.6.2.
func notInName(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

// run records what req leads to.
func (r *recording) run(c console, req *http.Request) (err error) {
	report := c.out
	if r.output == "-" {
		report = c.err
	}
	out, err := openReelFile(r.output, r.force, c.out)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, out.close()) }()
	// The pieces are to be those of the server: no compression that the
	// transport would undo.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	defer transport.CloseIdleConnections()
	rec, err := replay.NewRecorder(out, transport)
	if err != nil {
		return err
	}
	if key, secret, ok := sentScenarioKey(req); ok {
		rec.Redact = overwriting(key, secret, base64.StdEncoding.EncodeToString([]byte(key+":"+secret)))
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	// Who waits for the end of a job has waited in vain; of any other stream it was enough.
	errEnough := fmt.Errorf("the timeout of %v", r.timeout)
	errLate := fmt.Errorf("%w: %w", errEnough, context.DeadlineExceeded)
	var hasEnd atomic.Bool
	if r.timeout > 0 {
		defer time.AfterFunc(r.timeout, func() {
			if hasEnd.Load() {
				cancel(errLate)
			} else {
				cancel(errEnough)
			}
		}).Stop()
	}
	w := c.err
	if r.output == "-" && terminal(c.out) != nil {
		w = io.Discard // the recording is what the terminal shows
	}
	live := newStoryLine(w, req.URL.Host)
	var beginErr error
	watcher := &codingWatcher{base: rec}
	follower := replay.Follower{HTTP: &http.Client{Transport: watcher}, OnChange: func(s replay.Progress) {
		if !out.began {
			beginErr = out.begin()
		}
		if beginErr != nil || rec.Err() != nil {
			cancel(nil) // what cannot be recorded need not come
		}
		hasEnd.Store(s.Document != nil)
		live.tell(s)
	}}
	start := time.Now()
	stop := live.tick(live.text)
	story, err := follower.Follow(req.WithContext(ctx))
	took := time.Since(start)
	stop()

	stopped := req.Context().Err() != nil
	late := err != nil && !stopped && errors.Is(context.Cause(ctx), errEnough)
	switch {
	case out.began:
	case stopped:
		return errors.New("interrupted before the server answered; nothing was recorded")
	case late:
		return fmt.Errorf("the server did not answer within %v; nothing was recorded: raise --timeout", r.timeout)
	default:
		rec.Close() // what it has so far is all in the file's head
		return noStory(req, err, refusal(out.head.Bytes()))
	}
	if beginErr != nil {
		return beginErr
	}
	if late {
		rec.Comment(fmt.Sprintf("ended by the timeout of %v", r.timeout))
	}
	if closeErr := rec.Close(); closeErr != nil {
		return out.cannotWrite(closeErr)
	}
	end := ""
	if story.Document != nil {
		end = ", " + outcomeOf(story.Document.Summary())
	}
	switch {
	case stopped:
		err, end = nil, end+", stopped"
	case late:
		err, end = fmt.Errorf("the timeout of %v came before the end; what had come by then is recorded: raise --timeout for the rest", r.timeout), end+", timed out"
	case err != nil && story.Document == nil:
		err, end = fmt.Errorf("the stream was cut off, which is recorded: %s", reason(err)), end+", cut off"
	case err != nil:
		err, end = fmt.Errorf("the end could not be recorded: %s", plain(err)), end+", incomplete"
	}
	what := count(story.Events, "event")
	if watcher.found.Load() {
		what = unpackedEvents(out.name)
	}
	if story.Statuses > 0 {
		what += ", " + count(story.Statuses, "Status")
	}
	if _, ok := story.Document.(*status.Job); ok {
		what = count(story.Statuses, "Status")
	}
	fmt.Fprintf(report, "%s: %s, %s in %s%s\n", out.name, what, count(story.Bytes, "byte"), seconds(took), end)
	return err
}

// outcomeOf says in a word or two how a job stands or has ended.
func outcomeOf(s status.Summary) string {
	if s.Phase == status.Failed {
		return printable("failed with " + cmp.Or(s.Error, s.State, "an unknown error"))
	}
	return printable(cmp.Or(s.State, "in an unknown state"))
}

// noStory returns err, with which nothing has begun, for a person. What the server said is
// said.
func noStory(req *http.Request, err error, said string) error {
	var refused *ssewire.ResponseError
	var sent *url.Error
	switch {
	case errors.As(err, &refused):
		return noStream(req, refused, said)
	case errors.Is(err, status.ErrUnknownDocument):
		return errors.New("the server sent JSON that is neither an Assembly Status nor a Scenario job, and no event stream: check the URL")
	case errors.As(err, &sent):
		return noAnswer(req.URL, err)
	}
	return fmt.Errorf("%s: check the URL, or try again later", plain(err))
}

// noAnswer returns err, which came in place of a response, for a person.
func noAnswer(u *url.URL, err error) error {
	var redirected *url.Error
	if errors.As(err, &redirected) {
		err = redirected.Err
	}
	var unknown *net.DNSError
	var failed *net.OpError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("cannot find %s: %s: check the URL", unknown.Name, unknown.Err)
	case errors.As(err, &failed) && failed.Op == "dial":
		return fmt.Errorf("cannot reach %s: %w: check the URL, and whether the server runs", u.Host, failed.Err)
	}
	return fmt.Errorf("%s sent no valid response: %s: try again, or check the URL", u.Host, reason(err))
}

// noStream tells a person what the server sent instead of something to record.
func noStream(req *http.Request, refused *ssewire.ResponseError, said string) error {
	answer := fmt.Sprint(refused.StatusCode, " ", http.StatusText(refused.StatusCode), said)
	mediaType, _, _ := strings.Cut(refused.Header.Get("Content-Type"), ";")
	switch code := refused.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		const names = "SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET"
		key, secret, sent := sentScenarioKey(req)
		switch {
		case key == "" || secret == "":
			return fmt.Errorf("the server answered %s: does it want a header, such as -H 'Authorization: Bearer ...', or, for a Scenario job, %s in the environment", answer, names)
		case sent:
			return fmt.Errorf("the server answered %s to %s of the environment: check them", answer, names)
		}
		return fmt.Errorf("the server answered %s: does it want a header, such as -H 'Authorization: Bearer ...' (%s go to scenario.com and this machine only)", answer, names)
	case code == http.StatusNotImplemented, code == http.StatusHTTPVersionNotSupported:
		return fmt.Errorf("the server answered %s, and no event stream: check the method and the URL", answer)
	case code == http.StatusTooManyRequests, code >= 500:
		return fmt.Errorf("the server answered %s, and no event stream: try again later", answer)
	case code != http.StatusOK:
		return fmt.Errorf("the server answered %s, which is no event stream: check the URL", answer)
	case mediaType == "":
		return errors.New("the server did not say that it sent an event stream (it sent no Content-Type): check the URL")
	}
	return fmt.Errorf("the server sent %q, which is no event stream (text/event-stream), no Assembly Status and no Scenario job: check the URL", mediaType)
}
