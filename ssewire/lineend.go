package ssewire

import "bytes"

// slack is how far indexLineEnd may read beyond what it is asked for.
const slack = 64

// indexLineEndGeneric returns the index of the first LF or CR in b[:n], or n.
func indexLineEndGeneric(b []byte, n int) int {
	if i := bytes.IndexByte(b[:n], '\n'); i >= 0 {
		n = i
	}
	if i := bytes.IndexByte(b[:n], '\r'); i >= 0 {
		n = i
	}
	return n
}
