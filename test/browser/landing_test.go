package browser

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/store"
)

// landing is a chart whose axis of values stands still, so that a sample has one
// place however it is drawn.
const landing = `
listen: "127.0.0.1:0"
defaults: {refresh: 250ms, window: 20s}
charts:
  still: {title: Still, kind: line, y: {min: 0, max: 100}, series: [{metric: m, name: "{mode}"}, {metric: dot, name: dot}]}
`

// spot is where the known sample is in one animation frame, stretched or drawn
// by the server, and how much a hand had done until then.
type spot struct {
	X, Y      float64
	Under     float64 // where the time is that was under the pointer
	Moves     int
	Picture   int // counts pictures
	Stretched bool
}

// lonely puts a sample into the store that stands alone, and is drawn as a dot.
func lonely(t *testing.T, d *daemon.Daemon) {
	t.Helper()
	if err := d.Store().Append("dot", store.LabelsOf(nil), time.Now().Add(-6*time.Second).UnixMilli(), 70); err != nil {
		t.Fatal(err)
	}
}

// watchDot begins to note where the known sample is.
const watchDot = `
	window.dot = () => { const r = svg(el).querySelector("[data-name=dot] path").getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; };
	window.moves = window.pivot = 0;
	for (const type of ["wheel", "pointermove"]) addEventListener(type, () => moves++, { capture: true, passive: true });
	window.pictures = [];
	window.spots = () => watchFrames(() => {
		if (!pictures.includes(svg(el))) pictures.push(svg(el));
		return { ...dot(), under: drawnAt(el, pivot), moves, picture: pictures.indexOf(svg(el)), stretched: !!svg(el).closest(".stretched") };
	});`

// lands checks that nothing but the hand moves the known sample: pictures land
// without a jump of more than a px.
func lands(t *testing.T, what string, all []spot) {
	t.Helper()
	pictures := 0
	for i := 1; i < len(all); i++ {
		was, now := all[i-1], all[i]
		if now.Picture != was.Picture {
			pictures++
		}
		if now.Moves == was.Moves && math.Hypot(now.X-was.X, now.Y-was.Y) > 1 {
			t.Errorf("%s: it jumped from %+v to %+v", what, was, now)
		}
	}
	if pictures == 0 || len(all) == 0 || all[len(all)-1].Stretched {
		t.Errorf("%s: %d pictures landed in %d frames", what, pictures, len(all))
	}
}

// TestLanding turns a wheel that goes on for a while by itself, as trackpads
// do, and pinches: whatever pictures land meanwhile and at the end, what is
// known stays where the hand put it.
func TestLanding(t *testing.T) {
	ready := func(b *tab, style string) (x, y float64) {
		t.Helper()
		d := start(t, landing)
		feed(t, d)
		b.chart(d.URL(), `{src: "still"}`, style)
		lonely(t, d)
		b.until(`svg(el).querySelector("[data-name=dot] path") !== null`)
		b.do(watchDot + `part(el, "frame").focus()`)
		b.keys(0, "+")
		b.until(`el.view.to > 0 && !svg(el).closest(".stretched") && el.shadowRoot.getElementById("word").textContent === "fixed range"`)
		at := eval[spot](b, `return dot()`)
		x = math.Floor(at.X) // a mouse is in whole px
		b.do(fmt.Sprintf(`const s = seen(el), box = dataBox(el); pivot = s.from + (%v - box.x) / box.width * (s.to - s.from)`, x))
		return x, at.Y
	}
	done := func(b *tab) []spot {
		t.Helper()
		b.until(`!svg(el).closest(".stretched")`)
		b.do(`for (let i = 0; i < 5; i++) await frame()`)
		return eval[[]spot](b, `return watch.stop()`)
	}
	t.Run("wheel", func(t *testing.T) {
		b := open(t, look{width: 900, height: 500})
		x, y := ready(b, "width:800px;height:400px")
		b.hover(x, y)
		for _, way := range []float64{-1, 1} {
			b.do(`window.watch = spots()`)
			for i := range 30 { // it runs out in the time of three answers or more
				b.wheel(x, y, 0, way*10*math.Pow(0.93, float64(i)), ctrl)
				b.do(`await frame()`)
			}
			all := done(b)
			lands(t, fmt.Sprintf("wheel %v", way), all)
			// The wheel zooms about the pointer; each turn rounds to whole ms.
			for _, s := range all {
				if math.Abs(s.Under-x) > 2 {
					t.Fatalf("what was under the pointer, at %v, is at %+v", x, s)
				}
			}
		}
		b.do(`window.watch = spots()`)
		for i := range 30 {
			b.wheel(x, y, -20*math.Pow(0.93, float64(i)), 0, 0)
			b.do(`await frame()`)
		}
		lands(t, "panning", done(b))
	})
	t.Run("fingers", func(t *testing.T) {
		b := open(t, look{width: 390, height: 700, mobile: true})
		if _, err := chromedp.Call(b.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 5}); err != nil {
			t.Fatal(err)
		}
		x, y := ready(b, "width:390px;height:260px")
		r := b.dataBox("el")
		other := x - 0.3*r.Width
		b.do(`window.watch = spots()`)
		b.touch(fingerDown, x, y)
		b.touch(fingerDown, x, y, other, y)
		for i := 1; i <= 20; i++ {
			b.touch(fingerMove, x+float64(i), y, other-2*float64(i), y)
			b.do(`await frame(); await frame()`)
		}
		b.touch(fingerUp)
		all := done(b)
		lands(t, "pinch", all)
		if end := all[len(all)-1]; math.Abs(end.Under-(x+20)) > 1 {
			t.Errorf("what was under a finger, at %v, is at %+v", x+20, end)
		}

		// Two taps are what two clicks are: as it was.
		if eval[float64](b, `return el.view.to ?? 0`) == 0 {
			t.Fatal("it is live already")
		}
		px, py := r.at(0.5, 0.3)
		for range 2 {
			b.touch(fingerDown, px, py)
			b.touch(fingerUp)
		}
		b.until(`!el.view.to && el.state === "live" && !svg(el).closest(".stretched") && readout(el) === null`)
		if zoomed := eval[float64](b, `return visualViewport.scale`); zoomed != 1 {
			t.Errorf("the page is seen at %v", zoomed)
		}
	})
}
