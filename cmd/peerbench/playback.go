package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

const playbackName = "playback"

// playback compares servers that stream as fast as the client takes it, over loopback,
// each piece a chunk of its own. Each has a process on one core, and the client another.
type playback struct {
	aimock  string // the command, left out where it is not installed
	servers []*server
	free    func()
	notes   []string // what a reader of the figures should know
}

// start starts the servers. The caller has to call stop.
func (p *playback) start() (table, error) {
	t := table{name: playbackName}
	// The shorter one is kept in memory by the player, the longer read from its reel.
	counts := []int{4000, 20000}
	for _, count := range counts {
		t.inputs = append(t.inputs, input{
			name:  fmt.Sprintf("%d pieces", count),
			bytes: []byte(strings.Repeat(piece, count)),
			units: count,
		})
	}
	add := func(name string, s *server) {
		p.servers = append(p.servers, s)
		t.contenders = append(t.contenders, contender{
			name:   name,
			server: s,
			run:    func(in input) (int, error) { return s.stream(in.units) },
		})
	}
	for _, k := range kinds {
		s, err := serving{Kind: k.kind, Counts: counts}.start(1)
		if err != nil {
			p.stop()
			return t, err
		}
		add(k.name, s)
	}
	if s, err := startAimock(p.aimock, counts); err == nil {
		add("aimock", s)
	} else {
		p.notes = append(p.notes, "without aimock: "+err.Error())
	}
	var err error
	if p.free, err = spread(p.servers); err != nil {
		p.notes = append(p.notes, "not pinned to cores: "+err.Error())
	}
	return t, nil
}

func (p *playback) stop() {
	for _, s := range p.servers {
		s.stop()
	}
	if p.free != nil {
		p.free()
	}
}

// spread keeps the servers on one core and this process on another, until free is called.
func spread(servers []*server) (free func(), err error) {
	all, err := cpus()
	if err != nil {
		return nil, err
	}
	if len(all) < 2 {
		return nil, errors.New("there is but one")
	}
	for _, s := range servers {
		if err := pin(s.cmd.Process.Pid, all[0]); err != nil {
			return nil, err
		}
	}
	return func() { pin(os.Getpid(), all...) }, pin(os.Getpid(), all[1])
}

// stream asks for a stream of so many pieces and returns how many chunks came.
func (s *server) stream(count int) (chunks int, err error) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	request := "GET " + s.path(count) + " HTTP/1.1\r\nHost: " + s.addr + "\r\nConnection: close\r\n\r\n"
	if s.request != nil {
		request = s.request(count)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return 0, err
	}
	return countChunks(bufio.NewReaderSize(conn, 64<<10))
}

// countChunks reads a chunked response to its end: RFC 9112, section 7.1.
func countChunks(r *bufio.Reader) (chunks int, err error) {
	status, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		return 0, fmt.Errorf("the server answers %q", strings.TrimSpace(status))
	}
	for line := status; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			return 0, err
		}
	}
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return chunks, err
		}
		size := 0
		for _, c := range line[:max(len(line)-2, 0)] {
			digit := strings.IndexByte("0123456789abcdef", c|0x20)
			if digit < 0 {
				return chunks, fmt.Errorf("%q begins no chunk", line)
			}
			size = size<<4 | digit
		}
		if size == 0 {
			return chunks, nil
		}
		if _, err := r.Discard(size + len("\r\n")); err != nil {
			return chunks, err
		}
		chunks++
	}
}

// aimockAround is how many chunks aimock sends around those of the text: the role, the
// reason for the end, and [DONE].
const aimockAround = 3

// startAimock starts the mock server of that command, llmock of the npm package
// @copilotkit/aimock, to stream texts of one letter a chunk.
func startAimock(command string, counts []int) (*server, error) {
	program, err := exec.LookPath(command)
	if err != nil {
		return nil, fmt.Errorf("%w; see --aimock", err)
	}
	type fixture struct {
		Match    map[string]string `json:"match"`
		Response map[string]string `json:"response"`
	}
	var fixtures struct {
		Fixtures []fixture `json:"fixtures"`
	}
	for _, count := range counts {
		fixtures.Fixtures = append(fixtures.Fixtures, fixture{
			Match:    map[string]string{"userMessage": aimockMessage(count)},
			Response: map[string]string{"content": strings.Repeat("x", count-aimockAround)},
		})
	}
	file, err := os.CreateTemp("", "peerbench-*.json")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	err = errors.Join(json.NewEncoder(file).Encode(fixtures), file.Close())
	if err != nil {
		return nil, err
	}
	s := &server{foreign: true, cmd: exec.Command(program, "--port", "0", "--chunk-size", "1", "--fixtures", file.Name())}
	if err := s.run(); err != nil {
		return nil, err
	}
	for s.addr == "" {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.stop()
			return nil, fmt.Errorf("%s did not start", program)
		}
		if found := listening.FindStringSubmatch(line); found != nil {
			s.addr = found[1]
		}
	}
	go io.Copy(io.Discard, s.out)
	s.request = func(count int) string {
		body := `{"model":"gpt-4","stream":true,"messages":[{"role":"user","content":` + strconv.Quote(aimockMessage(count)) + `}]}`
		return fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", s.addr, len(body), body)
	}
	return s, nil
}

// aimockMessage is what aimock answers with a text of so many chunks. None is a part of
// another, because it looks for it anywhere in what it is told.
func aimockMessage(count int) string { return fmt.Sprintf("<%d>", count) }

var listening = regexp.MustCompile(`listening on http://(\S+)`)
