package transform_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/transform"
)

var nan = math.NaN()

// TestValues compares transforms with values that were computed by hand. Samples
// are a second apart.
func TestValues(t *testing.T) {
	st := newStore()
	put(t, st, "up", map[string]string{"k": "a"}, 0, 0, 10, 20, 30, 40)
	put(t, st, "reset", nil, 0, 100, 110, 5, 15)
	put(t, st, "gap", nil, 0, 1, 2, nan, 4, 5)
	put(t, st, "two", map[string]string{"k": "a", "x": "1"}, 0, 1, 2, 3)
	put(t, st, "two", map[string]string{"k": "b", "x": "2"}, 1, 10, 20)
	put(t, st, "big", map[string]string{"k": "a"}, 0, 1e300, 1, -1e300, 2)
	for _, tc := range []struct {
		text string
		want string // of each series
	}{
		// Two samples, 1 s apart, in a range of 10 s: stretched by 0 s to the
		// right, and by nothing to the left, where the counter would be 0.
		{"rate(up[10s])", "{k=a} 1:1 2:2 3:3 4:4"},
		{"increase(up[10s])", "{k=a} 1:10 2:20 3:30 4:40"},
		// Beyond the threshold to the left a gauge is stretched by half a second.
		{"delta(up[10s])", "{k=a} 1:15 2:25 3:35 4:45"},
		{"irate(up[10s])", "{k=a} 1:10 2:10 3:10 4:10"},
		{"idelta(up[10s])", "{k=a} 1:10 2:10 3:10 4:10"},
		// The range (t-2s, t] has two samples: all of its second before the first
		// is within 1.1 s. At 2, 110 → 5 is a reset: it grew by 5; at 3, 5 → 15
		// grew by 10, and was 0 half a second before.
		{"increase(reset[2s])", "{} 1:20 2:10 3:15"},
		{"irate(reset[10s])", "{} 1:10 2:5 3:10"},
		{"resets(reset[10s])", "{} 0:0 1:0 2:1 3:1"},
		{"changes(reset[2s])", "{} 0:0 1:1 2:1 3:1"},
		{"sum_over_time(gap[2s])", "{} 0:1 1:3 2:2 3:4 4:9"},
		{"avg_over_time(gap[3s])", "{} 0:1 1:1.5 2:1.5 3:3 4:4.5"},
		{"min_over_time(gap[3s])", "{} 0:1 1:1 2:1 3:2 4:4"},
		{"max_over_time(gap[3s])", "{} 0:1 1:2 2:2 3:4 4:5"},
		{"count_over_time(gap[3s])", "{} 0:1 1:2 2:2 3:2 4:2"},
		{"last_over_time(gap[3s])", "{} 0:1 1:2 2:2 3:4 4:5"},
		{"quantile_over_time(0.25, gap[10s])", "{} 0:1 1:1.25 2:1.25 3:1.5 4:1.75"},
		{"sum_over_time(big[2s])", "{k=a} 0:1e+300 1:1e+300 2:-1e+300 3:-1e+300"},
		{"sum_over_time(big[3s])", "{k=a} 0:1e+300 1:1e+300 2:1 3:-1e+300"},
		{"gap + 1", "{} 0:2 1:3 2:NaN 3:5 4:6"},
		{"-gap", "{} 0:-1 1:-2 2:NaN 3:-4 4:-5"},
		{"1 / (gap - 1)", "{} 1:1 2:NaN 3:0.3333333333333333 4:0.25"},
		{"gap > 1 < 5", "{} 1:2 2:NaN 3:4 4:NaN"},
		{"gap > bool 1", "{} 0:0 1:1 2:NaN 3:1 4:1"},
		{"2 <= gap", "{} 1:2 2:NaN 3:4 4:5"},
		{"clamp(gap, 2, 4) % 3", "{} 0:2 1:2 2:NaN 3:1 4:1"},
		{"round(gap / 4, 0.5)", "{} 0:0.5 1:0.5 2:NaN 3:1 4:1.5"},
		{"sum(two)", "{} 0:1 1:12 2:23"},
		{"sum by (k) (two)", "{k=a} 0:1 1:2 2:3|{k=b} 1:10 2:20"},
		{"sum without (x) (two)", "{k=a} 0:1 1:2 2:3|{k=b} 1:10 2:20"},
		{"avg(two)", "{} 0:1 1:6 2:11.5"},
		{"min(two)", "{} 0:1 1:2 2:3"},
		{"max(two)", "{} 0:1 1:10 2:20"},
		{"count(two)", "{} 0:1 1:2 2:2"},
		{"quantile(0.5, two)", "{} 0:1 1:6 2:11.5"},
		{"quantile(2, two)", "{} "}, // infinite: a gap, of which none is at the beginning
		{"up - on (k) two", "{k=a} 0:-1 1:8 2:17 3:27 4:37"},
		{"two / ignoring (x) up", "{k=a} 1:0.2 2:0.15 3:0.1 4:0.075"},
		{"two * on () group_left sum(two)", "{k=a, x=1} 0:1 1:24 2:69|{k=b, x=2} 1:120 2:460"},
		{"up * on (k) group_left (x) two", "{k=a, x=1} 0:0 1:20 2:60 3:90 4:120"},
		{"2 ^ 3 ^ 0 + 0 * gap", "{} 0:2 1:2 2:NaN 3:2 4:2"},
		{"ema(up, 0.5)", "{k=a} 0:0 1:5 2:12.5 3:21.25 4:30.625"},
		{"ema(gap, 0.5)", "{} 0:1 1:1.5 2:NaN 3:4 4:4.5"},
	} {
		tr := begin(t, st, tc.text)
		var have []string
		for _, s := range follow(t, tr) {
			have = append(have, strings.ReplaceAll(s.Labels().String(), `"`, "")+" "+seconds(samplesOf(s, 0)))
		}
		if got := strings.Join(have, "|"); got != tc.want {
			t.Errorf("%s:\n %s\nwant\n %s", tc.text, got, tc.want)
		}
	}
}

// seconds writes samples with their times in seconds.
func seconds(all []store.Sample) string {
	for i := range all {
		all[i].T = start + (all[i].T-start)/1000
	}
	return strings.TrimSpace(rel(all))
}

// TestEmaByTime has a time constant of 10 s: after 10 s a step has gone to 1-1/e
// of its height, however often it is sampled.
func TestEmaByTime(t *testing.T) {
	for _, every := range []int64{1000, 2500, 10_000} {
		st := newStore()
		put(t, st, "x", nil, 0, 0)
		for at := every; at <= 10_000; at += every {
			if err := st.Append("x", nil, start+at, 1); err != nil {
				t.Fatal(err)
			}
		}
		last, _ := follow(t, begin(t, st, "ema(x, 10s)"))[0].Last()
		if want := 1 - 1/math.E; math.Abs(last.V-want) > 1e-12 {
			t.Errorf("every %d ms: %v; want %v", every, last.V, want)
		}
	}
}

// TestSeriesStay is about what a chart sees: series that are there stay the same
// while others come, and a derived series that has had readers rewinds for them.
func TestSeriesStay(t *testing.T) {
	st := newStore()
	put(t, st, "x", map[string]string{"k": "a", "i": "1"}, 0, 1, 2, 3)
	tr := begin(t, st, "sum by (k) (x)")
	one := follow(t, tr)
	if again := follow(t, tr); &again[0] != &one[0] {
		t.Error("without news there is another slice of series")
	}
	cursor := one[0].Each(0, math.MaxInt64, func([]store.Sample) {})
	put(t, st, "x", map[string]string{"k": "a", "i": "2"}, 1, 10, 10)
	put(t, st, "x", map[string]string{"k": "b"}, 2, 5)
	two := follow(t, tr)
	if len(two) != 2 || two[0] != one[0] {
		t.Fatalf("%v became %v", one, two)
	}
	if _, _, from, rewound := two[0].Since(cursor, nil); !rewound || from != start+1000 {
		t.Errorf("a reader is told %v, %d; want a rewind to the first sample of what came in", rewound, from-start)
	}
	if got := seconds(samplesOf(two[0], 0)); got != "0:1 1:12 2:13" {
		t.Errorf("the sum is %s", got)
	}
	tr.Close()
	if two[0].Len() != 0 {
		t.Error("closed, the series still have samples")
	}
}

// TestManyToMany is about matches that are ambiguous at some time: an error says
// so as long as that time is seen.
func TestManyToMany(t *testing.T) {
	for text, want := range map[string]string{
		"a * on (k) b":                    "on the right",
		"b * on (k) a":                    "on the left",
		"a * on (k) group_left b":         "on the side of the one",
		"b * on (k) group_left (z) a * 2": "",
		"a * on (k) group_right b":        "",
	} {
		st := newStore()
		put(t, st, "a", map[string]string{"k": "1"}, 0, 1, 2, 3)
		put(t, st, "b", map[string]string{"k": "1", "i": "1"}, 0, 1, nan)
		put(t, st, "b", map[string]string{"k": "1", "i": "2"}, 2, 1)
		tr := begin(t, st, text) // they take turns
		put(t, st, "b", map[string]string{"k": "1", "i": "1"}, 3, 1)
		_, err := tr.Series()
		if err == nil {
			err = tr.Follow(start, math.MaxInt64)
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
		if err := tr.Follow(start+4000, math.MaxInt64); err != nil {
			t.Errorf("%s: when it is out of sight: %v", text, err)
		}
	}
}

// TestLimits is about fixed ranges, and how many series there are.
func TestLimits(t *testing.T) {
	st := newStore()
	for _, k := range []string{"a", "b", "c"} {
		put(t, st, "x", map[string]string{"k": k}, 0, 1, 2, 3, 4)
	}
	e, err := transform.Compile("x * 2", transform.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tr := transform.New(e, st, 2)
	defer tr.Close()
	series, err := tr.Series()
	if err != nil || len(series) != 2 {
		t.Fatalf("%v, %v; want two series", series, err)
	}
	for _, tc := range []struct {
		from, limit int64
		want        string
	}{
		{start + 1000, start + 2000, "1:4 2:6"},
		{start + 2000, math.MaxInt64, "2:6 3:8"},
		{start, math.MaxInt64, "0:2 1:4 2:6 3:8"},
	} {
		if err := tr.Follow(tc.from, tc.limit); err != nil {
			t.Fatal(err)
		}
		if got := seconds(samplesOf(series[1], 0)); got != tc.want {
			t.Errorf("from %d to %d: %s; want %s", tc.from, tc.limit, got, tc.want)
		}
	}
}

func TestNoRoom(t *testing.T) {
	c := store.DefaultConfig()
	c.MaxAge, c.MaxTotal = 3000*24*3600*1e9, 1024
	st := store.New(c, nil)
	for i := range 20 {
		put(t, st, "x", map[string]string{"k": string(rune('a' + i))}, 0, 1)
	}
	e, err := transform.Compile("x + 1", transform.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // what is not closed is not lost
		tr := transform.New(e, st, 64)
		if _, err := tr.Series(); err == nil {
			t.Fatal("40 series found room for 32")
		}
	}
	tr := transform.New(e, st, 5)
	defer tr.Close()
	if series := follow(t, tr); len(series) != 5 || slices.ContainsFunc(series, func(s *store.Series) bool { return s.Len() != 1 }) {
		t.Errorf("%v", series)
	}
}

// TestNewsOfThePast has a sample come in late while there is another reason to
// read once more, which lies behind it.
func TestNewsOfThePast(t *testing.T) {
	const late = start + 5_500
	for name, reason := range map[string]func(st *store.Store, tr *transform.Transform){
		"a limit that rises": func(_ *store.Store, tr *transform.Transform) {
			_, err := tr.Series()
			if err = errors.Join(err, tr.Follow(start, start+10_000)); err != nil {
				t.Fatal(err)
			}
		},
		"a series that joins": func(st *store.Store, tr *transform.Transform) {
			follow(t, tr)
			put(t, st, "g", map[string]string{"a": "y"}, 20, 1)
			if _, err := tr.Series(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		st := newStore()
		e, err := transform.Compile("sum(g)", transform.Options{})
		if err != nil {
			t.Fatal(err)
		}
		put(t, st, "g", map[string]string{"a": "x"}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
		tr := transform.New(e, st, 64)
		reason(st, tr)
		if err := st.Append("g", store.LabelsOf(map[string]string{"a": "x"}), late, 100); err != nil {
			t.Fatal(err)
		}
		if err := tr.Follow(start, math.MaxInt64); err != nil {
			t.Fatal(err)
		}
		series := follow(t, tr)
		if got, ok := series[0].After(late - 1); !ok || got != (store.Sample{T: late, V: 100}) {
			t.Errorf("%s: the first sample from then on is %v", name, got)
		}
		tr.Close()
	}
}
