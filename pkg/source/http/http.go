// Package http asks a URL for JSON, CSV or other lines, again and again, and
// turns the rows of the answer into samples: a jq expression makes rows of JSON,
// and package lines finds the time, the labels and the numbers in them.
//
// A row that has a time counts once, however often the server repeats it: of
// each series, only what is newer than the last is taken. A server that says
// ETag or Last-Modified is asked only for what changed; while nothing did, a
// row without a time holds on, as of now.
package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/source/internal/jq"
	"github.com/chartd/chartd/pkg/source/lines"
	"github.com/chartd/chartd/pkg/store"
)

const (
	// maxRows bounds the rows of one answer.
	maxRows = 200_000
	// maxKnown bounds the series whose last time is kept.
	maxKnown = 100_000
)

// Source asks one URL.
type Source struct {
	cfg   *Config
	deps  source.Deps
	query *jq.Query

	lines *lines.Reader // made with the first answer
	json  bool
	out   []lines.Sample
	body  []byte // the answer that If-None-Match speaks of; nil before the first
	etag  string
	when  string           // Last-Modified
	last  map[string]int64 // time of the newest sample with a time, by series, in ms
	key   []byte
	clean func(error) error // takes out the secrets that the last question had
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	client, err := s.cfg.Open(s.cfg.URL)
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(s.cfg.Interval.Std())
	defer tick.Stop()
	for {
		if err := s.ask(ctx, client, app); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// ask asks once and takes what is new.
func (s *Source) ask(ctx context.Context, client *httpx.Client, app store.Appender) error {
	h := http.Header{"Accept": {"application/json, text/csv, text/plain, */*;q=0.5"}}
	if s.body != nil && s.etag != "" {
		h.Set("If-None-Match", s.etag)
	}
	if s.body != nil && s.when != "" {
		h.Set("If-Modified-Since", s.when)
	}
	answer, err := client.Do(ctx, httpx.Request{Header: h}, nil)
	if err != nil {
		return err
	}
	s.clean = answer.Clean
	if answer.Status == http.StatusNotModified && s.body != nil {
		return s.take(ctx, s.body, app)
	}
	if err := answer.Err(); err != nil {
		return err
	}
	if err := s.take(ctx, answer.Body, app); err != nil {
		return answer.Wrap(err)
	}
	// Only an answer that was understood is one that need not be sent again.
	s.body, s.etag, s.when = answer.Body, answer.Header.Get("ETag"), answer.Header.Get("Last-Modified")
	return nil
}

// errQuery refuses what a jq expression cannot read.
var errQuery = errors.New("the answer is no JSON, which query is for")

// take reads an answer.
func (s *Source) take(ctx context.Context, body []byte, app store.Appender) error {
	now := time.Now().UnixMilli()
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	s.decide(trimmed)
	if s.json {
		return s.takeJSON(ctx, trimmed, now, app)
	}
	s.lines.Restart()
	rows := 0
	for line := range bytes.Lines(body) {
		if rows++; rows > maxRows {
			return fmt.Errorf("the answer has more than %d lines", maxRows)
		}
		s.row(line, now, app)
	}
	return nil
}

// decide finds out whether answers are JSON, unless that is known. An answer that
// says nothing, as of a server that is starting, decides nothing.
func (s *Source) decide(body []byte) {
	format := s.cfg.Lines
	known := s.lines != nil && s.lines.Layout() != lines.Auto
	guess := format.Match == "" && format.Format == lines.Auto && len(body) > 0 && (body[0] == '{' || body[0] == '[' || s.cfg.Query != "")
	switch {
	case !known && (format.Format == lines.JSON || guess):
		s.json, format.Format = true, lines.JSON
	case s.lines != nil:
		return
	}
	s.lines = lines.New(format, s.deps.Name)
}

// takeJSON reads the JSON values of an answer, usually one.
func (s *Source) takeJSON(ctx context.Context, body []byte, now int64, app store.Appender) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout.Std())
	defer cancel()
	rows := 0
	err := s.query.Rows(ctx, body, func(line []byte, err error) error {
		if rows++; rows > maxRows {
			return fmt.Errorf("the answer has more than %d rows", maxRows)
		}
		if err != nil {
			s.deps.Reject(1, s.clean(err))
			return nil
		}
		s.row(line, now, app)
		return nil
	})
	if errors.Is(err, jq.ErrNoJSON) && s.cfg.Query != "" && rows == 0 {
		return errQuery
	}
	return err
}

// row appends what is new of a row.
func (s *Source) row(line []byte, now int64, app store.Appender) {
	skipped := s.lines.Skipped
	var err error
	s.out, err = s.lines.Line(s.out[:0], line, now)
	if err != nil {
		s.deps.Reject(1, s.clean(err))
	}
	if n := s.lines.Skipped - skipped; n > 0 {
		s.deps.Skip(n)
	}
	for i := range s.out {
		one := &s.out[i]
		if one.Timed && !s.newer(one) {
			continue
		}
		// What the store refuses is counted and shown by the manager.
		_ = app.Append(one.Metric, one.Labels, one.T, one.V)
	}
}

// newer reports whether a sample with a time is newer than the last of its
// series, and remembers it.
func (s *Source) newer(one *lines.Sample) bool {
	s.key = append(s.key[:0], one.Metric...)
	for _, l := range one.Labels {
		s.key = append(append(append(append(s.key, 0), l.Name...), 1), l.Value...)
	}
	last, known := s.last[string(s.key)]
	if known && one.T <= last {
		return false
	}
	if !known && len(s.last) >= maxKnown {
		clear(s.last) // the store holds far fewer; a repeated sample overwrites itself there
	}
	s.last[string(s.key)] = one.T
	return true
}
