//go:build !amd64 || purego

package ssewire

func indexLineEnd(b []byte, n int) int { return indexLineEndGeneric(b, n) }
