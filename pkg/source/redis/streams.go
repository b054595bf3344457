package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source/lines"
	"github.com/chartd/chartd/pkg/source/payload"
	"github.com/chartd/chartd/pkg/store"
)

const (
	// block is how long a read waits for entries; after it, streams are looked at.
	block = 5 * time.Second
	// atOnce is how many entries of a stream one read takes.
	atOnce = 500
)

// id is where an entry stands in its stream.
type id struct {
	ms, seq uint64
}

func (i id) String() string {
	return strconv.FormatUint(i.ms, 10) + "-" + strconv.FormatUint(i.seq, 10)
}

func (i id) before(j id) bool { return i.ms < j.ms || i.ms == j.ms && i.seq < j.seq }

// parseID reads an id as Redis writes it.
func parseID(s string) (id, error) {
	ms, seq, ok := strings.Cut(s, "-")
	var (
		out  id
		err  error
		err2 error
	)
	out.ms, err = strconv.ParseUint(ms, 10, 64)
	out.seq, err2 = strconv.ParseUint(seq, 10, 64)
	if !ok || err != nil || err2 != nil {
		return id{}, fmt.Errorf("%.40q is no id of an entry", s)
	}
	return out, nil
}

// streams reads streams of one server.
type streams struct {
	source *Source
	reader *payload.Reader
	last   map[string]position // by stream; it outlives connections
}

// position is where a stream is read on.
type position struct {
	id
	read bool // the id is that of an entry that was read
}

// timely is the least number of ms that an id is taken for a time: in 1973. A
// stream's ids may be made by whoever writes it.
const timely = 1e11

// run reads until ctx ends or something is wrong.
func (s *streams) run(ctx context.Context, client *goredis.Client, app store.Appender) error {
	keys := s.source.cfg.Streams
	if len(s.last) == 0 {
		now, err := client.Time(ctx).Result() // the clock that ids are made by
		if err != nil && strings.HasPrefix(err.Error(), "NOPERM") {
			now, err = time.Now(), nil // a user who may read streams need not be allowed to ask
		}
		if err != nil {
			return fmt.Errorf("asking for the time: %w", err)
		}
		from := id{ms: uint64(max(0, now.Add(-s.source.cfg.Since.Std()).UnixMilli()))}
		for _, key := range keys {
			s.last[key] = position{id: from}
		}
	}
	if err := s.look(ctx, client); err != nil {
		return err
	}
	s.source.deps.Logger.Info("reading", zap.Stringer("server", s.source.cfg.URL), zap.Strings("streams", keys))
	args := make([]string, 2*len(keys))
	copy(args, keys)
	for {
		for i, key := range keys {
			args[len(keys)+i] = s.last[key].String()
		}
		got, err := client.XRead(ctx, &goredis.XReadArgs{Streams: args, Count: atOnce, Block: block}).Result()
		if errors.Is(err, goredis.Nil) {
			err = s.look(ctx, client)
		}
		if err != nil {
			return err
		}
		for _, stream := range got {
			for _, entry := range stream.Messages {
				if err := s.take(ctx, app, stream.Stream, entry); err != nil {
					return err
				}
			}
		}
	}
}

// look finds out whether the streams are what they were.
func (s *streams) look(ctx context.Context, client *goredis.Client) error {
	for _, key := range s.source.cfg.Streams {
		info, err := client.XInfoStream(ctx, key).Result()
		if err != nil {
			switch text := err.Error(); {
			case strings.HasPrefix(text, "WRONGTYPE"):
				return fmt.Errorf("the key %q holds something else than a stream", key)
			case strings.HasPrefix(text, "ERR no such key"):
				continue // it may come into being
			case strings.HasPrefix(text, "NOPERM"):
				continue // it is asked only to tell what is odd
			}
			return err
		}
		newest, err := parseID(info.LastGeneratedID)
		if err != nil {
			return err
		}
		s.check(key, info, newest)
	}
	return nil
}

// check says what is odd about a stream.
func (s *streams) check(key string, info *goredis.XInfoStream, newest id) {
	last, log := s.last[key], s.source.deps.Logger.With(zap.String("stream", key))
	first, err := parseID(info.FirstEntry.ID) // "" if it is empty
	switch {
	case !last.read && newest.ms < timely && info.Length > 0:
		from := newest
		if s.source.cfg.Time != "" {
			from = id{}
		}
		log.Warn("the ids of the stream are no times: without the setting time, entries are of when they are read", zap.Stringer("newest", newest))
		s.last[key] = position{from, true}
	case last.read && newest.before(last.id):
		log.Warn("the stream was made anew; it is read from its beginning", zap.Stringer("last_read", last.id), zap.Stringer("newest", newest))
		s.last[key] = position{}
	case last.read && err == nil && last.before(first) && info.EntriesAdded > info.Length:
		log.Warn("the stream was trimmed beyond what was read: entries may be missing", zap.Stringer("last_read", last.id), zap.Stringer("oldest", first))
	}
}

// take takes an entry.
func (s *streams) take(ctx context.Context, app store.Appender, key string, entry goredis.XMessage) error {
	at, err := parseID(entry.ID)
	if err != nil {
		return err
	}
	s.last[key] = position{at, true}
	m := payload.Message{Subject: key}
	if at.ms >= timely && at.ms < math.MaxInt64 {
		m.Time = int64(at.ms)
	}
	if s.source.cfg.Field != "" {
		text, ok := entry.Values[s.source.cfg.Field].(string)
		if !ok {
			s.source.deps.Reject(1, fmt.Errorf("stream %q: the entry %s has no field %q", key, entry.ID, s.source.cfg.Field))
			return nil
		}
		m.Payload, m.Labels = []byte(text), s.labels(entry.Values)
	} else if m.Payload, m.Labels, err = s.fields(entry.Values); err != nil {
		s.source.deps.Reject(1, fmt.Errorf("stream %q: the entry %s: %w", key, entry.ID, err))
		return nil
	}
	s.reader.Take(ctx, app, m)
	return nil
}

// labels returns the fields that the configuration names as labels.
func (s *streams) labels(values map[string]any) store.Labels {
	out := map[string]string{}
	for _, name := range s.source.cfg.Labels {
		if text, ok := values[name].(string); ok {
			out[name] = text
		}
	}
	return store.LabelsOf(out)
}

// fields returns an entry as JSON, and the fields that become labels if none are
// named.
func (s *streams) fields(values map[string]any) ([]byte, store.Labels, error) {
	cfg := s.source.cfg
	row, labels := make(map[string]any, len(values)), map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text, _ := values[name].(string)
		v, what := payload.Value([]byte(text))
		switch {
		case slices.Contains(cfg.Labels, name), name == cfg.Time, cfg.Time == "" && lines.IsTimeName(name):
			row[name] = text
		case what == payload.Number:
			row[name] = v
		case what == payload.Nothing:
		case len(cfg.Labels) == 0 && !slices.Contains(cfg.Values, name):
			labels[name] = text
		default:
			row[name] = text
		}
	}
	b, err := json.Marshal(row)
	return b, store.LabelsOf(labels), err
}
