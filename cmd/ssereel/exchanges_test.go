package main

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ssereel/ssereel/replay"
)

func TestExchanges(t *testing.T) {
	everyLine, err := os.ReadFile("../../testdata/every-line.reel")
	if err != nil {
		t.Fatal(err)
	}
	var zipped strings.Builder
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, "data: a\n\ndata: b\n\n")
	z.Close()
	var bomb strings.Builder
	deflater := zlib.NewWriter(&bomb)
	for io.WriteString(deflater, "data: "); bomb.Len() < 40<<10; {
		deflater.Write(make([]byte, 1<<20))
	}
	deflater.Close()
	compressed := func(coding, body string) string {
		var b strings.Builder
		w, err := replay.NewWriter(&b, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		x, _ := w.Exchange(time.Second, "GET", "/s", nil)
		x.Response(2*time.Second, 200, http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}, "Content-Encoding": {coding}})
		x.ResponseBody(5*time.Second+262*time.Millisecond, []byte(body))
		x.End(5*time.Second+262*time.Millisecond, replay.EndEOF, nil)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	cut := "reel 1\n> 1 +1 GET /a\n< 1 +1 200\n< 1 content-type: text/event-stream\n= 1 +0.5\n|data: a\n|\n"
	for _, tt := range []struct {
		name, reel string
		exit       int
		want       string
		tells      string
	}{
		{"all that occurs", string(everyLine), 0, `{"exchange":1,"time":0,"method":"POST","url":"https://api2.example/assemblies?signature=REDACTED","status":200,"type":"application/json","events":null,"reads":1,"bytes":27,"seconds":1.041,"end":"eof"}
{"exchange":2,"time":0.02,"method":"GET","url":"https://api2.example/ws20219?assembly=55a46ab12179453a8a20921a058b7546","status":200,"type":"text/event-stream","events":3,"reads":7,"bytes":148,"seconds":1.98,"end":"reset","cause":"unexpected EOF"}
{"exchange":3,"time":5,"method":"GET","url":"https://api2.example/ws20219?assembly=55a46ab12179453a8a20921a058b7546","status":200,"type":"application/octet-stream","events":null,"reads":1,"bytes":100,"seconds":30.2,"end":"timeout","cause":"context deadline exceeded"}
{"exchange":4,"time":36,"method":"GET","url":"https://api2.example/assemblies/55a46ab12179453a8a20921a058b7546","status":null,"type":"","events":null,"reads":0,"bytes":0,"seconds":0.5,"end":"canceled"}
`, ""},
		{"a compressed stream", compressed("gzip", zipped.String()), 0, fmt.Sprintf(`{"exchange":1,"time":1,"method":"GET","url":"/s","status":200,"type":"text/event-stream","events":2,"reads":1,"bytes":%d,"seconds":4.262,"end":"eof"}
`, zipped.Len()), ""},
		{"a compressed stream, by another name", compressed("x-gzip", zipped.String()), 0, fmt.Sprintf(`{"exchange":1,"time":1,"method":"GET","url":"/s","status":200,"type":"text/event-stream","events":2,"reads":1,"bytes":%d,"seconds":4.262,"end":"eof"}
`, zipped.Len()), ""},
		{"an event that is too large when it is unpacked", compressed("deflate", bomb.String()), 0, fmt.Sprintf(`{"exchange":1,"time":1,"method":"GET","url":"/s","status":200,"type":"text/event-stream","events":null,"reads":1,"bytes":%d,"seconds":4.262,"end":"eof"}
`, bomb.Len()), ""},
		{"a stream that is not compressed, though it says so", compressed("gzip", "data: a\n\n"), 0, `{"exchange":1,"time":1,"method":"GET","url":"/s","status":200,"type":"text/event-stream","events":null,"reads":1,"bytes":9,"seconds":4.262,"end":"eof"}
`, ""},
		{"not compressed, as it is called", compressed("identity", "data: a\n\n"), 0, `{"exchange":1,"time":1,"method":"GET","url":"/s","status":200,"type":"text/event-stream","events":1,"reads":1,"bytes":9,"seconds":4.262,"end":"eof"}
`, ""},
		{"compressed in a way that is not known", compressed("br", "data: a\n\n"), 0, `{"exchange":1,"time":1,"method":"GET","url":"/s","status":200,"type":"text/event-stream","events":null,"reads":1,"bytes":9,"seconds":4.262,"end":"eof"}
`, ""},
		{"a content type that breaks its rules", strings.Replace(paced, "text/event-stream\n< 1 c", "text/event-stream; a=1; a=2\n< 1 c", 1), 0, `{"exchange":1,"time":0,"method":"GET","url":"https://api2.example/ws20219?assembly=1","status":200,"type":"text/event-stream","events":2,"reads":4,"bytes":25,"seconds":0.26,"end":"eof"}
`, ""},
		{"a recording that was cut off", cut, 1, `{"exchange":1,"time":1,"method":"GET","url":"/a","status":200,"type":"text/event-stream","events":1,"reads":1,"bytes":9,"seconds":1.5,"end":null}
`, "truncated"},
		{"no exchange", "reel 1\n", 0, "", ""},
		{"no reel", "data: a\n\n", 1, "", "not a reel"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for from, o := range map[string]outcome{
				"file":           ssereel(t, "exchanges", write(t, tt.reel)),
				"standard input": ssereelWith(t, strings.NewReader(tt.reel), "exchanges", "-"),
			} {
				if o.stdout != tt.want {
					t.Errorf("%s:\n%swant\n%s", from, o.stdout, tt.want)
				}
				if o.stdout = ""; tt.exit == 0 {
					o.wantDone(t)
				} else {
					o.wantLine(t, tt.exit, tt.tells)
				}
			}
		})
	}
}

// On a terminal it is a table, of lines that do not wrap, in which the request is what is
// shown as long as anything.
func TestExchangesOnTerminal(t *testing.T) {
	const several = "reel 1\n> 1 +0 GET http://a.example/x\n< 1 +0.0015 200\n= 1 +0\n|1\n. 1 +0 eof\n> 2 +61.04 GET http://user@b.example/\x1b[31m\n"
	long := strings.ReplaceAll(paced, "?assembly=1", "?assembly="+strings.Repeat("55a46ab12179453a", 8))
	ids := strings.Replace(paced, "?assembly=1", "?assembly=55a46ab12179453a8a20921a058b7546", 1) +
		"> 2 +0 GET https://api2.example/f/55a46ab1-2179-453a-8a20-921a058b7546/12-ab\n. 2 +0 eof\n" +
		"> 3 +0 GET https://api2.example/jobs/job_8k2MqWe4rTyU7iOpxYz9\n. 3 +0 eof\n"
	for _, tt := range []struct {
		name, reel string
		width      int
		want       string
	}{
		{"one server", paced, 80, `   sent   took    status  holds     end  request
1  0.0 s  260 ms  200     2 events  eof  GET /ws20219?assembly=1
`},
		{"several servers, and what a terminal might take for a command", several, 80, "" +
			"   sent    took  status  holds  end      request\n" +
			"1  0.0 s   2 ms  200     2 B    eof      GET http://a.example/x\n" +
			"2  61.0 s  0 ms  none    0 B    cut off  GET http://user@b.example/\ufffd[31m\n"},
		{"just wide enough", paced, 64, `   sent   took    status  holds     end  request
1  0.0 s  260 ms  200     2 events  eof  GET /ws20219?assembly=1
`},
		{"not wide enough for all", paced, 63, `   took    status  holds     end  request
1  260 ms  200     2 events  eof  GET /ws20219?assembly=1
`},
		{"narrower", paced, 56, `   status  holds     end  request
1  200     2 events  eof  GET /ws20219?assembly=1
`},
		{"a narrow terminal", paced, 40, `   status  end  request
1  200     eof  GET /ws20219?assembly=1
`},
		{"so narrow that nothing else helps", paced, 30, `   status  end  request
1  200     eof  GET /ws20219?…
`},
		{"so narrow that nothing helps", paced, 8, `   stat…
1  200 …
`},
		{"a long URL on a wide terminal", long, 102, `   sent   took    status  holds     end  request
1  0.0 s  260 ms  200     2 events  eof  GET /ws20219?assembly=55a4…453a55a4…453a55a4…453a55a4…453a
`},
		{"IDs on a narrow terminal", ids, 60, "" +
			"   status  holds     end  request\n" +
			"1  200     2 events  eof  GET /ws20219?assembly=55a4…7546\n" +
			"2  none    0 B       eof  GET /f/55a4…7546/12-ab\n" +
			"3  none    0 B       eof  GET /jobs/job_8k2M…xYz9\n"},
		{"IDs where there is room", ids, 96, "" +
			"   sent   took    status  holds     end  request\n" +
			"1  0.0 s  260 ms  200     2 events  eof  GET /ws20219?assembly=55a46ab12179453a8a20921a058b7546\n" +
			"2  0.3 s  0 ms    none    0 B       eof  GET /f/55a46ab1-2179-453a-8a20-921a058b7546/12-ab\n" +
			"3  0.3 s  0 ms    none    0 B       eof  GET /jobs/job_8k2MqWe4rTyU7iOpxYz9\n"},
		{"several servers on a narrow terminal", several, 44, "" +
			"   status  end      request\n" +
			"1  200     eof      GET http://a.example/x\n" +
			"2  none    cut off  GET http://user@b.examp…\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec, err := loadReel(strings.NewReader(tt.reel))
			if rec == nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := listExchanges(&b, rec, tt.width); err != nil || b.String() != tt.want {
				t.Errorf("%v\n%swant\n%s", err, b.String(), tt.want)
			}
		})
	}
}

func TestBrief(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0 ms", 0.0004: "0 ms", 0.0015: "2 ms", 0.9994: "999 ms", 0.9996: "1.0 s", 1: "1.0 s", 61.04: "61.0 s"} {
		if got := brief(seconds); got != want {
			t.Errorf("%g s is %q, want %q", seconds, got, want)
		}
	}
}
