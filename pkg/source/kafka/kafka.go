// Package kafka reads topics of Kafka, or of what speaks its protocol, and turns
// the records into samples: package payload finds the numbers, the labels and the
// time in them; a record that says no time is of its timestamp.
//
// All partitions are read directly, without a consumer group. Nothing is
// committed: where it is, the source remembers while chartd runs, so that each
// record counts once, also when the brokers were away. A chartd that is started
// again begins where the configuration says, in the past as a rule. So does a
// partition whose records are not there any more, and a topic that was made anew.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/payload"
	"github.com/chartd/chartd/pkg/store"
)

// maxPolled is how many records are taken at a time.
const maxPolled = 1000

// Source reads from Kafka.
type Source struct {
	cfg    *Config
	deps   source.Deps
	reader *payload.Reader
	labels []recordLabel

	began time.Time                  // when Run was called first
	ids   map[string]id              // of the topics
	next  map[string]map[int32]int64 // the offset after the last record that was taken
}

// recordLabel is a label that a record gives.
type recordLabel struct{ name, what string }

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	if s.began.IsZero() {
		s.began = time.Now()
	}
	client, err := s.open(s.start(time.Now()))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := s.resume(ctx, client); err != nil {
		return ended(ctx, err)
	}
	for ctx.Err() == nil {
		if err := s.poll(ctx, client, app); err != nil {
			return ended(ctx, err)
		}
	}
	return nil
}

// ended returns err, unless it comes of the end of ctx.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// start returns where partitions begin of which nothing was read yet.
func (s *Source) start(now time.Time) kgo.Offset {
	switch s.cfg.Start {
	case Earliest:
		return kgo.NewOffset().AtStart()
	case Latest:
		// The end at this moment, but all of a partition that is added later.
		return kgo.NewOffset().AfterMilli(s.began.UnixMilli())
	case Since:
	}
	return kgo.NewOffset().AfterMilli(now.Add(-s.cfg.Since.Std()).UnixMilli())
}

// resume lets the client read on.
func (s *Source) resume(ctx context.Context, client *kgo.Client) error {
	ids, err := s.look(ctx, client)
	if err != nil {
		return err
	}
	known := map[string]map[int32]kgo.Offset{}
	for topic, next := range s.next {
		if s.ids[topic] != ids[topic] {
			delete(s.next, topic) // its offsets mean something else now
			continue
		}
		known[topic] = map[int32]kgo.Offset{}
		for partition, offset := range next {
			known[topic][partition] = kgo.NewOffset().At(offset)
		}
	}
	s.ids = ids
	client.AddConsumePartitions(known)
	client.AddConsumeTopics(s.cfg.Topics...)
	return nil
}

// poll waits for records and takes them. If none come for a while, it looks
// whether the cluster is still there.
func (s *Source) poll(ctx context.Context, client *kgo.Client, app store.Appender) error {
	waiting, cancel := context.WithTimeout(ctx, s.cfg.Timeout.Std())
	defer cancel()
	fetches := client.PollRecords(waiting, maxPolled)
	if ctx.Err() != nil {
		return nil
	}
	fetches.EachRecord(func(r *kgo.Record) {
		s.take(ctx, r, app)
		if s.next[r.Topic] == nil {
			s.next[r.Topic] = map[int32]int64{}
		}
		s.next[r.Topic][r.Partition] = r.Offset + 1
	})
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, context.DeadlineExceeded) && waiting.Err() != nil {
			continue
		}
		if lost, ok := errors.AsType[*kgo.ErrDataLoss](e.Err); ok {
			s.deps.Logger.Warn("the brokers lost records", zap.Error(s.explain(lost)))
			continue
		}
		return fmt.Errorf("topic %s, partition %d: %w", e.Topic, e.Partition, s.explain(e.Err))
	}
	if !fetches.Empty() {
		return nil
	}
	ids, err := s.look(ctx, client)
	if err != nil {
		return err
	}
	for _, topic := range s.cfg.Topics {
		if ids[topic] != s.ids[topic] {
			return fmt.Errorf("topic %s is another one than before", topic)
		}
	}
	return nil
}

// take appends the samples of a record.
func (s *Source) take(ctx context.Context, r *kgo.Record, app store.Appender) {
	m := payload.Message{Subject: r.Topic, Payload: r.Value, Labels: s.labelsOf(r)}
	if t := r.Timestamp.UnixMilli(); t > 0 { // old producers give none
		m.Time = t
	}
	s.reader.Take(ctx, app, m)
}

// labelsOf returns the labels that a record gives; an empty one is none.
func (s *Source) labelsOf(r *kgo.Record) store.Labels {
	var out store.Labels
	for _, l := range s.labels {
		var text string
		switch l.what {
		case "key":
			text = string(r.Key)
		case "partition":
			text = strconv.Itoa(int(r.Partition))
		default:
			name := strings.TrimPrefix(l.what, headerPrefix)
			if i := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == name }); i >= 0 {
				text = string(r.Headers[i].Value)
			}
		}
		if text != "" {
			out = append(out, store.Label{Name: l.name, Value: strings.ToValidUTF8(text, "\uFFFD")})
		}
	}
	return out
}
