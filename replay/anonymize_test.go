package replay_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/ssereel/ssereel/replay"
)

// anonymized returns the reel text with pseudonyms.
func anonymized(t testing.TB, text string, how replay.Anonymization) (string, replay.Pseudonyms) {
	t.Helper()
	rec, err := load(text)
	if rec == nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	counts, err := replay.Anonymize(&b, rec, how)
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), counts
}

// one returns a reel of one exchange with this header and these reads.
func one(t testing.TB, header http.Header, reads ...string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := replay.NewWriter(&b, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := w.Exchange(0, "GET", "http://h/", header)
	if err != nil {
		t.Fatal(err)
	}
	x.Response(time.Second, 200, header)
	for _, r := range reads {
		x.ResponseBody(2*time.Second, []byte(r))
	}
	x.End(3*time.Second, replay.EndEOF, nil)
	w.Close()
	return b.String()
}

const (
	anID  = "55a46ab12179453a8a20921a058b7546"
	aUUID = "55a46ab1-2179-453a-8a20-921a058b7546"
)

// One ID has one pseudonym, in all its shapes and places.
func TestAnonymizeIDs(t *testing.T) {
	const text = `reel 1
@ 2026-05-07T16:10:57.161Z
# assembly ` + anID + `
> 1 +0 POST https://api2-hu268ep.transloadit.com/ws20219?assembly=` + anID + `
> 1 last-event-id: ` + anID + `
> 2 +0.5 GET /assemblies/` + anID + `?url=https%3A%2F%2Fh%2F` + anID + `%2F55%2Fa46ab12179453a8a20921a058b7546
^ 1 +0 32
\` + anID + `
< 1 +0.25 200
< 1 location: /` + anID + `
= 1 +1 41
|id: ` + anID + `
\data
= 1 +1 146
\: {"a":"` + aUUID + `","b":"/55/a46ab12179453a8a20921a058b7546/a.png","c":"\/55\/a46ab12179453a8a20921a058b7546","d":"55A4
= 2 +1 28
\6AB12179453A8A20921A058B7546
. 1 +0 eof
< 2 +0 404
. 2 +0 reset error=no ` + anID + `
`
	lines := strings.Replace(text, "= 2 +1 28\n\\6AB1", "= 1 +1 28\n\\6AB1", 1)
	lines = strings.Replace(lines, "= 1 +1 146", fmt.Sprintf("= 1 +1 %d", len(`: {"a":"`+aUUID+`","b":"/55/a46ab12179453a8a20921a058b7546/a.png","c":"\/55\/a46ab12179453a8a20921a058b7546","d":"55A4`)), 1)
	before := contents(t, mustLoad(t, lines))
	got, counts := anonymized(t, lines, replay.Anonymization{})
	after := contents(t, mustLoad(t, got))
	by := strings.TrimPrefix(after[0].URL, "https://api2-hu268ep.transloadit.com/ws20219?assembly=")
	if len(by) != 32 || by == anID || strings.Trim(by, "0123456789abcdef") != "" || by[12] != '4' {
		t.Fatalf("the pseudonym is %q", by)
	}
	if counts.IDs != (replay.Pseudonymized{Values: 1, Places: 14}) || counts.Names.Values+counts.Clients.Values != 0 {
		t.Errorf("replaced %+v", counts)
	}
	// With the ID in place of the pseudonym, all is as it was.
	back := strings.NewReplacer(by, anID, by[2:], anID[2:], "/"+by[:2]+"/", "/55/", `\/`+by[:2]+`\/`, `\/55\/`, "%2F"+by[:2]+"%2F", "%2F55%2F",
		by[:8]+"-"+by[8:12]+"-"+by[12:16]+"-"+by[16:20]+"-"+by[20:], aUUID, strings.ToUpper(by[:4]), "55A4", strings.ToUpper(by[4:]), strings.ToUpper(anID[4:]))
	for i := range after {
		x := &after[i]
		x.URL, x.Cause = back.Replace(x.URL), back.Replace(x.Cause)
		for _, h := range []http.Header{x.RequestHeader, x.Header} {
			for name := range h {
				h[name][0] = back.Replace(h[name][0])
			}
		}
		for k := range x.Reads {
			x.Reads[k].Data = back.Replace(x.Reads[k].Data)
		}
		for k := range x.RequestReads {
			x.RequestReads[k].Data = back.Replace(x.RequestReads[k].Data)
		}
	}
	if d := diff(before, after); d != "" {
		t.Errorf("%s\n%s", d, got)
	}
	rec := mustLoad(t, got)
	if !rec.Sealed() || !rec.Start().Equal(mustLoad(t, lines).Start()) || strings.Join(rec.Comments(), "") != "assembly "+by {
		t.Errorf("the reel:\n%s", got)
	}
	if strings.Contains(strings.ToLower(got), anID[4:]) {
		t.Errorf("the ID is still there:\n%s", got)
	}

	again, _ := anonymized(t, lines, replay.Anonymization{})
	if again == got {
		t.Error("a random key gives the same pseudonyms again")
	}
	seeded, _ := anonymized(t, lines, replay.Anonymization{Seed: "a"})
	same, _ := anonymized(t, lines, replay.Anonymization{Seed: "a"})
	other, _ := anonymized(t, lines, replay.Anonymization{Seed: "b"})
	if seeded != same || seeded == other || seeded == got {
		t.Error("a seed does not make the same pseudonyms each time, and no other does others")
	}
}

// An ID may be cut between reads in any place.
func TestAnonymizeCutIDs(t *testing.T) {
	body := `{"url":"/55/a46ab12179453a8a20921a058b7546","job":"job_ocZCnG1Df35XRL1QyCZSRxAG8","ip":"203.0.113.77","id":"` + aUUID + `"}`
	how := replay.Anonymization{Seed: "a"}
	text, _ := anonymized(t, one(t, nil, body), how)
	want := contents(t, mustLoad(t, text))[0].body()
	for i := 1; i < len(body); i++ {
		text, _ := anonymized(t, one(t, nil, body[:i], body[i:]), how)
		x := contents(t, mustLoad(t, text))[0]
		if x.body() != want || len(x.Reads) != 2 || len(x.Reads[0].Data) != i {
			t.Fatalf("cut at %d: %q, want %q", i, x.Reads, want)
		}
	}
}

// A name that is a number is replaced where it is the name, and no other number is.
func TestAnonymizeNumbers(t *testing.T) {
	body := `{"basename":"10","account_name":"1234567","meta":{"duration":10.5},"v":"1.10.2","bytes_expected":1234567}`
	text, _ := anonymized(t, one(t, nil, body), replay.Anonymization{FileNames: true})
	got := contents(t, mustLoad(t, text))[0].body()
	const rest = `,"meta":{"duration":10.5},"v":"1.10.2","bytes_expected":1234567}`
	if !strings.HasSuffix(got, rest) || strings.Contains(got, `"10"`) || strings.Contains(got, `"1234567"`) {
		t.Errorf("it becomes %s", got)
	}
}

// An address is the same one however it is spelled, and none of its spellings stays.
func TestAnonymizeAddresses(t *testing.T) {
	for _, c := range []struct {
		name, address, pattern string
		spellings              []string // with X for what is around the address
	}{
		{"e-mail", "jane.d@corp.example", `[a-z]{4}\.[a-z]@[a-z]{4}\.example`, []string{
			"?email=jane.d@corp.example&a", "?email=jane.d%40corp.example", "u%3Djane.d%40corp.example", "?u=%2Fjane.d%2540corp.example", "?u=a%253Djane.d%2540corp.example", "%252Fjane.d@corp.example",
			`"jane.d\u0040corp.example"`, `"to:\njane.d@corp.example"`, `"\u003djane.d\u0040corp.example"`, `"{\"a\":\"jane.d\\u0040corp.example\"}"`,
		}},
		{"with a plus", "a+b@c.example", `[a-z]\+[a-z]@[a-z]\.example`, []string{"a+b@c.example", "=a%2Bb%40c.example", "=a%2bb@c.example", `"a\u002Bb@c.example"`}},
		{"version 4", "84.12.3.44", `[0-9]{2}\.[0-9]{2}\.[0-9]\.[0-9]{2}`, []string{
			"for=84.12.3.44:4711", "::ffff:84.12.3.44", "?ip=%3A%3Affff%3A84.12.3.44&", "a%3D84.12.3.44", "%2084.12.3.44", "a%253D84.12.3.44", "host:84.12.3.44", "84.12.3.44.",
			`"\n84.12.3.44"`, `\u003d84.12.3.44`,
		}},
		{"version 6", "2a02:8109::5", `[0-9a-f]{4}:[0-9a-f]{4}::[0-9a-f]`, []string{
			`for="[2a02:8109::5]:4711"`, "?ip=2a02%3A8109%3A%3A5", "?ip%3d2a02%3a8109%3a%3a5", `"2a02\u003a8109\u003A:5"`, `"\t2a02:8109::5"`, "x, 2a02:8109::5",
		}},
		{"version 6 in full", "2001:db8:0:1:2:3:4:5", `[0-9a-f]{4}:[0-9a-f]{3}(:[0-9a-f]){6}`, []string{"[2001:db8:0:1:2:3:4:5]", "%5B2001%3Adb8%3A0%3A1%3A2%3A3%3A4%3A5%5D"}},
		{"version 6 at both ends", "::beef:1", `::[0-9a-f]{4}:[0-9a-f]`, []string{"[::beef:1]", "%3A%3Abeef%3A1", " ::beef:1 "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := strings.Join(append(c.spellings, c.address), "|")
			text, counts := anonymized(t, one(t, nil, body), replay.Anonymization{})
			got := strings.Split(contents(t, mustLoad(t, text))[0].body(), "|")
			by := got[len(got)-1]
			if !regexp.MustCompile("^"+c.pattern+"$").MatchString(by) || by == c.address {
				t.Fatalf("%s becomes %s", c.address, by)
			}
			if counts.Clients != (replay.Pseudonymized{Values: 1, Places: len(got)}) {
				t.Errorf("%+v in %q", counts, got)
			}
			plain := strings.NewReplacer("%2540", "@", "%40", "@", `\\u0040`, "@", `\u0040`, "@", "%3A", ":", "%3a", ":", `\u003a`, ":", `\u003A`, ":", "%2B", "+", "%2b", "+", `\u002B`, "+")
			for i, spelling := range c.spellings {
				if want := strings.Replace(plain.Replace(spelling), c.address, by, 1); len(got[i]) != len(spelling) || plain.Replace(got[i]) != want {
					t.Errorf("%s becomes %s, want %s", spelling, got[i], want)
				}
			}
		})
	}
	for _, body := range []string{`{"client_referer":"http://84.12.3.44/x"}`, `{"client_agent":"jane.d@corp.example"}`} {
		if _, counts := anonymized(t, one(t, nil, body), replay.Anonymization{}); counts.Clients != (replay.Pseudonymized{Values: 1, Places: 1}) {
			t.Errorf("in %s, %+v are counted", body, counts.Clients)
		}
	}
	text, _ := anonymized(t, one(t, nil, "64:ff9b::84.12.3.44"), replay.Anonymization{})
	got := contents(t, mustLoad(t, text))[0].body()
	if addr, err := netip.ParseAddr(got); err != nil || !addr.Is6() || strings.HasPrefix(got, "64:") || strings.HasSuffix(got, "84.12.3.44") {
		t.Errorf("%s, %v", got, err)
	}
}

// A name is replaced as a whole, escapes and all, and has one pseudonym in all its spellings.
func TestAnonymizeSpellings(t *testing.T) {
	inASCII := func(name string) string {
		text := strings.Trim(strconv.QuoteToASCII(name), `"`)
		return regexp.MustCompile(`\\U000[0-9a-f]{5}`).ReplaceAllStringFunc(text, func(escape string) string {
			c, _ := strconv.ParseUint(escape[2:], 16, 32)
			high, low := utf16.EncodeRune(rune(c))
			return fmt.Sprintf(`\u%04x\u%04x`, high, low)
		})
	}
	inString := func(text string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) }
	spellings := []func(name string) string{
		func(name string) string {
			return `{"account_name":"` + inASCII(name) + `","account_slug":"` + inString(name) + `"}`
		},
		func(name string) string { return inString(`{"account_name" : "` + inASCII(name) + `","a":1}`) },
		func(name string) string {
			return inString(inString(`{"basename":"` + inASCII(name) + `","name":"` + inASCII(name) + `.png"}`))
		},
		func(name string) string { return strings.ReplaceAll(inString(name), "/", `\/`) },
		func(name string) string { return `\u003d` + inASCII(name) + `\u0026` },
		func(name string) string { return "?ws=" + url.QueryEscape(name) + "&a=b" },
		func(name string) string { return "/" + url.PathEscape(name) + "/" },
		func(name string) string { return "?url=%3Fws%3D" + url.PathEscape(url.PathEscape(name)) + "%26a" },
		func(name string) string { return `\n` + strings.ToUpper(inString(name)) },
		func(name string) string { return "ws=" + url.QueryEscape(strings.ToLower(name)) },
	}
	for _, c := range []struct{ name, shape string }{
		{"Müllerwerke GmbH", `[A-Z][à-ö][a-z]{9} [A-Z][a-z]{2}[A-Z]`},
		{"acme/widgets-inc", `[a-z]{4}/[a-z]{7}-[a-z]{3}`},
		{`Joe "the boss" Miller`, `[A-Z][a-z]{2} "[a-z]{3} [a-z]{4}" [A-Z][a-z]{5}`},
		{`north\`, `[a-z]{5}\\`},
		{"Ärzte & Söhne 24", `[À-Ö][a-z]{4} & [A-Z][à-ö][a-z]{3} [0-9]{2}`},
		{"工房🚀 9", `[一-仿]{2}[🐀-🐾] [0-9]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			write := func(name string) string {
				var texts []string
				for _, spell := range spellings {
					texts = append(texts, spell(name))
				}
				return strings.Join(texts, "\n")
			}
			text, counts := anonymized(t, one(t, nil, write(c.name)), replay.Anonymization{FileNames: true})
			got := contents(t, mustLoad(t, text))[0].body()
			var first struct {
				Name string `json:"account_name"`
			}
			if err := json.NewDecoder(strings.NewReader(got)).Decode(&first); err != nil {
				t.Fatalf("%v: %s", err, got)
			}
			if !regexp.MustCompile("^"+c.shape+"$").MatchString(first.Name) || first.Name == c.name {
				t.Errorf("it becomes %s", first.Name)
			}
			if want := write(first.Name); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if counts.Names.Values != 1 {
				t.Errorf("%d names are counted", counts.Names.Values)
			}
		})
	}
}

// What a client says of itself is the same in a header and in a Status.
func TestAnonymizeReferer(t *testing.T) {
	const referer = "https://app.example/uploads?assembly=" + anID
	header := http.Header{"Referer": {referer}}
	text, _ := anonymized(t, one(t, header, `{"client_referer":"`+strings.ReplaceAll(referer, "/", `\/`)+`","id":"`+anID+`"}`), replay.Anonymization{})
	x := contents(t, mustLoad(t, text))[0]
	var said struct{ Client_referer, ID string }
	if err := json.Unmarshal([]byte(x.body()), &said); err != nil {
		t.Fatal(err)
	}
	if got := x.RequestHeader.Get("Referer"); got != said.Client_referer || !strings.HasSuffix(got, "="+said.ID) || strings.Contains(got, "app.example") {
		t.Errorf("the header becomes %s, the Status %+v", got, said)
	}
}

// What is replaced keeps its shape.
func TestAnonymizeShapes(t *testing.T) {
	for _, c := range []struct {
		name, body, shape string
		fileNames         bool
		gone              string // what must not be left
	}{
		{name: "a job", body: "job_ocZCnG1Df35XRL1QyCZSRxAG8", shape: `job_[a-z]{2}[A-Z]{2}[a-z][A-Z][0-9][A-Z][a-z][0-9]{2}[A-Z]{3}[0-9][A-Z][a-z][A-Z]{3}[A-Z][a-z][A-Z]{2}[0-9]`},
		{name: "a completion", body: `"id":"chatcmpl-9xYzAbCdEfGhIjKlMnOpQ"`, shape: `"id":"chatcmpl-[0-9][a-zA-Z]{20}"`},
		{name: "two in one", body: anID + "_" + "e49a39492c57ef94f9aebd15d73b211d", shape: `[0-9a-f]{32}_[0-9a-f]{32}`},
		{name: "behind escapes", body: `\n` + anID + `\u0026` + anID + `%3D` + anID, shape: `\\n[0-9a-f]{32}\\u0026[0-9a-f]{32}%3D[0-9a-f]{32}`},
		{name: "an account", body: `{"account_name":"Planet Express","account_slug": "planet-express","params":"{\"account_slug\":\"planet-express\"}"} planet-express.tlcdn.com`,
			shape: `\{"account_name":"[A-Z][a-z]{5} [A-Z][a-z]{6}","account_slug": "[a-z]{6}-[a-z]{7}","params":"\{\\"account_slug\\":\\"[a-z]{6}-[a-z]{7}\\"}"} [a-z]{6}-[a-z]{7}.tlcdn.com`},
		{name: "IPv4", body: `"client_ip":"203.0.113.77", 8.8.8.8`, shape: `"client_ip":"[0-9]{3}\.[0-9]\.[0-9]{3}\.[0-9]{2}", [0-9]\.[0-9]\.[0-9]\.[0-9]`},
		{name: "IPv6", body: `[2001:db8:0:1::25]`, shape: `\[[0-9a-f]{4}:[0-9a-f]{3}:[0-9a-f]:[0-9a-f]::[0-9a-f]{2}]`},
		{name: "e-mail", body: `"fry.p@planet-express.com"`, shape: `"[a-z]{3}\.[a-z]@[a-z]{6}-[a-z]{7}\.com"`},
		{name: "an agent", body: `{"client_agent":"Mozilla/5.0 (X11)","client_referer":"https://a.b/c"}`, shape: `\{"client_agent":"[A-Z][a-z]{6}/[0-9]\.[0-9] \([A-Z][0-9]{2}\)","client_referer":"[a-z]{5}://[a-z]\.[a-z]/[a-z]"}`},
		{name: "file names", fileNames: true, body: `{"name":"My Cat.jpeg","basename":"My Cat","url":"/a/My Cat.jpeg"} My Cat`, shape: `\{"name":"[A-Z][a-z] [A-Z][a-z]{2}.jpeg","basename":"[A-Z][a-z] [A-Z][a-z]{2}","url":"/a/[A-Z][a-z] [A-Z][a-z]{2}.jpeg"} My Cat`},
		{name: "a file of Windows", fileNames: true, body: `"basename":"report","x":"C:\\fakepath\\report.pdf"`, shape: `"basename":"[a-z]{6}","x":"C:\\\\fakepath\\\\[a-z]{6}\.pdf"`, gone: `report`},
		{name: "behind a percent sign", body: `"account_name":"Acme Widgets" LIKE '%acme widgets%'`, shape: `"account_name":"[A-Z][a-z]{3} [A-Z][a-z]{6}" LIKE '%[a-z]{4} [a-z]{7}%'`, gone: `acme`},
		{name: "an ID in a name", body: `"login":"me-` + anID + `@home"`, shape: `"login":"[a-z]{2}-[0-9a-f]{32}@[a-z]{4}"`, gone: "me-"},
		{name: "a name in an address", body: `"account_slug":"planet-express" fry.p@planet-express.com`, shape: `"account_slug":"[a-z]{6}-[a-z]{7}" [a-z]{3}\.[a-z]@[a-z]{6}-[a-z]{7}\.com`, gone: "fry"},
		{name: "an agent of PHP", body: `"client_agent":"Mozilla\/5.0 (X11) \"a\""`, shape: `"client_agent":"[A-Z][a-z]{6}\\/[0-9]\.[0-9] \([A-Z][0-9]{2}\) \\"[a-z]\\""`, gone: `11) \"a`},
		{name: "cut off", body: `"account_name":"M\u00fcll`, shape: `"account_name":"[A-Z]\\u00[ef][0-9a-f][a-z]{2}`, gone: `ll`},
		{name: "not UTF-8", body: "\"login\":\"M\xfcller\"", shape: `"login":"[A-Z][a-z]{5}"`, gone: "ller"},
		{name: "half a surrogate pair", body: `"login":"M\ud83dller"`, shape: `"login":"[A-Z]\\u4e[0-9a-f]{2}[a-z]{4}"`, gone: "ller"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, counts := anonymized(t, one(t, nil, c.body), replay.Anonymization{FileNames: c.fileNames, Seed: "1"})
			got := contents(t, mustLoad(t, text))[0].body()
			if !regexp.MustCompile("^"+c.shape+"$").MatchString(got) || got == c.body || strings.Contains(got, anID) || c.gone != "" && strings.Contains(got, c.gone) {
				t.Errorf("%s becomes %s", c.body, got)
			}
			if counts == (replay.Pseudonyms{}) {
				t.Error("nothing is counted")
			}
			for _, addr := range regexp.MustCompile(`[0-9]+(\.[0-9]+){3}`).FindAllString(got, -1) {
				if _, err := netip.ParseAddr(addr); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, body := range []string{
		`{"name":"result.jpeg","basename":"result","ok":"ASSEMBLY_COMPLETED","assembly_execution_progress":50,"account_name":null}`,
		"http://127.0.0.1:8080/ [::1]:80 0.0.0.0 version 1.2.3.4.5 16:10:57 std::vector a:b:c 999.1.1.1 ::ffff:127.0.0.1 1.2.3.4a :: de:ad:be:ef:00:01 ::after :::5 %3A%3A1",
		"https://REDACTED@example.test/a https://medium.com/@me git@host",
		`"thanks\n@jane.example \u003c@jane.example"`,
		"6a1b43adf3e8c4b6b62f1ea3b38eee2d0f 0123456789abcdef /55/a46ab1/ api2-hu268ep.transloadit.com 25498956447",
		"event: assembly_upload_meta_data_extracted\ndata: {\"progress_per_original_file\":[]}\n\n", "%", `\`, "%5", `\u`, "_", "55/",
	} {
		if text, counts := anonymized(t, one(t, nil, body), replay.Anonymization{}); contents(t, mustLoad(t, text))[0].body() != body || counts != (replay.Pseudonyms{}) {
			t.Errorf("%q is changed:\n%s", body, text)
		}
	}
	header := http.Header{"User-Agent": {"curl/8.5.0"}, "X-Forwarded-For": {"203.0.113.77"}, "Accept": {"text/event-stream"}}
	text, _ := anonymized(t, one(t, header, ""), replay.Anonymization{})
	if strings.Contains(text, "curl") || strings.Contains(text, "203.0.113.77") || !strings.Contains(text, "accept: text/event-stream\n") {
		t.Errorf("the headers become\n%s", text)
	}
}

// The metadata of a tus upload are looked into.
func TestAnonymizeUploadMetadata(t *testing.T) {
	list := func(url, file string) string {
		encode := func(value string) string { return base64.StdEncoding.EncodeToString([]byte(value)) }
		return "assembly_url " + encode(url) + ",filename " + encode(file) + ",empty ,none"
	}
	header := http.Header{"Upload-Metadata": {list("https://h/assemblies/"+anID, "My Cat.jpeg")}}
	for _, fileNames := range []bool{false, true} {
		text, _ := anonymized(t, one(t, header, "id "+anID+`, "basename":"My Cat"`), replay.Anonymization{FileNames: fileNames})
		x := contents(t, mustLoad(t, text))[0]
		want, name := x.body()[len("id "):][:len(anID)], "My Cat"
		if fileNames {
			name = strings.Split(x.body(), `"`)[3]
		}
		if got := x.Header.Get("Upload-Metadata"); got != list("https://h/assemblies/"+want, name+".jpeg") || want == anID || fileNames == (name == "My Cat") {
			t.Errorf("it becomes %q in\n%s", got, text)
		}
	}
}

// base64s are the kinds of base64 that clients send in Upload-Metadata.
var base64s = map[string]*base64.Encoding{
	"standard": base64.StdEncoding, "unpadded": base64.RawStdEncoding, "of URLs": base64.URLEncoding, "of URLs, unpadded": base64.RawURLEncoding,
}

func TestAnonymizeUploadMetadataIn(t *testing.T) {
	for name, encoding := range base64s {
		t.Run(name, func(t *testing.T) {
			list := func(id string) string {
				return "a " + encoding.EncodeToString([]byte("~~~>"+id)) + " , id\t" + encoding.EncodeToString([]byte("~~~?"+id))
			}
			text, _ := anonymized(t, one(t, http.Header{"Upload-Metadata": {list(anID)}}, anID), replay.Anonymization{})
			x := contents(t, mustLoad(t, text))[0]
			if got, want := x.Header.Get("Upload-Metadata"), list(x.body()); got != want || x.body() == anID {
				t.Errorf("it becomes %q, want %q", got, want)
			}
		})
	}
}

// What is cut off stays so, and what is good of it is there.
func TestAnonymizeTruncated(t *testing.T) {
	whole := one(t, nil, anID, anID)
	text := whole[:strings.LastIndex(whole, "= 1")+20]
	got, _ := anonymized(t, text, replay.Anonymization{})
	rec, err := load(got)
	if !errors.Is(err, replay.ErrTruncated) || len(contents(t, rec)[0].Reads) != 1 || strings.Contains(got, anID) {
		t.Errorf("%v\n%s", err, got)
	}
}

// The sums of what is damaged do not agree, those of what is written do: it has to be told.
func TestAnonymizeDamaged(t *testing.T) {
	text := "reel 1\n> 1 +0 GET /\n< 1 +0 200\n= 1 +0\n|a\n. 1 +1 eof crc32c=00000000\n"
	got, _ := anonymized(t, text, replay.Anonymization{})
	if rec := mustLoad(t, got); len(rec.Comments()) != 1 || !strings.Contains(rec.Comments()[0], "damaged at its line 2") {
		t.Errorf("%q in\n%s", rec.Comments(), got)
	}
	for _, wrong := range []string{"User-Agent " + planted, "a " + strings.Repeat("z", 40) + "/" + anID, "referer https://me.example/" + planted} {
		got, _ := anonymized(t, "reel 1\n> 1 +0 GET /\n> 1 "+wrong+"\n", replay.Anonymization{})
		if !strings.Contains(got, "damaged at its line 3") || strings.Contains(got, planted) || strings.Contains(got, anID[:16]) {
			t.Errorf("of %q it has\n%s", wrong, got)
		}
	}
	for _, good := range []string{one(t, nil, "a"), text[:40]} {
		if got, _ := anonymized(t, good, replay.Anonymization{}); strings.Contains(got, "\n#") {
			t.Errorf("there is a comment in\n%s", got)
		}
	}
}

func TestAnonymizeTrailer(t *testing.T) {
	text := "reel 1\n> 1 +0 GET /\n< 1 +0 200\n= 1 +0\n|a\n< 1 x-id: " + anID + "\n. 1 +1 eof\n"
	got, _ := anonymized(t, text, replay.Anonymization{})
	if x := mustLoad(t, got).Exchanges()[0]; len(x.Trailer.Get("X-Id")) != 32 || x.Trailer.Get("X-Id") == anID || x.Ended != time.Second {
		t.Errorf("%s", got)
	}
}

// Nothing is written of a recording in which not all can be looked for.
func TestAnonymizeEncoded(t *testing.T) {
	var b bytes.Buffer
	n, err := replay.Anonymize(&b, mustLoad(t, one(t, http.Header{"Content-Encoding": {"gzip"}}, "\x1f\x8b")), replay.Anonymization{})
	if !errors.Is(err, replay.ErrEncoded) || b.Len() > 0 || n != (replay.Pseudonyms{}) || !strings.Contains(err.Error(), "exchange 1") {
		t.Errorf("%v, %q", err, b.String())
	}
}

func TestAnonymizeDiskFull(t *testing.T) {
	if _, err := replay.Anonymize(&disk{room: 20}, mustLoad(t, one(t, nil, anID)), replay.Anonymization{}); !errors.Is(err, errFull) {
		t.Errorf("%v, want %v", err, errFull)
	}
}

// Nothing of the recordings that are there is lost, but for IDs.
func TestAnonymizeFiles(t *testing.T) {
	for _, name := range []string{"../testdata/assembly.reel", "../testdata/every-line.reel"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := anonymized(t, string(b), replay.Anonymization{})
		want, got := contents(t, mustLoad(t, string(b))), contents(t, mustLoad(t, text))
		if len(want) != len(got) {
			t.Fatalf("%s: %d exchanges, want %d", name, len(got), len(want))
		}
		for i, x := range got {
			if x.Sent != want[i].Sent || x.Ended != want[i].Ended || len(x.Reads) != len(want[i].Reads) || len(x.RequestReads) != len(want[i].RequestReads) {
				t.Errorf("%s: %+v, want %+v", name, x, want[i])
			}
			for k, p := range x.Reads {
				if p.At != want[i].Reads[k].At || len(p.Data) != len(want[i].Reads[k].Data) {
					t.Errorf("%s: read %d: %+v, want %+v", name, k, p, want[i].Reads[k])
				}
			}
		}
		if found := regexp.MustCompile(`55a46ab12179453a8a20921a058b7546|0c53dea3f503449d89d1ab9bc0348091`).FindString(text); found != "" {
			t.Errorf("%s: %s is still there", name, found)
		}
	}
}
