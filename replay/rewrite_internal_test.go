package replay

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

var rewriteOrigins = []string{"https://api2-jane.example.com", "http://Api2.example.com", "https://127.0.0.1:8443", "http://[::1]:80"}

const rewriteBase = "http://127.0.0.1:8080/x"

func TestRewrite(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"JSON", `{"a":"https://api2-jane.example.com/assemblies/1"}`, `{"a":"http://127.0.0.1:8080/x/assemblies/1"}`},
		{"escaped JSON", `{"a":"https:\/\/api2-jane.example.com\/assemblies\/1"}`, `{"a":"http:\/\/127.0.0.1:8080\/x\/assemblies\/1"}`},
		{"JSON in a string of JSON", `"{\"a\":\"https://api2-jane.example.com\"}"`, `"{\"a\":\"http://127.0.0.1:8080/x\"}"`},
		{"behind an escape", `"\nhttps://api2.example.com\u003e"`, `"\nhttp://127.0.0.1:8080/x\u003e"`},
		{"several", "https://api2.example.com https://api2-jane.example.com,http://api2.example.com", "http://127.0.0.1:8080/x http://127.0.0.1:8080/x,http://127.0.0.1:8080/x"},
		{"the other scheme", "https://api2.example.com/ http://api2-jane.example.com/", "http://127.0.0.1:8080/x/ http://127.0.0.1:8080/x/"},
		{"WebSocket", `wss://api2.example.com/s ws:\/\/api2.example.com\/s`, `ws://127.0.0.1:8080/x/s ws:\/\/127.0.0.1:8080\/x\/s`},
		{"capitals", "HTTPS://API2-Jane.Example.COM/", "http://127.0.0.1:8080/x/"},
		{"the scheme's own port", "https://api2.example.com:443/ http://api2.example.com:80", "http://127.0.0.1:8080/x/ http://127.0.0.1:8080/x"},
		{"another port", "https://api2.example.com:80/ https://api2.example.com:8443 https://127.0.0.1/", ""},
		{"the origin's port", "https://127.0.0.1:8443/", "http://127.0.0.1:8080/x/"},
		{"IPv6", "http://[::1]/", "http://127.0.0.1:8080/x/"},
		{"a longer host", "https://api2.example.com.evil.example/ https://api2.example.com-x/ https://api2.example.comé/ https://api2.example.com./", ""},
		{"a host that ends so", "https://xapi2.example.com/ https://x.api2.example.com/", ""},
		{"a user", "https://u@api2.example.com/ https://u:p@api2.example.com/ https://api2.example.com@evil.example/ https://api2.example.com:443@evil.example/", ""},
		{"percent", "https://api2.example.com%2f", ""},
		{"no URL", `//api2.example.com/ https:/api2.example.com https:/\/api2.example.com https:\//api2.example.com ftp://api2.example.com tps://api2.example.com /`, ""},
		{"no host", "https:///api2.example.com https://", ""},
		{"an origin in front of an origin", "https://hhttps://api2.example.com/", "https://hhttp://127.0.0.1:8080/x/"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == "" {
				tt.want = tt.in
			}
			r := newRewriter(rewriteOrigins, rewriteBase)
			if got := r.rewriteString(tt.in); got != tt.want {
				t.Errorf("rewriteString: %s\nwant %s", got, tt.want)
			}
			if got := referenceRewrite(tt.in); got != tt.want {
				t.Errorf("the reference has %s\nwant %s", got, tt.want)
			}
			for i := range len(tt.in) + 1 {
				for j := i; j <= len(tt.in); j++ {
					if got := inPieces(r, tt.in[:i], tt.in[i:j], tt.in[j:]); got != tt.want {
						t.Fatalf("%q %q %q: %s\nwant %s", tt.in[:i], tt.in[i:j], tt.in[j:], got, tt.want)
					}
				}
			}
		})
	}
}

// What cannot become an origin any more is not held back: an event has to be on
// its way before the next one comes.
func TestRewriteHoldsLittleBack(t *testing.T) {
	for _, tt := range []struct{ in, held string }{
		{"data: x\n\n", ""},
		{"data: https", "https"},
		{"data: HTTPS:/", "HTTPS:/"},
		{`data: https:\/\`, `https:\/\`},
		{"data: wws", "ws"},
		{"data: https:/x", ""},
		{"data: /", ""},
		{"data: https://", "https://"},
		{"data: https://api2.example.com", "https://api2.example.com"},
		{"data: https://api2.example.com/", ""},
		{"data: https://api2.example.com\n\n", ""},
		{"data: https://" + strings.Repeat("a", 40), ""},
		{"data: https://u@" + strings.Repeat("a", 40), ""},
	} {
		r := newRewriter(rewriteOrigins, rewriteBase)
		if r.append(nil, []byte(tt.in)); string(r.held) != tt.held {
			t.Errorf("%q: %q is held back, want %q", tt.in, r.held, tt.held)
		}
	}
}

// What a read keeps for the next is bounded, as the docs of NewProxy say.
func TestRewriteHeldIsBounded(t *testing.T) {
	r := &rewriter{base: func(string, []byte) string { return "" }, longest: maxAuthority}
	most := 0
	for _, c := range []byte(`https:\/\/` + strings.Repeat("a", 1000)) {
		r.append(nil, []byte{c})
		most = max(most, len(r.held))
	}
	if most != 269 {
		t.Errorf("%d bytes are held back, want 269", most)
	}
}

func inPieces(r *rewriter, pieces ...string) string {
	var out []byte
	for _, piece := range pieces {
		out = r.append(out, []byte(piece))
	}
	return string(r.flush(out))
}

var rewriteReference = regexp.MustCompile(`(?is)(https?|wss?)(://|:\\/\\/)(api2-jane\.example\.com|api2\.example\.com|127\.0\.0\.1:8443|\[::1\])(:80|:443)?($|[^-a-z0-9._~%:@\[\]\x{80}-\x{10ffff}])`)

func referenceRewrite(in string) string {
	var out strings.Builder
	for {
		m := rewriteReference.FindStringSubmatchIndex(in)
		if m == nil {
			return out.String() + in
		}
		scheme := strings.ToLower(in[m[2]:m[3]])
		port := ""
		if m[8] >= 0 {
			port = in[m[8]:m[9]]
		}
		base := rewriteBase
		if scheme[0] == 'w' {
			base = "ws" + base[len("http"):]
		}
		if in[m[4]:m[5]] != "://" {
			base = strings.ReplaceAll(base, "/", `\/`)
		}
		out.WriteString(in[:m[0]])
		secure := scheme == "https" || scheme == "wss"
		end := m[10]
		switch {
		case port == "", port == ":443" && secure, port == ":80" && !secure:
			out.WriteString(base)
		default:
			out.WriteString(in[m[0]:end])
		}
		in = in[end:]
	}
}

// checkRewrite compares any text, cut in some way, with the reference.
func checkRewrite(t *testing.T, in string, rng *rand.Rand) {
	t.Helper()
	in = strings.ToValidUTF8(in, "\ufffd") // the reference takes ill-formed bytes for U+FFFD
	var pieces []string
	for rest := in; rest != ""; {
		n := 1 + rng.IntN(min(len(rest), 1+rng.IntN(64)))
		pieces, rest = append(pieces, rest[:n]), rest[n:]
	}
	if got, want := inPieces(newRewriter(rewriteOrigins, rewriteBase), pieces...), referenceRewrite(in); got != want {
		t.Fatalf("%q:\n got %q\nwant %q", pieces, got, want)
	}
}

func TestRewriteLikeTheReference(t *testing.T) {
	parts := []string{
		"https", "http", "wss", "ws", "S", ":", "/", "//", "://", `:\/\/`, `\`, "api2", "api2-jane", "API2", ".example.com",
		"api2.example.com", "api2-jane.example.com", "127.0.0.1", "[::1]", ":80", ":443", ":8443", ".", "-", "@", "%",
		`"`, " ", "\n", "x", "é", "\xff", "https://api2.example.com", "ws://api2-jane.example.com:80",
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		var in strings.Builder
		for range rng.IntN(12) {
			in.WriteString(parts[rng.IntN(len(parts))])
		}
		checkRewrite(t, in.String(), rng)
	}
}

// FuzzRewrite is not in fuzz/ because nothing exported is as bare.
func FuzzRewrite(f *testing.F) {
	f.Add("data: {\"u\":\"https:\\/\\/api2-jane.example.com\\/ws\",\"v\":\"http://api2.example.com:80\"}\n\n", uint64(1))
	f.Add("wss://[::1]:443 https://127.0.0.1:8443@x https://api2.example.com.", uint64(2))
	f.Fuzz(func(t *testing.T, in string, seed uint64) {
		checkRewrite(t, in, rand.New(rand.NewPCG(seed, 0)))
	})
}

func BenchmarkRewrite(b *testing.B) {
	event := `data: {"id":"e48cdd96971c4485976bce09cbc32a78","name":"a.mp3","size":932929,"mime":"audio/mpeg","meta":{"duration":58.044,"audio_bitrate":128000,"genre":"Other","text":"lorem ipsum dolor sit amet"},"url":"https://files.example.net/ff/e48cdd96.mp3"}` + "\n\n"
	for _, bm := range []struct{ name, text string }{
		{"other origins", strings.Repeat(event, 100)},
		{"no URL", strings.Repeat(strings.Replace(event, "https://", "", 1), 100)},
		{"no slash", strings.Repeat(strings.ReplaceAll(event, "/", ""), 100)},
		{"rewritten", strings.Repeat(strings.Replace(event, "files.example.net", "api2.example.com", 1), 100)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			r := newRewriter(rewriteOrigins, rewriteBase)
			text := []byte(bm.text)
			var dst []byte
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				dst = r.append(dst[:0], text)
			}
			if bm.name != "rewritten" && !bytes.Equal(dst, text) {
				b.Fatal("the text has changed")
			}
		})
	}
}
