package status

import "time"

// A Job is a generation job of Scenario: the job object, and what the API answers with
// around it.
//
// As with an Assembly, a field that the document does not have, or has as null,
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

// DecodeJob decodes the answer of one of Scenario's endpoints into dst: a document that
// holds the job under the key job, or the job itself.
//
// It is as strict, and as forgiving of shapes, as DecodeAssembly, and copies data
// in the same way.
func DecodeJob(data []byte, dst *Job) error { return decodeCopy(data, (*jobRoot)(dst), nil) }

// AppendJSON appends the document as JSON to dst, as Assembly.AppendJSON does. A date that was
// assigned keeps its nanoseconds.
func (j *Job) AppendJSON(dst []byte) ([]byte, error) { return appendObject(dst, (*jobRoot)(j)) }

// MarshalJSON is AppendJSON for encoding/json and its kin.
func (j Job) MarshalJSON() ([]byte, error) { return j.AppendJSON(nil) }

// UnmarshalJSON is DecodeJob for encoding/json and its kin, where null changes nothing.
func (j *Job) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	return DecodeJob(data, j)
}

// Lookup returns the value of any key of the job object as it was decoded, and the zero
// Raw if there was none. It does not show what was assigned to a field since.
func (j *Job) Lookup(key string) Raw {
	if j.src != "" {
		return Raw(j.src).Get(key)
	}
	return Raw(j.root).Get(key)
}

// Lookup returns the value of any key of the asset as it was decoded, and the zero Raw
// if there was none.
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

// jobRootLayout is for a document that holds the job, jobFlatLayout for one that is the
// job.
var (
	jobRootLayout = layoutOf(func(r *jobRoot) []field {
		return append(r.beside(), child("job", (*jobBody)(r)))
	})
	jobFlatLayout = layoutOf(func(r *jobRoot) []field {
		all := append(r.beside(), jobFields((*jobBody)(r))...)
		return append(all, alias(child("job", (*jobBody)(r))))
	})
)

func (r *jobRoot) beside() []field {
	return []field{
		child("asset", &r.Asset),
		float("creativeUnitsCost", &r.CreativeUnitsCost),
		float("creativeUnitsDiscount", &r.CreativeUnitsDiscount),
	}
}

func (r *jobRoot) reset()          { *r = jobRoot{} }
func (r *jobRoot) source() *string { return &r.root }

// layout is that of the job itself until the job turns out to have a member of its own; then
// nothing outside that member is about it.
func (r *jobRoot) layout() *layout {
	if r.src != "" {
		return jobRootLayout
	}
	return jobFlatLayout
}

func (r *jobRoot) encoded() *layout {
	if isObject(r.root) && Raw(r.root).Get("job") == "" {
		return jobFlatLayout
	}
	return jobRootLayout
}

var jobBodyLayout = layoutOf(jobFields)

func jobFields(j *jobBody) []field {
	return []field{
		isoDate("createdAt", &j.CreatedAt),
		text("jobId", &j.ID),
		text("jobType", &j.Type),
		child("metadata", &j.Metadata),
		float("progress", &j.Progress),
		text("status", (*string)(&j.Status)),
		listOf("statusHistory", (*slice[JobEvent, *JobEvent])(&j.History)),
		isoDate("updatedAt", &j.UpdatedAt),
		text("authorId", &j.AuthorID),
		child("billing", &j.Billing),
		text("ownerId", &j.OwnerID),
	}
}

func (j *jobBody) reset() {
	*j = jobBody{
		Asset: j.Asset, CreativeUnitsCost: j.CreativeUnitsCost,
		CreativeUnitsDiscount: j.CreativeUnitsDiscount, root: j.root,
	}
}
func (j *jobBody) source() *string { return &j.src }
func (j *jobBody) layout() *layout { return jobBodyLayout }

var jobEventLayout = layoutOf(func(e *JobEvent) []field {
	return []field{
		isoDate("date", &e.Date),
		text("status", (*string)(&e.Status)),
	}
})

func (e *JobEvent) reset()          { *e = JobEvent{} }
func (e *JobEvent) source() *string { return &e.src }
func (e *JobEvent) layout() *layout { return jobEventLayout }

var jobMetadataLayout = layoutOf(func(m *JobMetadata) []field {
	return []field{
		stringsOf("assetIds", &m.AssetIDs),
		text("error", &m.Error),
		listOf("flow", (*slice[JobNode, *JobNode])(&m.Flow)),
		text("hint", &m.Hint),
		raw("input", &m.Input),
		raw("output", &m.Output),
		text("outputModelId", &m.OutputModelID),
		text("workflowId", &m.WorkflowID),
		text("workflowJobId", &m.WorkflowJobID),
	}
})

func (m *JobMetadata) reset()          { *m = JobMetadata{} }
func (m *JobMetadata) source() *string { return &m.src }
func (m *JobMetadata) layout() *layout { return jobMetadataLayout }

var jobNodeLayout = layoutOf(func(n *JobNode) []field {
	return []field{
		text("id", &n.ID),
		text("status", &n.Status),
		text("type", &n.Type),
		listOf("assets", (*slice[JobNodeAsset, *JobNodeAsset])(&n.Assets)),
		integer("count", &n.Count),
		stringsOf("dependsOn", &n.DependsOn),
		boolean("includeOutputsInWorkflowJob", &n.IncludeOutputs),
		raw("inputs", &n.Inputs),
		raw("items", &n.Items),
		integer("iterationIndex", &n.IterationIndex),
		text("jobId", &n.JobID),
		raw("logic", &n.Logic),
		text("logicType", &n.LogicType),
		stringsOf("loopBodyNodeIds", &n.LoopBodyNodeIDs),
		text("loopNodeId", &n.LoopNodeID),
		text("modelId", &n.ModelID),
		raw("output", &n.Output),
		text("workflowId", &n.WorkflowID),
	}
})

func (n *JobNode) reset()          { *n = JobNode{} }
func (n *JobNode) source() *string { return &n.src }
func (n *JobNode) layout() *layout { return jobNodeLayout }

var jobNodeAssetLayout = layoutOf(func(a *JobNodeAsset) []field {
	return []field{
		text("assetId", &a.AssetID),
		text("url", &a.URL),
	}
})

func (a *JobNodeAsset) reset()          { *a = JobNodeAsset{} }
func (a *JobNodeAsset) source() *string { return &a.src }
func (a *JobNodeAsset) layout() *layout { return jobNodeAssetLayout }

var jobBillingLayout = layoutOf(func(b *JobBilling) []field {
	return []field{
		float("cuCost", &b.Cost),
		float("cuDiscount", &b.Discount),
	}
})

func (b *JobBilling) reset()          { *b = JobBilling{} }
func (b *JobBilling) source() *string { return &b.src }
func (b *JobBilling) layout() *layout { return jobBillingLayout }

var assetLayout = layoutOf(func(a *Asset) []field {
	return []field{
		text("id", &a.ID),
		text("authorId", &a.AuthorID),
		stringsOf("collectionIds", &a.CollectionIDs),
		isoDate("createdAt", &a.CreatedAt),
		stringsOf("editCapabilities", &a.EditCapabilities),
		text("kind", &a.Kind),
		raw("metadata", &a.Metadata),
		text("mimeType", &a.MIMEType),
		text("ownerId", &a.OwnerID),
		text("privacy", &a.Privacy),
		raw("properties", &a.Properties),
		text("source", &a.Source),
		text("status", &a.Status),
		stringsOf("tags", &a.Tags),
		isoDate("updatedAt", &a.UpdatedAt),
		text("url", &a.URL),
		text("automaticCaptioning", &a.AutomaticCaptioning),
		text("description", &a.Description),
		raw("embedding", &a.Embedding),
		raw("firstFrame", &a.FirstFrame),
		boolean("isHidden", &a.IsHidden),
		raw("lastFrame", &a.LastFrame),
		stringsOf("nsfw", &a.NSFW),
		text("originalFileUrl", &a.OriginalFileURL),
		integer("outputIndex", &a.OutputIndex),
		raw("preview", &a.Preview),
		raw("thumbnail", &a.Thumbnail),
	}
})

func (a *Asset) reset()          { *a = Asset{} }
func (a *Asset) source() *string { return &a.src }
func (a *Asset) layout() *layout { return assetLayout }

// A JobHead is the part of a job that decides what to do next. Its ID, and a Status
// that is not one of the constants, are parts of the bytes that PeekJob was given.
type JobHead struct {
	ID       string
	Status   JobStatus
	Progress float64 // 0 to 1
}

// Phase tells where on its way the job is.
func (h JobHead) Phase() Phase { return h.Status.Phase() }

// Terminal reports whether the job has ended.
func (h JobHead) Terminal() bool { return h.Status.Terminal() }

// PeekJob reads the head of a document that DecodeJob would decode, without allocating
// unless something in it is written with escape sequences. It stops once it has met the
// job's id, status and progress. So it does not see whether what follows is JSON, nor a key
// that comes again there, nor a member job after the fields of a job: the API sends the one
// or the other, and DecodeJob prefers the member.
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
		p.head.ID = headText(view(value), false)
		p.seen |= 1
	case "status":
		p.head.Status = knownJobStatus(headText(view(value), false))
		p.seen |= 2
	case "progress":
		p.head.Progress = 0
		if s, ok := Raw(view(value)).number(); ok {
			p.head.Progress, _ = parseFloat(s)
		}
		p.seen |= 4
	}
}
