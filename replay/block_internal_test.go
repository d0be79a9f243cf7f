package replay

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLineEnd(t *testing.T) {
	for n := range 6000 {
		line := strings.Repeat("x", n)
		for _, end := range []string{"\n", "\r", "\r\n", "\n\r", "\rx\n", "\nx\r"} {
			if got := lineEnd([]byte(line + end)); got != n {
				t.Fatalf("a line of %d bytes that ends with %q has %d", n, end, got)
			}
		}
		if got := lineEnd([]byte(line)); got != n {
			t.Fatalf("of %d bytes without an end, %d are before it", n, got)
		}
	}
}

// The moment of a block is that of its last line's end, whose second half may come later.
func TestBlocks(t *testing.T) {
	const reel = "reel 1\n> 1 +0 GET https://example.com/\n< 1 +0 200\n" +
		"= 1 +1 7\n~id: 1\\r\\r\n= 1 +1 8\n~\\ndata: x\n= 1 +1 4\n~\\r\\n\\r\\n\n= 1 +1 6\n~: end\\r\n"
	rec, err := Load(strings.NewReader(reel), int64(len(reel)))
	if rec == nil {
		t.Fatal(err)
	}
	type summary struct {
		end           int64
		at            time.Duration
		event, setsID bool
		id            string
	}
	var got []summary
	for b, err := range rec.Exchanges()[0].blocks() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, summary{b.end, b.at, b.event, b.setsID, string(b.id)})
	}
	want := []summary{{8, 1 * time.Second, false, true, "1"}, {19, 3 * time.Second, true, false, "1"}}
	if !slices.Equal(got, want) {
		t.Errorf("the blocks are %v, want %v", got, want)
	}
}
