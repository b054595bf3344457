package auth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chartd/chartd/pkg/secret"
)

func TestNothingConfigured(t *testing.T) {
	for name, cfg := range map[string]Config{"zero": {}, "default": DefaultConfig()} {
		g := newGate(t, cfg, nil)
		if g.Enabled() {
			t.Errorf("%s: it is enabled", name)
		}
		for _, credential := range []string{"", "anything", LinkPrefix + "x"} {
			grant, kind := identify(t, g, credential)
			if kind != "" || !grant.MayRead("cpu") || !grant.MayCall("cpu") || !grant.Admin() || grant.Form() != FormOpen || grant.Expired(time.Now().Add(1e6*time.Hour)) {
				t.Errorf("%s: %q gives %+v, %q", name, credential, grant, kind)
			}
		}
		if name, err := g.Ingest(""); err != nil || name != "" {
			t.Errorf("ingest: %q, %v", name, err)
		}
		if err := g.Run(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestTokens(t *testing.T) {
	g := newGate(t, fullConfig(t), nil)
	wall, kind := identify(t, g, wallToken)
	if kind != "" || wall.Name() != "token wall" || wall.ID() != "token:wall" || wall.Form() != FormToken || !wall.Expires().IsZero() {
		t.Fatalf("%+v, %q", wall, kind)
	}
	if again, _ := identify(t, g, wallToken); again != wall {
		t.Error("two grants of one token are not the same")
	}
	for chart, want := range map[string][2]bool{
		"cpu": {true, true}, "rack-1": {true, false}, "rack-": {true, false}, "rack": {}, "cpu2": {}, "": {}, "*": {}, "status": {},
	} {
		if got := [2]bool{wall.MayRead(chart), wall.MayCall(chart)}; got != want {
			t.Errorf("%q: read, call %v, want %v", chart, got, want)
		}
	}
	boss, _ := identify(t, g, adminToken)
	if !boss.Admin() || !boss.MayRead("x") || !boss.MayCall("x") || wall.Admin() {
		t.Error("an admin may not do everything")
	}
	if anyone, kind := identify(t, g, ""); kind != "" || !anyone.MayRead("status") || anyone.MayRead("cpu") || anyone.MayCall("status") || anyone.Form() != FormAnonymous {
		t.Errorf("anonymous: %+v, %q", anyone, kind)
	}
}

// TestCredentials is the table of what is refused whatever else is configured.
func TestCredentials(t *testing.T) {
	g := newGate(t, fullConfig(t), nil)
	closed := fullConfig(t)
	closed.Anonymous, closed.JWT, closed.Links = Access{}, JWT{}, Links{}
	strict := newGate(t, closed, nil)
	good := mint(t, jwt.SigningMethodHS256, []byte(hmacSecret), goodClaims(), nil)
	for _, tt := range []struct {
		name       string
		gate       *Gate
		credential string
		want       Kind
	}{
		{"missing", strict, "", KindMissing},
		{"unknown", g, "nobody's token, but long enough", KindUnknown},
		{"a prefix", g, wallToken[:len(wallToken)-1], KindUnknown},
		{"longer", g, wallToken + "0", KindUnknown},
		{"with a space", g, " " + wallToken, KindUnknown},
		{"another case", g, strings.ToUpper(wallToken), KindUnknown},
		{"an ingest token", g, ingestToken, KindUnknown},
		{"a secret", g, hmacSecret, KindUnknown},
		{"its digest", g, string(digestSlice(wallToken)), KindUnknown},
		{"too long", g, strings.Repeat("a", MaxCredential+1), KindMalformed},
		{"a JWT too long", g, "ey" + strings.Repeat("a", MaxCredential) + "." + good, KindMalformed},
		{"a link too long", g, LinkPrefix + strings.Repeat("a", MaxCredential), KindMalformed},
		{"a zero byte", g, wallToken + "\x00", KindUnknown},
		{"not UTF-8", g, "\xff\xfe" + wallToken, KindUnknown},
		{"no JWT configured", strict, good, KindDisabled},
		{"no links configured", strict, LinkPrefix + "abc.def", KindDisabled},
	} {
		if _, kind := identify(t, tt.gate, tt.credential); kind != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, kind, tt.want)
		}
	}
}

func digestSlice(s string) []byte {
	d := digestOf(s)
	return d[:]
}

func TestIngest(t *testing.T) {
	g := newGate(t, fullConfig(t), nil)
	if name, err := g.Ingest(ingestToken); err != nil || name != "telegraf" {
		t.Errorf("%q, %v", name, err)
	}
	for credential, want := range map[string]Kind{
		"": KindMissing, wallToken: KindUnknown, adminToken: KindUnknown, ingestToken + "x": KindUnknown,
		strings.Repeat("x", MaxCredential+1): KindMalformed,
	} {
		name, err := g.Ingest(credential)
		if kind := kindOf(t, err, credential); kind != want || name != "" {
			t.Errorf("%.30q: %q, want %q", credential, kind, want)
		}
	}
	without := fullConfig(t)
	without.Ingest = nil
	if _, err := newGate(t, without, nil).Ingest(ingestToken); kindOf(t, err, ingestToken) != KindDisabled || !strings.Contains(err.Error(), "auth.ingest") {
		t.Errorf("without any token: %v", err)
	}
}

// TestFindLooksAtAll holds what a clock cannot: that the entry which fits may
// stand anywhere, and that two never fit. find has no early return; see there.
func TestFindLooksAtAll(t *testing.T) {
	var list []credential[int]
	for i := range 50 {
		list = append(list, credential[int]{digestOf(string(rune('a' + i))), i})
	}
	for i := range 50 {
		if got, ok := find(list, digestOf(string(rune('a'+i)))); !ok || got != i {
			t.Errorf("%d: %d, %v", i, got, ok)
		}
	}
	if _, ok := find(list, digestOf("none")); ok {
		t.Error("found what is not there")
	}
	if _, ok := find(list[:0], digest{}); ok {
		t.Error("found in nothing")
	}
}

// TestConfirm holds what a reload does to grants that are in use.
func TestConfirm(t *testing.T) {
	base := fullConfig(t)
	first := newGate(t, base, nil)
	link := func(id string) string {
		_, token, err := base.Links.Sign(Link{ID: id, Chart: "cpu", Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	hs := mint(t, jwt.SigningMethodHS256, []byte(hmacSecret), goodClaims(), nil)
	rs := mint(t, jwt.SigningMethodRS256, privateKeys().rsa, goodClaims(), nil)
	for _, tt := range []struct {
		name       string
		credential string
		change     func(*Config)
		want       Kind
		reads      string // a chart that may be read then
	}{
		{"nothing changed: token", wallToken, func(*Config) {}, "", "cpu"},
		{"nothing changed: link", link("a"), func(*Config) {}, "", "cpu"},
		{"nothing changed: HS256", hs, func(*Config) {}, "", "cpu"},
		{"nothing changed: RS256", rs, func(*Config) {}, "", "cpu"},
		{"nothing changed: anonymous", "", func(*Config) {}, "", "status"},
		{"other rights", wallToken, func(c *Config) { c.Tokens[0].Read = []string{"memory"} }, "", "memory"},
		{"token removed", wallToken, func(c *Config) { c.Tokens = c.Tokens[1:] }, KindRevoked, ""},
		{"another text of the same name", wallToken, func(c *Config) { c.Tokens[0].Token = "another-text-0123456789" }, KindRevoked, ""},
		{"link revoked", link("b"), func(c *Config) { c.Links.Revoked = append(c.Links.Revoked, "b") }, KindRevoked, ""},
		{"secret rotated", link("c"), func(c *Config) { c.Links = Links{Secret: oldSecret, OldSecrets: []secret.Text{linkSecret}} }, "", "cpu"},
		{"secret gone", link("d"), func(c *Config) { c.Links = Links{Secret: oldSecret} }, KindRevoked, ""},
		{"another claim", hs, func(c *Config) { c.JWT.ReadClaim = "scope" }, KindRevoked, ""},
		{"another audience", hs, func(c *Config) { c.JWT.Audience = "other" }, KindRevoked, ""},
		{"HS256 secret gone", hs, func(c *Config) { c.JWT.Secret = "" }, KindRevoked, ""},
		{"key gone", rs, func(c *Config) { c.JWT.Keys = nil }, KindRevoked, ""},
		{"another key stays", rs, func(c *Config) { c.JWT.Secret = "" }, "", "cpu"},
		{"no anonymous any more", "", func(c *Config) { c.Anonymous = Access{} }, KindMissing, ""},
		{"everybody", wallToken, func(c *Config) { *c = DefaultConfig() }, "", "anything"},
	} {
		grant, kind := identify(t, first, tt.credential)
		if kind != "" {
			t.Fatalf("%s: refused as %q at first", tt.name, kind)
		}
		next := base
		next.Tokens = append([]Token(nil), base.Tokens...)
		tt.change(&next)
		got, err := newGate(t, next, first).Confirm(grant)
		if kind := kindOf(t, err, tt.credential); kind != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, kind, tt.want)
		}
		if err == nil && !got.MayRead(tt.reads) {
			t.Errorf("%s: %s may not be read", tt.name, tt.reads)
		}
	}
	if _, err := first.Confirm(&Grant{form: FormToken, expires: time.Now().Add(-time.Second)}); kindOf(t, err, "") != KindExpired {
		t.Errorf("an expired grant: %v", err)
	}
	if _, err := first.Confirm(Everybody()); err != nil {
		t.Errorf("from no authentication to anonymous: %v", err)
	}
}

// TestConfigIsCopied holds that nobody can widen a grant through a list that
// was handed in.
func TestConfigIsCopied(t *testing.T) {
	cfg := fullConfig(t)
	g := newGate(t, cfg, nil)
	cfg.Tokens[0].Read[0], cfg.Anonymous.Read[0], cfg.Ingest[0].Name = "*", "*", "x"
	if grant, _ := identify(t, g, wallToken); grant.MayRead("memory") {
		t.Error("the token's rights changed with the configuration")
	}
	if grant, _ := identify(t, g, ""); grant.MayRead("memory") {
		t.Error("the rights of anonymous changed with the configuration")
	}
}

func TestCredentialOfRequest(t *testing.T) {
	for _, tt := range []struct {
		header, value, query, want string
	}{
		{"", "", "", ""},
		{"Authorization", "Bearer abc", "", "abc"},
		{"Authorization", "bearer  abc ", "", "abc"},
		{"Authorization", "Token abc", "", "abc"},
		{"Authorization", "Basic dXNlcjpwYXNz", "", "pass"},
		{"Authorization", "Basic !!", "", ""},
		{"Authorization", "Digest abc", "", ""},
		{"Authorization", "abc", "", ""},
		{"Authorization", "Bearer abc", "link=" + LinkPrefix + "x", "abc"},
		{"", "", "link=" + LinkPrefix + "x.y", LinkPrefix + "x.y"},
		{"", "", "a=1&link=" + LinkPrefix + "x", LinkPrefix + "x"},
		{"", "", "link=" + wallToken, ""}, // a token in an address is soon in a log
		{"", "", "token=" + LinkPrefix + "x", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/ws?"+tt.query, nil)
		if tt.header != "" {
			r.Header.Set(tt.header, tt.value)
		}
		if got := Credential(r); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

func TestVisitorOf(t *testing.T) {
	for _, tt := range []struct{ origin, referer, want string }{
		{"", "", ""},
		{"https://a.example", "https://b.example/page", "https://a.example"},
		{"", "https://b.example/page?q#f", "https://b.example"},
		{"", "https://b.example:8443/", "https://b.example:8443"},
		{"null", "https://b.example/", "null"},
		{"", "::bad", ""},
		{"", "/relative", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://charts.example/ws", nil)
		r.Header.Set("Origin", tt.origin)
		r.Header.Set("Referer", tt.referer)
		if got := VisitorOf(r); got.Origin != tt.want || got.Host != "charts.example" || got.Page {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
}
