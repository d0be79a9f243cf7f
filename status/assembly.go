package status

import "time"

// An Assembly is an Assembly Status, the document that the API answers with when an
// Assembly is created, polled, canceled or reported to a notify_url.
//
// A field that the document does not have, or has as null, is its type's zero value;
// Lookup tells these apart, and shows a value of a shape that the typed field has
// no use for. Encoding an Assembly again gives the document it was decoded from,
// in which only the fields that were assigned since are different.
//
// An Assembly may be read by several goroutines at the same time.
type Assembly struct {
	State    State     // ok; empty if the Assembly failed
	Error    ErrorCode // error; empty unless the Assembly, or the request for it, failed
	HTTPCode int64
	Message  string
	Reason   string // more about Error
	Info     Raw    // more about Error; see RetryAfter

	// What a crash below the API sends in place of ok and error.
	Errno   Raw
	Code    string
	Syscall string

	ID                   string // assembly_id
	ParentID             string // of the Assembly that was replayed
	AccountID            string
	AccountName          string
	AccountSlug          string
	APIAuthKeyID         string
	TemplateID           string
	TemplateName         string
	Instance             string
	Region               string
	BuildID              string
	AssemblyURL          string
	AssemblySSLURL       string // to poll
	UppyServerURL        string
	CompanionURL         string
	WebsocketURL         string
	UpdateStreamURL      string // server-sent events; see StreamURL
	TusURL               string
	BytesReceived        int64
	BytesExpected        int64
	BytesUsage           int64
	UploadDuration       time.Duration
	ClientAgent          string
	ClientIP             string
	ClientReferer        string
	TransloaditClient    string
	StartDate            time.Time
	ExecutionStart       time.Time
	ExecutionDuration    time.Duration
	QueueDuration        time.Duration
	JobsQueueDuration    time.Duration
	LastJobCompleted     time.Time
	MetaDataExtracted    bool // upload_meta_data_extracted
	IsInfinite           bool
	HasDupeJobs          bool
	NotifyStart          time.Time
	NotifyURL            string
	NotifyStatus         string
	NotifyResponseCode   int64
	NotifyResponseData   string
	NotifyError          string
	NotifyDuration       time.Duration
	NumInputFiles        int64
	ExpectedTusUploads   int64
	StartedTusUploads    int64
	FinishedTusUploads   int64
	IgnoredErrorCount    int64
	IgnoredErrors        Raw
	Warnings             Raw // a string, or an array
	UsageTags            string
	RunningJobs          Raw // Raw.Strings reads it, string or array
	ExecutingJobs        Raw // likewise
	StartedJobs          Raw // likewise
	Fields               Raw // what was sent along with the Assembly, usually an object
	Params               Raw // JSON in a string; Raw.Embedded reads it
	MergedParams         Raw // likewise
	Template             Raw // likewise
	ParentAssemblyStatus Raw
	AdminCmd             Raw
	TusUploads           Raw
	DebugInfo            Raw
	VirusName            string
	Step                 string // where Error happened
	PreviousStep         string
	Worker               string

	Uploads []File
	Results []Step // in the document's order

	src   string
	arena []byte // of a borrowed document, for the next one
}

func (a *Assembly) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "ok":
		return text((*string)(&a.State))
	case "error":
		return text((*string)(&a.Error))
	case "http_code":
		return integer(&a.HTTPCode)
	case "message":
		return text(&a.Message)
	case "reason":
		return text(&a.Reason)
	case "info":
		return raw(&a.Info)
	case "errno":
		return raw(&a.Errno)
	case "code":
		return text(&a.Code)
	case "syscall":
		return text(&a.Syscall)
	case "assembly_id", "assemblyId":
		return text(&a.ID)
	case "parent_id":
		return text(&a.ParentID)
	case "account_id":
		return text(&a.AccountID)
	case "account_name":
		return text(&a.AccountName)
	case "account_slug":
		return text(&a.AccountSlug)
	case "api_auth_key_id":
		return text(&a.APIAuthKeyID)
	case "template_id":
		return text(&a.TemplateID)
	case "template_name":
		return text(&a.TemplateName)
	case "instance":
		return text(&a.Instance)
	case "region":
		return text(&a.Region)
	case "build_id":
		return text(&a.BuildID)
	case "assembly_url":
		return text(&a.AssemblyURL)
	case "assembly_ssl_url":
		return text(&a.AssemblySSLURL)
	case "uppyserver_url":
		return text(&a.UppyServerURL)
	case "companion_url":
		return text(&a.CompanionURL)
	case "websocket_url":
		return text(&a.WebsocketURL)
	case "update_stream_url":
		return text(&a.UpdateStreamURL)
	case "tus_url":
		return text(&a.TusURL)
	case "bytes_received":
		return integer(&a.BytesReceived)
	case "bytes_expected":
		return integer(&a.BytesExpected)
	case "bytes_usage":
		return integer(&a.BytesUsage)
	case "upload_duration":
		return seconds(&a.UploadDuration)
	case "client_agent":
		return text(&a.ClientAgent)
	case "client_ip":
		return text(&a.ClientIP)
	case "client_referer":
		return text(&a.ClientReferer)
	case "transloadit_client":
		return text(&a.TransloaditClient)
	case "start_date":
		return date(&a.StartDate)
	case "execution_start":
		return date(&a.ExecutionStart)
	case "execution_duration":
		return seconds(&a.ExecutionDuration)
	case "queue_duration":
		return seconds(&a.QueueDuration)
	case "jobs_queue_duration":
		return seconds(&a.JobsQueueDuration)
	case "last_job_completed":
		return date(&a.LastJobCompleted)
	case "upload_meta_data_extracted":
		return boolean(&a.MetaDataExtracted)
	case "is_infinite":
		return boolean(&a.IsInfinite)
	case "has_dupe_jobs":
		return boolean(&a.HasDupeJobs)
	case "notify_start":
		return date(&a.NotifyStart)
	case "notify_url":
		return text(&a.NotifyURL)
	case "notify_status":
		return text(&a.NotifyStatus)
	case "notify_response_code":
		return integer(&a.NotifyResponseCode)
	case "notify_response_data":
		return text(&a.NotifyResponseData)
	case "notify_error":
		return text(&a.NotifyError)
	case "notify_duration":
		return seconds(&a.NotifyDuration)
	case "num_input_files":
		return integer(&a.NumInputFiles)
	case "expected_tus_uploads":
		return integer(&a.ExpectedTusUploads)
	case "started_tus_uploads":
		return integer(&a.StartedTusUploads)
	case "finished_tus_uploads":
		return integer(&a.FinishedTusUploads)
	case "ignored_error_count":
		return integer(&a.IgnoredErrorCount)
	case "ignored_errors":
		return raw(&a.IgnoredErrors)
	case "warnings":
		return raw(&a.Warnings)
	case "usage_tags":
		return text(&a.UsageTags)
	case "running_jobs":
		return raw(&a.RunningJobs)
	case "executing_jobs":
		return raw(&a.ExecutingJobs)
	case "started_jobs":
		return raw(&a.StartedJobs)
	case "fields":
		return raw(&a.Fields)
	case "params":
		return raw(&a.Params)
	case "merged_params":
		return raw(&a.MergedParams)
	case "template":
		return raw(&a.Template)
	case "parent_assembly_status":
		return raw(&a.ParentAssemblyStatus)
	case "admin_cmd":
		return raw(&a.AdminCmd)
	case "tus_uploads":
		return raw(&a.TusUploads)
	case "debuginfo":
		return raw(&a.DebugInfo)
	case "virusname":
		return text(&a.VirusName)
	case "step":
		return text(&a.Step)
	case "previousStep":
		return text(&a.PreviousStep)
	case "worker":
		return text(&a.Worker)
	case "uploads":
		return listOf((*files)(&a.Uploads))
	case "results":
		return stepsOf(&a.Results)
	}
	return none()
}

var assemblyKeys = []string{
	"ok", "error", "http_code", "message", "reason", "info", "errno", "code", "syscall",
	"assembly_id", "parent_id", "account_id", "account_name", "account_slug", "api_auth_key_id",
	"template_id", "template_name", "instance", "region",
	"assembly_url", "assembly_ssl_url", "uppyserver_url", "companion_url", "websocket_url",
	"update_stream_url", "tus_url", "bytes_received", "bytes_expected", "upload_duration",
	"client_agent", "client_ip", "client_referer", "transloadit_client", "start_date",
	"upload_meta_data_extracted", "warnings", "ignored_errors", "ignored_error_count",
	"is_infinite", "has_dupe_jobs", "execution_start", "execution_duration", "queue_duration",
	"jobs_queue_duration", "notify_start", "notify_url", "notify_status", "notify_response_code",
	"notify_response_data", "notify_error", "notify_duration", "last_job_completed", "fields",
	"running_jobs", "bytes_usage", "usage_tags", "executing_jobs", "started_jobs",
	"parent_assembly_status", "params", "template", "merged_params", "num_input_files",
	"uploads", "results", "build_id",
	"expected_tus_uploads", "started_tus_uploads", "finished_tus_uploads", "tus_uploads",
	"virusname", "admin_cmd", "debuginfo", "step", "previousStep", "worker",
}

// reset keeps what the next document can use: the capacity of the slices.
func (a *Assembly) reset() {
	*a = Assembly{Uploads: a.Uploads[:0], Results: a.Results[:0], arena: a.arena}
}

func (a *Assembly) source() *string { return &a.src }
func (a *Assembly) keys() []string  { return assemblyKeys }
func (a *Assembly) fresh() object   { return new(Assembly) }

// Lookup returns the value of any key as it was decoded, known or unknown, and the
// zero Raw if there was none. It does not show what was assigned to a field since.
func (a *Assembly) Lookup(key string) Raw { return Raw(a.src).Get(key) }

// Result returns the files of a Step, nil if it has none.
func (a *Assembly) Result(step string) []File {
	for i := range a.Results {
		if a.Results[i].Name == step {
			return a.Results[i].Files
		}
	}
	return nil
}

// StreamURL is where the Assembly's updates are streamed: update_stream_url, or what older
// Statuses have in its place. It is empty if the Status names neither.
func (a *Assembly) StreamURL() string {
	if a.UpdateStreamURL != "" || a.WebsocketURL == "" || a.ID == "" {
		return a.UpdateStreamURL
	}
	return a.WebsocketURL + "?assembly=" + a.ID
}

// DecodeAssembly decodes an Assembly Status into dst, in one pass.
//
// It accepts exactly the documents that encoding/json calls valid and whose root
// is an object; any other gives a *SyntaxError with the place of the fault, and dst then
// holds the fields that stood before it. A valid document never fails: a
// field whose value has a shape that its type cannot hold stays zero, and is
// there for Lookup. Of a key that comes twice the last one counts, and strings
// are the ones that encoding/json would give.
//
// data is copied once; all strings of dst are parts of that copy, so keeping one
// keeps them all. dst's slices are used again and files that it held before are
// overwritten.
func DecodeAssembly(data []byte, dst *Assembly) error { return decodeCopy(data, dst) }

// DecodeAssemblyBorrowed is DecodeAssembly without the copy: the strings of dst
// are data's own bytes, valid only until data changes or dst is decoded into again,
// whichever comes first. Use strings.Clone for what has to last longer.
func DecodeAssemblyBorrowed(data []byte, dst *Assembly) error {
	d := decoder{b: data, s: view(data), arena: dst.arena[:0]}
	if !d.document(dst) {
		return refusal(data)
	}
	dst.arena = d.arena
	return nil
}

func decodeCopy(data []byte, dst object) error {
	d := copyOf(data)
	if !d.document(dst) {
		return refusal(data)
	}
	return nil
}
