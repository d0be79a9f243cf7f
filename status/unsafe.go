package status

import (
	"encoding/binary"
	"unsafe"
)

// All that is unsafe in this package, and why, except for the assembly, which reads only where
// pairs and repeats have made sure that it can.

// load64 returns the eight bytes of b from i on, the first of them lowest. The
// caller has checked that i+8 <= len(b). With a second check by the compiler, which
// does not see the first, decoding took a tenth longer, and looking for an http_code that
// is not there twice as long (Go 1.26, amd64).
func load64(b []byte, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

// load32 is load64 for four bytes.
func load32(b []byte, i int) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

// view returns b's bytes as a string without copying them. Nobody may change b
// while the string is in use.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// viewBytes is the way back: the scanner reads bytes and never writes them.
func viewBytes(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// An address is where a field is in an object. Tables of offsets, made once for each
// type from pointers to its fields, take a decoder there without a call. Where a table is
// written the compiler checks that each field has the type of its kind.
type address = unsafe.Pointer

func fieldAt[T any](key string, k kind, p *T) field {
	details = append(details, more{key: key})
	return field{kind: k, sample: offset(p), detail: len(details) - 1}
}

// offset is p as a number, good for the distance to another place in the same object.
func offset[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// base returns where o, which has the layout l, is.
func (l *layout) base(o object) address {
	return unsafe.Add(unsafe.Pointer(o.source()), -l.source)
}

// slotAt returns the field f of the object at base.
func slotAt(base address, f *field) slot { return slot{f, unsafe.Add(base, int(f.offset))} }
