// Command fanout measures what it costs chartd to push one frame to many
// sessions: against plain write(2) of ready bytes to the same sockets, and
// against centrifuge, in one run on the machine at hand. With -scenario it
// holds chartd in one of the situations that it is built for.
//
//	go -C bench run ./fanout
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/chartd/chartd/bench/internal/figures"
)

// options are the flags.
type options struct {
	n, size, pairs int
	quick, rival   bool
	scenario       string
	lasts          time.Duration
	burst          int
	check          bool
}

// quietSetup is a server that does nothing but what it is asked to.
var quietSetup = setup{heartbeat: time.Hour, refresh: 50 * time.Millisecond, keep: true, ttl: 2 * time.Minute}

func main() {
	if len(os.Args) > 2 && os.Args[1] == workerFlag {
		if err := work(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "fanout:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.n, "n", 0, "sessions; 0: 1,000, 5,000, 9,800 and 19,500, or what the scenario is about")
	flag.IntVar(&o.size, "size", 0, "bytes of a frame on the wire; 0: 300, 4096 and 20480")
	flag.IntVar(&o.pairs, "pairs", 0, "pairs of rounds; 0: as many as the number of sessions allows")
	flag.BoolVar(&o.quick, "quick", false, "1,000 sessions and short measures: under a minute")
	flag.BoolVar(&o.rival, "centrifuge", true, "measure centrifuge, too")
	flag.StringVar(&o.scenario, "scenario", "", "storm, hold, churn or views, in the place of the measures")
	flag.DurationVar(&o.lasts, "for", 0, "how long hold and views last; 0: 10m and 30s")
	flag.IntVar(&o.burst, "burst", 4000, "storm: how many connect at the same time")
	flag.BoolVar(&o.check, "check", false, "end with status 1 if a goal is missed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, os.Stdout)
	stop()
	if errors.Is(err, errMissed) && !o.check {
		err = nil
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

// work is the main function of a worker.
func work(args []string, in *os.File, out io.Writer) error {
	if args[0] == "client" {
		return runClient(in, out)
	}
	s, err := parseSetup(args[1:])
	if err != nil {
		return err
	}
	return serve(args[0], s, in, out)
}

// errMissed says that everything was measured and not every goal holds.
var errMissed = errors.New("a goal is missed")

func run(ctx context.Context, o options, w io.Writer) error {
	say := func(format string, args ...any) { fmt.Fprintf(os.Stderr, "… "+format+"\n", args...) }
	began := time.Now()
	fmt.Fprintln(w, figures.Machine())
	room, err := descriptors()
	if err != nil {
		return err
	}
	var gs []goal
	if o.scenario != "" {
		gs, err = runScenario(ctx, o, room, w, say)
	} else {
		gs, err = measure(ctx, o, room, w, say)
	}
	if err != nil {
		return err
	}
	held := printGoals(w, gs)
	fmt.Fprintf(w, "\nMeasured in %.0f s, %s.\n", time.Since(began).Seconds(), figures.Company())
	if !held {
		return errMissed
	}
	return nil
}
