package replay

import (
	"encoding/base64"
	"strings"
)

// editMetadata returns an Upload-Metadata of tus, a list of names with values in base64, with
// each value as edit returns it. Values keep their kind of base64; where it cannot be told,
// they are padded.
func editMetadata(list string, edit func(name, value string) string) string {
	entries := strings.Split(list, ",")
	for i, entry := range entries {
		fields := strings.Fields(entry)
		if len(fields) != 2 {
			continue
		}
		name, text := fields[0], fields[1]
		value, encoding := decodeBase64(text)
		if encoding == nil {
			continue
		}
		if edited := edit(name, value); edited != value {
			at := strings.LastIndex(entry, text)
			entries[i] = entry[:at] + encoding.EncodeToString([]byte(edited)) + entry[at+len(text):]
		}
	}
	return strings.Join(entries, ",")
}

// decodeBase64 returns what text is the base64 of, and in which kind of it, nil if it is in
// none. Clients send all four.
func decodeBase64(text string) (value string, encoding *base64.Encoding) {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if value, err := encoding.DecodeString(text); err == nil {
			return string(value), encoding
		}
	}
	return "", nil
}
