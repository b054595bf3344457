package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// How long each step of the end may take. Together, and with the two seconds that
// the manager of the sources grants them, they leave a second and a half of the
// ten that a supervisor usually has patience for.
const (
	drainHub   = 3500 * time.Millisecond
	stopServer = 1500 * time.Millisecond
	closeHub   = 1500 * time.Millisecond
)

// errStopped is why Reload does nothing when Run does not run.
var errStopped = errors.New("the daemon does not run")

// Run listens, starts the sources and serves until ctx ends. Then it drains:
// not ready, sources stopped, last frames sent, every WebSocket closed with
// code 4000. It returns nil after that, within ten seconds, with no goroutine
// left. It can be called once.
func (d *Daemon) Run(ctx context.Context) error {
	if d.started.Swap(true) {
		return errors.New("run: a daemon runs once")
	}
	// The parts have contexts of their own, so that they end in order and not
	// all at once with ctx.
	lasting := context.WithoutCancel(ctx)
	ln, err := d.listen(ctx)
	if err != nil {
		close(d.draining)
		return errors.Join(err, d.close(lasting))
	}
	adm, err := d.listenAdmin(ctx)
	if err != nil {
		close(d.draining)
		if ln != nil {
			err = errors.Join(err, ln.Close())
		}
		return errors.Join(err, d.close(lasting))
	}
	sourcesCtx, haltSources := context.WithCancel(lasting)
	defer haltSources()
	watchCtx, haltWatch := context.WithCancel(lasting)
	defer haltWatch()

	var sources, rest errgroup.Group
	broken := make(chan error, 3)
	sources.Go(func() error {
		err := d.sources.Run(sourcesCtx)
		if sourcesCtx.Err() == nil {
			broken <- errors.Join(errors.New("the manager of the sources ended"), err)
		}
		return err
	})
	gate := d.gate
	rest.Go(func() error {
		keepKeys(watchCtx, gate, d.gates)
		return nil
	})
	d.server.Start()
	if ln != nil {
		rest.Go(func() error {
			if err := d.server.Serve(ln); err != nil {
				broken <- fmt.Errorf("serve: %w", err)
			}
			return nil
		})
	}
	if adm != nil {
		rest.Go(func() error {
			if err := adm.serve(); err != nil {
				broken <- err
			}
			return nil
		})
	}
	changed := make(chan struct{}, 1)
	if d.opts.file != "" {
		rest.Go(func() error {
			d.watch(watchCtx, changed)
			return nil
		})
	}
	d.server.SetReady(true)
	d.greet()
	close(d.ready)

	err = d.loop(ctx, changed, broken)
	start := time.Now()
	close(d.draining)
	d.server.SetReady(false)
	haltWatch()
	haltSources()
	err = errors.Join(err, sources.Wait(), d.close(lasting))
	adm.stop(lasting)
	err = errors.Join(err, rest.Wait())
	d.log.Info("stopped", zap.Duration("took", time.Since(start)), zap.Error(err))
	return err
}

// listen takes the port. The listener is nil if the configuration wants none.
func (d *Daemon) listen(ctx context.Context) (net.Listener, error) {
	if d.cfg.Listen == "" {
		return nil, nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", d.cfg.Listen)
	if err != nil {
		return nil, listenError(err)
	}
	d.addr.Store(new(ln.Addr()))
	return ln, nil
}

// listenError says what to do about an address that cannot be had.
func listenError(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w; another program has this port: stop it, or choose another one, as --listen :8081", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w; only the system's administrator may listen below port 1024: choose another one, as --listen :8080", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w; this machine does not have this address: choose another one, as --listen :8080 for all it has", err)
	}
	return err
}

// loop is the daemon's life between start and drain: one reload after the
// other.
func (d *Daemon) loop(ctx context.Context, changed <-chan struct{}, broken <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-broken:
			return err
		case <-changed:
			_ = d.reloadFile() // logged and counted
		case r := <-d.reloads:
			r.done <- r.do()
		}
	}
}

// greet tells where the daemon is.
func (d *Daemon) greet() {
	url := d.URL()
	d.log.Info("ready", zap.String("url", url), zap.Int("charts", len(d.charts)), zap.Int("sources", len(d.cfg.Sources)))
	if url != "" {
		fmt.Fprintf(d.opts.announce, "chartd is live at %s\n", url)
	}
}

// close says goodbye to the clients and ends what serves them: the last frames
// first, then the connections. A client that takes no goodbye is no fault of
// the daemon, and only logged; what still runs at the end is an error.
// ctx outlives Run's own, which has ended: that is why all this happens.
func (d *Daemon) close(ctx context.Context) error {
	for _, step := range []struct {
		name string
		in   time.Duration
		do   func(context.Context) error
	}{
		{"saying goodbye to the sessions", drainHub, d.hub.Drain},
		{"finishing the requests under way", stopServer, d.server.Shutdown},
	} {
		bounded, cancel := context.WithTimeout(ctx, step.in)
		if err := step.do(bounded); err != nil {
			d.log.Warn("the end is not as clean as it should be", zap.String("at", step.name), zap.Error(err))
		}
		cancel()
	}
	bounded, cancel := context.WithTimeout(ctx, closeHub)
	defer cancel()
	err := d.hub.Close(bounded)
	d.rows.Close()
	return err
}
