package replay

import (
	"iter"
	"math"
	"sort"
	"time"
)

// tempo turns durations of a recording into durations of its playback.
type tempo struct {
	speed float64 // 0 for no wait at all
	gaps  []gap   // in order
}

// gap is a silence that is played shorter than it was.
type gap struct {
	from time.Duration // the moment of the recording from which on time is left out
	cut  time.Duration // how much
	sum  time.Duration // how much by the gaps before
}

// newTempo returns the tempo of what happens at those moments, in their order, after the moment
// last.
func newTempo(p Playback, last time.Duration, moments iter.Seq[time.Duration]) *tempo {
	t := &tempo{speed: p.Speed}
	switch {
	case !(t.speed > 0):
		t.speed = 1
	case t.speed >= MaxSpeed:
		t.speed = 0
	}
	if p.MaxIdle <= 0 || t.speed == 0 {
		return t
	}
	sum := time.Duration(0)
	for at := range moments {
		if cut := at - last - p.MaxIdle; cut > 0 {
			t.gaps = append(t.gaps, gap{from: last + p.MaxIdle, cut: cut, sum: sum})
			sum += cut
		}
		last = max(last, at)
	}
	return t
}

// moments are those at which something came of the response of x.
func (x *Exchange) moments() iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		if x.StatusCode != 0 && !yield(x.Received) {
			return
		}
		walk := x.reads.walk()
		for p, ok := walk.next(); ok; p, ok = walk.next() {
			if !yield(p.at) {
				return
			}
		}
		yield(x.Ended)
	}
}

// cutBefore returns how much time is left out before the moment at.
func (t *tempo) cutBefore(at time.Duration) time.Duration {
	n := sort.Search(len(t.gaps), func(i int) bool { return t.gaps[i].from >= at })
	if n == 0 {
		return 0
	}
	g := t.gaps[n-1]
	return g.sum + min(g.cut, at-g.from)
}

// played returns how long it takes to play what was recorded between from and at.
func (t *tempo) played(from, at time.Duration) time.Duration {
	d := at - from
	if len(t.gaps) > 0 {
		d -= t.cutBefore(at) - t.cutBefore(from)
	}
	switch t.speed {
	case 0:
		return 0
	case 1:
		return d
	}
	// Rounded up, or recorded would say that the moment is still to come when it has.
	long := math.Ceil(float64(d) / t.speed)
	if long >= float64(forever) {
		return forever
	}
	return time.Duration(long)
}

// recorded returns the moment of the recording that is reached when it has been
// played from the moment from on for d: where time is left out, the one behind that.
func (t *tempo) recorded(from, d time.Duration) time.Duration {
	if t.speed == 0 {
		return forever
	}
	played := float64(d) * t.speed
	if played >= float64(forever-from) {
		return forever
	}
	at := from - t.cutBefore(from) + time.Duration(played)
	n := sort.Search(len(t.gaps), func(i int) bool { return t.gaps[i].from-t.gaps[i].sum > at })
	if n == 0 {
		return at
	}
	left := t.gaps[n-1].sum + t.gaps[n-1].cut
	if at > forever-left {
		return forever
	}
	return at + left
}

// forever is behind every moment of a recording.
const forever = time.Duration(1<<63 - 1)
