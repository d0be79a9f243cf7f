package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// result is what a contender has done with an input: medians over the rounds, and the
// allocations of the last.
type result struct {
	Table         string  `json:"table"`
	Input         string  `json:"input"`
	Contender     string  `json:"contender"`
	NsPerUnit     float64 `json:"ns_per_unit"`
	MBPerSecond   float64 `json:"mb_per_second"`
	AllocsPerUnit float64 `json:"allocs_per_unit"` // -1 where they cannot be counted
	// Ratio is how many times as long as ours this contender takes: the median
	// of the ratios of each round, in which all ran one after the other.
	Ratio float64 `json:"ratio"`
}

// measure lets the contenders take turns on in.
func (t table) measure(in input, rounds int, turn time.Duration) ([]result, error) {
	times := make([][]float64, len(t.contenders)) // ns a run, by contender and round
	allocs := make([]float64, len(t.contenders))
	runs := make([]int, len(t.contenders))
	for i, c := range t.contenders {
		n, err := c.run(in)
		if err != nil {
			return nil, fmt.Errorf("%s on %s/%s: %w", c.name, t.name, in.name, err)
		}
		if !c.loose && n != in.units {
			return nil, fmt.Errorf("%s on %s/%s: found %d, want %d", c.name, t.name, in.name, n, in.units)
		}
		start := time.Now()
		for runs[i] = 0; runs[i] == 0 || time.Since(start) < turn; runs[i]++ {
			c.run(in)
		}
	}
	for range rounds {
		for i, c := range t.contenders {
			runtime.GC()
			before := c.mallocs()
			start := time.Now()
			for range runs[i] {
				if _, err := c.run(in); err != nil {
					return nil, fmt.Errorf("%s on %s/%s: %w", c.name, t.name, in.name, err)
				}
			}
			took := time.Since(start)
			times[i] = append(times[i], float64(took.Nanoseconds())/float64(runs[i]))
			if after := c.mallocs(); after > 0 {
				allocs[i] = float64(after-before) / float64(runs[i]*in.units)
			} else {
				allocs[i] = -1
			}
		}
	}
	results := make([]result, len(t.contenders))
	for i, c := range t.contenders {
		ratios := make([]float64, rounds)
		for r := range ratios {
			ratios[r] = times[i][r] / times[0][r]
		}
		ns := median(times[i])
		results[i] = result{
			Table:         t.name,
			Input:         in.name,
			Contender:     c.name,
			NsPerUnit:     ns / float64(in.units),
			MBPerSecond:   float64(len(in.bytes)) / ns * 1e3,
			AllocsPerUnit: allocs[i],
			Ratio:         median(ratios),
		}
	}
	return results, nil
}

// mallocs returns how many allocations have been made where the work is done, 0 where that
// is not known.
func (c contender) mallocs() uint64 {
	if c.server == nil {
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		return mem.Mallocs
	}
	if c.server.foreign {
		return 0
	}
	st, err := c.server.stats()
	if err != nil {
		return 0
	}
	return st.Mallocs
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	if n := len(x); n%2 == 0 {
		return (x[n/2-1] + x[n/2]) / 2
	}
	return x[len(x)/2]
}
