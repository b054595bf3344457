package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/builtin"
)

func kinds() source.Registry { return builtin.Kinds() }

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// environment is what the files under testdata may refer to.
func environment(name string) (string, bool) {
	v, ok := map[string]string{
		"PORT": "9000", "REFRESH": "250ms", "SIDE": "640", "WORD": "word", "EMPTY": "", "INJECT": "x}\n  y: {kind: bar",
		"WALL_TOKEN": "0123456789abcdef-wall", "OPERATOR_TOKEN": "0123456789abcdef-operator", "TELEGRAF_TOKEN": "0123456789abcdef-telegraf",
		"JWT_SECRET": "0123456789abcdef0123456789abcdef-jwt", "LINK_SECRET": "0123456789abcdef0123456789abcdef-link", "SHORT_SECRET": "hunter2",
	}[name]
	return v, ok
}

func parse(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	return config.Parse("f.yaml", []byte(text), kinds(), environment)
}

func good(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := parse(t, text)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return cfg
}

// TestBad holds the exact message of every file under testdata/bad.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 45 {
		t.Fatalf("%d bad files, want at least 45: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Parse(filepath.Base(file), data, kinds(), environment)
			if err == nil {
				t.Fatal("it is taken for good")
			}
			if cfg != nil {
				t.Error("there is a configuration beside the error")
			}
			if _, ok := errors.AsType[*config.Errors](err); !ok {
				t.Errorf("the error is a %T", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret of the file, or of the environment, is repeated: %v", err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".err", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%swant\n%s", file, got, want)
	}
}

// goodFiles are the files that must load: the default, the examples, and those
// of testdata/good.
func goodFiles(t testing.TB) []string {
	t.Helper()
	out := []string{"../../configs/chartd.yaml"}
	for _, pattern := range []string{"../../configs/examples/*.yaml", "testdata/good/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files: %v", pattern, len(files), err)
		}
		out = append(out, files...)
	}
	return out
}

func TestGood(t *testing.T) {
	for _, file := range goodFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cfg, err := config.Load(file, kinds(), environment)
			if err != nil {
				t.Fatal(err)
			}
			if len(cfg.Charts) == 0 {
				t.Error("it has no charts")
			}
		})
	}
}

func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../configs/examples/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d examples, want at least 8: %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(data), "#"); n < 8 || !strings.HasPrefix(string(data), "# ") {
			t.Errorf("%s has %d comments; a newcomer learns little from it", file, n)
		}
	}
}

// TestKinds holds that kinds.yaml shows every kind of chart there is.
func TestKinds(t *testing.T) {
	cfg, err := config.Load("../../configs/examples/kinds.yaml", kinds(), nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[plotting.Kind]bool{}
	for _, c := range cfg.Charts {
		seen[c.Kind] = true
	}
	for _, k := range plotting.Kinds() {
		if !seen[k] {
			t.Errorf("kinds.yaml has no chart of the kind %q", k)
		}
	}
}

func TestEmptyIsDefault(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "charts:\nsources:\nserver:\ndefaults:\n", "\ufeff"} {
		cfg := good(t, text)
		if cfg.Listen != ":8080" || len(cfg.Charts) != 0 || !reflect.DeepEqual(cfg.Session, session.DefaultConfig()) {
			t.Errorf("%q gives %+v", text, cfg)
		}
		// What is sent needs no configuration to be received.
		for _, name := range []string{"push", "influx", "remote_write", "otlp"} {
			if cfg.Sources[name] == nil {
				t.Errorf("%q has no source %s", text, name)
			}
		}
	}
}

func TestReceivers(t *testing.T) {
	tests := map[string]string{
		"sources: {push: false}":                                     "influx",
		"sources: {push: false, influx: false}":                      "",
		"sources: {mine: {type: push}}":                              "influx mine",
		"sources: {push: {type: influx}}":                            "push",
		"sources: {host: {type: host}}":                              "host influx push",
		"sources: {host: {type: host}, x: false}":                    "host influx push",
		"sources: {a: {type: push}, b: {type: host}, influx: false}": "a b",
	}
	for text, want := range tests {
		var got []string
		for _, name := range []string{"a", "b", "host", "influx", "mine", "push", "x"} {
			if good(t, text).Sources[name] != nil {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s gives the sources %q, want %q", text, got, want)
		}
	}
}

func TestChartOrderAndDefaults(t *testing.T) {
	cfg := good(t, `
defaults: {refresh: 250ms, window: 1m, kind: step, size: [320, 200], scope: shared}
charts:
  zebra: {series: [{metric: m}]}
  ant: {series: [{metric: m}], refresh: 2000, kind: line, scope: view}
`)
	z, a := cfg.Charts[0], cfg.Charts[1]
	if z.Name != "zebra" || a.Name != "ant" {
		t.Fatalf("the charts stand as %s, %s", z.Name, a.Name)
	}
	if z.Refresh.Millis() != 250 || z.Kind != plotting.Step || z.Size != [2]int{320, 200} || z.Scope != session.ScopeShared || z.Y.Unit != plotting.Short {
		t.Errorf("zebra is %+v", z)
	}
	if a.Refresh.Millis() != 2000 || a.Kind != plotting.Line || a.Scope != session.ScopeView || a.Window.Millis() != 60_000 {
		t.Errorf("ant is %+v", a)
	}
	if c, ok := cfg.Chart("ant"); !ok || c != a {
		t.Error("ant is not found by its name")
	}
	if other := cfg.WithListen(":1"); other.Listen != ":1" || cfg.Listen != ":8080" {
		t.Error("WithListen changed its receiver")
	}
}

func TestEnvironment(t *testing.T) {
	cfg := good(t, `
listen: "127.0.0.1:${PORT}"
charts:
  a:
    title: "${INJECT} of $host costs $$5, not $${WORD}"
    refresh: ${REFRESH}
    size: ["${SIDE}", "${HEIGHT:-300}"]
    vars: {host: "${HOST:-${WORD}}"}
    y: {max: "${MAX:-1.5}"}
    series: [{metric: m}]
`)
	a := cfg.Charts[0]
	if cfg.Listen != "127.0.0.1:9000" || len(cfg.Charts) != 1 || a.Title != "x}\n  y: {kind: bar of $host costs $5, not ${WORD}" {
		t.Errorf("it listens on %q, the title is %q", cfg.Listen, a.Title)
	}
	if a.Refresh.Millis() != 250 || a.Size != [2]int{640, 300} || a.Vars["host"].Default != "word" || *a.Y.Max != 1.5 {
		t.Errorf("the chart is %+v", a)
	}
}

func TestDefault(t *testing.T) {
	cfg, err := config.Default(kinds(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cpu", "load", "memory", "network", "disk"} {
		c, ok := cfg.Chart(name)
		if !ok {
			t.Errorf("no chart %q", name)
			continue
		}
		if c.Refresh.Millis() != 1000 || c.Window.Millis() != 120_000 {
			t.Errorf("%s is drawn every %v, %v wide", name, c.Refresh, c.Window)
		}
	}
	cpu, _ := cfg.Chart("cpu")
	if cpu.Kind != plotting.Area || !cpu.Stack || *cpu.Y.Min != 0 || *cpu.Y.Max != 100 || cpu.Y.Unit != plotting.Percent {
		t.Errorf("cpu is %+v", cpu)
	}
	if r := cpu.Callbacks[0]; r.On.Text != "MyCustomArgs" || r.Set.Window.String() != "15m" {
		t.Errorf("the first callback of cpu is %+v", r)
	}
	if _, err := config.Default(source.Registry{}, nil); err == nil || !strings.Contains(err.Error(), "sources.host.type") {
		t.Errorf("without any kind of source the default gives %v", err)
	}
}

func TestLoad(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "no.yaml")
	if _, err := config.Load(missing, kinds(), nil); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing+": there is no such file") {
		t.Errorf("a missing file gives %v", err)
	}
	if _, err := config.Load(t.TempDir(), kinds(), nil); err == nil {
		t.Error("a directory is taken for a configuration")
	}
	long := filepath.Join(t.TempDir(), "long.yaml")
	if err := os.WriteFile(long, []byte(strings.Repeat("#\n", 1<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(long, kinds(), nil); err == nil || !strings.Contains(err.Error(), "at most 1048576") {
		t.Errorf("2 MiB give %v", err)
	}
}

func TestCompare(t *testing.T) {
	base := `
sources: {host: {type: host}}
charts:
  a: {series: [{metric: m}]}
  b: {series: [{metric: m}]}
  c: {series: [{metric: m}], refresh: 3s}
`
	tests := []struct {
		name string
		edit func(string) string
		want config.Diff
	}{
		{"nothing", func(s string) string { return "# " + s }, config.Diff{}},
		{"a chart", func(s string) string { return strings.Replace(s, "b: {", "b: {title: B, ", 1) }, config.Diff{Charts: config.Names{Changed: []string{"b"}}}},
		{"a default", func(s string) string { return "defaults: {refresh: 2s}" + s }, config.Diff{Charts: config.Names{Changed: []string{"a", "b"}}}},
		{"added", func(s string) string { return s + "  d: {series: [{metric: m}]}\n" }, config.Diff{Charts: config.Names{Added: []string{"d"}}}},
		{"renamed", func(s string) string { return strings.Replace(s, "a: {", "z: {", 1) }, config.Diff{Charts: config.Names{Added: []string{"z"}, Removed: []string{"a"}}}},
		{"order", func(s string) string {
			return strings.NewReplacer("  a:", "  b:", "  b:", "  a:").Replace(s)
		}, config.Diff{Order: true}},
		{"a source", func(s string) string { return strings.Replace(s, "type: host", "type: host, interval: 5s", 1) }, config.Diff{Sources: config.Names{Changed: []string{"host"}}}},
		{"no source", func(s string) string { return strings.Replace(s, "host: {", "push: false, new: {", 1) }, config.Diff{Sources: config.Names{Added: []string{"new"}, Removed: []string{"host", "push"}}}},
		{"auth", func(s string) string { return "auth: {anonymous: {read: [a]}}\n" + s }, config.Diff{Sections: []string{"auth"}}},
		{"sections", func(s string) string { return "listen: ':1'\nserver: {max_pictures: 3}\nstore: {max_series: 5}\n" + s }, config.Diff{
			Sections: []string{"listen", "store", "server"}, Restart: []string{"listen", "store"},
		}},
	}
	for _, tt := range tests {
		got := config.Compare(good(t, base), good(t, tt.edit(base)))
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		if got.Empty() != (tt.name == "nothing") {
			t.Errorf("%s: empty is %v", tt.name, got.Empty())
		}
	}
}
