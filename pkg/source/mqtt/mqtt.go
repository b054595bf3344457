// Package mqtt subscribes to topics of an MQTT broker, in version 5 or 3.1.1, and
// turns messages into samples, as package payload reads them.
//
// Every connection begins with a clean session. What is published while chartd
// is not connected is thus not delivered later, when nobody could say any more of
// when it was; and nothing is delivered twice because a connection broke. A
// retained message comes with every connection: it is taken once, as of now, and
// again only if it says something else.
//
// Run ends with its connection; the manager calls it again.
package mqtt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/payload"
	"github.com/chartd/chartd/pkg/store"
)

const (
	// patience is how long a connection, and each answer of the broker, may take.
	patience = 10 * time.Second
	// waiting is how many messages may wait between the connection and the store.
	// A broker that is faster waits for its connection.
	waiting = 256
)

// Source subscribes at one broker.
type Source struct {
	cfg      *Config
	deps     source.Deps
	id       string
	patterns []payload.Pattern
	reader   *payload.Reader
}

// message is what a broker delivered.
type message struct {
	topic    string
	payload  []byte
	retained bool
}

// session is a connection with a client of either version.
type session interface {
	// subscribe returns when the broker has said that it sends what the filters
	// mean.
	subscribe(ctx context.Context, filters []string, qos byte) error
	// lost is told why the connection ended, at most once.
	lost() <-chan error
	// close says goodbye, and waits until nothing is delivered any more.
	close()
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	err := s.run(ctx, app)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (s *Source) run(ctx context.Context, app store.Appender) error {
	dialing, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := s.cfg.dial(dialing)
	if err != nil {
		return err
	}
	messages := make(chan message, waiting)
	ended, end := context.WithCancel(ctx)
	deliver := func(m message) {
		select {
		case messages <- m:
		case <-ended.Done():
		}
	}
	connect := s.connect5
	if s.cfg.Version == V311 {
		connect = s.connect3
	}
	se, err := connect(dialing, conn, deliver)
	if err != nil {
		end()
		_ = conn.Close()
		return s.refused(err)
	}
	defer se.close()
	defer end() // before close, which waits for what is being delivered
	filters := make([]string, len(s.patterns))
	for i, p := range s.patterns {
		filters[i] = p.Filter()
	}
	// Messages may come before the answer to the subscription.
	subscribed := make(chan error, 1)
	go func() { subscribed <- se.subscribe(dialing, filters, byte(s.cfg.QoS)) }()
	waits := true
	defer func() {
		if waits {
			cancel()
			if err := <-subscribed; err != nil {
				s.deps.Logger.Debug("the subscription was cut short", zap.Error(err))
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-messages:
			s.reader.Take(ctx, app, payload.Message{Subject: m.topic, Payload: m.payload, Again: m.retained})
		case err := <-subscribed:
			waits = false
			if err != nil {
				return fmt.Errorf("subscribing: %w", err)
			}
			s.deps.Logger.Info("subscribed", zap.Stringer("broker", s.cfg.Broker), zap.Strings("topics", filters), zap.String("version", string(s.cfg.Version)))
		case err := <-se.lost():
			return err
		}
	}
}

// refused says what may be wrong if a broker does not take the connection.
func (s *Source) refused(err error) error {
	hint := ""
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		switch u, _ := s.cfg.url(); {
		case u.Scheme == "mqtt":
			hint = "; does it want TLS (mqtts://)"
		case s.cfg.Version == V5:
			hint = "; does it know only MQTT 3.1.1 (version)"
		}
		if hint != "" {
			err = fmt.Errorf("the broker ended the connection%s?: %w", hint, err)
		}
	}
	if nerr, ok := errors.AsType[net.Error](err); ok && nerr.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the broker does not answer within %v", patience)
	}
	return fmt.Errorf("connecting to %v: %w", s.cfg.Broker, err)
}
