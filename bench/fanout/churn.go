package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

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
		if err := pause(ctx, sc.calm); err != nil {
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
	began, cpu := time.Now(), cpuOf(r.server.pid())
	c, err := stir(hour)
	if err != nil {
		return nil, err
	}
	took, used := time.Since(began), cpuOf(r.server.pid())-cpu
	rssAfter, heapAfter, err := weigh()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(sc.w, "\n%s sessions, %s reconnects in %.0f s, a tenth of them as somebody new, each with a sub and an unsub of one of %d other views; %d sessions read nothing and %d a kilobyte a second.\n\n",
		number(float64(sc.n)), number(float64(c.Churned)), took.Seconds(), extraViews, odd, odd)
	fmt.Fprint(sc.w, table([]string{"", "before", "after"}, [][]string{
		{"resident, MB", number(rss / 1e6), number(rssAfter / 1e6)},
		{"heap in use, MB", number(heap / 1e6), number(heapAfter / 1e6)},
		{"server CPU, s", "", number(used.Seconds())},
		{"refused, came again", "", number(float64(c.Refused))},
		{"cut off, came again", "", number(float64(c.Broken))},
	}))
	sc.why(c)
	return []goal{
		{"resident after, × before", rssAfter / rss, 1.05, ""},
		{"heap after, × before", heapAfter / heap, 1.05, ""},
		{"sessions that did not come back", float64(sc.n - c.Up), 0, ""},
	}, nil
}
