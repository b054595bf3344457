package sources

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// nodeModules installs what the package.json of a folder names, unless it is there.
func nodeModules(t testing.TB, dir, one string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "node_modules", one, "package.json")); err == nil {
		return
	}
	cmd := exec.CommandContext(t.Context(), program(t, "npm", "npm"), "ci", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci in %s: %v\n%s", dir, err, out)
	}
}

// total adds up the samples of a series.
func total(samples []store.Sample) (sum float64) {
	for _, s := range values(samples) {
		sum += s.V
	}
	return sum
}

// TestStatsdRubbish sends what is no StatsD to a source whose port was taken at first.
func TestStatsdRubbish(t *testing.T) {
	t.Parallel()
	other, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := other.LocalAddr().String()
	r := start(t, fmt.Sprintf("sources: {statsd: {type: statsd, address: %q, flush_interval: 100ms}}", addr))
	livetest.Eventually(t, "the source says that its port is taken", func() bool { return strings.Contains(r.status("statsd").Error, "address already in use") })
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}

	conn, err := (&net.Dialer{}).DialContext(t.Context(), "udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	rubbish := func() {
		_, _ = conn.Write([]byte("rubbish\nhits:x|c\nhits:1|g|#env:test,page:home\nlevel:\xff|g\n\x00\x01")) // refused while nobody listens
	}
	livetest.Eventually(t, "it listens after all, and names what it cannot read", func() bool {
		rubbish()
		st := r.status("statsd")
		return st.Rejected >= 5 && strings.Contains(st.Reject, "from 127.0.0.1:") && strings.Contains(st.Reject, "want name:value|type")
	})
	rejected := r.status("statsd").Rejected
	if _, err := conn.Write([]byte("hits:0|c|#env:test,page:home\nbefore:1|c")); err != nil { // it is a gauge by now, and rejected
		t.Fatal(err)
	}
	livetest.Eventually(t, "a good line behind a bad one is taken", func() bool { return total(r.one("before.count")) == 1 })
	if n := r.status("statsd").Rejected; n <= rejected {
		t.Errorf("a counter that has been a gauge is not rejected: %d", n)
	}
}

// TestStatsdClient counts what hot-shots, a StatsD client for Node, sends over UDP.
func TestStatsdClient(t *testing.T) {
	t.Parallel()
	nodeModules(t, "statsd", "hot-shots")
	addr := freeUDP(t)
	r := start(t, fmt.Sprintf("sources: {statsd: {type: statsd, address: %q, flush_interval: 100ms, percentiles: [50, 99.9]}}", addr))
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	livetest.Eventually(t, "it listens", func() bool {
		_, _ = conn.Write([]byte("up:1|g")) // refused while nobody listens
		return len(r.one("up")) > 0
	})
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t, "node", "nodejs"), "client.js", port) //nolint:gosec // a port of our own
	cmd.Dir = "statsd"
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "sent\n" {
		t.Fatalf("%v: %s", err, out)
	}
	counts := func(name string, labels ...string) func() float64 {
		return func() float64 { return total(r.one(name, labels...)) }
	}
	last := func(name string, labels ...string) func() float64 {
		return func() float64 {
			if s := values(r.one(name, labels...)); len(s) > 0 {
				return s[len(s)-1].V
			}
			return -1
		}
	}
	for _, want := range []struct {
		what string
		got  func() float64
		is   float64
	}{
		{"counters", counts("hits.count", "page=home", "env=test"), 1000},
		{"counters with another tag", counts("hits.count", "page=shop", "env=test"), 1000},
		{"timers", counts("latency.count", "page=home"), 2000},
		{"their sum", counts("latency.sum", "page=home"), 20 * 99 * 100 / 2},
		{"gauges", last("level", "room=a:b", "flag=true"), 7.5},
		{"a histogram and a distribution", counts("size.count"), 2},
		{"Telegraf's form", counts("jobs.count", "queue=mail"), 3},
	} {
		livetest.Eventually(t, want.what, func() bool { return want.got() == want.is })
	}
	// Each second one is sent, and counts twice: 2000 on average, and 300 more or less is seven times the deviation.
	if n := total(r.one("sampled.count")); n < 1700 || n > 2300 {
		t.Errorf("%v of 2000 with a sampling rate of 0.5", n)
	}
	most := 0.0
	for _, s := range r.one("users.count") {
		most = max(most, s.V)
	}
	if most != 7 {
		t.Errorf("%v different users", most)
	}
	lower, upper := values(r.one("latency.lower")), values(r.one("latency.p99.9"))
	// The first of them may come alone, before the others of its ten.
	byValue := func(a, b store.Sample) int { return cmp.Compare(a.V, b.V) }
	if len(lower) == 0 || slices.MinFunc(lower, byValue).V != 0 || len(upper) == 0 || slices.MaxFunc(upper, byValue).V < 90 || slices.MaxFunc(upper, byValue).V > 99 {
		t.Errorf("latency goes from %v to %v", lower, upper)
	}
	if st := r.status("statsd"); st.Rejected != 0 || st.Skipped != 2 || st.Error != "" {
		t.Errorf("%+v", st)
	}
}

// freeUDP returns an address of loopback where nobody listens over UDP.
func freeUDP(t testing.TB) string {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().String()
}
