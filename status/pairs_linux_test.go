package status

import (
	"syscall"
	"testing"
)

// guarded returns a copy of data, in front of which and behind which there is no memory.
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
