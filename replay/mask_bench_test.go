package replay

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// BenchmarkMask takes a read through the masker that has nothing to mask.
func BenchmarkMask(b *testing.B) {
	assembly, err := os.ReadFile("../testdata/assembly-completed.json")
	if err != nil {
		b.Fatal(err)
	}
	for name, read := range map[string]string{
		"rows":     strings.Repeat(`{"row":17,"name":"result-17.jpeg","size":1281589,"md5hash":"6a1b43adf3e8c4b6b62f1ea3b38eee2d"},`, 90),
		"assembly": strings.Repeat(string(assembly), 3)[:8000],
		"token":    `data: {"id":"c-1","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,"finish_reason":null}]}` + "\n\n",
	} {
		b.Run(name, func(b *testing.B) {
			m, p := newMasker(http.Header{}, false), []byte(read)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				m.mask(p)
			}
		})
	}
}
