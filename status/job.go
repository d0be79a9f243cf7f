package status

import "time"

// A Job is a generation job of Scenario: the job object, and what the API answers with around it.
//
// As for an Assembly, a field that the document does not have, or has as null,
// is zero, Lookup shows what the fields do not, and encoding gives the document
// back with only what was assigned since changed. Progress runs from 0 to 1.
type Job struct {
	ID        string
	Type      string // detection, workflow, …
	Status    JobStatus
	Progress  float64 // 0 to 1
	CreatedAt time.Time
	UpdatedAt time.Time
	AuthorID  string
	OwnerID   string
	History   []JobEvent
	Metadata  JobMetadata
	Billing   JobBilling

	// Beside the job.
	Asset                 Asset // the asset that the job made; its ID is empty if there is none yet
	CreativeUnitsCost     float64
	CreativeUnitsDiscount float64

	src  string // of the job
	root string // of the document, if the job is one of its members
}

// A JobStatus is Scenario's name for where a job stands. A name that is not among the
// constants is passed through.
type JobStatus string

const (
	JobQueued     JobStatus = "queued"
	JobPending    JobStatus = "pending"
	JobWarmingUp  JobStatus = "warming-up"
	JobInProgress JobStatus = "in-progress"
	JobFinalizing JobStatus = "finalizing"
	JobSuccess    JobStatus = "success"
	JobFailure    JobStatus = "failure"
	JobCanceled   JobStatus = "canceled"
)

// String returns the API's name.
func (s JobStatus) String() string { return string(s) }

// Phase tells where on its way a job with that status is.
func (s JobStatus) Phase() Phase {
	switch s {
	case "":
		return Unknown
	case JobQueued, JobPending, JobWarmingUp:
		return Waiting
	case JobSuccess:
		return Succeeded
	case JobFailure:
		return Failed
	case JobCanceled:
		return Canceled
	}
	return Running
}

// Terminal reports whether the job has ended.
func (s JobStatus) Terminal() bool { return s.Phase().Terminal() }

// knownJobStatus is knownState for jobs.
func knownJobStatus(name string) JobStatus {
	for _, s := range [...]JobStatus{JobInProgress, JobSuccess, JobQueued, JobPending, JobWarmingUp, JobFinalizing, JobFailure, JobCanceled} {
		if string(s) == name {
			return s
		}
	}
	return JobStatus(name)
}

// A JobEvent is one entry of a job's history.
type JobEvent struct {
	Date   time.Time // when the job got that status
	Status JobStatus

	src string
}

// JobMetadata is what a job knows about itself.
type JobMetadata struct {
	AssetIDs      []string // produced assets
	Error         string
	Hint          string
	Flow          []JobNode // of a workflow job
	Input         Raw
	Output        Raw
	OutputModelID string
	WorkflowID    string
	WorkflowJobID string

	src string
}

// A JobNode is one node of a workflow job.
type JobNode struct {
	ID              string
	Status          string // pending, processing, success, failure or skipped
	Type            string
	JobID           string
	ModelID         string
	WorkflowID      string
	DependsOn       []string // node ids
	Assets          []JobNodeAsset
	Count           int64 // fixed number of iterations of a for-each node
	IterationIndex  int64
	Items           Raw
	IncludeOutputs  bool // includeOutputsInWorkflowJob
	Inputs          Raw
	Output          Raw
	Logic           Raw
	LogicType       string
	LoopNodeID      string
	LoopBodyNodeIDs []string

	src string
}

// A JobNodeAsset is an asset that a node made.
type JobNodeAsset struct {
	AssetID string
	URL     string

	src string
}

// JobBilling is in creative units.
type JobBilling struct {
	Cost     float64
	Discount float64

	src string
}

// An Asset is what a job made.
type Asset struct {
	ID                  string
	URL                 string
	Kind                string // image, video, audio, 3d, …
	MIMEType            string
	Status              string // pending, success or error
	Source              string
	Privacy             string
	Description         string
	AuthorID            string
	OwnerID             string
	CreatedAt           time.Time
	UpdatedAt           time.Time
	Metadata            Raw
	Properties          Raw // size, width, height and the like
	Tags                []string
	CollectionIDs       []string
	EditCapabilities    []string
	NSFW                []string
	Preview             Raw
	Thumbnail           Raw
	FirstFrame          Raw
	LastFrame           Raw
	Embedding           Raw
	OriginalFileURL     string
	AutomaticCaptioning string
	OutputIndex         int64
	IsHidden            bool

	src string
}

// DecodeJob decodes the answer of one of Scenario's endpoints into dst: a document that holds the job
// under the key job, or the job itself.
//
// It is as strict, and as forgiving of shapes, as DecodeAssembly, and copies data
// in the same way.
func DecodeJob(data []byte, dst *Job) error { return decodeCopy(data, (*jobRoot)(dst)) }

// AppendJSON appends the document as JSON to dst, as Assembly.AppendJSON does.
func (j *Job) AppendJSON(dst []byte) ([]byte, error) { return appendObject(dst, (*jobRoot)(j)) }

// MarshalJSON is AppendJSON for encoding/json and its kin.
func (j Job) MarshalJSON() ([]byte, error) { return j.AppendJSON(nil) }

// UnmarshalJSON is DecodeJob for encoding/json and its kin.
func (j *Job) UnmarshalJSON(data []byte) error { return DecodeJob(data, j) }

// Lookup returns the value of any key of the job object as it was decoded, and the zero Raw if there was none.
// It does not show what was assigned to a field since.
func (j *Job) Lookup(key string) Raw {
	if j.src != "" {
		return Raw(j.src).Get(key)
	}
	return Raw(j.root).Get(key)
}

// Lookup returns the value of any key of the asset as it was decoded, and the zero Raw if there was none.
func (a *Asset) Lookup(key string) Raw { return Raw(a.src).Get(key) }

// Phase tells where on its way the job is.
func (j *Job) Phase() Phase { return j.Status.Phase() }

// Terminal reports whether the job has ended.
func (j *Job) Terminal() bool { return j.Status.Terminal() }

// jobRoot is the document as an object, jobBody the job in it. A document that is the job
// itself has the fields of both.
type (
	jobRoot Job
	jobBody Job
)

func (r *jobRoot) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "job":
		return child((*jobBody)(r))
	case "asset":
		return child(&r.Asset)
	case "creativeUnitsCost":
		return float(&r.CreativeUnitsCost)
	case "creativeUnitsDiscount":
		return float(&r.CreativeUnitsDiscount)
	}
	if r.src != "" {
		return none() // the job has its own member, so this is not about it
	}
	return (*jobBody)(r).field(key)
}

func (r *jobRoot) reset()          { *r = jobRoot{} }
func (r *jobRoot) source() *string { return &r.root }
func (r *jobRoot) fresh() object   { return new(jobRoot) }

func (r *jobRoot) keys() []string {
	beside := []string{"asset", "creativeUnitsCost", "creativeUnitsDiscount"}
	if isObject(r.root) && Raw(r.root).Get("job") == "" {
		return append(beside, jobKeys...)
	}
	return append(beside, "job")
}

func (j *jobBody) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "jobId":
		return text(&j.ID)
	case "jobType":
		return text(&j.Type)
	case "status":
		return text((*string)(&j.Status))
	case "progress":
		return float(&j.Progress)
	case "createdAt":
		return date(&j.CreatedAt)
	case "updatedAt":
		return date(&j.UpdatedAt)
	case "authorId":
		return text(&j.AuthorID)
	case "ownerId":
		return text(&j.OwnerID)
	case "statusHistory":
		return listOf((*slice[JobEvent, *JobEvent])(&j.History))
	case "metadata":
		return child(&j.Metadata)
	case "billing":
		return child(&j.Billing)
	}
	return none()
}

var jobKeys = []string{
	"createdAt", "jobId", "jobType", "metadata", "progress", "status", "statusHistory",
	"updatedAt", "authorId", "billing", "ownerId",
}

func (j *jobBody) reset() {
	*j = jobBody{
		Asset: j.Asset, CreativeUnitsCost: j.CreativeUnitsCost,
		CreativeUnitsDiscount: j.CreativeUnitsDiscount, root: j.root,
	}
}
func (j *jobBody) source() *string { return &j.src }
func (j *jobBody) keys() []string  { return jobKeys }
func (j *jobBody) fresh() object   { return new(jobBody) }

func (e *JobEvent) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "date":
		return date(&e.Date)
	case "status":
		return text((*string)(&e.Status))
	}
	return none()
}

func (e *JobEvent) reset()          { *e = JobEvent{} }
func (e *JobEvent) source() *string { return &e.src }
func (e *JobEvent) keys() []string  { return []string{"date", "status"} }
func (e *JobEvent) fresh() object   { return new(JobEvent) }

func (m *JobMetadata) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "assetIds":
		return stringsOf(&m.AssetIDs)
	case "error":
		return text(&m.Error)
	case "hint":
		return text(&m.Hint)
	case "flow":
		return listOf((*slice[JobNode, *JobNode])(&m.Flow))
	case "input":
		return raw(&m.Input)
	case "output":
		return raw(&m.Output)
	case "outputModelId":
		return text(&m.OutputModelID)
	case "workflowId":
		return text(&m.WorkflowID)
	case "workflowJobId":
		return text(&m.WorkflowJobID)
	}
	return none()
}

func (m *JobMetadata) reset()          { *m = JobMetadata{} }
func (m *JobMetadata) source() *string { return &m.src }
func (m *JobMetadata) fresh() object   { return new(JobMetadata) }
func (m *JobMetadata) keys() []string {
	return []string{"assetIds", "error", "flow", "hint", "input", "output", "outputModelId", "workflowId", "workflowJobId"}
}

func (n *JobNode) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "id":
		return text(&n.ID)
	case "status":
		return text(&n.Status)
	case "type":
		return text(&n.Type)
	case "jobId":
		return text(&n.JobID)
	case "modelId":
		return text(&n.ModelID)
	case "workflowId":
		return text(&n.WorkflowID)
	case "dependsOn":
		return stringsOf(&n.DependsOn)
	case "assets":
		return listOf((*slice[JobNodeAsset, *JobNodeAsset])(&n.Assets))
	case "count":
		return integer(&n.Count)
	case "iterationIndex":
		return integer(&n.IterationIndex)
	case "items":
		return raw(&n.Items)
	case "includeOutputsInWorkflowJob":
		return boolean(&n.IncludeOutputs)
	case "inputs":
		return raw(&n.Inputs)
	case "output":
		return raw(&n.Output)
	case "logic":
		return raw(&n.Logic)
	case "logicType":
		return text(&n.LogicType)
	case "loopNodeId":
		return text(&n.LoopNodeID)
	case "loopBodyNodeIds":
		return stringsOf(&n.LoopBodyNodeIDs)
	}
	return none()
}

func (n *JobNode) reset()          { *n = JobNode{} }
func (n *JobNode) source() *string { return &n.src }
func (n *JobNode) fresh() object   { return new(JobNode) }
func (n *JobNode) keys() []string {
	return []string{
		"id", "status", "type", "assets", "count", "dependsOn", "includeOutputsInWorkflowJob", "inputs", "items", "iterationIndex",
		"jobId", "logic", "logicType", "loopBodyNodeIds", "loopNodeId", "modelId", "output", "workflowId",
	}
}

func (a *JobNodeAsset) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "assetId":
		return text(&a.AssetID)
	case "url":
		return text(&a.URL)
	}
	return none()
}

func (a *JobNodeAsset) reset()          { *a = JobNodeAsset{} }
func (a *JobNodeAsset) source() *string { return &a.src }
func (a *JobNodeAsset) keys() []string  { return []string{"assetId", "url"} }
func (a *JobNodeAsset) fresh() object   { return new(JobNodeAsset) }

func (b *JobBilling) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "cuCost":
		return float(&b.Cost)
	case "cuDiscount":
		return float(&b.Discount)
	}
	return none()
}

func (b *JobBilling) reset()          { *b = JobBilling{} }
func (b *JobBilling) source() *string { return &b.src }
func (b *JobBilling) keys() []string  { return []string{"cuCost", "cuDiscount"} }
func (b *JobBilling) fresh() object   { return new(JobBilling) }

func (a *Asset) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "id":
		return text(&a.ID)
	case "url":
		return text(&a.URL)
	case "kind":
		return text(&a.Kind)
	case "mimeType":
		return text(&a.MIMEType)
	case "status":
		return text(&a.Status)
	case "source":
		return text(&a.Source)
	case "privacy":
		return text(&a.Privacy)
	case "description":
		return text(&a.Description)
	case "authorId":
		return text(&a.AuthorID)
	case "ownerId":
		return text(&a.OwnerID)
	case "createdAt":
		return date(&a.CreatedAt)
	case "updatedAt":
		return date(&a.UpdatedAt)
	case "metadata":
		return raw(&a.Metadata)
	case "properties":
		return raw(&a.Properties)
	case "tags":
		return stringsOf(&a.Tags)
	case "collectionIds":
		return stringsOf(&a.CollectionIDs)
	case "editCapabilities":
		return stringsOf(&a.EditCapabilities)
	case "nsfw":
		return stringsOf(&a.NSFW)
	case "preview":
		return raw(&a.Preview)
	case "thumbnail":
		return raw(&a.Thumbnail)
	case "firstFrame":
		return raw(&a.FirstFrame)
	case "lastFrame":
		return raw(&a.LastFrame)
	case "embedding":
		return raw(&a.Embedding)
	case "originalFileUrl":
		return text(&a.OriginalFileURL)
	case "automaticCaptioning":
		return text(&a.AutomaticCaptioning)
	case "outputIndex":
		return integer(&a.OutputIndex)
	case "isHidden":
		return boolean(&a.IsHidden)
	}
	return none()
}

var assetKeys = []string{
	"id", "authorId", "collectionIds", "createdAt", "editCapabilities", "kind", "metadata", "mimeType", "ownerId", "privacy",
	"properties", "source", "status", "tags", "updatedAt", "url", "automaticCaptioning", "description", "embedding", "firstFrame",
	"isHidden", "lastFrame", "nsfw", "originalFileUrl", "outputIndex", "preview", "thumbnail",
}

func (a *Asset) reset()          { *a = Asset{} }
func (a *Asset) source() *string { return &a.src }
func (a *Asset) keys() []string  { return assetKeys }
func (a *Asset) fresh() object   { return new(Asset) }

// A JobHead is the part of a job that decides what to do next. Its ID, and a Status that is not one of the
// constants, are parts of the bytes that PeekJob was given.
type JobHead struct {
	ID       string
	Status   JobStatus
	Progress float64 // 0 to 1
}

// Phase tells where on its way the job is.
func (h JobHead) Phase() Phase { return h.Status.Phase() }

// Terminal reports whether the job has ended.
func (h JobHead) Terminal() bool { return h.Status.Terminal() }

// PeekJob reads the head of a document that DecodeJob would decode, without
// allocating, unless something in it is written with escape sequences. It stops once it has met the job's id, status
// and progress, and so checks neither what stands behind them nor whether one
// of them comes again.
func PeekJob(data []byte) (JobHead, error) {
	p := jobPeek{b: data}
	i := skipSpace(data, 0)
	if at(data, i) == '{' {
		i = p.object(i, true)
		if p.seen == jobSettled || i >= 0 && skipSpace(data, i) == len(data) {
			return p.head, nil
		}
	}
	return p.head, refusal(data)
}

const jobSettled = 7

type jobPeek struct {
	b    []byte
	head JobHead
	seen uint8 // a bit each for id, status and progress

	enveloped bool // the job is a member of the document
}

// object reads the members of an object until everything has been seen.
func (p *jobPeek) object(i int, root bool) int {
	b := p.b
	if i = skipSpace(b, i+1); at(b, i) == '}' {
		return i + 1
	}
	for {
		if at(b, i) != '"' {
			return -1
		}
		k := i + 1
		if i = stringEnd(b, k); i < 0 {
			return -1
		}
		key := member{key: view(b[k:i])}.name()
		if i = colonEnd(b, i+1); i < 0 {
			return -1
		}
		inside := root && key == "job"
		if inside {
			p.head, p.seen, p.enveloped = JobHead{}, 0, true
		}
		if v := i; inside && at(b, i) == '{' {
			if i = p.object(i, false); p.seen == jobSettled || i < 0 {
				return i
			}
		} else {
			depth := 1
			if !root {
				depth = 2
			}
			if i = valueEnd(b, i, depth); i < 0 {
				return -1
			}
			if !root || !p.enveloped {
				p.member(key, b[v:i])
			}
		}
		if i = skipSpace(b, i); at(b, i) == '}' {
			return i + 1
		}
		if at(b, i) != ',' || p.seen == jobSettled {
			return -1
		}
		i = skipSpace(b, i+1)
	}
}

func (p *jobPeek) member(key string, value []byte) {
	switch key {
	case "jobId":
		p.head.ID = headText(value, false)
		p.seen |= 1
	case "status":
		p.head.Status = knownJobStatus(headText(value, false))
		p.seen |= 2
	case "progress":
		p.head.Progress = 0
		if s, ok := Raw(view(value)).number(); ok {
			p.head.Progress, _ = parseFloat(s)
		}
		p.seen |= 4
	}
}
