package replay_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/status"
)

// exchangeOf is an exchange whose response is a JSON document.
func exchangeOf(number int, at, request string, code int, body string) string {
	return fmt.Sprintf("> %d +%s %s\n< %[1]d +0 %[4]d\n< %[1]d content-type: application/json\n= %[1]d +0\n\\%[5]s\n. %[1]d +0 eof\n", number, at, request, code, body)
}

// A job is started by the request that started it when it was recorded. What was answered
// without a job is played as it is.
func TestStoryJobOfItsRequest(t *testing.T) {
	text := version +
		exchangeOf(1, "0", "POST /v1/generate/detect?dryRun=true", 200, `{"creativeUnitsCost":3}`) +
		exchangeOf(2, "1", "POST /v1/generate/detect", 201, `{"job":{"jobId":"job_detect","status":"queued"}}`) +
		exchangeOf(3, "1", "POST /v1/generate/upscale", 200, `{"job":{"jobId":"job_upscale","status":"queued"}}`) +
		exchangeOf(4, "1", "POST /v1/generate/detect", 200, `{"job":{"jobId":"job_again","status":"queued"}}`)
	throughDoors(t, text, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		for _, c := range []struct {
			target string
			status int
			want   string
		}{
			{"/v1/generate/upscale", 200, "job_upscale"},
			{"/v1/generate/detect", 201, "job_detect"},
			{"/v1/generate/detect?dryRun=true", 200, "creativeUnitsCost"},
			{"/v1/generate/detect", 200, "job_again"},
			{"/v1/generate/detect", 201, "job_detect"},
			{"/v1/generate/other", 201, "job_detect"},
			{"/v1/generate/other", 200, "job_upscale"},
		} {
			if got := ask(t, door, "POST", c.target); got.status != c.status || !strings.Contains(got.body, c.want) {
				t.Errorf("%s: %d %s, want %d with %s", c.target, got.status, got.body, c.status, c.want)
			}
		}
	})
}

// A job is no Assembly, and the other way round, whatever id is asked for.
func TestStoryKinds(t *testing.T) {
	job := version + exchangeOf(1, "0", "POST /v1/generate/detect", 200, `{"job":{"jobId":"`+storyID+`","status":"queued"}}`)
	door := mustLoad(t, job).Handler(replay.Playback{})
	for _, method := range []string{"GET", "DELETE", "POST"} {
		w := httptest.NewRecorder()
		if door.ServeHTTP(w, newRequest(t, method, storyPath)); w.Code != http.StatusNotFound {
			t.Errorf("%s of a job's id is answered with %d %s", method, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	if mustLoad(t, story).Handler(replay.Playback{}).ServeHTTP(w, newRequest(t, "GET", "/v1/jobs/"+storyID)); w.Code != http.StatusNotFound {
		t.Errorf("an Assembly is a job: %d %s", w.Code, w.Body)
	}
}

// The stream is found by what websocket_url says, too, whatever path it was recorded at.
func TestStoryWebsocketURL(t *testing.T) {
	text := strings.ReplaceAll(story, storyWS, "/streams/"+storyID)
	if text == story {
		t.Fatal("the stream is elsewhere")
	}
	throughDoors(t, text, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		if status, data, err := follow(t, door, "/ws9?assembly="+storyID, ""); status != 200 || len(data) != 4 || err != nil {
			t.Errorf("it gets %d %q, %v", status, data, err)
		}
		req := newRequest(t, "GET", "/ws9?assembly="+strings.Repeat("0", 32))
		if res, err := door.RoundTrip(req); err == nil && res.StatusCode == 200 {
			t.Error("another Assembly has the stream as well")
		}
	})
}

// Where a recording has paths only, as one that was written by hand may, the URLs of an Assembly
// lead to the server that plays it all the same.
func TestStoryOfPaths(t *testing.T) {
	text := openedStream + quotedRead("id: "+storyID+"\n\ndata: assembly_finished\n\n") + eof
	text = strings.ReplaceAll(text, "/s", storyWS)
	throughDoors(t, text, replay.Playback{Speed: replay.MaxSpeed}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		a := ask(t, door, "POST", "/assemblies").assembly(t, storyID)
		for _, url := range []string{a.UpdateStreamURL, a.AssemblySSLURL} {
			if !strings.HasPrefix(url, "http") {
				t.Fatalf("the Assembly is at %q", url)
			}
			if got := ask(t, door, "GET", url); got.status != 200 || !strings.Contains(got.body, storyID) {
				t.Errorf("%s is answered with %d %s", url, got.status, got.body)
			}
		}
	})
}

// The list of what there is answers GET and HEAD, and no other request for /.
func TestHandlerRoot(t *testing.T) {
	door := mustLoad(t, story).Handler(replay.Playback{})
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 404, "PUT": 404, "DELETE": 404, "OPTIONS": 204} {
		w := httptest.NewRecorder()
		if door.ServeHTTP(w, newRequest(t, method, "/")); w.Code != want {
			t.Errorf("%s / is answered with %d, want %d", method, w.Code, want)
		}
	}
}

// An Assembly that fails may be told so with another status than 200, and a response about the
// request, rather than the Assembly, tells nothing.
func TestStoryFailedPoll(t *testing.T) {
	document := func(text string) string {
		return fmt.Sprintf(`{%s,"assembly_id":%q}`, text, storyID)
	}
	text := version + exchangeOf(1, "0", "POST /assemblies", 200, document(`"ok":"ASSEMBLY_EXECUTING"`)) +
		exchangeOf(2, "1", "GET "+storyPath, 429, document(`"error":"ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED"`)) +
		exchangeOf(3, "2", "GET "+storyPath, 400, document(`"error":"INVALID_FILE_META_DATA"`))
	throughDoors(t, text, replay.Playback{}, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
		ask(t, door, "POST", "/assemblies")
		for at, want := range []struct {
			status int
			text   string
		}{{200, "EXECUTING"}, {200, "EXECUTING"}, {200, "EXECUTING"}, {400, "INVALID_FILE_META_DATA"}} {
			if got := ask(t, door, "GET", storyPath); got.status != want.status || !strings.Contains(got.body, want.text) {
				t.Errorf("at %d s: %d %s, want %d %s", at, got.status, got.body, want.status, want.text)
			}
			time.Sleep(time.Second + time.Millisecond)
		}
		for d := range rec.Documents() {
			if got := d.Summary(); got.Phase != status.Failed || got.Error != "INVALID_FILE_META_DATA" {
				t.Errorf("the recording tells %+v", got)
			}
		}
	})
}

// A stream that a fault has made silent does not keep polls from going on.
func TestStorySilentStream(t *testing.T) {
	for _, end := range []replay.End{replay.EndTimeout, replay.EndReset} {
		p := replay.Playback{Faults: []replay.Fault{replay.Cut{At: replay.AtEvent(2), End: end}}}
		throughDoors(t, story, p, func(t *testing.T, rec *replay.Recording, door http.RoundTripper) {
			heard := attend(t, door, storyWS)
			time.Sleep(time.Minute)
			if a := ask(t, door, "GET", storyPath).assembly(t, storyID); a.State != status.AssemblyCompleted {
				t.Errorf("cut by %s, behind %d events, it says %s", end, len(heard.sofar()), a.State)
			}
		})
	}
}

// Silences between the polls of a job are cut short, as those of a stream are.
func TestStoryJobMaxIdle(t *testing.T) {
	text := version + exchangeOf(1, "0", "POST /v1/generate/detect", 200, `{"job":{"jobId":"j1","status":"queued"}}`)
	for i, state := range []string{"in-progress", "success"} {
		text += exchangeOf(i+2, "100", "GET /v1/jobs/j1", 200, `{"job":{"jobId":"j1","status":"`+state+`"}}`)
	}
	throughDoors(t, text, replay.Playback{MaxIdle: time.Second}, func(t *testing.T, _ *replay.Recording, door http.RoundTripper) {
		ask(t, door, "POST", "/v1/generate/detect")
		for _, want := range []string{"queued", "in-progress", "success"} {
			if got := ask(t, door, "GET", "/v1/jobs/j1").body; !strings.Contains(got, want) {
				t.Errorf("it says %s, want %s", got, want)
			}
			time.Sleep(time.Second + time.Millisecond)
		}
	})
}

// The clock of a bubble is not that of another one, nor that outside of them: the Assembly goes on
// in each, and polls of before do not count.
func TestTransportPollsInBubbles(t *testing.T) {
	door := mustLoad(t, story).Transport(replay.Playback{})
	ask(t, door, "GET", storyPath)
	for _, pause := range []time.Duration{time.Hour, 10 * time.Minute, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			for range 4 {
				time.Sleep(pause)
				if got := ask(t, door, "GET", storyPath); got.status != 200 {
					t.Errorf("every %v, a poll is answered with %d", pause, got.status)
				}
			}
			if a := ask(t, door, "GET", storyPath).assembly(t, storyID); a.State != status.AssemblyCompleted {
				t.Errorf("in the end the Status says %s", a.State)
			}
		})
	}
}

// One Transport may be used in several bubbles, one after the other, and outside of them.
func TestTransportInBubbles(t *testing.T) {
	door := mustLoad(t, story).Transport(replay.Playback{})
	ask(t, door, "GET", storyPath)
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			heard := attend(t, door, storyWS)
			time.Sleep(6 * time.Second)
			ask(t, door, "DELETE", storyPath)
			if <-heard.done; heard.err != nil || len(heard.heard) != 2 {
				t.Errorf("the stream says %v, %v", heard.heard, heard.err)
			}
			if a := ask(t, door, "GET", storyPath).assembly(t, storyID); a.State != status.AssemblyCanceled {
				t.Errorf("the Status says %s", a.State)
			}
		})
	}
	ask(t, door, "GET", storyPath).assembly(t, storyID)
}

// The answer to a client that is still uploading ends when its body does, as long as something
// comes: a server that ends it sooner resets the connection.
func TestHandlerWaitsForUpload(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration // between two pieces
		ends  time.Duration // of the response
	}{
		{"it comes", 500 * time.Millisecond, 4 * time.Second},
		{"it stalls", time.Hour, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				door := desk{mustLoad(t, story).Handler(replay.Playback{Speed: replay.MaxSpeed})}
				body, upload := io.Pipe()
				req, err := http.NewRequestWithContext(t.Context(), "POST", "http://h/assemblies", body)
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					defer upload.Close()
					for range 8 {
						time.Sleep(c.pause)
						if _, err := upload.Write(make([]byte, 1<<10)); err != nil {
							return
						}
					}
				}()
				began := time.Now()
				res, err := door.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadAll(res.Body); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != c.ends {
					t.Errorf("it ends after %v, want %v", took, c.ends)
				}
				body.Close()
				time.Sleep(9 * time.Hour) // until the uploader has noticed
			})
		})
	}
}

// A client that has closed its own half does not take what it has for all there is.
func TestHandlerHalfClosed(t *testing.T) {
	text := openedStream + quotedRead("data: a\n\n") + "= 1 +60 9\n~data: b\\n\\n\n" + eof
	server := httptest.NewServer(mustLoad(t, text).Handler(replay.Playback{}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /s HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := io.ReadAtLeast(conn, make([]byte, 1), 1); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	rest, err := io.ReadAll(conn)
	if strings.HasSuffix(string(rest), "0\r\n\r\n") {
		t.Errorf("%q ends in order, %v", rest, err)
	}
}
