package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Every row of the table is drawn by a process of its own, so that none pays
// for another's garbage. It prints "ready" when it has warmed up, then answers
// each line of its standard input by one line of JSON:
//
//	run MODE N    refresh N times; answers with a reply
//	draw PATH     write down what the last refresh drew; answers with {}
//
// It ends with its standard input.

// reply is what a run has cost.
type reply struct {
	// US is the CPU time of the whole process, user and system, in µs.
	US float64 `json:"us"`
	// Sizes are the bytes that each refresh puts on the wire.
	Sizes []int `json:"sizes"`
	// Mallocs and Alloc count what was allocated, and its bytes; Go only.
	Mallocs uint64 `json:"mallocs"`
	Alloc   uint64 `json:"alloc"`
}

// drawer is a row that is written in Go.
type drawer interface {
	// run refreshes n times.
	run(mode string, n int) (reply, error)
	// picture returns what the last refresh drew.
	picture() []byte
}

// makers are the workers that are written in Go.
var makers = map[string]func() (drawer, error){
	"gonum":    func() (drawer, error) { return newGonum(), nil },
	"go-chart": func() (drawer, error) { return newGoChart(), nil },
	"numbers":  func() (drawer, error) { return newNumbers(), nil },
	"samples":  func() (drawer, error) { return newSamples(), nil },
}

// work is the main function of a worker: its name, or "chartd" and how many
// samples each series has in the window.
func work(args []string, in io.Reader, out io.Writer) error {
	if args[0] == "load" {
		return serveLoad(in, out)
	}
	// A program that draws charts has more than a chart on its heap. Without
	// some weight there, the collector would run several times a frame.
	ballast := make([]byte, 64<<20)
	defer runtime.KeepAlive(ballast)
	d, err := newDrawer(args)
	if err != nil {
		return err
	}
	return converse(in, out, func(command, args string) (any, error) {
		switch command {
		case "run":
			mode, count, _ := strings.Cut(args, " ")
			n, err := strconv.Atoi(count)
			if err != nil {
				return nil, err
			}
			return d.run(mode, n)
		case "draw":
			return struct{}{}, os.WriteFile(args, d.picture(), 0o644)
		}
		return nil, fmt.Errorf("unknown command %q", command)
	})
}

func newDrawer(args []string) (drawer, error) {
	if len(args) == 2 && args[0] == "chartd" {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return nil, err
		}
		return newChartd(n)
	}
	if maker := makers[args[0]]; maker != nil {
		return maker()
	}
	return nil, fmt.Errorf("unknown worker %q", args)
}

// converse says ready and answers each line of in.
func converse(in io.Reader, out io.Writer, answer func(command, args string) (any, error)) error {
	fmt.Fprintln(out, "ready")
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		command, args, _ := strings.Cut(lines.Text(), " ")
		v, err := answer(command, args)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(v); err != nil {
			return err
		}
	}
	return lines.Err()
}

// meter measures what this process uses.
type meter struct {
	cpu            time.Duration
	mallocs, alloc uint64
}

func startMeter() meter {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return meter{cpu: cpuTime(), mallocs: m.Mallocs, alloc: m.TotalAlloc}
}

// stop returns what was used since the meter started.
func (m meter) stop() meter {
	cpu := cpuTime()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	return meter{cpu: cpu - m.cpu, mallocs: now.Mallocs - m.mallocs, alloc: now.TotalAlloc - m.alloc}
}

// cpuTime is the process's CPU time, user and system.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err) // only a bad argument makes it fail
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// redrawer is a row that has nothing to do but draw a window: refresh i
// appends what is sent of it to b.
type redrawer struct {
	refresh func(i int, b []byte) ([]byte, error)
	i       int
	last    []byte
}

func (r *redrawer) picture() []byte { return r.last }

func (r *redrawer) run(_ string, n int) (reply, error) {
	sizes := make([]int, 0, n)
	m := startMeter()
	for range n {
		b, err := r.refresh(r.i%turns, r.last[:0])
		if err != nil {
			return reply{}, err
		}
		r.i++
		r.last = b
		sizes = append(sizes, len(b))
	}
	used := m.stop()
	return reply{US: micros(used.cpu), Sizes: sizes, Mallocs: used.mallocs, Alloc: used.alloc}, nil
}
