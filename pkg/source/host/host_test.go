package host

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shirou/gopsutil/v4/common"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder keeps what is appended, reading by reading.
type recorder struct {
	mu    sync.Mutex
	times []int64
	byAt  map[int64]map[string]float64 // by "metric{labels}"
}

func (r *recorder) Append(metric string, labels store.Labels, t int64, v float64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byAt == nil {
		r.byAt = map[int64]map[string]float64{}
	}
	if r.byAt[t] == nil {
		r.byAt[t] = map[string]float64{}
		r.times = append(r.times, t)
	}
	name := metric
	if len(labels) > 0 {
		name += labels.String()
	}
	if _, twice := r.byAt[t][name]; twice {
		return fmt.Errorf("%s is given twice", name)
	}
	r.byAt[t][name] = v
	return nil
}

// TestMetrics finds every name that Metrics tells in the files that add samples, and no other.
func TestMetrics(t *testing.T) {
	found := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`r\.add\("(host_\w+)"`).FindAllSubmatch(text, -1) {
			found[string(m[1])] = true
		}
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, Metrics()) {
		t.Errorf("the source adds %q, Metrics tells %q", got, Metrics())
	}
}

// readings returns how many there are so far.
func (r *recorder) readings() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.times)
}

func (r *recorder) reading(i int) map[string]float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byAt[r.times[i]]
}

// sum adds up the samples of a metric; n is how many there are.
func sum(reading map[string]float64, metric string) (total float64, n int) {
	for name, v := range reading {
		if strings.HasPrefix(name, metric+"{") {
			total += v
			n++
		}
	}
	return total, n
}

func newSource(t *testing.T, cfg *Config) (source.Source, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	src, err := cfg.New(source.Deps{Name: "host", Logger: zap.New(core), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		t.Fatal(err)
	}
	return src, logs
}

// TestThisMachine reads the machine that the test runs on.
func TestThisMachine(t *testing.T) {
	src, logs := newSource(t, &Config{Interval: quantity.Duration(100 * time.Millisecond), PerInterface: true})
	var rec recorder
	ctx, stop := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := src.Run(ctx, &rec); err != nil {
			t.Error(err)
		}
	})
	deadline := time.After(30 * time.Second)
	for rec.readings() < 4 {
		select {
		case <-deadline:
			t.Fatalf("%d readings in 30 s", rec.readings())
		case <-time.After(10 * time.Millisecond):
		}
	}
	stop()
	run.Wait()
	memory, err := mem.VirtualMemory()
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for i := range rec.readings() {
		reading := rec.reading(i)
		if total, n := sum(reading, "host_memory_bytes"); n != 4 || total != float64(memory.Total) {
			t.Errorf("reading %d: memory adds up to %v of %d in %d states", i, total, memory.Total, n)
		}
		if _, n := sum(reading, "host_load"); n != 3 {
			t.Errorf("reading %d: %d loads", i, n)
		}
		if used, ok := reading[`host_disk_used_percent{mount="/"}`]; !ok || used <= 0 || used > 100 {
			t.Errorf("reading %d: / is used by %v %%", i, used)
		}
		// A busy machine may be read twice within one tick of its counters.
		total, n := sum(reading, "host_cpu_percent")
		if n != 0 && (n != 8 || math.Abs(total-100) > 1e-9) {
			t.Errorf("reading %d: the processor adds up to %v in %d modes", i, total, n)
		}
		known += n
		for name, v := range reading {
			if math.IsNaN(v) || v < 0 {
				t.Errorf("reading %d: %s is %v", i, name, v)
			}
		}
	}
	if known == 0 {
		t.Error("nothing is said of the processor")
	}
	for _, entry := range logs.All() {
		t.Logf("%s %v", entry.Message, entry.ContextMap())
	}
}

// proc is the /proc of a made-up machine.
type proc struct{ dir string }

func (p proc) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// counters writes the files that change: the processor's ticks, bytes on eth0
// (others are multiples of it), and sectors read on a disk (others likewise).
func (p proc) counters(t *testing.T, cpu string, recv, sent, sectors int) {
	t.Helper()
	p.write(t, "stat", "cpu  "+cpu+"\ncpu0 "+cpu+"\nbtime 1700000000\n")
	nic := func(name string, f int) string {
		return fmt.Sprintf("%s: %d 1 0 0 0 0 0 0 %d 1 0 0 0 0 0 0\n", name, f*recv, f*sent)
	}
	p.write(t, "net/dev", "Inter-| Receive | Transmit\n face |bytes |bytes\n"+nic("lo", 1000)+nic("eth0", 1)+nic("wlan0", 2)+nic("docker0", 7)+nic("eth0.5", 1))
	dev := func(minor int, name string) string {
		return fmt.Sprintf("8 %d %s 1 0 %d 0 1 0 %d 0 0 0 0\n", minor, name, sectors, 3*sectors)
	}
	p.write(t, "diskstats", dev(0, "sda")+dev(1, "sda1")+dev(2, "dm-0")+dev(3, "nvme0n1")+dev(4, "nvme0n1p1"))
}

// TestMadeUpMachine gives the source files of its own and checks every number.
func TestMadeUpMachine(t *testing.T) {
	p := proc{t.TempDir()}
	p.counters(t, "1000 0 500 8000 100 0 0 0 0 0", 1000, 500, 100)
	p.write(t, "loadavg", "0.50 1.25 2.00 1/100 1234\n")
	p.write(t, "meminfo", "MemTotal: 1000 kB\nMemFree: 400 kB\nMemAvailable: 700 kB\nBuffers: 50 kB\nCached: 200 kB\nSReclaimable: 50 kB\nSwapTotal: 100 kB\nSwapFree: 75 kB\n")
	p.write(t, "filesystems", "nodev proc\n\text4\n")
	p.write(t, "1/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 8:1 /etc/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n")
	synctest.Test(t, func(t *testing.T) {
		src, logs := newSource(t, &Config{Interval: quantity.Duration(2 * time.Second)})
		ctx, stop := context.WithCancel(context.WithValue(t.Context(), common.EnvKey, common.EnvMap{
			common.HostProcEnvKey: p.dir, common.HostSysEnvKey: filepath.Join(p.dir, "sys"),
		}))
		var rec recorder
		var run sync.WaitGroup
		run.Go(func() {
			if err := src.Run(ctx, &rec); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if n := rec.readings(); n != 1 {
			t.Fatalf("%d readings at the start", n)
		}
		first := rec.reading(0)
		for name, want := range map[string]float64{
			`host_load{period="1m"}`: 0.5, `host_load{period="5m"}`: 1.25, `host_load{period="15m"}`: 2,
			`host_memory_bytes{state="used"}`: 300 << 10, `host_memory_bytes{state="buffers"}`: 50 << 10,
			`host_memory_bytes{state="cached"}`: 250 << 10, `host_memory_bytes{state="free"}`: 400 << 10,
			`host_swap_bytes{state="used"}`: 25 << 10, `host_swap_bytes{state="free"}`: 75 << 10,
		} {
			if got, ok := first[name]; !ok || got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		if _, n := sum(first, "host_disk_used_percent"); n != 1 {
			t.Errorf("%d mounts, want / alone", n)
		}
		if _, n := sum(first, "host_cpu_percent"); n != 0 {
			t.Error("the first reading knows how busy the processor is")
		}

		time.Sleep(firstRates / 2)
		p.counters(t, "1010 0 505 8080 99 0 0 5 0 0", 1000+250, 500+25, 100+50)
		time.Sleep(firstRates)
		second := rec.reading(rec.readings() - 1)
		for name, want := range map[string]float64{
			`host_cpu_percent{mode="user"}`: 10, `host_cpu_percent{mode="system"}`: 5, `host_cpu_percent{mode="idle"}`: 80,
			`host_cpu_percent{mode="iowait"}`: 0, `host_cpu_percent{mode="steal"}`: 5, `host_cpu_busy_percent`: 20,
			`host_network_bytes_per_second{direction="in"}`: 3 * 1000, `host_network_bytes_per_second{direction="out"}`: 3 * 100,
			`host_disk_bytes_per_second{direction="read"}`: 2 * 200 * 512, `host_disk_bytes_per_second{direction="write"}`: 2 * 600 * 512,
		} {
			if got, ok := second[name]; !ok || math.Abs(got-want) > 1e-6 {
				t.Errorf("%s is %v (%v), want %v", name, got, ok, want)
			}
		}

		// The counters are reset, and files go.
		p.counters(t, "10 0 5 80 9 0 0 5 0 0", 10, 5, 1)
		for _, name := range []string{"meminfo", "diskstats"} {
			if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		before := rec.readings()
		time.Sleep(7 * time.Second)
		if n := rec.readings() - before; n != 3 {
			t.Errorf("%d readings in 7 s of an interval of 2 s", n)
		}
		last := rec.reading(rec.readings() - 1)
		if _, n := sum(last, "host_memory_bytes"); n != 0 {
			t.Error("the memory is known without its file")
		}
		if got, ok := last[`host_network_bytes_per_second{direction="in"}`]; !ok || got != 0 {
			t.Errorf("network in is %v (%v) after a reset and silence", got, ok)
		}
		var told []string
		for _, e := range logs.All() {
			told = append(told, fmt.Sprint(e.ContextMap()["reading"]))
		}
		slices.Sort(told)
		if want := []string{"disk throughput", "memory"}; !slices.Equal(told, want) {
			t.Errorf("told that these are missing: %q, want %q", told, want)
		}
		stop()
		run.Wait()
	})
}

func TestMissingFiles(t *testing.T) {
	src, _ := newSource(t, DefaultConfig())
	s := src.(*Source)
	ctx := context.WithValue(t.Context(), common.EnvKey, common.EnvMap{common.HostProcEnvKey: t.TempDir()})
	for _, p := range probes() {
		r := reading{at: time.Now()}
		err := p.read(s, ctx, &r)
		if err == nil && len(r.samples) == 0 {
			t.Errorf("%s: neither samples nor an error from an empty /proc", p.name)
		}
	}
}

func TestProcessorAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var before, now cpuTimes
		moved := 0.0
		for i := range now {
			before[i] = rapid.Float64Range(0, 1e9).Draw(t, "before")
			now[i] = before[i] + rapid.Float64Range(-1, 1000).Draw(t, "by")
			moved += max(0, now[i]-before[i])
		}
		percent, ok := now.since(before)
		if ok != (moved > 0) {
			t.Fatalf("ok is %v after %v s", ok, moved)
		}
		total := 0.0
		for i, p := range percent {
			if p < 0 || p > 100+1e-9 {
				t.Fatalf("mode %d is %v %%", i, p)
			}
			total += p
		}
		if ok && math.Abs(total-100) > 1e-9 {
			t.Fatalf("adds up to %v", total)
		}
	})
}

func TestWhichInterfacesCount(t *testing.T) {
	all := map[string]bool{"eth0": true}
	for name, want := range map[string]bool{
		"eth0": true, "enp3s0": true, "wlan0": true, "en0": true, "Ethernet": true, "longhaul": true,
		"lo": false, "lo0": false, "Loopback Pseudo-Interface 1": false, "veth12ab": false, "docker0": false,
		"br-1a2b": false, "eth0.10": false, "eth1.10": true, "wg0": false, "ifb0": false, "bond0": false,
	} {
		if got := !isLoopback(name) && isOutside(name, all); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestWhichDisksCount(t *testing.T) {
	all := map[string]bool{}
	names := map[string]bool{
		"sda": true, "sda1": false, "sda12": false, "vda": true, "vda1": false, "nvme0n1": true, "nvme0n1p1": false,
		"mmcblk0": true, "mmcblk0p2": false, "loop3": false, "dm-0": false, "md127": false, "zram0": false, "sr0": false,
		"xvda1": true, // alone, as some clouds have it
		"disk0": true, "PhysicalDrive0": true, "C:": true,
	}
	for name := range names {
		all[name] = true
	}
	for name, want := range names {
		if got := isDisk(name, all); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestMountsAreCountedOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "hosts")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := mounts([]disk.PartitionStat{
		{Device: "/dev/a", Mountpoint: filepath.Join(dir, "gone")},
		{Device: "/dev/a", Mountpoint: file},
		{Device: "/dev/b", Mountpoint: dir},
		{Device: "/dev/b", Mountpoint: "/"},
		{Device: "/dev/a", Mountpoint: dir},
	})
	if want := []string{"/", dir}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := mounts(nil); !slices.Equal(got, []string{"/"}) {
		t.Errorf("without partitions: %q", got)
	}
}

func TestValidate(t *testing.T) {
	if ps := DefaultConfig().Validate(); len(ps) > 0 {
		t.Error(ps)
	}
	ps := (&Config{Interval: 1}).Validate()
	if len(ps) != 1 || ps[0].Error() != "interval: 1ns is out of range; a duration from 100ms to 1h" {
		t.Error(ps)
	}
	if DefaultConfig().Kind() != Kind {
		t.Error("the kind is not the kind")
	}
}

func BenchmarkTake(b *testing.B) {
	s := &Source{cfg: Config{Interval: 1}, log: zap.NewNop(), told: map[string]bool{}}
	var n int
	b.ReportAllocs()
	for b.Loop() {
		var rec recorder
		if err := s.take(b.Context(), &rec); err != nil {
			b.Fatal(err)
		}
		n = len(rec.reading(0))
	}
	b.ReportMetric(float64(n), "samples")
}
