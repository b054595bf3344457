package plotting_test

import (
	"bytes"
	"image/color"
	"image/png"
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
)

// TestPNGOfABand holds that one sees through an annotated span of time what was
// measured in it, as in the live chart.
func TestPNGOfABand(t *testing.T) {
	st, spec := filled(t), specs()["line"]
	spec.Thresholds = nil
	for _, theme := range []plotting.Theme{plotting.Light, plotting.Dark} {
		var b bytes.Buffer
		f := render(t, st, &spec, plotting.Change{Marks: &[]plotting.Mark{{T: goldenNow - 200_000, To: goldenNow - 80_000}}})
		if err := plotting.PNG(&b, f, theme, 1); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		back, ink := plotting.BackInk.In(theme), plotting.TextInk.In(theme)
		through := func(behind, front uint8) int { return (int(behind)*88 + int(front)*12) / 100 }
		band, lines := 0, map[color.Color]bool{}
		for x := 320; x < 560; x++ {
			for y := 60; y < 300; y++ {
				r, g, b, _ := img.At(x, y).RGBA()
				if near(int(r>>8), through(back.R, ink.R)) && near(int(g>>8), through(back.G, ink.G)) && near(int(b>>8), through(back.B, ink.B)) {
					band++
				} else {
					lines[img.At(x, y)] = true
				}
			}
		}
		if band < 240*240*3/4 {
			t.Errorf("%s: %d px are background behind a band", theme, band)
		}
		if len(lines) < 100 {
			t.Errorf("%s: %d colours of what is behind the band", theme, len(lines))
		}
	}
}

func near(a, b int) bool { return a-b <= 2 && b-a <= 2 }
