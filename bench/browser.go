package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"

	"github.com/chartd/chartd/web"
)

//go:embed page
var pageFiles embed.FS

// How the browser is measured.
const (
	browserRounds  = 15
	browserFrames  = 30  // refreshes a round, one in each animation frame
	browserLayouts = 100 // refreshes a round without frames
	glideSeconds   = 5
	svgsKept       = 100
)

// The ways to refresh, as bench.js calls them.
const (
	byPatch   = "patch"
	byReplace = "replace"
	byDot     = "dot" // the least change that can be seen
)

// browserResult is CPU time, in µs: the page's main thread's unless it says
// otherwise. Index i of every list is round i, in which each way had its turn.
type browserResult struct {
	version string
	// layout is script, style and layout of a refresh, by way.
	layout map[string][]float64
	// frame is all that a refresh costs in an animation frame of its own,
	// painting included.
	frame map[string][]float64
	// whole is the same for all threads and processes of the browser, those
	// that fill the pixels included.
	whole map[string][]float64
	// still and gliding are what a second with one patch in it costs, with
	// prefers-reduced-motion and without.
	still, gliding float64
}

// measureBrowser refreshes a chart in Chromium in both ways.
func measureBrowser(ctx context.Context, path string) (r *browserResult, err error) {
	rec, last, err := record((browserFrames+browserLayouts+2)*(browserRounds+1) + 2*glideSeconds)
	if err != nil {
		return nil, err
	}
	url, closeServer, err := servePage(ctx, rec)
	if err != nil {
		return nil, err
	}
	defer closeServer()
	dir, err := os.MkdirTemp("", "chartd-bench")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, opts...)
	defer stop()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	r = &browserResult{layout: map[string][]float64{}, frame: map[string][]float64{}, whole: map[string][]float64{}}
	return r, r.measure(ctx, url, last)
}

func (r *browserResult) measure(ctx context.Context, url, last string) error {
	version, err := eval[string](ctx, `navigator.userAgent.match(/Chrome\/[\d.]+/)?.[0] ?? navigator.userAgent`)
	if err != nil {
		return err
	}
	r.version = version
	if _, err := chromedp.Call(ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		return err
	}
	if err := calm(ctx, true); err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return err
	}
	if err := do(ctx, "(async () => { while (!window.setUp) await new Promise((r) => setTimeout(r, 10)); await setUp(); })()"); err != nil {
		return err
	}
	ways := []string{byPatch, byReplace, byDot}
	for round := range browserRounds + 1 { // the first warms up
		for i := range ways {
			if err := r.round(ctx, ways[(i+round)%len(ways)], round > 0); err != nil {
				return err
			}
		}
	}
	for _, still := range []bool{true, false} {
		if err := calm(ctx, still); err != nil {
			return err
		}
		us, err := r.task(ctx, byPatch, "seconds", glideSeconds)
		if err != nil {
			return err
		}
		if still {
			r.still = us
		} else {
			r.gliding = us
		}
	}
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	same, err := eval[bool](ctx, "shows("+string(text)+")")
	if err == nil && !same {
		err = errors.New("the patched chart does not show what the server drew")
	}
	return err
}

// round refreshes in one way.
func (r *browserResult) round(ctx context.Context, way string, keep bool) error {
	if err := do(ctx, "show('"+way+"')"); err != nil {
		return err
	}
	before, err := wholeTime(ctx)
	if err != nil {
		return err
	}
	us, err := r.task(ctx, way, "frames", browserFrames)
	if err != nil {
		return err
	}
	after, err := wholeTime(ctx)
	if err != nil {
		return err
	}
	if keep {
		r.frame[way] = append(r.frame[way], us)
		r.whole[way] = append(r.whole[way], (after-before)*1e6/browserFrames)
	}
	if way == byDot {
		return nil
	}
	if us, err = r.task(ctx, way, "layouts", browserLayouts); err == nil && keep {
		r.layout[way] = append(r.layout[way], us)
	}
	return err
}

// task lets the page refresh n times, and returns how long its main thread was
// busy for each, in µs.
func (r *browserResult) task(ctx context.Context, way, how string, n int) (float64, error) {
	if err := do(ctx, "show('"+way+"')"); err != nil {
		return 0, err
	}
	before, err := taskTime(ctx)
	if err != nil {
		return 0, err
	}
	if err := do(ctx, fmt.Sprintf("%s('%s', %d)", how, way, n)); err != nil {
		return 0, err
	}
	after, err := taskTime(ctx)
	return (after - before) * 1e6 / float64(n), err
}

// taskTime is how long the page's main thread has been busy, in seconds.
func taskTime(ctx context.Context) (float64, error) {
	r, err := chromedp.Call(ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	for _, m := range r.Metrics {
		if m.Name == "TaskDuration" {
			return m.Value, nil
		}
	}
	return 0, errors.New("the browser does not say how long its tasks took")
}

// wholeTime is the CPU time of all of the browser's processes, in seconds.
func wholeTime(ctx context.Context) (float64, error) {
	var r systeminfo.GetProcessInfoResult
	if err := chromedp.FromContext(ctx).Browser.Call(ctx, systeminfo.CommandGetProcessInfo, cdp.Empty{}, &r); err != nil {
		return 0, fmt.Errorf("ask what the browser's processes have used: %w", err)
	}
	sum := 0.0
	for _, p := range r.ProcessInfo {
		sum += p.CPUTime
	}
	return sum, nil
}

// calm says whether the reader prefers reduced motion; then nothing glides.
func calm(ctx context.Context, yes bool) error {
	value := "no-preference"
	if yes {
		value = "reduce"
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: value}},
	})
	return err
}

// do runs a script that returns a promise of nothing.
func do(ctx context.Context, script string) error {
	_, err := eval[bool](ctx, script+".then(() => true)")
	return err
}

func eval[T any](ctx context.Context, script string) (T, error) {
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		return v, fmt.Errorf("%.60s: %w", script, err)
	}
	return v, nil
}

// recording is what the page plays.
type recording struct {
	V       string   `json:"v"`
	Full    string   `json:"full"`
	Patches []string `json:"patches"`
	SVGs    []string `json:"svgs"`
}

// record refreshes a chart n times. last is what it shows in the end.
func record(n int) (r *recording, last string, err error) {
	c, err := newChartd(points)
	if err != nil {
		return nil, "", err
	}
	first, err := c.tick()
	if err != nil {
		return nil, "", err
	}
	r = &recording{V: c.view.ID(), Full: string(first.JSON())}
	for i := range n {
		if err := c.data.add(1); err != nil {
			return nil, "", err
		}
		m, err := c.tick()
		if err != nil {
			return nil, "", err
		}
		if m == nil { // nothing has changed
			continue
		}
		r.Patches = append(r.Patches, string(m.JSON()))
		if i < svgsKept {
			r.SVGs = append(r.SVGs, string(c.picture()))
		}
	}
	return r, string(c.picture()), nil
}

// servePage serves chartd's own scripts, and the page that plays a recording.
func servePage(ctx context.Context, rec *recording) (url string, stop func(), err error) {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		return "", nil, err
	}
	text, err := json.Marshal(rec)
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(web.Static()))
	mux.Handle("/bench/", http.StripPrefix("/bench", http.FileServerFS(files)))
	mux.HandleFunc("/bench/recording.json", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(text) // the page notices
	})
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(ln) // ends with Close
	}()
	stop = func() {
		_ = server.Close()
		<-done
	}
	return "http://" + ln.Addr().String() + "/bench/", stop, nil
}

// chromium returns where the browser is, "" if there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
