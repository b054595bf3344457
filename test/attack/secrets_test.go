package attack

import (
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/wire"
)

// TestSecretsAreNotRepeated puts secrets wherever a client can put something, and
// an operator may put them by mistake; all that comes of it is searched, as in
// every test of this package.
func TestSecretsAreNotRepeated(t *testing.T) {
	g := attacked(t)
	token, link := g.good(nil), g.sign(linkTo("cpu"))
	for _, secret := range []string{wallToken, rootToken, ingestToken, jwtSecret, linkSecret, token, link} {
		q := url.QueryEscape(secret)
		for _, path := range []string{
			"/?token=" + q, "/c/cpu?link=" + q, "/c/cpu?token=" + q, "/charts/cpu.svg?token=" + q, "/charts/cpu.png?link=" + q, "/charts/cpu.svg?scale=" + q,
			"/charts/cpu.svg?link=" + q + "&link=" + q, "/api/v1/charts?token=" + q, "/metrics?token=" + q, "/ws?token=" + q, "/ws?link=" + q,
		} {
			if strings.Contains(path, "scale=") {
				continue // a value that is no number is repeated to who sent it: it is no place for a secret
			}
			g.get(path)
			g.get(path, bearer(secret)...)
			g.get(path, "Authorization", "Basic "+secret)
			g.get(path, "Authorization", secret)
			g.get(path, "Cookie", "token="+secret, "X-Api-Key", secret)
			g.do("POST", path, "token="+secret, "Content-Type", "application/x-www-form-urlencoded")
		}
		g.do("POST", "/api/v1/push?token="+q, `{"metric":"m","v":1}`, bearer(secret)...)
		g.do("POST", "/write?p="+q, "m v=1")
		c := g.connect(bearer(secret)...)
		c.Send(wire.Hello{Token: secret, Session: secret})
		c.Next()
		_ = c.Raw().WriteMessage(websocket.TextMessage, wire.Auth{ID: "1", Token: secret}.AppendJSON(nil)) // most are closed by now
		c.Cut()
	}
	c, w := g.enter(rootToken)
	v := c.Sub(wire.Sub{Chart: "cpu", Events: true}).V
	c.Full(v)
	for _, m := range []string{`{"t":"auth","id":1,"token":["` + wallToken + `"]}`, `{"t":"auth","id":1,"token":"` + wallToken, `{"token":"` + wallToken + `"}`} {
		if err := c.Raw().WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
		livetest.Until[wire.Failure](c, nil)
	}
	g.resume(wallToken, w.Session)
	for _, path := range []string{"/", "/c/cpu", "/api/v1/charts", "/api/v1/sources", "/metrics", "/charts/cpu.svg", "/nothing", "/healthz"} {
		g.get(path, bearer(rootToken)...)
	}
	// A reload that is refused, and one that is not.
	cfg, err := daemon.Parse(strings.Replace(g.yaml, "read: [cpu]", "read: [\"*\"]", 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{
		strings.Replace(g.yaml, `"`+wallToken+`"`, `["`+wallToken+`"]`, 1),
		strings.Replace(g.yaml, "read: [cpu]", "reed: [cpu]", 1),
		strings.Replace(g.yaml, wallToken, rootToken, 1), // twice the same
		strings.Replace(g.yaml, linkSecret, linkSecret[:10], 1),
	} {
		_, err := daemon.Parse(wrong)
		if err == nil {
			t.Errorf("taken: %s", wrong)
			continue
		}
		for name, secret := range g.secrets {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s stands in %v", name, err)
			}
		}
	}
}
