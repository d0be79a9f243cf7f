package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A pattern tells places that do not matter. A place matches if it has all parts of the
// pattern, and a path that begins as the pattern's does.
type pattern place

// anyName stands for any one name in the path of a pattern.
const anyName = "*"

func (p pattern) matches(at place) bool {
	for _, part := range p.parts {
		if !slices.ContainsFunc(at.parts, func(is string) bool {
			return is == part || part == eventPrefix+anyName && (strings.HasPrefix(is, eventPrefix) || strings.HasPrefix(is, messagePrefix))
		}) {
			return false
		}
	}
	if len(p.path) > len(at.path) {
		return false
	}
	for i, name := range p.path {
		if at.path[i] != name && (name != anyName || at.path[i] == elementsName) {
			return false
		}
	}
	return true
}

// parsePattern reads a pattern as a difference prints its place.
func parsePattern(text string) (p pattern, err error) {
	if text == "" {
		return p, errors.New("the pattern is empty")
	}
	parts, err := splitPlace(text)
	if err != nil {
		return p, err
	}
	for i, part := range parts {
		isPart, err := checkPart(part)
		switch {
		case err != nil:
			return p, err
		case isPart:
			p.parts = append(p.parts, part)
		case i < len(parts)-1:
			return p, fmt.Errorf("nothing can come after the path %s", part)
		default:
			if p.path, err = parsePath(part); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// splitPlace splits a place at the colons that have a space behind them and are not in
// quotes.
func splitPlace(text string) (parts []string, err error) {
	from := 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted, err := strconv.QuotedPrefix(text[i:])
			if err != nil {
				return nil, fmt.Errorf("the quotes at %s have no end", text[i:])
			}
			i += len(quoted) - 1
		case strings.HasPrefix(text[i:], ": "):
			parts = append(parts, text[from:i])
			i++
			from = i + 1
		}
	}
	return append(parts, text[from:]), nil
}

// checkPart returns whether a part of a pattern is anything but a path.
func checkPart(part string) (bool, error) {
	first, rest, ok := strings.Cut(part, " ")
	if !ok || strings.ContainsAny(first, `".[`) {
		return false, nil
	}
	switch first + " " {
	case statusPrefix:
		if code, err := strconv.Atoi(rest); err != nil || code < 100 || code > 999 {
			return true, fmt.Errorf("a status has three digits, as in 'status 429', not %q", rest)
		}
	case endPrefix:
		if rest != "eof" && rest != "reset" && rest != "timeout" {
			return true, fmt.Errorf("an end is eof, reset or timeout, not %q", rest)
		}
	case eventPrefix, messagePrefix:
		if rest == "" {
			return true, fmt.Errorf("%q names none", part)
		}
	default:
		if name, ok := strings.CutPrefix(part, mediaTypePrefix); ok && name != "" {
			return true, nil
		}
		if !strings.HasPrefix(rest, "/") {
			return true, fmt.Errorf("%q is no part of a place: it takes a path such as results.*.meta, 'event TYPE', 'message TEXT', 'status CODE', 'media type TYPE', 'end KIND', or an operation such as 'GET /assemblies/*'", part)
		}
	}
	return true, nil
}

// parsePath reads a path as pathText writes it.
func parsePath(text string) (path []string, err error) {
	for rest := text; rest != "" || len(path) == 0; {
		if after, ok := strings.CutPrefix(rest, elementsName); ok {
			path, rest = append(path, elementsName), after
			continue
		}
		if strings.HasPrefix(rest, "[") {
			return nil, fmt.Errorf("the elements of an array are [], all together, and not as in %s", text)
		}
		if len(path) > 0 {
			after, ok := strings.CutPrefix(rest, ".")
			if !ok {
				return nil, fmt.Errorf("a name has a point in front, and not as in %s", text)
			}
			rest = after
		}
		var name string
		if name, rest, err = cutName(rest); err != nil {
			return nil, err
		}
		if name == "" {
			return nil, fmt.Errorf("a name is missing in %s", text)
		}
		path = append(path, name)
	}
	return path, nil
}

// cutName returns the name that text begins with, as places have it, and what follows.
func cutName(text string) (name, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", "", fmt.Errorf("the quotes at %s have no end", text)
		}
		plain, err := strconv.Unquote(quoted)
		if !isClipped(plain) {
			plain = clip(plain) // which of what a line prints was done before
		}
		return quoteName(plain), text[len(quoted):], err
	}
	n := strings.IndexAny(text, `.["`)
	if n < 0 {
		n = len(text)
	}
	name, rest = text[:n], text[n:]
	switch {
	case name == "", name == anyName:
	case isID(name):
		return "", "", fmt.Errorf("the name %s is an ID, which is * in a path", name)
	case strings.Contains(name, anyName):
		return "", "", fmt.Errorf("* stands for a whole name, not for a part of one as in %s", name)
	case !isPlain(name):
		return "", "", fmt.Errorf("the name %s needs quotes: %s", name, strconv.Quote(name))
	case len(name) > maxName:
		name = placeName(name)
	}
	return name, rest, nil
}
