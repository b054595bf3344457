package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// scenario is one situation.
type scenario struct {
	options
	n int
	// calm is how long churn waits until what was left behind is over.
	calm time.Duration
	w    io.Writer
	say  func(string, ...any)
}

// live is a server as people run it, whose view changes at every tick.
func live(refresh time.Duration) setup {
	return setup{heartbeat: 25 * time.Second, refresh: refresh, auto: true, ttl: 2 * time.Minute}
}

// runScenario holds chartd in a situation and says what became of it.
func runScenario(ctx context.Context, o options, room int, w io.Writer, say func(string, ...any)) ([]goal, error) {
	size := func(usual, quick int) int {
		switch {
		case o.n > 0:
			return fit(o.n, room)
		case o.quick:
			return fit(quick, room)
		}
		return fit(usual, room)
	}
	sc := &scenario{options: o, calm: 20 * time.Second, w: w, say: say}
	switch o.scenario {
	case "storm":
		sc.n = size(19_500, 2000)
		return sc.storm(ctx)
	case "hold":
		sc.n = size(19_500, 2000)
		return sc.hold(ctx)
	case "churn":
		sc.n = size(19_500, 1000)
		return sc.churn(ctx)
	case "views":
		sc.n = size(10_000, 2000)
		return sc.views(ctx)
	}
	return nil, fmt.Errorf("no scenario %q; want storm, hold, churn or views", o.scenario)
}

// why says how the first connection ended that should not have.
func (sc *scenario) why(c counts) {
	if c.Why != "" {
		fmt.Fprintf(sc.w, "\nThe first connection that ended: %s\n", c.Why)
	}
}

// period is how long a scenario lasts.
func (sc *scenario) period(usual, quick time.Duration) time.Duration {
	switch {
	case sc.lasts > 0:
		return sc.lasts
	case sc.quick:
		return quick
	}
	return usual
}

// hold keeps all sessions up for a while, a few of them behaving badly.
func (sc *scenario) hold(ctx context.Context) ([]goal, error) {
	odd := max(1, sc.n/100)
	cr := crowd{N: sc.n, Look: true, AtOnce: sc.burst, Frozen: odd, Slow: odd, Flighty: odd, Period: int64(time.Second)}
	return sc.watch(ctx, live(time.Second), cr, sc.period(10*time.Minute, 20*time.Second))
}

// views lets a hundred views be watched by a hundred sessions each.
func (sc *scenario) views(ctx context.Context) ([]goal, error) {
	const refresh = 250 * time.Millisecond
	cr := crowd{N: sc.n, Look: true, AtOnce: sc.burst, Views: sc.n / 100, Period: int64(refresh)}
	return sc.watch(ctx, live(refresh), cr, sc.period(30*time.Second, 10*time.Second))
}

// seen is a server and its clients at one moment.
type seen struct {
	counts      counts
	ticks, late float64
	cpu         time.Duration // of the server
	theirs      time.Duration // of the clients
	rss         int64
}

func (r *rig) look() (s seen, err error) {
	var m served
	if err := r.server.ask(&m, order{Do: "metrics"}); err != nil {
		return s, err
	}
	if err := r.clients.ask(&s.counts, order{Do: "counts"}); err != nil {
		return s, err
	}
	for name, v := range m.Metrics {
		switch {
		case strings.HasPrefix(name, "chartd_ticks_total"):
			s.ticks += v
		case strings.HasPrefix(name, "chartd_skipped_ticks_total"):
			s.late += v
		}
	}
	s.cpu, s.theirs = cpuOf(r.server.pid()), cpuOf(r.clients.pid())
	s.rss, err = rssOf(r.server.pid())
	return s, err
}

// watch lets sessions watch views that change by themselves.
func (sc *scenario) watch(ctx context.Context, s setup, cr crowd, lasts time.Duration) (gs []goal, err error) {
	sc.say("%d sessions connect", sc.n)
	r, err := newRig(ctx, chartdKind, s, cr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	if err := pause(ctx, 3*time.Second); err != nil {
		return nil, err
	}
	if err := r.clients.ask(nil, order{Do: "reset"}); err != nil {
		return nil, err
	}
	before, err := r.look()
	if err != nil {
		return nil, err
	}
	sc.say("they watch for %v", lasts)
	began := time.Now()
	for left := lasts; left > 0; left = lasts - time.Since(began) {
		if err := pause(ctx, min(left, 30*time.Second)); err != nil {
			return nil, err
		}
		now, err := r.look()
		if err != nil {
			return nil, err
		}
		t := now.counts.Tally
		sc.say("%3.0f s: %d up, %d frames, %d missed, %d late ticks, %d MB", time.Since(began).Seconds(), now.counts.Up, t.Frames, t.Missed, int(now.late-before.late), now.rss>>20)
	}
	after, err := r.look()
	if err != nil {
		return nil, err
	}
	seconds := time.Since(began).Seconds()
	c, t := after.counts, after.counts.Tally
	ticks := after.ticks - before.ticks
	if t.Frames == 0 {
		return nil, fmt.Errorf("no frame came in %.0f s", seconds)
	}
	fmt.Fprintf(sc.w, "\n%s sessions, %d of them frozen, %d slow, %d reconnecting, %.0f s:\n\n", number(float64(sc.n)), cr.Frozen, cr.Slow, cr.Flighty, seconds)
	ms := func(h *hist, q float64) string { return number(h.quantile(q) / 1e6) }
	fmt.Fprint(sc.w, table([]string{"", ""}, [][]string{
		{"ticks a second", number(ticks / seconds)},
		{"frames delivered to the healthy", number(float64(t.Frames))},
		{"… that were fulls", number(float64(t.Fulls))},
		{"… that came together with the next", number(float64(t.Behind))},
		{"from the tick's beginning to the client, ms: median, p99, longest", ms(&t.Delay, 0.5) + ", " + ms(&t.Delay, 0.99) + ", " + ms(&t.Delay, 1)},
		{"from the tick's due time, ms: median, p99, longest", ms(&t.Due, 0.5) + ", " + ms(&t.Due, 0.99) + ", " + ms(&t.Due, 1)},
		{"reconnects of the others", number(float64(c.Connect.N))},
		{"CPU of the server, of the clients, of one core", fmt.Sprintf("%.0f %%, %.0f %%", 100*(after.cpu-before.cpu).Seconds()/seconds, 100*(after.theirs-before.theirs).Seconds()/seconds)},
		{"resident before, after, MB", fmt.Sprintf("%d, %d", before.rss>>20, after.rss>>20)},
	}))
	sc.why(c)
	if t.Why != "" {
		fmt.Fprintf(sc.w, "\nThe first that broke: %s\n", t.Why)
	}
	return []goal{
		{"ticks that came late and were skipped", after.late - before.late, 0, ""},
		{"ticks missed by a healthy session", float64(t.Missed), 0, ""},
		{"frames that do not follow on the last", float64(t.Broken), 0, ""},
		{"healthy connections that ended", float64(c.Ended), 0, ""},
		{"healthy sessions that are more than a frame behind at the end", float64(c.Lagging), 0, ""},
		{"p99 of a frame after its due, of the time between two", t.Due.quantile(0.99) / float64(cr.Period), 1, ""},
	}, nil
}
