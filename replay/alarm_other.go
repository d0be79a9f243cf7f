//go:build !linux

package replay

import "time"

// alarm is what the timers of Linux need, and others do not.
type alarm struct{}

func newAlarm() *alarm { return nil }

func (*alarm) set(time.Duration) {}

func (*alarm) close() {}
