package replay

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Addresses may stand in URLs and in JSON, where some of their characters, and others before
// them, are escaped. The first group is an escape that does not belong to the address.
var (
	email = regexp.MustCompile(skipped + `((?:[A-Za-z0-9._+-]|%(?:25)*2[Bb]|\\+u002[Bb])+(?:@|%(?:25)*40|\\+u0040)` +
		`[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)\.[A-Za-z]{2,}`)
	ipv4 = regexp.MustCompile(skipped + `(` + dotted + `)`)
	ipv6 = regexp.MustCompile(skipped + `((?:[0-9A-Fa-f]{0,4}` + colon + `){2,7})(` + dotted + `|[0-9A-Fa-f]{0,4})`)

	// escaped is a character of an address that is written as an escape.
	escaped = regexp.MustCompile(`%(?:25)*[0-9A-Fa-f]{2}|\\+u[0-9A-Fa-f]{4}`)
)

const (
	skipped = `(%(?:25)*[0-9A-Fa-f]{2}|\\+u[0-9A-Fa-f]{4}|\\+[bfnrt/"])??`
	dotted  = `[0-9]{1,3}(?:\.[0-9]{1,3}){3}`
	colon   = `(?::|%(?:25)*3[Aa]|\\+u003[Aa])`
)

// emails finds the e-mail addresses in b. Their top-level domains stay.
func (a *anonymizer) emails(b []byte, replace func(from, to int, by func() string)) {
	for _, m := range email.FindAllSubmatchIndex(b, -1) {
		from, to := m[4], m[5]
		// What is redacted is the user of a URL, and no address.
		if !isEscapeOnly(b, from, to) && !bytes.HasSuffix(b[:from], []byte("//")) {
			replace(from, to, func() string { return a.pseudonym(&a.counts.Clients, string(b[from:to])) })
		}
	}
}

// isEscapeOnly returns whether what is before the @ of b[from:to] is the rest of an escape, as in
// \n@jane.example.
func isEscapeOnly(b []byte, from, to int) bool {
	return from > 0 && b[from-1] == '\\' && bytes.IndexAny(b[from:to], `@%\`) == escapeEnd(b, from)-from
}

// addresses finds the IP addresses in b. Where one of version 6 ends with one of version 4,
// each of the two has its own pseudonym; in ::ffff:1.2.3.4 only the latter has one.
func (a *anonymizer) addresses(b []byte, replace func(from, to int, by func() string)) {
	stands := func(m []int, from, to int) bool {
		return (m[2] >= 0 || from == 0 || !isAlnum(b[from-1]) && b[from-1] != '.') &&
			(to == len(b) || !isAlnum(b[to]) && (b[to] != '.' || to+1 == len(b) || !isAlnum(b[to+1])))
	}
	for _, m := range ipv6.FindAllSubmatchIndex(b, -1) {
		from, to := m[4], m[7]
		text := unescaped(string(b[from:to]))
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.IsLoopback() || addr.IsUnspecified() || addr.Is4In6() || !stands(m, from, to) {
			continue
		}
		if strings.IndexByte(text, '.') >= 0 {
			to, text = m[5], unescaped(string(b[from:m[5]]))
		}
		replace(from, to, func() string { return reescaped(a.address(text), string(b[from:to])) })
	}
	for _, m := range ipv4.FindAllSubmatchIndex(b, -1) {
		from, to := m[4], m[5]
		if addr, err := netip.ParseAddr(string(b[from:to])); err == nil && !addr.IsLoopback() && !addr.IsUnspecified() && stands(m, from, to) {
			replace(from, to, func() string { return a.address(string(b[from:to])) })
		}
	}
}

// address returns the pseudonym of an IP address, or of the part of one of version 6 before
// one of version 4.
func (a *anonymizer) address(addr string) string {
	a.count(&a.counts.Clients, addr)
	sum := a.sum("address", addr, 0)
	by := []byte(addr)
	if strings.IndexByte(addr, ':') >= 0 {
		for i, c := range by {
			if unhex(c) >= 0 {
				by[i] = hex[1+sum[i%len(sum)]%15]
			}
		}
		return string(by)
	}
	by = by[:0]
	for i, octet := range strings.Split(addr, ".") {
		if i > 0 {
			by = append(by, '.')
		}
		r := int(sum[i])
		switch len(octet) {
		case 1:
			r = 1 + r%9
		case 2:
			r = 10 + r%90
		default:
			r = 130 + r%90 // neither loopback nor multicast
		}
		by = fmt.Append(by, r)
	}
	return string(by)
}

// unescaped returns an address with one byte in the place of each escape.
func unescaped(text string) string {
	return escaped.ReplaceAllStringFunc(text, func(escape string) string {
		c := unhex(escape[len(escape)-2])<<4 | unhex(escape[len(escape)-1])
		if c >= utf8.RuneSelf {
			return "?"
		}
		return string(rune(c))
	})
}

// reescaped returns by, the pseudonym of an unescaped text, with the escapes that the text has,
// where it has them.
func reescaped(by, text string) string {
	var b strings.Builder
	for {
		at := escaped.FindStringIndex(text)
		if at == nil {
			b.WriteString(by)
			return b.String()
		}
		b.WriteString(by[:at[0]])
		b.WriteString(text[at[0]:at[1]])
		by, text = by[at[0]+1:], text[at[1]:]
	}
}
