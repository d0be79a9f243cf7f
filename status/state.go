package status

// A State is what the API says, as ok, about an Assembly that has not failed. A code
// that is not among the constants is passed through: it is neither terminal nor
// successful.
type State string

const (
	AssemblyUploading State = "ASSEMBLY_UPLOADING"
	AssemblyExecuting State = "ASSEMBLY_EXECUTING"
	AssemblyReplaying State = "ASSEMBLY_REPLAYING"
	AssemblyCompleted State = "ASSEMBLY_COMPLETED"
	AssemblyCanceled  State = "ASSEMBLY_CANCELED"
	RequestAborted    State = "REQUEST_ABORTED"
)

// String returns the API's code.
func (s State) String() string { return string(s) }

// Busy reports whether the Assembly is known to go on.
func (s State) Busy() bool {
	return s == AssemblyUploading || s == AssemblyExecuting || s == AssemblyReplaying
}

// Terminal reports whether the Assembly has ended and stays as it is.
func (s State) Terminal() bool {
	return s == AssemblyCompleted || s == AssemblyCanceled || s == RequestAborted
}

// Phase tells where on its way the Assembly is.
func (s State) Phase() Phase {
	switch s {
	case "":
		return Unknown
	case AssemblyUploading, AssemblyReplaying:
		return Waiting
	case AssemblyCompleted:
		return Succeeded
	case AssemblyCanceled, RequestAborted:
		return Canceled
	}
	return Running
}

// knownState returns the constant for a code, which outlives the string given, and the code
// itself if there is none.
func knownState(code string) State {
	switch State(code) {
	case AssemblyUploading:
		return AssemblyUploading
	case AssemblyExecuting:
		return AssemblyExecuting
	case AssemblyReplaying:
		return AssemblyReplaying
	case AssemblyCompleted:
		return AssemblyCompleted
	case AssemblyCanceled:
		return AssemblyCanceled
	case RequestAborted:
		return RequestAborted
	}
	return State(code)
}

// Failed reports whether the Assembly has ended with an error. A failed request for a
// Status, such as one over the rate limit, says nothing about the Assembly: Error is set
// then, and ErrorCode.AboutRequest reports true.
func (a *Assembly) Failed() bool { return a.Phase() == Failed }

// wrong reports whether the Status is that of a failure: of the Assembly, of the request
// for its Status, or of the machine below the API.
func (a *Assembly) wrong() bool { return a.Error != "" || a.crashed() }

func (a *Assembly) crashed() bool {
	return a.State == "" && (!a.Errno.IsNull() || a.Syscall != "")
}

// Terminal reports whether nothing will change any more. A failed request for a Status,
// such as one over the rate limit, says nothing about the Assembly and is not terminal.
func (a *Assembly) Terminal() bool { return a.Phase().Terminal() }

// Phase tells where on its way the Assembly is. An error makes it Failed whatever ok
// says, unless the error is only about the request; see ErrorCode.AboutRequest.
func (a *Assembly) Phase() Phase {
	switch {
	case a.Error.AboutRequest():
		return a.State.Phase()
	case a.wrong():
		return Failed
	}
	return a.State.Phase()
}
