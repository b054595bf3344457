package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// stopAdmin is how long those who read metrics or a profile may take to end.
const stopAdmin = 500 * time.Millisecond

// admin is what serves the address server.admin. A nil one serves nothing.
type admin struct {
	http *http.Server
	ln   net.Listener
}

// listenAdmin takes the port of server.admin; without one it returns nil.
func (d *Daemon) listenAdmin(ctx context.Context) (*admin, error) {
	if d.cfg.Server.Admin == "" {
		return nil, nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", d.cfg.Server.Admin)
	if err != nil {
		return nil, fmt.Errorf("server.admin: %w", err)
	}
	d.adminAddr.Store(new(ln.Addr()))
	d.log.Info("metrics and profiles are served, to whoever can reach the address", zap.Stringer("address", ln.Addr()))
	// No bound for an answer: a profile takes as long as it is told to.
	return &admin{&http.Server{Handler: d.server.Admin(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}, ln}, nil
}

// serve answers until stop.
func (a *admin) serve() error {
	if err := a.http.Serve(a.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the admin address: %w", err)
	}
	return nil
}

// stop lets those who are answered finish, for a moment.
func (a *admin) stop(ctx context.Context) {
	if a == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stopAdmin)
	defer cancel()
	if a.http.Shutdown(ctx) != nil {
		_ = a.http.Close() // whoever reads a profile waits no longer
	}
}

// AdminAddr returns the address of server.admin, nil before Ready and without
// one.
func (d *Daemon) AdminAddr() net.Addr {
	if a := d.adminAddr.Load(); a != nil {
		return *a
	}
	return nil
}
