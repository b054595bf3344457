package server

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestPagesAndAssets(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) { c.FrameAncestors = []string{"'self'", "https://wall.example"} }})
	for _, path := range []string{"/", "/c/cpu"} {
		got := r.get(path)
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(got.body, "chartd") {
			t.Fatalf("%s: %d %v", path, got.StatusCode, got.Header)
		}
		csp := got.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'self' https://wall.example"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %v", path, got.Header)
		}
		if again := r.get(path, "If-None-Match", got.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.StatusCode)
		}
	}
	js := r.get("/chartd.js")
	if js.StatusCode != http.StatusOK || js.Header.Get("Content-Type") != "text/javascript; charset=utf-8" ||
		js.Header.Get("Access-Control-Allow-Origin") != "*" || js.Header.Get("ETag") == "" {
		t.Errorf("/chartd.js: %d %v", js.StatusCode, js.Header)
	}
	for path, want := range map[string]string{
		"/c/cpuu":               `did you mean "cpu"?`,
		"/nothing":              "404",
		"/index.html":           "404", // it has one address, which has the policy
		"/../rig_test.go":       "",
		"/chartd/../server.go":  "",
		"/chartd/%2e%2e/x.html": "",
	} {
		if got := r.get(path); got.StatusCode != http.StatusNotFound && got.StatusCode != http.StatusTemporaryRedirect && got.StatusCode != http.StatusMovedPermanently || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %q", path, got.StatusCode, got.body)
		}
	}
}

func TestChartsAPI(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) { c.Origins = []string{"https://ok.example"} }})
	got := r.get("/api/v1/charts", "Origin", "https://ok.example")
	var list struct {
		Server string      `json:"server"`
		Charts []chartInfo `json:"charts"`
	}
	if err := json.Unmarshal([]byte(got.body), &list); err != nil {
		t.Fatal(err)
	}
	if list.Server != "chartd/test" || len(list.Charts) != 2 || list.Charts[0].Name != "fast" || list.Charts[1].Name != "cpu" {
		t.Fatalf("not in the order of the configuration: %s", got.body)
	}
	c := list.Charts[1]
	if c.Title != "Chart cpu" || c.Kind != "line" || c.Refresh != 10_000 || c.Window != 10_000 || c.Size != [2]int{800, 400} {
		t.Fatalf("got %+v", c)
	}
	for _, link := range []string{c.Links.Page, c.Links.SVG, c.Links.PNG} {
		if got := r.get(link); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", link, got.StatusCode)
		}
	}
	if o := got.Header.Get("Access-Control-Allow-Origin"); o != "https://ok.example" {
		t.Errorf("allowed origin %q", o)
	}
	if got := r.get("/api/v1/charts", "Origin", "https://evil.example"); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a stranger's page may read the list")
	}
	if got := r.get("/api/v1/sources"); got.StatusCode != http.StatusOK || !strings.HasPrefix(got.body, `{"sources":[`) {
		t.Errorf("sources: %d %s", got.StatusCode, got.body)
	}
}

func TestHealthReadinessMetrics(t *testing.T) {
	r := newRig(t, rigOptions{})
	if got := r.get("/healthz"); got.StatusCode != http.StatusOK || got.body != "ok\n" {
		t.Errorf("healthz: %d %q", got.StatusCode, got.body)
	}
	if got := r.get("/readyz"); got.StatusCode != http.StatusOK {
		t.Errorf("readyz: %d %q", got.StatusCode, got.body)
	}
	r.SetReady(false)
	if got := r.get("/readyz"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("readyz while draining: %d %q", got.StatusCode, got.body)
	}
	if got := r.get("/healthz"); got.StatusCode != http.StatusOK {
		t.Errorf("healthz while draining: %d", got.StatusCode)
	}
	got := r.get("/metrics")
	for _, want := range []string{"chartd_connections 0", `chartd_http_requests_total{code="5xx",route="/readyz"} 1`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("/metrics lacks %q", want)
		}
	}
}

// What a client writes into an address never becomes a label, or anybody could
// fill the memory of whoever scrapes /metrics.
func TestRoutesAreBounded(t *testing.T) {
	r := newRig(t, rigOptions{})
	for _, path := range []string{"/a", "/b", "/charts/x.svg", "/charts/y.svg", "/c/z"} {
		r.get(path)
	}
	body := r.get("/metrics").body
	for _, bad := range []string{`route="/a"`, "x.svg", "/c/z"} {
		if strings.Contains(body, bad) {
			t.Errorf("/metrics has %q", bad)
		}
	}
	if !strings.Contains(body, `route="/charts/{file}"} 2`) {
		t.Error("/metrics lacks the route of pictures")
	}
}

// A page of another site must not write to a chartd on its reader's machine.
func TestWritesAreSameOrigin(t *testing.T) {
	var reached int
	r := newRig(t, rigOptions{
		change: func(c *Config) { c.Origins = []string{"https://ok.example"} },
		pages: map[string]http.Handler{"POST /in": http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			reached++
			if _, err := io.Copy(w, req.Body); err != nil {
				t.Error(err)
			}
		})},
	})
	if got := r.do("POST", "/in", "x", "Origin", "https://evil.example"); got.StatusCode != http.StatusForbidden ||
		!strings.Contains(got.body, `"https://evil.example"`) || !strings.Contains(got.body, "server.origins") {
		t.Errorf("stranger: %d %q", got.StatusCode, got.body)
	}
	for _, header := range [][]string{nil, {"Origin", r.base}, {"Origin", "https://ok.example"}} {
		if got := r.do("POST", "/in", "x", header...); got.StatusCode != http.StatusOK || got.body != "x" {
			t.Errorf("%v: %d %q", header, got.StatusCode, got.body)
		}
	}
	if reached != 3 {
		t.Errorf("the handler was reached %d times", reached)
	}
	if n := r.metric("chartd_http_refused_total", `reason="origin"`); n != 1 {
		t.Errorf("%v refusals counted", n)
	}
	if n := r.logs.FilterMessage("request refused").FilterField(zap.String("reason", "origin")).Len(); n != 1 {
		t.Errorf("%d refusals logged", n)
	}
}

func TestOwnPages(t *testing.T) {
	r := newRig(t, rigOptions{pages: map[string]http.Handler{
		"GET /{$}": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "mine") }),
		"GET /boom": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			panic("boom")
		}),
	}})
	if got := r.get("/"); got.body != "mine" {
		t.Errorf("got %q", got.body)
	}
	if got := r.get("/c/cpu"); got.StatusCode != http.StatusOK {
		t.Errorf("the chart's page: %d", got.StatusCode)
	}
	if got := r.get("/boom"); got.StatusCode != http.StatusInternalServerError || strings.Contains(got.body, "boom") {
		t.Errorf("panic: %d %q", got.StatusCode, got.body)
	}
	if r.logs.FilterMessage("a request's handler panicked").Len() != 1 || r.metric("chartd_http_panics_total", "") != 1 {
		t.Error("the panic is neither logged nor counted")
	}
	if got := r.get("/healthz"); got.StatusCode != http.StatusOK {
		t.Errorf("after the panic: %d", got.StatusCode)
	}
}

func TestBadPagesAreAnError(t *testing.T) {
	r := newRig(t, rigOptions{})
	for _, patterns := range [][]string{{"/{"}, {"G@T /x"}, {"x/{y}z"}, {"/{a}/x", "/x/{b}"}} {
		pages := map[string]http.Handler{}
		for _, p := range patterns {
			pages[p] = http.NotFoundHandler()
		}
		if _, err := r.routes(pages); err == nil {
			t.Errorf("%q makes no error", patterns)
		}
	}
}

func TestHugeHeaderIsRefused(t *testing.T) {
	r := newRig(t, rigOptions{})
	if got := r.get("/", "X-Long", strings.Repeat("x", maxHeader+8<<10)); got.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d", got.StatusCode)
	}
}
