package attack

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/wire"
)

// TestChartWithoutTheRight asks for charts that a token does not name, and
// learns nothing: not even which there are.
func TestChartWithoutTheRight(t *testing.T) {
	g := attacked(t)
	c, _ := g.enter(wallToken)
	cpu := c.Sub(wire.Sub{Chart: "cpu"})
	there := refused(t, c, wire.CodeForbidden, wire.Sub{ID: "50", Chart: "cpu-hidden"})
	missing := refused(t, c, wire.CodeForbidden, wire.Sub{ID: "51", Chart: "cpu-hiddex"})
	there.ID, missing.ID = "", ""
	same := func(a, b string) bool {
		return strings.ReplaceAll(a, "cpu-hidden", "X") == strings.ReplaceAll(b, "cpu-hiddex", "X")
	}
	if !same(string(there.AppendJSON(nil)), string(missing.AppendJSON(nil))) {
		t.Errorf("a chart that is there:\n%s\none that is not:\n%s", there.AppendJSON(nil), missing.AppendJSON(nil))
	}
	// A view is known by its id to who is subscribed to it alone.
	root, _ := g.enter(rootToken)
	hidden := root.Sub(wire.Sub{Chart: "cpu-hidden"})
	root.Full(hidden.V)
	for _, m := range []wire.ClientMessage{
		wire.Set{ID: "60", V: hidden.V}, wire.Unsub{ID: "61", V: hidden.V}, wire.Callback{ID: "62", V: hidden.V, Arg: []byte(`"zoom"`)},
	} {
		refused(t, c, wire.CodeUnknownView, m)
	}
	c.Send(wire.Resync{V: hidden.V}, wire.Resync{V: cpu.V})
	if full := c.Full(""); full.V != cpu.V {
		t.Errorf("a full of %s", full.V)
	}
	for _, ext := range []string{".svg", ".png", ".pdf", ""} {
		a, b := g.get("/charts/cpu-hidden"+ext, bearer(wallToken)...), g.get("/charts/cpu-hiddex"+ext, bearer(wallToken)...)
		if a.StatusCode != 403 || b.StatusCode != 403 || !same(a.body, b.body) {
			t.Errorf("%q: %d %s, and of none: %d %s", ext, a.StatusCode, a.body, b.StatusCode, b.body)
		}
	}
	for _, header := range [][]string{nil, bearer(wallToken)} {
		a, b := g.get("/c/cpu-hidden", header...), g.get("/c/cpu-hiddex", header...)
		if a.StatusCode != b.StatusCode || !same(a.body, b.body) {
			t.Errorf("the page: %d, and of none: %d %s", a.StatusCode, b.StatusCode, b.body)
		}
	}
	// What there is not, but might be read, is answered without the names of others.
	if a := g.get("/api/v1/charts", bearer(wallToken)...); a.StatusCode != 200 || !strings.Contains(a.body, `"cpu"`) || strings.Contains(a.body, "hidden") || strings.Contains(a.body, "Plan Nine") {
		t.Errorf("the list: %d %s", a.StatusCode, a.body)
	}
	near := g.good(jwt.MapClaims{"chartd_read": []string{"cpu-hidde*x", "cpu"}})
	n, _ := g.enter(near)
	if f := refused(t, n, wire.CodeUnknownChart, wire.Sub{ID: "70", Chart: "cpu-hiddex"}); strings.Contains(f.Err.Message, "mean \"cpu-hidden\"") {
		t.Errorf("the near one was named: %v", f.Err)
	}
	if a := g.get("/charts/cpu-hiddex.svg", bearer(near)...); a.StatusCode != 404 || strings.Contains(a.body, "cpu-hidden\"") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if n := g.metric("chartd_auth_refused_total", `reason="read"`); n < 10 {
		t.Errorf("%v refusals counted", n)
	}
}

// TestCallbackWithoutTheRight raises callbacks of a chart that a token may only
// watch.
func TestCallbackWithoutTheRight(t *testing.T) {
	g := attacked(t)
	for name, token := range map[string]string{"static": wallToken, "JWT": g.good(jwt.MapClaims{"chartd_callback": "shared"})} {
		t.Run(name, func(t *testing.T) {
			c, _ := g.enter(token)
			v := c.Sub(wire.Sub{Chart: "cpu", Events: true}).V
			f := refused(t, c, wire.CodeForbidden, wire.Callback{ID: "50", V: v, Arg: []byte(`"zoom"`)})
			if f.V != v || !strings.Contains(f.Err.Message, "callbacks") {
				t.Errorf("told %+v", f)
			}
		})
	}
	if n := g.metric("chartd_callbacks_total", `cause="client"`); n != 0 {
		t.Errorf("%v callbacks ran", n)
	}
	c, _ := g.enter(callToken)
	v := c.Sub(wire.Sub{Chart: "cpu"}).V
	c.Send(wire.Callback{ID: "50", V: v, Arg: []byte(`"zoom"`)})
	if ok := c.OK("50"); ok.Handled == nil || !*ok.Handled {
		t.Errorf("who may: %+v", ok)
	}
}

// TestSessionOfSomebodyElse resumes with a session's token and a token of
// another owner: of no use, whether the session is connected or waits.
func TestSessionOfSomebodyElse(t *testing.T) {
	g := attacked(t)
	mine := g.good(jwt.MapClaims{"exp": time.Now().Add(3 * time.Second).Unix()})
	c, w := g.enter(mine)
	thieves := map[string]string{"wall": wallToken, "admin": rootToken, "mallory": g.good(jwt.MapClaims{"sub": "mallory"})}
	for name, token := range thieves {
		if _, got := g.resume(token, w.Session); got.Resumed || got.Session == w.Session {
			t.Errorf("%s has a session that is connected", name)
		}
	}
	g.turnedAway(g.connect(), "", wire.CodeUnauthorized, wire.CloseUnauthorized, "")
	c.Send(wire.Ping{ID: "50"})
	c.OK("50") // it is still there
	if e := c.Closed(); e.Code != int(wire.CloseUnauthorized) {
		t.Errorf("it expired: %v", e)
	}
	for name, token := range thieves {
		if _, got := g.resume(token, w.Session); got.Resumed {
			t.Errorf("%s has a session that waits", name)
		}
	}
	if _, got := g.resume(g.good(nil), w.Session); !got.Resumed {
		t.Error("its owner does not have it back with a fresh token")
	}
}

// TestKeysOutOfReach shows a token whose key cannot be had. It waits, bounded, and
// nobody else does.
func TestKeysOutOfReach(t *testing.T) {
	hang := make(chan struct{})
	issuerDown := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	defer issuerDown.Close()
	defer close(hang)
	g := attackedWith(t, func(yaml string) string {
		at := strings.Index(yaml, "keys: [")
		return yaml[:at] + "jwks: '" + issuerDown.URL + "'" + yaml[at+strings.Index(yaml[at:], "]")+1:]
	})
	waits := g.connect()
	header := part(`{"alg":"RS256","kid":"somewhere-else"}`)
	token := g.good(nil)
	waits.Send(
		wire.Hello{Token: header + "." + strings.SplitN(token, ".", 2)[1]}, wire.Sub{ID: "1", Chart: "cpu"}, wire.Hello{},
	)
	for range 20 { // others come and go
		c, _ := g.enter(wallToken)
		c.Full(c.Sub(wire.Sub{Chart: "cpu"}).V)
		c.Cut()
	}
	f := livetest.Until[wire.Failure](waits, nil)
	if f.Err.Code != wire.CodeUnavailable || !f.Err.Temporary() {
		t.Errorf("told %v", f.Err)
	}
	if e := waits.Closed(); e.Code != int(wire.CloseUnavailable) {
		t.Errorf("closed with %v", e)
	}
	if a := g.get("/charts/cpu.svg", bearer(header+"."+strings.SplitN(token, ".", 2)[1])...); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("over HTTP: %d %s", a.StatusCode, a.body)
	}
	// Who says much meanwhile is told to stop, and keeps nothing waiting.
	much := g.connect()
	much.Send(wire.Hello{Token: header + "." + strings.SplitN(token, ".", 2)[1]})
	for range 3 {
		much.Send(wire.Sub{ID: "1", Chart: "cpu", View: titled(60)})
	}
	if e := much.Closed(); e.Code != int(wire.CloseOverloaded) {
		t.Errorf("who said too much: %v", e)
	}
}
