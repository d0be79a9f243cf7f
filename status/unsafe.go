package status

import (
	"encoding/binary"
	"unsafe"
)

// All that is unsafe in this package, and why.

// load64 returns the eight bytes of b from i on, the first of them lowest. The
// caller has checked that i+8 <= len(b); a second check by the compiler, which
// does not see the first, costs the scanner a tenth of its speed.
func load64(b []byte, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

// load32 is load64 for four bytes.
func load32(b []byte, i int) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

// view returns b's bytes as a string without copying them. Whoever calls it
// hands on the duty not to change b while the string is in use.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// viewBytes is the way back: the scanner reads bytes and never writes them.
func viewBytes(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s))
}
