package main

import (
	"errors"
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
	return printable(replay.RedactText(text))
}

// reason returns the text of an error with which a request, or the body of its response, has
// failed, without what the server has sent.
func reason(err error) string { return printable(replay.RedactText(unquoted(unprefixed(err)))) }

// unquoted returns text without what it has in quotes, but for URLs: net/http quotes what it
// cannot parse of a response, and that may be anything.
func unquoted(text string) string {
	const line = "malformed MIME header" // which it quotes without quotes
	if before, _, ok := strings.Cut(text, line); ok {
		text = before + line
	}
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
