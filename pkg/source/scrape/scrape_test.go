package scrape

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/store"
)

// taken is an appender that writes down what it is given.
type taken struct {
	got  []string
	news chan string // of a test that waits
}

func (a *taken) Append(metric string, labels store.Labels, t int64, v float64) error {
	s := fmt.Sprintf("%s%s %v @%d", metric, labels, v, t)
	a.got = append(a.got, s)
	if a.news != nil {
		a.news <- s
	}
	return nil
}

// counts is what a source reports beside its samples.
type counts struct {
	skipped, rejected int
	why               error
}

func newSource(t *testing.T, cfg *Config) (*Source, *counts) {
	t.Helper()
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	c := &counts{}
	src, err := cfg.New(source.Deps{
		Name: "node", Logger: zaptest.NewLogger(t), Skip: func(n int) { c.skipped += n },
		Reject: func(n int, err error) { c.rejected += n; c.why = err },
	})
	if err != nil {
		t.Fatal(err)
	}
	return src.(*Source), c
}

func config(change func(*Config)) *Config {
	c := DefaultConfig()
	c.URL = "http://localhost:9100/metrics"
	if change != nil {
		change(c)
	}
	return c
}

// reading lets s take a body at time t and returns what was appended, sorted.
func reading(s *Source, t int64, body string) ([]string, error) {
	app := &taken{}
	s.round++
	err := s.take(&httpx.Answer{Body: []byte(body)}, false, t, app)
	s.endGone(t, app)
	slices.Sort(app.got)
	return app.got, err
}

func TestSeriesComeAndGo(t *testing.T) {
	s, counted := newSource(t, config(func(c *Config) { c.Drop = "go_.*"; c.Keep = ".*[a-z]" }))
	s.added = map[string]string{"job": "node", "instance": "h:1"}
	const own = `{instance="h:1", job="node"`
	for i, tc := range []struct {
		body string
		want []string
		err  string
	}{
		{"a 1\nb{x=\"1\"} 2\nb{x=\"2\"} 3\ngo_x 1\nz0 1\n", []string{"a" + own + "} 1 @1", "b" + own + `, x="1"} 2 @1`, "b" + own + `, x="2"} 3 @1`}, ""},
		{"a 2\nb{x=\"1\"} 3\n", []string{"a" + own + "} 2 @2", "b" + own + `, x="1"} 3 @2`, "b" + own + `, x="2"} NaN @2`}, ""},
		{"a NaN\n", []string{"a" + own + "} NaN @3", "b" + own + `, x="1"} NaN @3`}, ""},
		{"", nil, ""}, // a had its gap already
		{"a 5 77\na 6 78\n", []string{"a" + own + "} 5 @77", "a" + own + "} 6 @78"}, ""},
		{"a 1\na 2\nb{\nc +Inf\n", []string{"a" + own + "} 1 @6", "c" + own + "} NaN @6"}, ""},
		{"rubbish\nrubbish{\n", []string{"a" + own + "} NaN @7"}, `line 1: "rubbish" has no value`},
		{"a{job=\"theirs\",exported_instance=\"x\",instance=\"y\"} 1\n", []string{`a{exported_exported_instance="y", exported_instance="x", exported_job="theirs", instance="h:1", job="node"} 1 @8`}, ""},
	} {
		got, err := reading(s, int64(i+1), tc.body)
		if !slices.Equal(got, tc.want) || (err == nil) != (tc.err == "") || err != nil && err.Error() != tc.err {
			t.Errorf("%d: got %q, %v; want %q, %s", i+1, got, err, tc.want, tc.err)
		}
	}
	if counted.rejected != 2 || counted.why.Error() != "line 2: a is given twice" || counted.skipped != 1 {
		t.Errorf("%+v", counted)
	}
	if len(s.known) != 1 {
		t.Errorf("%d series are remembered", len(s.known))
	}

	s, _ = newSource(t, config(func(c *Config) { c.HonorLabels = true; c.Labels = map[string]string{"job": ""} }))
	s.added = map[string]string{"job": "", "instance": "h:1"}
	if got, err := reading(s, 1, "a{instance=\"y\"} 1\n"); err != nil || !slices.Equal(got, []string{`a{instance="y"} 1 @1`}) {
		t.Errorf("labels of the target: %q, %v", got, err)
	}
}

// TestASteadyTargetAllocatesNothing holds that a series costs its names only when it is new.
func TestASteadyTargetAllocatesNothing(t *testing.T) {
	s, _ := newSource(t, config(nil))
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "node_cpu_seconds_total{cpu=\"%d\",mode=\"idle\"} %d.5\n", i, i)
	}
	body, app := []byte(b.String()), nothing{}
	round := func() {
		s.round++
		if err := s.take(&httpx.Answer{Body: body}, false, 1, app); err != nil {
			t.Fatal(err)
		}
		s.endGone(1, app)
	}
	round()
	if n := testing.AllocsPerRun(20, round); n > 2 {
		t.Errorf("%v allocations for 1000 samples", n)
	}
}

type nothing struct{}

func (nothing) Append(string, store.Labels, int64, float64) error { return nil }

func TestRun(t *testing.T) {
	answers := make(chan func(http.ResponseWriter), 1)
	var accept atomic.Value // what was asked for last
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accept.Store(r.Header.Get("Accept"))
		(<-answers)(w)
	}))
	defer srv.Close()
	s, _ := newSource(t, config(func(c *Config) {
		c.URL = secret.URL(strings.Replace(srv.URL, "://", "://u:hunter2@", 1) + "/metrics")
		c.Interval = quantity.Duration(100 * time.Millisecond)
	}))
	host := strings.TrimPrefix(srv.URL, "http://")
	run := func() (*taken, chan error) {
		app := &taken{news: make(chan string)}
		done := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		go func() { done <- s.Run(ctx, app) }()
		return app, done
	}
	say := func(contentType, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", contentType)
			fmt.Fprint(w, body)
		}
	}
	app, done := run()
	answers <- say("text/plain", "a 1\n")
	if got, want := strings.Split(<-app.news, " @")[0], fmt.Sprintf("a{instance=%q, job=\"node\"} 1", host); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if accept := accept.Load().(string); !strings.HasPrefix(accept, "application/openmetrics-text;version=1.0.0") || !strings.Contains(accept, "text/plain;version=0.0.4") {
		t.Errorf("asked for %s", accept)
	}
	answers <- say("application/openmetrics-text; version=1.0.0; charset=utf-8", "a 2\n# EOF\n")
	if got := <-app.news; !strings.Contains(got, "} 2 @") {
		t.Error(got)
	}
	// What fails is an error that says so, and leaves a gap.
	for i, tc := range []struct {
		answer func(http.ResponseWriter)
		want   string
	}{
		{say("application/openmetrics-text", "a 3\n"), "/metrics: the answer is cut off: OpenMetrics ends with # EOF"},
		{say("text/html; charset=utf-8", "<html>"), "/metrics: the answer is of type text/html; want metrics, which are text/plain or application/openmetrics-text: is the path of url right, as /metrics?"},
		{say("text/plain", "hunter2\n"), `/metrics: line 1: "[secret]" has no value`},
		{func(w http.ResponseWriter) { http.Error(w, "no, hunter2", http.StatusForbidden) }, "/metrics: the answer is 403 Forbidden: no, [secret]"},
	} {
		if i > 0 {
			app, done = run()
		}
		answers <- tc.answer
		if i == 0 {
			if got := <-app.news; !strings.Contains(got, "} NaN @") {
				t.Error(got)
			}
		}
		if err := <-done; err == nil || err.Error() != "GET "+srv.URL+tc.want {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx, app); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"url: is missing; an address as http://localhost:9100/metrics":                             func(c *Config) { c.URL = "" },
		"interval: 1ms is out of range; a duration from 100ms to 1h":                               func(c *Config) { c.Interval = quantity.Duration(time.Millisecond) },
		"keep: error parsing regexp: missing closing ): `(a`; a regular expression as Go has them": func(c *Config) { c.Keep = "(a" },
		"timeout: 0 is out of range; a duration from 100ms to 10m":                                 func(c *Config) { c.Timeout = 0 },
	} {
		ps := config(change).Validate()
		if len(ps) != 1 || ps[0].Error() != want {
			t.Errorf("got %v, want %s", ps, want)
		}
	}
	for _, bad := range []func(*Config){func(c *Config) { c.Keep = "(" }, func(c *Config) { c.Drop = "(" }} {
		if _, err := config(bad).New(source.Deps{}); err == nil {
			t.Error("a source without its expression")
		}
	}
}

func BenchmarkTake(b *testing.B) {
	s := &Source{cfg: DefaultConfig(), known: map[string]*series{}, skip: func(int) {}, reject: func(int, error) {}}
	var body strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&body, "node_cpu_seconds_total{cpu=\"%d\",mode=\"idle\"} %d.5\n", i, i)
	}
	text, app := []byte(body.String()), nothing{}
	b.ReportAllocs()
	for b.Loop() {
		s.round++
		if err := s.take(&httpx.Answer{Body: text}, false, 1, app); err != nil {
			b.Fatal(err)
		}
		s.endGone(1, app)
	}
	b.ReportMetric(float64(1000*b.N)/b.Elapsed().Seconds(), "samples/s")
}
