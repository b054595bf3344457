// Package browser tests chartd in a real browser: the page's scripts by
// themselves, and against the real daemon.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"
)

// patience is how long a condition may take to come true, on the busiest machine.
const patience = time.Minute

// browser is the context of the one Chromium that all tests share; each test
// has a tab of its own.
var browser context.Context

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	path := chromium()
	if path == "" {
		return m.Run() // every test skips, and says why
	}
	dir, err := os.MkdirTemp("", "chartd-chromium")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// Some tests count what is left after a collection.
		chromedp.Flag("js-flags", "--expose-gc"), chromedp.Flag("enable-precise-memory-info", true),
	)
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, closeTab := chromedp.NewContext(alloc)
	browser = ctx
	code := 1
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "start Chromium:", err)
	} else {
		code = m.Run()
	}
	closeTab()
	stop()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
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

// tab is a page of the browser.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	console  []string
	expected []string
}

// look says how a tab shows things.
type look struct {
	width, height int64
	dark, mobile  bool
	media         map[string]string // media features
}

// open opens a tab, which is closed when the test ends. A warning, an error or
// an uncaught exception in its console that the test does not take fails it.
func open(t testing.TB, l look) *tab {
	t.Helper()
	if browser == nil {
		t.Skip("no Chromium on this machine: install the package chromium")
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	b := &tab{t: t, ctx: ctx}
	messages := chromedp.Console(ctx)
	var reading sync.WaitGroup
	reading.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			switch m.Type {
			case "error", "warning", chromedp.ConsoleException:
				b.mu.Lock()
				b.console = append(b.console, fmt.Sprintf("%s: %s (%s:%d)", m.Type, m.Text, m.URL, m.Line))
				b.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		for _, text := range b.take() {
			if !slices.ContainsFunc(b.expected, func(part string) bool { return strings.Contains(text, part) }) {
				t.Errorf("console: %s", text)
			}
		}
		cancel()
		reading.Wait()
	})
	if l.width == 0 {
		l.width, l.height = 1280, 900
	}
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	for name, value := range l.media {
		features = append(features, &emulation.MediaFeature{Name: name, Value: value})
	}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		t.Fatal(err)
	}
	// Beside other tabs it has the focus as if it were alone.
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	b.resize(l)
	return b
}

func (b *tab) resize(l look) {
	b.t.Helper()
	p := emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.mobile}
	if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, p); err != nil {
		b.t.Fatal(err)
	}
}

// expect lets the console say something.
func (b *tab) expect(part string) { b.expected = append(b.expected, part) }

// take returns what the console said since the last call.
func (b *tab) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	said := b.console
	b.console = nil
	return said
}

// goTo loads a page.
func (b *tab) goTo(url string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(url)); err != nil {
		b.t.Fatalf("%s: %v", url, err)
	}
}

// do runs JavaScript: the body of an async function.
func (b *tab) do(body string) {
	b.t.Helper()
	eval[any](b, body)
}

// eval runs JavaScript, the body of an async function, and returns what it
// returns.
func eval[T any](b *tab, body string) T {
	b.t.Helper()
	v, err := attempt[T](b, body)
	if err != nil {
		b.t.Fatalf("%v\nin %s", err, body)
	}
	return v
}

// attempt is eval that may fail.
func attempt[T any](b *tab, body string) (T, error) {
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T]("(async () => {"+body+"})()", chromedp.EvalAwaitPromise))
	if errors.Is(err, chromedp.ErrJSUndefined) {
		err = nil
	}
	return v, err
}

// long skips a test that takes long unless somebody asks for it.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("CHARTD_LONG") == "" {
		t.Skip("it takes half a minute: ./test.sh long runs it")
	}
}

// until waits for a JavaScript expression to be true.
func (b *tab) until(expression string) {
	b.t.Helper()
	const expect = `const end = performance.now() + %d;
		for (;;) {
			let v; try { v = await (%s) } catch (err) { v = String(err) }
			if (v === true) return "";
			if (performance.now() > end) return JSON.stringify(v) ?? "undefined";
			await new Promise((r) => setTimeout(r, 20));
		}`
	look := fmt.Sprintf(expect, patience.Milliseconds(), expression)
	last, err := attempt[string](b, look)
	for end := time.Now().Add(patience); err != nil && strings.Contains(err.Error(), "navigated") && time.Now().Before(end); {
		last, err = attempt[string](b, look) // the page that was looked at is gone; this is the next one
	}
	if err != nil {
		b.t.Fatalf("%v\nwaiting for %s", err, expression)
	}
	if last != "" {
		b.t.Fatalf("after %v it is still %s: %s\nconsole: %s", patience, last, expression, strings.Join(b.take(), "\n"))
	}
}

// picture keeps a screenshot for people to look at, if CHARTD_SCREENSHOTS
// names a directory.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("CHARTD_SCREENSHOTS")
	if dir == "" {
		return
	}
	r, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err == nil {
		err = os.WriteFile(dir+"/"+name+".png", r.Data, 0o644)
	}
	if err != nil {
		b.t.Error(err)
	}
}
