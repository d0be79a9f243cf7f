//go:build !purego

package replay

import (
	"slices"

	"golang.org/x/sys/cpu"
)

var hasAVX2 = cpu.X86.HasAVX2

// scanSlack is how far indexName reads behind what it is asked for, in bytes, and less.
const scanSlack = 64

// indexNameAVX2 returns the index of the first byte in b[i:n] that is '=' or '%', or a
// backslash that a u follows, or a colon that colon has to look at in a response, or n. A few more colons than these are
// among them, but not those whose next byte is not in b[:n]. i is at least 3, and b at
// least scanSlack bytes longer than n.
//
//go:noescape
func indexNameAVX2(b []byte, i, n int) int

// find is findGeneric in one pass. What is hidden on the way makes no colon a candidate
// that was none before.
func (m *masker) find(i int) {
	if m.request || !hasAVX2 {
		m.findGeneric(i)
		return
	}
	n := len(m.buf)
	b := slices.Grow(m.buf, scanSlack)[:n+scanSlack]
	m.buf = b[:n]
	equals, percent, escape := n, n, n // the first ones
	look := func(j int) {
		switch b[j] {
		case ':':
			m.colon(j)
		case '=':
			equals = min(equals, j)
		case '%':
			percent = min(percent, j)
		case '\\':
			escape = min(escape, j)
		}
	}
	for ; i < min(3, n); i++ {
		look(i)
	}
	for j := indexNameAVX2(b, i, n); j < n; j = indexNameAVX2(b, j+1, n) {
		look(j)
	}
	for j := max(i, n-2); j < n; j++ { // which wait for what comes
		look(j)
	}
	m.findParameters(equals, percent, escape)
}

// asciiPrefixAVX2 is asciiPrefixGeneric for b of 32 bytes at least.
//
//go:noescape
func asciiPrefixAVX2(b []byte) int

func asciiPrefix(b []byte) int {
	if len(b) < 32 || !hasAVX2 {
		return asciiPrefixGeneric(b)
	}
	return asciiPrefixAVX2(b)
}
