package statsd

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chartd/chartd/pkg/store"
)

const (
	// maxMembers is how many different members of all sets together are told
	// apart in an interval.
	maxMembers = 1_000_000
	// maxKey bounds name and tags as a line writes them, in bytes.
	maxKey = store.MaxNames
)

// collection holds the metrics between flushes. One goroutine uses it.
type collection struct {
	cfg     *Config
	skip    func(int)
	reject  func(int, error)
	seed    maphash.Seed
	metrics map[string]*metric // by name and sorted labels
	known   map[string]*metric // by how a line writes name and tags
	key     []byte             // while it is put together
	began   time.Time          // of the interval
	members int                // of all sets together
}

func newCollection(cfg *Config, skip func(int), reject func(int, error), now time.Time) *collection {
	return &collection{
		cfg: cfg, skip: skip, reject: reject, seed: maphash.MakeSeed(), began: now,
		metrics: map[string]*metric{}, known: map[string]*metric{},
	}
}

// packet takes the lines of a packet. from is who sent it, for what is said of
// lines that cannot be read.
func (c *collection) packet(b []byte, from fmt.Stringer, now int64) {
	for len(b) > 0 {
		var text []byte
		text, b, _ = bytes.Cut(b, []byte{'\n'})
		if text = bytes.TrimSuffix(text, []byte{'\r'}); len(text) == 0 {
			continue
		}
		switch err := c.line(text, now); {
		case err == nil:
		case errors.Is(err, errNoMetric):
			c.skip(1)
		default:
			c.reject(1, fmt.Errorf("from %v: the line %.80q %w", from, text, err))
		}
	}
}

// line takes one line. One of whose values is no number is left out as a whole.
func (c *collection) line(text []byte, now int64) error {
	l, err := parse(text)
	if err != nil {
		return err
	}
	if l.family != set {
		if err := l.each(func(float64, bool) {}); err != nil {
			return err
		}
	}
	m, err := c.find(&l)
	if err != nil {
		return err
	}
	m.seen, m.fresh = now, true
	if l.family == set {
		return c.member(m, l.values)
	}
	return l.each(func(v float64, delta bool) { m.take(v, delta, l.rate, c.cfg.PercentileLimit) })
}

// member adds a member to a set.
func (c *collection) member(m *metric, b []byte) error {
	h := maphash.Bytes(c.seed, b)
	if _, known := m.members[h]; known {
		return nil
	}
	if c.members == maxMembers {
		return fmt.Errorf("is one more than the %d members of sets that are told apart in an interval", maxMembers)
	}
	c.members++
	m.members[h] = struct{}{}
	return nil
}

// checkNames returns why the store would not take a metric's series. It is asked
// before the metric comes into being: a flush could not say which line it was.
func checkNames(name []byte, labels store.Labels) error {
	const longest = 24 // bytes that are put behind a name, such as ".p99.9"
	if len(name) > store.MaxMetricName-longest {
		return fmt.Errorf("has a name of %d bytes; at most %d", len(name), store.MaxMetricName-longest)
	}
	if len(labels) > store.MaxLabels {
		return fmt.Errorf("has %d tags; at most %d", len(labels), store.MaxLabels)
	}
	if !readable(string(name)) {
		return errors.New("has a name that is not UTF-8, or has control characters")
	}
	total := len(name) + longest
	for _, l := range labels {
		total += len(l.Name) + len(l.Value)
		switch {
		case len(l.Name) > store.MaxLabelName || len(l.Value) > store.MaxLabelValue:
			return fmt.Errorf("has the tag %.20q of %d and %d bytes; at most %d and %d", l.Name, len(l.Name), len(l.Value), store.MaxLabelName, store.MaxLabelValue)
		case !readable(l.Name) || !readable(l.Value):
			return fmt.Errorf("has the tag %.20q, which is not UTF-8, or has control characters", l.Name)
		}
	}
	if total > store.MaxNames {
		return fmt.Errorf("has a name and tags of %d bytes; at most %d", total, store.MaxNames)
	}
	return nil
}

func readable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// find returns the metric of a line, which comes into being if need be.
func (c *collection) find(l *line) (*metric, error) {
	c.key = append(append(append(append(append(c.key[:0], l.name...), ','), l.inline...), '|'), l.tags...)
	if len(c.key) > maxKey {
		return nil, fmt.Errorf("has a name and tags of %d bytes; at most %d", len(c.key), maxKey)
	}
	m := c.known[string(c.key)]
	if m == nil {
		written := string(c.key)
		var err error
		if m, err = c.findAnew(l); err != nil {
			return nil, err
		}
		if len(c.known) >= 4*c.cfg.MaxMetrics { // tags may be written in any order
			clear(c.known)
		}
		c.known[written] = m
	}
	if m.family != l.family {
		return nil, fmt.Errorf("is a %v, but %.64q has been a %v", l.family, m.name, m.family)
	}
	return m, nil
}

func (c *collection) findAnew(l *line) (*metric, error) {
	labels := l.labels()
	if err := checkNames(l.name, labels); err != nil {
		return nil, err
	}
	key := string(l.name) + "\x00" + labels.String()
	if m := c.metrics[key]; m != nil {
		return m, nil
	}
	if len(c.metrics) >= c.cfg.MaxMetrics {
		return nil, fmt.Errorf("would be one metric more than max_metrics of the source (%d)", c.cfg.MaxMetrics)
	}
	m := newMetric(l.family, string(l.name), labels, c.cfg.Percentiles)
	c.metrics[key] = m
	return m, nil
}

// flush appends a sample of each series and forgets metrics that are not sent
// any more.
func (c *collection) flush(app store.Appender, now time.Time) {
	t, seconds := now.UnixMilli(), now.Sub(c.began).Seconds()
	if seconds <= 0 {
		return
	}
	c.began, c.members = now, 0
	gone := false
	for key, m := range c.metrics {
		if !m.fresh && t-m.seen > c.cfg.MaxTTL.Millis() {
			m.end(app, t)
			delete(c.metrics, key)
			gone = true
			continue
		}
		m.flush(app, t, seconds, c.cfg.Percentiles)
	}
	if gone {
		clear(c.known)
	}
}
