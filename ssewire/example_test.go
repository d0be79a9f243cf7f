package ssewire_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/ssereel/ssereel/ssewire"
)

func ExampleReader() {
	body := strings.NewReader("event: progress\n" +
		"data: {\"progress_combined\":50}\n" +
		"\n" +
		"data: assembly_finished\n" +
		"\n")

	r := ssewire.NewReader(body)
	for r.Next() {
		ev := r.Event()
		switch string(ev.Type) { // does not allocate
		case "progress":
			fmt.Printf("progress %s\n", ev.Data)
		case "":
			fmt.Printf("message %s\n", ev.Data)
		}
	}
	if err := r.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// progress {"progress_combined":50}
	// message assembly_finished
}

func ExampleReader_All() {
	body := strings.NewReader("data: one\n\ndata: two\n\n")

	var kept []string
	for ev, err := range ssewire.NewReader(body).All() {
		if err != nil {
			log.Fatal(err)
		}
		kept = append(kept, string(ev.Data)) // an event is a view: copy what you keep
	}
	fmt.Println(kept)
	// Output: [one two]
}

// A Parser takes chunks where they come in a callback, cut anywhere.
func ExampleParser() {
	var p ssewire.Parser
	for _, chunk := range []string{"id: 1\nda", "ta: half and half\r", "\n\r\ndata: whole\n\n", "data: cut off"} {
		p.Feed([]byte(chunk))
		for p.Next() {
			ev := p.Event()
			fmt.Printf("%s (id %s)\n", ev.Data, ev.ID)
		}
		if err := p.Err(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// half and half (id 1)
	// whole (id 1)
}

func ExampleMaxEventSize() {
	body := strings.NewReader("data: short\n\ndata: " + strings.Repeat("long ", 1000) + "\n\n")

	r := ssewire.NewReader(body, ssewire.MaxEventSize(1<<10))
	for r.Next() {
		fmt.Printf("%s\n", r.Event().Data)
	}
	fmt.Println(r.Err())
	// Output:
	// short
	// ssewire: event too large: event 2, which begins at byte 13 of the stream, exceeds the limit of 1024 bytes; raise it with the option ssewire.MaxEventSize
}

func ExampleWriter() {
	handler := func(w http.ResponseWriter, req *http.Request) {
		sse := ssewire.NewWriter(w) // sets Content-Type
		for i := range 2 {
			err := sse.WriteEvent(ssewire.Event{
				Type: []byte("tick"),
				Data: fmt.Appendf(nil, "{\"n\":%d}", i),
				ID:   fmt.Append(nil, i),
			})
			if err != nil {
				return // the client has gone
			}
		}
	}

	rec := httptest.NewRecorder()
	handler(rec, httptest.NewRequest("GET", "/", nil))
	fmt.Println(rec.Header().Get("Content-Type"))
	fmt.Print(rec.Body)
	// Output:
	// text/event-stream
	// id: 0
	// event: tick
	// data: {"n":0}
	//
	// id: 1
	// event: tick
	// data: {"n":1}
}

func ExampleAppendEvent() {
	stream, err := ssewire.AppendEvent(nil, ssewire.Event{Data: []byte("several lines\nin one event")})
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(stream)

	_, err = ssewire.AppendEvent(nil, ssewire.Event{Type: []byte("two\nlines"), Data: []byte("x")})
	fmt.Println(err)
	// Output:
	// data: several lines
	// data: in one event
	//
	// ssewire: the wire format cannot carry this: type "two\nlines" has a line break at byte 3
}

// A Client reconnects where the stream has ended, until the server answers with
// status 204, the context ends, or Close is called.
func ExampleClient() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		sse := ssewire.NewWriter(w)
		switch req.Header.Get("Last-Event-ID") {
		case "":
			sse.WriteEvent(ssewire.Event{Data: []byte("first"), ID: []byte("1")})
		case "1":
			sse.WriteEvent(ssewire.Event{Data: []byte("second"), ID: []byte("2")})
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer srv.Close()

	req, err := http.NewRequestWithContext(context.Background(), "GET", srv.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	s := ssewire.Client{ReconnectionTime: 10 * time.Millisecond}.Connect(req)
	defer s.Close()
	for s.Next() {
		fmt.Printf("%s\n", s.Event().Data)
	}
	if err := s.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// first
	// second
}
