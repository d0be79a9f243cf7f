//go:build !amd64

package ssewire

func indexLineEnd(b []byte, n int) int { return indexLineEndGeneric(b, n) }
