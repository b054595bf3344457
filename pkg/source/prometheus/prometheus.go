// Package prometheus asks a Prometheus, or whatever speaks its HTTP API, such as
// Thanos, Mimir or VictoriaMetrics, for the results of PromQL.
//
// At the start the whole window is asked for, with one query_range for each
// query. After that only the steps that are new are. Samples lie on multiples of
// the step, so that asking again, after a restart too, gives the same samples.
//
// A step at which the server has no value for a series is a gap. What came
// while the server could not be reached is asked for when it is back.
//
// A query that the server refuses is counted and shown as rejected, and the
// others go on; if it refuses all, or cannot be reached, that is an error.
package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/store"
)

// Source asks a Prometheus.
type Source struct {
	cfg     *Config
	log     *zap.Logger
	skip    func(int)
	reject  func(int, error)
	queries []*query
	get     bool   // the server does not take POST
	body    []byte // of the last answer, whose room is used again
}

// query is one question and how far it has been answered.
type query struct {
	metric string
	expr   string
	next   int64 // the first step, in ms, that has not been asked for; 0 at first
	series map[string]*series
	warned string // what the server warned of last
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	client, err := s.cfg.Open(s.cfg.URL)
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		end := s.newest(time.Now())
		err := s.askAll(ctx, client, end, app)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		next := time.UnixMilli(end + s.cfg.Step.Millis()).Add(s.cfg.QueryOffset.Std())
		wait := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
	}
}

// newest returns the last step that is to be asked for, in ms.
func (s *Source) newest(now time.Time) int64 {
	step := s.cfg.Step.Millis()
	return (now.UnixMilli() - s.cfg.QueryOffset.Millis()) / step * step
}

// askAll asks every query for what is new up to end.
func (s *Source) askAll(ctx context.Context, client *httpx.Client, end int64, app store.Appender) error {
	var refused error
	answered := false
	for _, q := range s.queries {
		err := s.ask(ctx, client, q, end, app)
		if err == nil {
			answered = true
			continue
		}
		err = fmt.Errorf("queries.%s: %w", q.metric, err)
		if _, ok := errors.AsType[*refusal](err); !ok {
			return err // the others would wait for the same
		}
		if refused == nil {
			refused = err
			continue
		}
		s.reject(1, err)
	}
	if !answered {
		return refused
	}
	if refused != nil {
		s.reject(1, refused)
	}
	return nil
}

// ask asks one query for what is new up to end.
func (s *Source) ask(ctx context.Context, client *httpx.Client, q *query, end int64, app store.Appender) error {
	step := s.cfg.Step.Millis()
	if q.next > end+step { // the clock was set back: nothing would be asked until it has caught up
		q.next = 0
		clear(q.series)
	}
	start := max(q.next, end-s.cfg.Window.Millis()+step)
	if start > end {
		return nil
	}
	a, err := s.send(ctx, client, url.Values{
		"query": {q.expr}, "start": {seconds(start)}, "end": {seconds(end)},
		"step": {seconds(step)}, "timeout": {seconds(s.cfg.Timeout.Millis())}, // "1.5s" is no duration there
	})
	if err != nil {
		return err
	}
	s.body = a.Body[:0]
	res, err := read(a)
	if err != nil {
		return err
	}
	if res.warnings != "" && res.warnings != q.warned {
		s.log.Warn("the server has something to say of a query", zap.String("query", q.metric), zap.String("warnings", res.warnings))
	}
	q.warned = res.warnings
	// What the store is about to let go of is not worth a refusal.
	oldest := time.Now().UnixMilli() - s.cfg.Window.Millis()
	s.skip(q.take(res.series, step, end, oldest, app) + res.histograms)
	for key, sr := range q.series {
		if sr.last < oldest {
			delete(q.series, key)
		}
	}
	q.next = end + step
	return nil
}

// send asks with POST, since a query may be long, or, where that is not taken,
// with GET.
func (s *Source) send(ctx context.Context, client *httpx.Client, form url.Values) (*httpx.Answer, error) {
	r := httpx.Request{Method: http.MethodPost, Path: "api/v1/query_range", Form: form}
	if s.get {
		r.Method = http.MethodGet
	}
	a, err := client.Do(ctx, r, s.body)
	if err == nil && !s.get && (a.Status == http.StatusMethodNotAllowed || a.Status == http.StatusNotImplemented) {
		s.get = true
		return s.send(ctx, client, form)
	}
	return a, err
}

// seconds writes ms as the API has times and durations.
func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64) }
