package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
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
	// NewRenderer makes the renderer of a picture.
	NewRenderer func(spec *plotting.Spec) ticker.Renderer
	// Registry takes the server's metrics and answers /metrics.
	Registry *prometheus.Registry
	// Log takes what was refused, what went wrong and, at debug, every request.
	Log *zap.Logger
	// Version names the software: "chartd/0.1.0".
	Version string
}

// Server is chartd over HTTP. All methods are safe for concurrent use.
type Server struct {
	hub       *session.Hub
	sources   *source.Manager
	registry  *prometheus.Registry
	log       *zap.Logger
	version   string
	heartbeat time.Duration

	metrics  *metrics
	assets   map[string]*asset
	pictures *pictures
	handler  http.Handler
	http     *http.Server

	rules   atomic.Pointer[rules]
	specs   atomic.Pointer[map[string]*plotting.Spec]
	isReady atomic.Bool

	census census
	conns  conns
	pool   sync.Pool // gorilla's write buffers
	stop   context.CancelFunc
	beat   sync.WaitGroup
}

// rules are the settings that a reload can change, in the form in which they
// are used. A value is immutable.
type rules struct {
	cfg        Config
	origins    []originRule
	proxies    []netip.Prefix
	upgrader   *websocket.Upgrader
	pagePolicy string
}

// New returns a Server that serves no charts yet and is not ready. It must be
// closed with Shutdown. cfg must be valid.
func New(cfg Config, deps Deps) (*Server, error) {
	m, err := newMetrics(deps.Registry)
	if err != nil {
		return nil, err
	}
	assets, err := loadAssets(web.Static())
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		hub: deps.Hub, sources: deps.Sources, registry: deps.Registry, log: deps.Log, version: deps.Version,
		heartbeat: cfg.Heartbeat.Std(), metrics: m, assets: assets, stop: stop,
		pictures: newPictures(cfg.MaxPictures, deps.NewRenderer, m),
	}
	s.specs.Store(&map[string]*plotting.Spec{})
	if err := s.SetConfig(cfg); err != nil {
		stop()
		return nil, err
	}
	s.handler = s.contain(s.routes())
	logger, err := zap.NewStdLogAt(deps.Log, zap.DebugLevel) // what net/http says of clients that misbehave
	if err != nil {
		stop()
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
	}
	s.beat.Go(func() { s.conns.beat(ctx, s.heartbeat) })
	return s, nil
}

// routes is the whole surface.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.page(w, r, web.GalleryPage) })
	mux.HandleFunc("GET /c/{chart}", s.chartPage)
	mux.HandleFunc("GET "+wire.Path, s.upgrade)
	mux.HandleFunc("GET /charts/{file}", s.picture)
	mux.HandleFunc("GET /api/v1/charts", s.listCharts)
	mux.HandleFunc("GET /api/v1/sources", s.listSources)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		ErrorLog: promLog{s.log}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 8,
	}))
	mux.HandleFunc("/", s.rest)
	return s.guardWrites(mux)
}

// rest answers what no pattern wants: the routes of sources, which come and go
// with the configuration, and the embedded files.
func (s *Server) rest(w http.ResponseWriter, r *http.Request) {
	if h, ok := s.sources.Route(r); ok {
		h.ServeHTTP(w, r)
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
// theirs. Heartbeat, RequestTimeout and MaxPictures stay as they were at New.
func (s *Server) SetConfig(cfg Config) error {
	r := &rules{cfg: cfg, pagePolicy: pagePolicy(cfg.FrameAncestors)}
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
		r.proxies = append(r.proxies, network)
	}
	r.upgrader = newUpgrader(cfg.Compression, &s.pool, cfg.WriteTimeout.Std())
	s.rules.Store(r)
	return nil
}

// SetCharts makes these the charts that pages, pictures and the API know. The
// map must not be changed afterwards.
func (s *Server) SetCharts(specs map[string]*plotting.Spec) { s.specs.Store(&specs) }

// charts returns the charts by name; the map is immutable.
func (s *Server) charts() map[string]*plotting.Spec { return *s.specs.Load() }

// SetReady says whether new clients are welcome: /readyz and /ws follow it.
func (s *Server) SetReady(ready bool) { s.isReady.Store(ready) }

// Handler returns the whole surface as one handler, for those who serve it
// themselves.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on ln until Shutdown. It closes ln. The error is nil after
// Shutdown.
func (s *Server) Serve(ln net.Listener) error {
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
	s.stop()
	s.beat.Wait()
	s.pictures.wait()
	return err
}
