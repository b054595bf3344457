package session

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

const (
	wallToken  = "wall-token-0123456789"
	otherToken = "other-token-0123456789"
)

// authConfig lets wall watch cpu, other everything, and links in.
func authConfig() auth.Config {
	cfg := auth.DefaultConfig()
	cfg.Tokens = []auth.Token{
		{Name: "wall", Token: wallToken, Access: auth.Access{Read: []string{"cpu"}}},
		{Name: "other", Token: otherToken, Access: auth.Access{Read: []string{"*"}, Callback: []string{"*"}}},
	}
	cfg.Links.Secret = "link-secret-0123456789-0123456789-0123"
	return cfg
}

// guard makes a configuration decide.
func (w *world) guard(change func(*auth.Config)) {
	w.t.Helper()
	cfg := authConfig()
	if change != nil {
		change(&cfg)
	}
	g, err := auth.New(cfg, nil, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.SetGate(g)
}

// sign returns a link to cpu.
func (w *world) sign(l auth.Link) string {
	w.t.Helper()
	l.Chart = "cpu"
	_, token, err := authConfig().Links.Sign(l)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// enter connects with a token, which must be good.
func (w *world) enter(token string) *page {
	w.t.Helper()
	p := w.connect("")
	p.say(wire.Hello{Token: token})
	synctest.Wait()
	equal(w.t, p.took(), "welcome")
	return p
}

func TestWhoIsLetIn(t *testing.T) {
	inBubble(t, func(w *world) {
		w.guard(nil)
		for _, c := range []struct{ name, hello, header, want string }{
			{"hello", wallToken, "", "welcome ok:1 ok:2"},
			{"header", "", wallToken, "welcome ok:1 ok:2"},
			{"both, hello's wrong", "wrong-0123456789", wallToken, "error::unauthorized"},
			{"both, the header's wrong", wallToken, "wrong-0123456789", "welcome ok:1 ok:2"},
			{"none", "", "", "error::unauthorized"},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := w.connect("")
				p.client.Present(c.header, auth.Visitor{})
				// What comes behind waits for its turn, and is done for nobody who is not let in.
				p.say(wire.Hello{Token: c.hello}, wire.Ping{ID: "1"}, wire.Ping{ID: "2"})
				synctest.Wait()
				equal(t, p.took(), c.want)
				if s := p.client.shown; s != nil && (s.credential != "" || strings.Contains(c.want, "welcome")) {
					t.Error("what the request said is kept")
				}
				p.drop()
			})
		}
	})
}

// Equal tokens share what they allow, and only what ends has a timer.
func TestAnIdleSessionKeepsNoTimer(t *testing.T) {
	inBubble(t, func(w *world) {
		w.guard(nil)
		a, b := w.enter(wallToken), w.enter(wallToken)
		if a.client.grant != b.client.grant {
			t.Error("equal tokens have grants of their own")
		}
		link := w.enter(w.sign(auth.Link{Expires: time.Now().Add(time.Hour)}))
		for p, want := range map[*page]bool{a: false, b: false, link: true} {
			if has := p.client.timer != nil; has != want {
				t.Errorf("a timer: %v, want %v", has, want)
			}
		}
		link.drop()
		if link.client.timer != nil {
			t.Error("the timer outlives its connection")
		}
	})
}

func TestExpiry(t *testing.T) {
	inBubble(t, func(w *world) {
		w.guard(nil)
		token := w.sign(auth.Link{ID: "short", Expires: time.Now().Add(time.Minute)})
		p := w.enter(token)
		p.sub(wire.Sub{})
		after(59 * time.Second)
		if how := p.closing(); how != nil {
			t.Fatalf("closed too early: %v", how)
		}
		p.say(wire.Auth{ID: "7", Token: w.sign(auth.Link{ID: "short", Expires: time.Now().Add(time.Hour)})})
		synctest.Wait()
		after(50 * time.Minute) // renewed in time
		if how := p.closing(); how != nil {
			t.Fatalf("closed though renewed: %v", how)
		}
		p.say(wire.Auth{ID: "8", Token: token}) // which has expired: the one before counts
		after(10 * time.Minute)
		if how := p.closing(); how == nil || how.Code != wire.CloseUnauthorized {
			t.Errorf("closed with %v", how)
		}
		if n := w.metric("chartd_auth_refused_total", "reason", "expired"); n != 2 {
			t.Errorf("%v refusals", n)
		}
	})
}

// SetGate reaches the sessions that are there.
func TestSetGate(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(w *world) // nil: nobody is asked
		token  string
		after  func(cfg *auth.Config)
		open   bool // nobody is asked afterwards
		want   string
	}{
		{"nothing changes", (*world).ask, wallToken, nil, false, ""},
		{"another is added", (*world).ask, wallToken, func(cfg *auth.Config) {
			cfg.Tokens = append(cfg.Tokens, auth.Token{Name: "new", Token: "new-token-0123456789", Access: auth.Access{Read: []string{"*"}}})
		}, false, ""},
		{"fewer rights", (*world).ask, otherToken, func(cfg *auth.Config) { cfg.Tokens[1].Read, cfg.Tokens[1].Callback = []string{"mem"}, nil }, false, "error::forbidden"},
		{"the token is gone", (*world).ask, wallToken, func(cfg *auth.Config) { cfg.Tokens = cfg.Tokens[1:] }, false, "closed:access_changed"},
		{"the token has changed", (*world).ask, wallToken, func(cfg *auth.Config) { cfg.Tokens[0].Token = "another-token-0123456789" }, false, "closed:access_changed"},
		{"everybody may", (*world).ask, wallToken, nil, true, "closed:access_changed"},
		{"not everybody may", nil, "", nil, false, "closed:access_changed"},
		{"nobody said who they are", nil, "", func(cfg *auth.Config) { cfg.Anonymous.Read = []string{"*"} }, false, "closed:access_changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				if c.before != nil {
					c.before(w)
				}
				p := w.enter(c.token)
				p.sub(wire.Sub{View: plotting.Change{Refresh: new(quantity.Duration)}})
				if c.open {
					w.SetGate(nil)
				} else {
					w.guard(c.after)
				}
				synctest.Wait()
				got := p.took()
				if how := p.closing(); how != nil {
					got = "closed:" + how.Code.String()
				}
				equal(t, got, c.want)
			})
		})
	}
}

// ask is guard with the usual configuration.
func (w *world) ask() { w.guard(nil) }

// A chart changes under a link: what it pins stays pinned, or nothing is shown.
func TestReloadUnderALink(t *testing.T) {
	inBubble(t, func(w *world) {
		w.guard(nil)
		p := w.enter(w.sign(auth.Link{
			Expires: time.Now().Add(time.Hour), View: plotting.Change{Vars: map[string]string{"host": "b"}}, MaxWindow: quantity.Duration(2 * time.Minute),
		}))
		v := p.sub(wire.Sub{})
		s := p.client.subs[v]
		host := func() string { return s.spec.Vars["host"].Default + " but " + s.spec.Diff(s.view).Vars["host"] }
		equal(t, host(), "a but b")
		w.with("cpu", func(c *Chart) {
			c.Spec.Window = quantity.Duration(time.Hour)
			c.Spec.Vars = map[string]plotting.Var{"host": {Default: "c"}}
		})
		synctest.Wait()
		equal(t, host(), "c but b")
		if s.view.Window > quantity.Duration(2*time.Minute) {
			t.Errorf("the window is %v", s.view.Window)
		}
		p.took()
		w.with("cpu", func(c *Chart) { c.Spec.Vars = nil; c.Spec.Title = "CPU" })
		synctest.Wait()
		equal(t, p.took(), "error::forbidden")
		if len(p.client.subs) != 0 {
			t.Error("the subscription is still there")
		}
	})
}

func TestCallsSayWho(t *testing.T) {
	inBubble(t, func(w *world) {
		users := make(chan string, 4)
		w.with("cpu", callback(func(_ context.Context, call *Call) error {
			if call.Cause() == CauseClient {
				users <- call.User() + "," + call.Session().User()
			}
			return nil
		}))
		p := w.open()
		v := p.sub(wire.Sub{})
		p.say(wire.Callback{ID: "2", V: v})
		equal(t, <-users, ",")
		p.drop()
		w.guard(nil)
		p = w.enter(otherToken)
		v = p.sub(wire.Sub{})
		p.say(wire.Callback{ID: "2", V: v})
		equal(t, <-users, "token:other,token:other")
		q := w.enter(wallToken)
		v = q.sub(wire.Sub{})
		q.say(wire.Callback{ID: "2", V: v})
		synctest.Wait()
		equal(t, q.took(), "error:2:forbidden")
	})
}
