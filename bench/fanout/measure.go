package main

import (
	"context"
	"fmt"
	"io"
	"math"
)

// plan is what is measured at one number of sessions.
type plan struct {
	n, pairs, late int
	memory         bool
}

// plans says what is measured.
func plans(o options, room int) []plan {
	all := []plan{{n: 1000, pairs: 100}, {n: 5000, pairs: 30}, {n: 9800, pairs: 30, late: 15, memory: true}, {n: 19_500, pairs: 12}}
	if o.quick {
		all = []plan{{n: 1000, pairs: 30, late: 3, memory: true}}
	}
	if o.n > 0 {
		one := plan{n: o.n, pairs: max(12, min(100, 300_000/o.n)), late: 15, memory: true}
		if o.quick {
			one.pairs, one.late = max(12, one.pairs/3), 3
		}
		all = []plan{one}
	}
	for i := range all {
		if o.pairs > 0 {
			all[i].pairs = o.pairs
		}
		all[i].n = fit(all[i].n, room)
	}
	return all
}

// measure measures and prints what a frame, a session and a delivery cost.
func measure(ctx context.Context, o options, room int, w io.Writer, say func(string, ...any)) ([]goal, error) {
	sizes := []int{300, 4096, 20_480}
	if o.size > 0 {
		if o.size < 200 || o.size > 24<<10 {
			return nil, fmt.Errorf("-size %d; 200 to %d", o.size, 24<<10)
		}
		sizes = []int{o.size}
	}
	var rs []result
	var lats []*lateness
	var mems []*footprint
	one := func(p plan) error {
		r, lat, err := matrix(ctx, p.n, sizes, p.pairs, p.late, o.rival, say)
		rs = append(rs, r...)
		if lat != nil {
			lats = append(lats, lat)
		}
		if err != nil || !p.memory {
			return err
		}
		m, err := measureMemory(ctx, p.n, o.rival, say)
		if err == nil {
			mems = append(mems, m)
		}
		return err
	}
	var err error
	for _, p := range plans(o, room) {
		if err = one(p); err != nil {
			break
		}
	}
	// What was measured is worth showing, whatever came then.
	printFrames(w, rs)
	printLateness(w, lats)
	printMemory(w, mems)
	return goals(rs, lats, mems), err
}

// goals holds the measures against what shall be.
func goals(rs []result, lats []*lateness, mems []*footprint) (gs []goal) {
	for _, r := range rs {
		at := fmt.Sprintf("%s sessions, %s B: ", number(float64(r.n)), number(float64(r.size)))
		gs = append(gs, goal{at + "CPU, × plain writes", r.ratio[0], 1.12, ""})
		if !math.IsNaN(r.quotient()) && r.ratio[1] > 0 {
			gs = append(gs, goal{at + "CPU, × centrifuge's", r.quotient(), 0.65, ""})
		}
		gs = append(
			gs,
			goal{at + "allocations a frame", r.allocs, 0.05, ""},
			goal{at + "writes a frame", r.writes, 1.01, ""},
		)
	}
	for _, l := range lats {
		gs = append(gs, goal{fmt.Sprintf("%s sessions: p99 of delivery, × plain writes", number(float64(l.n))), l.quotient(), 1.3, ""})
	}
	for _, m := range mems {
		at := fmt.Sprintf("%s sessions: bytes of an idle session", number(float64(m.n)))
		gs = append(gs, goal{at, m.bytes[0], 6 << 10, " B"})
		if m.bytes[1] > 0 {
			gs = append(gs, goal{at + ", × centrifuge's", m.bytes[0] / m.bytes[1], 1. / 3, ""})
		}
	}
	return gs
}
