// Command peerbench times ssereel beside other libraries, on the corpora of the
// benchmarks in the project's root. All contenders take turns in one process, on
// one core, for several rounds; what it prints are medians.
//
//	go -C cmd/peerbench run .
//	go -C cmd/peerbench run . --json
//
// It is a module of its own, so that an importer of ssereel never sees what it
// depends on.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"
)

// A table compares contenders on some inputs; the first contender is ours.
type table struct {
	name       string
	inputs     []input
	contenders []contender
}

type input struct {
	name  string
	bytes []byte
	units int // events or documents in bytes
}

// run goes through the whole input once and returns how many units it found.
type contender struct {
	name string
	run  func(in input) (units int, err error)
	// loose marks a contender whose count is not compared, because it does not
	// count the same.
	loose bool
}

func main() {
	flags := pflag.NewFlagSet("peerbench", pflag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print JSON instead of a table")
	rounds := flags.Int("rounds", 9, "how many turns each contender gets on each input")
	turn := flags.Duration("turn", 50*time.Millisecond, "how long a turn lasts")
	only := flags.String("only", "", "only the inputs whose table/name contains this")
	if err := flags.Parse(os.Args[1:]); err != nil {
		if err == pflag.ErrHelp {
			return
		}
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		os.Exit(2)
	}
	if *rounds < 1 || *turn <= 0 || flags.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "peerbench: takes no arguments, at least one round and a positive turn; see --help")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(1)

	var results []result
	all, err := tables()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		os.Exit(1)
	}
	for _, t := range all {
		for _, in := range t.inputs {
			if !strings.Contains(t.name+"/"+in.name, *only) {
				continue
			}
			r, err := t.measure(in, *rounds, *turn)
			if err != nil {
				fmt.Fprintln(os.Stderr, "peerbench:", err)
				os.Exit(1)
			}
			results = append(results, r...)
			if !*asJSON {
				printTable(os.Stdout, t, in, r)
			}
		}
	}
	if *asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(results); err != nil {
			fmt.Fprintln(os.Stderr, "peerbench:", err)
			os.Exit(1)
		}
	}
}

func tables() ([]table, error) {
	status, err := statusTables()
	return append([]table{streamTable()}, status...), err
}

func printTable(w io.Writer, t table, in input, results []result) {
	fmt.Fprintf(w, "%s/%s: %d bytes, %d units\n", t.name, in.name, len(in.bytes), in.units)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "ns/unit\tMB/s\tallocs/unit\tours is\t \t\n")
	for _, r := range results {
		fmt.Fprintf(tw, "%.1f\t%.0f\t%.2f\t%.2fx\t%s\t\n", r.NsPerUnit, r.MBPerSecond, r.AllocsPerUnit, r.Ratio, "  "+r.Contender)
	}
	tw.Flush()
	fmt.Fprintln(w)
}
