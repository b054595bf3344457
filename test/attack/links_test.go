package attack

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

func linkTo(chart string) auth.Link { return auth.Link{Chart: chart} }

// query is a link as it stands in an address.
func query(link string) string { return "?link=" + url.QueryEscape(link) }

// TestLinkOpensItsChartAlone replays a link where it was not signed for.
func TestLinkOpensItsChartAlone(t *testing.T) {
	g := attacked(t)
	link := g.sign(linkTo("cpu"))
	c, _ := g.enter(link)
	cpu := c.Sub(wire.Sub{Chart: "cpu"})
	c.Full(cpu.V)
	other := refused(t, c, wire.CodeForbidden, wire.Sub{ID: "50", Chart: "cpu-hidden"})
	none := refused(t, c, wire.CodeForbidden, wire.Sub{ID: "51", Chart: "cpu-hiddex"})
	if strings.ReplaceAll(other.Err.Message, "cpu-hidden", "") != strings.ReplaceAll(none.Err.Message, "cpu-hiddex", "") {
		t.Errorf("one that is there: %v; one that is not: %v", other.Err, none.Err)
	}
	refused(t, c, wire.CodeForbidden, wire.Callback{ID: "52", V: cpu.V, Arg: []byte(`"zoom"`)})
	for path, status := range map[string]int{
		"/charts/cpu.svg" + query(link):        200,
		"/charts/cpu.png" + query(link):        200,
		"/c/cpu" + query(link):                 200,
		"/charts/cpu-hidden.svg" + query(link): 403,
		"/c/cpu-hidden" + query(link):          403,
		"/c/nothing-here" + query(link):        403,
		"/api/v1/sources" + query(link):        403,
		"/metrics" + query(link):               403,
	} {
		if a := g.get(path); a.StatusCode != status {
			t.Errorf("%s: %d %s", strings.ReplaceAll(path, link, "…"), a.StatusCode, a.body)
		}
	}
	if a := g.get("/api/v1/charts" + query(link)); strings.Contains(a.body, "hidden") {
		t.Errorf("the list: %s", a.body)
	}
	if a := g.do("POST", "/api/v1/push"+query(link), `{"metric":"m","v":1}`); a.StatusCode != 401 {
		t.Errorf("samples by a link: %d %s", a.StatusCode, a.body)
	}
}

// TestLinkForged alters links and signs them with other secrets.
func TestLinkForged(t *testing.T) {
	g := attacked(t)
	link := g.sign(linkTo("cpu"))
	payload, sum, _ := strings.Cut(strings.TrimPrefix(link, auth.LinkPrefix), ".")
	_, stranger, err := auth.Links{Secret: "another-secret-0123456789-0123456789"}.Sign(auth.Link{Chart: "cpu", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	better := part(fmt.Sprintf(`{"i":"mine","c":"cpu-hidden","e":%d}`, time.Now().Add(time.Hour).Unix()))
	for name, forged := range map[string]string{
		"another secret": stranger, "another payload": auth.LinkPrefix + better + "." + sum,
		"no signature": auth.LinkPrefix + better + ".", "no payload": auth.LinkPrefix + "." + sum, "cut": link[:len(link)-4],
		"longer": link + "A", "twice": link + "." + sum, "the prefix alone": auth.LinkPrefix, "only a payload": auth.LinkPrefix + payload,
	} {
		t.Run(name, func(t *testing.T) {
			g.turnedAway(g.connect(), forged, wire.CodeUnauthorized, wire.CloseUnauthorized, "link")
			for _, path := range []string{"/charts/cpu.svg", "/charts/cpu-hidden.svg", "/c/cpu"} {
				if a := g.get(path + query(forged)); a.StatusCode != 401 {
					t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
				}
			}
		})
	}
}

// TestLinkReplayedAfterExpiry uses a link before its time is over, and after.
func TestLinkReplayedAfterExpiry(t *testing.T) {
	g := attacked(t)
	end := time.Now().Add(3 * time.Second).Truncate(time.Second)
	link := g.sign(auth.Link{Expires: end})
	c, w := g.enter(link)
	c.Full(c.Sub(wire.Sub{Chart: "cpu"}).V)
	if e := c.Closed(); e.Code != int(wire.CloseUnauthorized) || time.Now().Before(end) {
		t.Errorf("closed with %v, %v before the end", e, time.Until(end))
	}
	g.turnedAway(g.connect(), link, wire.CodeUnauthorized, wire.CloseUnauthorized, "the link expired on")
	back := g.connect()
	back.Send(wire.Hello{Session: w.Session, Token: link})
	if e := back.Closed(); e.Code != int(wire.CloseUnauthorized) {
		t.Errorf("resumed: %v", e)
	}
	if a := g.get("/charts/cpu.svg" + query(link)); a.StatusCode != 401 || !strings.Contains(a.body, "expired") {
		t.Errorf("the picture: %d %s", a.StatusCode, a.body)
	}
}

// TestLinkOnAnotherPage shows a link on pages that it was not signed for.
func TestLinkOnAnotherPage(t *testing.T) {
	g := attacked(t, "server: {origins: ['https://good.example.com', 'https://evil.example.com']}")
	link := g.sign(auth.Link{Origins: []string{"https://good.example.com"}})
	g.turnedAway(g.connect("Origin", "https://evil.example.com"), link, wire.CodeForbidden, wire.CloseForbidden, "another origin")
	g.turnedAway(g.connect(), link, wire.CodeForbidden, wire.CloseForbidden, "does not say which page")
	for _, origin := range []string{"https://good.example.com", g.base} {
		c := g.connect("Origin", origin)
		c.Send(wire.Hello{Token: link})
		livetest.Until[wire.Welcome](c, nil)
	}
	a := g.get("/c/cpu"+query(link), "Sec-Fetch-Dest", "iframe")
	if csp := a.Header.Get("Content-Security-Policy"); a.StatusCode != 200 || !strings.Contains(csp, "frame-ancestors 'self' https://good.example.com") {
		t.Errorf("the page: %d, %s", a.StatusCode, csp)
	}
	if got := a.Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy: %q: the link would be told to others", got)
	}
	for origin, status := range map[string]int{"https://good.example.com": 200, "https://evil.example.com": 403} {
		if a := g.get("/charts/cpu.svg"+query(link), "Origin", origin); a.StatusCode != status {
			t.Errorf("the picture on %s: %d %s", origin, a.StatusCode, a.body)
		}
		if a := g.get("/charts/cpu.svg"+query(link), "Referer", origin+"/some/page"); a.StatusCode != status {
			t.Errorf("the picture in %s: %d %s", origin, a.StatusCode, a.body)
		}
	}
}

// TestLinkInAFrame tries every spelling of an address with a link, so that a page
// that it was not signed for could show what it opens in a frame: the wall, the
// spellings that a browser's script understands, and more parameters than the
// server reads.
func TestLinkInAFrame(t *testing.T) {
	g := attacked(t)
	good := g.sign(auth.Link{Origins: []string{"https://good.example.com"}})
	other := g.sign(auth.Link{Chart: "shared", Origins: []string{"https://other.example.com", "https://good.example.com"}})
	free := g.sign(auth.Link{Chart: "shared"})
	spelt := "?link=" + strings.ReplaceAll(good, "_", "%5F")
	for name, path := range map[string]string{
		"the page": "/c/cpu" + query(good), "the page, spelt": "/c/cpu" + spelt, "the key, spelt": "/c/cpu?l%69nk=" + good,
		"the wall": "/wall" + query(good), "the wall, spelt": "/wall" + spelt, "the second of the wall": "/wall" + query(free) + "&link=" + good,
		"two of the wall": "/wall" + query(other) + "&link=" + good, "behind what is no parameter": "/wall?a=%zz&link=" + good,
		"behind a semicolon": "/c/cpu?a;b&link=" + good, "behind ten thousand": "/c/cpu?" + strings.Repeat("a&", 10_001) + "link=" + good,
	} {
		t.Run(name, func(t *testing.T) {
			a := g.get(path)
			if a.StatusCode != 200 {
				return // nothing to show
			}
			// All of them bind: one that says no is enough.
			kept := slices.ContainsFunc(a.Header.Values("Content-Security-Policy"), func(csp string) bool {
				_, ancestors, _ := strings.Cut(csp, "frame-ancestors ")
				return ancestors == "'self'" || ancestors == "'self' https://good.example.com"
			})
			if !kept {
				t.Errorf("any page may show it: %q", a.Header.Values("Content-Security-Policy"))
			}
		})
	}
	if got := g.get("/wall" + query(free)).Header.Get("Content-Security-Policy"); !strings.HasSuffix(got, "frame-ancestors *") {
		t.Errorf("a link for any page: %s", got)
	}
}

// TestLinkBeyondItsSessions shares a link with too many.
func TestLinkBeyondItsSessions(t *testing.T) {
	g := attacked(t)
	link := g.sign(auth.Link{ID: "two", MaxSessions: 2})
	first, w := g.enter(link)
	g.enter(link)
	beyond := func() {
		t.Helper()
		c := g.connect()
		c.Send(wire.Hello{Token: link})
		if e := c.Closed(); e.Code != int(wire.CloseOverloaded) || !strings.Contains(e.Text, "link") {
			t.Errorf("the third: %v", e)
		}
	}
	beyond()
	if n := g.metric("chartd_refused_total", `limit="link_max_sessions"`); n != 1 {
		t.Errorf("%v refusals counted", n)
	}
	// Who takes a session over is none more.
	second, w2 := g.resume(link, w.Session)
	if !w2.Resumed {
		t.Error("not resumed")
	}
	if e := first.Closed(); e.Code != int(wire.CloseReplaced) {
		t.Errorf("the one before: %v", e)
	}
	beyond()
	second.Cut()
	livetest.Eventually(t, "its place is free", func() bool { return g.metric("chartd_sessions", "connected") == 1 })
	g.enter(link)
	// The one that waits does not come back beside the other.
	c := g.connect()
	c.Send(wire.Hello{Token: link, Session: w.Session})
	if e := c.Closed(); e.Code != int(wire.CloseOverloaded) {
		t.Errorf("resumed beyond the limit: %v", e)
	}
	g.enter(g.sign(auth.Link{ID: "other", MaxSessions: 1})) // another link has its own count
}

// TestLinkPinsItsView asks for more than a link shows.
func TestLinkPinsItsView(t *testing.T) {
	g := attacked(t)
	link := g.sign(auth.Link{
		View:      plotting.Change{Vars: map[string]string{"host": "a"}},
		MaxWindow: quantity.Duration(time.Hour),
	})
	c, _ := g.enter(link)
	cpu := c.Sub(wire.Sub{Chart: "cpu"})
	if got := cpu.View.Vars["host"]; got != "" && got != "a" {
		t.Errorf("host is %q", got)
	}
	wide, old, now := new(quantity.Duration(2*time.Hour)), new(time.Now().Add(-48*time.Hour).UnixMilli()), new(time.Now().Add(-47*time.Hour).UnixMilli())
	for i, change := range []plotting.Change{
		{Vars: map[string]string{"host": "b"}},
		{Window: wide},
		{From: old, To: now},
		{Reset: true, Window: wide},
		{Reset: true, Vars: map[string]string{"host": "b"}},
	} {
		f := refused(t, c, wire.CodeForbidden, wire.Set{ID: c.ID(), V: cpu.V, View: change})
		if !strings.Contains(f.Err.Message, "link") {
			t.Errorf("%d: %v does not say that it is the link", i, f.Err)
		}
		refused(t, c, wire.CodeForbidden, wire.Sub{ID: c.ID(), Chart: "cpu", View: change})
	}
	c.Sub(wire.Sub{Chart: "cpu", View: *cpu.View}) // what it was told, it may say
	for _, q := range []string{"&vars.host=b", "&window=2h", fmt.Sprintf("&from=%d&to=%d", *old, *now)} {
		if a := g.get("/charts/cpu.svg" + query(link) + q); a.StatusCode != 403 {
			t.Errorf("%s: %d %s", q, a.StatusCode, a.body)
		}
	}
	if a := g.get("/charts/cpu.svg" + query(link) + "&window=30m"); a.StatusCode != 200 {
		t.Errorf("within: %d %s", a.StatusCode, a.body)
	}
}

// TestLinkUnderASharedView lets others widen what everybody sees.
func TestLinkUnderASharedView(t *testing.T) {
	g := attacked(t)
	link := g.sign(auth.Link{Chart: "shared", MaxWindow: quantity.Duration(2 * time.Minute)})
	viewer, _ := g.enter(link)
	seen := viewer.Sub(wire.Sub{Chart: "shared"})
	viewer.Full(seen.V)
	caller, _ := g.enter(callToken)
	v := caller.Sub(wire.Sub{Chart: "shared"}).V
	id := caller.ID()
	caller.Send(wire.Callback{ID: id, V: v, Arg: []byte(`"zoom"`)}) // to five minutes
	caller.OK(id)
	f := livetest.Until(viewer, func(f wire.Failure) bool { return f.V == seen.V })
	if f.Err.Code != wire.CodeForbidden {
		t.Errorf("told %v", f.Err)
	}
	refused(t, viewer, wire.CodeForbidden, wire.Sub{ID: viewer.ID(), Chart: "shared"})
	if a := g.get("/charts/shared.svg" + query(link)); a.StatusCode != 403 {
		t.Errorf("the picture: %d %s", a.StatusCode, a.body)
	}
}

// TestReloadTakesRightsBack changes the section auth under open sessions.
func TestReloadTakesRightsBack(t *testing.T) {
	g := attacked(t)
	link := g.sign(auth.Link{ID: "lost"})
	held, _ := g.enter(link)
	kept, _ := g.enter(callToken)
	gone, w := g.enter(wallToken)
	for _, c := range []*livetest.Client{held, kept, gone} {
		c.Full(c.Sub(wire.Sub{Chart: "cpu"}).V)
	}
	cfg, err := daemon.Parse(strings.NewReplacer("name: wall, token: \""+wallToken, "name: wall, token: \"another-wall-token-0123", "links: {", "links: {revoked: [lost], ").Replace(g.yaml))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*livetest.Client{held, gone} {
		if e := c.Closed(); e.Code != int(wire.CloseAccessChanged) {
			t.Errorf("closed with %v", e)
		}
	}
	c := g.connect()
	c.Send(wire.Hello{Token: wallToken, Session: w.Session})
	if e := c.Closed(); e.Code != int(wire.CloseUnauthorized) {
		t.Errorf("the old token: %v", e)
	}
	g.turnedAway(g.connect(), link, wire.CodeUnauthorized, wire.CloseUnauthorized, "revoked")
	id := kept.ID()
	kept.Send(wire.Ping{ID: id})
	kept.OK(id)
}
