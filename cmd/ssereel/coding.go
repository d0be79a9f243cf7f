package main

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"

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
