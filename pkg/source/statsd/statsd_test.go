package statsd

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder writes down what is appended.
type recorder struct{ got []string }

func (r *recorder) Append(metric string, labels store.Labels, _ int64, v float64) error {
	r.got = append(r.got, fmt.Sprint(metric, labels, " ", v))
	return nil
}

// rig is a collection and what it says.
type rig struct {
	*collection
	now     time.Time
	skipped int
	wrong   []string
}

func newRig(change ...func(*Config)) *rig {
	cfg := DefaultConfig()
	for _, f := range change {
		f(cfg)
	}
	r := &rig{now: time.UnixMilli(1_700_000_000_000)}
	r.collection = newCollection(cfg, func(n int) { r.skipped += n }, func(_ int, err error) { r.wrong = append(r.wrong, err.Error()) }, r.now)
	return r
}

func (r *rig) send(packets ...string) {
	for _, p := range packets {
		r.packet([]byte(p), &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 9}, r.now.UnixMilli())
	}
}

// after flushes after so many seconds and returns what is shown, sorted.
func (r *rig) after(seconds int) []string {
	r.now = r.now.Add(time.Duration(seconds) * time.Second)
	var rec recorder
	r.flush(&rec, r.now)
	slices.Sort(rec.got)
	return rec.got
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTypes(t *testing.T) {
	for _, tc := range []struct {
		name string
		send []string
		want []string
	}{
		{"counters", []string{"hits:1|c", "hits:2|c\nhits:3|c|@0.5\n"}, []string{"hits.count{} 9", "hits.rate{} 4.5"}},
		{"a counter that goes down", []string{"n:-1:+3|c"}, []string{"n.count{} 2", "n.rate{} 1"}},
		{"a meter", []string{"n:1|m"}, []string{"n.count{} 1", "n.rate{} 0.5"}},
		{"gauges", []string{"g:5|g", "g:+2.5|g", "g:-10|g", "h:7|g|@0.1", "i:-3|g"}, []string{"g{} -2.5", "h{} 7", "i{} -3"}},
		{"below zero", []string{"g:5|g\ng:0|g\ng:-7|g"}, []string{"g{} -7"}},
		{"timers, histograms and distributions", []string{"t:1:2:3|ms\nt:4|h\nt:90|d"}, []string{
			"t.count{} 5", "t.lower{} 1", "t.mean{} 20", "t.p50{} 3", "t.p90{} 90", "t.p99{} 90", "t.sum{} 100", "t.upper{} 90",
		}},
		{"a sampled timer", []string{"t:10|ms|@0.1", "t:20|ms|@0.5"}, []string{
			"t.count{} 12", "t.lower{} 10", fmt.Sprint("t.mean{} ", 140.0/12), "t.p50{} 10", "t.p90{} 20", "t.p99{} 20", "t.sum{} 140", "t.upper{} 20",
		}},
		{"sets", []string{"u:ann|s", "u:bob|s\nu:ann|s\nu:a:b|s"}, []string{"u.count{} 3"}},
		{"tags", []string{"g:1|g|#b:2,a:x:y,flag,empty:,b:3", "g:2|g|#flag,b:3,a:x:y", "g,b=3,a=x:4|g"}, []string{
			`g{a="x", b="3"} 4`, `g{a="x:y", b="3", flag="true"} 2`,
		}},
		{"what else Datadog sends", []string{"g:1|g|#a:1|c:ci-1234|T1656581400|e:x|card:low", "g:2|g|@1|#a:1"}, []string{`g{a="1"} 2`}},
		{"ends of lines", []string{"\r\n\ng:1|g\r\n\r\n"}, []string{"g{} 1"}},
		{"names as they are", []string{"a.b-c/d é:1e1|g"}, []string{"a.b-c/d é{} 10"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig()
			r.send(tc.send...)
			got := r.after(2)
			same(t, got, tc.want...)
			if len(r.wrong) > 0 {
				t.Error(r.wrong)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	r := newRig(func(c *Config) { c.Percentiles = nil })
	all := "c:1|c\ng:4|g\nt:2|ms\ns:x|s"
	r.send(all)
	r.after(1)
	same(t, r.after(1), "c.count{} 0", "c.rate{} 0", "g{} 4", "s.count{} 0", "t.count{} 0", "t.lower{} NaN", "t.mean{} NaN", "t.sum{} 0", "t.upper{} NaN")
	same(t, r.after(1), "c.count{} 0", "c.rate{} 0", "g{} 4", "s.count{} 0", "t.count{} 0", "t.sum{} 0")
	same(t, r.after(299), "c.count{} NaN", "c.rate{} NaN", "g{} NaN", "s.count{} NaN", "t.count{} NaN", "t.lower{} NaN", "t.mean{} NaN", "t.sum{} NaN", "t.upper{} NaN")
	same(t, r.after(1))
	if len(r.known)+len(r.metrics) != 0 {
		t.Errorf("%d, %d are not forgotten", len(r.known), len(r.metrics))
	}
	r.send("g:+1|g", "c:1|g")
	same(t, r.after(1), "c{} 1", "g{} 1")
}

func TestWrongLines(t *testing.T) {
	many := "m:1|g|#a"
	for i := range store.MaxLabels {
		many += fmt.Sprint(",b", i)
	}
	for line, want := range map[string]string{
		"nonsense":                              `has no type; want name:value|type`,
		"nonsense|c":                            `has no value; want name:value|type`,
		":1|c":                                  `has no name; want name:value|type`,
		"a:|c":                                  `has an empty value; want name:value|type`,
		"a:1|":                                  `has the unknown type ""; want c, g, ms, h, d or s`,
		"a:1|kv|#x":                             `has the unknown type "kv"; want c, g, ms, h, d or s`,
		"a:1|c:2|c":                             `has the unknown type "c:2"; want c, g, ms, h, d or s`,
		"a:x|c":                                 `has the value "x", which is no number`,
		"a:1:|c":                                `has the value "", which is no number`,
		"a:0x10|c":                              `has the value "0x10", which is no number`,
		"a:NaN|g":                               `has the value "NaN", which is no number`,
		"a:1e999|g":                             `has the value "1e999", which is no number`,
		"a:1|c|@0":                              `has the sampling rate "0"; want a number above 0, at most 1`,
		"a:1|c|@2":                              `has the sampling rate "2"; want a number above 0, at most 1`,
		"a:1|c|@x":                              `has the sampling rate "x"; want a number above 0, at most 1`,
		"good:1|c":                              `is a counter, but "good" has been a gauge`,
		"a\x00:1|g":                             `has a name that is not UTF-8, or has control characters`,
		"a:1|g|#b:\xff":                         `has the tag "b", which is not UTF-8, or has control characters`,
		many:                                    `has 33 tags; at most 32`,
		strings.Repeat("a", 5000) + ":1|g":      `has a name and tags of 5002 bytes; at most 4096`,
		strings.Repeat("a", 300) + ":1|g":       `has a name of 300 bytes; at most 232`,
		"a:1|g|#b:" + strings.Repeat("c", 2000): `has the tag "b" of 1 and 2000 bytes; at most 128 and 1024`,
	} {
		r := newRig()
		r.send("good:1|g\n" + line + "\ngood:2|g")
		if want := fmt.Sprintf("from 10.0.0.1:9: the line %.80q %s", line, want); len(r.wrong) != 1 || r.wrong[0] != want {
			t.Errorf("got  %q\nwant %q", r.wrong, want)
		}
		same(t, r.after(1), "good{} 2")
	}
	r := newRig(func(c *Config) { c.MaxMetrics = 1 })
	r.send("_e{5,4}:title|text", "_sc|name|0", "a:1|g|#x:1\na:2|g|#x:2\na:3|g|#x:1")
	if r.skipped != 2 || len(r.wrong) != 1 || !strings.HasSuffix(r.wrong[0], "would be one metric more than max_metrics of the source (1)") {
		t.Error(r.skipped, r.wrong)
	}
	same(t, r.after(1), `a{x="1"} 3`)
}

// TestEveryValueCounts holds that no way to write values, to pack lines or to
// order tags makes a difference.
func TestEveryValueCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.IntRange(-1000, 1000), 1, 30).Draw(t, "values")
		r := newRig(func(c *Config) { c.Percentiles, c.PercentileLimit = []float64{50}, 5 })
		var packet string
		sum := 0
		for i := 0; i < len(values); {
			n := rapid.IntRange(1, len(values)-i).Draw(t, "n")
			var texts []string
			for _, v := range values[i : i+n] {
				texts = append(texts, fmt.Sprint(v))
				sum += v
			}
			i += n
			tags := rapid.Permutation([]string{"a:1", "b:2"}).Draw(t, "tags")
			packet += strings.Join([]string{"m:" + strings.Join(texts, ":"), "d", "#" + strings.Join(tags, ",")}, "|") + "\n"
			if rapid.Bool().Draw(t, "sent") {
				r.send(packet)
				packet = ""
			}
		}
		r.send(packet)
		got := map[string]float64{}
		r.flush(appendFunc(func(name string, labels store.Labels, v float64) {
			if labels.String() != `{a="1", b="2"}` {
				t.Fatal(labels)
			}
			got[name] = v
		}), r.now.Add(time.Second))
		if got["m.count"] != float64(len(values)) || got["m.sum"] != float64(sum) || got["m.lower"] != float64(slices.Min(values)) || got["m.upper"] != float64(slices.Max(values)) {
			t.Fatalf("%v of %v", got, values)
		}
		if !slices.Contains(values, int(got["m.p50"])) {
			t.Fatalf("the median %v is none of %v", got["m.p50"], values)
		}
	})
}

type appendFunc func(name string, labels store.Labels, v float64)

func (f appendFunc) Append(name string, labels store.Labels, _ int64, v float64) error {
	f(name, labels, v)
	return nil
}

// FuzzStatsd holds that nothing makes the reader panic or show what is no
// number, that each line is taken, skipped or rejected, and that the store takes
// all that is kept.
func FuzzStatsd(f *testing.F) {
	for _, s := range []string{
		"a:1|c", "a:1:2|ms|@0.1|#b:c,d\nx:+1|g\n", "u:x|s|c:1|T1", "_e{1,1}:a|b\n_sc|x|1", "a,b=c:1|d", "a:1e308:1e308|h", "|||\n:::\n@#", "a:1|c\r\n\x00\xff:1|g|#\x7f:1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		r := newRig()
		r.send(string(packet), string(packet))
		kept := store.New(store.DefaultConfig(), nil)
		r.now = time.Now() // for the store
		r.began = r.now.Add(-time.Second)
		r.flush(checked{t, kept}, r.now)
		if lines := strings.Count(string(packet), "\n") + 1; len(r.wrong)+r.skipped+len(r.metrics) > 3*lines {
			t.Fatalf("%d lines, twice: %q, %d skipped, %d metrics", lines, r.wrong, r.skipped, len(r.metrics))
		}
	})
}

type checked struct {
	t     *testing.T
	store *store.Store
}

func (c checked) Append(name string, labels store.Labels, at int64, v float64) error {
	if math.IsInf(v, 0) {
		c.t.Fatalf("%s%v is %v", name, labels, v)
	}
	err := c.store.Append(name, labels, at, v)
	if err != nil {
		c.t.Fatal(err)
	}
	return err
}

var packet = []byte(strings.Repeat("page.views:1|c|#page:home,country:de\nlatency:12.5:17|ms|@0.5|#page:home\nload:+0.25|g\nusers:ann|s\n", 10))

// TestSamplesMakeNoGarbage: once a metric is known, a value costs no allocation.
func TestSamplesMakeNoGarbage(t *testing.T) {
	r := newRig(func(c *Config) { c.PercentileLimit = 10 })
	from := &net.UDPAddr{}
	if n := testing.AllocsPerRun(100, func() { r.packet(packet, from, 1) }); n != 0 {
		t.Errorf("%v allocations for 50 values", n)
	}
}

func BenchmarkPacket(b *testing.B) {
	r := newRig()
	from := &net.UDPAddr{}
	b.ReportAllocs()
	b.SetBytes(int64(len(packet)))
	for b.Loop() {
		r.packet(packet, from, 1)
	}
	b.ReportMetric(50*float64(b.N)/b.Elapsed().Seconds(), "values/s")
}

func TestAddressInUse(t *testing.T) {
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	cfg := DefaultConfig()
	cfg.Address = conn.LocalAddr().String()
	src, err := cfg.New(source.Deps{Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Run(t.Context(), &recorder{}); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	if ps := DefaultConfig().Validate(); len(ps) > 0 {
		t.Error(ps)
	}
	bad := &Config{Address: "8125", Percentiles: []float64{100, 50, 50}}
	var got []string
	for _, p := range bad.Validate() {
		got = append(got, p.Error())
	}
	same(t, got,
		`address: "8125" is no address; an address such as "127.0.0.1:8125", or ":8125" for every network`,
		"flush_interval: 0 is out of range; a duration from 100ms to 1h",
		"percentiles[0]: 100 is out of range; a number above 0 and below 100",
		"percentiles[2]: 50 is there already; each one once",
		"percentile_limit: 0 is out of range; a number from 1 to 100000",
		"max_metrics: 0 is out of range; a number from 1 to 10000000",
	)
	bad = DefaultConfig()
	bad.Address, bad.MaxTTL = ":99999", 1
	if ps := bad.Validate(); len(ps) != 2 || ps[0].Path != "address" || ps[1].Path != "max_ttl" {
		t.Error(ps)
	}
}
