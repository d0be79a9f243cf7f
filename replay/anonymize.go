package replay

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
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
)

// Anonymization says how [Anonymize] makes pseudonyms.
type Anonymization struct {
	// Seed makes the same pseudonyms for the same values in every reel. Whoever knows
	// it can tell whether a value that they know was in the reel. Without one,
	// pseudonyms are made with a random key that is nowhere kept: nobody can.
	Seed string

	// FileNames has the names of files replaced as well, as they stand in the members
	// basename and original_basename, and wherever else an extension is behind them.
	FileNames bool
}

// Pseudonyms counts what Anonymize has replaced: the values, and the places where they
// were.
type Pseudonyms struct {
	IDs, Names, Clients Pseudonymized
}

// Pseudonymized counts values of one kind.
type Pseudonymized struct {
	Values, Places int
}

// ErrEncoded says that a body has a Content-Encoding, so that nothing in it can be
// replaced.
var ErrEncoded = errors.New("the body is encoded, so nothing in it can be replaced")

// Anonymize writes rec to w as a reel with pseudonyms for what tells whose it is. The
// same value has the same pseudonym wherever it stands, in URLs, headers, bodies, across
// the ends of reads, and in comments. It has the same length and is made of the same kinds of
// characters, so that sizes, moments and reads stay as they are; the sums are new.
//
// Replaced are:
//
//   - IDs: 32 hexadecimal digits, also as a UUID, or with a slash behind the first two, as
//     in a path of S3, for one and the same ID; and 16 or more letters and digits behind a
//     prefix such as job_, asset_ or chatcmpl-.
//   - Names: the values of account_name, account_slug, template_name and the like, and
//     those of the first two wherever they stand by themselves, and with FileNames those of
//     files.
//   - Clients: addresses of IP, but for loopback, and of e-mail, and what User-Agent, Referer,
//     Origin, client_agent and client_referer say.
//
// The metadata of a tus upload is looked into. Host names, paths, other texts, images and
// the wall clock stay. A body with a Content-Encoding is an error, which wraps ErrEncoded,
// before anything is written. Comments come first, those that were kept of the recording, see
// [Recording.Comments]. Where rec was cut off, so is what is written; where it was
// damaged, a comment says so, since the new sums agree. Anonymize holds one body in memory
// at a time.
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
	literals map[string]bool // names that are replaced wherever they stand; whether an extension has to follow
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
			for _, m := range members.FindAllSubmatch(body, -1) {
				name, value := string(m[1]), string(m[2])
				switch name {
				case "account_name", "account_slug":
					if len(value) >= leastLiteral {
						a.literals[value] = false
					}
				case "basename", "original_basename":
					if _, ok := a.literals[value]; !ok && a.how.FileNames && value != "" {
						a.literals[value] = true
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

// leastLiteral is how long a name is, in bytes, that is no word of something else.
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
	// New sums would hide damage. Its reason may quote anything, in part, so that nobody could
	// tell what to replace.
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

// appendRecords appends the records of x in their order. An end is there even for an
// exchange that has none, for its trailers.
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

// apply makes those edits, in their order, that are about data, the bytes from offset on.
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
				value = a.pseudonym(&a.counts.Clients, value)
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

// metadata replaces in the metadata of a tus upload, a list of names with values in
// base64.
func (a *anonymizer) metadata(list string) string {
	entries := strings.Split(list, ",")
	for i, entry := range entries {
		space := strings.LastIndexByte(entry, ' ') + 1
		plain, err := base64.StdEncoding.DecodeString(entry[space:])
		if err != nil {
			continue
		}
		text := a.text(string(plain))
		if name := strings.TrimSpace(entry[:space]); a.how.FileNames && (name == "filename" || name == "name") {
			stem := strings.TrimSuffix(string(plain), path.Ext(string(plain)))
			text = a.pseudonym(&a.counts.Names, stem) + string(plain[len(stem):])
		}
		entries[i] = entry[:space] + base64.StdEncoding.EncodeToString([]byte(text))
	}
	return strings.Join(entries, ",")
}

var members = regexp.MustCompile(`"(account_name|account_slug|template_name|user_name|username|login|client_agent|client_referer|` +
	`basename|original_basename)\\*"\s*:\s*\\*"([^"\\]*)`)

// edits returns what to replace in b, in order.
func (a *anonymizer) edits(b []byte) []edit {
	var edits []edit
	var taken []bool
	replace := func(from, to int, by string) {
		if taken == nil {
			taken = make([]bool, len(b))
		}
		for i := from; i < to; i++ {
			taken[i] = true
		}
		edits = append(edits, edit{int64(from), by})
	}
	free := func(from, to int) bool {
		return from < to && (taken == nil || !slices.Contains(taken[from:to], true))
	}
	a.ids(b, func(from, to int, by string) { replace(from, to, by) })
	for _, m := range members.FindAllSubmatchIndex(b, -1) {
		name, from, to := string(b[m[2]:m[3]]), m[4], m[5]
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
	for _, literal := range a.sorted {
		for i := 0; ; {
			n := bytes.Index(b[i:], []byte(literal))
			if n < 0 {
				break
			}
			from, to := i+n, i+n+len(literal)
			i = to
			follows := to+1 < len(b) && b[to] == '.' && isAlnum(b[to+1])
			if free(from, to) && wordStarts(b, from) && (to == len(b) || !isAlnum(b[to])) && (follows || !a.literals[literal]) {
				replace(from, to, a.pseudonym(&a.counts.Names, literal))
			}
		}
	}
	whereFree := func(from, to int, by string) {
		if free(from, to) {
			replace(from, to, by)
		}
	}
	a.emails(b, whereFree)
	a.addresses(b, whereFree)
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.at, b.at) })
	return edits
}

func isAlnum(c byte) bool { return isAlpha(c) || '0' <= c && c <= '9' }

// wordStarts returns whether a word may begin at b[i]: it does behind an escape of a URL
// or a string as well.
func wordStarts(b []byte, i int) bool {
	if i == 0 || !isAlnum(b[i-1]) || b[i-1] >= 0x80 {
		return true
	}
	return escapeEnd(b, wordBegin(b, i)) == i
}

// wordBegin returns where the letters and digits begin that end in front of b[i].
func wordBegin(b []byte, i int) int {
	for i > 0 && isAlnum(b[i-1]) {
		i--
	}
	return i
}

// escapeEnd returns where the escape ends whose first byte is in front of b[i]; i if there
// is none.
func escapeEnd(b []byte, i int) int {
	if i == 0 {
		return i
	}
	switch b[i-1] {
	case '%':
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
	var prefix []byte // the word before, where _ or - is behind it
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

// slashLen returns the length of the slash that begins b, in whatever spelling, or 0.
func slashLen(b []byte) int {
	for _, slash := range []string{"/", `\/`, "%2F", "%2f"} {
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

// id returns the pseudonym of an ID of hexadecimal digits, in the spelling of the ID.
func (a *anonymizer) id(id, dash string) string {
	plain := strings.ToLower(strings.ReplaceAll(id, "-", ""))
	sum := a.sum("id", plain, 0)
	digits := []byte(fmt.Sprintf("%x", sum[:16]))
	if plain[12] == '4' && strings.IndexByte("89ab", plain[16]) >= 0 {
		// A random UUID stays one to those who check.
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

// pseudonym returns the pseudonym of any text: letters for letters, digits for digits.
func (a *anonymizer) pseudonym(count *Pseudonymized, text string) string {
	a.count(count, text)
	by := []byte(text)
	var sum []byte
	for i, c := range by {
		if i%sha256.Size == 0 {
			sum = a.sum("text", text, i)
		}
		// Three bytes in 256 make the first letters a little more likely, which tells
		// nothing about what was there.
		switch r := sum[i%sha256.Size]; {
		case 'a' <= c && c <= 'z':
			by[i] = 'a' + r%26
		case 'A' <= c && c <= 'Z':
			by[i] = 'A' + r%26
		case '0' <= c && c <= '9':
			by[i] = '0' + r%10
		case c >= 0x80:
			by[i] = 'a' + r%26
		}
	}
	return string(by)
}

// sum returns 32 bytes that only the key and these values give.
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
