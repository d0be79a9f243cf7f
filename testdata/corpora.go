// Package testdata holds what tests, benchmarks, examples and the demo share:
// recordings, and the generated streams that the benchmarks are named after.
package testdata

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/ssereel/ssereel/replay"
)

// Tokens returns n events as a language model streams them: one JSON delta of
// about 120 bytes each, without a type.
func Tokens(n int) []byte {
	words := strings.Fields("the stream goes on where it was cut and nobody who reads it can tell")
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "data: {\"id\":\"cmpl-7f3a90c2\",\"object\":\"chunk\",\"created\":1778170257,\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n",
			" "+words[i%len(words)])
	}
	return b.Bytes()
}

// Progress returns n assembly_execution_progress events of about 160 bytes.
func Progress(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "event: assembly_execution_progress\ndata: {\"progress_combined\":%d,\"progress_per_original_file\":[{\"original_id\":\"0c53dea3f503449d89d1ab9bc0348091\",\"progress\":%d}]}\n\n",
			i*100/n, i*100/n)
	}
	return b.Bytes()
}

// Assembly returns the update stream of assembly.reel n times over, three of whose
// events are results of 1.8 KB.
func Assembly(n int) []byte {
	reel, err := Recordings.ReadFile("assembly.reel")
	if err != nil {
		panic(err)
	}
	rec, err := replay.Load(bytes.NewReader(reel), int64(len(reel)))
	if err != nil {
		panic(err)
	}
	body, err := io.ReadAll(rec.Exchanges()[0].Body())
	if err != nil {
		panic(err)
	}
	return bytes.Repeat(body, n)
}

// AssemblyEvents is the number of events in Assembly(1).
const AssemblyEvents = 12

// Large returns n events of 8 KB of JSON each.
func Large(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "event: snapshot\ndata: {\"revision\":%d,\"rows\":[", i)
		for k := 0; k < 90; k++ {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "{\"row\":%d,\"name\":\"result-%d.jpeg\",\"size\":%d,\"md5hash\":\"6a1b43adf3e8c4b6b62f1ea3b38eee2d\"}", k, k, 1281589+i*k)
		}
		b.WriteString("]}\n\n")
	}
	return b.Bytes()
}

// CRLF returns stream with every LF made a CRLF.
func CRLF(stream []byte) []byte {
	return bytes.ReplaceAll(stream, []byte("\n"), []byte("\r\n"))
}

// Heartbeat returns n comments, as servers send them to keep a connection open,
// with one event behind each hundred.
func Heartbeat(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		b.WriteString(": keep-alive\n\n")
		if i%100 == 99 {
			fmt.Fprintf(&b, "data: %d\n\n", i)
		}
	}
	return b.Bytes()
}

// Line returns an event with one data line of size bytes.
func Line(size int) []byte {
	return []byte("data: " + strings.Repeat("x", size) + "\n\n")
}
