package replay_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
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

// Play a recording to a client, without a network, at the recorded pace. In a bubble of
// testing/synctest that takes no time, and each event comes at its exact moment.
func ExampleRecording_Transport() {
	recording, err := replay.Open("../testdata/assembly.reel")
	if err != nil {
		log.Fatal(err)
	}
	defer recording.Close()
	client := &http.Client{Transport: recording.Transport(replay.Playback{})}

	t := new(testing.T) // in a test, its own
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		res, err := client.Get("https://api2-hu268ep.transloadit.com/ws20219?assembly=55a46ab12179453a8a20921a058b7546")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		r := ssewire.NewReader(res.Body)
		for r.Next() {
			fmt.Printf("%.20s after %v\n", r.Event().Data, time.Since(began))
		}
		fmt.Println(r.Err(), "after", time.Since(began))
	})
	// Output:
	// assembly_uploading_f after 300ms
	// assembly_upload_meta after 512ms
	// {"progress_combined" after 2.013s
	// {"progress_combined" after 4.262s
	// {"progress_combined" after 6.014s
	// ["generated_images", after 7.839s
	// ["generated_images", after 8.102s
	// {"progress_combined" after 8.35s
	// ["generated_images", after 9.839s
	// {"progress_combined" after 10.412s
	// {"progress_combined" after 11.95s
	// assembly_finished after 12.179s
	// <nil> after 12.385s
}

// Record what a program in any language does, by having it ask a proxy instead of the service.
func ExampleNewProxy() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: hello\n\n")
	}))
	defer service.Close()
	upstream, err := url.Parse(service.URL)
	if err != nil {
		log.Fatal(err)
	}

	var reel bytes.Buffer // or a file, created with os.O_EXCL and 0o600
	rec, err := replay.NewRecorder(&reel, nil)
	if err != nil {
		log.Fatal(err)
	}
	proxy := httptest.NewServer(replay.NewProxy(upstream, rec))
	res, err := http.Get(proxy.URL + "/stream") // the program
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(os.Stdout, res.Body)
	res.Body.Close()
	proxy.Close()
	if err := rec.Close(); err != nil {
		log.Fatal(err)
	}

	recording, err := replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
	if err != nil {
		log.Fatal(err)
	}
	for _, x := range recording.Exchanges() {
		fmt.Println(x.Method, strings.TrimPrefix(x.URL, service.URL), x.StatusCode, x.Size, x.End)
	}
	// Output:
	// data: hello
	//
	// GET /stream 200 13 eof
}

// Make a reel, with a stream to test with, of the final Status of an Assembly.
func ExampleCompose() {
	document, err := os.ReadFile("../testdata/assembly-completed.json")
	if err != nil {
		log.Fatal(err)
	}
	var reel bytes.Buffer
	if err := replay.Compose(&reel, document); err != nil {
		log.Fatal(err)
	}
	recording, err := replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
	if err != nil {
		log.Fatal(err)
	}
	for _, x := range recording.Exchanges() {
		fmt.Println(x.Method, x.URL[len("https://api2-vm1.example.com"):])
		fmt.Println(" ", x.Header.Get("Content-Type"), "in", x.NumReads(), "reads, over after", x.Ended)
	}
	// Output:
	// GET /assemblies/7f40274dfed01705d5f649ed0b9d9fce
	//   application/json; charset=utf-8 in 1 reads, over after 21ms
	// GET /ws20219?assembly=7f40274dfed01705d5f649ed0b9d9fce
	//   text/event-stream in 14 reads, over after 12.231s
	// GET /assemblies/7f40274dfed01705d5f649ed0b9d9fce
	//   application/json; charset=utf-8 in 1 reads, over after 12.253s
}

// Replace in a reel what tells whose it is, so that others may have it.
func ExampleAnonymize() {
	recording, err := replay.Open("../testdata/assembly.reel")
	if err != nil {
		log.Fatal(err)
	}
	defer recording.Close()
	var reel bytes.Buffer
	replaced, err := replay.Anonymize(&reel, recording, replay.Anonymization{Seed: "only for this example"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(replaced.IDs.Values, "IDs in", replaced.IDs.Places, "places")

	anonymous, err := replay.Load(bytes.NewReader(reel.Bytes()), int64(reel.Len()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(recording.Exchanges()[0].URL)
	fmt.Println(anonymous.Exchanges()[0].URL)
	// Output:
	// 7 IDs in 25 places
	// https://api2-hu268ep.transloadit.com/ws20219?assembly=55a46ab12179453a8a20921a058b7546
	// https://api2-hu268ep.transloadit.com/ws20219?assembly=e360e57725114337be644aac05b6f4af
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
