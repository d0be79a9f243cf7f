// Command ssereel records event streams and replays them, byte for byte, in the
// same pieces, at the same moments.
//
//	ssereel demo
//	ssereel record https://example.com/stream
//	ssereel proxy --upstream https://api.example.com
//	ssereel replay FILE.reel
//	ssereel exchanges FILE.reel
//	ssereel events FILE.reel
//	ssereel status FILE.json
//	ssereel compose FILE.json
//	ssereel verify FILE.reel
//	ssereel diff OLD.reel NEW.reel
//	ssereel anonymize FILE.reel -o PUBLIC.reel
//
// ssereel --help and ssereel COMMAND --help say more. Results go to standard
// output and everything else to standard error; the exit status is 0 where it is
// done, 1 where it failed, and 2 where the command line was wrong; that of a
// command that ssereel proxy runs is passed on.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
)

// console is where a command reads and writes.
type console struct {
	in  io.Reader
	out io.Writer // results
	err io.Writer // talk
}

// A command is one of ssereel's commands.
type command struct {
	name  string
	args  string // behind the options, as the usage line shows them
	ends  bool   // in its own way when the context does; others are just killed
	short string // one line, for the list
	long  string
	// setup declares the options and returns what runs the command with them.
	setup func(*pflag.FlagSet) func(ctx context.Context, c console, args []string) error
}

var commands = []command{demoCommand, recordCommand, proxyCommand, replayCommand, composeCommand, exchangesCommand, eventsCommand, statusCommand, verifyCommand, diffCommand, anonymizeCommand}

// usageError is about the command line; the exit status is then 2.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errFailed ends a command with exit status 1 and no message, because its result has
// said everything.
var errFailed = errors.New("failed")

// errUntold is errFailed for a command that has to tell yes from no by its exit status, and
// cannot: that is 2 then, as with diff and grep.
var errUntold = errors.New("not known")

// untoldError is errUntold with a message.
type untoldError struct{ error }

func (e untoldError) Unwrap() error { return e.error }

// exitStatus ends a command with that exit status, and no message.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func main() {
	// What net/http logs of unexpected responses quotes them, with whatever secrets they have.
	log.SetOutput(io.Discard)
	// Without this, a reader that closes our pipe would kill us in the middle of
	// a recording.
	signal.Ignore(syscall.SIGPIPE)
	ctx := context.Background()
	if cmd := find(os.Args[1:]); cmd != nil && cmd.ends {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		context.AfterFunc(ctx, stop) // the second signal kills
	}
	os.Exit(run(ctx, console{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
}

// run is main without the process around it. It returns the exit status.
func run(ctx context.Context, c console, args []string) int {
	if len(args) == 0 {
		help(c.err)
		return 2
	}
	name, args := args[0], args[1:]
	if name == "help" && len(args) > 0 {
		name, args = args[0], []string{"--help"}
	}
	out := &result{w: c.out}
	switch name {
	case "help", "--help", "-h":
		help(out)
		return out.exit("ssereel", nil, c.err)
	case "--version", "version":
		if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
			fmt.Fprint(out, "Usage:\n  ssereel version\n\nPrints the version of ssereel.\n")
		} else {
			fmt.Fprintln(out, "ssereel", version())
		}
		return out.exit("ssereel", nil, c.err)
	}
	if cmd := find([]string{name}); cmd != nil {
		return cmd.run(ctx, c, args)
	}
	if strings.HasPrefix(name, "-") {
		fmt.Fprintf(c.err, "ssereel: there is no option %q before a command; options come after it; see ssereel --help\n", name)
	} else {
		fmt.Fprintf(c.err, "ssereel: there is no command %q; ssereel --help lists them\n", name)
	}
	return 2
}

// find returns the command that args begin with, nil if there is none.
func find(args []string) *command {
	for i := range commands {
		if len(args) > 0 && commands[i].name == args[0] {
			return &commands[i]
		}
	}
	return nil
}

// result is standard output, with its first error: a command need not look at
// each line it prints, and still does not end as if all had been well.
type result struct {
	w   io.Writer
	err error
}

func (r *result) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.w.Write(p)
	r.err = err
	return n, err
}

func (cmd command) run(ctx context.Context, c console, args []string) int {
	flags := pflag.NewFlagSet(cmd.name, pflag.ContinueOnError)
	flags.Usage = func() {}
	flags.SortFlags = false
	runIt := cmd.setup(flags)
	out := &result{w: c.out}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		cmd.help(out, flags)
		err = nil
	case err != nil:
		err = usageError{wrongValue(err)}
	default:
		err = runIt(ctx, console{c.in, out, c.err}, flags.Args())
	}
	return out.exit("ssereel "+cmd.name, err, c.err)
}

// exit returns the exit status of what has ended with err, once it has said on talk what there
// is to say. It is called name there.
func (r *result) exit(name string, err error, talk io.Writer) int {
	gone := errors.Is(r.err, syscall.EPIPE) // whoever reads our output has had enough of it
	if !gone && r.err != nil {
		cause := r.err
		if path := (*fs.PathError)(nil); errors.As(cause, &path) {
			cause = path.Err
		}
		cause = fmt.Errorf("cannot write standard output: %w", cause)
		switch untold := (untoldError{}); {
		case err == errUntold, errors.As(err, &untold) && errors.Is(err, r.err):
			err = untoldError{cause}
		case err == nil, err == errFailed, errors.Is(err, r.err):
			err = cause
		}
	}
	if path, ok := err.(*fs.PathError); ok {
		err = fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	var usage usageError
	var untold untoldError
	var status exitStatus
	switch {
	case err == nil, gone && errors.Is(err, syscall.EPIPE):
		return 0
	case errors.As(err, &status):
		return int(status)
	case err == errFailed:
		return 1
	case err == errUntold:
		return 2
	case errors.As(err, &usage):
		fmt.Fprintf(talk, "%s: %s; see %s --help\n", name, printableLines(unprefixed(err)), name)
		return 2
	default:
		fmt.Fprintf(talk, "%s: %s\n", name, printableLines(unprefixed(err)))
		if errors.As(err, &untold) {
			return 2
		}
		return 1
	}
}

// unprefixed returns the text of err without the names of packages, which say nothing to
// whoever uses a command.
func unprefixed(err error) string {
	text := err.Error()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, name := range []string{"replay: ", "status: ", "ssewire: "} {
			if rest, ok := strings.CutPrefix(err.Error(), name); ok {
				text = strings.Replace(text, name+rest, rest, 1)
			}
		}
	}
	return text
}

// wrongValue returns err, with which the options could not be parsed, and says what one
// wants whose value is none: of a time or a number the cause tells only what Go's parser
// met.
func wrongValue(err error) error {
	var wrong *pflag.InvalidValueError
	if !errors.As(err, &wrong) {
		return err
	}
	var wants string
	switch wrong.GetFlag().Value.Type() {
	case "duration":
		wants = "a time such as 500ms, 90s or 10m"
	case "int":
		wants = "a whole number"
	case "bool":
		wants = "true or false, or no value at all, which is true"
	case "uint64":
		wants = "a whole number from 0 to 18446744073709551615"
	case "speed":
		wants = "a number such as 1, 10 or 0.5, or max"
	case "fault":
		return fmt.Errorf("--%s %s: %w", wrong.GetFlag().Name, printable(wrong.GetValue()), wrong.Unwrap())
	default:
		return err
	}
	return fmt.Errorf("--%s wants %s, not %q", wrong.GetFlag().Name, wants, wrong.GetValue())
}

func help(w io.Writer) {
	fmt.Fprint(w, `ssereel records event streams (Server-Sent Events) and replays them, byte for
byte, in the same pieces, at the same moments.

Usage:
  ssereel COMMAND [OPTION]... [ARGUMENT]...

Commands:
`)
	for _, cmd := range commands {
		fmt.Fprintf(w, "  %-9s %s\n", cmd.name, cmd.short)
	}
	fmt.Fprintf(w, "  %-9s %s\n", "version", "print the version, as ssereel --version does")
	fmt.Fprint(w, `
Try it:
  ssereel demo                                    no network, takes two seconds
  ssereel record -o my.reel https://example.com/stream
  ssereel replay my.reel                          and open what it prints

ssereel COMMAND --help tells more. Exit status: 0 done, 1 failed, 2 wrong
usage; that of diff tells whether anything differs, and proxy passes on that of
the program it runs.
`)
}

// helpWidth is how wide help is at most, in columns: what fits any terminal.
const helpWidth = 79

func (cmd command) help(w io.Writer, flags *pflag.FlagSet) {
	fmt.Fprintf(w, "Usage:\n  %s\n\n%s\n", strings.TrimSpace("ssereel "+cmd.name+" [OPTION]... "+cmd.args), strings.TrimSpace(cmd.long))
	if options := flags.FlagUsagesWrapped(helpWidth); options != "" {
		fmt.Fprintf(w, "\nOptions:\n%s", options)
	}
}

// oneArg returns the only argument, which the usage line calls what.
func oneArg(args []string, what string) (string, error) {
	switch len(args) {
	case 0:
		if what == "FILE" {
			return "", usagef("FILE is missing: name it, or - for standard input")
		}
		return "", usagef("%s is missing", what)
	case 1:
		if args[0] == "" {
			return "", usagef("%s is an empty name (a variable that is not set?)", what)
		}
		return args[0], nil
	}
	if what == "URL" { // in which there may be credentials, and in the rest of a header without quotes
		return "", usagef("there are %d arguments, but only a URL is allowed: put a header or a body in quotes", len(args))
	}
	return "", usagef("there is more than one %s: %q", what, args)
}

// wantName refuses a file that --output names with nothing, as a variable that is not set does.
func wantName(flags *pflag.FlagSet) error {
	if output := flags.Lookup("output"); output.Changed && output.Value.String() == "" {
		return usagef("-o needs a file name, and the one given is empty")
	}
	return nil
}
