package daemon

import (
	"crypto/sha256"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/handler"
	"github.com/chartd/chartd/pkg/headroom"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/server"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
)

// Daemon is one running chartd. All methods are safe for concurrent use.
type Daemon struct {
	opts    *options
	log     *zap.Logger
	level   zap.AtomicLevel // of the daemon's own logger
	metrics *metrics

	store   *store.Store
	sources *source.Manager
	rows    *handler.Engine
	hub     *session.Hub
	server  *server.Server

	cfg    *config.Config    // touched by New, then by Run alone
	charts chartSet          // likewise
	gate   *auth.Gate        // likewise
	seen   [sha256.Size]byte // of the configuration file; by New, then by watch alone

	started atomic.Bool
	addr    atomic.Pointer[net.Addr]
	secure  bool // speaks TLS

	adminAddr atomic.Pointer[net.Addr]

	ready    chan struct{}
	reloads  chan reload
	gates    chan *auth.Gate // to who keeps their keys fresh
	draining chan struct{}
}

// Load reads a configuration file with the kinds of sources and the
// environment that opts say. An empty path is the embedded default, which
// shows this machine. The error is a *config.Errors if the file can be read and
// is wrong.
func Load(path string, opts ...Option) (*config.Config, error) {
	o, err := gather(opts)
	if err != nil {
		return nil, err
	}
	return o.load(path)
}

// Parse reads a configuration as Load does, from YAML instead of a file.
func Parse(yaml string, opts ...Option) (*config.Config, error) {
	o, err := gather(opts)
	if err != nil {
		return nil, err
	}
	return config.Parse("chartd.yaml", []byte(yaml), o.kinds, o.lookup, o.over...)
}

// here returns cfg with what the options say in its place.
func (o *options) here(cfg *config.Config) *config.Config {
	if o.listen == "" {
		return cfg
	}
	return cfg.WithListen(o.listen)
}

// load reads a configuration.
func (o *options) load(path string) (*config.Config, error) {
	if path == "" {
		return config.Default(o.kinds, o.lookup, o.over...)
	}
	return config.Load(path, o.kinds, o.lookup, o.over...)
}

// New puts a daemon together. Nothing runs yet, and no port is taken. A nil cfg
// stands for the file of WithConfigFile, or for the embedded default.
func New(cfg *config.Config, opts ...Option) (*Daemon, error) {
	o, err := gather(opts)
	if err != nil {
		return nil, err
	}
	// The state of the file is noted before it is read, so that a change in between
	// is noticed; if the caller has read it, as soon as can be.
	var seen [sha256.Size]byte
	if o.file != "" {
		seen = o.digest()
	}
	if cfg == nil {
		if cfg, err = o.load(o.file); err != nil {
			return nil, err
		}
	}
	cfg = o.here(cfg)
	if err := orphan(cfg, o); err != nil {
		return nil, err
	}
	d := &Daemon{
		opts: o, log: o.log, cfg: cfg, seen: seen,
		ready: make(chan struct{}), reloads: make(chan reload), gates: make(chan *auth.Gate), draining: make(chan struct{}),
	}
	if d.log == nil {
		if d.log, d.level, err = NewLogger(cfg.Log, os.Stderr); err != nil {
			return nil, err
		}
	}
	if err := d.assemble(cfg); err != nil {
		return nil, err
	}
	return d, nil
}

// assemble makes the parts and joins them.
func (d *Daemon) assemble(cfg *config.Config) error {
	reg, m, err := newRegistry(d.opts.version)
	if err != nil {
		return err
	}
	d.metrics = m
	m.reloadOK.Set(1)
	m.reloadTime.SetToCurrentTime()
	d.store = store.New(cfg.Store, reg)
	d.sources = source.NewManager(d.store, d.log.Named("source"), reg)
	if err := d.sources.Apply(cfg.Sources); err != nil {
		return err
	}
	memory, err := headroom.New(nil, d.log.Named("memory"), reg)
	if err != nil {
		return err
	}
	d.secure = cfg.Server.TLS.Cert != ""
	newRenderer := func(spec *plotting.Spec) ticker.Renderer { return plotting.NewLive(spec, d.store).Heed(d.sources) }
	d.hub, err = session.NewHub(cfg.Session, session.Deps{
		Appender: d.store, NewRenderer: newRenderer, Log: d.log.Named("session"), Registerer: reg, Server: d.opts.version, Memory: memory,
	})
	if err != nil {
		return err
	}
	d.server, err = server.New(cfg.Server, server.Deps{
		Hub: d.hub, Sources: d.sources, Store: d.store, NewRenderer: newRenderer, Registry: reg, Log: d.log.Named("http"),
		Version: d.opts.version, Pages: d.opts.pages, Memory: memory,
	})
	if err != nil {
		return err // the hub has started nothing yet
	}
	gate, err := d.newGate(cfg)
	if err != nil {
		return err
	}
	d.setGate(gate)
	if d.rows, err = handler.NewEngine(handler.Deps{Log: d.log.Named("callback"), Registerer: reg, Querier: d.store}); err != nil {
		return err
	}
	if d.charts, err = newChartSet(cfg, d.opts, d.rows, nil); err != nil {
		return err
	}
	d.hub.SetCharts(d.charts.served())
	d.server.SetCharts(d.charts.list(cfg))
	return nil
}

// Ready returns a channel that is closed when the daemon can be reached.
func (d *Daemon) Ready() <-chan struct{} { return d.ready }

// Addr returns the address that the daemon listens on, nil before Ready and
// without a port.
func (d *Daemon) Addr() net.Addr {
	if a := d.addr.Load(); a != nil {
		return *a
	}
	return nil
}

// URL returns where a browser on this machine finds the gallery, as
// "http://localhost:8080/"; "" before Ready and without a port.
func (d *Daemon) URL() string {
	a := d.Addr()
	if a == nil {
		return ""
	}
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if d.secure {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port) + "/"
}

// Handler returns everything the daemon serves, for a program with an HTTP
// server of its own: an empty Listen in the configuration keeps Run from
// taking a port. It works while Run runs.
func (d *Daemon) Handler() http.Handler { return d.server.Handler() }

// Store returns where samples are kept: append to it and the charts show them.
func (d *Daemon) Store() *store.Store { return d.store }
