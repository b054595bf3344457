package main

import (
	"fmt"
	"io"
	"math"
	"os"

	"golang.org/x/sys/unix"

	"github.com/chartd/chartd/bench/internal/figures"
)

// goal is one thing that shall hold.
type goal struct {
	what  string
	got   float64
	limit float64 // got is at most this
	unit  string
}

// printGoals writes the goals and reports whether all hold.
func printGoals(w io.Writer, gs []goal) bool {
	held := true
	var rows [][]string
	for _, g := range gs {
		verdict := "ok"
		if !(g.got <= g.limit) { // a NaN is no yes
			verdict, held = "MISS", false
		}
		rows = append(rows, []string{g.what, number(g.got) + g.unit, number(g.limit) + g.unit, verdict})
	}
	fmt.Fprintf(w, "\nThe goals:\n\n%s", table([]string{"", "measured", "at most", ""}, rows))
	return held
}

// printFrames writes what a delivered frame costs.
func printFrames(w io.Writer, rs []result) {
	if len(rs) == 0 {
		return
	}
	var rows [][]string
	for _, r := range rs {
		x := func(i int) string {
			if r.ratio[i] == 0 {
				return "–"
			}
			return fmt.Sprintf("%.2f (%.2f–%.2f)", r.ratio[i], r.low[i], r.high[i])
		}
		quotient := math.NaN()
		if r.ratio[1] > 0 {
			quotient = r.quotient()
		}
		rows = append(rows, []string{
			number(float64(r.n)), number(float64(r.size)), number(r.floor[0] / 1000), number(r.cpu[0] / 1000), x(0), x(1), number(quotient),
			number(r.allocs), number(r.writes),
		})
	}
	fmt.Fprintf(w, "\nThe server's CPU time for a delivered frame. × is against plain writes to the same sockets, each round against the one beside it: median and quartiles.\n\n%s",
		table([]string{"sessions", "bytes", "plain write, µs", "chartd, µs", "chartd ×", "centrifuge ×", "chartd / centrifuge", "allocations", "writes"}, rows))
}

// printLateness writes how long delivery takes.
func printLateness(w io.Writer, ls []*lateness) {
	if len(ls) == 0 {
		return
	}
	var rows [][]string
	for _, l := range ls {
		for i, h := range []*hist{&l.push, &l.floor} {
			name, quotient := "chartd", fmt.Sprintf("%.2f (%.2f–%.2f)", l.quotient(), figures.Quantile(l.ratios, 0.25), figures.Quantile(l.ratios, 0.75))
			if i == 1 {
				name, quotient = "plain writes", ""
			}
			rows = append(rows, []string{
				name, number(float64(l.n)), number(h.quantile(0.5) / 1e6), number(h.quantile(0.99) / 1e6), number(float64(h.Max) / 1e6), quotient,
			})
		}
	}
	fmt.Fprintf(w, "\nFrom the beginning of a tick to the client, ms, at 1 frame/s of %d bytes, the clients on the same machine. × is each round's p99 against that of the round of plain writes beside it: median and quartiles.\n\n%s",
		lateSize, table([]string{"", "sessions", "median", "p99", "longest", "p99 of a round, ×"}, rows))
}

// printMemory writes what an idle session holds.
func printMemory(w io.Writer, ms []*footprint) {
	if len(ms) == 0 {
		return
	}
	var rows [][]string
	for _, m := range ms {
		for i, name := range []string{"chartd", "centrifuge"} {
			if m.bytes[i] > 0 {
				rows = append(rows, []string{name, number(float64(m.n)), number(m.bytes[i]), number(m.heap[i]), fmt.Sprintf("%.2f", m.gors[i])})
			}
		}
	}
	fmt.Fprintf(w, "\nAn idle session, after %d frames of %d bytes and a ping from each side: what is resident more than without sessions, a session.\n\n%s",
		trafficFrames, trafficSize, table([]string{"", "sessions", "bytes", "of them heap in use", "goroutines"}, rows))
}

// spare is how many descriptors a process needs beside its sessions.
const spare = 60

// descriptors raises the bound of open files to what the system allows, for
// this process and all that it starts, and returns how many sessions that is.
func descriptors() (int, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	l.Cur = l.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	return int(min(l.Max, 1<<20)) - spare, nil
}

// fit returns n, or less if there are not enough descriptors: which it says.
func fit(n, room int) int {
	if n > room {
		fmt.Fprintf(os.Stderr, "\n*** %d sessions in the place of %d: the hard limit of open files (ulimit -Hn) is %d\n\n", room, n, room+spare)
		return room
	}
	return n
}
