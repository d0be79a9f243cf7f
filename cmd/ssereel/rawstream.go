package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// rawStream looks at a raw stream until there is an event, lest what is no event stream be
// taken for one without events.
type rawStream struct {
	head    []byte // its first bytes
	size    int64
	line    []byte // how the line begins that is being read
	data    bool   // there is data, for which there would be an event if the stream went on
	foreign bool   // there is a line that has no meaning
}

// maxHead is how much of a stream is shown, in bytes.
const maxHead = 40

func (s *rawStream) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	s.head = append(s.head, p[:min(len(p), maxHead+1-len(s.head))]...)
	for rest := p; len(rest) > 0; {
		n := bytes.IndexAny(rest, "\r\n")
		text := rest
		if n >= 0 {
			text = rest[:n]
		}
		const enough = len(byteOrderMark + "event:")
		s.line = append(s.line, text[:min(len(text), enough-len(s.line))]...)
		if n < 0 {
			break
		}
		s.endLine()
		rest = rest[n+1:]
	}
	return len(p), nil
}

func (s *rawStream) endLine() {
	name, _, _ := strings.Cut(strings.TrimPrefix(string(s.line), byteOrderMark), ":")
	s.data = s.data || name == "data"
	s.foreign = s.foreign || !slices.Contains([]string{"", "data", "event", "id", "retry"}, name)
	s.line = s.line[:0]
}

// strange says what there is in place of events, "" where a stream is as sound as one without
// events can be.
func (s *rawStream) strange() string {
	s.endLine()
	if !s.foreign && !s.data {
		return ""
	}
	shown := s.head[:min(len(s.head), maxHead)]
	for n := len(shown); n > 0 && len(s.head) > maxHead && !utf8.RuneStart(s.head[n]); n-- {
		shown = s.head[:n-1]
	}
	quoted := fmt.Sprintf("%q", shown)
	if len(shown) < len(s.head) {
		quoted = strings.TrimSuffix(quoted, `"`) + `…"`
	}
	if remedy := s.remedy(); remedy != "" {
		quoted += ": " + remedy
	}
	return fmt.Sprintf("no event in %s, beginning with %s", count(s.size, "byte"), quoted)
}

// known returns whether what is no event stream is known to be something else.
func (s *rawStream) known() bool {
	text := s.head
	if len(s.head) > maxHead && !utf8.Valid(text) { // of the last character there may be a part
		text = bytes.TrimRightFunc(text, func(r rune) bool { return r == utf8.RuneError })
	}
	binary := bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text)
	return s.foreign && (binary || s.remedy() != "")
}

func (s *rawStream) remedy() string {
	nature := natureOf(s.head)
	text, marked := bytes.CutPrefix(s.head, []byte(byteOrderMark))
	text = bytes.ToLower(bytes.TrimSpace(text))
	begins := func(with string) bool { return bytes.HasPrefix(text, []byte(with)) }
	switch {
	case nature != "" && (!marked || begins(reelMark)): // a stream may begin with a mark
		return nature
	case !s.foreign:
		return "no blank line ends the event, so the stream was cut off"
	case begins("{"), begins("["):
		return "if this JSON is a Status or a job, ssereel status reads it"
	case begins("<"):
		return "a page is no event stream, so check the URL"
	}
	return ""
}
