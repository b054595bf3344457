// Package redis reads streams of a Redis entry by entry, and listens to its
// channels, and turns both into samples, as package payload reads them.
//
// Of each stream the last id that was read is kept: after a connection broke it
// is read on from there, so that nothing is lost and nothing comes twice.
// Channels are heard only while there is a connection.
//
// Run ends with its connection; the manager calls it again.
package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

// patience is how long a connection, and each answer of the server, may take.
const patience = 10 * time.Second

// Source reads from one server.
type Source struct {
	cfg      *Config
	deps     source.Deps
	streams  *streams  // nil if there are none
	channels *channels // nil if there are none
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	o, err := s.cfg.options()
	if err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if o.TLSConfig != nil {
		if o.TLSConfig, err = s.cfg.TLS.Load(); err != nil {
			return fmt.Errorf("tls_config.%w", err)
		}
	}
	client := goredis.NewClient(o)
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The library waits for an answer to the end, whatever becomes of the context.
	stop := context.AfterFunc(running, func() { _ = client.Close() })
	defer func() {
		if stop() {
			_ = client.Close()
		}
	}()
	if err := client.Ping(running).Err(); err != nil {
		return s.explain(ctx, err, o)
	}
	var both sync.WaitGroup
	run := func(f func(context.Context, *goredis.Client, store.Appender) error) {
		both.Go(func() {
			if err := f(running, client, app); err != nil {
				cancel(err) // the first one counts, and ends the other
			}
		})
	}
	if s.streams != nil {
		run(s.streams.run)
	}
	if s.channels != nil {
		run(s.channels.run)
	}
	both.Wait()
	return s.explain(ctx, context.Cause(running), o)
}

// explain says what went wrong, or that ctx has ended.
func (s *Source) explain(ctx context.Context, err error, o *goredis.Options) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		return nil
	}
	what := err.Error()
	nerr, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, io.EOF):
		what = "the server ended the connection"
		if o.TLSConfig == nil {
			what += "; does it want TLS (rediss://)?"
		}
	case isNet && nerr.Timeout():
		what = fmt.Sprintf("the server does not answer within %v", patience)
	}
	return explained{fmt.Sprintf("%v: %s", s.cfg.URL, what), err}
}

// explained is an error in other words.
type explained struct {
	text string
	err  error
}

func (e explained) Error() string { return e.text }
func (e explained) Unwrap() error { return e.err }
