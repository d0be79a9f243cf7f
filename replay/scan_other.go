//go:build !amd64 || purego

package replay

func (m *masker) find(i int) { m.findGeneric(i) }

func asciiPrefix(b []byte) int { return asciiPrefixGeneric(b) }
