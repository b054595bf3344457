// Package exec runs a command and turns the lines that it prints into samples:
// one that keeps printing, such as vmstat, or one that is run every interval.
// See package lines for what lines are understood.
//
// The command has a process group of its own. When the source stops, and when a
// run takes too long, the whole group is ended: asked first, then killed.
package exec

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/lines"
	"github.com/chartd/chartd/pkg/store"
)

const (
	// grace is what a command has between being asked to end and being killed. A
	// source must stop within two seconds.
	grace = time.Second
	// rest is how long what a command printed is read after its end.
	rest = 500 * time.Millisecond
	// maxSaid is how much of the last line of the standard error is repeated, in
	// bytes.
	maxSaid = 300
)

// Source runs one command.
type Source struct {
	cfg   *Config
	deps  source.Deps
	lines *lines.Reader
	out   []lines.Sample
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	if s.cfg.Interval == 0 {
		s.lines.Restart()
		err := s.once(ctx, app, 0)
		if err == nil && ctx.Err() == nil {
			err = fmt.Errorf("%s ended; a command that prints and ends needs an interval", s.name())
		}
		return quiet(ctx, err)
	}
	tick := time.NewTicker(s.cfg.Interval.Std())
	defer tick.Stop()
	for {
		s.lines.Restart()
		if err := s.timed(ctx, app); err != nil || ctx.Err() != nil {
			return quiet(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// quiet drops an error that comes of being stopped.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// timed runs the command once, no longer than its timeout.
func (s *Source) timed(ctx context.Context, app store.Appender) error {
	bounded, cancel := context.WithTimeout(ctx, s.cfg.Timeout.Std())
	defer cancel()
	err := s.once(bounded, app, int64(s.cfg.MaxOutput))
	if ctx.Err() == nil && bounded.Err() != nil {
		return fmt.Errorf("%s took longer than %v and was ended; see timeout", s.name(), s.cfg.Timeout)
	}
	return err
}

// name is what the command is called in errors: without its arguments, which
// may be nobody's business.
func (s *Source) name() string {
	if s.cfg.Shell != "" {
		return "the shell"
	}
	return filepath.Base(s.cfg.Command[0])
}

// errOutput is why a run is ended.
var errOutput = errors.New("prints more than max_output allows")

// once runs the command and reads what it prints, at most limit bytes; 0 is no
// limit.
func (s *Source) once(ctx context.Context, app store.Appender, limit int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	args := s.cfg.Command
	if s.cfg.Shell != "" {
		args = []string{"/bin/sh", "-c", s.cfg.Shell}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = s.cfg.Dir, os.Environ()
	for name, value := range s.cfg.Env {
		cmd.Env = append(cmd.Env, name+"="+value.Reveal())
	}
	said := &tail{}
	cmd.Stderr = said
	// A pipe of our own: who reads it decides when it ends, and a grandchild that
	// keeps it open does not.
	pr, pw, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = pr.Close() }()
	cmd.Stdout = pw
	lead(cmd)
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		_ = pw.Close()
		return s.blame(err, "")
	}
	_ = pw.Close()
	var reading sync.WaitGroup
	var readErr error
	reading.Go(func() {
		if readErr = s.read(pr, app, limit); readErr != nil {
			cancel()
		}
	})
	err = cmd.Wait()
	// What it started and left behind goes, too: it would hold the pipe open.
	kill(cmd)
	_ = pr.SetReadDeadline(time.Now().Add(rest))
	reading.Wait()
	if readErr != nil {
		return fmt.Errorf("%s %w", s.name(), readErr)
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) { // that one: somebody it left behind held the standard error
		return s.blame(err, said.last())
	}
	return nil
}

// blame tells how a command failed: with the last line of its standard error,
// but without the values of env.
func (s *Source) blame(err error, said string) error {
	text := err.Error()
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		text = pathErr.Err.Error()
	} else if execErr, ok := errors.AsType[*exec.Error](err); ok {
		text = execErr.Err.Error()
	}
	text = fmt.Sprintf("%s: %s", s.name(), text)
	if said != "" {
		text += ": " + said
	}
	text = secret.In(s.cfg).Scrub(text) // before it is cut
	if len(text) > maxSaid {
		text = strings.ToValidUTF8(text[:maxSaid], "") + "…"
	}
	return errors.New(text)
}

// read turns lines into samples until the pipe ends.
func (s *Source) read(r io.Reader, app store.Appender, limit int64) error {
	if limit > 0 {
		r = &bounded{r, limit}
	}
	sc := bufio.NewReaderSize(r, lines.MaxLine+1)
	for {
		line, err := sc.ReadSlice('\n')
		if len(line) > 0 {
			s.line(line, app)
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a line that is too long
			_, err = sc.ReadSlice('\n')
		}
		switch {
		case err == nil:
		case errors.Is(err, errOutput):
			return err
		default:
			return nil // the end of the pipe
		}
	}
}

func (s *Source) line(line []byte, app store.Appender) {
	skipped := s.lines.Skipped
	var err error
	s.out, err = s.lines.Line(s.out[:0], line, time.Now().UnixMilli())
	if err != nil {
		s.deps.Reject(1, err)
	}
	if n := s.lines.Skipped - skipped; n > 0 {
		s.deps.Skip(n)
	}
	for i := range s.out {
		// What the store refuses is counted and shown by the manager.
		_ = app.Append(s.out[i].Metric, s.out[i].Labels, s.out[i].T, s.out[i].V)
	}
}

// bounded reads no more than left bytes.
type bounded struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errOutput
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// tailRoom is how much a tail keeps, in bytes.
const tailRoom = 16 * maxSaid

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p[max(0, len(p)-tailRoom):]...)
	t.b = append(t.b[:0], t.b[max(0, len(t.b)-tailRoom):]...)
	return len(p), nil
}

// last returns the last line, or as much of it as is kept.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := bytes.TrimSpace(t.b)
	begin := bytes.LastIndexByte(b, '\n') + 1
	if begin == 0 && len(t.b) == tailRoom {
		return "" // its beginning is lost, and half a secret is not found
	}
	b = bytes.TrimSpace(b[begin:])
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(b), ""))
}
