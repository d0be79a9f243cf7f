package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"

	"github.com/launchdarkly/eventsource"
	"github.com/openai/openai-go/v3/packages/ssestream"
	r3labs "github.com/r3labs/sse/v2"
	gosse "github.com/tmaxmax/go-sse"

	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/testdata"
)

// Every contender reads an io.Reader and gets the limit raised that would stop it.
const maxEvent = 16 << 20

func streamTable() table {
	return table{
		name: "stream",
		inputs: []input{
			{"tokens", testdata.Tokens(8000), 8000},
			{"progress", testdata.Progress(6000), 6000},
			{"assembly", testdata.Assembly(150), 150 * testdata.AssemblyEvents},
			{"large", testdata.Large(128), 128},
			{"crlf", testdata.CRLF(testdata.Progress(6000)), 6000},
		},
		contenders: []contender{
			{name: "ssereel/ssewire", run: readSsewire},
			{name: "bufio.Scanner (lines only)", run: readScanner, loose: true},
			{name: "openai-go ssestream", run: readOpenAI},
			// The next two make an event of a block that holds only an id.
			{name: "tmaxmax/go-sse Read", run: readGoSSE, loose: true},
			{name: "launchdarkly/eventsource", run: readLaunchDarkly, loose: true},
			// Its reader ends where the blocks are apart; fields are read further up.
			{name: "r3labs/sse (blocks only)", run: readR3labs, loose: true},
		},
	}
}

func readSsewire(in input) (n int, err error) {
	r := ssewire.NewReader(bytes.NewReader(in.bytes))
	for r.Next() {
		_ = r.Event()
		n++
	}
	return n, r.Err()
}

func readScanner(in input) (n int, err error) {
	s := bufio.NewScanner(bytes.NewReader(in.bytes))
	s.Buffer(nil, maxEvent)
	for s.Scan() {
		n++
	}
	return n, s.Err()
}

func readOpenAI(in input) (n int, err error) {
	d := ssestream.NewDecoder(&http.Response{Body: io.NopCloser(bytes.NewReader(in.bytes))})
	for d.Next() {
		_ = d.Event()
		n++
	}
	return n, d.Err()
}

func readGoSSE(in input) (n int, err error) {
	for _, err := range gosse.Read(bytes.NewReader(in.bytes), &gosse.ReadConfig{MaxEventSize: maxEvent}) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func readLaunchDarkly(in input) (n int, err error) {
	d := eventsource.NewDecoder(bytes.NewReader(in.bytes))
	for {
		if _, err := d.Decode(); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n++
	}
}

func readR3labs(in input) (n int, err error) {
	r := r3labs.NewEventStreamReader(bytes.NewReader(in.bytes), maxEvent)
	for {
		if _, err := r.ReadEvent(); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n++
	}
}
