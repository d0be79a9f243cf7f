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

	ID                   string // both spellings, assembly_id and assemblyId
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
	arena []byte  // of a borrowed document, for the next one
	guess guesses // for the next document
}

var assemblyLayout = layoutOf(func(a *Assembly) []field {
	return []field{
		text("ok", (*string)(&a.State)),
		text("error", (*string)(&a.Error)),
		integer("http_code", &a.HTTPCode),
		text("message", &a.Message),
		text("reason", &a.Reason),
		raw("info", &a.Info),
		raw("errno", &a.Errno),
		text("code", &a.Code),
		text("syscall", &a.Syscall),
		text("assembly_id", &a.ID),
		text("parent_id", &a.ParentID),
		text("account_id", &a.AccountID),
		text("account_name", &a.AccountName),
		text("account_slug", &a.AccountSlug),
		text("api_auth_key_id", &a.APIAuthKeyID),
		text("template_id", &a.TemplateID),
		text("template_name", &a.TemplateName),
		text("instance", &a.Instance),
		text("region", &a.Region),
		text("assembly_url", &a.AssemblyURL),
		text("assembly_ssl_url", &a.AssemblySSLURL),
		text("uppyserver_url", &a.UppyServerURL),
		text("companion_url", &a.CompanionURL),
		text("websocket_url", &a.WebsocketURL),
		text("update_stream_url", &a.UpdateStreamURL),
		text("tus_url", &a.TusURL),
		integer("bytes_received", &a.BytesReceived),
		integer("bytes_expected", &a.BytesExpected),
		seconds("upload_duration", &a.UploadDuration),
		text("client_agent", &a.ClientAgent),
		text("client_ip", &a.ClientIP),
		text("client_referer", &a.ClientReferer),
		text("transloadit_client", &a.TransloaditClient),
		date("start_date", &a.StartDate),
		boolean("upload_meta_data_extracted", &a.MetaDataExtracted),
		raw("warnings", &a.Warnings),
		raw("ignored_errors", &a.IgnoredErrors),
		integer("ignored_error_count", &a.IgnoredErrorCount),
		boolean("is_infinite", &a.IsInfinite),
		boolean("has_dupe_jobs", &a.HasDupeJobs),
		date("execution_start", &a.ExecutionStart),
		seconds("execution_duration", &a.ExecutionDuration),
		seconds("queue_duration", &a.QueueDuration),
		seconds("jobs_queue_duration", &a.JobsQueueDuration),
		date("notify_start", &a.NotifyStart),
		text("notify_url", &a.NotifyURL),
		text("notify_status", &a.NotifyStatus),
		integer("notify_response_code", &a.NotifyResponseCode),
		text("notify_response_data", &a.NotifyResponseData),
		text("notify_error", &a.NotifyError),
		seconds("notify_duration", &a.NotifyDuration),
		date("last_job_completed", &a.LastJobCompleted),
		raw("fields", &a.Fields),
		raw("running_jobs", &a.RunningJobs),
		integer("bytes_usage", &a.BytesUsage),
		text("usage_tags", &a.UsageTags),
		raw("executing_jobs", &a.ExecutingJobs),
		raw("started_jobs", &a.StartedJobs),
		raw("parent_assembly_status", &a.ParentAssemblyStatus),
		raw("params", &a.Params),
		raw("template", &a.Template),
		raw("merged_params", &a.MergedParams),
		integer("num_input_files", &a.NumInputFiles),
		listOf("uploads", (*files)(&a.Uploads)),
		stepsOf("results", &a.Results),
		text("build_id", &a.BuildID),
		integer("expected_tus_uploads", &a.ExpectedTusUploads),
		integer("started_tus_uploads", &a.StartedTusUploads),
		integer("finished_tus_uploads", &a.FinishedTusUploads),
		raw("tus_uploads", &a.TusUploads),
		text("virusname", &a.VirusName),
		raw("admin_cmd", &a.AdminCmd),
		raw("debuginfo", &a.DebugInfo),
		text("step", &a.Step),
		text("previousStep", &a.PreviousStep),
		text("worker", &a.Worker),
		alias(text("assemblyId", &a.ID)),
	}
})

// reset keeps what the next document can use: the capacity of the slices. Why it assigns
// one field after the other is explained at File.reset.
func (a *Assembly) reset() {
	a.State, a.Error, a.Message, a.Reason, a.Info = "", "", "", "", ""
	a.Errno, a.Code, a.Syscall, a.ID, a.ParentID = "", "", "", "", ""
	a.AccountID, a.AccountName, a.AccountSlug, a.APIAuthKeyID = "", "", "", ""
	a.TemplateID, a.TemplateName, a.Instance, a.Region, a.BuildID = "", "", "", "", ""
	a.AssemblyURL, a.AssemblySSLURL, a.UppyServerURL, a.CompanionURL = "", "", "", ""
	a.WebsocketURL, a.UpdateStreamURL, a.TusURL = "", "", ""
	a.ClientAgent, a.ClientIP, a.ClientReferer, a.TransloaditClient = "", "", "", ""
	a.NotifyURL, a.NotifyStatus, a.NotifyResponseData, a.NotifyError = "", "", "", ""
	a.IgnoredErrors, a.Warnings, a.UsageTags = "", "", ""
	a.RunningJobs, a.ExecutingJobs, a.StartedJobs = "", "", ""
	a.Fields, a.Params, a.MergedParams, a.Template = "", "", "", ""
	a.ParentAssemblyStatus, a.AdminCmd, a.TusUploads, a.DebugInfo = "", "", "", ""
	a.VirusName, a.Step, a.PreviousStep, a.Worker, a.src = "", "", "", "", ""
	a.MetaDataExtracted, a.IsInfinite, a.HasDupeJobs = false, false, false
	a.HTTPCode, a.NotifyResponseCode, a.NumInputFiles, a.IgnoredErrorCount = 0, 0, 0, 0
	a.BytesReceived, a.BytesExpected, a.BytesUsage = 0, 0, 0
	a.ExpectedTusUploads, a.StartedTusUploads, a.FinishedTusUploads = 0, 0, 0
	a.UploadDuration, a.ExecutionDuration, a.NotifyDuration = 0, 0, 0
	a.QueueDuration, a.JobsQueueDuration = 0, 0
	a.StartDate, a.ExecutionStart, a.LastJobCompleted, a.NotifyStart = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	a.Uploads, a.Results = a.Uploads[:0], a.Results[:0]
}

func (a *Assembly) source() *string { return &a.src }
func (a *Assembly) layout() *layout { return assemblyLayout }

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

// StreamURL is where the Assembly's updates are streamed: update_stream_url, or what
// older Statuses have instead. It is empty if the Status has neither.
func (a *Assembly) StreamURL() string {
	if a.UpdateStreamURL != "" || a.WebsocketURL == "" || a.ID == "" {
		return a.UpdateStreamURL
	}
	return a.WebsocketURL + "?assembly=" + a.ID
}

// DecodeAssembly decodes an Assembly Status into dst, in one pass.
//
// It accepts exactly the documents that encoding/json calls valid and whose root is an
// object; any other gives a *SyntaxError with the place of the fault, and dst then
// holds the fields that came before it. A valid document never fails: a field whose
// value has a shape that its type cannot hold stays zero, and is there for Lookup. Of a
// key that comes twice the last one counts; of a field with two spellings, the last value that
// it can hold. Strings are the ones that encoding/json would give.
//
// data is copied once; all strings of dst are parts of that copy, so keeping one keeps
// them all. dst's slices are used again and files that it held before are overwritten.
//
// Into a dst that held as many files before, and as much text with escape sequences, it
// allocates once, for the copy. More allocations come only from an array where the API
// usually sends one string, from bytes that are not UTF-8, which make text longer than it was,
// and from more than 64 Steps. An element of uploads or of a Step takes 650 bytes of memory,
// even if it is {} or 0, and a few times that while their number grows: a thousand times the
// size of a document that has nothing else. So limit the size of documents that strangers send.
func DecodeAssembly(data []byte, dst *Assembly) error {
	return decodeCopy(data, dst, &dst.guess)
}

// DecodeAssemblyBorrowed is DecodeAssembly without the copy, and so without an
// allocation: the strings of dst are data's own bytes, valid only until data changes or
// dst is decoded into again, whichever comes first. Use strings.Clone for what has to
// last longer.
func DecodeAssemblyBorrowed(data []byte, dst *Assembly) error {
	var d decoder // not a literal, which would be made elsewhere and copied
	d.b, d.s, d.arena, d.guess = data, view(data), dst.arena[:0], &dst.guess
	if !d.document(dst) {
		return refusal(data)
	}
	dst.arena = d.arena
	return nil
}

// decodeCopy decodes a copy of data; guess is what is known from the previous document.
func decodeCopy(data []byte, dst object, guess *guesses) error {
	d := decoder{b: data, guess: guess}
	d.copySource()
	if !d.document(dst) {
		return refusal(data)
	}
	return nil
}
