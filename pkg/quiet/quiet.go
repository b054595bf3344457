// Package quiet keeps what happens over and over from filling a log: of lines
// about the same it writes the first few, and then one that says how many more
// there were. A flood of refused requests thus stays readable, and costs little.
package quiet

import (
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Log writes at most so many lines about the same within a time, and at its end
// one line more if others were left out. All methods are safe for concurrent
// use. Close it.
type Log struct {
	log  *zap.Logger
	most int
	per  time.Duration

	work   sync.WaitGroup // the timers' functions
	mu     sync.Mutex
	topics map[string]*topic // those about which something was said lately
	closed bool
}

// topic is what is about the same.
type topic struct {
	level zapcore.Level
	what  string // the message of the line that was left out last
	lines int    // written since the timer was started
	more  int    // left out since then
	timer *time.Timer
}

// New returns a Log that writes to log, most lines about the same in each per.
// Both must be above 0.
func New(log *zap.Logger, most int, per time.Duration) *Log {
	return &Log{log: log, most: most, per: per, topics: map[string]*topic{}}
}

// Write writes a line, or counts it if there were too many about the same. What
// is about the same is what has the same key: keys are words of the program and
// names of the configuration, not of clients, or they would be many.
func (l *Log) Write(level zapcore.Level, key, message string, fields ...zap.Field) {
	if l.count(level, key, message) {
		l.log.Log(level, message, fields...)
	}
}

// count notes a line and reports whether it is to be written.
func (l *Log) count(level zapcore.Level, key, message string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.topics[key]
	if t == nil {
		t = &topic{}
		l.topics[key] = t
		if !l.closed {
			l.start(key, t)
		}
	}
	if t.lines < l.most {
		t.lines++
		return true
	}
	t.level, t.what = level, message
	t.more++
	return false
}

// start starts a topic's timer. l.mu is held.
func (l *Log) start(key string, t *topic) {
	l.work.Add(1)
	t.timer = time.AfterFunc(l.per, func() {
		defer l.work.Done()
		l.end(key)
	})
}

// end closes one period of a topic. If there was too much to say, the next one
// begins; otherwise the topic is forgotten.
func (l *Log) end(key string) {
	l.mu.Lock()
	t := l.topics[key]
	if l.closed || t == nil {
		l.mu.Unlock()
		return
	}
	was := *t
	if was.more == 0 {
		delete(l.topics, key)
	} else {
		*t = topic{}
		l.start(key, t)
	}
	l.mu.Unlock()
	l.sum(key, was)
}

// sum writes how many lines were left out, if any.
func (l *Log) sum(key string, t topic) {
	if t.more > 0 {
		l.log.Log(t.level, fmt.Sprintf("%s: %d more in the last %v", t.what, t.more, l.per), zap.String("about", key), zap.Int("unlogged", t.more))
	}
}

// Close writes what is left to be said, and returns when no timer runs any more.
// What is written later is still bounded, once for all time, and not summed up.
func (l *Log) Close() {
	l.mu.Lock()
	left := make(map[string]topic, len(l.topics))
	if !l.closed {
		l.closed = true
		for key, t := range l.topics {
			left[key] = *t
			if t.timer.Stop() {
				l.work.Done()
			}
			*t = topic{lines: t.lines}
		}
	}
	l.mu.Unlock()
	l.work.Wait()
	for key, t := range left {
		l.sum(key, t)
	}
}
