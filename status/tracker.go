package status

import (
	"cmp"
	"maps"
	"strings"
)

// A Tracker knows how an Assembly stands, from the updates of its stream and from
// polled Statuses, in whatever order and however often they come. The zero
// Tracker has heard nothing yet.
//
// It never goes backwards: an old poll does not make a completed Assembly execute
// again, nor do Percent and FilePercent shrink. An upload or result that is reported twice,
// in whatever way, is one; results that come after the end are kept; an error after a successful
// end is ignored. A result without the name of its Step has to wait for a Status that lists it.
// The same news leads to the same Assembly in any order; only the order among files and Steps
// that no Status has listed yet is that of their arrival.
//
// Where Statuses contradict each other the one that is further on supplies the fields. Of two
// versions of a file the one that does not expire wins, or else the one that says more. The
// Message of a Status goes when an update brings another state.
//
// A Tracker is about one Assembly: that of the first Status with an ID. Updates have no ID, so
// give it only those of that Assembly's stream.
//
// A Tracker is not safe for concurrent use. It keeps only copies of what it is given.
type Tracker struct {
	now      Assembly
	verdict  verdict
	base     *standing // the Status that supplies the fields; nil if there was none
	fields   Assembly  // what base says, without its files
	progress float64   // percent, the highest of all
	known    bool      // some progress has been reported
	perFile  map[string]float64
	files    map[fileKey]place // where each file is in now
	steps    map[string]int    // where each Step is in now
	extra    bool              // a message has said that the meta data is extracted
}

// A Change says what an update or a Status changed.
type Change struct {
	State    bool     // Assembly().State or Assembly().Error
	Progress bool     // Percent or FilePercent
	Fields   bool     // any other field but Uploads and Results
	Uploads  []File   // the uploads that are new or known better
	Results  []Result // the results that are new or known better
}

// Any reports whether anything has changed.
func (c Change) Any() bool {
	return c.State || c.Progress || c.Fields || len(c.Uploads) > 0 || len(c.Results) > 0
}

// A Result is a file with the Step that it is a result of.
type Result struct {
	Step string
	File File
}

// fileKey identifies a file. A file without an id is identified by its whole text.
type fileKey struct {
	upload bool
	step   string
	id     string
}

// place is where a file is: in the step of that index, which is meaningless for an
// upload.
type place struct{ step, file int }

// Assembly returns the Assembly as it stands. It belongs to the Tracker, which changes it
// with the next Update or Status; what AppendJSON appends stays.
func (t *Tracker) Assembly() *Assembly { return &t.now }

// Percent returns how much of the execution is done, from 0 to 100.
func (t *Tracker) Percent() (percent float64, known bool) {
	if t.now.State == AssemblyCompleted {
		return 100, true
	}
	return t.progress, t.known
}

// FilePercent returns how much of what is made from an upload is done, from 0 to 100.
func (t *Tracker) FilePercent(originalID string) (percent float64, known bool) {
	percent, known = t.perFile[originalID]
	if known && t.now.State == AssemblyCompleted {
		return 100, true
	}
	return percent, known
}

// Summary is the Assembly's. Its progress is that of the upload while the Assembly is
// uploading, and from then on Percent, from 0 to 1, once that is known.
func (t *Tracker) Summary() Summary {
	s := t.now.Summary()
	if p, known := t.Percent(); known && t.now.State != AssemblyUploading {
		s.Progress, s.ProgressKnown = p/100, true
	}
	return s
}

// AppendJSON appends the Assembly as it stands to dst, as Assembly.AppendJSON does.
func (t *Tracker) AppendJSON(dst []byte) ([]byte, error) { return t.now.AppendJSON(dst) }

// Update folds one update in and says what it changed.
func (t *Tracker) Update(u Update) Change {
	var c Change
	switch u.Kind {
	case UpdateUploadFinished:
		if u.File != nil {
			t.add(&c, true, "", u.File)
		}
	case UpdateResultFinished:
		if u.File != nil && !u.nowhere { // or else it would be there twice with the Status that says where
			t.add(&c, false, u.Step, u.File)
		}
	case UpdateMetaDataExtracted:
		c.Fields = !t.now.MetaDataExtracted
		t.extra, t.now.MetaDataExtracted = true, true
	case UpdateUploadingFinished:
		t.judge(&c, verdict{state: AssemblyExecuting})
	case UpdateAssemblyFinished:
		t.judge(&c, verdict{state: AssemblyCompleted})
	case UpdateAssemblyError:
		if f := u.Failure; f != nil {
			v := verdict{failed: true, code: f.Code, httpCode: f.HTTPCode, message: f.Message,
				step: f.Step, previousStep: f.PreviousStep, worker: f.Worker}
			// What comes in the stream is about the Assembly, whatever the code says.
			if v.code.AboutRequest() {
				v.message = cmp.Or(v.message, v.code.String())
				v.code = ""
			}
			v.code = cmp.Or(v.code, eventCode)
			t.judge(&c, v)
		}
	case UpdateExecutionProgress:
		t.advance(&c, u)
	}
	return c
}

func (t *Tracker) advance(c *Change, u Update) {
	ended := t.now.State == AssemblyCompleted // so that all that is known is at 100
	if u.PercentKnown && (!t.known || u.Percent > t.progress) {
		t.progress, t.known = u.Percent, true
		c.Progress = !ended
	}
	for id, percent := range u.PerFile() {
		if was, known := t.perFile[string(id)]; !known || percent > was {
			if t.perFile == nil {
				t.perFile = make(map[string]float64)
			}
			t.perFile[string(id)] = percent
			c.Progress = c.Progress || !ended || !known
		}
	}
}

// Status folds a polled Status in and says what it changed. A Status of another Assembly is
// ignored, and so is the answer to a request that itself failed, such as one over the rate
// limit.
func (t *Tracker) Status(a *Assembly) Change {
	var c Change
	if a.ID != "" && t.now.ID != "" && a.ID != t.now.ID || a.Error.AboutRequest() {
		return c
	}
	whole, err := a.AppendJSON(nil)
	if err != nil {
		return c
	}
	seen := newStanding(a, string(whole))
	for i := range a.Uploads {
		t.add(&c, true, "", &a.Uploads[i])
	}
	for i := range a.Results {
		for k := range a.Results[i].Files {
			t.add(&c, false, a.Results[i].Name, &a.Results[i].Files[k])
		}
	}
	if t.base == nil || seen.compare(t.base) > 0 {
		t.change(&c, func() {
			t.base = seen
			if seen.verdict.compare(t.verdict) > 0 {
				t.verdict = seen.verdict
			}
			t.rebase()
		})
	}
	t.judge(&c, seen.verdict)
	return c
}

// change makes a change, and notes in c what has changed other than files.
func (t *Tracker) change(c *Change, make func()) {
	state, code, fields := t.now.State, t.now.Error, otherFields(&t.now)
	make()
	c.State = c.State || t.now.State != state || t.now.Error != code
	c.Fields = c.Fields || !maps.Equal(otherFields(&t.now), fields)
	if state != AssemblyCompleted && t.now.State == AssemblyCompleted && !t.done() {
		c.Progress = true // which is 100 from now on
	}
}

// otherFields returns what a says in the fields that Change.Fields is about, by their keys.
func otherFields(a *Assembly) map[string]string {
	own := *a
	own.Uploads, own.Results = nil, nil
	fields := make(map[string]string)
	text, err := own.AppendJSON(nil)
	if err != nil {
		return fields
	}
	for m := range members(view(text)) {
		switch name := m.name(); name {
		case "ok", "error", "uploads", "results":
		default:
			delete(fields, name)
			if m.value != "null" {
				fields[name] = m.value
			}
		}
	}
	return fields
}

// done reports whether nothing is left to do, by all that is known of progress.
func (t *Tracker) done() bool {
	for _, percent := range t.perFile {
		if percent < 100 {
			return false
		}
	}
	return t.known && t.progress >= 100
}

// refresh takes the fields from the base and puts the verdict in. It starts anew each
// time, so that no trace of an earlier verdict is left.
func (t *Tracker) refresh() {
	uploads, results := t.now.Uploads, t.now.Results
	t.now = t.fields
	t.now.Uploads, t.now.Results = uploads, results
	t.now.MetaDataExtracted = t.now.MetaDataExtracted || t.extra
	t.verdict.apply(&t.now)
}

// rebase takes the fields from the base, and the order of files and Steps. Files that the base
// lists are there already.
func (t *Tracker) rebase() {
	var listed Assembly
	decodeSource(t.base.text, &listed)
	t.fields = listed
	t.fields.Uploads, t.fields.Results = nil, nil
	t.refresh()
	if t.inOrder(&listed) {
		return
	}
	uploads, results, files := t.now.Uploads, t.now.Results, t.files
	t.now.Uploads, t.now.Results, t.files, t.steps = nil, nil, nil, nil
	best := func(upload bool, step string, f *File) {
		key := keyOf(upload, step, f)
		if at, ok := files[key]; ok {
			if upload {
				f = &uploads[at.file]
			} else {
				f = &results[at.step].Files[at.file]
			}
		}
		if _, ok := t.files[key]; !ok {
			t.put(key, *f)
		}
	}
	for i := range listed.Uploads {
		best(true, "", &listed.Uploads[i])
	}
	for i := range uploads {
		best(true, "", &uploads[i])
	}
	for i := range listed.Results {
		s := &listed.Results[i]
		t.now.Results[t.step(s.Name)].odd = s.odd
		for k := range s.Files {
			best(false, s.Name, &s.Files[k])
		}
	}
	for i := range results {
		for k := range results[i].Files {
			best(false, results[i].Name, &results[i].Files[k])
		}
	}
}

// inOrder reports whether all is where rebase would put it, as it is after most Statuses:
// first what is listed, then the other files in the order of their arrival.
func (t *Tracker) inOrder(listed *Assembly) bool {
	for i := range listed.Uploads {
		if at, ok := t.files[keyOf(true, "", &listed.Uploads[i])]; !ok || at.file != i {
			return false
		}
	}
	if len(listed.Results) > len(t.now.Results) {
		return false
	}
	for i := range t.now.Results {
		now := &t.now.Results[i]
		if i >= len(listed.Results) {
			if now.odd != "" || len(now.Files) == 0 {
				return false
			}
			continue
		}
		s := &listed.Results[i]
		if now.Name != s.Name || now.odd != s.odd {
			return false
		}
		for k := range s.Files {
			if at, ok := t.files[keyOf(false, s.Name, &s.Files[k])]; !ok || at != (place{i, k}) {
				return false
			}
		}
	}
	return true
}

// judge takes a verdict if it is further on than the present one.
func (t *Tracker) judge(c *Change, v verdict) {
	if v.compare(t.verdict) > 0 {
		t.change(c, func() {
			t.verdict = v
			t.refresh()
		})
	}
}

// add takes a file if it is new, or better than the version that is there.
func (t *Tracker) add(c *Change, upload bool, step string, f *File) {
	text, err := f.AppendJSON(nil)
	if err != nil {
		return
	}
	var own File
	decodeSource(string(text), &own)
	own.src = string(text) // also where it is no object
	key := keyOf(upload, step, &own)
	if at, ok := t.files[key]; ok {
		there := &t.now.Uploads
		if !upload {
			there = &t.now.Results[at.step].Files
		}
		if compareFiles(&own, &(*there)[at.file]) <= 0 {
			return
		}
		(*there)[at.file] = own
	} else {
		t.put(key, own)
	}
	if upload {
		c.Uploads = append(c.Uploads, own)
	} else {
		c.Results = append(c.Results, Result{strings.Clone(step), own})
	}
}

// put adds a file that is not there yet.
func (t *Tracker) put(key fileKey, f File) {
	if t.files == nil {
		t.files = make(map[fileKey]place)
	}
	if key.upload {
		t.files[key] = place{file: len(t.now.Uploads)}
		t.now.Uploads = append(t.now.Uploads, f)
		return
	}
	at := t.step(key.step)
	list := &t.now.Results[at].Files
	t.files[key] = place{at, len(*list)}
	*list = append(*list, f)
}

// step returns the index of the Step of that name, a new one if there is none.
func (t *Tracker) step(name string) int {
	if at, ok := t.steps[name]; ok {
		return at
	}
	if t.steps == nil {
		t.steps = make(map[string]int)
	}
	at := len(t.now.Results)
	name = strings.Clone(name)
	t.steps[name] = at
	t.now.Results = append(t.now.Results, Step{Name: name})
	return at
}

func keyOf(upload bool, step string, f *File) fileKey {
	if f.ID == "" {
		return fileKey{upload, strings.Clone(step), "\x00" + f.src}
	}
	return fileKey{upload, strings.Clone(step), f.ID}
}

// compareFiles says which of two versions of a file is the better one, by a rule
// that does not depend on which came first.
func compareFiles(a, b *File) int {
	return cmp.Or(
		compareBools(!a.IsTempURL, !b.IsTempURL),
		cmp.Compare(len(a.src), len(b.src)),
		cmp.Compare(a.src, b.src),
	)
}

func compareBools(a, b bool) int {
	switch {
	case a && !b:
		return 1
	case b && !a:
		return -1
	}
	return 0
}

// eventCode stands in where an assembly_error does not name a code.
const eventCode = ErrorCode("assembly_error")

// A verdict is what has become of an Assembly.
type verdict struct {
	state  State
	failed bool

	// Of a failure.
	code         ErrorCode // eventCode if an event has none; empty if there is a crash
	crash        string
	httpCode     int64
	message      string
	step         string
	previousStep string
	worker       string
}

// rank orders verdicts by how far on they are. A failure ranks below a successful end
// because errors after that are to be ignored.
func (v *verdict) rank() int {
	if v.failed {
		return 5
	}
	switch v.state {
	case "":
		return 0
	case AssemblyReplaying:
		return 1
	case AssemblyUploading:
		return 2
	case AssemblyExecuting:
		return 3
	case RequestAborted:
		return 6
	case AssemblyCanceled:
		return 7
	case AssemblyCompleted:
		return 8
	}
	return 4
}

func (v *verdict) compare(w verdict) int {
	return cmp.Or(
		cmp.Compare(v.rank(), w.rank()),
		cmp.Compare(v.state, w.state),
		compareBools(v.code != eventCode, w.code != eventCode),
		cmp.Compare(v.code, w.code),
		cmp.Compare(v.crash, w.crash),
		cmp.Compare(len(v.message), len(w.message)),
		cmp.Compare(v.message, w.message),
		cmp.Compare(v.httpCode, w.httpCode),
		cmp.Compare(v.step, w.step),
		cmp.Compare(v.previousStep, w.previousStep),
		cmp.Compare(v.worker, w.worker),
	)
}

// apply makes a say what v says.
func (v *verdict) apply(a *Assembly) {
	if v.rank() == 0 {
		return
	}
	if !v.failed {
		if a.wrong() { // and so is all that it says about the failure
			a.HTTPCode, a.Reason, a.Info = 0, "", ""
			a.Step, a.PreviousStep, a.Worker = "", "", ""
			a.Errno, a.Code, a.Syscall = "", "", ""
		}
		if a.State != v.state {
			a.Message = "" // which is about that state
		}
		a.State, a.Error = v.state, ""
		return
	}
	if a.Error != v.code { // a Status tells of another failure, or of none
		a.Reason, a.Info = "", ""
		a.Errno, a.Code, a.Syscall = "", "", ""
	}
	a.State, a.Error = "", v.code
	a.Message = v.message
	a.HTTPCode = v.httpCode
	a.Step, a.PreviousStep, a.Worker = v.step, v.previousStep, v.worker
}

// A standing is a Status together with how far on it is.
type standing struct {
	verdict  verdict
	received int64
	files    int
	duration int64
	text     string
}

func newStanding(a *Assembly, text string) *standing {
	s := &standing{received: a.BytesReceived, files: len(a.Uploads), duration: int64(a.ExecutionDuration), text: text}
	s.verdict.state = State(strings.Clone(string(a.State)))
	for i := range a.Results {
		s.files += len(a.Results[i].Files)
	}
	if a.wrong() {
		// The text is the copy that everything is taken from.
		var own Assembly
		decodeSource(text, &own)
		s.verdict = verdict{failed: true, code: own.Error, httpCode: own.HTTPCode, message: own.Message,
			step: own.Step, previousStep: own.PreviousStep, worker: own.Worker}
		if own.Error == "" {
			s.verdict.crash = cmp.Or(own.Code, own.Syscall, string(own.Errno))
		}
	}
	return s
}

func (s *standing) compare(t *standing) int {
	return cmp.Or(
		s.verdict.compare(t.verdict),
		cmp.Compare(s.received, t.received),
		cmp.Compare(s.files, t.files),
		cmp.Compare(s.duration, t.duration),
		cmp.Compare(len(s.text), len(t.text)),
		cmp.Compare(s.text, t.text),
	)
}
