package replay

import (
	"bytes"
	"hash/crc32"
	"io"
)

// lineReader reads a reel line by line and sums up what it has read, in pieces
// larger than lines.
type lineReader struct {
	src     io.Reader
	buf     []byte
	start   int // buf[start:end] is read from src and not yet returned
	end     int
	scanned int   // buf[start:scanned] holds no LF
	offset  int64 // in the reel, of buf[0]

	sum    uint32 // of the bytes since the last call of resetSum, up to buf[summed]
	summed int
}

func newLineReader(src io.Reader) *lineReader {
	return &lineReader{src: src, buf: make([]byte, 64<<10)}
}

// position returns the offset in the reel of the next line.
func (l *lineReader) position() int64 { return l.offset + int64(l.start) }

// next returns the next line with its LF. The last line comes without one if the
// reel has none there; after that, next returns io.EOF. errLongLine is about a
// line over maxLine. The line is valid until the call after this.
func (l *lineReader) next() ([]byte, error) {
	for {
		if n := bytes.IndexByte(l.buf[l.scanned:l.end], '\n'); n >= 0 {
			line := l.buf[l.start : l.scanned+n+1]
			if len(line) > maxLine {
				return nil, errLongLine
			}
			l.start = l.scanned + n + 1
			l.scanned = l.start
			return line, nil
		}
		l.scanned = l.end
		if l.end-l.start >= maxLine {
			return nil, errLongLine
		}
		l.makeRoom()
		n, err := l.src.Read(l.buf[l.end:])
		l.end += n
		if n == 0 && err == io.EOF && l.start < l.end {
			line := l.buf[l.start:l.end]
			l.start, l.scanned = l.end, l.end
			return line, nil
		}
		if n == 0 && err != nil {
			return nil, err
		}
	}
}

// skip goes on behind n bytes of buf, which are whole lines.
func (l *lineReader) skip(n int) {
	l.start += n
	l.scanned = l.start
}

func (l *lineReader) makeRoom() {
	l.sumUp(l.start)
	copy(l.buf, l.buf[l.start:l.end])
	l.offset += int64(l.start)
	l.summed -= l.start
	l.end -= l.start
	l.scanned -= l.start
	l.start = 0
	if l.end > len(l.buf)/2 {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
}

// sumUp takes the bytes before buf[to] into the sum.
func (l *lineReader) sumUp(to int) {
	l.sum = crc32.Update(l.sum, castagnoli, l.buf[l.summed:to])
	l.summed = to
}

// sumBefore returns the sum of the bytes before the line that next has returned
// last, which is n bytes long, and begins anew after that line.
func (l *lineReader) sumBefore(n int) uint32 {
	l.sumUp(l.start - n)
	sum := l.sum
	l.sum, l.summed = 0, l.start
	return sum
}

// cutLine cuts the first line off b, and takes off its LF.
func cutLine(b []byte) (line, rest []byte) {
	if n := bytes.IndexByte(b, '\n'); n >= 0 {
		return b[:n], b[n+1:]
	}
	return b, nil
}

func isBodyLine(line []byte) bool {
	return len(line) > 0 && (line[0] == bodyLine || line[0] == bodyPart || line[0] == bodyQuoted || line[0] == bodyBase64)
}
