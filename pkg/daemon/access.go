package daemon

import (
	"context"
	"reflect"
	"sync"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/config"
)

// newGate returns what decides who may do what under cfg: the gate there is if
// nothing of it can have changed. Files with keys may have, whatever cfg says.
func (d *Daemon) newGate(cfg *config.Config) (*auth.Gate, error) {
	if d.gate != nil && len(cfg.Auth.JWT.Keys) == 0 && reflect.DeepEqual(d.cfg.Auth, cfg.Auth) {
		return d.gate, nil
	}
	return auth.New(cfg.Auth, d.gate, d.log.Named("auth"))
}

// setGate lets g decide from now on.
func (d *Daemon) setGate(g *auth.Gate) {
	if g == d.gate {
		return
	}
	d.gate = g
	d.server.SetGate(g)
	d.hub.SetGate(g)
}

// keepKeys keeps the keys of a gate fresh, and then those of the next one that
// comes, until ctx ends.
func keepKeys(ctx context.Context, gate *auth.Gate, next <-chan *auth.Gate) {
	for {
		current, end := context.WithCancel(ctx)
		var running sync.WaitGroup
		fetching := gate
		running.Go(func() { _ = fetching.Run(current) }) // it returns nil, when current ends or at once
		select {
		case <-ctx.Done():
		case gate = <-next:
		}
		end()
		running.Wait()
		if ctx.Err() != nil {
			return
		}
	}
}
