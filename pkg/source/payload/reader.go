// Package payload turns the messages of brokers into samples: the payload is a
// bare number, a word such as "on", or JSON, and the parts of the subject that it
// was sent to become labels. The sources mqtt, nats, kafka and redis share it.
package payload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/jq"
	"github.com/chartd/chartd/pkg/source/lines"
	"github.com/chartd/chartd/pkg/store"
)

const (
	// MaxPayload is how large a message may be, in bytes.
	MaxPayload = 1 << 20
	// maxSubjects bounds the subjects of which something is kept.
	maxSubjects = 10_000
	// maxQuery is how long the expression may take with one message.
	maxQuery = 5 * time.Second
	// ahead is how far into the future bare numbers that come all at once may
	// reach, in ms.
	ahead = 5000
	// logEvery is the time between two lines in the log about what cannot be read.
	logEvery = time.Minute
)

// Message is what a broker delivered. The Reader keeps nothing of it but a copy
// of Subject.
type Message struct {
	// Subject is what it was sent to, such as "sensors/kitchen/temp".
	Subject string
	// Payload is what it says.
	Payload []byte
	// Time is when it was sent as far as the broker knows, in ms since the Unix
	// epoch, for payloads without a time; 0 is now. Messages that come at the same
	// time without any are put one ms apart.
	Time int64
	// Labels are further labels, sorted by name, such as a record's key.
	Labels store.Labels
	// Again says that the broker may have delivered this message before, such as
	// one that MQTT retained. It is left out if the last one of the subject said
	// the same.
	Again bool
}

// Reader reads the messages of one source. It is not safe for concurrent use.
type Reader struct {
	cfg      *Config
	query    *jq.Query
	deps     source.Deps
	patterns []Pattern
	seed     maphash.Seed
	subjects map[string]*subject
	out      []lines.Sample
	labels   store.Labels // while they are put together

	logged  time.Time // when a line was written about what cannot be read
	refused int       // messages since
}

// subject is what is known of one.
type subject struct {
	name   string
	labels store.Labels
	source string        // what {source} stands for
	metric string        // of a bare number
	rows   *lines.Reader // nil before the first JSON
	newest int64         // time of the last bare number that had none, in ms
	last   uint64        // the hash of the last payload
	known  bool          // there was one
	meant  bool          // by a pattern
}

func newReader(cfg *Config, query *jq.Query, deps source.Deps, patterns []Pattern) *Reader {
	return &Reader{cfg: cfg, query: query, deps: deps, patterns: patterns, seed: maphash.MakeSeed(), subjects: map[string]*subject{}}
}

// Take appends the samples of a message to app. What cannot be read is counted
// as rejected, and now and then logged; what says that there is no value, as
// "unavailable", and what no pattern means is counted as skipped. ctx bounds the
// time that the expression takes.
func (r *Reader) Take(ctx context.Context, app store.Appender, m Message) {
	s := r.subject(m.Subject)
	if !s.meant {
		r.deps.Skip(1)
		return
	}
	hash := maphash.Bytes(r.seed, m.Payload)
	if m.Again && s.known && s.last == hash {
		return
	}
	s.last, s.known = hash, true
	if err := r.take(ctx, app, s, m); err != nil && ctx.Err() == nil {
		r.reject(fmt.Errorf("%s %.100q: %w", r.word(), m.Subject, err))
	}
}

// word returns what the broker calls a subject.
func (r *Reader) word() string { return r.patterns[0].syntax.Word }

// subject returns what is known of a subject.
func (r *Reader) subject(name string) *subject {
	if s, ok := r.subjects[name]; ok {
		return s
	}
	if len(r.subjects) >= maxSubjects {
		clear(r.subjects) // the store holds their series; here they only come into being again
	}
	s := &subject{name: strings.Clone(name), source: r.deps.Name}
	for _, p := range r.patterns {
		labels, metric, ok := p.match(s.name)
		if !ok {
			continue
		}
		s.meant, s.labels = true, labels
		if p.namesMetric() {
			s.source = metric
		}
		break
	}
	s.metric = r.cfg.metricOf(s.source)
	r.subjects[s.name] = s
	return s
}

// metricOf returns the name of the metric of bare numbers.
func (c *Config) metricOf(source string) string {
	l := c.lines()
	return l.MetricOf(source, "value")
}

func (r *Reader) take(ctx context.Context, app store.Appender, s *subject, m Message) error {
	if s.source == "" {
		return errors.New("the part that names the metric is empty")
	}
	if len(m.Payload) > MaxPayload {
		return fmt.Errorf("the payload has %d bytes; at most %d", len(m.Payload), MaxPayload)
	}
	text := bytes.TrimSpace(m.Payload)
	if r.cfg.Query == "" {
		v, what := Value(text)
		switch what {
		case Number:
			r.bare(app, s, m, v)
			return nil
		case Nothing:
			r.deps.Skip(1)
			return nil
		case Other:
		}
		if text[0] == '{' {
			return r.row(app, s, m, text)
		}
		if text[0] != '[' {
			return fmt.Errorf("the payload %.40q is no number, no word such as on or off, and no JSON", text)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxQuery, fmt.Errorf("query took longer than %v", maxQuery))
	defer cancel()
	err := r.query.Rows(ctx, text, func(line []byte, err error) error {
		if err == nil {
			err = r.row(app, s, m, line)
		}
		if err != nil {
			r.reject(fmt.Errorf("%s %.100q: %w", r.word(), s.name, err))
		}
		return nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}

// bare appends the value of a message that is nothing else.
func (r *Reader) bare(app store.Appender, s *subject, m Message, v float64) {
	t := m.Time
	if t == 0 {
		t = time.Now().UnixMilli()
		if s.newest >= t && s.newest < t+ahead {
			t = s.newest + 1
		}
		s.newest = t
	}
	// What the store refuses is counted and shown by the manager.
	_ = app.Append(s.metric, r.combine(s.labels, m.Labels), t, v)
}

// row appends the samples of an object of JSON.
func (r *Reader) row(app store.Appender, s *subject, m Message, line []byte) error {
	if s.rows == nil {
		s.rows = lines.New(r.cfg.lines(), s.source)
	}
	skipped := s.rows.Skipped
	var err error
	r.out, err = s.rows.Line(r.out[:0], line, time.Now().UnixMilli())
	if n := s.rows.Skipped - skipped; n > 0 {
		r.deps.Skip(n)
	}
	if err != nil {
		return err
	}
	for i := range r.out {
		one := &r.out[i]
		if !one.Timed && m.Time != 0 {
			one.T = m.Time
		}
		_ = app.Append(one.Metric, r.combine(s.labels, m.Labels, one.Labels), one.T, one.V)
	}
	return nil
}

// combine returns the labels of all sets, valid until the next call; where two
// have one, it is that of the first.
func (r *Reader) combine(sets ...store.Labels) store.Labels {
	r.labels = r.labels[:0]
	for _, set := range sets {
		for _, l := range set {
			if r.labels.Get(l.Name) == "" {
				r.labels = append(r.labels, l)
			}
		}
	}
	slices.SortFunc(r.labels, func(a, b store.Label) int { return strings.Compare(a.Name, b.Name) })
	return r.labels
}

// reject counts a message that cannot be read, and says so now and then.
func (r *Reader) reject(err error) {
	r.deps.Reject(1, err)
	r.refused++
	if now := time.Now(); now.Sub(r.logged) >= logEvery {
		r.deps.Logger.Warn("a message cannot be read", zap.Error(err), zap.Int("such_messages", r.refused))
		r.logged, r.refused = now, 0
	}
}
