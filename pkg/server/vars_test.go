package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/wire"
)

// withVars gives the chart cpu a var of each kind.
func withVars(charts map[string]*session.Chart) {
	spec := charts["cpu"].Spec
	spec.Title, spec.Description = "Chart $host", "What $host does."
	spec.Series[0].Labels = map[string]string{"host": "$host"}
	spec.Vars = map[string]plotting.Var{
		"host": {Label: "Host", All: true, Default: "web1", From: plotting.VarSource{Metric: "load", Label: "host"}},
		"rack": {Values: []string{"a1", "b2"}, Hide: true},
		"free": {Default: "x"},
	}
}

func (r *rig) host(names ...string) {
	r.t.Helper()
	for _, name := range names {
		if err := r.store.Append("load", store.LabelsOf(map[string]string{"host": name}), time.Now().UnixMilli(), 1); err != nil {
			r.t.Fatal(err)
		}
	}
}

// vars asks for a chart's vars by name.
func (r *rig) vars(path string, header ...string) map[string]varInfo {
	r.t.Helper()
	got := r.get(path, header...)
	var c chartInfo
	if err := json.Unmarshal([]byte(got.body), &c); err != nil || got.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d %s", path, got.StatusCode, got.body)
	}
	vars := map[string]varInfo{}
	for _, one := range c.Vars {
		vars[one.Name] = one
	}
	return vars
}

func TestVarsAPI(t *testing.T) {
	r := newRig(t, rigOptions{charts: withVars})
	r.host("web2", "web1")
	got := r.get("/api/v1/charts/cpu")
	for _, want := range []string{
		`"title":"Chart web1"`, `"description":"What web1 does."`, `"vars":[{"name":"free","label":"free","default":"x","choice":"any"},` +
			`{"name":"host","label":"Host","default":"web1","choice":"live","all":true,"values":["web1","web2"],"count":2},` +
			`{"name":"rack","label":"rack","default":"a1","choice":"list","hide":true,"values":["a1","b2"],"count":2}]`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("%s lacks %s", got.body, want)
		}
	}
	if list := r.get("/api/v1/charts"); !strings.Contains(list.body, `"name":"host","label":"Host","default":"web1","choice":"live","all":true}`) {
		t.Errorf("the list: %s", list.body)
	}
	if got := r.get("/api/v1/charts/fast"); got.StatusCode != http.StatusOK || strings.Contains(got.body, "vars") {
		t.Errorf("a chart without vars: %d %s", got.StatusCode, got.body)
	}
	if got := r.get("/api/v1/charts/cpuu"); got.StatusCode != http.StatusNotFound || !strings.Contains(got.body, `did you mean "cpu"?`) {
		t.Errorf("no chart: %d %s", got.StatusCode, got.body)
	}
	r.host("web3")
	if got := r.vars("/api/v1/charts/cpu")["host"].Values; !slices.Equal(got, []string{"web1", "web2", "web3"}) {
		t.Errorf("with a new host: %q", got)
	}
	for i := range plotting.MaxValues {
		r.host(fmt.Sprintf("zz%04d", i))
	}
	if host := r.vars("/api/v1/charts/cpu")["host"]; len(host.Values) != plotting.MaxValues || host.Count != plotting.MaxValues+3 {
		t.Errorf("of many: %d of %d", len(host.Values), host.Count)
	}
	before := r.charts.Load().lists.made["cpu.host"]
	r.vars("/api/v1/charts/cpu")
	if after := r.charts.Load().lists.made["cpu.host"]; &after.values[0] != &before.values[0] {
		t.Error("the list was made again, though the series are the same")
	}
}

// TestVarsRights holds who sees which values.
func TestVarsRights(t *testing.T) {
	r := newRig(t, rigOptions{charts: withVars})
	r.host("web1", "web2", "secret-host")
	cfg := auth.DefaultConfig()
	cfg.Anonymous.Read = []string{"fast"}
	cfg.Links.Secret = "a-secret-of-the-test-0123456789-0123456789"
	gate, err := auth.New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetGate(gate)
	link := func(vars map[string]string) []string {
		_, token, err := cfg.Links.Sign(auth.Link{Chart: "cpu", Expires: time.Now().Add(time.Hour), View: plotting.Change{Vars: vars}})
		if err != nil {
			t.Fatal(err)
		}
		return []string{"Authorization", "Bearer " + token}
	}
	for _, path := range []string{"/api/v1/charts/cpu", "/api/v1/charts/nothing"} {
		if got := r.get(path); got.StatusCode != http.StatusForbidden || strings.Contains(got.body, "web") {
			t.Errorf("%s for who may not read it: %d %s", path, got.StatusCode, got.body)
		}
	}
	if got := r.get("/api/v1/charts"); strings.Contains(got.body, "host") {
		t.Errorf("the list for who may not read it: %s", got.body)
	}
	pinned := r.get("/api/v1/charts/cpu", link(map[string]string{"host": "web2"})...)
	if !strings.Contains(pinned.body, `"default":"web2","choice":"list","pinned":true,"values":["web2"],"count":1}`) || !strings.Contains(pinned.body, "Chart web2") ||
		strings.Contains(pinned.body, "secret-host") || strings.Contains(pinned.body, "web1") {
		t.Errorf("a link to one host shows %s", pinned.body)
	}
	if host := r.vars("/api/v1/charts/cpu", link(nil)...)["host"]; len(host.Values) != 3 || host.Pinned {
		t.Errorf("a link to the chart shows %+v", host)
	}
}

// TestEqualPicksShareAView counts what is drawn for viewers who picked.
func TestEqualPicksShareAView(t *testing.T) {
	r := newRig(t, rigOptions{charts: func(m map[string]*session.Chart) {
		withVars(m)
		m["cpu"].Spec.Refresh = 0 // or a tick on a busy machine is one more
	}})
	r.host("web1", "web2")
	watch := func(vars map[string]string) string {
		c := livetest.Dial(t, r.base)
		c.Hello("")
		ok := c.Sub(wire.Sub{Chart: "cpu", View: plotting.Change{Vars: vars}})
		if full := c.Full(ok.V); !strings.Contains(full.SVG, "Chart ") {
			t.Fatal(full.SVG)
		}
		return ok.V
	}
	def := watch(nil)
	if v := watch(map[string]string{"host": "web1", "rack": "a1", "free": "x"}); v != def {
		t.Errorf("who picks the defaults sees %s, not %s", v, def)
	}
	web2 := watch(map[string]string{"host": "web2"})
	if v := watch(map[string]string{"host": "web2"}); v != web2 || v == def {
		t.Errorf("equal picks see %s and %s", web2, v)
	}
	if all := watch(map[string]string{"host": "*"}); all == def || all == web2 {
		t.Errorf("all is %s", all)
	}
	if n := r.metric("chartd_views", ""); n != 3 {
		t.Errorf("%v views are drawn for five viewers of three picks", n)
	}
	if n := r.renders.Load(); n != 3 {
		t.Errorf("%d renders for five viewers of three picks", n)
	}
	c := livetest.Dial(t, r.base)
	c.Hello("")
	c.Send(wire.Sub{ID: "7", Chart: "cpu", View: plotting.Change{Vars: map[string]string{"rack": "c3"}}})
	if m, ok := c.Next().(wire.Failure); !ok || m.Err.Code != wire.CodeBadView || !strings.Contains(m.Err.Message, `rack cannot be "c3"; one of: a1, b2`) {
		t.Errorf("a value that is not in the list: %+v", m)
	}
}
