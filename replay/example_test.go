package replay_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// Record what a program reads, by putting a Recorder under its client.
func ExampleRecorder() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: hello\n\n")
	}))
	defer server.Close()

	var reel bytes.Buffer // or a file, created with os.O_EXCL and 0o600
	rec, err := replay.NewRecorder(&reel, nil)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: rec}
	res, err := client.Get(server.URL + "/stream?token=secret")
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(io.Discard, res.Body) // the program
	res.Body.Close()
	if err := rec.Close(); err != nil {
		log.Fatal(err) // the recording is not whole; the program has noticed nothing
	}

	recording, err := replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
	if err != nil {
		log.Fatal(err)
	}
	for _, x := range recording.Exchanges() {
		body, _ := io.ReadAll(x.Body())
		fmt.Printf("%s %s: %d, %q, %s\n", x.Method, strings.TrimPrefix(x.URL, server.URL), x.StatusCode, body, x.End)
	}
	// Output:
	// GET /stream?token=REDACTED: 200, "data: hello\n\n", eof
}

// Serve a recording in a test, as fast as the client takes it.
func ExampleRecording_Handler() {
	recording, err := replay.Open("../testdata/assembly.reel")
	if err != nil {
		log.Fatal(err)
	}
	defer recording.Close()
	server := httptest.NewServer(recording.Handler(replay.Playback{Speed: replay.MaxSpeed}))
	defer server.Close()

	req, err := http.NewRequest("GET", server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	fmt.Println(res.Header.Get("Content-Type"), len(body), err)
	// Output:
	// text/event-stream 6531 <nil>
}

// A reel that was cut off, or changed, is read as far as it is good.
func ExampleOpen() {
	recording, err := replay.Open("../testdata/every-line.reel")
	var where *replay.FormatError
	switch {
	case errors.As(err, &where):
		fmt.Println("good up to line", where.Line) // and read on
	case err != nil:
		log.Fatal(err)
	}
	defer recording.Close()
	for _, x := range recording.Exchanges() {
		fmt.Println(x.Number, x.Method, x.StatusCode, x.Size, x.End)
	}
	// Output:
	// 1 POST 200 27 eof
	// 2 GET 200 148 reset
	// 3 GET 200 100 timeout
	// 4 GET 0 0 canceled
}

// Compose a reel: a stream that is cut in mid-line.
func ExampleWriter() {
	w, err := replay.NewWriter(os.Stdout, time.Date(2026, 5, 7, 16, 10, 57, 0, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	w.Comment("Composed: a stream that is cut in mid-line.")
	x, _ := w.Exchange(0, "GET", "/stream", http.Header{"Accept": {"text/event-stream"}})
	x.Response(48*time.Millisecond, 200, http.Header{"Content-Type": {"text/event-stream"}})
	x.ResponseBody(50*time.Millisecond, []byte("data: one\n\ndata: tw"))
	x.End(time.Second, replay.EndReset, io.ErrUnexpectedEOF)
	if err := w.Close(); err != nil { // the first error of all of them
		log.Fatal(err)
	}
	// Output:
	// reel 1
	// @ 2026-05-07T16:10:57Z
	// # Composed: a stream that is cut in mid-line.
	// > 1 +0 GET /stream
	// > 1 accept: text/event-stream
	// < 1 +0.048 200
	// < 1 content-type: text/event-stream
	// = 1 +0.002 19
	// |data: one
	// |
	// \data: tw
	// . 1 +0.95 reset bytes=19 crc32c=952f2c79 error=unexpected EOF
	// $ bytes=275 crc32c=8489ea22
}
