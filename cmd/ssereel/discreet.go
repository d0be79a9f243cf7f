package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ssereel/ssereel/replay"
)

// plain returns the text of an error that a server may have a part in, without credentials.
func plain(err error) string {
	text := unprefixed(err)
	var sent *url.Error
	if errors.As(err, &sent) {
		text = unquoted(text)
	}
	return printable(redacted(text))
}

// reason returns the text of an error with which a request, or the body of its response, has
// failed, without what the server has sent.
func reason(err error) string { return printable(redacted(unquoted(unprefixed(err)))) }

// unquoted returns text without what it has in quotes, but for URLs: net/http quotes what it
// cannot parse of a response, and that may be anything.
func unquoted(text string) string {
	var b strings.Builder
	for {
		n := strings.IndexByte(text, '"')
		if n < 0 {
			return b.String() + text
		}
		b.WriteString(text[:n])
		quoted, err := strconv.QuotedPrefix(text[n:])
		switch {
		case err != nil: // it has no end
			return b.String() + hidden
		case strings.HasPrefix(quoted, `"http`):
			b.WriteString(quoted)
		default:
			b.WriteString(hidden)
		}
		text = text[n+len(quoted):]
	}
}

// redacted returns text without credentials: as a recording has it as the cause of an end.
func redacted(text string) string {
	var reel bytes.Buffer
	rec, err := replay.NewRecorder(&reel, failingTransport{errors.New(text)})
	if err == nil {
		_, _ = rec.RoundTrip(&http.Request{URL: &url.URL{Path: "/"}})
		err = rec.Close()
	}
	recording, _ := replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
	if err != nil || recording == nil || len(recording.Exchanges()) == 0 {
		return hidden
	}
	return recording.Exchanges()[0].Cause
}

// failingTransport has no other answer than its error.
type failingTransport struct{ err error }

func (t failingTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, t.err }
