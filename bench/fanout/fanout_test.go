package main

import (
	"bytes"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test's own binary be a server or the clients, as fanout is.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == workerFlag {
		if err := work(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func (o options) of(n int) options {
	o.n, o.burst = n, 20
	return o
}

// TestMeasure measures everything at a tiny size: the figures mean nothing, but
// every byte must come, every frame must follow on the last, and every write
// must carry one.
func TestMeasure(t *testing.T) {
	sizes := []int{300, 4096, 20_480}
	rs, lat, err := matrix(t.Context(), 40, sizes, 2, 2, true, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	if len(rs) != len(sizes) {
		t.Fatalf("%d results; want %d", len(rs), len(sizes))
	}
	for i, r := range rs {
		if r.n != 40 || r.size != sizes[i] {
			t.Errorf("result %d is of %d sessions and %d bytes", i, r.n, r.size)
		}
		for server := range 2 {
			if !(r.ratio[server] > 0) || math.IsInf(r.ratio[server], 0) || !(r.floor[server] > 0) {
				t.Errorf("%d bytes, server %d: ratio %v, floor %v ns", r.size, server, r.ratio[server], r.floor[server])
			}
		}
		// Now and then the runtime writes to wake its poller.
		if r.writes < 0.95 || r.writes > 1.5 {
			t.Errorf("%d bytes: %v writes a frame", r.size, r.writes)
		}
	}
	for name, h := range map[string]*hist{"chartd": &lat.push, "floor": &lat.floor} {
		if h.N != 80 || h.quantile(0.5) <= 0 || h.Max <= 0 {
			t.Errorf("%s: %d deliveries, median %v ns, longest %d", name, h.N, h.quantile(0.5), h.Max)
		}
	}
}

// TestMemory measures it at a tiny size, where one process's own memory drowns
// that of its sessions.
func TestMemory(t *testing.T) {
	f, err := measureMemory(t.Context(), 20, true, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.bytes {
		if f.heap[i] <= 0 || f.gors[i] <= 0 {
			t.Errorf("server %d: %v bytes, of them heap %v; %v goroutines", i, f.bytes[i], f.heap[i], f.gors[i])
		}
	}
}

// TestScenarios runs each one small and short. What is a matter of time and
// memory is not looked at; what may never happen is.
func TestScenarios(t *testing.T) {
	never := []string{"ticks missed by a healthy session", "frames that do not follow on the last", "healthy connections that ended", "healthy sessions that are more than a frame behind at the end", "sessions that did not come back"}
	for name, play := range map[string]func(sc *scenario) ([]goal, error){
		"storm": func(sc *scenario) ([]goal, error) { return sc.storm(t.Context()) },
		"hold":  func(sc *scenario) ([]goal, error) { return sc.hold(t.Context()) },
		"views": func(sc *scenario) ([]goal, error) { return sc.views(t.Context()) },
		"churn": func(sc *scenario) ([]goal, error) { return sc.churn(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 40
			if name == "views" {
				n = 200
			}
			var out bytes.Buffer
			sc := &scenario{options: options{lasts: 3 * time.Second, quick: true}.of(n), n: n, calm: 100 * time.Millisecond, w: &out, say: t.Logf}
			gs, err := play(sc)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range gs {
				for _, what := range never {
					if g.what == what && g.got != 0 {
						t.Errorf("%s: %v\n%s", g.what, g.got, &out)
					}
				}
			}
			if len(gs) == 0 || !strings.Contains(out.String(), "sessions") {
				t.Errorf("%d goals and this report: %s", len(gs), &out)
			}
		})
	}
}

func TestUnknownScenario(t *testing.T) {
	_, err := runScenario(t.Context(), options{scenario: "calm"}, 100, io.Discard, t.Logf)
	if err == nil || !strings.Contains(err.Error(), "storm, hold, churn or views") {
		t.Errorf("error %v", err)
	}
}
