package replay

import "strings"

// parameters finds the parameters of a text that are to be redacted. It takes time that is
// linear in the text.
type parameters struct {
	text    string
	escaped int
	quotes  quotes

	// Up to here no value of a parameter hides anything, where it is one of a URL, and
	// where it is another. A value may hold others, all of which end where it does.
	clean, cleanURL int
}

// secret returns where in text the value is, behind the sign of equality at text[equals],
// that is to be redacted; to is -1 for none. What is in front of text[done] is dealt with.
func (s *parameters) secret(equals, done int) (from, to int) {
	name := strings.TrimRight(s.text[done:equals], " \t") // which RFC 9110, section 11.2, allows
	spaced := done+len(name) < equals
	start := done + len(name)
	for start > done && strings.IndexByte("\"'<>?#&;,/=", s.text[start-1]) < 0 && s.text[start-1] > ' ' {
		start--
	}
	name = name[start-done:]
	isURL := start > 0 && strings.IndexByte("?&#", s.text[start-1]) >= 0
	from = equals + 1
	for !isURL && from < len(s.text) && (s.text[from] == ' ' || s.text[from] == '\t') {
		from, spaced = from+1, true
	}
	s.quotes.read(s.text, from)
	// An error may say "code = Unavailable".
	if isSecretParameter(name) && !(spaced && strings.EqualFold(name, "code")) {
		return from, s.end(from, isURL)
	}
	return s.hidden(from, isURL)
}

// hidden is secret for a value whose name tells nothing.
func (s *parameters) hidden(from int, isURL bool) (int, int) {
	isText := false
	for from < len(s.text) && strings.IndexByte("\\\"'", s.text[from]) >= 0 {
		from, isText = from+1, !isURL
	}
	if from < s.cleanURL || from < s.clean && !isURL {
		return 0, -1
	}
	s.quotes.read(s.text, from)
	to := s.plainEnd(from, isURL)
	if value := s.text[from:to]; hides(value, s.escaped) && !((isText || s.escaped > 0) && isPlain(value)) {
		if strings.ContainsAny(value, `?"`) {
			to = s.plainEnd(to, true) // a comma in a URL or in JSON does not end it
		}
		return from, to
	}
	if isURL {
		s.cleanURL = to
	} else {
		s.clean = to
	}
	return 0, -1
}

// end returns where the value ends that begins at text[from]. It may be in quotes, which
// may be escaped, as in a text that an error quotes.
func (s *parameters) end(from int, isURL bool) int {
	i := from
	for i < len(s.text) && s.text[i] == '\\' {
		i++
	}
	if i == len(s.text) || s.text[i] != '"' && s.text[i] != '\'' {
		return s.plainEnd(from, isURL)
	}
	quote, slashes := s.text[i], i-from
	// Where there is no value, as in "https://h/?token=": EOF, it closes what is around.
	if rest := s.text[i+1:]; slashes == 0 && s.quotes.open(quote) && (rest == "" || rest[0] <= ' ' || strings.IndexByte(":;,.)]}>", rest[0]) >= 0) {
		return from
	}
	run := 0 // of backslashes
	for i++; i < len(s.text); i++ {
		switch {
		case s.text[i] == '\\':
			run++
			continue
		case s.text[i] == quote && (run < slashes || run%(2*slashes+2) == slashes):
			return s.plainEnd(i+1, isURL) // which is at once, but for a quote in quotes
		}
		run = 0
	}
	return i
}

// plainEnd returns where a value ends of which text[i] is a part. In a URL it may have
// commas and semicolons. A quote ends it if it closes one that was opened in front.
func (s *parameters) plainEnd(i int, isURL bool) int {
	for ; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c <= ' ', c == '&', c == '#', s.quotes.open(c), !isURL && (c == ';' || c == ','):
			return i
		}
	}
	return i
}

// quotes knows which quotes are open in a text.
type quotes struct {
	at                    int // how far it has been read
	double, single, angle bool
}

func (q *quotes) read(text string, to int) {
	for ; q.at < to; q.at++ {
		switch text[q.at] {
		case '\\':
			q.at++ // and what it escapes
		case '"':
			q.double = !q.double
		case '\'':
			q.single = !q.single
		case '<':
			q.angle = true
		case '>':
			q.angle = false
		}
	}
}

// open returns whether c would close what is open.
func (q *quotes) open(c byte) bool {
	return c == '"' && q.double || c == '\'' && q.single || c == '>' && q.angle
}
