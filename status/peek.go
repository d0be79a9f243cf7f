package status

import (
	"math/bits"
	"strings"
)

// A Head is the part of an Assembly Status that decides what to do next.
//
// Its strings, except a State that is one of the constants, are parts of the
// bytes that Peek was given, valid until those change; HTTPCode may read these bytes, too.
type Head struct {
	State         State
	Error         ErrorCode
	ID            string
	BytesReceived int64
	BytesExpected int64 // 0 if the API does not know

	httpCode       int64
	seen           headField
	errno, syscall bool   // there is one, see Assembly.crashed
	data           []byte // for HTTPCode
	next           int    // index in data at which Peek stopped; 0 if it read everything
}

type headField uint8

const (
	headVerdict headField = 1 << iota // ok or error
	headID
	headReceived
	headExpected
	headHTTPCode

	headSettled = headVerdict | headID | headReceived | headExpected
)

// Phase tells where on its way the Assembly is.
func (h Head) Phase() Phase {
	crashed := h.State == "" && (h.errno || h.syscall)
	if !h.Error.AboutRequest() && (h.Error != "" || crashed) {
		return Failed
	}
	return h.State.Phase()
}

// Terminal reports whether nothing will change any more.
func (h Head) Terminal() bool { return h.Phase().Terminal() }

// HTTPCode returns the Status's http_code, and 0 if it has none. Most Statuses have it
// right at their beginning; where it is not among what Peek has read, HTTPCode reads
// on, as far as the document is sound, and does so at each call.
func (h Head) HTTPCode() int {
	if h.seen&headHTTPCode == 0 && h.next > 0 && mayHaveCode(h.data[h.next:]) {
		h.read(h.next, headHTTPCode)
	}
	return int(h.httpCode)
}

// mayHaveCode reports whether http_code can be a key in b: whether it stands there, or an escape
// sequence that may be a letter of it. Older Statuses have no code, and reading all of
// one to find that out would cost ten times what Peek does.
func mayHaveCode(b []byte) bool {
	const name, escape = "http_code", `\u`
	i := 0
	for ; i+24 <= len(b); i += 16 {
		v, w := load64(b, i), load64(b, i+8)
		// Where h and four bytes on _ stand, or a backslash and u, there is a zero
		// byte, and 1 less than that is negative. Negative bytes that are not ASCII are
		// looked at once more, like a few others.
		v1 := (v ^ 'h'*eachByte) | (load64(b, i+4) ^ '_'*eachByte)
		v2 := (v ^ eachEscape) | (load64(b, i+1) ^ 'u'*eachByte)
		w1 := (w ^ 'h'*eachByte) | (load64(b, i+12) ^ '_'*eachByte)
		w2 := (w ^ eachEscape) | (load64(b, i+9) ^ 'u'*eachByte)
		if ((v1-eachByte)|(v2-eachByte)|(w1-eachByte)|(w2-eachByte))&eachHigh == 0 {
			continue
		}
		if ((v1-eachByte)&^v1|(v2-eachByte)&^v2|(w1-eachByte)&^w1|(w2-eachByte)&^w2)&eachHigh == 0 {
			continue
		}
		near := view(b[i:min(i+16+len(name), len(b))])
		if strings.Contains(near, name) || strings.Contains(near, escape) {
			return true
		}
	}
	rest := view(b[i:])
	return strings.Contains(rest, name) || strings.Contains(rest, escape)
}

// Peek reads the head of an Assembly Status, whatever order its keys stand in,
// without allocating.
//
// It stops as soon as it has met ok or error, the id, and the bytes received and
// expected. It therefore does not see whether what follows is JSON, nor a key that
// comes again there, nor an error after an ok: the API never sends both. What it has
// read up to that point is checked as strictly as by DecodeAssembly, and a fault there
// gives the same *SyntaxError; of a key that has come twice by then the last one
// counts. A code or id with escape sequences costs an allocation, as does a number written
// with such in quotes; keys cost none.
//
// An object that is no Status, such as {"message":"Forbidden"} from a gateway, has a Head
// with neither State nor Error, whose Phase is Unknown. That is no error: a program that polls
// has to stop there too, or check the HTTP status of the response first.
func Peek(data []byte) (Head, error) {
	h := Head{data: data}
	i := skipSpace(data, 0)
	if at(data, i) != '{' {
		return h, refusal(data)
	}
	if i = skipSpace(data, i+1); at(data, i) == '}' {
		if skipSpace(data, i+1) != len(data) {
			return h, refusal(data)
		}
		return h, nil
	}
	if !h.read(i, headSettled) {
		return h, refusal(data)
	}
	return h, nil
}

// headKeys are the keys that member knows.
var headKeys = keySet("ok", "error", "errno", "syscall", "http_code", "assemblyId", "assembly_id", "bytes_received", "bytes_expected")

// read reads members from h.data[i] on, where a key begins or white space before one,
// until it has seen all that is wanted or the document ends. It reports false for what is
// not JSON.
func (h *Head) read(i int, wanted headField) bool {
	b, s := h.data, view(h.data)
	var found [5]pair
	room := len(found)
	for {
		n, next, _ := pairs(b, i, found[:room], headKeys)
		for j := range found[:n] {
			m := &found[j]
			h.member(s[m.key:m.keyEnd], s[m.value:m.end], true)
			if h.seen&wanted == wanted {
				if h.next = next; j+1 < n {
					h.next = found[j+1].key - 1
				}
				return true
			}
		}
		i = next
		if n == room {
			// No more than what is missing, so as not to read far beyond it.
			room = bits.OnesCount8(uint8(wanted &^ h.seen))
			continue
		}
		// One member with care.
		k := skipSpace(b, i)
		end, v := keyEnd(b, k)
		if v < 0 {
			return false
		}
		if i = valueEnd(b, v, 1); i < 0 {
			return false
		}
		if key := s[k+1 : end]; strings.IndexByte(key, '\\') < 0 {
			h.member(key, s[v:i], false)
		} else {
			h.escapedMember(key, s[v:i])
		}
		var more bool
		if i, more = itemEnd(b, i, '}'); !more {
			return i >= 0 && skipSpace(b, i) == len(b)
		}
		if h.seen&wanted == wanted {
			h.next = i
			return true
		}
	}
}

// member takes a value if its key is one of those asked for; plain says that if it is a
// string, its bytes are its text.
func (h *Head) member(key, value string, plain bool) {
	switch key {
	case "ok":
		h.State = knownState(headText(value, plain))
		h.verdict()
	case "error":
		h.Error = ErrorCode(headText(value, plain))
		h.verdict()
	case "assembly_id", "assemblyId":
		if value[0] == '"' || isNumber(value) { // or else it may stand under the other name
			h.ID = headText(value, plain)
			h.seen |= headID
		}
	case "bytes_received":
		h.BytesReceived = headInteger(value)
		h.seen |= headReceived
	case "bytes_expected":
		h.BytesExpected = headInteger(value)
		h.seen |= headExpected
	case "http_code":
		h.httpCode = headInteger(value)
		h.seen |= headHTTPCode
	case "errno":
		h.errno = value[0] != 'n'
	case "syscall":
		h.syscall = headText(value, plain) != ""
	}
}

// escapedMember is member for a key with escape sequences. None of those asked for is longer
// than it would be with nothing else in it.
func (h *Head) escapedMember(key, value string) {
	const longest = len(`\u0000`) * len("bytes_received")
	var text [3 * longest]byte // as much as bytes that are not UTF-8 become
	if len(key) <= longest {
		h.member(view(appendText(text[:0], key)), value, false)
	}
}

func (h *Head) verdict() {
	h.seen &^= headVerdict
	if h.State != "" || h.Error != "" {
		h.seen |= headVerdict
	}
}

// headText returns a string's value, or the digits of a number.
func headText(s string, plain bool) string {
	if s[0] == '"' {
		if s = s[1 : len(s)-1]; plain {
			return s
		}
		return textOf(s)
	}
	if isNumber(s) {
		return s
	}
	return ""
}

func headInteger(s string) int64 {
	if n, ok := parsePlain(viewBytes(s)); ok {
		return n
	}
	s, ok := Raw(s).number()
	if !ok {
		return 0
	}
	n, _ := parseInteger(s)
	return n
}
