package status

// A Phase says where on its way a job is, whatever system it runs in.
type Phase uint8

const (
	Unknown   Phase = iota // the document does not say
	Waiting                // accepted, its work has not begun
	Running                // being worked on
	Succeeded              // ended, with what was asked for
	Failed                 // ended, with an error
	Canceled               // ended, because somebody wanted it to
)

var phaseNames = [...]string{"unknown", "waiting", "running", "succeeded", "failed", "canceled"}

// String returns the phase's name in lower case.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return phaseNames[Unknown]
}

// Terminal reports whether the job has ended.
func (p Phase) Terminal() bool { return p >= Succeeded }
