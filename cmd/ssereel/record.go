package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
)

var recordCommand = command{
	name:  "record",
	args:  "URL",
	ends:  true,
	short: "record an event stream to a file while it comes",
	long: `
Requests URL and writes what comes back to a recording, each piece at once, with
its moment, until the stream ends or Ctrl-C. Even a recording that is killed can be
played up to its last whole read.

  ssereel record -o tokens.reel -H 'Authorization: Bearer '"$KEY" \
      -d '{"model":"m","stream":true}' https://api.example.com/v1/chat

Credentials are replaced before anything is written: in headers and in the URL's query
with REDACTED, in bodies with asterisks. They are told by their names (Authorization,
Cookie, api_key, signature, token ...), so look at the recording before you pass it on,
and see ssereel anonymize. The file is readable for its owner only. A body that --data
sends is said to be application/json, unless --header says otherwise; of a long one, the
first MiB is recorded. One connection is recorded: when it ends, so does the recording.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		var r recording
		flags.StringVarP(&r.output, "output", "o", "", "write to `FILE`, - for standard output (default HOST-DATE-TIME.reel)")
		headers := flags.StringArrayP("header", "H", nil, "send the header `'NAME: VALUE'`; can be given several times")
		data := flags.StringP("data", "d", "", "send `DATA` as the body of a POST, @FILE for a file's content")
		flags.StringVarP(&r.method, "request", "X", "", "use `METHOD` instead of GET, or POST with --data")
		flags.BoolVarP(&r.force, "force", "f", false, "overwrite the file")
		return func(ctx context.Context, c console, args []string) error {
			target, err := oneArg(args, "URL")
			if err != nil {
				return err
			}
			u, err := url.Parse(target)
			if err == nil && u.Port() != "" {
				_, err = net.LookupPort("tcp", u.Port())
			}
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
				return usagef("%q is no URL like https://example.com/stream", target)
			}
			if flags.Changed("data") {
				r.data = data
			}
			req, err := r.request(ctx, target, *headers)
			if err != nil {
				return err
			}
			if r.output == "" {
				host := strings.NewReplacer(":", "-", "[", "", "]", "").Replace(u.Host)
				r.output = fmt.Sprintf("%s-%s.reel", host, time.Now().Format("20060102-150405"))
			}
			return r.run(c, req)
		}
	},
}

// recording is what a record command is to do.
type recording struct {
	output string
	method string
	data   *string // nil where there is no body
	force  bool
}

func (r *recording) request(ctx context.Context, target string, headers []string) (*http.Request, error) {
	var body io.Reader
	method := http.MethodGet
	if r.data != nil {
		method = http.MethodPost
		data := []byte(*r.data)
		if name, ok := strings.CutPrefix(*r.data, "@"); ok {
			var err error
			if data, err = os.ReadFile(name); err != nil {
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
			return nil, usagef("--header wants 'NAME: VALUE', not %q", h)
		}
		if strings.EqualFold(name, "Host") {
			req.Host = value
		} else {
			req.Header.Add(name, value)
		}
	}
	defaults := map[string]string{"Accept": "text/event-stream", "Cache-Control": "no-store", "User-Agent": "ssereel/" + strings.Trim(version(), "()")}
	if r.data != nil {
		defaults["Content-Type"] = "application/json"
	}
	for name, value := range defaults {
		if _, ok := req.Header[name]; !ok {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

// notInName returns whether r cannot stand in the name of a header: RFC 9110,
// section 5.6.2.
func notInName(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

// run records the response to req.
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
	resp, err := (&http.Client{Transport: rec}).Do(req)
	if err != nil {
		err = noAnswer(req.URL, err)
	} else {
		err = wantStream(resp)
	}
	if req.Context().Err() != nil {
		return errors.New("interrupted before the server answered; nothing was recorded")
	}
	if err == nil {
		err = out.begin()
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()

	start := time.Now()
	live := newProgress(c.err)
	if r.output == "-" && terminal(c.out) != nil {
		live = &progress{} // the recording is what the terminal shows
	}
	events, size, err := r.copy(rec, resp.Body, live)
	took := time.Since(start)
	if closeErr := rec.Close(); closeErr != nil {
		return out.cannotWrite(closeErr)
	}
	how := ""
	if req.Context().Err() != nil {
		err, how = nil, ", stopped"
	}
	if err != nil {
		how = ", cut off"
	}
	fmt.Fprintf(report, "%s: %s, %s in %s%s\n", out.name, count(events, "event"), count(size, "byte"), seconds(took), how)
	if err != nil {
		return fmt.Errorf("the stream was cut off, which is recorded: %w", err)
	}
	return nil
}

// copy reads the stream to its end, or to the end of the recording, which is done
// by reading, and counts what comes.
func (r *recording) copy(rec *replay.Recorder, body io.Reader, p *progress) (events, size int64, err error) {
	start := time.Now()
	stop := p.tick(func() string {
		return fmt.Sprintf("%s, %s, %s   Ctrl-C ends the recording", count(events, "event"), count(size, "byte"), seconds(time.Since(start)))
	})
	defer stop()
	parser := ssewire.NewParser()
	chunk := make([]byte, 64<<10)
	for rec.Err() == nil {
		n, err := body.Read(chunk)
		p.Lock()
		size += int64(n)
		if parser.Err() == nil {
			parser.Feed(chunk[:n])
			for parser.Next() {
				events++
			}
		}
		p.Unlock()
		if err == io.EOF {
			return events, size, nil
		}
		if err != nil {
			return events, size, err
		}
	}
	return events, size, nil
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
	return fmt.Errorf("%s sent no response: %w: try again, or check the URL", u.Host, err)
}

// wantStream returns an error that tells a person what the server sent instead of
// an event stream.
func wantStream(resp *http.Response) error {
	mediaType, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		resp.Body.Close()
		return fmt.Errorf("the server answered %s: does it want a header, such as -H 'Authorization: Bearer ...'", resp.Status)
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500:
		resp.Body.Close()
		return fmt.Errorf("the server answered %s, and no event stream: try again later", resp.Status)
	case resp.StatusCode != http.StatusOK:
		resp.Body.Close()
		return fmt.Errorf("the server answered %s, which is no event stream: check the URL", resp.Status)
	case mediaType == "":
		resp.Body.Close()
		return errors.New("the server did not say that it sent an event stream (it sent no Content-Type): check the URL")
	case !strings.EqualFold(strings.TrimSpace(mediaType), "text/event-stream"):
		resp.Body.Close()
		return fmt.Errorf("the server sent %q, which is no event stream (text/event-stream): check the URL", mediaType)
	}
	return nil
}
