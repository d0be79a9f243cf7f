package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// A service is what a recording tells of the service that was recorded, apart from the
// values that belong to one run.
type service struct {
	sketch
	operations ordered[string, operation]

	// stopped is whether the last that happened was that an exchange broke. Nobody knows
	// what the client would have asked for behind that.
	stopped bool
}

// An operation is what the exchanges have in common whose method, path and query are the
// same but for values.
type operation struct {
	statuses ordered[int, struct{}]
	ends     ordered[replay.End, struct{}]
	answers  ordered[int, answer] // by status; success for all that are from 200 to 299
	cut      bool                 // there is no response where there might have been one
}

// success stands for all statuses that say that a request has succeeded. Their answers
// have one shape, so that a 201 in place of a 200 does not hide what else is different.
const success = 0

// An answer is what responses have in common.
type answer struct {
	mediaTypes ordered[string, struct{}]
	body       shape
	events     ordered[string, shape] // by their names as places have them

	// encoded is the first content encoding with which something could not be read.
	encoded string
	partial bool // JSON ended before it was whole
	cut     bool // more might have come
}

// newService reads all exchanges but those of operations that skip tells.
func newService(rec *replay.Recording, skip func(operation string) bool) (*service, error) {
	s := new(service)
	var ended time.Duration
	for _, x := range rec.Exchanges() {
		name, cut := operationName(x.Method, x.URL), broke(x)
		if !skip(name) {
			var err error
			if cut, err = s.add(s.operations.add(name), x); err != nil {
				return nil, fmt.Errorf("exchange %d: %w", x.Number, err)
			}
		}
		if x.Ended >= ended {
			ended, s.stopped = x.Ended, cut
		}
	}
	return s, nil
}

// broke returns whether an exchange ended before its end: it was reset, came too late, or
// the client did not want more. Where nobody knows how it ended, the recording is
// truncated, which is told of all of it.
func broke(x *replay.Exchange) bool {
	return x.End != replay.EndEOF && x.End != replay.EndUnknown
}

// add adds an exchange. It returns whether more might have come in it.
func (s *service) add(op *operation, x *replay.Exchange) (cut bool, err error) {
	switch x.End {
	case replay.EndEOF, replay.EndReset, replay.EndTimeout:
		op.ends.add(x.End)
	}
	if x.StatusCode == 0 {
		op.cut = op.cut || broke(x)
		return broke(x), nil
	}
	op.statuses.add(x.StatusCode)
	a := op.answers.add(answerStatus(x.StatusCode))
	mediaType := mediaTypeOf(x.Header)
	if mediaType != "" || x.Size > 0 {
		a.mediaTypes.add(cmp.Or(mediaType, "none"))
	}
	format := formatOf(mediaType)
	stream := x.IsEventStream()
	if coding := codingOf(x); coding != "" && x.Size > 0 {
		if format != notJSON || stream || mediaType == "" {
			a.encoded = cmp.Or(a.encoded, clip(printable(coding)))
		}
		return broke(x), nil
	}
	whole := false
	switch {
	case stream:
		whole, err = s.events(a, x)
	case format == jsonLines:
		err = s.lines(a, x, '\n')
	case format == jsonRecords:
		err = s.lines(a, x, recordMark)
	default:
		whole, err = s.body(a, x, format == oneJSON)
	}
	cut = broke(x) && !whole
	a.cut = a.cut || cut
	a.partial = a.partial || cut && format != notJSON
	return cut, err
}

// answerStatus is the status under which an operation has the answers with that one.
func answerStatus(code int) int {
	if 200 <= code && code <= 299 {
		return success
	}
	return code
}

// A format is how a body has JSON in it, by its media type.
type format int

const (
	notJSON     format = iota
	oneJSON            // one value
	jsonLines          // a value a line
	jsonRecords        // values that have a recordMark in front: RFC 7464
)

const recordMark = '\x1e'

func formatOf(mediaType string) format {
	_, name, _ := strings.Cut(mediaType, "/")
	name = strings.TrimPrefix(name, "x-")
	if name == "stream+json" {
		return jsonLines
	}
	switch name[strings.LastIndexByte(name, '+')+1:] {
	case "json":
		return oneJSON
	case "ndjson", "jsonl", "jsonlines", "json-lines", "json-stream", "ldjson":
		return jsonLines
	case "json-seq":
		return jsonRecords
	}
	return notJSON
}

// textOf returns the body of a response, less the byte order mark that some programs put in
// front of JSON.
func textOf(x *replay.Exchange) *bufio.Reader {
	const mark = "\ufeff"
	in := bufio.NewReader(x.Body())
	if head, _ := in.Peek(len(mark)); string(head) == mark {
		in.Discard(len(mark))
	}
	return in
}

// lines adds a body of many values, each of which ends with that byte, to one shape.
func (s *service) lines(a *answer, x *replay.Exchange, end byte) error {
	in := textOf(x)
	for {
		line, err := in.ReadString(end)
		if err != nil && err != io.EOF {
			return err
		}
		line = strings.Trim(line, " \t\r\n\x1e")
		whole := err == nil || x.End == replay.EndEOF
		if line != "" && !s.sketch.add(&a.body, line) && whole {
			a.body.types |= typeBroken
		}
		if err == io.EOF {
			return nil
		}
	}
}

// body adds the body of a response that is JSON, whatever it is called, or should be. It
// returns whether that is whole, however the exchange ended.
func (s *service) body(a *answer, x *replay.Exchange, isJSON bool) (whole bool, err error) {
	if x.Size == 0 {
		mayHaveBody := x.StatusCode >= 200 && x.StatusCode != http.StatusNoContent && x.StatusCode != http.StatusNotModified
		if isJSON && mayHaveBody && x.End == replay.EndEOF {
			a.body.types |= typeNothing
		}
		return !mayHaveBody, nil
	}
	in := textOf(x)
	if !isJSON {
		// Files may be large, and are not read for nothing.
		head, err := in.Peek(512)
		if err != nil && err != io.EOF {
			return false, err
		}
		if begin := bytes.TrimLeft(head, " \t\r\n"); len(begin) == 0 || begin[0] != '{' && begin[0] != '[' {
			return false, nil
		}
	}
	var text strings.Builder
	text.Grow(int(x.Size))
	if _, err := in.WriteTo(&text); err != nil {
		return false, err
	}
	whole = s.sketch.add(&a.body, text.String())
	// Half a body, whose connection broke, is no text: that it broke is what there is to say.
	if !whole && isJSON && x.End == replay.EndEOF {
		a.body.types |= typeBroken
	}
	return whole, nil
}

// events adds the events of a stream. It returns whether the last is the one behind which
// none come, where clients do not wait for the end.
func (s *service) events(a *answer, x *replay.Exchange) (whole bool, err error) {
	r := ssewire.NewReader(x.Body(), ssewire.MaxEventSize(math.MaxInt))
	for r.Next() {
		ev := r.Event()
		name := eventName(ev)
		whole = name == doneMessage
		of := a.events.get(name)
		if of == nil {
			if !s.room() {
				continue
			}
			of = a.events.add(name)
		}
		if !strings.HasPrefix(name, messagePrefix) && !s.sketch.add(of, string(ev.Data)) {
			of.types |= typeText
		}
	}
	return whole, r.Err()
}

const (
	eventPrefix   = "event "
	messagePrefix = "message "

	doneText    = "[DONE]"
	doneMessage = messagePrefix + doneText
)

// eventName returns what places call an event: by its type, or by its data, where that is
// one of the few words that are sent in the place of a type.
func eventName(ev ssewire.Event) string {
	typ := string(ev.Type)
	if typ == "" || typ == "message" {
		if u, err := status.DecodeUpdate(nil, ev.Data); err == nil && u.Kind != status.UpdateUnknown {
			return messagePrefix + u.Kind.String()
		}
		if string(ev.Data) == doneText {
			return doneMessage
		}
		typ = "message"
	}
	return eventPrefix + placeName(string(appendText(nil, []byte(typ))))
}

// mediaTypeOf returns the media type without its parameters, empty if there is none.
func mediaTypeOf(h http.Header) string {
	value := h.Get("Content-Type")
	mediaType, _, err := mime.ParseMediaType(value)
	if err != nil {
		value, _, _ = strings.Cut(value, ";")
		mediaType = strings.ToLower(strings.TrimSpace(value))
	}
	return clip(printable(mediaType))
}

// operationName returns a method and a URL without what differs from run to run: the host,
// the segments of the path that are IDs or numbers, the values in the query.
func operationName(method, rawURL string) string {
	path, query := rawURL, ""
	if u, err := url.Parse(rawURL); err == nil {
		path, query = u.EscapedPath(), u.RawQuery
	} else {
		path, _, _ = strings.Cut(withoutHost(path), "#")
		path, query, _ = strings.Cut(path, "?")
		path = (&url.URL{Path: path}).EscapedPath()
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range segments {
		segments[i] = segmentName(s)
	}
	name := method + " /" + strings.Join(segments, "/")
	if params := parameterNames(query); params != "" {
		name += "?" + params
	}
	return clip(name)
}

// withoutHost returns what a URL that cannot be parsed has behind its host.
func withoutHost(rawURL string) string {
	scheme, rest, ok := strings.Cut(rawURL, "//")
	if !ok || scheme != "" && (!strings.HasSuffix(scheme, ":") || strings.ContainsAny(scheme, "/?#")) {
		return rawURL
	}
	if n := strings.IndexAny(rest, "/?#"); n >= 0 {
		return rest[n:]
	}
	return ""
}

// segmentName returns a segment of a path, * if it has a digit and is no version. The web
// servers of an Assembly's streams, of which ws20219 is one, are told by more than that.
func segmentName(segment string) string {
	plain, err := url.PathUnescape(segment)
	if err != nil {
		plain = segment
	}
	if !strings.ContainsAny(plain, digits) {
		return segment
	}
	if number, ok := strings.CutPrefix(plain, "v"); ok && strings.Trim(number, digits+".") == "" {
		return segment
	}
	if number, ok := strings.CutPrefix(plain, "ws"); ok && strings.Trim(number, digits) == "" {
		return "ws*"
	}
	return "*"
}

const digits = "0123456789"

// parameterNames returns the names of the parameters in a query, as a query without values.
func parameterNames(query string) string {
	var names []string
	for param := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(param, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if name != "" {
			names = append(names, url.QueryEscape(name))
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "&")
}
