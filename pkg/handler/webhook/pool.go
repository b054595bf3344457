package webhook

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/quiet"
	"github.com/chartd/chartd/pkg/session"
)

// Pool is what the webhooks of a daemon share: connections, metrics and a log
// that no failing server fills. It is safe for concurrent use. Close it.
type Pool struct {
	metrics *metrics
	quiet   *quiet.Log
	within  *http.Client // may be led anywhere
	outside *http.Client // only to the public internet
}

// NewPool returns a Pool. An error is that of registering metrics.
func NewPool(log *zap.Logger, reg prometheus.Registerer) (*Pool, error) {
	return newPool(log, reg, nil)
}

// newPool returns a Pool that finds names with a resolver; nil is the system's.
func newPool(log *zap.Logger, reg prometheus.Registerer, names *net.Resolver) (*Pool, error) {
	m, err := newMetrics(reg)
	if err != nil {
		return nil, fmt.Errorf("metrics of the webhooks: %w", err)
	}
	return &Pool{
		metrics: m, quiet: quiet.New(log, 1, time.Minute), within: newClient(nil, names), outside: newClient(fence, names),
	}, nil
}

// newClient returns a client whose connections control is asked about.
func newClient(control func(context.Context, string, string, syscall.RawConn) error, names *net.Resolver) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, ControlContext: control, Resolver: names}
	return &http.Client{
		Transport: &http.Transport{
			// No proxy: what it connects to, nobody here could check.
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
		},
		// What a redirect leads to was not configured, and was not meant to be
		// told of callbacks.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close lets go of the connections. No webhook may run any more.
func (p *Pool) Close() {
	p.within.CloseIdleConnections()
	p.outside.CloseIdleConnections()
	p.quiet.Close()
}

// Forget drops what was counted of a chart that is gone or has changed.
func (p *Pool) Forget(chart string) { p.metrics.forget(chart) }

// New returns what answers callbacks of a chart; on names the row in metrics and
// the log. c must be valid.
func (c *Config) New(p *Pool, chart, on string) (session.RefreshCallback, error) {
	h, err := newHook(c, p, chart, on)
	if err != nil {
		return nil, err
	}
	return h.run, nil
}
