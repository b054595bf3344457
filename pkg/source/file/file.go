// Package file follows a file as it grows, as tail -F does, and turns its lines
// into samples: CSV, JSON, columns, key=value, or what a regular expression
// finds; see package lines.
//
// A file that is moved away and made anew (logrotate's create) and one that is
// cut (copytruncate) are followed; the end of the old one is read before the
// new one begins. A line counts when it is whole. Where reading stood is kept
// while the source is retried, so that no line counts twice.
//
// What is not seen: a file that is replaced twice between two looks, and what a
// copytruncate cuts off before it was read, which no reader can see.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/lines"
	"github.com/chartd/chartd/pkg/store"
)

const (
	// chunk is how much is read at once, in bytes.
	chunk = 64 << 10
	// patience is how long a file that was missing is waited for before that is
	// said again. It is longer than the manager's longest pause, which then
	// begins anew: somebody is nearly always watching.
	patience = 65 * time.Second
	// printLength is how many bytes before a place tell whether the file is still
	// the one that was read there.
	printLength = 64
)

// Source follows one file.
type Source struct {
	cfg   Config
	deps  source.Deps
	lines *lines.Reader
	out   []lines.Sample
	buf   []byte

	// Where reading stands; it outlives Run.
	begun  bool        // something was opened, or was missing
	info   os.FileInfo // of the file that was read; nil if there is none
	offset int64       // of what was read, the unfinished line included
	print  []byte      // the last bytes before offset
	part   []byte      // the unfinished line
	drop   bool        // the rest of a line that is too long
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	w := watch(s.cfg.Path, s.cfg.Poll.Std())
	defer w.close()
	f, err := s.open(ctx, w)
	if err != nil || f == nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if s.buf == nil {
		s.buf = make([]byte, chunk)
	}
	for {
		if err := s.drain(ctx, f, app); err != nil || ctx.Err() != nil {
			return err
		}
		next, err := s.replaced(f)
		if err != nil {
			return err
		}
		if next == nil {
			if !w.wait(ctx) {
				return nil
			}
			continue
		}
		// The writer may not have noticed yet that its file was moved away.
		if !w.pause(ctx) {
			return next.Close()
		}
		err = s.drain(ctx, f, app)
		s.finish(app)
		_ = f.Close()
		f = next
		if err != nil {
			return err
		}
		if err := s.begin(f, 0); err != nil {
			return err
		}
	}
}

// open opens the file and goes to where reading stood. It returns nil if ctx
// ended. A file that is missing is an error the first time, and is then waited
// for.
func (s *Source) open(ctx context.Context, w *watcher) (*os.File, error) {
	absent := s.begun && s.info == nil
	deadline := time.Now().Add(patience)
	for {
		f, err := s.openFile()
		if err == nil {
			if err := s.resume(f); err != nil {
				_ = f.Close()
				return nil, err
			}
			return f, nil
		}
		s.begun = true
		if !errors.Is(err, os.ErrNotExist) || !absent && s.info == nil || time.Now().After(deadline) {
			return nil, err
		}
		if !w.wait(ctx) {
			return nil, nil
		}
	}
}

// openFile opens what is there, if it is a file: to open a pipe would be to wait
// for somebody who writes to it, and a device cannot be read from a place on.
func (s *Source) openFile() (*os.File, error) {
	info, err := os.Stat(s.cfg.Path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory; want a file", s.cfg.Path)
	case info.Mode()&(os.ModeNamedPipe|os.ModeSocket|os.ModeDevice) != 0:
		return nil, fmt.Errorf("%s is a pipe or a device; want a file, or a source of type exec with [cat, %s]", s.cfg.Path, s.cfg.Path)
	}
	return os.Open(s.cfg.Path)
}

// resume goes to where reading goes on in a file that was just opened.
func (s *Source) resume(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	switch {
	case s.info != nil && os.SameFile(s.info, info):
		cut, err := s.cut(f, info)
		if err != nil {
			return err
		}
		if cut {
			return s.begin(f, 0)
		}
		_, err = f.Seek(s.offset, io.SeekStart)
		return err
	case s.begun || s.cfg.From == Start:
		s.begun = true
		return s.begin(f, 0)
	}
	s.begun = true
	at, err := lastLine(f, info.Size())
	if err != nil {
		return err
	}
	if err := s.prime(f); err != nil {
		return err
	}
	return s.begin(f, at)
}

// begin starts to read a file at a place.
func (s *Source) begin(f *os.File, at int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if at == 0 {
		s.lines.Restart()
	}
	s.info, s.offset, s.part, s.drop = info, at, s.part[:0], false
	s.print = make([]byte, min(at, printLength))
	if _, err := f.ReadAt(s.print, at-int64(len(s.print))); err != nil {
		return err
	}
	_, err = f.Seek(at, io.SeekStart)
	return err
}

// lastLine returns where the last line begins that has no end yet.
func lastLine(f *os.File, size int64) (int64, error) {
	from := max(0, size-lines.MaxLine)
	b := make([]byte, size-from)
	n, err := f.ReadAt(b, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if i := bytes.LastIndexByte(b[:n], '\n'); i >= 0 {
		return from + int64(i) + 1, nil
	}
	return from, nil
}

// prime shows the first lines of a file to the reader, so that it knows the
// header although reading begins at the end.
func (s *Source) prime(f *os.File) error {
	b := make([]byte, chunk)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	rest := b[:n]
	for range 20 {
		line, tail, whole := bytes.Cut(rest, []byte{'\n'})
		if !whole {
			return nil
		}
		rest = tail
		// What these lines say was said before; what is wrong with them, too.
		if out, _ := s.lines.Line(s.out[:0], line, time.Now().UnixMilli()); len(out) > 0 {
			return nil
		}
	}
	return nil
}

// drain reads to the end of what is there.
func (s *Source) drain(ctx context.Context, f *os.File, app store.Appender) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if cut, err := s.cut(f, info); err != nil {
		return err
	} else if cut {
		if err := s.begin(f, 0); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		n, err := f.Read(s.buf)
		if n > 0 {
			s.take(s.buf[:n], app)
		}
		if errors.Is(err, io.EOF) || err == nil && n == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cut reports whether the file is no longer what was read: it is shorter, or
// has something else where reading stood.
func (s *Source) cut(f *os.File, info os.FileInfo) (bool, error) {
	if info.Size() < s.offset {
		return true, nil
	}
	if len(s.print) == 0 || info.Size() == s.offset && info.ModTime().Equal(s.info.ModTime()) {
		return false, nil
	}
	s.info = info
	b := make([]byte, len(s.print))
	if _, err := f.ReadAt(b, s.offset-int64(len(b))); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return !bytes.Equal(b, s.print), nil
}

// replaced returns the file that has taken the place of f, or nil.
func (s *Source) replaced(f *os.File) (*os.File, error) {
	there, err := os.Stat(s.cfg.Path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // moved away; the next one will come
	}
	if err != nil {
		return nil, err
	}
	here, err := f.Stat()
	if err != nil || os.SameFile(here, there) {
		return nil, err
	}
	next, err := s.openFile()
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return next, err
}

// take reads the lines of what was read, and keeps an unfinished one.
func (s *Source) take(b []byte, app store.Appender) {
	s.offset += int64(len(b))
	s.print = append(s.print, b[max(0, len(b)-printLength):]...)
	s.print = append(s.print[:0], s.print[max(0, len(s.print)-printLength):]...)
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			break
		}
		line := b[:i]
		b = b[i+1:]
		switch {
		case s.drop:
			s.drop = false
		case len(s.part) > 0:
			s.part = append(s.part, line...)
			s.line(s.part, int64(len(b)), app)
		default:
			s.line(line, int64(len(b)), app)
		}
		s.part = s.part[:0]
	}
	if s.drop {
		return
	}
	if s.part = append(s.part, b...); len(s.part) > lines.MaxLine {
		s.deps.Reject(1, fmt.Errorf("%s: a line before byte %d is longer than %d bytes", filepath.Base(s.cfg.Path), s.offset, lines.MaxLine))
		s.part, s.drop = s.part[:0], true
	}
}

// line appends the samples of a line; behind is how many bytes were read behind
// it.
func (s *Source) line(line []byte, behind int64, app store.Appender) {
	skipped := s.lines.Skipped
	var err error
	s.out, err = s.lines.Line(s.out[:0], line, time.Now().UnixMilli())
	if err != nil {
		s.deps.Reject(1, fmt.Errorf("%s, before byte %d: %w", filepath.Base(s.cfg.Path), s.offset-behind, err))
	}
	if n := s.lines.Skipped - skipped; n > 0 {
		s.deps.Skip(n)
	}
	for i := range s.out {
		// What the store refuses is counted and shown by the manager.
		_ = app.Append(s.out[i].Metric, s.out[i].Labels, s.out[i].T, s.out[i].V)
	}
}

// finish takes a last line without an end for whole: its file is complete.
func (s *Source) finish(app store.Appender) {
	if len(s.part) > 0 && !s.drop {
		s.line(s.part, 0, app)
	}
	s.part = s.part[:0]
}
