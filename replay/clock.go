package replay

import (
	"context"
	"time"
)

// clock waits for moments of a playback, with one timer for all of them.
type clock struct {
	ctx   context.Context
	start time.Time
	timer *time.Timer

	alarmed bool   // the timer is to have an alarm: then the clock has to be closed
	alarm   *alarm // nil where there is none
}

// close ends what the clock has begun.
func (c *clock) close() { c.alarm.close() }

// wait waits until it is at after the start. It returns false where the context ends
// first, or something comes from interrupt, which may be nil.
func (c *clock) wait(at time.Duration, interrupt <-chan struct{}) bool {
	left := at
	if at > 0 {
		left = at - time.Since(c.start)
	}
	if left <= 0 {
		select {
		case <-interrupt:
			return false
		default:
			return c.ctx.Err() == nil
		}
	}
	if c.timer == nil {
		c.timer = time.NewTimer(left)
		if c.alarmed {
			c.alarm = newAlarm()
		}
	} else {
		c.timer.Reset(left)
	}
	c.alarm.set(left)
	select {
	case <-c.timer.C:
		return true
	case <-c.ctx.Done():
	case <-interrupt:
	}
	c.timer.Stop()
	return false
}
