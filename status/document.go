package status

import (
	"errors"
	"strconv"
)

// A Document is what a system says about one of its jobs. *Assembly and *Job are
// Documents; any other implementation can be replayed and shown like them.
type Document interface {
	// Summary returns what all systems have in common.
	Summary() Summary
	// AppendJSON appends the whole document to dst.
	AppendJSON(dst []byte) ([]byte, error)
}

var (
	_ Document = (*Assembly)(nil)
	_ Document = (*Job)(nil)
	_ Document = (*Tracker)(nil)
)

// The names of the systems that Decode knows.
const (
	SystemAssembly = "assembly"
	SystemScenario = "scenario"
)

// A Summary is what can be said about a job of any system.
type Summary struct {
	System        string
	ID            string
	State         string // the system's own word
	Phase         Phase
	Error         string  // the system's own code or message; empty if nothing failed
	Progress      float64 // from 0 to 1; see ProgressKnown
	ProgressKnown bool    // whether the document states a Progress, even if it is 0
	Uploads       int
	Results       []StepCount // in the document's order
}

// A StepCount is the number of results of one Step.
type StepCount struct {
	Step  string
	Count int
}

// Terminal reports whether the job has ended.
func (s Summary) Terminal() bool { return s.Phase.Terminal() }

// AppendJSON appends the summary to dst as one JSON object, with null for what is not known:
//
//	{"system":"assembly","id":"…","state":"…","phase":"running","terminal":false,"error":null,"progress":0.5,"uploads":1,"results":{"resized":2}}
func (s Summary) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"system":`...)
	dst = appendQuoted(dst, s.System)
	dst = append(dst, `,"id":`...)
	dst = appendOrNull(dst, s.ID)
	dst = append(dst, `,"state":`...)
	dst = appendOrNull(dst, s.State)
	dst = append(dst, `,"phase":`...)
	dst = appendQuoted(dst, s.Phase.String())
	dst = append(dst, `,"terminal":`...)
	dst = strconv.AppendBool(dst, s.Terminal())
	dst = append(dst, `,"error":`...)
	dst = appendOrNull(dst, s.Error)
	dst = append(dst, `,"progress":`...)
	if s.ProgressKnown {
		dst = appendFloat(dst, s.Progress)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"uploads":`...)
	dst = strconv.AppendInt(dst, int64(s.Uploads), 10)
	dst = append(dst, `,"results":{`...)
	for i, r := range s.Results {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, r.Step), ':')
		dst = strconv.AppendInt(dst, int64(r.Count), 10)
	}
	return append(dst, "}}"...)
}

// MarshalJSON is AppendJSON for encoding/json and its kin.
func (s Summary) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil), nil }

func appendOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendQuoted(dst, s)
}

// ErrUnknownDocument means that a document is sound JSON, but nothing in it says which
// system it comes from.
var ErrUnknownDocument = errors.New("status: neither an Assembly Status nor a Scenario job: no ok, error, assembly_id, job or jobId in it")

// Decode decodes a document whose system is not known in advance, into an *Assembly or
// a *Job. The error is a *SyntaxError or ErrUnknownDocument.
func Decode(data []byte) (Document, error) {
	a := new(Assembly)
	if err := DecodeAssembly(data, a); err != nil {
		return nil, err
	}
	assembly, job, failed := a.crashed(), false, false
	for key, value := range Raw(a.src).Fields() {
		switch {
		case value.IsNull():
		case key == "ok", key == "assembly_id", key == "assemblyId":
			assembly = true
		case key == "error":
			failed = true
		case key == "job":
			job = job || value.kind() == '{'
		case key == "jobId":
			job = true
		}
	}
	switch {
	case assembly, failed && !job:
		return a, nil
	case job:
		j := new(Job)
		return j, DecodeJob(data, j)
	}
	return nil, ErrUnknownDocument
}

// Summary returns what an Assembly has in common with jobs of other systems. Its
// progress is that of the upload, and 1 after a successful end; that of the
// execution comes only with the updates, see Tracker.
func (a *Assembly) Summary() Summary {
	s := Summary{
		System: SystemAssembly, ID: a.ID, State: a.State.String(), Phase: a.Phase(), Error: a.Error.String(),
		Uploads: len(a.Uploads),
	}
	if s.Error == "" && a.crashed() {
		s.Error = a.Code
	}
	switch {
	case s.Phase == Succeeded:
		s.Progress, s.ProgressKnown = 1, true
	case a.State == AssemblyUploading && a.BytesExpected > 0:
		s.Progress, s.ProgressKnown = min(1, float64(a.BytesReceived)/float64(a.BytesExpected)), true
	}
	for i := range a.Results {
		s.Results = append(s.Results, StepCount{a.Results[i].Name, len(a.Results[i].Files)})
	}
	return s
}

// Summary returns what a job has in common with Assemblies and jobs of other systems.
// Its assets count as results of a Step with the name of the job's type.
func (j *Job) Summary() Summary {
	s := Summary{
		System: SystemScenario, ID: j.ID, State: j.Status.String(), Phase: j.Phase(), Error: j.Metadata.Error,
		Progress: max(0, min(j.Progress, 1)),
	}
	_, s.ProgressKnown = j.Lookup("progress").Float64()
	s.ProgressKnown = s.ProgressKnown || j.Progress > 0
	if n := len(j.Metadata.AssetIDs); n > 0 {
		s.Results = []StepCount{{j.Type, n}}
	}
	return s
}
