package daemon

import (
	"context"
	"net"
	"net/http"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

// Daemon is one running chartd. All methods are safe for concurrent use.
type Daemon struct {
	opts  *options
	store *store.Store
}

// Load reads a configuration file with the kinds of sources that opts say. An
// empty path is the embedded default, which shows this machine. The error is
// a *config.Errors if the file can be read and is wrong.
func Load(path string, opts ...Option) (*config.Config, error) {
	return nil, nil
}

// New puts a daemon together. Nothing runs yet, and no port is taken. A nil cfg
// stands for the file of WithConfigFile, or for the embedded default.
func New(cfg *config.Config, opts ...Option) (*Daemon, error) {
	o, err := gather(opts)
	if err != nil {
		return nil, err
	}
	return &Daemon{opts: o}, nil
}

// Run listens, starts the sources and serves until ctx ends. Then it drains:
// not ready, sources stopped, last frames sent, every WebSocket closed with
// code 4000. It returns nil after that, within ten seconds, with no goroutine
// left. It can be called once.
func (d *Daemon) Run(ctx context.Context) error { return nil }

// Ready returns a channel that is closed when the daemon can be reached.
func (d *Daemon) Ready() <-chan struct{} { return nil }

// Addr returns the address that the daemon listens on, nil before Ready.
func (d *Daemon) Addr() net.Addr { return nil }

// URL returns where a browser finds the gallery, as "http://localhost:8080/";
// "" before Ready.
func (d *Daemon) URL() string { return "" }

// Handler returns everything the daemon serves, for a program with an HTTP
// server of its own: an empty Listen in the configuration keeps Run from
// taking a port. It works while Run runs.
func (d *Daemon) Handler() http.Handler { return nil }

// Store returns where samples are kept: append to it and the charts show them.
func (d *Daemon) Store() *store.Store { return d.store }

// Reload replaces the configuration: sources and charts that did not change go
// on undisturbed, sessions stay. If it returns an error, nothing has changed.
// The sections store, session and log.format and the address take effect at
// the next start.
func (d *Daemon) Reload(cfg *config.Config) error { return nil }

// ReloadFile reads the file of WithConfigFile again, as SIGHUP asks. A broken
// file changes nothing; the error, which names every mistake by line, is
// logged too and shows in /metrics.
func (d *Daemon) ReloadFile() error { return nil }

// builtinKinds are the kinds of sources that every daemon knows.
func builtinKinds() source.Registry { return source.Registry{} }
