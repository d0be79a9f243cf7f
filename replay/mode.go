package replay

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"
)

// Mode says whether a [Reel] is recorded or replayed.
type Mode string

const (
	ModeOnce        Mode = "once"        // replay the reel; record it if there is none
	ModeAuto        Mode = "auto"        // replay what the reel holds, and record what it lacks
	ModeReplay      Mode = "replay"      // replay the reel, and never use the network
	ModeRecord      Mode = "record"      // record the reel anew
	ModePassthrough Mode = "passthrough" // neither: let every request through
)

// Reel is a file of recorded exchanges in use by a program: an http.RoundTripper that
// replays what the file holds, or records to it, or both, as its [Mode] says.
//
// What answers a request has to be of the same method, host, path, query and body: but
// for their credentials, the order of parameters and of members of JSON, and the boundary
// of a form. Requests that are the same are answered by the recorded ones in their
// order, and by the last of them from then on. A request that the reel does not hold, in
// a mode that does not record, is an error that wraps [ErrNotRecorded] and shows the
// nearest one that it holds, and what differs.
//
// A Reel may be used by several goroutines at once.
type Reel struct {
	file     *os.File // that is written to, nil if none is
	rec      *Recording
	recorder *Recorder         // nil where nothing is recorded
	base     http.RoundTripper // for what is not replayed
	player   *player           // nil where nothing is replayed
	name     string

	mu     sync.Mutex
	served map[*Exchange]bool
}

// ReelOptions are what two users of a [Reel] may want in different ways. The zero value
// is ready for use.
type ReelOptions struct {
	// Base sends the requests that are not replayed; nil means http.DefaultTransport.
	Base http.RoundTripper

	// Playback is how responses are replayed. URLs stay as they were recorded.
	Playback Playback

	// Redact is the Recorder's.
	Redact func(text []byte)
}

// OpenReel returns the reel in the named file. Close it: a reel that was recorded is
// sealed then.
//
// Unless the mode is ModeRecord, a reel that is there is kept: one that is damaged is an
// error, and one that is truncated as well, unless the mode is ModeReplay, which replays
// what is good, or ModeAuto, which cuts off what is not whole and goes on behind it.
func OpenReel(name string, mode Mode, o ReelOptions) (*Reel, error) {
	r := &Reel{name: name, base: o.Base, served: make(map[*Exchange]bool)}
	if r.base == nil {
		r.base = http.DefaultTransport
	}
	var err error
	switch mode {
	case ModePassthrough:
		return r, nil
	case ModeRecord:
		err = r.create(os.O_TRUNC)
	case ModeOnce, ModeAuto, ModeReplay, "":
		err = r.load(mode, o)
		if errors.Is(err, fs.ErrNotExist) && mode != ModeReplay {
			err = r.create(os.O_EXCL)
		}
	default:
		return nil, fmt.Errorf("replay: there is no mode %q: it is %s, %s, %s, %s or %s",
			mode, ModeOnce, ModeAuto, ModeReplay, ModeRecord, ModePassthrough)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	if r.recorder != nil {
		r.recorder.Redact = o.Redact
	}
	return r, nil
}

// create makes the file and a recorder that writes to it.
func (r *Reel) create(flag int) (err error) {
	r.file, err = os.OpenFile(r.name, os.O_WRONLY|os.O_CREATE|flag, 0o600)
	if err != nil {
		return err
	}
	r.recorder, err = NewRecorder(r.file, r.base)
	return err
}

// load opens the file to replay it, and to go on with it in ModeAuto.
func (r *Reel) load(mode Mode, o ReelOptions) error {
	rec, err := Open(r.name)
	r.rec = rec
	if err != nil && !(errors.Is(err, ErrTruncated) && (mode == ModeReplay || mode == ModeAuto)) {
		if errors.Is(err, ErrTruncated) {
			err = fmt.Errorf("%w: record it anew", err)
		}
		return err
	}
	r.player = newPlayer(rec, o.Playback)
	if mode != ModeAuto {
		return nil
	}
	r.file, err = os.OpenFile(r.name, os.O_RDWR, 0)
	if err == nil {
		r.recorder, err = resumeRecorder(r.file, rec, r.base)
	}
	return err
}

// resumeRecorder returns a Recorder that goes on with the reel in f, which rec was loaded
// from, behind all that is whole in it.
func resumeRecorder(f *os.File, rec *Recording, base http.RoundTripper) (*Recorder, error) {
	if err := f.Truncate(rec.whole); err != nil {
		return nil, err
	}
	// The next seal is about what no seal is about yet, too.
	unsealed := crc32.New(castagnoli)
	size, err := io.Copy(unsealed, io.NewSectionReader(f, rec.sealFrom, rec.whole-rec.sealFrom))
	if err == nil {
		_, err = f.Seek(rec.whole, io.SeekStart)
	}
	if err != nil {
		return nil, err
	}
	now := time.Now().Round(time.Microsecond)
	w := &Writer{w: f, at: rec.duration, size: size, sum: unsealed.Sum32()}
	if rec.whole == 0 {
		w.buf = append(w.buf, firstLine+"\n"...)
	}
	w.clock(now)
	if err := w.flush(); err != nil {
		return nil, err
	}
	for _, x := range rec.exchanges {
		w.exchanges = max(w.exchanges, x.Number)
		if x.End == EndUnknown {
			torn := &ExchangeWriter{w: w, number: x.Number, size: x.Size, sum: x.sum}
			torn.End(rec.duration, EndReset, errors.New("the recording was cut off"))
		}
	}
	return &Recorder{base: base, w: w, start: now.Add(-rec.duration), open: make(map[*ExchangeWriter]struct{})}, nil
}

// RoundTrip answers req from the reel, or sends it and records what comes back.
func (r *Reel) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.player == nil || req.URL == nil {
		return r.send(req)
	}
	asked, err := newQuestion(req)
	if err != nil {
		return nil, err
	}
	x := r.choose(asked)
	if x == nil && r.recorder != nil {
		return r.send(asked.request())
	}
	if x == nil {
		return nil, fmt.Errorf("replay: %s is %w %s%s", asked, ErrNotRecorded, r.name, asked.nearest(r.rec.exchanges))
	}
	return respond(req, r.player.ready(req, r.player.play(x, x.Sent, 0), ""))
}

func (r *Reel) send(req *http.Request) (*http.Response, error) {
	if r.recorder == nil {
		return r.base.RoundTrip(req)
	}
	return r.recorder.RoundTrip(req)
}

// choose returns the exchange that answers the question: of those that do, the first that
// has not answered yet, or else the last.
func (r *Reel) choose(asked *question) *Exchange {
	s := r.player.matcher().byPath[asked.path]
	if s == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var last *Exchange
	queries := s.queries()
	for i, x := range s.exchanges {
		if !asked.answeredBy(x, queries[i]) {
			continue
		}
		if last = x; !r.served[x] {
			break
		}
	}
	if last != nil {
		r.served[last] = true
	}
	return last
}

// Recording returns what the reel held when it was opened, nil where there was nothing
// to replay.
func (r *Reel) Recording() *Recording {
	if r.player == nil {
		return nil
	}
	return r.rec
}

// Err returns the error that has ended the recording, nil while there is none. Requests
// are sent, without being recorded, after it.
func (r *Reel) Err() error {
	if r.recorder == nil {
		return nil
	}
	return r.recorder.Err()
}

// CloseIdleConnections does what it does for the transport beneath, if that has
// connections to close. http.Client has it called.
func (r *Reel) CloseIdleConnections() {
	if base, ok := r.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// Close ends the recording, if there is one, as [Recorder.Close] does, and closes the
// file. What is being replayed breaks.
func (r *Reel) Close() error {
	var err error
	if r.recorder != nil {
		err = r.recorder.Close()
	}
	return cmp.Or(err, r.close())
}

func (r *Reel) close() error {
	var err error
	if r.rec != nil {
		err = r.rec.Close()
	}
	if r.file != nil {
		err = cmp.Or(r.file.Close(), err)
	}
	return err
}
