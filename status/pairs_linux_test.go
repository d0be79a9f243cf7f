package status

import (
	"strings"
	"syscall"
	"testing"
)

// guarded returns a copy of data, with no memory before and after it.
func guarded(t *testing.T, data []byte, behind bool) []byte {
	t.Helper()
	page := syscall.Getpagesize()
	size := max(1, (len(data)+page-1)/page) * page
	all, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(all) })
	for _, edge := range [][]byte{all[:page], all[page+size:]} {
		if err := syscall.Mprotect(edge, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	b := all[page : page+len(data) : page+len(data)]
	if behind {
		b = all[page+size-len(data) : page+size : page+size]
	}
	copy(b, data)
	return b
}

// Nothing but the document is read, wherever it ends.
func TestReadsNoFurther(t *testing.T) {
	var a Assembly
	var j Job
	for _, data := range payloads(t) {
		for n := len(data); n >= 0; n -= 1 + n/40*stride {
			for _, behind := range []bool{true, false} {
				b := guarded(t, data[:n], behind)
				_ = DecodeAssembly(b, &a)
				_ = DecodeAssemblyBorrowed(b, &a)
				_ = DecodeJob(b, &j)
				h, _ := Peek(b)
				h.HTTPCode()
				_, _ = PeekJob(b)
				_, _ = DecodeUpdate([]byte("assembly_result_finished"), b)
				_, _ = DecodeUpdate([]byte("assembly_execution_progress"), b)
			}
		}
	}
}

// What begins before the limit is followed for less than slack bytes beyond it, so that
// pairs need not check where the document ends.
func TestPairsReadNoFurther(t *testing.T) {
	for _, tt := range []struct {
		name, begin, middle, end string
		want                     int
	}{
		{"white space", `"a":1,`, " ", "", 1},
		{"white space and a key", `"a":1,`, " ", `"`, 1},
		{"digits", `"a":1`, "1", "", 0},
		{"digits behind a point", `"a":-1.5`, "5", "", 0},
		{"a string", `"a":"`, "x", "", 0},
		{"a string that ends", `"a":"`, "x", `"`, 0},
		{"a key", `"`, "x", "", 0},
		{"a key that ends", `"`, "x", `"`, 0},
		{"a key with a colon", `"`, "x", `":`, 0},
		{"a value at the end", `"`, "x", `":t`, 0},
	} {
		for limit := 8; limit <= 130; limit++ {
			middle := strings.Repeat(tt.middle, limit+slack-len(tt.begin)-len(tt.end))
			b := guarded(t, []byte(tt.begin+middle+tt.end), true)
			for _, way := range ways {
				var out [2]pair
				if n, next, _ := way.find(b, 0, limit, out[:], anyKey); n != tt.want || next > len(b) {
					t.Errorf("%s, %s, limit %d: %d pairs, want %d; next is %d of %d", tt.name, way.name, limit, n, tt.want, next, len(b))
				}
			}
		}
	}
}

// The furthest way leads from the end of a key in the last 64 bytes in which one is looked
// for, by a long number and a line end, to the spaces after that.
func TestPairsFurthest(t *testing.T) {
	number := `-` + strings.Repeat("1", 32)
	for _, limit := range []int{63, 64, 65, 66, 127, 128, 129} {
		for end := limit - 1; end <= limit+64; end++ {
			doc := `"` + strings.Repeat("x", end-1) + `": ` + number + ",\n"
			b := guarded(t, []byte(doc+strings.Repeat(" ", limit+slack-len(doc))), true)
			for _, way := range ways {
				var out [1]pair
				n, next, _ := way.find(b, 0, limit, out[:], anyKey)
				if n == 1 && (out[0].keyEnd != end || string(b[out[0].value:out[0].end]) != number) || next > len(b) {
					t.Errorf("%s, limit %d: a key that ends at %d, a value at %d, next is %d", way.name, limit, out[0].keyEnd, out[0].value, next)
				}
				if n == 0 && end < limit {
					t.Errorf("%s, limit %d: nothing found, and the key ends at %d", way.name, limit, end)
				}
			}
		}
	}
}
