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
	b, i := l.lines.buf[:l.lines.end], l.lines.start
	for next := 0; ; i = next {
		if l.x != nil {
			i = l.text(b, i)
		}
		if next = l.read(b, i); next == i {
			break
		}
	}
	l.lines.skip(i - l.lines.start)
}

// text takes the lines of text from b[i] on, which are of the read that has begun, and
// returns where they end. b is the buffer.
func (l *loader) text(b []byte, i int) int {
	begin := l.piece.offset - l.lines.offset // of the lines, were they all in b
	size, limit := l.size, l.want
	if limit < 0 {
		limit = maxRead
	}
	count := 0
	for i < len(b) && (b[i] == bodyLine || b[i] == bodyPart) {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 || n >= maxLine || b[i+n-1] == '\r' {
			break
		}
		text := b[i+1 : i+n+1]
		if b[i] == bodyPart {
			text = text[:n-1]
		}
		sum, next := size+int64(len(text)), i+n+1
		if sum > limit || int64(next)-begin > maxLines(sum) {
			break
		}
		l.sum(text)
		size, i = sum, next
		count++
	}
	if count > 0 {
		l.size = size
		l.piece.length = int32(int64(i) - begin)
		l.line += count
	}
	return i
}

// longestRead is the longest line that read takes, in bytes: of each number, nine
// digits.
const longestRead = len("= 999999999 +999999999.999999999 999999999\n")

// read takes the line at b[i], if it begins a read, ends the read before it, and
// returns where the line ends. It returns i if the line is not for it.
func (l *loader) read(b []byte, from int) int {
	if len(b)-from < longestRead {
		return from
	}
	b = b[from : from+longestRead]
	if b[0] != '=' && b[0] != '^' || b[1] != ' ' {
		return from
	}
	const digits = 9
	number, i := leadingNumber(b, 2)
	if i == 2 || i > 2+digits || b[i] != ' ' || b[i+1] != '+' {
		return from
	}
	begin := i + 2
	seconds, i := leadingNumber(b, begin)
	if i == begin || i > begin+digits {
		return from
	}
	since := time.Duration(seconds) * time.Second
	if b[i] == '.' {
		begin = i + 1
		var fraction int
		fraction, i = leadingNumber(b, begin)
		if i == begin || i > begin+digits {
			return from
		}
		since += time.Duration(fraction) * units[i-begin]
	}
	if b[i] != ' ' {
		return from
	}
	begin = i + 1
	size, i := leadingNumber(b, begin)
	if i == begin || i > begin+digits || b[i] != '\n' || size > maxRead || since > math.MaxInt64-l.at {
		return from
	}
	x := l.find(number)
	request := b[0] == '^'
	if x == nil || x.End != EndUnknown || x.StatusCode == 0 && !request || l.x != nil && l.size < l.want {
		return from
	}
	next := from + i + 1
	l.line++
	l.lineAt = l.lines.offset + int64(from)
	l.endRead()
	l.rec.sealed = false
	l.at += since
	l.startRead(x, request, piece{at: l.at, offset: l.lines.offset + int64(next)}, int64(size))
	return next
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
