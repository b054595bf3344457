package plotting_test

import (
	"bytes"
	"image/png"
	"math"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// TestAloneIsSeen draws samples that have no neighbour: the first one of a
// series, and some between gaps. Each is large enough to be seen, and becomes
// the start of a line when the next one comes.
func TestAloneIsSeen(t *testing.T) {
	for name, spec := range specs() {
		if k := spec.Kind; k == plotting.Bar || k == plotting.Gauge || k == plotting.Stat || name == "sparkline" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			cfg := store.DefaultConfig()
			cfg.MaxAge = quantity.Duration(20 * 365 * 24 * 3600e9)
			st := store.New(cfg, prometheus.NewRegistry())
			add := func(mode string, ago int64, v float64) {
				if err := st.Append("m", store.LabelsOf(map[string]string{"mode": mode}), goldenNow-ago, v); err != nil {
					t.Fatal(err)
				}
			}
			spec.Gap, spec.Size = 0, [2]int{400, 200}
			add("one", 100_000, 5)
			for i := range int64(7) {
				add("gaps", 280_000-i*20_000, 2)
				add("gaps", 270_000-i*20_000, math.NaN())
			}
			live, view := plotting.NewLive(&spec, st), spec.View("alone")
			c := &client{}
			see := func(now int64) *plotting.Frame {
				t.Helper()
				f, err := live.Render(view, now)
				if err != nil {
					t.Fatal(err)
				}
				c.see(t, f)
				return f
			}
			f := see(goldenNow)
			one, gaps := inked(t, f, 1), inked(t, f, 0)
			// A dot of four px has some twelve, and a margin that is mixed.
			if one < 6 || gaps < 7*6 {
				t.Errorf("one sample is drawn by %d px, seven by %d", one, gaps)
			}
			// A second one right beside it: a dot would show.
			add("one", 99_900, 5)
			if after := inked(t, see(goldenNow), 1); name != "scatter" && !spec.Stack && after >= one {
				t.Errorf("the dot of %d px stays as %d px when the line goes on", one, after)
			}
		})
	}
}

// inked returns how many px have about the colour of a series, the key in the
// legend aside.
func inked(t *testing.T, f *plotting.Frame, series int) (n int) {
	t.Helper()
	var b bytes.Buffer
	if err := plotting.PNG(&b, f, plotting.Light, 2); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	ink := plotting.SeriesInk(series).In(plotting.Light)
	for y := range img.Bounds().Dy() * 3 / 4 {
		for x := range img.Bounds().Dx() {
			r, g, bl, _ := img.At(x, y).RGBA()
			far := func(a uint8, b uint32) bool { return math.Abs(float64(a)-float64(b>>8)) > 70 }
			if !far(ink.R, r) && !far(ink.G, g) && !far(ink.B, bl) {
				n++
			}
		}
	}
	return n
}
