package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// rig is a daemon on loopback, one client, and a subscription to the chart one.
type rig struct {
	*daemon.Daemon
	*livetest.Client
	t *testing.T
	v string
}

// start runs a daemon until the test ends. "$HOOK" in the configuration is the
// address of a server with the handler hook.
func start(t *testing.T, yaml string, hook http.HandlerFunc, opts ...daemon.Option) *rig {
	t.Helper()
	if hook != nil {
		srv := httptest.NewServer(hook)
		t.Cleanup(srv.Close)
		yaml = strings.ReplaceAll(yaml, "$HOOK", srv.URL)
	}
	cfg, err := daemon.Parse(yaml)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, cfg, "one", opts...)
}

// run runs a daemon until the test ends, with a client that watches a chart.
func run(t *testing.T, cfg *config.Config, chart string, opts ...daemon.Option) *rig {
	t.Helper()
	d, err := daemon.New(cfg.WithListen("127.0.0.1:0"), append([]daemon.Option{daemon.WithLogger(zap.NewNop())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	select {
	case <-d.Ready():
	case err := <-done:
		t.Fatalf("run: %v", err)
	}
	r := &rig{Daemon: d, Client: livetest.Dial(t, d.URL()), t: t}
	r.Hello("")
	r.v = r.Sub(wire.Sub{Chart: chart, Events: true}).V
	r.Full(r.v)
	return r
}

// call raises a callback with an argument of JSON, and returns its answer.
func (r *rig) call(arg string) (ok wire.OK, failed *wire.Error) {
	r.t.Helper()
	id := r.ID()
	r.Send(wire.Callback{ID: id, V: r.v, Arg: json.RawMessage(arg)})
	for {
		switch m := r.Next().(type) {
		case wire.OK:
			if m.ID == id {
				r.v = m.V
				return m, nil
			}
		case wire.Failure:
			if m.ID == id {
				return ok, m.Err
			}
		}
	}
}

// metric returns the sum of a metric's series that have every one of labels.
func (r *rig) metric(name string, labels ...string) float64 {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.URL()+"metrics", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return livetest.Sum(r.t, string(body), name, labels...)
}

// The order of DESIGN, for every kind of row: on the wire and in Go.
func TestOrderOfHooks(t *testing.T) {
	var mu sync.Mutex
	var heard []string
	hear := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, what)
	}
	after := make(chan struct{}, 1)
	r := start(t, `
charts:
  one:
    title: One
    refresh: 0
    series: [{metric: m}]
    callbacks:
      - {on: set, set: {title: Changed}}
      - {on: webhook, webhook: {url: $HOOK, allow_private: true}}
`, func(w http.ResponseWriter, _ *http.Request) {
		hear("asked")
		_, _ = w.Write([]byte(`{"set":{"title":"Changed"},"reply":{"done":true}}`))
	}, daemon.WithHook("one", session.Hook{
		Before: func(_ context.Context, call *session.Call) error {
			if call.ArgString() == "stop" {
				return errors.New("not today")
			}
			hear("before")
			return nil
		},
		After:          func(_ context.Context, _ *session.Call, err error, _ time.Duration) { hear(fmt.Sprint("after ", err)) },
		BeforeResponse: func(context.Context, *session.Call) { hear("before response") },
		AfterResponse: func(context.Context, *session.Call) {
			hear("after response")
			after <- struct{}{}
		},
	}))
	first := r.v
	for kind, inside := range map[string][]string{"set": nil, "webhook": {"asked"}} {
		mu.Lock()
		heard = nil
		mu.Unlock()
		sub := r.Sub(wire.Sub{Chart: "one", Events: true, View: plotting.Change{Vars: nil, Size: &[2]int{300 + len(kind), 200}}})
		r.Full(sub.V)
		id := r.ID()
		r.Send(wire.Callback{ID: id, V: sub.V, Arg: json.RawMessage(strconv.Quote(kind))})
		var got []string
		for len(got) < 6 {
			switch m := r.Next().(type) {
			case wire.Event:
				got = append(got, string(m.Name))
			case wire.OK:
				if m.ID != id || m.Handled == nil || !*m.Handled {
					t.Errorf("%s: %+v", kind, m)
				}
				if want := map[string]string{"set": "", "webhook": `{"done":true}`}[kind]; string(m.Reply) != want {
					t.Errorf("%s: replied %s", kind, m.Reply)
				}
				got = append(got, "ok")
			case wire.Full:
				if !strings.Contains(m.SVG, "Changed") {
					t.Errorf("%s: the frame does not show the change", kind)
				}
				got = append(got, "frame")
			case wire.Failure:
				t.Fatal(kind, m.Err)
			}
		}
		want := []string{"BeforeCallback", "AfterCallback", "ok", "BeforeCallbackResponseProcess", "frame", "AfterCallbackResponseProcess"}
		// The answer may come on either side of the event before the frame.
		if got[2] == "BeforeCallbackResponseProcess" {
			got[2], got[3] = got[3], got[2]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: on the wire %q, want %q", kind, got, want)
		}
		<-after
		mu.Lock()
		wantGo := slices.Concat([]string{"before"}, inside, []string{"after <nil>", "before response", "after response"})
		if !slices.Equal(heard, wantGo) {
			t.Errorf("%s: in Go %q, want %q", kind, heard, wantGo)
		}
		mu.Unlock()
		if n := r.metric("chartd_callback_rows_total", `on="`+kind+`"`, `kind="`+kind+`"`, `result="ok"`); n != 1 {
			t.Errorf("%s: counted %v times", kind, n)
		}
	}
	// Who did not ask sees what it saw.
	r.Send(wire.Resync{V: first})
	if strings.Contains(r.Full(first).SVG, "Changed") {
		t.Error("a callback changed another view")
	}
}

const rows = `
charts:
  one:
    title: One of $host
    refresh: 0
    vars: {host: web1, zone: eu}
    series: [{metric: m, name: "{mode}"}]
    callbacks:
      - {on: wide, set: {window: 1h}}
      - {on: "host:*", set: {vars: {host: "{{ .arg | after \":\" }}"}}}
      - {on: "h*", set: {title: never}}
      - {on: "window:*", set: {window: "{{ .arg | after \":\" }}", title: "{{ .vars.zone | upper }} {{ .vars.host }} {{ .cause }} {{ .chart }}"}}
      - on: {action: zoom, "who.name": "a*"}
        set: {from: "{{ .arg.from }}", to: "{{ .arg.to }}"}
      - on: {action: pick}
        set: {vars: "{{ json .arg.vars }}", hidden: "{{ json .arg.hidden }}", marks: [{t: "{{ .arg.t }}", text: "at {{ .arg.t }}"}]}
      - {on: {".": tick}, set: {title: the word}}
      - {on: tick, set: {title: every tick}}
`

// Each row changes what it says; the first one that fits decides, and the Go
// handler is asked where none does.
func TestSetRows(t *testing.T) {
	var asked []string
	r := start(t, rows, nil, daemon.WithCallback("one", func(_ context.Context, call *session.Call) error {
		asked = append(asked, call.ArgString())
		return session.ErrNotHandled
	}))
	view := func(arg string) plotting.Change {
		t.Helper()
		ok, failed := r.call(arg)
		if failed != nil || ok.Handled == nil || !*ok.Handled || ok.Reply != nil {
			t.Fatalf("%s: %+v, %v", arg, ok, failed)
		}
		return *ok.View
	}
	if v := view(`"wide"`); v.Window.String() != "1h" {
		t.Errorf("wide: %+v", v)
	}
	if v := view(`"host:web2:x"`); v.Vars["host"] != "web2:x" || v.Title != nil {
		t.Errorf("host: %+v", v)
	}
	if v := view(`"window:90s"`); v.Window.Millis() != 90_000 || *v.Title != "EU web2:x client one" {
		t.Errorf("window: %+v", v)
	}
	if v := view(`{"action":"zoom","who":{"name":"ada"},"from":1700000000000,"to":1700000060000}`); *v.From != 1700000000000 || *v.To != 1700000060000 {
		t.Errorf("zoom: %+v", v)
	}
	if v := view(`{"action":"pick","vars":{"host":"a","zone":"b"},"hidden":["idle","user"],"t":1700000000000}`); v.Vars["host"] != "a" || v.Vars["zone"] != "b" ||
		!slices.Equal(*v.Hidden, []string{"idle", "user"}) || len(*v.Marks) != 1 || (*v.Marks)[0].T != 1700000000000 || (*v.Marks)[0].Text != "at 1700000000000" {
		t.Errorf("pick: %+v", v)
	}
	if v := view(`"tick"`); *v.Title != "the word" {
		t.Errorf("the word tick: %+v", v)
	}
	for arg, want := range map[string]string{
		`"window:soon"`: `set.window: "soon" is not a duration`,
		`"window:1ns"`:  `window: 1ns is not between`,
		`{"action":"pick","vars":5,"hidden":[],"t":1}`:             `set.vars: a JSON number, where an object is wanted`,
		`{"action":"pick","vars":{"hots":"x"},"hidden":[],"t":1}`:  `the chart has no var "hots"`,
		`{"action":"pick","vars":{},"t":1}`:                        ``,
		`{"action":"pick","vars":{},"hidden":[]}`:                  `set.marks[0].t: there is no such value; give another one`,
		`{"action":"zoom","who":{"name":"ada"},"from":"x","to":2}`: `set.from: "x" is neither a number, a boolean nor JSON`,
		`{"action":"zoom","who":{"name":"ada"},"from":1.5,"to":2}`: `set.from: a JSON number 1.5, where a whole number is wanted`,
		`"host:` + strings.Repeat("x", 5000) + `"`:                 `vars: host is 5000 bytes; at most 256`,
	} {
		_, failed := r.call(arg)
		if want == "" {
			continue // nothing is hidden: that is a view like any other
		}
		if failed == nil || failed.Code != wire.CodeCallbackFailed || !strings.Contains(failed.Message, want) {
			t.Errorf("%.80s: %v, want %s", arg, failed, want)
		}
	}
	if len(asked) > 0 {
		t.Errorf("the Go handler was asked for %q", asked)
	}
	for _, arg := range []string{`"other"`, `{"action":"zoom","who":{"name":"bob"}}`, `5`} {
		if ok, failed := r.call(arg); failed != nil || *ok.Handled {
			t.Errorf("%s: %+v, %v", arg, ok, failed)
		}
	}
	if !slices.Equal(asked, []string{"other", `{"action":"zoom","who":{"name":"bob"}}`, "5"}) {
		t.Errorf("the Go handler was asked for %q", asked)
	}
}

// A tick runs its row with no argument, and what the webhook answers is there
// for all who watch.
func TestTicks(t *testing.T) {
	type told struct {
		ID, Cause, Chart, Session, User string
		Time                            int64
		View                            struct {
			ID     string
			Params plotting.Change
		}
		Argument json.RawMessage
	}
	heard := make(chan told, 1)
	r := start(t, `
charts:
  one:
    refresh: 50ms
    window: 10s
    series: [{metric: queue, name: "{of}"}]
    callbacks:
      - {on: tick, webhook: {url: $HOOK, allow_private: true}}
      - on: "*"
        webhook: {url: $HOOK, allow_private: true}
`, func(w http.ResponseWriter, req *http.Request) {
		var m told
		if err := json.NewDecoder(req.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		if m.Cause == "client" {
			heard <- m
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if m.Session != "" || m.Argument != nil || m.Chart != "one" || m.ID == "" || m.Time < 1.7e12 {
			t.Errorf("a tick says %+v", m)
		}
		_, _ = w.Write([]byte(`{"samples":[{"metric":"queue","labels":{"of":"mail"},"v":17},{"metric":"queue","labels":{"of":"jobs"},"v":3}],"marks":[{"text":"asked"}]}`))
	})
	livetest.Eventually(t, "the sample shows", func() bool {
		r.Send(wire.Resync{V: r.v})
		svg := livetest.Until(r.Client, func(m wire.Full) bool { return m.V == r.v }).SVG
		return strings.Contains(svg, ">mail<") && strings.Contains(svg, ">jobs<") && strings.Contains(svg, ">asked<")
	})
	ok, failed := r.call(`{"action":"deploy"}`)
	m := <-heard
	if failed != nil || !*ok.Handled || m.Session == "" || string(m.Argument) != `{"action":"deploy"}` || m.View.ID == "" {
		t.Errorf("%v %v: it was told %+v", ok, failed, m)
	}
}

// Whatever a webhook does ends in a clear error in time, and no tick of any
// chart is late for it.
func TestBadWebhooks(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	r := start(t, `
session: {callback_timeout: 2s}
charts:
  one:
    title: One
    refresh: 250ms
    series: [{metric: m}]
    callbacks:
      - {on: tick, webhook: {url: "$HOOK/hang", timeout: 600ms, allow_private: true}}
      - {on: hang, webhook: {url: "$HOOK/hang", timeout: 200ms, allow_private: true}}
      - {on: "hang longer", webhook: {url: "$HOOK/hang", timeout: 10s, allow_private: true}}
      - {on: "500", webhook: {url: "$HOOK/500", allow_private: true}}
      - {on: garbage, webhook: {url: "$HOOK/garbage", allow_private: true}}
      - {on: drip, webhook: {url: "$HOOK/drip", timeout: 300ms, allow_private: true}}
      - {on: huge, webhook: {url: "$HOOK/huge", allow_private: true}}
      - {on: redirect, webhook: {url: "$HOOK/redirect", allow_private: true}}
      - {on: refused, webhook: {url: "$HOOK/refused", allow_private: true}}
  other: {refresh: 250ms, series: [{metric: m}]}
`, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/hang":
			select {
			case <-release:
			case <-req.Context().Done():
			}
		case "/500":
			w.WriteHeader(http.StatusInternalServerError)
		case "/garbage":
			_, _ = w.Write([]byte("\xff\xfe<html>"))
		case "/huge":
			for range 100 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		case "/drip":
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for req.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				<-tick.C
			}
		case "/redirect":
			http.Redirect(w, req, "http://169.254.169.254/", http.StatusFound)
		case "/refused":
			_, _ = w.Write([]byte(`{"set":{"title":"seen?","window":"1ms"},"samples":[{"metric":"m","labels":{"x":"never"},"v":1}]}`))
		}
	})
	other := r.Sub(wire.Sub{Chart: "other"}).V
	r.Full(other)
	for _, c := range []struct {
		arg  string
		code wire.ErrorCode
		text string
	}{
		{"hang", wire.CodeCallbackFailed, "webhook: no whole answer within 200ms"},
		{"hang longer", wire.CodeCallbackTimeout, "the handler did not return within 2s"},
		{"500", wire.CodeCallbackFailed, "webhook: its answer is 500 Internal Server Error"},
		{"garbage", wire.CodeCallbackFailed, "webhook: its answer is not understood"},
		{"drip", wire.CodeCallbackFailed, "webhook: no whole answer within 300ms"},
		{"huge", wire.CodeCallbackFailed, "webhook: its answer is larger than 64KiB"},
		{"redirect", wire.CodeCallbackFailed, "redirects are not followed"},
		{"refused", wire.CodeCallbackFailed, "its answer cannot be carried out: set: window: 1ms is not between"},
	} {
		_, failed := r.call(strconv.Quote(c.arg))
		if failed == nil || failed.Code != c.code || !strings.Contains(failed.Message, c.text) {
			t.Errorf("%s: %v, want %s: %s", c.arg, failed, c.code, c.text)
		}
		if failed != nil && strings.Contains(failed.Message, "127.0.0.1") {
			t.Errorf("%s: the address is told: %v", c.arg, failed)
		}
	}
	// The row of the ticks hung all the time: frames came without it.
	before := r.metric("chartd_renders_total", `chart="one"`)
	livetest.Eventually(t, "ticks without their callback", func() bool {
		return r.metric("chartd_skipped_ticks_total", `chart="one"`, `reason="busy"`) > 0 && r.metric("chartd_renders_total", `chart="one"`) >= before+5
	})
	if n := r.metric("chartd_callbacks_overrunning"); n != 0 {
		t.Errorf("%v webhooks outlive their time", n)
	}
	r.Send(wire.Resync{V: r.v})
	if svg := livetest.Until(r.Client, func(m wire.Full) bool { return m.V == r.v }).SVG; strings.Contains(svg, "seen?") {
		t.Error("half of a refused answer was carried out")
	}
	// A busy machine may be late now and then; what waits for a handler is late at
	// every tick.
	if n, of := r.metric("chartd_skipped_ticks_total", `reason="late"`), r.metric("chartd_renders_total"); n > max(3, of/4) {
		t.Errorf("%v ticks were late beside %v that were drawn", n, of)
	}
	if n := r.metric("chartd_webhook_requests_total", `on="huge"`, `outcome="too_large"`); n != 1 {
		t.Errorf("too_large is counted %v times", n)
	}
}

// A reload takes rows over, and forgets what old ones counted.
func TestReload(t *testing.T) {
	yaml := func(title string) string {
		return "charts: {one: {refresh: 0, series: [{metric: m}], callbacks: [{on: x, set: {title: " + title + "}}]}}"
	}
	r := start(t, yaml("Before"), nil)
	if ok, failed := r.call(`"x"`); failed != nil || *ok.View.Title != "Before" {
		t.Fatalf("%+v, %v", ok, failed)
	}
	cfg, err := daemon.Parse(yaml("Behind"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if ok, failed := r.call(`"x"`); failed != nil || *ok.View.Title != "Behind" {
		t.Errorf("%+v, %v", ok, failed)
	}
	if n := r.metric("chartd_callback_rows_total", `chart="one"`); n != 1 {
		t.Errorf("%v are counted", n)
	}
}
