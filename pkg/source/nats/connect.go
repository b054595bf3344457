package nats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/chartd/chartd/pkg/source/internal/httpx"
)

const (
	// pingEvery is how often a silent server is asked whether it is there; after
	// two pings without an answer the connection is lost.
	pingEvery = 10 * time.Second
	maxPings  = 2
)

// connect opens a connection to one of the servers. It is lost for good when it
// breaks: the manager, which shows why, runs the source again. The context ends
// the attempt.
func (s *Source) connect(ctx context.Context) (*nats.Conn, error) {
	d := &dialer{ctx: ctx, timeout: s.cfg.Timeout.Std()}
	opts := []nats.Option{
		nats.Name("chartd " + s.deps.Name), nats.NoReconnect(), nats.Timeout(s.cfg.Timeout.Std()), nats.SetCustomDialer(d),
		nats.SkipHostLookup(), nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(maxPings), nats.PermissionErrOnSubscribe(true),
		nats.ErrorHandler(func(conn *nats.Conn, _ *nats.Subscription, err error) {
			// Whoever reads what it must not would wait forever.
			if errors.Is(err, nats.ErrPermissionViolation) {
				conn.Close()
			}
		}),
	}
	switch {
	case s.cfg.User != "":
		opts = append(opts, nats.UserInfo(s.cfg.User, s.cfg.Password.Reveal()))
	case s.cfg.Token != "":
		opts = append(opts, nats.Token(s.cfg.Token.Reveal()))
	case s.cfg.Creds != "":
		opts = append(opts, nats.UserCredentials(s.cfg.Creds))
	case s.cfg.Nkey != "":
		o, err := nats.NkeyOptionFromSeed(s.cfg.Nkey)
		if err != nil {
			return nil, fmt.Errorf("nkey: %w", err)
		}
		opts = append(opts, o)
	}
	if s.cfg.TLS != (httpx.TLS{}) {
		tlsConfig, err := s.cfg.TLS.Load()
		if err != nil {
			return nil, fmt.Errorf("tls_config.%w", err)
		}
		opts = append(opts, nats.Secure(tlsConfig))
	}
	urls := make([]string, len(s.cfg.Servers))
	for i, server := range s.cfg.Servers {
		urls[i] = string(server)
	}
	conn, err := nats.Connect(strings.Join(urls, ","), opts...)
	d.release()
	if err != nil {
		if errors.Is(err, nats.ErrNoServers) && d.err != nil {
			err = d.err // which the library does not tell
		}
		return nil, fmt.Errorf("connecting to %v: %w", s.where(), err)
	}
	return conn, nil
}

// where names the servers.
func (s *Source) where() string {
	if len(s.cfg.Servers) == 1 {
		return s.cfg.Servers[0].String()
	}
	return fmt.Sprintf("one of %d servers, as %v", len(s.cfg.Servers), s.cfg.Servers[0])
}

// lost says why a connection does not work any more.
func (s *Source) lost(conn *nats.Conn, err error) error {
	if !conn.IsClosed() {
		return err
	}
	if why := conn.LastError(); why != nil {
		err = why
	}
	if errors.Is(err, nats.ErrPermissionViolation) {
		return err
	}
	return fmt.Errorf("the connection to %v is lost: %w", s.where(), err)
}

// dialer opens connections that end with a context while they are being made,
// and remembers what went wrong.
type dialer struct {
	ctx     context.Context //nolint:containedctx // the library's interface has none
	timeout time.Duration
	err     error // of the last attempt
	tied    []func() bool
}

// Dial implements nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: d.timeout}).DialContext(d.ctx, network, address)
	if err != nil {
		d.err = err
		return nil, err
	}
	d.tied = append(d.tied, context.AfterFunc(d.ctx, func() { _ = conn.Close() }))
	return conn, nil
}

// release lets connections live on when the context has ended.
func (d *dialer) release() {
	for _, stop := range d.tied {
		stop()
	}
}
