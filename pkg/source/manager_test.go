package source_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config makes sources out of functions. Two are equal if ID is.
type config struct {
	ID     string
	run    *func(ctx context.Context, deps source.Deps, app store.Appender) error
	routes []string
	err    error
}

func (*config) Kind() string                { return "test" }
func (*config) Validate() []problem.Problem { return nil }

func (c *config) New(deps source.Deps) (source.Source, error) {
	if c.err != nil {
		return nil, c.err
	}
	s := &plain{deps, c}
	if len(c.routes) > 0 {
		return &receiver{*s}, nil
	}
	return s, nil
}

type plain struct {
	deps source.Deps
	cfg  *config
}

func (s *plain) Run(ctx context.Context, app store.Appender) error {
	return (*s.cfg.run)(ctx, s.deps, app)
}

type receiver struct{ plain }

func (r *receiver) Routes() map[string]http.Handler {
	out := map[string]http.Handler{}
	for _, p := range r.cfg.routes {
		out[p] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, r.deps.Name, " ", r.cfg.ID) })
	}
	return out
}

type runFunc = func(ctx context.Context, deps source.Deps, app store.Appender) error

func source1(id string, run runFunc, routes ...string) *config {
	return &config{ID: id, run: &run, routes: routes}
}

// steady appends a sample a second until it is told to stop.
func steady(ctx context.Context, deps source.Deps, app store.Appender) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			if err := app.Append("m", store.LabelsOf(map[string]string{"source": deps.Name}), now.UnixMilli(), 1); err != nil {
				return err
			}
		}
	}
}

// rig runs a manager in a bubble.
type rig struct {
	*source.Manager
	reg  *prometheus.Registry
	logs *observer.ObservedLogs
	stop func() error // ends Run and returns what it does
}

func newRig(t *testing.T) *rig {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	r := &rig{reg: prometheus.NewPedanticRegistry(), logs: logs}
	r.Manager = source.NewManager(store.New(store.DefaultConfig(), nil), zap.New(core), r.reg)
	return r
}

func (r *rig) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-result })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
}

func (r *rig) apply(t *testing.T, cfgs map[string]source.Config) {
	t.Helper()
	if err := r.Apply(cfgs); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) status(t *testing.T, name string) source.Status {
	t.Helper()
	for _, st := range r.Status() {
		if st.Name == name {
			return st
		}
	}
	t.Fatalf("there is no source %s in %v", name, r.Status())
	return source.Status{}
}

func TestOneSourceDoesNotStopAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		boom := errors.New("boom")
		release := make(chan struct{})
		r.apply(t, map[string]source.Config{
			"good":     source1("", steady),
			"errs":     source1("", func(context.Context, source.Deps, store.Appender) error { return boom }),
			"panics":   source1("", func(context.Context, source.Deps, store.Appender) error { panic("oh no") }),
			"hangs":    source1("", func(ctx context.Context, _ source.Deps, _ store.Appender) error { <-ctx.Done(); <-release; return nil }),
			"finishes": source1("", func(context.Context, source.Deps, store.Appender) error { return nil }),
		})
		r.start(t)
		time.Sleep(5*time.Minute + time.Millisecond)
		good := r.status(t, "good")
		if !good.Up || good.Samples != 300 || good.Errors != 0 || good.Rate < 0.97 || good.Rate > 1.03 || time.Since(good.Last) > time.Second {
			t.Errorf("good: %+v", good)
		}
		// 1 + 2 + 4 + … + 60 + 60 s, each spread by half either way.
		errs, panics := r.status(t, "errs"), r.status(t, "panics")
		if errs.Up || errs.Errors < 7 || errs.Errors > 14 || errs.Error != "boom" || !errs.Last.IsZero() {
			t.Errorf("errs: %+v", errs)
		}
		if panics.Errors < 7 || panics.Error != "panic: oh no" {
			t.Errorf("panics: %+v", panics)
		}
		if st := r.status(t, "hangs"); !st.Up {
			t.Errorf("hangs: %+v", st)
		}
		if st := r.status(t, "finishes"); st.Up || st.Errors != 0 {
			t.Errorf("finishes: %+v", st)
		}
		if n := r.logs.FilterMessage("source panicked").Len(); n != int(panics.Errors) {
			t.Errorf("%d panics are logged of %d", n, panics.Errors)
		}
		began := time.Now()
		err := r.stop()
		if err == nil || err.Error() != "these sources did not stop within 2s: hangs" || time.Since(began) != 2*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		r.stop = func() error { return nil } // the error has been seen
		close(release)
		if err := r.Apply(nil); err == nil {
			t.Error("Apply works after the end")
		}
	})
}

func TestPausesGrowAndAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var times []time.Time
		failing := source1("", func(ctx context.Context, _ source.Deps, _ store.Appender) error {
			times = append(times, time.Now())
			if len(times) == 9 { // well for a while, then failing again
				select {
				case <-ctx.Done():
				case <-time.After(2 * time.Minute):
				}
			}
			return errors.New("boom")
		})
		r.apply(t, map[string]source.Config{"a": failing})
		r.start(t)
		time.Sleep(15 * time.Minute)
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(times); i++ {
			nominal := min(time.Minute, time.Second<<min(i-1, 10))
			pause := times[i].Sub(times[i-1])
			if i == 9 {
				nominal, pause = time.Second, pause-2*time.Minute
			} else if i > 9 {
				nominal = min(time.Minute, time.Second<<min(i-9, 10))
			}
			if pause < nominal/2 || pause > nominal*3/2 {
				t.Errorf("pause %d is %v, want about %v", i, pause, nominal)
			}
		}
		if len(times) < 12 {
			t.Errorf("%d attempts", len(times))
		}
	})
}

func TestApplyTouchesOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var mu sync.Mutex
		running := map[string]int{}
		var events []string
		track := func(ctx context.Context, deps source.Deps, app store.Appender) error {
			mu.Lock()
			events = append(events, "start "+deps.Name)
			if running[deps.Name]++; running[deps.Name] > 1 {
				t.Errorf("two of %s run at once", deps.Name)
			}
			mu.Unlock()
			_ = app.Append("m", nil, time.Now().UnixMilli(), 1)
			deps.Skip(2)
			<-ctx.Done()
			time.Sleep(time.Second) // takes a while to stop
			mu.Lock()
			running[deps.Name]--
			events = append(events, "stop "+deps.Name)
			mu.Unlock()
			return nil
		}
		settled := func() []string {
			time.Sleep(10 * time.Second)
			mu.Lock()
			defer mu.Unlock()
			out := slices.Sorted(slices.Values(events))
			events = nil
			return out
		}
		run := track
		cfg := func(id string, routes ...string) *config { return &config{ID: id, run: &run, routes: routes} }
		r.apply(t, map[string]source.Config{"a": cfg("1"), "b": cfg("1", "GET /b"), "c": cfg("1")})
		r.apply(t, map[string]source.Config{"a": cfg("1"), "b": cfg("1", "GET /b"), "c": cfg("0")}) // before Run
		r.start(t)
		if got := settled(); !slices.Equal(got, []string{"start a", "start b", "start c"}) {
			t.Fatal(got)
		}
		r.apply(t, map[string]source.Config{"a": cfg("1"), "b": cfg("2", "GET /b"), "d": cfg("1")})
		if got := settled(); !slices.Equal(got, []string{"start b", "start d", "stop b", "stop c"}) {
			t.Fatal(got)
		}
		if st := r.status(t, "b"); st.Samples != 2 || st.Skipped != 4 {
			t.Errorf("the counters of a replaced source are %+v", st)
		}
		for name, bad := range map[string]source.Config{
			"fails":    &config{ID: "x", err: errors.New("no such file")},
			"collides": cfg("x", "GET /b"),
			"overlaps": cfg("x", "/{any}", "GET /{name}/x", "GET /{other}/x"),
			"garbled":  cfg("x", "GET"),
		} {
			err := r.Apply(map[string]source.Config{"a": cfg("changed"), "b": cfg("2", "GET /b"), name: bad})
			if err == nil || !strings.Contains(err.Error(), "sources."+name+": ") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := settled(); len(got) != 0 || len(r.Status()) != 3 {
			t.Errorf("an error changed something: %v, %v", got, r.Status())
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		if got := settled(); !slices.Equal(got, []string{"stop a", "stop b", "stop d"}) {
			t.Fatal(got)
		}
	})
}

func TestRoutesFollowTheSources(t *testing.T) {
	m := source.NewManager(store.New(store.DefaultConfig(), nil), zaptest.NewLogger(t), nil)
	get := func(method, path string) string {
		req := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		h, ok := m.Route(req)
		if !ok {
			return "none"
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		return rec.Body.String()
	}
	idle := func(ctx context.Context, _ source.Deps, _ store.Appender) error { <-ctx.Done(); return nil }
	if got := get("POST", "/in"); got != "none" {
		t.Errorf("at first: %s", got)
	}
	for _, id := range []string{"1", "2"} {
		if err := m.Apply(map[string]source.Config{"a": source1(id, idle, "POST /in", "/in/{what}")}); err != nil {
			t.Fatal(err)
		}
		if a, b, c, d := get("POST", "/in"), get("GET", "/in/x"), get("GET", "/"), get("GET", "/in"); a != "a "+id || b != "a "+id || c != "none" || d != "none" {
			t.Errorf("%q %q %q %q", a, b, c, d)
		}
	}
	if err := m.Apply(nil); err != nil {
		t.Fatal(err)
	}
	if got := get("POST", "/in"); got != "none" {
		t.Errorf("when it is gone: %s", got)
	}
}

func TestMetricsAndRejections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var stage atomic.Int32
		r.apply(t, map[string]source.Config{"a": source1("", func(ctx context.Context, deps source.Deps, app store.Appender) error {
			deps.Skip(7)
			deps.Reject(3, errors.New("not JSON"))
			if err := app.Append("", nil, time.Now().UnixMilli(), 1); err == nil {
				t.Error("a metric without a name was taken")
			}
			if stage.Add(1) == 1 {
				return errors.New("boom")
			}
			return steady(ctx, deps, app)
		})})
		r.start(t)
		synctest.Wait()
		if st := r.status(t, "a"); st.Error != "boom" || st.Reject != "metric: is empty; want 1 to 256 bytes of text" || st.Rejected != 4 || st.Kind != "test" {
			t.Errorf("%+v", st)
		}
		for r.status(t, "a").Samples < 3 {
			time.Sleep(time.Millisecond)
		}
		if st := r.status(t, "a"); st.Error != "" || st.Errors != 1 || !st.Up {
			t.Errorf("when it is well again: %+v", st)
		}
		time.Sleep(250*time.Millisecond - time.Since(r.status(t, "a").Last))
		want := `
# HELP chartd_source_age_seconds Seconds since the source's newest sample came in.
# TYPE chartd_source_age_seconds gauge
chartd_source_age_seconds{kind="test",source="a"} 0.25
# HELP chartd_source_errors_total Runs that ended in an error.
# TYPE chartd_source_errors_total counter
chartd_source_errors_total{kind="test",source="a"} 1
# HELP chartd_source_rejected_total Samples that could not be read, or that the store refused.
# TYPE chartd_source_rejected_total counter
chartd_source_rejected_total{kind="test",source="a"} 8
# HELP chartd_source_samples_total Samples taken in.
# TYPE chartd_source_samples_total counter
chartd_source_samples_total{kind="test",source="a"} 3
# HELP chartd_source_skipped_total Values left out on purpose, such as texts.
# TYPE chartd_source_skipped_total counter
chartd_source_skipped_total{kind="test",source="a"} 14
# HELP chartd_source_up 1 while the source runs, 0 while it waits to be tried again.
# TYPE chartd_source_up gauge
chartd_source_up{kind="test",source="a"} 1
`
		if err := testutil.GatherAndCompare(r.reg, strings.NewReader(want)); err != nil {
			t.Error(err)
		}
	})
}

// TestAGapIsNoNews holds that the marks with which a source says that it has nothing do not make it look well.
func TestAGapIsNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var runs atomic.Int32
		r.apply(t, map[string]source.Config{"a": source1("", func(ctx context.Context, _ source.Deps, app store.Appender) error {
			if runs.Add(1) == 1 {
				if err := app.Append("m", nil, time.Now().UnixMilli(), 1); err != nil {
					return err
				}
				return errors.New("boom")
			}
			if err := app.Append("m", nil, time.Now().UnixMilli(), math.NaN()); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		})})
		r.start(t)
		began := time.Now()
		time.Sleep(10 * time.Second)
		if st := r.status(t, "a"); runs.Load() != 2 || st.Samples != 2 || st.Error != "boom" || st.Last.UnixMilli() != began.UnixMilli() {
			t.Errorf("after a value at %v and then a gap: %+v", began, st)
		}
	})
}

func TestRegistry(t *testing.T) {
	var none source.Registry
	one := none.With("file", func() source.Config { return &config{ID: "default"} })
	two := one.With("tail", func() source.Config { return &config{} })
	if len(none) != 0 || !slices.Equal(one.Kinds(), []string{"file"}) || !slices.Equal(two.Kinds(), []string{"file", "tail"}) {
		t.Error("a registry is not a value")
	}
	if cfg, err := two.New("file"); err != nil || cfg.(*config).ID != "default" {
		t.Error(cfg, err)
	}
	if _, err := two.New("fiel"); err == nil || err.Error() != `"fiel" is no kind of source; did you mean "file"? It is one of: file, tail` {
		t.Error(err)
	}
}
