package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
)

var anonymizeCommand = command{
	name:  "anonymize",
	args:  "FILE|-",
	short: "replace IDs, names and addresses in a recording, to pass it on",
	long: `
Writes the recording FILE, or the one on standard input, anew, with pseudonyms
for what identifies its owner: IDs of Assemblies, accounts, files, jobs and the
like (32 hexadecimal digits, UUIDs, job_...), account names, IP and e-mail
addresses, and what the client says about itself. Equal values get equal
pseudonyms, of the same length, so that URLs still lead where they did, and the
times, reads and sizes of the recording stay.

  ssereel anonymize my.reel -o public.reel

Nobody can work out the values from the pseudonyms, or try out values that they
know, unless they know the --seed; the same seed gives the same pseudonyms each
time. Texts, prompts, host names, paths and images stay, and so do names of
files without --file-names: look the recording over before you publish it. A
recording with compressed bodies is refused, because nothing can be replaced in
them. Of a truncated or damaged recording, what is good is written, with exit
status 1.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		var how replay.Anonymization
		output := flags.StringP("output", "o", "", "write to `FILE`, - for standard output; needed")
		flags.StringVar(&how.Seed, "seed", "", "make the same pseudonyms at every run with this `TEXT`")
		flags.BoolVar(&how.FileNames, "file-names", false, "replace names of files as well")
		force := flags.BoolP("force", "f", false, "overwrite the file")
		return func(ctx context.Context, c console, args []string) error {
			name, err := oneArg(args, "FILE")
			if err != nil {
				return err
			}
			if *output == "" {
				return usagef("-o FILE is missing")
			}
			return anonymize(c, name, *output, *force, how)
		}
	},
}

func anonymize(c console, name, output string, force bool, how replay.Anonymization) (err error) {
	rec, called, fault := c.openReel(name)
	if rec == nil {
		return wantReel(fault)
	}
	defer rec.Close()
	in, err := os.Stat(name)
	if f, ok := c.in.(*os.File); ok && name == "-" {
		in, err = f.Stat()
	}
	if err == nil && output != "-" {
		if out, err := os.Stat(output); err == nil && os.SameFile(in, out) {
			return fmt.Errorf("%s is the recording itself: choose another name with -o", output)
		}
	}
	out, err := openReelFile(output, force, c.out)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, out.close()) }()
	w := &beginning{out: out}
	buffered := bufio.NewWriterSize(w, 1<<20)
	counts, err := replay.Anonymize(buffered, rec, how)
	if errors.Is(err, replay.ErrEncoded) {
		return fmt.Errorf("%s: %w: nothing was written", called, err)
	}
	if err = cmp.Or(err, buffered.Flush()); err != nil {
		out.discard()
		return cmp.Or(w.err, err)
	}
	report := c.out
	if output == "-" {
		report = c.err
	}
	fmt.Fprintf(report, "%s: replaced %s, %s, %s\n", out.name,
		places(counts.IDs, "ID"), places(counts.Names, "name"), places(counts.Clients, "client detail"))
	return fault
}

func places(p replay.Pseudonymized, what string) string {
	return fmt.Sprintf("%s (in %s)", count(int64(p.Values), what), count(int64(p.Places), "place"))
}

// beginning is a reelFile that begins when the first of it is written.
type beginning struct {
	out *reelFile
	err error
}

func (b *beginning) Write(p []byte) (int, error) {
	if !b.out.began {
		if b.err = b.out.begin(); b.err != nil {
			return 0, b.err
		}
	}
	n, err := b.out.Write(p)
	if err != nil {
		b.err = b.out.cannotWrite(err)
	}
	return n, err
}
