package replay

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

var le = binary.LittleEndian

// The first byte of the lines that carry a body. FORMAT.md, "Bodies".
const (
	bodyLine   = '|'  // text, and the LF that ended it
	bodyPart   = '\\' // text that no LF ended
	bodyQuoted = '~'  // text with escapes
	bodyBase64 = '%'  // what is no text
)

const (
	// maxLine bounds the lines of a reel, LF included: no more than that is ever
	// held in memory of a file that may be anything.
	maxLine = 64 << 20

	// maxRead bounds what one read can hold, in bytes. The writer makes several
	// reads of one that is larger.
	maxRead = 256 << 20

	// maxOverhead is what the lines of a read may be longer than eight times its
	// bytes, in bytes.
	maxOverhead = 1 << 20

	// maxComments bounds the comments that a Recording keeps, in bytes.
	maxComments = 64 << 10

	// maxText is where the writer cuts text that no LF ends.
	maxText = 1 << 20

	// A read with more \xHH than this, and than one byte in four, goes as base64.
	fewEscapes = 16

	base64Bytes = 57 // a line: 76 characters
)

// maxLines returns how long the lines of a read of that size may be, in bytes. A piece has
// an int32 for it.
func maxLines(size int64) int64 { return min(maxOverhead+8*size, math.MaxInt32) }

// appendBody appends the lines that carry b, the bytes of one read. The same bytes
// always give the same lines.
func appendBody(dst, b []byte) []byte {
	start, all, escapes := len(dst), b, 0
	for len(b) > 0 {
		window := b[:min(len(b), maxText)]
		for k := 1; k < utf8.UTFMax && len(window) < len(b) && !utf8.RuneStart(b[len(window)]); k++ {
			window = window[:len(window)-1]
		}
		n := plainPrefix(window)
		switch {
		case n < len(b) && b[n] == '\n':
			dst = append(dst, bodyLine)
			dst = append(dst, b[:n+1]...)
			b = b[n+1:]
		case n == len(window):
			dst = append(dst, bodyPart)
			dst = append(dst, b[:n]...)
			dst = append(dst, '\n')
			b = b[n:]
		case n+1 < len(window) && b[n] == '\r' && b[n+1] == '\n' && bytes.IndexByte(b[:n], '\\') < 0:
			// All lines of a stream may end in CRLF, so this is worth a short way.
			dst = append(dst, bodyQuoted)
			dst = append(dst, b[:n]...)
			dst = append(dst, `\r\n`+"\n"...)
			b = b[n+2:]
		default:
			// Something in the line takes an escape, so its LF does as well.
			if i := bytes.IndexByte(window[n:], '\n'); i >= 0 {
				window = window[:n+i+1]
			}
			var k int
			dst = append(dst, bodyQuoted)
			dst, k = appendQuoted(dst, window)
			dst = append(dst, '\n')
			escapes += k
			b = b[len(window):]
		}
	}
	if escapes <= fewEscapes || escapes <= len(all)/4 {
		return dst
	}
	dst = dst[:start]
	for len(all) > 0 {
		n := min(len(all), base64Bytes)
		dst = append(dst, bodyBase64)
		dst = base64.StdEncoding.AppendEncode(dst, all[:n])
		dst = append(dst, '\n')
		all = all[n:]
	}
	return dst
}

// appendBodyLine appends the bytes that line, one of the lines of appendBody
// without its LF, stands for.
func appendBodyLine(dst, line []byte) ([]byte, error) {
	text := line[1:]
	switch line[0] {
	case bodyLine:
		return append(append(dst, text...), '\n'), nil
	case bodyPart:
		return append(dst, text...), nil
	case bodyQuoted:
		return appendUnquoted(dst, text)
	case bodyBase64:
		was := len(dst)
		dst, err := base64.StdEncoding.Strict().AppendDecode(dst, text)
		if err == nil && bytes.IndexByte(text, '\r') >= 0 {
			err = errors.New("it has a CR within") // which Go's decoder skips
		}
		if err != nil {
			return dst[:was], fmt.Errorf("this is no base64: %w", err)
		}
		return dst, nil
	}
	return dst, fmt.Errorf("%q begins no line of a body", line[0])
}
