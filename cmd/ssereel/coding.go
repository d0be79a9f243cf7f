package main

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/ssereel/ssereel/replay"
)

// codingOf returns what the body of x is compressed with, "" if it is not.
func codingOf(x *replay.Exchange) string {
	coding := strings.ToLower(strings.Join(x.Header.Values("Content-Encoding"), ", "))
	if coding == "identity" {
		return ""
	}
	return coding
}

// codingWatcher notes whether any event stream comes compressed: whoever reads it as it comes
// sees no events.
type codingWatcher struct {
	base  http.RoundTripper
	found atomic.Bool
}

func (t *codingWatcher) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err == nil {
		x := &replay.Exchange{StatusCode: resp.StatusCode, Header: resp.Header}
		if x.IsEventStream() && codingOf(x) != "" {
			t.found.Store(true)
		}
	}
	return resp, err
}

// unpackedEvents says how many events there are in the named recording, compressed ones too.
func unpackedEvents(name string) string {
	const unknown = "events not counted, as they are compressed"
	rec, err := replay.Open(name)
	if err != nil {
		return unknown
	}
	defer rec.Close()
	var events int64
	for _, x := range rec.Exchanges() {
		if x.IsEventStream() {
			n := numEvents(x)
			if n == nil {
				return unknown
			}
			events += *n
		}
	}
	return count(events, "event")
}

// decoded returns body, which is that of x, without the compression.
func decoded(x *replay.Exchange, body io.Reader) (io.Reader, error) {
	switch coding := codingOf(x); coding {
	case "":
		return body, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(body)
	case "deflate":
		return zlib.NewReader(body)
	default:
		return nil, fmt.Errorf("the body is compressed with %s, which cannot be undone here: record without compression", printable(coding))
	}
}
