package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a file must be left alone before its change counts:
	// an editor may write it in pieces.
	settle = 100 * time.Millisecond
	// patience is how long a file that never rests may put it off.
	patience = time.Second
)

// Watch calls changed, one call at a time, when it has begun to watch the file
// at path and those that more returns, and from then on soon after one of them
// was written, replaced or removed, until ctx ends; then it returns nil. more,
// which may be nil, is asked anew before each call. The first call is for what
// happened before: from its beginning on, no change goes unnoticed. It watches
// the directory, so that it sees an editor put a new file in the old one's
// place, and Kubernetes another link. Whether the content is a different one
// is for changed to find out. The error is that the system cannot watch.
func Watch(ctx context.Context, path string, more func() []string, changed func()) (err error) {
	fw, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", path, err)
	}
	defer fw.Close()
	if err := follow(fw, path); err != nil {
		return err
	}
	others := followAll(fw, more)
	seen := stat(append(others, path)...)
	changed()
	var due <-chan time.Time
	var began time.Time // when the change that is waited out was first seen
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-due:
			due = nil
			// A link may lead elsewhere now. If the place cannot be watched,
			// the link itself still is.
			_ = follow(fw, path)
			others = followAll(fw, more)
			seen = stat(append(others, path)...)
			changed()
			continue
		case e := <-fw.Events:
			now := stat(append(others, path)...)
			if slices.EqualFunc(now, seen, state.same) && filepath.Base(e.Name) != filepath.Base(path) {
				continue // another file of the directory
			}
			seen = now
		case err := <-fw.Errors:
			// An overflow means that events were dropped: perhaps those of the
			// file.
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("watching %s: %w", path, err)
			}
		}
		if due == nil {
			began = time.Now()
		}
		due = time.After(min(settle, max(0, patience-time.Since(began))))
	}
}

// followAll watches the directories of the files that more returns, as far as
// they are there, and returns the files.
func followAll(fw *fsnotify.Watcher, more func() []string) []string {
	if more == nil {
		return nil
	}
	paths := more()
	for _, path := range paths {
		_ = follow(fw, path) // what is not there yet cannot be watched
	}
	return slices.Clip(paths)
}

// follow watches the directory of the file and, if the file is a link, that of
// its target.
func follow(fw *fsnotify.Watcher, path string) error {
	dirs := []string{filepath.Dir(path)}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		dirs = append(dirs, filepath.Dir(target))
	}
	for _, dir := range dirs {
		if err := fw.Add(dir); err != nil {
			return fmt.Errorf("watching %s: %w", dir, err)
		}
	}
	return nil
}

// state tells one state of a file from another without reading it.
type state struct {
	info fs.FileInfo // nil if there is none
}

func stat(paths ...string) []state {
	out := make([]state, len(paths))
	for i, path := range paths {
		if info, err := os.Stat(path); err == nil {
			out[i] = state{info}
		}
	}
	return out
}

func (a state) same(b state) bool {
	if a.info == nil || b.info == nil {
		return a.info == nil && b.info == nil
	}
	return os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
}
