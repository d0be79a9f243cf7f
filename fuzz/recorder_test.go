package fuzz_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// pieces is a body that comes in reads of these sizes, over and over.
type pieces struct {
	rest  []byte
	sizes []byte
	next  int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	size := len(p.rest)
	if len(p.sizes) > 0 {
		size = int(p.sizes[p.next%len(p.sizes)])%100 + 1
		p.next++
	}
	n := copy(b[:min(len(b), size)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pieces) Close() error { return nil }

type answering func(*http.Request) (*http.Response, error)

func (f answering) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// recorded records an exchange with body on both sides, and returns the reel and the
// bodies in it.
func recorded(t *testing.T, contentType string, body, sizes []byte) (reel, request, response []byte) {
	t.Helper()
	var b bytes.Buffer
	header := http.Header{"Content-Type": {contentType}}
	rec, err := replay.NewRecorder(&b, answering(func(req *http.Request) (*http.Response, error) {
		if sent, err := io.ReadAll(req.Body); !bytes.Equal(sent, body) || err != nil {
			t.Fatalf("sent %q, %v", sent, err)
		}
		return &http.Response{StatusCode: 200, Header: header, Body: &pieces{rest: body, sizes: sizes}, ContentLength: -1}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("POST", "http://h/", &pieces{rest: body, sizes: sizes})
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	res, err := rec.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(res.Body); !bytes.Equal(got, body) || err != nil {
		t.Fatalf("read %q, %v", got, err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	loaded, err := replay.Load(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	x := loaded.Exchanges()[0]
	for read := range x.RequestReads() {
		request = append(request, read.Data...)
	}
	response, _ = io.ReadAll(x.Body())
	return b.Bytes(), request, response
}

var fuzzTypes = []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "text/event-stream"}

// FuzzRecorderBody looks at what a Recorder makes of bodies: the size stays, what changes
// becomes what masks are made of, what is masked stays so when it is recorded again, and a
// secret planted behind "access_token":" is not recorded, wherever the reads end.
func FuzzRecorderBody(f *testing.F) {
	for _, body := range []string{
		`{"params":"{\"auth\":{\"key\":\"abcdef\",\"expires\":\"soon\"}}","signature":"sha384:abc"}`,
		"params=%7B%22auth%22%3A%7B%22key%22%3A%22abc%5C%22d%22%7D%7D&signature=abc&redirect=https%3A%2F%2Fh%3Ftoken%3Dabc",
		"params=%7B%22auth%22%3A%7B%22key%22%3A%22abc%5C%2htd%22%7D%7D",
		"--a\r\nContent-Disposition: form-data; name=\"signature\"\r\n\r\nabc\r\n--a--\r\n",
		`{"url":"https://u:p@h/a?X-Amz-Signature=abc\u0026b=c","password" : "\u0041\"\\","token":"abcdefghijklmnopq1"}`,
		"data: {\"token\":\"hello\"}\n\n",
		`{"token":"a1b2\/c3d4e5f6a7b8","token":"\u4f60\u597d\u4e16","token":"a1b2c3d4e5"}`,
		"https://ghp_q1w2e3r4t5y6u7i8o9p0:4711081512@h http://my_host_of_2026_is_long:8080, https://jane:47,11@h",
	} {
		for i := range fuzzTypes {
			f.Add([]byte(body), []byte{1, 7, 30}, uint8(i))
		}
	}
	const secret = "k7Qz2m9Xw4Lp8Rt5"
	f.Fuzz(func(t *testing.T, body, sizes []byte, kind uint8) {
		if bytes.Contains(body, []byte(secret[:4])) || len(body) > 1<<16 {
			return
		}
		contentType := fuzzTypes[int(kind)%len(fuzzTypes)]
		_, request, response := recorded(t, contentType, body, sizes)
		for i, got := range [][]byte{request, response} {
			if len(got) != len(body) {
				t.Fatalf("%d: %d bytes are recorded of %q", i, len(got), body)
			}
			for k := range got {
				if got[k] != body[k] && !strings.ContainsRune("*0225AF", rune(got[k])) {
					t.Fatalf("%d: %q becomes %q in %q", i, body[k], got[k], got)
				}
			}
		}
		_, whole, _ := recorded(t, contentType, body, nil)
		if _, again, _ := recorded(t, contentType, whole, nil); !bytes.Equal(again, whole) {
			t.Fatalf("%q is masked once more: %q", whole, again)
		}
		// A line of its own ends whatever value body leaves open.
		planted := append(bytes.Clone(body), "\r\n--\n{\"access_token\":\""+secret+secret+"\"}"...)
		if reel, request, response := recorded(t, contentType, planted, sizes); bytes.Contains(reel, []byte(secret)) {
			t.Fatalf("recorded %q and %q", request, response)
		}
	})
}

// FuzzRecorderHeader plants a secret behind a text with none in a header, in each way in which a
// parameter may be written: it is not recorded, whatever quotes the text leaves open.
func FuzzRecorderHeader(f *testing.F) {
	for _, text := range []string{
		`UsernameToken Username="bob", Nonce='d36e'`, `<https://h/?a=b,c;d>; rel="next`, `it's "a\\"`, `\`, `a="`, `a='`, `a=%3D"b`,
		`to=https%3A%2F%2Fh%2F%3Fa%3Db&c=%2525`, `a = b ; c=<"'>`, `token="a"`, `x="\"token=\"`,
		`{"token":"`, `{"a":"b","c":{"d":"e=f"}}`, `{"a":"\"token\":\"`, `"token":\`, `"token" : `, `%7B%22a%22%3A%22b%22%7D`, `%22token%22:"`,
	} {
		f.Add(text)
	}
	const secret = "k7Qz2m9Xw4Lp8Rt5"
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.Map(func(c rune) rune {
			if c < ' ' || c == 0x7f {
				return ' '
			}
			return c
		}, strings.TrimSpace(text))
		if strings.Contains(text, secret[:4]) || len(text) > 1<<16 {
			return
		}
		record := func(value string) string {
			var b bytes.Buffer
			rec, err := replay.NewRecorder(&b, answering(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Header: http.Header{"X-Next": {value}}, Body: http.NoBody}, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequest("GET", "http://h/", nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := rec.RoundTrip(req); err != nil {
				t.Fatal(err)
			}
			rec.Close()
			loaded, err := replay.Load(bytes.NewReader(b.Bytes()), int64(b.Len()))
			if err != nil {
				t.Fatal(err)
			}
			return loaded.Exchanges()[0].Header.Get("X-Next")
		}
		if record(text) != text {
			return // a credential of its own may take in more
		}
		for _, planted := range []string{
			` token=` + secret, `; token="` + secret, `; token="a, ` + secret + `"`, `, token='a; ` + secret + `', b=c`, ` token = "` + secret + `"`,
			`?token=` + secret, `&token=a,` + secret + `;` + secret, ` token=\"` + secret + `\"`, `{"token":"` + secret + `"}`,
			`{"a":1, "token" : "a, ` + secret + ` b", "c":"d"}`, `{\"token\":\"` + secret + `\"}`, `?a=%7B%22token%22%3A%22` + secret + `%22%7D`, ` a="https%3A%2F%2Fh%2F%3Ftoken%3D` + secret + `"`,
		} {
			got := record(text + planted)
			if strings.Contains(got, secret) {
				t.Fatalf("%q is recorded as %q", text+planted, got)
			}
		}
	})
}

// FuzzAnonymize anonymizes reels: sizes, moments and the number of reads stay, and the
// result loads; anonymized by the same seed, each body gives the same.
func FuzzAnonymize(f *testing.F) {
	f.Add([]byte("{\"id\":\"55a46ab12179453a8a20921a058b7546\",\"account_slug\":\"planet-express\"} fry@planet-express.com 203.0.113.7"), []byte{5})
	f.Add([]byte("/55/a46ab12179453a8a20921a058b7546 55a46ab1-2179-453a-8a20-921a058b7546 job_ocZCnG1Df35XRL1QyCZSRxAG8"), []byte{31, 2})
	f.Add([]byte(`\u0026%2F\55%`), []byte{})
	f.Fuzz(func(t *testing.T, body, sizes []byte) {
		var b bytes.Buffer
		w, err := replay.NewWriter(&b, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		x, err := w.Exchange(0, "GET", "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		x.Response(time.Second, 200, nil)
		read := &pieces{rest: body, sizes: sizes}
		buf := make([]byte, len(body)+1)
		reads := 0
		for n, err := read.Read(buf); err == nil; n, err = read.Read(buf) {
			reads++
			x.ResponseBody(time.Duration(reads)*time.Second, buf[:n])
		}
		x.End(time.Hour, replay.EndEOF, nil)
		w.Close()
		anonymize := func(reel []byte) (*replay.Exchange, []byte) {
			rec, err := replay.Load(bytes.NewReader(reel), int64(len(reel)))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if _, err := replay.Anonymize(&out, rec, replay.Anonymization{Seed: "a", FileNames: true}); err != nil {
				t.Fatal(err)
			}
			if rec, err = replay.Load(bytes.NewReader(out.Bytes()), int64(out.Len())); err != nil || !rec.Sealed() {
				t.Fatalf("%v\n%s", err, out.Bytes())
			}
			got, _ := io.ReadAll(rec.Exchanges()[0].Body())
			return rec.Exchanges()[0], got
		}
		got, text := anonymize(b.Bytes())
		if got.NumReads() != reads || got.Size != int64(len(body)) || got.Ended != max(time.Hour, time.Duration(reads)*time.Second) {
			t.Fatalf("%d reads of %d bytes, ended at %v", got.NumReads(), got.Size, got.Ended)
		}
		if _, again := anonymize(b.Bytes()); !bytes.Equal(again, text) {
			t.Fatalf("%q and then %q", text, again)
		}
	})
}
