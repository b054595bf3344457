package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// storm connects all sessions at once, cuts them all, and lets them come back.
func (sc *scenario) storm(ctx context.Context) (gs []goal, err error) {
	s := quietSetup
	s.heartbeat, s.keep = 25*time.Second, false
	sc.say("%d sessions connect", sc.n)
	r, err := newRig(ctx, chartdKind, s, crowd{N: sc.n, Look: true, AtOnce: sc.burst})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	cpu := cpuOf(r.server.pid())
	if err := r.clients.ask(nil, order{Do: "cut"}); err != nil {
		return nil, err
	}
	// More frames than patches are kept: whoever comes back needs a full.
	for range 12 {
		if err := r.server.ask(nil, order{Do: "fire"}); err != nil {
			return nil, err
		}
		if err := pause(ctx, s.refresh); err != nil {
			return nil, err
		}
	}
	if err := r.clients.ask(nil, order{Do: "reset"}); err != nil {
		return nil, err
	}
	sc.say("they come back")
	var back counts
	if err := r.clients.ask(&back, order{Do: "back", N: sc.n}); err != nil {
		return nil, err
	}
	again := cpuOf(r.server.pid()) - cpu
	if back.Up != sc.n || back.Tally.Fulls < int64(sc.n) {
		return nil, fmt.Errorf("%d of %d sessions came back, with %d fulls: %s", back.Up, sc.n, back.Tally.Fulls, back.Why)
	}
	var rows [][]string
	for _, x := range []struct {
		name string
		c    counts
		cpu  time.Duration
	}{{"connect, hello, sub, full", r.joined, cpu}, {"all cut, all come back", back, again}} {
		rows = append(rows, []string{
			x.name, number(x.c.MS / 1000), number(x.c.Connect.quantile(0.5) / 1e9), number(x.c.Connect.quantile(0.99) / 1e9),
			number(float64(x.c.Refused)), number(float64(x.c.Broken)), number(x.cpu.Seconds()),
		})
	}
	fmt.Fprintf(sc.w, "\n%s sessions, %s at once:\n\n%s", number(float64(sc.n)), number(float64(sc.burst)),
		table([]string{"", "all up after, s", "one, median s", "p99 s", "refused, came again", "cut off, came again", "server CPU s"}, rows))
	sc.why(r.joined)
	sc.why(back)
	return []goal{{"all connected", r.joined.MS / 1000, 10, " s"}, {"all back", back.MS / 1000, 10, " s"}}, nil
}
