package replay

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Anonymization says how [Anonymize] makes pseudonyms.
type Anonymization struct {
	// Seed makes the same pseudonyms for the same values in every reel. Whoever knows
	// it can tell whether a value that they know was in the reel. Without one,
	// pseudonyms are made with a random key that is not kept: nobody can.
	Seed string

	// FileNames has the names of files replaced as well, as they stand in the members
	// basename and original_basename, and wherever else an extension follows them.
	FileNames bool
}

// Pseudonyms counts what Anonymize has replaced.
type Pseudonyms struct {
	IDs, Names, Clients Pseudonymized
}

// Pseudonymized counts different values of one kind, and the places where they stood.
type Pseudonymized struct {
	Values, Places int
}

// ErrEncoded says that a body has a Content-Encoding, so that nothing in it can be
// replaced.
var ErrEncoded = errors.New("the body is encoded, so nothing in it can be replaced")

// Anonymize writes rec to w as a reel with pseudonyms for everything that identifies its
// owner. The same value has the same pseudonym wherever it stands: in URLs, headers, bodies
// and comments, across the ends of reads, and with or without the escapes of JSON and of
// URLs. A pseudonym is as long as the value and made of the same kinds of characters, so
// that sizes, moments and reads stay as they are; the sums are new.
//
// Replaced are:
//
//   - IDs: 32 hexadecimal digits, also as a UUID, or with a slash after the first two, as
//     in a path of S3, where all three are the same ID; and 16 or more letters and digits
//     after a prefix such as job_, asset_ or chatcmpl-.
//   - Names: the values of account_name, account_slug, template_name and the like. Account
//     names of 6 bytes or more are replaced wherever they stand as words, in capitals or
//     not; with FileNames, so are names of files, where an extension follows.
//   - Clients: IP addresses, except for loopback, e-mail addresses, and what User-Agent,
//     Referer, Origin, client_agent and client_referer say.
//
// In the metadata of a tus upload, the values are replaced in the same way. Host names,
// paths, other texts, images and the wall clock stay. A body with a Content-Encoding is an
// error that wraps ErrEncoded, and nothing is written. The comments that the recording has
// kept come first: see [Recording.Comments]. Where rec was cut off, so is what is written;
// where it was damaged, a comment says so, since the new sums agree. Anonymize holds one
// body in memory at a time.
func Anonymize(w io.Writer, rec *Recording, how Anonymization) (Pseudonyms, error) {
	a := &anonymizer{rec: rec, how: how, key: make([]byte, sha256.Size), literals: make(map[string]bool), values: make(map[string]bool)}
	rand.Read(a.key)
	if how.Seed != "" {
		sum := sha256.Sum256([]byte(how.Seed))
		a.key = sum[:]
	}
	if err := a.learn(); err != nil {
		return Pseudonyms{}, err
	}
	err := a.write(w)
	return a.counts, err
}

// anonymizer is one run of Anonymize.
type anonymizer struct {
	rec      *Recording
	how      Anonymization
	key      []byte
	literals map[string]bool // names, as they read, that are replaced wherever they stand; whether an extension has to follow
	sorted   []string        // literals, the longest first
	values   map[string]bool // replaced so far
	counts   Pseudonyms
}

// edit is a place in a body and what stands there from now on.
type edit struct {
	at   int64
	text string
}

// learn reads all bodies for names.
func (a *anonymizer) learn() error {
	for _, x := range a.rec.exchanges {
		for i, h := range []http.Header{x.RequestHeader, x.Header} {
			list := []*pieces{x.requestPieces, &x.reads}[i]
			body, err := x.whole(list)
			if err != nil {
				return err
			}
			if encoding := encodingOf(h); encoding != "" && len(body) > 0 {
				return fmt.Errorf("replay: exchange %d: %w: it is %q", x.Number, ErrEncoded, encoding)
			}
			for _, m := range members.FindAllSubmatchIndex(body, -1) {
				value := body[m[1]:valueEnd(body, m[1], m[5]-m[4])]
				literal := string(read(value, true).text)
				switch string(body[m[2]:m[3]]) {
				case "account_name", "account_slug":
					if len(literal) >= leastLiteral && hasLetter(literal) {
						a.literals[literal] = false
					}
				case "basename", "original_basename":
					if _, ok := a.literals[literal]; !ok && a.how.FileNames && hasLetter(literal) {
						a.literals[literal] = true
					}
				}
			}
		}
	}
	a.sorted = slices.SortedFunc(maps.Keys(a.literals), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	return nil
}

// hasLetter returns whether a name can be told from a number.
func hasLetter(name string) bool {
	return strings.ContainsFunc(name, func(c rune) bool { return c >= utf8.RuneSelf || isAlpha(byte(c)) })
}

// leastLiteral is how long a name has to be, in bytes, to be replaced wherever it stands: a
// shorter one is too likely to be some other word.
const leastLiteral = 6

// whole returns the bytes of all pieces.
func (x *Exchange) whole(list *pieces) ([]byte, error) {
	var body []byte
	for read, err := range x.pieces(list) {
		if err != nil {
			return nil, err
		}
		body = append(body, read.Data...)
	}
	return body, nil
}

// record is a record of the new reel.
type record struct {
	at       time.Duration
	exchange int
	kind     byte // as in the reel
}

// write writes the new reel.
func (a *anonymizer) write(w io.Writer) error {
	rw, err := NewWriter(w, a.rec.start)
	if err != nil {
		return err
	}
	for _, comment := range a.rec.comments {
		rw.Comment(a.text(comment))
	}
	// New sums would hide damage. The error is not quoted: it may have part of anything in it,
	// in which nothing could be recognized.
	if fault := (*FormatError)(nil); errors.As(a.rec.fault, &fault) && fault.Err == ErrDamaged {
		rw.Comment(fmt.Sprintf("the reel that this was made of is damaged at its line %d (byte %d)", fault.Line, fault.Offset))
	}
	var records []record
	cursors := make([][2]*cursor, len(a.rec.exchanges)) // of the bodies of request and response
	sent, received := make([][]edit, len(a.rec.exchanges)), make([][]edit, len(a.rec.exchanges))
	for i, x := range a.rec.exchanges {
		for _, side := range []struct {
			edits *[]edit
			list  *pieces
		}{{&sent[i], x.requestPieces}, {&received[i], &x.reads}} {
			body, err := x.whole(side.list)
			if err != nil {
				return err
			}
			*side.edits = a.edits(body)
		}
		cursors[i] = [2]*cursor{newCursor(x, x.requestPieces, 0), newCursor(x, &x.reads, 0)}
		records = x.appendRecords(records, i)
	}
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.at, b.at) })
	writers := make([]*ExchangeWriter, len(a.rec.exchanges))
	offsets := make([][2]int64, len(a.rec.exchanges))
	var data []byte
	for _, r := range records {
		x, to := a.rec.exchanges[r.exchange], writers[r.exchange]
		switch r.kind {
		case '>':
			if writers[r.exchange], err = rw.Exchange(r.at, x.Method, a.text(x.URL), a.header(x.RequestHeader)); err != nil {
				return err
			}
		case '<':
			to.Response(r.at, x.StatusCode, a.header(x.Header))
		case '^', '=':
			side, edits, write := 0, sent[r.exchange], to.RequestBody
			if r.kind == '=' {
				side, edits, write = 1, received[r.exchange], to.ResponseBody
			}
			read, err := cursors[r.exchange][side].next()
			if err != nil {
				return err
			}
			data = append(data[:0], read.Data...) // which may be the recording's own
			apply(data, offsets[r.exchange][side], edits)
			offsets[r.exchange][side] += int64(len(data))
			write(r.at, data)
		case '.':
			if len(x.Trailer) > 0 {
				to.Trailer(a.header(x.Trailer))
			}
			if x.End != EndUnknown {
				var cause error
				if x.Cause != "" {
					cause = errors.New(a.text(x.Cause))
				}
				to.End(r.at, x.End, cause)
			}
		}
	}
	return rw.Close()
}

// appendRecords appends the records of x in their order. Even an exchange that has no end
// gets a record of one, for its trailers.
func (x *Exchange) appendRecords(records []record, i int) []record {
	records = append(records, record{x.Sent, i, '>'})
	var answer []record
	last := x.Sent
	if x.StatusCode != 0 {
		answer, last = append(answer, record{x.Received, i, '<'}), x.Received
	}
	reads := x.reads.walk()
	for p, ok := reads.next(); ok; p, ok = reads.next() {
		answer, last = append(answer, record{p.at, i, '='}), p.at
	}
	sent := x.requestPieces.walk()
	for p, ok := sent.next(); ok; p, ok = sent.next() {
		for len(answer) > 0 && answer[0].at < p.at {
			records, answer = append(records, answer[0]), answer[1:]
		}
		records = append(records, record{p.at, i, '^'})
		last = max(last, p.at)
	}
	if x.End != EndUnknown {
		last = x.Ended
	}
	return append(append(records, answer...), record{last, i, '.'})
}

// apply makes those edits that fall into data, the bytes of the body from offset on.
func apply(data []byte, offset int64, edits []edit) {
	i, _ := slices.BinarySearchFunc(edits, offset, func(e edit, at int64) int { return cmp.Compare(e.at+int64(len(e.text)), at+1) })
	for _, e := range edits[i:] {
		from := e.at - offset
		if from >= int64(len(data)) {
			return
		}
		copy(data[max(from, 0):], e.text[max(-from, 0):])
	}
}

func (a *anonymizer) text(s string) string {
	b := []byte(s)
	apply(b, 0, a.edits(b))
	return string(b)
}

func (a *anonymizer) header(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		for _, value := range values {
			switch name {
			case "User-Agent", "Referer", "Origin":
				by := []byte(a.pseudonym(&a.counts.Clients, value))
				a.ids([]byte(value), func(from, to int, id string) { copy(by[from:to], id) })
				value = string(by)
			case "Upload-Metadata":
				value = a.metadata(value)
			default:
				value = a.text(value)
			}
			out[name] = append(out[name], value)
		}
	}
	return out
}

// metadata replaces in the values of a tus upload's metadata.
func (a *anonymizer) metadata(list string) string {
	return editMetadata(list, func(name, value string) string {
		if a.how.FileNames && (name == "filename" || name == "name") {
			stem := strings.TrimSuffix(value, path.Ext(value))
			return a.pseudonym(&a.counts.Names, stem) + value[len(stem):]
		}
		return a.text(value)
	})
}

// members finds the members that are replaced, up to the quote that opens the value, which
// has backslashes in a string in a string.
var members = regexp.MustCompile(`"(account_name|account_slug|template_name|user_name|username|login|client_agent|client_referer|` +
	`basename|original_basename)\\*"\s*:\s*(\\*)"`)

// valueEnd returns where the value ends whose first byte is b[i], a string whose quotes have
// that many backslashes before them.
func valueEnd(b []byte, i, slashes int) int {
	run := 0 // of backslashes
	for ; i < len(b) && b[i] != '\n' && b[i] != '\r'; i++ {
		switch {
		case b[i] == '\\':
			run++
			continue
		case b[i] == '"' && (run < slashes || run%(2*slashes+2) == slashes):
			return i - min(run, slashes)
		}
		run = 0
	}
	return i // the body is cut off, or this is no JSON
}

// edits returns what to replace in b, in order.
func (a *anonymizer) edits(b []byte) []edit {
	var edits []edit
	var taken []bool
	// A name may have an ID in it, or an address a name: that has been replaced already.
	replace := func(from, to int, by string) {
		if taken == nil {
			taken = make([]bool, len(b))
		}
		for i := from; i < to; {
			n := i
			for n < to && !taken[n] {
				taken[n] = true
				n++
			}
			if n > i {
				edits = append(edits, edit{int64(i), by[i-from : n-from]})
			}
			i = n + 1
		}
	}
	free := func(from, to int) bool {
		return from < to && (taken == nil || slices.Contains(taken[from:to], false))
	}
	a.ids(b, replace)
	for _, m := range members.FindAllSubmatchIndex(b, -1) {
		name, from := string(b[m[2]:m[3]]), m[1]
		to := valueEnd(b, from, m[5]-m[4])
		count := &a.counts.Names
		switch name {
		case "client_agent", "client_referer":
			count = &a.counts.Clients
		case "basename", "original_basename":
			if !a.how.FileNames {
				continue
			}
		}
		if free(from, to) {
			replace(from, to, a.pseudonym(count, string(b[from:to])))
		}
	}
	if len(a.sorted) > 0 {
		// What looks like an escape may be none: C:\\new has no line feed.
		texts := []reading{read(b, false), read(b, true)}
		if len(texts[1].jumps) == 0 {
			texts = texts[:1]
		}
		for _, literal := range a.sorted {
			for _, r := range texts {
				for i := 0; ; {
					n := bytes.Index(r.text[i:], []byte(literal))
					if n < 0 {
						break
					}
					from, to := i+n, i+n+len(literal)
					i = to
					follows := to+1 < len(r.text) && r.text[to] == '.' && isAlpha(r.text[to+1])
					stands := wordStarts(r.text, from) && (to == len(r.text) || !isAlnum(r.text[to])) && (follows || !a.literals[literal])
					if from, to := r.at(from), r.at(to); stands && free(from, to) {
						replace(from, to, a.pseudonym(&a.counts.Names, string(b[from:to])))
					}
				}
			}
		}
	}
	ifFree := func(from, to int, by func() string) {
		if free(from, to) { // or it would be counted
			replace(from, to, by())
		}
	}
	a.emails(b, ifFree)
	a.addresses(b, ifFree)
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.at, b.at) })
	return edits
}

func isAlnum(c byte) bool { return isAlpha(c) || '0' <= c && c <= '9' }

// wordStarts returns whether a word may begin at b[i], as it does after an escape of a URL
// or a string, too.
func wordStarts(b []byte, i int) bool {
	if i == 0 || !isAlnum(b[i-1]) {
		return true
	}
	return escapeEnd(b, wordBegin(b, i)) == i
}

// wordBegin returns where the letters and digits begin that end before b[i].
func wordBegin(b []byte, i int) int {
	for i > 0 && isAlnum(b[i-1]) {
		i--
	}
	return i
}

// escapeEnd returns where the escape ends whose first byte is b[i-1]; i if there is none.
func escapeEnd(b []byte, i int) int {
	if i == 0 {
		return i
	}
	switch b[i-1] {
	case '%':
		for i+4 <= len(b) && b[i] == '2' && b[i+1] == '5' && isHex(b[i+2:i+4]) {
			i += 2 // escaped again
		}
		return min(i+2, len(b))
	case '\\':
		if i < len(b) && b[i] == 'u' {
			return min(i+5, len(b))
		}
		return min(i+1, len(b))
	}
	return i
}

// ids finds the IDs in b.
func (a *anonymizer) ids(b []byte, replace func(from, to int, by string)) {
	const hexID = 32
	var prefix []byte // the word before, where _ or - follows it
	for i := 0; i < len(b); {
		if !isAlnum(b[i]) {
			if b[i] != '_' && b[i] != '-' || i == 0 || !isAlnum(b[i-1]) {
				prefix = nil
			}
			i++
			continue
		}
		from := escapeEnd(b, i)
		to := from
		for to < len(b) && isAlnum(b[to]) {
			to++
		}
		if from >= to {
			i = max(from, i+1)
			continue
		}
		word := b[from:to]
		i = to
		switch {
		case len(word) == hexID && isHex(word):
			replace(from, to, a.id(string(word), ""))
		case len(word) == 8 && isHex(word) && isUUID(b[from:]):
			to = from + len("00000000-0000-0000-0000-000000000000")
			replace(from, to, a.id(string(b[from:to]), "-"))
			i = to
		case len(word) == 2 && isHex(word):
			slash := slashLen(b[to:])
			end := to + slash + hexID - 2
			if slash > 0 && end <= len(b) && isHex(b[to+slash:end]) && (end == len(b) || !isAlnum(b[end])) {
				by := a.id(string(word)+string(b[to+slash:end]), "")
				replace(from, to, by[:2])
				replace(to+slash, end, by[2:])
				i = end
			}
		case len(word) >= 16 && len(prefix) >= 2 && len(prefix) <= 16 && bytes.ContainsAny(word, "0123456789") && bytes.IndexFunc(prefix, notLower) < 0:
			replace(from, to, a.pseudonym(&a.counts.IDs, string(word)))
		}
		prefix = b[from:i]
	}
}

func notLower(r rune) bool { return r < 'a' || r > 'z' }

// slashLen returns the length of the slash that b begins with, in whatever spelling, or 0.
func slashLen(b []byte) int {
	for _, slash := range []string{"/", `\/`, "%2F", "%2f", "%252F", "%252f"} {
		if bytes.HasPrefix(b, []byte(slash)) {
			return len(slash)
		}
	}
	return 0
}

func isHex(b []byte) bool {
	for _, c := range b {
		if unhex(c) < 0 {
			return false
		}
	}
	return true
}

// isUUID returns whether b begins with a UUID, and nothing that makes it longer.
func isUUID(b []byte) bool {
	const shape = "00000000-0000-0000-0000-000000000000"
	if len(b) < len(shape) || len(b) > len(shape) && isAlnum(b[len(shape)]) {
		return false
	}
	for i := range shape {
		if shape[i] == '-' && b[i] != '-' || shape[i] == '0' && unhex(b[i]) < 0 {
			return false
		}
	}
	return true
}

// id returns the pseudonym of an ID of hexadecimal digits, in the capitals of the ID.
func (a *anonymizer) id(id, dash string) string {
	plain := strings.ToLower(strings.ReplaceAll(id, "-", ""))
	sum := a.sum("id", plain, 0)
	digits := []byte(fmt.Sprintf("%x", sum[:16]))
	if plain[12] == '4' && strings.IndexByte("89ab", plain[16]) >= 0 {
		// A random UUID stays one, for programs that check.
		digits[12], digits[16] = '4', "89ab"[sum[16]&3]
	}
	a.count(&a.counts.IDs, plain)
	by := string(digits)
	if id == strings.ToUpper(id) && id != strings.ToLower(id) {
		by = strings.ToUpper(by)
	}
	if dash != "" {
		by = by[:8] + "-" + by[8:12] + "-" + by[12:16] + "-" + by[16:20] + "-" + by[20:]
	}
	return by
}

// pseudonym returns the pseudonym of any text, in the spelling of the text: letters for
// letters, digits for digits, each of as many bytes as before. Texts that [read] takes for
// the same have the same one, each in its own capitals.
func (a *anonymizer) pseudonym(count *Pseudonymized, text string) string {
	by := []byte(text)
	plain := string(read(by, true).text)
	a.count(count, plain)
	var sum []byte
	for i, k := 0, 0; i < len(by); k++ {
		if k%sha256.Size == 0 {
			sum = a.sum("text", plain, k)
		}
		c, n := character(by[i:])
		respell(by[i:i+n], c, likeLetter(c, rune(sum[k%sha256.Size])))
		i += n
	}
	return string(by)
}

// likeLetter returns a random letter or digit of the kind and size of c, and anything else as it
// is. Three bytes in 256 make the first letters a little more likely, which tells nothing
// about what was there.
func likeLetter(c, random rune) rune {
	switch {
	case 'a' <= c && c <= 'z':
		return 'a' + random%26
	case 'A' <= c && c <= 'Z':
		return 'A' + random%26
	case '0' <= c && c <= '9':
		return '0' + random%10
	case c < utf8.RuneSelf:
		return c
	}
	switch utf8.RuneLen(c) {
	case 2:
		if unicode.IsUpper(c) {
			return 'À' + random%23
		}
		return 'à' + random%23
	case 3:
		return '一' + random
	}
	return '🐀' + random%63
}

// sum returns 32 bytes that depend on the key and on these values.
func (a *anonymizer) sum(kind, value string, i int) []byte {
	mac := hmac.New(sha256.New, a.key)
	fmt.Fprintf(mac, "%s\x00%s\x00", kind, value)
	binary.Write(mac, binary.BigEndian, uint64(i))
	return mac.Sum(nil)
}

func (a *anonymizer) count(of *Pseudonymized, value string) {
	of.Places++
	if !a.values[value] {
		a.values[value] = true
		of.Values++
	}
}
