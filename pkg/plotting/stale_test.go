package plotting_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// troubles says what is wrong, by origin.
type troubles map[string]string

func (t troubles) Trouble(origin string) string { return t[origin] }

// Waiting speaks of an origin without a name.
func (t troubles) Waiting() string { return t[""] }

// TestStale: a chart says what its sources are silent about, in patches that
// give what a full would show, and stops when they are well.
func TestStale(t *testing.T) {
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 86400e9)
	st := store.New(cfg, prometheus.NewRegistry())
	add := func(origin, metric string, at int64) {
		t.Helper()
		if err := st.From(origin).Append(metric, nil, at, 1); err != nil {
			t.Fatal(err)
		}
	}
	now := goldenNow
	add("db", "a", now)
	add("broker", "b", now-10_000)
	spec := plotting.DefaultSpec()
	spec.Title = "Two"
	spec.Series = []plotting.SeriesSpec{{Metric: "a"}, {Metric: "b"}}
	health := troubles{}
	live, c := plotting.NewLive(&spec, st).Heed(health), &client{}
	view := spec.View("c")
	hidden, err := spec.Change(view, plotting.Change{Hidden: &[]string{"b"}})
	if err != nil {
		t.Fatal(err)
	}
	fixed, err := spec.Change(view, plotting.Change{From: new(now - 1000), To: new(now)})
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		do   func()
		v    plotting.View
		want string // "": nothing is said
	}{
		{func() {}, view, ""},
		{func() { health["db"] = "connection refused" }, view, ""}, // it may be back at once
		{func() { now += 1000 }, view, ""},
		{func() { now += 41_000 }, view, "stale for 42 s: connection refused"},
		{func() { health["broker"] = "timed out" }, view, "stale for 52 s: timed out"}, // it is silent for longer
		{func() {}, hidden, "stale for 42 s: connection refused"},
		{func() {}, fixed, ""},
		{func() { now += 80_000 }, view, "stale for 2 min: timed out"},
		{func() { now += 3 * 3600_000 }, view, "stale for 3 h: timed out"},
		{func() { now += 9 * 86400_000 }, view, "stale for 9 d: timed out"},
		{func() { delete(health, "broker") }, view, "stale for 9 d: connection refused"},
		{func() { add("db", "a", now); delete(health, "db") }, view, ""},
		{func() { health["broker"] = "<script>" }, view, "stale for 9 d: &lt;script&gt;"},
		{func() { health[""] = "timed out" }, view, "stale for 9 d: &lt;script&gt;"}, // that is about others
	} {
		step.do()
		f, err := live.Render(step.v, now)
		if err != nil {
			t.Fatal(err)
		}
		full := svg(f)
		_, said, found := strings.Cut(full, "<text data-k='z' ")
		_, said, _ = strings.Cut(said, ">")
		said, _, _ = strings.Cut(said, "</text>")
		if found != (step.want != "") || said != step.want {
			t.Errorf("step %d: %q, want %q", i, said, step.want)
		}
		c.see(t, f)
	}

	// A chart without data waits for a source that has brought nothing yet.
	empty := spec
	empty.Series = []plotting.SeriesSpec{{Metric: "later"}, {Transform: "later * 2"}}
	live, c = plotting.NewLive(&empty, st).Heed(health), &client{}
	view = empty.View("c")
	none, err := empty.Change(view, plotting.Change{From: new(now - 1000), To: new(now)})
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		do   func()
		v    plotting.View
		want string
	}{
		{func() {}, view, ">waiting for data: timed out</text>"},
		{func() {}, none, ""},
		{func() { delete(health, "") }, view, ""},
		{func() { health[""] = "no such host" }, view, ">waiting for data: no such host</text>"},
		{func() { add("db", "later", now) }, view, ""}, // it was not that one
	} {
		step.do()
		f, err := live.Render(step.v, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := svg(f); strings.Contains(got, "waiting for") != (step.want != "") || !strings.Contains(got, step.want) {
			t.Errorf("waiting, step %d: want %q in %s", i, step.want, got)
		}
		c.see(t, f)
	}
	delete(health, "")

	spec.Series = []plotting.SeriesSpec{{Transform: "a * 2"}} // what is made of what is stale
	health["db"] = "no such host"
	now += 42_000
	f, err := plotting.NewLive(&spec, st).Heed(health).Render(view, now)
	if err != nil || !strings.Contains(svg(f), ">stale for 42 s: no such host</text>") {
		t.Errorf("a transform says %s, %v", svg(f), err)
	}
}
