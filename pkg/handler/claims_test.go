package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// Every kind of handler is told the claims that the configuration names, and
// nothing else of the token; on a tick, and of who has no JWT, there are none.
func TestClaims(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "alice", "exp": time.Now().Add(time.Hour).Unix(), "email": "alice@example.com", "password": "hunter2",
		"tenant": map[string]any{"id": json.Number("12345678901234567890")}, "chartd_read": "*", "chartd_callback": []string{"*"},
	}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	const told = `{"chartd_callback":["*"],"sub":"alice","tenant":{"id":12345678901234567890}}`
	asked := make(chan []byte, 1)
	inGo := make(chan string, 1)
	r := start(t, `
auth:
  anonymous: {read: [one]}
  tokens: [{name: wall, token: a-token-for-the-wall, admin: true}]
  jwt: {secret: `+secret+`, claims: [sub, tenant, chartd_callback, nothing]}
charts:
  one:
    refresh: 50ms
    series: [{metric: m}]
    callbacks:
      - {on: tick, webhook: {url: $HOOK/tick, allow_private: true}}
      - {on: set, set: {title: "{{ .claims.sub | default \"nobody\" }} {{ .claims.email | default \"-\" }} {{ with .claims.tenant }}{{ .id }}{{ end }}"}}
      - {on: hook, webhook: {url: $HOOK, allow_private: true}}
      - on: script
        script: |
          def callback(call):
              if session.claims.get("tenant", {}).get("id") == 12345678901234567890:
                  session.claims.pop("sub")  # a copy
              reply(session.claims)
`, func(w http.ResponseWriter, req *http.Request) {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		if req.URL.Path == "/tick" {
			if bytes.Contains(b, []byte("claims")) {
				t.Errorf("a tick says %s", b)
			}
			return
		}
		if bytes.Contains(b, []byte(token)) || bytes.Contains(b, []byte("hunter2")) || strings.Contains(req.Header.Get("Authorization"), token) {
			t.Errorf("the webhook is told too much: %s", b)
		}
		asked <- b
	}, daemon.WithCallback("one", func(_ context.Context, call *session.Call) error {
		inGo <- string(call.Claims())
		return nil
	}))
	claimsOf := func(b []byte) string {
		t.Helper()
		var m struct{ Claims json.RawMessage }
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		return string(m.Claims)
	}
	for _, who := range []struct{ token, title, told, reply string }{
		{token, "alice - 12345678901234567890", told, told},
		{"a-token-for-the-wall", "nobody - ", "", "{}"},
	} {
		c := livetest.Dial(t, r.URL())
		c.Send(wire.Hello{Token: who.token})
		livetest.Until[wire.Welcome](c, nil)
		mine := &rig{Daemon: r.Daemon, Client: c, t: t, v: c.Sub(wire.Sub{Chart: "one"}).V}
		if ok, failed := mine.call(`"set"`); failed != nil || *ok.View.Title != who.title {
			t.Errorf("set: %v, %v", ok.View, failed)
		}
		if _, failed := mine.call(`"hook"`); failed != nil {
			t.Error(failed)
		}
		if got := claimsOf(<-asked); got != who.told {
			t.Errorf("the webhook is told %s, want %s", got, who.told)
		}
		if ok, failed := mine.call(`"script"`); failed != nil || string(ok.Reply) != who.reply {
			t.Errorf("the script replied %s, %v, want %s", ok.Reply, failed, who.reply)
		}
		if _, failed := mine.call(`"go"`); failed != nil {
			t.Error(failed)
		}
		if got := <-inGo; got != who.told {
			t.Errorf("Go is told %s, want %s", got, who.told)
		}
	}
	// The same over HTTP.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL()+"api/v1/charts/one/callback", strings.NewReader(`"hook"`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := claimsOf(<-asked); got != told || resp.StatusCode != http.StatusOK {
		t.Errorf("over HTTP it is told %s, and answers %s", got, resp.Status)
	}
}
