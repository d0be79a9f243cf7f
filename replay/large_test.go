//go:build !race

package replay_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// Many exchanges make no request slow.
func TestTransportLargeReel(t *testing.T) {
	const few, many = 100, 20_000
	answers := func(target string) func(n int) string {
		return func(n int) string {
			var b strings.Builder
			b.WriteString(version)
			for i := range n {
				fmt.Fprintf(&b, "> %d +0 GET "+target+"\n< %d +0 200\n= %d +0\n\\%d\n. %d +0 eof\n", i+1, i, i+1, i+1, i, i+1)
			}
			return b.String()
		}
	}
	for _, c := range []struct {
		name   string
		reel   func(n int) string
		target func(n, i int) string
	}{
		{"paths", answers("/p/%d"), func(n, i int) string { return fmt.Sprintf("/p/%d", n-1-i%few) }},
		{"polls", func(n int) string {
			var b strings.Builder
			b.WriteString(version)
			for i := range n {
				fmt.Fprintf(&b, "> %d +0.001 GET %s\n< %d +0 200\n< %d content-type: application/json\n= %d +0\n\\{\"ok\":\"ASSEMBLY_EXECUTING\",\"assembly_id\":\"%s\",\"n\":%d}\n. %d +0 eof\n", i+1, storyPath, i+1, i+1, i+1, storyID, i, i+1)
			}
			return b.String()
		}, func(n, i int) string { return storyPath }},
		{"queries", answers("/q?n=%d"), func(n, i int) string { return fmt.Sprintf("/q?n=%d", n-1-i%few) }},
		{"queries that were not recorded", answers("/q?n=%d"), func(n, i int) string { return fmt.Sprintf("/q?m=%d", i) }},
		{"streams with ids", func(n int) string {
			var b strings.Builder
			b.WriteString(version)
			for i := range n {
				fmt.Fprintf(&b, "> %d +0 GET /s\n> %d last-event-id: %d\n< %d +0 200\n< %d content-type: text/event-stream\n= %d +0\n|id: %d\n|data\n|\n. %d +0 eof\n", i+1, i+1, i, i+1, i+1, i+1, i+1, i+1)
			}
			return b.String()
		}, func(n, i int) string { return "/s" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			// cost is the time of a request behind the first two, which may find out what
			// holds for all: the first is told of the beginning. It is the processor's: the
			// bubble's clock stands still meanwhile.
			cost := func(n int) time.Duration {
				rec := mustLoad(t, c.reel(n))
				run := func(requests int) time.Duration {
					fastest := time.Duration(math.MaxInt64)
					for range 3 {
						began := time.Now()
						synctest.Test(t, func(t *testing.T) {
							door := rec.Transport(replay.Playback{Speed: replay.MaxSpeed})
							for i := range requests {
								ask(t, door, "GET", c.target(n, i), "Last-Event-ID", fmt.Sprint(n-2-i%few/2))
								time.Sleep(time.Second)
							}
						})
						fastest = min(fastest, time.Since(began))
					}
					return fastest
				}
				return (run(22) - run(2)) / 20
			}
			var a, b time.Duration
			for range 4 { // in which a busy machine has a quiet moment
				if a, b = cost(few), cost(many); b <= 20*a+2*time.Millisecond {
					return
				}
			}
			t.Errorf("a request takes %v with %d exchanges, %v with %d", b, many, a, few)
		})
	}
}
