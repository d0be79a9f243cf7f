package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/ssereel/ssereel/replay"
)

// refusal returns what the server says in the last response of a reel, in brackets behind a
// space, or nothing. Credentials are masked there already.
func refusal(reel []byte) string {
	rec, _ := replay.Load(bytes.NewReader(reel), int64(len(reel)))
	if rec == nil || len(rec.Exchanges()) == 0 {
		return ""
	}
	x := rec.Exchanges()[len(rec.Exchanges())-1]
	body, err := decoded(x, x.Body())
	if err != nil {
		return ""
	}
	text, _ := io.ReadAll(io.LimitReader(body, 64<<10)) // of what is cut off, what there is
	if said := saidIn(text); said != "" {
		return fmt.Sprintf(" (%q)", replay.RedactText(said))
	}
	return ""
}

// saidIn returns what a body says to a person: the message of JSON, or the first line of a
// text. A page has no such line.
func saidIn(body []byte) string {
	const most = 100
	text := strings.TrimSpace(string(body))
	switch {
	case strings.HasPrefix(text, "{"):
		text = messageIn(text)
	case strings.HasPrefix(text, "<"), strings.HasPrefix(text, "["):
		return ""
	}
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if !utf8.ValidString(text) {
		return ""
	}
	runes := []rune(printable(strings.TrimSpace(text)))
	if len(runes) > most {
		runes = append(runes[:most], '…')
	}
	return string(runes)
}

func messageIn(text string) string {
	var root struct {
		Error   any
		Message any
	}
	if json.Unmarshal([]byte(text), &root) != nil {
		return ""
	}
	candidates := []any{root.Message, root.Error}
	if inner, ok := root.Error.(map[string]any); ok {
		candidates = []any{inner["message"], root.Message}
	}
	for _, candidate := range candidates {
		if message, ok := candidate.(string); ok && message != "" {
			return message
		}
	}
	return ""
}
