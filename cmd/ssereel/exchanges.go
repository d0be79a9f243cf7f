package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/ssereel/ssereel/replay"
	"github.com/ssereel/ssereel/ssewire"
)

var exchangesCommand = command{
	name:  "exchanges",
	args:  "FILE|-",
	short: "list the requests in a recording, and what came back",
	long: `
Lists the exchanges in the recording FILE, or in the one on standard input: in
a table on a terminal, with fewer columns where there is no room for all, and
elsewhere as one JSON object a line:

  {"exchange":1,"time":0,"method":"GET","url":"https://...","status":200,
   "type":"text/event-stream","events":12,"reads":13,"bytes":5893,
   "seconds":12.2,"end":"eof"}

  time     when the request was sent, in seconds since the recording's start
  status   null if no response came
  type     the media type of the response, without parameters
  events   how many an event stream has; null for anything else, and if the
           stream is compressed in a way that cannot be undone
  reads    how many pieces the body came in
  seconds  from the request to the end
  end      eof, reset, timeout or canceled (by the client); null if the
           recording was cut off before it
  cause    why it ended so, where that is known

ssereel events and ssereel replay number the exchanges in the same way.
`,
	setup: func(flags *pflag.FlagSet) func(context.Context, console, []string) error {
		asJSON := flags.Bool("json", false, "print JSON objects on a terminal too")
		return func(ctx context.Context, c console, args []string) error {
			name, err := oneArg(args, "FILE")
			if err != nil {
				return err
			}
			rec, _, err := c.openReel(name)
			if rec == nil {
				return wantReel(err)
			}
			defer rec.Close()
			width := 0
			if f := terminal(c.out); f != nil && !*asJSON {
				width = columns(f)
			}
			listErr := listExchanges(c.out, rec, width)
			return cmp.Or(err, listErr)
		}
	},
}

// listExchanges prints a table of that width, or JSON if it is 0.
func listExchanges(w io.Writer, rec *replay.Recording, width int) error {
	out := bufio.NewWriter(w)
	if width > 0 {
		exchangeTable(out, rec, width)
		return out.Flush()
	}
	enc := json.NewEncoder(jsonWriter(out, w))
	enc.SetEscapeHTML(false)
	for _, x := range rec.Exchanges() {
		if err := enc.Encode(exchangeOf(x)); err != nil {
			return err
		}
	}
	return out.Flush()
}

// exchange is what the command has to say about one.
type exchange struct {
	Exchange int     `json:"exchange"`
	Time     float64 `json:"time"`
	Method   string  `json:"method"`
	URL      string  `json:"url"`
	Status   *int    `json:"status"`
	Type     string  `json:"type"`
	Events   *int64  `json:"events"`
	Reads    int     `json:"reads"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
	End      *string `json:"end"`
	Cause    string  `json:"cause,omitempty"`
}

func exchangeOf(x *replay.Exchange) exchange {
	e := exchange{
		Exchange: x.Number, Time: inSeconds(x.Sent), Method: x.Method, URL: x.URL,
		Reads: x.NumReads(), Bytes: x.Size, Cause: x.Cause,
	}
	if x.End != replay.EndUnknown {
		end := string(x.End)
		e.End = &end
	}
	e.Seconds = inSeconds(lastMoment(x) - x.Sent)
	if x.StatusCode != 0 {
		e.Status = &x.StatusCode
		e.Type = mediaTypeOf(x.Header)
	}
	if x.IsEventStream() {
		e.Events = numEvents(x)
	}
	return e
}

// lastMoment returns when x has ended, or when the last of it came where no end is recorded.
func lastMoment(x *replay.Exchange) time.Duration {
	if x.End != replay.EndUnknown {
		return x.Ended
	}
	last := max(x.Sent, x.Received)
	for read := range x.Reads() {
		last = max(last, read.At)
	}
	return last
}

// numEvents returns how many events a stream has, as far as it can be read; nil where that
// is not known, because of its compression. What is in a few compressed bytes may be of any
// size, so there an event has a limit.
func numEvents(x *replay.Exchange) *int64 {
	body, err := decoded(x, x.Body())
	if err != nil {
		return nil
	}
	limit := math.MaxInt
	if codingOf(x) != "" {
		limit = ssewire.DefaultMaxEventSize
	}
	var n int64
	r := ssewire.NewReader(body, ssewire.MaxEventSize(limit))
	for r.Next() {
		n++
	}
	if errors.Is(r.Err(), ssewire.ErrEventTooLarge) {
		return nil
	}
	return &n
}

// exchangeTable prints the exchanges for people, none wider than that. Where all are with the
// same server, that is not said again and again. Where there is little room, the middles of
// IDs are left out, then what is known by other means, before a request is cut.
func exchangeTable(w io.Writer, rec *replay.Recording, width int) {
	origins := make(map[string]bool)
	for _, x := range rec.Exchanges() {
		origin, _ := splitURL(x.URL)
		origins[origin] = true
	}
	rows := [][]string{{"", "sent", "took", "status", "holds", "end", "request"}}
	for _, x := range rec.Exchanges() {
		e := exchangeOf(x)
		status, end, holds := "none", "cut off", amount(e.Bytes)
		if e.Status != nil {
			status = fmt.Sprint(*e.Status)
		}
		if e.End != nil {
			end = *e.End
		}
		if e.Events != nil {
			holds = count(*e.Events, "event")
		}
		request := e.URL
		if len(origins) == 1 {
			_, request = splitURL(e.URL)
		}
		rows = append(rows, []string{fmt.Sprint(e.Exchange), fmt.Sprintf("%.1f s", e.Time), brief(e.Seconds), status, holds, end, printable(e.Method + " " + request)})
	}
	if last := len(rows[0]) - 1; room(rows, width) < columnWidth(rows, last) {
		for _, row := range rows {
			row[last] = longID.ReplaceAllStringFunc(row[last], briefID)
		}
	}
	for _, column := range []string{"sent", "took", "holds"} {
		if !fits(rows, width) {
			rows = without(rows, column)
		}
	}
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, columnGap, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	tw.Flush()
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(w, shortened(strings.TrimRight(line, "\n"), width))
	}
}

// longID is an ID of an Assembly, a file or a job.
var longID = regexp.MustCompile(`job_\w{12,}|[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}`)

// briefID is how an ID begins and ends.
func briefID(id string) string {
	begin := 4
	if strings.HasPrefix(id, "job_") {
		begin = 8
	}
	return id[:begin] + "…" + id[len(id)-4:]
}

// columnGap is what is between two columns.
const columnGap = 2

// room returns how wide the last column can be.
func room(rows [][]string, width int) int {
	for i := range len(rows[0]) - 1 {
		width -= columnWidth(rows, i) + columnGap
	}
	return width
}

// fits returns whether there is room for what is in the last column. That a URL is longer than
// others are is no reason to leave out anything else.
func fits(rows [][]string, width int) bool {
	const long = 40
	return room(rows, width) >= min(columnWidth(rows, len(rows[0])-1), long)
}

func columnWidth(rows [][]string, i int) int {
	width := 0
	for _, row := range rows {
		width = max(width, utf8.RuneCountInString(row[i]))
	}
	return width
}

// without returns rows, which it changes, less the column of that name.
func without(rows [][]string, name string) [][]string {
	i := slices.Index(rows[0], name)
	for n, row := range rows {
		rows[n] = slices.Delete(row, i, i+1)
	}
	return rows
}

// brief is a time for a person who looks at short ones, too.
func brief(seconds float64) string {
	if ms := math.Round(seconds * 1000); ms < 1000 {
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// splitURL returns the scheme and the host of a URL, and what is behind them.
func splitURL(text string) (origin, rest string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", text
	}
	u.Scheme, u.Host, u.User = "", "", nil
	rest = u.String()
	return strings.TrimSuffix(text, rest), cmp.Or(rest, "/")
}
