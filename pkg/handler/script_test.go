package handler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// A script sees the call, and does what it says.
func TestScript(t *testing.T) {
	r := start(t, `
charts:
  one:
    title: One of $host
    refresh: 0
    vars: {host: web1}
    series: [{metric: m, name: "{of}"}]
    callbacks:
      - on: {action: "*"}
        script: |
          def callback(call):
              append("m", 3, labels={"of": call.arg["action"]})
              append("m", 4.5, labels={"of": call.arg["action"]}, t=now() - 1000)
              annotate("it " + call.arg["action"])
              annotate("a band", t=now() - 5000, to=now())
              set(window="15m", vars={"host": "web2"}, hidden=["b", "a"], thresholds=[{"at": 5, "text": "limit"}])
              found = series("m", labels={"of": call.arg["action"]}, since=60000)
              reply({
                  "cause": call.cause, "chart": [chart.name, chart.title, chart.kind, chart.window, chart.refresh, chart.size],
                  "view": [view.title, view.window, view.range, view.hidden, view.vars, len(view.marks), view.marks[0].text],
                  "session": [bool(session.id), session.user],
                  "series": [(s.metric, s.labels, [v for _, v in s.samples]) for s in found],
                  "one": [[v for _, v in s.samples] for s in series("m", limit=1)],
              })
      - on: range
        script: |
          def callback(call):
              set(range=(1700000000000.5, 1700000060000), refresh=500, size=(300, 200), paused=False)
              reply(view.range)
      - on: live
        script: |
          def callback(call):
              set(range=None)
      - on: fails
        script: |
          def callback(call):
              set(title="never")
              reply("never")
              fail("on purpose")
      - on: "*"
        script: |
          def callback(call):
              return False
`, nil)
	ok, failed := r.call(`{"action":"deploy"}`)
	if failed != nil || !*ok.Handled {
		t.Fatalf("%+v, %v", ok, failed)
	}
	want := `{"cause":"client","chart":["one","One of $host","line",300000,0,[800,400]],"one":[[3]],` +
		`"series":[["m",{"of":"deploy"},[4.5,3]]],"session":[true,""],` +
		`"view":["One of web2",900000,null,["a","b"],{"host":"web2"},2,"a band"]}`
	if string(ok.Reply) != want {
		t.Errorf("replied\n%s, want\n%s", ok.Reply, want)
	}
	if v := ok.View; v.Window.String() != "15m" || len(*v.Marks) != 2 || (*v.Marks)[0].To == 0 || (*v.Marks)[1].Text != "it deploy" || (*v.Thresholds)[0].At != 5 {
		t.Errorf("the view is %+v", v)
	}
	ok, failed = r.call(`"range"`)
	if failed != nil || string(ok.Reply) != "[1700000000000,1700000060000]" || *ok.View.To != 1700000060000 || *ok.View.Size != [2]int{300, 200} {
		t.Errorf("%+v, %v", ok, failed)
	}
	if ok, failed = r.call(`"live"`); failed != nil || ok.View.To != nil {
		t.Errorf("%+v, %v", ok, failed)
	}
	_, failed = r.call(`"fails"`)
	if failed == nil || failed.Code != wire.CodeCallbackFailed || failed.Message != "charts.one.callbacks[3].script:4:9: fail: on purpose" {
		t.Errorf("%v", failed)
	}
	r.Send(wire.Resync{V: r.v})
	if m := livetest.Until(r.Client, func(m wire.Full) bool { return m.V == r.v }); strings.Contains(m.SVG, "never") {
		t.Error("what a script that failed has set is shown")
	}
	if ok, failed = r.call(`"other"`); failed != nil || *ok.Handled {
		t.Errorf("%+v, %v", ok, failed)
	}
	if n := r.metric("chartd_script_runs_total", `on="fails"`, `outcome="failed"`); n != 1 {
		t.Errorf("failed is counted %v times", n)
	}
}

// Hooks run around a script as around anything else, a tick's and a client's.
func TestScriptHooks(t *testing.T) {
	var mu sync.Mutex
	heard := map[session.Cause][]string{}
	done := make(chan session.Cause, 100)
	hear := func(call *session.Call, what string) {
		mu.Lock()
		defer mu.Unlock()
		heard[call.Cause()] = append(heard[call.Cause()], what)
	}
	seen := func(call *session.Call) string { return call.View().Title }
	r := start(t, `
charts:
  one:
    refresh: 50ms
    window: 10s
    series: [{metric: queue}]
    callbacks:
      - on: tick
        script: |
          def callback(call):
              append("queue", 17 if call.arg == None else 0)
              set(title=call.cause)
      - on: MyCustomArgs
        script: |
          def callback(call):
              set(title=call.arg)
`, nil, daemon.WithHook("one", session.Hook{
		Before: func(_ context.Context, call *session.Call) error {
			hear(call, "before")
			return nil
		},
		After: func(_ context.Context, call *session.Call, err error, _ time.Duration) {
			hear(call, fmt.Sprint("after ", seen(call), err))
		},
		BeforeResponse: func(_ context.Context, call *session.Call) { hear(call, "before response") },
		AfterResponse: func(_ context.Context, call *session.Call) {
			hear(call, "after response")
			select {
			case done <- call.Cause():
			default:
			}
		},
	}))
	if ok, failed := r.call(`"MyCustomArgs"`); failed != nil || *ok.View.Title != "MyCustomArgs" {
		t.Fatalf("%+v, %v", ok, failed)
	}
	ticks, clients := 0, 0
	for ticks < 3 || clients < 1 {
		select {
		case cause := <-done:
			if cause == session.CauseTick {
				ticks++
			} else {
				clients++
			}
		case <-time.After(patience):
			t.Fatal("no hook")
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if got := heard[session.CauseClient]; !slices.Equal(got, []string{"before", "after MyCustomArgs<nil>", "before response", "after response"}) {
		t.Errorf("a client's: %q", got)
	}
	if got := heard[session.CauseTick][:4]; !slices.Equal(got, []string{"before", "after tick<nil>", "before response", "after response"}) {
		t.Errorf("a tick's: %q", got)
	}
	held := r.Store().Select("queue", nil)
	if len(held) != 1 || held[0].Len() < 3 {
		t.Errorf("the ticks' script appended to %v", held)
	}
}

// A script that loops for ever ends with a clear error, and no tick of any chart
// is late for it.
func TestScriptLoops(t *testing.T) {
	core, logs := observer.New(zap.ErrorLevel)
	r := start(t, `
charts:
  one:
    refresh: 250ms
    series: [{metric: m}]
    callbacks:
      - on: "*"
        script: |
          def callback(call):
              forever()

          def forever():
              for i in range(1000000000):
                  pass
  other: {refresh: 100ms, series: [{metric: m}]}
`, nil, daemon.WithLogger(zap.New(core)))
	other := r.Sub(wire.Sub{Chart: "other", View: plotting.Change{}}).V
	r.Full(other)
	before := r.metric("chartd_renders_total", `chart="other"`)
	calls := 0
	livetest.Eventually(t, "ticks beside it", func() bool {
		calls++
		_, failed := r.call(`"go"`)
		if failed != nil && failed.Code == wire.CodeRateLimited {
			return false
		}
		if failed == nil || failed.Code != wire.CodeCallbackFailed || !strings.HasPrefix(failed.Message, "charts.one.callbacks[0].script:") ||
			!strings.HasSuffix(failed.Message, ": it takes more than 1000000 steps") {
			t.Fatal(failed)
		}
		return calls >= 20 && r.metric("chartd_renders_total", `chart="other"`) > before
	})
	// A busy machine may be late now and then; what waits for a handler is late at
	// every tick.
	if n, of := r.metric("chartd_skipped_ticks_total", `reason="late"`), r.metric("chartd_renders_total"); n > max(3, of/4) {
		t.Errorf("%v ticks were late beside %v that were drawn", n, of)
	}
	if n := r.metric("chartd_callbacks_overrunning"); n != 0 {
		t.Errorf("%v scripts outlive their time", n)
	}
	lines := logs.FilterMessage("a script failed").All()
	if len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0].ContextMap()["trace"]), "callbacks[0].script:2:12: in callback") {
		t.Errorf("the log has %v", lines)
	}
}

// A script's file is read again when it changes. A broken one changes nothing,
// and is told with its line.
func TestScriptReload(t *testing.T) {
	dir := t.TempDir()
	file, source := filepath.Join(dir, "chartd.yaml"), filepath.Join(dir, "scripts", "a.star")
	put := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Dir(source), 0o700); err != nil {
		t.Fatal(err)
	}
	put(source, "def callback(call):\n    reply(1)\n")
	const yaml = `
charts:
  one:
    refresh: 0
    series: [{metric: m}]
    callbacks: [{on: x, script: scripts/a.star}]
`
	put(file, yaml)
	core, logs := observer.New(zap.InfoLevel)
	cfg, err := daemon.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, cfg, "one", daemon.WithLogger(zap.New(core)), daemon.WithConfigFile(file), daemon.WithListen("127.0.0.1:0"))
	reply := func() string {
		ok, failed := r.call(`"x"`)
		if failed != nil {
			t.Fatal(failed)
		}
		return string(ok.Reply)
	}
	if got := reply(); got != "1" {
		t.Fatal(got)
	}
	put(source, "def callback(call):\n    reply(nope)\n")
	livetest.Eventually(t, "the mistake is told", func() bool { return r.metric("chartd_config_last_reload_successful") == 0 })
	if got := reply(); got != "1" {
		t.Errorf("a broken script replies %s", got)
	}
	if all := fmt.Sprint(logs.FilterLevelExact(zap.ErrorLevel).All()); !strings.Contains(all, "scripts/a.star:2:11: undefined: nope") {
		t.Errorf("the log has %s", all)
	}
	put(source, "def callback(call):\n    reply(2)\n")
	livetest.Eventually(t, "the new script replies", func() bool { return reply() == "2" })
	if n := r.metric("chartd_config_last_reload_successful"); n != 1 {
		t.Errorf("success is %v", n)
	}
}

// The example's script does what it says.
func TestScriptExample(t *testing.T) {
	cfg, err := daemon.Load("../../configs/examples/callbacks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, cfg, "cpu")
	ok, failed := r.call(`{"action":"deploy","version":"1.2"}`)
	var said struct {
		Version string
		Busy    float64
		By      string
	}
	if failed != nil || json.Unmarshal(ok.Reply, &said) != nil || said.Version != "1.2" || *ok.View.Title != "CPU around 1.2" || (*ok.View.Marks)[0].Text != "deploy 1.2" {
		t.Errorf("%+v, %v", ok, failed)
	}
	if ok, failed = r.call(`{"action":"deploy"}`); failed != nil || *ok.Handled {
		t.Errorf("%+v, %v", ok, failed)
	}
}

// What a script reads of a view is made for it, and counts: it cannot be had by
// the thousand.
func TestScriptReadsAreCounted(t *testing.T) {
	r := start(t, `
charts:
  one:
    refresh: 0
    series: [{metric: m}]
    callbacks:
      - on: marks
        script: |
          def callback(call):
              for i in range(64):
                  annotate("mark %d" % i, t=1700000000000 + i)
              reply([m.text for m in view.marks if m.t])
      - on: all
        script: |
          def callback(call):
              kept = []
              for i in range(1000000):
                  kept.append(view.marks)
`, nil)
	if ok, failed := r.call(`"marks"`); failed != nil || !strings.HasSuffix(string(ok.Reply), `"mark 63"]`) {
		t.Fatalf("%s, %v", ok.Reply, failed)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, failed := r.call(`"all"`)
	runtime.ReadMemStats(&after)
	if failed == nil || !strings.Contains(failed.Message, "it needs more than 32MiB of memory") {
		t.Errorf("%v", failed)
	}
	if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > 96 {
		t.Errorf("%d MiB were made", made)
	}
}
