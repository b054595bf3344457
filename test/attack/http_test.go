package attack

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// titled is a change of about so many KiB.
func titled(kib int) plotting.Change {
	marks := make([]plotting.Mark, 0, kib*4)
	for i := range kib * 4 {
		marks = append(marks, plotting.Mark{T: int64(i), Text: strings.Repeat("x", 250)})
	}
	return plotting.Change{Marks: &marks}
}

// TestOperatorsPages asks for what is for operators alone.
func TestOperatorsPages(t *testing.T) {
	g := attacked(t)
	for _, path := range []string{"/metrics", "/api/v1/sources"} {
		for name, c := range map[string]struct {
			header []string
			status int
		}{
			"nobody": {nil, 401}, "a wall": {bearer(wallToken), 403}, "who sends samples": {bearer(ingestToken), 401},
			"a JWT": {bearer(g.good(nil)), 403}, "the admin": {bearer(rootToken), 200},
		} {
			a := g.get(path, c.header...)
			if a.StatusCode != c.status {
				t.Errorf("%s by %s: %d", path, name, a.StatusCode)
			}
			if c.status != 200 && (strings.Contains(a.body, "chartd_") || strings.Contains(a.body, "cpu-hidden")) {
				t.Errorf("%s by %s: %s", path, name, a.body)
			}
			if cc := a.Header.Get("Cache-Control"); !strings.Contains(cc, "private") {
				t.Errorf("%s by %s: Cache-Control %q", path, name, cc)
			}
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/", "/c/cpu", "/chartd.js"} {
		if a := g.get(path); a.StatusCode != 200 {
			t.Errorf("%s by nobody: %d", path, a.StatusCode)
		}
	}
}

// TestPicturesInCaches looks at who may keep a picture.
func TestPicturesInCaches(t *testing.T) {
	g := attacked(t)
	root := g.get("/charts/cpu-hidden.svg", bearer(rootToken)...)
	if root.StatusCode != 200 || !strings.Contains(root.body, "Plan Nine") {
		t.Fatalf("%d %s", root.StatusCode, root.body)
	}
	if cc, vary := root.Header.Get("Cache-Control"), strings.Join(root.Header.Values("Vary"), ","); !strings.Contains(cc, "private") || !strings.Contains(vary, "Authorization") {
		t.Errorf("Cache-Control %q, Vary %q", cc, vary)
	}
	if got := root.Header.Get("Cross-Origin-Resource-Policy"); got != "same-origin" {
		t.Errorf("any page may show it: %q", got)
	}
	// The server's own cache has it now, and gives it to nobody else, ETag or not.
	for _, header := range [][]string{nil, bearer(wallToken)} {
		a := g.get("/charts/cpu-hidden.svg", append(header, "If-None-Match", root.Header.Get("ETag"))...)
		if a.StatusCode != 401 && a.StatusCode != 403 {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
}

// TestIngestWithoutToken sends samples as everybody but those who may.
func TestIngestWithoutToken(t *testing.T) {
	g := attacked(t, "sources: {push: {type: push}, influx: {type: influx}}")
	basic := func(password string) []string {
		return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("telegraf:"+password))}
	}
	line, json := "stolen v=1", `{"metric":"stolen","v":1}`
	for _, at := range []struct{ path, body string }{
		{"/api/v1/push", json}, {"/api/v2/write?bucket=b&org=o", line}, {"/write?db=b", line}, {"/query?q=CREATE+DATABASE+x", ""},
	} {
		for name, header := range map[string][]string{
			"nobody": nil, "made up": bearer("made-up-0123456789"), "who watches": bearer(wallToken), "the admin": bearer(rootToken),
			"a JWT": bearer(g.good(nil)), "no scheme": {"Authorization", ingestToken}, "a wrong password": basic("made-up-0123456789"),
			"half of it": bearer(ingestToken[:10]),
		} {
			a := g.do("POST", at.path, at.body, header...)
			if a.StatusCode != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") == "" || !strings.Contains(a.body, "auth.ingest") {
				t.Errorf("%s by %s: %d %s", at.path, name, a.StatusCode, a.body)
			}
		}
	}
	if a := g.do("POST", "/write?db=b&u=telegraf&p=made-up-0123456789", line); a.StatusCode != 401 {
		t.Errorf("a wrong ?p=: %d", a.StatusCode)
	}
	if n := g.metric("chartd_store_series"); n != 1 {
		t.Errorf("%v series: something was written", n)
	}
	for name, header := range map[string][]string{
		"Bearer": bearer(ingestToken), "Token": {"Authorization", "Token " + ingestToken}, "Basic": basic(ingestToken),
	} {
		for path, body := range map[string]string{"/api/v1/push": `{"metric":"m","v":1}`, "/api/v2/write": "m v=1", "/write": "m v=1"} {
			if a := g.do("POST", path, body, header...); a.StatusCode != 204 {
				t.Errorf("%s to %s: %d %s", name, path, a.StatusCode, a.body)
			}
		}
	}
	// A token that was given in an address is in no log: search sees to that.
	if a := g.do("POST", "/write?db=b&u=telegraf&p="+ingestToken, "m v=1"); a.StatusCode != 204 {
		t.Errorf("?p=: %d %s", a.StatusCode, a.body)
	}
}

// TestCrossOriginPage comes from another site, with a browser that adds a good
// header, as one behind a proxy that signs people in does.
func TestCrossOriginPage(t *testing.T) {
	g := attacked(t)
	origin := "https://evil.example.com"
	_, err := livetest.TryDial(t, g.base, http.Header{"Origin": {origin}, "Authorization": {"Bearer " + wallToken}}, wire.Subprotocol)
	if r, ok := errors.AsType[*livetest.Refused](err); !ok || r.Status != 403 || !strings.Contains(r.Body, "server.origins") {
		t.Errorf("the WebSocket: %v", err)
	}
	a := g.get("/api/v1/charts", append(bearer(wallToken), "Origin", origin)...)
	if got := a.Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("the page may read the list: %q", got)
	}
	if a := g.do("OPTIONS", "/api/v1/charts", "", "Origin", origin, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization"); a.StatusCode != 403 {
		t.Errorf("the preflight: %d %s", a.StatusCode, a.body)
	}
	if a := g.do("POST", "/api/v1/push", `{"metric":"m","v":1}`, append(bearer(ingestToken), "Origin", origin)...); a.StatusCode != 403 {
		t.Errorf("samples: %d %s", a.StatusCode, a.body)
	}
	if a := g.get("/charts/cpu.svg", append(bearer(wallToken), "Origin", origin)...); a.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" || a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the picture: %v", a.Header)
	}
	// Its own pages, and those that the setting lists, may.
	if a := g.do("OPTIONS", "/api/v1/charts", "", "Origin", g.base); a.StatusCode != 204 || a.Header.Get("Access-Control-Allow-Headers") != "Authorization" {
		t.Errorf("the preflight of its own page: %d %v", a.StatusCode, a.Header)
	}
}
