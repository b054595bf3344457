package store

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
)

func TestNamesOfStrangers(t *testing.T) {
	s := New(wide(), nil)
	now := time.Now().UnixMilli()
	var many Labels
	for i := range MaxLabels + 1 {
		many = append(many, Label{fmt.Sprintf("l%02d", i), "v"})
	}
	long := strings.Repeat("x", MaxLabelValue)
	for _, tc := range []struct {
		name   string
		metric string
		labels Labels
		want   string // of the error; "" accepts
	}{
		{"plain", "cpu", nil, ""},
		{"any text", "température de l'eau, °C <b>", Labels{{"où & \"quand\"", "<script>"}}, ""},
		{"longest", strings.Repeat("m", MaxMetricName), many[:MaxLabels], ""},
		{"no metric", "", nil, "metric: is empty; want 1 to 256 bytes of text"},
		{"long metric", strings.Repeat("m", MaxMetricName+1), nil, "metric: is 257 bytes long; at most 256"},
		{"broken metric", "a\xff", nil, `metric: is not valid UTF-8: "a\xff"`},
		{"control", "a\x1b[2J", nil, `metric: has a control character: "a\x1b[2J"`},
		{"no label name", "m", Labels{{"", "v"}}, "labels: a label's name is empty; want 1 to 128 bytes of text"},
		{"no value", "m", Labels{{"a", ""}}, "labels.a: is empty; want 1 to 1024 bytes of text"},
		{"long value", "m", Labels{{"a", long + "x"}}, "labels.a: is 1025 bytes long; at most 1024"},
		{"newline", "m", Labels{{"a", "b\nc"}}, `labels.a: has a control character: "b\nc"`},
		{"unsorted", "m", Labels{{"b", "1"}, {"a", "2"}}, "labels: are not sorted by name; make them with LabelsOf"},
		{"doubled", "m", Labels{{"a", "1"}, {"a", "2"}}, "labels.a: is given twice"},
		{"many", "m", many, "labels: 33 labels; at most 32"},
		{"heavy", "m", Labels{{"a", long}, {"b", long}, {"c", long}, {"d", long}}, "labels: the names and values of the series are 4101 bytes; at most 4096"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			generation := s.Generation()
			err := s.Append(tc.metric, tc.labels, now, 1)
			if tc.want == "" {
				if err != nil || s.Generation() == generation {
					t.Fatalf("refused, or created in silence: %v", err)
				}
				sr := only(t, s, tc.metric)
				if sr.Metric() != tc.metric || !slices.Equal(sr.Labels(), tc.labels) {
					t.Fatalf("is called %v", sr)
				}
				return
			}
			if _, ok := errors.AsType[*NameError](err); !ok || err.Error() != tc.want {
				t.Fatalf("got  %v\nwant %s", err, tc.want)
			}
			if s.Generation() != generation {
				t.Error("a refused sample left a series")
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := wide()
		cfg.MaxAge = quantity.Duration(time.Hour)
		reg := prometheus.NewPedanticRegistry()
		s := New(cfg, reg)
		now := time.Now().UnixMilli() // in the bubble: 2000-01-01
		hour := time.Hour.Milliseconds()
		for _, tc := range []struct {
			t    int64
			v    float64
			is   error
			want string
		}{
			{now - hour, 1, nil, ""},
			{now + hour, 1, nil, ""},
			{now, math.NaN(), nil, ""},
			{now - hour - 1, 1, ErrTooOld, "sample is too old: t 946681199999 is 1999-12-31T22:59:59.999Z; the oldest that is taken is 1999-12-31T23:00:00.000Z"},
			{now / 1000, 1, ErrTooOld, "sample is too old: t 946684800 is 1970-01-11T22:58:04.800Z; the oldest that is taken is 1999-12-31T23:00:00.000Z"},
			{now * 1000, 1, ErrTooNew, "sample is too far in the future: t 946684800000000 is not a time in ms since 1970; the newest that is taken is 2000-01-01T01:00:00.000Z"},
			{math.MinInt64, 1, ErrTooOld, ""},
			{math.MaxInt64, 1, ErrTooNew, ""},
			{now, math.Inf(1), ErrInfinite, "value is infinite"},
			{now, math.Inf(-1), ErrInfinite, "value is infinite"},
		} {
			err := s.Append("m", nil, tc.t, tc.v)
			if !errors.Is(err, tc.is) || tc.want != "" && err.Error() != tc.want {
				t.Errorf("%d: got  %v\nwant %s", tc.t, err, tc.want)
			}
		}
		if err := s.Append("", nil, now, 1); err == nil {
			t.Error("a metric without a name was taken")
		}
		want := `
# HELP chartd_store_appended_total Samples taken in.
# TYPE chartd_store_appended_total counter
chartd_store_appended_total 3
# HELP chartd_store_rejected_total Samples refused, by reason.
# TYPE chartd_store_rejected_total counter
chartd_store_rejected_total{reason="infinite"} 2
chartd_store_rejected_total{reason="limit"} 0
chartd_store_rejected_total{reason="name"} 1
chartd_store_rejected_total{reason="too_new"} 2
chartd_store_rejected_total{reason="too_old"} 3
# HELP chartd_store_samples Samples held, of all series.
# TYPE chartd_store_samples gauge
chartd_store_samples 3
# HELP chartd_store_series Series that exist.
# TYPE chartd_store_series gauge
chartd_store_series 1
`
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want),
			"chartd_store_appended_total", "chartd_store_rejected_total", "chartd_store_samples", "chartd_store_series"); err != nil {
			t.Error(err)
		}
	})
}

func TestSilentSeriesAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := wide()
		cfg.MaxAge = quantity.Duration(time.Minute)
		cfg.MaxSeries = 2
		s := New(cfg, nil)
		for range 2000 {
			mustAppend(t, s, "old", nil, time.Now().UnixMilli(), 1)
			time.Sleep(time.Millisecond)
		}
		old := only(t, s, "old")
		_, cursor := collect(t, old, 0, math.MaxInt64)
		mustAppend(t, s, "busy", nil, time.Now().UnixMilli(), 1)
		if err := s.Append("third", nil, time.Now().UnixMilli(), 1); err == nil {
			t.Fatal("a third series was taken")
		} else if limit, ok := errors.AsType[*LimitError](err); !ok || *limit != (LimitError{"store.max_series", 2}) {
			t.Fatal(err)
		}
		generation := s.Generation()
		for range 90 {
			time.Sleep(time.Second)
			mustAppend(t, s, "busy", nil, time.Now().UnixMilli(), 1)
		}
		if got := s.Select("old", nil); len(got) != 0 || s.Generation() == generation {
			t.Fatalf("after 90 s of silence: %v, generation %d", got, s.Generation())
		}
		if _, ok := old.Last(); ok || old.Len() != 0 {
			t.Error("a dropped series still holds samples")
		}
		if got, _ := collect(t, old, 0, math.MaxInt64); len(got) != 0 {
			t.Error("a dropped series still shows samples")
		}
		mustAppend(t, s, "old", nil, time.Now().UnixMilli(), 7)
		back := only(t, s, "old")
		if _, _, from, rewound := back.Since(cursor, nil); back == old || !rewound || from != math.MinInt64 {
			t.Errorf("a reader of the dropped series is told to read from %d (%v)", from, rewound)
		}
		room := int64(minBlock + cap(only(t, s, "busy").w.tail))
		if used := s.budget.used.Load(); used != room {
			t.Errorf("%d samples of room are taken, want %d", used, room)
		}
	})
}

// A clock that was ahead for a while leaves nothing behind that puts sweeps off.
func TestSweepsAfterTheClockIsSetBack(t *testing.T) {
	cfg := wide()
	cfg.MaxAge = quantity.Duration(time.Minute)
	s := New(cfg, nil)
	now := time.Now().UnixMilli()
	mustAppend(t, s, "old", nil, now, 1)
	s.nextSweep.Store(now + 10*24*time.Hour.Milliseconds()) // as it was then
	s.maybeSweep(now)
	if s.maybeSweep(now + 2*cfg.MaxAge.Millis()); s.Generation() != 2 || len(s.Select("old", nil)) != 0 {
		t.Error("a series that has been silent for two minutes is still there; max_age is one")
	}
}

// TestFullStoreRolls fills a store to its last block and checks that it stays
// within its bound, that every series still takes what is new, and that what it
// holds is the newest.
func TestFullStoreRolls(t *testing.T) {
	cfg := wide()
	cfg.MaxTotal = 10 * blockSize
	s := New(cfg, nil)
	start := time.Now().UnixMilli() - 1_000_000
	names := []string{"a", "b", "c", "d"}
	for i := range int64(40 * blockSize) {
		name := names[i%4]
		mustAppend(t, s, name, nil, start+i, float64(i))
		if i%7 == 0 && i > 100 {
			if err := s.Append(name, nil, start+i-50-i%4096, 1); err != nil && !errors.Is(err, ErrTooOld) {
				t.Fatal(err)
			}
		}
		if used := s.budget.used.Load(); used > int64(cfg.MaxTotal) {
			t.Fatalf("%d samples of room are taken", used)
		}
	}
	for range cfg.MaxTotal {
		err := s.Append(fmt.Sprint("new", s.series.Load()), nil, start, 1)
		if limit, ok := errors.AsType[*LimitError](err); ok {
			if limit.Setting != "store.max_total" {
				t.Fatal(err)
			}
			break
		}
	}
	held := 0
	for i, name := range names {
		sr := only(t, s, name)
		last, _ := sr.Last()
		if want := start + 40*blockSize - 4 + int64(i); last.T != want || sr.Len() < blockSize/4 {
			t.Errorf("%s: %d samples, newest %d, want %d", name, sr.Len(), last.T, want)
		}
		got, _ := collect(t, sr, 0, math.MaxInt64)
		if len(got) != sr.Len() {
			t.Errorf("%s: shows %d of %d", name, len(got), sr.Len())
		}
		held += len(got)
	}
	if held < cfg.MaxTotal/2 {
		t.Errorf("%d samples fit in room for %d", held, cfg.MaxTotal)
	}
}

func TestSelect(t *testing.T) {
	s := New(wide(), nil)
	now := time.Now().UnixMilli()
	for _, ls := range []map[string]string{
		{"host": "web2", "mode": "user"},
		{"host": "web1", "mode": "user"},
		{"host": "web1", "mode": "idle"},
		{"host": "db1"},
		{},
		{"host": "we.b1", "mode": "user"},
	} {
		mustAppend(t, s, "cpu", LabelsOf(ls), now, 1)
	}
	mustAppend(t, s, "other", LabelsOf(map[string]string{"host": "web1"}), now, 1)
	for _, tc := range []struct {
		name string
		want string
		ms   []string // label, value pairs
	}{
		{"all", `{} {host="db1"} {host="we.b1", mode="user"} {host="web1", mode="idle"} {host="web1", mode="user"} {host="web2", mode="user"}`, nil},
		{"equal", `{host="web1", mode="idle"} {host="web1", mode="user"}`, []string{"host", "web1"}},
		{"no regexp unless asked", `{host="we.b1", mode="user"}`, []string{"host", "we.b1"}},
		{"absent", `{} {host="db1"}`, []string{"mode", ""}},
		{"not", `{} {host="db1"} {host="we.b1", mode="user"} {host="web2", mode="user"}`, []string{"host", "!=web1"}},
		{"present", `{host="we.b1", mode="user"} {host="web1", mode="idle"} {host="web1", mode="user"} {host="web2", mode="user"}`, []string{"mode", "!="}},
		{"regexp", `{host="web1", mode="idle"} {host="web1", mode="user"} {host="web2", mode="user"}`, []string{"host", "=~web[12]"}},
		{"anchored", ``, []string{"host", "=~eb"}},
		{"alternatives are anchored, too", `{host="db1"}`, []string{"host", "=~db1|web"}},
		{"no regexp", `{} {host="db1"}`, []string{"host", "!~we.*"}},
		{"both", `{host="web1", mode="user"}`, []string{"host", "web1", "mode", "!~i.*"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var ms []Matcher
			for pair := range slices.Chunk(tc.ms, 2) {
				m, err := ParseMatcher(pair[0], pair[1])
				if err != nil {
					t.Fatal(err)
				}
				ms = append(ms, m)
			}
			var got []string
			for _, sr := range s.Select("cpu", ms) {
				got = append(got, sr.Labels().String())
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), tc.want)
			}
		})
	}
	if len(s.Select("none", nil)) != 0 || len(s.Select("cpu", []Matcher{{}})) != 6 {
		t.Error("an unknown metric has series, or the zero Matcher excludes some")
	}
	for _, bad := range [][2]string{{"a", "=~("}, {"a", "!~a)(b"}, {"", "x"}, {"a", strings.Repeat("x", MaxMatcher+1)}} {
		if _, err := ParseMatcher(bad[0], bad[1]); err == nil {
			t.Errorf("matcher %.20q was taken", bad)
		}
	}
}

func TestSelectIsNotDisturbed(t *testing.T) {
	s := New(wide(), nil)
	now := time.Now().UnixMilli()
	mustAppend(t, s, "m", Labels{{"i", "5"}}, now, 1)
	before := s.Select("m", nil)
	for i := range 9 {
		mustAppend(t, s, "m", Labels{{"i", fmt.Sprint(i)}}, now, 1)
	}
	if len(before) != 1 || before[0].Labels().Get("i") != "5" || len(s.Select("m", nil)) != 9 {
		t.Error("what Select had returned was changed")
	}
}

func TestCallerMayReuseItsBuffers(t *testing.T) {
	s := New(wide(), nil)
	now := time.Now().UnixMilli()
	labels := Labels{{"a", "1"}}
	mustAppend(t, s, "m", labels, now, 1)
	labels[0].Value = "2"
	mustAppend(t, s, "m", labels, now, 1)
	if got := s.Select("m", nil); len(got) != 2 || got[0].String() != `m{a="1"}` || got[1].String() != `m{a="2"}` {
		t.Errorf("got %v", got)
	}
}

func TestValidate(t *testing.T) {
	if ps := DefaultConfig().Validate(); len(ps) > 0 {
		t.Errorf("the defaults are invalid: %v", ps)
	}
	ps := Config{MaxAge: -1, MaxTotal: 5}.Validate()
	var got []string
	for _, p := range ps {
		got = append(got, p.Error())
	}
	want := []string{
		"max_age: -1ns is out of range; a duration from 1s to 3660d, such as 6h",
		"max_samples: 0 is too small; a number of at least 1",
		"max_series: 0 is too small; a number of at least 1",
		"max_total: 5 is too small; a number of at least 1024",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestFirst compares the oldest sample with what Each shows, over blocks that are
// full, growing and cut.
func TestFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := wide()
		cfg.MaxSamples = rapid.SampledFrom([]int{1, 40, 3000, 10_000}).Draw(t, "most")
		st := New(cfg, nil)
		n, now := rapid.IntRange(1, 5000).Draw(t, "n"), time.Now().UnixMilli()
		for i := range n {
			if err := st.Append("m", nil, now-int64(n-i)*10, float64(i)); err != nil {
				t.Fatal(err)
			}
		}
		s := st.Select("m", nil)[0]
		var all []Sample
		s.Each(math.MinInt64, math.MaxInt64, func(b []Sample) { all = append(all, b...) })
		if first, ok := s.First(); !ok || first != all[0] {
			t.Fatalf("the first is %v, %v; want %v", first, ok, all[0])
		}
	})
	var none Series
	if _, ok := none.First(); ok {
		t.Error("an empty series has a first sample")
	}
}
