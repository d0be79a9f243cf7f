package status

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestPeek(t *testing.T) {
	for _, test := range []struct {
		name, data string
		want       Head
		code       int
		phase      Phase
	}{
		{"the usual", `{"ok":"ASSEMBLY_EXECUTING","http_code":200,"assembly_id":"a","bytes_received":1,"bytes_expected":2,"x":`, Head{State: AssemblyExecuting, ID: "a", BytesReceived: 1, BytesExpected: 2}, 200, Running},
		{"the code comes late", `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a","bytes_received":1,"bytes_expected":2,"x":{"http_code":500},"http_code":202}`, Head{State: AssemblyExecuting, ID: "a", BytesReceived: 1, BytesExpected: 2}, 202, Running},
		{"no code", `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a","bytes_received":1,"bytes_expected":2,"x":1}`, Head{State: AssemblyExecuting, ID: "a", BytesReceived: 1, BytesExpected: 2}, 0, Running},
		{"the code behind a fault", `{"ok":"ASSEMBLY_EXECUTING","assembly_id":"a","bytes_received":1,"bytes_expected":2,"x":tru,"http_code":202}`, Head{State: AssemblyExecuting, ID: "a", BytesReceived: 1, BytesExpected: 2}, 0, Running},
		{"failed", `{"error":"INVALID_FORM_DATA","http_code":400,"message":"no"}`, Head{Error: "INVALID_FORM_DATA"}, 400, Failed},
		{"rate limit", `{"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED","http_code":429}`, Head{Error: ErrorStatusRateLimit}, 429, Unknown},
		{"crashed", `{"errno":-111,"code":"ECONNREFUSED","syscall":"connect"}`, Head{}, 0, Failed},
		{"crashed without a system call", `{"errno":-111,"syscall":null}`, Head{}, 0, Failed},
		{"crashed without a number", `{"syscall":"connect","errno":null}`, Head{}, 0, Failed},
		{"not crashed", `{"errno":null,"syscall":""}`, Head{}, 0, Unknown},
		{"a system call that is no text", `{"syscall":[]}`, Head{}, 0, Unknown},
		{"an errno before a state", `{"errno":-111,"ok":"A"}`, Head{State: "A"}, 0, Running},
		{"crashed, the state taken back", `{"ok":"A","errno":-111,"ok":null}`, Head{}, 0, Failed},
		{"crashed, about the request", `{"errno":-111,"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED"}`, Head{Error: ErrorStatusRateLimit}, 0, Unknown},
		{"an unknown state", `{"ok":"ASSEMBLY_RESTING"}`, Head{State: "ASSEMBLY_RESTING"}, 0, Running},
		{"nothing", `{}`, Head{}, 0, Unknown},
		{"null and numbers in quotes", `{"ok":null,"error":null,"bytes_received":"12","bytes_expected":"many","assembly_id":7,"ok":"ASSEMBLY_COMPLETED"}`, Head{State: AssemblyCompleted, ID: "7", BytesReceived: 12}, 0, Succeeded},
		{"the last one counts", `{"ok":"ASSEMBLY_COMPLETED","ok":"ASSEMBLY_EXECUTING"}`, Head{State: AssemblyExecuting}, 0, Running},
		{"escaped", `{"\u006fk":"ASSEMBLY\u005fCANCELED","byt\u0065s_received":5,"assembly_id":"\u00e9","\\":1,"\\\\\\":2}`, Head{State: AssemblyCanceled, ID: "é", BytesReceived: 5}, 0, Canceled},
		{"only inside", `{"x":{"ok":"ASSEMBLY_COMPLETED"},"y":["ok","error"],"z":"\"ok\":\"ASSEMBLY_COMPLETED\""}`, Head{}, 0, Unknown},
		{"the old name of the id", `{"assemblyId":"a"}`, Head{ID: "a"}, 0, Unknown},
	} {
		forms := []string{test.data}
		if members, ok := strings.CutSuffix(test.data, "}"); ok && members != "{" {
			// Where enough follows all keys to search 64 bytes at a time.
			forms = append(forms, members+`,"x":"`+strings.Repeat("far from the end ", 20)+`"}`)
		}
		for _, data := range forms {
			t.Run(test.name, func(t *testing.T) {
				h, err := Peek([]byte(data))
				if err != nil {
					t.Fatal(err)
				}
				var a Assembly
				if DecodeAssembly([]byte(data), &a) == nil && a.Phase() != test.phase {
					t.Errorf("DecodeAssembly's phase is %v, want %v", a.Phase(), test.phase)
				}
				if h.State != test.want.State || h.Error != test.want.Error || h.ID != test.want.ID || h.BytesReceived != test.want.BytesReceived || h.BytesExpected != test.want.BytesExpected {
					t.Errorf("got %+v, want %+v", h, test.want)
				}
				if h.HTTPCode() != test.code || h.Phase() != test.phase || h.Terminal() != test.phase.Terminal() {
					t.Errorf("code %d, phase %v, terminal %v, want %d, %v", h.HTTPCode(), h.Phase(), h.Terminal(), test.code, test.phase)
				}
			})
		}
	}
}

func TestPeekErrors(t *testing.T) {
	for _, data := range []string{``, `null`, `[]`, `{`, `{"ok"`, `{"ok":}`, `{"ok":"a"`, `{"ok":"a"]`, `{"ok":"a",}`, `{"a":[1,]}`, `{} x`, `{"ok":"a"} x`, `{"ok":"\q"}`, `{"assembly_id":01}`} {
		var syntax *SyntaxError
		if h, err := Peek([]byte(data)); !errors.As(err, &syntax) {
			t.Errorf("Peek(%q) = %+v, %v, want a *SyntaxError", data, h, err)
		}
	}
}

func TestPeekReadsNoFurther(t *testing.T) {
	for _, head := range []string{
		`{"assembly_id":"a","bytes_expected":2,"bytes_received":1,"ok":"ASSEMBLY_EXECUTING",`,
		`{"assembly_id":"a","bytes_expected":2,"bytes_received":1,"error":"E",`,
	} {
		if _, err := Peek([]byte(head)); err != nil {
			t.Errorf("what stands behind the last fact was read: %v", err)
		}
		if _, err := Peek([]byte(head[:len(head)-1])); err == nil {
			t.Error("a document that ends with the last fact was accepted")
		}
	}
}

// wantPeek compares Peek with DecodeAssembly on a sound document.
func wantPeek(t *testing.T, data []byte) {
	t.Helper()
	a := mustDecode(t, data)
	h, err := Peek(data)
	if err != nil || h.State != a.State || h.Error != a.Error || h.ID != a.ID ||
		h.BytesReceived != a.BytesReceived || h.BytesExpected != a.BytesExpected || h.HTTPCode() != int(a.HTTPCode) || h.Phase() != a.Phase() || h.Terminal() != a.Terminal() {
		t.Errorf("Peek: %v\n%+v, code %d, phase %v\nDecodeAssembly: %q %q %q %d %d, code %d, phase %v in %s",
			err, h, h.HTTPCode(), h.Phase(), a.State, a.Error, a.ID, a.BytesReceived, a.BytesExpected, a.HTTPCode, a.Phase(), data)
	}
	if n := testing.AllocsPerRun(1, func() { h, _ := Peek(data); _ = h.HTTPCode() }); n > 0 && !strings.Contains(string(data), `\u00`) {
		t.Errorf("%v allocations in %s", n, data)
	}
}

// Null takes a verdict back, so that it is not the end of the search for one.
func TestPeekVerdictTakenBack(t *testing.T) {
	for _, data := range []string{
		`{"ok":"A","ok":null,"assembly_id":"a","bytes_received":1,"bytes_expected":2,"error":"E"}`,
		`{"error":"E","error":null,"assembly_id":"a","bytes_received":1,"bytes_expected":2,"ok":"A"}`,
		`{"ok":"A","error":"E","error":null,"ok":null,"assembly_id":"a","bytes_received":1,"bytes_expected":2,"http_code":400,"error":"F"}`,
		`{"ok":null,"assembly_id":"a","bytes_received":1,"bytes_expected":2,"error":"E"}`,
	} {
		wantPeek(t, []byte(data))
		wantPeek(t, []byte(data[:len(data)-1]+`,"x":"`+strings.Repeat("far from the end ", 20)+`"}`))
	}
}

func TestPeekAnyOrder(t *testing.T) {
	for name, data := range payloads(t) {
		if strings.Contains(name, "odd-shapes") {
			continue // its numbers and keys are written in ways that may allocate
		}
		wantPeek(t, data)
		var keys []member
		for m := range members(string(data)) {
			keys = append(keys, m)
		}
		r := rand.New(rand.NewPCG(2, uint64(len(data))))
		for range 30 {
			r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
			doc := []byte{'{'}
			for i, m := range keys {
				if i > 0 {
					doc = append(doc, ',')
				}
				doc = append(append(append(append(doc, '"'), m.key...), '"', ':'), m.value...)
			}
			if wantPeek(t, append(doc, '}')); t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

// Only values that Peek hands out cost an allocation where they are written with escape sequences.
func TestPeekAllocations(t *testing.T) {
	const rest = `"bytes_received":3,"bytes_expected":4}`
	long := strings.Repeat(`\u006f`, 100)
	for _, tt := range []struct {
		name, data string
		want       float64
	}{
		{"a key that is not asked for", `{"a\"b":1,"\u00e9":2,"\ud800":3,"` + long + `":4,"` + strings.Repeat("\xff", 80) + `\n":5,"ok":"A","assembly_id":"x",` + rest, 0},
		{"keys that are", `{"\u006f\u006b":"A","assembly\u005fid":"x",` + rest, 0},
		{"the code", `{"ok":"\u0041SSEMBLY","assembly_id":"x",` + rest, 1},
		{"a long id", `{"ok":"A","assembly_id":"` + long + `",` + rest, 1},
		{"a number", `{"ok":"A","assembly_id":"x","bytes_received":"\u0033","bytes_expected":4}`, 1},
	} {
		h, err := Peek([]byte(tt.data))
		if err != nil || h.State == "" || h.ID == "" || h.BytesReceived != 3 || h.BytesExpected != 4 {
			t.Errorf("%s: %+v, %v", tt.name, h, err)
		}
		data := []byte(tt.data)
		if n := testing.AllocsPerRun(10, func() { _, _ = Peek(data) }); n != tt.want {
			t.Errorf("%s: %v allocations, want %v", tt.name, n, tt.want)
		}
	}
}

// HTTPCode searches for the key before it reads, so that it must find it wherever and
// however it is written, and must not take other text for it.
func TestHTTPCodeBehindTheHead(t *testing.T) {
	head := `{"ok":"A","assembly_id":"a","bytes_received":1,"bytes_expected":2,`
	for _, test := range []struct {
		name, rest string
		want       int
	}{
		{"plain", `"http_code":404`, 404},
		{"escaped", `"http\u005fcode":404`, 404},
		{"all escaped", `"\u0068\u0074\u0074\u0070\u005f\u0063\u006f\u0064\u0065":404`, 404},
		{"in quotes", `"http_code":"404"`, 404},
		{"inside another object", `"fields":{"http_code":404}`, 0},
		{"in a string", `"message":"\"http_code\":404"`, 0},
		{"another key", `"xhttp_code":404,"http_codes":404,"http_cod":404`, 0},
		{"behind a fault", `"x":tru,"http_code":404`, 0},
		{"not there", `"x":1`, 0},
	} {
		for pad := range 40 {
			for _, filler := range []string{"h", "\u00e9", "_", `\\`, `u`} {
				data := head + `"p":"` + strings.Repeat(filler, pad) + `",` + test.rest + `}`
				h, err := Peek([]byte(data))
				if err != nil || h.HTTPCode() != test.want {
					t.Fatalf("%s, %d times %q before: code %d, %v, want %d", test.name, pad, filler, h.HTTPCode(), err, test.want)
				}
			}
		}
	}
}
