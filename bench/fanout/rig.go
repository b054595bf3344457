package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// rig is a server and its clients, each in a process of its own.
type rig struct {
	kind            string
	server, clients *process
	crowd           crowd
	fresh           int64  // bytes resident before the first client
	joined          counts // what connecting was like
}

// settle is given to a server after the last byte has arrived, so that what it
// still does is counted where it belongs.
const settle = 2 * time.Millisecond

// newRig starts a server and its clients, and connects them.
func newRig(ctx context.Context, kind string, s setup, cr crowd) (_ *rig, err error) {
	r := &rig{kind: kind, crowd: cr}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.stop())
		}
	}()
	if r.server, err = launch(ctx, s.args(kind)...); err != nil {
		return nil, err
	}
	if r.clients, err = launch(ctx, "client"); err != nil {
		return nil, err
	}
	var at served
	if err := r.server.ask(&at, order{Do: "where"}); err != nil {
		return nil, err
	}
	if r.fresh, err = r.resident(); err != nil {
		return nil, err
	}
	r.crowd.Server, r.crowd.Addr = kind, at.Addr
	if r.crowd.AtOnce == 0 {
		r.crowd.AtOnce = 200
	}
	if err := r.clients.ask(&r.joined, order{Do: "connect", Crowd: &r.crowd}); err != nil {
		return nil, err
	}
	if r.joined.Up != cr.N {
		return nil, fmt.Errorf("%d of %d sessions of %s came up: %s", r.joined.Up, cr.N, kind, r.joined.Why)
	}
	return r, nil
}

// resident is the server's memory after it gave back what it can.
func (r *rig) resident() (int64, error) {
	if err := r.server.ask(nil, order{Do: "free"}); err != nil {
		return 0, err
	}
	return rssOf(r.server.pid())
}

// shot is one round: one frame to every session.
type shot struct {
	cpu   time.Duration // of the server
	start int64         // when the tick began
}

// round pushes one frame of size bytes, or lets the server write as many bytes
// to the same sockets itself (floor), and waits until all clients have them.
func (r *rig) round(ctx context.Context, size int, floor bool) (s shot, err error) {
	if err := r.clients.ask(nil, order{Do: "expect", Size: size}); err != nil {
		return s, err
	}
	before := cpuOf(r.server.pid())
	var at served
	if floor {
		err = r.server.ask(&at, order{Do: "floor", Size: size})
	} else {
		err = r.server.ask(nil, order{Do: "fire"})
	}
	if err != nil {
		return s, err
	}
	var got round
	if err := r.clients.ask(&got, order{Do: "await"}); err != nil {
		return s, err
	}
	if err := pause(ctx, settle); err != nil {
		return s, err
	}
	s.cpu = cpuOf(r.server.pid()) - before
	if got.Missing > 0 || got.Over > 0 {
		return s, fmt.Errorf("%s, %d bytes (floor: %t): %d of %d sessions are short of bytes, %d bytes too many", r.kind, size, floor, got.Missing, r.crowd.N, got.Over)
	}
	if !floor {
		err = r.server.ask(&at, order{Do: "started"})
	}
	s.start = at.Start
	return s, err
}

// ready lets the server push frames of size bytes.
func (r *rig) ready(size int) error { return r.server.ask(nil, order{Do: "size", Size: size}) }

// check looks at what the sessions that decode have seen.
func (r *rig) check() error {
	var c counts
	if err := r.clients.ask(&c, order{Do: "counts"}); err != nil {
		return err
	}
	switch t := c.Tally; {
	case t.Broken > 0 || t.Missed > 0 || c.Ended > 0:
		return fmt.Errorf("%s: %d frames do not follow on the last (%s), %d are missed, %d connections ended (%s)", r.kind, t.Broken, t.Why, t.Missed, c.Ended, c.Why)
	case t.Decoded == 0:
		return fmt.Errorf("%s: nothing was decoded", r.kind)
	}
	return nil
}

// stop ends the clients first: a server without clients has no goodbyes to say.
func (r *rig) stop() error {
	return errors.Join(r.clients.stop(), r.server.stop())
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
