// Command bench compares chartd with what else draws charts on a server: the
// same data, the same size, one run on the machine at hand. It prints the
// comparison as tables, and says which of chartd's goals hold.
//
//	go -C bench run .
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

func main() {
	worker := flag.Bool("worker", false, "be one of the processes that draw; bench starts them itself")
	rounds := flag.Int("rounds", 21, "how often each row is measured")
	pictures := flag.String("pictures", "", "write what each row drew into this directory")
	check := flag.Bool("check", false, "end with status 1 if a goal is missed")
	flag.Parse()
	var err error
	if *worker {
		err = work(flag.Args(), os.Stdin, os.Stdout)
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err = bench(ctx, *rounds, *pictures, os.Stdout)
		stop()
		if errors.Is(err, errMissed) && !*check {
			err = nil
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errMissed says that everything was measured and not every goal holds.
var errMissed = errors.New("a goal is missed")

// bench measures and prints everything.
func bench(ctx context.Context, rounds int, pictures string, w io.Writer) (err error) {
	if _, err := os.Stat("js/package.json"); err != nil {
		return errors.New("js/package.json is not here; run it in its own directory, as go -C bench run . does")
	}
	say := func(format string, args ...any) { fmt.Fprintf(os.Stderr, "… "+format+"\n", args...) }
	began := time.Now()
	fmt.Fprintln(w, figures.Machine())

	dir, err := os.MkdirTemp("", "chartd-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c, err := newComparison(ctx, dir, say)
	if err != nil {
		return errors.Join(err, c.stop())
	}
	say("%d rounds of %d rows", rounds, len(c.rows))
	err = measureRows(c.rows, rounds)
	if err == nil && pictures != "" {
		err = c.draw(pictures)
	}
	if err = errors.Join(err, c.stop()); err != nil {
		return err
	}
	printTable(w, c)

	var page *browserResult
	if path := chromium(); path == "" {
		fmt.Fprintln(w, "\nThe page's cost is left out: install chromium.")
	} else {
		say("a page in Chromium")
		if page, err = measureBrowser(ctx, path); err != nil {
			return fmt.Errorf("the page: %w", err)
		}
		printBrowser(w, page)
	}

	say("%d views", loadViews)
	load, err := measureLoad(ctx)
	if err != nil {
		return fmt.Errorf("the load: %w", err)
	}
	printLoad(w, load)

	held := printGoals(w, goals(c, load, page))
	fmt.Fprintf(w, "\nMeasured in %.0f s, %s.\n", time.Since(began).Seconds(), figures.Company())
	if !held {
		return errMissed
	}
	return nil
}
