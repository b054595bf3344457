package main

import (
	"context"
	"time"

	"github.com/chartd/chartd/bench/internal/figures"
)

// lateness is how long frames take from the beginning of their tick to the
// client, in ns, for chartd and for plain writes of ready bytes.
type lateness struct {
	n           int
	push, floor hist
	// ratios are the p99 of each round of chartd, divided by that of the round
	// of plain writes beside it.
	ratios []float64
}

// lateSize is the length of the frames whose delivery is timed, in bytes.
const lateSize = 300

// measureLateness pushes a frame a second, by chartd and by plain writes in
// turn.
func measureLateness(ctx context.Context, r *rig, rounds int) (*lateness, error) {
	if err := r.ready(lateSize); err != nil {
		return nil, err
	}
	l := &lateness{n: r.crowd.N}
	var p99 [2]float64 // of chartd, of plain writes
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
		kind, at := "push", 0
		if floor {
			kind, at = "floor", 1
		}
		var this noted
		if err := r.clients.ask(&this, order{Do: "note", Kind: kind, Start: s.start}); err != nil {
			return nil, err
		}
		p99[at] = this.P99
		if i%2 == 1 {
			l.ratios = append(l.ratios, p99[0]/p99[1])
		}
	}
	for kind, h := range map[string]*hist{"push": &l.push, "floor": &l.floor} {
		if err := r.clients.ask(h, order{Do: "list", Kind: kind}); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// quotient is chartd's p99 over that of the plain writes: the median over the
// rounds. Among all deliveries of a run, the p99 is that of its one worst round,
// which is the machine's, not the server's.
func (l *lateness) quotient() float64 { return figures.Median(l.ratios) }
