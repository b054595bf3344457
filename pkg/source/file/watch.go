package file

import (
	"context"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watcher wakes its owner when a file may have changed: when the system says so,
// and every poll.
type watcher struct {
	name   string
	notify *fsnotify.Watcher // nil if the system does not tell
	poll   time.Duration
	ticker *time.Ticker
}

// watch watches the file's directory, because the file may be replaced.
func watch(path string, poll time.Duration) *watcher {
	w := &watcher{name: filepath.Base(path), poll: poll, ticker: time.NewTicker(poll)}
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return w
	}
	if err := n.Add(filepath.Dir(path)); err != nil {
		_ = n.Close()
		return w
	}
	w.notify = n
	return w
}

func (w *watcher) close() {
	w.ticker.Stop()
	if w.notify != nil {
		_ = w.notify.Close()
	}
}

// wait waits until the file may have changed; it reports false if ctx ended.
func (w *watcher) wait(ctx context.Context) bool {
	var events chan fsnotify.Event
	var errs chan error
	if w.notify != nil {
		events, errs = w.notify.Events, w.notify.Errors
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-w.ticker.C:
			return true
		case e, ok := <-events:
			if !ok {
				events = nil
			} else if filepath.Base(e.Name) == w.name {
				return true
			}
		case _, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			return true // events were lost: look
		}
	}
}

// pause waits for one poll; it reports false if ctx ended.
func (w *watcher) pause(ctx context.Context) bool {
	late := time.NewTimer(w.poll)
	defer late.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-late.C:
		return true
	}
}
