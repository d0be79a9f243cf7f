package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
	"github.com/ssereel/ssereel/testdata"
)

var demoCommand = command{
	name:  "demo",
	ends:  true,
	short: "play a recording on a loopback port, record it, compare the two",
	long: `
Shows what ssereel does, without a network: plays the update stream of an
Assembly on a loopback port, records it from there over HTTP, prints the
Assembly's timeline while it happens, and compares the two recordings byte for
byte and read for read. The new recording is kept, so that you can play it
yourself.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		output := flags.StringP("output", "o", "", "write the new recording to `FILE` (default a temporary file)")
		force := flags.BoolP("force", "f", false, "overwrite the file")
		speed := speedFlag(flags, "10")
		return func(ctx context.Context, c console, args []string) error {
			if len(args) > 0 {
				return usagef("takes no argument, has %q", args)
			}
			if err := wantName(flags); err != nil {
				return err
			}
			return demo(ctx, c, *output, *force, float64(*speed))
		}
	},
}

const demoReel = "assembly.reel"

func demo(ctx context.Context, c console, output string, force bool, speed float64) error {
	reel, err := testdata.Recordings.ReadFile(demoReel)
	if err != nil {
		return err
	}
	rec, err := replay.Load(bytes.NewReader(reel), int64(len(reel)))
	if err != nil {
		return err
	}
	played := rec.Exchanges()[0]

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	defer func() { cancel(); <-served }()
	go func() { served <- serve(ctx, l, rec.Handler(replay.Playback{Speed: speed})) }()
	streamURL := "http://" + l.Addr().String() + "/"

	dir := ""
	if output == "" {
		dir, err = os.MkdirTemp("", "ssereel-demo-")
		if err != nil {
			return err
		}
		defer os.Remove(dir) // where nothing was recorded, and it is empty
		output = filepath.Join(dir, demoReel)
	}
	f, err := openReelFile(output, force, c.out)
	if err != nil {
		return err
	}
	defer f.close()

	fmt.Fprintf(c.out, "An Assembly's update stream of %s, %s, on\n  %s\n\n",
		seconds(played.Ended-played.Sent), pace(speed), streamURL)
	if err := demoRecord(ctx, c.out, f, streamURL, speed); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted; nothing was kept")
		}
		return err
	}
	if err := f.begin(); err != nil {
		return err
	}

	again, err := replay.Open(output)
	if err != nil {
		return err
	}
	defer again.Close()
	recorded := again.Exchanges()[0]
	fmt.Fprintf(c.out, "\nrecorded to %s\n", output)
	fmt.Fprintf(c.out, "  played    %5d bytes in %d reads\n", played.Size, played.NumReads())
	fmt.Fprintf(c.out, "  recorded  %5d bytes in %d reads\n", recorded.Size, recorded.NumReads())
	same, err := compare(played, recorded, speed)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, `  the same, %s

Play it yourself; if ssereel is not installed, it is
go run ./cmd/ssereel:
  ssereel replay %s
  ssereel events %s
`, same, output, output)
	if dir != "" {
		fmt.Fprintf(c.out, "\nIt stays there until you remove it:\n  rm -r %s\n", dir)
	}
	return nil
}

func pace(speed float64) string {
	switch speed {
	case 1:
		return "as recorded"
	case replay.MaxSpeed:
		return "as fast as it can"
	}
	return fmt.Sprintf("%g times faster", speed)
}

// demoRecord records the stream at url into reel, and prints what it says.
func demoRecord(ctx context.Context, out, reel io.Writer, url string, speed float64) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	recorder, err := replay.NewRecorder(reel, transport)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	start := time.Now()
	resp, err := recorder.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	width := 0
	if f := terminal(out); f != nil {
		width = columns(f)
	}
	r := ssewire.NewReader(resp.Body)
	id := ""
	for ev, err := range r.All() {
		if err != nil {
			return err
		}
		at := time.Since(start).Seconds()
		if speed != replay.MaxSpeed {
			at *= speed
		}
		if r.LastEventID() != id {
			id = r.LastEventID()
			fmt.Fprintf(out, "           last event ID %s\n", id)
		}
		fmt.Fprintln(out, timelineLine(at, ev, width))
	}
	return recorder.Close()
}

// timelineLine is the line of an event for a terminal of that width, of any width if it is 0.
func timelineLine(at float64, ev ssewire.Event, width int) string {
	moment := fmt.Sprintf("  %6.2f s ", at)
	if width == 0 {
		width = helpWidth
	}
	return shortened(moment+timelineEntry(ev, width-len(moment)), width)
}

// timelineEntry is what an update of an Assembly says, for a person with so many columns.
func timelineEntry(ev ssewire.Event, room int) string {
	u, err := status.DecodeUpdate(ev.Type, ev.Data)
	switch {
	case err != nil:
		return string(ev.Type)
	case u.Kind == status.UpdateExecutionProgress && u.PercentKnown:
		text := fmt.Sprintf("%s  %3.0f %% ", u.Kind, u.Percent)
		full := min(20, max(0, room-len(text)-1))
		return text + strings.Repeat("#", min(max(int(u.Percent), 0), 100)*full/100)
	case u.Kind == status.UpdateResultFinished && u.File != nil:
		return fmt.Sprintf("%s     %s: %s, %s", u.Kind, u.Step, u.File.Name, amount(u.File.Size))
	case len(ev.Type) == 0:
		return string(ev.Data)
	}
	return string(ev.Type)
}

// compare returns in what b is the same as a, which it was recorded from.
func compare(a, b *replay.Exchange, speed float64) (same string, err error) {
	bytesA, err := io.ReadAll(a.Body())
	if err != nil {
		return "", err
	}
	bytesB, err := io.ReadAll(b.Body())
	if err != nil {
		return "", err
	}
	if !bytes.Equal(bytesA, bytesB) {
		return "", fmt.Errorf("the bytes differ: %d were played and %d recorded", len(bytesA), len(bytesB))
	}
	if speed == replay.MaxSpeed {
		return "byte for byte; pieces that follow each other at once arrive together", nil
	}
	played, recorded := readSizes(a), readSizes(b)
	if !slices.Equal(played, recorded) {
		return "", fmt.Errorf("the bytes are the same, but the %d reads were recorded as %d: this machine was too busy to keep the pieces apart at this speed; try a lower --speed", len(played), len(recorded))
	}
	return "byte for byte and read for read", nil
}

func readSizes(x *replay.Exchange) []int {
	var sizes []int
	for read := range x.Reads() {
		sizes = append(sizes, len(read.Data))
	}
	return sizes
}
