// Package nats subscribes to subjects of NATS, or reads a stream of JetStream,
// and turns the messages into samples: package payload finds the numbers, the
// labels and the time in them.
//
// A subscription is what NATS calls at most once: what is published while chartd
// is away is not there afterwards, and a message without a time is of when it
// came. A stream keeps messages: it is read from as long ago as configured, and
// then on from the last sequence number, also after the connection was lost, so
// that each message counts once; a message without a time is of when the server
// stored it. The consumer is ephemeral and acknowledges nothing.
package nats

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/payload"
	"github.com/chartd/chartd/pkg/store"
)

const (
	// maxWaiting and maxWaitingBytes bound what waits to be read, of all
	// subscriptions together. The server is not held up: what comes beyond is lost
	// and counted.
	maxWaiting      = 65_536
	maxWaitingBytes = 32 << 20
)

// Source reads from NATS.
type Source struct {
	cfg      *Config
	deps     source.Deps
	patterns []payload.Pattern
	readers  []*payload.Reader // one for each pattern, or one for the stream
	position position          // in the stream
}

// errSlow is why messages of a subscription are lost.
var errSlow = errors.New("messages came faster than they could be read, and were dropped")

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if s.cfg.JetStream.Stream != "" {
		err = s.consume(ctx, conn, app)
	} else {
		err = s.subscribe(ctx, conn, app)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// subscribe reads all subjects until ctx or the connection ends.
func (s *Source) subscribe(ctx context.Context, conn *nats.Conn, app store.Appender) error {
	all, ctx := errgroup.WithContext(ctx)
	for i, p := range s.patterns {
		sub, err := conn.SubscribeSync(p.Filter())
		if err == nil {
			n := len(s.patterns)
			err = sub.SetPendingLimits(maxWaiting/n, maxWaitingBytes/n)
		}
		if err != nil {
			conn.Close() // so that those that were started end
			_ = all.Wait()
			return s.lost(conn, err)
		}
		all.Go(func() error { return s.read(ctx, conn, sub, s.readers[i], app) })
	}
	return all.Wait()
}

// read reads one subscription until ctx or the connection ends.
func (s *Source) read(ctx context.Context, conn *nats.Conn, sub *nats.Subscription, reader *payload.Reader, app store.Appender) error {
	dropped := 0
	for {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, nats.ErrSlowConsumer):
			if n, err := sub.Dropped(); err == nil && n > dropped {
				s.deps.Reject(n-dropped, errSlow)
				dropped = n
			}
		case err != nil:
			return s.lost(conn, err)
		default:
			reader.Take(ctx, app, payload.Message{Subject: m.Subject, Payload: m.Data})
		}
	}
}

// ms returns a time in ms since the Unix epoch.
func ms(t time.Time) int64 { return t.UnixMilli() }
