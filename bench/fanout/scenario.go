package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// scenario is one situation.
type scenario struct {
	options
	n   int
	w   io.Writer
	say func(string, ...any)
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
	sc := &scenario{options: o, w: w, say: say}
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
		table([]string{"", "all up after, s", "one, median s", "p99 s", "refused, came again", "broken, came again", "server CPU s"}, rows))
	return []goal{{"all connected", r.joined.MS / 1000, 10, " s"}, {"all back", back.MS / 1000, 10, " s"}}, nil
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
	cpu         time.Duration
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
	s.cpu = cpuOf(r.server.pid())
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
	healthy := float64(sc.n - cr.Frozen - cr.Slow - cr.Flighty)
	ticks := after.ticks - before.ticks
	due := ticks * healthy / float64(max(1, cr.Views))
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
		{"server CPU, of one core", fmt.Sprintf("%.0f %%", 100*(after.cpu-before.cpu).Seconds()/seconds)},
		{"resident before, after, MB", fmt.Sprintf("%d, %d", before.rss>>20, after.rss>>20)},
	}))
	if c.Why != "" {
		fmt.Fprintf(sc.w, "\nThe first that ended: %s\n", c.Why)
	}
	if t.Why != "" {
		fmt.Fprintf(sc.w, "\nThe first that broke: %s\n", t.Why)
	}
	return []goal{
		{"ticks that came late and were skipped", after.late - before.late, 0, ""},
		{"ticks missed by a healthy session", float64(t.Missed), 0, ""},
		{"frames that do not follow on the last", float64(t.Broken), 0, ""},
		{"healthy connections that ended", float64(c.Ended), 0, ""},
		// At both ends a frame may be on its way.
		{"ticks whose frames did not come", math.Abs(due-float64(t.Frames)) / healthy, 1, ""},
		{"p99 of a frame after its due, of the time between two", t.Due.quantile(0.99) / float64(cr.Period), 1, ""},
	}, nil
}

// churn brings as many reconnects in short time as an hour does in which one
// session in a hundred reconnects every second, each looking into another view,
// while others read slowly or not at all.
func (sc *scenario) churn(ctx context.Context) (gs []goal, err error) {
	s := live(time.Second)
	s.ttl = 5 * time.Second
	odd := max(1, sc.n/100)
	sc.say("%d sessions connect", sc.n)
	r, err := newRig(ctx, chartdKind, s, crowd{N: sc.n, Look: true, AtOnce: 100, Abort: true, Frozen: odd, Slow: odd})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	weigh := func() (rss, heap float64, err error) {
		// Until the sessions and views that were left behind are over.
		if err := pause(ctx, 20*time.Second); err != nil {
			return 0, 0, err
		}
		b, err := r.resident()
		if err != nil {
			return 0, 0, err
		}
		var st served
		err = r.server.ask(&st, order{Do: "stat"})
		return float64(b), float64(st.Heap), err
	}
	stir := func(n int) (counts, error) {
		if err := r.clients.ask(nil, order{Do: "reset"}); err != nil {
			return counts{}, err
		}
		var c counts
		if err := r.clients.tell(order{Do: "churn", N: n}); err != nil {
			return c, err
		}
		return c, r.clients.hearWithin(&c, 20*time.Minute)
	}
	hour := sc.n * 36
	if sc.quick {
		hour = sc.n * 10
	}
	// A server that has run for a while is the measure, not a fresh one.
	sc.say("five minutes' worth first")
	if _, err := stir(hour / 12); err != nil {
		return nil, err
	}
	rss, heap, err := weigh()
	if err != nil {
		return nil, err
	}
	sc.say("%d reconnects", hour)
	began := time.Now()
	c, err := stir(hour)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	rssAfter, heapAfter, err := weigh()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(sc.w, "\n%s sessions, %s reconnects in %.0f s, a tenth of them as somebody new, each with a sub and an unsub of one of %d other views; %d sessions read nothing and %d a kilobyte a second.\n\n",
		number(float64(sc.n)), number(float64(c.Churned)), took.Seconds(), extraViews, odd, odd)
	fmt.Fprint(sc.w, table([]string{"", "before", "after"}, [][]string{
		{"resident, MB", number(rss / 1e6), number(rssAfter / 1e6)},
		{"heap in use, MB", number(heap / 1e6), number(heapAfter / 1e6)},
		{"refused, came again", "", number(float64(c.Refused))},
		{"broken, came again", "", number(float64(c.Broken))},
	}))
	return []goal{
		{"resident after, × before", rssAfter / rss, 1.05, ""},
		{"heap after, × before", heapAfter / heap, 1.05, ""},
		{"sessions that did not come back", float64(sc.n - c.Up), 0, ""},
	}, nil
}
