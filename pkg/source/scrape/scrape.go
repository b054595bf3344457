// Package scrape reads the metrics of a target, as Prometheus does: an HTTP
// address that answers in Prometheus' text format or in OpenMetrics.
//
// Every line becomes a sample: counters and gauges as they are, of a histogram
// its _bucket{le}, _sum and _count, of a summary its quantiles. Each series gets
// the labels job, the source's name, and instance, the target's host and port,
// so that the same metric of two targets makes two series. Exemplars and
// _created are left out.
//
// A series that the target no longer gives ends in a gap, and all of them do
// when the target cannot be read. A line that cannot be read is counted and
// the others stand; an answer of which nothing can be read is an error.
package scrape

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/store"
)

// Source reads a target.
type Source struct {
	cfg    *Config
	name   string
	skip   func(int)
	reject func(int, error)

	keep, drop *regexp.Regexp
	added      map[string]string // labels for every series
	known      map[string]*series
	round      uint64 // of reading
	body       []byte // of the last answer, whose room is used again
}

// series is what is known of a series of the target, by how that writes it.
type series struct {
	metric string // "" if it is not wanted
	labels store.Labels
	round  uint64 // in which it came last
	gap    bool   // it came as a gap
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	client, err := s.cfg.Open(s.cfg.URL)
	if err != nil {
		return err
	}
	defer client.Close()
	s.added = map[string]string{"job": s.name, "instance": client.Host()}
	maps.Copy(s.added, s.cfg.Labels)
	tick := time.NewTicker(s.cfg.Interval.Std())
	defer tick.Stop()
	for {
		at := time.Now().UnixMilli()
		err := s.read(ctx, client, at, app)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.round++
			s.endGone(at, app)
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// accept asks for OpenMetrics first, as Prometheus does: names are then the same
// as there.
const accept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8," +
	"application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

// read reads the target once.
func (s *Source) read(ctx context.Context, client *httpx.Client, at int64, app store.Appender) error {
	a, err := client.Do(ctx, httpx.Request{Header: http.Header{"Accept": {accept}}}, s.body)
	if err != nil {
		return err
	}
	s.body = a.Body[:0]
	if err := a.Err(); err != nil {
		return err
	}
	openMetrics, err := format(a.Header.Get("Content-Type"))
	if err != nil {
		return a.Wrap(err)
	}
	s.round++
	if err := s.take(a, openMetrics, at, app); err != nil {
		return a.Wrap(err)
	}
	s.endGone(at, app)
	return nil
}

// format tells the formats apart. What does not say what it is, is taken for
// text.
func format(contentType string) (openMetrics bool, err error) {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return false, nil //nolint:nilerr // nothing is said
	case kind == "application/openmetrics-text":
		return true, nil
	case kind == "text/html" || !strings.HasPrefix(kind, "text/"):
		return false, fmt.Errorf("the answer is of type %.60s; want metrics, which are text/plain or application/openmetrics-text: is the path of url right, as /metrics?", kind)
	}
	return false, nil
}

// take appends the samples of an answer. The error says that nothing of it, or
// not its end, could be read.
func (s *Source) take(a *httpx.Answer, openMetrics bool, at int64, app store.Appender) error {
	x := exposition{rest: a.Body, openMetrics: openMetrics}
	if !x.isWhole() {
		return errors.New("the answer is cut off: OpenMetrics ends with # EOF")
	}
	var bad, good, skipped int
	var first error
	unread := func(err error) {
		if bad++; first == nil {
			first = fmt.Errorf("line %d: %w", x.line, err)
		}
	}
	for {
		ok, err := x.next()
		switch {
		case err != nil:
			unread(err)
			continue
		case !ok:
			s.skip(skipped)
			if bad > 0 && good == 0 {
				return first
			}
			if bad > 0 {
				s.reject(bad, a.Clean(first))
			}
			return nil
		}
		e := &x.current
		sr, err := s.series(e.series)
		if err == nil && sr.round == s.round && !e.stamped {
			err = fmt.Errorf("%.80s is given twice", e.series)
		}
		if err != nil {
			unread(err)
			continue
		}
		good++
		sr.round = s.round
		if sr.metric == "" {
			continue
		}
		if math.IsInf(e.value, 0) {
			e.value = math.NaN() // no axis can show it
			skipped++
		}
		sr.gap = math.IsNaN(e.value)
		t := at
		if e.stamped {
			t = e.t
		}
		// What the store refuses is counted and shown by the manager.
		_ = app.Append(sr.metric, sr.labels, t, e.value)
	}
}

// series returns what is known of a series, or finds out.
func (s *Source) series(text []byte) (*series, error) {
	if sr, ok := s.known[string(text)]; ok {
		return sr, nil
	}
	metric, labels, err := parseSeries(text)
	if err != nil {
		return nil, err
	}
	sr := &series{}
	if s.wants(metric) {
		if sr.labels, err = s.label(labels); err != nil {
			return nil, err
		}
		sr.metric = metric
	}
	s.known[string(text)] = sr
	return sr, nil
}

func (s *Source) wants(metric string) bool {
	return (s.keep == nil || s.keep.MatchString(metric)) && (s.drop == nil || !s.drop.MatchString(metric))
}

// label adds the labels that every series has.
func (s *Source) label(own []store.Label) (store.Labels, error) {
	all := make(map[string]string, len(own)+len(s.added))
	for _, l := range own {
		if _, twice := all[l.Name]; twice {
			return nil, fmt.Errorf("label %.40q is given twice", l.Name)
		}
		all[l.Name] = l.Value
	}
	for name, value := range s.added {
		theirs := all[name]
		if theirs != "" && s.cfg.HonorLabels {
			continue
		}
		if theirs != "" {
			as := "exported_" + name
			for all[as] != "" {
				as = "exported_" + as
			}
			all[as] = theirs
		}
		all[name] = value
	}
	return store.LabelsOf(all), nil
}

// endGone ends in a gap what did not come in this round, and forgets it.
func (s *Source) endGone(at int64, app store.Appender) {
	for text, sr := range s.known {
		if sr.round == s.round {
			continue
		}
		if sr.metric != "" && !sr.gap {
			_ = app.Append(sr.metric, sr.labels, at, math.NaN())
		}
		delete(s.known, text)
	}
}
