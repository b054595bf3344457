package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/session"
)

// callRig is a rig whose charts have a handler; fast is shared.
func callRig(t *testing.T) *rig {
	return newRig(t, rigOptions{
		change:  func(c *Config) { c.Origins, c.MaxMessage = []string{"https://ok.example"}, 1<<10 },
		session: func(c *session.Config) { c.CallbackTimeout = quantity.Duration(200e6) },
		charts: func(charts map[string]*session.Chart) {
			for _, c := range charts {
				c.Callback = func(ctx context.Context, call *session.Call) error {
					if call.Cause() == session.CauseTick {
						return nil
					}
					switch call.ArgString() {
					case "MyCustomArgs":
						return errors.Join(call.SetTitle("Yours & mine"), call.Mark(time.Now(), "a"), call.Reply(map[string]int{"n": 1}))
					case "fail":
						return errors.New("no disk")
					case "hang":
						<-ctx.Done()
						return ctx.Err()
					}
					return session.ErrNotHandled
				}
				c.Hooks = []session.Hook{{Before: func(_ context.Context, call *session.Call) error {
					if call.ArgString() == "no" {
						return errors.New("not today")
					}
					return nil
				}}}
			}
			charts["fast"].Config.Scope = session.ScopeShared
		},
	})
}

func TestCallback(t *testing.T) {
	r := callRig(t)
	const path, asJSON = "/api/v1/charts/cpu/callback", "application/json"
	got := r.do("POST", path+"?window=20s", `"MyCustomArgs"`, "Content-Type", asJSON)
	var a raised
	if err := json.Unmarshal([]byte(got.body), &a); err != nil || got.StatusCode != http.StatusOK || got.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s: %v", got.StatusCode, got.body, err)
	}
	if !a.Handled || string(a.Reply) != `{"n":1}` || a.Chart != "cpu" || *a.View.Title != "Yours & mine" || a.View.Window.Millis() != 20_000 {
		t.Errorf("answered with %s", got.body)
	}
	if pic := r.get(a.Links.SVG); pic.StatusCode != http.StatusOK || !strings.Contains(pic.body, "Yours &amp; mine") {
		t.Errorf("%s: %d %.200s", a.Links.SVG, pic.StatusCode, pic.body)
	}
	if pic := r.get("/charts/cpu.svg"); strings.Contains(pic.body, "Yours") {
		t.Error("a callback without a session changed what others see")
	}
	for _, c := range []struct {
		name, path, body string
		header           []string
		status           int
		says             string
	}{
		{"nothing", path, "", nil, 200, `"handled":false`},
		{"a zoom", path, `{"view":{"window":"30s"}}`, []string{"Content-Type", "application/json; charset=utf-8"}, 200, `window=30s`},
		{"no JSON", path, `MyCustomArgs`, []string{"Content-Type", asJSON}, 400, "a text has quotes"},
		{"two", path, `1 2`, []string{"Content-Type", asJSON}, 400, "no JSON"},
		{"deep", path, strings.Repeat("[", 40) + strings.Repeat("]", 40), []string{"Content-Type", asJSON}, 400, "deeper than 32"},
		{"long", path, `"` + strings.Repeat("x", 2000) + `"`, []string{"Content-Type", asJSON}, 400, "server.max_message"},
		{"a form", path, `x=1`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "application/json"},
		{"text", path, `"x"`, []string{"Content-Type", "text/plain"}, 415, "application/json"},
		{"a bad parameter", path + "?windw=1", "", nil, 400, `windw`},
		{"a bad view", path + "?window=1ms", "", nil, 400, `"bad_view"`},
		{"a bad zoom", path, `{"view":{"window":"1ms"}}`, []string{"Content-Type", asJSON}, 400, `arg.view.window`},
		{"no chart", "/api/v1/charts/cpuu/callback", "", nil, 404, `did you mean \"cpu\"?`},
		{"a hook that refuses", path, `"no"`, []string{"Content-Type", asJSON}, 403, "not today"},
		{"an error", path, `"fail"`, []string{"Content-Type", asJSON}, 500, "no disk"},
		{"a handler that hangs", path, `"hang"`, []string{"Content-Type", asJSON}, 504, "callback_timeout"},
		{"a foreign page", path, `"MyCustomArgs"`, []string{"Content-Type", asJSON, "Origin", "https://evil.example"}, 403, "server.origins"},
		{"a foreign page without a word", path, "", []string{"Origin", "https://evil.example"}, 403, "server.origins"},
		{"an allowed page", path, `"MyCustomArgs"`, []string{"Content-Type", asJSON, "Origin", "https://ok.example"}, 200, `"handled":true`},
	} {
		if got := r.do("POST", c.path, c.body, c.header...); got.StatusCode != c.status || !strings.Contains(got.body, c.says) {
			t.Errorf("%s: %d %s", c.name, got.StatusCode, got.body)
		}
	}
	pre := r.do("OPTIONS", path, "", "Origin", "https://ok.example")
	if pre.Header.Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(pre.Header.Get("Access-Control-Allow-Headers"), "Content-Type") {
		t.Errorf("asked before: %v", pre.Header)
	}
	if got := r.get(path); got.StatusCode == http.StatusOK {
		t.Error("a GET raises a callback")
	}
}

// With scope shared, it is everybody's view.
func TestCallbackShared(t *testing.T) {
	r := callRig(t)
	got := r.do("POST", "/api/v1/charts/fast/callback", `"MyCustomArgs"`, "Content-Type", "application/json")
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"svg":"/charts/fast.svg"`) || !strings.Contains(got.body, `Yours \u0026 mine`) {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	if pic := r.get("/charts/fast.svg"); !strings.Contains(pic.body, "Yours &amp; mine") {
		t.Error("others do not see it")
	}
}

// More than a session may raise is refused, and says when to come back.
func TestCallbackStorm(t *testing.T) {
	r := callRig(t)
	refused := 0
	for range 100 {
		got := r.do("POST", "/api/v1/charts/cpu/callback", "")
		if got.StatusCode == http.StatusOK {
			continue
		}
		refused++
		if got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") != "1" || !strings.Contains(got.body, "session.callbacks_per_second") {
			t.Fatalf("%d %v %s", got.StatusCode, got.Header, got.body)
		}
	}
	if n := r.metric("chartd_refused_total", "callbacks_per_second"); refused == 0 || n != float64(refused) {
		t.Errorf("%d refused, %v counted", refused, n)
	}
}

// What is written into a link is what a picture reads out of it.
func TestQueryOf(t *testing.T) {
	want := plotting.Change{
		Window: new(quantity.Duration(90e9)), Refresh: new(quantity.Duration(250e6)), From: new(int64(5)), To: new(int64(9)),
		Replay: &plotting.Replay{At: 7, Since: 8, Speed: 1.5}, Hidden: &[]string{"a", "b&c"}, Size: &[2]int{300, 200},
		Vars: map[string]string{"host": "a=b"}, Title: new("x y"), Timezone: new("Europe/Rome"),
		Marks: &[]plotting.Mark{{T: 1, Text: "m"}}, Thresholds: &[]plotting.Threshold{{At: 2, Text: "t"}},
	}
	got, err := changeOf(queryOf(want))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if q := queryOf(plotting.Change{}); len(q) != 0 {
		t.Errorf("nothing is %v", q)
	}
}
