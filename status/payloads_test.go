package status

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// payloads returns every document that there is to test with, by name: the composed
// ones of testdata, and the real ones where they are at hand. Each is there as it
// stands and compact.
func payloads(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := map[string][]byte{}
	for _, pattern := range []string{
		"../testdata/*.json", "../../shared/captures/*.json", "../../shared/docs/*.json",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			tb.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				tb.Fatal(err)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, data); err != nil {
				tb.Fatalf("%s: %v", file, err)
			}
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			all[name], all[name+"/compact"] = data, compact.Bytes()
		}
	}
	if len(all) < 20 {
		tb.Fatalf("only %d payloads found", len(all))
	}
	return all
}

func payload(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// generic decodes a document as encoding/json does when it is told nothing about it,
// with the digits of numbers kept.
func generic(tb testing.TB, data []byte) any {
	tb.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		tb.Fatalf("encoding/json: %v in %.200q", err, data)
	}
	return v
}

func wantSameJSON(tb testing.TB, want, got []byte) {
	tb.Helper()
	if diff := cmp.Diff(generic(tb, want), generic(tb, got)); diff != "" {
		tb.Errorf("the encoding differs (-input +output):\n%s", diff)
	}
}
