package daemon_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/wire"
)

const (
	fileA = `
charts:
  kept: {title: Kept, refresh: 100ms, window: 30s, y: {min: 0, max: 10}, series: [{metric: m}]}
  changed: {title: Before, refresh: 100ms, window: 30s, series: [{metric: m}]}
  gone: {title: Gone, refresh: 100ms, window: 30s, series: [{metric: m}]}
`
	fileB = `
server: {origins: ["https://added.example"]}
charts:
  new: {title: New, refresh: 100ms, window: 30s, series: [{metric: m}]}
  kept: {title: Kept, refresh: 100ms, window: 30s, y: {min: 0, max: 10}, series: [{metric: m}]}
  changed: {title: After, refresh: 100ms, window: 30s, series: [{metric: m}]}
`
	broken = `
charts:
  kept: {title: Kept, refresh: 100ms, windw: 30s, series: [{metric: m}]}
  changed: {title: Broken, kind: lin, series: [{metric: m}]}
`
)

// replace writes a file the way editors do: a new one in the old one's place.
func replace(t *testing.T, path, text string) {
	t.Helper()
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		t.Fatal(err)
	}
}

func startFile(t *testing.T, text string) (r *rig, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "chartd.yaml")
	replace(t, path, text)
	cfg, err := daemon.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, cfg, daemon.WithConfigFile(path)), path
}

func TestReloadTouchesOnlyWhatChanged(t *testing.T) {
	r, path := startFile(t, fileA)
	r.append("m", 1)
	c := livetest.Dial(t, r.base)
	w := c.Hello("")
	changed, gone, kept := c.Sub(wire.Sub{Chart: "changed"}), c.Sub(wire.Sub{Chart: "gone"}), c.Sub(wire.Sub{Chart: "kept"})
	epoch := c.Full(kept.V).Pos.E

	replace(t, path, fileB)
	failed := livetest.Until(c, func(m wire.Failure) bool { return m.V == gone.V })
	if failed.Err.Code != wire.CodeUnknownChart {
		t.Errorf("the view of a chart that is gone: %v", failed.Err)
	}
	for !strings.Contains(c.Full(changed.V).SVG, "After") {
	}
	livetest.Eventually(t, "the new chart is there", func() bool {
		status, _ := r.get("/charts/new.svg")
		return status == 200
	})
	// The session is the same, and the chart that did not change noticed nothing.
	if n := r.metric("chartd_sessions", `state="connected"`); n != 1 {
		t.Errorf("%v sessions", n)
	}
	fresh := c.Sub(wire.Sub{Chart: "new"})
	c.Full(fresh.V)
	d := livetest.Dial(t, r.base)
	d.Hello("")
	if v := d.Sub(wire.Sub{Chart: "kept"}); v.V != kept.V || d.Full(v.V).Pos.E != epoch {
		t.Errorf("the chart that did not change began anew")
	}
	if _, body := r.get("/api/v1/charts"); !inOrder(body, `"name":"new"`, `"name":"kept"`, `"name":"changed"`) || strings.Contains(body, `"gone"`) {
		t.Errorf("not in the new file's order: %s", body)
	}
	if ok, at := r.metric("chartd_config_last_reload_successful"), r.metric("chartd_config_last_reload_success_timestamp_seconds"); ok != 1 || at < 1e9 {
		t.Errorf("successful %v, at %v", ok, at)
	}
	c.Cut()
	again := livetest.Dial(t, r.base)
	if got := again.Hello(w.Session); !got.Resumed {
		t.Error("the session did not outlive the reload")
	}
}

func inOrder(s string, parts ...string) bool {
	for _, p := range parts {
		_, rest, ok := strings.Cut(s, p)
		if !ok {
			return false
		}
		s = rest
	}
	return true
}

// A broken file changes nothing, whoever asks for it; its mistakes are logged
// with their lines and shown in /metrics, and a good file ends that.
func TestReloadOfABrokenFile(t *testing.T) {
	r, path := startFile(t, fileA)
	r.append("m", 1)
	c := livetest.Dial(t, r.base)
	c.Hello("")
	ok := c.Sub(wire.Sub{Chart: "changed"})
	m := wire.NewMirror(ok.V)
	c.Frames(m, 1)

	replace(t, path, broken) // noticed by itself
	livetest.Eventually(t, "the refusal is counted", func() bool { return r.metric("chartd_config_reload_failures_total") == 1 })
	err := r.ReloadFile() // and by SIGHUP
	mistakes, named := errors.AsType[*config.Errors](err)
	if !named || len(mistakes.List) != 2 {
		t.Fatalf("got %v", err)
	}
	if n := r.metric("chartd_config_reload_failures_total"); n != 2 {
		t.Errorf("%v failures counted", n)
	}
	if n := r.metric("chartd_config_last_reload_successful"); n != 0 {
		t.Errorf("successful: %v", n)
	}
	for line, want := range map[int]string{3: `did you mean "window"?`, 4: `did you mean "line"?`} {
		logged := r.logs.FilterMessage("configuration refused; what was there goes on").FilterField(zap.Int("line", line)).All()
		if len(logged) != 2 || !strings.Contains(logged[0].ContextMap()["error"].(string), want) {
			t.Errorf("line %d: logged %v", line, logged)
		}
	}
	r.append("m", 2)
	c.Frames(m, 1)
	if svg := string(m.SVG()); !strings.Contains(svg, "Before") || strings.Contains(svg, "Broken") {
		t.Error("the chart is not what it was")
	}

	replace(t, path, fileB)
	livetest.Eventually(t, "the good file counts", func() bool { return r.metric("chartd_config_last_reload_successful") == 1 })
	if status, _ := r.get("/charts/new.svg"); status != 200 {
		t.Errorf("the new chart: %d", status)
	}
}

func TestReloadByTheProgram(t *testing.T) {
	r := start(t, fileA)
	cfg, err := daemon.Parse("listen: \":9\"\nlog: {level: warn}\nstore: {max_age: 1h}\n" + fileB)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.get("/charts/new.svg"); status != 200 {
		t.Errorf("the new chart: %d", status)
	}
	if err := r.ReloadFile(); err == nil {
		t.Error("a file was read that nobody named")
	}
	reminders := r.logs.FilterMessage("this change takes effect at the next start")
	if n := reminders.FilterField(zap.String("setting", "store")).Len(); n != 1 || reminders.Len() != 1 {
		t.Errorf("%d reminders, %d of them that the store needs a start", reminders.Len(), n)
	}
}

// The file may be removed for a moment, or for good.
func TestReloadOfAMissingFile(t *testing.T) {
	r, path := startFile(t, fileA)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	livetest.Eventually(t, "the refusal is counted", func() bool { return r.metric("chartd_config_reload_failures_total") >= 1 })
	if status, _ := r.get("/charts/kept.svg"); status != 200 {
		t.Errorf("the old chart: %d", status)
	}
	replace(t, path, fileB)
	livetest.Eventually(t, "the new chart is there", func() bool {
		status, _ := r.get("/charts/new.svg")
		return status == 200
	})
}

// What --set says outlasts a reload, and is as strict as the file.
func TestSettingsOutlastReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chartd.yaml")
	replace(t, path, "listen: 127.0.0.1:0\n"+fileA)
	opts := []daemon.Option{daemon.WithConfigFile(path), daemon.WithSettings(config.Setting{Key: "charts.changed.title", Value: "Set"})}
	r := run(t, nil, opts...)
	c := livetest.Dial(t, r.base)
	c.Hello("")
	changed := c.Sub(wire.Sub{Chart: "changed"})
	if full := c.Full(changed.V); !strings.Contains(full.SVG, "Set") {
		t.Errorf("the setting is not there: %s", full.SVG)
	}
	gone := c.Sub(wire.Sub{Chart: "gone"})
	replace(t, path, "listen: 127.0.0.1:0\n"+fileB)
	livetest.Until(c, func(m wire.Failure) bool { return m.V == gone.V })
	c.Send(wire.Resync{V: changed.V})
	if full := c.Full(changed.V); !strings.Contains(full.SVG, "Set") || strings.Contains(full.SVG, "After") {
		t.Errorf("the file has won over the setting: %s", full.SVG)
	}
	// Without the chart, the setting alone makes no good one.
	replace(t, path, "listen: 127.0.0.1:0\n")
	if err := r.ReloadFile(); err == nil || !strings.Contains(err.Error(), "--set charts.changed.title: charts.changed.series") {
		t.Errorf("got %v", err)
	}
}
