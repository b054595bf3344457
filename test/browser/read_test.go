package browser

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/store"
)

// known fills a daemon's store with a minute of two series, ten samples a
// second, and returns when the minute ended and what the values are.
func known(t *testing.T, d *daemon.Daemon) (end int64, value func(series int, ms int64) float64) {
	t.Helper()
	end = time.Now().UnixMilli()/1000*1000 - 60_000
	value = func(series int, ms int64) float64 {
		at := float64(ms - end)
		return 30 + 12*float64(series) + 9*math.Sin(at/3000+float64(series)) + 4*math.Sin(at/417)
	}
	for ms := end - 60_000; ms <= end; ms += 100 {
		for k, mode := range []string{"one", "two"} {
			if err := d.Store().Append("m", store.LabelsOf(map[string]string{"mode": mode}), ms, value(k, ms)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return end, value
}

type reading struct {
	Time string
	Rows map[string]string
}

// number reads the number that a value begins with.
func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.Fields(text + " ")[0], 64)
	if err != nil {
		t.Fatalf("%q is no value: %v", text, err)
	}
	return v
}

// TestCrosshair compares what is read at the pointer with what the store has.
func TestCrosshair(t *testing.T) {
	d := start(t, allKinds)
	end, value := known(t, d)
	b := open(t, look{width: 900, height: 500})
	from, to := end-30_000, end-10_000
	for _, kind := range []string{"line", "area", "stack", "step", "scatter"} {
		t.Run(kind, func(t *testing.T) {
			b.chart(d.URL(), fmt.Sprintf(`{src: %q, from: "%d", to: "%d"}`, kind, from, to), "width:800px;height:400px")
			r := b.dataBox("el")
			perUnit := eval[float64](b, `const [lo, hi] = svg(el).dataset.y.split(" ").map(Number); return (hi - lo) / svg(el).dataset.rect.split(" ")[3]`)
			const said = `return sent.filter((m) => m.t !== "ping").length`
			before := eval[int](b, said)
			for _, share := range []float64{0.02, 0.21, 0.37, 0.5, 0.6683, 0.8317, 0.97} {
				x, y := r.at(share, 0.4)
				b.hover(x, y)
				b.do(`await frame(); await frame()`)
				got := eval[*reading](b, `return readout(el)`)
				if got == nil {
					t.Fatalf("at %v nothing is read", share)
				}
				at := float64(from) + (x-r.X)/r.Width*float64(to-from)
				sample := int64(math.Round(at/100)) * 100
				if kind == "step" { // it holds the one before
					sample = int64(math.Floor(at/100)) * 100
				}
				for k, mode := range []string{"one", "two"} {
					v := number(t, got.Rows[mode])
					// A tenth of a px, and one digit behind the point.
					if want := value(k, sample); math.Abs(v-want) > 3*perUnit+0.06 {
						t.Errorf("at %v of the width %s is %v; want %.2f", share, mode, v, want)
					}
				}
				shown := time.UnixMilli(sample).Format("15:04:05")
				if kind != "step" && !strings.Contains(got.Time, shown) {
					t.Errorf("at %v of the width it is %q; want %s", share, got.Time, shown)
				}
			}
			if after := eval[int](b, said); after != before {
				t.Errorf("reading said %d things to the server; want none", after-before)
			}
			b.hover(r.X+10, r.Y-25)
			b.until(`readout(el) === null`)
		})
	}
}

// TestCrosshairLive: the pointer rests, the data do not.
func TestCrosshairLive(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	for _, motion := range []string{"no-preference", "reduce"} {
		t.Run(motion, func(t *testing.T) {
			b := open(t, look{width: 900, height: 500, media: map[string]string{"prefers-reduced-motion": motion}})
			b.chart(d.URL(), `{src: "line"}`, "width:800px;height:400px")
			b.hover(b.dataBox("el").at(0.5, 0.5))
			b.until(`readout(el) !== null`)
			b.do(`window.was = readout(el)`)
			b.until(`readout(el).time !== was.time && readout(el).rows.user !== was.rows.user`)
			// A pen that hovers reads as well.
			b.do(`window.was = readout(el).time`)
			x, y := b.dataBox("el").at(0.8, 0.5)
			b.pen(x, y)
			b.until(`readout(el) !== null && readout(el).time !== was`)
			b.hover(b.dataBox("el").at(0.5, 0.5))
			b.do(`await frame(); await frame()`)
			// The line stays at the pointer, give or take a sample.
			line := eval[float64](b, `const r = part(el, "crosshair").getBoundingClientRect(); return r.x + r.width / 2`)
			if px, _ := b.dataBox("el").at(0.5, 0.5); math.Abs(line-px) > 6 {
				t.Errorf("the line is at %v; the pointer at %v", line, px)
			}
		})
	}
}

// TestReadoutInside: whatever the pointer does, the box is whole.
func TestReadoutInside(t *testing.T) {
	d := start(t, allKinds)
	end, _ := known(t, d)
	for _, width := range []int64{800, 320} {
		b := open(t, look{width: width, height: 500})
		b.chart(d.URL(), fmt.Sprintf(`{src: "stack", from: "%d", to: "%d"}`, end-20_000, end), fmt.Sprintf("width:%dpx;height:%dpx", width, width/2))
		r := b.dataBox("el")
		for _, x := range []float64{0.01, 0.3, 0.5, 0.7, 0.99} {
			for _, y := range []float64{0.01, 0.5, 0.99} {
				px, py := r.at(x, y)
				b.hover(px, py)
				if eval[bool](b, fmt.Sprintf(`await frame(); return !!el.shadowRoot.elementFromPoint(%v, %v)?.closest("#tools")`, px, py)) {
					continue // the buttons are there to be hit
				}
				b.until(`readout(el) !== null`)
				b.do(`await frame()`)
				if out := eval[string](b, `
					const box = part(el, "readout").getBoundingClientRect(), all = el.getBoundingClientRect();
					const whole = box.left >= all.left && box.right <= all.right && box.top >= all.top && box.bottom <= all.bottom;
					const cut = [...el.shadowRoot.querySelectorAll("[part=readout-value]")].some((v) => v.scrollWidth > v.clientWidth + 1 || v.getBoundingClientRect().right > box.right);
					return whole && !cut ? "" : JSON.stringify([box, all, cut])`); out != "" {
					t.Errorf("%d px wide, pointer at %v, %v: %s", width, x, y, out)
				}
			}
		}
		b.picture(fmt.Sprintf("readout-%d", width))
	}
}

// TestCrosshairKeys goes from sample to sample, and hears it.
func TestCrosshairKeys(t *testing.T) {
	d := start(t, allKinds)
	end, value := known(t, d)
	b := open(t, look{width: 900, height: 500})
	from, to := end-30_000, end-10_000
	b.chart(d.URL(), fmt.Sprintf(`{src: "line", from: "%d", to: "%d"}`, from, to), "width:800px;height:400px")
	at := func(want int64) {
		t.Helper()
		b.until(fmt.Sprintf(`readout(el)?.time === %q || JSON.stringify(readout(el))`, time.UnixMilli(want).Format("15:04:05.00")))
		b.until(fmt.Sprintf(`(() => {
			const said = el.shadowRoot.getElementById("said").textContent;
			return said.startsWith(readout(el).time) && Math.abs(parseFloat(/: one (.*),/.exec(said)[1]) - %f) < 0.15 || said;
		})()`, value(0, want)))
	}
	b.keys(0, "Tab")
	b.until(`el.shadowRoot.activeElement?.id === "frame"`)
	b.keys(0, "Home")
	at(from)
	b.keys(0, "ArrowRight", "ArrowRight", "ArrowRight")
	at(from + 300)
	b.keys(0, "ArrowLeft")
	at(from + 200)
	b.keys(shift, "ArrowRight") // a tenth of 20 s, and on to the next sample
	at(from + 2300)
	b.keys(0, "End")
	at(to)
	b.keys(0, "ArrowRight")
	at(to)
	b.picture("crosshair-keys")
	b.keys(0, "Escape")
	b.until(`readout(el) === null`)
	b.keys(0, "ArrowLeft") // begins at the newest
	at(to)
	b.keys(0, "Tab") // elsewhere
	b.until(`readout(el) === null`)

	// Charts without a time axis say value after value.
	for _, kind := range []string{"bar", "gauge", "stat"} {
		b.chart(d.URL(), fmt.Sprintf(`{src: %q, from: "%d", to: "%d"}`, kind, from, to), "width:800px;height:400px")
		b.keys(0, "Tab")
		b.keys(0, "ArrowRight")
		b.until(`readout(el)?.rows.one !== undefined`)
		b.keys(0, "ArrowRight")
		b.until(`readout(el)?.rows.two !== undefined && el.shadowRoot.getElementById("said").textContent.startsWith("two ")`)
		b.keys(0, "Home")
		b.until(`readout(el)?.rows.one === svg(el).querySelector("[data-k=v0]").textContent`)
		b.keys(0, "Escape")
		b.until(`readout(el) === null`)
		x, y := eval[box](b, `const { x, y, width, height } = svg(el).querySelector("[data-k=v1]").getBoundingClientRect(); return { x, y, width, height }`).at(0.6, 0.6)
		b.hover(x, y)
		b.until(`readout(el)?.rows.two === svg(el).querySelector("[data-k=v1]").textContent`)
		b.picture("cell-" + kind)
	}
}

// TestCrosshairTouch presses, drags and taps with a finger.
func TestCrosshairTouch(t *testing.T) {
	d := start(t, allKinds)
	end, _ := known(t, d)
	b := open(t, look{width: 390, height: 844, mobile: true})
	if _, err := chromedp.Call(b.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 5}); err != nil {
		t.Fatal(err)
	}
	b.chart(d.URL(), fmt.Sprintf(`{src: "line", from: "%d", to: "%d"}`, end-20_000, end), "width:390px;height:260px")
	b.do(`document.body.style.height = "3000px"`)
	r := b.dataBox("el")
	x, y := r.at(0.3, 0.5)
	b.touch(fingerDown, x, y)
	b.until(`readout(el) !== null`)
	b.do(`window.was = readout(el).time`)
	for i := 1; i <= 5; i++ {
		b.touch(fingerMove, x+float64(i)*20, y+float64(i))
	}
	b.until(`readout(el).time !== was`)
	b.picture("touch-drag")
	b.touch(fingerUp)
	b.until(`readout(el) !== null`) // it stays, to be read
	b.touch(fingerDown, 200, 600)
	b.touch(fingerUp)
	b.until(`readout(el) === null`)

	b.touch(fingerDown, x, y) // a tap
	b.touch(fingerUp)
	b.until(`readout(el) !== null`)
	b.do(`window.was = readout(el).time`)
	b.touch(fingerDown, x+90, y) // another, elsewhere in the chart, goes there
	b.touch(fingerUp)
	b.until(`readout(el) !== null && readout(el).time !== was`)
	b.touch(fingerDown, x+90, y) // on the line, takes it away
	b.touch(fingerUp)
	b.until(`readout(el) === null`)
	if asked := eval[int](b, `return asked().length`); asked != 0 {
		t.Errorf("one finger asked for %d other ranges", asked)
	}

	// A finger that goes up or down scrolls the page.
	b.touch(fingerDown, x, y)
	for i := 1; i <= 10; i++ {
		b.touch(fingerMove, x, y-float64(i)*12)
	}
	b.touch(fingerUp)
	b.until(`scrollY > 20`)
	b.until(`readout(el) === null`)
}
