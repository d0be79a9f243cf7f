package replay

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The moment of the recording at which one is, and how long it takes to get there, are the
// same thing said in two ways; where time is left out, the moment behind that counts.
func TestTempoThereAndBack(t *testing.T) {
	const s = time.Second
	whole := &tempo{speed: 1}
	gaps := &tempo{speed: 1, gaps: []gap{{from: 10 * s, cut: 5 * s}, {from: 20 * s, cut: 3 * s, sum: 5 * s}}}
	for _, c := range []struct {
		name         string
		t            *tempo
		from, at     time.Duration
		played, back time.Duration
	}{
		{"nothing left out", whole, 2 * s, 9 * s, 7 * s, 9 * s},
		{"twice as fast", &tempo{speed: 2}, 2 * s, 9 * s, 3500 * time.Millisecond, 9 * s},
		{"in front of a gap", gaps, 0, 9 * s, 9 * s, 9 * s},
		{"where a gap begins", gaps, 0, 10 * s, 10 * s, 15 * s},
		{"within a gap", gaps, 0, 12 * s, 10 * s, 15 * s},
		{"where a gap ends", gaps, 0, 15 * s, 10 * s, 15 * s},
		{"behind a gap", gaps, 0, 19 * s, 14 * s, 19 * s},
		{"within the second gap", gaps, 0, 21 * s, 15 * s, 23 * s},
		{"behind both", gaps, 0, 40 * s, 32 * s, 40 * s},
		{"from between them", gaps, 16 * s, 30 * s, 11 * s, 30 * s},
		{"from within a gap", gaps, 12 * s, 30 * s, 12 * s, 30 * s},
		{"from behind both", gaps, 24 * s, 30 * s, 6 * s, 30 * s},
		{"longer than there is time", &tempo{speed: 1e-9}, 0, 300 * 24 * time.Hour, forever, 9223372036},
		{"without any wait", &tempo{}, 2 * s, 9 * s, 0, forever},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.t.played(c.from, c.at); got != c.played {
				t.Errorf("from %v to %v it takes %v, want %v", c.from, c.at, got, c.played)
			}
			if got := c.t.recorded(c.from, c.played); got != c.back {
				t.Errorf("after %v it is %v, want %v", c.played, got, c.back)
			}
		})
	}
	for _, c := range []struct {
		name string
		t    *tempo
		from time.Duration
	}{{"from the beginning", whole, 0}, {"from within", whole, 1000 * time.Hour}, {"with gaps", gaps, 0}} {
		t.Run("a run that never ends, "+c.name, func(t *testing.T) {
			for _, d := range []time.Duration{forever, forever - 1, forever - 6*s, forever - 500*time.Hour} {
				if got := c.t.recorded(c.from, d); got < min(d, forever-1000*time.Hour) {
					t.Errorf("after %v it is %v", d, got)
				}
			}
		})
	}
	// However it is rounded, what was to be played by then is there by then.
	t.Run("any speed", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 1))
		for range 10000 {
			tempo := &tempo{speed: rng.ExpFloat64() * 3, gaps: gaps.gaps}
			at := time.Duration(rng.Int64N(int64(time.Minute)))
			if back := tempo.recorded(0, tempo.played(0, at)); back < at {
				t.Fatalf("at speed %v, %v comes back as %v", tempo.speed, at, back)
			}
		}
	})
}
