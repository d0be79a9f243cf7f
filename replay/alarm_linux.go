package replay

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// alarm wakes the runtime at a moment. The runtime waits for its timers in epoll_wait, whose
// timeout is in milliseconds: a process that has nothing else to do handles a timer up to 1 ms
// late, and so would send the piece late. An alarm is a timer of the system's,
// a file in the set that epoll_wait is about. Nobody reads it; it is enough that it ends the
// wait, because the runtime then looks after the timers that are due.
//
// It changes nothing in what a timer does, so in a testing/synctest bubble it does no harm.
type alarm struct {
	file *os.File
	fd   uintptr
}

// maxAlarms bounds the alarms of the process. With more connections the runtime wakes
// often enough anyway, and each alarm costs a system call for every piece.
const maxAlarms = 8

var alarms atomic.Int32 // that are open

// newAlarm returns an alarm, nil where there is none to be had. The caller has to close it.
func newAlarm() *alarm {
	if alarms.Add(1) > maxAlarms {
		alarms.Add(-1)
		return nil
	}
	const monotonic = 1 // CLOCK_MONOTONIC
	fd, _, errno := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, monotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		alarms.Add(-1)
		return nil
	}
	return &alarm{file: os.NewFile(fd, "alarm"), fd: fd} // which puts it into the set
}

// set has the alarm go off in d, which is positive, and no longer at the moment before.
func (a *alarm) set(d time.Duration) {
	if a == nil {
		return
	}
	spec := struct{ interval, value syscall.Timespec }{value: syscall.NsecToTimespec(int64(d))}
	// The struct is the kernel's itimerspec, which package syscall does not have.
	syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, a.fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

func (a *alarm) close() {
	if a != nil {
		a.file.Close()
		alarms.Add(-1)
	}
}
