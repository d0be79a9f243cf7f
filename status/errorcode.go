package status

import "time"

// An ErrorCode is the API's name, as error, for what went wrong. The constants are the
// ones that programs branch on; the API has some three hundred, and any code is passed
// through as it came.
type ErrorCode string

const (
	ErrorRateLimit       ErrorCode = "RATE_LIMIT_REACHED"
	ErrorStatusRateLimit ErrorCode = "ASSEMBLY_STATUS_FETCHING_RATE_LIMIT_REACHED"

	ErrorAssemblyNotFound       ErrorCode = "ASSEMBLY_NOT_FOUND"
	ErrorAssemblyStatusNotFound ErrorCode = "ASSEMBLY_STATUS_NOT_FOUND"
	ErrorAssemblyExpired        ErrorCode = "ASSEMBLY_EXPIRED"
	ErrorAssemblyCrashed        ErrorCode = "ASSEMBLY_CRASHED"
	ErrorAssemblyInfinite       ErrorCode = "ASSEMBLY_INFINITE"
	ErrorAssemblyMemoryLimit    ErrorCode = "ASSEMBLY_MEMORY_LIMIT_EXCEEDED"
	ErrorAssemblySaturated      ErrorCode = "ASSEMBLY_SATURATED"
	ErrorAssemblyNotCapable     ErrorCode = "ASSEMBLY_NOT_CAPABLE"
	ErrorAssemblyJobEnqueue     ErrorCode = "ASSEMBLY_JOB_ENQUEUE_ERROR"
	ErrorAssemblyNotCreated     ErrorCode = "ASSEMBLY_COULD_NOT_BE_CREATED"
	ErrorAssemblyStatusParse    ErrorCode = "ASSEMBLY_STATUS_PARSE_ERROR"
	ErrorCannotAccept           ErrorCode = "CANNOT_ACCEPT_NEW_ASSEMBLIES"

	ErrorAuthExpired        ErrorCode = "AUTH_EXPIRED"
	ErrorInvalidSignature   ErrorCode = "INVALID_SIGNATURE"
	ErrorNoAuthKey          ErrorCode = "NO_AUTH_KEY_PARAMETER"
	ErrorBillLimit          ErrorCode = "BILL_LIMIT_EXCEEDED"
	ErrorPlanLimit          ErrorCode = "PLAN_LIMIT_EXCEEDED"
	ErrorMaxSize            ErrorCode = "MAX_SIZE_EXCEEDED"
	ErrorMaxFiles           ErrorCode = "MAX_NUMBER_OF_FILES_EXCEEDED"
	ErrorFileDeclined       ErrorCode = "FILE_FILTER_DECLINED_FILE"
	ErrorVirusDeclined      ErrorCode = "FILE_VIRUSSCAN_DECLINED_FILE"
	ErrorFileMetaData       ErrorCode = "INVALID_FILE_META_DATA"
	ErrorImport             ErrorCode = "IMPORT_FILE_ERROR"
	ErrorInternalCommand    ErrorCode = "INTERNAL_COMMAND_ERROR"
	ErrorCommandTimeout     ErrorCode = "INTERNAL_COMMAND_TIMEOUT"
	ErrorWorkerJob          ErrorCode = "WORKER_JOB_ERROR"
	ErrorTmpFileDownload    ErrorCode = "TMP_FILE_DOWNLOAD_ERROR"
	ErrorRequestPrematurely ErrorCode = "REQUEST_PREMATURE_CLOSED"
	ErrorServerForbidden    ErrorCode = "SERVER_403"
	ErrorServerNotFound     ErrorCode = "SERVER_404"
	ErrorServer             ErrorCode = "SERVER_500"
	ErrorTemplateNotFound   ErrorCode = "TEMPLATE_NOT_FOUND"
	ErrorInvalidInput       ErrorCode = "INVALID_INPUT_ERROR"
	ErrorUserCommand        ErrorCode = "USER_COMMAND_ERROR"
)

// String returns the API's code.
func (e ErrorCode) String() string { return string(e) }

// AboutRequest reports whether the code is about the request that was made and not
// about the Assembly, which may be doing well.
func (e ErrorCode) AboutRequest() bool {
	return e == ErrorRateLimit || e == ErrorStatusRateLimit || e == ErrorServer
}

// RetryAfter returns how long to wait before the same request, or the same Assembly,
// may be tried again. ok is false where trying again would only fail again; that
// includes all codes that are not known. A document may know better: see
// Assembly.RetryAfter.
func (e ErrorCode) RetryAfter() (wait time.Duration, ok bool) {
	switch e {
	case ErrorStatusRateLimit:
		return time.Second, true // three requests for one Assembly in a second are too many
	case ErrorRateLimit, ErrorServer, ErrorRequestPrematurely, ErrorTmpFileDownload,
		ErrorInternalCommand, ErrorCommandTimeout, ErrorWorkerJob, ErrorAssemblyJobEnqueue,
		ErrorAssemblyNotCreated, ErrorAssemblyStatusParse, ErrorAssemblyCrashed:
		return 5 * time.Second, true
	case ErrorAssemblySaturated, ErrorAssemblyNotCapable, ErrorCannotAccept:
		return 30 * time.Second, true
	}
	return 0, false
}

// RetryAfter is ErrorCode.RetryAfter, with the waiting time that the document itself
// names in info.retryIn, if it does.
func (a *Assembly) RetryAfter() (wait time.Duration, ok bool) {
	wait, ok = a.Error.RetryAfter()
	if a.Error == "" {
		return 0, false
	}
	if d, named := a.Info.Get("retryIn").Seconds(); named && d >= 0 {
		return d, true
	}
	return wait, ok
}
