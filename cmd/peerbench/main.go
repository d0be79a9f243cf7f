// Command peerbench times ssereel beside other libraries and servers.
//
//	go -C cmd/peerbench run .
//	go -C cmd/peerbench run . --json
//	go -C cmd/peerbench run . --only playback
//	go -C cmd/peerbench run . --only clients --clients 10000
//
// Parsers and decoders take turns in one process, on one core, on the corpora of the
// benchmarks in the project's root. Servers are processes of their own, on loopback. All
// have several rounds; what it prints are medians.
//
// It is a module of its own, so that an importer of ssereel never sees what it
// depends on.
package main

import (
	"encoding/json"
	"errors"
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
	// server is the process that does the work, nil for this one.
	server *server
}

// options are those of the command line.
type options struct {
	json    bool
	rounds  int
	turn    time.Duration
	only    string
	clients int
	ramp    time.Duration
	reel    int64
	aimock  string
}

const usage = `Usage: peerbench [options]

Times ssereel beside others, in turns, for several rounds, and prints medians:

  stream, DecodeAssembly, Peek, ...   parsers and decoders, in this process, on one core
  playback       a recording played as fast as the client takes it, beside a bare net/http
                 handler that writes and flushes the same pieces, and beside aimock (npm
                 install @copilotkit/aimock) where it is installed; each server a process
                 on one core, the client on another
  clients/N      one client, and N, that read a recording at its pace, and the memory of
                 the server, beside a bare handler with a timer for each connection; takes
                 about 3 minutes
  reel           a reel of 1 GB in the directory for temporary files: how fast it opens and
                 plays, and in how much memory; takes about a minute

Without --only it does all but the last two.

`

func main() {
	if spec := os.Getenv(serveEnv); spec != "" {
		exit(serve(spec, os.Stdin, os.Stdout))
	}
	var o options
	flags := pflag.NewFlagSet("peerbench", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.StringVar(&o.only, "only", "", "only the tables whose table/input contains this")
	flags.BoolVar(&o.json, "json", false, "print JSON instead of tables")
	flags.IntVar(&o.rounds, "rounds", 9, "how many turns each contender gets on each input; at most 3 with clients and reel")
	flags.DurationVar(&o.turn, "turn", 50*time.Millisecond, "how long a turn lasts")
	flags.IntVar(&o.clients, "clients", 10000, "how many clients there are at once")
	flags.DurationVar(&o.ramp, "ramp", 5*time.Second, "how long it takes until all of them have asked")
	flags.StringVar(&o.aimock, "aimock", "llmock", "the command that starts aimock, such as node_modules/.bin/llmock")
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage+flags.FlagUsages()) }
	err := flags.Parse(os.Args[1:])
	switch {
	case err == pflag.ErrHelp:
		return
	case err == nil && (o.rounds < 1 || o.turn <= 0 || o.clients < 1 || o.ramp < 0 || flags.NArg() > 0):
		err = errors.New("takes no arguments, at least one round and one client, and a positive turn; see --help")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(1)
	o.reel = 1 << 30
	exit(o.run(os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run measures what is asked for.
func (o options) run(w io.Writer) error {
	var results []any
	text := w
	if o.json {
		text = io.Discard
	}
	all, err := tables()
	if err != nil {
		return err
	}
	found := false
	if p := (playback{aimock: o.aimock}); strings.Contains(playbackName, o.only) || strings.HasPrefix(o.only, playbackName) {
		t, err := p.start()
		if err != nil {
			return err
		}
		defer p.stop()
		for _, note := range p.notes {
			fmt.Fprintf(os.Stderr, "%s: %s\n", t.name, note)
		}
		all = append(all, t)
	}
	for _, t := range all {
		r, err := o.runTable(t, text)
		if err != nil {
			return err
		}
		for _, r := range r {
			results = append(results, r)
		}
		found = found || len(r) > 0
	}
	few := min(o.rounds, 3)
	for _, c := range crowds(o.clients, o.ramp) {
		if o.only == "" || !strings.Contains(c.name(), o.only) {
			continue
		}
		r, err := c.measure(few)
		if err != nil {
			return err
		}
		printCrowd(text, c, r)
		for _, r := range r {
			results = append(results, r)
		}
		found = true
	}
	if o.only == "reel" {
		r, err := measureReel(o.reel, few)
		if err != nil {
			return err
		}
		printReel(text, r)
		results, found = append(results, r), true
	}
	if !found {
		return fmt.Errorf("nothing is called %q; see --help", o.only)
	}
	if !o.json {
		return nil
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(results)
}

// runTable measures those inputs of t that are asked for.
func (o options) runTable(t table, w io.Writer) (results []result, err error) {
	for _, in := range t.inputs {
		if !strings.Contains(t.name+"/"+in.name, o.only) {
			continue
		}
		r, err := t.measure(in, o.rounds, o.turn)
		if err != nil {
			return nil, err
		}
		results = append(results, r...)
		printTable(w, t, in, r)
	}
	return results, nil
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
		allocs := fmt.Sprintf("%.2f", r.AllocsPerUnit)
		if r.AllocsPerUnit < 0 {
			allocs = "-"
		}
		fmt.Fprintf(tw, "%.1f\t%.0f\t%s\t%.2fx\t%s\t\n", r.NsPerUnit, r.MBPerSecond, allocs, r.Ratio, "  "+r.Contender)
	}
	tw.Flush()
	fmt.Fprintln(w)
}
