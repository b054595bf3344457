package plotting

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

func TestNow(t *testing.T) {
	for _, tc := range []struct {
		name       string
		replay     Replay
		wall, want int64
	}{
		{"live", Replay{}, 9_000, 9_000},
		{"still", Replay{At: 500}, 9_000, 500},
		{"as it was", Replay{At: 500, Since: 8_000, Speed: 1}, 9_000, 1_500},
		{"fast", Replay{At: 500, Since: 8_900, Speed: 60}, 9_000, 6_500},
		{"slow", Replay{At: 500, Since: 8_000, Speed: 0.25}, 9_000, 750},
		{"caught up", Replay{At: 500, Since: 8_000, Speed: 60}, 9_000, 9_000},
		{"still, ahead of the present", Replay{At: 10_000}, 9_000, 9_000},
		{"a clock that was set back", Replay{At: 500, Since: 8_000, Speed: 10}, 7_000, 500},
		{"since ever", Replay{At: 1, Speed: 60}, math.MaxInt64 / 2, math.MaxInt64 / 2},
	} {
		if got := (View{Replay: tc.replay}).Now(tc.wall); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

// TestOneReplayOneView: what shows the same is the same view, and every way back
// to the present is one.
func TestOneReplayOneView(t *testing.T) {
	s := DefaultSpec()
	change := func(v View, j string) View {
		t.Helper()
		var c Change
		if err := json.Unmarshal([]byte(j), &c); err != nil {
			t.Fatal(err)
		}
		v, err := s.Change(v, c.Dated(7_000))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	live := s.View("c")
	still := change(live, `{"replay":{"at":5000}}`)
	if other := change(live, `{"replay":{"at":5000,"since":77}}`); other != still || other.ID() != still.ID() {
		t.Errorf("%+v is not %+v, though both stand still", other, still)
	}
	if still.ID() == live.ID() || !still.Live() {
		t.Errorf("%+v has the id of the live view, or is a fixed range", still)
	}
	if moving := change(live, `{"replay":{"at":5000,"speed":2}}`); moving.Replay.Since != 7_000 {
		t.Errorf("it began at %d; want when it was read", moving.Replay.Since)
	}
	for _, back := range []string{`{"replay":{}}`, `{"reset":true}`, `{"window":0}`, `{"from":0,"to":0}`} {
		if v := change(still, back); v != live {
			t.Errorf("%s leads to %+v, not to the live view", back, v)
		}
	}
	if v := change(still, `{"from":1000,"to":2000}`); v.replaying() || v.Live() {
		t.Errorf("a range within a replay is %+v", v)
	}
	if v := change(change(live, `{"from":1000,"to":2000}`), `{"replay":{"at":5000}}`); v != still {
		t.Errorf("a replay of a range is %+v", v)
	}
	if v := change(still, `{"window":"1m","replay":{"at":6000}}`); v.Replay.At != 6000 || v.Window.Std() != time.Minute {
		t.Errorf("another window and time at once are %+v", v)
	}
}

// TestReplayReadsOn moves a view's clock through what the store has held for
// long, with samples that come late or change on both sides of it: its lines are
// what one who begins to look there sees, and have nothing of what came later.
func TestReplayReadsOn(t *testing.T) {
	for _, stacked := range []bool{false, true} {
		t.Run(strconv.FormatBool(stacked), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { replayOn(t, stacked) })
		})
	}
}

func replayOn(t *rapid.T, stacked bool) {
	const begin, future = 1_700_000_000_000, 1_700_000_400_000
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	spec := DefaultSpec()
	spec.Kind, spec.Timezone = Line, "UTC"
	if stacked {
		spec.Kind, spec.Stack = Area, true
	}
	spec.Window = quantity.Duration(60e9)
	spec.Gap = quantity.Duration(rapid.SampledFrom([]int64{0, 5e9}).Draw(t, "gap"))
	spec.Series, spec.LegendValues = []SeriesSpec{{Metric: "m"}}, LegendValues()
	add := func(at int64) {
		labels := store.LabelsOf(map[string]string{"s": strconv.Itoa(rapid.IntRange(0, 2).Draw(t, "s"))})
		v := rapid.Float64Range(-5, 5).Draw(t, "v")
		if rapid.IntRange(0, 20).Draw(t, "nan") == 0 {
			v = math.NaN()
		}
		if err := st.Append("m", labels, at, v); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 { // all have a past that is over
		labels := store.LabelsOf(map[string]string{"s": strconv.Itoa(i)})
		for _, at := range []int64{begin, future} {
			if err := st.Append("m", labels, at, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range rapid.IntRange(0, 300).Draw(t, "samples") {
		add(begin + rapid.Int64Range(0, 300_000).Draw(t, "at"))
	}
	view := spec.View("c")
	view.Replay = Replay{At: begin + rapid.Int64Range(0, 100_000).Draw(t, "start"), Since: begin, Speed: rapid.SampledFrom([]float64{0, 1, 60}).Draw(t, "speed")}
	followed := NewLive(&spec, st)
	wall := int64(begin + 300_000)
	view.Replay.Since = wall
	t.Repeat(map[string]func(*rapid.T){
		"tick": func(t *rapid.T) { wall += rapid.Int64Range(1, 5_000).Draw(t, "ms") },
		"late": func(t *rapid.T) { add(begin + rapid.Int64Range(0, 390_000).Draw(t, "at")) },
		"": func(t *rapid.T) {
			now, fresh := view.Now(wall), NewLive(&spec, st)
			for _, live := range []*Live{followed, fresh} {
				if _, err := live.look(view); err != nil {
					t.Fatal(err)
				}
				live.body.follow(now-60_000, now)
			}
			for i, l := range followed.lines {
				from := now - 60_000
				got, want := seen(&l.trace, from), seen(&fresh.lines[i].trace, from)
				if !slices.EqualFunc(got, want, func(a, b point) bool {
					return a.t == b.t && (math.IsNaN(a.v) && math.IsNaN(b.v) || math.Abs(a.v-b.v) < 1e-9)
				}) {
					t.Fatalf("line %d at %d has\n%v\nand for one who begins there\n%v", i, now, got, want)
				}
				sum, fair := l.tally.over(from, now), fresh.lines[i].tally.over(from, now)
				for _, what := range LegendValues() {
					if a, b := sum.get(what), fair.get(what); !(math.Abs(a-b) < 1e-9 || a != a && b != b) || sum.n != fair.n {
						t.Fatalf("line %d: the %s of %d samples is %v, and of %d %v", i, what, sum.n, a, fair.n, b)
					}
				}
				if n := len(got); n > 0 && got[n-1].t > now {
					t.Fatalf("line %d shows %d, which is later than %d", i, got[n-1].t, now)
				}
			}
		},
	})
}

// seen returns the points from a time on, of which there may be more buckets.
func seen(tr *trace, from int64) (pts []point) {
	for _, c := range tr.chunks {
		for _, p := range c.pts {
			if p.t >= from && !math.IsNaN(p.v) {
				pts = append(pts, p)
			}
		}
	}
	return pts
}

// TestReplayMoves: a replay costs patches as a live view does, stands still at
// speed 0 whatever comes in, and says so where nothing is held.
func TestReplayMoves(t *testing.T) {
	const begin = int64(1_700_000_000_000)
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	put := func(at int64) {
		if err := st.Append("m", store.LabelsOf(nil), at, 50+40*math.Sin(float64(at)/9e3)); err != nil {
			t.Fatal(err)
		}
	}
	for at := begin; at < begin+3_600_000; at += 500 {
		put(at)
	}
	spec := DefaultSpec()
	spec.Timezone, spec.Series = "UTC", []SeriesSpec{{Metric: "m"}}
	spec.Y.Min, spec.Y.Max = new(0.0), new(100.0)
	render := func(l *Live, v View, wall int64) *Frame {
		t.Helper()
		f, err := l.Render(v, wall)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	wall := begin + 3_600_000
	for _, speed := range []float64{1, 10, 60} {
		v, live := spec.View("c"), NewLive(&spec, st)
		v.Replay = Replay{At: begin + 400_000, Since: wall, Speed: speed}
		first := render(live, v, wall)
		bytes, ticks := 0, min(60, int(3_200_000/(1000*speed)))
		for i := range ticks {
			next := render(live, v, wall+int64(i+1)*1000)
			ops, ok := Diff(first, next, nil)
			if next.Epoch != first.Epoch || !ok {
				t.Fatalf("speed %v: a full at tick %d", speed, i)
			}
			for _, op := range ops {
				bytes += len(op.Key) + len(op.Text) + 8
			}
			first = next
		}
		t.Logf("speed %v: %d bytes a tick, of %d in a full", speed, bytes/ticks, first.Len())
		if bytes/ticks > first.Len()/3 {
			t.Errorf("speed %v: %d bytes a tick; a full has %d", speed, bytes/ticks, first.Len())
		}
	}

	v, live := spec.View("c"), NewLive(&spec, st)
	v.Replay = Replay{At: begin + 400_000}
	still := render(live, v, wall)
	put(wall)
	if next := render(live, v, wall+5_000); next != still {
		t.Error("a view that stands still moved")
	}
	if held := "data-held='" + strconv.FormatInt(begin, 10) + "'"; !strings.Contains(still.Root.Open, held) {
		t.Errorf("no %s in %s", held, still.Root.Open)
	}
	if text := string(still.AppendSVG(nil)); !strings.Contains(text, "The 5m before 2023-11-14 22:20:00.") {
		t.Error("the description does not say what it shows")
	}
	v.Replay.At = begin - 1
	if text := string(render(live, v, wall).AppendSVG(nil)); !strings.Contains(text, ">Nothing is held from before 2023-11-14 22:13:20<") {
		t.Error("it does not say that the store goes back less far")
	}
}

// TestGaugeOfThePast shows the value that was the newest then.
func TestGaugeOfThePast(t *testing.T) {
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	for i := range int64(100) {
		if err := st.Append("m", store.LabelsOf(nil), 1_700_000_000_000+i*1000, float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []Kind{Stat, Gauge, Bar} {
		spec := DefaultSpec()
		spec.Kind, spec.Series = kind, []SeriesSpec{{Metric: "m"}}
		v := spec.View("c")
		v.Replay = Replay{At: 1_700_000_042_500, Since: 1_700_000_099_000, Speed: 10}
		live := NewLive(&spec, st)
		for i, want := range []string{">42.0<", ">52.0<", ">62.0<"} {
			f, err := live.Render(v, 1_700_000_099_000+int64(i)*1000)
			if err != nil {
				t.Fatal(err)
			}
			if text := string(f.AppendSVG(nil)); !strings.Contains(text, want) {
				t.Errorf("%s after %d s: no %s", kind, i, want)
			}
		}
	}
}

// TestReplayOfATransform: a transform's values are seen as those of samples are,
// and how far back one can go is said of what it reads.
func TestReplayOfATransform(t *testing.T) {
	const begin = int64(1_700_000_000_000)
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	for i := range int64(3600) {
		for metric, v := range map[string]float64{"m": float64(i), "double": 2 * float64(i)} {
			if err := st.Append(metric, nil, begin+i*1000, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	view := func(series SeriesSpec) (*Live, View) {
		spec := DefaultSpec()
		spec.Timezone, spec.Series, spec.LegendValues = "UTC", []SeriesSpec{series}, LegendValues()
		if ps := spec.Validate(); len(ps) > 0 {
			t.Fatal(ps)
		}
		v := spec.View("c")
		v.Replay = Replay{At: begin + 1_000_000, Since: begin + 3_600_000, Speed: 30}
		return NewLive(&spec, st), v
	}
	plain, pv := view(SeriesSpec{Metric: "double", Name: "x"})
	derived, dv := view(SeriesSpec{Metric: "m", Transform: "2 * {}", Name: "x"})
	defer derived.Close()
	for i := range int64(60) {
		wall := begin + 3_600_000 + i*1000
		want, err := plain.Render(pv, wall)
		if err != nil {
			t.Fatal(err)
		}
		got, err := derived.Render(dv, wall)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := string(got.AppendSVG(nil)), string(want.AppendSVG(nil)); a != b {
			t.Fatalf("after %d s the transform's picture differs from that of the same samples", i)
		}
	}
}
