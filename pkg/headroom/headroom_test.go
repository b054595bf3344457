package headroom_test

import (
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/pkg/headroom"
)

func TestLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		used, reads := int64(0), 0
		read := func() headroom.Memory { reads++; return headroom.Memory{Used: used, Limit: 1000} }
		g, err := headroom.New(read, zap.New(core), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			used   int64
			want   headroom.Level
			logged int
		}{
			{0, headroom.Ample, 0},
			{849, headroom.Ample, 0},
			{850, headroom.Tight, 1},
			{801, headroom.Tight, 0}, // it does not come and go
			{799, headroom.Ample, 1},
			{849, headroom.Ample, 0},
			{920, headroom.Scarce, 1},
			{2000, headroom.Scarce, 0},
			{871, headroom.Scarce, 0},
			{869, headroom.Tight, 1},
			{919, headroom.Tight, 0},
			{0, headroom.Ample, 1},
		} {
			used = tt.used
			time.Sleep(50 * time.Millisecond)
			if got := g.Level(); got != tt.want {
				t.Errorf("%d of 1000 used: %v, want %v", tt.used, got, tt.want)
			}
			if n := len(logs.TakeAll()); n != tt.logged {
				t.Errorf("%d of 1000 used: %d lines, want %d", tt.used, n, tt.logged)
			}
		}
		// It is not read anew for every question.
		reads = 0
		for range 1000 {
			g.Level()
		}
		if reads > 0 {
			t.Errorf("read %d times within a moment", reads)
		}
	})
}

func TestNoLimit(t *testing.T) {
	var none *headroom.Gauge
	if none.Level() != headroom.Ample {
		t.Error("no gauge is not ample")
	}
	read := func() headroom.Memory { return headroom.Memory{Used: 1 << 60, Limit: math.MaxInt64} }
	g, err := headroom.New(read, zap.NewNop(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Level(); got != headroom.Ample {
		t.Errorf("without a limit: %v", got)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	if _, err := headroom.New(func() headroom.Memory { return headroom.Memory{Used: 900, Limit: 1000} }, zap.NewNop(), reg); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		got[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	for name, want := range map[string]float64{"chartd_memory_limit_bytes": 1000, "chartd_memory_used_bytes": 900, "chartd_memory_shedding": 1} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if _, err := headroom.New(nil, zap.NewNop(), reg); err == nil {
		t.Error("two of them count in one registry")
	}
}

// TestProcess fills the memory of a process of its own, whose environment sets
// the limit.
func TestProcess(t *testing.T) {
	const role = "CHARTD_TEST_FILL"
	if os.Getenv(role) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcess$", "-test.v")
		cmd.Env = append(cmd.Environ(), role+"=1", "GOMEMLIMIT=64MiB")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestProcess") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if got := debug.SetMemoryLimit(-1); got != 64<<20 {
		t.Fatalf("the limit is %d", got)
	}
	g, err := headroom.New(nil, zap.NewNop(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	level := func() headroom.Level {
		runtime.GC()
		<-time.After(60 * time.Millisecond) // the reading must age
		return g.Level()
	}
	if got := level(); got != headroom.Ample {
		t.Errorf("at first: %v", got)
	}
	garbage := 0
	for range 1000 { // garbage alone is no reason
		garbage += len(make([]byte, 1<<20))
	}
	if got := level(); got != headroom.Ample {
		t.Errorf("after %d bytes of garbage: %v", garbage, got)
	}
	held := make([][]byte, 0, 60)
	seen := map[headroom.Level]bool{}
	for len(held) < 60 {
		held = append(held, make([]byte, 1<<20))
		if len(held)%2 == 0 {
			seen[level()] = true
		}
	}
	if !seen[headroom.Tight] || !seen[headroom.Scarce] {
		t.Errorf("with %d MiB held: saw %v", len(held), seen)
	}
	held = nil
	if got := level(); got != headroom.Ample {
		t.Errorf("after all is free again: %v", got)
	}
	runtime.KeepAlive(held)
}
