//go:build !purego && (linux || darwin)

package replay

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// needAVX2 skips a test that needs AVX2 where the processor has none; where everything has to
// be tested, it fails the test.
func needAVX2(t testing.TB) {
	t.Helper()
	const lacking = "this processor has no AVX2"
	switch {
	case hasAVX2:
	case os.Getenv("SSEREEL_TEST_ALL") != "":
		t.Fatal(lacking)
	default:
		t.Skip(lacking)
	}
}

// portable calls f as on a processor without AVX2.
func portable(t testing.TB, f func()) {
	t.Helper()
	needAVX2(t)
	hasAVX2 = false
	defer func() { hasAVX2 = true }()
	f()
}

// maskAll returns what a masker makes of body, read in pieces of these sizes.
func maskAll(kind string, request bool, body []byte, sizes []byte) []byte {
	m := newMasker(http.Header{"Content-Type": {kind}}, request)
	var masked []byte
	for i := 0; len(body) > 0; i++ {
		n := len(body)
		if len(sizes) > 0 {
			n = min(n, int(sizes[i%len(sizes)])+1)
		}
		masked = append(masked, m.mask(body[:n])...)
		body = body[n:]
	}
	return masked
}

// secretive has what a masker looks for, and what is nearly that.
var secretive = append(strings.Fields(`
	":" : " "access_token":" "apiKey" "authorization": "auth" { } [ ] "token" "\\": \":\" \" \\\" \u0026 k7Qz2m9Xw4Lp8Rt5
	https:// https:\/\/ u:p@h/ @ ?token= &signature= = & ; &amp; %3A %22 %7B %3D %26 %25 key%3D a=b 12 , - ~ é `+"\x80 \xff"+`
	password passwd secret cookie "private_key":"-----BEGIN KEY----- pin": assertion= "Credentials":{ "ERROR":"e" "order":1 name="signature" xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`),
	`\u0022`, `\\u0022`, `\u003d`, `\u003D`, `k\u0065y`, `["`, `",`, "u0022", "%5C", "%0A", "%25", "%3D", "%2F%2F", "%40", "\"Authorization: ", ";token=",
	"\t", "\n", "\r", " ", "\"api_key\"\t:\n\"", `%22auth%22:{%22key%22:%22`)

func wantSameMasks(t *testing.T, body, sizes []byte) {
	t.Helper()
	for _, kind := range []string{"text/event-stream", "application/x-www-form-urlencoded"} {
		for _, request := range []bool{false, true} {
			got := maskAll(kind, request, body, sizes)
			portable(t, func() {
				if want := maskAll(kind, request, body, sizes); !bytes.Equal(got, want) {
					t.Fatalf("%s, request %v, reads of %v:\n%q becomes\n%q, want\n%q", kind, request, sizes, body, got, want)
				}
			})
		}
	}
}

// What is masked does not depend on the processor, wherever reads end.
func TestMaskAVX2(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	masked := 0
	for range 20000 {
		var body []byte
		for range r.IntN(30) {
			body = append(body, secretive[r.IntN(len(secretive))]...)
			if r.IntN(8) == 0 {
				body = append(body, "\n \t\"\x00"[r.IntN(5)])
			}
		}
		sizes := []byte{255, byte(r.Uint32()), byte(r.IntN(40)), byte(r.IntN(4))}[r.IntN(4):]
		wantSameMasks(t, body, sizes)
		if !bytes.Equal(maskAll("", false, body, sizes), body) {
			masked++
		}
	}
	if masked < 2000 {
		t.Errorf("only %d of the bodies have anything to mask", masked)
	}
}

func FuzzMaskAVX2(f *testing.F) {
	for i := range secretive {
		f.Add([]byte(strings.Join(secretive[i:], "")), []byte{byte(i), 90})
	}
	f.Add([]byte(`{"authorization":"a","auth":{"key":"b"},"access_token" : "k7Qz2m9Xw4Lp8Rt5"}`), []byte{})
	f.Fuzz(wantSameMasks)
}

// A colon that may be behind the name of a credential is found, whatever the bytes are
// around it, and at each place of a step.
func TestIndexNameAVX2(t *testing.T) {
	needAVX2(t)
	found := func(at int, around string) bool {
		b := bytes.Repeat([]byte{'x'}, 300)
		copy(b[at-3:], around)
		n := at + 2
		if j := indexNameAVX2(b, 3, at); j != at {
			t.Fatalf("%q at %d is found at %d, behind what is asked for", around, at, j)
		}
		return indexNameAVX2(b, 3, n) == at
	}
	for c := range 256 {
		for d := range 256 {
			name := string([]byte{byte(c), byte(d), '"', ':', '"'})
			if at := 100 + c%32; maySecretEnd(byte(c), byte(d)) && c != ':' && c != '=' && c != '%' && !found(at, name) {
				t.Errorf("%q is not found", name)
			}
		}
	}
	if found(100, `me":"`) || found(100, `ey":1`) || found(100, `xxx\n`) || found(100, `xx\xu`) {
		t.Error("what is no credential is found")
	}
	for at := 3; at < 100; at++ {
		for _, around := range []string{`ey":"`, `ON":"`, `rd": `, `t\":\`, `xx :"`, `xx : `, `tps:/`, `tps:\`, "xxx=x", "xxx%x", `xxx\u`, `et":[`, "\xff\\\":\"", "\x80\xff :\""} {
			if !found(at, around) {
				t.Fatalf("%q is not found at %d", around, at)
			}
		}
	}
}

// secretEnds are what isSecretEnd tells from others.
func TestSecretEnds(t *testing.T) {
	for _, end := range secretEnds {
		for _, name := range []string{end, "my" + end} {
			if !isSecretEnd([]byte(name)) {
				t.Errorf("isSecretEnd(%q) is false", name)
			}
		}
	}
}

// guarded returns size bytes, behind which there is no memory.
func guarded(t *testing.T, size int) []byte {
	t.Helper()
	page := syscall.Getpagesize()
	all := (size + page - 1) / page * page
	b, err := syscall.Mmap(-1, 0, all+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(b) })
	if err := syscall.Mprotect(b[all:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return b[all-size : all : all]
}

func TestScanReadsNoFurther(t *testing.T) {
	needAVX2(t)
	const size = 300
	b := guarded(t, size)
	for i := range b {
		b[i] = 'x'
	}
	for n := range size {
		if got := asciiPrefix(b[size-n:]); got != n {
			t.Errorf("asciiPrefix of %d bytes is %d", n, got)
		}
	}
	for i := 3; i < size-scanSlack; i++ {
		if got := indexNameAVX2(b, i, size-scanSlack); got != size-scanSlack {
			t.Errorf("indexNameAVX2 from %d is %d", i, got)
		}
	}
}

func TestASCIIPrefix(t *testing.T) {
	for n := range 140 {
		b := bytes.Repeat([]byte("x\ty~ "), 200)[:n]
		check := func() {
			t.Helper()
			if got, want := asciiPrefix(b), asciiPrefixGeneric(b); got != want {
				t.Fatalf("asciiPrefix(%q) = %d, want %d", b, got, want)
			}
		}
		check()
		for at := range n {
			was := b[at]
			for _, c := range []byte{0, 1, 8, '\t', '\n', '\r', 0x1f, ' ', '~', 0x7f, 0x80, 0x89, 0xa0, 0xff} {
				b[at] = c
				check()
			}
			b[at] = was
		}
	}
	special := slices.Repeat([]byte{'x'}, 40)
	for c := range 256 {
		special[35], special[36] = byte(c), 0x7f
		if got, want := asciiPrefix(special), asciiPrefixGeneric(special); got != want {
			t.Errorf("with %#x it is %d, want %d", c, got, want)
		}
	}
}
