package plotting_test

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// TestPNGOfTheFuture draws what a clock that is a day ahead has sent: in px it is
// further out than what rasterizes lines can count.
func TestPNGOfTheFuture(t *testing.T) {
	for _, kind := range []plotting.Kind{plotting.Line, plotting.Step, plotting.Scatter, plotting.Area} {
		t.Run(string(kind), func(t *testing.T) {
			var pictures [2]image.Image
			for i := range pictures {
				st := filled(t, "north")
				end := st.Select("m", nil)[0]
				last, _ := end.Last()
				if i == 1 {
					if err := st.Append("m", end.Labels(), goldenNow+24*time.Hour.Milliseconds(), last.V); err != nil {
						t.Fatal(err)
					}
				}
				spec := plotting.DefaultSpec()
				spec.Kind, spec.Timezone, spec.Series = kind, "UTC", []plotting.SeriesSpec{{Metric: "m"}}
				w := quantity.Duration(time.Second)
				var b bytes.Buffer
				if err := plotting.PNG(&b, render(t, st, &spec, plotting.Change{Window: &w}), plotting.Light, 1); err != nil {
					t.Fatal(err)
				}
				var err error
				if pictures[i], err = png.Decode(&b); err != nil {
					t.Fatal(err)
				}
			}
			edge := pictures[0].Bounds().Dx() - 30 // where the newest sample is
			for y := range pictures[0].Bounds().Dy() {
				for x := range edge {
					if pictures[0].At(x, y) != pictures[1].At(x, y) {
						t.Fatalf("a sample of tomorrow shows in the picture of now, at %d %d", x, y)
					}
				}
			}
		})
	}
}

// TestEndsOfTheAxis draws values at which the distance of two of them is no
// number any more.
func TestEndsOfTheAxis(t *testing.T) {
	broken := regexp.MustCompile(`NaN|Inf|[^a-z]-?[0-9]{9,}`)
	for name, values := range map[string][]float64{
		"largest": {-math.MaxFloat64, math.MaxFloat64}, "one": {math.MaxFloat64}, "negative": {-math.MaxFloat64},
		"half": {-8e307, 8e307}, "smallest": {5e-324, 1e-323}, "zero": {0, math.Copysign(0, -1)},
	} {
		for _, kind := range append(plotting.Kinds(), "stacked") {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				cfg := store.DefaultConfig()
				cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
				st := store.New(cfg, prometheus.NewRegistry())
				spec := specs()[string(kind)]
				spec.Y.Unit, spec.Size, spec.Thresholds = plotting.PercentUnit, [2]int{400, 200}, nil
				for i := range 10 {
					for _, mode := range []string{"a", "b"} {
						if err := st.Append("m", store.LabelsOf(map[string]string{"mode": mode}), goldenNow+int64(i-9)*1000, values[i%len(values)]); err != nil {
							t.Fatal(err)
						}
					}
				}
				f := render(t, st, &spec, plotting.Change{})
				text := string(f.AppendSVG(nil))
				_, text, _ = strings.Cut(text, "</style>")
				if found := broken.FindAllString(text, 3); found != nil {
					t.Errorf("%q in the picture", found)
				}
				if err := plotting.PNG(&bytes.Buffer{}, f, plotting.Light, 1); err != nil {
					t.Error(err)
				}
			})
		}
	}
	spec := specs()["line"]
	for _, end := range []float64{math.NaN(), math.Inf(1), -math.MaxFloat64} {
		spec.Y.Min = &end
		if ps := spec.Validate(); !slices.ContainsFunc(ps, func(p problem.Problem) bool { return strings.Contains(p.What, "is no end of an axis") }) {
			t.Errorf("y.min: %v: %v", end, ps)
		}
	}
}

// TestFarMarks holds that a mark of any time stands on its own side of the
// picture: none comes back on the other.
func TestFarMarks(t *testing.T) {
	st, spec := filled(t, "north"), specs()["line"]
	from, to := goldenNow-1, goldenNow
	svg := string(render(t, st, &spec, plotting.Change{From: &from, To: &to, Marks: &[]plotting.Mark{
		{T: math.MaxInt64}, {T: math.MinInt64}, {T: math.MinInt64, To: math.MaxInt64},
	}}).AppendSVG(nil))
	var got []string
	for _, m := range regexp.MustCompile(`(?:40 30|band ff)' d='M(-?[0-9]+) [0-9]+(?:H(-?[0-9]+))?`).FindAllStringSubmatch(svg, -1) {
		got = append(got, m[1]+" "+m[2])
	}
	if want := []string{"-1000000 ", "-1000000 ", "-1000000 1000000", "1000000 "}; !slices.Equal(got, want) {
		t.Errorf("the marks stand at %q, want %q", got, want)
	}
}
