package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain, ünïcode and 日本":      "plain, ünïcode and 日本",
		"\x1b[31m red \u009b0m \x7f": "\ufffd[31m red \ufffd0m \ufffd",
		"a\nb\tc":                    "a\ufffdb\ufffdc",
		"abc\u202egpj.exe\u2066":     "abc\ufffdgpj.exe\ufffd",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if got := printableLines("a\n\x1bb\n"); got != "a\n\ufffdb\n" {
		t.Errorf("the lines become %q", got)
	}
}

// What a terminal might take for a command is the same JSON without it.
func TestJSONEscaper(t *testing.T) {
	const text = "\x1b[31m \u009b0m \x7f \u202e ünïcode"
	var b strings.Builder
	enc := json.NewEncoder(jsonEscaper{&b})
	if err := enc.Encode(text); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil || got != text {
		t.Errorf("%q, %v", got, err)
	}
	if shown := strings.TrimSuffix(b.String(), "\n"); printable(shown) != shown {
		t.Errorf("it has commands: %q", shown)
	}
}
