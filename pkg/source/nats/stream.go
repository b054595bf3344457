package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/chartd/chartd/pkg/source/payload"
	"github.com/chartd/chartd/pkg/store"
)

const (
	// maxPulled and minPulledBytes bound what the server sends ahead.
	maxPulled      = 1024
	minPulledBytes = 16 << 20
	// heartbeat is how often a silent stream says that it is there; two that are
	// missing are an error.
	heartbeat = 5 * time.Second
	// forget is when the server forgets a consumer whose connection is lost.
	forget = 30 * time.Second
	// parting is how long it may take to tell the server that it may forget it at
	// once.
	parting = 500 * time.Millisecond
)

// position is where in a stream the source is.
type position struct {
	known   bool
	created time.Time // when the stream was: another time is another stream
	last    uint64    // the sequence number of the last message that was taken
}

// consume reads the stream until ctx or the connection ends.
func (s *Source) consume(ctx context.Context, conn *nats.Conn, app store.Appender) error {
	opts := []jetstream.JetStreamOpt{jetstream.WithDefaultTimeout(s.cfg.Timeout.Std())}
	js, err := jetstream.New(conn, opts...)
	if s.cfg.JetStream.Domain != "" {
		js, err = jetstream.NewWithDomain(conn, s.cfg.JetStream.Domain, opts...)
	}
	if err != nil {
		return err
	}
	name := s.cfg.JetStream.Stream
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return s.explain(conn, err)
	}
	consumer, err := stream.CreateConsumer(ctx, s.consumer(stream.CachedInfo(), time.Now()))
	if err != nil {
		return s.explain(conn, err)
	}
	defer func() {
		if conn.IsClosed() {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), parting)
		defer cancel()
		_ = stream.DeleteConsumer(ctx, consumer.CachedInfo().Name) // or it is forgotten
	}()
	pulled := jetstream.PullMaxMessagesWithBytesLimit(maxPulled, max(minPulledBytes, 2*int(conn.MaxPayload())))
	messages, err := consumer.Messages(pulled, jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return s.explain(conn, err)
	}
	defer messages.Stop()
	for next := uint64(1); ; next++ {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return s.explain(conn, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
		if meta.Sequence.Consumer != next {
			return fmt.Errorf("stream %s: message %d came where %d was due; it is asked for again", name, meta.Sequence.Consumer, next)
		}
		s.readers[0].Take(ctx, app, payload.Message{Subject: m.Subject(), Payload: m.Data(), Time: ms(meta.Timestamp)})
		s.position.last = meta.Sequence.Stream
	}
}

// consumer returns what the server is asked for, and notes which stream it is.
func (s *Source) consumer(info *jetstream.StreamInfo, now time.Time) jetstream.ConsumerConfig {
	c := jetstream.ConsumerConfig{
		Description: "chartd " + s.deps.Name, AckPolicy: jetstream.AckNonePolicy,
		InactiveThreshold: forget, MemoryStorage: true, Replicas: 1,
	}
	if len(s.cfg.Subjects) > 0 {
		for _, p := range s.patterns {
			c.FilterSubjects = append(c.FilterSubjects, p.Filter())
		}
	}
	since := s.cfg.JetStream.Since.Std()
	switch pos := &s.position; {
	case !pos.known && since == 0:
		*pos = position{true, info.Created, info.State.LastSeq}
	case !pos.known || !pos.created.Equal(info.Created):
		// A stream of the same name that is younger has nothing that was seen.
		*pos = position{known: true, created: info.Created}
	case pos.last > info.State.LastSeq:
		pos.last = info.State.LastSeq // the server lost its end
	}
	if s.position.last == 0 && since > 0 {
		from := now.Add(-since)
		c.DeliverPolicy, c.OptStartTime = jetstream.DeliverByStartTimePolicy, &from
		return c
	}
	c.DeliverPolicy, c.OptStartSeq = jetstream.DeliverByStartSequencePolicy, s.position.last+1
	return c
}

// explain says what an error of JetStream means.
func (s *Source) explain(conn *nats.Conn, err error) error {
	name := s.cfg.JetStream.Stream
	switch {
	case conn.IsClosed():
		return s.lost(conn, err)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("there is no stream %s", name)
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return errors.New("the server has no JetStream, or this account must not use it; without jetstream, subjects are subscribed to")
	}
	return fmt.Errorf("stream %s: %w", name, err)
}
