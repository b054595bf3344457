package plotting

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// TestTableHasEverySample: the rows of a table are the samples of the range, in
// order, each once, hidden series aside; a cut one has the newest of them.
func TestTableHasEverySample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := store.DefaultConfig()
		cfg.MaxAge = quantity.Duration(3660 * 24 * 3600e9)
		st := store.New(cfg, prometheus.NewRegistry())
		spec := DefaultSpec()
		spec.Series = []SeriesSpec{{Metric: "m", Name: "{i}"}}
		const start = int64(1_700_000_000_000)
		from, to := start+rapid.Int64Range(0, 900).Draw(t, "from"), start+rapid.Int64Range(901, 2000).Draw(t, "to")
		type at struct {
			t int64
			i string
		}
		want := map[at]float64{}
		var times []int64
		for i := range rapid.IntRange(0, 4).Draw(t, "series") {
			name := strconv.Itoa(i)
			for _, ms := range rapid.SliceOfDistinct(rapid.Int64Range(0, 2000), rapid.ID[int64]).Draw(t, "times") {
				v := rapid.SampledFrom([]float64{1, -2.5, math.NaN()}).Draw(t, "v")
				if err := st.Append("m", store.LabelsOf(map[string]string{"i": name}), start+ms, v); err != nil {
					t.Fatal(err)
				}
				if start+ms >= from && start+ms <= to && name != "1" {
					want[at{start + ms, name}] = v
					times = append(times, start+ms)
				}
			}
		}
		v, err := spec.Change(spec.View("c"), Change{From: &from, To: &to, Hidden: &[]string{"1"}})
		if err != nil {
			t.Fatal(err)
		}
		table, err := NewTable(&spec, st, v, start)
		if err != nil {
			t.Fatal(err)
		}
		defer table.Close()
		most := rapid.IntRange(4, 100).Draw(t, "most")
		whole, cut := table.Cut(most)
		if cut != (len(times) > most) {
			t.Fatalf("%d samples, at most %d: cut %v", len(times), most, cut)
		}
		slices.Sort(times)
		times = slices.Compact(slices.DeleteFunc(times, func(ms int64) bool { return ms < whole }))
		var got []int64
		n := 0
		for ms, row := range table.Rows() {
			got = append(got, ms)
			for i, name := range table.Names() {
				v, there := want[at{ms, name}]
				if there {
					n++
				} else {
					v = math.NaN()
				}
				if !equal(row[i], v) {
					t.Fatalf("%s at %d is %v, want %v", name, ms, row[i], v)
				}
			}
		}
		if !slices.Equal(got, times) {
			t.Fatalf("rows at %v, want %v", got, times)
		}
		if n > most {
			t.Fatalf("%d samples, at most %d were asked for", n, most)
		}
		for range table.Rows() {
			break // and no more is read
		}
	})
}

// TestTableOfMany: more samples than are held at once come out in one order.
func TestTableOfMany(t *testing.T) {
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(3660 * 24 * 3600e9)
	st := store.New(cfg, prometheus.NewRegistry())
	spec := DefaultSpec()
	spec.Series = []SeriesSpec{{Metric: "m", Name: "{i}"}, {Name: "sum", Transform: "sum(m)"}}
	const start, n = int64(1_700_000_000_000), 30_000
	for i := range int64(n) {
		for _, name := range []string{"a", "b"} {
			if err := st.Append("m", store.LabelsOf(map[string]string{"i": name}), start+i*10, 2); err != nil {
				t.Fatal(err)
			}
		}
	}
	from, to := start, start+n*10
	v, err := spec.Change(spec.View("c"), Change{From: &from, To: &to})
	if err != nil {
		t.Fatal(err)
	}
	table, err := NewTable(&spec, st, v, start)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if got := table.Names(); !slices.Equal(got, []string{"a", "b", "sum"}) {
		t.Fatalf("columns %q", got)
	}
	rows := int64(0)
	for ms, row := range table.Rows() {
		if ms != start+rows*10 || row[0] != 2 || row[1] != 2 || row[2] != 4 {
			t.Fatalf("row %d is %d %v", rows, ms, row)
		}
		rows++
	}
	if rows != n {
		t.Errorf("%d rows, want %d", rows, n)
	}
}
