package daemon_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/wire"
)

// live has a chart that is given a sample on every tick. Its y axis is pinned,
// so that nothing but a sample changes.
const live = `
charts:
  live: {title: Live, refresh: 250ms, window: 30s, y: {min: 0, max: 10}, series: [{metric: m}]}
  still: {title: Still, refresh: 0, window: 30s, series: [{metric: m}]}
session: {linger: 30s}
`

func counting() (daemon.Option, *atomic.Int64) {
	var ticks atomic.Int64
	return daemon.WithCallback("live", func(_ context.Context, call *session.Call) error {
		return call.AppendNow("m", nil, float64(ticks.Add(1)%7))
	}), &ticks
}

// 200 sessions on one view: one render per tick, and every one of them sees
// every frame.
func TestOneRenderPerTick(t *testing.T) {
	const sessions, frames = 200, 8
	handler, ticks := counting()
	r := start(t, live, handler)
	clients := make([]*livetest.Client, sessions)
	for i := range clients {
		clients[i] = livetest.Dial(t, r.base)
		clients[i].Send(wire.Hello{}, wire.Sub{ID: "1", Chart: "live"})
	}
	mirrors := make([]*wire.Mirror, sessions)
	for i, c := range clients {
		mirrors[i] = wire.NewMirror(c.OK("1").V)
		c.Frames(mirrors[i], 1)
	}
	before := r.scrape()
	if v, s := before.value("chartd_views"), before.value("chartd_sessions", `state="connected"`); v != 1 || s != sessions {
		t.Fatalf("%v views, %v sessions", v, s)
	}
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			if fulls := c.Frames(mirrors[i], frames); fulls > frames/2 {
				t.Errorf("%d of %d frames were fulls", fulls, frames)
			}
		})
	}
	wg.Wait()
	// All there ever were: one render for the first look, and one for each tick.
	// The counters are read while they run, one after the other, so the two may
	// be a tick apart; more renders than that would only become more.
	var ran, ticked, renders float64
	livetest.Eventually(t, "as many renders as ticks", func() bool {
		ran = float64(ticks.Load())
		after := r.scrape()
		ticked, renders = after.value("chartd_ticks_total"), after.value("chartd_renders_total")
		t.Logf("%d sessions saw %d frames each: %v ticks, %v renders, %v runs of the handler", sessions, frames, ticked, renders, ran)
		return renders <= ticked+1
	})
	if seen := ticked - before.value("chartd_ticks_total"); ran > ticked || seen > 3*frames {
		t.Errorf("%v runs of the handler in %v ticks; %v ticks for %d frames", ran, ticked, seen, frames)
	}
	// And they all see the same.
	at := map[wire.Pos]string{}
	for i, m := range mirrors {
		svg := string(m.SVG())
		if other, ok := at[m.Pos()]; ok && other != svg {
			t.Fatalf("session %d sees something else at %v", i, m.Pos())
		}
		at[m.Pos()] = svg
	}
}

// A connection that is cut resumes the same session and view: with patches
// while they are held, otherwise with one full.
func TestCutAndResume(t *testing.T) {
	r := start(t, live)
	follower := livetest.Dial(t, r.base) // sees when the view has moved on
	follower.Hello("")
	v := follower.Sub(wire.Sub{Chart: "live"}).V
	seen := wire.NewMirror(v)
	r.append("m", 1)
	follower.Frames(seen, 1)
	step := func(n int) {
		t.Helper()
		for i := range n {
			r.append("m", float64(i%5))
			follower.Frames(seen, 1)
		}
	}
	step(2) // settled: no more fulls for a fresh range

	c := livetest.Dial(t, r.base)
	w := c.Hello("")
	ok := c.Sub(wire.Sub{Chart: "live"})
	mirror := wire.NewMirror(ok.V)
	c.Frames(mirror, 1)
	for _, tc := range []struct {
		name   string
		missed int
		fulls  int
	}{{"patches are held", 3, 0}, {"nothing missed", 0, 0}, {"too much missed", wire.Keep + 3, 1}} {
		c.Cut()
		livetest.Eventually(t, "the cut was noticed", func() bool { return r.metric("chartd_sessions", `state="waiting"`) == 1 })
		step(tc.missed)
		c = livetest.Dial(t, r.base)
		again := c.Hello(w.Session)
		if !again.Resumed || again.Session != w.Session {
			t.Fatalf("%s: welcome %+v", tc.name, again)
		}
		sub := wire.Sub{Chart: "live", Pos: mirror.Pos()}
		if ok.View != nil {
			sub.View = *ok.View
		}
		if got := c.Sub(sub); got.V != ok.V {
			t.Fatalf("%s: another view: %+v", tc.name, got)
		}
		// Either may be ahead: a label of the time axis makes a frame without
		// anything being appended.
		fulls := 0
		for mirror.Pos() != seen.Pos() {
			if mirror.Pos().R < seen.Pos().R {
				fulls += c.Frames(mirror, 1)
			} else {
				follower.Frames(seen, 1)
			}
		}
		if fulls != tc.fulls {
			t.Errorf("%s: %d fulls, want %d", tc.name, fulls, tc.fulls)
		}
		if string(mirror.SVG()) != string(seen.SVG()) {
			t.Errorf("%s: sees something else than one who was never cut", tc.name)
		}
	}
}

// The end: not ready, every session closed with 4000, Run back inside ten
// seconds, no goroutine left (TestMain looks).
func TestDrain(t *testing.T) {
	const sessions = 200
	handler, _ := counting()
	r := start(t, live, handler)
	clients := make([]*livetest.Client, sessions)
	for i := range clients {
		clients[i] = livetest.Dial(t, r.base)
		clients[i].Send(wire.Hello{}, wire.Sub{ID: "1", Chart: "live"})
	}
	for _, c := range clients {
		c.Full(c.OK("1").V)
	}
	deaf := livetest.DialDeaf(t, r.base) // one that takes no goodbye
	deaf.Send(wire.Hello{}, wire.Sub{ID: "1", Chart: "live"})
	begin := time.Now()
	r.stop()
	for i, c := range clients {
		if got := c.Closed(); got.Code != int(wire.CloseShutdown) {
			t.Fatalf("session %d: closed with %v", i, got)
		}
	}
	<-r.done
	if took := time.Since(begin); r.err != nil || took > 10*time.Second {
		t.Errorf("run returned %v after %v", r.err, took)
	} else {
		t.Logf("%d sessions closed in %v", sessions, took)
	}
}

// stubborn is a source that does not stop when it is told to.
type stubborn struct{ hangs <-chan struct{} }

func (stubborn) Validate() []problem.Problem                  { return nil }
func (stubborn) Kind() string                                 { return "stubborn" }
func (s *stubborn) New(source.Deps) (source.Source, error)    { return s, nil }
func (s *stubborn) Run(context.Context, store.Appender) error { <-s.hangs; return nil }

// A handler and a source that do not end with their contexts, a request that
// takes its time and a client that does not read, all at once, keep nobody from
// his goodbye, and the daemon not beyond its ten seconds. It names who hangs.
func TestDrainOfWhatHangs(t *testing.T) {
	hangs, ended := make(chan struct{}), make(chan struct{})
	entered, asked := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r := start(t, live+"sources: {mule: {type: stubborn}}",
		daemon.WithSource("stubborn", func() source.Config { return &stubborn{hangs} }),
		daemon.WithCallback("live", func(context.Context, *session.Call) error {
			once.Do(func() { close(entered) })
			<-hangs
			return nil
		}),
		daemon.WithPage("GET /slow", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			defer close(ended)
			close(asked)
			<-hangs
		})),
	)
	c := livetest.Dial(t, r.base)
	c.Hello("")
	c.Sub(wire.Sub{Chart: "live"})
	livetest.DialDeaf(t, r.base).Send(wire.Hello{}, wire.Sub{ID: "1", Chart: "live"})
	<-entered
	var asking sync.WaitGroup
	asking.Go(func() {
		req, err := http.NewRequestWithContext(t.Context(), "GET", r.base+"slow", nil)
		if err != nil {
			t.Error(err)
			return
		}
		if resp, err := http.DefaultClient.Do(req); err == nil { // it is cut off
			_ = resp.Body.Close()
			t.Errorf("the slow page answers %s", resp.Status)
		}
	})
	<-asked
	begin := time.Now()
	r.stop()
	if got := c.Closed(); got.Code != int(wire.CloseShutdown) {
		t.Errorf("closed with %v", got)
	}
	<-r.done
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("run returned after %v", took)
	} else {
		t.Logf("run returned after %v", took)
	}
	for _, want := range []string{"did not stop within 2s: mule", "callbacks of ticks still run"} {
		if r.err == nil || !strings.Contains(r.err.Error(), want) {
			t.Errorf("run says %v, which lacks %q", r.err, want)
		}
	}
	r.err = nil
	close(hangs)
	<-ended
	asking.Wait()
}

func TestListenErrors(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	cfg, err := daemon.Parse(live)
	if err != nil {
		t.Fatal(err)
	}
	d, err := daemon.New(cfg.WithListen(ln.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Run(t.Context()); err == nil || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("got %v", err)
	}
	if err := d.Run(t.Context()); err == nil {
		t.Error("a daemon runs twice")
	}
	if err := d.Reload(cfg); err == nil {
		t.Error("a stopped daemon reloads")
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	nop := func(context.Context, *session.Call) error { return nil }
	for _, tc := range []struct {
		name string
		opts []daemon.Option
		want string
	}{
		{"no such chart", []daemon.Option{daemon.WithCallback("liv", nop)}, `did you mean "live"?`},
		{"hook of no such chart", []daemon.Option{daemon.WithHook("liv", session.Hook{})}, `did you mean "live"?`},
		{"two callbacks", []daemon.Option{daemon.WithCallback("live", nop), daemon.WithCallback("live", nop)}, "has a callback already"},
		{"two for all", []daemon.Option{daemon.WithCallback("", nop), daemon.WithCallback("*", nop)}, "has a callback already"},
		{"nil callback", []daemon.Option{daemon.WithCallback("live", nil)}, "is nil"},
		{"bad page", []daemon.Option{daemon.WithPage("/{", nil)}, `page "/{"`},
		{"no such file", []daemon.Option{daemon.WithConfigFile("/nowhere/chartd.yaml")}, "/nowhere/chartd.yaml"},
	} {
		cfg, err := daemon.Parse(live)
		if err != nil {
			t.Fatal(err)
		}
		if tc.name == "no such file" {
			cfg = nil
		}
		if _, err := daemon.New(cfg, tc.opts...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

// Without a file and without an option, a daemon shows its own machine.
func TestDefault(t *testing.T) {
	cfg, err := daemon.Load("")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r := run(t, cfg, daemon.WithAnnounce(&out), daemon.WithVersion("chartd/1.2.3"))
	if want := "chartd is live at " + r.base + "\n"; out.String() != want {
		t.Errorf("announced %q, want %q", out.String(), want)
	}
	if _, body := r.get("/api/v1/charts"); !strings.Contains(body, `"name":"cpu"`) || !strings.Contains(body, `"server":"chartd/1.2.3"`) {
		t.Errorf("charts: %s", body)
	}
	livetest.Eventually(t, "the machine has been measured", func() bool {
		return r.metric("chartd_source_samples_total", `source="host"`) > 0
	})
	for _, c := range cfg.Charts {
		if status, body := r.get("/charts/" + c.Name + ".svg"); status != 200 || !strings.Contains(body, "<svg") {
			t.Errorf("%s: %d", c.Name, status)
		}
	}
	if v := r.metric("chartd_build_info", `version="1.2.3"`); v != 1 {
		t.Errorf("build info %v", v)
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes", "chartd_config_last_reload_successful"} {
		if r.metric(name) == 0 {
			t.Errorf("/metrics lacks %s", name)
		}
	}
}

// The push source takes samples over HTTP, and a chart shows them.
func TestPushToChart(t *testing.T) {
	r := start(t, live)
	c := livetest.Dial(t, r.base)
	c.Hello("")
	v := c.Sub(wire.Sub{Chart: "live"}).V
	const line = "data-name='m'"
	if before := c.Full(v).SVG; strings.Contains(before, line) {
		t.Fatal("there is a line before there are samples")
	}
	if status, body := r.do("POST", "/api/v1/push", `{"metric":"m","v":4.2}`); status != 204 {
		t.Fatalf("push: %d %s", status, body)
	}
	m := wire.NewMirror(v)
	c.Send(wire.Resync{V: v})
	for frames := 0; !strings.Contains(string(m.SVG()), line); frames++ {
		if frames > 20 {
			t.Fatalf("no line in %s", m.SVG())
		}
		c.Frames(m, 1)
	}
	if status, body := r.do("POST", "/api/v1/push", `{"metric":"m","v":"x"}`); status != 400 || !strings.Contains(body, `"rejected"`) {
		t.Errorf("bad push: %d %s", status, body)
	}
}

// Two daemons live in one process without knowing of each other.
func TestTwoDaemons(t *testing.T) {
	a, b := start(t, live), start(t, live)
	a.append("m", 1)
	if n := b.metric("chartd_store_appended_total"); n != 0 {
		t.Errorf("the other one's store has %v samples", n)
	}
	if errors.Is(a.err, b.err) && a.base == b.base {
		t.Error("they share an address")
	}
}

// A program may serve the daemon from an HTTP server of its own.
func TestHandlerOfAnotherServer(t *testing.T) {
	cfg, err := daemon.Parse(live)
	if err != nil {
		t.Fatal(err)
	}
	d, err := daemon.New(cfg.WithListen(""), daemon.WithLogger(zap.NewNop()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	<-d.Ready()
	if d.Addr() != nil || d.URL() != "" {
		t.Errorf("it listens at %v", d.Addr())
	}
	s := httptest.NewServer(d.Handler())
	defer s.Close()
	c := livetest.Dial(t, s.URL)
	c.Hello("")
	c.Full(c.Sub(wire.Sub{Chart: "live"}).V)
	stop()
	if got := c.Closed(); got.Code != int(wire.CloseShutdown) {
		t.Errorf("closed with %v", got)
	}
	running.Wait()
}
