package replay

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// sealed returns text with its seal.
func sealed(text string) string {
	return fmt.Sprintf("%s$ bytes=%d crc32c=%08x\n", text, len(text), crc32.Checksum([]byte(text), castagnoli))
}

// Whether lines are taken in the buffer or one by one tells in nothing: not in what is
// loaded, nor in the error. Reels are changed in all ways that may matter to it, and
// read with buffers of sizes that put their ends anywhere.
func TestReadsAgreesWithRecord(t *testing.T) {
	const opened = "reel 1\n> 1 +0 GET /\n< 1 +0 200\n> 2 +0 POST /\n"
	seeds := []string{
		opened + strings.Repeat("= 1 +0.000123 11\n|data: one\n|\n= 1 +1.5 3\n\\abc\n^ 2 +0 2\n|a\n", 9) + ". 1 +0 eof bytes=126 crc32c=00000000\n. 2 +1 reset\n",
		opened + strings.Repeat("= 1 +0.5\n|x\n# c\n\n\\y\n= 1 +1 0\n\\\n~a\\n\n%QQ==\n", 4) + "= 1 +999999999 0\n= 1 +9999999999 1\n|\n",
		opened + "= 01 +00.0 0003\n|ab\n= 1 +1.123456789 000000001\n|\n= 1 +1.1234567891 1\n|\n= 1 +0 1234567890\n",
		opened + "= 1 +0 268435456\n|x\n= 1 +0 268435457\n|x\n= 0 +0 1\n|\n= 3 +0 1\n|\n^ 1 +0 1\n|\n= 2 +0 1\n|\n",
		sealed(opened) + "= 1 +0 99\n|" + strings.Repeat("x", 98) + "\n",
		opened + "< 2 +0 200\n= 1 +900000000 0\n= 2 +900000000 0\n" + strings.Repeat("= 1 +999999999.999999999 1\n|\n", 9),
	}
	for _, name := range []string{"assembly.reel", "every-line.reel"} {
		raw, err := os.ReadFile("../testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, string(raw))
	}
	agree := func(text string, buffer int) {
		t.Helper()
		one := func(slow bool) (*Recording, error) {
			l := newLoader(strings.NewReader(text), int64(len(text)))
			l.src = nil // which is not the same for both
			l.slow = slow
			l.lines.buf = make([]byte, buffer)
			err := l.version()
			if err == nil {
				err = l.load()
			}
			return l.rec, err
		}
		fast, fastErr := one(false)
		slow, slowErr := one(true)
		if fmt.Sprint(fastErr) != fmt.Sprint(slowErr) {
			t.Fatalf("the error is %v, one by one it is %v\n%s", fastErr, slowErr, text)
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Fatalf("loaded\n%+v\none by one\n%+v\n%s", fast, slow, text)
		}
	}
	// Lines far longer than their bytes need, and one longer than any may be.
	agree(opened+"= 1 +0\n"+strings.Repeat("\\\n", maxOverhead/2+9), 64<<10)
	agree(opened+"= 1 +0\n|"+strings.Repeat("x", maxLine-1)+"\n", maxLine+1<<10)

	const marks = "\n\n\r\r|\\~%=$.#<>^@ +0159x"
	for i, seed := range seeds {
		for _, buffer := range []int{64 << 10, 1, 50, 100} {
			agree(seed, buffer)
		}
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		for range 1000 {
			text := []byte(seed)
			for range 1 + rng.IntN(3) {
				at := rng.IntN(len(text))
				switch lines := bytes.SplitAfter(text, []byte("\n")); rng.IntN(6) {
				case 0:
					text[at] = marks[rng.IntN(len(marks))]
				case 1:
					text = slices.Insert(text, at, marks[rng.IntN(len(marks))])
				case 2:
					text = slices.Delete(text, at, at+1)
				case 3:
					text = text[:at+1]
				case 4: // a line again, somewhere else
					line := slices.Clone(lines[rng.IntN(len(lines))])
					lines = slices.Insert(lines, rng.IntN(len(lines)), line)
					text = slices.Concat(lines...)
				case 5: // a line less
					from := rng.IntN(len(lines))
					text = slices.Concat(slices.Delete(lines, from, from+1)...)
				}
				if len(text) == 0 {
					break
				}
			}
			agree(string(text), [...]int{1, 30, 60, 100, 300, 5000}[rng.IntN(6)])
		}
	}
}

// Most lines are taken in the buffer, or it would be of no use.
func TestReadsTakesTheMost(t *testing.T) {
	reel := "reel 1\n> 1 +0 GET /\n< 1 +0 200\n" + strings.Repeat("= 1 +0.123456789 6\n|data\n\\x\n", 100) + strings.Repeat("# behind them\n", 9)
	l := newLoader(strings.NewReader(reel), int64(len(reel)))
	if err := l.version(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the request, the response
		line, err := l.lines.next()
		l.line++
		if f := l.record(line); err != nil || f != nil {
			t.Fatal(err, f)
		}
	}
	l.reads()
	if l.line != 3+300 {
		t.Errorf("it has taken the lines up to %d, want %d", l.line, 3+300)
	}
	if f := l.endRead(); f != nil || l.rec.exchanges[0].Size != 600 {
		t.Error(f, l.rec.exchanges[0].Size)
	}
}
