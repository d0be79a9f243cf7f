package replay

import (
	"bytes"
	"strings"
)

// rewriter replaces the origins of URLs in text that comes in pieces, JSON above
// all: http, https, ws or wss, "://" or `:\/\/`, a host and maybe a port. Whatever
// way the text is cut, the same bytes come out.
//
// A URL may begin anywhere: what stands before it may be the last letter of an escape,
// as in `\nhttps://`. The authority has to match to its end, so that a longer name of
// another host is left alone, and so is a URL with a user.
//
// A rewriter is for one text at a time and one goroutine.
type rewriter struct {
	// base returns what to put in the place of an origin, such as
	// http://127.0.0.1:8080, empty where the origin is to stay. The scheme is http or
	// https, also for ws and wss; the authority is in small letters, without the
	// scheme's own port, and valid until base returns.
	base func(scheme string, authority []byte) string

	found   bool   // there was something to rewrite
	longest int    // the longest authority that base may know, in bytes
	held    []byte // the end of the text so far, which may be the beginning of an origin
	name    []byte // the authority that base is asked about
}

// newRewriter returns a rewriter of these origins, each scheme://host[:port]. The
// same host with another of the four schemes is the same origin.
func newRewriter(origins []string, base string) *rewriter {
	r := new(rewriter)
	known := make(map[string]bool, len(origins))
	for _, origin := range origins {
		scheme, authority, _ := strings.Cut(strings.ToLower(origin), "://")
		authority = strings.TrimSuffix(authority, defaultPort(scheme))
		known[authority] = true
		r.longest = max(r.longest, len(authority)+len(":443"))
	}
	r.base = func(_ string, authority []byte) string {
		if known[string(authority)] {
			return base
		}
		return ""
	}
	return r
}

// append appends piece, the next of the text, to dst, rewritten. It holds back what may be
// the beginning of an origin, and does not keep piece.
func (r *rewriter) append(dst, piece []byte) []byte {
	if len(r.held) > 0 {
		r.held = append(r.held, piece...)
		piece = r.held
	}
	dst, rest := r.rewrite(dst, piece, false)
	r.held = append(r.held[:0], rest...)
	return dst
}

// flush appends what is held back, since the text ends here. Another text may follow.
func (r *rewriter) flush(dst []byte) []byte {
	dst, _ = r.rewrite(dst, r.held, true)
	r.held = r.held[:0]
	return dst
}

// rewriteString returns s rewritten, independently of the text that is under way.
func (r *rewriter) rewriteString(s string) string {
	if !strings.Contains(s, "/") {
		return s
	}
	b, _ := r.rewrite(nil, []byte(s), true)
	return string(b)
}

// rewrite appends b to dst, rewritten, up to what may be the beginning of an origin,
// which it returns. Where the text ends with b, rest is empty.
func (r *rewriter) rewrite(dst, b []byte, end bool) (_, rest []byte) {
	for i := 0; ; {
		// There are fewer slashes than colons in JSON.
		n := bytes.IndexByte(b[i:], '/')
		if n < 0 {
			break
		}
		slash := i + n
		i = slash + 1
		colon, host, escaped := slash-1, slash+2, false
		switch {
		case bytes.HasPrefix(b[slash:], []byte("//")):
		case bytes.HasPrefix(b[slash:], []byte(`/\/`)) && b[max(slash-1, 0)] == '\\':
			colon, host, escaped = slash-2, slash+3, true
		default:
			continue
		}
		if colon < 0 || b[colon] != ':' {
			continue
		}
		scheme := schemeAtEnd(b[:colon])
		if scheme == "" {
			continue
		}
		i = host
		after := host
		for after < len(b) && inAuthority[b[after]] && after-host <= r.longest {
			after++
		}
		if after-host > r.longest {
			continue
		}
		begin := colon - len(scheme)
		if after == len(b) && !end {
			return append(dst, b[:begin]...), b[begin:]
		}
		web := scheme
		switch scheme {
		case "ws":
			web = "http"
		case "wss":
			web = "https"
		}
		r.name = appendLower(r.name[:0], b[host:after])
		base := r.base(web, bytes.TrimSuffix(r.name, []byte(defaultPort(web))))
		if base == "" {
			continue
		}
		r.found = true
		dst = append(dst, b[:begin]...)
		if web != scheme {
			dst = append(dst, "ws"...)
			base = strings.TrimPrefix(base, "http")
		}
		for first := true; ; first = false {
			part, more, found := strings.Cut(base, "/")
			if !first && escaped {
				dst = append(dst, '\\')
			}
			if !first {
				dst = append(dst, '/')
			}
			dst = append(dst, part...)
			if !found {
				break
			}
			base = more
		}
		b, i = b[after:], 0
	}
	keep := 0
	if !end {
		keep = startAtEnd(b)
	}
	return append(dst, b[:len(b)-keep]...), b[len(b)-keep:]
}

var schemes = [...]string{"https", "http", "wss", "ws"}

// schemeAtEnd returns the scheme that b ends with, in small letters, empty if there is
// none of the four.
func schemeAtEnd(b []byte) string {
	for _, scheme := range schemes {
		if len(b) >= len(scheme) && hasPrefixFold(scheme, b[len(b)-len(scheme):]) {
			return scheme
		}
	}
	return ""
}

// startAtEnd returns how many bytes at the end of b may be the beginning of a
// scheme and the slashes after it, but not all of that.
func startAtEnd(b []byte) int {
	if len(b) == 0 || !inStart[b[len(b)-1]] {
		return 0
	}
	for n := min(len(b), len(`https:\/\`)); n > 0; n-- {
		for _, scheme := range schemes {
			tail := b[len(b)-n:]
			k := min(n, len(scheme))
			if !hasPrefixFold(scheme, tail[:k]) {
				continue
			}
			rest := string(tail[k:])
			if strings.HasPrefix("://", rest) || strings.HasPrefix(`:\/\/`, rest) {
				return n
			}
		}
	}
	return 0
}

// hasPrefixFold returns whether s, which is in small letters, begins with b, in
// capitals or not.
func hasPrefixFold(s string, b []byte) bool {
	for i, c := range b {
		if i == len(s) || c|0x20 != s[i] {
			return false
		}
	}
	return true
}

func appendLower(dst, b []byte) []byte {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// defaultPort returns the port, with its colon, that a URL of that scheme may leave out.
func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return ":80"
	case "https", "wss":
		return ":443"
	}
	return ""
}

var (
	// inAuthority has the bytes that may be in a URL's authority: RFC 3986,
	// section 3.2, without the punctuation that is more likely to end a URL in a text, but
	// with letters beyond ASCII, which make it another host's.
	inAuthority = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%:@[]", 0x80)

	inStart = byteSet(`htpswHTPSW:/\`, 256)
)

// byteSet has the bytes of s, and those from from on.
func byteSet(s string, from int) (set [256]bool) {
	for i := range set {
		set[i] = i >= from || strings.IndexByte(s, byte(i)) >= 0
	}
	return set
}
