package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestTables lets every contender run once on every input: measure fails where one
// of them does not find what there is to find.
func TestTables(t *testing.T) {
	all, err := tables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range all {
		for _, in := range table.inputs {
			t.Run(table.name+"/"+in.name, func(t *testing.T) {
				results, err := table.measure(in, 1, time.Nanosecond)
				if err != nil {
					t.Fatal(err)
				}
				if len(results) != len(table.contenders) || results[0].Ratio != 1 {
					t.Fatalf("results are not of all contenders, ours first: %+v", results)
				}
				var out bytes.Buffer
				printTable(&out, table, in, results)
				for i, r := range results {
					if r.NsPerUnit <= 0 || r.MBPerSecond <= 0 || r.Ratio <= 0 {
						t.Errorf("%s has not been measured: %+v", r.Contender, r)
					}
					if !strings.Contains(out.String(), table.contenders[i].name) {
						t.Errorf("the table lacks %s:\n%s", table.contenders[i].name, out.String())
					}
				}
			})
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 2, 9}, 3},
	} {
		if got := median(c.in); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}
