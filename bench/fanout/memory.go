package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// footprint is what a session costs when nothing happens to it any more.
type footprint struct {
	n     int
	bytes [2]float64 // resident, a session: of chartd, of centrifuge
	heap  [2]float64 // of it, in use on the heap
	gors  [2]float64 // goroutines
}

// How much traffic there is before the measure.
const (
	trafficFrames = 10
	trafficSize   = 4096
	memoryBeat    = 8 * time.Second
)

// measureMemory connects n sessions to a fresh server, pushes frames, lets both
// sides ping once, and looks at what is resident after a collection.
func measureMemory(ctx context.Context, n int, withRival bool, say func(string, ...any)) (*footprint, error) {
	f := &footprint{n: n}
	for i, kind := range []string{chartdKind, centrifugeKind} {
		if kind == centrifugeKind && !withRival {
			break
		}
		say("%d idle sessions of %s", n, kind)
		r, err := newRig(ctx, kind, setup{heartbeat: memoryBeat, refresh: quietSetup.refresh, ttl: quietSetup.ttl}, crowd{N: n, Look: true})
		if err != nil {
			return nil, err
		}
		err = f.measure(ctx, r, i)
		if err = errors.Join(err, r.stop()); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *footprint) measure(ctx context.Context, r *rig, i int) error {
	if err := r.ready(trafficSize); err != nil {
		return err
	}
	var c counts
	if err := r.clients.ask(&c, order{Do: "counts"}); err != nil {
		return err
	}
	first := c.Tally.Frames
	for k := range trafficFrames {
		if err := r.server.ask(nil, order{Do: "fire"}); err != nil {
			return err
		}
		want := first + int64((k+1)*f.n)
		if err := r.clients.ask(&c, order{Do: "frames", N: int(want)}); err != nil {
			return err
		}
		if c.Tally.Frames != want {
			return fmt.Errorf("%s: %d frames came; want %d; %d connections ended: %s", r.kind, c.Tally.Frames, want, c.Ended, c.Why)
		}
	}
	if err := r.clients.ask(&c, order{Do: "ping"}); err != nil {
		return err
	}
	if c.Pongs < int64(f.n) {
		return fmt.Errorf("%s: %d pongs of %d", r.kind, c.Pongs, f.n)
	}
	if err := r.clients.ask(&c, order{Do: "pings", N: f.n + int(c.Tally.Pings)}); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	resident, err := r.resident()
	if err != nil {
		return err
	}
	var s served
	if err := r.server.ask(&s, order{Do: "stat"}); err != nil {
		return err
	}
	n := float64(f.n)
	f.bytes[i], f.heap[i], f.gors[i] = float64(resident-r.fresh)/n, float64(s.Heap)/n, float64(s.Gors)/n
	return nil
}
