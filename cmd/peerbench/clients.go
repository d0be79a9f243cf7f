package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// A crowd is clients that read the same stream at its pace, each from a request of its own
// on. They are asked for over a ramp, so many a second, and none has come to the end when
// the last one has begun.
type crowd struct {
	clients int
	ramp    time.Duration
	gap     time.Duration // between pieces
	pieces  int
	limit   time.Duration // how late a piece may be
}

// crowds returns those that are measured: one client, and n.
func crowds(n int, ramp time.Duration) []crowd {
	const gap = time.Second
	one := crowd{clients: 1, gap: 7300 * time.Microsecond, pieces: 600, limit: time.Millisecond}
	if n == 1 {
		return []crowd{one}
	}
	many := crowd{clients: n, ramp: ramp, gap: gap, limit: 25 * time.Millisecond}
	many.pieces = int((ramp+settling)/gap) + 5
	return []crowd{one, many}
}

// settling is how long after the last client has its header the memory is looked at.
const settling = time.Second

func (c crowd) name() string { return fmt.Sprintf("clients/%d", c.clients) }

// crowdResult is how a server has served a crowd: medians over the rounds.
type crowdResult struct {
	Table     string  `json:"table"`
	Contender string  `json:"contender"`
	Clients   int     `json:"clients"`
	Pieces    int     `json:"pieces"` // each
	LimitMs   float64 `json:"limit_ms"`
	Within    float64 `json:"within"` // the share of pieces that were not later than the limit
	P50Ms     float64 `json:"p50_ms"` // how late pieces were
	P99Ms     float64 `json:"p99_ms"`
	WorstP99  float64 `json:"p99_ms_worst_round"`
	MaxMs     float64 `json:"max_ms"`
	MB        float64 `json:"mb"`        // resident memory with all clients in mid-stream, 0 where it is not known
	MBBefore  float64 `json:"mb_before"` // with none
	Ratio     float64 `json:"ratio"`     // of MB to that of the bare handler in the same round
}

// measure lets the servers take turns on the crowd.
func (c crowd) measure(rounds int) ([]crowdResult, error) {
	if need := uint64(c.clients + 100); raiseFiles(need) < need {
		return nil, fmt.Errorf("%d clients need as many open files in each process, and no more than %d are allowed: raise the limit (ulimit -Hn) or say --clients %d", c.clients, raiseFiles(need), raiseFiles(need)-100)
	}
	// The clients take as many cores as there are, as the servers do.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU()))
	turns := make([][]turn, len(kinds))
	for range rounds {
		for i, k := range kinds {
			t, err := c.turn(k.kind)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.name(), k.name, err)
			}
			turns[i] = append(turns[i], t)
		}
	}
	results := make([]crowdResult, len(kinds))
	of := func(i int, value func(round int, t turn) float64) []float64 {
		var all []float64
		for round, t := range turns[i] {
			all = append(all, value(round, t))
		}
		return all
	}
	barely := turns[len(kinds)-1]
	for i, k := range kinds {
		p99 := of(i, func(_ int, t turn) float64 { return ms(t.late(0.99)) })
		results[i] = crowdResult{
			Table:     "clients",
			Contender: k.name,
			Clients:   c.clients,
			Pieces:    c.pieces,
			LimitMs:   ms(c.limit),
			Within:    median(of(i, func(_ int, t turn) float64 { return t.within(c.limit) })),
			P50Ms:     median(of(i, func(_ int, t turn) float64 { return ms(t.late(0.5)) })),
			P99Ms:     median(p99),
			WorstP99:  slices.Max(p99),
			MaxMs:     slices.Max(of(i, func(_ int, t turn) float64 { return ms(t.late(1)) })),
			MB:        median(of(i, func(_ int, t turn) float64 { return float64(t.full.Resident) / 1e6 })),
			MBBefore:  median(of(i, func(_ int, t turn) float64 { return float64(t.empty.Resident) / 1e6 })),
		}
		if barely[0].full.Resident > 0 {
			results[i].Ratio = median(of(i, func(round int, t turn) float64 {
				return float64(t.full.Resident) / float64(barely[round].full.Resident)
			}))
		}
	}
	return results, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// turn is what came of a crowd once.
type turn struct {
	lateness    []time.Duration // of all pieces, in order of size
	empty, full stats           // of the server, before the clients came and when all had
}

// late returns how late the piece was that this share of pieces was not later than.
func (t turn) late(share float64) time.Duration {
	n := len(t.lateness)
	return t.lateness[min(int(share*float64(n)), n-1)]
}

// within returns the share of pieces that were not later than limit.
func (t turn) within(limit time.Duration) float64 {
	n, _ := slices.BinarySearch(t.lateness, limit+1)
	return float64(n) / float64(len(t.lateness))
}

// turn sends the crowd to a server of that kind, a process of its own.
func (c crowd) turn(kind string) (t turn, err error) {
	s, err := serving{Kind: kind, Counts: []int{c.pieces}, Gap: c.gap}.start(0)
	if err != nil {
		return t, err
	}
	defer s.stop()
	// One request, so that what is made for all of them is there.
	if err := s.visit(c.pieces); err != nil {
		return t, err
	}
	if t.empty, err = s.stats(); err != nil {
		return t, err
	}
	runtime.GC()
	t.lateness = make([]time.Duration, c.clients*c.pieces)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var wait, begun sync.WaitGroup
	var failed atomic.Pointer[error]
	begun.Add(c.clients)
	start := time.Now()
	for i := range c.clients {
		time.Sleep(time.Until(start.Add(c.ramp * time.Duration(i) / time.Duration(c.clients))))
		wait.Go(func() {
			once := sync.OnceFunc(begun.Done)
			defer once()
			if err := s.follow(ctx, c, t.lateness[i*c.pieces:][:c.pieces], once); err != nil {
				failed.CompareAndSwap(nil, &err)
				cancel(err)
			}
		})
	}
	begun.Wait()
	select {
	case <-time.After(min(settling, c.gap*time.Duration(c.pieces)/2)):
	case <-ctx.Done():
	}
	t.full, err = s.stats()
	wait.Wait()
	if failed := failed.Load(); failed != nil {
		return t, *failed
	}
	slices.Sort(t.lateness)
	return t, err
}

// open asks for the stream of so many pieces. The moment is the one before it did.
func (s *server) open(count int) (net.Conn, time.Time, error) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return nil, time.Time{}, err
	}
	now := time.Now()
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", s.path(count), s.addr)
	if err != nil {
		conn.Close()
		return nil, now, err
	}
	return conn, now, nil
}

// visit asks for a stream and goes when its header is there.
func (s *server) visit(count int) error {
	conn, _, err := s.open(count)
	if err != nil {
		return err
	}
	defer conn.Close()
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return err
}

// errEarly says that a piece came before its moment.
var errEarly = errors.New("a piece came before its moment")

// follow reads the stream to its end, and notes how late each piece is. It calls begun
// when the header is there.
func (s *server) follow(ctx context.Context, c crowd, lateness []time.Duration, begun func()) error {
	conn, start, err := s.open(c.pieces)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	// All chunks are of one size, so to count bytes is enough.
	const framed = len("c5\r\n") + len(piece) + len("\r\n")
	const end = "0\r\n\r\n"
	buf := make([]byte, 1024)
	header, body, pieces := 0, -1, 0
	for {
		n, err := conn.Read(buf[header:])
		now := time.Since(start)
		if err != nil {
			return errors.Join(fmt.Errorf("piece %d of %d: %w", pieces+1, c.pieces, err), context.Cause(ctx))
		}
		if body < 0 {
			header += n
			_, rest, found := strings.Cut(string(buf[:header]), "\r\n\r\n")
			if !found {
				continue
			}
			if !strings.HasPrefix(string(buf), "HTTP/1.1 200 ") {
				return fmt.Errorf("the server answers %q", buf[:header])
			}
			begun()
			n, body, header = len(rest), 0, 0
		}
		body += n
		for ; pieces < c.pieces && body >= (pieces+1)*framed; pieces++ {
			late := now - time.Duration(pieces+1)*c.gap
			if late < 0 {
				return fmt.Errorf("%w: number %d, by %v", errEarly, pieces+1, -late)
			}
			lateness[pieces] = late
		}
		if body == c.pieces*framed+len(end) {
			return nil
		}
		if body > c.pieces*framed+len(end) {
			return fmt.Errorf("%d bytes are too many", body)
		}
	}
}

func printCrowd(w io.Writer, c crowd, results []crowdResult) {
	fmt.Fprintf(w, "%s: %d pieces each, one every %v, asked for within %v\n", c.name(), c.pieces, c.gap, c.ramp)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "within %v\tp50 ms\tp99 ms\tworst p99\tmax ms\tMB before\tMB\tof bare\t \t\n", c.limit)
	for _, r := range results {
		fmt.Fprintf(tw, "%.2f%%\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t%.1f\t%.3fx\t%s\t\n",
			100*r.Within, r.P50Ms, r.P99Ms, r.WorstP99, r.MaxMs, r.MBBefore, r.MB, r.Ratio, "  "+r.Contender)
	}
	tw.Flush()
	fmt.Fprintln(w)
}
