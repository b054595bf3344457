package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source/payload"
	"github.com/chartd/chartd/pkg/store"
)

// quietFor is how long nothing may be heard before the server is asked whether
// it is there.
const quietFor = 15 * time.Second

// channels listens to channels of one server.
type channels struct {
	source   *Source
	patterns []payload.Pattern
	reader   *payload.Reader
}

// run listens until ctx ends or something is wrong.
func (c *channels) run(ctx context.Context, client *goredis.Client, app store.Appender) error {
	sub := client.Subscribe(ctx)
	// Closing the client does not end a subscription.
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() })
	defer func() {
		if stop() {
			_ = sub.Close()
		}
	}()
	var names, patterns, all []string
	for _, p := range c.patterns {
		all = append(all, p.Filter())
		if p.Wild() {
			patterns = append(patterns, p.Filter())
		} else {
			names = append(names, p.Filter())
		}
	}
	if len(names) > 0 {
		if err := sub.Subscribe(ctx, names...); err != nil {
			return fmt.Errorf("subscribing: %w", err)
		}
	}
	if len(patterns) > 0 {
		if err := sub.PSubscribe(ctx, patterns...); err != nil {
			return fmt.Errorf("subscribing: %w", err)
		}
	}
	missing, asked := len(c.patterns), false
	for {
		got, err := sub.ReceiveTimeout(ctx, quietFor)
		if nerr, ok := errors.AsType[net.Error](err); ok && nerr.Timeout() && !asked && ctx.Err() == nil {
			asked = true
			if err := sub.Ping(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		asked = false
		switch m := got.(type) {
		case *goredis.Subscription:
			if missing--; missing == 0 {
				c.source.deps.Logger.Info("listening", zap.Stringer("server", c.source.cfg.URL), zap.Strings("channels", all))
			}
		case *goredis.Message:
			c.reader.Take(ctx, app, payload.Message{Subject: m.Channel, Payload: []byte(m.Payload)})
		}
	}
}
