package replay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

var errLongLine = fmt.Errorf("the line is longer than %d bytes", maxLine)

// loader reads a reel from beginning to end into the index of a Recording. It
// holds no more of the reel than a line at a time.
type loader struct {
	rec       *Recording // which does not keep the loader
	src       io.ReaderAt
	lines     *lineReader
	line      int   // number of the line that was read last
	lineAt    int64 // offset of that line
	at        time.Duration
	exchanges map[int]*Exchange // those that are not in their number's place in rec
	slow      bool              // take every line the long way, for tests

	// The read whose lines are being read, if x is not nil.
	x         *Exchange
	toRequest bool
	readLine  int
	readAt    int64
	piece     piece
	size      int64 // so far
	want      int64 // as announced, or -1
	scratch   []byte
	values    map[string][]string // of headers

	// The bytes of a response that its sum does not have yet: small pieces, of
	// which the sum is taken together.
	unsummed   []byte
	unsummedOf *Exchange

	// Where the bytes begin that the next seal is about.
	sealFrom     int64
	sealFromLine int
	unsealed     bool // a seal before has left a sum out

	commentSize int

	// What lies before this is whole.
	goodLine   int
	goodOffset int64
}

func newLoader(src io.ReaderAt, size int64) *loader {
	return &loader{
		rec:          new(Recording),
		src:          src,
		sealFromLine: 1,
		lines:        newLineReader(io.NewSectionReader(src, 0, size)),
		exchanges:    make(map[int]*Exchange),
		values:       make(map[string][]string),
		unsummed:     make([]byte, 0, 16<<10),
	}
}

// version reads the first line.
func (l *loader) version() error {
	line, err := l.lines.next()
	if err == io.EOF {
		return fmt.Errorf("%w: it is empty", ErrNotReel)
	}
	if err == errLongLine {
		return fmt.Errorf("%w: the first line is not %q", ErrNotReel, firstLine)
	}
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	l.line++
	switch text := string(bytes.TrimSuffix(line, []byte("\n"))); {
	case text == firstLine && len(line) == len(text):
		return &FormatError{Line: 1, Reason: "the line has no end", Err: ErrTruncated}
	case text == firstLine:
	case text == firstLine+"\r":
		return fmt.Errorf("%w: its lines end in CRLF, so it went through a conversion of line ends; get it again without one (in git: *.reel -text)", ErrNotReel)
	case strings.HasPrefix(text, "reel ") && isNumber(text[len("reel "):]):
		return fmt.Errorf("%w: this is %q, and %q is the one this program reads", ErrVersion, text, firstLine)
	default:
		return fmt.Errorf("%w: the first line is %.40q, not %q", ErrNotReel, text, firstLine)
	}
	l.good()
	return nil
}

// good notes that all that was read so far is whole.
func (l *loader) good() {
	l.goodLine, l.goodOffset = l.line+1, l.lines.position()
}

// load reads the rest.
func (l *loader) load() error {
	var changed *fault // the first that did not keep us from reading on
	err := l.records(&changed)
	l.rec.duration = l.at
	l.rec.whole, l.rec.sealFrom = l.lines.position(), l.sealFrom
	if err != nil {
		l.rec.whole = l.goodOffset
	}
	if changed != nil && (err == nil || errors.Is(err, ErrTruncated)) {
		if err != nil {
			changed.reason += "; besides, " + err.Error()
		}
		return l.damaged(changed)
	}
	return err
}

func (l *loader) records(changed **fault) error {
	for {
		if !l.slow {
			l.reads()
		}
		l.lineAt = l.lines.position()
		line, err := l.lines.next()
		l.line++
		if err == io.EOF {
			break
		}
		switch {
		case err == errLongLine:
			return l.damaged(l.fault("%w", err))
		case err != nil:
			return fmt.Errorf("replay: %w", err)
		case line[len(line)-1] != '\n':
			// The read before may have had more lines, unless it says otherwise.
			if l.size == l.want {
				l.endRead()
			}
			return l.truncated("the line has no end")
		}
		if f := l.record(line); f != nil {
			if !f.harmless {
				return l.damaged(f)
			}
			*changed = cmp.Or(*changed, f)
		}
	}
	if f := l.endRead(); f != nil {
		return l.truncated(f.reason)
	}
	for _, x := range l.rec.exchanges {
		if x.End == EndUnknown {
			return l.truncated(fmt.Sprintf("exchange %d has no end", x.Number))
		}
	}
	return nil
}

// fault is what is wrong with a line.
type fault struct {
	line     int
	offset   int64
	reason   string
	harmless bool // to reading on: a sum does not agree
}

// fault returns a fault of the line that was read last.
func (l *loader) fault(format string, args ...any) *fault {
	for i := range args {
		switch arg := args[i].(type) {
		case []byte:
			args[i] = clip(string(arg[:min(len(arg), maxQuote+1)]))
		case string:
			args[i] = clip(arg)
		}
	}
	return &fault{line: l.line, offset: l.lineAt, reason: fmt.Errorf(format, args...).Error()}
}

// maxQuote is how much of a line an error quotes, in bytes.
const maxQuote = 60

func clip(text string) string {
	if len(text) > maxQuote {
		return text[:maxQuote] + "..."
	}
	return text
}

func (l *loader) damaged(f *fault) error {
	return &FormatError{Line: f.line, Offset: f.offset, Reason: f.reason, Err: ErrDamaged}
}

func (l *loader) truncated(reason string) error {
	return &FormatError{Line: l.goodLine, Offset: l.goodOffset, Reason: reason, Err: ErrTruncated}
}

// record takes one line.
func (l *loader) record(line []byte) *fault {
	l.rec.sealed = false // by a line that comes behind the seal
	text := line[:len(line)-1]
	if len(text) == 0 {
		return nil
	}
	if text[len(text)-1] == '\r' {
		return l.fault(`the line ends in a CR, which a reel writes as \r: it went through a conversion of line ends (in git: *.reel -text)`)
	}
	kind := text[0]
	if isBodyLine(text) {
		return l.body(line)
	}
	if kind == '#' {
		l.comment(text)
		return nil
	}
	if f := l.endRead(); f != nil {
		return f
	}
	rest, ok := bytes.CutPrefix(text[1:], []byte(" "))
	var f *fault
	switch {
	case bytes.IndexByte([]byte("@$><^=."), kind) < 0:
		return l.fault("%q begins no line of a reel", kind)
	case !ok:
		return l.fault("%q wants a space behind it", kind)
	case kind == '@':
		f = l.clock(string(rest))
	case kind == '$':
		f = l.seal(string(rest))
	default:
		f = l.exchange(kind, rest)
	}
	if l.x == nil && (f == nil || f.harmless) {
		l.good()
	}
	return f
}

func (l *loader) comment(text []byte) {
	if l.commentSize += len(text); l.commentSize > maxComments {
		return
	}
	l.rec.comments = append(l.rec.comments, string(bytes.TrimPrefix(text[1:], []byte(" "))))
}

func (l *loader) clock(text string) *fault {
	t, err := parseClock(strings.ToUpper(text))
	if err != nil {
		return l.fault("%q is no time like 2026-05-07T16:10:57.161Z", text)
	}
	if l.rec.start.IsZero() {
		l.rec.start = t.Add(-l.at)
	}
	return nil
}

func (l *loader) seal(text string) *fault {
	size, sum, cause, err := parseSums(text)
	if err != nil {
		return l.fault("%w", err)
	}
	if size == nil && sum == nil || cause != "" {
		return l.fault("%q is no seal like bytes=384 crc32c=ba9ae901", text)
	}
	from, fromLine := l.sealFrom, l.sealFromLine
	l.sealFrom, l.sealFromLine = l.lines.position(), l.line+1
	gotSum := l.lines.sumBefore(int(l.sealFrom - l.lineAt))
	if size != nil && *size != l.lineAt-from || sum != nil && *sum != gotSum {
		return &fault{line: fromLine, offset: from, harmless: true,
			reason: fmt.Sprintf("what stands from here to the seal in line %d should be bytes=%s crc32c=%s by that, but is bytes=%d crc32c=%08x: something in it has changed",
				l.line, showSize(size), showSum(sum), l.lineAt-from, gotSum)}
	}
	if size == nil || sum == nil {
		l.unsealed = true
	}
	l.rec.sealed = !l.unsealed
	return nil
}

// exchange takes a line of the kinds that name an exchange.
func (l *loader) exchange(kind byte, rest []byte) *fault {
	word, rest, _ := bytes.Cut(rest, []byte(" "))
	number, err := strconv.ParseInt(string(word), 10, 32)
	if err != nil || number < 1 || !isNumber(string(word)) {
		return l.fault("%q is no number of an exchange", word)
	}
	x := l.find(int(number))
	switch {
	case x == nil && kind != '>':
		return l.fault("exchange %d has not begun: a line with > has to come first", number)
	case x != nil && x.End != EndUnknown:
		return l.fault("exchange %d has ended before", number)
	case x != nil && kind == '>' && x.StatusCode != 0:
		return l.fault("exchange %d has its response already", number)
	case x != nil && kind == '>' && x.requestPieces != nil:
		return l.fault("exchange %d has begun to send its body already", number)
	case x != nil && kind == '>':
		return l.header(x.RequestHeader, rest)
	case x != nil && kind == '<' && x.reads.len() > 0:
		if x.Trailer == nil {
			x.Trailer = make(http.Header)
		}
		return l.header(x.Trailer, rest)
	case x != nil && kind == '<' && x.StatusCode != 0:
		return l.header(x.Header, rest)
	case kind == '=' && x.StatusCode == 0:
		return l.fault("exchange %d has no response yet: a line with < has to come first", number)
	}

	if kind != '>' && bytes.HasSuffix(rest, []byte(" ")) && !bytes.Contains(rest, []byte("error=")) {
		return l.fault("a space ends the line")
	}
	word, rest, _ = bytes.Cut(rest, []byte(" "))
	since, err := parseSeconds(string(word))
	if err != nil {
		return l.fault("%w", err)
	}
	if since > math.MaxInt64-l.at {
		return l.fault("with %s, the recording is longer than %d years", word, math.MaxInt64/int64(365*24*time.Hour))
	}
	at := l.at + since
	var f *fault
	switch kind {
	case '>':
		f = l.request(int(number), at, rest)
	case '<':
		f = l.response(x, at, string(rest))
	case '.':
		f = l.end(x, at, string(rest))
	default:
		f = l.beginRead(x, kind == '^', at, string(rest))
	}
	if f == nil || f.harmless {
		l.at = at
	}
	return f
}

// find returns the exchange of that number, nil if there is none.
func (l *loader) find(number int) *Exchange {
	if all := l.rec.exchanges; 0 < number && number <= len(all) && all[number-1].Number == number {
		return all[number-1]
	}
	return l.exchanges[number]
}

func (l *loader) request(number int, at time.Duration, rest []byte) *fault {
	method, target, ok := bytes.Cut(rest, []byte(" "))
	if !ok || !isToken(string(method)) || len(target) == 0 {
		return l.fault("%q is no method and URL", rest)
	}
	unquoted, err := appendUnquoted(nil, target)
	if err != nil {
		return l.fault("%w", err)
	}
	x := &Exchange{
		Number:        number,
		Sent:          at,
		Method:        string(method),
		URL:           string(unquoted),
		RequestHeader: make(http.Header),
		src:           l.src,
		line:          l.line,
		offset:        l.lineAt,
	}
	if u, err := url.Parse(x.URL); err == nil {
		x.host, x.path, x.query = u.Host, cmp.Or(u.EscapedPath(), "/"), u.RawQuery
	}
	if number != len(l.rec.exchanges)+1 {
		l.exchanges[number] = x
	}
	l.rec.exchanges = append(l.rec.exchanges, x)
	return nil
}

func (l *loader) response(x *Exchange, at time.Duration, rest string) *fault {
	status, err := strconv.Atoi(rest)
	if err != nil || len(rest) != 3 || status < 100 {
		return l.fault("%q is no status of three digits", rest)
	}
	x.Received, x.StatusCode, x.Header = at, status, make(http.Header)
	return nil
}

func (l *loader) header(h http.Header, line []byte) *fault {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !isToken(string(name)) {
		return l.fault("%q is no header", line)
	}
	var err error
	l.scratch, err = appendUnquoted(l.scratch[:0], bytes.TrimPrefix(value, []byte(" ")))
	if err != nil {
		return l.fault("%w", err)
	}
	key := http.CanonicalHeaderKey(string(name))
	if values, ok := h[key]; ok {
		h[key] = append(values, string(l.scratch))
	} else {
		h[key] = l.value(l.scratch)
	}
	return nil
}

// value returns the list that holds text alone. Thousands of polls have the same
// headers, so their lists are the same, too: an append to one makes another.
func (l *loader) value(text []byte) []string {
	if list, ok := l.values[string(text)]; ok {
		return list
	}
	list := []string{string(text)}
	if len(text) <= maxKeptValue && len(l.values) < maxKeptValues {
		l.values[list[0]] = list
	}
	return list
}

// What the loader remembers of the values of headers.
const (
	maxKeptValue  = 128 // bytes
	maxKeptValues = 1000
)

func (l *loader) end(x *Exchange, at time.Duration, rest string) *fault {
	word, rest, _ := strings.Cut(rest, " ")
	end := End(word)
	switch end {
	case EndEOF, EndReset, EndTimeout, EndCanceled:
	default:
		return l.fault("%q is no way to end: write %s, %s, %s or %s", word, EndEOF, EndReset, EndTimeout, EndCanceled)
	}
	size, sum, cause, err := parseSums(rest)
	if err != nil {
		return l.fault("%w", err)
	}
	l.sumUp()
	x.End, x.Ended, x.Cause = end, at, cause
	if size != nil && *size != x.Size || sum != nil && *sum != x.sum {
		return &fault{line: x.line, offset: x.offset, harmless: true,
			reason: fmt.Sprintf("the body of exchange %d, which begins here, does not fit the sums in line %d (it has bytes=%d crc32c=%08x, not bytes=%s crc32c=%s): if you edited it by hand, remove the sums from line %d, and the lines after it that begin with $",
				x.Number, l.line, x.Size, x.sum, showSize(size), showSum(sum), l.line)}
	}
	return nil
}

// parseSums reads bytes=N and crc32c=X, each of which may be missing, and error=
// with the rest of the line.
func parseSums(text string) (size *int64, sum *uint32, cause string, err error) {
	for text != "" {
		if value, ok := strings.CutPrefix(text, "error="); ok {
			unquoted, err := appendUnquoted(nil, []byte(value))
			return size, sum, string(unquoted), err
		}
		word, rest, more := strings.Cut(text, " ")
		if text = rest; more && text == "" {
			return nil, nil, "", errors.New("a space ends the line")
		}
		key, value, ok := strings.Cut(word, "=")
		switch {
		case !ok:
			return nil, nil, "", fmt.Errorf("%q is not of the form name=value", clip(word))
		case key == "bytes" && size == nil:
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || !isNumber(value) {
				return nil, nil, "", fmt.Errorf("%q is no number of bytes", clip(value))
			}
			size = &n
		case key == "crc32c" && sum == nil:
			n, err := strconv.ParseUint(value, 16, 32)
			if err != nil || fmt.Sprintf("%08x", n) != value {
				return nil, nil, "", fmt.Errorf("%q is no sum of eight hexadecimal digits, in small letters", clip(value))
			}
			s := uint32(n)
			sum = &s
		default:
			return nil, nil, "", fmt.Errorf("%q is none of bytes=, crc32c= and error=, once each", clip(key))
		}
	}
	return size, sum, "", nil
}

func showSize(n *int64) string {
	if n == nil {
		return "?"
	}
	return strconv.FormatInt(*n, 10)
}

func showSum(n *uint32) string {
	if n == nil {
		return "?"
	}
	return fmt.Sprintf("%08x", *n)
}

// beginRead takes the line that begins a read.
func (l *loader) beginRead(x *Exchange, request bool, at time.Duration, rest string) *fault {
	want := int64(-1)
	if rest != "" {
		n, err := strconv.ParseInt(rest, 10, 64)
		if err != nil || !isNumber(rest) || n > maxRead {
			return l.fault("%q is no number of bytes up to %d", rest, maxRead)
		}
		want = n
	}
	l.startRead(x, request, piece{at: at, offset: l.lines.position()}, want)
	return nil
}

func (l *loader) startRead(x *Exchange, request bool, p piece, want int64) {
	l.x, l.toRequest = x, request
	l.readLine, l.readAt = l.line, l.lineAt
	l.piece = p
	l.size, l.want = 0, want
	if !request && x != l.unsummedOf {
		l.sumUp()
		l.unsummedOf = x
	}
}

// sumUp takes the bytes that are left into the sum of the response they are of.
func (l *loader) sumUp() {
	if len(l.unsummed) > 0 {
		l.unsummedOf.sum = crc32.Update(l.unsummedOf.sum, castagnoli, l.unsummed)
		l.unsummed = l.unsummed[:0]
	}
}

// sum takes b, which is of the read whose lines are being read, into the sum of its
// response. A read that turns out not to be whole does no harm there: after it, there
// is no end to compare the sum with.
func (l *loader) sum(b []byte) {
	if l.toRequest {
		return
	}
	if len(b) > cap(l.unsummed)-len(l.unsummed) {
		l.sumUp()
		if len(b) > cap(l.unsummed)/2 {
			l.x.sum = crc32.Update(l.x.sum, castagnoli, b)
			return
		}
	}
	l.unsummed = append(l.unsummed, b...)
}

// body takes a line of a body.
func (l *loader) body(line []byte) *fault {
	if l.x == nil {
		return l.fault("%q begins a line of a body, but no read has begun: a line with = has to come first", line[0])
	}
	b := line[1:]
	switch line[0] {
	case bodyLine:
	case bodyPart:
		b = b[:len(b)-1]
	default:
		var err error
		l.scratch, err = appendBodyLine(l.scratch[:0], line[:len(line)-1])
		if err != nil {
			return l.fault("%w", err)
		}
		b = l.scratch
	}
	l.size += int64(len(b))
	length := l.lines.position() - l.piece.offset
	switch {
	case l.want >= 0 && l.size > l.want:
		return l.fault("the read in line %d says that it has %d bytes, but it has more: correct the number, or leave it out", l.readLine, l.want)
	case l.size > maxRead:
		return l.fault("the read in line %d has more than %d bytes: make it several", l.readLine, maxRead)
	case length > maxLines(l.size):
		// Whoever plays the read holds its lines in memory.
		return l.fault("the lines of the read in line %d are far longer than its bytes need: take comments and empty lines out", l.readLine)
	}
	l.piece.length = int32(length)
	l.sum(b)
	return nil
}

// endRead puts the read whose lines have been read into its exchange, where it is
// whole.
func (l *loader) endRead() *fault {
	x := l.x
	if x == nil {
		return nil
	}
	l.x = nil
	if l.size < l.want {
		return &fault{line: l.readLine, offset: l.readAt,
			reason: fmt.Sprintf("the read in line %d says that it has %d bytes, but it has %d up to line %d: is that line one of a body? else correct the number, or leave it out", l.readLine, l.want, l.size, l.line)}
	}
	l.piece.size = int32(l.size)
	if l.toRequest {
		if x.requestPieces == nil {
			x.requestPieces = new(pieces)
		}
		x.requestPieces.add(l.piece)
	} else {
		x.reads.add(l.piece)
		x.Size += l.size
	}
	l.goodLine, l.goodOffset = l.line, l.lineAt
	return nil
}

// parseClock reads a date-time of RFC 3339, of which time.Parse takes more.
func parseClock(text string) (time.Time, error) {
	const fixed = len("2006-01-02T15:04:05")
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, err
	}
	zone := "00:00"
	if !strings.HasSuffix(text, "Z") {
		zone = text[len(text)-len(zone):]
	}
	if text[fixed-len(":04:05")] != ':' || text[fixed] == ',' || zone[:2] > "23" || zone[3:] > "59" {
		return t, errors.New("not as in RFC 3339")
	}
	return t, nil
}

// parseSeconds reads a time like +1.204: seconds, up to the nanosecond.
func parseSeconds(text string) (time.Duration, error) {
	const most = math.MaxInt64 / int64(time.Second)
	digits, ok := strings.CutPrefix(text, "+")
	whole, frac, point := strings.Cut(digits, ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	if !ok || err != nil || s > most || !isNumber(whole) || point && (!isNumber(frac) || len(frac) > 9) {
		return 0, fmt.Errorf("%q is no time like +1.204", clip(text))
	}
	d := time.Duration(s) * time.Second
	for unit, i := time.Second/10, 0; i < len(frac); unit, i = unit/10, i+1 {
		d += time.Duration(frac[i]-'0') * unit
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is more than 292 years", text)
	}
	return d, nil
}

// isNumber returns whether s is one or more digits.
func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
