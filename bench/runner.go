package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process is a worker, as the one who measures sees it.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr strings.Builder
}

// patience is how long a worker may take to get ready.
const patience = 3 * time.Minute

// grace is how long it may take to end.
const grace = 15 * time.Second

// launch starts a worker and waits until it is ready. It ends with ctx.
func launch(ctx context.Context, command ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	p.cmd.Stderr = &p.stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if line, err := p.out.ReadString('\n'); err != nil || line != "ready\n" {
		return nil, errors.Join(fmt.Errorf("%s said %q instead of ready", strings.Join(command, " "), line), p.stop())
	}
	return p, nil
}

// ask sends a line and reads the answer into v.
func (p *process) ask(v any, format string, args ...any) error {
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		return errors.Join(err, p.stop())
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return errors.Join(err, p.stop())
	}
	return json.Unmarshal(line, v)
}

// stop ends the worker and waits for it.
func (p *process) stop() error {
	_ = p.in.Close() // which tells it to end
	late := time.AfterFunc(grace, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, p.stderr.String())
	}
	return nil
}

// row is one line of the table.
type row struct {
	name    string
	process *process
	mode    string
	n       int // refreshes a round

	// What was measured, round by round, for one refresh.
	us, mallocs, alloc []float64
	sizes              []float64 // of every refresh
}

// budget is about how long one round of one row takes.
const budget = 60 * time.Millisecond

// calibrate finds out how many refreshes fit into a round.
func (r *row) calibrate() error {
	if _, err := r.ask(1); err != nil { // the first is like no other
		return err
	}
	for n := 1; ; n *= 4 {
		began := time.Now()
		if _, err := r.ask(n); err != nil {
			return err
		}
		if took := time.Since(began); took > budget/8 || n > 1<<16 {
			r.n = max(1, int(float64(n)*float64(budget)/float64(took)))
			return nil
		}
	}
}

func (r *row) ask(n int) (reply, error) {
	var a reply
	if err := r.process.ask(&a, "run %s %d", r.mode, n); err != nil {
		return reply{}, fmt.Errorf("%s: %w", r.name, err)
	}
	return a, nil
}

// measure adds a round.
func (r *row) measure() error {
	a, err := r.ask(r.n)
	if err != nil {
		return err
	}
	n := float64(r.n)
	r.us = append(r.us, a.US/n)
	r.mallocs = append(r.mallocs, float64(a.Mallocs)/n)
	r.alloc = append(r.alloc, float64(a.Alloc)/n)
	for _, size := range a.Sizes {
		r.sizes = append(r.sizes, float64(size))
	}
	return nil
}

// measureRows measures the rows side by side: a round of each, and so on, each
// time beginning with another one, so that what else the machine does hits all
// alike.
func measureRows(rows []*row, rounds int) error {
	for _, r := range rows {
		if err := r.calibrate(); err != nil {
			return err
		}
	}
	for round := range rounds {
		for i := range rows {
			if err := rows[(i+round)%len(rows)].measure(); err != nil {
				return err
			}
		}
	}
	return nil
}

// self is the command that starts this program as a worker.
func self(args ...string) []string {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	return append([]string{path, "-worker"}, args...)
}
