package plotting_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

var update = flag.Bool("update", false, "write the goldens anew")

// goldenNow is the moment of the goldens.
var goldenNow = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC).UnixMilli()

// filled returns a store with five minutes of four series, of which the second
// has a gap.
func filled(t testing.TB, names ...string) *store.Store {
	t.Helper()
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	if len(names) == 0 {
		names = []string{"north", "east", "south", "west"}
	}
	for i := int64(300); i >= 0; i -= 2 {
		for k, name := range names {
			v := 12 + 10*float64(k) + 6*math.Sin(float64(i)/25+float64(k)) + float64((i*7919+int64(k)*31)%7)/3
			if k == 1 && i > 100 && i < 130 {
				v = math.NaN()
			}
			if err := st.Append("m", store.LabelsOf(map[string]string{"mode": name}), goldenNow-i*1000, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	return st
}

// specs are the charts of the goldens, by name.
func specs() map[string]plotting.Spec {
	specs := map[string]plotting.Spec{}
	for _, kind := range append(plotting.Kinds(), "stacked") {
		s := plotting.DefaultSpec()
		s.Kind, s.Title, s.Timezone = kind, "Wind by quarter", "UTC"
		s.Series = []plotting.SeriesSpec{{Metric: "m", Name: "{mode}"}}
		s.Y = plotting.Axis{Unit: "m/s", Label: "speed"}
		switch kind {
		case plotting.Line, plotting.Bar, plotting.Gauge, plotting.Stat:
			s.Thresholds = []plotting.Threshold{{At: 35, Text: "gale <8>"}, {At: 40, Level: plotting.Alarm}, {At: 20, Level: plotting.Note, Text: "breeze"}}
		}
		if kind == "stacked" {
			s.Kind, s.Stack = plotting.Area, true
		}
		specs[string(kind)] = s
	}
	s := specs["line"]
	s.Size = [2]int{120, 40}
	specs["sparkline"] = s
	s = specs["line"]
	s.LegendValues = plotting.LegendValues()
	specs["legend"] = s
	s = specs["stacked"]
	s.LegendValues, s.Size = []plotting.LegendValue{plotting.LegendMean, plotting.LegendLast}, [2]int{360, 400}
	specs["legend-narrow"] = s
	s = specs["gauge"]
	s.Y.Max = new(100.0)
	specs["gauge"] = s
	return specs
}

func render(t testing.TB, st *store.Store, spec *plotting.Spec, ch plotting.Change) *plotting.Frame {
	t.Helper()
	if ps := spec.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	v, err := spec.Change(spec.View("golden"), ch)
	if err != nil {
		t.Fatal(err)
	}
	f, err := plotting.NewLive(spec, st).Render(v, goldenNow)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestGoldens(t *testing.T) {
	for name, spec := range specs() {
		t.Run(name, func(t *testing.T) {
			got := render(t, filled(t), &spec, plotting.Change{
				Marks: &[]plotting.Mark{{T: goldenNow - 200_000, Text: "sails <up>"}, {T: goldenNow - 120_000, To: goldenNow - 80_000, Text: "calm"}}, Hidden: &[]string{"west"},
			}).AppendSVG(nil)
			if _, err := plotting.Parse(got); err != nil {
				t.Error(err)
			}
			// One element a line, so that a change can be read.
			text := bytes.ReplaceAll(got, []byte("><"), []byte(">\n<"))
			path := filepath.Join("testdata", "golden", name+".svg")
			if *update {
				if err := os.WriteFile(path, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(text, want) {
				t.Errorf("%s has changed; look at it, and if it is right: go test ./pkg/plotting -run Goldens -update", path)
			}
		})
	}
}

// TestPNG looks for each series' colour in each kind's picture, light and dark.
func TestPNG(t *testing.T) {
	for name, spec := range specs() {
		for _, theme := range []plotting.Theme{plotting.Light, plotting.Dark} {
			t.Run(name+" "+string(theme), func(t *testing.T) {
				var b bytes.Buffer
				spec.Thresholds = nil // they paint over a series' colour
				if name != "sparkline" {
					spec.Size = [2]int{400, 200}
				}
				f := render(t, filled(t), &spec, plotting.Change{})
				if err := plotting.PNG(&b, f, theme, 1.5); err != nil {
					t.Fatal(err)
				}
				img, err := png.Decode(&b)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := img.Bounds().Size(), image.Pt(spec.Size[0]*3/2, spec.Size[1]*3/2); got != want {
					t.Errorf("%v px, want %v", got, want)
				}
				if got := img.At(0, 0); got != color.Color(plotting.BackInk.In(theme)) {
					t.Errorf("the background is %v", got)
				}
				if name == "stat" || name == "stacked" { // text, and mixed colours
					return
				}
				found := map[color.Color]int{}
				for y := range img.Bounds().Dy() {
					for x := range img.Bounds().Dx() {
						found[img.At(x, y)]++
					}
				}
				for i := range 4 {
					if n := found[plotting.SeriesInk(i).In(theme)]; n < 10 {
						t.Errorf("%d px have the colour of series %d", n, i)
					}
				}
			})
		}
	}
	spec := specs()["line"]
	if err := plotting.PNG(&bytes.Buffer{}, render(t, filled(t), &spec, plotting.Change{}), plotting.Light, 100); err == nil {
		t.Error("a picture of 80,000 px was drawn")
	}
}

// TestTextStaysText puts markup wherever a stranger's text goes.
func TestTextStaysText(t *testing.T) {
	const attack = "</text><script>alert(1)</script><b onload='x' a=\"]]>&amp;"
	st := filled(t, attack, "b")
	for name, spec := range specs() {
		spec.Title, spec.Description, spec.Y.Label, spec.Y.Unit = attack+"\r\x01\xff", attack+"\r\x01\xff", attack, attack
		spec.Series[0].Name = "{mode}" + attack
		spec.Vars = map[string]plotting.Var{"v": {Default: ""}}
		v, err := spec.Change(spec.View("golden"), plotting.Change{
			Marks: &[]plotting.Mark{{T: goldenNow - 1000, Text: attack}}, Vars: map[string]string{"v": attack}, Title: new(attack + "$v"),
		})
		if err != nil {
			t.Fatal(err)
		}
		f, err := plotting.NewLive(&spec, st).Render(v, goldenNow)
		if err != nil {
			t.Fatal(err)
		}
		got := string(f.AppendSVG(nil))
		for _, bad := range []string{"<script", "<b ", "onload='", `onload="`} {
			if strings.Contains(got, bad) {
				t.Errorf("%s: %q is in the SVG", name, bad)
			}
		}
		if !strings.Contains(got, "&lt;script&gt;") {
			t.Errorf("%s: the text is not there at all", name)
		}
		if _, err := plotting.Parse([]byte(got)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, k := range f.Root.Kids {
			if k.Type == plotting.Text && (bytes.ContainsAny(k.Live, "\r\x01") || !utf8.Valid(k.Live)) {
				t.Errorf("%s: %s reads differently in a patch: %q", name, k.Key, k.Live)
			}
		}
		if err := plotting.PNG(&bytes.Buffer{}, f, plotting.Light, 1); err != nil {
			t.Errorf("%s: not XML: %v", name, err)
		}
	}
}

// TestTickIsSmall holds the promise of the wire: what a tick allocates does not
// follow the number of points in the window, and what it sends follows what is
// new.
func TestTickIsSmall(t *testing.T) {
	measure := func(n int) (allocs float64, size int) {
		w := newWorld(t, n, 1000)
		spec := w.chart(plotting.Line, n)
		spec.Y.Min, spec.Y.Max = new(0.0), new(100.0)
		l, v := plotting.NewLive(spec, w.store), spec.View("small")
		prev, err := l.Render(v, w.now)
		if err != nil {
			t.Fatal(err)
		}
		var ops []plotting.Op
		var sizes []int
		allocs = testing.AllocsPerRun(200, func() {
			w.tick()
			next, err := l.Render(v, w.now)
			if err != nil {
				t.Fatal(err)
			}
			ops, _ = plotting.Diff(prev, next, ops[:0])
			sum := 0
			for _, op := range ops {
				sum += len(op.Key) + len(op.Text) + len(`["a","",""],`)
			}
			sizes, prev = append(sizes, sum), next
		})
		total := 0
		for _, s := range sizes {
			total += s
		}
		return allocs, total / len(sizes)
	}
	few, fewBytes := measure(1000)
	many, manyBytes := measure(50_000)
	t.Logf("1,000 points: %v allocations, %d bytes; 50,000 points: %v allocations, %d bytes", few, fewBytes, many, manyBytes)
	if few > 45 || many > few*1.3 {
		t.Errorf("a tick allocates %v times in a window of 1,000 points, and %v in one of 50,000", few, many)
	}
	if fewBytes > 150 || manyBytes > 150 {
		t.Errorf("the operations of a tick have %d and %d bytes; 4 points and a move are some 110", fewBytes, manyBytes)
	}
}

func ExampleLive() {
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	attic := store.LabelsOf(map[string]string{"room": "attic"})
	now := goldenNow
	add := func(t int64, v float64) {
		if err := st.Append("temperature", attic, t, v); err != nil {
			fmt.Println(err)
		}
	}
	for i := range int64(60) {
		add(now-59_000+i*1000, 20+float64(i%5))
	}

	spec := plotting.DefaultSpec()
	spec.Title = "Attic"
	spec.Y.Unit = plotting.Celsius
	spec.Series = []plotting.SeriesSpec{{Metric: "temperature", Name: "{room}"}}

	live, view := plotting.NewLive(&spec, st), spec.View("attic")
	first, err := live.Render(view, now)
	if err != nil {
		fmt.Println(err)
	}
	// One second later, with one more sample.
	add(now+1000, 21)
	second, err := live.Render(view, now+1000)
	if err != nil {
		fmt.Println(err)
	}
	ops, ok := plotting.Diff(first, second, nil)
	fmt.Println("one epoch:", ok)
	for _, op := range ops {
		fmt.Printf("%c %q\n", op.Code, op.Text)
	}
	// Output:
	// one epoch: true
	// t "translate(7756)"
	// a " 24 2234"
}
