package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
)

const maxRedirects = 10 // as of http.Client

// permitted returns the URL that the server named for the job, if it is safe to ask.
func (s *following) permitted(text string) (*url.URL, error) {
	u, err := s.req.URL.Parse(text)
	switch {
	case err != nil || text == "":
		return nil, fmt.Errorf("replay: the server named %q, which is no URL", redactText(text))
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("replay: the server named %q, which is not followed: it is neither http nor https", redactURL(u))
	case u.Scheme != "https" && s.req.URL.Scheme == "https":
		return nil, fmt.Errorf("replay: the server named %q, which is not followed: it is not secure, as the server is", redactURL(u))
	case s.isObscure(u.Hostname()):
		return nil, fmt.Errorf("replay: the server named %q, which is not followed: its host is written in a way that may disguise an IP address", redactURL(u))
	case private(u.Hostname()) && !private(s.req.URL.Hostname()):
		return nil, fmt.Errorf("replay: the server named %q, which is not followed: it is on a private network, and the server is not", redactURL(u))
	}
	if u.User == nil && sameOrigin(u, s.req.URL) {
		u.User = s.req.URL.User
	}
	return u, nil
}

// private returns whether a host is on this machine or near it, by its name or address: names
// are not looked up.
func private(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsUnspecified()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host != "" && !strings.Contains(host, ".")
}

// isObscure returns whether a host may be an IP address in disguise, and is not that of the
// first request. Some resolvers take 127.1 and 0x7f.1 for 127.0.0.1, and net/http takes digits
// of other scripts for those of ASCII.
func (s *following) isObscure(host string) bool {
	return !strings.EqualFold(host, s.req.URL.Hostname()) &&
		(strings.ContainsFunc(host, func(c rune) bool { return c > unicode.MaxASCII }) || endsInNumber(host))
}

// endsInNumber returns whether a host is no address, but its last label is a number, which no
// name has: https://url.spec.whatwg.org/#ends-in-a-number-checker.
func endsInNumber(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.TrimSuffix(host, ".")
	label := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, digits+"abcdef") == ""
	}
	return label != "" && strings.Trim(label, digits) == ""
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" || u.Scheme != "http" && u.Scheme != "https" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// sibling returns the URL of the job with that id, at the origin of the first request.
func (s *following) sibling(collection, id string) *url.URL {
	u := s.req.URL
	return &url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: collection + "/" + id}
}

// neutral are the headers that are sent to any origin.
var neutral = []string{"Accept", "Cache-Control", "Last-Event-Id", "User-Agent"}

func onlyNeutral(h http.Header) http.Header {
	out := make(http.Header)
	for _, name := range neutral {
		if values, ok := h[name]; ok {
			out[name] = values
		}
	}
	return out
}

func setDefault(h http.Header, name, value string) {
	if _, ok := h[name]; !ok {
		h.Set(name, value)
	}
}

// request returns a request of our own, with the caller's header.
func (s *following) request(ctx context.Context, u *url.URL, accept string) *http.Request {
	req := (&http.Request{Method: http.MethodGet, URL: u, Header: onlyNeutral(s.req.Header)}).WithContext(ctx)
	if sameOrigin(u, s.req.URL) {
		req.Host = s.req.Host
		maps.Copy(req.Header, s.req.Header.Clone()) // which may be nil
		req.Header.Del("Content-Type")
	}
	req.Header.Del("Last-Event-ID")
	setDefault(req.Header, "Accept", accept)
	setDefault(req.Header, "Cache-Control", "no-store")
	return req
}

// redirect decides whether, when and with what header a redirect is followed.
func (s *following) redirect(next *http.Request, via []*http.Request, check func(*http.Request, []*http.Request) error) error {
	if !sameOrigin(next.URL, s.req.URL) {
		next.Header = onlyNeutral(next.Header)
	}
	if s.isObscure(next.URL.Hostname()) {
		return fmt.Errorf("the redirect to %s is not followed: its host is written in a way that may disguise an IP address", next.URL.Host)
	}
	if private(next.URL.Hostname()) && !private(s.req.URL.Hostname()) {
		return fmt.Errorf("the redirect to %s is not followed: that is on a private network, and the server is not", next.URL.Host)
	}
	if check != nil {
		if err := check(next, via); err != nil {
			return err
		}
	} else if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	for _, before := range via {
		if s.client.Jar == nil && next.Method == before.Method && *next.URL == *before.URL {
			return errors.New("the redirect leads back to where it came from")
		}
	}
	if !s.wait(next.Context()) { // it may be a Status that is asked for, whatever its URL
		return context.Cause(next.Context())
	}
	return nil
}
