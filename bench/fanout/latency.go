package main

import (
	"context"
	"time"
)

// lateness is how long frames take from the beginning of their tick to the
// client, in ns, for chartd and for plain writes of ready bytes.
type lateness struct {
	n           int
	push, floor hist
}

// lateSize is the length of the frames whose delivery is timed, in bytes.
const lateSize = 300

// measureLateness pushes a frame a second, by chartd and by plain writes in
// turn.
func measureLateness(ctx context.Context, r *rig, rounds int) (*lateness, error) {
	if err := r.ready(lateSize); err != nil {
		return nil, err
	}
	next := time.Now()
	for i := range 2 * rounds {
		next = next.Add(time.Second / 2)
		if err := pause(ctx, time.Until(next)); err != nil {
			return nil, err
		}
		floor := (i/2+i)%2 == 1 // ABBA
		s, err := r.round(ctx, lateSize, floor)
		if err != nil {
			return nil, err
		}
		kind := "push"
		if floor {
			kind = "floor"
		}
		if err := r.clients.ask(nil, order{Do: "note", Kind: kind, Start: s.start}); err != nil {
			return nil, err
		}
	}
	l := &lateness{n: r.crowd.N}
	for kind, h := range map[string]*hist{"push": &l.push, "floor": &l.floor} {
		if err := r.clients.ask(h, order{Do: "list", Kind: kind}); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// quotient is chartd's p99 over that of the plain writes.
func (l *lateness) quotient() float64 { return l.push.quantile(0.99) / l.floor.quantile(0.99) }
