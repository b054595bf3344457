package docs_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "take the pictures of README into this directory")

// shot is one picture: a page, how large it is in px, what is done in it
// before, and where in it the pointer then rests, in px.
type shot struct {
	name, url     string
	width, height int64
	script        string
	pointer       [2]float64
}

// pausedChart pauses the only chart of a page, and keeps its bar of buttons shown.
const pausedChart = `
	const el = document.querySelector("chartd-chart");
	const tool = (id) => el.shadowRoot.querySelector("[part~='tool-" + id + "']");
	el.shadowRoot.querySelector("[part~=toolbar] button:not([hidden])").focus();
	tool("pause").click();
	for (const end = Date.now() + 10000; el.getAttribute("clock") !== "paused" && Date.now() < end;) await new Promise((r) => setTimeout(r, 50));`

// TestPictures takes the pictures of README from two daemons that serve already;
// scripts/pictures.sh runs it.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("it writes pictures, for people to look at: scripts/pictures.sh runs it")
	}
	gallery, kinds := os.Getenv("CHARTD_GALLERY"), os.Getenv("CHARTD_KINDS")
	browser, err := exec.LookPath("chromium")
	if err != nil || gallery == "" || kinds == "" {
		t.Fatal("want chromium, and the addresses CHARTD_GALLERY and CHARTD_KINDS")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.UserDataDir(t.TempDir()), chromedp.DisableGPU)
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	defer stop()
	ctx, cancel := chromedp.NewContext(alloc)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	for _, s := range []shot{
		{name: "gallery", url: gallery, width: 1280, height: 1050},
		{name: "kinds", url: kinds, width: 1280, height: 1870},
		{name: "touch", url: gallery + "c/cpu", width: 1000, height: 560, script: pausedChart, pointer: [2]float64{560, 250}},
		{name: "wall", url: gallery + "wall?charts=cpu,busy,load,memory,network,disk&columns=3&title=Machine+room", width: 1280, height: 720},
	} {
		for _, theme := range []string{"light", "dark"} {
			t.Run(s.name+"-"+theme, func(t *testing.T) { s.take(ctx, t, theme) })
		}
	}
}

func (s shot) take(browser context.Context, t *testing.T, theme string) {
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	defer cancel()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
	}))
	must(chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	must(chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: s.width, Height: s.height, DeviceScaleFactor: 1,
	}))
	must(nil, chromedp.Do(ctx, chromedp.Navigate(s.url)))
	run := func(body string) {
		t.Helper()
		must(chromedp.Run(ctx, chromedp.Evaluate[any]("(async () => {"+body+";return true})()", chromedp.EvalAwaitPromise)))
	}
	// Every chart is live and has the size of its place; fades have ended.
	const rest = `
		const charts = () => [...document.querySelectorAll("chartd-chart")];
		for (const end = Date.now() + 20000; Date.now() < end;) {
			if (charts().length && charts().every((c) => c.state === "live")) break;
			await new Promise((r) => setTimeout(r, 100));
		}
		if (!charts().length || charts().some((c) => c.state !== "live")) throw new Error("the charts are not live");
		await new Promise((r) => setTimeout(r, 1500))`
	run(rest)
	if s.script != "" {
		run(s.script)
	}
	if s.pointer != [2]float64{} {
		must(chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: s.pointer[0], Y: s.pointer[1]}))
		run(`await new Promise((r) => setTimeout(r, 1000))`)
	}
	shown, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	must(nil, err)
	must(nil, s.write(theme, shown.Data))
}

// write keeps the picture as small as it gets without losing anything.
func (s shot) write(theme string, data []byte) error {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(*pictures, s.name+"-"+theme+".png"), b.Bytes(), 0o644)
}
