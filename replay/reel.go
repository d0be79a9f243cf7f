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
	"path/filepath"
	"slices"
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
// What answers a request has to be of the same method, host, path, query and body. What
// need not be the same: credentials and their expiry; the order of
// parameters and of members of JSON; the boundary of a form; the port of a loopback host
// that the reel does not know, since a test's own server gets another at each run. Of a
// body that was recorded in part, that part counts. A request whose body was not
// recorded matches any body.
//
// Where several loopback servers were asked the same, one with a new port is recognised by a
// request that only one of them got, or as the only one left when the others are
// known. Otherwise such a request is an error, in ModeAuto too, since the answer might be
// another server's: give them the same ports at each run, or a reel each. Where only one was
// asked, any server with a new port is taken for it.
//
// Requests that are the same are answered by the recorded ones in their order, and by the
// last of them from then on. An event stream goes on after a Last-Event-ID as with
// [Recording.Handler]; of several that were played, the last one that has that ID goes on. A
// request that the reel does not hold, in a mode that does not record, is an error that
// wraps [ErrNotRecorded] and shows the nearest one that it holds, and what differs.
//
// A response that the program gave up when it was recorded breaks there for one that reads on,
// as nobody knows how it went on.
//
// Recording does not change what the program sees, though reads wait for the file: see
// [Recorder].
//
// A Reel may be used by several goroutines at once. A file may be replayed by several
// Reels, but recorded by one only: a Reel that finds the file changed by another stops
// recording, and its Close says so.
type Reel struct {
	name    string
	mode    Mode
	options ReelOptions
	base    http.RoundTripper // for what is not replayed
	rec     *Recording
	player  *player
	answers *answers // nil where nothing is replayed

	// The reel that is recorded. Of the names, file and part are as errors show them; path and
	// target begin at the root, as the program may go to another directory.
	file   *os.File // that is written to, nil if none is
	part   string   // its name until it is whole, "" where the reel is written in place
	path   string   // its name
	target string   // the name that it is to have
	torn   bool     // it goes on behind what is whole, even where it lacks nothing

	mu       sync.Mutex
	out      *appender // to the file, nil until something is recorded
	tail     []byte    // what it has cut off
	recorder *Recorder // begun by the first request that is recorded
	err      error     // it could not be begun
	closed   bool
	closeErr error
}

// ReelOptions are the options of [OpenReel]. The zero value is ready for use.
type ReelOptions struct {
	// Base sends the requests that are not replayed; nil means http.DefaultTransport.
	Base http.RoundTripper

	// Playback is how responses are replayed. URLs stay as they were recorded.
	Playback Playback

	// Redact is the Recorder's. Requests are compared as it leaves them.
	Redact func(text []byte)
}

// OpenReel returns the reel in the named file; the empty mode is ModeOnce. Close it: a reel
// that was recorded is sealed then.
//
// In ModeOnce and ModeRecord what is recorded goes to a file of that name with .part
// appended, which takes the place of the reel when it is closed: there is never half a
// reel, and an old one is there until the new one is whole. In ModeAuto the reel is
// written in place, where anything is missing, so that a program that dies loses
// nothing. The directory is made, if need be. A file without a byte is no reel yet.
//
// A reel that is damaged is an error, unless the mode is ModeRecord. One that is truncated
// is as well, unless the mode is ModeReplay, which replays what is good, or ModeAuto, which
// asks again for what had no end: when it first records, or is closed, it cuts off what is
// not whole, and goes on after that.
func OpenReel(name string, mode Mode, o ReelOptions) (*Reel, error) {
	r := &Reel{name: name, mode: cmp.Or(mode, ModeOnce), options: o, base: o.Base}
	if r.base == nil {
		r.base = http.DefaultTransport
	}
	if err := r.open(); err != nil {
		r.closeFiles()
		return nil, err
	}
	return r, nil
}

func (r *Reel) open() error {
	switch r.mode {
	case ModePassthrough:
		return nil
	case ModeOnce, ModeAuto, ModeReplay, ModeRecord:
	default:
		return fmt.Errorf("replay: there is no mode %q: it is %s, %s, %s, %s or %s",
			r.mode, ModeOnce, ModeAuto, ModeReplay, ModeRecord, ModePassthrough)
	}
	info, err := os.Stat(r.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	switch isThere := err == nil; {
	case isThere && !info.Mode().IsRegular():
		return fmt.Errorf("%s: not a regular file", r.name)
	case !isThere && r.mode == ModeReplay:
		return fmt.Errorf("%w: record it in mode %s", err, ModeOnce)
	case isThere && info.Size() > 0 && r.mode != ModeRecord, r.mode == ModeReplay:
		torn, err := r.load()
		if err != nil || r.mode != ModeAuto {
			return err
		}
		r.torn = torn
	}
	name := behindLinks(r.name)
	if r.target, err = filepath.Abs(name); err != nil {
		return err
	}
	r.path = r.target
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	if r.mode == ModeAuto {
		flag := os.O_RDWR
		if r.rec == nil {
			flag |= os.O_CREATE
		}
		r.file, err = os.OpenFile(name, flag, 0o600)
		return err
	}
	// What a program that died has left there is of no use. If another is at it, it is
	// told when it closes its reel.
	r.part, r.path = name+".part", r.target+".part"
	if err := os.Remove(r.part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.file, err = os.OpenFile(r.part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return err
}

// load opens the file to replay it, and returns whether it is truncated.
func (r *Reel) load() (torn bool, err error) {
	rec, err := Open(r.name)
	r.rec = rec
	switch {
	case err == nil:
	case !errors.Is(err, ErrTruncated):
		return false, fmt.Errorf("%w: put it right, or record it anew in mode %s", err, ModeRecord)
	case r.mode == ModeOnce:
		return true, fmt.Errorf("%w: record it anew in mode %s, or go on with it in mode %s", err, ModeRecord, ModeAuto)
	}
	r.player = newPlayer(rec, r.options.Playback)
	r.answers = newAnswers(rec.exchanges, r.mode == ModeAuto)
	return err != nil, nil
}

// record returns the Recorder, and begins the recording if need be. It returns nil where
// nothing is recorded.
func (r *Reel) record() *Recorder {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.begin()
	}
	return r.recorder
}

// begin begins the recording, unless there is one, or cannot be.
func (r *Reel) begin() {
	if r.out != nil || r.file == nil {
		return
	}
	r.out = &appender{file: r.file}
	var recorder *Recorder
	if r.rec == nil {
		recorder, r.err = NewRecorder(r.out, r.base)
	} else {
		recorder, r.err = r.resumeRecorder()
	}
	if r.err != nil {
		return
	}
	recorder.Redact = r.options.Redact
	r.recorder = recorder
}

// appender writes records to the end of a file, unless it is not the end that it knows.
type appender struct {
	file *os.File
	size int64
}

var errShared = errors.New("something else has written to the file since this program opened it: use one Reel for all that is recorded to a file")

func (a *appender) Write(p []byte) (int, error) {
	info, err := a.file.Stat()
	if err == nil && info.Size() != a.size {
		err = errShared
	}
	if err != nil {
		return 0, err
	}
	if n, err := a.file.WriteAt(p, a.size); err != nil {
		if a.file.Truncate(a.size) == nil { // where the disk is full, to end with a whole record
			n = 0
		}
		return n, err
	}
	a.size += int64(len(p))
	return len(p), nil
}

// cutOff is why an exchange of a reel has ended whose recording was gone on with.
const cutOff = "the recording was cut off"

// resumeRecorder returns a Recorder that goes on with the reel behind all that is whole in
// it.
func (r *Reel) resumeRecorder() (*Recorder, error) {
	f, rec := r.file, r.rec
	r.out.size = rec.whole
	info, err := f.Stat()
	if err == nil && info.Size() != rec.size {
		err = errShared
	}
	if err == nil {
		r.tail, err = io.ReadAll(io.NewSectionReader(f, rec.whole, rec.size-rec.whole))
	}
	if err == nil {
		err = f.Truncate(rec.whole)
	}
	// The next seal is about what no seal is about yet, too.
	unsealed := crc32.New(castagnoli)
	var size int64
	if err == nil {
		size, err = io.Copy(unsealed, io.NewSectionReader(f, rec.sealFrom, rec.whole-rec.sealFrom))
	}
	if err != nil {
		return nil, err
	}
	now := time.Now()
	w := &Writer{w: r.out, at: rec.duration, size: size, sum: unsealed.Sum32()}
	if rec.whole == 0 {
		w.buf = append(w.buf, firstLine+"\n"...)
	}
	w.clock(now.Round(time.Microsecond))
	if err := w.flush(); err != nil {
		return nil, err
	}
	for _, x := range rec.exchanges {
		w.exchanges = max(w.exchanges, x.Number)
		if x.End != EndUnknown {
			continue
		}
		// The sum that was taken while the reel was loaded is of what was torn, too.
		sum := crc32.New(castagnoli)
		size, err := io.Copy(sum, x.Body())
		if err != nil {
			return nil, err
		}
		torn := &ExchangeWriter{w: w, number: x.Number, size: size, sum: sum.Sum32()}
		torn.End(rec.duration, EndReset, errors.New(cutOff))
	}
	return &Recorder{base: r.base, w: w, start: now.Add(-rec.duration), open: make(map[*ExchangeWriter]struct{})}, nil
}

// RoundTrip answers req from the reel, or sends it and records what comes back.
func (r *Reel) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.answers == nil || req.URL == nil {
		return r.send(req)
	}
	began := time.Now()
	asked := newQuestion(req, r.options.Redact)
	x, had, err := r.answers.choose(asked)
	if x != nil && x.StatusCode == http.StatusSwitchingProtocols && r.mode == ModeAuto {
		// A reel has but one side of what comes then. It has that already.
		return r.base.RoundTrip(asked.request())
	}
	if err == nil && x == nil && r.mode == ModeAuto {
		resp, err := r.send(asked.request())
		if resp != nil {
			resp.Request = req
		}
		return resp, err
	}
	if err == nil && x == nil {
		err = fmt.Errorf("replay: %s: %w %s%s", asked, ErrNotRecorded, r.name, r.answers.nearest(asked))
	}
	over := asked.discard()
	r.mu.Lock()
	closed := r.closed
	r.mu.Unlock()
	if closed {
		err = fmt.Errorf("replay: %s: the reel %s %w", asked, r.name, permanentError("is closed"))
	}
	if err != nil {
		over()
		return nil, err
	}
	may := func(y *Exchange) bool { return y == x || slices.Contains(had, y) }
	p := r.player.replay(x, asked.lastEventID, may)
	p.began = began
	if p.end == EndCanceled && p.length < 0 {
		p.end, p.cause = EndReset, "where its client left when it was recorded (to have the rest, record it anew)"
	}
	p.finally(over)
	return respond(req, r.player.ready(req, p, ""))
}

func (r *Reel) send(req *http.Request) (*http.Response, error) {
	if rec := r.record(); rec != nil {
		return rec.RoundTrip(req)
	}
	return r.base.RoundTrip(req)
}

// Err returns the error that has ended the recording, nil while there is none. Requests
// are sent, without being recorded, after it.
func (r *Reel) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recordErr()
}

func (r *Reel) recordErr() error {
	if r.err != nil || r.recorder == nil {
		return r.err
	}
	return r.recorder.Err()
}

// CloseIdleConnections closes the idle connections of the transport beneath, if it has any.
// http.Client calls it.
func (r *Reel) CloseIdleConnections() {
	if base, ok := r.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// Close ends the recording, if there is one, as [Recorder.Close] does, and closes the
// file. Where no request was recorded, the file stays as it was, or is not there. What is
// being replayed breaks, unless it is in memory. A second Close returns what the first did.
//
// After it, a request that would have been replayed is an error, and so is one that the
// reel lacks where it was only replayed. All others are sent, without being recorded.
func (r *Reel) Close() error { return r.finish(true) }

// Discard is Close for a program that has failed, so that what it recorded is not what
// it should be: the reel is left unchanged; if there was none, none is created. In ModeOnce
// and ModeRecord, what was recorded is in the named file, until the next recording.
func (r *Reel) Discard() (name string, err error) {
	err = r.finish(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.part != "" && r.recorder != nil {
		name = r.part
	}
	return name, err
}

func (r *Reel) finish(keep bool) error {
	r.mu.Lock()
	defer r.mu.Unlock() // not before the file is as it stays, which a second call waits for
	if r.closed {
		return r.closeErr
	}
	r.closed = true
	if keep && r.torn && r.out == nil {
		if r.begin(); errors.Is(r.err, errShared) {
			r.err = nil // another has done it
		}
	}
	// The responses that are under way may write to the reel until here.
	if r.recorder != nil {
		r.recorder.Close()
	}
	err := r.recordErr()
	if r.file != nil && (err == nil || !keep && !errors.Is(err, errShared)) {
		err = cmp.Or(err, r.settle(keep))
	}
	if err == nil && r.part != "" && keep && r.recorder != nil {
		err = r.file.Sync() // or the name might be on the disk before what it names
	}
	r.closeErr = cmp.Or(err, r.closeFiles())
	if r.closeErr == nil && r.part != "" && keep && r.recorder != nil {
		if err := os.Rename(r.path, r.target); err != nil {
			r.closeErr = fmt.Errorf("replay: %s cannot take the place of %s: %w", r.part, r.name, withoutNames(err))
		}
	}
	return r.closeErr
}

// settle leaves the file as it is to stay, but for its name.
func (r *Reel) settle(keep bool) error {
	name := cmp.Or(r.part, r.name)
	here, err := r.file.Stat()
	if err != nil {
		return err
	}
	switch there, err := os.Stat(r.path); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("replay: %s: something else, such as another Reel, has taken the file away since this program opened it: %w", name, withoutNames(err))
	case err != nil:
		return fmt.Errorf("replay: %s: %w", name, withoutNames(err))
	case !os.SameFile(here, there), !keep && r.out != nil && here.Size() != r.out.size:
		return fmt.Errorf("replay: %s: %w", name, errShared)
	}
	switch {
	case r.recorder != nil && (keep || r.part != ""):
		return nil
	case r.rec != nil && r.out != nil && !keep:
		err := r.file.Truncate(r.rec.whole)
		if err == nil && len(r.tail) > 0 {
			_, err = r.file.WriteAt(r.tail, r.rec.whole)
		}
		return err
	case r.rec == nil && (here.Size() == 0 || r.out != nil):
		r.file.Close() // some systems want that first
		if err := os.Remove(r.path); err != nil {
			return fmt.Errorf("replay: %s: %w", name, withoutNames(err))
		}
	}
	return nil
}

// withoutNames returns why something could not be done with a file, for an error that has
// the name which the program knows.
func withoutNames(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// behindLinks returns the name of the file that is there under that name, or would be if it
// were made: a symbolic link stays one.
func behindLinks(name string) string {
	for range 100 { // as many as no system follows
		if real, err := filepath.EvalSymlinks(name); err == nil {
			return real
		}
		to, err := os.Readlink(name)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			dir := filepath.Dir(name)
			if real, err := filepath.EvalSymlinks(dir); err == nil {
				dir = real // which .. in to begins at
			}
			to = filepath.Join(dir, to)
		}
		name = to
	}
	return name
}

func (r *Reel) closeFiles() error {
	var err error
	if r.file != nil {
		if err = r.file.Close(); errors.Is(err, fs.ErrClosed) {
			err = nil
		}
	}
	if r.rec != nil {
		err = cmp.Or(r.rec.Close(), err)
	}
	return err
}
