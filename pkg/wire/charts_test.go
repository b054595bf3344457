package wire

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// chart is a real one: a store, a renderer, a stream.
type chart struct {
	st     *store.Store
	live   *plotting.Live
	view   plotting.View
	stream *Stream
	epochs map[string]string // random ones, and what they are called in a vector
	now    int64             // ms
}

func newChart(t testing.TB, kind string) *chart {
	t.Helper()
	spec := plotting.DefaultSpec()
	spec.Title, spec.Description = "Heat & <light>", "What the rooms are like"
	spec.Kind, spec.Timezone = plotting.Kind(kind), "UTC"
	if kind == "stack" {
		spec.Kind, spec.Stack = plotting.Area, true
	}
	spec.Window, spec.Size = quantity.Duration(20e9), [2]int{240, 160}
	spec.Series = []plotting.SeriesSpec{{Metric: "temp", Name: "room {room}"}}
	if ps := spec.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(6 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	v := spec.View("heat")
	return &chart{
		st: st, live: plotting.NewLive(&spec, st), view: v, stream: NewStream(v.ID()),
		epochs: map[string]string{}, now: time.Now().UnixMilli(),
	}
}

func (c *chart) put(t interface{ Fatal(args ...any) }, room string, at int64, v float64) {
	if err := c.st.Append("temp", store.LabelsOf(map[string]string{"room": room}), at, v); err != nil {
		t.Fatal(err)
	}
}

// frame draws the chart, under an epoch that is the same in every run.
func (c *chart) frame(t interface{ Fatal(args ...any) }) *plotting.Frame {
	f, err := c.live.Render(c.view, c.now)
	if err != nil {
		t.Fatal(err)
	}
	name, ok := c.epochs[f.Epoch]
	if !ok {
		name = "e" + strconv.Itoa(len(c.epochs)+1)
		c.epochs[f.Epoch] = name
	}
	return &plotting.Frame{Epoch: name, Root: f.Root}
}

func kindNames() []string {
	names := []string{"stack"}
	for _, k := range plotting.Kinds() {
		names = append(names, string(k))
	}
	return names
}

// Vectors of every kind of chart are recorded by -update. They stay true when
// charts are drawn differently one day, so they are not compared with the
// charts of today; TestAMirrorFollowsEveryVector follows what is in the files,
// and this test what would be.
func TestRecordCharts(t *testing.T) {
	for _, kind := range kindNames() {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := record(t, kind)
				if *update {
					golden(t, "frames/chart-"+kind+".json", indent(t, v))
				}
			})
		})
	}
}

// record lets a chart live for some seconds: samples come, one is missing, one
// is late, one is far off, and a series is new.
func record(t *testing.T, kind string) vector {
	c := newChart(t, kind)
	v := vector{About: "recorded from a chart of kind " + kind, View: c.view.ID()}
	m := NewMirror(v.View)
	patches, appends := 0, 0
	for i := range 9 {
		for j, room := range []string{"a", "<b>"} {
			value := 20 + 5*math.Sin(float64(i)/3+float64(j)) // a slow wave
			switch {
			case i == 3 && j == 0:
				value = math.NaN()
			case i == 6 && j == 1:
				value = 480
			}
			c.put(t, room, c.now-10, value)
		}
		if i == 4 {
			c.put(t, "a", c.now-1500, 21)
		}
		if i == 8 {
			c.put(t, "neu", c.now, 22)
		}
		f := c.frame(t)
		c.now += 1000
		u := c.stream.Next(f)
		if u == nil {
			continue
		}
		msg, about := u.Patch(), "a tick"
		if msg == nil {
			msg, about = u.Full(), "a full"
		} else {
			patches++
		}
		ms, err := ParseServer(msg.JSON())
		if err != nil {
			t.Fatal(err)
		}
		if p, ok := ms[0].(Patch); ok && slices.ContainsFunc(p.Ops, func(op plotting.Op) bool { return op.Code == plotting.OpAppend }) {
			appends++
		}
		if resync, err := m.Take(ms[0]); resync || err != nil {
			t.Fatalf("tick %d: resync %v, %v", i, resync, err)
		}
		if want := svg(f); !bytes.Equal(m.SVG(), want) {
			t.Fatalf("tick %d shows\n%s\nwant\n%s", i, m.SVG(), want)
		}
		v.Steps = append(v.Steps, vectorStep{About: about, Message: msg.JSON(), E: u.Pos().E, R: u.Pos().R, SVG: string(m.SVG())})
	}
	if patches < 3 || appends < 3 && kind != string(plotting.Stat) {
		t.Errorf("%d patches, of which %d append, in %d frames", patches, appends, len(v.Steps))
	}
	return v
}

// Whatever samples come, early, late, twice or not at all, and however many
// updates a client misses: it arrives at the newest frame, byte for byte.
func TestEveryKindOfChartIsFollowed(t *testing.T) {
	for _, kind := range kindNames() {
		t.Run(kind, func(t *testing.T) {
			// The hour is in what is drawn, and rapid must be able to do the same
			// again.
			start := time.Now().Truncate(time.Hour).UnixMilli()
			rapid.Check(t, func(rt *rapid.T) { follow(t, rt, kind, start) })
		})
	}
}

func follow(tb testing.TB, t *rapid.T, kind string, start int64) {
	c := newChart(tb, kind)
	c.now = start
	viewers := [3]viewer{}
	for i := range viewers {
		viewers[i].Mirror = NewMirror(c.view.ID())
	}
	for range rapid.IntRange(2, 25).Draw(t, "ticks") {
		for range rapid.IntRange(0, 4).Draw(t, "samples") {
			room := rapid.SampledFrom([]string{"a", "b", "'<&>'"}).Draw(t, "room")
			at := c.now - rapid.SampledFrom([]int64{0, 1, 10, 10, 10, 700, 5000, 30_000, -500}).Draw(t, "age")
			value := rapid.SampledFrom([]float64{0, 1, 1, 2, 2.5, 3, -1, 100, 1e9, math.NaN(), math.SmallestNonzeroFloat64}).Draw(t, "value")
			c.put(t, room, at, value)
		}
		f := c.frame(t)
		c.stream.Next(f)
		c.now += rapid.SampledFrom([]int64{0, 250, 1000, 1000, 1000, 7000, 120_000}).Draw(t, "pause")
		for i := range viewers {
			if i == 0 || rapid.Bool().Draw(t, "awake") {
				viewers[i].catchUp(t, c.stream.Last())
				if want := svg(f); !bytes.Equal(viewers[i].SVG(), want) {
					t.Fatalf("viewer %d shows\n%s\nwant\n%s", i, viewers[i].SVG(), want)
				}
			}
		}
	}
}

// TestATickIsShort holds the weight of a live tick, envelope and all, against
// the same samples as compact JSON, in which a value has as few digits as
// still make a smooth line.
func TestATickIsShort(t *testing.T) {
	spec := plotting.DefaultSpec()
	spec.Title, spec.Timezone, spec.Y.Unit = "Load", "UTC", plotting.Percent
	spec.Window, spec.Size = quantity.Duration(1000e9), [2]int{800, 400}
	spec.Series = []plotting.SeriesSpec{{Metric: "load", Name: "{host}"}}
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	hosts := [4]store.Labels{}
	for i := range hosts {
		hosts[i] = store.LabelsOf(map[string]string{"host": "web" + strconv.Itoa(i)})
	}
	live, v := plotting.NewLive(&spec, st), spec.View("load")
	stream := NewStream(v.ID())
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	const window, hour = 1000, 3600
	var patches, samples []int
	for i := range window + hour {
		at := start + int64(i)*1000
		row := fmt.Appendf(nil, "[%d", at)
		for k, host := range hosts {
			x, k := float64(i), float64(k)
			v := math.Round(10*(20+15*k+6*math.Sin(x/97+k)+3*math.Sin(x/13.7+2*k)+2*math.Sin(x/3.1+3*k))) / 10
			if err := st.Append("load", host, at, v); err != nil {
				t.Fatal(err)
			}
			row = strconv.AppendFloat(append(row, ','), v, 'g', -1, 64)
		}
		if i < window {
			continue
		}
		f, err := live.Render(v, at)
		if err != nil {
			t.Fatal(err)
		}
		if u := stream.Next(f); u.Patch() != nil {
			patches, samples = append(patches, u.Patch().Len()), append(samples, len(row)+len("]"))
		}
	}
	slices.Sort(patches)
	slices.Sort(samples)
	patch, sample := patches[len(patches)/2], samples[len(samples)/2]
	t.Logf("%d patches in an hour; half of them have %d bytes or less, the samples as JSON %d", len(patches), patch, sample)
	if len(patches) < hour-2 || patch > 5*sample {
		t.Errorf("want all but a few, of at most %d bytes", 5*sample)
	}
}
