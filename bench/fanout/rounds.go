package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chartd/chartd/bench/internal/figures"
)

// lane is one server with the CPU time of its rounds, ns a frame.
type lane struct {
	*rig
	push, floor []float64
}

// ratios are the rounds of a lane, each divided by the floor round beside it.
func (l *lane) ratios() []float64 {
	rs := make([]float64, len(l.push))
	for i := range rs {
		rs[i] = l.push[i] / l.floor[i]
	}
	return rs
}

// pair measures one frame beside one floor round, in the order that alternates.
func (l *lane) pair(ctx context.Context, size int, floorFirst, keep bool) error {
	var ns [2]float64
	for i := range ns {
		floor := (i == 0) == floorFirst
		s, err := l.round(ctx, size, floor)
		if err != nil {
			return err
		}
		at := 0
		if floor {
			at = 1
		}
		ns[at] = float64(s.cpu) / float64(l.crowd.N)
	}
	if keep {
		l.push, l.floor = append(l.push, ns[0]), append(l.floor, ns[1])
	}
	return nil
}

// warmUp is how many pairs are not counted.
const warmUp = 5

// compare measures pairs of each lane in turn, the order of the lanes and of
// each pair alternating (ABBA), so that whatever else the machine does hits all
// alike.
func compare(ctx context.Context, lanes []*lane, size, pairs int) error {
	for _, l := range lanes {
		l.push, l.floor = nil, nil
		if err := l.ready(size); err != nil {
			return err
		}
	}
	for i := range warmUp + pairs {
		for j := range lanes {
			l := lanes[j]
			if i%2 == 1 {
				l = lanes[len(lanes)-1-j]
			}
			if err := l.pair(ctx, size, (i/2+j)%2 == 1, i >= warmUp); err != nil {
				return err
			}
		}
	}
	return nil
}

// result is what one size cost at one number of sessions.
type result struct {
	n, size int
	// Of chartd, then of centrifuge: ns a frame, and × the floor.
	cpu, floor, ratio, low, high [2]float64
	// Of chartd, a delivered frame.
	allocs, writes float64
}

// quotient is chartd's ratio over centrifuge's.
func (r result) quotient() float64 { return r.ratio[0] / r.ratio[1] }

// matrix measures all sizes at one number of sessions.
func matrix(ctx context.Context, n int, sizes []int, pairs, lateRounds int, withRival bool, say func(string, ...any)) (rs []result, lat *lateness, err error) {
	var lanes []*lane
	defer func() {
		for _, l := range lanes {
			err = errors.Join(err, l.stop())
		}
	}()
	kinds := []string{chartdKind}
	if withRival {
		kinds = append(kinds, centrifugeKind)
	}
	for _, kind := range kinds {
		r, err := newRig(ctx, kind, quietSetup, crowd{N: n})
		if err != nil {
			return nil, nil, err
		}
		lanes = append(lanes, &lane{rig: r})
		var s served
		if err := r.server.ask(&s, order{Do: "sockets"}); err != nil {
			return nil, nil, err
		}
		if s.N != n {
			return nil, nil, fmt.Errorf("%s has %d sockets for %d sessions", kind, s.N, n)
		}
	}
	for _, size := range sizes {
		say("%d sessions, frames of %d bytes, %d pairs", n, size, pairs)
		if err := compare(ctx, lanes, size, pairs); err != nil {
			return rs, nil, err
		}
		r := result{n: n, size: size}
		for i, l := range lanes {
			ratios := l.ratios()
			r.cpu[i], r.floor[i], r.ratio[i] = figures.Median(l.push), figures.Median(l.floor), figures.Median(ratios)
			r.low[i], r.high[i] = figures.Quantile(ratios, 0.25), figures.Quantile(ratios, 0.75)
		}
		if err := lanes[0].count(ctx, size, &r); err != nil {
			return rs, nil, err
		}
		rs = append(rs, r)
	}
	if lateRounds > 0 {
		say("%d sessions, delivery at 1 frame/s", n)
		if lat, err = measureLateness(ctx, lanes[0].rig, lateRounds); err != nil {
			return rs, nil, err
		}
	}
	for _, l := range lanes {
		if err := l.check(); err != nil {
			return rs, lat, err
		}
	}
	return rs, lat, nil
}

// counted is how many rounds are counted for allocations and system calls.
const counted = 10

// count measures what needs no clock: allocations and writes.
func (r *rig) count(ctx context.Context, size int, into *result) error {
	var before, after served
	if err := r.server.ask(&before, order{Do: "stat"}); err != nil {
		return err
	}
	writes, err := writesOf(r.server.pid())
	if err != nil {
		return err
	}
	for range counted {
		if _, err := r.round(ctx, size, false); err != nil {
			return err
		}
	}
	now, err := writesOf(r.server.pid())
	if err != nil {
		return err
	}
	if err := r.server.ask(&after, order{Do: "stat"}); err != nil {
		return err
	}
	frames := float64(counted * r.crowd.N)
	// Each round, the server's process answers two orders of the one who
	// measures: these writes are not chartd's.
	into.writes = float64(now-writes-2*counted) / frames
	into.allocs = float64(after.Mallocs-before.Mallocs) / frames
	return nil
}
