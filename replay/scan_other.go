//go:build !amd64 || purego

package replay

func indexName(b []byte, i, n int) int { return indexNameGeneric(b, i, n) }

func asciiPrefix(b []byte) int { return asciiPrefixGeneric(b) }
