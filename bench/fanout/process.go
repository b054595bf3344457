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

// The servers and their clients are processes of their own, so that each one's
// CPU time and memory are its own. A worker prints "ready" and then answers
// every line of its standard input, an order in JSON, with one line of JSON. It
// ends with its standard input.

// order is what a worker is told to do.
type order struct {
	Do string `json:"do"`
	// Size is the length of a frame on the wire, in bytes, header included.
	Size int `json:"size,omitempty"`
	// Start is when a round began, in ns of the monotonic clock.
	Start int64 `json:"start,omitempty"`
	// N counts what is to be done or awaited.
	N int `json:"n,omitempty"`
	// Kind names a list of latencies.
	Kind string `json:"kind,omitempty"`
	// Crowd says who connects.
	Crowd *crowd `json:"crowd,omitempty"`
}

// answer is what a worker says when it has nothing to say, or that it failed.
type answer struct {
	Error string `json:"error,omitempty"`
}

// process is a worker, as the one who measures sees it.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr strings.Builder
}

const (
	patience = 5 * time.Minute  // for an answer
	grace    = 20 * time.Second // to end
)

// workerFlag is the first argument of a worker.
const workerFlag = "-worker"

// launch starts this program as a worker and waits until it is ready. It ends
// with ctx.
func launch(ctx context.Context, args ...string) (*process, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, path, append([]string{workerFlag}, args...)...)}
	p.cmd.Stderr = &p.stderr
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
	if line, err := p.line(patience); err != nil || line != "ready\n" {
		return nil, errors.Join(fmt.Errorf("%s said %q instead of ready", strings.Join(args, " "), line), err, p.stop())
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// line reads a line. A worker that says nothing for too long is ended.
func (p *process) line(patience time.Duration) (string, error) {
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	return p.out.ReadString('\n')
}

// tell sends an order; hear reads its answer into v, if v is not nil.
func (p *process) tell(o order) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = p.in.Write(append(b, '\n'))
	return err
}

func (p *process) hear(v any) error { return p.hearWithin(v, patience) }

// hearWithin is hear for what takes its time.
func (p *process) hearWithin(v any, patience time.Duration) error {
	line, err := p.line(patience)
	if err != nil {
		return fmt.Errorf("a worker is gone: %w: %s", err, p.stderr.String())
	}
	var a answer
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		return fmt.Errorf("%w in %s", err, line)
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal([]byte(line), v)
}

// ask tells and hears.
func (p *process) ask(v any, o order) error {
	if err := p.tell(o); err != nil {
		return errors.Join(err, p.stop())
	}
	return p.hear(v)
}

// stop ends the worker and waits for it.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	_ = p.in.Close() // which tells it to end
	late := time.AfterFunc(grace, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, p.stderr.String())
	}
	return nil
}

// converse says ready and answers each order of in.
func converse(in io.Reader, out io.Writer, do func(order) (any, error)) error {
	fmt.Fprintln(out, "ready")
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		v, err := do(o)
		if err != nil {
			v = answer{Error: err.Error()}
		}
		if err := json.NewEncoder(out).Encode(v); err != nil {
			return err
		}
	}
	return lines.Err()
}
