package replay

import (
	"bytes"
	"math"
	"time"
)

// Nearly all of a reel is reads as a Writer writes them: a line with a time and a size,
// and text. They are taken here, where they lie in the buffer and without a look at
// what else they could be. Whatever is another line, is wrong, or is not wholly in the
// buffer stays for record, which is the judge of it.

// reads takes what it can of the lines in the buffer.
func (l *loader) reads() {
	for {
		if l.x != nil {
			l.text()
		}
		if !l.read() {
			return
		}
	}
}

// text takes lines of text of the read that has begun.
func (l *loader) text() {
	lines := l.lines
	b := lines.buf[lines.start:lines.end]
	before := lines.position() - l.piece.offset
	size, limit := l.size, l.want
	if limit < 0 {
		limit = maxRead
	}
	i, count := 0, 0
	for i < len(b) && (b[i] == bodyLine || b[i] == bodyPart) {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 || n >= maxLine || b[i+n-1] == '\r' {
			break
		}
		text := b[i+1 : i+n+1]
		if b[i] == bodyPart {
			text = text[:n-1]
		}
		sum := size + int64(len(text))
		next := i + n + 1
		if sum > limit || before+int64(next) > maxOverhead+8*sum {
			break
		}
		l.sum(text)
		size, i = sum, next
		count++
	}
	if count > 0 {
		l.size = size
		l.piece.length = int32(before + int64(i))
		l.line += count
		lines.skip(i)
	}
}

// longestRead is the longest line that read takes, in bytes: of each number, nine
// digits.
const longestRead = len("= 999999999 +999999999.999999999 999999999\n")

// read takes a line that begins a read, and ends the read before it.
func (l *loader) read() bool {
	b := l.lines.buf[l.lines.start:l.lines.end]
	if len(b) < longestRead || b[0] != '=' && b[0] != '^' || b[1] != ' ' {
		return false
	}
	b = b[:longestRead]
	const digits = 9
	number, i := leadingNumber(b, 2)
	if i == 2 || i > 2+digits || b[i] != ' ' || b[i+1] != '+' {
		return false
	}
	begin := i + 2
	seconds, i := leadingNumber(b, begin)
	if i == begin || i > begin+digits {
		return false
	}
	since := time.Duration(seconds) * time.Second
	if b[i] == '.' {
		begin = i + 1
		var fraction int
		fraction, i = leadingNumber(b, begin)
		if i == begin || i > begin+digits {
			return false
		}
		since += time.Duration(fraction) * units[i-begin]
	}
	if b[i] != ' ' {
		return false
	}
	begin = i + 1
	size, i := leadingNumber(b, begin)
	if i == begin || i > begin+digits || b[i] != '\n' || size > maxRead || since > math.MaxInt64-l.at {
		return false
	}
	x := l.find(number)
	request := b[0] == '^'
	if x == nil || x.End != EndUnknown || x.StatusCode == 0 && !request || l.x != nil && l.size < l.want {
		return false
	}
	l.line++
	l.lineAt = l.lines.position()
	l.endRead()
	l.rec.sealed = false
	l.at += since
	l.lines.skip(i + 1)
	l.startRead(x, request, l.at, int64(size))
	return true
}

// units are what the last of so many digits behind the point stands for.
var units = [...]time.Duration{1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1}

// leadingNumber reads the digits of b from i on, and returns where they end: the end
// of b, if need be, and then number may be anything.
func leadingNumber(b []byte, i int) (number, end int) {
	for i < len(b) && b[i]-'0' <= 9 {
		number = number*10 + int(b[i]-'0')
		i++
	}
	return number, i
}
