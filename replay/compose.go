package replay

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// ErrNotFinal says that a document is about a job that is still going on, or about a request
// that failed, so that it does not say how the job ends.
var ErrNotFinal = errors.New("the document is not final")

// Compose writes to w the reel that a recorder might have made of a job, given nothing but
// the job's final document: an Assembly Status, or the document of a Scenario job. It is for
// those who want a stream to test with and have only that; AppendJSON turns a
// [status.Document] into such a document. The same document gives the same reel. The reel is
// sealed, and says in a comment that it is composed.
//
// The reel of an Assembly has three exchanges: a poll while it is uploading, with no file yet;
// its update stream; and a poll that is answered with document, byte for byte. The stream
// reports every upload and result as it stands in the document, in the same order; the
// progress, every two seconds, or less often for a long Assembly; and the end, which is
// assembly_finished, or assembly_error with what the Status says about it. The stream of an
// Assembly that was canceled also ends with assembly_error, with the state as the error, as when
// DELETE cancels an Assembly that is being played: the documentation has no message for that,
// and clients end at this one. A poll of a failed Assembly has status 200 like any other,
// because the request did not fail.
//
// The reel of a job has nothing but polls: one at each moment of its history, one every two
// seconds in between, and a last one that is answered with document.
//
// Moments are those that the document names. What it does not name, or names implausibly
// (dates in the wrong order, durations below zero or above a hundred days), is made up.
//
// Nothing is written unless a reel can be composed. The error wraps [ErrNotFinal] if it is too
// early for that, and is the one of [status.Decode] if the document cannot be read; any other
// is about a document without an id, or comes from w.
func Compose(w io.Writer, document []byte) error {
	d, err := status.Decode(document)
	if err != nil {
		return err
	}
	if a, ok := d.(*status.Assembly); ok {
		return composeAssembly(w, document, a)
	}
	return composeJob(w, document, d.(*status.Job))
}

const (
	responseWait = 20 * time.Millisecond
	bodyWait     = time.Millisecond
	streamSent   = 25 * time.Millisecond
	streamOpen   = streamSent + responseWait + bodyWait // the first block has come

	progressEvery = 2 * time.Second

	// No job takes longer than longestSpan; a document that says so is mistaken.
	longestSpan = 100 * 24 * time.Hour
)

// mostTicks is how often progress is reported at most, where a report lists n files: hundreds
// of times, but not so often that the reel gets many times as long as the document that it was
// made from.
func mostTicks(n int) int { return max(10, min(200, 20000/max(n, 1))) }

// ticks returns the moments after from and before to at which progress is reported.
func ticks(from, to time.Duration, most int) []time.Duration {
	step := max(progressEvery, (to-from)/time.Duration(most))
	var out []time.Duration
	for at := from + step; at < to && len(out) < most; at += step {
		out = append(out, at)
	}
	return out
}

// timeBetween returns the time between two dates, unless they cannot both be right.
func timeBetween(from, to time.Time) (d time.Duration, ok bool) {
	if from.IsZero() || to.IsZero() {
		return 0, false
	}
	d = to.Sub(from)
	return d, 0 <= d && d <= longestSpan
}

func believable(d time.Duration) bool { return 0 < d && d <= longestSpan }

// share returns part/whole of d, which is not negative; a part above whole counts as whole.
// Floating point would not give the same result on every processor.
func share(d time.Duration, part, whole uint64) time.Duration {
	if whole == 0 {
		return d
	}
	hi, lo := bits.Mul64(uint64(d), min(part, whole))
	q, _ := bits.Div64(hi, lo, whole)
	return time.Duration(q)
}

// percent returns how much of the time between from and to has passed at the moment at.
func percent(from, at, to time.Duration) int {
	if at <= from || to <= from {
		return 0
	}
	return int(share(100, uint64(min(at, to)-from), uint64(to-from)))
}

// wantID returns an error for an id that no client could have asked for.
func wantID(key, id string) error {
	if id == "" {
		return fmt.Errorf("there is no %s, so no client can have asked for this: take the document that polling gives at the end", key)
	}
	if strings.ContainsFunc(id, unicode.IsControl) || len(id) > 1<<10 {
		return fmt.Errorf("%s is %q, which cannot be one: take the document that polling gives at the end", key, clip(id))
	}
	return nil
}

// webURL returns text as an http or https URL, nil if it is none.
func webURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(text) > maxField/8 {
		return nil
	}
	return u
}

// writePoll writes the exchange of a poll and returns the moment at which it ends.
func writePoll(w *Writer, at time.Duration, u *url.URL, body []byte) (time.Duration, error) {
	x, err := w.Exchange(at, http.MethodGet, redactURL(u), http.Header{"Accept": {"application/json"}})
	if err != nil {
		return at, err
	}
	at += responseWait
	x.Response(at, http.StatusOK, http.Header{
		"Content-Type":   {"application/json; charset=utf-8"},
		"Content-Length": {strconv.Itoa(len(body))},
	})
	at += bodyWait
	x.ResponseBody(at, body)
	return at, x.End(at, EndEOF, nil)
}

// A composedEvent is a block of the update stream, and a read of its own.
type composedEvent struct {
	at    time.Duration
	block []byte
}

// An assemblyComposer puts the update stream of an Assembly together.
type assemblyComposer struct {
	*status.Assembly
	events []composedEvent

	uploaded  time.Duration // when the last upload has come
	executing time.Duration // when the execution begins
	lastJob   time.Duration // when the last result has been made
	finished  time.Duration

	originals []*original
	byID      map[string]*original
}

// An original is a file that results are made from.
type original struct {
	quoted string          // its id, as JSON
	from   time.Duration   // when it has come
	steps  []time.Duration // when each part of the work on it is done
}

func composeAssembly(w io.Writer, document []byte, a *status.Assembly) error {
	poll, stream, madeUp := assemblyURLs(a)
	if !a.Terminal() {
		about := fmt.Sprintf("ok is %q", clip(a.State.String()))
		if a.Error != "" {
			about = fmt.Sprintf("error is %q, which is about the request, not the Assembly", clip(a.Error.String()))
		}
		from := "the assembly_ssl_url"
		if a.ID != "" {
			from = redactURL(poll)
		}
		return fmt.Errorf("%w: %s: fetch %s until ok is %s, %s or %s, or there is an error of the Assembly", ErrNotFinal, about, from,
			status.AssemblyCompleted, status.AssemblyCanceled, status.RequestAborted)
	}
	if err := wantID("assembly_id", a.ID); err != nil {
		return err
	}
	c := &assemblyComposer{Assembly: a, byID: make(map[string]*original)}
	c.schedule()
	c.compose()

	rw, err := NewWriter(w, a.StartDate)
	if err != nil {
		return err
	}
	rw.Comment("Composed by ssereel from the final Status of Assembly " + a.ID + ", not recorded:\n" +
		"the progress, and moments that the Status does not name, are made up.")
	if madeUp {
		rw.Comment("So is the URL of the update stream, which the Status does not name either.")
	}
	if _, err := writePoll(rw, 0, poll, firstStatus(document)); err != nil {
		return err
	}
	x, err := rw.Exchange(streamSent, http.MethodGet, redactURL(stream), http.Header{"Accept": {eventStream}})
	if err != nil {
		return err
	}
	x.Response(streamSent+responseWait, http.StatusOK, http.Header{
		"Content-Type":  {eventStream},
		"Cache-Control": {"no-cache"},
	})
	end := streamOpen
	for _, ev := range c.events {
		x.ResponseBody(ev.at, ev.block)
		end = ev.at
	}
	end = max(end, c.finished.Truncate(time.Millisecond)) + bodyWait
	x.End(end, EndEOF, nil)
	if _, err := writePoll(rw, end+bodyWait, poll, document); err != nil {
		return err
	}
	return rw.Close()
}

// assemblyURLs returns where the Assembly is polled, where its updates are streamed, and
// whether the latter is made up.
func assemblyURLs(a *status.Assembly) (poll, stream *url.URL, madeUp bool) {
	if poll = webURL(a.AssemblySSLURL); poll == nil {
		poll = &url.URL{Scheme: "https", Host: "api2.transloadit.com", Path: "/assemblies/" + a.ID}
	}
	if stream = webURL(a.StreamURL()); stream != nil {
		return poll, stream, false
	}
	return poll, &url.URL{Scheme: poll.Scheme, Host: poll.Host, Path: "/ws", RawQuery: "assembly=" + url.QueryEscape(a.ID)}, true
}

// schedule works out when everything happened.
func (c *assemblyComposer) schedule() {
	const soon = 10 * time.Millisecond
	queued := c.QueueDuration
	if !believable(queued) {
		queued = 0
	}
	started, known := timeBetween(c.StartDate, c.ExecutionStart)
	switch {
	case believable(c.UploadDuration):
		c.uploaded = c.UploadDuration
	case known:
		c.uploaded = max(started-queued, 0)
	default:
		c.uploaded = time.Second
	}
	c.uploaded = max(c.uploaded, streamOpen+soon)
	c.executing = c.uploaded + queued
	// Dates are in whole seconds, so they only say something new if they disagree.
	if known && (started-c.executing).Abs() >= time.Second {
		c.executing = max(started, streamOpen+soon)
	}
	if !c.executed() {
		c.executing = c.uploaded
		c.finished = c.uploaded + soon
		return
	}
	took, last := c.ExecutionDuration, time.Duration(0)
	if end, ok := timeBetween(c.StartDate, c.LastJobCompleted); ok {
		last = end
	}
	switch {
	case believable(took):
	case last > c.executing:
		took = last - c.executing
	default:
		took = 2 * time.Second
		for i := range c.Results {
			for k := range c.Results[i].Files {
				took = max(took, jobTime(&c.Results[i].Files[k]))
			}
		}
	}
	c.finished = c.executing + took
	c.lastJob = c.finished - min(took/10, 200*time.Millisecond)
	if last > c.executing && last < c.lastJob-time.Second {
		c.lastJob = last
	}
	c.finished = max(c.finished, c.uploaded+soon)
}

// executed returns whether the Assembly got as far as being executed.
func (c *assemblyComposer) executed() bool {
	return c.Phase() == status.Succeeded || !c.ExecutionStart.IsZero() || believable(c.ExecutionDuration) ||
		slices.ContainsFunc(c.Results, func(s status.Step) bool { return len(s.Files) > 0 })
}

// jobTime returns how long the job took that made the file, as far as the file says.
func jobTime(f *status.File) time.Duration {
	var sum time.Duration
	for _, d := range []time.Duration{f.QueueTime, f.ExecTime} {
		if believable(d) {
			sum += d
		}
	}
	return min(sum, longestSpan)
}

// compose makes the events.
func (c *assemblyComposer) compose() {
	ends := c.Phase()
	block, _ := ssewire.AppendEvent(nil, ssewire.Event{ID: []byte(c.ID)}) // which wantID has seen
	c.events = append(c.events, composedEvent{streamOpen, block})
	uploaded := c.addUploads()
	if c.executed() {
		c.add(uploaded+time.Millisecond, "", "assembly_uploading_finished")
		if c.MetaDataExtracted || c.Lookup("upload_meta_data_extracted").IsNull() {
			c.add(uploaded+2*time.Millisecond, "", "assembly_upload_meta_data_extracted")
		}
		c.finished = max(c.finished, c.addResults()+time.Millisecond)
		c.addProgress(ends == status.Succeeded)
	}
	switch ends {
	case status.Succeeded:
		c.add(c.finished+time.Millisecond, "", "assembly_finished")
	case status.Failed:
		c.add(c.finished+time.Millisecond, "assembly_error", c.failure())
	case status.Canceled:
		c.add(c.finished+time.Millisecond, "assembly_error", canceledPayload(c.State))
	}
	slices.SortStableFunc(c.events, func(a, b composedEvent) int { return cmp.Compare(a.at, b.at) })
}

// add adds an event. Moments are in whole milliseconds, so that what is made up does not look
// as if it had been measured.
func (c *assemblyComposer) add(at time.Duration, eventType, data string) {
	block, err := ssewire.AppendEvent(nil, ssewire.Event{Type: []byte(eventType), Data: []byte(data)})
	if err == nil { // always: the types are ours
		c.events = append(c.events, composedEvent{at.Truncate(time.Millisecond), block})
	}
}

// fileJSON returns f on one line, as it stands in the document. ok is false for anything among
// the files that is not an object: the stream has no event for it.
func fileJSON(f *status.File) (text string, ok bool) {
	b, err := f.AppendJSON(nil)
	return string(b), err == nil && len(b) > 0 && b[0] == '{'
}

// addUploads adds the uploads, of which larger ones take longer, and returns the moment of the
// last.
func (c *assemblyComposer) addUploads() (last time.Duration) {
	weight := func(f *status.File) uint64 { return uint64(min(max(f.Size, 1), 1<<40)) }
	var total, sum uint64
	for i := range c.Uploads {
		total += weight(&c.Uploads[i])
	}
	for i := range c.Uploads {
		f := &c.Uploads[i]
		sum += weight(f)
		if text, ok := fileJSON(f); ok {
			at := streamOpen + share(c.uploaded-streamOpen, sum, total)
			c.original(f.ID, at)
			c.add(at, "assembly_upload_finished", text)
		}
	}
	return c.uploaded
}

// original returns the original with that id, nil if id is empty. One that is not known yet has
// come at the moment at.
func (c *assemblyComposer) original(id string, at time.Duration) *original {
	if id == "" {
		return nil
	}
	o := c.byID[id]
	if o == nil {
		o = &original{quoted: quoteJSON(id), from: at}
		c.byID[id] = o
		c.originals = append(c.originals, o)
	}
	return o
}

// addResults adds the results, spaced by the times that their jobs took, and returns the moment
// of the last.
func (c *assemblyComposer) addResults() (last time.Duration) {
	var known, jobs, total, sum uint64
	for i := range c.Results {
		for k := range c.Results[i].Files {
			if d := jobTime(&c.Results[i].Files[k]); d > 0 {
				known += uint64(d / time.Microsecond)
				jobs++
			}
		}
	}
	usual := max(known/max(jobs, 1), 1) // for a file that does not say
	weight := func(f *status.File) uint64 {
		return cmp.Or(uint64(jobTime(f)/time.Microsecond), usual)
	}
	for i := range c.Results {
		for k := range c.Results[i].Files {
			total += weight(&c.Results[i].Files[k])
		}
	}
	for i := range c.Results {
		step := &c.Results[i]
		name := quoteJSON(step.Name)
		for k := range step.Files {
			f := &step.Files[k]
			sum += weight(f)
			text, ok := fileJSON(f)
			if !ok {
				continue
			}
			last = max(last, c.executing+share(c.lastJob-c.executing, sum, total))
			from := f.Originals()
			if len(from) == 0 {
				from = []string{f.ID} // made from nothing
			}
			for _, id := range from {
				if o := c.original(id, c.executing); o != nil {
					last = max(last, o.from+time.Millisecond)
				}
			}
			for _, id := range from {
				if o := c.byID[id]; o != nil {
					o.steps = append(o.steps, last)
				}
			}
			c.add(last, "assembly_result_finished", "["+name+","+text+"]")
		}
	}
	return last
}

// addProgress adds the progress of the execution: that of an original grows from each of its
// results to the next, and the total is the mean over the originals. It reaches 100 only if the
// Assembly succeeded.
func (c *assemblyComposer) addProgress(succeeded bool) {
	for _, o := range c.originals {
		o.from = max(o.from, c.executing)
		if !succeeded || len(o.steps) == 0 {
			o.steps = append(o.steps, c.finished)
		}
	}
	moments := ticks(c.executing, c.finished, mostTicks(len(c.originals)))
	if succeeded {
		moments = append(moments, c.finished)
	}
	for _, at := range moments {
		var perFile []byte
		sum := 0
		for i, o := range c.originals {
			p := o.percent(at)
			sum += p
			if i > 0 {
				perFile = append(perFile, ',')
			}
			perFile = fmt.Appendf(perFile, `{"original_id":%s,"progress":%d}`, o.quoted, p)
		}
		combined := percent(c.executing, at, c.finished)
		if n := len(c.originals); n > 0 {
			combined = sum / n
		}
		c.add(at, "assembly_execution_progress", fmt.Sprintf(`{"progress_combined":%d,"progress_per_original_file":[%s]}`, combined, perFile))
	}
}

func (o *original) percent(at time.Duration) int {
	done, _ := slices.BinarySearch(o.steps, at+1)
	if done == len(o.steps) {
		return 100
	}
	from := o.from
	if done > 0 {
		from = o.steps[done-1]
	}
	return (100*done + percent(from, at, o.steps[done])) / len(o.steps)
}

// failure returns the payload of assembly_error: what the Status says about the failure.
// The text is in msg, as in the API's documentation, and in message, which Uppy reads.
func (c *assemblyComposer) failure() string {
	var b []byte
	for _, f := range [...]struct{ name, key string }{
		{"error", "error"}, {"http_code", "http_code"},
		{"errno", "errno"}, {"code", "code"}, {"syscall", "syscall"},
		{"step", "step"}, {"previousStep", "previousStep"}, {"worker", "worker"},
		{"msg", "message"}, {"message", "message"},
	} {
		if value := c.Lookup(f.key); !value.IsNull() {
			b = append(b, ',', '"')
			b = append(append(b, f.name...), '"', ':')
			b = append(b, compactJSON(value)...)
		}
	}
	if len(b) == 0 {
		return "{}"
	}
	b[0] = '{'
	return string(append(b, '}'))
}

// firstFields are the fields of a Status that change while the Assembly runs, with their values
// at its beginning: empty for those that are not there then.
var firstFields = map[string]string{
	"ok":        "", // stands before the others
	"error":     "",
	"http_code": "200", "message": `"The Assembly is still in the process of being uploaded."`,
	"reason": "", "info": "", "errno": "", "code": "", "syscall": "",
	"step": "", "previousStep": "", "worker": "", "virusname": "", "debuginfo": "",
	"warnings": "[]", "ignored_errors": "[]", "ignored_error_count": "0",
	"bytes_received": "0", "bytes_usage": "0", "upload_duration": "0",
	"upload_meta_data_extracted": "false",
	"started_tus_uploads":        "0", "finished_tus_uploads": "0", "tus_uploads": "[]",
	"execution_start": "null", "execution_duration": "null", "last_job_completed": "null",
	"queue_duration": "0", "jobs_queue_duration": "0",
	"running_jobs": "[]", "executing_jobs": "[]", "started_jobs": "[]", "has_dupe_jobs": "false",
	"notify_start": "null", "notify_status": "null", "notify_response_code": "null",
	"notify_response_data": "null", "notify_error": "null", "notify_duration": "null",
	"uploads": "[]", "results": "{}",
}

// firstStatus returns the document as it was at the beginning.
func firstStatus(document []byte) []byte {
	b := []byte(`{"ok":` + quoteJSON(status.AssemblyUploading.String()))
	rest := changedObject(status.Raw(document), func(key string, value status.Raw) string {
		if first, changes := firstFields[key]; changes {
			return first
		}
		return compactJSON(value)
	})
	if rest != "{}" {
		b = append(b, ',')
	}
	return append(b, rest[1:]...)
}

// changedObject returns an object with the values that the function value returns; an empty one
// leaves the key out. Anything but an object is returned as it is.
func changedObject(object status.Raw, value func(key string, v status.Raw) string) string {
	if !isJSONObject(object) {
		return compactJSON(object)
	}
	var b strings.Builder
	b.WriteByte('{')
	for key, v := range object.Fields() {
		if text := value(key, v); text != "" {
			if b.Len() > 1 {
				b.WriteByte(',')
			}
			b.WriteString(quoteJSON(key))
			b.WriteByte(':')
			b.WriteString(text)
		}
	}
	b.WriteByte('}')
	return b.String()
}

func isJSONObject(value status.Raw) bool {
	return strings.HasPrefix(strings.TrimLeft(string(value), " \t\r\n"), "{")
}

// compactJSON returns value on one line.
func compactJSON(value status.Raw) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(value)); err != nil {
		return "" // never for part of a document
	}
	return b.String()
}

// quoteJSON returns s as JSON.
func quoteJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // which cannot fail for a string
	return strings.TrimSuffix(b.String(), "\n")
}

// A jobStep is an entry of a job's history.
type jobStep struct {
	at      time.Duration
	status  status.JobStatus
	date    status.Raw
	entries int // of the history, up to this one
}

// A jobComposer knows what a job's document was at any moment.
type jobComposer struct {
	document status.Raw
	history  []status.Raw
	steps    []jobStep // in order, the first at the beginning; none is terminal
	running  time.Duration
	end      time.Duration
	progress int // percent, at the end
}

func composeJob(w io.Writer, document []byte, j *status.Job) error {
	u := &url.URL{Scheme: "https", Host: "api.cloud.scenario.com", Path: "/v1/jobs/" + j.ID}
	if !j.Terminal() {
		from := "it"
		if j.ID != "" {
			from = u.String()
		}
		return fmt.Errorf("%w: the job's status is %q: fetch %s until it is %s, %s or %s", ErrNotFinal, clip(j.Status.String()), from,
			status.JobSuccess, status.JobFailure, status.JobCanceled)
	}
	if err := wantID("jobId", j.ID); err != nil {
		return err
	}
	c := &jobComposer{document: status.Raw(document), history: slices.Collect(j.Lookup("statusHistory").Elements())}
	start := c.schedule(j)
	rw, err := NewWriter(w, start)
	if err != nil {
		return err
	}
	rw.Comment("Composed by ssereel from the final document of Scenario job " + j.ID + ", not recorded:\n" +
		"the progress, and what its history does not tell, are made up.")
	at := time.Duration(0)
	for _, moment := range c.moments() {
		at = max(at, moment)
		if at >= c.end {
			break
		}
		if at, err = writePoll(rw, at, u, c.documentAt(at)); err != nil {
			return err
		}
	}
	if _, err := writePoll(rw, max(at, c.end), u, document); err != nil {
		return err
	}
	return rw.Close()
}

// schedule works out when everything happened, and returns the time of the wall clock at the
// beginning.
func (c *jobComposer) schedule(j *status.Job) (start time.Time) {
	start = j.CreatedAt
	at, ended := time.Duration(0), false
	for i, entry := range c.history {
		name, _ := entry.Get("status").Text()
		date, _ := entry.Get("date").Time()
		if start.IsZero() {
			start = date
		}
		if d, ok := timeBetween(start, date); ok && d >= at {
			at = d
		} else if i > 0 {
			at += time.Second
		}
		at = min(at, longestSpan)
		step := jobStep{at.Truncate(time.Millisecond), status.JobStatus(name), entry.Get("date"), i + 1}
		if step.status.Terminal() {
			ended = true
			break
		}
		if name != "" {
			c.steps = append(c.steps, step)
		}
	}
	if len(c.steps) == 0 || c.steps[0].at > 0 {
		c.steps = slices.Insert(c.steps, 0, jobStep{status: status.JobQueued, date: j.Lookup("createdAt")})
	}
	last := c.steps[len(c.steps)-1].at
	if updated, ok := timeBetween(start, j.UpdatedAt); !ended && ok && updated > last {
		at, ended = updated, true
	}
	if !ended || at <= last {
		at = last + time.Second
	}
	c.end, c.running = at, at
	for _, step := range c.steps {
		if step.status.Phase() == status.Running {
			c.running = step.at
			break
		}
	}
	switch {
	case j.Status == status.JobSuccess:
		c.progress = 100
	case j.Progress > 0:
		c.progress = int(math.Round(min(j.Progress, 1) * 100))
	}
	return start
}

// moments returns the moments at which the job is polled.
func (c *jobComposer) moments() []time.Duration {
	most := mostTicks(len(c.history))
	all := ticks(0, c.end, most)
	for i := range min(len(c.steps), most) {
		all = append(all, c.steps[i*len(c.steps)/min(len(c.steps), most)].at)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// documentAt returns the document as it was at the moment at.
func (c *jobComposer) documentAt(at time.Duration) []byte {
	now := c.steps[0]
	for _, step := range c.steps {
		if step.at <= at {
			now = step
		}
	}
	progress := min(99, int(share(time.Duration(c.progress), uint64(max(at-c.running, 0)), uint64(c.end-c.running))))
	if at < c.running {
		progress = 0
	}
	job := func(key string, value status.Raw) string {
		switch key {
		case "status":
			return quoteJSON(now.status.String())
		case "progress":
			return strconv.FormatFloat(float64(progress)/100, 'f', -1, 64)
		case "statusHistory":
			return "[" + joined(c.history[:now.entries], compactJSON) + "]"
		case "updatedAt":
			return cmp.Or(compactJSON(now.date), compactJSON(value))
		case "metadata":
			return changedObject(value, jobMetadata)
		case "asset":
			return "" // beside the fields of a job that is the whole document
		}
		return compactJSON(value)
	}
	if !isJSONObject(c.document.Get("job")) {
		return []byte(changedObject(c.document, job))
	}
	return []byte(changedObject(c.document, func(key string, value status.Raw) string {
		switch key {
		case "job":
			return changedObject(value, job)
		case "asset":
			return ""
		}
		return compactJSON(value)
	}))
}

// jobMetadata returns the values of a job's metadata before the job has made anything.
func jobMetadata(key string, value status.Raw) string {
	switch key {
	case "assetIds":
		return "[]"
	case "error", "output", "outputModelId":
		return ""
	case "flow":
		return "[" + joined(slices.Collect(value.Elements()), func(node status.Raw) string { return changedObject(node, jobNode) }) + "]"
	}
	return compactJSON(value)
}

func jobNode(key string, value status.Raw) string {
	switch key {
	case "status":
		return `"pending"`
	case "assets":
		return "[]"
	case "output":
		return ""
	}
	return compactJSON(value)
}

func joined(values []status.Raw, text func(status.Raw) string) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(text(v))
	}
	return b.String()
}
