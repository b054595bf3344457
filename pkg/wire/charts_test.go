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
	spec   *plotting.Spec
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
		st: st, spec: &spec, live: plotting.NewLive(&spec, st), view: v, stream: NewStream(v.ID()),
		epochs: map[string]string{}, now: time.Now().UnixMilli(),
	}
}

func (c *chart) put(t interface{ Fatal(args ...any) }, room string, at int64, v float64) {
	if err := c.st.Append("temp", store.LabelsOf(map[string]string{"room": room}), at, v); err != nil {
		t.Fatal(err)
	}
}

// change alters what the view shows, under the id it has, as a callback does
// whose scope is shared.
func (c *chart) change(t interface{ Fatal(args ...any) }, ch plotting.Change) {
	v, err := c.spec.Change(c.view, ch)
	if err != nil {
		t.Fatal(err)
	}
	c.view = v
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

// happening is one second in the life of a recorded chart.
type happening struct {
	about  string  // "": only the samples of each second
	late   int64   // ms by which a sample more of room a is late; 0: none
	b      float64 // by what the values of room <b> are multiplied
	silent bool    // there is none of room <b>
	change plotting.Change
	away   bool // the client is paused and is sent nothing
	back   bool // it resumes, and is sent what it missed
}

// lifetime is what happens to each recorded chart.
func lifetime() []happening {
	normal := happening{b: 1}
	away := happening{b: 1, away: true}
	hs := []happening{
		normal, normal,
		{about: "a gap in one series", b: math.NaN()},
		{about: "a sample that is late", b: 1, late: 1500},
		normal,
		{about: "nothing of one series", silent: true},
		{about: "a rescale", b: 20},
		normal,
		{about: "after a pause, what was missed, one after the other", b: 1, back: true},
		{about: "a series is hidden", b: 1, change: plotting.Change{Hidden: &[]string{"room <b>"}}},
		normal,
		{about: "another window", b: 1, change: plotting.Change{Window: new(quantity.Duration(9e9)), Hidden: &[]string{}}},
		{about: "another size", b: 1, change: plotting.Change{Size: &[2]int{200, 120}}},
		normal,
		{about: "after a long pause, a full", b: 1, back: true},
		normal,
	}
	short := slices.IndexFunc(hs, func(h happening) bool { return h.back })
	hs = slices.Insert(hs, short, away, away)
	long := len(hs) - 2
	return slices.Insert(hs, long, slices.Repeat([]happening{away}, Keep+1)...)
}

// record lets a chart live for some seconds, and writes down what a client is
// sent that is away at times.
func record(t *testing.T, kind string) vector {
	c := newChart(t, kind)
	v := vector{About: "recorded from a chart of kind " + kind, View: c.view.ID()}
	m := NewMirror(v.View)
	var fulls, patches, joined, appends int
	for i, h := range lifetime() {
		for j, room := range []string{"a", "<b>"} {
			value := 20 + 5*math.Sin(float64(i)/3+float64(j)) // a slow wave
			if j == 1 {
				value *= h.b
			}
			if j == 0 || !h.silent {
				c.put(t, room, c.now-10, value)
			}
		}
		if h.late > 0 {
			c.put(t, "a", c.now-h.late, 21)
		}
		if i == 7 {
			c.put(t, "neu", c.now, 22)
		}
		c.change(t, h.change)
		f := c.frame(t)
		c.now += 1000
		c.stream.Next(f)
		u := c.stream.Last()
		if h.away || u.Pos() == m.Pos() {
			continue
		}
		ms, ok := u.Since(m.Pos())
		if !ok {
			ms = []*Message{u.Full()}
			fulls++
		} else if patches += len(ms); len(ms) > 1 {
			joined++
		}
		msg, about := Join(ms...), h.about
		got, err := ParseServer(msg.JSON())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range got {
			if p, ok := one.(Patch); ok && slices.ContainsFunc(p.Ops, func(op plotting.Op) bool { return op.Code == plotting.OpAppend }) {
				appends++
			}
			if resync, err := m.Take(one); resync || err != nil {
				t.Fatalf("second %d: resync %v, %v", i, resync, err)
			}
		}
		if want := svg(f); !bytes.Equal(m.SVG(), want) {
			t.Fatalf("second %d shows\n%s\nwant\n%s", i, m.SVG(), want)
		}
		v.Steps = append(v.Steps, vectorStep{About: about, Message: msg.JSON(), E: u.Pos().E, R: u.Pos().R, SVG: string(m.SVG())})
	}
	if fulls < 2 || joined < 1 || patches < 6 || appends < 3 && kind != string(plotting.Stat) {
		t.Errorf("%d fulls; %d patches, of which %d append, and %d times several at once; in %d steps", fulls, patches, appends, joined, len(v.Steps))
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
	some := []plotting.Change{
		{Hidden: &[]string{"room a"}},
		{Hidden: &[]string{}},
		{Window: new(quantity.Duration(5e9))},
		{Window: new(quantity.Duration(90e9))},
		{Size: &[2]int{400, 300}},
		{Size: &[2]int{60, 40}},
		{Reset: true},
		{From: new(start - 20_000), To: new(start + 5_000)},
	}
	for range rapid.IntRange(2, 25).Draw(t, "ticks") {
		if rapid.IntRange(0, 5).Draw(t, "alter") == 0 {
			c.change(t, rapid.SampledFrom(some).Draw(t, "change"))
		}
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
