package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/headroom"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quiet"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
	"github.com/chartd/chartd/web"
)

// maxHeader bounds the header of a request, in bytes.
const maxHeader = 32 << 10

// Deps is what a Server works with. All fields are needed.
type Deps struct {
	// Hub takes the WebSockets.
	Hub *session.Hub
	// Sources brings the ingest routes and says how the sources are doing.
	Sources *source.Manager
	// Store says what values the charts' vars can have.
	Store store.Querier
	// NewRenderer makes the renderer of a picture.
	NewRenderer func(spec *plotting.Spec) ticker.Renderer
	// Registry takes the server's metrics and answers /metrics.
	Registry *prometheus.Registry
	// Log takes what was refused, what went wrong and, at debug, every request.
	Log *zap.Logger
	// Memory says whether there is room for more; nil is always.
	Memory *headroom.Gauge
	// Version names the software: "chartd/0.1.0".
	Version string
	// Pages are served before the server's own surface, by patterns as in
	// net/http; it may be nil.
	Pages map[string]http.Handler
}

// Server is chartd over HTTP. All methods are safe for concurrent use.
type Server struct {
	hub       *session.Hub
	sources   *source.Manager
	store     store.Querier
	registry  *prometheus.Registry
	log       *zap.Logger
	quiet     *quiet.Log // refusals
	version   string
	heartbeat time.Duration

	everybody *auth.Grant // what each has where nobody is asked
	metrics   *metrics
	assets    map[string]*asset
	pictures  *pictures
	tables    chan struct{} // one for each .csv that is being written
	handler   http.Handler
	http      *http.Server

	rules   atomic.Pointer[rules]
	gate    atomic.Pointer[auth.Gate] // nil: nobody is asked
	charts  atomic.Pointer[charts]
	isReady atomic.Bool

	guard    guard
	secure   bool // speaks TLS
	certs    certs
	census   census
	conns    conns
	pool     sync.Pool // gorilla's write buffers
	deflater wire.Deflater
	poller   *poller // from Start on; nil where there is none
	start    time.Time
	quit     chan struct{} // closed by the first Shutdown
	once     sync.Once
	beat     sync.WaitGroup
}

// rules are the settings that a reload can change, in the form in which they
// are used. A value is immutable.
type rules struct {
	cfg        Config
	origins    []originRule
	proxies    proxies
	upgrader   *websocket.Upgrader
	pagePolicy string
}

// New returns a Server that serves no charts yet and is not ready. cfg must be
// valid. The error is that a name of its metrics is taken, or that a pattern of
// Pages makes no sense.
func New(cfg Config, deps Deps) (*Server, error) {
	m, err := newMetrics(deps.Registry)
	if err != nil {
		return nil, err
	}
	assets, err := loadAssets(web.Static())
	if err != nil {
		return nil, err
	}
	s := &Server{
		hub: deps.Hub, sources: deps.Sources, store: deps.Store, registry: deps.Registry, log: deps.Log, version: deps.Version,
		quiet: quiet.New(deps.Log, refusalLines, time.Second),
		start: time.Now(), heartbeat: cfg.Heartbeat.Std(), metrics: m, assets: assets, quit: make(chan struct{}), everybody: auth.Everybody(),
		pictures: newPictures(cfg.MaxPictures, deps.NewRenderer, m), tables: make(chan struct{}, maxTables),
		guard: guard{room: deps.Memory}, secure: cfg.TLS.enabled(), certs: certs{log: deps.Log, metrics: m},
	}
	s.SetCharts(nil)
	if err := s.SetConfig(cfg); err != nil {
		return nil, err
	}
	routes, err := s.routes(deps.Pages)
	if err != nil {
		return nil, err
	}
	s.handler = s.contain(routes)
	logger, err := zap.NewStdLogAt(deps.Log, zap.DebugLevel) // what net/http says of clients that misbehave
	if err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: min(cfg.RequestTimeout.Std(), 10*time.Second),
		ReadTimeout:       cfg.RequestTimeout.Std(),
		WriteTimeout:      cfg.RequestTimeout.Std(),
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          logger,
		ConnState:         s.socket,
		Protocols:         new(http.Protocols),
	}
	s.http.Protocols.SetHTTP1(true)
	return s, nil
}

// Start begins to look after WebSockets. Serve needs it, and so does a Handler
// that another server serves. It is called once.
func (s *Server) Start() {
	if p, err := newPoller(); err != nil {
		s.log.Warn("every connection has a reader of its own, which costs memory", zap.Error(err))
	} else if p != nil {
		s.poller = p
		p.start()
	}
	s.files()
	s.beat.Go(func() { s.conns.beat(s.quit, s.heartbeat, s.uptime) })
}

// uptime is the clock of the connections.
func (s *Server) uptime() time.Duration { return time.Since(s.start) }

// routes is the whole surface.
func (s *Server) routes(pages map[string]http.Handler) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.gallery)
	mux.HandleFunc("GET /c/{chart}", s.chartPage)
	mux.HandleFunc("GET /wall", s.wall)
	mux.HandleFunc("GET "+wire.Path, s.upgrade)
	mux.HandleFunc("GET /charts/{file}", s.picture)
	mux.HandleFunc("GET /api/v1/charts", s.listCharts)
	mux.HandleFunc("GET /api/v1/charts/{chart}", s.oneChart)
	mux.HandleFunc("POST /api/v1/charts/{chart}/callback", s.callback)
	mux.Handle("GET /api/v1/sources", s.admin(http.HandlerFunc(s.listSources)))
	mux.HandleFunc("OPTIONS /charts/{file}", s.preflight)
	mux.HandleFunc("OPTIONS /api/v1/charts", s.preflight)
	mux.HandleFunc("OPTIONS /api/v1/charts/{chart}", s.preflight)
	mux.HandleFunc("OPTIONS /api/v1/charts/{chart}/callback", s.preflight)
	mux.HandleFunc("OPTIONS /api/v1/sources", s.preflight)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	if s.rules.Load().cfg.Admin == "" {
		mux.Handle("GET /metrics", s.admin(s.exposition()))
	} else {
		mux.HandleFunc("GET /metrics", s.moved)
	}
	mux.HandleFunc("/", s.rest)
	if len(pages) == 0 {
		return s.guardWrites(mux), nil
	}
	// A mux of its own, so that a page may stand in the place of one of ours.
	before := http.NewServeMux()
	for pattern, page := range pages {
		if err := handle(before, pattern, page); err != nil {
			return nil, err
		}
	}
	return s.guardWrites(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := before.Handler(r); pattern != "" {
			before.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})), nil
}

// handle registers a page. The mux panics at a pattern that it cannot read or
// that conflicts with another; here that is the caller's mistake, and an error.
func handle(mux *http.ServeMux, pattern string, page http.Handler) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("page %q: %v", pattern, v)
		}
	}()
	mux.Handle(pattern, page)
	return nil
}

// rest answers what no pattern wants: the routes of sources, which come and go
// with the configuration, and the embedded files.
func (s *Server) rest(w http.ResponseWriter, r *http.Request) {
	if h, ok := s.sources.Route(r); ok {
		if !s.mayWrite(w, r) {
			return
		}
		h.ServeHTTP(w, r)
		if rec, ok := w.(*recorder); ok && rec.status >= http.StatusBadRequest {
			s.noteRefusal(r, "samples", http.StatusText(rec.status))
		}
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "chartd: nothing takes a "+r.Method+" here", http.StatusNotFound)
		return
	}
	s.asset(w, r)
}

// promLog lets promhttp log to zap.
type promLog struct{ log *zap.Logger }

// Println implements promhttp.Logger.
func (l promLog) Println(v ...any) { l.log.Error("metrics", zap.String("error", fmt.Sprint(v...))) }

// SetConfig applies settings to what comes from now on; open connections keep
// theirs. Heartbeat, RequestTimeout, MaxPictures, Admin and whether there is TLS
// stay as they were at New.
func (s *Server) SetConfig(cfg Config) error {
	r := &rules{cfg: cfg, proxies: proxies{header: cfg.ProxyHeader}, pagePolicy: pagePolicy(cfg.FrameAncestors)}
	for _, o := range cfg.Origins {
		rule, err := parseOrigin(o)
		if err != nil {
			return fmt.Errorf("server.origins: %w", err)
		}
		r.origins = append(r.origins, rule)
	}
	for _, p := range cfg.TrustedProxies {
		network, err := parseNetwork(p)
		if err != nil {
			return fmt.Errorf("server.trusted_proxies: %w", err)
		}
		r.proxies.networks = append(r.proxies.networks, network)
	}
	if s.secure {
		if err := s.certs.use(cfg.TLS); err != nil {
			return err
		}
	}
	r.upgrader = newUpgrader(cfg.Compression, &s.pool, cfg.WriteTimeout.Std())
	s.rules.Store(r)
	return nil
}

// Chart is a chart as pages, pictures and the API know it.
type Chart struct {
	Name string
	Spec *plotting.Spec
}

// charts are all of them. Nothing but lists ever changes in it.
type charts struct {
	list   []Chart // in the order of the configuration
	byName map[string]*plotting.Spec
	lists  varLists
}

// SetCharts makes these the charts, in the order in which the API lists them.
func (s *Server) SetCharts(list []Chart) {
	c := &charts{list: slices.Clone(list), byName: make(map[string]*plotting.Spec, len(list))}
	for _, one := range list {
		c.byName[one.Name] = one.Spec
	}
	s.charts.Store(c)
}

// chart returns a chart's definition.
func (s *Server) chart(name string) (*plotting.Spec, bool) {
	spec, ok := s.charts.Load().byName[name]
	return spec, ok
}

// SetReady says whether new clients are welcome: /readyz and /ws follow it.
func (s *Server) SetReady(ready bool) { s.isReady.Store(ready) }

// Handler returns the whole surface as one handler, for those who serve it
// themselves.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on ln until Shutdown. It closes ln. The error is nil after
// Shutdown.
func (s *Server) Serve(ln net.Listener) error {
	ln = listener{ln, s}
	if s.secure {
		ln = tls.NewListener(ln, s.certs.config())
	}
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown takes no more requests, lets those under way finish until ctx ends,
// cuts the WebSockets that are still open (Hub.Drain has closed them, usually),
// and returns when no goroutine of the server is left.
func (s *Server) Shutdown(ctx context.Context) error {
	s.isReady.Store(false)
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.conns.close()
	s.once.Do(func() { close(s.quit) })
	s.beat.Wait()
	if s.poller != nil {
		s.poller.stop()
	}
	s.pictures.stop()
	s.quiet.Close()
	return err
}
