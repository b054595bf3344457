package server

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chartd/chartd/internal/livetest"
)

func TestPictures(t *testing.T) {
	r := newRig(t, rigOptions{})
	svg := r.get("/charts/cpu.svg?size=400x200&theme=dark")
	if svg.StatusCode != http.StatusOK || svg.Header.Get("Content-Type") != "image/svg+xml" || svg.Header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("%d %v", svg.StatusCode, svg.Header)
	}
	for _, want := range []string{"width='400' height='200'", "<style data-k='css'>.chartd{--fg:#e8ecf2", "Chart cpu", "xmlns='http://www.w3.org/2000/svg'"} {
		if !strings.Contains(svg.body, want) {
			t.Errorf("the .svg lacks %q", want)
		}
	}
	wellFormed(t, svg.body)
	if csp := svg.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "sandbox") {
		t.Errorf("policy of an .svg: %q", csp)
	}

	packed := r.get("/charts/cpu.svg?size=400x200&theme=dark", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(strings.NewReader(packed.body))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || string(b) != svg.body {
		t.Fatalf("the packed picture is another one: %v", err)
	}
	again := r.get("/charts/cpu.svg?size=400x200&theme=dark", "If-None-Match", svg.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified || again.body != "" {
		t.Fatalf("again: %d, %d bytes", again.StatusCode, len(again.body))
	}

	image := r.get("/charts/cpu.png?size=400x200&scale=2")
	if image.StatusCode != http.StatusOK || image.Header.Get("Content-Type") != "image/png" {
		t.Fatalf("%d %v %s", image.StatusCode, image.Header, image.body)
	}
	img, err := png.Decode(strings.NewReader(image.body))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 800 || b.Dy() != 400 {
		t.Fatalf("the .png is %v", b)
	}
	light, dark := r.get("/charts/cpu.png?theme=light"), r.get("/charts/cpu.png?theme=dark")
	if bytes.Equal([]byte(light.body), []byte(dark.body)) {
		t.Error("both themes give the same .png")
	}
}

func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestPictureRefusals(t *testing.T) {
	r := newRig(t, rigOptions{})
	for _, tc := range []struct {
		path   string
		status int
		want   string
	}{
		{"/charts/cpuu.svg", 404, `no chart "cpuu"; did you mean "cpu"?`},
		{"/charts/temperature.png", 404, `no chart "temperature"; there is cpu, fast`},
		{"/charts/cpu.gif", 404, "there is cpu.svg and cpu.png"},
		{"/charts/cpu", 404, "there is cpu.svg and cpu.png"},
		{"/charts/cpu.svg?window=1ms", 400, "window: 1ms is not between"},
		{"/charts/cpu.svg?windw=1m", 400, `did you mean "window"?`},
		{"/charts/cpu.svg?theme=pink", 400, `theme: no theme "pink"; one of: light, dark`},
		{"/charts/cpu.svg?scale=2", 400, "scale: is for .png"},
		{"/charts/cpu.png?scale=NaN", 400, `scale: "NaN" is not a number of 0.25 to 4`},
		{"/charts/cpu.png?size=4096x4096&scale=4", 400, "size: 268435456 pixels in all"},
		{"/charts/cpu.svg?vars.host=a", 400, `the chart has no var "host"`},
	} {
		got := r.get(tc.path)
		if got.StatusCode != tc.status || !strings.Contains(got.body, tc.want) {
			t.Errorf("%s: got %d %q, want %d with %q", tc.path, got.StatusCode, got.body, tc.status, tc.want)
		}
	}
	if n := r.renders.Load(); n != 0 {
		t.Errorf("%d renders for nothing", n)
	}
}

// Hammering a picture costs one render per refresh (here: 10 s).
func TestPictureIsDrawnOnce(t *testing.T) {
	r := newRig(t, rigOptions{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				if got := r.get("/charts/cpu.svg"); got.StatusCode != http.StatusOK {
					t.Errorf("got %d", got.StatusCode)
				}
			}
		})
	}
	wg.Wait()
	if n := r.renders.Load(); n != 1 {
		t.Fatalf("200 requests cost %d renders", n)
	}
	if drawn, cached := r.metric("chartd_pictures_total", `from="drawn"`), r.metric("chartd_pictures_total", `from="cache"`); drawn != 1 || cached != 199 {
		t.Fatalf("counted %v drawn, %v from the cache", drawn, cached)
	}
}

// No more pictures than max_pictures are drawn at once, and of those that wait
// there is an end.
func TestPicturesAreBounded(t *testing.T) {
	entered, release := make(chan struct{}, maxDrawing), make(chan struct{})
	r := newRig(t, rigOptions{change: func(c *Config) { c.PicturesPerSecond = 1000 }, hold: func() {
		entered <- struct{}{}
		<-release
	}})
	var wg sync.WaitGroup
	path := func(i int) string { return "/charts/cpu.svg?title=" + strings.Repeat("x", i+1) }
	for i := range maxDrawing {
		wg.Go(func() {
			if got := r.get(path(i)); got.StatusCode != http.StatusOK {
				t.Errorf("got %d %s", got.StatusCode, got.body)
			}
		})
	}
	livetest.Eventually(t, "the queue is full", func() bool {
		r.pictures.mu.Lock()
		defer r.pictures.mu.Unlock()
		return r.pictures.drawing == maxDrawing
	})
	over := r.get(path(maxDrawing))
	if over.StatusCode != http.StatusServiceUnavailable || over.Header.Get("Retry-After") == "" || !strings.Contains(over.body, "too many pictures") {
		t.Errorf("one too many: %d %q %v", over.StatusCode, over.body, over.Header)
	}
	for range DefaultConfig().MaxPictures {
		<-entered
	}
	select {
	case <-entered:
		t.Error("more pictures than max_pictures are drawn at once")
	default:
	}
	close(release)
	wg.Wait()
}

// At the end, what is being drawn is waited for, and what waits is given up: a
// long queue does not hold up the stop.
func TestPicturesThatWaitAtTheEnd(t *testing.T) {
	entered, release := make(chan struct{}, maxDrawing), make(chan struct{})
	r := newRig(t, rigOptions{change: func(c *Config) { c.PicturesPerSecond = 1000 }, hold: func() {
		entered <- struct{}{}
		<-release
	}})
	atOnce := DefaultConfig().MaxPictures
	var clients sync.WaitGroup
	var drawn, refused atomic.Int64
	for i := range maxDrawing {
		clients.Go(func() {
			rec := httptest.NewRecorder()
			r.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/charts/cpu.svg?title="+strings.Repeat("x", i+1), nil))
			switch rec.Code {
			case http.StatusOK:
				drawn.Add(1)
			case http.StatusServiceUnavailable:
				refused.Add(1)
			default:
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
		})
	}
	livetest.Eventually(t, "the queue is full", func() bool {
		r.pictures.mu.Lock()
		defer r.pictures.mu.Unlock()
		return r.pictures.drawing == maxDrawing
	})
	for range atOnce {
		<-entered
	}
	var stopping sync.WaitGroup
	stopping.Go(func() {
		if err := r.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
	<-r.pictures.quit
	close(release)
	stopping.Wait()
	clients.Wait()
	if d, n := drawn.Load(), refused.Load(); d != int64(atOnce) || n != int64(maxDrawing-atOnce) {
		t.Errorf("%d drawn, %d refused; want %d and the rest of %d", d, n, atOnce, maxDrawing)
	}
}

func TestPictureCacheIsBounded(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) { c.PicturesPerSecond = 1e6 }})
	for i := range maxCached + 20 {
		if got := r.get(fmt.Sprintf("/charts/cpu.svg?size=100x50&title=%d", i)); got.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s", got.StatusCode, got.body)
		}
	}
	r.pictures.mu.Lock()
	defer r.pictures.mu.Unlock()
	if n := len(r.pictures.entries); n > maxCached {
		t.Fatalf("%d pictures are kept", n)
	}
}

// A renderer that panics costs one answer.
func TestPictureThatPanics(t *testing.T) {
	var once sync.Once
	r := newRig(t, rigOptions{hold: func() { once.Do(func() { panic("boom") }) }})
	if got := r.get("/charts/cpu.svg"); got.StatusCode != http.StatusInternalServerError || strings.Contains(got.body, "boom") {
		t.Fatalf("got %d %q", got.StatusCode, got.body)
	}
	if n := r.logs.FilterMessage("draw a picture").Len(); n != 1 {
		t.Errorf("%d lines in the log", n)
	}
	if got := r.metric("chartd_http_panics_total", ""); got != 1 {
		t.Errorf("%v panics counted", got)
	}
	// The mistake is remembered no longer than a picture would be; another view
	// is drawn at once.
	if got := r.get("/charts/cpu.svg?title=other"); got.StatusCode != http.StatusOK {
		t.Fatalf("got %d %q", got.StatusCode, got.body)
	}
}
